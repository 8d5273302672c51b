"""What a recalibration moved: every number of two parameter sets side by side, in standard errors, and the forecasts.

A standard error is that of the old set (the standard deviation of the number's own draws, else its 80 % interval over
2 x 1.28, else the Dirichlet's): how far the number was thought able to stand from its value. Both sets rest on mostly the
same history, so a move of one is already much; most numbers should move by a fraction of one.
"""

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carecast.calibration.backtest.forecast import Told, tell
from carecast.calibration.backtest.past import AWAY, ENTRIES, EXITS, FLOWS, GROUPS, TOTAL, Cell, add_months, of_group
from carecast.calibration.fit import Z90
from carecast.model import words as w
from carecast.model.parameters import BadFile, Calibrated, Chances

COLUMNS = ("number", "part", "unit", "old", "new", "change", "standard_errors", "how_old", "how_new")
HORIZONS = (12, 24, 36)
SHOWN: tuple[Cell, ...] = (TOTAL, AWAY, *(of_group(name) for name in GROUPS), ENTRIES, EXITS)
SEED = 1
PROVIDER_FIELDS = {"places": "places", "usable_share": "share", "match_chance": "chance", "weekly_cost_gbp": "pounds a week",
                   "fixed_weekly_cost_gbp": "pounds a week"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """One number of a parameter set."""

    part: str
    unit: str
    value: float
    sd: float | None
    how: str


def difference(old: Calibrated, new: Calibrated) -> pd.DataFrame:
    """Every number that is not the same, the furthest moved in standard errors first.

    Columns: number, part, unit, old, new, change, standard_errors (NaN where the old number had no uncertainty),
    how_old, how_new. ``old`` or ``new`` is NaN where one set does not hold the number.

    Raises:
        BadFile: the sets are of different nations.
    """
    if old.parameters.nation != new.parameters.nation:
        raise BadFile(
            f"one set is of {old.parameters.nation}, the other of {new.parameters.nation}: nothing to compare"
        )
    before, after = dict(values_of(old)), dict(values_of(new))
    rows = [_row(name, before.get(name), after.get(name)) for name in dict.fromkeys((*before, *after))]
    frame = pd.DataFrame([row for row in rows if row is not None], columns=list(COLUMNS))
    order = pd.DataFrame({"se": frame["standard_errors"].abs().fillna(-1.0), "name": frame["number"]})
    at = order.sort_values(["se", "name"], ascending=[False, True]).index
    return frame.loc[at].reset_index(drop=True)


def _row(name: str, before: Value | None, after: Value | None) -> dict[str, object] | None:
    known = after or before
    if known is None or (before and after and math.isclose(before.value, after.value, rel_tol=1e-9, abs_tol=1e-12)):
        return None
    old, new = (value.value if value else math.nan for value in (before, after))
    sd = before.sd if before else None
    return {
        "number": name, "part": known.part, "unit": known.unit, "old": old, "new": new, "change": new - old,
        "standard_errors": (new - old) / sd if sd else math.nan, "how_old": before.how if before else "",
        "how_new": after.how if after else "",
    }  # fmt: skip


# --- the numbers of a set -------------------------------------------------------------------------
def values_of(calibrated: Calibrated) -> Iterator[tuple[str, Value]]:
    """Every number of a set by name, with its standard deviation where it has one."""
    spread = {str(name): float(column.std()) for name, column in calibrated.draws.items()}
    yield from _numbers(calibrated, spread)
    yield from _rates(calibrated, spread)
    yield from _chances(calibrated, spread)
    yield from _homes(calibrated, spread)
    yield from _stock(calibrated)


def _numbers(calibrated: Calibrated, spread: Mapping[str, float]) -> Iterator[tuple[str, Value]]:
    for name, number in calibrated.parameters.numbers.items():
        sd = spread.get(name)
        if sd is None and number.interval_80 is not None:
            sd = (number.interval_80[1] - number.interval_80[0]) / (2 * Z90)
        yield name, Value(name.split(".")[0], number.unit, number.value, sd or None, number.how)
    for name, series in calibrated.parameters.series.items():
        for at, value in enumerate(series.values):
            yield f"{name}[{at}]", Value("series", series.unit, value, None, series.how)
    for line in calibrated.parameters.cost_lines:
        ends = line.interval_80
        sd = (ends[1] - ends[0]) / (2 * Z90) if ends else None
        yield f"cost.{line.line}", Value("prices", f"pounds a {line.unit}", line.price_gbp, sd or None, line.how)


def _rates(calibrated: Calibrated, spread: Mapping[str, float]) -> Iterator[tuple[str, Value]]:
    """The mean hazard of each table over ages below 18 and times; its draws are multipliers of the whole table."""
    for rate in calibrated.parameters.rates:
        name = f"rate.{rate.cause}.{rate.label}"
        mean = float(np.mean(rate.per_year[: w.ADULT]))
        sd = spread.get(name, 0.0) * mean
        yield name, Value("rates", "per year, mean of cells", mean, sd if sd > 0 else None, rate.how)


def _chances(calibrated: Calibrated, spread: Mapping[str, float]) -> Iterator[tuple[str, Value]]:
    p = calibrated.parameters
    for branch in p.branches:
        yield from _outcomes(f"branch.{branch.branch}", "branches", branch, spread)
    for row in p.destinations:
        yield from _outcomes(f"destination.{row.moment}.{row.label}", "destinations", row, spread)


def _outcomes(stem: str, part: str, row: Chances, spread: Mapping[str, float]) -> Iterator[tuple[str, Value]]:
    """A row's chances are the same for all its age bands; the first names them."""
    bands = row.age_bands or ("all",)
    ages = bands[0] if len(bands) == 1 else f"{bands[0]}_and_{len(bands) - 1}_more"
    for outcome, chance in row.chances.items():
        drawn = spread.get(f"{stem}.{bands[0]}.{outcome}", 0.0)
        dirichlet = (
            math.sqrt(max(chance * (1 - chance), 0.0) / (row.pseudo_counts + 1)) if row.pseudo_counts > 0 else 0.0
        )
        yield f"{stem}.{ages}.{outcome}", Value(part, "chance", chance, drawn or dirichlet or None, row.how)


def _homes(calibrated: Calibrated, spread: Mapping[str, float]) -> Iterator[tuple[str, Value]]:
    for provider in calibrated.parameters.providers:
        for name, unit in PROVIDER_FIELDS.items():
            value = getattr(provider, name)
            if value is not None:
                column = f"price.{provider.code}" if name == "weekly_cost_gbp" else f"provider.{provider.code}.{name}"
                yield (
                    f"provider.{provider.code}.{name}",
                    Value("homes", unit, float(value), spread.get(column), provider.how),
                )


def _stock(calibrated: Calibrated) -> Iterator[tuple[str, Value]]:
    """Children in the system at the start, by state and placement type (a mean over variants of the stock)."""
    stock = calibrated.stock
    variants = max(int(stock["variant"].nunique()), 1)
    words = stock[["state", "placement_type"]].astype(str)
    for key, n in words.value_counts().sort_index().items():
        state, kind = (str(part) for part in (key if isinstance(key, tuple) else (key, "")))
        name = f"stock.{state}.{kind}" if kind else f"stock.{state}"
        yield name, Value("stock", "children", float(n) / variants, None, "counted")


# --- what it does to the forecast -----------------------------------------------------------------
def effect_on_forecast(old: Calibrated, new: Calibrated, replications: int = 200) -> pd.DataFrame:
    """The baseline of both sets at the same dates, up to three years past the new set's as-at date.

    Columns: date, measure, breakdown, old_mean, old_p10, old_p90, new_mean, new_p10, new_p90, change, old_sds (the change
    in standard deviations of the old forecast), from_start (the part that is there at the new set's start already: how
    far the old forecast was off by then). Flows count from the new set's first month end.
    """
    first = max(old.parameters.as_at, new.parameters.as_at)
    last = add_months(first, HORIZONS[-1])
    then, now = (tell(found, last, replications, SEED) for found in (old, new))
    begin = max(then.dates[0], now.dates[0])
    rows = []
    for cell in SHOWN:
        started = 0.0 if cell in FLOWS else _mean(now, cell, begin, begin) - _mean(then, cell, begin, begin)
        for months in (0, *HORIZONS):
            date = add_months(begin, months)
            if date in then.dates and date in now.dates and not (cell in FLOWS and months == 0):
                rows.append(_compared(then, now, cell, begin, date) | {"from_start": started})
    return pd.DataFrame(rows)


def _between(told: Told, cell: Cell, begin: dt.date, date: dt.date) -> np.ndarray:
    """A stock at a date, or a flow after ``begin`` up to it, by replication."""
    last = told.dates.index(date)
    series = told.monthly[cell]
    found: np.ndarray = (
        series[:, told.dates.index(begin) + 1 : last + 1].sum(axis=1) if cell in FLOWS else series[:, last]
    )
    return found


def _mean(told: Told, cell: Cell, begin: dt.date, date: dt.date) -> float:
    return float(_between(told, cell, begin, date).mean())


def _compared(then: Told, now: Told, cell: Cell, begin: dt.date, date: dt.date) -> dict[str, object]:
    old, new = (_between(told, cell, begin, date) for told in (then, now))
    row: dict[str, object] = {"date": date, "measure": cell[0], "breakdown": cell[1]}
    for name, values in (("old", old), ("new", new)):
        low, high = np.quantile(values, [0.1, 0.9], method="inverted_cdf")
        row |= {f"{name}_mean": float(values.mean()), f"{name}_p10": float(low), f"{name}_p90": float(high)}
    change, sd = float(new.mean() - old.mean()), float(old.std(ddof=1)) if len(old) > 1 else 0.0
    return row | {"change": change, "old_sds": change / sd if sd > 0 else math.nan}
