"""Which placement type is wanted at entry, on return and at moves: Dirichlet rows, recent years counting most.

Own and bought homes of a sort are wanted alike: which one a child gets is the desk's doing, by vacancies, so what the
files show (demand after overflow) is read back as demand for the sort. Each row leans with ``PSEUDO_COUNTS`` on the row
of all ages, bent by the base's age pattern, and that one on the base's. Where own homes were always full, nothing in the
files tells how many more would have been used: demand for own and bought foster homes together stands in for it, which
the note says.
"""

import zlib
from collections.abc import Mapping

import numpy as np

from carecast.calibration import draw
from carecast.calibration.arrays import Array, Ints
from carecast.calibration.returns import entries as en
from carecast.calibration.returns import stays as st
from carecast.model import words as w
from carecast.model.parameters import N_DRAWS, Destination

HALF_LIFE_YEARS = 3.0
PSEUDO_COUNTS = 6.0
MIX_SD, MIX_YEARS, MOST_MIX_SD = (
    0.12,
    4.0,
    0.4,
)  # log odds from year to year, where little is known; its weight; at most
OF_THE_COMING_YEARS = 0.8  # of a single year's swing, what the mean of two or three keeps (assumed)
LEAST_FOR_SPREAD = 5.0  # children a year below which a type's own spread is not told from chance
HOMES = (w.CHILDRENS_HOUSE_OWN, w.RESIDENTIAL_EXTERNAL)  # wanted alike, own before bought
AGE_TILT = (0.02, 8.0)  # how far the base's age pattern may bend the row of all ages
MERGED = {w.FOSTER_AGENCY: w.FOSTER_OWN}
AGES = w.AGE_BANDS[: w.ADULT]
NOTE = "Own and agency foster homes wanted alike; who gets which follows from own vacancies at the desk"


def wanted(kind: Ints) -> Ints:
    """The type that was wanted, as far as can be told from the one that was got."""
    out = kind.copy()
    for got, asked in MERGED.items():
        out[kind == got] = asked
    return out


def rows(
    spells: en.Spells, stays: st.Stays, base: tuple[Destination, ...], source: str, date: str
) -> tuple[Destination, ...]:
    """Destinations of every moment and age band."""
    weight = en.remembered(spells.start, stays.last_day, HALF_LIFE_YEARS)
    age = en.age_bands(spells.age_days)
    is_entry = spells.is_entry > 0
    alone, remand = spells.unaccompanied > 0, (spells.route == w.REMAND) & (spells.unaccompanied == 0)
    back = (spells.came != en.NEW) & ~alone
    moments = {
        "entry": is_entry & ~alone & ~remand & ~back & (spells.kind != w.AT_HOME),  # at home: the pre-entry decision's
        "return": is_entry & back,
        "remand": is_entry & remand,
        "unaccompanied": is_entry & alone,
    }
    made = []
    for moment, these in moments.items():
        counts = _counts(age[these], wanted(spells.kind[these]), weight[these])
        made += _moment(moment, "all", (), counts, base, source, date)
    return (*made, *_moves(stays, base, source, date))


def _moves(stays: st.Stays, base: tuple[Destination, ...], source: str, date: str) -> list[Destination]:
    """Where children go who move, by the type they leave."""
    follows = np.append((stays.child[1:] == stays.child[:-1]) & (stays.spell[1:] == stays.spell[:-1]), False)
    row = np.flatnonzero((stays.end == st.MOVED) & follows & (stays.stop > stays.first_day))
    weight = en.remembered(stays.stop[row], stays.last_day, HALF_LIFE_YEARS)
    age = en.age_bands(stays.stop[row] - stays.birth[row])
    to = wanted(stays.kind[row + 1])
    made = []
    for kind, name in enumerate(w.PLACEMENT_TYPES):
        these = stays.kind[row] == kind
        made += _moment("move", name, (name,), _counts(age[these], to[these], weight[these]), base, source, date)
    return made


def _counts(age: Ints, kind: Ints, weight: Array) -> Array:
    out = np.zeros((st.N_AGES, w.N_PLACEMENT_TYPES))
    np.add.at(out, (age, kind), weight)
    summed: Array = np.round(out, 9)  # whatever the order in which children are numbered
    return summed


def _moment(
    moment: str, label: str, from_types: tuple[str, ...], counts: Array, base: tuple[Destination, ...], source: str,
    date: str,
) -> list[Destination]:  # fmt: skip
    """Rows of one moment by age band; a type that children of an age never go to keeps a small chance if others do."""
    usual = base_chances(base, moment, from_types)
    margin = counts.sum(axis=0)
    everyone = usual.mean(axis=0)
    shape = _mixed(margin, everyone)
    made = []
    for at, name in enumerate(AGES):
        prior = shape * np.clip((usual[at] + 1e-3) / (everyone + 1e-3), *AGE_TILT) if margin.sum() else usual[at]
        prior = prior / prior.sum()
        total = counts[at] + PSEUDO_COUNTS * prior
        chances = total / total.sum()
        chances[chances < 2e-4] = 0.0
        chances /= chances.sum()
        n = float(counts[at].sum())
        made.append(
            Destination.model_validate(
                {
                    "moment": moment,
                    "label": label,
                    "age_bands": (name,),
                    "from_types": from_types,
                    "chances": _summing({w.PLACEMENT_TYPES[k]: float(p) for k, p in enumerate(chances) if p > 0}),
                    "pseudo_counts": round(n + PSEUDO_COUNTS, 2),
                    "how": "fitted" if n else "assumed",
                    "source": source if n else "The base's own destinations: none seen in the returns",
                    "date": date,
                    "note": f"{n:.1f} recent children; {NOTE}" if n else "",
                }
            )
        )
    return made


