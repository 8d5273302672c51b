"""Sufficiency: how many places of each kind are needed for a stated chance that nobody overflows.

The scenario is told with the council's own places without limit (own foster homes, children's houses) and with early help
and assessment places without limit where they have one. Who then lives in an own home, or is helped, is demand before
overflow. By day and by the locality children come from, each replication gives demand at every month end and its peak in
each month and year. The places needed for a chance p are the p-quantile over replications: in at least that share of
them demand is no more. For arrivals that come at random and stay independently (M/G/infinity) it is the Poisson quantile.

What it leaves out: a vacancy that does not suit a child, so a plan needs some places beyond these (the report divides by
the usable share, not by the chance of a match); and that a child far from any house of the council is not placed there.
"""

import dataclasses
import datetime as dt
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carecast.model import spans
from carecast.model import words as w
from carecast.model.capacity import CapacityBuilder
from carecast.model.engine import Told, World, simulate
from carecast.model.event_log import Children, Log
from carecast.model.parameters import BadFile, Calibrated, ParameterSet
from carecast.model.plan import OpenProvider, Plan
from carecast.model.rules import AGE_START_DAYS
from carecast.model.summary import quantile_positions
from carecast.scenarios.apply import apply
from carecast.scenarios.scenario import Scenario

OWN_TYPES = ("foster_own", "childrens_house_own")
SERVICE_EVENTS = {
    "early_help": (w.EARLY_HELP_STARTED, w.EARLY_HELP_ENDED),
    "assessment": (w.ASSESSMENT_STARTED, w.ASSESSMENT_ENDED),
}
WHOLE_COUNCIL = "whole council"
Progress = Callable[[int, int], None]
Days = np.ndarray  # int64 [group, day]


@dataclass(frozen=True, slots=True)
class Kind:
    """One line of the answer: places of a kind for children of a locality."""

    kind: str  # own placement type, or service
    where: str  # locality, pool's localities, or the whole council
    unit: str  # places, or families
    usable_share: float  # of a place: 1 for services


@dataclass(frozen=True)
class Demand:
    """Demand before overflow of one scenario, every replication."""

    scenario: str
    kinds: tuple[Kind, ...]
    dates: tuple[dt.date, ...]  # month ends
    financial_years: tuple[str, ...]  # of each month
    at_end: np.ndarray  # int64 [replication, kind, month]: at the month's end
    peak: np.ndarray  # int64 [replication, kind, month]: the most on any day of the month
    year_peak: np.ndarray  # int64 [replication, kind, year]
    places: np.ndarray  # int64 [replication, kind, month]: usable places there are at the month's end
    years: tuple[str, ...]


def unlimited(calibrated: Calibrated) -> Calibrated:
    """The parameter set with the council's own homes and all service pools without limit."""
    p = calibrated.parameters
    homes = tuple(
        row.model_copy(update={"places": None}) if row.placement_type in OWN_TYPES else row for row in p.providers
    )
    pools = tuple(row.model_copy(update={"places": None}) for row in p.service_pools)
    parameters = p.model_copy(update={"providers": homes, "service_pools": pools})
    return calibrated.model_copy(update={"parameters": parameters})


def without_limits(plan: Plan) -> Plan:
    """The plan with houses it opens unlimited; changes of places do not matter any more and stay."""
    changes = tuple(
        dataclasses.replace(change, row={**change.row, "places": None})
        if isinstance(change, OpenProvider) and change.row["placement_type"] in OWN_TYPES
        else change
        for change in plan.changes
    )
    return dataclasses.replace(plan, changes=changes)


