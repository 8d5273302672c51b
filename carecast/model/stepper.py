"""The compiled clock: an agenda of days, and for each case and child the one thing it waits for.

It tells the same stories as ``pathway.py``, in the same order, by the same rules and the same desk; it only decides which
day comes next for whom. Plain scalar source, compiled before use (``compiled.py``) and runnable as it stands.

Entities are cases (number) and children (number of cases + child). Each waits for at most one day, in a bucket of that
day: a doubly linked list, so that planning, cancelling and finding the day's work each cost the same at any size.
"""

from typing import Any, NamedTuple

from carecast.model import desk, rules
from carecast.model import draws as dr
from carecast.model import words as w
from carecast.model.tables import Choices, Families, Flat, Hazards, Kids, Places, Pools

N_EXITS = w.LAST_EXIT - w.FIRST_EXIT + 1


class Agenda(NamedTuple):
    """Who is due when."""

    head: Flat  # [day - start_day]: first entity due, -1 none
    after: Flat  # [entity]
    before: Flat  # [entity]: -1 first of its bucket
    due: Flat  # [entity]: day, -1 nothing planned
    cause: Flat  # [entity]: what the day brings


class Cases(NamedTuple):
    """Families on the community side: one entry a case."""

    first: Flat  # first child of the range its members are in
    size: Flat  # length of the range
    birth_day: Flat  # of the lead child
    state: Flat
    spell: Flat
    diverted: Flat
    referred_day: Flat
    pool: Flat  # pool it is served by, -1 none
    key_1: Flat
    key_2: Flat


class Lives(NamedTuple):
    """Children: one entry each."""

    case: Flat  # case it is a member of, -1 none
    state: Flat  # in care or a state after it
    care_since: Flat
    placed_since: Flat
    since: Flat  # of the state after care
    stay: Flat
    turn: Flat
    followed_up: Flat  # home after care: support has ended, only a return is waited for
    thresholds: Flat  # [child][exit]
    left: Flat  # [exit]: scratch
    price: Flat


class Writing(NamedTuple):
    """The log while it is written; past its capacity it only counts."""

    whole: Flat  # [event][day, child, event, locality, provider, detail, shared_with, out_of_area]
    price: Flat
    count: Flat  # [0]


class Stage(NamedTuple):
    """All there is."""

    hazards: Hazards
    choices: Choices
    places: Places
    pools: Pools
    kids: Kids
    families: Families
    homes: desk.Homes
    queues: desk.Queues
    agenda: Agenda
    cases: Cases
    lives: Lives
    writing: Writing
    start_day: int
    n_cases: int


# --- agenda and log -----------------------------------------------------------------------------------------------
def plan(s: Stage, entity: int, day: int, cause: int) -> None:
    """Put an entity in the bucket of a day; days after the run are not planned."""
    if day >= s.hazards.end_day:
        return
    agenda = s.agenda
    bucket = day - s.start_day
    first = agenda.head[bucket]
    agenda.after[entity] = first
    agenda.before[entity] = -1
    if first >= 0:
        agenda.before[first] = entity
    agenda.head[bucket] = entity
    agenda.due[entity] = day
    agenda.cause[entity] = cause


def cancel(s: Stage, entity: int) -> None:
    """Take an entity out of its bucket."""
    agenda = s.agenda
    if agenda.due[entity] < 0:
        return
    before = agenda.before[entity]
    after = agenda.after[entity]
    if before >= 0:
        agenda.after[before] = after
    else:
        agenda.head[agenda.due[entity] - s.start_day] = after
    if after >= 0:
        agenda.before[after] = before
    agenda.due[entity] = -1


def write(
    s: Stage, day: int, child: int, event: int, provider: int, detail: int, shared_with: int, out_of_area: int,
    price: float,
) -> None:  # fmt: skip
    """One row of the log."""
    at = s.writing.count[0]
    s.writing.count[0] = at + 1
    if at >= len(s.writing.price):
        return
    row = s.writing.whole[at]
    row[0] = day
    row[1] = child
    row[2] = event
    row[3] = s.kids.locality[child]
    row[4] = provider
    row[5] = detail
    row[6] = shared_with
    row[7] = out_of_area
    s.writing.price[at] = price


