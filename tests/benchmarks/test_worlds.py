"""Synthetic councils: their files read cleanly and say what truly happened; their scores are those worked by hand."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.worlds import KINDS, cases, flows, generate, score
from benchmarks.worlds.cases import HORIZONS, LAST, MODEL, Case
from benchmarks.worlds.council import BEDS_A_HOUSE
from benchmarks.worlds.world import NINE, nine_of
from carecast.calibration.backtest.past import of_type, read_past
from carecast.calibration.readers import read_history
from carecast.model import words as w

CLEAN = {"superseded", "short_break"}  # what a tidy council's rows may be left out by


@pytest.fixture(scope="module")
def world():
    return generate(seed=11, size=110, kind="wild_alone", years=6, origins_before_end_years=(0, 2), future_months=6)


@pytest.fixture(scope="module")
def read(world, tmp_path_factory):
    return read_history(world.write(tmp_path_factory.mktemp("world")))


def test_eight_councils_are_scored_and_half_are_wild():
    wild = sum(KINDS[kind].wild for kind, _, _ in cases.FULL.worlds)
    assert len(cases.FULL.worlds) == 8
    assert wild == 4


def test_what_flows_foretell_is_what_came_when_nothing_changes(world):
    stays = flows.stays_of(world)
    day = world.end.toordinal()
    past = flows.past_of(stays.known(day), world.begins.toordinal(), day)
    assert past.in_care[-1] == world.stock.loc[pd.Timestamp(world.end)].sum()
    assert past.at_risk @ past.hazard == pytest.approx(past.exits, abs=12)
    assert (past.at_risk @ past.hazard).sum() == pytest.approx(past.exits.sum())


def test_survivors_by_hand():
    still = flows.survivors(
        np.zeros(int(np.prod(flows.CELLS))), np.array([17.9, 3.0]) * 365.25, np.zeros(2), np.zeros(2, int), 3
    )
    np.testing.assert_allclose(still, [1, 1, 0.5, 0.5])  # one turns 18 in the second month
    half = flows.survivors(
        np.full(int(np.prod(flows.CELLS)), 0.5), np.array([1000.0]), np.zeros(1), np.zeros(1, int), 2
    )
    np.testing.assert_allclose(half, [1, 0.5, 0.25])


def test_every_good_row_is_used(read):
    _, report = read
    assert report.rows["refused"] == report.rows["repaired"] == 0
    assert {row["rule"] for row in report.by_rule() if row["fate"] == "excluded"} == CLEAN
    assert report.rows["used"] + report.rows["excluded"] == report.rows["read"]
    assert not report.missing


def test_stock_rebuilt_from_the_files_is_the_truth(world, read):
    history, _ = read
    past = read_past(history)
    truth = world.stock[[day.date() in past.dates for day in world.stock.index]]
    assert len(truth) == 72
    for name in w.PLACEMENT_TYPES:
        rebuilt = past.values.get(of_type(name), np.zeros(len(truth)))
        np.testing.assert_array_equal(rebuilt, truth[name], err_msg=name)
    assert nine_of(truth).sum(axis=1).equals(truth.sum(axis=1))


def test_who_came_less_who_left_is_the_change(world):
    rows = world.episodes
    leaving = rows[(rows["rec"] != "X1") & (rows["end"] > 0)]
    first, last = world.stock.index[0].toordinal(), world.stock.index[-1].toordinal()
    came = ((rows["rne"] == "S") & (rows["start"] > first) & (rows["start"] <= last)).sum()
    left = ((leaving["end"] > first) & (leaving["end"] <= last)).sum()
    assert came - left == world.stock.iloc[-1].sum() - world.stock.iloc[0].sum()
    assert came > 100


def test_own_places_hold_and_nobody_is_looked_after_past_18(world):
    assert (world.stock["foster_own"] <= world.own_places["foster"]).all()
    assert (world.stock["childrens_house_own"] <= world.own_places["beds"]).all()
    assert BEDS_A_HOUSE == 4
    ages = world.episodes.merge(world.children[["child", "birth"]], on="child")
    assert (ages["end"] - ages["birth"]).max() <= 18 * 365.25 + 1


@pytest.mark.parametrize("day", [dt.date(2023, 3, 31), dt.date(2023, 10, 31)])
def test_files_of_an_earlier_day_say_what_the_full_files_say_as_at_it(world, read, tmp_path, day):
    before, _ = read_history(world.write(tmp_path, as_at=day))
    full = read[0].as_at(day)
    assert before.observed_to == full.observed_to == day
    for name in ("placements", "episodes", "referrals", "early_help", "capacity"):
        pd.testing.assert_frame_equal(content(getattr(before, name)), content(getattr(full, name)), obj=name)
    assert len(full.placements) > 300


def content(frame):
    """Rows by what they hold: children's numbers tell nothing, and means of equal prices differ in the last digit."""
    plain = frame.drop(columns=[name for name in ("child",) if name in frame.columns])
    if "weekly_cost_gbp" in plain.columns:
        plain["weekly_cost_gbp"] = plain["weekly_cost_gbp"].round(6)
    return plain.sort_values(list(plain.columns)).reset_index(drop=True)


