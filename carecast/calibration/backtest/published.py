"""Back-test from published counts: a few a year apart, so a few origins, and the plainest references only."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from carecast.calibration.arrays import Array
from carecast.calibration.backtest import references, scores
from carecast.calibration.backtest.forecast import PUBLISHED, tell
from carecast.calibration.backtest.past import AWAY, GROUPS, TOTAL, Cell, of_group, of_type
from carecast.calibration.backtest.references import DRIFT, LAST_VALUE, Forecast
from carecast.calibration.backtest.rolling import MODEL, Progress, Settings, Tested, gathered_rows, row_of
from carecast.calibration.history import FIRST_COUNT
from carecast.model import words as w
from carecast.model.parameters import BadFile, Calibrated, Observed

RefitAt = Callable[[dt.date], Calibrated]
Counts = Mapping[Cell, Mapping[dt.date, float]]
LEAST_COUNTS = 3  # at and before the first origin
STOCKS = {TOTAL, AWAY, *((name, "total") for name in PUBLISHED), *(of_type(name) for name in w.PLACEMENT_TYPES),
          *(of_group(name) for name in GROUPS)}  # fmt: skip
TABLE_LIMITS = (
    "Nothing in the tables of a later date than the origin is used; national shapes, prices and stated assumptions are "
    "today's. With a handful of yearly counts of one council this is an impression, not a proof."
)
LIMITS = (
    "Only the counts after each origin are hidden: national shapes, prices, shares and stated assumptions are those the "
    "parameter set is made with today. With a handful of yearly counts of one council this is an impression, not a proof."
)


def counts_of(history: Sequence[Observed]) -> Counts:
    """Published counts of children looked after, by cell and date, from when they are coded as today."""
    found: dict[Cell, dict[dt.date, float]] = {}
    for row in history:
        if (row.measure, row.breakdown) in STOCKS and row.date >= FIRST_COUNT:
            found.setdefault((row.measure, row.breakdown), {})[row.date] = row.value
    return found


def published_origins(counts: Counts, count: int | None = None) -> tuple[dt.date, ...]:
    """Dates of the counts from the third on that have a later one; the last ``count`` of them when asked.

    Raises:
        BadFile: there are fewer than four counts.
    """
    dates = sorted(counts.get(TOTAL, {}))
    found = tuple(dates[LEAST_COUNTS - 1 : -1])
    if not found:
        raise BadFile(
            f"{len(dates)} published counts of children looked after: a back-test needs at least {LEAST_COUNTS + 1}, "
            f"{LEAST_COUNTS} to calibrate on and one to score"
        )
    return found[-count:] if count else found


def asked_published(text: str | None, counts: Counts) -> tuple[dt.date, ...]:
    """Origins as asked for: nothing, a count, or dates of counts.

    Raises:
        BadFile: a date has no count, or none after it; one line each.
    """
    known = published_origins(counts)
    if text is None or not text.strip():
        return known
    words = [word.strip() for word in text.split(",") if word.strip()]
    if len(words) == 1 and words[0].isascii() and words[0].isdigit() and 0 < int(words[0]) < 1000:
        return published_origins(counts, int(words[0]))
    usable = {day.isoformat(): day for day in known}
    wrong = [word for word in words if word not in usable]
    if wrong:
        raise BadFile(
            *(f"--origins: found {word!r}; should be a count, or one of {', '.join(usable)}" for word in wrong)
        )
    return tuple(sorted({usable[word] for word in words}))


def backtest_published(counts: Counts, refit: RefitAt, settings: Settings, progress: Progress | None = None) -> Tested:
    """Score the forecast made at every origin against the counts that came after it.

    Raises:
        BadFile: none of the origins could be calibrated; one line for each.
    """
    jobs = [partial(one_origin, counts, refit, settings, origin) for origin in settings.origins]
    return gathered_rows(settings.origins, jobs, settings.workers, progress)


def one_origin(counts: Counts, refit: RefitAt, settings: Settings, origin: dt.date) -> list[dict[str, Any]] | str:
    """Every scored row of one origin, or why it could not be calibrated."""
    later = {cell: _later(series, origin, settings.horizons[-1]) for cell, series in counts.items()}
    last = max(date for dates in later.values() for date in dates)
    try:
        told = tell(refit(origin), last, settings.replications, settings.seed)
    except BadFile as error:
        return "; ".join(error.lines)
    rows = []
    for cell, dates in later.items():
        past = np.array([value for date, value in sorted(counts[cell].items()) if date <= origin])
        scale = scores.seasonal_scale(past, season=1)
        for date, months in dates.items():
            values = told.at(cell, date)
            given = references_of(past, round(months / 12)) if origin in counts[cell] else {}
            if values is not None:
                given = {MODEL: Forecast(values), **given}
            for model, forecast in given.items():
                head = {
                    "origin": origin.isoformat(), "date": date.isoformat(), "horizon_months": months,
                    "measure": cell[0], "breakdown": cell[1], "model": model,
                }  # fmt: skip
                rows.append(head | row_of(forecast, counts[cell][date], scale, "|".join(map(str, head.values()))))
    return rows


def _later(series: Mapping[dt.date, float], origin: dt.date, most: int) -> dict[dt.date, int]:
    """Dates of later counts and how many months they lie ahead, up to the longest horizon."""
    ahead = {
        date: 12 * (date.year - origin.year) + date.month - origin.month for date in sorted(series) if date > origin
    }
    return {date: months for date, months in ahead.items() if months <= most}


def references_of(past: Array, years: int) -> dict[str, Forecast]:
    """Last value with the spread of its own past changes, and drift, from yearly counts.

    Changes over as many years as the horizon; where there are fewer than two, one-year changes scaled by its root.
    """
    if len(past) < LEAST_COUNTS or years < 1:
        return {}
    lag = years if len(past) - years >= 2 else 1
    changes = (past[lag:] - past[:-lag]) * np.sqrt(years / lag)
    centre = float(past[-1])
    last = Forecast(np.maximum(np.concatenate([centre - changes, centre + changes]), 0.0))
    return {LAST_VALUE: last, DRIFT: references.drift(past, years)}
