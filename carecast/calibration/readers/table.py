"""Files as tables of text: encodings, separators, workbooks, headings in any style, and the line every row stands on."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, AttributeError, OSError,
              RuntimeError, SyntaxError)  # fmt: skip # what a damaged or locked workbook raises


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

    def parts(self, years: Sequence[int]) -> "list[Table]":
        """One table for each of these years, told row by row; 0 is a year that is not told."""
        told = np.asarray(years)
        out = []
        for year in sorted(set(years)):
            some = told == year
            frame = self.frame[some].reset_index(drop=True)
            kept = replace(self, frame=frame, lines=self.lines[some], too_long=self.too_long[some])
            kept.year = year or self.year
            out.append(kept)
        return out


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
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{shown}: cannot be opened ({error.strerror}); give leave to read it") from None
    made = _table(list(_csv_rows(_text(raw, shown))), shown)
    return [made] if made is not None else []


def _text(raw: bytes, shown: str) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    if wide := _wide(raw[:4096]):
        return raw.decode(wide, errors="replace")
    if b"\x00" in raw[:4096]:
        raise BadFile(f"{shown}: not text; should be CSV (UTF-8 or Windows-1252) or XLSX")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _wide(start: bytes) -> str:
    """UTF-16 without its mark: every other byte of plain text is nought; nothing when it is not that."""
    half = max(len(start) // 2, 1)
    shares = {"utf-16-be": start[::2].count(0) / half, "utf-16-le": start[1::2].count(0) / half}
    found = max(shares, key=lambda name: shares[name])
    return found if shares[found] > 0.9 and min(shares.values()) < 0.1 else ""


def _csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line the row begins on, cells)."""
    top = "\n".join(text.splitlines()[:HEADING_WITHIN])
    separator = max(SEPARATORS, key=top.count)
    if '"' not in text:  # then a line is a row
        for at, line in enumerate(io.StringIO(text, newline=None), 1):
            yield at, [cell.strip() for cell in line.rstrip("\n").split(separator)]
        return
    lines = _Lines(text)
    width = 0
    while not lines.done:
        begins = lines.number + 1
        cells = lines.record(separator)
        if lines.taken > 1 and width and lines.swallowed(separator, width):
            cells = lines.first_alone(separator)
        width = width or (len(cells) if len(cells) > 1 else 0)
        yield begins, [cell.strip() for cell in cells]


class _Lines:
    """Physical lines handed to the CSV parser, which can be given back when a stray quotation mark swallowed rows."""

    def __init__(self, text: str) -> None:
        self.lines = io.StringIO(text, newline="").readlines()
        self.number = 0  # lines consumed
        self.begins = 0

    @property
    def done(self) -> bool:
        """Whether no line is left."""
        return self.number >= len(self.lines)

    @property
    def taken(self) -> int:
        """How many lines the last record spans."""
        return self.number - self.begins

    def record(self, separator: str) -> list[str]:
        """The cells of the next record; those read so far when a cell is longer than the parser takes."""
        self.begins = self.number
        try:
            return next(csv.reader(self._more(), delimiter=separator), [])
        except csv.Error:
            return []

    def _more(self) -> Iterator[str]:
        while not self.done:
            self.number += 1
            yield self.lines[self.number - 1]

    def swallowed(self, separator: str, width: int) -> bool:
        """Whether most of the lines after the first are rows of their own, by how many cells they hold."""
        inside = self.lines[self.begins + 1 : self.number]
        alone = sum(line.count(separator) >= width - 1 for line in inside)
        return 2 * alone >= len(inside)

    def first_alone(self, separator: str) -> list[str]:
        """The first line by itself, quotation marks dropped; the others are given back."""
        self.number = self.begins + 1
        return self.lines[self.begins].rstrip("\r\n").replace('"', "").split(separator)


def _sheets(path: Path, shown: str) -> list[tuple[str, list[tuple[int, list[str]]]]]:
    import openpyxl  # heavy, and seldom needed

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
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
    except UNREADABLE as error:
        raise BadFile(
            f"{shown}: not a workbook that can be opened ({type(error).__name__}); take off any password and save it as XLSX"
        ) from None


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
    """The first row that could be a heading: two or more cells of words, the others periods such as 2021-22.

    It is at least half as wide as the widest row near the top: titles and who wrote the file are narrower.
    """
    top = [cells for _, cells in rows[:HEADING_WITHIN]]
    widest = max((sum(bool(cell) for cell in cells) for cells in top), default=0)
    fits = [at for at, cells in enumerate(top) if _could_head(cells)]
    wide = [at for at in fits if 2 * sum(bool(cell) for cell in top[at]) >= widest]
    return next(iter(wide or fits), None)


def _could_head(cells: Sequence[str]) -> bool:
    words = [cell for cell in cells if re.search(r"[A-Za-z]", cell) and len(cell) < 120]
    filled = [cell for cell in cells if cell]
    periods = [cell for cell in cells if PERIOD.fullmatch(cell)]
    return len(words) > 1 and len(words) + len(periods) >= 0.8 * len(filled)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    out = []
    for at, name in enumerate(names):
        label = name or f"unnamed_{at}"
        seen[label] = seen.get(label, 0) + 1
        out.append(label if seen[label] == 1 else f"unnamed_{label}_{seen[label]}")
    return tuple(out)
