import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from carecast.model import words as w
from carecast.model.calendar import make_calendar
from carecast.model.money import Layout, Money, ProgrammeItem, stack
from carecast.model.plan import CloseProvider, Plan, ProgrammeCost, ScalePrice
from carecast.model.summary import Answers, Grid
from carecast.scenarios.budget import approved_budget, first_lever_day
from carecast.scenarios.compare import compare, safety_beside_savings
from carecast.scenarios.savings import (
    Terms,
    against_budget,
    discounted,
    full_year_effect,
    in_real_terms,
    payback,
    reserves,
    savings,
)
from carecast.scenarios.yearly import EXTRA_MEASURES, yearly_measures
from tests import money_world as m

YEAR = 1  # 2024-25, the first whole year
LAYOUT = m.book_of().layout


def no_budget():
    return np.zeros((4, len(LAYOUT.lines)), dtype=np.int64)


def budget_of(line, amount_gbp):
    table = no_budget()
    table[:, LAYOUT.lines.index(line)] = amount_gbp * 100
    return table


def parts(found, line, year=YEAR):
    at = found.layout.lines.index(line)
    return tuple(int(a[year, at]) // 100 for a in (found.gross, found.cashable, found.avoided, found.released))


def money_of(days=(), changes=(), **fields):
    return m.price(m.book_of(changes), m.tables(days, **fields))


# --- hand-worked: what is cash and what is not ----------------------------------------------------------------------


def test_bought_placement_ended_is_cashable_below_budget_and_avoided_above():
    """A year of spot at £365,000 falls by 100 days, £100,000; £40,000 of it lay above a budget of £325,000."""
    base, less = money_of([(YEAR, m.SPOT, 365)]), money_of([(YEAR, m.SPOT, 265)])
    found = savings(base, less, budget_of("residential_external", 325_000))
    assert parts(found, "residential_external") == (100_000, 60_000, 40_000, 0)
    assert found.net[YEAR] == 100_000_00


def test_freed_own_bed_is_released_never_cash():
    """100 days of an own house at £1,100: £100 a day is food and clothes, £1,000 a day stays."""
    base, less = money_of([(YEAR, m.OWN_HOUSE, 365)]), money_of([(YEAR, m.OWN_HOUSE, 265)])
    found = savings(base, less, budget_of("childrens_house_own", 36_500))
    assert parts(found, "childrens_house_own") == (110_000, 10_000, 0, 100_000)
    assert found.cashable[YEAR].sum() + found.avoided[YEAR].sum() == 10_000_00


def test_house_closure_saves_from_the_day_its_cost_stops():
    """Its two children move to foster homes when it closes on 31 August; the fixed £2,000 a day stops on 1 October."""
    close = CloseProvider("close", "own_house", m.day("2025-07-01"), m.day("2025-08-31"), m.day("2025-10-01"))
    base = money_of([(2, m.OWN_HOUSE, 730)])
    stays = 2 * 153  # April to August
    after = money_of([(2, m.OWN_HOUSE, stays), (2, m.FOSTER, 730 - stays)], [close])
    found = savings(base, after, budget_of("childrens_house_own_fixed", 730_000))
    moved = 730 - stays
    assert parts(found, "childrens_house_own_fixed", 2)[1] == 182 * 2000  # cash from 1 October only
    assert found.net[2] == (182 * 2000 + moved * 100 - moved * 50) * 100
    # September is paid for an empty house: 30 days x £2,000 stay released.
    assert found.released[2].sum() == 30 * 2000 * 100
    assert found.gross[2].sum() == (moved * 1100 - moved * 50) * 100


def test_freed_staff_time_is_released():
    base = money_of(services=[(YEAR, "early_help", 700)])
    fewer = m.tables(services=[(YEAR, "early_help", 350)])
    less = m.price(m.book_of(), fewer, staff_units=m.tables(services=[(YEAR, "early_help", 700)]).service_units)
    assert parts(savings(base, less, budget_of("early_help", 7000)), "early_help") == (3500, 700, 0, 2800)


def test_a_lower_price_is_a_saving_of_its_own():
    cheaper = ScalePrice("lever", "residential_external", m.fixed(0.9), m.window("2024-04-01"))
    base, less = money_of([(YEAR, m.SPOT, 10)]), money_of([(YEAR, m.SPOT, 10)], [cheaper])
    assert parts(savings(base, less, no_budget()), "residential_external") == (1000, 0, 1000, 0)


def test_moving_cost_between_funders_saves_nothing():
    """The school costs what spot costs, but education pays half: social work pays less, the sum stays."""
    base, moved = money_of([(YEAR, m.SPOT, 365)]), money_of([(YEAR, m.SCHOOL, 365)])
    found = savings(base, moved, no_budget())
    assert found.net[YEAR] == 0
    assert found.gross[YEAR].sum() == 0
    assert found.by_funder[YEAR, w.FUNDERS.index("social_work")] == 365_000_00 // 2
    assert found.by_funder[YEAR, w.FUNDERS.index("education")] == -365_000_00 // 2
    assert found.by_funder[YEAR].sum() == 0


def test_programme_cost_is_net_of_the_baselines_own():
    own = ProgrammeCost("committed", "a", "per_year", m.fixed(100.0), m.window("2024-04-01"))
    extra = ProgrammeCost("lever", "b", "one_off", m.fixed(30.0), m.window("2024-05-01"))
    found = savings(money_of(changes=[own]), money_of(changes=[own, extra]), no_budget())
    assert found.programme.tolist() == [0, 3000, 0, 0]
    assert found.net.tolist() == [0, -3000, 0, 0]
    assert found.recurring.tolist() == [0, 0, 0, 0]


def test_baseline_minus_baseline_is_nought():
    base = money_of([(YEAR, m.SPOT, 11), (2, m.OWN_HOUSE, 7)], services=[(YEAR, "early_help", 33)])
    again = m.price(
        m.book_of(),
        m.tables([(YEAR, m.SPOT, 11), (2, m.OWN_HOUSE, 7)], services=[(YEAR, "early_help", 33)]),
        staff_units=m.tables(services=[(YEAR, "early_help", 33)]).service_units,
    )
    found = savings(base, again, budget_of("early_help", 50))
    for array in (found.gross, found.cashable, found.avoided, found.released, found.net, found.by_funder):
        assert not array.any()


# --- identities on any tables ---------------------------------------------------------------------------------------

ITEMS = (
    ProgrammeItem("l", "a", "reserves", True, "programme", "social_work"),
    ProgrammeItem("l", "b", "base_budget", False, "capital", "nhs"),
)
SMALL = Layout(("2024-25", "2025-26"), (365, 365), (365, 365), ("a", "b", "c"), ITEMS)
PENCE = st.integers(-(10**12), 10**12)


@st.composite
def any_money(draw):
    by_funder = draw(hnp.arrays(np.int64, (3, 2, 3, len(w.FUNDERS)), elements=PENCE))
    value = draw(hnp.arrays(np.int64, (3, 2, 3), elements=PENCE))
    programme = draw(hnp.arrays(np.int64, (3, 2, 2), elements=PENCE))
    return Money(SMALL, by_funder.sum(axis=-1), value, by_funder, programme)


@settings(deadline=None)
@given(any_money(), any_money(), hnp.arrays(np.int64, (2, 3), elements=PENCE))
def test_identities_hold_to_the_penny(base, other, budget):
    found, back = savings(base, other, budget), savings(other, base, budget)
    assert (found.cashable + found.avoided + found.released == found.gross).all()
    assert (found.cashable + found.avoided == base.gross - other.gross).all()
    fall = base.net_by_funder.sum(axis=-1) - other.net_by_funder.sum(axis=-1)
    assert (found.net == fall).all()
    assert (found.by_funder.sum(axis=-1) == found.net).all()
    for one, two in ((found.net, back.net), (found.cashable, back.cashable), (found.avoided, back.avoided)):
        assert (one == -two).all()
    assert (found.cumulative[..., -1] == found.net.sum(axis=-1)).all()
    assert (base.gross.sum() - base.income.sum()) == base.by_funder[..., 0].sum()


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 5000), min_size=4, max_size=4), st.lists(st.integers(0, 5000), min_size=4, max_size=4))
def test_identities_hold_on_priced_tables(before, after):
    base, other = (money_of([(YEAR, p, n) for p, n in enumerate(days)]) for days in (before, after))
    found = savings(base, other, budget_of("residential_external", 100_000))
    assert (found.cashable + found.avoided + found.released == found.gross).all()
    assert (found.net == base.net_by_funder.sum(axis=-1) - other.net_by_funder.sum(axis=-1)).all()


