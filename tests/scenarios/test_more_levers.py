"""Levers worked by hand, continued: births, breaks, moving on, who pays, people, what ends, and what nobody chooses."""

import datetime as dt

import numpy as np
import pytest

from carecast.model import words as w
from carecast.model.parameters import BadFile, ParameterSet
from carecast.model.plan import (
    AddRate,
    ChangePlaces,
    Divert,
    Effect,
    MoveFunding,
    OpenProvider,
    ScaleArrivals,
    ScalePrice,
    ScaleRate,
    Window,
)
from carecast.scenarios.levers_money import share_of_spend_above
from tests import toy
from tests.scenarios.test_levers import FIRST, HOUSE, TOY, changes, costs, day, one, plan


def toytown(without=(), **sections):
    """The toy council with some sections changed, and without the rates of some causes."""
    document = toy.document(**sections)
    document["rates"] = [row for row in document["rates"] if row["cause"] not in without]
    return ParameterSet.model_validate(document)


# --- before care ------------------------------------------------------------------------------------------------
def test_work_before_birth_diverts_newborns():
    item = {"kind": "pre_birth_work", "share": 0.2, "reach": 0.5, "gbp_per_family": 4000, "localities": ["East"]}
    change = one(item)
    assert (change.diversion, change.share.median, change.localities) == ("newborn_to_support", 0.1, ("East",))
    (cost,) = costs(item)  # only the families it did reach: not diluted again
    assert (cost.counted_event, cost.counted_detail, cost.amount_gbp.median) == (
        "diverted", "newborn_to_support", 4000)  # fmt: skip


def test_short_breaks_act_on_support_only_for_the_share_who_are_disabled():
    item = {"kind": "short_breaks", "multiply_by": 0.6, "reach": 0.13, "gbp_per_child": 2500}
    change = one(item)
    assert isinstance(change, ScaleRate)
    assert change.cause == "support_to_pre_entry"
    assert change.ratio.median == pytest.approx(1 - 0.13 * 0.4)  # 0.948
    (cost,) = costs(item)  # every child who begins support is counted, 13 % of them have breaks
    assert (cost.counted_event, cost.amount_gbp.median) == ("support_started", pytest.approx(0.13 * 2500))


def test_one_assessment_spares_families_referred_again_another():
    change = one({"kind": "one_assessment", "share": 0.3, "interval_80": [0.1, 0.5]})
    key = "mine.lever_1.one_assessment"
    assert change == Divert(key, "repeat_assessment_spared", Effect(0.3, 0.1, 0.5, "beta", key), Window(FIRST))
    days, share = changes({"kind": "one_assessment", "multiply_by": 0.8, "share": 0.3})
    assert (days.cause, days.ratio.median, share.share.median) == ("assessment_ends", pytest.approx(1.25), 0.3)


@pytest.mark.parametrize(
    ("bands", "places", "children"),
    [(["under_1"], [], 500.0 + 400.0), (["5_to_9", "10_to_15"], ["East"], 2500.0 + 3000.0)],
)
def test_universal_prevention_in_infancy_and_at_school_age_costs_by_the_child_who_lives_there(bands, places, children):
    document = toy.document()
    people = {"under_1": 500, "1_to_4": 2000, "5_to_9": 2500, "10_to_15": 3000, "16_to_17": 1000}
    west = {**people, "under_1": 400}
    years = len(document["population_years"])
    for row, counts in zip(document["localities"], (people, west), strict=True):
        row["population"] = {band: [float(count)] * years for band, count in counts.items()}
    item = {
        "kind": "universal_prevention", "multiply_by": 0.97, "age_bands": bands, "localities": places,
        "gbp_per_resident_child_per_year": 40,
    }  # fmt: skip
    council = ParameterSet.model_validate(document)
    change = one(item, council=council)
    assert isinstance(change, ScaleArrivals)
    assert (change.route, change.age_bands, change.localities) == ("contact", tuple(bands), tuple(places))
    (cost,) = costs(item, council=council)
    assert (cost.basis, cost.places, cost.amount_gbp.median) == ("per_place_per_year", children, 40)


# --- in care and leaving ----------------------------------------------------------------------------------------
def test_supported_accommodation_instead_of_residential_care():
    change = one({"kind": "supported_accommodation", "share": 0.25})
    assert (change.diversion, change.share.median) == ("residential_to_supported", 0.25)


def test_supported_accommodation_of_the_councils_own_opens_after_its_lead():
    item = {**HOUSE, "kind": "open_supported_accommodation", "name": "Bridge House"}
    change = one(item)
    assert isinstance(change, OpenProvider)
    assert (change.row["placement_type"], change.row["code"]) == ("supported_accommodation", "home_bridge_house")
    assert change.open_day == day(2025, 10)
    assert [cost.category for cost in costs(item)] == ["capital", "double_running"]


