"""Who tells the blocks makes no difference: this process, two processes, or a Dask cluster that loses a worker."""

import datetime as dt
import os
import signal

import numpy as np
import pytest

from carecast.model.parameters import BadFile
from carecast.model.plan import Plan
from carecast.scenarios import replicate, workers
from tests import toy

BLOCKS = [(first, first + 3) for first in range(0, 24, 4)]


@pytest.fixture(scope="module")
def teller():
    calibrated = toy.calibrated(toy.some_stock())
    return replicate.Teller(replicate.Job(calibrated, (Plan("baseline"), Plan("other")), dt.date(2023, 3, 31), seed=3))


@pytest.fixture(scope="module")
def told_here(teller):
    return [[part.monthly for part in block] for block in workers.tell_blocks(teller, BLOCKS)]


def same(found, expected):
    return len(found) == len(expected) and all(
        np.array_equal(a, b)
        for ours, theirs in zip(found, expected, strict=True)
        for a, b in zip(ours, theirs, strict=True)
    )


def test_two_processes_tell_the_same(teller, told_here):
    assert same([[p.monthly for p in block] for block in workers.tell_blocks(teller, BLOCKS, workers=2)], told_here)


def test_a_cluster_that_loses_a_worker_in_mid_run_tells_the_same(teller, told_here):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=60
    ) as cluster:
        pids = [worker.pid for worker in cluster.workers.values()]
        found = []
        for block in workers.tell_blocks(teller, BLOCKS, scheduler=cluster.scheduler_address):
            found.append([part.monthly for part in block])
            if len(found) == 1:
                os.kill(pids[0], signal.SIGKILL)
        now = {worker.pid for worker in cluster.workers.values()}
    assert same(found, told_here)
    assert pids[0] not in now


def test_a_scheduler_that_does_not_answer_is_one_line(teller, monkeypatch):
    monkeypatch.setattr(workers, "CONNECT_SECONDS", 1)
    with pytest.raises(BadFile, match=r"--scheduler: no Dask scheduler answers at 'tcp://127.0.0.1:9'"):
        list(workers.tell_blocks(teller, BLOCKS, scheduler="tcp://127.0.0.1:9"))
