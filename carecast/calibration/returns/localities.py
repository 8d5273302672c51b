"""Localities: those the files name, with children shared out between them, and where each child comes from.

Names that the base knows keep their zones, deprivation and population. Others share the base's population by the
families that were referred or helped from them; their positions are not known, so distances are drawn, not measured.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final, cast

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Array
from carecast.calibration.readers.history import History
from carecast.calibration.returns import basis
from carecast.calibration.returns.part import Part
from carecast.model.parameters import Calibrated, Locality, Population, Zone

WHOLE: Final = "Whole council"
SOURCES = ("referrals", "early_help", "children", "capacity")
NO_POSITION: Final = " (position not known)"  # ends the names of zones without one
LEAST_SHARE = 0.005  # a locality named on fewer rows is taken for a slip and joins "elsewhere"
MOST_LOCALITIES = 40
FEW_ROWS = 10
FAMILY_TABLES = ("referrals", "early_help")


def _told(history: History) -> pd.Series:
    """How many rows name each locality, families first, then children, then capacity."""
    for tables in (FAMILY_TABLES, ("children",), ("capacity",)):
        rows: pd.Series = pd.concat([history.__getattr__(name)["locality"] for name in tables])
        counts = rows[rows.astype(str).str.strip() != ""].astype(str).str.strip().value_counts()
        if len(counts):
            ordered: pd.Series = counts.sort_index()
            return ordered
    return pd.Series(dtype="int64")


def names(history: History, base: Calibrated) -> tuple[str, ...]:
    """Names of the localities of a history: as the files say, as the base says when they agree, or one for all."""
    counts = _told(history)
    if not len(counts):
        return tuple(p.name for p in base.parameters.localities) if basis.same_council(history, base) else (WHOLE,)
    known = {basis.simple(place.name): place.name for place in base.parameters.localities}
    renamed = counts.groupby([known.get(basis.simple(name), name) for name in counts.index]).sum()
    kept = renamed[(renamed >= LEAST_SHARE * renamed.sum()) & (renamed >= min(FEW_ROWS, renamed.max()))]
    kept = kept.sort_values(ascending=False, kind="stable").iloc[:MOST_LOCALITIES]
    own = [place.name for place in base.parameters.localities if place.name in kept.index]
    return (*own, *sorted(set(kept.index) - set(own)))


def positions_known(history: History, base: Calibrated) -> bool:
    """Whether every locality has a known position: all are the base's own, and it knows them."""
    ours = set(names(history, base))
    known = {p.name for p in base.parameters.localities if not any(z.name.endswith(NO_POSITION) for z in p.zones)}
    return ours <= known and basis.same_council(history, base, tuple(ours))


def of_rows(column: pd.Series, ours: Sequence[str]) -> pd.Series:
    """The locality each row names, as we call it; blank when it names none of ours."""
    known = {basis.simple(name): name for name in ours}
    told = column.astype(str)
    return told.map({text: known.get(basis.simple(text), "") for text in told.unique()}).astype("object")


def of_children(history: History, base: Calibrated) -> pd.Series:
    """Locality of every child (index: child).

    The last one told of the child; those of whom none is told are shared out in proportion to those of whom one is, in
    the order of their dates of birth, so that the result depends on content alone.
    """
    ours = names(history, base)
    children = history.children.sort_values("child")
    found = _last_told(history, ours).reindex(children["child"]).fillna("")
    if not (found != "").any():
        found = pd.Series(of_rows(children["locality"], ours).to_numpy(), index=children["child"])
    blank = np.flatnonzero((found == "").to_numpy())
    if len(blank):
        shares = found[found != ""].value_counts().reindex(ours).fillna(0.0).to_numpy(dtype=float)
        shares = shares / shares.sum() if shares.sum() > 0 else np.full(len(ours), 1 / len(ours))
        first = basis.day_number(children["dob"])[blank]
        order = blank[np.argsort(first, kind="stable")]
        at = np.searchsorted(np.cumsum(shares), (np.arange(len(order)) * 0.6180339887498949) % 1.0, side="right")
        found.iloc[order] = np.array(ours, dtype=object)[np.minimum(at, len(ours) - 1)]
    return found.rename("locality")


def _last_told(history: History, ours: Sequence[str]) -> pd.Series:
    """The last locality told of each child by referrals and early help."""
    parts = [
        pd.DataFrame({
            "child": frame["child"], "when": frame[column].astype("datetime64[s]"),
            "locality": of_rows(frame["locality"], ours),
        })
        for frame, column in ((history.referrals, "date"), (history.early_help, "start")) if len(frame)
    ]  # fmt: skip
    if not parts:
        return pd.Series(dtype="object")
    told = pd.concat(parts)
    told = told[told["locality"] != ""].sort_values(["child", "when", "locality"])
    return told.groupby("child")["locality"].last()


