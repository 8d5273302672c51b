"""What it will cost: placements by year, and what each kind of service costs at the end."""

from collections.abc import Sequence

import pandas as pd

from carecast.dashboard import charts, figures, telling
from carecast.dashboard.figures import rows_of
from carecast.dashboard.panels.shapes import Panel, Table
from carecast.dashboard.panels.view import View, charted, lower_first, mean_of, money_cell, named, year_words
from carecast.dashboard.telling import ABSENT, legend_name, money, prose
from carecast.model.summary import BASELINE


def spend_panel(view: View) -> Panel:
    """Cost of placements by year, published and forecast."""
    costs, published = figures.spend(view.run, view.scenario), figures.published_spend(view.run)
    placements = costs[costs["group"] == "placements"]
    first, last = figures.whole_years(view.run)[0], view.last_year
    from_, to = (mean_of(costs, BASELINE, "placements", year) for year in (first, last))
    title = f"Placements go from {money(from_)} in {first} to {money(to)} in {last} if nothing changes"
    if first == last:
        title = f"Placements cost {money(to)} in {last} if nothing changes"
    key = [("point-baseline", "Baseline, mean and 80 % interval")]
    if view.scenario is not None:
        key.append(("point-scenario", f"{legend_name(view.scenario)}, mean and 80 % interval"))
        with_it = money(mean_of(costs, view.scenario, "placements", last))
        title += f", {with_it} with \u201c{legend_name(view.scenario)}\u201d"
    if len(published):
        key.append(("dot", "Published"))
    chart = charts.yearly(named(charted(view, placements)), published, view.legends)
    alt = f"Chart of the gross cost of placements by financial year: {title}."
    table = _spend_table(view, costs, published)
    return Panel("spend", title, prose("spend"), tuple(key), chart, alt, table)


def _spend_table(view: View, costs: pd.DataFrame, published: pd.DataFrame) -> Table:
    known = {row.year: money(row.value) for row in rows_of(published)}
    ours = figures.years(view.run)
    groups = ("placements", "all")
    columns = ["Financial year", "Published placements"]
    for words in ("Placements", "All of it"):
        columns += [f"{words}\n{legend}" for legend in view.legends]
    rows = []
    for year in sorted({*known, *ours}):
        row = [year_words(view, year), known.get(year, ABSENT)]
        for group in groups:
            for name in view.names:
                at = costs[(costs["scenario"] == name) & (costs["group"] == group) & (costs["year"] == year)]
                row.append(money_cell(at) if len(at) else ABSENT)
        rows.append(tuple(row))
    caption = (
        "Gross cost by financial year, mean and 80 % interval; "
        "\u201call of it\u201d adds every other line and programme cost"
    )
    return Table(caption, tuple(columns), tuple(rows))


def groups_panel(view: View) -> Panel:
    """Cost of the last whole year by group of lines, baseline and scenario."""
    costs = figures.spend(view.run, view.scenario)
    at_end = costs[(costs["year"] == view.last_year) & ~costs["group"].isin(["placements", "all"])]
    held = [
        g for g in at_end["group"].unique() if g != "programme" or at_end[at_end["group"] == g]["mean"].abs().max() > 0
    ]
    shown = at_end[at_end["group"].isin(held)]
    worded = named(shown).assign(group=[telling.group_label(view.nation, g) for g in shown["group"]])
    key = [("point-baseline", "Baseline")]
    if view.scenario is not None:
        key.append(("point-scenario", legend_name(view.scenario)))
    title = _groups_title(view, at_end)
    chart = charts.dumbbell(worded, view.legends)
    alt = f"Dot chart of gross cost in {view.last_year} by kind of service: {title}."
    subtitle = prose("groups", year=year_words(view, view.last_year))
    return Panel("groups", title, subtitle, tuple(key), chart, alt, _groups_table(view, at_end, held))


def _groups_title(view: View, at_end: pd.DataFrame) -> str:
    base = at_end[at_end["scenario"] == BASELINE].set_index("group")["mean"]
    if view.scenario is None:
        share = 100 * base["residential"] / max(base.sum(), 1.0)
        return f"Residential placements are {telling.percent(share)} of what {view.last_year} costs"
    change = at_end[at_end["scenario"] == view.scenario].set_index("group")["mean"] - base
    group = str(change.abs().idxmax())
    if abs(change[group]) < 1:
        return "Nothing costs more or less"
    side = "less" if change[group] < 0 else "more"
    name = telling.group_label(view.nation, group)
    return f"The largest difference is in {lower_first(name)}: {money(abs(change[group]))} {side} in {view.last_year}"


def _groups_table(view: View, at_end: pd.DataFrame, held: Sequence[str]) -> Table:
    rows = []
    for group in held:
        cells = [money_cell(at_end[(at_end["scenario"] == n) & (at_end["group"] == group)]) for n in view.names]
        rows.append((telling.group_label(view.nation, group), *cells))
    caption = f"Gross cost in {year_words(view, view.last_year)} by kind of service, mean and 80 % interval"
    return Table(caption, ("Kind of service", *view.legends), tuple(rows))


def spend_note(view: View) -> str:
    parts = []
    if len(figures.published_spend(view.run)):
        parts.append(prose("spend_published"))
    left_out = [year for year in figures.years(view.run) if year not in figures.whole_years(view.run)]
    if left_out:
        parts.append(prose("part_year", part_years=", ".join(left_out)))
    return " ".join(parts)
