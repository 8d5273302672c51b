"""The looked-after children return of English councils (SSDA903): yearly folders or single files, and their companions."""

import datetime as dt

import numpy as np
import pandas as pd

from carecast.calibration.readers import chains, companions, dates, episodes, pairs, years
from carecast.calibration.readers.children import read_children, settle
from carecast.calibration.readers.distance import fill_distances
from carecast.calibration.readers.history import DAY, History, renumbered, tidy
from carecast.calibration.readers.places import kind_of_903, names
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.table import Table
from carecast.model.parameters import BadFile


def read(tables: list[Table], report: Report) -> History:
    """The history of a council from its returns.

    Raises:
        BadFile: there is no episodes table, or no row of it can be used.
    """
    found = _sort_out(tables, report)
    if not found["episodes"]:
        seen = f"; read {names(tables)}" if tables else ""
        raise BadFile(f"no episodes table: one needs the columns CHILD, DECOM, RNE, LS, PLACE, DEC and REC{seen}")
    _date(report, found)
    told = read_children(report, found["header"], found["uasc"])
    rows = pairs.unswap(episodes.read_rows(report, found["episodes"]), report)
    others = companions.read(report, found)
    children = settle(pd.concat([told, others.births], ignore_index=True), rows, report)
    in_headers = told[~told["unaccompanied"].astype(bool)]
    episodes.check_headers(rows, in_headers, {report.tables[n].year or 0 for n in found["header"]}, report)
    episodes.unborn(rows, in_headers, report)
    pairs.check_pairs(rows, report)
    pairs.check_reasons(rows, report)
    rows = episodes.check_ages(rows, children, report)
    merged = years.merge(rows, report)
    _some(merged, report, found)
    last = _last_day(merged, others)
    merged["sees_to"] = years.ends_of_returns(merged, last)
    followed = episodes.end_at_18(years.follow(merged, report), report)
    _some(followed, report, found)
    care = _priced(followed, others, report)
    observed = years.observed_from(rows)
    care["window"] = pd.Timestamp(observed) if observed else pd.NaT
    care = chains.type_rows(chains.chain(chains.untangle(care, report), report))
    history = History(
        "ssda903", "england", report.council, observed, _latest(care, last),
        returns=tuple(str(year) for year in sorted(rows["year"].unique())),
        tables=_tables(care, children, others, report),
    )  # fmt: skip
    _say(history, report, found)
    return renumbered(history)


def _some(rows: pd.DataFrame, report: Report, found: dict[str, list[int]]) -> None:
    if not len(rows):
        files = names([report.tables[number] for number in found["episodes"]])
        raise BadFile(f"{files}: no row could be used; see docs/data-formats.md")


def _sort_out(tables: list[Table], report: Report) -> dict[str, list[int]]:
    """Numbers of the tables by what they hold; tables that are not needed are noted, their rows not read."""
    found: dict[str, list[int]] = {name: [] for name in ("episodes", "header", "uasc", *companions.KINDS)}
    for table in tables:
        kind = kind_of_903(table)
        if kind in found:
            table.kind = kind
            found[kind].append(report.add(table))
        else:
            report.notes.append(f"{table.file}: {kind or 'not a table that is known'}, not needed")
    return found


def _date(report: Report, found: dict[str, list[int]]) -> None:
    """Years of the returns; headers take the year of the episodes beside them."""
    raw = {}
    for number in found["episodes"]:
        frame = report.tables[number].frame
        ends = dates.parse(frame["dec"])[0] if "dec" in frame.columns else None
        starts = dates.parse(frame["decom"])[0]
        raw[number] = starts if ends is None else pd.concat([starts, ends], ignore_index=True)
    before = {number: report.tables[number].year for number in found["episodes"]}
    years.date_returns(report, found["episodes"], raw)
    dated = {number: report.tables[number].year for number in found["episodes"]}
    for number in [*found["header"], *found["uasc"]]:
        table = report.tables[number]
        beside = [year for at, year in dated.items() if _folder(report.tables[at]) == _folder(table)]
        alike = [dated[at] for at, named in before.items() if named is not None and named == table.year]
        if alike:
            table.year = alike[0]
        elif len(set(beside)) == 1:
            table.year = beside[0]
        elif len(set(dated.values())) == 1:
            table.year = next(iter(dated.values()))


def _folder(table: Table) -> str:
    return table.file.rpartition("/")[0] or table.file.partition(" [")[0] * (" [" in table.file)


