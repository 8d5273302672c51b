"""Care and what follows it as each child's story: one placement after another, the exit, perhaps care again.

Draw, wait, record, move on. All decisions are in ``rules.py`` and ``rules_care.py``, all homes are given out by ``desk.py``;
this file only waits for the day that they give.
"""

from carecast.model import desk, rules, rules_care
from carecast.model import words as w
from carecast.model.simpy_world import Story, World


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
        wanted = rules_care.wanted_type(
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
    alone = kids.unaccompanied[child]
    thresholds = [
        rules_care.exit_threshold(s.choices, alone, key_1, key_2, cause, stay)
        for cause in range(w.FIRST_EXIT, w.LAST_EXIT + 1)
    ]
    care_since, placed_since = s.care_since(child, world.today), s.placed_since(child, world.today)
    world.log.add(world.today, child, w.ENTERED_CARE, locality, -1, how)
    if how == w.ENTRY_STOCK:
        provider = homes.provider[child]
        desk.measure_stock(s.places, homes, kids, child)
        world.log.placement(world.today, child, locality, provider, homes.miles[child], homes.home[child])
    else:
        homes.asks[child] += 1
        first = rules_care.FIRST_EMERGENCY if how in (w.EMERGENCY, w.NEWBORN, w.REMAND) else rules_care.THEN_ENTRY
        yield world.ask_home(child, wanted, rules_care.ASK_PLACE, first)
    while True:
        provider = homes.provider[child]
        kind = s.places.kind[provider]
        far = rules_care.is_far(s.places, s.hazards, kind, homes.miles[child], kids.unaccompanied[child], world.today)
        s.turns[child] += 1
        left = list(thresholds)
        day, cause = rules_care.next_in_care(
            s.hazards, kind, locality, birth_day, care_since, placed_since, world.today, s.places.close_day[provider],
            far, left, thresholds, key_1, key_2, s.turns[child],
        )  # fmt: skip
        yield world.until(day)
        if rules_care.is_exit(cause):
            return leave_care(world, child, cause, kind, stay)
        thresholds = left
        about, first = rules_care.request_after(cause, kind)
        if about == rules_care.ASK_PLACE:
            world.end_placement(child, cause)
        homes.asks[child] += 1
        age = rules.age_band(birth_day, day)
        wanted, diversion = rules_care.wanted_after(
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
    state = rules_care.after_exit(
        s.choices, cause, kind, day - kids.birth_day[child], kids.unaccompanied[child], kids.key_1[child],
        kids.key_2[child], stay,
    )  # fmt: skip
    if state == w.CONTINUING_CARE:
        provider = s.homes.provider[child]
        world.log.add(day, child, w.PLACEMENT_ENDED, kids.locality[child], provider, cause)
    else:
        world.end_placement(child, cause)
    world.log.add(day, child, w.LEFT_CARE, kids.locality[child], -1, cause)
    return int(state)


def after_care(world: World, child: int, state: int, since: int | None) -> Story:
    """At home, on a kinship order, adopted, in continuing care or in aftercare; True when the child comes back."""
    s = world.scene
    kids, homes = s.kids, s.homes
    locality, birth_day = kids.locality[child], kids.birth_day[child]
    began = world.today if since is None else since
    if since is not None and state <= w.ADOPTED:
        world.log.add(since, child, w.LEFT_CARE, locality, -1, rules_care.exit_into(state))
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
            day, cause = rules_care.or_closed(day, cause, s.places.close_day[provider], world.today)
        if state == w.HOME_AFTER_CARE and world.today < supported < day:
            yield world.until(supported)
            world.log.add(supported, child, w.AFTER_CARE_ENDED, locality, -1, state)
            is_followed_up = True
        yield world.until(day)
        if not is_followed_up:
            world.log.add(day, child, w.AFTER_CARE_ENDED, locality, provider, state)
        if rules_care.is_return(cause):
            world.log.add(day, child, w.RE_ENTRY_BEGINS, locality, -1, state)
            return True
        if state != w.CONTINUING_CARE:
            return False
        desk.leave_home(homes, child)
        state, began = w.AFTERCARE, day
