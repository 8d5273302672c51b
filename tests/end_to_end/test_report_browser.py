"""The report's web page in a real browser: no barrier, nothing asked of anybody, readable on a phone."""

from pathlib import Path

import pytest

from carecast.dashboard.reports import make_report
from tests.dashboard import tiny_runs
from tests.end_to_end.in_browser import MARKS, barriers

pytestmark = MARKS


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return make_report(tiny_runs.whole(folder), folder / "report.html")


@pytest.fixture
def visit(browser, page_file):
    contexts = []

    def open_at(width: int, height: int):
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.asked, page.wrong = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.wrong.append(message.text))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.goto(page_file.as_uri())
        return page

    yield open_at
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [1280, 320])  # 320: a phone, or 400 % zoom on a screen of 1280
def test_no_barrier_and_nothing_asked(visit, page_file, width):
    page = visit(width, 900)
    for details in page.locator("details").all():
        details.locator("summary").click()
    assert barriers(page) == []
    assert page.asked == [page_file.as_uri()]
    assert page.wrong == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_keyboard_reaches_the_findings_first(visit):
    page = visit(1280, 900)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
