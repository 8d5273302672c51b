"""The folder of a back-test: whole or not at all, small counts out, the record beside a parameter set."""

import csv
import json

import pytest

from carecast.calibration.backtest import past as p
from carecast.calibration.backtest import report, small_counts
from carecast.model.parameters import BadFile, load, save
from tests import toy


@pytest.fixture
def made(settings, tested):
    return report.Backtest("Toytown", "child-level returns", settings, tested)


def test_the_folder_holds_tables_charts_a_page_and_the_verdict(tmp_path, made, tested, known):
    out = tmp_path / "backtest"
    record = report.write(out, made, small_counts.suppressed(tested.rows, known))
    names = {file.name for file in out.iterdir()}
    assert {"backtest.csv", "scores.csv", "backtest.json", "report.html", "ahead_12_months.svg"} <= names
    assert json.loads((out / "backtest.json").read_text()) == record
    with (out / "backtest.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(tested.rows)
    assert {
        "origin",
        "horizon_months",
        "measure",
        "breakdown",
        "model",
        "observed",
        "mean",
        "p025",
        "p975",
        "crps",
        "pit",
    } <= set(rows[0])
    page = (out / "report.html").read_text()
    assert record["verdict"].replace("'", "&#39;") in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    svg = (out / "ahead_12_months.svg").read_text()
    assert 'role="img"' in svg
    assert "<desc" in svg


def test_an_earlier_backtest_is_replaced_and_anything_else_is_not(tmp_path, made, tested):
    out = tmp_path / "backtest"
    report.write(out, made, tested.rows)
    (out / "old.svg").write_text("")
    report.check_folder(out)
    report.write(out, made, tested.rows)
    assert not (out / "old.svg").exists()
    other = tmp_path / "photos"
    other.mkdir()
    (other / "holiday.png").write_text("")
    with pytest.raises(BadFile, match="holds something else"):
        report.check_folder(other)


def test_interrupted_it_leaves_nothing_and_an_earlier_one_stands(tmp_path, made, tested, monkeypatch):
    out = tmp_path / "backtest"

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(report, "report", stopped)
        with pytest.raises(KeyboardInterrupt):
            report.write(out, made, tested.rows)
    assert list(tmp_path.iterdir()) == []
    report.write(out, made, tested.rows)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    monkeypatch.setattr(report, "report", stopped)
    with pytest.raises(KeyboardInterrupt):
        report.write(out, made, tested.rows)
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["backtest"]


def test_the_record_goes_beside_a_parameter_set(tmp_path, made):
    save(tmp_path / "set", toy.calibrated(toy.some_stock()))
    report.store(tmp_path / "set", made.record())
    found = load(tmp_path / "set").record["backtest"]
    assert found["verdict"].startswith("Back-tested from 2 origins")
    assert found["counts"][0].keys() >= {"measure", "horizon_months", "origins", "inside_80"}
    with pytest.raises(BadFile, match="cannot be read"):
        report.store(tmp_path / "none", made.record())


# --- small counts ---------------------------------------------------------------------------------
def stock(**by_type):
    """Every cell of a date from counts by type."""
    kinds = {name: float(by_type.get(name, 0)) for name in p.w.PLACEMENT_TYPES}
    out = {p.of_type(name): n for name, n in kinds.items()} | {p.TOTAL: sum(kinds.values())}
    out |= {p.of_group(name): sum(kinds[kind] for kind in members) for name, members in p.GROUPS.items()}
    return out | {p.AWAY: out[p.TOTAL] - kinds["at_home"]}


def test_a_small_type_goes_with_the_next_smallest_of_its_group():
    gone = small_counts.hidden_cells(stock(kinship=40, foster_own=60, foster_agency=3, residential_external=20))
    assert gone == {p.of_type("foster_agency"), p.of_type("kinship")}


def test_a_small_group_goes_with_another_and_with_their_types():
    gone = small_counts.hidden_cells(
        stock(kinship=40, foster_own=60, supported_accommodation=2, residential_external=20)
    )
    groups = {p.of_group("supported"), p.of_group("residential")}
    types = {p.of_type(name) for name in (*p.GROUPS["supported"], *p.GROUPS["residential"])}
    assert gone == groups | types


def test_few_at_home_take_the_number_away_with_them():
    gone = small_counts.hidden_cells(stock(kinship=40, at_home=4, prospective_adopters=30))
    assert {p.of_type("at_home"), p.of_type("prospective_adopters"), p.AWAY} <= gone


def test_nothing_small_nothing_hidden():
    assert small_counts.hidden_cells(stock(kinship=40, foster_own=60)) == set()


def test_no_small_count_can_be_read_from_the_rows(tested, known):
    shown = small_counts.suppressed(tested.rows, known)
    counts = shown[shown["measure"] != "placement_cost_gbp"]
    assert not counts["observed"].map(small_counts.is_small).any()
    blank = counts["observed"].isna()
    assert blank.any()
    assert counts.loc[blank, ["crps", "pit", "absolute_error", "scaled_error"]].isna().all().all()
    last = counts[counts["model"] == "last_value"]
    stocks = last[last["measure"] == "looked_after"]
    assert not stocks["p50"].dropna().map(lambda value: value in (1.0, 2.0, 3.0, 4.0, 5.0)).any()
