"""Localities of a council, however the user cuts it, and its children by locality and age.

A scheme is a table ``localities.csv``: ``name, zone, easting, northing, children`` (a row a zone; OSGB metres; children
aged 0 to 17, or any numbers in proportion), and, where known, ``quintile_1`` ... ``quintile_5`` (children by national fifth
of deprivation, 1 most deprived).
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from carecast.calibration.dfe.rows import Rows
from carecast.model.parameters import BadFile

NEEDED = ("name", "zone", "easting", "northing", "children")
QUINTILES = tuple(f"quintile_{n}" for n in range(1, 6))
AGE_WEIGHTS = (  # children by single year of age relative to the mean, England about mid-2023: fewer births since 2012
    0.92,
    0.93,
    0.94,
    0.95,
    0.96,
    0.97,
    0.99,
    1.00,
    1.02,
    1.03,
    1.05,
    1.06,
    1.06,
    1.05,
    1.04,
    1.03,
    1.01,
    0.99,
)
EXTENT_M = (0.0, 0.0, 800_000.0, 1_300_000.0)  # of the National Grid
NOMINAL = (440_000.0, 300_000.0)  # where a council is put when nothing says where it is
RING_M = 6_000.0  # how far apart its zones are then
BASE_SPREAD = (0.2, 0.2, 0.2, 0.2, 0.2)


@dataclass(frozen=True, slots=True)
class Place:
    """A zone of a locality."""

    locality: str
    zone: str
    easting_m: float
    northing_m: float
    children: float
    quintiles: tuple[float, ...] = BASE_SPREAD
    source: str = "given in localities.csv"
    how: str = "assumed"


def nominal(council: str) -> tuple[Place, ...]:
    """A council of one locality with nine zones around a nominal point: distances within it mean something, its site not."""
    east, north = NOMINAL
    why = "Assumption: nine zones about four miles apart at a nominal point; give localities.csv to place the council"
    return tuple(
        Place(
            council,
            f"zone {3 * row + column + 1}",
            east + (column - 1) * RING_M,
            north + (row - 1) * RING_M,
            1.0,
            source=why,
        )
        for row in range(3)
        for column in range(3)
    )


def read_places(path: Path) -> tuple[Place, ...]:
    """A scheme of localities from a file.

    Raises:
        BadFile: a column is missing or a row cannot be used, one line per mistake.
    """
    path = Path(path)
    if not path.is_file():
        raise BadFile(f"{path}: not found; a table of localities has {', '.join(NEEDED)}")
    try:
        reader = csv.DictReader(path.read_bytes().decode("utf-8-sig").splitlines())
        headings = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        rows = [dict(zip(headings, (cell or "" for cell in row.values()), strict=False)) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path.name}: cannot be read as CSV in UTF-8: {error}") from error
    missing = [name for name in NEEDED if name not in headings]
    if missing:
        raise BadFile(*(f"{path.name}: row 1: column {name!r} is missing" for name in missing))
    mistakes: list[str] = []
    made = [_place(row, f"{path.name}: row {at}", headings, mistakes) for at, row in enumerate(rows, start=2)]
    seen: set[tuple[str, str]] = set()
    for at, place in enumerate(made, start=2):
        if (place.locality, place.zone) in seen:
            mistakes.append(f"{path.name}: row {at}, column zone: {place.zone!r} is twice in {place.locality}")
        seen.add((place.locality, place.zone))
    if not made:
        mistakes.append(f"{path.name}: no rows; give one a zone")
    elif not sum(place.children for place in made) > 0 and not mistakes:
        mistakes.append(f"{path.name}: column children: all are 0; give children or numbers in proportion to them")
    if mistakes:
        raise BadFile(*mistakes)
    return tuple(made)


def _place(row: dict[str, str], where: str, headings: Sequence[str], mistakes: list[str]) -> Place:
    name = row.get("name", "").strip()
    if not name:
        mistakes.append(f"{where}, column name: empty; every zone belongs to a locality")
    east = _number(row, "easting", where, mistakes, (EXTENT_M[0], EXTENT_M[2]))
    north = _number(row, "northing", where, mistakes, (EXTENT_M[1], EXTENT_M[3]))
    children = _number(row, "children", where, mistakes, (0.0, math.inf))
    quintiles: tuple[float, ...] = BASE_SPREAD
    if all(column in headings for column in QUINTILES):
        quintiles = tuple(_number(row, column, where, mistakes, (0.0, math.inf)) for column in QUINTILES)
    return Place(
        name,
        row.get("zone", "").strip() or name,
        east,
        north,
        children,
        quintiles,
        row.get("source", "").strip() or "given in localities.csv",
        row.get("how", "").strip() or "assumed",
    )


def _number(row: dict[str, str], column: str, where: str, mistakes: list[str], span: tuple[float, float]) -> float:
    text = row.get(column, "").strip().replace(",", "")
    try:
        value = float(text)
    except ValueError:
        mistakes.append(f"{where}, column {column}: {text!r} is not a number")
        return 0.0
    if not span[0] <= value <= span[1] or value != value:
        mistakes.append(f"{where}, column {column}: {text!r} is not from {span[0]:g} to {span[1]:g}")
        return 0.0
    return value


def place_rows(rows: Rows, places: Sequence[Place], children: dict[int, float]) -> dict[str, float]:
    """Add localities, deprivation and children by age; returns the share of children by locality.

    ``children``: aged 0 to 17 in the council by year of the mid-year estimate.
    """
    last = max(children)
    total = sum(place.children for place in places)
    shares: dict[str, float] = {}
    for place in places:
        shares[place.locality] = shares.get(place.locality, 0.0) + place.children / total
        rows.add(
            "localities.csv",
            {
                "locality": place.locality,
                "zone": place.zone,
                "easting_m": place.easting_m,
                "northing_m": place.northing_m,
                "children_0_17": round(place.children / total * children[last]),
                "how": place.how,
                "source": place.source,
                "note": "",
            },
        )
    for locality in shares:
        zones = [place for place in places if place.locality == locality]
        for number in range(5):
            count = sum(place.children * place.quintiles[number] / max(sum(place.quintiles), 1e-9) for place in zones)
            rows.add(
                "deprivation.csv",
                {
                    "locality": locality,
                    "quintile": number + 1,
                    "children": round(count / total * children[last]),
                    "how": "assumed",
                    "source": "Assumption: children by national fifth of deprivation; see localities.csv",
                },
            )
    _population(rows, shares, children)
    return shares


def _population(rows: Rows, shares: dict[str, float], children: dict[int, float]) -> None:
    """Single years of age by locality in the last year, the council in each year, and the year after as the last."""
    last = max(children)
    weight = sum(AGE_WEIGHTS)
    for locality, share in shares.items():
        for age in range(18):
            rows.add(
                "population.csv",
                {
                    "locality": locality,
                    "age_years_from": age,
                    "age_years_to": age,
                    "year": last,
                    "persons": round(children[last] * share * AGE_WEIGHTS[age] / weight, 2),
                    "how": "assumed",
                    "source": "Published total (ONS mid-year estimate in DfE's table) by locality and age",
                    "note": "Split by locality as in localities.csv; ages as in England, by assumption",
                },
            )
    council = rows.facts.council + " (council)" if rows.facts.council in shares else rows.facts.council
    for year, persons in sorted({**children, last + 1: children[last]}.items()):
        rows.add(
            "population.csv",
            {
                "locality": council,
                "age_years_from": 0,
                "age_years_to": 17,
                "year": year,
                "persons": round(persons),
                "how": "assumed" if year > last else "published",
                "source": "ONS mid-year estimate, in DfE's table of numbers and rates"
                if year <= last
                else "Assumption",
                "note": "" if year <= last else "No projection is used: the last estimate is carried on",
            },
        )
