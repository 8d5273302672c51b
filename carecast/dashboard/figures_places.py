"""The numbers of the page *Placements and distance*: who lives where, how far, and the places on the map. No words.

Counts come from the run's monthly tables, child-years of providers from the quantities that prices are applied to, and
why children live far away or in a dearer home from the gap report (``scenarios.gaps``).
"""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from carecast.dashboard import disclosure, figures
from carecast.model.parameters import ParameterSet
from carecast.model.plan import OpenProvider
from carecast.model.summary import BASELINE
from carecast.model.words import DAYS_PER_YEAR, METRES_PER_MILE
from carecast.scenarios.apply import apply
from carecast.scenarios.levers import middle
from carecast.scenarios.library import load_scenario
from carecast.scenarios.replicate import BLOCK
from carecast.scenarios.run import Run
from carecast.scenarios.run_folder import RunFolder

CIRCLE_POINTS = 72


def parameters_of(run: Run) -> ParameterSet:
    """What a run's record holds of its parameter set: all but the rates of the pathway."""
    return ParameterSet.model_validate({**run.record["parameters"], "rates": [], "branches": [], "destinations": []})


def opened(run: Run, scenario: str) -> tuple[tuple[dict[str, Any], dt.date], ...]:
    """Homes that a scenario opens: their row, and the day the first child can move in."""
    found = load_scenario(run.folder / "inputs" / f"{scenario}.toml")
    plan = apply(parameters_of(run), found, run.calendar.until)
    return tuple(
        (dict(change.row), dt.date.fromordinal(change.open_day))
        for change in plan.changes
        if isinstance(change, OpenProvider)
    )


# --- who lives where --------------------------------------------------------------------------------------------------
def stock(run: Run, scenario: str | None, dimension: str) -> pd.DataFrame:
    """Children looked after by placement type, locality or age band: part, start, then mean, p10 and p90 a scenario.

    ``start`` is the as-at date, which is history: counts of 1 to 5 and what gives them away are NaN.
    """
    grid = run.answer(BASELINE).monthly
    breakdowns = [b for measure, b in grid.rows if measure == "looked_after" and b.startswith(f"{dimension}=")]
    starts = {b: float(grid.of("looked_after", b)[:, 0].mean()) for b in breakdowns}
    gone = disclosure.hidden_by_dimension(starts)
    rows = []
    for breakdown in breakdowns:
        row: dict[str, Any] = {"part": breakdown.removeprefix(f"{dimension}=")}
        row["start"] = math.nan if breakdown in gone else starts[breakdown]
        for name in figures.shown_scenarios(run, scenario):
            found = figures.figure_of(run, name, "looked_after", -1, breakdown)
            row |= {f"mean|{name}": found.mean, f"p10|{name}": found.low, f"p90|{name}": found.high}
        rows.append(row)
    frame = pd.DataFrame(rows)
    shown = frame.drop(columns="part").fillna(1.0).abs().to_numpy().sum(axis=1) > 0
    return frame[shown].reset_index(drop=True)


