"""What a lever costs beside placements and cases, as programme costs of the model.

A recurring cost is paid in full from the first day, since people are hired before they help anyone; only a cost per
place follows the lever's ramp. ``reserves_taper`` lists the share of recurring cost that reserves pay in each twelve
months from the start (1.0, 0.5, 0.25 ...); the base budget pays the rest, and everything after the list ends.
"""

import datetime as dt
from collections.abc import Iterable

from carecast.model import words as w
from carecast.model.parameters import ParameterSet
from carecast.model.plan import ProgrammeCost, Window
from carecast.scenarios import sizes
from carecast.scenarios.kinds import INSTEAD
from carecast.scenarios.levers import diversion_of, open_date
from carecast.scenarios.scenario import Amount, Lever
from carecast.scenarios.sites import window

ONLY_REACHED = ("diverted", "placement_ended")  # children a lever did reach; other events count all it might reach
ONE_OFF = (
    ("one_off_gbp", "programme", "one-off cost"),
    ("capital_gbp", "capital", "capital"),
    ("double_running_gbp", "double_running", "double running"),
)


def programme_costs(lever: Lever, identity: str, parameters: ParameterSet) -> list[ProgrammeCost]:
    """Every programme cost of a lever, in one council."""
    residents = _residents(lever, identity, parameters)
    return [*_one_off(lever, identity), *_recurring(lever, identity), *residents, *_counted(lever, identity)]


def _residents(lever: Lever, identity: str, parameters: ParameterSet) -> Iterable[ProgrammeCost]:
    """A cost for each child who lives there, of the lever's ages and localities, in the year the lever begins."""
    amount = lever.gbp_per_resident_child_per_year
    if amount is None:
        return
    children = resident_children(parameters, lever)
    field, label, basis = "gbp_per_resident_child_per_year", "cost for each child living there", "per_place_per_year"
    for within, share, paid_from in _periods(lever, window(lever)):
        part = _part(amount, share)
        yield _cost(
            lever, identity, field, label, basis, part, within, paid_from=paid_from, recurring=True, places=children
        )


def resident_children(parameters: ParameterSet, lever: Lever) -> float:
    """Children of the lever's ages who live in its localities in the year it begins (the nearest year known)."""
    years = parameters.population_years
    at = min(range(len(years)), key=lambda i: abs(years[i] - lever.from_date.year))
    bands = [i for i, name in enumerate(w.AGE_BANDS[: w.ADULT]) if not lever.age_bands or name in lever.age_bands]
    found = [place for place in parameters.localities if not lever.localities or place.name in lever.localities]
    return float(sum(place.population.by_band()[band][at] for place in found for band in bands))


def _one_off(lever: Lever, identity: str) -> Iterable[ProgrammeCost]:
    """Booked on the first day; double running on the day the first child can move in (or the house closes)."""
    for field, category, label in ONE_OFF:
        amount: Amount | None = getattr(lever, field)
        if amount is None:
            continue
        day = lever.from_date
        if category == "double_running":
            day = sizes.add_months(open_date(lever), lever.notice_months)
        yield _cost(lever, identity, field, label, "one_off", amount, Window(day.toordinal()), category=category)


def _recurring(lever: Lever, identity: str) -> Iterable[ProgrammeCost]:
    whole = window(lever, lever.lead_months)
    if lever.recurring_gbp_per_year is not None:
        level = Window(whole.from_day, whole.to_day)
        yield from _tapered(lever, identity, "recurring_gbp_per_year", "per_year", lever.recurring_gbp_per_year, level)
    if lever.gbp_per_place_per_year is not None:
        per_place = lever.gbp_per_place_per_year
        yield from _tapered(lever, identity, "gbp_per_place_per_year", "per_place_per_year", per_place, whole)


def _tapered(
    lever: Lever, identity: str, field: str, basis: str, amount: Amount, whole: Window
) -> Iterable[ProgrammeCost]:
    label = "cost of places" if basis == "per_place_per_year" else "recurring cost"
    places = float((lever.places or lever.add or 0) if basis == "per_place_per_year" else 0)
    for within, share, paid_from in _periods(lever, whole):
        part = _part(amount, share)
        yield _cost(
            lever, identity, field, label, basis, part, within, paid_from=paid_from, recurring=True, places=places
        )


def _part(amount: Amount, share: float) -> Amount:
    ends = [None if end is None else end * share for end in (amount.low, amount.high)]
    return Amount(value=amount.value * share, low=ends[0], high=ends[1])


def _periods(lever: Lever, whole: Window) -> Iterable[tuple[Window, float, str]]:
    """(window, share, paid from) of each twelve months of the taper, and of the rest."""
    start = dt.date.fromordinal(whole.from_day)
    for year, from_reserves in enumerate(lever.reserves_taper):
        first = sizes.add_months(start, 12 * year).toordinal()
        last = sizes.add_months(start, 12 * (year + 1)).toordinal() - 1
        if whole.to_day is not None:
            last = min(last, whole.to_day)
        if first > last:
            return
        within = Window(first, last, whole.ramp_months if year == 0 else 0)
        for share, paid_from in ((from_reserves, "reserves"), (1.0 - from_reserves, "base_budget")):
            if share > 0:
                yield within, share, paid_from
    years = len(lever.reserves_taper)
    first = sizes.add_months(start, 12 * years).toordinal()
    if whole.to_day is None or first <= whole.to_day:
        rest = Window(first, whole.to_day, 0 if years else whole.ramp_months)
        yield rest, 1.0, "base_budget" if years else lever.paid_from


def counted_by(lever: Lever) -> tuple[tuple[str, str], ...]:
    """(event, detail) in the log that a cost per child or family counts."""
    details = {"INSTEAD": INSTEAD.get(lever.instead, ""), "AT": diversion_of(lever)}
    return tuple((event, details.get(detail, detail)) for event, detail in lever.row.counted)


def _counted(lever: Lever, identity: str) -> Iterable[ProgrammeCost]:
    for field, basis in (("gbp_per_child", "per_child"), ("gbp_per_family", "per_family")):
        amount: Amount | None = getattr(lever, field)
        if amount is None:
            continue
        level = window(lever)
        for event, detail in counted_by(lever):
            label = f"cost for each {basis[4:]}"
            within = Window(level.from_day, level.to_day)
            paid = _part(amount, 1.0 if event in ONLY_REACHED else lever.reach)
            yield _cost(lever, identity, field, label, basis, paid, within, recurring=True, counted=(event, detail))


def _cost(
    lever: Lever,
    identity: str,
    field: str,
    label: str,
    basis: str,
    amount: Amount,
    within: Window,
    *,
    category: str = "programme",
    paid_from: str = "",
    recurring: bool = False,
    places: float = 0.0,
    counted: tuple[str, str] = ("", ""),
) -> ProgrammeCost:
    return ProgrammeCost(
        lever=identity,
        label=f"{lever.name or lever.row.label}: {label}",
        basis=basis,
        amount_gbp=sizes.pounds(amount, f"{identity}.{field}"),
        window=within,
        paid_from=paid_from or lever.paid_from,
        category=category,
        recurring=recurring,
        places=places,
        counted_event=counted[0],
        counted_detail=counted[1],
        localities=lever.localities if basis in ("per_child", "per_family") else (),
        funder=lever.funder,
    )
