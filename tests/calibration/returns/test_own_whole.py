"""A whole parameter set from a folder of returns: what is in it adds up, and nothing leaks from after its date."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from carecast.calibration.readers import read_history
from carecast.calibration.returns import close, open_cases
from carecast.calibration.returns import stays as st
from carecast.calibration.returns.base import Base, pack_for, repeated, sized
from carecast.calibration.returns.calibrate import calibrate_returns
from carecast.model import words as w
from carecast.model.engine import World, simulate
from carecast.model.parameters import BadFile, load, save
from carecast.model.plan import Plan
from tests.calibration.readers import returns as made

DAY = dt.date(2022, 3, 31)


@pytest.fixture(scope="module")
def base(calibrated):
    return Base("west-dunbartonshire", calibrated, False, "What the returns do not hold comes from a pack")


@pytest.fixture(scope="module")
def world():
    return made.make_world(seed=5, children=420, first_year=2015, last_year=2025, referrals=300)


@pytest.fixture(scope="module")
def history(world, tmp_path_factory):
    return read_history(made.write_returns(tmp_path_factory.mktemp("full"), made.yearly(world)), council="Testshire")


@pytest.fixture(scope="module")
def whole(history, base):
    return calibrate_returns(*history, as_at=DAY, base=base)


def test_the_stock_is_the_children_looked_after_that_day(whole, world):
    in_care = whole.stock[whole.stock["state"] == "in_care"]
    truth = {
        e["CHILD"] for e in world.episodes
        if e["LS"] not in ("V3", "V4") and e["DECOM"] <= DAY and (e["DEC"] is None or e["DEC"] > DAY)
    }  # fmt: skip
    assert len(in_care) == pytest.approx(len(truth), abs=3)  # children who turn 18 that week
    assert (in_care["age_days"] < 6574).all()
    assert (in_care["days_in_care"] >= in_care["days_in_state"]).all()
    assert set(in_care["provider"]) <= {p.code for p in whole.parameters.providers}
    assert whole.stock["variant"].nunique() == 1
    assert whole.stock["child"].is_unique


def test_pathway_and_direct_routes_bring_the_fitted_entries_and_no_more(whole):
    said = whole.record["starts_per_year"]
    brought = sum(said[name] for name in ("emergency", "newborn", "remand", "pathway"))
    got = close.entrants(whole.parameters, whole.stock, brought)
    new = got[[w.EMERGENCY, w.NEWBORN, w.REMAND, w.ENTRY_FROM_PATHWAY]].sum()
    assert new == pytest.approx(brought, rel=0.03)
    moved = whole.record["imbalance"]["entries_moved_by"]
    assert new == pytest.approx(said["wanted"] * moved, rel=0.05)


def test_entries_begin_at_their_level(whole):
    """No wave and no trough: the first half-year brings what the fourth does, within chance and a tenth."""
    day = whole.parameters.as_at.toordinal()
    told = World(whole.model_copy(update={"parameters": close.quiet(whole.parameters), "draws": pd.DataFrame()}),
                 Plan("baseline"), dt.date(2024, 3, 31), 3)  # fmt: skip
    halves = np.zeros(4)
    for replication in range(40):
        log = simulate(told, replication).log
        days = log.day[(log.event == w.ENTERED_CARE) & (log.day > day)] - day
        halves += np.bincount(np.minimum((days - 1) * 4 // 731, 3), minlength=4)[:4]
    assert abs(halves[0] - halves[3]) < 0.1 * halves[3] + 3 * np.sqrt(halves[3] * 3)


def test_truncated_files_and_full_files_as_at_give_the_same_set(whole, world, base, tmp_path):
    early = {year: tables for year, tables in made.yearly(world).items() if year <= DAY.year}
    found, report = read_history(made.write_returns(tmp_path / "early", early), council="Testshire")
    again = calibrate_returns(found, report, as_at=DAY, base=base)
    assert again.parameters == whole.parameters
    pd.testing.assert_frame_equal(again.draws, whole.draws)
    pd.testing.assert_frame_equal(again.stock, whole.stock)


def test_every_number_says_where_it_comes_from_and_the_set_survives_a_file(whole, tmp_path):
    p = whole.parameters
    fitted = [n for n in p.numbers.values() if n.how == "fitted"]
    assert len(fitted) > 5
    assert all("returns" in n.source or n.date or "Moment" in n.source or n.source for n in fitted)
    assert {r.how for r in p.rates if r.cause == "exit_home"} >= {"fitted"}
    assert len(whole.draws) == 4096
    assert np.isfinite(whole.draws.to_numpy()).all()
    json.dumps(whole.record)
    save(tmp_path / "set", whole)
    assert load(tmp_path / "set").parameters.model_dump() == p.model_dump()


def test_draws_leave_the_mean_where_it_is(whole):
    """Multipliers of hazards have mean one; chances at the pre-entry decision sum to one in every row."""
    rates = [name for name in whole.draws.columns if name.startswith("rate.exit_")]
    means = whole.draws[rates].mean()
    assert means.between(0.97, 1.03).all()
    stem = "branch.pre_entry.5_to_9."
    rows = whole.draws[[name for name in whole.draws.columns if name.startswith(stem)]].sum(axis=1)
    assert np.allclose(rows, 1.0)


def test_the_record_holds_what_a_reviewer_asks(whole, history):
    spans = [row for row in whole.record["diagnostics"]["fitted_against_observed"] if row["by"] == "time"]
    stays = st.read_stays(history[0].as_at(DAY), DAY)
    exits = int(((st.ends(stays).cause >= 0) & (st.ends(stays).for_exits > 0)).sum())
    assert sum(row["events"] for row in spans if row["cause"] != "move") == exits
    years = whole.record["entries_by_year"]
    assert len(years) == 8  # returns of 2015 to 2022
    assert np.mean([row["ratio_without_it"] for row in years]) == pytest.approx(1.0, abs=1e-3)
    assert set(whole.record["data"]["rows"]) == {"read", "used", "excluded", "repaired", "refused"}


def test_dates_outside_the_files_are_refused(history, base):
    for day in (dt.date(2030, 1, 1), dt.date(2013, 1, 1)):
        with pytest.raises(BadFile, match="--as-at"):
            calibrate_returns(*history, as_at=day, base=base)


# --- the base -----------------------------------------------------------------------------------------------
def test_the_councils_own_pack_comes_before_its_nations():
    names = ("england", "kent", "cheshire-east", "west-dunbartonshire")
    assert pack_for("Cheshire East", "england", names) == ("cheshire-east", True)
    assert pack_for("Northshire", "england", names) == ("england", False)
    assert pack_for("Moray", "scotland", names) == ("west-dunbartonshire", False)


def test_a_base_brought_to_size_keeps_chances_and_scales_numbers(base):
    before = base.calibrated
    in_care = (before.stock["state"] == "in_care").sum() / before.stock["variant"].nunique()
    half = sized(base, round(in_care / 2))
    name = "arrivals.contact_families_per_year"
    factor = round(in_care / 2) / in_care
    assert half.parameters.number(name) == pytest.approx(before.parameters.number(name) * factor)
    assert half.draws[name].mean() == pytest.approx(before.draws[name].mean() * factor)
    assert half.parameters.rates == before.parameters.rates


def test_families_are_repeated_whole():
    stock = pd.DataFrame({"child": range(6), "family": [0, 0, 1, 2, 2, 3], "shared_with": -1, "variant": 0})
    more = repeated(stock, 2.5)
    assert more["family"].nunique() == 10
    assert more["child"].is_unique
    assert set(more.groupby("family").size()) == {1, 2}


def test_one_family_in_so_many_is_kept_of_each_state():
    cases = pd.DataFrame({
        "family": range(80), "child": range(80), "state": ["support"] * 40 + ["closed"] * 40,
        "days_in_state": list(range(40)) * 2, "age_days": 2000,
    })  # fmt: skip
    kept = open_cases.one_in(4, cases)
    assert kept["state"].value_counts().to_dict() == {"support": 10, "closed": 10}
    assert kept["days_in_state"].mean() == pytest.approx(19.5, abs=3)
