"""Checks that several formats share: ends without a reason, ages by a row's own date of birth, stays that overlap."""

import pandas as pd

from carecast.calibration.readers import dates
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import EXCLUDED, REPAIRED, USED

UNBORN_DAYS = 290  # a referral may come before the birth


def ends_without_reason(
    frame: pd.DataFrame, start: str, end: str, reason: str, column: str, report: Report, can_move: bool = True
) -> None:
    """Say which ended rows give no reason, unless (``can_move``) the child's next row begins that day.

    Nothing is said where the file gives no reason anywhere: then it has none to give.
    """
    told = frame[reason].fillna("").astype(str).str.strip() != ""
    if not told.any():
        return
    lacking = frame[frame[end].notna() & ~told]
    if can_move:
        begins = pd.MultiIndex.from_frame(frame[["id", start]])
        follows = pd.MultiIndex.from_arrays([lacking["id"], lacking[end]]).isin(begins)
        lacking = lacking[~follows]
    report.flag(lacking, column, "missing_reason")


def adults_by_their_own_row(
    rows: pd.DataFrame, children: pd.DataFrame, start: str, column: str, report: Report
) -> None:
    """Say which rows' own date of birth makes the child unborn or an adult at the start, where another row's stands."""
    settled = children.set_index("id")["dob"].reindex(rows["id"]).to_numpy()
    own = rows["dob"]
    other = own.notna() & (own.to_numpy() != settled)
    adult = other & (rows[start] >= dates.birthday(own, 18))
    report.flag(rows[adult], column, "over_18_at_start", "another row's date of birth is used", fate=REPAIRED)
    unborn = other & (rows[start] < own)
    report.flag(rows[unborn], column, "dob_after_entry", "another row's date of birth is used", fate=REPAIRED)


def ages_at(frame: pd.DataFrame, when: str, column: str, report: Report) -> pd.DataFrame:
    """Rows of children by their own date of birth: births long after the date said, people of 18 and over left out."""
    late = frame["dob"] > frame[when] + pd.Timedelta(days=UNBORN_DAYS)
    report.flag(frame[late], column, "dob_after_referral")
    report.flag(frame[(frame["dob"] > frame[when]) & ~late], column, "before_birth")
    return without_adults(frame, when, column, report)


def without_adults(frame: pd.DataFrame, start: str, column: str, report: Report) -> pd.DataFrame:
    """Rows of children; those of people of 18 and over are left out and said."""
    adult = frame["dob"].notna() & (frame[start] >= dates.birthday(frame["dob"], 18))
    report.flag(frame[adult], column, "over_18_at_start", fate=EXCLUDED)
    return frame[~adult].reset_index(drop=True)


def say_open_twice(frame: pd.DataFrame, column: str, report: Report) -> None:
    """Say which rows (id, end) of early help are open beside another of the child: it may be so, and stops nothing."""
    is_open = frame["end"].isna()
    many = is_open & (is_open.groupby(frame["id"]).transform("sum") > 1)
    report.flag(frame[many], column, "two_open_episodes", "early help", fate=USED)
    ordered = frame[~many].sort_values(["id", "start", "end"], na_position="last", kind="stable")
    ends = ordered["end"].fillna(pd.Timestamp("2262-01-01")).astype("int64")
    latest = ends.groupby(ordered["id"], sort=False).cummax().groupby(ordered["id"], sort=False).shift(1)
    over = latest > ordered["start"].astype("int64")
    before = over.groupby(ordered["id"], sort=False).shift(-1, fill_value=False)
    report.flag(ordered[over | before], column, "early_help_at_once")


def one_at_a_time(frame: pd.DataFrame, column: str, report: Report) -> pd.DataFrame:
    """Rows (id, start, end) of which a child has one at a time: an earlier one ends where the next begins, at the latest."""
    ordered = frame.sort_values(["id", "start", "end"], na_position="last", kind="stable").reset_index(drop=True)
    following = ordered["start"].shift(-1).where(ordered["id"].shift(-1) == ordered["id"])
    is_open = ordered["end"].isna() & following.notna()
    later_open = ordered["end"].shift(-1).isna() & following.notna()
    report.flag(ordered[is_open & later_open], column, "two_open_episodes")
    report.flag(ordered[(is_open & later_open).shift(1, fill_value=False)], column, "two_open_episodes", fate=USED)
    report.flag(ordered[is_open & ~later_open], column, "open_then_another")
    overlaps = ordered["end"].notna() & following.notna() & (ordered["end"] > following)
    report.flag(ordered[overlaps], column, "overlapping_episodes")
    report.flag(ordered[overlaps.shift(1, fill_value=False)], column, "overlapping_episodes", fate=USED)
    ordered["end"] = ordered["end"].where(~(is_open | overlaps), following)
    return ordered
