"""The levels of the care part: how often children start, leave and move, so that the stock is as counted.

Unknowns are starts a year, the level of each table of exits and moves, tilts of the destinations, the share who start
at home, and the share of foster and house demand that finds an own place. Figures: stock by placement type, starts,
leavers by way, share with more than one placement in a year, placements an episode.
"""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from carecast.calibration import cohort as co
from carecast.calibration import fit
from carecast.calibration.arrays import Array
from carecast.calibration.capacity import OWN_AND_BOUGHT, OwnHomes, own_homes
from carecast.calibration.english_care import UNTILTED, english_targets, with_transfers
from carecast.calibration.figures import Figure
from carecast.calibration.fit import Fitted, Prior, Target, expit, log_sd, logit
from carecast.calibration.pack import Pack
from carecast.calibration.shapes import AGE_GROUPS, DestinationShape, RateShape, weibull_survival
from carecast.model import words as w

EXITS = tuple(range(w.FIRST_EXIT, w.LAST_EXIT + 1))
MOVES = (w.MOVE, w.STEP_DOWN)
START_AGES = {
    "under 1": (0, 1),
    "1 to 4 years": (1, 5),
    "5 to 9 years": (5, 10),
    "10 to 15 years": (10, 16),
    "16 years and over": (16, 18),
}
TILTS = {  # types whose chance as a destination is tilted together
    "kinship": ("kinship",),
    "house": ("childrens_house_own", "residential_external"),
    "school": ("residential_school",),
    "secure": ("secure",),
    "supported": ("supported_accommodation",),
    "adopters": ("prospective_adopters",),
    "other": ("other_community",),
    "other_residential": ("other_residential",),
}
TILT_SD = 0.5
FIRST_OWN = (0.7, 0.5)  # shares of foster and house demand in own homes while levels are matched; they share hazards
REMAND_AGES = (14, 18)


@dataclass(frozen=True, slots=True)
class CareShapes:
    """What the fit of the care part starts from."""

    rates: tuple[RateShape, ...]
    destinations: tuple[DestinationShape, ...]
    start_ages: Array  # [age 0..17] shares of starts, unaccompanied children and remand apart
    home_share: Array  # [age 0..17] share who start at home
    unaccompanied: float  # starts a year
    unaccompanied_ages: Array
    remand_share: float


@dataclass(frozen=True, slots=True)
class CareModel:
    """The care part at fitted levels."""

    shapes: CareShapes
    fitted: Fitted
    rules: co.CareRules
    entries: Array  # children a year [age][type]
    cohort: co.Cohort
    homes: Mapping[str, OwnHomes]  # by kind of own home

    @property
    def starts(self) -> float:
        """Children who start to be looked after a year."""
        return math.exp(self.fitted["starts"])


def care_shapes(pack: Pack, rates: tuple[RateShape, ...], destinations: tuple[DestinationShape, ...]) -> CareShapes:
    """Ages at start, who starts at home, and the streams with ages of their own."""
    ages = np.zeros(co.N_AGES)
    for group, (first, end) in START_AGES.items():
        ages[first:end] = pack.value("age_at_start_share_without_unaccompanied", group) / (end - first)
    ages[16], ages[17] = ages[16] * 4 / 3, ages[17] * 2 / 3
    home = np.zeros(co.N_AGES)
    for group, (first, end) in AGE_GROUPS.items():
        home[first:end] = pack.value("first_placement_share", f"age={group};placement_type=at_home")
    young = pack.value("unaccompanied_under_16_share")
    alone = np.zeros(co.N_AGES)
    alone[14:16], alone[16:18] = young / 2, (1 - young) * np.array([0.5, 0.5])
    if pack.about.nation == "england":
        rates, destinations = with_transfers(pack, rates, destinations)
    return CareShapes(
        rates,
        destinations,
        ages / ages.sum(),
        home,
        pack.value("unaccompanied_starts_per_year"),
        alone,
        pack.value("direct_entry_share", "route=remand"),
    )


def tilted(rows: tuple[DestinationShape, ...], theta: Mapping[str, float]) -> tuple[DestinationShape, ...]:
    """Destinations with their odds tilted: p' proportional to p exp(tilt)."""
    tilt = {name: theta.get(f"tilt.{group}", 0.0) for group, names in TILTS.items() for name in names}
    out = []
    for row in rows:
        if row.moment in UNTILTED:
            out.append(row)
            continue
        weights = {name: p * math.exp(tilt.get(name, 0.0)) for name, p in row.chances.items()}
        total = sum(weights.values())
        chances = {name: weight / total for name, weight in weights.items()}
        out.append(
            DestinationShape(
                row.moment, row.label, row.age_bands, row.from_types, chances, row.pseudo_counts, row.how, row.source
            )
        )
    return tuple(out)


