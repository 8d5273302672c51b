"""What is English about the care part: the figures it has to reproduce, and unaccompanied children who move on.

Under the National Transfer Scheme most unaccompanied children who arrive in a gateway council are taken over by another
within days. There they are placed in reception, which has no other children and an exit hazard of 365 / days a year.
"""

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from carecast.calibration import draw
from carecast.calibration.arrays import Array
from carecast.calibration.dfe.stock_rows import AGES, PLACEMENTS
from carecast.calibration.entries import MOST_CARE
from carecast.calibration.figures import Figure
from carecast.calibration.fit import Target, log_sd
from carecast.calibration.matching import FIRST_SPREAD, NET_LEVEL, Shifts, Wanted
from carecast.calibration.pack import Pack
from carecast.calibration.shapes import DestinationShape, RateShape
from carecast.model import words as w

if TYPE_CHECKING:
    from carecast.calibration.care_fit import CareModel
    from carecast.calibration.funnel_fit import FunnelModel

GATEWAY_SHARE = 0.3  # of unaccompanied children who move on: above it, reception is modelled
RECEPTION = "other_community"  # the placement type that stands for it ("Other placements" in DfE's table)
OTHER_EXIT, RECEPTION_LABEL = "exit_other", "reception"
LEFT = (  # figure, what the care part calls it
    ("adoptions_per_year", "adoptions"),
    ("kinship_orders_per_year", "kinship_orders"),
    ("returns_home_per_year", "returns_home"),
    ("aged_out_per_year", "aged_out"),
    ("starts_per_year", "starts_per_year"),
)
ONE_TYPE = ("at_home", "kinship", "prospective_adopters", "supported_accommodation", "other_community",
            "residential_school", "secure", "other_residential")  # fmt: skip
LEAST_COUNT = 1.0  # types with fewer children are held to about FEW
FEW, FEW_SD = 0.4, 0.6
SURER = 2.0  # pseudo-counts of destinations, relative to the national tables: as wide as residential counts swing
UNTILTED = ("remand", "unaccompanied")  # moments whose destinations are not matched to the stock
TAILS = 4.0  # degrees of freedom of the net level: counts of councils have heavier tails than the normal
NORMAL_QUARTILE = 0.6744897501960817


def english_targets(pack: Pack) -> list[Target]:
    """The council's figures that the care part has to reproduce: stock by type, leavers by way, moves."""
    targets = []
    for name in ONE_TYPE:
        figure = pack.find(f"stock_{name}", f"placement_type={name}")
        few = (figure.value or 0.0) < LEAST_COUNT
        targets.append(
            Target(f"stock_{name}", FEW, FEW_SD, figure.source) if few else _target(f"stock_{name}", figure, 0.5)
        )
    targets.append(_target("stock_foster", pack.find("stock_foster", "placement_type=foster"), 0.5))
    for setting in ("residential", "community"):
        figure = pack.find(f"expected_{setting}")
        targets.append(Target(f"stock_{setting}", max(figure.value or 0.0, 0.5), 0.01, figure.source))
    for figure_id, name in LEFT:
        targets.append(_target(name, pack.find(figure_id), 0.6))
    targets.append(_target("placements_per_episode", pack.find("placements_per_episode"), 1.0))
    return targets


def counted(pack: Pack) -> dict[str, Any]:
    """What the stock of an English council is held to: children by group of types, by age, and unaccompanied."""
    if pack.about.nation != "england" or not pack.all_of("stock_by_placement"):
        return {}
    from carecast.calibration.stock import apportion

    shares = np.array([pack.value("stock_by_placement", f"placement={label}") for label in PLACEMENTS])
    total = round(max(pack.all_of("stock_total"), key=lambda figure: figure.period).value or 0.0)
    kinds = [tuple(w.PLACEMENT_TYPES.index(name) for name in names) for names in PLACEMENTS.values()]
    return {
        "groups": tuple(zip(kinds, map(int, apportion(shares, total)), strict=True)),
        "ages": tuple(pack.value("stock_by_age", f"age={label}") for label in AGES),
        "unaccompanied": pack.value("stock_unaccompanied"),
    }


def net_level_draws() -> Array:
    """Standard draws of the net level with heavier tails than the normal: Student t, scaled to its quartiles."""
    from scipy.special import ndtr, stdtrit

    normal = draw.normals(NET_LEVEL)
    out: Array = NORMAL_QUARTILE / stdtrit(TAILS, 0.75) * stdtrit(TAILS, ndtr(normal))
    return out


