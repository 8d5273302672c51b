"""Hazards of exits and moves from events and exposure: main effects as the prior of each cell, the cell's own events beside.

For each cause, events in a cell of (placement type, age band, duration band) are Poisson with mean hazard x exposure.
Main effects:  ln hazard = type + age + duration, Poisson regression with a ridge so that a level nobody has been in
takes the mean of the others. These are bent two factors at a time (type and duration, type and age, age and duration)
as far as the data bear it. Each cell then has a gamma prior with that mean and shape k, and the posterior mean

    hazard = (events + k) / (exposure + k / main effect),

so a cell with many events follows its own data and an empty one the main effects. k is the one of ``SHAPES`` with the
largest marginal (negative binomial) likelihood. Source: guides of empirical Bayes rate estimation (Clayton and Kaldor
1987, Biometrics 43, 671).

Unaccompanied children mostly stay until they are 18, others of their age do not. One ratio r tells their hazards of every
exit from those of others in the same cell: fitted hazards are per child-year of others, a child-year of theirs counts r,
and

    r = (their exits + k) / (exits that the hazards of others expect of them + k / the ratio believed beforehand),

turn by turn with the hazards until both settle; k is worth ``ALONE_EXITS`` exits.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from carecast.calibration.arrays import Array
from carecast.calibration.fit import Z90
from carecast.calibration.returns import stays as st
from carecast.model import words as w
from carecast.model.parameters import Rate

SHAPES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
RIDGE = 0.3  # precision of a level's log effect around the mean: a standard deviation of 1.8
SMOOTH = 2.0  # precision of the difference of neighbouring bands
LEAST_EVENTS_OF_TYPE = 1
LEAST_EXPOSURE_YEARS = 3.0  # of a type: below it the base's own hazards stand
LARGEST_HAZARD = 40.0  # per year
MOST_ROUNDS = 60
ALONE_RATIO = 0.5  # believed beforehand: hazards of leaving of unaccompanied children over those of others
ALONE_EXITS = 4.0  # that this belief is worth
ALONE_DISPERSION = 1.2  # variance of their exits over the mean, as of every table of hazards
ALONE_TURNS, ALONE_SETTLED = 12, 1e-4
PAIRS = (1, 2, 0)  # the factor summed over: type and duration, type and age, age and duration


@dataclass(frozen=True, slots=True)
class Fit:
    """Hazards of one cause."""

    cause: str
    events: Array  # [type][age][band]
    exposure: Array  # child-years; of exits, those of unaccompanied children times their ratio
    main: Array
    per_year: Array
    shape: float
    sd_ln: Array = field(default_factory=lambda: np.zeros(0))  # standard error of each cell's log hazard
    years: Array = field(default_factory=lambda: np.zeros(0))  # child-years at risk, every child counted once

    @property
    def expected(self) -> Array:
        """Events the fitted hazards expect in each cell."""
        return self.per_year * self.exposure


@dataclass(frozen=True, slots=True)
class Alone:
    """How the hazards of leaving of unaccompanied children stand to those of others of their age."""

    ratio: float
    exits: int  # theirs, before 18
    expected: float  # what the hazards of others expect of them
    years: float  # child-years at risk
    sd_ln: float  # of the ratio's log

    @property
    def is_seen(self) -> bool:
        """Whether the files hold any unaccompanied child at risk."""
        return self.years > 0

    def at(self, z: Array) -> Array:
        """The ratio at standard normals: lognormal, its mean the ratio."""
        out: Array = self.ratio * np.exp(self.sd_ln * z - 0.5 * self.sd_ln**2)
        return out

    @property
    def interval_80(self) -> tuple[float, float]:
        """10th and 90th percentile."""
        low, high = self.at(np.array([-Z90, Z90])).tolist()
        return min(low, self.ratio), high


def fit_cause(cause: str, events: Array, exposure: Array, prior: Array | None = None) -> Fit:
    """Fit one cause; ``prior`` [type][age][band] per year, where given, is what types hardly seen lean on."""
    single = main_effects(events, exposure, prior)
    main = with_pairs(single, events, exposure)
    shape = _best_shape(events, exposure * main)
    per_year = (events + shape) / (exposure + shape / np.maximum(main, 1e-12))
    expected = float((per_year * exposure).sum())
    if events.sum() > 0 and expected > 0:  # as many ends as were seen: shrinking cells moves none in or out
        per_year = per_year * (float(events.sum()) / expected)
    per_year = np.where(main <= 1e-9, main, np.minimum(per_year, LARGEST_HAZARD))
    errors = standard_errors(single, events, exposure, shape)
    return Fit(cause, events, exposure, main, per_year, shape, errors, exposure)


def standard_errors(single: Array, events: Array, exposure: Array, shape: float) -> Array:
    """Standard error of each cell's log hazard: the cell's gamma posterior, and its prior mean's own error.

    var = 1 / (n + k) + (k / (n + k))^2 (x' C x + sum over pairs 1 / (n_pair + k_pair)), n the cell's events, k its shape,
    C the inverse penalised information of the main effects x.
    """
    design = _design(events.shape)
    mean = (single * exposure).ravel()
    covariance = np.linalg.inv(design.T @ (design * mean[:, None]) + _penalty(events.shape))
    error = np.einsum("ij,jk,ik->i", design, covariance, design).reshape(events.shape)
    out = single
    for axis in PAIRS:
        seen, expected = events.sum(axis=axis), (out * exposure).sum(axis=axis)
        pair = _best_shape(seen, expected)
        error = error + np.expand_dims(1 / (seen + pair), axis)
        out = out * np.expand_dims((seen + pair) / (expected + pair), axis)
    lean = shape / (events + shape)
    sd: Array = np.sqrt(1 / (events + shape) + lean**2 * error)
    return sd


def with_pairs(mean: Array, events: Array, exposure: Array) -> Array:
    """Main effects bent, two factors at a time, as far as the events of each pair of levels bear it.

    Type and duration first, then type and age, then age and duration: each margin's ratio of events to expected is shrunk
    to one by its own gamma shape. Without it the stays of one type would be shaped like those of all.
    """
    out = mean.copy()
    for axis in PAIRS:
        seen, expected = events.sum(axis=axis), (out * exposure).sum(axis=axis)
        shape = _best_shape(seen, expected)
        out = out * np.expand_dims((seen + shape) / (expected + shape), axis)
    return out


def _best_shape(events: Array, expected: Array) -> float:
    """The gamma shape under which these counts are most likely."""
    told = expected > 0
    if not told.any():
        return SHAPES[-1]
    return max(SHAPES, key=lambda k: _marginal(events[told], expected[told], k))


def _marginal(events: Array, mean: Array, shape: float) -> float:
    """Log likelihood of negative binomial counts, up to what does not depend on the shape."""
    from scipy.special import gammaln

    return float(
        (
            gammaln(events + shape)
            - gammaln(shape)
            + shape * np.log(shape / (shape + mean))
            + events * np.log(mean / (shape + mean) + 1e-300)
        ).sum()
    )


def main_effects(events: Array, exposure: Array, prior: Array | None = None) -> Array:
    """Main effects of type, age and duration by penalised Poisson regression (Newton steps).

    Neighbouring age and duration bands are drawn together, so that a band with few events does not jump.
    """
    shape = events.shape
    total, years = float(events.sum()), float(exposure.sum())
    if total <= 0 or years <= 0:
        return np.zeros(shape) if prior is None else prior * (0.5 / (0.5 + (prior * exposure).sum()))
    by_type = exposure.sum(axis=(1, 2))
    design = _design(shape)
    penalty = _penalty(shape)
    x = np.zeros(design.shape[1])
    y, offset = events.ravel(), exposure.ravel()
    base = math.log(total / years)
    for _ in range(MOST_ROUNDS):
        mean = offset * np.exp(base + design @ x)
        gradient = design.T @ (y - mean) - penalty @ x
        step = np.linalg.solve(design.T @ (design * mean[:, None]) + penalty, gradient)
        size = min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-9))
        x += size * step
        if np.abs(step).max() < 1e-7:
            break
    fitted = np.exp(base + design @ x).reshape(shape)
    if prior is not None:
        strange = (by_type < LEAST_EXPOSURE_YEARS) & (events.sum(axis=(1, 2)) < LEAST_EVENTS_OF_TYPE)
        fitted[strange] = prior[strange]
    return np.minimum(fitted, LARGEST_HAZARD)


def _design(shape: tuple[int, ...]) -> Array:
    """One row a cell: the mean and the levels of the three factors."""
    count = int(np.prod(shape))
    return np.stack([np.ones(count), *(level for axis in range(3) for level in _levels(shape, axis))], axis=1)


def _levels(shape: tuple[int, ...], axis: int) -> list[Array]:
    index = np.indices(shape)[axis].ravel()
    return [(index == level).astype(float) for level in range(shape[axis])]


def _penalty(shape: tuple[int, ...]) -> Array:
    size = 1 + sum(shape)
    out = np.eye(size) * RIDGE
    out[0, 0] = 1e-6  # the mean is free
    start = 1 + shape[0]
    for n in shape[1:]:
        for at in range(start, start + n - 1):
            out[at, at] += SMOOTH
            out[at + 1, at + 1] += SMOOTH
            out[at, at + 1] -= SMOOTH
            out[at + 1, at] -= SMOOTH
        start += n
    return out


def base_table(rates: tuple[Rate, ...], cause: str) -> Array:
    """A base's hazards of one cause, [type][age][band] per year."""
    out = np.zeros((w.N_PLACEMENT_TYPES, st.N_AGES, w.N_DURATION_BANDS))
    for rate in rates:
        if rate.cause == cause:
            for name in rate.placement_types or w.PLACEMENT_TYPES:
                out[w.PLACEMENT_TYPES.index(name)] = np.array(rate.per_year)[: st.N_AGES]
    return out


def fit_care(segments: st.Segments, ends: st.Ends, base: tuple[Rate, ...]) -> dict[str, Fit]:
    """Fits of every exit (over time in care) and of moves (over time in placement)."""
    return with_alone(segments, ends, base)[0]


def with_alone(segments: st.Segments, ends: st.Ends, base: tuple[Rate, ...]) -> tuple[dict[str, Fit], Alone]:
    """The fits of every exit and of moves, and the ratio of unaccompanied children that belongs to them."""
    fits, alone = _exits(segments, ends, base)
    these = ends.cause == st.MOVED
    exposure = st.cells(segments.kind, segments.age, segments.placed_band, segments.days) / w.DAYS_PER_YEAR
    events = st.cells(ends.kind[these], ends.age[these], ends.placed_band[these])
    fits["move"] = fit_cause("move", events, exposure, base_table(base, "move"))
    return fits, alone


def _exits(segments: st.Segments, ends: st.Ends, base: tuple[Rate, ...]) -> tuple[dict[str, Fit], Alone]:
    """Hazards of exits and the ratio, turn by turn (Newton's step on its log) until the ratio settles."""
    theirs = _exposure(segments, segments.for_exits * segments.alone)
    others = _exposure(segments, segments.for_exits * (1 - segments.alone))
    counted = (ends.cause >= 0) & (ends.for_exits > 0)
    events = {}
    for number, cause in enumerate(st.EXITS):
        these = counted & (ends.cause == number)
        events[cause] = st.cells(ends.kind[these], ends.age[these], ends.care_band[these])
    seen, years = int((counted & (ends.alone > 0)).sum()), float(theirs.sum())
    ratio = ALONE_RATIO
    for _ in range(ALONE_TURNS):
        exposure = others + ratio * theirs
        fits = {cause: fit_cause(cause, events[cause], exposure, base_table(base, cause)) for cause in st.EXITS}
        told = np.sum([fit.per_year for fit in fits.values()], axis=0) * theirs
        expected = float(told.sum())
        share = ratio * theirs / np.maximum(exposure, 1e-12)  # theirs, of what is expected of a cell
        own = ratio * float((told * (1 - share)).sum())  # information on the log ratio: who of a cell left
        alone = Alone(ratio, seen, expected, years, math.sqrt(ALONE_DISPERSION / (own + ALONE_EXITS)))
        if years <= 0:
            break
        total = expected + ALONE_EXITS / ALONE_RATIO
        step = math.log((seen + ALONE_EXITS) / total) - math.log(ratio)
        if abs(step) < ALONE_SETTLED:
            break
        ratio *= math.exp(float(np.clip(step / (1 - float((told * share).sum()) / total), -1.0, 1.0)))
    return {cause: replace(fit, years=others + theirs) for cause, fit in fits.items()}, alone


def _exposure(segments: st.Segments, weight: Array) -> Array:
    """Child-years by cell over time in care."""
    return st.cells(segments.kind, segments.age, segments.care_band, segments.days * weight) / w.DAYS_PER_YEAR


def at_risk(segments: st.Segments, alone: Alone) -> Array:
    """Days of each piece as hazards of exits count them: nothing where time in care is not known, ``ratio`` for theirs."""
    out: Array = segments.days * segments.for_exits * np.where(segments.alone > 0, alone.ratio, 1.0)
    return out


def rates_of(fits: dict[str, Fit], source: str, date: str, weighed: str = "") -> tuple[Rate, ...]:
    """Hazards as rates of the parameter set, one table a cause and placement type; ``weighed`` says how exits count."""
    made = []
    for cause, fit in fits.items():
        for kind, name in enumerate(w.PLACEMENT_TYPES):
            table = np.zeros((w.N_AGE_BANDS, w.N_DURATION_BANDS))
            table[: st.N_AGES] = fit.per_year[kind]
            if table.max() <= 0:
                continue
            events, years = int(fit.events[kind].sum()), float(fit.years[kind].sum())
            made.append(
                Rate(
                    cause=cause,
                    label=name,
                    placement_types=(name,),
                    per_year=tuple(tuple(round(float(x), 6) for x in row) for row in table),
                    how="fitted" if events else "assumed",
                    source=source if events else f"No such end in {years:.0f} child-years: main effects and base",
                    date=date,
                    note=f"{events} ends in {years:.1f} child-years{weighed if cause != 'move' else ''}",
                )
            )
    return tuple(made)
