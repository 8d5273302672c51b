"""``carecast scenario``: make, copy, check, read and compare scenario files."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from carecast.cli.doors import EXIT_WRONG, say, show, show_json, show_mistakes
from carecast.cli.options import Json
from carecast.cli.scenario_text import changed_text, checked_text, shown_text
from carecast.model.parameters import BadFile, ParameterSet, load
from carecast.scenarios.about import about
from carecast.scenarios.changed import changed
from carecast.scenarios.library import load_scenario
from carecast.scenarios.starter import copied, starter

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Make, copy, check, read and compare scenarios."
)
NameOrFile = Annotated[
    str, typer.Argument(metavar="NAME_OR_FILE", help="A shipped scenario, or a file ending in .toml.")
]
Parameters = Annotated[
    Path | None, typer.Option("--parameters", metavar="DIR", help="The council to read it for: a parameter set.")
]
Author = Annotated[str, typer.Option("--author", help="Whose plan it is.")]
Until = Annotated[str, typer.Option("--until", metavar="DATE", help="Last day of the run it is for.")]
END = "2029-03-31"


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits and underscores.")],
    built_on: Annotated[str, typer.Option("--built-on", metavar="NAME_OR_FILE", help="What it adds to.")] = "baseline",
    author: Author = "",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The file; NAME.toml unless given.")] = None,
    lever: Annotated[
        list[str] | None,
        typer.Option("--lever", metavar="KIND", help="Begin with this kind; may be given several times."),
    ] = None,
    as_json: Json = False,
) -> None:
    """A new scenario file with comments that say what to fill in.

    Example: `carecast scenario new our_plan --author "Children's services" --lever early_help_places`
    """
    file = _new_file(out or Path(f"{name}.toml"))
    text = starter(name, built_on, author, lever or [], _today())
    _write(file, text)
    if as_json:
        show_json({"file": str(file), "name": name, "built_on": built_on})
        return
    show(f"Written: {file}. Fill it in, then: carecast scenario check {file} --parameters DIR")


@app.command()
def copy(
    source: NameOrFile,
    to: Annotated[str, typer.Argument(metavar="NEW", help="Name of the copy, or its file ending in .toml.")],
    author: Author = "",
    as_json: Json = False,
) -> None:
    """A draft of your own from a scenario that is there, its comments kept and its lineage written down.

    Example: `carecast scenario copy what_would_it_take our_plan --author "Children's services"`
    """
    file = _new_file(Path(to if to.endswith(".toml") else f"{to}.toml"))
    text, found = copied(source, file.stem, author, file.parent, _today())
    _write(file, text)
    if as_json:
        show_json({"file": str(file), "name": file.stem, "copied_from": found.name, "version_copied": found.version,
                   "upgraded": list(found.upgraded)})  # fmt: skip
        return
    for line in found.upgraded:
        say(f"{source} was of an older format: {line}")
    built_on = found.built_on or "nothing"
    show(f"Written: {file}, a draft copied from {found.name} (version {found.version}), built on {built_on}")


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Scenario files (or names of shipped ones).")],
    parameters: Parameters = None,
    until: Until = END,
    as_json: Json = False,
) -> None:
    """One line for each mistake; what a valid file will do, and with a parameter set which levers change nothing.

    Example: `carecast scenario check our_plan.toml --parameters parameters/wd`
    """
    council, last = _council(parameters), _day(until)
    told, mistakes = [], []
    for file in files:
        try:
            told.append({"file": file, "valid": True, "mistakes": [], **about(load_scenario(file), council, last)})
        except BadFile as error:
            lines = [line if file in line else f"{file}: {line}" for line in error.lines]
            told.append({"file": file, "valid": False, "mistakes": lines})
            mistakes += lines
    if as_json:
        show_json({"files": told, "council": council.council if council else None})
    else:
        show("\n\n".join(checked_text(one) for one in told))
    if mistakes:
        show_mistakes(*mistakes)
        raise typer.Exit(EXIT_WRONG)


@app.command(name="show")
def show_one(scenario: NameOrFile, parameters: Parameters = None, until: Until = END, as_json: Json = False) -> None:
    """A scenario in plain words: levers and assumptions apart, sizes, ranges, costs, reasons, lineage.

    Example: `carecast scenario show what_would_it_take --parameters parameters/wd`
    """
    document = about(load_scenario(scenario), _council(parameters), _day(until))
    if as_json:
        show_json(document)
        return
    show(shown_text(document))


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="A shipped scenario, or a file ending in .toml.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The other.")],
    as_json: Json = False,
) -> None:
    """What differs between two scenarios, lever by lever, with all they inherit.

    Example: `carecast scenario diff what_would_it_take our_plan.toml`
    """
    document = changed(load_scenario(first), load_scenario(second))
    if as_json:
        show_json(document)
        return
    show(changed_text(document))


# --- what the commands share ------------------------------------------------------------------------
def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _day(text: str) -> dt.date:
    from carecast.cli.commands import day

    return day(text, "--until")


def _council(folder: Path | None) -> ParameterSet | None:
    return load(folder).parameters if folder is not None else None


def _new_file(file: Path) -> Path:
    """A file that is not there yet, in a folder that is.

    Raises:
        BadFile: it is there already, its folder is not, or its name does not end in .toml.
    """
    problems = list(_file_problems(file))
    if problems:
        raise BadFile(*problems)
    return file


def _file_problems(file: Path) -> Iterable[str]:
    if file.suffix != ".toml":
        yield f"{file}: should end in .toml"
    if file.exists():
        yield f"{file}: is there already; give another name, or take it away first"
    if not file.parent.is_dir():
        yield f"{file.parent}: no such folder"


def _write(file: Path, text: str) -> None:
    partial = file.with_name(file.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
