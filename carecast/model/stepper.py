"""The compiled clock, day by day: ends first, then arrivals and requests, then the desk.

It tells the same stories as ``pathway.py``, in the same order, by the same rules and the same desk; it only decides which
day comes next for whom (``stage.py``). What a day brings is told in ``stepper_community.py`` and ``stepper_care.py``. Plain
scalar source, compiled before use (``compiled.py``) and runnable as it stands.
"""

from typing import Any

from carecast.model import desk, rules, rules_care
from carecast.model import words as w
from carecast.model.stage import Stage, cancel, write, write_placement
from carecast.model.stepper_care import (
    after_care_due,
    begin_after_care,
    begin_care,
    end_placement,
    live_on,
    placement_due,
)
from carecast.model.stepper_community import case_due, go, receive, start_service
from carecast.model.tables import Flat


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
            s.hazards.n_months, about == rules_care.ASK_RETURN, about == rules_care.ASK_STEP_DOWN,
        )  # fmt: skip
        if provider >= 0:
            if about == rules_care.ASK_STEP_DOWN:
                end_placement(s, child, w.STEP_DOWN, day)
            elif about == rules_care.ASK_RETURN:
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
                write(s, since[child], child, w.LEFT_CARE, -1, rules_care.exit_into(state), -1, 0, 1.0)
            begin_after_care(s, child, state, since[child], day)


def by_reference(value: Any, memory: Flat) -> Any:
    """The stage as it is; compiled, a pointer to it whose fields are kept in ``memory`` (``references.py``)."""
    return value


def fetch_soon(values: Flat, at: int) -> None:
    """Nothing; compiled, a hint to the processor that an entry will be read soon (``references.py``)."""


def expect(s: Stage, entity: int) -> None:
    """Have what is known of the day's next entity brought near while this one's story is told."""
    agenda = s.agenda
    fetch_soon(agenda.after, entity)
    fetch_soon(agenda.cause, entity)
    fetch_soon(agenda.due, entity)
    fetch_soon(agenda.before, entity)
    if entity < s.n_cases:
        cases = s.cases
        fetch_soon(cases.state, entity)
        fetch_soon(cases.first, entity)
        fetch_soon(cases.size, entity)
        fetch_soon(cases.birth_day, entity)
        fetch_soon(cases.spell, entity)
        fetch_soon(cases.key_1, entity)
        fetch_soon(cases.key_2, entity)
        fetch_soon(cases.referred_day, entity)
        fetch_soon(cases.pool, entity)
    else:
        fetch_soon(s.lives.state, entity - s.n_cases)
        fetch_soon(s.homes.provider, entity - s.n_cases)


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
            following = s.agenda.after[entity]
            if following >= 0:
                expect(s, following)
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
