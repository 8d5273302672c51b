"""Each kind of lever, worked by hand on the toy council: which primitives it becomes, and with which numbers."""

import datetime as dt
import math

import pytest

from carecast.model.parameters import ParameterSet
from carecast.model.plan import (
    AddRate,
    ChangePlaces,
    CloseProvider,
    Divert,
    Effect,
    OpenProvider,
    ProgrammeCost,
    ScaleArrivals,
    ScalePrice,
    ScaleRate,
    SetRadius,
    Window,
)
from carecast.scenarios.apply import apply
from carecast.scenarios.kind_table import ASSUMPTIONS, KINDS, LEVERS
from carecast.scenarios.levers import MAKE
from carecast.scenarios.scenario import Scenario
from tests import toy

START = dt.date(2024, 4, 1)
FIRST = START.toordinal()
UNTIL = dt.date(2029, 3, 31)
TOY = ParameterSet.model_validate(toy.document())


def day(year, month, number=1):
    return dt.date(year, month, number).toordinal()


def plan(*items, until=UNTIL, council=TOY):
    """The plan of a scenario of these levers and assumptions; each starts on 1 April 2024 unless it says otherwise."""
    levers = [{"from": START, **item} for item in items if item["kind"] in LEVERS]
    assumptions = [{"from": START, **item} for item in items if item["kind"] in ASSUMPTIONS]
    scenario = Scenario.model_validate({"name": "mine", "built_on": "", "lever": levers, "assumption": assumptions})
    return apply(council, scenario, until)


def changes(*items, **more):
    return [change for change in plan(*items, **more).changes if not isinstance(change, ProgrammeCost)]


def costs(*items, **more):
    return [change for change in plan(*items, **more).changes if isinstance(change, ProgrammeCost)]


def one(*items, **more):
    (change,) = changes(*items, **more)
    return change


def certain(ratio, key):
    return Effect(ratio, None, None, "lognormal", key)


def test_every_kind_has_a_maker_and_a_unit_for_each_size():
    assert set(MAKE) == set(KINDS)
    for kind in KINDS.values():
        assert all(kind.unit_of(field) for field in kind.sizes), kind.name
        assert kind.label
        assert kind.what
        assert kind.becomes


# --- early help -------------------------------------------------------------------------------------------------
def test_early_help_places_go_to_the_pool_of_the_locality():
    change = one({"kind": "early_help_places", "add": 9, "localities": ["East"], "ramp_months": 6})
    assert change == ChangePlaces(
        "mine.lever_1.early_help_places", "early_help", Effect(9.0, key=change.lever), Window(FIRST, None, 6), ("East",)
    )


def test_early_help_places_without_a_locality_are_shared_out_by_the_places_there_are():
    east, west = changes({"kind": "early_help_places", "add": 9})  # 25 and 20 places
    assert (east.localities, east.add.median, west.localities, west.add.median) == (("East",), 5.0, ("West",), 4.0)


def test_two_teams_of_one_locality_are_named_by_their_codes():
    pools = [
        {"code": "young", "service": "early_help", "localities": [], "age_bands": ["under_1"], "places": 10, **toy.TAG},
        {"code": "old", "service": "early_help", "localities": [], "places": 30, **toy.TAG},
    ]
    council = ParameterSet.model_validate(toy.document(service_pools=pools))
    made = changes({"kind": "early_help_places", "add": 4}, council=council)
    assert [(change.target, change.add.median) for change in made] == [("young", 1.0), ("old", 3.0)]


def test_help_sooner_shortens_episodes_and_adds_assessment_places():
    item = {"kind": "early_help_sooner", "multiply_by": 0.8, "interval_80": [0.64, 1.0], "add": 3}
    ends, places = changes(item)
    assert (ends.cause, ends.ratio.median, ends.ratio.low_80, ends.ratio.high_80) == (
        "early_help_ends", pytest.approx(1.25), 1.0, pytest.approx(1.5625))  # fmt: skip
    assert (places.target, places.add.median, places.localities) == ("assessment", 3.0, ())


