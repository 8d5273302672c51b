"""Bad input through the real command line: exit code 2, one clear line a mistake, nothing written, no traceback."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from carecast.calibration import pack
from tests import small_runs

HELP, DEARER = small_runs.MORE_HELP, small_runs.DEARER


def refused(result, *parts):
    """Exit code 2 and one line a mistake, each holding its parts; nothing on standard output."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == len(parts), result.stderr
    for line, wanted in zip(lines, parts, strict=True):
        assert line.startswith("carecast: ")
        for part in [wanted] if isinstance(wanted, str) else wanted:
            assert part in line, line


def left(folder):
    return sorted(str(file.relative_to(folder)) for file in Path(folder).rglob("*"))


# --- scenario files ---------------------------------------------------------------------------------
SCENARIOS = {
    "unknown kind": (
        HELP.replace('"early_help_places"', '"early_help_place"'),
        ["ours.toml: lever 1 (early_help_place): kind: found 'early_help_place'; did you mean 'early_help_places'?"],
    ),
    "unknown field": (
        HELP.replace("add = 10", "ad = 10"),
        [("lever 1", "ad: not a field; did you mean 'add'?"), ("add: missing",)],
    ),
    "before the horizon": (
        HELP.replace("from = 2022-10-01\nadd", "from = 2021-10-01\nadd"),
        [("more_help.lever_1.early_help_places: from: found 2021-10-01", "on or after the as-at date, 2022-07-31")],
    ),
    "ends before it starts": (
        HELP.replace("from = 2022-10-01\nadd", "from = 2022-10-01\nto = 2022-09-01\nadd"),
        [("to: found 2022-09-01", "on or after from, 2022-10-01")],
    ),
    "locality that does not exist": (
        HELP.replace('"East"', '"Easst"'),
        [("more_help.lever_1.early_help_places: localities: found 'Easst'; did you mean 'East'?",)],
    ),
    "negative capacity": (
        HELP.replace("add = 10", "add = -26"),
        [("add: takes away more places than there are", "-1 would")],
    ),
    "wrong date": (HELP.replace("from = 2022-10-01\nadd", 'from = "soon"\nadd'), [("from: found 'soon'", "2026-04-01")]),
    "no TOML": (HELP.replace('name = "more_help"', "name = more"), [("ours.toml: not valid TOML", "line 3")]),
    "two mistakes": (
        HELP.replace("add = 10", 'add = "ten"').replace("share = 0.5", "share = 1.5"),
        [("lever 1", "add: found 'ten'"), ("lever 2", "share: found 1.5")],
    ),
    "assumption among levers": (DEARER.replace("[[assumption]]", "[[lever]]"), [("lever 1 (prices)", "[[assumption]]")]),
}  # fmt: skip


@pytest.mark.parametrize("what", SCENARIOS)
def test_a_scenario_with_a_mistake(carecast, parameters, tmp_path, what):
    text, parts = SCENARIOS[what]
    (tmp_path / "ours.toml").write_text(text, encoding="utf-8")
    refused(carecast("run", "--parameters", parameters, "--scenario", "ours.toml", "--out", "run"), *parts)
    assert left(tmp_path) == ["ours.toml"]


def test_a_date_after_the_horizon_is_said_and_not_refused(carecast, parameters, tmp_path):
    """A lever that starts after the run ends changes nothing there; the run says so."""
    (tmp_path / "ours.toml").write_text(DEARER.replace("2023-04-01", "2040-04-01"), encoding="utf-8")
    result = carecast(
        "run", "--parameters", parameters, "--scenario", "ours.toml", "--out", "run", "--until", "2022-08-31",
        "--replications", 2, "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "starts on 2040-04-01, after the run ends" in json.loads(result.stdout)["notes"][0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("what_would_it_tak", "what_would_it_tak: no scenario of this name; did you mean 'what_would_it_take'?"),
        ("nothing.toml", "nothing.toml: not found"),
    ],
)
def test_a_scenario_that_is_not_there(carecast, parameters, tmp_path, name, said):
    refused(carecast("run", "--parameters", parameters, "--scenario", name, "--out", "run"), said)
    assert left(tmp_path) == []


def test_a_file_that_is_no_text(carecast, parameters, tmp_path):
    (tmp_path / "ours.toml").write_bytes(b"\xff\xfe\x00")
    refused(
        carecast("run", "--parameters", parameters, "--scenario", "ours.toml"), ("ours.toml", "cannot be read as text")
    )
    (tmp_path / "folder.toml").mkdir()
    refused(carecast("run", "--parameters", parameters, "--scenario", "folder.toml"), "folder.toml: not found")


