"""The archive: every table as CSV and Parquet, every chart as SVG and PNG, a README, and the record of the run."""

import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any

import pandas as pd

from carecast.dashboard.disclosure import suppressed_history
from carecast.dashboard.reports import words
from carecast.dashboard.reports.about import about
from carecast.dashboard.reports.ground_tables import dictionary, hidden_years, summary_columns
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.pictures import pictures, to_png
from carecast.dashboard.reports.shapes import DataTable
from carecast.dashboard.reports.workbook import every_table
from carecast.model.summary import DECIMALS, PROMISED, TOTAL, to_csv

FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of every file in the archive, so that the same run makes the same bytes


def archive(numbers: Numbers) -> bytes:
    """The bytes of the .zip file."""
    tables = every_table(numbers)
    every = (dictionary(tables), *tables)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in _files(numbers, every):
            packed.writestr(zipfile.ZipInfo(name, FIRST_DAY), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _files(numbers: Numbers, tables: tuple[DataTable, ...]) -> Iterable[tuple[str, str | bytes]]:
    made = pictures(numbers)
    yield "README.md", _readme(numbers, tables, [picture.name for picture in made])
    yield "run.json", json.dumps(safe_record(numbers.run.record), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    yield "summary.csv", to_csv(numbers.summary)
    yield "summary.parquet", _parquet(numbers.summary)
    for table in tables:
        frame = table.frame()
        yield f"csv/{table.file_name}.csv", _csv(table, frame)
        yield f"parquet/{table.file_name}.parquet", _parquet(frame)
    yield "parquet/replications_monthly.parquet", _parquet(replications(numbers, monthly=True))
    if numbers.years:
        yield "parquet/replications_yearly.parquet", _parquet(replications(numbers, monthly=False))
    for picture in made:
        svg = picture.standing_alone().svg()
        yield f"charts/{picture.name}.svg", svg
        yield f"charts/{picture.name}.png", to_png(svg)


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _csv(table: DataTable, frame: pd.DataFrame) -> str:
    """Numbers as summary.csv has them, two decimals; numbers of any size (assumptions, shares) in full."""
    rounded = frame.copy()
    for column in table.columns:
        if column.kind in ("count", "pounds", "percent"):
            rounded[column.key] = [
                ("" if value != value else f"{value + 0.0:.{DECIMALS}f}") for value in frame[column.key]
            ]
    return str(rounded.to_csv(index=False, lineterminator="\n"))


def replications(numbers: Numbers, *, monthly: bool) -> pd.DataFrame:
    """Totals of every replication, one row a scenario, replication and date; the start date, which is history, left out."""
    parts = []
    for answer in numbers.run.answers:
        grid = answer.monthly if monthly else answer.yearly
        kept = [at for at, (measure, breakdown) in enumerate(grid.rows) if breakdown == TOTAL and measure in PROMISED]
        first = 1 if monthly else 0
        values = grid.values[:, kept, first:]
        n, _, dates = values.shape
        head: dict[str, Any] = {
            "scenario": answer.scenario,
            "replication": [number for number in range(n) for _ in range(dates)],
            "date": [date.isoformat() for date in grid.dates[first:]] * n,
        }
        body = values.transpose(0, 2, 1).reshape(n * dates, len(kept))
        parts.append(pd.DataFrame(head).join(pd.DataFrame(body, columns=[grid.rows[at][0] for at in kept])))
    out: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return out


def safe_record(record: dict[str, Any]) -> dict[str, Any]:
    """``run.json`` for export: what history it holds has its small counts left out (null)."""
    parameters = dict(record["parameters"])
    shown = suppressed_history(parameters["history"])
    values = [None if value != value else float(value) for value in shown["value"]]
    parameters["history"] = [{**row, "value": value} for row, value in zip(parameters["history"], values, strict=True)]
    safe = {**record, "parameters": parameters}
    hindcast = record.get("hindcast")
    if hindcast:
        gone = hidden_years(hindcast["rows"])
        rows = [{**row, "published": None if row["date"] in gone else row["published"]} for row in hindcast["rows"]]
        safe["hindcast"] = {**hindcast, "rows": rows}
    return safe


# --- README ---------------------------------------------------------------------------------------
def _readme(numbers: Numbers, tables: tuple[DataTable, ...], charts: list[str]) -> str:
    told = about(numbers.run)
    lines = [f"# {told.title}", ""]
    lines += [f"**{told.stamp_line}.**", ""] if told.stamp else []
    lines += [words.prose("figures"), "", words.prose("hidden"), "", *(f"{line}\n" for line in told.warnings)]
    lines += [
        "## The run",
        "",
        "| what | value |",
        "|---|---|",
        *(f"| {what} | {_cell(value)} |" for what, value in told.facts),
        "",
    ]
    lines += [
        "## How sure",
        "",
        told.backtest,
        "",
        *([told.hindcast, ""] if told.hindcast else []),
        told.monte_carlo,
        "",
    ]
    lines += ["## Not modelled", ""]
    for head, rows in told.not_modelled:
        lines += [f"{head}:", "", *(f"- {row}" for row in rows), ""]
    lines += ["## Files", "", words.prose("archive_files"), "", "| file | what |", "|---|---|"]
    lines += [f"| csv/{t.file_name}.csv, parquet/{t.file_name}.parquet | {_cell(t.title)} |" for t in tables]
    lines += [f"| charts/{name}.svg, charts/{name}.png | chart |" for name in charts]
    lines += ["", "## summary.csv", "", "| column | meaning |", "|---|---|"]
    lines += [f"| {row['column']} | {row['meaning']} |" for row in summary_columns().to_dict("records")]
    lines += ["", "## Data dictionary", "", "| table | column | heading | holds | meaning |", "|---|---|---|---|---|"]
    for row in dictionary(tables[1:]).rows:
        lines.append(f"| {row[0]} | {row[2]} | {_cell(str(row[3]))} | {row[4]} | {_cell(str(row[5]))} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
