"""The dashboard in a real browser: it loads fast, stays on this machine, and can be used by keyboard, reader and phone."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest

from carecast.dashboard import serve
from tests.dashboard import desks, tiny_runs
from tests.end_to_end.in_browser import MARKS, barriers, free_port, served

PAGES = {"heading": "", "scenarios": "scenarios", "compare": "compare", "targets": "targets", "placements": "placements",
         "early_help": "early-help", "calibration": "calibration", "method": "method"}  # fmt: skip
TITLES = {"heading": "Where we are heading", "compare": "Compare", "placements": "Placements and distance",
          "calibration": "Calibration", "method": "Assumptions and method"}  # fmt: skip
LAST_ON_PAGE = {"calibration": "text=Download these numbers (CSV)"}
REPORTS = "text=Tables and charts (CSV, Parquet"  # at the foot of every page about a run
WAIT_MS = 20_000

pytestmark = MARKS


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """The dashboard, started from another folder than the project's, on a tiny run."""
    folder = tmp_path_factory.mktemp("browser_runs")
    whole = desks.whole_with_parameters(folder)
    tiny_runs.unfinished(whole.folder, folder)
    with served(free_port(), serve.environment(whole.folder, folder), folder) as found:
        yield found


@pytest.fixture
def visit(browser, address):
    """Open a page and wait until all of it is there; every host that anything was asked of is in ``visit.hosts``."""
    contexts = []

    def opened(path: str = "", width: int = 1280, height: int = 900):
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on("request", lambda request: opened.hosts.add(urlparse(request.url).hostname))
        page.on("console", lambda said: opened.refused.append(said.text) if "Content Security" in said.text else None)
        page.on("websocket", lambda socket: opened.hosts.add(urlparse(socket.url).hostname))
        page.goto(f"{address}/{path}")
        page.wait_for_selector(LAST_ON_PAGE.get(path, REPORTS))
        return page

    opened.hosts, opened.refused = set(), []
    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_page_loads_with_one_first_heading_and_stays_on_this_machine(visit, path):
    page = visit(path)
    page.wait_for_timeout(1000)  # anything that would call out late
    assert page.locator("h1").count() == 1
    assert page.locator("h1").inner_text().strip()
    assert page.locator("text=Illustrative").count() >= 1
    assert page.locator("[data-testid=stException]").count() == 0
    assert visit.hosts - {None} == {"127.0.0.1"}  # None: data and blob addresses
    assert visit.refused == []  # the strict headers stand in nothing's way


def test_the_server_answers_with_strict_headers_and_to_its_own_name_only(address):
    with urllib.request.urlopen(address, timeout=5) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self' 'sha256-" in policy
    assert "unsafe-eval" not in policy
    asked = urllib.request.Request(address, headers={"Host": "elsewhere.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=5)
    assert refused.value.code == 400
    refused.value.close()


def test_links_lead_from_page_to_page(visit):
    page = visit()
    for name in [*list(TITLES)[1:], "heading"]:
        before = page.locator("h1").inner_text()
        page.get_by_role("link", name=TITLES[name]).first.click()
        page.wait_for_function("old => document.querySelector('h1')?.innerText !== old", arg=before)
        page.wait_for_selector(LAST_ON_PAGE.get(PAGES[name], REPORTS))
        assert page.locator("[data-testid=stException]").count() == 0


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize(
    "path", sorted(set(PAGES.values()) - {"scenarios", "targets"})
)  # test_scenarios_browser has these
def test_no_violation_of_wcag(visit, path, width):
    page = visit(path, width)
    for summary in page.locator("[data-testid=stExpander] summary").all():
        summary.click()
    if path not in ("method", "calibration"):
        page.wait_for_selector(".vega-embed svg")
    page.wait_for_timeout(500)
    assert barriers(page) == []


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_nothing_is_wider_than_a_narrow_screen(visit, path):
    page = visit(path, width=320)
    page.wait_for_timeout(500)
    wide = page.evaluate(
        "() => [...document.querySelectorAll('[data-testid=stMain], [data-testid=stMainBlockContainer]')]"
        ".map(e => e.scrollWidth).concat(document.documentElement.scrollWidth)"
    )
    assert max(wide) <= 320
    assert page.locator("h1").bounding_box()["width"] <= 320


def test_keyboard_reaches_pages_pickers_and_tables(visit):
    page = visit()
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "() => { const e = document.activeElement;"
                " return [e.getAttribute('aria-label'), e.innerText, e.tagName].filter(Boolean).join(' | '); }"
            )
        )
    for wanted in ("Assumptions and method", "Run", "Scenario, beside the baseline", "How to read these figures",
                   "The numbers", "Safety measures beside the saving", "Download all figures"):  # fmt: skip
        assert any(wanted in one for one in seen), wanted


def test_scenario_is_chosen_by_keyboard_and_the_address_says_which(visit):
    page = visit()
    first = page.locator("h1").inner_text()
    page.get_by_label("Scenario, beside the baseline").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("Dearer")
    page.keyboard.press("Enter")
    page.wait_for_function("before => document.querySelector('h1').innerText !== before", arg=first)
    assert "Dearer homes" in page.locator("h1").inner_text()
    assert "scenario=Dearer" in page.url
    again = visit(page.url.split("/", 3)[3])
    assert again.locator("h1").inner_text() == page.locator("h1").inner_text()


def test_charts_have_text_and_data(visit):
    page = visit()
    page.wait_for_selector(".vega-embed svg")
    page.wait_for_timeout(500)
    assert page.locator(".vega-embed svg").count() == 5
    assert page.locator("[aria-label*='Line chart of children looked after']").count() >= 2
    assert page.locator("summary:has-text('The numbers')").count() == 5


def test_the_data_can_be_taken_away(visit):
    page = visit()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download all figures (CSV)").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert text.startswith("scenario,date,measure,breakdown,mean,sd,p025")
    assert waiting.value.suggested_filename == "whole_summary.csv"
