"""The return of looked-after children: truth comes back, defects are found where they stand, nothing personal is said."""

import datetime as dt
import json
import random
import re

import openpyxl
import pandas as pd
import pytest

from carecast.calibration.readers import read_history
from carecast.model.parameters import BadFile
from tests.calibration.readers import defects
from tests.calibration.readers import returns as made


def read(folder, **options):
    history, report = read_history(folder, **options)
    for item in (*report.files, {"rows": report.rows}):
        rows = item["rows"]
        assert rows["used"] + rows["excluded"] + rows["repaired"] + rows["refused"] == rows["read"]
    return history, report


def same(one, other):
    assert sorted(one.tables) == sorted(other.tables)
    for name, frame in one.tables.items():
        pd.testing.assert_frame_equal(frame, other.tables[name])
    assert (one.observed_from, one.observed_to) == (other.observed_from, other.observed_to)


@pytest.fixture(scope="module")
def world():
    return made.make_world(5, 120, first_year=2018, referrals=120)


@pytest.fixture(scope="module")
def clean(world, tmp_path_factory):
    return made.write_returns(tmp_path_factory.mktemp("clean"), made.yearly(world), world)


def test_the_stock_and_the_children_come_back(world, clean):
    history, report = read(clean)
    assert report.rows["refused"] == report.rows["repaired"] == 0
    placed = history.placements
    for year in range(2018, 2026):
        day = pd.Timestamp(year, 3, 31)
        looked_after = placed[(placed["start"] <= day) & ~(placed["end"] <= day)]
        assert len(looked_after) == looked_after["child"].nunique() == len(world.stock(day.date()))
    assert sorted(history.children["dob"].dropna()) == sorted(
        pd.Timestamp(d) for d in {**{n: a["dob"] for n, a in world.children.items()},
                                  **{r["CHILD"]: r["DOB"] for r in (*world.referrals, *world.early_help)}}.values()
    )  # fmt: skip
    assert int(history.children["unaccompanied"].sum()) == sum(a["uasc"] for a in world.children.values())
    assert len(history.referrals) == len(world.referrals)
    assert history.costs["weekly_cost_gbp"].notna().all()
    assert history.observed_from == dt.date(2017, 4, 1)
    assert history.observed_to == world.end


@pytest.mark.parametrize("style", [1, 2])
def test_names_of_files_and_folders_do_not_matter(world, clean, tmp_path, style):
    same(read(clean)[0], read(made.write_returns(tmp_path, made.yearly(world), world, style=style))[0])


def test_order_of_rows_and_names_of_children_do_not_matter(world, clean, tmp_path):
    rng = random.Random(1)
    renamed = {name: f"{rng.randrange(10**9)}" for name in
               {*world.children, *(r["CHILD"] for r in (*world.referrals, *world.early_help))}}  # fmt: skip
    for path in clean.rglob("*.csv"):
        head, *lines = path.read_text().splitlines()
        if "CHILD" in head.split(","):
            at = head.split(",").index("CHILD")
            cells = [line.split(",") for line in lines]
            lines = [",".join([*c[:at], renamed[c[at]], *c[at + 1 :]]) for c in cells]
        rng.shuffle(lines)
        target = tmp_path / path.relative_to(clean)
        target.parent.mkdir(exist_ok=True, parents=True)
        target.write_text("\n".join([head, *lines]) + "\n")
    same(read(clean)[0], read(tmp_path)[0])


def test_one_file_of_all_years_is_the_same_history(world, clean, tmp_path):
    returns = made.yearly(world)
    latest = {}
    for year in sorted(returns):
        for row in returns[year]["episodes"]:
            latest[row["CHILD"], row["DECOM"]] = row
    made.write_csv(tmp_path / "episodes.csv", list(latest.values()), made.EPISODE_COLUMNS)
    header = {row["CHILD"]: row for year in returns for row in returns[year]["header"]}
    uasc = {row["CHILD"]: row for year in returns for row in returns[year]["uasc"]}
    made.write_csv(tmp_path / "header.csv", list(header.values()), made.HEADER_COLUMNS)
    made.write_csv(tmp_path / "uasc.csv", list(uasc.values()), ["CHILD", "SEX", "DOB", "DUC"])
    made.write_companions(tmp_path, world)
    same(read(clean)[0], read(tmp_path)[0])


def _styled(world, path, change, encoding="utf-8", separator=","):
    for year, tables in made.yearly(world).items():
        for kind in ("episodes", "header", "uasc"):
            rows = [{k.lower(): change(v) for k, v in row.items()} for row in tables[kind]]
            if rows:
                made.write_csv(path / str(year) / f"{kind}.csv", rows, encoding=encoding, separator=separator)
    return path


def iso(value):
    return re.sub(r"^(\d\d)/(\d\d)/(\d{4})$", r"\3-\2-\1", value)


@pytest.mark.parametrize(
    ("change", "encoding", "separator"),
    [(iso, "utf-8-sig", ";"), (str.lower, "cp1252", "\t"), (lambda v: f" {v} ", "utf-16", ",")],
)
def test_encodings_separators_dates_and_case(world, tmp_path, change, encoding, separator):
    plain = read(_styled(world, tmp_path / "plain", str))[0]
    same(plain, read(_styled(world, tmp_path / "styled", change, encoding, separator))[0])


