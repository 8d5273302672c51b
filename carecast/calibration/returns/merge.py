"""Parts put on a base: what a part says replaces what the base said, and the base's draws of it go."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from carecast.calibration import draw
from carecast.calibration.arrays import Array
from carecast.calibration.returns.part import Part
from carecast.model import words as w
from carecast.model.parameters import Calibrated, Destination, ParameterSet

MOVE_LIKE = ("move", "step_down")  # the files show moves, not why: one cause stands for both


@dataclass(frozen=True, slots=True)
class Merged:
    """A parameter set and its draws."""

    parameters: ParameterSet
    draws: dict[str, Array]


def merged(base: Calibrated, parts: Sequence[Part], about: Mapping[str, Any]) -> Merged:
    """The base with parts put on it in order; ``about`` are fields of the parameter set itself (council, as_at, ...)."""
    parameters = base.parameters
    fields: dict[str, Any] = dict(about)
    fields["numbers"] = _joined(parameters.numbers, (part.numbers for part in parts))
    fields["series"] = _joined(parameters.series, (part.series for part in parts))
    fields["rates"] = _rates(parameters, parts)
    branches = {(b.branch, age): b for b in parameters.branches for age in b.age_bands or w.AGE_BANDS}
    for part in parts:
        branches |= {(b.branch, age): b for b in part.branches for age in b.age_bands or w.AGE_BANDS}
    fields["branches"] = _whole(branches)
    fields["destinations"] = _destinations(parameters, parts)
    for name in ("providers", "service_pools", "cost_lines", "budgets", "localities", "population_years", "history"):
        given = [getattr(part, name) for part in parts if getattr(part, name)]
        if given:
            fields[name] = given[-1]
    fields["notes"] = (*about.get("notes", ()), *(note for part in parts for note in part.notes))
    made = ParameterSet.model_validate(parameters.model_dump(by_alias=True) | _dumped(fields))
    return Merged(made, _draws(base, parts, made))


def _dumped(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(by_alias=True)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_plain(item) for item in value)
    return value


def _joined(first: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    out = dict(first)
    for other in others:
        out |= other
    return out


def _rates(parameters: ParameterSet, parts: Sequence[Part]) -> tuple[Any, ...]:
    """Rates cause by cause: a part that tells a cause tells all of it."""
    kept = list(parameters.rates)
    for part in parts:
        causes = {rate.cause for rate in part.rates}
        if "move" in causes:
            causes |= set(MOVE_LIKE)
        kept = [rate for rate in kept if rate.cause not in causes] + list(part.rates)
    return tuple(kept)


def _whole(branches: Mapping[tuple[str, str], Any]) -> tuple[Any, ...]:
    """Each branch with the age bands it still speaks for."""
    ages: dict[int, list[str]] = {}
    rows: dict[int, Any] = {}
    for (_, age), branch in branches.items():
        ages.setdefault(id(branch), []).append(age)
        rows[id(branch)] = branch
    return tuple(rows[at].model_copy(update={"age_bands": tuple(names)}) for at, names in ages.items())


def _destinations(parameters: ParameterSet, parts: Sequence[Part]) -> tuple[Destination, ...]:
    """Destinations moment by moment; a part that tells a moment tells all of it."""
    kept = list(parameters.destinations)
    for part in parts:
        moments = {row.moment for row in part.destinations}
        kept = [row for row in kept if row.moment not in moments] + list(part.destinations)
    return tuple(kept)


def _draws(base: Calibrated, parts: Sequence[Part], made: ParameterSet) -> dict[str, Array]:
    """Draws of the base that still hold, of the parts, and of the parts' numbers with an interval."""
    columns: dict[str, Array] = {str(name): base.draws[name].to_numpy(dtype=float) for name in base.draws.columns}
    for part in parts:
        stale = stale_columns(part)
        priced = {f"price.{p.code}" for p in part.providers} | {f"price.{line.line}" for line in part.cost_lines}
        columns = {
            name: values for name, values in columns.items() if not name.startswith(stale) and name not in priced
        }
        columns = {name: values for name, values in columns.items() if name not in part.numbers}
        for name, number in part.numbers.items():
            drawn = draw.of_number(name, number)
            if drawn is not None and name not in part.draws:
                columns[name] = drawn
        columns |= part.draws
    codes = {p.code for p in made.providers} | {line.line for line in made.cost_lines}
    known = {f"rate.{rate.cause}.{rate.label}" for rate in made.rates}
    return {name: values for name, values in columns.items() if _speaks(name, codes, known, made)}


def _speaks(name: str, codes: set[str], rates: set[str], made: ParameterSet) -> bool:
    """Whether a column is of something the set still has."""
    if name.startswith("rate."):
        return name in rates
    if name.startswith(("provider.", "price.")):
        return name.removeprefix("provider.").removeprefix("price.").split(".")[0] in codes
    return True


def stale_columns(part: Part) -> tuple[str, ...]:
    """Beginnings of columns that no longer hold once a part is in."""
    out = set(part.stale_draws)
    out |= {f"rate.{rate.cause}." for rate in part.rates}
    out |= {f"branch.{b.branch}.{age}." for b in part.branches for age in b.age_bands or w.AGE_BANDS}
    out |= {f"destination.{row.moment}." for row in part.destinations}
    if part.providers:
        out.add("provider.")
    return tuple(sorted(out))


def as_frame(columns: Mapping[str, Array]) -> pd.DataFrame:
    """Draws as they are kept, columns in the order of their names."""
    draw.check_bounds(columns)
    return pd.DataFrame({name: columns[name] for name in sorted(columns)})
