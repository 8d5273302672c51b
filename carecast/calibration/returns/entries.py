"""Who enters care: new entries by route, age and month, and returns after leaving, told apart.

A new entry is a first entry, or one after an exit that the model does not follow. A return home, a kinship order and an
adoption are followed: coming back from them is a hazard over the time since (re-entry, order breaks, adoption disrupts).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carecast.calibration.arrays import Array, Ints
from carecast.calibration.readers.history import History
from carecast.calibration.returns import stays as st
from carecast.model import rules
from carecast.model import words as w

EMERGENCY_STATUS = ("L1", "L2", "L3")  # police protection, emergency protection order, child assessment order
REMAND_STATUS = ("J1", "J2", "J3")
NEWBORN_DAYS = 28
NEW, RETURN_HOME, RETURN_ORDER, RETURN_ADOPTED = range(4)
FOLLOWED = {0: RETURN_HOME, 1: RETURN_ORDER, 2: RETURN_ADOPTED}  # by cause of the exit before
HOME_MEMORY_DAYS = 2192
MONTH_WEIGHT = 40.0  # entries a month that the usual season counts for
REMEMBERED_YEARS = 5.0  # half-life of ages and routes


@dataclass(frozen=True, slots=True)
class Spells:
    """Periods of care, sorted by child and start; days are ordinals."""

    child: Ints
    start: Ints
    stop: Ints
    first_row: Ints  # of ``Stays``
    last_row: Ints
    end: Ints  # cause, or NO_CAUSE
    truncated: Array
    age_days: Ints  # at the start
    unaccompanied: Ints
    route: Ints  # words.ROUTES; the pathway is CONTACT
    kind: Ints  # first placement type
    came: Ints  # NEW or a return
    gap: Ints  # days since the exit before, -1 for none
    is_entry: Array  # seen to begin within the window


def read_spells(history: History, stays: st.Stays) -> Spells:
    """One entry a period of care."""
    keys = stays.child * 1000 + stays.spell
    _, first = np.unique(keys, return_index=True)
    last = np.append(first[1:], len(keys)) - 1
    child, start, end = stays.child[first], stays.start[first], stays.end[last]
    rows = history.placements.sort_values(["child", "spell", "order"], kind="stable")
    status = rows["legal_status"].astype(str).str.upper().to_numpy()[first]
    age = start - stays.birth[first]
    alone = stays.unaccompanied[first]
    same = np.append(False, child[1:] == child[:-1]) if len(child) else np.zeros(0, dtype=bool)
    gap = np.where(same, start - np.append(0, stays.stop[last][:-1]), -1)
    before = np.where(same, np.append(st.NO_CAUSE, end[:-1]), st.NO_CAUSE)
    came = np.zeros(len(child), dtype=np.int64)
    for cause, kind in FOLLOWED.items():
        came[(before == cause) & (gap >= 0)] = kind
    came[(came == RETURN_HOME) & (gap > HOME_MEMORY_DAYS)] = NEW
    came[alone > 0] = NEW
    return Spells(
        child=child, start=start, stop=stays.stop[last], first_row=first, last_row=last, end=end,
        truncated=stays.truncated[first], age_days=age, unaccompanied=alone,
        route=_routes(status, age, alone), kind=stays.kind[first], came=came, gap=gap,
        is_entry=((stays.truncated[first] == 0) & (start > stays.first_day) & (start <= stays.last_day)).astype(float),
    )  # fmt: skip


def _routes(status: NDArray[Any], age: Ints, alone: Ints) -> Ints:
    route = np.full(len(age), w.CONTACT, dtype=np.int64)
    route[np.isin(status, EMERGENCY_STATUS)] = w.EMERGENCY
    route[age < NEWBORN_DAYS] = w.NEWBORN
    route[np.isin(status, REMAND_STATUS)] = w.REMAND
    route[alone > 0] = w.UNACCOMPANIED
    return route


def age_bands(age_days: Ints) -> Ints:
    """Age bands of children."""
    return np.minimum(np.searchsorted(st.AGE_EDGES, age_days, side="right"), st.N_AGES - 1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Counts:
    """Quarterly counts beside what an even rate with the season expects, oldest first."""

    observed: Array
    expected: Array
    per_year: Array  # the even rate


def quarterly(days: Ints, first_day: int, last_day: int, season: Array) -> Counts:
    """Count events by quarter back from the last day; the first, part quarter is left out."""
    length = last_day - first_day
    n = max(int(length / st.QUARTER_DAYS), 1)
    quarter = st.quarter_of(days, last_day)
    observed = np.bincount(quarter[quarter < n], minlength=n)[::-1].astype(float)
    calendar = np.arange(first_day + 1, last_day + 1)
    months = np.array([dt.date.fromordinal(int(day)).month - 1 for day in calendar])
    weights = season[months]
    when = st.quarter_of(calendar, last_day)
    whole = np.bincount(when[when < n], weights=weights[when < n], minlength=n)[::-1]
    per_year = len(days) / max(weights.sum(), 1e-9) * w.DAYS_PER_YEAR
    return Counts(observed, whole * per_year / w.DAYS_PER_YEAR, np.asarray(per_year))


def month_factors(days: Ints, first_day: int, last_day: int, usual: Array) -> Array:
    """Ratio of each month to the mean month, shrunk towards the usual season."""
    calendar = pd.DatetimeIndex(pd.to_datetime(np.arange(first_day + 1, last_day + 1) - st.EPOCH, unit="D"))
    exposure = np.bincount(calendar.month.to_numpy() - 1, minlength=12) / max(len(calendar), 1)
    found = pd.DatetimeIndex(pd.to_datetime(np.asarray(days) - st.EPOCH, unit="D")).month.to_numpy() - 1
    observed = np.bincount(found, minlength=12)
    expected = len(days) * exposure
    factors = (observed + MONTH_WEIGHT * usual) / (expected + MONTH_WEIGHT)
    out: Array = factors / factors.mean()
    return out


def remembered(day: Ints, last_day: int, half_life_years: float) -> Array:
    """Weights that halve with age."""
    out: Array = 0.5 ** ((last_day - day) / w.DAYS_PER_YEAR / half_life_years)
    return out


def ages_of_route(age_days: Ints, weights: Array, usual: Array, worth: float = 20.0) -> Array:
    """Chances by year of age, the usual ones counting for ``worth`` children."""
    years = np.clip((age_days / w.DAYS_PER_YEAR).astype(np.int64), 0, 17)
    counted = np.round(np.bincount(years, weights=weights, minlength=18), 9)
    out: Array = (counted + worth * usual / usual.sum()) / (counted.sum() + worth)
    return out


def together(spells: Spells) -> float:
    """Other children who enter on the same day, beyond coincidence, per child who enters anew, newborn children apart.

    Pairs of entries on one day less the mean of pairs exactly one to four weeks apart (the same weekday), twice over
    entries: the mean of n(n - 1) over the mean of n, for families of n who enter together.
    """
    usual = (spells.came == NEW) & (spells.unaccompanied == 0) & (spells.route != w.NEWBORN)
    days = np.sort(spells.start[(spells.is_entry > 0) & usual])
    if len(days) < 30:
        return float("nan")
    counts = np.bincount(days - days[0])
    same = float((counts * (counts - 1)).sum()) / 2
    apart = [float((counts[7 * k :] * counts[: -7 * k]).sum()) for k in (1, 2, 3, 4) if len(counts) > 7 * k]
    chance = float(np.mean(apart)) / 2 if apart else 0.0
    return max(2 * (same - chance) / len(days), 0.0)


def joins_chance(pairs_per_child: float, sizes: Array) -> float:
    """The chance that each brother or sister joins that gives so many who enter together; sizes: chances of 1, 2, ..."""
    if not np.isfinite(pairs_per_child):
        return float("nan")
    others = np.arange(len(sizes))
    best, least = 0.0, np.inf
    for chance in np.linspace(0.0, 0.95, 96):
        mean = 1 + float(sizes @ others) * chance
        pairs = float(sizes @ (2 * others * chance + others * (others - 1) * chance**2))  # E[n(n-1)], n = 1 + binomial
        gap = abs(pairs / mean - pairs_per_child)
        if gap < least:
            best, least = float(chance), gap
    return best


@dataclass(frozen=True, slots=True)
class Returning:
    """Returns after one kind of exit: events and child-years by age band and time since."""

    events: Array
    exposure: Array


def returning(spells: Spells, stays: st.Stays, cause: int, memory_days: int) -> Returning:
    """Exposure of children who left by ``cause``, till they return, turn 18, are forgotten or the files end."""
    left = np.flatnonzero((spells.end == cause) & (spells.stop >= stays.first_day) & (spells.unaccompanied == 0))
    follows = np.append(spells.child[1:] == spells.child[:-1], False) if len(spells.child) else np.zeros(0, bool)
    back = np.where(follows, np.append(spells.start[1:], 0), stays.last_day + 1)[left]
    out = spells.stop[left]
    birth = stays.birth[spells.last_row[left]]
    limit = np.minimum.reduce([birth + rules.ADULT_AGE_DAYS, out + memory_days, np.full(len(left), stays.last_day)])
    until = np.maximum(np.minimum(back, limit), out)
    exposure = np.zeros((st.N_AGES, w.N_DURATION_BANDS))
    edges = np.concatenate(
        [birth[:, None] + st.AGE_EDGES, out[:, None] + st.BAND_EDGES, out[:, None], until[:, None]], axis=1
    ).astype(float)
    np.clip(edges, out[:, None], until[:, None], out=edges)
    edges.sort(axis=1)
    lengths = np.diff(edges, axis=1)
    row, at = np.nonzero(lengths > 0)
    day = edges[row, at].astype(np.int64)
    np.add.at(exposure, (age_bands(day - birth[row]), _band(day - out[row])), lengths[row, at] / w.DAYS_PER_YEAR)
    events = np.zeros_like(exposure)
    came = np.flatnonzero((back <= limit) & (back > out))
    before = back[came] - 1
    np.add.at(events, (age_bands(before - birth[came]), _band(before - out[came])), 1.0)
    return Returning(events, exposure)


def _band(days: Ints) -> Ints:
    return np.searchsorted(st.BAND_EDGES, days, side="right").astype(np.int64)
