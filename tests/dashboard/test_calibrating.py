"""Bringing files, checking them row by row, adopting a set: what is kept, and what never is."""

import io
import json
import stat
import zipfile

import pandas as pd
import pytest

from carecast.dashboard import calibrating, private
from carecast.dashboard.calibrating import FILES, SET, Question
from carecast.dashboard.long_work import CancelledError
from carecast.dashboard.panels import calibration as panels
from carecast.model.parameters import BadFile, save
from tests import toy

EPISODES = """CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC,REASON_PLACE_CHANGE,HOME_POST,PL_POST,URN,PL_DISTANCE
SECRET1,01/05/2023,S,C2,N1,U6,PR1,01/03/2024,E4A,,,,,3.2
SECRET2,31/02/2023,S,C2,N1,U6,PR1,,,,,,,4.0
SECRET3,10/06/2023,S,C2,N1,K2,PR4,,,,,,,40
"""
HEADER = (
    "CHILD,SEX,DOB,ETHNIC,UPN,MOTHER,MC_DOB\n"
    "SECRET1,1,03/04/2012,WBRI,,,\nSECRET2,2,03/04/2014,WBRI,,,\nSECRET3,2,07/08/2009,WBRI,,,\n"
)
NOTHING = lambda told, total: None  # noqa: E731


def zipped(files):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return held.getvalue()


@pytest.fixture
def home():
    folder = private.new()
    (folder / FILES).mkdir()
    yield folder
    private.forget(folder)


def bring(home, files=None):
    return private.lay(
        home / FILES,
        [("r.zip", zipped(files or {"2023-24/Episodes.csv": EPISODES, "2023-24/Header.csv": HEADER}))],
    )


def test_what_is_brought_is_for_this_user_alone_and_goes(home):
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert bring(home) == ["2023-24/Episodes.csv", "2023-24/Header.csv"]
    private.forget(home)
    assert not home.exists()


def test_only_private_folders_are_taken_away(tmp_path):
    private.forget(tmp_path)
    private.forget(None)
    assert tmp_path.is_dir()


def test_a_name_cannot_lead_out_of_the_folder(home):
    laid = bring(
        home, {"../../outside.csv": "a,b\n", "/root/x.csv": "a\n", "notes.docx": "no", "__MACOSX/._y.csv": "z"}
    )
    inside = {str(file.relative_to(home / FILES)) for file in home.rglob("*") if file.is_file()}
    assert inside == set(laid) == {"outside.csv", "root/x.csv"}


@pytest.mark.parametrize(
    ("uploads", "said"),
    [
        ([("a.zip", b"no archive")], "cannot be unpacked"),
        ([("a.exe", b"x")], "not read"),
        ([("a.csv", b"x"), ("a.csv", b"y")], "brought twice"),
        ([("a.zip", zipped({"a.docx": "x"}))], "nothing that could be read"),
        ([("a.zip", zipped({f"{n}.csv": "" for n in range(private.MOST_FILES + 1)}))], "files; should be at most"),
    ],
)
def test_mistakes_are_sentences(home, uploads, said):
    with pytest.raises(BadFile) as error:
        private.lay(home / FILES, uploads)
    assert said in error.value.lines[0]


def test_an_archive_that_swells_is_refused(home, monkeypatch):
    monkeypatch.setattr(private, "MOST_UNPACKED_MB", 0)
    with pytest.raises(BadFile, match="unpacks to more"):
        bring(home)


def test_a_check_counts_rows_and_repeats_none_of_them(home):
    bring(home)
    file = calibrating.check(home, Question(str(home), council="Toytown").asked("check"), NOTHING)
    said = file.read_text(encoding="utf-8")
    document = json.loads(said)
    rows = document["rows"]
    assert rows["read"] == rows["used"] + rows["excluded"] + rows["repaired"] + rows["refused"]
    refused = [row for row in document["problems"] if row[-1] == "refused"]
    assert [row[:4] for row in refused] == [["2023-24/Episodes.csv", 3, "DECOM", "impossible_date"]]
    for never in ("SECRET", "31/02/2023", "03/04/2012", str(home)):
        assert never not in said
    assert [tile.lines[0].value for tile in panels.check_tiles(document)][-1] == str(rows["refused"])
    assert panels.check_rules(document).rows[0][1] == "Refused"


def test_a_check_of_nothing_known_names_no_private_folder(home):
    (home / FILES / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BadFile) as error:
        calibrating.check(home, Question(str(home)).asked("check"), NOTHING)
    assert str(home) not in "; ".join(error.value.lines)


