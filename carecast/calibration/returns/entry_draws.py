"""Rows of draws whose entries are the fitted ones, whatever the rest of the pathway is in that row.

    care chance = centre x level x decisions at the centre / decisions in the row,

so what is uncertain of the front door is not added to what is uncertain of entries. How decisions answer to contacts,
branches and hazards outside care is a linear regression of their logs over rows solved in the steady state.
"""

import math
from collections.abc import Mapping

import numpy as np

from carecast.calibration import funnel as fn
from carecast.calibration.arrays import Array
from carecast.calibration.returns import stays as st
from carecast.calibration.returns.close import LEAST_CARE, MOST_CARE
from carecast.model import words as w
from carecast.model.parameters import N_DRAWS, ParameterSet

SAMPLED_ROWS = 96
RIDGE = 1e-3
MOST_CHANCE = MOST_CARE + 0.2  # of care, in any row of the draws
BOUND_ROUNDS = 6
OUTSIDE = tuple(cause for _, causes in fn.STAGE_CAUSES for cause in causes)


def pathway_columns(parameters: ParameterSet, draws: Mapping[str, Array], level: Array) -> dict[str, Array]:
    """Columns of the pre-entry branches: chances of care that give every row its own level of entries."""
    decisions = decisions_relative(parameters, draws)
    out: dict[str, Array] = {}
    for branch in parameters.branches:
        if branch.branch != "pre_entry":
            continue
        care = branch.chances.get("care_at_home", 0.0) + branch.chances.get("care_away", 0.0)
        home = branch.chances.get("care_at_home", 0.0) / care if care > 0 else 0.0
        chance = within(care, level / decisions)
        rest = {name: p for name, p in branch.chances.items() if not name.startswith("care_")}
        scale = (1 - chance) / max(sum(rest.values()), 1e-9)
        for age in branch.age_bands or w.AGE_BANDS:
            stem = f"branch.pre_entry.{age}."
            out |= {stem + name: p * scale for name, p in rest.items()}
            out |= {stem + "care_at_home": chance * home, stem + "care_away": chance * (1 - home)}
    return out


def within(care: float, relative: Array) -> Array:
    """Chances around a central one, held to what a chance can be without moving their mean."""
    scale = 1.0
    for _ in range(BOUND_ROUNDS):
        chance = np.clip(care * scale * relative, LEAST_CARE / 4, MOST_CHANCE)
        scale *= care * float(relative.mean()) / float(chance.mean())
    out: Array = np.clip(care * scale * relative, LEAST_CARE / 4, MOST_CHANCE)
    return out


def decisions_relative(parameters: ParameterSet, draws: Mapping[str, Array]) -> Array:
    """Pre-entry decisions of every row relative to the central ones; mean one."""
    columns = _columns(parameters, draws)
    if not columns:
        return np.ones(N_DRAWS)
    central = math.log(_decisions(parameters, {}))
    centre = {name: _central(parameters, name) for name in columns}
    features = np.stack([_ln(draws[name]) - _ln(np.array(centre[name])) for name in columns], axis=1)
    sampled = np.arange(0, N_DRAWS, N_DRAWS // SAMPLED_ROWS)
    answers = np.array(
        [math.log(_decisions(parameters, {name: float(draws[name][row]) for name in columns})) for row in sampled]
    )
    x = features[sampled]
    slopes = np.linalg.solve(x.T @ x + RIDGE * len(sampled) * np.eye(x.shape[1]), x.T @ (answers - central))
    relative = np.exp(np.clip(features @ slopes, -1.5, 1.5))
    out: Array = relative / float(np.mean(1 / relative)) ** -1
    return out


def _ln(values: Array) -> Array:
    out: Array = np.log(np.maximum(values, 1e-6))
    return out


def _columns(parameters: ParameterSet, draws: Mapping[str, Array]) -> list[str]:
    """Columns that decisions depend on; branches by the age band most families are in."""
    names = ["arrivals.contact_families_per_year"]
    for branch in parameters.branches:
        if branch.branch in ("contact", "referral", "assessment", "support", "protection") and AGE in branch.age_bands:
            names += [f"branch.{branch.branch}.{AGE}.{outcome}" for outcome in branch.chances]
    names += [f"rate.{rate.cause}.{rate.label}" for rate in parameters.rates if rate.cause in OUTSIDE]
    return [name for name in names if name in draws and float(np.ptp(draws[name])) > 0]


AGE = "5_to_9"  # branches outside the pre-entry decision are alike over ages in the shipped packs


def _central(parameters: ParameterSet, name: str) -> float:
    if name.startswith("rate."):
        return 1.0
    if name.startswith("branch."):
        _, kind, age, outcome = name.split(".", 3)
        return next(b.chances[outcome] for b in parameters.branches if b.branch == kind and age in b.age_bands)
    return parameters.number(name)


def _decisions(parameters: ParameterSet, row: Mapping[str, float]) -> float:
    """Pre-entry decisions a year in the steady state, with the numbers of a row in place of the central ones."""
    chances = {name: dict(_branch(parameters, name, row)) for name in
               ("contact", "referral", "assessment", "support", "protection")}  # fmt: skip
    hazards = {}
    for rate in parameters.rates:
        if rate.cause in OUTSIDE:
            table = np.array(rate.per_year)[: st.N_AGES]
            hazards[rate.cause] = table * row.get(f"rate.{rate.cause}.{rate.label}", 1.0)
    ages = np.array(parameters.series["ages.contact"].values)
    contacts = row.get("arrivals.contact_families_per_year", parameters.number("arrivals.contact_families_per_year"))
    by_month = np.repeat(ages / ages.sum() / 12, 12) * contacts
    pre_entry = dict(_branch(parameters, "pre_entry", {}))
    care = pre_entry.pop("care_at_home", 0.0) + pre_entry.pop("care_away", 0.0)
    branching = fn.Branching(
        **chances, pre_entry_care=care,
        pre_entry={name: p / max(1 - care, 1e-9) for name, p in pre_entry.items()}, some_stay=0.3,
    )  # fmt: skip
    memory = parameters.number("closed.memory_days") / w.DAYS_PER_YEAR
    return float(fn.solve(by_month, hazards, branching, memory).decided.sum())


def _branch(parameters: ParameterSet, name: str, row: Mapping[str, float]) -> Mapping[str, float]:
    found = next(b for b in parameters.branches if b.branch == name and AGE in b.age_bands)
    chances = {outcome: row.get(f"branch.{name}.{AGE}.{outcome}", p) for outcome, p in found.chances.items()}
    total = sum(chances.values())
    return {outcome: p / total for outcome, p in chances.items()}
