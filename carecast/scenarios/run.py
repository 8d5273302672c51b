"""A run: scenarios told many times into a folder, and what came of it read back.

``start`` tells and writes, ``open_run`` reads. The dashboard and the command line are two thin doors to these functions.
"""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carecast.model import spans
from carecast.model.calendar import Calendar, make_calendar
from carecast.model.money import Layout, Money, ProgrammeItem
from carecast.model.parameters import BadFile, ParameterSet
from carecast.model.results import measure_rows
from carecast.model.summary import BASELINE, Answers, monthly_grid, summarise, to_csv
from carecast.model.workforce import Staffing, norms, with_workforce
from carecast.scenarios import drivers, stopping
from carecast.scenarios.apply import apply
from carecast.scenarios.budget import ApprovedBudget, approved_budget, first_lever_day
from carecast.scenarios.library import load_scenario
from carecast.scenarios.replicate import BLOCK, Job, Teller
from carecast.scenarios.request import (
    Request,
    default_targets,
    differences,
    gathered,
    input_digests,
    scenario_files,
    with_baseline,
)
from carecast.scenarios.run_folder import EVENTS, TABLES, Block, RunFolder
from carecast.scenarios.run_record import content_digest, first_record
from carecast.scenarios.savings import Reserves, Terms, reserves
from carecast.scenarios.scenario import Scenario, nearest
from carecast.scenarios.staffing import staffing
from carecast.scenarios.targets import Assessment, Target, assess
from carecast.scenarios.workers import tell_blocks
from carecast.scenarios.yearly import yearly_measures

__all__ = ["Progress", "Request", "Run", "default_targets", "open_run", "start", "with_baseline"]
Progress = Callable[[int, int], None]  # replications told, of how many; first called with none told


@dataclass(frozen=True)
class Run:
    """A run read back: every number of it, the same for every door."""

    folder: Path
    record: dict[str, Any]
    answers: tuple[Answers, ...]
    budget: ApprovedBudget
    money: dict[str, Money]
    targets: tuple[Target, ...]
    terms: Terms
    calendar: Calendar

    def answer(self, scenario: str) -> Answers:
        """The answers of one scenario.

        Raises:
            BadFile: the run does not hold it.
        """
        for found in self.answers:
            if found.scenario == scenario:
                return found
        hint = nearest(scenario, [found.scenario for found in self.answers])
        raise BadFile(f"{self.folder}: holds no scenario {scenario!r}; {hint}")

    def assessments(self) -> list[Assessment]:
        """Every target judged on every scenario."""
        return assess(self.targets, self.answers, self.terms)

    def reserves(self, scenario: str) -> Reserves:
        """Reserves by financial year, whether they breach the policy minimum, and recurring cost paid from them."""
        opening, minimum = (self._pence(f"reserves.{name}_gbp") for name in ("opening", "policy_minimum"))
        return reserves(self.money[scenario], opening, minimum)

    def _pence(self, number: str) -> int:
        found = self.record["parameters"]["numbers"].get(number)
        return round(100 * found["value"]) if found else 0

    def searches(self, scenario: str) -> pd.DataFrame:
        """Placements and waits, summed over replications (``run_folder.searches_frame``)."""
        return RunFolder(self.folder).read_searches(scenario, blocks_of(int(self.record["replications"])))


# --- telling --------------------------------------------------------------------------------------
def start(request: Request, out: Path, resume: bool = False, progress: Progress | None = None) -> Run:
    """Tell a run into ``out`` and read it back.

    With ``resume`` an absent, empty or interrupted folder is carried on, a complete one only read.

    Raises:
        BadFile: the request does not fit the parameter set, or ``out`` holds another run; nothing is written then.
    """
    scenarios = with_baseline(request.scenarios)
    texts = scenario_files(scenarios)
    until = request.until
    plans = gathered(partial(apply, request.calibrated.parameters, scenario, until) for scenario in scenarios)
    teller = Teller(
        Job(request.calibrated, plans, until, request.seed, request.clock, request.radius_miles, request.events)
    )
    targets, left_out = _judgeable(request, teller)
    digests = input_digests(request, scenarios)
    folder = RunFolder(out)
    if _is_told(folder, request, digests, resume):
        return open_run(out)
    is_new, was_there = folder.is_empty, out.exists()
    folder.lock()
    try:
        if _is_told(folder, request, digests, resume):  # another process finished it in the meantime
            return open_run(out)
        record = first_record(request, teller, digests, targets, left_out)
        folder.write_record(record)
        for name, text in texts.items():
            folder.write_text(f"inputs/{name}.toml", text)
        folder.write_price_draws(request.calibrated.draws)
        return _Telling(request, scenarios, teller, folder, record, progress).run()
    except BaseException as error:
        with suppress(OSError, BadFile):
            folder.write_record({**folder.record, "status": "interrupted"})
        if isinstance(error, BadFile) and is_new:  # a mistake that showed only now: nothing is left of the attempt
            folder.wipe()
        raise
    finally:
        folder.unlock()
        if not was_there:
            with suppress(OSError):
                out.rmdir()  # when nothing is in it


