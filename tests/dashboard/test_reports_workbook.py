"""The workbook read back: its numbers are those of the run, and it can be heard as well as seen."""

import io
import re
import zipfile

import openpyxl
import pytest

from carecast.dashboard.disclosure import is_small
from carecast.dashboard.reports import build
from tests.dashboard.reported import SCENARIO, Summary

FIRST = ["Cover", "Contents", "Notes", "Data dictionary", "Assumptions", "Levers"]


@pytest.fixture(scope="module")
def content(run) -> bytes:
    return build(run, "xlsx")


@pytest.fixture(scope="module")
def shown(content):
    """The workbook as it is seen: the computed values."""
    return openpyxl.load_workbook(io.BytesIO(content), data_only=True)


@pytest.fixture(scope="module")
def written(content):
    """The workbook as it was written: the formulas."""
    return openpyxl.load_workbook(io.BytesIO(content))


@pytest.fixture(scope="module")
def summary(run) -> Summary:
    return Summary(run)


def table(book, name):
    """Headings, and rows as dictionaries by heading, of the one table of a sheet."""
    sheet = book[name]
    (found,) = sheet.tables.values()
    head, *rows = [[cell.value for cell in row] for row in sheet[found.ref]]
    return head, [dict(zip(head, row, strict=True)) for row in rows]


def only(rows, **wanted):
    (found,) = [row for row in rows if all(row[key.replace("_", " ")] == value for key, value in wanted.items())]
    return found


def test_front_sheets_come_first_and_the_contents_lead_everywhere(shown):
    assert [name for name in shown.sheetnames if name != "Charts"][: len(FIRST)] == FIRST
    listed = {row["Sheet"] for row in table(shown, "Contents")[1]}
    assert listed == set(shown.sheetnames) - {"Contents"}
    links = {cell.value: cell.hyperlink.location for cell in shown["Contents"]["A"] if cell.hyperlink}
    assert set(links) == listed
    assert all(target.strip("'").startswith(name[:10]) for name, target in ((n, t) for n, t in links.items()))


def test_every_sheet_is_simple(written):
    names = []
    for sheet in written.worksheets:
        assert not sheet.merged_cells.ranges, sheet.title
        assert sheet.freeze_panes is None
        assert sheet["A1"].value, sheet.title
        assert len(sheet.tables) == (0 if sheet.title == "Charts" else 1), sheet.title
        for found in sheet.tables.values():
            names.append(found.name)
            head, *rows = [[cell.value for cell in row] for row in sheet[found.ref]]
            assert len(head) == len(set(head)), sheet.title
            assert all(head)
            assert rows, sheet.title
            assert all(any(cell not in (None, "") for cell in row) for row in rows), sheet.title
            assert found.headerRowCount == 1
    assert len(names) == len(set(names))


def test_properties_and_provenance(run, shown, content):
    assert shown.properties.language == "en-GB"
    assert shown.properties.creator == "carecast"
    assert run.record["council"] in shown.properties.title
    cover = "\n".join(str(cell.value) for row in shown["Cover"].iter_rows() for cell in row if cell.value)
    for needed in (
        run.record["digest"],
        "carecast 0",
        "31 July 2022",
        "Illustrative: from published",
        run.record["command"],
    ):
        assert needed in cover
    notes = "\n".join(str(row["Note"]) for row in table(shown, "Notes")[1])
    assert all(line in notes for line in run.record["not_modelled"])
    assert "Back-test: none yet" in notes


def test_children_by_type_are_those_of_the_summary_and_add_up(run, shown, written, summary):
    head, rows = table(shown, "Children by type")
    formulas = table(written, "Children by type")[1]
    sums = 0
    for row, formula in zip(rows, formulas, strict=True):
        scenario = {"Baseline": "baseline", "More early help": SCENARIO, "Dearer homes": "dearer_homes"}[
            row["Scenario"]
        ]
        date = f"{row['Month end']:%Y-%m-%d}"
        assert row["Looked after"] == pytest.approx(summary.of(scenario, "looked_after", date), abs=0.0051)
        if str(formula["Looked after"]).startswith("="):
            parts = [row[name] for name in head[2:-2]]
            assert sum(parts) == pytest.approx(row["Looked after"], abs=1e-9)
            sums += 1
    assert sums == len(rows) - 3  # all but the start date of each scenario, where parts are left out


def test_small_counts_of_the_start_are_left_out_and_cannot_be_worked_out(shown, written, run, summary):
    start = [row for row in table(shown, "Children by type")[1] if row["Note"] == "start date: history"][0]
    counts = [value for key, value in start.items() if key not in ("Scenario", "Month end", "Looked after", "Note")]
    raw = summary.frame.sort_index().loc[("baseline", "looked_after")]["mean"]
    raw = [raw[name, "2022-07-31"] for name in raw.index.levels[0] if name.startswith("placement_type=")
           and (name, "2022-07-31") in raw.index]  # fmt: skip
    assert any(is_small(value) for value in raw)
    assert counts.count("[c]") >= 2
    assert not any(is_small(value) for value in counts if value != "[c]")
    first = [row for row in table(written, "Children by type")[1] if row["Note"] == "start date: history"][0]
    assert not str(first["Looked after"]).startswith("=")
    away = [row for row in table(shown, "Away from home")[1] if row["Note"]][0]
    assert away["Children looked after away from home, children"] == "[c]"


