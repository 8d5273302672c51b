"""From one replication's event log to its tables: measures by month, days and cases by financial year.

Units are children unless the measure says otherwise. The grid is dense: a measure has a value in every month, and a
percentage or mean whose denominator is nought is 0. Flows of a month are events after the as-at day; stocks are counted
at the end of the month's last day. The log may also hold history: events dated on or before the as-at day set what is
open and the memory that looks back 12 or 18 months (``left_care``, ``referred``, ``protection_ended``, placements) and
are never counted as flows. Where they are lacking, shares that look back are too low in the first 12 or 18 months.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from carecast.model import ledger as b
from carecast.model import words as w
from carecast.model.calendar import Calendar
from carecast.model.event_log import Children, Log, as_children, as_log, sorted_log
from carecast.model.reduction import fill

SERVICE_LINES = b.SERVICE_LINES

# Percentages and means: measure -> (numerator, denominator), positions in COUNTS.
SHARES = {
    "within_radius_percent": (b.K_WITHIN_RADIUS, b.K_DISTANCE_KNOWN),
    "out_of_area_percent": (b.K_OUT_OF_AREA, b.K_AWAY),
    "re_referral_12m_percent": (b.K_RE_REFERRALS_12M, b.K_REFERRALS),
    "repeat_protection_18m_percent": (b.K_REPEAT_PROTECTION_18M, b.K_PROTECTION_STARTS),
    "re_entry_12m_percent": (b.K_RE_ENTRIES_12M, b.K_ENTRIES),
    "three_placements_percent": (b.K_THREE_PLACEMENTS, b.K_LOOKED_AFTER),
    "more_than_one_placement_percent": (b.K_TWO_PLACEMENTS, b.K_LOOKED_AFTER),
    "siblings_together_percent": (b.K_WITH_ALL_SIBLINGS, b.K_WITH_SIBLINGS),
}
# Measures that are a count as it stands.
PLAIN = {
    "looked_after_away_from_home": b.K_AWAY,
    "looked_after_at_home": b.K_FIRST_TYPE + w.AT_HOME,
    "continuing_care": b.K_CONTINUING_CARE,
    "early_help_waiting": b.K_EARLY_HELP_WAITING,
    "early_help_open": b.K_EARLY_HELP_OPEN,
    "support_open": b.K_SUPPORT_OPEN,
    "protection_open": b.K_PROTECTION_OPEN,
    "contacts": b.K_CONTACTS,
    "referrals": b.K_REFERRALS,
    "early_help_starts": b.K_EARLY_HELP_STARTS,
    "entries_to_care": b.K_ENTRIES,
    "exits_from_care": b.K_EXITS,
    "moves": b.K_MOVES,
    "re_entries": b.K_RE_ENTRIES,
    "kinship_breakdowns": b.K_KINSHIP_BREAKDOWNS,
    "escalations_waiting": b.K_ESCALATIONS_WAITING,
    "assessment_open": b.K_ASSESSMENT_OPEN,
    "pre_entry_open": b.K_PRE_ENTRY_OPEN,
    "home_after_care_open": b.K_HOME_AFTER_CARE_OPEN,
    "kinship_order_open": b.K_KINSHIP_ORDER_OPEN,
    "adopted_open": b.K_ADOPTED_OPEN,
    "aftercare_open": b.K_AFTERCARE_OPEN,
}
# Every measure without a breakdown, in the order of the tables; ``looked_after`` and its breakdowns come first.
MEASURES = (
    "looked_after_away_from_home",
    "looked_after_at_home",
    "looked_after_in_community",
    "looked_after_in_residential",
    "continuing_care",
    "balance_of_care_percent",
    "within_radius_percent",
    "out_of_area_percent",
    "distance_unknown_percent",
    "early_help_waiting",
    "early_help_open",
    "support_open",
    "protection_open",
    "contacts",
    "referrals",
    "early_help_starts",
    "early_help_wait_days",
    "entries_to_care",
    "exits_from_care",
    "moves",
    "re_entries",
    "re_referral_12m_percent",
    "repeat_protection_18m_percent",
    "re_entry_12m_percent",
    "kinship_breakdowns",
    "three_placements_percent",
    "more_than_one_placement_percent",
    "escalations_waiting",
    "siblings_together_percent",
    "assessment_open",
    "pre_entry_open",
    "home_after_care_open",
    "kinship_order_open",
    "adopted_open",
    "aftercare_open",
)
AT = {name: at for at, name in enumerate(MEASURES)}
PLAIN_AT, SHARES_AT = ([AT[name] for name in names] for names in (PLAIN, SHARES))
SHARES_TOP, SHARES_BOTTOM = ([share[at] for share in SHARES.values()] for at in (0, 1))


class HasPlacementType(Protocol):
    """All that results ask of a provider."""

    @property
    def placement_type(self) -> str:
        """A word of PLACEMENT_TYPES."""


class Counted(NamedTuple):
    """Events that a programme cost is paid for, by child or, once a day, by family; -1 means any.

    Only events after the as-at day and from ``from_day`` to ``to_day`` (both included) count. Where several localities
    are meant, give one ``Counted`` for each.
    """

    event: int  # words.EVENTS
    detail: int = -1
    locality: int = -1
    per_family: bool = False
    from_day: int = 0
    to_day: int = w.NEVER


@dataclass(frozen=True, slots=True)
class Tables:
    """What one replication comes to. FY is an index into the calendar's financial years, in full or in part.

    A child in place at the end of day t counts day t: a stay from day a to day b counts days a to b - 1, split exactly
    over financial years, from the day after the as-at day to ``until`` included.
    """

    rows: tuple[tuple[str, str], ...]  # (measure, breakdown) of ``monthly``, the same in every replication of a run
    monthly: np.ndarray  # float64 [row, month]
    counts: np.ndarray  # int64 [ledger.COUNTS, month]; numerators and denominators, to pool shares over months
    placement_days: np.ndarray  # int64 [FY, provider, 0 looked after | 1 continuing care]
    price_days: np.ndarray  # float64, same shape; days x price multiplier
    service_units: np.ndarray  # int64 [FY, SERVICE_LINES]; child-days, or children started (assessment, pre_entry)
    counted: np.ndarray  # int64 [FY, item]
    placements_made: np.ndarray  # int64 [FY, locality, age band, wanted type, got type]; placements begun
    placed_beyond_radius: np.ndarray  # same shape; of them beyond the radius, unaccompanied children apart
    days_placed: np.ndarray  # same shape; days in placements begun in the run
    days_beyond_radius: np.ndarray  # same shape; of them beyond the radius
    early_help_waits: np.ndarray  # int64 [FY, locality, age band, ledger.WAITS]
    type_days: np.ndarray  # int64 [FY, placement type]; all days of children looked after at a provider


def measure_rows(localities: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(measure, breakdown) of every row of ``Tables.monthly``. Nobody of 18 or over is looked after: no such row."""
    looked_after = [
        "total",
        *(f"placement_type={name}" for name in w.PLACEMENT_TYPES),
        *(f"age_band={name}" for name in w.AGE_BANDS[: w.ADULT]),
        *(f"locality={name}" for name in localities),
    ]
    return (*(("looked_after", breakdown) for breakdown in looked_after), *((name, "total") for name in MEASURES))


