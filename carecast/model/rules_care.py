"""The decisions in care and after: which home is wanted, how a placement ends, and what follows care.

Plain scalar functions on the ground of ``rules.py``, called by both clocks.
"""

from carecast.model import draws as dr
from carecast.model import rules
from carecast.model import words as w
from carecast.model.tables import Choices, Flat, Hazards, Places

# What a child's request at the desk is about, and who is served first.
ASK_PLACE, ASK_STEP_DOWN, ASK_RETURN = range(3)
FIRST_EMERGENCY, THEN_ENTRY, THEN_CLOSURE, THEN_MOVE, THEN_BETTER = range(5)


# --- what is wanted and offered ------------------------------------------------------------------------------------
def wanted_type(choices: Choices, moment: int, age: int, key_1: int, key_2: int, spell: int) -> int:
    """Placement type wanted at a moment (row of the table), before any overflow."""
    u = dr.uniform(key_1, key_2, dr.P_WANTED, spell)
    return rules.choose(choices.wanted, (moment * w.N_AGE_BANDS + age) * w.N_PLACEMENT_TYPES, w.N_PLACEMENT_TYPES, u)


def wanted_at_entry(
    choices: Choices, hazards: Hazards, how: int, outcome: int, locality: int, age: int, day: int, key_1: int,
    key_2: int, spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(placement type, diversion or -1) for a child who enters care; the family's hand, so siblings want alike."""
    if outcome == w.TO_CARE_AT_HOME:
        return w.AT_HOME, -1
    moment = rules.M_ENTRY
    if how == w.REMAND:
        moment = rules.M_REMAND
    elif how == w.UNACCOMPANIED:
        moment = rules.M_UNACCOMPANIED
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


def move_row(cause: int, kind: int) -> int:
    """Row of wanted types for a child who leaves a placement of ``kind`` by ``cause`` and stays in care."""
    if cause == w.STEP_DOWN:
        return rules.M_STEP_DOWN + kind
    return rules.M_MOVE + kind


def offered_at_entry(
    choices: Choices, hazards: Hazards, wanted: int, locality: int, age: int, day: int, key_1: int, key_2: int,
    spell: int,
) -> tuple[int, int]:  # fmt: skip
    """(placement type, diversion or -1): kin found before a child who would be fostered comes into care."""
    if (wanted == w.FOSTER_OWN or wanted == w.FOSTER_AGENCY) and rules.is_diverted(
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
    if (wanted == w.CHILDRENS_HOUSE_OWN or wanted == w.RESIDENTIAL_EXTERNAL) and rules.is_diverted(
        choices, hazards, w.RESIDENTIAL_TO_FOSTER, locality, age, day, key_1, key_2, spell
    ):
        return w.FOSTER_OWN, w.RESIDENTIAL_TO_FOSTER
    if (
        age == w.SIXTEEN
        and (wanted == w.CHILDRENS_HOUSE_OWN or wanted == w.RESIDENTIAL_EXTERNAL)
        and rules.is_diverted(choices, hazards, w.RESIDENTIAL_TO_SUPPORTED, locality, age, day, key_1, key_2, spell)
    ):
        return w.SUPPORTED_ACCOMMODATION, w.RESIDENTIAL_TO_SUPPORTED
    return wanted, -1


# --- placements and their ends -------------------------------------------------------------------------------------
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
    return miles > places.radius_miles[rules.month_at(hazards, day)]


def miles_detail(miles: float, unaccompanied: int) -> int:
    """Distance as the log keeps it: tenths of a mile, or unknown, or not counted for an unaccompanied child."""
    if unaccompanied:
        return w.DISTANCE_NOT_COUNTED
    if miles < 0.0:
        return w.DISTANCE_UNKNOWN
    return int(miles * 10.0 + 0.5)


def exit_threshold(choices: Choices, unaccompanied: int, key_1: int, key_2: int, cause: int, stay: int) -> float:
    """Cumulative hazard at which an exit cause ends a stay in care, drawn once when the stay begins.

    Unit exponential. An unaccompanied child's hazards of all causes but turning 18 are ``unaccompanied_exit_ratio`` times
    those of others, and a hazard times r reaches e where the hazard itself reaches e / r.
    """
    threshold = dr.unit_exponential(key_1, key_2, cause, stay)
    if unaccompanied:
        return threshold / choices.unaccompanied_exit_ratio
    return threshold


def next_in_care(
    hazards: Hazards, kind: int, locality: int, birth_day: int, care_since: int, placed_since: int, from_day: int,
    close_day: int, far: bool, left: Flat, thresholds: Flat, key_1: int, key_2: int, placement: int,
) -> tuple[int, int]:  # fmt: skip
    """(day, cause) at which a placement ends, and in ``left`` what stays of each exit's threshold if it was not an exit.

    Exits race along time in care with thresholds that last the whole stay in care (``thresholds``), moves along time in
    placement with thresholds of their own for each placement. The 18th birthday and a house's closure are certain.
    ``far`` admits a return within the radius. Exit causes come before moves at a tie; certain ends before both.
    """
    best_day = rules.later(birth_day + rules.ADULT_AGE_DAYS, from_day)
    best_cause = w.AGED_OUT
    if close_day < best_day:
        best_day = rules.later(close_day, from_day)
        best_cause = w.HOUSE_CLOSED
    for position in range(w.LAST_EXIT - w.FIRST_EXIT + 1):
        cause = w.FIRST_EXIT + position
        day, _ = rules.walk(
            hazards, cause, kind, locality, birth_day, care_since, from_day, best_day, thresholds[position]
        )
        if day < best_day:
            best_day = day
            best_cause = cause
    last_move = w.LAST_MOVE if far else w.LAST_MOVE - 1
    for cause in range(w.FIRST_MOVE, last_move + 1):
        threshold = dr.unit_exponential(key_1, key_2, cause, placement)
        day, _ = rules.walk(hazards, cause, kind, locality, birth_day, placed_since, from_day, best_day, threshold)
        if day < best_day:
            best_day = day
            best_cause = cause
    if best_cause >= w.FIRST_MOVE and best_day < hazards.end_day:
        for position in range(w.LAST_EXIT - w.FIRST_EXIT + 1):
            cause = w.FIRST_EXIT + position
            _, rest = rules.walk(
                hazards, cause, kind, locality, birth_day, care_since, from_day, best_day, thresholds[position]
            )
            left[position] = rest
    return best_day, best_cause


def or_closed(day: int, cause: int, close_day: int, today: int) -> tuple[int, int]:
    """(day, cause) of what comes first: the end that was drawn, or the closure of the house."""
    if close_day < day:
        return rules.later(close_day, today), w.HOUSE_CLOSED
    return day, cause


# --- leaving care and after ----------------------------------------------------------------------------------------
def is_exit(cause: int) -> bool:
    """Whether a placement that ended by ``cause`` ends the stay in care."""
    return w.FIRST_EXIT <= cause <= w.LAST_EXIT or cause == w.AGED_OUT


def after_exit(
    choices: Choices, cause: int, kind: int, age_days: int, unaccompanied: int, key_1: int, key_2: int, spell: int
) -> int:
    """State after leaving care: home, kinship order, adopted, continuing care, aftercare, or gone.

    An unaccompanied child who leaves for another reason before 18 has moved to another council's care (the National
    Transfer Scheme) or has gone: what follows is not this council's.
    """
    if cause == w.EXIT_HOME:
        return w.HOME_AFTER_CARE
    if cause == w.EXIT_KINSHIP_ORDER:
        return w.KINSHIP_ORDER
    if cause == w.EXIT_ADOPTION:
        return w.ADOPTED
    if cause == w.EXIT_OTHER and (unaccompanied or age_days < rules.AGE_START_DAYS[4]):
        return w.GONE
    if dr.uniform(key_1, key_2, dr.P_CONTINUES, spell) < choices.continues[kind]:
        return w.CONTINUING_CARE
    return w.AFTERCARE


def exit_into(state: int) -> int:
    """The exit that leads into a state after care: what the stock's history is told with."""
    if state == w.HOME_AFTER_CARE:
        return w.EXIT_HOME
    return w.EXIT_KINSHIP_ORDER if state == w.KINSHIP_ORDER else w.EXIT_ADOPTION


def is_return(cause: int) -> bool:
    """Whether a state after care ended with the child coming back into care."""
    return cause == w.RE_ENTRY or cause == w.KINSHIP_ORDER_BREAKS or cause == w.ADOPTION_DISRUPTS
