"""Own homes and bought ones as providers: places at the as-at date, how many can be used, how they walk, and prices.

Own foster care and own houses are one pool each by locality when the localities' positions are known, else one for the
whole council whose distances are drawn. Named homes of a ``--providers`` file stand as given. Bought homes are those of
the base, at the council's own prices where told.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from carecast.calibration import draw
from carecast.calibration.arrays import Array
from carecast.calibration.assemble import OWN_TYPES, UPLIFT_OF_TYPE
from carecast.calibration.readers.history import History
from carecast.calibration.returns import basis, localities, occupancy, prices
from carecast.calibration.returns.occupancy import Filled
from carecast.calibration.returns.part import Part
from carecast.calibration.returns.prices import Price
from carecast.model import words as w
from carecast.model.parameters import Calibrated, How, Locality, Number, Provider

WORDS = {
    "foster_own": "The council's own foster households",
    "childrens_house_own": "The council's own children's houses",
}
GIVEN = "providers file"
MATCH_SD = 0.35  # logit, of a match chance without an interval


def demand_when_full(history: History, as_at: dt.date | None = None, base: Calibrated | None = None) -> pd.DataFrame:
    """Whether own places were full, by type and month.

    Columns: placement_type, month (its first day), places, occupied (children at the end of the month), usable (places
    that could be used), free (usable less occupied), found_chance (1 - (1 - match)^free), full (found_chance below
    0.9). No rows where places were never told: then it is not known.
    """
    day = as_at or history.observed_to
    empty = pd.DataFrame({name: pd.Series(dtype="object") for name in occupancy.MONTHLY})
    if day is None:
        return empty
    found = occupancy.all_filled(basis.known(history, day), base, day)
    parts = [occupancy.monthly(homes) for homes in found.values() if homes.told]
    return pd.concat(parts, ignore_index=True) if parts else empty


def provider_of(providers: Sequence[Provider], placement_type: str, locality: str) -> str:
    """Code of the home a child of this locality in this placement type is in: of its own locality first; "" when none."""
    same = [p for p in providers if p.placement_type == placement_type]
    near = [p for p in same if p.locality == locality]
    return (near or same)[0].code if same else ""


def fit(history: History, base: Calibrated, as_at: dt.date) -> Part:
    """Providers, with the draws of their places, usable shares, match chances and prices."""
    history = basis.known(history, as_at)
    found = occupancy.all_filled(history, base, as_at)
    priced = prices.fitted_prices(history, base, as_at)
    ours = localities.fit(history, base, as_at).localities or base.parameters.localities
    known = localities.positions_known(history, base)
    named = _named(history, ours, base, priced, found, as_at) if history.has("providers") else ()
    rows: list[Provider] = []
    for kind in OWN_TYPES:
        mine = [p for p in named if p.placement_type == kind]
        if mine:
            rows += mine
        elif kind in found:
            rows += _pools(history, base, ours if known else (), found[kind], priced.get(kind), as_at)
        else:
            rows += [
                p
                for p in base.parameters.providers
                if p.placement_type == kind and basis.same_council(history, base, ("",))
            ]
    rows += [p for p in named if p.placement_type not in OWN_TYPES]
    used = set(history.placements["placement_type"].unique())
    rows += [_bought(p, priced.get(p.placement_type), p.placement_type in used) for p in _others(base)]
    rows += [_missing(kind, base, priced.get(kind), as_at) for kind in _lacking(history, rows)]
    numbers = _walks(found)
    draws = _draws(base, rows, found, priced)
    notes = tuple(note for homes in found.values() for note in homes.notes) + _notes(found, known, ours, bool(named))
    return Part("places", numbers=numbers, providers=tuple(rows), draws=draws | _drawn(numbers), notes=notes,
                record={kind: _record(homes) for kind, homes in found.items()}
                | {"prices": {kind: _price_record(price) for kind, price in priced.items()}})  # fmt: skip


def _others(base: Calibrated) -> list[Provider]:
    return [p for p in base.parameters.providers if p.placement_type not in OWN_TYPES]


def _drawn(numbers: Mapping[str, Number]) -> dict[str, Array]:
    found = ((name, draw.of_number(name, number)) for name, number in numbers.items())
    return {name: values for name, values in found if values is not None}


# --- own homes ------------------------------------------------------------------------------------------------------
def _pools(
    history: History, base: Calibrated, ours: Sequence[Locality], homes: Filled, price: Price | None, as_at: dt.date
) -> list[Provider]:
    """Own homes of a kind: by locality with its position, or one pool without one."""
    names = [place.name for place in ours] or [""]
    shares = _split(history, base, names, homes.kind, as_at)
    parts = _whole(shares * homes.now_places)
    return [
        _pool(base, homes, price, next((p for p in ours if p.name == name), None), int(n))
        for name, n in zip(names, parts, strict=True) if n > 0 or len(names) == 1
    ]  # fmt: skip


def _split(history: History, base: Calibrated, names: Sequence[str], kind: str, as_at: dt.date) -> Array:
    """Share of the places in each locality: as capacity tells, else by where the children in own homes come from."""
    if len(names) == 1:
        return np.ones(1)
    rows = history.capacity[history.capacity["placement_type"] == kind]
    told = rows.assign(locality=localities.of_rows(rows["locality"], names)) if len(rows) else rows
    told = told[told["locality"] != ""] if len(told) else told
    if len(told):
        last = told.sort_values("date", kind="stable").groupby("locality")["places"].last()
    else:
        open_now = history.placements[history.placements["end"].isna() & (history.placements["placement_type"] == kind)]
        last = localities.of_children(history, base).reindex(open_now["child"]).value_counts()
    share = last.reindex(list(names)).fillna(0.0).to_numpy(dtype=float)
    out: Array = share / share.sum() if share.sum() > 0 else np.full(len(names), 1 / len(names))
    return out


def _whole(parts: Array) -> Array:
    """Whole numbers with the same sum, largest remainders first."""
    down = np.floor(parts + 1e-9)
    order = np.argsort(-(parts - down), kind="stable")
    down[order[: round(float(parts.sum())) - int(down.sum())]] += 1
    out: Array = down
    return out


def _pool(base: Calibrated, homes: Filled, price: Price | None, place: Locality | None, places: int) -> Provider:
    kind = homes.kind
    like = next((p for p in base.parameters.providers if p.placement_type == kind), None)
    zones = place.zones if place else ()
    weight = [zone.children + 1e-9 for zone in zones]
    has_position = bool(zones) and kind != "foster_own"
    east, north = (
        (round(float(np.average([getattr(z, axis) for z in zones], weights=weight))) if has_position else None)
        for axis in ("easting_m", "northing_m")
    )
    days = homes.month_end[np.isfinite(homes.places)] if homes.told else homes.month_end
    taken_here = homes.recent * places / max(homes.now_places, 1)
    variable, fixed, year = _prices(base, kind, price, taken_here, places)
    return Provider(
        code=f"{kind}_{basis.slug(place.name)}" if place else kind,
        name=WORDS[kind] + (f", {place.name}" if place else ""),
        placement_type=kind,
        locality=place.name if place else "",
        easting_m=east,
        northing_m=north,
        places=places,
        usable_share=round(homes.usable_share, 4),
        match_chance=round(homes.match_chance, 4),
        weekly_cost_gbp=variable,
        fixed_weekly_cost_gbp=fixed,
        price_sigma_ln=_sigma(price, like),
        price_year=year,
        uplift=UPLIFT_OF_TYPE.get(kind, "prices"),
        funder_shares=like.funder_shares if like else {"social_work": 1.0},
        source=basis.source("capacity.csv" if homes.told else "children in own homes by month", "month ends", days),
        how="fitted" if homes.told else "assumed",
        date=basis.date_of(homes.month_end[-1]).isoformat(),
        note=f"Usable share from how many were taken lately ({homes.recent:.1f} children of {homes.now_places}) and "
        f"{homes.staying:.1f} young people over 18 who keep a place (assumed). Match chance as in the base (assumed). "
        f"{_priced_by(price)}",
    )


def _priced_by(price: Price | None) -> str:
    return f"Price: {price.source}." if price else "Price: the base's."


def _sigma(price: Price | None, like: Provider | None) -> float:
    if price is not None:
        return round(price.sigma_ln, 4)
    return like.price_sigma_ln if like else 0.0


def _prices(
    base: Calibrated, kind: str, price: Price | None, taken_here: float, places: int
) -> tuple[float, float, str]:
    """(variable weekly price a child, fixed weekly cost of the pool, price year)."""
    share = prices.fixed_share(base, kind)
    rows = [p for p in base.parameters.providers if p.placement_type == kind]
    if price is not None:
        whole = price.value_gbp
        return round(whole * (1 - share), 2), round(whole * share * max(taken_here, 0.0), 2), price.price_year
    if not rows:
        return 0.0, 0.0, base.parameters.price_base_year
    total = sum(p.places or 0 for p in rows)
    fixed = sum(p.fixed_weekly_cost_gbp for p in rows) * places / total if total else 0.0
    variable = float(np.average([p.weekly_cost_gbp for p in rows], weights=[max(p.places or 0, 1e-3) for p in rows]))
    return round(variable, 2), round(fixed, 2), rows[0].price_year


# --- bought homes and named ones ------------------------------------------------------------------------------------
def _bought(provider: Provider, price: Price | None, used: bool) -> Provider:
    """A provider of the base at the council's own price; one without places has no limit when children live there."""
    if used and provider.places == 0:
        provider = provider.model_copy(update={"places": None, "usable_share": 1.0, "match_chance": 1.0})
    if price is None:
        return provider
    return provider.model_copy(
        update={
            "weekly_cost_gbp": round(price.value_gbp, 2), "price_sigma_ln": round(price.sigma_ln, 4),
            "price_year": price.price_year, "source": price.source, "how": price.how,
            "note": "The rest (who pays, limits) as in the base",
        }
    )  # fmt: skip