def test_a_house_without_a_position_stands_in_the_middle_of_where_children_live():
    given = {key: value for key, value in HOUSE.items() if key not in ("locality", "easting_m", "northing_m")}
    # East: zones of 3,000 and 2,000 children at 260,000 and 263,000 east: their middle is 261,200; West 20,000 less
    row = one({**given, "locality": "East"}).row
    assert (row["locality"], row["easting_m"], row["northing_m"]) == ("East", 261_200.0, 670_400.0)
    row = one({**given, "easting_m": 243_000, "northing_m": 670_000}).row
    assert (row["locality"], row["easting_m"]) == ("West", 243_000.0)
    row = one(given).row
    assert (row["locality"], row["easting_m"]) == ("East", 251_200.0)  # as near to either: the first
    with pytest.raises(ValueError, match="easting_m and northing_m: give both"):
        one({**given, "easting_m": 243_000})


def test_homes_to_move_on_to_multiply_or_add_moves_at_16_and_17():
    none_yet = toytown(without=["exit_independent"])
    added = one({"kind": "move_on_housing", "per_year": 0.3, "placement_types": ["foster_own"]}, council=none_yet)
    key = "mine.lever_1.move_on_housing"
    assert added == AddRate(
        key, "exit_independent", Effect(0.3, key=key), Window(FIRST), (), ("16_to_17",), ("foster_own",)
    )
    scaled = one({"kind": "move_on_housing", "multiply_by": 1.5})
    assert (scaled.cause, scaled.ratio.median, scaled.age_bands) == ("exit_independent", 1.5, ("16_to_17",))
    with pytest.raises(BadFile, match="has moves to a home of one's own already; give multiply_by instead"):
        plan({"kind": "move_on_housing", "per_year": 0.3})


# --- money ------------------------------------------------------------------------------------------------------
def dear_homes(sigma):
    spot = toy.provider("spot", "residential_external", weekly_cost_gbp=6000.0, price_sigma_ln=sigma, uplift="external")
    rows = [row for row in toy.document()["providers"] if row["placement_type"] != "residential_external"]
    return toytown(providers=[*rows, spot])


def test_a_review_of_the_dearest_placements_acts_on_the_spend_above_the_price():
    item = {"kind": "high_cost_review", "weekly_cost_over_gbp": 10000, "multiply_by": 0.9, "reach": 0.5}
    (found,) = [c for c in changes(item, council=dear_homes(0.5)) if isinstance(c, ScalePrice)]
    # spend above £10,000 when prices are lognormal about £6,000: Phi((ln 0.6 + 0.125) / 0.5) = Phi(-0.7717) = 0.2202
    assert share_of_spend_above(dear_homes(0.5).providers[-1], 10000) == pytest.approx(0.2202, abs=1e-4)
    assert found.line == "spot"
    assert found.ratio.median == pytest.approx(1 - 0.5 * 0.2202 * 0.1, abs=1e-5)
    prices = 6000 * np.exp(0.5 * np.random.default_rng(1).standard_normal(400_000) - 0.125)
    assert prices[prices > 10000].sum() / prices.sum() == pytest.approx(0.2202, abs=0.003)


def test_a_review_where_nothing_is_so_dear_changes_nothing_and_says_so():
    item = {"kind": "high_cost_review", "weekly_cost_over_gbp": 10000, "multiply_by": 0.9}
    found = plan(item, council=dear_homes(0.0))
    assert (found.changes, found.notes) == (
        (),
        ("mine.lever_1.high_cost_review: changes nothing: no placement there is dearer than £10,000 a week",),
    )


def test_another_funder_pays_a_share_of_what_social_work_pays():
    item = {
        "kind": "funder_contributions", "contributor": "nhs", "share": 0.2, "interval_80": [0.1, 0.3],
        "lines": ["residential_external"], "ramp_months": 12,
    }  # fmt: skip
    key = "mine.lever_1.funder_contributions"
    effect = Effect(0.2, 0.1, 0.3, "beta", key)
    assert one(item) == MoveFunding(key, "residential_external", "nhs", effect, Window(FIRST, None, 12))


def test_a_pooled_budget_is_split_as_agreed():
    pool = {"social_work": 0.5, "nhs": 0.3, "education": 0.2}
    education, nhs = changes({"kind": "pooled_budgets", "lines": ["residential_school"], "pool": pool})
    assert (education.funder, education.share.median) == ("education", 0.2)
    assert (nhs.funder, nhs.share.median) == ("nhs", pytest.approx(0.3 / 0.8))  # of the 0.8 that education leaves
    assert (1 - 0.2) * (1 - nhs.share.median) == pytest.approx(0.5)


