"""Savings by lever: what each lever adds when levers come one after another, averaged over orders (Shapley).

In every replication the levers of a scenario are put in force one by one in a sampled order, and each is credited with
what it adds; then once more in the reverse order (antithetic), and the orders are averaged; with few levers over all orders
there are. Every order starts at the baseline and ends at the whole scenario, so the parts add up to the scenario's saving
in every replication, year, line and funder, to the penny: what averaging leaves of a penny goes to the levers with the
largest remainder. Worlds are paired: a coalition of levers is told on the same draws as the run.

    part(lever) = mean over orders of [v(it and those before it) - v(those before it)]

``v`` is any saving of ``savings.py``. Interaction is v(all together) less the sum of v(each alone): below nought where
levers do the same thing twice. A lever of prices, funding or plain cost changes no child's story, so a coalition that
differs only in such levers is priced anew from the same tables.

Source: Shapley 1953; sampled orders after Castro, Gomez and Tejada 2009; reversed pairs after Mitchell et al. 2022.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carecast.model import pricebook, prices
from carecast.model import words as w
from carecast.model.money import SOCIAL_WORK, Layout, Money, Pence
from carecast.model.parameters import BadFile, Calibrated
from carecast.model.plan import Change, MoveFunding, Plan, ProgrammeCost, ScalePrice
from carecast.model.prices import PriceBook
from carecast.model.programme import COUNTED_BASES
from carecast.model.results import Tables
from carecast.model.summary import BASELINE
from carecast.scenarios.apply import apply
from carecast.scenarios.library import inherited, load_scenario
from carecast.scenarios.replicate import Job, Teller
from carecast.scenarios.run import Run
from carecast.scenarios.savings import Savings, savings
from carecast.scenarios.workers import started_without_ctrl_c

Progress = Callable[[int, int], None]
Coalition = frozenset[int]  # players in force
ORDER_SETS = 16
EVERY_ORDER = 4  # up to so many levers all orders are taken
AT_ONCE = 5  # replications that a worker is given at a time
FUNDERS = [at for at in range(len(w.FUNDERS)) if at != SOCIAL_WORK]


@dataclass(frozen=True)
class Player:
    """One lever or assumption of a scenario beyond the baseline's."""

    identity: str
    name: str
    is_assumption: bool
    changes_children: bool  # otherwise prices, funding or plain cost alone: no new replication


@dataclass(frozen=True)
class Game:
    """What the coalitions of a scenario are told on."""

    calibrated: Calibrated
    job: Job  # of the scenario alone
    common: tuple[Change, ...]  # the baseline's own changes
    own: tuple[tuple[Change, ...], ...]  # [player]
    players: tuple[Player, ...]
    lines: tuple[str, ...]
    budget: Pence  # [financial year, line]

    def plan(self, coalition: Coalition) -> Plan:
        """The plan of a coalition, changes in the order of the scenario."""
        kept = [change for at in sorted(coalition) for change in self.own[at]]
        return Plan("coalition", (*self.common, *kept))


@dataclass(frozen=True)
class Waterfall:
    """Savings of a scenario by lever. Each ``Savings`` has axes [replication, financial year, ...]."""

    scenario: str
    players: tuple[Player, ...]
    parts: tuple[Savings, ...]  # [player]; they add up to ``total``
    alone: tuple[Savings, ...]  # [player]: each by itself
    total: Savings
    orders: int  # a replication
    is_every_order: bool
    told: int  # coalitions told
    priced: int  # coalitions that needed no telling

    def interaction(self, measure: Callable[[Savings], Pence]) -> Pence:
        """All together less the sum of each alone, of one measure."""
        together: Pence = measure(self.total).copy()
        for one in self.alone:
            together -= measure(one)
        return together


# --- the game -------------------------------------------------------------------------------------
def game_of(run: Run, scenario: str, calibrated: Calibrated) -> Game:
    """The levers of a run's scenario as players.

    Raises:
        BadFile: the run holds no such scenario, or it has nothing beyond the baseline.
    """
    run.answer(scenario)
    if scenario == BASELINE:
        raise BadFile("--scenario: the baseline saves nothing against itself; name another scenario of the run")
    until = run.calendar.until
    files = run.folder / "inputs"
    plans = [
        apply(calibrated.parameters, load_scenario(files / f"{name}.toml"), until) for name in run.record["scenarios"]
    ]
    found = load_scenario(files / f"{scenario}.toml")
    base = {identity for identity, _ in inherited(load_scenario(files / f"{BASELINE}.toml"))}
    plan = apply(calibrated.parameters, found, until)
    own, players = [], []
    for identity, lever in inherited(found):
        changes = tuple(change for change in plan.changes if change.lever == identity)
        if identity not in base and changes:
            own.append(changes)
            name = lever.name or lever.row.label
            players.append(Player(identity, name, lever.row.is_assumption, not all(map(_is_price, changes))))
    if not players:
        raise BadFile(f"{scenario}: has no lever that acts before the run ends, so there is nothing to take apart")
    record = run.record
    job = Job(calibrated, (plan,), until, int(record["seed"]), radius_miles=float(record["radius_miles"]))
    common = tuple(change for change in plan.changes if change.lever in base)
    lines = pricebook.money_lines(calibrated.parameters, plans)
    return Game(calibrated, job, common, tuple(own), tuple(players), lines, run.budget.pence)


