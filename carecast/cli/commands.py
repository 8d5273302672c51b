"""The commands. Each reads its arguments, calls one function of the rooms and says what came of it."""

import datetime as dt
import math
import os
import shlex
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from carecast import __version__
from carecast.cli import scenario as scenario_files
from carecast.cli import story
from carecast.cli.backtest import backtest
from carecast.cli.calibrate import calibrate
from carecast.cli.check import check
from carecast.cli.diagnose import diagnose
from carecast.cli.difference import diff
from carecast.cli.doors import Bar, StoppedError, say, show, show_json
from carecast.cli.evaluate import evaluate
from carecast.cli.gaps import gaps
from carecast.cli.options import Json
from carecast.cli.report import report
from carecast.cli.reprice import reprice
from carecast.cli.savings import money_text, savings
from carecast.cli.sections import targets_text
from carecast.cli.sensitivity import sensitivity
from carecast.cli.solve import solve
from carecast.cli.sufficiency import sufficiency
from carecast.cli.text import records
from carecast.cli.waterfall import waterfall
from carecast.cli.workforce import workforce
from carecast.model.engine import Clock
from carecast.model.parameters import BadFile, Calibrated, load, save
from carecast.model.summary import BASELINE
from carecast.scenarios.library import load_scenario
from carecast.scenarios.request import Request, default_targets, gathered
from carecast.scenarios.run import Run, start
from carecast.scenarios.scenario import Scenario
from carecast.scenarios.target_file import TargetFile, load_target_file

END_OF_HORIZON = "2029-03-31"
DEMO_PACK, DEMO_SCENARIOS, DEMO_REPLICATIONS, DEMO_SEED = (
    "west-dunbartonshire",
    ("what_would_it_take", "prices_rise"),
    200,
    1,
)
HINDCAST_REPLICATIONS = 40
Parameters = Annotated[
    Path, typer.Option("--parameters", metavar="DIR", help="A parameter set, from `carecast calibrate`.")
]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, from `carecast run`.")]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="Seed of all draws.", min=0, max=2**62)]


def register(app: typer.Typer) -> None:
    """Add every command, in the order a newcomer meets them."""
    app.callback()(about)
    for command in (
        demo, check, calibrate, backtest, run, compare, savings, waterfall, reprice, target, solve, sensitivity,
        evaluate, diff, diagnose, workforce, gaps, sufficiency, report, journey, dashboard,
    ):  # fmt: skip
        app.command(help=command.__doc__)(command)
    app.add_typer(scenario_files.app, name="scenario")


def _show_version(wanted: bool) -> None:
    if wanted:
        show(f"carecast {__version__}")
        raise typer.Exit


