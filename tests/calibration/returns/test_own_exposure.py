"""Children at risk, cell by cell: worked by hand."""

import datetime as dt

import numpy as np

from carecast.calibration.returns import stays as st
from carecast.model import words as w
from tests.calibration.returns import own_history as own

FIRST, LAST = dt.date(2020, 4, 1), dt.date(2024, 3, 31)


def row(child, start, end, kind="foster_own", **more):
    plain = {
        "child": child, "spell": 0, "order": 0, "start": start, "end": end, "observed_to": None if end else LAST,
        "placement_type": kind, "start_kind": "entry", "end_kind": "exit" if end else "open",
        "cause": "exit_home" if end else "", "care_started": start,
    }  # fmt: skip
    return plain | more


def seen(rows, births):
    children = [{"child": child, "dob": born} for child, born in births.items()]
    history = own.history(first=FIRST, last=LAST, placements=rows, children=children)
    return st.read_stays(history, LAST)


def days_by(stays, field):
    segments = st.segments(stays)
    bands = getattr(segments, field)
    return {int(band): float(segments.days[bands == band].sum()) for band in np.unique(bands)}


def test_a_stay_is_cut_at_the_edges_of_its_bands():
    """100 days from 1 May 2020: 28 in the first band, 63 to day 91, 9 in the third."""
    stays = seen([row(0, dt.date(2020, 5, 1), dt.date(2020, 8, 9))], {0: dt.date(2010, 1, 1)})
    assert days_by(stays, "care_band") == {0: 28, 1: 63, 2: 9}
    ends = st.ends(stays)
    assert (int(ends.care_band[0]), int(ends.cause[0]), int(ends.age[0])) == (2, 0, 3)


def test_age_bands_change_on_the_day_the_model_changes_them():
    """Born 365 days before day 50 of the stay: 50 days under one, the rest from 1 to 4."""
    start = dt.date(2021, 1, 1)
    stays = seen([row(0, start, start + dt.timedelta(days=80))], {0: start - dt.timedelta(days=365 - 50)})
    assert days_by(stays, "age") == {0: 50, 1: 30}


def test_nobody_is_at_risk_before_the_files_hold_everybody():
    """In care since 1 March 2020, files from 1 April: 31 days served, not counted; those after are."""
    start = dt.date(2020, 3, 1)
    stays = seen([row(0, start, dt.date(2020, 4, 11))], {0: dt.date(2010, 1, 1)})
    segments = st.segments(stays)
    assert segments.days.sum() == 10
    assert set(segments.care_band.tolist()) == {1}  # 31 days in care when the window opens


def test_time_in_care_that_is_not_known_is_used_once_it_is_long():
    """Already in care with no start known: two years must have been seen before exits count."""
    start = dt.date(2020, 4, 1)
    rows = [row(0, start, dt.date(2023, 4, 1), start_kind="already_in_care", care_started=None)]
    segments = st.segments(seen(rows, {0: dt.date(2010, 1, 1)}))
    counted = segments.days[segments.for_exits > 0].sum()
    assert segments.days.sum() == 1095
    assert counted == 1095 - st.KNOWN_ENOUGH_DAYS
    assert set(segments.care_band[segments.for_exits > 0].tolist()) == {5}


def test_open_and_vanished_placements_are_censored():
    """An open placement counts to the as-at date, a vanished one to the day last seen; neither is an end."""
    rows = [
        row(0, dt.date(2024, 3, 1), None),
        row(1, dt.date(2022, 1, 1), None, end_kind="vanished", observed_to=dt.date(2022, 3, 31)),
    ]
    stays = seen(rows, {0: dt.date(2010, 1, 1), 1: dt.date(2010, 1, 1)})
    segments = st.segments(stays)
    by_row = np.bincount(segments.row, weights=segments.days)
    assert by_row.tolist() == [30, 89]
    assert len(st.ends(stays).row) == 0


def test_eighteenth_birthdays_are_certain_and_no_hazard():
    """Leaving on the 18th birthday is ageing out; leaving a month before is an exit; days after 18 do not count."""
    born = dt.date(2004, 6, 1)
    adult = born + dt.timedelta(days=6574)
    rows = [
        row(0, dt.date(2021, 1, 1), adult, cause="exit_independent"),
        row(1, dt.date(2021, 1, 1), adult - dt.timedelta(days=30), cause="exit_independent"),
        row(2, dt.date(2022, 5, 1), adult + dt.timedelta(days=20), cause="exit_independent"),
    ]
    stays = seen(rows, dict.fromkeys(range(3), born))
    assert st.ends(stays).cause.tolist() == [st.AGED_OUT, st.EXITS.index("exit_independent"), st.AGED_OUT]
    segments = st.segments(stays)
    assert segments.days[segments.row == 2].sum() == (adult - dt.date(2022, 5, 1)).days


def test_a_move_restarts_time_in_placement_and_not_time_in_care():
    rows = [  # fmt: skip
        row(0, dt.date(2021, 1, 1), dt.date(2021, 3, 2), end_kind="move", cause=""),
        row(
            0,
            dt.date(2021, 3, 2),
            dt.date(2021, 3, 22),
            "kinship",
            order=1,
            start_kind="move",
            care_started=dt.date(2021, 1, 1),
        ),
    ]
    stays = seen(rows, {0: dt.date(2010, 1, 1)})
    segments = st.segments(stays)
    second = segments.kind == w.KINSHIP
    assert set(segments.care_band[second].tolist()) == {1}
    assert set(segments.placed_band[second].tolist()) == {0}
    assert st.ends(stays).cause.tolist() == [st.MOVED, 0]


def test_quarters_count_back_from_the_last_day_and_add_up():
    stays = seen([row(0, dt.date(2020, 6, 1), None)], {0: dt.date(2015, 1, 1)})
    segments = st.segments(stays)
    by_quarter = np.bincount(segments.quarter, weights=segments.days)
    assert by_quarter.sum() == (LAST - dt.date(2020, 6, 1)).days
    assert set(by_quarter[:-1].tolist()) <= {91.0, 92.0}
