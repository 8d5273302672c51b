import datetime as dt

import numpy as np
import pytest

from carecast.model import words as w
from carecast.model.calendar import make_calendar
from carecast.model.money import stack
from carecast.model.parameters import BadFile
from carecast.model.plan import ChangePlaces, CloseProvider, OpenProvider, ProgrammeCost, ScalePrice
from carecast.model.prices import growth
from carecast.model.spans import ramp_by_month, run_days_by_year
from tests import money_world as m

CLOSE = CloseProvider("close", "own_house", m.day("2025-07-01"), m.day("2025-08-31"), m.day("2025-10-01"))


def cost(basis, amount, window, **fields):
    return ProgrammeCost("lever", "label", basis, m.fixed(amount), window, **fields)


def test_growth_runs_both_ways():
    assert growth(0.1, 2) == pytest.approx(1.21)
    assert growth(0.1, -1) == pytest.approx(1 / 1.1)


def test_the_start_year_of_a_run_from_31_march_has_no_days():
    calendar = make_calendar(m.AS_AT, m.UNTIL)
    assert calendar.financial_years == ("2023-24", "2024-25", "2025-26", "2026-27")
    assert run_days_by_year(calendar) == (0, 365, 365, 365)


def test_placement_days_at_weekly_price():
    money = m.price(m.book_of(), m.tables([(1, m.SPOT, 10), (1, m.OWN_HOUSE, 7)]))
    assert m.pounds(money, 1, "residential_external") == 10_000
    assert m.pounds(money, 1, "childrens_house_own") == 700
    assert m.pounds(money, 1, "childrens_house_own_fixed") == 2000 * 365
    assert m.pounds(money, 0, "childrens_house_own_fixed") == 0  # no simulated day in that year


def test_price_multiplier_days_are_priced_and_plain_days_bear_the_fixed_cost():
    counts = m.tables([(1, m.OWN_HOUSE, 10)])
    counts.price_days[1, m.OWN_HOUSE, 0] = 15.0
    money = m.price(m.book_of(), counts)
    assert m.pounds(money, 1, "childrens_house_own") == 1500
    assert m.pounds(money, 1, "childrens_house_own", "value") == 1500 + 10 * 2000 / (4 * 0.5)


def test_full_unit_cost_leaves_idle_capacity():
    """4 places, half usable: £2,000 a day fixed is £1,000 for each of two children, £1,100 with the variable part."""
    money = m.price(m.book_of(), m.tables([(1, m.OWN_HOUSE, 365)]))
    assert m.pounds(money, 1, "childrens_house_own", "value") == 1100 * 365
    idle = money.idle[1].sum() / 100
    assert idle == 1000 * 365  # one of two usable places stood empty
    full = m.price(m.book_of(), m.tables([(1, m.OWN_HOUSE, 730)]))
    assert full.idle[1].sum() == 0


def test_added_places_share_the_fixed_cost():
    more = ChangePlaces("more", "own_house", m.fixed(4.0), m.window("2024-04-01"))
    money = m.price(m.book_of([more]), m.tables([(1, m.OWN_HOUSE, 365)]))
    assert m.pounds(money, 1, "childrens_house_own", "value") == (100 + 500) * 365


def test_continuing_care_at_the_price_of_its_home():
    money = m.price(m.book_of(), m.tables(continuing=[(2, m.FOSTER, 70)]))
    assert m.pounds(money, 2, "continuing_care") == 3500
    assert m.pounds(money, 2, "foster_own") == 0


def test_house_is_paid_until_its_cost_really_stops():
    """It empties on 31 August; the cost stops on 1 October: 183 days of 2025-26 are paid, 182 saved."""
    money = m.price(m.book_of([CLOSE]), m.tables())
    assert m.pounds(money, 1, "childrens_house_own_fixed") == 2000 * 365
    assert m.pounds(money, 2, "childrens_house_own_fixed") == 2000 * 183
    assert m.pounds(money, 3, "childrens_house_own_fixed") == 0


def test_opened_house_is_paid_from_the_day_it_opens():
    new = m.provider("new", "childrens_house_own", 0.0, fixed_weekly_cost_gbp=7000.0, places=2)
    opened = OpenProvider("open", new.model_dump(), m.day("2026-03-01"))
    book = m.book_of([opened], providers=(*m.PROVIDERS, new))
    money = m.price(book, m.tables(n_providers=5))
    assert m.pounds(money, 2, "childrens_house_own_fixed") == 2000 * 365 + 1000 * 31