def _lacking(history: History, rows: Sequence[Provider]) -> list[str]:
    """Types that children live in and no provider is of."""
    have = {p.placement_type for p in rows if p.places is None or p.places > 0}
    used = set(history.placements["placement_type"].unique()) & set(w.PLACEMENT_TYPES)
    return [kind for kind in w.PLACEMENT_TYPES if kind in used and kind not in have]


def _missing(kind: str, base: Calibrated, price: Price | None, as_at: dt.date) -> Provider:
    """Unlimited homes of a type that only the files know."""
    before = prices.base_price(base, kind, basis.financial_year(as_at))
    return Provider(
        code=f"{kind}_own_records", name=kind.replace("_", " ").capitalize(), placement_type=kind,
        weekly_cost_gbp=round(price.value_gbp if price else before, 2), price_sigma_ln=_sigma(price, None),
        price_year=basis.financial_year(as_at), uplift=UPLIFT_OF_TYPE.get(kind, "prices"),
        funder_shares={"social_work": 1.0}, source=price.source if price else "Assumption: the base has no such home",
        how="fitted" if price else "assumed", note="In the files and not in the base; taken as without a limit",
    )  # fmt: skip


def _named(
    history: History, ours: Sequence[Locality], base: Calibrated, priced: Mapping[str, Price],
    found: Mapping[str, Filled], as_at: dt.date,
) -> tuple[Provider, ...]:  # fmt: skip
    """Homes of a providers file that have places; positions only where those of the localities are known."""
    rows = history.providers
    rows = rows[rows["places"].notna() & rows["placement_type"].isin(w.PLACEMENT_TYPES)]
    where = localities.of_rows(rows["locality"], [place.name for place in ours])
    known = localities.positions_known(history, base)
    out = []
    for row, locality in zip(rows.to_dict("records"), where, strict=True):
        kind, places = str(row["placement_type"]), int(row["places"])
        share, _, match = occupancy.prior(base, kind) if kind in OWN_TYPES else (1.0, 0.0, 1.0)
        if kind in found:
            share, match = found[kind].usable_share, found[kind].match_chance
        given = float(row["weekly_cost_gbp"])
        price = priced.get(kind)
        if math.isfinite(given):
            price = Price(
                given, 0.05, _sigma(price, None), 0.0, 0.0, 1, basis.financial_year(as_at), GIVEN, "published"
            )
        variable, fixed, year = _prices(base, kind, price, places * share, places)
        has_position = known and math.isfinite(row["easting_m"]) and math.isfinite(row["northing_m"])
        out.append(Provider(
            code=basis.slug(str(row["provider"])), name=str(row["provider"]), placement_type=kind,
            locality=locality if known else "",
            easting_m=float(row["easting_m"]) if has_position else None,
            northing_m=float(row["northing_m"]) if has_position else None,
            places=places, usable_share=round(share, 4), match_chance=round(match, 4), weekly_cost_gbp=variable,
            fixed_weekly_cost_gbp=fixed, price_sigma_ln=_sigma(price, None), price_year=year,
            uplift=UPLIFT_OF_TYPE.get(kind, "prices"),
            funder_shares={"social_work": 1.0}, source=f"{GIVEN}: {row['provider']}", how="published",
            note=f"Usable share and match chance as learned for the type. {_priced_by(price)}",
        ))  # fmt: skip
    return tuple(out)


