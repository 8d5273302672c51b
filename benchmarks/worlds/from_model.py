"""Councils made by the model itself: a parameter set with known numbers, and the history its event log would leave in files.

The opposite of ``world``: here the fits' own assumptions hold, so what they give can be set beside the truth number by
number (``recovery``). The truth is a council pack with every fitted number moved at random, run for years before the first
return so that nothing of the pack's stock is left in it.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carecast.calibration.readers.history import History, tidy
from carecast.calibration.readers.report import Report
from carecast.calibration.returns.base import Base, sized
from carecast.model import draws as dr
from carecast.model import words as w
from carecast.model.calendar import make_calendar
from carecast.model.engine import Told, World, simulate
from carecast.model.levels import level_path
from carecast.model.parameters import Calibrated, Number, ParameterSet, Provider, Rate, Series
from carecast.model.plan import Plan

COUNCIL = "Modelshire"
END = dt.date(2025, 3, 31)
YEARS, BURN_IN_YEARS = 12, 9
HAZARD_SD, CELL_SD, MIX_SD, LOGIT_SD, NUMBER_SD = 0.25, 0.12, 0.3, 0.3, 0.2
NEVER = ("step_down", "return_within_radius")  # returns show moves, not why: the truth has one cause of them
MOVED_RATES = (
    *w.CAUSES[w.FIRST_EXIT : w.LAST_EXIT + 1], "move", "re_entry", "kinship_order_breaks", "adoption_disrupts",
    "re_referred", "early_help_ends", "early_help_steps_up", "support_ends", "support_to_protection", "protection_ends",
)  # fmt: skip
DRIFTS = {"arrivals.level_sd_per_year": 0.05, "exits.level_sd_per_year": 0.04, "moves.level_sd_per_year": 0.04,
          "arrivals.unaccompanied_level_sd_per_year": 0.2}  # fmt: skip
ALONE, ALONE_RATIO = "exits.unaccompanied_hazard_ratio", 0.7  # how unaccompanied children leave beside others
PURPOSES = {"entries": (dr.P_LEVEL_ENTRIES, "arrivals.level_sd_per_year"),
            "unaccompanied": (dr.P_LEVEL_UNACCOMPANIED, "arrivals.unaccompanied_level_sd_per_year"),
            "exits": (dr.P_LEVEL_EXITS, "exits.level_sd_per_year"),
            "moves": (dr.P_LEVEL_MOVES, "moves.level_sd_per_year")}  # fmt: skip
RISE = {"pay": 0.03, "prices": 0.025, "external": 0.045}  # of prices a year, in the truth
STATUS = {w.EMERGENCY: "L2", w.REMAND: "J1"}
OUTCOMES = {w.EARLY_HELP_ASKED: "early_help", w.ASSESSMENT_ASKED: "assessment", w.CASE_CLOSED: "closed"}


@dataclass(frozen=True)
class Truth:
    """A council whose every number is known."""

    seed: int
    calibrated: Calibrated  # as at the day the simulation begins
    begins: dt.date  # the first day of the first return
    ends: dt.date

    @property
    def parameters(self) -> ParameterSet:
        """The numbers."""
        return self.calibrated.parameters

    def world(self, until: dt.date | None = None) -> World:
        """Ready to be told."""
        return World(self.calibrated, Plan("baseline"), until or self.ends, self.seed)

    def level(self, flow: str) -> np.ndarray:
        """The drifting level of a flow month by month, from the first month of the simulation."""
        purpose, name = PURPOSES[flow]
        n = make_calendar(self.parameters.as_at, self.ends).n_months
        key = dr.lanes(self.seed, 0, dr.WHO_REPLICATION, 0, 0)
        return level_path(key, purpose, self.parameters.number(name), n)


def make_truth(base: Base, seed: int, children: int = 550) -> Truth:
    """A council of about so many children: the base with everything a fit would find moved at random."""
    rng = np.random.default_rng([seed, 4711])
    parameters = sized(base, children).parameters
    stock = base.calibrated.stock
    stock = stock[stock["variant"] == stock["variant"].min()]
    begins = dt.date(END.year - YEARS, 4, 1)
    branches = tuple(
        b.model_copy(update={"chances": _mixed(b.chances, rng, MIX_SD)})
        if b.branch in ("referral", "protection")
        else b
        for b in parameters.branches
    )
    made = parameters.model_copy(
        update={
            "council": COUNCIL, "as_at": dt.date(END.year - YEARS - BURN_IN_YEARS, 3, 31), "branches": branches,
            "rates": tuple(_rate(rate, rng) for rate in parameters.rates),
            "destinations": tuple(
                row.model_copy(update={"chances": _mixed(row.chances, rng, MIX_SD)}) for row in parameters.destinations
            ),
            "numbers": _numbers(parameters, rng), "series": _series(parameters, rng),
            "providers": tuple(_provider(p, rng) for p in parameters.providers),
            "service_pools": tuple(p.model_copy(update={"places": None}) for p in parameters.service_pools),
        }
    )  # fmt: skip
    return Truth(seed, Calibrated(parameters=made, draws=pd.DataFrame(), stock=stock, record={}), begins, END)


def _rate(rate: Rate, rng: np.random.Generator) -> Rate:
    table = np.array(rate.per_year)
    if rate.cause in NEVER:
        table = table * 0.0
    if rate.cause in MOVED_RATES:
        ages, bands = (np.exp(CELL_SD * rng.standard_normal(n)) for n in table.shape)
        table = table * np.exp(HAZARD_SD * rng.standard_normal()) * ages[:, None] * bands[None, :]
    return rate.model_copy(update={"per_year": tuple(tuple(float(x) for x in row) for row in table)})


def _mixed(chances: Mapping[str, float], rng: np.random.Generator, sd: float) -> dict[str, float]:
    moved = {name: share * np.exp(sd * rng.standard_normal()) for name, share in chances.items()}
    total = sum(moved.values())
    return {name: float(share / total) for name, share in moved.items()}


def _numbers(parameters: ParameterSet, rng: np.random.Generator) -> dict[str, Number]:
    out = dict(parameters.numbers)

    def put(name: str, value: float) -> None:
        out[name] = parameters.numbers[name].model_copy(update={"value": float(value), "interval_80": None})

    for name, number in parameters.numbers.items():
        z = rng.standard_normal()
        if name.endswith("_families_per_year") or name.endswith(".median_miles"):
            put(name, number.value * np.exp(NUMBER_SD * z))
        elif name.endswith(".sigma_ln"):
            put(name, number.value * np.exp(0.1 * z))
        elif name.endswith(".unknown_share") or name.startswith("out_of_area."):
            at = np.log(max(number.value, 1e-3) / (1 - number.value)) + LOGIT_SD * z
            put(name, 1 / (1 + np.exp(-at)) if number.value > 0 else 0.0)
    for name, value in DRIFTS.items():
        put(name, value)
    put("family.joins_care_chance", rng.uniform(0.35, 0.65))
    put(ALONE, ALONE_RATIO)
    return out


def _series(parameters: ParameterSet, rng: np.random.Generator) -> dict[str, Series]:
    out = dict(parameters.series)
    for name in ("arrivals.month_factors", *(name for name in parameters.series if name.startswith("ages."))):
        series = parameters.series[name]
        values = np.array(series.values) * np.exp(0.08 * rng.standard_normal(len(series.values)))
        values = values / values.mean() if name == "arrivals.month_factors" else values / values.sum()
        out[name] = series.model_copy(update={"values": tuple(values.tolist())})
    return out


def _provider(provider: Provider, rng: np.random.Generator) -> Provider:
    return provider.model_copy(
        update={
            "weekly_cost_gbp": provider.weekly_cost_gbp * float(np.exp(NUMBER_SD * rng.standard_normal())),
            "fixed_weekly_cost_gbp": 0.0,
            "price_sigma_ln": provider.price_sigma_ln * float(np.exp(0.1 * rng.standard_normal())),
        }
    )


# --- from the event log to files' contents ------------------------------------------------------------------------------
def told(truth: Truth) -> tuple[History, Report]:
    """The history that the truth's one realised course leaves, and a reader's report without a mistake."""
    return history_of(simulate(truth.world(), 0), truth), Report("tidy")


def history_of(run: Told, truth: Truth) -> History:
    """Tables of a council's returns and companion files out of an event log."""
    log = events(run)
    first, last = truth.begins.toordinal(), truth.ends.toordinal()
    through = log[log["event"].isin((w.PRE_ENTRY_STARTED, w.PRE_ENTRY_ENDED))]
    decided = _spans(through, w.PRE_ENTRY_STARTED, w.PRE_ENTRY_ENDED)
    spans = {
        name: _spans(log, start, end) if name == "early_help" else _to_decision(_spans(log, start, end), decided)
        for name, (start, end) in {
            "early_help": (w.EARLY_HELP_STARTED, w.EARLY_HELP_ENDED), "support": (w.SUPPORT_STARTED, w.SUPPORT_ENDED),
            "protection": (w.PROTECTION_STARTED, w.PROTECTION_ENDED),
        }.items()
    }  # fmt: skip
    placements = _placements(log, run, truth)
    tables = {"placements": placements, "referrals": _referrals(log, truth), "costs": _costs(placements, truth)}
    for name, rows in spans.items():
        kept = rows[((rows["end"] < 0) | (rows["end"] >= first)) & (rows["start"] <= last)].copy()
        tables[name] = pd.DataFrame({
            "child": kept["child"], "start": _dates(kept["start"]), "end": _dates(kept["end"]),
            "locality": np.array([p.name for p in truth.parameters.localities], dtype=object)[kept["locality"]],
        })  # fmt: skip
        if name == "early_help":
            ended = kept["detail"].map({w.EARLY_HELP_STEPS_UP: "stepped_up"}).fillna("needs_met")
            tables[name]["outcome"] = ended.where(kept["end"] >= 0, "").to_numpy()
            tables[name]["route"] = np.where(_after_referral(kept, log), "referral", "community")
    tables["capacity"] = _capacity(truth)
    ids = np.unique(np.concatenate([frame["child"] for frame in tables.values() if "child" in frame]))
    names = np.array([p.name for p in truth.parameters.localities], dtype=object)
    tables["children"] = pd.DataFrame({
        "child": ids, "dob": _dates(pd.Series(run.children.birth_day[ids])),
        "unaccompanied": run.children.unaccompanied[ids] > 0, "locality": names[run.children.locality[ids]],
    })  # fmt: skip
    made = {name: tidy(frame, name) for name, frame in tables.items()}
    return History("tidy", "england", COUNCIL, truth.begins, truth.ends, tables=made)


