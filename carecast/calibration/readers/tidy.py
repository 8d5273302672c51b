"""This project's own small schema: nine tables a council can write from any system. See ``docs/data-formats.md``."""

import numpy as np
import pandas as pd

from carecast.calibration.readers import companions, episodes, row_checks, stays
from carecast.calibration.readers.children import births, settle
from carecast.calibration.readers.history import History, renumbered
from carecast.calibration.readers.repeats import say_two_for_one, without_repeats
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.rules import REFUSED, REPAIRED
from carecast.calibration.readers.table import Table
from carecast.model import words as w
from carecast.model.parameters import BadFile

SCHEMA: dict[str, dict[str, str]] = {
    "children": {"child": "", "dob": "", "sex": "", "unaccompanied": "", "locality": "", "family": ""},
    "placements": {
        "child": "", "start": "", "end": "", "placement_type": "", "provider": "", "legal_status": "", "need": "",
        "end_reason": "", "distance_miles": "", "weekly_cost_gbp": "", "out_of_area": "",
    },
    "referrals": {"child": "", "date": "", "source": "", "locality": "", "need": "", "outcome": "", "re_referral": ""},
    "early_help": {"child": "", "start": "", "end": "", "locality": "", "route": "", "outcome": ""},
    "support": {"child": "", "start": "", "end": "", "need": "", "end_reason": ""},
    "protection": {"child": "", "start": "", "end": "", "category": "", "previous_plans": ""},
    "costs": {"child": "", "start": "", "weekly_cost_gbp": "", "distance_miles": ""},
    "capacity": {"date": "", "placement_type": "", "locality": "", "places": ""},
    "providers": {"provider": "", "placement_type": "", "locality": "", "easting_m": "", "northing_m": "", "places": "",
                  "weekly_cost_gbp": ""},
}  # fmt: skip
NEEDED = {
    "children": ("child", "dob"), "placements": ("child", "start", "placement_type"), "referrals": ("child", "date"),
    "early_help": ("child", "start"), "support": ("child", "start"), "protection": ("child", "start"),
    "costs": ("child", "start", "weekly_cost_gbp"), "capacity": ("date", "placement_type", "places"),
    "providers": ("provider", "placement_type"),
}  # fmt: skip
SPANS = ("early_help", "support", "protection")


def kind_of(table: Table) -> str:
    """Which table of the schema a file is, by its name first, then by its columns; nothing when neither fits."""
    name = table.file.rsplit("/", 1)[-1].lower().rpartition(".")[0]
    sheet = table.file.partition(" [")[2].rstrip("]").strip().lower()
    for kind, needed in NEEDED.items():
        if kind in (name, sheet) and table.has(*needed):
            return kind
    return "placements" if table.has(*NEEDED["placements"]) else ""


def read(tables: list[Table], report: Report) -> History:
    """The history of a council from tidy tables.

    Raises:
        BadFile: none of the tables is of the schema, or no row can be used.
    """
    frames: dict[str, list[pd.DataFrame]] = {}
    for table in tables:
        kind = kind_of(table)
        if not kind:
            report.notes.append(f"{table.file}: not a table of the schema, not needed")
            continue
        table.kind = kind
        extra = [name for name in table.headings if name not in SCHEMA[kind]]
        if extra:
            report.notes.append(f"{table.file}: columns not needed: {', '.join(sorted(extra))}")
        frames.setdefault(kind, []).append(_rows(report, report.add(table), kind))
    if not frames:
        raise BadFile("no table of the tidy schema; see docs/data-formats.md for its columns")
    parts = {kind: pd.concat(some, ignore_index=True) for kind, some in frames.items()}
    history = _history(parts, report)
    for kind in SCHEMA:
        if kind not in parts:
            report.lack(f"{kind}.csv", f"the council's own {kind.replace('_', ' ')}")
    if not history.tables or not any(len(frame) for frame in history.tables.values()):
        raise BadFile("no row of the tidy tables could be used; see docs/data-formats.md")
    return renumbered(history)


