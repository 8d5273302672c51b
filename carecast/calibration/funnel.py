"""The referral funnel in expectation: families a year through contact, referral, early help, assessment, support,
protection and pre-entry decision, with re-referrals, solved as a steady chain for each age band of the lead child.

Chances of leaving a state by each cause, and its mean stay, follow from the hazards in their duration bands exactly:
P(cause) = sum over bands of S(start) (h_c / h) (1 - exp(-h width)), mean = sum of S(start) (1 - exp(-h width)) / h.
Flows f solve the linear chain f = arrivals + M' f. Growing older within a stage is left out (stages last months).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carecast.model import words as w

Array = NDArray[np.float64]
N_BANDS = w.N_AGE_BANDS - 1  # of children
WIDTHS_YEARS = np.diff([*w.DURATION_BAND_STARTS_DAYS, 7 * 365.25]) / w.DAYS_PER_YEAR
(REFERRAL, EARLY_HELP, ASSESSMENT, SUPPORT, PROTECTION, PRE_ENTRY, CLOSED) = range(7)
STAGES = ("referrals", "early_help", "assessments", "support", "protection", "pre_entry", "closed")
N_STAGES = 7


@dataclass(frozen=True, slots=True)
class Branching:
    """Chances at the branches, by outcome; those of the pre-entry decision by age band."""

    contact: Mapping[str, float]
    referral: Mapping[str, float]
    assessment: Mapping[str, float]
    support: Mapping[str, float]
    protection: Mapping[str, float]
    pre_entry_care: float  # first guess of the share of decisions that end in care; levels out re-referrals only
    pre_entry: Mapping[str, float]  # of decisions that do not end in care


@dataclass(frozen=True, slots=True)
class Funnel:
    """Families a year and open, by stage and age band of the lead child."""

    flows: Array  # [age band][stage]
    mean_years: Array  # [age band][stage]
    reached: Mapping[str, Array]  # chance that a stage ends by a cause, [age band]
    re_referred_12m_share: float
    contacts: Array  # [age band]

    @property
    def open(self) -> Array:
        """Families open at a time, by stage (Little's law: flow x mean stay)."""
        total: Array = (self.flows * self.mean_years).sum(axis=0)
        return total

    @property
    def per_year(self) -> Array:
        """Families a year, by stage."""
        total: Array = self.flows.sum(axis=0)
        return total


def race(hazards: Array, limit_years: float = math.inf) -> tuple[Array, float]:
    """(chance that each cause ends the stay, mean stay in years); hazards [cause][duration band] per year.

    Nothing ends what is still open after ``limit_years``.
    """
    starts = np.cumsum([0.0, *WIDTHS_YEARS[:-1]])
    widths = np.clip(limit_years - starts, 0.0, WIDTHS_YEARS)
    total = hazards.sum(axis=0)
    kept = np.exp(-total * widths)
    alive = np.concatenate([[1.0], np.cumprod(kept)[:-1]])
    gone = alive * (1 - kept)
    per_hazard = np.where(total > 0, gone / np.maximum(total, 1e-12), alive * widths)
    return (hazards * per_hazard).sum(axis=1), float(per_hazard.sum())


def chance_within(hazard: Array, years: float) -> float:
    """Chance that a lone cause comes within so many years; hazard [duration band] per year."""
    return float(race(hazard[np.newaxis], years)[0][0]) if years > 0 else 0.0


def solve(contacts: Array, hazards: Mapping[str, Array], branching: Branching, memory_years: float) -> Funnel:
    """Steady flows for contacts a year by age band; ``hazards`` are [age band][duration band] by cause."""
    flows = np.zeros((N_BANDS, N_STAGES))
    years = np.zeros((N_BANDS, N_STAGES))
    reached: dict[str, list[float]] = {}
    again = np.zeros(N_BANDS)
    for band in range(N_BANDS):
        at = {cause: table[band] for cause, table in hazards.items()}
        chances, years[band] = _stage_ends(at, memory_years)
        chain = _chain(chances, branching)
        start = np.zeros(N_STAGES)
        start[REFERRAL] = contacts[band] * branching.contact.get("assessment", 0.0)
        start[EARLY_HELP] = contacts[band] * branching.contact.get("early_help", 0.0)
        flows[band] = np.linalg.solve(np.eye(N_STAGES) - chain.T, start)
        again[band] = _within_a_year(flows[band], chain, years[band], at["re_referred"])
        for cause, chance in chances.items():
            reached.setdefault(cause, []).append(chance)
    share = float(again.sum() / flows[:, REFERRAL].sum())
    return Funnel(flows, years, {cause: np.array(c) for cause, c in reached.items()}, share, contacts)


def _stage_ends(at: Mapping[str, Array], memory_years: float) -> tuple[dict[str, float], Array]:
    """Chances of each cause and the mean stays of the stages, in one age band."""
    years = np.zeros(N_STAGES)
    chances: dict[str, float] = {}
    for stage, causes in (
        (EARLY_HELP, ("early_help_ends", "early_help_steps_up")),
        (ASSESSMENT, ("assessment_ends",)),
        (SUPPORT, ("support_ends", "support_to_protection", "support_to_pre_entry")),
        (PROTECTION, ("protection_ends", "protection_to_pre_entry")),
        (PRE_ENTRY, ("pre_entry_decided",)),
        (CLOSED, ("re_referred",)),
    ):
        limit = memory_years if stage == CLOSED else math.inf
        found, years[stage] = race(np.stack([at[cause] for cause in causes]), limit)
        chances.update(zip(causes, found.tolist(), strict=True))
    return chances, years


def _chain(chance: Mapping[str, float], branching: Branching) -> Array:
    """Chance of going from each stage to each stage."""
    chain = np.zeros((N_STAGES, N_STAGES))
    to = {
        "closed": CLOSED, "early_help": EARLY_HELP, "assessment": ASSESSMENT, "support": SUPPORT,
        "protection": PROTECTION, "pre_entry": PRE_ENTRY,
    }  # fmt: skip

    def add(stage: int, weight: float, outcomes: Mapping[str, float]) -> None:
        for outcome, share in outcomes.items():
            if outcome in to:
                chain[stage, to[outcome]] += weight * share

    add(REFERRAL, 1.0, branching.referral)
    add(ASSESSMENT, 1.0, branching.assessment)
    add(SUPPORT, chance["support_ends"], branching.support)
    add(PROTECTION, chance["protection_ends"], branching.protection)
    add(PRE_ENTRY, 1 - branching.pre_entry_care, branching.pre_entry)
    chain[EARLY_HELP, CLOSED] = chance["early_help_ends"]
    chain[EARLY_HELP, REFERRAL] = chance["early_help_steps_up"]
    chain[SUPPORT, PROTECTION] += chance["support_to_protection"]
    chain[SUPPORT, PRE_ENTRY] += chance["support_to_pre_entry"]
    chain[PROTECTION, PRE_ENTRY] += chance["protection_to_pre_entry"]
    chain[CLOSED, REFERRAL] = chance["re_referred"]
    return chain


def _within_a_year(flow: Array, chain: Array, years: Array, re_referred: Array) -> float:
    """Referrals a year that follow another of the same family by less than a year.

    The time from a referral to its closing is taken at the mean of its way: none after no further action, one
    assessment, early help, or the mean of support and protection after an assessment.
    """
    referrals = flow[REFERRAL]
    assessed = referrals * chain[REFERRAL, ASSESSMENT]
    helped = referrals * chain[REFERRAL, EARLY_HELP]
    stepped = float(flow[EARLY_HELP] * chain[EARLY_HELP, REFERRAL])
    a = years[ASSESSMENT]
    ways = (
        (referrals * chain[REFERRAL, CLOSED], 0.0),
        (assessed * chain[ASSESSMENT, CLOSED], a),
        (helped * chain[EARLY_HELP, CLOSED], years[EARLY_HELP]),
        (assessed * chain[ASSESSMENT, EARLY_HELP] * chain[EARLY_HELP, CLOSED], a + years[EARLY_HELP]),
        (assessed * chain[ASSESSMENT, SUPPORT] * chain[SUPPORT, CLOSED], a + years[SUPPORT]),
    )
    again = sum(n * chance_within(re_referred, 1.0 - open_years) for n, open_years in ways)
    return float(again + 0.9 * stepped * helped / max(flow[EARLY_HELP], 1e-9))
