"""How many children: published history and the fan of what may come."""

import pandas as pd

from carecast.dashboard import charts, figures, telling
from carecast.dashboard.figures import rows_of
from carecast.dashboard.panels.shapes import Panel, Table
from carecast.dashboard.panels.view import AWAY, View, two_lines
from carecast.dashboard.telling import ABSENT, legend_name, value_words
from carecast.model.summary import BASELINE
from carecast.scenarios.describe import date_words
from carecast.scenarios.run import Run


def children_panel(view: View, measure: str) -> Panel:
    """Published history and the fan of one stock."""
    paths = figures.fan(view.run, view.scenario, measure)
    history = figures.history(view.run, measure)
    ends = {name: figures.figure_of(view.run, name, measure) for name in view.names}
    start = figures.figure_of(view.run, BASELINE, measure, 0)
    last = f"{figures.last_date(view.run):%B %Y}"
    noun = "away from home" if measure == AWAY else "looked after"
    title = f"{value_words(measure, ends[BASELINE].mean)} children {noun} in {last}"
    said = [value_words(measure, end.mean) for end in ends.values()]
    if view.scenario is None:
        title += " if nothing changes"
    elif said[0] == said[1]:
        title += f", with or without \u201c{legend_name(view.scenario)}\u201d"
    else:
        title += f" if nothing changes, {said[1]} with \u201c{legend_name(view.scenario)}\u201d"
    key = [("line-baseline", "Baseline, mean"), ("bands", "its 50, 80 and 95 % bands")]
    if view.scenario is not None:
        key += [("line-scenario", f"{legend_name(view.scenario)}, mean"), ("edge-scenario", "its 80 % interval")]
    if len(history):
        key.append(("dot", "Published"))
    worded = paths.assign(scenario=[legend_name(name) for name in paths["scenario"]])
    spoken = [f"{legend_name(n)} {telling.with_interval(measure, f)} in {last}" for n, f in ends.items()]
    alt = f"Line chart of {view.label(measure).lower()}, from {value_words(measure, start.mean)} on " \
          f"{telling.iso_words(view.run.record['as_at'])}: {'; '.join(spoken)}. Mean and 80 % interval."  # fmt: skip
    subtitle = view.label(measure) + ", at month end. Mean, and bands that hold 50, 80 and 95 % of replications."
    if not len(history):
        subtitle += " No published history of this count for this council."
    as_at = pd.Timestamp(view.run.record["as_at"])
    chart = charts.fan(worded, history, view.legends, as_at)
    return Panel(f"fan_{measure}", title, subtitle, tuple(key), chart, alt, _fan_table(view, measure, paths, history))


def _fan_table(view: View, measure: str, paths: pd.DataFrame, history: pd.DataFrame) -> Table:
    known = {
        row.date: value_words(measure, row.value) if row.value == row.value else "not shown" for row in rows_of(history)
    }
    dates = list(paths["date"].unique())
    kept = {date: at for at, date in enumerate(dates) if at in (0, len(dates) - 1) or date.month == 3}
    columns = ["On", "Published", *(f"{legend}\nmean, 80 and 95 %" for legend in view.legends)]
    if view.scenario is not None:
        columns.append("Difference\nmean and 80 %")
    rows = []
    for date in sorted({*known, *kept}):
        row = [date_words(date), known.get(date, ABSENT)]
        for name in view.names:
            at = paths[(paths["scenario"] == name) & (paths["date"] == date)]
            row.append(_fan_cell(measure, at) if date in kept else ABSENT)
        if view.scenario is not None:
            row.append(_difference(view.run, view.scenario, measure, kept[date]) if date in kept else ABSENT)
        rows.append(tuple(row))
    return Table(f"{view.label(measure)}, mean and intervals on 31 March", tuple(columns), tuple(rows))


def _fan_cell(measure: str, at: pd.DataFrame) -> str:
    found = at.iloc[0]
    inner, outer = (
        telling.between(measure, found[low], found[high]) for low, high in (("p10", "p90"), ("p025", "p975"))
    )
    return f"{value_words(measure, found['mean'])}\n{inner}\n{outer}"


def _difference(run: Run, scenario: str, measure: str, at: int) -> str:
    return two_lines(telling.difference_with_interval(measure, figures.paired(run, scenario, measure, at)))
