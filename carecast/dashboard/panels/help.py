"""The page *Early help and workforce*: who waits, the places there are, staff needed against posts, and the gap report."""

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from carecast.dashboard import charts_compare, charts_help, figures, telling
from carecast.dashboard import figures_help as f
from carecast.dashboard.disclosure import is_small
from carecast.dashboard.figures import rows_of
from carecast.dashboard.figures_compare import records_by
from carecast.dashboard.panels.front import front
from carecast.dashboard.panels.places import part_label, wanted_table, where_table
from carecast.dashboard.panels.shapes import Front, Line, Panel, Table, Tile
from carecast.dashboard.panels.view import View, lower_first, named, two_lines
from carecast.dashboard.telling import ABSENT, count, legend_name, money, percent, prose, value_words
from carecast.model.summary import BASELINE, TOTAL
from carecast.scenarios import gaps as report
from carecast.scenarios.run import Run
from carecast.scenarios.wording import AGE_BAND_LABELS, placement_type_label
from carecast.scenarios.workforce import year_ends

WAITING, OPEN, DAYS, FTE = "early_help_waiting", "early_help_open", "early_help_wait_days", "workforce_fte"
MOST_GAPS = 10
MOST_DATES = 6


@dataclass(frozen=True)
class Help:
    """Everything on the page *Early help and workforce*."""

    finding: str
    front: Front
    tiles: tuple[Tile, ...]
    queue: tuple[Panel, ...]
    places: Table
    places_note: str
    waits: tuple[tuple[str, Table], ...]
    staff: Panel | None
    staff_years: Table | None
    staff_note: str
    gap_words: str
    gap: Panel | None
    gap_tables: tuple[tuple[str, Table], ...]
    gap_note: str
    year: str


def early_help(run: Run, scenario: str | None, year: str) -> Help:
    """The page for a run, the scenario beside its baseline, and the financial year of the gap report."""
    view = View(run, scenario)
    found = report.gaps(run, scenario or BASELINE, [year])
    staff, why = f.staff(run, scenario)
    return Help(
        finding=_finding(view, staff),
        front=front(run, scenario),
        tiles=_tiles(view, staff),
        queue=(_fan(view, WAITING), _fan(view, OPEN)),
        places=_places_table(view),
        places_note=prose("help_places" if f.pools(run) else "help_no_places"),
        waits=tuple((label, _waits_table(view, found, by, year)) for by, label in
                    (("locality", "Waits by locality"), ("age_band", "Waits by age"))),
        staff=None if staff is None else _staff_panel(view, staff),
        staff_years=None if staff is None else _staff_years(view, staff),
        staff_note=_staff_note(staff, why),
        gap_words=_gap_words(view, found, year),
        gap=_gap_panel(view, found, year),
        gap_tables=(
            ("What was wanted and what was got", wanted_table(view, found, year)),
            ("Homes by locality", where_table(view, found, "locality", year)),
            ("Homes by age", where_table(view, found, "age_band", year)),
        ),
        gap_note=prose("places_why", scenario=legend_name(found.scenario), replications=found.replications,
                       miles=f"{run.record['radius_miles']:g}", kept=percent(100 * found.kept_for_safety_share)),
        year=year,
    )  # fmt: skip


# --- the head ---------------------------------------------------------------------------------------------------------
def _finding(view: View, staff: pd.DataFrame | None) -> str:
    last = f"{figures.last_date(view.run):%B %Y}"
    waiting = {name: figures.figure_of(view.run, name, WAITING) for name in view.names}
    base = waiting[BASELINE].mean
    text = f"{count(base)} children will be waiting for early help in {last}" if base >= 0.05 else \
           f"No child is expected to wait for early help in {last}"  # fmt: skip
    gaps = (
        {} if staff is None else {name: max(float(_at_end(staff, name, TOTAL)["gap_fte"]), 0.0) for name in view.names}
    )
    if gaps:
        text += f", and {_staff_words(gaps[BASELINE])}"
    if view.scenario is not None:
        short = f" and {count(gaps[view.scenario])}" if gaps else ""
        text += f"; {count(waiting[view.scenario].mean)}{short} with \u201c{legend_name(view.scenario)}\u201d"
    return text


def _staff_words(short: float) -> str:
    return f"{count(short)} full-time staff will be lacking" if short >= 0.05 else "no staff will be lacking"


