"""References on series whose forecasts are known."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from carecast.calibration.backtest import references as ref
from carecast.calibration.backtest.constant_rates import constant_rates
from carecast.calibration.backtest.past import ENTRIES, EXITS, TOTAL, of_type
from carecast.calibration.readers.history import History, tidy


def test_last_value_is_centred_on_it_and_holds_every_past_change_both_ways():
    series = np.array([10.0, 12, 11, 15, 15, 14, 16, 18, 17, 19, 20, 20, 21, 24])
    found = ref.last_value(series, 2)  # 12 changes over two steps
    changes = series[2:] - series[:-2]
    assert sorted(found.values) == sorted([*(24 - changes), *(24 + changes)])
    assert found.values.mean() == 24.0


def test_last_value_scales_changes_of_a_shorter_lag_where_there_are_too_few():
    series = np.cumsum(np.ones(15)) * np.array([1.0] * 15)  # one up each step
    found = ref.last_value(series, 9)  # 12 changes need a lag of 3 at most; each is 3
    assert set(np.round(found.values, 9)) == {round(15 - 3 * np.sqrt(3), 9), round(15 + 3 * np.sqrt(3), 9)}


def test_last_value_never_goes_below_nought():
    assert ref.last_value(np.array([9.0, 1.0] * 10), 1).values.min() == 0.0


def test_flow_goes_on_at_the_rate_of_the_last_year():
    found = ref.last_flow(np.array([2.0] * 24 + [3.0] * 12), 6)
    assert found.values.mean() == pytest.approx(18.0)
    steady = ref.last_flow(np.full(40, 2.0), 6)
    assert set(steady.values) == {12.0}


def test_drift_of_a_straight_line_has_no_spread():
    found = ref.drift(np.arange(0.0, 40.0, 2.0), 6)
    assert np.allclose(found.values, 38 + 12)


def test_drift_spreads_with_the_square_root_of_time():
    rng = np.random.default_rng(2)
    series = 1000 + np.cumsum(rng.normal(0, 5, 400))
    one, nine = (ref.drift(series, steps).values.std() for steps in (1, 9))
    assert nine / one == pytest.approx(3.0, rel=0.02)


@pytest.mark.parametrize("paths", [ref.ets_paths, ref.arima_paths])
def test_a_series_that_never_moves_stays(paths):
    assert np.all(paths(np.full(40, 7.0), 12, np.random.default_rng(1)) == 7.0)


@pytest.mark.parametrize("paths", [ref.ets_paths, ref.arima_paths])
def test_statistical_models_stay_near_a_random_walk_and_widen(paths):
    rng = np.random.default_rng(3)
    series = 500 + np.cumsum(rng.normal(0, 4, 120))
    ahead = paths(series, 24, np.random.default_rng(1))
    assert ahead.shape == (24, ref.N_PATHS)
    assert abs(np.median(ahead[0]) - series[-1]) < 12
    assert ahead[23].std() > 2 * ahead[0].std()


def test_arima_of_noise_around_a_level_returns_to_it():
    rng = np.random.default_rng(8)
    series = 200 + rng.normal(0, 5, 150)
    series[-1] = 230.0
    assert abs(np.mean(ref.arima_paths(series, 24, np.random.default_rng(1))[23]) - 200) < 6


def test_short_series_have_no_reference():
    assert ref.of_series(np.arange(10.0), (3, 6), False, np.random.default_rng(1)) == {}


def test_flows_are_summed_over_the_months_ahead():
    found = ref.of_series(np.tile([1.0, 3.0], 30), (6, 12), True, np.random.default_rng(1))
    assert found[ref.LAST_VALUE, 12].values.mean() == pytest.approx(24.0)
    assert found[ref.ARIMA, 12].values.mean() == pytest.approx(24.0, rel=0.1)
    assert (ref.DRIFT, 6) not in found


def small_history(leavers=2, entrants=0):
    """Ten children of 6 in foster care on 31 March 2020, ``leavers`` of twelve gone in the year, none in before."""
    rows, people = [], []
    for child in range(10 + leavers):
        gone = child < leavers
        end = {"end": pd.Timestamp("2019-10-01"), "end_kind": "exit"} if gone else {"end": pd.NaT, "end_kind": "open"}
        rows.append({"child": child, "spell": 0, "order": 0, "start": pd.Timestamp("2018-06-01"),
                     "placement_type": "foster_own", "start_kind": "entry"} | end)  # fmt: skip
        people.append({"child": child, "dob": pd.Timestamp("2014-03-31")})
    for child in range(20, 20 + entrants):
        rows.append({"child": child, "spell": 0, "order": 0, "start": pd.Timestamp("2020-03-31"), "end": pd.NaT,
                     "placement_type": "kinship", "start_kind": "entry", "end_kind": "open"})  # fmt: skip
        people.append({"child": child, "dob": pd.Timestamp("2014-03-31")})
    tables = {"children": tidy(pd.DataFrame(people), "children"), "placements": tidy(pd.DataFrame(rows), "placements")}
    return History("tidy", "england", "", dt.date(2017, 4, 1), dt.date(2020, 3, 31), tables=tables)


def test_constant_rates_by_hand():
    origin = dt.date(2020, 3, 31)
    found = constant_rates(small_history(), origin, (12,))
    # exits a day: 2 over the child-days of 2 April 2019 to 31 March 2020 (a year of 365 days back)
    days = (dt.date(2021, 3, 31) - origin).days
    exposure = 10 * 365 + 2 * 182
    rate, grow = 2 / exposure, 1 / (5 * 365.25)
    young, old, oldest, left = 10.0, 0.0, 0.0, 0.0
    for _ in range(days):
        left += young * rate + oldest / (2 * 365.25)
        young, old, oldest = (
            young * (1 - rate - grow),
            old * (1 - 1 / (6 * 365.25)) + young * grow,
            oldest * (1 - 1 / (2 * 365.25)) + old / (6 * 365.25),
        )
    assert found[TOTAL, 12] == pytest.approx(young + old + oldest, rel=1e-9)
    assert found[EXITS, 12] == pytest.approx(left, rel=1e-9)
    assert found[ENTRIES, 12] == 0.0


def test_constant_rates_bring_in_as_many_as_last_year():
    found = constant_rates(small_history(leavers=0, entrants=3), dt.date(2020, 3, 31), (12,))
    assert found[ENTRIES, 12] == pytest.approx(3.0)
    assert found[of_type("kinship"), 12] == pytest.approx(6.0, abs=0.02)
    assert found[of_type("foster_own"), 12] == pytest.approx(10.0, abs=0.05)
