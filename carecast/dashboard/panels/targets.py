"""How likely each target is, and what is lacking."""

from collections.abc import Sequence

from carecast.dashboard import telling
from carecast.dashboard.panels.shapes import Line, Table, Tile
from carecast.dashboard.panels.view import View
from carecast.dashboard.telling import legend_name, value_words
from carecast.scenarios.targets import Assessment


def target_tiles(view: View, assessed: Sequence[Assessment]) -> tuple[Tile, ...]:
    """How likely each target is."""
    found = []
    for target in view.run.targets:
        rows = [a for a in assessed if a.target == target.name]
        lines = tuple(Line(a.scenario, telling.chance(a.met_probability, view.replications)) for a in rows)
        own = [a for a in rows if a.scenario == view.names[-1]]
        if lines:
            foot = f"Asked for: {telling.percent(100 * target.required_probability)} or more"
            found.append(Tile(target.name, lines, foot, own[0].is_likely_enough if own else None))
    return tuple(found)


def targets_table(view: View, assessed: Sequence[Assessment]) -> Table | None:
    """Probability, requirement, shortfall and month of every target."""
    if not assessed:
        return None
    by_name = {target.name: target for target in view.run.targets}
    rows = []
    for a in assessed:
        target = by_name[a.target]
        spread = f"\u00b1{telling.percent(100 * a.monte_carlo_error)} by chance alone"
        rows.append((
            f"{a.target}\n{telling.target_words(target)}",
            legend_name(a.scenario),
            f"{telling.chance(a.met_probability, view.replications)}\n{spread}",
            telling.percent(100 * a.required_probability),
            "Yes" if a.is_likely_enough else "No",
            value_words(a.measure, a.mean),
            _lacking(a),
            telling.month_words(a.month_met),
        ))  # fmt: skip
    columns = (
        "Target",
        "Scenario",
        "Chance",
        "Asked for",
        "Likely enough",
        "Mean",
        "Mean shortfall",
        "Met by (median)",
    )
    return Table("Targets: how likely, and what is lacking", columns, tuple(rows))


def _lacking(found: Assessment) -> str:
    """The mean shortfall; of shares in percentage points."""
    words = value_words(found.measure, found.expected_shortfall)
    return words.replace(telling.NARROW + "%", " points")