def test_nothing_of_the_future_is_in_the_files(world, read):
    history, _ = read
    assert history.observed_to == world.end
    for table, column in (
        ("placements", "start"),
        ("referrals", "date"),
        ("early_help", "start"),
        ("capacity", "date"),
    ):
        assert getattr(history, table)[column].max() <= pd.Timestamp(world.end)
    assert world.stock.index[-1].date() == dt.date(2025, 9, 30)


def test_a_seed_makes_the_same_council_and_its_state_is_not_spent(world):
    again = generate(seed=11, size=110, kind="wild_alone", years=6, origins_before_end_years=(0, 2), future_months=6)
    pd.testing.assert_frame_equal(again.episodes, world.episodes)
    origin = world.origins()[0]
    told = world.oracle(origin, 3, 4)
    np.testing.assert_array_equal(told, world.oracle(origin, 3, 4))
    assert told.shape == (3, 4, w.N_PLACEMENT_TYPES)
    start = world.stock.loc[pd.Timestamp(origin)].sum()
    assert (np.abs(told[:, 0].sum(axis=-1) - start) < 20).all()
    assert len({tuple(path) for path in told.sum(axis=-1)}) == 3


def test_costs_and_referrals_join(read):
    history, _ = read
    assert history.episodes["weekly_cost_gbp"].notna().all()
    assert history.episodes["distance_miles"].notna().all()
    entrants = set(history.placements["child"]) & set(history.referrals["child"])
    assert len(entrants) > 50
    assert history.early_help["end"].isna().any()


def hand_made(model, last, seen):
    """A case whose every cell is forecast alike."""
    n = len(HORIZONS)
    cells = (*score.CELLS,)
    forecasts = {(who, cell): [np.array(values, dtype=float)] * n for who, values in ((MODEL, model), (LAST, last))
                 for cell in cells}  # fmt: skip
    return Case("w-1-1", True, 1, dt.date(2022, 3, 31), {cell: np.full(n, float(seen)) for cell in cells}, forecasts,
                {2023: (100.0, {MODEL: np.array([100.0]), LAST: np.array([90.0])})})  # fmt: skip


def test_scores_are_those_worked_by_hand():
    frame = score.table([hand_made(model=[9, 11], last=[6, 14], seen=10)])
    # fair CRPS of two members a, b around y: (|a-y| + |b-y|) / 2 - |a-b| / 2 = 0 for both sides alike
    assert score.relative(frame, ["total"]) != score.relative(frame, ["total"])  # 0 / 0
    frame = score.table([hand_made(model=[12, 12], last=[6, 6], seen=10)])
    assert score.relative(frame, ["total"]) == pytest.approx(2 / 4)
    assert score.bias(frame, ["total"]) == pytest.approx(100 * 2 / 6)
    assert score.held(frame, ["total"], 80) == 0
    inside = score.table([hand_made(model=[8, 12], last=[6, 14], seen=10)])
    assert score.held(inside, list(NINE), 80) == 100
    assert score.width(inside, ["total"]) == pytest.approx(100 * 4 / 10)
    lines = {line.what: line for line in score.lines(frame)}
    assert lines["CRPS of the total over last value"].met
    assert lines["80 % interval of the total holds"].met is False
    assert "w-1-1" in score.by_case(frame)


def test_references_are_scored_without_a_calibration():
    told = []
    suite = cases.Suite((("steady", 60, 1),), oracle=2)
    found = list(cases.cases(suite, None, told.append))
    assert len(found) == 2
    frame = score.table(found)
    assert frame.loc[frame["forecaster"] == LAST, "crps"].notna().all()
    assert set(frame["forecaster"]) == {LAST, "constant_daily_rates", "oracle"}


def test_written_names_are_those_of_returns(world, tmp_path: Path):
    world.write(tmp_path)
    assert (tmp_path / "SSDA903_2019-20" / "Episodes.csv").exists()
    assert {path.name for path in tmp_path.glob("*.csv")} == {
        "referrals.csv",
        "early_help.csv",
        "costs.csv",
        "capacity.csv",
    }
