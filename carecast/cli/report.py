"""``carecast report``: a run as a workbook, a board paper, slides, a web page or an archive."""

from pathlib import Path
from typing import Annotated, Any

import typer

from carecast.cli.doors import Bar, StoppedError, say, show, show_json
from carecast.model.summary import BASELINE
from carecast.scenarios.run import Run


def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, from `carecast run`.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Ends in .xlsx, .docx, .pptx, .html or .zip.")],
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", metavar="NAME", help="Only this one beside the baseline; may be given again."),
    ] = None,
    with_waterfall: Annotated[
        bool, typer.Option("--with-waterfall", help="Also what each lever adds: some minutes, then kept with the run.")
    ] = False,
    with_places: Annotated[
        bool, typer.Option("--with-places", help="Also the places needed: simulated, then kept with the run.")
    ] = False,
    replications: Annotated[
        int | None,
        typer.Option("--replications", min=10, help="Of those two: the first so many of the run's, at most 200."),
    ] = None,
    parameters: Annotated[
        Path | None, typer.Option("--parameters", metavar="DIR", help="The run's own, for those two, if it was moved.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is no report of carecast.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")] = False,
) -> None:
    """A run as a workbook, a board paper, slides, a self-contained web page, or an archive of tables and charts.

    Example: `carecast report runs/demo --to board_paper.docx --scenario what_would_it_take --with-places`
    """
    from carecast.dashboard.reports import KINDS, make_report
    from carecast.dashboard.reports.about import narrowed
    from carecast.dashboard.reports.making import check_place
    from carecast.scenarios.run import open_run

    kind = check_place(to, force)
    run = open_run(run_folder)
    chosen = narrowed(run, scenario)
    given: dict[tuple[str, str], Any] = {}
    if with_places:
        given |= _answers(chosen, "places", replications, parameters)
    if with_waterfall:
        given |= _answers(chosen, "waterfall", replications, parameters)
    say(f"Making from {run_folder}: {KINDS[kind].label} ...")
    written = make_report(run, to, scenario, force, given)
    size = written.stat().st_size
    if as_json:
        show_json(
            {"run": str(run.folder), "run_id": run.record["digest"], "file": str(written), "kind": kind, "bytes": size}
        )
        return
    show(f"{written}: {KINDS[kind].label}, {size / 1e6:.1f} MB, run {run.record['digest']}")


def _answers(run: Run, kind: str, replications: int | None, parameters: Path | None) -> dict[tuple[str, str], Any]:
    """What each lever adds, or the places needed: as it was kept with the run, or else worked out and kept."""
    from carecast.cli.commands import default_workers
    from carecast.cli.sections import programmes
    from carecast.dashboard.reports import answers
    from carecast.dashboard.telling import legend_name
    from carecast.scenarios.run_inputs import parameter_set_of

    every = [*([BASELINE] if kind == answers.PLACES else []), *(found.scenario for found in programmes(run))]
    most = min(replications or answers.MOST_REPLICATIONS, int(run.record["replications"]))
    there = {name: answers.kept(run, kind, name) for name in every}
    found = {(kind, name): one for name, one in there.items() if one and int(one["replications"]) >= most}
    missing = [name for name in every if (kind, name) not in found]
    if not missing:
        return found
    calibrated = parameter_set_of(run, parameters)
    for name in missing:
        what = "What each lever adds" if kind == answers.WATERFALL else "Places needed"
        with Bar(f"{what}: {legend_name(name)}") as bar:
            try:
                if kind == answers.WATERFALL:
                    one = answers.waterfall(run, name, calibrated, most, default_workers(), bar)
                else:
                    one = answers.places(run, name, calibrated, most, bar)
            except KeyboardInterrupt:
                raise StoppedError("stopped; no report was written. What was worked out is kept with the run") from None
        found[kind, name] = one
        try:
            answers.keep(run, one)
        except OSError as error:
            say(f"It could not be kept with the run ({error.strerror}); the report has it all the same.")
    return found
