"""What a scenario's saving hangs on: tornado, global measures, and which assumption to research first.

*Global*, from the draws that the replications used anyway: PAWN (SALib), the distance between the answer's distribution
and the one it has where a number is held within a slice of its own; and the share of variance that a smooth curve through
one number explains. *Tornado*: one number at a time held at its 10th and 90th percentile in every replication, all others as
drawn, baseline and scenario told anew: the mean paired change. *Research first*: what knowing a number would be worth.

    adopting    E[max(0, E[B | number])] - max(0, E[B])      B: net saving of the whole run, real and discounted
    budgeting   E|y - middle| - E|y - best guess given the number|      y: the measure in the last whole year

The first is the expected value of partial perfect information for the choice to adopt the scenario or not; where the choice
would be the same whatever the number, it is nought. The second says by how many pounds a year a budget set by the forecast
would miss by less. Conditional means are cubic curves over ranks (regression on given draws, Strong, Oakley and Brennan
2014) after what the drift of demand, leaving care and moves explains has been taken out, drawn in towards the mean by
1 - 1/F, so that a curve through nothing but chance is flat on average. A number is *clear* when its F would come of chance
in less than 5 % of cases for the largest of all numbers looked at, *perhaps chance* when in less than 1 % for one alone.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carecast.model.calendar import financial_year
from carecast.model.parameters import BadFile, Calibrated
from carecast.model.plan import Effect, Plan
from carecast.model.summary import BASELINE, YEARLY_MEASURES
from carecast.scenarios.apply import apply
from carecast.scenarios.budget import first_lever_day
from carecast.scenarios.drivers import NEVER_IN_COST, last_whole_year
from carecast.scenarios.library import load_scenario
from carecast.scenarios.money_answers import in_terms
from carecast.scenarios.packages import Base, Ground, Pool, Task, Told
from carecast.scenarios.savings import Terms, savings
from carecast.scenarios.scenario import Scenario, nearest
from carecast.scenarios.uncertain import EVERY_AGE, Uncertain, of_drift, of_levers, of_parameters
from carecast.scenarios.yearly import EXTRA_MEASURES

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]
FEWEST = 60
DEGREE = 3
DUMMIES = 40
CLEAR, PERHAPS = 0.05, 0.01  # of the largest of all numbers by chance; of one alone
SLICE_SIZE = 20  # replications in a slice of PAWN, at least
SLICES = (2, 4, 5, 8, 10)  # numbers of slices whose edges SALib finds without rounding past the last


@dataclass(frozen=True)
class Question:
    """What is asked."""

    calibrated: Calibrated
    scenario: Scenario
    until: dt.date
    measure: str = "net_saving_gbp"
    seed: int = 1
    replications: int = 200
    tornado: int = 10  # numbers held at their ends, the most important by PAWN; 0: none
    tornado_replications: int = 60
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Important:
    """One uncertain number and what is known of its part in the answer; pounds are of the measure or of the whole run."""

    number: Uncertain
    can_be_researched: bool  # drift over the years is not there to be known
    pawn: float  # 0 to 1
    variance_share: float  # 0 to 1, adjusted for what chance explains
    p_value: float  # of the better of its two curves, for the measure and for the whole run
    is_clear: bool
    is_perhaps: bool  # not clear, and not nothing
    value_adopting_gbp: float
    value_budgeting_gbp: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One number at its ends: mean paired change of the measure against all numbers as drawn, with standard errors."""

    number: Uncertain
    low: float  # the number's 10th percentile
    high: float
    at_low_gbp: float
    at_high_gbp: float
    error_low_gbp: float
    error_high_gbp: float


@dataclass(frozen=True)
class Sensitivity:
    """What came of it."""

    question: Question
    financial_year: str
    replications: int
    mean_gbp: float
    sd_gbp: float
    benefit_gbp: float  # mean of B
    chance_of_loss: float  # that B is below nought
    perfect_gbp: float  # value of knowing everything, for the choice to adopt
    miss_gbp: float  # E|y - middle|
    chance_pawn: float  # what a number without any part reaches one time in twenty
    drift_share: float  # of the measure's variance
    numbers: tuple[Important, ...]  # the least likely to be chance first
    bars: tuple[Bar, ...]  # longest first

    @property
    def research(self) -> tuple[Important, ...]:
        """What to research first, of the numbers that stand out: most pounds for adopting, then for budgeting."""
        known = [one for one in self.numbers if one.can_be_researched and (one.is_clear or one.is_perhaps)]
        return tuple(sorted(known, key=lambda one: (-one.value_adopting_gbp, -one.value_budgeting_gbp)))


