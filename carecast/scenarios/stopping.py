"""How many replications: a fixed number, or until the tails are known well enough.

The rule watches the 10th and 90th percentile, not the mean: it stops when the half-width of their 95 % intervals is at
most 1 % of the mean, for children looked after at the end and for the cost of the last whole year. Intervals are by order
statistics, free of any assumption on the distribution: ranks n p -/+ 1.96 sqrt(n p (1 - p)).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from carecast.model.calendar import financial_year
from carecast.model.summary import BASELINE, Answers

Z_95 = 1.959964
WIDTH = 0.01
STEP = 200
HEADLINES = ("looked_after", "looked_after_away_from_home", "gross_cost_gbp", "net_saving_gbp")
SEARCH_ROWS = 2048  # rows from here on are kept for verifying what was optimised on the others


def half_width(values: np.ndarray, p: float) -> float:
    """Half-width of the 95 % interval of a quantile over replications; infinite with too few of them."""
    n = len(values)
    spread = Z_95 * math.sqrt(n * p * (1 - p))
    low, high = math.floor(n * p - spread) - 1, math.ceil(n * p + spread) - 1
    if low < 0 or high >= n:
        return math.inf
    ordered = np.sort(values)
    return float(ordered[high] - ordered[low]) / 2


def relative_error(values: np.ndarray) -> float:
    """The wider of the half-widths of the 10th and 90th percentile, as a share of the mean."""
    mean = abs(float(np.mean(values)))
    if mean == 0:
        return 0.0
    return max(half_width(values, 0.1), half_width(values, 0.9)) / mean


@dataclass
class Rule:
    """A fixed number, or (None) until the watched values are known within 1 %, capped at the draws there are."""

    fixed: int | None
    n_draws: int
    reached: bool | None = None
    error: float | None = None

    @property
    def cap(self) -> int:
        """The most that will be told."""
        return self.fixed if self.fixed is not None else min(SEARCH_ROWS, max(self.n_draws, 1))

    def next_total(self, done: int, watched: Callable[[], Sequence[Any]]) -> int:
        """How many replications there should be next; no more than ``done`` when it is enough."""
        if self.fixed is not None:
            return self.fixed
        if done:
            self.error = max(relative_error(np.asarray(values)) for values in watched())
            self.reached = self.error <= WIDTH
            if self.reached:
                return done
        return min(done + STEP, self.cap)

    def verdict(self, done: int) -> dict[str, Any]:
        """What ``run.json`` says of it."""
        if self.fixed is not None:
            return {"rule": "fixed", "replications": done}
        error = None if self.error is None or math.isinf(self.error) else round(self.error, 5)
        return {
            "rule": "auto",
            "replications": done,
            "reached": bool(self.reached),
            "relative_half_width": error,
            "cap": self.cap,
        }


def monte_carlo(answers: Sequence[Answers], part_years: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Monte Carlo error of the headlines: standard error of the mean over replications, scenario by scenario.

    Children at the end of the run, pounds in its last whole financial year (its last part of one when there is none).
    """
    rows = []
    for found in answers:
        for measure in HEADLINES:
            grid = found.grid_of(measure)
            if not grid.dates or (found.scenario == BASELINE and measure == "net_saving_gbp"):
                continue
            whole = [at for at, date in enumerate(grid.dates) if financial_year(date) not in part_years]
            at = whole[-1] if grid is found.yearly and whole else -1
            values = grid.of(measure)[:, at]
            error = float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
            rows.append({
                "scenario": found.scenario, "measure": measure, "date": grid.dates[at].isoformat(),
                "mean": round(float(values.mean()), 2), "standard_error": None if error is None else round(error, 2),
            })  # fmt: skip
    return rows
