"""The referral funnel of a whole parameter set in the steady state (``calibration.funnel``)."""

from collections.abc import Mapping

import numpy as np

from carecast.calibration import funnel as fn
from carecast.calibration.arrays import Array
from carecast.model import words as w
from carecast.model.parameters import ParameterSet

BRANCHES = ("contact", "referral", "assessment", "support", "protection")
OUTSIDE = tuple(cause for _, causes in fn.STAGE_CAUSES for cause in causes)
SOME_STAY = 0.3  # share of families of whom somebody stays when others enter care; a small flow


def tables(parameters: ParameterSet) -> dict[str, Array]:
    """Hazards outside care, [age band of children][duration band] per year, by cause."""
    return {r.cause: np.array(r.per_year)[: fn.N_BANDS] for r in parameters.rates if r.cause in OUTSIDE}


def chances(parameters: ParameterSet) -> dict[str, dict[str, float]]:
    """Chances at the branches before the pre-entry decision: the mean over age bands, by children of an age."""
    width = np.diff([*w.AGE_BAND_STARTS_YEARS]).astype(float)
    out: dict[str, dict[str, float]] = {}
    for name in (*BRANCHES, "pre_entry"):
        found: dict[str, float] = {}
        for branch in (b for b in parameters.branches if b.branch == name):
            ages = [age for age in branch.age_bands or w.AGE_BANDS if age in w.AGE_BANDS[: fn.N_BANDS]]
            weight = sum(width[w.AGE_BANDS.index(age)] for age in ages) / width.sum()
            for outcome, chance in branch.chances.items():
                found[outcome] = found.get(outcome, 0.0) + float(weight) * chance
        total = sum(found.values())
        out[name] = {outcome: chance / total for outcome, chance in found.items()}
    return out


def steady(
    parameters: ParameterSet,
    hazards: Mapping[str, Array] | None = None,
    branches: Mapping[str, Mapping[str, float]] | None = None,
    contacts: float | None = None,
    ages: Array | None = None,
) -> fn.Funnel:
    """Families a year into each stage, in the steady state.

    Args:
        parameters: the set.
        hazards: by cause, in place of the set's own.
        branches: by name, in place of the set's own.
        contacts: families a year, in place of the set's own.
        ages: chances by year of age of the lead child, in place of the set's own.
    """
    at = {name: dict(found) for name, found in (chances(parameters) | dict(branches or {})).items()}
    before = at.pop("pre_entry")
    care = before.pop("care_at_home", 0.0) + before.pop("care_away", 0.0)
    others = {name: chance / max(1 - care, 1e-9) for name, chance in before.items()}
    branching = fn.Branching(**{name: at[name] for name in BRANCHES}, pre_entry_care=care, pre_entry=others,
                             some_stay=SOME_STAY)  # fmt: skip
    by_age = np.array(parameters.series["ages.contact"].values) if ages is None else ages
    families = parameters.number("arrivals.contact_families_per_year") if contacts is None else contacts
    by_month = np.repeat(by_age / by_age.sum() / 12, 12) * families
    memory = parameters.number("closed.memory_days") / w.DAYS_PER_YEAR
    return fn.solve(by_month, tables(parameters) | dict(hazards or {}), branching, memory)
