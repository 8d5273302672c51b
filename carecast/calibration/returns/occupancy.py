"""How full own homes have been, what share of their places could be used, and how the number of places walks.

Own homes of one kind are a loss system (``calibration.capacity``): with asks a year a, leaving rate mu and c usable places
the mean number taken is E(c), a little below c as long as more children ask than leave. The usable share u is the one at
which E(places x u) is the number taken lately; where few ask, E hardly depends on u and the base's share stands. So the
simulated stock keeps to where it is unless places change.

Places walk: yearly log changes have the variance of those seen, held to the base's walk by so many years of it.
"""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Array, Ints
from carecast.calibration.assemble import OWN_TYPES
from carecast.calibration.capacity import OWN_AND_BOUGHT, expected_occupancy, usable_places
from carecast.calibration.readers.history import History
from carecast.calibration.returns import basis
from carecast.calibration.returns import staying as staying_on
from carecast.model import words as w
from carecast.model.parameters import Calibrated

RECENT_HALF_LIFE_YEARS = 0.5  # of the level of how many places are taken
LEAST_MONTHS = 48  # to learn how far the share of places taken goes back to its mean
LEAST_MONTHS_OF_MEAN = 12  # before what the rule missed by is counted
RETURN_PHI = 0.5  # of today's deviation that is left after a year or two (tuned on synthetic councils)
BEYOND_CHANCE = 0.7  # of what that rule misses by, beyond the chance of the desk itself (tuned on synthetic councils)
MEAN_HALF_LIFE_YEARS = 2.0  # of the mean that the share of places taken goes back to (tuned on synthetic councils)
AHEAD_SD, AHEAD_PRIOR_YEARS = 0.03, 2.0  # relative spread of the share taken to come, and years it is worth (assumed)
FLOW_YEARS = 3.0
WALK_SD: Final = {"foster_own": 0.05, "childrens_house_own": 0.05}  # log a year, where nothing is known (assumed)
WALK_PRIOR_YEARS = 2.0
DRIFT_PRIOR_SD = 0.01  # log a year
DRIFT_YEARS = 2.0  # over which drift and walk share the changes seen: the middle of the years ahead that are scored
LEAST_OF_WALK = 0.5  # of the variance, left to the walk
ONE_BY_ONE: Final = ("foster_own",)  # kinds whose places come and go one by one
MONTHS_AUTOCORRELATED = 3.0  # months that count as one observation of the level
NO_BASE = (0.9, 0.05, 0.45)  # usable share, its standard deviation, match chance, where nothing is known (assumed)
USABLE_SD = 0.06  # of the base's usable share, at least
TOLD_SD = 0.15  # the same where places are told: how many are taken lately is to decide, not the base
FULL_CHANCE = 0.9  # of finding an own home, below which a month counts as full
MONTHLY: Final = ("placement_type", "month", "places", "occupied", "usable", "free", "found_chance", "full")


@dataclass(frozen=True, slots=True)
class Filled:
    """Own homes of one kind through the months, and what follows from them."""

    kind: str
    month_end: Ints  # day numbers
    places: Array  # by month; nan where not told
    occupied: Array
    now_places: int  # that the model should hold at the as-at date
    told: bool  # whether capacity was told, else taken from the stock
    usable_share: float
    usable_sd: float
    ahead_sd: float  # of the usable share one to two years ahead, around what is expected of it
    ahead_is_all: bool  # learned from what the rule missed by, today's own uncertainty in it
    match_chance: float
    asks_per_year: float
    leave_rate: float
    expected: float  # children looked after at the usable places of now, in the long run
    recent: float  # children looked after to be expected at the places of now
    staying: float  # young people over 18 who keep a place, in the long run
    walk_sd: float  # log a year
    drift: float  # log a year
    drift_sd: float
    posterior: Array  # [usable share, cumulated chance]
    notes: tuple[str, ...]


def month_ends(first: dt.date, last: dt.date) -> Ints:
    """Last days of the months from ``first`` to ``last``; the as-at day itself is the end of its month."""
    ends = pd.date_range(first, last, freq="ME")
    days = [basis.day_of(day.date()) for day in ends]
    if not days or days[-1] < basis.day_of(last):
        days.append(basis.day_of(last))
    return np.array(days, dtype=np.int64)


