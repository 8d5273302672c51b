"""Runs one replication on the compiled clock."""

import numpy as np

from carecast.model import compiled, references, setup, stepper
from carecast.model import words as w
from carecast.model.event_log import LOG_DTYPES, Log
from carecast.model.loops import loop
from carecast.model.setup import Setup

EVENTS_PER_CHILD = 9  # a first guess of the log's size; a replication that needs more is told again with room enough


def run(laid_out: Setup) -> Log:
    """Tell one replication, compiled.

    Returns:
        The event log, in the order it was written.
    """
    room = EVENTS_PER_CHILD * len(laid_out.kids.birth_day) + 1000
    writing = tell(laid_out, room).writing  # the rest of the stage goes at once: it is as large as the log
    needed = int(writing.count[0])
    if needed > room:
        writing = tell(laid_out, needed).writing
    log = Log(*(np.empty(needed, dtype) for dtype in LOG_DTYPES))
    if needed:
        whole = writing.whole[:needed]
        first, last = int(whole[:, 0].min()), int(whole[:, 0].max())
        rows_of_child = np.zeros(len(laid_out.kids.birth_day) + 1, np.int64)
        rows_of_day = np.zeros(last - first + 2, np.int64)
        in_order(whole, writing.price, first, rows_of_child, rows_of_day, np.empty(needed, np.int32), log)
    return log


@loop
def in_order(whole: np.ndarray, price: np.ndarray, first_day: int, rows_of_child: np.ndarray, rows_of_day: np.ndarray,
             order: np.ndarray, log: Log) -> None:  # fmt: skip
    """The rows in canonical order (day, child, position), column by column: two counting sorts, by child, then by day."""
    n = len(order)
    for i in range(n):
        rows_of_child[whole[i, 1] + 1] += 1
        rows_of_day[whole[i, 0] - first_day + 1] += 1
    for child in range(len(rows_of_child) - 1):
        rows_of_child[child + 1] += rows_of_child[child]
    for day in range(len(rows_of_day) - 1):
        rows_of_day[day + 1] += rows_of_day[day]
    for i in range(n):
        child = whole[i, 1]
        order[rows_of_child[child]] = i
        rows_of_child[child] += 1
    for at in range(n):
        i = order[at]
        day = whole[i, 0] - first_day
        to = rows_of_day[day]
        rows_of_day[day] = to + 1
        log.day[to] = whole[i, 0]
        log.child[to] = whole[i, 1]
        log.event[to] = whole[i, 2]
        log.locality[to] = whole[i, 3]
        log.provider[to] = whole[i, 4]
        log.detail[to] = whole[i, 5]
        log.shared_with[to] = whole[i, 6]
        log.out_of_area[to] = whole[i, 7]
        log.price_multiplier[to] = price[i]


def tell(laid_out: Setup, room: int, module: object | None = None) -> stepper.Stage:
    """Set the stage with ``room`` for events and run it, by the compiled source unless another copy is given."""
    stage, rest = set_stage(laid_out, room)
    (module or compiled.MODULES["stepper"]).tell(stage, references.buffer(), *rest)  # type: ignore[attr-defined]
    return stage


def set_stage(laid_out: Setup, room: int) -> tuple[stepper.Stage, tuple[np.ndarray, ...]]:
    """The arrays of a replication before its first day, and the stock it opens with."""
    families, kids, stock = laid_out.families, laid_out.kids, laid_out.stock
    n_children, n_families = len(kids.birth_day), len(families.first_child)
    n_cases = n_families + len(stock.state)
    homes, queues, held = setup.opening(laid_out)
    entities = n_cases + n_children

    def ints(n: int, value: int = 0) -> np.ndarray:
        return np.full(n, value, dtype=np.int64)

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
        thresholds=np.zeros(n_children * n_exits), left=np.zeros(n_exits), price=np.ones(n_children),
    )  # fmt: skip
    writing = stepper.Writing(np.empty((room, 8), dtype=np.int32), np.empty(room), ints(1))
    stage = stepper.Stage(
        laid_out.hazards, laid_out.choices, laid_out.places, laid_out.pools, kids, families, homes, queues, agenda, cases,
        lives, writing, laid_out.start_day, n_cases,
    )  # fmt: skip
    return stage, (laid_out.stock_cases, stages, stock.state, stock.since, stock.care_since, laid_out.arrival_order)
