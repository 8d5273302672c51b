"""The fitted parts of a parameter set: numbers, series, hazards, branches and destinations, each with its source."""

import math
from statistics import geometric_mean

import numpy as np

from carecast.calibration import funnel as fn
from carecast.calibration.arrays import Array
from carecast.calibration.assemble import number
from carecast.calibration.care_fit import CareModel, remand_ages, tilted
from carecast.calibration.fit import Z90
from carecast.calibration.funnel_fit import FunnelModel
from carecast.calibration.pack import Pack
from carecast.calibration.shapes import ages_from_groups
from carecast.calibration.staffing import staffing_numbers
from carecast.model import words as w
from carecast.model.parameters import Branch, Destination, Number, Rate, Series

FITTED = "moment matching of national shapes to published figures and stated assumptions (calibration.json)"
PLAIN_NUMBERS = (  # model id, figure, breakdown, factor, unit
    ("family.joins_care_chance", "joins_care_chance", "total", 1.0, "chance"),
    ("siblings.together_chance_foster", "together_chance", "placement_type=foster", 1.0, "chance"),
    ("siblings.together_chance_kinship", "together_chance", "placement_type=kinship", 1.0, "chance"),
    ("siblings.least_gap_days", "sibling_gap_days", "end=least", 1.0, "days"),
    ("siblings.most_gap_days", "sibling_gap_days", "end=most", 1.0, "days"),
    ("arrivals.month_spread_ln", "month_spread", "total", 1.0, "log standard deviation of a month"),
    ("arrivals.level_sd_per_year", "entry_level_drift", "total", 1.0, "log standard deviation per year"),
    ("arrivals.unaccompanied_level_sd_per_year", "unaccompanied_level_drift", "total", 1.0, "log sd per year"),
    ("exits.level_sd_per_year", "exit_level_drift", "total", 1.0, "log standard deviation per year"),
    ("moves.level_sd_per_year", "move_level_drift", "total", 1.0, "log standard deviation per year"),
    ("exits.unaccompanied_hazard_ratio", "unaccompanied_exit_ratio", "total", 1.0, "hazard ratio"),
    ("continuing_care.max_age_years", "continuing_care_max_age", "total", 1.0, "years"),
    ("aftercare.max_age_years", "aftercare_max_age", "total", 1.0, "years"),
    ("closed.memory_days", "closed_memory_days", "total", 1.0, "days"),
    ("home_after_care.memory_days", "home_memory_days", "total", 1.0, "days"),
    ("home_after_care.support_days", "home_support_days", "total", 1.0, "days"),
    ("waiting.limit_days", "waiting_limit_days", "total", 1.0, "days"),
    ("services.infants_first", "infants_first", "total", 1.0, "1 yes, 0 no"),
    ("diverted.pre_entry_hazard_ratio", "diverted_pre_entry_hazard_ratio", "total", 1.0, "hazard ratio"),
    ("usable.foster_share_sd", "usable_foster_share_spread", "total", 1.0, "standard deviation of a share"),
    ("reserves.opening_gbp", "opening_reserves", "total", 1.0, "GBP"),
    ("reserves.policy_minimum_gbp", "reserves_policy_minimum", "total", 1.0, "GBP"),
    ("discount.rate_per_year", "discount_rate", "total", 0.01, "fraction per year"),
    ("deflator.per_year", "general_inflation", "total", 0.01, "fraction per year"),
)
UPTAKE = {
    "kinship": "kinship",
    "foster_own": "foster",
    "foster_agency": "foster",
    "childrens_house_own": "residential",
    "residential_external": "residential",
    "residential_school": "residential",
    "other_residential": "residential",
}
UPLIFTS = {"pay": "pay_uplift", "prices": "price_uplift_allowances", "external": "price_uplift_external"}


def numbers(pack: Pack, care: CareModel, funnel: FunnelModel) -> dict[str, Number]:
    """Every scalar the model reads."""
    out = {
        name: number(pack.find(figure, breakdown), factor, unit)
        for name, figure, breakdown, factor, unit in PLAIN_NUMBERS
    }
    out |= _arrivals(pack, care, funnel)
    for kind in w.PLACEMENT_TYPES:
        figure = pack.find("continuing_care_uptake", f"placement_type={UPTAKE[kind]}") if kind in UPTAKE else None
        out[f"continuing_care.uptake_{kind}"] = (
            number(figure, unit="share of leavers aged 16 and over")
            if figure
            else _none("share", "not eligible or not counted")
        )
        out |= _distance(pack, kind)
    out |= {f"uplift.{kind}_per_year": _uplift(pack, figure_id) for kind, figure_id in UPLIFTS.items()}
    return out | staffing_numbers(pack)