def test_spend_by_line_sums_to_the_gross_cost_of_the_summary(run, shown, written, summary):
    for name, scenario in (("Spend Baseline", "baseline"), ("Spend More early help", SCENARIO)):
        total, formula = table(shown, name)[1][-1], table(written, name)[1][-1]
        assert total["Line of cost"] == "Total"
        for heading, date in (
            ("2022-23 (part year), £", "2023-03-31"),
            ("2023-24, £", "2024-03-31"),
            ("2024-25, £", "2025-03-31"),
        ):
            assert formula[heading].startswith("=SUBTOTAL(109,")
            assert total[heading] == pytest.approx(summary.of(scenario, "gross_cost_gbp", date), abs=0.0051)
            lines = sum(row[heading] for row in table(shown, name)[1][:-1])
            assert lines == pytest.approx(total[heading], abs=1e-6)


def test_savings_are_those_of_the_summary_and_their_formulas_hold(run, shown, written, summary):
    rows, formulas = table(shown, "Savings")[1], table(written, "Savings")[1]
    so_far: dict[str, float] = {}
    for row, formula in zip(rows, formulas, strict=True):
        scenario = {"More early help": SCENARIO, "Dearer homes": "dearer_homes"}[row["Scenario"]]
        date = f"{int(row['Financial year'][:4]) + 1}-03-31"
        for heading, measure in (("Gross saving, £", "gross_saving_gbp"), ("Cashable, £", "cashable_saving_gbp"),
                                 ("Avoided, £", "avoided_cost_gbp"), ("Released, £", "released_capacity_gbp"),
                                 ("Net saving, £", "net_saving_gbp"),
                                 ("Net saving since the start, £", "cumulative_net_saving_gbp")):  # fmt: skip
            assert row[heading] == pytest.approx(summary.of(scenario, measure, date), abs=0.0051)
        assert row["Net saving, £: 80 % interval, low"] == summary.of(scenario, "net_saving_gbp", date, statistic="p10")
        parts = row["Cashable, £"] + row["Avoided, £"] + row["Released, £"]
        assert row["Gross saving, £"] == pytest.approx(parts, abs=1e-6)
        assert row["Net saving, £"] == pytest.approx(
            row["Gross saving, £"] - row["Released, £"] - row["Programme cost, £"], abs=1e-6
        )
        so_far[scenario] = so_far.get(scenario, 0.0) + row["Net saving, £"]
        assert row["Net saving since the start, £"] == pytest.approx(so_far[scenario], abs=1e-6)
        for heading in ("Gross saving, £", "Programme cost, £", "Net saving, £", "Net saving since the start, £"):
            assert formula[heading].startswith("=")
    in_all = only(table(shown, "Savings in all")[1], Scenario="More early help")
    assert in_all["Net saving, £"] == pytest.approx(so_far[SCENARIO], abs=1e-6)
    assert only(table(written, "Savings in all")[1], Scenario="More early help")["Net saving, £"].startswith(
        "=SUMIFS('Savings'!"
    )


def test_formulas_point_at_the_cells_they_mean(written, shown):
    sheet, values = written["Savings"], shown["Savings"]
    (found,) = sheet.tables.values()
    head = {cell.value: cell.column_letter for cell in sheet[found.ref][0]}
    row = sheet[found.ref][-1][0].row
    net = sheet[f"{head['Net saving, £']}{row}"].value
    cells = re.findall(r"[A-Z]+\d+", net)
    wanted = [f"{head[name]}{row}" for name in ("Gross saving, £", "Released, £", "Programme cost, £")]
    assert cells == wanted
    gross, released, programme = (values[cell].value for cell in cells)
    assert values[f"{head['Net saving, £']}{row}"].value == pytest.approx(gross - released - programme, abs=1e-6)


def test_targets_and_safety_are_those_of_the_command_line(run, shown):
    from carecast.scenarios.compare import safety_beside_savings

    rows = table(shown, "Targets")[1]
    found = run.assessments()
    assert [row["Probability that it is met"] for row in rows] == [round(a.met_probability, 6) for a in found]
    assert [row["Target"] for row in rows] == [a.target for a in found]
    safety = safety_beside_savings(run.answers)
    safety = safety[safety["chance_worse"].notna()]
    shown_difference = [row["Difference"] for row in table(shown, "Safety")[1]]
    assert shown_difference == pytest.approx(safety["difference"].tolist(), abs=0.0051)


def test_assumptions_hold_every_number_with_its_source(run, shown):
    rows = table(shown, "Assumptions")[1]
    ids = {row["Id in the parameter set"] for row in rows}
    assert set(run.record["parameters"]["numbers"]) <= ids
    assert all(row["Source"] and row["How"] in ("fitted", "published", "assumed") for row in rows)
    dictionary = table(shown, "Data dictionary")[1]
    assert {row["Table"] for row in dictionary} >= set(shown.sheetnames) - {
        "Cover",
        "Contents",
        "Notes",
        "Data dictionary",
        "Charts",
    }


def test_native_charts_have_words_for_those_who_cannot_see_them(content, written):
    assert len(written["Charts"]._charts) == 3
    packed = zipfile.ZipFile(io.BytesIO(content))
    drawing = packed.read("xl/drawings/drawing1.xml").decode()
    described = re.findall(r'descr="([^"]+)"', drawing)
    assert len(described) == 3
    assert "away from home" in described[0]
    chart = packed.read("xl/charts/chart1.xml").decode()
    assert "'Away from home'!$" in chart
    assert "prstDash" in chart  # lines are told apart by more than colour


def test_a_run_of_the_baseline_alone_has_no_sheet_of_savings(alone):
    book = openpyxl.load_workbook(io.BytesIO(build(alone, "xlsx")))
    assert "Savings" not in book.sheetnames
    assert "Spend by year" in book.sheetnames