def _is_told(folder: RunFolder, request: Request, digests: dict[str, str], resume: bool) -> bool:
    """Whether the folder holds the very run that is asked for, complete.

    Raises:
        BadFile: it holds a run that must not be carried on.
    """
    if folder.is_empty:
        return False
    record = folder.record
    if not resume:
        raise BadFile(f"{folder.path}: already holds a run ({record['status']}); add --resume, or give another --out")
    differs = differences(request, digests, record)
    if differs:
        raise BadFile(f"{folder.path}: cannot resume, the run there was made with other inputs: {', '.join(differs)}")
    return record["status"] == "complete" and not missing_files(folder, record)


def missing_files(folder: RunFolder, record: dict[str, Any]) -> list[str]:
    """What a complete run lacks: files that were taken away or damaged since."""
    wanted = ["summary.csv", *(f"inputs/{name}.toml" for name in record["scenarios"])]
    wanted += ["events.parquet"] if record["events"] else []
    lacking = [name for name in wanted if not (folder.path / name).is_file()]
    for block in blocks_of(int(record["replications"])):
        if not folder.has_block(block, record["scenarios"]):
            lacking.append(f"replications {block[0]} to {block[1]}")
    return lacking


@dataclass
class _Telling:
    """One run being told."""

    request: Request
    scenarios: tuple[Scenario, ...]
    teller: Teller
    folder: RunFolder
    record: dict[str, Any]
    progress: Progress | None

    def run(self) -> Run:
        """Blocks until the stopping rule is content, then the summary and all that is said of it."""
        began = time.monotonic()
        rule = stopping.Rule(self.request.replications, len(self.request.calibrated.draws))
        done = 0
        self._report(0, rule.cap)
        while (wanted := rule.next_total(done, partial(self._watched, done))) > done:
            done = self._tell(done, wanted, rule.cap)
        self.record |= {"replications": done, "stopping": rule.verdict(done)}
        run = read_run(self.folder, self.record)
        self._conclude(run)
        self.record |= {"status": "complete", "seconds": round(time.monotonic() - began, 2)}
        self.folder.write_record(self.record)
        if self.request.events:
            self.folder.drop_block_events()
        return replace(run, record=self.folder.record)

    def _report(self, done: int, total: int) -> None:
        if self.progress:
            self.progress(done, total)

    def _tell(self, done: int, wanted: int, total: int) -> int:
        """Tell the blocks from ``done`` to ``wanted`` that are not on disk yet."""
        names = self.record["scenarios"]
        tables = (*TABLES, EVENTS) if self.request.events else TABLES
        todo = [block for block in blocks_of(wanted) if block[0] >= done]
        missing = [block for block in todo if not self.folder.has_block(block, names, tables)]
        told = tell_blocks(self.teller, missing, self.request.workers, self.request.scheduler)
        for block in todo:
            if block in missing:
                self.folder.write_block(block, names, self.teller.rows, self.teller.calendar, next(told))
            self._report(block[1] + 1, total)
        return wanted

    def _watched(self, done: int) -> tuple[Any, Any]:
        """Looked after at the end, and gross cost of the last whole year, of the baseline: what the rule watches."""
        blocks, rows = blocks_of(done), self.teller.rows
        monthly = self.folder.read_monthly(BASELINE, blocks, rows)
        money = self.folder.read_money(BASELINE, blocks, self.teller.books[0].layout)
        years = money.layout.whole_years or (len(money.layout.financial_years) - 1,)
        return monthly[:, rows.index(("looked_after", "total")), -1], money.gross[:, years[-1]].sum(axis=-1)

    def _conclude(self, run: Run) -> None:
        names, blocks = self.record["scenarios"], blocks_of(int(self.record["replications"]))
        summary = summarise(run.answers)
        self.folder.write_text("summary.csv", to_csv(summary))
        if self.request.events:
            self.folder.gather_events(names, blocks)
        self.record |= {
            "monte_carlo": stopping.monte_carlo(run.answers, run.record["part_years"]),
            "budget_assumed": run.budget.is_assumed,
            "drivers": drivers.drivers(
                self.request.calibrated, self.scenarios, self.teller.job.plans, run.answers, self.request.seed, run.calendar
            ),
            "digest": content_digest(run.answers, run.money, [run.searches(name) for name in names], summary),
        }  # fmt: skip


def blocks_of(replications: int) -> list[Block]:
    """(first, last) replication of each block that so many replications are told and kept in."""
    return [(first, min(first + BLOCK, replications) - 1) for first in range(0, replications, BLOCK)]


