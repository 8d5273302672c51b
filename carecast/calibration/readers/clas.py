"""The Scottish return of looked-after children (CLAS), read by its labels: item names vary between systems.

A row is a placement: a child, a placement type in words, a start and perhaps an end; episode dates, destinations, dates of
birth and legal reasons may stand in the same table or in tables of their own. Years run 1 August to 31 July. Children at
home on a supervision order are looked after.
"""

import re

import pandas as pd

from carecast.calibration.readers import codes, companions, dates, row_checks, stays
from carecast.calibration.readers.children import births, child_ids, settle
from carecast.calibration.readers.history import History, renumbered
from carecast.calibration.readers.places import companion_of
from carecast.calibration.readers.repeats import without_repeats
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import EXCLUDED
from carecast.calibration.readers.table import Table, normal
from carecast.model.parameters import BadFile

COLUMNS = {  # what we call it, and what its heading may look like once normalised
    "child": r"(child|person|client|candidate|swis|pupil).*(id|number|ref|no)\b|^(child|id|scn|chi)$|identifier",
    "dob": r"birth|^dob$",
    "sex": r"^(sex|gender)",
    "placement_type": r"placement.*type|type.*placement|accommodation_type|^placement$",
    "start": r"placement.*(start|began|from)|start.*placement",
    "end": r"placement.*(end|ceas|to$)|end.*placement",
    "episode_start": r"episode.*(start|began|from)|start.*episode|started_to_be_looked_after",
    "episode_end": r"episode.*(end|ceas|to$)|end.*episode|ceased_to_be_looked_after",
    "destination": r"destination|reason.*ceas",
    "legal": r"legal",
    "locality": r"locality|area_team",
}
KEYWORDS = (  # in this order, on the label in small letters
    ("secure", "secure"), ("prospective adopt", "prospective_adopters"), ("residential school", "residential_school"),
    ("crisis", "other_residential"), ("other residential", "other_residential"),
    ("other community", "other_community"), ("supported", "supported_accommodation"),
    ("at home", "at_home"), ("with parent", "at_home"), ("purchased", "foster_agency"), ("foster", "foster"),
    ("friend", "kinship"), ("relative", "kinship"), ("kinship", "kinship"),
    ("voluntary", "residential_external"), ("private", "residential_external"), ("independent", "residential_external"),
    ("local authority", "childrens_house_own"), ("council", "childrens_house_own"),
)  # fmt: skip
AGENCY = re.compile(r"purchas|agency|independent|private|voluntary|external")
CAUSE_WORDS = (("adopt", "exit_adoption"), ("kinship", "exit_kinship_order"), ("section 11", "exit_kinship_order"),
               ("parent", "exit_home"), ("friend", "exit_home"), ("relative", "exit_home"), ("home", "exit_home"),
               ("continuing", "exit_independent"), ("tenancy", "exit_independent"), ("supported", "exit_independent"),
               ("former foster", "exit_independent"))  # fmt: skip


def placement_type(label: str) -> str:
    """The placement type of a label, by the published categories first, then by its words; blank when unknown."""
    known = {normal(name): means for name, means in codes.clas("placement").items()}
    if normal(label) in known:
        return known[normal(label)]
    text = label.lower().replace("'", "")
    for word, means in KEYWORDS:
        if word in text and not ("not approved foster" in text and means == "foster"):
            if means == "foster":
                return "foster_agency" if AGENCY.search(text) else "foster_own"
            return means
    return ""


def exit_cause(label: str) -> str:
    """Why care ended, from where the child went."""
    text = label.lower()
    return next((means for word, means in CAUSE_WORDS if word in text), "exit_other" if text else "")


def is_clas(table: Table) -> bool:
    """Whether a table has placements by label."""
    names = named(table)
    if not {"child", "placement_type"} <= set(names) or not {"start", "episode_start"} & set(names):
        return False
    labels = table.frame[names["placement_type"]].unique()[:200]
    told = [label for label in labels if label]
    return bool(told) and sum(placement_type(str(label)) != "" for label in told) >= 0.5 * len(told)


def named(table: Table) -> dict[str, str]:
    """Our name for each heading that is one of the return's."""
    out: dict[str, str] = {}
    for ours, pattern in COLUMNS.items():
        found = next((h for h in table.headings if h not in out.values() and re.search(pattern, h)), None)
        if found is not None:
            out[ours] = found
    return out


