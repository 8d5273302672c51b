"""The books of one replication: what is counted, what is known of each child on the way, and the tables to fill."""

import threading
from typing import NamedTuple

import numpy as np

from carecast.model import words as w
from carecast.model.event_log import Children

TWELVE_MONTHS_DAYS = 365
EIGHTEEN_MONTHS_DAYS = 548
UNSET = -1
LONG_AGO = -w.NEVER
NOT_HELD = -1  # a month or financial year that the tables do not hold

# --- services counted by child-days or by children started ---------------------------------------------------------
SERVICE_LINES = (
    "early_help",
    "assessment",
    "support",
    "protection",
    "pre_entry",
    "home_after_care",
    "kinship_order",
    "adopted",
    "aftercare",
)
L_EARLY_HELP, L_ASSESSMENT, L_SUPPORT, L_PROTECTION, L_PRE_ENTRY, L_HOME, L_KINSHIP_ORDER, L_ADOPTED, L_AFTERCARE = (
    range(9)
)
N_SERVICE_LINES = 9
COUNTED_BY_START = (L_ASSESSMENT, L_PRE_ENTRY)  # units are children started; the other lines count child-days

# --- waits for early help: what is counted by financial year, locality and age band ---------------------------------
WAITS = ("wait_days", "starts", "waited", "left", "left_wait_days", "escalated")
(
    W_DAYS,  # waited by those who started, days
    W_STARTS,  # children who started
    W_WAITED,  # of them, after a day or more
    W_LEFT,  # children who left the queue without help
    W_LEFT_DAYS,  # waited by those who left, days
    W_ESCALATED,  # of those who left, because things got worse
) = range(6)

# --- monthly counts of children: numerators and denominators of every measure --------------------------------------
COUNTS = (
    "looked_after",
    "continuing_care",
    "away",
    "distance_known",
    "within_radius",
    "distance_unknown",
    "out_of_area",
    "two_placements",
    "three_placements",
    "with_siblings",
    "with_all_siblings",
    "early_help_waiting",
    "early_help_open",
    "support_open",
    "protection_open",
    "contacts",
    "referrals",
    "re_referrals_12m",
    "early_help_starts",
    "early_help_wait_days",
    "entries",
    "exits",
    "moves",
    "re_entries",
    "re_entries_12m",
    "protection_starts",
    "repeat_protection_18m",
    "kinship_breakdowns",
    "escalations_waiting",
    "assessment_open",
    "pre_entry_open",
    "home_after_care_open",
    "kinship_order_open",
    "adopted_open",
    "aftercare_open",
)
(
    K_LOOKED_AFTER,
    K_CONTINUING_CARE,
    K_AWAY,
    K_DISTANCE_KNOWN,
    K_WITHIN_RADIUS,
    K_DISTANCE_UNKNOWN,
    K_OUT_OF_AREA,
    K_TWO_PLACEMENTS,
    K_THREE_PLACEMENTS,
    K_WITH_SIBLINGS,
    K_WITH_ALL_SIBLINGS,
    K_EARLY_HELP_WAITING,
    K_EARLY_HELP_OPEN,
    K_SUPPORT_OPEN,
    K_PROTECTION_OPEN,
    K_CONTACTS,
    K_REFERRALS,
    K_RE_REFERRALS_12M,
    K_EARLY_HELP_STARTS,
    K_EARLY_HELP_WAIT_DAYS,
    K_ENTRIES,
    K_EXITS,
    K_MOVES,
    K_RE_ENTRIES,
    K_RE_ENTRIES_12M,
    K_PROTECTION_STARTS,
    K_REPEAT_PROTECTION_18M,
    K_KINSHIP_BREAKDOWNS,
    K_ESCALATIONS_WAITING,
    K_ASSESSMENT_OPEN,
    K_PRE_ENTRY_OPEN,
    K_HOME_AFTER_CARE_OPEN,
    K_KINSHIP_ORDER_OPEN,
    K_ADOPTED_OPEN,
    K_AFTERCARE_OPEN,
) = range(35)
K_FIRST_TYPE = 35
K_FIRST_AGE_BAND = K_FIRST_TYPE + w.N_PLACEMENT_TYPES
K_FIRST_LOCALITY = K_FIRST_AGE_BAND + w.N_AGE_BANDS

# How many children are open now: positions in State.totals.
T_WAITING, T_CONTINUING, T_IN_CARE, T_JOINING, T_ENDED = range(N_SERVICE_LINES, N_SERVICE_LINES + 5)
N_TOTALS = N_SERVICE_LINES + 5


class Known:
    """What is known of a child after the events read so far, a row of ``Memory.known``; -1 where there is none."""

    birth_day: int
    locality: int
    unaccompanied: int
    family: int  # families numbered 0, 1, 2 ...
    asked_day: int  # early help was asked for on this day and has not begun
    last_referral: int  # days; long ago when there was none
    last_protection_end: int
    last_exit: int
    kinship_order_end: int
    list_place: int  # where the child stands in the list of children in care
    episode_placements: int  # placements begun in this stay in care
    wanted: int  # placement type asked for
    kind: int  # type of the placement now
    tenths: int  # miles from home x 10, or -1 unknown, -2 not counted
    out_of_area: int
    stay_since: int  # the placement, or continuing care, began on this day
    stay_provider: int
    stay_bucket: int  # 0 looked after, 1 continuing care
    stay_multiplier: float
    stay_wanted: int  # placement type wanted when the placement began in the run; -1 for one begun before it
    stay_band: int  # age band then
    stay_beyond: int  # 1 when the home lies beyond the radius, unaccompanied children apart
    last_end: int  # the placement before this one ended on this day; long ago when there was none
    last_end_but_one: int
    home: int  # the home the child lives in: the log row that founded it
    joins: int  # whose home the child joined today


