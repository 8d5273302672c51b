"""Three people's ways through the dashboard in a real browser, from start to a file in hand.

Screenshots of every step are written to ``build/journeys`` to be looked at; they are not kept with the source.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from carecast.dashboard import serve
from tests.calibration.readers import returns
from tests.dashboard import desks
from tests.end_to_end import in_browser

SHOTS = Path("build/journeys")
WAIT_MS = 30_000
FIT_MS = 400_000

pytestmark = in_browser.MARKS


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """Address of the dashboard on a tiny run, and the folder it works in."""
    folder = tmp_path_factory.mktemp("journeys")
    whole = desks.whole_with_parameters(folder / "runs")
    with in_browser.served(in_browser.free_port(), serve.environment(whole.folder, folder / "runs"), folder) as address:
        yield address, folder


@pytest.fixture
def page(browser, served):
    found = browser.new_page(viewport={"width": 1280, "height": 900})
    found.set_default_timeout(WAIT_MS)
    found.goto(served[0])
    found.wait_for_selector("h1")
    yield found
    found.close()


def shoot(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(600)
    page.screenshot(path=SHOTS / f"{name}.png")


def go(page, title):
    """To a page by its link; returns its finding."""
    before = page.locator("h1").inner_text()
    page.get_by_role("link", name=title).first.click()
    page.wait_for_function("old => document.querySelector('h1')?.innerText !== old", arg=before)
    return page.locator("h1").inner_text()


def taken(page, name):
    """The bytes behind a download button."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_a_finance_lead_takes_the_savings_to_a_workbook(page):
    import openpyxl

    assert "Placements will cost £" in page.locator("h1").inner_text()
    shoot(page, "finance_1_heading")
    assert "saves" in go(page, "Compare") or "costs" in page.locator("h1").inner_text()
    page.wait_for_selector("text=Download the savings (CSV)")
    shoot(page, "finance_2_compare")
    name, csv = taken(page, "Download the savings (CSV)")
    assert name.endswith("_savings.csv")
    assert b"cashable" in csv.splitlines()[0] or b"cashable" in csv
    name, book = taken(page, "Workbook (Excel)")
    assert name.endswith(".xlsx")
    sheets = openpyxl.load_workbook(io.BytesIO(book)).sheetnames
    assert len(sheets) > 5


def test_a_board_member_takes_the_chance_to_a_paper(page):
    from docx import Document
    from pptx import Presentation

    finding = go(page, "Will we make it?")
    assert finding.strip()
    page.wait_for_selector("text=Not modelled")
    shoot(page, "board_1_targets")
    assert "within" in go(page, "Placements and distance")
    page.wait_for_selector("text=Reports to take away")
    shoot(page, "board_2_placements")
    _, paper = taken(page, "Board paper (Word)")
    text = "\n".join(paragraph.text for paragraph in Document(io.BytesIO(paper)).paragraphs)
    assert "Recommendations" in text
    _, slides = taken(page, "Slides (PowerPoint)")
    assert len(Presentation(io.BytesIO(slides)).slides) >= 3


def returned(folder):
    """A zip of what an invented council would return."""
    world = returns.make_world(children=160, first_year=2020)  # long enough for a back-test from one date
    returns.write_returns(folder, returns.yearly(world), world)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for file in sorted(folder.rglob("*.csv")):
            archive.write(file, file.relative_to(folder))
    return held.getvalue()


def test_an_analyst_calibrates_on_returns_and_adopts_the_set(page, served, tmp_path):
    zipped = tmp_path / "returns.zip"
    zipped.write_bytes(returned(tmp_path / "returns"))
    go(page, "Calibration")
    page.wait_for_selector("text=Download these numbers (CSV)")
    page.set_input_files("input[type=file] >> nth=0", zipped)
    page.get_by_role("textbox", name="Council").fill("Northshire")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Check these files").click()
    page.wait_for_selector("text=Download everything to mend", timeout=FIT_MS)
    assert "0" in page.locator("dl.cc-tile:has-text('Refused')").inner_text()
    page.locator("[data-testid=stCheckbox] label").click()
    page.wait_for_selector("[data-testid=stCheckbox] input:checked", state="attached")
    shoot(page, "analyst_1_checked")
    page.get_by_role("button", name="Calibrate on these files").click()
    page.wait_for_selector("text=/^(Do not adopt it|It stopped: .*)$/", timeout=FIT_MS)
    assert page.locator("text=It stopped:").count() == 0
    page.wait_for_function("() => document.querySelector('h1').innerText.includes('Northshire')")
    assert page.locator("h1").inner_text().endswith("back-tested")
    page.wait_for_selector("text=/^Back-tested from /")
    shoot(page, "analyst_2_fitted")
    page.get_by_role("button", name="Adopt it", exact=True).click()
    page.wait_for_selector("text=Adopted: the parameter set is in")
    adopted = list((served[1] / "parameters").iterdir())
    assert [folder.name for folder in adopted] == [f"northshire-{folder.name[-10:]}" for folder in adopted]
    shoot(page, "analyst_3_adopted")
    name, csv = taken(page, "Download these numbers (CSV)")
    assert name == "northshire_numbers.csv"
    assert csv.startswith(b"section,name,value,unit")
    page.get_by_role("button", name="Start a first run on it").click()
    page.wait_for_selector("text=/^(Complete: northshire-|It stopped: )/", timeout=FIT_MS)
    assert page.locator("text=It stopped:").count() == 0
    shoot(page, "analyst_4_first_run")
    page.get_by_role("button", name="Show it").click()
    page.wait_for_selector("h1:has-text('Placements will cost £')")
    page.wait_for_selector("li:has-text('Northshire')")
    page.wait_for_selector("text=/^Back-tested from /")  # beside the forecasts
    shoot(page, "analyst_5_its_forecast")
    name, _ = taken(page, "Download all figures (CSV)")
    assert name.startswith("northshire-")
