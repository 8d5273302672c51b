"""Levels of entries, exits and residential demand in each past year that reproduce the published counts by setting.

The expected stock at a date is what is left of all who entered before, with entries at level g and exits at level h:

    T(t) = sum over e of K(e) g(t - e) p(t - e) exp(- sum over s < e of (h(t - e + s) - 1) X(s) ds)

K the stock that a steady year of entries leaves after e years, X the rate of leaving care then, p the population of
children relative to the base year. Residential care turns over fast and follows dR/dt = m (R0 r(t) T(t)/T0 - R). Log
levels are random walks over years that run from August to July; increments have the drift of the forecast as their
prior.
"""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from carecast.calibration import cohort as co
from carecast.calibration import fit
from carecast.calibration.arrays import Array
from carecast.calibration.care_fit import CareModel
from carecast.calibration.fit import Z90, Fitted, Prior, Target
from carecast.calibration.pack import Pack
from carecast.model import words as w

FIRST_COUNT = dt.date(2014, 7, 31)  # financial year 2013-14; earlier years were coded differently
CHANCE_SD = {"total": 0.03, "residential": 0.10}  # log: what the chance of single children adds to a count
LEAST_COUNT = 0.5  # children where nobody is counted: a log has no nought
ONE_COUNT_SD = 0.2  # of entries less exits where a single count says nothing of their balance
BEFORE_SD = 0.25  # log level of entries before the first count, and of residential demand then
DRIFTS = {"entries": "entry_level_drift", "exits": "exit_level_drift", "residential": "residential_level_drift"}


@dataclass(frozen=True, slots=True)
class Levels:
    """Yearly levels relative to those of the as-at date's steady state."""

    years: tuple[str, ...]  # August to July, such as 2014-15
    fitted: Fitted
    dates: tuple[dt.date, ...]
    published: Array  # [date][total, residential]
    reproduced: Array

    def log_levels(self, which: str) -> tuple[Array, Array]:
        """(log levels by year, their standard deviations) of ``entries``, ``exits`` or ``residential``."""
        rows = self._sums(which)
        if not self.years:
            return np.zeros(0), np.zeros(0)
        values = rows @ self.fitted.values
        return values, np.sqrt(np.einsum("ij,jk,ik->i", rows, self.fitted.covariance, rows))

    def net_sd_at_the_end(self) -> float:
        """Standard deviation of the last year's log level of entries less that of exits."""
        if not self.years:
            return ONE_COUNT_SD
        row = self._sums("entries")[-1] - self._sums("exits")[-1]
        return math.sqrt(float(row @ self.fitted.covariance @ row))

    def _sums(self, which: str) -> Array:
        """Matrix that turns the unknowns into log levels by year."""
        names = self.fitted.names
        out = np.zeros((len(self.years), len(names)))
        for row in range(len(self.years)):
            if f"{which}.before" in names:
                out[row, names.index(f"{which}.before")] = 1.0
            for year in self.years[: row + 1]:
                out[row, names.index(f"{which}.{year}")] = 1.0
        return out

    def table(self) -> list[dict[str, float | str]]:
        """Yearly levels with 80 % intervals, for the record."""
        out: list[dict[str, float | str]] = []
        for which in DRIFTS:
            values, sds = self.log_levels(which)
            for year, value, sd in zip(self.years, values, sds, strict=True):
                low, high = (math.exp(value + z * sd) for z in (-Z90, Z90))
                out.append(
                    {
                        "level": which,
                        "year": year,
                        "value": round(math.exp(value), 4),
                        "low": round(low, 4),
                        "high": round(high, 4),
                    }
                )
        return out


