"""How far entries stand from exits at the as-at date, and how far that is believed.

Fitted levels of entries and exits, each with its error, imply that children looked after will grow or fall even if nothing
changes: D, the log of the stock expected in two years over the stock now. Both errors go into D, while real councils do
not change by much more in two years than chance, swings and slow walks make them. So D is one more thing to be believed:
its centre is taken as N(0, ``FORETOLD_SD``), its spread in the draws as N(0, ``BELIEVED_SD``). On synthetic councils what
came went with D one to one, so the belief is a loose one. With the levels e (entries), u (unaccompanied children) and x
(exits), uncertain as fitted,

    D = D0 + a e + b u - c x,

a and b the shares of the stock in two years who will have come since, c what more leaving takes from it, all from
simulations at the central values. Conditioning on D (a Kalman step) moves the levels in proportion to their variances,
narrows them and ties them together: many entries go with many exits in every row of the draws (Matheron's rule).
"""

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carecast.calibration import draw
from carecast.calibration.arrays import Array
from carecast.calibration.returns.close import SEED, Wanted, quiet
from carecast.calibration.returns.levels import Level
from carecast.model import words as w
from carecast.model.parameters import Calibrated, ParameterSet

YEARS = 2.0
BELIEVED_SD = 0.4  # of the log change over two years that levels alone make
FORETOLD_SD = 0.2  # of that part of it that can be foretold (tuned on synthetic councils)
MORE_LEAVING = 0.2  # log, to see what leaving does
CHILDREN_WANTED = 20_000.0
MOST_REPLICATIONS, LEAST_REPLICATIONS = 120, 10


@dataclass(frozen=True, slots=True)
class Imbalance:
    """What the levels foretold, and how they are moved."""

    foretold_ln: float  # D0
    weights: Array  # of entries, unaccompanied children, exits
    gain: Array  # by which a difference from what is believed moves each
    central_gain: Array  # the same for the centre
    foretold_sd_ln: float  # of D from the levels' errors

    @property
    def shifts(self) -> Array:
        """Log by which the central levels of entries, unaccompanied children and exits are moved."""
        out: Array = -self.central_gain * self.foretold_ln
        return out

    def draws(self, levels: dict[str, Level]) -> dict[str, Array]:
        """Levels of every row, mean one, tied by the belief that the stock keeps near what it is."""
        before = {name: np.log(levels[name].draws(name)[0]) for name in FLOWS}
        off = sum(weight * before[name] for weight, name in zip(self.weights, FLOWS, strict=True))
        off = off + BELIEVED_SD * draw.normals("imbalance")
        out = {}
        for gain, name in zip(self.gain, FLOWS, strict=True):
            level = np.exp(before[name] - gain * off)
            out[name] = level / level.mean()
        return out

    def table(self) -> dict[str, float]:
        """For the record."""
        kept = 1 - float(self.central_gain @ self.weights)
        return {
            "change_foretold_ln_two_years": round(self.foretold_ln, 4),
            "its_standard_error": round(self.foretold_sd_ln, 4),
            "believed_sd": BELIEVED_SD,
            "foretold_sd": FORETOLD_SD,
            "change_kept_ln_two_years": round(kept * self.foretold_ln, 4),
        } | {f"{name}_moved_by": round(float(np.exp(shift)), 4) for name, shift in zip(FLOWS, self.shifts, strict=True)}


FLOWS = ("entries", "unaccompanied", "exits")


def imbalance(parameters: ParameterSet, stock: pd.DataFrame, levels: dict[str, Level]) -> Imbalance:
    """What the central values foretell of the stock in two years, and the gain of the belief that it keeps near itself."""
    now = float((stock["state"] == "in_care").sum())
    later = in_two_years(parameters, stock)
    fewer = in_two_years(leaving_more(parameters, MORE_LEAVING), stock)
    total = max(float(later.sum()), 1.0)
    more = math.log(total / max(float(fewer.sum()), 1.0)) / MORE_LEAVING
    weights = np.array([float(later[1]) / total, float(later[2]) / total, -more])
    errors = np.array([levels[name].sd_ln for name in FLOWS]) ** 2
    variance = float(weights**2 @ errors)
    foretold = math.log(total / max(now, 1.0))
    gain = errors * weights / (variance + BELIEVED_SD**2)
    central = errors * weights / (variance + FORETOLD_SD**2)
    return Imbalance(foretold, weights, gain, central, math.sqrt(variance))


def in_two_years(parameters: ParameterSet, stock: pd.DataFrame) -> Array:
    """Children in care in two years, mean: who is there now or comes back, new ones, unaccompanied new ones."""
    from carecast.model.engine import World, simulate
    from carecast.model.plan import Plan

    until = dt.date.fromordinal(parameters.as_at.toordinal() + round(YEARS * w.DAYS_PER_YEAR))
    world = World(
        Calibrated(parameters=quiet(parameters), draws=pd.DataFrame(), stock=stock, record={}),
        Plan("baseline"),
        until,
        SEED,
    )
    now = max(int((stock["state"] == "in_care").sum()), 1)
    replications = int(np.clip(CHILDREN_WANTED / now, LEAST_REPLICATIONS, MOST_REPLICATIONS))
    out = np.zeros(3)
    for replication in range(replications):
        told = simulate(world, replication)
        event, child = np.asarray(told.log.event), np.asarray(told.log.child)
        since = np.asarray(told.log.day) > parameters.as_at.toordinal()
        detail = np.asarray(told.log.detail)
        entered = (event == w.ENTERED_CARE) & (since | (detail == w.ENTRY_STOCK))
        net = np.zeros(len(told.children.birth_day))
        np.add.at(net, child[entered], 1.0)
        np.add.at(net, child[(event == w.LEFT_CARE) & since], -1.0)
        how = np.zeros(len(net), dtype=np.int64)
        last_how = detail[entered]
        how[child[entered]] = np.where(last_how == w.UNACCOMPANIED, 2, np.where(last_how >= w.ENTRY_RETURN, 0, 1))
        out += np.bincount(how, weights=net, minlength=3)
    return out / replications


def leaving_more(parameters: ParameterSet, log_ratio: float) -> ParameterSet:
    """The set with all hazards of leaving care moved."""
    factor = math.exp(log_ratio)
    rates = tuple(
        rate.model_copy(update={"per_year": tuple(tuple(round(x * factor, 6) for x in row) for row in rate.per_year)})
        if rate.cause in EXITS
        else rate
        for rate in parameters.rates
    )
    return parameters.model_copy(update={"rates": rates})


EXITS = frozenset(w.CAUSES[w.FIRST_EXIT : w.LAST_EXIT + 1])


def moved(wanted: Wanted, found: Imbalance) -> Wanted:
    """Entries a year at the levels moved."""
    entries, alone, _ = np.exp(found.shifts)
    by_route = {
        route: n * float(alone if route == w.UNACCOMPANIED else entries) for route, n in wanted.by_route.items()
    }
    return Wanted(
        by_route, wanted.by_age * entries, wanted.at_home, wanted.emergency_ages * entries, wanted.all_ages * entries
    )
