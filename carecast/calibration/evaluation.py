"""How a saved forecast did once new data are in, and where its miss came from.

The miss is what was counted less the mean that was forecast. Of the number looked after it is the sum of

    opening:  the stock counted on the first date less the one the forecast started from
    entries:  entries counted less those forecast
    exits:    less exits counted more than those forecast
    undated:  children who come into or drop out of the records without an entry or exit

and each placement type's miss is its share of the total's (volume), what more or fewer own places explain (capacity) and
the rest (mix). Of a financial year's spend, C = sum over types of child-days n x cost a day p:

    volume    (N - N') P'            split into opening, entries, exits and undated, to which child-days are linear
    capacity  sum over own types of days in places more or fewer than assumed x (own cost a day - that of its substitute)
    mix       sum over types of (n - N n'/N') p' less capacity
    price     what is left: sum of n (p - p')

with ' for the forecast; child-days are counted from month ends for both, so that the parts add up exactly.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Array
from carecast.calibration.backtest import references, scores
from carecast.calibration.backtest.forecast import is_placement_line
from carecast.calibration.backtest.past import (
    FLOWS,
    GROUPS,
    SPEND,
    TOTAL,
    Cell,
    Past,
    add_months,
    monthly_cost,
    of_group,
    of_type,
)
from carecast.calibration.backtest.rolling import QUANTILES
from carecast.calibration.readers.history import History
from carecast.model import words as w
from carecast.model.money import Money
from carecast.model.parameters import BadFile
from carecast.model.summary import Answers

SUBSTITUTES = {"foster_own": "foster_agency", "childrens_house_own": "residential_external"}  # where overflow ends
STOCK_PARTS = ("opening", "entries", "exits", "undated")
SPEND_PARTS = (*STOCK_PARTS, "capacity", "mix", "price")
MONTH_DAYS = 365.25 / 12


@dataclass(frozen=True)
class Saved:
    """What a saved run says: by cell [replication, month end], and cost of placements in pounds by year."""

    dates: tuple[dt.date, ...]
    monthly: Mapping[Cell, Array]
    cost: Mapping[dt.date, Mapping[str, Array]]  # 31 March of whole years -> placement type -> [replication]
    places: Mapping[str, float]  # own places assumed, by type

    def values(self, cell: Cell, date: dt.date) -> Array | None:
        """Every replication's value at a date: a stock, a flow since the first date, or the cost of the year."""
        if cell == SPEND:
            return np.sum(list(self.cost[date].values()), axis=0) if date in self.cost else None
        if cell not in self.monthly or date not in self.dates:
            return None
        last = self.dates.index(date)
        series = self.monthly[cell]
        found: Array = series[:, 1 : last + 1].sum(axis=1) if cell in FLOWS else series[:, last]
        return found

    def means(self, cell: Cell) -> Array:
        """Mean over replications by month end."""
        found: Array = self.monthly[cell].mean(axis=0)
        return found


def saved_run(answers: Answers, money: Money, providers: Sequence[Mapping[str, Any]]) -> Saved:
    """A scenario of a run, as its folder holds it."""
    grid = answers.monthly
    monthly: dict[Cell, Array] = {row: grid.of(*row) for row in grid.rows if row[0] in _MEASURES}
    for name, members in GROUPS.items():
        monthly[of_group(name)] = np.sum([monthly[of_type(member)] for member in members], axis=0)
    cost: dict[dt.date, dict[str, Array]] = {}
    for year in money.layout.whole_years:
        by_type: dict[str, Array] = {}
        for at, line in enumerate(money.layout.lines):
            if is_placement_line(line):
                kind = line.removesuffix("_fixed")
                by_type[kind] = by_type.get(kind, 0.0) + money.gross[:, year, at] / 100.0
        cost[dt.date(int(money.layout.financial_years[year][:4]) + 1, 3, 31)] = by_type
    places = {
        kind: float(sum(row["places"] for row in providers if row["placement_type"] == kind and row.get("places")))
        for kind in SUBSTITUTES
    }
    return Saved(grid.dates, monthly, cost, places)


_MEASURES = ("looked_after", "looked_after_away_from_home", "looked_after_in_residential", "looked_after_in_community",
             "looked_after_at_home", "entries_to_care", "exits_from_care")  # fmt: skip


# --- how it did -----------------------------------------------------------------------------------
def known_dates(saved: Saved, past: Past) -> tuple[dt.date, ...]:
    """Month ends after the run's first that are now known.

    Raises:
        BadFile: there is none.
    """
    found = tuple(date for date in saved.dates[1:] if date in past.dates)
    if not found:
        raise BadFile(
            f"the run forecasts {saved.dates[0]} to {saved.dates[-1]}, the history tells {past.dates[0]} to "
            f"{past.dates[-1]}: no month of the forecast is known yet"
        )
    return found


