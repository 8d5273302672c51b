"""Ofsted's Annex A: lists 1 to 8 of a workbook, or each in a file. List 8 has only the latest placement."""

import pandas as pd

from carecast.calibration.readers import codes, companions, row_checks, stays
from carecast.calibration.readers.children import births, settle
from carecast.calibration.readers.history import History, renumbered
from carecast.calibration.readers.places import companion_of
from carecast.calibration.readers.repeats import without_repeats
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.table import Table
from carecast.model.parameters import BadFile

LISTS = {  # a heading that only this list has, by words that must all be in it
    "contacts": ("date", "contact"),
    "early_help": ("organisation", "completing", "assessment"),
    "referrals": ("date", "of", "referral"),
    "assessments": ("continuous", "assessment", "start"),
    "section_47": ("strategy", "discussion"),
    "support": ("cin", "start", "date"),
    "protection": ("protection", "plan", "start", "date"),
    "looked_after": ("date", "started", "looked", "after"),
}
FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "early_help": {"start": ("assessment", "start"), "end": ("assessment", "completion")},
    "referrals": {"date": ("date", "referral"), "source": ("source",), "nfa": ("nfa",), "before": ("number", "referrals")},
    "support": {"start": ("cin", "start"), "end": ("closure", "date"), "need": ("need",),
                "end_reason": ("reason", "closure")},
    "protection": {"start": ("plan", "start"), "end": ("plan", "end"), "category": ("latest", "category"),
                   "previous_plans": ("previous", "plans")},
    "looked_after": {
        "care": ("date", "started", "looked"), "start": ("start", "recent", "placement"), "end": ("date", "ceased"),
        "reason": ("reason", "ceased"), "place": ("placement", "type"), "provider": ("placement", "provider"),
        "ls": ("legal", "status"), "need": ("category", "need"), "uasc": ("unaccompanied",),
        "where": ("placement", "location"),
    },
}  # fmt: skip


def list_of(table: Table) -> str:
    """Which list a table is; nothing when none. The most telling headings are tried first."""
    order = (
        "looked_after",
        "protection",
        "support",
        "section_47",
        "early_help",
        "assessments",
        "referrals",
        "contacts",
    )
    has_child = table.has("child") or any("child" in h and "id" in h for h in table.headings)
    if not has_child:
        return ""
    return next((name for name in order if _heading(table, LISTS[name])), "")


def _heading(table: Table, words: tuple[str, ...]) -> str:
    fits = [h for h in table.headings if set(words) <= set(h.split("_"))]
    return min(fits, key=len) if fits else ""


def read(tables: list[Table], report: Report) -> History:
    """What the lists tell.

    Raises:
        BadFile: none of lists 2, 3, 6, 7 and 8 is there.
    """
    frames: dict[str, pd.DataFrame] = {}
    found: dict[str, list[int]] = {kind: [] for kind in companions.KINDS}
    for table in tables:
        kind = list_of(table)
        if not kind and companion_of(table):
            kind = companion_of(table)
            table.kind = kind
            found[kind].append(report.add(table))
        elif kind in FIELDS:
            table.kind = kind
            frames[kind] = _fields(report, report.add(table), kind)
        else:
            report.notes.append(f"{table.file}: {kind.replace('_', ' ') or 'not a list that is known'}, not needed")
    if not frames:
        raise BadFile("none of the lists 2, 3, 6, 7 and 8 of Annex A is there; their headings tell them")
    return _history(frames, companions.read(report, found), found, report)


def _fields(report: Report, number: int, kind: str) -> pd.DataFrame:
    table = report.tables[number]
    child = "child" if table.has("child") else next(h for h in table.headings if "child" in h and "id" in h)
    names = {_heading(table, words): ours for ours, words in FIELDS[kind].items() if _heading(table, words)}
    birth = _heading(table, ("date", "birth"))
    frame = report.good(number).rename(columns={**names, birth: "dob", child: "child"})
    frame = frame[
        [*dict.fromkeys([c for c in frame.columns if c in ("child", "dob", "sex", "t", "row", *names.values())])]
    ]
    for name in ("dob", "sex", *FIELDS[kind]):
        if name not in frame.columns:
            frame[name] = ""
    frame = companions.identified(without_repeats(frame, report, needed=("child",)), report)
    frame["dob"] = births(frame, report, optional=True)
    frame["year"] = 0
    return frame


def _coded(column: pd.Series, pattern: str) -> pd.Series:
    """Codes in cells such as ``c) U3: Foster placement``."""
    return column.str.upper().str.extract(pattern, expand=False).fillna("").astype("object")


