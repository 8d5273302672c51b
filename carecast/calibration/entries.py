"""Who starts to be looked after by which way, and the chances at a pre-entry decision that make it so.

A family's decision is made for its lead child; each brother or sister joins with a given chance. Children who enter are
therefore the lead children of the decisions and direct routes, and brothers and sisters some way apart in age:

    starts(age) = direct + returning + sum over bands b of the lead of care chance(b) decisions(b) children(b, age)

Care chances (and the number of newborn families) are chosen so that starts by age come out as wanted, near their
priors.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from carecast.calibration import cohort as co
from carecast.calibration import funnel
from carecast.calibration.arrays import Array
from carecast.calibration.fit import log_sd, logit
from carecast.calibration.pack import Pack
from carecast.calibration.shapes import ages_from_groups
from carecast.model import words as w

N_BANDS = funnel.N_BANDS
GAP_MONTHS = (13, 53)  # between brothers and sisters next to each other in age, as families are drawn
MOST_CARE = 0.9  # of pre-entry decisions, at most
LEAST_CARE = 0.02
CARE_SD = 0.5  # logit: how far a band's chance may lie from that of all bands
MISFIT = np.array([0.12, 0.07, 0.05, 0.05, 0.05])  # of starts by age band, relative
REMAND_FROM_AGE = 14
ROUTES_WITH_FAMILY = ("emergency", "newborn")


@dataclass(frozen=True, slots=True)
class Entries:
    """Children a year who start, by way and age band."""

    families: Mapping[str, float]  # families a year, by direct route
    direct: Mapping[str, Array]  # children, by direct route
    returning: Array
    pathway_home: Array
    pathway_away: Array
    care_chance: Array  # by age band of the lead child
    home_share: Array  # of care, at home, by age band of the lead child
    wanted: Array  # starts by age band that were asked for

    def at_home(self, back_home: Array) -> Array:
        """Starts at home by age band; ``back_home`` is the share of returning children who start at home."""
        out: Array = self.pathway_home + self.returning * back_home
        return out

    @property
    def total(self) -> Array:
        """Starts by age band."""
        out: Array = sum(self.direct.values()) + self.returning + self.pathway_home + self.pathway_away
        return out


def by_band(by_month: Array) -> Array:
    """Sum over months of age within each band."""
    return np.array([by_month[..., band == funnel.BAND_OF_MONTH].sum(axis=-1) for band in range(N_BANDS)])


def months_of(single_years: Array) -> Array:
    """Shares by single year spread evenly over months of age."""
    return np.repeat(np.asarray(single_years) / 12, 12)


def sibling_months(lead: Array) -> Array:
    """Ages in months of one brother or sister of each lead child, as families are drawn: older or younger by a gap."""
    out = np.zeros(funnel.N_MONTHS)
    gaps = np.arange(GAP_MONTHS[0], GAP_MONTHS[1])
    for gap in map(int, gaps):
        for month in map(int, np.flatnonzero(lead)):
            half = lead[month] / (2 * len(gaps))
            younger = month - gap if month >= gap else month + gap
            older = month + gap if month + gap < funnel.N_MONTHS else max(month - gap, 0)
            out[min(younger, funnel.N_MONTHS - 1)] += half
            out[older] += half
    return out


def _lead_to_children(leads: Array, more: float) -> Array:
    """Children who enter with these leads: themselves, and ``more`` brothers and sisters each."""
    return leads + more * sibling_months(leads)


def returning_children(exits_home: Array, re_entry: Array, memory_years: float) -> Array:
    """Children a year who come back after a return home, by age band at the return to care.

    Sum over ages at exit and years since of exits x (S(t) - S(t + dt)), cut at 18 and at the end of memory.
    """
    out = np.zeros(N_BANDS)
    steps = np.arange(0.0, memory_years, 1 / 24)
    alive = np.exp(-np.array([funnel.cumulated(re_entry, years) for years in (*steps, memory_years)]))
    for age, children in enumerate(exits_home):
        ages = age + 0.5 + steps
        child = ages < 18
        np.add.at(out, co.age_band_of(ages[child]), children * (alive[:-1] - alive[1:])[child])
    return out


def broken_orders(children: float, hazard: Array) -> Array:
    """Children a year who come back when a kinship order breaks, by age band: children on orders, 1 to 17, x hazard."""
    years = np.diff([*w.AGE_BAND_STARTS_YEARS])
    share = np.where(np.arange(N_BANDS) == 0, 0.0, years) / years[1:].sum()
    out: Array = children * share * hazard[:N_BANDS, -3:-1].mean(axis=1)
    return out


def families_staying(pack: Pack, families: Mapping[str, float], some_stay: float) -> Array:
    """Families a year, by month of age, who stay in support when others of them enter by a direct route."""
    first_month = np.eye(funnel.N_MONTHS)[0]
    leads = families["emergency"] * months_of(ages_from_groups(pack, "emergency_age_share"))
    out: Array = sibling_months(leads + families["newborn"] * first_month) * some_stay
    return out


@dataclass(frozen=True, slots=True)
class Wanted:
    """Starts a year by age band that the care part asks for, and what is known of where they come from."""

    starts: Array
    at_home: Array
    returning: Array
    back_home: Array  # share of returning children who start at home
    unaccompanied: float
    unaccompanied_ages: Array  # by single year
    more: float  # brothers and sisters who join each lead child


def entry_streams(pack: Pack, wanted: Wanted, decisions: Array) -> Entries:
    """Split starts into direct routes, returns and the pathway; ``decisions`` a year are by month of the lead's age.

    Care chances and shares at home by age band of the lead, and newborn families, minimise the misfit of starts by age
    and setting (about 5 % each, more for the youngest) plus their distance from one chance for all ages.
    """
    families, children = _direct_routes(pack, wanted)
    per_band = [np.where(band == funnel.BAND_OF_MONTH, decisions, 0.0) for band in range(N_BANDS)]
    reach = np.stack(
        [by_band(_lead_to_children(leads, wanted.more)) for leads in per_band], axis=1
    )  # [age][lead's band]
    fixed = wanted.returning + sum(families[r] * children[r] for r in families if r != "newborn")
    ratio, care, home = _solve_chances(pack, wanted, reach, fixed, families["newborn"] * children["newborn"])
    families["newborn"] *= ratio
    direct = {route: families[route] * children[route] for route in families}
    left = float(wanted.starts.sum() - sum(float(d.sum()) for d in direct.values()) - wanted.returning.sum())
    care = np.clip(care * left / float((reach @ care).sum()), LEAST_CARE, MOST_CARE)
    at_home = reach @ (care * home)
    return Entries(families, direct, wanted.returning, at_home, reach @ care - at_home, care, home, wanted.starts)


def _direct_routes(pack: Pack, wanted: Wanted) -> tuple[dict[str, float], dict[str, Array]]:
    """Families a year, and children who enter with one family by age band, of each direct route."""
    first_month = np.zeros(funnel.N_MONTHS)
    first_month[0] = 1.0
    leads = {
        "emergency": months_of(ages_from_groups(pack, "emergency_age_share")),
        "newborn": first_month,
        "remand": months_of(np.where(np.arange(co.N_AGES) >= REMAND_FROM_AGE, 0.25, 0.0)),
        "unaccompanied": months_of(wanted.unaccompanied_ages),
    }
    families, children = {}, {}
    for route, ages in leads.items():
        share = pack.value("direct_entry_share", f"route={route}")
        yearly = wanted.unaccompanied if route == "unaccompanied" else float(wanted.starts.sum()) * share
        with_family = wanted.more if route in ROUTES_WITH_FAMILY else 0.0
        families[route] = yearly / (1 + with_family)
        children[route] = by_band(_lead_to_children(ages, with_family))
    return families, children


def _solve_chances(
    pack: Pack, wanted: Wanted, reach: Array, fixed: Array, newborn: Array
) -> tuple[float, Array, Array]:
    """(ratio of newborn families to the assumed number, care chances, shares at home), by band of the lead."""
    from scipy.optimize import least_squares

    prior = float(np.clip((wanted.starts - fixed - newborn).sum() / reach.sum(), 0.05, 0.7))
    figure = pack.find("direct_entry_share", "route=newborn")
    spread = max(log_sd(figure.low, figure.high, figure.value or 0.06), 0.2)
    home_left = np.maximum(wanted.at_home - wanted.back_home * wanted.returning, 0.0)
    home_prior = logit(float(home_left.sum() / np.maximum(wanted.starts - fixed - newborn, 0.1).sum()))
    sd = np.maximum(MISFIT * wanted.starts, 0.5)

    def split(x: Array) -> tuple[float, Array, Array]:
        care = MOST_CARE / (1 + np.exp(-x[:N_BANDS]))
        return math.exp(x[-1]), care, 1 / (1 + np.exp(-x[N_BANDS:-1]))

    at = logit(prior / MOST_CARE)

    def residuals(x: Array) -> Array:
        ratio, care, home = split(x)
        starts = (fixed + ratio * newborn + reach @ care - wanted.starts) / sd
        homes = (reach @ (care * home) - home_left) / sd
        return np.concatenate(
            [starts, homes, (x[:N_BANDS] - at) / CARE_SD, (x[N_BANDS:-1] - home_prior) / CARE_SD, [x[-1] / spread]]
        )

    x = np.concatenate([np.full(N_BANDS, at), np.full(N_BANDS, home_prior), [0.0]])
    return split(least_squares(residuals, x).x)
