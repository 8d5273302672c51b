"""Known numbers against fitted ones: how many lie within three standard errors, by family of parameter.

    z = (fitted - true) / standard deviation of the parameter's own draws,

on the log scale for hazards and what is positive, the logit for chances; cells of a hazard by their gamma posterior. A
parameter counts where the files speak of it: at least ``LEAST_SEEN`` events or expected ones behind it. What returns cannot
tell (why a child moved, contacts that lead nowhere, chances at a decision before entry) is not compared number by number:
what follows from it (entries by route and age) is.
"""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.table import Line
from benchmarks.worlds import from_model as fm
from carecast.calibration.readers.history import History
from carecast.calibration.returns import close, distances
from carecast.calibration.returns import community_rates as cr
from carecast.calibration.returns import destinations as dest
from carecast.calibration.returns import entries as en
from carecast.calibration.returns import hazards as hz
from carecast.calibration.returns import stays as st
from carecast.calibration.returns.base import Base
from carecast.calibration.returns.calibrate import calibrate_returns
from carecast.model import words as w
from carecast.model.engine import Told, World, simulate
from carecast.model.parameters import Calibrated, ParameterSet
from carecast.model.plan import Plan

PART = "recovery: parameters of councils made by the model, calibrated again"
PACK = "cheshire-east"
LEAST_SEEN = 3.0
LIMIT, BAR_PERCENT = 3.0, 99.0
SEEDS = (1, 2, 3, 4, 5)
EXPECTED_REPLICATIONS = 12
AFTER = (("re_entry", 0, en.HOME_MEMORY_DAYS), ("kinship_order_breaks", 1, 6574), ("adoption_disrupts", 2, 6574))
SORTS = {  # own and bought homes of a sort are wanted alike: which one a child gets is the desk's doing
    "foster": (w.FOSTER_OWN, w.FOSTER_AGENCY),
    "homes": (w.CHILDRENS_HOUSE_OWN, w.RESIDENTIAL_EXTERNAL),
} | {
    name: (at,)
    for at, name in enumerate(w.PLACEMENT_TYPES)
    if at not in (w.FOSTER_OWN, w.FOSTER_AGENCY, w.CHILDRENS_HOUSE_OWN, w.RESIDENTIAL_EXTERNAL)
}
COLUMNS = ["seed", "family", "parameter", "true", "fitted", "z"]
Found = Iterator[tuple[str, str, float, float, float]]  # family, parameter, true, fitted, z


@dataclass(frozen=True)
class Seen:
    """A truth, what its files hold, and what calibration made of them."""

    truth: fm.Truth
    history: History
    made: Calibrated

    @property
    def parameters(self) -> ParameterSet:
        """The fitted ones."""
        return self.made.parameters

    def drawn(self, column: str) -> np.ndarray:
        """A column of the draws."""
        return self.made.draws[column].to_numpy(dtype=float)


def calibrated_again(base: Base, seed: int, children: int = 550) -> Seen:
    """Make a truth, tell it, calibrate on what it left."""
    truth = fm.make_truth(base, seed, children)
    history, report = fm.told(truth)
    return Seen(truth, history, calibrate_returns(history, report, base=base))


def table(base: Base, seeds: tuple[int, ...] = SEEDS, children: int = 550) -> pd.DataFrame:
    """Every compared parameter of every seed."""
    rows = []
    for seed in seeds:
        seen = calibrated_again(base, seed, children)
        rows += [(seed, *row) for row in compared(seen)]
    return pd.DataFrame(rows, columns=COLUMNS)


def compared(seen: Seen) -> Found:
    """Every parameter that the files speak of."""
    for family in (_care_hazards, _alone, _returns, _outside, _destinations, _branches, _arrivals, _entries, _levels,
                   _distances, _prices, _places):  # fmt: skip
        yield from family(seen)


