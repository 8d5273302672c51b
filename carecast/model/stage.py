"""The stage of the compiled clock: an agenda of days, what each case and child waits for, and the log that is written.

Entities are cases (number) and children (number of cases + child). Each waits for at most one day, in a bucket of that
day: a doubly linked list, so that planning, cancelling and finding the day's work each cost the same at any size.
"""

from typing import NamedTuple

from carecast.model import desk, rules_care
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


# --- the agenda ---------------------------------------------------------------------------------------------------
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


# --- the log ------------------------------------------------------------------------------------------------------
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
    detail = rules_care.miles_detail(s.homes.miles[child], s.kids.unaccompanied[child])
    outside = desk.outside_area(s.places, s.kids, child, provider, ask)
    write(s, day, child, w.PLACEMENT_STARTED, provider, detail, s.homes.home[child], outside, price)
