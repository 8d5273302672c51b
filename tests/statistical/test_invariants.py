"""What holds in every replication, exactly: nobody is lost or in two places, untouched children stay as they were.

No test here has an error to allow for: each counts, and one child too many fails it. Claims that one change moves an
event one way only are made where they can be proved (docstrings say why) and nowhere else.
"""

import datetime as dt
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest

from carecast.model import compiled_clock, rules
from carecast.model import plan as p
from carecast.model import words as w
from carecast.model.engine import World, simulate
from carecast.model.event_log import Log, sorted_log
from carecast.model.results import reduce_log
from tests.statistical.quiet import LAST_RESORT, council, world
from tests.toy import AS_AT, TAG, calibrated, document, provider, rate, some_stock, stock_row

pytestmark = pytest.mark.statistical
DAY_0 = AS_AT.toordinal()
UNTIL = dt.date(2026, 3, 31)
ALWAYS = p.Window(DAY_0)
HALF = p.Effect(0.5)
BASELINE = p.Plan("baseline")


def day(text):
    return dt.date.fromisoformat(text).toordinal()


NEW_HOME = provider("new", "childrens_house_own", locality="West", easting_m=241000.0, northing_m=670000.0, places=5)
BUSY = p.Plan(
    "busy",
    (
        p.CloseProvider("a", "house_1", day("2023-02-01"), day("2023-06-01"), day("2023-06-01")),
        p.OpenProvider("b", NEW_HOME, day("2023-09-01")),
        p.ChangePlaces("c", "own_east", p.Effect(-12.0), p.Window(day("2024-01-01"))),
        p.ChangePlaces("d", "early_help", p.Effect(-20.0), p.Window(day("2023-01-01"), day("2024-06-30"))),
        p.AddRate("e", "return_within_radius", p.Effect(2.0), ALWAYS),
        p.Divert("f", "care_away_to_kinship", p.Effect(0.3), p.Window(day("2023-04-01"), None, 12)),
        p.ScaleArrivals("g", "contact", p.Effect(1.6), p.Window(day("2023-01-01"))),
        p.ScaleRate("h", "exit_home", p.Effect(0.5), ALWAYS, ("West",)),
    ),
)
CROWDED = {"arrivals.contact_families_per_year": 1500.0, "arrivals.emergency_families_per_year": 60.0}
WORLDS = {
    "baseline": lambda: World(calibrated(some_stock()), BASELINE, UNTIL, 5),
    "busy": lambda: World(calibrated(some_stock()), BUSY, UNTIL, 6),
    "crowded": lambda: World(calibrated(some_stock(), numbers=CROWDED), BUSY, UNTIL, 7),
}


@pytest.fixture(scope="module", params=list(WORLDS))
def told(request):
    """A world and three of its replications."""
    of = WORLDS[request.param]()
    return of, [simulate(of, replication) for replication in range(3)]


def tables(of, one):
    return reduce_log(one.log, one.children, of.calendar, of.providers, of.locality_names, (), of.radius_miles)


def kinds(of):
    return np.array([w.PLACEMENT_TYPES.index(row.placement_type) for row in of.providers])


# --- conservation ---------------------------------------------------------------------------------------------------
def by_month(of, days):
    """How many of these days fall in each month with a census, after the as-at day."""
    month = of.calendar.month_of_day[days[days > DAY_0] - of.calendar.first_day]
    return np.bincount(month, minlength=of.calendar.n_months)[: of.calendar.n_rows]


def row_of(table, measure, breakdown):
    return table.monthly[table.rows.index((measure, breakdown))]


def conserved(stock, came, went):
    np.testing.assert_array_equal(stock[1:], stock[:-1] + came[1:] - went[1:])


def test_opening_plus_entries_minus_exits_is_closing_in_every_locality_and_month(told):
    of, replications = told
    for one in replications:
        table, log = tables(of, one), one.log
        for at, name in enumerate(of.locality_names):
            here = log.locality == at
            came = by_month(of, log.day[here & (log.event == w.ENTERED_CARE)])
            went = by_month(of, log.day[here & (log.event == w.LEFT_CARE)])
            assert came.sum() > 10
            conserved(row_of(table, "looked_after", f"locality={name}"), came, went)
        total = row_of(table, "looked_after", "total")
        conserved(total, row_of(table, "entries_to_care", "total"), row_of(table, "exits_from_care", "total"))


