"""The children in need census of English councils, as XML or as CSV with the census's element names."""

from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np
import pandas as pd

from carecast.calibration.readers import companions, row_checks, stays
from carecast.calibration.readers.children import births, settle
from carecast.calibration.readers.history import History, renumbered
from carecast.calibration.readers.places import companion_of
from carecast.calibration.readers.repeats import without_repeats
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import REPAIRED
from carecast.calibration.readers.table import Table
from carecast.model.parameters import BadFile

FIELDS = (
    "child", "dob", "sex", "cinreferraldate", "referralsource", "primaryneedcode", "cinclosuredate", "reasonforclosure",
    "referralnfa", "cinplanstartdate", "cinplanenddate", "cppstartdate", "cppenddate", "latestcategoryofabuse",
    "initialcategoryofabuse", "numberofpreviouscpp",
)  # fmt: skip
NAMES = {"lachildid": "child", "personbirthdate": "dob", "gendercurrent": "sex", "sex": "sex"}
EVENTS = ("cinreferraldate", "cinplanstartdate", "cppstartdate")
REPEATS = ("cindetails", "cinplandates", "childprotectionplans")  # elements that make a row of their own


class _Census:
    """Rows of a census file: one per referral, plan and protection plan, with the line it begins on."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        self.lines: list[int] = []
        self.levels: list[dict[str, str]] = [{}]
        self.text: list[str] = []
        self.begins: list[int] = []
        self.child_rows: list[tuple[int, dict[str, str]]] = []
        self.person: dict[str, str] = {}
        self.parser: Any = expat.ParserCreate()
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self.parser.CharacterDataHandler = self.text.append
        self.parser.EntityDeclHandler = self._no_entities

    def _no_entities(self, *_: Any) -> None:
        raise BadFile("entities are not read")

    def _start(self, name: str, _: Any) -> None:
        self.text.clear()
        local = name.rpartition(":")[2].lower()
        if local == "child":
            self.person, self.child_rows = {}, []
        if local in REPEATS:
            self.levels.append({})
            self.begins.append(self.parser.CurrentLineNumber)

    def _end(self, name: str) -> None:
        local, value = name.rpartition(":")[2].lower(), "".join(self.text).strip()
        self.text.clear()
        if local in REPEATS:
            self.child_rows.append((self.begins.pop(), self.levels.pop()))
        elif local == "child":
            for line, row in sorted(self.child_rows, key=lambda pair: pair[0]):
                self.rows.append({**self.person, **row})
                self.lines.append(line)
        elif value:
            where = self.person if local in NAMES else self.levels[-1]
            where.setdefault(NAMES.get(local, local), value)


def read_xml(path: Path, shown: str) -> Table:
    """A census file as a table.

    Raises:
        BadFile: it is not XML, or holds no child.
    """
    census = _Census()
    try:
        census.parser.Parse(path.read_bytes(), True)
    except (expat.ExpatError, BadFile) as error:
        raise BadFile(f"{shown}: not XML that can be read ({error})") from None
    frame = pd.DataFrame(census.rows, columns=list(FIELDS), dtype=object).fillna("")
    if not len(frame):
        raise BadFile(f"{shown}: holds no child of the children in need census")
    return Table(shown, FIELDS, frame, np.array(census.lines, dtype=np.int64), np.zeros(len(frame), dtype=bool))


def is_cin(table: Table) -> bool:
    """Whether a table has the census's columns."""
    return any(table.has(name) for name in EVENTS) and (table.has("child") or table.has("lachildid"))


def read(tables: list[Table], report: Report) -> History:
    """Referrals, support and protection from the census.

    Raises:
        BadFile: no table of the census.
    """
    found: dict[str, list[int]] = {kind: [] for kind in companions.KINDS}
    parts = []
    for table in tables:
        if is_cin(table):
            table.kind = "children in need census"
            parts.append(_rows(report, report.add(table)))
        elif companion_of(table):
            table.kind = companion_of(table)
            found[table.kind].append(report.add(table))
        else:
            report.notes.append(f"{table.file}: not a table that is known, not needed")
    if not parts:
        raise BadFile(
            "no table of the children in need census: LAchildID and CINreferralDate, CINPlanStartDate or CPPstartDate"
        )
    rows = pd.concat(parts, ignore_index=True)
    people = rows.assign(
        sex=rows["sex"].str[:1].map({"1": "M", "2": "F", "M": "M", "F": "F"}).fillna("U"), unaccompanied=False
    )
    none = pd.DataFrame({"id": pd.Series(dtype="object"), "decom": pd.Series(dtype="datetime64[s]")})
    children = settle(people[["id", "year", "dob", "sex", "unaccompanied", "t", "row"]], none, report)
    beside = companions.read(report, found)
    others = _events(rows, report)
    others.update(
        {kind: beside.frames[kind] for kind in ("referrals", "early_help", "capacity") if kind in beside.frames}
    )
    tables_out = stays.numbered(none, children, others, beside.localities(), report)
    report.lack("a return of looked-after children", "entries, moves, exits and the children in care today")
    return renumbered(History("cin", "england", report.council, None, stays.last_day(tables_out), tables=tables_out))


