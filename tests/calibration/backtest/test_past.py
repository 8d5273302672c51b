"""Counting a history month by month."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from carecast.calibration.backtest import past as p
from carecast.calibration.readers.history import History, tidy
from carecast.model.parameters import BadFile
from tests.calibration.backtest import worlds


def history(rows, first="2020-01-01", last="2020-12-31"):
    frame = tidy(pd.DataFrame(rows), "placements")
    for name in ("start", "end", "observed_to"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    days = (dt.date.fromisoformat(day) for day in (first, last))
    return History("tidy", "england", "", *days, tables={"placements": frame})


def row(child, start, end=None, kind="kinship", order=0, spell=0, began="entry", weekly=np.nan, seen=None):
    return {"child": child, "spell": spell, "order": order, "start": start, "end": end, "observed_to": seen,
            "placement_type": kind, "start_kind": began, "weekly_cost_gbp": weekly}  # fmt: skip


ROWS = [
    row(1, "2019-05-01", "2020-02-29", began="already_in_care"),
    row(2, "2020-01-31", "2020-03-01"),
    row(2, "2020-03-01", "2020-06-30", kind="secure", order=1),
    row(3, "2020-02-01", None, kind="at_home"),
    row(4, "2020-03-15", None, seen="2020-05-31"),  # lost sight of
    row(2, "2020-09-01", None, spell=1),  # comes back
]


def test_a_child_counts_from_the_day_it_starts_until_the_day_before_it_ends():
    found = p.read_past(history(ROWS))
    assert found.dates[0] == dt.date(2020, 1, 31)
    assert found.values[p.TOTAL].tolist() == [2, 2, 3, 3, 3, 1, 1, 1, 2, 2, 2, 2]
    assert found.values[p.AWAY].tolist() == [2, 1, 2, 2, 2, 0, 0, 0, 1, 1, 1, 1]
    assert found.values[p.of_group("residential")].tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_flows_count_periods_of_care_not_placements():
    found = p.read_past(history(ROWS))
    assert found.values[p.ENTRIES].tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    assert found.values[p.EXITS].tolist() == [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]


def test_stock_is_what_was_there_and_what_came_and_went():
    found = p.read_past(worlds.history())
    moved = np.cumsum(found.values[p.ENTRIES][1:] - found.values[p.EXITS][1:])
    assert np.array_equal(found.values[p.TOTAL][0] + moved, found.values[p.TOTAL][1:])
    kinds = [values for (_, breakdown), values in found.values.items() if breakdown.startswith("placement_type=")]
    groups = [found.values[p.of_group(name)] for name in p.GROUPS]
    assert np.array_equal(np.sum(kinds, axis=0), found.values[p.TOTAL])
    assert np.array_equal(np.sum(groups, axis=0), found.values[p.TOTAL])


def test_every_placement_type_is_in_one_group():
    members = [name for group in p.GROUPS.values() for name in group]
    assert sorted(members) == sorted(p.w.PLACEMENT_TYPES)


def test_flows_are_summed_since_the_origin():
    found = p.read_past(history(ROWS))
    assert found.at(p.ENTRIES, dt.date(2020, 1, 31), dt.date(2020, 3, 31)) == 2.0
    assert found.at(p.TOTAL, dt.date(2020, 1, 31), dt.date(2020, 3, 31)) == 3.0
    assert found.at(p.TOTAL, dt.date(2020, 1, 31), dt.date(2021, 3, 31)) is None


def test_spend_is_days_times_price_and_unknown_prices_are_the_mean_of_their_type():
    rows = [row(1, "2020-01-01", None, weekly=700.0), row(2, "2020-01-01", None, weekly=1400.0)]
    rows += [row(at, "2020-01-01", None, weekly=700.0) for at in range(3, 9)] + [row(9, "2020-01-01", None)]
    found = p.read_past(history(rows))
    known = (7 * 100 + 200) * 366
    assert found.values[p.SPEND][-1] == pytest.approx(known + known / 8)
    assert np.isnan(found.values[p.SPEND][10])


def test_no_spend_when_too_few_prices_are_known():
    rows = [row(at, "2020-01-01", None, weekly=700.0 if at < 7 else np.nan) for at in range(10)]
    assert p.SPEND not in p.read_past(history(rows)).values


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (History("dfe", "england", "", None, None), "holds no placements"),
        (history(ROWS[:1], "2020-01-05", "2020-01-25"), "not one whole month"),
    ],
)
def test_what_cannot_be_counted_says_so(made, said):
    with pytest.raises(BadFile, match=said):
        p.read_past(made)