def by_family(frame: pd.DataFrame) -> pd.DataFrame:
    """Number compared, per cent within one, two and three standard errors, mean z and its spread."""
    size = frame["z"].abs()
    groups = frame.assign(one=size <= 1, two=size <= 2, three=size <= LIMIT).groupby("family", sort=False)
    out = groups.agg(parameters=("z", "size"), within_1=("one", "mean"), within_2=("two", "mean"),
                     within_3=("three", "mean"), mean_z=("z", "mean"), sd_z=("z", "std"))  # fmt: skip
    within = (float((size <= n).mean()) for n in (1, 2, LIMIT))
    out.loc["all"] = [len(frame), *within, frame["z"].mean(), frame["z"].std()]
    for name in ("within_1", "within_2", "within_3"):
        out[name] *= 100
    return out


def share_within(frame: pd.DataFrame) -> float:
    """Per cent within three standard errors."""
    return 100 * float((frame["z"].abs() <= LIMIT).mean())


def text(frame: pd.DataFrame) -> str:
    """The table by family, and what lies outside three standard errors."""
    told = by_family(frame)
    rows = [f"{'family of parameters':28}{'n':>6}{'in 1 se':>9}{'in 2':>7}{'in 3':>7}{'mean z':>8}{'spread':>8}"]
    for name, row in told.iterrows():
        rows.append(f"{name!s:28}{row['parameters']:6.0f}{row['within_1']:9.0f}{row['within_2']:7.1f}"
                    f"{row['within_3']:7.1f}{row['mean_z']:8.2f}{row['sd_z']:8.2f}")  # fmt: skip
    outside = frame[frame["z"].abs() > LIMIT].sort_values(["seed", "z"])
    rows += [f"  outside: seed {row.seed}, {row.parameter}: true {row.true:.4g}, fitted {row.fitted:.4g}, z {row.z:+.1f}"
             for row in outside.itertuples()]  # fmt: skip
    return "\n".join(rows)


def lines(frame: pd.DataFrame) -> list[Line]:
    """The bar and what stands beside it."""
    told = by_family(frame).drop(index="all")
    note = f"{len(frame)} parameters of {frame['seed'].nunique()} councils"
    out = [
        Line(
            PART, "parameters within 3 standard errors", share_within(frame), "%", BAR_PERCENT, at_least=True, note=note
        )
    ]
    for name, row in told.iterrows():
        note = f"{row['parameters']:.0f} compared, mean {row['mean_z']:+.2f}, spread {row['sd_z']:.2f} standard errors"
        out.append(Line(PART, str(name), float(row["within_3"]), "%", note=note))
    return out


# --- helpers ---------------------------------------------------------------------------------------------------------
def _log(name: str, family: str, true: float, draws: np.ndarray, value: float | None = None) -> Found:
    """On the log scale by draws."""
    logs = np.log(np.maximum(draws, 1e-12))
    fitted = float(np.exp(logs.mean())) if value is None else value
    yield family, name, true, fitted, (math.log(fitted) - math.log(true)) / max(float(logs.std()), 1e-9)


def _logit(value: float) -> float:
    bounded = min(max(value, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))


def _table(parameters: ParameterSet, cause: str) -> np.ndarray:
    """Hazards of a cause in care, [type][age][band] per year."""
    return hz.base_table(parameters.rates, cause)


# --- hazards in care ---------------------------------------------------------------------------------------------------
def _care_hazards(seen: Seen) -> Found:
    """Each cause and type as a whole (exposure-weighted), and each cell."""
    stays = st.read_stays(seen.history, seen.truth.ends)
    segments, ends = st.segments(stays), st.ends(stays)
    fits = hz.fit_care(segments, ends, ())
    for cause, fit in fits.items():
        flow = "moves" if cause == "move" else "exits"
        now = float(seen.truth.level(flow)[-1])
        past = _level_seen(seen.truth, flow, segments)
        true, found = _table(seen.truth.parameters, cause), _table(seen.parameters, cause)
        for kind, name in enumerate(w.PLACEMENT_TYPES):
            years = fit.exposure[kind]
            expected = float((true[kind] * years).sum()) * past
            column = f"rate.{cause}.{name}"
            if expected < LEAST_SEEN or column not in seen.made.draws:
                continue
            level = float((found[kind] * years).sum() / (true[kind] * years).sum()) / now
            spread = seen.drawn(column)
            family = "hazards of moves" if cause == "move" else "hazards of exits"
            yield from _log(f"{cause} {name}", family, 1.0, level * spread / spread.mean(), level)
            yield from _cells(f"{cause} {name}", fit, kind, true[kind] * now, found[kind], float(np.log(spread).std()))