def test_uplifts_compound_from_the_price_year():
    money = m.price(m.book_of(given=m.parameters(uplift=0.1)), m.tables([(y, m.SPOT, 7) for y in (1, 2, 3)]))
    assert [m.pounds(money, y, "residential_external") for y in (1, 2, 3)] == [7000, 7700, 8470]


def test_an_older_price_is_brought_forward():
    old = m.provider("spot", "residential_external", 1000.0, price_year="2022-23")
    given = m.parameters(uplift=0.1, providers=(old,))
    money = m.price(m.book_of(given=given), m.tables([(1, 0, 7)], n_providers=1))
    assert m.pounds(money, 1, "residential_external") == 1210


def test_price_change_counts_by_days():
    half = ScalePrice("dearer", "residential_external", m.fixed(1.5), m.window("2024-10-01"))
    money = m.price(m.book_of([half]), m.tables([(1, m.SPOT, 365), (2, m.SPOT, 365), (1, m.FOSTER, 365)]))
    assert m.pounds(money, 1, "residential_external") == pytest.approx(1000 * (183 + 1.5 * 182), abs=0.01)
    assert m.pounds(money, 2, "residential_external") == 1000 * 1.5 * 365
    assert m.pounds(money, 1, "foster_own") == 50 * 365


def test_price_changes_multiply_and_a_star_means_every_line():
    changes = [
        ScalePrice("a", "*", m.fixed(1.1), m.window("2024-04-01")),
        ScalePrice("b", "spot", m.fixed(2.0), m.window("2024-04-01")),
    ]
    money = m.price(m.book_of(changes), m.tables([(1, m.SPOT, 1)]))
    assert m.pounds(money, 1, "residential_external") == 2200
    assert m.pounds(money, 1, "head_office") == 401_500


def test_price_ramp_is_geometric_by_month():
    ramp = ScalePrice("slow", "residential_external", m.fixed(4.0), m.window("2024-04-01", ramp_months=2))
    money = m.price(m.book_of([ramp]), m.tables([(1, m.SPOT, 365)]))
    assert m.pounds(money, 1, "residential_external") == pytest.approx(1000 * (2 * 30 + 4 * 335))


def test_ramp_keeps_counting_from_before_the_run():
    calendar = make_calendar(m.AS_AT, m.UNTIL)
    reached = ramp_by_month(calendar, m.window("2024-02-10", ramp_months=4))
    assert reached[:4].tolist() == [0.5, 0.75, 1.0, 1.0]  # March is its second month


def test_drawn_prices_replace_the_central_ones():
    draws = {
        "price.spot": [7000.0, 14000.0],
        "price.own_house": [700.0, 1400.0],
        "uplift.external_per_year": [0.0, 0.5],
    }
    book = m.book_of(draws=draws)
    counts = m.tables([(1, m.SPOT, 1), (2, m.SPOT, 1)])
    assert m.pounds(m.price(book, counts, 2), 1, "residential_external") == 1000  # row 2 mod 2
    second = m.price(book, counts, 1)
    assert m.pounds(second, 1, "residential_external") == 2000
    assert m.pounds(second, 2, "residential_external") == 3000
    assert m.pounds(second, 1, "childrens_house_own_fixed") == 4000 * 365  # the fixed part moves in proportion


def test_drawn_usable_share_changes_full_unit_cost():
    book = m.book_of(draws={"provider.own_house.usable_share": [1.0], "provider.own_house.places": [2.0]})
    money = m.price(book, m.tables([(1, m.OWN_HOUSE, 1)]))
    assert m.pounds(money, 1, "childrens_house_own", "value") == 1100


def test_service_units():
    """Two children a family on average: 40 children assessed are 20 families."""
    money = m.price(m.book_of(), m.tables(services=[(1, "early_help", 70), (1, "assessment", 40)]))
    assert m.pounds(money, 1, "early_help") == 700
    assert m.pounds(money, 1, "assessment") == 20_000
    assert m.pounds(money, 1, "head_office") == 365_000


def test_a_sum_a_year_is_paid_for_the_days_of_the_run():
    money = m.price(m.book_of(until=dt.date(2024, 4, 10)), m.tables(n_years=2))
    assert m.pounds(money, 1, "head_office") == 10_000


def test_freed_staff_stay_and_growth_needs_more():
    fewer, base, more = (m.tables(services=[(1, "early_help", units)]) for units in (350, 700, 1400))
    book = m.book_of()
    freed = m.price(book, fewer, staff_units=base.service_units)
    assert m.pounds(freed, 1, "early_help") == 0.8 * 7000 + 0.2 * 3500
    assert m.pounds(freed, 1, "early_help", "value") == 3500
    assert m.pounds(m.price(book, more, staff_units=base.service_units), 1, "early_help") == 14_000