def sensitivity(question: Question, progress: Progress | None = None) -> Sensitivity:
    """Tell baseline and scenario, look at their draws, and hold the most important numbers at their ends.

    Raises:
        BadFile: too few replications, an unknown measure, or a run without a whole financial year.
    """
    if question.replications < FEWEST:
        raise BadFile(f"--replications: found {question.replications}; should be at least {FEWEST} to say anything")
    known = [name for name in (*YEARLY_MEASURES, *EXTRA_MEASURES) if name.endswith("_gbp")]
    if question.measure not in known:
        raise BadFile(f"--measure: found {question.measure!r}; {nearest(question.measure, known)}")
    return _Asking(question, progress).run()


class _Asking:
    """One question under way."""

    def __init__(self, question: Question, progress: Progress | None) -> None:
        q = self.q = question
        self.progress, self.done = progress, 0
        self.drift_share = 0.0
        rows = q.calibrated.draws.iloc[: q.replications] if len(q.calibrated.draws) else q.calibrated.draws
        self.ground = Ground(q.calibrated.model_copy(update={"draws": rows}), q.until)
        parameters = q.calibrated.parameters
        self.base_plan = apply(parameters, load_scenario(BASELINE), q.until)
        self.plan = apply(parameters, q.scenario, q.until)
        self.total = 2 * q.replications + 4 * q.tornado * min(q.tornado_replications, q.replications)
        self.terms = Terms(
            parameters.number("deflator.per_year"),
            parameters.number("discount.rate_per_year"),
            parameters.price_base_year,
        )

    def run(self) -> Sensitivity:
        q = self.q
        self._tick(0)
        with Pool(self.ground, q.workers) as pool:
            told, base = self._pair(pool, self.base_plan, self.plan, q.replications, ())
            year = last_whole_year(base.answers, base.calendar.part_years)
            if year is None:
                raise BadFile(f"--until: a run to {q.until} holds no whole financial year")
            values = self._values(base, told, year)
            benefit = self._benefit(base, told)
            numbers = self._numbers(values, benefit, base)
            bars = self._bars(pool, [one.number for one in numbers if one.can_be_researched], values, year)
        return Sensitivity(
            question=q, financial_year=financial_year(base.answers.yearly.dates[year]), replications=len(values),
            mean_gbp=float(values.mean()), sd_gbp=float(values.std(ddof=1)), benefit_gbp=float(benefit.mean()),
            chance_of_loss=float((benefit < 0).mean()), perfect_gbp=_value(benefit, benefit), miss_gbp=_miss(values, None),
            chance_pawn=_chance_pawn(values), drift_share=self.drift_share, numbers=numbers, bars=bars,
        )  # fmt: skip

    def _tick(self, replications: int) -> None:
        self.done += replications
        if self.progress:
            self.progress(self.done, max(self.total, self.done))

    # --- telling ----------------------------------------------------------------------------------
    def _pair(self, pool: Pool, base_plan: Plan, plan: Plan, count: int,
              held: tuple[tuple[str, float], ...]) -> tuple[Told, Base]:  # fmt: skip
        """Baseline and scenario on the same draws, with some columns held."""
        numbers = tuple(range(count))
        theirs = (
            next(pool.each([Task(base_plan, self.q.seed, numbers, None, held)]))
            if held
            else pool.whole(base_plan, self.q.seed, numbers)
        )
        base = Base(self.ground, base_plan, self.q.seed, numbers, theirs, first_lever_day([plan]))
        if held:
            ours = next(pool.each([Task(plan, self.q.seed, numbers, base.staff(0, count), held)]))
        else:
            ours = pool.whole(plan, self.q.seed, numbers, base)
        self._tick(2 * count)
        return ours, base

    def _values(self, base: Base, told: Told, year: int) -> Floats:
        """The measure in one year, [replication] in pounds."""
        return np.asarray(base.answers_of(self.q.scenario.name, told).yearly.of(self.q.measure)[:, year])

    def _benefit(self, base: Base, told: Told) -> Floats:
        """Net saving of the whole run in real, discounted pounds, [replication]."""
        found = savings(base.told.money, told.money, base.budget.pence)
        return np.asarray(in_terms(found, "discounted", self.terms).net.sum(axis=-1) / 100.0)

    # --- global -----------------------------------------------------------------------------------
    def _uncertain(self, base: Base) -> list[tuple[Uncertain, bool]]:
        """Every number that varies over the replications, and whether it can be researched."""
        q = self.q
        n, parameters = q.replications, q.calibrated.parameters
        columns = self.columns
        drift = of_drift(parameters, columns, base.calendar.n_months, q.seed, n)
        kept = {name: values for name, values in columns.items() if not name.startswith(NEVER_IN_COST)}
        known = [*of_parameters(parameters, kept, n), *of_levers(q.scenario, self.plan, q.seed, n)]
        both = [*((number, False) for number in drift), *((number, True) for number in known)]
        return [(number, can) for number, can in both if np.ptp(number.draws) > 0]

    @property
    def columns(self) -> dict[str, Floats]:
        """Every column of the joint draws."""
        draws = self.q.calibrated.draws
        return {str(name): draws[name].to_numpy(dtype=float) for name in draws.columns}

    def _numbers(self, values: Floats, benefit: Floats, base: Base) -> tuple[Important, ...]:
        both = self._uncertain(base)
        walks = [number.draws for number, can in both if not can]
        left, left_benefit = without(values, walks), without(benefit, walks)
        self.drift_share = 1.0 - float(left.var()) / float(values.var()) if values.var() > 0 else 0.0
        found = []
        for number, can in both:
            year = curve(number.draws, left if can else values)
            run = curve(number.draws, left_benefit if can else benefit)
            chance = min(2.0 * min(year.p_value, run.p_value), 1.0)  # the better of two
            share = float(year.guess.var()) / float(values.var()) if values.var() > 0 else 0.0
            clear = chance < CLEAR / len(both)
            found.append(Important(
                number, can, pawn(number.draws, values), share, chance, clear, chance < PERHAPS and not clear,
                _value(benefit, benefit.mean() + run.guess), max(_miss(values, None) - _miss(values, year.guess), 0.0),
            ))  # fmt: skip
        return tuple(sorted(found, key=lambda one: one.p_value))

    # --- tornado ----------------------------------------------------------------------------------
    def _bars(self, pool: Pool, numbers: Sequence[Uncertain], values: Floats, year: int) -> tuple[Bar, ...]:
        count = min(self.q.tornado_replications, self.q.replications)
        bars = []
        for number in numbers[: self.q.tornado]:
            low, high = (float(end) for end in np.quantile(number.draws, [0.1, 0.9]))
            changes = []
            for share, end in ((0.1, low), (0.9, high)):
                held, plans = self._held(number, share, end)
                told, base = self._pair(pool, *plans, count, held)
                changes.append(self._values(base, told, year) - values[:count])
            errors = [float(change.std(ddof=1) / np.sqrt(count)) for change in changes]
            bars.append(Bar(number, low, high, float(changes[0].mean()), float(changes[1].mean()), *errors))
        return tuple(sorted(bars, key=lambda bar: -abs(bar.at_high_gbp - bar.at_low_gbp)))

    def _held(
        self, number: Uncertain, share: float, end: float
    ) -> tuple[tuple[tuple[str, float], ...], tuple[Plan, Plan]]:
        """Columns to hold, or plans whose effect is held, for one end of a number."""
        columns = self.columns
        names = _columns_of(number.id, columns)
        if names:
            return tuple((name, float(np.quantile(columns[name], share))) for name in names), (
                self.base_plan,
                self.plan,
            )
        return (), (hold_effect(self.base_plan, number.id, end), hold_effect(self.plan, number.id, end))


