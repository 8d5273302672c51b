"""The parameter set that a run was made with: given, or found where the run's own command had it; checked by digest."""

import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

from carecast.model.parameters import BadFile, Calibrated, load
from carecast.scenarios.request import frame_digest, text_digest
from carecast.scenarios.run import Run


def parameter_set_of(run: Run, given: Path | None = None) -> Calibrated:
    """The parameter set of a run.

    Raises:
        BadFile: it is not where the run's command had it, or it is another one.
    """
    return parameter_set_for(run.folder, run.record, given)


def parameter_set_for(run: Path, record: dict[str, Any], given: Path | None = None) -> Calibrated:
    """The parameter set of a run of which only the record was read.

    Raises:
        BadFile: it is not where the run's command had it, or it is another one.
    """
    folder = given or parameter_folder(run, record)
    if folder is None or not folder.is_dir():
        said = f"{folder} is not there any more; " if folder else ""
        raise BadFile(f"{run}: {said}give the parameter set that it was made with: --parameters DIR")
    calibrated = load(folder)
    now = {
        "parameters": text_digest(calibrated.parameters.model_dump_json()),
        "draws": frame_digest(calibrated.draws),
        "stock": frame_digest(calibrated.stock),
    }
    differs = [name for name, digest in now.items() if record["inputs"].get(name) != digest]
    if differs:
        raise BadFile(f"{folder}: is not the parameter set that {run} was made with: other {', '.join(differs)}")
    return calibrated


def parameter_folder(run: Path, record: dict[str, Any]) -> Path | None:
    """Where the run's own command had its parameter set; None when it was not made by a command."""
    beside = run.parent / f"{run.name}-parameters"  # where `carecast demo` puts it
    words = shlex.split(str(record.get("command") or ""))
    for word, following in pairwise([*words, ""]):
        name, equals, value = word.partition("=")
        if name == "--parameters":
            return Path(value if equals else following)
    return beside if beside.is_dir() else None
