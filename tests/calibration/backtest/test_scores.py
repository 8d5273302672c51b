"""Scores against closed forms and by hand."""

import math

import numpy as np
import pytest

from carecast.calibration.backtest import scores


def normal_crps(y):
    """CRPS of a standard normal (Gneiting & Raftery 2007)."""
    phi = math.exp(-y * y / 2) / math.sqrt(2 * math.pi)
    big = 0.5 * (1 + math.erf(y / math.sqrt(2)))
    return y * (2 * big - 1) + 2 * phi - 1 / math.sqrt(math.pi)


@pytest.mark.parametrize("y", [-2.0, 0.0, 0.7, 3.0])
def test_whole_distribution_agrees_with_the_closed_form(y):
    from scipy.special import ndtri

    slices = (np.arange(20_000) + 0.5) / 20_000
    found = scores.crps(ndtri(slices), y, is_sample=False)
    assert found == pytest.approx(normal_crps(y), abs=2e-4)


@pytest.mark.parametrize("y", [0.0, 1.5])
def test_fair_score_of_small_samples_is_right_on_average_and_the_plain_one_is_not(y):
    rng = np.random.default_rng(4)
    samples = rng.normal(size=(60_000, 5))
    fair, plain = (scores.crps(samples, np.full(60_000, y), is_sample) for is_sample in (True, False))
    error = fair.std() / math.sqrt(60_000)
    assert abs(fair.mean() - normal_crps(y)) < 4 * error
    assert plain.mean() - normal_crps(y) > 20 * error


def test_by_hand():
    assert scores.crps(np.array([1.0, 3.0]), 2.0) == pytest.approx(0.0)  # 1 - 2 / 2
    assert scores.crps(np.array([1.0, 3.0]), 2.0, is_sample=False) == pytest.approx(0.5)  # 1 - 2 / 4
    assert scores.crps(np.array([7.0]), 4.0) == 3.0
    assert scores.crps(np.array([[1.0, 3.0], [5.0, 5.0]]), np.array([2.0, 1.0])).tolist() == [0.0, 4.0]


def test_interval_holds_values_that_occur():
    low, high = scores.interval(np.arange(1.0, 11.0), 80)
    assert (low, high) == (1.0, 9.0)  # inverted CDF: the smallest value that a tenth, nine tenths do not exceed
    assert bool(scores.is_inside(np.arange(1.0, 11.0), 9.0, 80))
    assert not bool(scores.is_inside(np.arange(1.0, 11.0), 10.0, 80))


def test_a_perfect_forecaster_is_covered_as_often_as_it_says():
    rng = np.random.default_rng(11)
    ensembles, truth = rng.normal(50, 8, (2000, 200)), rng.normal(50, 8, 2000)
    for level in scores.LEVELS:
        held = float(scores.is_inside(ensembles, truth, level).mean())
        error = math.sqrt(level / 100 * (1 - level / 100) / 2000)
        assert abs(held - level / 100) < 4 * error + 0.01  # the ends of 200 members are a little uncertain


@pytest.mark.parametrize("mean", [0.4, 3.0, 400.0])
def test_pit_of_a_perfect_forecaster_is_uniform_even_for_small_counts(mean):
    from scipy.stats import kstest

    rng = np.random.default_rng(5)
    found = [scores.pit(rng.poisson(mean, 60), float(rng.poisson(mean)), f"{mean}|{case}") for case in range(600)]
    assert min(found) > 0
    assert max(found) < 1
    assert kstest(found, "uniform").pvalue > 0.01


def test_pit_is_the_same_each_time_and_depends_on_its_name():
    values = np.array([0.0, 0.0, 1.0])
    assert scores.pit(values, 0.0, "a") == scores.pit(values, 0.0, "a")
    assert scores.pit(values, 0.0, "a") != scores.pit(values, 0.0, "b")


def test_mase_scale_is_the_mean_change_of_a_year():
    assert scores.seasonal_scale(np.arange(30.0)) == 12.0
    assert math.isnan(scores.seasonal_scale(np.arange(12.0)))
    assert math.isnan(scores.seasonal_scale(np.full(40, 3.0)))
    assert scores.seasonal_scale([10.0, 13.0, 11.0], season=1) == 2.5


def test_bias_and_relative():
    assert scores.bias_percent(np.array([11.0, 13.0]), np.array([10.0, 10.0])) == pytest.approx(20.0)
    assert scores.relative(np.array([1.0, 2.0]), np.array([2.0, 4.0])) == 0.5
    assert math.isnan(scores.relative(np.array([1.0]), np.array([0.0])))
