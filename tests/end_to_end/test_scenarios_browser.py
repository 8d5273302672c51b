"""Scenarios and targets in a real browser: levers by keyboard, looks that follow, nothing wider than a phone, no barrier."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest

from carecast.dashboard import serve
from tests.dashboard import desks, tiny_runs
from tests.end_to_end.in_browser import MARKS, barriers, free_port, served

PAGES = ("scenarios", "targets")
LOOKED = "text=intervals of 200 replications"
WAIT_MS = 60_000

pytestmark = MARKS


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """The dashboard on a tiny run with its parameter set, and one scenario of the user's own."""
    folder = tmp_path_factory.mktemp("desk")
    runs, own = folder / "runs", folder / "scenarios"
    for place in (runs, own):
        place.mkdir()
    whole = desks.whole_with_parameters(runs)
    (own / "more_early_help.toml").write_text(tiny_runs.MORE_HELP, encoding="utf-8")
    environment = {**serve.environment(whole.folder, runs), "CARECAST_SCENARIOS": str(own)}
    with served(free_port(), environment, folder) as found:
        yield found


@pytest.fixture
def visit(browser, address):
    """Open a page in a session of its own and wait until it is whole; hosts asked are in ``visit.hosts``."""
    contexts = []

    def opened(path: str, width: int = 1280, height: int = 900):
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on("request", lambda request: opened.hosts.add(urlparse(request.url).hostname))
        page.on("websocket", lambda socket: opened.hosts.add(urlparse(socket.url).hostname))
        page.goto(f"{address}/{path}")
        page.wait_for_selector(LOOKED if path.startswith("scenarios") else "text=Find what it would take")
        page.wait_for_selector(".vega-embed svg")
        page.wait_for_timeout(500)
        return page

    opened.hosts = set()
    yield opened
    for context in contexts:
        context.close()


def keep(page, name: str) -> None:
    """A screenshot as build output, where the environment asks for one."""
    folder = os.environ.get("CARECAST_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("path", PAGES)
def test_no_violation_of_wcag_and_nothing_wider_than_the_screen(visit, path, width):
    page = visit(path, width)
    keep(page, f"{path}_{width}")
    for summary in page.locator("[data-testid=stExpander] summary").all():
        summary.click()
        page.wait_for_timeout(250)
    page.wait_for_timeout(1500)
    keep(page, f"{path}_{width}_open")
    assert barriers(page) == []
    wide = page.evaluate(
        "() => [...document.querySelectorAll('[data-testid=stMain], [data-testid=stMainBlockContainer]')]"
        ".map(e => e.scrollWidth).concat(document.documentElement.scrollWidth)"
    )
    assert max(wide) <= width
    assert page.locator("h1").count() == 1
    assert page.locator("[data-testid=stException]").count() == 0
    assert visit.hosts - {None} == {"127.0.0.1"}


def test_a_lever_is_moved_by_keyboard_and_the_address_reopens_the_view(visit):
    page = visit("scenarios")
    first = page.locator("h1").inner_text()
    lever = page.get_by_role("slider").nth(1)
    lever.focus()
    page.keyboard.press("End")
    page.wait_for_selector("text=You have changes that are not saved")
    page.wait_for_selector(f"h1:not(:has-text('{first}'))")
    page.wait_for_selector(LOOKED)
    assert "sizes=lever2.share" in page.url
    again = visit(page.url.split("/", 3)[3])
    again.wait_for_selector("text=You have changes that are not saved")
    assert again.locator("h1").inner_text() == page.locator("h1").inner_text()


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("scenarios", ("Scenario to work on", "Dates, places, cost and reasons", "Add a lever", "Start the full run",
                       "Download this scenario", "Rationale")),
        ("targets", ("Target to look at", "Add a target", "Find out what it hangs on", "Find what it would take",
                     "The targets in full")),
    ],
)  # fmt: skip
def test_keyboard_reaches_everything(visit, path, wanted):
    page = visit(path)
    seen = []
    for _ in range(90):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "() => { const e = document.activeElement;"
                " return [e.getAttribute('aria-label'), e.innerText, e.tagName].filter(Boolean).join(' | '); }"
            )
        )
    for words in wanted:
        assert any(words in one for one in seen), words


def test_a_scenario_file_goes_down_and_up_again(visit, tmp_path):
    page = visit("scenarios")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download this scenario (TOML)").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert 'name = "more_early_help"' in text
    brought = tmp_path / "brought.toml"
    brought.write_text(text.replace('name = "more_early_help"', 'name = "brought"'), encoding="utf-8")
    page.locator("summary:has-text('New, copy, archive, upload')").click()
    page.locator("input[type=file]").set_input_files(brought)
    page.wait_for_selector("text=Uploaded: brought")
    page.wait_for_selector("h1:has-text('Brought')")


def test_a_full_run_is_told_while_the_page_stays_usable(visit):
    page = visit("scenarios")
    page.get_by_role("button", name="Start the full run").click()
    page.wait_for_selector("text=It is among the runs on every page")
    page.get_by_role("button", name="Show it").click()
    page.wait_for_selector("text=What it will cost")
    assert "more_early_help_" in page.url
