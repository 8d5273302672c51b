"""Where a back-test stands."""

import datetime as dt

import pytest

from carecast.calibration.backtest import origins
from carecast.calibration.backtest.past import month_ends
from carecast.model.parameters import BadFile

TWELVE_YEARS = month_ends(dt.date(2013, 4, 1), dt.date(2025, 3, 31))


def test_every_six_months_from_year_five_the_last_a_year_before_the_end():
    found = origins.standard_origins(TWELVE_YEARS)
    assert (found[0], found[1], found[-1]) == (dt.date(2018, 3, 31), dt.date(2018, 9, 30), dt.date(2024, 3, 31))
    assert len(found) == 13


def test_a_count_is_spread_evenly_with_both_ends():
    found = origins.asked_origins("3", TWELVE_YEARS)
    assert found == (dt.date(2018, 3, 31), dt.date(2021, 3, 31), dt.date(2024, 3, 31))
    assert origins.asked_origins("1", TWELVE_YEARS) == (dt.date(2024, 3, 31),)
    assert len(origins.asked_origins("99", TWELVE_YEARS)) == 13


def test_dates_are_taken_at_their_months_end_and_once():
    found = origins.asked_origins("2021-03-15, 2020-09-30,2021-03-31", TWELVE_YEARS)
    assert found == (dt.date(2020, 9, 30), dt.date(2021, 3, 31))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("soon", "--origins: found 'soon'; should be a count, or dates"),
        ("0", "--origins: found '0'; should be a count above 0"),
        ("2013-09-30", "--origins: found 2013-09-30; should be from 2015-03-31"),
        ("2025-03-31", "to 2025-02-28"),
    ],
)
def test_bad_origins_say_what_would_be_right(asked, said):
    with pytest.raises(BadFile) as error:
        origins.asked_origins(asked, TWELVE_YEARS)
    assert said in str(error.value)


def test_every_bad_date_has_its_line():
    with pytest.raises(BadFile) as error:
        origins.asked_origins("2013-09-30,never", TWELVE_YEARS)
    assert len(error.value.lines) == 2


def test_a_short_history_says_how_long_it_must_be():
    with pytest.raises(BadFile, match="at least 5 years before its first origin"):
        origins.standard_origins(TWELVE_YEARS[:60])


def test_horizons():
    assert origins.horizons_up_to(36) == (3, 6, 12, 18, 24, 36)
    assert origins.horizons_up_to(20) == (3, 6, 12, 18, 20)
    with pytest.raises(BadFile, match="--horizon: found 0"):
        origins.horizons_up_to(0)
