"""The care part of a council's own fit: hazards, levels, entries, destinations and returns, with their draws."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from carecast.calibration import draw
from carecast.calibration.arrays import Array, Ints
from carecast.calibration.readers.history import History
from carecast.calibration.returns import destinations as dest
from carecast.calibration.returns import entries as en
from carecast.calibration.returns import hazards as hz
from carecast.calibration.returns import levels as lv
from carecast.calibration.returns import stays as st
from carecast.calibration.returns.close import Wanted
from carecast.calibration.returns.part import Part
from carecast.model import words as w
from carecast.model.parameters import Number, ParameterSet, Rate, Series

ROUTES_ON_THE_DAY = ("emergency", "newborn", "remand")
ROUTE_SPREAD, MOST_ROUTE_SD = 1.5, 0.6  # overdispersion of a route's count; log sd of one hardly seen
ALONE = "exits.unaccompanied_hazard_ratio"
RETURN_CAUSES = (  # cause of the return, cause of the exit before it, how long it is followed
    ("re_entry", 0, en.HOME_MEMORY_DAYS),
    ("kinship_order_breaks", 1, 6574),
    ("adoption_disrupts", 2, 6574),
)


@dataclass(frozen=True, slots=True)
class Found:
    """Everything the care part fitted."""

    stays: st.Stays
    spells: en.Spells
    fits: dict[str, hz.Fit]
    alone: hz.Alone  # how unaccompanied children leave, beside others
    levels: dict[str, lv.Level]  # entries, unaccompanied, exits, moves
    per_year: dict[str, float]  # entries and unaccompanied children a year at the as-at date
    wanted: Wanted
    season: Array
    joins: float
    part: Part


def fit_care(history: History, base: ParameterSet, as_at: dt.date) -> Found:
    """Fit everything between entry and exit, and the returns after it."""
    stays = st.read_stays(history, as_at)
    spells = en.read_spells(history, stays)
    segments, ends = st.segments(stays), st.ends(stays)
    source = said(history, stays)
    fits, alone = hz.with_alone(segments, ends, base.rates)
    at_risk = {"exits": hz.at_risk(segments, alone), "moves": segments.days}
    levels = {name: flow_level(segments, ends, fits, stays, name, days) for name, days in at_risk.items()}
    season, per_year, entry_levels = _entries(spells, stays, base)
    levels |= entry_levels
    joins = en.joins_chance(en.together(spells), _sizes(base))
    wanted = _wanted(spells, stays, per_year)
    returns = _returns(spells, stays, base, source, as_at)
    weighed = f", of which those of unaccompanied children count {alone.ratio:.2f}" if alone.is_seen else ""
    rates = (*hz.rates_of(_levelled(fits, levels), source, as_at.isoformat(), weighed), *returns)
    made = dest.rows(spells, stays, base.destinations, source, as_at.isoformat())
    part = Part(
        name="care",
        numbers=_numbers(levels, per_year, joins, base, source, as_at) | {ALONE: alone_number(alone, source, as_at)},
        series=_series(spells, stays, season, base, source, as_at),
        rates=rates,
        destinations=made,
        draws=_rate_draws(rates, fits, levels) | dest.draws(made, dest.mix_spread(spells, stays)) | _drifts(levels)
        | {ALONE: alone.at(draw.normals(ALONE))},
        record={"unaccompanied_exits": alone_record(alone)},
    )  # fmt: skip
    return Found(stays, spells, fits, alone, levels, per_year, wanted, season, joins, part)


def said(history: History, stays: st.Stays) -> str:
    """Where the numbers come from, for every one of them."""
    first, last = (dt.date.fromordinal(day).isoformat() for day in (stays.first_day, stays.last_day))
    n = len(stays.start)
    return f"The council's own {history.format} returns, {first} to {last}: {n} placements"


def _sizes(base: ParameterSet) -> Array:
    sizes = np.array(base.series["family.size_chances"].values)
    out: Array = sizes / sizes.sum()
    return out


def flow_level(
    segments: st.Segments, ends: st.Ends, fits: Mapping[str, hz.Fit], stays: st.Stays, flow: str, days: Array
) -> lv.Level:
    """The level of exits or moves: events by quarter beside what the fitted hazards expect of who was at risk.

    ``days`` at risk of each piece, as the hazards count them (``hazards.at_risk``).
    """
    leaving = flow == "exits"
    these = (np.isin(ends.cause, range(st.N_EXITS)) & (ends.for_exits > 0)) if leaving else ends.cause == st.MOVED
    total = sum((fits[cause].per_year for cause in (st.EXITS if leaving else ("move",))), np.zeros(1))
    band = segments.care_band if leaving else segments.placed_band
    expected: Array = total[segments.kind, segments.age, band] * days / w.DAYS_PER_YEAR
    n = int((stays.last_day - stays.first_day) / st.QUARTER_DAYS)
    n = max(n, 1)
    summed = np.bincount(segments.quarter, weights=expected, minlength=n)[:n][::-1]
    by_quarter: Array = np.round(summed.astype(float), 9)  # whatever the order in which children are numbered
    observed = np.bincount(ends.quarter[these], minlength=n)[:n][::-1].astype(float)
    return lv.local_level(observed, by_quarter, lv.EXITS if flow == "exits" else lv.MOVES)


def _entries(
    spells: en.Spells, stays: st.Stays, base: ParameterSet
) -> tuple[Array, dict[str, float], dict[str, lv.Level]]:
    """Season, children a year who enter anew at the as-at date, and the levels behind them."""
    usual = np.array(base.series["arrivals.month_factors"].values)
    usual = usual / usual.mean()
    new = (spells.is_entry > 0) & (spells.came == en.NEW)
    days = spells.start[new & (spells.unaccompanied == 0)]
    season = en.month_factors(days, stays.first_day, stays.last_day, usual)
    flat = np.ones(12)
    counted = en.quarterly(days, stays.first_day, stays.last_day, season)
    alone = en.quarterly(spells.start[new & (spells.unaccompanied > 0)], stays.first_day, stays.last_day, flat)
    levels = {
        "entries": lv.local_level(counted.observed, counted.expected, lv.ENTRIES),
        "unaccompanied": lv.local_level(alone.observed, alone.expected, lv.UNACCOMPANIED),
    }
    per_year = {
        "entries": float(counted.per_year) * levels["entries"].ratio,
        "unaccompanied": float(alone.per_year) * levels["unaccompanied"].ratio if alone.observed.sum() else 0.0,
    }
    return season, per_year, levels


def _wanted(spells: en.Spells, stays: st.Stays, per_year: Mapping[str, float]) -> Wanted:
    """New entries a year by route and age: recent years' shares of the level now."""
    new = (spells.is_entry > 0) & (spells.came == en.NEW) & (spells.unaccompanied == 0)
    weight = en.remembered(spells.start, stays.last_day, en.REMEMBERED_YEARS) * new
    total = max(float(weight.sum()), 1e-9)
    scale = per_year["entries"] / total
    band = en.age_bands(spells.age_days)
    by_age = np.round(np.bincount(band, weights=weight, minlength=st.N_AGES) * scale, 9)
    by_route = {
        route: round(float(weight[spells.route == route].sum()) * scale, 9)
        for route in (w.EMERGENCY, w.NEWBORN, w.REMAND)
    }
    by_route[w.UNACCOMPANIED] = per_year["unaccompanied"]
    pathway = weight * (spells.route == w.CONTACT)
    home = np.bincount(band, weights=pathway * (spells.kind == w.AT_HOME), minlength=st.N_AGES)
    through = np.bincount(band, weights=pathway, minlength=st.N_AGES)
    years = np.clip((spells.age_days / w.DAYS_PER_YEAR).astype(np.int64), 0, 17)
    emergency = np.round(np.bincount(years, weights=weight * (spells.route == w.EMERGENCY), minlength=18) * scale, 9)
    older = np.round(np.bincount(years, weights=weight * (spells.route != w.NEWBORN), minlength=18) * scale, 9)
    home, through = np.round(home, 9), np.round(through, 9)
    at_home = (home + 0.5 * home.sum() / max(through.sum(), 1)) / (through + 0.5)
    return Wanted(by_route, by_age, at_home, emergency, older)


