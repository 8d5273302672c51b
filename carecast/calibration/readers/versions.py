"""Versions of one episode in several returns, set against each other: ends, starts and reasons that changed."""

import pandas as pd

from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import USED


def say_changes(rows: pd.DataFrame, report: Report) -> None:
    """Say where the next return's version of an episode (same child and start) has another end or reason to start.

    Rows: sorted by id, decom and year; ``dec`` blank when open. Both versions are named. An episode that was open at the
    end of its return may end after it; nothing else of its end may change.
    """
    version = rows.groupby(["id", "decom"], sort=False)
    after = {name: version[name].shift(-1) for name in ("year", "dec", "end_rule", "rne", "t", "row")}
    later = after["year"] > rows["year"]
    march = pd.to_datetime(pd.DataFrame({"year": rows["year"].clip(lower=1900), "month": 3, "day": 31}))
    sound = later & (rows["end_rule"] == "") & (after["end_rule"] == "")
    closed = rows["dec"].notna()
    ends = sound & closed & (rows["dec"] <= march) & ~(after["dec"] == rows["dec"])
    ends |= sound & ~closed & (after["dec"] <= march)
    starts = later & (rows["rne"] != "") & (after["rne"] != "") & (rows["rne"] != after["rne"])
    for wrong, column, rule in ((ends, "DEC", "end_changed_between_returns"),
                                (starts, "RNE", "reason_changed_between_returns")):  # fmt: skip
        report.flag(rows[wrong], column, rule, fate=USED)
        named = pd.DataFrame({"t": after["t"][wrong].astype("int64"), "row": after["row"][wrong].astype("int64")})
        report.flag(named, column, rule, fate=USED)


def other_starts(rows: pd.DataFrame, report: Report) -> pd.Series:
    """Which rows a later return gives another start.

    They are open at the end of a return, while the child's next return holds a row that was open then too, under a start
    the earlier return does not know; that row is named as well.
    """
    march = pd.to_datetime(pd.DataFrame({"year": rows["year"].clip(lower=1900), "month": 3, "day": 31}))
    march = march.astype("datetime64[s]")
    none = pd.Series(False, index=rows.index)
    is_open = rows["dec"].isna() & (rows["end_rule"] == "") & (rows["decom"] <= march)
    years = rows[["id", "year"]].drop_duplicates().sort_values(["id", "year"])
    years["next_year"] = years.groupby("id")["year"].shift(-1)
    asked = rows[is_open][["id", "decom", "year"]].assign(at=rows.index[is_open], march=march[is_open])
    asked = asked.merge(years.dropna(subset="next_year"), on=["id", "year"])
    if not len(asked):
        return none
    known = pd.MultiIndex.from_frame(rows[["id", "decom", "year"]])
    again = pd.MultiIndex.from_frame(asked[["id", "decom"]].assign(year=asked["next_year"].astype(rows["year"].dtype)))
    asked = asked[~again.isin(known)]
    following = rows[["id", "decom", "year", "dec", "end_rule", "t", "row"]].rename(
        columns={"decom": "other", "year": "next_year"}
    )
    both = asked.merge(following, on=["id", "next_year"])
    both = both[(both["other"] <= both["march"]) & (both["dec"].isna() | (both["dec"] > both["march"]))]
    both = both[both["end_rule"] == ""]
    before = pd.MultiIndex.from_arrays([both["id"], both["other"], both["year"]])
    both = both[~before.isin(known)]
    report.flag(both[["t", "row"]].drop_duplicates(), "DECOM", "start_changed_between_returns", fate=USED)
    return none.where(~rows.index.isin(both["at"]), True)
