"""Counts of 1 to 5 real children are left out of what a back-test writes, and one more where a total gives them away."""

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from carecast.calibration.backtest.past import AWAY, FLOWS, GROUPS, TOTAL, Cell, Past, of_group, of_type
from carecast.calibration.backtest.rolling import MODEL, QUANTILES

LARGEST_HIDDEN = 5
TOLD_BY_OUTCOME = ["observed", "absolute_error", "scaled_error", "crps", "pit"]
NUMBERS = [*TOLD_BY_OUTCOME, "mean", *QUANTILES]


def is_small(value: float) -> bool:
    """Whether a count is 1 to 5."""
    return 0.5 <= value < LARGEST_HIDDEN + 0.5


def hidden_cells(stock: Mapping[Cell, float]) -> set[Cell]:
    """Which stocks of one date to leave out.

    Small ones; among the parts of one total the next smallest beside a single small one; every type of a group that is
    left out; and the number away from home with the number at home.
    """
    if is_small(stock.get(TOTAL, 0.0)):
        return set(stock)
    groups = {of_group(name): stock.get(of_group(name), 0.0) for name in GROUPS}
    gone = _parts(groups)
    for name, members in GROUPS.items():
        types = {of_type(member): stock[of_type(member)] for member in members if of_type(member) in stock}
        gone |= set(types) if of_group(name) in gone else _parts(types)
    if of_type("at_home") in gone:
        gone.add(AWAY)
    return gone & set(stock)


def _parts(cells: Mapping[Cell, float]) -> set[Cell]:
    """Small parts of a known total, and the next smallest that is not nought when there is only one."""
    small = {cell for cell, value in cells.items() if is_small(value)}
    if len(small) == 1:
        others = sorted((value, cell) for cell, value in cells.items() if value > 0 and cell not in small)
        small |= {others[0][1]} if others else set(cells)
    return small


def suppressed(rows: pd.DataFrame, past: Past) -> pd.DataFrame:
    """The rows of ``backtest.csv`` for people outside the council: what tells a small count is blank.

    An outcome that is small is blank with its scores. References that continue a small count are blank altogether, since
    their centre is that count. A measure of flows is blank for an origin that has a small one among them.
    """
    dates = {dt.date.fromisoformat(text) for column in ("origin", "date") for text in rows[column].unique()}
    gone = {(date.isoformat(), *cell) for date in dates & set(past.dates) for cell in hidden_at(past, date)}
    is_flow = rows["measure"].isin([cell[0] for cell in FLOWS])
    few = rows[is_flow & rows["observed"].map(is_small)]
    flows = set(zip(few["origin"], few["measure"], strict=True))
    keys = list(zip(rows["measure"], rows["breakdown"], strict=True))
    outcome = np.array([
        (date, *key) in gone or (origin, key[0]) in flows
        for date, origin, key in zip(rows["date"], rows["origin"], keys, strict=True)
    ])  # fmt: skip
    centre = np.array([(origin, *key) in gone for origin, key in zip(rows["origin"], keys, strict=True)])
    out = rows.copy()
    numeric = [name for name in NUMBERS if name in out.columns]
    out[numeric] = out[numeric].astype(float)
    out.loc[outcome, TOLD_BY_OUTCOME] = float("nan")
    reference = (rows["model"] != MODEL).to_numpy()
    out.loc[centre & reference, NUMBERS] = float("nan")
    return out


def hidden_at(past: Past, date: dt.date) -> set[Cell]:
    """Which stocks of a month end to leave out."""
    at = past.dates.index(date)
    return hidden_cells({cell: v[at] for cell, v in past.values.items() if cell[0].startswith("looked_after")})


def hide_small(rows: pd.DataFrame, past: Past) -> pd.DataFrame:
    """Rows of date, measure, breakdown and an outcome, with what tells a small count blank."""
    by_date = {date: hidden_at(past, date) for date in rows["date"].unique()}
    cells = zip(rows["date"], rows["measure"], rows["breakdown"], rows["observed"], strict=True)
    flows = {cell[0] for cell in FLOWS}
    few = [
        (measure, breakdown) in by_date[date] or (measure in flows and is_small(value))
        for date, measure, breakdown, value in cells
    ]
    out = rows.copy()
    flags = [name for name in out.columns if name.startswith("inside_")]
    out[flags] = out[flags].astype(object)
    out.loc[few, ["observed", "crps", "crps_last_value", "pit"]] = float("nan")
    out.loc[few, flags] = None
    return out
