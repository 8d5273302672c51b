"""Starting: imports, the first replication of a run from the command line, and compiling for the first time."""

import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sizes import UNTIL, folder
from benchmarks.table import Line
from benchmarks.timing import Spent, command, typical_command

LIBRARIES = "import numpy, pandas, numba"
START_BAR = 3.0
SCENARIO = "what_would_it_take"

# The command as typed, with the moments noted at which the first replication begins and ends. The moment at which this
# process was asked for comes in the environment, so that starting Python counts too.
WATCHED = """
import atexit, json, os, sys, time
from carecast.cli.main import app
from carecast.scenarios import replicate
began = float(os.environ["CARECAST_BENCHMARK_BEGAN"])
seen = {"imported": time.time() - began}
tell = replicate.simulate
def told(*given):
    seen.setdefault("first_begins", time.time() - began)
    found = tell(*given)
    seen.setdefault("first_ends", time.time() - began)
    return found
replicate.simulate = told
atexit.register(lambda: print(json.dumps(seen)))
app(sys.argv[1:])
"""


@dataclass(frozen=True)
class Cold:
    """Wall seconds of a command line run, from asking for the process."""

    imported: float
    first_begins: float
    first_ends: float
    total: float
    processor: float


def cold_run(parameters: Path, replications: int, **environment: str) -> Cold:
    """A ``carecast run`` in a process of its own, into a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as out:
        began = str(time.time())
        arguments = ["-c", WATCHED, "run", "--parameters", str(parameters), "--scenario", SCENARIO, "--workers", "1",
                     "--replications", str(replications), "--until", UNTIL.isoformat(), "--out", f"{out}/run"]  # fmt: skip
        spent = command(arguments, CARECAST_BENCHMARK_BEGAN=began, **environment)
    seen = json.loads(spent.out.strip().splitlines()[-1])
    return Cold(seen["imported"], seen["first_begins"], seen["first_ends"], spent.wall_s, spent.processor_s)


def starts(replications: int, times: int) -> list[Line]:
    """Imports and the cold start, the cache of compiled code warm."""
    part = "Starting (wall; compiled code in its cache)"
    libraries = typical_command(["-c", LIBRARIES], times)
    command_line = typical_command(["-c", "import carecast.cli.main"], times)
    parameters = folder()
    cold_run(parameters, 1)  # compiled, and files in the machine's memory
    runs = [cold_run(parameters, replications if number == 0 else 1) for number in range(times)]
    begins = statistics.median(run.first_begins for run in runs)
    ends = statistics.median(run.first_ends for run in runs)
    reads = "compiled code is read from its cache here"
    run = f"carecast run --replications {replications} --scenario {SCENARIO}"
    return [
        _seconds(part, LIBRARIES, libraries),
        _seconds(part, "import carecast.cli.main", command_line),
        Line(part, "import carecast.cli.main over numpy, pandas and numba", command_line.wall_s / libraries.wall_s, "x"),
        Line(part, "carecast run, until the first replication begins", begins, "s"),
        Line(part, "carecast run, until the first replication is told", ends, "s", note=reads),
        Line(part, "until the first replication begins, over the bare import", begins / libraries.wall_s, "x", START_BAR),
        Line(part, "until the first replication is told, over the bare import", ends / libraries.wall_s, "x"),
        Line(part, run, runs[0].total, "s", note=f"{runs[0].processor:.1f} s of processor time"),
        Line(part, "the whole of it over the bare import", runs[0].total / libraries.wall_s, "x"),
    ]  # fmt: skip


def _seconds(part: str, what: str, spent: Spent) -> Line:
    return Line(part, what, spent.wall_s, "s", note=f"{spent.processor_s:.2f} s of processor time")


def first_compile() -> list[Line]:
    """A first run on a machine: nothing compiled yet, against the same with everything compiled."""
    part = "Compiling for the first time"
    parameters = folder()
    with tempfile.TemporaryDirectory() as cache:
        first = cold_run(parameters, 1, CARECAST_CACHE_DIR=cache)
        again = cold_run(parameters, 1, CARECAST_CACHE_DIR=cache)
        size = sum(file.stat().st_size for file in Path(cache).rglob("*") if file.is_file())
    return [
        Line(part, "compiling, wall", first.total - again.total, "s"),
        Line(part, "compiling, processor", first.processor - again.processor, "s"),
        Line(part, "the cache it leaves", size / 1e6, "MB"),
    ]