def reduce_log(
    log: Log,
    children: Children,
    calendar: Calendar,
    providers: Sequence[HasPlacementType],
    localities: Sequence[str],
    counted: Sequence[Counted] = (),
    radius_miles: float = 15.0,
) -> Tables:
    """Fill the tables of one replication; ``providers`` and ``localities`` are those the log's indices point into."""
    log, children = as_log(*log), as_children(*children)
    if np.any(log.day[1:] < log.day[:-1]):
        log = sorted_log(log)
    return Reducer(calendar, providers, localities, counted, radius_miles).tables(log, children)


class Reducer:
    """Fills the tables of one replication after another; holds what of them is the same in all. As ``reduce_log``."""

    def __init__(
        self, calendar: Calendar, providers: Sequence[HasPlacementType], localities: Sequence[str],
        counted: Sequence[Counted] = (), radius_miles: float = 15.0,
    ) -> None:  # fmt: skip
        """Lay out the grid."""
        self.grid = _grid(calendar, providers, counted, radius_miles)
        self.rows = measure_rows(localities)
        self.n_localities = len(localities)
        self.shape = (len(calendar.financial_years), len(providers), len(localities), len(counted), calendar.n_rows)
        self.counts_families_in = len(counted) if any(item[3] for item in counted) else 0

    def tables(self, log: Log, children: Children) -> Tables:
        """The tables of a log that is in order of day, with the types of a ``Log``."""
        out = _empty(*self.shape)
        fill(log, self.grid, b.new_memory(children, self.counts_families_in), out)
        return Tables(
            rows=self.rows,
            monthly=_monthly(out.counts, self.n_localities),
            counts=out.counts[: len(b.COUNTS)],
            placement_days=out.placement_days,
            price_days=out.price_days,
            service_units=out.service_units,
            counted=out.counted,
            placements_made=out.searches.made,
            placed_beyond_radius=out.searches.beyond_radius,
            days_placed=out.searches.days,
            days_beyond_radius=out.searches.days_beyond,
            early_help_waits=out.waits,
            type_days=_days_by_type(out.placement_days[:, :, 0], self.grid.provider_type),
        )


def _days_by_type(days: np.ndarray, provider_type: np.ndarray) -> np.ndarray:
    """[FY, provider] summed to [FY, placement type]."""
    by_type = np.zeros((len(days), w.N_PLACEMENT_TYPES), dtype=np.int64)
    for provider, kind in enumerate(provider_type):
        by_type[:, kind] += days[:, provider]
    return by_type


