"""What calibration on returns leaves behind for a reviewer: aggregates only, no row of any child."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Array
from carecast.calibration.fit_record import of_stays
from carecast.calibration.readers.history import History
from carecast.calibration.readers.report import Report
from carecast.calibration.returns import care
from carecast.calibration.returns import entries as en
from carecast.calibration.returns import stays as st
from carecast.calibration.returns.base import Base
from carecast.calibration.returns.close import Balance
from carecast.calibration.returns.imbalance import Imbalance
from carecast.calibration.returns.part import Part
from carecast.model import words as w
from carecast.model.parameters import Observed

RECORD_FORMAT = 1


def observed(found: care.Found) -> tuple[Observed, ...]:
    """Children looked after at the ends of quarters, in all and by setting, and entries and exits by year."""
    stays = found.stays
    source = "The council's own returns"
    rows = []
    for day in reversed(range(stays.last_day, stays.first_day, -91)):
        date = dt.date.fromordinal(day)
        here = (stays.start <= day) & ((stays.stop > day) | ((stays.end == st.NO_CAUSE) & (stays.stop >= day)))
        kinds = np.bincount(stays.kind[here], minlength=w.N_PLACEMENT_TYPES)
        counts = {
            "looked_after": kinds.sum(),
            "looked_after_in_residential": kinds[w.FIRST_RESIDENTIAL :].sum(),
            "looked_after_in_community": kinds[: w.FIRST_RESIDENTIAL].sum(),
        }
        rows += [
            Observed(measure=name, breakdown="total", date=date, value=float(n), source=source)
            for name, n in counts.items()
        ]
    return tuple(rows)


def record(
    history: History, report: Report, base: Base, found: care.Found, parts: Sequence[Part], balance: Balance,
    off: Imbalance, stock: pd.DataFrame, draws: Mapping[str, Array],
) -> dict[str, Any]:  # fmt: skip
    """The calibration record."""
    stays = found.stays
    in_care = stock[stock["state"] == "in_care"]
    return {
        "format": RECORD_FORMAT,
        "pack": base.pack,
        "council": history.council,
        "as_at": dt.date.fromordinal(stays.last_day).isoformat(),
        "data": {
            "format": history.format,
            "returns": list(history.returns),
            "observed_from": dt.date.fromordinal(stays.first_day).isoformat(),
            "rows": report.rows,
            "counts": dict(report.counts),
            "shares": dict(report.shares),
            "missing": list(report.missing),
        },
        "stock_by_type": {str(k): int(n) for k, n in in_care["placement_type"].value_counts().sort_index().items()},
        "stock_by_state": {str(k): int(n) for k, n in stock["state"].value_counts().sort_index().items()},
        "starts_per_year": {"wanted": round(float(found.wanted.by_age.sum()), 2)} | balance.entered,
        "levels": care.as_record(found),
        "imbalance": off.table(),
        "parts": {part.name: dict(part.record) for part in parts},
        "entries_by_year": entries_by_year(found),
        "base": base.note,
        "notes": list(balance.notes),
        "n_columns_drawn": len(draws),
        "diagnostics": of_stays(stays, base.calibrated.parameters.rates),
        "backtest": None,
    }


def entries_by_year(found: care.Found) -> list[dict[str, Any]]:
    """New entries of each year, and the mean of the others relative to that of all: what leaving the year out does."""
    stays, spells = found.stays, found.spells
    new = (spells.is_entry > 0) & (spells.came == en.NEW)
    years = int(stays.years + 0.02)
    back = ((stays.last_day - spells.start) / w.DAYS_PER_YEAR).astype(np.int64)
    counts = np.bincount(back[new & (back < years)], minlength=years)[:years]
    rows = []
    for at in range(years - 1, -1, -1):
        without = (counts.sum() - counts[at]) / max(years - 1, 1)
        rows.append(
            {
                "year_to": dt.date.fromordinal(stays.last_day - round(at * w.DAYS_PER_YEAR)).isoformat(),
                "entries": int(counts[at]),
                "ratio_without_it": round(float(without / max(counts.mean(), 1e-9)), 4),
            }
        )
    return rows
