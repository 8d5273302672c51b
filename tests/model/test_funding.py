"""Who pays: a share moves from social work to another funder, the cost itself stays to the penny."""

import numpy as np
import pytest

from carecast.model import words as w
from carecast.model.plan import MoveFunding
from tests import money_world as m

NHS, EDUCATION, SOCIAL_WORK = (w.FUNDERS.index(name) for name in ("nhs", "education", "social_work"))
SPENT = [(1, m.SPOT, 365), (2, m.SPOT, 365), (1, m.FOSTER, 365)]  # £1,000 and £50 a day


def moved(funder, share, start, line="residential_external", ramp_months=0):
    return MoveFunding("lever", line, funder, m.fixed(share), m.window(start, ramp_months=ramp_months))


def paid_gbp(money, year, funder):
    return money.by_funder[year, :, funder].sum() / 100


def test_a_contribution_counts_by_the_days_it_is_paid():
    before = m.price(m.book_of(), m.tables(SPENT))
    after = m.price(m.book_of([moved("nhs", 0.2, "2024-10-01")]), m.tables(SPENT))
    assert paid_gbp(after, 1, NHS) == pytest.approx(0.2 * 182 / 365 * 365_000)  # £36,400: 182 of 365 days
    assert paid_gbp(after, 2, NHS) == 73_000
    assert paid_gbp(before, 2, NHS) == 0
    np.testing.assert_array_equal(after.gross, before.gross)
    np.testing.assert_array_equal(after.net_by_funder.sum(axis=-1), before.net_by_funder.sum(axis=-1))
    assert (after.income - before.income)[2].sum() / 100 == 73_000


def test_two_funders_each_take_their_share_of_what_the_other_leaves():
    book = m.book_of([moved("nhs", 0.5, "2024-04-01"), moved("education", 0.5, "2024-04-01")])
    money = m.price(book, m.tables([(1, m.SPOT, 8)]))  # £8,000
    spot = money.layout.lines.index("residential_external")
    assert (money.by_funder[1, spot, [NHS, EDUCATION, SOCIAL_WORK]] / 100).tolist() == [4000, 2000, 2000]


def test_a_ramp_moves_a_twelfth_more_each_month():
    book = m.book_of([moved("nhs", 0.12, "2024-04-01", ramp_months=12)])
    money = m.price(book, m.tables(SPENT))
    days = [30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28, 31]  # April 2024 to March 2025
    expected = 1000 * sum(0.01 * (month + 1) * number for month, number in enumerate(days))
    assert paid_gbp(money, 1, NHS) == pytest.approx(expected, abs=0.01)
    assert paid_gbp(money, 2, NHS) == pytest.approx(0.12 * 365_000)


@pytest.mark.parametrize(("share", "left"), [(1.0, 0), (1.7, 0), (-0.5, 365_000)])
def test_a_share_is_never_more_than_all_or_less_than_nothing(share, left):
    money = m.price(m.book_of([moved("nhs", share, "2024-04-01")]), m.tables([(2, m.SPOT, 365)]))
    spot = money.layout.lines.index("residential_external")
    assert money.by_funder[2, spot, SOCIAL_WORK] / 100 == left


def test_a_star_moves_every_line():
    money = m.price(m.book_of([moved("nhs", 1.0, "2024-04-01", line="*")]), m.tables(SPENT))
    assert paid_gbp(money, 2, SOCIAL_WORK) == 0
