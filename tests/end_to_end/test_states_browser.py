"""Runs and works that are not as hoped for, in a real browser: each has a sentence and a way on, and nothing breaks."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from carecast.dashboard import serve
from tests.dashboard import odd_runs, tiny_runs
from tests.end_to_end import in_browser
from tests.end_to_end.test_dashboard_browser import PAGES

WAIT_MS = 30_000
FIT_MS = 400_000
STATES = {  # run -> what its pages say, and the way on
    "nobody": ("Reports to take away", "Run"),
    "one_locality": ("Reports to take away", "Run"),
    "no_day": ("It starts and ends on 31 July 2022", "carecast run --parameters"),
    "unfinished (not complete)": ("This run is not complete", "--resume"),
    "damaged": ("This run cannot be read", "Choose another run"),
}

pytestmark = in_browser.MARKS


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[dict[str, str]]:
    """Addresses of a dashboard with odd runs, and of one whose folder of runs is empty."""
    full, empty = tmp_path_factory.mktemp("odd") / "runs", tmp_path_factory.mktemp("none") / "runs"
    for folder in (full, empty):
        folder.mkdir()
    odd_runs.nobody(full)
    odd_runs.one_locality(full)
    odd_runs.no_day(full)
    whole = tiny_runs.whole(full)
    tiny_runs.unfinished(whole.folder, full)
    tiny_runs.damaged(whole.folder, full)
    with (
        in_browser.served(in_browser.free_port(), serve.environment(whole.folder, full), full.parent) as of_full,
        in_browser.served(in_browser.free_port(), serve.environment(None, empty), empty.parent) as of_empty,
    ):
        yield {"full": of_full, "empty": of_empty}


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


def is_whole(page):
    text = page.inner_text("body")
    assert page.locator("h1").count() == 1
    assert page.locator("h1").inner_text().strip()
    assert page.locator("[data-testid=stException]").count() == 0
    assert "Traceback" not in text
    assert "could not be drawn" not in text
    return text


@pytest.mark.parametrize("run", STATES)
def test_an_odd_run_has_a_sentence_and_a_way_on_on_every_page(page, served, run):
    said, way_on = STATES[run]
    for name, path in PAGES.items():
        if name == "calibration":  # of no run
            continue
        page.goto(f"{served['full']}/{path}?run={quote(run)}")
        page.wait_for_selector(f"text={said}")
        page.wait_for_selector(f"text={way_on} >> nth=0")
        is_whole(page)


def test_a_first_visit_without_a_run_says_how_to_begin(page, served):
    for name, path in PAGES.items():
        page.goto(f"{served['empty']}/{path}")
        page.wait_for_selector("text=No parameter set yet" if name == "calibration" else "text=No run yet")
        way_on = "Check these files" if name == "calibration" else "carecast run --parameters"
        page.wait_for_selector(f"text={way_on}")
        is_whole(page)


def test_a_check_that_fails_says_why_and_can_be_asked_again(page, served, tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    page.goto(f"{served['empty']}/calibration")
    page.set_input_files("input[type=file] >> nth=0", tmp_path / "x.csv")
    page.get_by_role("button", name="Check these files").click()
    page.wait_for_selector("text=It stopped:", timeout=FIT_MS)
    assert str(tmp_path) not in is_whole(page)
    assert page.get_by_role("button", name="Check these files").is_enabled()


def test_a_calibration_that_is_cancelled_leaves_nothing_and_can_be_begun_again(page, served):
    page.goto(f"{served['empty']}/calibration")
    page.get_by_text("Published figures that come with carecast").click()
    page.get_by_role("button", name="Calibrate on these figures").click()
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector("text=Cancelled. Nothing of it was kept", timeout=FIT_MS)
    assert "New, not adopted" not in is_whole(page)
    assert page.locator("h1").inner_text() == "No parameter set yet"
    assert page.get_by_role("button", name="Calibrate on these figures").is_enabled()
