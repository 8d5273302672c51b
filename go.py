"""Sets carecast up once, in `.venv` beside this file, then does what is asked. Needs only Python 3.11 or newer.

python3 go.py run             the demonstration: everything on one council, results in runs/demo
python3 go.py test            the whole test suite
python3 go.py app             the dashboard, in the browser
python3 go.py carecast ARGS   any carecast command; `carecast --help` lists them
"""

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
LOCK = HERE / "requirements.lock"
STAMP = VENV / "set-up.stamp"
OLDEST = (3, 11)

COMMANDS = {
    "run": ["-P", "-m", "carecast", "demo"],
    "test": ["-m", "pytest", "-n", "auto", "--dist", "loadfile"],  # as many processes as processors
    "app": ["-P", "-m", "carecast", "dashboard"],
    "carecast": ["-P", "-m", "carecast"],
}


def say(sentence: str) -> None:
    """Set-up talks on standard error, so that standard output holds the command's own output alone."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def fingerprint() -> str:
    """What the environment was made from: the folder too, since an environment that was moved must be made again."""
    parts = [LOCK.read_bytes(), (HERE / "pyproject.toml").read_bytes(), str(HERE).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_set_up() -> bool:
    """Whether `.venv` is what the lock asks for today."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == fingerprint()


@contextmanager
def only_one() -> "Iterator[None]":
    """Lets one process set up at a time; the system frees the lock even when that process is killed."""
    with open(HERE / ".venv.lock", "a+b") as held:
        if sys.platform == "win32":
            import msvcrt

            held.seek(0)
            while True:
                try:
                    msvcrt.locking(held.fileno(), msvcrt.LK_LOCK, 1)  # gives up after ten seconds
                    break
                except OSError:
                    say("Waiting for another set-up to finish...")
        else:
            import fcntl

            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say("Waiting for another set-up to finish...")
                fcntl.flock(held, fcntl.LOCK_EX)
        yield


def step(what: str, arguments: "list[str]") -> None:
    """Runs one step of the set-up, all of its output on standard error."""
    say("carecast set-up: " + what)
    code = subprocess.run(arguments, stdout=sys.stderr, cwd=HERE).returncode
    if code != 0:
        raise SystemExit(
            f"carecast set-up stopped while {what} (exit code {code}); the reason is in the lines above. "
            "Once it is put right (often the network, or a full disk), run the same command again."
        )


def has_pip() -> bool:
    """False when the environment was never made, is half made, or has lost the Python it was made from."""
    if not PYTHON.exists():
        return False
    return subprocess.run([str(PYTHON), "-m", "pip", "--version"], capture_output=True).returncode == 0


def set_up() -> None:
    """Makes `.venv` and installs the locked packages and carecast into it; the stamp comes last."""
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise SystemExit(
                f"This Python has no {module} module, so carecast cannot make its environment. "
                f"On Debian or Ubuntu: sudo apt-get install {python}-venv. Then run the same command again."
            )
    started = time.monotonic()
    say(f"Setting carecast up in {VENV} (once; a few minutes at most).")
    STAMP.unlink(missing_ok=True)
    if not has_pip():
        step("making the environment", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    step("installing the locked packages", [*pip, "--require-hashes", "-r", str(LOCK)])
    step("installing carecast itself", [*pip, "--no-deps", "--no-build-isolation", "-e", str(HERE)])
    step("compiling the model for this machine (about half a minute)", [str(PYTHON), "-m", "carecast.cli.warm"])
    STAMP.write_text(fingerprint(), encoding="utf-8")
    say(f"carecast is set up ({time.monotonic() - started:.0f} s).")


def hand_over(arguments: "list[str]") -> NoReturn:
    """Becomes the command asked for, so that its exit code and Ctrl-C are its own."""
    command = [str(PYTHON), *arguments]
    sys.stdout.flush()
    if sys.platform == "win32":  # it cannot replace a process: wait, and leave Ctrl-C to the command
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise SystemExit(subprocess.Popen(command).wait())
    os.execv(command[0], command)


def main(arguments: "list[str]") -> int:
    """Sets up when needed, then hands over; returns only when all it could give was advice."""
    if sys.version_info < OLDEST:
        say(f"carecast needs Python 3.11 or newer; this is Python {sys.version.split()[0]} ({sys.executable}).")
        return 2
    if not arguments or arguments[0] not in COMMANDS:
        say(__doc__.strip())
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    if not is_set_up():
        with only_one():
            if not is_set_up():
                set_up()
    name, rest = arguments[0], arguments[1:]
    if name == "test":
        os.chdir(HERE)
        if shutil.which("chromium") is None:
            say("Chromium is missing, so the browser tests cannot run. On Debian: sudo apt-get install chromium")
    hand_over(COMMANDS[name] + rest)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("\nStopped. The same command goes on from here.")
        sys.exit(130)
