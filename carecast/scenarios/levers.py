"""How each kind of lever and assumption becomes the model's primitives: one function a family of kinds, in ``MAKE``."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from carecast.model.parameters import ParameterSet, Provider, ServicePool
from carecast.model.plan import (
    AddRate,
    Change,
    ChangePlaces,
    CloseProvider,
    Divert,
    Effect,
    OpenProvider,
    ScaleArrivals,
    ScalePrice,
    ScaleRate,
    SetRadius,
    Window,
)
from carecast.model.words import FIRST_RESIDENTIAL, PLACEMENT_TYPES
from carecast.scenarios import sizes
from carecast.scenarios.kinds import AT, INSTEAD
from carecast.scenarios.scenario import Lever

RESIDENTIAL = PLACEMENT_TYPES[FIRST_RESIDENTIAL:]
STEPS_DOWN_FROM = tuple(name for name in RESIDENTIAL if name != "secure")  # secure care ends by order, not by offer
UPLIFTS = ("pay", "prices", "external")
# Kin, adopters, schools and secure care are where they are for who they are (``rules.is_far``).
FAR_AWAY_TYPES = (
    "foster_own", "foster_agency", "supported_accommodation", "other_community", "childrens_house_own",
    "residential_external", "other_residential",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """Where a lever is put to work: one council's parameter set, the run's last day, and what was worth saying."""

    parameters: ParameterSet
    until: dt.date
    identity: str
    opened: tuple[str, ...] = ()  # provider codes of houses that the scenario's levers open
    notes: list[str] = field(default_factory=list)


def window(lever: Lever, delay_months: int = 0) -> Window:
    """The days a lever is in force, and its ramp."""
    first = sizes.add_months(lever.from_date, delay_months)
    last = None if lever.to_date is None else lever.to_date.toordinal()
    return Window(first.toordinal(), last, lever.ramp_months)


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


def as_ratio(effect: Effect) -> Effect:
    """A ratio that keeps 1 as its 'no effect' even when it is certain otherwise."""
    if effect.shape == "fixed":
        return Effect(effect.median, None, None, "lognormal", effect.key, effect.no_effect_chance)
    return effect


def _scales(*causes: str) -> "Maker":
    def make(lever: Lever, site: Site) -> list[Change]:
        return _scale(lever, site, ((cause, lever.placement_types) for cause in causes), _ratio(lever, site))

    return make


def _kinship_support(lever: Lever, site: Site) -> list[Change]:
    causes = (("move", ("kinship",)), ("kinship_order_breaks", ()))
    return _scale(lever, site, causes, _ratio(lever, site))


def _shortens(cause: str) -> "Maker":
    """Days as a ratio, and places for assessments beside or instead of it."""

    def make(lever: Lever, site: Site) -> list[Change]:
        changes: list[Change] = []
        if lever.multiply_by is not None or lever.add is None:
            ratio = sizes.inverse(_ratio(lever, site))
            changes += _scale(lever, site, ((cause, ()),), ratio)
        if lever.add is not None:
            add = sizes.size(lever, site.identity) if lever.size_field == "add" else Effect(lever.add)
            changes += _pool_places(lever, site, "assessment", add)
        return changes

    return make


def _continuing_care(lever: Lever, site: Site) -> list[Change]:
    return _scale(lever, site, (("continuing_care_ends", ()),), sizes.inverse(_ratio(lever, site)))


def _step_down(lever: Lever, site: Site) -> list[Change]:
    types = lever.placement_types or STEPS_DOWN_FROM
    if lever.size_field == "multiply_by":
        return _scale(lever, site, (("step_down", types),), _ratio(lever, site))
    return _add_rate(lever, site, "step_down", types)


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
        "residential_to_foster": "residential_to_foster",
        "family_first": INSTEAD.get(lever.instead, ""),
        "help_instead_of_assessment": AT.get(lever.at or "referral", ""),
    }
    return named.get(lever.kind, "")


def _diverts(lever: Lever, site: Site) -> list[Change]:
    return _divert(lever, site, diversion_of(lever), sizes.size(lever, site.identity))


def _family_group_conferences(lever: Lever, site: Site) -> list[Change]:
    share = sizes.one_minus(sizes.size(lever, site.identity))
    return _divert(lever, site, diversion_of(lever), share)


def _arrivals(*routes: str) -> "Maker":
    def make(lever: Lever, site: Site) -> list[Change]:
        ratio = as_ratio(sizes.size(lever, site.identity))
        where = (lever.localities, lever.age_bands)
        return [ScaleArrivals(site.identity, route, ratio, window(lever), *where) for route in routes]

    return make


# --- places -------------------------------------------------------------------------------------
def own_foster_pools(parameters: ParameterSet, localities: tuple[str, ...]) -> list[Provider]:
    """The council's own foster pools in some localities (all when none is named) that have a number of places."""
    return [
        provider
        for provider in parameters.providers
        if provider.placement_type == "foster_own"
        and provider.places is not None
        and (not localities or not provider.locality or provider.locality in localities)
    ]