@pytest.mark.parametrize("pool", [{"social_work": 0.5, "nhs": 0.3}, {"social_work": 1.0}])
def test_a_pool_that_is_not_whole_is_refused(pool):
    with pytest.raises(ValueError, match="should sum to 1"):
        plan({"kind": "pooled_budgets", "lines": ["*"], "pool": pool})


def test_a_contract_that_is_paid_by_the_year_ends_in_part_after_notice():
    document = toy.document()
    yearly = {**document["cost_lines"][0], "line": "youth_clubs", "unit": "year", "price_gbp": 200_000.0}
    council = toytown(cost_lines=[*document["cost_lines"], yearly])
    item = {
        "kind": "decommissioning", "lines": ["youth_clubs"], "share": 0.4, "notice_months": 6, "one_off_gbp": 15000,
    }  # fmt: skip
    change = one(item, council=council)
    assert (change.line, change.ratio.median, change.window) == ("youth_clubs", 0.6, Window(day(2024, 10)))
    (cost,) = costs(item, council=council)
    assert (cost.basis, cost.amount_gbp.median, cost.window.from_day) == ("one_off", 15000, FIRST)
    with pytest.raises(BadFile, match="'early_help', which is paid by the unit and ends with its places; paid by the"):
        plan({**item, "lines": ["early_help"]}, council=council)


def test_places_of_a_service_end_after_notice():
    item = {"kind": "decommissioning", "service": "early_help", "places": 5, "localities": ["West"], "notice_months": 3}
    change = one(item)
    key = "mine.lever_1.decommissioning"
    assert change == ChangePlaces(key, "early_help", Effect(-5.0, key=key), Window(day(2024, 7)), ("West",))
    with pytest.raises(BadFile, match="20 in early help, West, -1 would be left"):
        plan({**item, "places": 21})


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"share": 0.4}, "lines: missing; a share that ends is of the yearly cost"),
        ({"places": 4}, "service: missing; places that end are of early_help or assessment"),
        ({"places": 4, "share": 0.4}, "share or places: give one"),
    ],
)
def test_what_ends_is_a_share_of_a_contract_or_places(fields, line):
    with pytest.raises(ValueError, match=line):
        plan({"kind": "decommissioning", **fields})


# --- people -----------------------------------------------------------------------------------------------------
def test_posts_filled_bring_as_many_places_as_a_worker_has_families():
    item = {
        "kind": "staffing", "service": "assessment", "add": 2, "families_per_worker": 6,
        "gbp_per_place_per_year": 60000, "ramp_months": 6,
    }  # fmt: skip
    council = toytown(service_pools=[
        {"code": "team", "service": "assessment", "localities": [], "places": 30, **toy.TAG},
    ])  # fmt: skip
    change = one(item, council=council)
    assert (change.target, change.add.median, change.window.ramp_months) == ("assessment", 12.0, 6)
    (cost,) = costs(item, council=council)
    assert (cost.basis, cost.places, cost.amount_gbp.median) == ("per_place_per_year", 2.0, 60000)  # for each post


def test_staff_redeployed_into_a_lever_leave_somewhere():
    item = {
        "kind": "reunification_support", "multiply_by": 0.8, "redeployed_fte": 0.5, "redeployed_from": "early_help",
        "redeployed_families_per_worker": 12, "localities": ["East"], "ramp_months": 12, "to": dt.date(2025, 3, 31),
    }  # fmt: skip
    scale, places = changes(item)
    assert isinstance(scale, ScaleRate)
    # 0.5 x 12 = 6 families fewer in East's early help, from the first day, as long as the lever holds
    assert (places.target, places.add.median, places.localities, places.window) == (
        "early_help", -6.0, ("East",), Window(FIRST, day(2025, 3, 31)))  # fmt: skip
    with pytest.raises(BadFile, match="25 in early help, East, -5 would be left"):
        plan({**item, "redeployed_fte": 2.5})


def test_redeployment_says_all_three_or_nothing():
    with pytest.raises(ValueError, match="redeployed_from and redeployed_families_per_worker: missing; redeployed_fte"):
        plan({"kind": "reunification_support", "multiply_by": 0.8, "redeployed_fte": 0.5})


def test_staff_who_leave_what_has_no_limit_are_said_to_leave_no_gap():
    council = toytown(service_pools=[
        {"code": "team", "service": "assessment", "localities": [], "places": None, **toy.TAG},
    ])  # fmt: skip
    item = {
        "kind": "reunification_support", "multiply_by": 0.8, "redeployed_fte": 0.0001, "redeployed_from": "assessment",
        "redeployed_families_per_worker": 1,
    }  # fmt: skip
    with pytest.raises(BadFile, match="0 in assessment"):
        plan(item, council=council)


