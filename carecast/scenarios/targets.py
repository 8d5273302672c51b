"""Targets: what must be true, by when, and how likely it is that a scenario makes it true."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator

from carecast.model.calendar import financial_year
from carecast.model.parameters import BadFile, Frozen
from carecast.model.summary import BASELINE, TOTAL, Answers, Grid, Values, quantile_positions
from carecast.scenarios.savings import Terms, real_factors

SAVING_MEASURES = ("saving_gbp", "gross_saving_gbp", "net_saving_gbp")
SAVING_NAMES = {  # (basis, recurring, against) -> yearly measure; what is gross is before any programme cost
    ("gross", False, "baseline"): "gross_saving_gbp",
    ("gross", True, "baseline"): "gross_saving_gbp",
    ("net", False, "baseline"): "net_saving_gbp",
    ("net", True, "baseline"): "net_saving_recurring_gbp",
    ("gross", False, "budget"): "gross_saving_against_budget_gbp",
    ("gross", True, "budget"): "gross_saving_against_budget_gbp",
    ("net", False, "budget"): "net_saving_against_budget_gbp",
    ("net", True, "budget"): "net_saving_recurring_against_budget_gbp",
}


class Target(Frozen):
    """One target.

    ``annual`` is a yearly sum of pounds in ``financial_year``; ``cumulative`` is its sum over the financial years that
    end after ``from`` and by ``to``; ``level`` is any measure at ``to`` (or on 31 March of ``financial_year``). A
    saving of any kind is written ``saving_gbp`` with ``basis``, or by its own name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    name: str = Field(min_length=1)
    measure: str = "saving_gbp"
    breakdown: str = TOTAL
    basis: Literal["gross", "net"] | None = None  # of savings; net when not said
    recurring: bool = False  # leave one-off programme cost out
    kind: Literal["annual", "cumulative", "level"] = "annual"
    financial_year: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}$")
    from_date: dt.date | None = Field(default=None, alias="from")
    to_date: dt.date | None = Field(default=None, alias="to")
    at_least: float | None = None
    at_most: float | None = None
    price_basis: Literal["cash", "real"] = "cash"
    price_year: str | None = Field(
        default=None, pattern=r"^\d{4}-\d{2}$"
    )  # of real terms; the run's first when not said
    already_delivered_gbp: float = 0.0
    required_probability: float = Field(default=0.8, gt=0, le=1)
    against: Literal["baseline", "budget"] = "baseline"
    source: str = ""
    because: str = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> "Target":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"target {self.name!r} needs one of at_least and at_most")
        if self.basis is not None and self.measure not in ("saving_gbp", f"{self.basis}_saving_gbp"):
            raise ValueError(
                f"basis {self.basis!r} does not go with measure {self.measure!r}; write measure saving_gbp"
            )
        if not self.is_saving and (self.recurring or self.against == "budget"):
            raise ValueError(f"recurring and against budget are for {', '.join(SAVING_MEASURES)}, not {self.measure!r}")
        self._check_dates()
        self._check_money()
        return self

    def _check_dates(self) -> None:
        if self.kind == "cumulative" and (self.from_date is None or self.to_date is None):
            raise ValueError("a cumulative target needs from and to")
        if self.kind == "annual" and self.financial_year is None:
            raise ValueError("an annual target needs financial_year, such as 2028-29")
        if self.kind == "level" and (self.to_date is None) == (self.financial_year is None):
            raise ValueError("a level target needs one of to and financial_year")
        if self.from_date and self.to_date and self.from_date > self.to_date:
            raise ValueError(f"from {self.from_date} lies after to {self.to_date}")

    def _check_money(self) -> None:
        if self.kind != "level" and not self.is_money:
            raise ValueError(f"{self.measure!r} is no sum of pounds: its target is of kind level")
        if not self.is_money and (self.price_basis == "real" or self.already_delivered_gbp):
            raise ValueError(f"price_basis and already_delivered_gbp are for pounds, not {self.measure!r}")

    @property
    def is_money(self) -> bool:
        """Whether it is in pounds."""
        return self.measure.endswith("_gbp")

    @property
    def is_saving(self) -> bool:
        """Whether it is a saving whose basis can be chosen."""
        return self.measure in SAVING_MEASURES

    @property
    def row_measure(self) -> str:
        """The measure of the run that it reads."""
        if not self.is_saving:
            return self.measure
        basis = self.basis or ("gross" if self.measure.startswith("gross") else "net")
        return SAVING_NAMES[basis, self.recurring, self.against]

    @property
    def judged_on(self) -> dt.date:
        """The day it must be true: ``to``, or 31 March of the financial year."""
        if self.financial_year is not None:
            return dt.date(int(self.financial_year[:4]) + 1, 3, 31)
        return self.to_date or dt.date.max

    @property
    def value(self) -> float:
        """The number to reach or stay under."""
        return float(self.at_most if self.at_least is None else self.at_least)  # type: ignore[arg-type]

    def shortfall(self, values: Values) -> Values:
        """How far each value is from the target; nought where it is met."""
        gap = values - self.value if self.at_least is None else self.value - values
        return np.maximum(np.round(gap, 6), 0.0)


