"""National shapes: how hazards fall with age and time, and where children go, before levels are matched.

A hazard is (level) x (ratio of the age band) x (ratio of the duration band), per year. Causes whose stays have a known
distribution (a median and spread, a return curve) get the hazards of that distribution instead, band by band.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from carecast.calibration.arrays import Array
from carecast.calibration.figures import Row
from carecast.calibration.pack import Pack
from carecast.model import words as w
from carecast.model.parameters import BadFile, How

BAND_EDGES_DAYS = (*w.DURATION_BAND_STARTS_DAYS, 2 * w.DURATION_BAND_STARTS_DAYS[-1])
LEVEL_OUT_DAYS = 3652.0  # the last, open band is given the mean hazard up to ten years


@dataclass(frozen=True, slots=True)
class RateShape:
    """One table of hazards per year at its prior level, [age band][duration band], with the level's 80 % interval."""

    cause: str
    label: str
    placement_types: tuple[str, ...]
    per_year: Array
    low_ratio: float
    high_ratio: float
    how: How
    source: str
    note: str = ""

    @property
    def key(self) -> str:
        """Name of its level: ``cause.label``."""
        return f"{self.cause}.{self.label}"

    @property
    def sd_ln(self) -> float:
        """Log standard deviation of the level, from its 80 % interval."""
        if self.high_ratio <= self.low_ratio or self.low_ratio <= 0:
            return 0.0
        return math.log(self.high_ratio / self.low_ratio) / (2 * 1.2815515655446004)


@dataclass(frozen=True, slots=True)
class DestinationShape:
    """Which placement type is wanted at a moment, for some age bands and for those who come from some types."""

    moment: str
    label: str
    age_bands: tuple[str, ...]
    from_types: tuple[str, ...]
    chances: dict[str, float]
    pseudo_counts: float
    how: How
    source: str


def rate_shapes(pack: Pack) -> tuple[RateShape, ...]:
    """The tables of ``national/rates.csv``."""
    return tuple(_rate_shape(row) for row in pack.rates)


def _rate_shape(row: Row) -> RateShape:
    if row.text("cause") not in w.CAUSES:
        raise BadFile(f"{row.file}: row {row.line}, column cause: {row.text('cause')!r} is not a cause of the model")
    types = _words(row, "placement_types", w.PLACEMENT_TYPES)
    level = row.number("per_year")
    ages = np.array([row.number(band) for band in w.AGE_BANDS])
    durations = np.array([row.number(band) for band in w.DURATION_BANDS])
    low, high = (row.number(column, level) / level if level > 0 else 1.0 for column in ("low", "high"))
    return RateShape(
        row.text("cause"),
        row.text("label"),
        types,
        level * np.outer(ages, durations),
        low,
        high,
        _how(row),
        row.text("source"),
        row.text("note"),
    )


def destination_shapes(pack: Pack) -> tuple[DestinationShape, ...]:
    """The rows of ``national/destinations.csv``; each must sum to one."""
    return tuple(_destination_shape(row) for row in pack.destinations)


def _destination_shape(row: Row) -> DestinationShape:
    chances = {name: row.number(name, 0.0) for name in w.PLACEMENT_TYPES if name in row.cells}
    total = sum(chances.values())
    if abs(total - 1) > 1e-6:
        raise BadFile(f"{row.file}: row {row.line}: the chances sum to {total:.4f}, not 1")
    return DestinationShape(
        row.text("moment"),
        row.text("label"),
        _words(row, "age_bands", w.AGE_BANDS),
        _words(row, "from_types", w.PLACEMENT_TYPES),
        {k: v for k, v in chances.items() if v > 0},
        row.number("pseudo_counts"),
        _how(row),
        row.text("source"),
    )


def _words(row: Row, column: str, known: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name for name in row.text(column).split(";") if name)
    for name in names:
        if name not in known:
            raise BadFile(f"{row.file}: row {row.line}, column {column}: {name!r} is not one of {', '.join(known)}")
    return names


def _how(row: Row) -> How:
    how = row.text("how")
    if how == "published":
        return "published"
    return "fitted" if how == "fitted" else "assumed"


def from_survival(survival: Callable[[float], float]) -> Array:
    """Hazard per year in each duration band that reproduces a survival curve over days at every band's edge.

    h = ln(S(start) / S(end)) / years, the last band up to ten years.
    """
    edges = [float(day) for day in w.DURATION_BAND_STARTS_DAYS] + [LEVEL_OUT_DAYS]
    logs = [math.log(max(survival(day), 1e-6)) for day in edges]
    return np.array(
        [(logs[i] - logs[i + 1]) / (edges[i + 1] - edges[i]) * w.DAYS_PER_YEAR for i in range(w.N_DURATION_BANDS)]
    )


def lognormal_survival(median_days: float, sigma: float) -> Callable[[float], float]:
    """S(t) = 1 - Phi(ln(t / median) / sigma)."""
    return lambda days: 1.0 if days <= 0 else 0.5 * math.erfc(math.log(days / median_days) / (sigma * math.sqrt(2.0)))


def weibull_survival(shape: float, scale_days: float) -> Callable[[float], float]:
    """S(t) = exp(-(t / scale) ^ shape)."""
    return lambda days: math.exp(-((max(days, 0.0) / scale_days) ** shape))


def flat_over_ages(durations: Array) -> Array:
    """The same hazards at every age."""
    return np.tile(durations, (w.N_AGE_BANDS, 1))


AGE_GROUPS = {"0 to 4 years": (0, 5), "5 to 11 years": (5, 12), "12 to 15 years": (12, 16), "16 to 17 years": (16, 18)}


def ages_from_groups(pack: Pack, figure_id: str) -> Array:
    """Single-year shares from the age groups of a figure, flat within each."""
    ages = np.zeros(18)
    for group, (first, end) in AGE_GROUPS.items():
        ages[first:end] = pack.value(figure_id, group) / (end - first)
    out: Array = ages / ages.sum()
    return out
