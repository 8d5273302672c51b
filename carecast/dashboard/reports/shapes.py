"""The tables of a report: typed columns and plain values, the same for every kind of document."""

import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from carecast.dashboard.reports import words

Kind = Literal["text", "count", "exact", "pounds", "percent", "chance", "date"]
Value = str | float | int | None
KIND_WORDS = {
    "text": "words",
    "count": "number, one decimal",
    "exact": "number",
    "pounds": "pounds sterling",
    "percent": "per cent",
    "chance": "share between 0 and 1, shown as per cent",
    "date": "date, as YYYY-MM-DD",
}
NUMERIC = ("count", "exact", "pounds", "percent", "chance")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in files, its heading, what it holds, and how a workbook computes it.

    ``formula`` is in terms of other columns of the row: ``[gross] - [released]``; ``[scenario^]`` is the cell above;
    ``{Savings.net}`` is a whole column of another table.
    """

    key: str
    label: str
    kind: Kind = "text"
    meaning: str = ""
    formula: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.kind in NUMERIC


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table that stands on a sheet of its own. None in a number's place is a small count left out."""

    name: str  # of the sheet and of the file
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    notes: tuple[str, ...] = ()
    has_total: bool = False  # a last row of sums of the columns in pounds and counts
    absent: str = words.HIDDEN  # what stands where there is no number

    @property
    def file_name(self) -> str:
        """Of its CSV file, without the suffix."""
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")

    def position(self, key: str) -> int:
        """Where a column stands."""
        return next(at for at, column in enumerate(self.columns) if column.key == key)

    def totals(self) -> tuple[Value, ...]:
        """The row of sums under the table; None where a part of a sum is left out."""
        sums: list[Value] = []
        for at, column in enumerate(self.columns):
            if column.kind in ("pounds", "count") and column.is_number:
                parts = [row[at] for row in self.rows]
                sums.append(None if None in parts else math.fsum(float(part) for part in parts if part is not None))
            else:
                sums.append("Total" if at == 0 else "")
        return tuple(sums)

    def frame(self) -> pd.DataFrame:
        """For CSV and Parquet: columns by their keys; blank where a number is left out; the total row with it."""
        rows = [*self.rows, *([self.totals()] if self.has_total and self.rows else [])]
        data: dict[str, Any] = {}
        for at, column in enumerate(self.columns):
            cells = [row[at] for row in rows]
            if column.is_number:
                data[column.key] = pd.Series([_float(cell) for cell in cells], dtype=float)
            else:
                data[column.key] = pd.Series(["" if cell is None else str(cell) for cell in cells], dtype="str")
        return pd.DataFrame(data)


def _float(cell: Value) -> float:
    return float(cell) if isinstance(cell, int | float) else math.nan


def known(value: float | None) -> float | None:
    """A number, or None for one that is not a number."""
    return None if value is None or math.isnan(value) else float(value) + 0.0


@dataclass(frozen=True, slots=True)
class TextTable:
    """A small table of words for pages and slides; the first cell of a row is its heading."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    strong: tuple[str, ...] = ()  # headings of rows that stand out
    is_prose: bool = False  # cells are sentences

    def is_of_figures(self, at: int) -> bool:
        """Whether a column holds mostly figures, which are set to the right."""
        if at == 0 or self.is_prose:
            return False
        cells = [row[at] for row in self.rows]
        figures = [cell for cell in cells if any(mark.isdigit() for mark in cell[:3]) or cell in ("", "\u2013")]
        return bool(cells) and 2 * len(figures) >= len(cells) and any(mark.isdigit() for cell in cells for mark in cell)


def iso(date: dt.date) -> str:
    """A date as files hold it."""
    return date.isoformat()
