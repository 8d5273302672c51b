"""What the levers themselves cost: programme costs by financial year, in whole pence.

An item is ``amount x units``, where the units of a year are

- ``one_off``: 1 in the financial year of ``from_day`` (nothing when that day is history or lies after the run);
- ``per_year``: days in force / days of the financial year, stepped monthly when the window has a ramp;
- ``per_place_per_year``: the same, times places;
- ``per_child`` and ``per_family``: how often the log holds the event it is counted from, within the window.

Amounts are cash at the prices of the run: no uplift is added.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carecast.model import event_log, spans
from carecast.model import words as w
from carecast.model.calendar import Calendar
from carecast.model.effects import effect_size
from carecast.model.money import Pence, ProgrammeItem, whole_pence
from carecast.model.plan import Plan, ProgrammeCost
from carecast.model.results import Counted

ANY = -1
COUNTED_BASES = ("per_child", "per_family")


@dataclass(frozen=True, slots=True)
class Programme:
    """The programme costs of one plan, ready to be priced in any replication."""

    costs: tuple[ProgrammeCost, ...]
    items: tuple[ProgrammeItem, ...]
    units: NDArray[np.float64]  # [financial year, item]; of counted items 0
    counted: tuple[tuple[int, ...], ...]  # [item]: its places in ``counted_events``
    counted_events: tuple[Counted, ...]  # what ``results.reduce_log`` must count, in the order of its tables


def programme(plan: Plan, calendar: Calendar, localities: Sequence[str]) -> Programme:
    """Lay out the programme costs of a plan on the calendar of a run."""
    costs = tuple(change for change in plan.changes if isinstance(change, ProgrammeCost))
    units = np.zeros((len(calendar.financial_years), len(costs)), dtype=np.float64)
    keys: list[Counted] = []
    places: list[tuple[int, ...]] = []
    for i, cost in enumerate(costs):
        units[:, i] = _units(cost, calendar)
        wanted = _keys(cost, calendar, localities)
        places.append(tuple(range(len(keys), len(keys) + len(wanted))))
        keys.extend(wanted)
    return Programme(costs, tuple(_item(cost) for cost in costs), units, tuple(places), tuple(keys))


def programme_pence(laid_out: Programme, counted: NDArray[np.int64], seed: int, replication: int) -> Pence:
    """Cost of each item in one replication, [financial year, item]; ``counted`` is the tables' own."""
    pence = np.zeros(laid_out.units.shape, dtype=np.int64)
    for i, cost in enumerate(laid_out.costs):
        units = laid_out.units[:, i] + counted[:, list(laid_out.counted[i])].sum(axis=1)
        pence[:, i] = whole_pence(effect_size(cost.amount_gbp, seed, replication) * units)
    return pence


def _item(cost: ProgrammeCost) -> ProgrammeItem:
    recurring = cost.recurring and cost.basis != "one_off"
    return ProgrammeItem(cost.lever, cost.label, cost.paid_from, recurring, cost.category, cost.funder)


def _units(cost: ProgrammeCost, calendar: Calendar) -> NDArray[np.float64]:
    if cost.basis in COUNTED_BASES:
        return np.zeros(len(calendar.financial_years))
    if cost.basis == "one_off":
        day = cost.window.from_day
        return spans.by_year(calendar, spans.days_by_month(calendar, day, day))
    days = spans.days_by_month(calendar, cost.window.from_day, cost.window.to_day)
    ramped = spans.by_year(calendar, days * spans.ramp_by_month(calendar, cost.window))
    years = ramped / np.array([spans.year_days(name) for name in calendar.financial_years], dtype=np.float64)
    if cost.basis == "per_place_per_year":
        return years * cost.places
    if cost.basis == "per_year":
        return years
    raise ValueError(f"programme cost {cost.label!r}: basis {cost.basis!r} is not known")


def _keys(cost: ProgrammeCost, calendar: Calendar, localities: Sequence[str]) -> list[Counted]:
    if cost.basis not in COUNTED_BASES:
        return []
    event = w.EVENTS.index(cost.counted_event)
    detail = _detail(event, cost)
    where = [localities.index(name) for name in cost.localities] or [ANY]
    last = calendar.last_day if cost.window.to_day is None else cost.window.to_day
    per_family = cost.basis == "per_family"
    return [Counted(event, detail, place, per_family, cost.window.from_day, last) for place in where]


def _detail(event: int, cost: ProgrammeCost) -> int:
    if not cost.counted_detail:
        return ANY
    names = event_log.DETAIL_WORDS.get(event, ())
    if cost.counted_detail not in names:
        known = ", ".join(name for name in names if name) or "none"
        raise ValueError(
            f"programme cost {cost.label!r}: {cost.counted_detail!r} is not a detail of {cost.counted_event} ({known})"
        )
    return names.index(cost.counted_detail)
