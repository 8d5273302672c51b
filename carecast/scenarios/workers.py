"""Who tells the blocks of a run: this process, several processes of this machine, or a Dask cluster.

A block is a pure function of the job and its replications, so it does not matter who tells it, in what order, or how often:
a worker that dies has its blocks told again by another.
"""

import contextlib
import hashlib
import signal
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from carecast.model.parameters import BadFile
from carecast.scenarios.replicate import BlockOf, Job, Teller, tell_block

Block = tuple[int, int]  # first and last replication
AHEAD = 2  # blocks handed to each worker before the first answer is read
CONNECT_SECONDS = 15


def tell_blocks(
    teller: Teller, blocks: Sequence[Block], workers: int = 1, scheduler: str = ""
) -> Iterator[list[BlockOf]]:
    """Tell blocks and yield them in order.

    Args:
        teller: the job laid out in this process.
        blocks: first and last replication of each.
        workers: processes of this machine; 1 tells them here.
        scheduler: address of a Dask scheduler, whose workers tell them instead.

    Raises:
        BadFile: the scheduler does not answer, or the cluster extra is not installed.
    """
    if scheduler:
        return _on_cluster(teller.job, blocks, scheduler)
    if workers > 1 and len(blocks) > 1:
        return _in_processes(teller.job, blocks, workers)
    return (teller.block(range(first, last + 1)) for first, last in blocks)


def job_key() -> str:
    """A name for this telling of a job, so that a worker keeps its worlds from block to block and no longer."""
    return hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:16]


class _Held:
    """A job as worker processes are given it, once, when they start; equal only to itself."""

    def __init__(self, job: Job) -> None:
        self.job = job


_HELD: list[_Held] = []  # of the last job: the same workers go on with it
_OWN: list[Teller] = []  # in a worker process


def _held(job: Job) -> _Held:
    if not _HELD or _HELD[0].job is not job:
        _HELD[:] = [_Held(job)]
    return _HELD[0]


def _take(held: _Held) -> None:
    _OWN[:] = [Teller(held.job)]


def _tell_own(replications: Sequence[int]) -> list[BlockOf]:
    return _OWN[0].block(replications)


def _in_processes(job: Job, blocks: Sequence[Block], workers: int) -> Iterator[list[BlockOf]]:
    from joblib import Parallel, delayed

    tasks = (delayed(_tell_own)(range(first, last + 1)) for first, last in blocks)
    # max_nbytes=None: nothing of a job, the stock least of all, is written to a disk for the workers to read
    parallel = Parallel(
        n_jobs=workers,
        return_as="generator",
        pre_dispatch=f"{AHEAD}*n_jobs",
        max_nbytes=None,
        initializer=_take,
        initargs=(_held(job),),
    )
    with started_without_ctrl_c():
        told: Generator[list[BlockOf], None, None] = parallel(tasks)
    with contextlib.closing(told):
        yield from told


@contextlib.contextmanager
def started_without_ctrl_c() -> Iterator[None]:
    """Processes started within leave Ctrl-C to this one, which ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _the_job(job: Job) -> Job:
    """The job itself: a task of its own, so that the cluster ships it once and can make it again when a worker dies."""
    return job


def _on_cluster(job: Job, blocks: Sequence[Block], scheduler: str) -> Iterator[list[BlockOf]]:
    try:
        from distributed import Client
    except ImportError:
        raise BadFile("--scheduler: needs the cluster extra; install carecast[cluster]") from None
    try:
        client: Any = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise BadFile(f"--scheduler: no Dask scheduler answers at {scheduler!r} ({type(error).__name__})") from None
    key = job_key()
    with contextlib.closing(client):
        shipped = client.submit(_the_job, job, key=f"carecast-job-{key}", pure=False)
        ahead = max(1, AHEAD * max(1, sum(client.nthreads().values())))
        waiting: list[Any] = []
        rest = iter(blocks)
        for first, last in rest:
            waiting.append(_submit(client, key, shipped, first, last))
            if len(waiting) >= ahead:
                break
        while waiting:
            yield waiting.pop(0).result()
            following = next(rest, None)
            if following is not None:
                waiting.append(_submit(client, key, shipped, *following))


def _submit(client: Any, key: str, shipped: Any, first: int, last: int) -> Any:
    name = f"carecast-block-{key}-{first}"
    return client.submit(tell_block, key, shipped, range(first, last + 1), key=name, pure=False, retries=3)
