"""The ground of all decisions: ages, months, chances, waits. On it stand ``rules_community.py`` and ``rules_care.py``.

Every decision of the pathway is a plain scalar function in one of these files: no world, no clock, no randomness of its
own. The SimPy clock calls them as they stand; the compiled clock compiles this very source. ``math`` only, no numpy, the
same float expressions in the same order, so both give the same bits. Days are ordinals; an event dated day d is in place
at the end of day d.
"""

import math

from carecast.model import draws as dr
from carecast.model import words as w
from carecast.model.tables import Choices, Flat, Hazards

AGE_START_DAYS = (0, 365, 1826, 3652, 5844, 6574)  # floor(years x 365.25) for 0, 1, 5, 10, 16, 18
ADULT_AGE_DAYS = 6574
BAND_START_DAYS = (0, 28, 91, 182, 365, 730, 1826)
YEAR_DAYS = 365

# Rows of the table of wanted placement types.
M_ENTRY, M_RETURN, M_REMAND, M_UNACCOMPANIED, M_MOVE, M_STEP_DOWN = 0, 1, 2, 3, 4, 4 + w.N_PLACEMENT_TYPES
N_MOMENTS = 4 + 2 * w.N_PLACEMENT_TYPES


# --- age and duration ----------------------------------------------------------------------------------------------
# Plain comparisons: the quickest way to a band, compiled and as Python. Edges are those of the tables above (tested).
def age_band(birth_day: int, day: int) -> int:
    """Age band of a child on a day."""
    age_days = day - birth_day
    if age_days < 3652:
        if age_days < 365:
            return 0
        return 1 if age_days < 1826 else 2
    if age_days < 5844:
        return 3
    return 4 if age_days < 6574 else 5


def age_band_end(band: int) -> int:
    """Age in days at which a band ends."""
    if band < 3:
        if band == 0:
            return 365
        return 1826 if band == 1 else 3652
    if band == 3:
        return 5844
    return 6574 if band == 4 else w.NEVER


def is_adult(birth_day: int, day: int) -> bool:
    """Whether somebody is 18 on a day."""
    return day - birth_day >= ADULT_AGE_DAYS


def duration_band(days: int) -> int:
    """Duration band of so many days."""
    if days < 182:
        if days < 28:
            return 0
        return 1 if days < 91 else 2
    if days < 730:
        return 3 if days < 365 else 4
    return 5 if days < 1826 else 6


def duration_band_end(band: int) -> int:
    """Days at which a duration band ends."""
    if band < 3:
        if band == 0:
            return 28
        return 91 if band == 1 else 182
    if band < 5:
        return 365 if band == 3 else 730
    return 1826 if band == 5 else w.NEVER


def month_at(hazards: Hazards, day: int) -> int:
    """Month of the run that a day belongs to; days after the run belong to its last month."""
    if day >= hazards.end_day:
        day = hazards.end_day - 1
    return hazards.month_of_day[day - hazards.first_day]


# --- chances -------------------------------------------------------------------------------------------------------
def choose(cumulated: Flat, start: int, n: int, u: float) -> int:
    """First of ``n`` outcomes whose cumulated chance exceeds ``u``."""
    for outcome in range(n - 1):
        if u < cumulated[start + outcome]:
            return outcome
    return n - 1


def branch_outcome(choices: Choices, branch: int, age: int, key_1: int, key_2: int, spell: int) -> int:
    """Outcome at a branch of the pathway."""
    u = dr.uniform(key_1, key_2, dr.P_BRANCH + branch, spell)
    return choose(choices.branch, (branch * w.N_AGE_BANDS + age) * w.N_OUTCOMES, w.N_OUTCOMES, u)


def is_diverted(
    choices: Choices, hazards: Hazards, diversion: int, locality: int, age: int, day: int, key_1: int, key_2: int,
    spell: int,
) -> bool:  # fmt: skip
    """Whether levers in force on a day divert this child or family."""
    at = ((diversion * hazards.n_localities + locality) * w.N_AGE_BANDS + age) * hazards.n_months
    share = choices.divert[at + month_at(hazards, day)]
    if share <= 0.0:
        return False
    purpose = dr.P_DIVERT + diversion
    if diversion >= dr.N_DIVERT:
        purpose = dr.P_DIVERT_LATER + diversion - dr.N_DIVERT
    return dr.uniform(key_1, key_2, purpose, spell) < share


# --- competing hazards ---------------------------------------------------------------------------------------------
def ratio_days(hazards: Hazards, series: int, day: int) -> float:
    """Sum of the daily ratios of a series from the start of the run up to (not including) a day."""
    month = month_at(hazards, day)
    at = series * hazards.n_months + month
    return hazards.ratio_sum[at] + hazards.ratio[at] * (day - hazards.month_start_day[month])