def _at_end(staff: pd.DataFrame, scenario: str, role: str) -> "pd.Series[float]":
    found = staff[(staff["scenario"] == scenario) & (staff["role"] == role)]
    return found[found["date"] == found["date"].max()].iloc[0]


def _tiles(view: View, staff: pd.DataFrame | None) -> tuple[Tile, ...]:
    last, tiles = f"{figures.last_date(view.run):%B %Y}", []
    for measure in (WAITING, OPEN, DAYS):
        lines = []
        for name in view.names:
            number = figures.figure_of(view.run, name, measure)
            unit = " days" if measure == DAYS else ""
            words = f"{value_words(measure, number.mean)}{unit}"
            lines.append(Line(name, words, f"{telling.interval(measure, number)}{unit}"))
        start = figures.figure_of(view.run, BASELINE, measure, 0)
        foot = "Those who started in the month" if measure == DAYS else ""
        if measure != DAYS:
            told = "1 to 5" if is_small(start.mean) else value_words(measure, start.mean)
            foot = f"{told} on {telling.iso_words(view.run.record['as_at'])}"
        tiles.append(Tile(f"{view.label(measure)}, {last}", tuple(lines), foot))
    there_are = [(name, f.places_there_are(view.run, name)) for name in view.names]
    lines = [Line(name, "no limit" if found is None else count(round(float(found[-1])))) for name, found in there_are]
    tiles.append(Tile(f"Places of early help, {last}", tuple(lines), "Families at once"))
    if staff is not None:
        lines, gap_lines = [], []
        for name in view.names:
            row = _at_end(staff, name, TOTAL)
            lines.append(
                Line(name, count(row["needed_fte"]), f"{count(row['needed_p10'])} to {count(row['needed_p90'])}")
            )
            gap_lines.append(
                Line(name, _signed(row["gap_fte"]), f"{_signed(row['gap_p10'])} to {_signed(row['gap_p90'])}")
            )
        row = _at_end(staff, BASELINE, TOTAL)
        in_post = f"In post {count(row['in_post_fte'])}, posts {count(row['establishment_fte'])}"
        tiles.append(Tile(f"Staff needed, {last}", tuple(lines), f"Full-time equivalents. {in_post}"))
        tiles.append(Tile(f"Staff short, {last}", tuple(gap_lines), "Needed less in post; + means too few"))
    return tuple(tiles)


def _signed(value: float) -> str:
    return telling.difference_words(FTE, float(value))


# --- early help -------------------------------------------------------------------------------------------------------
def _fan(view: View, measure: str) -> Panel:
    paths, history = figures.fan(view.run, view.scenario, measure), figures.history(view.run, measure)
    ends = {name: figures.figure_of(view.run, name, measure) for name in view.names}
    last = f"{figures.last_date(view.run):%B %Y}"
    title = f"{view.label(measure)}: {value_words(measure, ends[BASELINE].mean)} in {last} if nothing changes"
    key = [("line-0", "Baseline, mean"), ("bands", "its 50, 80 and 95 % bands")]
    if view.scenario is not None:
        title += f", {value_words(measure, ends[view.scenario].mean)} with \u201c{legend_name(view.scenario)}\u201d"
        key.append(("line-1", f"{legend_name(view.scenario)}, mean and 80 % interval each March"))
    if len(history):
        key.append(("dot", "Published"))
    top = max(float(paths["p975"].max()), float(history["value"].max()) if len(history) else 0.0, 1.0) * 1.05
    chart = charts_compare.fans(named(paths), history, view.legends, pd.Timestamp(view.run.record["as_at"]), top)
    spoken = [f"{legend_name(n)} {telling.with_interval(measure, one)}" for n, one in ends.items()]
    alt = f"Line chart of {lower_first(view.label(measure))} to {last}: {'; '.join(spoken)}. Mean and 80 % interval."
    return Panel(f"help_{measure}", title, prose("help_fan"), tuple(key), chart, alt, _fan_table(view, measure))


def _fan_table(view: View, measure: str) -> Table:
    dates = view.run.answer(BASELINE).monthly.dates
    rows = []
    for at, date in enumerate(dates):
        if at and (at == len(dates) - 1 or date.month == 3):
            cells = [two_lines(telling.with_interval(measure, figures.figure_of(view.run, name, measure, at)))
                     for name in view.names]  # fmt: skip
            rows.append((telling.iso_words(date.isoformat()), *cells))
    return Table(f"{view.label(measure)}, mean and 80 % interval", ("On", *view.legends), tuple(rows))