def test_when_calibrating_fails_the_files_stay_to_begin_again_and_no_set_is_left(home, monkeypatch):
    (home / FILES / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BadFile):
        calibrating.calibrate(home, Question(str(home)).asked("calibrate"), NOTHING)
    assert (home / FILES / "x.csv").is_file()
    assert not (home / SET).exists()


@pytest.fixture
def made(monkeypatch):
    """Calibration gives the invented council, at once."""
    monkeypatch.setattr(calibrating, "_made", lambda _: toy.calibrated(toy.some_stock()))


def test_files_go_once_they_are_fitted(home, made):
    (home / FILES / "x.csv").write_text("a,b\n1,2\n")
    calibrating.calibrate(home, Question(str(home)).asked("calibrate"), NOTHING)
    assert not (home / FILES).exists()
    assert (home / SET / "parameters.toml").is_file()
    assert not (home / calibrating.NOT_TESTED).exists()


def test_a_calibration_that_is_cancelled_leaves_the_files_and_no_set(home, made, monkeypatch):
    def cancelled(*_):
        raise CancelledError

    monkeypatch.setattr(calibrating, "_backtest", cancelled)
    (home / FILES / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CancelledError):
        calibrating.calibrate(home, Question(str(home), with_backtest=True).asked("calibrate"), NOTHING)
    assert (home / FILES / "x.csv").is_file()
    assert not (home / SET).exists()


def test_a_back_test_that_cannot_be_done_says_why_and_does_not_lose_the_set(home, made):
    (home / FILES / "x.csv").write_text("a,b\n1,2\n")
    calibrating.calibrate(home, Question(str(home), with_backtest=True).asked("calibrate"), NOTHING)
    assert (home / SET / "parameters.toml").is_file()
    why = (home / calibrating.NOT_TESTED).read_text(encoding="utf-8")
    assert why
    assert str(home) not in why


def test_adopting_copies_the_whole_set_and_overwrites_nothing(home, tmp_path):
    save(home / SET, toy.calibrated(toy.some_stock()))
    target = calibrating.adopt(home / SET, tmp_path / "parameters", "toytown-2022")
    assert {file.name for file in target.iterdir()} == {
        "parameters.toml",
        "draws.parquet",
        "stock.parquet",
        "calibration.json",
    }
    with pytest.raises(BadFile, match="is there already"):
        calibrating.adopt(home / SET, tmp_path / "parameters", "toytown-2022")
    for name in ("", "../out", ".hidden", "a/b"):
        with pytest.raises(BadFile, match="should be letters"):
            calibrating.adopt(home / SET, tmp_path / "parameters", name)


def test_two_sets_compared(home, tmp_path):
    old, new = toy.calibrated(toy.some_stock()), toy.calibrated(toy.some_stock())
    name = next(iter(new.parameters.numbers))
    number = new.parameters.numbers[name]
    moved = new.parameters.model_copy(
        update={"numbers": {**new.parameters.numbers, name: number.model_copy(update={"value": number.value * 1.01})}}
    )
    save(tmp_path / "old", old)
    save(tmp_path / "new", new.model_copy(update={"parameters": moved}))
    said = {"old": str(tmp_path / "old"), "new": str(tmp_path / "new"), "folder": str(home)}
    calibrating.EFFECT_REPLICATIONS = 4
    calibrating.compare(home, said, NOTHING)
    found = pd.read_csv(home / calibrating.MOVED)
    assert list(found["number"]) == [name]
    assert panels.moved_table(found).rows[0][0] == name.replace("_", " ")
    assert panels.effect_table(pd.read_csv(home / calibrating.EFFECT)).rows


def test_small_counts_of_children_are_not_shown_in_what_moved():
    row = {"number": "stock.in_care.secure", "part": "stock", "unit": "children", "old": 3.0, "new": 12.0, "change": 9.0,
           "standard_errors": float("nan"), "how_old": "counted", "how_new": "counted"}  # fmt: skip
    cells = panels.moved_table(pd.DataFrame([row])).rows[0]
    assert cells[2] == "1 to 5"
    assert cells[3].startswith("12")


def test_every_number_of_a_set_is_in_the_register():
    p = toy.calibrated(toy.some_stock()).parameters
    every = panels.register(p)
    assert (every["section"] == "rates").sum() == len(p.rates)
    assert (every["section"] == "chances").sum() == sum(len(row.chances) for row in (*p.branches, *p.destinations))
    assert sum(panels.how_counts(p).values()) == len(every)
    only = panels.filtered(every, ["assumed"], "rates", "")
    assert set(only["how"]) <= {"assumed"}
    assert len(panels.filtered(every, [], None, "no such words anywhere")) == 0
