"""Rows of the episodes table, one by one: dates, codes, ages; then against the other rows of the same return."""

import numpy as np
import pandas as pd

from carecast.calibration.readers import dates
from carecast.calibration.readers.codes import KINDS_WITHOUT_PROVIDER, Code, ssda903
from carecast.calibration.readers.history import DAY
from carecast.calibration.readers.repeats import SOME, is_slip, latest_of_pooled, without_repeats
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import REPAIRED, USED

CODED = ("rne", "ls", "cin", "place", "place_provider", "rec", "reason_place_change", "pl_location")
NEEDED = ("rne", "ls", "cin", "place")  # codes no row may leave blank
OTHER = ("pl_distance", "home_post", "pl_post", "urn", "pl_la")
SHORT_BREAKS = ("V3", "V4")
EARLIEST = pd.Timestamp("1991-10-14")
GRACE_DAYS = 3  # past the 18th birthday: what ages counted in days and leap years make of it
YEAR = pd.Timedelta(days=366)
YOUNGEST_YEARS = {"P2": 15, "H5": 14, "K3": 16, "S1": 4}


def read_rows(report: Report, numbers: list[int]) -> pd.DataFrame:
    """Every row of the episodes tables that has a child and a start, codes in capitals, defects said.

    Columns: id, decom, dec, the codes, year, t, row; ``end_rule`` names what is wrong with an end that cannot be used.
    """
    parts = []
    for number in numbers:
        frame = _clean(report.good(number), report, number)
        table = report.tables[number]
        parts.append(_ends(_starts(frame, report, table.year), report, table.year, table.has("rec")))
    rows = pd.concat(parts, ignore_index=True)
    _codes(rows, report)
    return rows


def _clean(frame: pd.DataFrame, report: Report, number: int) -> pd.DataFrame:
    """Text in one style; blank children and repeated rows gone."""
    content = [name for name in frame.columns if name not in ("t", "row")]
    for name in ("dec", *CODED, *OTHER):
        if name not in frame.columns:
            frame[name] = ""
    for name in ("child", *CODED):
        frame[name] = frame[name].str.upper().str.replace(r"\.0$", "", regex=True)
    frame["pl_location"] = frame["pl_location"].str.extract(r"\b(IN|OUT)\b", expand=False).fillna("").astype("object")
    frame["id"] = frame["child"]
    frame["year"] = report.tables[number].year or 0
    frame = without_repeats(frame, report, content=content, needed=("child", "decom"), pooled=True)
    frame = latest_of_pooled(frame, report)
    report.flag(frame[frame["id"] == ""], "CHILD", "blank_child")
    return frame[frame["id"] != ""].reset_index(drop=True)


def _starts(frame: pd.DataFrame, report: Report, year: int | None) -> pd.DataFrame:
    found, kinds = dates.parse(frame["decom"])
    for kind, rule in dates.RULE_OF.items():
        report.flag(frame[kinds == kind], "DECOM", rule)
    report.flag(frame[kinds == dates.BLANK], "DECOM", "blank_start")
    frame["decom"] = found
    wild = found < EARLIEST
    if year:
        last = pd.Timestamp(year=year, month=3, day=31)
        wild |= found > last + YEAR
        report.flag(frame[(found > last) & ~wild], "DECOM", "after_return_year")
    report.flag(frame[wild], "DECOM", "date_out_of_range")
    return frame[found.notna() & ~wild].reset_index(drop=True)


