"""The baseline of a parameter set told in memory: no run folder, the same cells as the records are counted in."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from carecast.calibration.arrays import Array
from carecast.calibration.backtest.past import (
    AWAY,
    ENTRIES,
    EXITS,
    FLOWS,
    GROUPS,
    SPEND,
    TOTAL,
    Cell,
    of_group,
    of_type,
)
from carecast.model import pricebook, prices
from carecast.model import words as w
from carecast.model.engine import World, simulate
from carecast.model.parameters import Calibrated
from carecast.model.plan import Plan
from carecast.model.results import Tables, reduce_log
from carecast.model.summary import BASELINE

Watched = Callable[[int, int], None]
# The published cells that a record may hold beside those of ``past``.
PUBLISHED = ("looked_after_in_residential", "looked_after_in_community", "looked_after_at_home")


@dataclass(frozen=True, slots=True)
class Told:
    """Replications of a baseline: ``monthly[cell]`` is [replication, month end], the as-at date's own month first."""

    dates: tuple[dt.date, ...]
    monthly: dict[Cell, Array]
    years: dict[dt.date, Array]  # placement cost in pounds of whole financial years, by their 31 March: [replication]

    def at(self, cell: Cell, date: dt.date) -> Array | None:
        """Every replication's value at a date: a stock as it stands, a flow summed since the as-at date."""
        if cell == SPEND:
            return self.years.get(date)
        if date not in self.dates or cell not in self.monthly:
            return None
        last = self.dates.index(date)
        series = self.monthly[cell]
        found: Array = series[:, 1 : last + 1].sum(axis=1) if cell in FLOWS else series[:, last]
        return found


def tell(calibrated: Calibrated, until: dt.date, replications: int, seed: int, watched: Watched | None = None) -> Told:
    """Tell the baseline (nothing new is decided) to ``until``.

    Raises:
        BadFile: stock and parameter set do not fit together.
    """
    parameters = calibrated.parameters
    plan = Plan(BASELINE)
    world = World(calibrated, plan, until, seed)
    lines = pricebook.money_lines(parameters, [plan])
    book = pricebook.price_book(parameters, plan, world.providers, world.calendar, calibrated.draws, lines)
    priced = [at for at, line in enumerate(lines) if is_placement_line(line)]
    monthly: list[dict[Cell, Array]] = []
    cost = []
    for replication in range(replications):
        told = simulate(world, replication)
        tables = reduce_log(
            told.log, told.children, world.calendar, world.providers, world.locality_names, (), world.radius_miles
        )
        monthly.append(cells(tables))
        money = prices.price_replication(book, tables, replication, seed=seed)
        cost.append(money.gross[:, priced].sum(axis=1) / 100.0)
        if watched:
            watched(replication + 1, replications)
    ends = world.calendar.financial_year_ends
    spent = np.array(cost)
    return Told(
        tuple(world.calendar.month_end_dates),
        {cell: np.stack([one[cell] for one in monthly]) for cell in monthly[0]},
        {ends[year]: spent[:, year] for year in book.layout.whole_years},
    )


def is_placement_line(line: str) -> bool:
    """Whether a line of spend is the placements of children looked after, own homes' fixed cost included."""
    return line in w.PLACEMENT_TYPES or line in {pricebook.fixed_line(name) for name in w.PLACEMENT_TYPES}


def cells(tables: Tables) -> dict[Cell, Array]:
    """One replication's months by cell."""
    by_row = {row: tables.monthly[at] for at, row in enumerate(tables.rows)}
    out = {cell: by_row[cell] for cell in (TOTAL, AWAY, ENTRIES, EXITS)}
    out |= {(name, "total"): by_row[name, "total"] for name in PUBLISHED}
    out |= {of_type(name): by_row[of_type(name)] for name in w.PLACEMENT_TYPES}
    out |= {of_group(name): np.sum([out[of_type(t)] for t in members], axis=0) for name, members in GROUPS.items()}
    return out
