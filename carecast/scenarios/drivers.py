"""Which uncertain numbers matter: how each goes with an answer over the replications of a run.

Spearman's rank correlation: the correlation of ranks, ties sharing their mean rank, between the draws of one number and
the answer of the same replications. First the drift of demand, leaving care and moves, which is most of the spread; then
every other number (replication i uses row i of the joint draws, and its own draw of each lever's size), with what the
drift explains taken out of both ranks by least squares, so that it does not hide the rest (partial rank correlation).

It says what goes together in these draws, not what causes what: numbers that were fitted together move together.
With n replications a correlation of nothing but chance stays below 1.96 / sqrt(n) nineteen times in twenty; with m
numbers looked at, the largest of them all stays below z(1 - 0.05 / 2m) / sqrt(n). What is below the first is left out,
what is between the two is marked as perhaps chance.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carecast.model.calendar import Calendar, financial_year
from carecast.model.parameters import Calibrated
from carecast.model.plan import Plan
from carecast.model.summary import BASELINE, Answers
from carecast.scenarios.scenario import Scenario
from carecast.scenarios.uncertain import Uncertain, of_drift, of_levers, of_parameters

MOST = 20  # kept for each question
Z_95 = 1.959964
FEWEST = 10  # replications below which nothing can be said
NEVER_IN_COST = ("reserves.", "deflator.", "discount.")  # no cost or saving depends on them
Floats = NDArray[np.float64]


def drivers(calibrated: Calibrated, scenarios: Sequence[Scenario], plans: Sequence[Plan], answers: Sequence[Answers],
            seed: int, calendar: Calendar) -> list[dict[str, Any]]:  # fmt: skip
    """What goes with baseline gross cost, and with each other scenario's net saving, in the last whole financial year.

    One entry a question: measure, scenario, financial_year, replications, tried, limit, limit_of_all, drift_share (of the
    variance of ranks), and rows of the numbers with the largest correlation.
    """
    year = last_whole_year(answers[0], calendar.part_years)
    n = answers[0].yearly.n_replications
    if year is None or n < FEWEST:
        return []
    columns = {str(name): calibrated.draws[name].to_numpy(dtype=float) for name in calibrated.draws.columns}
    drift = of_drift(calibrated.parameters, columns, calendar.n_months, seed, n)
    columns = {name: values for name, values in columns.items() if not name.startswith(NEVER_IN_COST)}
    numbers = of_parameters(calibrated.parameters, columns, n)
    found = []
    for scenario, plan, answer in zip(scenarios, plans, answers, strict=True):
        measure = "gross_cost_gbp" if answer.scenario == BASELINE else "net_saving_gbp"
        values = answer.yearly.of(measure)[:, year]
        others = (*numbers, *of_levers(scenario, plan, seed, n))
        head = {
            "measure": measure, "scenario": answer.scenario, "financial_year": financial_year(answer.yearly.dates[year]),
            "replications": n,
        }  # fmt: skip
        found.append({**head, **importance(drift, others, values)})
    return found


def last_whole_year(answer: Answers, part_years: Sequence[str]) -> int | None:
    """Position of the last financial year that the run holds from 1 April to 31 March."""
    whole = [at for at, date in enumerate(answer.yearly.dates) if financial_year(date) not in part_years]
    return whole[-1] if whole else None


def limit(n: int) -> float:
    """What one correlation of chance alone stays below 19 times in 20."""
    return Z_95 / math.sqrt(n)


def limit_of_all(n: int, tried: int) -> float:
    """What the largest of all correlations of chance alone stays below 19 times in 20 (Bonferroni)."""
    from scipy import stats  # half a second to import: only where it is used

    return float(stats.norm.isf(0.025 / max(tried, 1))) / math.sqrt(n)


def centred_ranks(values: Floats) -> Floats:
    """Ranks along the first axis, ties sharing their mean rank, about their mean."""
    from scipy import stats

    ranks = np.asarray(stats.rankdata(values, axis=0), dtype=float)
    centred: Floats = ranks - ranks.mean(axis=0)
    return centred


def without(ranks: Floats, explained: Floats) -> Floats:
    """What least squares on the columns of ``explained`` leaves of centred ranks."""
    if not explained.shape[1]:
        return ranks
    left: Floats = ranks - explained @ np.linalg.lstsq(explained, ranks, rcond=None)[0]
    return left


def correlations(columns: Floats, values: Floats) -> Floats:
    """Correlation of each centred column [replication, column] with the centred values; 0 where either never varies."""
    size = np.sqrt((columns**2).sum(axis=0) * (values**2).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(size > 1e-9, (columns * values[:, None]).sum(axis=0) / size, 0.0)
    return found


def importance(drift: Sequence[Uncertain], numbers: Sequence[Uncertain], values: Floats) -> dict[str, Any]:
    """Rows of the numbers that go with the values beyond chance, the strongest first; how many were looked at; limits."""
    n = len(values)
    drifts, varied = ([number for number in group if np.ptp(number.draws) > 0] for group in (drift, numbers))
    tried = len(drifts) + len(varied)
    answer = centred_ranks(values)
    walks = centred_ranks(np.column_stack([np.zeros((n, 0)), *(number.draws for number in drifts)]))
    others = centred_ranks(np.column_stack([np.zeros((n, 0)), *(number.draws for number in varied)]))
    left = without(answer, walks)
    found = np.concatenate([correlations(walks, answer), correlations(without(others, walks), left)])
    beyond_all = limit_of_all(n, tried)
    order = [at for at in np.argsort(-np.abs(found), kind="stable") if abs(found[at]) >= limit(n)]
    both = [*drifts, *varied]
    varies = float((answer**2).sum())
    return {
        "tried": tried, "limit": round(limit(n), 4), "limit_of_all": round(beyond_all, 4),
        "drift_share": round(1.0 - float((left**2).sum()) / varies, 3) if varies else 0.0,
        "rows": [_row(both[at], float(found[at]), beyond_all) for at in order[:MOST]],
    }  # fmt: skip


def _row(number: Uncertain, correlation: float, beyond_all: float) -> dict[str, Any]:
    return {
        "id": number.id, "label": number.label, "correlation": round(correlation, 3),
        "perhaps_chance": abs(correlation) < beyond_all, "central": number.central, "low_80": number.low_80,
        "high_80": number.high_80, "unit": number.unit, "how": number.how, "where": number.where,
    }  # fmt: skip
