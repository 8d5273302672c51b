"""New scenario files: a commented one to fill in, and a copy of one that is there."""

import datetime as dt
import json
import re
from collections.abc import Sequence
from pathlib import Path

from carecast.model.parameters import BadFile
from carecast.scenarios.kind_table import ASSUMPTIONS, KINDS, LEVERS
from carecast.scenarios.kinds import Kind
from carecast.scenarios.library import lineage, load_scenario, read_text, source_text, write_text
from carecast.scenarios.scenario import SCENARIO_FORMAT, Scenario, nearest

NAME = re.compile(r"^[a-z0-9][a-z0-9_]*$")
EXAMPLE_SIZES = {
    "add": "add = 1", "multiply_by": "multiply_by = 1.0", "share": "share = 0.0", "per_year": "per_year = 0.0",
    "miles": "miles = 15", "places": "places = 1",
}  # fmt: skip
EXAMPLE_FIELDS = {
    "instead": 'instead = "home_with_support"', "exits_per_year": "exits_per_year = 0.1", "reach": "reach = 0.1",
    "provider": 'provider = "CODE"', "name": 'name = "New house"', "lead_months": "lead_months = 18",
    "fixed_weekly_cost_gbp": "fixed_weekly_cost_gbp = 22000", "weekly_cost_gbp": "weekly_cost_gbp = 430",
    "lines": 'lines = ["external"]', "weekly_cost_over_gbp": "weekly_cost_over_gbp = 10000",
    "contributor": 'contributor = "nhs"', "pool": "pool = { social_work = 0.7, nhs = 0.3 }",
    "service": 'service = "assessment"', "families_per_worker": "families_per_worker = 12",
}  # fmt: skip


def starter(name: str, built_on: str, author: str, kinds: Sequence[str], today: dt.date) -> str:
    """The text of a new scenario file with comments that say what to fill in; it is valid as it stands.

    Raises:
        BadFile: the name, what it is built on or a kind will not do.
    """
    check_name(name)
    lines = [f"kind: found {kind!r}; {nearest(kind, KINDS)}" for kind in kinds if kind not in KINDS]
    if lines:
        raise BadFile(*lines)
    load_scenario(built_on)
    parts = [
        _HEAD.format(
            format=SCENARIO_FORMAT,
            name=name,
            built_on=_named(built_on),
            author=json.dumps(author, ensure_ascii=False),
            today=today,
        )
    ]
    parts += [_section(KINDS[kind], today) for kind in kinds]
    if not kinds:
        parts.append(_MENU.format(levers=_menu(LEVERS), assumptions=_menu(ASSUMPTIONS), start=next_april(today)))
    parts.append(_TARGET)
    return "\n".join(parts)


def check_name(name: str) -> None:
    """Refuse a name that a scenario cannot have."""
    if not NAME.match(name):
        raise BadFile(f"name: found {name!r}; should be small letters, digits and underscores, such as our_plan")


def next_april(today: dt.date) -> dt.date:
    """The first day of the next financial year."""
    return dt.date(today.year + (today.month >= 4), 4, 1)


def _named(built_on: str) -> str:
    return Path(built_on).stem if built_on.endswith(".toml") else built_on


def _menu(kinds: Sequence[str]) -> str:
    return "\n".join(f"#   {kind:<30} {KINDS[kind].label}" for kind in kinds)


def _section(kind: Kind, today: dt.date) -> str:
    section = "assumption" if kind.is_assumption else "lever"
    lines = [f"[[{section}]]  # {kind.label}: {kind.what}", f'kind = "{kind.name}"', f"from = {next_april(today)}"]
    lines += [f"{EXAMPLE_SIZES[kind.sizes[0]]}  # {kind.unit_of(kind.sizes[0])}"] if kind.sizes else []
    if kind.name == "decommissioning":
        lines += ['lines = ["LINE"]']
    lines += [EXAMPLE_FIELDS[name] for name in kind.required]
    lines.append('because = ""  # why you believe it; source = "" if somebody found it out; owner = "" whose it is')
    if kind.evidence:
        lines.append(f'# evidence = "{kind.evidence}"  # in place of a size, where it has one; setting = "sceptical"')
    optional = [
        name for name in kind.allowed if name not in (*kind.required, "kind", "from", "because", *kind.sizes[:1])
    ]
    lines.append(f"# also: {', '.join(optional)}")
    return "\n".join(lines) + "\n"