def test_workbooks_with_real_dates(world, tmp_path):
    plain = read(_styled(world, tmp_path / "plain", str))[0]
    for year, tables in made.yearly(world).items():
        book = openpyxl.Workbook()
        book.remove(book.active)
        for kind in ("episodes", "header", "uasc"):
            sheet = book.create_sheet(kind)
            if tables[kind]:
                sheet.append(list(tables[kind][0]))
            for row in tables[kind]:
                sheet.append([dt.datetime.strptime(v, "%d/%m/%Y") if re.fullmatch(r"\d\d/\d\d/\d{4}", v) else v
                              for v in row.values()])  # fmt: skip
        (tmp_path / "books").mkdir(exist_ok=True)
        book.save(tmp_path / "books" / f"SSDA903 {year - 1}-{year}.xlsx")
    same(plain, read(tmp_path / "books")[0])


# --- defects --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(4))
def test_planted_defects_are_found_and_good_rows_kept(tmp_path, seed):
    world = made.make_world(seed, 350, referrals=60)
    tables = made.yearly(world)
    planted, touched = defects.plant(tables, world, random.Random(seed), each=3)
    assert {one.kind for one in planted} == set(defects.DEFECTS)
    folder = made.write_returns(tmp_path, tables, world)
    _, report = read(folder)
    found = {(p["file"], p["line"], p["rule"]) for p in report.problems()}
    missed = [
        one for one in planted
        if not any((f"{one.year - 1}-{one.year % 100:02d}/{one.table.title()}.csv", one.at + 2, rule) in found
                   for rule in one.rules)
    ]  # fmt: skip
    assert missed == []
    for number, table in enumerate(report.tables):
        if "child" in table.frame.columns:
            good = ~table.frame["child"].isin(touched).to_numpy()
            assert not (report.fates(number)[good] == 3).any(), table.file


def test_messages_hold_no_childs_values(tmp_path):
    world = made.make_world(7, 200, referrals=60, prefix="QX")
    tables = made.yearly(world)
    defects.plant(tables, world, random.Random(3), each=3)
    for rows in tables.values():
        for row in rows["episodes"]:
            row["HOME_POST"], row["PL_POST"] = "ZZ9 9ZZ", "ZZ8 8ZZ"
    _, report = read(made.write_returns(tmp_path, tables, world))
    said = json.dumps(report.document())
    assert not re.search(r"QX\d|ZZ\d|\d\d/\d\d/\d{4}|SC\d{6}", said)


def test_every_problem_says_where_what_and_how_grave(tmp_path):
    world = made.make_world(8, 150, referrals=30)
    tables = made.yearly(world)
    defects.plant(tables, world, random.Random(3), each=2)
    _, report = read(made.write_returns(tmp_path, tables, world))
    for problem in report.problems():
        assert set(problem) == {"file", "line", "column", "rule", "message", "severity"}
        assert problem["severity"] in ("error", "warning", "info")
        assert problem["line"] >= 2
    errors = sum(
        1 for p in {(p["file"], p["line"]) for p in report.problems() if p["severity"] == "error"} for _ in [p]
    )
    assert errors == report.rows["refused"]


# --- single rules, by hand -------------------------------------------------------------------------------------------
HEAD = "CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC"


def hand(tmp_path, *returns, births=("A,1,05/06/2010",)):
    """Returns as lists of episode rows; the first is of 2020-21."""
    for at, rows in enumerate(returns):
        folder = tmp_path / f"{2020 + at}-{21 + at}"
        folder.mkdir()
        (folder / "episodes.csv").write_text("\n".join([HEAD, *rows]) + "\n")
        (folder / "header.csv").write_text("\n".join(["CHILD,SEX,DOB", *births]) + "\n")
    return read(tmp_path)


def test_the_latest_version_of_an_open_episode_wins(tmp_path):
    history, report = hand(
        tmp_path, ["A,01/06/2020,S,V2,N1,U6,PR1,,E4A"], ["A,01/06/2020,S,C2,N1,U4,PR1,01/09/2021,E4A"],
        ["B,01/06/2022,S,C2,N1,U4,PR1,,"], births=("A,1,05/06/2010", "B,2,05/06/2012"),
    )  # fmt: skip
    first = history.placements.iloc[0]
    assert first["end"] == pd.Timestamp("2021-09-01")
    assert (first["cause"], first["legal_status"]) == ("exit_home", "C2")
    assert report.rows["excluded"] == 1
    assert [p["rule"] for p in report.problems()] == ["reason_without_end"]


