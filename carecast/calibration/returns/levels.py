"""The level of a flow at the as-at date: a shrunk local level, told apart from swings that go back and from chance.

Quarterly counts O beside what unchanged rates expect, E. With z = ln((O + 0.5) / E), corrected for overdispersion,

    z = w + a + e,   w a random walk (sd a year) with a steady growth g a year, held near none,
                     a a swing that goes back (sd, rate of return a year),
    Var e = dispersion / expected count.

Real councils swing about twice as much as chance from year to year and mostly back again, around a level that walks
slowly; a filter that knows only a walk takes every swing for good. The three spreads and the dispersion are averaged
over a grid by likelihood times prior (Kalman filter, all points at once). Priors: drift about 0.06 a year (0.25 for
unaccompanied children), swings from what 150 English councils showed in 2019-2023 beyond chance (about 0.1).

A forecast needs the mean level over the coming years: w, what is left of a on average, and half of the growth to come,
with what the swing may do meanwhile added to its spread. The walk goes on in every replication with the drift of its own
draw.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from carecast.calibration import draw
from carecast.calibration.arrays import Array, Ints
from carecast.model.parameters import N_DRAWS

HORIZON_YEARS = 2.0
STEP_YEARS = 0.25
WALKS = (0.005, 0.02, 0.04, 0.065, 0.1, 0.15, 0.22, 0.32)
SWINGS = (0.0, 0.04, 0.08, 0.12, 0.17, 0.24, 0.34)
RETURNS = (1.0, 2.5)  # per year
DISPERSIONS = (1.0, 1.25, 1.6, 2.1, 2.8, 3.8)
FIRST_LEVEL_SD = 0.7
GROWTH_KEPT = 0.5  # of the growth found, how much is held to go on (tuned on synthetic councils)


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Priors of one flow."""

    walk: float = 0.06  # median drift a year
    walk_sd_ln: float = 0.6
    swing: float = 0.09  # scale of the half-normal prior of the swing
    dispersion: float = 1.4
    dispersion_sd_ln: float = 0.3
    calm: float = 0.25  # prior chance that there is no swing
    growth_sd: float = 0.0  # of a steady growth, log a year


ENTRIES = Beliefs(walk=0.055, swing=0.14, dispersion=1.6, growth_sd=0.015)
EXITS = Beliefs(walk=0.01, swing=0.15, dispersion=1.5)
MOVES = Beliefs(walk=0.04, swing=0.06, dispersion=1.3)
UNACCOMPANIED = Beliefs(walk=0.25, swing=0.2, dispersion=1.8)


@dataclass(frozen=True, slots=True)
class Level:
    """What is known of a level now, relative to the mean of the history."""

    mean_ln: float  # of the level over the coming two years
    sd_ln: float
    weights: Array  # [grid point]
    means: Array
    variances: Array
    grid: Array  # [grid point][walk, swing, return, dispersion]
    observed: Array  # by quarter, oldest first
    expected: Array
    path: Array  # filtered level by quarter

    @property
    def ratio(self) -> float:
        """Mean of the level's distribution as a ratio to the mean of the history."""
        return math.exp(self.mean_ln)

    def spread(self, column: int) -> tuple[float, float, float]:
        """(mean, 10th and 90th percentile) of a column of the grid: 0 the drift, 1 the swing, 3 the dispersion."""
        values = self.grid[:, column]
        order = np.argsort(values, kind="stable")
        summed = np.cumsum(self.weights[order])
        low, high = (float(values[order][min(int(np.searchsorted(summed, p)), len(order) - 1)]) for p in (0.1, 0.9))
        return float(np.sum(self.weights * values)), low, high

    def draws(self, name: str) -> tuple[Array, Array]:
        """(level relative to its mean, mean one; drift sd a year) of the 4,096 rows, together."""
        point = _stratified(self.weights, name)
        z = draw.normals(f"level of {name}")
        shift = self.means[point] - self.mean_ln + np.sqrt(self.variances[point]) * z
        levels = np.exp(shift)
        return levels / levels.mean(), self.grid[point, 0] * _jitter(name)


def _stratified(weights: Array, name: str) -> Ints:
    """Grid points of the rows in proportion to their weights, shuffled."""
    from scipy.special import ndtr

    uniform = ndtr(draw.normals(f"grid of {name}", N_DRAWS))
    chosen = np.searchsorted(np.cumsum(weights / weights.sum()), uniform)
    out: Ints = np.minimum(chosen, len(weights) - 1).astype(np.int64)
    return out


def _jitter(name: str) -> Array:
    """The drift between the points of the grid."""
    out: Array = np.exp(0.15 * draw.normals(f"drift of {name}"))
    return out


