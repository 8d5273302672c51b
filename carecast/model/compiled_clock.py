"""Runs one replication on the compiled clock."""

import threading

import numpy as np

from carecast.model import compiled, references, setup
from carecast.model import words as w
from carecast.model.compiled import loop
from carecast.model.event_log import LOG_DTYPES, Log
from carecast.model.setup import Setup, ints
from carecast.model.stage import N_EXITS, Agenda, Cases, Lives, Stage, Writing

EVENTS_PER_CHILD = 9  # a first guess of the log's size; a replication that needs more is told again with room enough
ROWS_AT_A_TIME = 16384  # of the log, put in order together: some 500 KB
DIGIT_BITS = 10
DIGITS = 1 << DIGIT_BITS  # of a radix sort


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
    writing, needed = _written(laid_out)
    log = Log(*(np.empty(needed, dtype) for dtype in LOG_DTYPES))
    order, sorted_once = np.empty(needed, np.int32), np.empty(needed, np.int32)
    in_order(
        writing.whole[:needed], writing.price, laid_out.start_day, order, sorted_once, np.empty(DIGITS, np.int32), log
    )
    return log


def run_as_written(laid_out: Setup) -> Log:
    """Tell one replication, compiled; the log stays where the clock wrote it, and only until the next is told here.

    Returns:
        The event log by day and, within a day, as it was written: each child's events are in order.
    """
    writing, needed = _written(laid_out)
    whole, price = writing.whole[:needed], writing.price[:needed]
    of_stock = int(np.searchsorted(whole[:, 0], laid_out.start_day, side="right"))
    order = np.argsort(whole[:of_stock, 0], kind="stable")  # the stock tells of earlier days, child after child
    whole[:of_stock], price[:of_stock] = whole[order], price[order]
    columns = [*whole.T, price]
    return Log(*columns)


def _written(laid_out: Setup) -> tuple[Writing, int]:
    """Everything written by the clock, and how many rows it is; the rest of the stage, as large as the log, is gone."""
    room = EVENTS_PER_CHILD * len(laid_out.kids.birth_day) + 1000
    writing = tell(laid_out, room, paper=PAPER).writing
    needed = int(writing.count[0])
    if needed > room:
        writing = tell(laid_out, needed, paper=PAPER).writing
    return writing, needed


@loop
def in_order(whole: np.ndarray, price: np.ndarray, start_day: int, order: np.ndarray, sorted_once: np.ndarray,
             counts: np.ndarray, log: Log) -> None:  # fmt: skip
    """The rows in canonical order (day, child, position), column by column.

    The clock writes day after day, but for what it tells of the stock on the first day. So rows are put in order some
    days at a time, few enough that what is sorted stays in the processor's nearest memory at any size of council.
    """
    n = len(whole)
    first = 0
    while first < n:
        last = first + 1
        while last < n and (
            last - first < ROWS_AT_A_TIME or whole[last, 0] <= start_day or whole[last, 0] == whole[last - 1, 0]
        ):
            last += 1
        days = children = 0
        first_day = whole[first, 0]
        for i in range(first, last):
            order[i - first] = i
            first_day = min(first_day, whole[i, 0])
            days = max(days, whole[i, 0])
            children = max(children, whole[i, 1])
        together = order[: last - first]
        by_column(whole, 1, 0, children, together, sorted_once, counts)
        by_column(whole, 0, first_day, days - first_day, together, sorted_once, counts)
        for to in range(first, last):
            i = together[to - first]
            log.day[to] = whole[i, 0]
            log.child[to] = whole[i, 1]
            log.event[to] = whole[i, 2]
            log.locality[to] = whole[i, 3]
            log.provider[to] = whole[i, 4]
            log.detail[to] = whole[i, 5]
            log.shared_with[to] = whole[i, 6]
            log.out_of_area[to] = whole[i, 7]
            log.price_multiplier[to] = price[i]
        first = last


@loop
def by_column(whole: np.ndarray, column: int, least: int, span: int, order: np.ndarray, sorted_once: np.ndarray,
              counts: np.ndarray) -> None:  # fmt: skip
    """Row numbers put in order of one column (``least`` to ``least + span``), ties as they were: a radix sort."""
    shift = 0
    while span >> shift > 0:
        for digit in range(DIGITS):
            counts[digit] = 0
        for i in order:
            counts[((whole[i, column] - least) >> shift) & (DIGITS - 1)] += 1
        before = 0
        for digit in range(DIGITS):
            here = counts[digit]
            counts[digit] = before
            before += here
        for i in order:
            digit = ((whole[i, column] - least) >> shift) & (DIGITS - 1)
            sorted_once[counts[digit]] = i
            counts[digit] += 1
        for at in range(len(order)):
            order[at] = sorted_once[at]
        shift += DIGIT_BITS


def tell(laid_out: Setup, room: int, module: object | None = None, paper: Paper | None = None) -> Stage:
    """Set the stage with ``room`` for events and run it, by the compiled source unless another copy is given."""
    stage, rest = set_stage(laid_out, (paper or Paper()).sheets(room))
    (module or compiled.MODULES["stepper"]).tell(stage, references.buffer(), *rest)  # type: ignore[attr-defined]
    return stage


def set_stage(laid_out: Setup, sheets: tuple[np.ndarray, np.ndarray]) -> tuple[Stage, tuple[np.ndarray, ...]]:
    """The arrays of a replication before its first day, and the stock it opens with."""
    families, kids, stock = laid_out.families, laid_out.kids, laid_out.stock
    n_children, n_families = len(kids.birth_day), len(families.first_child)
    n_cases = n_families + len(stock.state)
    homes, queues, held = setup.opening(laid_out)
    entities = n_cases + n_children

    days = laid_out.hazards.end_day - laid_out.start_day + 2
    agenda = Agenda(ints(days, -1), ints(entities, -1), ints(entities, -1), ints(entities, -1), ints(entities))
    cases = Cases(
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
    lives = Lives(
        case=member_of, state=ints(n_children), care_since=ints(n_children), placed_since=ints(n_children),
        since=ints(n_children), stay=ints(n_children), turn=ints(n_children), followed_up=ints(n_children),
        thresholds=np.full(n_children * N_EXITS, 0.0), left=np.zeros(N_EXITS), price=np.full(n_children, 1.0),
    )  # fmt: skip
    writing = Writing(*sheets, ints(1))
    stage = Stage(
        laid_out.hazards, laid_out.choices, laid_out.places, laid_out.pools, kids, families, homes, queues, agenda, cases,
        lives, writing, laid_out.start_day, n_cases,
    )  # fmt: skip
    return stage, (laid_out.stock_cases, stages, stock.state, stock.since, stock.care_since, laid_out.arrival_order)
