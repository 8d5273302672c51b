"""A target file: what must be true, the levers that may be turned to get there, and what must not get worse.

``[[target]]`` as in ``targets.py``; ``[[free_lever]]`` is a lever whose size is left free between ``min`` and ``max``
(in steps of ``step`` when given); ``[limits]`` caps money; ``[safety]`` says by how much each safety measure may worsen
against the baseline, in its own unit.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from carecast.model.parameters import BadFile, Frozen
from carecast.scenarios.compare import SAFETY_MEASURES
from carecast.scenarios.kind_table import KINDS
from carecast.scenarios.library import mistakes
from carecast.scenarios.scenario import Lever, nearest
from carecast.scenarios.targets import Target

TARGETS = Path(__file__).parent / "targets"
FREE = ("min", "max", "step")


class Limits(Frozen):
    """The most that may be spent on the levers: once (with capital), and in any one financial year."""

    one_off_gbp: Annotated[float, Field(ge=0)] | None = None
    recurring_gbp_per_year: Annotated[float, Field(ge=0)] | None = None


class FreeLever(Frozen):
    """A lever whose size is to be found."""

    lever: dict[str, Any]  # its fields, all but the size
    min: float
    max: float
    step: float | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "FreeLever":
        if not self.min < self.max:
            raise ValueError(f"min: found {self.min:g}; should be below max, {self.max:g}")
        return self

    @property
    def size_field(self) -> str:
        """The field that ``min`` and ``max`` are of: the main size of its kind."""
        return KINDS[str(self.lever["kind"])].sizes[0]

    def at(self, size: float) -> Lever:
        """The lever at a size, rounded to the nearest step."""
        if self.step:
            size = self.min + round((size - self.min) / self.step) * self.step
        whole = KINDS[str(self.lever["kind"])].sizes[0] == "places"
        return Lever.model_validate({**self.lever, self.size_field: int(size) if whole else size})


class TargetFile(Frozen):
    """Everything the solver is asked: targets, free levers, limits and safety margins."""

    format: Annotated[int, Field(ge=1, le=1)] = 1
    name: str = Field(min_length=1)
    built_on: str = "baseline"
    rationale: str = ""
    targets: tuple[Target, ...] = Field(alias="target", min_length=1)
    free_levers: tuple[FreeLever, ...] = Field(default=(), alias="free_lever")
    limits: Limits = Limits()
    safety: dict[str, Annotated[float, Field(ge=0)]] = {}

    @model_validator(mode="after")
    def _known_measures(self) -> "TargetFile":
        wrong = [
            f"safety: {name}: {nearest(name, SAFETY_MEASURES)}" for name in self.safety if name not in SAFETY_MEASURES
        ]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self


def target_files() -> tuple[str, ...]:
    """Names of the target files that come with carecast."""
    return tuple(sorted(file.name.removesuffix(".target.toml") for file in TARGETS.glob("*.target.toml")))


def load_target_file(name_or_file: str | Path) -> TargetFile:
    """Read a target file, by its path or by its name in the library.

    Raises:
        BadFile: not found, or with mistakes, one line each.
    """
    shipped = TARGETS / f"{name_or_file}.target.toml"
    path = shipped if shipped.is_file() else Path(name_or_file)
    if not path.is_file():
        hint = nearest(str(name_or_file), target_files())
        raise BadFile(f"{name_or_file}: no target file of this name; {hint} or give a file that ends in .target.toml")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(f"{path}: not valid TOML: {error}") from error
    return _checked(document, str(path))


def _checked(document: dict[str, Any], file: str) -> TargetFile:
    lines: list[str] = []
    items = document.get("free_lever", [])
    document["free_lever"] = []
    for number, item in enumerate(items if isinstance(items, list) else [], 1):
        where = f"{file}: free_lever {number}" + (f" ({item['kind']})" if "kind" in item else "")
        try:
            document["free_lever"].append(_free_lever(item))
        except ValidationError as error:
            lines += mistakes(error, where, (*FREE, *(f.alias or n for n, f in Lever.model_fields.items())))
        except BadFile as error:
            lines += [f"{where}: {line}" for line in error.lines]
    try:
        found = TargetFile.model_validate(document)
    except ValidationError as error:
        lines += mistakes(error, file, tuple(f.alias or n for n, f in TargetFile.model_fields.items()))
    if lines:
        raise BadFile(*lines)
    return found


def _free_lever(item: dict[str, Any]) -> FreeLever:
    kind = str(item.get("kind", ""))
    if kind not in KINDS:
        raise BadFile(f"kind: found {kind!r}; {nearest(kind, KINDS)}")
    if not KINDS[kind].sizes:
        raise BadFile(f"kind: found {kind!r}, which has no size to leave free")
    free = {name: item[name] for name in FREE if name in item}
    found = FreeLever.model_validate({"lever": {k: v for k, v in item.items() if k not in FREE}, **free})
    for end in (found.min, found.max):
        found.at(end)
    return found