def _ends(frame: pd.DataFrame, report: Report, year: int | None, has_reasons: bool) -> pd.DataFrame:
    """Ends as dates; what cannot be an end is marked, its fate decided once what follows is known."""
    found, kinds = dates.parse(frame["dec"])
    frame["end_rule"] = ""
    for kind, rule in dates.RULE_OF.items():
        if kind not in (dates.SWAPPED, dates.SERIAL):
            frame.loc[kinds == kind, "end_rule"] = rule
        report.flag(frame[kinds == kind], "DEC", rule, fate=REPAIRED)
    if year:
        last = pd.Timestamp(year=year, month=3, day=31)
        wild = (found > last + YEAR).to_numpy()
        report.flag(frame[wild], "DEC", "date_out_of_range", fate=REPAIRED)
        report.flag(frame[(found > last) & ~wild], "DEC", "after_return_year")
        frame.loc[wild, "end_rule"] = "date_out_of_range"
        early = found <= pd.Timestamp(year=year - 1, month=3, day=31)
        if is_slip(early) and early.mean() <= SOME:  # more: a file of several years
            report.flag(frame[early], "DEC", "before_return_year")
    frame["raw_dec"] = found
    before = (found < frame["decom"]).to_numpy()
    report.flag(frame[before], "DEC", "end_before_start", fate=REPAIRED)
    frame.loc[before, "end_rule"] = "end_before_start"
    usable = frame["end_rule"] == ""
    frame["dec"] = found.where(usable)
    no_end = frame["dec"].isna() & usable
    report.flag(frame[no_end & (frame["rec"] != "")], "REC", "reason_without_end")
    frame.loc[no_end, "rec"] = ""
    if has_reasons:
        report.flag(frame[~no_end & (frame["rec"] == "")], "REC", "missing_reason")
    return frame


def _codes(rows: pd.DataFrame, report: Report) -> None:
    """Codes that are not listed become blank; those out of date are kept; providers and ages set against places."""
    for name in CODED:
        known = ssda903(name.upper())
        has = rows[name] != ""
        unknown = has & ~rows[name].isin(list(known))
        report.flag(rows[unknown], name.upper(), "unknown_code")
        rows.loc[unknown, name] = ""
        if name in NEEDED and has.any():
            report.flag(rows[~has], name.upper(), "missing_code")
        for code, entry in known.items():
            out = _out_of_date(rows, rows[name] == code, entry)
            if out.any():
                report.flag(rows[out], name.upper(), "code_out_of_date")
    _providers(rows, report)


def _out_of_date(rows: pd.DataFrame, has: pd.Series, code: Code) -> pd.Series:
    """Rows that begin after a code's last day, or stand in a return that ends before its first."""
    out = has & False
    if code.valid_to:
        out |= has & (rows["decom"] > pd.Timestamp(code.valid_to))
    if code.valid_from:
        first = code.valid_from.year + (code.valid_from.month > 3)
        out |= has & (rows["year"] > 0) & (rows["year"] < first)
    return out


def _providers(rows: pd.DataFrame, report: Report) -> None:
    place, provider = rows["place"], rows["place_provider"]
    if not (provider != "").any():
        return
    at_home = place == "P1"
    wrong = (at_home & ~provider.isin(["PR0", ""])) | (~at_home & (provider == "PR0") & (place != ""))
    wrong |= provider.isin(["PR1", "PR2"]) & place.isin(["R2", "R5"])
    wrong |= (provider == "PR3") & place.str[:1].isin(["A", "U"])
    report.flag(rows[wrong], "PLACE_PROVIDER", "provider_does_not_fit")
    needed = ~place.str[:1].isin([*KINDS_WITHOUT_PROVIDER, ""]) & ~at_home
    report.flag(rows[needed & (provider == "")], "PLACE_PROVIDER", "missing_provider")


