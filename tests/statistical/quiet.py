"""Councils stripped to one mechanism: no drift, no season, only the routes, rates and homes asked for."""

import datetime as dt
from collections.abc import Iterable

import numpy as np
import pandas as pd

from carecast.model import words as w
from carecast.model.engine import World
from carecast.model.parameters import STOCK_COLUMNS, Calibrated, ParameterSet
from carecast.model.plan import Plan
from tests.toy import AS_AT, chances, document, number, provider

DAY_0 = AS_AT.toordinal()
LAST_RESORT = provider("external", "residential_external")


def until(years: float) -> dt.date:
    return AS_AT + dt.timedelta(round(years * w.DAYS_PER_YEAR))


def council(
    rates=(),
    entry=None,
    providers=(LAST_RESORT,),
    pools=(),
    branches=None,
    stock=None,
    sizes=(1.0,),
    ages=None,
    numbers=None,
    **families_a_year,
) -> Calibrated:
    """``rates``: rows of ``toy.rate``; ``entry``: types wanted; ``families_a_year``: by route, none by the others."""
    base = document()
    given = {f"arrivals.{route}_families_per_year": families_a_year.get(route, 0.0) for route in w.ROUTES}
    still = ("arrivals.level_sd_per_year", "arrivals.unaccompanied_level_sd_per_year", "arrivals.month_spread_ln",
             "exits.level_sd_per_year", "moves.level_sd_per_year")  # fmt: skip
    uptakes = [f"continuing_care.uptake_{name}" for name in w.PLACEMENT_TYPES]
    values = {
        **dict.fromkeys(still, 0.0),
        **dict.fromkeys(uptakes, 0.0),
        **given,
        "waiting.limit_days": 1e7,
        **(numbers or {}),
    }
    base["numbers"] |= {name: number(value) for name, value in values.items()}
    base["rates"] = list(rates)
    base["providers"] = list(providers)
    base["service_pools"] = list(pools)
    base["series"]["family.size_chances"]["values"] = list(sizes)
    if ages is not None:
        base["series"]["ages.contact"]["values"] = [float(age in ages) for age in range(18)]
    base["localities"] = [
        {**row, "population": {band: [first, first] for band, (first, _) in row["population"].items()}}
        for row in base["localities"]
    ]
    base["branches"] = [
        {**row, "chances": (branches or {}).get(row["branch"], row["chances"])} for row in base["branches"]
    ]
    moments = ("entry", "return", "remand", "unaccompanied", "move", "step_down")
    base["destinations"] = [chances("moment", moment, entry or {"residential_external": 1.0}) for moment in moments]
    frame = pd.DataFrame(stock or [], columns=list(STOCK_COLUMNS))
    return Calibrated(parameters=ParameterSet.model_validate(base), draws=pd.DataFrame(), stock=frame, record={})


def world(of: Calibrated, years: float, changes: Iterable = (), seed: int = 20220731) -> World:
    return World(of, Plan("plan", tuple(changes)), until(years), seed)


def stock_by_day(log, last_day: int, begins=w.ENTERED_CARE, ends=w.LEFT_CARE) -> np.ndarray:
    """Children between two events at the end of each day from the start on."""
    change = np.zeros(last_day - DAY_0 + 1, dtype=np.int64)
    np.add.at(change, log.day[log.event == begins] - DAY_0, 1)
    np.add.at(change, log.day[log.event == ends] - DAY_0, -1)
    return np.cumsum(change)


def stays(log, begins=w.ENTERED_CARE, ends=w.LEFT_CARE) -> tuple[np.ndarray, np.ndarray]:
    """(day begun, days stayed or -1 if open) of each child's first stay between two events."""
    first = np.full(int(log.child.max(initial=0)) + 1, -1)
    last = first.copy()
    for store, event in ((first, begins), (last, ends)):
        rows = np.flatnonzero(log.event == event)[::-1]
        store[log.child[rows]] = log.day[rows]
    begun = np.flatnonzero(first >= 0)
    return first[begun], np.where(last[begun] >= 0, last[begun] - first[begun], -1)