def care_rules(
    shapes: CareShapes, theta: Mapping[str, float], foster: float = FIRST_OWN[0], house: float = FIRST_OWN[1]
) -> co.CareRules:
    """Hazards and destinations at these levels; ``foster`` and ``house``: shares of demand that find an own place."""
    levels = {name.removeprefix("rate."): math.exp(x) for name, x in theta.items() if name.startswith("rate.")}
    rows = tilted(shapes.destinations, theta)
    demand = [co.destination_table(rows, moment) for moment in ("move", "step_down")]
    entry, back = (co.destination_table(rows, moment)[:, 0] for moment in ("entry", "return"))
    return co.CareRules(
        exits=co.hazard_table(shapes.rates, EXITS, levels),
        moves=co.hazard_table(shapes.rates, MOVES, levels).transpose(0, 1, 3, 2),
        to=np.stack([co.share_own(table, foster, house) for table in demand]),
        entry=co.share_own(entry, foster, house),
        entry_return=co.share_own(back, foster, house),
        own_foster=foster,
        own_house=house,
    )


def care_entries(shapes: CareShapes, rules: co.CareRules, theta: Mapping[str, float]) -> Array:
    """Children a year who start, [age][placement type]."""
    starts = math.exp(theta["starts"])
    bands = co.age_band_of(np.arange(co.N_AGES) + 0.5)
    home = np.array([expit(logit(share) + theta["home"]) if share > 0 else 0.0 for share in shapes.home_share])
    remand = starts * shapes.remand_share
    main = max(starts - shapes.unaccompanied - remand, 1.0) * shapes.start_ages
    entries: Array = (main * (1 - home))[:, np.newaxis] * rules.entry[bands]
    entries[:, w.AT_HOME] += main * home
    for total, ages, moment in (
        (shapes.unaccompanied, shapes.unaccompanied_ages, "unaccompanied"),
        (remand, remand_ages(), "remand"),
    ):
        wanted = co.share_own(
            co.destination_table(shapes.destinations, moment)[:, 0], rules.own_foster, rules.own_house
        )
        entries += (total * ages)[:, np.newaxis] * wanted[bands]
    return entries


def remand_ages() -> Array:
    """Ages of children remanded to a council's care."""
    ages = np.zeros(co.N_AGES)
    ages[REMAND_AGES[0] : REMAND_AGES[1]] = 1 / (REMAND_AGES[1] - REMAND_AGES[0])
    return ages


def moments(cohort: co.Cohort, starts: float, back_within_a_year: float) -> dict[str, float]:
    """What the figures are compared with.

    More than one placement in the last year: children moved within it, and those back from a return home that began
    within it; ``back_within_a_year`` is the integral over the year of the chance to have returned by then.
    """
    stock = cohort.by_type
    out = {f"stock_{name}": float(stock[i]) for i, name in enumerate(w.PLACEMENT_TYPES)}
    out["stock_residential"] = float(stock[w.FIRST_RESIDENTIAL :].sum())
    out["stock_community"] = float(stock[: w.FIRST_RESIDENTIAL].sum())
    out["stock_foster"] = float(stock[w.FOSTER_OWN] + stock[w.FOSTER_AGENCY])
    out["starts_per_year"] = starts
    back = float(cohort.exits[0].sum()) * back_within_a_year
    out["more_than_one_placement"] = cohort.moved_within_a_year + back / float(stock.sum())
    out["placements_per_episode"] = 1 + float(cohort.moves.sum()) / starts
    left = cohort.exits
    out["adoptions"] = float(left[w.EXIT_ADOPTION - w.FIRST_EXIT].sum())
    out["kinship_orders"] = float(left[w.EXIT_KINSHIP_ORDER - w.FIRST_EXIT].sum())
    out["returns_home"] = float(left[0].sum())
    independent = left[w.EXIT_INDEPENDENT - w.FIRST_EXIT].sum(axis=1) + cohort.aged_out
    out["leavers_16_kinship"] = float(independent[w.KINSHIP])
    out["leavers_16_foster"] = float(independent[[w.FOSTER_OWN, w.FOSTER_AGENCY]].sum())
    out["leavers_16_residential"] = float(independent[w.FIRST_RESIDENTIAL :].sum())
    out["aged_out"] = float(cohort.aged_out.sum())
    return out


