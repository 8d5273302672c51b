"""The workforce, gaps and sufficiency commands: the same numbers as their functions, CSV whole, bad input one line."""

import csv
import json
import shutil

import pandas as pd
import pytest

from carecast.dashboard.disclosure import suppress_staff
from carecast.scenarios import gaps as g
from carecast.scenarios.run import open_run
from carecast.scenarios.workforce import workforce


def document(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(result, *parts):
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("carecast: ")
    for part in parts:
        assert part in line, line


# --- workforce --------------------------------------------------------------------------------------
def test_workforce_in_json_is_the_functions_table(carecast, made, tmp_path):
    rows = document(carecast("workforce", made.folder, "--scenario", "more_help", "--json", "--to", "staff.csv"))[
        "rows"
    ]
    frame = workforce(open_run(made.folder), ["more_help"])
    assert len(rows) == len(frame)
    assert [row["needed_fte"] for row in rows] == pytest.approx(frame["needed_fte"].tolist(), abs=1e-4)
    written = pd.read_csv(tmp_path / "staff.csv")
    exported = suppress_staff(open_run(made.folder), frame)
    assert written["gap_fte"].tolist() == pytest.approx(exported["gap_fte"].tolist(), abs=1e-4, nan_ok=True)
    hidden = exported["needed_fte"].isna()
    assert hidden.any()  # the small run opens with few children: what gives them away is blank, and nothing else
    assert written["needed_fte"].isna().tolist() == hidden.tolist()
    assert written.loc[~hidden, "needed_fte"].tolist() == pytest.approx(
        frame.loc[~hidden, "needed_fte"].tolist(), abs=1e-4
    )
    assert not list(tmp_path.glob("*.partial"))


def test_workforce_on_screen_says_what_is_assumed(carecast, made):
    text = carecast("workforce", made.folder).stdout
    assert "baseline: staff needed, FTE" in text
    assert "more_help, 31 Mar 2024" in text
    assert "Posts are not known" in text
    assert max(map(len, text.splitlines())) <= 120


# --- gaps -------------------------------------------------------------------------------------------
def test_gaps_in_json_are_the_functions_tables(carecast, made, tmp_path):
    found = document(carecast("gaps", made.folder, "--year", "2023-24", "--json", "--to", "gaps.csv"))
    report = g.gaps(open_run(made.folder), "baseline", ["2023-24"])
    assert found["financial_years"] == ["2023-24"]
    for name in ("missing", "homes", "waits", "type_prices"):
        assert len(found[name]) == len(getattr(report, name))
    cost = sum(row["extra_cost_gbp"] for row in found["homes"])
    assert cost == pytest.approx(report.homes["extra_cost_gbp"].sum(), abs=0.01)
    with (tmp_path / "gaps.csv").open(encoding="utf-8") as handle:
        head = next(csv.reader(handle))
    assert head == ["scenario", "table", "financial_year", "locality", "age_band", "what", "wanted", "got", "measure",
                    "value"]  # fmt: skip


def test_gaps_on_screen_begin_with_the_finding(carecast, made):
    text = carecast("gaps", made.folder, "--scenario", "more_help").stdout
    assert "GAPS OF more_help IN 2023-24" in text
    assert "placements begun in the year were in a dearer home" in " ".join(text.split())
    assert "What is missing most, where" in text
    assert max(map(len, text.splitlines())) <= 120
    both = carecast("gaps", made.folder, "--year", "all").stdout
    assert "IN 2022-23 (the run holds a part of it)" in both


# --- sufficiency ------------------------------------------------------------------------------------
def test_sufficiency_of_a_parameter_set(carecast, parameters, tmp_path):
    words = ("sufficiency", parameters, "--replications", 12, "--until", "2023-06-30", "--chance", 0.8)
    found = document(carecast(*words, "--json", "--to", "places.csv"))
    assert (found["council"], found["replications"], found["chance"]) == ("Toytown", 12, 0.8)
    rows = pd.DataFrame(found["rows"])
    assert set(rows["basis"]) == {"month_end", "month_peak", "year_end", "year_peak"}
    assert set(rows["kind"]) == {"foster_own", "childrens_house_own", "early_help", "assessment"}
    assert (rows["short_of"] == rows["needed"] - rows["usable_there_are"]).all()
    assert len(pd.read_csv(tmp_path / "places.csv")) == len(rows)
    text = carecast(*words)
    assert "Places needed at the peak of the year" in text.stdout
    assert max(map(len, text.stdout.splitlines())) <= 120
    assert "Telling replications" in text.stderr


def test_sufficiency_of_a_run_takes_its_seed_length_and_scenario(carecast, made, parameters):
    asked = ("sufficiency", made.folder, "--parameters", parameters, "--scenario", "more_help", "--replications", 10)
    ours = document(carecast(*asked, "--json"))["rows"]
    assert max(row["date"] for row in ours) == made.record["until"]
    assert {row["scenario"] for row in ours} == {"more_help"}
    again = document(carecast(*asked, "--seed", made.record["seed"], "--json"))["rows"]
    assert ours == again


def test_a_run_finds_its_parameter_set_by_its_own_command(carecast, made, parameters, tmp_path):
    folder = tmp_path / "moved"
    shutil.copytree(made.folder, folder)
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    record["command"] = f"carecast run --parameters {parameters} --scenario more_help"
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    found = document(carecast("sufficiency", folder, "--replications", 10, "--json"))
    assert found["replications"] == 10
    record["inputs"]["parameters"] = "another"
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    refused(carecast("sufficiency", folder), "is not the parameter set the run", "--parameters DIR")


# --- bad input --------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", ["workforce", "gaps"])
def test_what_is_no_run_is_refused(carecast, tmp_path, command):
    refused(carecast(command, tmp_path), "not a run folder")


def test_sufficiency_of_neither(carecast, tmp_path):
    refused(carecast("sufficiency", tmp_path), "neither a parameter set", "nor a run")


def test_wrong_names_and_files(carecast, made, parameters, tmp_path):
    refused(carecast("workforce", made.folder, "--scenario", "more_hel"), "did you mean 'more_help'?")
    refused(carecast("gaps", made.folder, "--scenario", "x"), "holds no scenario 'x'")
    refused(carecast("gaps", made.folder, "--year", "2030-31"), "no financial year '2030-31'", "2022-23, 2023-24")
    refused(carecast("gaps", made.folder, "--to", "gaps.xlsx"), "--to", "ends in .csv")
    refused(carecast("workforce", made.folder, "--to", "nowhere/staff.csv"), "there is no folder nowhere")
    refused(carecast("sufficiency", made.folder), "its parameter set is not at", "--parameters DIR")
    refused(carecast("sufficiency", parameters, "--chance", 0.95, "--replications", 10), "--chance", "at least 20")
    refused(carecast("sufficiency", parameters, "--chance", "often"), "--chance", "'often'")
    refused(carecast("sufficiency", parameters, "--until", "2029"), "--until", "'2029'")
    assert not list(tmp_path.iterdir())
