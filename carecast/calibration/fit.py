"""Moment matching: the levels that reproduce published figures, held to their priors, and how sure they are.

Minimise  sum ((ln model_k - ln target_k) / sd_k)^2 + sum ((theta_j - prior_j) / sd_j)^2  by Gauss-Newton with step
halving. At the minimum the posterior of theta is taken as normal with covariance (J'J)^-1, J the Jacobian of all
residuals: draws made with it keep what the figures say together (many starts go with short stays).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from carecast.calibration.arrays import Array

Z90 = 1.2815515655446004  # 90th percentile of the standard normal: half an 80 % interval in standard deviations
STEP = 1e-4
MAX_ROUNDS = 12
ENOUGH = 1e-4  # relative gain of a round below which the fit stops


@dataclass(frozen=True, slots=True)
class Prior:
    """One unknown on its working scale (log of a positive number, logit of a share), normal before the fit."""

    name: str
    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Target:
    """A figure to be reproduced and its standard deviation on the log scale."""

    name: str
    value: float
    sd_ln: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Where the fit came out."""

    names: tuple[str, ...]
    values: Array
    covariance: Array
    targets: tuple[Target, ...]
    model: Array
    rounds: int

    def __getitem__(self, name: str) -> float:
        """Fitted value of one unknown, on its working scale."""
        return float(self.values[self.names.index(name)])

    def sd(self, name: str) -> float:
        """Posterior standard deviation of one unknown, on its working scale."""
        at = self.names.index(name)
        return math.sqrt(float(self.covariance[at, at]))

    def table(self) -> list[dict[str, float | str]]:
        """Fitted beside wanted, for the record."""
        return [
            {
                "figure": target.name,
                "wanted": round(target.value, 4),
                "fitted": round(float(value), 4),
                "ratio": round(float(value) / target.value, 4),
                "source": target.source,
            }
            for target, value in zip(self.targets, self.model, strict=True)
        ]


def match(
    priors: Sequence[Prior],
    targets: Sequence[Target],
    model: Callable[[Mapping[str, float]], Mapping[str, float]],
    start: "Fitted | None" = None,
    max_rounds: int = MAX_ROUNDS,
) -> Fitted:
    """Fit the unknowns so that ``model`` reproduces the targets, from the priors or from an earlier fit of the same."""
    names = tuple(prior.name for prior in priors)
    means = np.array([prior.mean for prior in priors], dtype=float)
    sds = np.array([prior.sd for prior in priors])
    wanted = np.log([target.value for target in targets])
    widths = np.array([target.sd_ln for target in targets])

    def residuals(theta: Array) -> Array:
        out = model(dict(zip(names, theta.tolist(), strict=True)))
        found = np.log([max(out[target.name], 1e-9) for target in targets])
        return np.concatenate([(found - wanted) / widths, (theta - means) / sds])

    theta = means.copy() if start is None else start.values.copy()
    now = residuals(theta)
    jacobian = np.zeros((len(now), len(theta)))
    rounds = 0
    for _ in range(max_rounds):
        rounds += 1
        for j in range(len(theta)):
            ahead = theta.copy()
            ahead[j] += STEP
            jacobian[:, j] = (residuals(ahead) - now) / STEP
        step = np.linalg.lstsq(jacobian, -now, rcond=None)[0]
        theta, after = _line_search(residuals, theta, step, now)
        gain = float(now @ now - after @ after)
        now = after
        if gain < ENOUGH * max(1.0, float(now @ now)):
            break
    found = np.exp(now[: len(targets)] * widths + wanted)
    covariance = np.linalg.inv(jacobian.T @ jacobian)
    return Fitted(names, theta, covariance, tuple(targets), found, rounds)


def _line_search(residuals: Callable[[Array], Array], theta: Array, step: Array, now: Array) -> tuple[Array, Array]:
    """Half the step until it improves the fit; stay when none does."""
    size = 1.0
    for _ in range(8):
        ahead = theta + size * step
        after = residuals(ahead)
        if float(after @ after) < float(now @ now):
            return ahead, after
        size /= 2
    return theta, now


def log_sd(low: float | None, high: float | None, value: float, least: float = 0.02) -> float:
    """Log standard deviation from an 80 % interval; the wider side counts; ``least`` where there is none."""
    if low is None or high is None or value <= 0:
        return least
    up = math.log(max(high, value) / value)
    down = math.log(value / max(low, value / 6))
    return max(least, max(up, down) / Z90)


def logit(share: float) -> float:
    """ln(p / (1 - p)), kept finite."""
    bounded = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))


def expit(x: float) -> float:
    """Inverse of ``logit``."""
    return 1 / (1 + math.exp(-x))


def logit_sd(low: float | None, high: float | None, value: float, least: float = 0.05) -> float:
    """Logit standard deviation from an 80 % interval of a share."""
    if low is None or high is None:
        return least
    return max(least, (logit(max(high, value)) - logit(max(low, value / 5))) / (2 * Z90))
