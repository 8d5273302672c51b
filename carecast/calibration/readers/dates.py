"""Dates as councils write them: day first, ISO, month in letters, a spreadsheet's day number; and what is wrong."""

import calendar
import datetime as dt
import re
from typing import Any

import numpy as np
import pandas as pd

OK, BLANK, SWAPPED, SERIAL, IMPOSSIBLE, NOT_A_DATE = range(6)
RULE_OF = {SWAPPED: "us_date", SERIAL: "serial_date", IMPOSSIBLE: "impossible_date", NOT_A_DATE: "not_a_date"}
BLANKS = {"", "nan", "nat", "none", "null", "n/a", "na", "-", "#n/a"}
_DAY_FIRST = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4}|\d{2})(?:[ T]\d.*)?")
_YEAR_FIRST = re.compile(r"(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})(?:[ T]\d.*)?")
_COMPACT = re.compile(r"(19|20)(\d{2})(\d{2})(\d{2})")
_LETTERS = re.compile(r"(\d{1,2})[ \-/]([A-Za-z]{3,9})[ \-/,]+(\d{4}|\d{2})(?:[ T]\d.*)?")
_MONTHS = {name.lower(): at for at, name in enumerate(calendar.month_abbr) if name}
_SERIAL_DAY = re.compile(r"\d{5}(\.0+)?")
_FIRST_SERIAL = dt.date(1899, 12, 30)
_TWO_DIGIT_PIVOT = 50  # 49 is 2049, 50 is 1950

Array = np.ndarray[Any, Any]


def parse(texts: pd.Series) -> tuple[pd.Series, Array]:
    """(dates, kinds) of a column of text; NaT where the kind is not one that gives a date.

    A column in which month-first dates are the rule, not the slip, is read month first throughout.
    """
    codes, unique = pd.factorize(texts.astype(object), use_na_sentinel=False)
    asked = [str(text).strip() if text is not None else "" for text in unique]
    read = [_one(text) for text in asked]
    counts = np.bincount(codes, minlength=len(unique))
    swapped = sum(int(n) for n, (_, kind) in zip(counts, read, strict=True) if kind == SWAPPED)
    told = sum(int(n) for n, text, (_, kind) in zip(counts, asked, read, strict=True) if kind == OK and _tells(text))
    if swapped > max(3, told):
        read = [_month_first(text, found) for text, found in zip(asked, read, strict=True)]
    days = np.array([day if day is not None else "NaT" for day, _ in read], dtype="datetime64[D]")
    kinds = np.array([kind for _, kind in read], dtype=np.int8)
    if not len(codes):
        return pd.Series(np.array([], dtype="datetime64[s]"), index=texts.index), np.zeros(0, dtype=np.int8)
    return pd.Series(days[codes].astype("datetime64[s]"), index=texts.index), kinds[codes]


def swap(dates: pd.Series) -> pd.Series:
    """The dates with day and month exchanged; NaT where that is no other date."""
    day, month = dates.dt.day, dates.dt.month
    possible = dates.notna() & (day <= 12) & (day != month)
    out = pd.Series(np.full(len(dates), "NaT", dtype="datetime64[s]"), index=dates.index)
    some = dates[possible]
    if len(some):
        parts = pd.DataFrame({"year": some.dt.year, "month": some.dt.day, "day": some.dt.month})
        out.loc[possible] = pd.to_datetime(parts).astype("datetime64[s]")
    return out


def birthday(births: pd.Series, years: int) -> pd.Series:
    """The day a child turns so old; 29 February becomes 28 February."""
    return births + pd.DateOffset(years=years)


def _tells(text: str) -> bool:
    """Whether a day-first date could not be month first."""
    found = _DAY_FIRST.fullmatch(text)
    return found is None or int(found[1]) > 12


def _one(text: str) -> tuple[dt.date | None, int]:
    if text.lower() in BLANKS:
        return None, BLANK
    if found := _DAY_FIRST.fullmatch(text):
        return _day_first(int(found[1]), int(found[2]), _year(found[3]))
    if found := _YEAR_FIRST.fullmatch(text):
        return _day_first(int(found[3]), int(found[2]), int(found[1]))
    if found := _COMPACT.fullmatch(text):
        return _exact(int(found[1] + found[2]), int(found[3]), int(found[4]))
    if found := _LETTERS.fullmatch(text):
        month = _MONTHS.get(found[2][:3].lower(), 0)
        return _exact(_year(found[3]), month, int(found[1])) if month else (None, NOT_A_DATE)
    if _SERIAL_DAY.fullmatch(text):
        return _FIRST_SERIAL + dt.timedelta(days=int(float(text))), SERIAL
    return None, NOT_A_DATE


def _year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    return int(text) + (2000 if int(text) < _TWO_DIGIT_PIVOT else 1900)


def _exact(year: int, month: int, day: int) -> tuple[dt.date | None, int]:
    try:
        return dt.date(year, month, day), OK
    except ValueError:
        return None, IMPOSSIBLE


def _day_first(day: int, month: int, year: int) -> tuple[dt.date | None, int]:
    found, kind = _exact(year, month, day)
    if kind == OK:
        return found, OK
    other, kind = _exact(year, day, month)
    return (other, SWAPPED) if kind == OK and month > 12 else (None, IMPOSSIBLE)


def _month_first(text: str, found: tuple[dt.date | None, int]) -> tuple[dt.date | None, int]:
    """Reading in a column where the month stands first."""
    match = _DAY_FIRST.fullmatch(text)
    if found[1] != OK or match is None:
        return found
    other, kind = _exact(_year(match[3]), int(match[1]), int(match[2]))
    return (other, SWAPPED) if kind == OK else found
