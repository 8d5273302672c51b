"""What the tests in a real browser share: Chromium, the rules of access, and a dashboard on a port of its own."""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from carecast.dashboard import serve

CHROMIUM = Path("/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists() and not os.environ.get("CI"),
        reason="needs Debian's chromium: apt-get install chromium",
    ),
]


def free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def served(port: int, environment: Mapping[str, str], folder: Path, log: Path | None = None) -> Iterator[str]:
    """The dashboard, started in a folder; its address, once it answers. What it says goes to ``log``."""
    address = f"http://127.0.0.1:{port}"
    with open(log or os.devnull, "wb") as said:
        process = subprocess.Popen(
            serve.command(port), env=environment, cwd=folder, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            wait_for(f"{address}/_stcore/health")
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for(health: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(health, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the dashboard did not start")


def barriers(page) -> list[tuple[str, str]]:
    """What on a page breaks the rules of WCAG 2.2 AA: the rule, and the first place."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=WCAG).response["violations"]
    return [(broken["id"], broken["nodes"][0]["html"][:200]) for broken in found]