def _returns(spells: en.Spells, stays: st.Stays, base: ParameterSet, source: str, as_at: dt.date) -> tuple[Rate, ...]:
    """Hazards of coming back: the base's shape at the council's own level, by gamma posterior, bands of time alike."""
    made = []
    for cause, exit_cause, memory in RETURN_CAUSES:
        known = en.returning(spells, stays, exit_cause, memory)
        usual = next((np.array(rate.per_year) for rate in base.rates if rate.cause == cause), None)
        if usual is None:
            continue
        expected = usual[: st.N_AGES] * known.exposure
        by_band = (known.events.sum(axis=0) + 4.0) / (expected.sum(axis=0) + 4.0)
        whole = (known.events.sum() + 4.0) / (expected.sum() + 4.0)
        worth = expected.sum(axis=0) / (expected.sum(axis=0) + 10.0)
        ratio = np.exp(worth * np.log(by_band) + (1 - worth) * np.log(whole))
        table = usual * ratio[None, :]
        fitted = float((table[: st.N_AGES] * known.exposure).sum())
        if known.events.sum() >= 1 and fitted > 0:
            table = table * (known.events.sum() + 1.0) / (fitted + 1.0)
        events, years = int(known.events.sum()), float(known.exposure.sum())
        made.append(
            Rate(
                cause=cause, label="all", per_year=tuple(tuple(round(float(x), 6) for x in row) for row in table),
                how="fitted" if events else "assumed", source=source if years else "The base's own hazard",
                date=as_at.isoformat(),
                note=f"{events} returns in {years:.0f} child-years since leaving",
            )
        )  # fmt: skip
    return tuple(made)


