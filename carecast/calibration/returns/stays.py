"""Placements as arrays of days, and how long children were at risk in each cell of age and duration.

Left truncation: nobody is at risk before the files begin to hold everybody (``window``), since a child who left earlier is
not in them. Right censoring: an open placement counts to the day it is known to have gone on, a child who vanishes
between two returns to the last day seen; neither is an end. A day counts in the cell it begins in, as the model counts.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carecast.calibration.arrays import Array, Ints
from carecast.calibration.readers.history import History
from carecast.model import rules
from carecast.model import words as w

EPOCH = dt.date(1970, 1, 1).toordinal()  # days of numpy to ordinals
N_AGES = w.ADULT  # age bands of children
AGE_EDGES = np.array(rules.AGE_START_DAYS[1:])
BAND_EDGES = np.array(w.DURATION_BAND_STARTS_DAYS[1:])
CLOSE_TO_18_DAYS = 3  # an end so few days before the 18th birthday is the birthday itself
KNOWN_ENOUGH_DAYS = 730  # a stay whose start is not known is used once it has been seen to last so long
NO_CAUSE, AGED_OUT, MOVED = -1, -2, -3
EXITS = tuple(w.CAUSES[w.FIRST_EXIT : w.LAST_EXIT + 1])
N_EXITS = len(EXITS)
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stays:
    """One entry a placement, in the order of the history's table; days are ordinals."""

    child: Ints
    spell: Ints
    start: Ints
    stop: Ints  # the day it ended, or the last day it is known to have gone on
    care_start: Ints  # of the period of care; the earliest day known when it began before the files
    truncated: Array  # 1 when the period of care began before the files, on a day not known
    birth: Ints
    kind: Ints  # placement type
    end: Ints  # cause of an exit (0 to 4), AGED_OUT, MOVED, or NO_CAUSE when still open or lost sight of
    unaccompanied: Ints
    first_day: int  # of the window
    last_day: int

    @property
    def years(self) -> float:
        """Length of the window."""
        return (self.last_day - self.first_day) / w.DAYS_PER_YEAR


def ordinals(dates: pd.Series) -> Ints:
    """Days since year 1; 0 for a blank."""
    days = dates.astype("datetime64[s]").to_numpy().astype("datetime64[D]").astype(np.int64)
    return np.where(dates.isna().to_numpy(), 0, days + EPOCH).astype(np.int64)


def read_stays(history: History, as_at: dt.date) -> Stays:
    """The placements of a history cut at ``as_at``."""
    rows = history.placements.sort_values(["child", "spell", "order"], kind="stable")
    people = history.children.set_index("child")
    start, last = ordinals(rows["start"]), as_at.toordinal()
    ended = rows["end"].notna().to_numpy()
    seen = ordinals(rows["observed_to"])
    stop = np.where(ended, ordinals(rows["end"]), np.where(seen > 0, np.minimum(seen, last), last))
    first_day = history.observed_from.toordinal() if history.observed_from else int(start.min())
    keys = rows["child"].to_numpy(dtype=np.int64) * 1000 + rows["spell"].to_numpy(dtype=np.int64)
    _, at, inverse = np.unique(keys, return_index=True, return_inverse=True)
    care_start = start[at][inverse]
    known = ordinals(rows["care_started"])
    truncated = (known == 0) & (rows["start_kind"].to_numpy()[at][inverse] == "already_in_care")
    kind = pd.Index(w.PLACEMENT_TYPES).get_indexer(pd.Index(rows["placement_type"])).astype(np.int64)
    kind = np.where(kind < 0, w.OTHER_COMMUNITY, kind)
    birth = ordinals(people["dob"].reindex(rows["child"]))
    birth = _filled(birth, start, kind)
    alone = people["unaccompanied"].reindex(rows["child"]).fillna(False).to_numpy(dtype=np.int64)
    return Stays(
        child=rows["child"].to_numpy(dtype=np.int64),
        spell=rows["spell"].to_numpy(dtype=np.int64),
        start=start,
        stop=np.maximum(stop, start + ended).astype(np.int64),  # a placement lasts a day at least
        care_start=np.where(known > 0, np.minimum(known, care_start), care_start).astype(np.int64),
        truncated=truncated.astype(float),
        birth=birth,
        kind=kind,
        end=_ends(rows, stop, birth, ended),
        unaccompanied=alone,
        first_day=first_day,
        last_day=last,
    )


def _filled(birth: Ints, start: Ints, kind: Ints) -> Ints:
    """Dates of birth, the unknown ones as old at the start as the median child of the same type."""
    known = birth > 0
    out = birth.copy()
    for at in np.unique(kind[~known]):
        same = known & (kind == at)
        ages = start[same] - birth[same] if same.any() else start[known] - birth[known]
        out[~known & (kind == at)] = start[~known & (kind == at)] - (int(np.median(ages)) if len(ages) else 3652)
    return out


