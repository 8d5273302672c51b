"""events.parquet: every event of simulated entrants, when asked, and nothing of a child of the stock."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from carecast.model.engine import World, simulate
from carecast.scenarios.apply import apply
from carecast.scenarios.run import start
from tests import small_runs, toy

SHORT = dt.date(2022, 12, 31)


def request(**changes):
    return small_runs.request(small_runs.more_help(), until=SHORT, replications=60, **changes)


def stop_after_a_block(done, _):
    if done:
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def with_events(tmp_path_factory):
    return start(request(events=True), tmp_path_factory.mktemp("events") / "run")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return start(request(), tmp_path_factory.mktemp("whole") / "run")


def test_events_only_when_asked(whole, with_events):
    assert not (whole.folder / "events.parquet").exists()
    assert (with_events.folder / "events.parquet").exists()
    assert not list((with_events.folder / "replications").glob("*events*"))
    assert with_events.record["digest"] == whole.record["digest"]


def test_events_are_every_event_of_entrants_and_of_nobody_else(with_events):
    frame = pd.read_parquet(with_events.folder / "events.parquet")
    assert list(frame.columns[:5]) == ["scenario", "replication", "date", "child", "event"]
    asked = request()
    plan = apply(asked.calibrated.parameters, small_runs.more_help(), SHORT)
    world = World(asked.calibrated, plan, SHORT, asked.seed)
    for replication in (0, 31):
        told = simulate(world, replication)
        part = frame[(frame["scenario"] == "more_help") & (frame["replication"] == replication)]
        entrant = told.children.is_stock[told.log.child] == 0
        assert len(part) == entrant.sum() > 0
        first = int(told.children.is_stock.sum())
        assert (part["child"].to_numpy() == told.log.child[entrant] - first).all()
        days = [dt.date.fromordinal(int(day)) for day in told.log.day[entrant]]
        assert list(part["date"]) == days
        assert (told.log.day[entrant] > toy.AS_AT.toordinal()).all()
        shared = told.log.shared_with[entrant]
        mine = np.where(shared >= first, shared - first, -1)
        assert (part["shared_with"].fillna(-1).to_numpy() == mine).all()
    assert frame["event"].isin(["contact_made", "placement_started"]).any()


def test_an_interrupted_run_with_events_resumes_to_the_same_events(tmp_path, with_events):
    with pytest.raises(KeyboardInterrupt):
        start(request(events=True), tmp_path / "run", progress=stop_after_a_block)
    resumed = start(request(events=True), tmp_path / "run", resume=True)
    one, other = (pd.read_parquet(run.folder / "events.parquet") for run in (resumed, with_events))
    pd.testing.assert_frame_equal(one, other)
    (resumed.folder / "events.parquet").unlink()
    again = start(request(events=True), tmp_path / "run", resume=True)
    pd.testing.assert_frame_equal(pd.read_parquet(again.folder / "events.parquet"), other)
