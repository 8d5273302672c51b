"""Work in the background: who asked for what, how far it is, and its end. No Streamlit, and nothing is computed here.

One pool of processes serves everybody. A quick look is told in blocks, the first two of them before anybody's rest, so that
ten people see something soon; a longer work (a run, the solver, a sensitivity) is one task that says on disk how far it is
and looks there whether it is cancelled; one process is always left to quick looks where there are two or more. Each browser
session sees the works it asked for and no other's. Results lie under the runs' folder by a hash of their inputs, so that
the same question is answered once.
"""

import contextlib
import json
import multiprocessing
import os
import shutil
import sys
import threading
import time
import types
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from carecast.dashboard import long_work, worker
from carecast.dashboard.orphans import leave_with_parent
from carecast.dashboard.panels.look import Look
from carecast.dashboard.worker import Ask
from carecast.model.parameters import BadFile

BLOCK = 25  # replications told together until the first are shown: two processes show them after one block each
LATER = 10  # and afterwards: the shorter, the less one process waits for another at the end
LOOK = 200  # replications of a quick look
FIRST = 50  # shown first
KEPT_LOOKS = 60  # folders of quick looks on disk
WORK_FOLDER = ".carecast-work"  # under the runs' folder
WORKERS_VARIABLE = "CARECAST_WORKERS"
Block = tuple[int, int]
ENDED = "the process that was computing ended unexpectedly; start it again"


def blocks(replications: int) -> list[Block]:
    """First and last replication of each block."""
    starts = [*range(0, FIRST, BLOCK), *range(FIRST, max(FIRST, replications), LATER)]
    ends = [*starts[1:], replications]
    return [
        (first, min(end, replications) - 1) for first, end in zip(starts, ends, strict=True) if first < replications
    ]


