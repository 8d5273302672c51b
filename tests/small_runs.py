"""Small runs of the invented council for tests of the run folder and the command line."""

import datetime as dt
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from carecast.model.parameters import Calibrated
from carecast.scenarios.library import read_text
from carecast.scenarios.request import Request
from carecast.scenarios.scenario import Scenario
from carecast.scenarios.targets import Target
from tests import toy

UNTIL = dt.date(2024, 3, 31)
MORE_HELP = """
format = 1
name = "more_help"
built_on = "baseline"
status = "draft"
rationale = "More early help in East, and children at home with support instead of care."

[[lever]]
kind = "early_help_places"
name = "Ten more places"
from = 2022-10-01
add = 10
localities = ["East"]
gbp_per_place_per_year = { value = 1000, low = 500, high = 2000 }
paid_from = "reserves"
reserves_taper = [1.0]
because = "Invented for tests."

[[lever]]
kind = "family_first"
name = "Family first"
from = 2022-10-01
instead = "home_with_support"
share = 0.5
interval_80 = [0.2, 0.8]
recurring_gbp_per_year = 20000
because = "Invented for tests."
"""
DEARER = """
format = 1
name = "dearer"
built_on = "baseline"
status = "draft"
rationale = "Bought homes become dearer."

[[assumption]]
kind = "prices"
from = 2023-04-01
per_year = 0.2
lines = ["external"]
because = "Invented for tests."
"""
SAVE = Target(name="Save a little", basis="net", financial_year="2023-24", at_least=50_000.0)
FEWER = Target(name="Fewer away", measure="looked_after_away_from_home", kind="level", to=UNTIL, at_most=25.0)


def more_help() -> Scenario:
    return read_text(MORE_HELP, "more_help.toml")


def dearer() -> Scenario:
    return read_text(DEARER, "dearer.toml")


@cache
def council() -> Calibrated:
    """Toytown with its stock and a few uncertain numbers."""
    random = np.random.default_rng(7)
    draws = pd.DataFrame(
        {
            "uplift.external_per_year": random.normal(0.06, 0.02, 256),
            "rate.exit_home.all": random.lognormal(0.0, 0.2, 256),
            "price.external": random.lognormal(np.log(5000), 0.2, 256),
            "arrivals.contact_families_per_year": random.normal(600, 40, 256),
        }
    )
    return toy.calibrated(toy.some_stock(), draws)


def request(*scenarios: Scenario, **changes: object) -> Request:
    """Thirty replications (two blocks) of the baseline and these scenarios."""
    given = Request(council(), scenarios, UNTIL, replications=30, command="carecast run ...")
    return replace(given, **changes)


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each file was written, and what it holds."""
    return {
        str(file.relative_to(folder)): (file.stat().st_mtime_ns, file.read_bytes())
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
