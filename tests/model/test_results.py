import datetime as dt
from types import SimpleNamespace

import numpy as np
import pytest

from carecast.model import words as w
from carecast.model.calendar import make_calendar
from carecast.model.event_log import Log, as_children, as_log, sorted_log, to_frame
from carecast.model.ledger import COUNTS
from carecast.model.results import SERVICE_LINES, Counted, measure_rows, reduce_log
from tests.model.reference_results import Book, Reference, random_world

AS_AT = dt.date(2024, 1, 31)
UNTIL = dt.date(2024, 6, 30)
LOCALITIES = ("East", "West")
PROVIDERS = tuple(SimpleNamespace(placement_type=name) for name in w.PLACEMENT_TYPES)  # provider index = type


def day(text):
    return dt.date.fromisoformat(text).toordinal()


def children(births, **fields):
    n = len(births)
    columns = {"locality": 0, "family": range(n), "route": 0, "unaccompanied": 0, "quintile": 1, "is_stock": 0} | fields
    return as_children(
        [day(b) for b in births], *(np.broadcast_to(columns[name], n) for name in as_children(*[[]] * 7)._fields[1:])
    )


def tables(book, kids, as_at=AS_AT, until=UNTIL, counted=(), radius_miles=15.0):
    calendar = make_calendar(as_at, until)
    return reduce_log(book.log(), kids, calendar, PROVIDERS, LOCALITIES, counted, radius_miles)


def months(result, measure, breakdown="total"):
    return result.monthly[result.rows.index((measure, breakdown))].tolist()


def place(book, when, child, kind, wanted=None, **fields):
    book.add(day(when), child, w.PLACEMENT_ASKED, detail=kind if wanted is None else wanted)
    usual = {"provider": kind, "shared_with": child, "detail": 20}
    book.add(day(when), child, w.PLACEMENT_STARTED, **(usual | fields))


def end_place(book, when, child, kind, cause=w.MOVE):
    book.add(day(when), child, w.PLACEMENT_ENDED, provider=kind, detail=cause)


def enter(book, when, child, kind, how=w.ENTRY_FROM_PATHWAY, **fields):
    book.add(day(when), child, w.ENTERED_CARE, detail=how)
    place(book, when, child, kind, **fields)


def leave(book, when, child, kind, cause=w.EXIT_HOME):
    end_place(book, when, child, kind, cause)
    book.add(day(when), child, w.LEFT_CARE, detail=cause)


# --- one child's story -----------------------------------------------------------------------------------------------
def test_enter_move_exit_and_re_enter():
    book = Book()
    enter(book, "2024-02-10", 0, w.FOSTER_OWN)
    end_place(book, "2024-03-31", 0, w.FOSTER_OWN)
    place(book, "2024-03-31", 0, w.RESIDENTIAL_EXTERNAL, wanted=w.FOSTER_OWN, detail=600, out_of_area=1, multiplier=1.5)
    leave(book, "2024-04-30", 0, w.RESIDENTIAL_EXTERNAL)
    book.add(day("2024-06-01"), 0, w.RE_ENTRY_BEGINS)
    enter(book, "2024-06-01", 0, w.KINSHIP, how=w.ENTRY_RETURN)
    result = tables(book, children(["2012-02-10"]))

    assert months(result, "looked_after") == [0, 1, 1, 0, 0, 1]
    assert months(result, "looked_after", "placement_type=foster_own") == [0, 1, 0, 0, 0, 0]
    assert months(result, "looked_after", "placement_type=residential_external") == [0, 0, 1, 0, 0, 0]
    assert months(result, "looked_after", "age_band=10_to_15") == [0, 1, 1, 0, 0, 1]
    assert months(result, "looked_after", "locality=East") == [0, 1, 1, 0, 0, 1]
    assert months(result, "looked_after_in_community") == [0, 1, 0, 0, 0, 1]
    assert months(result, "looked_after_in_residential") == [0, 0, 1, 0, 0, 0]
    assert months(result, "balance_of_care_percent") == [0, 100, 0, 0, 0, 100]
    assert months(result, "within_radius_percent") == [0, 100, 0, 0, 0, 100]
    assert months(result, "out_of_area_percent") == [0, 0, 100, 0, 0, 0]
    assert months(result, "entries_to_care") == [0, 1, 0, 0, 0, 1]
    assert months(result, "exits_from_care") == [0, 0, 0, 1, 0, 0]
    assert months(result, "moves") == [0, 0, 1, 0, 0, 0]
    assert months(result, "re_entries") == [0, 0, 0, 0, 0, 1]
    assert months(result, "re_entry_12m_percent") == [0, 0, 0, 0, 0, 100]
    assert months(result, "kinship_breakdowns") == [0] * 6
    # The third placement in twelve months, though in a second stay in care.
    assert months(result, "more_than_one_placement_percent") == [0, 0, 100, 0, 0, 100]
    assert months(result, "three_placements_percent") == [0, 0, 0, 0, 0, 100]


