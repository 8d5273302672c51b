"""Sampling an uncertain effect: one draw for each piece of evidence in a replication, shared by every scenario."""

import math
import zlib

from carecast.model import compiled
from carecast.model import draws as dr
from carecast.model.plan import Effect

draws = compiled.MODULES["draws"]

Z90 = 1.2815515655446004  # the 90th percentile of the standard normal


def effect_size(effect: Effect, seed: int, replication: int) -> float:
    """The size of ``effect`` in one replication.

    A ratio (lognormal) or share (beta shape, on the logit scale) whose ``no_effect_chance`` comes up is 1 or 0.
    The spread on each side of the median follows its own end of the 80 % interval.
    """
    is_fixed = effect.shape == "fixed" or effect.low_80 is None or effect.high_80 is None
    if is_fixed and not effect.no_effect_chance:
        return effect.median
    neutral = 1.0 if effect.shape == "lognormal" else 0.0
    key = zlib.crc32(effect.key.encode()) if effect.key else 0
    lane_1, lane_2 = draws.lanes(seed, replication, dr.WHO_EVIDENCE, 0, key)
    if effect.no_effect_chance and draws.uniform(lane_1, lane_2, dr.P_EFFECT_NONE, 0) < effect.no_effect_chance:
        return neutral
    if effect.shape == "fixed" or effect.low_80 is None or effect.high_80 is None:
        return effect.median
    z: float = draws.normal(lane_1, lane_2, dr.P_EFFECT, 0)
    end = effect.high_80 if z > 0 else effect.low_80
    distance = abs(z) / Z90
    if effect.shape == "lognormal":
        return effect.median * math.exp(distance * math.log(end / effect.median))
    if effect.shape == "beta":
        odds = _logit(effect.median) + distance * (_logit(end) - _logit(effect.median))
        return 1.0 / (1.0 + math.exp(-odds))
    return effect.median + distance * (end - effect.median)


def _logit(share: float) -> float:
    bounded = min(max(share, 1e-9), 1 - 1e-9)
    return math.log(bounded / (1 - bounded))
