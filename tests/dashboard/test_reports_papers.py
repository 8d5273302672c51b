"""The board paper, slides and web page read back: figures of the run, each nation's words, words for pictures."""

import io
import re
from html.parser import HTMLParser

import pytest
from docx import Document
from docx.oxml.ns import qn
from pptx import Presentation

from carecast.cli.text import pounds
from carecast.dashboard.reports import build
from tests.dashboard.reported import LAST, SCENARIO, Summary, england


@pytest.fixture(scope="module")
def summary(run) -> Summary:
    return Summary(run)


@pytest.fixture(scope="module")
def paper(run):
    return Document(io.BytesIO(build(run, "docx")))


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    return england(tmp_path_factory.mktemp("english"))


@pytest.fixture(scope="module")
def deck(run):
    return Presentation(io.BytesIO(build(run, "pptx")))


@pytest.fixture(scope="module")
def page(run) -> str:
    return build(run, "html").decode("utf-8")


def gbp(value: float) -> str:
    return pounds(value).replace("-", "\u2212")


def headings(document) -> list[str]:
    return [p.text for p in document.paragraphs if p.style.name == "Heading 1"]


def text_of(document) -> str:
    cells = [cell.text for found in document.tables for row in found.rows for cell in row.cells]
    return "\n".join([*(p.text for p in document.paragraphs), *cells])


def provenance(run) -> list[str]:
    return [
        run.record["digest"],
        f"carecast {run.record['versions']['carecast']}",
        "31 July 2022",
        "llustrative: from published",
        run.record["command"],
        *run.record["not_modelled"],
    ]


def word_table(document, caption: str):
    """The cells of the table under a caption."""
    body = list(document.element.body)
    start = next(
        i
        for i, e in enumerate(body)
        if e.tag == qn("w:p") and caption in "".join(t.text or "" for t in e.iter(qn("w:t")))
    )
    element = next(e for e in body[start:] if e.tag == qn("w:tbl"))
    found = next(t for t in document.tables if t._tbl is element)
    return [[cell.text for cell in row.cells] for row in found.rows]


# --- the board paper ------------------------------------------------------------------------------
def test_paper_has_what_a_scottish_board_asks_for(paper):
    assert headings(paper) == [
        "Purpose",
        "Recommendations",
        "What we found",
        "Background",
        "Where we are heading",
        "Options",
        "Savings by kind and year",
        "What each lever adds",
        "Reserves",
        "Will we make it?",
        "Safety beside savings",
        "Legal duties",
        "Direction to the council or the health board",
        "Children\u2019s rights",
        "Equality and Fairer Scotland",
        "Workforce and gaps in services",
        "Places needed",
        "Risks",
        "Assumptions",
        "What is not modelled",
        "How sure we are",
        "About these figures",
        "Annex: the numbers of the figures",
    ]
    told = text_of(paper)
    assert "Children's Hearing" in told
    assert told.count("[To be completed]") >= 8
    assert "pre-proceedings" not in told


def test_paper_of_an_english_council_speaks_its_words(english):
    found = Document(io.BytesIO(build(english, "docx")))
    told = text_of(found)
    assert "Direction to the council or the health board" not in headings(found)
    assert "Equality" in headings(found)
    for scottish in ("Fairer Scotland", "integration joint board", "Hearing", "compulsory supervision", "health board"):
        assert scottish not in told.replace("how decisions are made by Hearings and courts", "")
    for own in ("child in need", "child protection plan", "pre-proceedings", "staying put"):
        assert own in told
    assert "Illustrative" not in told  # its figures are its own


