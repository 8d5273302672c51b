"""Replications: every scenario of a run told, reduced and priced, block by block.

Replication i uses draw row i, whoever tells it and in whatever order; blocks have a fixed size, so what is written does not
depend on the number of workers.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carecast.model import pricebook, prices
from carecast.model.engine import Clock, Told, World, simulate
from carecast.model.event_log import Log, to_frame
from carecast.model.money import Money, stack
from carecast.model.parameters import Calibrated
from carecast.model.plan import Plan
from carecast.model.results import Reducer, Tables, measure_rows
from carecast.model.setup import Stock
from carecast.scenarios.quantities import Quantities, stacked

BLOCK = 25  # replications written together


@dataclass(frozen=True)
class Job:
    """What is told: one parameter set under several plans, the baseline's first."""

    calibrated: Calibrated
    plans: tuple[Plan, ...]
    until: dt.date
    seed: int
    clock: Clock = "compiled"
    radius_miles: float | None = None
    events: bool = False  # keep the event logs of simulated entrants


@dataclass(frozen=True)
class Searches:
    """Placements and waits of a block of replications, summed: the gap report's material."""

    placements_made: np.ndarray  # [financial year, locality, age band, wanted type, got type]
    placed_beyond_radius: np.ndarray  # same shape
    days_placed: np.ndarray  # same shape; of placements begun in the run
    days_beyond_radius: np.ndarray  # same shape
    early_help_waits: np.ndarray  # [financial year, locality, age band, ledger.WAITS]
    type_days: np.ndarray  # [financial year, placement type]; days of all children looked after


@dataclass(frozen=True)
class BlockOf:
    """One scenario's part of a block."""

    monthly: np.ndarray  # [replication, row, month]
    money: Money  # stacked
    searches: Searches
    quantities: Quantities  # stacked: what other prices need
    events: pd.DataFrame | None = None  # of simulated entrants, in words, when asked


class Teller:
    """The worlds and price books of a job, built once."""

    def __init__(self, job: Job, stocks: dict[int, Stock] | None = None) -> None:
        """Lay out every scenario.

        Args:
            job: what is told.
            stocks: the stock as another teller on the same parameter set has read it.

        Raises:
            BadFile: a plan does not fit the parameter set.
        """
        self.job = job
        parameters = job.calibrated.parameters
        stocks = {} if stocks is None else stocks
        self.worlds = [World(job.calibrated, plan, job.until, job.seed, job.radius_miles, stocks) for plan in job.plans]
        self.calendar = self.worlds[0].calendar
        self.lines = pricebook.money_lines(parameters, job.plans)
        self.books = [
            pricebook.price_book(parameters, plan, world.providers, self.calendar, job.calibrated.draws, self.lines)
            for plan, world in zip(job.plans, self.worlds, strict=True)
        ]
        self.rows = measure_rows(self.worlds[0].locality_names)
        self.reducers = [
            Reducer(
                world.calendar, world.providers, world.locality_names, book.programme.counted_events, world.radius_miles
            )
            for world, book in zip(self.worlds, self.books, strict=True)
        ]  # fmt: skip

    def tables(self, scenario: int, replication: int) -> Tables:
        """One replication of one scenario, told and reduced."""
        return self._reduced(scenario, self._told(scenario, replication))

    def _told(self, scenario: int, replication: int) -> Told:
        return simulate(self.worlds[scenario], replication, self.job.clock, in_order=self.job.events)

    def _reduced(self, scenario: int, told: Told) -> Tables:
        return self.reducers[scenario].tables(told.log, told.children)

    def block(self, replications: Sequence[int]) -> list[BlockOf]:
        """A block of replications of every scenario; the scenarios of one replication share the baseline's staff."""
        monthly: list[list[np.ndarray]] = [[] for _ in self.worlds]
        money: list[list[Money]] = [[] for _ in self.worlds]
        found: list[list[Tables]] = [[] for _ in self.worlds]
        events: list[list[pd.DataFrame]] = [[] for _ in self.worlds]
        for replication in replications:
            staff_units = None
            for scenario, book in enumerate(self.books):
                told = self._told(scenario, replication)
                tables = self._reduced(scenario, told)
                priced = prices.price_replication(
                    book, tables, replication, seed=self.job.seed, staff_units=staff_units
                )
                if scenario == 0:
                    staff_units = tables.service_units
                monthly[scenario].append(tables.monthly)
                money[scenario].append(priced)
                found[scenario].append(tables)
                if self.job.events:
                    events[scenario].append(entrants_events(told, self.worlds[scenario], replication))
        return [
            BlockOf(
                np.stack(monthly[at]), stack(money[at]), _sum_searches(found[at]), stacked(found[at]),
                pd.concat(events[at], ignore_index=True) if self.job.events else None,
            )
            for at in range(len(self.worlds))
        ]  # fmt: skip


def entrants_events(told: Told, world: World, replication: int) -> pd.DataFrame:
    """Events of one replication's simulated entrants in words; nothing of a child of the stock, not even its number.

    Entrants are counted from 0, as `carecast journey --child` counts them. ``shared_with`` is empty where the home is
    that of a child of the stock.
    """
    is_entrant = told.children.is_stock == 0
    number = np.where(is_entrant, np.cumsum(is_entrant) - 1, -1)
    kept = is_entrant[told.log.child]
    log = Log(*(column[kept] for column in told.log))
    frame = to_frame(log, world.locality_names, [provider.code for provider in world.providers])
    shared = number[np.maximum(log.shared_with, 0)]
    hidden = frame["shared_with"].isna() | (shared < 0)
    return frame.assign(
        child=number[log.child].astype(np.int32),
        event=frame["event"].astype(object),
        shared_with=pd.Series(shared.astype(np.int32), index=frame.index, dtype="Int32").mask(hidden),
    ).assign(replication=np.int32(replication))[["replication", *frame.columns]]


def _sum_searches(found: Sequence[Tables]) -> Searches:
    return Searches(
        placements_made=sum_of(tables.placements_made for tables in found),
        placed_beyond_radius=sum_of(tables.placed_beyond_radius for tables in found),
        days_placed=sum_of(tables.days_placed for tables in found),
        days_beyond_radius=sum_of(tables.days_beyond_radius for tables in found),
        early_help_waits=sum_of(tables.early_help_waits for tables in found),
        type_days=sum_of(tables.type_days for tables in found),
    )


def sum_of(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """Sum of equally shaped arrays."""
    parts = list(arrays)
    total: np.ndarray = np.sum(parts, axis=0, dtype=parts[0].dtype)
    return total


# --- several processes ---------------------------------------------------------------------------------------------------
_TELLERS: dict[str, Teller] = {}


def tell_block(key: str, job: Job, replications: Sequence[int]) -> list[BlockOf]:
    """A block in a worker process, which keeps the worlds of the last job it saw."""
    if key not in _TELLERS:
        _TELLERS.clear()
        _TELLERS[key] = Teller(job)
    return _TELLERS[key].block(replications)
