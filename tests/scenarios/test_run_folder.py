"""The run folder: resumed, refused, read back, private."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from carecast.model.parameters import STOCK_COLUMNS, BadFile
from carecast.scenarios.apply import apply
from carecast.scenarios.library import load_scenario, read_text
from carecast.scenarios.replicate import Job, Teller
from carecast.scenarios.run import open_run, start
from carecast.scenarios.run_folder import RunFolder
from tests import small_runs, toy

SHORT = dt.date(2022, 12, 31)


def request(**changes):
    return small_runs.request(small_runs.more_help(), until=SHORT, replications=60, **changes)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Three blocks told without interruption."""
    return start(request(), tmp_path_factory.mktemp("whole") / "run")


def stop_after(blocks):
    """A progress that presses Ctrl-C when so many blocks are told."""

    def progress(done, total):
        if done >= 25 * blocks:
            raise KeyboardInterrupt

    return progress


def interrupted(out, blocks=1):
    with pytest.raises(KeyboardInterrupt):
        start(request(), out, progress=stop_after(blocks))


# --- resumed ------------------------------------------------------------------------------------
@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_an_interrupted_run_says_so_and_resumes_to_the_same_content(tmp_path, whole, blocks):
    interrupted(tmp_path / "run", blocks)
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert record["status"] == "interrupted"
    assert not (tmp_path / "run" / "summary.csv").exists()
    with pytest.raises(BadFile, match=r"not complete \(interrupted\); carry it on with: carecast run .* --resume"):
        open_run(tmp_path / "run")
    resumed = start(request(), tmp_path / "run", resume=True)
    assert resumed.record["digest"] == whole.record["digest"]
    assert (resumed.folder / "summary.csv").read_bytes() == (whole.folder / "summary.csv").read_bytes()


def test_resuming_tells_only_what_is_missing(tmp_path):
    interrupted(tmp_path / "run", 2)
    before = {name: at for name, (at, _) in small_runs.files_of(tmp_path / "run" / "replications").items()}
    start(request(), tmp_path / "run", resume=True)
    after = small_runs.files_of(tmp_path / "run" / "replications")
    assert len(before) == 16
    assert all(after[name][0] == at for name, at in before.items())
    assert len(after) == 24


@pytest.mark.parametrize("harm", ["deleted", "cut short", "emptied", "half a block"])
def test_a_damaged_block_is_refused_and_then_told_again(tmp_path, whole, harm):
    run = start(request(), tmp_path / "run")
    files = sorted((run.folder / "replications").glob("*.00025_00049.parquet"))
    for file in files if harm == "deleted" else files[:1]:
        if harm == "cut short":
            file.write_bytes(file.read_bytes()[:-100])
        elif harm == "emptied":
            file.write_bytes(b"")
        else:
            file.unlink()
    with pytest.raises(BadFile) as wrong:
        open_run(run.folder)
    assert len(wrong.value.lines) == 1
    assert "replications 25 to 49 missing or damaged" in wrong.value.lines[0]
    assert start(request(), run.folder, resume=True).record["digest"] == whole.record["digest"]


def test_resume_of_an_absent_an_empty_and_a_complete_folder(tmp_path, whole):
    (tmp_path / "empty").mkdir()
    for name in ("absent", "empty"):
        assert start(request(), tmp_path / name, resume=True).record["digest"] == whole.record["digest"]
    before = small_runs.files_of(tmp_path / "absent")
    assert start(request(), tmp_path / "absent", resume=True).record["digest"] == whole.record["digest"]
    assert small_runs.files_of(tmp_path / "absent") == before


def test_what_a_killed_run_leaves_behind_does_not_hinder_it(tmp_path, whole):
    interrupted(tmp_path / "run")
    (tmp_path / "run" / "run.lock").write_text('{"process": 1, "machine": "elsewhere"}', encoding="utf-8")
    (tmp_path / "run" / "summary.csv.partial").write_text("half", encoding="utf-8")
    (tmp_path / "run" / "replications" / "baseline.monthly.00025_00049.parquet.partial").write_bytes(b"half")
    resumed = start(request(), tmp_path / "run", resume=True)
    assert resumed.record["digest"] == whole.record["digest"]
    assert not (tmp_path / "run" / "run.lock").exists()


def test_a_folder_with_nothing_but_a_dead_lock_is_empty(tmp_path, whole):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.lock").write_text("", encoding="utf-8")
    assert start(request(), tmp_path / "run").record["digest"] == whole.record["digest"]


