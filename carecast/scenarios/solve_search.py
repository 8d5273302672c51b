"""The cheapest package that meets every demand: a spread of packages, a smooth picture of them, and steps downhill.

All packages are told on the same replications, so a comparison of two has little noise. A Sobol' design (scipy.stats.qmc)
spreads the first packages; a thin-plate spline with a linear trend (scipy.interpolate.RBFInterpolator) of every demand's
slack over the sizes says where to look next; what it points at is told and judged, and it learns from that. At the end
every single step back from the best package is told too. Nothing is claimed of a package that was not told.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carecast.scenarios.solve_judge import LEVELS, Judged
from carecast.scenarios.solve_space import Point, Points, Space

Floats = NDArray[np.float64]
TellAll = Callable[[Sequence[Point]], list[Judged]]
EVERY_PACKAGE = 200_000  # up to this many are all looked at in the picture
SPREAD = 15  # 2 to this power are, beside neighbours and what an optimiser finds, where there are more
DESIGN_A_LEVER = 5
BATCH = 6
ROUNDS = 8
SMOOTHING = 0.1
FIRST_ERROR = 0.07  # of the picture, in standard deviations, before it has been put to the test
MOST_ALLOWED = 1e12


@dataclass(frozen=True)
class Picture:
    """What the spline says of some packages."""

    slack: Floats  # [package, demand]
    at_level: Floats  # [package, level, target]
    cost: Floats  # [package]


@dataclass
class Search:
    """A search under way.

    ``shift`` is added to every slack before it is compared with nought: what a check on more replications has shown.
    """

    space: Space
    tell: TellAll
    n_targets: int
    budget: int  # packages that may be told
    shift: Floats = field(default_factory=lambda: np.zeros(0))
    found: dict[Point, Judged] = field(default_factory=dict)
    error: float = FIRST_ERROR

    # --- telling ----------------------------------------------------------------------------------
    def look_at(self, points: Iterable[Point]) -> int:
        """Tell and judge packages that were not yet, as the budget allows; how many there were."""
        new = [point for point in dict.fromkeys(points) if point not in self.found][: self.budget - len(self.found)]
        for point, judged in zip(new, self.tell(new) if new else [], strict=True):
            self.found[point] = judged
        return len(new)

    @property
    def is_spent(self) -> bool:
        """Whether no more packages may be told, or there are none left."""
        return len(self.found) >= min(self.budget, self.space.n_packages)

    def slack(self, judged: Judged) -> Floats:
        """Slack of a package with what a check has shown."""
        return judged.slack + self.shift if len(self.shift) else judged.slack

    def is_good(self, judged: Judged) -> bool:
        """Whether it meets every demand."""
        return bool((self.slack(judged) >= 0).all())

    def order(self, judged: Judged) -> tuple[float, ...]:
        """What makes one package better than another: meets all and is cheap; keeps limits and safety and is near."""
        slack = self.slack(judged)
        targets, rest = slack[: self.n_targets], slack[self.n_targets :]
        if (slack >= 0).all():
            return (0.0, judged.cost_gbp, *judged.point)
        if (rest >= 0).all():
            return (1.0, lacking(targets), judged.cost_gbp, *judged.point)
        return (2.0, -float(rest.min()), judged.cost_gbp, *judged.point)

    @property
    def best(self) -> Judged:
        """The best package so far."""
        return min(self.found.values(), key=self.order)

    # --- the course of it -------------------------------------------------------------------------
    def run(self) -> Judged:
        """Spread, look where the picture points, and step downhill."""
        self.spread()
        self.improve(ROUNDS, with_frontier=True)
        return self.step_back()

    def spread(self) -> None:
        """Nothing, everything, each lever alone at its most, and a Sobol' design of the rest; all when there are few."""
        from scipy.stats import qmc

        nothing, most = self.space.nothing, self.space.most
        if self.space.n_packages <= self.budget:
            self.look_at(_rows(self.space.all_points()))
            return
        alone = [
            tuple(most[at] if at == lever else own for at, own in enumerate(nothing)) for lever in range(len(most))
        ]
        count = 1 << math.ceil(math.log2(DESIGN_A_LEVER * len(most)))
        design = qmc.Sobol(len(most), rng=self.space.seed).random(count)
        self.look_at([most, nothing, *alone, *_rows(_nearest(design, self.space.shape))])

    def improve(self, rounds: int, with_frontier: bool = False) -> None:
        """Rounds of telling what the picture points at, until it points at nothing new."""
        for at in range(rounds):
            if self.is_spent:
                return
            points = self._candidates()
            picture = self.picture(points)
            chosen = list(self._promising(points, picture))
            if with_frontier and at % 2 == 1:
                chosen += list(self._of_frontier(points, picture))
            if not self._learn(points, picture, chosen):
                return

    def _learn(self, points: Points, picture: Picture, chosen: Sequence[int]) -> int:
        """Tell what was chosen and see how far the picture was out."""
        before = len(self.found)
        self.look_at([tuple(int(x) for x in points[at]) for at in chosen])
        places = {tuple(int(x) for x in points[at]): at for at in chosen}
        new = list(self.found)[before:]
        misses = [
            picture.slack[places[point], : self.n_targets] - self.found[point].slack[: self.n_targets] for point in new
        ]
        if misses:
            self.error = 0.5 * self.error + 0.5 * float(np.sqrt(np.mean(np.square(misses))))
        return len(new)

    def step_back(self) -> Judged:
        """From the best package, tell every one that is one step less of one lever, until none of them is better."""
        while True:
            best = self.best
            told = self.look_at(self.backwards(best.point)) if self.is_good(best) else 0
            if self.best is best and told == 0:
                return best
            if self.is_spent:
                return self.best

    def backwards(self, point: Point) -> list[Point]:
        """The packages that are one step nearer to doing nothing in one lever."""
        found = []
        for lever, (at, nothing) in enumerate(zip(point, self.space.nothing, strict=True)):
            if at != nothing:
                found.append((*point[:lever], at + (1 if nothing > at else -1), *point[lever + 1 :]))
        return found

    def without(self, demand: int) -> Judged | None:
        """The package that would be nearest if one limit or safety margin were not asked for, told and judged."""
        points = self._candidates()
        slack = np.delete(self._shifted(self.picture(points).slack), demand, axis=1)
        near = np.minimum(slack[:, : self.n_targets], 0.0).sum(axis=1)
        near[slack[:, self.n_targets :].min(axis=1, initial=math.inf) < 0] = -math.inf
        at = int(np.argmax(near))
        if not math.isfinite(near[at]):
            return None
        point = tuple(int(x) for x in points[at])
        self.budget += 1
        self.look_at([point])
        return self.found.get(point)

    # --- the picture ------------------------------------------------------------------------------
    def picture(self, points: Points) -> Picture:
        """The spline through all that was told, at some packages."""
        from scipy.interpolate import RBFInterpolator

        told = list(self.found.values())
        at = np.array([judged.point for judged in told], dtype=np.int64)
        own = self.space.own_cost(at).total
        columns = [
            np.concatenate([judged.slack, judged.at_level.ravel(), [judged.cost_gbp - own[i]]])
            for i, judged in enumerate(told)
        ]
        n_slack = len(told[0].slack)
        values = np.array(columns)
        if len(told) > len(self.space.shape) + 1:
            spline = RBFInterpolator(
                self.space.unit(at), values, kernel="thin_plate_spline", degree=1, smoothing=SMOOTHING
            )
            said = spline(self.space.unit(points))
        else:
            said = np.repeat(values.mean(axis=0)[np.newaxis], len(points), axis=0)
        known = self.space.own_cost(points)
        slack = said[:, :n_slack]
        self._limits_are_known(slack, known)
        levels = said[:, n_slack:-1].reshape(len(points), len(LEVELS), self.n_targets)
        return Picture(slack, levels, known.total + said[:, -1])

    def _limits_are_known(self, slack: Floats, known: Any) -> None:  # noqa: ANN401
        """Put the limits on money, where no lever is paid per child or family, in place of the spline's guess."""
        if any(name in free.lever for free in self.space.free for name in ("gbp_per_child", "gbp_per_family")):
            return
        limits = self.space.asked.limits
        column = self.n_targets
        for limit, found in ((limits.one_off_gbp, known.one_off), (limits.recurring_gbp_per_year, known.recurring)):
            if limit is not None:
                slack[:, column] = (limit - found) / (limit or 1.0)
                column += 1

    def _candidates(self) -> Points:
        """Packages to look at in the picture: all, or a spread, the neighbours of the best, and an optimiser's."""
        if self.space.n_packages <= EVERY_PACKAGE:
            return self.space.all_points()
        from scipy.stats import qmc

        spread = _nearest(qmc.Sobol(len(self.space.shape), rng=len(self.found)).random(1 << SPREAD), self.space.shape)
        best = sorted(self.found.values(), key=self.order)[:BATCH]
        near = [neighbour for judged in best for neighbour in self._around(judged.point)]
        return np.unique(np.concatenate([spread, np.array(near, dtype=np.int64), self._optimised()]), axis=0)

    def _around(self, point: Point) -> Iterable[Point]:
        """Packages within two steps in up to two levers."""
        moves = [(lever, step) for lever in range(len(point)) for step in (-2, -1, 1, 2)]
        for one, (lever, step) in enumerate(moves):
            for other, more in moves[one:]:
                there = list(point)
                there[lever] += step
                if other != lever:
                    there[other] += more
                yield tuple(int(np.clip(x, 0, count - 1)) for x, count in zip(there, self.space.shape, strict=True))

    def _optimised(self) -> Points:
        """What differential evolution finds cheapest in the picture, with demands as penalties."""
        from scipy.optimize import differential_evolution

        def penalised(columns: Floats) -> Floats:
            picture = self.picture(np.rint(columns.T).astype(np.int64))
            lacking: Floats = np.maximum(-self._shifted(picture.slack), 0).sum(axis=1)
            return picture.cost + MOST_ALLOWED * lacking

        result = differential_evolution(
            penalised, [(0, count - 1) for count in self.space.shape], integrality=np.ones(len(self.space.shape)),
            vectorized=True, updating="deferred", maxiter=60, popsize=8, polish=False, rng=len(self.found),
        )  # fmt: skip
        found: Points = np.rint(result.x).astype(np.int64)[np.newaxis]
        return found

    def _shifted(self, slack: Floats) -> Floats:
        return slack + self.shift if len(self.shift) else slack

    # --- where to look ----------------------------------------------------------------------------
    def _promising(self, points: Points, picture: Picture) -> Iterable[int]:
        """The cheapest packages that are said to meet every demand, with less and with more to spare; else the nearest."""
        slack = self._shifted(picture.slack)
        worst = slack.min(axis=1)
        fresh = self._fresh(points)
        best = self.best
        dearest = best.cost_gbp if self.is_good(best) else math.inf
        picked = []
        for spare in (0.0, 0.5 * self.error, self.error, -0.5 * self.error):
            allowed = np.flatnonzero(fresh & (worst >= spare) & (picture.cost < dearest))
            picked += _cheapest(allowed, picture.cost, 2 if spare == 0.0 else 1)
        if not self.is_good(best):
            picked += self._nearest_to_good(slack, fresh, picture.cost)
        return list(dict.fromkeys(picked))[:BATCH]

    def _nearest_to_good(self, slack: Floats, fresh: NDArray[np.bool_], cost: Floats) -> list[int]:
        near = np.minimum(slack[:, : self.n_targets], 0.0).sum(axis=1) - 1e-9 * cost
        rest = slack[:, self.n_targets :].min(axis=1, initial=math.inf)
        found: list[int] = []
        for spare in (0.0, 0.5 * self.error, self.error):
            score = np.where(rest >= spare, near, -1e6 + rest)
            order = np.argsort(-np.where(fresh, score, -math.inf), kind="stable")
            found += [int(at) for at in order[:2]]
        return found

    def _of_frontier(self, points: Points, picture: Picture) -> Iterable[int]:
        """For each chance of the frontier, the cheapest package said to reach it within limits and safety."""
        rest = self._shifted(picture.slack)[:, self.n_targets :].min(axis=1, initial=math.inf)
        shift = self.shift[: self.n_targets] if len(self.shift) else 0.0
        fresh = self._fresh(points)
        for level in range(len(LEVELS)):
            enough = (picture.at_level[:, level] + shift >= 0).all(axis=1) & (rest >= 0)
            allowed = np.flatnonzero(enough)
            first = _cheapest(allowed, picture.cost, 1)
            yield from (at for at in first if fresh[at])

    def _fresh(self, points: Points) -> NDArray[np.bool_]:
        """Which packages were not told yet."""
        weights = np.cumprod([1.0, *self.space.shape[:-1]])
        told = np.array([judged.point for judged in self.found.values()]) @ weights
        return np.asarray(~np.isin(points @ weights, told))


def lacking(slack: Floats) -> float:
    """How much is lacking in all, in standard deviations; nought where every demand is met."""
    return float(np.maximum(-slack, 0.0).sum())


def _rows(points: Points) -> list[Point]:
    return [tuple(int(x) for x in row) for row in points]


def _nearest(unit: Floats, shape: Sequence[int]) -> Points:
    """Packages nearest to points of the unit cube, every size equally often."""
    counts = np.array(shape)
    found: Points = np.minimum((unit * counts).astype(np.int64), counts - 1)
    return found


def _cheapest(allowed: NDArray[np.int64], cost: Floats, count: int) -> list[int]:
    order = np.argsort(cost[allowed], kind="stable")[:count]
    return [int(at) for at in allowed[order]]
