"""One measured line after another: what was measured, its value, the bar and whether it is met."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """One measured number. ``bar`` is the most it may be (the least, with ``at_least``); None: nothing was promised."""

    part: str
    what: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None without one."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def document(self) -> dict[str, Any]:
        """The line for JSON, an infinite value as None."""
        fields = {name: getattr(self, name) for name in ("part", "what", "value", "unit", "bar", "at_least", "note")}
        return {**fields, "value": self.value if math.isfinite(self.value) else None, "met": self.met}


def number(value: float) -> str:
    """Three figures that matter."""
    if not math.isfinite(value):
        return "untouched" if value > 0 else "none"
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(decimals, 6)}f}"


def _cells(line: Line) -> tuple[str, str, str, str, str]:
    bar = "" if line.bar is None else f"{'>=' if line.at_least else '<='} {line.bar:g}"
    met = {None: "", True: "met", False: "MISSED"}[line.met]
    return line.what, number(line.value), line.unit, bar, met


def text(part: str, lines: Sequence[Line]) -> str:
    """A part of the report: its heading, its lines in columns, notes under their line."""
    rows = [_cells(line) for line in lines]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(5)]
    shown = [f"\n{part}"]
    for row, line in zip(rows, lines, strict=True):
        what, value, unit, bar, met = row
        columns = (what.ljust(widths[0]), value.rjust(widths[1]), unit.ljust(widths[2]), bar.ljust(widths[3]), met)
        shown.append(("  " + "  ".join(columns)).rstrip())
        if line.note:
            shown.append(f"      {line.note}")
    return "\n".join(shown)


def verdict(lines: Iterable[Line]) -> str:
    """How many bars are met, and which are not."""
    judged = [line for line in lines if line.met is not None]
    missed = [
        f"  missed: {line.part}: {line.what}: {number(line.value)} {line.unit}" for line in judged if not line.met
    ]
    return "\n".join([f"\n{len(judged) - len(missed)} of {len(judged)} bars met.", *missed])
