"""Header and unaccompanied tables of the looked-after children return: one row a child, dates of birth weighed."""

import numpy as np
import pandas as pd

from carecast.calibration.readers import dates
from carecast.calibration.readers.codes import ssda903
from carecast.calibration.readers.history import DAY
from carecast.calibration.readers.repeats import is_slip, say_two_for_one, without_repeats
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import USED

FIRST_BIRTH = pd.Timestamp("1985-01-01")
LAST_DAY = pd.Timestamp("2060-01-01")


def child_ids(frame: pd.DataFrame) -> pd.Series:
    """Identifiers in one style: capitals, and no ``.0`` that a spreadsheet put behind a number."""
    found: pd.Series = frame["child"].str.upper().str.replace(r"\.0$", "", regex=True)
    return found


def births(frame: pd.DataFrame, report: Report, optional: bool = False) -> pd.Series:
    """The dates of birth of a table, what is wrong said; NaT where there is none to use.

    ``optional``: a blank says nothing wrong (companion files), and a bad one costs the age, not the row.
    """
    if "dob" not in frame.columns:
        return pd.Series(np.full(len(frame), "NaT", dtype=DAY), index=frame.index)
    found, kinds = dates.parse(frame["dob"])
    for kind, rule in dates.RULE_OF.items():
        fate = None if kind in (dates.SWAPPED, dates.SERIAL) else 1
        report.flag(frame[kinds == kind], "DOB", rule, "age unknown" if fate else "", fate)
    if not optional:
        report.flag(frame[kinds == dates.BLANK], "DOB", "missing_code", "no date of birth, so no age")
    wild = found.notna() & (found < FIRST_BIRTH)
    report.flag(frame[wild], "DOB", "bad_dob", "before 1985")
    return found.where(~wild)


def read_children(report: Report, headers: list[int], uasc: list[int]) -> pd.DataFrame:
    """One row per header row that can be used: id, year, dob, sex, t, row, and whether unaccompanied."""
    parts = [_one(report, number, is_uasc=number in uasc) for number in [*headers, *uasc]]
    columns = ["id", "year", "dob", "sex", "unaccompanied", "t", "row"]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in columns}).astype({"dob": DAY})
    return pd.concat(parts, ignore_index=True)[columns]


def _one(report: Report, number: int, is_uasc: bool) -> pd.DataFrame:
    frame = report.good(number)
    report.flag(frame[frame["child"] == ""], "CHILD", "blank_child")
    frame = frame[frame["child"] != ""].reset_index(drop=True)
    frame = without_repeats(frame, report, "CHILD", pooled=True)
    frame["id"] = child_ids(frame)
    say_two_for_one(frame, report, ["id"], "CHILD", "child_twice", pooled=True)
    frame["dob"] = births(frame, report, optional=is_uasc and "dob" not in frame.columns)
    frame["sex"] = _sexes(frame, report)
    _say_others(frame, report)
    frame["unaccompanied"] = is_uasc
    frame["year"] = report.tables[number].year or 0
    return frame


def _sexes(frame: pd.DataFrame, report: Report) -> pd.Series:
    if "sex" not in frame.columns:
        return pd.Series("", index=frame.index, dtype="object")
    known = ssda903("SEX")
    asked = frame["sex"].str.upper().str[:1]
    unknown = (asked != "") & ~asked.isin(list(known))
    report.flag(frame[unknown], "SEX", "unknown_code", fate=USED)
    return asked.map({code: entry.means for code, entry in known.items()}).fillna("").astype("object")


def _say_others(frame: pd.DataFrame, report: Report) -> None:
    """What is not used of the row, but is wrong in it: codes of ethnicity, the day an unaccompanied child turns 18."""
    if "ethnic" in frame.columns:
        asked = frame["ethnic"].str.upper()
        unknown = (asked != "") & ~asked.isin(list(ssda903("ETHNIC")))
        if is_slip(unknown):  # more: the council's own codes
            report.flag(frame[unknown], "ETHNIC", "unknown_code", "not used", fate=USED)
    if "duc" in frame.columns:
        found, kinds = dates.parse(frame["duc"])
        for kind, rule in dates.RULE_OF.items():
            report.flag(frame[kinds == kind], "DUC", rule, "not used", fate=USED)
        wild = (found < FIRST_BIRTH) | (found > LAST_DAY)
        report.flag(frame[wild], "DUC", "date_out_of_range", "not used", fate=USED)


def settle(rows: pd.DataFrame, episodes: pd.DataFrame, report: Report) -> pd.DataFrame:
    """One row per child: the date of birth that fits, the sex, whether unaccompanied; disagreements said.

    A date of birth fits when at least half of the child's episodes begin on or after it and before the 25th birthday;
    among those that fit, the commonest, then the latest return's.
    """
    told = rows[rows["dob"].notna()][["id", "dob", "year", "t", "row", "unaccompanied"]]
    starts = episodes[["id", "decom"]].merge(told[["id", "dob"]].drop_duplicates(), on="id")
    starts["fits"] = (starts["decom"] >= starts["dob"]) & (starts["decom"] < dates.birthday(starts["dob"], 25))
    share = starts.groupby(["id", "dob"])["fits"].mean().rename("share").reset_index()
    votes = told.groupby(["id", "dob"]).agg(times=("t", "size"), latest=("year", "max")).reset_index()
    votes = votes.merge(share, on=["id", "dob"], how="left").fillna({"share": 1.0})
    votes["fits"] = votes["share"] >= 0.5
    best = votes[votes["fits"]].sort_values(["id", "times", "latest", "dob"]).drop_duplicates("id", keep="last")
    chosen = told.merge(best[["id", "dob"]].rename(columns={"dob": "best"}), on="id", how="left")
    unfit = votes[~votes["fits"]][["id", "dob"]].assign(unfit=True)
    chosen = chosen.merge(unfit, on=["id", "dob"], how="left")
    bad = chosen["unfit"].notna()
    report.flag(chosen[bad], "DOB", "dob_after_entry", "set against the child's episodes")
    differs = ~bad & chosen["best"].notna() & (chosen["dob"] != chosen["best"])
    report.flag(chosen[differs], "DOB", "dob_differs")
    one = rows.sort_values(["id", "year", "t", "row"]).groupby("id").agg(
        sex=("sex", "last"), unaccompanied=("unaccompanied", "any")
    )  # fmt: skip
    one["dob"] = best.set_index("id")["dob"].reindex(one.index)
    return one.reset_index()
