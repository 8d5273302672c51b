"""Checking, calibrating and comparing parameter sets in a worker process. No Streamlit.

What a council brings lies in a private folder (``private``): ``files`` with the returns, deleted once they are fitted, and
``set`` with the parameter set, until it is adopted or let go. Only aggregates are kept of a check.
"""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from carecast.model.parameters import BadFile, Calibrated, load, save

FILES, OWN, SET, CHECK, NOT_TESTED = "files", "own", "set", "check.json", "not_tested.txt"
MOVED, EFFECT = "moved.csv", "effect.csv"
PROBLEM_COLUMNS = ("file", "line", "column", "rule", "message", "severity", "became")
BACKTEST_REPLICATIONS = 200
BACKTEST_HORIZON = 36
EFFECT_REPLICATIONS = 200
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Question:
    """What is to be calibrated.

    ``pack`` names a shipped council pack; else the files in the private folder are read. ``providers``, ``figures`` and
    ``localities`` are names of files in the folder ``own``.
    """

    folder: str
    pack: str = ""
    form: str = ""
    council: str = ""
    as_at: str = ""
    providers: str = ""
    figures: str = ""
    localities: str = ""
    with_backtest: bool = False

    def asked(self, kind: str) -> dict[str, Any]:
        """As ``long_work`` reads it."""
        return {"kind": kind, **asdict(self)}


def _question(said: dict[str, Any]) -> Question:
    return Question(**{name: value for name, value in said.items() if name != "kind"})


def _plainly(folder: str, error: BadFile) -> BadFile:
    """The same mistakes without the name of the private folder."""
    return BadFile(*(line.replace(f"{folder}/{FILES}/", "").replace(f"{folder}/{FILES}", "the files")
                     .replace(f"{folder}/{OWN}/", "") for line in error.lines))  # fmt: skip


# --- checking -----------------------------------------------------------------------------------------------------
def check(__: Path, said: dict[str, Any], report: Report) -> Path:
    """What became of every row: counts by file and rule, and where each problem is; never what a row says."""
    from carecast.calibration.readers import read_history

    question = _question(said)
    folder = Path(question.folder)
    try:
        _, found = read_history(folder / FILES, question.form or None, question.council)
    except BadFile as error:
        raise _plainly(question.folder, error) from None
    report(1, 2)
    document = {name: value for name, value in found.document().items() if name != "problems"}
    document["problems"] = problems(found.found())
    (folder / CHECK).write_text(json.dumps(document, ensure_ascii=False, default=str), encoding="utf-8")
    return folder / CHECK


def problems(found: pd.DataFrame) -> list[list[Any]]:
    """File, line, column, rule, its sentence, severity and what became of the row, of every row a person could mend."""
    from carecast.calibration.readers.rules import EXCLUDED, FATES

    listed = found[~((found["severity"] == "info") & (found["fate"] == EXCLUDED))]
    became = [FATES[int(fate)] for fate in listed["fate"]]
    return listed.assign(became=became)[list(PROBLEM_COLUMNS)].astype(object).to_numpy().tolist()


# --- calibrating --------------------------------------------------------------------------------------------------
def calibrate(folder: Path, said: dict[str, Any], report: Report) -> Path:
    """A parameter set from files or a pack, with its back-test if asked for.

    The files are deleted once they are fitted. When the work fails or is cancelled they stay in the private folder, so that
    it can be started again, and nothing of a set is left. A back-test that cannot be done does not lose the set: why not
    stands in ``not_tested.txt``.
    """
    question = _question(said)
    home = Path(question.folder)
    try:
        report(0, 1)
        made = _made(question)
        report(1, 1)  # and ends here when it was cancelled meanwhile
        save(home / SET, made)
        if question.with_backtest:
            _tested(folder, question, report)
    except BaseException as error:
        shutil.rmtree(home / SET, ignore_errors=True)
        if isinstance(error, BadFile):
            raise _plainly(question.folder, error) from None
        raise
    shutil.rmtree(home / FILES, ignore_errors=True)
    shutil.rmtree(home / OWN, ignore_errors=True)
    return home / SET


def _tested(folder: Path, question: Question, report: Report) -> None:
    home = Path(question.folder)
    (home / NOT_TESTED).unlink(missing_ok=True)
    try:
        _backtest(folder, question, report)
    except BadFile as error:
        (home / NOT_TESTED).write_text("; ".join(_plainly(question.folder, error).lines), encoding="utf-8")


