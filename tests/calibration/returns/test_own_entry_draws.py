"""Chances of care in the rows of the draws: bounded, and with the mean they should have."""

import numpy as np
import pytest

from carecast.calibration.returns import entry_draws


@pytest.fixture(scope="module")
def relative():
    z = np.random.default_rng(3).standard_normal(4096)
    out = np.exp(0.3 * z)
    return out / out.mean()


def test_a_small_chance_is_as_it_is_wanted(relative):
    assert np.allclose(entry_draws.within(0.1, relative), 0.1 * relative)


@pytest.mark.parametrize("care", [0.5, 0.6, entry_draws.MOST_CARE])
def test_a_chance_near_its_bound_keeps_its_mean(relative, care):
    """Cutting the rows above the bound alone would lose entries: with 0.7 and a spread of 0.3, two per cent of them."""
    chances = entry_draws.within(care, relative)
    assert chances.max() <= entry_draws.MOST_CHANCE
    assert chances.mean() == pytest.approx(care, rel=1e-3)
    assert (np.argsort(chances, kind="stable")[:2000] == np.argsort(relative, kind="stable")[:2000]).all()
