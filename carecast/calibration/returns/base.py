"""The base a council's own numbers replace piece by piece: its own pack, else its nation's, brought to its size."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from carecast.calibration.readers.history import History
from carecast.model.parameters import BadFile, Calibrated, Locality, ParameterSet, Population

NATION_PACKS = {"england": ("england",), "scotland": ("scotland", "west-dunbartonshire")}
ASSUMED_NATION = "england"  # of files that do not say
LAST_RESORT = "west-dunbartonshire"
SIZED_NUMBERS = ("_families_per_year", "_gbp")
OUTSIDE_CARE = (
    "early_help_waiting", "early_help", "assessment_waiting", "assessment", "support", "protection", "pre_entry", "closed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Base:
    """A calibrated pack and how it was chosen."""

    pack: str
    calibrated: Calibrated
    own: bool  # the council's own pack: its places, people and prices are this council's
    note: str


def pack_for(council: str, nation: str, names: tuple[str, ...]) -> tuple[str, bool]:
    """(name of the pack, whether it is the council's own).

    Raises:
        BadFile: no pack is shipped.
    """
    own = "-".join("".join(c if c.isalnum() else " " for c in council.lower()).split())
    if own and own in names:
        return own, True
    for name in (*NATION_PACKS.get(nation or ASSUMED_NATION, ()), LAST_RESORT):
        if name in names:
            return name, False
    raise BadFile("no council pack is shipped to take what the returns do not hold from")


def base_for(history: History, council: str | None = None) -> Base:
    """The base of a history: by the council's name, else its nation's."""
    from carecast.calibration.calibrate import calibrate
    from carecast.calibration.pack import pack_names

    name, own = pack_for(council or history.council, history.nation, tuple(pack_names()))
    calibrated = calibrate(name, variants=1)  # one is used
    note = (
        f"What the returns do not hold comes from the pack {name}"
        + ("" if own else ", brought to this council's size")
        + f" ({calibrated.parameters.council}: published figures and stated assumptions)"
    )
    return Base(name, calibrated, own, note)


def sized(base: Base, children_in_care: int) -> Calibrated:
    """The base brought to a council's size by its children in care; one variant of the stock outside care kept.

    Places, people, families a year and sums of money are multiplied; chances, hazards and prices stay.
    """
    calibrated = base.calibrated
    parameters = calibrated.parameters
    stock = calibrated.stock
    in_care = (stock["state"] == "in_care").sum() / max(stock["variant"].nunique(), 1)
    factor = 1.0 if base.own else children_in_care / max(float(in_care), 1.0)
    first = stock[(stock["variant"] == stock["variant"].min()) & stock["state"].isin(OUTSIDE_CARE)]
    draws = calibrated.draws.copy()
    for name in draws.columns:
        if _is_sized(str(name)):
            draws[name] = draws[name] * factor
    return Calibrated(
        parameters=parameters if base.own else _sized(parameters, factor),
        draws=draws,
        stock=repeated(first, factor),
        record=calibrated.record,
    )


def _is_sized(name: str) -> bool:
    return (name.startswith("arrivals.") and name.endswith("_families_per_year")) or name.startswith("reserves.")


def _sized(parameters: ParameterSet, factor: float) -> ParameterSet:
    numbers = {
        name: number.model_copy(
            update={
                "value": number.value * factor,
                "interval_80": None
                if number.interval_80 is None
                else (number.interval_80[0] * factor, number.interval_80[1] * factor),
            }
        )
        if _is_sized(name)
        else number
        for name, number in parameters.numbers.items()
    }
    providers = tuple(
        p if p.places is None else p.model_copy(update={"places": math.floor(p.places * factor + 0.5)})
        for p in parameters.providers
    )
    pools = tuple(
        p if p.places is None else p.model_copy(update={"places": math.floor(p.places * factor + 0.5)})
        for p in parameters.service_pools
    )
    return parameters.model_copy(
        update={
            "numbers": numbers, "providers": providers, "service_pools": pools, "budgets": (), "history": (),
            "localities": tuple(_flat(place, factor) for place in parameters.localities),
        }
    )  # fmt: skip


def _flat(place: Locality, factor: float) -> Locality:
    """Another council's people at this council's size, held as they are: its projection is not this council's."""
    bands = place.population.model_dump(by_alias=True)
    level = {name: tuple(round(values[0] * factor, 1) for _ in values) for name, values in bands.items()}
    zones = tuple(zone.model_copy(update={"children": zone.children * factor}) for zone in place.zones)
    return place.model_copy(
        update={
            "zones": zones,
            "population": Population.model_validate(level),
            "quintile_children": tuple(n * factor for n in place.quintile_children),
        }
    )


def repeated(stock: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Families of a stock so many times over: whole copies, and of the rest as many families as it takes."""
    families = np.sort(stock["family"].unique())
    wanted = math.floor(len(families) * factor + 0.5)
    parts = []
    size = int(max(stock["child"].max(), stock["family"].max())) + 1 if len(stock) else 1
    for copy in range(math.ceil(wanted / max(len(families), 1))):
        taken = families[: max(0, wanted - copy * len(families))] if len(families) else families
        if copy == wanted // max(len(families), 1):  # the part copy: evenly spread, not the first few
            taken = families[np.floor(np.arange(len(taken)) * len(families) / max(len(taken), 1)).astype(int)]
        part = stock[stock["family"].isin(taken)].copy()
        shift = copy * size
        part["child"], part["family"] = part["child"] + shift, part["family"] + shift
        part["shared_with"] = -1
        parts.append(part)
    out = pd.concat(parts, ignore_index=True) if parts else stock.iloc[:0].copy()
    for name in out.columns:
        if isinstance(out[name].dtype, pd.CategoricalDtype):
            out[name] = out[name].astype(object)
    out["variant"] = 0
    return out
