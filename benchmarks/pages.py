"""The dashboard's pages in headless Chromium: how soon the first shows once the server is up, and how soon they change."""

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.quick_look import lay_out
from benchmarks.table import Line

FIRST_BAR_SECONDS, CHANGE_BAR_SECONDS = 3.0, 1.0
PART = "The dashboard's pages, on a run of West Dunbartonshire"
REPORTS = "text=Tables and charts (CSV, Parquet"  # at the foot of every page about a run
TITLES = ("Compare", "Placements and distance", "Where we are heading")
PATIENCE_MS = 60_000


def measure(rounds: int) -> list[Line]:
    """Seconds to the first page and to a page's heading after a click on its link; medians, and the longest first page."""
    from playwright.sync_api import sync_playwright

    from carecast.dashboard import serve
    from tests.end_to_end.in_browser import ARGS, CHROMIUM, free_port, served

    if not CHROMIUM.exists():
        return [Line(PART, "not measured", float("nan"), "s", note=f"{CHROMIUM} is missing")]
    with tempfile.TemporaryDirectory(prefix="carecast-pages-") as holder:
        run = lay_out(Path(holder))
        environment = serve.environment(run, run.parent)
        with served(free_port(), environment, Path(holder)) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=os.fspath(CHROMIUM), headless=True, args=ARGS)
            firsts = [_first(browser, address) for _ in range(rounds)]
            changes = _changes(browser, address, rounds)
            browser.close()
    lines = [
        Line(PART, "first page, first visit since the server is up", firsts[0], "s", FIRST_BAR_SECONDS),
        Line(PART, "first page, later visits", statistics.median(firsts[1:] or firsts), "s", FIRST_BAR_SECONDS),
    ]
    for title, seconds in changes.items():
        lines.append(Line(PART, f"change to {title!r}", statistics.median(seconds), "s", CHANGE_BAR_SECONDS))
    return lines


def _first(browser: Any, address: str) -> float:
    """Seconds from asking for the address until all of the first page is there, as a new visitor."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    began = time.monotonic()
    page.goto(address)
    page.wait_for_selector(REPORTS)
    seconds = time.monotonic() - began
    page.close()
    return seconds


def _changes(browser: Any, address: str, rounds: int) -> dict[str, list[float]]:
    """Seconds from a click on a link to the other page's heading; a first round, which also reads code, is left out."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    page.wait_for_selector(REPORTS)
    found: dict[str, list[float]] = {title: [] for title in TITLES}
    for at in range(rounds + 1):
        for title in TITLES:
            before = page.locator("h1").inner_text()
            began = time.monotonic()
            page.get_by_role("link", name=title).first.click()
            page.wait_for_function("old => document.querySelector('h1')?.innerText !== old", arg=before)
            if at:
                found[title].append(time.monotonic() - began)
            page.wait_for_selector(REPORTS)
    page.close()
    return found