def how_many_workers() -> int:
    """As many processes as processors, at most eight, unless the environment says otherwise."""
    given = os.environ.get(WORKERS_VARIABLE, "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    affinity = getattr(os, "sched_getaffinity", None)
    return min(len(affinity(0)) if affinity else os.cpu_count() or 1, 8)


@contextlib.contextmanager
def _plain_main() -> Iterator[None]:
    """Processes started within do not run the dashboard's own script as theirs."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = before


def start_pool() -> Executor:
    """The processes, started; they import neither the dashboard's pages nor Streamlit."""
    pool = ProcessPoolExecutor(
        how_many_workers(), mp_context=multiprocessing.get_context("spawn"), initializer=leave_with_parent
    )
    with _plain_main():
        for _ in range(how_many_workers()):  # each starts one, since none is idle yet
            pool.submit(os.getpid)
    return pool


def sentence(error: BaseException) -> str:
    """Why a work failed, in one sentence; never a traceback."""
    if isinstance(error, BadFile):
        return "; ".join(error.lines)
    if isinstance(error, BrokenProcessPool):
        return ENDED
    if isinstance(error, OSError):
        return f"a file could not be read or written ({error.strerror or type(error).__name__})"
    return f"something unforeseen happened ({type(error).__name__}); nothing was changed"


# --- quick looks ----------------------------------------------------------------------------------------------------
@dataclass
class LookState:
    """How far a quick look is."""

    key: str
    told: int = 0
    look: Look | None = None  # of so many replications as it says
    failure: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return bool(self.failure) or (self.look is not None and self.look.replications >= LOOK)


@dataclass
class _Looking:
    """A quick look under way."""

    ask: Ask
    state: LookState
    watchers: set[str] = field(default_factory=set)
    futures: list[Future[Any]] = field(default_factory=list)
    done: set[Block] = field(default_factory=set)
    stage: int = 0  # 0: the first blocks, 1: the rest, 2: all told


# --- longer works ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Progress:
    """How far a longer work is."""

    status: str  # waiting, working, done, failed, cancelled
    told: int = 0
    total: int = 0
    seconds_left: float | None = None
    message: str = ""
    before_it: int = 0  # works that wait or are told before this one

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ("done", "failed", "cancelled")


@dataclass
class _Long:
    """A longer work somebody asked for."""

    key: str
    what: str
    folder: Path
    watchers: set[str] = field(default_factory=set)
    future: Future[Any] | None = None
    ended: str = ""  # the status, where the process itself could not write it
    message: str = ""


class Office:
    """Takes in work, hands it to the processes, and says how far it is."""

    def __init__(self, runs: Path, make_pool: Callable[[], Executor] | None = None,
                 workers: int | None = None) -> None:  # fmt: skip
        """Start the processes.

        Args:
            runs: the folder of runs; works are kept in a folder of it.
            make_pool: gives the processes, again when they have died.
            workers: how many there are.
        """
        self.folder = runs / WORK_FOLDER
        self.workers = workers or how_many_workers()
        self._make_pool = make_pool or start_pool
        self._pool = self._make_pool()
        self._lock = threading.RLock()
        self._looks: dict[str, _Looking] = {}
        self._current: dict[str, str] = {}  # session -> key of the look it watches
        self._long: dict[str, _Long] = {}
        self._waiting: deque[str] = deque()
        self._working: set[str] = set()
        self._is_closed = False

    # --- the pool ---------------------------------------------------------------------------------------------------
    def _submit(self, task: Callable[..., Any], *given: Any) -> Future[Any]:  # noqa: ANN401
        try:
            return self._pool.submit(task, *given)
        except BrokenProcessPool:  # a process died: new ones, and the question once more
            self._pool = self._make_pool()
            return self._pool.submit(task, *given)

    def close(self) -> None:
        """End the processes; nothing more is handed out."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # --- quick looks ------------------------------------------------------------------------------------------------
    def warm(self, ask: Ask) -> None:
        """Tell the baseline before anybody moves a lever."""
        for block in blocks(LOOK):
            self._submit(worker.warm, ask, *block)

    def ask_of(self, key: str, run: Path, grounds: str, scenario: str, texts: dict[str, str]) -> Ask:
        """The question of a look, its scenario files written where processes read them."""
        folder = self.folder / "looks" / key
        ask = Ask(run, folder, scenario, self.folder / "baselines" / grounds)
        if not folder.is_dir():
            self._prune()
        for name, text in texts.items():
            file = folder / "inputs" / f"{name}.toml"
            if not file.is_file():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        return ask

    def _prune(self) -> None:
        """Take away the oldest quick looks that nobody watches."""
        found = sorted((self.folder / "looks").glob("*"), key=lambda item: item.stat().st_mtime)
        for item in found[: max(0, len(found) - KEPT_LOOKS)]:
            if item.name not in self._looks:
                shutil.rmtree(item, ignore_errors=True)

    def look(self, session: str, key: str, ask: Ask) -> LookState:
        """The state of a quick look, begun if it is not under way; what the session watched before is let go."""
        with self._lock:
            self._let_go(session, key)
            found = self._looks.get(key)
            if found is None or found.state.failure == ENDED:
                (ask.folder / worker.LET_GO).unlink(missing_ok=True)
                found = self._looks[key] = _Looking(ask, LookState(key))
                self._tell(found, [block for block in blocks(LOOK) if block[1] < FIRST])
            found.watchers.add(session)
            return found.state

    def _let_go(self, session: str, key: str) -> None:
        before = self._current.get(session)
        self._current[session] = key
        if before is None or before == key or before not in self._looks:
            return
        old = self._looks[before]
        old.watchers.discard(session)
        if not old.watchers and not old.state.is_over:
            del self._looks[before]
            (old.ask.folder / worker.LET_GO).touch()
            for future in old.futures:
                future.cancel()
        self._forget()

    def _forget(self) -> None:
        """Keep no more finished looks in memory than on disk."""
        over = [key for key, found in self._looks.items() if found.state.is_over and not found.watchers]
        for key in over[: max(0, len(over) - KEPT_LOOKS)]:
            del self._looks[key]

    def _tell(self, found: _Looking, todo: list[Block]) -> None:
        for block in todo:
            future = self._submit(worker.tell_block, found.ask, *block)
            found.futures.append(future)
            future.add_done_callback(partial(self._block_done, found, block))

    def _block_done(self, found: _Looking, block: Block, future: Future[Any]) -> None:
        if future.cancelled() or self._is_closed:
            return
        with self._lock, contextlib.suppress(RuntimeError):  # the interpreter ends: nothing can be handed out
            error = future.exception()
            if error is not None:
                self._fail(found, error)
                return
            if future.result() == 0:  # let go; whoever came back to it asked anew
                return
            found.done.add(block)
            found.state.told += block[1] - block[0] + 1
            if found.state.key not in self._looks or found.state.failure:
                return
            if found.stage == 0 and found.state.told >= FIRST:
                found.stage = 1
                self._gather(found)
                self._tell(found, [block for block in blocks(LOOK) if block not in found.done])
            elif found.stage == 1 and found.state.told >= LOOK:
                found.stage = 2
                self._gather(found)

    def _gather(self, found: _Looking) -> None:
        future = self._submit(worker.gather, found.ask, sorted(found.done))
        found.futures.append(future)
        future.add_done_callback(partial(self._gathered, found))

    def _gathered(self, found: _Looking, future: Future[Any]) -> None:
        if future.cancelled():
            return
        with self._lock:
            error = future.exception()
            if error is not None:
                self._fail(found, error)
            elif found.state.look is None or found.state.look.replications < future.result().replications:
                found.state.look = future.result()

    @staticmethod
    def _fail(found: _Looking, error: BaseException) -> None:
        found.state.failure = sentence(error)
        for future in found.futures:
            future.cancel()

    # --- longer works -----------------------------------------------------------------------------------------------
    def begin(self, session: str, key: str, what: str, question: dict[str, Any], texts: dict[str, str]) -> None:
        """Ask for a longer work; the same question that is done or under way is joined.

        Args:
            session: whose work it is.
            key: hash of everything that decides the answer.
            what: what it is called on the screen.
            question: what ``long_work.do`` reads.
            texts: files it needs, by name.
        """
        with self._lock:
            found = self._long.get(key)
            folder = self.folder / "works" / key
            if found is None or self.progress_of(found).status in ("failed", "cancelled"):
                if long_work.state(folder).get("status") != "done" or not long_work.is_there(folder):
                    self._lay_out(folder, question, texts)
                found = self._long[key] = _Long(key, what, folder, found.watchers if found else set())
                self._waiting.append(key)
            found.watchers.add(session)
            self._next()

    @staticmethod
    def _lay_out(folder: Path, question: dict[str, Any], texts: dict[str, str]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        for name, text in {**texts, long_work.QUESTION: json.dumps(question, ensure_ascii=False)}.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def _next(self) -> None:
        """Hand out the works that wait, as many at once as leave a process to quick looks."""
        while self._waiting and len(self._working) < max(1, self.workers - 1):
            found = self._long[self._waiting.popleft()]
            if long_work.state(found.folder).get("status") == "done" and long_work.is_there(found.folder):
                continue
            self._working.add(found.key)
            found.future = self._submit(long_work.do, found.folder)
            found.future.add_done_callback(partial(self._long_done, found))

    def _long_done(self, found: _Long, future: Future[Any]) -> None:
        with self._lock:
            self._working.discard(found.key)
            error = None if future.cancelled() else future.exception()
            if error is not None:
                found.ended, found.message = "failed", sentence(error)
            self._next()

    def cancel(self, session: str, key: str) -> None:
        """Stop a work, unless somebody else waits for the same."""
        with self._lock:
            found = self._long.get(key)
            if found is None or session not in found.watchers:
                return
            if found.watchers - {session}:
                found.watchers.discard(session)
                return
            (found.folder / long_work.CANCEL).touch()
            if key in self._waiting:
                self._waiting.remove(key)
                found.ended = "cancelled"

    def works(self, session: str) -> list[tuple[str, str]]:
        """Key and name of every work of a session, the newest first."""
        with self._lock:
            return [(key, found.what) for key, found in reversed(self._long.items()) if session in found.watchers]

    def progress(self, session: str, key: str) -> Progress | None:
        """How far a work of this session is; None when it has none of this key."""
        with self._lock:
            found = self._long.get(key)
            return self.progress_of(found) if found is not None and session in found.watchers else None

    def progress_of(self, found: _Long) -> Progress:
        """How far a work is, by what its process wrote."""
        if found.ended:
            return Progress(found.ended, message=found.message)
        if found.key in self._waiting:
            return Progress("waiting", before_it=len(self._working) + self._waiting.index(found.key))
        said = long_work.state(found.folder)
        told, total = int(said.get("told", 0)), int(said.get("total", 0))
        spent = time.time() - float(said.get("began", time.time()))
        left = spent / told * (total - told) if told and total else None
        return Progress(str(said.get("status", "working")), told, total, left, str(said.get("message", "")))

    def folder_of(self, key: str) -> Path:
        """Where a longer work keeps its question and its answer."""
        return self.folder / "works" / key
