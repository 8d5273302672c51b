"""The joint draws: 4,096 rows of what the uncertain numbers could be together, in shuffled order.

Each column is stratified (one draw in each of 4,096 equal slices of its distribution, shuffled with a seed made from
its name), so that any number of first rows is a fair sample and a new column changes no other. An 80 % interval
becomes a lognormal for positive numbers, a logit-normal for chances, a normal for numbers that may be negative; each
half keeps its own end of the interval. Branches and destinations are Dirichlet. Fitted levels are jointly normal on
their working scale with the covariance of the fit.
"""

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from carecast.calibration.arrays import Array
from carecast.calibration.fit import Z90, Fitted, logit
from carecast.model.parameters import N_DRAWS, Number

SEED = 20220731
CHANCE_UNITS = ("share", "chance")


def normals(name: str, n: int = N_DRAWS) -> Array:
    """Stratified standard normals in the shuffled order of this column."""
    from scipy.special import ndtri

    rng = np.random.Generator(np.random.Philox(key=[SEED, zlib.crc32(name.encode())]))
    slices = (rng.permutation(n) + rng.random(n)) / n
    out: Array = ndtri(np.clip(slices, 1e-9, 1 - 1e-9))
    return out


def of_number(name: str, number: Number) -> Array | None:
    """Draws of a number from its 80 % interval, or none when it is exact."""
    if number.interval_80 is None:
        return None
    low, high = number.interval_80
    if not low < high:
        return None
    z = normals(name)
    if number.unit.startswith(CHANCE_UNITS):
        return two_sided(z, number.value, low, high, "logit")
    if number.value > 0 and low >= 0:
        return two_sided(z, number.value, low, high, "log")
    return two_sided(z, number.value, low, high, "plain")


def two_sided(z: Array, value: float, low: float, high: float, scale: str) -> Array:
    """Values at standard normals z: ``value`` at 0, ``low`` and ``high`` at the 10th and 90th percentile."""
    if scale == "plain":
        return np.where(z < 0, value + z * (value - low) / Z90, value + z * (high - value) / Z90)
    if scale == "log":
        floor = max(low, value / 20)
        down, up = math.log(value / floor) / Z90, math.log(max(high, value) / value) / Z90
        return value * np.exp(np.where(z < 0, z * down, z * up))
    at, bottom, top = logit(value), logit(max(low, 0.002)), logit(min(high, 0.998))
    down, up = max(at - bottom, 0.0) / Z90, max(top - at, 0.0) / Z90
    out: Array = 1 / (1 + np.exp(-(at + np.where(z < 0, z * down, z * up))))
    return out


def of_fit(name: str, fitted: Fitted, n: int = N_DRAWS) -> Array:
    """Deviations of fitted unknowns from their centre, [draw][unknown], with the covariance of the fit."""
    z = np.stack([normals(f"{name}:{unknown}", n) for unknown in fitted.names], axis=1)
    values, vectors = np.linalg.eigh(fitted.covariance)
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(values))])
    root = (vectors * signs) * np.sqrt(np.maximum(values, 0.0))
    out: Array = z @ root.T
    return out


def of_chances(name: str, chances: Mapping[str, float], pseudo_counts: float, n: int = N_DRAWS) -> dict[str, Array]:
    """Dirichlet draws around chances; ``pseudo_counts`` is the sum of its parameters."""
    from scipy.special import gammaincinv, ndtr

    if pseudo_counts <= 0:
        return {}
    raw = {
        outcome: gammaincinv(p * pseudo_counts, ndtr(normals(f"{name}.{outcome}", n)))
        for outcome, p in chances.items()
        if p > 0
    }
    total = np.maximum(sum(raw.values()), 1e-12)
    return {outcome: gamma / total for outcome, gamma in raw.items()}


def check_bounds(columns: Mapping[str, Array], names: Sequence[str] = ()) -> None:
    """Every draw is finite; a programming error otherwise."""
    for name in names or columns:
        if not np.isfinite(columns[name]).all():
            raise ValueError(f"draws of {name} are not finite")
