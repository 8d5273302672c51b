"""The board paper as a Word document: real headings, repeated table headings, text for pictures, page numbers, en-GB."""

import datetime as dt
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from carecast.dashboard.reports import word, words
from carecast.dashboard.reports.about import About, about, front_line
from carecast.dashboard.reports.blocks import Block, Bullets, Heading, Para, Shown, ToComplete
from carecast.dashboard.reports.board_paper import board_paper
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.pictures import pictures
from carecast.dashboard.reports.shapes import TextTable

ANNEX = "Annex: the numbers of the figures"
CODE_FONT, MOST_HEIGHT_CM = "Courier New", 16.0
CELL_CM, LETTER_CM = 0.48, 0.18  # padding of a cell, a letter of 10 points
LONGEST_WORD, SHORT_FIGURE, LEAST_FIRST, FIRST_LETTERS, BOLD = 14, 13, 16, 40, 1.2  # letters of columns
SHORT_PARA = 300  # letters
MOST_ROWS_WHOLE = 14  # of a table that is kept on one page
INK, FONT, LANGUAGE = RGBColor(0x0B, 0x0C, 0x0C), "Arial", "en-GB"
TEXT_WIDTH_CM = 17.0  # A4 less its margins
HEAD_FILL, RULE = "E7ECF1", "B1B4B6"


def document(numbers: Numbers) -> bytes:
    """The bytes of the .docx file."""
    told = about(numbers.run)
    blocks = board_paper(numbers, told, pictures(numbers))
    shown = [block for block in blocks if isinstance(block, Shown) and block.with_table]
    paper = Document()
    _set_up(paper, told)
    paper.add_heading(told.title, 0)
    paper.add_paragraph(words.prose("paper_subtitle", numbers.nation), style="Subtitle")
    if told.stamp:
        _strong(paper, f"{told.stamp_line}.")
    paper.add_paragraph(front_line(told))
    heads = [block.text for block in blocks if isinstance(block, Heading) and block.level == 1]
    word.contents(paper, [*heads, *([ANNEX] if shown else [])], len(heads))
    writer = _Writer(paper)
    for block in blocks:
        writer.add(block)
    writer.annex(shown)
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
        ("Normal", 12, 6),
        ("Title", 24, 6),
        ("Subtitle", 14, 12),
        ("Heading 1", 18, 6),
        ("Heading 2", 14, 4),
        ("Heading 3", 12, 4),
        ("Caption", 11, 4),
        ("List Bullet", 12, 3),
        ("List Number", 12, 3),
        ("Header", 10, 0),
        ("Footer", 10, 0),
    ):
        _style(paper.styles[name], size, space)
        if f"{name} Char" in paper.styles:  # the same for letters, which some readers show instead
            _font(paper.styles[f"{name} Char"], size)
    paper.styles["Caption"].paragraph_format.keep_with_next = True
    paper.styles["Caption"].paragraph_format.space_before = Pt(10)
    paper.styles["Caption"].font.bold = True
    spacing = paper.styles["Subtitle"].element.rPr.find(qn("w:spacing"))
    if spacing is not None:
        paper.styles["Subtitle"].element.rPr.remove(spacing)
    word.number_headings(paper)
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
    section.header.paragraphs[0].text = f"{told.council}. {short}."
    foot, facts = section.footer.paragraphs[0], dict(told.facts)
    version = facts["Version"].partition(",")[0]
    foot.paragraph_format.tab_stops.clear_all()
    foot.paragraph_format.tab_stops.add_tab_stop(Cm(TEXT_WIDTH_CM), WD_TAB_ALIGNMENT.RIGHT)
    foot.add_run(f"Run {told.run_id}, {version}, data as at {facts['Data as at']}\t")
    word.page_numbers(foot)


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
        self.before: Any = None  # a short paragraph that goes with the table after it
        self.numbers_of: dict[str, int] = {}  # pictures whose table stands in the annex
        self.paper, self.tables, self.figures, self.heads, self.is_after_table = paper, 0, 0, 0, False

    def add(self, block: Block) -> None:
        """One block."""
        if isinstance(block, TextTable | Shown) and self.before is not None:
            self.before.paragraph_format.keep_with_next = True
        self.before = None
        if isinstance(block, Shown):
            self._picture(block)
        elif isinstance(block, TextTable):
            self._table(block)
        else:
            paragraphs = list(self._text(block))
            if self.is_after_table and not isinstance(block, Heading):
                paragraphs[0].paragraph_format.space_before = Pt(8)  # a table has no space after it
            self.is_after_table = False
            self.before = paragraphs[-1] if isinstance(block, Para) and len(block.text) < SHORT_PARA else None

    def _text(self, block: Heading | Para | Bullets | ToComplete) -> Iterable[Any]:
        if isinstance(block, Heading):
            paragraph = self.paper.add_heading(block.text, block.level)
            if block.level == 1:
                word.bookmark(paragraph, word.head_mark(self.heads), self.heads)
                self.heads += 1
            yield paragraph
        elif isinstance(block, Para):
            yield _said(self.paper.add_paragraph(), block.text)
        elif isinstance(block, Bullets):
            for line in block.lines:
                yield _said(self.paper.add_paragraph(style="List Number" if block.numbered else "List Bullet"), line)
        else:
            paragraph = self.paper.add_paragraph()
            paragraph.add_run(f"[{block.mark}] ").bold = True
            yield _said(paragraph, block.text)

    def _picture(self, block: Shown) -> None:
        picture = block.picture
        self.figures += 1
        self.paper.add_paragraph(f"Figure {self.figures}. {picture.title}", style="Caption")
        note = self.paper.add_paragraph(picture.subtitle)
        note.paragraph_format.keep_with_next = True
        if block.with_table:
            note.add_run(" Its numbers: ")
            word.link(note, f"Table A{self.figures}", _table_mark(self.figures))
            note.add_run(".")
        drawn = self.paper.add_paragraph().add_run().add_picture(io.BytesIO(picture.png()), width=Cm(TEXT_WIDTH_CM))
        properties = drawn._inline.docPr
        properties.set("descr", picture.alt)
        properties.set("title", picture.title)
        if drawn.height > Cm(MOST_HEIGHT_CM):
            ratio = Cm(MOST_HEIGHT_CM) / drawn.height
            drawn.width, drawn.height = int(drawn.width * ratio), int(drawn.height * ratio)
        if block.with_table:
            self.numbers_of[picture.name] = self.figures

    def annex(self, shown: Sequence[Shown]) -> None:
        """The numbers behind the figures."""
        if not shown:
            return
        heading = self.paper.add_heading(ANNEX, 1)
        heading.paragraph_format.page_break_before = True
        word.bookmark(heading, word.head_mark(self.heads), self.heads)
        word.unnumbered(heading)
        self.paper.add_paragraph(words.prose("annex"))
        for block in shown:
            self._table(block.picture.table, f"A{self.numbers_of[block.picture.name]}")

    def _table(self, shown: TextTable, number_of: str = "") -> None:
        self.tables += 0 if number_of else 1
        caption = self.paper.add_paragraph(style="Caption")
        caption.add_run(f"Table {number_of or self.tables}. {shown.caption}")
        if number_of:
            at = int(number_of[1:])
            word.bookmark(caption, _table_mark(at), 1000 + at)
        table = self.paper.add_table(rows=1 + len(shown.rows), cols=len(shown.columns))
        table.style = "Table Grid"
        table.autofit = False
        _describe(table, shown)
        wide = widths(shown)
        for at, width in enumerate(wide):
            table.columns[at].width = Cm(width)
        for number, cells in enumerate((shown.columns, *shown.rows)):
            row = table.rows[number]
            _keep_whole(row)
            is_strong = number == 0 or cells[0] in shown.strong
            for at, text in enumerate(cells):
                _fill(row.cells[at], text, is_strong, wide[at], to_right=shown.is_of_figures(at))
                if number == 0:
                    _shade(row.cells[at])
        _repeat(table.rows[0])
        if not shown.is_prose and len(shown.rows) <= MOST_ROWS_WHOLE:
            for row in table.rows[:-1]:
                row.cells[0].paragraphs[0].paragraph_format.keep_with_next = True
        if shown.note:
            _note(self.paper, shown.note)
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


