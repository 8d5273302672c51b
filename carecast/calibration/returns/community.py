"""The pathway before care from a council's own files: how many come, what happens to them, and how long it takes.

Referrals are of children, the model's contacts of families; how many children a family has is the base's. Volume is the
local level of referrals (``levels``), and contacts are as many as bring about that level in the steady state of the
funnel with the council's own chances and hazards. What no file tells (contacts that lead nowhere, assessments, pre-entry
decisions) stays as in the base.
"""

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from carecast.calibration import draw
from carecast.calibration import funnel as fn
from carecast.calibration.arrays import Array, Ints
from carecast.calibration.readers.history import History
from carecast.calibration.returns import association as asc
from carecast.calibration.returns import basis, community_stock, decisions, localities
from carecast.calibration.returns import community_rates as cr
from carecast.calibration.returns import community_solve as cs
from carecast.calibration.returns import entries as en
from carecast.calibration.returns import levels as lv
from carecast.calibration.returns import stays as st
from carecast.calibration.returns.part import Part
from carecast.model import words as w
from carecast.model.parameters import Branch, Calibrated, Number, Rate, Series, ServicePool

LEAST_REFERRALS = 50
REFERRALS = lv.Beliefs(walk=0.06, swing=0.08, dispersion=2.0)
AGES_WORTH = 50.0
SPREAD_PRIOR_MONTHS = 24.0
BALANCED_WORTH = 400.0  # cases that chances found by balancing the funnel are worth
RECENT_YEARS = 3.0  # of early help, for its places
WAIT_DAYS = 14.0  # a median wait longer than this, and longer when more were open, says that places were full
QUIET_DAYS = 61  # without a referral at the end of the files, after which they are taken to have ended sooner
MORE_PLACES = 1.15  # than were ever open lately, when they were not full
PLACES_SD = 0.08


@dataclass(slots=True)
class Found:
    """What is found, on its way into a part."""

    numbers: dict[str, Number] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    rates: list[Rate] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    draws: dict[str, Array] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def hazard(self, base: Calibrated, cause: str, counted: cr.Counted, told: str) -> None:
        """Put in the hazards of a cause."""
        rate, drawn = cr.rate_of(base, cause, counted, told)
        self.rates.append(rate)
        self.draws[f"rate.{cause}.all"] = drawn

    def branch(self, base: Calibrated, name: str, counts: dict[str, float], told: str, as_at: dt.date) -> None:
        """Put in the chances at a branch."""
        made, drawn = cr.branch_of(base, name, counts, told, as_at)
        self.branches.append(made)
        self.draws |= drawn

    def tables(self) -> dict[str, Array]:
        """Hazards found so far, for children."""
        return {rate.cause: np.array(rate.per_year)[: fn.N_BANDS] for rate in self.rates}

    def chances(self) -> dict[str, dict[str, float]]:
        """Branches found so far."""
        return {branch.branch: dict(branch.chances) for branch in self.branches}


def fit(history: History, base: Calibrated, as_at: dt.date) -> Part:
    """Everything before care that the files tell of; an empty part with a note when they tell nothing."""
    history = basis.known(history, as_at)
    tables = [name for name in ("referrals", "early_help", "support", "protection") if history.has(name)]
    if not tables:
        note = (
            "Before care: the files hold no referrals, early help, support or protection; all as in the base (assumed)."
        )
        return Part("community", notes=(note,))
    found = Found()
    _stages(history, base, as_at, found)
    pools: tuple[ServicePool, ...] = ()
    if len(history.referrals) >= LEAST_REFERRALS:
        _volume(history, base, as_at, found)
    else:
        found.notes.append("Referrals: none or too few in the files; volume as in the base (assumed).")
    if history.has("early_help"):
        pools = _pools(history, base, as_at, found)
    found.record["early_help_association"] = asc.association(history, as_at)
    stock = community_stock.stock(history, base, as_at)
    return Part(
        "community", numbers=found.numbers, series=found.series, rates=tuple(found.rates), branches=tuple(found.branches),
        service_pools=pools, draws=found.draws, notes=tuple(found.notes), stock=stock, record=found.record,
        stale_draws=tuple(f"pool.{pool.code}" for pool in base.parameters.service_pools) if pools else (),
    )  # fmt: skip


