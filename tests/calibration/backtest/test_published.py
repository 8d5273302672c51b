"""Back-tests from a few published counts."""

import datetime as dt

import pytest

from carecast.calibration.backtest import published as pb
from carecast.calibration.backtest import rolling, tables
from carecast.calibration.backtest.past import TOTAL
from carecast.model.parameters import BadFile, Observed
from tests.calibration.backtest import worlds

YEARS = {year: float(value) for year, value in zip(range(2015, 2022), (40, 44, 43, 47, 46, 50, 45), strict=True)}


def counts(years=None):
    rows = [
        Observed(measure=measure, breakdown="total", date=dt.date(year, 3, 31), value=value, source="made up")
        for year, value in (years or YEARS).items()
        for measure in ("looked_after", "contacts")
    ]
    return pb.counts_of(rows)


def refit(origin):
    return worlds.refit(worlds.history().as_at(origin), origin)


def test_counts_of_children_only():
    assert set(counts()) == {TOTAL}
    assert counts()[TOTAL][dt.date(2016, 3, 31)] == 44.0


def test_origins_have_three_counts_behind_them_and_one_ahead():
    assert [day.year for day in pb.published_origins(counts())] == [2017, 2018, 2019, 2020]
    assert [day.year for day in pb.asked_published("2", counts())] == [2019, 2020]
    assert [day.year for day in pb.asked_published("2018-03-31", counts())] == [2018]
    with pytest.raises(BadFile, match="should be a count, or one of 2017-03-31"):
        pb.asked_published("2018-06-30", counts())
    with pytest.raises(BadFile, match="3 published counts"):
        pb.published_origins(counts({2015: 1.0, 2016: 2.0, 2017: 3.0}))


def test_last_value_has_the_spread_of_its_own_past_changes():
    import numpy as np

    found = pb.references_of(np.array([40.0, 44, 43, 47]), 1)
    assert sorted(found["last_value"].values) == [43, 43, 46, 48, 51, 51]
    assert pb.references_of(np.array([40.0, 44]), 1) == {}


def test_every_later_count_within_the_horizon_is_scored():
    settings = rolling.Settings((dt.date(2018, 3, 31), dt.date(2020, 3, 31)), (12, 24), replications=25)
    found = pb.backtest_published(counts(), refit, settings)
    own = found.rows[found.rows["model"] == rolling.MODEL]
    assert sorted(zip(own["origin"], own["horizon_months"], own["observed"], strict=True)) == [
        ("2018-03-31", 12, 46.0), ("2018-03-31", 24, 50.0), ("2020-03-31", 12, 45.0),
    ]  # fmt: skip
    assert set(found.rows["model"]) == {rolling.MODEL, "last_value", "drift"}
    said = tables.verdict(tables.score_table(found.rows), found.rows, settings.origins)
    assert "2 of 2" in said or "1 of 2" in said or "0 of 2" in said
