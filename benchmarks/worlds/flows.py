"""What entries and exits foretell of children looked after: many councils, no model, some seconds each.

The bench for the priors of ``calibration.returns.levels``: seven hundred councils say what a dozen calibrations cannot. The
true stays of each council, cut off at the origin, give monthly counts; exits are set beside what the mean hazards of the
past by age, time in care and coming alone expect; three levels are filtered as the calibration filters them; and a cohort
projection of whoever is in care and of who comes foretells the total. It is scored as a normal about that, its width
between that of the council's own past changes and their mean over all councils (geometric mean: one council's few changes
tell its width badly), against last value and against the true council simulated again.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.table import Line
from benchmarks.worlds.kinds import Kind
from benchmarks.worlds.score import SCORED
from benchmarks.worlds.world import World, generate
from carecast.calibration.backtest.references import last_value
from carecast.calibration.returns import levels as lv

PART = "synthetic councils: what entries and exits foretell of the total"
MONTH_DAYS = 30.4375
ADULT_DAYS = 18 * 365.25
AGES = np.array([0, 1, 5, 10, 14, 16]) * 365.25
STAYED = np.array([0, 30, 90, 182, 365, 730, 1461])
CELLS = (len(AGES), len(STAYED), 2)
WORTH = 8.0  # exits that the main effects are worth in each cell
AGES_FROM_YEARS, ALONE_FROM_YEARS = 5, 3  # of whom those who come are like
FUTURES = 8
SLICES = np.arange(0.01, 1.0, 0.02)  # quantiles of the normal that is scored
FIRST_SEED = 2_000


@dataclass(frozen=True)
class Stays:
    """Stays in care; days as ordinals."""

    start: np.ndarray
    end: np.ndarray  # far ahead while open
    birth: np.ndarray
    alone: np.ndarray

    def known(self, day: int) -> "Stays":
        """As they stood on a day."""
        seen = self.start <= day
        end = np.where(self.end[seen] > day, np.iinfo(np.int64).max, self.end[seen])
        return Stays(self.start[seen], end, self.birth[seen], self.alone[seen])


@dataclass(frozen=True)
class Foretold:
    """One council at one origin, relative to the children looked after on that day; by horizon of ``SCORED``."""

    kind: Kind
    origin: dt.date
    change: np.ndarray
    spread: np.ndarray  # standard deviation of the council's own past changes, both signs
    futures: np.ndarray  # [simulated again][horizon]
    crps_last: np.ndarray
    crps_oracle: np.ndarray

    @property
    def came(self) -> np.ndarray:
        """Mean of the futures."""
        return np.asarray(self.futures.mean(axis=0))


def stays_of(world: World) -> Stays:
    """Stays in care of a council's true episodes: rows that follow an X1 go on."""
    rows = world.episodes.sort_values(["child", "start", "end"], kind="stable")
    child, end = rows["child"].to_numpy(), rows["end"].to_numpy()
    first = np.append(True, (child[1:] != child[:-1]) | (rows["rec"].to_numpy()[:-1] != "X1"))
    begins = np.flatnonzero(first)
    last = np.append(begins[1:], len(first)) - 1
    children = world.children.set_index("child").loc[child[begins]]
    ends = np.where(end[last] == 0, np.iinfo(np.int64).max, end[last])
    return Stays(rows["start"].to_numpy()[begins], ends, children["birth"].to_numpy(),
                 children["alone"].to_numpy().astype(int))  # fmt: skip


def cell(age: np.ndarray, stayed: np.ndarray, alone: np.ndarray) -> np.ndarray:
    """Flat index of the hazard's cell."""
    at = (np.searchsorted(AGES, age, side="right") - 1, np.searchsorted(STAYED, stayed, side="right") - 1, alone)
    found: np.ndarray = np.ravel_multi_index((np.maximum(at[0], 0), np.maximum(at[1], 0), at[2]), CELLS)
    return found