# --- walks and draws ------------------------------------------------------------------------------------------------
def _walks(found: Mapping[str, Filled]) -> dict[str, Number]:
    """How own places walk from the as-at date: log standard deviation and drift a year."""
    out = {}
    for kind, homes in found.items():
        days = homes.month_end
        told = basis.source("capacity.csv" if homes.told else "children in own homes by month", "yearly changes", days)
        years = max((days[-1] - days[0]) / w.DAYS_PER_YEAR, 0.5)
        sd_of_sd = math.sqrt(1 / (2 * (years + occupancy.WALK_PRIOR_YEARS)))
        how: How = "fitted" if homes.told else "assumed"
        out[f"places.{kind}.level_sd_per_year"] = basis.fitted(
            homes.walk_sd, sd_of_sd, "log standard deviation per year", told, "log", how=how,
            note="Recruitment less retirement, as a walk",
        )  # fmt: skip
        out[f"places.{kind}.drift_per_year"] = basis.fitted(
            homes.drift, homes.drift_sd, "log per year", told, "plain", note="Shrunk to none", how=how
        )
    return out


def _draws(
    base: Calibrated, rows: Sequence[Provider], found: Mapping[str, Filled], priced: Mapping[str, Price]
) -> dict[str, Array]:
    """Columns of own homes and of every price; homes of one kind move together."""
    out: dict[str, Array] = {}
    for provider in rows:
        kind = provider.placement_type
        homes = found.get(kind)
        if homes is not None:
            out |= _own_draws(base, provider, homes)
        price = _price_ratio(base, provider, priced.get(kind))
        if price is not None and provider.weekly_cost_gbp > 0:
            out[f"price.{provider.code}"] = provider.weekly_cost_gbp * price
    return out


