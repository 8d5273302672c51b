"""The walk through one event log that fills the tables of a replication: scalar loops over flat arrays, compiled.

The events are read once, in order of day. What is known of each child is kept in ``Memory``; on the last day of every
month a census counts the children in care. Time is linear in events plus children in care times months; memory does not
grow with the length of the run. ``results.py`` turns the counts into measures.

The order of the children within a day makes no difference, not in the last bit: what would depend on it (sums of
multiplied days, who joined whom) waits for the end of the day and is taken child by child.
"""

import numpy as np

from carecast.model import ledger as b
from carecast.model import words as w
from carecast.model.census import age_band, take_census
from carecast.model.compiled import loop
from carecast.model.event_log import Log
from carecast.model.service_events import (
    add,
    begin_service,
    days_in_year,
    early_help,
    end_service,
    front_door,
    help_and_protection,
)


@loop
def fill(log: Log, grid: b.Grid, memory: b.Memory, out: b.Filled) -> None:
    """Read the whole log, which is in order of day, and fill ``out``."""
    n_rows = len(grid.census_day)
    next_row = 0
    today = b.LONG_AGO
    for i in range(len(log.day)):
        day = log.day[i]
        if day > grid.until:
            break
        if day != today:
            _end_day(today, grid, memory, out)
            while next_row < n_rows and grid.census_day[next_row] < day:
                take_census(next_row, grid.census_day[next_row], grid.radius_tenths, memory, out.counts)
                next_row += 1
            today = day
        event = _event_at(i, log, grid)
        if grid.is_counted[event.what]:
            _count_for_programmes(event, grid.counted, memory.known, memory.last_counted, out.counted)
        _read_event(event, grid, memory, out)
    _end_day(today, grid, memory, out)
    for row in range(next_row, n_rows):
        take_census(row, grid.census_day[row], grid.radius_tenths, memory, out.counts)
    _close_the_books(grid, memory, out)


@loop
def _end_day(day: int, grid: b.Grid, memory: b.Memory, out: b.Filled) -> None:
    """What waits for the end of a day."""
    if memory.totals[b.T_JOINING] > 0:
        _settle_homes(memory.known, memory.joining, memory.totals)
    if memory.totals[b.T_ENDED] > 0:
        _settle_prices(day, grid.years, memory, out.price_days)


@loop
def _event_at(i: int, log: Log, grid: b.Grid) -> b.Event:
    """Row ``i`` of the log; up to the as-at day it counts in no month and no year, only in what is known."""
    row = year = b.NOT_HELD
    if log.day[i] > grid.as_at:
        month = grid.month_of_day[log.day[i] - grid.first_day]
        year = grid.year_of_month[month]
        row = month if month < len(grid.census_day) else b.NOT_HELD
    return b.Event(
        i,
        log.day[i],
        log.child[i],
        log.event[i],
        log.locality[i],
        log.provider[i],
        log.detail[i],
        log.shared_with[i],
        log.out_of_area[i],
        log.price_multiplier[i],
        row,
        year,
    )


@loop
def _read_event(event: b.Event, grid: b.Grid, memory: b.Memory, out: b.Filled) -> None:
    """Bring what is known of the child up to date and count flows."""
    child = memory.known[event.child]
    since = memory.since[event.child]
    if event.what <= w.REFERRED:
        front_door(event, child, out.counts)
    elif event.what <= w.EARLY_HELP_WAIT_LEFT:
        early_help(event, child, since, memory.totals, grid.years, out.counts, out.service_units, out.waits)
    elif event.what <= w.PRE_ENTRY_ENDED:
        help_and_protection(event, child, since, memory.totals, grid.years, out.counts, out.service_units)
    elif event.what == w.ENTERED_CARE:
        _enter(event, child, memory.in_care, memory.totals, out.counts)
    elif event.what == w.LEFT_CARE:
        _leave(event, memory.known, memory.in_care, memory.totals, out.counts)
    elif event.what in (w.PLACEMENT_ASKED, w.PLACEMENT_STARTED, w.PLACEMENT_ENDED):
        _placement(event, child, grid, memory, out)
    elif event.what >= w.RE_ENTRY_BEGINS:
        _after_care(event, child, since, memory.totals, grid.years, out.counts, out.service_units)
        if event.what != w.RE_ENTRY_BEGINS and event.detail == w.CONTINUING_CARE:
            _continuing_care(event, child, grid, memory, out)


