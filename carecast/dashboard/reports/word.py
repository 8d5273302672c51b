"""What python-docx has no words for: contents, numbered headings, bookmarks, links and fields of a Word document."""

from collections.abc import Sequence
from typing import Any

from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt

CONTENTS = ' TOC \\o "1-1" \\h \\z \\u '
NUMBERING = 990  # a number of ours among the lists of the template
LEVELS = (("Heading1", "%1", 1.2), ("Heading2", "%1.%2", 1.2))


# --- headings -------------------------------------------------------------------------------------
def number_headings(paper: Any) -> None:
    """Headings of levels 1 and 2 are numbered by Word itself: 1, 1.1, 1.2, 2."""
    levels = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:pStyle w:val="{style}"/>'
        f'<w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/>'
        f'<w:pPr><w:tabs><w:tab w:val="num" w:pos="{int(indent * 567)}"/></w:tabs>'
        f'<w:ind w:left="{int(indent * 567)}" w:hanging="{int(indent * 567)}"/></w:pPr></w:lvl>'
        for at, (style, text, indent) in enumerate(LEVELS)
    )
    lists = paper.part.numbering_part.element
    lists.insert(0, parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{NUMBERING}"><w:multiLevelType w:val="multilevel"/>{levels}'
        "</w:abstractNum>"
    ))  # fmt: skip
    lists.append(
        parse_xml(f'<w:num {nsdecls("w")} w:numId="{NUMBERING}"><w:abstractNumId w:val="{NUMBERING}"/></w:num>')
    )
    for at, name in enumerate(("Heading 1", "Heading 2")):
        _numbered(paper.styles[name].element.get_or_add_pPr(), NUMBERING, at)


def unnumbered(paragraph: Any) -> None:
    """A heading without a number."""
    _numbered(paragraph._p.get_or_add_pPr(), 0, 0)
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.first_line_indent = Cm(0)


def _numbered(properties: Any, number: int, level: int) -> None:
    found = properties.get_or_add_numPr()
    found.get_or_add_ilvl().val = level
    found.get_or_add_numId().val = number


# --- contents -------------------------------------------------------------------------------------
def head_mark(at: int) -> str:
    """The bookmark of a heading of level 1."""
    return f"_Toc{90_000_000 + at}"


def contents(paper: Any, heads: Sequence[str], numbered: int) -> None:
    """A field of contents that already holds its entries, each a link; Word adds page numbers when it is updated.

    Args:
        paper: the document.
        heads: headings of level 1 in order.
        numbered: how many of them are numbered; those after are not.
    """
    title = paper.add_paragraph()
    title.paragraph_format.space_before, title.paragraph_format.space_after = Pt(12), Pt(4)
    title.paragraph_format.keep_with_next = True
    told = title.add_run("Contents")
    told.bold, told.font.size = True, Pt(14)
    style = paper.styles.add_style("toc 1", WD_STYLE_TYPE.PARAGRAPH, builtin=True)
    style.base_style = paper.styles["Normal"]
    style.paragraph_format.space_after = Pt(1)
    style.paragraph_format.tab_stops.add_tab_stop(Cm(1.0))
    for at, text in enumerate(heads):
        paragraph = paper.add_paragraph(style="toc 1")
        if at == 0:
            _begin(paragraph, CONTENTS)
        link(paragraph, f"{at + 1}\t{text}" if at < numbered else text, head_mark(at))
        if at == len(heads) - 1:
            _mark(paragraph.add_run(), "end")
            paragraph.add_run().add_break(_page_break())


def _page_break() -> Any:
    from docx.enum.text import WD_BREAK

    return WD_BREAK.PAGE


# --- bookmarks, links, fields ---------------------------------------------------------------------
def bookmark(paragraph: Any, name: str, number: int) -> None:
    """Marks a paragraph, so that links can lead to it."""
    begin, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for element in (begin, end):
        element.set(qn("w:id"), str(number))
    begin.set(qn("w:name"), name)
    at = 1 if paragraph._p.pPr is not None else 0
    paragraph._p.insert(at, begin)
    paragraph._p.append(end)


def link(paragraph: Any, text: str, to: str) -> None:
    """Words that lead to a bookmark of the document."""
    found = OxmlElement("w:hyperlink")
    found.set(qn("w:anchor"), to)
    found.set(qn("w:history"), "1")
    run = paragraph.add_run(text)
    found.append(run._r)
    paragraph._p.append(found)


def page_numbers(paragraph: Any) -> None:
    """Page so of so, as fields."""
    paragraph.add_run("Page ")
    field(paragraph, "PAGE")
    paragraph.add_run(" of ")
    field(paragraph, "NUMPAGES")


def field(paragraph: Any, name: str) -> None:
    """A field with a value to show until it is updated."""
    _begin(paragraph, f" {name} ")
    paragraph.add_run("1")
    _mark(paragraph.add_run(), "end")


def _begin(paragraph: Any, instruction: str) -> None:
    _mark(paragraph.add_run(), "begin")
    element = OxmlElement("w:instrText")
    element.set(qn("xml:space"), "preserve")
    element.text = instruction
    paragraph.add_run()._r.append(element)
    _mark(paragraph.add_run(), "separate")


def _mark(run: Any, kind: str) -> None:
    element = OxmlElement("w:fldChar")
    element.set(qn("w:fldCharType"), kind)
    run._r.append(element)