def events(run: Told) -> pd.DataFrame:
    """The log as a table, child by child in the order things happened."""
    log = run.log
    frame = pd.DataFrame({name: np.asarray(getattr(log, name)) for name in log._fields})
    return frame.sort_values("child", kind="stable").reset_index(drop=True)


def _dates(days: pd.Series | Iterable[int]) -> np.ndarray:
    numbers = np.asarray(days, dtype=np.int64)
    out = (numbers - 719163).astype("datetime64[D]").astype("datetime64[s]")
    out[numbers < 0] = np.datetime64("NaT")
    return out


def _spans(log: pd.DataFrame, start: int, end: int) -> pd.DataFrame:
    """Each start with the end that follows it; end -1 while open."""
    rows = log[log["event"].isin((start, end))].reset_index(drop=True)
    begins = (rows["event"] == start).to_numpy()
    following = rows.shift(-1)
    closes = begins & (following["event"] == end).to_numpy() & (following["child"] == rows["child"]).to_numpy()
    out = rows[begins][["child", "day", "locality", "provider", "detail", "out_of_area", "price_multiplier"]].rename(
        columns={"day": "start", "detail": "about"}
    )
    out["end"] = np.where(closes, following["day"].fillna(-1), -1)[begins].astype(np.int64)
    out["detail"] = np.where(closes, following["detail"].fillna(-1), -1)[begins].astype(np.int64)
    return out.reset_index(drop=True)