def read(tables: list[Table], report: Report) -> History:
    """The history of a Scottish council.

    Raises:
        BadFile: no table of placements by label, or no row that can be used.
    """
    found: dict[str, list[int]] = {kind: [] for kind in ("placements", "children", *companions.KINDS)}
    for table in tables:
        names = named(table)
        kind = "placements" if is_clas(table) else companion_of(table)
        kind = kind or ("children" if {"child", "dob"} <= set(names) else "")
        if not kind:
            report.notes.append(f"{table.file}: not a table that is known, not needed")
            continue
        if kind in ("placements", "children"):
            table.frame = table.frame.rename(columns={theirs: ours for ours, theirs in names.items()})
        table.kind = kind
        found[kind].append(report.add(table))
    if not found["placements"]:
        raise BadFile("no table of placements by label: one needs a child, a placement type in words and a start date")
    people = pd.concat([_people(report, n) for n in (*found["children"], *found["placements"])], ignore_index=True)
    others = companions.read(report, found)
    rows = pd.concat([_rows(report, n) for n in found["placements"]], ignore_index=True)
    children = settle(pd.concat([people, others.births], ignore_index=True), rows, report)
    row_checks.adults_by_their_own_row(rows, children, "decom", "START", report)
    care = stays.follow(rows, children, report, month=7)
    if not len(care):
        raise BadFile("no row of the placements table could be used; see docs/data-formats.md")
    frames: dict[str, pd.DataFrame] = {
        kind: others.frames[kind] for kind in ("referrals", "early_help", "capacity") if kind in others.frames
    }
    tables_out = stays.numbered(care, children, frames, others.localities(), report)
    companions.say_missing(report, found)
    history = History("clas", "scotland", report.council, care["decom"].min().date(), stays.last_day(tables_out),
                      tables=tables_out)  # fmt: skip
    return renumbered(history)


def _people(report: Report, number: int) -> pd.DataFrame:
    frame = report.good(number)
    frame["id"] = child_ids(frame)
    frame["dob"] = births(frame, report, optional=True)
    sexes = frame["sex"] if "sex" in frame.columns else pd.Series("", index=frame.index)
    frame["sex"] = sexes.str.upper().str[:1].map({"M": "M", "F": "F", "1": "M", "2": "F"}).fillna("")
    frame["unaccompanied"], frame["year"] = False, report.tables[number].year or 0
    return frame[frame["id"] != ""][["id", "year", "dob", "sex", "unaccompanied", "t", "row"]]


def _rows(report: Report, number: int) -> pd.DataFrame:
    frame = report.good(number)
    for name in ("start", "end", "episode_start", "episode_end", "destination", "legal"):
        if name not in frame.columns:
            frame[name] = ""
    frame = companions.identified(without_repeats(frame, report, needed=("child",)), report)
    frame["start"] = frame["start"].where(frame["start"] != "", frame["episode_start"])
    frame["end"] = frame["end"].where(frame["end"] != "", frame["episode_end"])
    frame["year"] = report.tables[number].year or 0
    frame = stays.ends(companions.dated(frame, "start", report, "blank_start", "decom"), "end", report)
    types = {str(label): placement_type(str(label)) for label in frame["placement_type"].unique()}
    found = frame["placement_type"].map(types)
    report.flag(frame[found == ""], "PLACEMENT_TYPE", "unknown_label", fate=1)
    frame["ls"], frame["placement_type"] = frame["legal"], found.where(found != "", "other_community")
    frame["dob"] = dates.parse(frame["dob"])[0] if "dob" in frame.columns else pd.NaT
    frame["dob"] = frame["dob"].astype("datetime64[s]")
    row_checks.ends_without_reason(frame, "decom", "dec", "destination", "DESTINATION", report)
    short = frame["legal"].str.lower().str.contains("short break|respite", regex=True)
    report.flag(frame[short], "LEGAL", "short_break", fate=EXCLUDED)
    causes = {str(label): exit_cause(str(label)) for label in frame["destination"].unique()}
    frame["cause_given"] = frame["destination"].map(causes)
    return frame[~short].reset_index(drop=True)