def _columns_of(number: str, columns: dict[str, Floats]) -> list[str]:
    """Columns of the draws that a number stands for: of every age where it is a mean over ages, or drawn with it."""
    words = number.split(".")
    if EVERY_AGE in words:
        return [name for name in columns if _same_but_age(name.split("."), words)]
    if number not in columns:
        return []
    order = np.argsort(columns[number], kind="stable")
    return [
        name
        for name, values in columns.items()
        if name == number or np.array_equal(np.argsort(values, kind="stable"), order)
    ]


def _same_but_age(name: list[str], words: list[str]) -> bool:
    same = (word in (given, EVERY_AGE) for given, word in zip(name, words, strict=False))
    return len(name) == len(words) and all(same)


def hold_effect(plan: Plan, key: str, size: float) -> Plan:
    """The plan with every effect of a key held at one size."""
    return replace(plan, changes=tuple(_holding(change, key, size) for change in plan.changes))


def _holding(change: Any, key: str, size: float) -> Any:  # noqa: ANN401
    if not is_dataclass(change) or isinstance(change, type):
        return change
    held = {}
    for field in fields(change):
        effect = getattr(change, field.name)
        if isinstance(effect, Effect) and effect.key == key:
            held[field.name] = replace(effect, median=size, low_80=None, high_80=None, no_effect_chance=0.0)
    return replace(change, **held) if held else change


