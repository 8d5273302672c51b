import datetime as dt

import pytest

from carecast.dashboard import telling
from carecast.dashboard.figures import Figure


@pytest.mark.parametrize(
    ("pounds", "words"),
    [(38_412_000, "£38.4m"), (412_000, "£0.4m"), (-1_250_000, "−£1.2m"), (41_300, "£41,000"), (530, "£530"), (0, "£0"),
     (-0.2, "£0"), (999_600, "£1.0m"), (-4.6, "−£5")],
)  # fmt: skip
def test_money(pounds, words):
    assert telling.money(pounds) == words


def test_money_in_one_unit_beside_other_sums():
    assert telling.between("net_saving_gbp", -54_000, 1_000_000) == "−£0.1m to £1.0m"
    assert telling.between("net_saving_gbp", 20_000, 1_000_000) == "£0.0m to £1.0m"
    assert telling.between("net_saving_gbp", -2_000, 41_000) == "−£2,000 to £41,000"


@pytest.mark.parametrize(
    ("value", "words"), [(457.6, "458"), (9.96, "10"), (3.04, "3.0"), (0, "0"), (-0.04, "0.0"), (-12, "−12")]
)
def test_count(value, words):
    assert telling.count(value) == words


def test_differences_carry_a_sign_and_say_points():
    assert telling.difference_words("re_entry_12m_percent", -0.93) == "−0.9 points"
    assert telling.difference_words("re_entry_12m_percent", 0.0) == "0.0 points"
    assert telling.difference_words("looked_after", 33) == "+33"
    found = Figure(2.6, -2.4, 7.7)
    assert telling.difference_with_interval("siblings_together_percent", found) == "+2.6 points (−2.4 to +7.7)"


def test_chance_never_says_certain():
    assert telling.chance(0.62, 50) == "62\u00a0%"
    assert telling.chance(1.0, 50) == "50 of 50"
    assert telling.chance(0.0, 50) == "0 of 50"


def test_each_nation_has_its_words():
    assert "continuing care" in telling.group_label("scotland", "after_care").lower()
    assert "staying put" in telling.group_label("england", "after_care").lower()
    assert telling.label("scotland", "within_radius_percent", 15.0) == "Living within 15 miles of home"


def test_dates_and_names():
    assert telling.iso_words("2022-07-31") == "31 July 2022"
    assert telling.month_words(None) == "not within the run"
    assert telling.month_words(dt.date(2028, 3, 31)) == "March 2028"
    assert telling.legend_name("what_would_it_take") == "What would it take"


def test_every_passage_can_be_found():
    assert telling.prose("targets")
    with pytest.raises(KeyError):
        telling.prose("not_a_passage")


def test_moments_and_dates_within_a_text():
    assert telling.moment_words("2026-11-22T04:02:02+00:00") == "22 November 2026, 04:02"
    assert telling.moment_words("") == telling.ABSENT
    assert telling.dates_in_words("from 2019-03-31 to 2024-03-31.") == "from 31 March 2019 to 31 March 2024."


def test_a_number_of_the_register_has_no_short_words():
    assert telling.number_label("reserves.policy_minimum_gbp") == "Reserves: policy minimum in £"
    assert telling.number_label("moves.level_sd_per_year") == "Moves: level standard deviation per year"
