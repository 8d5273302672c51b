"""Months and financial years of a run: which day belongs where."""

import datetime as dt
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Calendar:
    """The grid of a run that starts on the as-at date and includes ``until``. Days are ordinals.

    Month 0 is the as-at date's own month. ``month_start_day`` has one more entry than there are months; the last is the
    first day after the last month. ``month_end_day[m]`` is the day of the census of month ``m``; months whose end lies
    after ``until`` have no row in the tables but exist for rates.
    """

    as_at: dt.date
    until: dt.date
    month_start_day: np.ndarray
    month_of_day: np.ndarray  # [day - first_day]
    first_day: int  # first day of month 0
    n_rows: int  # months with a census: month end on or before ``until``, and always month 0
    financial_years: tuple[str, ...]  # "2022-23", ...
    financial_year_of_month: np.ndarray

    @property
    def start_day(self) -> int:
        """The as-at date: the stock is as it is at the end of this day."""
        return self.as_at.toordinal()

    @property
    def last_day(self) -> int:
        """The last simulated day."""
        return self.until.toordinal()

    @property
    def n_months(self) -> int:
        """Months from the as-at date's to ``until``'s, both included."""
        return len(self.month_start_day) - 1

    @property
    def month_end_days(self) -> np.ndarray:
        """Census day of each month with a row."""
        return self.month_start_day[1 : self.n_rows + 1] - 1

    @property
    def month_end_dates(self) -> list[dt.date]:
        """Dates of the rows."""
        return [dt.date.fromordinal(int(day)) for day in self.month_end_days]

    @property
    def financial_year_ends(self) -> list[dt.date]:
        """31 March of each financial year."""
        return [dt.date(int(name[:4]) + 1, 3, 31) for name in self.financial_years]

    @property
    def part_years(self) -> tuple[str, ...]:
        """Financial years of which the run holds only a part."""
        return tuple(
            name
            for name in self.financial_years
            if dt.date(int(name[:4]), 4, 1) <= self.as_at or dt.date(int(name[:4]) + 1, 3, 31) > self.until
        )


def financial_year(day: dt.date) -> str:
    """``2022-23`` for any date from 1 April 2022 to 31 March 2023."""
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}-{(first + 1) % 100:02d}"


def make_calendar(as_at: dt.date, until: dt.date) -> Calendar:
    """Build the grid; ``until`` may equal ``as_at`` (a zero-length run).

    Raises:
        ValueError: ``until`` lies before ``as_at``.
    """
    if until < as_at:
        raise ValueError(f"the run would end on {until}, before it starts on {as_at}")
    starts = [as_at.replace(day=1)]
    while starts[-1] <= until:
        last = starts[-1]
        starts.append(dt.date(last.year + last.month // 12, last.month % 12 + 1, 1))
    starts_days = np.array([start.toordinal() for start in starts], dtype=np.int64)
    first_day = int(starts_days[0])
    n_months = len(starts) - 1
    month_of_day = np.repeat(np.arange(n_months), np.diff(starts_days)).astype(np.int64)
    whole = [m for m in range(n_months) if starts_days[m + 1] - 1 <= until.toordinal()]
    names = [financial_year(start) for start in starts[:-1]]
    years = tuple(dict.fromkeys(names))
    return Calendar(
        as_at=as_at,
        until=until,
        month_start_day=starts_days,
        month_of_day=np.append(month_of_day, n_months - 1),
        first_day=first_day,
        n_rows=max(1, len(whole)),
        financial_years=years,
        financial_year_of_month=np.array([years.index(name) for name in names], dtype=np.int64),
    )
