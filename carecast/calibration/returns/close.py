"""The balance of entries: the pathway and the direct routes together bring as many children into care as were fitted.

The set is simulated at its central values from its own stock, without drift, and what enters in the first two years is
counted by route and age. Families of the direct routes and the chances of care at a pre-entry decision, by age band of
the family's first child, are scaled until both agree with what is wanted. So returns, brothers and sisters, the stock of
open cases and the wait between a referral and a decision are all in the count, and no child is counted twice.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Array
from carecast.calibration.returns import flows
from carecast.calibration.returns import stays as st
from carecast.model import words as w
from carecast.model.parameters import Branch, Calibrated, ParameterSet, Series

YEARS = 2
ROUNDS = 6
ENTRANTS_WANTED = 8000.0  # simulated in each round
FIRST_ROUND = 0.4  # of so many, in the first
MOST_REPLICATIONS = 160
MOST_CARE, LEAST_CARE = 0.7, 0.004
MOST_FASTER = 8.0
TO_PRE_ENTRY = ("support_to_pre_entry", "protection_to_pre_entry")
SEED = 20260401
STILL = (
    "arrivals.month_spread_ln", "arrivals.level_sd_per_year", "arrivals.unaccompanied_level_sd_per_year",
    "exits.level_sd_per_year", "moves.level_sd_per_year",
)  # fmt: skip
DIRECT = (w.EMERGENCY, w.NEWBORN, w.REMAND, w.UNACCOMPANIED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Children a year who should enter anew: by direct route, and of all but unaccompanied by age band."""

    by_route: Mapping[int, float]
    by_age: Array
    at_home: Array  # share of pathway entries placed at home, by age band
    emergency_ages: Array  # children a year by year of age, emergencies
    all_ages: Array  # the same, all but unaccompanied and newborn children


@dataclass(slots=True)
class Balance:
    """What the closing found."""

    parameters: ParameterSet
    care_chance: Array  # by age band of the lead
    entered: dict[str, float] = field(default_factory=dict)
    rounds: int = 0
    extra: Array = field(default_factory=lambda: np.zeros(st.N_AGES))  # emergencies beyond those told, by age band
    notes: list[str] = field(default_factory=list)


def enough_decisions(parameters: ParameterSet, wanted: Wanted, own_door: bool) -> ParameterSet:
    """The set with as many pre-entry decisions as bring the entries wanted at the base's chance of care.

    Neither returns nor referrals tell how many decisions there are. When the front door is the council's own, families in
    support and protection come to a decision so many times faster; when it is the base's, it is made larger.
    """
    direct = sum(n for route, n in wanted.by_route.items() if route != w.UNACCOMPANIED)
    through = max(float(wanted.by_age.sum()) - direct, 0.1 * float(wanted.by_age.sum()))
    sizes = np.array(parameters.series["family.size_chances"].values)
    others = float(sizes @ np.arange(len(sizes))) / sizes.sum() * parameters.number("family.joins_care_chance")
    chance = float(np.clip(care_chances(parameters).mean(), 0.2, 0.6))
    needed = through / (1 + others) / chance
    if not own_door:
        name = "arrivals.contact_families_per_year"
        factor = needed / max(float(flows.steady(parameters).decided.sum()), 1e-9)
        number = parameters.numbers[name]
        return parameters.model_copy(
            update={"numbers": parameters.numbers | {name: number.model_copy(update={"value": number.value * factor})}}
        )
    factor = 1.0
    for _ in range(8):
        made = _faster(parameters, factor)
        ratio = needed / max(float(flows.steady(made).decided.sum()), 1e-9)
        if abs(ratio - 1) < 0.01:
            break
        factor = float(np.clip(factor * ratio**1.2, 0.1, MOST_FASTER))
    return _faster(parameters, factor)


def _faster(parameters: ParameterSet, factor: float) -> ParameterSet:
    rates = []
    for rate in parameters.rates:
        if rate.cause in TO_PRE_ENTRY:
            table = tuple(tuple(min(round(x * factor, 6), 40.0) for x in row) for row in rate.per_year)
            note = f"Times {factor:.2f}: as many decisions as bring the entries of the returns. {rate.note}".strip()
            rates.append(rate.model_copy(update={"per_year": table, "how": "fitted", "note": note}))
        else:
            rates.append(rate)
    return parameters.model_copy(update={"rates": tuple(rates)})


