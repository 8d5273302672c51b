"""``carecast diagnose``: a page about a parameter set that a reviewer can read."""

from pathlib import Path
from typing import Annotated

import typer

from carecast.cli.doors import say, show, show_json
from carecast.cli.options import Json
from carecast.model.parameters import BadFile, load

ENDINGS = (".html", ".htm")


def diagnose(
    parameters: Annotated[
        Path, typer.Argument(metavar="PARAMETERS", help="A parameter set, from `carecast calibrate`.")
    ],
    to: Annotated[Path, typer.Option("--to", metavar="FILE.html", help="The page to write.")],
    history: Annotated[
        Path | None,
        typer.Option(
            "--history", metavar="HISTORY", help="The returns it was made of, where its record lacks the fit."
        ),
    ] = None,
    form: Annotated[str | None, typer.Option("--format", metavar="F", help="Read HISTORY as this format.")] = None,
    as_json: Json = False,
) -> None:
    """Write a page on how a parameter set was made, how well it fits, and how far it has been tested.

    Example: `carecast diagnose parameters/ours --to diagnostics.html`
    """
    from carecast.calibration.diagnostics import diagnostics

    if to.suffix.lower() not in ENDINGS:
        raise BadFile(f"--to: found {to.name!r}; should end in .html")
    if to.is_dir() or not to.absolute().parent.is_dir():
        raise BadFile(f"--to: {to} is no file in a folder that exists")
    calibrated = load(parameters)
    if history is not None:
        from carecast.calibration.fit_record import fit_record
        from carecast.calibration.readers import read_history

        found, _ = read_history(history, form, calibrated.parameters.council)
        if not found.has("placements"):
            raise BadFile(f"--history: {history} holds no placements of children")
        own = fit_record(found, calibrated.parameters.as_at, calibrated.parameters.rates)
        calibrated = calibrated.model_copy(update={"record": calibrated.record | {"diagnostics": own}})
    partial = to.with_name(to.name + ".partial")
    partial.write_text(diagnostics(calibrated), encoding="utf-8")
    partial.replace(to)
    if as_json:
        show_json({"parameters": str(parameters), "page": str(to), "diagnostics": calibrated.record.get("diagnostics")})
        return
    show(f"Written to {to}")
    if not calibrated.record.get("diagnostics") and calibrated.record.get("data"):
        say("The record holds no fit by cell: give the returns with --history to add it.")
