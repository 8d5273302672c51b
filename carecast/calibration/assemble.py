"""From a pack's tables to the parts of a parameter set that need no fitting: places, people, prices."""

import datetime as dt
from collections.abc import Mapping
from typing import cast

import numpy as np

from carecast.calibration.arrays import Array
from carecast.calibration.figures import Figure, Row
from carecast.calibration.pack import Pack
from carecast.model import words as w
from carecast.model.parameters import (
    BadFile,
    Budget,
    CostLine,
    Locality,
    Number,
    Observed,
    Population,
    Provider,
    Series,
    ServicePool,
    Zone,
)

BANDS = ((0, 1), (1, 5), (5, 10), (10, 16), (16, 18))
OWN_TYPES = ("foster_own", "childrens_house_own")
UPLIFT_OF_TYPE = {
    "foster_agency": "external",
    "residential_external": "external",
    "residential_school": "external",
    "secure": "external",
    "other_residential": "external",
    "unregistered": "external",
    "supported_accommodation": "external",
    "childrens_house_own": "pay",
}
NOT_MODELLED = (
    "children's own voice and experience",
    "children's outcomes",
    "inspection recommendations",
    "the quality of relationships with workers and carers",
)


def number(figure: Figure, factor: float = 1.0, unit: str | None = None, note: str = "") -> Number:
    """A figure as a number of the model, in the model's unit."""
    if figure.value is None:
        raise BadFile(f"figure {figure.key} has no value: give one in an override file")
    interval = None
    if figure.low is not None and figure.high is not None:
        interval = (figure.low * factor, figure.high * factor)
    return Number(
        value=figure.value * factor,
        unit=unit or figure.unit or "number",
        interval_80=interval,
        source=figure.source,
        how=figure.how,
        date=figure.period,
        note=note or figure.note,
    )


# --- places and people ------------------------------------------------------------
def localities(pack: Pack) -> tuple[tuple[Locality, ...], tuple[int, ...]]:
    """Localities with zones, deprivation and children by age band and year."""
    zones: dict[str, list[Zone]] = {}
    for row in pack.tables["localities.csv"]:
        zone = Zone(
            name=row.text("zone"),
            easting_m=row.number("easting_m"),
            northing_m=row.number("northing_m"),
            children=row.number("children_0_17"),
        )
        zones.setdefault(row.text("locality"), []).append(zone)
    quintiles = {name: [0.0] * 5 for name in zones}
    for row in pack.tables["deprivation.csv"]:
        if row.text("locality") in quintiles:
            quintiles[row.text("locality")][int(row.number("quintile")) - 1] = row.number("children")
    people, years = population(pack, tuple(zones))
    made = []
    for name, places in zones.items():
        bands = dict(zip(w.AGE_BANDS, (tuple(row) for row in people[name].round(2).tolist()), strict=False))
        made.append(
            Locality(
                name=name,
                zones=tuple(places),
                population=Population.model_validate(bands),
                quintile_children=cast(tuple[float, float, float, float, float], tuple(quintiles[name])),
            )
        )
    return tuple(made), years


def population(pack: Pack, names: tuple[str, ...]) -> tuple[dict[str, Array], tuple[int, ...]]:
    """Children by [age band][year] for each locality.

    Single years of age are published for the base year only. They are aged on: a child of 7 in 2022 is 10 in 2025, and
    those born since share what is left of the council's projected total aged 0-15; 16 and 17 follow their own
    projection. Years before the base year keep its age mix at the council's total.
    """
    rows = pack.tables["population.csv"]
    base = max(int(row.number("year")) for row in rows if row.text("age_years_from") == row.text("age_years_to"))
    single: dict[str, Array] = {name: np.zeros(18) for name in names}
    totals: dict[tuple[int, int, int], float] = {}
    for row in rows:
        first, last, year = (int(row.number(c)) for c in ("age_years_from", "age_years_to", "year"))
        if row.text("locality") in single and year == base and first == last:
            single[row.text("locality")][first] += row.number("persons")
        elif row.text("locality") not in single:
            totals[(year, first, last)] = row.number("persons")
    shares = {name: ages.sum() / sum(a.sum() for a in single.values()) for name, ages in single.items()}
    council = np.sum(list(single.values()), axis=0)
    years = tuple(sorted({year for year, _, _ in totals} | {base}))
    out: dict[str, Array] = {name: np.zeros((5, len(years))) for name in names}
    for at, year in enumerate(years):
        ages = _aged(council, year - base, totals, year)
        for name in names:
            mix = np.where(council > 0, single[name] / np.maximum(council, 1e-9), shares[name])
            weight = shares[name] if year != base else mix
            for band, (first, end) in enumerate(BANDS):
                out[name][band, at] = float((ages * weight)[first:end].sum())
    return out, years


