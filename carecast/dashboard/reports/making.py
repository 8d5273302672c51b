"""Which report for which suffix, and writing it: whole or not at all."""

import io
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from carecast.dashboard.reports.about import narrowed
from carecast.dashboard.reports.answers import Answer
from carecast.dashboard.reports.numbers import Numbers
from carecast.model.parameters import BadFile
from carecast.scenarios.run import Run


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of report."""

    name: str
    label: str
    mime: str
    inside: str  # a file that every report of this kind has inside; '' when it is no archive


KINDS = {
    "xlsx": Kind(
        "xlsx",
        "Workbook (Excel)",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xl/workbook.xml",
    ),
    "docx": Kind(
        "docx",
        "Board paper (Word)",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "word/document.xml",
    ),
    "pptx": Kind(
        "pptx",
        "Slides (PowerPoint)",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "ppt/presentation.xml",
    ),
    "html": Kind("html", "Web page", "text/html", ""),
    "zip": Kind("zip", "Tables and charts (CSV, Parquet, SVG, PNG)", "application/zip", "summary.csv"),
}
MARK = b"carecast"
HEAD_BYTES = 4096


def build(
    run: Run,
    kind: str,
    scenario: str | Sequence[str] | None = None,
    given: Mapping[tuple[str, str], Answer] | None = None,
) -> bytes:
    """A report of a run as bytes.

    Args:
        run: a complete run.
        kind: one of ``KINDS``: xlsx, docx, pptx, html, zip.
        scenario: only this scenario, or these, beside the baseline; all of the run's unless given.
        given: what each lever adds and the places needed, by kind and scenario; those kept with the run unless given.

    Raises:
        BadFile: no such kind, or the run does not hold the scenario.
    """
    if kind not in KINDS:
        raise BadFile(f"report: found {kind!r}; should be one of {', '.join(KINDS)}")
    return _maker(kind)(Numbers(narrowed(run, scenario), given or {}))


def _maker(kind: str) -> Callable[[Numbers], bytes]:
    """What makes a kind of report; its library is only read when asked for."""
    if kind == "xlsx":
        from carecast.dashboard.reports.workbook import workbook

        return workbook
    if kind == "docx":
        from carecast.dashboard.reports.document import document

        return document
    if kind == "pptx":
        from carecast.dashboard.reports.slides import slides

        return slides
    if kind == "html":
        from carecast.dashboard.reports.web_page import web_page

        return web_page
    from carecast.dashboard.reports.archive import archive

    return archive


def report_name(run: Run, kind: str) -> str:
    """What a download is called: council, run id and kind."""
    council = "_".join(str(run.record["council"]).lower().split())
    return f"{council}_{run.record['digest']}.{kind}"


def kind_of(path: Path) -> str:
    """The kind that a file name asks for.

    Raises:
        BadFile: its suffix is none of them.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise BadFile(f"--to: found {str(path)!r}; should end in one of {', '.join(f'.{name}' for name in KINDS)}")
    return kind


def check_place(path: Path, force: bool = False) -> str:
    """The kind of report to write at ``path``, when it may be written there; an earlier report of the kind is replaced.

    Raises:
        BadFile: the suffix is unknown, the folder does not exist, or something else stands there.
    """
    kind = kind_of(path)
    if path.is_dir():
        raise BadFile(f"--to: {path}: is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise BadFile(f"--to: {path}: there is no folder {path.parent}")
    if path.exists() and not force and not is_report(path, kind):
        raise BadFile(
            f"--to: {path}: already there and no {kind} report of carecast; give another name, or add --force"
        )
    return kind


def is_report(path: Path, kind: str) -> bool:
    """Whether a file is a report of this kind that carecast made."""
    content = path.read_bytes()
    inside = KINDS[kind].inside
    if not inside:
        return b'name="generator" content="carecast"' in content[:HEAD_BYTES]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = set(packed.namelist())
            told = "README.md" if kind == "zip" else "docProps/core.xml"
            return inside in names and told in names and MARK in packed.read(told)
    except zipfile.BadZipFile:
        return False


def make_report(
    run: Run, path: Path, scenario: str | Sequence[str] | None = None, force: bool = False,
    given: Mapping[tuple[str, str], Answer] | None = None,
) -> Path:  # fmt: skip
    """Write a report of the kind that the file name asks for; the file appears whole or not at all.

    Raises:
        BadFile: the name, the place or the scenario will not do; nothing is written then.
    """
    path = Path(path)
    content = build(run, check_place(path, force), scenario, given)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path
