"""What tests of reports share: summary.csv of the run, and a run in England."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from carecast.scenarios.run import Run, start
from tests import toy
from tests.dashboard import tiny_runs

SCENARIO, LAST = "more_early_help", "2025-03-31"


class Summary:
    """``summary.csv`` as it is in the run folder."""

    def __init__(self, run: Run) -> None:
        self.frame = pd.read_csv(run.folder / "summary.csv").set_index(["scenario", "measure", "breakdown", "date"])

    def of(
        self, scenario: str, measure: str, date: str = LAST, breakdown: str = "total", statistic: str = "mean"
    ) -> float:
        return float(self.frame.at[(scenario, measure, breakdown, date), statistic])


def england(folder: Path) -> Run:
    """A small run of a council in England, its figures its own."""
    calibrated = toy.calibrated(toy.some_stock(), history=tiny_runs.HISTORY, nation="england")
    return start(replace(tiny_runs._request(tiny_runs.MORE_HELP), calibrated=calibrated), folder / "england")
