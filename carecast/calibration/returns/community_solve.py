"""Contacts, and what no file tells, such that the steady funnel brings about what the files show.

Shown are referrals a year, the share referred again within twelve months, and early help that began, from the community
and in all. Free are contacts, the level of being referred again, contacts that go to early help at once, and the shares of
assessments and of ended support that go on to early help. Each round solves the funnel and moves each by its own ratio.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from carecast.calibration import funnel as fn
from carecast.calibration.arrays import Array
from carecast.calibration.fit import logit
from carecast.calibration.returns import community_rates as cr
from carecast.calibration.returns import flows
from carecast.model.parameters import Calibrated

ROUNDS = 7
LEAST_CLOSED = 0.05  # of contacts
RE_REFERRED_FACTORS = (0.4, 3.0)
ONWARD_FACTORS = (0.02, 3.0)  # on the shares that go on to early help
ONWARD = ("assessment", "support")


@dataclass(frozen=True, slots=True)
class Seen:
    """Families a year, and a share; nan where not told."""

    referrals: float
    again: float  # share of referrals with another in the year before
    from_community: float
    early_help: float  # all that begin


@dataclass(slots=True)
class Solved:
    """Where the rounds came out."""

    contacts: float
    factor: float  # on the hazard of being referred again
    branches: dict[str, dict[str, float]] = field(default_factory=dict)  # that were moved
    funnel: fn.Funnel | None = None


def solve(
    base: Calibrated, seen: Seen, hazards: Mapping[str, Array], told: Mapping[str, Mapping[str, float]], ages: Array
) -> Solved:
    """Balance the funnel with the hazards and branches told; ``hazards`` holds ``re_referred``."""
    parameters = base.parameters
    usual = {name: cr.usual_chances(base, name) for name in ("contact", *ONWARD)}
    free = [name for name in ONWARD if name not in told and math.isfinite(seen.early_help)]
    out = Solved(parameters.number("arrivals.contact_families_per_year"), 1.0)
    onward = 1.0
    for _ in range(ROUNDS):
        funnel = _run(base, hazards, told, out, ages)
        if math.isfinite(seen.again) and seen.again > 0:
            step = logit(seen.again) - logit(funnel.re_referred_12m_share)
            out.factor = float(np.clip(out.factor * math.exp(1.1 * step), *RE_REFERRED_FACTORS))
        if free:
            onward = _onward(funnel, seen, usual, free, onward)
            out.branches |= {name: _less(usual[name], onward) for name in free}
        out.contacts *= seen.referrals / max(float(funnel.per_year[fn.REFERRAL]), 1e-9)
        if math.isfinite(seen.from_community):
            out.branches["contact"] = _contact(usual["contact"], seen.from_community / out.contacts)
    funnel = _run(base, hazards, told, out, ages)
    out.contacts *= seen.referrals / max(float(funnel.per_year[fn.REFERRAL]), 1e-9)
    out.funnel = _run(base, hazards, told, out, ages)
    return out


def _run(
    base: Calibrated, hazards: Mapping[str, Array], told: Mapping[str, Mapping[str, float]], now: Solved, ages: Array
) -> fn.Funnel:
    tables = {**hazards, "re_referred": hazards["re_referred"] * now.factor}
    return flows.steady(base.parameters, tables, {**told, **now.branches}, now.contacts, ages)


def _contact(usual: Mapping[str, float], early: float) -> dict[str, float]:
    """Chances at a contact with another share that goes to early help at once."""
    early = min(early, 1 - usual["assessment"] - LEAST_CLOSED)
    return {"closed": 1 - usual["assessment"] - early, "early_help": early, "assessment": usual["assessment"]}


def _less(usual: Mapping[str, float], factor: float) -> dict[str, float]:
    """Chances with the share that goes on to early help times a factor, the rest to or from those closed."""
    early = min(usual.get("early_help", 0.0) * factor, usual.get("early_help", 0.0) + 0.8 * usual["closed"])
    return {**usual, "early_help": early, "closed": usual["closed"] + usual.get("early_help", 0.0) - early}


def _onward(
    funnel: fn.Funnel, seen: Seen, usual: Mapping[str, Mapping[str, float]], free: list[str], now: float
) -> float:
    """The next factor on shares that go on to early help, so that as many begin as are seen."""
    stage = {"assessment": fn.ASSESSMENT, "support": fn.SUPPORT}
    through = sum(float(funnel.per_year[stage[name]]) * usual[name].get("early_help", 0.0) for name in free)
    excess = float(funnel.per_year[fn.EARLY_HELP]) - seen.early_help
    return float(np.clip(now - excess / max(through, 1e-9), *ONWARD_FACTORS))
