"""Charts of the baseline and up to five scenarios in one frame, each line named at its end.

Each series has a colour, a dash, a shape and its name beside its end, so nothing rests on colour alone. Colours are the
Government Analysis Function's.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from carecast.dashboard import charts
from carecast.dashboard.charts import BANDS, GREY, INK, Chart
from carecast.dashboard.telling import MINUS

COLOURS = ("#12436D", "#F46A25", "#28A197", "#801650", "#3D3D3D", "#A285D1")
DASHES = ([1, 0], [7, 4], [2, 3], [10, 3, 2, 3], [14, 5], [4, 2, 1, 2])
SHAPES = ("circle", "diamond", "square", "triangle-up", "triangle-down", "cross")
MOST = len(COLOURS)
HEIGHT, LINE_PIXELS, GAP_PIXELS, NAME_LETTERS, LETTER = 300, 16.0, 4.0, 26, 6.6
BAR_STEP = 8  # pixels between the intervals at the right end
LEVER_LETTERS, LEVER_PIXELS = 40, 36  # of a line of a lever's name, of its row


def digits_of(low: float, high: float, ticks: int = 6) -> int:
    """Decimals of millions that tell the marks of an axis in pounds apart."""
    step = max(high - low, 1.0) / ticks
    return 0 if step >= 0.9e6 else 1 if step >= 0.09e6 else 2 if step >= 0.009e6 else 3


def millions_axis(digits: int) -> str:
    """How an axis in pounds says millions."""
    return f"(datum.value < 0 ? '\u2212£' : '£') + format(abs(datum.value) / 1e6, ',.{digits}f') + 'm'"


def millions(pounds: float, digits: int) -> str:
    """``£2.9m`` with so many decimals."""
    text = f"{abs(pounds) / 1e6:,.{digits}f}"
    return f"{MINUS if pounds < 0 and text.strip('0.') else ''}£{text}m"


def label_lines(value: str, name: str) -> list[str]:
    """What stands beside the end of a line: its value and its name, on as many lines as they need."""
    return textwrap.wrap(f"{value} {name}", NAME_LETTERS, break_long_words=False)


def room(names: Sequence[str], value: str) -> int:
    """Pixels that the labels need to the right of a plot, with values as long as ``value``."""
    longest = max((len(line) for name in names for line in label_lines(value, name)), default=0)
    return int(14 + BAR_STEP * (len(names) - 1) * (len(names) > 2) + LETTER * longest)


def spread(at: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Places of labels in the order of ``at``, moved apart so that none covers another and all stay inside.

    Args:
        at: where each label would stand.
        heights: how tall each is, in the same unit.
        low: least.
        high: most.
    """
    order = sorted(range(len(at)), key=lambda i: (at[i], i))
    found = [at[i] for i in order]
    tall = [heights[i] for i in order]
    for _ in range(60):
        for i in range(1, len(found)):
            lacking = (tall[i] + tall[i - 1]) / 2 - (found[i] - found[i - 1])
            if lacking > 1e-9:
                found[i - 1], found[i] = found[i - 1] - lacking / 2, found[i] + lacking / 2
        if found:
            found[0] = max(found[0], low)
            found[-1] = min(found[-1], high)
    out = [0.0] * len(at)
    for place, i in zip(found, order, strict=True):
        out[i] = place
    return out


def _paint(names: Sequence[str]) -> dict[str, Any]:
    domain, n = list(names), len(names)
    return {
        "color": alt.Color("scenario:N", legend=None, scale=alt.Scale(domain=domain, range=list(COLOURS[:n]))),
        "dash": alt.StrokeDash("scenario:N", legend=None, scale=alt.Scale(domain=domain, range=list(DASHES[:n]))),
        "shape": alt.Shape("scenario:N", legend=None, scale=alt.Scale(domain=domain, range=list(SHAPES[:n]))),
    }