def care_targets(pack: Pack, at: str) -> list[Target]:
    """The figures of the council and the nation that the care part has to reproduce."""
    if pack.about.nation == "england":
        return english_targets(pack)
    targets = []
    for name in w.PLACEMENT_TYPES:
        figure = pack.find(f"stock_{name}", f"placement_type={name}")
        if figure.value and name not in (*OWN_AND_BOUGHT, *OWN_AND_BOUGHT.values()):
            targets.append(_target(f"stock_{name}", figure, 0.5))
    targets.append(_target("stock_foster", pack.find("stock_foster", "placement_type=foster"), 0.5))
    for setting in ("residential", "community"):
        figure = pack.find(f"stock_{setting}", period=at)
        targets.append(Target(f"stock_{setting}", pack.value(f"stock_{setting}", period=at), 0.01, figure.source))
    recent = [f.value for f in pack.all_of("chn23_more_than_one_placement")[-5:] if f.value]
    chn23 = pack.all_of("chn23_more_than_one_placement")[-1]
    targets.append(Target("more_than_one_placement", float(np.mean(recent)) / 100, 0.08, chn23.source))
    targets.append(Target("placements_per_episode", pack.value("placements_per_episode"), 0.12, "national shapes"))
    ceases = pack.national_value("ceases", "Scotland", "2022-23")
    per_leaver = pack.value("ceases_per_year") / ceases
    targets.append(Target("adoptions", pack.value("adopted_in_year") * per_leaver, 0.2, "Scotland 2022-23"))
    for name in ("kinship", "foster", "residential"):
        leavers = pack.value("continuing_care_eligible_leavers", f"placement_type={name}")
        targets.append(Target(f"leavers_16_{name}", leavers * per_leaver, 0.2, "Scotland 2022-23"))
    targets.append(_target("kinship_orders", pack.find("kinship_orders_per_year"), 0.2))
    targets.append(_target("starts_per_year", pack.find("starts_per_year"), 0.5))
    return targets


def _target(name: str, figure: Figure, shrink: float) -> Target:
    """A figure as a target; ``shrink`` tightens its interval, since the stock is synthesised at the central split."""
    value = figure.value or 0.0
    return Target(name, value, max(0.03, shrink * log_sd(figure.low, figure.high, value)), figure.source)


def care_priors(pack: Pack, shapes: CareShapes) -> list[Prior]:
    """Where each unknown starts and how far it may go."""
    starts = pack.find("starts_per_year")
    value = pack.value("starts_per_year")
    priors = [Prior("starts", math.log(value), log_sd(starts.low, starts.high, value)), Prior("home", 0.0, 0.35)]
    for shape in shapes.rates:
        if w.CAUSES.index(shape.cause) in (*EXITS, *MOVES) and shape.sd_ln > 0:
            priors.append(Prior(f"rate.{shape.key}", 0.0, shape.sd_ln))
    priors += [Prior(f"tilt.{group}", 0.0, TILT_SD) for group in TILTS]
    return priors


def fit_care(
    pack: Pack, shapes: CareShapes, as_at: dt.date, before: CareModel | None = None, max_rounds: int = fit.MAX_ROUNDS
) -> CareModel:
    """Match the levels of the care part to the published counts of a date, and run it at them.

    ``before``: an earlier fit to start from.
    """
    back = _back_within_a_year(pack)

    def model(theta: Mapping[str, float]) -> Mapping[str, float]:
        rules = care_rules(shapes, theta)
        return moments(co.run_cohort(rules, care_entries(shapes, rules, theta)), math.exp(theta["starts"]), back)

    fitted = fit.match(
        care_priors(pack, shapes),
        care_targets(pack, as_at.isoformat()),
        model,
        before.fitted if before else None,
        max_rounds,
    )
    theta = dict(zip(fitted.names, fitted.values.tolist(), strict=True))
    rules = care_rules(shapes, theta)
    cohort = co.run_cohort(rules, care_entries(shapes, rules, theta))
    homes = own_homes(pack, cohort, shapes.rates)
    shares = [_own_share(cohort, kind, homes[kind]) for kind in OWN_AND_BOUGHT]
    rules = care_rules(shapes, theta, *shares)
    entries = care_entries(shapes, rules, theta)
    return CareModel(shapes, fitted, rules, entries, co.run_cohort(rules, entries, keep_full=True), homes)


def with_ages_of_entries(shapes: CareShapes, care: CareModel, starts: Array, at_home: Array) -> CareShapes:
    """Shapes with the ages at start, and the shares at home, that the pathway brings about; both by age band."""
    bands = co.age_band_of(np.arange(co.N_AGES) + 0.5)
    now, now_home = np.zeros(len(starts)), np.zeros(len(starts))
    np.add.at(now, bands, care.entries.sum(axis=1))
    np.add.at(now_home, bands, care.entries[:, w.AT_HOME])
    ages = shapes.start_ages * (starts / now)[bands]
    shift = [logit(a / b) - logit(c / d) for a, b, c, d in zip(at_home, starts, now_home, now, strict=True)]
    home = [
        expit(logit(share) + shift[band]) if share > 0 else 0.0
        for share, band in zip(shapes.home_share, bands, strict=True)
    ]
    return replace(shapes, start_ages=ages / ages.sum(), home_share=np.array(home))


def _back_within_a_year(pack: Pack) -> float:
    """Integral over a year of 1 - S(t), S the survival of returns home."""
    curve = weibull_survival(pack.value("re_entry_weibull_shape"), pack.value("re_entry_weibull_scale") * 30.44)
    return float(np.mean([1 - curve(float(day)) for day in range(365)]))


def _own_share(cohort: co.Cohort, kind: str, homes: OwnHomes) -> float:
    """Share of the demand for a kind that own homes meet."""
    both = sum(float(cohort.by_type[w.PLACEMENT_TYPES.index(name)]) for name in (kind, OWN_AND_BOUGHT[kind]))
    return min(homes.looked_after / both, 0.98)
