"""Yearly returns made one: which year each return is, the latest version of every episode, and who vanished between them."""

import datetime as dt

import numpy as np
import pandas as pd

from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import EXCLUDED, REFUSED, REPAIRED, USED
from carecast.calibration.readers.versions import other_starts, say_changes

LEAST_ENDS = 8  # ends of episodes, of which
MOST_ENDS = 0.7  # in one year, and
FEW_AFTER = 0.1  # after it at most, make a file the return of that year
CONTINUES = ("L", "P", "T", "B", "U")
VERSION_ORDER = [
    "id",
    "decom",
    "year",
    "has_end",
    "dec",
    "place",
    "place_provider",
    "ls",
    "rne",
    "rec",
    "cin",
    "t",
    "row",
]


def financial_year(days: pd.Series) -> pd.Series:
    """The calendar year in which the financial year of each day ends."""
    found: pd.Series = days.dt.year + (days.dt.month > 3).astype(int)
    return found


def date_returns(
    report: Report, numbers: list[int], raw_dates: dict[int, pd.Series], raw_ends: dict[int, pd.Series]
) -> None:
    """Give every episodes table the year it ends in, from its name when its dates agree, else from its dates.

    A name may give the year a return begins or ends in; dates that are slips must not decide. Ends that stand in a
    return fall into its year; where they do not (a file of many years, or few ends), the last year that holds more than
    a handful of dates does.
    """
    for number in numbers:
        table = report.tables[number]
        ended = financial_year(raw_ends[number].dropna()).value_counts()
        if ended.sum() >= LEAST_ENDS:
            year, after = int(ended.index[0]), ended[ended.index > ended.index[0]].sum()
            if ended.iloc[0] >= MOST_ENDS * ended.sum() and after <= FEW_AFTER * ended.sum():
                table.year = year
                continue
        seen = financial_year(raw_dates[number].dropna())
        if not len(seen):
            continue
        counts = seen.value_counts()
        told = int(counts[counts >= min(counts.max(), max(3, 0.005 * len(seen)))].index.max())
        named = table.year
        agrees = named is not None and told - 1 <= named <= told + 1
        table.year = named if agrees and named is not None and named >= told else told


def merge(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """One version of every (child, start): that of the latest return. Earlier ones are left out by rule.

    Two versions in one return are one too many: the one with an end is kept, then the greater by content.
    """
    no_day = rows["dec"].notna() & (rows["dec"] == rows["decom"])
    report.flag(rows[no_day], "DEC", "no_day")
    rows = rows[~no_day].copy()
    short = rows["ls"].isin(["V3", "V4"])
    report.flag(rows[short], "LS", "short_break")
    rows = rows[~short]
    rows["has_end"] = rows["dec"].notna()
    rows = rows.sort_values(VERSION_ORDER, na_position="first")
    say_changes(rows, report)
    replaced = other_starts(rows, report)
    report.flag(rows[replaced], "DECOM", "start_changed_between_returns", fate=EXCLUDED)
    rows = rows[~replaced]
    grouped = rows.groupby(["id", "decom"], sort=False)
    latest = rows["year"] == grouped["year"].transform("max")
    same = rows.duplicated(["id", "decom", "year"], keep=False)
    same_table = same & rows.duplicated(["id", "decom", "t"], keep=False)
    report.flag(rows[same_table], "DECOM", "same_start_twice", fate=USED)
    kept = ~rows.duplicated(["id", "decom"], keep="last")
    report.flag(rows[~kept], "DECOM", "superseded")
    earlier = rows[~latest].groupby(["id", "decom"])["year"].max().rename("earlier_year").reset_index()
    return rows[kept].merge(earlier, on=["id", "decom"], how="left").reset_index(drop=True)


def ends_of_returns(rows: pd.DataFrame, last_day: dt.date | None) -> pd.Series:
    """The day to which each row's return looks: 31 March of its year, or the last day any date of the files shows."""
    march = pd.to_datetime(pd.DataFrame({"year": rows["year"], "month": 3, "day": 31})).astype("datetime64[s]")
    if last_day is not None:
        march = march.where(march < pd.Timestamp(last_day), pd.Timestamp(last_day)).astype("datetime64[s]")
    return march


def follow(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Ends that are open or unusable, decided by what comes next; ``observed_to`` for what stays open.

    Open in its return and absent from later ones: a later return's other start takes its place, the next row that says
    it carries on ends it, or it is followed to the end of its return only.
    """
    rows = _with_next(rows)
    is_open = rows["dec"].isna() & (rows["end_rule"] == "")
    orphan = is_open & (rows["next_decom"] <= rows["sees_to"]) & (rows["next_year"] > rows["year"])
    report.flag(rows[orphan], "DECOM", "start_changed_between_returns", fate=EXCLUDED)
    rows = _mend_ends(_with_next(rows[~orphan]), report)
    last_year = rows["year"].max()
    is_open = rows["dec"].isna() & ~rows["vanished"]
    early = is_open & (rows["next_decom"] <= rows["sees_to"])
    _close(rows, early)
    report.flag(rows[early], "DEC", "open_then_another", fate=REPAIRED)
    later = is_open & ~early & (rows["year"] < last_year)
    gap = (rows["next_decom"] - rows["sees_to"]).dt.days
    bridged = later & rows["next_rne"].isin(CONTINUES) & (gap <= 366)
    _close(rows, bridged)
    rows["vanished"] |= later & ~bridged
    report.flag(rows[later & ~bridged], "DEC", "vanished_between_returns", fate=USED)
    report.counts["children_vanished"] = int(rows.loc[rows["vanished"], "id"].nunique())
    return rows


def _with_next(rows: pd.DataFrame) -> pd.DataFrame:
    """In order, with the start, reason and return of the child's next row."""
    rows = rows.sort_values(["id", "decom"]).reset_index(drop=True)
    grouped = rows.groupby("id", sort=False)
    rows["next_decom"], rows["next_rne"] = grouped["decom"].shift(-1), grouped["rne"].shift(-1).fillna("")
    rows["next_year"] = grouped["year"].shift(-1)
    return rows


def _mend_ends(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Ends that cannot be: taken from what follows; else from an earlier return that had it open; else refused."""
    bad = rows["end_rule"] != ""
    carries_on = rows["next_decom"].notna() & (rows["next_rne"] != "S")
    mended = bad & carries_on
    _close(rows, mended)
    lost = bad & ~mended
    for rule in sorted(rows.loc[lost, "end_rule"].unique()):
        some = lost & (rows["end_rule"] == rule)
        report.flag(rows[some], "DEC", rule, "nothing that follows tells the true end", fate=REFUSED)
    rows["vanished"] = lost & rows["earlier_year"].notna()
    march = pd.to_datetime(
        pd.DataFrame({"year": rows["earlier_year"].fillna(2000).astype(int), "month": 3, "day": 31})
    ).astype("datetime64[s]")
    rows["sees_to"] = rows["sees_to"].where(~rows["vanished"], march)
    rows.loc[rows["vanished"], "rec"] = ""
    return _with_next(rows[~lost | rows["vanished"]])


def _close(rows: pd.DataFrame, where: pd.Series) -> None:
    rows.loc[where, "dec"] = rows.loc[where, "next_decom"]
    rows.loc[where, "rec"] = "X1"


def observed_from(rows: pd.DataFrame) -> dt.date | None:
    """The first day from which everyone looked after is in the files: the start of the earliest return."""
    ends = rows["dec"].dropna()
    if not len(ends):
        return None
    early = int(np.quantile(financial_year(ends), 0.002, method="lower"))
    return dt.date(early - 1, 4, 1)
