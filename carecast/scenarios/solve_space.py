"""The packages that a solver may choose from: every free lever at each of its sizes, and what its own levers cost.

A package is a row of whole numbers, one a free lever: the position of its size. Costs that depend on no child (once, a
year, per place) are known without telling a replication and add up lever by lever; those per child or family are not.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from carecast.model.calendar import Calendar, make_calendar
from carecast.model.parameters import ParameterSet
from carecast.model.plan import Plan
from carecast.model.programme import programme, programme_pence
from carecast.model.summary import BASELINE
from carecast.scenarios.apply import apply
from carecast.scenarios.kinds import CHILD_COST, COSTS, FAMILY_COST, PLACE_COST
from carecast.scenarios.library import load_scenario
from carecast.scenarios.scenario import Lever, Scenario
from carecast.scenarios.target_file import FreeLever, TargetFile
from carecast.scenarios.targets import Target

Points = NDArray[np.int64]  # [package, free lever]: position of the size
Point = tuple[int, ...]
Floats = NDArray[np.float64]
PACKAGE = "package"
FOUND_BY = "found by carecast solve"
COST_REPLICATIONS = 32  # over which an uncertain amount is averaged
OF_COST = (*COSTS, PLACE_COST, CHILD_COST, FAMILY_COST, "double_running_gbp")
WITHOUT_A_NOUGHT = ("places", "miles")  # sizes that cannot be nothing: such a lever is left out instead


@dataclass(frozen=True)
class OwnCost:
    """Mean programme cost of some packages in pounds, without what is paid per child or family."""

    total: Floats  # [package]: over the run
    one_off: Floats  # [package]: over the run
    recurring: Floats  # [package]: in the dearest financial year


@dataclass(frozen=True)
class Space:
    """Free levers, their sizes, and the council that they are for."""

    asked: TargetFile
    parameters: ParameterSet
    until: dt.date
    seed: int
    folder: str = ""  # where the target file is: what it is built on is looked for there first

    @property
    def free(self) -> tuple[FreeLever, ...]:
        """The free levers, in the order of the file."""
        return self.asked.free_levers

    @cached_property
    def sizes(self) -> tuple[tuple[float, ...], ...]:
        """Sizes of each free lever."""
        return tuple(free.sizes for free in self.free)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many sizes each free lever has."""
        return tuple(len(sizes) for sizes in self.sizes)

    @property
    def n_packages(self) -> int:
        """How many packages there are."""
        return int(np.prod([float(count) for count in self.shape]))

    @cached_property
    def nothing(self) -> Point:
        """The package whose every lever does nothing, or as little as it may."""
        return tuple(
            int(np.argmin([abs(size - free.neutral) for size in sizes]))
            for free, sizes in zip(self.free, self.sizes, strict=True)
        )

    @cached_property
    def most(self) -> Point:
        """The package whose every lever stands at the end that does most."""
        return tuple(
            int(np.argmax([abs(size - free.neutral) for size in sizes]))
            for free, sizes in zip(self.free, self.sizes, strict=True)
        )

    def unit(self, points: Points) -> Floats:
        """Sizes on a scale from 0 (min) to 1 (max) for each lever."""
        last = np.array([max(count - 1, 1) for count in self.shape], dtype=np.float64)
        scaled: Floats = np.asarray(points, dtype=np.float64) / last
        return scaled

    def all_points(self) -> Points:
        """Every package, the last lever changing fastest."""
        grid = np.indices(self.shape).reshape(len(self.shape), -1).T
        return np.ascontiguousarray(grid, dtype=np.int64)

    def size_of(self, point: Sequence[int]) -> tuple[float, ...]:
        """Sizes of a package."""
        return tuple(sizes[at] for sizes, at in zip(self.sizes, point, strict=True))

    # --- scenario and plan ------------------------------------------------------------------------
    def scenario(self, point: Sequence[int], *, for_search: bool = False, targets: Iterable[Target] = (),
                 rationale: str = "", author: str = "", today: dt.date | None = None) -> Scenario:  # fmt: skip
        """A package as a scenario that holds the levers that do something.

        For the search levers that do nothing stay as such, without cost, so that every lever keeps its name, and with it
        its draws, in every package.
        """
        levers = []
        for free, size in zip(self.free, self.size_of(point), strict=True):
            if not free.is_left_out(size):
                levers.append(_with_source(free, free.at(size)))
            elif for_search and free.size_field not in WITHOUT_A_NOUGHT:
                levers.append(_idle(free))
        found = Scenario.model_validate({
            "name": PACKAGE, "built_on": self.asked.built_on, "author": author, "date": today, "status": "draft",
            "rationale": rationale, "lever": tuple(levers), "target": tuple(targets),
        })  # fmt: skip
        found._folder = self.folder
        return found

    def plan(self, point: Sequence[int]) -> Plan:
        """The plan of a package as the search tells it.

        Raises:
            BadFile: the levers do not fit the council.
        """
        return apply(self.parameters, self.scenario(point, for_search=True), self.until)

    def baseline(self) -> Plan:
        """The plan that packages are compared with."""
        return apply(self.parameters, load_scenario(BASELINE), self.until)

    # --- cost -------------------------------------------------------------------------------------
    def own_cost(self, points: Points) -> OwnCost:
        """Programme cost that depends on no child, lever by lever added up."""
        common, tables = self._tables
        by_year = np.repeat(common[np.newaxis], len(points), axis=0)
        for lever, table in enumerate(tables):
            by_year += table[np.asarray(points)[:, lever]]
        return OwnCost(by_year.sum(axis=(1, 2)), by_year[:, 0].sum(axis=1), by_year[:, 1].max(axis=1))

    @cached_property
    def _tables(self) -> tuple[Floats, tuple[Floats, ...]]:
        """[one-off | recurring, financial year] of what all are built on, and the same [size, ...] of each lever."""
        calendar = make_calendar(self.parameters.as_at, self.until)
        built_on = self.scenario(self.nothing, for_search=True).model_copy(update={"levers": ()})
        built_on._folder = self.folder
        common = self._cost_of(apply(self.parameters, built_on, self.until), calendar)
        tables = []
        for free, sizes in zip(self.free, self.sizes, strict=True):
            alone = [
                np.zeros_like(common)
                if free.is_left_out(size)
                else self._cost_of(apply(self.parameters, _alone(free.at(size)), self.until), calendar)
                for size in sizes
            ]
            tables.append(np.stack(alone))
        return common - self._cost_of(self.baseline(), calendar), tuple(tables)

    def _cost_of(self, plan: Plan, calendar: Calendar) -> Floats:
        laid_out = programme(plan, calendar, [locality.name for locality in self.parameters.localities])
        counted = np.zeros((len(calendar.financial_years), len(laid_out.counted_events)), dtype=np.int64)
        pence = [programme_pence(laid_out, counted, self.seed, i) for i in range(COST_REPLICATIONS)]
        mean = np.mean(pence, axis=0) / 100.0
        recurring = np.array([item.recurring for item in laid_out.items], dtype=bool)
        return np.stack([mean[:, ~recurring].sum(axis=1), mean[:, recurring].sum(axis=1)])


def _with_source(free: FreeLever, lever: Lever) -> Lever:
    """The lever with where its size comes from, added to the file's own reason."""
    said = f"Size {FOUND_BY} between {free.min:g} and {free.max:g}."
    return lever.model_copy(update={"because": f"{lever.because} {said}".strip()})


def _idle(free: FreeLever) -> Lever:
    kept = {name: value for name, value in free.lever.items() if name not in OF_COST and name != "no_effect_chance"}
    return Lever.model_validate({**kept, free.size_field: free.neutral})


def _alone(lever: Lever) -> Scenario:
    return Scenario.model_validate({"name": "alone", "built_on": "", "lever": (lever,)})


def folder_of(target_file: str | Path) -> str:
    """Where a target file is, if it is a file and not a name of the library."""
    path = Path(target_file)
    return str(path.parent) if path.suffix == ".toml" and path.is_file() else ""
