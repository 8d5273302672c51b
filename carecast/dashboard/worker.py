"""What the dashboard's worker processes do: tell a quick look block by block, tell a run, search a package. No Streamlit.

A quick look is told by the run's own code (``Teller``, ``yearly_measures``) on the run's own parameter set, seed and days,
so at equal replications it gives the numbers of ``carecast run``. Blocks are kept on disk by a hash of their inputs:
monthly and yearly tables of replications, never a row of a child. Words and panels are made here too, so that the process
that draws pages does not compute.
"""

import datetime as dt
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from carecast.dashboard.panels.look import Look, look_of
from carecast.model import prices
from carecast.model.money import Layout, Money, stack
from carecast.model.parameters import BadFile, Calibrated
from carecast.model.plan import Plan
from carecast.model.setup import Stock
from carecast.model.summary import BASELINE, Answers, monthly_grid
from carecast.model.workforce import norms, with_workforce
from carecast.scenarios import stopping
from carecast.scenarios.apply import apply
from carecast.scenarios.budget import approved_budget, first_lever_day
from carecast.scenarios.library import load_scenario
from carecast.scenarios.replicate import Job, Teller
from carecast.scenarios.request import Request, text_digest
from carecast.scenarios.run import Progress, Run, start
from carecast.scenarios.run_inputs import parameter_set_for
from carecast.scenarios.savings import Terms
from carecast.scenarios.scenario import Scenario
from carecast.scenarios.staffing import staffing
from carecast.scenarios.targets import Target
from carecast.scenarios.yearly import yearly_measures

PARTS = ("gross", "value", "by_funder", "programme")
LET_GO = "let_go"  # a file in a look's folder: nobody waits for it any more
KEPT = 4  # parameter sets, and quick looks, that a process keeps laid out


@dataclass(frozen=True)
class Ask:
    """One quick look: on which run's grounds, which scenario, and where its blocks are kept."""

    run: Path  # a finished run: its parameter set, days, seed and radius
    folder: Path  # of the look; ``inputs/`` in it holds the scenario and all it is built on
    scenario: str
    baselines: Path  # blocks of the baseline on the same grounds


@dataclass(frozen=True)
class Part:
    """Some replications of one scenario."""

    monthly: np.ndarray  # [replication, row, month]
    money: tuple[np.ndarray, ...]  # in the order of PARTS, pence
    staff: np.ndarray  # [replication, financial year, service line]


@dataclass(frozen=True)
class _Laid:
    """A quick look laid out in this process."""

    record: dict[str, Any]
    calibrated: Calibrated
    scenario: Scenario
    plans: tuple[Plan, Plan]
    teller: Teller


_GROUNDS: dict[tuple[Path, str], tuple[dict[str, Any], Calibrated]] = {}
_STOCKS: dict[int, tuple[Calibrated, dict[int, Stock]]] = {}
_LAID: dict[Path, _Laid] = {}


def _kept(store: dict[Any, Any], key: Any, value: Any) -> Any:  # noqa: ANN401
    while len(store) >= KEPT:
        del store[next(iter(store))]
    store[key] = value
    return value


# --- grounds ----------------------------------------------------------------------------------------------------------
def grounds(run: Path) -> tuple[dict[str, Any], Calibrated]:
    """A run's record and the parameter set it was made with, kept between tasks.

    Raises:
        BadFile: the parameter set is not there any more, or is another one.
    """
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    key = (run, str(record.get("digest")))
    if key not in _GROUNDS:
        _kept(_GROUNDS, key, (record, parameter_set_for(run, record)))
    found: tuple[dict[str, Any], Calibrated] = _GROUNDS[key]
    return found


def told_whole(request: Request, begun: Path, out: Path, report: Progress) -> Path:
    """Tell a run in a folder of the office's own; it appears among the runs when it is complete, or not at all.

    Raises:
        BadFile: the request cannot be told, or there is a run of that name by now.
    """
    try:
        start(request, begun, resume=True, progress=report)
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise
    if out.exists():
        raise BadFile(f"{out}: is there already; give another name")
    begun.replace(out)
    return out


def _stocks(calibrated: Calibrated) -> dict[int, Stock]:
    """The stock of a parameter set as replications have read it so far; every look reads it alike."""
    if id(calibrated) not in _STOCKS:
        _kept(_STOCKS, id(calibrated), (calibrated, {}))
    return _STOCKS[id(calibrated)][1]


def _laid(ask: Ask) -> _Laid:
    if ask.folder in _LAID:
        return _LAID[ask.folder]
    record, calibrated = grounds(ask.run)
    until = dt.date.fromisoformat(record["until"])
    scenario = load_scenario(ask.folder / "inputs" / f"{ask.scenario}.toml")
    both = tuple(apply(calibrated.parameters, one, until) for one in (load_scenario(BASELINE), scenario))
    job = Job(calibrated, both, until, int(record["seed"]), radius_miles=float(record["radius_miles"]))
    teller = Teller(job, _stocks(calibrated))
    found: _Laid = _kept(_LAID, ask.folder, _Laid(record, calibrated, scenario, (both[0], both[1]), teller))
    return found