def test_days_of_a_stay_are_split_over_financial_years():
    book = Book()
    enter(book, "2024-02-10", 0, w.FOSTER_OWN)
    end_place(book, "2024-03-31", 0, w.FOSTER_OWN)
    place(book, "2024-03-31", 0, w.RESIDENTIAL_EXTERNAL, wanted=w.FOSTER_OWN, detail=600, multiplier=1.5)
    leave(book, "2024-04-30", 0, w.RESIDENTIAL_EXTERNAL)
    result = tables(book, children(["2012-02-10"]))
    assert result.placement_days[:, w.FOSTER_OWN, 0].tolist() == [50, 0]  # 10 February to 30 March, a leap year
    assert result.placement_days[:, w.RESIDENTIAL_EXTERNAL, 0].tolist() == [1, 29]  # 31 March | 1 to 29 April
    assert result.price_days[:, w.RESIDENTIAL_EXTERNAL, 0].tolist() == [1.5, 43.5]
    assert result.placement_days.sum() == day("2024-04-30") - day("2024-02-10")
    search = (slice(None), 0, 3, w.FOSTER_OWN, w.RESIDENTIAL_EXTERNAL)  # a child of twelve from the first locality
    assert result.placements_made[search].tolist() == [1, 0]
    assert result.placements_made.sum() == 2
    assert result.placed_beyond_radius[search].tolist() == [1, 0]
    assert result.placed_beyond_radius.sum() == 1
    assert result.days_placed[search].tolist() == [1, 29]
    assert result.days_placed[:, 0, 3, w.FOSTER_OWN, w.FOSTER_OWN].tolist() == [50, 0]
    assert result.days_beyond_radius[search].tolist() == [1, 29]
    assert result.days_beyond_radius.sum() == 30
    assert result.type_days[:, w.RESIDENTIAL_EXTERNAL].tolist() == [1, 29]


def test_stock_is_no_flow_and_its_days_begin_after_the_as_at_day():
    book = Book()
    book.add(day("2024-01-31"), 0, w.ENTERED_CARE, detail=w.ENTRY_STOCK)
    book.add(day("2024-01-31"), 0, w.PLACEMENT_STARTED, provider=w.KINSHIP, detail=151, shared_with=0, multiplier=2.0)
    result = tables(book, children(["2020-01-31"], is_stock=1))
    assert months(result, "looked_after") == [1] * 6
    assert months(result, "entries_to_care") == months(result, "moves") == [0] * 6
    assert months(result, "within_radius_percent") == [0] * 6
    assert months(result, "looked_after", "age_band=1_to_4") == [1] * 6
    assert result.placement_days[:, w.KINSHIP, 0].tolist() == [
        29 + 31,
        30 + 31 + 30,
    ]  # from 1 February; open to the end
    assert result.price_days[:, w.KINSHIP, 0].tolist() == [120, 182]
    assert result.placements_made.sum() == 0


