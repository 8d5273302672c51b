"""What a replication leaves for prices: days, price-weighted days and counts by financial year. No child is in it.

A run keeps these beside its pence, and the price columns of the joint draws, so that other prices need no new replications.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from carecast.model.prices import PricedTables

PRICE_DRAWS = "inputs/price_draws.parquet"  # of a run folder
PRICE_COLUMNS = ("price.", "uplift.", "provider.")  # of the draws, as ``pricebook.price_book`` reads them


@dataclass(frozen=True)
class Quantities:
    """A stack of replications; the fields are those that pricing reads."""

    placement_days: np.ndarray  # [replication, financial year, provider, looked after | continuing care]
    price_days: np.ndarray  # same shape; days x price multiplier
    service_units: np.ndarray  # [replication, financial year, service line]
    counted: np.ndarray  # [replication, financial year, count key of the programme]

    def each(self) -> Iterator["Quantities"]:
        """One replication after another, without the first axis: what ``price_replication`` takes."""
        for at in range(len(self.placement_days)):
            yield Quantities(*(getattr(self, part.name)[at] for part in fields(self)))


def stacked(found: Sequence[PricedTables]) -> Quantities:
    """The quantities of a block of replications."""
    return Quantities(*(np.stack([getattr(one, part.name) for one in found]) for part in fields(Quantities)))


def joined(parts: Sequence[Quantities]) -> Quantities:
    """Blocks, one after another."""
    return Quantities(*(np.concatenate([getattr(one, part.name) for one in parts]) for part in fields(Quantities)))


def quantities_frame(found: Quantities, first: int, financial_years: Sequence[str]) -> pd.DataFrame:
    """One line a replication and financial year; columns ``table|index...``."""
    n, years = found.placement_days.shape[:2]
    columns = {
        "replication": np.repeat(np.arange(first, first + n), years),
        "financial_year": np.tile(list(financial_years), n),
    }
    for part in fields(found):
        values = getattr(found, part.name)
        flat = values.reshape(n * years, -1)
        for at, index in enumerate(np.ndindex(*values.shape[2:])):
            columns["|".join([part.name, *map(str, index)])] = flat[:, at]
    return pd.DataFrame(columns)


def quantities_from(frame: pd.DataFrame, years: int) -> Quantities:
    """The stack that ``quantities_frame`` wrote."""
    n = len(frame) // years
    parts = []
    for part in fields(Quantities):
        names = [name for name in frame.columns if name.split("|")[0] == part.name]
        shape = np.array([name.split("|")[1:] for name in names], dtype=np.int64)
        sizes = tuple(int(size) + 1 for size in shape.max(axis=0)) if len(names) else (0,)
        parts.append(frame[names].to_numpy().reshape(n, years, *sizes))
    return Quantities(*parts)


def price_draws(draws: pd.DataFrame) -> pd.DataFrame:
    """The columns of the joint draws that prices read: no child is in them."""
    return draws[[str(name) for name in draws.columns if str(name).startswith(PRICE_COLUMNS)]]