def _alone(seen: Seen) -> Found:
    """How unaccompanied children leave beside others, where others would have left often enough."""
    if seen.made.record["parts"]["care"]["unaccompanied_exits"]["exits_others_would_make"] >= LEAST_SEEN:
        yield from _log(
            "unaccompanied", "hazards of exits", seen.truth.parameters.number(fm.ALONE), seen.drawn(fm.ALONE)
        )


def _level_seen(truth: fm.Truth, flow: str, segments: st.Segments) -> float:
    """Mean of the true level over the window."""
    months = 12 * fm.YEARS
    return float(truth.level(flow)[-months:].mean())


def _cells(name: str, fit: hz.Fit, kind: int, true: np.ndarray, found: np.ndarray, spread: float) -> Found:
    """Cells with an expected event or more, by their own standard errors and their table's."""
    for age, band in np.argwhere(fit.exposure[kind] * true >= 1.0):
        value, truth = float(found[age, band]), float(true[age, band])
        if value <= 0:
            continue
        sd = math.hypot(float(fit.sd_ln[kind, age, band]), spread)
        label = f"{name} {w.AGE_BANDS[age]} {w.DURATION_BANDS[band]}"
        yield "cells of hazards in care", label, truth, value, math.log(value / truth) / sd


def _returns(seen: Seen) -> Found:
    """Coming back after each kind of exit."""
    stays = st.read_stays(seen.history, seen.truth.ends)
    spells = en.read_spells(seen.history, stays)
    for cause, number, memory in AFTER:
        known = en.returning(spells, stays, number, memory)
        true, found = (_all_types(p, cause)[: st.N_AGES] for p in (seen.truth.parameters, seen.parameters))
        expected = float((true * known.exposure).sum())
        if expected < LEAST_SEEN:
            continue
        level = float((found * known.exposure).sum()) / expected
        spread = seen.drawn(f"rate.{cause}.all")
        yield from _log(cause, "returns after care", 1.0, level * spread / spread.mean(), level)


def _all_types(parameters: ParameterSet, cause: str) -> np.ndarray:
    return np.array(next(r.per_year for r in parameters.rates if r.cause == cause))


# --- before care -------------------------------------------------------------------------------------------------------
def _outside(seen: Seen) -> Found:
    """Hazards of early help, support and protection, by exposure of the files."""
    history, day = seen.history, seen.truth.ends
    counted = {"early_help_ends": cr.early_help(history, day), "early_help_steps_up": cr.early_help(history, day),
               "support_ends": cr.support(history, day), "support_to_protection": cr.support(history, day),
               "protection_ends": cr.protection(history, day)}  # fmt: skip
    for cause, rows in counted.items():
        true, found = (_all_types(p, cause) for p in (seen.truth.parameters, seen.parameters))
        expected = float((true * rows.exposure).sum())
        level = float((found * rows.exposure).sum()) / expected
        spread = seen.drawn(f"rate.{cause}.all")
        yield from _log(cause, "hazards before care", 1.0, level * spread / spread.mean(), level)


def _branches(seen: Seen) -> Found:
    """Chances at branches that files show."""
    true = {(b.branch, age): b.chances for b in seen.truth.parameters.branches for age in b.age_bands}
    for branch in ("referral", "protection"):
        for outcome, chance in true[branch, "5_to_9"].items():
            column = f"branch.{branch}.5_to_9.{outcome}"
            if column not in seen.made.draws or chance <= 0:
                continue
            draws = seen.drawn(column)
            logits = np.log(np.clip(draws, 1e-6, 1 - 1e-6) / (1 - np.clip(draws, 1e-6, 1 - 1e-6)))
            z = (float(logits.mean()) - _logit(chance)) / float(logits.std())
            yield "branches", f"{branch} {outcome}", chance, float(draws.mean()), z