def demand(
    calibrated: Calibrated, scenario: Scenario, until: dt.date, replications: int, seed: int = 1,
    progress: Progress | None = None, radius_miles: float | None = None,
) -> Demand:  # fmt: skip
    """Tell a scenario with unlimited own places and count who is in them.

    Raises:
        BadFile: the scenario does not fit the parameter set, there is no day to tell, or nothing limited to ask about.
    """
    if until <= calibrated.parameters.as_at:
        raise BadFile(f"until {until}: needs at least a day after the as-at date, {calibrated.parameters.as_at}")
    plan = apply(calibrated.parameters, scenario, until)
    world = World(unlimited(calibrated), without_limits(plan), until, seed, radius_miles)
    groups = Groups(calibrated.parameters, plan, world)
    if not groups.kinds:
        raise BadFile(
            f"{calibrated.parameters.council}: no own home and no service has a number of places to compare with"
        )
    ends, peaks, year_peaks, places = [], [], [], []
    if progress:
        progress(0, replications)
    for replication in range(replications):
        days = groups.by_day(simulate(world, replication))
        ends.append(days[:, groups.end_of_month])
        peaks.append(np.stack([days[:, a:b].max(axis=1) for a, b in groups.months], axis=1))
        year_peaks.append(np.stack([days[:, a:b].max(axis=1) for a, b in groups.year_days], axis=1))
        places.append(groups.places(world, replication))
        if progress:
            progress(replication + 1, replications)
    calendar = world.calendar
    rows = calendar.n_rows
    by_month = tuple(calendar.financial_years[y] for y in calendar.financial_year_of_month[:rows])
    return Demand(
        scenario.name, groups.kinds, tuple(calendar.month_end_dates), by_month,
        np.stack(ends), np.stack(peaks), np.stack(year_peaks), np.stack(places), groups.years,
    )  # fmt: skip