def _stages(history: History, base: Calibrated, as_at: dt.date, found: Found) -> None:
    """Hazards and chances of the stages that the files tell of."""
    if history.has("early_help"):
        counted = cr.early_help(history, as_at)
        for cause in ("early_help_ends", "early_help_steps_up"):
            found.hazard(base, cause, counted, "early_help.csv, episodes")
        found.record["early_help_outcomes"] = history.early_help["outcome"].replace("", "open").value_counts().to_dict()
    if history.has("support"):
        counted = cr.support(history, as_at)
        causes = ("support_ends", "support_to_protection") if history.has("protection") else ("support_ends",)
        alone, _ = decisions.without(counted, base, "support")
        for cause in causes:
            found.hazard(base, cause, alone, "support, episodes")
    if history.has("protection"):
        counted = cr.protection(history, as_at)
        alone, decided = decisions.without(counted, base, "protection")
        found.hazard(base, "protection_ends", alone, "protection, plans")
        if history.has("support"):
            counts, told = cr.after_protection_counts(history, as_at)
            share = decided / max(float(counted.events["protection_ends"].sum()), 1e-9) if decided else 0.0
            found.branch(base, "protection", decisions.own_outcomes(counts, base, share), told, as_at)
        found.record["repeat_plans"] = _repeat_plans(history)
    if history.has("referrals") and (history.referrals["outcome"] != "").any():
        found.branch(base, "referral", *cr.referral_counts(history, as_at), as_at)
        if history.has("support") and history.has("protection"):
            counts, told = cr.assessment_counts(history, as_at)
            usual = cr.usual_chances(base, "assessment")
            counts["pre_entry"] = sum(counts.values()) * usual["pre_entry"] / max(1 - usual["pre_entry"], 1e-9)
            found.branch(base, "assessment", counts, told, as_at)


def _repeat_plans(history: History) -> dict[str, float]:
    """Share of protection plans that began within 18 months of the end of another of the child."""
    rows = history.protection.sort_values(["child", "start"])
    start, end = basis.day_number(rows["start"]), basis.day_number(rows["end"])
    same = np.append(False, rows["child"].to_numpy()[1:] == rows["child"].to_numpy()[:-1])
    gap = start - np.append(-1, end[:-1])
    again = same & (np.append(-1, end[:-1]) >= 0) & (gap <= 548)
    return {"plans": len(rows), "repeat_within_18_months_percent": round(100 * float(again.mean()), 1)}


