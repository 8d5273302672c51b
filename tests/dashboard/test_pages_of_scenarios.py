"""The pages *Scenarios* and *Will we make it?* in every state, by Streamlit's own AppTest."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import carecast.dashboard
from carecast.cli import story
from carecast.dashboard import asking, background, door, work
from carecast.scenarios.library import load_scenario
from carecast.scenarios.run import open_run
from tests.dashboard import desks, odd_runs, tiny_runs

APP = Path(carecast.dashboard.__file__).parent / "app.py"
SCENARIOS, TARGETS = "views/scenarios.py", "views/targets.py"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenario_runs") / "runs"
    folder.mkdir()
    whole = desks.whole_with_parameters(folder)
    tiny_runs.unfinished(whole.folder, folder)
    tiny_runs.baseline_alone(folder)
    return folder


@pytest.fixture
def own(runs):
    """The user's own scenario files: one, built from the run's scenario."""
    folder = runs.parent / "scenarios"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "more_early_help.toml").write_text(tiny_runs.MORE_HELP, encoding="utf-8")
    return folder


@pytest.fixture
def open_page(monkeypatch, runs, own):
    desks.fresh_office(monkeypatch)

    def opened(page, run="whole", folder=runs, **query) -> AppTest:
        monkeypatch.setenv("CARECAST_RUNS", str(folder))
        monkeypatch.setenv("CARECAST_RUN", str(folder / run))
        monkeypatch.setenv("CARECAST_SCENARIOS", str(own))
        app = AppTest.from_file(str(APP), default_timeout=30)
        for key, value in query.items():
            app.query_params[key] = value
        return app.run().switch_page(page).run()

    return opened


def html(app) -> str:
    return " ".join(element.value for element in app.html)


def said(app) -> str:
    parts = (app.markdown, app.caption, app.info, app.warning, app.error, app.success, app.title, app.subheader)
    return " ".join(element.value for group in parts for element in group)


def button(app, label):
    return next(one for one in app.button if one.label == label)


def until(app, words):
    desks.wait(lambda: words in said(app), app.run)
    assert_sound(app)


def assert_sound(app) -> None:
    assert not app.exception
    assert len(app.title) == 1
    assert "Traceback" not in said(app)


# --- Scenarios --------------------------------------------------------------------------------------------------------
def test_the_quick_look_comes_by_itself_and_states_the_finding(open_page):
    app = open_page(SCENARIOS)
    assert_sound(app)
    until(app, "intervals of 200 replications")
    assert "“More early help” " in app.title[0].value
    assert "net in 2024-25" in app.title[0].value
    assert "Difference" in html(app)
    assert "Safety measures beside the saving" in html(app)


def test_the_tiles_of_the_quick_look_are_those_of_a_run(open_page, runs):
    app = open_page(SCENARIOS)
    until(app, "intervals of 200 replications")
    from carecast.dashboard import panels
    from carecast.scenarios.run import start

    request = tiny_runs._request(tiny_runs.MORE_HELP, replications=200, targets=tiny_runs.TARGETS)
    told = start(request, runs / "two_hundred", resume=True)
    whole = panels.heading(told, "more_early_help")
    for tile in whole.target_tiles:
        for line in tile.lines:
            assert f">{line.value}</span>" in html(app)
    summary = pd.read_csv(told.folder / "summary.csv")
    row = summary[(summary["scenario"] == "more_early_help") & (summary["measure"] == "looked_after_away_from_home")
                  & (summary["date"] == "2025-03-31")].iloc[0]  # fmt: skip
    from carecast.dashboard.telling import value_words

    assert f">{value_words('looked_after_away_from_home', row['mean'])}</span>" in html(app)
    shutil.rmtree(told.folder)


def test_a_lever_that_moves_is_told_anew_and_stands_in_the_address(open_page):
    app = open_page(SCENARIOS)
    until(app, "intervals of 200 replications")
    first = app.title[0].value
    app.slider[1].set_value(1.0).run()
    assert_sound(app)
    assert "not saved" in said(app)
    assert app.query_params["sizes"] in ("lever2.share:1", ["lever2.share:1"])
    until(app, "intervals of 200 replications")
    assert app.title[0].value != first


def test_an_address_with_sizes_reopens_the_same_view(open_page):
    app = open_page(SCENARIOS, sizes="lever2.share:0.9")
    assert app.slider[1].value == pytest.approx(0.9)


def test_a_mistake_is_said_beside_its_lever_and_nothing_is_told(open_page, own):
    wrong = tiny_runs.MORE_HELP.replace('localities = ["East"]', 'localities = ["Nowhere"]')
    (own / "more_early_help.toml").write_text(wrong, encoding="utf-8")
    app = open_page(SCENARIOS)
    assert_sound(app)
    assert any("Localities" in error.value and "Nowhere" in error.value for error in app.error)
    assert "something to put right" in app.title[0].value
    assert button(app, "Start the full run").disabled


def test_a_file_that_cannot_be_read_says_so_and_others_can_be_chosen(open_page, own):
    (own / "more_early_help.toml").write_text("name = ", encoding="utf-8")
    app = open_page(SCENARIOS)
    assert_sound(app)
    assert "cannot be read" in said(app)
    app.selectbox(key="plan").set_value("early_help_first").run()
    assert_sound(app)
    assert "cannot be read" not in said(app)


def test_new_copy_save_and_archive(open_page, own):
    app = open_page(SCENARIOS)
    app.text_input(key="file_title").set_value("Our plan").run()
    button(app, "Make a new scenario").click().run()
    assert_sound(app)
    assert app.selectbox(key="plan").value == "our_plan"
    assert "Nothing differs from the baseline yet" in said(app)
    app.selectbox(key="add_lever").set_value("early_help_places").run()
    button(app, "Add").click().run()
    assert_sound(app)
    button(app, "Save").click().run()
    assert load_scenario(str(own / "our_plan.toml")).levers[0].kind == "early_help_places"
    app.text_input(key="copy_title").set_value("Another").run()
    button(app, "Copy it").click().run()
    assert load_scenario(str(own / "another.toml")).copied_from.startswith("our_plan")
    button(app, "Archive it").click().run()
    assert_sound(app)
    assert load_scenario(str(own / "another.toml")).status == "archived"


def test_what_comes_with_carecast_can_be_tried_but_only_copied(open_page):
    app = open_page(SCENARIOS)
    app.selectbox(key="plan").set_value("prices_rise").run()
    app.slider[0].set_value(0.1).run()
    assert_sound(app)
    assert "comes with carecast and is not changed itself" in said(app)
    assert "Save" not in [one.label for one in app.button]
    app.text_input(key="copy_title").set_value("Dearer still").run()
    button(app, "Copy it").click().run()
    assert app.selectbox(key="plan").value == "dearer_still"
    assert app.slider[0].value == pytest.approx(0.1)


def test_a_full_run_goes_on_in_the_background_and_then_is_among_the_runs(open_page, runs):
    app = open_page(SCENARIOS)
    until(app, "intervals of 200 replications")
    assert "Up to date" in html(app)  # the run one stands on holds this very scenario
    app.selectbox(key="full_count").set_value(200).run()
    button(app, "Start the full run").click().run()
    until(app, "It is among the runs on every page")
    told = [run for run in door.find_runs(None, runs) if run.replications == 200]
    assert len(told) == 1
    assert open_run(told[0].folder).record["command"].startswith("carecast run --parameters")
    button(app, "Show it").click().run()
    assert_sound(app)
    assert app.selectbox(key="run").value == told[0].identity
    shutil.rmtree(told[0].folder)


def test_a_run_is_stale_when_its_scenario_has_changed(open_page):
    app = open_page(SCENARIOS)
    app.slider[0].set_value(35).run()
    assert "Stale" in html(app)
    assert "the scenario changed since" in html(app)


def test_a_full_run_can_be_cancelled(open_page, runs):
    app = open_page(SCENARIOS)
    app.selectbox(key="full_count").set_value(2000).run()
    button(app, "Start the full run").click().run()
    button(app, "Cancel").click().run()
    until(app, "Cancelled")
    assert not [run for run in door.find_runs(None, runs) if run.replications == 2000]


def test_without_the_parameter_set_files_can_still_be_edited(open_page):
    app = open_page(SCENARIOS, run="baseline_alone")
    assert_sound(app)
    assert "nothing new can be simulated from this run" in app.title[0].value
    assert app.slider
    assert app.warning


def test_a_viewer_may_look_and_not_change(open_page, monkeypatch):
    from carecast.dashboard import roles

    monkeypatch.setattr(roles, "current", lambda: "viewer")
    for page in (SCENARIOS, TARGETS):
        app = open_page(page)
        assert_sound(app)
        labels = {one.label for one in app.button}
        assert not labels & {
            "Save",
            "Copy it",
            "Start the full run",
            "Find what it would take",
            "Find out what it hangs on",
        }


@pytest.mark.parametrize("page", [SCENARIOS, TARGETS])
@pytest.mark.parametrize(("run", "words"), [("unfinished", "not complete"), ("gone", "No run yet")])
def test_no_run_to_stand_on(open_page, runs, tmp_path, page, run, words):
    if run == "gone":
        app = open_page(page, run="none", folder=tmp_path)
        assert app.title[0].value in ("No run yet", "This run cannot be read")
    else:
        app = open_page(page, run=run)
        assert words in app.title[0].value
    assert_sound(app)


@pytest.mark.parametrize("make", [odd_runs.nobody, odd_runs.one_locality])
@pytest.mark.parametrize("page", [SCENARIOS, TARGETS])
def test_nobody_in_care_and_a_single_locality(open_page, tmp_path, page, make):
    app = open_page(page, run=make(tmp_path).folder.name, folder=tmp_path)
    assert_sound(app)
    assert not [error for error in app.error if "could not be drawn" in error.value]


# --- Will we make it? -------------------------------------------------------------------------------------------------
def test_the_tiles_are_the_rows_of_the_command(open_page, runs):
    app = open_page(TARGETS)
    assert_sound(app)
    from carecast.dashboard.telling import chance

    for row in story.target_rows(open_run(runs / "whole")):
        if row["scenario"] in ("baseline", "more_early_help"):
            assert f">{chance(row['met_probability'], tiny_runs.REPLICATIONS)}</span>" in html(app)
    assert "Save a little" in app.title[0].value


def test_the_curve_follows_the_target_looked_at(open_page):
    app = open_page(TARGETS)
    assert "reaches at least" in said(app)
    app.selectbox(key="aim").set_value("Fewer away from home").run()
    assert_sound(app)
    assert "reaches at most" in said(app)
    assert "Fewer away from home" in app.title[0].value


def test_a_saving_needs_a_scenario_beside_the_baseline(open_page):
    app = open_page(TARGETS)
    app.selectbox(key="scenario").set_value("baseline").run()
    assert_sound(app)
    assert "needs a scenario beside it" in said(app)


def test_targets_can_be_changed_added_and_taken_away(open_page):
    app = open_page(TARGETS)
    button(app, "Add a target").click().run()
    assert_sound(app)
    assert "A new target" in html(app)
    button(app, "Back to the run's own").click().run()
    assert "A new target" not in html(app)


def test_targets_come_from_files_and_go_into_them(open_page, own):
    app = open_page(TARGETS)
    app.text_input(key="aims_title").set_value("Our targets").run()
    button(app, "Save these targets").click().run()
    assert_sound(app)
    from carecast.scenarios.target_file import load_target_file

    kept = load_target_file(own / "our_targets.target.toml")
    assert [target.name for target in kept.targets] == [target.name for target in tiny_runs.TARGETS]
    app.selectbox(key="aims_from").set_value("kent").run()
    button(app, "Use these targets").click().run()
    assert_sound(app)
    assert "cannot be judged" in said(app)
    button(app, "Back to the run's own").click().run()
    assert "cannot be judged" not in said(app)


def test_what_a_scenario_inherits_is_said(open_page, own):
    text = 'format = 2\nname = "on_top"\nbuilt_on = "more_early_help"\n'
    (own / "on_top.toml").write_text(text, encoding="utf-8")
    app = open_page(SCENARIOS)
    app.selectbox(key="plan").set_value("on_top").run()
    assert_sound(app)
    assert "It also holds these levers of “More early help”" in said(app)
    until(app, "intervals of 200 replications")


def test_a_change_of_a_target_is_judged_at_once(open_page):
    app = open_page(TARGETS)
    key = next(iter(app.session_state["_aims"]))
    app.session_state["_aims"][key][0]["at_least"] = -1e12
    app.run()
    assert_sound(app)
    assert "5 of 5" in app.title[0].value


def test_a_run_without_targets_says_how_to_get_some(open_page):
    app = open_page(TARGETS, run="baseline_alone")
    assert_sound(app)
    assert "no targets yet" in app.title[0].value
    assert "Add one below" in said(app)


def test_what_it_hangs_on_comes_in_the_background(open_page, monkeypatch):
    monkeypatch.setitem(asking.SENSITIVITY, "replications", 60)
    monkeypatch.setitem(asking.SENSITIVITY, "tornado", 2)
    monkeypatch.setitem(asking.SENSITIVITY, "tornado_replications", 4)
    app = open_page(TARGETS)
    button(app, "Find out what it hangs on").click().run()
    until(app, "Knowing everything beforehand")
    assert "What to research first" in [one.value for one in app.subheader]


def test_what_it_would_take_is_found_and_saved(open_page, own, monkeypatch):
    (own / "toy.target.toml").write_text(FREE, encoding="utf-8")
    monkeypatch.setitem(asking.EFFORTS, "careful", (20, 20, 20))
    app = open_page(TARGETS)
    app.selectbox(key="free_from").set_value("toy").run()
    button(app, "Find what it would take").click().run()
    until(app, "packages simulated on 20 replications")
    assert "The package:" in html(app)
    found = json.loads(next(Path(background.office().folder).rglob("solve.json")).read_text(encoding="utf-8"))
    assert f"{found['search']['packages_told']} of" in said(app)
    app.text_input(key="package_title").set_value("What it takes").run()
    button(app, "Save it as a scenario").click().run()
    assert_sound(app)
    assert load_scenario(str(own / "what_it_takes.toml")).name == "what_it_takes"


FREE = """
format = 1
name = "toy"

[[target]]
name = "placeholder"
financial_year = "2024-25"
at_least = 1

[[free_lever]]
kind = "early_help_places"
from = 2022-10-01
gbp_per_place_per_year = 5000
min = 0
max = 20
step = 10
"""


def test_a_target_that_cannot_be_judged_is_said(open_page):
    app = open_page(TARGETS)
    key = next(iter(app.session_state["_aims"]))
    app.session_state["_aims"][key][0]["financial_year"] = "2040-41"
    app.run()
    assert_sound(app)
    assert "cannot be judged" in said(app)


def test_works_are_the_session_s_own(open_page):
    one = open_page(SCENARIOS)
    button(one, "Start the full run").click().run()
    other = open_page(SCENARIOS)
    assert one.session_state["_session"] != other.session_state["_session"]
    assert "Full run of" not in said(other)
    button(one, "Cancel").click().run()
    assert work.WORK_FOLDER in str(background.office().folder)
