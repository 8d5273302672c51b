"""Companion files: referrals, early help, costs and own places, as they would be on a day."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.worlds.levels import SEASON
from benchmarks.worlds.rates import birthday
from benchmarks.worlds.returns import as_text, known_on, name_of

if TYPE_CHECKING:
    from benchmarks.worlds.world import World

REFERRALS_PER_CHILD = 7.0  # a year, per child looked after
LOCALITIES = (("North", 0.34), ("South", 0.26), ("East", 0.22), ("West", 0.18))
SOURCES = (
    ("Police", 0.29),
    ("Schools", 0.2),
    ("Health", 0.18),
    ("Individual", 0.1),
    ("LA services", 0.15),
    ("Other", 0.08),
)
NEEDS = (("N1", 0.55), ("N5", 0.16), ("N4", 0.1), ("N2", 0.07), ("N3", 0.06), ("N6", 0.05), ("N8", 0.01))
OUTCOMES = (("No further action", 0.31), ("Early help", 0.13), ("Assessment", 0.56))
AGAIN = 0.24  # chance that a referred child is referred again
REFERRED_FIRST = 0.72  # of children who enter care other than alone


def write_companions(world: "World", folder: Path, as_at: dt.date) -> None:
    """Write ``referrals.csv``, ``early_help.csv``, ``costs.csv`` and ``capacity.csv``."""
    referrals = make_referrals(world)
    early_help = make_early_help(world, referrals)
    last, first = as_at.toordinal(), world.begins.toordinal()
    told = referrals[(referrals["day"] <= last) & (referrals["day"] >= first)]
    pd.DataFrame({
        "REFERRAL_ID": "RF" + told["number"].astype(str), "CHILD": told["id"], "DOB": as_text(told["birth"]),
        "REF_DATE": as_text(told["day"]), "SOURCE": told["source"], "LOCALITY": told["locality"],
        "PRIMARY_NEED": told["need"], "OUTCOME": told["outcome"], "RE_REFERRAL_12M": told["again"],
    }).to_csv(folder / "referrals.csv", index=False)  # fmt: skip
    helped = early_help[(early_help["start"] <= last) & (early_help["start"] >= first)].copy()
    still = helped["end"] > last
    helped.loc[still, "end"] = 0
    helped.loc[still, "outcome"] = ""
    pd.DataFrame({
        "EH_ID": "EH" + helped["number"].astype(str), "CHILD": helped["id"], "DOB": as_text(helped["birth"]),
        "START_DATE": as_text(helped["start"]), "END_DATE": as_text(helped["end"]), "LOCALITY": helped["locality"],
        "ROUTE": helped["route"], "OUTCOME": helped["outcome"],
    }).to_csv(folder / "early_help.csv", index=False)  # fmt: skip
    rows = known_on(world.episodes, as_at)
    pd.DataFrame({
        "CHILD": name_of(rows["child"]), "DECOM": as_text(rows["start"]), "WEEKLY_COST": rows["weekly_gbp"],
        "DISTANCE_MILES": rows["miles"],
    }).to_csv(folder / "costs.csv", index=False)  # fmt: skip
    places = world.own_places
    places = places[(places.index <= pd.Timestamp(as_at)) & (places.index >= pd.Timestamp(world.begins))]
    days = pd.DatetimeIndex(places.index).strftime("%d/%m/%Y")
    pd.DataFrame({
        "DATE": days, "IN_HOUSE_FOSTER": places["foster"], "IN_HOUSE_HOMES": places["beds"],
    }).to_csv(folder / "capacity.csv", index=False)  # fmt: skip


def _choose(rng: np.random.Generator, options: tuple[tuple[str, float], ...], n: int) -> np.ndarray:
    return rng.choice([name for name, _ in options], n, p=[share for _, share in options])


def make_referrals(world: "World") -> pd.DataFrame:
    """Every referral from two years before the first return, chains of re-referrals and those of entrants among them."""
    rng = np.random.default_rng([world.seed, world.size, 5])
    first, last = world.begins.toordinal() - 730, world.end.toordinal()
    entrants = _of_entrants(world, rng)
    a_month = REFERRALS_PER_CHILD * world.size / 12 / (1 + AGAIN / (1 - AGAIN))
    level, days = 0.0, []
    for month in range(round((last - first) / 30.44)):
        level = 0.97 * level + 0.03 * rng.standard_normal()
        rate = a_month * np.exp(level) * SEASON[(month + 3) % 12] * rng.gamma(25, 1 / 25)
        days.append(first + np.floor((month + rng.random(rng.poisson(rate))) * 30.44))
    day = np.concatenate(days).astype(int)
    age = np.minimum(rng.gamma(1.6, 1700, len(day)), 6300).astype(int)
    base = pd.DataFrame({"day": day, "birth": day - age})
    base["id"] = "R" + pd.Series(np.arange(len(base))).map("{:07d}".format)
    base["locality"] = _choose(rng, LOCALITIES, len(base))
    base["need"] = _choose(rng, NEEDS, len(base))
    base["outcome"] = _choose(rng, OUTCOMES, len(base))
    every = [base, entrants]
    chain = base
    while len(chain):
        chain = chain[rng.random(len(chain)) < AGAIN].copy()
        chain["day"] += np.maximum(1, rng.lognormal(5.1, 0.9, len(chain))).astype(int)
        chain["outcome"] = _choose(rng, OUTCOMES, len(chain))
        adult = chain["birth"] + round(17.9 * 365.25)
        chain = chain[(chain["day"] < adult) & (chain["day"] <= last)]
        every.append(chain)
    out = pd.concat(every, ignore_index=True).sort_values(["id", "day"], kind="stable").reset_index(drop=True)
    out["source"] = _choose(rng, SOURCES, len(out))
    since = out.groupby("id")["day"].diff()
    out["again"] = (since <= 365).astype(int)
    out["number"] = np.arange(len(out)) + 1
    return out.sort_values(["day", "number"], kind="stable").reset_index(drop=True)


def _of_entrants(world: "World", rng: np.random.Generator) -> pd.DataFrame:
    """Referrals that came before children's entries."""
    entered = world.episodes[world.episodes["rne"] == "S"].drop_duplicates("child")
    entered = entered.merge(world.children[["child", "birth", "alone"]], on="child")
    kept = ~entered["alone"].astype(bool) & (rng.random(len(entered)) < REFERRED_FIRST)
    some = entered[kept]
    before = np.maximum(1, rng.lognormal(4.7, 1.0, len(some))).astype(int)
    day = np.maximum(some["start"] - before, some["birth"] - 200)
    return pd.DataFrame({
        "day": day.to_numpy(), "birth": some["birth"].to_numpy(), "id": name_of(some["child"]).to_numpy(),
        "locality": _choose(rng, LOCALITIES, len(some)), "need": some["need"].to_numpy(), "outcome": "Assessment",
    })  # fmt: skip


