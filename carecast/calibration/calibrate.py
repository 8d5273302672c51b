"""``calibrate``: from a council pack to a parameter set with joint draws, a synthetic stock and a record of the fit."""

import datetime as dt
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from carecast.calibration import assemble, joint, parts, record
from carecast.calibration.arrays import Array
from carecast.calibration.care_fit import CareModel, care_shapes, fit_care, with_ages_of_entries
from carecast.calibration.english_care import counted, moved, net_level_draws, shifts_of, transferred_share, wanted_of
from carecast.calibration.funnel_fit import FunnelModel, fit_funnel
from carecast.calibration.history import Levels, fit_levels
from carecast.calibration.matching import Shifts, matched
from carecast.calibration.pack import Pack, read_pack
from carecast.calibration.shapes import destination_shapes, rate_shapes
from carecast.calibration.spend import price_factors
from carecast.calibration.stock import N_VARIANTS, StockInputs, synthetic_stock
from carecast.model import words as w
from carecast.model.parameters import BadFile, Calibrated, Locality, ParameterSet, Provider

USUAL_SIZE, FEWEST = 700.0, 12
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
    localities: Path | None = None,
    variants: int = N_VARIANTS,
) -> Calibrated:
    """Make a parameter set from a shipped council pack.

    Args:
        pack_name: such as ``west-dunbartonshire``.
        as_at: the date of the stock; the last published count unless given.
        overrides: the user's own figures, ``id,value[,low,high,source,note,how]``, in place of the pack's.
        council: name to show, the pack's own unless given.
        hindcast_replications: simulate the published years so many times beside the counts and keep it in the record.
        localities: another scheme of localities, ``name,zone,easting,northing,children``, in place of the pack's.
        variants: of the synthetic stock; each is the same however many are made.

    Raises:
        BadFile: one line per mistake in the pack, the override file or the localities.
    """
    pack = read_pack(pack_name, overrides)
    if localities is not None:
        from carecast.calibration.dfe.relocate import with_localities

        pack = with_localities(pack, localities)
    return from_pack(pack, as_at, council, hindcast_replications, variants)


def from_pack(
    pack: Pack, as_at: dt.date | None = None, council: str | None = None, hindcast_replications: int = 0,
    variants: int = N_VARIANTS,
) -> Calibrated:  # fmt: skip
    """Make a parameter set from a pack, shipped or made in memory.

    Raises:
        BadFile: no count is published for the date, or a figure is missing.
    """
    when = as_at or last_count(pack)
    stock_at(pack, "residential", when)  # refused before anything is fitted
    if pack.about.nation == "england":
        from carecast.calibration.dfe.earlier import as_of

        pack = as_of(pack, when)
    made = _Making(pack, when, council, fit_pieces(pack, when), variants)
    english = pack.about.nation == "england"
    found = (
        matched(made.at, wanted_of(pack), net_level_draws()) if english and not pack.all_of("matched_shift") else None
    )
    calibrated = made.at(found.shifts if found else shifts_of(pack)) if english else made.as_fitted()
    if found is not None:
        calibrated.record["matching"] = asdict(found)
    pieces = made.pieces
    gateway = english and transferred_share(pack) > 0  # its arrivals changed tenfold: no level of entries follows them
    if hindcast_replications and pieces.levels.years and not gateway:
        from carecast.calibration.hindcast import HINDCAST_SEED, hindcast

        hindcast_replications = _affordable(hindcast_replications, calibrated)
        table = hindcast(calibrated, hindcast_replications, HINDCAST_SEED, pieces=pieces, pack=pack)
        first, last = table["date"].min().year, table["date"].max().year
        calibrated.record["hindcast"] = {
            "replications": hindcast_replications,
            "what": f"{first} to {last} simulated at the fitted yearly levels, chance alone, beside the published counts",
            "rows": table.assign(date=[day.isoformat() for day in table["date"]]).to_dict("records"),
        }
    return calibrated


def _affordable(replications: int, calibrated: Calibrated) -> int:
    """Fewer replications of the hindcast for councils of more than ``USUAL_SIZE``, whose replications take longer."""
    in_care = float((calibrated.stock["state"] == "in_care").sum()) / calibrated.stock["variant"].nunique()
    return max(min(replications, FEWEST), round(replications * min(1.0, USUAL_SIZE / in_care)))


@dataclass
class _Making:
    """A parameter set in the making: the same stock whatever the levels."""

    pack: Pack
    when: dt.date
    council: str | None
    pieces: Pieces
    variants: int

    @cached_property
    def stock(self) -> pd.DataFrame:
        """The synthetic stock."""
        pack = self.pack
        residential, community = (round(stock_at(pack, setting, self.when)) for setting in ("residential", "community"))
        places, _, homes = self._places
        inputs = StockInputs(
            pack,
            self.pieces.care,
            self.pieces.funnel,
            places,
            homes,
            assemble.relative_risk(pack).values,
            residential=residential,
            community=community,
            **counted(pack),
        )
        return synthetic_stock(inputs, self.variants)

    @cached_property
    def _places(self) -> tuple[tuple[Locality, ...], tuple[int, ...], tuple[Provider, ...]]:
        places, years = assemble.localities(self.pack)
        usable = {kind: own.usable_share for kind, own in self.pieces.care.homes.items()}
        names = tuple(place.name for place in places)
        return places, years, assemble.providers(self.pack, self.pieces.price_factors, names, usable)

    def as_fitted(self) -> Calibrated:
        """At the fitted levels."""
        return self._set(self.pieces, self.pieces.levels.net_sd_at_the_end(), None)

    def at(self, shifts: Shifts) -> Calibrated:
        """With levels moved."""
        care, funnel = moved(self.pieces.care, self.pieces.funnel, shifts)
        return self._set(replace(self.pieces, care=care, funnel=funnel), shifts.spread, net_level_draws())

    def _set(self, pieces: Pieces, spread: float, net_level: Array | None) -> Calibrated:
        places, years, homes = self._places
        parameters = _parameters(self.pack, self.council, self.when, pieces, places, years, homes)
        draws = joint.joint_draws(self.pack, parameters, pieces.care, pieces.funnel, spread, net_level)
        made: dict[str, Any] = record.record(self.pack, parameters, pieces, self.when)
        return Calibrated(parameters=parameters, draws=draws, stock=self.stock, record=made)


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
