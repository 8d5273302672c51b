"""A target file: what must be true, the levers that may be turned to get there, and what must not get worse.

``[[target]]`` as in ``targets.py``; ``[[free_lever]]`` is a lever whose size is left free between ``min`` and ``max``
(in steps of ``step`` when given); ``[limits]`` caps money; ``[safety]`` says by how much each safety measure may worsen
against the baseline, in its own unit. A free lever at a size that does nothing (0, or a ratio of 1) is left out, and
costs nothing. Its costs are those of the end that does most; at smaller sizes ``fixed_cost_share`` of the one-off,
recurring, capital and double running cost stays and the rest goes with the size. ``interval_ratio_80`` is the 80 %
interval of what the lever achieves, as a multiple of its size: [0.5, 1.3] of a share of 0.2 is 0.1 to 0.26.
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
FREE = ("min", "max", "step", "fixed_cost_share", "interval_ratio_80")
SCALED_COSTS = ("one_off_gbp", "recurring_gbp_per_year", "capital_gbp", "double_running_gbp")
STEPS = 20  # of a free lever that names none


class Limits(Frozen):
    """The most that may be spent on the levers: once (with capital), and in any one financial year; means.

    ``reserves_breach_chance``: the most that reserves may be likely to stand below their policy minimum on any 31 March.
    """

    one_off_gbp: Annotated[float, Field(ge=0)] | None = None
    recurring_gbp_per_year: Annotated[float, Field(ge=0)] | None = None
    reserves_breach_chance: Annotated[float, Field(ge=0, lt=1)] | None = None


class FreeLever(Frozen):
    """A lever whose size is to be found."""

    lever: dict[str, Any]  # its fields, all but the size
    min: float
    max: float
    step: Annotated[float, Field(gt=0)] | None = None
    fixed_cost_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    interval_ratio_80: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(ge=1)]] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "FreeLever":
        if not self.min < self.max:
            raise ValueError(f"min: found {self.min:g}; should be below max, {self.max:g}")
        if self.interval_ratio_80 and self.interval_ratio_80[0] > 1:
            raise ValueError(f"interval_ratio_80: found {list(self.interval_ratio_80)}; should hold 1, the size itself")
        return self

    @property
    def size_field(self) -> str:
        """The field that ``min`` and ``max`` are of: the main size of its kind."""
        return KINDS[str(self.lever["kind"])].sizes[0]

    @property
    def name(self) -> str:
        """What it is called: its own name, or its kind's label."""
        return str(self.lever.get("name") or KINDS[str(self.lever["kind"])].label)

    @property
    def neutral(self) -> float:
        """The size that does nothing: a ratio of 1, otherwise 0."""
        return 1.0 if self.size_field == "multiply_by" else 0.0

    @property
    def sizes(self) -> tuple[float, ...]:
        """Every size it may take, from ``min`` to ``max`` in steps (twenty when it names none); whole for places."""
        step = self.step or (self.max - self.min) / STEPS
        count = int((self.max - self.min) / step + 1e-9)
        found = [self.min + at * step for at in range(count + 1)]
        if self.size_field == "places":
            found = [float(round(size)) for size in found]
        return tuple(dict.fromkeys(round(size, 10) for size in found))

    def is_left_out(self, size: float) -> bool:
        """Whether the lever does nothing at a size, so that a package does not hold it."""
        return abs(size - self.neutral) < 1e-9

    def at(self, size: float) -> Lever:
        """The lever at a size, rounded to the nearest step, with its costs at that size."""
        if self.step:
            size = round(self.min + round((size - self.min) / self.step) * self.step, 10)
        whole = self.size_field == "places"
        return Lever.model_validate(
            {**self.lever, **self._costs(size), **self._interval(size), self.size_field: int(size) if whole else size}
        )

    def _costs(self, size: float) -> dict[str, Any]:
        """The costs that go with the size, in part."""
        farthest = max(abs(self.min - self.neutral), abs(self.max - self.neutral))
        part = self.fixed_cost_share + (1.0 - self.fixed_cost_share) * abs(size - self.neutral) / farthest
        return {name: _times(self.lever[name], part) for name in SCALED_COSTS if name in self.lever and part != 1.0}

    def _interval(self, size: float) -> dict[str, Any]:
        if self.interval_ratio_80 is None or self.is_left_out(size):
            return {}
        ends = sorted(round(self.neutral + ratio * (size - self.neutral), 10) for ratio in self.interval_ratio_80)
        return {"interval_80": ends}


def _times(amount: Any, part: float) -> Any:  # noqa: ANN401
    """Pounds, or pounds with an interval, times a share; what is no number is left for the lever to refuse."""
    if isinstance(amount, dict):
        return {name: _times(value, part) for name, value in amount.items()}
    return round(amount * part, 2) if isinstance(amount, int | float) and not isinstance(amount, bool) else amount


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
    if KINDS[kind].is_assumption:
        raise BadFile(f"kind: found {kind!r}, an assumption: only what a council can choose is left free")
    free = {name: item[name] for name in FREE if name in item}
    found = FreeLever.model_validate({"lever": {k: v for k, v in item.items() if k not in FREE}, **free})
    for end in (found.min, found.max):
        if not found.is_left_out(end):
            found.at(end)
    return found
