"""The pages Compare, Placements and distance, Early help and workforce: every state, and the command line's numbers."""

import json
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import carecast.dashboard
from carecast.dashboard import (
    figures_compare,
    house,
)
from carecast.dashboard.figures_compare import Choice
from carecast.dashboard.panels import compare, compare_money, help, places
from carecast.model.parameters import BadFile
from carecast.scenarios.library import read_text
from carecast.scenarios.run import Run, open_run

APP = Path(carecast.dashboard.__file__).parent / "app.py"
COMPARE, PLACES, HELP = "views/compare.py", "views/placements.py", "views/early_help.py"
PAGES = (COMPARE, PLACES, HELP)
YEAR = "2023-24"


@pytest.fixture
def open_page(monkeypatch):
    def opened(page, runs, run=None) -> AppTest:
        monkeypatch.setenv("CARECAST_RUNS", str(runs))
        monkeypatch.setenv("CARECAST_WORKERS", "1")
        monkeypatch.delenv("CARECAST_RUN", raising=False)
        if run is not None:
            monkeypatch.setenv("CARECAST_RUN", str(run))
        app = AppTest.from_file(str(APP), default_timeout=30).run()
        return app.switch_page(page).run()

    return opened


def html(app: AppTest) -> str:
    return " ".join(element.value for element in app.html)


def headings(app: AppTest) -> list[str]:
    return [found.value for found in app.header]


def assert_sound(app: AppTest) -> None:
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1
    assert app.title[0].value.strip()


# --- every state ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", PAGES)
def test_page_draws_and_every_chart_has_its_table(open_page, runs, page):
    app = open_page(page, runs, runs / "whole")
    assert_sound(app)
    charts = len(app.get("vega_lite_chart") or app.get("arrow_vega_lite_chart"))
    assert charts >= 4
    assert sum("The numbers" in str(box.label) for box in app.expander) == charts
    assert "not the council&#x27;s own" in html(app)


@pytest.mark.parametrize("page", PAGES)
def test_no_run_yet(open_page, tmp_path, page):
    app = open_page(page, tmp_path / "nothing")
    assert_sound(app)
    assert app.title[0].value == "No run yet"


@pytest.mark.parametrize("page", PAGES)
def test_a_run_that_is_not_complete(open_page, runs, page):
    app = open_page(page, runs, runs / "unfinished")
    assert app.title[0].value == "This run is not complete"
    assert "--resume" in app.code[0].value


@pytest.mark.parametrize("page", PAGES)
def test_zero_children(open_page, odd, page):
    app = open_page(page, odd, odd / "nobody")
    assert_sound(app)


def test_zero_children_are_said(odd):
    run = open_run(odd / "nobody")
    told = places.places(run, None, YEAR)
    assert told.finding == "No child is expected to be looked after away from home in March 2024"
    assert told.why is None
    assert "Another year can be chosen" in told.no_why
    assert told.types.title == "No child is looked after in March 2024"
    assert help.early_help(run, None, YEAR).finding.startswith("No child is expected to wait for early help")
    assert help.early_help(run, None, YEAR).gap is None


@pytest.mark.parametrize("page", PAGES)
def test_one_locality(open_page, odd, page):
    app = open_page(page, odd, odd / "one_locality")
    assert_sound(app)


def test_a_run_of_the_baseline_alone(open_page, runs):
    app = open_page(COMPARE, runs, runs / "baseline_alone")
    assert_sound(app)
    assert app.title[0].value == "There is nothing to compare in this run"
    assert "--scenario" in app.code[0].value
    for page in (PLACES, HELP):
        assert_sound(open_page(page, runs, runs / "baseline_alone"))


def test_no_scenario_chosen(open_page, runs):
    app = open_page(COMPARE, runs, runs / "whole")
    app.multiselect(key="compared").set_value([]).run()
    assert_sound(app)
    assert app.title[0].value == "No scenario is chosen"
    assert "Choose at least one" in app.info[0].value


