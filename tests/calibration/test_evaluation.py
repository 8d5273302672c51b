"""A saved forecast against what came: its miss taken apart, to the child and to the penny."""

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest

from carecast.calibration import evaluation as ev
from carecast.calibration.backtest import past as p
from carecast.calibration.readers.history import tidy
from carecast.model.parameters import BadFile
from carecast.scenarios.request import Request
from carecast.scenarios.run import start
from tests.calibration.backtest import worlds

AS_AT, UNTIL = dt.date(2020, 3, 31), dt.date(2022, 3, 31)


@pytest.fixture(scope="module")
def history():
    return worlds.history()


@pytest.fixture(scope="module")
def past(history):
    return p.read_past(history)


@pytest.fixture(scope="module")
def saved(history, tmp_path_factory):
    calibrated = worlds.refit(history.as_at(AS_AT), AS_AT)
    run = start(Request(calibrated, (), UNTIL, replications=25), tmp_path_factory.mktemp("runs") / "run")
    return ev.saved_run(run.answer("baseline"), run.money["baseline"], run.record["parameters"]["providers"])


def test_every_known_month_is_scored(saved, past):
    rows = ev.score_rows(saved, past)
    total = rows[(rows["measure"] == "looked_after") & (rows["breakdown"] == "total")]
    assert len(total) == 24
    assert total["months_ahead"].tolist() == list(range(1, 25))
    assert total["observed"].tolist() == past.values[p.TOTAL][-24:].tolist()
    assert (total["inside_80"] == ((total["p10"] <= total["observed"]) & (total["observed"] <= total["p90"]))).all()
    assert total["crps_last_value"].notna().all()
    assert set(rows.loc[rows["measure"] == "placement_cost_gbp", "date"]) == {
        dt.date(2021, 3, 31),
        dt.date(2022, 3, 31),
    }


def test_the_miss_of_children_adds_up_and_nothing_is_undated(saved, past):
    found = ev.stock_misses(saved, past, ev.known_dates(saved, past))
    parts = found[list(ev.STOCK_PARTS)].sum(axis=1)
    assert np.allclose(parts, found["miss"], atol=1e-9)
    assert np.allclose(found["miss"], found["observed"] - found["mean"])
    assert np.allclose(found["undated"], 0, atol=1e-9)
    assert found["opening"].abs().max() == 0
    assert found["entries"].abs().max() > 1


def test_a_child_nobody_dated_shows_as_undated(saved, past):
    """One child more from 2021 on, without an entry."""
    values = {cell: series.copy() for cell, series in past.values.items()}
    values[p.TOTAL][past.dates.index(dt.date(2021, 3, 31)) :] += 1
    found = ev.stock_misses(saved, p.Past(past.dates, values), [dt.date(2020, 12, 31), dt.date(2021, 12, 31)])
    assert found["undated"].round(9).tolist() == [0.0, 1.0]


def test_types_add_up_with_own_places(saved, past):
    date = dt.date(2022, 3, 31)
    places = {"foster_own": saved.places["foster_own"] + 10}
    found = ev.type_misses(saved, past, date, places).set_index("placement_type")
    assert np.allclose(found[["volume", "capacity", "mix"]].sum(axis=1), found["miss"], atol=1e-9)
    total = ev.stock_misses(saved, past, [date])["miss"].iloc[0]
    assert found["miss"].sum() == pytest.approx(total)
    assert found["volume"].sum() == pytest.approx(total)
    assert found["capacity"].sum() == pytest.approx(0.0)
    share = found.loc["foster_own", "mean"] / saved.places["foster_own"]
    assert found.loc["foster_own", "capacity"] == pytest.approx(10 * share)
    assert found.loc["foster_agency", "capacity"] == pytest.approx(-10 * share)


def test_spend_adds_up_to_the_penny(saved, past, history):
    capacity = tidy(pd.DataFrame({
        "date": [pd.Timestamp("2020-03-31")] * 2, "placement_type": ["foster_own", "childrens_house_own"],
        "places": [saved.places["foster_own"] - 20, saved.places["childrens_house_own"]], "locality": ["", ""],
    }), "capacity")  # fmt: skip
    told = dataclasses.replace(history, tables=history.tables | {"capacity": capacity})
    found = ev.spend_misses(saved, past, told)
    assert found["date"].tolist() == [dt.date(2021, 3, 31), dt.date(2022, 3, 31)]
    assert np.allclose(found[list(ev.SPEND_PARTS)].sum(axis=1), found["miss"], atol=0.005)
    assert np.allclose(found["miss"], found["observed"] - found["mean"], atol=0.005)
    assert np.allclose(found["observed"], [past.at(p.SPEND, AS_AT, date) for date in found["date"]])
    assert (found["capacity"] != 0).all()
    assert found["price"].abs().min() > 0


def test_a_dearer_price_is_all_price(saved, past, history):
    """Everything twice as dear: volume, mix and capacity stay, the price takes the rest."""
    placed = history.placements.assign(weekly_cost_gbp=history.placements["weekly_cost_gbp"] * 2)
    dearer = dataclasses.replace(history, tables=history.tables | {"placements": placed})
    once, twice = (ev.spend_misses(saved, past, one) for one in (history, dearer))
    same = [part for part in ev.SPEND_PARTS if part != "price"]
    assert np.allclose(once[same], twice[same])
    assert np.allclose(twice["price"] - once["price"], once["observed"])


def test_a_forecast_of_which_nothing_has_come_says_so(saved, history):
    with pytest.raises(BadFile, match="no month of the forecast is known yet"):
        ev.score_rows(saved, p.read_past(history.as_at(AS_AT)))


def test_history_without_costs_has_no_spend(saved):
    bare = worlds.history(with_costs=False)
    assert len(ev.spend_misses(saved, p.read_past(bare), bare)) == 0