def _places_table(view: View) -> Table:
    rows = [(pool.where, "no limit" if pool.places is None else count(pool.places)) for pool in f.pools(view.run)]
    dates = view.run.answer(BASELINE).monthly.dates
    if view.scenario is not None:
        added = f.places_added(view.run, view.scenario)
        for at, date in enumerate(dates):
            if date.month == 3:
                rows.append((f"Added by \u201c{legend_name(view.scenario)}\u201d by {telling.iso_words(date.isoformat())}",
                             telling.difference_words(OPEN, round(float(added[at])))))  # fmt: skip
    return Table("Places of early help, families at once", ("Where", "Places"), tuple(rows))


def _waits_table(view: View, found: report.Gaps, by: str, year: str) -> Table:
    frame = f.waits_by(found.waits, by)
    order = list(AGE_BAND_LABELS) if by == "age_band" else sorted(frame[by])
    by_name = records_by(frame, by)
    rows = []
    for name in order:
        if name in by_name:
            row = by_name[name]
            rows.append((
                part_label(view.nation, by, str(name)), count(row["starts"]), count(row["waited"]),
                count(row["mean_wait_days"]), count(row["left_without_help"]), count(row["escalated_while_waiting"]),
            ))  # fmt: skip
    where = "Locality" if by == "locality" else "Age"
    columns = (where, "Started early help", "Of them had waited", "Mean wait, days", "Left without help",
               "Of them because things got worse")  # fmt: skip
    caption = f"Waits for early help that ended in {year}, \u201c{legend_name(found.scenario)}\u201d, children"
    return Table(caption, columns, tuple(rows))


# --- staff ------------------------------------------------------------------------------------------------------------
def _staff_panel(view: View, staff: pd.DataFrame) -> Panel:
    last = staff[staff["date"] == staff["date"].max()]
    shown = last[(last["role"] != TOTAL) & ((last["needed_p90"] > 0) | (last["in_post_fte"] > 0))]
    rows = pd.DataFrame({
        "part": shown["label"], "scenario": [legend_name(name) for name in shown["scenario"]],
        "mean": shown["needed_fte"], "p10": shown["needed_p10"], "p90": shown["needed_p90"], "in_post": shown["in_post_fte"],
    })  # fmt: skip
    order = shown.groupby("label", sort=False)["needed_fte"].max().sort_values(ascending=False, kind="stable").index
    rows = rows.set_index("part").loc[list(order)].reset_index()
    subject = view.names[-1]
    mine = shown[shown["scenario"] == subject].sort_values("gap_fte", ascending=False, kind="stable")
    when = f"{figures.last_date(view.run):%B %Y}"
    title = f"Staff in post meet the need of every role in {when}"
    if len(mine) and float(mine.iloc[0]["gap_fte"]) > 0.05:
        most = mine.iloc[0]
        short = f"{count(float(most['gap_fte']))} full-time equivalents short"
        title = f"{most['label']}: {short} in {when}, the most of all roles"
    key = [("point-0", "Needed, baseline, mean and 80 % interval")]
    if view.scenario is not None:
        key.append(("point-1", f"Needed, {legend_name(view.scenario)}"))
    key.append(("tick", "In post"))
    spoken = "; ".join(
        f"{row.label} {count(row.needed_fte)} needed, {count(row.in_post_fte)} in post" for row in rows_of(mine)
    )
    alt = f"Dot chart of staff needed by role in {when}: {spoken}."
    chart = charts_help.staff(rows, view.legends)
    return Panel("help_staff", title, prose("help_staff"), tuple(key), chart, alt, _staff_table(view, last))


def _staff_table(view: View, last: pd.DataFrame) -> Table:
    rows = []
    for name in view.names:
        for row in rows_of(last[last["scenario"] == name]):
            change = ABSENT if name == BASELINE else _signed(row.against_baseline_fte)
            assumed = "\nassumed" if str(row.establishment_how).startswith("assumed") else ""
            who = f"{row.label}\n{legend_name(name)}" if len(view.names) > 1 else row.label
            rows.append((
                who, f"{count(row.needed_fte)}\n{count(row.needed_p10)} to {count(row.needed_p90)}",
                f"{count(row.establishment_fte)}{assumed}", percent(100 * row.vacancy_share), count(row.in_post_fte),
                f"{_signed(row.gap_fte)}\n{_signed(row.gap_p10)} to {_signed(row.gap_p90)}",
                telling.chance(row.chance_short, view.replications), change,
            ))  # fmt: skip
    columns = ("Role", "Needed\n80 % interval", "Posts", "Vacant", "In post", "Short\n80 % interval", "Chance short",
               "Change from baseline")  # fmt: skip
    when = telling.iso_words(figures.last_date(view.run).isoformat())
    return Table(f"Full-time equivalents by role on {when}", columns, tuple(rows))


