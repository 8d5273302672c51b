"""Savings by lever: parts that add up to the penny, Shapley values by hand, and levers of prices without a new story."""

from itertools import pairwise

import numpy as np
import pytest

from carecast.model.parameters import BadFile
from carecast.scenarios.library import read_text
from carecast.scenarios.run import start
from carecast.scenarios.savings import savings
from carecast.scenarios.waterfall import Coalitions, averaged, game_of, orders_of, waterfall
from tests import small_runs

LEVERS = {
    "a": ("early_help_places", "add = 10\ngbp_per_place_per_year = { value = 1000, low = 500, high = 2000 }"),
    "b": ("family_first", 'instead = "home_with_support"\nshare = 0.5\ninterval_80 = [0.2, 0.8]\ngbp_per_child = 1000'),
    "c": ("framework_prices", 'multiply_by = 0.9\nlines = ["residential_external"]'),
    "d": ("step_down", "multiply_by = 2.0\nrecurring_gbp_per_year = 9999"),
    "e": ("kinship_support", "multiply_by = 0.7"),
    "f": ("programme_team", "one_off_gbp = 12345"),
}


def scenario(name, levers):
    text = f'format = 1\nname = "{name}"\nbuilt_on = "baseline"\n'
    for lever in levers:
        kind, size = LEVERS[lever]
        text += f'[[lever]]\nkind = "{kind}"\nname = "{lever}"\nfrom = 2022-10-01\n{size}\nbecause = "Invented for tests."\n'
    return read_text(text, f"{name}.toml")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("waterfall") / "run"
    made = (scenario("three", "abc"), scenario("six", "abcdef"), scenario("prices", "cf"), small_runs.dearer())
    return start(small_runs.request(*made, replications=8), out)


@pytest.fixture(scope="module")
def six(run):
    return waterfall(run, "six", small_runs.council())


PARTS = (
    "gross",
    "cashable",
    "avoided",
    "released",
    "programme",
    "one_off",
    "by_funder",
    "net",
    "recurring",
    "cumulative",
)


@pytest.mark.parametrize("name", ["three", "six", "prices", "dearer"])
def test_parts_add_up_to_the_scenario_in_every_replication(run, name):
    found = waterfall(run, name, small_runs.council())
    kept = savings(run.money["baseline"], run.money[name], run.budget.pence)
    for part in PARTS:
        added = sum(getattr(one, part) for one in found.parts)
        assert np.array_equal(added, getattr(found.total, part))
        assert np.array_equal(added, getattr(kept, part))


def test_each_part_keeps_the_identities(six):
    for one in (*six.parts, *six.alone):
        assert np.array_equal(one.cashable + one.avoided + one.released, one.gross)
        assert np.array_equal(one.gross.sum(axis=-1) - one.released.sum(axis=-1) - one.programme, one.net)
        assert np.array_equal(one.by_funder.sum(axis=-1), one.net)


def test_levers_of_prices_and_plain_cost_need_no_new_story(run, six):
    """Of 2^6 coalitions those that differ in c or f alone share their story: never more stories than of a, b, d, e."""
    assert [player.changes_children for player in six.players] == [True, True, False, True, True, False]
    found = waterfall(run, "prices", small_runs.council())
    assert found.told == 8  # the baseline once a replication
    assert found.priced == 8 * 3
    assert six.told <= 8 * 16


def test_a_plain_cost_is_its_own_part_alone(six):
    cost = next(at for at, player in enumerate(six.players) if player.name == "f")
    assert np.array_equal(six.parts[cost].net, six.alone[cost].net)
    assert set(six.parts[cost].net.sum(axis=-1).tolist()) == {-1_234_500}


def test_interaction_is_all_together_less_each_alone(six):
    expected = six.total.net - sum(one.net for one in six.alone)
    assert np.array_equal(six.interaction(lambda found: found.net), expected)


def test_few_levers_are_taken_in_every_order_and_are_shapley_values(run):
    """Three levers: the part of each by the formula with weights 1/3, 1/6, 1/6, 1/3, within a penny."""
    found = waterfall(run, "three", small_runs.council())
    assert found.is_every_order
    assert found.orders == 6
    game = game_of(run, "three", small_runs.council())
    coalitions = Coalitions(game)
    tables = {}
    base = coalitions._money(frozenset(), 0, tables, None)
    staff = tables[frozenset()].service_units

    def value(*players):
        money = coalitions._money(frozenset(players), 0, tables, staff if players else None)
        return savings(base, money, game.budget).net.astype(float)

    for one in range(3):
        other, third = (at for at in range(3) if at != one)
        expected = (value(one) - value()) / 3 + (value(0, 1, 2) - value(other, third)) / 3
        expected += (value(one, other) - value(other)) / 6 + (value(one, third) - value(third)) / 6
        assert np.abs(found.parts[one].net[0] - expected).max() <= 200  # pence: each leaf is rounded by itself


def test_orders_come_with_their_reverse_and_depend_on_nothing_else():
    orders = orders_of(6, 3, 11, 4)
    assert len(orders) == 4
    assert orders == orders_of(6, 3, 11, 4)
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert orders[1] == orders[0][::-1]
    assert orders[3] == orders[2][::-1]


def test_averaging_loses_no_penny():
    random = np.random.default_rng(5)
    total = random.integers(-1000, 1000, 50)
    for orders in (2, 3, 7):
        cuts = np.sort(random.integers(-3000, 3000, (4, 50)), axis=0)
        edges = np.vstack([np.zeros(50, dtype=np.int64), cuts, total * orders])
        sums = np.stack([after - before for before, after in pairwise(edges)])
        found = averaged(sums, orders)
        assert np.array_equal(found.sum(axis=0), total)
        assert np.abs(found - sums / orders).max() < 1


def test_two_workers_find_the_same(run):
    one = waterfall(run, "six", small_runs.council(), replications=6)
    two = waterfall(run, "six", small_runs.council(), replications=6, workers=2)
    assert all(np.array_equal(a.net, b.net) for a, b in zip(one.parts, two.parts, strict=True))


def test_what_cannot_be_taken_apart_is_refused(run):
    with pytest.raises(BadFile, match="an even number"):
        waterfall(run, "six", small_runs.council(), permutations=3)
    with pytest.raises(BadFile, match="saves nothing against itself"):
        waterfall(run, "baseline", small_runs.council())
    other = small_runs.council().model_copy(update={"draws": small_runs.council().draws.iloc[::-1]})
    with pytest.raises(BadFile, match="tells another story"):
        waterfall(run, "six", other, replications=2)