# --- volume -------------------------------------------------------------------------------------------------------------
def _volume(history: History, base: Calibrated, as_at: dt.date, found: Found) -> None:
    """Families in contact a year, their ages and spread, and the hazard of being referred again."""
    day = np.sort(basis.day_number(history.referrals["date"]))
    per_family, family_spread = basis.children_per_family(base)
    first, last = _window(day, history, as_at)
    epoch = dt.date(1970, 1, 1).toordinal()
    usual = np.array(base.parameters.series["arrivals.month_factors"].values)
    inside = day[(day > first) & (day <= last)] + epoch
    season = en.month_factors(inside, first + epoch, last + epoch, usual / usual.mean())
    counts = en.quarterly(inside, first + epoch, last + epoch, season)
    level = lv.local_level(counts.observed, counts.expected, REFERRALS)
    yearly = float(counts.per_year) * level.ratio
    told = basis.source("referrals.csv", "referrals", inside - epoch)
    ages = _ages(history, base, as_at)
    found.series["ages.contact"] = Series(
        values=tuple(np.round(ages, 6).tolist()), unit="chance by year of age 0 to 17", how="fitted", source=told,
        note="Ages at referral; the base's count for 50 children",
    )  # fmt: skip
    found.series["arrivals.month_factors"] = Series(
        values=tuple(np.round(season, 5).tolist()), unit="ratio to the mean month, January to December", how="fitted",
        source=told, note="Shrunk to the base's season",
    )  # fmt: skip
    drift, low, high = level.spread(0)
    found.numbers["arrivals.level_sd_per_year"] = Number(
        value=round(drift, 5), unit="log standard deviation per year", interval_80=(min(low, drift), max(high, drift)),
        source=told, how="fitted", note="Of referrals; that of entries counts where entries are told",
    )  # fmt: skip
    observed = _re_referred_share(history, as_at)
    community = _community_starts(history, as_at) / per_family
    starts = _early_help_starts(history, as_at) / per_family
    seen = cs.Seen(yearly / per_family, observed, community, starts)
    solved, funnel = _solved(base, found, ages, seen, history, as_at)
    contacts, factor = solved.contacts, solved.factor
    straight = (
        contacts * cr.usual_chances(base, "contact")["assessment"] / max(float(funnel.per_year[fn.REFERRAL]), 1e-9)
    )
    spread = _month_spread(inside - epoch, first, last, season, family_spread, base, min(max(straight, 0.3), 1.0))
    found.numbers["arrivals.month_spread_ln"] = basis.fitted(
        spread, 0.25, "log standard deviation of a month", told, "log",
        note="Negative binomial: beyond chance and families; of families in contact anew, not of those referred again",
    )  # fmt: skip
    name = "arrivals.contact_families_per_year"
    found.numbers[name] = basis.fitted(
        contacts, level.sd_ln, "families per year", told, "log", as_at.isoformat(),
        f"Contacts that bring {yearly:.0f} referrals of children a year; {per_family:.2f} children a family as in the base, "
        "contacts that lead nowhere as in the base",
    )  # fmt: skip
    found.draws[name] = contacts * level.draws("referrals")[0]
    for key in ("arrivals.month_spread_ln", "arrivals.level_sd_per_year"):
        drawn = draw.of_number(key, found.numbers[key])
        if drawn is not None:
            found.draws[key] = drawn
    found.record["referrals"] = {
        "children_per_year_now": round(yearly, 1), "level_sd_ln": round(level.sd_ln, 4),
        "steady_children_per_year": round(float(funnel.per_year[fn.REFERRAL]) * per_family, 1),
        "re_referred_12m_observed": round(observed, 4), "re_referred_12m_fitted": round(funnel.re_referred_12m_share, 4),
        "re_referred_factor": round(factor, 3), "early_help_per_year_seen": _rounded(starts * per_family),
        "early_help_per_year_fitted": round(float(funnel.per_year[fn.EARLY_HELP]) * per_family, 1),
        "dispersion": round(level.spread(3)[0], 2),
        "drift_sd_per_year": round(drift, 4), "by_locality_and_age": _by_locality(history, base, as_at),
    }  # fmt: skip


def _window(day: Ints, history: History, as_at: dt.date) -> tuple[int, int]:
    """(day before the first, last day) that every referral is taken to be in the files: a thin beginning is left out.

    Where the last referral lies more than ``QUIET_DAYS`` before the as-at date, the file ends there, not the referrals.
    """
    last = basis.day_of(as_at)
    last = int(day.max()) if last - int(day.max()) > QUIET_DAYS else last
    back = np.floor((last - day) / st.QUARTER_DAYS).astype(np.int64)
    by_quarter = np.bincount(back[back >= 0])
    usual = float(np.median(by_quarter[: max(len(by_quarter) - 1, 1)]))
    thin = np.flatnonzero(by_quarter < 0.25 * usual)
    whole = int(thin[thin >= 4].min(initial=len(by_quarter))) if len(by_quarter) > 4 else len(by_quarter)
    first = max(int(day.min()) - 1, last - round(whole * st.QUARTER_DAYS))
    return first, last


def _ages(history: History, base: Calibrated, as_at: dt.date) -> Array:
    rows = history.referrals
    day, born = basis.day_number(rows["date"]), basis.birth_days(history, rows["child"])
    known = born != -1
    years = np.clip(((day - born) / w.DAYS_PER_YEAR)[known].astype(np.int64), 0, 17)
    counted = np.bincount(years, weights=basis.recency(day, as_at)[known], minlength=18)
    usual = np.array(base.parameters.series["ages.contact"].values)
    out: Array = (counted + AGES_WORTH * usual / usual.sum()) / (counted.sum() + AGES_WORTH)
    return out


