"""The money of replications: whole pence by financial year, and what each column stands for.

Arrays end in the axes named beside them; a leading replication axis may stand before (``stack``), and every sum here
works on both. Whole pence (int64) make every identity between savings exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carecast.model import words as w

Pence = NDArray[np.int64]
N_FUNDERS = len(w.FUNDERS)
SOCIAL_WORK = w.FUNDERS.index("social_work")


@dataclass(frozen=True, slots=True)
class ProgrammeItem:
    """One cost of a lever: what it is called, who pays it, from where, and whether it comes back every year."""

    lever: str
    label: str
    paid_from: str  # base_budget or reserves
    recurring: bool
    category: str  # capital, programme or double_running
    funder: str


@dataclass(frozen=True, slots=True)
class Layout:
    """What the axes of a ``Money`` stand for. All scenarios of a run share years and lines; each has its own items."""

    financial_years: tuple[str, ...]
    run_days: tuple[int, ...]  # days of each financial year that the run simulates (0 when it only holds the start)
    year_days: tuple[int, ...]  # 365 or 366
    lines: tuple[str, ...]
    items: tuple[ProgrammeItem, ...] = ()

    @property
    def whole_years(self) -> tuple[int, ...]:
        """Positions of the financial years the run holds from 1 April to 31 March."""
        return tuple(y for y, days in enumerate(self.run_days) if days == self.year_days[y])


@dataclass(frozen=True, slots=True)
class Money:
    """What one replication, or a stack of them, cost in pence."""

    layout: Layout
    gross: Pence  # [financial year, line]: what is paid, whoever pays it; programme costs are not among the lines
    value: Pence  # [financial year, line]: the days and cases used, at their full unit cost
    by_funder: Pence  # [financial year, line, funder]: gross, by who pays; sums to gross
    programme: Pence  # [financial year, item]

    @property
    def income(self) -> Pence:
        """[financial year, line]: what funders other than social work contribute to the gross cost."""
        return self.gross - self.by_funder[..., SOCIAL_WORK]

    @property
    def idle(self) -> Pence:
        """[financial year, line]: paid for but not used, gross - value; an own bed or staff time that stands free."""
        return self.gross - self.value

    def programme_total(self, *, paid_from: str | None = None, recurring: bool | None = None) -> Pence:
        """[financial year]: programme cost, all of it or the part paid from one place, or recurring, or one-off."""
        kept = [
            i
            for i, item in enumerate(self.layout.items)
            if paid_from in (None, item.paid_from) and recurring in (None, item.recurring)
        ]
        total: Pence = self.programme[..., kept].sum(axis=-1)
        return total

    @property
    def net_by_funder(self) -> Pence:
        """[financial year, funder]: lines and programme cost by who pays; the sum over funders is the net cost.

        Net cost (all funders) = gross cost + programme cost, so that moving a cost from one funder to another changes
        two columns and not the sum. The council's own net cost, gross - income + programme, is the column social_work.
        """
        total: Pence = self.by_funder.sum(axis=-2)
        for i, item in enumerate(self.layout.items):
            total[..., w.FUNDERS.index(item.funder)] += self.programme[..., i]
        return total


def stack(replications: Sequence[Money]) -> Money:
    """Put the replications of one scenario in front of each other: every array gains a first axis."""
    first = replications[0]
    if any(money.layout != first.layout for money in replications):
        raise ValueError("replications of different layouts (years, lines, programme items) cannot be stacked")
    return Money(
        layout=first.layout,
        gross=np.stack([money.gross for money in replications]),
        value=np.stack([money.value for money in replications]),
        by_funder=np.stack([money.by_funder for money in replications]),
        programme=np.stack([money.programme for money in replications]),
    )


def whole_pence(pounds: NDArray[np.float64]) -> Pence:
    """Pounds to the nearest whole penny."""
    return np.rint(pounds * 100.0).astype(np.int64)
