"""A council that never was, as a history of placements, and a calibration of it that needs no fit."""

import datetime as dt

import numpy as np
import pandas as pd

from carecast.calibration.readers.history import History, tidy
from carecast.model.parameters import Calibrated
from tests import toy

TYPES = ("kinship", "foster_own", "foster_agency", "childrens_house_own", "residential_external")
CHANCES = (0.3, 0.3, 0.2, 0.08, 0.12)
WEEKLY = {"kinship": 200.0, "foster_own": 450.0, "foster_agency": 900.0}
FIRST, LAST = dt.date(2014, 4, 1), dt.date(2022, 3, 31)


def history(
    seed: int = 1, entries_per_year: float = 24.0, mean_days: float = 700.0, with_costs: bool = True
) -> History:
    """Poisson entries, exponential stays, one move in three; seen from ``FIRST`` to ``LAST``."""
    rng = np.random.default_rng(seed)
    begin, end = FIRST.toordinal() - 4000, LAST.toordinal()
    n = rng.poisson(entries_per_year * (end - begin) / 365.25)
    came = np.sort(rng.integers(begin, end + 1, n))
    left = came + 1 + rng.exponential(mean_days, n).astype(int)
    ages = rng.integers(0, 5500, n)
    rows, children = [], []
    for child, (start, stop, age) in enumerate(zip(came, left, ages, strict=True)):
        stop = min(int(stop), int(start - age + 18 * 365.25))
        if stop <= FIRST.toordinal():
            continue
        children.append({"child": child, "dob": _day(start - age), "sex": "", "locality": "East"})
        cut = start + (stop - start) // 2 if child % 3 == 0 and stop - start > 1 else stop
        for order, (a, b) in enumerate(((start, cut), (cut, stop))):
            if a >= b or a > end:
                continue
            kind = str(rng.choice(TYPES, p=CHANCES))
            begun_before = a < FIRST.toordinal()
            rows.append(
                {
                    "child": child, "spell": 0, "order": order, "start": _day(a), "end": _day(b) if b <= end else pd.NaT,
                    "observed_to": _day(end) if b > end else pd.NaT, "placement_type": kind, "care_started": _day(start),
                    "start_kind": "already_in_care" if begun_before and order == 0 else ("move" if order else "entry"),
                    "end_kind": ("move" if b < stop else "exit") if b <= end else "open",
                    "cause": "exit_home" if b == stop <= end else "",
                    "weekly_cost_gbp": WEEKLY.get(kind, 5000.0) if with_costs else np.nan,
                }
            )  # fmt: skip
    placements = tidy(pd.DataFrame(rows), "placements")
    gone = placements["end"] < pd.Timestamp(FIRST)
    tables = {
        "children": tidy(pd.DataFrame(children), "children"),
        "placements": placements[~gone].reset_index(drop=True),
    }
    return History("tidy", "scotland", "Toytown", FIRST, LAST, tables=tables)


def _day(ordinal: int) -> pd.Timestamp:
    return pd.Timestamp(dt.date.fromordinal(int(ordinal)))


def refit(known: History, origin: dt.date) -> Calibrated:
    """Toytown as at the origin: its stock is who is in care then; one uncertain number."""
    placed = known.placements
    here = placed[placed["end"].isna()]
    born = known.children.set_index("child")["dob"]
    own = {"foster_own": "own_east", "childrens_house_own": "house_1"}
    now = pd.Timestamp(origin)
    stock = []
    for at, row in enumerate(here.itertuples()):
        kind, age = str(row.placement_type), (now - born[row.child]).days / 365.25
        days = (now - row.care_started).days
        stock.append(toy.stock_row(at, "in_care", kind, own.get(kind, ""), age, days_in_care=days))
    draws = pd.DataFrame({"rate.exit_home.all": np.random.default_rng(3).lognormal(0.0, 0.2, 64)})
    providers = [
        {**row, "places": 100 if row["code"] in own.values() else row.get("places")}
        for row in toy.document()["providers"]
    ]
    return toy.calibrated(stock, draws, as_at=origin, providers=providers, population_years=[2010, 2030])