def test_early_help_support_takes_the_hazard_ratio_of_its_evidence_for_those_it_reaches():
    change = one({"kind": "early_help_support", "evidence": "whole_family_keyworker", "reach": 0.5})
    low = math.log(1 - 0.025 * 0.68 * (0.46 / 0.68) ** 0.653862) / math.log(1 - 0.025)
    assert change.cause == "early_help_steps_up"
    assert change.ratio.median == pytest.approx(1 - 0.5 * (1 - 0.677))
    assert change.ratio.low_80 == pytest.approx(1 - 0.5 * (1 - low), abs=1e-4)
    assert (change.ratio.shape, change.ratio.key) == ("lognormal", "whole_family_keyworker")


def test_help_instead_of_assessment_diverts_at_the_referral_or_after_the_assessment():
    at_referral = one({"kind": "help_instead_of_assessment", "share": 0.2})
    after = one({"kind": "help_instead_of_assessment", "share": 0.2, "at": "assessment", "reach": 0.5})
    assert (at_referral.diversion, at_referral.share.median) == ("referral_to_early_help", 0.2)
    assert (after.diversion, after.share.median) == ("assessment_to_early_help", 0.1)


def test_universal_prevention_thins_contacts():
    change = one({"kind": "universal_prevention", "multiply_by": 0.95, "age_bands": ["under_1"]})
    key = "mine.lever_1.universal_prevention"
    assert change == ScaleArrivals(key, "contact", certain(0.95, key), Window(FIRST), (), ("under_1",))


def test_one_assessment_shortens_assessments():
    change = one({"kind": "one_assessment", "multiply_by": 0.5})
    assert isinstance(change, ScaleRate)
    assert (change.cause, change.ratio.median) == ("assessment_ends", 2.0)


# --- edge of care and the decision ------------------------------------------------------------------------------
def test_edge_of_care_support_acts_on_support_and_protection():
    made = changes({"kind": "edge_of_care_support", "multiply_by": 0.8, "interval_80": [0.7, 0.9]})
    assert [change.cause for change in made] == ["support_to_pre_entry", "protection_to_pre_entry"]
    assert {(change.ratio.median, change.ratio.low_80, change.ratio.high_80) for change in made} == {(0.8, 0.7, 0.9)}


def test_family_group_conferences_divert_one_less_the_risk_ratio():
    change = one({"kind": "family_group_conferences", "evidence": "family_group_conference"})
    assert isinstance(change, Divert)
    assert change.diversion == "pre_entry_to_support"
    assert change.share.median == pytest.approx(1 - 0.808)
    # 95 % limits 0.715 to 0.913, brought to 80 % on the log scale (x 1.2816 / 1.96)
    assert change.share.low_80 == pytest.approx(1 - 0.808 * (0.913 / 0.808) ** 0.653862, abs=1e-5)
    assert change.share.high_80 == pytest.approx(1 - 0.808 * (0.715 / 0.808) ** 0.653862, abs=1e-5)
    assert change.share.shape == "beta"


@pytest.mark.parametrize(
    ("instead", "diversion"),
    [
        ("home_with_support", "pre_entry_to_support"),
        ("kin", "pre_entry_to_kinship_order"),
        ("at_home_on_order", "care_away_to_at_home"),
        ("kinship_placement", "care_away_to_kinship"),
    ],
)
def test_family_first_offers_the_family_instead(instead, diversion):
    item = {"kind": "family_first", "instead": instead, "share": 0.1, "interval_80": [0.05, 0.2], "gbp_per_child": 500}
    change = one(item)
    key = "mine.lever_1.family_first"
    assert change == Divert(key, diversion, Effect(0.1, 0.05, 0.2, "beta", key), Window(FIRST))
    (cost,) = costs(item)
    assert (cost.counted_event, cost.counted_detail) == ("diverted", diversion)


def test_crisis_support_diverts_direct_entries():
    assert one({"kind": "crisis_support", "share": 0.1}).diversion == "direct_entry_to_support"


# --- in care ----------------------------------------------------------------------------------------------------
def test_kinship_support_acts_on_placements_and_orders():
    move, breaks = changes({"kind": "kinship_support", "multiply_by": 0.8, "no_effect_chance": 0.25})
    assert (move.cause, move.placement_types, breaks.cause, breaks.placement_types) == (
        "move", ("kinship",), "kinship_order_breaks", ())  # fmt: skip
    # without an interval the ratio stays lognormal, so that 'no effect' is a ratio of 1
    assert move.ratio == Effect(0.8, None, None, "lognormal", "mine.lever_1.kinship_support", 0.25)


