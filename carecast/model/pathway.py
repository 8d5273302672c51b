"""The pathway as each child's story, told with SimPy: draw, wait, record, move on.

One generator for a family on the community side (or one child of it after care), one for a child in and after care. All
decisions are in ``rules.py`` and ``desk.py``; this file only waits for the day that they give. Time is counted in quarters
of a day, so that each day has its phases: ends (0), arrivals and requests (1), the desk (2).
"""

from collections.abc import Generator
from typing import Any

import simpy

from carecast.model import desk, rules
from carecast.model import draws as dr
from carecast.model import words as w
from carecast.model.scene import Scene

Story = Generator[simpy.Event, Any, Any]
QUARTERS = 4
ARRIVALS, DESK = 1, 2


class Case:
    """A family on the community side: the children it stands for, and whose hand it plays."""

    __slots__ = ("birth_day", "children", "diverted", "key_1", "key_2", "locality", "number", "referred_day", "spell")

    def __init__(self, number: int, children: list[int], locality: int, key_1: int, key_2: int, birth_day: int) -> None:
        self.number = number
        self.children = children
        self.locality = locality
        self.key_1 = key_1
        self.key_2 = key_2
        self.birth_day = birth_day
        self.spell = 0
        self.diverted = False
        self.referred_day = -w.NEVER

    def hand(self) -> tuple[int, int, int]:
        """Key and spell of its draws."""
        return self.key_1, self.key_2, self.spell


class World:
    """One replication on the SimPy clock."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.log = scene.log
        self.env = simpy.Environment(initial_time=scene.start_day * QUARTERS)
        self.served: dict[int, simpy.Event] = {}
        self.asked_pools: set[int] = set()
        self.desk_called = False

    # --- the day ---------------------------------------------------------------------------------------------------
    @property
    def today(self) -> int:
        """The day."""
        return int(self.env.now) // QUARTERS

    def until(self, day: int) -> simpy.Event:
        """The first phase of a day to come."""
        return self.env.timeout(day * QUARTERS - self.env.now)

    def run(self) -> None:
        """Tell every story until the last day of the run is over."""
        for start in self.scene.opening_stories:
            self.env.process(start(self))
        self.env.process(self._arrivals())
        self.env.process(self._desk())
        self.env.run(until=self.scene.hazards.end_day * QUARTERS)

    def _arrivals(self) -> Story:
        families = self.scene.families
        for family in self.scene.arrival_order:
            at = families.arrival_day[family] * QUARTERS + ARRIVALS
            if at > self.env.now:
                yield self.env.timeout(at - self.env.now)
            receive(self, family)

    def _desk(self) -> Story:
        yield self.env.timeout(QUARTERS + DESK)
        while True:
            self._serve()
            yield self.env.timeout(QUARTERS)

    def _serve(self) -> None:
        """The desk's phase: homes first, then services."""
        s = self.scene
        day = self.today
        month = rules.month_at(s.hazards, day)
        desk.sort_keys(s.homes.pending, s.homes.count[0])
        for i in range(s.homes.count[0]):
            child = s.homes.pending[i] % desk.KEY_SHIFT
            about = s.homes.about[child]
            provider, miles, home = desk.find_home(
                s.places, s.homes, s.kids, s.families, child, s.homes.wanted[child], s.homes.asks[child], day, month,
                s.hazards.n_months, about == rules.ASK_RETURN, about == rules.ASK_STEP_DOWN,
            )  # fmt: skip
            if provider >= 0 and about != rules.ASK_PLACE:
                self._end_placement(child, w.STEP_DOWN if about == rules.ASK_STEP_DOWN else w.RETURN_WITHIN_RADIUS)
            if provider >= 0:
                desk.move_in(s.homes, child, provider, miles, home)
                self.log.placement(day, child, s.kids.locality[child], provider, miles, home)
            self.served.pop(child).succeed(provider >= 0)
        s.homes.count[0] = 0
        desk.file_requests(s.queues)
        for pool in range(s.pools.n_pools):
            case = desk.next_served(s.queues, s.pools, pool, month)
            while case >= 0:
                self.served.pop(~case).succeed(True)
                case = desk.next_served(s.queues, s.pools, pool, month)

    def _end_placement(self, child: int, cause: int) -> int:
        provider = int(desk.leave_home(self.scene.homes, child))
        self.log.add(self.today, child, w.PLACEMENT_ENDED, self.scene.kids.locality[child], provider, cause)
        return provider

    # --- asking ----------------------------------------------------------------------------------------------------
    def ask_service(self, case: Case, service: int, limit_day: int) -> Story:
        """Wait for a place in a service, at most until ``limit_day``; True when served."""
        s = self.scene
        age = rules.age_band(case.birth_day, self.today)
        pool = s.pools.pool_of[(service * s.hazards.n_localities + case.locality) * w.N_AGE_BANDS + age]
        desk.ask_service(s.queues, case.number, pool, rules.help_priority(age))
        if self.today == s.start_day:
            desk.file_requests(s.queues)  # of the stock one by one: who has waited longest comes first
        served = self.served[~case.number] = self.env.event()
        if limit_day < s.hazards.end_day:
            self.until(limit_day).callbacks.append(lambda _: self._give_up(case.number, served))
        is_served = yield served
        return pool if is_served else -1

    def _give_up(self, number: int, served: simpy.Event) -> None:
        if not served.triggered:
            desk.leave_queue(self.scene.queues, number)
            del self.served[~number]
            served.succeed(False)

    def ask_home(self, child: int, wanted: int, about: int, priority: int) -> simpy.Event:
        """The event of the desk's answer today: True when a home was found."""
        homes = self.scene.homes
        desk.ask_home(homes, child, wanted, about, priority)
        self.log.add(self.today, child, w.PLACEMENT_ASKED, self.scene.kids.locality[child], -1, wanted)
        self.served[child] = self.env.event()
        return self.served[child]

    def record(self, case: Case, event: int, detail: int = 0, day: int | None = None) -> None:
        """Record an event for every child of a case, today unless the stock's history says when."""
        for child in case.children:
            locality = self.scene.kids.locality[child]
            self.log.add(self.today if day is None else day, child, event, locality, -1, detail)


