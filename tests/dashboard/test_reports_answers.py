"""What each lever adds and the places needed: worked out when asked, kept with the run, shown in every kind of report."""

import io
import json
import shutil
import zipfile

import openpyxl
import pandas as pd
import pytest
from docx import Document
from pptx import Presentation
from typer.testing import CliRunner

from carecast.cli.main import app
from carecast.dashboard.reports import answers, build
from carecast.dashboard.reports.lever_tables import levers_brief, places, savings_by_lever
from carecast.dashboard.reports.numbers import Numbers
from carecast.scenarios.run import open_run
from carecast.scenarios.run_inputs import parameter_set_of
from tests.dashboard.test_reports_papers import headings, text_of

SCENARIO, YEAR = "more_early_help", "2023-24"


@pytest.fixture(scope="module")
def asked(grounded, tmp_path_factory):
    """A copy of the run of seven scenarios with what each lever of one adds, and places needed, kept beside it."""
    folder = tmp_path_factory.mktemp("asked")
    for name in ("grounded", "grounded-parameters"):
        shutil.copytree(grounded.folder.parent / name, folder / name)
    run = open_run(folder / "grounded")
    calibrated = parameter_set_of(run, folder / "grounded-parameters")
    answers.keep(run, answers.waterfall(run, SCENARIO, calibrated, 4))
    answers.keep(run, answers.places(run, SCENARIO, calibrated))
    return run


@pytest.fixture(scope="module")
def waterfall(asked) -> dict:
    return answers.kept(asked, answers.WATERFALL, SCENARIO)


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_what_each_lever_adds_is_what_the_command_line_says(asked, waterfall):
    made = call("waterfall", asked.folder, "--scenario", SCENARIO, "--year", YEAR, "--replications", 4,
                "--parameters", asked.folder.parent / "grounded-parameters", "--workers", 1, "--json")  # fmt: skip
    assert made.exit_code == 0, made.stderr
    said = json.loads(made.stdout)
    ours = waterfall["years"][YEAR]
    assert ours["levers"] == said["levers"]
    assert ours["all_together_gbp"] == said["all_together_gbp"]


def test_levers_sum_to_the_saving_of_the_scenario(asked, waterfall):
    table = savings_by_lever(Numbers(asked)).frame()
    for year in asked.record["part_years"] + ["2023-24"]:
        mine = table[(table["financial_year"] == year) & (table["scenario"] == "More early help")]
        assert mine["net"].sum() == pytest.approx(waterfall["years"][year]["all_together_gbp"], abs=0.01)
        assert (mine["cashable"] + mine["avoided"] + mine["released"]).tolist() == pytest.approx(mine["gross"].tolist())
        net = (mine["gross"] - mine["released"] - mine["programme"]).tolist()
        assert net == pytest.approx(mine["net"].tolist(), abs=0.01)


def test_places_needed_are_what_the_command_line_says(asked):
    made = call("sufficiency", asked.folder, "--scenario", SCENARIO, "--chance", 0.9, "--json",
                "--parameters", asked.folder.parent / "grounded-parameters")  # fmt: skip
    assert made.exit_code == 0, made.stderr
    said = [row for row in json.loads(made.stdout)["rows"] if row["basis"] == "year_peak"]
    found = places(Numbers(asked)).frame()
    mine = found[(found["chance"] == 0.9) & (found["basis"] == "at the peak of the year")]
    assert mine["needed"].tolist() == [row["needed"] for row in said]
    assert mine["demand"].tolist() == pytest.approx([row["demand_mean"] for row in said], abs=1e-4)
    assert mine["where"].tolist() == [row["where"] for row in said]


