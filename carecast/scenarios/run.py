"""A run: scenarios told many times into a folder, and what came of it read back.

``start`` tells and writes, ``open_run`` reads. The dashboard and the command line are two thin doors to these functions.
"""

import datetime as dt
import hashlib
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from carecast import __version__
from carecast.model.calendar import Calendar, make_calendar
from carecast.model.engine import Clock
from carecast.model.money import Layout, Money, ProgrammeItem
from carecast.model.parameters import BadFile, Calibrated, ParameterSet
from carecast.model.summary import BASELINE, Answers, monthly_grid, summarise, to_csv
from carecast.scenarios import stopping
from carecast.scenarios.apply import apply
from carecast.scenarios.budget import ApprovedBudget, approved_budget, first_lever_day
from carecast.scenarios.library import inherited, load_scenario, targets_of, write_text
from carecast.scenarios.replicate import BLOCK, BlockOf, Job, Teller, tell_block
from carecast.scenarios.run_folder import RUN_FORMAT, RunFolder
from carecast.scenarios.savings import Terms
from carecast.scenarios.scenario import Scenario
from carecast.scenarios.target_file import load_target_file, target_files
from carecast.scenarios.targets import Assessment, Target, assess
from carecast.scenarios.wording import not_modelled
from carecast.scenarios.yearly import yearly_measures

Progress = Callable[[int, int], None]  # replications told, of how many


@dataclass(frozen=True)
class Request:
    """What is asked of a run."""

    calibrated: Calibrated
    scenarios: tuple[Scenario, ...]  # without the baseline, or with it anywhere
    until: dt.date
    seed: int = 1
    replications: int | None = 200  # None: as many as the stopping rule asks for
    workers: int = 1
    clock: Clock = "compiled"
    radius_miles: float | None = None
    targets: tuple[Target, ...] = ()
    command: str = ""


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
        raise BadFile(f"{self.folder}: holds no scenario {scenario!r}; it holds {', '.join(a.scenario for a in self.answers)}")

    def assessments(self) -> list[Assessment]:
        """Every target judged on every scenario."""
        return assess(self.targets, self.answers, self.terms)

    def searches(self, scenario: str) -> pd.DataFrame:
        """Placements and waits, summed over replications (``run_folder.searches_frame``)."""
        return RunFolder(self.folder).read_searches(scenario, _blocks(int(self.record["replications"])))


