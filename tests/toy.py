"""A small invented council for tests: every number chosen by hand, so that what should come out is known."""

import datetime as dt
from typing import Any

import pandas as pd

from carecast.model import words as w
from carecast.model.parameters import STOCK_COLUMNS, Calibrated, ParameterSet

AS_AT = dt.date(2022, 7, 31)
TAG = {"source": "invented for tests", "how": "assumed"}


def number(value: float, unit: str = "") -> dict[str, Any]:
    return {"value": value, "unit": unit, **TAG}


def rate(
    cause: str, per_year: float, types: tuple[str, ...] = (), label: str = "all", ages: tuple[int, ...] = ()
) -> dict:
    row = [per_year] * w.N_DURATION_BANDS
    nothing = [0.0] * w.N_DURATION_BANDS
    cells = [row if not ages or age in ages else nothing for age in range(w.N_AGE_BANDS)]
    return {"cause": cause, "label": label, "placement_types": list(types), "per_year": cells, **TAG}


def chances(kind: str, name: str, given: dict[str, float], **more: Any) -> dict[str, Any]:
    return {kind: name, "age_bands": [], "chances": given, **more, **TAG}


def provider(code: str, placement_type: str, **more: Any) -> dict[str, Any]:
    row = {
        "code": code,
        "name": code,
        "placement_type": placement_type,
        "weekly_cost_gbp": 100.0,
        "price_year": "2022-23",
        "uplift": "prices",
        "funder_shares": {"social_work": 1.0},
        **TAG,
    }
    return {**row, **more}


DISTANCES = {"median_miles": 5.0, "sigma_ln": 1.0, "unknown_share": 0.05}
CASELOADS = {
    "early_help_worker": 18.0,
    "assessment_social_worker": 10.0,
    "support_social_worker": 15.0,
    "protection_social_worker": 10.0,
    "looked_after_social_worker": 16.0,
    "supervising_social_worker": 20.0,
    "kinship_worker": 20.0,
    "reviewing_officer": 60.0,
    "aftercare_worker": 25.0,
    "permanence_support_worker": 60.0,
    "family_group_conference_coordinator": 9.0,
    "childrens_house_worker": 0.4,
    "team_manager": 6.5,
}
RATES = {
    "wait_disengaged": 0.3,
    "early_help_ends": 2.0,
    "early_help_steps_up": 0.3,
    "assessment_ends": 8.0,
    "support_ends": 1.5,
    "support_to_protection": 0.15,
    "support_to_pre_entry": 0.15,
    "protection_ends": 1.3,
    "protection_to_pre_entry": 0.6,
    "pre_entry_decided": 4.0,
    "re_referred": 0.25,
    "re_entry": 0.2,
    "kinship_order_breaks": 0.02,
    "adoption_disrupts": 0.005,
    "continuing_care_ends": 0.5,
    "exit_home": 0.25,
    "exit_kinship_order": 0.05,
    "exit_adoption": 0.02,
    "exit_other": 0.03,
    "move": 0.5,
}


