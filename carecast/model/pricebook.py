"""From parameter set and plan to a ``PriceBook``: which rows are priced, in which line, at what, and who pays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carecast.model import spans
from carecast.model import words as w
from carecast.model.calendar import Calendar
from carecast.model.money import Layout
from carecast.model.parameters import BadFile, CostLine, ParameterSet, Provider
from carecast.model.plan import ChangePlaces, CloseProvider, MoveFunding, OpenProvider, Plan, ProgrammeCost, ScalePrice
from carecast.model.prices import DAYS_PER_WEEK, Floats, FundingMove, Homes, PriceBook, PriceChange, Rows, Services
from carecast.model.programme import Programme, programme
from carecast.model.results import SERVICE_LINES

UPLIFTS = ("pay", "prices", "external")
CONTINUING_CARE_LINE = "continuing_care"
COUNTED_BY_CHILD = ("assessment", "pre_entry")  # service lines counted as children started; the others in child-days
ALL_LINES = "*"


@dataclass(frozen=True, slots=True)
class _Row:
    """One priced row before it is laid out in arrays."""

    line: str
    names: tuple[str, ...]  # what a ScalePrice may call it
    price_gbp: float  # a unit, at prices of price_year
    price_year: str
    uplift: str
    funder_shares: Mapping[str, float]
    draws_column: str
    drawn_from_gbp: float  # the central value that the draws column replaces


def uplift_column(kind: str) -> str:
    """Id of the number, and draws column, of an uplift: pay, prices or external."""
    return f"uplift.{kind}_per_year"


def fixed_line(placement_type: str) -> str:
    """The line of what own homes cost whoever lives there."""
    return f"{placement_type}_fixed"


def money_lines(parameters: ParameterSet, plans: Iterable[Plan]) -> tuple[str, ...]:
    """Every line of spend of a run, the same for all of its scenarios."""
    fixed = {"childrens_house_own"}
    fixed |= {provider.placement_type for provider in parameters.providers if provider.fixed_weekly_cost_gbp > 0}
    for plan in plans:
        rows = (change.row for change in plan.changes if isinstance(change, OpenProvider))
        fixed |= {str(row["placement_type"]) for row in rows if float(str(row.get("fixed_weekly_cost_gbp", 0))) > 0}
    homes = (fixed_line(name) for name in w.PLACEMENT_TYPES if name in fixed)
    lines = (*w.PLACEMENT_TYPES, CONTINUING_CARE_LINE, *homes, *(cost.line for cost in parameters.cost_lines))
    twice = sorted({line for line in lines if lines.count(line) > 1})
    if twice:
        raise BadFile(*(f"parameters.toml: cost_lines: line {line!r} stands there twice" for line in twice))
    return lines


def price_book(
    parameters: ParameterSet,
    plan: Plan,
    providers: Sequence[Provider],
    calendar: Calendar,
    draws: pd.DataFrame,
    lines: tuple[str, ...],
) -> PriceBook:
    """Lay out the prices of one scenario.

    ``providers`` are the world's, opened ones included, in the order of the tables; ``lines`` are ``money_lines``.
    """
    _check_units(parameters.cost_lines)
    rows = [*_provider_rows(providers), *_cost_rows(parameters)]
    costs = programme(plan, calendar, [locality.name for locality in parameters.localities])
    scales = tuple(change for change in plan.changes if isinstance(change, ScalePrice))
    memberships = [tuple(i for i, scale in enumerate(scales) if scale.line in row.names) for row in rows]
    groups = tuple(dict.fromkeys(memberships))
    offsets = [_levels(row, calendar) for row in rows]
    levels = tuple(dict.fromkeys(level for row in offsets for level in row))
    run_days = np.array(spans.run_days_by_year(calendar), dtype=np.float64)
    columns = [name for name in draws.columns if name.startswith(("price.", "uplift.", "provider."))]
    return PriceBook(
        layout=_layout(calendar, lines, costs),
        rows=Rows(
            line=np.array([lines.index(row.line) for row in rows], dtype=np.int64),
            price_gbp=np.array([row.price_gbp for row in rows], dtype=np.float64),
            level=np.array([[levels.index(level) for level in row] for row in offsets], dtype=np.int64).T,
            changes=np.array([groups.index(member) for member in memberships], dtype=np.int64),
            shares=np.array([[row.funder_shares.get(name, 0.0) for name in w.FUNDERS] for row in rows]),
            drawn=_drawn(rows, columns),
        ),
        homes=_homes(plan, providers, calendar, columns),
        services=_services(parameters, plan, calendar),
        programme=costs,
        uplifts=tuple((uplift_column(kind), parameters.number(uplift_column(kind))) for kind in UPLIFTS),
        levels=levels,
        price_changes=tuple(_price_change(scale, calendar) for scale in scales),
        change_groups=groups,
        funding=tuple(_funding(change, rows, calendar) for change in plan.changes if isinstance(change, MoveFunding)),
        month_weights=_month_weights(calendar, run_days),
        draws={name: draws[name].to_numpy(dtype=np.float64) for name in columns},
        n_draws=max(len(draws), 1),
    )


def _layout(calendar: Calendar, lines: tuple[str, ...], costs: Programme) -> Layout:
    return Layout(
        financial_years=calendar.financial_years,
        run_days=spans.run_days_by_year(calendar),
        year_days=tuple(spans.year_days(name) for name in calendar.financial_years),
        lines=lines,
        items=costs.items,
    )


def _provider_rows(providers: Sequence[Provider]) -> list[_Row]:
    """Placements of every provider, then continuing care, then fixed cost: three blocks in the order of providers."""
    placements = [_provider_row(p, p.placement_type, p.weekly_cost_gbp) for p in providers]
    continuing = [
        replace(row, line=CONTINUING_CARE_LINE, names=(*row.names, CONTINUING_CARE_LINE)) for row in placements
    ]
    fixed = []
    for provider in providers:
        has_fixed = provider.fixed_weekly_cost_gbp > 0
        line = fixed_line(provider.placement_type) if has_fixed else provider.placement_type
        fixed.append(_provider_row(provider, line, provider.fixed_weekly_cost_gbp))
    return [*placements, *continuing, *fixed]


def _provider_row(provider: Provider, line: str, weekly_gbp: float) -> _Row:
    return _Row(
        line=line,
        names=(ALL_LINES, line, provider.code),
        price_gbp=weekly_gbp / DAYS_PER_WEEK,
        price_year=provider.price_year,
        uplift=provider.uplift,
        funder_shares=provider.funder_shares,
        draws_column=f"price.{provider.code}",
        drawn_from_gbp=provider.weekly_cost_gbp,
    )


def _cost_rows(parameters: ParameterSet) -> list[_Row]:
    return [
        _Row(
            line=cost.line,
            names=(ALL_LINES, cost.line),
            price_gbp=cost.price_gbp,
            price_year=cost.price_year,
            uplift=cost.uplift,
            funder_shares=cost.funder_shares,
            draws_column=f"price.{cost.line}",
            drawn_from_gbp=cost.price_gbp,
        )
        for cost in parameters.cost_lines
    ]


def _levels(row: _Row, calendar: Calendar) -> list[tuple[int, int]]:
    """(uplift, years of it) of one row in each financial year."""
    kind, own = UPLIFTS.index(row.uplift), spans.year_start(row.price_year)
    return [(kind, spans.year_start(name) - own) for name in calendar.financial_years]


def _drawn(rows: Sequence[_Row], columns: Sequence[str]) -> tuple[tuple[int, float, str], ...]:
    """Rows whose price is drawn. A home's fixed cost moves in proportion to its weekly price."""
    known = set(columns)
    return tuple(
        (i, row.price_gbp / row.drawn_from_gbp, row.draws_column)
        for i, row in enumerate(rows)
        if row.draws_column in known and row.drawn_from_gbp > 0
    )