def test_placement_stability_acts_on_moves():
    change = one({"kind": "placement_stability", "multiply_by": 0.7, "placement_types": ["foster_own"]})
    assert (change.cause, change.placement_types) == ("move", ("foster_own",))


def test_foster_recruitment_goes_to_the_pool_of_the_locality_with_its_ramp():
    change = one(
        {"kind": "foster_recruitment", "add": 6, "interval_80": [2, 8], "localities": ["West"], "ramp_months": 24}
    )
    key = "mine.lever_1.foster_recruitment"
    assert change == ChangePlaces(key, "own_west", Effect(6, 2, 8, "normal", key), Window(FIRST, None, 24), ("West",))


def test_foster_recruitment_everywhere_keeps_its_sum():
    made = changes({"kind": "foster_recruitment", "add": 19})  # 20 and 18 places: 10 and 9
    assert [(change.target, change.add.median) for change in made] == [("own_east", 10.0), ("own_west", 9.0)]


def test_foster_retention_keeps_places_year_by_year():
    change = one({"kind": "foster_retention", "multiply_by": 0.6, "exits_per_year": 0.1, "localities": ["East"]})
    # 20 places x 0.1 a year x (1 - 0.6) x 5 years = 4 places, in 60 monthly steps
    assert (change.target, change.add.median, change.window) == (
        "own_east",
        pytest.approx(4.0),
        Window(FIRST, None, 60),
    )


HOUSE = {
    "kind": "open_childrens_house", "name": "New house", "places": 5, "locality": "East", "easting_m": 262000.0,
    "northing_m": 671000.0, "lead_months": 18, "fixed_weekly_cost_gbp": 20000.0, "weekly_cost_gbp": 300.0,
    "capital_gbp": {"value": 900000, "low": 600000, "high": 1300000}, "double_running_gbp": 250000,
}  # fmt: skip


def test_a_house_opens_after_its_lead_with_capital_first_and_double_running_on_the_day():
    change = one(HOUSE)
    assert isinstance(change, OpenProvider)
    assert change.open_day == day(2025, 10)
    row = change.row
    assert (row["code"], row["places"], row["fixed_weekly_cost_gbp"]) == ("house_new_house", 5, 20000.0)
    assert (row["uplift"], row["price_year"], row["match_chance"]) == (
        "pay",
        "2022-23",
        0.7,
    )  # match as the first house
    capital, double = costs(HOUSE)
    assert (capital.basis, capital.category, capital.window.from_day, capital.recurring) == (
        "one_off", "capital", FIRST, False)  # fmt: skip
    assert (capital.amount_gbp.median, capital.amount_gbp.low_80, capital.amount_gbp.shape) == (9e5, 6e5, "lognormal")
    assert (double.category, double.window.from_day, double.amount_gbp.median) == (
        "double_running",
        day(2025, 10),
        250000,
    )


def test_a_house_that_would_open_after_the_run_has_its_capital_only():
    found = plan(HOUSE, until=dt.date(2025, 3, 31))
    assert not any(isinstance(change, OpenProvider) for change in found.changes)
    assert [cost.category for cost in found.changes] == ["capital", "double_running"]
    assert "after the run ends" in found.notes[0]


def test_a_house_is_enlarged_after_its_lead():
    item = {
        "kind": "enlarge_childrens_house",
        "provider": "house_1",
        "add": 2,
        "lead_months": 6,
        "gbp_per_place_per_year": 1e5,
    }
    change = one(item)
    assert (change.target, change.add.median, change.window.from_day) == ("house_1", 2.0, day(2024, 10))
    (cost,) = costs(item)
    assert (cost.basis, cost.places, cost.window.from_day) == ("per_place_per_year", 2.0, day(2024, 10))


def test_a_house_closes_in_three_steps():
    item = {"kind": "close_childrens_house", "provider": "house_2", "notice_months": 6, "cost_stops_months": 3}
    key = "mine.lever_1.close_childrens_house"
    assert one(item) == CloseProvider(key, "house_2", FIRST, day(2024, 10), day(2025, 1))


