"""Faults that files made by other people's systems showed: rows swallowed, years mistaken, conflicts unnamed."""

import zipfile

import openpyxl
import pandas as pd
import pytest

from carecast.calibration.readers import read_history
from carecast.model.parameters import BadFile

HEAD = "CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC"
OPEN = "A,01/06/2020,S,V2,N1,U6,PR1,,"


def put(folder, name, *lines, encoding="utf-8"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return folder


def returns(folder, *years, births=("A,1,05/06/2010", "B,2,05/06/2012"), first=2021):
    """Yearly returns of these episode rows, each with the same header."""
    for year, rows in enumerate(years, first):
        put(folder, f"{year}/episodes.csv", HEAD, *rows)
        put(folder, f"{year}/header.csv", "CHILD,SEX,DOB", *births)
    return folder


def told(folder, form=None):
    history, report = read_history(folder, form)
    rows = report.rows
    assert rows["used"] + rows["excluded"] + rows["repaired"] + rows["refused"] == rows["read"]
    return history, report, {(p["file"], p["line"], p["rule"]) for p in report.problems()}


# --- files ------------------------------------------------------------------------------------------------------------
def test_a_stray_quotation_mark_swallows_no_row(tmp_path):
    text = ['A,"x,2', "B,y,4", 'C,"two', 'lines",6', 'D,z,"8', "E,w,1"]
    put(tmp_path, "episodes.csv", HEAD + ",NOTES", *(f"{r[0]},0{at}/06/2020,S,V2,N1,U6,PR1,,,{r[2:].split(',')[0]}"
                                                     for at, r in enumerate(text, 1) if r[0] in "ABDE"))  # fmt: skip
    _, report, _ = told(tmp_path)
    assert report.rows["read"] == 4
    assert list(report.tables[0].lines) == [2, 3, 4, 5]


def test_cells_of_two_lines_are_still_one_cell(tmp_path):
    put(tmp_path, "episodes.csv", HEAD + ",NOTES", 'A,01/06/2020,S,V2,N1,U6,PR1,,,"one', 'two"',
        "B,01/06/2020,S,V2,N1,U6,PR1,,,")  # fmt: skip
    _, report, _ = told(tmp_path)
    assert list(report.tables[0].lines) == [2, 4]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_text_without_its_mark(tmp_path, encoding):
    put(tmp_path, "episodes.csv", HEAD, OPEN, encoding=encoding)
    assert len(told(tmp_path)[0].placements) == 1


@pytest.mark.parametrize("start", ["01-JUN-2020 00:00:00", "2020-06-01T00:00:00", "1/6/20 00:00"])
def test_dates_with_a_time_of_day(tmp_path, start):
    put(tmp_path, "episodes.csv", HEAD, OPEN.replace("01/06/2020", start))
    assert list(told(tmp_path)[0].placements["start"]) == [pd.Timestamp("2020-06-01")]


def test_an_iso_date_with_day_and_month_exchanged_is_said(tmp_path):
    put(tmp_path, "episodes.csv", HEAD, OPEN.replace("01/06/2020", "2020-21-06"))
    history, _, found = told(tmp_path)
    assert list(history.placements["start"]) == [pd.Timestamp("2020-06-21")]
    assert ("episodes.csv", 2, "us_date") in found


def test_titles_of_several_cells_stand_above_the_heading(tmp_path):
    put(tmp_path, "episodes.csv", "A Council,SSDA903,Year 2021", "Prepared by,J Smith,12/05/2021", "", HEAD, OPEN)
    assert list(told(tmp_path)[1].tables[0].lines) == [5]


def test_null_is_blank(tmp_path):
    put(tmp_path, "episodes.csv", HEAD + ",REASON_PLACE_CHANGE", OPEN.replace(",,", ",NULL,NULL,NULL"))
    assert told(tmp_path)[2] == set()


def test_a_damaged_workbook_an_old_one_and_an_empty_file_are_named(tmp_path):
    put(tmp_path, "episodes.csv", HEAD, OPEN)
    book = openpyxl.Workbook()
    for at in range(300):
        book.active.append([at, "some words", "more"])
    book.save(tmp_path / "whole.zip")
    with zipfile.ZipFile(tmp_path / "whole.zip") as whole, zipfile.ZipFile(tmp_path / "cut.xlsx", "w") as cut:
        for name in whole.namelist():
            content = whole.read(name)
            cut.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    (tmp_path / "whole.zip").rename(tmp_path / "old.xls")
    (tmp_path / "empty.csv").touch()
    history, report, _ = told(tmp_path)
    assert len(history.placements) == 1
    notes = "\n".join(report.notes)
    assert all(name in notes for name in ("cut.xlsx: not a workbook", "old.xls: not read", "empty.csv: holds no table"))


def test_a_folder_of_old_workbooks_says_what_to_do(tmp_path):
    (tmp_path / "episodes.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(BadFile, match="save it as XLSX"):
        read_history(tmp_path)


# --- several returns in one file ----------------------------------------------------------------------------------------
def test_a_file_with_the_year_in_a_column_is_several_returns(tmp_path):
    first = ["A,01/06/2020,S,V2,N1,U6,PR1,,", "B,01/06/2020,S,V2,N1,U6,PR1,,"]
    second = ["A,01/06/2020,S,V2,N1,U6,PR1,01/09/2021,E4A"]
    apart = told(returns(tmp_path / "apart", first, second))[0]
    births = ("A,1,05/06/2010", "B,2,05/06/2012")
    put(
        tmp_path / "one",
        "episodes.csv",
        "YEAR," + HEAD,
        *(f"2020/21,{r}" for r in first),
        *(f"2021/22,{r}" for r in second),
    )
    put(
        tmp_path / "one",
        "header.csv",
        "YEAR,CHILD,SEX,DOB",
        *(f"{y},{b}" for y in ("2020/21", "2021/22") for b in births),
    )
    history, report, found = told(tmp_path / "one")
    pd.testing.assert_frame_equal(history.placements, apart.placements)
    assert report.counts["children_vanished"] == 1
    assert found == {("episodes.csv", 3, "vanished_between_returns")}


def test_a_few_dates_after_the_year_do_not_change_the_year(tmp_path):
    ended = [f"C{n},01/06/2020,S,V2,N1,U6,PR1,{n + 1:02d}/09/2020,E4A" for n in range(20)] * 2
    ended = [row.replace("C", f"C{at}", 1) for at, row in enumerate(ended)]
    late = [f"L{n},01/06/2020,S,V2,N1,U6,PR1,05/05/2021,E4A" for n in range(4)]
    births = [f"{row.partition(',')[0]},1,05/06/2010" for row in (*ended, *late)]
    _, report, found = told(returns(tmp_path, [*ended, *late], births=births))
    assert report.tables[0].year == 2021
    assert {line for _, line, rule in found if rule == "after_return_year"} == {42, 43, 44, 45}


def test_a_return_beside_its_own_draft_raises_nothing(tmp_path):
    rows = ["A,01/06/2020,S,V2,N1,U6,PR1,01/09/2020,X1", "A,01/09/2020,P,V2,N1,U6,PR4,,"]
    plain = told(returns(tmp_path / "plain", rows))[0]
    put(returns(tmp_path / "both", rows), "draft 2021.csv", HEAD, *rows)
    history, report, found = told(tmp_path / "both")
    assert found == set()
    assert report.rows["excluded"] == 2
    pd.testing.assert_frame_equal(history.placements, plain.placements)


def test_identifiers_that_a_spreadsheet_made_numbers_are_the_same_children(tmp_path):
    put(tmp_path, "episodes.csv", HEAD, OPEN.replace("A", "17", 1))
    put(tmp_path, "header.csv", "CHILD,SEX,DOB", "17.0,1,05/06/2010")
    history, _, found = told(tmp_path)
    assert found == set()
    assert list(history.children["dob"]) == [pd.Timestamp("2010-06-05")]


# --- rows that stand twice ------------------------------------------------------------------------------------------------
COMPANIONS = {
    "referrals.csv": ("REFERRAL_ID,CHILD,DOB,REF_DATE,OUTCOME", "F1,R1,01/02/2012,03/04/2020,Assessment"),
    "early_help.csv": (
        "EH_ID,CHILD,DOB,START_DATE,END_DATE,OUTCOME",
        "E1,H1,01/02/2012,03/04/2020,03/05/2020,Needs met",
    ),
    "costs.csv": ("CHILD,DECOM,WEEKLY_COST", "A,01/06/2020,500"),
    "capacity.csv": ("DATE,IN_HOUSE_FOSTER,IN_HOUSE_HOMES", "30/06/2020,50,6"),
    "2021/header.csv": ("CHILD,SEX,DOB", "A,1,05/06/2010"),
    "2021/uasc.csv": ("CHILD,SEX,DOB,DUC", "A,1,05/06/2010,05/06/2028"),
}


@pytest.mark.parametrize("name", COMPANIONS)
def test_both_copies_of_a_row_are_named(name, tmp_path):
    returns(tmp_path, [OPEN])
    head, row = COMPANIONS[name]
    put(tmp_path, name, head, row, row)
    _, report, found = told(tmp_path)
    assert {(name, 2, "duplicate_row"), (name, 3, "duplicate_row")} <= found
    assert report.rows["excluded"] == 1


@pytest.mark.parametrize(
    ("name", "other", "rule"),
    [
        ("referrals.csv", "F1,R2,01/02/2012,03/05/2020,Assessment", "number_twice"),
        ("early_help.csv", "E1,H2,01/02/2012,03/04/2020,03/05/2020,Needs met", "number_twice"),
        ("costs.csv", "A,01/06/2020,900", "same_start_twice"),
        ("capacity.csv", "30/06/2020,40,6", "same_day_twice"),
        ("2021/header.csv", "A,2,05/06/2010", "child_twice"),
        ("2021/uasc.csv", "A,2,05/06/2010,05/06/2028", "child_twice"),
    ],
)
def test_two_rows_for_one_thing_are_both_named(name, other, rule, tmp_path):
    returns(tmp_path, [OPEN])
    put(tmp_path, name, *COMPANIONS[name], other)
    history, _, found = told(tmp_path)
    assert {(name, 2, rule), (name, 3, rule)} <= found
    if name == "capacity.csv":
        assert sorted(history.capacity["places"]) == [6, 40]


# --- returns that disagree ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ("A,01/06/2020,S,V2,N1,U6,PR1,01/02/2021,E4A", "A,01/06/2020,S,V2,N1,U6,PR1,01/05/2021,E4A", "end_changed"),
        (OPEN, "A,01/06/2020,S,V2,N1,U6,PR1,01/02/2021,E4A", "end_changed"),
        (OPEN, "A,01/06/2020,P,V2,N1,U6,PR1,01/05/2021,E4A", "reason_changed"),
        (OPEN, "A,06/01/2020,S,V2,N1,U6,PR1,01/05/2021,E4A", "start_changed"),
        (OPEN, "A,11/06/2020,S,V2,N1,U6,PR1,01/05/2021,E4A", "start_changed"),
    ],
)
def test_both_versions_of_an_episode_that_changed_are_named(first, second, rule, tmp_path):
    history, _, found = told(returns(tmp_path, [first], [second]))
    assert {(f"{year}/episodes.csv", 2, f"{rule}_between_returns") for year in (2021, 2022)} <= found
    assert len(history.placements) == 1


