"""`carecast reprice`: a saved run at other prices, without a new replication."""

from pathlib import Path
from typing import Annotated

import typer

from carecast.cli import story
from carecast.cli.doors import show, show_json
from carecast.cli.options import Json


def reprice(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, from `carecast run`.")],
    figures: Annotated[Path, typer.Option("--figures", metavar="FILE", help="Your prices: id,value[,source].")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the run at these prices.")],
    as_json: Json = False,
) -> None:
    """The same run at other prices, uplifts, reserves or budgets: its days and counts stay, no replication is told.

    Example: `carecast reprice runs/demo --figures our_prices.csv --out runs/demo_our_prices`
    """
    from carecast.cli.commands import asked_command
    from carecast.scenarios.reprice import read_figures
    from carecast.scenarios.reprice import reprice as work_out

    made = work_out(run_folder, read_figures(figures), out, asked_command())
    if as_json:
        show_json(story.as_document(made))
        return
    show(story.run_summary(made))
