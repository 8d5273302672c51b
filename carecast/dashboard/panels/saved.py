"""What a scenario saves, by kind and year, and the safety measures beside it."""

import pandas as pd

from carecast.dashboard import charts, figures, telling
from carecast.dashboard.figures import Figure, rows_of
from carecast.dashboard.panels.shapes import Panel, Savings, Table
from carecast.dashboard.panels.view import View, charted, lower_first, money_cell, saving_target, two_lines, year_words
from carecast.dashboard.telling import legend_name, money, prose, value_words
from carecast.scenarios.wording import measure_label


def savings(view: View, scenario: str) -> Savings:
    """Net saving by year, its kinds, and safety beside it."""
    frame = figures.savings(view.run, scenario)
    net = charted(view, frame[frame["kind"] == "net_saving_gbp"])
    target = saving_target(view)
    last = net[net["year"] == view.last_year].iloc[0]
    found = Figure(last["mean"], last["p10"], last["p90"])
    words = "saves" if found.mean >= 0 else "costs more:"
    title = f"\u201c{legend_name(scenario)}\u201d {words} {money(abs(found.mean))} net in {view.last_year}"
    key = [("point-scenario", "Net saving, mean and 80 % interval")]
    if target is not None:
        key.append(("line-target", f"Target: {target.name}"))
    chart = charts.saving(net, None if target is None else target.value)
    spans = ", ".join(
        f"{row.year} {money(row.mean)} ({telling.between('net_saving_gbp', row.p10, row.p90)})" for row in rows_of(net)
    )
    alt = f"Chart of net saving by financial year, mean and 80 % interval: {spans}."
    subtitle = (
        "Net saving against the baseline: gross less released capacity and programme cost. All funders, cash prices."
    )
    panel = Panel("saving", title, subtitle, tuple(key), chart, alt, _net_table(view, net))
    safety_title, safety = safety_table(view, scenario)
    notes = [prose("savings")]
    if view.run.record.get("budget_assumed"):
        notes.append(prose("budget_assumed"))
    return Savings(panel, _kinds_table(view, frame), safety_title, safety, tuple(notes))


def _net_table(view: View, net: pd.DataFrame) -> Table:
    rows = tuple(
        (year_words(view, row.year), money(row.mean), telling.between("net_saving_gbp", row.p10, row.p90))
        for row in rows_of(net)
    )
    return Table("Net saving by financial year", ("Financial year", "Mean", "80 % interval"), rows)


def _kinds_table(view: View, frame: pd.DataFrame) -> Table:
    moved = set(frame[(frame[["mean", "p10", "p90"]] != 0).any(axis=1)]["year"])
    all_years = [year for year in figures.years(view.run) if year in moved] or list(figures.whole_years(view.run))
    rows = []
    for kind in figures.SAVING_KINDS:
        cells = [money_cell(frame[(frame["kind"] == kind) & (frame["year"] == year)]) for year in all_years]
        rows.append((telling.saving_label(view.nation, kind), *cells))
    caption = "Savings against the baseline by kind and financial year, mean and 80 % interval"
    still = [year for year in figures.years(view.run) if year not in all_years]
    caption += f"; nothing in {', '.join(still)}" if still else ""
    columns = ("Kind", *(year_words(view, year).replace(" (", "\n(") for year in all_years))
    return Table(caption, columns, tuple(rows), strong=("Gross saving", "Net saving"))


def safety_table(view: View, scenario: str) -> tuple[str, Table]:
    """The finding, and the safety measures of the last twelve months."""
    rows, worse = [], []
    for row in rows_of(figures.safety(view.run, scenario)):
        label = measure_label(view.nation, row.measure)
        difference = Figure(row.difference, row.p10, row.p90)
        if row.worse:
            worse.append(lower_first(label))
        rows.append((
            label, value_words(row.measure, row.mean_against), value_words(row.measure, row.mean),
            two_lines(telling.difference_with_interval(row.measure, difference)),
            f"{telling.chance(row.chance_worse, view.replications)}\n{'Worse' if row.worse else 'Not clearly worse'}",
        ))  # fmt: skip
    title = f"Worse: {', '.join(worse)}" if worse else "No safety measure is clearly worse"
    columns = (
        "Over the last 12 months",
        "Baseline",
        legend_name(scenario),
        "Difference\n80 % interval",
        "Chance worse\nverdict",
    )
    return title, Table("Safety measures beside the saving", columns, tuple(rows))
