"""Who could arrive: intensities of the arrival streams of one replication."""

import math
from functools import partial

import numpy as np

from carecast.model import draws as dr
from carecast.model import words as w
from carecast.model.arrivals import Streams
from carecast.model.calendar import Calendar
from carecast.model.capacity import CapacityBuilder
from carecast.model.effects import effect_size
from carecast.model.levels import DrawRow, _named, draws, level_path, ramped_ratio, window_path
from carecast.model.parameters import BadFile, ParameterSet
from carecast.model.plan import Plan, ScaleArrivals

MAX_LAYERS = 100
SIBLING_GAPS_DAYS = {"least": 400.0, "most": 1600.0}  # assumed, where a parameter set does not say


class ArrivalsBuilder:
    """Everything of ``Streams`` that is the same in every replication of a world."""

    def __init__(self, parameters: ParameterSet, plan: Plan, calendar: Calendar, capacity: CapacityBuilder) -> None:
        """Lay out population weights, season, ages, sizes and the arrival changes of the plan."""
        self.parameters = parameters
        self.calendar = calendar
        self.capacity = capacity
        self.n_localities = len(parameters.localities)
        names = tuple(locality.name for locality in parameters.localities)
        self.changes = [change for change in plan.changes if isinstance(change, ScaleArrivals)]
        self.paths = [window_path(change.window, calendar) for change in self.changes]
        self.masks = [
            np.outer(_named(names, change.localities), _named(w.AGE_BANDS, change.age_bands)) for change in self.changes
        ]
        self.ages = np.stack([self._ages(route) for route in w.ROUTES])
        self.weights = self._weights()
        self.season = self._season()
        sizes = np.zeros(6)
        given = parameters.series["family.size_chances"].values
        sizes[: len(given)] = given
        self.sizes = np.cumsum(sizes / sizes.sum())
        self.quintiles = self._quintiles()

    def _ages(self, route: str) -> np.ndarray:
        series = self.parameters.series.get(f"ages.{route}")
        if series is None:
            only = 0 if route == "newborn" else None
            chances = np.zeros(18) if only is not None else np.full(18, 1 / 18)
            if only is not None:
                chances[only] = 1.0
        else:
            chances = np.array(series.values)
        if len(chances) != 18:
            raise BadFile(f"ages.{route}: needs 18 chances, one for each year of age from 0 to 17, not {len(chances)}")
        return np.cumsum(chances / chances.sum())

    def _risk(self) -> np.ndarray:
        series = self.parameters.series.get("disadvantage.relative_risk")
        return np.ones(5) if series is None else np.array(series.values)

    def _quintiles(self) -> np.ndarray:
        """Deprivation quintile of the children who arrive: population share times relative risk."""
        rows = np.array([locality.quintile_children for locality in self.parameters.localities]) * self._risk()
        return np.cumsum(rows / rows.sum(axis=1, keepdims=True), axis=1).ravel()

    def _weights(self) -> np.ndarray:
        """Relative intensity [route][locality][month]; sums to 1 over localities in the first month."""
        years = np.array(self.parameters.population_years, dtype=float)
        middle = (self.calendar.month_start_day[:-1] + self.calendar.month_start_day[1:]) / 2.0
        when = 1970.0 + (middle - 719344) / w.DAYS_PER_YEAR  # 719344 = 1 July 1970: a year's estimate is its mid-year's
        bands = [0, 1, 5, 10, 16, 18]
        people = np.zeros((self.n_localities, 5, self.calendar.n_months))
        disadvantage = np.zeros(self.n_localities)
        for at, locality in enumerate(self.parameters.localities):
            for band, persons in enumerate(locality.population.by_band()):
                people[at, band] = np.interp(when, years, np.array(persons))
            quintile = np.array(locality.quintile_children)
            disadvantage[at] = (quintile * self._risk()).sum() / max(quintile.sum(), 1e-9)
        base = np.maximum(people[:, :, 0].sum(axis=0), 1e-9)
        weights = np.zeros((w.N_ROUTES, self.n_localities, self.calendar.n_months))
        for route in range(w.N_ROUTES):
            chances = np.diff(np.concatenate([[0.0], self.ages[route]]))
            share = np.array([chances[bands[b] : bands[b + 1]].sum() for b in range(5)])
            exposure = np.einsum("b,lbm->lm", share / base, people) * disadvantage[:, None]
            weights[route] = exposure / max(exposure[:, 0].sum(), 1e-12)
        return weights

    def _season(self) -> np.ndarray:
        series = self.parameters.series.get("arrivals.month_factors")
        factors = np.ones(12) if series is None else np.array(series.values) / np.mean(series.values)
        first = self.calendar.as_at.month - 1
        return factors[(first + np.arange(self.calendar.n_months)) % 12]

    def streams(self, row: DrawRow, seed: int, replication: int) -> Streams:
        """The arrival streams of one replication."""
        n_months = self.calendar.n_months
        key = dr.lanes(seed, replication, dr.WHO_REPLICATION, 0, 0)
        number = partial(row.number, self.parameters)
        common = level_path(key, dr.P_LEVEL_ENTRIES, number("arrivals.level_sd_per_year"), n_months)
        own = level_path(key, dr.P_LEVEL_UNACCOMPANIED, number("arrivals.unaccompanied_level_sd_per_year"), n_months)
        spread = number("arrivals.month_spread_ln")
        least, most = (number(f"siblings.{name}_gap_days", gap) for name, gap in SIBLING_GAPS_DAYS.items())
        if not 0 < least <= most:
            raise BadFile(
                f"parameters.toml: siblings.least_gap_days {least:g} and siblings.most_gap_days {most:g}; "
                "the least is above nought and not above the most"
            )
        per_day = np.zeros((w.N_ROUTES, self.n_localities, n_months))
        z = np.zeros(n_months)
        for route, name in enumerate(w.ROUTES):
            draws.normals(key[0], key[1], dr.P_MONTH, route, w.N_ROUTES, z)
            month_level = np.exp(spread * z - 0.5 * spread * spread) * (own if route == w.UNACCOMPANIED else common)
            yearly = number(f"arrivals.{name}_families_per_year")
            season = 1.0 if route == w.UNACCOMPANIED else self.season
            per_day[route] = yearly / w.DAYS_PER_YEAR * self.weights[route] * season * month_level
        kept = self._kept(seed, replication)
        return Streams(
            per_day=per_day.ravel(),
            kept_ratio=kept.ravel(),
            month_start_day=self.calendar.month_start_day,
            month_of_day=self.calendar.month_of_day,
            first_day=self.calendar.first_day,
            start_day=self.calendar.start_day + 1,
            end_day=self.calendar.last_day + 1,
            n_months=n_months,
            n_localities=self.n_localities,
            n_layers=min(MAX_LAYERS, max(1, math.ceil(float(kept.max()) - 1e-12))),
            ages=self.ages.ravel(),
            sizes=self.sizes,
            zone_start=self.capacity.zone_start,
            zone_weight=self.capacity.zone_weight,
            quintiles=self.quintiles,
            least_gap_days=int(least),
            most_gap_days=int(most),
        )

    def _kept(self, seed: int, replication: int) -> np.ndarray:
        kept = np.ones((w.N_ROUTES, self.n_localities, w.N_AGE_BANDS, self.calendar.n_months))
        for change, path, mask in zip(self.changes, self.paths, self.masks, strict=True):
            ratio = ramped_ratio(effect_size(change.ratio, seed, replication), path)
            kept[w.ROUTES.index(change.route)] *= np.where(mask[:, :, None], ratio, 1.0)
        return kept