def _named_ends(ends: pd.DataFrame, names: Sequence[str], low: float, high: float, left: float) -> list[Any]:
    """The value and the name of each line beside its end.

    Args:
        ends: scenario, mean, text.
        names: in the order of the colours.
        low: bottom of the axis.
        high: top of the axis.
        left: pixels from the left of the plot.
    """
    pixel = (high - low) / HEIGHT
    rows = ends.set_index("scenario").loc[list(names)].reset_index()
    labels = [label_lines(text, name) for text, name in zip(rows["text"], rows["scenario"], strict=True)]
    heights = [(len(lines) * LINE_PIXELS + GAP_PIXELS) * pixel for lines in labels]
    places = spread(rows["mean"].tolist(), heights, low + LINE_PIXELS * pixel, high)
    layers: list[Any] = []
    for lines, place in zip(labels, places, strict=True):
        top = place + (len(lines) - 1) * LINE_PIXELS * pixel / 2
        for number, line in enumerate(lines):
            one = alt.Chart(pd.DataFrame({"mean": [top - number * LINE_PIXELS * pixel], "text": [line]}))
            mark = one.mark_text(align="left", baseline="middle", fontSize=13, color=INK)
            layers.append(mark.encode(x=alt.value(left), y=alt.Y("mean:Q"), text="text:N"))
    return layers


def fans(
    paths: pd.DataFrame, history: pd.DataFrame, names: Sequence[str], start: pd.Timestamp, top: float | None, width: int
) -> Chart:
    """Published points, bands of the first series, the mean of every one, and 80 % intervals of the others at the end.

    With two series the second one's 80 % interval is drawn all along instead.

    Args:
        paths: scenario, date, mean and quantiles.
        history: date, value.
        names: the baseline, then up to five others.
        start: the as-at date.
        top: the most the axis can hold (100 for shares).
        width: of the plot, pixels.
    """
    highest = max(float(paths["p975"].max()), float(history["value"].max()) if len(history) else 0.0, 1.0)
    ceiling = min(highest * 1.05, top) if top else highest * 1.05
    paint = _paint(names)
    axis = alt.Axis(format="%Y", tickCount="year", labelOverlap="greedy", labelSeparation=10, grid=False)
    x = alt.X("date:T", title=None, axis=axis)
    base, others = paths[paths["scenario"] == names[0]], paths[paths["scenario"] != names[0]]
    layers: list[Any] = [
        alt.Chart(base)
        .mark_area(opacity=opacity, color=COLOURS[0], clip=True)
        .encode(x, charts._y(low, ceiling, None), alt.Y2(high))
        for low, high, opacity in BANDS
    ]
    if len(names) == 2:
        for edge in ("p10", "p90"):
            thin = alt.Chart(others).mark_line(strokeWidth=1.4, strokeDash=[2, 3], color=COLOURS[1], clip=True)
            layers.append(thin.encode(x, charts._y(edge, ceiling, None)))
    lines = alt.Chart(paths).mark_line(strokeWidth=2.8)
    layers.append(lines.encode(x, charts._y("mean", ceiling, None), paint["color"], paint["dash"]))
    layers += charts._published(history, x, charts._y("value", ceiling, None))
    layers += charts._start(start, ceiling)
    ends = paths[paths["date"] == paths["date"].max()]
    for at, name in enumerate(names[1:] if len(names) > 2 else ()):
        bar = alt.Chart(ends[ends["scenario"] == name]).mark_rule(strokeWidth=3, opacity=0.8)
        beside = alt.value(width + 6 + BAR_STEP * at)
        layers.append(bar.encode(x=beside, y=alt.Y("p10:Q"), y2="p90", color=paint["color"]))
    ends = ends.assign(text=[f"{mean:,.0f}" + ("\u00a0%" if top == 100.0 else "") for mean in ends["mean"]])
    left = width + 10 + (BAR_STEP * (len(names) - 1) if len(names) > 2 else 0)
    layers += _named_ends(ends, names, 0.0, ceiling, left)
    return charts.dressed(layers, height=HEIGHT)


