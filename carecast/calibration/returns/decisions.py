"""Decisions before entry, which no file shows, taken out of what files show of support and protection.

A family in pre-proceedings stays in support or on a plan until the decision, and of every so many decisions some do not end
in care. So what files hold is longer than the model's state by the time of the decisions, and its ends without care hold
those decisions. With the base's hazard d of coming to a decision, its mean time m and its chance c of care,

    exposure of the state = exposure seen / (1 + d m),   own ends = ends seen - d (1 - c) exposure,

never less than ``LEAST_OWN`` of the ends seen: without it they would be counted twice, as ends and as decisions.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from carecast.calibration import funnel as fn
from carecast.calibration.arrays import Array
from carecast.calibration.returns.close import care_chances
from carecast.calibration.returns.community_rates import Counted
from carecast.model.parameters import Calibrated, ParameterSet

LEAST_OWN = 0.4  # of the ends seen: where the base has more decisions than these files leave room for
FEWEST_CARE, MOST_CARE = 0.2, 0.6  # chances of care at a decision, as the balance of entries takes them
USUAL_SPREAD = 0.3  # relative, of the number of decisions, at least (assumed)
MIDDLE_AGE = 2  # 5 to 9, whose time to a decision stands for all


def to_decision(parameters: ParameterSet, state: str) -> Array:
    """Hazard of coming to a decision from ``support`` or ``protection``, [age band][duration band] per year."""
    rates = (np.array(rate.per_year) for rate in parameters.rates if rate.cause == f"{state}_to_pre_entry")
    return next(rates)


def mean_years(parameters: ParameterSet) -> float:
    """Mean time from the beginning of pre-proceedings to the decision."""
    decided = next(np.array(rate.per_year) for rate in parameters.rates if rate.cause == "pre_entry_decided")
    return fn.race(decided[MIDDLE_AGE][np.newaxis])[1]


def without(counted: Counted, base: Calibrated, state: str) -> tuple[Counted, float]:
    """(stays of the state alone, decisions without care among the ends seen)."""
    cause = f"{state}_ends"
    hazard = to_decision(base.parameters, state)
    seen = counted.events.get(cause)
    if seen is None or seen.sum() <= 0:
        return counted, 0.0
    exposure = counted.exposure / (1 + hazard * mean_years(base.parameters))
    care = float(np.clip(care_chances(base.parameters).mean(), FEWEST_CARE, MOST_CARE))
    decisions = min(float((hazard * exposure).sum()) * (1 - care), (1 - LEAST_OWN) * float(seen.sum()))
    onto_plans = decisions * others(base)["protection"] if state == "support" else 0.0
    events = {**counted.events, cause: _fewer(seen, decisions - onto_plans)}
    if "support_to_protection" in events:
        events["support_to_protection"] = _fewer(events["support_to_protection"], onto_plans)
    doubt = decisions / float(seen.sum()) * spread_of(base, state)
    return replace(counted, exposure=exposure, events=events, doubt=doubt), decisions


def spread_of(base: Calibrated, state: str) -> float:
    """Relative standard deviation of how many decisions the base takes there to be."""
    column = base.draws.get(f"rate.{state}_to_pre_entry.all")
    return USUAL_SPREAD if column is None else max(float(column.std() / column.mean()), USUAL_SPREAD)


def _fewer(seen: Array, less: float) -> Array:
    """Events less so many of them, in every cell alike."""
    total = float(seen.sum())
    return seen * max(1 - less / max(total, 1e-9), LEAST_OWN)


def others(base: Calibrated) -> dict[str, float]:
    """Outcomes of decisions that do not end in care: shares of them, the mean over ages."""
    branches = [b.chances for b in base.parameters.branches if b.branch == "pre_entry"]
    told = {name: float(np.mean([b.get(name, 0.0) for b in branches])) for name in ("support", "protection", "closed")}
    rest = sum(float(np.mean([b.get(name, 0.0) for b in branches])) for name in ("early_help", "kinship_order"))
    total = max(sum(told.values()) + rest, 1e-9)
    return {name: share / total for name, share in told.items()}


def own_outcomes(counts: Mapping[str, float], base: Calibrated, share: float) -> dict[str, float]:
    """Outcomes of ended plans less those of decisions, which are ``share`` of the ends and have outcomes of their own."""
    among, total = others(base), sum(counts.values())
    return {
        name: max(n - share * total * (among["support"] if name == "support" else 1 - among["support"]), 0.1 * n)
        for name, n in counts.items()
    }
