"""What a saving hangs on: a made-up answer whose drivers are known, and a small world with one number that rules it."""

import datetime as dt

import numpy as np
import pytest

from carecast.model.parameters import BadFile
from carecast.model.plan import Effect, Plan, ProgrammeCost, Window
from carecast.scenarios.library import read_text
from carecast.scenarios.sensitivity import (
    Question,
    _columns_of,
    _miss,
    _value,
    curve,
    hold_effect,
    pawn,
    sensitivity,
    without,
)
from tests import small_runs

CHEAPER = """
format = 1
name = "cheaper"
built_on = "baseline"

[[lever]]
kind = "framework_prices"
name = "Cheaper homes"
from = 2022-09-01
multiply_by = 0.8
interval_80 = [0.5, 1.1]
lines = ["external"]
because = "Invented for tests."

[[lever]]
kind = "programme_team"
from = 2022-09-01
recurring_gbp_per_year = 300000
because = "Invented for tests."
"""
UNTIL = dt.date(2024, 3, 31)


@pytest.fixture(scope="module")
def found():
    scenario = read_text(CHEAPER, "cheaper.toml")
    return sensitivity(
        Question(small_runs.council(), scenario, UNTIL, replications=120, tornado=2, tornado_replications=40)
    )


def test_the_number_that_rules_is_found_first(found):
    first = found.numbers[0]
    assert first.number.label == "Cheaper homes: size"
    assert first.is_clear
    assert found.research[0].number.id == first.number.id
    assert first.variance_share > 0.5


def test_knowing_the_ruling_number_is_worth_most_of_knowing_all(found):
    first = found.numbers[0]
    assert 0 < first.value_adopting_gbp <= found.perfect_gbp
    assert 0 < first.value_budgeting_gbp < found.miss_gbp


def test_the_tornado_is_paired_and_has_the_right_sign(found):
    """Prices multiplied by less save more; the bar of the ruling number is the longest."""
    bar = found.bars[0]
    assert bar.number.label == "Cheaper homes: size"
    assert bar.low < 0.8 < bar.high
    assert bar.at_low_gbp > 0 > bar.at_high_gbp
    assert abs(found.bars[1].at_high_gbp - found.bars[1].at_low_gbp) < bar.at_low_gbp - bar.at_high_gbp


def test_curves_by_a_known_answer():
    random = np.random.default_rng(1)
    draws, other = random.normal(size=2000), random.normal(size=2000)
    values = 3.0 * draws + random.normal(size=2000)
    known, nothing = curve(draws, values), curve(other, values)
    assert np.corrcoef(known.guess, draws)[0, 1] > 0.95
    assert known.p_value < 1e-9 < 0.001 < nothing.p_value
    assert abs(known.guess.mean()) < 1e-9
    assert nothing.guess.var() < 0.01 * values.var()


def test_value_of_knowing_by_hand():
    """B is -1 or +3 with equal chances: adopted blindly it is worth 1, with knowledge 1.5."""
    benefit = np.array([-1.0, 3.0] * 10)
    assert _value(benefit, benefit) == pytest.approx(0.5)
    assert _value(benefit, np.full(20, 1.0)) == 0.0
    assert _miss(np.array([0.0, 1.0, 5.0]), None) == pytest.approx(5 / 3)


def test_pawn_tells_a_driver_from_a_dummy():
    random = np.random.default_rng(2)
    driver, dummy = random.uniform(size=400), random.uniform(size=400)
    values = driver**2 + 0.1 * random.normal(size=400)
    assert pawn(driver, values) > 0.4 > 0.25 > pawn(dummy, values)


def test_drift_is_taken_out_and_the_mean_stays():
    random = np.random.default_rng(3)
    walk = random.uniform(size=500)
    values = 10 * walk + random.normal(size=500)
    left = without(values, [walk])
    assert left.mean() == pytest.approx(values.mean())
    assert abs(np.corrcoef(left, walk)[0, 1]) < 0.05


def test_an_effect_is_held_in_every_change_of_its_key():
    effect = Effect(100.0, 50.0, 200.0, "lognormal", "x.lever_1.one_off_gbp", 0.3)
    plan = Plan("x", (ProgrammeCost("x.lever_1", "cost", "one_off", effect, Window(1)),))
    (held,) = hold_effect(plan, effect.key, 50.0).changes
    assert held.amount_gbp == Effect(50.0, None, None, "lognormal", effect.key, 0.0)
    assert hold_effect(plan, "another", 50.0) == plan


def test_numbers_of_one_draw_and_of_every_age_are_held_together():
    random = np.random.default_rng(4)
    one = random.normal(size=50)
    columns = {
        "price.a": one, "price.b": 2 * one, "branch.contact.under_1.closed": one**2,
        "branch.contact.1_to_4.closed": -one, "branch.referral.1_to_4.closed": one**3,
    }  # fmt: skip
    assert _columns_of("branch.contact.*.closed", columns) == [
        "branch.contact.under_1.closed", "branch.contact.1_to_4.closed",
    ]  # fmt: skip
    assert _columns_of("price.a", columns) == ["price.a", "price.b", "branch.referral.1_to_4.closed"]
    assert _columns_of("x.lever_1.share", columns) == []


def test_too_few_replications_or_an_unknown_measure_are_refused():
    scenario = read_text(CHEAPER, "cheaper.toml")
    with pytest.raises(BadFile, match="at least 60"):
        sensitivity(Question(small_runs.council(), scenario, UNTIL, replications=20))
    with pytest.raises(BadFile, match="did you mean 'net_saving_gbp'"):
        sensitivity(Question(small_runs.council(), scenario, UNTIL, measure="net_savings_gbp", replications=60))