def _homes(plan: Plan, providers: Sequence[Provider], calendar: Calendar, columns: Sequence[str]) -> Homes:
    opens = {str(c.row["code"]): c.open_day for c in plan.changes if isinstance(c, OpenProvider)}
    stops: dict[str, int] = {}
    for change in plan.changes:
        if isinstance(change, CloseProvider):
            stops[change.provider] = min(change.cost_stops_day, stops.get(change.provider, w.NEVER))
    open_days = [
        spans.by_year(calendar, spans.days_by_month(calendar, opens.get(p.code, 0), stops.get(p.code, w.NEVER) - 1))
        for p in providers
    ]
    codes = [provider.code for provider in providers]
    added = [c for c in plan.changes if isinstance(c, ChangePlaces) and c.target in codes]
    return Homes(
        open_days=np.array(open_days, dtype=np.float64).reshape(len(codes), -1).T,
        places=np.array([provider.places or 0 for provider in providers], dtype=np.float64),
        usable_share=np.array([provider.usable_share for provider in providers], dtype=np.float64),
        place_changes=tuple((codes.index(c.target), c.add, spans.share_of_run_year(calendar, c.window)) for c in added),
        drawn=tuple(
            (i, field, f"provider.{code}.{field}")
            for i, code in enumerate(codes)
            for field in ("places", "usable_share")
            if f"provider.{code}.{field}" in columns
        ),
    )


