"""The head of a page: the finding, the stamp, who and when, and how sure; then the headline tiles."""

from collections.abc import Sequence

from carecast.dashboard import figures, telling
from carecast.dashboard.figures import rows_of
from carecast.dashboard.panels.shapes import Front, Line, Tile
from carecast.dashboard.panels.view import ALL, AWAY, View, lower_first, saving_target, year_words
from carecast.dashboard.telling import legend_name, money, prose, value_words
from carecast.model.summary import BASELINE
from carecast.scenarios.describe import date_words
from carecast.scenarios.run import Run
from carecast.scenarios.targets import Assessment
from carecast.scenarios.wording import measure_label

STOCK_TILES = (AWAY, ALL, "balance_of_care_percent", "within_radius_percent")
ENOUGH_REPLICATIONS = 200


def finding(view: View, assessed: Sequence[Assessment]) -> str:
    """The first heading: what placements will cost, and what the scenario does about it."""
    cost = money(figures.placements_cost(view.run, BASELINE, view.last_year).mean)
    start = f"Placements will cost {cost} in {year_words(view, view.last_year)} unless something changes"
    if view.scenario is None:
        return start
    name = legend_name(view.scenario)
    if not figures.has_levers(figures.levers(view.run, view.scenario)):
        with_it = money(figures.placements_cost(view.run, view.scenario, view.last_year).mean)
        return f"{start}, and {with_it} if \u201c{name}\u201d comes true"
    target = saving_target(view)
    for found in assessed:
        if target and found.target == target.name and found.scenario == view.scenario:
            asked = f"{money(target.value)} a year{_by_when(target.financial_year, view)}"
            return f"{start}; \u201c{name}\u201d {_chance_words(found, view)} {asked}"
    saved = figures.figure_of(view.run, view.scenario, "net_saving_gbp", view.last_year_at)
    if money(saved.mean) == "£0":
        return f"{start}; \u201c{name}\u201d neither saves nor costs more by then"
    verb = "saves" if saved.mean >= 0 else "costs"
    more = "" if saved.mean >= 0 else " more"
    return f"{start}; \u201c{name}\u201d {verb} {money(abs(saved.mean))}{more} a year by then"


def _by_when(year: str | None, view: View) -> str:
    if year is None:
        return ""
    return " by then" if year == view.last_year else f" by {year}"


def _chance_words(found: Assessment, view: View) -> str:
    told = round(found.met_probability * view.replications)
    if told == view.replications:
        return f"saves, in all {told} replications, at least"
    if told == 0:
        return "does not once save"
    chance = telling.chance(found.met_probability, view.replications)
    return f"has {_article(found.met_probability)}{chance} chance of saving"


def _article(probability: float) -> str:
    said = f"{100 * probability:.0f}"
    return "an " if said.startswith("8") or said in ("11", "18") else "a "


def front(run: Run, scenario: str | None) -> Front:
    """Stamp, facts and warnings of a run."""
    record = run.record
    facts = (
        str(record["council"]), f"as at {telling.iso_words(record['as_at'])}",
        f"forecast to {telling.iso_words(record['until'])}", f"{record['replications']} replications a scenario",
        f"seed {record['seed']}",
    )  # fmt: skip
    warnings = [prose("figures_note", replications=record["replications"]), _monte_carlo(run, scenario)]
    if int(record["replications"]) < ENOUGH_REPLICATIONS:
        warnings.append(prose("few_replications"))
    if record.get("counterfactual_date"):
        began = telling.iso_words(record["counterfactual_date"])
        warnings.append(prose("counterfactual", as_at=telling.iso_words(record["as_at"]), began=began))
    stamp = str(record.get("stamp") or "").removeprefix("illustrative: ").rstrip(".")
    return Front(stamp[:1].upper() + stamp[1:], facts, tuple(warning for warning in warnings if warning))


def _monte_carlo(run: Run, scenario: str | None) -> str:
    frame = figures.monte_carlo(run, scenario)
    subject = BASELINE if scenario is None else scenario
    nation = str(run.record["nation"])
    parts = [
        f"{lower_first(measure_label(nation, row.measure))} \u00b1{value_words(row.measure, row.standard_error)}"
        for row in rows_of(frame[frame["scenario"] == subject])
    ]
    if not parts:
        return ""
    last = date_words(figures.last_date(run))
    means = f"the means of {legend_name(subject)} on {last} are known to: {', '.join(parts)}"
    return prose("monte_carlo", replications=run.record["replications"], parts=means)


def tiles(view: View) -> tuple[Tile, ...]:
    """Headline numbers: children at the end, spend of the first and last whole year, net saving."""
    found = [_stock_tile(view, measure) for measure in STOCK_TILES]
    year_tiles = dict.fromkeys((figures.whole_years(view.run)[0], view.last_year))
    found += [_spend_tile(view, year) for year in year_tiles]
    if view.scenario is not None:
        net = figures.figure_of(view.run, view.scenario, "net_saving_gbp", view.last_year_at)
        line = Line(view.scenario, money(net.mean, net.low, net.high), telling.interval("net_saving_gbp", net))
        found.append(
            Tile(f"Net saving in {year_words(view, view.last_year)}", (line,), "After programme cost, all funders")
        )
    return tuple(found)


def _stock_tile(view: View, measure: str) -> Tile:
    lines = []
    for name in view.names:
        number = figures.figure_of(view.run, name, measure)
        lines.append(Line(name, value_words(measure, number.mean), telling.interval(measure, number)))
    start = figures.figure_of(view.run, BASELINE, measure, 0)
    foot = f"{value_words(measure, start.mean)} on {telling.iso_words(view.run.record['as_at'])}"
    if measure == "within_radius_percent":
        unknown = figures.figure_of(view.run, BASELINE, "distance_unknown_percent")
        foot += f"; distance not known for {value_words(measure, unknown.mean)}"
    return Tile(f"{view.label(measure)}, {figures.last_date(view.run):%B %Y}", tuple(lines), foot)


def _spend_tile(view: View, year: str) -> Tile:
    lines = []
    for name in view.names:
        number = figures.placements_cost(view.run, name, year)
        lines.append(Line(name, money(number.mean), telling.interval("gross_cost_gbp", number)))
    return Tile(f"Placements, {year_words(view, year)}", tuple(lines), "Gross cost, cash prices")
