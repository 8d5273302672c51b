"""How each kind of lever and assumption becomes the model's primitives: one function a family of kinds, in ``MAKE``."""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from carecast.model.parameters import Locality, ParameterSet
from carecast.model.plan import (
    AddRate,
    Change,
    ChangePlaces,
    CloseProvider,
    Divert,
    Effect,
    OpenProvider,
    ScaleArrivals,
    ScaleRate,
    SetRadius,
    Window,
)
from carecast.model.words import ADULT, AGE_BANDS, FIRST_RESIDENTIAL, PLACEMENT_TYPES
from carecast.scenarios import levers_money, sizes
from carecast.scenarios.kinds import AT, INSTEAD, OPENS
from carecast.scenarios.scenario import Lever
from carecast.scenarios.sites import Maker, Site, as_ratio, own_foster_pools, pool_places, share_out, window

RESIDENTIAL = PLACEMENT_TYPES[FIRST_RESIDENTIAL:]
STEPS_DOWN_FROM = tuple(name for name in RESIDENTIAL if name != "secure")  # secure care ends by order, not by offer
# Kin, adopters, schools and secure care are where they are for who they are (``rules.is_far``).
FAR_AWAY_TYPES = (
    "foster_own", "foster_agency", "supported_accommodation", "other_community", "childrens_house_own",
    "residential_external", "other_residential",
)  # fmt: skip


# --- what lasts, and how often things happen ----------------------------------------------------
def _scale(lever: Lever, site: Site, causes: Iterable[tuple[str, tuple[str, ...]]], ratio: Effect) -> list[Change]:
    return [
        ScaleRate(site.identity, cause, ratio, window(lever), lever.localities, lever.age_bands, types)
        for cause, types in causes
    ]


def _ratio(lever: Lever, site: Site) -> Effect:
    """The ratio of hazards, diluted by the share of children who are reached."""
    effect = sizes.reached(sizes.size(lever, site.identity, as_hazard=True), lever.reach, is_ratio=True)
    return as_ratio(effect)


def _scales(*causes: str) -> Maker:
    def make(lever: Lever, site: Site) -> list[Change]:
        return _scale(lever, site, ((cause, lever.placement_types) for cause in causes), _ratio(lever, site))

    return make


def _kinship_support(lever: Lever, site: Site) -> list[Change]:
    causes = (("move", ("kinship",)), ("kinship_order_breaks", ()))
    return _scale(lever, site, causes, _ratio(lever, site))


def _shortens(cause: str) -> Maker:
    """Days as a ratio, and places for assessments beside or instead of it."""

    def make(lever: Lever, site: Site) -> list[Change]:
        changes: list[Change] = []
        if lever.multiply_by is not None or (lever.add is None and lever.share is None):
            ratio = sizes.inverse(_ratio(lever, site))
            changes += _scale(lever, site, ((cause, ()),), ratio)
        if lever.add is not None:
            add = sizes.size(lever, site.identity) if lever.size_field == "add" else Effect(lever.add)
            changes += pool_places(lever, site, "assessment", add)
        if lever.share is not None:
            share = sizes.size(lever, site.identity) if lever.size_field == "share" else Effect(lever.share)
            changes += _divert(lever, site, "repeat_assessment_spared", share)
        return changes

    return make


def _lasts(cause: str) -> Maker:
    """Time as a ratio: the hazard of its end is divided by it."""

    def make(lever: Lever, site: Site) -> list[Change]:
        return _scale(lever, site, ((cause, ()),), sizes.inverse(_ratio(lever, site)))

    return make


def _step_down(lever: Lever, site: Site) -> list[Change]:
    return _scale_or_add(lever, site, "step_down", lever.placement_types or STEPS_DOWN_FROM)


def _move_on_housing(lever: Lever, site: Site) -> list[Change]:
    older = lever.model_copy(update={"age_bands": ("16_to_17",)})
    return _scale_or_add(older, site, "exit_independent", lever.placement_types)


