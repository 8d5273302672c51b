"""One small back-test, made once."""

import pytest

from carecast.calibration.backtest import origins, past, rolling
from tests.calibration.backtest import worlds


@pytest.fixture(scope="session")
def history():
    return worlds.history()


@pytest.fixture(scope="session")
def known(history):
    return past.read_past(history)


@pytest.fixture(scope="session")
def settings(known):
    return rolling.Settings(origins.standard_origins(known.dates, 2), (6, 12), replications=30)


@pytest.fixture(scope="session")
def tested(history, known, settings):
    return rolling.backtest(history, known, worlds.refit, settings)
