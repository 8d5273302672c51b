"""The compiled clock's community side: what the day of a family brings, from the front door to the decision before care.

It tells the same stories as ``pathway_community.py``, in the same order, by the same rules and the same desk.
"""

from carecast.model import desk, rules, rules_care, rules_community
from carecast.model import draws as dr
from carecast.model import words as w
from carecast.model.stage import Stage, plan, record, write
from carecast.model.stepper_care import begin_after_care, begin_care


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
    desk.ask_service(s.queues, case, pool, rules_community.help_priority(s.choices, age))


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
    outcome, diversion = rules_community.after_referral(
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
    outcome, diversion = rules_community.after_assessment(
        s.choices, s.hazards, s.kids.locality[c.first[case]], age_of(s, case, day), day,
        c.key_1[case], c.key_2[case], c.spell[case],
    )  # fmt: skip
    if diversion >= 0:
        record(s, day, case, w.DIVERTED, diversion)
    return outcome


def decided(s: Stage, case: int, day: int) -> int:
    """A pre-entry decision; returns where it leads those who stay with the family."""
    c = s.cases
    outcome, diversion = rules_community.after_pre_entry(
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
            wanted, diversion = rules_care.wanted_at_entry(
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
        diversion = rules_community.direct_diversion(route)
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