def close(parameters: ParameterSet, stock: pd.DataFrame, wanted: Wanted, extra: Array | None = None) -> Balance:
    """Scale direct families and care chances until simulated entries are as wanted.

    Children of an age at which even most decisions would not bring enough (those under one, above all) come by the
    emergency route instead; ``extra`` is what an earlier closing found of them.
    """
    balance = Balance(parameters, care_chances(parameters))
    if extra is not None:
        balance.extra = extra
    for turn in range(ROUNDS):
        made = with_chances(balance.parameters, balance.care_chance, wanted.at_home)
        got = entrants(made, stock, float(wanted.by_age.sum()), 1.0 if turn else FIRST_ROUND)
        balance.rounds, balance.entered = turn + 1, _said(got)
        if turn and _close_enough(got, wanted):
            balance.parameters = made
            return balance
        balance = _scaled(made, balance, got, wanted)
    balance.parameters = with_chances(balance.parameters, balance.care_chance, wanted.at_home)
    return balance


def _close_enough(got: Array, wanted: Wanted) -> bool:
    """Within half a per cent in all, and within three per cent of all at every age."""
    all_new = got[[*DIRECT, w.ENTRY_FROM_PATHWAY]].sum(axis=0) - got[w.UNACCOMPANIED]
    total = max(float(wanted.by_age.sum()), 1.0)
    off = np.abs(all_new - wanted.by_age)
    return abs(float(all_new.sum()) / total - 1) < 0.005 and float(off.max()) < 0.03 * total


def _said(got: Array) -> dict[str, float]:
    names = {**{route: w.ROUTES[route] for route in DIRECT}, w.ENTRY_FROM_PATHWAY: "pathway", w.ENTRY_RETURN: "returns"}
    return {name: round(float(got[at].sum()), 2) for at, name in names.items()}


def _scaled(made: ParameterSet, balance: Balance, got: Array, wanted: Wanted) -> Balance:
    """The next guess."""
    numbers = dict(made.numbers)
    by_route = dict(wanted.by_route)
    by_route[w.EMERGENCY] = by_route.get(w.EMERGENCY, 0.0) + float(balance.extra.sum())
    direct = np.zeros(st.N_AGES)
    for route in DIRECT:
        name = f"arrivals.{w.ROUTES[route]}_families_per_year"
        have, want = float(got[route].sum()), by_route.get(route, 0.0)
        value = numbers[name].value * want / have if have > 0 else want
        numbers[name] = numbers[name].model_copy(update={"value": value})
        if route != w.UNACCOMPANIED and have > 0:
            direct += got[route] * (want / have)
    left = np.maximum(wanted.by_age - direct, 0.0)
    pathway = got[w.ENTRY_FROM_PATHWAY]
    ratio = np.where(pathway > 0.2, left / np.maximum(pathway, 1e-9), left.sum() / max(float(pathway.sum()), 1e-9))
    chance = np.clip(balance.care_chance * np.clip(ratio, 0.2, 5.0), LEAST_CARE, MOST_CARE)
    lacking = np.maximum(left - pathway * chance / balance.care_chance, 0.0)
    extra = np.where(chance >= MOST_CARE - 1e-9, balance.extra + lacking, balance.extra)
    series = dict(made.series)
    series["ages.emergency"] = _emergency_ages(made, wanted, extra)
    notes = []
    if extra.sum() > 0.02 * wanted.by_age.sum():
        notes = [f"{extra.sum():.0f} children a year, most of them under {_oldest(extra)}, enter sooner than decisions "
                 "before entry could bring them: they come by the emergency route"]  # fmt: skip
    return Balance(
        made.model_copy(update={"numbers": numbers, "series": series}), chance, balance.entered, balance.rounds, extra,
        notes,
    )  # fmt: skip


def _oldest(extra: Array) -> int:
    """The age under which most of the extra children are."""
    at = int(np.searchsorted(np.cumsum(extra), 0.6 * extra.sum()))
    return (*w.AGE_BAND_STARTS_YEARS[1:],)[at]


