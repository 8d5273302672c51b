"""What placements cost a week by type: level in the price year, spread and tail, and how prices have risen.

Costs are weighted by the days they were paid for, year by year back from the as-at date. In each year and type

    ln(mean cost) = level - growth x years back + error,  error sd = sqrt((exp(sigma^2) - 1) / effective placements),

sigma the log standard deviation of costs within the type. The growth is shrunk to the base's uplift, which is a forecast;
the level follows the last years most (half-life a year and a half) and is moved to the middle of the price year.
"""

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np

from carecast.calibration import draw
from carecast.calibration.arrays import Array, Ints
from carecast.calibration.assemble import UPLIFT_OF_TYPE
from carecast.calibration.readers.history import History
from carecast.calibration.returns import basis
from carecast.calibration.returns.part import Part
from carecast.model import words as w
from carecast.model.parameters import Calibrated, How, Number, Provider
from carecast.model.prices import growth as grown

MOST_YEARS = 10
LEVEL_HALF_LIFE_YEARS = 1.5
LEAST_EFFECTIVE = 2.0  # placements in a year for it to count
PRIOR_PRICE_SD = 0.4  # log: how far a council's price may lie from the base's
PRIOR_SIGMA_PLACEMENTS = 8.0
PAST_IS_NOT_FUTURE_SD = 0.015  # of a yearly rise, on top of its standard error
LEAST_UPLIFT_SD = 0.01
HIGHEST_SIGMA = 1.5
UPLIFTS = ("pay", "prices", "external")


@dataclass(frozen=True, slots=True)
class Price:
    """Weekly price of a type: the whole cost of a child's place, fixed part included."""

    value_gbp: float
    sd_ln: float
    sigma_ln: float  # spread of the mean-one multiplier of single placements
    growth: float  # log, a year, own alone
    growth_sd: float
    n: int
    price_year: str
    source: str
    how: How


@dataclass(frozen=True, slots=True)
class Paid:
    """Rows of cost: pounds a week, the days they were paid for, and years back by days."""

    cost: Array
    kind: Ints
    start: Ints
    days: Array  # [row][years back]


def paid(history: History, as_at: dt.date) -> Paid:
    """Costs with the days of each year back from the as-at date they were paid for."""
    rows = history.costs
    cost = rows["weekly_cost_gbp"].to_numpy(dtype=float)
    start, end = basis.day_number(rows["start"]), basis.day_number(rows["end"])
    last = basis.day_of(as_at) + 1
    stop = np.where(end < 0, last, np.minimum(end, last))
    edges = last - np.round(w.DAYS_PER_YEAR * np.arange(MOST_YEARS + 1)).astype(np.int64)
    days = np.clip(np.minimum(stop[:, None], edges[None, :-1]) - np.maximum(start[:, None], edges[None, 1:]), 0, None)
    kind = np.array([w.PLACEMENT_TYPES.index(k) if k in w.PLACEMENT_TYPES else -1 for k in rows["placement_type"]])
    use = np.isfinite(cost) & (cost > 0) & (days.sum(axis=1) > 0)
    return Paid(cost[use], kind[use].astype(np.int64), start[use], days[use].astype(float))


def fitted_prices(history: History, base: Calibrated, as_at: dt.date) -> dict[str, Price]:
    """Price of every type whose costs the files tell."""
    history = basis.known(history, as_at)
    if not history.has("costs"):
        return {}
    rows = paid(history, as_at)
    found = {kind: _price(rows, at, kind, base, as_at) for at, kind in enumerate(w.PLACEMENT_TYPES)}
    return {kind: price for kind, price in found.items() if price is not None}


def _price(rows: Paid, at: int, kind: str, base: Calibrated, as_at: dt.date) -> Price | None:
    mine = rows.kind == at
    if not mine.any():
        return None
    cost, days = rows.cost[mine], rows.days[mine]
    sigma = _sigma(cost, days, base, kind)
    total = days.sum(axis=0)
    size = np.where(total > 0, total**2 / np.maximum((days**2).sum(axis=0), 1e-9), 0.0)
    years = np.flatnonzero(size >= LEAST_EFFECTIVE)
    if not len(years):
        years = np.flatnonzero(total > 0)[:1]
    mean = np.log((cost[:, None] * days).sum(axis=0)[years] / total[years])
    error = np.sqrt(np.expm1(sigma * sigma) / size[years]) + 1e-4
    before = base.parameters.numbers[f"uplift.{UPLIFT_OF_TYPE.get(kind, 'prices')}_per_year"]
    usual, usual_sd = math.log1p(before.value), max(basis.number_sd(before, "plain"), LEAST_UPLIFT_SD)
    slope, slope_sd = _slope(years.astype(float), mean, error)
    if slope_sd > 0:
        rise, _ = basis.shrunk(slope, slope_sd, usual, usual_sd)
    else:
        rise = usual
    level, sd = _level(years.astype(float), mean, error, rise)
    ahead = (_middle(basis.financial_year(as_at)) - (basis.day_of(as_at) + 1 - w.DAYS_PER_YEAR / 2)) / w.DAYS_PER_YEAR
    level += rise * ahead
    usual_price = base_price(base, kind, basis.financial_year(as_at))
    if usual_price > 0:
        level, sd = basis.shrunk(level, sd, math.log(usual_price), PRIOR_PRICE_SD)
    until = np.minimum(rows.start[mine], basis.day_of(as_at))
    return Price(
        value_gbp=math.exp(level), sd_ln=sd, sigma_ln=sigma, growth=slope, growth_sd=slope_sd, n=len(cost),
        price_year=basis.financial_year(as_at), how="fitted",
        source=basis.source("costs.csv", f"{kind} episodes", until),
    )  # fmt: skip