def test_every_kind_of_report_shows_them(asked, waterfall):
    lever = waterfall["years"][YEAR]["levers"][0]["name"]
    chosen = SCENARIO
    paper = Document(io.BytesIO(build(asked, "docx", chosen)))
    assert {"What each lever adds", "Places needed"} <= set(headings(paper))
    assert "Net saving by lever of" in text_of(paper)
    assert "the first 4 of the run's 10 replications" in text_of(paper)
    assert "--with-waterfall" not in text_of(paper)
    assert "--with-places" not in text_of(paper)
    page = build(asked, "html", chosen).decode("utf-8")
    assert lever.replace("'", "&#39;") in page
    deck = Presentation(io.BytesIO(build(asked, "pptx", chosen)))
    assert any("adds most" in slide.shapes.title.text for slide in deck.slides)
    book = openpyxl.load_workbook(io.BytesIO(build(asked, "xlsx", chosen)))
    assert {"Savings by lever", "Places needed"} <= set(book.sheetnames)
    assert len(book["Charts"]._charts) == 4
    packed = zipfile.ZipFile(io.BytesIO(build(asked, "zip", chosen)))
    assert f"charts/levers_{SCENARIO}.svg" in packed.namelist()
    assert len(pd.read_csv(packed.open("csv/savings_by_lever.csv"))) == 2 * 3  # levers, two years and the whole run
    assert len(pd.read_parquet(io.BytesIO(packed.read("parquet/places_needed.parquet")))) > 0


def test_a_report_without_them_says_how_to_get_them(run):
    told = text_of(Document(io.BytesIO(build(run, "docx"))))
    assert "carecast report RUN --to FILE --with-waterfall" in told
    assert "carecast report RUN --to FILE --with-places" in told


def test_an_answer_of_another_run_is_never_shown(asked, waterfall):
    file = asked.folder / answers.name_of(answers.WATERFALL, SCENARIO)
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(json.dumps({**waterfall, "run_id": "another"}), encoding="utf-8")
        assert answers.kept(asked, answers.WATERFALL, SCENARIO) is None
        file.write_text("{", encoding="utf-8")
        assert answers.kept(asked, answers.WATERFALL, SCENARIO) is None
    finally:
        file.write_text(before, encoding="utf-8")
    assert answers.kept(asked, answers.WATERFALL, SCENARIO) == waterfall


def test_a_slide_holds_the_largest_levers_and_the_rest_together(asked, waterfall):
    year = waterfall["years"][YEAR]
    many = [{**year["levers"][0], "name": f"Lever {at}", "mean_gbp": 1000.0 * at, "alone_gbp": 0.0} for at in range(12)]
    said = {**waterfall, "years": {YEAR: {**year, "levers": many, "all_together_gbp": 66000.0}}}
    shown = levers_brief(Numbers(asked), SCENARIO, said, 9)
    assert len(shown.rows) == 9
    assert [row[0] for row in shown.rows[:2]] == ["Lever 11", "Lever 10"]
    assert shown.rows[-2][:2] == ("5 other levers", "£0.01m")  # 0 + 1 + 2 + 3 + 4 thousand
    assert shown.rows[-1][0] == "All together"


def test_command_works_them_out_once_and_keeps_them(asked, tmp_path, monkeypatch):
    run, parameters = asked.folder, asked.folder.parent / "grounded-parameters"
    words = ("report", run, "--scenario", SCENARIO, "--with-places", "--parameters", parameters)
    made = call(*words, "--to", tmp_path / "a.html")
    assert made.exit_code == 0, made.stderr
    assert (run / "answers" / "places.baseline.json").is_file()

    def never(*_args: object) -> dict:
        raise AssertionError("it is kept with the run")

    monkeypatch.setattr(answers, "places", never)
    again = call(*words, "--to", tmp_path / "b.html")
    assert again.exit_code == 0, again.stderr
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_command_takes_several_scenarios(asked, tmp_path):
    out = tmp_path / "a.html"
    made = call("report", asked.folder, "--to", out, "--scenario", SCENARIO, "--scenario", "more_early_help_3")
    assert made.exit_code == 0, made.stderr
    page = out.read_text(encoding="utf-8")
    assert "More early help 3" in page
    assert "More early help 4" not in page
    assert "Dearer homes" not in page


@pytest.mark.parametrize(("replications", "known"), [(200, (0.8, 0.9, 0.95)), (10, (0.8, 0.9)), (1, (0.5,))])
def test_chances_are_those_that_replications_can_tell(replications, known):
    assert answers.known_chances(replications) == known
