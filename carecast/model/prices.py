"""Prices, applied to the tables of a replication after the simulation: a change of price needs no new run.

Every cost is ``quantity x unit price x price level x price changes``, row by row, rounded to whole pence:

- a provider's placements: days x price multiplier, at weekly price / 7; the same for continuing care;
- a provider's fixed cost: days open, at fixed weekly cost / 7, from the day it opens until the day its cost stops;
- a service line: child-weeks, family-weeks, children or families; or a plain sum a year.

Price level: the product of (1 + uplift) from the price's own year to the financial year. Price changes: the product
of the plan's ratios in force, month by month (ramps geometric), weighted by days over the financial year.

Each placement day also has a value at full unit cost (variable price + fixed cost / (places x usable share) per day);
what is paid beyond the value of what is used is idle capacity (``Money.idle``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from carecast.model.effects import effect_size
from carecast.model.money import SOCIAL_WORK, Layout, Money, Pence, whole_pence
from carecast.model.plan import Effect, MoveFunding, ScalePrice
from carecast.model.programme import Programme, programme_pence

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DAYS_PER_WEEK = 7.0


class PricedTables(Protocol):
    """What pricing reads of a replication's tables (``results.Tables``)."""

    @property
    def placement_days(self) -> Ints: ...  # noqa: D102  [financial year, provider, looked after | continuing care]

    @property
    def price_days(self) -> Floats: ...  # noqa: D102  same shape; days x price multiplier

    @property
    def service_units(self) -> Ints: ...  # noqa: D102  [financial year, service line]

    @property
    def counted(self) -> Ints: ...  # noqa: D102  [financial year, count key of the programme]


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A ratio on some rows' prices, laid out by month."""

    scale: ScalePrice
    ramp: Floats  # [month]
    held: Floats  # [month]: share of the month's simulated days in the window


@dataclass(frozen=True, slots=True)
class FundingMove:
    """A share of what social work pays on some rows that another funder pays."""

    move: MoveFunding
    funder: int  # -> words.FUNDERS
    rows: Ints
    held: Floats  # [financial year]: share of the simulated days in force, ramp included


@dataclass(frozen=True, slots=True)
class Rows:
    """The priced rows: placements, continuing care and fixed cost of each provider, then the cost lines."""

    line: Ints  # [row] -> line of the layout
    price_gbp: Floats  # [row] a unit, at prices of its own year
    level: Ints  # [financial year, row] -> PriceBook.levels
    changes: Ints  # [row] -> PriceBook.change_groups
    shares: Floats  # [row, funder]
    drawn: tuple[tuple[int, float, str], ...]  # row, price per GBP drawn, draws column


@dataclass(frozen=True, slots=True)
class Homes:
    """What full unit cost needs to know of providers."""

    open_days: Floats  # [financial year, provider]: days whose fixed cost is paid
    places: Floats  # [provider]
    usable_share: Floats  # [provider]
    place_changes: tuple[tuple[int, Effect, Floats], ...]  # provider, places added, share held [financial year]
    drawn: tuple[tuple[int, str, str], ...]  # provider, field (places or usable_share), draws column