@loop
def _count_for_programmes(
    event: b.Event, counted: np.ndarray, known: np.ndarray, last_counted: np.ndarray, out: np.ndarray
) -> None:
    """Count events that programme costs are paid for; a family once a day (its members' events come together)."""
    if event.year < 0:
        return
    for item in range(len(counted)):
        if _is_meant(event, counted[item]):
            family = known[event.child].family
            if counted[item, 3] == 0 or last_counted[family, item] != event.day:
                out[event.year, item] += 1
            if counted[item, 3] > 0:
                last_counted[family, item] = event.day


@loop
def _is_meant(event: b.Event, item: np.ndarray) -> bool:
    """The item's event, with its detail and locality where it names one, on its days."""
    if item[0] != event.what or (item[1] >= 0 and item[1] != event.detail):
        return False
    return bool((item[2] < 0 or item[2] == event.locality) and item[4] <= event.day <= item[5])


# --- care ---------------------------------------------------------------------------------------------------------
@loop
def _enter(event: b.Event, child: b.Known, in_care: np.ndarray, totals: np.ndarray, counts: np.ndarray) -> None:
    """A child comes into care; a return if the clock says so or if the log saw the child leave before."""
    if child.list_place != b.UNSET:
        return
    child.list_place = totals[b.T_IN_CARE]
    in_care[child.list_place] = event.child
    totals[b.T_IN_CARE] += 1
    child.episode_placements = 0
    add(counts, b.K_ENTRIES, event.row, 1)
    if event.detail == w.ENTRY_RETURN or child.last_exit != b.LONG_AGO:
        add(counts, b.K_RE_ENTRIES, event.row, 1)
    if event.day - child.last_exit <= b.TWELVE_MONTHS_DAYS:
        add(counts, b.K_RE_ENTRIES_12M, event.row, 1)


@loop
def _leave(event: b.Event, known: np.ndarray, in_care: np.ndarray, totals: np.ndarray, counts: np.ndarray) -> None:
    """A child leaves care: the last of the list takes its place. An exit before the run is only remembered."""
    child = known[event.child]
    child.last_exit = event.day
    if child.list_place == b.UNSET:
        return
    totals[b.T_IN_CARE] -= 1
    last = in_care[totals[b.T_IN_CARE]]
    in_care[child.list_place] = last
    known[last].list_place = child.list_place
    child.list_place = b.UNSET
    add(counts, b.K_EXITS, event.row, 1)


@loop
def _placement(event: b.Event, child: b.Known, grid: b.Grid, memory: b.Memory, out: b.Filled) -> None:
    """One placement after another: asked for, started, ended."""
    if event.what == w.PLACEMENT_ASKED:
        child.wanted = event.detail
    elif event.what == w.PLACEMENT_STARTED:
        _start_placement(event, child, grid.provider_type, memory.joining, memory.totals, out.counts)
        _book_search(event, child, grid.radius_tenths, out.searches)
    else:
        _end_placement(event, child, grid, memory, out)


@loop
def _start_placement(
    event: b.Event,
    child: b.Known,
    provider_type: np.ndarray,
    joining: np.ndarray,
    totals: np.ndarray,
    counts: np.ndarray,
) -> None:
    """The child moves in; a placement without a provider is at home, a second one of a stay in care is a move."""
    child.kind = provider_type[event.provider] if event.provider >= 0 else w.AT_HOME
    child.tenths = event.detail
    child.out_of_area = event.out_of_area
    child.episode_placements += 1
    if child.episode_placements > 1:
        add(counts, b.K_MOVES, event.row, 1)
    _begin_stay(event, child, 0)
    if event.shared_with < 0 or event.shared_with == event.child:
        child.home = event.position
        if child.joins != b.UNSET:  # moved twice today, now to a home of its own
            child.joins = event.child
        return
    if child.joins == b.UNSET:
        at = totals[b.T_JOINING]
        while at > 0 and joining[at - 1] > event.child:
            joining[at] = joining[at - 1]
            at -= 1
        joining[at] = event.child
        totals[b.T_JOINING] += 1
    child.joins = event.shared_with