def _levelled(fits: Mapping[str, hz.Fit], levels: Mapping[str, lv.Level]) -> dict[str, hz.Fit]:
    """Hazards at the as-at date: the mean of the history times the level now."""
    return {
        cause: replace(
            fit,
            per_year=np.minimum(
                fit.per_year * levels["moves" if cause == "move" else "exits"].ratio, hz.LARGEST_HAZARD
            ),
        )
        for cause, fit in fits.items()
    }


def _numbers(
    levels: Mapping[str, lv.Level], per_year: Mapping[str, float], joins: float, base: ParameterSet, source: str,
    as_at: dt.date,
) -> dict[str, Number]:  # fmt: skip
    """Drifts, entries of the direct routes (closed later), brothers and sisters who join."""
    out = {}
    for flow, name in (("entries", "arrivals"), ("exits", "exits"), ("moves", "moves")):
        out[f"{name}.level_sd_per_year"] = _drift(levels[flow], source, as_at)
    out["arrivals.unaccompanied_level_sd_per_year"] = _drift(levels["unaccompanied"], source, as_at)
    if math.isfinite(joins):
        low, high = max(joins - 0.12, 0.0), min(joins + 0.12, 1.0)
        out["family.joins_care_chance"] = Number(
            value=joins, unit="chance", interval_80=(low, high), source=source, how="fitted", date=as_at.isoformat(),
            note="From children who enter on one day, beyond coincidence",
        )  # fmt: skip
    for route in w.ROUTES[1:]:
        name = f"arrivals.{route}_families_per_year"
        out[name] = base.numbers[name].model_copy(
            update={"interval_80": None, "source": source, "how": "fitted", "date": as_at.isoformat(), "note": ""}
        )
    return out


def _drift(level: lv.Level, source: str, as_at: dt.date) -> Number:
    mean, low, high = level.spread(0)
    return Number(
        value=mean, unit="log standard deviation per year", interval_80=(min(low, mean), max(high, mean)), source=source,
        how="fitted", date=as_at.isoformat(), note="Likelihood times prior over a grid, swings that go back told apart",
    )  # fmt: skip


def alone_number(alone: hz.Alone, source: str, as_at: dt.date) -> Number:
    """How readily unaccompanied children leave before 18, beside others of their age, home and time in care."""
    if not alone.is_seen:
        told = "Assumption: most unaccompanied children stay until 18 (docs/decisions/0019)"
        source, note = told, "No unaccompanied child in the files: as believed beforehand"
    else:
        note = f"{alone.exits} exits before 18 in {alone.years:.1f} child-years; others would make {alone.expected:.1f}"
    low, high = alone.interval_80
    return Number(
        value=round(alone.ratio, 6), unit="hazard ratio", interval_80=(round(low, 6), round(high, 6)), source=source,
        how="fitted" if alone.is_seen else "assumed", date=as_at.isoformat(), note=note,
    )  # fmt: skip


def alone_record(alone: hz.Alone) -> dict[str, float]:
    """For the record."""
    return {
        "ratio": round(alone.ratio, 4), "sd_ln": round(alone.sd_ln, 4), "exits": alone.exits,
        "exits_others_would_make": round(alone.expected, 2), "child_years": round(alone.years, 1),
        "believed_beforehand": hz.ALONE_RATIO, "belief_worth_exits": hz.ALONE_EXITS,
    }  # fmt: skip


