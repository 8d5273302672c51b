"""What the pages show, put together from numbers, words and charts: tiles, tables and figures, ready to draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from carecast.dashboard import charts, figures, telling
from carecast.dashboard.figures import Figure
from carecast.dashboard.telling import ABSENT, legend_name, money, prose, value_words
from carecast.model.summary import BASELINE
from carecast.scenarios.run import Run
from carecast.scenarios.targets import Assessment, Target

AWAY, ALL = "looked_after_away_from_home", "looked_after"
STOCK_TILES = (AWAY, ALL, "balance_of_care_percent", "within_radius_percent")
ENOUGH_REPLICATIONS = 200
LONGEST_SOURCE = 150


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
class View:
    """A run with the scenario looked at beside the baseline."""

    run: Run
    scenario: str | None

    @property
    def nation(self) -> str:
        return str(self.run.record["nation"])

    @property
    def names(self) -> tuple[str, ...]:
        return figures.shown_scenarios(self.run, self.scenario)

    @property
    def legends(self) -> tuple[str, ...]:
        return tuple(legend_name(name) for name in self.names)

    @property
    def replications(self) -> int:
        return int(self.run.record["replications"])

    @property
    def last_year(self) -> str:
        return figures.whole_years(self.run)[-1]

    @property
    def last_year_at(self) -> int:
        return figures.years(self.run).index(self.last_year)

    def label(self, measure: str) -> str:
        return telling.label(self.nation, measure, float(self.run.record["radius_miles"]))


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
        targets_note=prose("targets_not_held", why=why) if why else prose("targets") if assessed else prose("no_targets"),
        children=(children_panel(view, AWAY), children_panel(view, ALL)),
        spend=(spend_panel(view), groups_panel(view)),
        spend_note=_spend_note(view),
        savings=None if scenario is None else savings(view, scenario),
        no_savings=prose("choose_scenario" if figures.programmes(run) else "baseline_only"),
        levers=levers_table(view),
        levers_note=_levers_note(view),
        assumptions=assumptions_table(view),
        assumptions_note=prose("assumptions", count=sum(figures.how_many(run).values())),
        backtest=backtest_words(run),
        not_modelled=tuple(run.record["not_modelled"]),
    )


# --- the head ---------------------------------------------------------------------------------------------------------------------
def finding(view: View, assessed: Sequence[Assessment]) -> str:
    """The first heading: what placements will cost, and what the scenario does about it."""
    cost = money(figures.placements_cost(view.run, BASELINE, view.last_year).mean)
    start = f"Placements will cost {cost} in {view.last_year} unless something changes"
    if view.scenario is None:
        return start
    name = legend_name(view.scenario)
    if not figures.has_levers(figures.levers(view.run, view.scenario)):
        with_it = money(figures.placements_cost(view.run, view.scenario, view.last_year).mean)
        return f"{start}, and {with_it} if \u201c{name}\u201d comes true"
    target = _saving_target(view)
    for found in assessed:
        if target and found.target == target.name and found.scenario == view.scenario:
            return f"{start}; \u201c{name}\u201d {_chance_words(found, view)} {money(target.value)} a year"
    saved = figures.figure_of(view.run, view.scenario, "net_saving_gbp", view.last_year_at)
    verb = "saves" if saved.mean >= 0 else "costs"
    more = "" if saved.mean >= 0 else " more"
    return f"{start}; \u201c{name}\u201d {verb} {money(abs(saved.mean))}{more} a year by then"


def _chance_words(found: Assessment, view: View) -> str:
    told = round(found.met_probability * view.replications)
    if told == view.replications:
        return f"saves, in all {told} replications, at least"
    if told == 0:
        return "does not once save"
    return f"has {_article(found.met_probability)}{telling.chance(found.met_probability, view.replications)} chance of saving"


def _article(probability: float) -> str:
    said = f"{100 * probability:.0f}"
    return "an " if said.startswith("8") or said in ("11", "18") else "a "


def _saving_target(view: View) -> Target | None:
    """The yearly saving that the run's targets ask for last, if any."""
    yearly = [t for t in view.run.targets if t.is_saving and t.kind == "annual" and t.at_least is not None]
    return max(yearly, key=lambda t: t.judged_on, default=None)


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
    parts = [
        f"{_mid(telling.measure_label(run.record['nation'], row.measure))} \u00b1{value_words(row.measure, row.standard_error)}"
        for row in frame[frame["scenario"] == subject].itertuples()
    ]
    if not parts:
        return ""
    last = telling.date_words(figures.last_date(run))
    means = f"the means of {legend_name(subject)} on {last} are known to: {', '.join(parts)}"
    return prose("monte_carlo", replications=run.record["replications"], parts=means)


