"""The only source of chance: every draw is a pure function of (seed, replication, who, purpose, spell).

Nothing is consumed in order, so nothing can be reshuffled: scenario and baseline share each child's hand, and a run is the
same for any number of workers. Integer arithmetic stays within 64 signed bits after masking, so this source gives the
same bits as plain Python and compiled by numba. The mixer is Wellons' ``lowbias32`` (hash-prospector, 2018, public domain).
"""

import math
from typing import Any

MASK = 0xFFFFFFFF
GOLDEN = 0x9E3779B1

# Who draws: kinds of entity, so that family 7 and child 7 never share a hand.
WHO_REPLICATION, WHO_STREAM, WHO_FAMILY, WHO_STOCK, WHO_EVIDENCE = range(5)

# Purposes. Causes use their own number (0 to 23); the rest follow. One slot is purpose + 128 x spell.
P_BRANCH = 24  # + branch (0..6)
P_AT_HOME = 31
P_DIVERT = 32  # + diversion (0..7)
P_WANTED = 40
P_ZONE = 41
P_QUINTILE = 42
P_SIZE = 43
P_AGE = 44
P_BIRTHDAY = 45
P_KEEP = 46
P_JOINS = 47
P_LEVEL_PLACES = 47  # drawn by replications, which join nobody; spell = month x placement types + type
P_DISTANCE = 48
P_DISTANCE_KNOWN = 49
P_OUT_OF_AREA = 50
P_TOGETHER = 51
P_PRICE = 52
P_CONTINUES = 53
P_ARRIVAL = 54
P_LEVEL_ENTRIES = 55
P_LEVEL_UNACCOMPANIED = 56
P_LEVEL_EXITS = 57
P_LEVEL_MOVES = 58
P_MONTH = 59
P_EFFECT = 60
P_EFFECT_NONE = 61
P_POSITION = 62
P_AGE_GAP = 63
P_MATCH = 64  # + place of the provider in its list (up to 63)
SLOTS_PER_SPELL = 128
# Diversions from the ninth on: these numbers are drawn by streams, replications and evidence, never by a family or child.
P_DIVERT_LATER = 54  # + diversion - 8 (up to 7)
N_DIVERT = 8


def mix(x: int) -> int:
    """Scramble 32 bits (bijective)."""
    x ^= x >> 16
    x = (x * 0x7FEB352D) & MASK
    x ^= x >> 15
    x = (x * 0x846CA68B) & MASK
    x ^= x >> 16
    return x


def lanes(seed: int, replication: int, who: int, group: int, number: int) -> tuple[int, int]:
    """The two 32-bit lanes of one entity's key."""
    first = mix((seed ^ (who * 0x85EBCA6B)) & MASK)
    first = mix((first + (seed >> 32) + replication * GOLDEN) & MASK)
    first = mix((first ^ (group * 0xC2B2AE35)) & MASK)
    first = mix((first + number * GOLDEN) & MASK)
    second = mix((first ^ (number + 0x27D4EB2F)) & MASK)
    second = mix((second + replication * 0x165667B1 + group) & MASK)
    second = mix((second ^ (seed * GOLDEN) ^ (seed >> 32)) & MASK)
    return first, second


def child_lanes(family_1: int, family_2: int, position: int) -> tuple[int, int]:
    """The key of the child at ``position`` in a family, made from the family's own."""
    first = mix((family_1 + (position + 1) * GOLDEN) & MASK)
    second = mix((family_2 ^ (first + position)) & MASK)
    return first, second


def uniform(key_1: int, key_2: int, purpose: int, spell: int) -> float:
    """A uniform strictly between 0 and 1 with 52 random bits."""
    slot = purpose + SLOTS_PER_SPELL * spell
    low = mix((key_1 ^ (slot * GOLDEN)) & MASK)
    high = mix((key_2 + low) & MASK)
    return (float((high << 20) | (low >> 12)) + 0.5) * 2.220446049250313e-16  # 2**-52


def unit_exponential(key_1: int, key_2: int, purpose: int, spell: int) -> float:
    """A unit-exponential threshold."""
    return -math.log(uniform(key_1, key_2, purpose, spell))


def normal_inverse(p: float) -> float:
    """Inverse of the standard normal distribution, P. J. Acklam's rational approximation (relative error 1.2e-9)."""
    if p < 0.02425:
        q = math.sqrt(-2.0 * math.log(p))
        return _normal_tail(q)
    if p > 0.97575:
        q = math.sqrt(-2.0 * math.log(1.0 - p))
        return -_normal_tail(q)
    q = p - 0.5
    r = q * q
    top = -3.969683028665376e01 * r + 2.209460984245205e02
    top = (top * r - 2.759285104469687e02) * r + 1.383577518672690e02
    top = (top * r - 3.066479806614716e01) * r + 2.506628277459239e00
    bottom = -5.447609879822406e01 * r + 1.615858368580409e02
    bottom = (bottom * r - 1.556989798598866e02) * r + 6.680131188771972e01
    bottom = (bottom * r - 1.328068155288572e01) * r + 1.0
    return top * q / bottom


def _normal_tail(q: float) -> float:
    top = -7.784894002430293e-03 * q - 3.223964580411365e-01
    top = (top * q - 2.400758277161838e00) * q - 2.549732539343734e00
    top = (top * q + 4.374664141464968e00) * q + 2.938163982698783e00
    bottom = 7.784695709041462e-03 * q + 3.224671290700398e-01
    bottom = (bottom * q + 2.445134137142996e00) * q + 3.754408661907416e00
    return top / (bottom * q + 1.0)


def normal(key_1: int, key_2: int, purpose: int, spell: int) -> float:
    """A standard normal draw."""
    return normal_inverse(uniform(key_1, key_2, purpose, spell))


def normals(key_1: int, key_2: int, purpose: int, first: int, step: int, out: Any) -> None:
    """Fill ``out`` with the standard normal draws of spells ``first``, ``first + step``, ..."""
    for at in range(len(out)):
        out[at] = normal(key_1, key_2, purpose, first + at * step)


def price_multiplier(key_1: int, key_2: int, ask: int, sigma_ln: float) -> float:
    """Mean-one lognormal multiplier of a placement's price: exp(sigma z - sigma^2 / 2)."""
    if sigma_ln <= 0.0:
        return 1.0
    return math.exp(sigma_ln * normal(key_1, key_2, P_PRICE, ask) - 0.5 * sigma_ln * sigma_ln)