def test_paper_figures_are_those_of_the_summary(run, paper, summary):
    told = text_of(paper)
    net = summary.of(SCENARIO, "net_saving_gbp")
    low, high = (summary.of(SCENARIO, "net_saving_gbp", statistic=name) for name in ("p10", "p90"))
    said = f"saves {gbp(net)} net" if net >= 0 else f"costs {gbp(-net)} more than it saves"
    assert said in told
    assert f"{gbp(low)} to {gbp(high)}" in told
    rows = word_table(paper, "Gross and programme cost by financial year, mean")
    baseline = next(row for row in rows if row[0] == "Baseline")
    assert baseline[-1].split("\n")[0] == gbp(summary.of("baseline", "net_cost_gbp"))
    rows = word_table(paper, "Savings of \u201cMore early help\u201d")
    by_kind = {row[0]: row[-1].split("\n")[0] for row in rows}
    for label, measure in (
        ("Gross saving", "gross_saving_gbp"),
        ("of which cashable", "cashable_saving_gbp"),
        ("of which avoided", "avoided_cost_gbp"),
        ("of which released, never cash", "released_capacity_gbp"),
        ("Net saving", "net_saving_gbp"),
        ("Net saving since the start", "cumulative_net_saving_gbp"),
    ):
        value = summary.of(SCENARIO, measure)
        size = f"£{abs(value) / 1e6:.2f}m"
        assert by_kind[label] == (
            f"\u2212{size}" if value < 0 and size != "£0.00m" else "£0" if round(value) == 0 else size
        ), label


def test_paper_targets_are_those_of_the_run(run, paper):
    rows = word_table(paper, "Targets: how likely")
    found = {(row[0].split("\n")[0], row[1]): row for row in rows[1:]}
    for a in run.assessments():
        name = {"baseline": "Baseline", SCENARIO: "More early help"}.get(a.scenario)
        if name:
            row = found[a.target, name]
            assert row[2].replace("\u00a0", " ").replace(" %", "") == f"{100 * a.met_probability:.0f}"
            assert row[4] == ("Yes" if a.is_likely_enough else "No")


def test_paper_can_be_heard_and_says_where_it_is_from(run, paper):
    for found in paper.tables:
        assert found.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert found._tbl.tblPr.find(qn("w:tblCaption")) is not None
    assert len(paper.inline_shapes) == 6
    for shape in paper.inline_shapes:
        assert len(shape._inline.docPr.get("descr")) > 60
    language = (
        paper.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr")).find(qn("w:lang"))
    )
    assert language.get(qn("w:val")) == "en-GB"
    core = paper.core_properties
    assert (core.language, core.author) == ("en-GB", "carecast")
    assert run.record["council"] in core.title
    footer = paper.sections[0].footer._element.xml
    assert "PAGE" in footer
    assert "NUMPAGES" in footer
    told = text_of(paper)
    for needed in provenance(run):
        assert needed in told


def test_paper_of_the_baseline_alone_says_so(alone):
    found = Document(io.BytesIO(build(alone, "docx")))
    assert "Savings by kind and year" not in headings(found)
    assert "The run holds the baseline alone" in text_of(found)


def test_paper_of_one_scenario_leaves_the_others_out(run):
    told = text_of(Document(io.BytesIO(build(run, "docx", SCENARIO))))
    assert "Dearer homes" not in told
    assert "More early help" in told


# --- slides ---------------------------------------------------------------------------------------
def test_slides_state_findings(run, deck, summary):
    titles = [slide.shapes.title.text for slide in deck.slides]
    assert len(titles) == 10
    assert len(set(titles)) == 10
    net = summary.of(SCENARIO, "net_saving_gbp")
    assert any(gbp(abs(net)) in title for title in titles)
    assert any(gbp(summary.of("baseline", "net_cost_gbp")) in title for title in titles)
    away = f"{summary.of('baseline', 'looked_after_away_from_home'):,.0f} children will be away from home"
    assert titles[1].startswith(away)


def test_slides_can_be_heard_and_say_where_they_are_from(run, deck):
    pictures = [shape for slide in deck.slides for shape in slide.shapes if shape.shape_type == 13]
    assert len(pictures) == 3
    for shape in pictures:
        assert len(shape._element.xpath(".//p:cNvPr")[0].get("descr")) > 60
    told = "\n".join(shape.text_frame.text for slide in deck.slides for shape in slide.shapes if shape.has_text_frame)
    for needed in provenance(run):
        assert needed in told
    for slide in deck.slides:
        assert run.record["digest"] in slide.notes_slide.notes_text_frame.text
        assert any("llustrative" in shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)
    assert deck.core_properties.language == "en-GB"
    assert 'lang="en-GB"' in deck.slides[0].shapes.title._element.xml


