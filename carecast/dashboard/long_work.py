"""Longer works in a worker process: a whole run, what it would take, what it hangs on. No Streamlit.

A work is a folder: ``question.json`` and the files it needs come in, ``state.json`` says how far it is, the answer lies
beside it. A file named ``cancel`` stops it at the next report of progress, and takes away what was begun.
"""

import datetime as dt
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from carecast.dashboard import worker
from carecast.dashboard.worker import grounds
from carecast.model.parameters import BadFile
from carecast.scenarios.library import load_scenario

QUESTION, STATE, CANCEL, ANSWER = "question.json", "state.json", "cancel", "answer.json"
WRITE_SECONDS = 0.3  # between two reports on disk
Report = Callable[[int, int], None]


class CancelledError(Exception):
    """Somebody does not want the answer any more."""


def state(folder: Path) -> dict[str, Any]:
    """What a work last said of itself; nothing before it has begun."""
    try:
        found: dict[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def is_there(folder: Path) -> bool:
    """Whether the answer of a finished work is still where it says."""
    said = state(folder)
    return "result" in said and Path(said["result"]).exists()


def do(folder: Path) -> None:
    """Do the work of a folder; how it ended stands in ``state.json``."""
    report = _Reporting(folder)
    try:
        question = json.loads((folder / QUESTION).read_text(encoding="utf-8"))
        result = WORKS[question["kind"]](folder, question, report)
        report.end("done", result=str(result))
    except CancelledError:
        report.end("cancelled")
    except BadFile as error:
        report.end("failed", message="; ".join(error.lines))
    except OSError as error:
        report.end("failed", message=f"a file could not be read or written ({error.strerror or type(error).__name__})")
    except Exception as error:  # the screen says a sentence, whatever went wrong
        report.end("failed", message=f"something unforeseen happened ({type(error).__name__}); nothing was changed")


class _Reporting:
    """Writes how far a work is, and stops it when it is cancelled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.began = time.time()
        self._written = 0.0
        self._said: dict[str, Any] = {"status": "working", "told": 0, "total": 0, "began": self.began}
        self._write()

    def __call__(self, told: int, total: int) -> None:
        if (self.folder / CANCEL).exists():
            raise CancelledError
        self._said |= {"told": told, "total": total}
        if time.monotonic() - self._written > WRITE_SECONDS:
            self._write()

    def end(self, status: str, **more: str) -> None:
        self._said |= {"status": status, **more}
        self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        partial = self.folder / f"{STATE}.partial"
        partial.write_text(json.dumps(self._said, ensure_ascii=False), encoding="utf-8")
        partial.replace(self.folder / STATE)


# --- a run ------------------------------------------------------------------------------------------------------------
def _run(folder: Path, question: dict[str, Any], report: Report) -> Path:
    """Tell the scenarios; the run appears among the others when it is complete."""
    from carecast.scenarios.request import Request, default_targets

    record, calibrated = grounds(Path(question["run"]))
    scenarios = tuple(load_scenario(folder / "inputs" / f"{name}.toml") for name in question["scenarios"])
    given = default_targets(calibrated.parameters, scenarios)
    request = Request(
        calibrated, scenarios, dt.date.fromisoformat(record["until"]), seed=int(record["seed"]),
        replications=int(question["replications"]), radius_miles=float(record["radius_miles"]), targets=given,
        command=question["command"],
    )  # fmt: skip
    return worker.told_whole(request, folder / "run", Path(question["out"]), report)


# --- what would it take -----------------------------------------------------------------------------------------------
def _solve(folder: Path, question: dict[str, Any], report: Report) -> Path:
    """The cheapest package that meets every target of a file."""
    from carecast.scenarios import solve_write
    from carecast.scenarios.solve import Question, solve
    from carecast.scenarios.target_file import load_target_file

    _, calibrated = grounds(Path(question["run"]))
    asked = load_target_file(folder / question["file"])
    solution = solve(
        Question(
            calibrated, asked, seed=int(question["seed"]), replications=int(question["replications"]),
            check=int(question["check"]), verify=int(question["verify"]), folder=str(folder / "inputs"),
            command=question["command"],
        ),
        report,
    )  # fmt: skip
    solve_write.write(solution, folder / "answer")
    return folder / "answer"


# --- what it hangs on -------------------------------------------------------------------------------------------------
def _sensitivity(folder: Path, question: dict[str, Any], report: Report) -> Path:
    """Tornado and what to research first."""
    from carecast.cli.sensitivity import document
    from carecast.scenarios.sensitivity import Question, sensitivity

    record, calibrated = grounds(Path(question["run"]))
    scenario = load_scenario(folder / "inputs" / f"{question['scenario']}.toml")
    found = sensitivity(
        Question(
            calibrated, scenario, dt.date.fromisoformat(record["until"]), seed=int(record["seed"]),
            replications=int(question["replications"]), tornado=int(question["tornado"]),
            tornado_replications=int(question["tornado_replications"]),
        ),
        report,
    )  # fmt: skip
    partial = folder / f"{ANSWER}.partial"
    partial.write_text(json.dumps(document(found), ensure_ascii=False, default=_number), encoding="utf-8")
    partial.replace(folder / ANSWER)
    return folder / ANSWER


def _number(value: Any) -> Any:  # noqa: ANN401
    """A number of numpy's as one of Python's; anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)


def _waterfall(folder: Path, question: dict[str, Any], report: Report) -> Path:
    """What each lever of a run's scenario adds."""
    from carecast.dashboard.answer_work import waterfall

    return waterfall(folder, question, report)


def _sufficiency(folder: Path, question: dict[str, Any], report: Report) -> Path:
    """Places needed so that nobody finds them full."""
    from carecast.dashboard.answer_work import sufficiency

    return sufficiency(folder, question, report)


def _calibration(folder: Path, question: dict[str, Any], report: Report) -> Path:
    """Checking, calibrating and comparing parameter sets, and a first run on one."""
    from carecast.dashboard import calibrating

    return calibrating.WORKS[question["kind"]](folder, question, report)


WORKS: dict[str, Callable[[Path, dict[str, Any], Report], Path]] = {
    "run": _run, "solve": _solve, "sensitivity": _sensitivity, "waterfall": _waterfall, "sufficiency": _sufficiency,
    "check": _calibration, "calibrate": _calibration, "compare_sets": _calibration, "first_run": _calibration,
}  # fmt: skip
