"""The charts of a report: each with its finding, subtitle, key, words for those who cannot see it, and its table."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import pandas as pd

from carecast.dashboard import charts, figures
from carecast.dashboard.charts import BASELINE_COLOUR, GREY, INK, SCENARIO_COLOUR
from carecast.dashboard.reports import charts_many, findings, words
from carecast.dashboard.reports.numbers import AWAY, Numbers
from carecast.dashboard.reports.shapes import TextTable
from carecast.dashboard.telling import legend_name
from carecast.model.summary import BASELINE
from carecast.scenarios.targets import Target

WIDTH, RIGHT = 600, 60  # of a plot, and free space to the right of it; pixels
KEY_TOP, KEY_ROW, LETTER = -16, 20, 7.4  # where the key stands above the plot, pixels
FANS = ((AWAY, None), ("looked_after", None), ("within_radius_percent", 100.0))
MARKS: dict[str, dict[str, Any]] = {
    "baseline": {"color": BASELINE_COLOUR, "strokeWidth": 2.8},
    "band": {"color": BASELINE_COLOUR, "strokeWidth": 12, "opacity": 0.35},
    "scenario": {"color": SCENARIO_COLOUR, "strokeWidth": 2.8, "strokeDash": [7, 4]},
    "edge": {"color": SCENARIO_COLOUR, "strokeWidth": 1.2, "strokeDash": [2, 3]},
    "published": {"color": GREY, "strokeWidth": 1.2},
    "target": {"color": INK, "strokeWidth": 1.5, "strokeDash": [6, 4]},
    "bar-baseline": {"color": BASELINE_COLOUR, "strokeWidth": 3},
    "bar-scenario": {"color": SCENARIO_COLOUR, "strokeWidth": 3},
    "adds": {"color": "#12436D", "strokeWidth": 12},
    "takes": {"color": "#F46A25", "strokeWidth": 12},
    "whole": {"color": GREY, "strokeWidth": 12},
} | {
    f"series-{at}": {"color": colour, "strokeWidth": 2.8, "strokeDash": dash}
    for at, (colour, dash) in enumerate(zip(charts_many.COLOURS, charts_many.DASHES, strict=True))
}
POINTS = {
    "published": ("circle", INK),
    "baseline-point": ("circle", BASELINE_COLOUR),
    "scenario-point": ("diamond", SCENARIO_COLOUR),
    "bar-baseline": ("circle", BASELINE_COLOUR),
    "bar-scenario": ("diamond", SCENARIO_COLOUR),
} | {
    f"point-{at}": (shape, colour)
    for at, (colour, shape) in enumerate(zip(charts_many.COLOURS, charts_many.SHAPES, strict=True))
}


@dataclass(frozen=True)
class Picture:
    """One chart of a report."""

    name: str
    title: str
    subtitle: str
    key: tuple[tuple[str, str], ...]  # (mark, what it stands for)
    chart: Any
    alt: str
    table: TextTable
    width: int = WIDTH  # of the plot, pixels
    right: int = RIGHT  # what labels take to the right of it, pixels

    def svg(self) -> str:
        """The chart as SVG, without its words."""
        import vl_convert

        return _own_ids(str(vl_convert.vegalite_to_svg(_sized(self).to_dict())), self.name)

    def png(self, scale: float = 2.0) -> bytes:
        """The chart as PNG, without its words."""
        return to_png(self.svg(), scale)

    def standing_alone(self) -> "Picture":
        """The same chart with title and subtitle drawn into it, for files of their own."""
        title = alt.TitleParams(
            text=_folded(self.title, 76),
            subtitle=_folded(self.subtitle, 104),
            anchor="start",
            fontSize=17,
            subtitleFontSize=13,
            subtitleColor=INK,
            subtitlePadding=6,
            offset=24,
        )
        return replace(self, chart=self.chart.properties(title=title))


def to_png(svg: str, scale: float = 2.0) -> bytes:
    """A drawn chart as PNG."""
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg, scale=scale))


def _folded(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)


def _own_ids(text: str, name: str) -> str:
    """Identities that are the chart's own, so that charts can stand on one page and are the same whenever drawn."""
    for number, found in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', text))):
        own = f"{name}-part-{number}"
        for before, after in (('id="', '"'), ("url(#", ")"), ('href="#', '"')):
            text = text.replace(f"{before}{found}{after}", f"{before}{own}{after}")
    return text


def inline_svg(picture: Picture) -> str:
    """The SVG for a page, where its words stand beside it and nothing is said twice to a screen reader."""
    text = re.sub(r"^<\?xml[^>]*>\s*", "", picture.svg())
    text = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", text)
    return re.sub(r"<svg ", '<svg aria-hidden="true" focusable="false" ', text, count=1)