@dataclass(frozen=True, slots=True)
class Assessment:
    """How one scenario does on one target."""

    scenario: str
    target: str
    met_probability: float
    required_probability: float
    expected_shortfall_gbp: float | None  # mean over replications of max(0, what is lacking); None if not in pounds
    month_met: dt.date | None  # median first month end, of the replications that meet it; yearly values: 31 March
    monte_carlo_error: float  # standard error of met_probability: sqrt(p (1 - p) / replications)
    expected_shortfall: float  # in the measure's own unit
    mean: float  # of the measure as the target reads it, in the measure's own unit
    measure: str
    breakdown: str
    value: float
    is_likely_enough: bool  # met_probability is at least the required one


class _NotHeldError(Exception):
    """The run does not hold what a target asks for."""


@dataclass(frozen=True, slots=True)
class _Path:
    """What a target reads: its value date by date up to the day it is judged on (the last column)."""

    values: Values  # [replication, date]
    dates: tuple[dt.date, ...]


def assess(
    targets: Sequence[Target], answers: Sequence[Answers], terms: Terms, baseline: str = BASELINE
) -> list[Assessment]:
    """Judge every target on every scenario; savings against the baseline are not asked of the baseline itself.

    Raises:
        BadFile: a target names a measure or a date that the run does not hold, one line per target.
    """
    mistakes: list[str] = []
    found: list[Assessment] = []
    for target in targets:
        for answer in answers:
            if answer.scenario == baseline and target.is_saving and target.against == "baseline":
                continue
            try:
                found.append(_judge(target, answer, terms))
            except _NotHeldError as error:
                mistakes.append(f"target {target.name!r}: {error}")
    if mistakes:
        raise BadFile(*dict.fromkeys(mistakes))
    return found


def _judge(target: Target, answer: Answers, terms: Terms) -> Assessment:
    path = _path(target, answer, terms)
    met = target.shortfall(path.values) <= 0
    end = path.values[:, -1]
    n = len(end)
    chance = float(met[:, -1].mean())
    lacking = float(target.shortfall(end).mean())
    return Assessment(
        scenario=answer.scenario,
        target=target.name,
        met_probability=chance,
        required_probability=target.required_probability,
        expected_shortfall_gbp=round(lacking, 2) if target.is_money else None,
        month_met=_month_met(met, path.dates),
        monte_carlo_error=math.sqrt(chance * (1 - chance) / n),
        expected_shortfall=lacking,
        mean=float(end.mean()),
        measure=target.row_measure,
        breakdown=target.breakdown,
        value=target.value,
        is_likely_enough=chance >= target.required_probability,
    )


def values_at_end(target: Target, answer: Answers, terms: Terms) -> Values:
    """What a target is judged on, [replication], in the measure's own unit.

    Raises:
        BadFile: the answers do not hold its measure or its date.
    """
    try:
        found: Values = _path(target, answer, terms).values[:, -1]
    except _NotHeldError as error:
        raise BadFile(f"target {target.name!r}: {error}") from error
    return found


def _month_met(met: NDArray[np.bool_], dates: tuple[dt.date, ...]) -> dt.date | None:
    """Median (inverted CDF) of the first date on which each replication that meets the target has reached it."""
    first = np.sort(np.argmax(met[met[:, -1]], axis=1))
    if len(first) == 0:
        return None
    return dates[int(first[quantile_positions(len(first), [500])[0]])]


def _path(target: Target, answer: Answers, terms: Terms) -> _Path:
    try:
        grid = answer.grid_of(target.row_measure, target.breakdown)
    except KeyError as error:
        raise _NotHeldError(f"the run has no measure {error.args[0]}") from error
    _check_run_reaches(target, answer.monthly)
    values = grid.of(target.row_measure, target.breakdown)
    if target.price_basis == "real":
        years = [financial_year(date) for date in grid.dates]
        terms = Terms(terms.deflator_per_year, terms.discount_per_year, target.price_year or terms.price_year)
        values = values * real_factors(years, terms)
    if target.kind == "cumulative":
        return _cumulative(target, grid, values)
    last = _position(target, grid)
    first = last if target.kind == "annual" else 0
    return _Path(values[:, first : last + 1] + target.already_delivered_gbp, grid.dates[first : last + 1])


def _position(target: Target, grid: Grid) -> int:
    """The date a target is judged on: 31 March of its financial year, or the last date of the grid by ``to``."""
    held = [i for i, date in enumerate(grid.dates) if date <= target.judged_on]
    if not held or (target.financial_year is not None and grid.dates[held[-1]] != target.judged_on):
        raise _NotHeldError(f"the run holds {grid.dates[0]} to {grid.dates[-1]}, not {target.judged_on}")
    return held[-1]


def _cumulative(target: Target, grid: Grid, values: Values) -> _Path:
    """Running sum over the financial years that end after ``from`` and by ``to``."""
    since = target.from_date or dt.date.min
    within = [i for i, date in enumerate(grid.dates) if since < date <= target.judged_on]
    if not within:
        raise _NotHeldError(f"no financial year of the run ends between {since} and {target.judged_on}")
    summed = np.cumsum(values[:, within], axis=1) + target.already_delivered_gbp
    return _Path(summed, tuple(grid.dates[i] for i in within))


def _check_run_reaches(target: Target, monthly: Grid) -> None:
    """A target is judged on months and years that the run holds to their end."""
    last = monthly.dates[-1]
    if target.judged_on > last + dt.timedelta(days=30):  # a date within the month after is judged on the month before
        raise _NotHeldError(f"is judged on {target.judged_on}, but the run's last whole month ends on {last}")
