"""What can be back-tested: child-level returns month by month, or the published counts of a pack or of DfE tables."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carecast.calibration.backtest import origins, published, rolling
from carecast.calibration.backtest.past import Past, read_past
from carecast.calibration.backtest.published import Counts
from carecast.calibration.backtest.rolling import Progress, Settings, Tested
from carecast.calibration.backtest.small_counts import suppressed
from carecast.calibration.readers import read_history
from carecast.calibration.readers.history import History
from carecast.model.parameters import BadFile, Calibrated

AGGREGATES = ("dfe", "lgbf", "published")
RETURNS, PUBLISHED = "child-level returns", "published counts"


@dataclass(frozen=True)
class Source:
    """A history that forecasts can be scored against."""

    council: str
    made_from: str
    limits: str
    origins: Callable[[str | None], tuple[dt.date, ...]]
    run: Callable[[Settings, Progress | None], Tested]
    past: Past | None = None  # of child-level returns: what small counts are judged by
    counts: Counts = field(default_factory=dict)  # of published counts

    def shown(self, rows: pd.DataFrame, small_counts: bool) -> pd.DataFrame:
        """The rows as they may be written; published counts hide nothing."""
        return rows if small_counts or self.past is None else suppressed(rows, self.past)


def source_of(history: str, form: str | None = None, council: str | None = None, figures: Path | None = None) -> Source:
    """The source that HISTORY names: a shipped pack, a folder of tables, or a folder of returns.

    Raises:
        BadFile: no such pack or path, or files that hold neither children nor yearly counts.
    """
    from carecast.calibration.pack import pack_names

    if not Path(history).exists() and history in pack_names():
        return _of_pack(history, council, figures)
    found, report = read_history(history, form, council or "")
    if found.format in AGGREGATES:
        return _of_tables(found, report, council, figures)
    if figures is not None:
        raise BadFile(f"--figures: found {str(figures)!r}; only goes with a council pack or published tables")
    if not found.has("placements"):
        raise BadFile(f"{history}: read as {found.format}, which holds no placements of children to score against")
    return of_returns(found, partial(_refit_returns, _base(found, council), report, council), council)


def published_past(history: str, form: str | None = None, council: str | None = None) -> Past:
    """Published counts of a pack or of tables, as a past without flows or spend.

    Raises:
        BadFile: as ``source_of``.
    """
    counts = source_of(history, form, council).counts
    dates = tuple(sorted({date for series in counts.values() for date in series}))
    return Past(dates, {cell: np.array([series.get(d, np.nan) for d in dates]) for cell, series in counts.items()})


def is_published(history: str, form: str | None) -> bool:
    """Whether HISTORY is a shipped pack, or files of a format that holds aggregates only."""
    from carecast.calibration.pack import pack_names

    if form is not None:
        return form in AGGREGATES
    return not Path(history).exists() and history in pack_names()


def of_returns(history: History, refit: rolling.Refit, council: str | None = None) -> Source:
    """A source of child-level returns, with the calibration that is to be tested."""
    past = read_past(history)
    return Source(
        council or history.council or "The council", RETURNS, "", partial(_origins_in, past.dates),
        lambda settings, progress: rolling.backtest(history, past, refit, settings, progress), past,
    )  # fmt: skip


def _origins_in(dates: tuple[dt.date, ...], text: str | None) -> tuple[dt.date, ...]:
    return origins.asked_origins(text, dates)


def _base(history: History, council: str | None) -> Any:
    from carecast.calibration.returns.base import base_for

    return base_for(history, council)


def _refit_returns(base: Any, report: Any, council: str | None, history: History, origin: dt.date) -> Calibrated:
    from carecast.calibration.returns.calibrate import calibrate_returns

    return calibrate_returns(history, report, origin, council, base)


def _of_pack(name: str, council: str | None, figures: Path | None) -> Source:
    return _of_counts(partial(_refit_pack, name, council, figures), council)


def _refit_pack(name: str, council: str | None, figures: Path | None, origin: dt.date | None) -> Calibrated:
    from carecast.calibration.calibrate import calibrate

    return calibrate(name, as_at=origin, overrides=figures, council=council)


def _of_tables(history: History, report: Any, council: str | None, figures: Path | None) -> Source:
    return _of_counts(partial(_refit_tables, history, report, council, figures), council, published.TABLE_LIMITS)


def _refit_tables(
    history: History, report: Any, council: str | None, figures: Path | None, origin: dt.date | None
) -> Calibrated:
    from carecast.calibration.dfe.door import calibrate_tables

    made: Calibrated = calibrate_tables(history, report, council, origin, figures)
    return made


def _of_counts(
    refit: Callable[[dt.date | None], Calibrated], council: str | None, limits: str = published.LIMITS
) -> Source:
    latest = refit(None).parameters
    counts = published.counts_of(latest.history)
    return Source(
        council or latest.council, PUBLISHED, limits, lambda text: published.asked_published(text, counts),
        lambda settings, progress: published.backtest_published(counts, refit, settings, progress), counts=counts,
    )  # fmt: skip
