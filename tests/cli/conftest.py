"""The invented council's parameter set and a run of it, made once for all tests of the command line."""

import pytest
from typer.testing import CliRunner

from carecast.cli.main import app
from carecast.model.parameters import save
from carecast.scenarios.run import start
from tests import small_runs

TARGETS = (small_runs.SAVE, small_runs.FEWER)


@pytest.fixture(scope="session")
def parameters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("council") / "parameters"
    save(folder, small_runs.council())
    return folder


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "run"
    return start(
        small_runs.request(small_runs.more_help(), small_runs.dearer(), targets=TARGETS, replications=150), out
    )


@pytest.fixture
def carecast(tmp_path, monkeypatch):
    """Call a command in an empty folder; gives exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    return call
