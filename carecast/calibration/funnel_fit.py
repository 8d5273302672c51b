"""The levels of the referral funnel, and the chances at a pre-entry decision that give the starts wanted."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from carecast.calibration import cohort as co
from carecast.calibration import entries as en
from carecast.calibration import fit, shapes
from carecast.calibration import funnel as fn
from carecast.calibration.arrays import Array
from carecast.calibration.care_fit import CareModel
from carecast.calibration.fit import Fitted, Prior, Target, expit, log_sd, logit, logit_sd
from carecast.calibration.pack import Pack
from carecast.model import words as w

N_BANDS = fn.N_BANDS
MONTH_DAYS = w.DAYS_PER_YEAR / 12
SHARES = (  # branch chances that are fitted, on the logit scale
    "contact_to_referral",
    "referral_no_further_action",
    "referral_to_early_help",
    "assessment_closed",
    "assessment_to_early_help",
    "assessment_to_protection",
    "assessment_to_pre_entry",
    "support_ends_to_early_help",
    "protection_ends_to_support",
)
LEVELS = (
    "support_ends",
    "protection_ends",
    "support_to_protection",
    "support_to_pre_entry",
    "protection_to_pre_entry",
    "re_referred",
    "early_help_steps_up",
)


@dataclass(frozen=True, slots=True)
class FunnelModel:
    """The funnel at fitted levels."""

    fitted: Fitted
    funnel: fn.Funnel
    hazards: Mapping[str, Array]  # [all age bands][duration band] of every cause outside care
    branching: fn.Branching
    contact_ages: Array
    entries: en.Entries
    children_per_family: float
    children_per_decision: float
    decisions_by_theta: Array  # [age band][unknown]: d ln decisions / d theta


def size_chances(pack: Pack) -> Array:
    """Chances of 1, 2, 3, 4 children in a family that arrives."""
    chances = np.array([pack.value("children_per_arriving_family", f"children={n}") for n in range(1, 5)])
    out: Array = chances / chances.sum()
    return out


def base_hazards(pack: Pack, rates: tuple[shapes.RateShape, ...]) -> dict[str, Array]:
    """Hazards outside care at their prior levels, [age band][duration band] per year."""
    hazards = {s.cause: s.per_year for s in rates if not s.placement_types}
    hazards["early_help_ends"] = _lognormal(
        pack.value("early_help_months") * MONTH_DAYS, pack.value("early_help_sigma")
    )
    hazards["assessment_ends"] = _lognormal(pack.value("assessment_days"), pack.value("assessment_sigma"))
    hazards["pre_entry_decided"] = _lognormal(pack.value("pre_entry_days"), pack.value("pre_entry_sigma"))
    for cause, name in (("support_ends", "support"), ("protection_ends", "protection")):
        sigma = pack.value(f"{name}_sigma")
        median = pack.value(f"{name}_months") * MONTH_DAYS * math.exp(-0.5 * sigma * sigma)
        hazards[cause] = _lognormal(median, sigma)
    curve = shapes.weibull_survival(
        pack.value("re_entry_weibull_shape"), pack.value("re_entry_weibull_scale") * MONTH_DAYS
    )
    hazards["re_entry"] = shapes.flat_over_ages(shapes.from_survival(curve))
    return hazards


def _lognormal(median_days: float, sigma: float) -> Array:
    return shapes.flat_over_ages(shapes.from_survival(shapes.lognormal_survival(median_days, sigma)))


def branching(pack: Pack, theta: Mapping[str, float], care_chance: float) -> fn.Branching:
    """Branch chances at these levels; the last outcome of each branch takes what is left."""
    p = {name: expit(theta[name]) for name in SHARES}
    early = expit(theta["contact_to_early_help"])
    closed, help_, plan, first = (
        p[f"assessment_{name}"] for name in ("closed", "to_early_help", "to_protection", "to_pre_entry")
    )
    nfa, to_help = p["referral_no_further_action"], p["referral_to_early_help"]
    rest = 1 - care_chance
    other = {name: pack.value(f"pre_entry_to_{name}") for name in ("protection", "kinship_order")}
    return fn.Branching(
        contact={
            "closed": max(1 - p["contact_to_referral"] - early, 0.0),
            "early_help": early,
            "assessment": p["contact_to_referral"],
        },
        referral={"closed": nfa, "early_help": to_help, "assessment": max(1 - nfa - to_help, 0.0)},
        assessment={
            "closed": closed,
            "early_help": help_,
            "support": max(1 - closed - help_ - plan - first, 0.0),
            "protection": plan,
            "pre_entry": first,
        },
        support={"closed": 1 - p["support_ends_to_early_help"], "early_help": p["support_ends_to_early_help"]},
        protection={"closed": 1 - p["protection_ends_to_support"], "support": p["protection_ends_to_support"]},
        pre_entry_care=care_chance,
        pre_entry={
            "support": 1 - sum(other.values()) / rest,
            "protection": other["protection"] / rest,
            "kinship_order": other["kinship_order"] / rest,
        },
        some_stay=1 - float(size_chances(pack) @ pack.value("joins_care_chance") ** np.arange(4)),
    )


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
    outcomes = {
        "no_further_action": "no further action",
        "closed": "closed",
        "early_help": "early help",
        "protection": "protection",
    }
    if name.startswith(("referral_", "assessment_")) and name != "assessment_to_pre_entry":
        return "outcome=" + outcomes[name.split("_", 1)[1].removeprefix("to_")]
    return "total"


def _targets(pack: Pack) -> list[Target]:
    names = (
        "referrals_per_year",
        "early_help_starts_per_year",
        "protection_open",
        "protection_registrations_per_year",
        "support_open",
        "pre_entry_decisions_per_year",
    )
    targets = []
    for name in names:
        figure, value = pack.find(name), pack.value(name)
        tight = 0.2 if name == "early_help_starts_per_year" else 0.6  # places of early help are limited to fit it
        targets.append(Target(name, value, tight * log_sd(figure.low, figure.high, value), figure.source))
    again = pack.find("re_referral_within_12_months")
    targets.append(Target(again.id, pack.value(again.id), 0.03, again.source))
    return targets


def _scaled(base: Mapping[str, Array], theta: Mapping[str, float]) -> dict[str, Array]:
    return {cause: table * math.exp(theta.get(f"rate.{cause}", 0.0)) for cause, table in base.items()}


def fit_funnel(
    pack: Pack, rates: tuple[shapes.RateShape, ...], care: CareModel, before: FunnelModel | None = None
) -> FunnelModel:
    """Match the funnel, and set the chances at a pre-entry decision so that starts come out as the care part needs.

    ``before``: an earlier fit to start from, which also says how many newborn families there are.
    """
    base = base_hazards(pack, rates)
    sizes = size_chances(pack)
    children = float(sizes @ np.arange(1, 5))
    joins = pack.value("joins_care_chance")
    more = (children - 1) * joins
    ages = shapes.ages_from_groups(pack, "age_at_referral_share")
    ages[0] *= pack.value("referral_under_one_ratio")  # before and soon after birth
    ages /= ages.sum()
    memory, home_memory = (pack.value(f"{name}_memory_days") / w.DAYS_PER_YEAR for name in ("closed", "home"))
    exits_home = care.cohort.exits[0].sum(axis=0)
    back = en.returning_children(exits_home, base["re_entry"][0], home_memory)
    back = back + en.broken_orders(pack.value("kinship_order_children"), base["kinship_order_breaks"])
    through = care.starts * (1 - _direct_share(pack)) - float(back.sum())
    first_care = min(through / (1 + more) * children / pack.value("pre_entry_decisions_per_year"), 0.8)
    families = (
        before.entries.families
        if before
        else {
            route: care.starts * pack.value("direct_entry_share", f"route={route}") / (1 + more)
            for route in en.ROUTES_WITH_FAMILY
        }
    )
    staying = en.families_staying(pack, families, 1 - float(sizes @ joins ** np.arange(4)))

    def run(theta: Mapping[str, float]) -> fn.Funnel:
        contacts = math.exp(theta["contacts"]) * en.months_of(ages)
        return fn.solve(contacts, _scaled(base, theta), branching(pack, theta, first_care), memory, staying)

    def model(theta: Mapping[str, float]) -> Mapping[str, float]:
        return _moments(run(theta), children)

    fitted = fit.match(_priors(pack, children), _targets(pack), model, before.fitted if before else None)
    theta = dict(zip(fitted.names, fitted.values.tolist(), strict=True))
    found = run(theta)
    return FunnelModel(
        fitted,
        found,
        _scaled(base, theta),
        branching(pack, theta, first_care),
        ages,
        en.entry_streams(pack, _wanted(care, back, more), found.decided),
        children,
        1 + more,
        _slopes(run, theta, fitted.names),
    )


def _moments(found: fn.Funnel, children: float) -> dict[str, float]:
    """What the figures are compared with, in children."""
    flow, stock = found.per_year * children, found.open * children
    return {
        "referrals_per_year": flow[fn.REFERRAL],
        "early_help_starts_per_year": flow[fn.EARLY_HELP],
        "protection_open": stock[fn.PROTECTION],
        "protection_registrations_per_year": flow[fn.PROTECTION],
        "support_open": stock[fn.SUPPORT],
        "pre_entry_decisions_per_year": flow[fn.PRE_ENTRY],
        "re_referral_within_12_months": found.re_referred_12m_share,
    }


def _wanted(care: CareModel, back: Array, more: float) -> en.Wanted:
    """What the care part asks of the pathway."""
    by_band = np.zeros((N_BANDS, w.N_PLACEMENT_TYPES))
    np.add.at(by_band, co.age_band_of(np.arange(co.N_AGES) + 0.5), care.entries)
    return en.Wanted(
        by_band.sum(axis=1),
        by_band[:, w.AT_HOME],
        back,
        care.rules.entry_return[:, w.AT_HOME],
        care.shapes.unaccompanied,
        care.shapes.unaccompanied_ages,
        more,
    )


def _direct_share(pack: Pack) -> float:
    """Share of starts by direct routes."""
    return sum(pack.value("direct_entry_share", f"route={name}") for name in w.ROUTES[1:])


def _slopes(
    run: Callable[[Mapping[str, float]], fn.Funnel], theta: Mapping[str, float], names: tuple[str, ...]
) -> Array:
    """D ln(pre-entry decisions) / d theta by age band of the lead child, by central differences."""
    out = np.zeros((N_BANDS, len(names)))
    for j, name in enumerate(names):
        up, down = (en.by_band(run({**theta, name: theta[name] + h}).decided) for h in (0.05, -0.05))
        out[:, j] = np.log(up / down) / 0.1
    return out
