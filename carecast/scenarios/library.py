"""Scenario files: where they are, reading, upgrading, writing, and what a scenario is built on."""

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from carecast.model.parameters import BadFile
from carecast.scenarios.scenario import SCENARIO_FORMAT, Aim, Lever, Scenario, nearest
from carecast.scenarios.targets import Target
from carecast.scenarios.upgrade import upgrade

LIBRARY = Path(__file__).parent / "library"
Part = type[Lever] | type[Target] | type[Aim]
SECTIONS: dict[str, Part] = {"aim": Aim, "lever": Lever, "assumption": Lever, "target": Target}
Problem = Any  # one of pydantic's error records
SIZES = ("add", "multiply_by", "share", "per_year", "miles", "places")  # an interval is of one of these
EARLIEST = dt.date(1, 1, 1)
RIGHT = {"date": "a date such as 2026-04-01", "tuple": "a list, such as [a, b]"}  # by how pydantic's error type begins


def library() -> tuple[str, ...]:
    """Names of the scenarios that come with carecast; the baseline first."""
    names = sorted(file.stem for file in LIBRARY.glob("*.toml"))
    return ("baseline", *(name for name in names if name != "baseline"))


def load_scenario(name_or_file: str | Path) -> Scenario:
    """Read a scenario of the library by its name, or a file by its path, with everything it is built on checked too.

    Raises:
        BadFile: not found, or with mistakes, one line each.
    """
    scenario = _read(_find(str(name_or_file), None))
    lineage(scenario)
    return scenario


def lineage(scenario: Scenario) -> tuple[Scenario, ...]:
    """The scenario and all it is built on, the oldest first. A name is looked for beside the file, then in the library.

    Raises:
        BadFile: an ancestor is missing, has mistakes, or the line comes back to itself.
    """
    line, named = [scenario], [scenario.name]
    while line[0].built_on:
        first = line[0]
        if first.built_on in named:
            path = " -> ".join([*named, first.built_on])
            raise BadFile(f"{scenario.name}: built_on goes in a circle: {path}")
        named.append(first.built_on)
        line.insert(0, _read(_find(first.built_on, Path(first._folder) if first._folder else None)))
    return tuple(line)


def inherited(scenario: Scenario) -> tuple[tuple[str, Lever], ...]:
    """(identity, lever or assumption) of the scenario and all it is built on, the oldest first."""
    return tuple(item for ancestor in lineage(scenario) for item in ancestor.identified())


def targets_of(scenario: Scenario) -> tuple[Target, ...]:
    """The scenario's own targets, or those of the nearest scenario it is built on that has any."""
    for ancestor in reversed(lineage(scenario)):
        if ancestor.targets:
            return ancestor.targets
    return ()


