import datetime as dt

import numpy as np
import pytest

from carecast.calibration.returns import distances, places, prices
from tests.calibration.returns.own_history import AS_AT, days_after, history, placements


def priced(seed, n, level, rise, sigma, kind="foster_agency", years=11):
    """Placements of about a year and a half at prices agreed when they begin."""
    rng = np.random.default_rng(seed)
    begin = dt.date(2013, 4, 1)
    day = np.sort(rng.integers(0, round(years * 365.25), n))
    stay = np.maximum(rng.exponential(540, n), 5).astype(int)
    back = (AS_AT - begin).days - day
    cost = level * np.exp(-rise * back / 365.25 + sigma * rng.standard_normal(n))
    starts = days_after(begin, day)
    rows = placements(starts, stay, [kind] * n)
    costs = rows[["child", "start", "end", "placement_type"]].assign(weekly_cost_gbp=cost)
    return history(placements=rows, costs=costs)


def test_a_price_that_never_changed_is_the_price(calibrated):
    rows = placements(days_after(dt.date(2023, 4, 1), range(0, 700, 7)), [400] * 100, ["kinship"] * 100)
    costs = rows[["child", "start", "end", "placement_type"]].assign(weekly_cost_gbp=250.0)
    found = prices.fitted_prices(history(placements=rows, costs=costs), calibrated, AS_AT)["kinship"]
    assert found.price_year == "2024-25"
    assert found.n == 100
    assert found.value_gbp == pytest.approx(250, rel=0.03)
    assert found.sigma_ln < 0.15


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_level_rise_and_spread_are_recovered(calibrated, seed):
    rise, sigma = 0.04, 0.3
    told = priced(seed, 1500, 1000.0, rise, sigma)
    found = prices.fitted_prices(told, calibrated, AS_AT)["foster_agency"]
    assert abs(found.growth - rise) < 3 * found.growth_sd
    # children there in the price year came about 1.5 years before, at the prices of then; price year's middle: 30 September
    costs = told.costs
    start, end = (costs[name].to_numpy().astype("datetime64[D]") for name in ("start", "end"))
    first, last = np.datetime64("2024-04-01"), np.datetime64("2025-04-01")
    stop = np.where(np.isnat(end), last, np.minimum(end, last))
    days = np.clip((stop - np.maximum(start, first)).astype(int), 0, None)
    paid = (costs["weekly_cost_gbp"] * days).sum() / days.sum()
    assert abs(np.log(found.value_gbp / paid)) < 3 * found.sd_ln
    assert found.sigma_ln == pytest.approx(sigma, rel=0.12)


def test_own_inflation_is_shrunk_to_the_base(calibrated):
    part = prices.fit(priced(4, 1500, 1000.0, 0.02, 0.25), calibrated, AS_AT)
    own, base = part.numbers["uplift.external_per_year"], calibrated.parameters.numbers["uplift.external_per_year"]
    assert 0.02 < own.value < base.value
    assert "costs.csv" in own.source
    assert list(part.numbers) == ["uplift.external_per_year"]
    assert part.draws["uplift.external_per_year"].mean() == pytest.approx(own.value, abs=0.002)


def test_without_costs_nothing_is_replaced(calibrated):
    rows = placements([dt.date(2024, 1, 1)], [30], ["kinship"])
    part = prices.fit(history(placements=rows), calibrated, AS_AT)
    assert not part.numbers
    assert not part.draws
    assert "no costs.csv" in part.notes[0]


def test_providers_take_the_councils_own_prices(calibrated):
    told = priced(5, 800, 1000.0, 0.03, 0.25)
    found = prices.fitted_prices(told, calibrated, AS_AT)["foster_agency"]
    part = places.fit(told, calibrated, AS_AT)
    agency = next(p for p in part.providers if p.placement_type == "foster_agency")
    assert agency.weekly_cost_gbp == pytest.approx(found.value_gbp, abs=0.01)
    assert agency.price_year == "2024-25"
    drawn = part.draws[f"price.{agency.code}"]
    assert np.log(drawn).std() == pytest.approx(found.sd_ln, rel=0.05)
    kinship = next(p for p in part.providers if p.placement_type == "kinship")
    assert kinship == next(p for p in calibrated.parameters.providers if p.placement_type == "kinship")


def test_lognormal_distances_are_recovered():
    rng = np.random.default_rng(3)
    for median, sigma in ((5.0, 1.1), (20.0, 0.8)):
        miles = median * np.exp(sigma * rng.standard_normal(1200))
        mu, spread = distances.lognormal(miles, np.ones(1200))
        assert abs(mu - np.log(median)) < 3 * sigma / np.sqrt(1200) * 1.5
        assert abs(np.log(spread / sigma)) < 3 / np.sqrt(2 * 1200) * 1.5


def test_the_share_within_15_miles_is_kept_when_distances_are_not_lognormal():
    miles = np.random.default_rng(5).exponential(12.0, 4000)
    mu, spread = distances.lognormal(miles, np.ones(4000))
    assert distances._below(15.0, mu, spread) == pytest.approx((miles <= 15).mean(), abs=0.03)


def test_distances_unknown_shares_and_areas_by_type(calibrated):
    n = 400
    starts = days_after(dt.date(2020, 4, 1), range(0, 4 * n, 4))
    miles = np.where(np.arange(n) % 4 == 0, np.nan, 8.0)
    outside = np.where(np.arange(n) % 10 == 0, 1.0, 0.0)
    rows = placements(starts, [200] * n, ["foster_agency"] * n, distance_miles=miles, out_of_area=outside)
    part = distances.fit(history(placements=rows), calibrated, AS_AT)
    assert part.numbers["distance.foster_agency.median_miles"].value == pytest.approx(8.0, rel=0.05)
    assert part.numbers["distance.foster_agency.unknown_share"].value == pytest.approx(0.25, abs=0.02)
    assert part.numbers["out_of_area.foster_agency.share"].value == pytest.approx(0.1, abs=0.03)
    assert part.record["foster_agency"]["n"] == 300
    assert "distance.kinship.median_miles" not in part.numbers
    for name, number in part.numbers.items():
        assert number.interval_80[0] <= number.value <= number.interval_80[1], name
        assert name in part.draws


def test_unaccompanied_children_are_left_out_of_distances(calibrated):
    rows = placements([dt.date(2024, 1, 1)] * 20, [90] * 20, ["kinship"] * 20, distance_miles=[3.0] * 20)
    alone = [{"child": n, "dob": dt.date(2008, 1, 1), "unaccompanied": True} for n in range(20)]
    part = distances.fit(history(placements=rows, children=alone), calibrated, AS_AT)
    assert not any(name.startswith("distance.kinship") for name in part.numbers)


def test_without_distances_the_base_stands_and_says_so(calibrated):
    rows = placements([dt.date(2024, 1, 1)], [30], ["kinship"])
    part = distances.fit(history(placements=rows), calibrated, AS_AT)
    assert not any(name.startswith("distance.kinship") for name in part.numbers)
    assert "tell of none" in part.notes[0]
