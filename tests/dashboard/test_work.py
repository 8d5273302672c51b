"""Work in the background: quick looks block by block, longer works, who sees what, cancelling, failing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from carecast.dashboard import long_work, work, worker
from carecast.dashboard.work import FIRST, LOOK, Office
from carecast.model.parameters import BadFile
from carecast.model.summary import summarise, to_csv
from carecast.scenarios.library import load_scenario, read_text
from carecast.scenarios.request import scenario_files
from carecast.scenarios.run import Request, start
from tests.dashboard import desks, tiny_runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work_runs")
    desks.whole_with_parameters(folder)
    return folder


@pytest.fixture
def office(runs):
    shutil.rmtree(runs / work.WORK_FOLDER, ignore_errors=True)
    worker._LAID.clear()  # these keys are no hashes of what they stand for
    found = Office(runs, desks.one_thread, workers=2)
    yield found
    found.close()


def texts_of(text=tiny_runs.MORE_HELP):
    return scenario_files((load_scenario("baseline"), read_text(text, "scenario.toml")))


def ask(office, runs, key="k1", text=tiny_runs.MORE_HELP):
    return office.ask_of(key, runs / "whole", "grounds", read_text(text, "s").name, texts_of(text))


def question(runs, **more):
    given = {"kind": "run", "run": str(runs / "whole"), "scenarios": ["more_early_help"], "replications": 30,
             "out": str(runs / "told"), "command": "carecast run"}  # fmt: skip
    return {**given, **more}


def inputs():
    return {f"inputs/{name}.toml": text for name, text in texts_of().items()}


def test_blocks_cover_every_replication_once():
    assert work.blocks(65) == [(0, 24), (25, 49), (50, 59), (60, 64)]
    for replications in (1, 25, 26, FIRST, FIRST + 1, LOOK):
        told = [one for first, last in work.blocks(replications) for one in range(first, last + 1)]
        assert told == list(range(replications))
    assert [block for block in work.blocks(LOOK) if block[1] < FIRST] == work.blocks(FIRST)


def test_a_quick_look_shows_the_first_replications_then_all(office, runs):
    asked = ask(office, runs)
    seen = []

    def is_over():
        state = office.look("me", "k1", asked)
        assert not state.failure
        if state.look is not None:
            seen.append(state.look.replications)
        return state.is_over

    desks.wait(is_over)
    assert seen[-1] == LOOK
    assert set(seen) <= {FIRST, LOOK}
    assert sorted(seen) == seen


def test_a_quick_look_gives_the_numbers_of_a_run(office, runs):
    asked = ask(office, runs)
    desks.wait(lambda: office.look("me", "k1", asked).is_over)
    looked = worker.as_run(asked, work.blocks(FIRST))
    request = tiny_runs._request(tiny_runs.MORE_HELP, replications=FIRST, targets=tiny_runs.TARGETS)
    told = start(request, runs / "as_command")
    assert to_csv(summarise(looked.answers)) == (runs / "as_command" / "summary.csv").read_text(encoding="utf-8")
    assert looked.assessments() == told.assessments()


def test_a_house_of_another_kind_adds_a_line_of_spend(office, runs):
    house = (
        tiny_runs.MORE_HELP
        + """