def record(s: Stage, day: int, case: int, event: int, detail: int) -> None:
    """An event for every child of a case."""
    first = s.cases.first[case]
    for child in range(first, first + s.cases.size[case]):
        if s.lives.case[child] == case:
            write(s, day, child, event, -1, detail, -1, 0, 1.0)


def write_placement(s: Stage, day: int, child: int) -> None:
    """The placement a child has just begun."""
    provider = s.homes.provider[child]
    ask = s.homes.asks[child]
    price = dr.price_multiplier(s.kids.key_1[child], s.kids.key_2[child], ask, s.places.price_sigma[provider])
    s.lives.price[child] = price
    detail = rules.miles_detail(s.homes.miles[child], s.kids.unaccompanied[child])
    outside = desk.outside_area(s.places, s.kids, child, provider, ask)
    write(s, day, child, w.PLACEMENT_STARTED, provider, detail, s.homes.home[child], outside, price)


# --- the community side -------------------------------------------------------------------------------------------
def age_of(s: Stage, case: int, day: int) -> int:
    """Age band of a case's lead child."""
    return rules.age_band(s.cases.birth_day[case], day)


def wait(s: Stage, case: int, state: int, since: int, day: int) -> None:
    """Begin to wait in a state, from today on."""
    c = s.cases
    c.state[case] = state
    due, cause = rules.wait_in_state(
        s.hazards, s.choices, state, s.kids.locality[c.first[case]], c.birth_day[case], since, day, c.diverted[case] != 0,
        c.key_1[case], c.key_2[case], c.spell[case],
    )  # fmt: skip
    plan(s, case, due, cause)


def go(s: Stage, case: int, outcome: int, since: int, day: int) -> None:
    """Enter the stage that an outcome leads to."""
    c = s.cases
    if outcome == w.TO_NOBODY:
        c.state[case] = w.GONE
        return
    c.spell[case] += 1
    if outcome == w.TO_EARLY_HELP:
        if c.pool[case] < 0:
            record(s, since, case, w.EARLY_HELP_ASKED, 0)
            wait(s, case, w.EARLY_HELP_WAITING, since, day)
            ask(s, case, w.S_EARLY_HELP, day)
        else:
            start_service(s, case, since, day)
    elif outcome == w.TO_ASSESSMENT:
        if c.pool[case] < 0:
            record(s, day, case, w.ASSESSMENT_ASKED, 0)
            c.state[case] = w.ASSESSMENT_WAITING
            ask(s, case, w.S_ASSESSMENT, day)
        else:
            c.state[case] = w.ASSESSMENT_WAITING
            start_service(s, case, since, day)
    elif outcome == w.TO_SUPPORT:
        record(s, day, case, w.SUPPORT_STARTED, 0)
        wait(s, case, w.SUPPORT, since, day)
    elif outcome == w.TO_PROTECTION:
        record(s, day, case, w.PROTECTION_STARTED, 0)
        wait(s, case, w.PROTECTION, since, day)
    elif outcome == w.TO_PRE_ENTRY:
        record(s, day, case, w.PRE_ENTRY_STARTED, 0)
        wait(s, case, w.PRE_ENTRY, since, day)
    else:
        record(s, day, case, w.CASE_CLOSED, 0)
        wait(s, case, w.CLOSED, since, day)


def ask(s: Stage, case: int, service: int, day: int) -> None:
    """Ask the desk for a place in a service."""
    age = age_of(s, case, day)
    locality = s.kids.locality[s.cases.first[case]]
    pool = s.pools.pool_of[(service * s.hazards.n_localities + locality) * w.N_AGE_BANDS + age]
    desk.ask_service(s.queues, case, pool, rules.help_priority(age))


