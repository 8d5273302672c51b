from pathlib import Path

import pytest

from carecast.dashboard import charts
from carecast.scenarios.run import Run
from tests.dashboard import tiny_runs


@pytest.fixture(autouse=True)
def held_against_the_schema(monkeypatch):
    """Every figure that a test draws is checked, as pages do not."""

    def to_dict(self, validate=True, **how):
        return super(charts.Chart, self).to_dict(validate=validate, **how)

    monkeypatch.setattr(charts.Chart, "to_dict", to_dict)


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Path:
    """A folder with one finished run, one of the baseline alone, one unfinished and one damaged."""
    folder = tmp_path_factory.mktemp("runs")
    whole = tiny_runs.whole(folder)
    tiny_runs.baseline_alone(folder)
    tiny_runs.unfinished(whole.folder, folder)
    tiny_runs.damaged(whole.folder, folder)
    return folder


@pytest.fixture(scope="session")
def run(runs) -> Run:
    """The finished run."""
    from carecast.scenarios.run import open_run

    return open_run(runs / "whole")


@pytest.fixture(scope="session")
def alone(runs) -> Run:
    """The run of the baseline alone."""
    from carecast.scenarios.run import open_run

    return open_run(runs / "baseline_alone")


@pytest.fixture(scope="session")
def odd(tmp_path_factory) -> Path:
    """A folder of runs with nobody in them, with one locality, and of many scenarios with its parameter set."""
    from tests.dashboard import odd_runs

    folder = tmp_path_factory.mktemp("odd")
    odd_runs.nobody(folder)
    odd_runs.one_locality(folder)
    odd_runs.grounded(folder)
    return folder


@pytest.fixture(scope="session")
def grounded(odd) -> Run:
    """The run of many scenarios whose parameter set is there."""
    from carecast.scenarios.run import open_run

    return open_run(odd / "grounded")
