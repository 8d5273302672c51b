"""How a parameter set fits: figures of seen beside expected, mean stays, and what each year does to them."""

from typing import Any

import altair as alt
import pandas as pd

from carecast.dashboard.charts import BASELINE_COLOUR, COLOURS, GREY, INK, SHAPES, Chart, dressed


def agreement(points: pd.DataFrame, x_title: str, y_title: str, kinds: list[str]) -> Chart:
    """Each point one figure, expected along and seen up, both on log scales; on the dashed line they are the same.

    Args:
        points: what, kind, expected, seen; both above nought.
        x_title: of the horizontal axis.
        y_title: of the upright one.
        kinds: at most four, told apart by colour and shape.
    """
    both = pd.concat([points["expected"], points["seen"]])
    ends = [float(both.min()) * 0.7, float(both.max()) * 1.4]
    scale = alt.Scale(type="log", domain=ends, nice=False)
    axis: dict[str, Any] = {"tickCount": 4, "labelExpr": "format(datum.value, ',~r')", "labelOverlap": "greedy"}
    x = alt.X("expected:Q", title=x_title, scale=scale, axis=alt.Axis(**axis))
    y = alt.Y("seen:Q", title=y_title, scale=scale, axis=alt.Axis(**axis, titleAngle=0, titleY=-12, titleX=0))
    n = len(kinds)
    marks = alt.Chart(points).mark_point(filled=True, size=75, opacity=0.75)
    tips = ["what:N", alt.Tooltip("expected:Q", format=",.1f"), alt.Tooltip("seen:Q", format=",.1f")]
    shown = marks.encode(
        x, y, alt.Color("kind:N", legend=None, scale=alt.Scale(domain=kinds, range=list(COLOURS[:n]))),
        alt.Shape("kind:N", legend=None, scale=alt.Scale(domain=kinds, range=list(SHAPES[:n]))), tooltip=tips,
    )  # fmt: skip
    line = alt.Chart(pd.DataFrame({"expected": ends, "seen": ends})).mark_line(color=INK, strokeDash=[6, 4])
    return dressed([line.encode(x, y), shown])


def stays(years: pd.DataFrame) -> Chart:
    """Mean years in care by age at entry, one bar each with its value.

    Args:
        years: who, years, in the order they are shown.
    """
    order = list(years["who"])
    x = alt.X("years:Q", title="Mean years in care", axis=alt.Axis(tickCount=5, grid=True))
    y = alt.Y("who:N", title=None, sort=order, axis=alt.Axis(labelLimit=190, domain=False, ticks=False, labelPadding=8))
    data = alt.Chart(years.assign(text=[f"{value:.1f}" for value in years["years"]]))
    bars = data.mark_bar(color=BASELINE_COLOUR, height={"band": 0.62}).encode(x, y)
    text = data.mark_text(align="left", dx=5, fontSize=14, fontWeight="bold", color=INK).encode(
        x, y, alt.Text("text:N")
    )
    return dressed([bars, text], height=46 * len(order) + 40)


def influence(changes: pd.DataFrame) -> Chart:
    """What leaving out each year does to the mean stay.

    Args:
        changes: year (the one left out), change in percent.
    """
    x = alt.X("year:O", title=None, axis=alt.Axis(labelOverlap="greedy", labelSeparation=8, grid=False))
    y = alt.Y("change:Q", title=None, axis=alt.Axis(tickCount=5, labelExpr="datum.value + ' %'"))
    nought = alt.Chart(pd.DataFrame({"change": [0.0]})).mark_rule(color=GREY).encode(alt.Y("change:Q"))
    tips = ["year:O", alt.Tooltip("change:Q", format="+.1f")]
    bars = alt.Chart(changes).mark_bar(color=BASELINE_COLOUR, width={"band": 0.6}).encode(x, y, tooltip=tips)
    return dressed([bars, nought], height=260)


def stock(years: pd.DataFrame) -> Chart:
    """Published counts as points, the fitted model's as a line.

    Args:
        years: date, published, fitted.
    """
    top = float(years[["published", "fitted"]].max().max()) * 1.08
    x = alt.X("date:T", title=None, axis=alt.Axis(format="%Y", tickCount="year", labelOverlap="greedy", grid=False))
    scale = alt.Scale(domain=[0, top], nice=True)
    data = alt.Chart(years)
    tips = [alt.Tooltip("date:T", format="%-d %B %Y"), "published:Q", alt.Tooltip("fitted:Q", format=",.0f")]
    line = data.mark_line(color=BASELINE_COLOUR, strokeWidth=2.8).encode(x, alt.Y("fitted:Q", title=None, scale=scale))
    points = data.mark_point(color=INK, filled=True, size=60, opacity=1)
    return dressed([line, points.encode(x, alt.Y("published:Q", title=None, scale=scale), tooltip=tips)])
