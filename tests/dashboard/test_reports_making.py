"""The archive, writing whole or not at all, and the command."""

import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from carecast.cli.main import app
from carecast.dashboard import reports
from carecast.dashboard.disclosure import hidden_roles, suppress_start
from carecast.dashboard.reports import KINDS, build, make_report, making
from carecast.dashboard.reports.numbers import Numbers
from carecast.model.parameters import BadFile
from carecast.model.summary import QUANTILES_PER_MILLE
from tests.dashboard.reported import LAST, SCENARIO, Summary

START = "2022-07-31"


@pytest.fixture(scope="module")
def packed(run) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(build(run, "zip")))


def csv(packed, name) -> pd.DataFrame:
    return pd.read_csv(packed.open(name))


def call(*words):
    return CliRunner().invoke(app, ["report", *map(str, words)])


# --- the archive ----------------------------------------------------------------------------------
def test_archive_holds_the_summary_with_the_start_made_safe(run, packed):
    original, exported = pd.read_csv(run.folder / "summary.csv"), csv(packed, "summary.csv")
    keys = ["scenario", "date", "measure", "breakdown"]
    pd.testing.assert_frame_equal(original[keys], exported[keys])
    later = original["date"] != START
    pd.testing.assert_frame_equal(original[later], exported[later])
    blank = exported["mean"].isna()
    assert blank.any()
    assert set(exported.loc[blank, "date"]) == {START}
    assert blank.tolist() == suppress_start(original)["mean"].isna().tolist()


def test_archive_tables_agree_with_each_other_and_the_summary(run, packed):
    summary = Summary(run)
    savings = csv(packed, "csv/savings.csv")
    last = savings[(savings["scenario"] == "More early help") & (savings["financial_year"] == "2024-25")].iloc[0]
    assert last["net"] == pytest.approx(summary.of(SCENARIO, "net_saving_gbp"), abs=0.0051)
    again = pd.read_parquet(io.BytesIO(packed.read("parquet/savings.parquet")))
    assert again["net"].tolist() == pytest.approx(savings["net"].tolist(), abs=0.0051)
    types = csv(packed, "csv/children_by_type.csv")
    row = types[(types["scenario"] == "Baseline") & (types["month_end"] == LAST)].iloc[0]
    assert row["kinship"] == summary.of("baseline", "looked_after", breakdown="placement_type=kinship")


def test_replications_make_the_means_and_leave_the_start_out(run, packed):
    summary = Summary(run)
    yearly = pd.read_parquet(io.BytesIO(packed.read("parquet/replications_yearly.parquet")))
    mine = yearly[(yearly["scenario"] == SCENARIO) & (yearly["date"] == LAST)]
    assert len(mine) == run.record["replications"]
    assert mine["net_saving_gbp"].mean() == pytest.approx(summary.of(SCENARIO, "net_saving_gbp"), abs=0.0051)
    monthly = pd.read_parquet(io.BytesIO(packed.read("parquet/replications_monthly.parquet")))
    assert START not in set(monthly["date"])
    end = monthly[(monthly["scenario"] == "baseline") & (monthly["date"] == LAST)]
    assert end["looked_after"].mean() == pytest.approx(summary.of("baseline", "looked_after"), abs=0.0051)


def test_no_file_of_the_archive_gives_small_history_away(run, packed):
    record = json.loads(packed.read("run.json"))
    values = {
        row["breakdown"]: row["value"]
        for row in record["parameters"]["history"]
        if "placement_type" in row["breakdown"]
    }
    assert values["placement_type=secure"] is None  # it is 3
    assert run.record["parameters"]["history"] != record["parameters"]["history"]
    history = csv(packed, "csv/history.csv")
    assert history.loc[history["breakdown"] == "In secure care", "value"].isna().all()
    start = csv(packed, "csv/children_by_type.csv").query("month_end == @START")
    counts = start.select_dtypes("number").drop(columns="looked_after").to_numpy()
    assert not ((counts >= 0.5) & (counts < 5.5)).any()
    staff = csv(packed, "csv/workforce.csv")
    assert staff.loc[staff["date"] == START, "needed_fte"].isna().all()  # cases are staff times a published norm


def test_readme_says_what_is_what(run, packed):
    readme = packed.read("README.md").decode("utf-8")
    for needed in (
        run.record["digest"],
        run.record["command"],
        "llustrative",
        "Data dictionary",
        *run.record["not_modelled"],
    ):
        assert needed in readme
    names = set(packed.namelist())
    for name in ("csv/savings.csv", "parquet/savings.parquet"):
        assert name in names
        assert name in readme
    charts = [name for name in names if name.startswith("charts/") and name.endswith(".svg")]
    assert charts
    for name in charts:
        assert packed.read(name).decode("utf-8").startswith("<svg")
        assert packed.read(name.replace(".svg", ".png")).startswith(b"\x89PNG")


def test_every_chart_of_the_archive_opens_again(packed):
    drawn = [name for name in packed.namelist() if name.endswith(".png")]
    assert drawn
    for name in drawn:
        image = Image.open(io.BytesIO(packed.read(name)))
        image.load()
        assert image.size[0] > 1000
        assert len(image.convert("L").getcolors() or range(300)) > 20  # something is drawn
        assert packed.read(name.replace(".png", ".svg")).rstrip().endswith(b"</svg>")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_every_table_of_the_archive_opens_again(packed, suffix):
    names = [name for name in packed.namelist() if name.startswith(f"{suffix}/")]
    assert names
    for name in names:
        content = io.BytesIO(packed.read(name))
        frame = pd.read_csv(content) if suffix == "csv" else pd.read_parquet(content)
        assert len(frame)
        assert not any(str(column).startswith("Unnamed") for column in frame.columns)


