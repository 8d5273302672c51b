"""Imaginary councils in the layout of DfE's open tables, 2019 to 2025: for scoring calibration from aggregates.

Sizes and yearly changes are like those of 150 English councils from 2019 to 2023 (robust standard deviation of log
changes: looked after 0.067, 0.096, 0.130 at one to three years, 0.106 in small councils and 0.061 in large ones; starts
0.20 to 0.26; ceases 0.17 to 0.22). Counts of the year, of starts and of ceases agree: children now = before + starts -
ceases; each group of a table sums to its total; England's rows are the published ones. Cells of councils from 1 to 5
are hidden, and the next smallest of a group where one alone would tell the hidden one.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from carecast.calibration.arrays import Array
from carecast.calibration.dfe.facts import CEASES, STARTS, STOCK, plain, shipped_mixes
from carecast.calibration.dfe.flow_rows import EIGHTEEN, MOVES, START_AGES, STAYED, TAKEN_OVER, WAYS
from carecast.calibration.dfe.stock_rows import AGES, NON_UASC, OWN, PLACEMENTS, RESIDENTIAL, UASC

YEARS = tuple(range(2019, 2026))
MEDIAN_SIZE, SIZE_SPREAD, LEAST, MOST = 430.0, 0.62, 35.0, 2300.0
FLOOR_VARIANCE, VARIANCE_OF_ONE = 0.0019, 1.3  # of a year's log change, robust: the first + the second over the size
TAILS, QUARTILE_OF_TAILS = 6.0, 1.064  # degrees of freedom of a year's change; its upper quartile over the normal's
COMMON_SPREAD = 0.012  # of the change all councils share
TEMPER_SPREAD = 0.25  # log, of a council's own restlessness
STARTS_PER_CHILD = 0.37
FLOW_SWING, FLOW_WALK = 0.09, 0.05  # log, of a year and back, and lasting
RESIDENTIAL_WALK, RESIDENTIAL_CHANCE, RESIDENTIAL_STAYS = 0.07, 0.5, 0.6
DRAWN = 120.0  # how near a council's mix of a group is to England's: the counts of a Dirichlet draw
HIDDEN_UP_TO = 5
PROVIDERS = {
    OWN: 0.43, "Private provision": 0.42, "Other LA provision": 0.01,
    "Parents or other person with parental responsibility": 0.07, "Voluntary/third sector provision": 0.07,
}  # fmt: skip
FAR = {"Placed 20 miles or less from home": 0.70, "Placed more than 20 miles from home": 0.22,
       "Distance not known or not recorded": 0.08}  # fmt: skip
SIDE = {"Placed inside the local authority boundary": 0.56, "Placed outside the local authority boundary": 0.44}
OTHER_WAYS = {"Moved into independent living (with supportive accommodation)": 0.10,
              "Care ceased for any other reason": 0.13}  # fmt: skip
LEFT_AGES = {"Under 1 year": 0.05, "1 to 4 years": 0.18, "5 to 9 years": 0.11, "10 to 15 years": 0.14, "16 years": 0.05,
             "17 years": 0.06}  # fmt: skip
UNDER_PACE = {"Emergency protection order": 0.01, "Police protection in LA accommodation": 0.05}
STATUSES = (
    "Interim care order",
    "Full care order",
    "Placement order granted",
    "Voluntary agreement under S20",
    "Remand",
)

Cell = tuple[str, str, str, int]  # table, group, label, year


@dataclass(frozen=True)
class Area:
    """A council, a region or England: its cells by table, group, label and year."""

    name: str
    level: str  # as DfE writes it
    code: str
    region: tuple[str, str]  # code and name
    cells: dict[Cell, float]
    people: float = 0.0  # children aged 0 to 17
    hidden: frozenset[Cell] = field(default_factory=frozenset)

    def total(self, year: int) -> float:
        """Children looked after on 31 March."""
        return self.cells["rates", STOCK, "", year]

    def residential(self, year: int) -> float:
        """Children in children's homes, residential schools and other residential settings, hidden or not."""
        return sum(self.cells["looked_after", "Placement", label, year] for label in RESIDENTIAL)


