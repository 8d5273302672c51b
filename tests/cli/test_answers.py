"""JSON alone on standard output, the contract's keys, the same numbers at every door, help with an example."""

import json
import re

import pandas as pd
import pytest

from carecast import __version__
from carecast.cli import commands
from carecast.cli.main import app
from carecast.model.summary import DIFFERENCE
from carecast.scenarios.compare import SAFETY_MEASURES
from tests import small_runs

TARGET_KEYS = ["scenario", "target", "met_probability", "required_probability", "expected_shortfall_gbp", "month_met"]
COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]


def document(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout, parse_constant=_no_nan)


def _no_nan(text):
    raise AssertionError(f"{text} is no JSON")


# --- help -------------------------------------------------------------------------------------------
def test_the_commands_are_those_promised():
    assert {"demo", "calibrate", "run", "compare", "target", "journey", "dashboard"} <= set(COMMANDS)


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_has_an_example(carecast, command):
    result = carecast(*([command] if command else []), "--help")
    assert result.exit_code == 0
    text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stdout).split())
    assert f"Example: carecast {command or ''}".strip() in text
    assert result.stderr == ""


def test_every_command_that_answers_can_answer_in_json(carecast):
    for command in set(COMMANDS) - {"dashboard"}:
        assert "--json" in carecast(command, "--help").stdout


def test_version(carecast):
    result = carecast("--version")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"carecast {__version__}\n", "")


def test_no_command_shows_help(carecast):
    assert carecast().exit_code == 2


# --- target -----------------------------------------------------------------------------------------
def test_target_rows_have_the_contracts_keys_first(carecast, made):
    rows = document(carecast("target", made.folder, "--json"))
    assert all(list(row)[: len(TARGET_KEYS)] == TARGET_KEYS for row in rows)
    assert [(row["target"], row["scenario"]) for row in rows] == [
        ("Save a little", "more_help"), ("Save a little", "dearer"),
        ("Fewer away", "baseline"), ("Fewer away", "more_help"), ("Fewer away", "dearer"),
    ]  # fmt: skip
    for row in rows:
        assert 0 <= row["met_probability"] <= 1
        assert row["required_probability"] == 0.8
        assert row["month_met"] is None or re.fullmatch(r"\d{4}-\d\d-\d\d", row["month_met"])
        assert (row["expected_shortfall_gbp"] is None) == (row["target"] == "Fewer away")


def test_target_says_what_the_answers_say(carecast, made):
    rows = {(row["target"], row["scenario"]): row for row in document(carecast("target", made.folder, "--json"))}
    net = made.answer("more_help").yearly.of("net_saving_gbp")[:, 1]
    saving = rows["Save a little", "more_help"]
    assert saving["met_probability"] == pytest.approx((net >= 50_000).mean(), abs=1e-6)
    assert saving["expected_shortfall_gbp"] == pytest.approx((50_000 - net).clip(0).mean(), abs=0.01)
    assert saving["mean"] == pytest.approx(net.mean(), abs=0.01)
    away = made.answer("baseline").monthly.of("looked_after_away_from_home")[:, -1]
    assert rows["Fewer away", "baseline"]["met_probability"] == pytest.approx((away <= 25).mean(), abs=1e-6)


# --- compare ----------------------------------------------------------------------------------------
def test_compare_and_summary_csv_say_the_same(carecast, made):
    """Every difference, its spread and its ends: the numbers of summary.csv, digit for digit."""
    answer = document(carecast("compare", made.folder, "--json"))
    found = pd.DataFrame(answer["differences"])
    summary = pd.read_csv(made.folder / "summary.csv", dtype={"date": str})
    index = ["scenario", "measure", "breakdown", "date"]
    summary = summary.set_index(index)
    assert answer["against"] == "baseline"
    plain = summary.loc[pd.MultiIndex.from_frame(found[index])]
    base = summary.loc[pd.MultiIndex.from_frame(found.assign(scenario="baseline")[index])]
    differs = summary.loc[pd.MultiIndex.from_frame(found.assign(measure=DIFFERENCE + found["measure"])[index])]
    assert (found["mean"].to_numpy() == plain["mean"].to_numpy()).all()
    assert (found["mean_against"].to_numpy() == base["mean"].to_numpy()).all()
    for ours, theirs in (("difference", "mean"), ("sd", "sd"), ("p10", "p10"), ("p90", "p90"), ("p025", "p025")):
        assert (found[ours].to_numpy() == differs[theirs].to_numpy()).all(), ours
    assert len(found) == summary.index.get_level_values("measure").str.startswith(DIFFERENCE).sum()


def test_safety_stands_beside_savings(carecast, made):
    rows = document(carecast("compare", made.folder, "--json"))["safety_beside_savings"]
    for scenario in ("more_help", "dearer"):
        measures = {row["measure"] for row in rows if row["scenario"] == scenario}
        assert {*SAFETY_MEASURES, "net_saving_gbp"} <= measures


def test_compare_against_another_scenario(carecast, made):
    answer = document(carecast("compare", made.folder, "--against", "dearer", "--json"))
    assert {row["scenario"] for row in answer["differences"]} == {"baseline", "more_help"}
    text = carecast("compare", made.folder, "--against", "dearer")
    assert "more_help minus dearer" in text.stdout


