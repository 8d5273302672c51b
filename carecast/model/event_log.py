"""The record of one replication: what happened, when, to which child; and who the children are.

Both clocks write these arrays and nothing else; every result is derived from them (``results.py``). A log is in
canonical order when it is sorted by day, then child, then the position at which the event was written, so two clocks
that tell the same story give the same arrays.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from carecast.model import words as w


class Log(NamedTuple):
    """Events of one replication: arrays of equal length, in the order things happened to each child."""

    day: np.ndarray  # int32, ordinal; the state after the event is in place at the end of this day
    child: np.ndarray  # int32, row in Children
    event: np.ndarray  # int16, words.EVENTS
    locality: np.ndarray  # int16, index in the parameter set; where the child comes from
    provider: np.ndarray  # int16, index in the world's providers, -1 where there is none
    detail: np.ndarray  # int32, see words.EVENTS
    shared_with: np.ndarray  # int32, placement_started: the child whose home is shared, or itself; -1 otherwise
    out_of_area: np.ndarray  # int8, placement_started: 1 when the home lies outside the council's area; 0 otherwise
    price_multiplier: np.ndarray  # float64, ratio to the provider's price: placements and continuing care; else 1


class Children(NamedTuple):
    """Every child of one replication, one row each; members of a family stand next to each other."""

    birth_day: np.ndarray  # int32, ordinal
    locality: np.ndarray  # int16, index in the parameter set
    family: np.ndarray  # int32, identifier
    route: np.ndarray  # int8, words.ROUTES
    unaccompanied: np.ndarray  # int8, 1 for an unaccompanied asylum-seeking child
    quintile: np.ndarray  # int8, deprivation quintile, 1 = most deprived
    is_stock: np.ndarray  # int8, 1 for a child already known at the start: never traced or exported


LOG_DTYPES = Log("int32", "int32", "int16", "int16", "int16", "int32", "int32", "int8", "float64")  # type: ignore[arg-type]
CHILDREN_DTYPES = Children("int32", "int16", "int32", "int8", "int8", "int8", "int8")  # type: ignore[arg-type]


def as_log(*columns: Sequence[float] | np.ndarray) -> Log:
    """A log from nine columns in the order of ``Log``, each given its own type."""
    return Log(*(np.ascontiguousarray(column, dtype) for column, dtype in zip(columns, LOG_DTYPES, strict=True)))


def as_children(*columns: Sequence[float] | np.ndarray) -> Children:
    """Children from seven columns in the order of ``Children``, each given its own type."""
    return Children(*(np.ascontiguousarray(c, dtype) for c, dtype in zip(columns, CHILDREN_DTYPES, strict=True)))


def sorted_log(log: Log) -> Log:
    """The log in canonical order: by day, then child, then the position it was written at."""
    order = np.lexsort((log.child, log.day))  # stable, so the position decides ties
    return Log(*(column[order] for column in log))


ENTRY_WORDS = (*w.ROUTES, "pathway", "re_entry", "stock")
END_WORDS = (*w.CAUSES, *w.CERTAIN_ENDS)
DETAIL_WORDS: dict[int, tuple[str, ...]] = {
    w.CONTACT_MADE: w.ROUTES,
    w.REFERRED: ("", "referred_in_the_12_months_before"),
    w.EARLY_HELP_ENDED: END_WORDS,
    w.EARLY_HELP_WAIT_LEFT: END_WORDS,
    w.PRE_ENTRY_ENDED: w.OUTCOMES,
    w.DIVERTED: w.DIVERSIONS,
    w.ENTERED_CARE: ENTRY_WORDS,
    w.PLACEMENT_ASKED: w.PLACEMENT_TYPES,
    w.PLACEMENT_ENDED: END_WORDS,
    w.LEFT_CARE: END_WORDS,
    w.AFTER_CARE_STARTED: w.STATES,
    w.AFTER_CARE_ENDED: w.STATES,
}


def detail_words(event: np.ndarray, detail: np.ndarray) -> np.ndarray:
    """The word for each event's detail; empty where the event has none or its number has no word."""
    found = np.full(len(event), "", dtype=object)
    for code, names in DETAIL_WORDS.items():
        rows = np.flatnonzero((event == code) & (detail >= 0) & (detail < len(names)))
        found[rows] = np.take(np.asarray(names, dtype=object), detail[rows])
    return found


def _named(names: Sequence[str], index: np.ndarray) -> np.ndarray:
    """Names by index; empty for -1."""
    return np.take(np.asarray([*names, ""], dtype=object), index)


def to_frame(log: Log, localities: Sequence[str], providers: Sequence[str]) -> pd.DataFrame:
    """The log in words, for ``events.parquet``: one row an event, in the log's own order.

    ``distance_miles`` is straight-line miles from home, empty when unknown, not counted or not a placement.
    ``shared_with`` is the child whose home is shared, or the child itself. Localities and providers are given by name
    and code.
    """
    placed = log.event == w.PLACEMENT_STARTED
    miles = np.where(placed & (log.detail >= 0), log.detail / 10.0, np.nan)
    unix_days = log.day.astype(np.int64) - 719163  # 719163 = 1970-01-01 as an ordinal
    return pd.DataFrame(
        {
            "date": unix_days.astype("datetime64[D]").astype("datetime64[s]"),
            "child": log.child,
            "event": pd.Categorical.from_codes(log.event, categories=pd.Index(w.EVENTS)),
            "locality": _named(localities, log.locality),
            "provider": _named(providers, log.provider),
            "detail": detail_words(log.event, log.detail),
            "distance_miles": miles,
            "shared_with": pd.Series(log.shared_with, dtype="Int32").mask(~placed),
            "out_of_area": placed & (log.out_of_area == 1),
            "price_multiplier": log.price_multiplier,
        }
    )