# --- options ------------------------------------------------------------------------------------------
OPTIONS = [
    (["--until", "2029-3-31"], "--until: found '2029-3-31'; should be a date such as 2029-03-31"),
    (["--until", "20290331"], "--until: found '20290331'"),
    (["--until", "2029-02-30"], "--until: found '2029-02-30'"),
    (["--until", "2022-07-30"], "until: found 2022-07-30; should be on or after the as-at date, 2022-07-31"),
    (["--replications", "0"], "--replications: found '0'; should be a whole number above 0, or auto"),
    (["--replications", "many"], "--replications: found 'many'"),
    (["--replications", "²"], "--replications: found '²'"),
    (["--clock", "sundial"], "--clock: found 'sundial'; should be one of"),
    (["--seed", "one"], ("--seed", "'one'")),
    (["--seed", "-1"], ("--seed", "-1")),
    (["--workers", "0"], ("--workers", "0")),
    (["--radius", "nan"], ("--radius", "nan")),
    (["--sceed", "1"], ("No such option: --sceed", "--seed")),
    (["--targets", "none.target.toml"], "none.target.toml: no target file of this name"),
    (["--scenario", "dearer", "--scenario", "dearer"], "dearer: no scenario of this name"),
    (["--scenario", "baseline", "--scenario", "baseline"], "scenario 'baseline' is given twice"),
]


@pytest.mark.parametrize(("words", "said"), OPTIONS, ids=[" ".join(words) for words, _ in OPTIONS])
def test_a_wrong_option(carecast, parameters, tmp_path, words, said):
    given = [] if "--scenario" in words else ["--scenario", "baseline"]
    refused(carecast("run", "--parameters", parameters, "--out", "run", *given, *words), said)
    assert left(tmp_path) == []


def test_options_that_are_missing_and_commands_that_are_not_there(carecast):
    refused(carecast("run"), "Missing option '--parameters'")
    refused(carecast("runn"), ("No such command 'runn'", "'run'"))
    refused(carecast("compare"), "Missing argument")
    refused(carecast("--nothing"), "No such option: --nothing")
    refused(carecast("dashboard", "--port", "80"), ("--port", "80"))


def test_all_wrong_options_come_at_once(carecast, parameters):
    result = carecast(
        "run", "--parameters", parameters, "--scenario", "x", "--until", "x", "--replications", "x", "--clock", "x"
    )
    refused(result, "--until", "--replications", "--clock")


# --- parameter sets -------------------------------------------------------------------------------------
@pytest.fixture
def broken(parameters, tmp_path):
    shutil.copytree(parameters, tmp_path / "council")
    return tmp_path / "council"


def run_of(carecast, folder):
    return carecast("run", "--parameters", folder, "--scenario", "baseline", "--out", "run", "--until", "2022-08-31")


def test_a_folder_that_is_no_parameter_set(carecast, tmp_path):
    refused(run_of(carecast, tmp_path), *("not found; a parameter set comes from `carecast calibrate`",) * 3)
    refused(run_of(carecast, tmp_path / "nowhere"), *("not found",) * 3)
    assert left(tmp_path) == []


