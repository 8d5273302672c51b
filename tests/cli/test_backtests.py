"""The commands that test a forecast: backtest, evaluate, diff, diagnose."""

import dataclasses
import json

import pytest

from carecast.calibration.backtest import references, sources
from carecast.model.parameters import load, save
from carecast.scenarios.request import Request
from carecast.scenarios.run import start
from tests import small_runs, toy
from tests.calibration.backtest import worlds


@pytest.fixture(scope="module")
def history():
    return worlds.history()


@pytest.fixture
def toytown(monkeypatch, history):
    """HISTORY named ``toytown`` is the invented world with its own calibration."""
    found = sources.of_returns(history, worlds.refit, "Toytown")
    monkeypatch.setattr(sources, "source_of", lambda *_: found)
    monkeypatch.setattr(references, "MOST_LAGS", 0)  # one ARIMA is enough here
    return found


ASKED = ("backtest", "toytown", "--origins", "2", "--horizon", "12", "--replications", 20, "--workers", 1)


def test_backtest_writes_a_folder_and_says_what_it_found(carecast, toytown, tmp_path):
    told = carecast(*ASKED, "--out", "found")
    assert told.exit_code == 0, told.stderr
    assert told.stdout.startswith("Back-tested from 2 origins")
    assert "12 months ahead" in told.stdout
    assert {file.name for file in (tmp_path / "found").iterdir()} >= {"backtest.csv", "scores.csv", "report.html"}


def test_json_alone_and_kept_beside_the_parameters(carecast, toytown, tmp_path):
    save(tmp_path / "set", small_runs.council())
    told = carecast(*ASKED, "--out", "found", "--parameters", "set", "--json")
    document = json.loads(told.stdout)
    assert document["verdict"].startswith("Back-tested from 2 origins")
    assert load(tmp_path / "set").record["backtest"]["verdict"] == document["verdict"]
    run = start(Request(load(tmp_path / "set"), (), small_runs.UNTIL, replications=4), tmp_path / "run")
    assert run.record["backtest"]["verdict"] == document["verdict"]
    shown = carecast(
        "run", "--parameters", "set", "--scenario", "baseline", "--replications", 4, "--until", "2023-03-31"
    )
    assert "Back-tested from 2 origins" in shown.stdout


def test_small_counts_only_when_asked_for(carecast, toytown, tmp_path):
    import pandas as pd

    carecast(*ASKED, "--out", "few", "--origins", "1")
    carecast(*ASKED, "--out", "all", "--origins", "1", "--small-counts")
    hidden, shown = (pd.read_csv(tmp_path / name / "backtest.csv") for name in ("few", "all"))
    assert shown["observed"].notna().all()
    assert ((shown["observed"] > 0) & (shown["observed"] < 6)).any()
    assert not ((hidden["observed"] > 0) & (hidden["observed"] < 6)).any()


def test_interrupted_nothing_is_written(carecast, toytown, tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sources, "source_of", lambda *_: dataclasses.replace(toytown, run=stopped))
    told = carecast(*ASKED, "--out", "found")
    assert told.exit_code == 130
    assert "nothing is written" in told.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--origins", "soon"), "--origins: found 'soon'; should be a count, or dates"),
        (("--origins", "1999-03-31"), "--origins: found 1999-03-31; should be from 2016-03-31"),
        (("--horizon", "0"), "--horizon: found 0; should be a number of months"),
        (("--parameters", "nowhere"), "--parameters: nowhere holds no calibration.json"),
    ],
)
def test_backtest_bad_input_is_a_line_and_nothing_is_written(carecast, toytown, tmp_path, words, said):
    told = carecast("backtest", "toytown", "--out", "found", *words)
    assert told.exit_code == 2
    assert said in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_history_that_is_not_there(carecast, tmp_path):
    told = carecast("backtest", "nowhere", "--out", "found")
    assert told.exit_code == 2
    assert "nowhere" in told.stderr
    assert list(tmp_path.iterdir()) == []


