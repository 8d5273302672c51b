"""Every decision of the pathway, as plain scalar functions: no world, no clock, no randomness of their own.

The SimPy clock calls these as they stand; the compiled clock compiles this very source. ``math`` only, no numpy, the same
float expressions in the same order, so both give the same bits. Days are ordinals; an event dated day d is in place at
the end of day d.
"""

import math

from carecast.model import draws as dr
from carecast.model import words as w
from carecast.model.tables import Choices, Flat, Hazards, Places

AGE_START_DAYS = (0, 365, 1826, 3652, 5844, 6574)  # floor(years x 365.25) for 0, 1, 5, 10, 16, 18
ADULT_AGE_DAYS = 6574
BAND_START_DAYS = (0, 28, 91, 182, 365, 730, 1826)

YEAR_DAYS = 365

# What a child's request at the desk is about, and who is served first.
ASK_PLACE, ASK_STEP_DOWN, ASK_RETURN = range(3)
FIRST_EMERGENCY, THEN_ENTRY, THEN_CLOSURE, THEN_MOVE, THEN_BETTER = range(5)

# Rows of the table of wanted placement types.
M_ENTRY, M_RETURN, M_REMAND, M_UNACCOMPANIED, M_MOVE, M_STEP_DOWN = 0, 1, 2, 3, 4, 4 + w.N_PLACEMENT_TYPES
N_MOMENTS = 4 + 2 * w.N_PLACEMENT_TYPES


# --- age and duration ---------------------------------------------------------------------------------------------
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


# --- competing hazards --------------------------------------------------------------------------------------------
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


# --- choosing -----------------------------------------------------------------------------------------------------
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


def direct_diversion(route: int) -> int:
    """The diversion that keeps a family of a direct route together, -1 where no lever can."""
    if route == w.EMERGENCY:
        return w.DIRECT_ENTRY_TO_SUPPORT
    return w.NEWBORN_TO_SUPPORT if route == w.NEWBORN else -1


def wanted_type(choices: Choices, moment: int, age: int, key_1: int, key_2: int, spell: int) -> int:
    """Placement type wanted at a moment (row of the table), before any overflow."""
    u = dr.uniform(key_1, key_2, dr.P_WANTED, spell)
    return choose(choices.wanted, (moment * w.N_AGE_BANDS + age) * w.N_PLACEMENT_TYPES, w.N_PLACEMENT_TYPES, u)


