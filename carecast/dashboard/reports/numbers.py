"""The numbers of a run as a report may show them: those of ``summary.csv``, small counts of the start date left out."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from carecast.cli import sections
from carecast.dashboard import telling
from carecast.dashboard.disclosure import is_small, suppress_start
from carecast.dashboard.reports.shapes import Value, iso, known
from carecast.model.calendar import financial_year
from carecast.model.summary import BASELINE, PROMISED, QUANTILES_PER_MILLE, TOTAL, difference, summarise
from carecast.model.workforce import MEASURE, ROLES
from carecast.scenarios.run import Run

STATISTICS = ("mean", "sd", *QUANTILES_PER_MILLE)
AWAY = "looked_after_away_from_home"
OF_AWAY = ("within_radius_percent", "out_of_area_percent", "distance_unknown_percent")  # shares of children away
Row = dict[str, "pd.Series[float]"]


@dataclass(frozen=True)
class Numbers:
    """A run with its summary as it may be seen."""

    run: Run

    # --- what there is ----------------------------------------------------------------------------
    @property
    def nation(self) -> str:
        """The nation whose words are used."""
        return str(self.run.record["nation"])

    @cached_property
    def scenarios(self) -> tuple[str, ...]:
        """Names of the scenarios, the baseline first."""
        return tuple(found.scenario for found in self.run.answers)

    @cached_property
    def others(self) -> tuple[str, ...]:
        """Scenarios beside the baseline."""
        return tuple(name for name in self.scenarios if name != BASELINE)

    @cached_property
    def programmes(self) -> tuple[str, ...]:
        """Scenarios that choose something."""
        return tuple(found.scenario for found in sections.programmes(self.run))

    @property
    def main(self) -> str | None:
        """The scenario a report is first about: the first that chooses something, or else the first beside the baseline."""
        return next(iter((*self.programmes, *self.others)), None)

    @cached_property
    def months(self) -> tuple[str, ...]:
        """Month ends, ISO."""
        return tuple(iso(date) for date in self.run.answer(BASELINE).monthly.dates)

    @cached_property
    def year_ends(self) -> tuple[str, ...]:
        """31 March of each financial year of the run, ISO."""
        return tuple(iso(date) for date in self.run.answer(BASELINE).yearly.dates)

    @cached_property
    def years(self) -> tuple[str, ...]:
        """Financial years of the run."""
        return tuple(financial_year(date) for date in self.run.answer(BASELINE).yearly.dates)

    def is_part(self, year: str) -> bool:
        """Whether the run holds only a part of a financial year."""
        return year in self.run.record["part_years"]

    @property
    def last_year(self) -> str:
        """The last financial year the run holds whole, or the last it holds anything of; '' for none."""
        whole = [year for year in self.years if not self.is_part(year)]
        return next(reversed(whole or list(self.years)), "")

    def year_note(self, year: str) -> str:
        """That a year is held in part only."""
        return "part year" if self.is_part(year) else ""

    def label(self, measure: str) -> str:
        """What the nation calls a measure, the radius said."""
        return telling.label(self.nation, measure, float(self.run.record["radius_miles"]))

    # --- the numbers ------------------------------------------------------------------------------
    @cached_property
    def summary(self) -> pd.DataFrame:
        """``summary.csv`` of the report's scenarios for export: as it is, small counts of the start date blank."""
        return safe(self._raw())

    def _raw(self) -> pd.DataFrame:
        file = self.run.folder / "summary.csv"
        if not file.is_file():  # a run that was never written
            return summarise(self.run.answers)
        frame = pd.read_csv(file)
        kept: pd.DataFrame = frame[frame["scenario"].isin(self.scenarios)].reset_index(drop=True)
        return kept

    @cached_property
    def cells(self) -> dict[tuple[str, str, str], pd.DataFrame]:
        """Rows of the summary by (scenario, measure, breakdown), by date; means not yet rounded, so that parts add up."""
        frame = self.summary.copy()
        exact = np.concatenate([self._means(name) for name in self.scenarios])
        if len(exact) == len(frame):
            close = np.isclose(exact, frame["mean"], rtol=0, atol=0.0051)
            frame["mean"] = frame["mean"].where(~close, exact)
        found = frame.set_index("date").groupby(["scenario", "measure", "breakdown"], sort=False)
        return {key: part for key, part in found}  # type: ignore[misc]

    def _means(self, name: str) -> np.ndarray:
        """Means of a scenario in the order of ``summary.csv``."""
        answer, base = self.run.answer(name), self.run.answer(BASELINE)
        parts = []
        for grid, base_grid in zip(answer.grids, base.grids, strict=True):
            ours = grid.only(PROMISED)
            parts.append(ours.values.mean(axis=0).ravel())
            if name != BASELINE:
                parts.append(difference(ours, base_grid.only(PROMISED)).mean(axis=0).ravel())
        return np.concatenate(parts)

    def has(self, measure: str, breakdown: str = TOTAL) -> bool:
        """Whether the run has such a row."""
        return (BASELINE, measure, breakdown) in self.cells

    def value(self, scenario: str, measure: str, date: str, statistic: str = "mean", breakdown: str = TOTAL) -> Value:
        """One number; None where it is left out."""
        return known(float(self.cells[scenario, measure, breakdown].at[date, statistic]))  # type: ignore[arg-type]

    def values(
        self, scenario: str, measure: str, date: str, statistics: tuple[str, ...], breakdown: str = TOTAL
    ) -> tuple[Value, ...]:
        """Several statistics of one number."""
        return tuple(self.value(scenario, measure, date, statistic, breakdown) for statistic in statistics)

    def path(self, scenario: str, measure: str) -> pd.DataFrame:
        """Every date of a measure, for charts: scenario as people say it, date and the statistics; hidden dates left out."""
        part = self.cells[scenario, measure, TOTAL].reset_index()
        frame = part[["date", *STATISTICS]].assign(scenario=telling.legend_name(scenario))
        frame["date"] = pd.to_datetime(frame["date"])
        out: pd.DataFrame = frame.dropna(subset=["mean"]).reset_index(drop=True)
        return out

    # --- staff ------------------------------------------------------------------------------------
    @cached_property
    def hidden_roles(self) -> frozenset[str]:
        """Roles whose need on the start date gives a small count away."""
        start, base = self.months[0], self.run.answer(BASELINE).monthly
        gone = set()
        for role in ROLES:
            cases = 0.0
            for measure, breakdown in role.cases:
                if not base.has(measure, breakdown):
                    continue
                cases += float(base.of(measure, breakdown)[:, 0].mean())
                shown = self.cells.get((BASELINE, measure, breakdown))
                if shown is not None and bool(np.isnan(shown.at[start, "mean"])):  # type: ignore[arg-type]
                    gone.add(role.name)
            if role.cases and is_small(cases):
                gone.add(role.name)
        return frozenset(gone)


def safe(summary: pd.DataFrame) -> pd.DataFrame:
    """``suppress_start``, and the shares and staff from which a small count of the start date can be worked out.

    A share of the children away from home is left out when it, or the rest, is 1 to 5 of them; staff needed are left out
    when any count of the start date is, since cases are staff times a published norm.
    """
    exported = suppress_start(summary)
    start = summary["date"].min()
    at_start = summary[(summary["date"] == start) & (summary["breakdown"] == TOTAL)]
    children = at_start[at_start["measure"] == AWAY].set_index("scenario")["mean"]
    shares = at_start[at_start["measure"].isin(OF_AWAY)]
    away = shares["scenario"].map(children).fillna(0.0)
    part = shares["mean"] / 100 * away
    blank = list(shares.index[part.map(is_small) | (away - part).map(is_small)])
    first = exported["date"] == start
    if blank or bool(exported.loc[first, "mean"].isna().any()):
        blank += list(exported.index[first & (exported["measure"] == MEASURE)])
    exported.loc[blank, list(STATISTICS)] = float("nan")
    return exported