NARROW = {  # the rest are days and children, in 32 bits; a row that is short stays in the processor's nearest memory
    **dict.fromkeys(("locality", "stay_provider", "episode_placements"), np.int16),
    **dict.fromkeys(("unaccompanied", "wanted", "kind", "out_of_area"), np.int8),
    **dict.fromkeys(("stay_bucket", "stay_wanted", "stay_band", "stay_beyond"), np.int8),
}
KNOWN = np.dtype(
    sorted(
        (
            (name, np.float64 if kind is float else NARROW.get(name, np.int32))
            for name, kind in Known.__annotations__.items()
        ),
        key=lambda field: -np.dtype(field[1]).itemsize,
    ),
    align=True,
)


class Blank(threading.local):
    """Rows of nobody, to be copied: making them anew for each replication costs more."""

    def __init__(self) -> None:
        """None yet."""
        self.known = np.empty(0, dtype=KNOWN)

    def rows(self, n: int) -> np.ndarray:
        """So many."""
        if len(self.known) < n:
            self.known = np.empty(n, dtype=KNOWN)
            for name in KNOWN.names or ():
                self.known[name] = LONG_AGO if name.startswith("last_") else UNSET
        return self.known[:n].view(np.uint8).copy().view(KNOWN)  # as bytes: field by field takes five times as long


BLANK = Blank()


class Event(NamedTuple):
    """One event of the log, with the month and financial year it counts in (-1: none)."""

    position: int
    day: int
    child: int
    what: int
    locality: int
    provider: int
    detail: int
    shared_with: int
    out_of_area: int
    multiplier: float
    row: int
    year: int


class Grid(NamedTuple):
    """What the walk needs to know of the run."""

    as_at: int  # ordinal; events of this day and before are history or stock and are no flows
    until: int  # ordinal of the last simulated day
    first_day: int
    radius_tenths: int  # radius in tenths of a mile, the unit of the log
    census_day: np.ndarray  # int64 [row]; month end, or ``until`` where the run is shorter than its first month
    month_of_day: np.ndarray  # int64 [day - first_day]
    year_of_month: np.ndarray  # int64 [month]; index of the financial year
    years: np.ndarray  # int64 [FY, 0 first simulated day | 1 day after the last]
    provider_type: np.ndarray  # int64 [provider]; words.PLACEMENT_TYPES
    counted: np.ndarray  # int64 [item, event, detail, locality, per family, from day, to day]
    is_counted: np.ndarray  # bool [event]; whether an item counts it


class Memory(NamedTuple):
    """What is true after the events read so far."""

    known: np.ndarray  # Known [child]
    since: np.ndarray  # int32 [child, service line]; day the service began, -1 when not open
    totals: np.ndarray  # int64 [N_TOTALS]; children open in each service line, waiting, in continuing care, in care
    in_care: np.ndarray  # int32; a list of the children in care, in no particular order
    joining: np.ndarray  # int32; a list of the children who joined someone's home today, in order
    ended: np.ndarray  # int32 [child, provider, bucket, since]; a list of the stays that ended today, in order of child
    ended_multiplier: np.ndarray  # float64; their price multipliers
    families: np.ndarray  # int32 [family, 0 members away from home | 1 home they share, -1 several]; for the census
    last_counted: np.ndarray  # int32 [family, item]; day an event of the family was last counted


class Searches(NamedTuple):
    """What was wanted and what was found: each int64 [FY, locality, age band, wanted type, got type].

    FY is the index of a financial year; the age band is the child's when the placement begins.
    """

    made: np.ndarray  # placements begun
    beyond_radius: np.ndarray  # of them, beyond the radius
    days: np.ndarray  # days in placements begun in the run
    days_beyond: np.ndarray  # of them, beyond the radius


class Filled(NamedTuple):
    """The tables the walk fills."""

    counts: np.ndarray  # int64 [count, row]
    placement_days: np.ndarray  # int64 [FY, provider, 0 looked after | 1 continuing care]
    price_days: np.ndarray  # float64, same shape; days x price multiplier
    service_units: np.ndarray  # int64 [FY, service line]
    counted: np.ndarray  # int64 [FY, item]
    waits: np.ndarray  # int64 [FY, locality, age band, WAITS]
    searches: Searches


def new_memory(children: Children, counts_families_in: int) -> Memory:
    """Nobody is known but by birth, home and family; nothing is open. Members of a family stand next to each other.

    Args:
        children: of the replication.
        counts_families_in: items of programme costs, where one of them counts families; otherwise 0.
    """
    n = len(children.birth_day)
    family = np.concatenate([[0], np.cumsum(children.family[1:] != children.family[:-1])])[:n]
    known = BLANK.rows(n)
    known["birth_day"], known["locality"], known["family"] = children.birth_day, children.locality, family
    known["unaccompanied"] = children.unaccompanied
    return Memory(
        known=known.view(np.recarray),
        since=np.full((n, N_SERVICE_LINES), UNSET, dtype=np.int32),
        totals=np.zeros(N_TOTALS, dtype=np.int64),
        in_care=np.full(n, UNSET, dtype=np.int32),
        joining=np.full(n, UNSET, dtype=np.int32),
        ended=np.zeros((n + 1, 4), dtype=np.int32),
        ended_multiplier=np.zeros(n + 1),
        families=np.zeros((n, 2), dtype=np.int32),
        last_counted=np.full((family[-1] + 1 if n else 0, counts_families_in), LONG_AGO, dtype=np.int32),
    )