def _rows(report: Report, number: int) -> pd.DataFrame:
    frame = report.good(number).rename(columns=NAMES)
    for name in FIELDS:
        if name not in frame.columns:
            frame[name] = ""
    frame = companions.identified(without_repeats(frame, report, needed=("child",)), report)
    nothing = (frame[list(EVENTS)] == "").all(axis=1)
    report.flag(frame[nothing], "CINreferralDate", "blank_date")
    frame = frame[~nothing].reset_index(drop=True)
    for start, end in (("cinplanstartdate", "cinplanenddate"), ("cppstartdate", "cppenddate")):
        headless = (frame[start] == "") & (frame[end] != "")
        report.flag(
            frame[headless], start, "blank_start", "an end without its start; the plan is not counted", fate=REPAIRED
        )
    frame["dob"] = births(frame, report, optional=True)
    frame["year"] = report.tables[number].year or 0
    return frame


def _events(rows: pd.DataFrame, report: Report) -> dict[str, pd.DataFrame]:
    """Later censuses repeat what earlier ones had: one row each of child and start, the latest version."""
    out: dict[str, pd.DataFrame] = {}
    asked = rows[rows["cinreferraldate"] != ""].reset_index(drop=True)
    referrals = companions.dated(asked, "cinreferraldate", report, "blank_date", "date")
    referrals = _aged(referrals, "date", "CINreferralDate", report)
    closed = companions.worded(referrals, "referralnfa", companions.YES_NO, report)
    referrals["outcome"] = closed.map({1.0: "closed", 0.0: "assessment"}).fillna("")
    referrals["need"] = companions.needs(referrals, "primaryneedcode", report)
    referrals["source"] = referrals["referralsource"]
    out["referrals"] = _latest(referrals, "date", report)
    plans = rows[rows["cinplanstartdate"] != ""].reset_index(drop=True)
    if len(plans):
        support = companions.spanned(plans, "cinplanstartdate", "cinplanenddate", report)
    else:
        cases = asked[~asked["referralnfa"].str.lower().isin(["1", "true", "yes"])].reset_index(drop=True)
        support = companions.spanned(cases, "cinreferraldate", "cinclosuredate", report)
    support["need"] = companions.needs(support, "primaryneedcode", report)
    support["end_reason"] = support["reasonforclosure"].str.upper()
    closed_cases = asked.assign(start=asked["cinreferraldate"], end=asked["cinclosuredate"].replace("", pd.NA))
    row_checks.ends_without_reason(
        closed_cases, "start", "end", "reasonforclosure", "ReasonForClosure", report, can_move=False
    )
    support = _latest(_aged(support, "start", "CINPlanStartDate", report), "start", report)
    out["support"] = row_checks.one_at_a_time(support, "CINPlanEndDate", report)
    covered = rows[rows["cppstartdate"] != ""].reset_index(drop=True)
    protection = companions.spanned(covered, "cppstartdate", "cppenddate", report)
    category = protection["latestcategoryofabuse"]
    protection["category"] = category.where(category != "", protection["initialcategoryofabuse"]).str.upper()
    protection["previous_plans"] = companions.number(protection, "numberofpreviouscpp", report).astype("Float64")
    protection = _latest(_aged(protection, "start", "CPPstartDate", report), "start", report)
    out["protection"] = row_checks.one_at_a_time(protection, "CPPendDate", report)
    return {kind: frame for kind, frame in out.items() if len(frame)}


def _aged(frame: pd.DataFrame, when: str, column: str, report: Report) -> pd.DataFrame:
    return row_checks.ages_at(frame, when, column, report)


def _latest(frame: pd.DataFrame, when: str, report: Report) -> pd.DataFrame:
    ordered = frame.sort_values(["id", when, "year", "t", "row"])
    earlier = ordered.duplicated(["id", when], keep="last")
    changed = ordered["year"] < ordered.groupby(["id", when])["year"].transform("max")
    report.flag(ordered[earlier & changed], when, "superseded")
    return ordered[~earlier]
