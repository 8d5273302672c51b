"""The shapes of what is shown: tables, tiles, charts with their words, and whole pages. No Streamlit."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """A small table of text; the first cell of a row is its heading. A line break in a cell sets the rest smaller."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_prose: bool = False  # cells are sentences, set to the left
    strong: tuple[str, ...] = ()  # headings of rows that stand out


@dataclass(frozen=True)
class Line:
    """One line of a tile: which scenario (None: neither), the value, and what stands beside it."""

    scenario: str | None
    value: str
    note: str = ""
    mark: str = ""  # of the scenario in the charts beside it (``markup.MARKS``); its usual one unless given


@dataclass(frozen=True)
class Tile:
    """A headline number: label, a line for the baseline and one for the scenario, a foot."""

    label: str
    lines: tuple[Line, ...]
    foot: str = ""
    is_good: bool | None = None  # of targets: likely enough or not


@dataclass(frozen=True)
class Panel:
    """A chart with its finding, statistic, key, text for those who cannot see it, and the table under it."""

    name: str
    title: str
    subtitle: str
    key: tuple[tuple[str, str], ...]  # (mark, what it is)
    chart: Any
    alt: str
    table: Table


@dataclass(frozen=True)
class Front:
    """Who, when and how many, as every page says it."""

    stamp: str
    facts: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Savings:
    """What a scenario saves, and the safety measures beside it."""

    panel: Panel
    kinds: Table
    safety_title: str
    safety: Table
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Heading:
    """Everything on the page *Where we are heading*."""

    finding: str
    front: Front
    tiles: tuple[Tile, ...]
    target_tiles: tuple[Tile, ...]
    targets: Table | None
    targets_note: str
    children: tuple[Panel, ...]
    spend: tuple[Panel, ...]
    spend_note: str
    savings: Savings | None
    no_savings: str
    levers: Table | None
    levers_note: str
    assumptions: Table
    assumptions_note: str
    backtest: str
    not_modelled: tuple[str, ...]


@dataclass(frozen=True)
class Method:
    """Everything on the page *Assumptions and method* but the register, which is filtered on the page."""

    finding: str
    front: Front
    notes: tuple[str, ...]
    not_published: str
    not_modelled: tuple[str, ...]
    run_notes: tuple[str, ...]
    command: str
    made_with: Table
    backtest: str
    backtest_counts: Table | None
    hindcast: Table | None