def imaginary(n: int, seed: int, sizes: Sequence[float] = ()) -> list[Area]:
    """Imaginary councils, their region and England.

    Args:
        n: how many councils.
        seed: another seed, other councils.
        sizes: children looked after in 2022, for as many councils as are given; drawn for the others.
    """
    rng = np.random.default_rng(seed)
    common = COMMON_SPREAD * rng.standard_normal(len(YEARS))
    drawn = np.exp(math.log(MEDIAN_SIZE) + SIZE_SPREAD * rng.standard_normal(n))
    wanted = [*sizes, *np.clip(drawn, LEAST, MOST)][:n]
    region = ("E12000099", "Imaginary Midlands")
    made = [_council(f"Council {at + 1:03d}", f"E09900{at + 1:03d}", region, size, common, rng)
            for at, size in enumerate(wanted)]  # fmt: skip
    summed: dict[Cell, float] = {}
    for council in made:
        for cell, count in council.cells.items():
            summed[cell] = summed.get(cell, 0.0) + count
    people = sum(council.people for council in made)
    return [england(), Area(region[1], "Regional", region[0], region, summed, people), *made]


def england() -> Area:
    """England as published, from the project's own tables, under the labels councils have here."""
    shown = {(table, plain(group), plain(label)): (table, group, label) for table, group, label, _ in _labels()}
    cells: dict[Cell, float] = {}
    for (table, group, label, year), count in shipped_mixes().items():
        if table == "rates":
            group, label = next(name for name in (STOCK, STARTS, CEASES) if plain(name) == group), label
            if label != plain("children_count"):
                continue
            cells[table, group, "", year] = count
        elif (table, group, label) in shown:
            cells[(*shown[table, group, label], year)] = count
    return Area("England", "National", "E92000001", ("", ""), cells, 12_183_016.0)


def _labels() -> list[Cell]:
    """Every cell a council has, once."""
    return list(_council("any", "", ("", ""), 400.0, np.zeros(len(YEARS)), np.random.default_rng(0)).cells)


def _council(
    name: str, code: str, region: tuple[str, str], size: float, common: Array, rng: np.random.Generator
) -> Area:
    """One council: paths of its counts, and their split into groups."""
    totals = _totals(size, common, rng)
    alone_share = float(rng.choice([0.0, 0.03, 0.06, 0.10, 0.22], p=[0.1, 0.3, 0.35, 0.2, 0.05]))
    cells: dict[Cell, float] = {}
    starts, ceases = _flows(totals, rng)
    homes = _residential(totals, rng)
    mixes = _Mixes(rng)
    for at, year in enumerate(YEARS):
        for group, count in ((STOCK, totals[at]), (STARTS, starts[at]), (CEASES, ceases[at])):
            cells["rates", group, "", year] = float(count)
        if year > YEARS[0]:
            alone = rng.binomial(int(totals[at]), alone_share)
            cells |= _stock_cells(year, int(totals[at]), int(homes[at]), int(alone), mixes, rng)
            arrived = rng.binomial(int(starts[at]), min(1.5 * alone_share, 0.6))
            cells |= _flow_cells(year, int(starts[at]), int(ceases[at]), int(arrived), mixes, rng)
    council = Area(name, "Local authority", code, region, cells, people=round(size / rng.uniform(0.004, 0.011)))
    return Area(name, "Local authority", code, region, cells, council.people, frozenset(hidden_cells(cells)))


def _totals(size: float, common: Array, rng: np.random.Generator) -> Array:
    """Children looked after by year: a random walk of the log through the size given in 2022."""
    sd = math.sqrt(FLOOR_VARIANCE + VARIANCE_OF_ONE / size) * math.exp(TEMPER_SPREAD * rng.standard_normal())
    changes = common + sd * rng.standard_t(TAILS, size=len(YEARS)) / QUARTILE_OF_TAILS
    walk = np.cumsum(changes)
    logs = math.log(size) + walk - walk[YEARS.index(2022)]
    found: Array = np.maximum(np.round(np.exp(logs)), 5.0)
    return found


