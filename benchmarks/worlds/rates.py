"""Rates of a synthetic council, by day of stay: smooth curves, nothing constant in pieces, and who wants which home.

Stays come from a mixture of three kinds of stay (lognormal for short, Weibull for the rest), each child with a frailty;
homes break down fast at first and slowly later; most children hardly move and some move often.
"""

import datetime as dt
import math

import numpy as np

from carecast.model import words as w

DAYS = 6700
SHORT, MIDDLE, LONG, ADOPTERS, AT_HOME = range(5)  # curves of leaving; the last two by days in the home
AGE_GROUPS = (0, 1, 5, 10, 16)  # where each begins, years

KINDS_OF_STAY = np.array([  # short, middle, long by age group; children alone last
    (0.14, 0.62, 0.24), (0.16, 0.52, 0.32), (0.18, 0.37, 0.45), (0.28, 0.32, 0.40), (0.26, 0.34, 0.40), (0.06, 0.14, 0.80),
])  # fmt: skip
WANTED_TYPES = (w.AT_HOME, w.KINSHIP, w.FOSTER_OWN, w.SUPPORTED_ACCOMMODATION, w.RESIDENTIAL_EXTERNAL, w.SECURE,
                w.OTHER_RESIDENTIAL, w.UNREGISTERED, w.RESIDENTIAL_SCHOOL)  # fmt: skip
WANTED_AT_ENTRY = np.array([  # fostering stands for own or bought, homes for own or bought
    (0.05, 0.22, 0.66, 0.00, 0.00, 0.000, 0.07, 0.000, 0.000),
    (0.07, 0.27, 0.65, 0.00, 0.00, 0.000, 0.01, 0.000, 0.000),
    (0.07, 0.25, 0.64, 0.00, 0.035, 0.000, 0.00, 0.000, 0.005),
    (0.06, 0.17, 0.47, 0.00, 0.250, 0.015, 0.01, 0.010, 0.015),
    (0.05, 0.09, 0.24, 0.40, 0.170, 0.020, 0.01, 0.020, 0.000),
    (0.00, 0.02, 0.34, 0.58, 0.050, 0.000, 0.00, 0.010, 0.000),
])  # fmt: skip
MOVES_A_YEAR = {  # how often a home ends with the child staying in care, before the child's own factor
    w.AT_HOME: 0.16, w.KINSHIP: 0.13, w.FOSTER_OWN: 0.20, w.FOSTER_AGENCY: 0.26, w.PROSPECTIVE_ADOPTERS: 0.04,
    w.SUPPORTED_ACCOMMODATION: 0.45, w.OTHER_COMMUNITY: 0.5, w.CHILDRENS_HOUSE_OWN: 0.36, w.RESIDENTIAL_EXTERNAL: 0.48,
    w.RESIDENTIAL_SCHOOL: 0.25, w.SECURE: 3.2, w.UNREGISTERED: 3.6, w.OTHER_RESIDENTIAL: 2.4,
}  # fmt: skip
EXIT_FACTOR = {
    w.RESIDENTIAL_EXTERNAL: 0.62,
    w.CHILDRENS_HOUSE_OWN: 0.62,
    w.SUPPORTED_ACCOMMODATION: 0.9,
    w.KINSHIP: 1.15,
}
RESIDENTIAL = (w.CHILDRENS_HOUSE_OWN, w.RESIDENTIAL_EXTERNAL, w.RESIDENTIAL_SCHOOL, w.SECURE, w.UNREGISTERED,
               w.OTHER_RESIDENTIAL)  # fmt: skip
FOSTER = (w.FOSTER_OWN, w.FOSTER_AGENCY)
LEFT_AT_16 = (*FOSTER, w.RESIDENTIAL_EXTERNAL, w.CHILDRENS_HOUSE_OWN)  # for supported accommodation, some


def _weibull(shape: float, scale_days: float) -> np.ndarray:
    """Hazard per day of each day of a Weibull stay."""
    edges = np.arange(DAYS + 1) / scale_days
    out: np.ndarray = np.diff(edges**shape)
    return out


def _lognormal(median_days: float, sd: float) -> np.ndarray:
    """Hazard per day of each day of a lognormal stay."""
    from scipy.special import log_ndtr

    edges = np.maximum(np.arange(DAYS + 1), 1e-9)
    gone = log_ndtr(-(np.log(edges) - math.log(median_days)) / sd)  # log of the share that stays
    out: np.ndarray = -np.diff(gone)
    return out


def exit_curves(stretch: float) -> np.ndarray:
    """[curve][day] hazard of leaving care."""
    return np.stack([
        _lognormal(34.0, 1.1), _weibull(1.35, 560 * stretch), _weibull(0.85, 5600 * stretch), _weibull(1.7, 330),
        _weibull(1.25, 430),
    ])  # fmt: skip


def move_curve() -> np.ndarray:
    """[day] how often homes end after so many days, as a multiple: high at first, low in the end."""
    day = np.arange(DAYS)
    return (0.55 + 2.6 * np.exp(-day / 45) + 0.9 * np.exp(-day / 400)) / 365.25


def return_curve() -> np.ndarray:
    """[day] hazard of coming back after going home: a fifth do, most within a year and a half."""
    day = np.arange(2400)
    return 0.24 * np.exp(-day / 420) / 420


def birthday(born: int, years: int) -> int:
    """The day someone born on a day turns so old; 28 February for those born on the 29th."""
    day = dt.date.fromordinal(born)
    try:
        return day.replace(year=day.year + years).toordinal()
    except ValueError:
        return day.replace(year=day.year + years, day=28).toordinal()


def age_group(age_days: float) -> int:
    """Which of the age groups."""
    years = age_days / 365.25
    return sum(years >= start for start in AGE_GROUPS) - 1


def tilted(chances: np.ndarray, kin: float, homes: float) -> np.ndarray:
    """Chances of wanted homes with the log odds of kin and of homes moved."""
    change = np.zeros(len(WANTED_TYPES))
    change[1] = kin
    change[[4, 7, 8]] = homes
    weights: np.ndarray = chances * np.exp(change)
    return weights / float(weights.sum())