def _arrivals(seen: Seen) -> Found:
    """Families in contact, the spread of months, season, ages at referral, brothers and sisters who join."""
    truth, numbers = seen.truth.parameters, seen.parameters.numbers
    now = float(seen.truth.level("entries")[-6:].mean())
    name = "arrivals.contact_families_per_year"
    yield from _log("contact families", "arrivals", truth.number(name) * now, seen.drawn(name))
    name = "arrivals.month_spread_ln"
    yield from _log("spread of months", "arrivals", truth.number(name), seen.drawn(name))
    name = "family.joins_care_chance"
    sd = (numbers[name].interval_80[1] - numbers[name].interval_80[0]) / (2 * 1.2816)  # type: ignore[index]
    value = numbers[name].value
    yield "arrivals", "joins care", truth.number(name), value, (value - truth.number(name)) / sd


def _entries(seen: Seen) -> Found:
    """Children who enter anew a year, by route and age: what the fitted set brings beside what the truth does."""
    want, got = expected_entries(seen.truth), simulated_entries(seen)
    level = seen.made.record["levels"]["entries"]["sd_ln"]
    alone = seen.made.record["levels"]["unaccompanied"]["sd_ln"]
    now, now_alone = (float(seen.truth.level(name)[-6:].mean()) for name in ("entries", "unaccompanied"))
    years = min(float(fm.YEARS), en.REMEMBERED_YEARS / math.log(2))
    for name, true in want.items():
        flow, ratio = (alone, now_alone) if name == "unaccompanied" else (level, now)
        true, value = true * ratio, got[name]
        if true * years < LEAST_SEEN:
            continue
        sd = math.sqrt(flow**2 + (0.0 if name == "all" else 1.5 / (true * years + 1.0)))
        yield "entries", name, true, value, (math.log(value) - math.log(true)) / sd


def _labelled(run: Told, first: int, years: float) -> dict[str, float]:
    """New entries a year by the routes files tell apart and by age band."""
    log, people = run.log, run.children
    new = (log.event == w.ENTERED_CARE) & (log.detail <= w.ENTRY_FROM_PATHWAY) & (log.day > first)
    child, how = log.child[new], log.detail[new]
    age = log.day[new] - people.birth_day[child]
    alone = people.unaccompanied[child] > 0
    out = {"unaccompanied": float(alone.sum()), "all": float((~alone).sum())}
    newborn = (age < en.NEWBORN_DAYS) & ~alone & (how != w.REMAND)
    out["newborn"] = float(newborn.sum())
    out["emergency"] = float(((how == w.EMERGENCY) & ~newborn & ~alone).sum())
    out["remand"] = float((how == w.REMAND).sum())
    bands = np.bincount(en.age_bands(age[~alone]), minlength=st.N_AGES)
    out |= {w.AGE_BANDS[at]: float(n) for at, n in enumerate(bands)}
    return {name: n / years for name, n in out.items()}


def expected_entries(truth: fm.Truth, replications: int = EXPECTED_REPLICATIONS) -> dict[str, float]:
    """Mean over replications of the truth without drift, last years."""
    still = fm.Truth(truth.seed, truth.calibrated.model_copy(update={"parameters": close.quiet(truth.parameters)}),
                     truth.begins, truth.ends)  # fmt: skip
    world, years = still.world(), 10.0
    first = truth.ends.toordinal() - round(years * w.DAYS_PER_YEAR)
    found = [_labelled(simulate(world, n), first, years) for n in range(replications)]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def simulated_entries(seen: Seen, replications: int = 40) -> dict[str, float]:
    """The same of the fitted set's central values, first two years."""
    years = 2.0
    day = seen.truth.ends.toordinal()
    still = seen.made.model_copy(update={"parameters": close.quiet(seen.parameters), "draws": pd.DataFrame()})
    until = dt.date.fromordinal(day + round(years * w.DAYS_PER_YEAR))
    world = World(still, Plan("baseline"), until, 1)
    found = [_labelled(simulate(world, n), day, years) for n in range(replications)]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


