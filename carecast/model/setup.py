"""One replication laid out for a clock: children of the stock and arrivals, tables, and empty desk.

Everything here is exogenous: it is drawn before the clock starts, alike for both clocks and, child by child, alike in
baseline and scenario.
"""

import math
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from carecast.model import compiled, rules
from carecast.model import desk as plain_desk
from carecast.model import words as w
from carecast.model.arrivals import FamilyColumns, Streams
from carecast.model.parameters import BadFile
from carecast.model.tables import Choices, Families, Hazards, Kids, Places, Pools

arrivals = compiled.MODULES["arrivals"]
Group = TypeVar("Group", bound=tuple[Any, ...])

STAGE_OF_STATE = {
    w.EARLY_HELP_WAITING: w.TO_EARLY_HELP,
    w.EARLY_HELP: w.TO_EARLY_HELP,
    w.ASSESSMENT_WAITING: w.TO_ASSESSMENT,
    w.ASSESSMENT: w.TO_ASSESSMENT,
    w.SUPPORT: w.TO_SUPPORT,
    w.PROTECTION: w.TO_PROTECTION,
    w.PRE_ENTRY: w.TO_PRE_ENTRY,
    w.CLOSED: w.TO_CLOSED,
}


STAGE_OF_STATE_ARRAY = np.array([STAGE_OF_STATE.get(state, w.TO_NOBODY) for state in range(w.N_STATES)], dtype=np.int64)
REFERRED_STATES = (w.CLOSED, w.ASSESSMENT, w.ASSESSMENT_WAITING)  # begun by a referral on the day they began
SPARE_DEVIATIONS = 6.0  # of the number of families, for which room is made at once
STOCK_SPELL = 1000  # where a second case of one stock family begins to count its spells: hands of its own


class Stock(NamedTuple):
    """Children in the system at the start, one variant, sorted by family."""

    birth_day: np.ndarray
    locality: np.ndarray
    zone: np.ndarray
    family: np.ndarray  # 0, 1, ... in order
    quintile: np.ndarray
    unaccompanied: np.ndarray
    state: np.ndarray  # words.STATES
    provider: np.ndarray  # index or -1
    since: np.ndarray  # day the state (or the placement) began
    care_since: np.ndarray
    miles: np.ndarray
    home: np.ndarray  # child whose home it is
    first_child: np.ndarray  # [family]
    n_children: np.ndarray  # [family]
    cases: np.ndarray  # [case][number, first child, number of children, since, state]; see ``stock_cases``


class Setup(NamedTuple):
    """What a clock needs to tell one replication."""

    hazards: Hazards
    choices: Choices
    places: Places
    pools: Pools
    kids: Kids
    families: Families
    stock: Stock
    stock_cases: np.ndarray  # [case][number, first child, number of children, since, state]; see ``stock_cases``
    arrival_order: np.ndarray  # families in order of arrival
    quintile: np.ndarray  # [child]
    route: np.ndarray  # [child]
    start_day: int
    seed: int
    replication: int


def read_stock(frame: pd.DataFrame, as_at_day: int, localities: list[str], zones: dict[tuple[str, str], int],
               zone_start: np.ndarray, codes: dict[str, int], first_of_kind: dict[int, int]) -> Stock:  # fmt: skip
    """The children in the system at the start as arrays, sorted by family and child; rows are numbered anew.

    Raises:
        BadFile: a row names a locality, state, placement type or provider that does not exist, or an adult in care.
    """
    frame = frame.sort_values(["family", "child"], kind="stable").reset_index(drop=True)
    _check_words(frame, localities, codes)
    n = len(frame)
    family_codes, family = np.unique(frame["family"].to_numpy(), return_inverse=True)
    locality = pd.Index(localities).get_indexer(pd.Index(frame["locality"])).astype(np.int64)
    zone_number, zone_names = pd.factorize(frame["zone"].astype(str))
    table = np.array([[zones.get((a, b), int(zone_start[at])) for b in zone_names] for at, a in enumerate(localities)])
    zone = table[locality, zone_number].astype(np.int64)
    state = pd.Index(w.STATES).get_indexer(pd.Index(frame["state"])).astype(np.int64)
    provider = np.full(n, -1, dtype=np.int64)
    placed = np.flatnonzero((state == w.IN_CARE) | (state == w.CONTINUING_CARE))
    given, kinds = (frame[name].iloc[placed].tolist() for name in ("provider", "placement_type"))
    for at, code, kind in zip(placed.tolist(), given, kinds, strict=True):
        provider[at] = codes[code] if code in codes else first_of_kind[w.PLACEMENT_TYPES.index(kind)]
    shared = pd.Index(frame["child"]).get_indexer(pd.Index(frame["shared_with"]))
    home = np.where(shared >= 0, shared, np.arange(n)).astype(np.int64)
    first_child = np.searchsorted(family, np.arange(len(family_codes)))
    since = as_at_day - frame["days_in_state"].to_numpy(dtype=np.int64)
    return Stock(
        birth_day=as_at_day - frame["age_days"].to_numpy(dtype=np.int64),
        locality=locality,
        zone=zone,
        family=family.astype(np.int64),
        quintile=frame["quintile"].to_numpy(dtype=np.int64),
        unaccompanied=frame["unaccompanied"].to_numpy(dtype=np.int64),
        state=state,
        provider=provider,
        since=since,
        care_since=as_at_day - frame["days_in_care"].fillna(0).to_numpy(dtype=np.int64),
        miles=frame["distance_miles"].fillna(-1.0).to_numpy(dtype=float),
        home=home,
        first_child=first_child.astype(np.int64),
        n_children=np.bincount(family, minlength=len(family_codes)).astype(np.int64),
        cases=stock_cases(family, state, since),
    )