def start_service(s: Stage, case: int, since: int, day: int) -> None:
    """A place is given: early help or assessment begins."""
    if s.cases.state[case] == w.ASSESSMENT_WAITING:
        record(s, day, case, w.ASSESSMENT_STARTED, 0)
        wait(s, case, w.ASSESSMENT, since, day)
    else:
        record(s, day, case, w.EARLY_HELP_STARTED, 0)
        wait(s, case, w.EARLY_HELP, since, day)


def refer(s: Stage, case: int, day: int) -> int:
    """A referral is made and decided; returns where it leads."""
    c = s.cases
    c.spell[case] += 1
    is_repeat = 1 if day - c.referred_day[case] <= rules.YEAR_DAYS else 0
    record(s, day, case, w.REFERRED, is_repeat)
    c.referred_day[case] = day
    outcome, diversion = rules.after_referral(
        s.choices, s.hazards, is_repeat, s.kids.locality[c.first[case]], age_of(s, case, day), day,
        c.key_1[case], c.key_2[case], c.spell[case],
    )  # fmt: skip
    if diversion >= 0:
        record(s, day, case, w.DIVERTED, diversion)
    if diversion == w.REPEAT_ASSESSMENT_SPARED:
        c.spell[case] += 1  # the spell of the assessment, so that what follows has the hands it would have had
    return outcome


def drop_adults(s: Stage, case: int, day: int) -> bool:
    """Leave out children who are 18; the next child leads. False when nobody is left."""
    first = s.cases.first[case]
    found = False
    for child in range(first, first + s.cases.size[case]):
        if s.lives.case[child] != case:
            continue
        if day - s.kids.birth_day[child] >= rules.ADULT_AGE_DAYS:
            s.lives.case[child] = -1
        elif not found:
            s.cases.birth_day[case] = s.kids.birth_day[child]
            found = True
    return found


def close_or(s: Stage, case: int, cause: int, branch: int, same: int, day: int) -> int:
    """What follows an end of support or protection."""
    c = s.cases
    if cause == w.LIMIT_REACHED:
        return same if drop_adults(s, case, day) else w.TO_NOBODY
    return rules.branch_outcome(s.choices, branch, age_of(s, case, day), c.key_1[case], c.key_2[case], c.spell[case])


def case_due(s: Stage, case: int, cause: int, day: int) -> None:
    """The day of a case has come."""
    c = s.cases
    state = c.state[case]
    if state == w.EARLY_HELP_WAITING:
        desk.leave_queue(s.queues, case)
        record(s, day, case, w.EARLY_HELP_WAIT_LEFT, cause)
        outcome = refer(s, case, day) if cause == w.WAIT_ESCALATED else w.TO_CLOSED
    elif state == w.EARLY_HELP:
        desk.give_back(s.queues, c.pool[case])
        c.pool[case] = -1
        record(s, day, case, w.EARLY_HELP_ENDED, cause)
        outcome = refer(s, case, day) if cause == w.EARLY_HELP_STEPS_UP else w.TO_CLOSED
    elif state == w.ASSESSMENT:
        outcome = assessed(s, case, day)
    elif state == w.SUPPORT or state == w.PROTECTION:
        outcome = supported(s, case, state, cause, day)
    elif state == w.PRE_ENTRY:
        outcome = decided(s, case, day)
    else:
        outcome = reopened(s, case, cause, day)
    go(s, case, outcome, day, day)


def reopened(s: Stage, case: int, cause: int, day: int) -> int:
    """What follows a closed case: a new referral, or nobody; when its lead child turns 18 the others are followed on."""
    if cause == w.LIMIT_REACHED:
        is_adult = rules.is_adult(s.cases.birth_day[case], day)
        return w.TO_CLOSED if is_adult and drop_adults(s, case, day) else w.TO_NOBODY
    return refer(s, case, day) if drop_adults(s, case, day) else w.TO_NOBODY


