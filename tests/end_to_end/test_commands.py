"""The commands as a person runs them, in processes of their own: stopped, killed, resumed, offline, and given nonsense."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from carecast.model.parameters import save
from tests import small_runs

ROOT = Path(__file__).parents[2]
FILES_OF_A_BLOCK = 6  # three tables of two scenarios
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")

# Before anything else of the program or its workers: every socket that is made, looked up or connected is refused.
NO_NETWORK = """
import os, socket, sys

def refuse(event, args):
    if not event.startswith("socket.") or event in ("socket.gethostname", "socket.__new__") and not {entirely}:
        return
    where = args[1][0] if event in ("socket.connect", "socket.bind") and isinstance(args[1], tuple) else ""
    if not {entirely} and (where in ("127.0.0.1", "::1", "localhost") or event == "socket.connect" and not where):
        return
    if event == "socket.gethostname":
        return
    with open({log!r}, "a") as file:
        file.write(f"{{event}} {{args}}\\n")
    raise OSError(f"the test allows no network: {{event}}")

sys.addaudithook(refuse)
"""


@pytest.fixture(scope="module")
def council(tmp_path_factory):
    folder = tmp_path_factory.mktemp("council")
    save(folder / "parameters", small_runs.council())
    (folder / "ours.toml").write_text(small_runs.MORE_HELP, encoding="utf-8")
    return folder


def command(*words):
    return [sys.executable, "-m", "carecast", *map(str, words)]


def run_words(council, out, *more):
    return ["run", "--parameters", council / "parameters", "--scenario", council / "ours.toml", "--until", "2023-05-31",
            "--replications", 150, "--out", out, *more]  # fmt: skip


def environment(**more):
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **more}


def finished(words, **more):
    return subprocess.run(
        command(*words), capture_output=True, text=True, timeout=120, check=False, env=environment(**more), cwd=ROOT
    )


def begun(words):
    """A command in a process group of its own, as a terminal starts it."""
    return subprocess.Popen(
        command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip


def wait_for_a_block(process, out):
    until = time.monotonic() + 60
    while len(list(Path(out).glob("replications/*.parquet"))) < FILES_OF_A_BLOCK:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.005)


def record_of(out):
    return json.loads((out / "run.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def digest(council, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "run"
    assert finished(run_words(council, out, "--workers", 1)).returncode == 0
    return record_of(out)["digest"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_stops_cleanly_and_resume_ends_with_the_same_content(council, tmp_path, digest, workers):
    words = run_words(council, tmp_path / "run", "--workers", workers)
    process = begun(words)
    wait_for_a_block(process, tmp_path / "run")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the program and to its workers
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("carecast: stopped after ")
    assert last.endswith("--resume")
    assert record_of(tmp_path / "run")["status"] == "interrupted"
    again = finished([*words, "--resume"])
    assert again.returncode == 0, again.stderr
    assert record_of(tmp_path / "run")["digest"] == digest


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_is_locked_while_it_lives_and_resumes_when_it_is_dead(council, tmp_path, digest, workers):
    words = run_words(council, tmp_path / "run", "--workers", workers)
    process = begun(words)
    wait_for_a_block(process, tmp_path / "run")
    os.kill(process.pid, signal.SIGSTOP)  # alive and holding the folder, but not going on
    refused = finished([*words, "--resume"])
    assert refused.returncode == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert f"another carecast (process {process.pid} on " in line
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    assert record_of(tmp_path / "run")["status"] == "running"
    assert (tmp_path / "run" / "run.lock").exists()
    again = finished([*words, "--resume"])
    assert again.returncode == 0, again.stderr
    assert record_of(tmp_path / "run")["digest"] == digest
    assert not (tmp_path / "run" / "run.lock").exists()
    complete = finished([*words, "--resume", "--json"])
    assert json.loads(complete.stdout)["digest"] == digest


def test_mistakes_are_one_line_each_without_a_traceback(council, tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(
        small_runs.MORE_HELP.replace('"East"', '"Easst"').replace("share = 0.5", "shar = 0.5"), encoding="utf-8"
    )
    words = ["run", "--parameters", council / "parameters", "--scenario", wrong, "--out", tmp_path / "run"]
    found = finished(words)
    assert (found.returncode, found.stdout) == (2, "")
    lines = found.stderr.splitlines()
    assert all(line.startswith(f"carecast: {wrong}: lever 2 (family_first): ") for line in lines)
    assert "shar: not a field; did you mean 'share'?" in lines[0]
    assert sorted(tmp_path.iterdir()) == [wrong]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["calibrate", "west-dunbarton", "--out", "nowhere"], "west-dunbarton"),
        (["target", "nowhere"], "nowhere: not a run folder"),
        (["run", "--nothing"], "No such option: --nothing"),
    ],
)
def test_wrong_words_leave_with_2(words, said):
    found = finished(words)
    assert (found.returncode, found.stdout) == (2, "")
    assert said in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_a_reader_that_goes_away_is_no_traceback(council):
    """`carecast ... --help | head -1`."""
    line = f"{sys.executable} -m carecast run --help | head -1"
    found = subprocess.run(line, shell=True, capture_output=True, text=True, env=environment(), cwd=ROOT, check=False)
    assert "Traceback" not in found.stderr


# --- offline ----------------------------------------------------------------------------------------------
def without_network(tmp_path, entirely):
    """A folder for PYTHONPATH whose sitecustomize refuses the network, in the program and in every worker."""
    log = tmp_path / "asked.txt"
    (tmp_path / "site").mkdir()
    text = NO_NETWORK.format(entirely=entirely, log=str(log))
    (tmp_path / "site" / "sitecustomize.py").write_text(text, encoding="utf-8")
    return log, f"{tmp_path / 'site'}{os.pathsep}{ROOT}"


def test_the_guard_itself_refuses(tmp_path):
    log, path = without_network(tmp_path, entirely=True)
    code = "import socket; socket.socket()"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(PYTHONPATH=path), check=False
    )
    assert "the test allows no network" in found.stderr
    assert log.read_text(encoding="utf-8").startswith("socket.__new__")
    (tmp_path / "two").mkdir()
    _, path = without_network(tmp_path / "two", entirely=False)
    code = "import socket; socket.socket(); socket.getaddrinfo('example.org', 80)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(PYTHONPATH=path), check=False
    )
    assert "the test allows no network: socket.getaddrinfo" in found.stderr


@pytest.mark.slow
def test_the_demo_makes_no_socket_at_all(tmp_path):
    """Calibration, run, summary, comparison and all: one process, the whole of socket refused."""
    log, path = without_network(tmp_path, entirely=True)
    runs = tmp_path / "runs"
    words = [
        ["demo", "--out", runs, "--replications", 2, "--json"], ["compare", runs / "demo"], ["target", runs / "demo"],
        ["journey", "--parameters", runs / "demo-parameters", "--until", "2022-10-31"],
    ]  # fmt: skip
    code = (
        "import sys; from carecast.cli import commands, main; commands.default_workers = lambda: 1\n"
        f"for words in {[[str(word) for word in one] for one in words]}:\n"
        "    code = main.app(words, standalone_mode=False)\n"
        "    print('==== ended with', code)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=path),
        check=False,
        cwd=ROOT,
    )
    assert found.returncode == 0, found.stderr
    answers = found.stdout.split("==== ended with 0\n")
    assert len(answers) == len(words) + 1
    assert json.loads(answers[0])["status"] == "complete"
    assert not log.exists()


@pytest.mark.slow
def test_workers_ask_for_nothing_beyond_this_machine(council, tmp_path, digest):
    log, path = without_network(tmp_path, entirely=False)
    words = run_words(council, tmp_path / "run", "--workers", 2)
    found = finished(words, PYTHONPATH=path)
    assert found.returncode == 0, found.stderr
    assert not log.exists()
    assert record_of(tmp_path / "run")["digest"] == digest