# --- the key inside the chart ---------------------------------------------------------------------
def _sized(picture: Picture) -> Any:
    """The chart at a fixed width with its key over the plot."""
    drawn = picture.chart.copy(deep=True)
    layers, rows = _key_layers(picture.key, picture.width + picture.right)
    drawn.layer = [*drawn.layer, *layers]
    padding = {"left": 8, "right": 12, "top": 8 + 4 * (rows - 1), "bottom": 6}
    return drawn.properties(width=picture.width, padding=padding).configure_view(strokeOpacity=0)


def _key_layers(key: Sequence[tuple[str, str]], most: int) -> tuple[list[Any], int]:
    """Marks and words of the key, row by row from the bottom."""
    lines: list[list[tuple[str, str, float]]] = [[]]
    x = 0.0
    for mark, text in key:
        wide = 46 + LETTER * len(text) + 18
        if x + wide > most and lines[-1]:
            lines.append([])
            x = 0.0
        lines[-1].append((mark, text, x))
        x += wide
    layers: list[Any] = []
    for at, line in enumerate(lines):
        y = KEY_TOP - KEY_ROW * (len(lines) - 1 - at)
        for mark, text, left in line:
            layers += _key_item(mark, text, left, y)
    return layers, len(lines)


def _key_item(mark: str, text: str, left: float, y: float) -> list[Any]:
    one = alt.Chart(pd.DataFrame({"text": [text]}))
    layers: list[Any] = []
    if mark in MARKS:
        rule = one.mark_rule(**MARKS[mark])
        layers.append(rule.encode(x=alt.value(left), x2=alt.value(left + 36), y=alt.value(y)))
    if mark in POINTS:
        shape, colour = POINTS[mark]
        point = one.mark_point(shape=shape, color=colour, filled=True, size=75, opacity=1)
        layers.append(point.encode(x=alt.value(left + 18), y=alt.value(y)))
    words_of = one.mark_text(align="left", baseline="middle", fontSize=13, color=INK)
    layers.append(words_of.encode(x=alt.value(left + 44), y=alt.value(y), text="text:N"))
    return layers


# --- the charts -----------------------------------------------------------------------------------
def pictures(numbers: Numbers) -> tuple[Picture, ...]:
    """Every chart of a report: children, spend, savings, and what each lever adds where that was worked out."""
    main = numbers.main
    found = [_fan(numbers, measure, top) for measure, top in FANS if len(numbers.path(BASELINE, measure))]
    if not numbers.years:
        return tuple(found)
    found.append(_spend(numbers))
    found += [_groups(numbers, name) for name in ((main,) if main else ())]
    if len(numbers.programmes) > 1:
        found.append(_savings(numbers))
    found += [_saving(numbers, name) for name in numbers.programmes]
    return (*found, *_levers(numbers))


def _levers(numbers: Numbers) -> list[Picture]:
    from carecast.dashboard.reports.answers import WATERFALL
    from carecast.dashboard.reports.lever_tables import levers_picture

    answers = {name: numbers.answer(WATERFALL, name) for name in numbers.programmes}
    return [levers_picture(numbers, name, answer) for name, answer in answers.items() if answer]


def _frame(names: Sequence[str]) -> tuple[int, int]:
    """Pixels of a plot with names at line ends, and of the space that these need."""
    right = charts_many.room(names, "\u2212£00.0m")
    return WIDTH + RIGHT - right, right


def shown_together(numbers: Numbers) -> list[str]:
    """Scenarios of one frame: the baseline, the one the report is first about, then the rest, as many as a frame holds."""
    first = [numbers.main] if numbers.main else []
    rest = [name for name in numbers.others if name not in first]
    return [BASELINE, *first, *rest][: charts_many.MOST]


def _left_out(numbers: Numbers) -> str:
    more = len(numbers.scenarios) - len(shown_together(numbers))
    if more <= 0:
        return ""
    return " One more scenario of the run is in the tables." if more == 1 else f" {more} more are in the tables."


