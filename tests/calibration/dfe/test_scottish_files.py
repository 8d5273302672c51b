"""Scottish councils without a pack, from the files they would have: figures one a row, LGBF rows, LGBF years as columns.

Counts and costs of Dundee City are those published in the Local Government Benchmarking Framework (Improvement Service).
"""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from carecast.calibration.dfe.scotland import counts_by_setting, from_spend, weekly_costs
from carecast.calibration.readers import read_history
from carecast.cli.main import app
from carecast.model.parameters import BadFile, load

COUNCIL = "Dundee City"
COUNTS = {2018: (62, 457), 2019: (54, 409), 2020: (53, 430), 2021: (51, 391), 2022: (57, 378)}  # at 31 July
WEEKLY = {"residential": 4239.88, "community": 554.39}  # CHN8a and CHN8b, 2021-22
TITLES = {
    "CHN8a": "Gross cost per looked-after child per week, residential",
    "CHN8b": "Gross cost per looked-after child per week, community",
    "CHN9": "Balance of care: % looked after in the community",
}


def published(folder):
    rows = [
        {"indicator": f"Children looked after at 31 July, {setting}", "geography": COUNCIL, "period": f"31 July {year}",
         "breakdown": setting, "value": count, "unit": "children", "source_title": "LGBF"}
        for year, both in COUNTS.items() for setting, count in zip(("residential", "community"), both, strict=True)
    ]  # fmt: skip
    rows += [
        {"indicator": f"LGBF {code} {TITLES[code]}", "geography": COUNCIL, "period": "2021-22", "breakdown": "all",
         "value": WEEKLY[setting], "unit": "GBP", "source_title": "LGBF"}
        for code, setting in (("CHN8a", "residential"), ("CHN8b", "community"))
    ]  # fmt: skip
    return write(pd.DataFrame(rows), folder / "figures.csv")


def lgbf_rows():
    rows = []
    for year, (inside, outside) in COUNTS.items():
        span = f"{year - 1}-{year % 100:02d}"
        told = {"CHN9": round(100 * outside / (inside + outside), 2), "CHN8a": WEEKLY["residential"],
                "CHN8b": WEEKLY["community"]}  # fmt: skip
        rows += [(COUNCIL, code, TITLES[code], span, value) for code, value in told.items()]
        rows.append((COUNCIL, "CHN8a denominator", "Number of children looked after, residential", span, inside))
        rows.append(("Glasgow City", "CHN9", TITLES["CHN9"], span, 90.1))
    return pd.DataFrame(rows, columns=["Local Authority", "Code", "Indicator", "Year", "Value"])


def lgbf_long(folder):
    return write(lgbf_rows(), folder / "LGBF_cash.csv")


def lgbf_wide(folder):
    table = lgbf_rows().pivot_table(index=["Local Authority", "Code", "Indicator"], columns="Year", values="Value")
    return write(table.reset_index(), folder / "LGBF_cash.csv")


def lgbf_wide_with_a_title(folder):
    """As it comes out of a workbook: a title and a blank row above the headings."""
    lgbf_wide(folder)
    text = (folder / "LGBF_cash.csv").read_text(encoding="utf-8")
    (folder / "LGBF_cash.csv").write_text(
        "Children's services indicators,,,,,,,\n,,,,,,,\n" + text, encoding="utf-8-sig"
    )
    return folder


def write(frame, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(file, index=False)
    return file.parent


LAYOUTS = {"published": published, "lgbf": lgbf_long, "lgbf wide": lgbf_wide, "lgbf titled": lgbf_wide_with_a_title}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_counts_and_costs_are_the_same_in_every_layout(layout, tmp_path):
    history, report = read_history(LAYOUTS[layout](tmp_path / "t"), layout.split()[0], COUNCIL)
    mine = history.figures[history.figures["area"] == COUNCIL]
    found = counts_by_setting(mine)
    assert {day.year: (both["residential"], both["community"]) for day, both in found.items()} == COUNTS
    assert weekly_costs(mine) == WEEKLY
    assert sum(report.rows[fate] for fate in ("used", "excluded", "repaired", "refused")) == report.rows["read"]


def test_counts_follow_from_expenditure_over_weekly_cost():
    rows = []
    for setting, code, count in (("residential", "CHN8a", 57), ("community", "CHN8b", 378)):
        for measure, value, unit in ((f"LGBF {code} gross cost per looked-after child per week, {setting}", WEEKLY[setting],
                                      "GBP"), (f"Gross expenditure on looked-after children, {setting}",
                                      count * 52 * WEEKLY[setting] / 1000, "GBP thousand (cash)")):  # fmt: skip
            rows.append(
                {"measure": measure, "breakdown": "", "date": pd.Timestamp(2022, 3, 31), "value": value, "unit": unit}
            )
    found = from_spend(pd.DataFrame(rows))
    assert {setting: count for (_, setting), count in found.items()} == {"residential": 57, "community": 378}
    assert list(counts_by_setting(pd.DataFrame(rows)).values()) == [{"residential": 57, "community": 378}]


def test_a_file_of_percentages_alone_says_what_to_add(tmp_path):
    frame = lgbf_rows()
    folder = write(frame[frame["Code"] == "CHN9"], tmp_path / "t" / "lgbf.csv")
    found = CliRunner().invoke(app, ["calibrate", str(folder), "--format", "lgbf", "--council", COUNCIL, "--out",
                                     str(tmp_path / "set")])  # fmt: skip
    assert found.exit_code == 2
    assert "Children looked after at 31 July" in found.output
    assert not (tmp_path / "set").exists()


def test_from_files_to_a_run(tmp_path):
    """The commands one after another: a set labelled indicative, and a forecast that begins at the last count."""
    folder, parameters, run = lgbf_wide(tmp_path / "t"), tmp_path / "set", tmp_path / "run"
    made = CliRunner().invoke(app, ["calibrate", str(folder), "--format", "lgbf", "--council", COUNCIL, "--out",
                                    str(parameters)])  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "indicative" in made.output
    assert "what_would_it_take" not in made.output  # its localities are another council's
    loaded = load(parameters)
    assert loaded.parameters.indicative
    assert loaded.parameters.nation == "scotland"
    in_care = loaded.stock[loaded.stock["state"] == "in_care"]
    assert len(in_care) / loaded.stock["variant"].nunique() == pytest.approx(sum(COUNTS[2022]), abs=2)
    few = ["--replications", "20", "--until", "2025-03-31", "--workers", "1"]
    told = CliRunner().invoke(app, ["run", "--parameters", str(parameters), "--scenario", "early_help_first", *few, "--out",
                                    str(run)])  # fmt: skip
    assert told.exit_code == 0, told.output
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert record["council"] == COUNCIL
    summary = pd.read_csv(run / "summary.csv")
    rows = summary[(summary["measure"] == "looked_after") & (summary["breakdown"] == "total")]
    assert rows["mean"].between(0.6 * sum(COUNTS[2022]), 1.5 * sum(COUNTS[2022])).all()


def test_a_council_the_tables_lack_is_answered_with_those_they_hold(tmp_path):
    with pytest.raises(BadFile, match="Dundee City"):
        read_history(lgbf_long(tmp_path / "t"), "lgbf", "Dundy City")
