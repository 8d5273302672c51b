"""The parts of the benchmarks run at tiny sizes and return finite numbers; nothing here is timed against a bar."""

import math
import os

import numpy as np

from benchmarks import clocks, common_draws, runs, sizes
from benchmarks.table import Line, text, verdict
from benchmarks.timing import watched_memory
from carecast.model.engine import simulate


def test_a_council_twice_the_size_has_twice_the_children_and_homes_as_full():
    once, twice = (clocks.teller(times).worlds[0] for times in (1, 2))
    assert len(twice.stock(0).state) == 2 * len(once.stock(0).state)
    assert len(np.unique(twice.stock(0).family)) == 2 * len(np.unique(once.stock(0).family))
    for before, after in zip(once.providers, twice.providers, strict=True):
        assert after.places == (None if before.places is None else 2 * before.places)
    arrivals = [sum(len(simulate(world, row).children.family) - len(world.stock(row).state) for row in range(4))
                for world in (once, twice)]  # fmt: skip
    assert 1.7 < arrivals[1] / arrivals[0] < 2.3


def test_the_parts_return_finite_numbers():
    paired = common_draws.common_draws(3, few=1)  # infinite where no replication differs from the baseline
    assert len(paired) == len(common_draws.MEASURES)
    assert all(line.value > 0 for line in paired)
    lines = [
        *(line for found in clocks.measure((1, 2), (1,), 2) for line in found),
        *clocks.events(1, 2),
        *runs.many_against_few(2, 1),
    ]
    assert all(math.isfinite(line.value) and line.value > 0 for line in lines)
    assert "1,000 compiled over 50 SimPy" in text("all", lines)


def test_a_line_says_whether_its_bar_is_met():
    lines = [
        Line("p", "few", 2.0, "x", 3.0),
        Line("p", "many", 2.0, "x", 3.0, at_least=True),
        Line("p", "free", 2.0, "x"),
    ]
    assert [line.met for line in lines] == [True, False, None]
    assert "1 of 2 bars met" in verdict(lines)


def test_memory_of_a_process_is_seen():
    with watched_memory(os.getpid()) as peak:
        held = np.ones(20_000_000)
        peak.look()
    assert peak.pss_bytes > held.nbytes
    assert sizes.PACK