def about(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Forecast how many children a council will look after, where, and what it costs; and compare what it could do.

    Example: `carecast demo`
    """


def day(text: str, option: str) -> dt.date:
    """A date given as YYYY-MM-DD.

    Raises:
        BadFile: it is not one.
    """
    try:
        found = dt.date.fromisoformat(text)
        if found.isoformat() != text:  # 20290331 is ISO too, but nobody means it
            raise ValueError(text)
        return found
    except ValueError:
        raise BadFile(f"{option}: found {text!r}; should be a date such as 2029-03-31") from None


def default_workers() -> int:
    """As many as there are processors for this process, at most eight."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(count, 8)


def asked_command(out: Path | None = None) -> str:
    """The command as it was typed, with the folder it writes: what reproduces a run, and with --resume carries it on."""
    words = [word for word in sys.argv[1:] if word != "--resume"]
    if out is not None and not any(word == "--out" or word.startswith("--out=") for word in words):
        words += ["--out", str(out)]
    return shlex.join(["carecast", *words])


def _announce_compiling() -> None:
    """Say, before it happens, that the first run of a new version compiles the model."""
    from carecast.model import compiled

    if compiled.IS_FIRST_COMPILE:
        say("Compiling the model for this machine, once (about half a minute) ...")


def _made(request: Request, out: Path, resume: bool = False) -> Run:
    """The run, with a bar; Ctrl-C says how to carry on."""
    with Bar("Telling replications", _announce_compiling) as bar:
        try:
            return start(request, out, resume=resume, progress=bar)
        except KeyboardInterrupt:
            text = f"stopped after {bar.done} replications, which {out} keeps"
            carry_on = (
                f"; carry on with: {request.command} --resume" if request.command.startswith("carecast run") else ""
            )
            raise StoppedError(text + carry_on) from None


# --- demo -----------------------------------------------------------------------------------------
def demo(
    out: Annotated[Path, typer.Option("--out", help="Where runs go; the run is OUT/demo, replaced.")] = Path("runs"),
    replications: Annotated[int, typer.Option("--replications", min=2, help="Worlds a scenario.")] = DEMO_REPLICATIONS,
    as_json: Json = False,
) -> None:
    """Everything on West Dunbartonshire: calibrate, run three scenarios, and a summary on screen.

    Example: `carecast demo`
    """
    from carecast.scenarios.run_folder import RunFolder

    say("Calibrating West Dunbartonshire from published figures and stated assumptions ...")
    calibrated = _calibrated(DEMO_PACK, None, None)
    RunFolder(out / "demo").clear()
    save(out / "demo-parameters", calibrated)
    scenarios = tuple(load_scenario(name) for name in DEMO_SCENARIOS)
    request = Request(
        calibrated, scenarios, day(END_OF_HORIZON, "--until"), seed=DEMO_SEED, replications=replications,
        workers=default_workers(), targets=default_targets(calibrated.parameters, scenarios), command=asked_command(),
    )  # fmt: skip
    made = _made(request, out / "demo")
    if as_json:
        show_json(story.as_document(made))
        return
    show(story.board_summary(made))
    show(story.what_next(made.folder, out / "demo-parameters"))


# --- calibrate ------------------------------------------------------------------------------------
def _calibrated(
    history: str,
    as_at: dt.date | None,
    figures: Path | None,
    council: str | None = None,
    localities: Path | None = None,
) -> Calibrated:
    from carecast.calibration.calibrate import calibrate as fit

    return fit(
        history,
        as_at=as_at,
        overrides=figures,
        council=council,
        hindcast_replications=HINDCAST_REPLICATIONS,
        localities=localities,
    )


# --- run ------------------------------------------------------------------------------------------
def run(
    parameters: Parameters,
    scenario: Annotated[
        list[str], typer.Option("--scenario", metavar="NAME_OR_FILE", help="May be given several times.")
    ],
    more: Annotated[list[str] | None, typer.Argument(metavar="NAME_OR_FILE", help="Further scenarios.")] = None,
    replications: Annotated[str, typer.Option("--replications", metavar="N|auto", help="Worlds a scenario.")] = "200",
    seed: Seed = 1,
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Last day, included.")] = END_OF_HORIZON,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="The run folder; in runs/ unless given.")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; as many as processors.")] = None,
    scheduler: Annotated[str, typer.Option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, instead.")] = "",
    clock: Annotated[str, typer.Option("--clock", help="compiled, or simpy: slower, the one to read.")] = "compiled",
    radius: Annotated[float | None, typer.Option("--radius", help="Miles, if not the parameter set's.")] = None,
    targets: Annotated[Path | None, typer.Option("--targets", metavar="FILE", help="A target file.")] = None,
    events: Annotated[bool, typer.Option("--events", help="Also write every event of simulated entrants.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Carry on an interrupted run.")] = False,
    as_json: Json = False,
) -> None:
    """Tell scenarios many times into a run folder; the baseline is always among them.

    Example: `carecast run --parameters parameters/wd --scenario what_would_it_take --replications 1000 --out runs/wwit`
    """
    last, count, told_by, miles = _checked(until, replications, clock, radius)
    calibrated, scenarios, own = _inputs(parameters, (*scenario, *(more or ())), targets)
    given = own.targets if own else default_targets(calibrated.parameters, scenarios)
    path = out or Path("runs") / _folder_name([s.name for s in scenarios])
    request = Request(
        calibrated, scenarios, last, seed=seed, replications=count, workers=workers or default_workers(),
        scheduler=scheduler, clock=told_by, radius_miles=miles, targets=given, all_targets=own is not None,
        command=asked_command(path), events=events,
    )  # fmt: skip
    made = _made(request, path, resume)
    if as_json:
        show_json(story.as_document(made))
        return
    show(story.run_summary(made))


def _folder_name(scenarios: list[str]) -> str:
    names = "_".join(name for name in scenarios if name != "baseline") or "baseline"
    return f"{names[:60]}_{dt.datetime.now(dt.UTC):%Y%m%d_%H%M%S}"


