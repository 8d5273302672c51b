"""A tiny run with its parameter set beside it, and an office whose one worker is a thread."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from carecast.dashboard import background, work
from carecast.model.parameters import save
from carecast.scenarios.run import Run
from tests.dashboard import tiny_runs

PATIENCE_SECONDS = 60


def whole_with_parameters(runs: Path) -> Run:
    """``runs/whole``, and ``runs/whole-parameters`` where `carecast demo` would put them."""
    made = tiny_runs.whole(runs)
    save(runs / "whole-parameters", tiny_runs._request(tiny_runs.MORE_HELP).calibrated)
    return made


def one_thread() -> ThreadPoolExecutor:
    """A pool that needs no processes."""
    return ThreadPoolExecutor(1)


def fresh_office(monkeypatch) -> None:
    """Offices made from now on work in one thread."""
    monkeypatch.setattr(work, "start_pool", one_thread)
    background._office.clear()
    background._warmed.clear()


def wait(until, step=lambda: None) -> None:
    """Go on asking until it is so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not until():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)
        step()
