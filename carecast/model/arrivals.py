"""Who arrives: families of one replication, drawn before either clock starts.

Each stream (locality and route) is a Poisson process along its own cumulated intensity (level x season x population x
drift x month's own spread), one exponential per family, so family n of a stream has the same hand in every scenario.
Layer 0 is the baseline's; a ratio above 1 adds families of layer 1, 2, ... with identifiers of their own. A ratio of r
keeps a family of layer k when its own uniform is below r - k: nobody is renumbered.

Scalar source, compiled before use (``compiled.py``); tests run it as it stands and compare.
"""

from typing import NamedTuple

from carecast.model import draws as dr
from carecast.model import rules
from carecast.model import words as w
from carecast.model.tables import Flat, Kids


class Streams(NamedTuple):
    """What arrivals are drawn from."""

    per_day: Flat  # [route][locality][month]: families a day, this replication's level
    kept_ratio: Flat  # [route][locality][age band][month]: ratio of this scenario
    month_start_day: Flat
    month_of_day: Flat
    first_day: int
    start_day: int  # first day that arrivals can fall on
    end_day: int  # first day after the run
    n_months: int
    n_localities: int
    n_layers: int
    ages: Flat  # [route][single year 0..17], cumulated
    sizes: Flat  # [number of children - 1], cumulated, 6 entries
    zone_start: Flat
    zone_weight: Flat
    quintiles: Flat  # [locality][quintile], cumulated
    least_gap_days: int  # between the births of brothers and sisters next to each other in age
    most_gap_days: int


class FamilyColumns(NamedTuple):
    """Families as they are drawn."""

    arrival_day: Flat
    route: Flat
    locality: Flat
    n_children: Flat
    key_1: Flat
    key_2: Flat
    zone: Flat
    quintile: Flat
    lead_age_days: Flat
    kept: Flat


MAX_CHILDREN = 6


def draw_families(streams: Streams, seed: int, replication: int, columns: FamilyColumns) -> int:
    """Draw all families, as many as ``columns`` has room for. Returns how many there are."""
    n = 0
    for layer in range(streams.n_layers):
        for route in range(w.N_ROUTES):
            for locality in range(streams.n_localities):
                n = _stream(streams, seed, replication, layer, route, locality, columns, n)
    return n


def _stream(
    streams: Streams, seed: int, replication: int, layer: int, route: int, locality: int, columns: FamilyColumns,
    n: int,
) -> int:  # fmt: skip
    group = (layer * w.N_ROUTES + route) * 1024 + locality
    stream_1, stream_2 = dr.lanes(seed, replication, dr.WHO_STREAM, group, 0)
    base = (route * streams.n_localities + locality) * streams.n_months
    room = len(columns.kept)
    number = 0
    month = 0
    day = float(streams.start_day)
    need = dr.unit_exponential(stream_1, stream_2, dr.P_ARRIVAL, number)
    while month < streams.n_months:
        rate = streams.per_day[base + month]
        month_end = float(min(streams.month_start_day[month + 1], streams.end_day))
        gain = rate * (month_end - day) if month_end > day else 0.0
        if gain < need:
            need -= gain
            month += 1
            if month_end > day:
                day = month_end
            continue
        day += need / rate
        arrival = int(day)
        if arrival >= month_end:
            arrival = int(month_end) - 1
        if n < room:
            _draw_family(streams, seed, replication, layer, route, locality, group, number, arrival, columns, n)
        n += 1
        number += 1
        need = dr.unit_exponential(stream_1, stream_2, dr.P_ARRIVAL, number)
    return n


