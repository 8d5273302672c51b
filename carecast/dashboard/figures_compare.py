"""The numbers of the page *Compare*: scenarios of a run against one of them. No words, no colours, no Streamlit.

Everything comes from the functions that ``carecast compare`` and ``carecast savings`` print from, so the numbers agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from carecast.dashboard import figures
from carecast.dashboard.figures import Figure
from carecast.model.summary import TOTAL
from carecast.scenarios.compare import compare, safety_beside_savings
from carecast.scenarios.money_answers import ALL_YEARS, Kind, money_answers, savings_table
from carecast.scenarios.run import Run

POUNDS = 100.0  # pence
MINIMUM = "reserves.policy_minimum_gbp"


@dataclass(frozen=True)
class Choice:
    """What is compared: scenarios of a run, against one of them, in one kind of terms and one financial year."""

    run: Run
    names: tuple[str, ...]
    against: str
    kind: Kind = "cash"
    year: str = ALL_YEARS  # a financial year, or the whole run

    @property
    def everyone(self) -> tuple[str, ...]:
        """The one compared against, then the others."""
        return (self.against, *self.names)


def records_by(frame: pd.DataFrame, key: str) -> dict[str, dict[Any, Any]]:
    """Rows of a table by what stands in one column of them, where each has its own."""
    return {str(row[key]): row for row in frame.to_dict("records")}


def paths(choice: Choice, measure: str) -> pd.DataFrame:
    """Every month end of a measure in every scenario (``figures.path``)."""
    return pd.concat([figures.path(choice.run.answer(name), measure) for name in choice.everyone], ignore_index=True)


def differences(choice: Choice, measures: Sequence[str], at: str) -> pd.DataFrame:
    """Paired differences of some measures on one date (ISO), by scenario; ``scenarios.compare.compare`` has the columns."""
    found = compare(choice.run.answers, choice.against)
    kept = found["measure"].isin(list(measures)) & (found["breakdown"] == TOTAL) & (found["date"] == at)
    return found[kept & found["scenario"].isin(choice.names)].reset_index(drop=True)


def safety(choice: Choice) -> pd.DataFrame:
    """Safety measures of every scenario over the last twelve months (``safety_beside_savings``)."""
    found = safety_beside_savings(choice.run.answers, choice.against)
    return found[found["scenario"].isin(choice.names) & found["chance_worse"].notna()].reset_index(drop=True)


def savings(choice: Choice) -> pd.DataFrame:
    """Savings by year, line, funder and lever of every scenario (``money_answers.savings_table``)."""
    tables = [savings_table(choice.run, name, choice.kind, choice.against) for name in choice.names]
    return pd.concat(tables, ignore_index=True)


def total_of(frame: pd.DataFrame, scenario: str, measure: str, year: str, breakdown: str = TOTAL) -> Figure | None:
    """One figure of ``savings``; None where the table has none."""
    at = frame[(frame["scenario"] == scenario) & (frame["measure"] == measure)
               & (frame["breakdown"] == breakdown) & (frame["financial_year"] == year)]  # fmt: skip
    if at.empty:
        return None
    row = at.iloc[0]
    return Figure(float(row["mean"]), float(row["p10"]), float(row["p90"]))


def answers(choice: Choice) -> dict[str, dict[str, Any]]:
    """Net saving of the run in all terms, payback and full-year effect, by scenario (``money_answers``)."""
    return {name: money_answers(choice.run, name, choice.against) for name in choice.names}


def spend_by_year(choice: Choice) -> pd.DataFrame:
    """Gross cost of all lines and the programme by financial year: scenario, year, is_part, mean, p10, p90; cash."""
    rows: list[dict[str, Any]] = []
    for name in choice.everyone:
        values = figures.all_cost(choice.run.answer(name).yearly)
        for at, year in enumerate(figures.years(choice.run)):
            rows.append({"scenario": name, "year": year, **_row(choice.run, year, values[:, at])})
    return pd.DataFrame(rows)


def cost_parts(choice: Choice, dimension: str, year: str) -> pd.DataFrame:
    """What each line (gross) or funder (net, programme included) costs in a year: part, then a mean a scenario; cash."""
    measure = "gross_cost_gbp" if dimension == "line" else "net_cost_gbp"
    at = figures.years(choice.run).index(year)
    found: dict[str, dict[str, float]] = {}
    for name in choice.everyone:
        grid = choice.run.answer(name).yearly
        for row_measure, breakdown in grid.rows:
            if row_measure == measure and breakdown.startswith(f"{dimension}="):
                mean = round(float(grid.of(measure, breakdown)[:, at].mean()), 2)
                found.setdefault(breakdown.removeprefix(f"{dimension}="), {})[name] = mean
    frame = pd.DataFrame.from_dict(found, orient="index", columns=list(choice.everyone))
    frame = frame[(frame.abs() > 0).any(axis=1)]
    order = frame[choice.against].abs().sort_values(ascending=False, kind="stable").index
    return frame.loc[order].reset_index(names="part")


def cumulative(choice: Choice, frame: pd.DataFrame) -> pd.DataFrame:
    """Net saving since the start by financial year: scenario, year, is_part, mean, p10, p90; in the terms of ``frame``."""
    part = frame[(frame["measure"] == "cumulative_net_saving_gbp") & (frame["breakdown"] == TOTAL)]
    part = part.rename(columns={"financial_year": "year"})
    is_part = [figures.is_part_year(choice.run, str(year)) for year in part["year"]]
    return part.assign(is_part=is_part)[["scenario", "year", "is_part", "mean", "p10", "p90"]].reset_index(drop=True)


def reserves(choice: Choice) -> pd.DataFrame:
    """Reserves at 31 March: scenario, year, mean, p10, p90, breach (chance), recurring (mean paid from them); pounds."""
    rows: list[dict[str, Any]] = []
    held = [choice.run.calendar.financial_years.index(year) for year in figures.years(choice.run)]
    for name in choice.everyone:
        path = choice.run.reserves(name)
        for at, year in zip(held, figures.years(choice.run), strict=True):
            rows.append({
                "scenario": name, "year": year, **_row(choice.run, year, path.balance[:, at] / POUNDS),
                "breach": float(path.breach[:, at].mean()),
                "recurring": float(path.recurring_paid[:, at].mean()) / POUNDS,
            })  # fmt: skip
    return pd.DataFrame(rows)


def minimum_reserves(run: Run) -> float | None:
    """The policy minimum of reserves in pounds, or None where the council has given none."""
    found = run.record["parameters"]["numbers"].get(MINIMUM)
    return float(found["value"]) if found else None


def _row(run: Run, year: str, values: np.ndarray) -> dict[str, Any]:
    found = figures.figure(values)
    return {"is_part": figures.is_part_year(run, year), "mean": found.mean, "p10": found.low, "p90": found.high}