def score_rows(saved: Saved, past: Past) -> pd.DataFrame:
    """A row for each known month and cell: observed, forecast, whether held, CRPS beside that of last value, PIT."""
    first = saved.dates[0]
    before = past.until(first)
    rows = []
    for date in known_dates(saved, past):
        months = round((date - first).days / MONTH_DAYS)
        for cell in past.values:
            values, observed = saved.values(cell, date), past.at(cell, first, date)
            if values is None or observed is None:
                continue
            low, high = scores.interval(values, 80)
            row = {"date": date, "months_ahead": months, "measure": cell[0], "breakdown": cell[1], "observed": observed}
            row |= {"mean": float(values.mean())}
            quantiles = np.quantile(values, list(QUANTILES.values()), method="inverted_cdf")
            row |= dict(zip(QUANTILES, quantiles.tolist(), strict=True))
            row |= {f"inside_{level}": bool(scores.is_inside(values, observed, level)) for level in scores.LEVELS}
            row["crps"] = float(scores.crps(values, observed))
            row["crps_last_value"] = last_value_crps(before, cell, months, observed)
            row["pit"] = scores.pit(values, observed, f"{date}|{cell[0]}|{cell[1]}")
            rows.append(row)
    return pd.DataFrame(rows)


def last_value_crps(before: Past, cell: Cell, months: int, observed: float) -> float:
    """CRPS of last value with its empirical error; NaN when the history before the run is too short for one."""
    series = before.values[cell]
    known = series[~np.isnan(series)]
    if len(known) < references.LEAST_CHANGES + 2:
        return float("nan")
    found = references.last_flow(known, months) if cell in FLOWS else references.last_value(known, months)
    return float(scores.crps(found.values, observed))