def test_a_living_lock_is_refused_in_one_line_and_nothing_changes(tmp_path):
    interrupted(tmp_path / "run")
    other = RunFolder(tmp_path / "run")
    other.lock()
    before = small_runs.files_of(tmp_path / "run")
    with pytest.raises(BadFile) as wrong:
        start(request(), tmp_path / "run", resume=True)
    assert len(wrong.value.lines) == 1
    assert "is writing this run" in wrong.value.lines[0]
    assert f"process {json.loads(before['run.lock'][1])['process']}" in wrong.value.lines[0]
    assert small_runs.files_of(tmp_path / "run") == before
    other.unlock()
    start(request(), tmp_path / "run", resume=True)


# --- refused ------------------------------------------------------------------------------------
def test_an_existing_run_is_refused_without_resume(whole):
    before = small_runs.files_of(whole.folder)
    with pytest.raises(BadFile, match=r"already holds a run \(complete\); add --resume, or give another --out"):
        start(request(), whole.folder)
    assert small_runs.files_of(whole.folder) == before


def other_council(**changes):
    return replace_calibrated(toy.calibrated(toy.some_stock(), small_runs.council().draws, **changes))


def replace_calibrated(calibrated):
    return {"calibrated": calibrated}


OTHERS = {
    "seed (1 then, 2 now)": {"seed": 2},
    "until (2022-12-31 then, 2023-01-31 now)": {"until": dt.date(2023, 1, 31)},
    "replications (60 then, 61 now)": {"replications": 61},
    "replications (60 then, auto now)": {"replications": None},
    "clock (compiled then, simpy now)": {"clock": "simpy"},
    "radius_miles (15.0 then, 10.0 now)": {"radius_miles": 10.0},
    "events (False then, True now)": {"events": True},
    "targets": {"targets": (small_runs.SAVE,)},
    "parameters": other_council(numbers={"arrivals.contact_families_per_year": 601.0}),
    "draws": replace_calibrated(toy.calibrated(toy.some_stock(), small_runs.council().draws * 1.01)),
    "stock": replace_calibrated(toy.calibrated(toy.some_stock()[:-1], small_runs.council().draws)),
    "scenario more_help": {"scenarios": (read_text(small_runs.MORE_HELP.replace("add = 10", "add = 11"), "x"),)},
    "scenario dearer (only now)": {"scenarios": (small_runs.more_help(), small_runs.dearer())},
    "scenario more_help (only then)": {"scenarios": ()},
}


@pytest.mark.parametrize("named", OTHERS)
def test_other_inputs_are_named_in_one_line_and_nothing_changes(whole, named):
    before = small_runs.files_of(whole.folder)
    with pytest.raises(BadFile) as wrong:
        start(replace(request(), **OTHERS[named]), whole.folder, resume=True)
    (line,) = wrong.value.lines
    assert line == f"{whole.folder}: cannot resume, the run there was made with other inputs: {named}"
    assert small_runs.files_of(whole.folder) == before


def test_the_same_radius_said_aloud_is_the_same_run(whole):
    assert start(replace(request(), radius_miles=15.0, workers=2), whole.folder, resume=True).record == whole.record


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"until": dt.date(2022, 7, 30)}, "until: found 2022-07-30; should be on or after the as-at date, 2022-07-31"),
        ({"scenarios": (small_runs.more_help(), small_runs.more_help())}, "scenario 'more_help' is given twice"),
        ({"scenarios": (load_scenario("baseline"), load_scenario("baseline"))}, "scenario 'baseline' is given twice"),
    ],
)
def test_a_request_that_cannot_be_is_refused_and_nothing_is_written(tmp_path, changes, said):
    with pytest.raises(BadFile, match=said.replace("(", r"\(")):
        start(replace(request(), **changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("was_there", [False, True])
def test_a_mistake_that_shows_late_leaves_nothing_of_a_new_run(tmp_path, monkeypatch, was_there):
    """Such as a scheduler that does not answer."""

    def refuse(*_):
        raise BadFile("--scheduler: no Dask scheduler answers")

    if was_there:
        (tmp_path / "run").mkdir()
    monkeypatch.setattr("carecast.scenarios.run.tell_blocks", refuse)
    with pytest.raises(BadFile, match="no Dask scheduler answers"):
        start(request(), tmp_path / "run")
    assert (tmp_path / "run").exists() == was_there
    assert not was_there or list((tmp_path / "run").iterdir()) == []


def test_mistakes_of_all_scenarios_come_at_once(tmp_path):
    here = read_text(small_runs.MORE_HELP.replace('"East"', '"Nowhere"'), "x")
    there = read_text(small_runs.DEARER.replace("2023-04-01", "2021-04-01"), "y")
    with pytest.raises(BadFile) as wrong:
        start(replace(request(), scenarios=(here, there)), tmp_path / "run")
    assert [line.split(".")[0] for line in wrong.value.lines] == ["more_help", "dearer"]


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for resume in (False, True):
        with pytest.raises(BadFile, match=r"not a run folder \(no run.json\)"):
            start(request(), tmp_path, resume=resume)
    with pytest.raises(BadFile, match="is a file; a run needs a folder"):
        start(request(), tmp_path / "notes.txt")
    with pytest.raises(BadFile, match="not a run folder"):
        RunFolder(tmp_path).clear()
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99, "status": "complete"}', '{"format": 1}'])
def test_a_record_that_cannot_be_read_is_one_line(tmp_path, text):
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadFile) as wrong:
        open_run(tmp_path)
    assert len(wrong.value.lines) == 1