def _own(question: Question, name: str) -> Path | None:
    given = getattr(question, name)
    return Path(question.folder) / OWN / given if given else None


def _made(question: Question) -> Calibrated:
    from carecast.cli import calibrate as door

    as_at = dt.date.fromisoformat(question.as_at) if question.as_at else None
    council, form = question.council or None, question.form or None
    figures, localities = _own(question, "figures"), _own(question, "localities")
    if question.pack:
        return door._from_pack(question.pack, as_at, figures, council, localities)  # noqa: SLF001 the command's own way
    files = Path(question.folder) / FILES
    return door.from_files(files, council, as_at, form, _own(question, "providers"), figures, localities)


def _backtest(folder: Path, question: Question, report: Report) -> None:
    """Hide recent history, calibrate on the rest, score; the verdict goes into the set's record."""
    from carecast.calibration.backtest import report as scored
    from carecast.calibration.backtest.origins import horizons_up_to
    from carecast.calibration.backtest.rolling import Settings
    from carecast.calibration.backtest.sources import source_of

    home = Path(question.folder)
    history = question.pack or str(home / FILES)
    source = source_of(history, question.form or None, question.council or None, _own(question, "figures"))
    origins = source.origins(None)
    settings = Settings(origins, horizons_up_to(BACKTEST_HORIZON), BACKTEST_REPLICATIONS, 1, 1)
    tested = source.run(settings, lambda done, of: report(done + 1, of + 1))  # the fit was the first step
    made = scored.Backtest(
        source.council, source.made_from, settings, tested, source.limits, True
    )  # small counts hidden
    scored.store(home / SET, made.record())
    shutil.rmtree(folder / "backtest", ignore_errors=True)


# --- comparing ----------------------------------------------------------------------------------------------------
def compare(_: Path, said: dict[str, Any], report: Report) -> Path:
    """What moved between two sets, and what it does to the forecast of the baseline."""
    from carecast.calibration.difference import difference, effect_on_forecast

    home = Path(said["folder"])
    old, new = load(Path(said["old"])), load(Path(said["new"]))
    moved = difference(old, new)
    report(1, 3)
    moved.to_csv(home / MOVED, index=False)
    effect_on_forecast(old, new, EFFECT_REPLICATIONS).to_csv(home / EFFECT, index=False)
    return home / EFFECT


# --- adopting -----------------------------------------------------------------------------------------------------
def adopt(made: Path, parameters: Path, name: str) -> Path:
    """Move a set from its private folder among the user's parameter sets; it appears whole or not at all.

    Raises:
        BadFile: the name is no name of a folder, or is taken; or the folder cannot be written.
    """
    if not name or not all(letter.isalnum() or letter in "-_." for letter in name) or name.startswith("."):
        raise BadFile(f"name: found {name!r}; should be letters, digits, - and _ only")
    target = parameters / name
    if target.exists():
        raise BadFile(f"name: {target} is there already; give another name, so that nothing is overwritten")
    try:
        parameters.mkdir(parents=True, exist_ok=True)
        partial = parameters / f".{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(made, partial)
        partial.replace(target)
    except OSError as error:
        raise BadFile(f"{target}: cannot be written ({error.strerror or type(error).__name__})") from None
    return target


# --- a first run --------------------------------------------------------------------------------------------------
def first_run(folder: Path, said: dict[str, Any], report: Report) -> Path:
    """A run on an adopted set: the baseline and the scenarios asked for; it appears among the runs when complete."""
    from carecast.dashboard.worker import told_whole
    from carecast.scenarios.library import load_scenario
    from carecast.scenarios.request import Request, default_targets

    calibrated = load(Path(said["parameters"]))
    scenarios = tuple(load_scenario(name) for name in said["scenarios"])
    request = Request(
        calibrated, scenarios, dt.date.fromisoformat(said["until"]), replications=int(said["replications"]),
        targets=default_targets(calibrated.parameters, scenarios), command=said["command"],
    )  # fmt: skip
    return told_whole(request, folder / "run", Path(said["out"]), report)


WORKS: dict[str, Callable[[Path, dict[str, Any], Report], Path]] = {
    "check": check, "calibrate": calibrate, "compare_sets": compare, "first_run": first_run,
}  # fmt: skip
