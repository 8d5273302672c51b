"""The numbers of a run as a report may show them: those of ``summary.csv``, small counts of the start date left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from carecast.cli import sections
from carecast.dashboard import telling
from carecast.dashboard.disclosure import AWAY, STATISTICS, suppress_start
from carecast.dashboard.reports.answers import Answer, kept
from carecast.dashboard.reports.shapes import Value, iso, known
from carecast.model.calendar import financial_year
from carecast.model.summary import BASELINE, PROMISED, TOTAL, difference, summarise
from carecast.scenarios.run import Run

__all__ = ["AWAY", "Numbers"]


@dataclass(frozen=True)
class Numbers:
    """A run with its summary as it may be seen."""

    run: Run
    given: Mapping[tuple[str, str], Answer] = field(default_factory=dict)  # answers by kind and scenario, not yet kept

    def answer(self, kind: str, scenario: str) -> Answer | None:
        """What each lever adds, or the places needed: given, or kept with the run; None where it was not worked out."""
        return self.given.get((kind, scenario)) or kept(self.run, kind, scenario)

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
        return suppress_start(self._raw())

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
