"""The map and the other charts of placements: plain projected shapes, no tiles, nothing fetched."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from carecast.dashboard import charts
from carecast.dashboard.charts import BASELINE_COLOUR, GREY, INK, SCENARIO_COLOUR, Chart
from carecast.dashboard.charts_compare import FOLDED_AXIS, folded
from carecast.dashboard.figures_places import Map, Place, circle

MAP_HEIGHT = 480
SCALE_MILES = 5.0
FEW_RINGS = 4
RAISED_PIXELS, LINE_PIXELS, LETTER_PIXELS, MARK_PIXELS = 9.0, 15.0, 7.0, 8.0
STEPS_PIXELS = (17, -17, 32, -32, 47, -47)  # above the middle, below it, and further off
REASON_COLOURS = ("#F46A25", "#d6b4c8", "#12436D")
REASON_INKS = ("#0b0c0c", "#0b0c0c", "#ffffff")


def area_map(shown: Map) -> Chart:
    """Zones as circles sized by children, homes as squares (diamonds when a scenario opens them), the radius as rings."""
    flat = {"type": "identity", "reflectY": True}
    rings = [_feature("Polygon", [circle(centre, shown.radius_miles)], centre.name) for centre in shown.middles]
    bar = _scale_bar(shown)
    line = _feature("LineString", [[bar[0], bar[2]], [bar[1], bar[2]]], "scale")
    zones, homes = _points(shown.zones), _points(shown.homes)
    where = {"longitude": alt.Longitude("east:Q"), "latitude": alt.Latitude("north:Q")}
    size = alt.Size("size:Q", legend=None, scale=alt.Scale(range=[40, 500], domainMin=0))
    names = _names(shown)
    few = len(shown.middles) <= FEW_RINGS
    letters = 14 if few else 12
    labels = pd.DataFrame([{"name": f"{SCALE_MILES:g} miles", "east": (bar[0] + bar[1]) / 2, "north": bar[2]}])
    layers: list[Any] = [
        alt.Chart(alt.Data(values=rings)).mark_geoshape(
            aria=False,
            fill=BASELINE_COLOUR,
            fillOpacity=0.05 if few else 0.02,
            stroke=GREY,
            strokeDash=[5, 4],
            strokeWidth=1.5,
        ),
        alt.Chart(alt.Data(values=[line])).mark_geoshape(aria=False, filled=False, stroke=INK, strokeWidth=3),
        alt.Chart(zones)
        .mark_circle(color="#a9b8c8", stroke=BASELINE_COLOUR, strokeWidth=1.2, opacity=0.8)
        .encode(
            **where, size=size, tooltip=["name:N", "locality:N", alt.Tooltip("size:Q", format=",.0f", title="children")]
        ),
    ]
    tips = ["name:N", alt.Tooltip("size:Q", format=",.0f", title="places")]
    for kind, mark, colour in (("house", "square", INK), ("opened", "diamond", SCENARIO_COLOUR)):  # the last on top
        some = homes[homes["kind"] == kind]
        if len(some):
            layers.append(
                alt.Chart(some).mark_point(shape=mark, filled=True, size=130, color=colour, opacity=1,
                                           stroke="#ffffff", strokeWidth=1).encode(**where, tooltip=tips)
            )  # fmt: skip
    layers += [
        alt.Chart(labels).mark_text(fontSize=13, color=INK, dy=-9).encode(**where, text="name:N"),
        alt.Chart(names).mark_text(fontSize=letters, fontWeight="bold", color=INK, stroke="#ffffff", strokeWidth=4,
                                   strokeJoin="round").encode(**where, text="name:N"),
        alt.Chart(names).mark_text(fontSize=letters, fontWeight="bold", color=INK).encode(**where, text="name:N"),
    ]  # fmt: skip
    return charts.dressed([layer.project(**flat) for layer in layers], height=MAP_HEIGHT)


def _names(shown: Map) -> pd.DataFrame:
    """Names of localities: on top of their rings where there are few, else near their middles, clear of one another."""
    names = _points(shown.middles)
    mile = MAP_HEIGHT / (1.1 * shown.height_miles)  # pixels
    if len(names) <= FEW_RINGS:
        return names.assign(north=names["north"] + shown.radius_miles + RAISED_PIXELS / mile)
    taken = [(home.east * mile, home.north * mile, MARK_PIXELS) for home in shown.homes]
    norths = []
    for place in shown.middles:
        half = LETTER_PIXELS * len(place.name) / 2
        tries = [place.north * mile + step for step in STEPS_PIXELS]
        crowded = [
            sum(abs(y - other) < LINE_PIXELS and abs(place.east * mile - x) < half + wide for x, other, wide in taken)
            for y in tries
        ]
        best = tries[crowded.index(min(crowded))]
        taken.append((place.east * mile, best, half))
        norths.append(best / mile)
    return names.assign(north=norths)


def _feature(kind: str, coordinates: Any, name: str) -> dict[str, Any]:  # noqa: ANN401
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": {"name": name}}


def _points(found: Sequence[Place]) -> pd.DataFrame:
    columns = ["name", "kind", "east", "north", "size", "locality"]
    rows = [(place.name, place.kind, place.east, place.north, place.size, place.locality) for place in found]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def _scale_bar(shown: Map) -> tuple[float, float, float]:
    """West end, east end and height of a bar of ``SCALE_MILES`` in the lower left corner."""
    return 0.0, SCALE_MILES, -0.04 * shown.height_miles


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
    x = alt.X("mean:Q", title=None, axis=alt.Axis(tickCount=5), scale=alt.Scale(domain=[low, high]))
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
    x = alt.X("start:Q", title=None, axis=alt.Axis(tickCount=5), scale=alt.Scale(domain=[0, top * 1.05]))
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