def by_year(
    costs: pd.DataFrame, names: Sequence[str], width: int, line_at: float | None = None, floor: bool = True,
    colours: Sequence[int] | None = None,
) -> Chart:  # fmt: skip
    """Pounds by financial year: each series' mean with its 80 % interval side by side, named at the end.

    Args:
        costs: scenario, year, mean, p10, p90, in pounds.
        names: up to six, in the order they stand.
        width: of the plot, pixels.
        line_at: pounds of a line across, if any.
        floor: whether the axis starts at nought; otherwise at the least that is drawn.
        colours: positions of the series among all, when the first is not the baseline.
    """
    at = list(colours or range(len(names)))
    domain, order = list(names), list(dict.fromkeys(costs["year"]))
    low = 0.0 if floor else min(float(costs["p10"].min()), 0.0) * 1.08
    high = max(float(costs["p90"].max()), line_at or 0.0, 1.0) * 1.06
    digits = digits_of(low, high)
    colour = alt.Color("scenario:N", legend=None, scale=alt.Scale(domain=domain, range=[COLOURS[i] for i in at]))
    dash = alt.StrokeDash("scenario:N", legend=None, scale=alt.Scale(domain=domain, range=[DASHES[i] for i in at]))
    shape = alt.Shape("scenario:N", legend=None, scale=alt.Scale(domain=domain, range=[SHAPES[i] for i in at]))
    x = alt.X("year:O", title=None, sort=order, scale=alt.Scale(domain=order, paddingOuter=0.2, paddingInner=0.3),
              axis=alt.Axis(labelOverlap="greedy", labelSeparation=6, grid=False, domain=False, ticks=False))  # fmt: skip
    offset = alt.XOffset("scenario:N", scale=alt.Scale(domain=domain, paddingOuter=0.8 if len(names) > 1 else 0.5))
    y = alt.Y("mean:Q", title=None, axis=alt.Axis(labelExpr=millions_axis(digits), tickCount=6),
              scale=alt.Scale(domain=[low, high], nice=False))  # fmt: skip
    data = alt.Chart(costs)
    layers: list[Any] = [
        alt.Chart(pd.DataFrame({"mean": [0.0]})).mark_rule(color=GREY).encode(alt.Y("mean:Q")),
        data.mark_rule(strokeWidth=3, opacity=0.45).encode(x, alt.Y("p10:Q"), alt.Y2("p90"), colour, offset),
        data.mark_line(strokeWidth=1.6).encode(x, y, colour, dash, offset),
        data.mark_point(filled=True, size=80, opacity=1).encode(x, y, colour, shape, offset),
    ]
    if line_at is not None:
        line = alt.Chart(pd.DataFrame({"mean": [line_at]}))
        layers.append(line.mark_rule(color=INK, strokeDash=[6, 4], strokeWidth=1.5).encode(alt.Y("mean:Q")))
    ends = costs[costs["year"] == order[-1]]
    ends = ends.assign(text=[millions(mean, digits + 1) for mean in ends["mean"]])
    layers += _named_ends(ends, names, low, high, width + 10)
    return charts.dressed(layers, height=HEIGHT)


def waterfall(rows: pd.DataFrame, order: Sequence[str]) -> Chart:
    """What each lever adds, one after another, to the whole; each bar starts where the one above it ends.

    Args:
        rows: name, start, end, in pounds; kind (``more``, ``less`` or ``all``); text.
        order: names from the top, the whole last.
    """
    folded = {name: "\n".join(textwrap.wrap(name, LEVER_LETTERS)) for name in order}
    ends = [*rows["start"], *rows["end"], 0.0]
    low, high = min(ends), max(max(ends), 1.0)
    span = high - low
    axis = alt.Axis(
        labelExpr=millions_axis(max(1, digits_of(low, high))), tickCount=5, labelOverlap="greedy", labelSeparation=8
    )
    x = alt.X("start:Q", title=None, axis=axis, scale=alt.Scale(domain=[low - 0.2 * span, high + 0.2 * span]))
    labels: dict[str, Any] = {**charts.GROUP_AXIS, "labelLimit": 260, "labelExpr": "split(datum.label, '\\n')"}
    rows = rows.assign(name=[folded[name] for name in rows["name"]])
    y = alt.Y("name:N", title=None, sort=[folded[name] for name in order], axis=alt.Axis(**labels, labelFontSize=13))
    kinds = alt.Scale(domain=["more", "less", "all"], range=[COLOURS[0], COLOURS[1], GREY])
    label: dict[str, Any] = {"fontSize": 13, "fontWeight": "bold", "color": INK}
    right, left = rows[rows["kind"] != "less"], rows[rows["kind"] == "less"]
    layers: list[Any] = [
        alt.Chart(pd.DataFrame({"start": [0.0]})).mark_rule(color=GREY).encode(alt.X("start:Q")),
        alt.Chart(rows).mark_bar(height=18).encode(x, alt.X2("end"), y, alt.Color("kind:N", legend=None, scale=kinds)),
        alt.Chart(right).mark_text(align="left", dx=6, **label).encode(alt.X("end:Q"), y, alt.Text("text:N")),
        alt.Chart(left).mark_text(align="right", dx=-6, **label).encode(alt.X("end:Q"), y, alt.Text("text:N")),
    ]
    return charts.dressed(layers, height=LEVER_PIXELS * len(order) + 20)