def _none(unit: str, why: str) -> Number:
    return Number(value=0.0, unit=unit, source=f"Assumption: {why}", how="assumed")


def _arrivals(pack: Pack, care: CareModel, funnel: FunnelModel) -> dict[str, Number]:
    """Families a year by route."""
    contacts = funnel.funnel.contacts
    spread = funnel.fitted.sd("contacts")
    out = {"arrivals.contact_families_per_year": _fitted(contacts, spread, "families per year")}
    for route, children in funnel.entries.direct.items():
        families = funnel.entries.families[route]
        figure = pack.find("direct_entry_share", f"route={route}")
        low = (figure.low or 0.0) / (figure.value or 1.0)
        high = (figure.high or 0.0) / (figure.value or 1.0)
        out[f"arrivals.{route}_families_per_year"] = Number(
            value=families,
            unit="families per year",
            interval_80=(families * low, families * high),
            how="fitted",
            source=figure.source,
            date=figure.period,
            note=f"{children.sum():.1f} children a year of {care.starts:.0f} starts",
        )
    return out


def _fitted(value: float, sd_ln: float, unit: str) -> Number:
    spread = math.exp(Z90 * sd_ln)
    return Number(value=value, unit=unit, interval_80=(value / spread, value * spread), source=FITTED, how="fitted")


def _distance(pack: Pack, kind: str) -> dict[str, Number]:
    """How far homes without a position are, how often that is unknown, and how often outside the council's area."""
    out = {}
    for name, figure_id, unit in (
        ("median_miles", "distance_median", "straight-line miles"),
        ("sigma_ln", "distance_sigma", "log standard deviation"),
        ("unknown_share", "distance_unknown", "share of placements"),
    ):
        found = [f for f in pack.all_of(figure_id) if f.breakdown == f"placement_type={kind}"]
        out[f"distance.{kind}.{name}"] = number(found[0], unit=unit) if found else _none(unit, "not used for this type")
    area = pack.find("out_of_area_share", f"placement_type={kind}")
    out[f"out_of_area.{kind}.share"] = number(area, unit="share of placements")
    return out


def _uplift(pack: Pack, figure_id: str) -> Number:
    """Mean yearly rise from 2023-24 to 2028-29 (geometric), the interval from the yearly intervals."""
    years = [f for f in pack.all_of(figure_id) if f.period <= "2028-29" and f.value is not None]
    ends = [
        geometric_mean([1 + (end if end is not None else value or 0.0) / 100 for end, value in pairs]) - 1
        for pairs in (
            [(f.value, f.value) for f in years],
            [(f.low, f.value) for f in years],
            [(f.high, f.value) for f in years],
        )
    ]
    return Number(
        value=round(ends[0], 5),
        unit="fraction per year",
        interval_80=(round(ends[1], 5), round(ends[2], 5)),
        source=years[0].source,
        how="assumed",
        date=f"{years[0].period}/{years[-1].period}",
        note="Mean of the yearly rises of the pack: " + ", ".join(f"{f.period} {f.value:g} %" for f in years),
    )


def series(pack: Pack, care: CareModel, funnel: FunnelModel) -> dict[str, Series]:
    """Lists: season, family sizes, ages by route."""
    sizes = [pack.value("children_per_arriving_family", f"children={n}") for n in range(1, 5)]
    months = np.array([pack.value("month_factor", f"month={month}") for month in range(1, 13)])
    ages = {
        "contact": (funnel.contact_ages, "age_at_referral_share"),
        "emergency": (ages_from_groups(pack, "emergency_age_share"), "emergency_age_share"),
        "remand": (remand_ages(), "direct_entry_share"),
        "unaccompanied": (care.shapes.unaccompanied_ages, "unaccompanied_under_16_share"),
    }
    out = {
        f"ages.{route}": Series(
            values=tuple(np.round(shares / shares.sum(), 6).tolist()),
            unit="chance by year of age 0 to 17",
            how="assumed",
            source=f"Single years from age groups of {figure}; flat within a group",
        )
        for route, (shares, figure) in ages.items()
    }
    out["arrivals.month_factors"] = Series(
        values=tuple(np.round(months / months.mean(), 5).tolist()),
        unit="ratio to the mean month, January to December",
        how="assumed",
        source=pack.find("month_factor", "month=1").source,
    )
    out["family.size_chances"] = Series(
        values=tuple(np.round(np.array([*sizes, 0.0, 0.0]) / sum(sizes), 6).tolist()),
        unit="chance of 1 to 6 children",
        how="assumed",
        source=pack.find("children_per_arriving_family", "children=1").source,
    )
    return out


