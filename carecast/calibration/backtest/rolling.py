"""Rolling origins: at each, calibrate on what was known then, forecast, and score against what came."""

import contextlib
import datetime as dt
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Array
from carecast.calibration.backtest import scores
from carecast.calibration.backtest.constant_rates import CONSTANT_RATES, constant_rates
from carecast.calibration.backtest.forecast import tell
from carecast.calibration.backtest.past import FLOWS, SPEND, Cell, Past, add_months
from carecast.calibration.backtest.references import Forecast, of_series
from carecast.calibration.readers.history import History
from carecast.model.parameters import BadFile, Calibrated

MODEL = "carecast"
QUANTILES = {"p025": 0.025, "p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p975": 0.975}
COLUMNS = (
    "origin", "date", "horizon_months", "measure", "breakdown", "model", "observed", "mean", *QUANTILES,
    "absolute_error", "scaled_error", "crps", "pit", "inside_50", "inside_80", "inside_95",
)  # fmt: skip
SEED = 1
REPLICATIONS = 200
Progress = Callable[[int, int], None]  # origins done, of how many


class Refit(Protocol):
    """Calibrates on what was known at a date: ``history`` is already cut there."""

    def __call__(self, history: History, origin: dt.date) -> Calibrated:
        """The parameter set as at the origin."""


@dataclass(frozen=True)
class Settings:
    """What is asked of a back-test."""

    origins: tuple[dt.date, ...]
    horizons: tuple[int, ...]
    replications: int = REPLICATIONS
    seed: int = SEED
    workers: int = 1


@dataclass(frozen=True)
class Tested:
    """The rows of ``backtest.csv`` before anything is suppressed, and what could not be done."""

    rows: pd.DataFrame
    failed: dict[str, str] = field(default_factory=dict)  # origin -> why it could not be calibrated


def backtest(
    history: History, past: Past, refit: Refit, settings: Settings, progress: Progress | None = None
) -> Tested:
    """Score the forecast made at every origin.

    An origin that cannot be calibrated is left out and said; the others stand.

    Raises:
        BadFile: none of them could be calibrated; one line for each.
    """
    jobs = [partial(one_origin, history, past, refit, settings, origin) for origin in settings.origins]
    return gathered_rows(settings.origins, jobs, settings.workers, progress)


def gathered_rows(
    origins: Sequence[dt.date], jobs: Sequence[Callable[[], Any]], workers: int, progress: Progress | None
) -> Tested:
    """The rows of every origin, and why some have none.

    Raises:
        BadFile: no origin has any.
    """
    rows: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    if progress:
        progress(0, len(jobs))
    for done, (origin, found) in enumerate(zip(origins, results(jobs, workers), strict=True), 1):
        if isinstance(found, str):
            failed[origin.isoformat()] = found
        else:
            rows += found
        if progress:
            progress(done, len(jobs))
    if not rows:
        raise BadFile(*(f"origin {origin}: {why}" for origin, why in failed.items()))
    return Tested(pd.DataFrame(rows, columns=list(COLUMNS)), failed)


def results(jobs: Sequence[Callable[[], Any]], workers: int) -> Iterator[Any]:
    """What each job returns, in order: here, or in processes that are given nothing by way of a disk."""
    if workers < 2 or len(jobs) < 2:
        yield from (job() for job in jobs)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=min(workers, len(jobs)), return_as="generator", max_nbytes=None,
                        initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN))  # fmt: skip
    with contextlib.closing(parallel(delayed(job)() for job in jobs)) as found:
        yield from found


def one_origin(
    history: History, past: Past, refit: Refit, settings: Settings, origin: dt.date
) -> list[dict[str, Any]] | str:
    """Every scored row of one origin, or why it could not be calibrated."""
    known = history.as_at(origin)
    try:
        calibrated = refit(known, origin)
    except BadFile as error:
        return "; ".join(error.lines)
    told = tell(calibrated, add_months(origin, settings.horizons[-1]), settings.replications, settings.seed)
    seen = past.until(origin)
    given: dict[tuple[str, Cell, int], Forecast] = {}
    wanted = {(cell, months): add_months(origin, months) for cell in past.values for months in settings.horizons}
    wanted = {key: date for key, date in wanted.items() if is_scored(key[0], origin, date)}
    for (cell, months), date in wanted.items():
        values = told.at(cell, date)
        if values is not None:
            given[MODEL, cell, months] = Forecast(values)
    for cell in past.values:
        asked = [months for months in settings.horizons if (cell, months) in wanted]
        if asked:
            rng = np.random.default_rng([settings.seed, origin.toordinal()])
            found = of_series(seen.values[cell], asked, cell in FLOWS, rng)
            given |= {(name, cell, at): forecast for (name, at), forecast in found.items()}
    for (cell, at), value in constant_rates(known, origin, settings.horizons).items():
        given[CONSTANT_RATES, cell, at] = Forecast(np.array([value]))
    return scored(given, past, origin, seen)


def is_scored(cell: Cell, origin: dt.date, date: dt.date) -> bool:
    """Spend is scored for whole financial years of the forecast only."""
    if cell != SPEND:
        return True
    return (date.month, date.day) == (3, 31) and add_months(date, -12) >= origin


def scored(
    given: Mapping[tuple[str, Cell, int], Forecast], past: Past, origin: dt.date, seen: Past
) -> list[dict[str, Any]]:
    """A row for each forecast whose outcome is known."""
    rows = []
    for (model, cell, months), forecast in given.items():
        date = add_months(origin, months)
        observed = past.at(cell, origin, date)
        if observed is None:
            continue
        series = seen.values[cell]
        scale = scores.seasonal_scale(rolling_sum(series, months) if cell in FLOWS else series[~np.isnan(series)])
        head = {
            "origin": origin.isoformat(), "date": date.isoformat(), "horizon_months": months, "measure": cell[0],
            "breakdown": cell[1], "model": model,
        }  # fmt: skip
        rows.append(head | row_of(forecast, observed, scale, "|".join(map(str, head.values()))))
    return rows


def rolling_sum(series: Array, months: int) -> Array:
    """Sums over each run of so many months."""
    return np.convolve(series, np.ones(months), mode="valid") if len(series) >= months else series[:0]


def row_of(forecast: Forecast, observed: float, scale: float, name: str) -> dict[str, Any]:
    """Everything said of one forecast and its outcome; a single value has no interval and no PIT."""
    values = forecast.values
    mean = float(values.mean())
    error = abs(mean - observed)
    out: dict[str, Any] = {"observed": observed, "mean": mean, "absolute_error": error, "scaled_error": error / scale}
    out["crps"] = float(scores.crps(values, observed, forecast.is_sample))
    has_spread = len(values) > 1
    quantiles = np.quantile(values, list(QUANTILES.values()), method="inverted_cdf")
    out |= dict(zip(QUANTILES, quantiles.tolist(), strict=True)) if has_spread else {}
    out["pit"] = scores.pit(values, observed, name) if has_spread else None
    for level in scores.LEVELS:
        out[f"inside_{level}"] = int(scores.is_inside(values, observed, level)) if has_spread else None
    return out