def _aged(council: Array, years_on: int, totals: Mapping[tuple[int, int, int], float], year: int) -> Array:
    """Single years of age of the council in another year."""
    if years_on == 0:
        return council
    young, old, whole = (totals.get((year, *ages), 0.0) for ages in ((0, 15), (16, 17), (0, 17)))
    if years_on < 0 or not young:
        total = whole or (young * council.sum() / council[:16].sum() if young else council.sum())
        scaled: Array = council * (total / council.sum())
        return scaled
    ages = np.zeros(18)
    ages[years_on:] = council[: 18 - years_on] if years_on < 18 else 0.0
    born = max(young - ages[years_on:16].sum(), 0.3 * council[0] * min(years_on, 16))
    ages[: min(years_on, 16)] = born / min(years_on, 16)
    ages[:16] *= young / ages[:16].sum()
    ages[16:] = old / 2 if old else ages[16:]
    out: Array = ages
    return out


def relative_risk(pack: Pack) -> Series:
    """Rate of entry by deprivation quintile, relative to the mean of the other four fifths."""
    most = pack.find("entry_rate_most_deprived_fifth")
    values = (pack.value(most.id), *(pack.value("relative_risk", f"quintile={q}") for q in range(2, 6)))
    return Series(
        values=values,
        unit="relative rate, quintile 1 (most deprived) to 5",
        source=most.source,
        how="assumed",
        note="Quintile 1 against the rest is derived; the fall over quintiles 2 to 5 is assumed",
    )


# --- providers and services ------------------------------------------------------------
def providers(
    pack: Pack, factors: Mapping[str, float], names: tuple[str, ...], usable: Mapping[str, float]
) -> tuple[Provider, ...]:
    """Providers of the pack, prices times ``factors``, own homes with the fitted ``usable`` share of their kind."""
    return tuple(_provider(pack, row, factors, names, usable) for row in pack.tables["providers.csv"])


def _provider(
    pack: Pack, row: Row, factors: Mapping[str, float], names: tuple[str, ...], fitted_usable: Mapping[str, float]
) -> Provider:
    kind = row.text("placement_type")
    if kind not in w.PLACEMENT_TYPES:
        raise BadFile(f"{row.file}: row {row.line}, column placement_type: {kind!r} is not a placement type")
    limited = row.text("limited") == "true"
    factor = factors.get(row.text("provider"), 1.0)
    spread = [f for f in pack.all_of("price_spread") if f.breakdown == f"placement_type={kind}"]
    place = row.text("locality") if row.text("locality") in names else ""
    match = _by_type(pack, row, "match_chance", kind)
    usable = fitted_usable.get(kind, row.number("usable_share", 1.0))
    has_position = bool(row.text("easting_m")) and kind != "foster_own"
    return Provider(
        code=row.text("provider"),
        name=row.text("name"),
        placement_type=kind,
        locality=place,
        easting_m=row.number("easting_m") if has_position else None,
        northing_m=row.number("northing_m") if has_position else None,
        places=int(row.number("places")) if limited else None,
        usable_share=usable,
        match_chance=match,
        weekly_cost_gbp=round(row.number("weekly_cost_gbp") * factor, 2),
        fixed_weekly_cost_gbp=round(row.number("fixed_weekly_cost_gbp", 0.0) * factor, 2),
        price_sigma_ln=(spread[0].value or 0.0) if spread else 0.0,
        price_year=row.text("price_year"),
        uplift=UPLIFT_OF_TYPE.get(kind, "prices"),
        funder_shares=funders(row),
        source=row.text("source") or "assumption",
        how="assumed",
        note=row.text("note") + ("" if factor == 1.0 else f" Scaled by {factor:.3f} to published spend."),
    )


def _by_type(pack: Pack, row: Row, column: str, kind: str) -> float:
    """A figure by placement type when the user gave one, else the provider's own cell, else 1."""
    figures = [f for f in pack.all_of(column) if f.breakdown == f"placement_type={kind}"]
    if figures and figures[0].source.startswith("given in") and figures[0].value is not None:
        return figures[0].value
    return row.number(column, 1.0)


