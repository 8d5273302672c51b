"""Whole runs: a thousand compiled replications against fifty of SimPy, one worker against two, and peak memory."""

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.clocks import BASELINE
from benchmarks.sizes import SEED, UNTIL, folder, west_dunbartonshire
from benchmarks.table import Line
from benchmarks.timing import MIB, ROOT, command, descendants, field_bytes, processor_seconds, watched_memory
from carecast.model.engine import Clock
from carecast.model.parameters import Calibrated, load
from carecast.scenarios.apply import apply
from carecast.scenarios.library import load_scenario
from carecast.scenarios.replicate import BLOCK, Job, Teller
from carecast.scenarios.workers import tell_blocks

SCENARIO = "what_would_it_take"
MANY, FEW = 1000, 50
MEMORY_BAR_GIB = 1.5


def job(calibrated: Calibrated, clock: Clock = "compiled") -> Job:
    """The baseline and one scenario, five years."""
    plans = (BASELINE, apply(calibrated.parameters, load_scenario(SCENARIO), UNTIL))
    return Job(calibrated, plans, UNTIL, SEED, clock)


def blocks(replications: int) -> list[tuple[int, int]]:
    """Blocks as a run cuts them."""
    return [(first, min(first + BLOCK, replications) - 1) for first in range(0, replications, BLOCK)]


def _seconds(clock: Clock, replications: int) -> float:
    teller = Teller(job(west_dunbartonshire(), clock))
    Teller(job(west_dunbartonshire())).block(range(1))  # compiled, and read from disk
    return processor_seconds(lambda: [None for _ in tell_blocks(teller, blocks(replications))])


def many_against_few(replications: int, simpy_replications: int) -> list[Line]:
    """1,000 replications compiled against 50 of SimPy, both with tables and money, baseline and one scenario."""
    part = f"{MANY:,} replications of the baseline and {SCENARIO}, five years, with tables and money"
    compiled, simpy = _seconds("compiled", replications), _seconds("simpy", simpy_replications)
    many, few = compiled * MANY / replications, simpy * FEW / simpy_replications
    notes = [
        "" if told == wanted else f"extrapolated from {told} replications"
        for told, wanted in ((replications, MANY), (simpy_replications, FEW))
    ]
    return [
        Line(part, f"{MANY:,} replications, compiled clock", many, "s", note=notes[0]),
        Line(part, f"{FEW} replications, SimPy clock", few, "s", note=notes[1]),
        Line(part, f"{MANY:,} compiled over {FEW} SimPy", many / few, "x", 1.0),
    ]


def scaling(replications: int) -> list[Line]:
    """Wall and processor time of the same run with one and with two workers (warm: their worlds are built)."""
    part = f"Workers: {replications} replications of the baseline and {SCENARIO}"
    teller = Teller(job(west_dunbartonshire()))
    lines: list[Line] = []
    walls: dict[int, float] = {}
    given = [_two_at_once()]
    for workers in (1, 2):
        _tell(teller, 4 * BLOCK, workers)  # workers started, compiled code read
        before, began = processors(), time.perf_counter()
        _tell(teller, replications, workers)
        walls[workers] = time.perf_counter() - began
        lines.append(Line(part, f"{workers} worker(s), wall", walls[workers], "s"))
        lines.append(Line(part, f"{workers} worker(s), processor", processors() - before, "s"))
        given.append(_two_at_once())
    free = sum(given) / len(given)
    note = "what others leave of the machine just now; 2 when it is quiet: the workers can win no more"
    lines.append(Line(part, "2 workers faster than 1", walls[1] / walls[2], "x"))
    lines.append(Line(part, "2 processes that only count, faster than one after the other", free, "x", note=note))
    return lines


def _two_at_once(seconds: float = 2.0) -> float:
    """How much faster two processes of pure arithmetic end side by side than one after the other."""
    script = f"import time\nwhile time.process_time() < {seconds}: pass"
    began = time.perf_counter()
    both = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(2)]
    for process in both:
        process.wait()
    return 2 * seconds / (time.perf_counter() - began)


def _tell(teller: Teller, replications: int, workers: int) -> None:
    for _ in tell_blocks(teller, blocks(replications), workers):
        pass


def processors() -> float:
    """Processor seconds of this process and of all alive that it started."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for process in descendants(os.getpid()):
        try:
            with open(f"/proc/{process}/stat", encoding="utf-8") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / ticks


def peak_memory(times: int, replications: int) -> list[Line]:
    """Peak memory of two workers at so many times the size; the process that gathers their blocks beside it."""
    part = f"Peak memory: {replications:,} replications of the baseline and {SCENARIO} at {times} x, two workers"
    script = f"from benchmarks import runs; runs.tell_for_memory({str(folder(times))!r}, {{}})"
    command(["-c", script.format(1)])  # compiled: compiling takes memory of its own, once
    process = subprocess.Popen([sys.executable, "-c", script.format(replications)], cwd=ROOT)
    with watched_memory(process.pid, with_root=False) as workers, watched_memory(process.pid) as whole:
        main_peak = 0
        while process.poll() is None:
            main_peak = max(main_peak, field_bytes(process.pid, "status", "VmHWM"))
            time.sleep(0.1)
    if process.returncode:
        raise RuntimeError(f"the run for peak memory failed ({process.returncode})")
    gib = 1024 * MIB
    note = "largest sum seen at one moment, a page that several share counted once (PSS)"
    return [
        Line(part, "both workers", workers.pss_bytes / gib, "GiB", MEMORY_BAR_GIB, note=note),
        Line(part, "both workers and the process that gathers", whole.pss_bytes / gib, "GiB"),
        Line(part, "each process's own high-water mark, summed", whole.high_water_bytes / gib, "GiB"),
        Line(part, "the process that gathers, its high-water mark", main_peak / gib, "GiB"),
    ]


def tell_for_memory(parameters: str, replications: int) -> None:
    """What the watched process does: read, tell, and let each block go as a run does once it is written."""
    _tell(Teller(job(load(Path(parameters)))), replications, 2)