def _emergency_ages(made: ParameterSet, wanted: Wanted, extra: Array) -> Series:
    """Ages of emergencies: as told, and the extra children as old as all who enter within their band."""
    ages = wanted.emergency_ages.copy()
    band = np.searchsorted(np.array(w.AGE_BAND_STARTS_YEARS[1 : w.ADULT]), np.arange(18), side="right")
    for at in range(st.N_AGES):
        inside = wanted.all_ages * (band == at)
        if inside.sum() > 0:
            ages = ages + extra[at] * inside / inside.sum()
    before = made.series["ages.emergency"]
    if ages.sum() <= 0:
        return before
    return before.model_copy(update={"values": tuple(np.round(ages / ages.sum(), 6).tolist())})


def care_chances(parameters: ParameterSet) -> Array:
    """Chance of care at a pre-entry decision, by age band of the family's first child."""
    out = np.zeros(st.N_AGES)
    for branch in parameters.branches:
        if branch.branch == "pre_entry":
            for age in branch.age_bands or w.AGE_BANDS:
                if age in w.AGE_BANDS[: w.ADULT]:
                    care = branch.chances.get("care_at_home", 0.0) + branch.chances.get("care_away", 0.0)
                    out[w.AGE_BANDS.index(age)] = care
    return np.clip(out, LEAST_CARE, MOST_CARE)


def with_chances(parameters: ParameterSet, chance: Array, at_home: Array) -> ParameterSet:
    """The set with these chances of care at a pre-entry decision; the other outcomes keep their proportions."""
    branches = [b for b in parameters.branches if b.branch != "pre_entry"]
    for branch in (b for b in parameters.branches if b.branch == "pre_entry"):
        for age in branch.age_bands or w.AGE_BANDS:
            band = min(w.AGE_BANDS.index(age), st.N_AGES - 1)
            care, home = float(chance[band]), float(at_home[band])
            rest = {name: p for name, p in branch.chances.items() if not name.startswith("care_")}
            total = sum(rest.values())
            rest = {name: p / total * (1 - care) for name, p in rest.items()} if total > 0 else {"support": 1 - care}
            branches.append(
                branch.model_copy(
                    update={
                        "age_bands": (age,),
                        "chances": rest | {"care_at_home": care * home, "care_away": care * (1 - home)},
                        "how": "fitted",
                        "source": "Care chances that bring the entries of the returns out of the pathway's decisions",
                    }
                )
            )
    return parameters.model_copy(update={"branches": tuple(_checked(branch) for branch in branches)})


def _checked(branch: Branch) -> Branch:
    """Sums to one after rounding, whatever was scaled."""
    total = sum(branch.chances.values())
    chances = {name: p / total for name, p in branch.chances.items()}
    return branch.model_copy(update={"chances": chances})


def quiet(parameters: ParameterSet) -> ParameterSet:
    """The set without drift and without the spread of months."""
    still = {name: parameters.numbers[name].model_copy(update={"value": 0.0}) for name in STILL}
    return parameters.model_copy(update={"numbers": parameters.numbers | still})


def entrants(parameters: ParameterSet, stock: pd.DataFrame, per_year: float, share: float = 1.0) -> Array:
    """Children a year who enter in the first two years, [how: words' routes and pathway][age band]."""
    from carecast.model.engine import World, simulate
    from carecast.model.plan import Plan

    until = dt.date.fromordinal(parameters.as_at.toordinal() + round(YEARS * w.DAYS_PER_YEAR))
    world = World(
        Calibrated(parameters=quiet(parameters), draws=pd.DataFrame(), stock=stock, record={}),
        Plan("baseline"),
        until,
        SEED,
    )
    replications = int(np.clip(share * ENTRANTS_WANTED / max(YEARS * per_year, 1.0), 6, MOST_REPLICATIONS))
    out = np.zeros((w.ENTRY_STOCK + 1, st.N_AGES))
    for replication in range(replications):
        told = simulate(world, replication)
        log = told.log
        entered = np.asarray(log.event) == w.ENTERED_CARE
        child, day = np.asarray(log.child)[entered], np.asarray(log.day)[entered]
        how = np.asarray(log.detail)[entered]
        age = np.searchsorted(st.AGE_EDGES, day - np.asarray(told.children.birth_day)[child], side="right")
        np.add.at(out, (how, np.minimum(age, st.N_AGES - 1)), 1.0)
    return out / (replications * YEARS)