@dataclass(frozen=True, slots=True)
class Services:
    """The cost lines that are not placements, in the order of the last rows."""

    unit_of: tuple[int, ...]  # -> column of service_units, -1 for a sum a year
    per_unit: Floats  # priced units for one counted unit: 1/7 for child-weeks, fewer for families
    years: Floats  # [financial year]: share of the year that the run holds
    fixed_share: Floats  # own staff, who stay when fewer are helped
    growth_is_paid: NDArray[np.bool_]  # a lever pays for the added places itself: growth brings no second staff cost


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Everything about the prices of one scenario that is the same in all replications (``pricebook.price_book``)."""

    layout: Layout
    rows: Rows
    homes: Homes
    services: Services
    programme: Programme
    uplifts: tuple[tuple[str, float], ...]  # draws column, central value
    levels: tuple[tuple[int, int], ...]  # distinct (uplift, years of it)
    price_changes: tuple[PriceChange, ...]
    change_groups: tuple[tuple[int, ...], ...]  # distinct sets of price changes that rows have
    funding: tuple[FundingMove, ...]
    month_weights: Floats  # [financial year, month]: share of the year's simulated days
    draws: Mapping[str, Floats]  # the columns of the joint draws that prices read
    n_draws: int


def price_replication(
    book: PriceBook, tables: PricedTables, replication: int, *, seed: int, staff_units: Ints | None = None
) -> Money:
    """Price one replication's tables in whole pence.

    ``staff_units`` is the baseline's ``service_units`` of the same replication ([financial year, service line]; leave
    it out for the baseline itself): the fixed share of a service line's cost follows the baseline's units, because
    staff stay when fewer children need them; units beyond the baseline's need more staff, unless a lever pays for them.
    """
    row = replication % book.n_draws
    price = _unit_prices(book, row, seed, replication)
    services = _service_units(book.services, tables.service_units)
    staffed = services if staff_units is None else _service_units(book.services, staff_units)
    used = _quantities(book, tables, services)
    paid = _quantities(book, tables, _paid_units(book.services, services, staffed))
    cost = whole_pence(paid * price)
    value = whole_pence(used * price) + _fixed_value(book, tables, price, row, seed, replication)
    first_fixed, first_service = _row_starts(book)
    value[:, first_fixed:first_service] = 0
    split = _split(cost, _funder_shares(book, seed, replication))
    return Money(
        layout=book.layout,
        gross=_into_lines(book, cost),
        value=_into_lines(book, value),
        by_funder=_into_lines(book, split),
        programme=programme_pence(book.programme, tables.counted, seed, replication),
    )


def growth(rate: float, years: int) -> float:
    """(1 + rate) to the power of whole years, by multiplication alone so that it is the same on every machine."""
    level = 1.0
    for _ in range(abs(years)):
        level *= 1.0 + rate
    return level if years >= 0 else 1.0 / level


def _row_starts(book: PriceBook) -> tuple[int, int]:
    n_providers = len(book.homes.places)
    return 2 * n_providers, 3 * n_providers


def _unit_prices(book: PriceBook, row: int, seed: int, replication: int) -> Floats:
    """Price of a unit in cash, [financial year, row]."""
    price = book.rows.price_gbp.copy()
    for at, per_pound, column in book.rows.drawn:
        price[at] = per_pound * book.draws[column][row]
    rates = [float(book.draws[name][row]) if name in book.draws else central for name, central in book.uplifts]
    levels = np.array([growth(rates[kind], years) for kind, years in book.levels])
    changes = _price_changes(book, seed, replication)
    unit: Floats = price * levels[book.rows.level] * changes[:, book.rows.changes]
    return unit


def _price_changes(book: PriceBook, seed: int, replication: int) -> Floats:
    """Mean ratio of each group of price changes, [financial year, group]."""
    by_month = []
    for change in book.price_changes:
        ratio = effect_size(change.scale.ratio, seed, replication)
        full = np.array([ratio ** float(reached) for reached in change.ramp])
        by_month.append(1.0 + change.held * (full - 1.0))
    n_months = book.month_weights.shape[1]
    ratios = np.ones((n_months, len(book.change_groups)))
    for group, members in enumerate(book.change_groups):
        for member in members:
            ratios[:, group] *= by_month[member]
    mean: Floats = book.month_weights @ ratios
    return mean


def _service_units(services: Services, counted: Ints) -> Floats:
    """Priced units used, [financial year, cost line]."""
    units = np.empty((len(services.years), len(services.unit_of)), dtype=np.float64)
    for i, column in enumerate(services.unit_of):
        units[:, i] = services.years if column < 0 else counted[:, column] * services.per_unit[i]
    return units


def _paid_units(services: Services, used: Floats, staffed: Floats) -> Floats:
    """Units paid for: the variable share follows use, the fixed share staff, never fewer than in the baseline."""
    staff = np.where(services.growth_is_paid, staffed, np.maximum(used, staffed))
    paid: Floats = used + services.fixed_share * (staff - used)
    return paid


def _quantities(book: PriceBook, tables: PricedTables, services: Floats) -> Floats:
    """Units of each row, [financial year, row]."""
    price_days = tables.price_days
    return np.concatenate([price_days[:, :, 0], price_days[:, :, 1], book.homes.open_days, services], axis=1)


def _fixed_value(book: PriceBook, tables: PricedTables, price: Floats, row: int, seed: int, replication: int) -> Pence:
    """The part of fixed cost that each placement day stands for, [financial year, row]; nothing for other rows."""
    homes = book.homes
    n_years, n_providers = homes.open_days.shape
    places = np.tile(homes.places, (n_years, 1))
    usable = homes.usable_share.copy()
    for provider, field, column in homes.drawn:
        if field == "places":
            places[:, provider] = book.draws[column][row]
        else:
            usable[provider] = book.draws[column][row]
    for provider, add, held in homes.place_changes:
        places[:, provider] += effect_size(add, seed, replication) * held
    first, end = _row_starts(book)
    capacity = places * usable
    per_day = np.divide(price[:, first:end], capacity, out=np.zeros_like(capacity), where=capacity > 0)
    value = np.zeros(price.shape, dtype=np.int64)
    value[:, :n_providers] = whole_pence(tables.placement_days[:, :, 0].astype(np.float64) * per_day)
    value[:, n_providers:first] = whole_pence(tables.placement_days[:, :, 1].astype(np.float64) * per_day)
    return value


def _funder_shares(book: PriceBook, seed: int, replication: int) -> Floats:
    """Who pays which share of each row, [financial year, row, funder]."""
    shares = np.repeat(book.rows.shares[np.newaxis], len(book.layout.financial_years), axis=0)
    for moved in book.funding:
        share = min(max(effect_size(moved.move.share, seed, replication), 0.0), 1.0)
        part = shares[:, moved.rows, SOCIAL_WORK] * (share * moved.held)[:, np.newaxis]
        shares[:, moved.rows, SOCIAL_WORK] -= part
        shares[:, moved.rows, moved.funder] += part
    return shares


def _split(cost: Pence, shares: Floats) -> Pence:
    """Cost by funder, [financial year, row, funder]; social work bears what rounding leaves, so the sum is the cost."""
    split = np.rint(cost[:, :, np.newaxis] * shares).astype(np.int64)
    split[:, :, SOCIAL_WORK] = 0
    split[:, :, SOCIAL_WORK] = cost - split.sum(axis=2)
    return split


def _into_lines(book: PriceBook, by_row: Pence) -> Pence:
    """Sum rows into the layout's lines; further axes stay."""
    lines = np.zeros((by_row.shape[0], len(book.layout.lines), *by_row.shape[2:]), dtype=np.int64)
    for year, year_rows in enumerate(by_row):
        np.add.at(lines[year], book.rows.line, year_rows)
    return lines