def _ends(rows: pd.DataFrame, stop: Ints, birth: Ints, ended: Flags) -> Ints:
    kinds = rows["end_kind"].to_numpy()
    cause = pd.Index(EXITS).get_indexer(pd.Index(rows["cause"])).astype(np.int64)
    left = ended & (kinds == "exit")
    out = np.where(left, np.where(cause < 0, N_EXITS - 1, cause), NO_CAUSE)
    out = np.where(left & (stop - birth >= rules.ADULT_AGE_DAYS - CLOSE_TO_18_DAYS), AGED_OUT, out)
    return np.where(ended & (kinds == "move"), MOVED, out).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Segments:
    """Days at risk, cut wherever a cell changes: one entry a piece."""

    row: Ints  # placement
    days: Array
    kind: Ints
    age: Ints
    care_band: Ints
    placed_band: Ints
    quarter: Ints  # whole quarters of a year before the last day, counted back from 0
    for_exits: Array  # 1 when time in care is known well enough
    alone: Array  # 1 for an unaccompanied child


QUARTER_DAYS = w.DAYS_PER_YEAR / 4


def quarter_offsets(n: int) -> Ints:
    """Days before the last day at which quarters begin: the last quarter's first."""
    return np.round(QUARTER_DAYS * np.arange(1, n + 1)).astype(np.int64)


def quarter_of(day: Array | Ints, last_day: int) -> Ints:
    """Quarters back from the as-at day: 0 is the last."""
    back = last_day - np.asarray(day)
    most = int(back.max(initial=0) / QUARTER_DAYS) + 2
    return np.searchsorted(quarter_offsets(most), back, side="left").astype(np.int64)


def segments(stays: Stays) -> Segments:
    """Cut every placement, within the window and before the 18th birthday, at the edges of its cells and of quarters."""
    begin = np.maximum(stays.start, stays.first_day).astype(float)
    finish = np.minimum(stays.stop, stays.birth + rules.ADULT_AGE_DAYS).astype(float)
    finish = np.maximum(finish, begin)
    n_quarters = int(np.ceil((stays.last_day - stays.first_day) / QUARTER_DAYS))
    back = stays.last_day - quarter_offsets(n_quarters)
    edges = np.concatenate(
        [
            stays.birth[:, None] + AGE_EDGES[None, :],
            stays.care_start[:, None] + BAND_EDGES[None, :],
            stays.start[:, None] + BAND_EDGES[None, :],
            np.broadcast_to(back, (len(begin), len(back))),
            begin[:, None],
            finish[:, None],
        ],
        axis=1,
    ).astype(float)
    np.clip(edges, begin[:, None], finish[:, None], out=edges)
    edges.sort(axis=1)
    lengths = np.diff(edges, axis=1)
    row, at = np.nonzero(lengths > 0)
    day = edges[row, at]
    in_care = day - stays.care_start[row]
    return Segments(
        row=row.astype(np.int64),
        days=lengths[row, at],
        kind=stays.kind[row],
        age=_age(day - stays.birth[row]),
        care_band=_band(in_care),
        placed_band=_band(day - stays.start[row]),
        quarter=quarter_of(day, stays.last_day),
        for_exits=((stays.truncated[row] == 0) | (in_care >= KNOWN_ENOUGH_DAYS)).astype(float),
        alone=(stays.unaccompanied[row] > 0).astype(float),
    )


def _age(days: Array) -> Ints:
    return np.minimum(np.searchsorted(AGE_EDGES, days, side="right"), N_AGES - 1).astype(np.int64)


def _band(days: Array | Ints) -> Ints:
    return np.searchsorted(BAND_EDGES, days, side="right").astype(np.int64)


@dataclass(frozen=True, slots=True)
class Ends:
    """Ends of placements in the window, with the cell they fell in: the cell of the day before."""

    row: Ints
    cause: Ints  # 0 to 4 for exits, MOVED or AGED_OUT
    day: Ints
    kind: Ints
    age: Ints
    care_band: Ints
    placed_band: Ints
    quarter: Ints
    for_exits: Array
    alone: Array


def ends(stays: Stays) -> Ends:
    """Exits and moves by cell; ends before the window are not seen by design."""
    row = np.flatnonzero((stays.end != NO_CAUSE) & (stays.stop > stays.first_day) & (stays.stop <= stays.last_day))
    before = stays.stop[row] - 1
    in_care = before - stays.care_start[row]
    return Ends(
        row=row,
        cause=stays.end[row],
        day=stays.stop[row],
        kind=stays.kind[row],
        age=_age((before - stays.birth[row]).astype(float)),
        care_band=_band(in_care.astype(float)),
        placed_band=_band((before - stays.start[row]).astype(float)),
        quarter=quarter_of(before, stays.last_day),
        for_exits=((stays.truncated[row] == 0) | (in_care >= KNOWN_ENOUGH_DAYS)).astype(float),
        alone=(stays.unaccompanied[row] > 0).astype(float),
    )


def cells(kind: Ints, age: Ints, band: Ints, weights: Array | None = None) -> Array:
    """Sum into [placement type][age band][duration band]."""
    shape = (w.N_PLACEMENT_TYPES, N_AGES, w.N_DURATION_BANDS)
    flat = np.ravel_multi_index((kind, age, band), shape)
    out: Array = np.bincount(flat, weights=weights, minlength=int(np.prod(shape))).reshape(shape).astype(float)
    return out
