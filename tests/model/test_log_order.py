"""The compiled clock's log comes out by day, child and position, whatever its length."""

import numpy as np
import pytest

from carecast.model import compiled_clock
from carecast.model.event_log import LOG_DTYPES, Log

START_DAY = 738_000


def rows(n_stock, n_later, n_days, n_children, seed):
    """Rows as the clock writes them: of the stock in any order, then day after day in any order of children."""
    random = np.random.default_rng(seed)
    whole = random.integers(0, 100, (n_stock + n_later, 8), dtype=np.int32)
    whole[:n_stock, 0] = START_DAY - random.integers(0, 6000, n_stock)
    whole[n_stock:, 0] = START_DAY + 1 + np.sort(random.integers(0, n_days, n_later))
    whole[:, 1] = random.integers(0, n_children, len(whole))
    whole[:, 2] = np.arange(len(whole)) % 30_000  # tells rows of one child and day apart
    return whole, random.random(len(whole))


def in_order(whole, price):
    n = len(whole)
    log = Log(*(np.empty(n, dtype) for dtype in LOG_DTYPES))
    scratch = [np.empty(n, np.int32), np.empty(n, np.int32), np.empty(compiled_clock.DIGITS, np.int32)]
    compiled_clock.in_order(whole, price, START_DAY, *scratch, log)
    return log


@pytest.mark.parametrize(
    ("n_stock", "n_later", "n_days", "n_children"),
    [
        (0, 1, 1, 1),
        (5, 0, 1, 3),
        (300, 5_000, 700, 2_000),
        (2_000, 3 * compiled_clock.ROWS_AT_A_TIME + 17, 1_826, 3_000_000),  # children of more than two digits
        (50, 2 * compiled_clock.ROWS_AT_A_TIME, 2, 40),  # days longer than what is sorted together
        (3 * compiled_clock.ROWS_AT_A_TIME, 100, 5, 70_000),
    ],
)
def test_rows_come_by_day_then_child_then_as_they_were_written(n_stock, n_later, n_days, n_children):
    whole, price = rows(n_stock, n_later, n_days, n_children, seed=n_stock + n_later)
    log = in_order(whole, price)
    order = np.lexsort((np.arange(len(whole)), whole[:, 1], whole[:, 0]))
    for name, column in zip(Log._fields[:8], whole[order].T, strict=True):
        np.testing.assert_array_equal(getattr(log, name), column.astype(getattr(log, name).dtype), err_msg=name)
    np.testing.assert_array_equal(log.price_multiplier, price[order])
