"""A run with the scenario looked at, and small pieces that several panels share."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from carecast.dashboard import figures, telling
from carecast.dashboard.telling import legend_name, money
from carecast.scenarios.run import Run
from carecast.scenarios.targets import Target

AWAY, ALL = "looked_after_away_from_home", "looked_after"


@dataclass(frozen=True)
class View:
    """A run with the scenario looked at beside the baseline."""

    run: Run
    scenario: str | None

    @property
    def nation(self) -> str:
        return str(self.run.record["nation"])

    @property
    def names(self) -> tuple[str, ...]:
        return figures.shown_scenarios(self.run, self.scenario)

    @property
    def legends(self) -> tuple[str, ...]:
        return tuple(legend_name(name) for name in self.names)

    @property
    def replications(self) -> int:
        return int(self.run.record["replications"])

    @property
    def last_year(self) -> str:
        return figures.whole_years(self.run)[-1]

    @property
    def last_year_at(self) -> int:
        return figures.years(self.run).index(self.last_year)

    def label(self, measure: str) -> str:
        return telling.label(self.nation, measure, float(self.run.record["radius_miles"]))


def saving_target(view: View) -> Target | None:
    """The yearly saving that the run's targets ask for last, if any."""
    yearly = [t for t in view.run.targets if t.is_saving and t.kind == "annual" and t.at_least is not None]
    return max(yearly, key=lambda t: t.judged_on, default=None)


def year_words(view: View, year: str) -> str:
    return f"{year} (part year)" if figures.is_part_year(view.run, year) else year


def named(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(scenario=[legend_name(name) for name in frame["scenario"]])


def charted(view: View, frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["year"].isin(figures.whole_years(view.run))]


def mean_of(frame: pd.DataFrame, scenario: str, group: str, year: str) -> float:
    return float(
        frame[(frame["scenario"] == scenario) & (frame["group"] == group) & (frame["year"] == year)]["mean"].iloc[0]
    )


def money_cell(at: pd.DataFrame) -> str:
    found = at.iloc[0]
    mean, low, high = (float(found[name]) for name in ("mean", "p10", "p90"))
    return f"{money(mean, low, high)}\n{telling.between('gross_cost_gbp', low, high)}"


def value_cell(row: Any) -> str:
    value = telling.plain_number(row.value, row.unit)
    if row.low is None or row.low != row.low:
        return value
    return f"{value}\n{telling.plain_number(row.low, row.unit)} to {telling.plain_number(row.high, row.unit)}"


def two_lines(text: str) -> str:
    return text.replace(" (", "\n", 1).removesuffix(")")


def lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
