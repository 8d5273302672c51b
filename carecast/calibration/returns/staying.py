"""Young people who stay on in the same home after 18 or after leaving care: how many, and who they may be.

The returns end at 18 and do not say who stays on, yet whoever does keeps an own place. Expected are leavers aged 16 and
over a year from each type x the base's chance of staying x the mean time it lasts; in the stock are leavers of the last
years, each in proportion to that chance and to not having left since.
"""

import datetime as dt
import math

import numpy as np
import pandas as pd

from carecast.calibration import funnel as fn
from carecast.calibration.arrays import Array
from carecast.calibration.capacity import YEARS_TO_LIMIT
from carecast.calibration.readers.history import History
from carecast.calibration.returns import basis, community_stock, localities
from carecast.model import rules
from carecast.model import words as w
from carecast.model.parameters import STOCK_COLUMNS, Calibrated

LEAVER_YEARS = 3.0
FROM_AGE_DAYS = rules.AGE_START_DAYS[4]  # 16
CAUSES = ("exit_independent", "exit_other")
NUMBERS_FROM = 16 << 40  # far from the numbers of children


def leavers(history: History, as_at: dt.date, years: float) -> pd.DataFrame:
    """Children who left care at 16 or over to live on their own, or aged out: child, placement_type, day, age_days."""
    rows = history.placements.sort_values(["child", "spell", "order"], kind="stable")
    rows = rows.drop_duplicates("child", keep="last")
    day, born = basis.day_number(rows["end"]), basis.birth_days(history, rows["child"])
    age = np.where(born == -1, 0, day - born)
    last = basis.day_of(as_at)
    left = (day > last - years * w.DAYS_PER_YEAR) & (day <= last) & (rows["end_kind"] == "exit").to_numpy()
    grown = (age >= rules.ADULT_AGE_DAYS - 3) | ((age >= FROM_AGE_DAYS) & rows["cause"].isin(CAUSES).to_numpy())
    use = left & grown
    return pd.DataFrame({
        "child": rows["child"].to_numpy()[use], "placement_type": rows["placement_type"].to_numpy()[use], "day": day[use],
        "age_days": last - born[use],
    })  # fmt: skip


def _ending(base: Calibrated) -> Array:
    """Hazard of leaving for good, by time since, of those of 18 and over."""
    rate = next((r for r in base.parameters.rates if r.cause == "continuing_care_ends"), None)
    return np.array(rate.per_year[w.ADULT]) if rate else np.full(w.N_DURATION_BANDS, 1.0)


def _uptake(base: Calibrated, kind: str) -> float:
    number = base.parameters.numbers.get(f"continuing_care.uptake_{kind}")
    return number.value if number else 0.0


def expected(history: History, base: Calibrated, as_at: dt.date, kind: str) -> float:
    """Young people in the homes of a type, in the long run."""
    span = LEAVER_YEARS
    if history.observed_from is not None:
        span = min(span, max((as_at - history.observed_from).days / w.DAYS_PER_YEAR, 0.5))
    told = leavers(history, as_at, span)
    a_year = float((told["placement_type"] == kind).sum()) / span
    return a_year * _uptake(base, kind) * fn.race(_ending(base)[np.newaxis], YEARS_TO_LIMIT)[1]


def stock(history: History, base: Calibrated, as_at: dt.date) -> pd.DataFrame:
    """Rows of young people who stay on at the as-at date; providers are left to whoever gives out homes."""
    told = leavers(history, as_at, YEARS_TO_LIMIT)
    limit = base.parameters.numbers.get("continuing_care.max_age_years")
    told = told[told["age_days"] < (limit.value if limit else 21.0) * w.DAYS_PER_YEAR]
    since = basis.day_of(as_at) - told["day"].to_numpy(dtype=np.int64)
    ending = _ending(base)
    chance = np.array([
        _uptake(base, str(kind)) * math.exp(-fn.cumulated(ending, days / w.DAYS_PER_YEAR))
        for kind, days in zip(told["placement_type"], since, strict=True)
    ], dtype=float)  # fmt: skip
    told = told.assign(chance=chance, days_in_state=np.maximum(since, 1))
    told = told.sort_values(["placement_type", "day", "age_days", "child"], kind="stable")
    summed = told.groupby("placement_type")["chance"].cumsum()
    stays = np.floor(summed + 0.5) > np.floor(summed - told["chance"] + 0.5)
    told = told[stays].reset_index(drop=True)
    where = localities.of_children(history, base).reindex(told["child"]).to_numpy(dtype=object)
    ours = localities.fit(history, base, as_at).localities or base.parameters.localities
    zone, fifth = community_stock.homes(where, told["child"], ours, base)
    number = told["child"].to_numpy(dtype=np.int64) + NUMBERS_FROM
    rows: pd.DataFrame = told.assign(
        variant=0, child=number, family=number, locality=where, zone=zone, quintile=fifth, unaccompanied=0,
        state="continuing_care", provider="", days_in_care=0, distance_miles=-1.0, shared_with=-1,
    )[list(STOCK_COLUMNS)]  # fmt: skip
    return rows