def _mid(text: str) -> str:
    return text[:1].lower() + text[1:]


# --- tiles ----------------------------------------------------------------------------------------------------------------------
def tiles(view: View) -> tuple[Tile, ...]:
    """Headline numbers: children at the end, spend of the first and last whole year, net saving."""
    found = [_stock_tile(view, measure) for measure in STOCK_TILES]
    year_tiles = dict.fromkeys((figures.whole_years(view.run)[0], view.last_year))
    found += [_spend_tile(view, year) for year in year_tiles]
    if view.scenario is not None:
        net = figures.figure_of(view.run, view.scenario, "net_saving_gbp", view.last_year_at)
        line = Line(view.scenario, money(net.mean), telling.interval("net_saving_gbp", net))
        found.append(Tile(f"Net saving in {_year_words(view, view.last_year)}", (line,), "After programme cost, all funders"))
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
    return Tile(f"Placements, {_year_words(view, year)}", tuple(lines), "Gross cost, cash prices")


def _year_words(view: View, year: str) -> str:
    return f"{year} (part year)" if figures.is_part_year(view.run, year) else year


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
            value_words(a.measure, a.expected_shortfall),
            telling.month_words(a.month_met),
        ))  # fmt: skip
    columns = ("Target", "Scenario", "Chance", "Asked for", "Likely enough", "Mean", "Mean shortfall", "Met by (median)")
    return Table("Targets: how likely, and what is lacking", columns, tuple(rows))


# --- children ---------------------------------------------------------------------------------------------------------------------
def children_panel(view: View, measure: str) -> Panel:
    """Published history and the fan of one stock."""
    paths = figures.fan(view.run, view.scenario, measure)
    history = figures.history(view.run, measure)
    ends = {name: figures.figure_of(view.run, name, measure) for name in view.names}
    start = figures.figure_of(view.run, BASELINE, measure, 0)
    last = f"{figures.last_date(view.run):%B %Y}"
    noun = "away from home" if measure == AWAY else "looked after"
    title = f"{value_words(measure, ends[BASELINE].mean)} children {noun} in {last}"
    said = [value_words(measure, end.mean) for end in ends.values()]
    if view.scenario is None:
        title += " if nothing changes"
    elif said[0] == said[1]:
        title += f", with or without \u201c{legend_name(view.scenario)}\u201d"
    else:
        title += f" if nothing changes, {said[1]} with \u201c{legend_name(view.scenario)}\u201d"
    key = [("line-baseline", "Baseline, mean"), ("bands", "its 50, 80 and 95 % bands")]
    if view.scenario is not None:
        key += [("line-scenario", f"{legend_name(view.scenario)}, mean"), ("edge-scenario", "its 80 % interval")]
    if len(history):
        key.append(("dot", "Published"))
    worded = paths.assign(scenario=[legend_name(name) for name in paths["scenario"]])
    spoken = [f"{legend_name(n)} {telling.with_interval(measure, f)} in {last}" for n, f in ends.items()]
    alt = f"Line chart of {view.label(measure).lower()}, from {value_words(measure, start.mean)} on " \
          f"{telling.iso_words(view.run.record['as_at'])}: {'; '.join(spoken)}. Mean and 80 % interval."  # fmt: skip
    subtitle = view.label(measure) + ", at month end. Mean, and bands that hold 50, 80 and 95 % of replications."
    if not len(history):
        subtitle += " No published history of this count for this council."
    as_at = pd.Timestamp(view.run.record["as_at"])
    chart = charts.fan(worded, history, view.legends, as_at)
    return Panel(f"fan_{measure}", title, subtitle, tuple(key), chart, alt, _fan_table(view, measure, paths, history))


