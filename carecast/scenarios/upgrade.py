"""Older scenario files, brought up to the current format step by step, with a list of what changed.

A file without ``format`` counts as format 0. Each step takes the document of one format, changes it into the next and
says what it changed; steps are never edited once a version has been released.
"""

from collections.abc import Callable
from typing import Any

from carecast.model.parameters import BadFile

CURRENT = 2
Document = dict[str, Any]


def upgrade(document: Document, file: str) -> list[str]:
    """Change ``document`` in place to the current format; one line for each change.

    Raises:
        BadFile: the format is not a number, or newer than this version of carecast knows.
    """
    given = document.get("format", 0)
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise BadFile(f"{file}: format: found {given!r}; should be a whole number, {CURRENT} for this version")
    if given > CURRENT:
        raise BadFile(
            f"{file}: format: found {given}; this version of carecast reads up to {CURRENT}: install a newer one"
        )
    changes: list[str] = []
    for step in range(given, CURRENT):
        changes += STEPS[step](document)
    document["format"] = CURRENT
    return changes


def _from_0(document: Document) -> list[str]:
    """Format 0 called a lever's first day ``start`` and its last day ``end``."""
    changes = []
    for section in ("lever", "assumption"):
        items = document.get(section, [])
        for number, item in enumerate(items if isinstance(items, list) else [], 1):
            for old, new in (("start", "from"), ("end", "to")):
                if isinstance(item, dict) and old in item and new not in item:
                    item[new] = item.pop(old)
                    changes.append(f"{section} {number}: {old} is now called {new}")
    return changes


def _from_1(document: Document) -> list[str]:
    """Format 1 called a scenario that is decided ``active``."""
    if document.get("status") == "active":
        document["status"] = "approved"
        return ["status: active is now called approved"]
    return []


STEPS: tuple[Callable[[Document], list[str]], ...] = (_from_0, _from_1)