def limits_of(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """What the scenario and all it is built on ask for that cannot be modelled, by the title of whose aim it is."""
    return {found.title or found.name: found.limits for found in lineage(scenario) if found.limits}


def read_text(text: str, file: str) -> Scenario:
    """A scenario from the text of a file; ``file`` is what mistakes call it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFile(f"{file}: not valid TOML: {error}") from error
    changes = upgrade(document, file)
    scenario = _checked(document, file)
    scenario._upgraded = tuple(changes)
    return scenario


def source_text(name_or_file: str | Path) -> str:
    """The text of a scenario's file as it stands, with its comments."""
    return _find(str(name_or_file), None).read_text(encoding="utf-8")


def write_text(scenario: Scenario) -> str:
    """The scenario as the text of a file, in the current format."""
    document = scenario.model_dump(mode="python", by_alias=True, exclude_defaults=True, exclude_none=True)
    for key in SECTIONS:
        if key in document:
            document[key] = document.pop(key)  # tables stand last
    return tomli_w.dumps(_plain({"format": SCENARIO_FORMAT, "name": scenario.name, **document}))


def save_scenario(file: Path, scenario: Scenario) -> None:
    """Write a scenario file; it appears whole or not at all."""
    file = Path(file)
    partial = file.with_name(file.name + ".partial")
    partial.write_text(write_text(scenario), encoding="utf-8")
    partial.replace(file)


def _find(name: str, folder: Path | None) -> Path:
    """Path of a scenario named in another scenario's folder, in the library, or by its path."""
    if folder is not None and (folder / f"{name}.toml").is_file():
        return folder / f"{name}.toml"
    if (LIBRARY / f"{name}.toml").is_file():
        return LIBRARY / f"{name}.toml"
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        return path
    if path.suffix == ".toml":
        raise BadFile(f"{name}: not found")
    raise BadFile(f"{name}: no scenario of this name; {nearest(name, library())} or give a file that ends in .toml")


def _read(path: Path) -> Scenario:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{path}: cannot be read as text: {error}") from error
    scenario = read_text(text, str(path))
    scenario._folder = str(path.parent)
    return scenario


def _checked(document: dict[str, Any], file: str) -> Scenario:
    """Check every lever, assumption and target on its own, then the file as a whole; all mistakes at once."""
    lines: list[str] = []
    head = {key: value for key, value in document.items() if key not in SECTIONS}
    for section, model in SECTIONS.items():
        items = document.get(section, [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            lines.append(f"{file}: {section}: should be a list of tables, each headed [[{section}]]")
            continue
        head[section] = []
        for number, item in enumerate(items, 1):
            try:
                head[section].append(model.model_validate(item))
            except ValidationError as error:
                kind = item.get("kind") or item.get("name") or item.get("aim")
                where = f"{file}: {section} {number}" + (f" ({kind})" if kind else "")
                lines += mistakes(error, where, tuple(_aliases(model)))
                lines += _behind(error, model, item, where)
    if lines:
        head.pop("aim", None)  # an aim that names a lever with mistakes is no second mistake
    try:
        scenario = Scenario.model_validate(head)
    except ValidationError as error:
        lines += mistakes(error, file, tuple(_aliases(Scenario)))
    if lines:
        raise BadFile(*lines)
    return scenario


def _behind(error: ValidationError, model: Part, item: dict[str, Any], where: str) -> list[str]:
    """Mistakes that the fields found wrong were hiding: what the rest of the item says when they are left out."""
    wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
    if not wrong or "kind" in wrong:
        return []
    rest = {key: value for key, value in item.items() if key not in wrong}
    if "from" in wrong:
        rest["from"] = EARLIEST
    if wrong & set(SIZES):
        rest.pop("interval_80", None)
    try:
        model.model_validate(rest)
    except ValidationError as hidden:
        found = mistakes(hidden, where, ())
        fields = [line.removeprefix(f"{where}: ").split(":")[0].split(" or ") for line in found]
        return [line for line, names in zip(found, fields, strict=True) if not wrong & set(names)]
    return []


def _aliases(model: Part | type[Scenario]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def mistakes(error: ValidationError, where: str, known: Sequence[str]) -> list[str]:
    """One plain line for each mistake that pydantic found, with the field, the value and what would be right."""
    lines: list[str] = []
    for problem in error.errors():
        field = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "value_error":
            text = problem["msg"].removeprefix("Value error, ")
            lines += [f"{where}: {field + ': ' if field else ''}{line}" for line in text.split("\n")]
        else:
            lines.append(f"{where}: {field}: {_said(problem, known)}")
    return lines


def _said(problem: Problem, known: Sequence[str]) -> str:
    if problem["type"] == "missing":
        example = ", a date such as 2026-04-01" if problem["loc"][-1] == "from" else ""
        return f"missing{example}"
    if problem["type"] == "extra_forbidden":
        return f"not a field; {nearest(str(problem['loc'][-1]), known)}"
    given = problem.get("input")
    shown = f"found {given.isoformat()}; " if isinstance(given, dt.date) else ""
    if isinstance(given, str | int | float):
        shown = f"found {given!r}; "
    for start, right in RIGHT.items():
        if str(problem["type"]).startswith(start):
            return f"{shown}should be {right}"
    text = str(problem["msg"]).replace("Input should be", "should be")
    return shown + text[:1].lower() + text[1:]


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        if set(value) == {"value"}:
            return value["value"]  # an amount without an interval is a plain number
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
