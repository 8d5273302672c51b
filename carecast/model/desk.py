"""The desk: the one piece of code that gives out places, whether a home for a child or a family's place in a service.

Plain scalar code over flat arrays, shared by both clocks. Once a day, after everything that ended or was asked that day,
it serves requests by (priority, day asked, child). Service queues are first come first served within a priority, kept as
linked lists, so asking, leaving and serving each cost the same however long the queue is.
"""

import math
from typing import NamedTuple

from carecast.model import draws as dr
from carecast.model import rules
from carecast.model import words as w
from carecast.model.tables import Families, Flat, Kids, Places, Pools

N_PRIORITIES = 3  # of a service queue: urgent, standard, low
KEY_SHIFT = 1 << 40

# For each wanted type: groups of types, tried in order. Within a group: own before bought, inside the radius, then own
# places beyond it, then the spot market. Secure care is nobody's overflow; residential_external is everybody's last.
NONE = -1
CHAINS = (
    ((w.AT_HOME, NONE), (NONE, NONE), (NONE, NONE)),
    ((w.KINSHIP, NONE), (w.FOSTER_OWN, w.FOSTER_AGENCY), (w.RESIDENTIAL_EXTERNAL, NONE)),
    ((w.FOSTER_OWN, w.FOSTER_AGENCY), (w.RESIDENTIAL_EXTERNAL, w.UNREGISTERED), (NONE, NONE)),
    ((w.FOSTER_OWN, w.FOSTER_AGENCY), (w.RESIDENTIAL_EXTERNAL, w.UNREGISTERED), (NONE, NONE)),
    ((w.PROSPECTIVE_ADOPTERS, NONE), (w.FOSTER_OWN, w.FOSTER_AGENCY), (w.RESIDENTIAL_EXTERNAL, NONE)),
    ((w.SUPPORTED_ACCOMMODATION, NONE), (w.FOSTER_OWN, w.FOSTER_AGENCY), (w.RESIDENTIAL_EXTERNAL, w.UNREGISTERED)),
    ((w.OTHER_COMMUNITY, NONE), (w.FOSTER_OWN, w.FOSTER_AGENCY), (w.RESIDENTIAL_EXTERNAL, w.UNREGISTERED)),
    ((w.CHILDRENS_HOUSE_OWN, w.RESIDENTIAL_EXTERNAL), (w.UNREGISTERED, NONE), (NONE, NONE)),
    ((w.CHILDRENS_HOUSE_OWN, w.RESIDENTIAL_EXTERNAL), (w.UNREGISTERED, NONE), (NONE, NONE)),
    ((w.RESIDENTIAL_SCHOOL, NONE), (w.RESIDENTIAL_EXTERNAL, NONE), (w.UNREGISTERED, NONE)),
    ((w.SECURE, NONE), (w.RESIDENTIAL_EXTERNAL, NONE), (w.UNREGISTERED, NONE)),
    ((w.UNREGISTERED, NONE), (w.RESIDENTIAL_EXTERNAL, NONE), (NONE, NONE)),
    ((w.OTHER_RESIDENTIAL, NONE), (w.RESIDENTIAL_EXTERNAL, NONE), (w.UNREGISTERED, NONE)),
)
N_GROUPS = 3


class Homes(NamedTuple):
    """Who lives where: one entry a child, and the places taken at each provider."""

    taken: Flat  # [provider]
    provider: Flat  # [child], -1 not placed
    home: Flat  # [child]: the brother or sister it joined, or itself
    miles: Flat  # [child]: -1 unknown, -2 not counted
    asks: Flat  # [child]: requests so far; the spell of placement draws
    pending: Flat  # keys of today's requests
    count: Flat  # [0]: how many
    about: Flat  # [child]: ASK_ of today's request
    wanted: Flat  # [child]


class Queues(NamedTuple):
    """Service pools: who is served, who waits. One entry a case."""

    busy: Flat  # [pool]
    head: Flat  # [pool][priority], -1 empty
    tail: Flat
    after: Flat  # [case]: next in the queue
    before: Flat  # [case]
    pool: Flat  # [case]: pool queued in, -1 not queued
    priority: Flat  # [case]
    pending: Flat  # keys of today's requests
    count: Flat  # [0]