def _scale_or_add(lever: Lever, site: Site, cause: str, types: tuple[str, ...]) -> list[Change]:
    if lever.size_field == "multiply_by":
        return _scale(lever, site, ((cause, types),), _ratio(lever, site))
    return _add_rate(lever, site, cause, types)


def _return_within_radius(lever: Lever, site: Site) -> list[Change]:
    return _add_rate(lever, site, "return_within_radius", lever.placement_types or FAR_AWAY_TYPES)


def _add_rate(lever: Lever, site: Site, cause: str, types: tuple[str, ...]) -> list[Change]:
    per_year = sizes.size(lever, site.identity)
    return [AddRate(site.identity, cause, per_year, window(lever), lever.localities, lever.age_bands, types)]


# --- who goes where -----------------------------------------------------------------------------
def _divert(lever: Lever, site: Site, diversion: str, share: Effect) -> list[Change]:
    share = sizes.reached(share, lever.reach, is_ratio=False)
    return [Divert(site.identity, diversion, share, window(lever), lever.localities, lever.age_bands)]


def diversion_of(lever: Lever) -> str:
    """The diversion a lever makes, '' for kinds that make none."""
    named = {
        "family_group_conferences": "pre_entry_to_support",
        "crisis_support": "direct_entry_to_support",
        "pre_birth_work": "newborn_to_support",
        "residential_to_foster": "residential_to_foster",
        "supported_accommodation": "residential_to_supported",
        "family_first": INSTEAD.get(lever.instead, ""),
        "help_instead_of_assessment": AT.get(lever.at or "referral", ""),
    }
    return named.get(lever.kind, "")


def _diverts(lever: Lever, site: Site) -> list[Change]:
    return _divert(lever, site, diversion_of(lever), sizes.size(lever, site.identity))


def _family_group_conferences(lever: Lever, site: Site) -> list[Change]:
    share = sizes.one_minus(sizes.size(lever, site.identity))
    return _divert(lever, site, diversion_of(lever), share)


def _hearings_and_courts(lever: Lever, site: Site) -> list[Change]:
    """Decisions that are care, times a ratio: below 1 some lead to support; above 1 others lead to care.

    To make a chance p into ratio x p, (ratio - 1) x p / (1 - p) of the other decisions must become care, age by age.
    """
    ratio = sizes.size(lever, site.identity)
    if ratio.median <= 1.0:
        return _divert(lever, site, "pre_entry_to_support", sizes.one_minus(ratio))
    changes: list[Change] = []
    for band in lever.age_bands or AGE_BANDS[:ADULT]:
        chance = care_chance(site, band)
        if 0.0 < chance < 1.0:
            share = sizes.brought_in(ratio, chance)
            one_age = lever.model_copy(update={"age_bands": (band,)})
            changes += _divert(one_age, site, "pre_entry_to_care", share)
    return changes


def care_chance(site: Site, band: str) -> float:
    """Central chance that a pre-entry decision about a child of an age is to look after it, at home or away."""
    for branch in site.parameters.branches:
        if branch.branch == "pre_entry" and (not branch.age_bands or band in branch.age_bands):
            return sum(branch.chances.get(name, 0.0) for name in ("care_at_home", "care_away"))
    return 0.0


def _transfers(lever: Lever, site: Site) -> list[Change]:
    """Children a year as a ratio of those who arrive alone today, or the share that stays."""
    effect = sizes.size(lever, site.identity)
    if lever.size_field == "share":
        ratio = sizes.left_over(effect)
    else:
        arriving = site.parameters.number("arrivals.unaccompanied_families_per_year")
        if arriving <= 0:
            site.notes.append("changes nothing: no unaccompanied children arrive there, so there is nothing to scale")
            return []
        ratio = sizes.one_plus(effect, 1.0 / arriving)
    return [ScaleArrivals(site.identity, "unaccompanied", as_ratio(ratio), window(lever), lever.localities)]


def _arrivals(*routes: str) -> Maker:
    def make(lever: Lever, site: Site) -> list[Change]:
        ratio = as_ratio(sizes.size(lever, site.identity))
        where = (lever.localities, lever.age_bands)
        return [ScaleArrivals(site.identity, route, ratio, window(lever), *where) for route in routes]

    return make