def shifts_of(pack: Pack) -> Shifts:
    """Shifts that simulation-based matching found for this pack, as kept in its figures; none where it has none."""
    found = {figure.breakdown.removeprefix("level="): figure.value or 0.0 for figure in pack.all_of("matched_shift")}
    spread = pack.all_of("net_level_spread")
    return Shifts(**found, spread=(spread[0].value or FIRST_SPREAD) if spread else FIRST_SPREAD)


def wanted_of(pack: Pack) -> Wanted:
    """What the simulation of an English council is matched to."""
    counts = [pack.value("expected_residential_in", f"years={n}") for n in (1, 2)]
    swing = [pack.value("swing_total", f"years={n}") for n in (1, 2)]
    last = max(pack.all_of("stock_total"), key=lambda figure: figure.period)
    return Wanted(
        last.value or 0.0, (counts[0], counts[1]), pack.value("starts_per_year"), (swing[0], swing[1])
    )  # fmt: skip


def moved(care: "CareModel", funnel: "FunnelModel", shifts: Shifts) -> "tuple[CareModel, FunnelModel]":
    """Fits with their levels moved: starts by every way but returns and unaccompanied children, exits but turning 18,
    and the odds of children's homes as a destination."""  # noqa: D205, D209
    by = {"starts": shifts.starts, "tilt.house": shifts.residential}
    by |= {name: shifts.exits for name in care.fitted.names if name.startswith("rate.exit_")}
    values = care.fitted.values + np.array([by.get(name, 0.0) for name in care.fitted.names])
    factor = math.exp(shifts.starts)
    entries = funnel.entries
    scaled = replace(
        entries,
        families={r: n * (1.0 if r == "unaccompanied" else factor) for r, n in entries.families.items()},
        direct={r: n * (1.0 if r == "unaccompanied" else factor) for r, n in entries.direct.items()},
        pathway_home=entries.pathway_home * factor,
        pathway_away=entries.pathway_away * factor,
        care_chance=np.minimum(entries.care_chance * factor, MOST_CARE),
    )
    return replace(care, fitted=replace(care.fitted, values=values)), replace(funnel, entries=scaled)


def _target(name: str, figure: Figure, shrink: float) -> Target:
    value = max(figure.value or 0.0, 0.1)
    return Target(name, value, max(0.03, shrink * log_sd(figure.low, figure.high, value)), figure.source)


def transferred_share(pack: Pack) -> float:
    """Share of unaccompanied children who move on to another council within days; 0 where few do."""
    share = pack.value("unaccompanied_transferred_share")
    return share if share >= GATEWAY_SHARE else 0.0


def with_transfers(
    pack: Pack, rates: tuple[RateShape, ...], destinations: tuple[DestinationShape, ...]
) -> tuple[tuple[RateShape, ...], tuple[DestinationShape, ...]]:
    """Rates and destinations with reception for those who move on; unchanged where few do."""
    destinations = tuple(_surer(row) for row in destinations)
    share = transferred_share(pack)
    if share == 0.0:
        return rates, destinations
    days = pack.find("reception_days")
    per_year = np.full((w.N_AGE_BANDS, w.N_DURATION_BANDS), w.DAYS_PER_YEAR / (days.value or 10.0))
    per_year[w.ADULT] = 0.0
    reception = RateShape(
        OTHER_EXIT, RECEPTION_LABEL, (RECEPTION,), per_year, 1.0, 1.0, "assumed", days.source,
        "Taken over by another council under the National Transfer Scheme",
    )  # fmt: skip
    kept = tuple(_without(shape) if shape.cause == OTHER_EXIT else shape for shape in rates)
    return (*kept, reception), tuple(_destinations(row, share) for row in destinations)


def _surer(row: DestinationShape) -> DestinationShape:
    """Destinations that leave residential care to swing as counted; chance and the levels of moves do most of it."""
    return row if row.moment in UNTILTED else replace(row, pseudo_counts=SURER * row.pseudo_counts)


def _without(shape: RateShape) -> RateShape:
    """A table that no longer holds for reception."""
    return replace(shape, placement_types=tuple(name for name in shape.placement_types if name != RECEPTION))


def _destinations(row: DestinationShape, share: float) -> DestinationShape:
    """Nobody but unaccompanied children who move on is placed in reception."""
    rest = {name: p for name, p in row.chances.items() if name != RECEPTION}
    total = sum(rest.values()) or 1.0
    if row.moment != "unaccompanied":
        return replace(row, chances={name: p / total for name, p in rest.items()})
    stay = {name: p / total * (1 - share) for name, p in rest.items()}
    return replace(row, chances=stay | {RECEPTION: share}, pseudo_counts=max(row.pseudo_counts, 200.0))