def _fan(numbers: Numbers, measure: str, top: float | None) -> Picture:
    shown, main = shown_together(numbers), numbers.main
    names = [legend_name(name) for name in shown]
    paths = pd.concat([numbers.path(name, measure) for name in shown], ignore_index=True)
    history = figures.history(numbers.run, measure)[["date", "value"]]
    start = pd.Timestamp(numbers.run.record["as_at"])
    label = numbers.label(measure)
    title = findings.away_title(numbers, main) if measure == AWAY else _fan_title(numbers, main, measure)
    key = [("series-0", "Baseline, mean"), ("band", "Baseline, 50, 80 and 95 %")]
    key += [(f"series-{at}", f"{name}, mean") for at, name in enumerate(names) if at]
    key += [("edge", f"{names[1]}, 80 %")] if len(names) == 2 else []
    key += [("published", "Published")] if len(history.dropna()) else []
    unit = "per cent" if measure.endswith("_percent") else "children at month end"
    bars = " Upright bars at the right end hold 80 %." if len(names) > 2 else ""
    subtitle = f"{label}, {unit}. Lines are means, bands hold the shares of replications named.{bars}"
    rows = tuple(_date_row(numbers, shown, measure, date) for date in _table_dates(numbers))
    table = TextTable(f"{label} at year ends, mean and 80 % interval", ("Date", *names), rows)
    ends = "; ".join(f"{name} {_spoken(cell)}" for name, cell in zip(names, rows[-1][1:], strict=True))
    text = f"Line chart of {words.lower_first(label)} by month to {rows[-1][0]}. At the end: {ends}. {title}."
    width, right = _frame(names)
    chart = charts_many.fans(paths, history, names, start, top, width)
    return Picture(
        f"children_{measure}", title, subtitle + _left_out(numbers), tuple(key), chart, text, table, width, right
    )


def _spoken(cell: str) -> str:
    mean, _, ends = cell.partition("\n")
    return f"{mean} (80 % interval {ends})" if ends else mean


def _fan_title(numbers: Numbers, scenario: str | None, measure: str) -> str:
    label, unit = numbers.label(measure), "\u00a0%" if measure.endswith("_percent") else ""
    base = findings.month_of(numbers, BASELINE, measure)
    text = (
        f"{label}: {words.number(base[0])}{unit} on {words.day(numbers.months[-1])} if nothing changes"
        if base
        else label
    )
    ours = findings.month_of(numbers, scenario, measure) if scenario else None
    return (
        f"{text}, {words.number(ours[0])}{unit} with \u201c{legend_name(str(scenario))}\u201d"
        if ours and base
        else text
    )


def _table_dates(numbers: Numbers) -> list[str]:
    from carecast.dashboard.reports.judged_tables import shown_dates

    return shown_dates(numbers)


def _date_row(numbers: Numbers, shown: Sequence[str], measure: str, date: str) -> tuple[str, ...]:
    digits, unit = (1, "\u00a0%") if measure.endswith("_percent") else (0, "")
    cells = []
    for name in shown:
        found = findings.month_of(numbers, name, measure, numbers.months.index(date))
        if found is None:
            cells.append(words.HIDDEN)
            continue
        mean, low, high = (words.number(part, digits) for part in found)
        cells.append(f"{mean}{unit}\n{low} to {high}" if low != high else f"{mean}{unit}")
    return (words.day(date), *cells)


def _whole(numbers: Numbers) -> list[str]:
    return [year for year in numbers.years if not numbers.is_part(year)] or list(numbers.years)


def _by_year(numbers: Numbers, shown: Sequence[str], measure: str) -> tuple[pd.DataFrame, tuple[tuple[str, ...], ...]]:
    """A yearly measure of scenarios for a chart, and in words a row a year."""
    rows, told = [], []
    for year in _whole(numbers):
        cells = []
        for name in shown:
            mean, low, high = findings.money_of(numbers, name, measure, year)
            rows.append({"scenario": legend_name(name), "year": year, "mean": mean, "p10": low, "p90": high})
            cells.append(f"{words.gbp(mean)}\n{words.gbp_between(low, high)}")
        told.append((findings.year_words(numbers, year), *cells))
    return pd.DataFrame(rows), tuple(told)


def _spend(numbers: Numbers) -> Picture:
    shown = shown_together(numbers)
    names = [legend_name(name) for name in shown]
    frame, told = _by_year(numbers, shown, "net_cost_gbp")
    title = findings.spend_title(numbers, numbers.main)
    key = tuple((f"point-{at}", f"{name}, mean and 80 %") for at, name in enumerate(names))
    table = TextTable(
        "Gross and programme cost by financial year, mean and 80 % interval", ("Financial year", *names), told
    )
    text = f"Chart of gross and programme cost by financial year. {_years_told(table)} {title}."
    subtitle = words.prose("spend_subtitle") + _left_out(numbers)
    width, right = _frame(names)
    chart = charts_many.by_year(frame, names, width)
    return Picture("spend", title, subtitle, key, chart, text, table, width, right)


