"""Which runs there are, and opening one: the dashboard's way in to run folders, with a plain sentence for what is wrong."""

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from carecast.dashboard.serve import RUN_VARIABLE, RUNS_VARIABLE
from carecast.model.parameters import BadFile
from carecast.scenarios.run import Run, open_run

COMPLETE = "complete"
UNREADABLE = "unreadable"


class NotShownError(Exception):
    """A run that cannot be shown, and why, in a sentence."""


@dataclass(frozen=True)
class Found:
    """A run folder as the list of runs shows it."""

    folder: Path
    identity: str  # in addresses and pickers
    status: str
    council: str = ""
    started: str = ""
    replications: int = 0
    asked: str = ""
    version: str = ""  # changes when the run is made again

    @property
    def label(self) -> str:
        """What the picker shows; for a finished run its identity alone, so that an address with it stays short and true."""
        if self.status == COMPLETE:
            return self.identity
        return f"{self.identity} ({'cannot be read' if self.status == UNREADABLE else 'not complete'})"


def places() -> tuple[Path | None, Path]:
    """The run to show first, if one is asked for, and the folder of runs."""
    run = os.environ.get(RUN_VARIABLE)
    return (Path(run) if run else None, Path(os.environ.get(RUNS_VARIABLE, "runs")))


def find_runs(first: Path | None, runs: Path) -> tuple[Found, ...]:
    """Runs of a folder: the one asked for first, then complete ones, then the rest; the newest first among each."""
    folders = [item.parent for item in runs.glob("*/run.json")] if runs.is_dir() else []
    wanted = None if first is None else first.resolve()
    folders = [folder for folder in folders if folder.resolve() != wanted]
    found = [_found(folder, folder.name) for folder in folders]
    found.sort(key=lambda run: (run.status == COMPLETE, run.started), reverse=True)
    if first is None:
        return tuple(found)
    taken = {run.identity for run in found}
    name = first.name if first.name not in taken else f"{first.parent.name}/{first.name}"
    return (_found(first, name), *found)


def _found(folder: Path, identity: str) -> Found:
    file = folder / "run.json"
    try:
        changed = file.stat().st_mtime_ns
        return _read(folder, identity, changed)
    except (OSError, ValueError, KeyError, TypeError):
        return Found(folder, identity, UNREADABLE)


@lru_cache(maxsize=256)
def _read(folder: Path, identity: str, changed: int) -> Found:
    record: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return Found(
        folder, identity, str(record["status"]), str(record["council"]), str(record.get("started", "")),
        int(record["replications"]), str(record.get("asked_replications", "")), f"{record.get('digest', '')}-{changed}",
    )  # fmt: skip


def told_so_far(found: Found) -> int:
    """Replications on disk of a run that is not complete, by the names of the files of its baseline."""
    names = [file.name.split(".") for file in (found.folder / "replications").glob("baseline.yearly.*.parquet")]
    blocks = [name[2].split("_") for name in names]
    return sum(int(last) - int(first) + 1 for first, last in blocks)


def opened(found: Found) -> Run:
    """The run, read.

    Raises:
        NotShownError: with the reason.
    """
    try:
        return open_run(found.folder)
    except BadFile as error:
        raise NotShownError("; ".join(error.lines)) from None
    except Exception as error:  # a damaged folder can fail anywhere; the screen says so instead of falling over
        raise NotShownError(f"a file of it is missing or damaged ({type(error).__name__})") from None
