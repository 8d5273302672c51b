"""Changes to a TOML file that keep what a person wrote in it: comments, order, blank lines, how a number is written.

A file is a head and then blocks, each one item of a list (``[[lever]]``) with the comments above it. What has not changed is
left letter by letter; a block that goes takes its own comments with it.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Item, Table

Document = Mapping[str, Any]
HEADER = re.compile(r"^\[\[\s*([A-Za-z0-9_-]+)\s*\]\]")
LOST_HEAD = "# Comments of the version before, whose places in the file could not be kept:"


@dataclass(frozen=True)
class Block:
    """One item of a list: the comments above it and its lines."""

    section: str
    text: str


def split(text: str) -> tuple[str, list[Block]]:
    """The head of a file and its blocks; together they are the file."""
    lines = text.splitlines(keepends=True)
    starts: list[tuple[int, str]] = []
    for number, line in enumerate(lines):
        found = HEADER.match(line)
        if found:
            first = number
            while first > (starts[-1][0] + 1 if starts else 0) and lines[first - 1].startswith("#"):
                first -= 1
            starts.append((first, found[1]))
    ends = [first for first, _ in starts[1:]] + [len(lines)]
    blocks = [Block(name, "".join(lines[first:end])) for (first, name), end in zip(starts, ends, strict=True)]
    return "".join(lines[: starts[0][0]] if starts else lines), blocks


def rewritten(text: str, before: Document, after: Document, plain: str) -> str:
    """A file that said ``before`` as it says ``after``.

    Args:
        text: the file as it stands.
        before: what it says; may leave out what it says by default.
        after: what it is to say, in the same form.
        plain: the same without any comment, for a file that cannot be taken apart; its comments are then put on top.
    """
    try:
        made = _rewritten(text, before, after)
        if _as_before(tomllib.loads(text), before, after) == tomllib.loads(made):
            return made
    except (TOMLKitError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError):
        pass  # an unusual way of writing; nothing of what people wrote is lost, only its place
    return on_top(text, plain)


def on_top(text: str, plain: str) -> str:
    """A file written anew, the comments of the one before at its head."""
    lost = comments(text)
    return "\n".join([LOST_HEAD, *lost, "", plain]) if lost else plain


def comments(text: str) -> list[str]:
    """Every line of a file that is a comment of its own."""
    return [line.strip() for line in text.splitlines() if line.lstrip().startswith("#") and line.strip() != LOST_HEAD]


def _is_list(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _sections(*documents: Document) -> list[str]:
    return list(dict.fromkeys(name for said in documents for name, value in said.items() if _is_list(value)))


def _as_before(said: Document, before: Document, after: Document) -> dict[str, Any]:
    """What the file is to say in its own words: what it said, with the changes."""
    lists = _sections(said, before, after)
    kept = _changed({k: v for k, v in said.items() if k not in lists}, before, after, lists)
    for name in lists:
        items = []
        for at, new in _pairs(before.get(name, []), after.get(name, [])):
            items.append(dict(new) if at is None else _changed(said[name][at], before[name][at], new, ()))
        if items:
            kept[name] = items
    return kept


def _changed(said: Document, before: Document, after: Document, but: Sequence[str]) -> dict[str, Any]:
    names = [name for name in {**before, **after} if name not in but and before.get(name) != after.get(name)]
    kept = {name: value for name, value in said.items() if name not in names}
    return kept | {name: after[name] for name in names if name in after}


def _rewritten(text: str, before: Document, after: Document) -> str:
    head, blocks = split(text)
    lists = _sections({block.section: [{}] for block in blocks}, before, after)
    top = tomlkit.parse(head)
    _edit(top, before, after, lists)
    made: dict[str, list[str]] = {}
    for name in lists:
        texts = [block.text for block in blocks if block.section == name]
        made[name] = [
            _new_block(name, new) if at is None else _edited_block(name, texts[at], before[name][at], new)
            for at, new in _pairs(before.get(name, []), after.get(name, []))
        ]
    parts = [_ended(tomlkit.dumps(top), head)]
    order = [block.section for block in blocks]
    for place, name in enumerate(order):
        is_last = name not in order[place + 1 :]
        parts += made[name] if is_last else made[name][:1]
        made[name] = [] if is_last else made[name][1:]
    parts += [part for name in lists for part in made[name]]
    return re.sub(r"\n{4,}", "\n\n\n", "".join(parts)).rstrip("\n") + "\n"


def _ended(text: str, like: str) -> str:
    """Text with as many line ends as there were."""
    ends = len(like) - len(like.rstrip("\n"))
    return text.rstrip("\n") + "\n" * max(ends, 1) if text.strip() else text


def _pairs(before: Sequence[Document], after: Sequence[Document]) -> list[tuple[int | None, Document]]:
    """Every new item with the number of the old one it comes from: one that is the same, else the next of its kind."""
    free = list(range(len(before)))
    found: list[int | None] = [None] * len(after)
    for is_fit in (lambda one, other: one == other, _is_of_a_kind):
        for at, new in enumerate(after):
            if found[at] is None:
                match = next((old for old in free if is_fit(before[old], new)), None)
                if match is not None:
                    found[at] = match
                    free.remove(match)
    return list(zip(found, after, strict=True))


def _is_of_a_kind(one: Document, other: Document) -> bool:
    return all(one.get(name) == other.get(name) for name in ("kind", "aim", "measure"))


def _edited_block(name: str, text: str, before: Document, after: Document) -> str:
    if before == after:
        return text if text.endswith("\n") else text + "\n"
    document = tomlkit.parse(text.rstrip("\n") + "\n")
    _edit(document[name][0], before, after, ())
    return _ended(tomlkit.dumps(document), text)


def _new_block(name: str, item: Document) -> str:
    document = tomlkit.document()
    table = tomlkit.table()
    for key, value in item.items():
        table[key] = _item(value)
    many = tomlkit.aot()
    many.append(table)
    document[name] = many
    return "\n" + tomlkit.dumps(document)


def _edit(table: Any, before: Document, after: Document, but: Sequence[str]) -> None:  # noqa: ANN401
    """Change in a table what changes from one document to the other."""
    for name in dict.fromkeys([*before, *after]):
        if name in but or before.get(name) == after.get(name):
            continue
        if name not in after:
            table.pop(name, None)
        elif isinstance(after[name], Mapping) and isinstance(table.get(name), InlineTable | Table):
            inside = table[name]
            for key in [key for key in inside if key not in after[name]]:
                inside.pop(key)
            for key, value in after[name].items():
                if inside.get(key) != value:
                    inside[key] = _item(value)
        else:
            table[name] = _item(after[name])


def _item(value: Any) -> Item:  # noqa: ANN401
    """A value as it is written: a table within one line, long text over several."""
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        for key, part in value.items():
            inline[key] = _item(part)
        return inline
    if isinstance(value, str) and "\n" in value:
        return tomlkit.string(value, multiline=True)
    return tomlkit.item(value)
