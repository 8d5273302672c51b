"""Runs one replication on the compiled clock."""

import threading

import numpy as np

from carecast.model import compiled, references, setup, stepper
from carecast.model import words as w
from carecast.model.event_log import LOG_DTYPES, Log
from carecast.model.loops import loop
from carecast.model.setup import Setup, ints

EVENTS_PER_CHILD = 9  # a first guess of the log's size; a replication that needs more is told again with room enough


class Paper(threading.local):
    """What logs are written on before they are put in order, kept for the next replication: new memory costs more."""

    def __init__(self) -> None:
        """None yet."""
        self.whole, self.price = np.empty((0, 8), dtype=np.int32), np.empty(0)

    def sheets(self, room: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and prices of so many events."""
        if len(self.price) < room:
            self.whole, self.price = np.empty((room, 8), dtype=np.int32), np.empty(room)
        return self.whole[:room], self.price[:room]


PAPER = Paper()


def run(laid_out: Setup) -> Log:
    """Tell one replication, compiled.

    Returns:
        The event log by day, child and position.
    """
    room = EVENTS_PER_CHILD * len(laid_out.kids.birth_day) + 1000
    writing = tell(laid_out, room, paper=PAPER).writing  # the rest of the stage goes at once: it is as large as the log
    needed = int(writing.count[0])
    if needed > room:
        writing = tell(laid_out, needed, paper=PAPER).writing
    log = Log(*(np.empty(needed, dtype) for dtype in LOG_DTYPES))
    if needed:
        whole = writing.whole[:needed]
        first, last = span(whole)
        rows_of_child = np.full(len(laid_out.kids.birth_day) + 1, 0, np.int32)
        rows_of_day = np.zeros(last - first + 2, np.int32)
        by_child, order = np.empty(needed, np.int32), np.empty(needed, np.int32)
        in_order(whole, writing.price, first, rows_of_child, rows_of_day, by_child, order, log)
    return log


@loop
def span(whole: np.ndarray) -> tuple[int, int]:
    """First and last day of a log; the stock's placements began before the run."""
    first = last = whole[0, 0]
    for i in range(len(whole)):
        first = min(first, whole[i, 0])
        last = max(last, whole[i, 0])
    return first, last


@loop
def in_order(whole: np.ndarray, price: np.ndarray, first_day: int, rows_of_child: np.ndarray, rows_of_day: np.ndarray,
             by_child: np.ndarray, order: np.ndarray, log: Log) -> None:  # fmt: skip
    """The rows in canonical order (day, child, position), column by column: two counting sorts, by child, then by day.

    But for the stock's placements the clock writes day after day, so the last pass reads within one day's rows and
    writes one after another.
    """
    n = len(order)
    for i in range(n):
        day = whole[i, 0] - first_day
        log.day[i] = day
        rows_of_child[whole[i, 1] + 1] += 1
        rows_of_day[day + 1] += 1
    for child in range(len(rows_of_child) - 1):
        rows_of_child[child + 1] += rows_of_child[child]
    for day in range(len(rows_of_day) - 1):
        rows_of_day[day + 1] += rows_of_day[day]
    for i in range(n):
        child = whole[i, 1]
        by_child[rows_of_child[child]] = i
        rows_of_child[child] += 1
    for at in range(n):
        i = by_child[at]
        day = log.day[i]
        order[rows_of_day[day]] = i
        rows_of_day[day] += 1
    for to in range(n):
        i = order[to]
        log.day[to] = whole[i, 0]
        log.child[to] = whole[i, 1]
        log.event[to] = whole[i, 2]
        log.locality[to] = whole[i, 3]
        log.provider[to] = whole[i, 4]
        log.detail[to] = whole[i, 5]
        log.shared_with[to] = whole[i, 6]
        log.out_of_area[to] = whole[i, 7]
        log.price_multiplier[to] = price[i]


def tell(laid_out: Setup, room: int, module: object | None = None, paper: Paper | None = None) -> stepper.Stage:
    """Set the stage with ``room`` for events and run it, by the compiled source unless another copy is given."""
    stage, rest = set_stage(laid_out, (paper or Paper()).sheets(room))
    (module or compiled.MODULES["stepper"]).tell(stage, references.buffer(), *rest)  # type: ignore[attr-defined]
    return stage


def set_stage(laid_out: Setup, sheets: tuple[np.ndarray, np.ndarray]) -> tuple[stepper.Stage, tuple[np.ndarray, ...]]:
    """The arrays of a replication before its first day, and the stock it opens with."""
    families, kids, stock = laid_out.families, laid_out.kids, laid_out.stock
    n_children, n_families = len(kids.birth_day), len(families.first_child)
    n_cases = n_families + len(stock.state)
    homes, queues, held = setup.opening(laid_out)
    entities = n_cases + n_children

    days = laid_out.hazards.end_day - laid_out.start_day + 2
    agenda = stepper.Agenda(ints(days, -1), ints(entities, -1), ints(entities, -1), ints(entities, -1), ints(entities))
    cases = stepper.Cases(
        first=ints(n_cases), size=ints(n_cases), birth_day=ints(n_cases), state=ints(n_cases), spell=ints(n_cases),
        diverted=ints(n_cases), referred_day=ints(n_cases, -w.NEVER), pool=held, key_1=ints(n_cases), key_2=ints(n_cases),
    )  # fmt: skip
    cases.first[:n_families] = families.first_child
    cases.size[:n_families] = families.n_children
    cases.birth_day[:n_families] = kids.birth_day[families.first_child]
    cases.key_1[:n_families] = families.key_1
    cases.key_2[:n_families] = families.key_2
    member_of = kids.family.copy()
    n_stock = len(stock.state)
    member_of[:n_stock] = -1
    number, first, size, since, state = laid_out.stock_cases.T
    family = stock.family[first]
    cases.first[number], cases.size[number] = first, size
    cases.birth_day[number] = kids.birth_day[first]
    cases.key_1[number], cases.key_2[number] = families.key_1[family], families.key_2[family]
    cases.spell[number] = setup.STOCK_SPELL * (number != family)
    was_referred = np.isin(state, setup.REFERRED_STATES)
    cases.referred_day[number[was_referred]] = since[was_referred]
    member_of[setup.members(laid_out.stock_cases)] = np.repeat(number, size)
    stages = setup.STAGE_OF_STATE_ARRAY[state]
    n_exits = stepper.N_EXITS
    lives = stepper.Lives(
        case=member_of, state=ints(n_children), care_since=ints(n_children), placed_since=ints(n_children),
        since=ints(n_children), stay=ints(n_children), turn=ints(n_children), followed_up=ints(n_children),
        thresholds=np.full(n_children * n_exits, 0.0), left=np.zeros(n_exits), price=np.full(n_children, 1.0),
    )  # fmt: skip
    writing = stepper.Writing(*sheets, ints(1))
    stage = stepper.Stage(
        laid_out.hazards, laid_out.choices, laid_out.places, laid_out.pools, kids, families, homes, queues, agenda, cases,
        lives, writing, laid_out.start_day, n_cases,
    )  # fmt: skip
    return stage, (laid_out.stock_cases, stages, stock.state, stock.since, stock.care_since, laid_out.arrival_order)