# --- sorting today's requests -------------------------------------------------------------------------------------
def sort_keys(keys: Flat, n: int) -> None:
    """Heapsort the first ``n`` keys in place, ascending."""
    for start in range(n // 2 - 1, -1, -1):
        _sift(keys, start, n)
    for end in range(n - 1, 0, -1):
        top = keys[0]
        keys[0] = keys[end]
        keys[end] = top
        _sift(keys, 0, end)


def _sift(keys: Flat, start: int, n: int) -> None:
    key = keys[start]
    at = start
    below = 2 * at + 1
    while below < n:
        if below + 1 < n and keys[below + 1] > keys[below]:
            below += 1
        if keys[below] <= key:
            break
        keys[at] = keys[below]
        at = below
        below = 2 * at + 1
    keys[at] = key


# --- services -----------------------------------------------------------------------------------------------------
def ask_service(queues: Queues, case: int, pool: int, priority: int) -> None:
    """File today's request of a case for a place in a pool."""
    queues.pending[queues.count[0]] = priority * KEY_SHIFT + case
    queues.count[0] += 1
    queues.pool[case] = pool
    queues.priority[case] = priority


def leave_queue(queues: Queues, case: int) -> None:
    """Take a waiting case out of its queue."""
    at = queues.pool[case] * N_PRIORITIES + queues.priority[case]
    before = queues.before[case]
    after = queues.after[case]
    if before >= 0:
        queues.after[before] = after
    else:
        queues.head[at] = after
    if after >= 0:
        queues.before[after] = before
    else:
        queues.tail[at] = before
    queues.pool[case] = -1


def give_back(queues: Queues, pool: int) -> None:
    """Free one place of a pool."""
    queues.busy[pool] -= 1


def file_requests(queues: Queues) -> None:
    """Put today's requests at the end of their queues, by priority and case."""
    n = queues.count[0]
    sort_keys(queues.pending, n)
    for i in range(n):
        case = queues.pending[i] % KEY_SHIFT
        at = queues.pool[case] * N_PRIORITIES + queues.priority[case]
        last = queues.tail[at]
        queues.before[case] = last
        queues.after[case] = -1
        if last >= 0:
            queues.after[last] = case
        else:
            queues.head[at] = case
        queues.tail[at] = case
    queues.count[0] = 0


def next_served(queues: Queues, pools: Pools, pool: int, month: int) -> int:
    """The next case to be served by a pool today, or -1; takes the place."""
    places = pools.places[pool * (len(pools.places) // pools.n_pools) + month]
    if places >= 0 and queues.busy[pool] >= places:
        return -1
    for priority in range(N_PRIORITIES):
        case = queues.head[pool * N_PRIORITIES + priority]
        if case >= 0:
            leave_queue(queues, case)
            queues.busy[pool] += 1
            return case
    return -1


# --- homes --------------------------------------------------------------------------------------------------------
def ask_home(homes: Homes, child: int, wanted: int, about: int, priority: int) -> None:
    """File a child's request for a home today."""
    homes.pending[homes.count[0]] = priority * KEY_SHIFT + child
    homes.count[0] += 1
    homes.about[child] = about
    homes.wanted[child] = wanted


def leave_home(homes: Homes, child: int) -> int:
    """Free a child's place; returns the provider."""
    provider = homes.provider[child]
    homes.taken[provider] -= 1
    homes.provider[child] = -1
    return provider


def move_in(homes: Homes, child: int, provider: int, miles: float, home: int) -> None:
    """Give a child a place at a provider."""
    homes.taken[provider] += 1
    homes.provider[child] = provider
    homes.miles[child] = miles
    homes.home[child] = home


def vacancies(places: Places, homes: Homes, provider: int, day: int, month: int, n_months: int) -> int:
    """Free usable places of a provider today; a large number when unlimited, 0 when it admits nobody."""
    if day < places.admits_from[provider] or day > places.admits_until[provider]:
        return 0
    usable = places.usable[provider * n_months + month]
    if usable < 0:
        return w.NEVER
    return max(0, usable - homes.taken[provider])


def position_miles(places: Places, kids: Kids, child: int, provider: int, ask: int) -> float:
    """Straight-line miles (OSGB) from a child's home to a provider with a position.

    A pool of households has them spread over its locality: one of the locality's zones, the child's hand deciding.
    """
    easting = places.easting_m[provider]
    northing = places.northing_m[provider]
    if places.is_pool[provider]:
        u = dr.uniform(kids.key_1[child], kids.key_2[child], dr.P_POSITION, ask)
        start = places.zone_start[places.locality[provider]]
        end = places.zone_start[places.locality[provider] + 1]
        zone = start + rules.choose(places.zone_weight, start, end - start, u)
        easting = places.zone_easting_m[zone]
        northing = places.zone_northing_m[zone]
    across = easting - places.zone_easting_m[kids.zone[child]]
    up = northing - places.zone_northing_m[kids.zone[child]]
    return math.sqrt(across * across + up * up) / w.METRES_PER_MILE


def measure_stock(places: Places, homes: Homes, kids: Kids, child: int) -> None:
    """Measure the distance of a child already placed at the start where the home's position is known."""
    provider = homes.provider[child]
    if places.has_position[provider]:
        homes.miles[child] = position_miles(places, kids, child, provider, 0)


def drawn_miles(places: Places, kids: Kids, child: int, kind: int, ask: int) -> float:
    """Miles to a home without a position: lognormal by placement type, or unknown; home itself is 0."""
    key_1 = kids.key_1[child]
    key_2 = kids.key_2[child]
    if dr.uniform(key_1, key_2, dr.P_DISTANCE_KNOWN, ask) < places.unknown_share[kind]:
        return -1.0
    if places.median_miles[kind] <= 0.0:
        return 0.0
    return places.median_miles[kind] * math.exp(places.sigma_ln[kind] * dr.normal(key_1, key_2, dr.P_DISTANCE, ask))


def matches(places: Places, kids: Kids, child: int, provider: int, free: int, ask: int) -> bool:
    """Whether one of ``free`` vacancies suits the child: chance 1 - (1 - match chance)^free, the child's hand deciding."""
    chance = places.match_chance[provider]
    if chance >= 1.0:
        return True
    u = dr.uniform(kids.key_1[child], kids.key_2[child], dr.P_MATCH + provider % 64, ask)
    return u < 1.0 - math.pow(1.0 - chance, float(min(free, 1000)))


def with_siblings(
    places: Places, homes: Homes, kids: Kids, families: Families, child: int, wanted: int, ask: int, day: int,
    month: int, n_months: int,
) -> int:  # fmt: skip
    """A brother or sister whose home has room for this child too, or -1. Only homes of the kind that is wanted first."""
    family = kids.family[child]
    first = families.first_child[family]
    for other in range(first, first + families.n_children[family]):
        provider = homes.provider[other]
        if other == child or provider < 0:
            continue
        kind = places.kind[provider]
        if kind != CHAINS[wanted][0][0] and kind != CHAINS[wanted][0][1]:
            continue
        if vacancies(places, homes, provider, day, month, n_months) <= 0:
            continue
        if dr.uniform(kids.key_1[child], kids.key_2[child], dr.P_TOGETHER, ask) < places.together_chance[kind]:
            return other
    return -1


def find_home(
    places: Places, homes: Homes, kids: Kids, families: Families, child: int, wanted: int, ask: int, day: int,
    month: int, n_months: int, within_only: bool, community_only: bool,
) -> tuple[int, float, int]:  # fmt: skip
    """(provider, miles, whose home) for a child, or (-1, 0, child): brothers and sisters first, then the chain of types.

    ``within_only`` takes nothing beyond the radius or unknown and nothing of another sort, ``community_only`` nothing
    residential: for children who already have a home and only leave it for a better one.
    """
    other = with_siblings(places, homes, kids, families, child, wanted, ask, day, month, n_months)
    radius = places.radius_miles[month]
    if other >= 0 and community_only and places.kind[homes.provider[other]] >= w.FIRST_RESIDENTIAL:
        other = -1
    if other >= 0 and not (within_only and not 0.0 <= homes.miles[other] <= radius):
        return homes.provider[other], homes.miles[other], other
    for group in range(N_GROUPS):
        kind_1 = CHAINS[wanted][group][0]
        kind_2 = CHAINS[wanted][group][1]
        if kind_1 < 0 or (within_only and group > 0):
            break
        if community_only and kind_1 >= w.FIRST_RESIDENTIAL:
            continue
        provider, miles = _in_group(
            places, homes, kids, child, kind_1, kind_2, ask, day, month, n_months, radius, within_only
        )
        if provider >= 0:
            return provider, miles, child
    if within_only or community_only:
        return -1, 0.0, child
    provider = last_resort(places, wanted, day)
    return provider, _miles_to(places, kids, child, provider, ask), child


def _in_group(
    places: Places, homes: Homes, kids: Kids, child: int, kind_1: int, kind_2: int, ask: int, day: int, month: int,
    n_months: int, radius: float, within_only: bool,
) -> tuple[int, float]:  # fmt: skip
    """Nearest suitable limited place inside the radius (own type first), then beyond it, then the spot market."""
    for beyond in range(2):
        if beyond and (within_only or places.refuse_beyond[month]):
            break
        for which in range(2):
            kind = kind_1 if which == 0 else kind_2
            if kind < 0:
                continue
            provider, miles = _nearest(places, homes, kids, child, kind, ask, day, month, n_months, radius, beyond)
            if provider >= 0:
                return provider, miles
    for which in range(2):
        kind = kind_1 if which == 0 else kind_2
        if kind < 0:
            continue
        provider, miles = _spot(places, homes, kids, child, kind, ask, day, month, n_months)
        if provider >= 0 and not (within_only and not 0.0 <= miles <= radius):
            return provider, miles
    return -1, 0.0


def _nearest(
    places: Places, homes: Homes, kids: Kids, child: int, kind: int, ask: int, day: int, month: int, n_months: int,
    radius: float, beyond: int,
) -> tuple[int, float]:  # fmt: skip
    """Nearest provider of a type that has a position, a vacancy and a match, inside or beyond the radius."""
    best = -1
    best_miles = 0.0
    for i in range(places.kind_start[kind], places.kind_start[kind + 1]):
        provider = places.of_kind[i]
        if not places.has_position[provider]:
            continue
        free = vacancies(places, homes, provider, day, month, n_months)
        if free <= 0:
            continue
        miles = position_miles(places, kids, child, provider, ask)
        if (miles > radius) != (beyond == 1) or (best >= 0 and miles >= best_miles):
            continue
        if matches(places, kids, child, provider, free, ask):
            best = provider
            best_miles = miles
    return best, best_miles


def _spot(
    places: Places, homes: Homes, kids: Kids, child: int, kind: int, ask: int, day: int, month: int, n_months: int,
) -> tuple[int, float]:  # fmt: skip
    """First provider of a type without a position that has a vacancy and a match; its distance is drawn."""
    for i in range(places.kind_start[kind], places.kind_start[kind + 1]):
        provider = places.of_kind[i]
        if places.has_position[provider]:
            continue
        free = vacancies(places, homes, provider, day, month, n_months)
        if free > 0 and matches(places, kids, child, provider, free, ask):
            return provider, drawn_miles(places, kids, child, kind, ask)
    return -1, 0.0


def last_resort(places: Places, wanted: int, day: int) -> int:
    """The first unlimited provider open to anybody: of the wanted type, else the spot market for homes."""
    for kind in (
        wanted,
        w.RESIDENTIAL_EXTERNAL,
        w.UNREGISTERED,
        w.OTHER_RESIDENTIAL,
        w.FOSTER_AGENCY,
        w.OTHER_COMMUNITY,
    ):
        for i in range(places.kind_start[kind], places.kind_start[kind + 1]):
            provider = places.of_kind[i]
            unlimited = places.usable[provider * (len(places.usable) // len(places.kind))] < 0
            if unlimited and places.admits_from[provider] <= day <= places.admits_until[provider]:
                return provider
    return -1


def _miles_to(places: Places, kids: Kids, child: int, provider: int, ask: int) -> float:
    if places.has_position[provider]:
        return position_miles(places, kids, child, provider, ask)
    return drawn_miles(places, kids, child, places.kind[provider], ask)


def outside_area(places: Places, kids: Kids, child: int, provider: int, ask: int) -> int:
    """1 when a home lies outside the council's area: by its position, or drawn for homes without one."""
    if places.has_position[provider]:
        return places.outside[provider]
    u = dr.uniform(kids.key_1[child], kids.key_2[child], dr.P_OUT_OF_AREA, ask)
    return 1 if u < places.outside_share[places.kind[provider]] else 0
