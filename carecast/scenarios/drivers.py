"""Which uncertain numbers matter: how each goes with an answer over the replications of a run.

Spearman's rank correlation between the draws of one number (replication i uses row i of the joint draws, and its own draw
of each lever's size) and the answer of the same replications: the correlation of their ranks, ties sharing their mean
rank. It says what goes together in these draws, not what causes what: numbers that were fitted together move together,
and what drifts within a replication is no column of the draws.

With n replications a correlation of nothing but chance stays below 1.96 / sqrt(n) nineteen times in twenty; with m
numbers looked at, the largest of them all stays below z(1 - 0.05 / 2m) / sqrt(n). What is below the first is left out,
what is between the two is marked as perhaps chance.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from carecast.model.parameters import Calibrated
from carecast.model.plan import Plan
from carecast.model.summary import BASELINE, Answers
from carecast.scenarios.scenario import Scenario
from carecast.scenarios.uncertain import Uncertain, of_levers, of_parameters

MOST = 20  # kept for each question
Z_95 = 1.959964
FEWEST = 10  # replications below which nothing can be said
NEVER_IN_COST = ("reserves.", "deflator.", "discount.")  # no cost or saving depends on them
Floats = NDArray[np.float64]


def drivers(calibrated: Calibrated, scenarios: Sequence[Scenario], plans: Sequence[Plan], answers: Sequence[Answers],
            seed: int, part_years: Sequence[str]) -> list[dict[str, Any]]:  # fmt: skip
    """What goes with baseline gross cost, and with each other scenario's net saving, in the last whole financial year.

    One entry a question: measure, scenario, financial_year, replications, tried, limit, limit_of_all, and rows of the
    numbers with the largest correlation.
    """
    year = last_whole_year(answers[0], part_years)
    n = answers[0].yearly.n_replications
    if year is None or n < FEWEST:
        return []
    columns = {
        str(name): calibrated.draws[name].to_numpy(dtype=float)
        for name in calibrated.draws.columns
        if not str(name).startswith(NEVER_IN_COST)
    }
    numbers = of_parameters(calibrated.parameters, columns, n) if len(calibrated.draws) else []
    found = []
    for scenario, plan, answer in zip(scenarios, plans, answers, strict=True):
        measure = "gross_cost_gbp" if answer.scenario == BASELINE else "net_saving_gbp"
        values = answer.yearly.of(measure)[:, year]
        rows, tried = importance((*numbers, *of_levers(scenario, plan, seed, n)), values)
        date = answer.yearly.dates[year]
        found.append({
            "measure": measure, "scenario": answer.scenario, "financial_year": f"{date.year - 1}-{date.year % 100:02d}",
            "replications": n, "tried": tried, "limit": round(limit(n), 4), "limit_of_all": round(limit_of_all(n, tried), 4),
            "rows": rows,
        })  # fmt: skip
    return found


def last_whole_year(answer: Answers, part_years: Sequence[str]) -> int | None:
    """Position of the last financial year that the run holds from 1 April to 31 March."""
    dates = answer.yearly.dates
    whole = [at for at, date in enumerate(dates) if f"{date.year - 1}-{date.year % 100:02d}" not in part_years]
    return whole[-1] if whole else None


def limit(n: int) -> float:
    """What one correlation of chance alone stays below 19 times in 20."""
    return Z_95 / math.sqrt(n)


def limit_of_all(n: int, tried: int) -> float:
    """What the largest of all correlations of chance alone stays below 19 times in 20 (Bonferroni)."""
    return float(stats.norm.isf(0.025 / max(tried, 1))) / math.sqrt(n)


def rank_correlations(columns: Floats, values: Floats) -> Floats:
    """Spearman's correlation of each column [replication, column] with the values; 0 for a column that never varies."""
    ranks = stats.rankdata(columns, axis=0)
    ranks -= ranks.mean(axis=0)
    answer = stats.rankdata(values)
    answer -= answer.mean()
    size = np.sqrt((ranks**2).sum(axis=0) * (answer**2).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(size > 0, (ranks * answer[:, None]).sum(axis=0) / size, 0.0)
    return found


def importance(numbers: Sequence[Uncertain], values: Floats) -> tuple[list[dict[str, Any]], int]:
    """Rows of the numbers that go with the values beyond chance, the strongest first; and how many were looked at."""
    varied = [number for number in numbers if np.ptp(number.draws) > 0]
    if not varied or np.ptp(values) == 0:
        return [], len(varied)
    found = rank_correlations(np.column_stack([number.draws for number in varied]), values)
    beyond_all = limit_of_all(len(values), len(varied))
    order = [at for at in np.argsort(-np.abs(found), kind="stable") if abs(found[at]) >= limit(len(values))]
    return [_row(varied[at], float(found[at]), beyond_all) for at in order[:MOST]], len(varied)


def _row(number: Uncertain, correlation: float, beyond_all: float) -> dict[str, Any]:
    return {
        "id": number.id, "label": number.label, "correlation": round(correlation, 3),
        "perhaps_chance": abs(correlation) < beyond_all, "central": number.central, "low_80": number.low_80,
        "high_80": number.high_80, "unit": number.unit, "how": number.how, "where": number.where,
    }  # fmt: skip
