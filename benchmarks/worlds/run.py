"""``python -m benchmarks.worlds [--quick] [--recovery] [--flows N] [--json FILE] [--cases FILE]``: synthetic councils.

Some minutes on one core; ``--quick`` under two. Each council is made, written as a council would write its returns, read,
calibrated as at each origin and forecast three years on; what came is in none of the files. ``--recovery`` makes councils
from the model itself instead and sets every fitted number beside the true one. ``--flows 120`` asks of so many councils
what the levels of entries and exits foretell, without the model: four seconds each.
"""

import argparse
import dataclasses
import datetime as dt
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.table import Line, text, verdict
from benchmarks.worlds import score
from benchmarks.worlds.cases import FULL, QUICK, Calibrate, Say, Suite, cases
from benchmarks.worlds.kinds import KINDS
from carecast.calibration.readers import History, Report
from carecast.model.parameters import Calibrated


def calibrator() -> Calibrate:
    """Calibration on a council's own returns, the English base beneath."""
    from carecast.calibration.returns.calibrate import calibrate_returns

    def made(history: History, report: Report, as_at: dt.date) -> Calibrated:
        return calibrate_returns(history, report, as_at=as_at)

    return made


def progress(started: float) -> Say:
    """Says what is being done and how long it has taken, on standard error."""
    return lambda what: print(f"  {time.monotonic() - started:5.0f} s  {what}", file=sys.stderr, flush=True)


def measured(suite: Suite, keep: Path | None = None, references_only: bool = False) -> list[Line]:
    """Score a suite, print the tables, return the lines with their bars."""
    found = list(cases(suite, None if references_only else calibrator(), progress(time.monotonic())))
    frame = score.table(found)
    if keep:
        frame.to_csv(keep, index=False)
    print(f"\n{score.by_case(frame)}\n\n{score.by_type(frame)}")
    failed = [case for case in found if case.error]
    lost = Line(score.PART, "cases that failed", len(failed), "", 0, note="; ".join(
        f"{case.world} {case.origin}: {case.error.splitlines()[0]}" for case in failed))  # fmt: skip
    return [lost, *score.lines(frame)]


def asked(words: Sequence[str]) -> tuple[tuple[str, int, int], ...]:
    """Worlds asked for by name, ``wild-600-5``: kind, size, seed."""
    out = []
    for word in words:
        kind, size, seed = word.rsplit("-", 2)
        out.append((kind, int(size), int(seed)))
    return tuple(out)


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and write JSON when asked; 0 when every bar is met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two councils, fewer replications")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every line to a file")
    parser.add_argument("--cases", type=Path, metavar="FILE", help="also write every scored forecast, CSV")
    parser.add_argument("--world", action="append", default=[], metavar="KIND-SIZE-SEED",
                        help=f"such as wild-600-5; may be repeated; kinds: {', '.join(KINDS)}")  # fmt: skip
    parser.add_argument("--replications", type=int)
    parser.add_argument("--oracle", type=int, help="replications of the true council from its true state; 0: none")
    parser.add_argument("--references", action="store_true", help="score the references and the oracle alone")
    parser.add_argument(
        "--recovery", action="store_true", help="fitted numbers beside true ones, councils of the model"
    )
    parser.add_argument("--flows", type=int, metavar="N", help="what entries and exits foretell, on N councils")
    given = parser.parse_args(arguments)
    if given.flows:
        return _finished(foretold(given.flows), {"suite": "flows", "councils": given.flows}, given.json)
    if given.recovery:
        return _finished(recovered(given.quick), {"suite": "recovery"}, given.json)
    suite = QUICK if given.quick else FULL
    if given.world:
        suite = dataclasses.replace(suite, worlds=asked(given.world))
    if given.replications is not None:
        suite = dataclasses.replace(suite, replications=given.replications)
    if given.oracle is not None:
        suite = dataclasses.replace(suite, oracle=given.oracle)
    found = measured(suite, given.cases, given.references)
    return _finished(found, {"suite": dataclasses.asdict(suite)}, given.json)


def recovered(quick: bool) -> list[Line]:
    """Fitted numbers beside the true ones of councils made by the model."""
    from benchmarks.worlds import recovery
    from carecast.calibration.calibrate import calibrate
    from carecast.calibration.returns.base import Base

    base = Base(recovery.PACK, calibrate(recovery.PACK), False, "What the files do not hold comes from a pack")
    found = recovery.table(base, recovery.SEEDS[:1] if quick else recovery.SEEDS)
    print(recovery.text(found))
    return recovery.lines(found)


def foretold(councils: int) -> list[Line]:
    """What the levels of entries and exits foretell, on so many councils of every kind in turn."""
    from benchmarks.worlds import flows

    say, told = progress(time.monotonic()), []
    for case in flows.found(tuple(KINDS), councils):
        told.append(case)
        say(
            f"{case.kind.name} {case.origin}: {100 * case.change[1]:+.1f} % in two years, came {100 * case.came[1]:+.1f} %"
        )
    return flows.lines(told)


def _finished(found: Sequence[Line], about: dict[str, object], file: Path | None) -> int:
    print(text(found[-1].part, found))
    print(verdict(found))
    if file:
        document = {**about, "lines": [line.document() for line in found]}
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if any(line.met is False for line in found) else 0