def _last_day(rows: pd.DataFrame, others: companions.Companions) -> dt.date | None:
    """The last day any file speaks of, when that is before the last return's 31 March; None when it goes on to it."""
    march = dt.date(int(rows["year"].max()), 3, 31)
    seen = [rows["decom"].max(), rows["dec"].max(), *(day for day in others.last_days if day is not pd.NaT)]
    latest = max(day for day in seen if day is not pd.NaT).date()
    close = latest >= march - dt.timedelta(days=45)
    return None if close else latest


def _latest(care: pd.DataFrame, last: dt.date | None) -> dt.date:
    found: dt.date = last or care["sees_to"].max().date()
    return found


def _priced(rows: pd.DataFrame, others: companions.Companions, report: Report) -> pd.DataFrame:
    """Weekly cost and distance of every episode, from the companion file first."""
    miles = pd.to_numeric(rows["pl_distance"].where(rows["pl_distance"] != ""), errors="coerce")
    wrong = (rows["pl_distance"] != "") & (miles.isna() | (miles < 0))
    report.flag(rows[wrong], "PL_DISTANCE", "distance_unknown")
    rows["distance_miles"] = miles.where((miles >= 0) & (miles < 999)).astype("float64")
    rows["distance_miles"] = fill_distances(rows)
    rows["out_of_area"] = rows["pl_location"].map({"IN": 0.0, "OUT": 1.0}).astype("Float64")
    rows["weekly_cost_gbp"] = np.nan
    if len(others.costs):
        return companions.join_costs(rows, others.costs, report)
    return rows


def _tables(
    care: pd.DataFrame, children: pd.DataFrame, others: companions.Companions, report: Report
) -> dict[str, pd.DataFrame]:
    """Tidy tables with children numbered provisionally by identifier."""
    ids = sorted({*care["id"], *others.ids})
    number = {name: at for at, name in enumerate(ids)}
    placed = chains.placements(care)
    report.counts.update({"children": len(set(care["id"])), "placements": len(placed), "episodes": len(care)})
    people = children.set_index("id").reindex(ids)
    people["unaccompanied"] = people["unaccompanied"].eq(True)
    people["locality"] = others.localities().reindex(ids)
    person = people.reset_index(drop=True).assign(child=range(len(ids)))
    report.counts["children_without_date_of_birth"] = int(people.loc[sorted(set(care["id"])), "dob"].isna().sum())
    report.counts["children_unaccompanied"] = int(people.loc[sorted(set(care["id"])), "unaccompanied"].sum())
    for frame in (care, placed):
        frame["child"] = frame["id"].map(number)
    renamed = care.rename(columns={
        "decom": "start", "dec": "end", "rne": "start_reason", "ls": "legal_status", "cin": "need",
        "place_provider": "provider", "rec": "end_reason", "reason_place_change": "move_reason",
    })  # fmt: skip
    person["dob"] = person["dob"].astype(DAY)
    out = {"children": tidy(person, "children"), "episodes": tidy(renamed, "episodes"),
           "placements": tidy(placed, "placements")}  # fmt: skip
    if care["weekly_cost_gbp"].notna().any():
        out["costs"] = tidy(renamed[renamed["weekly_cost_gbp"].notna()], "costs")
    return out | others.tables(number)


def _say(history: History, report: Report, found: dict[str, list[int]]) -> None:
    """Shares and what is missing."""
    placed = history.placements
    known = float(placed["distance_miles"].notna().mean()) if len(placed) else 0.0
    report.shares["distance_unknown"] = round(1 - known, 4)
    if not found["header"]:
        report.lack("header", "ages, so how hazards differ by age", "dates of birth of companion files, if any")
    elif report.counts.get("children_without_date_of_birth"):
        report.notes.append("children without a date of birth are counted, their ages unknown")
    if not found["uasc"]:
        report.lack("unaccompanied children's table", "which children arrived alone", "all are taken as not")
    if known == 0:
        report.lack("distances (PL_DISTANCE, costs.csv or postcodes)", "how many live within the radius")
    companions.say_missing(report, found)
    gaps = _missing_years(history.returns)
    if gaps:
        report.lack(
            f"returns of {', '.join(gaps)}", "who left and moved in those years", "nothing: followed to the gap"
        )


def _missing_years(returns: tuple[str, ...]) -> list[str]:
    present = [int(year) for year in returns]
    return [str(year) for year in range(min(present), max(present)) if year not in present]
