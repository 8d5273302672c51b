"""Hazards and branches outside care from a council's own referrals, early help, support and protection.

Hazards are occurrence over exposure by age and duration band with a gamma prior: the base's shape at the council's level,
each duration band and age band moved as far as its own expected events warrant. A stay already under way when the files
begin is at risk only from then (left truncation); one still open is at risk to the as-at date (censoring), to the 18th
birthday at most. What ended on or before the first day an end is seen is not counted: earlier ends could not be seen.
"""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carecast.calibration import draw
from carecast.calibration.arrays import Array, Ints
from carecast.calibration.readers.history import History
from carecast.calibration.returns import basis
from carecast.model import rules
from carecast.model import words as w
from carecast.model.parameters import Branch, Calibrated, Rate

YEARS = 6.0  # back from the as-at date that hazards look
LEVEL_WORTH, CELL_WORTH = 4.0, 10.0  # expected events that the base's level, and a band's own ratio, are worth
OVERDISPERSION = 2.0
LEAST_SD = 0.02
LARGEST_HAZARD = 60.0  # a year
BRANCH_WORTH = 12.0  # referrals that the base's chances are worth
SOON_DAYS = 30  # a stage that begins so soon after another ended follows from it
FOLLOWS_DAYS = 150  # and so soon after a referral that was assessed
STARTS_WITHIN_DAYS = 183  # early help begins so soon after a referral that led to it, or never
LEAST_SENT, LEAST_LINKED = 30, 0.05  # referrals sent, and share found again: fewer, and numbers do not link the files
AGE_EDGES = np.array(rules.AGE_START_DAYS[1:])
BAND_EDGES = np.array(w.DURATION_BAND_STARTS_DAYS[1:])
SHAPE = (w.N_AGE_BANDS, w.N_DURATION_BANDS)


@dataclass(frozen=True, slots=True)
class Counted:
    """Stays of one state: child-years at risk, and ends by cause, both [age band][duration band]."""

    exposure: Array
    events: Mapping[str, Array]
    first: int  # days counted between
    last: int
    doubt: float = 0.0  # relative standard deviation of events that were taken out without being seen


def count(begin: Ints, end: Ints, cause: Array, birth: Ints, as_at: dt.date, limit_days: int = 0) -> Counted:
    """Exposure and events of stays (days; ``end`` -1 when open; ``cause`` "" for ends of no interest)."""
    last = basis.day_of(as_at)
    ended = end[end >= 0]
    first = int(ended.min()) if len(ended) else int(begin.min(initial=last))
    first = max(first, last - round(YEARS * w.DAYS_PER_YEAR))
    born = np.where(birth == -1, begin - 8 * 365, birth)
    stop = np.where(end < 0, last, np.minimum(end, last))
    stop = np.minimum(stop, born + rules.ADULT_AGE_DAYS)
    if limit_days:
        stop = np.minimum(stop, begin + limit_days)
    start = np.maximum(begin, first)
    use = stop > start
    begin, start, stop, end, born = (column[use] for column in (begin, start, stop, end, born))
    cause = cause[use]
    edges = np.concatenate(
        [born[:, None] + AGE_EDGES, begin[:, None] + BAND_EDGES, start[:, None], stop[:, None]], axis=1
    )
    np.clip(edges, start[:, None], stop[:, None], out=edges)
    edges.sort(axis=1)
    lengths = np.diff(edges, axis=1)
    row, at = np.nonzero(lengths > 0)
    day = edges[row, at]
    exposure = _cells(day - born[row], day - begin[row], lengths[row, at] / w.DAYS_PER_YEAR)
    events = {}
    for name in sorted({str(name) for name in cause} - {""}):
        these = (cause == name) & (end == stop)
        before = stop[these] - 1
        events[name] = _cells(before - born[these], before - begin[these], np.ones(int(these.sum())))
    return Counted(exposure, events, first, last)


