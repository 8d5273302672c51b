"""A quick look: from a lever that moves to the picture of all its replications, by the dashboard's own processes.

The page is run by Streamlit's AppTest in this process, as the server would run it; the replications are told by the
dashboard's own worker processes. Only the browser is missing. Every move is of another size, so nothing is known of it.
"""

import datetime as dt
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.runs import processors
from benchmarks.sizes import SEED, west_dunbartonshire
from benchmarks.table import Line
from benchmarks.timing import processor_seconds

SCENARIO = "what_would_it_take"
UNTIL = dt.date(2029, 3, 31)  # as `carecast demo`
PATIENCE_SECONDS = 120.0
BAR_SECONDS = 2.0
PART = f"A quick look: a lever of {SCENARIO} moves"


@dataclass(frozen=True)
class Move:
    """What one move of a lever took."""

    first_s: float  # from the lever to the first replications on the screen
    all_s: float  # to all of them
    page_s: float  # processor seconds of the pages
    processor_s: float  # of pages and workers together
    gather_s: float  # processor seconds of the last putting together, for which nobody has anything else to do


def measure(moves: int) -> list[Line]:
    """Move a lever so many times; medians."""
    from streamlit.testing.v1 import AppTest

    import carecast.dashboard
    from carecast.dashboard import background
    from carecast.dashboard.background import LOOK_POLL_SECONDS
    from carecast.dashboard.work import FIRST, LOOK

    with tempfile.TemporaryDirectory(prefix="carecast-look-") as holder:
        lay_out(Path(holder))
        app: Any = AppTest.from_file(str(Path(carecast.dashboard.__file__).parent / "app.py"), default_timeout=120)
        app.run().switch_page("views/scenarios.py").run()
        office = background.office()
        try:
            _wait(app, LOOK)
            found = [_moved(app, at) for at in range(moves + 1)][1:]  # the first also reads code not needed before
        finally:
            office.close()
    middle = {name: statistics.median(getattr(move, name) for move in found) for name in Move.__annotations__}
    serial = middle["page_s"] + middle["gather_s"]
    idle = serial + (middle["processor_s"] - serial) / 2 + LOOK_POLL_SECONDS / 2
    note = "pages and the last putting together one after another, replications side by side, half a poll"
    return [
        Line(PART, f"first {FIRST} replications on the screen, wall", middle["first_s"], "s"),
        Line(PART, f"all {LOOK} on the screen, wall", middle["all_s"], "s"),
        Line(PART, "pages, processor", middle["page_s"], "s"),
        Line(PART, "last putting together, processor", middle["gather_s"], "s"),
        Line(PART, "pages and workers, processor", middle["processor_s"], "s"),
        Line(PART, f"all {LOOK}, by processor seconds on two idle processors", idle, "s", BAR_SECONDS, note=note),
    ]


def lay_out(holder: Path) -> Path:
    """A small run of the scenario and its parameter set, told to the dashboard; returns the run's folder."""
    from carecast.model.parameters import save
    from carecast.scenarios.library import load_scenario
    from carecast.scenarios.run import Request, start

    runs = holder / "runs"
    calibrated = west_dunbartonshire()
    save(runs / "demo-parameters", calibrated)
    asked = Request(
        calibrated, (load_scenario(SCENARIO),), UNTIL, seed=SEED, replications=10, command="carecast demo"
    )  # fmt: skip
    start(asked, runs / "demo")
    os.environ |= {"CARECAST_RUN": str(runs / "demo"), "CARECAST_RUNS": str(runs)}
    return runs / "demo"


def _moved(app: Any, at: int) -> Move:
    from carecast.dashboard import background, worker
    from carecast.dashboard.background import LOOK_POLL_SECONDS
    from carecast.dashboard.work import FIRST, LOOK, blocks

    slider = next(one for one in app.slider if one.min < one.max)
    low, high = slider.min, slider.max
    slider.set_value(type(slider.value)(low + (high - low) * (0.3 + 0.05 * at)))
    before, own, began = processors(), time.process_time(), time.perf_counter()
    app.run()
    _wait(app, FIRST, LOOK_POLL_SECONDS)
    first = time.perf_counter() - began
    _wait(app, LOOK, LOOK_POLL_SECONDS)
    whole = time.perf_counter() - began
    pages, both = time.process_time() - own, processors() - before
    ask = background.office()._looks[_key(app)].ask
    worker.gather(ask, blocks(LOOK))  # once to read what it needs
    return Move(first, whole, pages, both, processor_seconds(lambda: worker.gather(ask, blocks(LOOK))))


def _key(app: Any) -> str:
    """Of the look that the page watches."""
    from carecast.dashboard import background

    return background.office()._current.get(str(app.session_state["_session"]), "")


def _wait(app: Any, replications: int, poll_s: float = 0.1) -> None:
    """Until so many replications are on the screen; the page asks as often as the browser has it ask."""
    from carecast.dashboard import background

    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        looking = background.office()._looks.get(_key(app))
        look = looking.state.look if looking else None
        if look is not None and look.replications >= replications:
            app.run()
            return
        time.sleep(poll_s)
    raise TimeoutError(f"a quick look of {replications} replications took more than {PATIENCE_SECONDS:.0f} s")