def _savings(numbers: Numbers) -> Picture:
    """Net saving of every programme in one frame."""
    shown = [name for name in shown_together(numbers) if name in numbers.programmes]
    at = [shown_together(numbers).index(name) for name in shown]
    names, target = [legend_name(name) for name in shown], asked_saving(numbers)
    frame, told = _by_year(numbers, shown, "net_saving_gbp")
    title = findings.best_title(numbers)
    key = [(f"point-{i}", f"{name}, mean and 80 %") for i, name in zip(at, names, strict=True)]
    key += [("target", f"Target: {target.name}")] if target else []
    table = TextTable("Net saving by financial year, mean and 80 % interval", ("Financial year", *names), told)
    text = f"Chart of net saving by financial year. {_years_told(table)} {title}."
    width, right = _frame(names)
    chart = charts_many.by_year(frame, names, width, None if target is None else target.value, False, at)
    return Picture("savings", title, words.prose("saving_subtitle"), tuple(key), chart, text, table, width, right)


def _years_told(table: TextTable) -> str:
    first, last = table.rows[0], table.rows[-1]
    parts = [
        f"{row[0]}: {', '.join(f'{h} {_spoken(c)}' for h, c in zip(table.columns[1:], row[1:], strict=True))}"
        for row in dict.fromkeys((first, last))
    ]
    return "; ".join(parts) + "."


def _groups(numbers: Numbers, scenario: str) -> Picture:
    from carecast.dashboard.telling import group_label

    year = numbers.last_year
    frame = figures.spend(numbers.run, scenario)
    frame = frame[(frame["year"] == year) & ~frame["group"].isin(["placements", "all"])]
    frame = frame.assign(
        scenario=[legend_name(name) for name in frame["scenario"]],
        group=[group_label(numbers.nation, str(group)) for group in frame["group"]],
    )
    names = [legend_name(BASELINE), legend_name(scenario)]
    wide = frame.pivot_table(index="group", columns="scenario", values="mean", sort=False)
    largest = str((wide[names[0]] - wide[names[1]]).idxmax())
    fall = float((wide[names[0]] - wide[names[1]]).max())
    title = f"{largest}: {words.gbp(fall)} less in {year} with \u201c{names[1]}\u201d, the largest fall"
    title = title if fall > 0 else f"No group of lines costs less in {year} with \u201c{names[1]}\u201d"
    rows = tuple((str(group), *(words.gbp(float(row[name])) for name in names)) for group, row in wide.iterrows())
    table = TextTable(f"Mean cost by group of lines in {findings.year_words(numbers, year)}", ("Group", *names), rows)
    told = "; ".join(f"{row[0]}: {row[1]} and {row[2]}" for row in rows)
    text = f"Chart of mean cost by group of lines in {year}, baseline and \u201c{names[1]}\u201d. {told}."
    key = (("baseline-point", names[0]), ("scenario-point", names[1]))
    return Picture(
        "spend_by_group",
        title,
        f"Mean gross cost in {year} and programme cost, all funders, cash prices.",
        key,
        charts.dumbbell(frame, names),
        text,
        table,
    )


def asked_saving(numbers: Numbers) -> Target | None:
    """The net yearly saving that the targets ask for last, if any."""
    yearly = [
        t
        for t in numbers.run.targets
        if t.row_measure == "net_saving_gbp" or t.row_measure == "net_saving_recurring_gbp"
    ]
    yearly = [t for t in yearly if t.kind == "annual" and t.at_least is not None]
    return max(yearly, key=lambda target: target.judged_on, default=None)


def _saving(numbers: Numbers, scenario: str) -> Picture:
    found = [(year, *findings.money_of(numbers, scenario, "net_saving_gbp", year)) for year in _whole(numbers)]
    target = asked_saving(numbers)
    title = findings.saving_title(numbers, scenario)
    key = [("bar-scenario", "Net saving, mean and 80 %")]
    key += [("target", f"Target: {target.name}")] if target else []
    told = tuple((year, f"{words.gbp(mean)} ({words.gbp_between(low, high)})") for year, mean, low, high in found)
    table = TextTable(
        f"Net saving of \u201c{legend_name(scenario)}\u201d by financial year",
        ("Financial year", "Mean (80 % interval)"),
        told,
    )
    text = f"Chart of net saving by financial year: {'; '.join(f'{year} {cell}' for year, cell in told)}. {title}."
    frame = pd.DataFrame(found, columns=pd.Index(["year", "mean", "p10", "p90"]))
    chart = charts.saving(frame, None if target is None else target.value)
    return Picture(f"saving_{scenario}", title, words.prose("saving_subtitle"), tuple(key), chart, text, table)
