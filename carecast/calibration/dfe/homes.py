"""Providers of an English council: own carers and houses by locality, bought homes without a limit, and how far they are."""

import math
from collections.abc import Mapping, Sequence

from carecast.calibration.dfe.places import Place
from carecast.calibration.dfe.rows import National, Rows
from carecast.calibration.figures import Figure

PRICE_YEAR = "2023-24"
USABLE = {"foster_own": 0.9, "childrens_house_own": 0.92}
FULL = {"foster_own": 0.88, "childrens_house_own": 0.85}  # of usable places taken, so that demand mostly finds a place
HOUSE_PLACES = 4
BOUGHT = (  # code, name, placement type
    ("foster_agency", "Fostering agencies (spot purchase)", "foster_agency"),
    ("kinship", "Relatives, friends and other connected persons", "kinship"),
    ("at_home", "Placed with parents", "at_home"),
    ("prospective_adopters", "Prospective adopters", "prospective_adopters"),
    ("supported_accommodation", "Supported accommodation", "supported_accommodation"),
    ("other_community", "Other placements", "other_community"),
    ("residential_external", "External children's homes (spot purchase)", "residential_external"),
    ("residential_school", "Residential schools", "residential_school"),
    ("secure", "Secure homes", "secure"),
    ("other_residential", "Other residential settings", "other_residential"),
)
TWENTY = 20.0
BLANK = dict.fromkeys(("locality", "easting_m", "northing_m", "places", "usable_share", "match_chance"), "")
VARIABLE_SHARE = 0.1  # of the cost of an own house that goes with the number of children


def home_rows(
    rows: Rows,
    national: National,
    types: Mapping[str, float],
    shares: Mapping[str, float],
    places: Sequence[Place],
    transferred: float,
    alone: float,
) -> None:
    """Add providers and distances.

    Args:
        rows: where to.
        national: the figures all English councils share.
        types: children by placement type.
        shares: of children by locality.
        places: zones of the localities.
        transferred: share of unaccompanied children who move on to another council.
        alone: unaccompanied children in the stock.
    """
    points = {name: _middle([place for place in places if place.locality == name]) for name in shares}
    _own_carers(rows, national, types["foster_own"], shares, points)
    _own_houses(rows, national, types["childrens_house_own"], shares, points)
    for code, name, kind in BOUGHT:
        cost = "reception" if kind == "other_community" and transferred >= 0.3 else kind
        funder = _funder(national, kind, types, alone, cost == "reception")
        label = "Reception of unaccompanied children until transfer" if cost == "reception" else name
        figure = national.find("weekly_cost", f"placement_type={cost}")
        rows.add(
            "providers.csv",
            {
                **BLANK,
                "provider": code,
                "name": label,
                "placement_type": kind,
                **_costs(figure),
                "funder": funder,
                "limited": "false",
            },
        )
    figure = national.find("weekly_cost", "placement_type=unregistered")
    rows.add(
        "providers.csv",
        {
            "provider": "unregistered",
            "name": "Unregistered settings",
            "placement_type": "unregistered",
            "locality": "",
            "easting_m": "",
            "northing_m": "",
            "places": 0,
            "usable_share": 0,
            "match_chance": 0,
            **_costs(figure),
        },
    )
    _distances(rows, national, types)


def _costs(figure: Figure) -> dict[str, object]:
    """What a home costs and where that is from; limited, and paid by social work, unless the row says otherwise."""
    return {
        "weekly_cost_gbp": figure.value,
        "weekly_cost_low_gbp": figure.low,
        "weekly_cost_high_gbp": figure.high,
        "fixed_weekly_cost_gbp": 0,
        "price_year": PRICE_YEAR,
        "funder": "social_work:1",
        "limited": "true",
        "how": "assumed",
        "source": figure.source,
        "note": figure.note,
    }


def _middle(zones: Sequence[Place]) -> tuple[float, float]:
    """Centre of a locality's children."""
    weight = sum(zone.children for zone in zones) or 1.0
    east = sum(zone.easting_m * zone.children for zone in zones) / weight
    north = sum(zone.northing_m * zone.children for zone in zones) / weight
    return east, north


def _own_carers(
    rows: Rows,
    national: National,
    children: float,
    shares: Mapping[str, float],
    points: Mapping[str, tuple[float, float]],
) -> None:
    figure = national.find("weekly_cost", "placement_type=foster_own")
    places = children / USABLE["foster_own"] / FULL["foster_own"]
    for name, share in shares.items():
        east, north = points[name]
        rows.add(
            "providers.csv",
            {
                "provider": f"foster_own_{code_of(name)}",
                "name": f"Council foster carers, {name}",
                "placement_type": "foster_own",
                "locality": name,
                "easting_m": round(east),
                "northing_m": round(north),
                "places": max(round(places * share), 1),
                "usable_share": USABLE["foster_own"],
                "match_chance": 0.45,
                **_costs(figure),
                "note": f"{figure.note}. Places assumed: children with own carers over usable share "
                f"{USABLE['foster_own']:g} and use {FULL['foster_own']:g}, split by children",
            },
        )