def _is_price(change: Change) -> bool:
    """Whether a change acts on prices alone and needs no event of a child."""
    if isinstance(change, ProgrammeCost):
        return change.basis not in COUNTED_BASES
    return isinstance(change, ScalePrice | MoveFunding)


def orders_of(players: int, seed: int, replication: int, permutations: int) -> list[tuple[int, ...]]:
    """The orders of one replication, each followed by its reverse: a pure function of seed and replication.

    They come round again after ``ORDER_SETS`` replications, so that worlds laid out for a coalition serve several.
    """
    if players <= EVERY_ORDER:
        return list(itertools.permutations(range(players)))
    random = np.random.default_rng([seed, replication % ORDER_SETS])
    found = []
    for _ in range(permutations // 2):
        order = tuple(int(at) for at in random.permutation(players))
        found += [order, order[::-1]]
    return found


# --- telling coalitions ---------------------------------------------------------------------------
class Coalitions:
    """Tells and prices coalitions in one process; each story once a replication."""

    def __init__(self, game: Game) -> None:
        """Worlds and price books are laid out when first asked for."""
        self.game = game
        self.story = frozenset(at for at, player in enumerate(game.players) if player.changes_children)
        self.tellers: dict[Coalition, Teller] = {}
        self.books: dict[Coalition, PriceBook] = {}
        self.told = self.priced = 0

    def of(self, replication: int, permutations: int) -> "OfReplication":
        """Marginals of one replication, summed over its orders, and each player alone."""
        n = len(self.game.players)
        orders = orders_of(n, self.game.job.seed, replication, permutations)
        tables: dict[Coalition, Tables] = {}
        values: dict[Coalition, Savings] = {}
        base = self._money(frozenset(), replication, tables, None)
        staff = tables[frozenset()].service_units

        def value(coalition: Coalition) -> Savings:
            if coalition not in values:
                money = self._money(coalition, replication, tables, staff if coalition else None)
                values[coalition] = savings(base, money, self.game.budget)
            return values[coalition]

        sums = [np.zeros_like(_leaves(value(frozenset()))) for _ in range(n)]
        for order in orders:
            before: Coalition = frozenset()
            for at in order:
                after = before | {at}
                sums[at] += _leaves(value(after)) - _leaves(value(before))
                before = after
        alone = [_leaves(value(frozenset({at}))) for at in range(n)]
        total = _leaves(value(frozenset(range(n))))
        self.told += len(tables)
        self.priced += len(values) - len(tables)
        return OfReplication(np.stack(sums), np.stack(alone), total, len(orders), self.told, self.priced)

    def _money(self, coalition: Coalition, replication: int, tables: dict[Coalition, Tables],
               staff: NDArray[np.int64] | None) -> Money:  # fmt: skip
        story = coalition & self.story
        if story not in tables:
            tables[story] = self._teller(story).tables(0, replication)
        book = self._book(coalition)
        return prices.price_replication(book, tables[story], replication, seed=self.game.job.seed, staff_units=staff)

    def _teller(self, story: Coalition) -> Teller:
        if story not in self.tellers:
            job = self.game.job
            stocks = next(iter(self.tellers.values())).worlds[0].stocks if self.tellers else None
            plan = (self.game.plan(story),)
            teller = Teller(Job(job.calibrated, plan, job.until, job.seed, job.clock, job.radius_miles))
            if stocks is not None:
                teller.worlds[0].stocks = stocks
            self.tellers[story] = teller
        return self.tellers[story]

    def _book(self, coalition: Coalition) -> PriceBook:
        if coalition not in self.books:
            teller = self._teller(coalition & self.story)
            calibrated = self.game.calibrated
            if coalition <= self.story and teller.lines == self.game.lines:
                return teller.books[0]
            self.books[coalition] = pricebook.price_book(
                calibrated.parameters, self.game.plan(coalition), teller.worlds[0].providers, teller.calendar,
                calibrated.draws, self.game.lines,
            )  # fmt: skip
        return self.books[coalition]


@dataclass(frozen=True)
class OfReplication:
    """One replication, in the leaves of ``_leaves``."""

    sums: Pence  # [player, leaf]: over all orders
    alone: Pence  # [player, leaf]
    total: Pence  # [leaf]
    orders: int
    told: int  # by the process, so far
    priced: int


def _leaves(found: Savings) -> Pence:
    """The smallest parts of a saving in one row: cashable, avoided, released; programme; other funders."""
    parts = (found.cashable, found.avoided, found.released, found.one_off, found.programme - found.one_off,
             found.by_funder[..., FUNDERS])  # fmt: skip
    return np.concatenate([part.ravel() for part in parts])


def _from_leaves(leaves: Pence, layout: Layout) -> Savings:
    """The saving whose parts stand in rows, [replication, leaf]; everything else is the sum of these."""
    years, lines, n = len(layout.financial_years), len(layout.lines), len(leaves)
    widths = [years * lines] * 3 + [years, years, years * len(FUNDERS)]
    parts = np.split(leaves, np.cumsum(widths)[:-1], axis=1)
    cashable, avoided, released = (part.reshape(n, years, lines) for part in parts[:3])
    one_off, recurring, others = parts[3], parts[4], parts[5].reshape(n, years, len(FUNDERS))
    by_funder = np.zeros((n, years, len(w.FUNDERS)), dtype=np.int64)
    by_funder[..., FUNDERS] = others
    found = Savings(
        layout=layout, gross=cashable + avoided + released, cashable=cashable, avoided=avoided, released=released,
        programme=one_off + recurring, one_off=one_off, by_funder=by_funder,
    )  # fmt: skip
    by_funder[..., SOCIAL_WORK] = found.net - others.sum(axis=-1)
    return found


def averaged(sums: Pence, orders: int) -> Pence:
    """Whole pence of [player, leaf] sums over orders; they add up to the total, largest remainders first.

    The sums over players are ``orders`` times the total, so what the floors leave is a whole number of pence.
    """
    whole, rest = np.divmod(sums, orders)
    left = rest.sum(axis=0) // orders
    order = np.argsort(-rest, axis=0, kind="stable")
    rank = np.argsort(order, axis=0, kind="stable")
    found: Pence = whole + (rank < left)
    return found


# --- all replications -----------------------------------------------------------------------------
def waterfall(run: Run, scenario: str, calibrated: Calibrated, *, permutations: int = 2, replications: int = 200,
              workers: int = 1, progress: Progress | None = None) -> Waterfall:  # fmt: skip
    """Take a scenario of a run apart by lever, on the run's own first replications.

    Raises:
        BadFile: as ``game_of``; ``permutations`` is odd; or the parameter set tells another story than the run holds.
    """
    if permutations < 2 or permutations % 2:
        raise BadFile(
            f"--permutations: found {permutations}; should be an even number, since each comes with its reverse"
        )
    game = game_of(run, scenario, calibrated)
    count = min(replications, int(run.record["replications"]))
    found = []
    for one in _each(game, range(count), permutations, workers):
        found.append(one)
        if progress:
            progress(len(found), count)
    layout = run.money[BASELINE].layout
    total = _from_leaves(np.stack([one.total for one in found]), layout)
    _same_as_run(run, scenario, total)
    parts = np.stack([averaged(one.sums, one.orders) for one in found])
    alone = np.stack([one.alone for one in found])
    n = len(game.players)
    return Waterfall(
        scenario, game.players,
        tuple(_from_leaves(parts[:, at], layout) for at in range(n)),
        tuple(_from_leaves(alone[:, at], layout) for at in range(n)),
        total, found[0].orders, n <= EVERY_ORDER, sum(one.told for one in found), sum(one.priced for one in found),
    )  # fmt: skip


def _same_as_run(run: Run, scenario: str, total: Savings) -> None:
    n = len(total.net)
    kept = savings(run.money[BASELINE], run.money[scenario], run.budget.pence)
    if not np.array_equal(kept.gross[:n], total.gross) or not np.array_equal(kept.net[:n], total.net):
        raise BadFile(
            f"{run.folder}: the parameter set tells another story than the run holds (made by another version of carecast); "
            "tell the run again"
        )


class _Given:
    """The game as worker processes are given it, once; equal only to itself."""

    def __init__(self, game: Game) -> None:
        self.game = game


_OWN: list[Coalitions] = []  # in a worker process


def _take(given: _Given) -> None:
    _OWN[:] = [Coalitions(given.game)]


def _tell_own(replications: Sequence[int], permutations: int) -> list[OfReplication]:
    return _told_by(_OWN[0], replications, permutations)


def _told_by(coalitions: Coalitions, replications: Sequence[int], permutations: int) -> list[OfReplication]:
    found = []
    for replication in replications:
        coalitions.told = coalitions.priced = 0
        found.append(coalitions.of(replication, permutations))
    return found


def _each(game: Game, replications: Sequence[int], permutations: int, workers: int) -> Iterator[OfReplication]:
    if workers <= 1 or len(replications) <= AT_ONCE:
        coalitions = Coalitions(game)
        for replication in replications:
            yield from _told_by(coalitions, [replication], permutations)
        return
    from joblib import Parallel, delayed

    blocks = [replications[at : at + AT_ONCE] for at in range(0, len(replications), AT_ONCE)]
    parallel = Parallel(n_jobs=workers, return_as="generator", pre_dispatch="2*n_jobs", max_nbytes=None,
                        initializer=_take, initargs=(_Given(game),))  # fmt: skip
    with started_without_ctrl_c():
        told = parallel(delayed(_tell_own)(block, permutations) for block in blocks)
    with closing(told):
        for block in told:
            yield from block


def monte_carlo(values: Pence) -> float:
    """Standard error of the mean over replications, in pence; nought for one replication."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0