def test_as_at_on_the_last_day_of_a_financial_year_leaves_that_year_without_days():
    book = Book()
    book.add(day("2024-03-31"), 0, w.ENTERED_CARE, detail=w.ENTRY_STOCK)
    book.add(day("2024-03-31"), 0, w.PLACEMENT_STARTED, provider=w.KINSHIP, shared_with=0)
    result = tables(book, children(["2020-01-31"]), as_at=dt.date(2024, 3, 31), until=dt.date(2025, 3, 31))
    assert result.placement_days[:, w.KINSHIP, 0].tolist() == [0, 365]


def test_continuing_care_keeps_the_place_but_is_not_looked_after():
    book = Book()
    enter(book, "2024-02-01", 0, w.FOSTER_OWN, multiplier=1.25)
    leave(book, "2024-04-01", 0, w.FOSTER_OWN, cause=w.AGED_OUT)
    book.add(
        day("2024-04-01"), 0, w.AFTER_CARE_STARTED, detail=w.CONTINUING_CARE, provider=w.FOSTER_OWN, multiplier=1.25
    )
    book.add(day("2024-05-31"), 0, w.AFTER_CARE_ENDED, detail=w.CONTINUING_CARE, provider=w.FOSTER_OWN)
    book.add(day("2024-05-31"), 0, w.AFTER_CARE_STARTED, detail=w.AFTERCARE)
    result = tables(book, children(["2006-04-01"]))
    assert months(result, "looked_after") == [0, 1, 1, 0, 0, 0]
    assert months(result, "continuing_care") == [0, 0, 0, 1, 0, 0]
    assert result.placement_days[:, w.FOSTER_OWN].tolist() == [[60, 0], [0, 60]]
    assert result.price_days[:, w.FOSTER_OWN].tolist() == [[75, 0], [0, 75]]
    assert result.service_units[:, SERVICE_LINES.index("aftercare")].tolist() == [0, 31]


def test_distance_leaves_out_home_unknown_and_unaccompanied_children():
    book = Book()
    enter(book, "2024-02-10", 0, w.AT_HOME, detail=w.DISTANCE_NOT_COUNTED, provider=-1)
    enter(book, "2024-02-10", 1, w.KINSHIP, detail=150)
    enter(book, "2024-02-10", 2, w.FOSTER_OWN, detail=w.DISTANCE_UNKNOWN)
    enter(book, "2024-02-10", 3, w.SUPPORTED_ACCOMMODATION, detail=900, out_of_area=1)
    enter(book, "2024-02-10", 4, w.SECURE, detail=151)
    enter(book, "2024-02-10", 5, w.FOSTER_OWN, detail=w.DISTANCE_NOT_COUNTED)
    result = tables(book, children(["2010-01-01"] * 6, unaccompanied=[0, 0, 0, 1, 0, 0]), until=dt.date(2024, 2, 29))
    assert months(result, "looked_after_at_home") == [0, 1]
    assert months(result, "looked_after_away_from_home") == [0, 5]
    assert months(result, "balance_of_care_percent")[1] == pytest.approx(500 / 6)
    assert months(result, "within_radius_percent") == [0, 50]
    assert months(result, "distance_unknown_percent")[1] == pytest.approx(100 / 3)
    assert months(result, "out_of_area_percent") == [0, 20]
    assert result.placed_beyond_radius.sum() == 1
    assert result.placement_days[0, w.AT_HOME, 0] == 0  # a placement without a provider costs no place


# --- brothers and sisters --------------------------------------------------------------------------------------------
def test_siblings_together_apart_and_left_behind_by_the_founder_of_the_home():
    book = Book()
    enter(book, "2024-02-10", 1, w.FOSTER_OWN)  # founds the home; an elder child joins on the same day
    enter(book, "2024-02-10", 0, w.FOSTER_OWN, shared_with=1)
    enter(book, "2024-03-10", 2, w.FOSTER_OWN, shared_with=0)
    enter(book, "2024-02-10", 3, w.FOSTER_OWN)  # another family: an only child away is not counted
    end_place(book, "2024-04-10", 1, w.FOSTER_OWN)
    place(book, "2024-04-10", 1, w.RESIDENTIAL_EXTERNAL)
    leave(book, "2024-05-10", 1, w.RESIDENTIAL_EXTERNAL)  # the two who stayed still share the founder's home
    end_place(book, "2024-06-10", 0, w.FOSTER_OWN)
    place(book, "2024-06-10", 0, w.AT_HOME, provider=-1)
    result = tables(book, children(["2015-01-01"] * 4, family=[7, 7, 7, 8]))
    assert months(result, "siblings_together_percent") == [0, 100, 100, 0, 100, 0]
    with_siblings = result.counts[COUNTS.index("with_siblings")].tolist()
    assert with_siblings == [0, 2, 3, 3, 2, 0]