def test_nothing_on_a_slide_lies_outside_it(deck):
    for slide in deck.slides:
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.left + shape.width <= deck.slide_width
            assert shape.top + shape.height <= deck.slide_height


# --- the web page ---------------------------------------------------------------------------------
class Page(HTMLParser):
    """Tables by caption, ids, addresses and headings of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self._caption, self._cell, self._rows = "", None, []
        self._in_caption = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.addresses += [found[name] for name in ("href", "src", "xlink:href") if found.get(name)]
        if tag == "table":
            self._rows = []
        if tag == "tr":
            self._rows.append([])
        if tag in ("td", "th"):
            self._cell = ""
        if tag == "span" and self._cell is not None:
            self._cell += "\n"
        self._in_caption = tag == "caption"

    def handle_data(self, data):
        if self._in_caption:
            self._caption, self._in_caption = data, False
        elif self._cell is not None:
            self._cell += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._rows[-1].append(self._cell)
            self._cell = None
        if tag == "table":
            self.tables[self._caption] = self._rows


def test_page_stands_alone(page):
    found = Page(page)
    assert all(address.startswith("#") for address in found.addresses)
    assert "<script" not in page
    assert not re.search(r"url\((?!#)", page)
    assert len(found.ids) == len(set(found.ids))
    assert {address.removeprefix("#") for address in found.addresses} <= set(found.ids)


def test_page_has_landmarks_and_words_for_charts(run, page):
    found = Page(page)
    assert '<html lang="en-GB">' in page
    for tag in ("header", "nav", "main", "footer"):
        assert found.tags.count(tag) == 1
    assert found.tags.count("h1") == 1
    assert found.tags.count("table") == page.count("<caption>")
    described = re.findall(r'role="img" aria-label="([^"]+)"', page)
    assert len(described) == page.count("<svg ") == 6
    assert min(map(len, described)) > 60
    for needed in provenance(run):
        assert needed.replace("'", "&#39;") in page


def test_page_figures_are_those_of_the_summary(page, summary):
    tables = Page(page).tables
    rows = {row[0]: row for row in tables["Children, now and at the end, mean and 80 % interval"]}
    for label, measure, digits in (
        ("Children looked after", "looked_after", 0),
        ("Balance of care: in the community", "balance_of_care_percent", 1),
    ):
        cell = rows[label][2].replace("\u00a0%", "")
        mean, interval = cell.split("\n")
        assert float(mean) == pytest.approx(summary.of("baseline", measure), abs=0.5 * 10**-digits + 0.006)
        low, high = (float(part) for part in interval.split(" to "))
        assert low == pytest.approx(summary.of("baseline", measure, statistic="p10"), abs=0.5 * 10**-digits)
        assert high == pytest.approx(summary.of("baseline", measure, statistic="p90"), abs=0.5 * 10**-digits)
    reserves = next(rows for caption, rows in tables.items() if caption == "Reserves by financial year")
    assert reserves[1][-1] == f"£{summary.of(SCENARIO, 'reserves_gbp', LAST) / 1e6:.2f}m"


def test_no_document_shows_a_small_count_of_the_start(paper, page):
    """Away from home is left out on the start date, since a placement type beside it is small."""
    assert word_table(paper, "Children looked after away from home at year ends, mean")[1][1] == "[c]"
    assert Page(page).tables["Children looked after away from home at year ends, mean and 80 % interval"][1][1] == "[c]"


def test_every_passage_of_prose_is_used():
    from pathlib import Path

    from carecast.dashboard.reports import words

    code = "".join(file.read_text(encoding="utf-8") for file in Path(words.__file__).parent.glob("*.py"))
    keys = {key.split(":")[0] for key in words._sections()}
    assert [key for key in sorted(keys) if f'"{key}"' not in code] == []
