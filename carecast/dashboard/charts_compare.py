"""Charts of several scenarios in one frame, at most four series: each has a colour, a dash and a shape of its own."""

import textwrap
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from carecast.dashboard import charts
from carecast.dashboard.charts import BANDS, BASELINE_COLOUR, COLOURS, GREY, INK, PERCENT, POUNDS, Chart

MOST_SERIES = len(COLOURS)
PART_COLOURS = ("#12436D", "#28A197", "#d6b4c8")  # cashable, avoided, released: also told by place and letter
PART_INKS = ("#ffffff", "#0b0c0c", "#0b0c0c")
BESIDE_PIXELS = 7.0
LABEL_WIDTH = 24  # characters of a line of a label
FOLDED_AXIS: dict[str, Any] = {**charts.GROUP_AXIS, "labelLimit": 190, "labelExpr": "split(datum.label, '\\n')"}
SMALLEST_LABELLED = 0.06  # of the axis: a part narrower than this has no letter


def folded(text: str) -> str:
    """A label on as many lines as it needs, for ``FOLDED_AXIS``."""
    return "\n".join(textwrap.wrap(text, LABEL_WIDTH))


def fans(
    paths: pd.DataFrame,
    history: pd.DataFrame,
    names: Sequence[str],
    start: pd.Timestamp,
    ceiling: float,
    is_percent: bool = False,
) -> Chart:
    """Bands of the first scenario, and the mean of every scenario with its 80 % interval at each end of March.

    Args:
        paths: scenario, date, mean and quantiles.
        history: date, value.
        names: the one compared against, then up to three others.
        start: the as-at date.
        ceiling: top of the axis, so that frames beside one another share it.
        is_percent: whether the axis is in percent, else in numbers of what the title names.
    """
    unit = PERCENT if is_percent else None
    paint = charts._paint(names)
    x = alt.X("date:T", title=None, axis=alt.Axis(format="%Y", tickCount="year", labelOverlap="greedy",
                                                  labelSeparation=10, grid=False))  # fmt: skip
    base = alt.Chart(paths[paths["scenario"] == names[0]])
    layers: list[Any] = [
        base.mark_area(opacity=opacity, color=BASELINE_COLOUR, clip=True).encode(
            x, charts._y(low, ceiling, None, unit), alt.Y2(high)
        )
        for low, high, opacity in BANDS
    ]
    tips = ["scenario:N", alt.Tooltip("date:T", format="%-d %B %Y"),
            *(alt.Tooltip(f"{name}:Q", format=",.1f") for name in ("mean", "p10", "p90"))]  # fmt: skip
    lines = alt.Chart(paths).mark_line(strokeWidth=2.8, clip=True)
    layers.append(lines.encode(x, charts._y("mean", ceiling, None, unit), paint["color"], paint["dash"], tooltip=tips))
    march = paths[paths["date"].dt.month == 3]
    for at, name in enumerate(names[1:]):  # beside one another, so that equal ones do not hide each other
        beside = BESIDE_PIXELS * (at - (len(names) - 2) / 2)
        ends = alt.Chart(march[march["scenario"] == name])
        bar = ends.mark_rule(strokeWidth=1.8, opacity=0.8, xOffset=beside)
        dot = ends.mark_point(filled=True, size=60, opacity=1, xOffset=beside)
        layers.append(bar.encode(x, alt.Y("p10:Q"), alt.Y2("p90"), paint["color"]))
        layers.append(dot.encode(x, charts._y("mean", ceiling, None, unit), paint["color"], paint["shape"]))
    layers += charts._published(history, x, charts._y("value", ceiling, None, unit))
    layers += charts._start(start, ceiling)
    return charts.dressed(layers)