def narrowed(stock: Stock) -> Stock:
    """The same with whole numbers in 32 bits, to be kept: a worker keeps every variant of a large council's stock."""
    return Stock(*(column.astype(np.int32) if column.dtype == np.int64 else column for column in stock))


def widened(stock: Stock) -> Stock:
    """A kept stock as the clocks read it, in 64 bits."""
    return Stock(*(column.astype(np.int64) if column.dtype == np.int32 else column for column in stock))


def _check_words(frame: pd.DataFrame, localities: list[str], codes: dict[str, int]) -> None:
    wrong = []
    for column, known in (("locality", localities), ("state", list(w.STATES))):
        for value in sorted(set(frame[column].unique()) - set(known)):
            wrong.append(f"stock.parquet: {column} {value!r} is not one of {', '.join(known)}")
    in_care = frame[frame["state"] == "in_care"]
    for value in sorted(set(in_care["placement_type"].unique()) - set(w.PLACEMENT_TYPES)):
        wrong.append(f"stock.parquet: placement_type {value!r} is not one of {', '.join(w.PLACEMENT_TYPES)}")
    for value in sorted(set(in_care["provider"].unique()) - set(codes) - {""}):
        wrong.append(f"stock.parquet: provider {value!r} is not one of the parameter set's")
    adults = int((in_care["age_days"] >= rules.ADULT_AGE_DAYS).sum())
    if adults:
        wrong.append(
            f"stock.parquet: {adults} children in care are 18 or over; they belong in continuing_care or aftercare"
        )
    if wrong:
        raise BadFile(*wrong)


def stock_cases(family: np.ndarray, state: np.ndarray, since: np.ndarray) -> np.ndarray:
    """Cases of the stock on the community side: [number, first child, number of children, since, state].

    Brothers and sisters in the same state since the same day are one case with the family's number. A second group in one
    family has the number -1 - its first child: it is counted after all families once their number is known.
    """
    rows: list[tuple[int, int, int, int, int]] = []
    seen: set[int] = set()
    families, states, days = family.tolist(), state.tolist(), since.tolist()
    start = 0
    while start < len(states):
        end = start + 1
        alike = (families[start], states[start], days[start])
        if states[start] in STAGE_OF_STATE:
            while end < len(states) and (families[end], states[end], days[end]) == alike:
                end += 1
            number = -1 - start if families[start] in seen else families[start]
            seen.add(families[start])
            rows.append((number, start, end - start, days[start], states[start]))
        start = end
    rows.sort(key=lambda row: row[3])  # longest first: the order of the stock's requests at the desk
    return np.array(rows, dtype=np.int64).reshape(-1, 5)


def lay_out(stock: Stock, streams: Streams, hazards: Hazards, choices: Choices, places: Places, pools: Pools,
            start_day: int, seed: int, replication: int) -> Setup:  # fmt: skip
    """Draw the arrivals and put stock and arrivals side by side."""
    columns = _arrivals(streams, seed, replication)
    n_new = len(columns.kept)
    n_stock, n_stock_families = len(stock.birth_day), len(stock.first_child)
    n_children = n_stock + int(columns.n_children.sum())
    kids = Kids(*(np.empty(n_children, dtype=np.int64) for _ in Kids._fields))
    for name in ("birth_day", "locality", "zone", "family", "unaccompanied"):
        getattr(kids, name)[:n_stock] = getattr(stock, name)
    families = Families(*(np.empty(n_stock_families + n_new, dtype=np.int64) for _ in Families._fields))
    old, new = slice(0, n_stock_families), slice(n_stock_families, None)
    key_1, key_2 = families.key_1[old], families.key_2[old]
    arrivals.stock_keys(seed, replication, n_stock, n_stock_families, kids.key_1, kids.key_2, key_1, key_2)
    arrivals.place_children(n_new, columns, n_stock, streams.least_gap_days, streams.most_gap_days, kids)
    kids.family[n_stock:] += n_stock_families
    leads = stock.first_child
    for name in ("n_children", "arrival_day", "route", "locality", "kept", "key_1", "key_2"):
        getattr(families, name)[new] = getattr(columns, name)
    families.first_child[old], families.n_children[old], families.arrival_day[old] = leads, stock.n_children, start_day
    families.locality[old], families.kept[old], families.route[old] = stock.locality[leads], 1, 0
    families.first_child[new] = n_stock - columns.n_children + np.cumsum(columns.n_children)
    families.lead_birth_day[old] = stock.birth_day[leads]
    np.subtract(columns.arrival_day, columns.lead_age_days, out=families.lead_birth_day[new])
    family_of_new = kids.family[n_stock:] - n_stock_families
    quintile, route = np.empty(n_children, dtype=np.int64), np.empty(n_children, dtype=np.int64)
    quintile[:n_stock], quintile[n_stock:] = stock.quintile, columns.quintile[family_of_new]
    route[:n_stock], route[n_stock:] = 0, columns.route[family_of_new]
    return Setup(
        hazards=hazards, choices=choices, places=places, pools=pools, kids=kids, families=families, stock=stock,
        stock_cases=_numbered(stock.cases, len(families.first_child)),
        arrival_order=np.argsort(columns.arrival_day, kind="stable") + n_stock_families,
        quintile=quintile, route=route, start_day=start_day, seed=seed, replication=replication,
    )  # fmt: skip


