"""Constant daily rates, the method of the open-source peers: last year's rates of entry, exit and move, held for ever.

Children are counted by age band and placement type. A year's events over its child-days give daily rates; a step a day
then carries the counts forward, without chance: there is no interval. Children grow into the next age band at one over
its length, and leave at 18.
"""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Array, Ints
from carecast.calibration.backtest.past import (
    AWAY,
    ENTRIES,
    EXITS,
    GROUPS,
    TOTAL,
    Cell,
    add_months,
    ends_of,
    of_group,
    of_type,
    ordinals,
)
from carecast.calibration.readers.history import History
from carecast.model import words as w

CONSTANT_RATES = "constant_daily_rates"
YEAR_DAYS = 365
BAND_DAYS = np.diff(w.AGE_BAND_STARTS_YEARS) * w.DAYS_PER_YEAR  # of the bands below 18
N_BANDS = w.ADULT
Rows = tuple[Array, Array, Ints, Array, Ints]  # start, end, type, birth day, the type that follows (-1: none)


def constant_rates(history: History, origin: dt.date, horizons: Sequence[int]) -> dict[tuple[Cell, int], float]:
    """Expected value of every cell at so many months after the origin; ``history`` is what was known then."""
    rows = _rows(history)
    if rows is None:
        return {}
    start, end, kind, born, follows = rows
    day = origin.toordinal()
    stock: Array = np.zeros((N_BANDS, w.N_PLACEMENT_TYPES))
    here = (start <= day) & (end > day)
    np.add.at(stock, (_band(day - born[here]), kind[here]), 1.0)
    entries, leave, move = _rates((start, end, kind, born, follows), day)
    wanted = {(add_months(origin, months) - origin).days: months for months in horizons}
    out: dict[tuple[Cell, int], float] = {}
    left = 0.0
    for passed in range(1, max(wanted) + 1):
        stock, gone = _step(stock, entries, leave, move)
        left += gone
        if passed in wanted:
            found = _cells(stock) | {ENTRIES: float(entries.sum()) * passed, EXITS: left}
            out |= {(cell, wanted[passed]): value for cell, value in found.items()}
    return out


def _rows(history: History) -> Rows | None:
    """Each placement of a known type and birth."""
    born = history.children.set_index("child")["dob"]
    placed = history.placements.sort_values(["child", "spell", "order"])
    placed = placed[placed["placement_type"].isin(w.PLACEMENT_TYPES)]
    placed = placed.assign(born=placed["child"].map(born)).dropna(subset=["born"])
    if not len(placed):
        return None
    kind = placed["placement_type"].map({name: at for at, name in enumerate(w.PLACEMENT_TYPES)}).to_numpy(dtype=int)
    one = (placed["child"].diff().shift(-1) == 0) & (placed["spell"].diff().shift(-1) == 0)
    follows = np.where(one, np.append(kind[1:], -1), -1)
    return ordinals(placed["start"]), ends_of(placed), kind, ordinals(pd.Series(placed["born"])), follows


def _rates(rows: Rows, day: int) -> tuple[Array, Array, Array]:
    """Entries a day [band, type], exit rates a day [band, type] and move rates a day [band, from, to], of the last year."""
    start, end, kind, born, follows = rows
    first = day - YEAR_DAYS  # the year is first + 1 .. day
    exposure = np.zeros((N_BANDS, w.N_PLACEMENT_TYPES))
    for at in range(first + 1, day + 1):
        here = (start <= at) & (end > at)
        np.add.at(exposure, (_band(at - born[here]), kind[here]), 1.0)
    began_care = np.ones(len(start), dtype=bool)
    began_care[1:] = follows[:-1] < 0
    entries = np.zeros_like(exposure)
    came = began_care & (start > first) & (start <= day)
    np.add.at(entries, (_band(start[came] - born[came]), kind[came]), 1.0 / YEAR_DAYS)
    ended = (end > first) & (end <= day)
    grown = end >= born + int(18 * w.DAYS_PER_YEAR)
    leave, move = np.zeros_like(exposure), np.zeros((*exposure.shape, w.N_PLACEMENT_TYPES))
    out = ended & (follows < 0) & ~grown  # who left at 18 leaves in the forecast by growing up
    np.add.at(leave, (_band(end[out] - born[out]), kind[out]), 1.0)
    moved = ended & (follows >= 0)
    np.add.at(move, (_band(end[moved] - born[moved]), kind[moved], follows[moved]), 1.0)
    safe = np.maximum(exposure, 1.0)
    return entries, np.minimum(leave / safe, 1.0), np.minimum(move / safe[..., np.newaxis], 1.0)


def _band(age_days: Array) -> Ints:
    years = np.asarray(age_days) / w.DAYS_PER_YEAR
    found: Ints = np.clip(np.searchsorted(w.AGE_BAND_STARTS_YEARS, years, side="right") - 1, 0, N_BANDS - 1)
    return found


def _step(stock: Array, entries: Array, leave: Array, move: Array) -> tuple[Array, float]:
    """One day on: (counts, children who left)."""
    out = stock * leave
    shifts = stock[..., np.newaxis] * move
    grown = stock / BAND_DAYS[:, np.newaxis]
    older = np.vstack([np.zeros((1, stock.shape[1])), grown[:-1]])
    ahead = stock - out - shifts.sum(axis=2) + shifts.sum(axis=1) - grown + older + entries
    return np.maximum(ahead, 0.0), float(out.sum() + grown[-1].sum())


def _cells(stock: Array) -> dict[Cell, float]:
    by_type = dict(zip(w.PLACEMENT_TYPES, stock.sum(axis=0).tolist(), strict=True))
    out: dict[Cell, float] = {of_type(name): value for name, value in by_type.items()}
    out |= {of_group(name): sum(by_type[t] for t in members) for name, members in GROUPS.items()}
    total = sum(by_type.values())
    return out | {TOTAL: total, AWAY: total - by_type["at_home"]}