def make_early_help(world: "World", referrals: pd.DataFrame) -> pd.DataFrame:
    """Early help after referrals and from the community: lognormal lengths; riskier families disengage or step up."""
    rng = np.random.default_rng([world.seed, world.size, 6])
    sent = referrals[referrals["outcome"] == "Early help"]
    some = sent.sample(frac=0.6, replace=True, random_state=int(rng.integers(2**31))).drop_duplicates("id")
    parts = []
    for frame, route in ((sent.drop_duplicates("id"), "Referral"), (some, "Community")):
        wait = np.maximum(1, rng.lognormal(3.0, 0.7, len(frame))).astype(int)
        prefix = "" if route == "Referral" else "E"
        start = frame["day"].to_numpy() + wait
        parts.append(pd.DataFrame({"id": prefix + frame["id"], "birth": frame["birth"].to_numpy(), "start": start,
                                   "locality": frame["locality"].to_numpy(), "route": route}))  # fmt: skip
    out = pd.concat(parts, ignore_index=True)
    out["end"] = out["start"] + np.maximum(7, rng.lognormal(5.05, 0.65, len(out))).astype(int)
    out["outcome"] = _choose(rng, (("Needs met", 0.62), ("Disengaged", 0.2), ("Stepped up", 0.18)), len(out))
    adults = np.array([birthday(int(born), 18) for born in out["birth"]])
    out = out[out["end"] < adults].reset_index(drop=True)
    out["number"] = np.arange(len(out)) + 1
    return out.sort_values(["start", "number"], kind="stable").reset_index(drop=True)
