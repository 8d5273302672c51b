"""What a reviewer asks of a fit: fitted beside observed by cell, mean stays, and what each return's year weighs.

All of it aggregates. Cells with few events are summed over age bands, so that no small count of an age stands alone.
"""

import datetime as dt
from typing import Any

import numpy as np

from carecast.calibration.arrays import Array
from carecast.calibration.readers.history import History
from carecast.calibration.returns import care
from carecast.calibration.returns import hazards as hz
from carecast.calibration.returns import stays as st
from carecast.model import words as w
from carecast.model.parameters import ParameterSet

FEW = 10  # events: a row of fewer is not shown by itself
LONGEST_YEARS = 18.0
STEP_DAYS = 28
SHORT_YEARS = 3.0  # of returns, beside all of them


def fitted_against_observed(fits: dict[str, hz.Fit]) -> list[dict[str, Any]]:
    """Ends by cause, placement type and duration band: observed, fitted, child-years; small rows joined as one."""
    rows: list[dict[str, Any]] = []
    for cause, fit in fits.items():
        observed, fitted, years = fit.events.sum(axis=1), fit.expected.sum(axis=1), fit.exposure.sum(axis=1)
        small = np.zeros(3)
        for kind, name in enumerate(w.PLACEMENT_TYPES):
            for band, length in enumerate(w.DURATION_BANDS):
                cell = (observed[kind, band], fitted[kind, band], years[kind, band])
                if cell[0] < FEW:
                    small += cell
                else:
                    rows.append(_row(cause, name, length, cell))
        if small[2] > 0:
            rows.append(_row(cause, "all other cells", "all", (small[0], small[1], small[2])))
    return rows


def _row(cause: str, kind: str, band: str, cell: tuple[float, float, float]) -> dict[str, Any]:
    observed, fitted, years = cell
    return {
        "cause": cause, "placement_type": kind, "duration_band": band, "observed": int(observed),
        "fitted": round(float(fitted), 2), "child_years": round(float(years), 1),
        "z": round(float((observed - fitted) / np.sqrt(max(fitted, 0.5))), 2),
    }  # fmt: skip


def mean_stay_years(exits: Array, entries: Array) -> float:
    """Mean years in care of those who enter: exits [age band][duration band] per year, entries by year of age.

    Mean = sum over ages at entry of the integral of survival up to the 18th birthday; hazards of the types mixed as
    children lived in them.
    """
    steps = np.arange(0, int(LONGEST_YEARS * w.DAYS_PER_YEAR), STEP_DAYS)
    band = np.searchsorted(st.BAND_EDGES, steps, side="right")
    total = 0.0
    for age, weight in enumerate(entries):
        days = (age + 0.5) * w.DAYS_PER_YEAR + steps
        at = np.minimum(np.searchsorted(st.AGE_EDGES, days, side="right"), st.N_AGES - 1)
        hazard = exits[at, band] * STEP_DAYS / w.DAYS_PER_YEAR
        alive = np.exp(-np.concatenate([[0.0], np.cumsum(hazard)[:-1]])) * (days < 18 * w.DAYS_PER_YEAR)
        total += float(weight) * float(alive.sum()) * STEP_DAYS / w.DAYS_PER_YEAR
    return total / max(float(entries.sum()), 1e-9)


def pooled_exits(segments: st.Segments, ends: st.Ends) -> Array:
    """Hazard of leaving by any cause, [age band][duration band] per year: events over exposure, a little smoothed."""
    shape = (st.N_AGES, w.N_DURATION_BANDS)
    flat = np.ravel_multi_index((segments.age, segments.care_band), shape)
    years = np.bincount(flat, weights=segments.days * segments.for_exits, minlength=35).reshape(shape) / w.DAYS_PER_YEAR
    left = (ends.cause >= 0) & (ends.for_exits > 0)
    at = np.ravel_multi_index((ends.age[left], ends.care_band[left]), shape)
    events = np.bincount(at, minlength=35).reshape(shape).astype(float)
    by_band = (events.sum(axis=0) + 0.5) / (years.sum(axis=0) + 2.0)
    out: Array = (events + 4.0) / (years + 4.0 / by_band)
    return out


def stays_of(history: History, as_at: dt.date, years: float | None = None) -> dict[str, Any]:
    """Mean stay from all returns and from the last ones alone, with entries by age as in those years."""
    stays = st.read_stays(history, as_at)
    if years is not None:
        stays = later(stays, years)
    segments, ends = st.segments(stays), st.ends(stays)
    first = (stays.care_start > stays.first_day) & (stays.start == stays.care_start) & (stays.truncated == 0)
    ages = np.clip(((stays.care_start - stays.birth)[first] / w.DAYS_PER_YEAR).astype(np.int64), 0, 17)
    entries = np.bincount(ages, minlength=18).astype(float)
    return {
        "years": round(stays.years, 2),
        "mean_stay_years": round(mean_stay_years(pooled_exits(segments, ends), entries), 3),
        "entries": int(entries.sum()),
    }


def later(stays: st.Stays, years: float) -> st.Stays:
    """The same placements seen through a window that opens so many years before the as-at date.

    Whoever is in care when it opens is known with the start of care, as returns of those years would tell.
    """
    from dataclasses import replace

    return replace(stays, first_day=max(stays.first_day, stays.last_day - round(years * w.DAYS_PER_YEAR)))


def influence(found: care.Found) -> list[dict[str, Any]]:
    """What leaving out one year of returns does to entries and to leaving, relative to all years."""
    stays, spells = found.stays, found.spells
    segments, ends = st.segments(stays), st.ends(stays)
    new = (spells.is_entry > 0) & (spells.came == 0)
    total = np.sum([found.fits[cause].per_year for cause in st.EXITS], axis=0)
    expected = total[segments.kind, segments.age, segments.care_band] * segments.days * segments.for_exits
    left = (ends.cause >= 0) & (ends.for_exits > 0)
    out = []
    for back in range(int(stays.years)):
        low, high = 4 * back, 4 * back + 4
        until = stays.last_day - round(back * w.DAYS_PER_YEAR)
        mine = new & (spells.start > until - 366) & (spells.start <= until)
        others = (new.sum() - mine.sum()) / max(stays.years - 1, 1e-9)
        inside = (segments.quarter >= low) & (segments.quarter < high)
        gone = left & (ends.quarter >= low) & (ends.quarter < high)
        rest = float(expected[~inside].sum()) / w.DAYS_PER_YEAR
        out.append(
            {
                "year_to": dt.date.fromordinal(until).isoformat(),
                "entries": int(mine.sum()),
                "entries_without_it": round(float(others / (new.sum() / stays.years)), 4),
                "exits": int(gone.sum()),
                "leaving_rate_without_it": round(float((left.sum() - gone.sum()) / max(rest, 1e-9)), 4),
            }
        )
    return out[::-1]


def review(history: History, found: care.Found, base: ParameterSet) -> dict[str, Any]:
    """Everything above, for the record."""
    as_at = dt.date.fromordinal(found.stays.last_day)
    whole = stays_of(history, as_at)
    recent = stays_of(history, as_at, SHORT_YEARS)
    return {
        "fitted_against_observed": fitted_against_observed(found.fits),
        "mean_stay": {
            "all_returns": whole,
            "three_returns": recent,
            "ratio": round(recent["mean_stay_years"] / max(whole["mean_stay_years"], 1e-9), 4),
        },
        "influence": influence(found),
        "base_council": base.council,
    }