def test_different_lines_are_refused():
    other = Money(SMALL, *(np.zeros(s, dtype=np.int64) for s in ((2, 3), (2, 3), (2, 3, 5), (2, 2))))
    with pytest.raises(ValueError, match="same lines"):
        savings(money_of(), other, no_budget())


# --- budgets --------------------------------------------------------------------------------------------------------


def approved(given, base, lever_day, **fields):
    calendar = make_calendar(fields.get("as_at", m.AS_AT), fields.get("until", m.UNTIL))
    return approved_budget(given, base, calendar, lever_day)


def test_assumed_budget_is_the_baselines_cost_before_the_first_lever():
    given = m.parameters(uplift=0.1, budgets=(m.budget("foster_own", "2026-27", 5.0),))
    book = m.book_of(given=given)
    runs = [m.price(book, m.tables([(1, m.SPOT, days), (2, m.SPOT, 100)])) for days in (10, 20)]
    found = approved(given, stack(runs), m.day("2026-01-01"))
    spot, foster = (found.lines.index(name) for name in ("residential_external", "foster_own"))
    mean = 15_000_00  # of 2024-25, the last whole year before 2026
    assert found.pence[:, spot].tolist() == [0, mean, 16_500_00, 18_150_00]
    assert found.source[2][spot] == "assumed: baseline cost of 2024-25, uplifted"
    assert found.pence[3, foster] == 500
    assert found.source[3][foster] == "assumed: made for a test"
    assert found.is_assumed
    later = approved(given, stack(runs), m.day("2026-06-01"))
    assert later.source[1][spot] == "assumed: baseline cost of 2025-26, uplifted"