def _staff_years(view: View, staff: pd.DataFrame) -> Table:
    subject = view.names[-1]
    part = staff[staff["scenario"] == subject]
    dates: list[dt.date] = year_ends(sorted(part["date"].unique()))
    shown = [dates[0], *dates[1:][-MOST_DATES:]]
    rows = []
    for label, of in part.groupby("label", sort=False):
        by_date = records_by(of, "date")
        rows.append((str(label), *(count(float(by_date[str(date)]["needed_fte"])) for date in shown)))
    columns = ("Role", *(telling.iso_words(date.isoformat()) for date in shown))
    caption = f"Staff needed year by year, \u201c{legend_name(subject)}\u201d, full-time equivalents"
    return Table(caption, columns, tuple(rows), strong=("All roles",))


def _staff_note(staff: pd.DataFrame | None, why: str) -> str:
    if staff is None:
        return prose("help_no_staff", why=why)
    parts = [prose("help_norms")]
    if staff["establishment_how"].str.startswith("assumed").any():
        parts.append(prose("help_posts_assumed"))
    return " ".join(parts)


# --- the gap report ---------------------------------------------------------------------------------------------------
def _gap_words(view: View, found: report.Gaps, year: str) -> str:
    homes, waits = found.homes, found.waits
    dearer = homes.loc[homes["gap"] == "dearer home", "placements"].sum()
    part = " (the run holds a part of it)" if year in found.part_years else ""
    return prose(
        "help_gaps", year=year + part, scenario=legend_name(found.scenario), dearer=count(dearer),
        placements=count(homes["placements"].sum()), extra=money(float(homes["extra_cost_gbp"].sum())),
        far=count(homes["beyond_for_want"].sum()), miles=f"{view.run.record['radius_miles']:g}",
        waited=count(waits["waited"].sum()), starts=count(waits["starts"].sum()),
        left=count(waits["left_without_help"].sum()),
    )  # fmt: skip


def _missing_label(view: View, what: str, wanted: str, locality: str) -> str:
    if what == report.EARLY_HELP:
        return f"Early help without a wait ({locality})"
    label = f"A home {lower_first(placement_type_label(view.nation, wanted))}"
    near = f", within {view.run.record['radius_miles']:g} miles" if what == report.NEAR_HOME else ""
    return f"{label}{near} ({locality})"


def _gap_panel(view: View, found: report.Gaps, year: str) -> Panel | None:
    ranked = f.missing_most(found.missing)
    if ranked.empty:
        return None
    shown = ranked.head(MOST_GAPS)
    rows = [
        {"part": _missing_label(view, row.what, row.wanted, row.locality), "value": row.child_years,
         "text": count(row.child_years)}
        for row in rows_of(shown)
    ]  # fmt: skip
    first = shown.iloc[0]
    title = (
        f"Missing most in {year}: {lower_first(str(rows[0]['part']))}, {count(float(first['child_years']))} child-years"
    )
    alt = f"Bar chart of child-years without what was wanted in {year}: " + \
          "; ".join(f"{row['part']} {row['text']}" for row in rows) + "."  # fmt: skip
    cells = tuple(
        (_missing_label(view, row.what, row.wanted, row.locality), count(row.children), count(row.child_years),
         money(row.extra_cost_gbp) if row.extra_cost_gbp else ABSENT)
        for row in rows_of(ranked)
    )  # fmt: skip
    columns = ("What was missing, and where", "Children", "Child-years without", "Extra cost")
    table = Table(f"What is missing most, where, in {year}", columns, cells)
    key = (("part-0", "Child-years without what was wanted"),)
    chart = charts_help.bars(pd.DataFrame(rows), "Child-years")
    return Panel("help_gaps", title, prose("help_gap_chart"), key, chart, alt, table)
