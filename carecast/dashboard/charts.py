"""Result tables to figures. One look for all: baseline solid with circles, scenario dashed with diamonds.

Never colour alone. Colours are the Government Analysis Function's.
Titles, subtitles and the data stand beside the figure in text.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

BASELINE_COLOUR, SCENARIO_COLOUR, INK, GREY = "#12436D", "#F46A25", "#0b0c0c", "#505a5f"
COLOURS = (BASELINE_COLOUR, SCENARIO_COLOUR, "#28A197", "#801650")  # of the baseline, then up to three scenarios
DASHES = ([1, 0], [7, 4], [2, 3], [10, 3, 2, 3])
SHAPES = ("circle", "diamond", "square", "triangle-up")
BANDS = (("p025", "p975", 0.13), ("p10", "p90", 0.18), ("p25", "p75", 0.24))
FONT = "Source Sans, Source Sans Pro, Arial, sans-serif"
HEIGHT = 330
LABEL_GAP = 0.06  # of the axis: labels at line ends nearer than this are moved apart
POUNDS = "datum.value == 0 ? '£0' : (datum.value < 0 ? '\u2212£' : '£') + format(abs(datum.value) / 1e6, ',.2~f') + 'm'"
PERCENT = "datum.label + ' %'"
EMBED = {"embedOptions": {"renderer": "svg", "ast": True}}  # ast: no script is evaluated, as the headers ask
AXIS = alt.AxisConfig(
    labelFontSize=14, titleFontSize=14, titleFontWeight="normal", labelColor=INK, titleColor=INK,
    gridColor="#e5e6e7", domainColor=GREY, tickColor=GREY, labelAngle=0, titleAnchor="start",
)  # fmt: skip
CONFIG = alt.Config(axis=AXIS, font=FONT, padding={"left": 4, "right": 8, "top": 8, "bottom": 4})


class Chart(alt.LayerChart):
    """A figure. Tests hold it against the schema; pages, which draw it again and again, do not: most of their time."""

    def to_dict(self, validate: bool = False, **how: Any) -> dict[str, Any]:  # noqa: ANN401
        """The specification, checked against Vega-Lite's schema only when asked."""
        found: dict[str, Any] = super().to_dict(validate=validate, **how)
        return found


def dressed(layers: Sequence[Any], height: int = HEIGHT) -> Chart:
    """Layers as one figure in the common look."""
    return Chart(layer=list(layers), height=height, width="container", usermeta=EMBED, config=CONFIG)


def _millions(pounds: float) -> str:
    text = f"£{abs(pounds) / 1e6:.1f}m"
    return "£0" if text == "£0.0m" else ("\u2212" if pounds < 0 else "") + text


def _paint(names: Sequence[str]) -> dict[str, Any]:
    """Colour, dash and shape by scenario, the baseline first."""
    domain = list(names)
    n = len(domain)
    return {
        "color": alt.Color("scenario:N", legend=None, scale=alt.Scale(domain=domain, range=list(COLOURS[:n]))),
        "dash": alt.StrokeDash("scenario:N", legend=None, scale=alt.Scale(domain=domain, range=list(DASHES[:n]))),
        "shape": alt.Shape("scenario:N", legend=None, scale=alt.Scale(domain=domain, range=list(SHAPES[:n]))),
    }


def _y(field: str, top: float, title: str | None, expression: str | None = None) -> alt.Y:
    axis = alt.Axis(tickCount=6, labelExpr=expression if expression else alt.Undefined)
    return alt.Y(f"{field}:Q", title=title, axis=axis, scale=alt.Scale(domain=[0, top], nice=True))


def fan(
    paths: pd.DataFrame, history: pd.DataFrame, names: Sequence[str], start: pd.Timestamp, top: float | None = None
) -> Chart:
    """Published points, bands of the baseline, and the scenario's mean with its 80 % interval as thin dashed lines.

    Args:
        paths: scenario, date, mean and quantiles.
        history: date, value.
        names: the baseline, then the scenario if there is one.
        start: the as-at date.
        top: the most the axis can hold (100 for shares).
    """
    highest = max(float(paths["p975"].max()), float(history["value"].max()) if len(history) else 0.0, 1.0)
    ceiling = min(highest * 1.05, top) if top else highest * 1.05
    paint = _paint(names)
    x = alt.X(
        "date:T",
        title=None,
        axis=alt.Axis(format="%Y", tickCount="year", labelOverlap="greedy", labelSeparation=10, grid=False),
    )
    base, other = paths[paths["scenario"] == names[0]], paths[paths["scenario"].isin(names[1:])]
    layers: list[Any] = [
        alt.Chart(base)
        .mark_area(opacity=opacity, color=BASELINE_COLOUR, clip=True)
        .encode(x, _y(low, ceiling, None), alt.Y2(high))
        for low, high, opacity in BANDS
    ]
    for edge in ("p10", "p90") if len(other) else ():
        thin = alt.Chart(other).mark_line(strokeWidth=1.2, strokeDash=[2, 3], color=SCENARIO_COLOUR, clip=True)
        layers.append(thin.encode(x, _y(edge, ceiling, None)))
    tips = ["scenario:N", alt.Tooltip("date:T", format="%-d %B %Y"), alt.Tooltip("mean:Q", format=",.1f"),
            alt.Tooltip("p10:Q", format=",.1f"), alt.Tooltip("p90:Q", format=",.1f")]  # fmt: skip
    lines = alt.Chart(paths).mark_line(strokeWidth=2.8)
    layers.append(lines.encode(x, _y("mean", ceiling, None), paint["color"], paint["dash"], tooltip=tips))
    layers += _published(history, x, _y("value", ceiling, None))
    layers += _start(start, ceiling)
    layers += _end_labels(paths, names, x, ceiling)
    return dressed(layers)


