"""Processor seconds, wall seconds and memory of this process and of the processes it starts; Linux's /proc for memory."""

import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[1]
KIB = 1024
MIB = 1024 * 1024
Found = TypeVar("Found")


def clocked(task: Callable[[], Found]) -> tuple[float, Found]:
    """Processor seconds that a task takes in this process, all of its threads together; and what it returns."""
    began = time.process_time()
    found = task()
    return time.process_time() - began, found


def processor_seconds(task: Callable[[], object]) -> float:
    """Processor seconds that a task takes in this process."""
    return clocked(task)[0]


def typical(task: Callable[[], object], times: int) -> float:
    """Median processor seconds of a task told several times."""
    return statistics.median(processor_seconds(task) for _ in range(times))


# --- other processes ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Spent:
    """What a command took."""

    wall_s: float
    processor_s: float
    out: str


def command(arguments: Sequence[str], **environment: str) -> Spent:
    """Run this Python with arguments until it ends.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, *arguments], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments[:3])} failed ({done.returncode}): {done.stderr[-2000:]}")
    return Spent(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout)


def typical_command(arguments: Sequence[str], times: int, **environment: str) -> Spent:
    """The run of a command with the median wall time."""
    found = sorted((command(arguments, **environment) for _ in range(times)), key=lambda spent: spent.wall_s)
    return found[len(found) // 2]


# --- memory ------------------------------------------------------------------------------------------------------------
def descendants(root: int) -> list[int]:
    """The process and all it started, by /proc."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(after_name[1]), []).append(int(entry.name))
    found, to_see = [], [root]
    while to_see:
        process = to_see.pop()
        found.append(process)
        to_see += parents.get(process, [])
    return found


def field_bytes(process: int, file: str, field: str) -> int:
    """A field in kB of a file of /proc/PID; 0 when the process is gone."""
    with suppress(OSError, ValueError):
        for row in Path(f"/proc/{process}/{file}").read_text().splitlines():
            if row.startswith(field + ":"):
                return int(row.split()[1]) * KIB
    return 0


class TreePeak:
    """Memory of a process and its descendants, looked at again and again.

    ``pss_bytes``: the largest sum of proportional set sizes seen at one moment (shared pages counted once).
    ``high_water_bytes``: the sum of each process's own high-water mark, reached at whatever moment: never too low.
    """

    def __init__(self, root: int, with_root: bool) -> None:
        self.root = root
        self.with_root = with_root
        self.pss_bytes = 0
        self.marks: dict[int, int] = {}

    @property
    def high_water_bytes(self) -> int:
        return sum(self.marks.values())

    def look(self) -> None:
        processes = [one for one in descendants(self.root) if self.with_root or one != self.root]
        for process in processes:
            self.marks[process] = max(self.marks.get(process, 0), field_bytes(process, "status", "VmHWM"))
        self.pss_bytes = max(self.pss_bytes, sum(field_bytes(one, "smaps_rollup", "Pss") for one in processes))


@contextmanager
def watched_memory(root: int, with_root: bool = True, every_s: float = 0.1) -> Iterator[TreePeak]:
    """Look at a process tree's memory until the block ends."""
    peak, stop = TreePeak(root, with_root), threading.Event()

    def keep_looking() -> None:
        while not stop.wait(every_s):
            peak.look()

    watcher = threading.Thread(target=keep_looking, daemon=True)
    peak.look()
    watcher.start()
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()
        peak.look()