def _cells(age: Ints, duration: Ints, weight: Array) -> Array:
    bands = np.searchsorted(AGE_EDGES, age, side="right"), np.searchsorted(BAND_EDGES, duration, side="right")
    flat = np.ravel_multi_index((np.minimum(bands[0], w.ADULT), bands[1]), SHAPE)
    out: Array = np.bincount(flat, weights=weight, minlength=SHAPE[0] * SHAPE[1]).reshape(SHAPE).astype(float)
    return out


def shrink(usual: Array, events: Array, exposure: Array) -> Array:
    """Hazards per year: the usual ones at the level seen, duration and age bands apart as far as events warrant."""
    expected = usual * exposure
    seen, total = float(events.sum()), float(expected.sum())
    whole = (seen + LEVEL_WORTH) / (total + LEVEL_WORTH)
    table = usual * whole
    for axis in (0, 1):
        now = (table * exposure).sum(axis=axis)
        seen_here = events.sum(axis=axis)
        own, most = (seen_here + 0.5) / (now + 0.5), np.maximum(seen_here, now)
        worth = most / (most + CELL_WORTH)
        ratio = np.exp(worth * np.log(own))
        table = table * (ratio[np.newaxis, :] if axis == 0 else ratio[:, np.newaxis])
    fitted = float((table * exposure).sum())
    if fitted > 0:
        table = table * ((seen + 1.0) / (fitted + 1.0))
    out: Array = np.minimum(table, LARGEST_HAZARD)
    return out


def rate_of(base: Calibrated, cause: str, counted: Counted, told: str, factor: float = 1.0) -> tuple[Rate, Array]:
    """(hazards of a cause, their relative draws)."""
    usual = np.array(next(r.per_year for r in base.parameters.rates if r.cause == cause))
    events = counted.events.get(cause, np.zeros(SHAPE))
    table = shrink(usual, events, counted.exposure) * factor
    sd = math.sqrt(OVERDISPERSION / (float(events.sum()) + LEVEL_WORTH) + LEAST_SD**2 + counted.doubt**2)
    span = f"{basis.date_of(counted.first)} to {basis.date_of(counted.last)}"
    rate = Rate(
        cause=cause, label="all", per_year=tuple(tuple(round(float(x), 6) for x in row) for row in table), how="fitted",
        source=f"{told}, {span}, n={int(events.sum())}", date=basis.date_of(counted.last).isoformat(),
        note=f"{int(events.sum())} events in {float(counted.exposure.sum()):.0f} child-years",
    )  # fmt: skip
    return rate, np.exp(sd * draw.normals(f"rate.{cause}.all") - 0.5 * sd * sd)


# --- which stays ------------------------------------------------------------------------------------------------------
def early_help(history: History, as_at: dt.date) -> Counted:
    """Early help: needs met or disengaged end it, stepping up is a cause of its own."""
    rows = history.early_help
    cause = rows["outcome"].map({"stepped_up": "early_help_steps_up"}).fillna("early_help_ends")
    begin, end = basis.day_number(rows["start"]), basis.day_number(rows["end"])
    cause = cause.where(end >= 0, "")
    return count(begin, end, cause.to_numpy(dtype=object), basis.birth_days(history, rows["child"]), as_at)


def after_closing(history: History, memory_days: int, as_at: dt.date) -> Counted:
    """Referrals with no further action: at risk of another from that day on."""
    rows = history.referrals.sort_values(["child", "date"], kind="stable")
    day = basis.day_number(rows["date"])
    child = rows["child"].to_numpy(dtype=np.int64)
    again = np.append(np.where(child[1:] == child[:-1], day[1:], -1), -1) if len(day) else day
    again = np.where(again == day, -1, again)
    closed = (rows["outcome"] == "closed").to_numpy()
    cause = np.where(again >= 0, "re_referred", "").astype(object)
    birth = basis.birth_days(history, rows["child"])
    return count(day[closed], again[closed], cause[closed], birth[closed], as_at, memory_days)


