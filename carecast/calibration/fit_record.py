"""How well hazards of leaving and moving fit a council's own returns: for a reviewer, aggregates only.

Fitted against observed by cell, the mean stay the hazards imply, the same from three returns against all, and what each
return does when it is left out. Mean stay: children who enter at the ages and types of the council's own entries are
followed through the fitted hazards (``cohort.run_cohort``); stock of a steady year of entries / entries.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from carecast.calibration import cohort
from carecast.calibration.arrays import Array
from carecast.calibration.backtest.past import add_months
from carecast.calibration.readers.history import History
from carecast.calibration.returns import hazards as hz
from carecast.calibration.returns import stays as st
from carecast.model import words as w
from carecast.model.parameters import Rate

QUARTERS_A_YEAR = 4
FEW_RETURNS = 3
MOST_CELLS = 20
LEAST_EXPECTED = 5.0  # events a cell must expect for its residual to mean anything
MARGINS = {"placement_type": (1, 2), "age_band": (0, 2), "time": (0, 1)}  # axes summed over
LEVELS = {"placement_type": w.PLACEMENT_TYPES, "age_band": w.AGE_BANDS[: st.N_AGES], "time": w.DURATION_BANDS}


@dataclass(frozen=True, slots=True)
class Material:
    """What hazards are fitted to, and who enters."""

    segments: st.Segments
    ends: st.Ends
    entries: Array  # [age 0..17][placement type], entries in the window
    alone: Array  # of them unaccompanied
    moved: Array  # [from type][to type]
    base: tuple[Rate, ...]

    def fits(self) -> tuple[dict[str, hz.Fit], hz.Alone]:
        """Hazards of every exit and of moves, and the ratio of unaccompanied children."""
        return hz.with_alone(self.segments, self.ends, self.base)

    def without_year(self, back: int) -> "Material":
        """All but the days and ends of the year that lies so many years back (0: the last)."""
        kept = self.segments.quarter // QUARTERS_A_YEAR != back
        ended = self.ends.quarter // QUARTERS_A_YEAR != back
        return replace(self, segments=_masked(self.segments, kept), ends=_masked(self.ends, ended))

    def last_years(self, years: int) -> "Material":
        """Only the last years."""
        kept = self.segments.quarter // QUARTERS_A_YEAR < years
        ended = self.ends.quarter // QUARTERS_A_YEAR < years
        return replace(self, segments=_masked(self.segments, kept), ends=_masked(self.ends, ended))


def _masked(table: Any, kept: Any) -> Any:
    return replace(table, **{name: getattr(table, name)[kept] for name in table.__dataclass_fields__})


def fit_record(history: History, as_at: dt.date, base: tuple[Rate, ...]) -> dict[str, Any]:
    """The fit of a history of children; nothing after ``as_at`` is used. See ``of_stays``."""
    return of_stays(st.read_stays(history.as_at(as_at), as_at), base)


def of_stays(stays: st.Stays, base: tuple[Rate, ...]) -> dict[str, Any]:
    """What ``calibration.json`` keeps under ``diagnostics``.

    Args:
        stays: placements up to the as-at date.
        base: rates that types hardly seen lean on.
    """
    as_at = dt.date.fromordinal(stays.last_day)
    material = gathered(stays, base)
    fits, alone = material.fits()
    whole = mean_years(fits, alone, material)
    return {
        "as_at": as_at.isoformat(),
        "fitted_against_observed": [row for cause, fit in fits.items() for row in by_margin(cause, fit)],
        "furthest_cells": furthest_cells(fits),
        "mean_stays": mean_stays(fits, alone, material),
        "unaccompanied": of_alone(alone),
        "three_returns": three_returns(material, whole, int(stays.years + 0.5)),
        "influence": influence(material, whole, as_at, int(stays.years + 0.5)),
    }


def gathered(stays: st.Stays, base: tuple[Rate, ...]) -> Material:
    """Days at risk and ends by cell, entries by age and type, and where moves led."""
    first = np.ones(len(stays.start), dtype=bool)
    first[1:] = (stays.child[1:] != stays.child[:-1]) | (stays.spell[1:] != stays.spell[:-1])
    came = first & (stays.truncated == 0) & (stays.start > stays.first_day)
    age = np.clip(((stays.start - stays.birth) / w.DAYS_PER_YEAR).astype(int), 0, cohort.N_AGES - 1)
    entries, alone = np.zeros((2, cohort.N_AGES, w.N_PLACEMENT_TYPES))
    np.add.at(entries, (age[came], stays.kind[came]), 1.0)
    np.add.at(alone, (age[came], stays.kind[came]), stays.unaccompanied[came].astype(float))
    moved = np.zeros((w.N_PLACEMENT_TYPES, w.N_PLACEMENT_TYPES))
    on = np.flatnonzero(~first & (stays.start > stays.first_day))
    np.add.at(moved, (stays.kind[on - 1], stays.kind[on]), 1.0)
    return Material(st.segments(stays), st.ends(stays), entries, alone, moved, base)


# --- fitted against observed ----------------------------------------------------------------------
def by_margin(cause: str, fit: hz.Fit) -> list[dict[str, Any]]:
    """Events seen and expected by placement type, age band and time: cause, by, level, events, expected, child_years."""
    rows = []
    for by, axes in MARGINS.items():
        seen, told, years = (table.sum(axis=axes) for table in (fit.events, fit.expected, fit.years))
        for level, n, m, at_risk in zip(LEVELS[by], seen, told, years, strict=True):
            if at_risk > 0:
                rows.append(
                    {"cause": cause, "by": by, "level": level, "events": int(n), "expected": round(float(m), 2),
                     "child_years": round(float(at_risk), 1)}
                )  # fmt: skip
    return rows


def furthest_cells(fits: Mapping[str, hz.Fit]) -> list[dict[str, Any]]:
    """Single cells whose events lie furthest from what is expected, in Poisson standard errors."""
    rows = []
    for cause, fit in fits.items():
        told = fit.expected
        for kind, age, band in np.argwhere(told >= LEAST_EXPECTED):
            m, n = float(told[kind, age, band]), float(fit.events[kind, age, band])
            rows.append(
                {"cause": cause, "placement_type": w.PLACEMENT_TYPES[kind], "age_band": w.AGE_BANDS[age],
                 "time": w.DURATION_BANDS[band], "events": int(n), "expected": round(m, 2),
                 "standard_errors": round((n - m) / m**0.5, 2)}
            )  # fmt: skip
    return sorted(rows, key=lambda row: -abs(float(row["standard_errors"])))[:MOST_CELLS]


# --- mean stays -----------------------------------------------------------------------------------
def years_by_age(fits: Mapping[str, hz.Fit], alone: hz.Alone, material: Material) -> Array:
    """Child-years in care that the hazards imply for the council's entries, by year of age at entry.

    Unaccompanied children leave at their own ratio of the hazards of others.
    """
    others = cohort.run_cohort(rules_of(fits, material), material.entries - material.alone)
    out: Array = others.by_step.sum(axis=(1, 2))
    if material.alone.sum() > 0:
        theirs = cohort.run_cohort(rules_of(fits, material, alone.ratio), material.alone)
        out = out + theirs.by_step.sum(axis=(1, 2))
    return out


def mean_years(fits: Mapping[str, hz.Fit], alone: hz.Alone, material: Material) -> float:
    """Mean years in care that the hazards imply for the council's entries."""
    n = float(material.entries.sum())
    return float(years_by_age(fits, alone, material).sum()) / n if n else float("nan")