# --- places -------------------------------------------------------------------------------------
def _early_help_places(lever: Lever, site: Site) -> list[Change]:
    return pool_places(lever, site, "early_help", sizes.size(lever, site.identity))


def _foster_places(lever: Lever, site: Site, add: Effect, within: Window) -> list[Change]:
    pools = own_foster_pools(site.parameters, lever.localities)
    parts = share_out(add, [pool.places or 0 for pool in pools])
    return [
        ChangePlaces(site.identity, pool.code, part, within, (pool.locality,) if pool.locality else ())
        for pool, part in zip(pools, parts, strict=True)
    ]


def _staffing(lever: Lever, site: Site) -> list[Change]:
    places = sizes.scaled(sizes.size(lever, site.identity), lever.families_per_worker or 0.0)
    return pool_places(lever, site, lever.service, places)


def leaving(lever: Lever, site: Site) -> list[Change]:
    """Staff redeployed into a lever leave a service: so many places fewer there, as long as the lever holds."""
    if lever.redeployed_fte is None:
        return []
    less = Effect(-lever.redeployed_fte * (lever.redeployed_families_per_worker or 0.0))
    return pool_places(lever, site, lever.redeployed_from, less, replace(window(lever), ramp_months=0))


def _foster_recruitment(lever: Lever, site: Site) -> list[Change]:
    return _foster_places(lever, site, sizes.size(lever, site.identity), window(lever))


def _foster_retention(lever: Lever, site: Site) -> list[Change]:
    """Places x exits a year x (1 - ratio) x years, reached in equal monthly steps over the lever's window."""
    last = min(lever.to_date or site.until, site.until)
    months = max(1, (last.year - lever.from_date.year) * 12 + last.month - lever.from_date.month + 1)
    places = sum(pool.places or 0 for pool in own_foster_pools(site.parameters, lever.localities))
    kept_share = sizes.one_minus(sizes.size(lever, site.identity))
    kept = sizes.scaled(kept_share, places * (lever.exits_per_year or 0.0) * months / 12)
    within = Window(lever.from_date.toordinal(), None, months)  # those kept stay after the lever ends
    return _foster_places(lever, site, kept, within)


def open_date(lever: Lever) -> dt.date:
    """The day the first child can move in."""
    return sizes.add_months(lever.from_date, lever.lead_months)


def house_code(lever: Lever) -> str:
    """The provider code of a house that a lever opens."""
    prefix = "house_" if lever.kind == "open_childrens_house" else "home_"
    return prefix + "_".join("".join(c if c.isalnum() else " " for c in lever.name.lower()).split())


def stands_at(lever: Lever, parameters: ParameterSet) -> tuple[str, float, float]:
    """(locality, easting, northing) of a house: as given, or the middle of where children live.

    Without a locality it is the one whose middle is nearest to the house; without a position the house stands at the
    middle of its locality, or of the whole council.
    """
    named = [place for place in parameters.localities if not lever.locality or place.name == lever.locality]
    east, north = middle(named)
    if lever.easting_m is not None and lever.northing_m is not None:
        east, north = lever.easting_m, lever.northing_m
    nearest = min(named, key=lambda place: math.dist(middle([place]), (east, north)))
    return nearest.name, east, north


def middle(places: Sequence[Locality]) -> tuple[float, float]:
    """Mean position of the children of some localities, OSGB metres to the nearest metre."""
    zones = [zone for place in places for zone in place.zones]
    children = sum(zone.children for zone in zones) or 1.0
    east = sum(zone.easting_m * zone.children for zone in zones) / children
    north = sum(zone.northing_m * zone.children for zone in zones) / children
    return float(round(east)), float(round(north))


