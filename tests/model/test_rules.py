"""The rules on children made by hand: where a hazard changes, what a threshold still holds, what follows what."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from carecast.model import draws as dr
from carecast.model import rules, rules_care, rules_community
from carecast.model import words as w
from tests.model.by_hand import FAR, MONTH, START, a_home, choices, hazards, homes_of

STEADY = settings(max_examples=300, derandomize=True, deadline=None, database=None)
NEWBORN = 0
SUPPORT_CAUSES = (w.SUPPORT_ENDS, w.SUPPORT_TO_PROTECTION, w.SUPPORT_TO_PRE_ENTRY)
KEYS = [dr.lanes(3, 0, dr.WHO_STOCK, 0, child) for child in range(4000)]


def walk(h, threshold, cause=w.EXIT_HOME, kind=w.KINSHIP, birth=START, since=START, start=START, until=FAR):
    return rules.walk(h, cause, kind, 0, birth, since, start, until, threshold)


def cell(rate_of, cause=w.EXIT_HOME, kind=w.KINSHIP):
    """Rates of one cause and type from a function of (age band, duration band)."""
    bands = itertools.product(range(w.N_AGE_BANDS), range(w.N_DURATION_BANDS))
    return {(cause, kind, age, band): rate_of(age, band) for age, band in bands}


# --- age, duration, months ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("age_days", "band"),
    [
        (0, 0),
        (364, 0),
        (365, 1),
        (1825, 1),
        (1826, 2),
        (3651, 2),
        (3652, 3),
        (5843, 3),
        (5844, 4),
        (6573, 4),
        (6574, 5),
        (9000, 5),
    ],
)
def test_age_bands_begin_on_birthdays(age_days, band):
    assert rules.age_band(START - age_days, START) == band


@pytest.mark.parametrize(
    ("days", "band"),
    [
        (0, 0),
        (27, 0),
        (28, 1),
        (90, 1),
        (91, 2),
        (182, 3),
        (364, 3),
        (365, 4),
        (730, 5),
        (1825, 5),
        (1826, 6),
        (9000, 6),
    ],
)
def test_duration_bands(days, band):
    assert rules.duration_band(days) == band


def test_bands_are_the_words():
    assert tuple(math.floor(years * w.DAYS_PER_YEAR) for years in w.AGE_BAND_STARTS_YEARS) == rules.AGE_START_DAYS
    assert w.DURATION_BAND_STARTS_DAYS == rules.BAND_START_DAYS
    assert rules.AGE_START_DAYS[-1] == rules.ADULT_AGE_DAYS
    assert tuple(rules.age_band_end(band) for band in range(w.N_AGE_BANDS)) == (*rules.AGE_START_DAYS[1:], w.NEVER)
    ends = tuple(rules.duration_band_end(band) for band in range(w.N_DURATION_BANDS))
    assert ends == (*rules.BAND_START_DAYS[1:], w.NEVER)


def test_days_after_the_run_belong_to_its_last_month():
    h = hazards({}, n_months=3)
    assert [rules.month_at(h, START + day) for day in (0, 29, 30, 89, 90, 5000)] == [0, 0, 1, 2, 2, 2]


# --- the walk, by hand ----------------------------------------------------------------------------------------------
def test_constant_hazard():
    h = hazards({w.EXIT_HOME: 0.01})
    assert walk(h, 0.25) == (START + 25, 0.0)  # 0.25 / 0.01 = 25 days, reached at the end of day 25
    assert walk(h, 0.2501) == (START + 26, 0.0)
    assert walk(h, 1e-12) == (START + 1, 0.0)  # never the same day


def test_across_an_age_boundary():
    h = hazards(cell(lambda age, _: 0.01 if age == NEWBORN else 0.02))
    birth = START - 355  # one year old in ten days
    assert walk(h, 0.25, birth=birth)[0] == START + 18  # 10 days at 0.01, then 0.15 / 0.02 = 7.5
    assert walk(h, 0.10, birth=birth)[0] == START + 10
    assert walk(h, 0.1001, birth=birth)[0] == START + 11


def test_across_a_duration_boundary():
    h = hazards(cell(lambda _, band: 0.03 if band == 0 else 0.01))
    assert walk(h, 0.03 * 28 + 0.015)[0] == START + 30  # 28 days at 0.03, then 1.5 days at 0.01
    assert walk(h, 0.03 * 27.5)[0] == START + 28


def test_across_months_with_a_lever():
    h = hazards({w.EXIT_HOME: 0.01}, {w.EXIT_HOME: [1.0, 3.0, 0.0, 0.5]})
    assert walk(h, 0.30)[0] == START + 30
    assert walk(h, 0.60)[0] == START + 40  # 0.3 in month 0, then 0.03 a day
    assert walk(h, 1.20)[0] == START + 60
    assert walk(h, 1.21)[0] == START + 92  # nothing happens in month 2, then 0.005 a day
    assert walk(h, 1.21, until=START + 91) == (w.NEVER, pytest.approx(0.005))


def test_all_three_boundaries_at_once():
    h = hazards(cell(lambda age, band: 0.01 * (age + 1) + 0.005 * band), {w.EXIT_HOME: [1.0, 2.0]})
    birth, since = START - 345, START - 3  # one in 20 days; 28 days in care in 25; month 1 in 30
    by_day = [0.01] * 20 + [0.02] * 5 + [0.025] * 5 + [0.05] * 30
    for n in range(1, 61):
        assert walk(h, sum(by_day[:n]) - 1e-9, birth=birth, since=since)[0] == START + n
        assert walk(h, sum(by_day[:n]) + 1e-9, birth=birth, since=since)[0] == START + n + 1


def test_left_truncation_gives_no_credit_for_time_served():
    """A child seen from day 100 of a stay begins with its whole threshold, in the band of a hundred days."""
    h = hazards(cell(lambda _, band: [0.5, 0.25, 0.125, 0.0625, 0.0, 0.0, 0.0][band]))
    assert walk(h, 0.25, since=START - 100)[0] == START + 2  # 0.125 a day, whatever came before
    assert walk(h, 0.125 * 82 + 0.0625, since=START - 100)[0] == START + 83  # 82 days to half a year
    assert walk(h, 200.0, since=START - 100)[0] == w.NEVER  # no hazard after a year: 0.125 x 82 + 0.0625 x 183 in all


def test_no_hazard_never_comes_and_keeps_the_threshold():
    assert walk(hazards({}), 0.3) == (w.NEVER, 0.3)
    h = hazards({w.EXIT_HOME: 0.01}, {w.EXIT_HOME: [0.0] * 240})
    assert walk(h, 0.3) == (w.NEVER, 0.3)


def test_the_walk_stops_at_its_end():
    h = hazards({w.EXIT_HOME: 0.01}, n_months=2)
    assert walk(h, 0.6)[0] == START + 60
    assert walk(h, 0.61) == (w.NEVER, pytest.approx(0.01))  # past the run
    assert walk(h, 0.25, until=START + 20) == (w.NEVER, pytest.approx(0.05))
    assert walk(h, 0.2, until=START + 20) == (START + 20, 0.0)
    assert walk(h, 0.2, until=START) == (w.NEVER, 0.2)


# --- the walk against exact piecewise integration -------------------------------------------------------------------
RATES = st.sampled_from([0.0, 0.0001, 0.003, 0.02, 0.7])
RATIOS = st.sampled_from([0.0, 0.25, 1.0, 1.7, 4.0])


@st.composite
def worlds(draw):
    rates = [draw(RATES) for _ in range(w.N_AGE_BANDS * w.N_DURATION_BANDS)]
    ratios = [draw(RATIOS) for _ in range(12)]
    h = hazards(cell(lambda age, band: rates[age * w.N_DURATION_BANDS + band]), {w.EXIT_HOME: ratios}, n_months=24)
    start = START + draw(st.integers(0, 400))
    return h, {"birth": start - draw(st.integers(0, 7000)), "since": start - draw(st.integers(0, 2500)), "start": start}


def integral(h, birth, since, start, day):
    """Hazard from the end of ``start`` to the end of ``day``, one day at a time."""
    total = 0.0
    for t in range(start, day):
        at = (
            (w.EXIT_HOME * w.N_PLACEMENT_TYPES + w.KINSHIP) * w.N_AGE_BANDS + rules.age_band(birth, t)
        ) * w.N_DURATION_BANDS
        series = h.series_of[(w.EXIT_HOME * w.N_PLACEMENT_TYPES + w.KINSHIP) * w.N_AGE_BANDS]
        total += h.rate[at + rules.duration_band(t - since)] * h.ratio[series * h.n_months + rules.month_at(h, t)]
    return total


@given(worlds(), st.floats(1e-6, 6.0), st.integers(1, 800))
@STEADY
def test_walk_is_the_first_day_by_whose_end_the_hazard_reaches_the_threshold(world, threshold, days):
    h, child = world
    until = child["start"] + days
    day, left = walk(h, threshold, until=until, **child)
    last = min(until, h.end_day)
    if day == w.NEVER:
        assert left == pytest.approx(threshold - integral(h, day=last, **child), abs=1e-9)
        assert left >= -1e-9
    else:
        assert child["start"] < day <= last
        assert integral(h, day=day, **child) >= threshold - 1e-9
        assert integral(h, day=day - 1, **child) < threshold + 1e-9
        assert left == 0.0


@given(worlds(), st.floats(1e-6, 6.0), st.integers(1, 400), st.integers(1, 400))
@STEADY
def test_a_walk_in_two_parts_is_one_walk(world, threshold, first, second):
    """What a move does to an exit: stop, keep what is left, go on."""
    h, child = world
    middle, end = child["start"] + first, child["start"] + first + second
    whole, whole_left = walk(h, threshold, until=end, **child)
    day, left = walk(h, threshold, until=middle, **child)
    if day == w.NEVER and middle < h.end_day:
        day, left = walk(h, left, until=end, **{**child, "start": middle})
    near = any(abs(integral(h, day=d, **child) - threshold) < 1e-9 for d in (min(day, end), min(day, end) - 1))
    assert near or (day == whole and left == pytest.approx(whole_left, abs=1e-9))


@given(worlds(), st.floats(1e-3, 6.0), st.lists(st.sampled_from([0.0, 0.3, 0.9, 1.0]), min_size=12, max_size=12))
@STEADY
def test_lowering_a_hazard_never_brings_its_event_forward(world, threshold, cuts):
    h, child = world
    ratios = list(h.ratio[h.n_months : h.n_months + 12])
    rates = {
        cells: h.rate[i] for i, cells in enumerate(itertools.product(*map(range, (w.N_CAUSES, 13, 6, 7)))) if h.rate[i]
    }
    lower = hazards(rates, {w.EXIT_HOME: [ratio * cut for ratio, cut in zip(ratios, cuts, strict=True)]}, n_months=24)
    assert walk(lower, threshold, **child)[0] >= walk(h, threshold, **child)[0]


@given(st.sampled_from(SUPPORT_CAUSES), st.floats(0.05, 0.95), st.integers(0, 3999))
@STEADY
def test_lowering_one_of_several_hazards_brings_nothing_of_its_own_forward(cause, cut, child):
    rates = {w.SUPPORT_ENDS: 0.004, w.SUPPORT_TO_PROTECTION: 0.003, w.SUPPORT_TO_PRE_ENTRY: 0.002}
    key = (*KEYS[child], 1)

    def first(h):
        return rules.wait_in_state(h, choices(), w.SUPPORT, 0, START, START, START, False, *key)

    day, why = first(hazards(rates))
    lower_day, lower_why = first(hazards({**rates, cause: rates[cause] * cut}))
    assert lower_day >= day  # with a draw for each cause, and one draw for all it could be either
    if lower_why == cause:
        assert why == cause
    if why != cause:
        assert (lower_day, lower_why) == (day, why)


@pytest.mark.parametrize("per_day", [0.002, 0.05, 0.6])
def test_whole_days_keep_the_exponential_exactly(per_day):
    """P(day > d) = exp(-h d): the wait is geometric with chance 1 - exp(-h), mean 1 / (1 - exp(-h)), not 1 / h."""
    h = hazards({w.EXIT_HOME: per_day})
    waits = [walk(h, dr.unit_exponential(*key, w.EXIT_HOME, 1))[0] - START for key in KEYS]
    for days in (1, 2, 7, 30, 200):
        chance = math.exp(-per_day * days)
        error = math.sqrt(chance * (1 - chance) / len(waits))
        share = sum(wait > days for wait in waits) / len(waits)
        assert abs(share - chance) <= 4.9 * error + 3 / len(waits)  # false alarm: 1 in a million
    for child in range(100):  # and one by one, exactly
        threshold = dr.unit_exponential(*KEYS[child], w.EXIT_HOME, 1)
        assert waits[child] == max(1, math.ceil(threshold / per_day)) or waits[child] + START > h.end_day


# --- competing causes -----------------------------------------------------------------------------------------------
def test_ties_go_to_the_cause_that_comes_first():
    always = dict.fromkeys(SUPPORT_CAUSES, 1e6)
    assert rules.wait_in_state(hazards(always), choices(), w.SUPPORT, 0, START, START, START, False, 1, 2, 1) == (
        START + 1,
        w.SUPPORT_ENDS,
    )
    del always[w.SUPPORT_ENDS]
    assert (
        rules.wait_in_state(hazards(always), choices(), w.SUPPORT, 0, START, START, START, False, 1, 2, 1)[1]
        == w.SUPPORT_TO_PROTECTION
    )


def test_a_diverted_family_reaches_pre_entry_sooner():
    h = hazards({w.SUPPORT_TO_PRE_ENTRY: 0.001})
    c = choices(diverted_hazard_ratio=3.0)
    for key in KEYS[:50]:
        plain, _ = rules.wait_in_state(h, c, w.SUPPORT, 0, START, START, START, False, *key, 1)
        sooner, _ = rules.wait_in_state(h, c, w.SUPPORT, 0, START, START, START, True, *key, 1)
        threshold = dr.unit_exponential(*key, w.SUPPORT_TO_PRE_ENTRY, 1)
        assert sooner == min(START + math.ceil(threshold / 0.003), START + rules.ADULT_AGE_DAYS)
        assert sooner <= plain


@pytest.mark.parametrize(
    ("state", "limit"),
    [
        (w.EARLY_HELP_WAITING, 300),
        (w.SUPPORT, rules.ADULT_AGE_DAYS - 4000),
        (w.PROTECTION, rules.ADULT_AGE_DAYS - 4000),
        (w.CLOSED, 500),
        (w.HOME_AFTER_CARE, 2000),
        (w.KINSHIP_ORDER, rules.ADULT_AGE_DAYS - 4000),
        (w.ADOPTED, rules.ADULT_AGE_DAYS - 4000),
        (w.CONTINUING_CARE, 7000 - 4000),
        (w.AFTERCARE, 7300 - 4000),
    ],
)
def test_limits_are_certain(state, limit):
    c = choices(
        wait_limit_days=300,
        closed_memory_days=500,
        home_memory_days=2000,
        continuing_limit_days=7000,
        aftercare_limit_days=7300,
    )

    def wait(birth, since):
        return rules.wait_in_state(hazards({}), c, state, 0, birth, since, START, False, 1, 2, 1)

    assert wait(START - 4000, START) == (START + limit, w.LIMIT_REACHED)
    assert wait(START - 9000, START - 9000) == (START + 1, w.LIMIT_REACHED)  # already past it: tomorrow, never today


@pytest.mark.parametrize("state", [w.EARLY_HELP, w.ASSESSMENT, w.PRE_ENTRY])
def test_states_without_a_limit_last_until_the_run_ends(state):
    h = hazards({})
    assert rules.wait_in_state(h, choices(), state, 0, START, START, START, False, 1, 2, 1)[0] >= h.end_day


# --- in care --------------------------------------------------------------------------------------------------------
def in_care(
    h,
    birth=START,
    thresholds=(9.0,) * 5,
    since=START,
    placed=START,
    start=START,
    close=w.NEVER,
    far=False,
    kind=w.KINSHIP,
    turn=1,
):
    left = list(thresholds)
    day, cause = rules_care.next_in_care(
        h, kind, 0, birth, since, placed, start, close, far, left, list(thresholds), *KEYS[0], turn
    )
    return day, cause, left


@pytest.mark.parametrize("cause", range(w.FIRST_EXIT, w.LAST_EXIT + 1))
def test_half_the_hazard_is_twice_the_threshold_for_unaccompanied_children_alone(cause):
    drawn = dr.unit_exponential(*KEYS[0], cause, 3)
    halved = choices(unaccompanied_exit_ratio=0.5)
    assert rules_care.exit_threshold(halved, 1, *KEYS[0], cause, 3) == 2 * drawn
    assert rules_care.exit_threshold(halved, 0, *KEYS[0], cause, 3) == drawn
    assert rules_care.exit_threshold(choices(), 1, *KEYS[0], cause, 3) == drawn  # a ratio of one changes no bit


def test_a_halved_hazard_ends_a_stay_on_the_day_a_doubled_threshold_is_reached():
    """Hazard 0.1 a day and threshold 0.45: the fifth day; at half the hazard 0.9 is reached on the ninth."""
    h = hazards({w.EXIT_HOME: 0.1})
    for ratio, days in ((1.0, 5), (0.5, 9)):
        assert in_care(h, thresholds=(0.45 / ratio,) + (9.0,) * 4)[:2] == (START + days, w.EXIT_HOME)


def test_the_eighteenth_birthday_is_certain():
    assert in_care(hazards({}), birth=START - 6000)[:2] == (START + 574, w.AGED_OUT)
    late = hazards({w.EXIT_HOME: 1.0})
    assert in_care(late, birth=START - 6573, thresholds=(1.0,) * 5)[:2] == (
        START + 1,
        w.AGED_OUT,
    )  # at a tie the certain end


def test_a_closing_house_is_certain_and_an_exit_the_same_day_is_not():
    h = hazards({w.EXIT_HOME: 0.1})
    assert in_care(h, close=START + 40, thresholds=(4.0,) + (9.0,) * 4)[:2] == (START + 40, w.HOUSE_CLOSED)
    assert in_care(h, close=START + 41, thresholds=(4.0,) + (9.0,) * 4)[:2] == (START + 40, w.EXIT_HOME)
    assert in_care(h, close=START - 5)[:2] == (START + 1, w.HOUSE_CLOSED)


def test_an_exit_comes_before_a_move_at_a_tie():
    h = hazards({w.EXIT_HOME: 1.0, w.MOVE: 1e9})
    assert in_care(h, thresholds=(0.5,) + (9.0,) * 4)[:2] == (START + 1, w.EXIT_HOME)


def test_only_children_beyond_the_radius_return():
    h = hazards({w.RETURN_WITHIN_RADIUS: 1e9})
    assert in_care(h, far=True)[:2] == (START + 1, w.RETURN_WITHIN_RADIUS)
    assert in_care(h, far=False)[1] == w.AGED_OUT


@given(
    st.lists(st.floats(0.01, 6.0), min_size=5, max_size=5),
    st.lists(st.floats(0.0, 0.01), min_size=5, max_size=5),
    st.integers(1, 6),
)
@STEADY
def test_thresholds_last_the_stay_so_a_move_between_equal_rates_changes_no_exit(thresholds, rates, turn):
    exits = dict(zip(range(w.FIRST_EXIT, w.LAST_EXIT + 1), rates, strict=True))
    settled = in_care(hazards(exits), thresholds=tuple(thresholds))
    moving = hazards({**exits, w.MOVE: 0.01})
    start, left, kind = START, thresholds, w.KINSHIP
    for number in itertools.count(turn):
        day, cause, left = in_care(moving, thresholds=tuple(left), start=start, placed=start, kind=kind, turn=number)
        if cause != w.MOVE:
            break
        start, kind = day, w.FOSTER_OWN if kind == w.KINSHIP else w.KINSHIP
    same = (day, cause) == settled[:2]
    on_the_edge = (
        min(abs(threshold / rate % 1) for threshold, rate in zip(thresholds, rates, strict=True) if rate > 1e-9)
        if max(rates) > 1e-9
        else 1.0
    )
    assert same or on_the_edge < 1e-6 or on_the_edge > 1 - 1e-6


def test_different_rates_spend_the_threshold_at_their_own_pace():
    h = hazards({(w.EXIT_HOME, w.KINSHIP): 0.01, (w.EXIT_HOME, w.FOSTER_OWN): 0.02, (w.MOVE, w.KINSHIP): 1e9})
    day, cause, left = in_care(h, thresholds=(0.5,) + (9.0,) * 4)
    assert (day, cause) == (START + 1, w.MOVE)
    assert left == [pytest.approx(0.49)] + [9.0] * 4
    assert in_care(h, thresholds=tuple(left), start=day, kind=w.FOSTER_OWN)[:2] == (
        START + 1 + 25,
        w.EXIT_HOME,
    )  # 0.49 / 0.02


def test_moves_are_drawn_afresh_for_each_placement():
    h = hazards({w.MOVE: 0.01})
    days = {in_care(h, turn=turn)[0] for turn in range(1, 20)}
    assert len(days) > 15


# --- branches, diversions, destinations -----------------------------------------------------------------------------
def test_choose_takes_the_first_outcome_whose_cumulated_chance_exceeds_the_draw():
    cumulated = [9.0, 0.25, 0.25, 1.0]  # from 1: chances 0.25, 0, 0.75
    assert [rules.choose(cumulated, 1, 3, u) for u in (0.0, 0.2499, 0.25, 0.9999999)] == [0, 0, 2, 2]
    assert rules.choose([0.3, 0.6], 0, 2, 0.7) == 1  # what rounding leaves belongs to the last


def test_branches_follow_their_chances():
    c = choices(branches={w.B_ASSESSMENT: {w.TO_CLOSED: 0.2, w.TO_SUPPORT: 0.5, w.TO_PROTECTION: 0.3}})
    seen = [rules.branch_outcome(c, w.B_ASSESSMENT, 2, *key, 1) for key in KEYS]
    counts = [seen.count(outcome) for outcome in (w.TO_CLOSED, w.TO_SUPPORT, w.TO_PROTECTION)]
    assert sum(counts) == len(KEYS)
    assert stats.chisquare(counts, [0.2 * len(KEYS), 0.5 * len(KEYS), 0.3 * len(KEYS)]).pvalue > 1e-6


def outcomes(rule, c, n=400):
    """The distinct answers of a rule for many hands."""
    h = hazards({})
    return {rule(c, h, 0, 2, START, *key, 1) for key in KEYS[:n]}


def referrals(c, is_repeat, n=400):
    """The answers of a referral for many hands, in the order of the hands."""
    return [rules_community.after_referral(c, hazards({}), is_repeat, 0, 2, START, *key, 1) for key in KEYS[:n]]


HALF_ASSESSED = {w.B_REFERRAL: {w.TO_CLOSED: 0.5, w.TO_ASSESSMENT: 0.5}}


def test_referrals_diverted_to_early_help():
    c = choices(HALF_ASSESSED, divert={w.REFERRAL_TO_EARLY_HELP: 1.0})
    assert set(referrals(c, 0)) == {(w.TO_CLOSED, -1), (w.TO_EARLY_HELP, w.REFERRAL_TO_EARLY_HELP)}


def test_only_a_repeat_referral_is_spared_an_assessment_and_goes_where_that_assessment_would_have_led():
    led = {w.B_ASSESSMENT: {w.TO_SUPPORT: 0.5, w.TO_PROTECTION: 0.5}}
    c = choices({**HALF_ASSESSED, **led}, divert={w.REPEAT_ASSESSMENT_SPARED: 1.0})
    assert set(referrals(c, 0)) == {(w.TO_CLOSED, -1), (w.TO_ASSESSMENT, -1)}
    spared = referrals(c, 1)
    would = [rules.branch_outcome(c, w.B_ASSESSMENT, 2, *key, 2) for key in KEYS[:400]]  # the assessment's own spell
    assert {found for found, _ in spared} == {w.TO_CLOSED, w.TO_SUPPORT, w.TO_PROTECTION}
    for (found, diversion), outcome in zip(spared, would, strict=True):
        assert found == w.TO_CLOSED or (found, diversion) == (outcome, w.REPEAT_ASSESSMENT_SPARED)


def test_direct_routes_that_a_lever_can_divert():
    found = [rules_community.direct_diversion(route) for route in range(w.N_ROUTES)]
    assert found == [-1, w.DIRECT_ENTRY_TO_SUPPORT, w.NEWBORN_TO_SUPPORT, -1, -1]


def test_no_two_draws_of_a_family_or_child_share_a_number():
    later = {dr.P_DIVERT_LATER + n for n in range(w.N_DIVERSIONS - dr.N_DIVERT)}
    own = {*range(w.N_CAUSES), dr.P_AT_HOME, *range(dr.P_BRANCH, dr.P_BRANCH + w.N_BRANCHES),
           *range(dr.P_DIVERT, dr.P_DIVERT + dr.N_DIVERT), *range(dr.P_WANTED, dr.P_CONTINUES + 1), dr.P_POSITION,
           dr.P_AGE_GAP, *range(dr.P_MATCH, dr.SLOTS_PER_SPELL)}  # fmt: skip
    assert not later & own


def test_assessments_diverted_to_early_help_instead_of_support_only():
    c = choices({w.B_ASSESSMENT: {w.TO_SUPPORT: 0.5, w.TO_PROTECTION: 0.5}}, divert={w.ASSESSMENT_TO_EARLY_HELP: 1.0})
    assert outcomes(rules_community.after_assessment, c) == {
        (w.TO_PROTECTION, -1),
        (w.TO_EARLY_HELP, w.ASSESSMENT_TO_EARLY_HELP),
    }


CARE = {w.B_PRE_ENTRY: {w.TO_SUPPORT: 0.2, w.TO_CARE_AT_HOME: 0.4, w.TO_CARE_AWAY: 0.4}}


@pytest.mark.parametrize(
    ("divert", "expected"),
    [
        ({}, {(w.TO_SUPPORT, -1), (w.TO_CARE_AT_HOME, -1), (w.TO_CARE_AWAY, -1)}),
        ({w.PRE_ENTRY_TO_SUPPORT: 1.0}, {(w.TO_SUPPORT, -1), (w.TO_SUPPORT, w.PRE_ENTRY_TO_SUPPORT)}),
        (
            {w.PRE_ENTRY_TO_KINSHIP_ORDER: 1.0},
            {(w.TO_SUPPORT, -1), (w.TO_CARE_AT_HOME, -1), (w.TO_KINSHIP_ORDER, w.PRE_ENTRY_TO_KINSHIP_ORDER)},
        ),
        (
            {w.CARE_AWAY_TO_AT_HOME: 1.0},
            {(w.TO_SUPPORT, -1), (w.TO_CARE_AT_HOME, -1), (w.TO_CARE_AT_HOME, w.CARE_AWAY_TO_AT_HOME)},
        ),
        (
            {w.PRE_ENTRY_TO_CARE: 1.0},
            {
                (w.TO_CARE_AT_HOME, -1),
                (w.TO_CARE_AWAY, -1),
                (w.TO_CARE_AT_HOME, w.PRE_ENTRY_TO_CARE),
                (w.TO_CARE_AWAY, w.PRE_ENTRY_TO_CARE),
            },
        ),
        (
            {w.PRE_ENTRY_TO_CARE: 1.0, w.PRE_ENTRY_TO_SUPPORT: 1.0},  # a lever is offered to those brought in as well
            {(w.TO_SUPPORT, w.PRE_ENTRY_TO_SUPPORT)},
        ),
    ],
)
def test_pre_entry_decisions_diverted(divert, expected):
    assert outcomes(rules_community.after_pre_entry, choices(CARE, divert=divert)) == expected


def test_children_brought_into_care_are_at_home_or_away_as_others_are():
    chances = {w.B_PRE_ENTRY: {w.TO_CLOSED: 0.8, w.TO_CARE_AT_HOME: 0.05, w.TO_CARE_AWAY: 0.15}}
    c = choices(chances, divert={w.PRE_ENTRY_TO_CARE: 1.0})
    found = [rules_community.after_pre_entry(c, hazards({}), 0, 2, START, *key, 1) for key in KEYS]
    brought = [outcome for outcome, diversion in found if diversion == w.PRE_ENTRY_TO_CARE]
    at_home, n = brought.count(w.TO_CARE_AT_HOME), len(brought)
    assert abs(at_home - 0.25 * n) < 4.9 * math.sqrt(n * 0.25 * 0.75)  # binomial; false alarm: 1 in a million


def test_a_diverted_share_is_a_share():
    c = choices(CARE, divert={w.PRE_ENTRY_TO_SUPPORT: 0.3})
    seen = [rules_community.after_pre_entry(c, hazards({}), 0, 2, START, *key, 1)[1] for key in KEYS]
    diverted = sum(diversion >= 0 for diversion in seen)
    n = 0.8 * len(KEYS)
    assert abs(diverted - 0.3 * n) < 4.9 * math.sqrt(len(KEYS) * 0.24 * 0.76)  # binomial; false alarm: 1 in a million


def test_a_wider_lever_diverts_the_same_children_and_more():
    h = hazards({})
    sets = []
    for share in (0.2, 0.5, 0.9):
        c = choices(CARE, divert={w.PRE_ENTRY_TO_SUPPORT: share})
        sets.append({key for key in KEYS[:500] if rules_community.after_pre_entry(c, h, 0, 2, START, *key, 1)[1] >= 0})
    assert sets[0] < sets[1] < sets[2]


@pytest.mark.parametrize(
    ("wanted", "divert", "offered"),
    [
        (w.AT_HOME, {w.CARE_AWAY_TO_KINSHIP: 1.0}, (w.AT_HOME, -1)),
        (w.KINSHIP, {w.CARE_AWAY_TO_KINSHIP: 1.0}, (w.KINSHIP, -1)),
        (w.FOSTER_OWN, {w.CARE_AWAY_TO_KINSHIP: 1.0}, (w.KINSHIP, w.CARE_AWAY_TO_KINSHIP)),
        (w.FOSTER_AGENCY, {w.CARE_AWAY_TO_KINSHIP: 1.0}, (w.KINSHIP, w.CARE_AWAY_TO_KINSHIP)),
        (w.CHILDRENS_HOUSE_OWN, {w.CARE_AWAY_TO_KINSHIP: 1.0}, (w.CHILDRENS_HOUSE_OWN, -1)),
        (w.FOSTER_OWN, {w.RESIDENTIAL_TO_FOSTER: 1.0}, (w.FOSTER_OWN, -1)),
        (w.CHILDRENS_HOUSE_OWN, {w.RESIDENTIAL_TO_FOSTER: 1.0}, (w.FOSTER_OWN, w.RESIDENTIAL_TO_FOSTER)),
        (w.RESIDENTIAL_EXTERNAL, {w.RESIDENTIAL_TO_FOSTER: 1.0}, (w.FOSTER_OWN, w.RESIDENTIAL_TO_FOSTER)),
        (
            w.SECURE,
            {w.RESIDENTIAL_TO_FOSTER: 1.0},
            (w.SECURE, -1),
        ),  # legal criteria: no lever takes a child out of secure
        (w.RESIDENTIAL_SCHOOL, {}, (w.RESIDENTIAL_SCHOOL, -1)),
    ],
)
def test_what_is_offered_at_entry(wanted, divert, offered):
    assert rules_care.offered_at_entry(choices(divert=divert), hazards({}), wanted, 0, 2, START, *KEYS[0], 1) == offered


def test_supported_accommodation_is_offered_from_sixteen_and_after_a_family():
    c = choices(divert={w.RESIDENTIAL_TO_SUPPORTED: 1.0})

    def offered(of, age, wanted=w.RESIDENTIAL_EXTERNAL):
        return rules_care.offered_instead(of, hazards({}), wanted, 0, age, START, *KEYS[0], 1)

    assert offered(c, w.SIXTEEN) == (w.SUPPORTED_ACCOMMODATION, w.RESIDENTIAL_TO_SUPPORTED)
    assert offered(c, 3) == (w.RESIDENTIAL_EXTERNAL, -1)
    assert offered(c, w.SIXTEEN, w.SECURE) == (w.SECURE, -1)
    both = choices(divert={w.RESIDENTIAL_TO_SUPPORTED: 1.0, w.RESIDENTIAL_TO_FOSTER: 1.0})
    assert offered(both, w.SIXTEEN) == (w.FOSTER_OWN, w.RESIDENTIAL_TO_FOSTER)


def test_kin_are_found_before_entry_not_at_moves():
    c = choices(divert={w.CARE_AWAY_TO_KINSHIP: 1.0, w.RESIDENTIAL_TO_FOSTER: 1.0})
    assert rules_care.offered_instead(c, hazards({}), w.FOSTER_OWN, 0, 2, START, *KEYS[0], 1) == (w.FOSTER_OWN, -1)
    diverted = (w.FOSTER_OWN, w.RESIDENTIAL_TO_FOSTER)
    assert rules_care.offered_instead(c, hazards({}), w.CHILDRENS_HOUSE_OWN, 0, 2, START, *KEYS[0], 1) == diverted


@pytest.mark.parametrize(
    ("how", "row"),
    [
        (w.REMAND, rules.M_REMAND),
        (w.UNACCOMPANIED, rules.M_UNACCOMPANIED),
        (w.EMERGENCY, rules.M_ENTRY),
        (w.NEWBORN, rules.M_ENTRY),
        (w.ENTRY_FROM_PATHWAY, rules.M_ENTRY),
    ],
)
def test_what_is_wanted_at_entry_depends_on_the_route(how, row):
    c = choices(wanted={row: {w.OTHER_COMMUNITY: 1.0}})
    assert rules_care.wanted_at_entry(c, hazards({}), how, w.TO_CARE_AWAY, 0, 2, START, *KEYS[0], 1) == (
        w.OTHER_COMMUNITY,
        -1,
    )
    assert rules_care.wanted_at_entry(c, hazards({}), how, w.TO_CARE_AT_HOME, 0, 2, START, *KEYS[0], 1) == (
        w.AT_HOME,
        -1,
    )


def test_what_is_wanted_after_a_placement():
    c = choices(wanted={rules.M_MOVE + w.KINSHIP: {w.FOSTER_OWN: 1.0}, rules.M_STEP_DOWN + w.KINSHIP: {w.SECURE: 1.0}})

    def wanted(cause):
        return rules_care.wanted_after(c, hazards({}), cause, w.KINSHIP, 0, 2, START, *KEYS[0], 1)

    assert wanted(w.MOVE) == (w.FOSTER_OWN, -1)
    assert wanted(w.STEP_DOWN) == (w.SECURE, -1)
    assert wanted(w.RETURN_WITHIN_RADIUS) == (w.KINSHIP, -1)  # the same kind of home, nearer
    assert wanted(w.HOUSE_CLOSED) == (w.KINSHIP, -1)


def test_only_children_without_a_home_go_before_those_who_have_one():
    assert rules_care.request_after(w.HOUSE_CLOSED, w.KINSHIP) == (rules_care.ASK_PLACE, rules_care.THEN_CLOSURE)
    assert rules_care.request_after(w.MOVE, w.KINSHIP) == (rules_care.ASK_PLACE, rules_care.THEN_MOVE)
    assert rules_care.request_after(w.STEP_DOWN, w.KINSHIP) == (rules_care.ASK_STEP_DOWN, rules_care.THEN_BETTER)
    assert rules_care.request_after(w.RETURN_WITHIN_RADIUS, w.KINSHIP) == (
        rules_care.ASK_RETURN,
        rules_care.THEN_BETTER,
    )
    assert (
        rules_care.FIRST_EMERGENCY
        < rules_care.THEN_ENTRY
        < rules_care.THEN_CLOSURE
        < rules_care.THEN_MOVE
        < rules_care.THEN_BETTER
    )


# --- what follows care ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cause", "age_years", "uptake", "state"),
    [
        (w.EXIT_HOME, 17, 1.0, w.HOME_AFTER_CARE),
        (w.EXIT_KINSHIP_ORDER, 17, 1.0, w.KINSHIP_ORDER),
        (w.EXIT_ADOPTION, 3, 1.0, w.ADOPTED),
        (w.EXIT_OTHER, 15, 1.0, w.GONE),
        (w.EXIT_OTHER, 16, 1.0, w.CONTINUING_CARE),
        (w.EXIT_OTHER, 16, 0.0, w.AFTERCARE),
        (w.EXIT_INDEPENDENT, 17, 1.0, w.CONTINUING_CARE),
        (w.EXIT_INDEPENDENT, 17, 0.0, w.AFTERCARE),
        (w.AGED_OUT, 18, 1.0, w.CONTINUING_CARE),
        (w.AGED_OUT, 18, 0.0, w.AFTERCARE),
    ],
)
def test_after_exit(cause, age_years, uptake, state):
    c = choices(continues=[uptake] * w.N_PLACEMENT_TYPES)
    assert rules_care.after_exit(c, cause, w.KINSHIP, math.floor(age_years * w.DAYS_PER_YEAR), 0, *KEYS[0], 1) == state


@pytest.mark.parametrize(("unaccompanied", "state"), [(0, w.AFTERCARE), (1, w.GONE)])
def test_an_unaccompanied_child_who_leaves_for_another_reason_is_another_councils(unaccompanied, state):
    c = choices(continues=[0.0] * w.N_PLACEMENT_TYPES)
    seventeen = math.floor(17 * w.DAYS_PER_YEAR)
    found = rules_care.after_exit(c, w.EXIT_OTHER, w.SUPPORTED_ACCOMMODATION, seventeen, unaccompanied, *KEYS[0], 1)
    assert found == state
    ages_out = rules_care.after_exit(c, w.AGED_OUT, w.SUPPORTED_ACCOMMODATION, 6574, unaccompanied, *KEYS[0], 1)
    assert ages_out == w.AFTERCARE


def test_continuing_care_depends_on_the_home():
    continues = [0.0] * w.N_PLACEMENT_TYPES
    continues[w.FOSTER_OWN] = 1.0
    c = choices(continues=continues)
    assert rules_care.after_exit(c, w.AGED_OUT, w.FOSTER_OWN, 6574, 0, *KEYS[0], 1) == w.CONTINUING_CARE
    assert rules_care.after_exit(c, w.AGED_OUT, w.SECURE, 6574, 0, *KEYS[0], 1) == w.AFTERCARE


def test_which_causes_end_care_and_which_begin_it_again():
    assert [c for c in range(27) if rules_care.is_exit(c)] == [*range(w.EXIT_HOME, w.EXIT_OTHER + 1), w.AGED_OUT]
    assert [c for c in range(27) if rules_care.is_return(c)] == [
        w.RE_ENTRY,
        w.KINSHIP_ORDER_BREAKS,
        w.ADOPTION_DISRUPTS,
    ]


def test_or_closed_takes_what_comes_first():
    assert rules_care.or_closed(START + 9, w.CONTINUING_CARE_ENDS, START + 5, START) == (START + 5, w.HOUSE_CLOSED)
    assert rules_care.or_closed(START + 5, w.CONTINUING_CARE_ENDS, START + 5, START) == (
        START + 5,
        w.CONTINUING_CARE_ENDS,
    )
    assert rules_care.or_closed(START + 9, w.CONTINUING_CARE_ENDS, START - 1, START) == (START + 1, w.HOUSE_CLOSED)


def test_far_is_beyond_the_radius_away_from_home_and_known():
    places = homes_of(a_home(w.FOSTER_OWN), radius_miles=15.0)

    def far(miles, kind=w.FOSTER_OWN, unaccompanied=0):
        return bool(rules_care.is_far(places, hazards({}, n_months=1), kind, miles, unaccompanied, START))

    assert [far(miles) for miles in (-1.0, 0.0, 15.0, 15.01)] == [False, False, False, True]
    stay_put = (w.AT_HOME, w.KINSHIP, w.PROSPECTIVE_ADOPTERS, w.RESIDENTIAL_SCHOOL, w.SECURE, w.UNREGISTERED)
    assert {kind for kind in range(w.N_PLACEMENT_TYPES) if not far(99.0, kind=kind)} == set(stay_put)
    assert not far(99.0, unaccompanied=1)


def test_miles_as_the_log_keeps_them():
    assert [rules_care.miles_detail(miles, 0) for miles in (0.0, 0.04, 0.05, 14.96, -1.0)] == [
        0,
        0,
        1,
        150,
        w.DISTANCE_UNKNOWN,
    ]
    assert rules_care.miles_detail(3.0, 1) == w.DISTANCE_NOT_COUNTED


@pytest.mark.parametrize(("infants_first", "of_infants"), [(1, 0), (0, 1)])
def test_infants_go_first_unless_the_council_says_all_in_turn(infants_first, of_infants):
    c = choices(infants_first=infants_first)
    found = [rules_community.help_priority(c, age) for age in range(w.N_AGE_BANDS)]
    assert found == [of_infants, 1, 1, 1, 1, 1]


def test_a_month_is_thirty_days_here():
    assert hazards({}).month_start_day[1] == START + MONTH
    assert rules.ratio_days(hazards({}, {w.MOVE: [2.0, 3.0]}), 1, START + MONTH + 10) == 2.0 * MONTH + 3.0 * 10
