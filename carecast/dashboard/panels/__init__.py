"""What the pages show, put together from numbers, words and charts, ready to draw."""

from carecast.dashboard import figures
from carecast.dashboard.panels.children import children_panel
from carecast.dashboard.panels.front import finding, front, tiles
from carecast.dashboard.panels.grounds import (
    SECTIONS,
    assumptions_table,
    backtest_table,
    backtest_words,
    hindcast_table,
    levers_note,
    levers_table,
    made_with,
    register_table,
)
from carecast.dashboard.panels.saved import savings
from carecast.dashboard.panels.shapes import Front, Heading, Line, Method, Panel, Savings, Table, Tile
from carecast.dashboard.panels.spend import groups_panel, spend_note, spend_panel
from carecast.dashboard.panels.targets import target_tiles, targets_table
from carecast.dashboard.panels.view import ALL, AWAY, View
from carecast.dashboard.telling import prose
from carecast.scenarios.run import Run

__all__ = [
    "SECTIONS", "Front", "Heading", "Line", "Method", "Panel", "Savings", "Table", "Tile", "View", "heading", "method",
    "register_table",
]  # fmt: skip


def heading(run: Run, scenario: str | None) -> Heading:
    """The page *Where we are heading* for a run and the scenario beside its baseline."""
    view = View(run, scenario)
    assessed, why = figures.assessments(run, scenario)
    return Heading(
        finding=finding(view, assessed),
        front=front(run, scenario),
        tiles=tiles(view),
        target_tiles=target_tiles(view, assessed),
        targets=targets_table(view, assessed),
        targets_note=prose("targets_not_held", why=why)
        if why
        else prose("targets")
        if assessed
        else prose("no_targets"),
        children=(children_panel(view, AWAY), children_panel(view, ALL)),
        spend=(spend_panel(view), groups_panel(view)),
        spend_note=spend_note(view),
        savings=None if scenario is None else savings(view, scenario),
        no_savings=prose("choose_scenario" if figures.programmes(run) else "baseline_only"),
        levers=levers_table(view),
        levers_note=levers_note(view),
        assumptions=assumptions_table(view),
        assumptions_note=prose("assumptions", count=sum(figures.how_many(run).values())),
        backtest=backtest_words(run),
        not_modelled=tuple(run.record["not_modelled"]),
    )


def method(run: Run) -> Method:
    """The page *Assumptions and method* for a run."""
    counts = figures.how_many(run)
    total = sum(counts.values())
    rest = f"{counts['fitted']} fitted and {counts['published']} published"
    record = run.record
    return Method(
        finding=f"{counts['assumed']} of {total} numbers are assumed, {rest}",
        front=front(run, None),
        notes=tuple(record["parameters"]["notes"]),
        not_published=prose("not_published", count=counts["assumed"]),
        not_modelled=tuple(record["not_modelled"]),
        run_notes=tuple(record.get("notes") or ()),
        command=str(record.get("command") or ""),
        made_with=made_with(run),
        backtest=backtest_words(run),
        backtest_counts=backtest_table(run),
        hindcast=hindcast_table(run),
    )
