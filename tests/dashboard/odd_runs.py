"""Runs that screens must survive: nobody in care, a single locality, and many scenarios with the parameter set beside."""

import datetime as dt
from pathlib import Path

from carecast.model.parameters import Calibrated, save
from carecast.scenarios.library import read_text
from carecast.scenarios.run import Request, Run, start
from tests import toy
from tests.dashboard.tiny_runs import MORE_HELP, PRICES

UNTIL = dt.date(2024, 3, 31)


def _run(calibrated: Calibrated, folder: Path, *texts: str, replications: int = 3, until: dt.date = UNTIL) -> Run:
    scenarios = tuple(read_text(text, "scenario.toml") for text in texts)
    return start(Request(calibrated, scenarios, until, replications=replications, command="carecast run"), folder)


def nobody(runs: Path) -> Run:
    """A council with nobody in care, hardly anybody coming, and no levers: zero children everywhere."""
    few = {
        f"arrivals.{kind}_families_per_year": 1e-9
        for kind in ("contact", "emergency", "newborn", "remand", "unaccompanied")
    }
    return _run(toy.calibrated([], numbers=few), runs / "nobody", MORE_HELP)


def no_day(runs: Path) -> Run:
    """A run that ends on the day it starts."""
    calibrated = toy.calibrated(toy.some_stock())
    return _run(calibrated, runs / "no_day", MORE_HELP, until=calibrated.parameters.as_at)


def one_locality(runs: Path) -> Run:
    """A council with a single locality."""
    whole = toy.document()
    east = [place for place in whole["localities"] if place["name"] == "East"]
    homes = [home for home in whole["providers"] if home.get("locality") != "West"]
    pools = [pool for pool in whole["service_pools"] if "West" not in pool["localities"]]
    stock = [child for child in toy.some_stock() if child["locality"] == "East" and child["provider"] != "own_west"]
    calibrated = toy.calibrated(stock, localities=east, providers=homes, service_pools=pools)
    return _run(calibrated, runs / "one_locality", MORE_HELP)


def grounded(runs: Path) -> Run:
    """A run of seven scenarios with its parameter set beside it, so that more can be told on its grounds."""
    calibrated = toy.calibrated(toy.some_stock())
    save(runs / "grounded-parameters", calibrated)
    more = [MORE_HELP.replace("more_early_help", f"more_early_help_{at}") for at in range(2, 6)]
    run = _run(calibrated, runs / "grounded", MORE_HELP, PRICES, *more, replications=10)
    record = (run.folder / "run.json").read_text(encoding="utf-8")
    asked = f"carecast run --parameters {runs / 'grounded-parameters'}"
    (run.folder / "run.json").write_text(
        record.replace('"command": "carecast run"', f'"command": "{asked}"'), encoding="utf-8"
    )
    from carecast.scenarios.run import open_run

    return open_run(run.folder)