# --- why it missed: children ----------------------------------------------------------------------
def stock_misses(saved: Saved, past: Past, dates: Sequence[dt.date]) -> pd.DataFrame:
    """The miss of the number looked after at each date, and its parts, which add up to it exactly.

    Columns: date, observed, mean, miss, opening, entries, exits, undated.
    """
    first = saved.dates[0]
    if first not in past.dates:
        raise BadFile(f"the history does not tell {first}, the run's first month end: its miss cannot be taken apart")
    rows = []
    begun = _observed(past, TOTAL, first) - float(saved.means(TOTAL)[0])
    for date in dates:
        observed, mean = _observed(past, TOTAL, date), float(saved.means(TOTAL)[saved.dates.index(date)])
        came, left = (_flow_miss(saved, past, cell, date) for cell in FLOWS)
        miss = observed - mean
        rows.append(
            {"date": date, "observed": observed, "mean": mean, "miss": miss, "opening": begun, "entries": came,
             "exits": -left, "undated": miss - begun - came + left}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _observed(past: Past, cell: Cell, date: dt.date) -> float:
    return float(past.values[cell][past.dates.index(date)]) if cell in past.values else 0.0


def _flow_miss(saved: Saved, past: Past, cell: Cell, date: dt.date) -> float:
    observed, values = past.at(cell, saved.dates[0], date), saved.values(cell, date)
    return float(observed or 0.0) - float(values.mean() if values is not None else 0.0)


def type_misses(saved: Saved, past: Past, date: dt.date, places: Mapping[str, float]) -> pd.DataFrame:
    """Each placement type's miss at a date: volume, capacity and mix, which add up to it exactly.

    ``places``: own places there really were, by type; types that are not in it have no capacity part.
    Columns: placement_type, observed, mean, miss, volume, capacity, mix.
    """
    at = saved.dates.index(date)
    total = float(saved.means(TOTAL)[at])
    miss = _observed(past, TOTAL, date) - total
    extra = {kind: _extra_children(saved, kind, float(saved.means(of_type(kind))[at]), places) for kind in SUBSTITUTES}
    capacity = {name: 0.0 for name in w.PLACEMENT_TYPES}
    for kind, substitute in SUBSTITUTES.items():
        capacity[kind] += extra[kind]
        capacity[substitute] -= extra[kind]
    rows = []
    for name in w.PLACEMENT_TYPES:
        observed, mean = _observed(past, of_type(name), date), float(saved.means(of_type(name))[at])
        if observed or mean:
            volume = miss * mean / total if total > 0 else 0.0
            rows.append(
                {"placement_type": name, "observed": observed, "mean": mean, "miss": observed - mean, "volume": volume,
                 "capacity": capacity[name], "mix": observed - mean - volume - capacity[name]}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _extra_children(saved: Saved, kind: str, forecast: float, places: Mapping[str, float]) -> float:
    """Children that places more or fewer than assumed would hold, at the forecast's own occupancy."""
    assumed = saved.places.get(kind, 0.0)
    return (places[kind] - assumed) * forecast / assumed if kind in places and assumed > 0 else 0.0


def places_at(history: History, date: dt.date) -> dict[str, float]:
    """Own places by type at the last date on or before this one that the records give, over all localities."""
    rows = history.capacity
    rows = rows[rows["date"] <= pd.Timestamp(date)]
    out = {}
    for kind, part in rows.groupby("placement_type"):
        latest = part[part["date"] == part["date"].max()]
        if str(kind) in SUBSTITUTES and latest["places"].notna().any():
            out[str(kind)] = float(latest["places"].sum())
    return out


# --- why it missed: money -------------------------------------------------------------------------
def spend_misses(saved: Saved, past: Past, history: History) -> pd.DataFrame:
    """The miss of each whole financial year's placement cost that is known, and its parts, which add up to it exactly.

    Columns: date (31 March), observed, mean, miss, and ``SPEND_PARTS``, in pounds.
    """
    paid = monthly_cost(history, past.dates)
    if paid is None or saved.dates[0] not in past.dates:
        return pd.DataFrame(columns=["date", "observed", "mean", "miss", *SPEND_PARTS])
    rows = []
    for date, by_type in saved.cost.items():
        if date in past.dates and add_months(date, -12) in saved.dates and add_months(date, -12) in past.dates:
            rows.append(_year(saved, past, history, date, by_type, paid))
    return pd.DataFrame(rows, columns=["date", "observed", "mean", "miss", *SPEND_PARTS])


def _year(
    saved: Saved, past: Past, history: History, date: dt.date, by_type: Mapping[str, Array], paid: Mapping[str, Array]
) -> dict[str, Any]:  # fmt: skip
    last = past.dates.index(date)
    year = slice(last - 11, last + 1)
    mean = {kind: float(values.mean()) for kind, values in by_type.items()}
    observed, forecast = float(sum(series[year].sum() for series in paid.values())), sum(mean.values())
    ends = (add_months(date, -12), *(past.dates[at] for at in range(last - 11, last + 1)))
    seen = {kind: _days(ends, [_observed(past, of_type(kind), day) for day in ends]) for kind in w.PLACEMENT_TYPES}
    told = {kind: _days(ends, [_mean(saved, of_type(kind), day) for day in ends]) for kind in w.PLACEMENT_TYPES}
    all_seen, all_told = sum(seen.values()), sum(told.values())
    a_day = {kind: mean.get(kind, 0.0) / told[kind] if told[kind] > 0 else 0.0 for kind in told}
    each = sum(told[kind] * a_day[kind] for kind in told) / all_told if all_told > 0 else 0.0
    a_day = {kind: price if told[kind] > 0 else each for kind, price in a_day.items()}
    parts = stock_misses(saved, past, ends)
    out = {name: _days(ends, parts[name].tolist()) * each for name in STOCK_PARTS}
    out["undated"] += (all_seen - all_told - _days(ends, parts["miss"].tolist())) * each  # types that nobody knows
    shift = sum((seen[kind] - all_seen * told[kind] / all_told) * a_day[kind] for kind in told) if all_told > 0 else 0.0
    capacity = 0.0
    for kind, substitute in SUBSTITUTES.items():
        extra = [
            _extra_children(saved, kind, _mean(saved, of_type(kind), day), places_at(history, day)) for day in ends
        ]
        capacity += _days(ends, extra) * (a_day[kind] - a_day[substitute])
    miss = observed - forecast
    out |= {"capacity": capacity, "mix": shift - capacity, "price": miss - sum(out.values()) - shift}
    return {"date": date, "observed": observed, "mean": forecast, "miss": miss} | out


def _mean(saved: Saved, cell: Cell, date: dt.date) -> float:
    return float(saved.means(cell)[saved.dates.index(date)])


def _days(ends: Sequence[dt.date], stock: Sequence[float]) -> float:
    """Child-days between month ends: the mean of the stock at both ends of each month x its days."""
    return sum(
        (after - before).days * (stock[at] + stock[at + 1]) / 2
        for at, (before, after) in enumerate(zip(ends[:-1], ends[1:], strict=True))
    )