def _own_draws(base: Calibrated, provider: Provider, homes: Filled) -> dict[str, Array]:
    from scipy.special import ndtr

    kind, stem = provider.placement_type, f"provider.{provider.code}"
    at = ndtr(draw.normals(f"usable_share.{kind}"))
    grid, cumulated = homes.posterior
    now = homes.usable_share if homes.ahead_is_all else np.interp(at, cumulated, grid)
    share = now + homes.ahead_sd * draw.normals(f"usable_share_ahead.{kind}")
    out = {f"{stem}.usable_share": np.clip(share, 0.05, 1.0)}
    like = next((p.code for p in base.parameters.providers if p.placement_type == kind), "")
    before = base.draws.get(f"provider.{like}.match_chance")
    if before is not None:
        out[f"{stem}.match_chance"] = before.to_numpy(dtype=float)
    else:
        odds = math.log(homes.match_chance / max(1 - homes.match_chance, 1e-3))
        out[f"{stem}.match_chance"] = 1 / (1 + np.exp(-(odds + MATCH_SD * draw.normals(f"match_chance.{kind}"))))
    return out


def _price_ratio(base: Calibrated, provider: Provider, price: Price | None) -> Array | None:
    """Relative draws of a price: its own standard deviation, else those of the base's homes of the type."""
    if price is not None:
        ratio: Array = np.exp(price.sd_ln * draw.normals(f"price.{provider.placement_type}"))
        return ratio
    for like in base.parameters.providers:
        column = base.draws.get(f"price.{like.code}")
        if like.placement_type == provider.placement_type and column is not None and like.weekly_cost_gbp > 0:
            return column.to_numpy(dtype=float) / like.weekly_cost_gbp
    return None


def _price_record(price: Price) -> dict[str, object]:
    return {"weekly_gbp": round(price.value_gbp, 2), "sd_ln": round(price.sd_ln, 4), "sigma_ln": round(price.sigma_ln, 4),
            "n": price.n, "price_year": price.price_year}  # fmt: skip


def _record(homes: Filled) -> dict[str, object]:
    months = slice(-36, None)
    return {
        "places": homes.now_places, "told": homes.told, "usable_share": round(homes.usable_share, 4),
        "usable_share_sd": round(homes.usable_sd, 4), "ahead_sd": round(homes.ahead_sd, 4),
        "taken_lately": round(homes.recent, 2),
        "expected_taken": round(homes.expected, 2), "staying_on": round(homes.staying, 2),
        "asks_per_year": round(homes.asks_per_year, 2),
        "leave_rate_per_year": round(homes.leave_rate, 4), "walk_sd_per_year": round(homes.walk_sd, 4),
        "drift_per_year": round(homes.drift, 4),
        "by_month": [
            {"date": basis.date_of(day).isoformat(), "places": None if not math.isfinite(n) else float(n), "taken": float(t)}
            for day, n, t in zip(homes.month_end[months], homes.places[months], homes.occupied[months], strict=True)
        ],
    }  # fmt: skip


def _notes(found: Mapping[str, Filled], known: bool, ours: Sequence[Locality], named: bool) -> tuple[str, ...]:
    notes = []
    if found and not known and len(ours) > 1 and not named:
        notes.append("Own homes are one pool for the whole council: the positions of its localities are not known.")
    for kind in OWN_TYPES:
        if kind not in found:
            notes.append(f"{kind}: neither places nor children are told; as in the base.")
    return tuple(notes)
