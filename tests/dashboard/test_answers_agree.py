"""Compare, Placements and distance, Early help and workforce: the command line's numbers, and sums that must hold."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from carecast.cli.main import app as command_line
from carecast.dashboard import (
    answer_work,
    compare_frame,
    door,
    figures_help,
    figures_places,
    help_frame,
    places_frame,
)
from carecast.dashboard.frame import Chosen
from carecast.dashboard.panels import compare_money, help, places, places_needed
from carecast.dashboard.panels.view import View
from carecast.model.parameters import BadFile
from carecast.scenarios.gaps import gaps
from carecast.scenarios.run import Run

YEAR = "2023-24"


# --- the same numbers as the command line -----------------------------------------------------------------------------
def printed(*arguments: str) -> dict:
    found = CliRunner().invoke(command_line, [*arguments, "--json"])
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def written(tmp_path: Path, *arguments: str) -> str:
    file = tmp_path / "out.csv"
    found = CliRunner().invoke(command_line, [*arguments, "--to", str(file)])
    assert found.exit_code == 0, found.output
    return file.read_text(encoding="utf-8")


def test_savings_are_those_of_the_command_line(run, tmp_path):
    found = Chosen(door.Found(run.folder, "whole", door.COMPLETE), run, None)
    mine = compare_frame.savings_csv(
        compare_frame.Asked(found, ("more_early_help",), "baseline", "real", "all", "looked_after")
    )
    theirs = written(tmp_path, "savings", str(run.folder), "--scenario", "more_early_help", "--terms", "real")
    assert mine == theirs


def test_gaps_and_staff_are_those_of_the_command_line(run, tmp_path):
    folder = str(run.folder)
    mine = places_frame.gaps_csv(run, "more_early_help", YEAR)
    theirs = written(tmp_path, "gaps", folder, "--year", YEAR, "--scenario", "more_early_help")
    assert mine == theirs
    mine = help_frame.staff_csv(run, "more_early_help")
    theirs = written(tmp_path, "workforce", folder, "--scenario", "more_early_help")
    cells = [[line.split(",") for line in text.splitlines()] for text in (mine, theirs)]
    assert [len(row) for row in cells[0]] == [len(row) for row in cells[1]]
    pairs = [pair for rows in zip(*cells, strict=True) for pair in zip(*rows, strict=True)]
    assert all(ours in (printed_there, "") for ours, printed_there in pairs)  # blank: what gives small counts away
    assert sum(ours == printed_there for ours, printed_there in pairs) > len(pairs) / 2


def test_levers_are_those_of_the_command_line(grounded, tmp_path):
    question = {"run": str(grounded.folder), "scenario": "more_early_help", "years": [YEAR, "all"]}
    file = answer_work.waterfall(tmp_path, question, lambda told, total: None)
    mine = json.loads(file.read_text(encoding="utf-8"))
    theirs = printed(
        "waterfall", str(grounded.folder), "--scenario", "more_early_help", "--year", YEAR, "--workers", "1"
    )
    theirs.pop("rows")
    assert mine[YEAR] == theirs
    panel = compare_money.levers_panel(View(grounded, None), mine[YEAR])
    assert panel.table.rows[-2][0] == "All together"
    assert {row["lever"] for row in mine[YEAR]["levers"]} == {row["lever"] for row in theirs["levers"]}


def test_places_needed_are_those_of_the_command_line(grounded, tmp_path):
    question = {"run": str(grounded.folder), "scenario": "baseline"}
    mine = json.loads(answer_work.sufficiency(tmp_path, question, lambda told, total: None).read_text(encoding="utf-8"))
    theirs = printed("sufficiency", str(grounded.folder), "--scenario", "baseline", "--chance", "0.9")
    kept = [row for row in theirs["rows"] if row["basis"] in ("year_end", "year_peak")]
    assert [row for row in mine["rows"] if row["chance"] == 0.9] == kept
    shown = places_needed.tables("scotland", mine, 0.9)
    assert len(shown.tables) == 3
    assert all(table.rows for table in shown.tables)
    assert not [row for row in mine["rows"] if row["chance"] == 0.95]  # ten replications cannot know it


# --- placements -------------------------------------------------------------------------------------------------------
def test_types_localities_and_ages_each_add_up_to_all_children(run):
    whole = run.answer("baseline").monthly.of("looked_after")[:, -1].mean()
    for dimension in ("placement_type", "locality", "age_band"):
        frame = figures_places.stock(run, "more_early_help", dimension)
        assert frame["mean|baseline"].sum() == pytest.approx(whole, abs=0.1)


def test_small_counts_of_the_start_are_not_shown(run):
    table = places.part_table(View(run, None), "placement_type")
    starts = [row[1] for row in table.rows]
    assert "not shown" in starts
    assert not {"1", "2", "3", "4", "5"} & set(starts)


def test_child_years_of_homes_add_up_to_the_days_that_are_paid(run):
    frame = figures_places.by_provider(run, "baseline", YEAR)
    monthly = run.answer("baseline").monthly
    inside = [at for at, date in enumerate(monthly.dates) if "2023-04" <= date.isoformat()[:7] <= "2024-03"]
    stock = (monthly.of("looked_after") + monthly.of("continuing_care"))[:, inside].mean()
    assert frame["mean"].sum() == pytest.approx(stock, rel=0.05)


def test_reasons_add_up_to_all_placements_beyond(run):
    found = figures_places.beyond_by(gaps(run, "baseline", [YEAR]).homes, "wanted")
    assert found[list(figures_places.REASONS)].sum(axis=1).to_numpy() == pytest.approx(
        found["beyond_radius"].to_numpy()
    )


def test_the_map_is_to_scale_and_holds_everything_within_it(run):
    shown = figures_places.places(run, None)
    assert {place.name for place in shown.middles} == {"East", "West"}
    east, west = (next(m for m in shown.middles if m.name == name) for name in ("East", "West"))
    assert east.east - west.east == pytest.approx(20_000 / 1609.344, abs=0.01)
    assert len(shown.homes) == 2
    rim = figures_places.circle(east, shown.radius_miles)
    assert rim[0] == pytest.approx(rim[-1])
    assert all(-0.01 <= x <= shown.width_miles + 0.01 and -0.01 <= y <= shown.height_miles + 0.01 for x, y in rim)
    told = places.places(run, None, YEAR)
    spec = told.map.chart.to_dict()
    assert "http" not in json.dumps({key: value for key, value in spec.items() if key != "$schema"})
    assert "identity" in json.dumps(spec)
    assert len(told.map.table.rows) == len(shown.homes) + len(shown.zones)


# --- early help -------------------------------------------------------------------------------------------------------
def test_places_of_early_help_follow_the_levers(run):
    base = figures_help.places_there_are(run, "baseline")
    more = figures_help.places_there_are(run, "more_early_help")
    assert base[-1] == 45
    assert more[-1] == 65
    assert more[0] == 45  # before the lever


def test_waits_are_means_weighted_by_who_started(run):
    waits = gaps(run, "baseline", [YEAR]).waits
    found = figures_help.waits_by(waits, "locality").set_index("locality")
    one = waits[waits["locality"] == "East"]
    assert found.loc["East", "starts"] == pytest.approx(one["starts"].sum())
    days = (one["mean_wait_days"] * one["starts"]).sum() / max(one["starts"].sum(), 1e-9)
    assert found.loc["East", "mean_wait_days"] == pytest.approx(days)


def test_staff_table_has_every_role_of_both(run):
    told = help.early_help(run, "more_early_help", YEAR)
    assert told.staff is not None
    roles = {row[0].split("\n")[0] for row in told.staff.table.rows}
    assert "Early help worker" in roles
    assert len(told.staff.table.rows) == 2 * len(roles)


def test_a_run_without_norms_says_why(run, monkeypatch):
    monkeypatch.setattr(figures_help, "workforce", _no_norms)
    told = help.early_help(run, None, YEAR)
    assert told.staff is None
    assert "no caseload norm" in told.staff_note


def _no_norms(run: Run, names: object) -> pd.DataFrame:
    raise BadFile("it holds no caseload norm")