# --- against the header -------------------------------------------------------------------------------------------
def check_ages(rows: pd.DataFrame, children: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Rows with the child's date of birth; those of adults refused, those past 18 cut, those before birth said.

    A start before a date of birth that fits the child's other rows is the start's mistake: that row is refused.
    """
    born = children.set_index("id")["dob"].reindex(rows["id"])
    rows = rows.assign(dob=born.to_numpy().astype(DAY))
    before = rows["decom"] < rows["dob"]
    report.flag(rows[before], "DECOM", "dob_after_entry", "before the birth that the child's other rows fit", fate=3)
    adult = dates.birthday(rows["dob"], 18)
    old = rows["decom"] >= adult
    report.flag(rows[old], "DECOM", "over_18_at_start")
    rows = rows.assign(adult=adult)[~before & ~old].reset_index(drop=True)
    past = rows["dec"] > rows["adult"] + pd.Timedelta(days=GRACE_DAYS)
    report.flag(rows[past], "DEC", "past_18")
    rows.loc[past, "dec"] = rows.loc[past, "adult"]
    age = (rows["decom"] - rows["dob"]).dt.days / 365.25
    for place, least in YOUNGEST_YEARS.items():
        report.flag(rows[(rows["place"] == place) & (age < least - 0.01)], "PLACE", "too_young_for_placement")
    return rows


def unborn(rows: pd.DataFrame, told: pd.DataFrame, report: Report) -> None:
    """Say which rows start before birth, start as adults or go on past 18 by the date of birth of their own return."""
    births = told[["id", "year", "dob", "t", "row"]].dropna(subset="dob").drop_duplicates(["id", "year", "t"])
    pairs = rows[["id", "year", "decom", "dec", "end_rule", "t", "row"]].merge(
        births, on=["id", "year"], suffixes=("", "_header")
    )
    adult = dates.birthday(pairs["dob"], 18)
    march = pd.to_datetime(pd.DataFrame({"year": pairs["year"].clip(lower=1900), "month": 3, "day": 31}))
    march = march.where(pairs["year"] > 0)
    seen = pairs["dec"].where(pairs["dec"].notna() | (pairs["end_rule"] != ""), march)
    old = pairs["decom"] >= adult
    past = ~old & (seen > adult + pd.Timedelta(days=GRACE_DAYS))
    wrongs = ((pairs["decom"] < pairs["dob"], "dob_after_entry", "DECOM"), (old, "over_18_at_start", "DECOM"),
              (past, "past_18", "DEC"))  # fmt: skip
    for wrong, rule, column in wrongs:
        report.flag(pairs[wrong], column, rule, "set against the header", fate=USED)
        header = pairs[wrong][["t_header", "row_header"]].drop_duplicates()
        named = header.rename(columns={"t_header": "t", "row_header": "row"})
        report.flag(named, "DOB", rule, "set against the episodes of this return", fate=USED)


def check_headers(rows: pd.DataFrame, told: pd.DataFrame, years: set[int], report: Report) -> None:
    """Say which rows' children are in no header row of the same return (returns without a header aside)."""
    header = told[~told["unaccompanied"].astype(bool)]
    listed = set(zip(header["id"], header["year"], strict=True))
    missing, alone = (
        part[np.array([year in years and (name, year) not in listed
                       for name, year in zip(part["id"], part["year"], strict=True)], dtype=bool)]
        for part in (rows, told[told["unaccompanied"].astype(bool)])
    )  # fmt: skip
    anywhere = missing["id"].isin(set(header["id"]))
    report.flag(missing[anywhere], "CHILD", "child_not_in_header", "another return's header has the child", fate=USED)
    report.flag(missing[~anywhere], "CHILD", "child_not_in_header")
    report.flag(alone, "CHILD", "child_not_in_header", "of unaccompanied children", fate=USED)
    report.counts["children_not_in_header"] = int(missing["id"].nunique())


def end_at_18(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """What stays open ends on the 18th birthday if that has come; the rest is observed to the end of its return."""
    grown = rows["dec"].isna() & (rows["adult"] + pd.Timedelta(days=GRACE_DAYS) < rows["sees_to"])
    report.flag(rows[grown], "DEC", "past_18", "open after the birthday")
    rows.loc[grown, "dec"], rows.loc[grown, "rec"] = rows.loc[grown, "adult"], "E8"
    rows["observed_to"] = rows["sees_to"].where(rows["dec"].isna())
    return rows