# --- assumptions ------------------------------------------------------------------------------------------------
def test_transfers_are_children_a_year_more_or_a_share_who_go():
    more = one({"kind": "transfers", "add": 3, "interval_80": [1, 5]})
    assert isinstance(more, ScaleArrivals)
    # the toy council has 4 unaccompanied arrivals a year
    assert (more.route, more.ratio.median, more.ratio.low_80, more.ratio.high_80) == (
        "unaccompanied", 1.75, 1.25, 2.25)  # fmt: skip
    assert one({"kind": "transfers", "share": 0.6}).ratio.median == pytest.approx(0.4)
    nobody = toytown(numbers={"arrivals.unaccompanied_families_per_year": 0.0})
    assert "no unaccompanied children arrive there" in plan({"kind": "transfers", "add": 3}, council=nobody).notes[0]


def test_hearings_and_courts_decide_less_often_for_care():
    change = one({"kind": "hearings_and_courts", "multiply_by": 0.9})
    assert (change.diversion, change.share.median) == ("pre_entry_to_support", pytest.approx(0.1))


def test_hearings_and_courts_decide_more_often_for_care():
    (branch,) = [row for row in TOY.branches if row.branch == "pre_entry"]
    care = branch.chances.get("care_at_home", 0.0) + branch.chances["care_away"]
    made = changes({"kind": "hearings_and_courts", "multiply_by": 1.1, "interval_80": [1.05, 1.15]})
    assert [change.age_bands for change in made] == [(band,) for band in w.AGE_BANDS[: w.ADULT]]
    for change in made:
        assert change.diversion == "pre_entry_to_care"
        assert care + (1 - care) * change.share.median == pytest.approx(1.1 * care)
        assert care + (1 - care) * change.share.high_80 == pytest.approx(1.15 * care)
    with pytest.raises(ValueError, match="should lie on one side of 1"):
        plan({"kind": "hearings_and_courts", "multiply_by": 1.1, "interval_80": [0.9, 1.3]})


def test_hearings_and_courts_take_longer():
    change = one({"kind": "time_to_a_decision", "multiply_by": 1.25})
    assert (change.cause, change.ratio.median) == ("pre_entry_decided", pytest.approx(0.8))


# --- what changes nothing in this council -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("item", "council", "why"),
    [
        ({"kind": "permanence_sooner", "multiply_by": 1.2}, {"without": ["exit_kinship_order", "exit_adoption"]},
         "Toytown has no exit kinship order there to multiply"),
        ({"kind": "move_on_housing", "multiply_by": 1.2}, {"without": ["exit_independent"]},
         "Toytown has no exit independent there to multiply"),
        ({"kind": "pre_birth_work", "share": 0.2}, {"numbers": {"arrivals.newborn_families_per_year": 0.0}},
         "nobody arrives there as newborn"),
        ({"kind": "crisis_support", "share": 0.2}, {"numbers": {"arrivals.emergency_families_per_year": 0.0}},
         "nobody arrives there as emergency"),
        ({"kind": "unaccompanied_children", "multiply_by": 2.0},
         {"numbers": {"arrivals.unaccompanied_families_per_year": 0.0}}, "nobody arrives there as unaccompanied"),
        ({"kind": "placement_radius", "miles": 15}, {}, "homes are looked for within 15 miles already"),
    ],
)  # fmt: skip
def test_a_lever_on_what_the_council_has_not_got_says_so(item, council, why):
    (note,) = plan(item, council=toytown(**council)).notes
    assert (
        note == f"mine.{'assumption' if 'unacc' in item['kind'] else 'lever'}_1.{item['kind']}: changes nothing: {why}"
    )


def test_a_contribution_to_what_social_work_does_not_pay_says_so():
    rows = toy.document()["providers"]
    schools = toy.provider("school", "residential_school", funder_shares={"education": 1.0})
    council = toytown(providers=[*(r for r in rows if r["placement_type"] != "residential_school"), schools])
    item = {"kind": "funder_contributions", "contributor": "nhs", "share": 0.2, "lines": ["residential_school"]}
    assert plan(item, council=council).notes == (
        "mine.lever_1.funder_contributions: changes nothing: social work pays nothing on residential_school",)  # fmt: skip


def test_a_rate_that_exists_for_other_ages_is_no_rate():
    left = [row for row in toy.document()["rates"] if row["cause"] not in ("exit_adoption", "exit_kinship_order")]
    rows = [*left, toy.rate("exit_adoption", 0.2, ages=(0, 1))]
    council = ParameterSet.model_validate({**toy.document(), "rates": rows})
    item = {"kind": "permanence_sooner", "multiply_by": 1.2}
    assert plan({**item, "age_bands": ["1_to_4"]}, council=council).notes == ()
    assert "changes nothing" in plan({**item, "age_bands": ["10_to_15"]}, council=council).notes[0]