# --- levels, destinations, distances, prices, places -----------------------------------------------------------------------
def _levels(seen: Seen) -> Found:
    """Drifts of levels."""
    for flow, (_, name) in fm.PURPOSES.items():
        yield from _log(f"drift of {flow}", "drifts", seen.truth.parameters.number(name), seen.drawn(name))


def _destinations(seen: Seen) -> Found:
    """Chances of each type wanted, own and bought homes of a sort as one."""
    true = seen.truth.parameters.destinations
    for row in seen.parameters.destinations:
        age = row.age_bands[0]
        if row.moment == "step_down" or row.pseudo_counts < dest.PSEUDO_COUNTS + LEAST_SEEN:
            continue
        want = dest.base_chances(true, row.moment, row.from_types)[w.AGE_BANDS.index(age)]
        stem = f"destination.{row.moment}.{row.label}.{age}"
        for name, kinds in SORTS.items():
            chance = float(sum(want[kind] for kind in kinds))
            columns = [f"{stem}.{w.PLACEMENT_TYPES[kind]}" for kind in kinds]
            drawn = [seen.drawn(column) for column in columns if column in seen.made.draws]
            if chance * (row.pseudo_counts - dest.PSEUDO_COUNTS) < 1.0 or not drawn:
                continue
            draws = np.sum(drawn, axis=0)
            z = (float(draws.mean()) - chance) / float(draws.std())
            yield (
                f"destinations: {row.moment}",
                f"{row.moment} {row.label} {age} {name}",
                chance,
                float(draws.mean()),
                z,
            )


def _distances(seen: Seen) -> Found:
    """Miles of homes without a position, shares unknown and out of the area."""
    truth = seen.truth.parameters.numbers
    placed = {
        p.placement_type for p in seen.truth.parameters.providers if p.locality
    }  # what is nearest is chosen there
    counts = seen.history.placements["placement_type"].value_counts()
    for kind in distances.DRAWN_TYPES:
        if counts.get(kind, 0) < 10:
            continue
        names = [f"distance.{kind}.median_miles", f"distance.{kind}.sigma_ln", f"distance.{kind}.unknown_share"]
        for name in () if kind in placed else (*names, f"out_of_area.{kind}.share"):
            if name not in seen.made.draws or name not in truth or truth[name].value <= 0:
                continue
            draws, family = (
                seen.drawn(name),
                f"distances: {name.split('.')[-1] if 'out' not in name else 'out of area'}",
            )
            yield from _log(name, family, truth[name].value, draws)


def _prices(seen: Seen) -> Found:
    """Level, spread and past rise of the price of each type."""
    last = seen.truth.ends.year - 1
    homes = seen.truth.parameters.providers
    record = seen.made.record["parts"]
    for kind, found in record["places"]["prices"].items():
        mine = [p for p in homes if p.placement_type == kind]
        if len({p.weekly_cost_gbp for p in mine}) != 1 or found["n"] < 20:
            continue
        weekly = fm.price_of(seen.truth, last)[homes.index(mine[0])]
        yield (
            "prices",
            f"{kind} weekly",
            weekly,
            found["weekly_gbp"],
            math.log(found["weekly_gbp"] / weekly) / found["sd_ln"],
        )
        rise, sd = record["prices"][kind]["rise_per_year"], record["prices"][kind]["rise_sd"]
        if sd > 0:
            true = fm.RISE[mine[0].uplift]
            yield "prices", f"{kind} rise", true, rise, (rise - true) / sd


def _places(seen: Seen) -> Found:
    """Share of own places that can be used."""
    for kind in ("foster_own", "childrens_house_own"):
        mine = [p for p in seen.truth.parameters.providers if p.placement_type == kind]
        share = float(np.average([p.usable_share for p in mine], weights=[p.places or 0 for p in mine]))
        column = next(f"provider.{p.code}.usable_share" for p in seen.parameters.providers if p.placement_type == kind)
        draws = seen.drawn(column)
        yield (
            "own places",
            f"{kind} usable",
            share,
            float(draws.mean()),
            (float(draws.mean()) - share) / float(draws.std()),
        )