def _mixed(margin: Array, usual: Array) -> Array:
    total = margin + PSEUDO_COUNTS * usual
    out: Array = total / total.sum()
    return out


def base_chances(base: tuple[Destination, ...], moment: str, from_types: tuple[str, ...]) -> Array:
    """The base's chances of a moment, [age band][type], own and bought merged; flat over nothing becomes foster care."""
    out = np.zeros((st.N_AGES, w.N_PLACEMENT_TYPES))
    for row in base:
        if row.moment != moment or (from_types and not set(from_types) & set(row.from_types or w.PLACEMENT_TYPES)):
            continue
        for name in row.age_bands or AGES:
            if name in AGES:
                chances = np.array([row.chances.get(kind, 0.0) for kind in w.PLACEMENT_TYPES])
                out[AGES.index(name)] = chances
    for got, asked in MERGED.items():
        out[:, asked] += out[:, got]
        out[:, got] = 0.0
    empty = out.sum(axis=1) <= 0
    out[empty, w.FOSTER_OWN] = 1.0
    shares: Array = out / out.sum(axis=1, keepdims=True)
    return shares


def _summing(chances: Mapping[str, float]) -> dict[str, float]:
    rounded = {name: round(share, 8) for name, share in chances.items()}
    largest = max(rounded, key=lambda name: rounded[name])
    rounded[largest] = 1 - sum(share for name, share in rounded.items() if name != largest)
    return rounded


def mix_spread(spells: en.Spells, stays: st.Stays) -> Array:
    """How far the share of each wanted type among new entries strays from year to year, beyond chance: log odds sd.

    Variance of yearly log odds less its binomial part, leaning on ``MIX_SD`` with the weight of so many years.
    """
    new = (spells.is_entry > 0) & (spells.unaccompanied == 0) & (spells.came == en.NEW)
    years = max(int(stays.years + 0.02), 1)
    back = ((stays.last_day - spells.start[new]) / w.DAYS_PER_YEAR).astype(np.int64)
    table = np.zeros((years, w.N_PLACEMENT_TYPES))
    inside = back < years
    sort = wanted(spells.kind[new])
    sort = np.where(sort == w.CHILDRENS_HOUSE_OWN, w.RESIDENTIAL_EXTERNAL, sort)  # one opens, the other falls
    np.add.at(table, (back[inside], sort[inside]), 1.0)
    total = table.sum(axis=1, keepdims=True)
    odds = np.log((table + 0.5) / (total - table + 0.5))
    noise = 1 / (table + 0.5) + 1 / (total - table + 0.5)
    seen = table.sum(axis=0) >= LEAST_FOR_SPREAD * years
    beyond = ((odds - odds.mean(axis=0)) ** 2).sum(axis=0) - noise.sum(axis=0) * (years - 1) / years
    square = (np.maximum(beyond, 0.0) + MIX_YEARS * MIX_SD**2) / (years - 1 + MIX_YEARS)
    out: Array = np.minimum(np.where(seen, np.sqrt(square), MIX_SD), MOST_MIX_SD) * OF_THE_COMING_YEARS
    out[w.CHILDRENS_HOUSE_OWN] = out[w.RESIDENTIAL_EXTERNAL]
    return out


def draws(made: tuple[Destination, ...], spread: Array | None = None) -> dict[str, Array]:
    """Dirichlet draws of every row (gammas over their sum), the mix of types moved by ``spread`` in all rows together."""
    moved = {}
    if spread is not None:
        moved = {
            name: np.exp(spread[kind] * draw.normals(f"mix of {'homes' if kind in HOMES else name}"))
            for kind, name in enumerate(w.PLACEMENT_TYPES)
        }
    out: dict[str, Array] = {}
    for row in made:
        stem = f"destination.{row.moment}.{row.label}.{row.age_bands[0]}"
        rng = np.random.Generator(np.random.Philox(key=[draw.SEED, zlib.crc32(stem.encode())]))
        names = list(row.chances)
        gammas = np.stack(
            [
                rng.standard_gamma(row.chances[name] * row.pseudo_counts, N_DRAWS) * moved.get(name, 1.0)
                for name in names
            ]
        )
        shares = gammas / np.maximum(gammas.sum(axis=0), 1e-300)
        out |= {f"{stem}.{name}": share for name, share in zip(names, shares, strict=True)}
    return out