def _rows(report: Report, number: int, kind: str) -> pd.DataFrame:
    frame = report.good(number)
    frame = without_repeats(frame, report, needed=[name for name in NEEDED[kind][:2] if name in frame.columns])
    for name in SCHEMA[kind]:
        if name not in frame.columns:
            frame[name] = ""
    if "child" in SCHEMA[kind]:
        frame = companions.identified(frame, report)
    frame["year"] = 0
    return frame


def _history(parts: dict[str, pd.DataFrame], report: Report) -> History:
    others = _others(parts, report)
    people = _people(parts.get("children"), report)
    rows = _stays(parts["placements"], report) if "placements" in parts else pd.DataFrame({"id": [], "decom": []})
    children = settle(people, rows.astype({"decom": "datetime64[s]"}), report) if len(people) else people
    children = children.merge(people.drop_duplicates("id")[["id", "locality", "family"]], on="id", how="left")
    if len(rows) and len(people):
        absent = ~rows["id"].isin(set(people["id"]))
        report.flag(rows[absent], "CHILD", "child_not_in_header")
        report.counts["children_not_in_header"] = int(rows.loc[absent, "id"].nunique())
        episodes.unborn(rows, people, report)
    care = stays.follow(_with_costs(rows, parts.get("costs"), report), children, report) if len(rows) else rows
    tables = stays.numbered(care, children, others, pd.Series(dtype="object"), report)
    if len(care) and care["weekly_cost_gbp"].notna().any():
        tables["costs"] = _costs(tables["placements"])
    observed = care["decom"].min().date() if len(care) else None
    return History("tidy", "", report.council, observed, stays.last_day(tables), tables=tables)


def _costs(placements: pd.DataFrame) -> pd.DataFrame:
    told = placements[placements["weekly_cost_gbp"].notna()]
    return told[["child", "start", "end", "placement_type", "weekly_cost_gbp", "distance_miles"]].reset_index(drop=True)


def _people(frame: pd.DataFrame | None, report: Report) -> pd.DataFrame:
    columns = ["id", "year", "dob", "sex", "unaccompanied", "locality", "family", "t", "row"]
    if frame is None:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in columns}).astype({"dob": "datetime64[s]"})
    say_two_for_one(frame, report, ["id"], "CHILD", "child_twice")
    frame["dob"] = births(frame, report)
    frame["sex"] = frame["sex"].str.upper().str[:1].map({"M": "M", "F": "F", "1": "M", "2": "F"}).fillna("U")
    frame["unaccompanied"] = companions.worded(frame, "unaccompanied", companions.YES_NO, report).eq(1.0)
    groups = pd.Series(pd.factorize(frame["family"])[0], index=frame.index)
    frame["family"] = groups.where(frame["family"] != "").astype("Int64")
    return frame[columns]