def _series(
    spells: en.Spells, stays: st.Stays, season: Array, base: ParameterSet, source: str, as_at: dt.date
) -> dict[str, Series]:
    """Season and ages of the direct routes."""
    out = {
        "arrivals.month_factors": Series(
            values=tuple(np.round(season, 5).tolist()), unit="ratio to the mean month, January to December",
            how="fitted", source=source, date=as_at.isoformat(), note="Shrunk towards the usual season",
        )
    }  # fmt: skip
    new = (spells.is_entry > 0) & (spells.came == en.NEW)
    weight = en.remembered(spells.start, stays.last_day, en.REMEMBERED_YEARS)
    for route in (w.EMERGENCY, w.REMAND, w.UNACCOMPANIED):
        name = f"ages.{w.ROUTES[route]}"
        these: Ints = new & (spells.route == route)
        if name not in base.series or not these.any():
            continue
        shares = en.ages_of_route(spells.age_days[these], weight[these], np.array(base.series[name].values))
        out[name] = Series(
            values=tuple(np.round(shares / shares.sum(), 6).tolist()), unit="chance by year of age 0 to 17",
            how="fitted", source=source, date=as_at.isoformat(),
        )  # fmt: skip
    return out


def _rate_draws(
    rates: tuple[Rate, ...], fits: Mapping[str, hz.Fit], levels: Mapping[str, lv.Level]
) -> dict[str, Array]:
    """Multipliers of every rate table, mean one: its own uncertainty, and the level of its flow now."""
    common = {name: levels[name].draws(name)[0] for name in ("exits", "moves")}
    out: dict[str, Array] = {}
    for rate in rates:
        name = f"rate.{rate.cause}.{rate.label}"
        fit = fits.get(rate.cause)
        if fit is None:
            n = int(rate.note.split()[0]) if rate.note[:1].isdigit() else 0
            own = _own(name, n)
        else:
            own = _own(name, float(fit.events[w.PLACEMENT_TYPES.index(rate.label)].sum()))
            own = own * common["moves" if rate.cause == "move" else "exits"]
        out[name] = own
    return out


def _own(name: str, events: float) -> Array:
    """Mean-one draws of a table's level, as sure as its events make it."""
    sd = math.sqrt(1.2 / (events + 4.0))
    out: Array = np.exp(sd * draw.normals(name) - 0.5 * sd * sd)
    return out


def _drifts(levels: Mapping[str, lv.Level]) -> dict[str, Array]:
    names = {
        "entries": "arrivals.level_sd_per_year", "unaccompanied": "arrivals.unaccompanied_level_sd_per_year",
        "exits": "exits.level_sd_per_year", "moves": "moves.level_sd_per_year",
    }  # fmt: skip
    return {name: levels[flow].draws(flow)[1] for flow, name in names.items()}


def direct_columns(
    parameters: ParameterSet, entered: Mapping[str, float], years: float, level: Array, alone: Array
) -> tuple[dict[str, Array], Array]:
    """Families of the direct routes in every row, and what that leaves for the pathway, relative to the centre.

    Each route goes with entries as a whole and is as uncertain as the children seen on it; the pathway brings the rest, so
    that entries of a row are those of its level. Unaccompanied children go by themselves.

    Args:
        parameters: the closed set.
        entered: children a year by route, as the set brings them at its central values.
        years: of history that the routes' shares rest on.
        level: of entries, mean one; alone: of unaccompanied children.
    """
    out: dict[str, Array] = {}
    through = entered.get("pathway", 0.0)
    left = (through + sum(entered.get(route, 0.0) for route in ROUTES_ON_THE_DAY)) * level
    for route in ROUTES_ON_THE_DAY:
        name = f"arrivals.{route}_families_per_year"
        sd = min(math.sqrt(ROUTE_SPREAD / (entered.get(route, 0.0) * years + 1.0)), MOST_ROUTE_SD)
        own = np.exp(sd * draw.normals(name) - 0.5 * sd * sd) * level
        out[name] = parameters.number(name) * own
        left = left - entered.get(route, 0.0) * own
    name = "arrivals.unaccompanied_families_per_year"
    out[name] = parameters.number(name) * alone
    relative = np.maximum(left, 0.2 * through * level) / max(through, 1e-9) if through > 0 else level
    return out, relative


def as_record(found: Found) -> dict[str, Any]:
    """Levels for the record."""
    return {
        name: {
            "ratio_to_history": round(level.ratio, 4),
            "sd_ln": round(level.sd_ln, 4),
            "drift_sd_per_year": round(level.spread(0)[0], 4),
            "swing_sd": round(level.spread(1)[0], 4),
            "dispersion": round(level.spread(3)[0], 3),
        }
        for name, level in found.levels.items()
    }


def with_families(part: Part, sized: ParameterSet) -> Part:
    """The part with the direct routes starting from the families of the base at this council's size."""
    families = {
        name: number.model_copy(update={"value": sized.numbers[name].value})
        for name, number in part.numbers.items()
        if name.endswith("_families_per_year")
    }
    return replace(part, numbers=dict(part.numbers) | families)
