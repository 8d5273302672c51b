"""How many of a run's days fall in a month or financial year, and how much of a window's full size holds in each."""

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from carecast.model.calendar import Calendar
from carecast.model.plan import Window

Days = NDArray[np.int64]
Shares = NDArray[np.float64]


def year_start(name: str) -> int:
    """First calendar year of a financial year: 2022 for ``2022-23``."""
    return int(name[:4])


def year_days(name: str) -> int:
    """365 or 366."""
    first = year_start(name)
    return (dt.date(first + 1, 4, 1) - dt.date(first, 4, 1)).days


def days_by_month(calendar: Calendar, from_day: int, to_day: int | None = None) -> Days:
    """Simulated days of each month from ``from_day`` to ``to_day``, both included; the as-at day is history."""
    first = max(from_day, calendar.start_day + 1)
    last = calendar.last_day if to_day is None else min(to_day, calendar.last_day)
    starts = np.maximum(calendar.month_start_day[:-1], first)
    ends = np.minimum(calendar.month_start_day[1:] - 1, last)
    days: Days = np.maximum(ends - starts + 1, 0).astype(np.int64)
    return days


def run_days_by_month(calendar: Calendar) -> Days:
    """Simulated days of each month."""
    return days_by_month(calendar, calendar.start_day + 1)


def ramp_by_month(calendar: Calendar, window: Window) -> Shares:
    """The share of its full size a change has reached in each month: k/n in the k-th of n ramp months, then 1.

    The month that holds ``from_day`` is the first; months before are at 0.
    """
    start = dt.date.fromordinal(window.from_day)
    months = (dt.date.fromordinal(int(day)) for day in calendar.month_start_day[:-1])
    since = np.array([(month.year - start.year) * 12 + month.month - start.month for month in months], dtype=np.float64)
    reached = np.minimum((since + 1.0) / max(window.ramp_months, 1), 1.0)
    return np.where(since >= 0, reached, 0.0)


def by_year(calendar: Calendar, by_month: NDArray[np.generic]) -> NDArray[np.float64]:
    """Sum months into financial years."""
    sums = np.zeros(len(calendar.financial_years), dtype=np.float64)
    np.add.at(sums, calendar.financial_year_of_month, by_month)
    return sums


def run_days_by_year(calendar: Calendar) -> tuple[int, ...]:
    """Simulated days of each financial year."""
    return tuple(int(days) for days in by_year(calendar, run_days_by_month(calendar)))


def share_of_run_year(calendar: Calendar, window: Window, *, ramped: bool = True) -> Shares:
    """[financial year]: mean size of a change over the year's simulated days, as a share of its full size."""
    sizes = ramp_by_month(calendar, window) if ramped else np.ones(calendar.n_months)
    held = by_year(calendar, days_by_month(calendar, window.from_day, window.to_day) * sizes)
    return held / np.maximum(np.array(run_days_by_year(calendar), dtype=np.float64), 1.0)