def local_level(
    observed: Array | Ints, expected: Array, beliefs: Beliefs, horizon_years: float = HORIZON_YEARS
) -> Level:
    """The level of a flow from quarterly counts.

    Args:
        observed: counts by quarter, oldest first.
        expected: what unchanged rates expect, season and exposure in them.
        beliefs: priors.
        horizon_years: over how many years the level is to hold.
    """
    grid = np.array(list(itertools.product(WALKS, SWINGS, RETURNS, DISPERSIONS)))
    grid = grid[(grid[:, 1] > 0) | (grid[:, 2] == RETURNS[0])]
    log_weight = _log_prior(grid, beliefs)
    walk, swing, back, dispersion = grid.T
    fade = np.exp(-back * STEP_YEARS)
    mean: Array = np.zeros((len(grid), 3))  # walk, swing, growth a year
    cov: Array = np.zeros((len(grid), 3, 3))
    cov[:, 0, 0], cov[:, 1, 1], cov[:, 2, 2] = FIRST_LEVEL_SD**2, swing**2, beliefs.growth_sd**2
    usual = _smoothed(observed, expected)
    path = []
    for count, wanted, about in zip(observed, expected, usual, strict=True):
        mean, cov = _a_quarter_on(mean, cov, fade)
        cov[:, 0, 0] += walk**2 * STEP_YEARS
        cov[:, 1, 1] += swing**2 * (1 - fade**2)
        if wanted > 0:
            noise = dispersion / about
            z = math.log((count + 0.5) / wanted) + (dispersion - 1) / (2 * about)
            spread = cov[:, :2, :2].sum(axis=(1, 2)) + noise
            miss = z - mean[:, :2].sum(axis=1)
            log_weight -= 0.5 * (np.log(spread) + miss**2 / spread)
            gain = cov[:, :, :2].sum(axis=2) / spread[:, None]
            mean += gain * miss[:, None]
            cov -= gain[:, :, None] * gain[:, None, :] * spread[:, None, None]
        weights = np.exp(log_weight - log_weight.max())
        path.append(float(np.sum(weights * mean[:, :2].sum(axis=1)) / weights.sum()))
    weights /= weights.sum()
    means, variances = _over(horizon_years, grid, mean, cov)
    centre = float(np.sum(weights * means))
    total = float(np.sum(weights * (variances + (means - centre) ** 2)))
    return Level(
        centre, math.sqrt(total), weights, means, variances, grid, np.asarray(observed, dtype=float),
        np.asarray(expected, dtype=float), np.array(path),
    )  # fmt: skip


def _a_quarter_on(mean: Array, cov: Array, fade: Array) -> tuple[Array, Array]:
    """Mean and covariance of walk, swing and growth a quarter later, before what is new of walk and swing."""
    mean, cov = mean.copy(), cov.copy()
    mean[:, 0] += STEP_YEARS * mean[:, 2]
    mean[:, 1] *= fade
    cov[:, 0, :] += STEP_YEARS * cov[:, 2, :]
    cov[:, :, 0] += STEP_YEARS * cov[:, :, 2]
    cov[:, 1, :] *= fade[:, None]
    cov[:, :, 1] *= fade[:, None]
    return mean, cov


def _log_prior(grid: Array, beliefs: Beliefs) -> Array:
    walk, swing, _, dispersion = grid.T
    out = -0.5 * (np.log(walk / beliefs.walk) / beliefs.walk_sd_ln) ** 2
    out = out - 0.5 * (np.log(dispersion / beliefs.dispersion) / beliefs.dispersion_sd_ln) ** 2
    steps = np.gradient(np.array(SWINGS))
    at = np.searchsorted(SWINGS, swing)
    dense = np.exp(-0.5 * (swing / (1.5 * beliefs.swing)) ** 2) * steps[at]
    dense = np.where(swing > 0, dense, 0.0)
    some = dense[swing > 0].sum() / max((swing == 0).sum() * 1.0, 1.0)
    chance = np.where(swing > 0, (1 - beliefs.calm) * dense / max(some, 1e-12), beliefs.calm)
    total: Array = out + np.log(chance)
    return total


def _smoothed(observed: Array | Ints, expected: Array, reach: int = 6) -> Array:
    """The count to be expected in each quarter, about: the mean ratio of the quarters around it times its own."""
    out = np.zeros(len(observed))
    for at in range(len(observed)):
        near = slice(max(0, at - reach), at + reach + 1)
        ratio = (float(np.sum(observed[near])) + 1.0) / (float(np.sum(expected[near])) + 1.0)
        out[at] = max(ratio * expected[at], 0.5)
    return out


def _over(years: float, grid: Array, mean: Array, cov: Array) -> tuple[Array, Array]:
    """Mean and variance of the mean level over the coming years, the walk's own future apart."""
    back, swing = grid[:, 2], grid[:, 1]
    x = back * years
    keep = (1 - np.exp(-x)) / x
    of = np.stack([np.ones(len(x)), keep, np.full(len(x), GROWTH_KEPT * years / 2)], axis=1)
    means: Array = np.sum(of * mean, axis=1)
    known = np.einsum("ni,nij,nj->n", of, cov, of)
    ahead = swing**2 * np.maximum(2 / x**2 * (x - 1 + np.exp(-x)) - keep**2, 0.0)
    return means, known + ahead
