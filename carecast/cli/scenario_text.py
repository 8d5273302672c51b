"""What ``carecast scenario`` prints: a scenario in plain words, what is wrong with a file, what differs between two."""

import datetime as dt
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from carecast.cli.text import WIDTH, wrapped
from carecast.scenarios.describe import date_words

Document = dict[str, Any]
LABEL = 11  # width of a row's label
EXACT = "taken as exact"


# --- one scenario -----------------------------------------------------------------------------------
def shown_text(document: Document) -> str:
    """A scenario for `show`."""
    parts = [
        _head(document),
        *_said(document["rationale"]),
        _items("LEVERS: what the council can choose", document["levers"]),
    ]
    parts.append(_items("ASSUMPTIONS: what it cannot choose", document["assumptions"]))
    council = document["council"]
    parts.append(_bullets("SEVERAL LEVERS ON ONE NUMBER", document["together"]))
    parts.append(_bullets(f"WHAT CHANGES NOTHING in {council}", document["changes_nothing"]))
    parts.append(_bullets(f"WORTH KNOWING in {council}", document["notes"]))
    parts.append(_aims(document["aims"]))
    parts.append(_bullets("TARGETS", [target["name"] for target in document["targets"]]))
    parts.append(_bullets("NOT MODELLED, beside what no result holds", document["not_modelled"]))
    if not council:
        parts.append(
            wrapped(
                "With --parameters DIR it is read for one council: which levers change nothing there, and which meet."
            )
        )
    return "\n\n".join(part for part in parts if part)


def _head(document: Document) -> str:
    title = f": {document['title']}" if document["title"] else ""
    written = date_words(dt.date.fromisoformat(document["date"])) if document["date"] else "no date"
    lines = [
        f"{document['name']}{title}",
        f"version {document['version']}, {document['status']}, by {document['author'] or 'nobody named'}, {written}",
    ]
    line = " <- ".join(_ancestor(found) for found in reversed(document["lineage"]))
    lines.append(f"built on {line}" if line else "built on nothing: it is where others begin")
    if document["copied_from"]:
        lines.append(f"copied from {document['copied_from']}")
    lines += [f"read from an older format: {change}" for change in document["upgraded"]]
    return "\n".join(wrapped(line) for line in lines)


def _ancestor(found: Document) -> str:
    return f"{found['name']} (version {found['version']}, {found['status']})"


def _said(rationale: str) -> Iterable[str]:
    if rationale:
        yield textwrap.fill(rationale, WIDTH)


def _items(heading: str, items: Sequence[Document]) -> str:
    if not items:
        return f"{heading.partition(':')[0]}: none"
    return "\n\n".join([heading, *(_item(number, item) for number, item in enumerate(items, 1))])


def _item(number: int, item: Document) -> str:
    rows = [
        ("", item["does"]),
        ("size", item["size"] or "none to give"),
        ("range", item["spread"] or (EXACT if item["size"] else "")),
        ("where, who", item["where"] or "the whole council, all ages"),
        ("when", item["when"]),
        ("cost", item["cost"] or ("" if item["is_assumption"] else "none given")),
        ("source", item["source"]),
        ("because", item["because"]),
        ("owner", item["owner"] or ("" if item["is_assumption"] else "none named")),
    ]
    head = f"{number}. {item['label']}  [{item['kind']}, from {item['scenario']}]"
    return "\n".join([wrapped(head), *(_row(label, text) for label, text in rows if text)])


def _row(label: str, text: str) -> str:
    start = f"   {label:<{LABEL}}" if label else "   "
    return textwrap.fill(
        text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _bullets(heading: str, lines: Sequence[str]) -> str:
    return "\n".join([heading, *(_bullet(line) for line in lines)]) if lines else ""


def _bullet(line: str) -> str:
    return textwrap.fill(
        line, WIDTH, initial_indent="  - ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _aims(aims: Sequence[Document]) -> str:
    if not aims:
        return ""
    blocks = ["AIMS, the levers that serve them and the measures that show them"]
    for aim in aims:
        rows = (
            ("levers", "; ".join(aim["levers"]) or "none of its own"),
            ("measures", ", ".join(aim["measures"]) or "none"),
            ("not held", aim["not_modelled"]),
        )
        blocks.append("\n".join([wrapped(f"  {aim['aim']}"), *(_row(label, text) for label, text in rows if text)]))
    return "\n".join(blocks)


# --- checking ---------------------------------------------------------------------------------------
def checked_text(document: Document) -> str:
    """One file for `check`: what it will do, or that it is wrong (the mistakes stand on standard error)."""
    if not document["valid"]:
        count = len(document["mistakes"])
        return f"{document['file']}: not valid, {count} {'mistake' if count == 1 else 'mistakes'}"
    levers, assumptions = len(document["levers"]), len(document["assumptions"])
    council = document["council"]
    fits = f", and fits {council}" if council else "; whether it fits a council is checked with --parameters DIR"
    head = (
        f"{document['file']}: valid{fits}. {document['name']} (version {document['version']}, {document['status']}) has "
        f"{_count(levers, 'lever')} and {_count(assumptions, 'assumption')}, inherited ones included."
    )
    does = [f"{item['label']}: {item['what']}" for item in (*document["levers"], *document["assumptions"])]
    parts = [
        wrapped(head),
        _bullets("Read from an older format", document["upgraded"]),
        _bullets("It will do", does),
        _bullets("Several on one number", document["together"]),
        _bullets(f"Changes nothing in {council}", document["changes_nothing"]),
        _bullets(f"Worth knowing in {council}", document["notes"]),
        _bullets("Allowed, but weak", document["doubts"]),
    ]
    return "\n".join(part for part in parts if part)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# --- comparing --------------------------------------------------------------------------------------
def changed_text(document: Document) -> str:
    """What differs, for `diff`."""
    first, second = document["first"], document["second"]
    same = document["same"]
    parts = [
        f"{first} -> {second}: {same} {'lever or assumption is' if same == 1 else 'levers and assumptions are'} the same"
    ]
    parts.append(_fields("Head", document["head"]))
    parts += [_fields(f"{item['name']}  [{item['kind']}]", item["fields"]) for item in document["changed"]]
    parts.append(_bullets(f"Only in {first}", [_named(item) for item in document["only_in_first"]]))
    parts.append(_bullets(f"Only in {second}", [_named(item) for item in document["only_in_second"]]))
    parts.append(_fields("Targets", document["targets"]))
    parts.append(_bullets(f"Not modelled, said only by {first}", document["not_modelled_only_in_first"]))
    parts.append(_bullets(f"Not modelled, said only by {second}", document["not_modelled_only_in_second"]))
    kept = [part for part in parts if part]
    return "\n\n".join(kept if len(kept) > 1 else [f"{first} and {second} say the same."])


def _named(item: Document) -> str:
    return f"{item['name']}  [{item['kind']}]"


def _fields(heading: str, fields: Sequence[Document]) -> str:
    if not fields:
        return ""
    return "\n".join([heading, *(_field(found) for found in fields)])


def _field(found: Document) -> str:
    return _row(found["field"], f" {_value(found['first'])} -> {_value(found['second'])}")


def _value(value: Any) -> str:  # noqa: ANN401
    if value in (None, "", [], ()):
        return "(none)"
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(one)}" for name, one in value.items())
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
