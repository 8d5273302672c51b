"""Charts as SVG that stand alone: a title and a description inside for who cannot see them, the data in a table beside.

Colours are the Government Analysis Function's; never colour alone, every series has its own dash and shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import altair as alt
import pandas as pd

BLUE, ORANGE, TEAL, PURPLE, GREY, INK = "#12436D", "#F46A25", "#28A197", "#801650", "#505a5f", "#0b0c0c"
PALETTE = (BLUE, ORANGE, TEAL, PURPLE, GREY, "#3D3D3D")
DASHES = ([1, 0], [7, 4], [2, 2], [9, 3, 2, 3], [4, 4], [1, 3])
SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down")
WIDTH, HEIGHT = 680, 300
FONT = "Arial, Helvetica, sans-serif"


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart and what it says in words."""

    name: str  # of its file
    title: str
    text: str  # what a reader who cannot see it should know
    svg: str


def picture(name: str, title: str, text: str, layers: Sequence[Any], height: int = HEIGHT) -> Picture:
    """Layers drawn as one chart."""
    import vl_convert

    chart = (
        alt.layer(*layers)
        .properties(width=WIDTH, height=height)
        .configure_view(stroke=None)
        .configure(font=FONT, background="white")
        .configure_axis(labelFontSize=13, titleFontSize=13, titleFontWeight="normal", labelColor=INK, titleColor=INK,
                        gridColor="#e5e6e7", domainColor=GREY, tickColor=GREY, labelAngle=0)
        .configure_legend(labelFontSize=13, titleFontSize=13, orient="top", symbolSize=110, symbolStrokeWidth=2,
                          labelLimit=240, columns=3)
    )  # fmt: skip
    drawn: str = vl_convert.vegalite_to_svg(chart.to_json(), show_warnings=False)
    return Picture(name, title, text, _described(drawn, name, title, text))


def _described(svg: str, name: str, title: str, text: str) -> str:
    """The SVG with its own title and description, which screen readers read out."""
    head, end, rest = svg.partition(">")
    said = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-text">{escape(text)}</desc>'
    role = f' role="img" aria-labelledby="{name}-title {name}-text"'
    return f"{head}{role}{end}{said}{rest}"


def paint(field: str, names: Sequence[str], title: str | None = None) -> dict[str, Any]:
    """Colour, dash and shape of a few series, in this order."""
    domain, n = list(names), len(names)
    legend = alt.Legend(title=title)
    return {
        "color": alt.Color(f"{field}:N", legend=legend, scale=alt.Scale(domain=domain, range=list(PALETTE[:n]))),
        "dash": alt.StrokeDash(f"{field}:N", legend=legend, scale=alt.Scale(domain=domain, range=list(DASHES[:n]))),
        "shape": alt.Shape(f"{field}:N", legend=legend, scale=alt.Scale(domain=domain, range=list(SHAPES[:n]))),
    }


def dates(field: str, title: str | None = None) -> alt.X:
    """A time axis in years."""
    return alt.X(
        f"{field}:T", title=title, scale=alt.Scale(padding=16), axis=alt.Axis(format="%Y", tickCount="year", grid=False)
    )


def lines(data: pd.DataFrame, x: alt.X, y: str, series: dict[str, Any], title: str) -> list[Any]:
    """A line with points for each series, from nought."""
    up = alt.Y(f"{y}:Q", title=title, scale=alt.Scale(zero=True))
    base = alt.Chart(data)
    return [
        base.mark_line(strokeWidth=2).encode(x, up, series["color"], series["dash"]),
        base.mark_point(filled=True, size=70, opacity=1).encode(x, up, series["color"], series["shape"]),
    ]
