"""Draws: uniform, independent wherever two neighbours could share a hand, and the same bits on both clocks.

Every chi-square and correlation below is of fixed keys, so it passes or fails for good; ``CHANCE`` is the chance that one
of them would have failed for a sound generator, and about forty are made: 4 in 100,000 all told.
"""

import math

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from carecast.model import compiled
from carecast.model import draws as dr
from carecast.model import words as w

CHANCE = 1e-6
N = 1 << 17
COMPILED = compiled.MODULES["draws"]
_lanes, _uniform, _child_lanes = COMPILED.lanes, COMPILED.uniform, COMPILED.child_lanes


@numba.njit
def _fill(out, seed, replication, who, group, number, purpose, spell):
    for i in range(len(out)):
        key_1, key_2 = _lanes(seed[i], replication[i], who[i], group[i], number[i])
        out[i] = _uniform(key_1, key_2, purpose[i], spell[i])


@numba.njit
def _fill_children(out, number, position, purpose):
    for i in range(len(out)):
        family_1, family_2 = _lanes(7, 3, 2, 0, number[i])
        key_1, key_2 = _child_lanes(family_1, family_2, position[i])
        out[i] = _uniform(key_1, key_2, purpose[i], 1)


KEY = {
    "seed": 12345,
    "replication": 17,
    "who": dr.WHO_STOCK,
    "group": 0,
    "number": 4321,
    "purpose": w.EXIT_HOME,
    "spell": 1,
}


def uniforms(n=N, **key):
    """``n`` uniforms, the parts of the key named as given (broadcast), the others as in ``KEY``."""
    parts = {name: np.broadcast_to(np.asarray(key.get(name, value), dtype=np.int64), n) for name, value in KEY.items()}
    out = np.empty(n)
    _fill(out, *(np.ascontiguousarray(part) for part in parts.values()))
    return out


def children(number, position, purpose):
    n = len(number)
    out = np.empty(n)
    _fill_children(
        out,
        *(np.ascontiguousarray(np.broadcast_to(np.asarray(x, dtype=np.int64), n)) for x in (number, position, purpose)),
    )
    return out


def assert_uniform(u, bins=256):
    counts = np.bincount((u * bins).astype(int), minlength=bins)
    assert stats.chisquare(counts).pvalue > CHANCE
    below = np.bincount(((u * 2**32) % 1 * bins).astype(int), minlength=bins)  # the bits after the 32nd
    assert stats.chisquare(below).pvalue > CHANCE


def assert_independent(u, v, bins=16):
    counts = np.bincount((u * bins).astype(int) * bins + (v * bins).astype(int), minlength=bins * bins)
    assert stats.chisquare(counts).pvalue > CHANCE
    limit = stats.norm.isf(CHANCE / 2) / math.sqrt(len(u))  # standard error of a correlation of nought
    assert abs(np.corrcoef(u, v)[0, 1]) < limit
    e, f = -np.log(u), -np.log(v)  # thresholds: what the tails do
    assert abs(np.corrcoef(e, f)[0, 1]) < limit


ALONG = {
    "seed": np.arange(N),
    "replication": np.arange(N),
    "number": np.arange(N),
    "spell": np.arange(N),
    "purpose": np.arange(N) % dr.SLOTS_PER_SPELL,  # with a child each, below
    "group": np.arange(N),
}


@pytest.mark.parametrize("part", ALONG)
def test_uniform_along_every_part_of_the_key(part):
    key = {part: ALONG[part]}
    if part == "purpose":
        key["number"] = np.arange(N) // dr.SLOTS_PER_SPELL
    assert_uniform(uniforms(**key))


@pytest.mark.parametrize("who", range(5))
def test_uniform_for_every_kind_of_entity(who):
    assert_uniform(uniforms(who=who, number=np.arange(N)))


@pytest.mark.parametrize("part", ["seed", "replication", "number", "spell", "purpose", "group", "who"])
def test_neighbours_in_one_part_of_the_key_are_independent(part):
    here = {"number": np.arange(N), part: KEY[part]}
    if part == "number":
        here = {"number": 2 * np.arange(N)}
    there = {**here, part: here[part] + 1}
    assert_independent(uniforms(**here), uniforms(**there))