def walk(
    hazards: Hazards, cause: int, kind: int, locality: int, birth_day: int, since_day: int, from_day: int,
    until_day: int, threshold: float,
) -> tuple[int, float]:  # fmt: skip
    """Walk a unit-exponential threshold along one cause's cumulative hazard.

    Returns (day, left): the first whole day after ``from_day`` by whose end the hazard accumulated since ``from_day``
    reaches ``threshold``, with nothing left; or (NEVER, what is left of the threshold at ``until_day``). The hazard is
    constant within cells of age band and duration band (days since ``since_day``), times the ratio of the month.
    """
    day = from_day
    if until_day > hazards.end_day:
        until_day = hazards.end_day
    base = (cause * w.N_PLACEMENT_TYPES + kind) * w.N_AGE_BANDS
    series_base = ((cause * w.N_PLACEMENT_TYPES + kind) * hazards.n_localities + locality) * w.N_AGE_BANDS
    while day < until_day:
        age = age_band(birth_day, day)
        band = duration_band(day - since_day)
        cell_end = until_day
        edge = birth_day + age_band_end(age)
        if edge < cell_end:
            cell_end = edge
        edge = since_day + duration_band_end(band)
        if edge < cell_end:
            cell_end = edge
        rate = hazards.rate[(base + age) * w.N_DURATION_BANDS + band]
        if rate > 0.0:
            series = hazards.series_of[series_base + age]
            before = ratio_days(hazards, series, day)
            gain = rate * (ratio_days(hazards, series, cell_end) - before)
            if gain >= threshold:
                return _day_reached(hazards, series, before + threshold / rate, day, cell_end), 0.0
            threshold -= gain
        day = cell_end
    return w.NEVER, threshold


def _day_reached(hazards: Hazards, series: int, target: float, from_day: int, cell_end: int) -> int:
    month = month_at(hazards, from_day)
    at = series * hazards.n_months + month
    while month < hazards.n_months - 1 and hazards.ratio_sum[at + 1] < target:
        month += 1
        at += 1
    ratio = hazards.ratio[at]
    day = hazards.month_start_day[month]
    if ratio > 0.0:
        day += math.ceil((target - hazards.ratio_sum[at]) / ratio)
    if day <= from_day:
        return from_day + 1
    if day > cell_end:
        return cell_end
    return day


# --- waits outside care --------------------------------------------------------------------------------------------
def first_of(
    hazards: Hazards, first_cause: int, last_cause: int, diverted_ratio: float, locality: int, birth_day: int,
    since_day: int, from_day: int, until_day: int, key_1: int, key_2: int, spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(day, cause) of the earliest of several causes, each with its own draw; ``LIMIT_REACHED`` at ``until_day``.

    ``diverted_ratio`` multiplies the hazard of reaching pre-entry for this family alone. Ties go to the first cause.
    """
    best_day = until_day
    best_cause = w.LIMIT_REACHED
    for cause in range(first_cause, last_cause + 1):
        threshold = dr.unit_exponential(key_1, key_2, cause, spell)
        if cause == w.SUPPORT_TO_PRE_ENTRY:
            threshold /= diverted_ratio
        day, _ = walk(hazards, cause, 0, locality, birth_day, since_day, from_day, best_day, threshold)
        if day < best_day:
            best_day = day
            best_cause = cause
    return best_day, best_cause


def causes_of(state: int) -> tuple[int, int]:
    """First and last cause that can end a wait in a state outside care; causes of one state follow each other."""
    if state == w.EARLY_HELP_WAITING:
        return w.WAIT_DISENGAGED, w.WAIT_ESCALATED
    if state == w.EARLY_HELP:
        return w.EARLY_HELP_ENDS, w.EARLY_HELP_STEPS_UP
    if state == w.SUPPORT:
        return w.SUPPORT_ENDS, w.SUPPORT_TO_PRE_ENTRY
    if state == w.PROTECTION:
        return w.PROTECTION_ENDS, w.PROTECTION_TO_PRE_ENTRY
    cause = w.RE_REFERRED
    if state == w.ASSESSMENT:
        cause = w.ASSESSMENT_ENDS
    elif state == w.PRE_ENTRY:
        cause = w.PRE_ENTRY_DECIDED
    elif state >= w.HOME_AFTER_CARE:
        cause = w.RE_ENTRY + state - w.HOME_AFTER_CARE  # home, kinship order, adopted, continuing care: in this order
    return cause, cause


def limit_of(choices: Choices, state: int, birth_day: int, since_day: int, end_day: int) -> int:
    """The certain end of a wait: the 18th birthday, the memory of closed cases, the age limits after care."""
    adult = birth_day + ADULT_AGE_DAYS
    if state == w.EARLY_HELP_WAITING:
        return since_day + choices.wait_limit_days
    if state == w.CLOSED:
        return min(since_day + choices.closed_memory_days, adult)
    if state == w.HOME_AFTER_CARE:
        return min(since_day + choices.home_memory_days, adult)
    if state == w.CONTINUING_CARE:
        return birth_day + choices.continuing_limit_days
    if state == w.AFTERCARE:
        return birth_day + choices.aftercare_limit_days
    if state == w.EARLY_HELP or state == w.ASSESSMENT or state == w.PRE_ENTRY:
        return end_day
    return adult


def wait_in_state(
    hazards: Hazards, choices: Choices, state: int, locality: int, birth_day: int, since_day: int, from_day: int,
    diverted: bool, key_1: int, key_2: int, spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(day, cause) at which a wait in a state outside care ends. ``birth_day`` is the lead child's."""
    limit = later(limit_of(choices, state, birth_day, since_day, hazards.end_day), from_day)
    if state == w.AFTERCARE:
        return limit, w.LIMIT_REACHED
    first_cause, last_cause = causes_of(state)
    ratio = choices.diverted_hazard_ratio if diverted else 1.0
    return first_of(
        hazards, first_cause, last_cause, ratio, locality, birth_day, since_day, from_day, limit, key_1, key_2, spell
    )


def later(day: int, than: int) -> int:
    """The day itself, or the day after ``than`` where it would not be later."""
    if day > than:
        return day
    return than + 1
