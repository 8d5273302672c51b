"""Both clocks: processor seconds a replication, by size; and a time per event against a bare heap."""

import statistics
from dataclasses import dataclass
from functools import partial

import numba
import numpy as np

from benchmarks.sizes import SEED, UNTIL, scaled_parameters, west_dunbartonshire
from benchmarks.table import Line
from benchmarks.timing import clocked, processor_seconds, typical
from carecast.model import compiled_clock, prices
from carecast.model import plan as p
from carecast.model.engine import Clock, Told, simulate
from carecast.scenarios.replicate import Job, Teller

BASELINE = p.Plan("baseline")
CHILD_BAR, HEAP_BAR = 1.3, 6.0


@dataclass(frozen=True)
class Timed:
    """Processor seconds of one replication, one after another of its parts; medians over replications."""

    lay_out: float  # tables, arrivals, stock
    clock: float  # the days themselves, to the event log
    log: float  # everything to the event log
    tables: float
    money: float
    children: float  # mean over the replications timed
    events: float
    log_us_per_child: float  # all seconds over all children
    clock_us_per_child: float

    @property
    def whole(self) -> float:
        return self.log + self.tables + self.money


def teller(times: int) -> Teller:
    """The baseline of a council so many times West Dunbartonshire."""
    return Teller(Job(scaled_parameters(west_dunbartonshire(), times), (BASELINE,), UNTIL, SEED))


def timed(teller: Teller, clock: Clock, replications: int) -> Timed:
    """Tell some replications and time each part; what has to be compiled or read first is not timed."""
    world, book = teller.worlds[0], teller.books[0]
    _warm(teller)
    parts: dict[str, list[float]] = {name: [] for name in ("lay_out", "clock", "log", "tables", "money")}
    children = events = 0
    for replication in range(replications):
        world.stock(replication)  # read once for all replications of a run: not part of any one
        if clock == "compiled":
            laid_out = world.setup(replication)
            parts["lay_out"].append(processor_seconds(partial(world.setup, replication)))
            parts["clock"].append(processor_seconds(partial(compiled_clock.run, laid_out)))
            del laid_out
        seconds, told = clocked(partial(simulate, world, replication, clock))
        parts["log"].append(seconds)
        children, events = children + len(told.children.family), events + len(told.log.day)
        seconds, tables = clocked(partial(teller._reduced, 0, told))
        parts["tables"].append(seconds)
        parts["money"].append(
            processor_seconds(partial(prices.price_replication, book, tables, replication, seed=SEED))
        )
    medians = {name: statistics.median(found) if found else float("nan") for name, found in parts.items()}
    return Timed(
        **medians,
        children=children / replications,
        events=events / replications,
        log_us_per_child=1e6 * sum(parts["log"]) / children,
        clock_us_per_child=1e6 * sum(parts["clock"]) / children if parts["clock"] else float("nan"),
    )


def _warm(teller: Teller) -> None:
    """Compile, or read what was compiled."""
    if not hasattr(teller, "is_warm"):
        teller.block(range(1))
        teller.is_warm = True  # type: ignore[attr-defined]


