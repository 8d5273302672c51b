"""Any scheme of localities on any pack: its children, early help and own homes split anew over the localities given."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from carecast.calibration.dfe.homes import code_of
from carecast.calibration.dfe.places import Place, read_places
from carecast.calibration.figures import Figure, Row
from carecast.calibration.pack import Pack

POOLED = "foster_own"
HOUSE = "childrens_house_own"


def with_localities(pack: Pack, file: Path) -> Pack:
    """The pack with the localities of a file; council totals stay as they are.

    Raises:
        BadFile: the file cannot be used, one line per mistake.
    """
    return relocated(pack, read_places(file))


def relocated(pack: Pack, places: Sequence[Place]) -> Pack:
    """The pack cut into other localities.

    Children of each age, early help places and own foster places are split by the children of each locality; own houses
    go to the locality whose middle is nearest.
    """
    total = sum(place.children for place in places)
    shares: dict[str, float] = {}
    for place in places:
        shares[place.locality] = shares.get(place.locality, 0.0) + place.children / total
    council = _council_children(pack)
    tables = dict(pack.tables)
    tables["localities.csv"] = _rows(
        "localities.csv",
        [
            {
                "locality": place.locality,
                "zone": place.zone,
                "easting_m": str(place.easting_m),
                "northing_m": str(place.northing_m),
                "children_0_17": f"{place.children / total * council:.1f}",
            }
            for place in places
        ],
    )
    tables["deprivation.csv"] = _rows(
        "deprivation.csv",
        [
            {
                "locality": name,
                "quintile": str(n + 1),
                "children": f"{_quintile(places, name, n) / total * council:.1f}",
            }
            for name in shares
            for n in range(5)
        ],
    )
    tables["population.csv"] = _population(pack, shares)
    tables["providers.csv"] = _providers(pack, places, shares)
    figures = [figure for figure in pack.figures if figure.id != "early_help_places"]
    return replace(pack, tables=tables, figures=(*figures, *_early_help(pack, shares)))


def _rows(file: str, cells: Sequence[dict[str, str]]) -> tuple[Row, ...]:
    return tuple(Row(file, at, row) for at, row in enumerate(cells, start=2))


def _council_children(pack: Pack) -> float:
    return sum(row.number("children_0_17") for row in pack.tables["localities.csv"])


def _quintile(places: Sequence[Place], name: str, number: int) -> float:
    """Children of a locality in one fifth, in the file's own units."""
    return sum(
        place.children * place.quintiles[number] / (sum(place.quintiles) or 1.0)
        for place in places
        if place.locality == name
    )


def _population(pack: Pack, shares: dict[str, float]) -> tuple[Row, ...]:
    """Single years of the council by age split by share; rows of the council as they are."""
    old = {row.text("locality") for row in pack.tables["localities.csv"]}
    single: dict[tuple[str, str], float] = {}
    rest = []
    for row in pack.tables["population.csv"]:
        if row.text("locality") in old:
            key = (row.text("age_years_from"), row.text("year"))
            single[key] = single.get(key, 0.0) + row.number("persons")
        else:
            name = row.text("locality")
            rest.append(dict(row.cells) | {"locality": f"{name} (council)" if name in shares else name})
    split = [
        {
            "locality": name,
            "age_years_from": age,
            "age_years_to": age,
            "year": year,
            "persons": f"{persons * share:.3f}",
        }
        for name, share in shares.items()
        for (age, year), persons in single.items()
    ]
    return _rows("population.csv", [*split, *rest])


def _early_help(pack: Pack, shares: dict[str, float]) -> list[Figure]:
    old = pack.all_of("early_help_places")
    total = sum(figure.value or 0.0 for figure in old)
    return [
        replace(
            old[0],
            breakdown=f"locality={name}",
            value=total * share,
            low=None,
            high=None,
            note="the council's places split by children",
        )
        for name, share in shares.items()
    ]


def _providers(pack: Pack, places: Sequence[Place], shares: dict[str, float]) -> tuple[Row, ...]:
    """Own foster places by locality; own houses where they are, in the locality nearest to them; the rest untouched."""
    rows = [dict(row.cells) for row in pack.tables["providers.csv"]]
    own = [row for row in rows if row["placement_type"] == POOLED]
    total = sum(float(row["places"] or 0) for row in own)
    middles = {name: _middle([place for place in places if place.locality == name]) for name in shares}
    made = (
        [
            own[0]
            | {
                "provider": f"{POOLED}_{code_of(name)}",
                "name": f"Council foster carers, {name}",
                "locality": name,
                "easting_m": f"{middles[name][0]:.0f}",
                "northing_m": f"{middles[name][1]:.0f}",
                "places": str(count),
            }
            for name, count in _whole(shares, round(total)).items()
        ]
        if own
        else []
    )
    for row in rows:
        if row["placement_type"] == HOUSE:
            at = (float(row["easting_m"] or 0), float(row["northing_m"] or 0))
            near = min(middles, key=lambda name: (middles[name][0] - at[0]) ** 2 + (middles[name][1] - at[1]) ** 2)
            row["locality"] = near
    kept = [row for row in rows if row["placement_type"] != POOLED]
    return _rows("providers.csv", [*made, *kept])


def _middle(zones: Sequence[Place]) -> tuple[float, float]:
    weight = sum(zone.children for zone in zones) or float(len(zones))
    east = sum(zone.easting_m * (zone.children or 1.0) for zone in zones) / weight
    return east, sum(zone.northing_m * (zone.children or 1.0) for zone in zones) / weight


def _whole(shares: dict[str, float], total: int) -> dict[str, int]:
    """Whole places in proportion that sum to the total (largest remainder)."""
    exact = {name: share * total for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    order = sorted(exact, key=lambda name: (counts[name] - exact[name], name))
    for name in order[: total - sum(counts.values())]:
        counts[name] += 1
    return counts