# --- the community side: a family's story -------------------------------------------------------------------------
def receive(world: World, family: int) -> None:
    """A family arrives: at the front door, or straight into care by a direct route."""
    s = world.scene
    if not s.families.kept[family]:
        return
    case = s.case_of_family(family, Case)
    route = s.families.route[family]
    if route != w.CONTACT:
        case.spell = 1
        diversion = rules.direct_diversion(route)
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
    outcome, diversion = rules.after_referral(s.choices, s.hazards, is_repeat, case.locality, age, day, *case.hand())
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
    outcome, diversion = rules.after_assessment(s.choices, s.hazards, case.locality, age, day, *case.hand())
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
    outcome, diversion = rules.after_pre_entry(s.choices, s.hazards, case.locality, age, day, *case.hand())
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
            wanted, diversion = rules.wanted_at_entry(
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


# --- in care and after: a child's story ---------------------------------------------------------------------------
def child_story(
    world: World, child: int, how: int = 0, wanted: int = -1, after: int = -1, since: int | None = None
) -> Story:
    """Care, what follows it, and perhaps care again. ``after`` begins in a state after care."""
    state = after
    while True:
        if state < 0:
            state = yield from in_care(world, child, how, wanted)
        if state == w.GONE:
            return
        returns = yield from after_care(world, child, state, since)
        if not returns:
            return
        s = world.scene
        how, state, since = w.ENTRY_RETURN, -1, None
        age = rules.age_band(s.kids.birth_day[child], world.today)
        s.homes.asks[child] += 1
        wanted = rules.wanted_type(
            s.choices, rules.M_RETURN, age, s.kids.key_1[child], s.kids.key_2[child], s.homes.asks[child]
        )


def in_care(world: World, child: int, how: int, wanted: int) -> Story:
    """One placement after another until the child leaves care; returns the state after it."""
    s = world.scene
    kids, homes = s.kids, s.homes
    locality, birth_day, key_1, key_2 = (
        kids.locality[child],
        kids.birth_day[child],
        kids.key_1[child],
        kids.key_2[child],
    )
    stay = s.stays[child] = s.stays[child] + 1
    thresholds = [dr.unit_exponential(key_1, key_2, cause, stay) for cause in range(w.FIRST_EXIT, w.LAST_EXIT + 1)]
    care_since, placed_since = s.care_since(child, world.today), s.placed_since(child, world.today)
    world.log.add(world.today, child, w.ENTERED_CARE, locality, -1, how)
    if how == w.ENTRY_STOCK:
        provider = homes.provider[child]
        desk.measure_stock(s.places, homes, kids, child)
        world.log.placement(world.today, child, locality, provider, homes.miles[child], homes.home[child])
    else:
        homes.asks[child] += 1
        first = rules.FIRST_EMERGENCY if how in (w.EMERGENCY, w.NEWBORN, w.REMAND) else rules.THEN_ENTRY
        yield world.ask_home(child, wanted, rules.ASK_PLACE, first)
    while True:
        provider = homes.provider[child]
        kind = s.places.kind[provider]
        far = rules.is_far(s.places, s.hazards, kind, homes.miles[child], kids.unaccompanied[child], world.today)
        s.turns[child] += 1
        left = list(thresholds)
        day, cause = rules.next_in_care(
            s.hazards, kind, locality, birth_day, care_since, placed_since, world.today, s.places.close_day[provider],
            far, left, thresholds, key_1, key_2, s.turns[child],
        )  # fmt: skip
        yield world.until(day)
        if rules.is_exit(cause):
            return leave_care(world, child, cause, kind, stay)
        thresholds = left
        about, first = rules.request_after(cause, kind)
        if about == rules.ASK_PLACE:
            world._end_placement(child, cause)
        homes.asks[child] += 1
        age = rules.age_band(birth_day, day)
        wanted, diversion = rules.wanted_after(
            s.choices, s.hazards, cause, kind, locality, age, day, key_1, key_2, homes.asks[child]
        )
        if diversion >= 0:
            world.log.add(day, child, w.DIVERTED, locality, -1, diversion)
        moved = yield world.ask_home(child, wanted, about, first)
        if moved:
            placed_since = day


def leave_care(world: World, child: int, cause: int, kind: int, stay: int) -> int:
    """End the stay in care; in continuing care the child keeps the home."""
    s, day = world.scene, world.today
    kids = s.kids
    state = rules.after_exit(
        s.choices, cause, kind, day - kids.birth_day[child], kids.key_1[child], kids.key_2[child], stay
    )
    if state == w.CONTINUING_CARE:
        provider = s.homes.provider[child]
        world.log.add(day, child, w.PLACEMENT_ENDED, kids.locality[child], provider, cause)
    else:
        world._end_placement(child, cause)
    world.log.add(day, child, w.LEFT_CARE, kids.locality[child], -1, cause)
    return int(state)


def after_care(world: World, child: int, state: int, since: int | None) -> Story:
    """At home, on a kinship order, adopted, in continuing care or in aftercare; True when the child comes back."""
    s = world.scene
    kids, homes = s.kids, s.homes
    locality, birth_day = kids.locality[child], kids.birth_day[child]
    began = world.today if since is None else since
    if since is not None and state <= w.ADOPTED:
        world.log.add(since, child, w.LEFT_CARE, locality, -1, rules.exit_into(state))
    while True:
        provider = homes.provider[child] if state == w.CONTINUING_CARE else -1
        supported = began + s.choices.home_support_days
        is_followed_up = state == w.HOME_AFTER_CARE and world.today >= supported
        if not is_followed_up:
            world.log.after_care(world.today, child, locality, provider, state)
        s.turns[child] += 1
        day, cause = rules.wait_in_state(
            s.hazards, s.choices, state, locality, birth_day, began, world.today, False,
            kids.key_1[child], kids.key_2[child], s.turns[child],
        )  # fmt: skip
        if provider >= 0:
            day, cause = rules.or_closed(day, cause, s.places.close_day[provider], world.today)
        if state == w.HOME_AFTER_CARE and world.today < supported < day:
            yield world.until(supported)
            world.log.add(supported, child, w.AFTER_CARE_ENDED, locality, -1, state)
            is_followed_up = True
        yield world.until(day)
        if not is_followed_up:
            world.log.add(day, child, w.AFTER_CARE_ENDED, locality, provider, state)
        if rules.is_return(cause):
            world.log.add(day, child, w.RE_ENTRY_BEGINS, locality, -1, state)
            return True
        if state != w.CONTINUING_CARE:
            return False
        desk.leave_home(homes, child)
        state, began = w.AFTERCARE, day