def _flows(totals: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Starts and ceases by year that lead from each count to the next."""
    n = len(YEARS)
    level = np.cumsum(FLOW_WALK * rng.standard_normal(n)) + FLOW_SWING * rng.standard_normal(n)
    change = np.diff(totals, prepend=totals[0])
    middle = STARTS_PER_CHILD * math.exp(0.15 * rng.standard_normal()) * totals * np.exp(level)
    starts = np.maximum(np.round(middle + change / 2), np.maximum(change, 0.0) + 1)
    return starts, starts - change


def _residential(totals: Array, rng: np.random.Generator) -> Array:
    """Children in residential care by year: the council's share grows as England's, walks, and swings by chance."""
    nation = _england_share()
    share = float(np.clip(rng.lognormal(0.0, 0.28), 0.5, 1.9))
    walk = np.cumsum(RESIDENTIAL_WALK * rng.standard_normal(len(YEARS)))
    logs = np.log(totals * nation * share) + walk - walk[YEARS.index(2022)]
    spread = np.sqrt(RESIDENTIAL_CHANCE / np.maximum(np.exp(logs), 2.0))
    swing = np.zeros(len(YEARS))
    for at in range(1, len(YEARS)):
        fresh = math.sqrt(1 - RESIDENTIAL_STAYS**2) * rng.standard_normal()
        swing[at] = RESIDENTIAL_STAYS * swing[at - 1] + fresh
    found: Array = np.clip(np.round(np.exp(logs + spread * swing)), 0, np.floor(0.45 * totals))
    return found


def _england_share() -> Array:
    nation = {key: count for key, count in shipped_mixes().items() if key[0] in ("looked_after", "rates")}
    shares = []
    for year in YEARS[1:]:
        homes = sum(nation["looked_after", plain("Placement"), plain(label), year] for label in RESIDENTIAL)
        shares.append(homes / nation["rates", plain(STOCK), plain("children_count"), year])
    return np.array([shares[0], *shares])


class _Mixes:
    """A council's own mixes: Dirichlet draws around England's, one a group."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.kept: dict[str, dict[str, float]] = {}

    def of(self, table: str, group: str, labels: Sequence[str], shares: Sequence[float] = ()) -> dict[str, float]:
        """Shares by label, the same each year."""
        key = f"{table} {group} {len(labels)}"
        if key not in self.kept:
            found = np.array(shares) if len(shares) else _england_mix(table, group, labels)
            drawn = self.rng.dirichlet(np.maximum(DRAWN * found / found.sum(), 0.05))
            self.kept[key] = dict(zip(labels, drawn.tolist(), strict=True))
        return self.kept[key]


def _england_mix(table: str, group: str, labels: Sequence[str]) -> Array:
    nation = shipped_mixes()
    counts = [nation.get((table, plain(group), plain(label), 2022), 0.0) for label in labels]
    return np.maximum(np.array(counts), 1.0)


def _split(total: int, shares: dict[str, float], rng: np.random.Generator) -> dict[str, int]:
    """A total over labels by chance."""
    names = list(shares)
    chances = np.array([shares[name] for name in names])
    return dict(zip(names, rng.multinomial(max(total, 0), chances / chances.sum()).tolist(), strict=True))


def _stock_cells(
    year: int, total: int, homes: int, alone: int, mixes: _Mixes, rng: np.random.Generator
) -> dict[Cell, float]:
    """Groups of the table of 31 March."""
    table = "looked_after"
    community = [label for label in PLACEMENTS if label not in RESIDENTIAL]
    supported = next(label for label in community if label.startswith("Independent"))
    inside = _split(homes, mixes.of(table, "Placement", RESIDENTIAL), rng)
    lone = min(round(0.6 * alone), total - homes)
    outside = _split(total - homes - lone, mixes.of(table, "Placement", community), rng)
    outside[supported] += lone
    ages = _split(total - alone, mixes.of(table, "Age group", AGES), rng)
    ages[AGES[-1]] += alone
    groups: dict[str, dict[str, int]] = {
        "Placement": inside | outside,
        "Age group": ages,
        UASC: {"UASC": alone, "Non-UASC": total - alone},
        "Place providers": _split(
            total, mixes.of(table, "Place providers", tuple(PROVIDERS), [*PROVIDERS.values()]), rng
        ),
        "Distance between home and placement": _split(total, mixes.of(table, "far", tuple(FAR), [*FAR.values()]), rng),
        "Locality of placement": _split(total, mixes.of(table, "side", tuple(SIDE), [*SIDE.values()]), rng),
    }
    return _with_totals(table, year, groups)


def _flow_cells(
    year: int, starts: int, ceases: int, arrived: int, mixes: _Mixes, rng: np.random.Generator
) -> dict[Cell, float]:
    """Groups of the tables of starts, ceases and placement changes."""
    ages = _split(starts - arrived, mixes.of("started", "Age on starting", tuple(START_AGES)), rng)
    ages["16 years and over"] += arrived
    status = {**dict.fromkeys(STATUSES, 0.94 / len(STATUSES)), **UNDER_PACE}
    ways = [label for labels in WAYS.values() for label in labels]
    reasons = dict(zip(ways, _england_mix("ceased", "Reason episode ceased", ways), strict=True))
    whole = sum(reasons.values()) / 0.48
    shares = {label: count / whole for label, count in reasons.items()} | OTHER_WAYS | {STAYED: 0.17, TAKEN_OVER: 0.01}
    left = LEFT_AGES | {EIGHTEEN: 0.41}
    gone = min(round(0.9 * arrived), ceases)
    out = _with_totals("started", year, {
        "Age on starting": ages, UASC: {UASC: arrived, NON_UASC: starts - arrived},
        "Legal status": _split(starts, mixes.of("started", "status", tuple(status), [*status.values()]), rng),
    })  # fmt: skip
    out |= _with_totals("ceased", year, {
        "Reason episode ceased": _split(ceases, mixes.of("ceased", "way", tuple(shares), [*shares.values()]), rng),
        "Age on ceasing": _split(ceases, mixes.of("ceased", "left", tuple(left), [*left.values()]), rng),
        UASC: {UASC: gone, NON_UASC: ceases - gone},
    })  # fmt: skip
    changes = rng.poisson(1.5 * starts)
    group = "Reason for placement change during the year"
    split = _split(int(changes), {MOVES[0]: 0.17, "Other": 0.5, "Change to/implementation of care plan": 0.33}, rng)
    cells = _with_totals("new_placements", year, {group: split}, MOVES[1])
    return out | (cells if year > YEARS[0] + 1 else {})


def _with_totals(table: str, year: int, groups: dict[str, dict[str, int]], total: str = "Total") -> dict[Cell, float]:
    cells: dict[Cell, float] = {}
    for group, counts in groups.items():
        cells |= {(table, group, label, year): float(count) for label, count in counts.items()}
        cells[table, group, total, year] = float(sum(counts.values()))
    return cells


def hidden_cells(cells: dict[Cell, float]) -> set[Cell]:
    """Cells from 1 to 5, and the next smallest of a group where only one would be hidden; totals stay."""
    groups: dict[tuple[str, str, int], list[Cell]] = {}
    for cell in cells:
        table, group, label, year = cell
        if table != "rates" and not label.startswith("Total"):
            groups.setdefault((table, group, year), []).append(cell)
    hidden: set[Cell] = set()
    for members in groups.values():
        small = [cell for cell in members if 0 < cells[cell] <= HIDDEN_UP_TO]
        if len(small) == 1 and len(members) > 1:
            small.append(min((cell for cell in members if cell not in small), key=lambda cell: cells[cell] or math.inf))
        hidden |= set(small)
    return hidden


# --- files ----------------------------------------------------------------------------------------------------------
FILES = {
    "looked_after": "la_cla_on_31_march_by_characteristics",
    "started": "la_children_who_started_to_be_looked_after_during_the_year",
    "ceased": "la_children_who_ceased_during_the_year",
    "new_placements": "la_cla_during_year_new_placements",
    "rates": "cla_number_and_rate_per_10k_children",
}
BEFORE_2025 = {  # headings of the releases before that of 2025
    "characteristic": "cla_group", "breakdown": "characteristic", "children_count": "number",
    "children_percent": "percentage", "population_type": "population_count",
}  # fmt: skip
OLD_WORDS = {STOCK: "Children looked after at 31 March each year"}


def write(folder: Path, areas: Sequence[Area], layout: int = 2025, until: int = YEARS[-1], code: str = "c") -> Path:
    """Write the tables as DfE does.

    Args:
        folder: made if it is not there.
        areas: councils, region, nation.
        layout: 2025, or 2024 for the headings of the releases before.
        until: no later year is written.
        code: what stands in a hidden cell.
    """
    folder.mkdir(parents=True, exist_ok=True)
    by_table: dict[str, list[dict[str, object]]] = {table: [] for table in FILES}
    for area in areas:
        for cell, count in area.cells.items():
            if cell[3] <= until:
                by_table[cell[0]].append(_row(area, cell, code if cell in area.hidden else f"{count:.0f}", layout))
    for table, rows in by_table.items():
        if layout < 2025:
            rows = [{BEFORE_2025.get(heading, heading): text for heading, text in row.items()} for row in rows]
        with (folder / f"{FILES[table]}.csv").open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return folder


def _row(area: Area, cell: Cell, shown: str, layout: int) -> dict[str, object]:
    table, group, label, year = cell
    council = area.level == "Local authority"
    place = {
        "time_period": year, "time_identifier": "Reporting year", "geographic_level": area.level,
        "country_code": "E92000001", "country_name": "England", "region_code": area.region[0],
        "region_name": area.region[1], "old_la_code": area.code[-3:] if council else "",
        "la_name": area.name if council else "", "new_la_code": area.code if council else "",
    }  # fmt: skip
    if table == "rates":
        kind = OLD_WORDS.get(group, group) if layout < 2025 else group
        return place | {"population_type": kind, "population_estimate": f"{area.people:.0f}", "children_count": shown,
                        "rate_per_10000": "" if not shown.isdigit() else round(1e4 * int(shown) / area.people)}  # fmt: skip
    return place | {"characteristic": group, "breakdown": label, "children_count": shown,
                    "children_percent": shown if not shown.isdigit() else "1"}  # fmt: skip
