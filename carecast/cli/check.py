"""``carecast check``: what a council's files hold, row by row, and what could be mended."""

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from carecast.cli.doors import say, show, show_json
from carecast.cli.options import Json
from carecast.cli.text import table, wrapped

MOST_RULES, MOST_FILES = 40, 24
Rows = dict[str, int]


def check(
    history: Annotated[
        str, typer.Argument(metavar="HISTORY", help="A file, a folder of returns, or a shipped council pack.")
    ],
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="F", help="Read it as this format instead of telling by its columns."),
    ] = None,
    council: Annotated[str, typer.Option("--council", metavar="NAME", help="The council, in tables of many.")] = "",
    as_list: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="Write every problem to this CSV file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what each row of a council's files was good for; nothing is changed.

    Example: `carecast check returns/ --list problems.csv`
    """
    from carecast.calibration.pack import PUBLISHED, pack_names
    from carecast.calibration.readers import read_history

    path = Path(history)
    if not path.exists() and history in pack_names():
        path = PUBLISHED / history.replace("-", "_")
    _, report = read_history(path, form, council)
    document = report.document()
    if as_list is not None:
        write_list(as_list, document["problems"])
        say(f"{len(document['problems'])} problems written to {as_list}")
    if as_json:
        show_json(document)
        return
    show(on_screen(document))


def write_list(path: Path, problems: list[dict[str, Any]]) -> None:
    """Every problem as a row of a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["file", "line", "column", "rule", "message", "severity"])
        writer.writeheader()
        writer.writerows(problems)


def on_screen(document: dict[str, Any]) -> str:
    """The report in a few short tables."""
    span = document["span"]
    years = f", {span['from']} to {span['to']}" if span.get("from") and span.get("to") else ""
    parts = [f"Read as {document['format']}{years}: {_rows(document['rows'])}."]
    files = document["files"]
    body = [[item["file"], item["kind"], *(f"{n:,}" for n in item["rows"].values())] for item in files[:MOST_FILES]]
    parts.append(table(["file", "holds", "read", "used", "excluded", "repaired", "refused"], body))
    if len(files) > MOST_FILES:
        parts.append(f"and {len(files) - MOST_FILES} more files")
    rules = [
        [f"{item['rule']}: {item['meaning']}", item["severity"], item["fate"], f"{item['rows']:,}", item["first"]]
        for item in document["rules"][:MOST_RULES]
    ]
    if rules:
        parts.append(table(["rule", "severity", "rows are", "rows", "first at"], rules, most=64))
    parts.append("\n".join(_sentences(document)))
    return "\n\n".join(part for part in parts if part)


def _rows(rows: Rows) -> str:
    return (
        f"{rows['read']:,} rows, of which {rows['used']:,} used as they are, {rows['excluded']:,} left out by rule, "
        f"{rows['repaired']:,} repaired and {rows['refused']:,} refused"
    )


def _sentences(document: dict[str, Any]) -> list[str]:
    counts = document["counts"]
    lines = [f"{name.replace('_', ' ')}: {number:,}" for name, number in counts.items()]
    lines += [f"{name.replace('_', ' ')}: {100 * share:.1f} %" for name, share in document["shares"].items()]
    for item in document["missing"]:
        lines.append(
            wrapped(f"missing: {item['missing']}, which would have told {item['would_have_told']}; {item['instead']}")
        )
    lines += [wrapped(f"note: {note}") for note in document["notes"]]
    return lines