def test_opening_plus_placements_begun_minus_ended_is_closing_in_every_type_and_month(told):
    of, replications = told
    for one in replications:
        table, log = tables(of, one), one.log
        kind = np.where(log.provider >= 0, kinds(of)[log.provider], -1)
        seen = 0
        for at, name in enumerate(w.PLACEMENT_TYPES):
            came = by_month(of, log.day[(log.event == w.PLACEMENT_STARTED) & (kind == at)])
            went = by_month(of, log.day[(log.event == w.PLACEMENT_ENDED) & (kind == at)])
            stock = row_of(table, "looked_after", f"placement_type={name}")
            conserved(stock, came, went)
            seen += stock
        np.testing.assert_array_equal(
            seen, row_of(table, "looked_after", "total")
        )  # nobody in two homes, nobody in none


def places_taken(of, one, replication):
    """Walk the log as it was written: places taken at each provider; a placement into a full house fails at once."""
    laid_out = of.setup(replication)
    usable = laid_out.places.usable.reshape(len(of.providers), -1)
    log = as_written(laid_out, len(one.log.day))
    stays_on = set(zip(log.child[is_continuing(log)].tolist(), log.day[is_continuing(log)].tolist(), strict=True))
    taken = np.zeros(len(of.providers), dtype=int)
    for t, child, event, at, detail in zip(
        *(c.tolist() for c in (log.day, log.child, log.event, log.provider, log.detail)), strict=True
    ):
        if event == w.PLACEMENT_STARTED or (
            event == w.AFTER_CARE_STARTED and detail == w.CONTINUING_CARE and t <= DAY_0
        ):
            taken[at] += 1
            limit = usable[at, of.calendar.month_of_day[max(t, of.calendar.first_day) - of.calendar.first_day]]
            assert t <= DAY_0 or limit < 0 or taken[at] <= limit, (
                f"{of.providers[at].code} holds {taken[at]} of {limit}"
            )
        elif (
            event == w.PLACEMENT_ENDED
            and (child, t) not in stays_on
            or event == w.AFTER_CARE_ENDED
            and detail == w.CONTINUING_CARE
        ):
            taken[at] -= 1
        assert taken[at] >= 0 or at < 0
    return taken


def as_written(laid_out, events):
    """The log in the order in which the days were told, before it is put in order child by child."""
    writing = compiled_clock.tell(laid_out, events).writing
    assert writing.count[0] == events
    return Log(*(writing.whole[:, column] for column in range(8)), writing.price)


def is_continuing(log):
    return (log.event == w.AFTER_CARE_STARTED) & (log.detail == w.CONTINUING_CARE)


def test_no_provider_takes_a_child_beyond_its_usable_places(told):
    """Only earlier occupants may stand above a capacity that fell; continuing care keeps its place all along."""
    of, replications = told
    for number, one in enumerate(replications):
        taken = places_taken(of, one, number)
        table = tables(of, one)
        assert taken.sum() == row_of(table, "looked_after", "total")[-1] + row_of(table, "continuing_care", "total")[-1]


def test_nobody_moves_into_a_home_that_is_not_open_or_stays_in_one_that_has_closed(told):
    of, replications = told
    for number, one in enumerate(replications):
        places, log = of.setup(number).places, one.log
        started = (log.event == w.PLACEMENT_STARTED) & (log.day > DAY_0)
        at, when = log.provider[started], log.day[started]
        assert (when >= places.admits_from[at]).all()
        assert (when <= places.admits_until[at]).all()
        ended = log.event == w.PLACEMENT_ENDED
        assert (log.day[ended] <= places.close_day[log.provider[ended]]).all()
        assert not places_taken(of, one, number)[places.close_day <= UNTIL.toordinal()].any()


# --- every child's own story ----------------------------------------------------------------------------------------
OPENS = {
    w.EARLY_HELP_ASKED: "waiting",
    w.EARLY_HELP_STARTED: "early help",
    w.ASSESSMENT_ASKED: "asked",
    w.ASSESSMENT_STARTED: "assessment",
    w.SUPPORT_STARTED: "support",
    w.PROTECTION_STARTED: "protection",
    w.PRE_ENTRY_STARTED: "pre-entry",
    w.CASE_CLOSED: "closed",
    w.ENTERED_CARE: "care",
    w.AFTER_CARE_STARTED: "after care",
}
CLOSES = {
    w.EARLY_HELP_WAIT_LEFT: "waiting",
    w.EARLY_HELP_ENDED: "early help",
    w.ASSESSMENT_ENDED: "assessment",
    w.SUPPORT_ENDED: "support",
    w.PROTECTION_ENDED: "protection",
    w.PRE_ENTRY_ENDED: "pre-entry",
    w.LEFT_CARE: "care",
    w.AFTER_CARE_ENDED: "after care",
}
FOLLOWS = {w.EARLY_HELP_STARTED: "waiting", w.ASSESSMENT_STARTED: "asked"}


