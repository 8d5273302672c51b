"""Places month by month: providers and service pools with the levers in force, for one replication."""

import math
from dataclasses import dataclass

import numpy as np

from carecast.model import draws as dr
from carecast.model import words as w
from carecast.model.calendar import Calendar
from carecast.model.effects import effect_size
from carecast.model.levels import DrawRow, draws, window_path
from carecast.model.parameters import BadFile, ParameterSet, Provider
from carecast.model.plan import ChangePlaces, CloseProvider, OpenProvider, Plan, SetRadius
from carecast.model.tables import Places, Pools

POOL_TYPES = ("foster_own",)  # many households behind one row, spread over the row's locality
STAFF_OF = {"early_help": "early_help_worker", "assessment": "assessment_social_worker"}  # whose vacancies cost places


def in_post(parameters: ParameterSet, row: DrawRow, service: str) -> float:
    """Staff of a service in post from the as-at date on, over those in post when its places were counted.

    (1 - expected vacancy) / (1 - vacancy that the count of places already holds): 1 unless ``vacancy.ROLE_expected_share``
    is given. Assumed: each place needs the same staff.
    """
    held, coming = (f"vacancy.{STAFF_OF[service]}_{which}" for which in ("share", "expected_share"))
    counted, expected = parameters.numbers.get(held), parameters.numbers.get(coming)
    if expected is None:
        return 1.0
    now = row.get(held, counted.value) if counted is not None else 0.0
    return (1.0 - row.get(coming, expected.value)) / (1.0 - now)


@dataclass(frozen=True)
class Opening:
    """Days between which a provider is in use."""

    admits_from: int = 0
    admits_until: int = w.NEVER
    close_day: int = w.NEVER


