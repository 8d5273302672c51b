"""Who is in early help, support and protection on the as-at date, as far as the files tell: the council's own rows.

Files of children do not say who are brothers and sisters, so children of one locality whose stay began about the same
time are put together in families of the base's sizes: as many families hold places and caseloads as should.
"""

import datetime as dt
import math

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Array, Ints
from carecast.calibration.readers.history import History
from carecast.calibration.returns import basis, localities
from carecast.model import rules
from carecast.model.parameters import STOCK_COLUMNS, Calibrated, Locality

UNKNOWN_AGE_DAYS = 8 * 365
FAMILY_FROM = {"early_help": 1 << 40, "support": 2 << 40, "protection": 3 << 40}  # far from the numbers of children


def stock(history: History, base: Calibrated, as_at: dt.date) -> pd.DataFrame | None:
    """Children open in the states that the files tell of; none when they tell of none."""
    told = [name for name in ("early_help", "support", "protection") if history.has(name)]
    frames = [own for own in (_open(history, base, as_at, name) for name in told) if len(own)]
    return pd.concat(frames, ignore_index=True) if frames else None


def _open(history: History, base: Calibrated, as_at: dt.date, state: str) -> pd.DataFrame:
    """Children open in a state, of the age of children."""
    rows = history.__getattr__(state)
    rows = rows[rows["end"].isna()]
    if state == "support" and history.has("protection"):
        plans = history.protection[history.protection["end"].isna()]
        rows = rows[~rows["child"].isin(set(plans["child"]))]
    rows = rows.sort_values(["child", "start"], kind="stable").drop_duplicates("child", keep="last")
    in_care = history.placements[history.placements["end"].isna()]
    rows = rows[~rows["child"].isin(set(in_care["child"]))]
    last = basis.day_of(as_at)
    born = basis.birth_days(history, rows["child"])
    age = np.where(born == -1, UNKNOWN_AGE_DAYS, last - born)
    frame = pd.DataFrame({
        "child": rows["child"].to_numpy(dtype=np.int64), "age_days": np.maximum(age, 0),
        "days_in_state": last - basis.day_number(rows["start"]),
        "locality": localities.of_children(history, base).reindex(rows["child"]).to_numpy(dtype=object),
    })  # fmt: skip
    frame = frame[frame["age_days"] < rules.ADULT_AGE_DAYS]
    frame = frame.sort_values(["locality", "days_in_state", "age_days", "child"], kind="stable").reset_index(drop=True)
    frame["family"], frame["days_in_state"] = _families(frame, base)
    frame["family"] += FAMILY_FROM[state]
    frame["child"] += FAMILY_FROM[state]
    ours = localities.fit(history, base, as_at).localities or base.parameters.localities
    frame["zone"], frame["quintile"] = homes(frame["locality"].to_numpy(dtype=object), frame["family"], ours, base)
    frame = frame.assign(variant=0, unaccompanied=0, state=state, placement_type="", provider="", days_in_care=0,
                         distance_miles=-1.0, shared_with=-1)  # fmt: skip
    return frame[list(STOCK_COLUMNS)]


def _families(frame: pd.DataFrame, base: Calibrated) -> tuple[Ints, Ints]:
    """(family, days in state of the family) of neighbours in the table, in sizes as often as the base has them."""
    n = len(frame)
    sizes = np.array(base.parameters.series["family.size_chances"].values)
    drawn = 1 + np.searchsorted(
        np.cumsum(sizes / sizes.sum()), (np.arange(1, n + 1) * basis.GOLDEN) % 1.0, side="right"
    )
    at = np.searchsorted(np.cumsum(drawn), np.arange(n), side="right")
    place = pd.factorize(frame["locality"])[0]
    family = (at.astype(np.int64) * 1000 + place) if n else np.zeros(0, dtype=np.int64)
    days = frame["days_in_state"].groupby(family).transform("max").to_numpy(dtype=np.int64)
    return family, days


def homes(names: Array, family: pd.Series, ours: tuple[Locality, ...], base: Calibrated) -> tuple[Array, Ints]:
    """(zone, deprivation fifth) of each child: families spread over those of their locality as children at risk are."""
    risk = np.array(base.parameters.series["disadvantage.relative_risk"].values)
    order = pd.factorize(family)[0]
    zone, fifth = np.full(len(names), "", dtype=object), np.ones(len(names), dtype=np.int64)
    for place in ours:
        mine = names == place.name
        weight = np.array([z.children + 1e-9 for z in place.zones])
        spread = np.array(place.quintile_children) * risk + 1e-9
        u, v = ((order[mine] * step) % 1.0 for step in (basis.GOLDEN, math.sqrt(2) - 1))
        at = np.minimum(np.searchsorted(np.cumsum(weight / weight.sum()), u, side="right"), len(weight) - 1)
        zone[mine] = np.array([z.name for z in place.zones], dtype=object)[at]
        fifth[mine] = 1 + np.minimum(np.searchsorted(np.cumsum(spread / spread.sum()), v, side="right"), 4)
    return zone, fifth
