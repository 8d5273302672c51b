"""Moment matching and its fast twins: exact where exact answers exist, close to the figures where they do not."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from carecast.calibration import assemble, capacity, entries, fit, funnel, history, shapes
from carecast.calibration import cohort as co
from carecast.calibration.calibrate import calibrate
from carecast.model import words as w
from carecast.model.parameters import BadFile, load, save

ZERO_MOVES = np.zeros((2, w.N_AGE_BANDS - 1, w.N_PLACEMENT_TYPES, w.N_DURATION_BANDS))
STAY_PUT = np.zeros((2, w.N_AGE_BANDS - 1, w.N_PLACEMENT_TYPES, w.N_PLACEMENT_TYPES))


def rules(exit_rate, move_rate=0.0):
    exits = np.zeros((co.N_EXITS, w.N_AGE_BANDS - 1, w.N_DURATION_BANDS, w.N_PLACEMENT_TYPES))
    exits[0] = exit_rate
    moves, to = ZERO_MOVES.copy(), STAY_PUT.copy()
    moves[0] = move_rate
    to[:] = np.eye(w.N_PLACEMENT_TYPES)
    nobody = np.zeros((w.N_AGE_BANDS - 1, w.N_PLACEMENT_TYPES))
    return co.CareRules(exits, moves, to, nobody, nobody, 0.5, 0.5)


def enter(age, number, kind=w.KINSHIP):
    out = np.zeros((co.N_AGES, w.N_PLACEMENT_TYPES))
    out[age, kind] = number
    return out


# --- the solver ------------------------------------------------------------
def test_match_recovers_what_made_the_figures():
    def model(theta):
        return {"x": math.exp(theta["a"] + theta["b"]), "y": math.exp(theta["a"] - 2 * theta["b"]) + 1}

    truth = {"a": 0.3, "b": -0.2}
    targets = [fit.Target(name, value, 0.001) for name, value in model(truth).items()]
    found = fit.match([fit.Prior("a", 0, 5), fit.Prior("b", 0, 5)], targets, model)
    assert found["a"] == pytest.approx(0.3, abs=0.003)
    assert found["b"] == pytest.approx(-0.2, abs=0.003)
    assert found.sd("a") < 0.01


def test_match_keeps_the_prior_where_figures_say_nothing():
    found = fit.match(
        [fit.Prior("a", 0.0, 0.5), fit.Prior("idle", 1.0, 0.25)],
        [fit.Target("x", 2.0, 0.1)],
        lambda theta: {"x": math.exp(theta["a"])},
    )
    weight = 0.5**2 / (0.5**2 + 0.1**2)  # conjugate normal
    assert found["a"] == pytest.approx(weight * math.log(2), abs=1e-3)
    assert found["idle"] == pytest.approx(1.0, abs=1e-6)
    assert found.sd("idle") == pytest.approx(0.25, rel=1e-3)


# --- the cohort twin ------------------------------------------------------------
def test_all_who_enter_leave_or_turn_18(pieces):
    made = pieces.care
    out = made.cohort.exits.sum() + made.cohort.aged_out.sum()
    assert out == pytest.approx(made.entries.sum(), rel=1e-9)


@pytest.mark.parametrize("rate", [0.0, 0.3, 2.0])
def test_stock_is_arrivals_times_mean_stay(rate):
    found = co.run_cohort(rules(rate), enter(8, 10.0))
    left = 18 - co.ENTRY_AGE_YEARS[8]
    stay = left if rate == 0 else (1 - math.exp(-rate * left)) / rate
    assert found.by_type.sum() == pytest.approx(10 * stay, rel=0.01)


def test_moves_change_the_home_and_not_the_stock():
    still, moving = co.run_cohort(rules(0.3), enter(5, 10)), co.run_cohort(rules(0.3, 0.8), enter(5, 10))
    assert moving.by_type.sum() == pytest.approx(still.by_type.sum(), rel=0.004)
    assert moving.moves.sum() == pytest.approx(0.8 * moving.by_type.sum(), rel=0.02)
    assert still.moved_within_a_year == 0
    assert 0.3 < moving.moved_within_a_year < 0.8


def test_time_in_placement_starts_anew_at_a_move():
    found = co.run_cohort(rules(0.0, 1.5), enter(0, 1))
    long_placed = found.later[:, co.BAND_OF_PHASE >= 5].sum() / found.later.sum()
    assert long_placed < 0.08  # exp(-1.5 x 2) = 5 % of placements last two years


# --- the fit to the figures ------------------------------------------------------------
def test_the_published_counts_are_reproduced(pieces):
    table = {row["figure"]: row["ratio"] for row in pieces.care.fitted.table()}
    assert table["stock_residential"] == pytest.approx(1, abs=0.005)
    assert table["stock_community"] == pytest.approx(1, abs=0.005)
    for name in ("kinship", "at_home"):
        assert table[f"stock_{name}"] == pytest.approx(1, abs=0.12)


def test_starts_moves_and_leavers_are_near_their_figures(pieces):
    table = {row["figure"]: row for row in pieces.care.fitted.table()}
    assert 105 <= table["starts_per_year"]["fitted"] <= 140
    assert 0.117 <= table["more_than_one_placement"]["fitted"] <= 0.211
    for name in ("adoptions", "kinship_orders", "leavers_16_foster", "leavers_16_kinship", "leavers_16_residential"):
        assert table[name]["ratio"] == pytest.approx(1, abs=0.25)
    stay = float(pieces.care.cohort.by_type.sum()) / pieces.care.starts
    assert 3.3 <= stay <= 4.4


def test_the_funnel_is_near_its_figures(pieces):
    for row in pieces.funnel.fitted.table():
        assert row["ratio"] == pytest.approx(1, abs=0.2), row["figure"]
    assert pieces.funnel.funnel.re_referred_12m_share == pytest.approx(0.226, abs=0.01)


def test_starts_are_the_sum_of_their_ways(pieces):
    made = pieces.funnel.entries
    assert made.total.sum() == pytest.approx(pieces.care.starts, rel=0.01)
    assert (made.care_chance <= entries.MOST_CARE).all()
    assert np.abs(made.total / made.wanted - 1).max() < 0.12


def test_prices_reproduce_published_spend(calibrated):
    spend = calibrated.record["spend"]
    assert spend["residential"]["published_gbp"] == 11_162_000
    assert spend["community"]["published_gbp"] == 5_525_000
    for setting in ("residential", "community"):
        assert abs(spend[setting]["residual_gbp"]) < 5_000
    assert all(0.8 <= factor <= 1.25 for factor in spend["price_factors"].values())


def test_every_number_of_the_set_has_source_unit_and_how(calibrated):
    for name, number in calibrated.parameters.numbers.items():
        assert number.unit, name
        assert number.source, name
    assert calibrated.parameters.indicative
    assert calibrated.parameters.as_at == dt.date(2022, 7, 31)
    assert calibrated.record["backtest"] is None


@pytest.mark.slow
def test_the_users_own_figures_move_the_fit(tmp_path, calibrated):
    path = tmp_path / "ours.csv"
    path.write_text("id,value,low,high,source\nsupport_open,620,600,640,case records\n", encoding="utf-8")
    ours = calibrate("west-dunbartonshire", overrides=path)
    assert ours.record["replaced"] == ["support_open, 2022-07-31"]
    found = {row["figure"]: row["fitted"] for row in ours.record["fit"]["funnel"]}
    assert found["support_open"] == pytest.approx(620, rel=0.04)
    assert (ours.stock["state"] == "support").sum() > 1.25 * (calibrated.stock["state"] == "support").sum()


def test_the_folder_gives_back_what_was_saved(tmp_path, calibrated):
    save(tmp_path / "wd", calibrated)
    again = load(tmp_path / "wd")
    assert again.parameters == calibrated.parameters
    assert again.record == calibrated.record
    pd.testing.assert_frame_equal(again.draws, calibrated.draws)
    pd.testing.assert_frame_equal(again.stock.astype(calibrated.stock.dtypes), calibrated.stock)


def test_a_date_without_a_count_is_refused():
    with pytest.raises(BadFile, match="no published count of children at 2022-09-30; there are 2013-07-31"):
        calibrate("west-dunbartonshire", as_at=dt.date(2022, 9, 30))


# --- the funnel twin ------------------------------------------------------------
def test_competing_causes_win_in_proportion_to_their_hazards():
    chances, mean = funnel.race(np.array([np.full(7, 1.0), np.full(7, 3.0)]))
    assert chances == pytest.approx([0.25, 0.75], abs=1e-6)
    assert mean == pytest.approx(0.25, abs=1e-6)


def simple(re_referred=0.0):
    one = np.ones((w.N_AGE_BANDS, w.N_DURATION_BANDS))
    hazards = {cause: one * 4.0 for _, causes in funnel.STAGE_CAUSES for cause in causes}
    hazards |= {name: one * 0.0 for name in ("early_help_steps_up", "support_to_protection", "support_to_pre_entry",
                                              "protection_to_pre_entry")}  # fmt: skip
    hazards["re_referred"] = one * re_referred
    branching = funnel.Branching(
        contact={"assessment": 1.0}, referral={"closed": 0.5, "assessment": 0.5}, assessment={"closed": 0.5, "support": 0.5},
        support={"closed": 1.0}, protection={"closed": 1.0}, pre_entry_care=0.3, pre_entry={"support": 1.0}, some_stay=0.2,
    )  # fmt: skip
    contacts = np.full(funnel.N_MONTHS, 100.0 / funnel.N_MONTHS)
    return funnel.solve(contacts, hazards, branching, 2.0)


def test_flows_follow_the_branches():
    found = simple()
    assert found.per_year[funnel.REFERRAL] == pytest.approx(100, rel=0.01)
    assert found.per_year[funnel.ASSESSMENT] == pytest.approx(50, rel=0.01)
    assert found.per_year[funnel.SUPPORT] == pytest.approx(25, rel=0.02)
    assert found.open[funnel.SUPPORT] == pytest.approx(25 / 4, rel=0.05)  # Little's law; a few turn 18
    assert found.re_referred_12m_share == 0


def test_re_referrals_multiply_referrals():
    found = simple(re_referred=0.2)
    again = 1 - math.exp(-0.4)  # of closed cases, within their memory of two years
    assert found.per_year[funnel.REFERRAL] == pytest.approx(100 / (1 - again), rel=0.08)
    assert 0.1 < found.re_referred_12m_share < 1 - math.exp(-0.2)


# --- capacity, history, shapes ------------------------------------------------------------
def test_own_homes_that_suit_everybody_are_an_erlang_loss_system():
    taken = capacity.expected_occupancy(22, 20.0, 1.0, 1.0)
    assert taken == pytest.approx(20 * (1 - 0.1067), abs=0.005)


def test_a_match_that_is_less_than_sure_leaves_places_empty():
    assert capacity.expected_occupancy(20, 40, 1.0, 0.3) < capacity.expected_occupancy(20, 40, 1.0, 0.9)


def test_steady_levels_keep_the_stock(pieces):
    kernel = history.Kernel(pieces.care, {year: 1000.0 for year in range(2013, 2031)}, dt.date(2022, 7, 31))
    dates = tuple(dt.date(year, 7, 31) for year in range(2014, 2023))
    flat = np.zeros(8)
    found = kernel.stock(dates, flat, flat, flat, 0.0)
    assert np.allclose(found[:, 0], kernel.total_0, rtol=1e-6)
    assert np.allclose(found[:, 1], kernel.residential_0, rtol=0.01)
    higher = kernel.stock(dates, flat, flat + 0.2, flat, 0.0)
    assert (np.diff(higher[:, 0]) < 0).all()


def test_the_published_series_is_reproduced_within_chance(pieces):
    levels = pieces.levels
    error = np.log(levels.reproduced / levels.published)
    assert np.sqrt((error[:, 0] ** 2).mean()) < 0.04
    assert np.sqrt((error[:, 1] ** 2).mean()) < 0.12
    assert levels.dates[0] == dt.date(2014, 7, 31)
    assert len(levels.table()) == 3 * 8


def test_hazards_of_a_survival_curve_reproduce_it():
    curve = shapes.weibull_survival(0.3815, 641 * 30.4375)
    hazard = shapes.from_survival(curve)
    for days in (91, 365, 1826):
        assert math.exp(-funnel.cumulated(hazard, days / 365.25)) == pytest.approx(curve(days), abs=0.002)
    assert [round(1 - curve(m * 30.4375), 3) for m in (3, 12, 72)] == [0.121, 0.197, 0.352]


def test_population_follows_the_children_as_they_grow(pack):
    people, years = assemble.population(pack, ("Clydebank", "Dumbarton/Alexandria"))
    base, later = years.index(2022), years.index(2029)
    total = {year: sum(place[:, at].sum() for place in people.values()) for at, year in enumerate(years)}
    assert total[2022] == pytest.approx(16868, abs=2)
    young = {at: sum(place[:4, at].sum() for place in people.values()) for at in (base, years.index(2024), later)}
    assert young[later] / young[years.index(2024)] - 1 == pytest.approx(-0.077, abs=0.003)
    assert min(place.min() for place in people.values()) > 0