def _checked(
    until: str, replications: str, clock: str, radius: float | None
) -> tuple[dt.date, int | None, Clock, float | None]:
    """Options that are more than a word or a number, all their mistakes at once."""
    tasks: list[Callable[[], Any]] = [
        partial(day, until, "--until"), partial(_count, replications), partial(_clock, clock), partial(_miles, radius),
    ]  # fmt: skip
    last, count, told_by, miles = gathered(tasks)
    return last, count, told_by, miles


def _miles(radius: float | None) -> float | None:
    if radius is not None and not 0 < radius < math.inf:
        raise BadFile(f"--radius: found {radius}; should be a number of miles above 0")
    return radius


def _inputs(
    parameters: Path, names: tuple[str, ...], targets: Path | None
) -> tuple[Calibrated, tuple[Scenario, ...], TargetFile | None]:
    """The files a run is made of, all their mistakes at once."""
    tasks: list[Callable[[], Any]] = [partial(load, parameters), *(partial(load_scenario, name) for name in names)]
    tasks += [partial(load_target_file, targets)] if targets is not None else []
    calibrated, *rest = gathered(tasks)
    return calibrated, tuple(rest[: len(names)]), rest[-1] if targets is not None else None


def _clock(clock: str) -> Clock:
    if clock not in get_args(Clock):
        raise BadFile(f"--clock: found {clock!r}; should be one of {', '.join(get_args(Clock))}")
    return "simpy" if clock == "simpy" else "compiled"


def _count(text: str) -> int | None:
    if text == "auto":
        return None
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise BadFile(f"--replications: found {text!r}; should be a whole number above 0, or auto")
    return int(text)


# --- reading a run --------------------------------------------------------------------------------
def compare(
    run_folder: RunPath,
    against: Annotated[
        str, typer.Option("--against", metavar="NAME", help="The scenario to compare with.")
    ] = "baseline",
    as_json: Json = False,
) -> None:
    """Paired differences between the scenarios of a run, with intervals; safety beside every saving.

    Example: `carecast compare runs/demo --against baseline`
    """
    from carecast.scenarios.compare import compare as paired
    from carecast.scenarios.compare import safety_beside_savings
    from carecast.scenarios.money_answers import money_answers
    from carecast.scenarios.run import open_run

    made = open_run(run_folder)
    made.answer(against)
    if as_json:
        document = {
            "against": against,
            "differences": records(paired(made.answers, against)),
            "safety_beside_savings": records(safety_beside_savings(made.answers, against)),
            "money": [money_answers(made, found.scenario) for found in made.answers if found.scenario != BASELINE],
            "targets": story.target_rows(made),
        }
        show_json(document)
        return
    show(story.comparison(made, against, money_text(made) if against == BASELINE else ""))


def target(run_folder: RunPath, as_json: Json = False) -> None:
    """Probability that each target is met, the shortfall, and the month it is met.

    Example: `carecast target runs/demo --json`
    """
    from carecast.scenarios.run import open_run

    made = open_run(run_folder)
    if as_json:
        show_json(story.target_rows(made))
        return
    show(targets_text(made))


def journey(
    parameters: Parameters,
    seed: Seed = 1,
    replication: Annotated[int, typer.Option("--replication", min=0, help="Which world.")] = 0,
    child: Annotated[int, typer.Option("--child", min=0, help="Which simulated entrant, counted from 0.")] = 0,
    scenario: Annotated[str, typer.Option("--scenario", help="Scenario it lives in.")] = "baseline",
    until: Annotated[str, typer.Option("--until", metavar="DATE")] = END_OF_HORIZON,
    as_json: Json = False,
) -> None:
    """One simulated entrant's events, in words; never a real child of the stock.

    Example: `carecast journey --parameters parameters/wd --seed 1 --replication 0 --child 42`
    """
    from carecast.cli.journeys import tell

    lines = tell(load(parameters), load_scenario(scenario), day(until, "--until"), seed, replication, child)
    if as_json:
        show_json(lines)
        return
    show("\n".join(f"{line['date']}  {line['event']}" for line in lines))


def dashboard(
    port: Annotated[int, typer.Option("--port", min=1024, max=65535, help="Port on this machine.")] = 8501,
    run_folder: Annotated[Path | None, typer.Option("--run", metavar="RUN", help="The run to open first.")] = None,
    runs: Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder of runs to choose from.")] = Path("runs"),
) -> None:
    """Open the dashboard in the browser; nothing leaves this machine.

    Example: `carecast dashboard --port 8501`
    """
    from carecast.dashboard.serve import serve

    raise typer.Exit(serve(run_folder, runs, port))
