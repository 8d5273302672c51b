"""Each defect of a return planted in every format, and files as nasty as real ones: found, said, nothing else lost."""

import datetime as dt
import random
import re

import openpyxl
import pytest
from typer.testing import CliRunner

from carecast.calibration.readers import read_history
from carecast.cli.main import app
from tests.calibration.readers import defects, other_formats
from tests.calibration.readers import returns as made

LINES_OF_A_REFERRAL = 8  # in the census, from the element that the checker names


def written(form, folder, rows):
    """(folder, name as the checker shows it, first line of each row, how many lines it takes)."""
    if form == "cin":
        folder, name, lines = other_formats.write_cin(folder, rows)
        return folder, name, lines, LINES_OF_A_REFERRAL
    lines = [at + 2 for at in range(len(rows))]
    if form == "annex_a":
        return (*other_formats.write_annex(folder, rows), lines, 1)
    made.write_csv(folder / "CLAS 2024-25.csv", rows)
    return folder, "CLAS 2024-25.csv", lines, 1


@pytest.mark.parametrize("form", other_formats.FORMATS)
@pytest.mark.parametrize("seed", range(3))
def test_planted_defects_of_other_formats_are_found(form, seed, tmp_path):
    rows, planted, touched = other_formats.plant_all(random.Random(seed), form)
    assert len(planted) >= 50
    folder, name, lines, span = written(form, tmp_path, rows)
    _, report = read_history(folder, form)
    found = {(p["file"], p["line"], p["rule"]) for p in report.problems()}
    missed = [
        (kind, where) for kind, where, rules in planted
        if not any((name, lines[at] + more, rule) in found for at in where for more in range(span) for rule in rules)
    ]  # fmt: skip
    assert missed == []
    for number, table in enumerate(report.tables):
        good = ~table.frame["child"].isin(touched).to_numpy()
        assert not (report.fates(number)[good] == 3).any()
    assert sum(report.rows[fate] for fate in ("used", "excluded", "repaired", "refused")) == report.rows["read"]


@pytest.mark.parametrize("form", other_formats.FORMATS)
def test_clean_files_of_other_formats_raise_no_problem(form, tmp_path):
    rows = other_formats.FORMATS[form][0](random.Random(9))
    folder, *_ = written(form, tmp_path, rows)
    _, report = read_history(folder, form)
    assert [p for p in report.problems() if p["severity"] != "info"] == []
    assert report.rows["refused"] == 0


# --- the return of looked-after children, as workbooks --------------------------------------------------------------------
@pytest.mark.parametrize("seed", [11, 12])
def test_planted_defects_of_workbooks_are_found(seed, tmp_path):
    """One workbook a year, real dates where they can be; what is no date stays text, as in a spreadsheet."""
    world = made.make_world(seed, 350, referrals=0)
    tables = made.yearly(world)
    planted, touched = defects.plant(tables, world, random.Random(seed), each=3)
    names = {}
    for year, kinds in tables.items():
        book = openpyxl.Workbook()
        book.remove(book.active)
        for kind in ("episodes", "header", "uasc"):
            if kinds[kind]:
                sheet = book.create_sheet(kind.upper())
                sheet.append(list(kinds[kind][0]))
                for row in kinds[kind]:
                    sheet.append([cell(v) for v in row.values()])
        names[year] = f"903 return {year - 1}-{year % 100:02d}.XLSX"
        book.save(tmp_path / names[year])
    _, report = read_history(tmp_path)
    found = {(p["file"], p["line"], p["rule"]) for p in report.problems()}
    missed = [
        one for one in planted
        if not any((f"{names[one.year]} [{one.table.upper()}]", one.at + 2, rule) in found for rule in one.rules)
    ]  # fmt: skip
    assert missed == []
    for number, table in enumerate(report.tables):
        good = ~table.frame["child"].isin(touched).to_numpy()
        assert not (report.fates(number)[good] == 3).any(), table.file


def cell(text):
    """A true date as a date, a number as a number, blank as nothing."""
    if re.fullmatch(r"\d\d/\d\d/\d{4}", text):
        try:
            return dt.datetime.strptime(text, "%d/%m/%Y")
        except ValueError:
            return text
    return text or None


# --- nasty files ----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def world():
    return made.make_world(21, 220, first_year=2014, last_year=2025, referrals=0)


@pytest.fixture(scope="module")
def plain(world, tmp_path_factory):
    return read_history(made.write_returns(tmp_path_factory.mktemp("plain"), made.yearly(world)))[0]


def rows_as(rows, change):
    return [{name: change(name, value) for name, value in row.items()} for row in rows]