# --- blocks -----------------------------------------------------------------------------------------------------------
def tell_block(ask: Ask, first: int, last: int) -> int:
    """Tell a block of replications of the scenario, and of the baseline where nobody has; how many it holds.

    None of them when the look was let go in the meantime.

    Raises:
        BadFile: the scenario does not fit the council or the run.
    """
    file = ask.folder / _name(first, last)
    if (ask.folder / LET_GO).exists():
        return 0
    if not file.is_file():
        laid = _laid(ask)
        staff = _staff(_baseline(ask, laid, first, last))
        _write(file, _told(laid, 1, range(first, last + 1), staff))
    return last - first + 1


def _name(first: int, last: int) -> str:
    return f"{first:05d}_{last:05d}.npz"


def _baseline_file(ask: Ask, laid: _Laid, first: int, last: int) -> Path:
    """Blocks of the baseline differ by the lines of spend that a scenario may add."""
    return ask.baselines / f"{text_digest(*laid.teller.lines)}_{_name(first, last)}"


def _baseline(ask: Ask, laid: _Laid, first: int, last: int) -> Path:
    """The file of a block of the baseline, told where nobody has."""
    file = _baseline_file(ask, laid, first, last)
    if not file.is_file():
        _write(file, _told(laid, 0, range(first, last + 1), None))
    return file


def _told(laid: _Laid, at: int, replications: Sequence[int], staff: np.ndarray | None) -> Part:
    monthly, money, units = [], [], []
    seed = laid.teller.job.seed
    for number, replication in enumerate(replications):
        tables = laid.teller.tables(at, replication)
        theirs = None if staff is None else staff[number]
        book = laid.teller.books[at]
        money.append(prices.price_replication(book, tables, replication, seed=seed, staff_units=theirs))
        monthly.append(tables.monthly)
        units.append(tables.service_units)
    stacked = stack(money)
    return Part(np.stack(monthly), tuple(getattr(stacked, name) for name in PARTS), np.stack(units))


def _write(file: Path, part: Part) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial{id(part)}")
    with partial.open("wb") as handle:
        gross, value, by_funder, programme = part.money
        np.savez(handle, monthly=part.monthly, staff=part.staff, gross=gross, value=value, by_funder=by_funder,
                 programme=programme)  # fmt: skip
    partial.replace(file)


def _read(file: Path) -> Part:
    with np.load(file, allow_pickle=False) as found:
        return Part(found["monthly"], tuple(found[name] for name in PARTS), found["staff"])


def _staff(file: Path) -> np.ndarray:
    with np.load(file, allow_pickle=False) as found:
        staff: np.ndarray = found["staff"]
    return staff


def _joined(parts: Sequence[Part], layout: Layout) -> tuple[np.ndarray, Money]:
    monthly = np.concatenate([part.monthly for part in parts])
    return monthly, Money(layout, *(np.concatenate(columns) for columns in zip(*(p.money for p in parts), strict=True)))


# --- a look ----------------------------------------------------------------------------------------------------------
def gather(ask: Ask, blocks: Sequence[tuple[int, int]]) -> Look:
    """What the page shows of the blocks told so far."""
    return look_of(as_run(ask, blocks), ask.scenario)


def as_run(ask: Ask, blocks: Sequence[tuple[int, int]]) -> Run:
    """The blocks of a look as a run, so that the same functions read it."""
    laid = _laid(ask)
    p, calendar, rows = laid.calibrated.parameters, laid.teller.calendar, laid.teller.rows
    files = ([_baseline_file(ask, laid, *block) for block in blocks], [ask.folder / _name(*block) for block in blocks])
    layouts = [book.layout for book in laid.teller.books]
    told = [
        _joined([_read(file) for file in names], layout) for names, layout in zip(files, layouts, strict=True)
    ]  # fmt: skip
    money = {BASELINE: told[0][1], ask.scenario: told[1][1]}
    budget = approved_budget(p, told[0][1], calendar, first_lever_day(laid.plans[1:]))
    opening = p.numbers["reserves.opening_gbp"].value if "reserves.opening_gbp" in p.numbers else 0.0
    scenarios = (load_scenario(BASELINE), laid.scenario)
    answers = tuple(
        Answers(
            plan.name,
            with_workforce(monthly_grid(rows, calendar, monthly), norms(p), staffing(p, scenario, plan, calendar)),
            yearly_measures(told[0][1], own, budget.pence, opening),
        )
        for plan, scenario, (monthly, own) in zip(laid.plans, scenarios, told, strict=True)
    )
    terms = Terms(p.number("deflator.per_year"), p.number("discount.rate_per_year"))
    targets = tuple(Target.model_validate(target) for target in laid.record["targets"])
    record = {
        **laid.record, "replications": len(told[0][0]), "scenarios": [BASELINE, ask.scenario],
        "notes": list(laid.plans[1].notes), "budget_assumed": budget.is_assumed,
        "monte_carlo": stopping.monte_carlo(answers, laid.record["part_years"]),
    }  # fmt: skip
    return Run(ask.folder, record, answers, budget, money, targets, terms, calendar)


def warm(ask: Ask, first: int, last: int) -> int:
    """Read the parameter set, compile, and tell a block of the baseline, before anybody asks."""
    laid = _laid(ask)
    _baseline(ask, laid, first, last)
    return last - first + 1
