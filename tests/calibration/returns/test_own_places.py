import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from carecast.calibration.returns import basis, occupancy, places
from tests.calibration.returns.own_history import AS_AT, history, kept_full, month_ends, placements

pytestmark = pytest.mark.filterwarnings("error")


def day(*parts):
    return basis.day_of(dt.date(*parts))


def test_children_in_own_homes_are_counted_on_the_day_they_come_and_not_on_the_day_they_leave():
    rows = placements([dt.date(2024, 1, 10), dt.date(2024, 2, 1)], [30, 5000], ["foster_own", "foster_own"])
    told = history(placements=rows)
    days = np.array([day(2024, 1, 9), day(2024, 1, 10), day(2024, 2, 8), day(2024, 2, 9), day(2025, 3, 31)])
    assert occupancy.taken(told, ("foster_own",), days).tolist() == [0, 1, 2, 1, 1]


def test_places_told_by_locality_are_added_up_and_carried_forward():
    rows = [
        {"date": dt.date(2024, 1, 31), "placement_type": "foster_own", "locality": "East", "places": 10},
        {"date": dt.date(2024, 2, 29), "placement_type": "foster_own", "locality": "West", "places": 5},
        {"date": dt.date(2024, 3, 31), "placement_type": "foster_own", "locality": "East", "places": 12},
    ]
    found = occupancy.told_places(
        history(capacity=rows),
        "foster_own",
        np.array([day(2024, 1, 1), day(2024, 1, 31), day(2024, 3, 1), day(2024, 4, 1)]),
    )
    assert np.isnan(found[0])
    assert found[1:].tolist() == [10, 15, 17]


def test_vacancies_balance_asks_and_leaving():
    free = occupancy.vacancies(100, asks=80, rate=0.5, match=0.45)
    assert 80 * (1 - (1 - 0.45) ** free) == pytest.approx(100 * 0.5)


@pytest.fixture(scope="module")
def full_council():
    """Own foster places that walk 6 % a year, an eighth of them never usable, all others always taken."""
    rng = np.random.default_rng(4)
    months = month_ends(dt.date(2013, 4, 1), AS_AT)
    walk = np.exp(np.cumsum(0.06 / np.sqrt(12) * rng.standard_normal(len(months))))
    told = {month: round(200 * level) for month, level in zip(months, walk, strict=True)}
    rows = kept_full(7, told, 0.125)
    own = [{"child": n, "spell": 0, "order": 0, "start": start, "end": end, "placement_type": "foster_own",
            "start_kind": "entry", "end_kind": "exit" if end else "open"} for n, start, end in rows]  # fmt: skip
    bought = placements([dt.date(2013, 5, 1) + dt.timedelta(days=4 * n) for n in range(1080)], [500] * 1080,
                        ["foster_agency"] * 1080)  # fmt: skip
    bought["child"] += 100_000
    capacity = [{"date": m, "placement_type": "foster_own", "locality": "", "places": n} for m, n in told.items()]
    return history(placements=pd.concat([pd.DataFrame(own), bought]), capacity=capacity), told, walk


def test_usable_share_makes_the_model_keep_the_stock(full_council):
    told, capacity, _ = full_council
    found = occupancy.filled(told, None, AS_AT, "foster_own")
    now = capacity[AS_AT]
    assert found.now_places == now
    assert found.recent == pytest.approx(now * 0.875, rel=0.01)
    assert found.expected == pytest.approx(found.recent, rel=0.012)
    assert 0.875 < found.usable_share < 0.875 + 6 / now  # some usable places stand empty while a match is sought


def test_the_walk_of_places_is_recovered(full_council):
    _, told, walk = full_council
    days = np.array([basis.day_of(month) for month in told])
    sd, drift, drift_sd = occupancy.walk_of(np.array(list(told.values()), dtype=float), days, "foster_own")
    assert abs(np.log(sd / 0.06)) < 3 * np.sqrt(1 / (2 * 14))
    assert abs(drift) < 3 * drift_sd
    assert drift_sd <= occupancy.DRIFT_PRIOR_SD


def test_places_that_never_change_walk_little():
    """Foster places lean on the usual walk in logs, from half a place up; houses in squares: seldom is not never."""
    days = np.array([basis.day_of(month) for month in month_ends(dt.date(2013, 4, 1), AS_AT)])
    years = (days[-1] - days[0]) / 365.25
    total = years + occupancy.WALK_PRIOR_YEARS
    sd, drift, drift_sd = occupancy.walk_of(np.full(len(days), 80.0), days, "foster_own")
    seen = np.exp((years * np.log(0.5 / 80) + occupancy.WALK_PRIOR_YEARS * np.log(0.05)) / total)
    assert sd == pytest.approx(np.sqrt(seen**2 - occupancy.DRIFT_YEARS * drift_sd**2))
    assert drift == 0.0
    sd, drift, drift_sd = occupancy.walk_of(np.full(len(days), 20.0), days, "childrens_house_own")
    seen = np.sqrt(occupancy.WALK_PRIOR_YEARS * 0.05**2 / total)
    assert sd == pytest.approx(np.sqrt(seen**2 - occupancy.DRIFT_YEARS * drift_sd**2))
    assert drift == 0.0


