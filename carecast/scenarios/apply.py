"""From a scenario file to the model's plan: check it against one council and one run, then make its primitives."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Protocol

from carecast.model.parameters import BadFile, ParameterSet
from carecast.model.plan import (
    AddRate,
    Change,
    ChangePlaces,
    Divert,
    Effect,
    MoveFunding,
    OpenProvider,
    Plan,
    ProgrammeCost,
    ScaleArrivals,
    ScalePrice,
    ScaleRate,
    SetRadius,
    Window,
)
from carecast.scenarios import sizes
from carecast.scenarios.checks import council_problems
from carecast.scenarios.costs import programme_costs
from carecast.scenarios.idle import why_nothing
from carecast.scenarios.kinds import OPENS
from carecast.scenarios.levers import MAKE, house_code, leaving, open_date
from carecast.scenarios.library import inherited
from carecast.scenarios.scenario import Lever, Scenario
from carecast.scenarios.sites import Site

LAST_DAY = dt.date(9000, 1, 1)


def apply(parameter_set: ParameterSet, scenario: Scenario, until: dt.date | None = None) -> Plan:
    """The plan of a scenario, with everything it inherits, for one council and a run that ends on ``until``.

    The plan's notes say which levers act on one number and how they combine, and which change nothing.

    Raises:
        BadFile: the scenario does not fit the council or the run, one line for each mistake.
    """
    items = inherited(scenario)
    problems = list(council_problems(parameter_set, items, until))
    if problems:
        raise BadFile(*problems)
    opened = tuple(house_code(lever) for _, lever in items if lever.kind in OPENS)
    changes: list[Change] = []
    notes: list[str] = []
    for identity, lever in items:
        site = Site(parameter_set, until or LAST_DAY, identity, opened)
        made = _in_time(MAKE[lever.kind](lever, site) if _begins(lever, site.until) else [], site)
        changes += made
        notes += [f"{identity}: {note}" for note in (*site.notes, *_idle(lever, made, site))]
        if _begins(lever, site.until):
            left = Site(parameter_set, site.until, identity)
            changes += [*leaving(lever, left), *programme_costs(lever, identity, parameter_set)]
            notes += [f"{identity}: staff redeployed: {note}" for note in left.notes]
    return Plan(scenario.name, tuple(changes), (*notes, *combined(changes)))


def _begins(lever: Lever, until: dt.date) -> bool:
    return lever.from_date <= until


def _in_time(made: Sequence[Change], site: Site) -> list[Change]:
    """Changes that begin within the run: a house that would open after it has its capital cost only."""
    last = site.until.toordinal()
    return [change for change in made if _first_day(change) <= last]


def _first_day(change: Change) -> int:
    if isinstance(change, OpenProvider):
        return change.open_day
    window = getattr(change, "window", None)
    return window.from_day if isinstance(window, Window) else 0


def _idle(lever: Lever, made: Sequence[Change], site: Site) -> Iterable[str]:
    """Why a lever changes nothing, if it does not."""
    effects = list(_effects(made))
    if not _begins(lever, site.until):
        yield f"changes nothing: it starts on {lever.from_date}, after the run ends on {site.until}"
    elif lever.kind in OPENS and not made:
        yield f"opens on {open_date(lever)}, after the run ends on {site.until}: only its capital cost counts"
    elif effects and all(sizes.trivial(effect) for effect in effects):
        yield "changes nothing: its size is zero"
    elif made and (why := why_nothing(site.parameters, made)):
        yield f"changes nothing: {why}"
    elif not made and lever.kind != "programme_team" and not site.notes:
        yield f"changes nothing before the run ends on {site.until}"


def _effects(made: Iterable[Change]) -> Iterable[Effect]:
    for change in made:
        for field in ("ratio", "per_year", "share", "add"):
            effect = getattr(change, field, None)
            if isinstance(effect, Effect):
                yield effect


# --- several changes to one number --------------------------------------------------------------
HOW = {
    ScaleRate: "their ratios multiply",
    ScaleArrivals: "their ratios multiply",
    ScalePrice: "their ratios multiply",
    MoveFunding: "each takes its share of what the others leave social work",
    AddRate: "their rates add",
    ChangePlaces: "their places add",
    Divert: "each takes its share of the children the others leave",
    SetRadius: "the last one holds",
}


def combined(changes: Iterable[Change]) -> tuple[str, ...]:
    """A line for each number that several levers change in overlapping places, ages and times."""
    groups: dict[tuple[type, str], list[Change]] = {}
    for change in changes:
        if not isinstance(change, ProgrammeCost) and type(change) in HOW:
            groups.setdefault((type(change), _number(change)), []).append(change)
    lines = []
    for (kind, number), members in groups.items():
        names = meeting(members)
        if len(names) > 1:
            lines.append(f"{number}: changed by {' and '.join(names)}; {HOW[kind]}")
    return tuple(lines)


def _number(change: Change) -> str:
    for field in ("cause", "diversion", "route", "line", "target"):
        if hasattr(change, field):
            return str(getattr(change, field))
    return "placement radius"


class Meets(Protocol):
    """Something that acts in some places, on some ages, in a window, for a lever."""

    @property
    def lever(self) -> str: ...  # noqa: D102


def meeting(members: Sequence[Meets]) -> list[str]:
    """Levers of one group that meet at least one other of the group."""
    names = [one.lever for one in members if any(one.lever != other.lever and _meet(one, other) for other in members)]
    return list(dict.fromkeys(names))


def _meet(one: Meets, other: Meets) -> bool:
    for field in ("localities", "age_bands", "placement_types"):
        here, there = getattr(one, field, ()), getattr(other, field, ())
        if here and there and not set(here) & set(there):
            return False
    first, second = getattr(one, "window", None), getattr(other, "window", None)
    if isinstance(first, Window) and isinstance(second, Window):
        return _starts_before_end(first, second) and _starts_before_end(second, first)
    return True


def _starts_before_end(one: Window, other: Window) -> bool:
    return other.to_day is None or one.from_day <= other.to_day
