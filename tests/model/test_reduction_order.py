"""The order in which children come within a day makes no difference to the tables, not in the last bit."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from carecast.model import plan as p
from carecast.model import words as w
from carecast.model.calendar import make_calendar
from carecast.model.engine import World, simulate
from carecast.model.event_log import Log, sorted_log
from carecast.model.results import Counted, Reducer
from tests.model.reference_results import random_world
from tests.model.test_results import AS_AT, LOCALITIES, PROVIDERS
from tests.toy import calibrated, some_stock

COUNTED = (
    Counted(w.REFERRED, per_family=True),
    Counted(w.PLACEMENT_STARTED),
    Counted(w.PLACEMENT_STARTED, locality=1, per_family=True),
    Counted(w.EARLY_HELP_ASKED, per_family=True),
)


def assert_same_tables(one, other):
    for field in dataclasses.fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


@pytest.mark.parametrize("seed", range(4))
def test_children_may_come_in_any_order_within_a_day(seed):
    calendar = make_calendar(AS_AT, dt.date(2026, 1, 31))
    log, kids = random_world(seed, AS_AT.toordinal(), calendar.last_day, n_localities=2)
    log = sorted_log(log)
    turn = np.random.default_rng(seed).permutation(len(kids.birth_day))[log.child]
    order = np.lexsort((turn, log.day))
    shuffled = Log(*(column[order] for column in log))
    assert (shuffled.child != log.child).sum() > len(log.child) / 4
    reducer = Reducer(calendar, PROVIDERS, LOCALITIES, COUNTED)
    found = reducer.tables(log, kids)
    assert found.price_days.any()
    assert found.counted.any(axis=0).all()
    assert_same_tables(found, reducer.tables(shuffled, kids))


@pytest.mark.parametrize("replication", range(3))
def test_the_compiled_clocks_log_is_read_as_it_was_written(replication):
    world = World(calibrated(some_stock()), p.Plan("baseline"), dt.date(2025, 3, 31), 5)
    reducer = Reducer(world.calendar, world.providers, world.locality_names, COUNTED)
    told = simulate(world, replication)
    log = Log(*(column.copy() for column in told.log))
    expected = reducer.tables(log, told.children)
    written = simulate(world, replication, in_order=False)
    assert (np.diff(written.log.day) >= 0).all()
    assert (written.log.child != log.child).any()
    assert_same_tables(expected, reducer.tables(written.log, written.children))
