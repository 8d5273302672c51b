"""The referral funnel in expectation, with re-referrals, while the lead child of each family grows older.

Chances of leaving a stage by each cause, and its mean stay, follow from the hazards in their duration bands exactly:
P(cause) = sum over bands of S(start) (h_c / h) (1 - exp(-h width)), mean = sum of S(start) (1 - exp(-h width)) / h.
In the steady state the families n_i(a) open in stage i with a lead child aged a obey

    dn/da = s(a) + (T(a)' - I) R(a) n,    n(0) = 0,

s the contacts by age, R = 1 / mean stay, T the chances of going from stage to stage (a referral is decided the day it
is made and takes no time). Solved month of age by month of age, backward Euler; stages are cut into phases (Erlang) so
that their stays vary as much as they should.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from carecast.calibration.arrays import Array
from carecast.model import words as w

N_BANDS = w.N_AGE_BANDS - 1  # of children
N_MONTHS = 216  # of age
MONTH_YEARS = 1 / 12
WIDTHS_YEARS = np.diff([*w.DURATION_BAND_STARTS_DAYS, 7 * 365.25]) / w.DAYS_PER_YEAR
BAND_STARTS_YEARS = np.cumsum([0.0, *WIDTHS_YEARS[:-1]])
BAND_OF_MONTH = np.searchsorted(np.array(w.AGE_BAND_STARTS_YEARS[:-1]) * 12, np.arange(N_MONTHS), side="right") - 1
(REFERRAL, EARLY_HELP, ASSESSMENT, SUPPORT, PROTECTION, PRE_ENTRY, CLOSED) = range(7)
STAGES = ("referrals", "early_help", "assessments", "support", "protection", "pre_entry", "closed")
N_STAGES = 7
STAGE_CAUSES = (
    (EARLY_HELP, ("early_help_ends", "early_help_steps_up")),
    (ASSESSMENT, ("assessment_ends",)),
    (SUPPORT, ("support_ends", "support_to_protection", "support_to_pre_entry")),
    (PROTECTION, ("protection_ends", "protection_to_pre_entry")),
    (PRE_ENTRY, ("pre_entry_decided",)),
    (CLOSED, ("re_referred",)),
)
PHASES = (1, 2, 3, 1, 2, 4, 1)  # of each stage: the squared ratio of mean to spread of its stays, about
FIRST_PHASE = np.cumsum((0, *PHASES[:-1]))
STAGE_OF_PHASE = np.repeat(np.arange(N_STAGES), PHASES)
YOUNGER_SHARE = 0.3  # families with a child younger than the lead, and so still followed when the lead turns 18
YOUNGER_BY = (13, 53)  # months between them
WEEKS = 52
TIME_IN_BANDS = np.clip(np.arange(WEEKS + 1)[:, np.newaxis] / WEEKS - BAND_STARTS_YEARS, 0.0, WIDTHS_YEARS)  # by week
PASSES = 8  # stages that one family goes through within a year, at most


@dataclass(frozen=True, slots=True)
class Branching:
    """Chances at the branches, by outcome; those of the pre-entry decision by age band."""

    contact: Mapping[str, float]
    referral: Mapping[str, float]
    assessment: Mapping[str, float]
    support: Mapping[str, float]
    protection: Mapping[str, float]
    pre_entry_care: float  # first guess of the share of decisions that end in care
    pre_entry: Mapping[str, float]  # of decisions that do not end in care
    some_stay: float  # share of families of whom somebody stays when the others enter care; support goes on for them


@dataclass(frozen=True, slots=True)
class Funnel:
    """Families a year into each stage and open in it, by month of age of the lead child."""

    flows: Array  # [month of age][stage]
    open_by_age: Array  # [month of age][stage]
    decided: Array  # [month of age] pre-entry decisions made
    re_referred_12m_share: float
    contacts: float

    @property
    def open(self) -> Array:
        """Families open at a time, by stage."""
        total: Array = self.open_by_age.sum(axis=0)
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
    widths = np.clip(limit_years - BAND_STARTS_YEARS, 0.0, WIDTHS_YEARS)
    total = hazards.sum(axis=0)
    kept = np.exp(-total * widths)
    alive = np.concatenate([[1.0], np.cumprod(kept)[:-1]])
    per_hazard = np.where(total > 0, alive * (1 - kept) / np.maximum(total, 1e-12), alive * widths)
    return (hazards * per_hazard).sum(axis=1), float(per_hazard.sum())


def cumulated(hazard: Array, years: float) -> float:
    """Hazard [duration band] per year summed up from 0 to so many years."""
    return float((hazard * np.clip(years - BAND_STARTS_YEARS, 0.0, WIDTHS_YEARS)).sum())


@dataclass(frozen=True, slots=True)
class _Step:
    """One month of age in one age band, stages cut into phases."""

    forward: Array  # (I + dt (I - T') R)^-1
    chain: Array  # [stage][stage]
    leave: Array  # [phase] rate per year


def solve(
    contacts: Array,
    hazards: Mapping[str, Array],
    branching: Branching,
    memory_years: float,
    more_support: Array | None = None,
) -> Funnel:
    """Steady flows.

    Args:
        contacts: families a year by month of age of the lead child.
        hazards: [age band][duration band] by cause.
        branching: chances at the branches.
        memory_years: how long closed cases are followed.
        more_support: families a year who come to support from outside the funnel, by month of age.
    """
    steps = []
    again = np.zeros(N_BANDS)
    for band in range(N_BANDS):
        at = {cause: table[band] for cause, table in hazards.items()}
        chances, years = _stage_ends(at, memory_years)
        chain = _chain(chances, branching)
        steps.append(_step(chain, years))
        again[band] = _within_a_year(chain, at, memory_years)
    source = np.zeros((N_MONTHS, N_STAGES))
    source[:, REFERRAL] = contacts * branching.contact.get("assessment", 0.0)
    source[:, EARLY_HELP] = contacts * branching.contact.get("early_help", 0.0)
    if more_support is not None:
        source[:, SUPPORT] += more_support
    flows, open_, decided = _march(steps, source)
    younger = np.zeros((N_MONTHS, N_STAGES))  # families whose lead child turned 18 and who have younger children
    grown = open_[-1] / MONTH_YEARS * YOUNGER_SHARE
    younger[N_MONTHS - YOUNGER_BY[1] : N_MONTHS - YOUNGER_BY[0]] = grown / (YOUNGER_BY[1] - YOUNGER_BY[0])
    more_flows, more_open, more_decided = _march(steps, younger)
    more_flows -= younger  # they do not start a stage anew
    flows, open_, decided = flows + more_flows, open_ + more_open, decided + more_decided
    by_band = np.array([flows[band == BAND_OF_MONTH, REFERRAL].sum() for band in range(N_BANDS)])
    return Funnel(flows, open_, decided, float(by_band @ again / by_band.sum()), float(contacts.sum()))


def _step(chain: Array, years: Array) -> _Step:
    """Matrices of one age band. Each stage is a row of phases with the same rate, so that stays vary as they should."""
    through = chain + np.outer(chain[:, REFERRAL], chain[REFERRAL])  # referrals pass on at once
    through[:, REFERRAL] = 0.0
    n = len(STAGE_OF_PHASE)
    to = np.zeros((n, n))
    leave = np.zeros(n)
    for stage in range(N_STAGES):
        if years[stage] <= 0:
            continue
        first, last = FIRST_PHASE[stage], FIRST_PHASE[stage] + PHASES[stage] - 1
        leave[first : last + 1] = PHASES[stage] / years[stage]
        for phase in range(first, last):
            to[phase, phase + 1] = 1.0
        to[last, FIRST_PHASE] = through[stage]
    change = (np.eye(n) - to.T) * leave
    return _Step(np.linalg.inv(np.eye(n) + MONTH_YEARS * change), chain, leave)


def _march(steps: Sequence[_Step], source: Array) -> tuple[Array, Array, Array]:
    """(flows into stages, open, decisions made) by month of age, for families a year who begin by stage and age."""
    flows, open_, decided = np.zeros((N_MONTHS, N_STAGES)), np.zeros((N_MONTHS, N_STAGES)), np.zeros(N_MONTHS)
    n = np.zeros(len(STAGE_OF_PHASE))
    last = FIRST_PHASE + np.array(PHASES) - 1
    for month in range(N_MONTHS):
        step = steps[BAND_OF_MONTH[month]]
        begun = source[month] + source[month, REFERRAL] * step.chain[REFERRAL]
        n[FIRST_PHASE] += np.where(np.arange(N_STAGES) == REFERRAL, 0.0, begun)
        n = step.forward @ n
        ended = step.leave[last] * n[last] * MONTH_YEARS
        referred = float(ended @ step.chain[:, REFERRAL])
        flows[month] = begun + ended @ step.chain + referred * step.chain[REFERRAL]
        flows[month, REFERRAL] = source[month, REFERRAL] + referred
        decided[month] = ended[PRE_ENTRY]
        open_[month] = np.bincount(STAGE_OF_PHASE, weights=n, minlength=N_STAGES) * MONTH_YEARS
    return flows, open_, decided


def _stage_ends(at: Mapping[str, Array], memory_years: float) -> tuple[dict[str, float], Array]:
    """Chances of each cause and the mean stays of the stages, in one age band."""
    years = np.zeros(N_STAGES)
    chances: dict[str, float] = {}
    for stage, causes in STAGE_CAUSES:
        limit = memory_years if stage == CLOSED else math.inf
        found, years[stage] = race(np.stack([at[cause] for cause in causes]), limit)
        chances.update(zip(causes, found.tolist(), strict=True))
    return chances, years


def _chain(chance: Mapping[str, float], branching: Branching) -> Array:
    """Chance of going from each stage to each stage."""
    chain = np.zeros((N_STAGES, N_STAGES))
    to = {
        "closed": CLOSED,
        "early_help": EARLY_HELP,
        "assessment": ASSESSMENT,
        "support": SUPPORT,
        "protection": PROTECTION,
        "pre_entry": PRE_ENTRY,
    }

    def add(stage: int, weight: float, outcomes: Mapping[str, float]) -> None:
        for outcome, share in outcomes.items():
            if outcome in to:
                chain[stage, to[outcome]] += weight * share

    add(REFERRAL, 1.0, branching.referral)
    add(ASSESSMENT, 1.0, branching.assessment)
    add(SUPPORT, chance["support_ends"], branching.support)
    add(PROTECTION, chance["protection_ends"], branching.protection)
    add(PRE_ENTRY, 1 - branching.pre_entry_care, branching.pre_entry)
    add(PRE_ENTRY, branching.pre_entry_care, {"support": branching.some_stay})
    chain[EARLY_HELP, CLOSED] = chance["early_help_ends"]
    chain[EARLY_HELP, REFERRAL] = chance["early_help_steps_up"]
    chain[SUPPORT, PROTECTION] += chance["support_to_protection"]
    chain[SUPPORT, PRE_ENTRY] += chance["support_to_pre_entry"]
    chain[PROTECTION, PRE_ENTRY] += chance["protection_to_pre_entry"]
    chain[CLOSED, REFERRAL] = chance["re_referred"]
    return chain


def _within_a_year(chain: Array, at: Mapping[str, Array], memory_years: float) -> float:
    """Chance that a referral is followed by another of the same family within a year.

    The family is followed week by week from the referral through the stages (a semi-Markov chain): what flows out of a
    stage by a cause is the convolution of what flowed in with the density of that cause.
    """
    into = np.zeros((N_STAGES, WEEKS))
    into[REFERRAL, 0] = 1.0
    densities = {
        stage: weekly_density(np.stack([at[cause] for cause in causes]), memory_years if stage == CLOSED else math.inf)
        for stage, causes in STAGE_CAUSES
    }
    again = 0.0
    for _ in range(PASSES):
        flow = np.zeros_like(into)
        for stage in np.flatnonzero(into.any(axis=1)):
            later = into[stage] if stage == REFERRAL else np.convolve(into[stage], densities[int(stage)])[:WEEKS]
            flow += np.outer(chain[stage], later)
        again += float(flow[REFERRAL].sum())
        flow[REFERRAL] = 0.0
        into = flow
    return again


def weekly_density(hazards: Array, limit_years: float = math.inf) -> Array:
    """Share of the stays that end in each of the first 52 weeks; hazards [cause][duration band] per year.

    Relative to those that end within ``limit_years``, since the chain already holds the chance of that.
    """
    total = hazards.sum(axis=0)
    alive = np.exp(-(TIME_IN_BANDS @ total))
    ever = 1 - math.exp(-cumulated(total, min(limit_years, 1e3)))
    out: Array = -np.diff(alive) / max(ever, 1e-12)
    return out
