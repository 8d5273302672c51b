"""The page *Compare*: scenarios of a run against one of them; how many children, what differs, what it saves, how safe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from carecast.dashboard import charts_compare, figures, telling
from carecast.dashboard import figures_compare as f
from carecast.dashboard.figures import Figure, rows_of
from carecast.dashboard.figures_compare import Choice
from carecast.dashboard.panels import compare_money as cash
from carecast.dashboard.panels.front import front
from carecast.dashboard.panels.shapes import Front, Line, Panel, Table, Tile
from carecast.dashboard.panels.view import ALL, AWAY, View, lower_first, two_lines, year_words
from carecast.dashboard.telling import legend_name, money, prose, value_words
from carecast.model.summary import BASELINE
from carecast.scenarios.wording import measure_label

MOST_OVERLAID = charts_compare.MOST_SERIES - 1
STOCKS = (AWAY, ALL, "within_radius_percent", "balance_of_care_percent")
# What can be drawn over time, in the order of the list.
MEASURES = (
    AWAY, ALL, "within_radius_percent", "out_of_area_percent", "balance_of_care_percent", "looked_after_in_residential",
    "early_help_waiting", "early_help_open", "referrals", "entries_to_care", "exits_from_care", "re_entry_12m_percent",
    "siblings_together_percent", "workforce_fte",
)  # fmt: skip
MONTHLY = (
    AWAY, ALL, "balance_of_care_percent", "within_radius_percent", "out_of_area_percent", "looked_after_in_residential",
    "early_help_waiting", "workforce_fte",
)  # fmt: skip
YEARLY = ("gross_cost_gbp", "net_cost_gbp", "programme_cost_gbp", "reserves_gbp")


@dataclass(frozen=True)
class Compare:
    """Everything on the page *Compare*."""

    finding: str
    front: Front
    tiles: tuple[Tile, ...]
    fans: tuple[Panel, ...]
    fans_note: str
    differences: Table
    saved: Panel
    safety_title: str
    safety: Table
    kinds: Table
    money_note: str
    by_year: tuple[tuple[str, Table], ...]  # of each scenario: its savings year by year
    paid_back: Table
    terms_note: str
    cumulative: tuple[Panel, ...]
    spend: tuple[Panel, ...]
    spend_tables: tuple[tuple[str, Table], ...]
    reserves: tuple[Panel, ...]
    reserves_table: Table
    reserves_note: str


def compare(choice: Choice, measure: str = AWAY) -> Compare:
    """The page for some scenarios of a run against one of them."""
    view = View(choice.run, None)
    frame, reserves = f.savings(choice), f.reserves(choice)
    safety_title, safety = safety_table(view, choice)
    overlaid = len(choice.names) <= MOST_OVERLAID
    return Compare(
        finding=_finding(view, choice, frame, safety_title),
        front=front(choice.run, None),
        tiles=tiles(view, choice, frame),
        fans=fans(view, choice, measure),
        fans_note="" if overlaid else prose("compare_frames"),
        differences=difference_table(view, choice),
        saved=cash.saved_panel(view, choice, frame),
        safety_title=safety_title,
        safety=safety,
        kinds=cash.kinds_table(view, choice, frame),
        money_note=prose("compare_money", against=legend_name(choice.against)),
        by_year=tuple((legend_name(name), cash.years_table(view, choice, frame, name)) for name in choice.names),
        paid_back=cash.paid_back_table(view, choice),
        terms_note=cash.terms_note(choice),
        cumulative=cash.cumulative_panels(view, choice, frame),
        spend=cash.spend_panels(view, choice),
        spend_tables=cash.spend_tables(view, choice),
        reserves=cash.reserves_panels(view, choice, reserves),
        reserves_table=cash.reserves_table(view, choice, reserves),
        reserves_note=cash.reserves_note(choice, reserves),
    )


# --- the head ---------------------------------------------------------------------------------------------------------
def _finding(view: View, choice: Choice, frame: pd.DataFrame, safety_title: str) -> str:
    """Which scenario saves most in the last whole year, and whether anything is less safe."""
    saved = {name: f.total_of(frame, name, "net_saving_gbp", view.last_year) for name in choice.names}
    known = {name: figure.mean for name, figure in saved.items() if figure is not None}
    best = max(known, key=lambda name: known[name])
    most = "most: " if len(known) > 1 else ""
    than = f"than \u201c{legend_name(choice.against)}\u201d" if choice.against != BASELINE else "than the baseline"
    if known[best] > 0:
        start = f"\u201c{legend_name(best)}\u201d saves {most}{money(known[best])} net in {view.last_year}"
        start += "" if choice.against == BASELINE else f" against \u201c{legend_name(choice.against)}\u201d"
    elif round(known[best]) == 0:
        start = f"\u201c{legend_name(best)}\u201d costs neither more nor less {than} in {view.last_year}"
    else:
        more = f"\u201c{legend_name(best)}\u201d costs {money(-known[best])} more net"
        start = f"Nothing compared here costs less {than}: {more}"
    return f"{start}; {lower_first(safety_title)}"


def mark(choice: Choice, name: str, kind: str = "point") -> str:
    """The mark of a scenario in the charts of the page."""
    at = choice.everyone.index(name)
    return f"{kind}-{at if len(choice.names) <= MOST_OVERLAID else min(at, 1)}"


def tiles(view: View, choice: Choice, frame: pd.DataFrame) -> tuple[Tile, ...]:
    """Children at the end of the run, what everything costs in the last whole year, and what is saved."""
    found = []
    for measure in STOCKS:
        lines = []
        for name in choice.everyone:
            number = figures.figure_of(choice.run, name, measure)
            note = telling.interval(measure, number)
            lines.append(Line(name, value_words(measure, number.mean), note, mark(choice, name)))
        found.append(Tile(f"{view.label(measure)}, {figures.last_date(choice.run):%B %Y}", tuple(lines)))
    spent = f.spend_by_year(choice)
    at = spent[spent["year"] == view.last_year]
    lines = [
        Line(
            row.scenario,
            money(row.mean),
            telling.between("gross_cost_gbp", row.p10, row.p90),
            mark(choice, row.scenario),
        )
        for row in rows_of(at)
    ]
    year = year_words(view, view.last_year)
    found.append(Tile(f"Gross cost, all lines and programme, {year}", tuple(lines), "Cash prices, all funders"))
    return (*found, _saving_tile(choice, frame, view.last_year, f"Net saving in {year}"))


def _saving_tile(choice: Choice, frame: pd.DataFrame, year: str, label: str) -> Tile:
    lines = []
    for name in choice.names:
        number = f.total_of(frame, name, "net_saving_gbp", year)
        if number is not None:
            note = telling.interval("net_saving_gbp", number)
            lines.append(Line(name, money(number.mean, number.low, number.high), note, mark(choice, name)))
    return Tile(label, tuple(lines), f"After programme cost, {cash.TERMS[choice.kind]}")


# --- over time --------------------------------------------------------------------------------------------------------
def fans(view: View, choice: Choice, measure: str) -> tuple[Panel, ...]:
    """One frame with up to four scenarios, or one a scenario beside the one compared against."""
    paths, history = f.paths(choice, measure), figures.history(choice.run, measure)
    highest = max(float(paths["p975"].max()), float(history["value"].max()) if len(history) else 0.0, 1.0) * 1.05
    ceiling = min(highest, 100.0) if measure.endswith("_percent") else highest
    if len(choice.names) <= MOST_OVERLAID:
        return (_fan(view, choice, measure, choice.everyone, paths, history, ceiling),)
    return tuple(_fan(view, choice, measure, (choice.against, name), paths, history, ceiling) for name in choice.names)


def _fan(view: View, choice: Choice, measure: str, names: Sequence[str], paths: pd.DataFrame, history: pd.DataFrame,
         ceiling: float) -> Panel:  # fmt: skip
    legends = [legend_name(name) for name in names]
    kept = paths[paths["scenario"].isin(list(names))]
    worded = kept.assign(scenario=[legend_name(name) for name in kept["scenario"]])
    ends = {name: figures.figure_of(choice.run, name, measure) for name in names}
    last = f"{figures.last_date(choice.run):%B %Y}"
    said = [f"{value_words(measure, ends[name].mean)} with \u201c{legend_name(name)}\u201d" for name in names[1:]]
    first = "if nothing changes" if names[0] == BASELINE else f"with \u201c{legends[0]}\u201d"
    title = f"{view.label(measure)}: {value_words(measure, ends[names[0]].mean)} in {last} {first}, {', '.join(said)}"
    key = [("line-0", f"{legends[0]}, mean"), ("bands", "its 50, 80 and 95 % bands")]
    key += [(f"line-{at}", f"{legend}, mean and 80 % interval each March") for at, legend in enumerate(legends[1:], 1)]
    if len(history):
        key.append(("dot", "Published"))
    spoken = [f"{legend_name(n)} {telling.with_interval(measure, one)} in {last}" for n, one in ends.items()]
    alt = f"Line chart of {lower_first(view.label(measure))}: {'; '.join(spoken)}. Mean and 80 % interval."
    chart = charts_compare.fans(worded, history, legends, pd.Timestamp(choice.run.record["as_at"]), ceiling,
                                measure.endswith("_percent"))  # fmt: skip
    name = f"compare_{measure}_{names[-1]}"
    return Panel(name, title, prose("compare_fan"), tuple(key), chart, alt, _fan_table(view, measure, names, kept))


def _fan_table(view: View, measure: str, names: Sequence[str], paths: pd.DataFrame) -> Table:
    dates = sorted(paths["date"].unique())
    kept = [date for at, date in enumerate(dates) if at in (0, len(dates) - 1) or date.month == 3]
    rows = []
    for date in kept:
        cells = [_at(measure, paths[(paths["scenario"] == name) & (paths["date"] == date)]) for name in names]
        rows.append((telling.iso_words(str(date.date())), *cells))
    columns = ("On", *(f"{legend_name(name)}\nmean, 80 %" for name in names))
    return Table(f"{view.label(measure)}, mean and 80 % interval on 31 March", columns, tuple(rows))


def _at(measure: str, found: pd.DataFrame) -> str:
    row = found.iloc[0]
    return f"{value_words(measure, row['mean'])}\n{telling.between(measure, row['p10'], row['p90'])}"


# --- paired differences -----------------------------------------------------------------------------------------------
def difference_table(view: View, choice: Choice) -> Table:
    """Each scenario minus the one compared against, within each replication: mean, 80 and 95 % interval."""
    last = figures.last_date(choice.run).isoformat()
    year_end = choice.run.answer(choice.against).yearly.dates[view.last_year_at].isoformat()
    rows = []
    for measures, date, when in ((MONTHLY, last, telling.iso_words(last)), (YEARLY, year_end, view.last_year)):
        frame = f.differences(choice, measures, date)
        for measure in measures:
            at = f.records_by(frame[frame["measure"] == measure], "scenario")
            if at:
                cells = [_difference(measure, at[name]) for name in choice.names]
                base = value_words(measure, float(at[choice.names[0]]["mean_against"]))
                rows.append((f"{view.label(measure)}\n{when}", base, *cells))
    caption = (
        f"Difference from \u201c{legend_name(choice.against)}\u201d within each replication: mean, 80 and 95 % interval"
    )
    columns = ("Measure", legend_name(choice.against), *(legend_name(name) for name in choice.names))
    return Table(caption, columns, tuple(rows))


def _difference(measure: str, row: dict[Any, Any]) -> str:
    inner = telling.difference_with_interval(measure, Figure(row["difference"], row["p10"], row["p90"]))
    outer = telling.difference_with_interval(measure, Figure(row["difference"], row["p025"], row["p975"]))
    return two_lines(inner) + "\n" + two_lines(outer).split("\n")[1]


# --- safety -----------------------------------------------------------------------------------------------------------
def safety_table(view: View, choice: Choice) -> tuple[str, Table]:
    """What is clearly worse, and every safety measure of every scenario over the last twelve months."""
    frame = f.safety(choice)
    worse, rows = [], []
    for measure, part in frame.groupby("measure", sort=False):
        label = measure_label(view.nation, str(measure))
        by_name = f.records_by(part, "scenario")
        cells = []
        for name in choice.names:
            row = by_name[name]
            difference = telling.difference_words(str(measure), float(row["difference"]))
            verdict = "Worse" if row["worse"] else "Not clearly worse"
            chance = telling.chance(float(row["chance_worse"]), view.replications)
            cells.append(
                f"{value_words(str(measure), float(row['mean']))} ({difference})\n{verdict}\nworse in {chance}"
            )
            if row["worse"]:
                worse.append(f"{lower_first(label)} (\u201c{legend_name(name)}\u201d)")
        rows.append((label, value_words(str(measure), float(by_name[choice.names[0]]["mean_against"])), *cells))
    title = f"Less safe: {', '.join(worse)}" if worse else "No safety measure is clearly worse"
    columns = ("Over the last 12 months", legend_name(choice.against), *(legend_name(name) for name in choice.names))
    return title, Table("Safety measures beside the savings", columns, tuple(rows))
