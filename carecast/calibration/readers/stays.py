"""Stays in care from formats that give a placement type in words: the same checks and chains as the English return."""

import datetime as dt

import numpy as np
import pandas as pd

from carecast.calibration.readers import chains, dates, episodes, pairs, years
from carecast.calibration.readers.history import tidy
from carecast.calibration.readers.report import Report

BLANK = ("rne", "ls", "cin", "place", "place_provider", "rec", "reason_place_change", "urn", "pl_location")
CAUSES = ("exit_home", "exit_kinship_order", "exit_adoption", "exit_independent", "exit_other")


def ends(frame: pd.DataFrame, column: str, report: Report) -> pd.DataFrame:
    """Ends as dates in ``dec``; what cannot be an end named in ``end_rule``, its fate decided by what follows."""
    found, kinds = dates.parse(frame[column])
    frame["end_rule"] = ""
    for kind, rule in dates.RULE_OF.items():
        if kind not in (dates.SWAPPED, dates.SERIAL):
            frame.loc[kinds == kind, "end_rule"] = rule
        report.flag(frame[kinds == kind], column.upper(), rule, fate=1)
    frame["raw_dec"] = found
    before = found < frame["decom"]
    report.flag(frame[before], column.upper(), "end_before_start", fate=1)
    frame.loc[before, "end_rule"] = "end_before_start"
    frame["dec"] = found.where(frame["end_rule"] == "")
    return frame


def follow(rows: pd.DataFrame, children: pd.DataFrame, report: Report, month: int | None = None) -> pd.DataFrame:
    """Rows (id, decom, dec, end_rule, placement_type, cause_given) as care chained into periods.

    ``month``: the month a yearly return ends in, when files are yearly returns; else the last day seen is the end of all.
    """
    for name in BLANK:
        if name not in rows.columns:
            rows[name] = ""
    for name in ("distance_miles", "weekly_cost_gbp", "out_of_area"):
        if name not in rows.columns:
            rows[name] = np.nan
    pairs.check_pairs(rows, report)
    rows = episodes.check_ages(rows, children, report)
    rows = years.merge(rows, report)
    if not len(rows):
        return rows
    rows["sees_to"] = _sees_to(rows, month)
    rows = years.follow(rows, report)
    rows = episodes.end_at_18(rows, report)
    rows["window"] = pd.NaT
    rows = chains.chain(chains.untangle(rows, report), report)
    left = rows["dec"].notna() & ~rows["continues"]
    rows["cause"] = np.where(left, rows["cause_given"].replace("", "exit_other"), "")
    rows["absence"] = False
    rows["out_of_area"] = rows["out_of_area"].astype("Float64")
    return rows


def _sees_to(rows: pd.DataFrame, month: int | None) -> pd.Series:
    last = max(day for day in (rows["decom"].max(), rows["dec"].max()) if day is not pd.NaT)
    if month is None or rows["year"].nunique() < 2:
        return pd.Series(last, index=rows.index).astype("datetime64[s]")
    day = pd.to_datetime(pd.DataFrame({"year": rows["year"], "month": month, "day": 31})).astype("datetime64[s]")
    return day.where(day < last, last).astype("datetime64[s]")


def numbered(
    care: pd.DataFrame, children: pd.DataFrame, others: dict[str, pd.DataFrame], localities: pd.Series, report: Report
) -> dict[str, pd.DataFrame]:
    """Tidy tables, children numbered provisionally; ``others`` by table name, with ``id`` where they are of children."""
    named = [frame for frame in (care, children, *others.values()) if "id" in frame.columns]
    ids = sorted({str(name) for frame in named for name in frame["id"]})
    number = {name: at for at, name in enumerate(ids)}
    people = children.set_index("id").reindex(ids)
    people["unaccompanied"] = people["unaccompanied"].eq(True)
    if "locality" not in people.columns:
        people["locality"] = localities.reindex(ids)
    people["dob"] = people["dob"].astype("datetime64[s]")
    out = {"children": tidy(people.reset_index(drop=True).assign(child=range(len(ids))), "children")}
    report.counts.update({"children": len(ids)})
    if len(care):
        placed = chains.placements(care)
        report.counts.update(
            {"children_in_care": care["id"].nunique(), "placements": len(placed), "episodes": len(care)}
        )
        out["placements"] = tidy(placed.assign(child=placed["id"].map(number)), "placements")
    for kind, frame in others.items():
        if len(frame):
            out[kind] = tidy(frame.assign(child=frame["id"].map(number)) if "id" in frame.columns else frame, kind)
    return out


def last_day(tables: dict[str, pd.DataFrame]) -> dt.date | None:
    """The last day any row speaks of."""
    columns = [frame[name] for frame in tables.values() for name in ("date", "start", "end", "observed_to")
               if name in frame.columns and frame[name].notna().any()]  # fmt: skip
    return max(column.max() for column in columns).date() if columns else None
