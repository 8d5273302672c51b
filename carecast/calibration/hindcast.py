"""The hindcast: simulate 2014 to 2022 from the stock of 2014 at the fitted yearly levels, beside the published counts.

Not a back-test: the yearly levels were fitted to the same counts. It checks that the simulation, with all its rules
and limited places, does what the fast twin used for fitting says. ``levels="drift"`` leaves the fitted levels out and
lets the levels drift as in a forecast: how wide the intervals are, and whether they hold the counts.
"""

import math
from typing import Literal

import numpy as np
import pandas as pd

from carecast.calibration import calibrate as cal
from carecast.calibration import history
from carecast.calibration.funnel_fit import FunnelModel
from carecast.calibration.pack import Pack, read_pack
from carecast.calibration.stock import StockInputs, synthetic_stock
from carecast.model import words as w
from carecast.model.parameters import Calibrated
from carecast.model.plan import Effect, Plan, ScaleArrivals, ScaleRate, Window

QUANTILES = {"p025": 0.025, "p10": 0.1, "p90": 0.9, "p975": 0.975}
SETTINGS = {
    "total": "looked_after",
    "residential": "looked_after_in_residential",
    "community": "looked_after_in_community",
}
PATHWAY_CAUSES = ("support_to_pre_entry", "protection_to_pre_entry")
SCALED_ROUTES = ("emergency", "newborn", "remand")
HINDCAST_SEED = 2014
LEVEL_NUMBERS = ("arrivals.level_sd_per_year", "exits.level_sd_per_year")


def hindcast(
    calibrated: Calibrated,
    replications: int,
    seed: int,
    levels: Literal["fitted", "drift"] = "fitted",
    pieces: "cal.Pieces | None" = None,
    pack: Pack | None = None,
) -> pd.DataFrame:
    """Simulated against published counts: date, setting, published, mean, p10, p90, p025, p975.

    ``pieces`` and ``pack``: what ``calibrated`` was made of, made and read again when not given.
    """
    from carecast.model.engine import World, simulate
    from carecast.model.results import reduce_log

    pack = pack or read_pack(str(calibrated.record["pack"]))
    pieces = pieces or cal.fit_pieces(pack, calibrated.parameters.as_at)
    start, plan = opening(calibrated, pack, pieces, levels)
    dates, published = history.counts(pack, calibrated.parameters.as_at)
    world = World(start, plan, until=calibrated.parameters.as_at, seed=seed)
    ends = world.calendar.month_end_dates
    at = [ends.index(date) for date in dates]
    rows = []
    for replication in range(replications):
        told = simulate(world, replication)
        tables = reduce_log(told.log, told.children, world.calendar, world.providers, world.locality_names)
        rows.append([tables.monthly[tables.rows.index((name, "total"))][at] for name in SETTINGS.values()])
    found = np.stack(rows)  # [replication][setting][date]
    counted = {"total": published[:, 0], "residential": published[:, 1], "community": published[:, 0] - published[:, 1]}
    out = []
    for s, setting in enumerate(SETTINGS):
        for d, date in enumerate(dates):
            values = found[:, s, d]
            row: dict[str, object] = {
                "date": date,
                "setting": setting,
                "published": float(counted[setting][d]),
                "mean": float(values.mean()),
            }
            out.append(
                row | {name: float(np.quantile(values, q, method="inverted_cdf")) for name, q in QUANTILES.items()}
            )
    return pd.DataFrame(out)


def opening(
    calibrated: Calibrated, pack: Pack, pieces: "cal.Pieces", levels: Literal["fitted", "drift"]
) -> tuple[Calibrated, Plan]:
    """The parameter set as at the first count, with a stock for that date, and the plan of yearly levels."""
    parameters = calibrated.parameters
    dates, published = history.counts(pack, parameters.as_at)
    first = dates[0]
    people = cal.children_by_year(parameters)
    ratio = people[first.year] / people[parameters.as_at.year]
    numbers = dict(parameters.numbers)
    draws = calibrated.draws.copy()
    for name in [n for n in numbers if n.endswith("_families_per_year")]:
        numbers[name] = numbers[name].model_copy(update={"value": numbers[name].value * ratio, "interval_80": None})
        if name in draws:
            draws[name] = draws[name] * ratio
    if levels == "fitted":
        for name in LEVEL_NUMBERS:
            numbers[name] = numbers[name].model_copy(update={"value": 0.0, "interval_80": None})
        draws = draws.iloc[:0]  # central values: the intervals are those of chance
    inputs = StockInputs(
        pack,
        pieces.care,
        pieces.funnel,
        parameters.localities,
        parameters.providers,
        parameters.series["disadvantage.relative_risk"].values,
        residential=int(published[0, 1]),
        community=int(published[0, 0] - published[0, 1]),
    )
    changed = parameters.model_copy(update={"as_at": first, "numbers": numbers})
    start = Calibrated(parameters=changed, draws=draws, stock=synthetic_stock(inputs), record=calibrated.record)
    changes = _changes(pieces.levels, pieces.funnel) if levels == "fitted" else ()
    return start, Plan("hindcast", changes=changes)


def _changes(levels: history.Levels, funnel: FunnelModel) -> tuple[ScaleArrivals | ScaleRate, ...]:
    """Fitted levels as changes by year; pathway entries by way of the hazards of reaching a decision."""
    response = _response(funnel)
    entries, exits = (levels.log_levels(which)[0] for which in ("entries", "exits"))
    changes: list[ScaleArrivals | ScaleRate] = []
    for i, year in enumerate(levels.years):
        window = Window(levels.dates[i].toordinal() + 1, levels.dates[i + 1].toordinal())
        came, reached, left = (Effect(math.exp(x)) for x in (entries[i], entries[i] / response, exits[i]))
        changes += [ScaleArrivals(f"entries {year}", route, came, window) for route in SCALED_ROUTES]
        changes += [ScaleRate(f"entries {year}", cause, reached, window) for cause in PATHWAY_CAUSES]
        changes += [
            ScaleRate(f"exits {year}", cause, left, window) for cause in w.CAUSES[w.FIRST_EXIT : w.LAST_EXIT + 1]
        ]
    return tuple(changes)


def _response(funnel: FunnelModel) -> float:
    """Per cent more decisions for one per cent higher hazards of reaching one."""
    weights = funnel.entries.pathway_home + funnel.entries.pathway_away
    at = [funnel.fitted.names.index(f"rate.{cause}") for cause in PATHWAY_CAUSES]
    return float(weights @ funnel.decisions_by_theta[:, at].sum(axis=1) / weights.sum())
