"""Many plans told on the same replications: what the solver, the waterfall and the tornado stand on.

The baseline is told once and its staff are shared with every plan, as in a run; plans are told by this process or by
several of this machine. What is told is a pure function of parameter set, plan, seed and replication, so it does not
matter who tells it. Whatever decides a number is the run's own code: ``Teller``, ``yearly_measures``.
"""

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from carecast.model import prices
from carecast.model.money import Money, stack
from carecast.model.parameters import Calibrated
from carecast.model.plan import Plan
from carecast.model.setup import Stock
from carecast.model.summary import BASELINE, Answers, monthly_grid
from carecast.scenarios.budget import ApprovedBudget, approved_budget
from carecast.scenarios.replicate import Job, Teller
from carecast.scenarios.workers import started_without_ctrl_c
from carecast.scenarios.yearly import yearly_measures

AT_ONCE = 25  # replications that one worker is given at a time


@dataclass(frozen=True)
class Ground:
    """What every plan is told on."""

    calibrated: Calibrated
    until: dt.date
    radius_miles: float | None = None


class Task(NamedTuple):
    """Some replications of one plan, and the baseline's staff in them (None: it is the baseline)."""

    plan: Plan
    seed: int
    replications: tuple[int, ...]
    staff_units: np.ndarray | None  # [replication, financial year, service line]
    held: tuple[tuple[str, float], ...] = ()  # columns of the draws that are held at a value


@dataclass(frozen=True)
class Told:
    """Replications of one plan."""

    monthly: np.ndarray  # [replication, row, month]
    money: Money  # stacked
    staff_units: np.ndarray  # [replication, financial year, service line]: cases and days of its services


# --- who tells ------------------------------------------------------------------------------------
class _Given:
    """The ground as worker processes are given it, once, when they start; equal only to itself."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground


class _Own:
    """What a process keeps from task to task: the ground, and the stock as it was read."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.stocks: dict[int, Stock] = {}


_OWN: list[_Own] = []  # in a worker process


def _take(given: _Given) -> None:
    _OWN[:] = [_Own(given.ground)]


def _tell_own(task: Task) -> Told:
    return tell(_OWN[0].ground, task, _OWN[0].stocks)


def tell(ground: Ground, task: Task, stocks: dict[int, Stock] | None = None) -> Told:
    """Tell some replications of a plan and price them; ``stocks`` is the stock as read for another plan.

    Raises:
        BadFile: the plan does not fit the parameter set.
    """
    calibrated = ground.calibrated
    if task.held:
        draws = calibrated.draws.assign(**dict(task.held))
        calibrated = calibrated.model_copy(update={"draws": draws})
    teller = Teller(Job(calibrated, (task.plan,), ground.until, task.seed, radius_miles=ground.radius_miles))
    if stocks is not None:
        teller.worlds[0].stocks = stocks
    monthly, money, units = [], [], []
    for at, replication in enumerate(task.replications):
        tables = teller.tables(0, replication)
        staff = None if task.staff_units is None else task.staff_units[at]
        money.append(prices.price_replication(teller.books[0], tables, replication, seed=task.seed, staff_units=staff))
        monthly.append(tables.monthly)
        units.append(tables.service_units)
    return Told(np.stack(monthly), stack(money), np.stack(units))


class Pool:
    """Tells tasks, here or in several processes, which are kept until the pool is left."""

    def __init__(self, ground: Ground, workers: int = 1) -> None:
        """Nothing is started yet."""
        self.ground = ground
        self.workers = workers
        self._own = _Own(ground)
        self._parallel: Any = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Pool":
        """Ready; processes start with the first tasks."""
        if self.workers > 1:
            from joblib import Parallel

            # max_nbytes=None: nothing of the stock is written to a disk for the workers to read
            self._parallel = self._stack.enter_context(
                Parallel(n_jobs=self.workers, return_as="generator", pre_dispatch="2*n_jobs", max_nbytes=None,
                         initializer=_take, initargs=(_Given(self.ground),))
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        self._stack.close()

    def each(self, tasks: Sequence[Task]) -> Iterator[Told]:
        """What came of each task, in order, as soon as it is there."""
        if self._parallel is None or len(tasks) < 2:
            yield from (tell(self.ground, task, self._own.stocks) for task in tasks)
            return
        from joblib import delayed

        with started_without_ctrl_c():
            told = self._parallel(delayed(_tell_own)(task) for task in tasks)
        with contextlib.closing(told):
            yield from told

    def whole(self, plan: Plan, seed: int, replications: Sequence[int], base: "Base | None" = None) -> Told:
        """All replications of one plan, shared out over the workers."""
        numbers = tuple(replications)
        step = min(AT_ONCE, max(1, -(-len(numbers) // (2 * self.workers))))
        tasks = [
            Task(plan, seed, numbers[first : first + step], None if base is None else base.staff(first, first + step))
            for first in range(0, len(numbers), step)
        ]
        return joined(list(self.each(tasks)))


def joined(parts: Sequence[Told]) -> Told:
    """Replications told in parts, one after another."""
    monies = [part.money for part in parts]
    return Told(
        np.concatenate([part.monthly for part in parts]),
        Money(
            monies[0].layout,
            *(
                np.concatenate([getattr(m, name) for m in monies])
                for name in ("gross", "value", "by_funder", "programme")
            ),
        ),
        np.concatenate([part.staff_units for part in parts]),
    )


# --- the baseline, and answers against it ---------------------------------------------------------
class Base:
    """The baseline of some replications: what plans are compared with."""

    def __init__(self, ground: Ground, plan: Plan, seed: int, replications: Sequence[int], told: Told,
                 lever_day: int | None) -> None:  # fmt: skip
        """Keep the baseline's replications and the budget that follows from them."""
        parameters = ground.calibrated.parameters
        teller = Teller(Job(ground.calibrated, (plan,), ground.until, seed, radius_miles=ground.radius_miles))
        self.seed, self.replications, self.told = seed, tuple(replications), told
        self.calendar, self.rows = teller.calendar, teller.rows
        self.budget: ApprovedBudget = approved_budget(parameters, told.money, self.calendar, lever_day)
        opening = parameters.numbers.get("reserves.opening_gbp")
        self.opening_gbp = opening.value if opening else 0.0
        self.answers = self.answers_of(BASELINE, told)

    def staff(self, first: int, end: int) -> np.ndarray:
        """The baseline's services in some of its replications."""
        units: np.ndarray = self.told.staff_units[first:end]
        return units

    def answers_of(self, name: str, told: Told) -> Answers:
        """A plan's answers in the first replications of the baseline, as many as were told."""
        n = len(told.monthly)
        base = self.first(n)
        return Answers(
            name,
            monthly_grid(self.rows, self.calendar, told.monthly),
            yearly_measures(base, told.money, self.budget.pence, self.opening_gbp),
        )

    def first(self, n: int) -> Money:
        """The baseline's money in its first replications."""
        money = self.told.money
        return Money(money.layout, money.gross[:n], money.value[:n], money.by_funder[:n], money.programme[:n])
