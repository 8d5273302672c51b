"""The recurring approved budget of each line and year: the council's own where given, otherwise labelled assumed."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from carecast.model import spans
from carecast.model.calendar import Calendar
from carecast.model.money import Layout, Money, Pence, whole_pence
from carecast.model.parameters import BadFile, ParameterSet
from carecast.model.plan import CloseProvider, OpenProvider, Plan
from carecast.model.pricebook import CONTINUING_CARE_LINE, UPLIFTS, uplift_column
from carecast.model.prices import growth


@dataclass(frozen=True, slots=True)
class ApprovedBudget:
    """Recurring approved budget over the days of each year that the run holds, in pence, and where each came from."""

    financial_years: tuple[str, ...]
    lines: tuple[str, ...]
    pence: Pence  # [financial year, line]
    source: tuple[tuple[str, ...], ...]  # [financial year][line]

    @property
    def is_assumed(self) -> bool:
        """Whether any of it is assumed."""
        return any(text.startswith("assumed") for year in self.source for text in year)


def first_lever_day(plans: Iterable[Plan]) -> int | None:
    """The earliest day on which anything in these plans starts; None when they hold nothing. Leave the baseline out."""
    days = []
    for plan in plans:
        for change in plan.changes:
            if isinstance(change, OpenProvider):
                days.append(change.open_day)
            elif isinstance(change, CloseProvider):
                days.append(change.last_admission_day)
            elif not getattr(change, "is_assumption", False):
                days.append(change.window.from_day)
    return min(days, default=None)


def approved_budget(
    parameters: ParameterSet, baseline: Money, calendar: Calendar, lever_day: int | None
) -> ApprovedBudget:
    """Budget of every line and year of a run.

    Where the parameter set gives none: the baseline's mean cost of the line in the base year, moved to each year by the
    central uplift of the line. The base year is the last whole financial year of the run before the first lever starts,
    failing that the first whole year, failing that the longest part of one. Years the run holds in part have their part
    of the budget, by days.

    Args:
        parameters: with the budgets given.
        baseline: the stack of the baseline's replications.
        calendar: of the run.
        lever_day: ``first_lever_day`` of the other scenarios' plans.
    """
    layout = baseline.layout
    given = _given(parameters, layout)
    base = _base_year(layout, calendar, lever_day)
    mean_gbp = baseline.gross.reshape(-1, *baseline.gross.shape[-2:]).mean(axis=0)[base] / 100.0
    whole_year_gbp = mean_gbp * layout.year_days[base] / max(layout.run_days[base], 1)
    rates = [_line_rate(parameters, line) for line in layout.lines]
    pounds = np.zeros((len(layout.financial_years), len(layout.lines)), dtype=np.float64)
    sources: list[tuple[str, ...]] = []
    for y, name in enumerate(layout.financial_years):
        years = spans.year_start(name) - spans.year_start(layout.financial_years[base])
        part = layout.run_days[y] / layout.year_days[y]
        texts = []
        for i, line in enumerate(layout.lines):
            approved = _latest(given, line, name, rates[i])
            assumed = f"assumed: baseline cost of {layout.financial_years[base]}, uplifted"
            texts.append(assumed if approved is None else approved[1])
            pounds[y, i] = part * (whole_year_gbp[i] * growth(rates[i], years) if approved is None else approved[0])
        sources.append(tuple(texts))
    return ApprovedBudget(layout.financial_years, layout.lines, whole_pence(pounds), tuple(sources))


def _given(parameters: ParameterSet, layout: Layout) -> dict[tuple[str, str], tuple[float, str]]:
    """Budgets of the parameter set by line and year, with their source; years outside the run are left."""
    unknown = sorted({budget.line for budget in parameters.budgets} - set(layout.lines))
    if unknown:
        known = ", ".join(layout.lines)
        raise BadFile(*(f"parameters.toml: budgets: line {line!r} is not one of {known}" for line in unknown))
    return {(b.line, b.financial_year): (b.amount_gbp, f"{b.how}: {b.source}") for b in parameters.budgets}


def _latest(
    given: dict[tuple[str, str], tuple[float, str]], line: str, financial_year: str, rate: float
) -> tuple[float, str] | None:
    """The budget given for a line in a year, or the latest one before it moved on by the line's uplift."""
    years = [year for of_line, year in given if of_line == line and year <= financial_year]
    if not years:
        return None
    amount, source = given[line, max(years)]
    later = int(financial_year[:4]) - int(max(years)[:4])
    return amount * growth(rate, later), source if not later else f"{source}, uplifted from {max(years)}"


def _base_year(layout: Layout, calendar: Calendar, lever_day: int | None) -> int:
    whole = layout.whole_years
    ends = [day.toordinal() for day in calendar.financial_year_ends]
    before = [year for year in whole if lever_day is None or ends[year] < lever_day]
    if lever_day is not None and before:
        return before[-1]
    return whole[0] if whole else int(np.argmax(layout.run_days))


def _line_rate(parameters: ParameterSet, line: str) -> float:
    """Central committed uplift of a line a year: its own kind, or the mean over the providers that it is paid to."""
    kinds = [cost.uplift for cost in parameters.cost_lines if cost.line == line]
    if not kinds:
        paid_to = [p for p in parameters.providers if line.removesuffix("_fixed") == p.placement_type]
        paid_to = paid_to or (list(parameters.providers) if line == CONTINUING_CARE_LINE else [])
        kinds = [provider.uplift for provider in paid_to]
    rates = [parameters.number(uplift_column(kind)) for kind in kinds or UPLIFTS]
    return sum(rates) / len(rates)
