"""Simulation-based matching: the emulator's minimum, and the spread that makes counts swing as wanted."""

import numpy as np
import pytest

from carecast.calibration import matching as mt


def test_a_linear_world_is_matched_and_no_further_than_the_prior_allows():
    slopes = np.zeros((len(mt.SUMMARIES), len(mt.SHIFTS)))
    slopes[0:2, 1] = (-0.2, -0.4)  # exits lower the total
    slopes[2:4, 2] = (0.3, 0.5)  # demand for homes raises residential care
    now = np.log([98.0, 96.0, 10.0, 10.0, 40.0, 40.0])
    wanted = np.log([100.0, 100.0, 11.0, 12.0, 40.0, 40.0])
    theta = mt._solve(now, slopes, wanted)
    assert theta[0] == pytest.approx(0.0, abs=1e-9)  # nothing depends on starts here: the prior holds them
    assert theta[1] < -0.08
    assert 0.2 < theta[2] < 0.4
    sd = np.array([mt.SUMMARY_SD[name] for name in mt.SUMMARIES])
    prior = np.array([mt.PRIOR_SD[name] for name in mt.SHIFTS])

    def misfit(x):
        return (((now + slopes @ x - wanted) / sd) ** 2).sum() + ((x / prior) ** 2).sum()

    for at in range(len(theta)):
        for step in (-0.01, 0.01):
            moved = theta.copy()
            moved[at] += step
            assert misfit(moved) > misfit(theta)


def test_the_spread_makes_up_what_is_missing():
    rng = np.random.default_rng(3)
    net = rng.standard_normal(4000)
    slope, left = 0.25, 0.04  # of the log count on the net level; what else varies
    logs = [slope * scale * mt.FIRST_SPREAD * net + left * scale * rng.standard_normal(4000) for scale in (1.0, 1.4)]
    centre = np.exp(np.column_stack([*logs, *([np.zeros(4000)] * 4)])) * 100
    wanted = 0.07
    spread = mt._spread(centre, net, (wanted, 1.4 * wanted))
    assert (slope * spread) ** 2 + left**2 == pytest.approx(wanted**2, rel=0.1)
    assert mt._spread(centre, net, (0.001, 0.001)) == pytest.approx(mt.LEAST_SPREAD)
