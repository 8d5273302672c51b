"""The community side as each family's story: from the front door to the decision before care, and after a case is closed.

Draw, wait, record, move on. All decisions are in ``rules.py`` and ``rules_community.py``, all places are given out by
``desk.py``; this file only waits for the day that they give.
"""

from carecast.model import desk, rules, rules_care, rules_community
from carecast.model import draws as dr
from carecast.model import words as w
from carecast.model.pathway_care import child_story
from carecast.model.simpy_world import Case, Story, World


def receive(world: World, family: int) -> None:
    """A family arrives: at the front door, or straight into care by a direct route."""
    s = world.scene
    if not s.families.kept[family]:
        return
    case = s.case_of_family(family, Case)
    route = s.families.route[family]
    if route != w.CONTACT:
        case.spell = 1
        diversion = rules_community.direct_diversion(route)
        if diversion >= 0 and rules.is_diverted(
            s.choices, s.hazards, diversion, case.locality,
            rules.age_band(case.birth_day, world.today), world.today, *case.hand(),
        ):  # fmt: skip
            world.record(case, w.DIVERTED, diversion)
            case.diverted = True
            world.env.process(family_story(world, case, w.TO_SUPPORT))
            return
        rest = enter_care(world, case, route, w.TO_CARE_AWAY)
        if rest:
            world.env.process(family_story(world, case, w.TO_SUPPORT))
        return
    world.record(case, w.CONTACT_MADE, route)
    age = rules.age_band(case.birth_day, world.today)
    outcome = rules.branch_outcome(s.choices, w.B_CONTACT, age, *case.hand())
    if outcome == w.TO_ASSESSMENT:
        outcome = referral(world, case)
    elif outcome == w.TO_CLOSED:
        world.record(case, w.ADVICE_GIVEN)
        return
    world.env.process(family_story(world, case, outcome))


def family_story(world: World, case: Case, outcome: int, since: int | None = None) -> Story:
    """Stage after stage until the family is no longer followed. ``since``: the stock's first stage began before the run."""
    while outcome != w.TO_NOBODY:
        outcome = yield from STAGES[outcome](world, case, world.today if since is None else since)
        since = None


def referral(world: World, case: Case) -> int:
    """A referral is decided the day it is made: no further action, early help, or assessment."""
    s, day = world.scene, world.today
    case.spell += 1
    is_repeat = 1 if day - case.referred_day <= rules.YEAR_DAYS else 0
    world.record(case, w.REFERRED, is_repeat)
    case.referred_day = day
    age = rules.age_band(case.birth_day, day)
    outcome, diversion = rules_community.after_referral(
        s.choices, s.hazards, is_repeat, case.locality, age, day, *case.hand()
    )
    if diversion >= 0:
        world.record(case, w.DIVERTED, diversion)
    if diversion == w.REPEAT_ASSESSMENT_SPARED:
        case.spell += 1  # the spell of the assessment, so that what follows has the hands it would have had
    return int(outcome)


def wait(world: World, case: Case, state: int, since: int) -> tuple[int, int]:
    """(day, cause) at which a state ends, from today on."""
    s = world.scene
    day, cause = rules.wait_in_state(
        s.hazards, s.choices, state, case.locality, case.birth_day, since, world.today, case.diverted, *case.hand()
    )
    return int(day), int(cause)


def early_help(world: World, case: Case, since: int) -> Story:
    """Queue for a place, be helped, and close or step up."""
    case.spell += 1
    pool = world.scene.held_pool(case.number)
    if pool < 0:
        world.record(case, w.EARLY_HELP_ASKED, day=since)
        limit_day, why = wait(world, case, w.EARLY_HELP_WAITING, since)
        pool = yield from world.ask_service(case, w.S_EARLY_HELP, limit_day)
        if pool < 0:
            world.record(case, w.EARLY_HELP_WAIT_LEFT, why)
            return referral(world, case) if why == w.WAIT_ESCALATED else w.TO_CLOSED
        since = world.today
    world.record(case, w.EARLY_HELP_STARTED)
    day, cause = wait(world, case, w.EARLY_HELP, since)
    yield world.until(day)
    desk.give_back(world.scene.queues, pool)
    world.record(case, w.EARLY_HELP_ENDED, cause)
    return referral(world, case) if cause == w.EARLY_HELP_STEPS_UP else w.TO_CLOSED


def assessment(world: World, case: Case, since: int) -> Story:
    """Wait for a worker, be assessed, and hear what comes next."""
    s = world.scene
    case.spell += 1
    pool = s.held_pool(case.number)
    if pool < 0:
        world.record(case, w.ASSESSMENT_ASKED)
        pool = yield from world.ask_service(case, w.S_ASSESSMENT, w.NEVER)
        since = world.today
    world.record(case, w.ASSESSMENT_STARTED)
    day, _ = wait(world, case, w.ASSESSMENT, since)
    yield world.until(day)
    desk.give_back(s.queues, pool)
    world.record(case, w.ASSESSMENT_ENDED)
    age = rules.age_band(case.birth_day, day)
    outcome, diversion = rules_community.after_assessment(s.choices, s.hazards, case.locality, age, day, *case.hand())
    if diversion >= 0:
        world.record(case, w.DIVERTED, diversion)
    return int(outcome)