def test_the_same_run_makes_the_same_archive(run, packed):
    again = zipfile.ZipFile(io.BytesIO(build(run, "zip")))
    assert [(i.filename, i.CRC) for i in again.infolist()] == [(i.filename, i.CRC) for i in packed.infolist()]


# --- what is left out -----------------------------------------------------------------------------
def _summary(away: float, within: float) -> pd.DataFrame:
    rows = [
        ("looked_after", "total", 200.0),
        ("looked_after_away_from_home", "total", away),
        ("within_radius_percent", "total", within),
        ("workforce_fte", "total", 12.0),
        ("workforce_fte", "role=kinship_worker", 2.0),
    ]
    frame = pd.DataFrame(rows, columns=["measure", "breakdown", "mean"]).assign(scenario="baseline", date=START, sd=0.0)
    return frame.assign(**{name: frame["mean"] for name in QUANTILES_PER_MILLE})


@pytest.mark.parametrize(("within", "is_left_out"), [(96.0, True), (90.0, False), (4.0, True), (100.0, False)])
def test_a_share_that_gives_a_small_count_away_is_left_out(within, is_left_out):
    """Of 100 children, 96 % within the radius leaves 4 beyond it; 90 % leaves 10."""
    exported = suppress_start(_summary(100.0, within)).set_index(["measure", "breakdown"])["mean"]
    assert np.isnan(exported["within_radius_percent", "total"]) == is_left_out
    assert np.isnan(exported["workforce_fte", "role=kinship_worker"]) == is_left_out
    assert exported["looked_after", "total"] == 200.0


def test_roles_that_count_few_children_are_known(run):
    hidden = hidden_roles(run)
    start = run.answer("baseline").monthly
    few = float(start.of("looked_after", "placement_type=foster_own")[:, 0].mean())
    blank = Numbers(run).value("baseline", "looked_after", START, breakdown="placement_type=foster_own") is None
    assert ("supervising_social_worker" in hidden) == (blank or 0.5 <= few < 5.5)


# --- writing --------------------------------------------------------------------------------------
def test_a_report_is_written_and_replaced(run, alone, tmp_path):
    path = tmp_path / "page.html"
    assert make_report(alone, path) == path
    first = path.read_bytes()
    make_report(run, path, SCENARIO)  # an earlier report gives way to a later one
    assert path.read_bytes() != first
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_no_report_is_left_alone(alone, tmp_path, kind):
    path = tmp_path / f"mine.{kind}"
    path.write_text("my own", encoding="utf-8")
    with pytest.raises(BadFile, match="already there and no"):
        make_report(alone, path)
    assert path.read_text(encoding="utf-8") == "my own"
    if kind == "html":
        make_report(alone, path, force=True)
        assert making.is_report(path, kind)


def test_a_report_of_another_kind_is_left_alone(alone, tmp_path):
    book = tmp_path / "book.xlsx"
    make_report(alone, book)
    wrong = tmp_path / "book.docx"
    book.rename(wrong)
    assert making.is_report(wrong, "xlsx")
    with pytest.raises(BadFile, match="no docx report"):
        make_report(alone, wrong)


def test_a_failure_leaves_nothing(alone, tmp_path, monkeypatch):
    def broken(*_args: object) -> bytes:
        raise OSError("no space left")

    monkeypatch.setattr(making.Path, "replace", broken)
    with pytest.raises(OSError, match="no space"):
        make_report(alone, tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []


def test_build_refuses_what_it_does_not_know(run):
    with pytest.raises(BadFile, match="should be one of xlsx, docx, pptx, html, zip"):
        build(run, "pdf")
    with pytest.raises(BadFile, match="holds no scenario 'nobody'"):
        build(run, "html", "nobody")
    assert reports.report_name(run, "xlsx").endswith(f"_{run.record['digest']}.xlsx")


# --- the command ----------------------------------------------------------------------------------
def test_command_writes_and_says_what(run, tmp_path):
    out = tmp_path / "deck.pptx"
    made = call(run.folder, "--to", out, "--scenario", SCENARIO, "--json")
    assert made.exit_code == 0
    told = json.loads(made.stdout)
    assert (told["kind"], told["run_id"], told["bytes"]) == ("pptx", run.record["digest"], out.stat().st_size)


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("report.pdf", [], "should end in one of .xlsx, .docx, .pptx, .html, .zip"),
        ("nowhere/report.html", [], "there is no folder"),
        ("report.html", ["--scenario", "nobody"], "holds no scenario 'nobody'"),
    ],
)
def test_command_refuses_in_one_line(run, tmp_path, name, words, said):
    found = call(run.folder, "--to", tmp_path / name, *words)
    assert found.exit_code == 2
    mistakes = [line for line in found.stderr.splitlines() if line.startswith("carecast:")]
    assert len(mistakes) == 1
    assert said in mistakes[0]
    assert found.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_command_refuses_a_run_that_is_not_complete(runs, tmp_path):
    found = call(runs / "unfinished", "--to", tmp_path / "a.xlsx")
    assert found.exit_code == 2
    assert "the run is not complete (interrupted)" in found.stderr
    assert list(tmp_path.iterdir()) == []
