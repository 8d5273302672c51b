"""Every page and every state, by Streamlit's own AppTest."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import carecast.dashboard
from carecast.dashboard import door, frame, panels

APP = Path(carecast.dashboard.__file__).parent / "app.py"
PAGES = ("views/heading.py", "views/method.py")


@pytest.fixture
def open_app(monkeypatch):
    def opened(runs, run=None) -> AppTest:
        monkeypatch.setenv("CARECAST_RUNS", str(runs))
        monkeypatch.delenv("CARECAST_RUN", raising=False)
        if run is not None:
            monkeypatch.setenv("CARECAST_RUN", str(run))
        return AppTest.from_file(str(APP), default_timeout=20).run()

    return opened


def html(app) -> str:
    return " ".join(element.value for element in app.html)


def assert_sound(app) -> None:
    assert not app.exception
    assert len(app.title) == 1  # one first heading


@pytest.mark.parametrize("page", PAGES)
def test_every_page_draws(open_app, runs, page):
    app = open_app(runs, runs / "whole").switch_page(page).run()
    assert_sound(app)
    assert "not the council's own".replace("'", "&#x27;") in html(app)
    assert not app.error


def test_heading_shows_finding_tiles_charts_and_tables(open_app, runs, run):
    app = open_app(runs, runs / "whole")
    assert_sound(app)
    assert app.title[0].value == panels.heading(run, "more_early_help").finding
    assert [header.value for header in app.header][0] == "Will the targets be met?"
    assert len(app.get("vega_lite_chart") or app.get("arrow_vega_lite_chart")) == 5
    assert "Safety measures beside the saving" in html(app)
    assert "<caption>" in html(app)
    assert app.download_button


def test_another_scenario_can_be_chosen(open_app, runs, run):
    app = open_app(runs, runs / "whole")
    app.selectbox(key="scenario").set_value("dearer_homes").run()
    assert_sound(app)
    assert app.title[0].value == panels.heading(run, "dearer_homes").finding
    app.selectbox(key="scenario").set_value("baseline").run()
    assert_sound(app)
    assert "Choose a scenario above" in app.info[0].value


def test_another_run_can_be_chosen_and_its_scenarios_follow(open_app, runs):
    app = open_app(runs, runs / "whole")
    app.selectbox(key="run").set_value("baseline_alone").run()
    assert_sound(app)
    assert app.selectbox(key="scenario").options == ["Baseline alone"]
    assert "holds the baseline alone" in app.info[0].value
    app.selectbox(key="run").set_value("whole").run()
    assert_sound(app)


def test_the_choice_lasts_over_pages(open_app, runs):
    app = open_app(runs, runs / "whole")
    app.selectbox(key="run").set_value("baseline_alone").run()
    app.switch_page(PAGES[1]).run()
    assert app.selectbox(key="run").value == "baseline_alone"


@pytest.mark.parametrize("page", PAGES)
def test_no_run_yet(open_app, tmp_path, page):
    app = open_app(tmp_path / "nothing").switch_page(page).run()
    assert_sound(app)
    assert app.title[0].value == "No run yet"
    assert "carecast run" in app.code[0].value


@pytest.mark.parametrize("page", PAGES)
def test_a_run_that_is_not_complete(open_app, runs, page):
    app = open_app(runs, runs / "unfinished").switch_page(page).run()
    assert_sound(app)
    assert app.title[0].value == "This run is not complete"
    assert "5 of 5 replications" in app.warning[0].value
    assert "--resume" in app.code[0].value
    assert app.selectbox(key="run").value == "unfinished"  # and another can be chosen
    app.selectbox(key="run").set_value("whole").run()
    assert_sound(app)
    assert not app.warning


@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_run(open_app, runs, page):
    app = open_app(runs, runs / "damaged").switch_page(page).run()
    assert_sound(app)
    assert app.title[0].value == "This run cannot be read"
    assert "Traceback" not in app.error[0].value


def test_a_run_whose_record_is_no_json(open_app, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{", encoding="utf-8")
    app = open_app(tmp_path)
    assert_sound(app)
    assert app.title[0].value == "This run cannot be read"
    assert "run.json" in app.error[0].value


def test_a_fault_becomes_a_sentence(open_app, runs, monkeypatch):
    def fails(run, scenario):
        raise ZeroDivisionError("secret")

    frame._heading.clear()
    monkeypatch.setattr(panels, "heading", fails)
    app = open_app(runs, runs / "whole")
    assert not app.exception
    assert "could not be drawn" in app.error[0].value
    assert "secret" not in app.error[0].value


def test_the_register_is_filtered(open_app, runs):
    app = open_app(runs, runs / "whole").switch_page(PAGES[1]).run()
    app.text_input(key="words").set_value("uplift").run()
    assert_sound(app)
    assert "3 of " in html(app)


def test_runs_are_listed_finished_first(runs):
    found = door.find_runs(None, runs)
    assert [run.status for run in found][:2] == ["complete", "complete"] or found[2].identity == "damaged"
    assert found[-1].identity == "unfinished"
    assert found[-1].label == "unfinished (not complete)"


def test_two_runs_of_one_name_are_told_apart(runs, tmp_path):
    other = Path(shutil.copytree(runs / "whole", tmp_path / "elsewhere" / "whole"))
    found = door.find_runs(other, runs)
    assert found[0].identity == "elsewhere/whole"
    assert len({run.identity for run in found}) == len(found)