def test_a_child_is_in_one_state_at_a_time(told):
    of, replications = told
    for one in replications:
        log = one.log
        is_stock = one.children.is_stock
        state, home = defaultdict(str), {}
        for t, child, event, at in zip(
            *(c.tolist() for c in (log.day, log.child, log.event, log.provider)), strict=True
        ):
            now = state[child]
            opening = is_stock[child] and t <= DAY_0
            if event in FOLLOWS and (not opening or now):
                assert now == FOLLOWS[event]
            if event in CLOSES and not (event == w.LEFT_CARE and opening):
                assert now == CLOSES[event] or (event == w.AFTER_CARE_ENDED and now == "after care")
                state[child] = ""
            if event in OPENS:
                assert state[child] in (
                    "",
                    FOLLOWS.get(event, ""),
                    "closed",
                    "after care" if event == w.ENTERED_CARE else "",
                )
                state[child] = OPENS[event]
            if event == w.PLACEMENT_STARTED:
                assert now == "care"
                assert child not in home
                home[child] = at
            if event == w.PLACEMENT_ENDED:
                assert now == "care"
                assert home.pop(child) == at
            if event == w.LEFT_CARE:
                assert child not in home


def test_nobody_is_looked_after_from_the_eighteenth_birthday_on(told):
    of, replications = told
    for one in replications:
        log, birthday = one.log, one.children.birth_day + rules.ADULT_AGE_DAYS
        entered, left = log.event == w.ENTERED_CARE, log.event == w.LEFT_CARE
        assert (log.day[entered] < birthday[log.child[entered]]).all()
        assert (log.day[left] <= birthday[log.child[left]]).all()
        last = {}
        for at in np.flatnonzero(entered | left).tolist():
            last[int(log.child[at])] = bool(entered[at])
        inside = [child for child, is_in in last.items() if is_in]
        assert (birthday[inside] > UNTIL.toordinal()).all()
        aged_out = left & (log.detail == w.AGED_OUT)
        assert aged_out.any()
        np.testing.assert_array_equal(log.day[aged_out], birthday[log.child[aged_out]])


def test_continuing_care_runs_from_sixteen_to_its_limit(told):
    of, replications = told
    for one in replications:
        log, born = one.log, one.children.birth_day
        began = is_continuing(log)
        ended = (log.event == w.AFTER_CARE_ENDED) & (log.detail == w.CONTINUING_CARE)
        assert began.any()
        assert (log.day[began] - born[log.child[began]] >= rules.AGE_START_DAYS[4]).all()
        limit = int(21 * w.DAYS_PER_YEAR)
        assert (log.day[ended] - born[log.child[ended]] <= limit).all()
        still = set(log.child[began].tolist()) - set(log.child[ended].tolist())
        assert all(UNTIL.toordinal() - born[child] < limit for child in still)


def test_continuing_care_keeps_the_place():
    """One house, one place: who turns 18 in it stays until 21, and everybody else goes elsewhere until then."""
    house = provider("house", "childrens_house_own", easting_m=250_000.0, northing_m=670_000.0, places=1)
    stock = [stock_row(0, "in_care", "childrens_house_own", "house", 17.9)]
    of = world(council(entry={"childrens_house_own": 1.0}, providers=[house, LAST_RESORT], stock=stock, newborn=30.0,
                       numbers={"continuing_care.uptake_childrens_house_own": 1.0}), 5)  # fmt: skip
    told = simulate(of, 0)
    log, birth = told.log, int(told.children.birth_day[0])
    own = log.child == 0
    assert log.day[own & (log.event == w.LEFT_CARE)].tolist() == [birth + rules.ADULT_AGE_DAYS]
    end = birth + int(21 * w.DAYS_PER_YEAR)
    assert log.day[own & (log.event == w.AFTER_CARE_ENDED) & (log.detail == w.CONTINUING_CARE)].tolist() == [end]
    others = ~own & (log.event == w.PLACEMENT_STARTED)
    into_house = log.day[others & (log.provider == 0)]
    assert len(into_house) == 1  # nobody leaves: the first who comes on the day the place is free, or after
    assert into_house[0] >= end
    assert (others & (log.day < end)).sum() > 50