def _open_house(lever: Lever, site: Site) -> list[Change]:
    locality, easting_m, northing_m = stands_at(lever, site.parameters)
    kind = OPENS[lever.kind]
    like = [p for p in site.parameters.providers if p.placement_type == kind]
    usable = like[0].usable_share if like else 1.0
    match = like[0].match_chance if like else 1.0
    row: dict[str, object] = {
        "code": house_code(lever),
        "name": lever.name,
        "placement_type": kind,
        "locality": locality,
        "easting_m": easting_m,
        "northing_m": northing_m,
        "places": lever.places,
        "usable_share": usable if lever.usable_share is None else lever.usable_share,
        "match_chance": match if lever.match_chance is None else lever.match_chance,
        "fixed_weekly_cost_gbp": lever.fixed_weekly_cost_gbp,
        "weekly_cost_gbp": lever.weekly_cost_gbp,
        "price_year": lever.price_year or site.parameters.price_base_year,
        "uplift": "pay",
        "funder_shares": {"social_work": 1.0},
        "source": lever.source or lever.because or site.identity,
        "how": "assumed",
    }
    return [OpenProvider(site.identity, row, open_date(lever).toordinal())]


def _enlarge_house(lever: Lever, site: Site) -> list[Change]:
    add = sizes.size(lever, site.identity)
    return [ChangePlaces(site.identity, lever.provider, add, window(lever, lever.lead_months))]


def _close_house(lever: Lever, site: Site) -> list[Change]:
    close = sizes.add_months(lever.from_date, lever.notice_months)
    stops = sizes.add_months(close, lever.cost_stops_months)
    days = (lever.from_date.toordinal(), close.toordinal(), stops.toordinal())
    return [CloseProvider(site.identity, lever.provider, *days)]


def _placement_radius(lever: Lever, site: Site) -> list[Change]:
    return [SetRadius(site.identity, lever.miles or 0.0, window(lever), lever.refuse_own_beyond)]


def _nothing(lever: Lever, site: Site) -> list[Change]:
    return []


MAKE: dict[str, Maker] = {
    "early_help_places": _early_help_places,
    "early_help_sooner": _shortens("early_help_ends"),
    "early_help_support": _scales("early_help_steps_up"),
    "help_instead_of_assessment": _diverts,
    "universal_prevention": _arrivals("contact"),
    "one_assessment": _shortens("assessment_ends"),
    "pre_birth_work": _diverts,
    "short_breaks": _scales("support_to_pre_entry"),
    "edge_of_care_support": _scales("support_to_pre_entry", "protection_to_pre_entry"),
    "family_group_conferences": _family_group_conferences,
    "family_first": _diverts,
    "crisis_support": _diverts,
    "kinship_support": _kinship_support,
    "placement_stability": _scales("move"),
    "foster_recruitment": _foster_recruitment,
    "foster_retention": _foster_retention,
    "open_childrens_house": _open_house,
    "enlarge_childrens_house": _enlarge_house,
    "close_childrens_house": _close_house,
    "placement_radius": _placement_radius,
    "return_within_radius": _return_within_radius,
    "step_down": _step_down,
    "residential_to_foster": _diverts,
    "supported_accommodation": _diverts,
    "open_supported_accommodation": _open_house,
    "move_on_housing": _move_on_housing,
    "reunification": _scales("exit_home"),
    "reunification_support": _scales("re_entry"),
    "permanence_sooner": _scales("exit_kinship_order", "exit_adoption"),
    "continuing_care": _lasts("continuing_care_ends"),
    "framework_prices": levers_money.prices,
    "high_cost_review": levers_money.high_cost_review,
    "funder_contributions": levers_money.funder_contributions,
    "pooled_budgets": levers_money.pooled_budgets,
    "decommissioning": levers_money.decommissioning,
    "staffing": _staffing,
    "programme_team": _nothing,
    "referrals": _arrivals("contact"),
    "unaccompanied_children": _arrivals("unaccompanied"),
    "transfers": _transfers,
    "hearings_and_courts": _hearings_and_courts,
    "time_to_a_decision": _lasts("pre_entry_decided"),
    "disadvantage": _arrivals("contact", "emergency", "newborn", "remand"),
    "prices": levers_money.prices,
    "pay": levers_money.prices,
}