_HEAD = """\
# What differs from the scenario it is built on: levers (what you can choose) and assumptions (what you cannot).
# Check it with: carecast scenario check FILE --parameters DIR
format = {format}
name = "{name}"
title = ""                  # what people call it
version = 1
built_on = "{built_on}"        # inherits all of its levers; looked for beside this file, then among the shipped ones
author = {author}
date = {today}
status = "draft"            # draft, proposed, approved, committed or archived
rationale = \"\"\"
Why this, what it leaves out, and who has seen it.
\"\"\"
not_modelled = []           # what the plan wants that no simulation of demand can hold; printed with every result
"""
_MENU = """\
# Take the hashes away and put your own in; docs/scenarios.md has an example of every kind.
# [[lever]]
# kind = "early_help_places"
# name = "Twenty more early help places"
# from = {start}
# ramp_months = 12
# add = 20
# interval_80 = [12, 24]
# gbp_per_place_per_year = {{ value = 5000, low = 3800, high = 7000 }}
# because = "Planning assumption, not evidence."
# owner = "Head of children's services"
#
# [[assumption]]
# kind = "referrals"
# from = {start}
# multiply_by = 1.05
# because = "What if demand at the front door rises by a twentieth?"
#
# Kinds of lever:
{levers}
# Kinds of assumption:
{assumptions}
"""
_TARGET = """\
# [[target]]
# name = "£1m net a year by 2028-29"
# measure = "saving_gbp"
# basis = "net"
# kind = "annual"
# financial_year = "2028-29"
# at_least = 1000000
"""


# --- copies -----------------------------------------------------------------------------------------
def copied(source: str, name: str, author: str, folder: Path, today: dt.date) -> tuple[str, Scenario]:
    """The text of a copy of a scenario under a new name, its comments kept, and the scenario copied.

    The copy is a draft of its own: it holds the same levers and is built on the same scenario, says what it was copied
    from, and starts at version 1 (one more than its source under the same name). A file of an older format is written
    anew in the current one, without its comments.

    Raises:
        BadFile: the source has mistakes, the name will not do, or what it is built on is not found from ``folder``.
    """
    check_name(name)
    found = load_scenario(source)
    version = found.version + 1 if found.name == name else 1
    fields = {
        "format": str(SCENARIO_FORMAT),
        "name": f'"{name}"',
        "version": str(version),
        "copied_from": f'"{found.name}, version {found.version}"',
        "author": json.dumps(author or found.author, ensure_ascii=False),
        "date": str(today),
        "status": '"draft"',
    }
    text = write_text(found) if found.upgraded else source_text(source)
    text = _with_fields(text, fields)
    copy = read_text(text, f"{name}.toml")
    copy._folder = str(folder)
    lineage(copy)
    return text, found


def _with_fields(text: str, fields: dict[str, str]) -> str:
    """The top-level fields of a TOML text set to new values, where they stand or after the name."""
    start = re.search(r"^\s*\[\[", text, re.MULTILINE)
    at = start.start() if start else len(text)
    lines, rest = text[:at].split("\n"), text[at:]
    missing = dict(fields)
    for number, line in enumerate(lines):
        field = line.partition("=")[0].strip()
        if field in missing:
            lines[number] = f"{field} = {missing.pop(field)}"
    name = next(number for number, line in enumerate(lines) if line.startswith("name = "))
    lines[name + 1 : name + 1] = [f"{field} = {value}" for field, value in missing.items()]
    return "\n".join(lines) + rest