def _stays(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    frame = stays.ends(companions.dated(frame, "start", report, "blank_start", "decom"), "end", report)
    frame["placement_type"] = typed(frame, report)
    reason = frame["end_reason"].str.strip().str.lower().str.replace(" ", "_")
    reason = reason.where(reason.isin(stays.CAUSES) | reason.isin(["", "move"]), "exit_" + reason)
    unknown = ~reason.isin([*stays.CAUSES, "", "move"])
    report.flag(frame[unknown], "END_REASON", "unknown_code")
    ended = frame["dec"].notna() | (frame["end_rule"] != "")
    report.flag(frame[ended & (reason == "")], "END_REASON", "missing_reason")
    report.flag(frame[~ended & (reason != "")], "END_REASON", "reason_without_end")
    frame["cause_given"] = reason.where(reason.isin(stays.CAUSES) & ended, "")
    frame["ls"], frame["cin"] = frame["legal_status"].str.upper(), companions.needs(frame, "need", report)
    frame["place_provider"] = frame["provider"]
    for column in ("distance_miles", "weekly_cost_gbp"):
        frame[column] = companions.number(frame, column, report)
    frame["out_of_area"] = companions.worded(frame, "out_of_area", companions.YES_NO, report).astype("Float64")
    frame["rec"] = np.where(ended & (reason == "move"), "X1", "")
    return frame


def typed(frame: pd.DataFrame, report: Report, fate: int = REPAIRED) -> pd.Series:
    """Placement types; an unknown one is kept as ``other_community``."""
    asked = frame["placement_type"].str.strip().str.lower().str.replace(r"[ '-]+", "_", regex=True)
    unknown = ~asked.isin(w.PLACEMENT_TYPES)
    report.flag(frame[unknown], "PLACEMENT_TYPE", "unknown_code", "one of " + ", ".join(w.PLACEMENT_TYPES), fate)
    return asked.where(~unknown, "other_community")


def _with_costs(rows: pd.DataFrame, costs: pd.DataFrame | None, report: Report) -> pd.DataFrame:
    """Costs of their own table on the placements they name."""
    if costs is None:
        return rows
    costs = companions.dated(costs, "start", report, "blank_start", "decom")
    costs["cost"] = companions.number(costs, "weekly_cost_gbp", report)
    costs["miles"] = companions.number(costs, "distance_miles", report)
    own = rows["weekly_cost_gbp"]
    joined = companions.join_costs(rows, costs, report)
    joined["weekly_cost_gbp"] = joined["weekly_cost_gbp"].where(joined["weekly_cost_gbp"].notna(), own.to_numpy())
    return joined


def _others(parts: dict[str, pd.DataFrame], report: Report) -> dict[str, pd.DataFrame]:
    out: dict[str, pd.DataFrame] = {}
    if "referrals" in parts:
        frame = companions.dated(parts["referrals"], "date", report, "blank_date", "date")
        frame["need"] = companions.needs(frame, "need", report)
        frame["outcome"] = companions.worded(frame, "outcome", companions.OUTCOMES, report)
        again = companions.worded(frame, "re_referral", companions.YES_NO, report)
        out["referrals"] = frame.assign(re_referral=again.astype("Float64"))
    for kind in SPANS:
        if kind in parts:
            out[kind] = _span(parts[kind], kind, report)
    for kind in ("capacity", "providers"):
        if kind in parts:
            out[kind] = _places(parts[kind], kind, report)
    return out


def _span(frame: pd.DataFrame, kind: str, report: Report) -> pd.DataFrame:
    frame = companions.spanned(frame, "start", "end", report)
    if kind == "early_help":
        frame["route"] = companions.worded(frame, "route", companions.ROUTES, report)
        outcome = companions.worded(frame, "outcome", companions.EH_OUTCOMES, report)
        frame["outcome"] = outcome.where(frame["end"].notna(), "")
        row_checks.ends_without_reason(frame, "start", "end", "outcome", "OUTCOME", report, can_move=False)
        row_checks.say_open_twice(frame, "END", report)
    if kind == "support":
        frame["need"] = companions.needs(frame, "need", report)
        row_checks.ends_without_reason(frame, "start", "end", "end_reason", "END_REASON", report, can_move=False)
    if kind == "protection":
        frame["previous_plans"] = companions.number(frame, "previous_plans", report).astype("Float64")
    return frame if kind == "early_help" else row_checks.one_at_a_time(frame, "END", report)


def _places(frame: pd.DataFrame, kind: str, report: Report) -> pd.DataFrame:
    if kind == "capacity":
        frame = companions.dated(frame, "date", report, "blank_date", "date")
        say_two_for_one(frame, report, ["date", "placement_type", "locality"], "DATE", "same_day_twice")
        frame = frame[~frame.duplicated(["date", "placement_type", "locality"], keep="last")].reset_index(drop=True)
    frame["placement_type"] = typed(frame, report, REFUSED)
    for column in ("places", "easting_m", "northing_m", "weekly_cost_gbp"):
        if column in frame.columns:
            frame[column] = companions.number(frame, column, report)
    known = frame["placement_type"].ne("other_community") | frame["places"].notna()
    return frame[known]