# --- the same, whoever tells it --------------------------------------------------------------------
def test_two_workers_tell_the_same_run(tmp_path, whole):
    two = start(request(workers=2), tmp_path / "run")
    assert two.record["digest"] == whole.record["digest"]
    assert (two.folder / "summary.csv").read_bytes() == (whole.folder / "summary.csv").read_bytes()


def test_the_simpy_clock_tells_the_same_run(tmp_path):
    small = {"until": dt.date(2022, 9, 30), "replications": 2}
    digests = [
        start(replace(request(), clock=clock, **small), tmp_path / clock).record["digest"]
        for clock in ("compiled", "simpy")
    ]
    assert digests[0] == digests[1]


def test_what_is_read_back_is_what_was_told(whole):
    """Every value in memory, block by block, is the value in the folder, bit for bit."""
    asked = request()
    plans = tuple(
        apply(asked.calibrated.parameters, s, SHORT) for s in (load_scenario("baseline"), small_runs.more_help())
    )
    teller = Teller(Job(asked.calibrated, plans, SHORT, asked.seed))
    told = [teller.block(range(first, last + 1)) for first, last in ((0, 24), (25, 49), (50, 59))]
    for at, answer in enumerate(whole.answers):
        monthly = np.concatenate([block[at].monthly for block in told])
        kept = answer.monthly.values[:, : monthly.shape[1]]  # workforce_fte, computed from these, comes after
        assert np.array_equal(kept, monthly, equal_nan=True)
        money = whole.money[answer.scenario]
        for part in ("gross", "value", "by_funder", "programme"):
            assert np.array_equal(getattr(money, part), np.concatenate([getattr(b[at].money, part) for b in told]))
        searches = whole.searches(answer.scenario)
        made = searches[searches["table"] == "placements_made"]["total"].sum()
        assert made == sum(block[at].searches.placements_made.sum() for block in told) > 0


def test_opened_again_it_is_the_same_run(whole):
    again = open_run(whole.folder)
    assert again.record == whole.record
    assert np.array_equal(again.budget.pence, whole.budget.pence)
    for one, other in zip(again.answers, whole.answers, strict=True):
        assert np.array_equal(one.monthly.values, other.monthly.values, equal_nan=True)
        assert np.array_equal(one.yearly.values, other.yearly.values)


def test_the_baseline_alone_is_a_run(tmp_path):
    for name, scenarios in (("none", ()), ("named", (load_scenario("baseline"),))):
        run = start(replace(request(), scenarios=scenarios, replications=3), tmp_path / name)
        assert run.record["scenarios"] == ["baseline"]
        assert "difference_in_" not in (run.folder / "summary.csv").read_text(encoding="utf-8")


def test_a_run_needs_no_file_outside_its_folder(tmp_path):
    """A scenario built on another of the same folder is kept with what it is built on."""
    (tmp_path / "first.toml").write_text(small_runs.MORE_HELP.replace('"more_help"', '"first"'), encoding="utf-8")
    (tmp_path / "second.toml").write_text(
        small_runs.DEARER.replace('"dearer"', '"second"').replace('built_on = "baseline"', 'built_on = "first"'),
        encoding="utf-8",
    )
    second = load_scenario(tmp_path / "second.toml")
    run = start(replace(request(), scenarios=(second,), replications=3), tmp_path / "run")
    (tmp_path / "first.toml").unlink()
    (tmp_path / "second.toml").unlink()
    assert sorted(file.name for file in (run.folder / "inputs").iterdir()) == [
        "baseline.toml", "first.toml", "price_draws.parquet", "second.toml",
    ]  # fmt: skip
    moved = run.folder.rename(tmp_path / "moved")
    again = open_run(moved)
    assert np.array_equal(again.answer("second").yearly.values, run.answer("second").yearly.values)


