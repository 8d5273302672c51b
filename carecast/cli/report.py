"""``carecast report``: a run as a workbook, a board paper, slides, a web page or an archive."""

from pathlib import Path
from typing import Annotated

import typer

from carecast.cli.doors import say, show, show_json


def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, from `carecast run`.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Ends in .xlsx, .docx, .pptx, .html or .zip.")],
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", metavar="NAME", help="Only this one beside the baseline; all unless given."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is no report of carecast.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")] = False,
) -> None:
    """A run as a workbook, a board paper, slides, a self-contained web page, or an archive of tables and charts.

    Example: `carecast report runs/demo --to board_paper.docx --scenario what_would_it_take`
    """
    from carecast.dashboard.reports import KINDS, make_report
    from carecast.dashboard.reports.making import check_place
    from carecast.scenarios.run import open_run

    kind = check_place(to, force)
    run = open_run(run_folder)
    say(f"Making from {run_folder}: {KINDS[kind].label} ...")
    written = make_report(run, to, scenario, force)
    size = written.stat().st_size
    if as_json:
        show_json(
            {"run": str(run.folder), "run_id": run.record["digest"], "file": str(written), "kind": kind, "bytes": size}
        )
        return
    show(f"{written}: {KINDS[kind].label}, {size / 1e6:.1f} MB, run {run.record['digest']}")
