"""A house that might open: where, how large, what it costs; and the scenario file that says so. No Streamlit."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from carecast.dashboard import figures_places
from carecast.dashboard.studio import name_of
from carecast.model.summary import BASELINE
from carecast.scenarios.apply import apply
from carecast.scenarios.levers import middle
from carecast.scenarios.library import library, read_text
from carecast.scenarios.run import Run
from carecast.scenarios.scenario import SCENARIO_FORMAT, Scenario
from carecast.scenarios.wording import term

SCENARIO = "a_house_opens"
KIND = "open_childrens_house"
LEAD_MONTHS = 18
PLACES = 4


@dataclass(frozen=True)
class House:
    """What is asked of a new house."""

    name: str
    locality: str
    easting_m: float
    northing_m: float
    places: int
    lead_months: int
    start: dt.date
    fixed_weekly_cost_gbp: float
    weekly_cost_gbp: float
    capital_gbp: float


@dataclass(frozen=True)
class Usual:
    """What stands in the form first: the council's own first house, or none."""

    name: str
    places: int
    lead_months: int
    start: dt.date
    fixed_weekly_cost_gbp: float
    weekly_cost_gbp: float


def sites(run: Run) -> dict[str, tuple[str, float, float]]:
    """Where a house can stand: the middle of each locality, then every point that children live around."""
    p = figures_places.parameters_of(run)
    found: dict[str, tuple[str, float, float]] = {}
    for place in p.localities:
        found[f"{place.name}: the middle of where children live"] = (place.name, *middle([place]))
    for place in p.localities:
        for zone in place.zones:
            found.setdefault(f"{zone.name} ({place.name})", (place.name, zone.easting_m, zone.northing_m))
    return found


def usual(run: Run) -> Usual:
    """What a house of this council usually costs, and the next 1 April as the day it is decided."""
    houses = [p for p in run.record["parameters"]["providers"] if p["placement_type"] == "childrens_house_own"]
    first: dict[str, Any] = houses[0] if houses else {}
    places = int(first.get("places") or PLACES)
    fixed = float(first.get("fixed_weekly_cost_gbp") or 0.0) * min(PLACES, places) / max(places, 1)
    as_at = run.calendar.as_at
    april = dt.date(as_at.year + (as_at >= dt.date(as_at.year, 4, 1)), 4, 1)
    start = min(max(april, as_at), run.calendar.until)
    words = f"New {term(str(run.record['nation']), 'childrens_house')}"
    return Usual(words, PLACES, LEAD_MONTHS, start, round(fixed, -2), float(first.get("weekly_cost_gbp") or 0.0))


def text_of(run: Run, asked: House) -> str:
    """The scenario file: the baseline with this house."""
    lever: dict[str, Any] = {
        "kind": KIND, "name": asked.name, "from": asked.start, "places": asked.places, "locality": asked.locality,
        "easting_m": asked.easting_m, "northing_m": asked.northing_m, "lead_months": asked.lead_months,
        "fixed_weekly_cost_gbp": asked.fixed_weekly_cost_gbp, "weekly_cost_gbp": asked.weekly_cost_gbp,
        "because": "What-if asked on the page Placements and distance; size and cost as entered there.",
    }  # fmt: skip
    if asked.capital_gbp > 0:
        lever["capital_gbp"] = asked.capital_gbp
    document = {
        "format": SCENARIO_FORMAT, "name": SCENARIO, "built_on": BASELINE, "status": "draft",
        "date": run.calendar.as_at, "lever": [lever],
        "rationale": f"What if {asked.name} opened with {asked.places} places?",
    }  # fmt: skip
    return tomli_w.dumps(document)


def scenario_of(run: Run, asked: House) -> Scenario:
    """The scenario, checked against the run's council.

    Raises:
        BadFile: it does not fit.
    """
    found = read_text(text_of(run, asked), SCENARIO)
    apply(figures_places.parameters_of(run), found, run.calendar.until)
    return found


def free_name(own: Path) -> str:
    """A name that no scenario has yet."""
    number, name = 1, SCENARIO
    while (own / f"{name}.toml").exists() or name in library():
        number += 1
        name = f"{SCENARIO}_{number}"
    return name_of(name)


def renamed(text: str, name: str) -> str:
    """The file under another name."""
    return text.replace(f'name = "{SCENARIO}"', f'name = "{name}"', 1)