def by_provider(run: Run, scenario: str, year: str) -> pd.DataFrame:
    """Child-years in each home or pool of homes in a financial year: code, name, type, locality, places, mean, p10, p90.

    Looked-after children and young people in continuing care, who keep the place, together.
    """
    n = int(run.record["replications"])
    blocks = [(first, min(first + BLOCK, n) - 1) for first in range(0, n, BLOCK)]
    years = run.calendar.financial_years
    days = RunFolder(run.folder).read_quantities(scenario, blocks, len(years)).placement_days
    in_year = days[:, years.index(year)].sum(axis=-1) / DAYS_PER_YEAR
    homes = [*run.record["parameters"]["providers"], *(row for row, _ in opened(run, scenario))]
    rows = []
    for at, home in enumerate(homes):
        found = figures.figure(in_year[:, at])
        rows.append({
            "code": home["code"], "name": home["name"], "type": home["placement_type"], "locality": home["locality"],
            "places": home["places"], "mean": found.mean, "p10": found.low, "p90": found.high,
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame[(frame["mean"] > 0) | (frame["places"].fillna(0) > 0)].reset_index(drop=True)


def outside_shares(run: Run) -> dict[str, tuple[float, str]]:
    """Share of placements of each type outside the council's area, and how it was found."""
    numbers = run.record["parameters"]["numbers"]
    return {
        name.split(".")[1]: (float(number["value"]), str(number["how"]))
        for name, number in numbers.items()
        if name.startswith("out_of_area.") and name.endswith(".share")
    }


# --- why --------------------------------------------------------------------------------------------------------------
REASONS = ("beyond_for_want", "beyond_for_safety", "beyond_by_nature")


def beyond_by(homes: pd.DataFrame, by: str) -> pd.DataFrame:
    """Placements begun, those beyond the radius by reason, in a dearer home, and extra cost; by a column of ``homes``."""
    dearer = homes["placements"].where(homes["gap"] == "dearer home", 0.0)
    columns = ["placements", "beyond_radius", *REASONS, "dearer", "extra_cost_gbp"]
    found: pd.DataFrame = homes.assign(dearer=dearer).groupby(by, sort=True)[columns].sum().reset_index()
    return found


# --- the map ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Place:
    """A point of the map in miles east and north of the south-west corner of what is shown."""

    name: str
    kind: str  # zone, house, opened
    east: float
    north: float
    size: float = 0.0  # children of a zone, places of a home
    locality: str = ""


@dataclass(frozen=True)
class Map:
    """Localities, where their children live, homes with a position, and the radius around each locality's middle."""

    zones: tuple[Place, ...]
    homes: tuple[Place, ...]
    middles: tuple[Place, ...]
    radius_miles: float
    nowhere: tuple[str, ...]  # names of homes and pools without a position
    width_miles: float
    height_miles: float


def places(run: Run, scenario: str | None) -> Map:
    """The places of a run and of the homes that a scenario opens."""
    p = parameters_of(run)
    radius = float(run.record["radius_miles"])
    middles = {place.name: middle([place]) for place in p.localities}
    rim = radius * METRES_PER_MILE
    new = opened(run, scenario) if scenario else ()
    at = [(float(row["easting_m"]), float(row["northing_m"])) for row, _ in new]
    at += [(h.easting_m, h.northing_m) for h in p.providers if h.easting_m is not None and h.northing_m is not None]
    at += [(east + x, north + y) for east, north in middles.values() for x in (-rim, rim) for y in (-rim, rim)]
    west, south = min(east for east, _ in at), min(north for _, north in at)
    far_east, far_north = max(east for east, _ in at), max(north for _, north in at)

    def point(name: str, kind: str, east: float, north: float, size: float = 0.0, locality: str = "") -> Place:
        return Place(name, kind, (east - west) / METRES_PER_MILE, (north - south) / METRES_PER_MILE, size, locality)

    zones = [point(zone.name, "zone", zone.easting_m, zone.northing_m, zone.children, place.name)
             for place in p.localities for zone in place.zones]  # fmt: skip
    homes = [point(h.name, "house", h.easting_m, h.northing_m, float(h.places or 0), h.locality)
             for h in p.providers if h.easting_m is not None and h.northing_m is not None]  # fmt: skip
    homes += [point(str(row["name"]), "opened", east, north, float(row["places"] or 0), str(row["locality"]))
              for (row, _), (east, north) in zip(new, at, strict=False)]  # fmt: skip
    nowhere = tuple(h.name for h in p.providers if h.easting_m is None and (h.places is None or h.places > 0))
    return Map(
        tuple(_merged(zones)), tuple(homes), tuple(point(name, "middle", *where) for name, where in middles.items()),
        radius, nowhere, (far_east - west) / METRES_PER_MILE, (far_north - south) / METRES_PER_MILE,
    )  # fmt: skip


def _merged(zones: list[Place]) -> list[Place]:
    """Zones at one point as one, the names after one another."""
    found: dict[tuple[float, float, str], Place] = {}
    for zone in zones:
        key = (round(zone.east, 2), round(zone.north, 2), zone.locality)
        before = found.get(key)
        name = zone.name if before is None else f"{before.name}, {zone.name}"
        found[key] = Place(
            name, zone.kind, zone.east, zone.north, zone.size + (before.size if before else 0.0), zone.locality
        )
    return list(found.values())


def circle(centre: Place, radius: float) -> list[list[float]]:
    """The rim of a circle in miles, closed."""
    turns = np.linspace(0.0, -2 * math.pi, CIRCLE_POINTS + 1)  # clockwise, as planar shapes are filled inside
    return [[centre.east + radius * math.cos(turn), centre.north + radius * math.sin(turn)] for turn in turns]
