"""The board paper as a Word document: real headings, repeated table headings, text for pictures, page numbers, en-GB."""

import datetime as dt
import io
from collections.abc import Iterable
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from carecast.dashboard.reports import words
from carecast.dashboard.reports.about import About, about, front_line
from carecast.dashboard.reports.blocks import Block, Bullets, Heading, Para, Shown, ToComplete
from carecast.dashboard.reports.board_paper import board_paper
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.pictures import pictures
from carecast.dashboard.reports.shapes import TextTable

INK, FONT, LANGUAGE = RGBColor(0x0B, 0x0C, 0x0C), "Arial", "en-GB"
TEXT_WIDTH_CM = 17.0  # A4 less its margins
HEAD_FILL, RULE = "E7ECF1", "B1B4B6"


def document(numbers: Numbers) -> bytes:
    """The bytes of the .docx file."""
    told = about(numbers.run)
    paper = Document()
    _set_up(paper, told)
    paper.add_heading(told.title, 0)
    paper.add_paragraph(words.prose("paper_subtitle", numbers.nation), style="Subtitle")
    if told.stamp:
        _strong(paper, f"{told.stamp_line}.")
    paper.add_paragraph(front_line(told))
    writer = _Writer(paper)
    for block in board_paper(numbers, told, pictures(numbers)):
        writer.add(block)
    buffer = io.BytesIO()
    paper.save(buffer)
    return buffer.getvalue()


# --- the document as a whole ----------------------------------------------------------------------
def _set_up(paper: Any, told: About) -> None:
    """Page, styles, language, properties, header and footer."""
    section = paper.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.0)
    section.top_margin = section.bottom_margin = Cm(2.0)
    for name, size, space in (
        ("Normal", 11, 6),
        ("Title", 24, 6),
        ("Subtitle", 14, 12),
        ("Heading 1", 18, 6),
        ("Heading 2", 14, 4),
        ("Heading 3", 12, 4),
        ("Caption", 10.5, 4),
        ("List Bullet", 11, 3),
        ("List Number", 11, 3),
    ):
        _style(paper.styles[name], size, space)
        if f"{name} Char" in paper.styles:  # the same for letters, which some readers show instead
            _font(paper.styles[f"{name} Char"], size)
    paper.styles["Caption"].paragraph_format.keep_with_next = True
    paper.styles["Caption"].paragraph_format.space_before = Pt(10)
    paper.styles["Caption"].font.bold = True
    _language(paper)
    core = paper.core_properties
    core.title, core.subject, core.author, core.language = (
        told.title,
        told.stamp_line or "Forecast",
        "carecast",
        LANGUAGE,
    )
    core.keywords = f"run {told.run_id}"
    core.comments = f"Reproduce with: {dict(told.facts)['Command that reproduces it']}"
    core.created = core.modified = dt.datetime.fromisoformat(told.made).replace(tzinfo=None)
    short = "Illustrative" if told.stamp else "Forecast"
    section.header.paragraphs[
        0
    ].text = f"{told.council}. {short}. Run {told.run_id}, data as at {dict(told.facts)['Data as at']}"
    _page_numbers(section.footer.paragraphs[0])


def _style(style: Any, size: float, space: float) -> None:
    _font(style, size)
    style.paragraph_format.space_after = Pt(space)


def _font(style: Any, size: float) -> None:
    style.font.name, style.font.size, style.font.color.rgb = FONT, Pt(size), INK
    style.font.italic = False
    colour = style.element.rPr.find(qn("w:color"))
    for name in ("themeColor", "themeShade", "themeTint"):
        colour.attrib.pop(qn(f"w:{name}"), None)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)
    for name in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{name}"), FONT)


def _language(paper: Any) -> None:
    defaults = paper.styles.element.find(qn("w:docDefaults"))
    properties = defaults.find(qn("w:rPrDefault")).find(qn("w:rPr"))
    lang = properties.find(qn("w:lang"))
    if lang is None:
        lang = OxmlElement("w:lang")
        properties.append(lang)
    lang.set(qn("w:val"), LANGUAGE)


def _page_numbers(paragraph: Any) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    paragraph.add_run("Page ")
    _field(paragraph, "PAGE")
    paragraph.add_run(" of ")
    _field(paragraph, "NUMPAGES")


def _field(paragraph: Any, name: str) -> None:
    for kind, text in (("begin", ""), ("", name), ("separate", ""), ("text", "1"), ("end", "")):
        run = paragraph.add_run()
        if kind == "text":
            run.text = text
            continue
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.set(qn("xml:space"), "preserve")
            element.text = f" {text} "
        run._r.append(element)


def _strong(paper: Any, text: str) -> None:
    """A paragraph set apart by a rule on its left and bold type."""
    paragraph = paper.add_paragraph()
    paragraph.add_run(text).bold = True
    paragraph.paragraph_format.left_indent = Cm(0.4)
    borders = OxmlElement("w:pBdr")
    left = OxmlElement("w:left")
    for name, value in (("val", "single"), ("sz", "36"), ("space", "8"), ("color", "0B0C0C")):
        left.set(qn(f"w:{name}"), value)
    borders.append(left)
    paragraph._p.get_or_add_pPr().append(borders)