def _history(
    frames: dict[str, pd.DataFrame], beside: companions.Companions, found: dict[str, list[int]], report: Report
) -> History:
    people = pd.concat([
        frame.assign(
            sex=_coded(frame["sex"], r"\b(MALE|FEMALE|M|F)\b").str[:1],
            unaccompanied=frame["uasc"].str.lower().str.contains("yes") if "uasc" in frame.columns else False,
        )[["id", "year", "dob", "sex", "unaccompanied", "t", "row"]]
        for frame in frames.values()
    ], ignore_index=True)  # fmt: skip
    others = _others(frames, report)
    others.update(
        {kind: beside.frames[kind] for kind in ("referrals", "early_help", "capacity") if kind in beside.frames}
    )
    rows = (
        _looked_after(frames["looked_after"], report)
        if "looked_after" in frames
        else pd.DataFrame({"id": [], "decom": []})
    )
    children = settle(people, rows.astype({"decom": "datetime64[s]"}), report)
    if len(rows):
        row_checks.adults_by_their_own_row(rows, children, "decom", "START DATE", report)
    care = stays.follow(rows, children, report) if len(rows) else rows
    tables = stays.numbered(care, children, others, beside.localities(), report)
    if len(care):
        _care_started(tables["placements"], care)
    report.lack("earlier placements (list 8 has the latest only)", "moves, and how long earlier placements lasted")
    report.lack("distances", "how many live within the radius")
    for kind in FIELDS:
        if kind not in frames:
            report.lack(f"Annex A list of {kind.replace('_', ' ')}", f"the council's own {kind.replace('_', ' ')}")
    for kind in ("costs", "capacity"):
        if not found[kind]:
            report.lack(f"{kind}.csv", *companions.TOLD[kind])
    return renumbered(History("annex_a", "england", report.council, None, stays.last_day(tables), tables=tables))


def _looked_after(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    neither = (frame["start"] == "") | (frame["care"] == "")
    only_one = neither & (frame["start"] != frame["care"])
    report.flag(frame[only_one], "DATE STARTED", "blank_start", "the other start date stands in for it", fate=1)
    frame["start"] = frame["start"].where(frame["start"] != "", frame["care"])
    frame = stays.ends(companions.dated(frame, "start", report, "blank_start", "decom"), "end", report)
    frame = companions.dated(frame, "care", report, None, "care_day")
    frame["place"] = _coded(frame["place"], r"\b([A-Z]\d{1,2})\b")
    frame["place_provider"] = _coded(frame["provider"], r"\b(PR\d)\b")
    pairs = zip(frame["place"], frame["place_provider"], strict=True)
    kinds = pd.Series([codes.placement_type(*pair) for pair in pairs], index=frame.index, dtype="object")
    report.flag(frame[kinds == ""], "PLACEMENT_TYPE", "unknown_code")
    frame["placement_type"] = kinds.replace({"": "other_community", "temporary": "other_community"})
    frame["ls"], frame["cin"] = _coded(frame["ls"], r"\b([A-Z]\d)\b"), companions.needs(frame, "need", report)
    reasons = {code: entry.means for code, entry in codes.ssda903("REC").items()}
    frame["cause_given"] = _coded(frame["reason"], r"\b(E\d{1,2}[AB]?|X1)\b").map(reasons).fillna("")
    row_checks.ends_without_reason(frame, "decom", "dec", "reason", "REASON CEASED", report)
    frame["pl_location"] = _coded(frame["where"], r"\b(IN|OUT)\b")
    frame["out_of_area"] = frame["pl_location"].map({"IN": 0.0, "OUT": 1.0}).astype("Float64")
    return frame


def _care_started(placements: pd.DataFrame, care: pd.DataFrame) -> None:
    """The start of care that list 8 gives, on placements that began later."""
    ordered = care.sort_values(["id", "spell", "decom"]).drop_duplicates(["id", "spell"])
    told = ordered["care_day"].where(ordered["care_day"] <= ordered["decom"], ordered["decom"]).to_numpy()
    first = placements["order"] == 0
    placements.loc[first, "care_started"] = told
    later = first & (placements["care_started"] < placements["start"])
    placements.loc[later, "start_kind"] = "move"


def _others(frames: dict[str, pd.DataFrame], report: Report) -> dict[str, pd.DataFrame]:
    out: dict[str, pd.DataFrame] = {}
    if "referrals" in frames:
        frame = companions.dated(frames["referrals"], "date", report, "blank_date", "date")
        frame = row_checks.ages_at(frame, "date", "DATE OF REFERRAL", report)
        closed = frame["nfa"].str.lower().str.contains(r"yes|^y$|true|1", regex=True)
        told = frame["nfa"] != ""
        frame["outcome"] = closed.map({True: "closed", False: "assessment"}).where(told, "")
        before = companions.number(frame, "before", report)
        out["referrals"] = frame.assign(
            re_referral=(before > 0).astype("float64").where(before.notna()).astype("Float64")
        )
    for kind in ("early_help", "support", "protection"):
        if kind in frames:
            frame = companions.spanned(frames[kind], "start", "end", report)
            if kind == "support":
                frame["need"] = companions.needs(frame, "need", report)
                frame["end_reason"] = _coded(frame["end_reason"], r"\b(RC\d)\b")
                row_checks.ends_without_reason(frame, "start", "end", "end_reason", "REASON", report, can_move=False)
            if kind == "protection":
                frame["previous_plans"] = companions.number(frame, "previous_plans", report).astype("Float64")
            if kind != "early_help":  # early help may be several things at once
                frame = row_checks.one_at_a_time(frame, "END DATE", report)
            out[kind] = row_checks.ages_at(frame, "start", "START DATE", report)
    return out
