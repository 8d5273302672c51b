"""Every benchmark in one command, as a table: ``python benchmarks/run.py [--quick] [--json FILE] [--only PART]``.

About half an hour on two cores; ``--quick`` about six. Processor seconds are measured, not wall seconds, unless a line
says so; others' work on the machine still disturbs them a little (shared caches), so measure when it is quiet.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

if not __package__:  # run as a file: the repository is what holds the packages
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import clocks, common_draws, dfe_tables, pages, quick_look, runs, starts  # noqa: E402
from benchmarks.table import Line, text, verdict  # noqa: E402
from benchmarks.worlds import run as worlds  # noqa: E402
from benchmarks.worlds.cases import FULL as EVERY_WORLD  # noqa: E402
from benchmarks.worlds.cases import QUICK as FEW_WORLDS  # noqa: E402
from benchmarks.worlds.cases import Suite  # noqa: E402


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    sizes: tuple[int, ...] = (1, 3, 10, 30)
    simpy_sizes: tuple[int, ...] = (1, 3, 10)
    replications: int = 40  # timed at West Dunbartonshire's size; fewer at larger sizes
    many: int = 1000
    simpy_few: int = 50
    starts: int = 7
    scaling: int = 400
    memory_times: int = 10
    memory_replications: int = 1000
    paired: int = 200
    moves: int = 7
    dfe_councils: int = 24
    dfe_replications: int = 200
    worlds: Suite = EVERY_WORLD


QUICK = Effort(
    replications=20, simpy_sizes=(1, 10), many=100, simpy_few=10, starts=3, scaling=200, memory_replications=50, paired=40,
    moves=3, dfe_councils=4, dfe_replications=100, worlds=FEW_WORLDS,
)  # fmt: skip


def parts(effort: Effort) -> dict[str, Callable[[], list[Line]]]:
    """What is measured, in the order it is printed."""
    return {
        "clocks": lambda: list(chain(*clocks.measure(effort.sizes, effort.simpy_sizes, effort.replications))),
        "events": lambda: clocks.events(1, effort.replications),
        "many": lambda: runs.many_against_few(effort.many, effort.simpy_few),
        "starts": lambda: starts.starts(200, effort.starts),
        "compile": starts.first_compile,
        "memory": lambda: runs.peak_memory(effort.memory_times, effort.memory_replications),
        "draws": lambda: common_draws.common_draws(effort.paired),
        "workers": lambda: runs.scaling(effort.scaling),
        "quick_look": lambda: quick_look.measure(effort.moves),
        "pages": lambda: pages.measure(effort.moves),
        "dfe_tables": lambda: dfe_tables.measure(effort.dfe_councils, effort.dfe_replications),
        "worlds": lambda: worlds.measured(effort.worlds),
    }  # fmt: skip


def about() -> str:
    """The machine, the versions and how busy it is."""
    import numba
    import numpy as np

    from carecast import __version__

    load = os.getloadavg()[0]
    return (
        f"carecast {__version__}, Python {platform.python_version()}, numpy {np.__version__}, numba {numba.__version__}; "
        f"{platform.machine()}, {os.cpu_count()} processors, load {load:.1f}"
    )


def measured(effort: Effort, only: Sequence[str] = ()) -> list[Line]:
    """Measure part by part, printing as it goes."""
    found: list[Line] = []
    for name, measure in parts(effort).items():
        if only and name not in only:
            continue
        began = time.monotonic()
        lines = measure()
        found += lines
        for heading in dict.fromkeys(line.part for line in lines):
            print(text(heading, [line for line in lines if line.part == heading]))
        print(f"  ({name}: {time.monotonic() - began:.0f} s)", flush=True)
    return found


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and write JSON when asked; 0 when every bar is met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer replications; what is extrapolated says so")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every line to a file")
    parser.add_argument(
        "--only", action="append", default=[], choices=list(parts(QUICK)), help="one part; may be repeated"
    )
    given = parser.parse_args(arguments)
    print(about())
    lines = measured(QUICK if given.quick else Effort(), given.only)
    print(verdict(lines))
    if given.json:
        document = {"about": about(), "quick": given.quick, "lines": [line.document() for line in lines]}
        given.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if any(line.met is False for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