# --- evaluate -------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def saved(tmp_path_factory, history):
    import datetime as dt

    as_at = dt.date(2020, 3, 31)
    out = tmp_path_factory.mktemp("saved") / "run"
    start(Request(worlds.refit(history.as_at(as_at), as_at), (), dt.date(2022, 3, 31), replications=20), out)
    return out


@pytest.fixture
def files(monkeypatch, history):
    from carecast.calibration import readers

    monkeypatch.setattr(readers, "read_history", lambda *_: (history, None))


def test_evaluate_takes_the_miss_apart(carecast, saved, files):
    document = json.loads(carecast("evaluate", saved, "returns", "--json").stdout)
    miss = document["miss"]
    parts = miss["opening"] + miss["entries"] + miss["exits"] + miss["undated"]
    assert parts == pytest.approx(miss["miss"], abs=0.001)
    assert document["latest"] == "2022-03-31"
    years = document["spend"]
    assert [year["date"] for year in years] == ["2021-03-31", "2022-03-31"]
    assert not any(0 < (row["observed"] or 0) < 6 for row in document["scores"])
    everything = json.loads(carecast("evaluate", saved, "returns", "--json", "--small-counts").stdout)
    assert any(0 < (row["observed"] or 0) < 6 for row in everything["scores"])
    text = carecast("evaluate", saved, "returns").stdout
    assert "Why the number looked after missed" in text
    assert "Why the cost of placements missed" in text


def test_evaluate_uses_what_was_known_by_a_day(carecast, saved, files):
    document = json.loads(carecast("evaluate", saved, "returns", "--as-at", "2020-12-31", "--json").stdout)
    assert document["latest"] == "2020-12-31"
    assert document["spend"] == []
    early = carecast("evaluate", saved, "returns", "--as-at", "2020-03-31")
    assert early.exit_code == 2
    assert "no month of the forecast is known yet" in early.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--as-at", "31/12/2020"), "--as-at: found '31/12/2020'"),
        (("--scenario", "nothing"), "holds no scenario 'nothing'"),
    ],
)
def test_evaluate_bad_input(carecast, saved, files, words, said):
    told = carecast("evaluate", saved, "returns", *words)
    assert told.exit_code == 2
    assert said in told.stderr


# --- diff and diagnose ----------------------------------------------------------------------------
def test_diff_on_screen_and_as_json(carecast, tmp_path):
    save(tmp_path / "old", small_runs.council())
    new = toy.calibrated(
        toy.some_stock(), small_runs.council().draws, numbers={"arrivals.contact_families_per_year": 680.0}
    )
    save(tmp_path / "new", new)
    document = json.loads(carecast("diff", "old", "new", "--replications", 4, "--json").stdout)
    assert document["moved"][0]["number"] == "arrivals.contact_families_per_year"
    assert document["moved"][0]["standard_errors"] == pytest.approx(2.0, abs=0.3)  # the draws spread by 40
    assert len(document["forecast"]) > 10
    told = carecast("diff", "old", "new", "--replications", 4)
    assert "What it does to the forecast" in told.stdout
    assert "arrivals.contact_families_per_year" in told.stdout
    assert "What it does" not in carecast("diff", "old", "new", "--no-forecast").stdout
    assert carecast("diff", "old", "nowhere").exit_code == 2


def test_diagnose_writes_a_page(carecast, tmp_path):
    save(tmp_path / "set", small_runs.council())
    told = carecast("diagnose", "set", "--to", "page.html")
    assert told.exit_code == 0
    assert "Toytown" in (tmp_path / "page.html").read_text()
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".partial"] == []


@pytest.mark.parametrize(
    ("to", "said"), [("page.docx", "should end in .html"), ("none/page.html", "no file in a folder that exists")]
)
def test_diagnose_bad_input(carecast, tmp_path, to, said):
    save(tmp_path / "set", small_runs.council())
    told = carecast("diagnose", "set", "--to", to)
    assert told.exit_code == 2
    assert said in told.stderr
