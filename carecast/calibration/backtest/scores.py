"""How good a forecast was: CRPS, coverage, PIT, bias, MASE. Pure functions of arrays, the ensemble on the last axis.

A forecast is an ensemble of equally likely values. CRPS is in the unit of what is forecast; lower is better; for one
value it is the absolute error.
"""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from carecast.calibration.arrays import Array

LEVELS = (50, 80, 95)
SEASON_MONTHS = 12


def crps(ensemble: Array, observed: Array | float, is_sample: bool = True) -> Array:
    """Continuous ranked probability score of ensembles [..., member] against what was observed [...].

    CRPS = mean |x_i - y| - sum over pairs |x_i - x_j| / D, with D = 2 m (m - 1) for the fair score of a sample of m
    (Ferro, Richardson & Weigel 2008: its expectation is that of the distribution the sample is drawn from), and 2 m m
    where the ensemble is the whole distribution. Of one member: the absolute error.
    """
    ordered = np.sort(np.asarray(ensemble, dtype=float), axis=-1)
    m = ordered.shape[-1]
    seen = np.asarray(observed, dtype=float)
    distance: Array = np.abs(ordered - seen[..., np.newaxis]).mean(axis=-1)
    if m == 1:
        return distance
    ranks = 2.0 * np.arange(1, m + 1) - m - 1  # sum of ranks x value = sum over pairs i < j of x_j - x_i
    pairs = (ordered * ranks).sum(axis=-1)
    spread: Array = distance - pairs / (m * (m - 1) if is_sample else m * m)
    return spread


def interval(ensemble: Array, percent: float) -> tuple[Array, Array]:
    """Central interval that holds ``percent`` of the ensemble, ends by inverted CDF: each is a value that occurs."""
    tail = (100.0 - percent) / 200.0
    low, high = np.quantile(ensemble, [tail, 1.0 - tail], axis=-1, method="inverted_cdf")
    return low, high


def is_inside(ensemble: Array, observed: Array | float, percent: float) -> NDArray[np.bool_]:
    """Whether the central interval holds what was observed, ends included."""
    low, high = interval(ensemble, percent)
    found: NDArray[np.bool_] = (low <= observed) & (observed <= high)
    return found


def pit(ensemble: Array, observed: float, name: str) -> float:
    """Randomised probability integral transform: uniform on 0 to 1 for a perfect forecaster, ties broken by chance.

    u = (number below + v (number equal + 1)) / (m + 1); v is uniform and a function of ``name`` alone, so that a
    back-test made twice says the same.
    """
    values = np.asarray(ensemble, dtype=float)
    v = float(np.random.Generator(np.random.Philox(key=[1, zlib.crc32(name.encode())])).random())
    below, equal = int((values < observed).sum()), int((values == observed).sum())
    return (below + v * (equal + 1)) / (len(values) + 1)


def seasonal_scale(past: Sequence[float] | Array, season: int = SEASON_MONTHS) -> float:
    """Mean absolute change over a year in the past: what MASE divides by (Hyndman & Koehler 2006, with m = 12 months).

    NaN where the past is shorter than a year and a month, or nothing ever changed.
    """
    values = np.asarray(past, dtype=float)
    if len(values) <= season:
        return float("nan")
    scale = float(np.abs(values[season:] - values[:-season]).mean())
    return scale if scale > 0 else float("nan")


def relative(scores: Array, reference: Array) -> float:
    """Mean score over the mean score of a reference on the same cases; NaN where the reference never missed."""
    base = float(np.mean(reference))
    return float(np.mean(scores)) / base if base > 0 else float("nan")


def bias_percent(means: Array, observed: Array) -> float:
    """Mean forecast less observed, in per cent of the mean observed."""
    centre = float(np.mean(observed))
    return 100.0 * float(np.mean(np.asarray(means) - np.asarray(observed))) / centre if centre > 0 else float("nan")
