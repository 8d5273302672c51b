"""The census on the last day of every month: who is in care, where, how near, with whom, after how many placements."""

import numpy as np

from carecast.model import ledger as b
from carecast.model import rules
from carecast.model import words as w
from carecast.model.compiled import loop

age_band = loop(rules.age_band)


@loop
def take_census(row: int, day: int, radius_tenths: int, memory: b.Memory, counts: np.ndarray) -> None:
    """Who is where at the end of ``day``, the month's last."""
    known, totals, in_care = memory.known, memory.totals, memory.in_care
    n_in_care = totals[b.T_IN_CARE]
    counts[b.K_LOOKED_AFTER, row] = n_in_care
    counts[b.K_CONTINUING_CARE, row] = totals[b.T_CONTINUING]
    counts[b.K_EARLY_HELP_WAITING, row] = totals[b.T_WAITING]
    counts[b.K_EARLY_HELP_OPEN, row] = totals[b.L_EARLY_HELP]
    counts[b.K_SUPPORT_OPEN, row] = totals[b.L_SUPPORT]
    counts[b.K_PROTECTION_OPEN, row] = totals[b.L_PROTECTION]
    counts[b.K_ASSESSMENT_OPEN, row] = totals[b.L_ASSESSMENT]
    counts[b.K_PRE_ENTRY_OPEN, row] = totals[b.L_PRE_ENTRY]
    counts[b.K_HOME_AFTER_CARE_OPEN, row] = totals[b.L_HOME]
    counts[b.K_KINSHIP_ORDER_OPEN, row] = totals[b.L_KINSHIP_ORDER]
    counts[b.K_ADOPTED_OPEN, row] = totals[b.L_ADOPTED]
    counts[b.K_AFTERCARE_OPEN, row] = totals[b.L_AFTERCARE]
    for k in range(n_in_care):
        child = known[in_care[k]]
        counts[b.K_FIRST_AGE_BAND + age_band(child.birth_day, day), row] += 1
        counts[b.K_FIRST_LOCALITY + child.locality, row] += 1
        if child.kind != b.UNSET:
            counts[b.K_FIRST_TYPE + child.kind, row] += 1
            _count_placements(child, row, day, counts)
        if is_away(child):
            _count_distance(child, row, radius_tenths, counts)
    _count_siblings(row, known, in_care[:n_in_care], memory.families, counts)


@loop
def is_away(child: b.Known) -> bool:
    """In a placement that is not at home."""
    return bool(child.kind != b.UNSET and child.kind != w.AT_HOME)


@loop
def _count_placements(child: b.Known, row: int, day: int, counts: np.ndarray) -> None:
    """Children with two, and with three, placements in the twelve months up to ``day``.

    A placement counts if it began in the twelve months or was the one running when they began, which is to say if it
    has not ended on or before their first day: so the ends of the two placements before this one decide.
    """
    if child.last_end > day - b.TWELVE_MONTHS_DAYS:
        counts[b.K_TWO_PLACEMENTS, row] += 1
    if child.last_end_but_one > day - b.TWELVE_MONTHS_DAYS:
        counts[b.K_THREE_PLACEMENTS, row] += 1


@loop
def _count_distance(child: b.Known, row: int, radius_tenths: int, counts: np.ndarray) -> None:
    """How far from home and in whose area; for distance, unaccompanied children stand apart."""
    counts[b.K_AWAY, row] += 1
    counts[b.K_OUT_OF_AREA, row] += child.out_of_area
    if child.unaccompanied == 1:
        return
    if child.tenths >= 0:
        counts[b.K_DISTANCE_KNOWN, row] += 1
        if child.tenths <= radius_tenths:
            counts[b.K_WITHIN_RADIUS, row] += 1
    elif child.tenths == w.DISTANCE_UNKNOWN:
        counts[b.K_DISTANCE_UNKNOWN, row] += 1


@loop
def _count_siblings(row: int, known: np.ndarray, in_care: np.ndarray, families: np.ndarray, counts: np.ndarray) -> None:
    """Brothers and sisters away from home: together when all of the family who are away live in one home."""
    for child in in_care:
        _note_home(known[child], families)
    for child in in_care:
        family = families[known[child].family]
        if family[0] > 1 and is_away(known[child]):
            counts[b.K_WITH_SIBLINGS, row] += 1
            if family[1] != b.UNSET:
                counts[b.K_WITH_ALL_SIBLINGS, row] += 1
    for child in in_care:
        families[known[child].family, 0] = 0


@loop
def _note_home(child: b.Known, families: np.ndarray) -> None:
    """One more of the family away; the home they share so far, or none."""
    if not is_away(child):
        return
    if families[child.family, 0] == 0:
        families[child.family, 1] = child.home
    elif families[child.family, 1] != child.home:
        families[child.family, 1] = b.UNSET
    families[child.family, 0] += 1
