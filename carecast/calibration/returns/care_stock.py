"""The children looked after at the as-at date, and those who have left and are still followed, as the model starts.

Ages and times are days, not dates; numbers are of this table alone. Zones and deprivation fifths are not in the returns:
each child is given one of its locality by its number, always the same.
"""

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Array, Ints
from carecast.calibration.readers.history import History
from carecast.calibration.returns import basis
from carecast.calibration.returns import entries as en
from carecast.calibration.returns import stays as st
from carecast.model import rules
from carecast.model import words as w
from carecast.model.parameters import STOCK_COLUMNS, ParameterSet, Provider

SEED = 903
OTHERS_FROM = 1 << 50  # far from the numbers of the returns' children
AFTER_EXIT = {0: "home_after_care", 1: "kinship_order", 2: "adopted"}
AFTERCARE_UNTIL_YEARS = 21.0


def here(stays: st.Stays) -> Array:
    """Which placements are open on the as-at date, of children under 18; those lost sight of before it are not."""
    out: Array = (
        (stays.end == st.NO_CAUSE)
        & (stays.stop >= stays.last_day)
        & (stays.last_day - stays.birth < rules.ADULT_AGE_DAYS)
    )
    return out


def count_in_care(stays: st.Stays) -> int:
    """Children looked after on the as-at date."""
    return int(here(stays).sum())


def in_care(history: History, stays: st.Stays, parameters: ParameterSet, where: pd.Series) -> pd.DataFrame:
    """One row a child looked after on the as-at date: open placements of children under 18; ``where`` they are from."""
    last = stays.last_day
    row = np.flatnonzero(here(stays))
    rows = history.placements.sort_values(["child", "spell", "order"], kind="stable").iloc[row]
    frame = _people(history, stays, row, parameters, where)
    frame["state"] = "in_care"
    frame["placement_type"] = [w.PLACEMENT_TYPES[kind] for kind in stays.kind[row]]
    frame["days_in_state"] = np.maximum(last - stays.start[row], 0)
    frame["days_in_care"] = np.maximum(last - stays.care_start[row], 0)
    miles = rows["distance_miles"].to_numpy(dtype=float)
    frame["distance_miles"] = np.where(np.isnan(miles), -1.0, np.round(miles, 1))
    return frame


def left_care(
    history: History, stays: st.Stays, spells: en.Spells, parameters: ParameterSet, where: pd.Series
) -> pd.DataFrame:
    """Children who left and may come back, and young people still in aftercare; only the last exit of each counts."""
    last = stays.last_day
    final = np.append(spells.child[1:] != spells.child[:-1], True) if len(spells.child) else np.zeros(0, bool)
    birth = stays.birth[spells.last_row]
    since, age = last - spells.stop, last - birth
    exit_age = spells.stop - birth
    state = np.full(len(spells.child), "", dtype=object)
    for cause, name in AFTER_EXIT.items():
        state[(spells.end == cause) & (age < rules.ADULT_AGE_DAYS)] = name
    state[(state == "home_after_care") & (since >= en.HOME_MEMORY_DAYS)] = ""
    grown = np.isin(spells.end, (3, 4, st.AGED_OUT)) & (exit_age >= rules.AGE_START_DAYS[4])
    state[grown & (age < AFTERCARE_UNTIL_YEARS * w.DAYS_PER_YEAR)] = "aftercare"
    at = np.flatnonzero((state != "") & final & (spells.stop >= stays.first_day) & (since >= 0))
    frame = _people(history, stays, spells.last_row[at], parameters, where)
    frame["state"] = state[at]
    frame["days_in_state"] = np.maximum(since[at], 1)
    return frame