@loop
def _begin_stay(event: b.Event, child: b.Known, bucket: int) -> None:
    """Days at a provider begin to count, as looked after (0) or in continuing care (1)."""
    child.stay_since = event.day
    child.stay_provider = event.provider
    child.stay_multiplier = event.multiplier
    child.stay_bucket = bucket
    child.stay_wanted = b.UNSET


@loop
def _settle_homes(known: np.ndarray, joining: np.ndarray, totals: np.ndarray) -> None:
    """At the end of a day, children who joined someone get that child's home, whoever moved in first in the log.

    Homes are identifiers of their own, so a founder who later moves away leaves the others together.
    """
    n_joining = totals[b.T_JOINING]
    for k in range(n_joining):
        child = joining[k]
        other = known[child].joins
        for _ in range(n_joining):  # follow the chain to a child who did not join anyone today
            if known[other].joins == b.UNSET or known[other].joins == other:
                break
            other = known[other].joins
        if other != child:
            home = known[other].home
            known[child].home = home if home != b.UNSET else b.LONG_AGO - other
    for k in range(n_joining):
        known[joining[k]].joins = b.UNSET
    totals[b.T_JOINING] = 0


@loop
def _book_search(event: b.Event, child: b.Known, radius_tenths: int, searches: b.Searches) -> None:
    """What was wanted, what was got, and whether it lies beyond the radius (unaccompanied children apart)."""
    wanted = child.wanted
    child.wanted = b.UNSET
    if event.year < 0 or wanted < 0:
        return
    band = age_band(child.birth_day, event.day)
    beyond = child.kind != w.AT_HOME and child.unaccompanied != 1 and event.detail > radius_tenths
    child.stay_wanted = wanted
    child.stay_band = band
    child.stay_beyond = 1 if beyond else 0
    searches.made[event.year, child.locality, band, wanted, child.kind] += 1
    if beyond:
        searches.beyond_radius[event.year, child.locality, band, wanted, child.kind] += 1


@loop
def _end_placement(event: b.Event, child: b.Known, grid: b.Grid, memory: b.Memory, out: b.Filled) -> None:
    """The child moves out; the ends of the last two placements are kept for the count of placements in a year."""
    if child.kind == w.KINSHIP and event.detail == w.MOVE:
        add(out.counts, b.K_KINSHIP_BREAKDOWNS, event.row, 1)
    _end_stay(event, child, grid, memory, out)
    child.kind = b.UNSET
    child.last_end_but_one = child.last_end
    child.last_end = event.day


@loop
def _end_stay(event: b.Event, child: b.Known, grid: b.Grid, memory: b.Memory, out: b.Filled) -> None:
    """Book the days of a stay at a provider; a stay without one (at home) costs no place.

    Days times prices are booked at the end of the day: a sum of fractions depends on the order it is taken in.
    """
    if child.stay_since != b.UNSET and child.stay_provider >= 0:
        _book_stay(child, event.day, grid.years, out)
        at = memory.totals[b.T_ENDED]
        if at == len(memory.ended):
            _settle_prices(event.day, grid.years, memory, out.price_days)
            at = 0
        while at > 0 and memory.ended[at - 1, 0] > event.child:
            for column in range(4):
                memory.ended[at, column] = memory.ended[at - 1, column]
            memory.ended_multiplier[at] = memory.ended_multiplier[at - 1]
            at -= 1
        stay = memory.ended[at]
        stay[0], stay[1], stay[2], stay[3] = event.child, child.stay_provider, child.stay_bucket, child.stay_since
        memory.ended_multiplier[at] = child.stay_multiplier
        memory.totals[b.T_ENDED] += 1
    child.stay_since = b.UNSET


