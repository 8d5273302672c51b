"""The children in the system at the as-at date, made up from the steady state of the fitted care part and the funnel.

Published: how many are in residential and in community settings, and the share of brothers and sisters together.
Everything else about a child (type, age, time in care and in placement, where from, who with) is drawn from the fitted
model, sixteen times, so that what is not published differs between replications. No child here is real.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carecast.calibration import cohort as co
from carecast.calibration import funnel
from carecast.calibration.arrays import Array, Ints
from carecast.calibration.capacity import OWN_AND_BOUGHT
from carecast.calibration.care_fit import CareModel
from carecast.calibration.draw import SEED, normals, two_sided
from carecast.calibration.funnel_fit import FunnelModel
from carecast.calibration.pack import Pack
from carecast.model import words as w
from carecast.model.parameters import STOCK_COLUMNS, Locality, Provider

N_VARIANTS = 16
YEAR = w.DAYS_PER_YEAR
GAP_DAYS = (400, 1600)  # between brothers and sisters
MAX_FAMILY = 4
STOCK_FIGURE = {"foster_agency": ("stock_foster", "placement_type=foster")}  # whose interval own and bought share
BAND_OF_CELL = co.age_band_of(co.ENTRY_AGE_YEARS[np.newaxis, :] + (co.AT_STEP[:, np.newaxis] + 0.5) * co.STEP_YEARS)
SCALINGS = 12  # rounds of iterative scaling to the ages counted
FAMILY_WINDOW_DAYS = 60  # brothers and sisters are taken to have entered within so many days of each other


@dataclass(frozen=True, slots=True)
class StockInputs:
    """What a synthetic stock is drawn from."""

    pack: Pack
    care: CareModel
    funnel: FunnelModel
    localities: tuple[Locality, ...]
    providers: tuple[Provider, ...]
    risk: tuple[float, ...]  # relative risk by deprivation quintile
    residential: int
    community: int
    groups: tuple[
        tuple[tuple[int, ...], int], ...
    ] = ()  # types counted together, and how many; the two settings if none
    ages: tuple[float, ...] = ()  # children by age band, where counted
    unaccompanied: float | None = None  # in the stock, where counted


class Variant:
    """One synthetic stock in the making: columns as lists, one entry a child."""

    def __init__(self, inputs: StockInputs, number: int) -> None:
        """Seeded by the variant's number alone."""
        self.inputs = inputs
        self.number = number
        self.rng = np.random.Generator(np.random.Philox(key=[SEED, 7700 + number]))
        self.rows: list[dict[str, object]] = []
        self.families = 0
        self.zones, weights = _zone_weights(inputs)
        self.zone_steps = steps_of(weights)
        risk = np.array(inputs.risk)
        by_locality = [np.array(place.quintile_children) * risk for place in inputs.localities]
        self.quintile_steps = [steps_of(chances / chances.sum()) for chances in by_locality]

    def family_home(self) -> tuple[int, int, int, int]:
        """(family number, locality, zone, quintile) of a new family."""
        locality, zone = self.zones[picked(self.rng, self.zone_steps)]
        quintile = 1 + picked(self.rng, self.quintile_steps[locality])
        self.families += 1
        return self.families - 1, locality, zone, quintile

    def add(
        self, home: tuple[int, int, int, int], age_days: int, state: str, days_in_state: int, **more: object
    ) -> None:
        """Add a child of a family."""
        family, locality, zone, quintile = home
        inputs = self.inputs
        row: dict[str, object] = {
            "variant": self.number,
            "family": family,
            "locality": inputs.localities[locality].name,
            "zone": inputs.localities[locality].zones[zone].name,
            "quintile": quintile,
            "age_days": age_days,
            "unaccompanied": 0,
            "state": state,
            "placement_type": "",
            "provider": "",
            "days_in_state": days_in_state,
            "days_in_care": 0,
            "distance_miles": -1.0,
            "home_of": -1,
        }
        self.rows.append(row | more)


def steps_of(chances: Array) -> Array:
    """Cumulated chances, as ``Generator.choice`` cumulates them."""
    steps: Array = chances.cumsum()
    steps /= steps[-1]
    return steps


def picked(rng: np.random.Generator, steps: Array) -> int:
    """One outcome by its cumulated chances: what ``Generator.choice`` picks, without its checks of every call."""
    return int(steps.searchsorted(rng.random(), side="right"))


def _zone_weights(inputs: StockInputs) -> tuple[list[tuple[int, int]], Array]:
    """Zones and the chance that a child in the system comes from each: children x relative risk of the locality."""
    zones, weights = [], []
    for at, locality in enumerate(inputs.localities):
        quintiles = np.array(locality.quintile_children)
        risk = float((quintiles * np.array(inputs.risk)).sum() / quintiles.sum())
        for number, zone in enumerate(locality.zones):
            zones.append((at, number))
            weights.append(zone.children * risk)
    return zones, np.array(weights) / sum(weights)


def synthetic_stock(inputs: StockInputs, variants: int = N_VARIANTS) -> pd.DataFrame:
    """The first so many variants, all unless given, children numbered by content from 0 within each."""
    from carecast.calibration.stock_parts import in_care, outside_care, young_people_staying

    frames = []
    for number in range(variants):
        variant = Variant(inputs, number)
        staying = young_people_staying(variant)
        in_care(variant, split_by_type(inputs, number, staying), staying)
        outside_care(variant)
        frames.append(_numbered(variant.rows))
    stock = pd.concat(frames, ignore_index=True)
    return stock[list(STOCK_COLUMNS)]