@dataclass(frozen=True)
class Past:
    """Monthly counts up to the origin, oldest first."""

    in_care: np.ndarray
    exits: np.ndarray
    at_risk: np.ndarray  # [month][cell]
    entries: np.ndarray
    alone: np.ndarray
    hazard: np.ndarray  # [cell] a month


def past_of(stays: Stays, begins: int, day: int) -> Past:
    """Counts by month, and the hazards of leaving of the whole past."""
    edges = np.arange(day, begins + MONTH_DAYS, -MONTH_DAYS)[::-1]
    size = int(np.prod(CELLS))
    at_risk, left = np.zeros((len(edges) - 1, size)), np.zeros(size)
    rows = []
    for at, (first, last) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        inside = (stays.start <= first) & (stays.end > first) & (first + MONTH_DAYS - stays.birth < ADULT_DAYS)
        out = stays.end[inside] <= last
        where = cell(first - stays.birth[inside], first - stays.start[inside], stays.alone[inside])
        at_risk[at] = np.bincount(where, minlength=size)
        left += np.bincount(where[out], minlength=size)
        new = (stays.start > first) & (stays.start <= last) & (stays.end > last)
        whole = np.count_nonzero((stays.start <= first) & (stays.end > first))
        rows.append((whole, out.sum(), (new & (stays.alone == 0)).sum(), (new & (stays.alone == 1)).sum()))
    counts = np.array(rows, dtype=float).T
    now = np.count_nonzero(stays.end > day)
    hazard = hazards(left.reshape(CELLS), at_risk.sum(axis=0).reshape(CELLS)).ravel()
    return Past(np.append(counts[0], now), counts[1], at_risk, counts[2], counts[3], hazard)


def hazards(left: np.ndarray, at_risk: np.ndarray) -> np.ndarray:
    """Main effects, each cell as far from them as its exits bear."""
    mean = left.sum() / at_risk.sum()
    main = np.full(CELLS, mean)
    for others in ((1, 2), (0, 2), (0, 1)):
        effect = (left.sum(others) + 5) / (at_risk.sum(others) * mean + 5)
        main = main * np.expand_dims(effect, others)
    main *= left.sum() / (main * at_risk).sum()
    made = (left + WORTH) / (at_risk + WORTH / main)
    made *= left.sum() / (made * at_risk).sum()
    return np.asarray(made)


def survivors(
    hazard: np.ndarray, birth_ago: np.ndarray, stayed: np.ndarray, alone: np.ndarray, months: int
) -> np.ndarray:
    """Mean share still in care after 0, 1, ... months of children so old who have stayed so long."""
    share = np.ones(len(birth_ago))
    out = np.empty(months + 1)
    for month in range(months + 1):
        out[month] = share.mean() if len(share) else 0.0
        on = month * MONTH_DAYS
        stay = 1 - np.minimum(hazard[cell(birth_ago + on, stayed + on, alone)], 0.9)
        share = np.where(birth_ago + on + MONTH_DAYS >= ADULT_DAYS, 0.0, share * stay)
    return out


def quarters(monthly: np.ndarray) -> np.ndarray:
    """Sums of three months, the oldest odd ones left out."""
    summed: np.ndarray = monthly[len(monthly) % 3 :].reshape(-1, 3).sum(axis=1)
    return summed