def _grid(
    calendar: Calendar, providers: Sequence[HasPlacementType], counted: Sequence[Counted], radius_miles: float
) -> b.Grid:
    items = [[int(value) for value in Counted(*item)] for item in counted]
    first, end = calendar.start_day + 1, calendar.last_day + 1
    years = [
        (max(first, last.replace(year=last.year - 1).toordinal() + 1), min(end, last.toordinal() + 1))
        for last in calendar.financial_year_ends
    ]
    types = [w.PLACEMENT_TYPES.index(provider.placement_type) for provider in providers]
    return b.Grid(
        as_at=calendar.start_day,
        until=calendar.last_day,
        first_day=calendar.first_day,
        radius_tenths=round(radius_miles * 10),
        census_day=np.minimum(calendar.month_end_days, calendar.last_day).astype(np.int64),
        month_of_day=calendar.month_of_day.astype(np.int64),
        year_of_month=calendar.financial_year_of_month.astype(np.int64),
        years=np.array(years, dtype=np.int64),
        provider_type=np.array(types, dtype=np.int64),
        counted=np.array(items, dtype=np.int64).reshape(len(items), len(Counted._fields)),
        is_counted=np.isin(np.arange(len(w.EVENTS)), [item[0] for item in items]),
    )


def _empty(n_years: int, n_providers: int, n_localities: int, n_counted: int, n_rows: int) -> b.Filled:
    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, dtype=np.int64)

    search = (n_years, n_localities, w.N_AGE_BANDS, w.N_PLACEMENT_TYPES, w.N_PLACEMENT_TYPES)
    return b.Filled(
        counts=zeros(b.K_FIRST_LOCALITY + n_localities, n_rows),
        placement_days=zeros(n_years, n_providers, 2),
        price_days=np.zeros((n_years, n_providers, 2)),
        service_units=zeros(n_years, b.N_SERVICE_LINES),
        counted=zeros(n_years, n_counted),
        waits=zeros(n_years, n_localities, w.N_AGE_BANDS, len(b.WAITS)),
        searches=b.Searches(
            made=zeros(*search), beyond_radius=zeros(*search), days=zeros(*search), days_beyond=zeros(*search)
        ),
    )


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Numerator over denominator; 0 where the denominator is 0."""
    share = np.zeros(numerator.shape)
    np.divide(numerator, denominator, out=share, where=denominator > 0)
    return share


def _monthly(counts: np.ndarray, n_localities: int) -> np.ndarray:
    """Every measure in the order of ``measure_rows``.

    balance_of_care_percent = children in community placements / looked after (LGBF CHN9).
    within_radius_percent = within / away from home with a known distance; distance_unknown_percent = unknown / (known +
    unknown); in both, unaccompanied children and distances not counted stand apart. out_of_area_percent is of all
    children away from home.
    re_referral_12m_percent: of the month's referrals, children referred in the 365 days before.
    re_entry_12m_percent: of the month's entries, children who left care in the 365 days before.
    repeat_protection_18m_percent: of the month's protection starts, children whose protection ended in the 548 days
    before (LGBF CHN22).
    three_placements_percent: of children looked after, those with three or more placements that began in the last 365
    days or were running when these began; more_than_one_placement_percent (LGBF CHN23): two or more.
    siblings_together_percent: of children away from home with a brother or sister also away, those in one home with all
    of these.
    kinship_breakdowns: kinship placements that ended in a move, and kinship orders that ended in a return to care.
    early_help_wait_days: mean days from asking to starting, of the month's starts.
    """
    types = counts[b.K_FIRST_TYPE : b.K_FIRST_AGE_BAND]
    community, residential = types[: w.FIRST_RESIDENTIAL].sum(axis=0), types[w.FIRST_RESIDENTIAL :].sum(axis=0)
    unknown, known = counts[b.K_DISTANCE_UNKNOWN], counts[b.K_DISTANCE_KNOWN]
    breakdowns = (
        counts[: b.K_LOOKED_AFTER + 1],
        types,
        counts[b.K_FIRST_AGE_BAND : b.K_FIRST_AGE_BAND + w.ADULT],
        counts[b.K_FIRST_LOCALITY : b.K_FIRST_LOCALITY + n_localities],
    )
    first = sum(len(part) for part in breakdowns)
    monthly = np.empty((first + len(MEASURES), counts.shape[1]))
    np.concatenate(breakdowns, out=monthly[:first], casting="unsafe")
    values = monthly[first:]
    values[PLAIN_AT] = counts[list(PLAIN.values())]
    values[SHARES_AT] = 100.0 * _ratio(counts[SHARES_TOP], counts[SHARES_BOTTOM])
    values[AT["looked_after_in_community"]] = community
    values[AT["looked_after_in_residential"]] = residential
    values[AT["balance_of_care_percent"]] = 100.0 * _ratio(community, counts[b.K_LOOKED_AFTER])
    values[AT["distance_unknown_percent"]] = 100.0 * _ratio(unknown, known + unknown)
    values[AT["early_help_wait_days"]] = _ratio(counts[b.K_EARLY_HELP_WAIT_DAYS], counts[b.K_EARLY_HELP_STARTS])
    return monthly
