"""Rows of the episodes tables set against the child's other rows: overlaps, open ends, swapped days and months."""

import numpy as np
import pandas as pd

from carecast.calibration.readers import dates
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import USED

MOVES = ("P", "T", "B", "U")
MOSTLY = 0.6  # a column filled so often is one the council keeps: blanks in it are slips


def unswap(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Dates that fit nothing of the child as they stand, and fit exactly with day and month exchanged, are exchanged.

    A start that carries on fits when another row of the child ends on it; an end fits when a row of the child starts on it.
    """
    starts, ends = (pd.MultiIndex.from_arrays([rows["id"], rows[name]]) for name in ("decom", "raw_dec"))
    turned_start, turned_end = dates.swap(rows["decom"]), dates.swap(rows["raw_dec"])
    new_start, new_end = (pd.MultiIndex.from_arrays([rows["id"], turned]) for turned in (turned_start, turned_end))
    lonely = ~starts.isin(ends) & (rows.groupby(["id", "decom"])["year"].transform("nunique") == 1)
    sensible = turned_start.notna() & ~(turned_start >= rows["dec"]) & (rows["rne"] != "S")
    start = lonely & sensible & new_start.isin(ends)
    end = ~ends.isin(starts) & new_end.isin(starts) & rows["rec"].isin(["X1", ""]) & (turned_end > rows["decom"])
    either = start & new_start.isin(ends[np.asarray(end, dtype=bool)])
    report.flag(rows[either], "DECOM", "us_date", "or the end of the row before, which is taken to be wrong", fate=USED)
    report.flag(rows[start & ~either], "DECOM", "us_date", "as the child's other rows show")
    report.flag(rows[end], "DEC", "us_date", "as the child's other rows show")
    rows.loc[start & ~either, "decom"] = turned_start[start & ~either]
    rows.loc[end, "dec"], rows.loc[end, "end_rule"] = turned_end[end], ""
    late = rows["dec"].notna() & (rows["dec"] < rows["decom"])
    rows.loc[late, "end_rule"] = "end_before_start"
    rows.loc[late, "dec"] = pd.NaT
    return rows


def _in_one_file(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without those that an earlier file of the same return holds too, as a draft beside the final version does."""
    again = rows.duplicated(["year", "id", "decom"]) & ~rows.duplicated(["year", "id", "decom", "t"])
    return rows[~again]


def check_reasons(rows: pd.DataFrame, report: Report) -> None:
    """Moves without a reason, where the return gives reasons as a rule."""
    ordered = _in_one_file(rows).sort_values(["year", "id", "decom", "row"]).reset_index(drop=True)
    following = ordered.groupby(["year", "id"], sort=False)["rne"].shift(-1)
    moved = (ordered["rec"] == "X1") & following.isin(MOVES) & ~ordered["place"].str.startswith("T")
    filled = (ordered["reason_place_change"] != "").where(moved)
    kept = filled.groupby(ordered["year"]).transform("mean") >= MOSTLY
    report.flag(
        ordered[moved & kept & (ordered["reason_place_change"] == "")], "REASON_PLACE_CHANGE", "missing_reason_for_move"
    )


def check_pairs(rows: pd.DataFrame, report: Report) -> None:
    """Overlaps and open episodes within one return, both rows of each pair named."""
    rows = (
        _in_one_file(rows).sort_values(["year", "id", "decom", "dec", "row"], na_position="last").reset_index(drop=True)
    )
    grouped = rows.groupby(["year", "id"], sort=False)
    lines = pd.Series(
        [report.tables[t].lines[row] for t, row in zip(rows["t"], rows["row"], strict=True)],
        index=rows.index,
        dtype="int64",
    )
    is_open = rows["dec"].isna() & (rows["end_rule"] == "")
    n_open = is_open.groupby([rows["year"], rows["id"]], sort=False).transform("sum")
    two = is_open & (n_open > 1)
    report.flag(rows[two], "DEC", "two_open_episodes", fate=USED)
    following = grouped["decom"].shift(-1)
    report.flag(rows[is_open & ~two & following.notna()], "DEC", "open_then_another", fate=USED)
    ends_so_far = rows["dec"].astype("int64").where(rows["dec"].notna(), np.iinfo(np.int64).min)
    running = ends_so_far.groupby([rows["year"], rows["id"]], sort=False).cummax()
    before = running.groupby([rows["year"], rows["id"]], sort=False).shift(1)
    starts = rows["decom"].astype("int64")
    overlaps = before.notna() & (before > starts)
    previous = lines.shift(1)
    named = "with line " + previous[overlaps].astype("int64").astype(str)
    report.flag(rows[overlaps], "DECOM", "overlapping_episodes", named, fate=USED)
    next_start = following.astype("int64").where(following.notna(), np.iinfo(np.int64).max)
    earlier = rows["dec"].notna() & (rows["dec"].astype("int64") > next_start)
    partner = "with line " + lines.shift(-1)[earlier].astype("int64").astype(str)
    report.flag(rows[earlier], "DEC", "overlapping_episodes", partner, fate=USED)