def change_of(stays: Stays, past: Past, day: int) -> np.ndarray:
    """Children in care after each month of ``SCORED``, relative to now, less one."""
    even = np.ones(len(quarters(past.entries)))
    exits = lv.local_level(quarters(past.exits), quarters(past.at_risk @ past.hazard), lv.EXITS)
    entries = lv.local_level(quarters(past.entries), 3 * past.entries.mean() * even, lv.ENTRIES)
    alone = lv.local_level(quarters(past.alone), max(3 * past.alone.mean(), 1e-6) * even, lv.UNACCOMPANIED)
    hazard, months = past.hazard * exits.ratio, max(SCORED)
    here = stays.end > day
    now = np.count_nonzero(here)
    stay = now * survivors(hazard, day - stays.birth[here], day - stays.start[here], stays.alone[here], months)
    flows = ((0, AGES_FROM_YEARS, past.entries.mean() * entries.ratio),
             (1, ALONE_FROM_YEARS, past.alone.mean() * alone.ratio))  # fmt: skip
    for kind, years, a_month in flows:
        like = (stays.alone == kind) & (stays.start > day - years * 365.25)
        age = (stays.start - stays.birth)[like]
        later = survivors(hazard, age, np.zeros(len(age)), stays.alone[like], months)
        stay[1:] += a_month * np.cumsum(later)[:-1]
    return np.array([stay[month] / now - 1 for month in SCORED])


def foretell(world: World, origin: dt.date, whole: Stays) -> Foretold:
    """One council at one origin."""
    from carecast.calibration.backtest import scores

    day, at = origin.toordinal(), [months - 1 for months in SCORED]
    stays = whole.known(day)
    past = past_of(stays, world.begins.toordinal(), day)
    change, now = change_of(stays, past, day), past.in_care[-1]
    futures = world.oracle(origin, FUTURES, max(SCORED), seed=5).sum(axis=-1)[:, at] / now - 1
    spread, last, oracle = (np.zeros(len(SCORED)) for _ in range(3))
    for n, months in enumerate(SCORED):
        empirical = last_value(past.in_care, months).values / now - 1
        spread[n] = empirical.std()
        last[n] = np.mean([scores.crps(empirical, y) for y in futures[:, n]])
        apart = np.abs(futures[:, n, None] - futures[None, :, n])
        oracle[n] = 0.5 * apart.sum() / (FUTURES * (FUTURES - 1))
    return Foretold(world.kind, origin, change, spread, futures, last, oracle)


def crps_of(cases: Sequence[Foretold]) -> np.ndarray:
    """CRPS of what was foretold, [case][horizon]."""
    from scipy.special import ndtri

    from carecast.calibration.backtest import scores

    usual = np.mean([case.spread for case in cases], axis=0)
    out = np.zeros((len(cases), len(SCORED)))
    for at, case in enumerate(cases):
        for n, width in enumerate(np.sqrt(case.spread * usual)):
            values = case.change[n] + width * ndtri(SLICES)
            out[at, n] = np.mean([scores.crps(values, y) for y in case.futures[:, n]])
    return out


def found(kinds: Sequence[str], councils: int, size: int = 600) -> Iterator[Foretold]:
    """Councils of these kinds in turn, each at both origins."""
    for number in range(councils):
        world = generate(FIRST_SEED + number, size, kinds[number % len(kinds)])
        stays = stays_of(world)
        for origin in world.origins():
            yield foretell(world, origin, stays)


def group_of(kind: Kind) -> str:
    """Which councils a kind is told with."""
    return "levels that hold" if kind.is_plain else "wild" if kind.wild else "calm"


def lines(cases: Sequence[Foretold]) -> list[Line]:
    """Over last value, plain, calm and wild councils apart."""
    out, scored = [], crps_of(cases)
    for name in ("levels that hold", "calm", "wild"):
        these = [at for at, case in enumerate(cases) if group_of(case.kind) == name]
        if not these:
            continue
        some, own = [cases[at] for at in these], scored[these].sum(axis=0)
        last, oracle = (sum(getattr(case, what) for case in some) for what in ("crps_last", "crps_oracle"))
        went, came = np.stack([case.change for case in some]), np.stack([case.came for case in some])
        slope = float((went * came).sum() / (went**2).sum())
        note = (f"{len(some)} cases; the true council {np.mean(oracle / last):.2f}; by horizon "
                f"{', '.join(f'{x:.2f}' for x in own / last)}; what came over what was foretold {slope:.2f}")  # fmt: skip
        out.append(Line(PART, f"CRPS of the total over last value, {name}", float(np.mean(own / last)), "x", note=note))
    return out