def after_referral(
    choices: Choices, hazards: Hazards, is_repeat: int, locality: int, age: int, day: int, key_1: int, key_2: int,
    spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(outcome, diversion or -1) of a referral: closed, early help or assessment.

    A repeat referral that is spared a second assessment goes at once where that assessment (the next spell) would lead.
    """
    outcome = branch_outcome(choices, w.B_REFERRAL, age, key_1, key_2, spell)
    if outcome != w.TO_ASSESSMENT:
        return outcome, -1
    if is_diverted(choices, hazards, w.REFERRAL_TO_EARLY_HELP, locality, age, day, key_1, key_2, spell):
        return w.TO_EARLY_HELP, w.REFERRAL_TO_EARLY_HELP
    if is_repeat and is_diverted(choices, hazards, w.REPEAT_ASSESSMENT_SPARED, locality, age, day, key_1, key_2, spell):
        found = branch_outcome(choices, w.B_ASSESSMENT, age, key_1, key_2, spell + 1)
        return found, w.REPEAT_ASSESSMENT_SPARED
    return outcome, -1


def after_assessment(
    choices: Choices, hazards: Hazards, locality: int, age: int, day: int, key_1: int, key_2: int, spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(outcome, diversion or -1) of an assessment: closed, early help, support, protection or pre-entry."""
    outcome = branch_outcome(choices, w.B_ASSESSMENT, age, key_1, key_2, spell)
    if outcome == w.TO_SUPPORT and is_diverted(
        choices, hazards, w.ASSESSMENT_TO_EARLY_HELP, locality, age, day, key_1, key_2, spell
    ):
        return w.TO_EARLY_HELP, w.ASSESSMENT_TO_EARLY_HELP
    return outcome, -1


def after_pre_entry(
    choices: Choices, hazards: Hazards, locality: int, age: int, day: int, key_1: int, key_2: int, spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(outcome, diversion or -1) of a pre-entry decision.

    A lever changes what is offered and so how often the decision is to look after the child; it never removes the child.
    Only an assumption about hearings and courts brings into care a child whom the decision would have left at home.
    """
    outcome = branch_outcome(choices, w.B_PRE_ENTRY, age, key_1, key_2, spell)
    brought = -1
    if outcome < w.TO_CARE_AT_HOME:
        if not is_diverted(choices, hazards, w.PRE_ENTRY_TO_CARE, locality, age, day, key_1, key_2, spell):
            return outcome, -1
        outcome, brought = care_decided(choices, age, key_1, key_2, spell), w.PRE_ENTRY_TO_CARE
    if is_diverted(choices, hazards, w.PRE_ENTRY_TO_SUPPORT, locality, age, day, key_1, key_2, spell):
        return w.TO_SUPPORT, w.PRE_ENTRY_TO_SUPPORT
    if outcome == w.TO_CARE_AT_HOME:
        return outcome, brought
    if is_diverted(choices, hazards, w.PRE_ENTRY_TO_KINSHIP_ORDER, locality, age, day, key_1, key_2, spell):
        return w.TO_KINSHIP_ORDER, w.PRE_ENTRY_TO_KINSHIP_ORDER
    if is_diverted(choices, hazards, w.CARE_AWAY_TO_AT_HOME, locality, age, day, key_1, key_2, spell):
        return w.TO_CARE_AT_HOME, w.CARE_AWAY_TO_AT_HOME
    return outcome, brought


def care_decided(choices: Choices, age: int, key_1: int, key_2: int, spell: int) -> int:
    """Looked after at home or away, in proportion to how often decisions that are care say one or the other."""
    at = (w.B_PRE_ENTRY * w.N_AGE_BANDS + age) * w.N_OUTCOMES
    at_home = choices.branch[at + w.TO_CARE_AT_HOME] - choices.branch[at + w.TO_KINSHIP_ORDER]
    care = choices.branch[at + w.TO_CARE_AWAY] - choices.branch[at + w.TO_KINSHIP_ORDER]
    if dr.uniform(key_1, key_2, dr.P_AT_HOME, spell) * care < at_home:
        return w.TO_CARE_AT_HOME
    return w.TO_CARE_AWAY


def offered_at_entry(
    choices: Choices, hazards: Hazards, wanted: int, locality: int, age: int, day: int, key_1: int, key_2: int,
    spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(placement type, diversion or -1): kin found before a child who would be fostered comes into care."""
    if (wanted == w.FOSTER_OWN or wanted == w.FOSTER_AGENCY) and is_diverted(
        choices, hazards, w.CARE_AWAY_TO_KINSHIP, locality, age, day, key_1, key_2, spell
    ):
        return w.KINSHIP, w.CARE_AWAY_TO_KINSHIP
    return offered_instead(choices, hazards, wanted, locality, age, day, key_1, key_2, spell)


def offered_instead(
    choices: Choices, hazards: Hazards, wanted: int, locality: int, age: int, day: int, key_1: int, key_2: int,
    spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(placement type, diversion or -1): a family, or from 16 supported accommodation, instead of a residential home.

    At entry and at moves. Families are looked for first.
    """
    if (wanted == w.CHILDRENS_HOUSE_OWN or wanted == w.RESIDENTIAL_EXTERNAL) and is_diverted(
        choices, hazards, w.RESIDENTIAL_TO_FOSTER, locality, age, day, key_1, key_2, spell
    ):
        return w.FOSTER_OWN, w.RESIDENTIAL_TO_FOSTER
    if (
        age == w.SIXTEEN
        and (wanted == w.CHILDRENS_HOUSE_OWN or wanted == w.RESIDENTIAL_EXTERNAL)
        and is_diverted(choices, hazards, w.RESIDENTIAL_TO_SUPPORTED, locality, age, day, key_1, key_2, spell)
    ):
        return w.SUPPORTED_ACCOMMODATION, w.RESIDENTIAL_TO_SUPPORTED
    return wanted, -1


def move_row(cause: int, kind: int) -> int:
    """Row of wanted types for a child who leaves a placement of ``kind`` by ``cause`` and stays in care."""
    if cause == w.STEP_DOWN:
        return M_STEP_DOWN + kind
    return M_MOVE + kind


def wanted_at_entry(
    choices: Choices, hazards: Hazards, how: int, outcome: int, locality: int, age: int, day: int, key_1: int,
    key_2: int, spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(placement type, diversion or -1) for a child who enters care; the family's hand, so siblings want alike."""
    if outcome == w.TO_CARE_AT_HOME:
        return w.AT_HOME, -1
    moment = M_ENTRY
    if how == w.REMAND:
        moment = M_REMAND
    elif how == w.UNACCOMPANIED:
        moment = M_UNACCOMPANIED
    wanted = wanted_type(choices, moment, age, key_1, key_2, spell)
    return offered_at_entry(choices, hazards, wanted, locality, age, day, key_1, key_2, spell)


def wanted_after(
    choices: Choices, hazards: Hazards, cause: int, kind: int, locality: int, age: int, day: int, key_1: int,
    key_2: int, spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(placement type, diversion or -1) for a child whose placement of ``kind`` ended by ``cause``, or should."""
    if cause == w.RETURN_WITHIN_RADIUS or cause == w.HOUSE_CLOSED:
        return kind, -1
    wanted = wanted_type(choices, move_row(cause, kind), age, key_1, key_2, spell)
    return offered_instead(choices, hazards, wanted, locality, age, day, key_1, key_2, spell)


def request_after(cause: int, kind: int) -> tuple[int, int]:
    """(what the request is about, priority) after a move cause: only the first two leave before a home is found."""
    if cause == w.HOUSE_CLOSED:
        return ASK_PLACE, THEN_CLOSURE
    if cause == w.MOVE:
        return ASK_PLACE, THEN_MOVE
    if cause == w.STEP_DOWN:
        return ASK_STEP_DOWN, THEN_BETTER
    return ASK_RETURN, THEN_BETTER


def is_far(places: Places, hazards: Hazards, kind: int, miles: float, unaccompanied: int, day: int) -> bool:
    """Whether a nearer home of the same sort would be a better one: beyond the radius of the search, distance known.

    Kin, adopters, schools and secure care are where they are for who they are: distance alone is no reason to leave.
    """
    if unaccompanied or kind == w.AT_HOME or kind == w.KINSHIP or kind == w.PROSPECTIVE_ADOPTERS:
        return False
    if kind == w.RESIDENTIAL_SCHOOL or kind == w.SECURE or kind == w.UNREGISTERED:
        return False
    return miles > places.radius_miles[month_at(hazards, day)]


def help_priority(age: int) -> int:
    """Priority in a service's queue: families whose lead child is under one come first (best start in infancy)."""
    return 0 if age == 0 else 1


def exit_into(state: int) -> int:
    """The exit that leads into a state after care: what the stock's history is told with."""
    if state == w.HOME_AFTER_CARE:
        return w.EXIT_HOME
    return w.EXIT_KINSHIP_ORDER if state == w.KINSHIP_ORDER else w.EXIT_ADOPTION


def is_return(cause: int) -> bool:
    """Whether a state after care ended with the child coming back into care."""
    return cause == w.RE_ENTRY or cause == w.KINSHIP_ORDER_BREAKS or cause == w.ADOPTION_DISRUPTS


def or_closed(day: int, cause: int, close_day: int, today: int) -> tuple[int, int]:
    """(day, cause) of what comes first: the end that was drawn, or the closure of the house."""
    if close_day < day:
        return _later(close_day, today), w.HOUSE_CLOSED
    return day, cause


def miles_detail(miles: float, unaccompanied: int) -> int:
    """Distance as the log keeps it: tenths of a mile, or unknown, or not counted for an unaccompanied child."""
    if unaccompanied:
        return w.DISTANCE_NOT_COUNTED
    if miles < 0.0:
        return w.DISTANCE_UNKNOWN
    return int(miles * 10.0 + 0.5)


# --- waits --------------------------------------------------------------------------------------------------------
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
    limit = _later(limit_of(choices, state, birth_day, since_day, hazards.end_day), from_day)
    if state == w.AFTERCARE:
        return limit, w.LIMIT_REACHED
    first_cause, last_cause = causes_of(state)
    ratio = choices.diverted_hazard_ratio if diverted else 1.0
    return first_of(
        hazards, first_cause, last_cause, ratio, locality, birth_day, since_day, from_day, limit, key_1, key_2, spell
    )


def _later(day: int, than: int) -> int:
    if day > than:
        return day
    return than + 1


def next_in_care(
    hazards: Hazards, kind: int, locality: int, birth_day: int, care_since: int, placed_since: int, from_day: int,
    close_day: int, far: bool, left: Flat, thresholds: Flat, key_1: int, key_2: int, placement: int,
) -> tuple[int, int]:  # fmt: skip
    """(day, cause) at which a placement ends, and in ``left`` what stays of each exit's threshold if it was not an exit.

    Exits race along time in care with thresholds that last the whole stay in care (``thresholds``), moves along time in
    placement with thresholds of their own for each placement. The 18th birthday and a house's closure are certain.
    ``far`` admits a return within the radius. Exit causes come before moves at a tie; certain ends before both.
    """
    best_day = _later(birth_day + ADULT_AGE_DAYS, from_day)
    best_cause = w.AGED_OUT
    if close_day < best_day:
        best_day = _later(close_day, from_day)
        best_cause = w.HOUSE_CLOSED
    for position in range(w.LAST_EXIT - w.FIRST_EXIT + 1):
        cause = w.FIRST_EXIT + position
        day, _ = walk(hazards, cause, kind, locality, birth_day, care_since, from_day, best_day, thresholds[position])
        if day < best_day:
            best_day = day
            best_cause = cause
    last_move = w.LAST_MOVE if far else w.LAST_MOVE - 1
    for cause in range(w.FIRST_MOVE, last_move + 1):
        threshold = dr.unit_exponential(key_1, key_2, cause, placement)
        day, _ = walk(hazards, cause, kind, locality, birth_day, placed_since, from_day, best_day, threshold)
        if day < best_day:
            best_day = day
            best_cause = cause
    if best_cause >= w.FIRST_MOVE and best_day < hazards.end_day:
        for position in range(w.LAST_EXIT - w.FIRST_EXIT + 1):
            cause = w.FIRST_EXIT + position
            _, rest = walk(
                hazards, cause, kind, locality, birth_day, care_since, from_day, best_day, thresholds[position]
            )
            left[position] = rest
    return best_day, best_cause


def is_exit(cause: int) -> bool:
    """Whether a placement that ended by ``cause`` ends the stay in care."""
    return w.FIRST_EXIT <= cause <= w.LAST_EXIT or cause == w.AGED_OUT


def after_exit(choices: Choices, cause: int, kind: int, age_days: int, key_1: int, key_2: int, spell: int) -> int:
    """State after leaving care: home, kinship order, adopted, continuing care, aftercare, or gone."""
    if cause == w.EXIT_HOME:
        return w.HOME_AFTER_CARE
    if cause == w.EXIT_KINSHIP_ORDER:
        return w.KINSHIP_ORDER
    if cause == w.EXIT_ADOPTION:
        return w.ADOPTED
    if cause == w.EXIT_OTHER and age_days < AGE_START_DAYS[4]:
        return w.GONE
    if dr.uniform(key_1, key_2, dr.P_CONTINUES, spell) < choices.continues[kind]:
        return w.CONTINUING_CARE
    return w.AFTERCARE