def by_year(costs: pd.DataFrame, names: Sequence[str], line_at: float | None = None, line_text: str = "",
            extent: tuple[float, float] | None = None) -> Chart:  # fmt: skip
    """Pounds by financial year: each scenario's mean with its 80 % interval side by side, and a line across if asked for.

    Args:
        costs: scenario, year, mean, p10, p90, in pounds, which may be below nought.
        names: up to four, the one compared against first.
        line_at: pounds.
        line_text: what the line is.
        extent: least and most of the axis, so that frames beside one another share it.
    """
    paint, order = charts._paint(names), list(dict.fromkeys(costs["year"]))
    low, high = extent or (min(float(costs["p10"].min()), 0.0), max(float(costs["p90"].max()), line_at or 0.0, 1.0))
    x = alt.X("year:O", title=None, sort=order, scale=alt.Scale(domain=order, paddingOuter=0.4),
              axis=alt.Axis(labelOverlap="greedy", labelSeparation=8, grid=False, domain=False, ticks=False))  # fmt: skip
    offset = alt.XOffset("scenario:N", scale=alt.Scale(domain=list(names), paddingOuter=0.8))
    y = alt.Y("mean:Q", title=None, axis=alt.Axis(labelExpr=POUNDS, tickCount=6),
              scale=alt.Scale(domain=[low * 1.06, high * 1.06], nice=True))  # fmt: skip
    data = alt.Chart(costs)
    tips = ["scenario:N", "year:O", *(alt.Tooltip(f"{name}:Q", format=",.0f") for name in ("mean", "p10", "p90"))]
    layers: list[Any] = [
        alt.Chart(pd.DataFrame({"mean": [0.0]})).mark_rule(color=GREY).encode(alt.Y("mean:Q")),
        data.mark_rule(strokeWidth=3, opacity=0.45).encode(x, alt.Y("p10:Q"), alt.Y2("p90"), paint["color"], offset),
        data.mark_line(strokeWidth=1.6).encode(x, y, paint["color"], paint["dash"], offset),
        data.mark_point(filled=True, size=95, opacity=1).encode(
            x, y, paint["color"], paint["shape"], offset, tooltip=tips
        ),
    ]
    return charts.dressed([*layers, *_line(line_at, line_text)], height=300)


def _line(at: float | None, text: str) -> list[Any]:
    if at is None:
        return []
    line = alt.Chart(pd.DataFrame({"mean": [at], "text": [text]}))
    label = line.mark_text(align="left", baseline="bottom", dx=4, dy=-4, fontSize=13, color=INK)
    return [
        line.mark_rule(color=INK, strokeDash=[6, 4], strokeWidth=1.5).encode(alt.Y("mean:Q")),
        label.encode(alt.Y("mean:Q"), alt.Text("text:N"), x=alt.value(0)),
    ]


def stacked(parts: pd.DataFrame, net: pd.DataFrame, order: Sequence[str]) -> Chart:
    """Cashable, avoided and released side by side to the gross saving, a bar a scenario, and the net saving as a diamond.

    Args:
        parts: scenario, part (0 cashable, 1 avoided, 2 released), letter, pounds.
        net: scenario, mean, p10, p90, pounds.
        order: scenarios from the top.
    """
    placed = _placed(parts)
    ends = [*placed["start"], *placed["end"], *net["p10"], *net["p90"], 0.0]
    low, high = min(ends), max(max(ends), 1.0)
    span = high - low
    x_axis = alt.Axis(labelExpr=POUNDS, tickCount=4, labelOverlap="greedy", labelSeparation=8)
    x = alt.X("start:Q", title=None, axis=x_axis, scale=alt.Scale(domain=[low - 0.03 * span, high + 0.08 * span]))
    y = alt.Y("scenario:N", title=None, sort=list(order), axis=alt.Axis(**charts.GROUP_AXIS))
    colour = alt.Color("part:O", legend=None, scale=alt.Scale(domain=[0, 1, 2], range=list(PART_COLOURS)))
    bars = alt.Chart(placed).mark_bar(height=26, stroke="#ffffff", strokeWidth=1)
    wide = placed[(placed["end"] - placed["start"]).abs() > SMALLEST_LABELLED * span]
    wide = wide.assign(middle=(wide["start"] + wide["end"]) / 2)
    ink = alt.Color("part:O", legend=None, scale=alt.Scale(domain=[0, 1, 2], range=list(PART_INKS)))
    letters = alt.Chart(wide).mark_text(fontSize=14, fontWeight="bold")
    marks = alt.Chart(net)
    tips = ["scenario:N", *(alt.Tooltip(f"{name}:Q", format=",.0f") for name in ("mean", "p10", "p90"))]
    told = net.assign(text=[charts._millions(mean) for mean in net["mean"]])
    layers: list[Any] = [
        bars.encode(
            x, alt.X2("end"), y, colour, tooltip=["scenario:N", "name:N", alt.Tooltip("pounds:Q", format=",.0f")]
        ),
        alt.Chart(pd.DataFrame({"start": [0.0]})).mark_rule(color=GREY).encode(alt.X("start:Q")),
        marks.mark_rule(strokeWidth=2.5, color=INK, yOffset=22).encode(alt.X("p10:Q"), alt.X2("p90"), y),
        marks.mark_point(filled=True, shape="diamond", size=130, color=INK, opacity=1, yOffset=22).encode(
            alt.X("mean:Q"), y, tooltip=tips
        ),
        alt.Chart(told)
        .mark_text(align="center", dy=38, fontSize=13, fontWeight="bold", color=INK)
        .encode(alt.X("mean:Q"), y, alt.Text("text:N")),
        letters.encode(alt.X("middle:Q"), y, alt.Text("letter:N"), ink).properties(),
    ]
    figure = charts.dressed(layers, height=92 * len(order) + 40)
    return figure.resolve_scale(color="independent")