def split_by_type(inputs: StockInputs, number: int, continuing: Mapping[int, int]) -> Ints:
    """Children by placement type: the published count of each setting, split around the fitted stock.

    The spread of each type is that of its assumed interval, one slice of it for each variant. Own homes are as full as
    the demand on them makes them, young people in continuing care included; the rest of their kind is bought.
    """
    shares = inputs.care.cohort.by_type.copy()
    pairs = [(w.PLACEMENT_TYPES.index(own), w.PLACEMENT_TYPES.index(bought)) for own, bought in OWN_AND_BOUGHT.items()]
    for own, bought in pairs:
        shares[own], shares[bought] = 0.0, shares[own] + shares[bought]
    for i, name in enumerate(w.PLACEMENT_TYPES):
        figure = inputs.pack.find(*STOCK_FIGURE.get(name, (f"stock_{name}", f"placement_type={name}")))
        if shares[i] > 0 and figure.value:
            low, high = (end if end is not None else figure.value for end in (figure.low, figure.high))
            all_variants = two_sided(
                normals(f"stock.{name}", N_VARIANTS), figure.value, max(low, figure.value / 3), high, "log"
            )
            shares[i] *= float(all_variants[number] / all_variants.mean())
    counts = np.zeros(w.N_PLACEMENT_TYPES, dtype=np.int64)
    settings = inputs.groups or (
        (tuple(range(w.FIRST_RESIDENTIAL)), inputs.community),
        (tuple(range(w.FIRST_RESIDENTIAL, w.N_PLACEMENT_TYPES)), inputs.residential),
    )
    for kinds, total in settings:
        types = list(kinds)
        counts[types] = apportion(np.maximum(shares[types], 1e-9), total)
    for own, bought in pairs:
        room = max(0, round(inputs.care.homes[w.PLACEMENT_TYPES[own]].occupied) - continuing.get(own, 0))
        counts[own] = min(int(counts[bought]), room)
        counts[bought] -= counts[own]
    return counts


def age_ratios(inputs: StockInputs, counts: Ints) -> Array:
    """By age band, what the model's ages are weighed by so that the stock has the ages counted (iterative scaling)."""
    ratios = np.ones(w.N_AGE_BANDS - 1)
    if not inputs.ages:
        return ratios
    wanted = np.array(inputs.ages) * counts.sum() / sum(inputs.ages)
    cells = np.stack([occupancy(inputs.care, kind).sum(axis=(0, 3)) for kind in range(w.N_PLACEMENT_TYPES)])
    by_band = np.stack([cells[:, band == BAND_OF_CELL].sum(axis=1) for band in range(len(ratios))], axis=1)
    for _ in range(SCALINGS):
        weighed = by_band * ratios
        found = counts @ (weighed / np.maximum(weighed.sum(axis=1, keepdims=True), 1e-12))
        ratios *= np.where(found > 0, wanted / np.maximum(found, 1e-9), 1.0)
    return ratios


def apportion(shares: Array, total: int) -> Ints:
    """Whole numbers in proportion to shares that sum to ``total`` (largest remainder)."""
    exact = shares / shares.sum() * total
    counts = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[: total - int(counts.sum())]] += 1
    out: Ints = counts
    return out


def _numbered(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows with children numbered by content: family members stand together, whom its case began with first.

    Decisions before care go by the age of a family's first child, here as in families that come.
    """
    frame = pd.DataFrame(rows)
    frame["was"] = np.arange(len(frame))
    first = frame.groupby("family")["age_days"].transform("max")
    order = frame.assign(first=first).sort_values(
        ["state", "placement_type", "first", "family", "age_days", "was"],
        ascending=[True, True, False, True, False, True],
    )
    families = {family: i for i, family in enumerate(dict.fromkeys(order["family"]))}
    frame["family"] = frame["family"].map(families)
    frame = frame.sort_values(["family", "was"]).reset_index(drop=True)
    frame["child"] = np.arange(len(frame))
    new = dict(zip(frame["was"], frame["child"], strict=True))
    frame["shared_with"] = [new.get(home, -1) for home in frame["home_of"]]
    return frame


def elapsed_days(rng: np.random.Generator, hazard: Array, n: int, most_days: float = 3652.0) -> Ints:
    """How long open stays have lasted, by the equilibrium law: density proportional to survival."""
    edges = np.linspace(0.0, most_days, 523)
    starts = np.cumsum([0.0, *funnel.WIDTHS_YEARS[:-1]]) * YEAR
    widths = funnel.WIDTHS_YEARS * YEAR
    gone = np.array([(hazard / YEAR * np.clip(day - starts, 0.0, widths)).sum() for day in edges[:-1]])
    alive = np.exp(-gone)
    found = rng.choice(edges[:-1], size=n, p=alive / alive.sum()) + rng.uniform(0, edges[1], size=n)
    return np.maximum(found.astype(np.int64), 1)


def occupancy(care: CareModel, kind: int) -> Array:
    """Expected stock of a type by [later placement][step in care][entry age][phase of the placement]."""
    full = care.cohort.full
    if full is None:
        raise ValueError("the cohort was run without its full table")
    return full[:, :, :, kind, :]
