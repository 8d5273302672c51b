"""The looked-after children return of English councils (SSDA903): yearly folders or single files, and their companions."""

import datetime as dt

import numpy as np
import pandas as pd

from carecast.calibration.readers import chains, companions, dates, episodes, pairs, years
from carecast.calibration.readers.children import read_children, settle
from carecast.calibration.readers.distance import fill_distances
from carecast.calibration.readers.history import DAY, History, renumbered, tidy
from carecast.calibration.readers.places import kind_of_903, names, split_by_year
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.table import Table
from carecast.model.parameters import BadFile

OPTIONAL = {  # columns of the return that may be absent: what each tells, and what is done without
    "episodes": {
        "dec": ("when episodes ended", "each ends where the next begins, the rest are open"),
        "rne": ("which new episodes are moves", "every new episode is taken as a move"),
        "rec": ("why children left", "all are taken to leave for other reasons"),
        "ls": ("legal status, and which rows are short breaks", "no row is taken as a short break"),
        "cin": ("needs", "none are known"),
        "place": ("kinds of placement", "all are taken as other community placements"),
        "place_provider": ("who provides", "fostering is taken as own, homes as external"),
    },
    "header": {"dob": ("ages", "dates of birth of companion files, if any"), "sex": ("sex", "unknown")},
}  # fmt: skip


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
    rows = pairs.unswap(_distances(episodes.read_rows(report, found["episodes"]), report), report)
    others = companions.read(report, found)
    children = settle(pd.concat([told, others.births], ignore_index=True), rows, report)
    episodes.check_headers(rows, told, {report.tables[n].year or 0 for n in found["header"]}, report)
    episodes.unborn(rows, told, report)
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
    others: dict[str, list[str]] = {}
    for table in tables:
        kind = kind_of_903(table)
        table.kind = kind
        parts = split_by_year(table) if kind in ("episodes", "header", "uasc") else [table]
        if kind in found:
            found[kind] += [report.add(part) for part in parts]
        else:
            others.setdefault(kind or "not a table that is known", []).append(table.file)
    for kind, files in others.items():
        few = ", ".join(files) if len(files) <= 3 else f"{files[0]} and {len(files) - 1} more"
        report.notes.append(f"{few}: {kind}, not needed")
    return found


def _date(report: Report, found: dict[str, list[int]]) -> None:
    """Years of the returns; headers take the year of the episodes beside them."""
    raw, raw_ends = {}, {}
    for number in found["episodes"]:
        frame = report.tables[number].frame
        none = pd.Series(dtype="datetime64[s]")
        raw_ends[number] = dates.parse(frame["dec"])[0] if "dec" in frame.columns else none
        raw[number] = pd.concat([dates.parse(frame["decom"])[0], raw_ends[number]], ignore_index=True)
    before = {number: report.tables[number].year for number in found["episodes"]}
    years.date_returns(report, found["episodes"], raw, raw_ends)
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


def _distances(rows: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Miles as the return gives them, of every version of an episode."""
    told = ~rows["pl_distance"].str.lower().isin(dates.BLANKS)
    miles = pd.to_numeric(rows["pl_distance"].where(told), errors="coerce")
    report.flag(rows[told & miles.isna()], "PL_DISTANCE", "distance_unknown")
    rows["distance_miles"] = companions.likely_miles(rows, miles, "PL_DISTANCE", report)
    return rows


def _priced(rows: pd.DataFrame, others: companions.Companions, report: Report) -> pd.DataFrame:
    """Weekly cost and distance of every episode, from the companion file first."""
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
    _say_columns(report, found)
    companions.say_missing(report, found)
    gaps = _missing_years(history.returns)
    if gaps:
        report.lack(
            f"returns of {', '.join(gaps)}", "who left and moved in those years", "nothing: followed to the gap"
        )


def _say_columns(report: Report, found: dict[str, list[int]]) -> None:
    """Columns of the return that no table or only some have, and what each would have told."""
    for kind, told in OPTIONAL.items():
        tables = [report.tables[number] for number in found[kind]]
        for column, (tells, instead) in told.items():
            without = [table.file for table in tables if column not in table.headings]
            if without:
                where = (
                    ""
                    if len(without) == len(tables)
                    else f" in {without[0]}" + (f" and {len(without) - 1} more" if len(without) > 1 else "")
                )
                report.lack(f"{column.upper()}{where}", tells, instead)


def _missing_years(returns: tuple[str, ...]) -> list[str]:
    present = [int(year) for year in returns]
    return [str(year) for year in range(min(present), max(present)) if year not in present]