def taken(history: History, kinds: tuple[str, ...], days: Ints) -> Array:
    """Children in placements of these types on each day."""
    rows = history.placements[history.placements["placement_type"].isin(kinds)]
    start, end = np.sort(basis.day_number(rows["start"])), basis.day_number(rows["end"])
    lost = (rows["end_kind"] == "vanished").to_numpy() & (end < 0)
    end = np.where(lost, basis.day_number(rows["observed_to"]), end)
    end = np.sort(np.where(end < 0, np.iinfo(np.int64).max, end))
    return (np.searchsorted(start, days, side="right") - np.searchsorted(end, days, side="right")).astype(float)


def told_places(history: History, kind: str, days: Ints) -> Array:
    """Places in the whole council at each day: the last told before it; nan before the first."""
    rows = history.capacity[history.capacity["placement_type"] == kind]
    out = np.full(len(days), np.nan)
    if not len(rows):
        return out
    total = np.zeros(len(days))
    seen = np.zeros(len(days), dtype=bool)
    for _, mine in rows.groupby("locality", sort=True):
        by_day = mine.groupby("date")["places"].last().sort_index()
        at = np.searchsorted(basis.day_number(pd.Series(by_day.index)), days, side="right") - 1
        total += np.where(at >= 0, by_day.to_numpy(dtype=float)[np.maximum(at, 0)], 0.0)
        seen |= at >= 0
    out[seen] = total[seen]
    return out


def flows(history: History, kind: str, as_at: dt.date) -> tuple[float, float]:
    """(asks a year for this kind or the one bought in its place, leaving rate a year of the own ones), last years."""
    last = basis.day_of(as_at) + 1
    first = last - round(FLOW_YEARS * w.DAYS_PER_YEAR)
    if history.observed_from is not None:
        first = max(first, basis.day_of(history.observed_from))
    rows = history.placements[history.placements["placement_type"].isin((kind, OWN_AND_BOUGHT[kind]))]
    start, end = basis.day_number(rows["start"]), basis.day_number(rows["end"])
    asked = (start >= first) & (start < last) & (rows["start_kind"] != "already_in_care").to_numpy()
    years = max((last - first) / w.DAYS_PER_YEAR, 0.25)
    own = (rows["placement_type"] == kind).to_numpy()
    stop = np.where(end < 0, last, np.minimum(end, last))
    at_risk = float(np.clip(stop - np.maximum(start, first), 0, None)[own].sum()) / w.DAYS_PER_YEAR
    left = int((own & (end >= first) & (end < last)).sum())
    return float(asked.sum()) / years, (left + 1.0) / (at_risk + 1.0)


def filled(history: History, base: Calibrated | None, as_at: dt.date, kind: str) -> Filled | None:
    """What own homes of a kind show; None when there are none and none were told."""
    first = history.observed_from or as_at
    days = month_ends(max(first, dt.date(as_at.year - 15, 1, 1)), as_at)
    places, occupied = told_places(history, kind, days), taken(history, (kind,), days)
    told = bool(np.isfinite(places).any())
    if not told and occupied[-36:].max(initial=0.0) == 0:
        return None
    share, share_sd, match = prior(base, kind)
    share_sd = TOLD_SD if told else share_sd
    asks, rate = flows(history, kind, as_at)
    use = places > 0 if told else np.ones(len(days), dtype=bool)
    ratio = occupied[use] / places[use] if told else occupied
    if not use.any():
        return None
    recent, ratio_sd, ahead_sd = ahead(ratio, days[use], learn=told)
    now = float(places[-1]) if told else 0.0
    notes: list[str] = []
    if not told:
        now = max(math.ceil((recent + vacancies(recent, asks, rate, match)) / share), 1)
        notes.append(f"{kind}: no places told; taken as {now:.0f}, what the children in them lately need (assumed)")
    level = recent * now if told else recent
    staying = min(staying_on.expected(history, base, as_at, kind), 0.15 * level) if base else 0.0
    needed = level + staying + vacancies(level, asks, rate, match)
    if told and needed > now:
        notes.append(
            f"{kind}: {level:.0f} children lately in {now:.0f} places told; {math.ceil(needed)} places taken for the model"
        )
        now = math.ceil(needed)
    grid, cumulated, expected = _posterior(
        now, level + staying, ratio_sd * max(level, 1.0), (share, share_sd), (asks, rate, match)
    )
    density = np.diff(np.concatenate([[0.0], cumulated]))
    mean = float(grid @ density)
    ahead_share = mean * ahead_sd / max(recent, 1e-6)
    kept = float(np.interp(mean, grid, expected)) - staying
    walk, drift, drift_sd = walk_of(places if told else occupied, days, kind)
    return Filled(
        kind, days, places, occupied, round(now), told, mean, math.sqrt(max(float((grid - mean) ** 2 @ density), 1e-6)),
        ahead_share, told and int(use.sum()) >= LEAST_MONTHS, match, asks, rate, kept, level, staying, walk, drift, drift_sd,
        np.stack([grid, cumulated]), tuple(notes),
    )  # fmt: skip


