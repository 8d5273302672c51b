"""What every report says of its run: which one, as at when, how sure, what it cannot hold, how to make it again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from carecast.cli.hindcasts import hindcast_text
from carecast.cli.sections import verdict_text
from carecast.dashboard.reports import words
from carecast.dashboard.telling import legend_name
from carecast.model.summary import BASELINE
from carecast.scenarios.library import limits_of, load_scenario
from carecast.scenarios.run import Run
from carecast.scenarios.wording import measure_label, not_modelled

ENOUGH_REPLICATIONS = 200


@dataclass(frozen=True)
class About:
    """A run as the first and last pages of a report describe it."""

    council: str
    nation: str
    title: str
    run_name: str
    run_id: str
    made: str  # when the run was made, ISO
    stamp: str  # '' when the figures are the council's own
    facts: tuple[tuple[str, str], ...]  # what, value
    not_modelled: tuple[tuple[str, tuple[str, ...]], ...]  # heading, lines
    backtest: str
    hindcast: str
    monte_carlo: str
    warnings: tuple[str, ...]

    @property
    def stamp_line(self) -> str:
        """The stamp with a capital letter, or nothing."""
        return words.sentence(self.stamp)


def narrowed(run: Run, scenarios: str | Sequence[str] | None) -> Run:
    """The run with the baseline and one scenario, or some, alone; every number stays what it was.

    Raises:
        BadFile: the run does not hold a scenario.
    """
    if scenarios is None or not len(scenarios):
        return run
    asked = (scenarios,) if isinstance(scenarios, str) else tuple(scenarios)
    for name in asked:
        run.answer(name)
    kept = tuple(answer.scenario for answer in run.answers if answer.scenario in (BASELINE, *asked))
    record = {**run.record, "scenarios": list(kept)}
    for key in ("drivers", "monte_carlo"):
        record[key] = [entry for entry in run.record.get(key) or [] if entry["scenario"] in kept]
    record["not_modelled_of"] = _limits_of(run, kept)
    return replace(run, record=record, answers=tuple(run.answer(name) for name in kept))


def _limits_of(run: Run, scenarios: tuple[str, ...]) -> dict[str, list[str]]:
    """What each of these scenarios asks for that cannot be modelled, by the title of its programme."""
    found: dict[str, list[str]] = {}
    for name in scenarios:
        scenario = load_scenario(run.folder / "inputs" / f"{name}.toml")
        found |= {title: list(lines) for title, lines in limits_of(scenario).items()}
    return found


def title_of(run: Run, scenario: str) -> str:
    """A scenario's own title, or its name in words."""
    if scenario == BASELINE:
        return legend_name(BASELINE)
    return load_scenario(run.folder / "inputs" / f"{scenario}.toml").title or legend_name(scenario)


def about(run: Run) -> About:
    """Everything a report says of its run."""
    record = run.record
    council = str(record["council"])
    return About(
        council=council,
        nation=str(record["nation"]),
        title=f"{council}: children's services to {words.day(record['until'])}",
        run_name=run.folder.name,
        run_id=str(record["digest"]),
        made=str(record["started"]),
        stamp=str(record.get("stamp") or ""),
        facts=_facts(run),
        not_modelled=_not_modelled(record),
        backtest=_one_line(verdict_text(record.get("backtest"))),
        hindcast=_hindcast(record),
        monte_carlo=_monte_carlo(run),
        warnings=_warnings(record),
    )


def _facts(run: Run) -> tuple[tuple[str, str], ...]:
    record = run.record
    commit = str(record.get("commit") or "")
    version = f"carecast {record['versions']['carecast']}" + (f", commit {commit}" if commit else "")
    parts = ", ".join(record["part_years"])
    return (
        ("Council", str(record["council"])),
        ("Status of the figures", words.sentence(str(record.get("stamp") or "the council's own figures"))),
        ("Run", run.folder.name),
        ("Run id", f"{record['digest']} (digest of everything the run holds)"),
        ("Version", version),
        ("Data as at", words.day(record["as_at"])),
        ("Forecast to", words.day(record["until"])),
        ("Part years", f"{parts} (the run holds only a part of it)" if parts else "none"),
        ("Scenarios", words.names(record["scenarios"])),
        ("Replications", f"{_replications(record)} of each scenario, seed {record['seed']}"),
        ("Radius", f"{record['radius_miles']:g} miles, straight line"),
        ("Run made", words.day(record["started"])),
        ("Command that reproduces it", str(record.get("command") or "") or words.prose("no_command")),
    )


def _replications(record: dict[str, Any]) -> str:
    told = int(record["replications"])
    return f"{told} replication{'' if told == 1 else 's'}"


def _not_modelled(record: dict[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The model's own limits and the council's, then what each programme of the run asks for beyond them."""
    shared = not_modelled(tuple(record["parameters"]["not_modelled"]))
    parts = [(words.prose("not_modelled"), shared)]
    for title, lines in (record.get("not_modelled_of") or {}).items():
        parts.append((words.prose("not_modelled_of", title=title), tuple(lines)))
    return tuple((head, lines) for head, lines in parts if lines)


def _hindcast(record: dict[str, Any]) -> str:
    text = hindcast_text(record.get("hindcast"))
    return _one_line(text.split("\n31 ")[0]) if text else ""


def _monte_carlo(run: Run) -> str:
    """How far chance alone may move the means of the headlines."""
    nation, parts = str(run.record["nation"]), []
    for row in run.record["monte_carlo"]:
        error = row["standard_error"]
        if error:
            said = words.gbp(error) if row["measure"].endswith("_gbp") else words.number(error, 1)
            label = words.lower_first(measure_label(nation, row["measure"]))
            parts.append(f"{label} ({legend_name(row['scenario'])}) \u00b1{said}")
    return words.prose("monte_carlo", parts="; ".join(parts)) if parts else words.prose("one_replication")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _warnings(record: dict[str, Any]) -> tuple[str, ...]:
    found = []
    told = int(record["replications"])
    if told < ENOUGH_REPLICATIONS:
        found.append(
            words.prose("few_replications", replications=f"{told} replication{'s were' if told > 1 else ' was'}")
        )
    if record.get("counterfactual_date"):
        began = words.day(record["counterfactual_date"])
        found.append(words.prose("counterfactual", as_at=words.day(record["as_at"]), began=began))
    return tuple(found)


def front_line(told: About) -> str:
    """Which run, of when, by which version, and how to make it again, in one line."""
    facts = dict(told.facts)
    version = re.sub(r"commit (\w{12})\w*", r"commit \1", facts["Version"])
    told_of = facts["Replications"]
    return (
        f"Run {told.run_name}, id {told.run_id}; {version}; data as at {facts['Data as at']}; {told_of}. "
        f"Reproduce with: {facts['Command that reproduces it']}"
    )