def _fan_table(view: View, measure: str, paths: pd.DataFrame, history: pd.DataFrame) -> Table:
    known = {row.date: value_words(measure, row.value) if row.value == row.value else "1 to 5" for row in history.itertuples()}
    dates = paths["date"].unique()
    kept = [date for at, date in enumerate(dates) if at in (0, len(dates) - 1) or date.month == 3]
    columns = ["On", "Published"]
    for legend in view.legends:
        columns += [f"{legend}\nmean and 80 % interval", f"{legend}\n95 % interval"]
    if view.scenario is not None:
        columns.append("Difference\nmean and 80 % interval")
    rows = []
    for date in sorted({*known, *kept}):
        row = [telling.date_words(date), known.get(date, ABSENT)]
        for name in view.names:
            at = paths[(paths["scenario"] == name) & (paths["date"] == date)]
            row += _fan_cells(measure, at) if date in set(kept) else [ABSENT, ABSENT]
        if view.scenario is not None:
            at_date = list(dates).index(date) if date in set(kept) else None
            row.append(ABSENT if at_date is None else _difference(view.run, view.scenario, measure, at_date))
        rows.append(tuple(row))
    return Table(f"{view.label(measure)}: published, and forecast on 31 March of each year", tuple(columns), tuple(rows))


def _fan_cells(measure: str, at: pd.DataFrame) -> list[str]:
    found = at.iloc[0]
    first = f"{value_words(measure, found['mean'])}\n{telling.between(measure, found['p10'], found['p90'])}"
    return [first, telling.between(measure, found["p025"], found["p975"])]


def _difference(run: Run, scenario: str, measure: str, at: int) -> str:
    return _two_lines(telling.difference_with_interval(measure, figures.paired(run, scenario, measure, at)))


def _two_lines(text: str) -> str:
    return text.replace(" (", "\n", 1).removesuffix(")")


