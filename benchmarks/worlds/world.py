"""A synthetic council with its truth: simulate a long past, keep the history, go on into a held-out future."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.worlds import homes
from benchmarks.worlds.council import Council
from benchmarks.worlds.kinds import KINDS, Kind
from benchmarks.worlds.recorders import Silent, Told
from carecast.model import words as w

BURN_IN_DAYS = 16 * 365
FUTURE_MONTHS = 36
DEFAULT_END = dt.date(2025, 3, 31)
NINE = (*(w.PLACEMENT_TYPES[at] for at in (w.AT_HOME, w.KINSHIP, w.FOSTER_OWN, w.FOSTER_AGENCY, w.PROSPECTIVE_ADOPTERS,
        w.SUPPORTED_ACCOMMODATION, w.CHILDRENS_HOUSE_OWN, w.RESIDENTIAL_EXTERNAL)), "all_other")  # fmt: skip


@dataclass(frozen=True)
class World:
    """A council's history, its held-out future, and its true state at the origins.

    ``episodes``: one row per episode as it truly went, the future included; days as ordinals, 0 open. ``stock``: children
    looked after on the last day of each month, by placement type. ``spend_gbp``: what placements cost, by the calendar
    year a financial year ends in.
    """

    kind: Kind
    seed: int
    size: int
    begins: dt.date  # the first day of the first return
    end: dt.date  # the last day of history: a 31 March
    episodes: pd.DataFrame
    children: pd.DataFrame
    stock: pd.DataFrame
    own_places: pd.DataFrame
    spend_gbp: pd.Series
    states: dict[dt.date, Council]

    @property
    def name(self) -> str:
        """Kind, size and seed."""
        return f"{self.kind.name}-{self.size}-{self.seed}"

    def origins(self) -> tuple[dt.date, ...]:
        """The end of history and three years before."""
        return tuple(sorted(self.states))

    def nine(self, first: dt.date, last: dt.date) -> pd.DataFrame:
        """Month-end stocks by nine types, both dates included."""
        return nine_of(self.stock.loc[pd.Timestamp(first) : pd.Timestamp(last)])

    def oracle(self, origin: dt.date, replications: int, months: int, seed: int = 1) -> np.ndarray:
        """The true council re-simulated from its true state: [replication][month ahead][placement type]."""
        until = month_ends(origin, months)[-1].toordinal()
        out = []
        for replication in range(replications):
            silent = Silent()
            self.states[origin].copy(np.random.default_rng([seed, self.seed, replication]), silent).run(until)
            out.append(np.stack(silent.months))
        return np.stack(out)

    def write(self, folder: Path, as_at: dt.date | None = None) -> Path:
        """The council's files as they would be on a day (the end of history unless given); returns the folder."""
        from benchmarks.worlds.companions import write_companions
        from benchmarks.worlds.returns import write_returns

        day = as_at or self.end
        folder.mkdir(parents=True, exist_ok=True)
        write_returns(self, folder, day)
        write_companions(self, folder, day)
        return folder


def nine_of(stock: pd.DataFrame) -> pd.DataFrame:
    """Thirteen placement types as nine: the eight that hold nearly all children, and all other."""
    out = stock[list(NINE[:-1])].copy()
    out["all_other"] = stock.sum(axis=1) - out.sum(axis=1)
    return out


def month_ends(origin: dt.date, months: int) -> list[dt.date]:
    """The last days of the months after a month's end."""
    found = pd.date_range(pd.Timestamp(origin) + pd.Timedelta(days=1), periods=months, freq="ME")
    return [day.date() for day in found]


def generate(
    seed: int, size: int, kind: str | Kind, years: int = 12, end: dt.date = DEFAULT_END,
    origins_before_end_years: Sequence[int] = (0, 3), future_months: int = FUTURE_MONTHS,
) -> World:  # fmt: skip
    """Make a council.

    Args:
        seed: any number; the same council for the same seed.
        size: about how many are looked after when history begins (150 small, 600 medium, 2,300 large).
        kind: a name of ``KINDS`` or a kind of one's own.
        years: returns, each April to March.
        end: the last day of history, a 31 March.
        origins_before_end_years: whole years before the end at which the true state is kept for the oracle.
        future_months: how far the held-out future goes.
    """
    made = KINDS[kind] if isinstance(kind, str) else kind
    begins = dt.date(end.year - years, 4, 1)
    rng = np.random.default_rng([seed, size, 903])
    told = Told()
    council = Council(made, size, begins.toordinal(), end.toordinal(), rng, told)
    council.day = council.month_before = begins.toordinal() - BURN_IN_DAYS
    origins = sorted(dt.date(end.year - back, 3, 31) for back in origins_before_end_years)
    states = {}
    for origin in origins:
        council.run(origin.toordinal())
        states[origin] = council.copy(rng, Silent())
    council.run(max(end, *month_ends(end, future_months)).toordinal() if future_months else end.toordinal())
    days = pd.DatetimeIndex([pd.Timestamp(dt.date.fromordinal(day)) for day, _, _ in told.months])
    counts = np.stack([stock for _, stock, _ in told.months])
    stock = pd.DataFrame(counts, index=days, columns=list(w.PLACEMENT_TYPES))
    own = [(places.foster, places.beds) for _, _, places in told.months]
    places = pd.DataFrame(own, index=days, columns=["foster", "beds"])
    kept = days >= pd.Timestamp(begins) - pd.Timedelta(days=1)
    chance = np.random.default_rng([seed, size, 17])
    episodes, children = homes.furnish(told.rows, told.children, made, chance, begins, end)
    return World(made, seed, size, begins, end, episodes, children, stock[kept], places[kept],
                 homes.spend(episodes, begins, dt.date.fromordinal(council.day)), states)  # fmt: skip