def _month_spread(
    day: Ints, first: int, last: int, season: Array, family_spread: float, base: Calibrated, straight: float
) -> float:
    """Log standard deviation of a month beyond chance, families and the level.

    sigma^2 = (dispersion - families') / mean / straight^2: only the share ``straight`` of referrals comes straight from a
    new contact, and so in waves; those referred again are spread over the months that follow.
    """
    dates = pd.DatetimeIndex(pd.to_datetime(day, unit="D"))
    month = (dates.year.to_numpy() * 12 + dates.month.to_numpy() - 1).astype(np.int64)
    ends = [basis.date_of(first + 1), basis.date_of(last)]
    low, high = (d.year * 12 + d.month - 1 for d in ends)
    whole = np.bincount(month - low, minlength=high - low + 1)[1:-1].astype(float)
    usual = base.parameters.number("arrivals.month_spread_ln")
    if len(whole) < 12:
        return usual
    flat = whole / season[np.arange(low + 1, high) % 12]
    around = np.convolve(np.pad(flat, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    mean = float(around.mean())
    dispersion = float(((flat - around) ** 2 / np.maximum(around, 0.5)).mean()) * 7 / 6
    variance = max((dispersion - family_spread) / max(mean, 1.0), 0.0) / straight**2
    n = len(whole)
    return math.sqrt((n * variance + SPREAD_PRIOR_MONTHS * usual**2) / (n + SPREAD_PRIOR_MONTHS))


def _re_referred_share(history: History, as_at: dt.date) -> float:
    """Share of referrals with another of the same child in the 365 days before, by dates; the first year is left out."""
    rows = history.referrals.sort_values(["child", "date"], kind="stable")
    day, child = basis.day_number(rows["date"]), rows["child"].to_numpy(dtype=np.int64)
    before = np.append(False, (child[1:] == child[:-1]) & (day[1:] - day[:-1] <= 365))
    use = day > day.min() + 365
    weight = basis.recency(day, as_at) * use
    return float((weight * before).sum() / weight.sum()) if weight.sum() > 0 else float("nan")


def _community_starts(history: History, as_at: dt.date) -> float:
    """Children a year whose early help began without a referral; recent years most. nan when routes are not told."""
    rows = history.early_help
    if not len(rows) or not (rows["route"] != "").any():
        return float("nan")
    day = basis.day_number(rows["start"])
    return _recent(day[(rows["route"] == "community").to_numpy()], int(day.min()), as_at)


def _early_help_starts(history: History, as_at: dt.date) -> float:
    """Children a year whose early help began, recent years; nan when it is not told."""
    if not history.has("early_help"):
        return float("nan")
    day = basis.day_number(history.early_help["start"])
    return _recent(day, int(day.min()), as_at)


def _recent(day: Ints, first: int, as_at: dt.date) -> float:
    """Events a year in the last three years, or since the first there could be."""
    last = basis.day_of(as_at)
    span = last - max(first, last - 3 * 365)
    return float((day > last - span).sum()) / max(span / w.DAYS_PER_YEAR, 0.25)


def _rounded(value: float) -> float | None:
    return round(value, 1) if math.isfinite(value) else None


def _solved(
    base: Calibrated, found: Found, ages: Array, seen: cs.Seen, history: History, as_at: dt.date
) -> tuple[cs.Solved, fn.Funnel]:
    """The funnel that brings about what is seen; its branches and the hazard of being referred again are put in."""
    memory = round(base.parameters.number("closed.memory_days"))
    counted = cr.after_closing(history, memory, as_at)
    found.hazard(base, "re_referred", counted, "referrals.csv, after no further action")
    solved = cs.solve(base, seen, found.tables(), found.chances(), ages)
    rate = found.rates[-1]
    scaled = tuple(tuple(round(cell * solved.factor, 6) for cell in row) for row in rate.per_year)
    note = f"{rate.note}; times {solved.factor:.2f} so that the share referred again within 12 months is as seen"
    found.rates[-1] = rate.model_copy(update={"per_year": scaled, "note": note})
    told = "early_help.csv, as many as begin early help; other outcomes as in the base"
    for name, chances in solved.branches.items():
        found.branch(base, name, {outcome: share * BALANCED_WORTH for outcome, share in chances.items()}, told, as_at)
    if solved.funnel is None:
        raise ValueError("the funnel was not solved")
    return solved, solved.funnel


def _by_locality(history: History, base: Calibrated, as_at: dt.date) -> dict[str, dict[str, float]]:
    """Referrals of children a year by locality and age band, the last three years."""
    rows = history.referrals
    day = basis.day_number(rows["date"])
    recent = day > basis.day_of(as_at) - 3 * 365
    born = basis.birth_days(history, rows["child"])
    band = np.searchsorted(cr.AGE_EDGES, np.maximum(day - born, 0), side="right")
    names = localities.of_rows(rows["locality"], localities.names(history, base)).replace("", "not told")
    years = min(3.0, max((basis.day_of(as_at) - int(day.min())) / w.DAYS_PER_YEAR, 0.25))
    ages = np.where(born == -1, "not told", np.array([*w.AGE_BANDS])[np.minimum(band, w.ADULT)])
    table = pd.crosstab(names[recent].to_numpy(), ages[recent]) / years
    return {str(name): {str(age): round(float(n), 1) for age, n in row.items()} for name, row in table.iterrows()}


# --- places of early help -------------------------------------------------------------------------------------------------
def _pools(history: History, base: Calibrated, as_at: dt.date, found: Found) -> tuple[ServicePool, ...]:
    """Early-help places by locality, in families: the most open at once lately, and some more unless waits say full."""
    per_family, _ = basis.children_per_family(base)
    rows = history.early_help
    begin, end = basis.day_number(rows["start"]), basis.day_number(rows["end"])
    end = np.where(end < 0, np.iinfo(np.int64).max, end)
    last = basis.day_of(as_at)
    weeks = last - 7 * np.arange(max(round(RECENT_YEARS * 52), 1))[::-1]
    names = localities.names(history, base)
    where = localities.of_rows(rows["locality"], names).to_numpy()
    named = (where != "").any()
    full, wait = _full(history, begin, end)
    factor = 1.0 if full else MORE_PLACES
    pools = []
    for name in names if named else ("",):
        mine = (where == name) | ((where == "") & (name == names[0])) if named else np.ones(len(rows), dtype=bool)
        opened = np.searchsorted(np.sort(begin[mine]), weeks, side="right")
        most = int((opened - np.searchsorted(np.sort(end[mine]), weeks, side="right")).max(initial=0))
        code = f"early_help_{basis.slug(name)}" if name else "early_help"
        places = math.ceil(factor * most / per_family)
        pools.append(ServicePool(
            code=code, service="early_help", localities=(name,) if name else (), places=places, how="assumed",
            source=basis.source("early_help.csv", "starts", begin[mine]), date=as_at.isoformat(),
            note=f"At most {most} children at once in {RECENT_YEARS:.0f} years, as families of {per_family:.2f}; "
            + ("waits say it was full then" if full else f"times {factor:g}: waits do not say that it was full"),
        ))  # fmt: skip
        found.draws[f"pool.{code}.places"] = places * np.exp(PLACES_SD * draw.normals("pool.early_help"))
    found.record["early_help_places"] = {"full": full, "median_wait_days": None if wait is None else round(wait, 1)}
    found.notes.append(
        "Early-help places are assumed: " + ("waits grew with how many were open, so the most open at once is taken as all"
        if full else "the most open at once lately and 15 % more, as waits do not show that it was full") + "."
    )  # fmt: skip
    return tuple(pools)


def _full(history: History, begin: Ints, end: Ints) -> tuple[bool, float | None]:
    """(whether waits say early help was full, median wait in days): from referral with that outcome to its start."""
    sent = history.referrals[history.referrals["outcome"] == "early_help"]
    if len(sent) < 30:
        return False, None
    helped = history.early_help
    key = np.sort(helped["child"].to_numpy(dtype=np.int64) * 100_000 + begin)
    asked = sent["child"].to_numpy(dtype=np.int64) * 100_000 + basis.day_number(sent["date"])
    at = np.searchsorted(key, asked)
    wait = key[np.minimum(at, len(key) - 1)] - asked
    known = (at < len(key)) & (wait < 366)
    if known.sum() < 30:
        return False, None
    day = basis.day_number(sent["date"])[known]
    opened = np.searchsorted(np.sort(begin), day, side="right") - np.searchsorted(np.sort(end), day, side="right")
    constant = wait[known].min() == wait[known].max() or opened.min() == opened.max()
    together = 0.0 if constant else float(pd.Series(wait[known]).corr(pd.Series(opened), method="spearman"))
    middle = float(np.median(wait[known]))
    return middle > WAIT_DAYS and together > 0.3, middle
