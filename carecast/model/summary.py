"""From values of every replication to ``summary.csv``: means, spreads and quantiles over replications.

Differences to the baseline are taken within each replication first and then summarised. Quantiles are of replications
by inverted CDF (the smallest value that at least the share p of replications do not exceed): each did occur.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carecast.model.calendar import Calendar

Values = NDArray[np.float64]
Row = tuple[str, str]  # measure, breakdown

BASELINE = "baseline"
DIFFERENCE = "difference_in_"
TOTAL = "total"
QUANTILES_PER_MILLE = {
    "p025": 25, "p05": 50, "p10": 100, "p25": 250, "p50": 500, "p75": 750, "p90": 900, "p95": 950, "p975": 975,
}  # fmt: skip
COLUMNS = ("scenario", "date", "measure", "breakdown", "mean", "sd", *QUANTILES_PER_MILLE)
DECIMALS = 2  # counts, percentages and pounds alike
VALUES_AT_ONCE = 4_000_000

MONTHLY_MEASURES = (
    "looked_after", "looked_after_away_from_home", "looked_after_at_home", "looked_after_in_community",
    "looked_after_in_residential", "continuing_care", "balance_of_care_percent", "within_radius_percent",
    "out_of_area_percent", "distance_unknown_percent", "early_help_waiting", "early_help_open", "support_open",
    "protection_open", "workforce_fte", "contacts", "referrals", "early_help_starts", "early_help_wait_days",
    "entries_to_care", "exits_from_care", "moves", "re_entries", "re_referral_12m_percent",
    "repeat_protection_18m_percent", "re_entry_12m_percent", "kinship_breakdowns", "three_placements_percent",
    "escalations_waiting", "siblings_together_percent",
)  # fmt: skip
YEARLY_MEASURES = (
    "gross_cost_gbp", "income_gbp", "net_cost_gbp", "programme_cost_gbp", "gross_saving_gbp", "net_saving_gbp",
    "cashable_saving_gbp", "avoided_cost_gbp", "released_capacity_gbp", "cumulative_net_saving_gbp", "reserves_gbp",
)  # fmt: skip
PROMISED = frozenset((*MONTHLY_MEASURES, *YEARLY_MEASURES))  # summary.csv holds these and no others


@dataclass(frozen=True, slots=True)
class Grid:
    """All values of one scenario at one frequency."""

    rows: tuple[Row, ...]
    dates: tuple[dt.date, ...]  # month ends, or 31 March of financial years
    values: Values  # [replication, row, date]

    @property
    def n_replications(self) -> int:
        """How many replications there are."""
        return int(self.values.shape[0])

    def has(self, measure: str, breakdown: str = TOTAL) -> bool:
        """Whether there is such a row."""
        return (measure, breakdown) in self.rows

    def of(self, measure: str, breakdown: str = TOTAL) -> Values:
        """Values of one row, [replication, date]; KeyError names the row that is missing."""
        if not self.has(measure, breakdown):
            raise KeyError(f"{measure} ({breakdown})")
        return self.values[:, self.rows.index((measure, breakdown)), :]

    def only(self, measures: frozenset[str]) -> "Grid":
        """The rows of these measures."""
        kept = [i for i, (measure, _) in enumerate(self.rows) if measure in measures]
        return Grid(tuple(self.rows[i] for i in kept), self.dates, self.values[:, kept, :])


@dataclass(frozen=True, slots=True)
class Answers:
    """All replications of one scenario."""

    scenario: str
    monthly: Grid
    yearly: Grid

    @property
    def grids(self) -> tuple[Grid, Grid]:
        """Monthly, then yearly."""
        return self.monthly, self.yearly

    def grid_of(self, measure: str, breakdown: str = TOTAL) -> Grid:
        """The grid that holds a row; KeyError names the row that is missing."""
        for grid in self.grids:
            if grid.has(measure, breakdown):
                return grid
        raise KeyError(f"{measure} ({breakdown})")


def monthly_grid(rows: Sequence[Row], calendar: Calendar, values: Values) -> Grid:
    """The monthly grid of a run from ``Tables.monthly`` of its replications, [replication, row, month]."""
    return Grid(tuple(rows), tuple(calendar.month_end_dates), values)


def difference(scenario: Grid, baseline: Grid) -> Values:
    """Scenario - baseline within each replication, [replication, row, date]; pounds to the penny."""
    if scenario.rows != baseline.rows or scenario.dates != baseline.dates:
        raise ValueError("scenario and baseline do not have the same rows and dates")
    if scenario.n_replications != baseline.n_replications:
        raise ValueError(
            f"{scenario.n_replications} replications of the scenario, {baseline.n_replications} of the baseline"
        )
    paired: Values = scenario.values - baseline.values
    money = [i for i, (measure, _) in enumerate(scenario.rows) if measure.endswith("_gbp")]
    paired[:, money, :] = np.round(paired[:, money, :], 2)
    return paired


def quantile_positions(n_replications: int, per_mille: Sequence[int]) -> list[int]:
    """Where the quantiles stand among sorted replications: ceil(p n) - 1, in whole numbers so that nothing rounds."""
    return [max(-(-p * n_replications // 1000) - 1, 0) for p in per_mille]


def spread(values: Values, per_mille: Sequence[int]) -> Values:
    """Mean, standard deviation and quantiles over the first axis: [statistic, ...]; sd is NaN for one replication."""
    n = values.shape[0]
    ordered = np.sort(np.moveaxis(values, 0, -1), axis=-1)
    sd = values.std(axis=0, ddof=1) if n > 1 else np.full(values.shape[1:], np.nan)
    quantiles = [ordered[..., at] for at in quantile_positions(n, per_mille)]
    return np.stack([values.mean(axis=0), sd, *quantiles])


def summarise(answers: Sequence[Answers], baseline: str = BASELINE) -> pd.DataFrame:
    """The content of ``summary.csv``: the promised measures of every scenario and their differences to the baseline."""
    base = next(found for found in answers if found.scenario == baseline)
    parts = []
    for found in answers:
        for grid, base_grid in zip(found.grids, base.grids, strict=True):
            promised = grid.only(PROMISED)
            parts.append(_table(found.scenario, promised.rows, promised.dates, promised.values))
            if found is not base:
                named = tuple((DIFFERENCE + measure, breakdown) for measure, breakdown in promised.rows)
                paired = difference(promised, base_grid.only(PROMISED))
                parts.append(_table(found.scenario, named, promised.dates, paired))
    return pd.concat(parts, ignore_index=True)


def to_csv(summary: pd.DataFrame) -> str:
    """The text of ``summary.csv``: two decimals everywhere, ISO dates, ``sd`` blank for one replication."""
    return summary.to_csv(index=False, float_format=f"%.{DECIMALS}f", lineterminator="\n")


def _table(scenario: str, rows: tuple[Row, ...], dates: tuple[dt.date, ...], values: Values) -> pd.DataFrame:
    """One line a row and date, rows in their order, dates within."""
    statistics = np.concatenate([spread(part, list(QUANTILES_PER_MILLE.values())) for part in _parts(values)], axis=1)
    flat = np.round(statistics.reshape(len(statistics), -1), DECIMALS) + 0.0  # no negative nought
    frame = pd.DataFrame(
        {
            "scenario": scenario,
            "date": np.tile([date.isoformat() for date in dates], len(rows)),
            "measure": np.repeat([measure for measure, _ in rows], len(dates)),
            "breakdown": np.repeat([breakdown for _, breakdown in rows], len(dates)),
        }
    )
    for name, column in zip(("mean", "sd", *QUANTILES_PER_MILLE), flat, strict=True):
        frame[name] = column
    return frame


def _parts(values: Values) -> Iterator[Values]:
    """The rows a few at a time, so that sorting needs little memory; at least one part even without rows."""
    n_replications, n_rows, n_dates = values.shape
    step = max(VALUES_AT_ONCE // max(n_replications * n_dates, 1), 1)
    for first in range(0, max(n_rows, 1), step):
        yield values[:, first : first + step, :]