def _middle(year: str) -> int:
    """Day in the middle of a financial year."""
    return basis.day_of(dt.date(int(year[:4]), 9, 30))


def _sigma(cost: Array, days: Array, base: Calibrated, kind: str) -> float:
    """Log standard deviation of costs within years, recent years most, shrunk to the base's."""
    weight = days * 0.5 ** (np.arange(days.shape[1]) / basis.HALF_LIFE_YEARS)
    logs = np.log(cost)[:, None]
    total = np.maximum(weight.sum(axis=0), 1e-9)
    middle = (weight * logs).sum(axis=0) / total
    variance = float((weight * (logs - middle) ** 2).sum() / weight.sum())
    n = basis.effective(weight.sum(axis=1))
    prior = max((p.price_sigma_ln for p in base.parameters.providers if p.placement_type == kind), default=0.0)
    prior = prior if prior > 0 else 0.15
    out = math.sqrt((n * variance + PRIOR_SIGMA_PLACEMENTS * prior**2) / (n + PRIOR_SIGMA_PLACEMENTS))
    return min(out, HIGHEST_SIGMA)


def _slope(back: Array, mean: Array, error: Array) -> tuple[float, float]:
    """(yearly rise of log prices, its standard error widened for placements that last over years); (0, 0) if unknown."""
    if len(back) < 3:
        return 0.0, 0.0
    weight = 1 / error**2
    middle = float(np.average(back, weights=weight))
    spread = float((weight * (back - middle) ** 2).sum())
    rise = -float((weight * (back - middle) * mean).sum() / spread)
    left = mean - np.average(mean, weights=weight) + rise * (back - middle)
    excess = max(float((weight * left**2).sum()) / max(len(back) - 2, 1), 1.0)
    return rise, math.sqrt(2.0 * excess / spread)


def _level(back: Array, mean: Array, error: Array, rise: float) -> tuple[float, float]:
    """(log price in the middle of the last year, its standard deviation)."""
    weight = 0.5 ** (back / LEVEL_HALF_LIFE_YEARS) / error**2
    share = weight / weight.sum()
    return float(share @ (mean + rise * back)), math.sqrt(float((share**2 * error**2).sum()) * 2.0)


def base_price(base: Calibrated, kind: str, year: str) -> float:
    """The base's whole weekly price of a type's place at prices of a financial year; 0 when it has none."""
    rows = [p for p in base.parameters.providers if p.placement_type == kind]
    if not rows:
        return 0.0
    whole = np.array([p.weekly_cost_gbp + fixed_a_place(p) for p in rows])
    price = float(np.average(whole, weights=[max(p.places or 1, 1e-3) for p in rows]))
    rate = base.parameters.number(f"uplift.{rows[0].uplift}_per_year")
    return price * grown(rate, int(year[:4]) - int(rows[0].price_year[:4]))


def fixed_a_place(provider: Provider) -> float:
    """Fixed weekly cost for each usable place."""
    usable = (provider.places or 0) * provider.usable_share
    return provider.fixed_weekly_cost_gbp / usable if usable > 0 else 0.0


def fixed_share(base: Calibrated, kind: str) -> float:
    """Share of the whole price of a type's place that stays when the place is empty, in the base."""
    rows = [p for p in base.parameters.providers if p.placement_type == kind]
    fixed = sum(fixed_a_place(p) for p in rows)
    whole = fixed + sum(p.weekly_cost_gbp for p in rows)
    return fixed / whole if whole > 0 else 0.0


def fit(history: History, base: Calibrated, as_at: dt.date) -> Part:
    """Own inflation by kind of price, and the record of levels and spreads; providers get their prices from ``places``."""
    found = fitted_prices(history, base, as_at)
    if not found:
        return Part("prices", notes=("Prices: no costs.csv, so prices and their rises are those of the base.",))
    numbers: dict[str, Number] = {}
    for name in UPLIFTS:
        mine = [p for kind, p in found.items() if UPLIFT_OF_TYPE.get(kind, "prices") == name and p.growth_sd > 0]
        before = base.parameters.numbers[f"uplift.{name}_per_year"]
        if mine:
            numbers[f"uplift.{name}_per_year"] = _uplift(before, mine)
    drawn = {
        name: values for name, values in ((n, draw.of_number(n, x)) for n, x in numbers.items()) if values is not None
    }
    record = {
        kind: {"rise_per_year": round(math.expm1(p.growth), 4), "rise_sd": round(p.growth_sd, 4), "n": p.n}
        for kind, p in found.items()
    }
    missing = [kind for kind in history.placements["placement_type"].unique() if kind not in found]
    notes = (f"Prices: no cost is told of {', '.join(sorted(missing))}; theirs are the base's.",) if missing else ()
    return Part("prices", numbers=numbers, draws=drawn, notes=notes, record=record)


def _uplift(before: Number, own: list[Price]) -> Number:
    """A yearly rise: the base's forecast and the council's own past rises by type, each by its precision."""
    weight = np.array([1 / (p.growth_sd**2 + PAST_IS_NOT_FUTURE_SD**2) for p in own])
    rise = math.expm1(float(np.average([p.growth for p in own], weights=weight)))
    sd = math.sqrt(1 / float(weight.sum()) + PAST_IS_NOT_FUTURE_SD**2)
    usual_sd = max(basis.number_sd(before, "plain"), LEAST_UPLIFT_SD)
    value, spread = basis.shrunk(rise, sd, before.value, usual_sd)
    n = sum(p.n for p in own)
    return basis.fitted(
        value, max(spread, LEAST_UPLIFT_SD), before.unit, f"costs.csv, yearly rises by type, n={n}; {before.source}",
        "plain", note=f"Own past rise {100 * rise:.1f} % a year, shrunk to the base's {100 * before.value:.1f} %",
    )  # fmt: skip
