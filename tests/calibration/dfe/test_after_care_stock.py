"""English packs open with young people after care: as many as the figures say, and about as many as the simulation keeps."""

import datetime as dt

import pandas as pd
import pytest

from carecast.calibration.calibrate import calibrate
from carecast.calibration.pack import read_pack
from carecast.calibration.returns.close import quiet
from carecast.model import words as w
from carecast.model.engine import World, simulate
from carecast.model.plan import Plan

NAME, YEARS, TOLD = "cheshire-east", 5, 4


@pytest.fixture(scope="module")
def calibrated():
    return calibrate(NAME)


def test_the_stock_holds_the_figure_those_staying_put_included(calibrated):
    stock = calibrated.stock[calibrated.stock["state"].isin(["aftercare", "continuing_care"])]
    by_variant = stock.groupby("variant", observed=True).size()
    assert (by_variant == round(read_pack(NAME).value("aftercare_receiving"))).all()
    aftercare = stock[stock["state"] == "aftercare"]
    assert (aftercare["age_days"] / w.DAYS_PER_YEAR).between(17.9, 21.0).all()


def test_the_simulation_keeps_about_as_many(calibrated):
    day = calibrated.parameters.as_at
    still = calibrated.model_copy(update={"parameters": quiet(calibrated.parameters), "draws": pd.DataFrame()})
    world = World(still, Plan("baseline"), dt.date(day.year + YEARS, day.month, day.day), 1)
    first = last = 0
    for replication in range(TOLD):
        log = simulate(world, replication).log
        mine = log.detail == w.AFTERCARE
        began, ended = mine & (log.event == w.AFTER_CARE_STARTED), mine & (log.event == w.AFTER_CARE_ENDED)
        first += int((began & (log.day <= day.toordinal())).sum())
        last += int(began.sum() - ended.sum())
    assert last == pytest.approx(first, rel=0.15)