# --- statistics -----------------------------------------------------------------------------------
def pawn(draws: Floats, values: Floats) -> float:
    """PAWN, the median over slices: 0 when the answer does not care for the number."""
    from SALib.analyze import pawn as salib

    slices = max(count for count in SLICES if count * SLICE_SIZE <= max(len(values), 2 * SLICE_SIZE))
    problem = {"num_vars": 1, "names": ["x"], "bounds": [[float(draws.min()), float(draws.max())]]}
    found = salib.analyze(problem, draws[:, np.newaxis], values, S=slices, seed=1)
    return float(np.nan_to_num(found["median"][0]))


def _chance_pawn(values: Floats) -> float:
    random = np.random.default_rng(1)
    reached = [pawn(random.permutation(len(values)).astype(np.float64), values) for _ in range(DUMMIES)]
    return float(np.quantile(reached, 0.95))


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve through values over the ranks of a number, about their mean."""

    guess: Floats  # [replication]: E[value | number] - E[value], drawn in
    p_value: float


def curve(draws: Floats, values: Floats) -> Curve:
    """A cubic in the rank of a number, fitted by least squares and drawn in by 1 - 1/F (nought where F is below 1).

    F = (explained / 3) / (left / (n - 4)), in sums of squares; its chance is by the F distribution.
    """
    from scipy import stats

    ranks = np.asarray(stats.rankdata(draws), dtype=np.float64)
    scaled = (ranks - ranks.mean()) / max(float(np.ptp(ranks)) / 2, 1e-12)
    basis = np.polynomial.legendre.legvander(scaled, DEGREE)
    fitted = basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    free = len(values) - DEGREE - 1
    explained, left = float(((fitted - values.mean()) ** 2).sum()), float(((values - fitted) ** 2).sum())
    if explained <= 1e-12 * float((values**2).sum()):
        return Curve(np.zeros(len(values)), 1.0)
    ratio = (explained / DEGREE) / max(left / free, 1e-300)
    guess: Floats = (fitted - values.mean()) * max(1.0 - 1.0 / ratio, 0.0)
    return Curve(guess, float(stats.f.sf(ratio, DEGREE, free)))


def without(values: Floats, walks: Sequence[Floats]) -> Floats:
    """Values less what straight lines in the ranks of the drifts explain; the mean stays."""
    from scipy import stats

    if not walks:
        return values
    ranks = np.column_stack([stats.rankdata(walk) for walk in walks])
    centred = ranks - ranks.mean(axis=0)
    left: Floats = values - centred @ np.linalg.lstsq(centred, values - values.mean(), rcond=None)[0]
    return left


def _value(benefit: Floats, expected: Floats) -> float:
    """Expected value of knowing, for the choice between adopting (B) and not (nought)."""
    return max(float(np.maximum(expected, 0).mean()) - max(float(benefit.mean()), 0.0), 0.0)


def _miss(values: Floats, guess: Floats | None) -> float:
    """E|y - best guess|, the best guess being the middle, of all or of what the curve leaves."""
    left = values if guess is None else values - guess
    return float(np.abs(left - np.median(left)).mean())
