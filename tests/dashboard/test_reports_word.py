"""The board paper as Word sees it: contents, links, headings, footer, widths; and each nation's own law."""

import io
import re
import shutil
import subprocess

import pytest
from docx import Document
from docx.oxml.ns import qn

from carecast.dashboard.reports import build, document
from carecast.dashboard.reports.shapes import TextTable
from tests.dashboard.reported import england
from tests.dashboard.test_reports_papers import headings, text_of


@pytest.fixture(scope="module")
def paper(run):
    return Document(io.BytesIO(build(run, "docx")))


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    return Document(io.BytesIO(build(england(tmp_path_factory.mktemp("law")), "docx")))


def marks(element) -> list[str]:
    return [found.get(qn("w:name")) for found in element.iter(qn("w:bookmarkStart"))]


def test_contents_are_a_field_that_holds_every_heading_already(paper):
    entries = [p for p in paper.paragraphs if p.style.name == "toc 1"]
    shown = ["".join(t.text or "\t" for t in p._p.iter(qn("w:t"), qn("w:tab"))) for p in entries]
    wanted = headings(paper)
    numbered = [f"{at}\t{text}" for at, text in enumerate(wanted[:-1], 1)]
    assert [re.sub(r"\t+", "\t", text) for text in shown] == [*numbered, wanted[-1]]
    kinds = [found.get(qn("w:fldCharType")) for p in entries for found in p._p.iter(qn("w:fldChar"))]
    assert kinds == ["begin", "separate", "end"]
    (instruction,) = [found.text for p in entries for found in p._p.iter(qn("w:instrText"))]
    assert instruction.split()[:3] == ["TOC", "\\o", '"1-1"']


def test_every_link_of_the_paper_leads_somewhere(paper):
    body = paper.element.body
    there = marks(body)
    assert len(there) == len(set(there))
    links = [found.get(qn("w:anchor")) for found in body.iter(qn("w:hyperlink"))]
    assert len(links) > len(headings(paper))  # the contents, and figures to their numbers
    assert set(links) <= set(there)
    numbers = [found.get(qn("w:id")) for found in body.iter(qn("w:bookmarkStart"))]
    assert len(numbers) == len(set(numbers))


def test_headings_are_numbered_by_word_itself(paper):
    for name in ("Heading 1", "Heading 2"):
        assert paper.styles[name].element.pPr.numPr.numId.val == 990
    lists = paper.part.numbering_part.element
    known = {found.get(qn("w:abstractNumId")) for found in lists.findall(qn("w:abstractNum"))}
    (ours,) = [found for found in lists.findall(qn("w:num")) if found.get(qn("w:numId")) == "990"]
    assert ours.find(qn("w:abstractNumId")).get(qn("w:val")) in known
    kinds = [child.tag for child in lists]
    assert kinds.index(qn("w:num")) > max(at for at, kind in enumerate(kinds) if kind == qn("w:abstractNum"))


def test_every_page_says_which_run(run, paper):
    foot = paper.sections[0].footer.paragraphs[0]
    for needed in (run.record["digest"], "carecast", "data as at 31 July 2022", "Page "):
        assert needed in foot.text
    assert "Illustrative" in paper.sections[0].header.paragraphs[0].text


def test_commands_are_told_from_words(paper):
    assert "`" not in text_of(paper)
    typed = [run.text for p in paper.paragraphs for run in p.runs if run.font.name == "Courier New"]
    assert any(text.startswith("carecast report RUN") for text in typed)


# --- widths of columns ----------------------------------------------------------------------------
def test_columns_fill_the_page_and_cut_no_word():
    years = tuple(f"20{at}-{at + 1}" for at in range(23, 29))
    shown = TextTable("x", ("Saving, mean", *years), (("Gross saving", *(6 * ("−£2.20m\n−£12.20m to −£1.35m",))),))
    found = document.widths(shown)
    assert sum(found) == pytest.approx(document.TEXT_WIDTH_CM)
    least = document.CELL_CM + document.LETTER_CM * len("2023-24")
    assert min(found) >= least
    prose = TextTable("x", ("Law", "What it asks"), (("A", "word " * 60),), is_prose=True)
    law, asks = document.widths(prose)
    assert law + asks == pytest.approx(document.TEXT_WIDTH_CM)
    assert asks > 4 * law


def test_too_many_columns_still_fit_the_page():
    wide = TextTable("x", tuple(f"Column{at}" for at in range(20)), (tuple("£38.53m" for _ in range(20)),))
    assert sum(document.widths(wide)) == pytest.approx(document.TEXT_WIDTH_CM)


# --- the law --------------------------------------------------------------------------------------
CONFIRM = "[To be confirmed by the council\u2019s legal adviser]"


def test_scottish_paper_names_scottish_law_for_the_adviser_to_confirm(paper):
    told = text_of(paper)
    for law in (
        "Children (Scotland) Act 1995",
        "Children and Young People (Scotland) Act 2014, Part 9",
        "Public Bodies (Joint Working) (Scotland) Act 2014, sections 26 and 27",
        "UNCRC (Incorporation) (Scotland) Act 2024",
        "Equality Act 2010, section 149",
        "Equality Act 2010, section 1, in force in Scotland",
    ):
        assert law in told
    assert "section 22G" not in told
    assert told.count(CONFIRM) == 4


def test_english_paper_names_english_law_for_the_adviser_to_confirm(english):
    told = text_of(english)
    for law in ("Children Act 1989, section 22G", "Children Act 1989, section 22C", "Equality Act 2010, section 149"):
        assert law in told
    for other in ("(Scotland)", "Joint Working", "Fairer Scotland", "Incorporation"):
        assert other not in told
    assert told.count(CONFIRM) == 3


# --- pages ----------------------------------------------------------------------------------------
@pytest.mark.skipif(not (shutil.which("soffice") and shutil.which("pdftotext")), reason="needs LibreOffice and poppler")
def test_an_office_program_lays_the_paper_out(alone, tmp_path):
    """LibreOffice opens it, numbers the headings, and shows the contents without an update."""
    file = tmp_path / "paper.docx"
    file.write_bytes(build(alone, "docx"))
    place = f"-env:UserInstallation={(tmp_path / 'office').as_uri()}"
    convert = ["soffice", place, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(file)]
    subprocess.run(convert, check=True, capture_output=True, timeout=180)
    said = subprocess.run(
        ["pdftotext", "-layout", str(tmp_path / "paper.pdf"), "-"], check=True, capture_output=True, text=True
    ).stdout
    pages = said.split("\f")[:-1]
    assert 5 <= len(pages) <= 30
    assert re.search(r"1\s+Purpose", pages[0])
    assert re.search(r"2\s+Recommendations", pages[0])
    assert all(alone.record["digest"] in page for page in pages)
    assert f"Page {len(pages)} of {len(pages)}" in pages[-1]