def document(**changes: Any) -> dict[str, Any]:
    """The council as a plain document; ``changes`` replace whole sections, or numbers and rates by name."""
    numbers = {
        "arrivals.contact_families_per_year": 600.0,
        "arrivals.emergency_families_per_year": 12.0,
        "arrivals.newborn_families_per_year": 5.0,
        "arrivals.remand_families_per_year": 2.0,
        "arrivals.unaccompanied_families_per_year": 4.0,
        "arrivals.level_sd_per_year": 0.06,
        "arrivals.unaccompanied_level_sd_per_year": 0.25,
        "arrivals.month_spread_ln": 0.1,
        "exits.level_sd_per_year": 0.05,
        "moves.level_sd_per_year": 0.05,
        "family.joins_care_chance": 0.7,
        "siblings.together_chance_foster": 0.6,
        "siblings.together_chance_kinship": 0.9,
        "continuing_care.uptake_foster_own": 0.5,
        "continuing_care.uptake_kinship": 0.2,
        "continuing_care.uptake_childrens_house_own": 0.3,
        "continuing_care.max_age_years": 21.0,
        "aftercare.max_age_years": 21.0,
        "closed.memory_days": 730.0,
        "home_after_care.memory_days": 2192.0,
        "home_after_care.support_days": 182.0,
        "waiting.limit_days": 400.0,
        "diverted.pre_entry_hazard_ratio": 2.0,
        "uplift.pay_per_year": 0.03,
        "uplift.prices_per_year": 0.03,
        "uplift.external_per_year": 0.06,
        "discount.rate_per_year": 0.035,
        "deflator.per_year": 0.02,
        "reserves.opening_gbp": 1_000_000.0,
        "reserves.policy_minimum_gbp": 250_000.0,
        "distance.kept_for_safety_share": 0.1,
        **{f"caseload.{role}": norm for role, norm in CASELOADS.items()},
    }
    for name in w.PLACEMENT_TYPES:
        for part, value in DISTANCES.items():
            numbers[f"distance.{name}.{part}"] = 0.0 if name == "at_home" else value
        numbers[f"out_of_area.{name}.share"] = 0.0 if name == "at_home" else 0.2
    numbers.update(changes.pop("numbers", {}))
    rates = {**RATES, **changes.pop("rates", {})}
    rate_rows = [rate(cause, value) for cause, value in rates.items()]
    rate_rows.append(rate("exit_independent", 0.3, ages=(4,)))
    rate_rows.append(rate("step_down", 0.15, types=("childrens_house_own", "residential_external")))
    entry = {
        "kinship": 0.35,
        "foster_own": 0.45,
        "childrens_house_own": 0.15,
        "residential_school": 0.03,
        "secure": 0.02,
    }
    base: dict[str, Any] = {
        "council": "Toytown",
        "nation": "scotland",
        "as_at": AS_AT,
        "price_base_year": "2022-23",
        "population_years": [2020, 2030],
        "numbers": {name: number(value) for name, value in numbers.items()},
        "series": {
            "family.size_chances": {"values": [0.5, 0.3, 0.15, 0.05], "unit": "chance", **TAG},
            "ages.contact": {"values": [2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], "unit": "weight", **TAG},
            "ages.remand": {"values": [0] * 13 + [1, 1, 1, 1, 1], "unit": "weight", **TAG},
            "ages.unaccompanied": {"values": [0] * 15 + [1, 2, 2], "unit": "weight", **TAG},
            "disadvantage.relative_risk": {"values": [3.0, 2.0, 1.0, 0.7, 0.4], "unit": "ratio", **TAG},
        },
        "rates": rate_rows,
        "branches": [
            chances("branch", "contact", {"closed": 0.5, "early_help": 0.1, "assessment": 0.4}),
            chances("branch", "referral", {"closed": 0.1, "early_help": 0.1, "assessment": 0.8}),
            chances(
                "branch",
                "assessment",
                {"closed": 0.4, "early_help": 0.1, "support": 0.4, "protection": 0.09, "pre_entry": 0.01},
            ),
            chances("branch", "support", {"closed": 0.8, "early_help": 0.2}),
            chances("branch", "protection", {"closed": 0.3, "support": 0.7}),
            chances(
                "branch",
                "pre_entry",
                {"support": 0.3, "protection": 0.1, "kinship_order": 0.05, "care_at_home": 0.2, "care_away": 0.35},
            ),
        ],
        "destinations": [
            chances("moment", "entry", entry),
            chances("moment", "return", entry),
            chances("moment", "remand", {"secure": 0.5, "residential_external": 0.5}),
            chances("moment", "unaccompanied", {"supported_accommodation": 0.7, "foster_own": 0.3}),
            chances("moment", "move", {"kinship": 0.2, "foster_own": 0.5, "childrens_house_own": 0.3}),
            chances("moment", "step_down", {"kinship": 0.2, "foster_own": 0.8}),
        ],
        "localities": [
            {
                "name": name,
                "zones": [
                    {"name": f"{name} 1", "easting_m": easting, "northing_m": 670000.0, "children": 3000.0},
                    {"name": f"{name} 2", "easting_m": easting + 3000.0, "northing_m": 671000.0, "children": 2000.0},
                ],
                "population": {
                    "under_1": [400, 400],
                    "1_to_4": [1700, 1600],
                    "5_to_9": [2300, 2100],
                    "10_to_15": [2900, 2700],
                    "16_to_17": [950, 950],
                },
                "quintile_children": [3000, 2000, 1500, 1000, 750],
            }
            for name, easting in (("East", 260000.0), ("West", 240000.0))
        ],
        "providers": [
            provider("home", "at_home"),
            provider("kin", "kinship"),
            provider("own_east", "foster_own", locality="East", places=20, usable_share=0.9, match_chance=0.6),
            provider("own_west", "foster_own", locality="West", places=18, usable_share=0.9, match_chance=0.6),
            provider("agency", "foster_agency", match_chance=0.8, price_sigma_ln=0.1),
            provider("adopters", "prospective_adopters"),
            provider("supported", "supported_accommodation"),
            provider("other", "other_community"),
            provider(
                "house_1",
                "childrens_house_own",
                locality="East",
                easting_m=261000.0,
                northing_m=670500.0,
                places=6,
                usable_share=1.0,
                match_chance=0.7,
                fixed_weekly_cost_gbp=10_000.0,
            ),
            provider(
                "house_2",
                "childrens_house_own",
                easting_m=225000.0,
                northing_m=690000.0,
                places=4,
                usable_share=1.0,
                match_chance=0.7,
                fixed_weekly_cost_gbp=8_000.0,
            ),
            provider("external", "residential_external", price_sigma_ln=0.4, weekly_cost_gbp=5000.0, uplift="external"),
            provider("school", "residential_school", funder_shares={"social_work": 0.5, "education": 0.5}),
            provider("secure", "secure"),
            provider("unregistered", "unregistered"),
            provider("other_res", "other_residential"),
        ],
        "service_pools": [
            {"code": "help_east", "service": "early_help", "localities": ["East"], "places": 25, **TAG},
            {"code": "help_west", "service": "early_help", "localities": ["West"], "places": 20, **TAG},
            {"code": "assess", "service": "assessment", "localities": [], "places": 40, **TAG},
        ],
        "cost_lines": [
            {
                "line": line,
                "unit": unit,
                "price_gbp": price,
                "price_year": "2022-23",
                "uplift": "pay",
                "fixed_share": fixed,
                "funder_shares": {"social_work": 1.0},
                **TAG,
            }
            for line, unit, price, fixed in (
                ("early_help", "child_week", 80.0, 1.0),
                ("assessment", "child", 600.0, 1.0),
                ("support", "child_week", 40.0, 1.0),
                ("protection", "child_week", 70.0, 1.0),
                ("pre_entry", "child", 3000.0, 0.5),
                ("home_after_care", "child_week", 40.0, 1.0),
                ("kinship_order", "child_week", 190.0, 0.0),
                ("adopted", "child_week", 60.0, 0.0),
                ("aftercare", "child_week", 120.0, 0.0),
            )
        ],
    }
    base.update(changes)
    return base


