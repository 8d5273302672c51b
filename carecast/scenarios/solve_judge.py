"""How a package does on everything a target file asks: targets, limits on money and reserves, safety.

Each demand becomes one number, its *slack*, at least nought where the demand is met, in standard deviations of what it is
about, so that different demands compare. For a target that asks for a probability p it is that value over replications
which the share p reaches or betters, less what is asked: at least nought exactly if the share of replications that meet
the target is at least p. Unlike that share it still says how far away a package is that never meets it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from carecast.model.money import Money
from carecast.model.summary import Answers
from carecast.scenarios.compare import SAFETY_MEASURES, last_months
from carecast.scenarios.packages import Base, Told
from carecast.scenarios.savings import Terms, reserves
from carecast.scenarios.solve_space import Point
from carecast.scenarios.target_file import TargetFile
from carecast.scenarios.targets import Target, values_at_end

Floats = NDArray[np.float64]
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # chances of the frontier


@dataclass(frozen=True, slots=True)
class OnTarget:
    """How a package does on one target."""

    name: str
    required_probability: float
    met_probability: float
    reached: float  # what the required share of replications reaches or betters, in the measure's own unit
    mean: float
    expected_shortfall: float
    asked: float


@dataclass(frozen=True, slots=True)
class OnSafety:
    """How much worse a safety measure is than in the baseline, mean over replications, and how much it may be."""

    measure: str
    worsening: float
    margin: float
    chance_beyond: float  # share of replications in which it is worse by more than the margin


@dataclass(frozen=True, slots=True)
class OnLimit:
    """What a limit is about, what the package needs of it, and the limit."""

    name: str
    found: float
    limit: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One package told on some replications and judged."""

    point: Point
    replications: int
    cost_gbp: float  # mean programme cost over the run, beyond the baseline's
    one_off_gbp: float
    recurring_gbp: float  # in the dearest financial year
    targets: tuple[OnTarget, ...]
    safety: tuple[OnSafety, ...]
    limits: tuple[OnLimit, ...]
    joint_probability: float  # that all targets are met together
    slack: Floats  # [demand]: targets, then limits, then safety
    guarded: Floats  # the same, with targets asked for one standard error of their chance more
    at_level: Floats  # [level, target]: slack of each target if it were asked with that chance
    net_saving_gbp: Floats = field(default_factory=lambda: np.zeros(0))  # [financial year]: mean

    @property
    def is_good(self) -> bool:
        """Whether every demand is met."""
        return bool((self.slack >= 0).all())

    @property
    def worst_slack(self) -> float:
        """The slack of the demand that it fails most, or has least of."""
        return float(self.slack.min(initial=math.inf))


