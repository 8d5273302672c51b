"""``carecast gaps``: the annual gap report in words and tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from carecast.cli.doors import say, show, show_json
from carecast.cli.options import Json
from carecast.cli.sections import heading
from carecast.cli.text import fixed, percent, pounds, records, table, wrapped
from carecast.cli.to_file import check_csv, write_csv
from carecast.model.summary import BASELINE
from carecast.scenarios.run import Run, open_run
from carecast.scenarios.wording import AGE_BAND_LABELS, placement_type_label

if TYPE_CHECKING:
    from carecast.scenarios.gaps import Gaps

ALL_YEARS = "all"
MOST_ROWS = 12


def gaps(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, from `carecast run`.")],
    year: Annotated[
        str | None, typer.Option("--year", metavar="2028-29", help="Financial year, or all; the last whole one.")
    ] = None,
    scenario: Annotated[str, typer.Option("--scenario", metavar="NAME", help="Of the run.")] = BASELINE,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.csv", help="Write all its tables as one.")] = None,
    as_json: Json = False,
) -> None:
    """The annual gap report: who waited, who was placed too far away or in a dearer home, for want of what.

    Example: `carecast gaps runs/demo --year 2028-29 --scenario baseline --to gaps.csv`
    """
    from carecast.scenarios import gaps as report

    check_csv(to)
    made = open_run(run_folder)
    years = [] if year == ALL_YEARS else [year or report.last_whole_year(made)]
    found = report.gaps(made, scenario, years)
    if to is not None:
        long = report.long_table(found)
        write_csv(long, to)
        say(f"Written to {to}: {len(long)} rows")
    if as_json:
        show_json(gaps_document(made, found))
        return
    show(gaps_text(made, found))


def gaps_document(run: Run, found: "Gaps") -> dict[str, object]:
    """The report for JSON."""
    return {
        "run": str(run.folder), "scenario": found.scenario, "replications": found.replications,
        "financial_years": list(found.financial_years), "part_years": list(found.part_years),
        "radius_miles": run.record["radius_miles"], "kept_for_safety_share": found.kept_for_safety_share,
        "missing": records(found.missing, 4), "homes": records(found.homes, 4), "waits": records(found.waits, 4),
        "type_prices": records(found.type_prices, 4),
    }  # fmt: skip


def gaps_text(run: Run, found: "Gaps") -> str:
    """The report on screen, year by year."""
    parts = [heading(run)]
    for year in found.financial_years:
        part = " (the run holds a part of it)" if year in found.part_years else ""
        parts.append(f"GAPS OF {found.scenario} IN {year}{part}")
        homes, waits, missing, prices = (
            frame[frame["financial_year"] == year]
            for frame in (found.homes, found.waits, found.missing, found.type_prices)
        )
        parts += [_headline(run, homes, waits), _missing_text(run, missing), _homes_text(run, homes, prices)]
        parts += [_where_text(homes, waits, by) for by in ("locality", "age_band")]
    return "\n\n".join([*parts, _notes(run, found)])


def _headline(run: Run, homes: pd.DataFrame, waits: pd.DataFrame) -> str:
    dearer = homes[homes["gap"] == "dearer home"]
    miles = f"{run.record['radius_miles']:g}"
    return wrapped(
        f"{fixed(dearer['placements'].sum())} of {fixed(homes['placements'].sum())} placements begun in the year were in a "
        f"dearer home than was wanted; such homes cost {pounds(float(homes['extra_cost_gbp'].sum()))} more in the year. "
        f"{fixed(homes['beyond_for_want'].sum())} placements were beyond {miles} miles for want of a nearer home. "
        f"{fixed(waits['waited'].sum())} of {fixed(waits['starts'].sum())} children who started early help had waited, and "
        f"{fixed(waits['left_without_help'].sum())} left the queue without help."
    )


def _missing_text(run: Run, missing: pd.DataFrame) -> str:
    """What is missing most, where: ages together."""
    keys = ["what", "wanted", "locality"]
    summed = missing.groupby(keys, sort=False)[["children", "child_years", "extra_cost_gbp"]].sum().reset_index()
    ranked = summed.sort_values("child_years", ascending=False, kind="stable").head(MOST_ROWS)
    rows = [
        [f"{_what(run, row['what'], row['wanted'])}: {row['locality']}", fixed(row["children"], 1),
         fixed(row["child_years"], 1), pounds(row["extra_cost_gbp"]) if row["extra_cost_gbp"] else ""]
        for row in ranked.to_dict("records")
    ]  # fmt: skip
    if not rows:
        return "Nothing is missing: nobody waited, and every child got the home that was wanted, within the radius."
    return table(["What is missing most, where", "children", "child-years without", "extra cost"], rows, 60, 70)


def _what(run: Run, what: str, wanted: str) -> str:
    nation = run.record["nation"]
    if what == "early_help":
        return "Early help without a wait"
    label = placement_type_label(nation, wanted)
    return f"{label}, within {run.record['radius_miles']:g} miles" if what == "near_home" else label


def _homes_text(run: Run, homes: pd.DataFrame, prices: pd.DataFrame) -> str:
    """Placements begun in the year by the type wanted."""
    weekly = dict(zip(prices["placement_type"], prices["price_gbp_per_week"], strict=True))
    rows = []
    for wanted, part in homes.groupby("wanted", sort=False):
        dearer, other = (part[part["gap"] == gap] for gap in ("dearer home", "another home"))
        rows.append([
            placement_type_label(run.record["nation"], str(wanted)), fixed(part["placements"].sum(), 1),
            fixed(dearer["placements"].sum(), 1), fixed(other["placements"].sum(), 1),
            fixed(part["beyond_for_want"].sum(), 1),
            f"{fixed(part['beyond_for_safety'].sum(), 1)} / {fixed(part['beyond_by_nature'].sum(), 1)}",
            f"£{weekly[str(wanted)]:,.0f}", pounds(float(part["extra_cost_gbp"].sum())),
        ])  # fmt: skip
    rows.sort(key=lambda row: -float(row[1].replace(",", "")))
    head = ["Wanted", "placements", "dearer", "another", "too far", "safety / kin", "£ a week", "extra cost"]
    return table(head, rows, 40, 42)


def _where_text(homes: pd.DataFrame, waits: pd.DataFrame, by: str) -> str:
    """The same by locality, or by age band."""
    gap = homes.assign(
        dearer=homes["placements"].where(homes["gap"] == "dearer home", 0.0)
    )  # children, not child-years
    homes_by = gap.groupby(by)[["placements", "dearer", "extra_cost_gbp", "beyond_for_want"]].sum()
    waits_by = waits.assign(days=waits["mean_wait_days"] * waits["starts"]).groupby(by).sum(numeric_only=True)
    names = list(AGE_BAND_LABELS) if by == "age_band" else sorted({*homes_by.index, *waits_by.index})
    rows = []
    for name in names:
        if name in homes_by.index or name in waits_by.index:
            home, wait = _row(homes_by, name), _row(waits_by, name)
            days = wait["days"] / wait["starts"] if wait.get("starts") else 0.0
            rows.append([
                AGE_BAND_LABELS[name] if by == "age_band" else str(name), fixed(wait.get("starts", 0.0)), fixed(days),
                fixed(wait.get("left_without_help", 0.0), 1), fixed(home.get("placements", 0.0), 1),
                fixed(home.get("dearer", 0.0), 1), fixed(home.get("beyond_for_want", 0.0), 1),
                pounds(home.get("extra_cost_gbp", 0.0)),
            ])  # fmt: skip
    head = ["By locality" if by == "locality" else "By age", "help starts", "mean wait, days", "left the queue",
            "placements", "dearer home", "too far", "extra cost"]  # fmt: skip
    return table(head, rows, 24)


def _row(frame: pd.DataFrame, name: str) -> dict[str, float]:
    if name not in frame.index:
        return {}
    values = frame.loc[[name]].to_numpy(dtype=float)[0]
    return dict(zip(map(str, frame.columns), values.tolist(), strict=True))


def _notes(run: Run, found: "Gaps") -> str:
    miles, kept = f"{run.record['radius_miles']:g}", percent(found.kept_for_safety_share)
    lines: Sequence[str] = (
        f"Means over {found.replications} replications of {found.scenario}. Placements are those begun in the year; "
        "child-years and extra cost are of all placements begun in the run. A child in a dearer home that is also too "
        "far away is counted in both. Localities and ages are the child's.",
        "Extra cost = days x (mean price of the type got - of the type wanted), own homes with their share of fixed "
        "cost; an own home in place of a bought one is no gap. Distance has no price of its own.",
        f"Too far = beyond {miles} miles for want of a nearer home. Counted apart in 'safety / kin', and no failure: "
        f"kin, adopters, schools and secure care; and {kept} of the others, assumed to be kept far for the child's "
        "safety (distance.kept_for_safety_share; give your own). Unaccompanied children and unknown distances are "
        "left out.",
    )
    return "\n".join(wrapped(line) for line in lines)
