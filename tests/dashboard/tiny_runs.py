"""Tiny runs of the invented council for tests of the dashboard: whole, of the baseline alone, and with something wrong."""

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path

from carecast.scenarios.library import read_text
from carecast.scenarios.run import Request, Run, start
from carecast.scenarios.targets import Target
from tests import small_runs, toy

UNTIL = dt.date(2025, 3, 31)
REPLICATIONS = 5
MORE_HELP = """
format = 1
name = "more_early_help"
built_on = "baseline"
author = "tests"
date = 2022-07-31
status = "draft"
rationale = "More early help in East, and children with kin instead of care."

[[lever]]
kind = "early_help_places"
from = 2022-10-01
add = 20
localities = ["East"]
one_off_gbp = 20000
gbp_per_place_per_year = { value = 5000, low = 4000, high = 7000 }
because = "Invented for tests."

[[lever]]
kind = "family_first"
name = "Family first"
from = 2022-10-01
instead = "home_with_support"
share = 0.5
recurring_gbp_per_year = 50000
because = "Invented for tests."
"""
PRICES = small_runs.DEARER.replace('name = "dearer"', 'name = "dearer_homes"\nauthor = "tests"\ndate = 2022-07-31')
TARGETS = (
    Target(name="Save a little", basis="net", recurring=True, financial_year="2024-25", at_least=50_000.0),
    Target(name="Fewer away from home", measure="looked_after_away_from_home", kind="level", to=UNTIL, at_most=40.0),
)  # fmt: skip


def _observed(measure: str, breakdown: str, date: str, value: float) -> dict:
    return {"measure": measure, "breakdown": breakdown, "date": date, "value": value, "source": "invented for tests"}


HISTORY = [
    *(
        _observed("looked_after", "total", f"{year}-07-31", value)
        for year, value in ((2020, 28), (2021, 30), (2022, 32))
    ),
    *(_observed("gross_cost_residential_gbp", "total", f"{year}-03-31", 1e6) for year in (2021, 2022)),
    _observed("gross_cost_community_gbp", "total", "2022-03-31", 5e5),
    _observed("looked_after", "placement_type=kinship", "2022-07-31", 20),
    _observed("looked_after", "placement_type=foster_own", "2022-07-31", 9),
    _observed("looked_after", "placement_type=secure", "2022-07-31", 3),
]
STAMP = "illustrative: from published figures and stated assumptions, not the council's own"


def _request(*texts: str, **more: object) -> Request:
    calibrated = toy.calibrated(toy.some_stock(), history=HISTORY, stamp=STAMP, notes=["A note of the parameter set."])
    scenarios = tuple(read_text(text, "scenario.toml") for text in texts)
    asked = Request(
        calibrated, scenarios, UNTIL, replications=REPLICATIONS, command="carecast run --scenario more_early_help"
    )
    return replace(asked, **more)


def whole(runs: Path) -> Run:
    """A run with a programme, an assumption and targets, in ``runs/whole``."""
    return start(_request(MORE_HELP, PRICES, targets=TARGETS), runs / "whole")


def baseline_alone(runs: Path) -> Run:
    """A run of the baseline and nothing else, in ``runs/baseline_alone``."""
    return start(_request(replications=2, until=dt.date(2023, 1, 31)), runs / "baseline_alone")


def unfinished(of: Path, runs: Path) -> Path:
    """A copy of a run that says it is not complete, in ``runs/unfinished``."""
    folder = Path(shutil.copytree(of, runs / "unfinished"))
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    record |= {"status": "interrupted", "replications": 0, "started": "2020-01-01T00:00:00+00:00"}
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def damaged(of: Path, runs: Path) -> Path:
    """A copy of a run without one of its files, in ``runs/damaged``."""
    folder = Path(shutil.copytree(of, runs / "damaged"))
    next((folder / "replications").rglob("*.parquet")).unlink()
    return folder