def some_iso(name, value):
    """Half of the dates ISO, by their day: both styles in one column."""
    found = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", value)
    return f"{found[3]}-{found[2]}-{found[1]}" if found and int(found[1]) % 2 else value


def serial(name, value):
    found = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", value)
    if not found:
        return value
    return str((dt.date(int(found[3]), int(found[2]), int(found[1])) - dt.date(1899, 12, 30)).days)


def lower(name, value):
    return value.lower() if name != "DOB" else value


STYLES = {
    "both date styles": (some_iso, {}),
    "day numbers": (serial, {}),
    "small letters": (lower, {}),
    "byte order mark, semicolons": (lambda name, value: value, {"encoding": "utf-8-sig", "separator": ";"}),
}


@pytest.mark.parametrize("style", STYLES)
def test_styles_of_cells_change_nothing(style, world, plain, tmp_path):
    change, how = STYLES[style]
    for year, tables in made.yearly(world).items():
        for kind in ("episodes", "header", "uasc"):
            if tables[kind]:
                rows = rows_as(tables[kind], change)
                made.write_csv(tmp_path / f"ssda903_{year}_{kind}.csv", rows, **how)
    history, report = read_history(tmp_path)
    same_placements(history, plain)
    assert report.rows["refused"] == 0


NAMES = (
    "SSDA903_{year}_{kind}.csv", "903 {Kind} {before}-{short}.CSV", "{kind} {before}_{year}.csv",
    "LAC {year}/{Kind}.csv", "{year}/SSDA903 {KIND}.CSV",
)  # fmt: skip


def test_every_year_named_in_its_own_way(world, plain, tmp_path):
    """Header and episodes of twelve years, the names in any case and style."""
    for at, (year, tables) in enumerate(made.yearly(world).items()):
        for kind in ("episodes", "header", "uasc"):
            if tables[kind]:
                name = NAMES[at % len(NAMES)].format(year=year, before=year - 1, short=f"{year % 100:02d}", kind=kind,
                                                     Kind=kind.title(), KIND=kind.upper())  # fmt: skip
                made.write_csv(tmp_path / name, tables[kind])
    history, report = read_history(tmp_path)
    assert {table.year for table in report.tables} == set(range(2014, 2026))
    same_placements(history, plain)


def test_trailing_blank_lines_and_columns_nobody_asked_for(world, plain, tmp_path):
    folder = made.write_returns(tmp_path, made.yearly(world))
    for file in folder.rglob("*.csv"):
        lines = file.read_text(encoding="utf-8").splitlines()
        wider = [f"{line},{'System Notes' if not n else ''}," for n, line in enumerate(lines)]
        file.write_text("\n".join([*wider, "," * lines[0].count(","), "", "   ", ""]) + "\n", encoding="utf-8")
    history, report = read_history(folder)
    same_placements(history, plain)
    assert report.rows["refused"] == 0


def same_placements(history, plain):
    columns = ["start", "end", "placement_type", "cause", "start_kind", "end_kind"]
    left, right = (h.placements[columns].sort_values(columns).reset_index(drop=True) for h in (history, plain))
    assert left.equals(right)


# --- nothing usable -------------------------------------------------------------------------------------------------------
NOTHING = {
    "an empty folder": {},
    "an empty file": {"episodes.csv": b""},
    "headings alone": {"episodes.csv": b"CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC\n"},
    "rubbish": {"episodes.xlsx": b"this is no workbook"},
    "a picture": {"episodes.csv": bytes(range(256)) * 8},
    "another subject": {"bins.csv": b"street,day\nHigh Street,Monday\n"},
    "no row that can be used": {
        "episodes.csv": b"CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC\nA,,S,C2,N1,U6,PR1,,\n"
    },
}


@pytest.mark.parametrize("what", NOTHING)
def test_nothing_usable_is_one_clear_line_and_exit_code_two(what, tmp_path):
    folder = tmp_path / "returns"
    folder.mkdir()
    for name, content in NOTHING[what].items():
        (folder / name).write_bytes(content)
    for command in (["check", str(folder)], ["calibrate", str(folder), "--out", str(tmp_path / "set")]):
        told = CliRunner().invoke(app, command)
        assert told.exit_code == 2, told.output
        assert "Traceback" not in told.output
        lines = [line for line in told.output.splitlines() if line.startswith("carecast: ")]
        assert len(lines) == 1 or all("returns" in line for line in lines)
        named = told.output.replace("\n", "")
        assert str(folder) in named or any(name in named for name in NOTHING[what])
    assert not (tmp_path / "set").exists()
