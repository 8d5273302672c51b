"""Charts of staff and gaps."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from carecast.dashboard import charts
from carecast.dashboard.charts import BASELINE_COLOUR, INK, Chart
from carecast.dashboard.charts_compare import FOLDED_AXIS, folded

LINE_PIXELS = 17  # of a folded label


def staff(rows: pd.DataFrame, names: Sequence[str]) -> Chart:
    """Staff needed by role with the 80 % interval, and a bar across where those in post stand.

    Args:
        rows: part (the role), scenario, mean, p10, p90, in_post; full-time equivalents.
        names: the baseline, then the scenario if there is one.
    """
    rows = rows.assign(part=[folded(part) for part in rows["part"]])
    order = list(dict.fromkeys(rows["part"]))
    paint = charts._paint(names)
    top = max(float(rows["p90"].max()), float(rows["in_post"].max()), 1.0) * 1.05
    x = alt.X(
        "mean:Q",
        title="Full-time equivalents",
        axis=alt.Axis(tickCount=5, titleAnchor="end"),
        scale=alt.Scale(domain=[0, top]),
    )
    y = alt.Y("part:N", title=None, sort=order, axis=alt.Axis(**FOLDED_AXIS))
    offset = alt.YOffset("scenario:N", sort=list(names), scale=alt.Scale(domain=list(names), paddingOuter=0.9))
    data = alt.Chart(rows)
    tips = ["scenario:N", "part:N", *(alt.Tooltip(f"{n}:Q", format=",.1f") for n in ("mean", "p10", "p90", "in_post"))]
    layers: list[Any] = [
        data.mark_rule(strokeWidth=3, opacity=0.45).encode(alt.X("p10:Q"), alt.X2("p90"), y, offset, paint["color"]),
        data.mark_tick(thickness=3, size=18, color=INK).encode(alt.X("in_post:Q"), y, offset),
        data.mark_point(filled=True, size=100, opacity=1).encode(
            x, y, offset, paint["color"], paint["shape"], tooltip=tips
        ),
    ]
    return charts.dressed(layers, height=46 * len(order) + 40)


def bars(rows: pd.DataFrame, title: str) -> Chart:
    """One bar a row with its value beside it.

    Args:
        rows: part (its label), value, text; in the order they are shown.
        title: what the values are.
    """
    top = max(float(rows["value"].max()), 1.0) * 1.15
    x = alt.X("value:Q", title=title, axis=alt.Axis(tickCount=5), scale=alt.Scale(domain=[0, top]))
    rows = rows.assign(part=[folded(part) for part in rows["part"]])
    y = alt.Y("part:N", title=None, sort=list(rows["part"]), axis=alt.Axis(**FOLDED_AXIS))
    data = alt.Chart(rows)
    text = data.mark_text(align="left", dx=5, fontSize=13, fontWeight="bold", color=INK)
    layers: list[Any] = [
        data.mark_bar(height=20, color=BASELINE_COLOUR).encode(x, y, tooltip=["part:N", "text:N"]),
        text.encode(x, y, alt.Text("text:N")),
    ]
    tallest = max(part.count("\n") + 1 for part in rows["part"])
    return charts.dressed(layers, height=max(48, LINE_PIXELS * tallest + 12) * len(rows) + 40)