# --- compare ----------------------------------------------------------------------------------------------------------
def test_another_one_is_compared_against(open_page, runs, run):
    app = open_page(COMPARE, runs, runs / "whole")
    app.selectbox(key="against").set_value("dearer_homes").run()
    assert_sound(app)
    assert "Dearer homes" in app.title[0].value
    assert app.multiselect(key="compared").value == ["more_early_help"]  # the one compared against is let go
    app.multiselect(key="compared").set_value(["baseline", "more_early_help"]).run()
    shown = compare.compare(Choice(run, ("baseline", "more_early_help"), "dearer_homes", "cash", "2024-25"))
    assert app.title[0].value == shown.finding
    assert shown.differences.columns == ("Measure", "Dearer homes", "Baseline", "More early help")


def test_terms_and_year_change_the_savings(open_page, runs):
    app = open_page(COMPARE, runs, runs / "whole")
    before = html(app)
    app.selectbox(key="savings_year").set_value("all").run()
    assert_sound(app)
    assert "Savings in the whole run, cash prices" in html(app)
    assert html(app) != before


def test_up_to_five_scenarios_have_a_frame_each(open_page, odd, grounded):
    app = open_page(COMPARE, odd, odd / "grounded")
    assert_sound(app)
    assert len(app.multiselect(key="compared").value) == 5
    names = tuple(app.multiselect(key="compared").value)
    shown = compare.compare(Choice(grounded, names, "baseline"))
    assert len(shown.fans) == 5
    frames = (*shown.fans, *shown.spend, *shown.cumulative, *shown.reserves)
    assert len({panel.name for panel in frames}) == 20
    assert all(len(panel.key) <= 4 for panel in frames)
    scales = {json.dumps(panel.chart.to_dict()["layer"][2]["encoding"]["y"]["scale"]) for panel in shown.spend}
    assert len(scales) == 1  # frames beside one another share their scale


def test_no_frame_holds_more_than_four_series(run):
    shown = compare.compare(Choice(run, ("more_early_help", "dearer_homes"), "baseline"))
    for panel in (*shown.fans, *shown.spend, *shown.cumulative, *shown.reserves):
        spec = panel.chart.to_dict()
        colours = [layer["encoding"]["color"] for layer in spec["layer"] if "color" in layer.get("encoding", {})]
        assert colours
        assert all(len(colour["scale"]["domain"]) <= 4 for colour in colours)
        assert '"strokeDash"' in json.dumps(spec)  # never colour alone
        assert '"shape"' in json.dumps(spec)


def test_parts_of_the_saving_add_up_to_gross_in_every_terms(run):
    for kind in ("cash", "real", "discounted"):
        frame = figures_compare.savings(Choice(run, ("more_early_help",), "dearer_homes", kind))
        for year in frame["financial_year"].unique():
            means = [figures_compare.total_of(frame, "more_early_help", measure, year).mean
                     for measure, _, _ in compare_money.PARTS]  # fmt: skip
            gross = figures_compare.total_of(frame, "more_early_help", "gross_saving_gbp", year).mean
            assert sum(means) == pytest.approx(gross, abs=0.03)


def test_against_the_scenario_itself_turned_round(run):
    there = figures_compare.savings(Choice(run, ("more_early_help",), "dearer_homes"))
    back = figures_compare.savings(Choice(run, ("dearer_homes",), "more_early_help"))
    year = there["financial_year"].iloc[0]
    one = figures_compare.total_of(there, "more_early_help", "net_saving_gbp", year).mean
    other = figures_compare.total_of(back, "dearer_homes", "net_saving_gbp", year).mean
    assert one == pytest.approx(-other)


def test_lines_and_funders_add_up(run):
    for dimension in ("line", "funder"):
        frame = figures_compare.cost_parts(Choice(run, ("more_early_help",), "baseline"), dimension, "2024-25")
        grid = run.answer("more_early_help").yearly
        measure = "gross_cost_gbp" if dimension == "line" else "net_cost_gbp"
        whole = grid.of(measure)[:, [d.year for d in grid.dates].index(2025)].mean()
        assert frame["more_early_help"].sum() == pytest.approx(whole, abs=0.2)


