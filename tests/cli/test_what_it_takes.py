"""solve, savings, waterfall, sensitivity and reprice as commands: what is printed, what is written, what is refused."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.scenarios.test_solve import target_file


@pytest.fixture(scope="module")
def solved(parameters, tmp_path_factory):
    """The command's answer and its folder."""
    from typer.testing import CliRunner

    from carecast.cli.main import app

    folder = tmp_path_factory.mktemp("solve")
    words = ["solve", "--parameters", parameters, "--target", target_file(folder), "--out", folder / "out",
             "--replications", 20, "--check", 40, "--verify", 40, "--workers", 1, "--json"]  # fmt: skip
    return CliRunner().invoke(app, [str(word) for word in words]), folder / "out"


def test_solve_prints_json_alone_and_writes_its_files(solved):
    result, out = solved
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said == json.loads((out / "solve.json").read_text(encoding="utf-8"))
    assert {row["target"] for row in said["targets"]} == {"Save a little"}
    assert said["verification"]["rows"][0] > said["search"]["rows"][1]
    assert said["verification"]["seed"] == said["search"]["seed"] + 1


def test_the_package_runs_and_is_judged_on_its_own_target(solved, parameters, carecast):
    _, out = solved
    result = carecast("run", "--parameters", parameters, "--scenario", out / "package.toml", "--replications", 10,
                      "--until", "2024-03-31", "--workers", 1, "--out", "told", "--json")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert [row["target"] for row in json.loads(result.stdout)["targets"]] == ["Save a little"]


def test_solve_in_words(solved):
    from carecast.cli.solve import said

    text = said(json.loads(solved[0].stdout), "scotland")
    for words in ("What would it take? Toytown", "Package", "Targets, on fresh worlds", "Frontier: cost", "Searched: "):
        assert words in text
    assert ("WHAT BINDS" in text) == bool(json.loads(solved[0].stdout)["binds"])
    assert max(map(len, text.splitlines())) <= 125


def test_solve_refuses_a_folder_that_holds_something_else(parameters, carecast, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    result = carecast("solve", "--parameters", parameters, "--target", target_file(tmp_path), "--out", "mine")
    assert result.exit_code == 2
    assert "holds something else" in result.stderr
    assert result.stdout == ""


def test_savings_in_every_term_and_to_a_file(made, carecast):
    for terms in ("cash", "real", "discounted"):
        result = carecast("savings", made.folder, "--scenario", "more_help", "--terms", terms, "--to", "rows.csv")
        assert result.exit_code == 0, result.stderr
        assert "Full-year effect" in result.stdout
        assert set(pd.read_csv("rows.csv")["terms"]) == {terms}
    result = carecast("savings", made.folder, "--json")
    said = json.loads(result.stdout)
    assert [found["scenario"] for found in said["answers"]] == ["more_help", "dearer"]
    assert carecast("savings", made.folder, "--terms", "nominal").exit_code == 2


def test_compare_shows_payback_reserves_and_targets(made, carecast):
    text = carecast("compare", made.folder).stdout
    for words in ("MONEY OVER TIME", "median payback", "Full-year effect", "Reserves", "median month met"):
        assert words in text
    said = json.loads(carecast("compare", made.folder, "--json").stdout)
    assert said["money"][0]["cash"]["payback"]["chance_within_run"] <= 1
    assert said["targets"] == json.loads(carecast("target", made.folder, "--json").stdout)


def test_waterfall_adds_up_on_screen_and_in_its_file(made, parameters, carecast):
    result = carecast("waterfall", made.folder, "--parameters", parameters, "--replications", 10, "--workers", 1,
                      "--to", "waterfall.csv", "--json")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert sum(row["mean_gbp"] for row in said["levers"]) == pytest.approx(said["all_together_gbp"], abs=0.01)
    assert said["interaction_gbp"] == pytest.approx(said["all_together_gbp"] - said["sum_alone_gbp"], abs=0.01)
    rows = pd.read_csv("waterfall.csv")
    net = rows[(rows["measure"] == "net") & (rows["breakdown"] == "total") & (rows["lever"] != "interaction")]
    for _, year in net.groupby("financial_year"):
        whole = year["lever"] == "all together"
        assert np.isclose(year.loc[~whole, "mean"].sum(), year.loc[whole, "mean"].iloc[0], atol=0.05)
    text = carecast("waterfall", made.folder, "--parameters", parameters, "--replications", 2, "--workers", 1).stdout
    assert "Interaction: all together" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--measure", "nett"), "did you mean 'net'"),
        (("--year", "2035-36"), "--year: found '2035-36'"),
        (("--permutations", "3"), "an even number"),
        (("--scenario", "baseline"), "saves nothing against itself"),
        (("--parameters", "nowhere"), "give the parameter set"),
    ],
)
def test_waterfall_mistakes(made, parameters, carecast, words, said):
    given = () if "--parameters" in words else ("--parameters", parameters)
    result = carecast("waterfall", made.folder, *given, *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_sensitivity_in_json_in_words_and_in_its_folder(parameters, carecast, tmp_path):
    from tests import small_runs

    (tmp_path / "more_help.toml").write_text(small_runs.MORE_HELP, encoding="utf-8")
    words = ("sensitivity", "--parameters", parameters, "--scenario", "more_help.toml", "--until", "2024-03-31",
             "--replications", 60, "--tornado", 2, "--tornado-replications", 10, "--workers", 1)  # fmt: skip
    result = carecast(*words, "--out", "found", "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert sorted(file.name for file in (tmp_path / "found").iterdir()) == [
        "global.csv",
        "sensitivity.json",
        "tornado.csv",
    ]
    assert len(pd.read_csv("found/global.csv")) == len(said["global"])
    assert len(said["tornado"]) == 2
    text = carecast(*words[:-6], "--tornado", 0, "--workers", 1).stdout
    assert "WHICH ASSUMPTION TO RESEARCH FIRST" in text
    assert carecast(*words, "--measure", "net").exit_code == 2


def test_reprice_makes_a_run_that_others_read(made, carecast, tmp_path):
    (tmp_path / "figures.csv").write_text("id,value\nprice.early_help,100\n", encoding="utf-8")
    result = carecast("reprice", made.folder, "--figures", "figures.csv", "--out", "other", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["repriced"] == [
        {"id": "price.early_help", "value": 100.0, "source": "given in figures.csv"}
    ]
    assert carecast("target", "other", "--json").exit_code == 0
    assert carecast("waterfall", "other", "--parameters", "x").exit_code == 2