def stock_row(
    child: int, state: str, placement_type: str = "", provider: str = "", age_years: float = 8.0, **more: Any
) -> dict:
    row = {
        "variant": 0,
        "child": child,
        "family": child,
        "locality": "East",
        "zone": "East 1",
        "quintile": 1,
        "age_days": int(age_years * 365.25),
        "unaccompanied": 0,
        "state": state,
        "placement_type": placement_type,
        "provider": provider,
        "days_in_state": 100,
        "days_in_care": 400,
        "distance_miles": 4.0,
        "shared_with": -1,
    }
    return {**row, **more}


def some_stock() -> list[dict]:
    """Twenty-odd children in every state there is."""
    rows = []
    placed = [
        ("at_home", ""),
        ("kinship", ""),
        ("foster_own", "own_east"),
        ("foster_own", "own_west"),
        ("foster_agency", ""),
        ("childrens_house_own", "house_1"),
        ("residential_external", ""),
        ("residential_school", ""),
    ]
    for at, (kind, code) in enumerate(placed * 4):
        rows.append(stock_row(at, "in_care", kind, code, 1.0 + at * 0.5, family=at // 2))
    states = [
        "early_help",
        "early_help_waiting",
        "assessment",
        "assessment_waiting",
        "support",
        "protection",
        "pre_entry",
        "closed",
        "home_after_care",
        "kinship_order",
        "adopted",
    ]
    for at, state in enumerate(states * 2, start=len(rows)):
        rows.append(stock_row(at, state, age_years=3.0 + at % 12, family=100 + at // 2, locality="West", zone="West 1"))
    rows.append(stock_row(99, "continuing_care", "foster_own", "own_east", age_years=18.6))
    rows.append(stock_row(98, "aftercare", age_years=19.0))
    return rows


def calibrated(stock: list[dict] | None = None, draws: pd.DataFrame | None = None, **changes: Any) -> Calibrated:
    """Toytown as a parameter set with its stock (none unless given)."""
    frame = pd.DataFrame(stock or [], columns=list(STOCK_COLUMNS))
    return Calibrated(
        parameters=ParameterSet.model_validate(document(**changes)),
        draws=pd.DataFrame() if draws is None else draws,
        stock=frame,
        record={},
    )