def test_placement_radius():
    change = one({"kind": "placement_radius", "miles": 10, "refuse_own_beyond": True, "to": dt.date(2025, 3, 31)})
    key = "mine.lever_1.placement_radius"
    assert change == SetRadius(key, 10.0, Window(FIRST, day(2025, 3, 31)), True)


def test_return_within_radius_adds_a_rate_that_is_never_one_by_default():
    item = {"kind": "return_within_radius", "per_year": 0.4, "interval_80": [0.2, 0.6], "no_effect_chance": 0.1}
    change = one(item)
    assert isinstance(change, AddRate)
    assert (change.cause, change.per_year.shape) == ("return_within_radius", "normal")  # no effect is 0, not 1
    assert "secure" not in change.placement_types


def test_step_down_multiplies_where_there_is_a_rate_and_adds_where_there_is_none():
    change = one({"kind": "step_down", "multiply_by": 1.5})
    assert isinstance(change, ScaleRate)
    assert change.placement_types == (
        "childrens_house_own", "residential_external", "residential_school", "unregistered", "other_residential"
    )  # fmt: skip
    added = one({"kind": "step_down", "per_year": 0.3, "placement_types": ["residential_school"]})
    assert isinstance(added, AddRate)
    assert added.per_year.median == 0.3


def test_residential_to_foster():
    assert one({"kind": "residential_to_foster", "share": 0.3}).diversion == "residential_to_foster"


# --- leaving care and after -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "causes"),
    [
        ("reunification", ["exit_home"]),
        ("reunification_support", ["re_entry"]),
        ("permanence_sooner", ["exit_kinship_order", "exit_adoption"]),
    ],
)
def test_leaving_care(kind, causes):
    made = changes({"kind": kind, "multiply_by": 0.9, "age_bands": ["5_to_9"]})
    assert [(change.cause, change.ratio.median, change.age_bands) for change in made] == [
        (cause, 0.9, ("5_to_9",)) for cause in causes
    ]


def test_continuing_care_lasts_longer():
    change = one({"kind": "continuing_care", "multiply_by": 2.0})
    assert (change.cause, change.ratio.median) == ("continuing_care_ends", 0.5)


# --- money and assumptions --------------------------------------------------------------------------------------
def test_framework_prices_are_a_lever_and_prices_an_assumption():
    lever = one({"kind": "framework_prices", "multiply_by": 0.95, "lines": ["foster_agency"], "ramp_months": 12})
    key = "mine.lever_1.framework_prices"
    assert lever == ScalePrice(key, "foster_agency", certain(0.95, key), Window(FIRST, None, 12), False)
    assumption = one({"kind": "prices", "multiply_by": 1.1, "lines": ["external"]})
    assert (assumption.line, assumption.is_assumption) == (
        "external",
        True,
    )  # the one provider that follows that uplift


def test_prices_that_rise_faster_step_each_year_and_compound():
    made = changes({"kind": "prices", "per_year": 0.05, "lines": ["*"]}, until=dt.date(2027, 3, 31))
    assert [change.window for change in made] == [Window(day(year, 4)) for year in (2024, 2025, 2026)]
    assert math.prod(change.ratio.median for change in made) == pytest.approx(1.05**3)
    assert len({change.ratio.key for change in made}) == 1


def test_pay_reaches_every_line_that_follows_pay_and_houses_a_lever_opens():
    made = changes({"kind": "pay", "multiply_by": 1.02}, HOUSE)
    lines = {change.line for change in made if isinstance(change, ScalePrice)}
    assert lines == {line.line for line in TOY.cost_lines} | {"house_new_house"}


@pytest.mark.parametrize(
    ("kind", "routes"),
    [
        ("referrals", ["contact"]),
        ("unaccompanied_children", ["unaccompanied"]),
        ("disadvantage", ["contact", "emergency", "newborn", "remand"]),
    ],
)
def test_assumptions_about_arrivals(kind, routes):
    made = changes({"kind": kind, "multiply_by": 1.2, "localities": ["West"]})
    assert [(change.route, change.ratio.median, change.localities) for change in made] == [
        (route, 1.2, ("West",)) for route in routes
    ]


def test_a_programme_team_costs_and_changes_nothing_else():
    item = {"kind": "programme_team", "recurring_gbp_per_year": 100000, "funder": "nhs"}
    assert changes(item) == []
    (cost,) = costs(item)
    assert (cost.basis, cost.funder, cost.recurring, cost.paid_from) == ("per_year", "nhs", True, "base_budget")
    assert plan(item).notes == ()


