"""What would it take? The cheapest package of levers that meets every target of a target file, checked on fresh worlds.

Packages are searched on the first rows of the joint draws; the best are checked on more of these; the one chosen is
verified on rows and seeds that no package was chosen by. Assumptions stay as they are: only free levers move.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from carecast.model.parameters import BadFile, Calibrated
from carecast.model.plan import Plan
from carecast.scenarios.apply import apply
from carecast.scenarios.budget import first_lever_day
from carecast.scenarios.packages import Base, Ground, Pool, Task, Told
from carecast.scenarios.savings import Terms
from carecast.scenarios.scenario import Scenario
from carecast.scenarios.solve_judge import LEVELS, Judge, Judged
from carecast.scenarios.solve_search import Search, lacking
from carecast.scenarios.solve_space import FOUND_BY, Point, Space
from carecast.scenarios.stopping import SEARCH_ROWS
from carecast.scenarios.target_file import TargetFile

Progress = Callable[[int, int], None]
CHECKS = 6  # at most; mostly two or three
EXPECTED_CHECKS = 4  # with the baseline, for the time left
MOST_PACKAGES = 88
Z_95 = 1.959964
TIGHT = 0.15  # standard deviations: what has less to spare may be what holds a package back
MOST_RELAXED = 3


@dataclass(frozen=True)
class Question:
    """What is asked of the solver."""

    calibrated: Calibrated
    asked: TargetFile
    seed: int = 1
    replications: int = 64  # of every package in the search
    check: int = 600  # of the best packages, on draws of the search
    verify: int = 2000  # of the one chosen, on draws of its own
    workers: int = 1
    packages: int = MOST_PACKAGES
    folder: str = ""
    command: str = ""


@dataclass(frozen=True)
class Solution:
    """What came of it."""

    question: Question
    space: Space
    best: Judged  # the package chosen, as checked
    verified: Judged  # the same on fresh replications
    scenario: Scenario  # the same as a scenario file
    tried: tuple[Judged, ...]  # as searched
    checked: tuple[Judged, ...]
    demands: tuple[str, ...]
    shift: np.ndarray  # [demand]: what the checks added to the slack of the search
    verify_rows: tuple[int, int]  # first and last row of the draws, counted from 1
    seconds: float
    nothing: Judged  # nothing done at all: the starting point
    back: tuple[tuple[str, Judged], ...] = ()  # lever, package with one step less of it
    relaxed: tuple[tuple[str, Judged], ...] = ()  # limit or safety margin, nearest package without it

    @property
    def is_reached(self) -> bool:
        """Whether the package met every demand when it was checked."""
        return self.best.is_good

    @property
    def is_confirmed(self) -> bool:
        """Whether fresh replications agree within their Monte Carlo error (95 %), limits and safety included."""
        close = all(
            target.met_probability + Z_95 * error(target.met_probability, self.verified.replications)
            >= target.required_probability
            for target in self.verified.targets
        )
        rest = self.verified.slack[len(self.verified.targets) :]
        return close and bool((rest >= -self.tolerance).all())

    @property
    def tolerance(self) -> float:
        """Monte Carlo error of a mean slack, 95 %, in standard deviations."""
        return Z_95 / math.sqrt(self.verified.replications)


def error(chance: float, replications: int) -> float:
    """Monte Carlo standard error of a share of replications."""
    return math.sqrt(chance * (1 - chance) / max(replications, 1))


def solve(question: Question, progress: Progress | None = None) -> Solution:
    """Search, check and verify.

    Raises:
        BadFile: the target file does not fit the council, or leaves nothing free.
    """
    space = _space(question)
    began = time.monotonic()
    ground = Ground(question.calibrated, space.until)
    with Pool(ground, question.workers) as pool:
        return _Solving(question, space, pool, progress, began).run()


def _space(question: Question) -> Space:
    asked = question.asked
    if not asked.free_levers:
        raise BadFile(f"{asked.name}: free_lever: missing; give at least one lever with min and max")
    parameters = question.calibrated.parameters
    until = max(target.judged_on for target in asked.targets)
    if until <= parameters.as_at:
        raise BadFile(
            f"{asked.name}: every target is judged by {until}, before the forecast starts on {parameters.as_at}"
        )
    space = Space(asked, parameters, until, question.seed, question.folder)
    apply(parameters, space.scenario(space.most), until)  # one line for each mistake
    return space


class Rows:
    """Which replications tell what: the first rows of the draws to search, the others to verify."""

    def __init__(self, n_draws: int) -> None:
        """Split the rows."""
        self.n_draws = n_draws
        self.split = SEARCH_ROWS if n_draws > SEARCH_ROWS else n_draws // 2

    def search(self, count: int) -> tuple[int, ...]:
        """Replications whose rows may be searched on."""
        return self._cycle(count, 0, self.split)

    def verify(self, count: int) -> tuple[int, ...]:
        """Replications whose rows no package was chosen by."""
        return self._cycle(count, self.split, self.n_draws)

    def _cycle(self, count: int, first: int, end: int) -> tuple[int, ...]:
        """Replication i uses row i modulo the number of draws; past the last row of a part it starts again."""
        if not self.n_draws:
            return tuple(range(count))
        return tuple(first + at % (end - first) + self.n_draws * (at // (end - first)) for at in range(count))


@dataclass
class _Solving:
    """One search under way."""

    question: Question
    space: Space
    pool: Pool
    progress: Progress | None
    began: float
    done: int = 0

    def __post_init__(self) -> None:
        q = self.question
        self.rows = Rows(len(q.calibrated.draws))
        self.check = max(q.check, q.replications)
        self.total = (
            self.check * EXPECTED_CHECKS + q.replications * min(q.packages, self.space.n_packages) + 2 * q.verify
        )

    def _told(self, replications: int) -> None:
        self.done += replications
        if self.progress:
            self.progress(self.done, max(self.total, self.done))

    def run(self) -> Solution:
        """The whole of it."""
        if self.progress:
            self.progress(0, self.total)
        q, space = self.question, self.space
        judge = self._judge(q.seed, self.rows.search(self.check))
        search = Search(space, lambda points: self._tell(points, judge), judge.n_targets, q.packages)
        search.run()
        checked = self._checks(search, judge)
        best = min(checked, key=_of_checks)
        relaxed = () if best.is_good else self._relaxed(search, best, judge)
        self.total = self.done + 2 * q.verify
        scenario = self.package(best)
        verified = self._verified(best.point, scenario, judge)
        back = tuple(
            (space.free[lever].name, search.found[point]) for lever, point in self._steps_back(search, best.point)
        )
        rows = [row % max(self.rows.n_draws, 1) + 1 for row in self.rows.verify(q.verify)]
        return Solution(
            q, space, best, verified, scenario, tuple(search.found.values()), tuple(checked), tuple(judge.names),
            search.shift if len(search.shift) else np.zeros(len(judge.names)), (min(rows), max(rows)),
            round(time.monotonic() - self.began, 1), search.found[space.nothing], back, relaxed,
        )  # fmt: skip

    def package(self, best: Judged) -> Scenario:
        """The package as a scenario file, with its targets."""
        q = self.question
        if best.is_good:
            found = f"of {self.space.n_packages:,} packages the cheapest found that meets every target"
        else:
            found = "no package within the bounds was found that meets every target; this one comes nearest"
        text = f"{FOUND_BY} for the target file {q.asked.name}: {found}, within limits and safety margins."
        text = text[:1].upper() + text[1:]
        return self.space.scenario(best.point, targets=q.asked.targets, rationale=text, author="carecast solve")

    # --- telling and judging ----------------------------------------------------------------------
    def _judge(self, seed: int, replications: tuple[int, ...], scale: np.ndarray | None = None) -> Judge:
        parameters = self.question.calibrated.parameters
        plan = self.space.baseline()
        told = self.pool.whole(plan, seed, replications)
        self._told(len(replications))
        first = first_lever_day([self.space.plan(self.space.most)])
        base = Base(self.pool.ground, plan, seed, replications, told, first)
        terms = Terms(parameters.number("deflator.per_year"), parameters.number("discount.rate_per_year"))
        minimum = parameters.numbers.get("reserves.policy_minimum_gbp")
        return Judge(self.question.asked, terms, base, minimum.value if minimum else 0.0, scale)

    def _tell(self, points: Sequence[Point], judge: Judge) -> list[Judged]:
        """Packages on the replications of the search, one task each."""
        n = self.question.replications
        numbers, staff = judge.base.replications[:n], judge.base.staff(0, n)
        tasks = [Task(self.space.plan(point), self.question.seed, numbers, staff) for point in points]
        found = []
        for point, told in zip(points, self.pool.each(tasks), strict=True):
            found.append(judge.judge(point, told))
            self._told(n)
        return found

    def _on_all(self, point: Point, plan: Plan, judge: Judge) -> Judged:
        base = judge.base
        told: Told = self.pool.whole(plan, base.seed, base.replications, base)
        self._told(len(base.replications))
        return judge.judge(point, told)

    # --- checking ---------------------------------------------------------------------------------
    def _checks(self, search: Search, judge: Judge) -> list[Judged]:
        """The best package on more replications; what differs is carried over to all others, until the best stays."""
        checked: dict[Point, Judged] = {}
        for _ in range(CHECKS):
            best = search.best
            if best.point in checked:
                break
            plan = apply(self.space.parameters, self.space.scenario(best.point), self.space.until)
            found = self._on_all(best.point, plan, judge)
            checked[best.point] = found
            search.shift = np.mean([checked[at].guarded - search.found[at].slack for at in checked], axis=0)
            search.budget += len(self.space.shape)
            search.improve(1)
            search.step_back()
        return list(checked.values())

    def _steps_back(self, search: Search, point: Point) -> list[tuple[int, Point]]:
        found = []
        for neighbour in search.backwards(point):
            lever = next(at for at, (one, other) in enumerate(zip(point, neighbour, strict=True)) if one != other)
            if neighbour in search.found:
                found.append((lever, neighbour))
        return found

    def _relaxed(self, search: Search, best: Judged, judge: Judge) -> tuple[tuple[str, Judged], ...]:
        """For the limits and safety margins that the nearest package has least of: how near one gets without each."""
        n = judge.n_targets
        tight = [at for at in np.argsort(best.slack[n:], kind="stable") + n if best.slack[at] < TIGHT][:MOST_RELAXED]
        found = []
        for at in (int(at) for at in tight):
            other = search.without(at)
            if other and lacking(search.slack(other)[:n]) < lacking(search.slack(search.best)[:n]) - search.error:
                found.append((judge.names[at], other))
        return tuple(found)

    # --- verifying --------------------------------------------------------------------------------
    def _verified(self, point: Point, scenario: Scenario, searched: Judge) -> Judged:
        """The package as it is written, on rows and a seed that the search never used."""
        q = self.question
        judge = self._judge(q.seed + 1, self.rows.verify(q.verify), searched.scale)
        plan = apply(self.space.parameters, scenario, self.space.until)
        return self._on_all(point, plan, judge)


def _of_checks(judged: Judged) -> tuple[float, float]:
    """Meets every demand, with a standard error to spare first, and is cheap; else is nearest."""
    if judged.is_good:
        return (0.0 if (judged.guarded >= 0).all() else 0.5, judged.cost_gbp)
    n = len(judged.targets)
    if (judged.slack[n:] >= 0).all():
        return (1.0, lacking(judged.slack[:n]))
    return (2.0, -float(judged.slack[n:].min()))


def frontier(solution: Solution) -> list[Judged]:
    """Packages within limits and safety that no cheaper one beats in the chance of its least likely target."""
    n = len(solution.demands) - len(solution.question.asked.safety) - len(solution.best.limits)
    shifted = [replace(j, slack=j.slack + solution.shift) for j in solution.tried]
    held = [judged for judged in shifted if (judged.slack[n:] >= 0).all()]
    found: list[Judged] = []
    for judged in sorted(held, key=lambda j: (j.cost_gbp, -least(j))):
        if not found or least(judged) > least(found[-1]):
            found.append(judged)
    return found


def least(judged: Judged) -> float:
    """The chance of the target that is least likely to be met."""
    return min(target.met_probability for target in judged.targets)


__all__ = ["LEVELS", "Question", "Rows", "Solution", "error", "frontier", "least", "solve"]
