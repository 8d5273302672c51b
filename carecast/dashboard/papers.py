"""Pages of the documentation that the screens show: their tables and paragraphs, read from ``docs`` where it is there."""

import re
from functools import cache
from pathlib import Path

import carecast
from carecast.dashboard.panels.shapes import Table

ROOT = Path(carecast.__file__).parent.parent
GLOSSARY, STRESS, CHANGES = Path("docs/glossary.md"), Path("docs/stress-des.md"), Path("CHANGELOG.md")
LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
Block = str | Table


@cache
def paper(file: Path) -> tuple[Block, ...]:
    """Paragraphs and tables of a page of the documentation in order; nothing where the page is not there.

    Headings become bold lines, since the screen has headings of its own; links become their words.
    """
    try:
        text = (ROOT / file).read_text(encoding="utf-8")
    except OSError:
        return ()
    text = LINK.sub(r"\1", COMMENT.sub("", text))
    blocks = [block.strip("\n") for block in re.split(r"\n\s*\n", text) if block.strip()]
    found: list[Block] = []
    heading = ""
    for block in blocks[1:]:  # the first is the title
        if block.startswith("#"):
            heading = block.lstrip("# ").strip()
            found.append(f"**{heading}**")
        elif block.startswith("|"):
            found.append(_table(block, heading))
        else:
            found.append(block)
    return tuple(found)


def _table(block: str, heading: str) -> Table:
    rows = [_cells(line) for line in block.splitlines()]
    columns, body = rows[0], rows[2:]
    caption = heading or f"{columns[0].capitalize()}: {len(body)} rows"
    return Table(caption, tuple(name.capitalize() for name in columns), tuple(body), is_prose=True)


def _cells(line: str) -> tuple[str, ...]:
    parts = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return tuple(re.sub(r"[`*]", "", part).replace("\\|", "|").strip() for part in parts)
