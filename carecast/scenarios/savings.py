"""What a scenario saves against the baseline within each replication, in whole pence, by financial year and line.

With V the value at full unit cost of the days and cases used, and C what is paid (all funders), of baseline B and
scenario S, and A the approved budget of a line and year:

    gross    = V_B - V_S               placement days and cases no longer needed, at full unit cost
    released = gross - (C_B - C_S)     the part whose cost stays: an own bed or staff time freed, never cash
    cashable = min(C_B, A) - min(C_S, A)    falls below the recurring approved budget
    avoided  = max(C_B, A) - max(C_S, A)    growth above budget that did not happen
    net      = gross - released - (P_S - P_B)    P: programme cost

min + max of two numbers is their sum, so cashable + avoided = C_B - C_S, the three parts sum to gross, and net is the
fall in net cost, programme included: all to the penny. A part is negative where the scenario needs more. Since C - V is
what is paid for capacity that stands idle, released is how much more stands idle; closing an empty house takes idle
capacity out, so its released part is negative and its cash is real.

All funders' costs count. A cost moved from one funder to another changes ``by_funder`` and not the total: no saving.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carecast.model.money import Layout, Money, Pence
from carecast.model.prices import growth

DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class Savings:
    """Savings of a scenario, in pence; a leading replication axis may stand before the axes named."""

    layout: Layout  # of the scenario
    gross: Pence  # [financial year, line]
    cashable: Pence  # [financial year, line]
    avoided: Pence  # [financial year, line]
    released: Pence  # [financial year, line]
    programme: Pence  # [financial year]: scenario - baseline
    one_off: Pence  # [financial year]: the part of ``programme`` that does not come back
    by_funder: Pence  # [financial year, funder]: fall in what each funder pays, programme included; sums to net

    @property
    def net(self) -> Pence:
        """[financial year]: gross - released - programme cost."""
        total: Pence = self.gross.sum(axis=-1) - self.released.sum(axis=-1) - self.programme
        return total

    @property
    def recurring(self) -> Pence:
        """[financial year]: net saving without one-off programme cost."""
        return self.net + self.one_off

    @property
    def cumulative(self) -> Pence:
        """[financial year]: net saving from the start of the run to the end of the year."""
        total: Pence = np.cumsum(self.net, axis=-1)
        return total


def savings(baseline: Money, scenario: Money, budget: Pence) -> Savings:
    """Savings of ``scenario`` against ``baseline`` within each replication; ``budget`` is [financial year, line]."""
    if baseline.layout.lines != scenario.layout.lines or baseline.gross.shape != scenario.gross.shape:
        raise ValueError("baseline and scenario do not have the same lines, years and replications")
    gross = baseline.value - scenario.value
    return Savings(
        layout=scenario.layout,
        gross=gross,
        cashable=np.minimum(baseline.gross, budget) - np.minimum(scenario.gross, budget),
        avoided=np.maximum(baseline.gross, budget) - np.maximum(scenario.gross, budget),
        released=gross - (baseline.gross - scenario.gross),
        programme=scenario.programme_total() - baseline.programme_total(),
        one_off=scenario.programme_total(recurring=False) - baseline.programme_total(recurring=False),
        by_funder=baseline.net_by_funder - scenario.net_by_funder,
    )


def against_budget(scenario: Money, budget: Pence, *, net: bool = True, recurring: bool = False) -> Pence:
    """Approved budget - what the scenario costs, all lines and funders, [financial year]; net of programme cost or not.

    ``recurring`` leaves one-off programme cost out.
    """
    saved: Pence = budget.sum(axis=-1) - scenario.gross.sum(axis=-1)
    if not net:
        return saved
    return saved - scenario.programme_total(recurring=True if recurring else None)


@dataclass(frozen=True, slots=True)
class Terms:
    """How pounds of different years are compared."""

    deflator_per_year: float
    discount_per_year: float = 0.035
    price_year: str = ""  # financial year whose prices real terms are in; empty: the first of the run


def real_factors(financial_years: Sequence[str], terms: Terms) -> NDArray[np.float64]:
    """What a pound of each financial year buys at prices of the price year: 1 / (1 + deflator)^years."""
    base = int((terms.price_year or financial_years[0])[:4])
    return np.array([growth(terms.deflator_per_year, base - int(name[:4])) for name in financial_years])


def discount_factors(financial_years: Sequence[str], terms: Terms) -> NDArray[np.float64]:
    """Present value, in the first year of the run, of a pound in real terms: 1 / (1 + discount)^years."""
    first = int(financial_years[0][:4])
    return np.array([growth(terms.discount_per_year, first - int(name[:4])) for name in financial_years])


def in_real_terms(pence: Pence, financial_years: Sequence[str], terms: Terms) -> Pence:
    """Cash pence by financial year (last axis) at prices of one year, to the penny."""
    return np.rint(pence * real_factors(financial_years, terms)).astype(np.int64)


def discounted(pence: Pence, financial_years: Sequence[str], terms: Terms) -> Pence:
    """Cash pence by financial year (last axis) in real terms and discounted, to the penny."""
    factors = real_factors(financial_years, terms) * discount_factors(financial_years, terms)
    return np.rint(pence * factors).astype(np.int64)


def full_year_effect(found: Savings) -> Pence:
    """Recurring net saving of the run's last year over a whole year: scaled up by days when the run holds a part."""
    run_days = np.array(found.layout.run_days)
    last = int(np.flatnonzero(run_days)[-1]) if run_days.any() else 0
    scale = found.layout.year_days[last] / max(found.layout.run_days[last], 1)
    whole: Pence = np.rint(found.recurring[..., last] * scale).astype(np.int64)
    return whole


@dataclass(frozen=True, slots=True)
class Payback:
    """When cumulative net saving first stands at nought or above after the scenario began to cost or save."""

    year: int  # position of the financial year, -1 when not within the run
    months: int  # months from the start of the run, interpolated within the year; -1 when not within the run


def payback(cumulative: Pence, layout: Layout) -> Payback:
    """Payback of one path of cumulative net saving, [financial year].

    A scenario that never has to spend first pays back in the first year that it saves in.
    """
    moved = np.flatnonzero(cumulative != 0)
    if len(moved) == 0:
        return Payback(-1, -1)
    reached = [year for year in range(int(moved[0]), len(cumulative)) if cumulative[year] >= 0]
    if not reached:
        return Payback(-1, -1)
    year = reached[0]
    before = int(cumulative[year - 1]) if year else 0
    rise = int(cumulative[year]) - before
    part = -before / rise if before < 0 < rise else 0.0
    days = sum(layout.run_days[:year]) + part * layout.run_days[year]
    return Payback(year, int(np.ceil(days / DAYS_PER_MONTH - 1e-9)))


@dataclass(frozen=True, slots=True)
class Reserves:
    """Reserves at the end of each financial year, in pence: opening - programme cost paid from reserves so far."""

    balance: Pence  # [financial year]; below nought if that is what the scenario does
    breach: NDArray[np.bool_]  # [financial year]: below the policy minimum
    recurring_paid: Pence  # [financial year]: recurring cost paid from reserves, which cannot last


def reserves(scenario: Money, opening_pence: int, minimum_pence: int) -> Reserves:
    """The path of reserves. A breach is flagged and never clipped."""
    balance = opening_pence - np.cumsum(scenario.programme_total(paid_from="reserves"), axis=-1)
    return Reserves(
        balance=balance,
        breach=balance < minimum_pence,
        recurring_paid=scenario.programme_total(paid_from="reserves", recurring=True),
    )
