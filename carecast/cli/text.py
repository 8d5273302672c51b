"""Plain text for a terminal: tables, numbers with their intervals, and lines that are not too long."""

import datetime as dt
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from carecast.model.summary import quantile_positions

WIDTH = 118
MOST_COLUMNS = 8
FIRST_COLUMN = 60


def table(head: Sequence[str], rows: Iterable[Sequence[str]], first_width: int = 42, most: int = FIRST_COLUMN) -> str:
    """A plain text table: first column to the left and wrapped, the rest to the right."""
    cells = [list(row) for row in rows]
    widths = [max([len(head[i]), *(len(row[i]) for row in cells)]) for i in range(1, len(head))]
    longest = max([first_width, *(len(row[0]) for row in cells), len(head[0])])
    first = min(longest, max(first_width, most))
    lines = _lines(head, first, widths)
    lines.append("-" * (first + sum(width + 2 for width in widths)))
    return "\n".join([*lines, *(line for row in cells for line in _lines(row, first, widths))])


def _lines(row: Sequence[str], first: int, widths: Sequence[int]) -> list[str]:
    indent = row[0][: len(row[0]) - len(row[0].lstrip())]
    start, *more = textwrap.wrap(row[0], first, subsequent_indent=indent + "  ", drop_whitespace=True) or [""]
    start = start if start.startswith(indent) else indent + start
    line = start.ljust(first) + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths, strict=True))
    return [line.rstrip(), *more]


def records(frame: pd.DataFrame, decimals: int = 2) -> list[dict[str, Any]]:
    """Rows of a table for JSON, rounded as summary.csv is; what is missing is null."""
    rounded = frame.copy()
    for name in rounded.select_dtypes("float").columns:
        rounded[name] = rounded[name].round(decimals) + 0.0
    return [
        dict(zip(frame.columns, row, strict=True))
        for row in rounded.astype(object).where(frame.notna(), None).to_numpy()
    ]


def wrapped(text: str, width: int = WIDTH) -> str:
    """Long prose over several lines, the later ones indented."""
    return "\n".join(textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))


def middle_80(values: np.ndarray) -> tuple[float, float]:
    """10th and 90th percentile over replications, as summary.csv takes them."""
    low, high = quantile_positions(len(values), [100, 900])
    ordered = np.sort(values)
    return float(ordered[low]), float(ordered[high])


def fixed(value: float, digits: int = 0) -> str:
    """A number with so many decimals and no negative nought."""
    text = f"{value:,.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text


def span(values: np.ndarray, scale: float = 1.0, digits: int = 0) -> str:
    """80 % interval."""
    low, high = middle_80(values)
    return f"{fixed(low / scale, digits)} to {fixed(high / scale, digits)}"


def with_interval(values: np.ndarray, scale: float = 1.0, digits: int = 0) -> str:
    """Mean and 80 % interval."""
    return f"{fixed(float(values.mean()) / scale, digits)} ({span(values, scale, digits)})"


def pounds(value: float) -> str:
    """``£2.85m``, ``-£0.41m`` or, below £10,000, whole pounds."""
    sign = "-" if value < 0 and fixed(value) != "0" else ""
    size = abs(value)
    return f"{sign}£{size / 1e6:.2f}m" if size >= 10_000 else f"{sign}£{size:,.0f}"


def percent(share: float) -> str:
    """``33 %``; never a rounded certainty."""
    if 0 < share < 0.005:
        return "< 1 %"
    if 0.995 < share < 1:
        return "> 99 %"
    return f"{100 * share:.0f} %"


def short(number: float) -> str:
    """Three significant digits, without an exponent."""
    if number == 0:
        return "0"
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def label_of_year(date: dt.date) -> str:
    """31 March 2029 -> 2028-29."""
    return f"{date.year - 1}-{date.year % 100:02d}"
