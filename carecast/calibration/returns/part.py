"""A part of a parameter set, as one fit makes it: what it replaces in the base, its draws and what it says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from carecast.calibration.arrays import Array
from carecast.model.parameters import (
    Branch,
    Budget,
    CostLine,
    Destination,
    Locality,
    Number,
    Observed,
    Provider,
    Rate,
    Series,
    ServicePool,
)


@dataclass(frozen=True, slots=True)
class Part:
    """What one fit found.

    Empty means: says nothing, the base keeps its own. Keyed collections replace key by key (a rate by cause and label, a
    branch by branch and age bands, a destination by moment, label and age bands); providers, localities, service pools
    and history are replaced as a whole.
    """

    name: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    series: Mapping[str, Series] = field(default_factory=dict)
    rates: tuple[Rate, ...] = ()
    branches: tuple[Branch, ...] = ()
    destinations: tuple[Destination, ...] = ()
    providers: tuple[Provider, ...] = ()
    service_pools: tuple[ServicePool, ...] = ()
    cost_lines: tuple[CostLine, ...] = ()
    budgets: tuple[Budget, ...] = ()
    localities: tuple[Locality, ...] = ()
    population_years: tuple[int, ...] = ()
    history: tuple[Observed, ...] = ()
    notes: tuple[str, ...] = ()
    draws: Mapping[str, Array] = field(default_factory=dict)  # column -> 4,096 values
    stale_draws: tuple[str, ...] = ()  # beginnings of the base's draw columns that no longer hold
    stock: pd.DataFrame | None = None
    record: Mapping[str, Any] = field(default_factory=dict)  # for calibration.json, under the part's name
