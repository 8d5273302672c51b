"""From numbers with sources to the flat tables of one replication: draw row, drift, levers in force month by month."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from carecast.model import compiled, rules
from carecast.model import draws as dr
from carecast.model import words as w
from carecast.model.calendar import Calendar
from carecast.model.effects import effect_size
from carecast.model.parameters import BadFile, ParameterSet, Rate
from carecast.model.plan import AddRate, Plan, ScaleRate, Window
from carecast.model.tables import Choices, Hazards

Floats = np.ndarray
draws = compiled.MODULES["draws"]


@dataclass(frozen=True)
class DrawRow:
    """Row ``i`` of the joint draws, by column name; a number without a column keeps its central value."""

    columns: dict[str, int]
    values: Floats

    def get(self, name: str, central: float) -> float:
        """The drawn value of a number, or its central one."""
        at = self.columns.get(name)
        return central if at is None else float(self.values[at])

    def number(self, parameters: ParameterSet, name: str, default: float | None = None) -> float:
        """The drawn value of a number, or its central one; ``default`` where the parameter set does not say.

        Raises:
            KeyError: there is no such number and no default.
        """
        if name not in parameters.numbers and default is not None:
            return default
        return self.get(name, parameters.number(name))


def window_path(window: Window, calendar: Calendar) -> Floats:
    """How much of a change is in force in each month, 0 to 1: days in the window, and a ramp that steps monthly."""
    starts = calendar.month_start_day[:-1]
    ends = calendar.month_start_day[1:]
    last = window.to_day if window.to_day is not None else w.NEVER
    days = np.clip(np.minimum(ends, last + 1) - np.maximum(starts, window.from_day), 0, None)
    share = days / (ends - starts)
    if window.ramp_months > 0:
        first_month = int(np.searchsorted(ends, window.from_day, side="right"))
        step = np.clip((np.arange(len(starts)) - first_month + 1) / window.ramp_months, 0.0, 1.0)
        share = share * step
    path: Floats = share
    return path


def _named(names: tuple[str, ...], given: tuple[str, ...]) -> Floats:
    """Mask of ``names`` that are ``given``; nothing given means all."""
    return np.array([not given or name in given for name in names], dtype=bool)


LEAST_RATIO = 1e-9  # a ratio of nothing: never again, within any run


class HazardBuilder:
    """Everything of ``Hazards`` that is the same in every replication of a world."""

    def __init__(self, parameters: ParameterSet, plan: Plan, calendar: Calendar, columns: dict[str, int]) -> None:
        """Lay out rates and group their cells into series that share drift and changes."""
        self.calendar = calendar
        self.n_localities = len(parameters.localities)
        self.rate_tables = [(_cells(rate), np.array(rate.per_year) / w.DAYS_PER_YEAR) for rate in parameters.rates]
        self.rate_columns = [_rate_column(rate, columns) for rate in parameters.rates]
        self.changes = [change for change in plan.changes if isinstance(change, ScaleRate | AddRate)]
        self.paths = [window_path(change.window, calendar) for change in self.changes]
        names = tuple(locality.name for locality in parameters.localities)
        shape = (w.N_CAUSES, w.N_PLACEMENT_TYPES, self.n_localities, w.N_AGE_BANDS)
        marks = np.zeros((len(self.changes) + 1, *shape), dtype=np.int8)
        marks[0, w.FIRST_EXIT : w.LAST_EXIT + 1] = 1  # drift of exits
        marks[0, w.FIRST_MOVE : w.LAST_MOVE + 1] = 2  # drift of moves
        marks[0, w.RETURN_WITHIN_RADIUS] = 0
        for number, change in enumerate(self.changes, start=1):
            self._mark(marks[number], change, names)
        flat = marks.reshape(len(marks), -1).T
        self.signatures, series_of = np.unique(flat, axis=0, return_inverse=True)
        self.series_of = np.ascontiguousarray(series_of.reshape(-1)).astype(np.int64)
        self.added = np.zeros(shape[:2] + (w.N_AGE_BANDS,), dtype=bool)
        for number, change in enumerate(self.changes, start=1):
            if isinstance(change, AddRate):
                self.added |= marks[number].any(axis=2).astype(bool)
        self._refuse_added_on_base(parameters)
        self.sds = [parameters.number("exits.level_sd_per_year"), parameters.number("moves.level_sd_per_year")]

    def _mark(self, mark: Floats, change: ScaleRate | AddRate, names: tuple[str, ...]) -> None:
        cause = w.CAUSES.index(change.cause)
        types = _named(w.PLACEMENT_TYPES, change.placement_types)
        if cause < w.FIRST_EXIT:
            types = np.arange(w.N_PLACEMENT_TYPES) == 0
        mark[cause] = np.einsum(
            "t,l,a->tla", types, _named(names, change.localities), _named(w.AGE_BANDS, change.age_bands), dtype=np.int8
        )

    def _refuse_added_on_base(self, parameters: ParameterSet) -> None:
        base = self.rates(DrawRow({}, np.zeros(0)), with_added=False)
        clash = self.added & (base.max(axis=3) > 0)
        if clash.any():
            cause = w.CAUSES[int(np.argwhere(clash)[0][0])]
            raise BadFile(
                f"a lever adds a rate of {cause}, which already has one in {parameters.council}: multiply it instead"
            )

    def rates(self, row: DrawRow, with_added: bool = True) -> Floats:
        """Hazards per day [cause][placement type][age band][duration band] of one draw row."""
        rate = np.zeros((w.N_CAUSES, w.N_PLACEMENT_TYPES, w.N_AGE_BANDS, w.N_DURATION_BANDS))
        for (cells, per_day), column in zip(self.rate_tables, self.rate_columns, strict=True):
            rate[cells] = per_day * (1.0 if column < 0 or not len(row.values) else row.values[column])
        if with_added:
            rate[self.added] = 1.0 / w.DAYS_PER_YEAR  # the lever's path carries the size, per year
        return rate

    def build(self, row: DrawRow, seed: int, replication: int) -> Hazards:
        """The hazards of one replication."""
        calendar = self.calendar
        n_months = calendar.n_months
        key = dr.lanes(seed, replication, dr.WHO_REPLICATION, 0, 0)
        drifts = [
            np.ones(n_months),
            level_path(key, dr.P_LEVEL_EXITS, row.get("exits.level_sd_per_year", self.sds[0]), n_months),
            level_path(key, dr.P_LEVEL_MOVES, row.get("moves.level_sd_per_year", self.sds[1]), n_months),
        ]
        ratio = np.ones((len(self.signatures), n_months))
        for series, signature in enumerate(self.signatures):
            ratio[series] = drifts[signature[0]] * self._changed(signature[1:], seed, replication)
        days = np.diff(calendar.month_start_day).astype(float)
        ratio_sum = np.zeros_like(ratio)
        np.cumsum((ratio * days)[:, :-1], axis=1, out=ratio_sum[:, 1:])
        return Hazards(
            rate=self.rates(row).ravel(),
            series_of=self.series_of,
            ratio=ratio.ravel(),
            ratio_sum=ratio_sum.ravel(),
            month_of_day=calendar.month_of_day,
            month_start_day=calendar.month_start_day,
            first_day=calendar.first_day,
            end_day=calendar.last_day + 1,
            n_months=n_months,
            n_localities=self.n_localities,
        )

    def _changed(self, marks: Floats, seed: int, replication: int) -> Floats:
        scaled = np.ones(self.calendar.n_months)
        added: Floats | None = None
        for mark, change, path in zip(marks, self.changes, self.paths, strict=True):
            if not mark:
                continue
            if isinstance(change, AddRate):
                size = effect_size(change.per_year, seed, replication) * path
                added = size if added is None else added + size
            else:
                scaled = scaled * ramped_ratio(effect_size(change.ratio, seed, replication), path)
        return scaled if added is None else scaled * added


def ramped_ratio(ratio: float, path: Floats) -> Floats:
    """Ratio in force: geometric from 1 to ``ratio`` as the path goes from 0 to 1."""
    if ratio <= 0.0:
        return 1.0 - path
    return np.exp(path * math.log(ratio))


def level_path(key: tuple[int, int], purpose: int, sd_per_year: float, n_months: int) -> Floats:
    """A drifting level: exp of a random walk with monthly steps of sd / sqrt(12), starting at 1 in month 0."""
    walk = np.zeros(n_months)
    draws.normals(key[0], key[1], purpose, 1, 1, walk[1:])
    return np.exp(sd_per_year / math.sqrt(12.0) * np.cumsum(walk))


def _cells(rate: Rate) -> tuple[int, list[int]]:
    kinds = [w.PLACEMENT_TYPES.index(name) for name in rate.placement_types]
    cause = w.CAUSES.index(rate.cause)
    if cause < w.FIRST_EXIT:
        return cause, [0]
    return cause, kinds or list(range(w.N_PLACEMENT_TYPES))


def _rate_column(rate: Rate, columns: dict[str, int]) -> int:
    return columns.get(f"rate.{rate.cause}.{rate.label}", columns.get(f"rate.{rate.cause}", -1))


class ChanceTable:
    """A table of chances whose cells are central values or draws, normalised and cumulated along the last axis."""

    def __init__(self, rows: int, width: int) -> None:
        """An empty table [row][age band][outcome]."""
        self.central = np.zeros((rows, w.N_AGE_BANDS, width))
        self.column = np.full((rows, w.N_AGE_BANDS, width), -1, dtype=np.int64)

    def fill(
        self, row: int, age: int, chances: dict[int, float], names: dict[int, str], columns: dict[str, int]
    ) -> None:
        """Set the chances of one row and age band, and where their draws are."""
        self.central[row, age] = 0.0
        self.column[row, age] = -1
        for outcome, chance in chances.items():
            self.central[row, age, outcome] = chance
            self.column[row, age, outcome] = columns.get(names[outcome], -1)

    def missing(self, n_ages: int) -> list[tuple[int, int]]:
        """Rows and age bands (of the first ``n_ages``) that have no chances."""
        return [(int(row), int(age)) for row, age in np.argwhere(self.central[:, :n_ages].sum(axis=2) <= 0)]

    def cumulated(self, values: Floats) -> Floats:
        """The flat cumulated table of one draw row; rows without chances fall to their last outcome."""
        table = np.where(self.column >= 0, values[self.column], self.central) if len(values) else self.central
        total = table.sum(axis=2, keepdims=True)
        return np.cumsum(table / np.where(total > 0, total, 1.0), axis=2).ravel()


def branch_table(parameters: ParameterSet, columns: dict[str, int]) -> ChanceTable:
    """Chances at the branches."""
    table = ChanceTable(w.N_BRANCHES, w.N_OUTCOMES)
    for branch in parameters.branches:
        row = w.BRANCHES.index(branch.branch)
        for age_name in branch.age_bands or w.AGE_BANDS:
            chances = {w.OUTCOMES.index(name): p for name, p in branch.chances.items()}
            names = {w.OUTCOMES.index(name): f"branch.{branch.branch}.{age_name}.{name}" for name in branch.chances}
            table.fill(row, w.AGE_BANDS.index(age_name), chances, names, columns)
    unused = w.BRANCHES.index("early_help")  # a case of early help that ends is closed
    missing = [(row, age) for row, age in table.missing(w.N_AGE_BANDS) if row != unused]
    _refuse_missing("branch", [(w.BRANCHES[row], age) for row, age in missing])
    return table


def _refuse_missing(what: str, missing: Sequence[tuple[str, int]]) -> None:
    if missing:
        raise BadFile(
            *(
                f"parameters.toml: {what} {name!r} has no chances for age band {w.AGE_BANDS[age]}"
                for name, age in missing
            )
        )


_MOMENTS = {
    "entry": rules.M_ENTRY,
    "return": rules.M_RETURN,
    "remand": rules.M_REMAND,
    "unaccompanied": rules.M_UNACCOMPANIED,
}


def wanted_table(parameters: ParameterSet, columns: dict[str, int]) -> ChanceTable:
    """Placement types wanted at each moment."""
    table = ChanceTable(rules.N_MOMENTS, w.N_PLACEMENT_TYPES)
    for row in parameters.destinations:
        if row.moment in _MOMENTS:
            rows = [_MOMENTS[row.moment]]
        else:
            first = rules.M_MOVE if row.moment == "move" else rules.M_STEP_DOWN
            rows = [first + w.PLACEMENT_TYPES.index(name) for name in row.from_types or w.PLACEMENT_TYPES]
        for age_name in row.age_bands or w.AGE_BANDS:
            chances = {w.PLACEMENT_TYPES.index(name): p for name, p in row.chances.items()}
            stem = f"destination.{row.moment}.{row.label}.{age_name}."
            names = {w.PLACEMENT_TYPES.index(name): stem + name for name in row.chances}
            for at in rows:
                table.fill(at, w.AGE_BANDS.index(age_name), chances, names, columns)
    _refuse_missing(
        "destination", [(_moment_name(row), age) for row, age in table.missing(w.ADULT) if row < rules.M_STEP_DOWN]
    )
    return table


def _moment_name(row: int) -> str:
    """What a row of wanted types is called."""
    if row < rules.M_MOVE:
        return ("entry", "return", "remand", "unaccompanied")[row]
    return f"move from {w.PLACEMENT_TYPES[row - rules.M_MOVE]}"


def make_choices(
    parameters: ParameterSet, row: DrawRow, branch: ChanceTable, wanted: ChanceTable, divert: Floats
) -> Choices:
    """Chances, diverted shares and limits of one replication."""
    number = partial(row.number, parameters)
    continues = [number(f"continuing_care.uptake_{name}", 0.0) for name in w.PLACEMENT_TYPES]
    return Choices(
        branch=branch.cumulated(row.values),
        wanted=wanted.cumulated(row.values),
        divert=divert.ravel(),
        joins_care_chance=number("family.joins_care_chance"),
        continues=np.array(continues),
        continuing_limit_days=int(number("continuing_care.max_age_years", 21) * w.DAYS_PER_YEAR),
        aftercare_limit_days=int(number("aftercare.max_age_years", 21) * w.DAYS_PER_YEAR),
        closed_memory_days=int(number("closed.memory_days", 730)),
        home_memory_days=int(number("home_after_care.memory_days", 2192)),
        home_support_days=int(number("home_after_care.support_days", 182)),
        diverted_hazard_ratio=max(number("diverted.pre_entry_hazard_ratio", 1.0), LEAST_RATIO),
        wait_limit_days=int(number("waiting.limit_days", 36500)),
        unaccompanied_exit_ratio=max(number("exits.unaccompanied_hazard_ratio", 1.0), LEAST_RATIO),
        infants_first=int(number("services.infants_first", 1)),
    )