def test_a_chain_of_children_who_join_each_other_on_one_day_is_one_home():
    book = Book()
    enter(book, "2024-02-10", 0, w.KINSHIP, shared_with=1)
    enter(book, "2024-02-10", 1, w.KINSHIP, shared_with=2)
    enter(book, "2024-02-10", 2, w.KINSHIP)
    end_place(book, "2024-02-10", 2, w.KINSHIP)  # moved again on the day: the others follow to where it ended up
    place(book, "2024-02-10", 2, w.KINSHIP)
    result = tables(book, children(["2015-01-01"] * 3, family=5))
    assert months(result, "siblings_together_percent") == [0, 100, 100, 100, 100, 100]


# --- placements in a year --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("ended", "more_than_one"), [("2023-06-30", 0), ("2023-07-01", 0), ("2023-07-02", 100)])
def test_the_placement_running_twelve_months_ago_counts(ended, more_than_one):
    book = Book()
    book.add(day("2022-01-01"), 0, w.ENTERED_CARE, detail=w.ENTRY_STOCK)
    book.add(day("2022-01-01"), 0, w.PLACEMENT_STARTED, provider=w.KINSHIP, shared_with=0)
    end_place(book, ended, 0, w.KINSHIP)
    place(book, ended, 0, w.FOSTER_OWN)
    result = tables(book, children(["2015-01-01"]))  # June's twelve months begin after 1 July 2023
    assert months(result, "more_than_one_placement_percent")[5] == more_than_one
    assert months(result, "three_placements_percent") == [0] * 6


# --- before care -----------------------------------------------------------------------------------------------------
def test_early_help_queue_waits_and_escalations():
    book = Book()
    book.add(day("2024-01-31"), 0, w.EARLY_HELP_ASKED)
    book.add(day("2024-03-01"), 0, w.EARLY_HELP_STARTED)
    book.add(day("2024-05-31"), 0, w.EARLY_HELP_ENDED, detail=w.EARLY_HELP_ENDS)
    book.add(day("2024-03-05"), 1, w.EARLY_HELP_ASKED)
    book.add(day("2024-03-15"), 1, w.EARLY_HELP_STARTED)
    book.add(day("2024-02-01"), 2, w.EARLY_HELP_ASKED)
    book.add(day("2024-04-15"), 2, w.EARLY_HELP_WAIT_LEFT, detail=w.WAIT_ESCALATED)
    book.add(day("2024-04-01"), 3, w.EARLY_HELP_ASKED)
    book.add(day("2024-04-16"), 3, w.EARLY_HELP_WAIT_LEFT, detail=w.WAIT_DISENGAGED)
    result = tables(book, children(["2015-01-01"] * 4, locality=[0, 1, 0, 0]))
    assert months(result, "early_help_waiting") == [1, 2, 1, 0, 0, 0]
    assert months(result, "early_help_open") == [0, 0, 2, 2, 1, 1]
    assert months(result, "early_help_starts") == [0, 0, 2, 0, 0, 0]
    assert months(result, "early_help_wait_days") == [0, 0, 20, 0, 0, 0]
    assert months(result, "escalations_waiting") == [0, 0, 0, 1, 0, 0]
    waits = result.early_help_waits[:, :, 2]  # all four are 9 years old: 5_to_9
    assert waits.sum() == result.early_help_waits.sum()
    assert waits.tolist() == [
        [[30, 1, 1, 0, 0, 0], [10, 1, 1, 0, 0, 0]],  # two started after 30 and 10 days
        [[0, 0, 0, 2, 74 + 15, 1], [0, 0, 0, 0, 0, 0]],  # two left after 74 and 15 days, one of them escalated
    ]
    days = result.service_units[:, SERVICE_LINES.index("early_help")].tolist()
    assert days == [31 + 17, 60 + 91]  # March 1-31 and 15-31 | April 1 to May 30, and April 1 to June 30


