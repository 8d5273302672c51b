"""Start the dashboard: Streamlit on this machine only, with this project's own settings."""

import os
import signal
import subprocess
import sys
from pathlib import Path

APP = Path(__file__).parent / "server.py"  # serves app.py
CONFIG = Path(__file__).parent / ".streamlit" / "config.toml"
RUN_VARIABLE = "CARECAST_RUN"  # the run folder to show first
RUNS_VARIABLE = "CARECAST_RUNS"  # the folder that holds runs
ADDRESS = "127.0.0.1"
PATIENCE_SECONDS = 10


def command(port: int) -> list[str]:
    """The command that serves the dashboard on a port."""
    return [
        sys.executable, "-m", "streamlit", "run", str(APP), "--server.address", ADDRESS, "--server.port", str(port),
        "--server.headless", "true", "--browser.gatherUsageStats", "false",
    ]  # fmt: skip


def environment(run: Path | None, runs: Path) -> dict[str, str]:
    """The environment of the dashboard: which runs, and the project's settings whatever the folder it starts from."""
    given = dict(os.environ)
    given[RUNS_VARIABLE] = str(Path(runs).resolve())
    given.pop(RUN_VARIABLE, None)
    if run is not None:
        given[RUN_VARIABLE] = str(Path(run).resolve())
    return given


def serve(run: Path | None, runs: Path, port: int) -> int:
    """Serve until stopped; the exit code of Streamlit, and 0 after Ctrl-C.

    The settings in ``.streamlit/config.toml`` are found because Streamlit also looks beside the script it runs.

    Args:
        run: the run folder to show first; the newest of ``runs`` when not given.
        runs: the folder that holds runs.
        port: of 127.0.0.1.

    Raises:
        BadFile: sign-in is asked for and cannot work, or the roles have a mistake; nothing is served.
    """
    from carecast.dashboard import roles, sign_in

    if sign_in.is_wanted():
        roles.read_roles(roles.roles_file())
    process = subprocess.Popen(command(port), env=environment(run, runs))
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())  # whoever stops this stops the server
    try:
        return process.wait()
    except KeyboardInterrupt:  # the server got it too
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        return 0
