"""How levers and assumptions about money become the model's primitives: prices, who pays, contracts that end."""

import datetime as dt
import math
from collections.abc import Iterable

from carecast.model.parameters import Provider
from carecast.model.plan import Change, Effect, MoveFunding, ScalePrice, Window
from carecast.scenarios import sizes
from carecast.scenarios.scenario import Lever
from carecast.scenarios.sites import Site, as_ratio, pool_places, window

UPLIFTS = ("pay", "prices", "external")


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


def prices(lever: Lever, site: Site) -> list[Change]:
    """A step of price, or a rise each year, on some lines."""
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


# --- the dearest placements ---------------------------------------------------------------------
def high_cost_review(lever: Lever, site: Site) -> list[Change]:
    """Each provider's price x 1 - reach x share of its spend above the weekly price x (1 - ratio)."""
    reached = set(price_lines(site, lever.lines or ("external",)))
    found = [p for p in site.parameters.providers if {"*", p.code, p.placement_type} & reached]
    changes: list[Change] = []
    for provider in found:
        share = lever.reach * share_of_spend_above(provider, lever.weekly_cost_over_gbp or 0.0)
        if share < LEAST_SHARE:
            continue
        ratio = as_ratio(sizes.reached(sizes.size(lever, site.identity), share, is_ratio=True))
        changes.append(ScalePrice(site.identity, provider.code, ratio, window(lever), False))
    if not changes:
        site.notes.append(
            f"changes nothing: no placement there is dearer than £{lever.weekly_cost_over_gbp:,.0f} a week"
        )
    return changes


LEAST_SHARE = 1e-6


def share_of_spend_above(provider: Provider, weekly_gbp: float) -> float:
    """Share of what is paid to a provider that goes to placements dearer than a weekly price (of its own price year).

    A placement's price is the mean times a mean-one lognormal multiplier, so the share is
    Phi((ln(mean / price) + sigma^2 / 2) / sigma); without a spread it is all or nothing.
    """
    mean, sigma = provider.weekly_cost_gbp, provider.price_sigma_ln
    if mean <= 0 or weekly_gbp <= 0:
        return float(mean > 0)
    if sigma <= 0:
        return float(mean > weekly_gbp)
    z = (math.log(mean / weekly_gbp) + sigma * sigma / 2) / sigma
    return 0.5 * (1.0 + math.erf(z / math.sqrt(2.0)))


# --- who pays -----------------------------------------------------------------------------------
def funder_contributions(lever: Lever, site: Site) -> list[Change]:
    """A share of what social work pays on some lines, paid by another funder."""
    share = sizes.size(lever, site.identity)
    lines = price_lines(site, lever.lines)
    return [MoveFunding(site.identity, line, lever.contributor, share, window(lever)) for line in lines]


def pooled_budgets(lever: Lever, site: Site) -> list[Change]:
    """The partners' shares one after another, each of what those before it leave to social work."""
    changes: list[Change] = []
    for line in price_lines(site, lever.lines):
        left = 1.0
        for funder, share in lever.pool.partners if lever.pool else ():
            part = Effect(min(share / left, 1.0), key=site.identity)
            changes.append(MoveFunding(site.identity, line, funder, part, window(lever)))
            left -= share
    return changes


# --- what ends ----------------------------------------------------------------------------------
def decommissioning(lever: Lever, site: Site) -> list[Change]:
    """A share of yearly contracts ends after notice, or places of a service do."""
    within = window(lever, lever.notice_months)
    if lever.service:
        less = Effect(-float(lever.places or 0), key=site.identity)
        return pool_places(lever, site, lever.service, less, within)
    ratio = as_ratio(sizes.left_over(sizes.size(lever, site.identity)))
    return [ScalePrice(site.identity, line, ratio, within, False) for line in price_lines(site, lever.lines)]
