"""The web page: one file that asks for nothing, with landmarks, words for charts, and tables to be read aloud."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from carecast.dashboard.reports import sections, words
from carecast.dashboard.reports.about import about, front_line
from carecast.dashboard.reports.blocks import Block, Bullets, Heading, Para, ToComplete
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.pictures import inline_svg, pictures
from carecast.dashboard.reports.shapes import TextTable

HERE = Path(__file__).parent


@dataclass
class Section:
    """One section of the page."""

    id: str
    title: str
    blocks: list[dict[str, Any]] = field(default_factory=list)


def web_page(numbers: Numbers) -> bytes:
    """The bytes of the .html file."""
    from jinja2 import Environment, FileSystemLoader

    told = about(numbers.run)
    made = pictures(numbers)
    blocks = [
        *sections.summary(numbers, told),
        *sections.heading_for(numbers, made),
        *sections.options(numbers),
        *sections.savings(numbers, made),
        *sections.levers(numbers, made),
        *sections.reserves(numbers),
        *sections.targets(numbers),
        *sections.safety(numbers),
        *sections.staff(numbers),
        *sections.places(numbers),
        *sections.assumptions(numbers),
        *sections.limits(told),
        *sections.provenance(told),
    ]
    kept = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    kept.filters["coded"] = _coded
    page = kept.get_template("page.jinja").render(
        told=told, parts=_parts(blocks), subtitle=words.prose("page_subtitle"), front=front_line(told), css=_css()
    )
    return page.encode("utf-8")


def _css() -> Any:
    from markupsafe import Markup

    return Markup((HERE / "page.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file


def _parts(blocks: Iterable[Block]) -> list[Section]:
    """The sections, each begun by a heading of level 1."""
    found: list[Section] = []
    for block in blocks:
        if isinstance(block, Heading) and block.level == 1:
            found.append(Section(f"part-{len(found) + 1}", block.text))
        else:
            found[-1].blocks.append(_plain(block))
    return found


def _plain(block: Block) -> dict[str, Any]:
    if isinstance(block, Heading):
        return {"kind": "heading", "level": block.level, "text": block.text}
    if isinstance(block, Para | ToComplete):
        return {"kind": "para", "text": _coded(block.text)}
    if isinstance(block, Bullets):
        return {"kind": "list", "lines": block.lines}
    if isinstance(block, TextTable):
        return {"kind": "table", "table": block}
    from markupsafe import Markup

    svg = Markup(inline_svg(block.picture))  # noqa: S704 - drawn by us; its text is escaped by the renderer
    return {"kind": "picture", "picture": block.picture, "with_table": block.with_table, "svg": svg}


def _coded(text: str) -> Any:
    """Text for the page, commands marked as such."""
    from markupsafe import Markup, escape

    parts = [
        Markup("<code>{}</code>").format(part) if is_code else escape(part) for part, is_code in words.with_code(text)
    ]
    return Markup("").join(parts)