def test_a_steady_decline_is_drift_and_not_walk_again():
    """Places fall by 2 % a year for 11 years: what drift explains is taken off the walk, but half of it at most."""
    days = np.array([basis.day_of(month) for month in month_ends(dt.date(2013, 4, 1), AS_AT)])
    falling = 400 * np.exp(-0.02 / 12 * np.arange(len(days)))
    sd, drift, drift_sd = occupancy.walk_of(falling, days, "foster_own")
    years = (days[-1] - days[0]) / 365.25
    square = 0.02**2 * np.mean([1, 2, 3])  # of changes over one, two and three years, by the year
    log_mean = (years * np.log(square) / 2 + occupancy.WALK_PRIOR_YEARS * np.log(0.05)) / (
        years + occupancy.WALK_PRIOR_YEARS
    )
    whole = np.exp(2 * log_mean)
    left = max(whole - occupancy.DRIFT_YEARS * (drift**2 + drift_sd**2), occupancy.LEAST_OF_WALK * whole)
    assert -0.02 < drift < -0.005
    assert sd == pytest.approx(np.sqrt(left), rel=1e-6)
    assert sd < 0.9 * np.sqrt(whole)


def test_months_are_full_while_hardly_anybody_finds_an_own_home(full_council, calibrated):
    told, _, _ = full_council
    months = places.demand_when_full(told, AS_AT, calibrated)
    assert list(months.columns) == list(occupancy.MONTHLY)
    assert set(months["placement_type"]) == {"foster_own"}
    assert not months["month"].duplicated().any()
    assert (months["found_chance"] <= 1).all()
    row = months.iloc[-1]
    assert row["free"] == pytest.approx(max(row["places"] * row["usable"] / row["places"] - row["occupied"], 0))
    assert months["full"].mean() > 0.5


def test_without_capacity_nothing_is_said_of_full_months():
    rows = placements([dt.date(2024, 1, 10)], [30], ["foster_own"])
    assert places.demand_when_full(history(placements=rows)).empty


def test_providers_hold_own_places_prices_and_joint_draws(full_council, calibrated):
    told, capacity, _ = full_council
    part = places.fit(told, calibrated, AS_AT)
    own = [p for p in part.providers if p.placement_type == "foster_own"]
    assert sum(p.places for p in own) == capacity[AS_AT]
    for provider in own:
        share = part.draws[f"provider.{provider.code}.usable_share"]
        assert share.shape == (4096,)
        assert ((share > 0) & (share <= 1)).all()
        assert share.mean() == pytest.approx(provider.usable_share, abs=0.01)
    assert {p.placement_type for p in part.providers} >= {"foster_agency", "kinship", "residential_external"}
    number = part.numbers["places.foster_own.level_sd_per_year"]
    assert number.how == "fitted"
    assert number.interval_80[0] < number.value < number.interval_80[1]
    assert "capacity.csv" in number.source


def test_what_the_share_may_come_to_is_counted_once(full_council, calibrated):
    """Years of months tell what the rule misses by, today's own uncertainty in it; a short past tells neither."""
    told, _, _ = full_council
    found = occupancy.filled(told, calibrated, AS_AT, "foster_own")
    assert found.ahead_is_all
    share = places._own_draws(calibrated, places.fit(told, calibrated, AS_AT).providers[0], found)
    drawn = next(values for name, values in share.items() if name.endswith("usable_share"))
    assert drawn.std() == pytest.approx(found.ahead_sd, rel=0.05)
    short = occupancy.filled(replace(told, observed_from=dt.date(2022, 1, 1)), calibrated, AS_AT, "foster_own")
    assert not short.ahead_is_all


def test_without_capacity_places_are_assumed_from_the_stock(calibrated):
    starts = [dt.date(2015, 1, 1) + dt.timedelta(days=20 * n) for n in range(180)]
    told = history(placements=placements(starts, [800] * 180, ["foster_own"] * 180))
    part = places.fit(told, calibrated, AS_AT)
    own = [p for p in part.providers if p.placement_type == "foster_own"]
    assert all(p.how == "assumed" for p in own)
    assert sum(p.places * p.usable_share for p in own) >= 39
    assert any("no places told" in note for note in part.notes)


def test_named_homes_stand_as_given(full_council, calibrated):
    told, _, _ = full_council
    rows = [{"provider": "Elm House", "placement_type": "childrens_house_own", "places": 4, "weekly_cost_gbp": 5000.0},
            {"provider": "No places told", "placement_type": "childrens_house_own"}]  # fmt: skip
    named = history(placements=told.placements, capacity=told.capacity, providers=rows)
    part = places.fit(named, calibrated, AS_AT)
    houses = [p for p in part.providers if p.placement_type == "childrens_house_own"]
    assert [(p.code, p.places) for p in houses] == [("elm_house", 4)]
    elm = houses[0]
    taken = 4 * elm.usable_share
    assert elm.weekly_cost_gbp + elm.fixed_weekly_cost_gbp / taken == pytest.approx(5000, rel=0.001)


def test_shares_of_places_are_whole_and_add_up():
    assert places._whole(np.array([2.6, 3.7, 0.7])).tolist() == [2, 4, 1]
    assert places._whole(np.array([1.0, 2.0])).tolist() == [1, 2]


def test_the_share_taken_goes_half_of_the_way_back_to_its_mean():
    """Sixty months at 0.8 and one at 0.9: the mean weighs months by half every two years, phi is a half."""
    days = np.array([basis.day_of(month) for month in month_ends(dt.date(2019, 1, 1), dt.date(2024, 1, 31))])
    ratio = np.append(np.full(60, 0.8), 0.9)
    mean = 0.8 + 0.1 / (0.5 ** (np.arange(61) / 24)).sum()
    expected, _, spread = occupancy.ahead(ratio, days)
    assert expected == pytest.approx((mean + 0.9) / 2)
    assert 0 < spread < 0.9 * occupancy.AHEAD_SD * occupancy.BEYOND_CHANCE  # hardly ever missed: shrunk from the usual
    untold, _, _ = occupancy.ahead(ratio, days, learn=False)
    assert 0.8 < untold < expected
