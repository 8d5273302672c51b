"""A quick look at one scenario while its levers move: tiles with paired differences, the fan, what is saved and safety."""

from collections.abc import Iterator
from dataclasses import dataclass

from carecast.dashboard import figures, telling
from carecast.dashboard.panels.children import children_panel
from carecast.dashboard.panels.saved import savings
from carecast.dashboard.panels.shapes import Line, Panel, Savings, Tile
from carecast.dashboard.panels.targets import target_tiles
from carecast.dashboard.panels.view import ALL, AWAY, View, year_words
from carecast.dashboard.telling import legend_name, money, prose, value_words
from carecast.model.summary import BASELINE
from carecast.scenarios.library import inherited, load_scenario
from carecast.scenarios.run import Run

COUNTED = (AWAY, ALL, "within_radius_percent")


@dataclass(frozen=True)
class Look:
    """Everything a quick look shows."""

    replications: int
    finding: str
    tiles: tuple[Tile, ...]
    target_tiles: tuple[Tile, ...]
    children: Panel
    savings: Savings
    notes: tuple[str, ...]  # levers that change nothing, or that act on one number


def look_of(run: Run, scenario: str) -> Look:
    """The quick look at a scenario beside its baseline."""
    view = View(run, scenario)
    judged, _ = figures.assessments(run, scenario)
    return Look(
        replications=view.replications,
        finding=_finding(view, scenario),
        tiles=(*(_count_tile(view, scenario, measure) for measure in COUNTED), *_money_tiles(view, scenario)),
        target_tiles=target_tiles(view, judged),
        children=children_panel(view, ALL),
        savings=savings(view, scenario),
        notes=tuple(_noted(run, scenario)),
    )


def _noted(run: Run, scenario: str) -> Iterator[str]:
    """Notes of the plan, levers called by their names."""
    items = inherited(load_scenario(run.folder / "inputs" / f"{scenario}.toml"))
    names = {identity: f"\u201c{lever.name or lever.row.label}\u201d" for identity, lever in items}
    for note in run.record["notes"]:
        for identity in sorted(names, key=len, reverse=True):
            note = note.replace(identity, names[identity])
        if ": changed by " in note:
            number, _, rest = note.partition(": changed by ")
            by, _, how = rest.partition("; ")
            note = prose("levers_meet", levers=by, number=number.replace("_", " "), how=how)
        yield note.replace("\u201d: changes nothing", "\u201d changes nothing")


def _finding(view: View, scenario: str) -> str:
    saved = figures.paired(view.run, scenario, "net_saving_gbp", view.last_year_at)
    words = "saves" if saved.mean >= 0 else "costs"
    more = "" if saved.mean >= 0 else " more"
    away = figures.paired(view.run, scenario, AWAY)
    if value_words(AWAY, abs(away.mean)) == "0":
        children = "as many children away from home"
    else:
        children = f"{value_words(AWAY, abs(away.mean))} {'fewer' if away.mean < 0 else 'more'} children away from home"
    year = year_words(view, view.last_year)
    return f"\u201c{legend_name(scenario)}\u201d {words} {money(abs(saved.mean))}{more} net in {year}, with {children}"


def _count_tile(view: View, scenario: str, measure: str) -> Tile:
    lines = []
    for name in view.names:
        number = figures.figure_of(view.run, name, measure)
        lines.append(Line(name, value_words(measure, number.mean), telling.interval(measure, number)))
    difference = figures.paired(view.run, scenario, measure)
    foot = f"Difference {telling.difference_with_interval(measure, difference)}"
    return Tile(f"{view.label(measure)}, {figures.last_date(view.run):%B %Y}", tuple(lines), foot)


def _money_tiles(view: View, scenario: str) -> tuple[Tile, ...]:
    at, year = view.last_year_at, year_words(view, view.last_year)
    lines = []
    for name in (BASELINE, scenario):
        number = figures.placements_cost(view.run, name, view.last_year)
        lines.append(Line(name, money(number.mean), telling.interval("gross_cost_gbp", number)))
    both = [figures.lines_cost(view.run.answer(n).yearly, figures.PLACEMENTS)[:, at] for n in (scenario, BASELINE)]
    paid = figures.figure(both[0] - both[1])
    placements = Tile(
        f"Placements, {year}", tuple(lines),
        f"Difference {telling.difference_with_interval('gross_cost_gbp', paid)}",
    )  # fmt: skip
    net = figures.figure_of(view.run, scenario, "net_saving_gbp", at)
    spent = figures.paired(view.run, scenario, "programme_cost_gbp", at)
    saving = Tile(
        f"Net saving in {year}",
        (Line(scenario, money(net.mean, net.low, net.high), telling.interval("net_saving_gbp", net)),),
        f"After programme cost of {money(spent.mean)}, all funders",
    )  # fmt: skip
    return placements, saving
