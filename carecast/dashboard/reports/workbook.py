"""The workbook: one table a sheet, totals as formulas with their values, sources and notes in words, made to be read aloud.

Follows the Government Analysis Function's guidance on spreadsheets: a cover, contents and notes; sheets named for what they
hold; text from the first cell down; one marked table a sheet with one row of headings; no merged, hidden or frozen cells;
shorthand ([c], [x]) in place of blanks; words in place of colour.
"""

import datetime as dt
import io
import re
import textwrap
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_range_abs

from carecast.dashboard.reports import words
from carecast.dashboard.reports.about import About, about
from carecast.dashboard.reports.children_tables import children_tables
from carecast.dashboard.reports.ground_tables import dictionary, ground_tables
from carecast.dashboard.reports.judged_tables import judged_tables
from carecast.dashboard.reports.lever_tables import lever_tables
from carecast.dashboard.reports.money_tables import money_tables
from carecast.dashboard.reports.native_charts import add_charts
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.saving_tables import saving_tables
from carecast.dashboard.reports.shapes import Column, DataTable, Value

FORMATS = {
    "count": "#,##0.0",
    "exact": "#,##0.00##",
    "pounds": '"£"#,##0;-"£"#,##0',
    "percent": "0.0",
    "chance": "0%",
    "date": "d mmmm yyyy",
}
FIRST_OF_GROUND = ("Assumptions", "Levers", "Series", "What drives it")
WIDEST, NARROWEST = 60, 11
A4, LINE_POINTS = 9, 15.0  # paper, height of a line
LETTERS, BOLD = 1.15, 1.12  # letters of Arial in a unit of width, how much wider bold ones are
FRONT_WIDTHS = (34, 100)  # of cover, contents and notes
FONT = {"font_name": "Arial", "font_size": 11}


def every_table(numbers: Numbers) -> tuple[DataTable, ...]:
    """All tables of a report, in the order of the workbook."""
    ground = {table.name: table for table in ground_tables(numbers)}
    more = lever_tables(numbers)
    first = [ground.pop(name) for name in FIRST_OF_GROUND if name in ground]
    return (
        *first,
        *saving_tables(numbers),
        *(t for t in more if t.name == "Savings by lever"),
        *money_tables(numbers),
        *judged_tables(numbers),
        *(t for t in more if t.name != "Savings by lever"),
        *children_tables(numbers),
        *ground.values(),
    )


def workbook(numbers: Numbers) -> bytes:
    """The bytes of the .xlsx file."""
    told, tables = about(numbers.run), every_table(numbers)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": FORMATS["date"]})
    book.set_properties(
        {
            "title": told.title,
            "subject": told.stamp_line or "Forecast",
            "author": "carecast",
            "company": told.council,
            "keywords": f"run {told.run_id}",
            "comments": f"Reproduce with: {dict(told.facts)['Command that reproduces it']}",
            "created": dt.datetime.fromisoformat(told.made).replace(tzinfo=None),
        }
    )
    book.set_custom_property("Language", "en-GB")
    writer = _Writer(book)
    sheets = ["Cover", "Contents", "Notes", "Data dictionary", *(table.name for table in tables)]
    charts_at = 1 + max(sheets.index(name) for name in FIRST_OF_GROUND if name in sheets)
    sheets.insert(charts_at, "Charts")
    made = {name: book.add_worksheet(name) for name in sheets}
    _cover(writer, made["Cover"], told)
    _contents(writer, made["Contents"], tables)
    _notes(writer, made["Notes"], told)
    for table in (dictionary(tables), *tables):
        writer.table(made[table.name], table)
    add_charts(writer.book, made["Charts"], numbers, {table.name: table for table in tables}, writer.first_rows)
    made["Cover"].activate()
    book.close()
    return _with_language(buffer.getvalue())