class CapacityBuilder:
    """Everything of ``Places`` and ``Pools`` that is the same in every replication of a world."""

    def __init__(self, parameters: ParameterSet, plan: Plan, calendar: Calendar, radius_miles: float) -> None:
        """Lay out providers, openings and closures, zones and pools.

        Raises:
            BadFile: a change names a provider that does not exist, or nothing unlimited is left to overflow to.
        """
        self.parameters = parameters
        self.calendar = calendar
        self.plan = plan
        self.radius_miles = radius_miles
        self.locality_names = tuple(locality.name for locality in parameters.localities)
        opened = [change for change in plan.changes if isinstance(change, OpenProvider)]
        self.providers: tuple[Provider, ...] = parameters.providers + tuple(
            Provider.model_validate(change.row) for change in opened
        )
        self.codes = {provider.code: at for at, provider in enumerate(self.providers)}
        if len(self.codes) != len(self.providers):
            raise BadFile(f"{parameters.council}: two providers share one code")
        self.openings = [Opening() for _ in self.providers]
        for change in opened:
            self.openings[self.codes[str(change.row["code"])]] = Opening(admits_from=change.open_day)
        for closing in (change for change in plan.changes if isinstance(change, CloseProvider)):
            if closing.provider not in self.codes:
                raise BadFile(f"close {closing.provider!r}: no such provider; there are {', '.join(self.codes)}")
            at = self.codes[closing.provider]
            self.openings[at] = Opening(
                self.openings[at].admits_from, closing.last_admission_day - 1, closing.close_day
            )
        if not any(
            p.places is None and p.placement_type == "residential_external" and opening == Opening()
            for p, opening in zip(self.providers, self.openings, strict=True)
        ):
            raise BadFile(
                f"{parameters.council}: needs a residential_external provider, never closed, without a limit, to overflow to"
            )
        self.place_changes = [
            (change, window_path(change.window, calendar))
            for change in plan.changes
            if isinstance(change, ChangePlaces)
        ]
        self._lay_out_zones()
        self._lay_out_pools()
        self.of_kind, self.kind_start = self._by_kind()

    def _by_kind(self) -> tuple[np.ndarray, np.ndarray]:
        kinds = np.array([w.PLACEMENT_TYPES.index(p.placement_type) for p in self.providers], dtype=np.int64)
        start = np.searchsorted(np.sort(kinds), np.arange(w.N_PLACEMENT_TYPES + 1))
        return np.argsort(kinds, kind="stable").astype(np.int64), start.astype(np.int64)

    def _lay_out_zones(self) -> None:
        start = [0]
        weights: list[float] = []
        eastings: list[float] = []
        northings: list[float] = []
        names: list[tuple[str, str]] = []
        for locality in self.parameters.localities:
            children = np.array([zone.children for zone in locality.zones], dtype=float)
            total = children.sum()
            shares = children / total if total > 0 else np.full(len(children), 1 / len(children))
            weights.extend(np.cumsum(shares).tolist())
            eastings.extend(zone.easting_m for zone in locality.zones)
            northings.extend(zone.northing_m for zone in locality.zones)
            names.extend((locality.name, zone.name) for zone in locality.zones)
            start.append(len(weights))
        self.zone_start = np.array(start, dtype=np.int64)
        self.zone_weight = np.array(weights, dtype=float)
        self.zone_easting_m = np.array(eastings, dtype=float)
        self.zone_northing_m = np.array(northings, dtype=float)
        self.zone_index = {name: at for at, name in enumerate(names)}

    def _lay_out_pools(self) -> None:
        n_localities = len(self.locality_names)
        pool_of = np.full((len(w.SERVICES), n_localities, w.N_AGE_BANDS), -1, dtype=np.int64)
        self.pools = list(self.parameters.service_pools)
        for number, pool in enumerate(self.pools):
            service = w.SERVICES.index(pool.service)
            for at, name in enumerate(self.locality_names):
                if not pool.localities or name in pool.localities:
                    ages = [not pool.age_bands or age in pool.age_bands for age in w.AGE_BANDS]
                    pool_of[service, at, ages] = number
        self.n_pools = len(self.pools) + 1  # the last is unlimited, for whoever has no pool
        pool_of[pool_of < 0] = len(self.pools)
        self.pool_of = pool_of

    def places(self, row: DrawRow, seed: int, replication: int) -> Places:
        """Providers of one replication."""
        providers = self.providers
        n_months = self.calendar.n_months
        usable = np.full((len(providers), n_months), -1, dtype=np.int64)
        for at, provider in enumerate(providers):
            if provider.places is not None:
                usable[at] = self._usable(provider, row, seed, replication)
        radius, refuse = self._radius()
        number = self._by_type

        def per_provider(name: str, default: float) -> np.ndarray:
            return np.array([row.get(f"provider.{p.code}.{name}", getattr(p, name, default)) for p in providers])

        return Places(
            kind=np.array([w.PLACEMENT_TYPES.index(p.placement_type) for p in providers], dtype=np.int64),
            locality=np.array([self._locality_at(p.locality) for p in providers], dtype=np.int64),
            has_position=np.array([self._has_position(p) for p in providers], dtype=np.int64),
            easting_m=np.array([p.easting_m or 0.0 for p in providers]),
            northing_m=np.array([p.northing_m or 0.0 for p in providers]),
            is_pool=np.array([p.placement_type in POOL_TYPES and p.locality != "" for p in providers], dtype=np.int64),
            outside=np.array([p.locality == "" for p in providers], dtype=np.int64),
            usable=usable.ravel(),
            admits_from=np.array([o.admits_from for o in self.openings], dtype=np.int64),
            admits_until=np.array([o.admits_until for o in self.openings], dtype=np.int64),
            close_day=np.array([o.close_day for o in self.openings], dtype=np.int64),
            match_chance=per_provider("match_chance", 1.0),
            price_sigma=np.array([p.price_sigma_ln for p in providers]),
            of_kind=self.of_kind,
            kind_start=self.kind_start,
            zone_start=self.zone_start,
            zone_weight=self.zone_weight,
            zone_easting_m=self.zone_easting_m,
            zone_northing_m=self.zone_northing_m,
            median_miles=number("distance.{}.median_miles", row),
            sigma_ln=number("distance.{}.sigma_ln", row),
            unknown_share=number("distance.{}.unknown_share", row),
            outside_share=number("out_of_area.{}.share", row),
            together_chance=self._together(row),
            radius_miles=radius,
            refuse_beyond=refuse,
        )

    def _has_position(self, provider: Provider) -> bool:
        return provider.easting_m is not None or (provider.placement_type in POOL_TYPES and provider.locality != "")

    def _locality_at(self, name: str) -> int:
        return self.locality_names.index(name) if name in self.locality_names else -1

    def _usable(self, provider: Provider, row: DrawRow, seed: int, replication: int) -> np.ndarray:
        places = np.full(
            self.calendar.n_months, row.get(f"provider.{provider.code}.places", float(provider.places or 0))
        )
        places = places * self._walk(provider.placement_type, row, seed, replication)
        for change, path in self.place_changes:
            if change.target == provider.code:
                places = places + effect_size(change.add, seed, replication) * path
        share = row.get(f"provider.{provider.code}.usable_share", provider.usable_share)
        usable: np.ndarray = np.floor(np.clip(places * share, 0.0, None) + 0.5).astype(np.int64)
        return usable

    def _walk(self, name: str, row: DrawRow, seed: int, replication: int) -> np.ndarray:
        """Own places of a type as recruitment, retirement and closures move them, relative to month 0.

        exp(drift t + sd W(t)) with t in years and W a random walk with monthly steps, of each replication; 1 for a type
        whose ``places.TYPE.drift_per_year`` and ``places.TYPE.level_sd_per_year`` are not given.
        """
        drift, sd = (
            row.get(key, self.parameters.number(key)) if key in self.parameters.numbers else 0.0
            for key in (f"places.{name}.drift_per_year", f"places.{name}.level_sd_per_year")
        )
        n_months = self.calendar.n_months
        if not drift and not sd:
            return np.ones(n_months)
        key_1, key_2 = dr.lanes(seed, replication, dr.WHO_REPLICATION, 0, 0)
        steps, at = np.zeros(n_months), w.PLACEMENT_TYPES.index(name)
        first = w.N_PLACEMENT_TYPES + at
        draws.normals(key_1, key_2, dr.P_LEVEL_PLACES, first, w.N_PLACEMENT_TYPES, steps[1:])
        walk: np.ndarray = np.exp(drift / 12.0 * np.arange(n_months) + sd / math.sqrt(12.0) * np.cumsum(steps))
        return walk

    def _radius(self) -> tuple[np.ndarray, np.ndarray]:
        radius = np.full(self.calendar.n_months, self.radius_miles)
        refuse = np.zeros(self.calendar.n_months, dtype=np.int64)
        for change in self.plan.changes:
            if isinstance(change, SetRadius):
                inside = window_path(change.window, self.calendar) > 0
                radius[inside] = change.miles
                refuse[inside] = int(change.refuse_own_beyond)
        return radius, refuse

    def _by_type(self, pattern: str, row: DrawRow) -> np.ndarray:
        values = []
        for name in w.PLACEMENT_TYPES:
            key = pattern.format(name)
            known = self.parameters.numbers.get(key)
            values.append(0.0 if known is None else row.get(key, known.value))
        return np.array(values)

    def _together(self, row: DrawRow) -> np.ndarray:
        chance = np.ones(w.N_PLACEMENT_TYPES)
        foster = row.get("siblings.together_chance_foster", self.parameters.number("siblings.together_chance_foster"))
        chance[[w.FOSTER_OWN, w.FOSTER_AGENCY]] = foster
        chance[w.KINSHIP] = row.get(
            "siblings.together_chance_kinship", self.parameters.number("siblings.together_chance_kinship")
        )
        return chance

    def service_pools(self, row: DrawRow, seed: int, replication: int) -> Pools:
        """Service pools of one replication."""
        places = np.full((self.n_pools, self.calendar.n_months), -1, dtype=np.int64)
        for at, pool in enumerate(self.pools):
            if pool.places is None:
                continue
            staffed = row.get(f"pool.{pool.code}.places", float(pool.places)) * in_post(
                self.parameters, row, pool.service
            )
            number = np.full(self.calendar.n_months, staffed)
            for change, path in self.place_changes:
                named = change.target == pool.code or (
                    change.target == pool.service and self._reaches(change, pool.localities)
                )
                if named:
                    number = number + effect_size(change.add, seed, replication) * path
            places[at] = np.floor(np.clip(number, 0.0, None) + 0.5).astype(np.int64)
        return Pools(pool_of=self.pool_of.ravel(), places=places.ravel(), n_pools=self.n_pools)

    @staticmethod
    def _reaches(change: ChangePlaces, localities: tuple[str, ...]) -> bool:
        return not change.localities or not localities or bool(set(change.localities) & set(localities))