def prior(base: Calibrated | None, kind: str) -> tuple[float, float, float]:
    """(usable share, its standard deviation, match chance) of the base; assumed ones without a base."""
    rows = [p for p in base.parameters.providers if p.placement_type == kind and p.places] if base else []
    if base is None or not rows:
        return NO_BASE
    weight = [float(p.places or 0) for p in rows]
    drawn = base.draws.get(f"provider.{rows[0].code}.usable_share")
    sd = USABLE_SD if drawn is None else max(float(drawn.std()), USABLE_SD)
    share = float(np.average([p.usable_share for p in rows], weights=weight))
    match = float(np.average([p.match_chance for p in rows], weights=weight))
    return min(max(share, 0.3), 0.99), sd, min(max(match, 0.05), 1.0)


def vacancies(taken_now: float, asks: float, rate: float, match: float) -> float:
    """Free places at which as many find one as leave: asks (1 - (1 - match)^free) = leaving; none when too few ask."""
    served = min(taken_now * rate / max(asks, 1e-9), 0.95)
    return math.log(1 - served) / math.log(1 - min(match, 0.99)) if match < 1 else 0.0


def ahead(ratio: Array, days: Ints, learn: bool = True) -> tuple[float, float, float]:
    """(share of places taken that is expected one to two years ahead, relative sd of its level, sd of what is to come).

    The share today goes part of the way back to its mean, recent years counting most: expected = mean + phi (today -
    mean), phi = ``RETURN_PHI``. What that rule has missed by in the council's own past is the spread of what is to come;
    part of it is the desk's own chance, which every simulation has of itself (``BEYOND_CHANCE`` is the rest). Those misses
    hold that today's level is not known exactly, so where they were learned it is not counted again (``ahead_is_all``).
    """
    weight = 0.5 ** ((days[-1] - days) / (RECENT_HALF_LIFE_YEARS * w.DAYS_PER_YEAR))
    lately = float(np.average(ratio, weights=weight))
    n = max(basis.effective(weight) / MONTHS_AUTOCORRELATED, 1.0)
    spread = math.sqrt(float(np.average((ratio - lately) ** 2, weights=weight)) * n / max(n - 1, 1) + 1e-6)
    level_sd = spread / math.sqrt(n) / max(lately, 1e-6)
    usual = AHEAD_SD * lately
    if len(ratio) < LEAST_MONTHS or not learn:
        return lately, level_sd, usual
    expected = _mean_so_far(ratio) * (1 - RETURN_PHI) + RETURN_PHI * ratio
    later = np.convolve(ratio, np.ones(13) / 13, mode="valid")[12:]  # means of the months 12 to 24 ahead
    left = (later - expected[: len(later)])[LEAST_MONTHS_OF_MEAN:]
    years = len(left) / 12
    sd = math.sqrt((float((left**2).sum()) / 12 + AHEAD_PRIOR_YEARS * usual**2) / (years + AHEAD_PRIOR_YEARS))
    return float(expected[-1]), level_sd, BEYOND_CHANCE * sd


def _mean_so_far(ratio: Array) -> Array:
    """Mean of the months up to each, recent ones counting most."""
    fade = 0.5 ** (1 / (12 * MEAN_HALF_LIFE_YEARS))
    out = np.empty(len(ratio))
    summed = counted = 0.0
    for at, value in enumerate(ratio):
        summed, counted = fade * summed + float(value), fade * counted + 1.0
        out[at] = summed / counted
    return out