def _published(history: pd.DataFrame, x: alt.X, y: alt.Y) -> list[Any]:
    found = history.dropna(subset=["value"])
    if found.empty:
        return []
    known = alt.Chart(found[[str(x.shorthand).split(":")[0], "value"]])
    return [
        known.mark_line(color=GREY, strokeWidth=1.2).encode(x, y),
        known.mark_point(color=INK, filled=True, size=42, opacity=1).encode(x, y),
    ]


def _start(start: pd.Timestamp, ceiling: float) -> list[Any]:
    where = alt.Chart(pd.DataFrame({"date": [start], "top": [ceiling], "text": ["Forecast starts"]}))
    rule = where.mark_rule(color=GREY, strokeDash=[1, 3]).encode(alt.X("date:T"))
    text = where.mark_text(align="left", baseline="top", dx=5, color=GREY, fontSize=13)
    return [rule, text.encode(alt.X("date:T"), alt.Y("top:Q"), alt.Text("text:N"))]


def _end_labels(paths: pd.DataFrame, names: Sequence[str], x: alt.X, ceiling: float) -> list[Any]:
    """The last mean of each line beside its end, moved apart where they would touch."""
    ends = paths.sort_values("date").groupby("scenario", as_index=False).last().sort_values("mean")
    at = ends["mean"].tolist()
    if len(at) == 2 and at[1] - at[0] < LABEL_GAP * ceiling:
        middle = (at[0] + at[1]) / 2
        at = [middle - LABEL_GAP * ceiling / 2, middle + LABEL_GAP * ceiling / 2]
    ends = ends.assign(at=at, text=[f"{mean:,.0f}" for mean in ends["mean"]])
    layers = []
    for name in names:
        mark = alt.Chart(ends[ends["scenario"] == name]).mark_text(
            align="left", dx=6, fontSize=14, fontWeight="bold", color=INK
        )
        layers.append(mark.encode(x, alt.Y("at:Q"), alt.Text("text:N")))
    return layers


def yearly(costs: pd.DataFrame, published: pd.DataFrame, names: Sequence[str]) -> Chart:
    """Cost by financial year: published points, then each scenario with its 80 % interval.

    Args:
        costs: scenario, year, mean, p10, p90, in pounds.
        published: year, value, in pounds.
        names: the baseline, then the scenario if there is one.
    """
    order = [*published["year"], *(year for year in costs["year"].unique() if year not in set(published["year"]))]
    ceiling = max(float(costs["p90"].max()), float(published["value"].max()) if len(published) else 0.0, 1.0) * 1.05
    paint = _paint(names)
    x = alt.X("year:O", title=None, sort=order, scale=alt.Scale(domain=order, paddingOuter=0.9),
              axis=alt.Axis(labelOverlap="greedy", labelSeparation=8, grid=False))  # fmt: skip
    offset = alt.XOffset("scenario:N", scale=alt.Scale(domain=list(names), paddingOuter=0.8 if len(names) > 1 else 0.5))
    pounds = POUNDS
    data = alt.Chart(costs)
    tips = ["scenario:N", "year:O", alt.Tooltip("mean:Q", format=",.0f"), alt.Tooltip("p10:Q", format=",.0f"),
            alt.Tooltip("p90:Q", format=",.0f")]  # fmt: skip
    mean = _y("mean", ceiling, None, pounds)
    layers: list[Any] = [
        data.mark_rule(strokeWidth=3, opacity=0.45).encode(x, alt.Y("p10:Q"), alt.Y2("p90"), paint["color"], offset),
        data.mark_line(strokeWidth=2).encode(x, mean, paint["color"], paint["dash"], offset),
        data.mark_point(filled=True, size=95, opacity=1).encode(
            x, mean, paint["color"], paint["shape"], offset, tooltip=tips
        ),
    ]
    layers += _published(published, x, _y("value", ceiling, None, pounds))
    return dressed([*layers, *_last_values(costs, names, x, offset, ceiling)])


