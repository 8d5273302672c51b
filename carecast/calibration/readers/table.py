"""Files as tables of text: encodings, separators, workbooks, headings in any style, and the line every row stands on."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carecast.model.parameters import BadFile

SEPARATORS = ",;\t|"
HEADING_WITHIN = 12  # titles may stand above the heading
PERIOD = re.compile(r"(19|20)\d\d\s?[-/_]\s?(\d\d|(19|20)\d\d)")  # a year over two calendar years, as a heading
TEXT_SUFFIXES = (".csv", ".txt", ".tsv")
BOOK_SUFFIXES = (".xlsx", ".xlsm")


@dataclass(slots=True)
class Table:
    """One sheet or file: cells as stripped text, headings normalised, and the line of each row."""

    file: str  # as shown, relative to what was asked for; a sheet in brackets
    headings: tuple[str, ...]  # normalised
    frame: pd.DataFrame
    lines: "np.ndarray[Any, Any]"
    too_long: "np.ndarray[Any, Any]"  # rows with more cells than headings
    kind: str = ""
    year: int | None = None  # the return's year, by the calendar year it ends in

    def has(self, *names: str) -> bool:
        """Whether every one of these columns is there."""
        return all(name in self.headings for name in names)

    def any_of(self, *names: str) -> bool:
        """Whether one of these columns is there."""
        return any(name in self.headings for name in names)


def normal(heading: str) -> str:
    """``Date of birth `` and ``DATE_OF_BIRTH`` are one heading."""
    return re.sub(r"[^0-9a-z]+", "_", heading.strip().lower()).strip("_")


def read_tables(path: Path, shown: str) -> list[Table]:
    """The tables of one file; none when it holds no heading.

    Raises:
        BadFile: it is no text, no workbook, or cannot be opened.
    """
    if path.suffix.lower() in BOOK_SUFFIXES:
        return [made for name, rows in _sheets(path, shown) if (made := _table(rows, f"{shown} [{name}]")) is not None]
    made = _table(list(_csv_rows(_text(path.read_bytes(), shown))), shown)
    return [made] if made is not None else []


def _text(raw: bytes, shown: str) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    if b"\x00" in raw[:4096]:
        raise BadFile(f"{shown}: not text; should be CSV (UTF-8 or Windows-1252) or XLSX")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line the row begins on, cells)."""
    top = "\n".join(text.splitlines()[:HEADING_WITHIN])
    separator = max(SEPARATORS, key=top.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    begins = 1
    try:
        for cells in reader:
            yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error:  # a cell of more than 128 KiB: nothing after it can be trusted
        return


def _sheets(path: Path, shown: str) -> list[tuple[str, list[tuple[int, list[str]]]]]:
    import openpyxl  # heavy, and seldom needed

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise BadFile(f"{shown}: not a workbook that can be opened ({type(error).__name__}); save it as XLSX") from None
    try:
        return [
            (
                sheet.title,
                [(at, [_cell(v) for v in row]) for at, row in enumerate(sheet.iter_rows(values_only=True), 1)],
            )
            for sheet in book.worksheets
        ]
    finally:
        book.close()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value).strip()


def _table(rows: list[tuple[int, list[str]]], shown: str) -> Table | None:
    at = _heading_at(rows)
    if at is None:
        return None
    headings = _unique([normal(cell) for cell in rows[at][1]])
    body = [(line, cells) for line, cells in rows[at + 1 :] if any(cells)]
    width = len(headings)
    too_long = np.array([any(cells[width:]) for _, cells in body], dtype=bool)
    padded = [cells[:width] + [""] * (width - len(cells)) for _, cells in body]
    frame = pd.DataFrame(padded, columns=list(headings), dtype=object)
    keep = [name for name in headings if not name.startswith("unnamed_")]
    lines = np.array([line for line, _ in body], dtype=np.int64)
    return Table(shown, tuple(keep), frame[keep], lines, too_long)


def _heading_at(rows: Sequence[tuple[int, list[str]]]) -> int | None:
    """The first row that could be a heading: two or more cells of words, the others periods such as 2021-22."""
    best, most = None, 1
    for at, (_, cells) in enumerate(rows[:HEADING_WITHIN]):
        words = [cell for cell in cells if re.search(r"[A-Za-z]", cell) and len(cell) < 120]
        filled = [cell for cell in cells if cell]
        periods = [cell for cell in cells if PERIOD.fullmatch(cell)]
        if len(words) > most and len(words) + len(periods) >= 0.8 * len(filled):
            best, most = at, len(words) if best is None else 10_000
            if best is not None and len(words) >= 2:
                return best
    return best


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    out = []
    for at, name in enumerate(names):
        label = name or f"unnamed_{at}"
        seen[label] = seen.get(label, 0) + 1
        out.append(label if seen[label] == 1 else f"unnamed_{label}_{seen[label]}")
    return tuple(out)
