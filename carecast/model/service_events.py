"""Reading the events before care, and counting services by child-days: a part of the walk in ``reduction.py``."""

import numpy as np

from carecast.model import ledger as b
from carecast.model import words as w
from carecast.model.census import age_band
from carecast.model.compiled import loop


@loop
def add(counts: np.ndarray, what: int, row: int, number: int) -> None:
    """Add a flow to its month, if the tables hold that month."""
    if row >= 0:
        counts[what, row] += number


@loop
def front_door(event: b.Event, child: b.Known, counts: np.ndarray) -> None:
    """Contacts and referrals. A child is referred again if the log, or what the clock knew of earlier days, says so."""
    if event.what == w.CONTACT_MADE:
        add(counts, b.K_CONTACTS, event.row, 1)
    elif event.what == w.REFERRED:
        add(counts, b.K_REFERRALS, event.row, 1)
        if event.detail == 1 or event.day - child.last_referral <= b.TWELVE_MONTHS_DAYS:
            add(counts, b.K_RE_REFERRALS_12M, event.row, 1)
        child.last_referral = event.day


@loop
def early_help(
    event: b.Event,
    child: b.Known,
    since: np.ndarray,
    totals: np.ndarray,
    years: np.ndarray,
    counts: np.ndarray,
    service_units: np.ndarray,
    waits: np.ndarray,
) -> None:
    """Early help: asked for, started (the wait ends), ended, or given up while waiting."""
    if event.what == w.EARLY_HELP_ASKED and child.asked_day == b.UNSET:
        totals[b.T_WAITING] += 1
        child.asked_day = event.day
    elif event.what == w.EARLY_HELP_STARTED:
        wait = _end_wait(event, child, totals)
        begin_service(b.L_EARLY_HELP, event, since, totals)
        add(counts, b.K_EARLY_HELP_STARTS, event.row, 1)
        add(counts, b.K_EARLY_HELP_WAIT_DAYS, event.row, wait)
        if event.year >= 0:
            cell = waits[event.year, child.locality, age_band(child.birth_day, event.day)]
            cell[b.W_DAYS] += wait
            cell[b.W_STARTS] += 1
            cell[b.W_WAITED] += 1 if wait > 0 else 0
    elif event.what == w.EARLY_HELP_ENDED:
        end_service(b.L_EARLY_HELP, event.day, since, totals, years, service_units)
    elif event.what == w.EARLY_HELP_WAIT_LEFT:
        wait = _end_wait(event, child, totals)
        if event.detail == w.WAIT_ESCALATED:
            add(counts, b.K_ESCALATIONS_WAITING, event.row, 1)
        if event.year >= 0:
            cell = waits[event.year, child.locality, age_band(child.birth_day, event.day)]
            cell[b.W_LEFT] += 1
            cell[b.W_LEFT_DAYS] += wait
            cell[b.W_ESCALATED] += 1 if event.detail == w.WAIT_ESCALATED else 0


@loop
def _end_wait(event: b.Event, child: b.Known, totals: np.ndarray) -> int:
    """Take the child off the early-help queue; days waited, 0 for a child that never queued."""
    if child.asked_day == b.UNSET:
        return 0
    wait = int(event.day - child.asked_day)
    child.asked_day = b.UNSET
    totals[b.T_WAITING] -= 1
    return wait


@loop
def help_and_protection(
    event: b.Event,
    child: b.Known,
    since: np.ndarray,
    totals: np.ndarray,
    years: np.ndarray,
    counts: np.ndarray,
    service_units: np.ndarray,
) -> None:
    """Assessment and pre-entry decisions are counted as children started; support and protection as child-days."""
    if event.what == w.ASSESSMENT_STARTED:
        begin_service(b.L_ASSESSMENT, event, since, totals)
        _count_start(b.L_ASSESSMENT, event, service_units)
    elif event.what == w.ASSESSMENT_ENDED:
        _close_case(b.L_ASSESSMENT, since, totals)
    elif event.what == w.PRE_ENTRY_STARTED:
        begin_service(b.L_PRE_ENTRY, event, since, totals)
        _count_start(b.L_PRE_ENTRY, event, service_units)
    elif event.what == w.PRE_ENTRY_ENDED:
        _close_case(b.L_PRE_ENTRY, since, totals)
    elif event.what == w.SUPPORT_STARTED:
        begin_service(b.L_SUPPORT, event, since, totals)
    elif event.what == w.SUPPORT_ENDED:
        end_service(b.L_SUPPORT, event.day, since, totals, years, service_units)
    elif event.what == w.PROTECTION_STARTED:
        begin_service(b.L_PROTECTION, event, since, totals)
        add(counts, b.K_PROTECTION_STARTS, event.row, 1)
        if event.day - child.last_protection_end <= b.EIGHTEEN_MONTHS_DAYS:
            add(counts, b.K_REPEAT_PROTECTION_18M, event.row, 1)
    elif event.what == w.PROTECTION_ENDED:
        end_service(b.L_PROTECTION, event.day, since, totals, years, service_units)
        child.last_protection_end = event.day


@loop
def _count_start(line: int, event: b.Event, service_units: np.ndarray) -> None:
    """One more child started, in a service that is counted by starts."""
    if event.year >= 0:
        service_units[event.year, line] += 1


@loop
def _close_case(line: int, since: np.ndarray, totals: np.ndarray) -> None:
    """Close a case of a service that is counted by starts: no days are booked."""
    if since[line] != b.UNSET:
        since[line] = b.UNSET
        totals[line] -= 1


@loop
def begin_service(line: int, event: b.Event, since: np.ndarray, totals: np.ndarray) -> None:
    """The service is open from today, unless it already was."""
    if since[line] == b.UNSET:
        since[line] = event.day
        totals[line] += 1


@loop
def end_service(
    line: int, day: int, since: np.ndarray, totals: np.ndarray, years: np.ndarray, service_units: np.ndarray
) -> None:
    """Close a service on ``day`` and book its child-days."""
    if since[line] == b.UNSET:
        return
    for year in range(len(years)):
        service_units[year, line] += days_in_year(since[line], day, years[year])
    since[line] = b.UNSET
    totals[line] -= 1


@loop
def days_in_year(since: int, day: int, year: np.ndarray) -> int:
    """Days of the spell ``since`` .. ``day`` - 1 that are simulated and fall in the financial year."""
    return int(max(0, min(day, year[1]) - max(since, year[0])))
