"""The charts of a report: each with its finding, subtitle, key, words for those who cannot see it, and its table."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from carecast.dashboard import charts, figures
from carecast.dashboard.charts import BASELINE_COLOUR, GREY, INK, SCENARIO_COLOUR
from carecast.dashboard.reports import findings, words
from carecast.dashboard.reports.numbers import AWAY, Numbers
from carecast.dashboard.reports.shapes import TextTable
from carecast.dashboard.telling import legend_name
from carecast.model.summary import BASELINE
from carecast.scenarios.targets import Target

WIDTH = 720
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
}
POINTS = {
    "published": ("circle", INK),
    "baseline-point": ("circle", BASELINE_COLOUR),
    "scenario-point": ("diamond", SCENARIO_COLOUR),
    "bar-baseline": ("circle", BASELINE_COLOUR),
    "bar-scenario": ("diamond", SCENARIO_COLOUR),
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
            text=_folded(self.title, 88),
            subtitle=_folded(self.subtitle, 118),
            anchor="start",
            fontSize=17,
            subtitleFontSize=13,
            subtitleColor=INK,
            subtitlePadding=6,
            offset=24,
        )
        return Picture(
            self.name, self.title, self.subtitle, self.key, self.chart.properties(title=title), self.alt, self.table
        )


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
    layers, rows = _key_layers(picture.key)
    drawn.layer = [*drawn.layer, *layers]
    padding = {"left": 8, "right": 60, "top": 8 + 4 * (rows - 1), "bottom": 6}
    return drawn.properties(width=WIDTH, padding=padding).configure_view(strokeOpacity=0)


def _key_layers(key: Sequence[tuple[str, str]]) -> tuple[list[Any], int]:
    """Marks and words of the key, row by row from the bottom."""
    lines: list[list[tuple[str, str, float]]] = [[]]
    x = 0.0
    for mark, text in key:
        wide = 46 + LETTER * len(text) + 18
        if x + wide > WIDTH and lines[-1]:
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
    """Every chart of a report: children, spend and savings, the main scenario first."""
    main = numbers.main
    found = [_fan(numbers, main, measure, top) for measure, top in FANS if len(numbers.path(BASELINE, measure))]
    if not numbers.years:
        return tuple(found)
    found += [_spend(numbers, name) for name in (numbers.others or (None,))]
    found += [_groups(numbers, name) for name in ((main,) if main else ())]
    found += [_saving(numbers, name) for name in numbers.programmes]
    return tuple(found)


def _shown(numbers: Numbers, scenario: str | None) -> list[str]:
    return [BASELINE, *([scenario] if scenario else [])]


def _fan(numbers: Numbers, scenario: str | None, measure: str, top: float | None) -> Picture:
    shown = _shown(numbers, scenario)
    names = [legend_name(name) for name in shown]
    paths = pd.concat([numbers.path(name, measure) for name in shown], ignore_index=True)
    history = figures.history(numbers.run, measure)[["date", "value"]]
    start = pd.Timestamp(numbers.run.record["as_at"])
    label = numbers.label(measure)
    title = findings.away_title(numbers, scenario) if measure == AWAY else _fan_title(numbers, scenario, measure)
    key = [("baseline", "Baseline, mean"), ("band", "Baseline, 50, 80 and 95 %")]
    if scenario:
        key += [("scenario", f"{names[1]}, mean"), ("edge", f"{names[1]}, 80 %")]
    key += [("published", "Published")] if len(history.dropna()) else []
    unit = "per cent" if measure.endswith("_percent") else "children at month end"
    subtitle = f"{label}, {unit}. Lines are means, bands hold the shares of replications named."
    rows = tuple(_date_row(numbers, shown, measure, date) for date in _table_dates(numbers))
    columns = ("Date", *(f"{name}, mean (80 % interval)" for name in names))
    table = TextTable(f"{label} at year ends", columns, rows)
    ends = "; ".join(f"{name} {cell}" for name, cell in zip(names, rows[-1][1:], strict=True))
    text = f"Line chart of {words.lower_first(label)} by month to {rows[-1][0]}. At the end: {ends}. {title}."
    return Picture(
        f"children_{measure}", title, subtitle, tuple(key), charts.fan(paths, history, names, start, top), text, table
    )


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
    cells = []
    for name in shown:
        found = findings.month_of(numbers, name, measure, numbers.months.index(date))
        cells.append(
            words.HIDDEN
            if found is None
            else f"{words.number(found[0], 1)} ({words.number(found[1], 1)} to {words.number(found[2], 1)})"
        )
    return (words.day(date), *cells)


def _whole(numbers: Numbers) -> list[str]:
    return [year for year in numbers.years if not numbers.is_part(year)] or list(numbers.years)


def _spend(numbers: Numbers, scenario: str | None) -> Picture:
    shown = _shown(numbers, scenario)
    names = [legend_name(name) for name in shown]
    rows, told = [], []
    for year in _whole(numbers):
        cells = []
        for name, said in zip(shown, names, strict=True):
            mean, low, high = findings.money_of(numbers, name, "net_cost_gbp", year)
            rows.append({"scenario": said, "year": year, "mean": mean, "p10": low, "p90": high})
            cells.append(f"{words.gbp(mean)} ({words.gbp_between(low, high)})")
        told.append((findings.year_words(numbers, year), *cells))
    title = findings.spend_title(numbers, scenario)
    key = [("bar-baseline", "Baseline, mean and 80 %")]
    key += [("bar-scenario", f"{names[1]}, mean and 80 %")] if scenario else []
    table = TextTable(
        "Gross and programme cost by financial year",
        ("Financial year", *(f"{n}, mean (80 % interval)" for n in names)),
        tuple(told),
    )
    text = f"Chart of gross and programme cost by financial year. {_years_told(table)} {title}."
    nothing = pd.DataFrame({"year": pd.Series(dtype=str), "value": pd.Series(dtype=float)})
    return Picture(
        f"spend_{scenario or BASELINE}",
        title,
        words.prose("spend_subtitle"),
        tuple(key),
        charts.yearly(pd.DataFrame(rows), nothing, names),
        text,
        table,
    )


def _years_told(table: TextTable) -> str:
    first, last = table.rows[0], table.rows[-1]
    heads = [column.split(", mean")[0] for column in table.columns[1:]]
    parts = [
        f"{row[0]}: {', '.join(f'{h} {c}' for h, c in zip(heads, row[1:], strict=True))}"
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
