"""The compiled clock's side of care and after: what the day of a child brings, in care and in the states that follow it.

It tells the same stories as ``pathway_care.py``, in the same order, by the same rules and the same desk.
"""

from carecast.model import desk, rules, rules_care
from carecast.model import words as w
from carecast.model.stage import N_EXITS, Stage, plan, write


def begin_care(s: Stage, child: int, how: int, wanted: int, day: int) -> None:
    """A stay in care begins."""
    v = s.lives
    v.state[child] = w.IN_CARE
    v.stay[child] += 1
    v.care_since[child] = day
    for exit_ in range(N_EXITS):
        v.thresholds[child * N_EXITS + exit_] = rules_care.exit_threshold(
            s.choices, s.kids.unaccompanied[child], s.kids.key_1[child], s.kids.key_2[child],
            w.FIRST_EXIT + exit_, v.stay[child],
        )  # fmt: skip
    write(s, day, child, w.ENTERED_CARE, -1, how, -1, 0, 1.0)
    if how != w.ENTRY_STOCK:
        s.homes.asks[child] += 1
        is_urgent = how == w.EMERGENCY or how == w.NEWBORN or how == w.REMAND
        ask_home(
            s,
            child,
            wanted,
            rules_care.ASK_PLACE,
            rules_care.FIRST_EMERGENCY if is_urgent else rules_care.THEN_ENTRY,
            day,
        )


def ask_home(s: Stage, child: int, wanted: int, about: int, priority: int, day: int) -> None:
    """Ask the desk for a home."""
    desk.ask_home(s.homes, child, wanted, about, priority)
    write(s, day, child, w.PLACEMENT_ASKED, -1, wanted, -1, 0, 1.0)


def live_on(s: Stage, child: int, day: int) -> None:
    """Plan when and how this placement ends."""
    v = s.lives
    provider = s.homes.provider[child]
    kind = s.places.kind[provider]
    far = rules_care.is_far(s.places, s.hazards, kind, s.homes.miles[child], s.kids.unaccompanied[child], day)
    v.turn[child] += 1
    thresholds = v.thresholds[child * N_EXITS : (child + 1) * N_EXITS]
    for exit_ in range(N_EXITS):
        v.left[exit_] = thresholds[exit_]
    due, cause = rules_care.next_in_care(
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
    if rules_care.is_exit(cause):
        leave_care(s, child, cause, kind, day)
        return
    about, priority = rules_care.request_after(cause, kind)
    if about == rules_care.ASK_PLACE:
        end_placement(s, child, cause, day)
    s.homes.asks[child] += 1
    age = rules.age_band(s.kids.birth_day[child], day)
    wanted, diversion = rules_care.wanted_after(
        s.choices, s.hazards, cause, kind, s.kids.locality[child], age, day,
        s.kids.key_1[child], s.kids.key_2[child], s.homes.asks[child],
    )  # fmt: skip
    if diversion >= 0:
        write(s, day, child, w.DIVERTED, -1, diversion, -1, 0, 1.0)
    ask_home(s, child, wanted, about, priority, day)


def leave_care(s: Stage, child: int, cause: int, kind: int, day: int) -> None:
    """A stay in care ends; in continuing care the child keeps the home."""
    age_days = day - s.kids.birth_day[child]
    state = rules_care.after_exit(
        s.choices, cause, kind, age_days, s.kids.unaccompanied[child], s.kids.key_1[child], s.kids.key_2[child],
        s.lives.stay[child],
    )  # fmt: skip
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
        due, cause = rules_care.or_closed(due, cause, s.places.close_day[provider], day)
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
    if rules_care.is_return(cause):
        write(s, day, child, w.RE_ENTRY_BEGINS, -1, state, -1, 0, 1.0)
        s.homes.asks[child] += 1
        age = rules.age_band(s.kids.birth_day[child], day)
        key_1 = s.kids.key_1[child]
        key_2 = s.kids.key_2[child]
        wanted = rules_care.wanted_type(s.choices, rules.M_RETURN, age, key_1, key_2, s.homes.asks[child])
        begin_care(s, child, w.ENTRY_RETURN, wanted, day)
        return
    v.state[child] = w.GONE
    if state == w.CONTINUING_CARE:
        desk.leave_home(s.homes, child)
        begin_after_care(s, child, w.AFTERCARE, day, day)