def test_an_end_before_the_years_first_day_is_said(tmp_path):
    rows = [f"C{n},01/06/2019,S,V2,N1,U6,PR1,{n + 1:02d}/09/2020,E4A" for n in range(10)]
    bad = "A,01/06/2019,S,V2,N1,U6,PR1,01/02/2020,E4A"
    births = [f"{row.partition(',')[0]},1,05/06/2010" for row in (*rows, bad)]
    assert ("2021/episodes.csv", 12, "before_return_year") in told(returns(tmp_path, [*rows, bad], births=births))[2]


# --- header, unaccompanied children, codes, distances, costs --------------------------------------------------------------
def test_what_is_wrong_in_header_and_unaccompanied_tables(tmp_path):
    returns(tmp_path, [OPEN, "B,01/06/2020,S,V2,N8,U6,PR1,,"], births=("A,1,05/06/2002", "B,2,05/06/2012"))
    put(tmp_path, "2021/header.csv", "CHILD,SEX,DOB,ETHNIC", "A,1,05/01/2003,WBRI", "B,2,05/06/2012,ZZZZ")
    put(tmp_path, "2021/uasc.csv", "CHILD,SEX,DOB,DUC", "B,2,05/06/2001,31/02/2019", "X,1,05/06/2008,05/06/2026")
    _, _, found = told(tmp_path)
    assert {
        ("2021/header.csv", 2, "past_18"), ("2021/header.csv", 3, "unknown_code"), ("2021/uasc.csv", 2, "impossible_date"),
        ("2021/uasc.csv", 2, "over_18_at_start"), ("2021/uasc.csv", 3, "child_not_in_header"),
    } <= found  # fmt: skip