def test_repeats_look_back_twelve_and_eighteen_months_and_into_history():
    book = Book()
    for when in ("2023-02-15", "2024-02-15", "2024-02-16"):  # 365 days; and one whose year before is not in the log
        book.add(day(when), 0, w.REFERRED)
    book.add(day("2024-03-01"), 1, w.REFERRED, detail=1)
    book.add(day("2024-03-01"), 2, w.REFERRED)
    for child, ended in ((0, "2022-09-01"), (1, "2022-08-31")):  # 548 and 549 days before 2 March 2024
        book.add(day("2022-01-01"), child, w.PROTECTION_STARTED)
        book.add(day(ended), child, w.PROTECTION_ENDED)
        book.add(day("2024-03-02"), child, w.PROTECTION_STARTED)
    book.add(day("2023-06-01"), 2, w.LEFT_CARE, detail=w.EXIT_HOME)  # history of the stock: memory, not a flow
    enter(book, "2024-05-01", 2, w.KINSHIP)
    result = tables(book, children(["2015-01-01"] * 3))
    assert months(result, "referrals") == [0, 2, 2, 0, 0, 0]
    assert months(result, "re_referral_12m_percent") == [0, 100, 50, 0, 0, 0]
    assert months(result, "protection_open") == [0, 0, 2, 2, 2, 2]
    assert months(result, "repeat_protection_18m_percent") == [0, 0, 50, 0, 0, 0]
    assert months(result, "exits_from_care") == [0] * 6
    assert months(result, "re_entries") == [0, 0, 0, 0, 1, 0]
    assert months(result, "re_entry_12m_percent") == [0, 0, 0, 0, 100, 0]
    assert result.service_units[0, SERVICE_LINES.index("protection")] == 60  # only from 2 March 2024


def test_kinship_breaks_down_as_placement_and_as_order():
    book = Book()
    enter(book, "2024-02-10", 0, w.KINSHIP)
    end_place(book, "2024-03-10", 0, w.KINSHIP, cause=w.MOVE)
    place(book, "2024-03-10", 0, w.KINSHIP)
    end_place(book, "2024-04-10", 0, w.KINSHIP, cause=w.RETURN_WITHIN_RADIUS)  # no breakdown
    place(book, "2024-04-10", 0, w.FOSTER_OWN)
    end_place(book, "2024-05-10", 0, w.FOSTER_OWN, cause=w.MOVE)  # not kinship
    place(book, "2024-05-10", 0, w.FOSTER_OWN)
    for child, order in ((1, (w.AFTER_CARE_ENDED, w.RE_ENTRY_BEGINS)), (2, (w.RE_ENTRY_BEGINS, w.AFTER_CARE_ENDED))):
        book.add(day("2024-02-01"), child, w.AFTER_CARE_STARTED, detail=w.KINSHIP_ORDER)
        for event in order:
            book.add(day("2024-06-05"), child, event, detail=w.KINSHIP_ORDER)
    book.add(day("2024-02-01"), 3, w.AFTER_CARE_STARTED, detail=w.HOME_AFTER_CARE)
    book.add(day("2024-06-05"), 3, w.AFTER_CARE_ENDED, detail=w.HOME_AFTER_CARE)
    book.add(day("2024-06-05"), 3, w.RE_ENTRY_BEGINS)
    result = tables(book, children(["2015-01-01"] * 4))
    assert months(result, "kinship_breakdowns") == [0, 0, 1, 0, 0, 2]
    assert months(result, "moves") == [0, 0, 1, 1, 1, 0]
    assert result.service_units[:, SERVICE_LINES.index("kinship_order")].tolist() == [120, 130]