def _own_houses(
    rows: Rows,
    national: National,
    children: float,
    shares: Mapping[str, float],
    points: Mapping[str, tuple[float, float]],
) -> None:
    """Own children's houses of four, in the localities with most children."""
    figure = national.find("weekly_cost", "placement_type=childrens_house_own")
    wanted = children / USABLE["childrens_house_own"] / FULL["childrens_house_own"]
    houses = max(round(wanted / HOUSE_PLACES), 1)
    order = sorted(shares, key=lambda name: -shares[name])
    weekly = figure.value or 0.0
    fixed = round((1 - VARIABLE_SHARE) * weekly * HOUSE_PLACES * 0.8, -2)
    for number in range(houses):
        name = order[number % len(order)]
        east, north = points[name]
        ratio = VARIABLE_SHARE
        rows.add(
            "providers.csv",
            {
                "provider": f"house_{number + 1}",
                "name": f"Council children's house {number + 1}, {name} (assumed)",
                "placement_type": "childrens_house_own",
                "locality": name,
                "easting_m": round(east),
                "northing_m": round(north),
                "places": HOUSE_PLACES,
                "usable_share": USABLE["childrens_house_own"],
                "match_chance": 0.5,
                **_costs(figure),
                "weekly_cost_gbp": ratio * weekly,
                "weekly_cost_low_gbp": ratio * (figure.low or 0.0),
                "weekly_cost_high_gbp": ratio * (figure.high or 0.0),
                "fixed_weekly_cost_gbp": fixed,
                "note": f"{figure.note}. Houses assumed: children in own houses over usable share and use, four places "
                "places each; where they are is assumed",
            },
        )


def _funder(national: National, kind: str, types: Mapping[str, float], alone: float, reception: bool) -> str:
    """Who pays: the Home Office for unaccompanied children, education for half of a residential school."""
    if reception:
        return "home_office:1"
    if kind == "residential_school":
        return "social_work:0.5;education:0.5"
    if kind == "supported_accommodation" and types[kind] > 0:
        share = min(0.65 * alone / types[kind], 0.9) * national.value("home_office_share")
        return f"social_work:{1 - round(share, 2):.2f};home_office:{round(share, 2):.2f}"
    return "social_work:1"


def code_of(name: str) -> str:
    """A name as a code: letters and digits, the rest underscores."""
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())


# --- distances ------------------------------------------------------------------------------------
def _distances(rows: Rows, national: National, types: Mapping[str, float]) -> None:
    """Medians, unknown shares and shares outside the area by type, scaled to what the council's table says over all."""
    facts, year = rows.facts, rows.facts.year
    group = "Distance between home and placement"
    kinds = [
        figure.breakdown.removeprefix("placement_type=")
        for figure in national.figures
        if figure.id == "distance_median"
    ]
    far = facts.share("looked_after", group, "Placed more than 20 miles from home", "Total", year)
    unknown = facts.share("looked_after", group, "Distance not known or not recorded", "Total", year)
    if far and unknown and unknown[0] < 1:
        factor = _median_factor(national, types, kinds, far[0] / (1 - unknown[0]))
        for kind in kinds:
            at = f"placement_type={kind}"
            low, high = national.interval("distance_median", at, factor)
            rows.put(
                "distance_median",
                national.value("distance_median", at) * factor,
                "straight-line miles",
                f"England's by type x {factor:.2f}, so that {100 * far[0] / (1 - unknown[0]):.0f} % of known "
                f"distances are over 20 miles as published ({far[1]})",
                interval=(low, high),
                breakdown=at,
                period=PRICE_YEAR,
            )
    if unknown:
        _scaled_shares(rows, national, types, "distance_unknown", unknown[0], unknown[1], "of unknown distance")
    outside = facts.share(
        "looked_after", "Locality of placement", "Placed outside the local authority boundary", "Total", year
    )
    if outside:
        _scaled_shares(rows, national, types, "out_of_area_share", outside[0], outside[1], "outside the boundary")


def _median_factor(national: National, types: Mapping[str, float], kinds: Sequence[str], wanted: float) -> float:
    """What medians are multiplied by so that the wanted share of children is over 20 miles from home (bisection)."""

    def over(factor: float) -> float:
        total = far = 0.0
        for kind in kinds:
            at = f"placement_type={kind}"
            z = math.log(TWENTY / (factor * national.value("distance_median", at))) / national.value(
                "distance_sigma", at
            )
            far += types[kind] * 0.5 * math.erfc(z / math.sqrt(2))
            total += types[kind]
        return far / max(total, 1e-9)

    low, high = 0.2, 5.0
    for _ in range(40):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if over(middle) < wanted else (low, middle)
    return round(math.sqrt(low * high), 3)


def _scaled_shares(
    rows: Rows, national: National, types: Mapping[str, float], name: str, wanted: float, whose: str, what: str
) -> None:
    """Shares by type moved on the logit scale until they give the council's share over all (bisection)."""
    figures = [figure for figure in national.figures if figure.id == name]
    base = {figure.breakdown.removeprefix("placement_type="): figure for figure in figures}

    def moved(share: float, shift: float) -> float:
        if share <= 0.0:
            return 0.0
        odds = min(share, 0.995) / (1 - min(share, 0.995)) * math.exp(shift)
        return odds / (1 + odds)

    def over_all(shift: float) -> float:
        weight = sum(types.get(kind, 0.0) for kind in base)
        return sum(types.get(k, 0.0) * moved(f.value or 0.0, shift) for k, f in base.items()) / max(weight, 1e-9)

    low, high = -6.0, 6.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if over_all(middle) < wanted else (low, middle)
    for kind, figure in base.items():
        ends = (moved(figure.low or 0.0, low), moved(figure.high or 0.0, low))
        value = moved(figure.value or 0.0, low)
        rows.put(
            name,
            value,
            "share of placements",
            f"England's by type, moved so that {100 * wanted:.0f} % are {what} as published ({whose})",
            interval=(min(ends[0], value), max(ends[1], value)),
            breakdown=f"placement_type={kind}",
            period=PRICE_YEAR,
        )
