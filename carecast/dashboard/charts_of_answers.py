"""Figures of the page *Will we make it?*: chance of at least so much, what a saving hangs on, cost against chance."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from carecast.dashboard.charts import BASELINE_COLOUR, GREY, INK, POUNDS, SCENARIO_COLOUR, WRAPPED, Chart, dressed

PERCENT = "format(datum.value, '.0f') + ' %'"
SIGNED_POUNDS = (
    "(datum.value < 0 ? '\u2212' : datum.value > 0 ? '+' : '') + '£' + format(abs(datum.value) / 1e6, ',.1f') + 'm'"
)
MARKS: dict[str, list[Any]] = {
    "color": [BASELINE_COLOUR, SCENARIO_COLOUR], "dash": [[1, 0], [7, 4]], "shape": ["circle", "diamond"],
}  # fmt: skip


def _by(names: Sequence[str], what: str) -> dict[str, Any]:
    scale = alt.Scale(domain=list(names), range=MARKS[what][-len(names) :])
    return {"legend": None, "scale": scale}


def s_curve(
    points: pd.DataFrame, names: Sequence[str], asked: float, chance: float, is_at_least: bool, in_pounds: bool
) -> Chart:
    """The chance of at least (or at most) each value, a step line for each scenario; what is asked as dashed lines.

    Args:
        points: scenario, value, chance in percent.
        names: the scenarios shown, in the order of their colours.
        asked: the value asked for.
        chance: the chance asked for, in percent.
        is_at_least: whether more is better, so that the chance falls; it holds up to each value, and from it on otherwise.
        in_pounds: whether values are pounds.
    """
    signed = "(datum.value < 0 ? '\u2212' : '') + " + POUNDS.replace("datum.value", "abs(datum.value)").replace(
        ",.0f", ",.1f"
    )
    axis = alt.Axis(labelExpr=signed if in_pounds else alt.Undefined, tickCount=6, grid=False)
    values = [*points["value"], asked]
    x = alt.X(
        "value:Q", title=None, axis=axis, scale=alt.Scale(domain=[min(values), max(values)], nice=True, zero=False)
    )
    y = alt.Y("chance:Q", title=None, axis=alt.Axis(labelExpr=PERCENT, tickCount=5), scale=alt.Scale(domain=[0, 100]))
    line = alt.Chart(points).mark_line(interpolate="step-before" if is_at_least else "step-after", strokeWidth=2.8)
    rule = alt.Chart(pd.DataFrame({"value": [asked], "chance": [chance], "text": ["Asked"]}))
    return dressed([
        rule.mark_rule(color=INK, strokeDash=[6, 4], strokeWidth=1.5).encode(x),
        rule.mark_rule(color=GREY, strokeDash=[2, 3], strokeWidth=1.5).encode(y),
        line.encode(
            x, y, alt.Color("scenario:N", **_by(names, "color")), alt.StrokeDash("scenario:N", **_by(names, "dash")),
            tooltip=["scenario:N", alt.Tooltip("value:Q", format=",.1f"), alt.Tooltip("chance:Q", format=".0f")],
        ),
        rule.mark_text(align="left", baseline="top", dx=5, fontSize=13, color=INK).encode(
            x, y=alt.value(2), text="text:N"
        ),
    ], height=300)  # fmt: skip


def tornado(bars: pd.DataFrame) -> Chart:
    """One row a number: how far the measure moves with the number at its low end (circle) and its high end (diamond).

    Args:
        bars: label, low and high (mean paired change in pounds), the largest first.
    """
    order = list(bars["label"])
    axis = alt.Axis(labelLimit=230, labelExpr=WRAPPED.replace("22", "30"), domain=False, ticks=False, labelPadding=10)
    y = alt.Y("label:N", title=None, sort=order, axis=axis)
    data = alt.Chart(bars)
    ends = data.transform_fold(["low", "high"], as_=["end", "change"])
    x = alt.X("change:Q", title=None, axis=alt.Axis(labelExpr=SIGNED_POUNDS, tickCount=5))
    return dressed([
        alt.Chart(pd.DataFrame({"change": [0.0]})).mark_rule(color=GREY).encode(x),
        data.mark_rule(strokeWidth=6, color=BASELINE_COLOUR, opacity=0.35).encode(
            alt.X("low:Q", title=None), alt.X2("high"), y
        ),
        ends.mark_point(filled=True, size=110, opacity=1).encode(
            x, y,
            alt.Color("end:N", legend=None, scale=alt.Scale(domain=["low", "high"], range=MARKS["color"])),
            alt.Shape("end:N", legend=None, scale=alt.Scale(domain=["low", "high"], range=MARKS["shape"])),
            tooltip=["label:N", alt.Tooltip("change:Q", format=",.0f")],
        ),
    ], height=46 * len(order) + 40)  # fmt: skip


def frontier(points: pd.DataFrame, required: float) -> Chart:
    """Cost of packages against the chance of their least likely target; the package chosen is a large diamond.

    Args:
        points: cost (pounds), chance (percent), is_chosen.
        required: the chance asked for, in percent.
    """
    top = max(float(points["cost"].max()), 1.0) * 1.05
    x = alt.X("cost:Q", title="Programme cost over the run", scale=alt.Scale(domain=[0, top]),
              axis=alt.Axis(labelExpr=POUNDS.replace(",.0f", ",.1f"), tickCount=5, grid=False))  # fmt: skip
    y = alt.Y("chance:Q", title=None, axis=alt.Axis(labelExpr=PERCENT, tickCount=5), scale=alt.Scale(domain=[0, 100]))
    tried, chosen = points[~points["is_chosen"]], points[points["is_chosen"]]
    tips = [alt.Tooltip("cost:Q", format=",.0f"), alt.Tooltip("chance:Q", format=".0f")]
    asked = alt.Chart(pd.DataFrame({"chance": [required], "text": ["Asked for"]}))
    return dressed([
        asked.mark_rule(color=INK, strokeDash=[6, 4], strokeWidth=1.5).encode(y),
        asked.mark_text(align="left", baseline="bottom", dx=4, dy=-4, fontSize=13, color=INK).encode(
            y, x=alt.value(0), text="text:N"
        ),
        alt.Chart(tried).mark_line(color=BASELINE_COLOUR, strokeWidth=2, interpolate="step-after").encode(x, y),
        alt.Chart(tried).mark_point(filled=True, size=70, color=BASELINE_COLOUR, opacity=1).encode(x, y, tooltip=tips),
        alt.Chart(chosen).mark_point(filled=True, shape="diamond", size=240, color=SCENARIO_COLOUR, opacity=1).encode(
            x, y, tooltip=tips
        ),
    ], height=300)  # fmt: skip