def supported(s: Stage, case: int, state: int, cause: int, day: int) -> int:
    """Support or protection ends or steps up; returns where it leads."""
    if state == w.SUPPORT:
        record(s, day, case, w.SUPPORT_ENDED, cause)
        if cause == w.SUPPORT_TO_PROTECTION:
            return w.TO_PROTECTION
        if cause == w.SUPPORT_TO_PRE_ENTRY:
            return w.TO_PRE_ENTRY
        return close_or(s, case, cause, w.B_SUPPORT, w.TO_SUPPORT, day)
    record(s, day, case, w.PROTECTION_ENDED, cause)
    if cause == w.PROTECTION_TO_PRE_ENTRY:
        return w.TO_PRE_ENTRY
    return close_or(s, case, cause, w.B_PROTECTION, w.TO_PROTECTION, day)


def assessed(s: Stage, case: int, day: int) -> int:
    """An assessment ends; returns where it leads."""
    c = s.cases
    desk.give_back(s.queues, c.pool[case])
    c.pool[case] = -1
    record(s, day, case, w.ASSESSMENT_ENDED, 0)
    outcome, diversion = rules.after_assessment(
        s.choices, s.hazards, s.kids.locality[c.first[case]], age_of(s, case, day), day,
        c.key_1[case], c.key_2[case], c.spell[case],
    )  # fmt: skip
    if diversion >= 0:
        record(s, day, case, w.DIVERTED, diversion)
    return outcome


def decided(s: Stage, case: int, day: int) -> int:
    """A pre-entry decision; returns where it leads those who stay with the family."""
    c = s.cases
    outcome, diversion = rules.after_pre_entry(
        s.choices, s.hazards, s.kids.locality[c.first[case]], age_of(s, case, day), day,
        c.key_1[case], c.key_2[case], c.spell[case],
    )  # fmt: skip
    record(s, day, case, w.PRE_ENTRY_ENDED, outcome)
    if diversion >= 0:
        record(s, day, case, w.DIVERTED, diversion)
        if diversion != w.PRE_ENTRY_TO_CARE:
            c.diverted[case] = 1
    if not drop_adults(s, case, day):
        return w.TO_NOBODY
    if outcome == w.TO_KINSHIP_ORDER:
        first = c.first[case]
        for child in range(first, first + c.size[case]):
            if s.lives.case[child] == case:
                s.lives.case[child] = -1
                begin_after_care(s, child, w.KINSHIP_ORDER, day, day)
        return w.TO_NOBODY
    if outcome < w.TO_CARE_AT_HOME:
        return outcome
    return w.TO_SUPPORT if enter_care(s, case, w.ENTRY_FROM_PATHWAY, outcome, day) else w.TO_NOBODY


def enter_care(s: Stage, case: int, how: int, outcome: int, day: int) -> bool:
    """The lead child enters care, and of the others those who join; True when somebody stays with the family."""
    c = s.cases
    first = c.first[case]
    position = 0
    lead = -1
    for child in range(first, first + c.size[case]):
        if s.lives.case[child] != case:
            continue
        u = dr.uniform(s.kids.key_1[child], s.kids.key_2[child], dr.P_JOINS, c.spell[case])
        if position == 0 or u < s.choices.joins_care_chance:
            age = rules.age_band(s.kids.birth_day[child], day)
            wanted, diversion = rules.wanted_at_entry(
                s.choices, s.hazards, how, outcome, s.kids.locality[child], age, day,
                c.key_1[case], c.key_2[case], c.spell[case],
            )  # fmt: skip
            if diversion >= 0:
                write(s, day, child, w.DIVERTED, -1, diversion, -1, 0, 1.0)
            s.lives.case[child] = -1
            begin_care(s, child, how, wanted, day)
        elif lead < 0:
            lead = child
        position += 1
    if lead >= 0:
        c.birth_day[case] = s.kids.birth_day[lead]
    return lead >= 0


