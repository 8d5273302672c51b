"""Own places that walk: recruitment minus retirement, a replication's own."""

import datetime as dt
import math

import numpy as np
import pytest

from carecast.model import plan as p
from carecast.model.engine import World
from tests.toy import calibrated

UNTIL = dt.date(2027, 12, 31)


def places(replication, **numbers):
    """Usable own foster places of the first pool, month by month."""
    given = {f"places.foster_own.{name}": value for name, value in numbers.items()}
    world = World(calibrated(numbers=given), p.Plan("baseline"), UNTIL, 7)
    at = next(at for at, provider in enumerate(world.providers) if provider.placement_type == "foster_own")
    provider = world.providers[at]
    whole = provider.places * provider.usable_share
    return world.setup(replication).places.usable.reshape(len(world.providers), -1)[at], whole


def test_places_stay_when_no_walk_is_given():
    found, whole = places(0)
    assert (found == math.floor(whole + 0.5)).all()


def test_a_drift_alone_is_the_same_in_every_replication():
    found, whole = places(3, drift_per_year=-0.12)
    months = np.arange(len(found))
    np.testing.assert_array_equal(found, np.floor(whole * np.exp(-0.01 * months) + 0.5))
    np.testing.assert_array_equal(found, places(4, drift_per_year=-0.12)[0])


def test_a_walk_starts_at_the_places_there_are_and_spreads_with_the_root_of_time():
    walks = np.stack([places(replication, level_sd_per_year=0.5)[0] for replication in range(300)]).astype(float)
    whole = places(0)[1]
    assert (walks[:, 0] == math.floor(whole + 0.5)).all()
    logs = np.log((walks[:, [12, 48]] + 0.01) / whole)
    assert logs.std(axis=0) == pytest.approx([0.5, 1.0], rel=0.25)
