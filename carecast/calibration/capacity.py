"""How full own homes are when demand is more than they hold, and the usable share that goes with the assumed stock.

Homes of one kind are a loss system: a child who asks finds a suitable place with chance 1 - (1 - match)^free, else a
home is bought. With demand a (asks a year), departures n mu and c usable places the number n in own homes is a
birth-death chain, pi(n+1) = pi(n) a (1 - (1 - match)^(c - n)) / ((n + 1) mu). Young people in continuing care keep
some of the places.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from carecast.calibration import funnel
from carecast.calibration.cohort import Cohort
from carecast.calibration.fit import Z90, log_sd
from carecast.calibration.pack import Pack
from carecast.calibration.shapes import RateShape
from carecast.model import words as w

OWN_AND_BOUGHT = {"foster_own": "foster_agency", "childrens_house_own": "residential_external"}
UPTAKE_GROUP = {"foster_own": "foster", "childrens_house_own": "residential"}
LARGE = 1e200
YEARS_TO_LIMIT = 3.6  # from leaving care, about 17 and a half on average, to 21


@dataclass(frozen=True, slots=True)
class OwnHomes:
    """Own homes of one kind in the steady state."""

    usable_share: float
    usable: int
    occupied: float  # children and young people
    continuing: float  # of them, young people in continuing care

    @property
    def looked_after(self) -> float:
        """Children looked after in own homes."""
        return max(self.occupied - self.continuing, 0.0)


def expected_occupancy(places: int, asks_per_year: float, leave_rate: float, match_chance: float) -> float:
    """Mean number of places taken in the steady state."""
    weight, total, mean = 1.0, 1.0, 0.0
    for n in range(places):
        weight *= asks_per_year * (1 - (1 - match_chance) ** (places - n)) / ((n + 1) * leave_rate)
        total += weight
        mean += weight * (n + 1)
        if total > LARGE:  # many places: keep the sums within what a number can hold
            weight, total, mean = weight / LARGE, total / LARGE, mean / LARGE
    return mean / total


def usable_places(places: float, usable_share: float) -> int:
    """Places that can be used: the nearest whole number of places x usable share."""
    return int(np.floor(places * usable_share + 0.5))


def continuing_years(rates: tuple[RateShape, ...]) -> float:
    """Mean years in continuing care, by its hazard at 18 and over, cut at the age limit."""
    hazard = next(shape.per_year[w.ADULT] for shape in rates if shape.cause == "continuing_care_ends")
    return funnel.race(hazard[np.newaxis], YEARS_TO_LIMIT)[1]


def own_homes(pack: Pack, cohort: Cohort, rates: tuple[RateShape, ...]) -> Mapping[str, OwnHomes]:
    """For each kind the usable share that best agrees with both its own interval and the assumed stock."""
    years = continuing_years(rates)
    return {kind: _own_homes(pack, cohort, kind, years) for kind in OWN_AND_BOUGHT}


def _own_homes(pack: Pack, cohort: Cohort, kind: str, years: float) -> OwnHomes:
    own, bought = w.PLACEMENT_TYPES.index(kind), w.PLACEMENT_TYPES.index(OWN_AND_BOUGHT[kind])
    out = cohort.exits.sum(axis=(0, 2)) + cohort.aged_out + cohort.moves.sum(axis=0)
    both = cohort.by_type[own] + cohort.by_type[bought]
    asks = float(out[own] + out[bought])
    rate = asks / both
    adult = cohort.exits[w.EXIT_INDEPENDENT - w.FIRST_EXIT].sum(axis=1) + cohort.aged_out
    leavers = float(adult[own] + adult[bought]) / both
    uptake = pack.value("continuing_care_uptake", f"placement_type={UPTAKE_GROUP[kind]}")
    places = [row.number("places") for row in pack.tables["providers.csv"] if row.text("placement_type") == kind]
    share = pack.find("usable_share", f"placement_type={kind}")
    stock = pack.find(f"stock_{kind}", f"placement_type={kind}")
    match = pack.value("match_chance", f"placement_type={kind}")
    best, least = OwnHomes(1.0, 0, 0.0, 0.0), np.inf
    for given in np.arange(share.low or 0.5, (share.high or 1.0) + 0.001, 0.005):
        usable = sum(usable_places(n, float(given)) for n in places)
        # young people who stay on are asks that never left: they hold places for ``years`` more
        mean_rate = 1 / (1 / rate + leavers / rate * uptake * years)
        occupied = expected_occupancy(usable, asks, mean_rate, match)
        staying = occupied * (1 - mean_rate / rate)
        homes = OwnHomes(round(float(given), 3), usable, occupied, staying)
        miss = np.log(homes.looked_after / (stock.value or 1.0)) / log_sd(stock.low, stock.high, stock.value or 1.0)
        off = (given - (share.value or 1.0)) / max(((share.high or 1.0) - (share.low or 0.5)) / (2 * Z90), 0.01)
        if miss * miss + off * off < least:
            best, least = homes, miss * miss + off * off
    return best