def support(world: World, case: Case, since: int) -> Story:
    """Help as a child in need or by voluntary support, until it ends or steps up."""
    case.spell += 1
    world.record(case, w.SUPPORT_STARTED)
    day, cause = wait(world, case, w.SUPPORT, since)
    yield world.until(day)
    world.record(case, w.SUPPORT_ENDED, cause)
    if cause == w.SUPPORT_TO_PROTECTION:
        return w.TO_PROTECTION
    if cause == w.SUPPORT_TO_PRE_ENTRY:
        return w.TO_PRE_ENTRY
    return close_or(world, case, cause, w.B_SUPPORT, w.TO_SUPPORT)


def protection(world: World, case: Case, since: int) -> Story:
    """On the register or a plan, until it ends or steps up."""
    case.spell += 1
    world.record(case, w.PROTECTION_STARTED)
    day, cause = wait(world, case, w.PROTECTION, since)
    yield world.until(day)
    world.record(case, w.PROTECTION_ENDED, cause)
    if cause == w.PROTECTION_TO_PRE_ENTRY:
        return w.TO_PRE_ENTRY
    return close_or(world, case, cause, w.B_PROTECTION, w.TO_PROTECTION)


def close_or(world: World, case: Case, cause: int, branch: int, same: int) -> int:
    """What follows an end: the branch's outcome, or the same stage again for children younger than a lead now 18."""
    if cause == w.LIMIT_REACHED:
        return same if drop_adults(world, case) else w.TO_NOBODY
    age = rules.age_band(case.birth_day, world.today)
    return int(rules.branch_outcome(world.scene.choices, branch, age, *case.hand()))


def drop_adults(world: World, case: Case) -> bool:
    """Leave out children who are 18; the next child leads. False when nobody is left."""
    birth_day = world.scene.kids.birth_day
    case.children = [c for c in case.children if world.today - birth_day[c] < rules.ADULT_AGE_DAYS]
    if case.children:
        case.birth_day = birth_day[case.children[0]]
    return bool(case.children)


def pre_entry(world: World, case: Case, since: int) -> Story:
    """Pre-proceedings, or the Reporter and the Children's Hearing: a decision that levers can only inform."""
    s = world.scene
    case.spell += 1
    world.record(case, w.PRE_ENTRY_STARTED)
    day, _ = wait(world, case, w.PRE_ENTRY, since)
    yield world.until(day)
    age = rules.age_band(case.birth_day, day)
    outcome, diversion = rules_community.after_pre_entry(s.choices, s.hazards, case.locality, age, day, *case.hand())
    world.record(case, w.PRE_ENTRY_ENDED, outcome)
    if diversion >= 0:
        world.record(case, w.DIVERTED, diversion)
        case.diverted = case.diverted or diversion != w.PRE_ENTRY_TO_CARE
    if not drop_adults(world, case):
        return w.TO_NOBODY
    if outcome == w.TO_KINSHIP_ORDER:
        for child in case.children:
            world.env.process(child_story(world, child, after=w.KINSHIP_ORDER))
        return w.TO_NOBODY
    if outcome < w.TO_CARE_AT_HOME:
        return int(outcome)
    return w.TO_SUPPORT if enter_care(world, case, w.ENTRY_FROM_PATHWAY, outcome) else w.TO_NOBODY


def enter_care(world: World, case: Case, how: int, outcome: int) -> bool:
    """The lead child enters care, and of the others those who join; True when somebody stays with the family."""
    s = world.scene
    rest = []
    for position, child in enumerate(case.children):
        u = dr.uniform(s.kids.key_1[child], s.kids.key_2[child], dr.P_JOINS, case.spell)
        if position == 0 or u < s.choices.joins_care_chance:
            wanted, diversion = rules_care.wanted_at_entry(
                s.choices, s.hazards, how, outcome, s.kids.locality[child],
                rules.age_band(s.kids.birth_day[child], world.today), world.today, *case.hand(),
            )  # fmt: skip
            if diversion >= 0:
                world.log.add(world.today, child, w.DIVERTED, s.kids.locality[child], -1, diversion)
            world.env.process(child_story(world, child, how=how, wanted=wanted))
        else:
            rest.append(child)
    case.children = rest
    if rest:
        case.birth_day = s.kids.birth_day[rest[0]]
    return bool(rest)


def closed(world: World, case: Case, since: int) -> Story:
    """A closed case is followed for a while: it may be referred again."""
    case.spell += 1
    world.record(case, w.CASE_CLOSED)
    day, cause = wait(world, case, w.CLOSED, since)
    yield world.until(day)
    return reopened(world, case, cause)


def reopened(world: World, case: Case, cause: int) -> int:
    """What follows a closed case: a new referral, or nobody; when its lead child turns 18 the others are followed on."""
    if cause == w.LIMIT_REACHED:
        is_adult = rules.is_adult(case.birth_day, world.today)
        return w.TO_CLOSED if is_adult and drop_adults(world, case) else w.TO_NOBODY
    return referral(world, case) if drop_adults(world, case) else w.TO_NOBODY


STAGES = {
    w.TO_CLOSED: closed,
    w.TO_EARLY_HELP: early_help,
    w.TO_ASSESSMENT: assessment,
    w.TO_SUPPORT: support,
    w.TO_PROTECTION: protection,
    w.TO_PRE_ENTRY: pre_entry,
}