def _table_mark(number: int) -> str:
    return f"numbers_of_figure_{number}"


def _note(paper: Any, text: str) -> None:
    paragraph = _said(paper.add_paragraph(), text)
    paragraph.paragraph_format.space_before = Pt(4)
    for run in paragraph.runs:
        run.font.size = Pt(10)


def _said(paragraph: Any, text: str) -> Any:
    """Text in a paragraph, commands in type of one width."""
    for part, is_code in words.with_code(text):
        run = paragraph.add_run(part)
        if is_code:
            run.font.name = CODE_FONT
    return paragraph


def widths(shown: TextTable) -> list[float]:
    """Widths in centimetres, the sum as wide as the page: no word is cut, the rest by how much each column holds."""
    least, weights = [], []
    for at, heading in enumerate(shown.columns):
        cells = [row[at] for row in shown.rows]
        lines = [line for cell in (heading, *cells) for line in cell.split("\n")]
        least.append(CELL_CM + LETTER_CM * _longest(cells, heading, shown.is_prose, at))
        most = min(max(map(len, lines)), FIRST_LETTERS if at == 0 else 26)
        weights.append(math.sqrt(sum(map(len, cells)) + len(heading)) if shown.is_prose else most)
    return _filled(least, weights)


def _longest(cells: Sequence[str], heading: str, is_prose: bool, at: int) -> float:
    """Letters of the longest piece of a column that must not be broken: a word, a short figure, a bold heading's word."""
    lines = [line for cell in cells for line in cell.split("\n")]
    words_of = [len(part) for line in lines for part in line.split()]
    figures = [len(line) for line in lines if at and len(line) <= SHORT_FIGURE and any(map(str.isdigit, line))]
    word_of = min(max(words_of, default=1), LONGEST_WORD if is_prose else 2 * LONGEST_WORD)
    first = [min(max(map(len, lines), default=1), LEAST_FIRST)] if at == 0 else []
    return max(word_of, *(BOLD * len(part) for part in heading.split()), *first, *([] if is_prose else figures), 1)


def _filled(least: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Widths by weight, none under its least where the page has room for that."""
    if sum(least) >= TEXT_WIDTH_CM:
        return [TEXT_WIDTH_CM * width / sum(least) for width in least]
    held: set[int] = set()
    while True:
        room = TEXT_WIDTH_CM - sum(least[at] for at in held)
        whole = sum(weight for at, weight in enumerate(weights) if at not in held) or 1.0
        found = [least[at] if at in held else room * weight / whole for at, weight in enumerate(weights)]
        narrow = {at for at, width in enumerate(found) if width < least[at] - 1e-9}
        if not narrow:
            return found
        held |= narrow


def _fill(cell: Any, text: str, strong: bool, width: float, to_right: bool) -> None:
    cell.width = Cm(width)
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(1)
    for number, line in enumerate(text.split("\n")):
        for part, is_code in words.with_code(line):
            run = paragraph.add_run(part)
            run.bold, run.font.size = strong and number == 0, Pt(10 if number == 0 else 9)
            if is_code:
                run.font.name = CODE_FONT
        if number < text.count("\n"):
            paragraph.add_run().add_break()
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