def _posterior(
    places: float, level: float, level_sd: float, share: tuple[float, float], system: tuple[float, float, float]
) -> tuple[Array, Array, Array]:
    """(usable shares, cumulated chance, mean number taken) over a grid; one place is the least that is told apart."""
    asks, rate, match = system
    step = min(max(0.25 / max(places, 1.0), 0.002), 0.02)
    grid = np.arange(0.3, 1.0 + 1e-9, step)
    usable = np.array([usable_places(places, float(u)) for u in grid])
    low, high = int(usable.min()), int(usable.max())
    means = np.array([expected_occupancy(c, asks, rate, match) for c in _some(low, high)])
    expected = np.interp(usable, _some(low, high), means)
    sd = math.sqrt(level_sd**2 + 0.5**2)
    log_chance = -0.5 * ((expected - level) / sd) ** 2 - 0.5 * ((grid - share[0]) / max(share[1], 0.01)) ** 2
    chance = np.exp(log_chance - log_chance.max())
    return grid, np.cumsum(chance) / chance.sum(), expected


def _some(low: int, high: int) -> Ints:
    """Numbers of places to work out, every one of a few, else eighty of them."""
    return np.unique(np.round(np.linspace(low, high, min(high - low + 1, 80))).astype(np.int64))


def walk_of(series: Array, days: Ints, kind: str) -> tuple[float, float, float]:
    """(log sd a year, drift a year, its standard deviation) of a monthly series of places.

    s^2 = mean squared yearly change, from changes over 12, 24 and 36 months, leaning on the prior with the weight of
    ``WALK_PRIOR_YEARS``: foster places, many that come and go one by one, in logs; houses, which open and close whole and
    seldom, in squares, since a quiet past says little. The drift is the recency-weighted mean change shrunk to none. What
    it makes of the changes seen is not counted again: sd^2 = s^2 - ``DRIFT_YEARS`` (drift^2 + its variance).
    """
    usual = WALK_SD[kind]
    use = np.isfinite(series) & (series > 0)
    logs, when = np.log(series[use]), days[use]
    years = (when[-1] - when[0]) / w.DAYS_PER_YEAR if len(when) else 0.0
    if years < 1.5 or len(logs) < 15:
        return usual, 0.0, DRIFT_PRIOR_SD
    lags = [lag for lag in (12, 24, 36) if len(logs) >= 2 * lag]
    square = float(np.mean([((logs[lag:] - logs[:-lag]) ** 2).mean() * 12 / lag for lag in lags or [12]]))
    weights = (years, WALK_PRIOR_YEARS)
    if kind in ONE_BY_ONE:
        least = math.exp(-2 * float(logs[-1])) / 4  # half a place
        sd = math.exp(float(np.average([math.log(max(square, least)) / 2, math.log(usual)], weights=weights)))
    else:
        sd = math.sqrt(float(np.average([square, usual**2], weights=weights)))
    weight = 0.5 ** ((when[-1] - when[1:]) / (basis.HALF_LIFE_YEARS * w.DAYS_PER_YEAR))
    rise = float(np.average(np.diff(logs), weights=weight)) * 12
    drift, drift_sd = basis.shrunk(rise, sd / math.sqrt(max(basis.effective(weight) / 12, 1.0)), 0.0, DRIFT_PRIOR_SD)
    beyond = sd**2 - DRIFT_YEARS * (drift**2 + drift_sd**2)
    return math.sqrt(max(beyond, LEAST_OF_WALK * sd**2)), drift, drift_sd


def monthly(found: Filled) -> pd.DataFrame:
    """Places, children in them and the chance that one who asks finds one, month by month."""
    usable = found.places * found.usable_share
    free = np.maximum(usable - found.occupied, 0.0)
    chance = 1 - (1 - found.match_chance) ** free
    out = pd.DataFrame(
        {
            "placement_type": found.kind,
            "month": pd.to_datetime([basis.date_of(day).replace(day=1) for day in found.month_end]),
            "places": found.places, "occupied": found.occupied, "usable": usable, "free": free,
            "found_chance": chance, "full": chance < FULL_CHANCE,
        }
    )  # fmt: skip
    return out[np.isfinite(found.places)].drop_duplicates("month", keep="last").reset_index(drop=True)[list(MONTHLY)]


def all_filled(history: History, base: Calibrated | None, as_at: dt.date) -> dict[str, Filled]:
    """Own homes of both kinds."""
    found = {kind: filled(history, base, as_at, kind) for kind in OWN_TYPES}
    return {kind: homes for kind, homes in found.items() if homes is not None}