def test_codes_out_of_their_years_are_said(tmp_path):
    rows = ["A,01/06/2020,S,V2,N1,K3,PR4,01/09/2020,E4A", "B,01/06/2020,S,V2,N1,H5,PR4,,"]
    assert {line for _, line, rule in told(returns(tmp_path / "early", rows))[2] if rule == "code_out_of_date"} == {2}
    late = ["A,01/06/2025,S,V2,N1,Z1,,,", "B,01/06/2025,S,V2,N1,Z11,,,"]
    found = told(returns(tmp_path / "late", late, first=2026))[2]
    assert {line for _, line, rule in found if rule == "code_out_of_date"} == {2}


def test_miles_and_costs_that_cannot_be(tmp_path):
    rows = [f"{name},01/06/2020,S,V2,N1,U6,PR1,," for name in "ABCD"]
    births = [f"{name},1,05/06/2010" for name in "ABCD"]
    returns(tmp_path, rows, rows, births=births)
    lines = [f"{row},{miles}" for row, miles in zip(rows, ("-4", "12000", "999.9", "400"), strict=True)]
    put(tmp_path, "2021/episodes.csv", HEAD + ",PL_DISTANCE", *lines)
    costs = ("A,01/06/2020,0,-3", "B,01/06/2020,,2", 'C,01/06/2020,"£1,234.50",2', "D,01/06/2020,-,1200")
    put(tmp_path, "costs.csv", "CHILD,DECOM,WEEKLY_COST,DISTANCE_MILES", *costs)
    history, _, found = told(tmp_path)
    here = {(line, rule) for file, line, rule in found if file == "2021/episodes.csv"}
    assert here == {(2, "distance_unknown"), (3, "distance_unknown"), (5, "distance_unlikely")}
    assert {(line, rule) for file, line, rule in found if file == "costs.csv"} == {
        (2, "cost_unlikely"), (2, "distance_unknown"), (3, "blank_number"), (5, "not_a_number"), (5, "distance_unknown"),
    }  # fmt: skip
    assert list(history.costs["weekly_cost_gbp"]) == [1234.5]