@loop
def _book_stay(child: b.Known, day: int, years: np.ndarray, out: b.Filled) -> None:
    """Book the whole days of a stay that ends on ``day``."""
    for year in range(len(years)):
        days = days_in_year(child.stay_since, day, years[year])
        if days > 0:
            out.placement_days[year, child.stay_provider, child.stay_bucket] += days
            _book_days(child, year, days, out.searches)


@loop
def _settle_prices(day: int, years: np.ndarray, memory: b.Memory, price_days: np.ndarray) -> None:
    """Book days times price multipliers of the stays that ended on ``day``, child by child."""
    for k in range(memory.totals[b.T_ENDED]):
        _book_price(memory.ended[k], memory.ended_multiplier[k], day, years, price_days)
    memory.totals[b.T_ENDED] = 0


@loop
def _book_price(stay: np.ndarray, multiplier: float, day: int, years: np.ndarray, price_days: np.ndarray) -> None:
    """Book days times the price multiplier of one stay that ends on ``day``."""
    for year in range(len(years)):
        days = days_in_year(stay[3], day, years[year])
        if days > 0:
            price_days[year, stay[1], stay[2]] += days * multiplier


@loop
def _book_days(child: b.Known, year: int, days: int, searches: b.Searches) -> None:
    """Days in a placement begun in the run, by what was wanted and what was found."""
    if child.stay_wanted == b.UNSET:
        return
    searches.days[year, child.locality, child.stay_band, child.stay_wanted, child.kind] += days
    if child.stay_beyond == 1:
        searches.days_beyond[year, child.locality, child.stay_band, child.stay_wanted, child.kind] += days


# --- after care ---------------------------------------------------------------------------------------------------
@loop
def _after_care(
    event: b.Event,
    child: b.Known,
    since: np.ndarray,
    totals: np.ndarray,
    years: np.ndarray,
    counts: np.ndarray,
    service_units: np.ndarray,
) -> None:
    """Life after care; return from a kinship order that broke down (its end and the return come in any order)."""
    if event.what == w.RE_ENTRY_BEGINS:
        if since[b.L_KINSHIP_ORDER] != b.UNSET or child.kinship_order_end == event.day:
            add(counts, b.K_KINSHIP_BREAKDOWNS, event.row, 1)
    elif event.detail != w.CONTINUING_CARE:
        line = b.L_AFTERCARE if event.detail == w.AFTERCARE else b.L_HOME + event.detail - w.HOME_AFTER_CARE
        if event.what == w.AFTER_CARE_STARTED:
            begin_service(line, event, since, totals)
        else:
            end_service(line, event.day, since, totals, years, service_units)
            if line == b.L_KINSHIP_ORDER:
                child.kinship_order_end = event.day


@loop
def _continuing_care(event: b.Event, child: b.Known, grid: b.Grid, memory: b.Memory, out: b.Filled) -> None:
    """Continuing care keeps the place and the cost, but the young person is no longer looked after."""
    if event.what == w.AFTER_CARE_STARTED:
        _begin_stay(event, child, 1)
        memory.totals[b.T_CONTINUING] += 1
    elif child.stay_since != b.UNSET and child.stay_bucket == 1:
        _end_stay(event, child, grid, memory, out)
        memory.totals[b.T_CONTINUING] -= 1


@loop
def _close_the_books(grid: b.Grid, memory: b.Memory, out: b.Filled) -> None:
    """Book the days of what is still open after the last day; it stays open."""
    end = grid.until + 1
    for i in range(len(memory.known)):
        child = memory.known[i]
        if child.stay_since != b.UNSET and child.stay_provider >= 0:
            _book_stay(child, end, grid.years, out)
            stay = memory.ended[0]
            stay[1], stay[2], stay[3] = child.stay_provider, child.stay_bucket, child.stay_since
            _book_price(stay, child.stay_multiplier, end, grid.years, out.price_days)
        for line in range(b.N_SERVICE_LINES):
            if line in b.COUNTED_BY_START:
                continue
            end_service(line, end, memory.since[i], memory.totals, grid.years, out.service_units)
