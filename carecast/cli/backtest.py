"""``carecast backtest``: how good past forecasts would have been."""

from pathlib import Path
from typing import Annotated, Any

import typer

from carecast.cli.doors import Bar, StoppedError, say, show, show_json
from carecast.cli.options import Council, Form, Json
from carecast.cli.text import table, wrapped
from carecast.model.parameters import BadFile

Rows = list[dict[str, Any]]
SHOWN_MONTHS = 12


def backtest(
    history: Annotated[
        str, typer.Argument(metavar="HISTORY", help="A folder of returns or tables, a file, or a shipped council pack.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for tables, charts and a page to read.")],
    origins: Annotated[
        str | None,
        typer.Option("--origins", metavar="DATES|N", help="Dates with commas between, or how many; every six months."),
    ] = None,
    horizon: Annotated[int, typer.Option("--horizon", metavar="MONTHS", help="The furthest month scored.")] = 36,
    form: Form = None,
    council: Council = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", metavar="FILE", help="Your own figures in place of a pack's.")
    ] = None,
    parameters: Annotated[
        Path | None,
        typer.Option("--parameters", metavar="DIR", help="Keep the verdict beside this parameter set as well."),
    ] = None,
    replications: Annotated[int, typer.Option("--replications", min=20, help="Worlds an origin.")] = 200,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of all draws.", min=0, max=2**62)] = 1,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; as many as processors.")] = None,
    small_counts: Annotated[
        bool, typer.Option("--small-counts", help="Write counts of 1 to 5 too: for use within the council only.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Hide recent history, calibrate on the rest, forecast, and score it against what came and against simpler methods.

    Example: `carecast backtest returns/ --out backtests/ours --horizon 24 --parameters parameters/ours`
    """
    from carecast.calibration.backtest import report
    from carecast.calibration.backtest.origins import horizons_up_to
    from carecast.calibration.backtest.rolling import Settings
    from carecast.calibration.backtest.sources import source_of

    report.check_folder(out)
    _check_parameters(parameters)
    horizons = horizons_up_to(horizon)
    say("Reading the history ...")
    source = source_of(history, form, council, figures)
    chosen = source.origins(origins)
    settings = Settings(chosen, horizons, replications, seed, workers or _processors())
    with Bar("Origins") as bar:
        try:
            tested = source.run(settings, bar)
        except KeyboardInterrupt:
            raise StoppedError(f"stopped after {bar.done} of {len(chosen)} origins; nothing is written") from None
    made = report.Backtest(source.council, source.made_from, settings, tested, source.limits, not small_counts)
    record = report.write(out, made, source.shown(tested.rows, small_counts))
    if parameters is not None:
        report.store(parameters, record)
    if as_json:
        show_json({"backtest": str(out), **record})
        return
    show(on_screen(record))
    say(f"Written to {out}: report.html to read, backtest.csv and scores.csv, charts.")


def _processors() -> int:
    from carecast.cli.commands import default_workers

    return default_workers()


def _check_parameters(folder: Path | None) -> None:
    if folder is not None and not (folder / "calibration.json").is_file():
        raise BadFile(
            f"--parameters: {folder} holds no calibration.json; a parameter set comes from `carecast calibrate`"
        )


def on_screen(record: dict[str, Any]) -> str:
    """The verdict, and counts by measure a year ahead."""
    from carecast.calibration.backtest.report import label

    parts = [wrapped(record["verdict"])]
    parts += [wrapped(record["limits"])] if record["limits"] else []
    months = nearest_horizon(record["counts"])
    rows = [
        [label(row["measure"], row["breakdown"]), _of(row, "nearer_than_last_value"), _of(row, "inside_50"),
         _of(row, "inside_80"), _of(row, "inside_95")]
        for row in record["counts"]
        if row["horizon_months"] == months
    ]  # fmt: skip
    head = [f"{months} months ahead, of so many origins", "nearer than no change", "in 50 %", "in 80 %", "in 95 %"]
    parts.append(table(head, rows))
    parts += [wrapped(f"Left out: origin {origin}: {why}") for origin, why in record["failed"].items()]
    return "\n\n".join(parts)


def nearest_horizon(counts: Rows) -> int:
    """The horizon nearest a year."""
    return min((row["horizon_months"] for row in counts), key=lambda months: abs(months - SHOWN_MONTHS))


def _of(row: dict[str, Any], name: str) -> str:
    return "-" if row[name] is None else f"{row[name]} of {row['origins']}"