def test_first_whole_year_when_levers_start_at_once():
    found = approved(m.parameters(), stack([money_of([(1, m.SPOT, 10)])]), m.day("2024-04-01"))
    assert found.source[3][0] == "assumed: baseline cost of 2024-25, uplifted"


def test_part_years_have_their_part_of_the_budget():
    until = dt.date(2024, 6, 12)  # 73 days: a fifth of the year
    given = m.parameters(budgets=(m.budget("foster_own", "2024-25", 1000.0),))
    book = m.book_of(given=given, until=until)
    found = approved(given, stack([m.price(book, m.tables([(1, m.SPOT, 73)], n_years=2))]), None, until=until)
    assert found.pence[1, found.lines.index("foster_own")] == 200_00
    assert found.pence[1, found.lines.index("residential_external")] == 73_000_00


def test_first_lever_day_leaves_assumptions_out():
    assumed = ScalePrice("x", "*", m.fixed(1.1), m.window("2024-05-01"), is_assumption=True)
    close = CloseProvider("close", "own_house", m.day("2025-07-01"), m.day("2025-08-31"), m.day("2025-10-01"))
    paid = ProgrammeCost("lever", "b", "one_off", m.fixed(30.0), m.window("2025-08-01"))
    assert first_lever_day([Plan("a", (assumed, close, paid))]) == m.day("2025-07-01")
    assert first_lever_day([Plan("a")]) is None


def test_against_budget():
    paid = ProgrammeCost("lever", "b", "one_off", m.fixed(30.0), m.window("2024-05-01"))
    money = money_of([(YEAR, m.SPOT, 1)], [paid])
    budget = budget_of("residential_external", 10_000)
    cost = money.gross[YEAR].sum()
    assert against_budget(money, budget, net=False)[YEAR] == 1_000_000 - cost
    assert against_budget(money, budget)[YEAR] == 1_000_000 - cost - 3000
    assert against_budget(money, budget, recurring=True)[YEAR] == 1_000_000 - cost


# --- time -----------------------------------------------------------------------------------------------------------


def test_real_and_discounted_terms():
    terms = Terms(deflator_per_year=0.02, discount_per_year=0.035)
    years = ("2024-25", "2025-26")
    pence = np.array([102_00, 102_00])
    assert in_real_terms(pence, years, terms).tolist() == [102_00, 100_00]
    assert discounted(pence, years, terms).tolist() == [102_00, round(100_00 / 1.035)]
    assert in_real_terms(pence, years, Terms(0.02, price_year="2025-26")).tolist() == [10404, 102_00]


def test_payback_is_interpolated_within_the_year():
    assert payback(np.array([0, -100, -50, 50]), LAYOUT).year == 3
    assert payback(np.array([0, -100, -50, 50]), LAYOUT).months == 30
    assert payback(np.array([0, 0, -10, -5]), LAYOUT).year == -1
    assert payback(np.array([0, 0, 0, 0]), LAYOUT).year == -1
    assert payback(np.array([0, 0, 7, 9]), LAYOUT).year == 2


def test_full_year_effect_scales_a_part_year():
    layout = Layout(("2024-25", "2025-26"), (365, 73), (365, 365), ("a",))

    def costing(pence):
        gross = np.array([[pence], [pence]])
        split = np.zeros((2, 1, 5), dtype=np.int64)
        split[:, :, 0] = gross
        return Money(layout, gross, gross, split, np.zeros((2, 0), dtype=np.int64))

    found = savings(costing(300), costing(100), np.zeros((2, 1), dtype=np.int64))
    assert full_year_effect(found) == 1000