def test_programme_costs_count_children_and_families_by_event_detail_locality_and_date():
    book = Book()
    for child in range(4):
        book.add(day("2024-03-10"), child, w.EARLY_HELP_STARTED, locality=child // 3)
    book.add(day("2024-04-10"), 0, w.DIVERTED, detail=w.CARE_AWAY_TO_KINSHIP)
    book.add(day("2024-04-11"), 1, w.DIVERTED, detail=w.REFERRAL_TO_EARLY_HELP)
    book.add(day("2024-01-31"), 1, w.DIVERTED, detail=w.CARE_AWAY_TO_KINSHIP)  # on the as-at day
    counted = (
        Counted(w.EARLY_HELP_STARTED),
        Counted(w.EARLY_HELP_STARTED, per_family=True),
        (w.EARLY_HELP_STARTED, -1, 0, True),
        Counted(w.DIVERTED, detail=w.CARE_AWAY_TO_KINSHIP),
        Counted(w.DIVERTED, from_day=day("2024-04-11"), to_day=day("2024-04-11")),
    )
    result = tables(book, children(["2015-01-01"] * 4, family=[5, 5, 6, 7], locality=[0, 0, 0, 1]), counted=counted)
    assert result.counted.tolist() == [[4, 3, 2, 0, 0], [0, 0, 0, 1, 1]]


# --- edges -----------------------------------------------------------------------------------------------------------
def test_an_empty_log_gives_a_dense_grid_of_noughts():
    result = tables(Book(), children([]))
    assert result.rows == measure_rows(LOCALITIES)
    assert len(set(result.rows)) == len(result.rows) == 1 + 13 + 5 + 2 + 35
    assert result.monthly.shape == (len(result.rows), 6)
    assert result.counts.shape == (len(COUNTS), 6)
    assert not result.monthly.any()
    assert result.placement_days.shape == (2, len(PROVIDERS), 2)


@pytest.mark.parametrize("end", ["2024-01-15", "2024-01-20"])
def test_a_run_shorter_than_a_month_has_one_row_the_state_on_its_last_day(end):
    book = Book()
    book.add(day("2024-01-15"), 0, w.ENTERED_CARE, detail=w.ENTRY_STOCK)
    book.add(day("2024-01-15"), 0, w.PLACEMENT_STARTED, provider=w.KINSHIP, shared_with=0)
    kids = children(["2006-01-25"])  # 18 before the month ends, not before the run does
    result = tables(book, kids, as_at=dt.date(2024, 1, 15), until=dt.date.fromisoformat(end))
    assert months(result, "looked_after") == months(result, "looked_after", "age_band=16_to_17") == [1]
    assert result.placement_days.sum() == day(end) - day("2024-01-15")


def test_events_after_the_last_month_end_have_days_but_no_month():
    book = Book()
    enter(book, "2024-02-10", 0, w.KINSHIP)
    result = tables(book, children(["2015-01-01"]), until=dt.date(2024, 2, 20))
    assert months(result, "looked_after") == months(result, "entries_to_care") == [0]
    assert result.placement_days.sum() == 11


def test_the_order_of_children_within_the_log_does_not_matter():
    calendar = make_calendar(AS_AT, dt.date(2026, 1, 31))
    log, kids = random_world(3, AS_AT.toordinal(), calendar.last_day, n_localities=2)
    first = reduce_log(log, kids, calendar, PROVIDERS, LOCALITIES)
    again = reduce_log(sorted_log(log), kids, calendar, PROVIDERS, LOCALITIES)
    for one, other in zip((first.monthly, first.price_days), (again.monthly, again.price_days), strict=True):
        np.testing.assert_array_equal(one, other)


# --- against the definitions -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("radius_miles", [15.0, 2.0])
def test_random_logs_agree_with_the_slow_reference(seed, radius_miles):
    as_at, until = [(AS_AT, dt.date(2026, 2, 15)), (dt.date(2023, 11, 10), dt.date(2025, 3, 31))][seed % 2]
    calendar, localities = make_calendar(as_at, until), ("a", "b", "c")
    log, kids = random_world(seed, as_at.toordinal(), until.toordinal())
    result = reduce_log(log, kids, calendar, PROVIDERS, localities, (), radius_miles)
    expected = Reference(log, kids, calendar, PROVIDERS, localities, radius_miles)
    for row, wanted, found in zip(result.rows, expected.monthly(), result.monthly, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, err_msg=str(row))
    place_days, price_days = expected.place_days()
    np.testing.assert_array_equal(result.placement_days, place_days)
    np.testing.assert_allclose(result.price_days, price_days, rtol=1e-12)
    np.testing.assert_array_equal(result.service_units, expected.service_units())
    for name, table in expected.searches().items():
        np.testing.assert_array_equal(getattr(result, name), table, err_msg=name)


def test_random_logs_reach_every_measure():
    calendar = make_calendar(AS_AT, dt.date(2026, 2, 15))
    reached = np.zeros(len(measure_rows("abc")), dtype=bool)
    for seed in range(4):
        log, kids = random_world(seed, AS_AT.toordinal(), calendar.last_day, n_providers=13)
        reached |= reduce_log(log, kids, calendar, PROVIDERS, "abc").monthly.any(axis=1)
    assert reached.all()


@pytest.mark.parametrize("seed", range(3))
def test_children_are_conserved_and_every_breakdown_adds_up(seed):
    calendar = make_calendar(AS_AT, dt.date(2027, 1, 31))
    log, kids = random_world(50 + seed, AS_AT.toordinal(), calendar.last_day, n_families=200)
    result = reduce_log(log, kids, calendar, PROVIDERS, ("a", "b", "c"))
    total = np.array(months(result, "looked_after"))
    entries, exits = np.array(months(result, "entries_to_care")), np.array(months(result, "exits_from_care"))
    np.testing.assert_array_equal(total[:-1] + entries[1:] - exits[1:], total[1:])
    names = [breakdown.split("=")[0] for measure, breakdown in result.rows if measure == "looked_after"]
    for dimension in ("placement_type", "age_band", "locality"):  # age bands end at 18: nobody older is looked after
        chosen = [k for k, name in enumerate(names) if name == dimension]
        np.testing.assert_array_equal(result.monthly[chosen].sum(axis=0), total)
    away, home = months(result, "looked_after_away_from_home"), months(result, "looked_after_at_home")
    np.testing.assert_array_equal(np.array(away) + home, total)
    community, residential = months(result, "looked_after_in_community"), months(result, "looked_after_in_residential")
    np.testing.assert_array_equal(np.array(community) + residential, total)


# --- the log in words ------------------------------------------------------------------------------------------------
def test_the_log_in_words():
    book = Book()
    enter(book, "2024-02-10", 0, w.FOSTER_OWN, detail=123, out_of_area=1)
    book.add(day("2024-01-31"), 1, w.CONTACT_MADE, detail=w.NEWBORN, locality=1)
    frame = to_frame(sorted_log(book.log()), LOCALITIES, [f"P{k}" for k in range(13)])
    assert frame["event"].tolist() == ["contact_made", "entered_care", "placement_asked", "placement_started"]
    assert frame["detail"].tolist() == ["newborn", "pathway", "foster_own", ""]
    assert frame["locality"].tolist() == ["West", "East", "East", "East"]
    assert frame["provider"].tolist() == ["", "", "", "P2"]
    assert frame["date"].dt.date.tolist() == [dt.date(2024, 1, 31)] + [dt.date(2024, 2, 10)] * 3
    assert frame["distance_miles"].tolist()[3] == 12.3
    assert frame["distance_miles"].isna().tolist() == frame["shared_with"].isna().tolist() == [True] * 3 + [False]
    assert len(to_frame(as_log(*[[]] * 9), LOCALITIES, ["P"])) == 0


def test_canonical_order_is_day_then_child_then_position():
    log = as_log([2, 1, 1, 1], [0, 1, 0, 1], [1, 2, 3, 4], *[[0] * 4] * 6)
    assert isinstance(sorted_log(log), Log)
    assert sorted_log(log).event.tolist() == [3, 2, 4, 1]