def receive(s: Stage, family: int, day: int) -> None:
    """A family arrives: at the front door, or straight into care by a direct route."""
    if not s.families.kept[family]:
        return
    c = s.cases
    route = s.families.route[family]
    locality = s.families.locality[family]
    age = age_of(s, family, day)
    if route != w.CONTACT:
        c.spell[family] = 1
        diversion = rules.direct_diversion(route)
        if diversion >= 0 and rules.is_diverted(
            s.choices, s.hazards, diversion, locality, age, day, c.key_1[family], c.key_2[family], 1
        ):
            record(s, day, family, w.DIVERTED, diversion)
            c.diverted[family] = 1
            go(s, family, w.TO_SUPPORT, day, day)
        elif enter_care(s, family, route, w.TO_CARE_AWAY, day):
            go(s, family, w.TO_SUPPORT, day, day)
        return
    record(s, day, family, w.CONTACT_MADE, route)
    outcome = rules.branch_outcome(s.choices, w.B_CONTACT, age, c.key_1[family], c.key_2[family], 0)
    if outcome == w.TO_CLOSED:
        record(s, day, family, w.ADVICE_GIVEN, 0)
        return
    if outcome == w.TO_ASSESSMENT:
        outcome = refer(s, family, day)
    go(s, family, outcome, day, day)


# --- in care and after --------------------------------------------------------------------------------------------
def begin_care(s: Stage, child: int, how: int, wanted: int, day: int) -> None:
    """A stay in care begins."""
    v = s.lives
    v.state[child] = w.IN_CARE
    v.stay[child] += 1
    v.care_since[child] = day
    for exit_ in range(N_EXITS):
        v.thresholds[child * N_EXITS + exit_] = dr.unit_exponential(
            s.kids.key_1[child], s.kids.key_2[child], w.FIRST_EXIT + exit_, v.stay[child]
        )
    write(s, day, child, w.ENTERED_CARE, -1, how, -1, 0, 1.0)
    if how != w.ENTRY_STOCK:
        s.homes.asks[child] += 1
        is_urgent = how == w.EMERGENCY or how == w.NEWBORN or how == w.REMAND
        ask_home(s, child, wanted, rules.ASK_PLACE, rules.FIRST_EMERGENCY if is_urgent else rules.THEN_ENTRY, day)


def ask_home(s: Stage, child: int, wanted: int, about: int, priority: int, day: int) -> None:
    """Ask the desk for a home."""
    desk.ask_home(s.homes, child, wanted, about, priority)
    write(s, day, child, w.PLACEMENT_ASKED, -1, wanted, -1, 0, 1.0)


def live_on(s: Stage, child: int, day: int) -> None:
    """Plan when and how this placement ends."""
    v = s.lives
    provider = s.homes.provider[child]
    kind = s.places.kind[provider]
    far = rules.is_far(s.places, s.hazards, kind, s.homes.miles[child], s.kids.unaccompanied[child], day)
    v.turn[child] += 1
    thresholds = v.thresholds[child * N_EXITS : (child + 1) * N_EXITS]
    for exit_ in range(N_EXITS):
        v.left[exit_] = thresholds[exit_]
    due, cause = rules.next_in_care(
        s.hazards, kind, s.kids.locality[child], s.kids.birth_day[child], v.care_since[child], v.placed_since[child], day,
        s.places.close_day[provider], far, v.left, thresholds, s.kids.key_1[child], s.kids.key_2[child], v.turn[child],
    )  # fmt: skip
    for exit_ in range(N_EXITS):
        v.thresholds[child * N_EXITS + exit_] = v.left[exit_]
    plan(s, s.n_cases + child, due, cause)


def end_placement(s: Stage, child: int, cause: int, day: int) -> None:
    """Leave a home."""
    provider = desk.leave_home(s.homes, child)
    write(s, day, child, w.PLACEMENT_ENDED, provider, cause, -1, 0, 1.0)


