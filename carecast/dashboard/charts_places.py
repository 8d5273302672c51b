"""The map and the other charts of placements: plain projected shapes, no tiles, nothing fetched."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from carecast.dashboard import charts
from carecast.dashboard.charts import BASELINE_COLOUR, GREY, INK, SCENARIO_COLOUR, Chart
from carecast.dashboard.charts_compare import FOLDED_AXIS, folded
from carecast.dashboard.figures_places import Map, Place, circle

MAP_HEIGHT = 560
SCALE_MILES = 5.0
FEW_RINGS = 4
RAISED_PIXELS, LINE_PIXELS, LETTER_PIXELS, MARK_PIXELS = 9.0, 15.0, 7.0, 8.0
STEPS_PIXELS = (20, -20, 35, -35, 50, -50, 65, -65, 80, -80)  # above the middle, below it, and further off
REASON_COLOURS = ("#F46A25", "#d6b4c8", "#12436D")
REASON_INKS = ("#0b0c0c", "#0b0c0c", "#ffffff")


def area_map(shown: Map) -> Chart:
    """A sketch to scale of where children live and where homes are.

    Zones are circles sized by children, homes numbered squares (diamonds when a scenario opens them), the radius rings with
    labels; an arrow shows the north and a bar the miles.
    """
    flat = {"type": "identity", "reflectY": True}
    few = len(shown.middles) <= FEW_RINGS
    rings = [_feature("Polygon", [circle(centre, shown.radius_miles)], centre.name) for centre in shown.middles]
    bar, north = _scale_bar(shown), _north(shown)
    lines = [_feature("LineString", ends, "") for ends in ([[bar[0], bar[2]], [bar[1], bar[2]]], north)]
    zones, names = _points(shown.zones), _names(shown)
    where = {"longitude": alt.Longitude("east:Q"), "latitude": alt.Latitude("north:Q")}
    size = alt.Size("size:Q", legend=None, scale=alt.Scale(range=[40, 500], domainMin=0))
    bold: dict[str, Any] = {"fontSize": 14 if few else 12, "fontWeight": "bold", "color": INK}
    children = alt.Tooltip("size:Q", format=",.0f", title="children")
    tip = pd.DataFrame([{"name": "N", "east": north[1][0], "north": north[1][1]}])
    labels = pd.DataFrame([{"name": f"{SCALE_MILES:g} miles", "east": (bar[0] + bar[1]) / 2, "north": bar[2]}])
    layers: list[Any] = [
        alt.Chart(alt.Data(values=rings)).mark_geoshape(
            aria=False, fill=BASELINE_COLOUR, fillOpacity=0.05 if few else 0.02, stroke=GREY, strokeDash=[5, 4],
            strokeWidth=1.5,
        ),
        alt.Chart(alt.Data(values=lines)).mark_geoshape(aria=False, filled=False, stroke=INK, strokeWidth=3),
        alt.Chart(tip).mark_point(shape="triangle-up", filled=True, size=120, color=INK, opacity=1).encode(**where),
        alt.Chart(tip).mark_text(fontSize=14, fontWeight="bold", color=INK, dy=-14).encode(**where, text="name:N"),
        alt.Chart(labels).mark_text(fontSize=13, color=INK, dy=-9).encode(**where, text="name:N"),
        alt.Chart(zones)
        .mark_circle(color="#a9b8c8", stroke=BASELINE_COLOUR, strokeWidth=1.2, opacity=0.8)
        .encode(**where, size=size, tooltip=["name:N", "locality:N", children]),
        *_homes(shown, where),
    ]  # fmt: skip
    if few:
        layers += _haloed(_ring_labels(shown), where, {"fontSize": 12, "color": INK})
    return charts.dressed(
        [layer.project(**flat) for layer in [*layers, *_haloed(names, where, bold)]], height=MAP_HEIGHT
    )


def _haloed(texts: pd.DataFrame, where: dict[str, Any], look: dict[str, Any]) -> list[Any]:
    """Text that can be read on whatever lies below it."""
    halo = alt.Chart(texts).mark_text(**look, stroke="#ffffff", strokeWidth=4, strokeJoin="round")
    return [mark.encode(**where, text="name:N") for mark in (halo, alt.Chart(texts).mark_text(**look))]


def _homes(shown: Map, where: dict[str, Any]) -> list[Any]:
    """Homes by their number in the table, those that a scenario opens on top."""
    homes = _points(shown.homes).assign(number=[str(at) for at in range(1, len(shown.homes) + 1)])
    tips = ["name:N", alt.Tooltip("size:Q", format=",.0f", title="places")]
    layers: list[Any] = []
    for kind, shape, size, colour, ink in (
        ("house", "square", 240, INK, "#ffffff"), ("opened", "diamond", 420, SCENARIO_COLOUR, INK),
    ):  # fmt: skip
        some = homes[homes["kind"] == kind]
        if len(some):
            mark = alt.Chart(some).mark_point(shape=shape, filled=True, size=size, color=colour, opacity=1,
                                              stroke="#ffffff", strokeWidth=1)  # fmt: skip
            layers.append(mark.encode(**where, tooltip=tips))
            text = alt.Chart(some).mark_text(fontSize=11, fontWeight="bold", color=ink)
            layers.append(text.encode(**where, text="number:N"))
    return layers


def _mile(shown: Map) -> float:
    """About how many pixels a mile has."""
    return MAP_HEIGHT / (1.15 * shown.height_miles)


class _Free:
    """Where a label has room: middle and half width of what is taken, in pixels."""

    def __init__(self, shown: Map, mile: float) -> None:
        self.taken = [(p.east * mile, p.north * mile, MARK_PIXELS) for p in (*shown.homes, *shown.zones)]

    def best(self, x: float, tries: Sequence[float], text: str) -> float:
        """The try that touches least; from then on it is taken."""
        half = LETTER_PIXELS * len(text) / 2
        crowded = [
            sum(abs(y - other) < LINE_PIXELS and abs(x - at) < half + wide for at, other, wide in self.taken)
            for y in tries
        ]
        found = tries[crowded.index(min(crowded))]
        self.taken.append((x, found, half))
        return found


def _names(shown: Map) -> pd.DataFrame:
    """Names of localities near their middles, clear of marks and of one another."""
    mile = _mile(shown)
    free = _Free(shown, mile)
    norths = [
        free.best(place.east * mile, [place.north * mile + step for step in STEPS_PIXELS], place.name) / mile
        for place in shown.middles
    ]
    return _points(shown.middles).assign(north=norths)


def _ring_labels(shown: Map) -> pd.DataFrame:
    """What each ring is, at its top or its foot."""
    mile, rim = _mile(shown), shown.radius_miles
    free = _Free(shown, mile)
    names = [f"{rim:g} miles around {place.name}" for place in shown.middles]
    norths = []
    for place, name in zip(shown.middles, names, strict=True):
        middle, far = place.north * mile, rim * mile + RAISED_PIXELS
        norths.append(
            free.best(place.east * mile, [middle + far, middle - far, middle + far + LINE_PIXELS], name) / mile
        )
    return _points(shown.middles).assign(north=norths, name=names)


def _feature(kind: str, coordinates: Any, name: str) -> dict[str, Any]:  # noqa: ANN401
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": {"name": name}}


def _points(found: Sequence[Place]) -> pd.DataFrame:
    columns = ["name", "kind", "east", "north", "size", "locality"]
    rows = [(place.name, place.kind, place.east, place.north, place.size, place.locality) for place in found]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def _scale_bar(shown: Map) -> tuple[float, float, float]:
    """West end, east end and height of a bar of ``SCALE_MILES`` in the lower left corner."""
    return 0.0, SCALE_MILES, -0.04 * shown.height_miles


def _north(shown: Map) -> list[list[float]]:
    """Foot and tip of the arrow in the upper left corner."""
    high = shown.height_miles
    return [[0.0, 0.93 * high], [0.0, 1.0 * high]]


def ranges(rows: pd.DataFrame, names: Sequence[str]) -> Chart:
    """One row a part: each scenario's mean with its 80 % interval, the baseline above.

    Args:
        rows: part (its label), scenario, mean, p10, p90; parts in the order they are shown.
        names: the baseline, then the scenario if there is one.
    """
    rows = rows.assign(part=[folded(part) for part in rows["part"]])
    order = list(dict.fromkeys(rows["part"]))
    paint = charts._paint(names)
    low, high = min(0.0, float(rows["p10"].min())), max(float(rows["p90"].max()), 1.0) * 1.05
    x = alt.X("mean:Q", title="Children", axis=alt.Axis(tickCount=5), scale=alt.Scale(domain=[low, high]))
    y = alt.Y("part:N", title=None, sort=order, axis=alt.Axis(**FOLDED_AXIS))
    offset = alt.YOffset("scenario:N", sort=list(names), scale=alt.Scale(domain=list(names), paddingOuter=0.9))
    data = alt.Chart(rows)
    tips = ["scenario:N", "part:N", *(alt.Tooltip(f"{name}:Q", format=",.1f") for name in ("mean", "p10", "p90"))]
    layers: list[Any] = [
        data.mark_rule(strokeWidth=3, opacity=0.45).encode(alt.X("p10:Q"), alt.X2("p90"), y, offset, paint["color"]),
        data.mark_point(filled=True, size=110, opacity=1).encode(
            x, y, offset, paint["color"], paint["shape"], tooltip=tips
        ),
    ]
    return charts.dressed(layers, height=44 * len(order) + 40)


def reasons(rows: pd.DataFrame, order: Sequence[str]) -> Chart:
    """Placements beyond the radius by reason, side by side, a bar a part.

    Args:
        rows: part, reason (0, 1, 2), letter, words, placements.
        order: parts from the top.
    """
    rows = rows.assign(part=[folded(part) for part in rows["part"]])
    placed = rows.assign(end=rows.groupby("part")["placements"].cumsum())
    placed = placed.assign(start=placed["end"] - placed["placements"])
    top = max(float(placed["end"].max()), 1.0)
    wide = placed[placed["placements"] > 0.05 * top].assign(middle=lambda found: (found["start"] + found["end"]) / 2)
    scale = alt.Scale(domain=[0, top * 1.05])
    x = alt.X("start:Q", title="Placements", axis=alt.Axis(tickCount=5), scale=scale)
    y = alt.Y("part:N", title=None, sort=[folded(part) for part in order], axis=alt.Axis(**FOLDED_AXIS))
    colour, ink = (
        alt.Color("reason:O", legend=None, scale=alt.Scale(domain=[0, 1, 2], range=list(paints)))
        for paints in (REASON_COLOURS, REASON_INKS)
    )
    tips = ["part:N", "words:N", alt.Tooltip("placements:Q", format=",.1f")]
    layers: list[Any] = [
        alt.Chart(placed)
        .mark_bar(height=24, stroke="#ffffff", strokeWidth=1)
        .encode(x, alt.X2("end"), y, colour, tooltip=tips),
        alt.Chart(wide)
        .mark_text(fontSize=14, fontWeight="bold")
        .encode(alt.X("middle:Q"), y, alt.Text("letter:N"), ink),
    ]
    return charts.dressed(layers, height=46 * len(order) + 40).resolve_scale(color="independent")