def _people(history: History, stays: st.Stays, row: Ints, parameters: ParameterSet, where: pd.Series) -> pd.DataFrame:
    """Who they are: family, home, age."""
    people = history.children.set_index("child").reindex(stays.child[row])
    child = stays.child[row]
    given = people["family"].to_numpy(dtype=float, na_value=np.nan)
    family = np.where(np.isnan(given), -1 - child, given).astype(np.int64)
    told = where.reindex(child).fillna("").to_numpy(dtype=object)
    first = np.full(int(stays.child.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, stays.child, stays.care_start)
    content = stays.birth[row] * 1_000_003 + first[child]  # not the number, which later rows may change
    locality, zone, quintile = homes_of(told, child, np.where(np.isnan(given), content, family), parameters)
    return pd.DataFrame(
        {
            "variant": 0, "child": child, "family": family, "locality": locality, "zone": zone, "quintile": quintile,
            "age_days": np.maximum(stays.last_day - stays.birth[row], 0), "unaccompanied": stays.unaccompanied[row],
            "state": "", "placement_type": "", "provider": "", "days_in_state": 0, "days_in_care": 0,
            "distance_miles": -1.0, "shared_with": -1,
        }
    )  # fmt: skip


def homes_of(known: Array, child: Ints, family: Ints, parameters: ParameterSet) -> tuple[Array, Array, Ints]:
    """(locality, zone, deprivation fifth): the known locality, else by where children at risk live; a family's alike."""
    risk = np.array(parameters.series["disadvantage.relative_risk"].values)
    places = parameters.localities
    names = [place.name for place in places]
    weight = np.array([float((np.array(p.quintile_children) * risk).sum()) for p in places])
    u, v, z = hands(family)
    at = np.asarray(pd.Index(names).get_indexer(pd.Index(known)), dtype=np.int64)
    at = np.where(at >= 0, at, _chosen(weight, u))
    zone = np.full(len(at), "", dtype=object)
    quintile = np.ones(len(at), dtype=np.int64)
    for number, place in enumerate(places):
        mine = at == number
        children = np.array([zone.children for zone in place.zones], dtype=float)
        zone[mine] = np.array([zone.name for zone in place.zones], dtype=object)[_chosen(children, v[mine])]
        quintile[mine] = 1 + _chosen(np.array(place.quintile_children) * risk, z[mine])
    return np.array(names, dtype=object)[at], zone, quintile


def _chosen(weights: Array, u: Array) -> Ints:
    """Which of these each uniform falls on, in proportion to weights; even when they are all nought."""
    shares = weights / weights.sum() if weights.sum() > 0 else np.full(len(weights), 1 / len(weights))
    return np.minimum(np.searchsorted(np.cumsum(shares), u, side="right"), len(shares) - 1).astype(np.int64)


def hands(numbers: Ints) -> tuple[Array, Array, Array]:
    """Three uniforms of each number: always the same, alike for alike numbers (splitmix64)."""
    out = []
    for step in range(1, 4):
        x = numbers.astype(np.int64).view(np.uint64) + np.uint64((step * 0x9E3779B97F4A7C15 + SEED) % 2**64)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        out.append(((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(float) / 2.0**53)
    return out[0], out[1], out[2]


def with_homes(in_care: pd.DataFrame, staying: pd.DataFrame, providers: tuple[Provider, ...]) -> pd.DataFrame:
    """Children in care and the young people who stay on, each with a home: children first."""
    frame = pd.concat([in_care, staying], ignore_index=True)
    frame["provider"] = providers_of(frame, providers)
    return frame


def providers_of(frame: pd.DataFrame, providers: tuple[Provider, ...]) -> list[str]:
    """A home of each child's type: in its locality while there is room, then wherever there is most, then any."""
    of_type: dict[str, list[Provider]] = {}
    for provider in providers:
        of_type.setdefault(provider.placement_type, []).append(provider)
    room = {p.code: (p.places * p.usable_share if p.places is not None else np.inf) for p in providers}
    out = []
    for kind, locality in zip(frame["placement_type"], frame["locality"], strict=True):
        known = of_type.get(kind, [])
        near = [p for p in known if p.locality == locality and room[p.code] >= 1]
        chosen = near[0] if near else max(known, key=lambda p: room[p.code], default=None)
        if chosen is None:
            out.append("")
            continue
        room[chosen.code] -= 1
        out.append(chosen.code)
    return out


def apart(frame: pd.DataFrame) -> pd.DataFrame:
    """A table of other children than those of the returns: numbers of its own."""
    return frame.assign(child=frame["child"] + OTHERS_FROM, family=frame["family"] + OTHERS_FROM)


def numbered(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """One table, families and children numbered from 0 by content; the columns of a stock."""
    joined = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    known = joined.groupby("family", sort=False)["locality"].transform("first")
    joined["locality"] = known
    order = joined.sort_values(
        ["state", "placement_type", "days_in_care", "days_in_state", "age_days", "locality", "zone", "family", "child"],
        kind="stable",
    )
    families = {name: at for at, name in enumerate(dict.fromkeys(order["family"].tolist()))}
    order["family"] = order["family"].map(families)
    order = order.sort_values(["family", "age_days"], ascending=[True, False], kind="stable").reset_index(drop=True)
    order["rank"] = order.groupby("family").cumcount() != _leads(order["family"])
    order = order.sort_values(["family", "rank"], kind="stable").reset_index(drop=True)
    new = {old: at for at, old in enumerate(order["child"].tolist())}
    order["shared_with"] = [new.get(old, -1) if old >= 0 else -1 for old in order["shared_with"].tolist()]
    order["child"] = np.arange(len(order))
    whole = {name: "int64" for name in ("variant", "child", "family", "quintile", "age_days", "unaccompanied",
                                        "days_in_state", "days_in_care", "shared_with")}  # fmt: skip
    return order[list(STOCK_COLUMNS)].astype(whole)


def _leads(family: pd.Series) -> pd.Series:
    """Which child of each family, from the oldest, its case began with: any of them as often, as in families that come.

    Decisions go by the age of that child; were it always the oldest, families of the stock would be decided otherwise than
    those who come after them.
    """
    leads: pd.Series = np.floor((family * basis.GOLDEN) % 1.0 * family.map(family.value_counts())).astype(np.int64)
    return leads