def rates(care: CareModel, funnel: FunnelModel) -> tuple[Rate, ...]:
    """Hazards per year at fitted levels."""
    made = []
    theta = dict(zip(care.fitted.names, care.fitted.values.tolist(), strict=True))
    for shape in care.shapes.rates:
        if shape.placement_types:
            level = math.exp(theta.get(f"rate.{shape.key}", 0.0))
            how = "fitted" if f"rate.{shape.key}" in theta else shape.how
            made.append(
                _rate(shape.cause, shape.label, shape.placement_types, shape.per_year * level, how, shape.source)
            )
    notes = {shape.cause: shape.source for shape in care.shapes.rates if not shape.placement_types}
    for cause, table in funnel.hazards.items():
        fitted = f"rate.{cause}" in funnel.fitted.names
        source = notes.get(cause, "Hazards of the stay's distribution in the pack's figures")
        made.append(_rate(cause, "all", (), table, "fitted" if fitted else "assumed", source))
    return tuple(made)


def _rate(cause: str, label: str, types: tuple[str, ...], table: Array, how: str, source: str) -> Rate:
    matrix = tuple(tuple(round(float(cell), 6) for cell in row) for row in table)
    return Rate.model_validate(
        {"cause": cause, "label": label, "placement_types": types, "per_year": matrix, "how": how, "source": source}
    )


def branches(pack: Pack, funnel: FunnelModel) -> tuple[Branch, ...]:
    """Chances at the branches; those of the pre-entry decision by age band."""
    b = funnel.branching
    made = [
        _branch(name, w.AGE_BANDS, dict(chances))
        for name, chances in (
            ("contact", b.contact),
            ("referral", b.referral),
            ("assessment", b.assessment),
            ("support", b.support),
            ("protection", b.protection),
            ("early_help", {"closed": 1.0}),
        )
    ]
    for band in range(fn.N_BANDS):
        care, home = float(funnel.entries.care_chance[band]), float(funnel.entries.home_share[band])
        chances = {outcome: share * (1 - care) for outcome, share in b.pre_entry.items()}
        chances |= {"care_at_home": care * home, "care_away": care * (1 - home)}
        bands = (w.AGE_BANDS[band],) if band < fn.N_BANDS - 1 else (w.AGE_BANDS[band], w.AGE_BANDS[w.ADULT])
        made.append(_branch("pre_entry", bands, chances))
    return tuple(made)


def _branch(name: str, bands: tuple[str, ...], chances: dict[str, float]) -> Branch:
    total = sum(chances.values())
    rounded = {outcome: round(share / total, 8) for outcome, share in chances.items()}
    largest = max(rounded, key=lambda outcome: rounded[outcome])
    rounded[largest] = 1 - sum(share for outcome, share in rounded.items() if outcome != largest)
    return Branch(branch=name, age_bands=bands, chances=rounded, source=FITTED, how="fitted")


def destinations(care: CareModel) -> tuple[Destination, ...]:
    """Which placement type is wanted, at fitted tilts."""
    theta = dict(zip(care.fitted.names, care.fitted.values.tolist(), strict=True))
    return tuple(
        Destination.model_validate(
            {
                "moment": row.moment,
                "label": row.label,
                "age_bands": row.age_bands,
                "from_types": row.from_types,
                "chances": _summing(row.chances),
                "pseudo_counts": row.pseudo_counts,
                "how": "fitted",
                "source": row.source,
            }
        )
        for row in tilted(care.shapes.destinations, theta)
    )


def _summing(chances: dict[str, float]) -> dict[str, float]:
    rounded = {name: round(share, 8) for name, share in chances.items()}
    largest = max(rounded, key=lambda name: rounded[name])
    rounded[largest] = 1 - sum(share for name, share in rounded.items() if name != largest)
    return rounded