# --- spend ------------------------------------------------------------------------------------------------------------------------
def _named(view: View, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(scenario=[legend_name(name) for name in frame["scenario"]])


def _charted(view: View, frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["year"].isin(figures.whole_years(view.run))]


def _mean(frame: pd.DataFrame, scenario: str, group: str, year: str) -> float:
    return float(frame[(frame["scenario"] == scenario) & (frame["group"] == group) & (frame["year"] == year)]["mean"].iloc[0])


def spend_panel(view: View) -> Panel:
    """Cost of placements by year, published and forecast."""
    costs, published = figures.spend(view.run, view.scenario), figures.published_spend(view.run)
    placements = costs[costs["group"] == "placements"]
    first, last = figures.whole_years(view.run)[0], view.last_year
    from_, to = (_mean(costs, BASELINE, "placements", year) for year in (first, last))
    title = f"Placements go from {money(from_)} in {first} to {money(to)} in {last} if nothing changes"
    if first == last:
        title = f"Placements cost {money(to)} in {last} if nothing changes"
    key = [("point-baseline", "Baseline, mean and 80 % interval")]
    if view.scenario is not None:
        key.append(("point-scenario", f"{legend_name(view.scenario)}, mean and 80 % interval"))
        title += f", {money(_mean(costs, view.scenario, 'placements', last))} with \u201c{legend_name(view.scenario)}\u201d"
    if len(published):
        key.append(("dot", "Published"))
    chart = charts.yearly(_named(view, _charted(view, placements)), published, view.legends)
    alt = f"Chart of the gross cost of placements by financial year: {title}."
    table = _spend_table(view, costs, published)
    return Panel("spend", title, prose("spend"), tuple(key), chart, alt, table)


def _spend_table(view: View, costs: pd.DataFrame, published: pd.DataFrame) -> Table:
    known = {row.year: money(row.value) for row in published.itertuples()}
    ours = figures.years(view.run)
    groups = ("placements", "all")
    columns = ["Financial year", "Published placements"]
    for group in groups:
        columns += [f"{telling.group_label(view.nation, group)}\n{legend}" for legend in view.legends]
    rows = []
    for year in sorted({*known, *ours}):
        row = [_year_words(view, year), known.get(year, ABSENT)]
        for group in groups:
            for name in view.names:
                at = costs[(costs["scenario"] == name) & (costs["group"] == group) & (costs["year"] == year)]
                row.append(_money_cell(at) if len(at) else ABSENT)
        rows.append(tuple(row))
    caption = "Gross cost by financial year, mean and 80 % interval; \u201call of it\u201d adds every other line and programme cost"
    return Table(caption, tuple(columns), tuple(rows))


def _money_cell(at: pd.DataFrame) -> str:
    found = at.iloc[0]
    return f"{money(found['mean'], found['p10'], found['p90'])}\n{telling.between('gross_cost_gbp', found['p10'], found['p90'])}"


def groups_panel(view: View) -> Panel:
    """Cost of the last whole year by group of lines, baseline and scenario."""
    costs = figures.spend(view.run, view.scenario)
    at_end = costs[(costs["year"] == view.last_year) & ~costs["group"].isin(["placements", "all"])]
    held = [g for g in at_end["group"].unique() if g != "programme" or at_end[at_end["group"] == g]["mean"].abs().max() > 0]
    shown = at_end[at_end["group"].isin(held)]
    worded = _named(view, shown).assign(group=[telling.group_label(view.nation, g) for g in shown["group"]])
    key = [("point-baseline", "Baseline")]
    if view.scenario is not None:
        key.append(("point-scenario", legend_name(view.scenario)))
    title = _groups_title(view, at_end)
    chart = charts.dumbbell(worded, view.legends)
    alt = f"Dot chart of gross cost in {view.last_year} by kind of service: {title}."
    subtitle = prose("groups", year=_year_words(view, view.last_year))
    return Panel("groups", title, subtitle, tuple(key), chart, alt, _groups_table(view, at_end, held))


def _groups_title(view: View, at_end: pd.DataFrame) -> str:
    base = at_end[at_end["scenario"] == BASELINE].set_index("group")["mean"]
    if view.scenario is None:
        share = 100 * base["residential"] / max(base.sum(), 1.0)
        return f"Residential placements are {telling.percent(share)} of what {view.last_year} costs"
    change = at_end[at_end["scenario"] == view.scenario].set_index("group")["mean"] - base
    group = str(change.abs().idxmax())
    if abs(change[group]) < 1:
        return "Nothing costs more or less"
    side = "less" if change[group] < 0 else "more"
    name = telling.group_label(view.nation, group)
    return f"The largest difference is in {_mid(name)}: {money(abs(change[group]))} {side} in {view.last_year}"


def _groups_table(view: View, at_end: pd.DataFrame, held: Sequence[str]) -> Table:
    rows = []
    for group in held:
        cells = [_money_cell(at_end[(at_end["scenario"] == n) & (at_end["group"] == group)]) for n in view.names]
        rows.append((telling.group_label(view.nation, group), *cells))
    caption = f"Gross cost in {_year_words(view, view.last_year)} by kind of service, mean and 80 % interval"
    return Table(caption, ("Kind of service", *view.legends), tuple(rows))


def _spend_note(view: View) -> str:
    parts = []
    if len(figures.published_spend(view.run)):
        parts.append(prose("spend_published"))
    left_out = [year for year in figures.years(view.run) if year not in figures.whole_years(view.run)]
    if left_out:
        parts.append(prose("part_year", part_years=", ".join(left_out)))
    return " ".join(parts)


# --- savings ----------------------------------------------------------------------------------------------------------------------
def savings(view: View, scenario: str) -> Savings:
    """Net saving by year, its kinds, and safety beside it."""
    frame = figures.savings(view.run, scenario)
    net = _charted(view, frame[frame["kind"] == "net_saving_gbp"])
    target = _saving_target(view)
    last = net[net["year"] == view.last_year].iloc[0]
    found = Figure(last["mean"], last["p10"], last["p90"])
    words = "saves" if found.mean >= 0 else "costs more:"
    title = f"\u201c{legend_name(scenario)}\u201d {words} {money(abs(found.mean))} net in {view.last_year}"
    key = [("point-scenario", "Net saving, mean and 80 % interval")]
    if target is not None:
        key.append(("line-target", f"Target: {target.name}"))
    chart = charts.saving(net, None if target is None else target.value)
    spans = ", ".join(f"{row.year} {money(row.mean)} ({telling.between('net_saving_gbp', row.p10, row.p90)})" for row in net.itertuples())
    alt = f"Chart of net saving by financial year, mean and 80 % interval: {spans}."
    subtitle = "Net saving against the baseline: gross less released capacity and programme cost. All funders, cash prices."
    panel = Panel("saving", title, subtitle, tuple(key), chart, alt, _net_table(view, net))
    safety_title, safety = safety_table(view, scenario)
    notes = [prose("savings")]
    if view.run.record.get("budget_assumed"):
        notes.append(prose("budget_assumed"))
    return Savings(panel, _kinds_table(view, frame), safety_title, safety, tuple(notes))


def _net_table(view: View, net: pd.DataFrame) -> Table:
    rows = tuple(
        (_year_words(view, row.year), money(row.mean), telling.between("net_saving_gbp", row.p10, row.p90))
        for row in net.itertuples()
    )
    return Table("Net saving by financial year", ("Financial year", "Mean", "80 % interval"), rows)


def _kinds_table(view: View, frame: pd.DataFrame) -> Table:
    moved = set(frame[(frame[["mean", "p10", "p90"]] != 0).any(axis=1)]["year"])
    all_years = [year for year in figures.years(view.run) if year in moved] or list(figures.whole_years(view.run))
    rows = []
    for kind in figures.SAVING_KINDS:
        cells = [_money_cell(frame[(frame["kind"] == kind) & (frame["year"] == year)]) for year in all_years]
        rows.append((telling.saving_label(view.nation, kind), *cells))
    caption = "Savings against the baseline by kind and financial year, mean and 80 % interval"
    still = [year for year in figures.years(view.run) if year not in all_years]
    caption += f"; nothing in {', '.join(still)}" if still else ""
    columns = ("Kind", *(_year_words(view, year).replace(" (", "\n(") for year in all_years))
    return Table(caption, columns, tuple(rows), strong=("Gross saving", "Net saving"))


def safety_table(view: View, scenario: str) -> tuple[str, Table]:
    """The finding, and the safety measures of the last twelve months."""
    rows, worse = [], []
    for row in figures.safety(view.run, scenario).itertuples():
        label = telling.measure_label(view.nation, row.measure)
        difference = Figure(row.difference, row.p10, row.p90)
        if row.worse:
            worse.append(_mid(label))
        rows.append((
            label, value_words(row.measure, row.mean_against), value_words(row.measure, row.mean),
            _two_lines(telling.difference_with_interval(row.measure, difference)),
            f"{telling.chance(row.chance_worse, view.replications)}\n{'Worse' if row.worse else 'Not clearly worse'}",
        ))  # fmt: skip
    title = f"Worse: {', '.join(worse)}" if worse else "No safety measure is clearly worse"
    columns = ("Over the last 12 months", "Baseline", legend_name(scenario), "Difference\n80 % interval", "Chance worse\nverdict")
    return title, Table("Safety measures beside the saving", columns, tuple(rows))


# --- what it rests on -------------------------------------------------------------------------------------------------------------------
def levers_table(view: View) -> Table | None:
    """What the scenario changes, lever by lever."""
    texts = figures.levers(view.run, view.scenario)
    if not texts:
        return None
    rows = tuple((text.label, text.what, text.cost or "None given", text.why or "Not said") for text in texts)
    caption = f"What \u201c{legend_name(texts[-1].scenario)}\u201d assumes"
    return Table(caption, ("Lever or assumption", "What changes", "Cost", "Why this size"), rows, is_prose=True)


def _levers_note(view: View) -> str:
    texts = figures.levers(view.run, view.scenario)
    if not texts:
        return ""
    return prose("levers") if figures.has_levers(texts) else prose("only_assumptions")


def assumptions_table(view: View) -> Table:
    """The assumed numbers that bear on cost."""
    rows = tuple(
        (telling.number_label(row.name), _value_cell(row), row.unit, _short(row.source))
        for row in figures.watched(view.run).itertuples(index=False)
    )
    columns = ("Assumed", "Value\n80 % interval", "Unit", "Where it comes from")
    return Table("Assumed numbers that bear on cost", columns, rows, is_prose=True)


def _value_cell(row: Any) -> str:
    value = telling.plain_number(row.value, row.unit)
    if row.low is None or row.low != row.low:
        return value
    return f"{value}\n{telling.plain_number(row.low, row.unit)} to {telling.plain_number(row.high, row.unit)}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SOURCE else text[:LONGEST_SOURCE].rsplit(" ", 1)[0] + " \u2026"


def backtest_words(run: Run) -> str:
    """The verdict of the back-test, or that there is none."""
    backtest = run.record.get("backtest")
    if not backtest:
        return prose("backtest_none")
    if isinstance(backtest, dict):
        return str(backtest.get("verdict") or backtest.get("summary") or "; ".join(f"{k}: {v}" for k, v in backtest.items()))
    return str(backtest)


# --- the page of assumptions and method ------------------------------------------------------------------------------------------------------
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


SECTIONS = {"numbers": "Demand, rates and prices", "homes": "Homes and what they cost", "services": "Services and their places",
            "series": "Series", "budgets": "Budgets"}  # fmt: skip


def method(run: Run) -> Method:
    """The page *Assumptions and method* for a run."""
    counts = figures.how_many(run)
    total = sum(counts.values())
    finding_words = f"{counts['assumed']} of {total} numbers are assumed, {counts['fitted']} fitted and {counts['published']} published"
    record = run.record
    return Method(
        finding=finding_words,
        front=front(run, None),
        notes=tuple(record["parameters"]["notes"]),
        not_published=prose("not_published", count=counts["assumed"]),
        not_modelled=tuple(record["not_modelled"]),
        run_notes=tuple(record.get("notes") or ()),
        command=str(record.get("command") or ""),
        made_with=_made_with(run),
        backtest=backtest_words(run),
    )


def _made_with(run: Run) -> Table:
    record = run.record
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    rows = (
        ("Seed", str(record["seed"])), ("Replications of each scenario", str(record["replications"])),
        ("Scenarios", ", ".join(legend_name(name) for name in record["scenarios"])),
        ("As-at date", telling.iso_words(record["as_at"])), ("Forecast to", telling.iso_words(record["until"])),
        ("Radius", f"{record['radius_miles']:g} miles, straight line"), ("Clock", str(record["clock"])),
        ("Started", str(record["started"])), ("Versions", versions), ("Commit", str(record["commit"]) or "not known"),
        ("Digest of the results", str(record["digest"])),
        *((f"Digest of {name}", str(digest)) for name, digest in record["inputs"].items()),
    )  # fmt: skip
    return Table("What made this run", ("What", "Value"), rows, is_prose=True)


def register_table(run: Run, hows: Sequence[str], section: str | None, text: str) -> Table:
    """The register, filtered by how a number was found, by section, and by words in its name, source or note."""
    frame = figures.register(run)
    kept = frame[frame["how"].isin(hows)] if hows else frame
    kept = kept if section is None else kept[kept["section"] == section]
    wanted = text.strip().lower()
    rows = []
    for row in kept.itertuples(index=False):
        name = telling.number_label(row.name)
        if wanted and wanted not in f"{name} {row.name} {row.source} {row.note} {row.unit}".lower():
            continue
        source = "\n".join(part for part in (row.source, row.note) if part)
        rows.append((name, _value_cell(row), row.unit, telling.HOW_WORDS[row.how], row.date or ABSENT, source))
    caption = f"{len(rows)} of {len(frame)} numbers"
    columns = ("Number", "Value\n80 % interval", "Unit", "How", "Of", "Source and note")
    return Table(caption, columns, tuple(rows), is_prose=True)