def _next_start(child: pd.Series, day: Ints, table: pd.DataFrame) -> Ints:
    """First start of a table's rows of the same child at or after a day less ``SOON_DAYS``; far off when none."""
    far = np.int64(10**9)
    if not len(table):
        return np.full(len(day), far)
    starts = basis.day_number(table["start"])
    key = table["child"].to_numpy(dtype=np.int64) * 100_000 + starts
    key.sort()
    wanted = child.to_numpy(dtype=np.int64) * 100_000 + np.maximum(day - SOON_DAYS, 0)
    at = np.searchsorted(key, wanted)
    found = key[np.minimum(at, len(key) - 1)]
    same = (at < len(key)) & (found // 100_000 == child.to_numpy(dtype=np.int64))
    return np.where(same, found % 100_000, far).astype(np.int64)


def support(history: History, as_at: dt.date) -> Counted:
    """Support: ends, or turns into a protection plan; care that follows is neither (it comes by a decision)."""
    rows = history.support
    begin, end = basis.day_number(rows["start"]), basis.day_number(rows["end"])
    plan = _next_start(rows["child"], np.maximum(end, 0), history.protection)
    care = _next_start(rows["child"], np.maximum(end, 0), history.placements)
    inside = _next_start(rows["child"], begin + SOON_DAYS, history.protection)
    into_plan = (end >= 0) & (plan <= end + SOON_DAYS)
    open_plan = (inside < np.where(end < 0, 10**8, end)) & ~into_plan  # the plan began while support stayed open
    cause = np.where(into_plan | open_plan, "support_to_protection", np.where(end >= 0, "support_ends", ""))
    cause = np.where((end >= 0) & (care <= end + SOON_DAYS) & ~into_plan & ~open_plan, "", cause).astype(object)
    return count(begin, np.where(open_plan, inside, end), cause, basis.birth_days(history, rows["child"]), as_at)


def protection(history: History, as_at: dt.date) -> Counted:
    """Protection plans: ends, unless care follows."""
    rows = history.protection
    begin, end = basis.day_number(rows["start"]), basis.day_number(rows["end"])
    care = _next_start(rows["child"], np.maximum(end, 0), history.placements)
    cause = np.where((end >= 0) & (care > end + SOON_DAYS), "protection_ends", "").astype(object)
    return count(begin, end, cause, basis.birth_days(history, rows["child"]), as_at)


# --- branches ---------------------------------------------------------------------------------------------------------
def usual_chances(base: Calibrated, name: str) -> dict[str, float]:
    """The base's chances at a branch, for children of 5 to 9."""
    return dict(next(b.chances for b in base.parameters.branches if b.branch == name and "5_to_9" in b.age_bands))


def branch_of(
    base: Calibrated, name: str, counts: Mapping[str, float], told: str, as_at: dt.date
) -> tuple[Branch, dict[str, Array]]:
    """(chances at a branch from weighted counts, draws of its columns)."""
    usual = usual_chances(base, name)
    chances, total = basis.dirichlet({k: counts.get(k, 0.0) for k in usual}, usual, BRANCH_WORTH)
    branch = Branch(branch=name, age_bands=w.AGE_BANDS, chances=chances, pseudo_counts=round(total / OVERDISPERSION, 2),
                    source=told, how="fitted", date=as_at.isoformat())  # fmt: skip
    drawn = draw.of_chances(f"branch.{name}", chances, branch.pseudo_counts)
    columns = {f"branch.{name}.{age}.{outcome}": share for age in w.AGE_BANDS for outcome, share in drawn.items()}
    return branch, columns


def referral_counts(history: History, as_at: dt.date) -> tuple[dict[str, float], str]:
    """(weighted outcomes of referrals, source)."""
    rows = history.referrals[history.referrals["outcome"] != ""]
    day = basis.day_number(rows["date"])
    weight = pd.Series(basis.recency(day, as_at), index=rows.index)
    counts = {str(name): float(n) for name, n in weight.groupby(rows["outcome"]).sum().items()}
    begun = uptake(history, as_at)
    sent = counts.get("early_help", 0.0)
    counts |= {"early_help": sent * begun, "closed": counts.get("closed", 0.0) + sent * (1 - begun)}
    told = basis.source("referrals.csv", "outcomes", day)
    return counts, told + (f"; {100 * begun:.0f} % of those sent to early help began it" if begun < 1 else "")


def uptake(history: History, as_at: dt.date) -> float:
    """Share of referrals sent to early help that began it within half a year; 1 where the files cannot tell.

    Those who never began are closed cases as far as places and later hazards go.
    """
    rows = history.referrals[history.referrals["outcome"] == "early_help"]
    day = basis.day_number(rows["date"])
    old = day <= basis.day_of(as_at) - STARTS_WITHIN_DAYS
    if not history.has("early_help") or old.sum() < LEAST_SENT:
        return 1.0
    following = _next_start(rows["child"][old], day[old] + SOON_DAYS, history.early_help)
    share = float((following <= day[old] + STARTS_WITHIN_DAYS).mean())
    return share if share > LEAST_LINKED else 1.0


def assessment_counts(history: History, as_at: dt.date) -> tuple[dict[str, float], str]:
    """(weighted outcomes of assessments, source): what began within 150 days of a referral that was assessed.

    Care is left to the pre-entry decision and its own fit, so children who enter care are not counted here.
    """
    rows = history.referrals[history.referrals["outcome"] == "assessment"]
    day = basis.day_number(rows["date"])
    starts = [basis.day_number(f["start"]) for f in (history.support, history.protection) if len(f)]
    first = max((int(s.min()) for s in starts), default=0)
    use = (day >= first + 2 * 365) & (day <= basis.day_of(as_at) - FOLLOWS_DAYS)
    if not use.any():
        use = (day >= first) & (day <= basis.day_of(as_at) - FOLLOWS_DAYS)
    rows, day = rows[use], day[use]
    ahead = day + SOON_DAYS  # _next_start looks back by as much
    following = {
        name: _next_start(rows["child"], ahead, frame)
        for name, frame in (("protection", history.protection), ("support", history.support),
                            ("early_help", history.early_help), ("care", history.placements))
    }  # fmt: skip
    order = ("care", "protection", "support", "early_help")
    outcome = np.full(len(day), "closed", dtype=object)
    for name in reversed(order):
        outcome = np.where(following[name] <= day + FOLLOWS_DAYS, name, outcome)
    weight = basis.recency(day, as_at)
    counts = {name: float(weight[outcome == name].sum()) for name in ("closed", "early_help", "support", "protection")}
    return counts, basis.source("referrals.csv with support and protection", "assessments", day)


def after_protection_counts(history: History, as_at: dt.date) -> tuple[dict[str, float], str]:
    """(weighted outcomes of protection plans that ended, source): support that is open or begins soon after, or closed.

    Plans that ended in care are left out: those families came by a decision.
    """
    rows = history.protection[history.protection["end"].notna()]
    day = basis.day_number(rows["end"])
    into_care = _next_start(rows["child"], day, history.placements) <= day + SOON_DAYS
    rows, day = rows[~into_care], day[~into_care]
    soon = _next_start(rows["child"], day, history.support) <= day + SOON_DAYS
    helped = history.support
    begin, end = basis.day_number(helped["start"]), basis.day_number(helped["end"])
    by_child = pd.DataFrame({"child": helped["child"], "begin": begin, "end": np.where(end < 0, 10**8, end)})
    last = by_child.groupby("child").agg(begin=("begin", "min"), end=("end", "max")).reindex(rows["child"])
    open_then = ((last["begin"] <= day) & (last["end"] > day)).fillna(False).to_numpy()
    weight = basis.recency(day, as_at)
    supported = soon | open_then
    counts = {"support": float(weight[supported].sum()), "closed": float(weight[~supported].sum())}
    return counts, basis.source("protection plans", "ends", day)
