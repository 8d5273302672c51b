"""The one way in: a path, perhaps a format, and back come a history and a report of every row."""

from pathlib import Path

from carecast.calibration.readers import ssda903
from carecast.calibration.readers.history import History
from carecast.calibration.readers.places import FORMATS, all_tables
from carecast.calibration.readers.report import Report
from carecast.model.parameters import BadFile


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
    report = Report(format="ssda903", council=council)
    history = ssda903.read(tables, report)
    report.span = {"from": str(history.observed_from or ""), "to": str(history.observed_to or "")}
    return history, report