def test_corrupted_toml(carecast, broken, tmp_path):
    text = (broken / "parameters.toml").read_text(encoding="utf-8")
    (broken / "parameters.toml").write_text(text[: len(text) // 2], encoding="utf-8")
    refused(run_of(carecast, broken), ("parameters.toml: not valid TOML",))
    (broken / "parameters.toml").write_bytes(b"\xff\xfe")
    refused(run_of(carecast, broken), ("parameters.toml",))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("places = 20", "places = -20", ("parameters.toml", "places", "-20", "greater than or equal to 0")),
        ('nation = "scotland"', 'nation = "wales"', ("nation", "wales", "scotland")),
        ("as_at = 2022-07-31", "as_at = 2022-07-32", ("parameters.toml",)),
        ("radius_miles = 15.0", "radius_mils = 15.0", ("radius_mils",)),
    ],
)
def test_a_parameter_that_cannot_be(carecast, broken, tmp_path, old, new, said):
    text = (broken / "parameters.toml").read_text(encoding="utf-8")
    assert old in text
    (broken / "parameters.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    refused(run_of(carecast, broken), said)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("file", ["stock.parquet", "draws.parquet", "calibration.json"])
def test_a_file_of_a_parameter_set_that_is_damaged(carecast, broken, file):
    (broken / file).write_bytes(b"not this")
    refused(run_of(carecast, broken), (file,))


def test_a_missing_column_of_the_stock(carecast, broken):
    stock = pd.read_parquet(broken / "stock.parquet")
    stock.drop(columns=["age_days", "state"]).to_parquet(broken / "stock.parquet")
    refused(run_of(carecast, broken), "column 'age_days' is missing", "column 'state' is missing")


# --- calibrate ------------------------------------------------------------------------------------------
def calibrated(carecast, *words):
    return carecast("calibrate", "west-dunbartonshire", "--out", "parameters", *words)


def test_an_unknown_council_pack(carecast, tmp_path):
    refused(carecast("calibrate", "west-dunbarton", "--out", "parameters"), ("west-dunbarton", "west-dunbartonshire"))
    assert left(tmp_path) == []


FIGURES = {
    "id\nsupport_weekly_cost\n": ["ours.csv: row 1: column 'value' is missing"],
    "identity,value\n": ["ours.csv: row 1: column 'id' is missing"],
    "id,value\nsuport_weekly_cost,3\n": [("ours.csv: row 2, column id: 'suport_weekly_cost'",)],
    "id,value\nsupport_weekly_cost,much\n": [("ours.csv: row 2, column value: 'much' is not a number")],
    "id,value\nsupport_weekly_cost,-5\n": [("ours.csv: row 2, column value: -5 is below 0")],
    "id,value,low,high\nsupport_weekly_cost,5,6,7\n": [("ours.csv: row 2, columns low, value, high",)],
    "id,value\nsupport_weekly_cost,\nnone,x\n": [("row 2, column value: empty",), ("row 3, column id",)],
    "id,value,how\nsupport_weekly_cost,5,guessed\n": [("ours.csv: row 2, column how: 'guessed'")],
}


@pytest.mark.parametrize("text", FIGURES)
def test_figures_with_mistakes(carecast, tmp_path, text):
    (tmp_path / "ours.csv").write_text(text, encoding="utf-8")
    refused(calibrated(carecast, "--figures", "ours.csv"), *FIGURES[text])
    assert left(tmp_path) == ["ours.csv"]


def test_figures_that_cannot_be_read(carecast, tmp_path):
    refused(calibrated(carecast, "--figures", "none.csv"), "none.csv: not found")
    (tmp_path / "ours.csv").write_bytes(b"id,value\n\xff\xfe\x00,1\n")
    refused(calibrated(carecast, "--figures", "ours.csv"), ("ours.csv",))
    refused(calibrated(carecast, "--as-at", "July"), "--as-at: found 'July'; should be a date such as")
    assert left(tmp_path) == ["ours.csv"]


@pytest.mark.parametrize(
    ("file", "column"),
    [
        ("figures.csv", "value"),
        ("providers.csv", "placement_type"),
        ("localities.csv", "easting_m"),
        ("population.csv", "persons"),
    ],
)
def test_a_pack_without_a_column(carecast, tmp_path, monkeypatch, file, column):
    shutil.copytree(pack.PUBLISHED, tmp_path / "published")
    monkeypatch.setattr(pack, "PUBLISHED", tmp_path / "published")
    table = tmp_path / "published" / "west_dunbartonshire" / file
    pd.read_csv(table, dtype=str, keep_default_na=False).drop(columns=column).to_csv(table, index=False)
    refused(calibrated(carecast), (file, f"column {column!r} is missing"))
    assert not (tmp_path / "parameters").exists()


def test_a_place_to_write_that_holds_something_else(carecast, tmp_path):
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "notes.txt").write_text("mine", encoding="utf-8")
    refused(calibrated(carecast), ("parameters: holds something else",))
    refused(carecast("calibrate", "west-dunbartonshire", "--out", "parameters/notes.txt"), ("notes.txt",))
    assert left(tmp_path) == ["parameters", "parameters/notes.txt"]


# --- runs -----------------------------------------------------------------------------------------------
def test_runs_that_are_not_there_or_lack_what_is_asked(carecast, made, tmp_path):
    for command in ("compare", "target"):
        refused(carecast(command, "nowhere"), "nowhere: not a run folder (no run.json)")
    refused(carecast("compare", made.folder, "--against", "more_hlp"), ("holds no scenario 'more_hlp'", "'more_help'"))
    assert left(tmp_path) == []


def test_an_entrant_that_is_not_there(carecast, parameters):
    result = carecast("journey", "--parameters", parameters, "--child", "999999", "--until", "2022-10-31")
    refused(result, ("--child: 999999 is not one of the", "entrants"))


def test_a_target_the_run_cannot_judge(carecast, parameters, tmp_path):
    """Asked for by name it is refused before anything is told; brought along by a scenario it is left out, and said so."""
    target = '[[target]]\nname = "Far"\nmeasure = "net_saving_gbp"\nfinancial_year = "2028-29"\nat_least = 1.0\n'
    (tmp_path / "far.target.toml").write_text(f'name = "far"\n{target}', encoding="utf-8")
    (tmp_path / "ours.toml").write_text(f"{DEARER}\n{target}", encoding="utf-8")
    words = ["run", "--parameters", parameters, "--out", "run", "--until", "2022-08-31", "--replications", "2"]
    refused(carecast(*words, "--scenario", "baseline", "--targets", "far.target.toml"), ("target 'Far'", "2029-03-31"))
    assert not (tmp_path / "run").exists()
    result = carecast(*words, "--scenario", "ours.toml", "--json")
    assert result.exit_code == 0, result.stderr
    assert "target 'Far'" in json.loads(result.stdout)["targets_left_out"]["Far"]
    wrong = target.replace("net_saving_gbp", "net_savings_gbp").replace("2028-29", "2022-23")
    (tmp_path / "wrong.toml").write_text(f"{DEARER}\n{wrong}", encoding="utf-8")
    refused(carecast(*words[:-4], "--out", "other", "--scenario", "wrong.toml"), ("target 'Far'", "net_savings_gbp"))