def test_the_text_says_the_same_as_the_json(carecast, made):
    net = made.answer("more_help").yearly.of("net_saving_gbp")[:, 1].mean()
    assert f"{net / 1e6:.2f}" in carecast("compare", made.folder).stdout
    chance = [row for row in document(carecast("target", made.folder, "--json")) if row["scenario"] == "more_help"][0]
    assert f"{100 * chance['met_probability']:.0f} %" in carecast("target", made.folder).stdout


# --- run, calibrate, journey, demo ------------------------------------------------------------------------
@pytest.fixture
def words(parameters, tmp_path):
    (tmp_path / "ours.toml").write_text(small_runs.MORE_HELP, encoding="utf-8")
    return ["run", "--parameters", parameters, "--scenario", "ours.toml", "--until", "2022-10-31", "--replications", 3]


def test_run_answers_in_json_alone(carecast, words):
    result = carecast(*words, "--out", "run", "--json")
    answer = document(result)
    assert answer["status"] == "complete"
    assert answer["scenarios"] == ["baseline", "more_help"]
    assert "parameters" not in answer
    assert "Telling replications" in result.stderr
    assert document(carecast(*words, "--out", "run", "--json", "--resume"))["digest"] == answer["digest"]


def test_run_without_out_goes_to_runs_and_says_how_to_do_it_again(carecast, words, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["carecast", *map(str, words)])
    answer = document(carecast(*words, "--json"))
    (folder,) = (tmp_path / "runs").iterdir()
    assert answer["run"] == f"runs/{folder.name}"
    assert answer["command"].startswith("carecast run --parameters ")
    assert answer["command"].endswith(f"--out runs/{folder.name}")


def test_run_writes_events_when_asked(carecast, words, tmp_path):
    assert document(carecast(*words, "--out", "run", "--events", "--json"))["events"] is True
    events = pd.read_parquet(tmp_path / "run" / "events.parquet")
    assert set(events["scenario"]) == {"baseline", "more_help"}
    assert set(events["replication"]) == {0, 1, 2}


def test_a_journey_is_the_entrants_events(carecast, words, parameters, tmp_path):
    """`journey` and events.parquet tell the same child: same days, same number of events."""
    carecast(*words, "--out", "run", "--events", "--json")
    events = pd.read_parquet(tmp_path / "run" / "events.parquet")
    events = events[(events["scenario"] == "baseline") & (events["replication"] == 1)]
    child = int(events.groupby("child").size().idxmax())
    result = carecast(
        "journey", "--parameters", parameters, "--replication", 1, "--child", child, "--until", "2022-10-31", "--json"
    )
    lines = document(result)
    assert [line["date"] for line in lines[1:]] == [str(day) for day in events.loc[events["child"] == child, "date"]]
    assert carecast(*result_words(parameters, child)).stdout.count("\n") == len(lines)


def result_words(parameters, child):
    return ["journey", "--parameters", parameters, "--replication", 1, "--child", child, "--until", "2022-10-31"]


def test_calibrate_and_demo_answer_in_json_alone(carecast, tmp_path, monkeypatch):
    """With the invented council in place of the shipped pack: the pack's own fit is tested where it is made."""
    monkeypatch.setattr(commands, "_calibrated", lambda *_: small_runs.council())
    monkeypatch.setattr(commands, "DEMO_SCENARIOS", ("prices_rise",))
    monkeypatch.setattr(commands, "END_OF_HORIZON", "2023-03-31")
    answer = document(carecast("calibrate", "toytown", "--out", "parameters", "--json"))
    assert answer["parameters"] == "parameters"
    for _ in range(2):  # the second replaces the first
        assert document(carecast("demo", "--out", "runs", "--replications", 2, "--json"))["run"] == "runs/demo"
    text = carecast("demo", "--out", "runs", "--replications", 2).stdout
    assert "IN ONE SENTENCE" in text
    (tmp_path / "runs" / "demo" / "run.json").unlink()
    refused = carecast("demo", "--out", "runs", "--replications", 2)
    assert refused.exit_code == 2
    assert "not a run folder" in refused.stderr


def test_an_unfinished_run_is_one_line(carecast, made, tmp_path):
    record = json.loads((made.folder / "run.json").read_text(encoding="utf-8"))
    (tmp_path / "run").mkdir()
    text = json.dumps({**record, "status": "interrupted", "command": "carecast run --out run"})
    (tmp_path / "run" / "run.json").write_text(text, encoding="utf-8")
    result = carecast("target", "run")
    assert result.exit_code == 2
    assert result.stderr == (
        "carecast: run: the run is not complete (interrupted); carry it on with: carecast run --out run --resume\n"
    )


def test_ctrl_c_says_how_to_carry_on(carecast, words, monkeypatch):
    monkeypatch.setattr("sys.argv", ["carecast", *map(str, words), "--out", "run"])

    def pressed(request, out, resume, progress):
        progress(0, 3)
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "start", pressed)
    result = carecast(*words, "--out", "run")
    assert result.exit_code == 130
    assert result.stdout == ""
    last = result.stderr.splitlines()[-1]
    assert last.startswith("carecast: stopped after 0 replications, which run keeps; carry on with: carecast run ")
    assert last.endswith("--out run --resume")