def placement_due(s: Stage, child: int, cause: int, day: int) -> None:
    """A placement ends, or should."""
    kind = s.places.kind[s.homes.provider[child]]
    if rules.is_exit(cause):
        leave_care(s, child, cause, kind, day)
        return
    about, priority = rules.request_after(cause, kind)
    if about == rules.ASK_PLACE:
        end_placement(s, child, cause, day)
    s.homes.asks[child] += 1
    age = rules.age_band(s.kids.birth_day[child], day)
    wanted, diversion = rules.wanted_after(
        s.choices, s.hazards, cause, kind, s.kids.locality[child], age, day,
        s.kids.key_1[child], s.kids.key_2[child], s.homes.asks[child],
    )  # fmt: skip
    if diversion >= 0:
        write(s, day, child, w.DIVERTED, -1, diversion, -1, 0, 1.0)
    ask_home(s, child, wanted, about, priority, day)


def leave_care(s: Stage, child: int, cause: int, kind: int, day: int) -> None:
    """A stay in care ends; in continuing care the child keeps the home."""
    age_days = day - s.kids.birth_day[child]
    state = rules.after_exit(
        s.choices, cause, kind, age_days, s.kids.key_1[child], s.kids.key_2[child], s.lives.stay[child]
    )
    if state == w.CONTINUING_CARE:
        write(s, day, child, w.PLACEMENT_ENDED, s.homes.provider[child], cause, -1, 0, 1.0)
    else:
        end_placement(s, child, cause, day)
    write(s, day, child, w.LEFT_CARE, -1, cause, -1, 0, 1.0)
    s.lives.state[child] = state
    if state != w.GONE:
        begin_after_care(s, child, state, day, day)


def begin_after_care(s: Stage, child: int, state: int, since: int, day: int) -> None:
    """A state after care begins."""
    v = s.lives
    v.state[child] = state
    v.since[child] = since
    provider = s.homes.provider[child] if state == w.CONTINUING_CARE else -1
    supported = since + s.choices.home_support_days
    v.followed_up[child] = 1 if state == w.HOME_AFTER_CARE and day >= supported else 0
    if not v.followed_up[child]:
        write(s, day, child, w.AFTER_CARE_STARTED, provider, state, -1, 0, v.price[child] if provider >= 0 else 1.0)
    v.turn[child] += 1
    due, cause = rules.wait_in_state(
        s.hazards, s.choices, state, s.kids.locality[child], s.kids.birth_day[child], since, day, False,
        s.kids.key_1[child], s.kids.key_2[child], v.turn[child],
    )  # fmt: skip
    if provider >= 0:
        due, cause = rules.or_closed(due, cause, s.places.close_day[provider], day)
    if state == w.HOME_AFTER_CARE and day < supported < due:
        v.placed_since[child] = due  # the return, if any, keeps until support has ended
        v.care_since[child] = cause
        plan(s, s.n_cases + child, supported, -1)
    else:
        plan(s, s.n_cases + child, due, cause)


def after_care_due(s: Stage, child: int, cause: int, day: int) -> None:
    """A state after care ends, or support at home does."""
    v = s.lives
    state = v.state[child]
    provider = s.homes.provider[child] if state == w.CONTINUING_CARE else -1
    if not v.followed_up[child]:
        write(s, day, child, w.AFTER_CARE_ENDED, provider, state, -1, 0, 1.0)
    if cause < 0:
        v.followed_up[child] = 1
        plan(s, s.n_cases + child, v.placed_since[child], v.care_since[child])
        return
    if rules.is_return(cause):
        write(s, day, child, w.RE_ENTRY_BEGINS, -1, state, -1, 0, 1.0)
        s.homes.asks[child] += 1
        age = rules.age_band(s.kids.birth_day[child], day)
        key_1 = s.kids.key_1[child]
        key_2 = s.kids.key_2[child]
        wanted = rules.wanted_type(s.choices, rules.M_RETURN, age, key_1, key_2, s.homes.asks[child])
        begin_care(s, child, w.ENTRY_RETURN, wanted, day)
        return
    v.state[child] = w.GONE
    if state == w.CONTINUING_CARE:
        desk.leave_home(s.homes, child)
        begin_after_care(s, child, w.AFTERCARE, day, day)