def _placed(parts: pd.DataFrame) -> pd.DataFrame:
    """Where each part starts and ends: gains to the right of nought, losses to the left of it."""
    rows = []
    for _, part in parts.groupby("scenario", sort=False):
        right = left = 0.0
        for row in part.sort_values("part").to_dict("records"):
            start = right if row["pounds"] >= 0 else left
            end = start + row["pounds"]
            right, left = (end, left) if row["pounds"] >= 0 else (right, end)
            rows.append({**row, "start": start, "end": end})
    return pd.DataFrame(rows, columns=[*parts.columns, "start", "end"])


def levers(rows: pd.DataFrame, order: Sequence[str]) -> Chart:
    """A waterfall: what each lever adds, one after another, to the whole.

    Args:
        rows: name, start, end, p10, p90 (of the part, set at its end), kind (``more``, ``less`` or ``all``), text; pounds.
        order: names from the top, the whole last.
    """
    ends = [*rows["start"], *rows["end"], 0.0]
    low, high = min(ends), max(max(ends), 1.0)
    span = high - low
    axis = alt.Axis(labelExpr=POUNDS, tickCount=5, labelOverlap="greedy", labelSeparation=8)
    x = alt.X("start:Q", title=None, axis=axis,
              scale=alt.Scale(domain=[low - 0.16 * span, high + 0.16 * span]))  # fmt: skip
    rows = rows.assign(name=[folded(name) for name in rows["name"]])
    y = alt.Y("name:N", title=None, sort=[folded(name) for name in order], axis=alt.Axis(**FOLDED_AXIS))
    kinds = alt.Scale(domain=["more", "less", "all"], range=["#12436D", "#F46A25", "#505a5f"])
    data = alt.Chart(rows)
    right, left = rows[rows["end"] >= rows["start"]], rows[rows["end"] < rows["start"]]
    label: dict[str, Any] = {"fontSize": 13, "fontWeight": "bold", "color": INK}
    layers: list[Any] = [
        alt.Chart(pd.DataFrame({"start": [0.0]})).mark_rule(color=GREY).encode(alt.X("start:Q")),
        data.mark_bar(height=20).encode(
            x, alt.X2("end"), y, alt.Color("kind:N", legend=None, scale=kinds), tooltip=["name:N", "text:N"]
        ),
        alt.Chart(right).mark_text(align="left", dx=6, **label).encode(alt.X("end:Q"), y, alt.Text("text:N")),
        alt.Chart(left).mark_text(align="right", dx=-6, **label).encode(alt.X("end:Q"), y, alt.Text("text:N")),
    ]
    return charts.dressed(layers, height=54 * len(order) + 30)