# --- targets that a run can judge -----------------------------------------------------------------
def _judgeable(request: Request, teller: Teller) -> tuple[list[Target], dict[str, str]]:
    """The targets that the run holds the measure and the date of; and why each of the others is left out.

    Raises:
        BadFile: ``all_targets`` was asked for and one cannot be judged, or a measure does not exist.
    """
    trial = _trial(teller)
    known = {measure for measure, _ in (*trial[0].monthly.rows, *trial[0].yearly.rows)}
    kept: list[Target] = []
    left_out: dict[str, str] = {}
    lines: list[str] = []
    for target in request.targets:
        try:
            assess([target], trial, Terms(0.0))
            kept.append(target)
        except BadFile as error:
            if request.all_targets or target.row_measure not in known:
                lines += error.lines
            else:
                left_out[target.name] = error.lines[0]
    if lines:
        raise BadFile(*lines)
    return kept, left_out


def _trial(teller: Teller) -> tuple[Answers, Answers]:
    """Answers of one empty replication of a run and of a scenario beside it: the rows and dates it will hold."""
    layout = replace(teller.books[0].layout, items=())
    years, lines = len(layout.financial_years), len(layout.lines)
    pence = np.zeros((1, years, lines), dtype=np.int64)
    by_funder = np.zeros((*pence.shape, teller.books[0].rows.shares.shape[1]), dtype=np.int64)
    money = Money(layout, pence, pence, by_funder, np.zeros((1, years, 0), dtype=np.int64))
    yearly = yearly_measures(money, money, pence[0], 0.0)
    values = np.zeros((1, len(teller.rows), teller.calendar.n_rows))
    nobody = np.zeros(teller.calendar.n_rows)
    norm = norms(teller.job.calibrated.parameters)
    monthly = with_workforce(monthly_grid(teller.rows, teller.calendar, values), norm, Staffing(nobody, nobody))
    return Answers(BASELINE, monthly, yearly), Answers("a scenario", monthly, yearly)


# --- after ----------------------------------------------------------------------------------------
def open_run(path: Path) -> Run:
    """Read a run folder.

    Raises:
        BadFile: not a run folder, or the run is not complete or no longer whole.
    """
    folder = RunFolder(path)
    record = folder.record
    if record["status"] != "complete":
        raise BadFile(f"{path}: the run is not complete ({record['status']}); carry it on with: {_again(record)}")
    lacking = missing_files(folder, record)
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise BadFile(f"{path}: {lacking[0]}{more} missing or damaged; tell it again with: {_again(record)}")
    return read_run(folder, record)


def _again(record: dict[str, Any]) -> str:
    """The command that carries a run on; `carecast demo` begins anew."""
    command = str(record.get("command") or "carecast run ...")
    return f"{command} --resume" if command.startswith("carecast run") else command


def read_run(folder: RunFolder, record: dict[str, Any]) -> Run:
    """A run as its folder's tables and this record say, whether or not it is complete."""
    p = ParameterSet.model_validate({**record["parameters"], "rates": [], "branches": [], "destinations": []})
    calendar = make_calendar(dt.date.fromisoformat(record["as_at"]), dt.date.fromisoformat(record["until"]))
    rows = measure_rows([locality.name for locality in p.localities])
    blocks = blocks_of(int(record["replications"]))
    names: Sequence[str] = record["scenarios"]
    money = {name: folder.read_money(name, blocks, _layout(calendar, record, name)) for name in names}
    scenarios = [load_scenario(folder.path / "inputs" / f"{name}.toml") for name in names]
    plans = [apply(p, scenario, calendar.until) for scenario in scenarios]
    programmes = [plan for name, plan in zip(names, plans, strict=True) if name != BASELINE]
    budget = approved_budget(p, money[BASELINE], calendar, first_lever_day(programmes))
    opening = p.numbers["reserves.opening_gbp"].value if "reserves.opening_gbp" in p.numbers else 0.0
    answers = tuple(
        Answers(
            name,
            with_workforce(
                monthly_grid(rows, calendar, folder.read_monthly(name, blocks, rows)),
                norms(p),
                staffing(p, scenario, plan, calendar),
            ),
            yearly_measures(money[BASELINE], money[name], budget.pence, opening),
        )
        for name, scenario, plan in zip(names, scenarios, plans, strict=True)
    )
    terms = Terms(p.number("deflator.per_year"), p.number("discount.rate_per_year"))
    targets = tuple(Target.model_validate(target) for target in record["targets"])
    return Run(folder.path, record, answers, budget, money, targets, terms, calendar)


def _layout(calendar: Calendar, record: dict[str, Any], name: str) -> Layout:
    return Layout(
        financial_years=calendar.financial_years,
        run_days=tuple(int(days) for days in spans.run_days_by_year(calendar)),
        year_days=tuple(spans.year_days(name) for name in calendar.financial_years),
        lines=tuple(record["lines"]),
        items=tuple(ProgrammeItem(**item) for item in record["items"][name]),
    )
