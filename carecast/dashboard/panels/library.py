"""The list of scenarios, the runs that hold one and whether they still say what it says, in tables."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carecast.dashboard import door, telling
from carecast.dashboard.panels.shapes import Table
from carecast.dashboard.studio import Entry
from carecast.dashboard.telling import ABSENT, legend_name

STATUSES = {"draft": "Draft", "proposed": "Proposed", "approved": "Approved", "committed": "Committed",
            "archived": "Archived"}  # fmt: skip
SHORT = 160


def entries_table(entries: tuple[Entry, ...]) -> Table:
    """Every scenario with its status, lineage, author, date, version and rationale."""
    columns = ("Scenario", "Status", "Built on", "Author", "Date", "Version", "Rationale")
    return Table(f"{len(entries)} scenarios", columns, tuple(_row(entry) for entry in entries), is_prose=True)


def _row(entry: Entry) -> tuple[str, ...]:
    built_on = " \u2192 ".join(legend_name(name) for name in entry.lineage) or ABSENT
    if entry.copied_from:
        built_on += f"\ncopied from {entry.copied_from}"
    status = "Has mistakes" if entry.problem else STATUSES.get(entry.status, entry.status)
    whose = "comes with carecast" if entry.is_shipped else "yours"
    why = entry.problem or entry.rationale or "Not said"
    return (
        f"{entry.title or legend_name(entry.name)}\n{entry.name}", f"{status}\n{whose}", built_on, entry.author or ABSENT,
        telling.iso_words(entry.date) if entry.date else ABSENT, str(entry.version),
        why if len(why) <= SHORT else why[:SHORT].rsplit(" ", 1)[0] + " \u2026",
    )  # fmt: skip


# --- full runs of a scenario ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Held:
    """A finished run that holds a scenario."""

    found: door.Found
    is_stale: bool
    why: str  # what has changed since


def held_in(
    found: tuple[door.Found, ...], name: str, scenario_key: str, parameters: dict[str, Any]
) -> tuple[Held, ...]:
    """Finished runs that hold a scenario of this name, and whether the scenario or the parameter set changed since."""
    rows = []
    for one in found:
        inputs = _inputs(one.folder, one.version) if one.status == door.COMPLETE else {}
        then = inputs.get(f"scenario {name}")
        if then is None:
            continue
        changed = ["the scenario"] if then != scenario_key else []
        if any(inputs.get(key) != digest for key, digest in parameters.items()):
            changed.append("the parameter set")
        rows.append(Held(one, bool(changed), " and ".join(changed)))
    return tuple(rows)


_READ: dict[tuple[Path, str], dict[str, Any]] = {}


def _inputs(folder: Path, version: str) -> dict[str, Any]:
    """Digests of a run's inputs; read once for each version of the run."""
    key = (folder, version)
    if key not in _READ:
        try:
            _READ[key] = json.loads((folder / "run.json").read_text(encoding="utf-8")).get("inputs", {})
        except (OSError, ValueError):
            return {}
    return _READ[key]


def held_table(held: tuple[Held, ...]) -> Table | None:
    """Runs of a scenario; stale ones say why."""
    if not held:
        return None
    rows = tuple(
        (one.found.identity, f"{one.found.replications:,}", telling.moment_words(one.found.started),
         f"Stale\n{one.why} changed since" if one.is_stale else "Up to date")
        for one in held
    )  # fmt: skip
    return Table("Finished runs of this scenario", ("Run", "Replications", "Started", "State"), rows)