class Judge:
    """Judges packages against one baseline. The first one judged sets the scale of every demand."""

    def __init__(self, asked: TargetFile, terms: Terms, base: Base, minimum_gbp: float,
                 scale: Floats | None = None) -> None:  # fmt: skip
        """Hold what is asked and the baseline's replications; ``scale`` is another judge's, to go by the same."""
        self.asked, self.terms, self.base = asked, terms, base
        self.minimum_pence = round(minimum_gbp * 100)
        self.scale: Floats | None = scale

    @property
    def names(self) -> list[str]:
        """Demands, in the order of slack."""
        return [*(t.name for t in self.asked.targets), *self._limit_names, *self.asked.safety]

    @property
    def _limit_names(self) -> list[str]:
        limits = self.asked.limits.model_dump(exclude_none=True)
        return [str(name) for name in limits]

    @property
    def n_targets(self) -> int:
        """How many targets are asked for."""
        return len(self.asked.targets)

    def judge(self, point: Point, told: Told) -> Judged:
        """Judge a package on as many replications as it was told."""
        n = len(told.monthly)
        answers = self.base.answers_of("package", told)
        margins = [self._margins(target, answers) for target in self.asked.targets]
        worse = [self._worsening(measure, answers, n) for measure in self.asked.safety]
        limits, headroom = self._limits(told.money, n)
        wanted = [target.required_probability for target in self.asked.targets]
        scale = self._scales(margins, limits, headroom, worse)
        rest = self._rest(limits, headroom, worse) / scale[self.n_targets :]
        own = self._at(margins, wanted) / scale[: self.n_targets]
        careful = [min(p + math.sqrt(p * (1 - p) / n), 1.0) for p in wanted]
        levels = [self._at(margins, [level] * len(margins)) / scale[: self.n_targets] for level in LEVELS]
        cost = told.money.programme_total() - self.base.first(n).programme_total()
        saving = answers.yearly.of("net_saving_gbp").mean(axis=0)
        met = np.array([margin >= 0 for margin in margins])
        return Judged(
            point=point, replications=n, cost_gbp=float(cost.sum(axis=-1).mean()) / 100,
            one_off_gbp=self._one_off(told.money, n), recurring_gbp=self._recurring(told.money, n),
            targets=tuple(self._on_target(*pair) for pair in zip(self.asked.targets, margins, strict=True)),
            safety=tuple(
                OnSafety(name, float(values.mean()), margin, float((values > margin).mean()))
                for (name, margin), values in zip(self.asked.safety.items(), worse, strict=True)
            ),
            limits=limits, joint_probability=float(met.all(axis=0).mean()),
            slack=np.concatenate([own, rest]),
            guarded=np.concatenate([self._at(margins, careful) / scale[: self.n_targets], rest]),
            at_level=np.array(levels).reshape(len(LEVELS), self.n_targets), net_saving_gbp=saving,
        )  # fmt: skip

    # --- targets ----------------------------------------------------------------------------------
    def _margins(self, target: Target, answers: Answers) -> Floats:
        """[replication]: by how much the target is met; below nought where it is not."""
        values = values_at_end(target, answers, self.terms)
        gap = values - target.value if target.at_most is None else target.value - values
        return np.asarray(np.round(gap, 6))

    @staticmethod
    def _at(margins: Sequence[Floats], chances: Sequence[float]) -> Floats:
        return np.array([reached_by(m, p) for m, p in zip(margins, chances, strict=True)])

    @staticmethod
    def _on_target(target: Target, margins: Floats) -> OnTarget:
        sign = 1.0 if target.at_most is None else -1.0
        return OnTarget(
            name=target.name,
            required_probability=target.required_probability,
            met_probability=float((margins >= 0).mean()),
            reached=target.value + sign * reached_by(margins, target.required_probability),
            mean=target.value + sign * float(margins.mean()),
            expected_shortfall=float(np.maximum(-margins, 0).mean()),
            asked=target.value,
        )

    # --- limits and safety ------------------------------------------------------------------------
    def _one_off(self, money: Money, n: int) -> float:
        extra = money.programme_total(recurring=False) - self.base.first(n).programme_total(recurring=False)
        return float(extra.sum(axis=-1).mean()) / 100

    def _recurring(self, money: Money, n: int) -> float:
        extra = money.programme_total(recurring=True) - self.base.first(n).programme_total(recurring=True)
        return float(extra.mean(axis=0).max()) / 100

    def _limits(self, money: Money, n: int) -> tuple[tuple[OnLimit, ...], Floats | None]:
        """Limits, and the headroom of reserves over their minimum in the worst year, [replication] in pounds."""
        limits = self.asked.limits
        found = []
        if limits.one_off_gbp is not None:
            found.append(OnLimit("one_off_gbp", self._one_off(money, n), limits.one_off_gbp))
        if limits.recurring_gbp_per_year is not None:
            found.append(OnLimit("recurring_gbp_per_year", self._recurring(money, n), limits.recurring_gbp_per_year))
        if limits.reserves_breach_chance is None:
            return tuple(found), None
        path = reserves(money, round(self.base.opening_gbp * 100), self.minimum_pence)
        headroom: Floats = (path.balance.min(axis=-1) - self.minimum_pence) / 100.0
        found.append(OnLimit("reserves_breach_chance", float((headroom < 0).mean()), limits.reserves_breach_chance))
        return tuple(found), headroom

    def _worsening(self, measure: str, answers: Answers, n: int) -> Floats:
        ours = last_months(answers.monthly, measure)
        theirs = last_months(self.base.answers.monthly, measure)[:n]
        return np.asarray((ours - theirs) * SAFETY_MEASURES[measure])

    def _rest(self, limits: Sequence[OnLimit], headroom: Floats | None, worse: Sequence[Floats]) -> Floats:
        parts = []
        for limit in limits:
            if limit.name == "reserves_breach_chance" and headroom is not None:
                parts.append(reached_by(headroom, 1.0 - limit.limit))
            else:
                parts.append(limit.limit - limit.found)
        margins = self.asked.safety.values()
        parts += [margin - float(values.mean()) for margin, values in zip(margins, worse, strict=True)]
        rest: Floats = np.array([round(part, 6) for part in parts], dtype=np.float64)
        return rest

    def _scales(self, margins: Sequence[Floats], limits: Sequence[OnLimit], headroom: Floats | None,
                worse: Sequence[Floats]) -> Floats:  # fmt: skip
        if self.scale is None:
            of_limits = [
                float(np.std(headroom))
                if limit.name == "reserves_breach_chance" and headroom is not None
                else limit.limit
                for limit in limits
            ]
            found = [*(float(np.std(m)) for m in margins), *of_limits, *(float(np.std(v)) for v in worse)]
            self.scale = np.array([size if size > 1e-9 else 1.0 for size in found], dtype=np.float64)
        return self.scale


def reached_by(values: Floats, chance: float) -> float:
    """The value that at least a share ``chance`` of replications reaches or betters: the largest such."""
    needed = max(math.ceil(chance * len(values) - 1e-9), 1)
    return float(np.sort(values)[::-1][needed - 1])