def _draw_family(
    streams: Streams, seed: int, replication: int, layer: int, route: int, locality: int, group: int, number: int,
    day: int, columns: FamilyColumns, n: int,
) -> None:  # fmt: skip
    key_1, key_2 = dr.lanes(seed, replication, dr.WHO_FAMILY, group, number)
    columns.arrival_day[n] = day
    columns.route[n] = route
    columns.locality[n] = locality
    columns.key_1[n] = key_1
    columns.key_2[n] = key_2
    size = 1
    if route != w.REMAND and route != w.UNACCOMPANIED:
        size = 1 + rules.choose(streams.sizes, 0, MAX_CHILDREN, dr.uniform(key_1, key_2, dr.P_SIZE, 0))
    columns.n_children[n] = size
    start = streams.zone_start[locality]
    zones = streams.zone_start[locality + 1] - start
    columns.zone[n] = start + rules.choose(streams.zone_weight, start, zones, dr.uniform(key_1, key_2, dr.P_ZONE, 0))
    columns.quintile[n] = 1 + rules.choose(
        streams.quintiles, locality * 5, 5, dr.uniform(key_1, key_2, dr.P_QUINTILE, 0)
    )
    years = 0
    if route != w.NEWBORN:
        years = rules.choose(streams.ages, route * 18, 18, dr.uniform(key_1, key_2, dr.P_AGE, 0))
    part = dr.uniform(key_1, key_2, dr.P_BIRTHDAY, 0)
    age_days = min(int((years + part) * w.DAYS_PER_YEAR), rules.ADULT_AGE_DAYS - 1)  # 18 x 365.25 days are rounded down
    if route == w.NEWBORN:
        age_days = int(part * 28.0)
    columns.lead_age_days[n] = age_days
    band = rules.age_band(day - age_days, day)
    month = streams.month_of_day[day - streams.first_day]
    at = ((route * streams.n_localities + locality) * w.N_AGE_BANDS + band) * streams.n_months + month
    kept = dr.uniform(key_1, key_2, dr.P_KEEP, 0) < streams.kept_ratio[at] - layer
    columns.kept[n] = 1 if kept else 0


def place_children(
    n_families: int, columns: FamilyColumns, first_child: int, least_gap_days: int, most_gap_days: int, kids: Kids
) -> int:
    """Fill the children of families ``0..n_families-1`` from ``first_child`` on; the lead child comes first.

    Brothers and sisters of the lead child are younger or older by gaps of their own, each as likely from the least to the
    most; anybody who would be unborn or an adult on the day of arrival turns the other way.
    """
    child = first_child
    for family in range(n_families):
        day = columns.arrival_day[family]
        lead = columns.lead_age_days[family]
        youngest = lead
        oldest = lead
        for position in range(columns.n_children[family]):
            key_1, key_2 = dr.child_lanes(columns.key_1[family], columns.key_2[family], position)
            age = lead
            if position > 0:
                u = dr.uniform(key_1, key_2, dr.P_AGE_GAP, 0)
                gap = least_gap_days + int(u * (most_gap_days - least_gap_days))
                younger = dr.uniform(key_1, key_2, dr.P_AGE_GAP, 1) < 0.5
                age = youngest - gap if younger else oldest + gap
                if age < 0:
                    age = oldest + gap
                if age >= rules.ADULT_AGE_DAYS:
                    age = max(0, youngest - gap)
                youngest = min(youngest, age)
                oldest = max(oldest, age)
            kids.birth_day[child] = day - age
            kids.locality[child] = columns.locality[family]
            kids.zone[child] = columns.zone[family]
            kids.family[child] = family
            kids.unaccompanied[child] = 1 if columns.route[family] == w.UNACCOMPANIED else 0
            kids.key_1[child] = key_1
            kids.key_2[child] = key_2
            child += 1
    return child


def stock_keys(
    seed: int, replication: int, n_children: int, n_families: int, kid_1: Flat, kid_2: Flat, family_1: Flat,
    family_2: Flat,
) -> None:  # fmt: skip
    """Hands of the children and families in the system at the start: numbered by content, anew in each replication."""
    for child in range(n_children):
        kid_1[child], kid_2[child] = dr.lanes(seed, replication, dr.WHO_STOCK, 0, child)
    for family in range(n_families):
        family_1[family], family_2[family] = dr.lanes(seed, replication, dr.WHO_STOCK, 1, family)