# --- before ------------------------------------------------------------------------------------------------------------------
def with_baseline(scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    """The baseline first, then each scenario once.

    Raises:
        BadFile: two scenarios share a name.
    """
    given = [scenario for scenario in scenarios if scenario.name != BASELINE]
    names = [scenario.name for scenario in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadFile(*(f"scenario {name!r} is given twice; two scenarios of a run need two names" for name in twice))
    own = [scenario for scenario in scenarios if scenario.name == BASELINE]
    return (own[0] if own else load_scenario(BASELINE), *given)


def default_targets(parameters: ParameterSet, scenarios: tuple[Scenario, ...]) -> tuple[Target, ...]:
    """Targets that the scenarios bring, and those shipped for this council; each name once."""
    found = {target.name: target for scenario in scenarios for target in targets_of(scenario)}
    slug = parameters.council.lower().replace(" ", "_")
    if slug in target_files():
        for target in load_target_file(slug).targets:
            found.setdefault(target.name, target)
    return tuple(found.values())


def _digest(*texts: str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]


def _frame_digest(frame: pd.DataFrame) -> str:
    hashed = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return hashlib.sha256("|".join(map(str, frame.columns)).encode() + hashed.tobytes()).hexdigest()[:16]


def input_digests(request: Request, scenarios: tuple[Scenario, ...]) -> dict[str, str]:
    """Digests of content of everything that decides a run."""
    c = request.calibrated
    return {
        "parameters": _digest(c.parameters.model_dump_json()),
        "draws": _frame_digest(c.draws),
        "stock": _frame_digest(c.stock),
        **{f"scenario {s.name}": _digest(repr(inherited(s))) for s in scenarios},
        "asked": _digest(str(request.until), str(request.seed), request.clock, str(request.radius_miles)),
    }


def _commit() -> str:
    try:
        here = Path(__file__).parent
        found = subprocess.run(  # noqa: S603
            ["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, timeout=5, check=False  # noqa: S607
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()


def _first_record(request: Request, scenarios: tuple[Scenario, ...], digests: dict[str, str]) -> dict[str, Any]:
    p = request.calibrated.parameters
    calendar = make_calendar(p.as_at, request.until)
    return {
        "format": RUN_FORMAT, "status": "running", "council": p.council, "nation": p.nation, "as_at": p.as_at.isoformat(),
        "counterfactual_date": p.counterfactual_date.isoformat() if p.counterfactual_date else None,
        "until": request.until.isoformat(), "seed": request.seed, "clock": request.clock, "replications": 0,
        "asked_replications": request.replications or "auto", "block": BLOCK,
        "radius_miles": request.radius_miles or p.radius_miles, "indicative": p.indicative, "stamp": p.stamp,
        "scenarios": [s.name for s in scenarios], "inputs": digests, "part_years": list(calendar.part_years),
        "not_modelled": list(not_modelled(p.not_modelled)), "backtest": request.calibrated.record.get("backtest"),
        "versions": {"carecast": __version__, "python": platform.python_version(),
                     **{name: version(name) for name in ("numpy", "numba", "pandas", "pyarrow", "simpy")}},
        "commit": _commit(), "command": request.command,
        "started": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "targets": [target.model_dump(mode="json", by_alias=True, exclude_none=True) for target in request.targets],
    }  # fmt: skip


# --- telling -----------------------------------------------------------------------------------------------------------------
def start(request: Request, out: Path, resume: bool = False, progress: Progress | None = None) -> Run:
    """Tell a run into ``out`` and read it back.

    With ``resume`` an absent, empty or interrupted folder is carried on, a complete one only read.

    Raises:
        BadFile: the request does not fit the parameter set, or ``out`` holds another run; nothing is written then.
    """
    scenarios = with_baseline(request.scenarios)
    until = request.until
    plans = tuple(apply(request.calibrated.parameters, scenario, until) for scenario in scenarios)
    job = Job(request.calibrated, plans, until, request.seed, request.clock, request.radius_miles)
    teller = Teller(job)
    folder = RunFolder(out)
    digests = input_digests(request, scenarios)
    _check_folder(folder, digests, resume, request)
    if not folder.is_empty and folder.record["status"] == "complete":
        return open_run(out)
    folder.lock()
    try:
        return _tell(request, scenarios, plans, teller, folder, digests, progress)
    except KeyboardInterrupt:
        folder.write_record({**folder.record, "status": "interrupted"})
        raise
    finally:
        folder.unlock()


def _check_folder(folder: RunFolder, digests: dict[str, str], resume: bool, request: Request) -> None:
    if folder.is_empty:
        return
    record = folder.record
    if not resume:
        raise BadFile(f"{folder.path}: already holds a run ({record['status']}); add --resume, or give another --out")
    differs = sorted(key for key in {*digests, *record["inputs"]} if digests.get(key) != record["inputs"].get(key))
    asked = request.replications or "auto"
    if record["asked_replications"] != asked:
        differs.append(f"replications ({record['asked_replications']} then, {asked} now)")
    if differs:
        raise BadFile(f"{folder.path}: cannot resume, the run there was made with other inputs: {', '.join(differs)}")


def _tell(request: Request, scenarios: tuple[Scenario, ...], plans: Any, teller: Teller, folder: RunFolder,
          digests: dict[str, str], progress: Progress | None) -> Run:  # fmt: skip
    began = time.monotonic()
    record = _first_record(request, scenarios, digests)
    for scenario in scenarios:
        folder.write_text(f"inputs/{scenario.name}.toml", write_text(scenario))
    folder.write_record(record)
    names = tuple(scenario.name for scenario in scenarios)
    record["lines"], record["items"] = list(teller.lines), _items(teller)
    record["notes"] = [note for plan in plans for note in plan.notes]
    folder.write_record(record)
    done = 0
    rule = stopping.Rule(request.replications, len(request.calibrated.draws))
    while (wanted := rule.next_total(done, lambda: _watched(folder, record, teller, done))) > done:
        for first, last, block in _blocks_told(request, teller, folder, done, wanted):
            if block is not None:
                folder.write_block(first, last, names, teller.rows, teller.calendar, block)
            done = last + 1
            if progress:
                progress(done, wanted if request.replications else rule.cap)
    record |= {"replications": done, "stopping": rule.verdict(done)}
    run = _read(folder, record, request.calibrated.parameters)
    summary = summarise(run.answers)
    folder.write_text("summary.csv", to_csv(summary))
    record["monte_carlo"] = stopping.monte_carlo(run.answers)
    record["budget_assumed"] = run.budget.is_assumed
    record["digest"] = _frame_digest(summary)
    record["parameters"] = _kept_parameters(request.calibrated)
    record |= {"status": "complete", "seconds": round(time.monotonic() - began, 2)}
    folder.write_record(record)
    return open_run(folder.path)


def _kept_parameters(calibrated: Calibrated) -> dict[str, Any]:
    """What screens and reports show of the parameter set; never the stock."""
    return dict(calibrated.parameters.model_dump(mode="json", by_alias=True, exclude={"rates", "destinations", "branches"}))


def _watched(folder: RunFolder, record: dict[str, Any], teller: Teller, done: int) -> tuple[Any, Any]:
    """Looked after at the end, and gross cost of the last whole year, of the baseline: what the stopping rule watches."""
    blocks = _blocks(done)
    monthly = folder.read_monthly(BASELINE, blocks, len(teller.rows))
    money = folder.read_money(BASELINE, blocks, teller.books[0].layout)
    years = money.layout.whole_years or (len(money.layout.financial_years) - 1,)
    return monthly[:, teller.rows.index(("looked_after", "total")), -1], money.gross[:, years[-1]].sum(axis=-1)


def _blocks(replications: int) -> list[tuple[int, int]]:
    return [(first, min(first + BLOCK, replications) - 1) for first in range(0, replications, BLOCK)]


Told = tuple[int, int, list[BlockOf] | None]


def _blocks_told(request: Request, teller: Teller, folder: RunFolder, done: int, wanted: int) -> Iterator[Told]:
    """Blocks from ``done`` to ``wanted`` in order: None for those already on disk."""
    todo = [(first, last) for first, last in _blocks(wanted) if first >= done]
    missing = [block for block in todo if not folder.block_path(*block).is_dir()]
    told: Iterator[list[BlockOf]]
    if request.workers > 1 and len(missing) > 1:
        from joblib import Parallel, delayed

        key = _digest(str(id(teller)), str(time.time_ns()))
        tasks = (delayed(tell_block)(key, teller.job, range(first, last + 1)) for first, last in missing)
        told = Parallel(n_jobs=request.workers, return_as="generator", pre_dispatch="2*n_jobs")(tasks)
    else:
        told = (teller.block(range(first, last + 1)) for first, last in missing)
    waiting = set(missing)
    for first, last in todo:
        yield first, last, next(told) if (first, last) in waiting else None


# --- after -------------------------------------------------------------------------------------------------------------------
def _items(teller: Teller) -> dict[str, list[dict[str, Any]]]:
    return {
        plan.name: [
            {"lever": i.lever, "label": i.label, "paid_from": i.paid_from, "recurring": i.recurring, "category": i.category,
             "funder": i.funder}
            for i in book.layout.items
        ]
        for plan, book in zip(teller.job.plans, teller.books, strict=True)
    }  # fmt: skip


def open_run(path: Path) -> Run:
    """Read a run folder.

    Raises:
        BadFile: not a run folder, or the run is not complete.
    """
    folder = RunFolder(path)
    record = folder.record
    if record["status"] != "complete":
        raise BadFile(f"{path}: the run is not complete ({record['status']}); `carecast run --resume` carries it on")
    return _read(folder, record, None)


def _read(folder: RunFolder, record: dict[str, Any], parameters: ParameterSet | None) -> Run:
    from carecast.model.results import measure_rows

    p = parameters or ParameterSet.model_validate({**record["parameters"], "rates": [], "branches": [], "destinations": []})
    calendar = make_calendar(dt.date.fromisoformat(record["as_at"]), dt.date.fromisoformat(record["until"]))
    rows = measure_rows([locality.name for locality in p.localities])
    blocks = _blocks(int(record["replications"]))
    money = {
        name: folder.read_money(name, blocks, _layout(calendar, record, name)) for name in record["scenarios"]
    }
    scenarios = [load_scenario(folder.path / "inputs" / f"{name}.toml") for name in record["scenarios"] if name != BASELINE]
    plans = [apply(p, scenario, calendar.until) for scenario in scenarios]
    budget = approved_budget(p, money[BASELINE], calendar, first_lever_day(plans))
    opening = p.numbers["reserves.opening_gbp"].value if "reserves.opening_gbp" in p.numbers else 0.0
    answers = tuple(
        Answers(
            name,
            monthly_grid(rows, calendar, folder.read_monthly(name, blocks, len(rows))),
            yearly_measures(money[BASELINE], money[name], budget.pence, opening),
        )
        for name in record["scenarios"]
    )
    terms = Terms(p.number("deflator.per_year"), p.number("discount.rate_per_year"))
    targets = tuple(Target.model_validate(target) for target in record["targets"])
    return Run(folder.path, record, answers, budget, money, targets, terms, calendar)


def _layout(calendar: Calendar, record: dict[str, Any], name: str) -> Layout:
    from carecast.model import spans

    items = tuple(ProgrammeItem(**item) for item in record["items"][name])
    run_days = tuple(int(days) for days in spans.run_days_by_year(calendar))
    year_days = tuple(366 if _is_leap(int(year[:4]) + 1) else 365 for year in calendar.financial_years)
    return Layout(calendar.financial_years, run_days, year_days, tuple(record["lines"]), items)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