def rules_of(fits: Mapping[str, hz.Fit], material: Material, ratio: float = 1.0) -> cohort.CareRules:
    """Fitted hazards (exits times ``ratio``) and the destinations of the council's moves as the fast twin reads them."""
    exits = ratio * np.stack([fits[cause].per_year.transpose(1, 2, 0) for cause in st.EXITS])
    moves = np.zeros((2, st.N_AGES, w.N_PLACEMENT_TYPES, w.N_DURATION_BANDS))
    moves[0] = fits["move"].per_year.transpose(1, 0, 2)
    usual = material.moved.sum(axis=0)
    counts = material.moved + usual / max(float(usual.sum()), 1.0)  # one pseudo-count of moves in general
    total = counts.sum(axis=1, keepdims=True)
    share = np.where(total > 0, counts / np.maximum(total, 1e-12), np.eye(w.N_PLACEMENT_TYPES))
    to = np.broadcast_to(share, (2, st.N_AGES, *share.shape)).copy()
    nobody = np.zeros((st.N_AGES, w.N_PLACEMENT_TYPES))
    return cohort.CareRules(exits, moves, to, nobody, nobody, 1.0, 1.0)


def mean_stays(fits: Mapping[str, hz.Fit], alone: hz.Alone, material: Material) -> list[dict[str, Any]]:
    """Implied mean years in care by age at entry: entering, entries, years."""
    starts = (*w.AGE_BAND_STARTS_YEARS[: st.N_AGES], cohort.N_AGES)
    bands = (("all", 0, cohort.N_AGES), *zip(w.AGE_BANDS[: st.N_AGES], starts[:-1], starts[1:], strict=True))
    years, entries = years_by_age(fits, alone, material), material.entries.sum(axis=1)
    rows = []
    for name, low, high in bands:
        n = float(entries[low:high].sum())
        mean = float(years[low:high].sum()) / n if n else float("nan")
        rows.append({"entering": name, "entries": int(n), "years": _rounded(mean)})
    return rows