AFTER_ASSESSMENT = (w.CASE_CLOSED, w.EARLY_HELP_ASKED, w.SUPPORT_STARTED, w.PROTECTION_STARTED, w.PRE_ENTRY_STARTED)


@pytest.mark.parametrize("diversion", w.DIVERSIONS)
def test_a_diverted_child_stays_in_the_model(diversion):
    """Its next state begins the same day; only a young person who has turned 18 meanwhile is nobody's case."""
    next_event = {
        "referral_to_early_help": (w.EARLY_HELP_ASKED, None),
        "assessment_to_early_help": (w.EARLY_HELP_ASKED, None),
        "pre_entry_to_support": (w.SUPPORT_STARTED, None),
        "direct_entry_to_support": (w.SUPPORT_STARTED, None),
        "pre_entry_to_kinship_order": (w.AFTER_CARE_STARTED, w.KINSHIP_ORDER),
        "care_away_to_at_home": (w.PLACEMENT_ASKED, w.AT_HOME),
        "care_away_to_kinship": (w.PLACEMENT_ASKED, w.KINSHIP),
        "residential_to_foster": (w.PLACEMENT_ASKED, w.FOSTER_OWN),
        "newborn_to_support": (w.SUPPORT_STARTED, None),
        "repeat_assessment_spared": (AFTER_ASSESSMENT, None),
        "residential_to_supported": (w.PLACEMENT_ASKED, w.SUPPORTED_ACCOMMODATION),
        "pre_entry_to_care": (w.PLACEMENT_ASKED, None),
    }[diversion]
    plan = p.Plan("divert", (p.Divert("lever", diversion, p.Effect(1.0), ALWAYS),))
    one = simulate(World(calibrated(some_stock(), numbers=CROWDED), plan, UNTIL, 5), 0)
    log = sorted_log(one.log)
    diverted = np.flatnonzero(log.event == w.DIVERTED)
    young = log.day[diverted] - one.children.birth_day[log.child[diverted]] < rules.ADULT_AGE_DAYS
    assert young.sum() > 5
    for at in diverted[young].tolist():
        same_day = (log.child == log.child[at]) & (log.day == log.day[at]) & (np.arange(len(log.day)) > at)
        found = same_day & np.isin(log.event, next_event[0])
        if (
            diversion in ("care_away_to_at_home", "pre_entry_to_care") and not found.any()
        ):  # a brother or sister who does not join stays with the family
            assert (same_day & (log.event == w.SUPPORT_STARTED)).any()
            continue
        assert found.any()
        assert next_event[1] is None or next_event[1] in log.detail[found]


