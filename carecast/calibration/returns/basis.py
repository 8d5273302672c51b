"""What the fits of a council's own returns share: the history cut at a day, weights by age, sources, shrinkage."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Array, Ints
from carecast.calibration.fit import Z90
from carecast.calibration.readers.history import History
from carecast.model import words as w
from carecast.model.parameters import Calibrated, How, Number

GOLDEN = 0.6180339887498949  # steps that spread evenly over 0 to 1, however many are taken
HALF_LIFE_YEARS = 3.0  # what happened so long ago counts half
CHILD_DAYS = int(18 * w.DAYS_PER_YEAR)


def known(history: History, as_at: dt.date) -> History:
    """What was known at the end of a day; the same object when it holds nothing later."""
    if history.observed_to is not None and history.observed_to <= as_at:
        return history
    return history.as_at(as_at)


def day_number(dates: pd.Series) -> Ints:
    """Days since 1970; -1 for a blank."""
    days = dates.astype("datetime64[s]").to_numpy().astype("datetime64[D]").astype(np.int64)
    return np.where(dates.isna().to_numpy(), -1, days).astype(np.int64)


def day_of(date: dt.date) -> int:
    """Days since 1970."""
    return date.toordinal() - dt.date(1970, 1, 1).toordinal()


def date_of(day: float) -> dt.date:
    """The date so many days after 1 January 1970."""
    return dt.date.fromordinal(int(day) + dt.date(1970, 1, 1).toordinal())


def recency(days: Ints, as_at: dt.date, half_life_years: float = HALF_LIFE_YEARS) -> Array:
    """Weights of events on these days: 1 at the as-at date, half after each half-life."""
    out: Array = 0.5 ** (np.maximum(day_of(as_at) - days, 0) / (half_life_years * w.DAYS_PER_YEAR))
    return out


def birth_days(history: History, children: pd.Series) -> Ints:
    """Day of birth of each of these children; -1 when not known (a birth before 1970 of an unborn age is not known)."""
    born = day_number(history.children["dob"])
    number = history.children["child"].to_numpy(dtype=np.int64)
    size = int(max(number.max(initial=-1), int(children.max()) if len(children) else -1)) + 1
    table = np.full(size, -1, dtype=np.int64)
    table[number] = born
    out: Ints = table[children.to_numpy(dtype=np.int64)]
    return out


def source(file: str, what: str, days: Ints, n: int | None = None) -> str:
    """Such as ``costs.csv, episodes 2019-04-01 to 2025-03-31, n=1840``."""
    told = days[days >= 0]
    span = f" {date_of(told.min())} to {date_of(told.max())}" if len(told) else ""
    return f"{file}, {what}{span}, n={len(told) if n is None else n:d}"


def fitted(
    value: float, sd: float, unit: str, told: str, scale: str, date: str = "", note: str = "", how: How = "fitted"
) -> Number:
    """A number with the 80 % interval of its standard deviation on the ``log``, ``logit`` or ``plain`` scale."""
    if scale == "log":
        low, high = value * math.exp(-Z90 * sd), value * math.exp(Z90 * sd)
    elif scale == "logit":
        at = math.log(max(value, 1e-6) / max(1 - value, 1e-6))
        low, high = (1 / (1 + math.exp(-(at + z * sd))) for z in (-Z90, Z90))
    else:
        low, high = value - Z90 * sd, value + Z90 * sd
    interval = (round(min(low, value), 8), round(max(high, value), 8))
    return Number(value=round(value, 8), unit=unit, interval_80=interval, source=told, how=how, date=date, note=note)


def number_sd(number: Number, scale: str) -> float:
    """Standard deviation that an 80 % interval stands for, on the ``log`` or ``plain`` scale; 0 without one."""
    if number.interval_80 is None:
        return 0.0
    low, high = number.interval_80
    if scale == "log":
        return math.log(max(high, 1e-9) / max(low, high / 1e3, 1e-9)) / (2 * Z90)
    return (high - low) / (2 * Z90)


def shrunk(own: float, own_sd: float, prior: float, prior_sd: float) -> tuple[float, float]:
    """(mean, standard deviation) of a normal estimate with a normal prior."""
    if own_sd <= 0 or prior_sd <= 0:
        return (own, 0.0) if own_sd <= 0 else (prior, 0.0)
    weight = 1 / own_sd**2 / (1 / own_sd**2 + 1 / prior_sd**2)
    return weight * own + (1 - weight) * prior, math.sqrt(1 / (1 / own_sd**2 + 1 / prior_sd**2))


def dirichlet(
    counts: Mapping[str, float], prior: Mapping[str, float], pseudo_counts: float
) -> tuple[dict[str, float], float]:
    """(chances that sum to one, total pseudo-counts) from weighted counts and a prior's chances."""
    names = list(dict.fromkeys((*prior, *counts)))
    raw = {name: counts.get(name, 0.0) + pseudo_counts * prior.get(name, 0.0) for name in names}
    total = sum(raw.values())
    chances = {name: round(value / total, 8) for name, value in raw.items()}
    largest = max(chances, key=lambda name: chances[name])
    chances[largest] = 1 - sum(share for name, share in chances.items() if name != largest)
    return chances, total


def effective(weights: Array) -> float:
    """Kish's effective number of weighted observations."""
    total = float(weights.sum())
    return total * total / float((weights**2).sum()) if total > 0 else 0.0


def slug(name: str) -> str:
    """A name as part of a code."""
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())


def financial_year(day: dt.date) -> str:
    """Such as ``2024-25``."""
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}-{(first + 1) % 100:02d}"


def same_council(history: History, base: Calibrated, found: Sequence[str] = ()) -> bool:
    """Whether the base is this council's own pack: by its name, else by the localities the files name."""
    if history.council:
        return simple(history.council) == simple(base.parameters.council)
    names = {simple(place.name) for place in base.parameters.localities}
    return not found or any(simple(name) in names for name in found)


def simple(name: str) -> str:
    """Letters and digits only, lower case, without "council" and such, for comparing names."""
    words = [word for word in "".join(c if c.isalnum() else " " for c in name.lower()).split()]
    return "".join(word for word in words if word not in ("council", "county", "borough", "city", "of", "the", "and"))


def children_per_family(base: Calibrated) -> tuple[float, float]:
    """(mean number, mean of the square over the mean) of children of a family of the base."""
    chances = np.array(base.parameters.series["family.size_chances"].values)
    sizes = np.arange(1, len(chances) + 1)
    mean = float(chances @ sizes / chances.sum())
    return mean, float(chances @ sizes**2 / chances.sum()) / mean
