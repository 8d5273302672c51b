"""Prices against published spend: factors that reproduce it, and draws of prices that go on reproducing it.

Social work spend of a year at a steady stock, residential and community apart, in pounds:

    spend = 365/7 x sum over providers of (children x weekly price x social work's share + fixed weekly cost)

Published spend is known better than the price of any home, so draws of prices are anchored: what own houses cost more,
bought homes cost less, and the total keeps to what was spent, within a few per cent for what the line may hold besides.
"""

from collections.abc import Mapping

import numpy as np

from carecast.calibration import draw
from carecast.calibration.arrays import Array
from carecast.calibration.assemble import funders
from carecast.calibration.figures import Row
from carecast.calibration.fit import log_sd
from carecast.calibration.pack import Pack
from carecast.model import words as w
from carecast.model.parameters import N_DRAWS, ParameterSet

WEEKS = 365 / 7
SCALED = {  # kinds whose prices are scaled to published spend
    "residential": ("residential_external", "residential_school", "other_residential"),
    "community": ("foster_own", "foster_agency", "kinship"),
}
FACTOR_BOUNDS = (0.8, 1.25)
DRAWN_FACTOR_BOUNDS = (0.55, 1.7)
FIXED_COST_SD = 0.12  # log: the running cost of a house, of which the weekly price is a small part
SPEND_SD = 0.03  # log: what published spend may hold besides, or leave out


def setting_of(kind: str) -> str:
    """Residential or community (LGBF CHN9)."""
    return "residential" if w.PLACEMENT_TYPES.index(kind) >= w.FIRST_RESIDENTIAL else "community"


def published_spend(pack: Pack, setting: str, year: str) -> float | None:
    """Published social work spend of a setting in a year; none where no figure is given."""
    found = [figure.value for figure in pack.all_of(f"gross_cost_{setting}") if figure.period == year]
    return found[0] if found else None


def _children(rows: tuple[Row, ...], stock_by_type: Mapping[str, float]) -> dict[str, float]:
    """Children by provider: the stock of its type, by places where there are several."""
    out = {}
    for row in rows:
        kind = row.text("placement_type")
        peers = [r for r in rows if r.text("placement_type") == kind]
        places = sum(r.number("places", 0.0) for r in peers)
        share = row.number("places", 0.0) / places if places else 1 / len(peers)
        out[row.text("provider")] = stock_by_type[kind] * share
    return out


def spend(pack: Pack, stock_by_type: Mapping[str, float], factors: Mapping[str, float]) -> dict[str, float]:
    """Spend by setting with the pack's prices times ``factors`` by provider."""
    rows = pack.tables["providers.csv"]
    children = _children(rows, stock_by_type)
    total = {"residential": 0.0, "community": 0.0}
    for row in rows:
        name, factor = row.text("provider"), factors.get(row.text("provider"), 1.0)
        weekly = children[name] * row.number("weekly_cost_gbp") * funders(row).get("social_work", 0.0)
        total[setting_of(row.text("placement_type"))] += (
            WEEKS * factor * (weekly + row.number("fixed_weekly_cost_gbp", 0.0))
        )
    return total


def price_factors(
    pack: Pack, stock_by_type: Mapping[str, float], year: str
) -> tuple[dict[str, float], dict[str, float]]:
    """Factors on scaled prices, by provider, that reproduce published spend; and what is left over by setting."""
    factors: dict[str, float] = {}
    left = {}
    plain = spend(pack, stock_by_type, {})
    for setting, kinds in SCALED.items():
        published = published_spend(pack, setting, year)
        if published is None:
            continue
        scaled = [row.text("provider") for row in pack.tables["providers.csv"] if row.text("placement_type") in kinds]
        others = spend(pack, stock_by_type, dict.fromkeys(scaled, 0.0))[setting]
        factor = float(np.clip((published - others) / (plain[setting] - others), *FACTOR_BOUNDS))
        factors |= dict.fromkeys(scaled, round(factor, 4))
        left[setting] = spend(pack, stock_by_type, factors)[setting] - published
    return factors, left


def price_draws(pack: Pack, parameters: ParameterSet, stock_by_type: Mapping[str, float]) -> dict[str, Array]:
    """Columns ``price.CODE``: mean prices of providers, anchored to published spend, and of cost lines."""
    rows = {row.text("provider"): row for row in pack.tables["providers.csv"]}
    children = _children(pack.tables["providers.csv"], stock_by_type)
    ratios = {code: _ratio(row) for code, row in rows.items()}
    for setting, kinds in SCALED.items():
        published = published_spend(pack, setting, parameters.price_base_year)
        if published is None:
            continue
        aim = published * np.exp(SPEND_SD * draw.normals(f"spend.{setting}"))
        scaled, others = np.zeros(N_DRAWS), np.zeros(N_DRAWS)
        for provider in parameters.providers:
            if setting_of(provider.placement_type) != setting:
                continue
            weekly = children[provider.code] * provider.weekly_cost_gbp * provider.funder_shares.get("social_work", 0.0)
            cost = WEEKS * (weekly + provider.fixed_weekly_cost_gbp) * ratios[provider.code]
            if provider.placement_type in kinds:
                scaled += cost
            else:
                others += cost
        factor = np.clip((aim - others) / scaled, *DRAWN_FACTOR_BOUNDS)
        for code, row in rows.items():
            if row.text("placement_type") in kinds:
                ratios[code] = ratios[code] * factor
    out: dict[str, Array] = {
        f"price.{p.code}": p.weekly_cost_gbp * ratios[p.code]
        for p in parameters.providers
        if p.weekly_cost_gbp > 0 and float(np.ptp(ratios[p.code])) > 0
    }
    for line in parameters.cost_lines:
        if line.interval_80 is not None:
            sd = log_sd(line.interval_80[0], line.interval_80[1], line.price_gbp)
            out[f"price.{line.line}"] = line.price_gbp * np.exp(sd * draw.normals(f"price.{line.line}"))
    return out


def _ratio(row: Row) -> Array:
    """Relative draws of a provider's mean price; homes of one kind move together."""
    price = row.number("weekly_cost_gbp")
    low, high = (row.number(f"weekly_cost_{end}_gbp", 0.0) or None for end in ("low", "high"))
    sd = log_sd(low, high, price, 0.0)
    if row.number("fixed_weekly_cost_gbp", 0.0) > 0:
        sd = min(sd, FIXED_COST_SD)
    out: Array = np.exp(sd * draw.normals(f"price.{row.text('placement_type')}")) if sd > 0 else np.ones(N_DRAWS)
    return out