class Groups:
    """Which group each home and service case counts in, and the days of each month and year."""

    def __init__(self, parameters: ParameterSet, plan: Plan, world: World) -> None:
        """Lay out the groups: ``parameters`` and ``plan`` with their limits, ``world`` told without them."""
        self.calendar = world.calendar
        self.localities = world.locality_names
        self.type_of = np.array([w.PLACEMENT_TYPES.index(p.placement_type) for p in world.providers])
        self.own = [t for t in OWN_TYPES if _has_places(parameters, plan, t)]
        self.services = [s for s in SERVICE_EVENTS if any(_limited(parameters, s))]
        self.pool_of = world.capacity.pool_of  # [service, locality, age band]
        self.pools = [(s, at) for s in self.services for at in _pools(parameters, s)]
        self.kinds = tuple([*self._home_kinds(parameters), *self._service_kinds(parameters)])
        self.there_are = CapacityBuilder(parameters, plan, self.calendar, world.radius_miles)
        first, last = self.calendar.start_day, self.calendar.last_day
        starts = np.clip(self.calendar.month_start_day, first, last + 1) - first
        n = self.calendar.n_rows
        self.months = [(int(a), max(int(b), int(a) + 1)) for a, b in zip(starts[:n], starts[1 : n + 1], strict=True)]
        self.end_of_month = np.array([b - 1 for _, b in self.months])
        run_days = spans.run_days_by_year(self.calendar)
        self.years = tuple(y for y, days in zip(self.calendar.financial_years, run_days, strict=True) if days > 0)
        self.year_days = [self._year(name) for name in self.years]

    def _year(self, name: str) -> tuple[int, int]:
        """First day and day after the last of a financial year, counted from the as-at day, which is history."""
        first = max(dt.date(int(name[:4]), 4, 1).toordinal(), self.calendar.start_day + 1)
        last = min(dt.date(int(name[:4]) + 1, 3, 31).toordinal(), self.calendar.last_day)
        return first - self.calendar.start_day, last + 1 - self.calendar.start_day

    def _home_kinds(self, parameters: ParameterSet) -> list[Kind]:
        return [
            Kind(kind, where, "places", _usable_share(parameters, kind))
            for kind in self.own
            for where in (*self.localities, WHOLE_COUNCIL)
        ]

    def _service_kinds(self, parameters: ParameterSet) -> list[Kind]:
        kinds = []
        for service, at in self.pools:
            pool = parameters.service_pools[at]
            where = ", ".join(pool.localities) or WHOLE_COUNCIL
            if pool.age_bands:
                where += f" ({', '.join(pool.age_bands)})"
            kinds.append(Kind(service, where, "families", 1.0))
        return kinds

    def places(self, world: World, replication: int) -> np.ndarray:
        """Usable places of each group at month ends, in homes of the locality, as this replication draws them."""
        row = world.draw_row(replication)
        homes = self.there_are.places(row, world.seed, replication)
        pools = self.there_are.service_pools(row, world.seed, replication)
        n, ends = self.calendar.n_rows, self.calendar.month_end_days
        usable = np.maximum(homes.usable.reshape(len(homes.kind), -1)[:, :n], 0)
        is_open = (ends >= homes.admits_from[:, None]) & (ends < homes.close_day[:, None])
        usable = np.where(is_open, usable, 0)
        rows = []
        for name in self.own:
            mine = homes.kind == w.PLACEMENT_TYPES.index(name)
            rows += [usable[mine & (homes.locality == at)].sum(axis=0) for at in range(len(self.localities))]
            rows.append(usable[mine].sum(axis=0))
        by_pool = pools.places.reshape(pools.n_pools, -1)[:, :n]
        rows += [by_pool[at] for _, at in self.pools]
        return np.array(rows, dtype=np.int64)

    def by_day(self, told: Told) -> Days:
        """Demand of each group at the end of each day from the as-at day on."""
        change = np.zeros((len(self.kinds), self.calendar.last_day - self.calendar.start_day + 1), dtype=np.int64)
        n_homes = len(self.own) * (len(self.localities) + 1)
        self._homes(told.log, change[:n_homes])
        self._services(told.log, told.children, change[n_homes:])
        days: Days = np.cumsum(change, axis=1)
        return days

    def _homes(self, log: Log, change: np.ndarray) -> None:
        continuing = log.detail == w.CONTINUING_CARE
        begins = (log.event == w.PLACEMENT_STARTED) | ((log.event == w.AFTER_CARE_STARTED) & continuing)
        ends = (log.event == w.PLACEMENT_ENDED) | ((log.event == w.AFTER_CARE_ENDED) & continuing)
        placed = (log.provider >= 0) & (begins | ends) & (log.day <= self.calendar.last_day)
        kind = self.type_of[np.maximum(log.provider, 0)]
        width = len(self.localities) + 1
        for at, name in enumerate(self.own):
            rows = np.flatnonzero(placed & (kind == w.PLACEMENT_TYPES.index(name)))
            day, step = log.day[rows] - self.calendar.start_day, np.where(begins[rows], 1, -1)
            np.add.at(change, (at * width + log.locality[rows], day), step)
            np.add.at(change, (np.full(len(rows), at * width + width - 1), day), step)

    def _services(self, log: Log, children: Children, change: np.ndarray) -> None:
        """Families, once each: brothers and sisters travel as one case, so their events come on the same days."""
        for service in self.services:
            begin, end = SERVICE_EVENTS[service]
            number = {pool: at for at, (name, pool) in enumerate(self.pools) if name == service}
            spells = _family_spells(log, children, begin, end, self.calendar.last_day)
            ages = (
                np.searchsorted(AGE_START_DAYS, spells.first_day - children.birth_day[spells.child], side="right") - 1
            )
            pools = self.pool_of[w.SERVICES.index(service), children.locality[spells.child], ages]
            for pool, first, last in zip(
                pools.tolist(), spells.first_day.tolist(), spells.last_day.tolist(), strict=True
            ):
                if pool in number:
                    change[number[pool], first - self.calendar.start_day] += 1
                    if last <= self.calendar.last_day:
                        change[number[pool], last - self.calendar.start_day] -= 1


def _family_spells(log: Log, children: Children, begin: int, end: int, last_day: int) -> pd.DataFrame:
    """Spells of families in a service: the leading ``child``, ``first_day``, ``last_day`` (a day that never comes: open).

    The k-th start of a family goes with its k-th end.
    """
    parts = []
    for event in (begin, end):
        rows = np.flatnonzero((log.event == event) & (log.day <= last_day))
        found = pd.DataFrame(
            {
                "family": children.family[log.child[rows]],
                "day": log.day[rows].astype(np.int64),
                "child": log.child[rows],
            }
        )
        found = found.sort_values(["family", "day", "child"]).drop_duplicates(["family", "day"])
        parts.append(found.assign(number=found.groupby("family").cumcount()))
    spells = parts[0].merge(parts[1], on=["family", "number"], how="left", suffixes=("", "_end"))
    last = spells["day_end"].fillna(w.NEVER).astype(np.int64)
    return pd.DataFrame({"child": spells["child"], "first_day": spells["day"], "last_day": last})


