"""Tiles, tables and keys as HTML that screen readers and narrow screens can use. All text is escaped."""

from collections.abc import Sequence
from html import escape

from carecast.dashboard.panels import Line, Table, Tile
from carecast.dashboard.telling import legend_name
from carecast.model.summary import BASELINE

MARKS = {
    "line-baseline": "line baseline", "bands": "bands", "line-scenario": "line scenario", "edge-scenario": "edge scenario",
    **{f"{kind}-{at}": f"{kind} s{at}" for kind in ("line", "point") for at in range(4)},  # overlaid scenarios
    **{f"part-{at}": f"part s{at}" for at in range(4)}, "place": "place", "square": "square", "tick": "tick", "ring": "ring",
    "dot": "dot", "diamond": "dot diamond",
    "point-baseline": "point baseline", "point-scenario": "point scenario", "line-target": "line target",
}  # fmt: skip


def _lines(text: str) -> str:
    first, *rest = escape(text).split("\n")
    return first + "".join(f'<span class="cc-small">{part}</span>' for part in rest)


def _cells(texts: Sequence[str]) -> str:
    return "".join(f"<td>{_lines(text)}</td>" for text in texts)


def _kind_of_row(heading: str, strong: Sequence[str]) -> str:
    if heading in strong:
        return ' class="cc-strong"'
    return ' class="cc-part"' if heading.startswith("of which") else ""


def table(shown: Table) -> str:
    """A table with caption and headings, in a region that can be scrolled by keyboard."""
    head = "".join(f'<th scope="col">{_lines(column)}</th>' for column in shown.columns)
    body = "".join(
        f'<tr{_kind_of_row(row[0], shown.strong)}><th scope="row">{_lines(row[0])}</th>{_cells(row[1:])}</tr>'
        for row in shown.rows
    )
    kind = "cc-prose" if shown.is_prose else "cc-numbers"
    caption = escape(shown.caption)
    return (
        f'<div class="cc-scroll" role="region" aria-label="{caption}" tabindex="0"><table class="cc-table {kind}">'
        f"<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _tile_line(line: Line) -> str:
    side = MARKS[line.mark] if line.mark else f"point {'baseline' if line.scenario == BASELINE else 'scenario'}"
    who = legend_name(line.scenario) if line.scenario else ""
    has_mark = line.mark or line.scenario
    mark = f'<span class="cc-mark {side}" aria-hidden="true"></span>' if has_mark else ""
    note = (
        f'<span class="cc-interval"><span class="cc-hidden">80 % interval </span>{escape(line.note)}</span>'
        if line.note
        else ""
    )
    value = f'<span class="cc-value">{escape(line.value)}</span>'
    return f'<dd><span class="cc-who">{mark}{escape(who)}</span>{value}{note}</dd>'


def tiles(shown: Sequence[Tile]) -> str:
    """Headline numbers in a grid that folds on narrow screens; small ones (targets) stand closer."""
    kind = "cc-tiles cc-close" if any(tile.is_good is not None for tile in shown) else "cc-tiles"
    return f'<div class="{kind}">{"".join(_tile(tile) for tile in shown)}</div>'


def _tile(tile: Tile) -> str:
    verdict = ""
    if tile.is_good is not None:
        word, kind = ("Likely enough", "good") if tile.is_good else ("Not likely enough", "poor")
        verdict = f'<dd class="cc-verdict {kind}">{word}</dd>'
    foot = f'<dd class="cc-foot">{escape(tile.foot)}</dd>' if tile.foot else ""
    lines = "".join(_tile_line(line) for line in tile.lines)
    return f'<dl class="cc-tile"><dt>{escape(tile.label)}</dt>{lines}{verdict}{foot}</dl>'


def key(marks: Sequence[tuple[str, str]]) -> str:
    """What the marks of a chart stand for."""
    parts = "".join(
        f'<li><span class="cc-mark {MARKS[mark]}" aria-hidden="true"></span>{escape(text)}</li>' for mark, text in marks
    )
    return f'<ul class="cc-key">{parts}</ul>'


def stamp(text: str) -> str:
    """That figures are illustrative, where nobody can miss it."""
    return f'<p class="cc-stamp"><strong>Illustrative</strong> {escape(text)}</p>'


def facts(shown: Sequence[str]) -> str:
    """Who, when, how many."""
    return f'<ul class="cc-facts">{"".join(f"<li>{escape(fact)}</li>" for fact in shown)}</ul>'