class Kernel:
    """What the past leaves at a date, from the steady cohort."""

    def __init__(self, care: CareModel, population: Mapping[int, float], as_at: dt.date) -> None:
        """Stock by time since entry, rates of leaving, and the turnover of residential care."""
        stock = care.cohort.by_step.sum(axis=0)
        total = stock.sum(axis=1)
        self.kept = total
        left, aged = float(care.cohort.exits.sum()), float(care.cohort.aged_out.sum())
        alive = np.maximum(total, 1e-9)
        rate = -np.diff(np.log(np.append(alive, alive[-1] * 0.9)))  # per step
        self.leaving = np.clip(rate, 0.0, 1.0) * left / (left + aged)
        residential = slice(w.FIRST_RESIDENTIAL, None)
        out = care.cohort.exits[:, residential].sum() + care.cohort.aged_out[residential].sum()
        self.residential_0 = float(stock[:, residential].sum())
        self.turnover = (float(out) + float(care.cohort.moves[1, residential].sum())) / self.residential_0
        self.total_0 = float(total.sum())
        years = np.array(sorted(population))
        self.people = (years, np.array([population[int(y)] / population[as_at.year] for y in years]))

    def stock(
        self, dates: tuple[dt.date, ...], entries: Array, exits: Array, residential: Array, before: float
    ) -> Array:
        """[date][total, residential] for levels by year; ``before``: log level of entries before the first date."""
        first = dates[0].toordinal()
        steps = int((dates[-1].toordinal() - first) / co.STEP_DAYS) + 1
        when = first + np.arange(-co.N_STEPS, steps + 1) * co.STEP_DAYS
        year = np.clip(((when - first) / w.DAYS_PER_YEAR).astype(int), 0, len(entries) - 1)
        past = when < first
        people = np.interp(1970.0 + (when - 719344) / w.DAYS_PER_YEAR, *self.people)
        came = np.where(past, math.exp(before), np.exp(entries[year])) * people
        exit_level = np.where(past, 1.0, np.exp(exits[year])) - 1.0
        wanted = np.exp(residential[year])
        totals = np.array([self._total(at, came, exit_level) for at in range(co.N_STEPS, len(when))])
        home = np.zeros(len(totals))
        home[0] = self.residential_0 * math.exp(residential[0]) * totals[0] / self.total_0
        for at in range(1, len(totals)):
            aim = self.residential_0 * wanted[co.N_STEPS + at] * totals[at] / self.total_0
            home[at] = home[at - 1] + (aim - home[at - 1]) * -math.expm1(-self.turnover * co.STEP_YEARS)
        days = when[co.N_STEPS :]
        asked = [date.toordinal() for date in dates]
        return np.column_stack([np.interp(asked, days, totals), np.interp(asked, days, home)])

    def _total(self, at: int, came: Array, exit_level: Array) -> float:
        """Stock at one step: entrants by time since entry, thinned or kept by the exit levels they lived through."""
        since = slice(at - co.N_STEPS + 1, at + 1)
        entered = came[since][::-1]  # by steps since entry
        lived = np.zeros(co.N_STEPS)
        level = exit_level[since][::-1]
        # entrants of e steps ago met level[e - s] when they had been in care s steps
        for_lag = np.convolve(level, self.leaving)[: co.N_STEPS]
        lived[1:] = for_lag[:-1]
        return float((self.kept * entered * np.exp(-lived)).sum())


def counts(pack: Pack, as_at: dt.date) -> tuple[tuple[dt.date, ...], Array]:
    """Dates and published counts [date][total, residential] from the first count used to the as-at date."""
    settings = {
        setting: {f.period: f.value for f in pack.all_of(f"stock_{setting}") if f.value is not None}
        for setting in ("residential", "community")
    }
    dates = sorted(dt.date.fromisoformat(day) for day in settings["residential"] if day in settings["community"])
    used = tuple(date for date in dates if FIRST_COUNT <= date <= as_at)
    rows = [(settings["residential"][d.isoformat()], settings["community"][d.isoformat()]) for d in used]
    return used, np.array([(a + b, a) for a, b in rows])


def fit_levels(pack: Pack, care: CareModel, population: Mapping[int, float], as_at: dt.date) -> Levels:
    """Yearly levels by penalised least squares."""
    dates, published = counts(pack, as_at)
    years = tuple(f"{date.year}-{(date.year + 1) % 100:02d}" for date in dates[:-1])
    if not years:
        nothing = fit.Fitted((), np.zeros(0), np.zeros((0, 0)), (), np.zeros(0), 0)
        return Levels((), nothing, dates, published, published.astype(float))
    kernel = Kernel(care, population, as_at)
    priors = [Prior("entries.before", 0.0, BEFORE_SD), Prior("residential.before", 0.0, BEFORE_SD)]
    for which, figure in DRIFTS.items():
        priors += [Prior(f"{which}.{year}", 0.0, pack.value(figure)) for year in years]
    targets = [
        Target(f"{name}.{date}", max(float(value), LEAST_COUNT), CHANCE_SD[name])
        for date, row in zip(dates, published, strict=True)
        for name, value in zip(("total", "residential"), row, strict=True)
    ]

    def stock(theta: Mapping[str, float]) -> Array:
        walks = {which: np.cumsum([theta[f"{which}.{year}"] for year in years]) for which in DRIFTS}
        before, home = theta["entries.before"], theta["residential.before"]
        return kernel.stock(dates, before + walks["entries"], walks["exits"], home + walks["residential"], before)

    def model(theta: Mapping[str, float]) -> dict[str, float]:
        return dict(zip((target.name for target in targets), stock(theta).ravel().tolist(), strict=True))

    fitted = fit.match(priors, targets, model)
    theta = dict(zip(fitted.names, fitted.values.tolist(), strict=True))
    return Levels(years, fitted, dates, published, stock(theta))
