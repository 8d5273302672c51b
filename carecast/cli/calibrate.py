"""``carecast calibrate``: from what a council has (its returns, published tables, or a shipped pack) to a parameter set."""

import datetime as dt
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from carecast.calibration.association_page import association_line
from carecast.cli import story
from carecast.cli.doors import say, show, show_json
from carecast.cli.options import Json
from carecast.cli.text import table, wrapped
from carecast.model.parameters import BadFile, Calibrated, save

AGGREGATES = ("dfe", "lgbf", "published")
TRY_FIRST = ("what_would_it_take", "early_help_first")


def calibrate(
    history: Annotated[
        str, typer.Argument(metavar="HISTORY", help="Returns or tables (a file or folder), or a shipped council pack.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the parameter set.")],
    council: Annotated[str | None, typer.Option("--council", metavar="NAME", help="The council's name.")] = None,
    as_at: Annotated[str | None, typer.Option("--as-at", metavar="DATE", help="Date of the stock, included.")] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="F", help="Read files as this format instead of telling by their columns."),
    ] = None,
    providers: Annotated[
        Path | None,
        typer.Option("--providers", metavar="FILE", help="Your homes: provider,placement_type,places,locality ..."),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option("--figures", metavar="FILE", help="Your own figures: id,value[,low,high,source,note]."),
    ] = None,
    localities: Annotated[
        Path | None,
        typer.Option("--localities", metavar="FILE", help="Your localities: name,zone,easting,northing,children."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a parameter set: every number with its source, 4,096 joint draws, the stock.

    Example: `carecast calibrate returns/ --council Northshire --as-at 2025-03-31 --out parameters/northshire`
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / "parameters.toml").is_file()):
        raise BadFile(f"{out}: holds something else; give a new folder, or one with a parameter set to replace")
    day = _day(as_at)
    path = Path(history)
    if path.exists():
        made = from_files(path, council, day, form, providers, figures, localities)
    else:
        _only_for_files(form, providers)
        made = _from_pack(history, day, figures, council, localities)
    save(out, made)
    if as_json:
        show_json({"parameters": str(out), **made.record})
        return
    show(story.calibration_summary(made))
    shown = what_was_found(made.record)
    if shown:
        show(shown)
    say(f"Written to {out}. Next: carecast run --parameters {out} --scenario {fitting_scenario(made)}")


def fitting_scenario(made: Calibrated) -> str:
    """The first scenario of the library that this council's localities and homes have room for."""
    from carecast.scenarios.apply import apply
    from carecast.scenarios.library import load_scenario

    for name in TRY_FIRST:
        try:
            apply(made.parameters, load_scenario(name))
        except BadFile:
            continue
        return name
    return "baseline"


def _day(as_at: str | None) -> dt.date | None:
    from carecast.cli.commands import day

    return day(as_at, "--as-at") if as_at else None


def _only_for_files(form: str | None, providers: Path | None) -> None:
    for name, given in (("--format", form), ("--providers", providers)):
        if given is not None:
            raise BadFile(f"{name}: found {str(given)!r}; only goes with a file or folder of a council's own")


def _from_pack(
    name: str, as_at: dt.date | None, figures: Path | None, council: str | None, localities: Path | None = None
) -> Calibrated:
    from carecast.cli import commands

    return commands._calibrated(name, as_at, figures, council, localities)  # noqa: SLF001 shared with the demo


def from_files(
    path: Path, council: str | None, as_at: dt.date | None, form: str | None, providers: Path | None,
    figures: Path | None, localities: Path | None = None,
) -> Calibrated:  # fmt: skip
    """A parameter set from a council's files, child by child or aggregates only.

    Raises:
        BadFile: one line per mistake.
    """
    from carecast.calibration.readers import read_history
    from carecast.calibration.returns.calibrate import calibrate_returns

    found, report = read_history(path, form, council or "")
    if found.format in AGGREGATES:
        if providers is not None:
            raise BadFile(f"--providers: found {str(providers)!r}; only goes with child-level returns")
        try:
            from carecast.calibration.dfe.door import calibrate_tables
        except ImportError as error:
            raise BadFile(f"{path}: tables of format {found.format} cannot be calibrated on") from error
        made: Calibrated = calibrate_tables(found, report, council, as_at, figures, localities)
        return made
    if localities is not None:
        raise BadFile(f"--localities: found {str(localities)!r}; only goes with a council pack or published tables")
    if figures is not None:
        raise BadFile(f"--figures: found {str(figures)!r}; only goes with a council pack or published tables")
    if providers is not None:
        found = replace(found, tables=found.tables | {"providers": read_homes(providers)})
    return calibrate_returns(found, report, as_at=as_at, council=council)


def read_homes(path: Path) -> pd.DataFrame:
    """Named homes from a file of any name: the table ``providers`` of the tidy schema.

    Raises:
        BadFile: no such file, or rows that cannot be used, one line each.
    """
    from carecast.calibration.readers import read_history

    if not path.is_file():
        raise BadFile(f"--providers: {path}: not found")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"providers{path.suffix.lower()}"
        shutil.copyfile(path, copy)
        try:
            homes, report = read_history(copy, "tidy")
        except BadFile as error:
            lines = [line.replace(f"{copy}: ", "").replace(copy.name, path.name) for line in error.lines]
            raise BadFile(*(f"--providers: {path}: {line}" for line in lines)) from None
    refused = [problem for problem in report.problems() if problem["severity"] == "error"]
    if refused:
        raise BadFile(*(f"{path}: row {item['line']}, column {item['column']}: {item['message']}" for item in refused))
    if not homes.has("providers"):
        raise BadFile(f"{path}: no row of homes could be used; needs the columns provider, placement_type, places")
    return homes.providers


def what_was_found(record: dict[str, Any]) -> str:
    """A short table of what was fitted on returns or matched to aggregates; nothing for a pack."""
    if record.get("source") == "aggregates":
        from carecast.cli.aggregates import aggregates_text

        return aggregates_text(record)
    if "levels" not in record or "data" not in record:
        return ""
    data = record["data"]
    lines = [
        f"Fitted on {data['format']} returns, {data['observed_from']} to {record['as_at']}: "
        f"{data['rows']['read']:,} rows read, {data['rows']['refused']:,} refused. {record['base']}.",
        *record.get("notes", ()),
    ]
    body = [
        [name, f"{level['ratio_to_history']:.2f}", f"{100 * level['sd_ln']:.0f} %", f"{level['drift_sd_per_year']:.2f}"]
        for name, level in record["levels"].items()
    ]
    shown = table(["level now", "of the history's mean", "uncertain by", "drift a year (log sd)"], body)
    told = association_line(record)
    return "\n".join(wrapped(line) for line in lines) + "\n\n" + shown + ("\n\n" + wrapped(told) if told else "")
