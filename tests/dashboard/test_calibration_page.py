"""The page *Calibration* in every state, and the foot of pages."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import carecast.dashboard
from carecast.dashboard import calibrate_frame, frame, papers
from carecast.dashboard.calibrating import SET, Question
from carecast.dashboard.panels.shapes import Table
from carecast.model.parameters import save
from tests import toy

APP = Path(carecast.dashboard.__file__).parent / "app.py"
PAGE = "views/recalibration.py"


@pytest.fixture
def open_page(monkeypatch, tmp_path):
    """The page, with runs and parameter sets in a folder of their own."""
    monkeypatch.setenv("CARECAST_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("CARECAST_RUN", raising=False)
    monkeypatch.delenv(calibrate_frame.PARAMETERS_VARIABLE, raising=False)
    return lambda: AppTest.from_file(str(APP), default_timeout=20).run().switch_page(PAGE).run()


def set_named(tmp_path, name, **record):
    made = toy.calibrated(toy.some_stock())
    save(tmp_path / "parameters" / name, made.model_copy(update={"record": {**made.record, **record}}))


def test_no_set_yet_says_how_to_have_one(open_page):
    app = open_page()
    assert not app.exception
    assert [title.value for title in app.title] == ["No parameter set yet"]
    assert [button.label for button in app.button if button.label == "Check these files"]


def test_a_set_shows_its_numbers_and_that_it_is_not_tested(open_page, tmp_path):
    set_named(tmp_path, "toytown")
    app = open_page()
    assert not app.exception
    assert len(app.title) == 1
    assert "not back-tested yet" in app.title[0].value
    assert any("no record of its fit" in info.value for info in app.info)
    assert any("numbers" in element.value for element in app.html)


def test_a_set_that_was_tested_says_so(open_page, tmp_path):
    counts = [{"measure": "looked_after", "breakdown": "total", "horizon_months": 12, "origins": 8,
               "nearer_than_last_value": 6, "inside_50": 4, "inside_80": 7, "inside_95": 8}]  # fmt: skip
    set_named(tmp_path, "toytown", backtest={"verdict": "It held.", "limits": "", "counts": counts})
    app = open_page()
    assert app.title[0].value.endswith("back-tested")
    assert any("It held." in markdown.value for markdown in app.markdown)
    assert any("Forecasts of the back-test that held" in element.value for element in app.html)


def test_numbers_are_filtered(open_page, tmp_path):
    set_named(tmp_path, "toytown")
    app = open_page()
    app.text_input(key="set_words").set_value("no such words").run()
    assert not app.exception
    assert any(">0 of " in element.value for element in app.html)


def test_a_damaged_set_is_said(open_page, tmp_path):
    set_named(tmp_path, "toytown")
    (tmp_path / "parameters" / "toytown" / "parameters.toml").write_text("[")
    app = open_page()
    assert not app.exception
    assert app.title[0].value == "This parameter set cannot be read"


def test_a_pack_is_offered_to_who_has_no_files(open_page):
    app = open_page()
    app.segmented_control(key="source").set_value(calibrate_frame.FROM_PACK).run()
    assert not app.exception
    assert "West Dunbartonshire" in app.selectbox(key="pack").options


def test_each_session_sees_its_own_draft_alone(open_page, tmp_path):
    """Ten people, each with a set of their own that is not adopted."""
    from carecast.dashboard import private

    sessions = [open_page() for _ in range(10)]
    for at, app in enumerate(sessions):
        folder = private.new()
        made = toy.calibrated(toy.some_stock())
        named = made.parameters.model_copy(update={"council": f"Toytown {at}"})
        save(folder / SET, made.model_copy(update={"parameters": named}))
        app.session_state["_draft"] = calibrate_frame.Draft(Question(str(folder)))
    for at, app in enumerate(sessions):
        app.run()
        assert not app.exception
        shown = " ".join(element.value for element in app.html)
        assert f"<li>Toytown {at}</li>" in shown
        assert not [other for other in range(10) if other != at and f"<li>Toytown {other}</li>" in shown]
    stranger = open_page()
    assert stranger.title[0].value == "No parameter set yet"


def test_reports_are_offered_where_a_run_is_shown(open_page, monkeypatch, runs):
    monkeypatch.setenv("CARECAST_RUNS", str(runs))
    monkeypatch.setenv("CARECAST_RUN", str(runs / "whole"))
    app = AppTest.from_file(str(APP), default_timeout=20).run()
    labels = [button.label for button in app.download_button]
    assert {"Workbook (Excel)", "Board paper (Word)", "Slides (PowerPoint)", "Web page"} <= set(labels)
    app.switch_page(PAGE).run()
    assert "Workbook (Excel)" not in [button.label for button in app.download_button]


def test_a_report_is_the_one_of_the_command(runs, run):
    from carecast.dashboard import door
    from carecast.dashboard.reports import build

    found = next(item for item in door.find_runs(None, runs) if item.identity == "whole")
    chosen = frame.Chosen(found, run, "more_early_help")
    assert frame._report(chosen, "html") == build(run, "html", "more_early_help")


@pytest.mark.parametrize("file", [papers.GLOSSARY, papers.STRESS, papers.CHANGES])
def test_pages_of_the_documentation_are_shown_whole(file):
    blocks = papers.paper(file)
    assert [block for block in blocks if isinstance(block, Table)]
    for block in blocks:
        if isinstance(block, Table):
            assert all(len(row) == len(block.columns) for row in block.rows)
            assert block.caption
        else:
            assert "](" not in block
            assert not block.startswith("#")


def test_the_checklist_answers_every_item():
    items = [row[0][:3] for block in papers.paper(papers.STRESS) if isinstance(block, Table) for row in block.rows]
    assert {"1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "2.4", "2.5", "3.1", "3.2", "3.3", "3.4", "4.1", "4.2", "4.3", "5.1",
            "5.2", "5.3", "5.4", "6.1"} == set(items)  # fmt: skip


def test_the_first_run_goes_to_the_end_of_a_financial_year():
    import datetime as dt

    from carecast.dashboard.first_run_frame import usual_end

    assert usual_end(dt.date(2022, 7, 31)) == dt.date(2029, 3, 31)
    assert usual_end(dt.date(2027, 3, 31)) == dt.date(2031, 3, 31)
