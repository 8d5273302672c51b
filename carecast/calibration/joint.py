"""All columns of the joint draws, so that what the fits say together stays together in every row."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from carecast.calibration import draw
from carecast.calibration.arrays import Array
from carecast.calibration.assemble import OWN_TYPES
from carecast.calibration.care_fit import TILTS, CareModel
from carecast.calibration.english_care import UNTILTED
from carecast.calibration.entries import MOST_CARE
from carecast.calibration.fit import Z90, logit
from carecast.calibration.funnel_fit import SHARES, FunnelModel
from carecast.calibration.pack import Pack
from carecast.calibration.spend import price_draws
from carecast.model import words as w
from carecast.model.parameters import N_DRAWS, ParameterSet

DIRECT = ("emergency", "newborn", "remand", "unaccompanied")
COMPLEMENT = {
    "contact": "closed",
    "referral": "assessment",
    "assessment": "support",
    "support": "closed",
    "protection": "closed",
}
SHARE_OF = {
    "contact_to_referral": ("contact", "assessment"),
    "contact_to_early_help": ("contact", "early_help"),
    "referral_no_further_action": ("referral", "closed"),
    "referral_to_early_help": ("referral", "early_help"),
    "assessment_closed": ("assessment", "closed"),
    "assessment_to_early_help": ("assessment", "early_help"),
    "assessment_to_protection": ("assessment", "protection"),
    "assessment_to_pre_entry": ("assessment", "pre_entry"),
    "support_ends_to_early_help": ("support", "early_help"),
    "protection_ends_to_support": ("protection", "support"),
}


def joint_draws(
    pack: Pack,
    parameters: ParameterSet,
    care: CareModel,
    funnel: FunnelModel,
    net_level_sd: float,
    net_level: Array | None = None,
) -> pd.DataFrame:
    """4,096 rows: numbers, hazards, branches, destinations and prices.

    ``net_level_sd``: how far entries and exits may stand from balance at the as-at date, the log of their ratio; half
    of it goes to each. The centre is balance: the stock as counted is expected to stay, but for population.
    ``net_level``: its standard draws, normal unless given.
    """
    columns: dict[str, Array] = {}
    for name, number in parameters.numbers.items():
        drawn = (
            draw.of_number(name, number)
            if not name.startswith("arrivals.") or name.endswith(("_year", "_ln"))
            else None
        )
        if drawn is not None and "_families_per_year" not in name:
            columns[name] = drawn
    care_draws = draw.of_fit("care", care.fitted)
    funnel_draws = draw.of_fit("funnel", funnel.fitted)
    columns |= _levels(care, care_draws)
    columns |= _levels(funnel, funnel_draws)
    columns |= _other_rates(parameters, care, columns)
    columns |= _funnel_branches(funnel, funnel_draws)
    apart = 0.5 * net_level_sd * (draw.normals("levels at the as-at date") if net_level is None else net_level)
    care_draws[:, care.fitted.names.index("starts")] += apart
    for name in columns:
        if name.startswith("rate.exit_"):
            columns[name] = columns[name] * np.exp(-apart)
    starts = np.exp(care_draws[:, care.fitted.names.index("starts")])
    direct = _direct(parameters, starts)
    columns |= direct
    contacts = funnel_draws[:, funnel.fitted.names.index("contacts")]
    columns["arrivals.contact_families_per_year"] = parameters.number("arrivals.contact_families_per_year") * np.exp(
        contacts
    )
    columns |= _pre_entry(parameters, care, funnel, care_draws, funnel_draws, direct)
    tilts = tilt_draws(care.fitted.names, care_draws) if pack.about.nation == "england" else {}
    columns |= _destinations(parameters, tilts)
    by_type = dict(zip(w.PLACEMENT_TYPES, care.cohort.by_type.tolist(), strict=True))
    columns |= price_draws(pack, parameters, by_type)
    columns |= _capacity(pack, parameters)
    draw.check_bounds(columns)
    return pd.DataFrame(columns)


def _levels(model: CareModel | FunnelModel, draws: Array) -> dict[str, Array]:
    """Relative levels of fitted hazards, mean one: a median of one would shorten the mean stay."""
    out: dict[str, Array] = {}
    for at, name in enumerate(model.fitted.names):
        if name.startswith("rate."):
            column = name if name.count(".") > 1 else f"{name}.all"
            out[column] = np.exp(draws[:, at] - 0.5 * model.fitted.covariance[at, at])
    return out


def _other_rates(parameters: ParameterSet, care: CareModel, done: dict[str, Array]) -> dict[str, Array]:
    """Relative levels of hazards that were not fitted, from their own intervals."""
    spreads = {(shape.cause, shape.label): shape.sd_ln for shape in care.shapes.rates}
    out: dict[str, Array] = {}
    for rate in parameters.rates:
        name = f"rate.{rate.cause}.{rate.label}"
        spread = spreads.get((rate.cause, rate.label), 0.12)
        if name not in done and spread > 0 and max(map(max, rate.per_year)) > 0:
            out[name] = np.exp(spread * draw.normals(name) - 0.5 * spread * spread)
    return out


def _funnel_branches(funnel: FunnelModel, draws: Array) -> dict[str, Array]:
    """Branch chances of each row: fitted shares moved on the logit scale, the last outcome taking what is left."""
    found: dict[str, dict[str, Array]] = {}
    for name in ("contact_to_early_help", *SHARES):
        at = funnel.fitted.names.index(name)
        branch, outcome = SHARE_OF[name]
        found.setdefault(branch, {})[outcome] = 1 / (1 + np.exp(-(funnel.fitted.values[at] + draws[:, at])))
    out: dict[str, Array] = {}
    for branch, shares in found.items():
        total = np.sum(list(shares.values()), axis=0)
        shrink = np.where(total > 0.97, 0.97 / total, 1.0)
        shares = {outcome: share * shrink for outcome, share in shares.items()}
        shares[COMPLEMENT[branch]] = 1 - np.sum(list(shares.values()), axis=0)
        for band in w.AGE_BANDS:
            out |= {f"branch.{branch}.{band}.{outcome}": share for outcome, share in shares.items()}
    return out


def _direct(parameters: ParameterSet, starts: Array) -> dict[str, Array]:
    """Families of the direct routes: with starts as a whole, and each with its own uncertainty."""
    out: dict[str, Array] = {}
    for route in DIRECT:
        name = f"arrivals.{route}_families_per_year"
        own = draw.of_number(name, parameters.numbers[name])
        common = starts if route not in ("unaccompanied",) else np.ones(N_DRAWS)
        out[name] = (own if own is not None else np.full(N_DRAWS, parameters.number(name))) * common
    return out


def _pre_entry(
    parameters: ParameterSet,
    care: CareModel,
    funnel: FunnelModel,
    care_draws: Array,
    funnel_draws: Array,
    direct: dict[str, Array],
) -> dict[str, Array]:
    """Chances at a pre-entry decision that leave each row with its own starts.

    care chance = (starts - direct - returning) / (decisions x children per decision), relative to the centre, by age
    band, whatever the row's funnel and direct routes are: uncertainty of the funnel is not added to that of starts.
    """
    entries = funnel.entries
    starts = np.exp(care_draws[:, care.fitted.names.index("starts")])
    home = care_draws[:, care.fitted.names.index("home")]
    pathway = entries.pathway_home + entries.pathway_away
    decisions = np.exp(funnel_draws @ funnel.decisions_by_theta.T)  # relative, [draw][band of the lead]
    wanted = pathway + entries.total * (starts[:, np.newaxis] - 1)
    for route, children in entries.direct.items():
        relative = direct[f"arrivals.{route}_families_per_year"] / entries.families[route] - 1
        wanted = wanted - children * relative[:, np.newaxis]
    relative = np.maximum(wanted, 0.3 * pathway) / pathway
    out: dict[str, Array] = {}
    for branch in parameters.branches:
        if branch.branch != "pre_entry":
            continue
        band = w.AGE_BANDS.index(branch.age_bands[0])
        chance = np.minimum(entries.care_chance[band] * relative[:, band] / decisions[:, band], MOST_CARE)
        at_home = 1 / (1 + np.exp(-(logit(float(entries.home_share[band])) + home)))
        rest = {name: p for name, p in branch.chances.items() if not name.startswith("care_")}
        scale = (1 - chance) / sum(rest.values())
        for age in branch.age_bands:
            stem = f"branch.pre_entry.{age}."
            out |= {stem + name: p * scale for name, p in rest.items()}
            out |= {stem + "care_at_home": chance * at_home, stem + "care_away": chance * (1 - at_home)}
    return out


def tilt_draws(names: Sequence[str], care_draws: Array) -> dict[str, Array]:
    """Log odds by placement type that go with the levels of each row: with more moves out of homes, more into them."""
    return {
        name: care_draws[:, names.index(f"tilt.{group}")]
        for group, types in TILTS.items()
        for name in types
        if f"tilt.{group}" in names
    }


def _destinations(parameters: ParameterSet, tilts: Mapping[str, Array]) -> dict[str, Array]:
    """Dirichlet draws of destinations, one for all age bands of a row, their odds tilted as the levels of the row say."""
    out: dict[str, Array] = {}
    for row in parameters.destinations:
        drawn = draw.of_chances(f"{row.moment}.{row.label}.{row.age_bands[0]}", row.chances, row.pseudo_counts)
        if row.moment not in UNTILTED and drawn:
            drawn = {name: share * np.exp(tilts[name]) if name in tilts else share for name, share in drawn.items()}
            total = np.sum(list(drawn.values()), axis=0)
            drawn = {name: share / total for name, share in drawn.items()}
        for band in row.age_bands:
            out |= {f"destination.{row.moment}.{row.label}.{band}.{name}": share for name, share in drawn.items()}
    return out


def _capacity(pack: Pack, parameters: ParameterSet) -> dict[str, Array]:
    """Usable shares and match chances of own homes, one draw for all providers of a type."""
    out: dict[str, Array] = {}
    for provider in parameters.providers:
        if provider.placement_type not in OWN_TYPES:
            continue
        for field in ("match_chance", "usable_share"):
            figure = pack.find(field, f"placement_type={provider.placement_type}")
            if figure.low is None or figure.high is None or not figure.low < figure.high:
                continue
            z = np.clip(draw.normals(f"{field}.{provider.placement_type}"), -2 * Z90, 2 * Z90)
            out[f"provider.{provider.code}.{field}"] = draw.two_sided(
                z, float(getattr(provider, field)), figure.low, figure.high, "logit"
            )
    return out