def _last_values(costs: pd.DataFrame, names: Sequence[str], x: alt.X, offset: alt.XOffset, ceiling: float) -> list[Any]:
    """The last mean of each scenario in words beside its mark: above for the higher, below for the lower."""
    ends = costs[costs["year"] == costs["year"].iloc[-1]]
    highest = ends["mean"].max()
    layers = []
    for row in ends.itertuples():
        one = pd.DataFrame(
            [{"scenario": row.scenario, "year": row.year, "mean": row.mean, "text": f"£{row.mean / 1e6:.1f}m"}]
        )
        mark = alt.Chart(one).mark_text(
            align="left", dx=9, dy=-9 if row.mean == highest else 10, fontSize=14, fontWeight="bold", color=INK
        )
        layers.append(mark.encode(x, _y("mean", ceiling, None), offset, alt.Text("text:N")))
    return layers


def dumbbell(costs: pd.DataFrame, names: Sequence[str]) -> Chart:
    """Mean cost by group: one row a group, a circle for the baseline and a diamond for the scenario.

    Args:
        costs: scenario, group (its label), mean, in pounds; groups in the order they are shown.
        names: the baseline, then the scenario if there is one.
    """
    order = list(dict.fromkeys(costs["group"]))
    paint = _paint(names)
    ceiling = max(float(costs["mean"].max()), 1.0) * 1.08
    pounds = POUNDS
    axis = alt.Axis(labelExpr=pounds, tickCount=4)
    x = alt.X("mean:Q", title=None, axis=axis, scale=alt.Scale(domain=[min(0.0, float(costs["mean"].min())), ceiling]))
    y = alt.Y("group:N", title=None, sort=order, axis=alt.Axis(**GROUP_AXIS))
    data = alt.Chart(costs)
    spans = data.mark_line(color=GREY, strokeWidth=2).encode(x, y, alt.Detail("group:N"))
    points = data.mark_point(filled=True, size=130, opacity=1).encode(
        x, y, paint["color"], paint["shape"], tooltip=["scenario:N", "group:N", alt.Tooltip("mean:Q", format=",.0f")]
    )
    return dressed([spans, points], height=60 * len(order) + 40)


# An axis label of several words stands on two lines.
WRAPPED = (
    "length(datum.label) > 22 ? [slice(datum.label, 0, lastindexof(slice(datum.label, 0, 22), ' ')),"
    " slice(datum.label, lastindexof(slice(datum.label, 0, 22), ' ') + 1)] : datum.label"
)
GROUP_AXIS: dict[str, Any] = {
    "labelLimit": 170,
    "labelExpr": WRAPPED,
    "grid": True,
    "domain": False,
    "ticks": False,
    "labelPadding": 14,
}


def saving(net: pd.DataFrame, asked: float | None) -> Chart:
    """Net saving by financial year with its 80 % interval, and the yearly sum a target asks for.

    Args:
        net: year, mean, p10, p90, in pounds.
        asked: pounds a year, or None.
    """
    axis = alt.Axis(labelOverlap="greedy", labelSeparation=8, grid=False, domain=False, ticks=False, labelPadding=8)
    x = alt.X("year:O", title=None, axis=axis, scale=alt.Scale(padding=0.9))
    low, high = min(float(net["p10"].min()), 0.0), max(float(net["p90"].max()), asked or 0.0, 1.0)
    y = alt.Y(
        "mean:Q",
        title=None,
        axis=alt.Axis(labelExpr=POUNDS, tickCount=6),
        scale=alt.Scale(domain=[low * 1.08, high * 1.1]),
    )
    data = alt.Chart(net.assign(text=[_millions(mean) for mean in net["mean"]]))
    tips = ["year:O", *(alt.Tooltip(f"{name}:Q", format=",.0f") for name in ("mean", "p10", "p90"))]
    layers: list[Any] = [
        alt.Chart(pd.DataFrame({"mean": [0.0]})).mark_rule(color=GREY).encode(alt.Y("mean:Q")),
        data.mark_rule(strokeWidth=4, opacity=0.5, color=SCENARIO_COLOUR).encode(x, alt.Y("p10:Q"), alt.Y2("p90")),
        data.mark_point(filled=True, shape="diamond", size=170, color=SCENARIO_COLOUR, opacity=1).encode(
            x, y, tooltip=tips
        ),
        data.mark_text(align="left", dx=11, fontSize=14, fontWeight="bold", color=INK).encode(x, y, alt.Text("text:N")),
    ]
    if asked is not None:
        line = alt.Chart(pd.DataFrame({"mean": [asked], "text": ["Target"]}))
        layers.append(line.mark_rule(color=INK, strokeDash=[6, 4], strokeWidth=1.5).encode(alt.Y("mean:Q")))
        label = line.mark_text(align="left", baseline="bottom", dx=4, dy=-4, fontSize=13, color=INK)
        layers.append(label.encode(alt.Y("mean:Q"), alt.Text("text:N"), x=alt.value(0)))
    return dressed(layers, height=280)