# --- blocks ---------------------------------------------------------------------------------------
class _Writer:
    """Adds one block after another; tables and pictures are numbered."""

    def __init__(self, paper: Any) -> None:
        """Start with nothing numbered."""
        self.paper, self.tables, self.figures, self.is_after_table = paper, 0, 0, False

    def add(self, block: Block) -> None:
        """One block."""
        if isinstance(block, Shown):
            self._picture(block)
        elif isinstance(block, TextTable):
            self._table(block)
        else:
            paragraphs = list(self._text(block))
            if self.is_after_table and not isinstance(block, Heading):
                paragraphs[0].paragraph_format.space_before = Pt(8)  # a table has no space after it
            self.is_after_table = False

    def _text(self, block: Heading | Para | Bullets | ToComplete) -> Iterable[Any]:
        if isinstance(block, Heading):
            yield self.paper.add_heading(block.text, block.level)
        elif isinstance(block, Para):
            yield self.paper.add_paragraph(block.text)
        elif isinstance(block, Bullets):
            for line in block.lines:
                yield self.paper.add_paragraph(line, style="List Number" if block.numbered else "List Bullet")
        else:
            paragraph = self.paper.add_paragraph()
            paragraph.add_run("[To be completed] ").bold = True
            paragraph.add_run(block.text)
            yield paragraph

    def _picture(self, block: Shown) -> None:
        picture = block.picture
        self.figures += 1
        self.paper.add_paragraph(f"Figure {self.figures}. {picture.title}", style="Caption")
        note = self.paper.add_paragraph(picture.subtitle)
        note.paragraph_format.keep_with_next = True
        drawn = self.paper.add_paragraph().add_run().add_picture(io.BytesIO(picture.png()), width=Cm(TEXT_WIDTH_CM))
        properties = drawn._inline.docPr
        properties.set("descr", picture.alt)
        properties.set("title", picture.title)
        if block.with_table:
            self._table(picture.table)

    def _table(self, shown: TextTable) -> None:
        self.tables += 1
        self.paper.add_paragraph(f"Table {self.tables}. {shown.caption}", style="Caption")
        table = self.paper.add_table(rows=1 + len(shown.rows), cols=len(shown.columns))
        table.style = "Table Grid"
        table.autofit = False
        _describe(table, shown)
        widths = _widths(shown)
        for at, width in enumerate(widths):
            table.columns[at].width = Cm(width)
        for number, cells in enumerate((shown.columns, *shown.rows)):
            row = table.rows[number]
            _keep_whole(row)
            is_strong = number == 0 or cells[0] in shown.strong
            for at, text in enumerate(cells):
                _fill(row.cells[at], text, is_strong, widths[at], to_right=shown.is_of_figures(at))
                if number == 0:
                    _shade(row.cells[at])
        _repeat(table.rows[0])
        if shown.note:
            self.paper.add_paragraph(shown.note).paragraph_format.space_before = Pt(4)
        self.is_after_table = not shown.note


def _describe(table: Any, shown: TextTable) -> None:
    """Caption and first row and column as headings, for those who hear the table."""
    properties = table._tbl.tblPr
    caption = OxmlElement("w:tblCaption")
    caption.set(qn("w:val"), shown.caption)
    properties.append(caption)
    look = properties.find(qn("w:tblLook"))
    if look is not None:
        for name, value in (("firstRow", "1"), ("firstColumn", "1"), ("noHBand", "1"), ("noVBand", "1")):
            look.set(qn(f"w:{name}"), value)
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "bottom", "insideH"):
        edge = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", RULE)):
            edge.set(qn(f"w:{name}"), value)
        borders.append(edge)
    for side in ("left", "right", "insideV"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:val"), "nil")
        borders.append(edge)
    properties.append(borders)


def _widths(shown: TextTable) -> list[float]:
    """Widths in centimetres by how much each column holds, the sum as wide as the page."""
    weights = []
    for at, heading in enumerate(shown.columns):
        longest = max(len(line) for row in (shown.columns, *shown.rows) for line in row[at].split("\n"))
        least = max([9, *(len(word) + 2 for word in heading.split())])
        weights.append(max(min(longest, 46 if shown.is_prose or at == 0 else 22), least))
    return [TEXT_WIDTH_CM * weight / sum(weights) for weight in weights]


def _fill(cell: Any, text: str, strong: bool, width: float, to_right: bool) -> None:
    cell.width = Cm(width)
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(1)
    for number, line in enumerate(text.split("\n")):
        run = paragraph.add_run(line)
        run.bold, run.font.size = strong and number == 0, Pt(9 if number == 0 else 8)
        if number < text.count("\n"):
            run.add_break()
    if to_right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _shade(cell: Any) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", HEAD_FILL)):
        shade.set(qn(f"w:{name}"), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _keep_whole(row: Any) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _repeat(row: Any) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