def service_pools(parameters: ParameterSet, service: str, localities: tuple[str, ...]) -> list[ServicePool]:
    """Pools of a service that serve some localities (all when none is named) and have a number of places."""
    return [
        pool
        for pool in parameters.service_pools
        if pool.service == service and pool.places is not None and _serves(pool, localities)
    ]


def _serves(pool: ServicePool, localities: tuple[str, ...]) -> bool:
    return not localities or not pool.localities or bool(set(localities) & set(pool.localities))


def share_out(add: Effect, weights: list[int]) -> list[Effect]:
    """A number of places over several pools, in proportion to what each has (evenly when none has any)."""
    total = sum(weights)
    if not total:
        return [sizes.scaled(add, 1.0 / len(weights)) for _ in weights]
    return [sizes.scaled(add, weight / total) for weight in weights]


def _pool_places(lever: Lever, site: Site, service: str, add: Effect) -> list[Change]:
    pools = service_pools(site.parameters, service, lever.localities)
    changes: list[Change] = []
    for pool, part in zip(pools, share_out(add, [pool.places or 0 for pool in pools]), strict=True):
        alone = [other.code for other in service_pools(site.parameters, service, pool.localities)] == [pool.code]
        target = service if alone else pool.code
        changes.append(ChangePlaces(site.identity, target, part, window(lever), pool.localities))
    if not pools:
        site.notes.append(f"changes nothing: {service.replace('_', ' ')} has no limit there")
    return changes


def _early_help_places(lever: Lever, site: Site) -> list[Change]:
    return _pool_places(lever, site, "early_help", sizes.size(lever, site.identity))


def _foster_places(lever: Lever, site: Site, add: Effect, within: Window) -> list[Change]:
    pools = own_foster_pools(site.parameters, lever.localities)
    parts = share_out(add, [pool.places or 0 for pool in pools])
    return [
        ChangePlaces(site.identity, pool.code, part, within, (pool.locality,) if pool.locality else ())
        for pool, part in zip(pools, parts, strict=True)
    ]


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
    return "house_" + "_".join("".join(c if c.isalnum() else " " for c in lever.name.lower()).split())


def _open_house(lever: Lever, site: Site) -> list[Change]:
    like = [p for p in site.parameters.providers if p.placement_type == "childrens_house_own"]
    usable = like[0].usable_share if like else 1.0
    match = like[0].match_chance if like else 1.0
    row: dict[str, object] = {
        "code": house_code(lever),
        "name": lever.name,
        "placement_type": "childrens_house_own",
        "locality": lever.locality,
        "easting_m": lever.easting_m,
        "northing_m": lever.northing_m,
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


# --- prices -------------------------------------------------------------------------------------
def price_lines(site: Site, names: Iterable[str]) -> list[str]:
    """What a price change reaches: ``external``, ``prices`` and ``pay`` stand for all rows of that uplift."""
    parameters = site.parameters
    rows = [(provider.code, provider.uplift) for provider in parameters.providers]
    rows += [(line.line, line.uplift) for line in parameters.cost_lines]
    rows += [(code, "pay") for code in site.opened]
    lines: list[str] = []
    for name in names:
        lines += [line for line, uplift in rows if uplift == name] if name in UPLIFTS else [name]
    return list(dict.fromkeys(lines))


def _prices(lever: Lever, site: Site) -> list[Change]:
    lines = price_lines(site, lever.lines or ("pay",))
    effect = sizes.size(lever, site.identity)
    if lever.size_field == "per_year":
        steps = list(_yearly_steps(lever, site.until))
        ratio = as_ratio(sizes.faster(effect))
    else:
        steps, ratio = [window(lever)], as_ratio(effect)
    assumed = lever.row.is_assumption
    return [ScalePrice(site.identity, line, ratio, step, assumed) for line in lines for step in steps]


def _yearly_steps(lever: Lever, until: dt.date) -> Iterable[Window]:
    """A window from each anniversary on: together they compound. No step begins after ``to``; steps taken stay."""
    last = min(lever.to_date or until, until)
    day, year = lever.from_date, 0
    while day <= last:
        yield Window(day.toordinal())
        year += 1
        day = sizes.add_months(lever.from_date, 12 * year)


def _nothing(lever: Lever, site: Site) -> list[Change]:
    return []


Maker = Callable[[Lever, Site], list[Change]]
MAKE: dict[str, Maker] = {
    "early_help_places": _early_help_places,
    "early_help_sooner": _shortens("early_help_ends"),
    "early_help_support": _scales("early_help_steps_up"),
    "help_instead_of_assessment": _diverts,
    "universal_prevention": _arrivals("contact"),
    "one_assessment": _shortens("assessment_ends"),
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
    "reunification": _scales("exit_home"),
    "reunification_support": _scales("re_entry"),
    "permanence_sooner": _scales("exit_kinship_order", "exit_adoption"),
    "continuing_care": _continuing_care,
    "framework_prices": _prices,
    "programme_team": _nothing,
    "referrals": _arrivals("contact"),
    "unaccompanied_children": _arrivals("unaccompanied"),
    "disadvantage": _arrivals("contact", "emergency", "newborn", "remand"),
    "prices": _prices,
    "pay": _prices,
}