def test_places_a_lever_pays_for_bring_no_second_staff_cost():
    places = ChangePlaces("lever", "early_help", m.fixed(40.0), m.window("2024-04-01"))
    paid = cost("per_place_per_year", 1000.0, m.window("2024-04-01"), places=40.0)
    base, more = (m.tables(services=[(1, "early_help", units)]) for units in (700, 1400))
    money = m.price(m.book_of([places, paid]), more, staff_units=base.service_units)
    assert m.pounds(money, 1, "early_help") == 7000 + 0.2 * 7000
    assert money.programme[1].tolist() == [40_000_00]


def test_funders_share_the_cost_to_the_penny():
    counts = m.tables([(1, m.SCHOOL, 3), (1, m.SPOT, 1)])
    counts.price_days[1, m.SCHOOL, 0] = 1.00001  # £1,000.01: the odd penny
    money = m.price(m.book_of(), counts)
    school = money.layout.lines.index("residential_school")
    assert money.by_funder[1, school].sum() == money.gross[1, school] == 100001
    assert money.income[1, school] in (50000, 50001)
    assert (money.by_funder.sum(axis=-1) == money.gross).all()
    assert money.income[1].sum() == money.income[1, school]


def test_programme_costs_by_basis():
    changes = [
        cost("one_off", 1000.0, m.window("2025-06-01")),
        cost("one_off", 1000.0, m.window("2024-03-31")),  # the as-at day is history
        cost("per_year", 36_500.0, m.window("2025-03-30", "2025-04-02")),
        cost("per_place_per_year", 365.0, m.window("2026-01-01"), places=10.0, paid_from="reserves"),
        cost("per_year", 365_000.0, m.window("2024-04-01", ramp_months=2)),
        cost("per_family", 50.0, m.window("2024-04-01"), counted_event="entered_care", counted_detail="pathway"),
    ]
    book = m.book_of(changes)
    money = m.price(book, m.tables(counted=[[0], [3], [0], [2]]))
    in_pounds = (money.programme / 100).T.tolist()
    assert in_pounds[0] == [0, 0, 1000, 0]
    assert in_pounds[1] == [0, 0, 0, 0]
    assert in_pounds[2] == [0, 200, 200, 0]
    assert in_pounds[3] == [0, 0, 900, 3650]
    assert in_pounds[4] == [0, 1000 * (15 + 335), 365_000, 365_000]
    assert in_pounds[5] == [0, 150, 0, 100]
    assert not book.layout.items[0].recurring
    assert money.programme_total(paid_from="reserves").tolist() == [0, 0, 90_000, 365_000]
    key = book.programme.counted_events[0]
    assert (key.event, key.detail, key.per_family) == (w.ENTERED_CARE, w.ENTRY_FROM_PATHWAY, True)


def test_counted_in_each_locality_named():
    changes = [cost("per_child", 10.0, m.window("2024-04-01"), counted_event="referred", localities=("East",))]
    book = m.book_of(changes)
    assert [(key.locality, key.detail) for key in book.programme.counted_events] == [(0, -1)]


def test_a_detail_that_does_not_exist_is_refused():
    changes = [cost("per_child", 1.0, m.window("2024-04-01"), counted_event="entered_care", counted_detail="nonsense")]
    with pytest.raises(ValueError, match="nonsense"):
        m.book_of(changes)


def test_cost_lines_that_cannot_be_counted_are_refused_one_line_each():
    lines = (m.cost_line("holidays", "child", 1.0), m.cost_line("early_help", "family", 1.0))
    with pytest.raises(BadFile) as error:
        m.book_of(given=m.parameters(cost_lines=lines))
    assert len(error.value.lines) == 2
    with pytest.raises(BadFile, match="twice"):
        m.book_of(given=m.parameters(cost_lines=(m.cost_line("kinship", "year", 1.0),)))


def test_programme_cost_goes_to_its_funder():
    changes = [cost("one_off", 10.0, m.window("2024-05-01"), funder="nhs")]
    money = m.price(m.book_of(changes), m.tables())
    assert money.net_by_funder[1, w.FUNDERS.index("nhs")] == 1000
    assert money.net_by_funder.sum() == money.gross.sum() + money.programme.sum()


def test_stack_puts_replications_first():
    money = m.price(m.book_of(), m.tables([(1, m.SPOT, 1)]))
    both = stack([money, money])
    assert both.gross.shape == (2, *money.gross.shape)
    assert np.array_equal(both.net_by_funder[1], money.net_by_funder)
    with pytest.raises(ValueError, match="layouts"):
        stack([money, m.price(m.book_of(until=dt.date(2026, 3, 31)), m.tables(n_years=3))])