def ints(n: int, value: int = 0) -> np.ndarray:
    """So many of a whole number, in memory that was used before: zeros of the system's own cost ten times as much."""
    return np.full(n, value, dtype=np.int64)


def _arrivals(streams: Streams, seed: int, replication: int) -> FamilyColumns:
    """The families that arrive, drawn into room for as many as can be expected, or anew into as much as they need."""
    days = np.diff(streams.month_start_day)
    expected = streams.n_layers * float((streams.per_day.reshape(-1, streams.n_months) @ days).sum())
    columns = _family_columns(int(expected + SPARE_DEVIATIONS * math.sqrt(expected)))
    n = int(arrivals.draw_families(streams, seed, replication, columns))
    if n > len(columns.kept):
        columns = _family_columns(n)
        arrivals.draw_families(streams, seed, replication, columns)
    return FamilyColumns(*(column[:n] for column in columns))


def _numbered(cases: np.ndarray, n_families: int) -> np.ndarray:
    """Second cases of a family get the numbers after all families."""
    numbered = cases.copy()
    second = numbered[:, 0] < 0
    numbered[second, 0] = n_families - 1 - numbered[second, 0]
    return numbered


def _family_columns(n: int) -> FamilyColumns:
    return FamilyColumns(*(np.empty(n, dtype=np.int64) for _ in FamilyColumns._fields))


def empty_homes(n_providers: int, n_children: int) -> plain_desk.Homes:
    """Nobody placed."""
    return plain_desk.Homes(
        taken=ints(n_providers),
        provider=ints(n_children, -1),
        home=np.arange(n_children, dtype=np.int64),
        miles=np.full(n_children, 0.0),
        asks=ints(n_children),
        pending=ints(n_children + 1),
        count=ints(1),
        about=ints(n_children),
        wanted=ints(n_children),
    )


def empty_queues(n_pools: int, n_cases: int) -> plain_desk.Queues:
    """Nobody served, nobody waiting."""
    n_queues = n_pools * plain_desk.N_PRIORITIES
    return plain_desk.Queues(
        busy=ints(n_pools),
        head=ints(n_queues, -1),
        tail=ints(n_queues, -1),
        after=ints(n_cases, -1),
        before=ints(n_cases, -1),
        pool=ints(n_cases, -1),
        priority=ints(n_cases),
        pending=ints(n_cases + 1),
        count=ints(1),
    )


def members(cases: np.ndarray) -> np.ndarray:
    """Children of the stock's cases, case after case."""
    first, size = cases[:, 1], cases[:, 2]
    within = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    children: np.ndarray = np.repeat(first, size) + within
    return children


def opening(setup: Setup) -> tuple[plain_desk.Homes, plain_desk.Queues, np.ndarray]:
    """Homes and queues as the stock fills them, and the pool held by each case of the stock (-1 none)."""
    stock = setup.stock
    homes = empty_homes(len(setup.places.kind), len(setup.kids.birth_day))
    placed = np.flatnonzero(stock.provider >= 0)
    np.add.at(homes.taken, stock.provider[placed], 1)
    homes.provider[placed], homes.miles[placed], homes.home[placed] = (
        column[placed] for column in (stock.provider, stock.miles, stock.home)
    )
    n_cases = len(setup.families.first_child) + len(stock.state)
    queues = empty_queues(setup.pools.n_pools, n_cases)
    held = ints(n_cases, -1)
    cases = setup.stock_cases
    served = cases[np.isin(cases[:, 4], (w.EARLY_HELP, w.ASSESSMENT))]
    lead = served[:, 1]
    service = np.where(served[:, 4] == w.EARLY_HELP, w.S_EARLY_HELP, w.S_ASSESSMENT)
    ages = np.searchsorted(rules.AGE_START_DAYS, setup.start_day - stock.birth_day[lead], side="right") - 1
    at = (service * setup.hazards.n_localities + stock.locality[lead]) * w.N_AGE_BANDS + ages
    held[served[:, 0]] = setup.pools.pool_of[at]
    np.add.at(queues.busy, held[served[:, 0]], 1)
    return homes, queues, held


def as_lists(group: Group) -> Group:
    """The same group with Python lists for arrays: what the SimPy clock reads."""
    values = [value.tolist() if isinstance(value, np.ndarray) else value for value in group]
    return type(group)(*values)