def test_safety_stands_in_the_same_section_as_savings(open_page, runs):
    app = open_page(COMPARE, runs, runs / "whole")
    assert headings(app)[0] == "What is saved, and whether it is safe"
    assert "Safety measures beside the savings" in html(app)


def test_reserves_say_a_breach(run):
    choice = Choice(run, ("more_early_help",), "baseline")
    assert "stay above the policy minimum" in compare_money.reserves_note(choice, figures_compare.reserves(choice))
    rows = figures_compare.reserves(choice).assign(breach=0.4)
    assert "below the minimum" in compare_money.reserves_note(choice, rows)


# --- what if a house opens --------------------------------------------------------------------------------------------
def asked(run: Run, **more: object) -> house.House:
    usual = house.usual(run)
    name, (locality, east, north) = next(iter(house.sites(run).items()))
    assert name.startswith("East")
    given = {"name": "A new house", "locality": locality, "easting_m": east, "northing_m": north, "places": 4,
             "lead_months": 6, "start": usual.start, "fixed_weekly_cost_gbp": usual.fixed_weekly_cost_gbp,
             "weekly_cost_gbp": usual.weekly_cost_gbp, "capital_gbp": 100_000.0}  # fmt: skip
    return house.House(**{**given, **more})


def test_the_house_becomes_a_scenario_file(run):
    text = house.text_of(run, asked(run))
    scenario = read_text(text, "a.toml")
    assert scenario.levers[0].kind == "open_childrens_house"
    assert scenario.levers[0].places == 4
    assert scenario.built_on == "baseline"
    assert house.scenario_of(run, asked(run)).name == house.SCENARIO
    assert read_text(house.renamed(text, "another"), "a.toml").name == "another"


def test_a_house_that_does_not_fit_is_refused(run):
    with pytest.raises(BadFile):
        house.scenario_of(run, asked(run, locality="Nowhere"))


def test_the_form_leads_to_a_file_even_without_the_parameter_set(open_page, runs):
    app = open_page(PLACES, runs, runs / "whole")
    app.number_input(key="house_places").set_value(3)
    next(button for button in app.button if button.label == "What if this house opens?").click().run()
    assert not app.exception
    assert not app.error
    assert any("parameter" in warning.value for warning in app.warning)
    assert any("Download as a scenario" in button.label for button in app.download_button)


# --- moving about -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", PAGES)
def test_another_run_can_be_chosen_and_what_it_lacks_is_let_go(open_page, odd, page):
    app = open_page(page, odd, odd / "grounded")
    if page == COMPARE:
        app.selectbox(key="against").set_value("dearer_homes").run()
    app.selectbox(key="run").set_value("one_locality").run()
    assert_sound(app)
    assert "Dearer homes" not in app.title[0].value
    app.selectbox(key="run").set_value("grounded").run()
    assert_sound(app)


def test_levers_are_taken_apart_on_the_page(open_page, odd):
    app = open_page(COMPARE, odd, odd / "grounded")
    next(button for button in app.button if button.label == "Show what each lever adds").click().run()
    for _ in range(240):
        if any("adds most" in found.value for found in app.subheader):
            break
        time.sleep(0.25)
        app.run()
    assert_sound(app)
    assert any("adds most" in found.value for found in app.subheader)
    assert "Net saving by lever in" in html(app)


def test_the_house_is_looked_at_and_saved_among_the_scenarios(open_page, odd, tmp_path, monkeypatch):
    monkeypatch.setenv("CARECAST_SCENARIOS", str(tmp_path))
    app = open_page(PLACES, odd, odd / "grounded")
    app.number_input(key="house_lead").set_value(6)
    next(button for button in app.button if button.label == "What if this house opens?").click().run()
    for _ in range(240):
        if any("intervals of 200 replications" in found.value for found in app.caption):
            break
        time.sleep(0.25)
        app.run()
    assert any("A house opens" in found.value for found in app.subheader)
    for name in ("a_house_opens", "a_house_opens_2"):
        app.button(key="house_save").click().run()
        assert_sound(app)
        kept = read_text((tmp_path / f"{name}.toml").read_text(encoding="utf-8"), name)
        assert kept.name == name
        assert kept.levers[0].lead_months == 6