# --- the places there are ---------------------------------------------------------------------------
def _has_places(parameters: ParameterSet, plan: Plan, kind: str) -> bool:
    """Whether the council has a home of its own of this kind, or will open one."""
    opened = any(isinstance(c, OpenProvider) and c.row["placement_type"] == kind for c in plan.changes)
    return opened or any(p.placement_type == kind and p.places is not None for p in parameters.providers)


def _limited(parameters: ParameterSet, service: str) -> list[bool]:
    return [pool.service == service and pool.places is not None for pool in parameters.service_pools]


def _pools(parameters: ParameterSet, service: str) -> list[int]:
    return [at for at, limited in enumerate(_limited(parameters, service)) if limited]


def _usable_share(parameters: ParameterSet, kind: str) -> float:
    """Share of own places that can be used, over all homes of a kind; 1 where there are none."""
    rows = [(p.places, p.usable_share) for p in parameters.providers if p.placement_type == kind and p.places]
    return sum(n * share for n, share in rows) / sum(n for n, _ in rows) if rows else 1.0


# --- the answer -------------------------------------------------------------------------------------
COLUMNS = (
    "scenario", "chance", "basis", "financial_year", "date", "kind", "where", "unit", "demand_mean", "demand_p10",
    "demand_p90", "needed", "usable_there_are", "short_of", "chance_of_enough", "places_to_have",
)  # fmt: skip


def needed(found: Demand, chance: float = 0.9) -> pd.DataFrame:
    """Places needed for a chance of not overflowing, beside those there are: ``COLUMNS``, one line a kind and date.

    ``basis``: ``month_end``; ``month_peak``, the most on any day of the month; ``year_end``, on 31 March or the run's
    last month end; ``year_peak``, the most on any day of the financial year. ``needed`` is the smallest number that demand
    does not exceed in at least the share ``chance`` of replications. ``short_of`` = needed - usable places there are (mean
    over replications, on the date; for a year's peak, at its end); ``chance_of_enough`` is the share of replications whose
    own places are enough. ``places_to_have`` = needed / usable share, rounded up.

    Raises:
        BadFile: the chance is not between 0.5 and 0.999, or the replications are too few to know it.
    """
    n = len(found.at_end)
    if not 0.5 <= chance <= 0.999:
        raise BadFile(f"chance: found {chance:g}; should be from 0.5 to 0.999, such as 0.9")
    if n * (1 - chance) < 1 - 1e-9:
        raise BadFile(f"chance: {chance:g} cannot be known from {n} replications; at least {round(1 / (1 - chance))}")
    lines = []
    for basis, date, year, month, values in _moments(found):
        for at, kind in enumerate(found.kinds):
            there_are = found.places[:, at, month]
            lines.append((found.scenario, chance, basis, year, date, *_line(kind, values[:, at], there_are, chance)))
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _moments(found: Demand) -> Iterator[tuple[str, dt.date, str, int, np.ndarray]]:
    """(basis, date, financial year, month that the places are of, demand [replication, kind])."""
    for month, (date, year) in enumerate(zip(found.dates, found.financial_years, strict=True)):
        yield "month_end", date, year, month, found.at_end[:, :, month]
        yield "month_peak", date, year, month, found.peak[:, :, month]
    for at, name in enumerate(found.years):
        months = [month for month, year in enumerate(found.financial_years) if year == name]
        if months:
            last = months[-1]
            yield "year_end", found.dates[last], name, last, found.at_end[:, :, last]
            yield "year_peak", found.dates[last], name, last, found.year_peak[:, :, at]


def _line(kind: Kind, values: np.ndarray, there_are: np.ndarray, chance: float) -> tuple[object, ...]:
    ordered = np.sort(values)
    low, high, at = quantile_positions(len(values), [100, 900, round(1000 * chance)])
    wanted, mean = int(ordered[at]), float(there_are.mean())
    to_have = math.ceil(wanted / kind.usable_share - 1e-9) if kind.usable_share > 0 else wanted
    return (
        kind.kind, kind.where, kind.unit, float(values.mean()), int(ordered[low]), int(ordered[high]), wanted, mean,
        wanted - mean, float((values <= there_are).mean()), to_have,
    )  # fmt: skip
