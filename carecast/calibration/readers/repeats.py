"""Rows that stand twice in a table: the later ones left out, every one of them named; and two rows for one thing."""

from collections.abc import Sequence

import pandas as pd

from carecast.calibration.readers.dates import BLANKS
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import USED

SELDOM, SOME = 0.1, 0.3  # shares of a table's rows
FEW, VERY_FEW, LARGE = 20, 3, 60  # rows


def is_slip(found: pd.Series) -> bool:
    """Whether so few rows have it that they are slips, and not how the council writes its files."""
    share, number = found.mean(), found.sum()
    return bool(share <= SELDOM or (share <= SOME and number <= FEW) or number <= VERY_FEW)


def without_repeats(
    frame: pd.DataFrame,
    report: Report,
    column: str = "",
    content: Sequence[str] = (),
    needed: Sequence[str] = (),
    pooled: bool = False,
) -> pd.DataFrame:
    """The rows of one table (``t``, ``row``), each once: later copies are left out, the first is said and kept.

    Args:
        content: the columns that make two rows the same; all but ``t`` and ``row`` when not given.
        needed: rows blank in any of these are refused for that elsewhere, and not weighed here.
        pooled: the table may hold several returns one after the other; where many rows repeat, they are no slips.
    """
    columns = list(content) or [name for name in frame.columns if name not in ("t", "row")]
    also = frame.duplicated(columns, keep=False)
    for name in needed:
        also &= frame[name] != ""
    if not also.any():
        return frame.reset_index(drop=True)
    some = frame[also]
    repeated = some.duplicated(columns)
    if pooled and len(frame) > LARGE and not is_slip(repeated.reindex(frame.index, fill_value=False)):
        report.flag(some[repeated], column, "superseded")
        return frame.drop(index=some.index[repeated]).reset_index(drop=True)
    lines = pd.Series(report.tables[int(some["t"].iloc[0])].lines[some["row"]], index=some.index)
    first = lines.groupby([some[name] for name in columns], sort=False, dropna=False).transform("min")
    report.flag(some[repeated], column, "duplicate_row", "the same as line " + first[repeated].astype(str))
    report.flag(some[~repeated], column, "duplicate_row", "it stands again further down", fate=USED)
    return frame.drop(index=some.index[repeated]).reset_index(drop=True)


def say_two_for_one(
    frame: pd.DataFrame, report: Report, keys: Sequence[str], column: str, rule: str, pooled: bool = False
) -> None:
    """Say which rows share their keys with another row of the table; rows with a blank first key aside.

    ``pooled``: the table may hold several returns, in which a child stands once a year; nothing is said then.
    """
    two = frame.duplicated(list(keys), keep=False)
    if not pd.api.types.is_datetime64_any_dtype(frame[keys[0]]):
        two &= frame[keys[0]] != ""
    if pooled and len(frame) > LARGE and not is_slip(two):
        return
    report.flag(frame[two], column, rule, fate=USED)


def latest_of_pooled(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Where an episodes table holds several returns and no year, open versions of episodes that another row ends go."""
    known = (frame["child"] != "") & (frame["decom"] != "")
    is_open = frame["dec"].str.lower().isin(BLANKS)
    ended = (~is_open & known).groupby([frame["child"], frame["decom"]]).transform("any")
    earlier = is_open & known & ended
    if is_slip(earlier):
        return frame
    report.flag(frame[earlier], "DECOM", "superseded")
    return frame[~earlier].reset_index(drop=True)
