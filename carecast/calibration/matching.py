"""Simulation-based matching: the levels at which the simulation itself, with all its rules, does what the figures say.

The fast twin that the levels are fitted with knows a steady state only. Today's children are not in one: more may be about
to turn 18 than in the long run. So the set is simulated two years ahead on the compiled clock, a few dozen times at the
centre and again with starts, exits and residential demand each moved a little. Replications share their draws, so a few
give the slopes. A linear emulator y = y0 + J theta of the summaries (children looked after and in residential care after
one and two years, starts and ceases of the first year) then makes a synthetic Gaussian likelihood:

    minimise  sum ((y_k - wanted_k) / sd_k)^2 + sum (theta_j / prior_j)^2

The set is simulated once more at that minimum, which puts y0 right there, and the minimum is taken again.

The spread of the net level (how far entries and exits may stand from balance today) is set so that simulated counts swing
as counts of such councils do: ln S_h has variance c_h + (slope_h x spread)^2, c_h what the draws of the net level leave.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from carecast.calibration.arrays import Array
from carecast.model.parameters import Calibrated

SHIFTS = ("starts", "exits", "residential")
STEPS = {"starts": 0.1, "exits": 0.1, "residential": 0.25}
PRIOR_SD = {"starts": 0.10, "exits": 0.20, "residential": 0.5}
SUMMARIES = ("total_1", "total_2", "residential_1", "residential_2", "starts", "ceases")
SUMMARY_SD = {
    "total_1": 0.01,
    "total_2": 0.01,
    "residential_1": 0.03,
    "residential_2": 0.03,
    "starts": 0.05,
    "ceases": 0.05,
}
MONTHS = (12, 24)
FIRST_SPREAD = 0.2  # of the net level in the first run
LEAST_SPREAD, MOST_SPREAD = 0.03, 0.6
RUN_SEED = 20250331
REPLICATIONS = (60, 240)  # at the centre, fewer in large councils
AT_CENTRE = 600 * 96  # children looked after x replications
OF_A_STEP = 0.4  # replications of each step relative to the centre
NET_LEVEL = "levels at the as-at date"  # the column of draws that moves entries against exits


@dataclass(frozen=True, slots=True)
class Shifts:
    """Log shifts of levels that the fast twin does not see, and the spread of the net level."""

    starts: float = 0.0
    exits: float = 0.0
    residential: float = 0.0
    spread: float = FIRST_SPREAD


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the simulation is matched to: expected counts and flows, and the log spread of the total at 1 and 2 years."""

    total: float
    residential: tuple[float, float]
    starts: float
    swing: tuple[float, float]

    def logs(self) -> Array:
        """In the order of ``SUMMARIES``."""
        values = (self.total, self.total, *self.residential, self.starts, self.starts)
        return np.log(np.maximum(values, 0.5))


@dataclass(frozen=True, slots=True)
class Matched:
    """Shifts found, and what was simulated, for the record."""

    shifts: Shifts
    found: Mapping[str, float]
    wanted: Mapping[str, float]
    expected: Mapping[str, float]
    replications: int


def matched(make: Callable[[Shifts], Calibrated], wanted: Wanted, net_level: Array) -> Matched:
    """Find the shifts.

    Args:
        make: a set at given shifts; the same stock each time.
        wanted: what to match.
        net_level: standard draws of the net level, by row.
    """
    n = int(np.clip(AT_CENTRE / max(wanted.total, 1.0), *REPLICATIONS))
    centre = summaries(make(Shifts()), n)
    few = max(int(OF_A_STEP * n), 12)
    slopes = np.zeros((len(SUMMARIES), len(SHIFTS)))
    for at, name in enumerate(SHIFTS):
        moved = summaries(make(_moved_alone(name)), few)
        slopes[:, at] = (_mean_log(moved) - _mean_log(centre[:few])) / STEPS[name]
    found = _centred(centre, net_level[:n])
    first = _solve(found, slopes, wanted.logs())
    again = summaries(make(_shifts(first, FIRST_SPREAD)), n)  # far from where the slopes were taken they miss
    there = _centred(again, net_level[:n])
    theta = _solve(there - slopes @ first, slopes, wanted.logs())
    spread = _spread(again, net_level[:n], wanted.swing)
    return Matched(
        _shifts(theta, spread),
        dict(zip(SUMMARIES, np.exp(found).round(2).tolist(), strict=True)),
        dict(zip(SUMMARIES, np.exp(wanted.logs()).round(2).tolist(), strict=True)),
        dict(zip(SUMMARIES, np.exp(there + slopes @ (theta - first)).round(2).tolist(), strict=True)),
        n,
    )