def _to_decision(spans: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Support and plans go on, in files, until the decision before entry that follows on the day they end."""
    until = decided.rename(columns={"start": "end", "end": "decision"})[["child", "end", "decision"]]
    joined = spans.merge(until.drop_duplicates(["child", "end"]), on=["child", "end"], how="left")
    later = joined["decision"].notna() & (joined["end"] >= 0)
    return joined.assign(end=joined["decision"].where(later, joined["end"]).astype(np.int64)).drop(columns="decision")


def _placements(log: pd.DataFrame, run: Told, truth: Truth) -> pd.DataFrame:
    """Placements alive in the window; a period of care whose beginning is not among them was there already."""
    care = log[log["event"].isin((w.ENTERED_CARE, w.PLACEMENT_STARTED, w.PLACEMENT_ENDED, w.LEFT_CARE))]
    spell = (care["event"] == w.ENTERED_CARE).groupby(care["child"]).cumsum() - 1
    how = care["detail"].where(care["event"] == w.ENTERED_CARE).groupby(care["child"]).ffill()
    left = care["detail"].where(care["event"] == w.LEFT_CARE)
    next_left = left[::-1].groupby([care["child"][::-1], spell[::-1]]).ffill()[::-1]
    in_care = care[care["event"].isin((w.PLACEMENT_STARTED, w.PLACEMENT_ENDED))]
    rows = _spans(in_care, w.PLACEMENT_STARTED, w.PLACEMENT_ENDED)
    starts = in_care["event"] == w.PLACEMENT_STARTED
    rows["spell"] = spell[in_care.index][starts].to_numpy()
    rows["how"] = how[in_care.index][starts].to_numpy()
    rows["left"] = next_left[in_care.index][starts].to_numpy()
    rows["order"] = rows.groupby(["child", "spell"]).cumcount()
    rows = rows[(rows["end"] < 0) | (rows["end"] > truth.begins.toordinal())]
    rows = rows[(rows["end"] < 0) | (rows["end"] > rows["start"])].copy()
    followed = rows["child"].shift(-1).eq(rows["child"]) & rows["spell"].shift(-1).eq(rows["spell"])
    ended = rows["end"] >= 0
    first = ~rows.duplicated(["child", "spell"])
    causes = pd.Series({n: name for n, name in enumerate(w.CAUSES)})
    cause = rows["left"].map(causes).fillna("exit_other").where(ended & ~followed, "")
    kinds = np.array([p.placement_type for p in truth.world().providers], dtype=object)
    age = rows["start"].to_numpy() - run.children.birth_day[rows["child"]]
    new = (first & (rows["order"] == 0) & (rows["how"] != w.ENTRY_STOCK)).to_numpy()
    miles = rows["about"].to_numpy() / 10.0
    return pd.DataFrame({
        "child": rows["child"], "spell": rows["spell"], "order": rows["order"], "start": _dates(rows["start"]),
        "end": _dates(rows["end"]), "observed_to": _dates(np.where(ended, -1, truth.ends.toordinal())),
        "placement_type": kinds[rows["provider"]], "legal_status": rows["how"].map(STATUS).fillna("C2"),
        "care_started": pd.NaT,
        "start_kind": np.select([new, first.to_numpy()], ["entry", "already_in_care"], "move"),
        "end_kind": np.select([~ended, followed], ["open", "move"], "exit"), "cause": cause,
        "distance_miles": np.where(miles >= 0, np.maximum(miles, 0.1), np.nan),
        "out_of_area": rows["out_of_area"].astype(float), "age_days": age, "multiplier": rows["price_multiplier"],
        "provider_number": rows["provider"], "how": rows["how"],
    }).reset_index(drop=True)  # fmt: skip


def _referrals(log: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Referrals in the window with what was decided the same day."""
    rows = log[log["event"].isin((w.REFERRED, *OUTCOMES))]
    following = rows.shift(-1)
    same = (following["child"] == rows["child"]) & (following["day"] == rows["day"])
    outcome = following["event"].map(OUTCOMES).where(same, "closed").fillna("closed")
    use = (rows["event"] == w.REFERRED) & (rows["day"] >= truth.begins.toordinal())
    names = np.array([p.name for p in truth.parameters.localities], dtype=object)
    return pd.DataFrame({
        "child": rows["child"][use], "date": _dates(rows["day"][use]), "source": "Schools",
        "locality": names[rows["locality"][use]], "need": "N1", "outcome": outcome[use],
    }).reset_index(drop=True)  # fmt: skip


def _after_referral(spans: pd.DataFrame, log: pd.DataFrame) -> np.ndarray:
    """Whether the child was ever referred before."""
    first = log[log["event"] == w.REFERRED].groupby("child")["day"].min()
    return (spans["child"].map(first).fillna(10**8) <= spans["start"]).to_numpy()


def price_of(truth: Truth, year: int) -> dict[int, float]:
    """Weekly price of each provider in the financial year that begins in ``year``."""
    last = truth.ends.year - 1
    return {
        n: p.weekly_cost_gbp * (1 + RISE[p.uplift]) ** (year - last) for n, p in enumerate(truth.parameters.providers)
    }


def _costs(placements: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """What each placement cost in each financial year it went on in."""
    parts = []
    end = placements["end"].fillna(pd.Timestamp(truth.ends) + pd.Timedelta(days=1))
    for year in range(truth.begins.year, truth.ends.year):
        begins, stops = pd.Timestamp(year, 4, 1), pd.Timestamp(year + 1, 4, 1)
        here = (placements["start"] < stops) & (end > begins)
        rows = placements[here]
        cost = rows["provider_number"].map(price_of(truth, year)) * rows["multiplier"]
        parts.append(pd.DataFrame({
            "child": rows["child"], "start": rows["start"].clip(lower=begins), "end": end[here].clip(upper=stops),
            "placement_type": rows["placement_type"], "weekly_cost_gbp": cost,
            "distance_miles": rows["distance_miles"],
        }))  # fmt: skip
    out = pd.concat(parts, ignore_index=True)
    return out[out["weekly_cost_gbp"] > 0].reset_index(drop=True)


def _capacity(truth: Truth) -> pd.DataFrame:
    """Own places at the end of each month: the truth's never change."""
    days = pd.date_range(truth.begins, truth.ends, freq="ME")
    parts = []
    for kind in ("foster_own", "childrens_house_own"):
        places = sum(p.places or 0 for p in truth.parameters.providers if p.placement_type == kind)
        parts.append(pd.DataFrame({"date": days, "placement_type": kind, "locality": "", "places": float(places)}))
    return pd.concat(parts, ignore_index=True)