def _services(parameters: ParameterSet, plan: Plan, calendar: Calendar) -> Services:
    costs = parameters.cost_lines
    paid = _lines_a_lever_pays(plan)
    layout_years = [
        days / spans.year_days(name)
        for days, name in zip(spans.run_days_by_year(calendar), calendar.financial_years, strict=True)
    ]
    return Services(
        unit_of=tuple(-1 if cost.unit == "year" else SERVICE_LINES.index(cost.line) for cost in costs),
        per_unit=np.array([_per_unit(cost, parameters) for cost in costs], dtype=np.float64),
        years=np.array(layout_years, dtype=np.float64),
        fixed_share=np.array([cost.fixed_share for cost in costs], dtype=np.float64),
        growth_is_paid=np.array([cost.line in paid for cost in costs], dtype=np.bool_),
    )


def _lines_a_lever_pays(plan: Plan) -> set[str]:
    """Services whose added places have a recurring programme cost of their own lever: their staff are paid there."""
    payers = {c.lever for c in plan.changes if isinstance(c, ProgrammeCost) and c.recurring and c.basis != "one_off"}
    return {c.target for c in plan.changes if isinstance(c, ChangePlaces) and c.lever in payers}


def _per_unit(cost: CostLine, parameters: ParameterSet) -> float:
    """Priced units for one counted unit. Families are children over the mean number of children of a family."""
    weeks = DAYS_PER_WEEK if cost.unit.endswith("week") else 1.0
    if not cost.unit.startswith("family"):
        return 1.0 / weeks
    chances = parameters.series["family.size_chances"].values
    mean_children = sum((i + 1) * chance for i, chance in enumerate(chances)) / sum(chances)
    return 1.0 / (weeks * mean_children)


def _check_units(costs: Sequence[CostLine]) -> None:
    """A line's unit must be one that the tables count."""
    mistakes = []
    for cost in costs:
        if cost.unit == "year":
            continue
        by_child = not cost.unit.endswith("week")
        place = f"parameters.toml: cost_lines: {cost.line}: unit {cost.unit!r}"
        if cost.line not in SERVICE_LINES:
            mistakes.append(f"{place} needs a line that is counted ({', '.join(SERVICE_LINES)}); otherwise unit 'year'")
        elif by_child != (cost.line in COUNTED_BY_CHILD):
            right = "child or family" if cost.line in COUNTED_BY_CHILD else "child_week or family_week"
            mistakes.append(f"{place} should be {right}, as this line is counted")
    if mistakes:
        raise BadFile(*mistakes)


def _price_change(scale: ScalePrice, calendar: Calendar) -> PriceChange:
    held = spans.days_by_month(calendar, scale.window.from_day, scale.window.to_day)
    days = np.maximum(spans.run_days_by_month(calendar), 1)
    return PriceChange(scale, spans.ramp_by_month(calendar, scale.window), held / days)


def _funding(move: MoveFunding, rows: Sequence[_Row], calendar: Calendar) -> FundingMove:
    at = np.array([i for i, row in enumerate(rows) if move.line in row.names], dtype=np.int64)
    return FundingMove(move, w.FUNDERS.index(move.funder), at, spans.share_of_run_year(calendar, move.window))


def _month_weights(calendar: Calendar, run_days: Floats) -> NDArray[np.float64]:
    """[financial year, month]: share of the year's simulated days; a year without any has weight on its first month."""
    weights = np.zeros((len(calendar.financial_years), calendar.n_months), dtype=np.float64)
    months = np.arange(calendar.n_months)
    weights[calendar.financial_year_of_month, months] = spans.run_days_by_month(calendar)
    for year in np.flatnonzero(run_days == 0):
        weights[year, months[calendar.financial_year_of_month == year][0]] = 1.0
    shares: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return shares
