"""The levels of the referral funnel, and the chances at a pre-entry decision that give the starts the care part needs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carecast.calibration import cohort as co
from carecast.calibration import fit, funnel, shapes
from carecast.calibration.care_fit import AGE_GROUPS, CareModel, remand_ages
from carecast.calibration.fit import Fitted, Prior, Target, expit, log_sd, logit, logit_sd
from carecast.calibration.pack import Pack
from carecast.model import words as w

Array = NDArray[np.float64]
N_BANDS = funnel.N_BANDS
MONTH_DAYS = w.DAYS_PER_YEAR / 12
SHARES = (  # branch chances that are fitted, on the logit scale
    "contact_to_referral", "referral_no_further_action", "referral_to_early_help", "assessment_closed",
    "assessment_to_early_help", "assessment_to_protection", "assessment_to_pre_entry", "support_ends_to_early_help",
    "protection_ends_to_support",
)  # fmt: skip
LEVELS = ("support_ends", "protection_ends", "support_to_protection", "support_to_pre_entry", "protection_to_pre_entry",
          "re_referred", "early_help_steps_up")  # fmt: skip
RE_REFERRED_SHAPE = np.array([2.6, 2.0, 1.4, 1.0, 0.6, 0.35, 0.2])  # falls with time since closing, as returns home do
UNDER_ONE_RATIO = 2.0  # referrals of children under one for each at one to four
MOST_CARE = 0.9  # of pre-entry decisions, at most


@dataclass(frozen=True, slots=True)
class Entries:
    """Children a year who start, by route and age band, so that all of them sum to the starts."""

    direct: Mapping[str, Array]
    returning: Array
    pathway_home: Array
    pathway_away: Array


@dataclass(frozen=True, slots=True)
class FunnelModel:
    """The funnel at fitted levels."""

    fitted: Fitted
    funnel: funnel.Funnel
    hazards: Mapping[str, Array]  # [all age bands][duration band] of every cause outside care
    branching: funnel.Branching
    contact_ages: Array
    entries: Entries
    care_chance: Array  # [age band] of a pre-entry decision ending in care
    home_share: Array  # [age band] of those, at home
    children_per_family: float
    children_per_decision: float
    decisions_by_theta: Array  # [age band][unknown]: d ln decisions / d theta


def size_chances(pack: Pack) -> Array:
    """Chances of 1, 2, 3, 4 children in a family that arrives."""
    chances = np.array([pack.value("children_per_arriving_family", f"children={n}") for n in range(1, 5)])
    out: Array = chances / chances.sum()
    return out


def band_shares(single_years: Array) -> Array:
    """Shares by age band of shares by single year."""
    bands = co.age_band_of(np.arange(co.N_AGES) + 0.5)
    return np.array([single_years[bands == band].sum() for band in range(N_BANDS)])


def ages_from_groups(pack: Pack, figure_id: str) -> Array:
    """Single-year shares from the published age groups, flat within each."""
    ages = np.zeros(co.N_AGES)
    for group, (first, end) in AGE_GROUPS.items():
        ages[first:end] = pack.value(figure_id, group) / (end - first)
    out: Array = ages / ages.sum()
    return out


def base_hazards(pack: Pack, rates: tuple[shapes.RateShape, ...]) -> dict[str, Array]:
    """Hazards outside care at their prior levels, [age band][duration band] per year."""
    hazards = {s.cause: s.per_year for s in rates if not s.placement_types}
    hazards["early_help_ends"] = _lognormal(pack.value("early_help_months") * MONTH_DAYS, pack.value("early_help_sigma"))
    hazards["assessment_ends"] = _lognormal(pack.value("assessment_days"), pack.value("assessment_sigma"))
    hazards["pre_entry_decided"] = _lognormal(pack.value("pre_entry_days"), pack.value("pre_entry_sigma"))
    for cause, name in (("support_ends", "support"), ("protection_ends", "protection")):
        sigma = pack.value(f"{name}_sigma")
        median = pack.value(f"{name}_months") * MONTH_DAYS * math.exp(-0.5 * sigma * sigma)
        hazards[cause] = _lognormal(median, sigma)
    hazards["re_referred"] = shapes.flat_over_ages(0.30 * RE_REFERRED_SHAPE)
    curve = shapes.weibull_survival(pack.value("re_entry_weibull_shape"), pack.value("re_entry_weibull_scale") * MONTH_DAYS)
    hazards["re_entry"] = shapes.flat_over_ages(shapes.from_survival(curve))
    return hazards


def _lognormal(median_days: float, sigma: float) -> Array:
    return shapes.flat_over_ages(shapes.from_survival(shapes.lognormal_survival(median_days, sigma)))


def returning_entries(care: CareModel, re_entry: Array, memory_years: float) -> Array:
    """Children a year who come back after a return home, by age band at the return to care.

    Sum over ages at exit and years since of exits x hazard x survival, cut at 18 and at the end of memory.
    """
    at_exit = care.cohort.exits[0].sum(axis=0)
    out = np.zeros(N_BANDS)
    steps = np.arange(0.0, memory_years, 1 / 24)
    alive = np.exp(-np.array([_cumulated(re_entry, years) for years in (*steps, memory_years)]))
    back = alive[:-1] - alive[1:]
    for age, children in enumerate(at_exit):
        ages = age + 0.5 + steps
        child = ages < 18
        np.add.at(out, co.age_band_of(ages[child]), children * back[child])
    return out


def _cumulated(hazard: Array, years: float) -> float:
    starts = np.cumsum([0.0, *funnel.WIDTHS_YEARS[:-1]])
    return float((hazard * np.clip(years - starts, 0.0, funnel.WIDTHS_YEARS)).sum())


def entry_streams(pack: Pack, care: CareModel, re_entry: Array) -> Entries:
    """Split starts into direct routes, re-entries and the pathway, by age band; the pathway brings what is left."""
    starts = care.starts
    ages = {
        "emergency": ages_from_groups(pack, "emergency_age_share"),
        "newborn": np.eye(co.N_AGES)[0],
        "remand": remand_ages(),
        "unaccompanied": care.shapes.unaccompanied_ages,
    }
    direct = {}
    for route, by_age in ages.items():
        share = pack.value("direct_entry_share", f"route={route}")
        yearly = care.shapes.unaccompanied if route == "unaccompanied" else share * starts
        direct[route] = yearly * band_shares(by_age)
    returning = returning_entries(care, re_entry, pack.value("home_memory_days") / w.DAYS_PER_YEAR)
    bands = co.age_band_of(np.arange(co.N_AGES) + 0.5)
    by_band = np.zeros((N_BANDS, w.N_PLACEMENT_TYPES))
    np.add.at(by_band, bands, care.entries)
    back_home = care.rules.entry_return[:, w.AT_HOME] * returning
    total = by_band.sum(axis=1) - sum(direct.values()) - returning
    home = np.clip(by_band[:, w.AT_HOME] - back_home, 0.0, 0.85 * np.maximum(total, 0.5))
    return Entries(direct, returning, home, np.maximum(total, 0.5) - home)


def branching(pack: Pack, theta: Mapping[str, float], care_chance: float) -> funnel.Branching:
    """Branch chances at these levels; the last outcome of each branch takes what is left."""
    p = {name: expit(theta[name]) for name in SHARES}
    early = expit(theta["contact_to_early_help"])
    closed, help_, plan, first = (
        p[f"assessment_{name}"] for name in ("closed", "to_early_help", "to_protection", "to_pre_entry")
    )
    nfa, to_help = p["referral_no_further_action"], p["referral_to_early_help"]
    rest = 1 - care_chance
    other = {name: pack.value(f"pre_entry_to_{name}") for name in ("protection", "kinship_order")}
    return funnel.Branching(
        contact={
            "closed": max(1 - p["contact_to_referral"] - early, 0.0), "early_help": early,
            "assessment": p["contact_to_referral"],
        },
        referral={"closed": nfa, "early_help": to_help, "assessment": max(1 - nfa - to_help, 0.0)},
        assessment={
            "closed": closed, "early_help": help_, "support": max(1 - closed - help_ - plan - first, 0.0),
            "protection": plan, "pre_entry": first,
        },
        support={"closed": 1 - p["support_ends_to_early_help"], "early_help": p["support_ends_to_early_help"]},
        protection={"closed": 1 - p["protection_ends_to_support"], "support": p["protection_ends_to_support"]},
        pre_entry_care=care_chance,
        pre_entry={
            "support": 1 - sum(other.values()) / rest, "protection": other["protection"] / rest,
            "kinship_order": other["kinship_order"] / rest,
        },
    )  # fmt: skip


def _priors(pack: Pack, children: float) -> list[Prior]:
    contacts = pack.value("referrals_per_year") / pack.value("contact_to_referral") * 0.75 / children
    early = pack.value("early_help_starts_per_year") * pack.value("early_help_community_route_share")
    priors = [
        Prior("contacts", math.log(contacts), 0.4),
        Prior("contact_to_early_help", logit(early / children / contacts), 0.4),
    ]
    for name in SHARES:
        figure = pack.find(name, _breakdown(name))
        value = pack.value(name, figure.breakdown)
        priors.append(Prior(name, logit(value), logit_sd(figure.low, figure.high, value)))
    shape_sd = {shape.cause: shape.sd_ln for shape in shapes.rate_shapes(pack)}
    priors += [Prior(f"rate.{cause}", 0.0, shape_sd.get(cause, 0.35)) for cause in LEVELS]
    return priors


def _breakdown(name: str) -> str:
    outcomes = {"no_further_action": "no further action", "closed": "closed", "early_help": "early help",
                "protection": "protection"}  # fmt: skip
    if name.startswith(("referral_", "assessment_")) and name != "assessment_to_pre_entry":
        return "outcome=" + outcomes[name.split("_", 1)[1].removeprefix("to_")]
    return "total"


def _targets(pack: Pack) -> list[Target]:
    names = ("referrals_per_year", "early_help_starts_per_year", "protection_open", "protection_registrations_per_year",
             "support_open", "pre_entry_decisions_per_year")  # fmt: skip
    targets = []
    for name in names:
        figure, value = pack.find(name), pack.value(name)
        targets.append(Target(name, value, 0.6 * log_sd(figure.low, figure.high, value), figure.source))
    again = pack.find("re_referral_within_12_months")
    targets.append(Target(again.id, pack.value(again.id), 0.03, again.source))
    return targets


def _scaled(base: Mapping[str, Array], theta: Mapping[str, float]) -> dict[str, Array]:
    return {cause: table * math.exp(theta.get(f"rate.{cause}", 0.0)) for cause, table in base.items()}


def fit_funnel(pack: Pack, rates: tuple[shapes.RateShape, ...], care: CareModel) -> FunnelModel:
    """Match the funnel and set the chances at a pre-entry decision so that starts come out as the care part needs."""
    base = base_hazards(pack, rates)
    sizes = size_chances(pack)
    children = float(sizes @ np.arange(1, 5))
    per_decision = 1 + (children - 1) * pack.value("joins_care_chance")
    ages = ages_from_groups(pack, "age_at_referral_share")
    ages[0] *= UNDER_ONE_RATIO  # before and soon after birth
    ages /= ages.sum()
    by_band = band_shares(ages)
    memory = pack.value("closed_memory_days") / w.DAYS_PER_YEAR
    entries = entry_streams(pack, care, base["re_entry"][0])
    pathway = entries.pathway_home + entries.pathway_away
    first_care = min(float(pathway.sum()) / per_decision * children / pack.value("pre_entry_decisions_per_year"), 0.8)

    def run(theta: Mapping[str, float]) -> funnel.Funnel:
        contacts = math.exp(theta["contacts"]) * by_band
        return funnel.solve(contacts, _scaled(base, theta), branching(pack, theta, first_care), memory)

    def model(theta: Mapping[str, float]) -> Mapping[str, float]:
        found = run(theta)
        flow, stock = found.per_year * children, found.open * children
        return {
            "referrals_per_year": flow[funnel.REFERRAL], "early_help_starts_per_year": flow[funnel.EARLY_HELP],
            "protection_open": stock[funnel.PROTECTION], "protection_registrations_per_year": flow[funnel.PROTECTION],
            "support_open": stock[funnel.SUPPORT], "pre_entry_decisions_per_year": flow[funnel.PRE_ENTRY],
            "re_referral_within_12_months": found.re_referred_12m_share,
        }  # fmt: skip

    fitted = fit.match(_priors(pack, children), _targets(pack), model)
    theta = dict(zip(fitted.names, fitted.values.tolist(), strict=True))
    found = run(theta)
    decisions = found.flows[:, funnel.PRE_ENTRY]
    return FunnelModel(
        fitted, found, _scaled(base, theta), branching(pack, theta, first_care), ages, entries,
        np.minimum(pathway / per_decision / decisions, MOST_CARE), entries.pathway_home / pathway, children, per_decision,
        _slopes(run, theta, fitted.names),
    )  # fmt: skip


def _slopes(run, theta: Mapping[str, float], names: tuple[str, ...]) -> Array:  # type: ignore[no-untyped-def]
    """d ln(pre-entry decisions) / d theta by age band, by central differences."""
    out = np.zeros((N_BANDS, len(names)))
    for j, name in enumerate(names):
        up, down = (run({**theta, name: theta[name] + h}).flows[:, funnel.PRE_ENTRY] for h in (0.05, -0.05))
        out[:, j] = np.log(up / down) / 0.1
    return out
