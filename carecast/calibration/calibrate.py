"""``calibrate``: from a council pack to a parameter set with joint draws, a synthetic stock and a record of the fit."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from carecast.calibration import assemble, joint, parts, record
from carecast.calibration.care_fit import CareModel, care_shapes, fit_care, with_ages_of_entries
from carecast.calibration.funnel_fit import FunnelModel, fit_funnel
from carecast.calibration.history import Levels, fit_levels
from carecast.calibration.pack import Pack, read_pack
from carecast.calibration.shapes import destination_shapes, rate_shapes
from carecast.calibration.spend import price_factors
from carecast.calibration.stock import StockInputs, synthetic_stock
from carecast.model import words as w
from carecast.model.parameters import BadFile, Calibrated, Locality, ParameterSet, Provider

STAMP = "illustrative: from published figures and stated assumptions, not the council's own"


@dataclass(frozen=True, slots=True)
class Pieces:
    """Everything that is fitted."""

    care: CareModel
    funnel: FunnelModel
    levels: Levels
    price_factors: dict[str, float]
    spend_left: dict[str, float]  # model less published, in pounds


def calibrate(
    pack_name: str,
    as_at: dt.date | None = None,
    overrides: Path | None = None,
    council: str | None = None,
    hindcast_replications: int = 0,
) -> Calibrated:
    """Make a parameter set from a shipped council pack.

    Args:
        pack_name: such as ``west-dunbartonshire``.
        as_at: the date of the stock; the last published count unless given.
        overrides: the user's own figures, ``id,value[,low,high,source,note,how]``, in place of the pack's.
        council: name to show, the pack's own unless given.
        hindcast_replications: simulate the published years so many times beside the counts and keep it in the record.

    Raises:
        BadFile: one line per mistake in the pack or the override file.
    """
    pack = read_pack(pack_name, overrides)
    when = as_at or last_count(pack)
    residential, community = (round(stock_at(pack, setting, when)) for setting in ("residential", "community"))
    pieces = fit_pieces(pack, when)
    places, years = assemble.localities(pack)
    usable = {kind: own.usable_share for kind, own in pieces.care.homes.items()}
    homes = assemble.providers(pack, pieces.price_factors, tuple(place.name for place in places), usable)
    parameters = _parameters(pack, council, when, pieces, places, years, homes)
    inputs = StockInputs(
        pack,
        pieces.care,
        pieces.funnel,
        places,
        homes,
        parameters.series["disadvantage.relative_risk"].values,
        residential=residential,
        community=community,
    )
    stock: pd.DataFrame = synthetic_stock(inputs)
    draws = joint.joint_draws(pack, parameters, pieces.care, pieces.funnel, pieces.levels.net_sd_at_the_end())
    made: dict[str, Any] = record.record(pack, parameters, pieces, when)
    calibrated = Calibrated(parameters=parameters, draws=draws, stock=stock, record=made)
    if hindcast_replications:
        from carecast.calibration.hindcast import HINDCAST_SEED, hindcast

        table = hindcast(calibrated, hindcast_replications, HINDCAST_SEED, pieces=pieces)
        calibrated.record["hindcast"] = {
            "replications": hindcast_replications,
            "what": "2014 to 2022 simulated at the fitted yearly levels, chance alone, beside the published counts",
            "rows": table.assign(date=[day.isoformat() for day in table["date"]]).to_dict("records"),
        }
    return calibrated


def fit_pieces(pack: Pack, when: dt.date) -> Pieces:
    """Match care, funnel, yearly levels and prices to the pack's figures.

    The care part is matched twice: the second time with the ages at start that the pathway can bring about, so that the
    stock it settles at is the one the simulation settles at.
    """
    rates, destinations = rate_shapes(pack), destination_shapes(pack)
    shapes = care_shapes(pack, rates, destinations)
    first = fit_care(pack, shapes, when, max_rounds=2)
    reached = fit_funnel(pack, rates, first)
    at_home = reached.entries.at_home(first.rules.entry_return[:, w.AT_HOME])
    care = fit_care(pack, with_ages_of_entries(shapes, first, reached.entries.total, at_home), when, first)
    funnel = fit_funnel(pack, rates, care, reached)
    by_type = dict(zip(w.PLACEMENT_TYPES, care.cohort.by_type.tolist(), strict=True))
    factors, left = price_factors(pack, by_type, pack.about.price_year)
    names = tuple(dict.fromkeys(row.text("locality") for row in pack.tables["localities.csv"]))
    people, years = assemble.population(pack, names)
    children = {year: float(sum(place[:, at].sum() for place in people.values())) for at, year in enumerate(years)}
    levels = fit_levels(pack, care, children, when)
    return Pieces(care, funnel, levels, factors, left)


def children_by_year(parameters: ParameterSet) -> dict[int, float]:
    """Children aged 0 to 17 in each of the population years."""
    bands = [place.population.by_band() for place in parameters.localities]
    return {
        year: sum(band[at] for place in bands for band in place) for at, year in enumerate(parameters.population_years)
    }


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
    pack: Pack,
    council: str | None,
    when: dt.date,
    pieces: Pieces,
    places: tuple[Locality, ...],
    years: tuple[int, ...],
    homes: tuple[Provider, ...],
) -> ParameterSet:
    care, funnel = pieces.care, pieces.funnel
    return ParameterSet(
        council=council or pack.about.council,
        nation=pack.about.nation,
        as_at=when,
        counterfactual_date=pack.about.counterfactual_date,
        indicative=True,
        stamp=STAMP,
        price_base_year=pack.about.price_year,
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
        notes=pack.about.notes,
    )