def funders(row: Row) -> dict[str, float]:
    """Who pays what share of a provider's price, from a cell such as ``social_work:0.5;education:0.5``."""
    pairs = (part.split(":") for part in row.text("funder").split(";") if part)
    try:
        return {name: float(share) for name, share in pairs}
    except ValueError:
        raise BadFile(
            f"{row.file}: row {row.line}, column funder: {row.text('funder')!r} is not like social_work:1"
        ) from None


def service_pools(pack: Pack, children_per_family: float) -> tuple[ServicePool, ...]:
    """Early help by locality, in families; assessment is not limited."""
    pools = []
    for figure in pack.all_of("early_help_places"):
        name = figure.breakdown.removeprefix("locality=")
        pools.append(
            ServicePool(
                code=f"early_help_{_code(name)}",
                service="early_help",
                localities=(name,),
                source=figure.source,
                places=round((figure.value or 0.0) / children_per_family),
                how=figure.how,
                date=figure.period,
                note=f"{figure.value:g} children's places as families of {children_per_family:.2f}",
            )
        )
    return tuple(pools)


def _code(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())


LINES = (  # line, figure of its price, unit, uplift
    ("early_help", "early_help_weekly_cost", "child_week", "pay"),
    ("assessment", "assessment_cost", "child", "pay"),
    ("support", "support_weekly_cost", "child_week", "pay"),
    ("protection", "protection_weekly_cost", "child_week", "pay"),
    ("pre_entry", "pre_entry_decision_cost", "child", "pay"),
    ("home_after_care", "home_support_weekly_cost", "child_week", "pay"),
    ("kinship_order", "kinship_order_weekly_allowance", "child_week", "prices"),
    ("adopted", "adoption_support_weekly_cost", "child_week", "prices"),
    ("aftercare", "aftercare_weekly_cost", "child_week", "pay"),
)


def cost_lines(pack: Pack) -> tuple[CostLine, ...]:
    """Lines of spend beside placements; the fixed share is own staff, freed but not cash when fewer are helped."""
    lines = []
    for line, figure_id, unit, uplift in LINES:
        figure, fixed = pack.find(figure_id), pack.value("fixed_share", f"line={line}")
        interval = (figure.low, figure.high) if figure.low is not None and figure.high is not None else None
        lines.append(
            CostLine.model_validate(
                {
                    "line": line,
                    "unit": unit,
                    "price_gbp": pack.value(figure_id),
                    "interval_80": interval,
                    "price_year": pack.about.price_year,
                    "uplift": uplift,
                    "fixed_share": fixed,
                    "funder_shares": {"social_work": 1.0},
                    "source": figure.source,
                    "how": figure.how,
                    "date": figure.period,
                    "note": f"Fixed share {fixed:g} assumed. {figure.note}".strip(),
                }
            )
        )
    return tuple(lines)


def budgets(pack: Pack) -> tuple[Budget, ...]:
    """Budgets that are known, by line and year.

    The pack has none: lines that the user does not give get the baseline's own cost before the programme.
    """
    return tuple(
        Budget(
            line=figure.breakdown.removeprefix("line="),
            financial_year=figure.period,
            amount_gbp=figure.value,
            source=figure.source,
            how=figure.how,
            note=figure.note,
        )
        for figure in pack.all_of("budget")
        if figure.value is not None
    )


MEASURES = {
    "stock_residential": "looked_after_in_residential",
    "stock_community": "looked_after_in_community",
    "stock_total": "looked_after",
    "gross_cost_residential": "gross_cost_residential_gbp",
    "gross_cost_community": "gross_cost_community_gbp",
    "chn23_more_than_one_placement": "more_than_one_placement_percent",
    "chn22_reregistered_within_18_months": "repeat_protection_18m_percent",
}


def history(pack: Pack) -> tuple[Observed, ...]:
    """Published figures of the past to show beside the forecast; financial years are dated 31 March."""
    rows = []
    for figure in pack.figures:
        if figure.id in MEASURES and figure.value is not None and figure.how == "published":
            date = figure.period if len(figure.period) == 10 else f"{int(figure.period[:4]) + 1}-03-31"
            rows.append(
                Observed(
                    measure=MEASURES[figure.id],
                    breakdown="total",
                    date=dt.date.fromisoformat(date),
                    value=figure.value,
                    source=figure.source,
                )
            )
    return tuple(rows)