def test_a_longer_code_is_not_read_as_a_shorter_one(tmp_path):
    returns(tmp_path, [OPEN])
    put(tmp_path, "referrals.csv", "CHILD,REF_DATE,PRIMARY_NEED", "R1,03/04/2020,N99", "R2,03/04/2020,N1 - Abuse")
    assert {line for file, line, rule in told(tmp_path)[2] if file == "referrals.csv"} == {2}


def test_columns_that_are_not_there_are_told_and_refuse_no_row(tmp_path):
    put(tmp_path, "episodes.csv", "DECOM,CHILD,DEC,PLACE", "01/06/2020,A,01/09/2020,U6", "01/06/2020,B,,U6")
    _, report, found = told(tmp_path)
    assert found == set()
    assert {"REC", "RNE", "LS", "CIN", "PLACE_PROVIDER"} <= {item["missing"] for item in report.missing}


def test_months_without_capacity_are_noted(tmp_path):
    returns(tmp_path, [OPEN])
    put(
        tmp_path,
        "capacity.csv",
        "DATE,IN_HOUSE_FOSTER,IN_HOUSE_HOMES",
        "30/06/2020,50,6",
        "31/07/2020,50,6",
        "30/09/2020,5,6",
    )
    assert any("1 month (2020-08)" in note for note in told(tmp_path)[1].notes)


