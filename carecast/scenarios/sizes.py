"""Sizes of levers as uncertain effects of the model, and the few things done to them (invert, take from 1, scale).

Each keeps the file's interval and chance of no effect. Ratios are lognormal (no effect is 1), shares logit-normal and
numbers normal (no effect is 0).
"""

import datetime as dt
from collections.abc import Callable

from carecast.model.plan import Effect
from carecast.scenarios.scenario import Amount, Lever, default_shape

Ends = tuple[float, float | None, float | None]


def size(lever: Lever, identity: str, *, as_hazard: bool = False) -> Effect:
    """The size of a lever: the file's own, or its evidence's in the setting it names.

    Evidence gives a ratio of risks, or of hazards where the lever acts on a hazard. Levers that name the same evidence
    share one draw of it; otherwise the draw is the lever's own, in every scenario that inherits it.
    """
    field = lever.size_field
    given = getattr(lever, field, None)
    proof = lever.proof
    if given is not None:
        low, high = lever.interval_80 or (None, None)
        ends: Ends = (float(given), low, high)
    elif proof is not None:
        median, low, high = proof.as_hazard() if as_hazard else proof.as_ratio()
        fallback = proof.hazard_ratio if proof.hazard_ratio is not None else 1.0
        ends = (fallback if median is None else median, low, high)
    else:
        ends = (1.0 if field == "multiply_by" else 0.0, None, None)
    effect = _effect(ends, default_shape(field), lever.evidence or identity, lever.no_effect_chance)
    return one_minus(effect) if given is None and proof is not None and field == "share" else effect


def _effect(ends: Ends, shape: str, key: str, no_effect_chance: float) -> Effect:
    median, low, high = ends
    certain = low is None or high is None
    if certain and not no_effect_chance:
        shape = "fixed"
    return Effect(median, None if certain else low, None if certain else high, shape, key, no_effect_chance)


def _map(effect: Effect, change: Callable[[float], float], shape: str) -> Effect:
    ends = [None if end is None else change(end) for end in (effect.low_80, effect.high_80)]
    low, high = ends
    if low is not None and high is not None and low > high:
        low, high = high, low
    kept = "fixed" if effect.shape == "fixed" else shape
    return Effect(change(effect.median), low, high, kept, effect.key, effect.no_effect_chance)


def inverse(effect: Effect) -> Effect:
    """1 / ratio: the hazard of an end when its duration is multiplied by the ratio."""
    return _map(effect, lambda ratio: 1.0 / ratio, "lognormal")


def one_minus(effect: Effect) -> Effect:
    """1 - ratio: the share diverted when a risk is multiplied by the ratio."""
    return _map(effect, lambda ratio: min(max(1.0 - ratio, 0.0), 1.0), "beta")


def left_over(effect: Effect) -> Effect:
    """1 - share, as a ratio above 0: what is left of a price when a share of it ends."""
    return _map(effect, lambda share: max(1.0 - share, 1e-9), "lognormal")


def one_plus(effect: Effect, factor: float) -> Effect:
    """1 + number x factor, as a ratio above 0: arrivals when so many more (or fewer) come."""
    return _map(effect, lambda number: max(1.0 + number * factor, 1e-9), "lognormal")


def brought_in(ratio: Effect, chance: float) -> Effect:
    """(ratio - 1) x chance / (1 - chance): share of the other outcomes that makes a chance ``ratio`` times what it was."""
    return _map(ratio, lambda size: min(max((size - 1.0) * chance / (1.0 - chance), 0.0), 1.0), "beta")


def scaled(effect: Effect, factor: float) -> Effect:
    """A number of places, shared out or counted up by a factor."""
    return _map(effect, lambda number: number * factor, "normal")


def reached(effect: Effect, reach: float, *, is_ratio: bool) -> Effect:
    """Effect on all children when only a share of them is reached: 1 - reach x (1 - ratio), or reach x share."""
    if reach == 1.0:
        return effect
    if is_ratio:
        return _map(effect, lambda ratio: 1.0 - reach * (1.0 - ratio), "lognormal")
    return _map(effect, lambda share: reach * share, "beta")


def faster(effect: Effect) -> Effect:
    """1 + rate: the ratio of one year's step when prices rise by a rate more."""
    return _map(effect, lambda rate: 1.0 + rate, "lognormal")


def pounds(amount: Amount, key: str) -> Effect:
    """A cost as an effect; its interval is lognormal when it lies above 0."""
    if amount.low is None or amount.high is None:
        return Effect(amount.value, key=key)
    return Effect(amount.value, amount.low, amount.high, "lognormal" if amount.low > 0 else "normal", key)


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day of the month so many months later, or the month's last day."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    last = (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)).day
    return dt.date(year, month, min(day.day, last))


def trivial(effect: Effect) -> bool:
    """Whether the size is certain to change nothing: a ratio of 1, or 0 of anything."""
    if effect.no_effect_chance >= 1.0:
        return True
    return effect.low_80 is None and effect.median == (1.0 if effect.shape == "lognormal" else 0.0)
