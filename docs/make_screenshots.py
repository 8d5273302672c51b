"""Pictures for the guides: ``python docs/make_screenshots.py RUN`` drives the dashboard in Chromium and writes docs/images.

RUN is a finished run, such as ``runs/demo`` after ``python3 go.py run``.
Its parameter set is used too. Needs Debian's chromium.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from carecast.dashboard import serve

CHROMIUM = "/usr/bin/chromium"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
IMAGES = Path(__file__).parent / "images"
SIZE = {"width": 1100, "height": 760}
SHOTS = (  # file, page, what to bring to the top
    ("heading", "", ""),
    ("heading-safety", "", "text=What is saved, and whether it is safe"),
    ("compare", "compare", ""),
    ("targets", "targets", ""),
    ("placements", "placements", ""),
    ("early-help", "early-help", ""),
    ("scenarios", "scenarios", ""),
    ("calibration", "calibration", ""),
    ("calibration-fit", "calibration", "text=How well it fits"),
    ("reports", "", "text=Reports to take away"),
)


@contextlib.contextmanager
def served(run: Path) -> Iterator[str]:
    """The dashboard on a run, and its address."""
    with contextlib.closing(socket.socket()) as free:
        free.bind((serve.ADDRESS, 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(serve.command(port), env=serve.environment(run, run.parent), stdout=subprocess.DEVNULL)  # noqa: S603
    address = f"http://{serve.ADDRESS}:{port}"
    try:
        for _ in range(150):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()  # noqa: S310 this machine
                break
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)


def main(run: Path) -> None:
    """Take every picture, in 200 colours so that they stay small."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    IMAGES.mkdir(exist_ok=True)
    with served(run) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", CHROMIUM), args=ARGS)
        page = browser.new_page(viewport=SIZE)
        for name, path, top in SHOTS:
            page.goto(f"{address}/{path}")
            page.wait_for_selector("h1")
            page.wait_for_timeout(6000 if path in ("scenarios", "targets") else 2500)
            if top:
                page.locator(top).last.evaluate("found => found.scrollIntoView()")
                page.wait_for_timeout(800)
            file = IMAGES / f"{name}.png"
            page.screenshot(path=file)
            Image.open(file).convert("RGB").quantize(200).save(file, optimize=True)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/demo").resolve())