def of_alone(alone: hz.Alone) -> dict[str, Any]:
    """How unaccompanied children leave beside others: exits before 18, what others would make, ratio and interval."""
    low, high = alone.interval_80
    return {"exits": alone.exits, "expected_of_others": round(alone.expected, 2), "child_years": round(alone.years, 1),
            "ratio": round(alone.ratio, 4), "low_80": round(low, 4), "high_80": round(high, 4)}  # fmt: skip


def _rounded(value: float, digits: int = 3) -> float | None:
    return round(value, digits) if np.isfinite(value) else None


def three_returns(material: Material, whole: float, years: int) -> dict[str, Any]:
    """Mean stay from the last three years alone, beside that from all."""
    few = material.last_years(FEW_RETURNS)
    some = mean_years(*few.fits(), few) if years > FEW_RETURNS else whole
    return {"years_from_all": _rounded(whole), "years_from_three": _rounded(some), "returns": years,
            "difference_percent": _rounded(100 * (some / whole - 1), 1)}  # fmt: skip


def influence(material: Material, whole: float, as_at: dt.date, years: int) -> list[dict[str, Any]]:
    """Each year left out in turn: the mean stay without it, and its exits and moves beside what the others expect of it.

    Rows: year_to, mean_years_without, change_percent, exits, exits_expected, moves, moves_expected.
    """
    rows = []
    for back in range(years) if years > 1 else ():
        rest = material.without_year(back)
        fits, alone = rest.fits()
        mean = mean_years(fits, alone, rest)
        seen = _expected_of_year(material, fits, alone, back)
        change = _rounded(100 * (mean / whole - 1), 1)
        year_to = add_months(as_at, -12 * back).isoformat()
        rows.append({"year_to": year_to, "mean_years_without": _rounded(mean), "change_percent": change} | seen)
    return rows


def _expected_of_year(material: Material, fits: Mapping[str, hz.Fit], alone: hz.Alone, back: int) -> dict[str, Any]:
    """Ends of one year, and what hazards fitted without it expect of the days at risk in it."""
    here = material.segments.quarter // QUARTERS_A_YEAR == back
    ended = material.ends.quarter // QUARTERS_A_YEAR == back
    s, e = _masked(material.segments, here), _masked(material.ends, ended)
    out: dict[str, Any] = {}
    for name, causes, band, days, these in (
        ("exits", st.EXITS, s.care_band, hz.at_risk(s, alone), np.isin(e.cause, range(st.N_EXITS)) & (e.for_exits > 0)),
        ("moves", ("move",), s.placed_band, s.days, e.cause == st.MOVED),
    ):
        per_year = np.sum([fits[cause].per_year for cause in causes], axis=0)
        told = float((per_year[s.kind, s.age, band] * days).sum() / w.DAYS_PER_YEAR)
        out |= {name: int(these.sum()), f"{name}_expected": round(told, 1)}
    return out


def without_small(rows: Sequence[Mapping[str, Any]], counts: Sequence[str], smallest: int = 6) -> list[dict[str, Any]]:
    """Rows for people outside the council: counts of 1 to 5 are None."""
    return [
        {name: None if name in counts and 0 < (value or 0) < smallest else value for name, value in row.items()}
        for row in rows
    ]
