"""What a council's records say month by month: children looked after by type and group, entries, exits and spend.

Conventions as in ``summary.csv``: a child counts on day t if start <= t < end; flows of a month are events after the last
day of the month before.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Array
from carecast.calibration.readers.history import History
from carecast.model import words as w
from carecast.model.parameters import BadFile

Cell = tuple[str, str]  # measure, breakdown
TOTAL: Cell = ("looked_after", "total")
AWAY: Cell = ("looked_after_away_from_home", "total")
ENTRIES: Cell = ("entries_to_care", "total")
EXITS: Cell = ("exits_from_care", "total")
SPEND: Cell = ("placement_cost_gbp", "total")  # of the twelve months to the date, cash
FLOWS = (ENTRIES, EXITS)
GROUPS: dict[str, tuple[str, ...]] = {
    "fostering": ("kinship", "foster_own", "foster_agency"),
    "residential": w.PLACEMENT_TYPES[w.FIRST_RESIDENTIAL :],
    "supported": ("supported_accommodation",),
    "other": ("at_home", "prospective_adopters", "other_community"),
}
LEAST_COSTED = 0.8  # share of days away from home whose price is known, below which spend is not scored


def of_group(name: str) -> Cell:
    """The cell of a group of placement types."""
    return ("looked_after", f"group={name}")


def of_type(name: str) -> Cell:
    """The cell of a placement type."""
    return ("looked_after", f"placement_type={name}")


@dataclass(frozen=True, slots=True)
class Past:
    """Series by cell, one value a month end; NaN where the records do not say."""

    dates: tuple[dt.date, ...]
    values: dict[Cell, Array]

    def until(self, day: dt.date) -> "Past":
        """The part on or before a day."""
        n = sum(date <= day for date in self.dates)
        return Past(self.dates[:n], {cell: series[:n] for cell, series in self.values.items()})

    def at(self, cell: Cell, origin: dt.date, date: dt.date) -> float | None:
        """The value to score at ``date``: a stock or yearly spend as it stands, a flow summed from ``origin`` on."""
        if date not in self.dates or cell not in self.values:
            return None
        last = self.dates.index(date)
        if cell in FLOWS:
            if origin not in self.dates:
                return None
            found = float(self.values[cell][self.dates.index(origin) + 1 : last + 1].sum())
        else:
            found = float(self.values[cell][last])
        return None if np.isnan(found) else found


def month_ends(first: dt.date, last: dt.date) -> tuple[dt.date, ...]:
    """Last days of the months that lie wholly between two days, both included."""
    begin = pd.Timestamp(first) if first.day == 1 else pd.Timestamp(first) + pd.offsets.MonthBegin()
    return tuple(day.date() for day in pd.date_range(begin, pd.Timestamp(last), freq="ME"))


def add_months(day: dt.date, months: int) -> dt.date:
    """The month end so many months after a month end."""
    found: dt.date = (pd.Timestamp(day) + pd.offsets.MonthEnd(months)).date()
    return found


def read_past(history: History) -> Past:
    """Monthly series of a history of children.

    Raises:
        BadFile: it holds no placements, or not a single whole month.
    """
    if not history.has("placements") or history.observed_to is None:
        raise BadFile("the history holds no placements of children, so there is nothing to count month by month")
    placed = history.placements
    first = history.observed_from or placed["start"].min().date()
    dates = month_ends(first, history.observed_to)
    if not dates:
        raise BadFile(f"the history runs from {first} to {history.observed_to}: not one whole month")
    days = np.array([day.toordinal() for day in dates])
    start, end = ordinals(placed["start"]), ends_of(placed)
    types = placed["placement_type"].to_numpy()
    values: dict[Cell, Array] = {TOTAL: _stock(start, end, days)}
    by_type = {name: _stock(start[types == name], end[types == name], days) for name in w.PLACEMENT_TYPES}
    values[AWAY] = values[TOTAL] - by_type["at_home"]
    values |= {of_group(name): np.sum([by_type[t] for t in members], axis=0) for name, members in GROUPS.items()}
    values |= {of_type(name): series for name, series in by_type.items() if series.any()}
    values |= _flows(history, days)
    spend = monthly_cost(history, dates)
    if spend is not None:
        values[SPEND] = _last_twelve(np.sum(list(spend.values()), axis=0))
    return Past(dates, values)


def ordinals(days: pd.Series) -> Array:
    """Days as ordinals; a blank is never."""
    since_1970 = days.to_numpy().astype("datetime64[D]")
    blank = np.isnat(since_1970)
    out: Array = np.where(blank, w.NEVER, since_1970.astype("int64") + dt.date(1970, 1, 1).toordinal())
    return out


def ends_of(rows: pd.DataFrame) -> Array:
    """The first day a row no longer holds: its end, or the day after the last it is known to have gone on to."""
    ends = ordinals(rows["end"])
    if "observed_to" not in rows.columns:
        return ends
    known = ordinals(rows["observed_to"])
    out: Array = np.where((ends == w.NEVER) & (known < w.NEVER), known + 1, ends)
    return out


def _stock(start: Array, end: Array, days: Array) -> Array:
    """How many rows hold at the end of each day."""
    begun = np.searchsorted(np.sort(start), days, side="right")
    over = np.searchsorted(np.sort(end), days, side="right")
    found: Array = (begun - over).astype(float)
    return found


def _flows(history: History, days: Array) -> dict[Cell, Array]:
    """Entries and exits of each month: the first and last placement of each period of care."""
    rows = history.placements.sort_values(["child", "spell", "order"])
    same = (rows[["child", "spell"]].diff() == 0).all(axis=1).to_numpy()  # goes on from the row before
    truncated = rows["start_kind"].to_numpy() == "already_in_care"
    came = ordinals(rows["start"])[~same & ~truncated]
    left = ordinals(rows["end"])[~np.append(same[1:], False)]
    edges = np.concatenate([[dt.date.fromordinal(int(days[0])).replace(day=1).toordinal() - 1], days])
    out = {}
    for cell, found in ((ENTRIES, came), (EXITS, left)):
        out[cell] = np.diff(np.searchsorted(np.sort(found), edges, side="right")).astype(float)
    return out


def monthly_cost(history: History, dates: tuple[dt.date, ...]) -> dict[str, Array] | None:
    """Cost of placements in cash by type and month; None when too few prices are known.

    A day without a price is taken at the mean price of its type and month (or of its type); days at home cost nothing
    unless a price says otherwise.
    """
    rows = history.episodes if history.episodes["weekly_cost_gbp"].notna().any() else history.placements
    if not rows["weekly_cost_gbp"].notna().any():
        return None
    end = np.array([day.toordinal() for day in dates])
    first = np.concatenate([[dates[0].replace(day=1).toordinal() - 1], end[:-1]])
    start, over = ordinals(rows["start"]), ends_of(rows)
    days = np.clip(np.minimum(over[:, None], end + 1) - np.maximum(start[:, None], first + 1), 0, None).astype(float)
    weekly = rows["weekly_cost_gbp"].to_numpy(dtype=float)
    types = rows["placement_type"].to_numpy()
    known = ~np.isnan(weekly)
    away = types != "at_home"
    if days[away].sum() == 0 or days[away & known].sum() / days[away].sum() < LEAST_COSTED:
        return None
    out = {}
    for name in w.PLACEMENT_TYPES:
        of = types == name
        priced, all_days = days[of & known], days[of].sum(axis=0)
        paid, counted = (priced * weekly[of & known][:, None] / 7).sum(axis=0), priced.sum(axis=0)
        usual = paid.sum() / counted.sum() if counted.sum() > 0 else 0.0
        daily = np.divide(paid, counted, out=np.full(len(paid), usual), where=counted > 0)
        out[name] = daily * all_days
    return out


def _last_twelve(monthly: Array) -> Array:
    """Sum of the twelve months to each month; NaN for the first eleven."""
    out = np.full(len(monthly), np.nan)
    if len(monthly) >= 12:
        out[11:] = np.convolve(monthly, np.ones(12), mode="valid")
    return out
