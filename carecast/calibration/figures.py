"""Tables of figures, each with its source and how it was found, and the user's own figures in their place.

Mistakes come back one line each (file, row, column, value, what would be right).
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from carecast.model.parameters import BadFile, How

FIGURE_COLUMNS = (
    "id",
    "geography",
    "period",
    "breakdown",
    "value",
    "low",
    "high",
    "unit",
    "how",
    "source_title",
    "source",
    "note",
)
SIGNED_UNITS = ("percent", "log")  # figures in these units may be negative


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its 80 % interval (none when exact or unknown) and where it comes from."""

    id: str
    geography: str
    period: str
    breakdown: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    how: How
    source: str
    note: str

    @property
    def key(self) -> str:
        """What an override names: the id alone when it has no breakdown, else ``id[breakdown]``."""
        return self.id if self.breakdown in ("", "total") else f"{self.id}[{self.breakdown}]"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of another table, with its place for messages."""

    file: str
    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """The cell, stripped."""
        return self.cells.get(column, "").strip()

    def number(self, column: str, default: float | None = None) -> float:
        """The cell as a number of 0 or more.

        Raises:
            BadFile: the cell is empty without a default, not a number, or negative.
        """
        text = self.text(column)
        if not text and default is not None:
            return default
        try:
            value = float(text)
        except ValueError:
            raise BadFile(self._says(column, "a number")) from None
        if not 0 <= value < float("inf"):
            raise BadFile(self._says(column, "a number of 0 or more"))
        return value

    def _says(self, column: str, wanted: str) -> str:
        return f"{self.file}: row {self.line}, column {column}: {self.text(column)!r} is not {wanted}"


def with_figures(cells: Iterable[Mapping[str, str]]) -> list[Figure]:
    """Figures from rows that are not in a file yet.

    Raises:
        BadFile: one line per mistake.
    """
    mistakes: list[str] = []
    rows = [Row("figures", at, row) for at, row in enumerate(cells, start=1)]
    figures = [figure for figure in (_figure(row, mistakes) for row in rows) if figure is not None]
    if mistakes:
        raise BadFile(*mistakes)
    return figures


def read_figures(path: Path) -> list[Figure]:
    """Rows of a table of figures.

    Raises:
        BadFile: a column is missing, or a value or interval cannot be used.
    """
    rows = read_rows(path, FIGURE_COLUMNS)
    mistakes: list[str] = []
    figures = [figure for figure in (_figure(row, mistakes) for row in rows) if figure is not None]
    if mistakes:
        raise BadFile(*mistakes)
    return figures


def _figure(row: Row, mistakes: list[str]) -> Figure | None:
    where = f"{row.file}: row {row.line}"
    before = len(mistakes)
    numbers = {column: _optional(row, column, where, mistakes) for column in ("value", "low", "high")}
    how = row.text("how")
    if not row.text("id"):
        mistakes.append(f"{where}, column id: empty; every figure needs a name")
    if how not in ("published", "fitted", "assumed"):
        mistakes.append(f"{where}, column how: {how!r} is not published, fitted or assumed")
    _check_interval(where, numbers, row.text("unit"), mistakes)
    if len(mistakes) > before:
        return None
    source = row.text("source") or row.text("source_title")
    return Figure(
        row.text("id"),
        row.text("geography"),
        row.text("period"),
        row.text("breakdown"),
        numbers["value"],
        numbers["low"],
        numbers["high"],
        row.text("unit"),
        cast(How, how),
        source,
        row.text("note"),
    )


def _optional(row: Row, column: str, where: str, mistakes: list[str]) -> float | None:
    text = row.text(column)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        mistakes.append(f"{where}, column {column}: {text!r} is not a number")
        return None
    if value - value != 0:
        mistakes.append(f"{where}, column {column}: {text!r} is not a finite number")
        return None
    return value


def _check_interval(where: str, numbers: Mapping[str, float | None], unit: str, mistakes: list[str]) -> None:
    value, low, high = numbers["value"], numbers["low"], numbers["high"]
    if value is not None and value < 0 and not unit.startswith(SIGNED_UNITS):
        mistakes.append(f"{where}, column value: {value:g} is below 0; a number of {unit or 'this kind'} is 0 or more")
    if (low is None) != (high is None):
        mistakes.append(f"{where}, columns low and high: give both ends of the 80 % interval or neither")
    elif low is not None and high is not None and value is not None and not low <= value <= high:
        mistakes.append(f"{where}, columns low, value, high: {low:g}, {value:g}, {high:g} are not in rising order")


def overridden(figures: list[Figure], path: Path) -> tuple[list[Figure], tuple[str, ...]]:
    """(figures with the user's values in place, which were replaced); a figure without a given interval becomes exact.

    Raises:
        BadFile: a row names no figure or cannot be used, one line per mistake.
    """
    mistakes: list[str] = []
    replaced: list[str] = []
    for row in read_rows(path, ("id", "value")):
        where = f"{row.file}: row {row.line}"
        at = _named(figures, row, where, mistakes)
        if at is None:
            continue
        numbers = {column: _optional(row, column, where, mistakes) for column in ("value", "low", "high")}
        if not row.text("value"):
            mistakes.append(f"{where}, column value: empty; give a number")
        _check_interval(where, numbers, figures[at].unit, mistakes)
        figures[at] = replace(
            figures[at],
            value=numbers["value"],
            low=numbers["low"],
            high=numbers["high"],
            how=_how(row, where, mistakes),
            source=row.text("source") or f"given in {path.name}",
            note=row.text("note"),
        )
        replaced.append(f"{figures[at].key}, {figures[at].period}")
    if mistakes:
        raise BadFile(*mistakes)
    return figures, tuple(replaced)


def _named(figures: list[Figure], row: Row, where: str, mistakes: list[str]) -> int | None:
    """The figure that a row of an override file means: by id or ``id[breakdown]``, and period where it has several."""
    name = row.text("id")
    found = [
        at
        for at, figure in enumerate(figures)
        if name in (figure.id, figure.key)
        and row.text("breakdown") in ("", figure.breakdown)
        and row.text("period") in ("", figure.period)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        rows = "; ".join(f"{figures[at].period} {figures[at].breakdown}" for at in found[:4])
        mistakes.append(
            f"{where}, column id: {name!r} has {len(found)} rows ({rows}...): add columns period and breakdown"
        )
    else:
        mistakes.append(f"{where}, column id: {name!r} is not a figure of this pack; its files list them all")
    return None


def _how(row: Row, where: str, mistakes: list[str]) -> How:
    how = row.text("how") or "assumed"
    if how not in ("published", "fitted", "assumed"):
        mistakes.append(f"{where}, column how: {how!r} is not published, fitted or assumed")
        return "assumed"
    return cast(How, how)


def read_rows(path: Path, columns: Iterable[str]) -> tuple[Row, ...]:
    """Rows of a CSV file that has at least these columns."""
    if not path.is_file():
        raise BadFile(f"{path}: not found")
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines(keepends=True)
        reader = csv.DictReader(lines)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise BadFile(*(f"{path.name}: row 1: column {name!r} is missing" for name in missing))
        return tuple(_each(path.name, reader))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path.name}: cannot be read as CSV in UTF-8: {error}") from error


def _each(file: str, reader: "csv.DictReader[str]") -> Iterator[Row]:
    for cells in reader:
        yield Row(file, reader.line_num, {key: value or "" for key, value in cells.items() if key is not None})
