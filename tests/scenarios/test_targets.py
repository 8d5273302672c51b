import datetime as dt

import numpy as np
import pytest
from pydantic import ValidationError

from carecast.model.parameters import BadFile
from carecast.model.summary import Answers, Grid
from carecast.scenarios.savings import Terms
from carecast.scenarios.targets import Target, assess

TERMS = Terms(deflator_per_year=0.0)
MONTHS = (dt.date(2026, 12, 31), dt.date(2027, 1, 31), dt.date(2027, 2, 28), dt.date(2027, 3, 31))
YEARS = (dt.date(2025, 3, 31), dt.date(2026, 3, 31), dt.date(2027, 3, 31))
YEARLY = (
    "net_saving_gbp",
    "gross_saving_gbp",
    "net_saving_recurring_gbp",
    "net_saving_against_budget_gbp",
    "reserves_gbp",
)


def answers(net, away=((20, 18, 15, 14),), scenario="x", **others):
    net = np.array(net, dtype=float)
    yearly = np.stack([np.array(others.get(name, net), dtype=float) for name in YEARLY], axis=1)
    monthly = np.broadcast_to(np.array(away, dtype=float)[:, np.newaxis, :], (len(net), 1, 4))
    return Answers(
        scenario,
        Grid((("looked_after_away_from_home", "total"),), MONTHS, monthly),
        Grid(tuple((name, "total") for name in YEARLY), YEARS, yearly),
    )


def target(**fields):
    return Target(**({"name": "t", "kind": "cumulative", "from": "2024-04-01", "to": "2027-03-31"} | fields))


def judged(found, *given, terms=TERMS):
    return assess(given, [found], terms)[0]


FOUR = answers([[0, 0, 400], [100, 100, 100], [0, 300, 0], [50, 50, 50]])


def test_cumulative_saving_by_hand():
    """Sums 400, 300, 300 and 150 against 300: three of four; £150 lacking in one; first in 2027, 2027 and 2026."""
    row = judged(FOUR, target(at_least=300, required_probability=0.75))
    assert row.met_probability == 0.75
    assert row.is_likely_enough
    assert row.expected_shortfall_gbp == 37.5
    assert row.month_met == dt.date(2027, 3, 31)
    assert row.monte_carlo_error == pytest.approx((0.75 * 0.25 / 4) ** 0.5)


def test_month_met_is_the_lower_median_of_those_that_meet_it():
    row = judged(FOUR, target(at_least=150))
    assert row.met_probability == 1
    assert row.month_met == dt.date(2026, 3, 31)  # first met in 2027, 2026, 2026 and 2027


def test_already_delivered_counts():
    assert judged(FOUR, target(at_least=300, already_delivered_gbp=150)).met_probability == 1


def test_never_met():
    row = judged(FOUR, target(at_least=1000))
    assert (row.met_probability, row.month_met, row.monte_carlo_error) == (0, None, 0)
    assert row.expected_shortfall_gbp == 1000 - (400 + 300 + 300 + 150) / 4


def test_only_years_that_end_within_the_dates():
    late = target(at_least=300, **{"from": "2025-04-01"})
    assert judged(FOUR, late).mean == (400 + 200 + 300 + 100) / 4


def test_annual_target():
    row = judged(FOUR, Target(name="t", financial_year="2025-26", at_least=60))
    assert (row.met_probability, row.month_met) == (0.5, dt.date(2026, 3, 31))


def test_basis_recurring_and_budget_choose_the_measure():
    assert target(at_least=1, basis="gross").row_measure == "gross_saving_gbp"
    assert target(at_least=1).row_measure == "net_saving_gbp"
    assert target(at_least=1, measure="gross_saving_gbp").row_measure == "gross_saving_gbp"
    assert target(at_least=1, recurring=True).row_measure == "net_saving_recurring_gbp"
    assert target(at_least=1, against="budget").row_measure == "net_saving_against_budget_gbp"
    assert target(at_least=1, measure="cashable_saving_gbp").row_measure == "cashable_saving_gbp"


def test_real_terms():
    found = answers([[0, 0, 121]])
    row = judged(found, target(at_least=100, price_basis="real"), terms=Terms(deflator_per_year=0.1))
    assert row.mean == pytest.approx(100)
    assert row.met_probability == 1  # 100 to within a millionth of a pound
    assert row.expected_shortfall_gbp == 0
    later = target(at_least=100, price_basis="real", price_year="2026-27")
    assert judged(found, later, terms=Terms(deflator_per_year=0.1)).mean == 121


def test_level_of_a_monthly_measure():
    given = Target(name="away", measure="looked_after_away_from_home", kind="level", to="2027-03-31", at_most=15)
    row = judged(FOUR, given)
    assert (row.met_probability, row.month_met) == (1, dt.date(2027, 2, 28))
    assert row.expected_shortfall_gbp is None
    assert row.expected_shortfall == 0
    harder = given.model_copy(update={"at_most": 10})
    assert judged(FOUR, harder).expected_shortfall == 4
    year = Target(name="y", measure="looked_after_away_from_home", kind="level", financial_year="2026-27", at_most=14)
    assert judged(FOUR, year).month_met == dt.date(2027, 3, 31)


def test_level_of_reserves():
    given = Target(name="r", measure="reserves_gbp", kind="level", financial_year="2026-27", at_least=100)
    assert judged(FOUR, given).met_probability == 0.5


def test_baseline_is_not_asked_for_savings_against_itself():
    base = answers([[0, 0, 0]], scenario="baseline")
    level = Target(name="l", measure="looked_after_away_from_home", kind="level", to="2027-03-31", at_most=15)
    rows = assess([target(at_least=1), target(at_least=1, against="budget"), level], [base], TERMS)
    assert [(row.measure) for row in rows] == ["net_saving_against_budget_gbp", "looked_after_away_from_home"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"at_least": 1, "at_most": 2},
        {"at_least": 1, "basis": "gross", "measure": "net_saving_gbp"},
        {"at_least": 1, "measure": "reserves_gbp", "recurring": True},
        {"at_least": 1, "measure": "within_radius_percent"},
        {"at_least": 1, "kind": "annual"},
        {"at_least": 1, "kind": "level", "financial_year": "2026-27"},
        {"at_least": 1, "to": None},
        {"at_least": 1, "from": "2028-01-01"},
        {"at_least": 1, "kind": "level", "measure": "looked_after", "already_delivered_gbp": 5},
        {"at_least": 1, "nonsense": 1},
    ],
)
def test_targets_that_make_no_sense_are_refused(fields):
    with pytest.raises(ValidationError):
        target(**fields)


def test_what_the_run_does_not_hold_is_one_line_a_target():
    given = [
        target(name="a", at_least=1, to="2029-03-31"),
        target(name="b", at_least=1, measure="cashable_saving_gbp"),
        Target(name="c", financial_year="2027-28", at_least=1),
        Target(name="d", financial_year="2022-23", at_least=1),
        target(name="e", at_least=1, **{"from": "2023-04-01", "to": "2024-03-31"}),
    ]
    with pytest.raises(BadFile) as error:
        assess(given, [FOUR, FOUR], TERMS)
    assert [line[:11] for line in error.value.lines] == [f"target {name!r}:" for name in "abcde"]
