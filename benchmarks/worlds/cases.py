"""The cases: which councils, how many replications, and the forecasts of each that are scored."""

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.worlds.world import NINE, World, generate, month_ends
from carecast.calibration.backtest import constant_rates as rates
from carecast.calibration.backtest.forecast import Told, tell
from carecast.calibration.backtest.past import TOTAL, of_type
from carecast.calibration.backtest.references import last_value
from carecast.calibration.readers import History, Report, read_history
from carecast.model import words as w
from carecast.model.parameters import Calibrated

MODEL, LAST, CONSTANT, ORACLE = "carecast", "last_value", "constant_daily_rates", "oracle"
HORIZONS = (6, 12, 18, 24, 30, 36)  # months
GROUPS = {
    "foster": ("foster_own", "foster_agency"),
    "residential": w.PLACEMENT_TYPES[w.FIRST_RESIDENTIAL :],
    "supported": ("supported_accommodation",),
}
CELLS = ("total", *NINE, *(f"group {name}" for name in GROUPS))
Calibrate = Callable[[History, Report, dt.date], Calibrated]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Suite:
    """What is scored."""

    worlds: tuple[tuple[str, int, int], ...]  # kind, size, seed
    replications: int = 200
    oracle: int = 0
    seed: int = 1


FULL = Suite((("steady", 600, 1), ("growing", 150, 2), ("covid", 600, 3), ("binding", 600, 4), ("wild", 600, 5),
              ("wild_crunch", 600, 6), ("wild_alone", 2300, 7), ("wild_long", 600, 8)), oracle=40)  # fmt: skip
QUICK = Suite((("binding", 600, 4), ("wild", 600, 5)), replications=60)


@dataclass(frozen=True)
class Case:
    """One council at one origin: what came and what was forecast, each [horizon][member] by cell."""

    world: str
    is_wild: bool
    size: int
    origin: dt.date
    observed: dict[str, np.ndarray]
    forecasts: dict[tuple[str, str], list[np.ndarray]]  # (forecaster, cell) -> one ensemble a horizon
    spend: dict[int, tuple[float, dict[str, np.ndarray]]]  # financial year -> (pounds, ensembles)
    error: str = ""


def by_cell(stock: np.ndarray) -> dict[str, np.ndarray]:
    """Counts [..., placement type] as cells [...]."""
    column = {name: at for at, name in enumerate(w.PLACEMENT_TYPES)}
    out = {"total": stock.sum(axis=-1)}
    out |= {name: stock[..., column[name]] for name in NINE[:-1]}
    out[NINE[-1]] = out["total"] - np.sum([out[name] for name in NINE[:-1]], axis=0)
    for name, kinds in GROUPS.items():
        out[f"group {name}"] = stock[..., [column[kind] for kind in kinds]].sum(axis=-1)
    return out


def cases(suite: Suite, calibrate: Calibrate | None, say: Say) -> Iterator[Case]:
    """Every council at every origin."""
    for kind, size, seed in suite.worlds:
        say(f"{kind}, {size} children, seed {seed}: made")
        world = generate(seed, size, kind)
        with tempfile.TemporaryDirectory() as folder:
            history, report = read_history(world.write(Path(folder)), "ssda903")
        for origin in world.origins():
            yield one_case(world, origin, history, report, suite, calibrate, say)


def one_case(
    world: World, origin: dt.date, history: History, report: Report, suite: Suite, calibrate: Calibrate | None, say: Say
) -> Case:
    """One council at one origin, forecast by all."""
    dates = month_ends(origin, HORIZONS[-1])
    at = [months - 1 for months in HORIZONS]
    truth = by_cell(world.stock.to_numpy())
    place = {day.date(): number for number, day in enumerate(world.stock.index)}
    observed = {cell: series[[place[dates[m]] for m in at]].astype(float) for cell, series in truth.items()}
    past = {cell: series[: place[origin] + 1].astype(float) for cell, series in truth.items()}
    known = history.as_at(origin)
    forecasts: dict[tuple[str, str], list[np.ndarray]] = {}
    for cell, series in past.items():
        forecasts[LAST, cell] = [last_value(series, months).values for months in HORIZONS]
    forecasts |= _constant(known, origin)
    if suite.oracle:
        say(f"{world.name} {origin}: oracle, {suite.oracle} replications")
        told = by_cell(world.oracle(origin, suite.oracle, HORIZONS[-1])[:, at])
        forecasts |= {(ORACLE, cell): list(values.T.astype(float)) for cell, values in told.items()}
    error, spend = "", _spend(world, origin, None)
    if calibrate is not None:
        say(f"{world.name} {origin}: calibrated and told, {suite.replications} replications")
        try:
            made = calibrate(history, report, origin)
            said = tell(made, dates[-1], suite.replications, suite.seed)
            forecasts |= _model(said, dates)
            spend = _spend(world, origin, said)
        except Exception as problem:  # noqa: BLE001  a case that fails is a result: it is told and the others go on
            error = f"{type(problem).__name__}: {problem}"
            say(error)
    return Case(world.name, world.kind.wild, world.size, origin, observed, forecasts, spend, error)


def _model(told: Told, dates: list[dt.date]) -> dict[tuple[str, str], list[np.ndarray]]:
    kept = [told.dates.index(dates[months - 1]) for months in HORIZONS]
    stock = np.stack([told.monthly[of_type(name)] for name in w.PLACEMENT_TYPES], axis=-1)[:, kept]
    found = by_cell(stock)
    found["total"] = told.monthly[TOTAL][:, kept]
    return {(MODEL, cell): list(values.T.astype(float)) for cell, values in found.items()}


def _constant(known: History, origin: dt.date) -> dict[tuple[str, str], list[np.ndarray]]:
    values = rates.constant_rates(known, origin, HORIZONS)
    if not values:
        return {}
    stock = np.array([[values[of_type(name), months] for name in w.PLACEMENT_TYPES] for months in HORIZONS])
    return {(CONSTANT, cell): [np.array([one]) for one in series] for cell, series in by_cell(stock).items()}


def _spend(world: World, origin: dt.date, told: Told | None) -> dict[int, tuple[float, dict[str, np.ndarray]]]:
    """Whole financial years after the origin; last value: last year's spend and its past changes, as they were."""
    before = world.spend_gbp[world.spend_gbp.index <= origin.year]
    out = {}
    for ahead in (1, 2, 3):
        year = origin.year + ahead
        if year not in world.spend_gbp.index or len(before) < ahead + 2:
            continue
        changes = np.exp(np.diff(np.log(before.to_numpy()[::-1]))[::-1] * -1)  # each year over the one before
        grown = np.array([np.prod(changes[at : at + ahead]) for at in range(len(changes) - ahead + 1)])
        made = {LAST: before.iloc[-1] * np.concatenate([grown, 1 / grown])}
        if told is not None and dt.date(year, 3, 31) in told.years:
            made[MODEL] = told.years[dt.date(year, 3, 31)]
        out[year] = (float(world.spend_gbp[year]), made)
    return out