def _with_language(content: bytes) -> bytes:
    """The document language, which xlsxwriter cannot say, in the core properties."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == "docProps/core.xml":
                data = data.replace(b"</cp:coreProperties>", b"<dc:language>en-GB</dc:language></cp:coreProperties>")
            new.writestr(item, data)
    return out.getvalue()


# --- front sheets ---------------------------------------------------------------------------------
def _cover(writer: "_Writer", sheet: Any, told: About) -> None:
    sheet.set_column(0, 0, FRONT_WIDTHS[0], writer.formats["text"])
    sheet.set_column(1, 1, FRONT_WIDTHS[1], writer.formats["text"])
    sheet.write_string(0, 0, told.title, writer.formats["title"])
    row = 1
    for line in (told.stamp_line, words.prose("workbook_cover"), *told.warnings):
        if line:
            sheet.write_string(row, 0, line, writer.formats["plain"])
            row += 1
    table = DataTable("Cover", "", (Column("what", "About this workbook"), Column("value", "Value")), told.facts)
    writer.place(sheet, table, row, "About_this_workbook", widths=False)


def _contents(writer: "_Writer", sheet: Any, tables: tuple[DataTable, ...]) -> None:
    sheet.set_column(0, 0, FRONT_WIDTHS[0], writer.formats["text"])
    sheet.set_column(1, 1, FRONT_WIDTHS[1], writer.formats["text"])
    sheet.write_string(0, 0, "Contents", writer.formats["title"])
    sheet.write_string(1, 0, words.prose("contents"), writer.formats["plain"])
    listed = [
        ("Cover", "What this workbook is of"),
        ("Notes", "How sure, what is not modelled, shorthand"),
        ("Data dictionary", "Every column of every table"),
        ("Charts", "Charts of the tables"),
        *((table.name, table.title) for table in tables),
    ]
    columns = (Column("sheet", "Sheet"), Column("holds", "What it holds"))
    writer.place(sheet, DataTable("Contents", "", columns, tuple(listed)), 2, "Contents", widths=False)
    for row, (name, _) in enumerate(listed, 3):
        sheet.write_url(row, 0, f"internal:'{_quoted(name)}'!A1", writer.formats["link"], name)


def _quoted(name: str) -> str:
    return name.replace("'", "''")


def _notes(writer: "_Writer", sheet: Any, told: About) -> None:
    sheet.set_column(0, 0, FRONT_WIDTHS[0], writer.formats["text"])
    sheet.set_column(1, 1, FRONT_WIDTHS[1], writer.formats["text"])
    sheet.write_string(0, 0, "Notes", writer.formats["title"])
    rows = [
        ("Shorthand", words.prose("shorthand")),
        ("Figures", words.prose("figures")),
        ("Small counts", words.prose("hidden")),
        *(("Warning", line) for line in told.warnings),
        ("How sure: back-test", told.backtest),
    ]
    rows += [("How sure: history simulated", told.hindcast)] if told.hindcast else []
    rows += [("How sure: replications", told.monte_carlo), ("Savings", words.prose("savings_parts"))]
    rows += [("Not modelled", f"{head}: {line}") for head, lines in told.not_modelled for line in lines]
    columns = (Column("about", "About"), Column("note", "Note"))
    writer.place(sheet, DataTable("Notes", "", columns, tuple(rows)), 1, "Notes", widths=False)


# --- tables ---------------------------------------------------------------------------------------
@dataclass
class _Writer:
    """Writes tables onto sheets and remembers where they stand."""

    book: Any
    first_rows: dict[str, int] = field(default_factory=dict)  # of each table's data, counted from 0
    placed: dict[str, DataTable] = field(default_factory=dict)
    formats: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the formats once."""
        gap = {"align": "right", "indent": 1}  # so that words in the next column do not touch the figure
        made: dict[str, dict[str, Any]] = {name: {"num_format": shape, **gap} for name, shape in FORMATS.items()}
        made |= {
            "text": {"text_wrap": True, "valign": "top"},
            "plain": {},
            "title": {"bold": True, "font_size": 15},
            "head": {"bold": True, "text_wrap": True, "valign": "top"},
            "hidden": gap,
            "link": {"font_color": "#0b57a4", "underline": 1},
        }
        for name, shape in made.items():
            top = {"valign": "top"} if name in FORMATS else {}
            self.formats[name] = self.book.add_format({**FONT, **top, **shape})

    def table(self, sheet: Any, table: DataTable) -> None:
        """A sheet with its title, notes, a way back, and the table."""
        sheet.write_string(0, 0, table.title, self.formats["title"])
        row = 1
        for note in table.notes:
            for line in re.split(r"(?<=[.:]) (?=[A-Z\[])", note):
                sheet.write_string(row, 0, line, self.formats["plain"])
                row += 1
        sheet.write_url(row, 0, "internal:Contents!A1", self.formats["link"], "Back to contents")
        self.place(sheet, table, row + 1, re.sub(r"\W+", "_", table.name))

    def place(self, sheet: Any, table: DataTable, row: int, name: str, widths: bool = True) -> None:
        """The table itself, marked as one, from a row down."""
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(row)
        self.first_rows[table.name] = row + 1
        self.placed[table.name] = table
        rows = table.rows or (
            tuple("" if c.kind != "text" or at else "nothing to show" for at, c in enumerate(table.columns)),
        )
        for at, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                self._cell(sheet, table, row + 1 + at, column, cell, cells)
        last = row + len(rows) + (1 if table.has_total else 0)
        sheet.add_table(
            row,
            0,
            last,
            len(table.columns) - 1,
            {
                "name": f"T_{name}"[:200],
                "autofilter": False,
                "style": "Table Style Light 1",
                "banded_rows": False,
                "total_row": table.has_total,
                "columns": self._heads(table),
            },
        )
        wide = [_width(table, at, heading) for at, heading in enumerate(table.columns)] if widths else FRONT_WIDTHS
        for at, width in enumerate(wide if widths else ()):
            sheet.set_column(at, at, width)
        self._heights(sheet, table, row, wide)

    def _heights(self, sheet: Any, table: DataTable, row: int, wide: Sequence[float]) -> None:
        """Rows as tall as their words ask for; not every program works that out by itself."""
        heads = max(_lines(column.label, width, BOLD) for column, width in zip(table.columns, wide, strict=True))
        sheet.set_row(row, LINE_POINTS * heads)
        for at, cells in enumerate(table.rows, row + 1):
            tall = max(_lines(cell, width) for cell, width in zip(cells, wide, strict=True) if isinstance(cell, str))
            if tall > 1:
                sheet.set_row(at, LINE_POINTS * tall)

    def _heads(self, table: DataTable) -> list[dict[str, Any]]:
        sums = table.totals() if table.has_total else ()
        heads = []
        for at, column in enumerate(table.columns):
            head: dict[str, Any] = {"header": column.label, "header_format": self.formats["head"]}
            if table.has_total and at == 0:
                head["total_string"] = "Total"
            elif table.has_total and isinstance(sums[at], float):
                head |= {"total_function": "sum", "total_value": sums[at], "format": self.formats[column.kind]}
            heads.append(head)
        return heads

    def _cell(self, sheet: Any, table: DataTable, row: int, at: int, cell: Value, cells: tuple[Value, ...]) -> None:
        column = table.columns[at]
        if column.formula and isinstance(cell, int | float) and not _has_gap(table, column, cells):
            sheet.write_formula(row, at, self._formula(table, column, row), self.formats[column.kind], cell)
        elif cell is None:
            sheet.write_string(row, at, table.absent, self.formats["hidden"])
        elif isinstance(cell, str):
            self._text(sheet, row, at, cell, column)
        else:
            sheet.write_number(row, at, cell, self.formats[column.kind])

    def _text(self, sheet: Any, row: int, at: int, cell: str, column: Column) -> None:
        if column.kind == "date" and re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell):
            sheet.write_datetime(row, at, dt.datetime.fromisoformat(cell), self.formats["date"])
        else:
            sheet.write_string(row, at, words.plain(cell), self.formats["text"])

    def _formula(self, table: DataTable, column: Column, row: int) -> str:
        def cell(found: re.Match[str]) -> str:
            return f"{xl_col_to_name(table.position(found[1]))}{row + (0 if found[2] else 1)}"

        def whole(found: re.Match[str]) -> str:
            other = self.placed[found[1]]
            at, first = other.position(found[2]), self.first_rows[found[1]]
            return f"'{_quoted(found[1])}'!{xl_range_abs(first, at, first + len(other.rows) - 1, at)}"

        text = re.sub(r"\[(\w+)(\^?)\]", cell, column.formula)
        return "=" + re.sub(r"\{([^.}]+)\.(\w+)\}", whole, text)


def _has_gap(table: DataTable, column: Column, cells: tuple[Value, ...]) -> bool:
    """Whether a formula would sum over a count that is left out, and so give it away."""
    ends = re.match(r"SUM\(\[(\w+)\]:\[(\w+)\]\)", column.formula)
    if not ends:
        return False
    first, last = (table.position(key) for key in ends.groups())
    return None in cells[first : last + 1]


def _lines(text: str, width: float, wider: float = 1.0) -> int:
    """Lines that text takes in a column so many letters wide."""
    return max(1, len(textwrap.wrap(text, max(int(width * LETTERS / wider), 4))))


def _width(table: DataTable, at: int, column: Column) -> float:
    if column.is_number or column.kind == "date":
        return max(NARROWEST + 4, min(len(column.label) / 2.2, 22))
    longest = max((len(str(row[at])) for row in table.rows), default=0)
    return min(max(NARROWEST, longest + 2, min(len(column.label) + 2, 18)), WIDEST)