# --- other formats --------------------------------------------------------------------------------------------------------
def test_annex_a_ages_and_pairs_in_every_list(tmp_path):
    first = ("Child Unique ID", "Date of Birth")
    book = openpyxl.Workbook()
    book.remove(book.active)
    sheets = {
        "List 3": [(*first, "Date of referral"), ("A", "01/02/2001", "01/06/2020"), ("B", "01/02/2023", "01/06/2020")],
        "List 7": [(*first, "Child Protection Plan Start Date", "Child Protection Plan End Date"),
                   ("C", "01/02/2012", "01/06/2020", "01/09/2020"), ("C", "01/02/2012", "01/07/2020", "01/10/2020"),
                   ("D", "01/02/2012", "01/06/2020", None), ("D", "01/02/2012", "01/07/2020", None)],
    }  # fmt: skip
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    _, _, found = told(tmp_path, "annex_a")
    assert {
        ("a.xlsx [List 3]", 2, "over_18_at_start"), ("a.xlsx [List 3]", 3, "dob_after_referral"),
        ("a.xlsx [List 7]", 2, "overlapping_episodes"), ("a.xlsx [List 7]", 3, "overlapping_episodes"),
        ("a.xlsx [List 7]", 4, "two_open_episodes"), ("a.xlsx [List 7]", 5, "two_open_episodes"),
    } <= found  # fmt: skip


def test_tidy_tables_are_checked_as_the_others_are(tmp_path):
    put(tmp_path, "children.csv", "child,dob", "A,01/02/2000", "B,01/02/2012", "B,01/03/2012")
    put(
        tmp_path,
        "placements.csv",
        "child,start,end,placement_type",
        "A,01/06/2020,,foster_own",
        "B,01/06/2020,,foster_own",
    )
    put(
        tmp_path,
        "support.csv",
        "child,start,end,end_reason",
        "S,01/06/2020,01/09/2020,",
        "S,01/07/2020,01/10/2020,done",
    )
    put(tmp_path, "early_help.csv", "child,start,end,outcome", "E,01/06/2020,,", "E,01/07/2020,,",
        "F,01/06/2020,01/07/2020,", "G,01/06/2020,01/07/2020,needs_met")  # fmt: skip
    _, _, found = told(tmp_path)
    assert {
        ("children.csv", 2, "over_18_at_start"), ("children.csv", 3, "child_twice"), ("children.csv", 4, "child_twice"),
        ("support.csv", 2, "missing_reason"), ("support.csv", 2, "overlapping_episodes"),
        ("support.csv", 3, "overlapping_episodes"), ("early_help.csv", 2, "two_open_episodes"),
        ("early_help.csv", 3, "two_open_episodes"), ("early_help.csv", 4, "missing_reason"),
    } <= found  # fmt: skip


def test_a_plan_that_ends_without_a_start_is_said(tmp_path):
    put(tmp_path, "cin.csv", "LAchildID,PersonBirthDate,CINreferralDate,CINPlanStartDate,CINPlanEndDate",
        "A,2012-02-01,2020-06-01,,2020-09-01", "B,2012-02-01,2020-06-01,2020-06-01,2020-09-01")  # fmt: skip
    assert {line for _, line, rule in told(tmp_path)[2] if rule == "blank_start"} == {2}