def test_a_child_who_vanishes_is_followed_to_the_end_of_the_return(tmp_path):
    history, report = hand(
        tmp_path, ["A,01/06/2020,S,V2,N1,U6,PR1,,", "B,01/06/2020,S,V2,N1,U6,PR1,,"],
        ["B,01/06/2020,S,V2,N1,U6,PR1,31/03/2022,E8"], births=("A,1,05/06/2010", "B,2,05/06/2012"),
    )  # fmt: skip
    lost = history.placements[history.placements["end"].isna()]
    assert list(lost["end_kind"]) == ["vanished"]
    assert list(lost["observed_to"]) == [pd.Timestamp("2021-03-31")]
    assert report.counts["children_vanished"] == 1


def test_legal_changes_merge_moves_count_and_absences_are_bridged(tmp_path):
    history, _ = hand(tmp_path, [
        "A,01/05/2020,S,V2,N1,U6,PR1,01/06/2020,X1", "A,01/06/2020,L,C1,N1,U6,PR1,01/07/2020,X1",
        "A,01/07/2020,P,C1,N1,T1,,08/07/2020,X1", "A,08/07/2020,P,C1,N1,U6,PR1,01/09/2020,X1",
        "A,01/09/2020,P,C1,N1,K2,PR4,01/10/2020,X1", "A,01/10/2020,T,C1,N1,R1,PR4,01/03/2021,E4A",
    ])  # fmt: skip
    placed = history.placements
    assert list(placed["placement_type"]) == ["foster_own", "residential_external"]
    assert list(placed["start_kind"]) == ["entry", "move"]
    assert list(placed["cause"]) == ["", "exit_home"]
    assert len(history.episodes) == 6


def test_short_breaks_are_left_out_by_name(tmp_path):
    history, report = hand(
        tmp_path, ["A,01/05/2020,S,v3,N2,U6,PR1,05/05/2020,E8", "A,01/07/2020,S,V2,N2,U6,PR1,01/03/2021,E4A"]
    )
    assert len(history.placements) == 1
    assert [r["rule"] for r in report.by_rule()] == ["short_break"]


def test_a_start_already_in_care_is_left_truncated(tmp_path):
    history, _ = hand(tmp_path, ["A,01/07/2020,L,C2,N1,U4,PR1,01/03/2021,E4A"])
    assert list(history.placements["start_kind"])[:1] == ["already_in_care"]
    assert history.placements["care_started"].isna().all()


def test_an_end_that_cannot_be_is_mended_by_what_follows_or_refused(tmp_path):
    history, report = hand(tmp_path, [
        "A,01/05/2020,S,V2,N1,U6,PR1,31/02/2020,X1", "A,01/07/2020,P,V2,N1,U6,PR4,01/06/2020,E4A",
    ])  # fmt: skip
    assert list(history.placements["end"]) == [pd.Timestamp("2020-07-01")]
    assert (report.rows["repaired"], report.rows["refused"]) == (1, 1)


def test_ambiguous_american_dates_are_seen_by_what_fits(tmp_path):
    history, report = hand(tmp_path, [
        "A,02/05/2020,S,V2,N1,U6,PR1,07/11/2020,X1", "A,11/07/2020,P,V2,N1,U6,PR4,01/02/2021,E4A",
    ])  # fmt: skip
    assert history.placements["end"].iloc[0] == pd.Timestamp("2020-07-11")
    assert [(p["rule"], p["line"]) for p in report.problems()] == [("us_date", 2), ("us_date", 3)]


def test_no_header_at_all_still_gives_a_history(tmp_path):
    (tmp_path / "episodes.csv").write_text(f"{HEAD}\nA,01/05/2020,S,V2,N1,U6,PR1,01/06/2020,E4A\n")
    history, report = read(tmp_path)
    assert len(history.placements) == 1
    assert history.children["dob"].isna().all()
    assert "header" in {item["missing"] for item in report.missing}


def test_nothing_usable_is_a_bad_file(tmp_path):
    with pytest.raises(BadFile, match="no such file"):
        read_history(tmp_path / "absent")
    with pytest.raises(BadFile, match="holds no CSV"):
        read_history(tmp_path)
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BadFile, match="no table of a known format"):
        read_history(tmp_path)
    with pytest.raises(BadFile, match="should be one of"):
        read_history(tmp_path, "excel")
    with pytest.raises(BadFile, match="no episodes table"):
        read_history(tmp_path, "ssda903")


def test_what_was_known_at_a_day(world, clean, tmp_path):
    day = dt.date(2022, 3, 31)
    cut = {year: tables for year, tables in made.yearly(world).items() if year <= 2022}
    made.write_returns(tmp_path, cut)
    known, later = read(tmp_path)[0].as_at(day), read(clean)[0].as_at(day)
    columns = [name for name in known.placements.columns if name not in ("child", "weekly_cost_gbp")]
    order = ["start", "placement_type", "distance_miles", "end", "spell"]
    pd.testing.assert_frame_equal(
        known.placements[columns].sort_values(order, ignore_index=True),
        later.placements[columns].sort_values(order, ignore_index=True),
    )


@pytest.mark.slow
def test_twelve_years_of_a_council_lose_no_referral(tmp_path):
    world = made.make_world(2, 2600, referrals=50_000)
    made.write_returns(tmp_path, made.yearly(world), world)
    history, _ = read_history(tmp_path)
    assert len(history.referrals) == 50_000