def measure(sizes: tuple[int, ...], simpy_sizes: tuple[int, ...], replications: int) -> tuple[list[Line], list[Line]]:
    """Lines of the two parts on clocks: seconds a replication, and cost per child by size."""
    compiled: dict[int, Timed] = {}
    simpy: dict[int, Timed] = {}
    for times in sizes:
        laid_out = teller(times)
        few = max(2, replications // times)
        compiled[times] = timed(laid_out, "compiled", few)
        if times in simpy_sizes:
            simpy[times] = timed(laid_out, "simpy", max(1, few // 5))
        del laid_out
    return _per_replication(compiled, simpy), _per_child(compiled, simpy)


def _per_replication(compiled: dict[int, Timed], simpy: dict[int, Timed]) -> list[Line]:
    part = "Processor time a replication"
    lines = []
    for times in [size for size in (1, 10) if size in compiled] or list(compiled)[:1]:
        fast, name = compiled[times], f"{times} x West Dunbartonshire"
        children = f"{fast.children:,.0f} children, {fast.events:,.0f} events on average"
        lines.append(Line(part, f"compiled clock, to the event log, {name}", 1e3 * fast.log, "ms", note=children))
        lines.append(Line(part, f"  of which laid out in Python and numpy, {name}", 1e3 * fast.lay_out, "ms"))
        lines.append(Line(part, f"  of which the compiled days, {name}", 1e3 * fast.clock, "ms"))
        lines.append(Line(part, f"compiled clock, with tables and money, {name}", 1e3 * fast.whole, "ms"))
        lines.append(Line(part, f"  of which tables, {name}", 1e3 * fast.tables, "ms"))
        lines.append(Line(part, f"  of which money, {name}", 1e3 * fast.money, "ms"))
        if times in simpy:
            slow = simpy[times]
            lines.append(Line(part, f"SimPy clock, to the event log, {name}", 1e3 * slow.log, "ms"))
            lines.append(Line(part, f"SimPy clock, with tables and money, {name}", 1e3 * slow.whole, "ms"))
            lines.append(Line(part, f"SimPy / compiled, per child to the event log, {name}",
                              slow.log_us_per_child / fast.log_us_per_child, "x"))  # fmt: skip
    return lines


def _per_child(compiled: dict[int, Timed], simpy: dict[int, Timed]) -> list[Line]:
    part = "Cost per simulated child by size"
    lines = []
    for clock, found in (("compiled", compiled), ("SimPy", simpy)):
        sizes = sorted(found)
        lines += [Line(part, f"{clock}, {size} x", found[size].log_us_per_child, "us a child") for size in sizes]
        if len(sizes) > 1:
            ratio = found[sizes[-1]].log_us_per_child / found[sizes[0]].log_us_per_child
            bar = CHILD_BAR if clock == "compiled" else None
            lines.append(Line(part, f"{clock}, {sizes[-1]} x over {sizes[0]} x", ratio, "x", bar))
    sizes = sorted(compiled)
    if len(sizes) > 1:
        ratio = compiled[sizes[-1]].clock_us_per_child / compiled[sizes[0]].clock_us_per_child
        note = "stricter: the fixed cost of laying a replication out flatters the larger sizes; this leaves it out"
        lines.append(Line(part, f"compiled days alone, {sizes[-1]} x over {sizes[0]} x", ratio, "x", note=note))
    return lines


# --- a bare heap ---------------------------------------------------------------------------------------------------------
@numba.njit(nogil=True)
def _hold(keys: np.ndarray, waits: np.ndarray, n_events: int) -> int:  # pragma: no cover - compiled
    """Take the earliest entry of a binary heap and put it back later, so many times: the least an agenda can do."""
    size, total = len(keys), 0
    for event in range(n_events):
        first = keys[0]
        total += first
        last = keys[size - 1]  # pop: the last entry takes the top's place and sinks
        at, below = 0, 1
        while below < size - 1:
            if below + 1 < size - 1 and keys[below + 1] < keys[below]:
                below += 1
            if keys[below] >= last:
                break
            keys[at] = keys[below]
            at, below = below, 2 * below + 1
        keys[at] = last
        new = first + waits[event % len(waits)]  # push: a new entry rises from the end
        at = size - 1
        while at > 0 and keys[(at - 1) // 2] > new:
            keys[at] = keys[(at - 1) // 2]
            at = (at - 1) // 2
        keys[at] = new
    return total


def heap_seconds(n_pending: int, n_events: int, times: int) -> float:
    """Processor seconds of ``n_events`` pops, each followed by a push, on a heap of ``n_pending`` (day, number) keys."""
    random = np.random.default_rng(1)
    start = np.sort(random.integers(0, 1 << 40, n_pending))
    waits = random.integers(1, 1 << 40, 1 << 16)
    _hold(start.copy(), waits, 10)
    return typical(lambda: _hold(start.copy(), waits, n_events), times)


def steps(told: Told) -> int:
    """Distinct (day, family, event) of a log: a family's event is one row a child, but one thing that happens."""
    family = told.children.family[told.log.child].astype(np.int64)
    key = (told.log.day.astype(np.int64) << 40) + (family << 8) + told.log.event
    return len(np.unique(key))


def events(times: int, replications: int) -> list[Line]:
    """Time per event against the heap, events of the same replications."""
    part = "Time per event"
    laid_out = teller(times)
    fast = timed(laid_out, "compiled", replications)
    told = [simulate(laid_out.worlds[0], replication) for replication in range(replications)]
    n_events, n_pending = round(fast.events), len(laid_out.worlds[0].stock(0).state)
    of_one = sum(len(one.log.day) for one in told) / sum(steps(one) for one in told)
    log_ns = 1e3 * fast.log_us_per_child * fast.children / fast.events
    heap_ns = 1e9 * heap_seconds(n_pending, n_events, replications) / n_events
    whole_ns = log_ns + 1e9 * (fast.tables + fast.money) / n_events
    note = f"{n_events:,} pops and pushes, {n_pending:,} entries pending"
    return [
        Line(part, "a bare numba heap: one pop and one push", heap_ns, "ns", note=note),
        Line(part, "carecast, a row of the event log", log_ns, "ns"),
        Line(part, "carecast, a row of the event log, with tables and money", whole_ns, "ns"),
        Line(part, "a row of the event log over the heap", log_ns / heap_ns, "x", HEAP_BAR),
        Line(part, "with tables and money over the heap", whole_ns / heap_ns, "x", HEAP_BAR),
        Line(part, "a family's event (its children's rows as one) over the heap", log_ns * of_one / heap_ns, "x", HEAP_BAR,
             note=f"{of_one:.2f} rows each"),
    ]  # fmt: skip
