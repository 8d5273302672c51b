"""``calibrate``: from a council pack to a parameter set with joint draws, a synthetic stock and a record of the fit."""

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd

from carecast.calibration import assemble, joint, parts, record
from carecast.calibration.care_fit import CareModel, fit_care
from carecast.calibration.funnel_fit import FunnelModel, fit_funnel
from carecast.calibration.pack import Pack, read_pack
from carecast.calibration.shapes import destination_shapes, rate_shapes
from carecast.calibration.stock import StockInputs, synthetic_stock
from carecast.model import words as w
from carecast.model.parameters import BadFile, Calibrated, Locality, ParameterSet, Provider

STAMP = "illustrative: from published figures and stated assumptions, not the council's own"
COUNTERFACTUAL = {"west-dunbartonshire": dt.date(2024, 4, 1)}
NATION = {"west-dunbartonshire": "scotland"}
PRICE_YEAR = {"west-dunbartonshire": "2022-23"}


def calibrate(
    pack_name: str, as_at: dt.date | None = None, overrides: Path | None = None, council: str | None = None
) -> Calibrated:
    """Make a parameter set from a shipped council pack.

    Args:
        pack_name: such as ``west-dunbartonshire``.
        as_at: the date of the stock; the last published count unless given.
        overrides: the user's own figures, ``id,value[,low,high,source,note,how]``, in place of the pack's.
        council: name to show, the pack's own unless given.

    Raises:
        BadFile: one line per mistake in the pack or the override file.
    """
    pack = read_pack(pack_name, overrides)
    when = as_at or last_count(pack)
    rates, destinations = rate_shapes(pack), destination_shapes(pack)
    care = fit_care(pack, rates, destinations, when)
    funnel = fit_funnel(pack, rates, care)
    by_type = dict(zip(w.PLACEMENT_TYPES, care.cohort.by_type.tolist(), strict=True))
    factors, left = assemble.price_factors(pack, by_type, PRICE_YEAR[pack.name])
    places, years = assemble.localities(pack, when)
    usable = {kind: own.usable_share for kind, own in care.homes.items()}
    homes = assemble.providers(pack, factors, tuple(place.name for place in places), usable)
    parameters = _parameters(pack, council, when, care, funnel, places, years, homes)
    inputs = StockInputs(
        pack, care, funnel, places, homes, parameters.series["disadvantage.relative_risk"].values,
        residential=round(stock_at(pack, "residential", when)), community=round(stock_at(pack, "community", when)),
    )  # fmt: skip
    stock: pd.DataFrame = synthetic_stock(inputs)
    draws = joint.joint_draws(pack, parameters, care, funnel)
    made: dict[str, Any] = record.record(pack, parameters, care, funnel, left, when)
    return Calibrated(parameters=parameters, draws=draws, stock=stock, record=made)


def last_count(pack: Pack) -> dt.date:
    """Date of the last published count of children by setting."""
    return dt.date.fromisoformat(max(figure.period for figure in pack.all_of("stock_residential")))


def stock_at(pack: Pack, setting: str, when: dt.date) -> float:
    """The published count of a setting at a date.

    Raises:
        BadFile: no count is published for that date.
    """
    for figure in pack.all_of(f"stock_{setting}"):
        if figure.period == when.isoformat() and figure.value is not None:
            return figure.value
    dates = ", ".join(figure.period for figure in pack.all_of(f"stock_{setting}"))
    raise BadFile(f"{pack.name}: no published count of children at {when}; there are {dates}")


def _parameters(
    pack: Pack, council: str | None, when: dt.date, care: CareModel, funnel: FunnelModel,
    places: tuple[Locality, ...], years: tuple[int, ...], homes: tuple[Provider, ...],
) -> ParameterSet:  # fmt: skip
    return ParameterSet(
        council=council or pack.council,
        nation=NATION[pack.name],
        as_at=when,
        counterfactual_date=COUNTERFACTUAL.get(pack.name),
        indicative=True,
        stamp=STAMP,
        price_base_year=PRICE_YEAR[pack.name],
        population_years=years,
        numbers=parts.numbers(pack, care, funnel),
        series=parts.series(pack, care, funnel) | {"disadvantage.relative_risk": assemble.relative_risk(pack)},
        rates=parts.rates(care, funnel),
        branches=parts.branches(pack, funnel),
        destinations=parts.destinations(care),
        localities=places,
        providers=homes,
        service_pools=assemble.service_pools(pack, funnel.children_per_family),
        cost_lines=assemble.cost_lines(pack),
        budgets=assemble.budgets(pack),
        history=assemble.history(pack),
        not_modelled=assemble.NOT_MODELLED,
        notes=parts.NOTES,
    )  # type: ignore[arg-type]