[[lever]]
kind = "open_supported_accommodation"
name = "A home"
from = 2022-10-01
places = 2
lead_months = 1
fixed_weekly_cost_gbp = 2000
weekly_cost_gbp = 100
because = "Invented for tests."
"""
    )
    asked = ask(office, runs, "house", house)
    desks.wait(lambda: office.look("me", "house", asked).is_over)
    assert not office.look("me", "house", asked).failure


def test_no_file_of_a_look_holds_a_row_of_a_child(office, runs):
    asked = ask(office, runs)
    desks.wait(lambda: office.look("me", "k1", asked).is_over)
    kinds = {file.suffix for file in office.folder.rglob("*") if file.is_file()}
    assert kinds == {".npz", ".toml"}
    part = worker._read(next(asked.folder.glob("*.npz")))
    assert part.monthly.ndim == 3
    assert part.monthly.shape[0] in (work.BLOCK, work.LATER)


def test_a_look_of_a_scenario_that_does_not_fit_says_why(office, runs):
    wrong = tiny_runs.MORE_HELP.replace('localities = ["East"]', 'localities = ["Nowhere"]')
    asked = ask(office, runs, "wrong", wrong)
    desks.wait(lambda: office.look("me", "wrong", asked).is_over)
    assert "Nowhere" in office.look("me", "wrong", asked).failure


def test_a_look_that_nobody_watches_any_more_is_let_go(office, runs):
    first = ask(office, runs)
    office.look("me", "k1", first)
    second = ask(office, runs, "k2", tiny_runs.PRICES)
    office.look("me", "k2", second)
    assert "k1" not in office._looks
    assert worker.tell_block(first, 50, 74) == 0  # what waited for a process is not told either
    desks.wait(lambda: office.look("me", "k2", second).is_over)
    assert office.look("me", "k2", second).look.replications == LOOK
    desks.wait(lambda: office.look("me", "k1", first).is_over)  # and one can come back to it
    assert office.look("me", "k1", first).look.replications == LOOK


def test_ten_people_at_once_get_their_own(office, runs):
    asked = {}
    for who in range(10):
        text = tiny_runs.MORE_HELP.replace("add = 20", f"add = {10 + who}")
        asked[who] = ask(office, runs, f"k{who}", text)
        office.look(f"person {who}", f"k{who}", asked[who])
    for who in range(10):
        desks.wait(lambda who=who: office.look(f"person {who}", f"k{who}", asked[who]).is_over)
        assert not office.look(f"person {who}", f"k{who}", asked[who]).failure


def test_a_run_in_the_background_is_the_run_of_the_command(office, runs):
    office.begin("me", "run-a", "A run", question(runs), inputs())
    desks.wait(lambda: office.progress("me", "run-a").is_over)
    found = office.progress("me", "run-a")
    assert (found.status, found.told, found.total) == ("done", 30, 30)
    calibrated = tiny_runs._request(tiny_runs.MORE_HELP).calibrated
    scenario = read_text(tiny_runs.MORE_HELP, "scenario.toml")
    start(Request(calibrated, (scenario,), tiny_runs.UNTIL, replications=30), runs / "by_command")
    for name in ("told", "by_command"):
        assert (runs / name / "summary.csv").is_file()
    assert (runs / "told" / "summary.csv").read_bytes() == (runs / "by_command" / "summary.csv").read_bytes()
    shutil.rmtree(runs / "told")


def test_a_session_sees_its_own_works_only(office, runs):
    office.begin("me", "run-a", "A run", question(runs, out=str(runs / "mine")), inputs())
    assert office.works("me") == [("run-a", "A run")]
    assert office.works("you") == []
    assert office.progress("you", "run-a") is None
    office.cancel("you", "run-a")
    desks.wait(lambda: office.progress("me", "run-a").is_over)
    assert office.progress("me", "run-a").status == "done"
    office.begin("you", "run-a", "A run", question(runs, out=str(runs / "mine")), inputs())
    assert office.progress("you", "run-a").status == "done"  # the same question is answered once
    shutil.rmtree(runs / "mine")


def test_a_cancelled_run_leaves_nothing_and_can_be_begun_again(office, runs):
    office.begin("me", "run-b", "A run", question(runs, replications=2000, out=str(runs / "big")), inputs())
    office.cancel("me", "run-b")
    desks.wait(lambda: office.progress("me", "run-b").is_over)
    assert office.progress("me", "run-b").status == "cancelled"
    assert not (runs / "big").exists()
    assert not (office.folder_of("run-b") / "run").exists()
    office.begin("me", "run-b", "A run", question(runs, out=str(runs / "big")), inputs())
    desks.wait(lambda: office.progress("me", "run-b").is_over)
    assert office.progress("me", "run-b").status == "done"


def test_a_work_that_fails_says_one_sentence(office, runs):
    office.begin("me", "run-c", "A run", question(runs, scenarios=["not_there"]), inputs())
    desks.wait(lambda: office.progress("me", "run-c").is_over)
    found = office.progress("me", "run-c")
    assert found.status == "failed"
    assert "not_there" in found.message
    assert "Traceback" not in found.message


def test_a_fault_nobody_foresaw_says_its_kind_and_nothing_else(tmp_path, monkeypatch):
    def breaks(folder, question, report):
        raise ZeroDivisionError("a secret")

    monkeypatch.setitem(long_work.WORKS, "run", breaks)
    (tmp_path / long_work.QUESTION).write_text(json.dumps({"kind": "run"}), encoding="utf-8")
    long_work.do(tmp_path)
    said = long_work.state(tmp_path)
    assert said["status"] == "failed"
    assert "ZeroDivisionError" in said["message"]
    assert "secret" not in said["message"]


def test_time_left_goes_by_what_is_told(office, runs, monkeypatch):
    office.begin("me", "run-d", "A run", question(runs, out=str(runs / "timed")), inputs())
    desks.wait(lambda: office.progress("me", "run-d").is_over)
    folder = office.folder_of("run-d")
    (folder / long_work.STATE).write_text('{"status": "working", "told": 25, "total": 100, "began": 1000}')
    monkeypatch.setattr(work.time, "time", lambda: 1010.0)
    assert office.progress("me", "run-d").seconds_left == pytest.approx(30.0)


def test_why_a_work_failed_is_a_sentence():
    assert work.sentence(BadFile("one", "two")) == "one; two"
    assert "ended unexpectedly" in work.sentence(work.BrokenProcessPool())
    assert "KeyError" in work.sentence(KeyError("secret"))
    assert "secret" not in work.sentence(KeyError("secret"))


def test_processes_import_no_streamlit(runs):
    pool = work.start_pool()
    try:
        assert pool.submit(eval, "'streamlit' in __import__('sys').modules").result(60) is False
        assert pool.submit(worker.grounds, runs / "whole").result(60)[0]["council"]
        assert pool.submit(eval, "'streamlit' in __import__('sys').modules").result(60) is False
    finally:
        pool.shutdown()


def test_processes_end_with_the_dashboard_however_it_ends(tmp_path):
    program = tmp_path / "dashboard.py"
    program.write_text(
        "import os, time\n"
        "from carecast.dashboard import work\n"
        "if __name__ == '__main__':\n"
        "    pool = work.start_pool()  # kept: one that nobody holds is shut down\n"
        "    print(pool.submit(os.getpid).result(60), flush=True)\n"
        "    time.sleep(120)\n",
        encoding="utf-8",
    )
    quiet = subprocess.DEVNULL  # what the killed one leaves is cleared away by Python's own tracker, which says so
    with subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, stderr=quiet, text=True) as parent:
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    desks.wait(lambda: not is_alive(child))


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs (one that ended and waits to be fetched does not)."""
    status = Path(f"/proc/{pid}/stat")
    if Path("/proc").is_dir():
        return status.is_file() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