@pytest.mark.parametrize(
    ("first", "second"), [(w.SUPPORT_ENDS, w.SUPPORT_TO_PRE_ENTRY), (dr.P_WANTED, dr.P_WANTED + 128), (0, 64)]
)
def test_purposes_apart_are_independent(first, second):
    u = uniforms(number=np.arange(N), purpose=first)
    assert_independent(u, uniforms(number=np.arange(N), purpose=second % 128, spell=1 + second // 128))


def test_serial_draws_of_one_child_are_independent():
    u = uniforms(spell=np.arange(N))
    assert_independent(u[:-1], u[1:])
    assert_independent(u[:-7], u[7:])


def test_brothers_and_sisters_and_their_family_do_not_share_a_hand():
    number = np.arange(N)
    lead, second = children(number, 0, w.EXIT_HOME), children(number, 1, w.EXIT_HOME)
    assert_uniform(lead)
    assert_independent(lead, second)
    assert_independent(children(number, 0, w.EXIT_HOME), children(number, 0, w.EXIT_HOME + 1))
    assert_independent(lead, uniforms(seed=7, replication=3, who=2, group=0, number=number, purpose=w.EXIT_HOME))
    assert_independent(lead[:-1], second[1:])  # a child and the second child of the next family


def test_family_7_and_child_7_are_strangers():
    keys = set()
    for who in range(5):
        for group in range(3):
            for number in range(2000):
                keys.add(dr.lanes(5, 2, who, group, number))
    assert len(keys) == 5 * 3 * 2000
    family = [dr.lanes(5, 2, dr.WHO_FAMILY, 0, number) for number in range(2000)]
    assert len({dr.child_lanes(*key, position) for key in family for position in range(6)} - set(family)) == 12_000


@given(
    seed=st.integers(0, 2**62), replication=st.integers(0, 10**6), who=st.integers(0, 4), group=st.integers(0, 2**20),
    number=st.integers(0, 2**31), position=st.integers(0, 5), purpose=st.integers(0, 127), spell=st.integers(0, 2**20),
)  # fmt: skip
@settings(max_examples=400, derandomize=True, deadline=None, database=None)
def test_the_same_bits_plain_and_compiled(seed, replication, who, group, number, position, purpose, spell):
    family = dr.lanes(seed, replication, who, group, number)
    assert family == COMPILED.lanes(seed, replication, who, group, number)
    child = dr.child_lanes(*family, position)
    assert child == COMPILED.child_lanes(*family, position)
    u = dr.uniform(*child, purpose, spell)
    assert 0.0 < u < 1.0
    assert u == COMPILED.uniform(*child, purpose, spell)
    assert dr.unit_exponential(*child, purpose, spell) == COMPILED.unit_exponential(*child, purpose, spell)
    assert dr.normal(*child, purpose, spell) == COMPILED.normal(*child, purpose, spell)
    assert dr.price_multiplier(*child, spell, 0.4) == COMPILED.price_multiplier(*child, spell, 0.4)


@pytest.mark.parametrize("bits", [0, dr.MASK])
def test_strictly_between_nought_and_one_whatever_the_bits(monkeypatch, bits):
    monkeypatch.setattr(dr, "mix", lambda _: bits)
    assert 0.0 < dr.uniform(1, 2, 3, 4) < 1.0
    assert 0.0 < dr.unit_exponential(1, 2, 3, 4) < 40.0
    assert math.isfinite(dr.normal(1, 2, 3, 4))


def test_mix_is_a_bijection():
    sample = np.random.default_rng(1).choice(2**32, 20_000, replace=False).tolist()
    assert len({dr.mix(x) for x in sample}) == len(sample)
    assert all(0 <= dr.mix(x) <= dr.MASK for x in sample)


def test_unit_exponential_is_one():
    draws = -np.log(uniforms(number=np.arange(N)))
    assert stats.kstest(draws, "expon").pvalue > CHANCE
    key = dr.lanes(*(KEY[name] for name in ("seed", "replication", "who", "group", "number")))
    assert dr.unit_exponential(*key, w.MOVE, 2) == -math.log(dr.uniform(*key, w.MOVE, 2))


def test_normal_inverse_is_scipys():
    middle = np.linspace(1e-6, 1 - 1e-6, 20_001)
    tails = 10.0 ** -np.arange(2, 16)
    for p in np.concatenate([middle, tails, 1 - tails, [0.02425, 0.97575]]).tolist():
        exact = float(stats.norm.ppf(p))
        assert abs(dr.normal_inverse(p) - exact) <= 1.2e-9 * abs(exact) + 1e-12  # Acklam's own bound
    assert dr.normal_inverse(0.5) == 0.0


def test_normal_inverse_never_falls():
    p = np.sort(np.random.default_rng(2).uniform(size=20_000))
    values = [dr.normal_inverse(x) for x in p.tolist()]
    assert all(a <= b for a, b in zip(values, values[1:], strict=False))


@pytest.mark.parametrize("sigma", [0.1, 0.4, 0.8])
def test_price_multiplier_has_mean_one(sigma):
    n = 60_000
    price = np.array([dr.price_multiplier(*dr.lanes(1, 0, dr.WHO_STOCK, 0, child), 1, sigma) for child in range(n)])
    standard_error = math.sqrt((math.exp(sigma**2) - 1) / n)  # of the mean of a mean-one lognormal
    assert abs(price.mean() - 1) < 4.9 * standard_error  # false alarm: 1 in a million
    assert abs(np.log(price).std() - sigma) < 4.9 * sigma / math.sqrt(2 * n)


def test_no_spread_no_draw():
    assert dr.price_multiplier(1, 2, 3, 0.0) == 1.0
    assert dr.price_multiplier(1, 2, 3, -1.0) == 1.0