# --- costs ------------------------------------------------------------------------------------------------------
def test_recurring_cost_tapers_from_reserves_to_the_base_budget():
    item = {
        "kind": "programme_team", "recurring_gbp_per_year": {"value": 100000, "low": 80000, "high": 130000},
        "paid_from": "reserves", "reserves_taper": [1.0, 0.25],
    }  # fmt: skip
    found = [(c.paid_from, c.amount_gbp.median, c.window.from_day, c.window.to_day) for c in costs(item)]
    assert found == [
        ("reserves", 100000, FIRST, day(2025, 3, 31)),
        ("reserves", 25000, day(2025, 4), day(2026, 3, 31)),
        ("base_budget", 75000, day(2025, 4), day(2026, 3, 31)),
        ("base_budget", 100000, day(2026, 4), None),
    ]
    assert len({cost.amount_gbp.key for cost in costs(item)}) == 1  # one draw, however it is paid


def test_recurring_cost_is_whole_from_the_first_day_and_cost_per_place_follows_the_ramp():
    item = {
        "kind": "early_help_places", "add": 10, "ramp_months": 12, "recurring_gbp_per_year": 1000,
        "gbp_per_place_per_year": 500,
    }  # fmt: skip
    level, per_place = costs(item)
    assert (level.basis, level.window.ramp_months) == ("per_year", 0)
    assert (per_place.basis, per_place.window.ramp_months, per_place.places) == ("per_place_per_year", 12, 10.0)


def test_cost_for_each_family_is_paid_for_those_reached():
    item = {
        "kind": "family_group_conferences", "multiply_by": 0.8, "reach": 0.5, "gbp_per_family": 1000,
        "localities": ["East"],
    }  # fmt: skip
    (cost,) = costs(item)
    assert (cost.basis, cost.counted_event, cost.amount_gbp.median) == ("per_family", "pre_entry_started", 500.0)
    assert cost.localities == ("East",)


# --- combined and idle ------------------------------------------------------------------------------------------
def test_levers_on_one_number_say_how_they_combine():
    found = plan(
        {"kind": "reunification_support", "multiply_by": 0.9},
        {"kind": "reunification_support", "multiply_by": 0.8, "localities": ["East"]},
        {"kind": "foster_recruitment", "add": 4, "localities": ["East"]},
        {"kind": "foster_recruitment", "add": 4, "localities": ["West"]},
        {"kind": "family_first", "instead": "home_with_support", "share": 0.1},
        {"kind": "family_group_conferences", "multiply_by": 0.8},
    )
    assert found.notes == (
        "re_entry: changed by mine.lever_1.reunification_support and mine.lever_2.reunification_support; "
        "their ratios multiply",
        "pre_entry_to_support: changed by mine.lever_5.family_first and mine.lever_6.family_group_conferences; "
        "each takes its share of the children the others leave",
    )


def test_levers_that_never_meet_in_time_do_not_combine():
    early = {"kind": "reunification", "multiply_by": 1.1, "to": dt.date(2025, 3, 31)}
    assert plan(early, {"kind": "reunification", "multiply_by": 1.2, "from": dt.date(2025, 4, 1)}).notes == ()


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"kind": "reunification", "multiply_by": 1.0}, "its size is zero"),
        ({"kind": "early_help_places", "add": 0}, "its size is zero"),
        ({"kind": "family_first", "instead": "kin", "share": 0.0}, "its size is zero"),
        ({"kind": "prices", "per_year": 0.0, "lines": ["*"]}, "its size is zero"),
        (
            {"kind": "reunification", "multiply_by": 1.2, "from": dt.date(2030, 4, 1)},
            "after the run ends on 2029-03-31",
        ),
    ],
)
def test_a_lever_that_changes_nothing_says_so(item, why):
    (note,) = plan(item).notes
    assert "changes nothing" in note
    assert why in note


def test_a_lever_after_the_run_makes_no_change_and_costs_nothing():
    item = {"kind": "reunification", "multiply_by": 1.2, "from": dt.date(2030, 4, 1), "recurring_gbp_per_year": 100}
    assert plan(item).changes == ()