# --- the day ------------------------------------------------------------------------------------------------------
def serve(s: Stage, day: int) -> None:
    """The desk's phase: homes first, then services."""
    month = rules.month_at(s.hazards, day)
    homes = s.homes
    n = homes.count[0]
    desk.sort_keys(homes.pending, n)
    for i in range(n):
        child = homes.pending[i] % desk.KEY_SHIFT
        about = homes.about[child]
        provider, miles, home = desk.find_home(
            s.places, homes, s.kids, s.families, child, homes.wanted[child], homes.asks[child], day, month,
            s.hazards.n_months, about == rules.ASK_RETURN, about == rules.ASK_STEP_DOWN,
        )  # fmt: skip
        if provider >= 0:
            if about == rules.ASK_STEP_DOWN:
                end_placement(s, child, w.STEP_DOWN, day)
            elif about == rules.ASK_RETURN:
                end_placement(s, child, w.RETURN_WITHIN_RADIUS, day)
            desk.move_in(homes, child, provider, miles, home)
            write_placement(s, day, child)
            s.lives.placed_since[child] = day
        live_on(s, child, day)
    homes.count[0] = 0
    desk.file_requests(s.queues)
    for pool in range(s.pools.n_pools):
        case = desk.next_served(s.queues, s.pools, pool, month)
        while case >= 0:
            cancel(s, case)
            s.cases.pool[case] = pool
            start_service(s, case, day, day)
            case = desk.next_served(s.queues, s.pools, pool, month)


def open_stock(s: Stage, stock_cases: Flat, stages: Flat, states: Flat, since: Flat, care_since: Flat) -> None:
    """The children in the system at the start take up their stories."""
    day = s.start_day
    for i in range(len(stock_cases)):
        go(s, stock_cases[i, 0], stages[i], stock_cases[i, 3], day)
        desk.file_requests(s.queues)  # one by one: who has waited longest comes first
    for child in range(len(states)):
        state = states[child]
        if state == w.IN_CARE:
            begin_care(s, child, w.ENTRY_STOCK, -1, day)
            s.lives.care_since[child] = care_since[child]
            s.lives.placed_since[child] = since[child]
            desk.measure_stock(s.places, s.homes, s.kids, child)
            write_placement(s, day, child)
            live_on(s, child, day)
        elif state >= w.HOME_AFTER_CARE:
            if state <= w.ADOPTED:
                write(s, since[child], child, w.LEFT_CARE, -1, rules.exit_into(state), -1, 0, 1.0)
            begin_after_care(s, child, state, since[child], day)


def by_reference(value: Any, memory: Flat) -> Any:
    """The stage as it is; compiled, a pointer to it whose fields are kept in ``memory`` (``references.py``)."""
    return value


def tell(
    stage: Stage, memory: Flat, stock_cases: Flat, stages: Flat, states: Flat, since: Flat, care_since: Flat,
    arrival_order: Flat,
) -> None:  # fmt: skip
    """Every day of the run: ends, arrivals and requests, the desk."""
    s = by_reference(stage, memory)
    open_stock(s, stock_cases, stages, states, since, care_since)
    next_arrival = 0
    for day in range(s.start_day + 1, s.hazards.end_day):
        bucket = day - s.start_day
        entity = s.agenda.head[bucket]
        while entity >= 0:
            cause = s.agenda.cause[entity]
            cancel(s, entity)
            if entity < s.n_cases:
                case_due(s, entity, cause, day)
            elif s.lives.state[entity - s.n_cases] == w.IN_CARE:
                placement_due(s, entity - s.n_cases, cause, day)
            else:
                after_care_due(s, entity - s.n_cases, cause, day)
            entity = s.agenda.head[bucket]
        while next_arrival < len(arrival_order) and s.families.arrival_day[arrival_order[next_arrival]] == day:
            receive(s, arrival_order[next_arrival], day)
            next_arrival += 1
        serve(s, day)