def _shifts(theta: Array, spread: float) -> Shifts:
    starts, exits, residential = (round(float(x), 4) for x in theta)
    return Shifts(starts, exits, residential, round(spread, 4))


def _centred(values: Array, net_level: Array) -> Array:
    """Log means as at a net level of none: that of the rows used is not exactly so."""
    out: Array = _mean_log(values) - _by_net_level(values, net_level) * float(net_level.mean())
    return out


def _moved_alone(name: str) -> Shifts:
    """One shift of its step, none of the others."""
    steps = [STEPS[name] if other == name else 0.0 for other in SHIFTS]
    return Shifts(steps[0], steps[1], steps[2])


def _mean_log(values: Array) -> Array:
    out: Array = np.log(np.maximum(values.mean(axis=0), 0.5))
    return out


def _by_net_level(centre: Array, net_level: Array) -> Array:
    """Slopes of the log summaries on the net level."""
    slopes: Array = np.polyfit(net_level, np.log(np.maximum(centre, 0.5)), 1)[0]
    return slopes


def _solve(now: Array, slopes: Array, wanted: Array) -> Array:
    """The shifts that minimise misfit and distance from none."""
    sd = np.array([SUMMARY_SD[name] for name in SUMMARIES])
    prior = np.array([PRIOR_SD[name] for name in SHIFTS])
    rows = np.vstack([slopes / sd[:, np.newaxis], np.diag(1 / prior)])
    aims = np.concatenate([(wanted - now) / sd, np.zeros(len(prior))])
    found: Array = np.linalg.lstsq(rows, aims, rcond=None)[0]
    return found


def _spread(centre: Array, net_level: Array, swing: tuple[float, float]) -> float:
    """Spread of the net level at which the total swings as wanted after one and two years, as nearly as may be."""
    left, slope = [], []
    for at in range(len(MONTHS)):
        logs = np.log(np.maximum(centre[:, at], 0.5))
        gain = float(np.polyfit(net_level, logs, 1)[0])
        left.append(max(float(np.var(logs)) - (gain * float(net_level.std())) ** 2, 1e-6))
        slope.append(max(gain, 0.0) / FIRST_SPREAD)
    tries = np.geomspace(LEAST_SPREAD, MOST_SPREAD, 120)
    misfit = sum(
        (0.5 * np.log(c + (s * tries) ** 2) - np.log(wanted)) ** 2
        for c, s, wanted in zip(left, slope, swing, strict=True)
    )
    return float(tries[int(np.argmin(misfit))])


def summaries(calibrated: Calibrated, replications: int, seed: int = RUN_SEED) -> Array:
    """[replication][summary] of the baseline simulated two years ahead."""
    from carecast.model.engine import World, simulate
    from carecast.model.plan import Plan
    from carecast.model.results import reduce_log

    start = calibrated.parameters.as_at
    until = dt.date(start.year + 2, start.month, 28 if (start.month, start.day) == (2, 29) else start.day)
    world = World(calibrated, Plan("baseline"), until=until, seed=seed)
    out = np.zeros((replications, len(SUMMARIES)))
    for replication in range(replications):
        told = simulate(world, replication)
        tables = reduce_log(told.log, told.children, world.calendar, world.providers, world.locality_names)
        by_name = {name: tables.monthly[tables.rows.index((name, "total"))] for name in MEASURES}
        total, residential, starts, ceases = (by_name[name] for name in MEASURES)
        first_year = slice(1, MONTHS[0] + 1)
        out[replication] = (
            *(total[at] for at in MONTHS), *(residential[at] for at in MONTHS),
            starts[first_year].sum(), ceases[first_year].sum(),
        )  # fmt: skip
    return out


MEASURES = ("looked_after", "looked_after_in_residential", "entries_to_care", "exits_from_care")