def test_reserves_breach_is_flagged_and_never_clipped():
    changes = [
        ProgrammeCost("l", "a", "one_off", m.fixed(600.0), m.window("2024-05-01"), paid_from="reserves"),
        ProgrammeCost("l", "b", "per_year", m.fixed(300.0), m.window("2024-04-01"), paid_from="reserves"),
        ProgrammeCost("l", "c", "per_year", m.fixed(999.0), m.window("2024-04-01")),
    ]
    path = reserves(money_of(changes=changes), 1000_00, 200_00)
    assert path.balance.tolist() == [1000_00, 100_00, -200_00, -500_00]
    assert path.breach.tolist() == [False, True, True, True]
    assert path.recurring_paid.tolist() == [0, 300_00, 300_00, 300_00]


# --- one place for the yearly measures ------------------------------------------------------------------------------


def yearly_answers(name, base, other):
    monthly = Grid(
        (("kinship_breakdowns", "total"),), (dt.date(2024, 3, 31),), np.ones((1, 1, 1)) * (name != "baseline")
    )
    return Answers(name, monthly, yearly_measures(base, other, budget_of("residential_external", 200_000), 50.0))


def test_yearly_measures_agree_with_each_other():
    paid = ProgrammeCost("lever", "b", "one_off", m.fixed(30.0), m.window("2024-05-01"), paid_from="reserves")
    base = stack([money_of([(YEAR, m.SPOT, 365), (YEAR, m.SCHOOL, 10)])])
    other = stack([money_of([(YEAR, m.SPOT, 265), (YEAR, m.SCHOOL, 9)], [paid])])
    before, after = yearly_answers("baseline", base, base), yearly_answers("x", base, other)
    grid = after.yearly
    assert grid.dates == (dt.date(2025, 3, 31), dt.date(2026, 3, 31), dt.date(2027, 3, 31))
    one = {name: grid.of(name)[0, 0] for name, breakdown in grid.rows if breakdown == "total"}
    assert one["gross_saving_gbp"] == 101_000
    assert one["cashable_saving_gbp"] + one["avoided_cost_gbp"] + one["released_capacity_gbp"] == 101_000
    assert one["net_saving_gbp"] == one["gross_saving_gbp"] - one["released_capacity_gbp"] - one["programme_cost_gbp"]
    assert one["net_saving_gbp"] == before.yearly.of("net_cost_gbp")[0, 0] - one["net_cost_gbp"]
    assert one["net_cost_gbp"] == one["gross_cost_gbp"] + one["programme_cost_gbp"]
    assert one["income_gbp"] == 4_500
    council = grid.of("net_cost_gbp", "funder=social_work")[0, 0]
    assert council == one["gross_cost_gbp"] - one["income_gbp"] + one["programme_cost_gbp"]
    assert one["gross_cost_gbp"] == sum(
        grid.of(*row)[0, 0] for row in grid.rows if row[0] == "gross_cost_gbp" and row[1] != "total"
    )
    assert one["reserves_gbp"] == 20
    assert one["net_saving_recurring_gbp"] == one["net_saving_gbp"] + 30
    assert set(EXTRA_MEASURES) <= {name for name, _ in grid.rows}
    assert not before.yearly.of("net_saving_gbp").any()
    assert before.yearly.rows == grid.rows


def test_compare_and_safety_show_the_same_numbers():
    base, other = stack([money_of([(3, m.SPOT, 10)])]), stack([money_of([(3, m.SPOT, 4)])])
    answers = [yearly_answers("baseline", base, base), yearly_answers("x", base, other)]
    table = compare(answers)
    last = table[(table.measure == "net_saving_gbp") & (table.date == "2027-03-31")].iloc[0]
    assert last.difference == last.p10 == last.p975 == 6000
    assert not last.is_safety
    assert set(table.measure) & set(EXTRA_MEASURES) == set()
    beside = safety_beside_savings(answers).set_index("measure")
    assert beside.loc["net_saving_gbp", "difference"] == 6000
    assert beside.loc["kinship_breakdowns", "worse"]
    assert beside.loc["kinship_breakdowns", "chance_worse"] == 1
    assert len(compare(answers[:1])) == 0
    with pytest.raises(KeyError, match="no scenario 'y'"):
        compare(answers, "y")
    turned = compare(answers, "x")
    assert turned[(turned.measure == "net_saving_gbp") & (turned.date == "2027-03-31")].difference.item() == -6000
