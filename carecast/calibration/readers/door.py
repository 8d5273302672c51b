"""The one way in: a path, perhaps a format, and back come a history and a report of every row."""

from collections.abc import Callable
from pathlib import Path

from carecast.calibration.readers import annex_a, cin, clas, figures, ssda903, tidy
from carecast.calibration.readers.history import History
from carecast.calibration.readers.places import FORMATS, all_tables, kind_of_903
from carecast.calibration.readers.report import Report
from carecast.calibration.readers.table import Table
from carecast.model.parameters import BadFile

READERS: dict[str, Callable[[list[Table], Report], History]] = {
    "ssda903": ssda903.read, "clas": clas.read, "annex_a": annex_a.read, "cin": cin.read, "tidy": tidy.read,
    "dfe": figures.read_dfe, "lgbf": figures.read_lgbf, "published": figures.read_published,
}  # fmt: skip


def read_history(path: Path | str, form: str | None = None, council: str = "") -> tuple[History, Report]:
    """Read a council's history.

    Args:
        path: a file, or a folder of them.
        form: one of ``FORMATS``; told from the columns when not given.
        council: the council to take from tables of many, and the name to carry.

    Raises:
        BadFile: no such path, an unknown format, or nothing that could be used; one line per mistake.
    """
    if form is not None and form not in FORMATS:
        raise BadFile(f"--format: found {form!r}; should be one of {', '.join(FORMATS)}")
    tables, documents, bad = all_tables(Path(path))
    for document in documents:
        shown = document.name if Path(path).is_file() else document.relative_to(path).as_posix()
        try:
            tables.append(cin.read_xml(document, shown))
        except BadFile as error:
            bad += error.lines
    chosen = form or _told(tables)
    if chosen is None:
        raise BadFile(
            *(bad or [f"{path}: no table of a known format ({', '.join(FORMATS)}); see docs/data-formats.md"])
        )
    report = Report(format=chosen, council=council, notes=list(bad))
    try:
        history = READERS[chosen](tables, report)
    except BadFile as error:
        raise BadFile(*(f"{path}: {line}" for line in error.lines), *bad) from None
    report.span = {"from": str(history.observed_from or ""), "to": str(history.observed_to or "")}
    return history, report


def _told(tables: list[Table]) -> str | None:
    """The format, by the most telling table; child-level returns before aggregates."""
    kinds: dict[str, Callable[[Table], bool]] = {
        "ssda903": lambda table: kind_of_903(table) == "episodes",
        "annex_a": lambda table: annex_a.list_of(table) in ("looked_after", "protection", "support"),
        "cin": cin.is_cin,
        "tidy": lambda table: tidy.kind_of(table) == "placements",
        "clas": clas.is_clas,
        "dfe": figures.is_dfe,
        "published": figures.is_published,
        "lgbf": figures.is_lgbf,
        "annex_a ": lambda table: annex_a.list_of(table) in ("referrals", "early_help"),
        "tidy ": lambda table: tidy.kind_of(table) != "",
    }  # fmt: skip
    return next((form.strip() for form, fits in kinds.items() if any(fits(table) for table in tables)), None)