# --- common draws ---------------------------------------------------------------------------------------------------
def assert_same_log(one, other, children=None):
    """The same events of the same children, in every column."""
    first, second = sorted_log(one.log), sorted_log(other.log)
    if children is not None:
        first, second = (
            type(log)(*(column[np.isin(log.child, children)] for column in log)) for log in (first, second)
        )
    for name, a, b in zip(first._fields, first, second, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
    return len(first.day)


@pytest.mark.parametrize("clock", ["simpy", "compiled"])
def test_baseline_minus_itself_is_nought(clock):
    for replication in range(2):
        results = []
        for _ in range(2):
            of = World(calibrated(some_stock()), BASELINE, UNTIL, 5)
            results.append(tables(of, simulate(of, replication, clock)).monthly)
        assert not (results[0] - results[1]).any()


def test_replications_do_not_depend_on_their_order_or_number():
    forward, backward = (World(calibrated(some_stock()), BUSY, UNTIL, 5) for _ in range(2))
    told = [simulate(forward, replication) for replication in range(4)]
    for replication in (3, 1, 1, 0, 2):
        assert_same_log(told[replication], simulate(backward, replication))
    assert len({len(one.log.day) for one in told}) == 4


def ample(**changes):
    """Toytown with a place for everybody: more than anybody needs, every vacancy suitable."""
    base = document()
    for row in base["providers"]:
        row["match_chance"] = 1.0
        if "places" in row:
            row.update(places=100_000, usable_share=1.0)
    for pool in base["service_pools"]:
        pool["places"] = 100_000
    return calibrated(some_stock(), providers=base["providers"], service_pools=base["service_pools"], **changes)


def families_in(one, mask):
    """Every child of families none of whose members is in ``mask``."""
    touched = np.unique(one.children.family[mask])
    return np.flatnonzero(~np.isin(one.children.family, touched))


def pair(*changes, replication=0, **sections):
    of = ample(**sections)
    return [simulate(World(of, p.Plan("plan", given), UNTIL, 5), replication) for given in ((), changes)]


ENOUGH = 500  # events compared, or the test says nothing


@pytest.mark.parametrize(
    "cause", ["early_help_ends", "support_to_protection", "protection_to_pre_entry", "exit_home", "move", "re_entry"]
)
def test_a_hazard_lever_in_one_locality_leaves_the_other_as_it_was(cause):
    before, after = pair(p.ScaleRate("lever", cause, p.Effect(0.3), ALWAYS, ("East",)))
    untouched = families_in(before, before.children.locality == 0)
    assert assert_same_log(before, after, untouched) > ENOUGH
    with pytest.raises(AssertionError):
        assert_same_log(before, after)


def test_a_hazard_lever_for_infants_leaves_older_families_as_they_were():
    before, after = pair(p.ScaleRate("lever", "support_ends", p.Effect(0.2), ALWAYS, (), ("under_1",)))
    first_seen = np.full(len(before.children.family), w.NEVER)
    np.minimum.at(first_seen, before.log.child, before.log.day)
    infants = np.minimum(first_seen, DAY_0 + 10**6) - before.children.birth_day < rules.AGE_START_DAYS[1]
    assert assert_same_log(before, after, families_in(before, infants)) > ENOUGH
    with pytest.raises(AssertionError):
        assert_same_log(before, after)


@pytest.mark.parametrize("diversion", w.DIVERSIONS)
def test_a_diversion_lever_leaves_families_it_does_not_divert_as_they_were(diversion):
    before, after = pair(p.Divert("lever", diversion, HALF, ALWAYS), numbers=CROWDED)
    diverted = np.zeros(len(before.children.family), dtype=bool)
    diverted[after.log.child[after.log.event == w.DIVERTED]] = True
    assert diverted.any()
    assert assert_same_log(before, after, families_in(before, diverted)) > ENOUGH


@pytest.mark.parametrize("target", ["own_east", "house_1", "early_help", "assessment"])
@pytest.mark.parametrize("add", [40.0, -40.0])
def test_a_capacity_lever_where_places_are_ample_changes_nobody(target, add):
    before, after = pair(p.ChangePlaces("lever", target, p.Effect(add), ALWAYS))
    assert assert_same_log(before, after) > ENOUGH


def test_thinning_arrivals_leaves_the_families_that_come_as_they_were():
    before, after = pair(p.ScaleArrivals("lever", "contact", p.Effect(0.6), ALWAYS))
    came = np.unique(after.log.child)
    assert len(before.children.family) == len(after.children.family)  # nobody is renumbered
    assert len(came) < len(np.unique(before.log.child))
    assert assert_same_log(before, after, came) > ENOUGH


def test_adding_arrivals_leaves_the_families_of_the_baseline_as_they_were():
    before, after = pair(p.ScaleArrivals("lever", "contact", p.Effect(1.7), ALWAYS))
    known = np.arange(len(before.children.family))
    assert len(after.children.family) > len(known)
    assert assert_same_log(before, after, known) > ENOUGH


# --- monotone where it can be proved --------------------------------------------------------------------------------
SEEN_IN = {  # cause -> (event, whether its detail is the cause)
    "early_help_steps_up": (w.EARLY_HELP_ENDED, w.EARLY_HELP_STEPS_UP),
    "support_ends": (w.SUPPORT_ENDED, w.SUPPORT_ENDS),
    "support_to_protection": (w.SUPPORT_ENDED, w.SUPPORT_TO_PROTECTION),
    "support_to_pre_entry": (w.SUPPORT_ENDED, w.SUPPORT_TO_PRE_ENTRY),
    "protection_to_pre_entry": (w.PROTECTION_ENDED, w.PROTECTION_TO_PRE_ENTRY),
    "exit_home": (w.LEFT_CARE, w.EXIT_HOME),
    "exit_kinship_order": (w.LEFT_CARE, w.EXIT_KINSHIP_ORDER),
    "move": (w.PLACEMENT_ENDED, w.MOVE),
    "step_down": (w.PLACEMENT_ENDED, w.STEP_DOWN),
    "re_entry": (w.RE_ENTRY_BEGINS, w.HOME_AFTER_CARE),
}


def first_days(one, event, detail):
    """Day of each child's first event of a kind after the start; ``NEVER`` if it has none."""
    log = one.log
    found = (log.event == event) & (log.detail == detail) & (log.day > DAY_0)
    days = np.full(len(one.children.family), w.NEVER)
    np.minimum.at(days, log.child[found], log.day[found])
    return days


@pytest.mark.parametrize("cause", SEEN_IN)
def test_cutting_one_hazard_never_makes_that_first_event_earlier(cause):
    """With ample places and one draw for each cause: until the day that the event would have come nothing is different.

    One child a family, so that nobody's home depends on a brother's moves.
    """
    later = 0
    for replication in range(4):
        sections = {"numbers": {**CROWDED, "arrivals.newborn_families_per_year": 200.0}}
        sections["series"] = {**document()["series"], "family.size_chances": {"values": [1.0], "unit": "chance", **TAG}}
        before, after = pair(p.ScaleRate("lever", cause, HALF, ALWAYS), replication=replication, **sections)
        first, then = first_days(before, *SEEN_IN[cause]), first_days(after, *SEEN_IN[cause])
        assert (then >= first).all()
        later += (then > first).sum()
    assert later > 0


def test_more_places_never_make_early_help_start_later():
    """First come first served, one priority, nobody gives up, help attached to the family: by induction over those who ask.

    Nobody who was helped asks again, so the requests are the same whatever the places.
    """
    starts = []
    for places in (8, 9, 12, 40):
        pool = {"code": "help", "service": "early_help", "localities": [], "places": places, **TAG}
        of = council(
            [rate("early_help_ends", 4.0)],
            contact=40.0,
            ages=(5, 9),
            pools=[pool],
            branches={"contact": {"early_help": 1.0}},
        )
        one = simulate(world(of, 20), 0)
        days = np.full(len(one.children.family), w.NEVER)
        started = one.log.event == w.EARLY_HELP_STARTED
        days[one.log.child[started]] = one.log.day[started]
        starts.append(days)
    for fewer, more in zip(starts, starts[1:], strict=False):
        assert (more <= fewer).all()
        assert (more < fewer).sum() > 100


def test_one_more_place_in_one_loss_pool_nests_those_who_overflow():
    """One pool, no moves, stays that do not depend on the home: residents never differ by more than one child."""
    overflow = []
    for places in (6, 7, 10):
        house = provider("house", "childrens_house_own", easting_m=250_000.0, northing_m=670_000.0, places=places)
        of = council(
            [rate("exit_home", 3.0)], entry={"childrens_house_own": 1.0}, providers=[house, LAST_RESORT], newborn=30.0
        )
        log = simulate(world(of, 17), 0).log
        overflow.append(set(log.child[(log.event == w.PLACEMENT_STARTED) & (log.provider == 1)].tolist()))
    assert overflow[2] < overflow[1] < overflow[0]


# --- edges ----------------------------------------------------------------------------------------------------------
QUIET = {f"arrivals.{route}_families_per_year": 0.0 for route in w.ROUTES}


@pytest.mark.parametrize("clock", ["simpy", "compiled"])
def test_a_run_of_no_length_returns_the_stock(clock):
    stock = some_stock()
    of = World(calibrated(stock), BASELINE, AS_AT, 5)
    one = simulate(of, 0, clock)
    assert one.log.day.max() <= DAY_0
    table = tables(of, one)
    frame = pd.DataFrame(stock)
    in_care = frame[frame["state"] == "in_care"]
    assert row_of(table, "looked_after", "total").tolist() == [len(in_care)]
    for name in w.PLACEMENT_TYPES:
        assert row_of(table, "looked_after", f"placement_type={name}").tolist() == [
            (in_care["placement_type"] == name).sum()
        ]
    open_measures = {
        "early_help_open": "early_help",
        "early_help_waiting": "early_help_waiting",
        "support_open": "support",
        "protection_open": "protection",
        "continuing_care": "continuing_care",
    }
    for measure, state in open_measures.items():
        assert row_of(table, measure, "total").tolist() == [(frame["state"] == state).sum()]
    for flow in ("entries_to_care", "exits_from_care", "moves", "referrals", "contacts"):
        assert not row_of(table, flow, "total").any()


def test_zero_arrivals_only_run_the_stock_down():
    of = World(calibrated(some_stock(), numbers=QUIET), BASELINE, UNTIL, 5)
    one = simulate(of, 0)
    assert one.children.is_stock.all()
    assert not np.isin(one.log.event, (w.CONTACT_MADE,)).any()
    nobody = World(calibrated(numbers=QUIET), BASELINE, UNTIL, 5)
    for clock in ("simpy", "compiled"):
        assert not len(simulate(nobody, 0, clock).log.day)
    assert not tables(nobody, simulate(nobody, 0)).monthly.any()


def test_zero_places_send_everybody_elsewhere_and_lose_nobody():
    base = document()
    for row in base["providers"]:
        if "places" in row:
            row["places"] = 0
    for pool in base["service_pools"]:
        pool["places"] = 0
    of = World(calibrated(providers=base["providers"], service_pools=base["service_pools"]), BASELINE, UNTIL, 5)
    log = simulate(of, 0).log
    asked, started = log.event == w.PLACEMENT_ASKED, log.event == w.PLACEMENT_STARTED
    assert asked.sum() > 40
    wanted = {(child, t) for child, t in zip(log.child[asked].tolist(), log.day[asked].tolist(), strict=True)}
    got = {(child, t) for child, t in zip(log.child[started].tolist(), log.day[started].tolist(), strict=True)}
    assert got <= wanted
    entered = {
        (child, t)
        for child, t in zip(log.child[log.event == w.ENTERED_CARE], log.day[log.event == w.ENTERED_CARE], strict=True)
    }
    assert not entered - got  # everybody who enters is placed the same day
    limited = [at for at, row in enumerate(of.providers) if row.places == 0]
    assert not np.isin(log.provider[started], limited).any()
    assert not np.isin(log.event, (w.EARLY_HELP_STARTED, w.ASSESSMENT_STARTED)).any()


def test_unlimited_places_keep_nobody_waiting_and_nobody_overflows():
    base = document()
    for row in base["providers"]:
        row.update(match_chance=1.0, **({"places": None} if "places" in row else {}))
    for pool in base["service_pools"]:
        pool["places"] = None
    of = World(
        calibrated(providers=base["providers"], service_pools=base["service_pools"], numbers=CROWDED),
        BASELINE,
        UNTIL,
        5,
    )
    log = sorted_log(simulate(of, 0).log)
    for asked, started in ((w.EARLY_HELP_ASKED, w.EARLY_HELP_STARTED), (w.ASSESSMENT_ASKED, w.ASSESSMENT_STARTED)):
        when = [
            np.stack([log.child[log.event == event], log.day[log.event == event]], axis=1) for event in (asked, started)
        ]
        np.testing.assert_array_equal(*(np.unique(rows, axis=0) for rows in when))
    wanted = dict(zip(zip(*(c[log.event == w.PLACEMENT_ASKED].tolist() for c in (log.child, log.day)), strict=True),
                      log.detail[log.event == w.PLACEMENT_ASKED].tolist(), strict=True))  # fmt: skip
    started = log.event == w.PLACEMENT_STARTED
    assert started.sum() > 200
    for child, t, at in zip(*(c[started].tolist() for c in (log.child, log.day, log.provider)), strict=True):
        assert kinds(of)[at] in desk_first_choice(wanted[child, t])


def desk_first_choice(kind):
    from carecast.model.desk import CHAINS

    return CHAINS[kind][0]


@pytest.mark.parametrize("clock", ["simpy", "compiled"])
def test_one_child(clock):
    """In care at 17 and a half with nothing that could end it: until the eighteenth birthday, then aftercare to 21."""
    stock = [stock_row(0, "in_care", "residential_external", "external", 17.5)]
    one = simulate(world(council(stock=stock), 5), 0, clock)
    birth = int(one.children.birth_day[0])
    birthday, limit = birth + rules.ADULT_AGE_DAYS, birth + int(21 * w.DAYS_PER_YEAR)
    told = list(zip(one.log.event.tolist(), one.log.day.tolist(), one.log.detail.tolist(), strict=True))
    assert [(event, t) for event, t, _ in told] == [
        (w.ENTERED_CARE, DAY_0), (w.PLACEMENT_STARTED, DAY_0), (w.PLACEMENT_ENDED, birthday), (w.LEFT_CARE, birthday),
        (w.AFTER_CARE_STARTED, birthday), (w.AFTER_CARE_ENDED, limit),
    ]  # fmt: skip
    assert [told[3][2], told[4][2]] == [w.AGED_OUT, w.AFTERCARE]


def test_a_type_without_a_provider_overflows():
    base = document()
    homes = [
        row
        for row in base["providers"]
        if row["placement_type"] not in ("secure", "residential_school", "supported_accommodation")
    ]
    numbers = {"arrivals.remand_families_per_year": 40.0, "arrivals.unaccompanied_families_per_year": 40.0}
    of = World(calibrated(providers=homes, numbers=numbers), BASELINE, UNTIL, 5)
    log = simulate(of, 0).log
    for kind in (w.SECURE, w.SUPPORTED_ACCOMMODATION):
        assert ((log.event == w.PLACEMENT_ASKED) & (log.detail == kind)).sum() > 10
    assert not places_lost(log)


def places_lost(log):
    """Children in care without a home at the end of the day they asked for one."""
    count = defaultdict(int)
    for t, child, event in zip(log.day.tolist(), log.child.tolist(), log.event.tolist(), strict=True):
        if t <= DAY_0 and event == w.LEFT_CARE:
            continue  # history of those who had left before the start
        if event in (w.ENTERED_CARE, w.LEFT_CARE):
            count[child] += 1 if event == w.ENTERED_CARE else -1
        elif event in (w.PLACEMENT_STARTED, w.PLACEMENT_ENDED):
            count[child] -= 1 if event == w.PLACEMENT_STARTED else -1
    return [child for child, n in count.items() if n]


def test_ten_times_the_arrivals():
    numbers = {
        f"arrivals.{route}_families_per_year": 10 * n
        for route, n in zip(w.ROUTES, (600.0, 12.0, 5.0, 2.0, 4.0), strict=True)
    }
    of = World(calibrated(some_stock(), numbers=numbers), BUSY, dt.date(2024, 3, 31), 5)
    one = simulate(of, 0)
    assert not places_lost(one.log)
    places_taken(of, one, 0)
    table = tables(of, one)
    conserved(
        row_of(table, "looked_after", "total"),
        row_of(table, "entries_to_care", "total"),
        row_of(table, "exits_from_care", "total"),
    )


def test_ten_thousand_children_in_care():
    rows = [stock_row(n, "in_care", "kinship", "kin", 0.5 + (n % 160) / 10, family=n // 3) for n in range(10_000)]
    of = World(calibrated(rows), BASELINE, dt.date(2023, 3, 31), 5)
    table = tables(of, simulate(of, 0))
    total = row_of(table, "looked_after", "total")
    assert total[0] == 10_000
    conserved(total, row_of(table, "entries_to_care", "total"), row_of(table, "exits_from_care", "total"))


# --- identifiers mean nothing ---------------------------------------------------------------------------------------
def renamed(rows, family=lambda n: n, child=lambda n: n):
    return [{**row, "family": family(row["family"]), "child": child(row["child"]),
             "shared_with": child(row["shared_with"]) if row["shared_with"] >= 0 else -1} for row in rows]  # fmt: skip


def stock_in_order():
    rows = [
        {**row, "child": n} for n, row in enumerate(sorted(some_stock(), key=lambda row: (row["family"], row["child"])))
    ]
    rows[3]["shared_with"] = rows[2]["child"]
    return rows


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffling_the_rows_of_the_stock_changes_nothing(seed):
    rows = stock_in_order()
    shuffled = [rows[at] for at in np.random.default_rng(seed).permutation(len(rows))]
    assert shuffled != rows
    assert_same_log(*(simulate(World(calibrated(given), BUSY, UNTIL, 5), 0) for given in (rows, shuffled)))


def test_other_identifiers_in_the_same_order_change_nothing():
    """Calibration numbers the stock by content; whatever numbers it gives, only their order is used."""
    rows = stock_in_order()
    others = renamed(rows, family=lambda n: 1000 + 7 * n, child=lambda n: 5 + 3 * n)
    assert_same_log(*(simulate(World(calibrated(given), BUSY, UNTIL, 5), 0) for given in (rows, others)))


def test_variants_of_the_stock_take_turns():
    rows = [
        stock_row(n, "in_care", "kinship", "kin", variant=variant)
        for variant, size in ((0, 3), (1, 5))
        for n in range(size)
    ]
    of = World(calibrated(rows), BASELINE, AS_AT, 5)
    assert [int(simulate(of, replication).children.is_stock.sum()) for replication in range(4)] == [3, 5, 3, 5]