def test_two_scenarios_of_one_name_further_up_are_refused(tmp_path):
    own = read_text('format = 1\nname = "baseline"\nbuilt_on = ""\nrationale = "Ours."\n', "baseline.toml")
    with pytest.raises(BadFile, match="is built on a scenario 'baseline' that differs"):
        start(replace(request(), scenarios=(own, small_runs.dearer())), tmp_path / "run")
    run = start(replace(request(), scenarios=(own,), replications=2), tmp_path / "run")
    assert "Ours" in (run.folder / "inputs" / "baseline.toml").read_text(encoding="utf-8")


# --- private ------------------------------------------------------------------------------------
def contents(folder):
    """The text of every file; tables as their columns and cells."""
    for file in sorted(folder.rglob("*")):
        if file.suffix == ".parquet":
            frame = pd.read_parquet(file)
            yield file, " ".join(map(str, frame.columns)) + " " + frame.to_csv(index=False)
        elif file.is_file():
            yield file, file.read_text(encoding="utf-8")


def test_no_pickle_and_nothing_of_the_stock(tmp_path):
    rows = [{**row, "family": 987_000 + at, "distance_miles": 4.32198 + at} for at, row in enumerate(toy.some_stock())]
    council = toy.calibrated(rows, small_runs.council().draws)
    run = start(replace(request(), calibrated=council, replications=30, events=True), tmp_path / "run")
    kinds = {file.suffix for file in run.folder.rglob("*") if file.is_file()}
    assert kinds == {".json", ".csv", ".toml", ".parquet"}
    marks = [f"{987_000 + at}" for at in range(len(rows))] + [f"{4.32198 + at:g}" for at in range(len(rows))]
    only_in_stock = {
        "variant",
        "family",
        "zone",
        "quintile",
        "age_days",
        "unaccompanied",
        "days_in_state",
        "days_in_care",
    }
    assert only_in_stock < set(STOCK_COLUMNS)
    for file, text in contents(run.folder):
        assert not file.read_bytes().startswith((b"\x80\x04", b"\x80\x05")), file
        assert not any(mark in text for mark in marks), file
        if file.suffix == ".parquet":
            assert not only_in_stock & set(pd.read_parquet(file).columns), file


def test_replications_hold_monthly_and_yearly_tables(whole):
    names = {file.name for file in (whole.folder / "replications").glob("*.parquet")}
    for scenario in ("baseline", "more_help"):
        assert {f"{scenario}.{kind}.00000_00024.parquet" for kind in ("monthly", "yearly", "searches")} <= names
    monthly = pd.read_parquet(whole.folder / "replications" / "baseline.monthly.00025_00049.parquet")
    assert set(monthly["replication"]) == set(range(25, 50))
    assert list(monthly["date"][:2]) == ["2022-07-31", "2022-08-31"]
    yearly = pd.read_parquet(whole.folder / "replications" / "baseline.yearly.00025_00049.parquet")
    assert set(yearly["replication"]) == set(range(25, 50))


def test_a_digest_does_not_care_how_wide_whole_numbers_are_kept():
    from carecast.scenarios.request import frame_digest

    wide = pd.DataFrame({"a": [-1, 0, 5], "b": ["x", "y", "z"], "c": [0.5, 1.5, 2.5]})
    narrow = wide.astype({"a": "int32", "b": "category"})
    assert frame_digest(wide) == frame_digest(narrow)
    assert frame_digest(wide) != frame_digest(wide.assign(a=[-1, 0, 6]))


def test_the_parameter_set_beside_a_run_is_known_again(tmp_path):
    from carecast.model.parameters import save
    from carecast.scenarios.run_inputs import parameter_set_of
    from tests.dashboard import tiny_runs

    made = tiny_runs.baseline_alone(tmp_path)
    save(tmp_path / "baseline_alone-parameters", tiny_runs._request().calibrated)
    assert parameter_set_of(made).parameters.council == made.record["council"]