def fit(history: History, base: Calibrated, as_at: dt.date) -> Part:
    """Localities with children by age and year."""
    history = basis.known(history, as_at)
    ours = names(history, base)
    theirs = base.parameters.localities
    own_pack = basis.same_council(history, base, ours)
    counts = _told(history)
    if own_pack and ours == tuple(place.name for place in theirs):
        said = "the base pack's own" if len(counts) else "the base pack's own; the files name none"
        return Part("localities", notes=(f"Localities: {said}.",), record=_record(ours, counts, said))
    scale = 1.0 if own_pack else _scale(history, base, as_at)
    matched = {place.name for place in theirs} & set(ours) if own_pack else set()
    shares = _shares(history, ours, counts)
    made = tuple(
        next(place for place in theirs if place.name == name) if name in matched
        else _locality(name, theirs, scale * _left(theirs, matched) * share)
        for name, share in _rescaled(ours, shares, matched)
    )  # fmt: skip
    notes = _notes(ours, matched, counts, own_pack, scale, base)
    record = _record(ours, counts, "the council's files" if len(counts) else "one for the whole council")
    return Part("localities", localities=made, population_years=base.parameters.population_years, notes=notes,
                record={**record, "population_scale": round(scale, 4)})  # fmt: skip


def _record(ours: Sequence[str], counts: pd.Series, said: str) -> dict[str, object]:
    rows = of_rows(pd.Series(counts.index, dtype="object"), ours) if len(counts) else pd.Series(dtype="object")
    told = {name: int(counts.to_numpy()[(rows == name).to_numpy()].sum()) for name in ours}
    return {"from": said, "rows_that_name_it": told}


def _shares(history: History, ours: Sequence[str], counts: pd.Series) -> Array:
    """Share of the families (rows that name it) of each locality."""
    if not len(counts):
        return np.full(len(ours), 1 / len(ours))
    rows = of_rows(pd.Series(counts.index, dtype="object"), ours).to_numpy()
    told = np.array([counts.to_numpy()[rows == name].sum() for name in ours], dtype=float)
    out: Array = told / told.sum()
    return out


def _rescaled(ours: Sequence[str], shares: Array, matched: set[str]) -> list[tuple[str, float]]:
    """Names with the share of each among those that are not matched."""
    rest = sum(share for name, share in zip(ours, shares, strict=True) if name not in matched)
    return [(name, float(share / rest) if rest > 0 else 0.0) for name, share in zip(ours, shares, strict=True)]


def _left(theirs: Sequence[Locality], matched: set[str]) -> float:
    """Share of the base's children who live in none of the matched localities; a tenth at least when some are new."""
    people = {place.name: sum(sum(band) for band in place.population.by_band()) for place in theirs}
    left = 1 - sum(people[name] for name in matched) / sum(people.values())
    return max(left, 0.1)


def _scale(history: History, base: Calibrated, as_at: dt.date) -> float:
    """Children of this council for each child of the base's, by children in care (the rate of the base is kept)."""
    theirs = int((base.stock["state"] == "in_care").sum()) / max(base.stock["variant"].nunique(), 1)
    rows = history.placements
    open_now = rows["end"].isna() & (rows["end_kind"] != "vanished")
    ours = rows.loc[open_now, "child"].nunique()
    return ours / theirs if ours and theirs else 1.0


def _locality(name: str, theirs: Sequence[Locality], share: float) -> Locality:
    """A locality with a share of the base's children, as deprived as the base; at the base's middle."""
    bands = {
        band: tuple(
            round(share * sum(place.population.model_dump(by_alias=True)[band][at] for place in theirs), 2)
            for at in range(len(values))
        )
        for band, values in theirs[0].population.model_dump(by_alias=True).items()
    }
    quintiles = tuple(round(share * sum(place.quintile_children[q] for place in theirs), 2) for q in range(5))
    zones = [zone for place in theirs for zone in place.zones]
    weight = np.array([zone.children for zone in zones]) + 1e-9
    east, north = (
        float(np.average([getattr(zone, axis) for zone in zones], weights=weight))
        for axis in ("easting_m", "northing_m")
    )
    middle = Zone(
        name=f"{name}{NO_POSITION}", easting_m=round(east), northing_m=round(north), children=round(sum(quintiles), 2)
    )
    return Locality(
        name=name,
        zones=(middle,),
        population=Population.model_validate(bands),
        quintile_children=cast(tuple[float, float, float, float, float], quintiles),
    )


def _notes(
    ours: Sequence[str], matched: set[str], counts: pd.Series, own_pack: bool, scale: float, base: Calibrated
) -> tuple[str, ...]:
    notes = []
    if not len(counts):
        notes.append("Localities: the files name none, so the whole council is one.")
    new = [name for name in ours if name not in matched]
    if new:
        how = "by the families referred and helped from each" if len(counts) else "to it"
        notes.append(
            f"Localities {', '.join(new)}: children shared out {how} (assumed); deprivation as in {base.parameters.council}"
            " (assumed); position not known, so distances are drawn from the council's own distribution."
        )
    if not own_pack and abs(scale - 1) > 1e-9:
        notes.append(
            f"Population: that of {base.parameters.council} times {scale:.2f}, by children in care (assumed): give the"
            " council's own to get rates per 10,000 right."
        )
    return tuple(notes)
