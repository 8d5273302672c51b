"""The short tables of papers, pages and slides: what a board reads, in words, out of the same numbers as the data tables."""

from carecast.dashboard import figures, telling
from carecast.dashboard.reports import findings, judged_tables, money_tables, words
from carecast.dashboard.reports.about import title_of
from carecast.dashboard.reports.ground_tables import drivers, levers
from carecast.dashboard.reports.judged_tables import assessed
from carecast.dashboard.reports.numbers import AWAY, Numbers
from carecast.dashboard.reports.shapes import DataTable, TextTable, Value, shown
from carecast.dashboard.telling import legend_name, target_words
from carecast.model import words as w
from carecast.model.summary import BASELINE
from carecast.scenarios import gaps
from carecast.scenarios.money_answers import money_answers, savings_of
from carecast.scenarios.wording import AGE_BAND_LABELS, placement_type_label

HEADLINES = (AWAY, "looked_after", "balance_of_care_percent", "within_radius_percent", "distance_unknown_percent",
             "out_of_area_percent", "early_help_waiting")  # fmt: skip
MOST_YEARS, MOST_GAPS, MOST_DRIVERS = 6, 10, 6
SAVING_ROWS = (
    ("gross", "Gross saving"), ("cashable", "of which cashable"), ("avoided", "of which avoided"),
    ("released", "of which released, never cash"), ("programme", "Programme cost"), ("net", "Net saving"),
    ("cumulative", "Net saving since the start"),
)  # fmt: skip
RECURRING_ROWS = (("one_off", "One-off programme cost"), ("recurring_cost", "Recurring programme cost"),
                  ("net_recurring", "Net saving without one-off cost"), ("net", "Net saving"))  # fmt: skip


def shown_years(numbers: Numbers) -> list[str]:
    """The last whole years of the run, or all it has."""
    whole = [year for year in numbers.years if not numbers.is_part(year)]
    return (whole or list(numbers.years))[-MOST_YEARS:]


def _count(numbers: Numbers, scenario: str, measure: str, at: int) -> str:
    found = findings.month_of(numbers, scenario, measure, at)
    if found is None:
        return words.HIDDEN
    unit = "\u00a0%" if measure.endswith("_percent") else ""
    mean, low, high = (words.number(part, 1 if unit else 0) for part in found)
    return f"{mean}{unit}\n{low} to {high}"


def headline_table(numbers: Numbers) -> TextTable:
    """Where things stand, and where they are heading in every scenario."""
    last = words.day(numbers.months[-1])
    rows = []
    for measure in HEADLINES:
        start = findings.month_of(numbers, BASELINE, measure, 0)
        unit = "\u00a0%" if measure.endswith("_percent") else ""
        now = words.HIDDEN if start is None else f"{words.number(start[0], 1 if unit else 0)}{unit}"
        rows.append((numbers.label(measure), now, *(_count(numbers, name, measure, -1) for name in numbers.scenarios)))
    columns = (
        "Measure",
        f"{words.day(numbers.run.record['as_at'])}",
        *(f"{legend_name(n)}, {last}" for n in numbers.scenarios),
    )
    return TextTable("Children, now and at the end, mean and 80 % interval", columns, tuple(rows), words.prose("away"))


def spend_table(numbers: Numbers) -> TextTable:
    """Gross and programme cost of every scenario by year."""
    years = shown_years(numbers)
    rows = []
    for name in numbers.scenarios:
        cells = [findings.money_of(numbers, name, "net_cost_gbp", year) for year in years]
        rows.append(
            (legend_name(name), *(f"{words.gbp(mean)}\n{words.gbp_between(low, high)}" for mean, low, high in cells))
        )
    columns = ("Scenario", *(findings.year_words(numbers, year) for year in years))
    return TextTable("Gross and programme cost by financial year, mean and 80 % interval", columns, tuple(rows),
                     words.prose("cash_prices"))  # fmt: skip


def options_table(numbers: Numbers) -> TextTable:
    """The scenarios side by side."""
    year = numbers.last_year
    rows: dict[str, list[str]] = {
        label: []
        for label in (f"Children away from home, {words.day(numbers.months[-1])}", f"Spend in {year} with programme cost",
                      f"Gross saving in {year}", f"Net saving in {year}", "Net saving over the run", "Median payback",
                      "Chance of payback within the run", "Safety measures clearly worse", "Recurring cost paid from reserves")
    }  # fmt: skip
    labels = list(rows)
    for name in numbers.scenarios:
        cells = [_count(numbers, name, AWAY, -1), _money(numbers, name, "net_cost_gbp", year)]
        cells += ["\u2013"] * 6 if name == BASELINE else _saved(numbers, name, year)
        paid = numbers.run.reserves(name).recurring_paid
        cells.append(words.gbp(float(paid.sum(axis=-1).mean()) / 100))
        for label, cell in zip(labels, cells, strict=True):
            rows[label].append(cell)
    columns = ("", *(legend_name(name) for name in numbers.scenarios))
    return TextTable(
        "The options side by side, mean and 80 % interval", columns, tuple((k, *v) for k, v in rows.items())
    )


def _money(numbers: Numbers, scenario: str, measure: str, year: str) -> str:
    mean, low, high = findings.money_of(numbers, scenario, measure, year)
    return f"{words.gbp(mean)}\n{words.gbp_between(low, high)}"


def _saved(numbers: Numbers, scenario: str, year: str) -> list[str]:
    cash = money_answers(numbers.run, scenario)["cash"]
    net, back = cash["net_saving_gbp"], cash["payback"]
    worse = findings.worse_measures(numbers, scenario)
    return [
        _money(numbers, scenario, "gross_saving_gbp", year), _money(numbers, scenario, "net_saving_gbp", year),
        f"{words.gbp(net['mean'])}\n{words.gbp_between(net['p10'], net['p90'])}", back["median_month"] or "not within the run",
        words.share(back["chance_within_run"]), f"{len(worse)}: {'; '.join(worse)}" if worse else "none",
    ]  # fmt: skip


def _saving_rows(numbers: Numbers, scenario: str, wanted: tuple[tuple[str, str], ...]) -> list[tuple[str, ...]]:
    table = money_tables.savings(numbers)
    mine = {str(row[1]): row for row in table.rows if row[0] == legend_name(scenario)}
    rows = []
    for key, label in wanted:
        at = table.position(key)
        rows.append((label, *(words.million(_number(mine[year][at])) for year in shown_years(numbers))))
    return rows


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def savings_table(numbers: Numbers, scenario: str) -> TextTable:
    """Savings of one scenario by kind and year, with the interval of gross and net."""
    rows = _saving_rows(numbers, scenario, SAVING_ROWS)
    years = shown_years(numbers)
    for measure, label in (("gross_saving_gbp", "Gross saving"), ("net_saving_gbp", "Net saving")):
        ends = [words.gbp_between(*findings.money_of(numbers, scenario, measure, year)[1:]) for year in years]
        at = next(i for i, row in enumerate(rows) if row[0] == label)
        rows[at] = (label, *(f"{cell}\n{end}" for cell, end in zip(rows[at][1:], ends, strict=True)))
    columns = ("Saving, mean (80 % interval under it)", *(findings.year_words(numbers, year) for year in years))
    return TextTable(f"Savings of \u201c{legend_name(scenario)}\u201d against the baseline by kind and financial year", columns,
                     tuple(rows), words.prose("savings_parts"), ("Gross saving", "Net saving"))  # fmt: skip


def recurring_table(numbers: Numbers, scenario: str) -> TextTable:
    """What comes back every year and what does not."""
    columns = ("Money", *(findings.year_words(numbers, year) for year in shown_years(numbers)))
    return TextTable(f"Recurring and non-recurring: \u201c{legend_name(scenario)}\u201d by financial year", columns,
                     tuple(_saving_rows(numbers, scenario, RECURRING_ROWS)), strong=("Net saving",))  # fmt: skip


def reserves_table(numbers: Numbers) -> TextTable:
    """Reserves by year, of the scenarios that use them."""
    table = money_tables.reserves(numbers)
    years = shown_years(numbers)
    rows = []
    for name in numbers.programmes or (BASELINE,):
        mine = {str(row[1]): row for row in table.rows if row[0] == legend_name(name)}
        for key, label in (("reserves", "at 31 March"), ("below_minimum", "chance of less than the minimum"),
                           ("recurring_paid", "recurring cost they pay")):  # fmt: skip
            at = table.position(key)
            cells = (_number(mine[year][at]) for year in years)
            rows.append(
                (
                    f"{legend_name(name)}: {label}",
                    *((words.share if key == "below_minimum" else words.million)(c) for c in cells),
                )
            )
    return TextTable(
        "Reserves by financial year", ("Reserves", *years), tuple(rows), money_tables.minimum_words(numbers)
    )


def targets_table(numbers: Numbers, scenario: str | None) -> TextTable | None:
    """How likely each target is in the baseline and in a scenario; None when none is judged."""
    by_name = {target.name: target for target in numbers.run.targets}
    wanted = {BASELINE, scenario or BASELINE}
    rows = []
    for a in assessed(numbers)[0]:
        if a.scenario not in wanted:
            continue
        lacking = telling.value_words(a.measure, a.expected_shortfall)
        lacking = (
            words.gbp(a.expected_shortfall) if a.measure.endswith("_gbp") else lacking.replace("\u00a0%", " points")
        )
        rows.append((f"{a.target}\n{target_words(by_name[a.target])}", legend_name(a.scenario), words.share(a.met_probability),
                     words.share(a.required_probability), "Yes" if a.is_likely_enough else "No", lacking,
                     telling.month_words(a.month_met)))  # fmt: skip
    columns = ("Target", "Scenario", "Probability", "Required", "Likely enough", "Mean shortfall",
               "Met by, median")  # fmt: skip
    return (
        TextTable("Targets: how likely, and what is lacking", columns, tuple(rows), words.prose("targets"))
        if rows
        else None
    )


def safety_table(numbers: Numbers, scenario: str) -> TextTable:
    """Safety measures of a scenario beside its saving."""
    table = judged_tables.safety(numbers)
    rows = []
    for row in table.rows:
        cell = dict(zip((column.key for column in table.columns), row, strict=True))
        if cell["scenario"] != legend_name(scenario):
            continue
        unit = "\u00a0%" if cell["unit"] == "%" else ""
        base, ours = (f"{words.number(_number(cell[key]), 1)}{unit}" for key in ("baseline", "value"))
        difference = " ".join((words.signed(_number(cell["difference"])),
                               f"({words.signed(_number(cell['p10']))} to {words.signed(_number(cell['p90']))})"))  # fmt: skip
        rows.append((str(cell["measure"]), base, ours, difference, words.share(_number(cell["chance_worse"])),
                     words.sentence(str(cell["verdict"]))))  # fmt: skip
    columns = (
        "Over the last 12 months",
        "Baseline",
        legend_name(scenario),
        "Difference (80 % interval)",
        "Chance worse",
        "Verdict",
    )
    return TextTable(
        f"Safety beside the saving: \u201c{legend_name(scenario)}\u201d", columns, tuple(rows), words.prose("safety")
    )


def staff_table(numbers: Numbers, scenario: str | None) -> TextTable | None:
    """Staff needed at the end by role, in the baseline and a scenario, against staff in post."""
    table = judged_tables.staff(numbers)
    if table is None:
        return None
    last = numbers.months[-1]
    names = [legend_name(BASELINE), *([legend_name(scenario)] if scenario else [])]
    found: dict[str, dict[str, dict[str, Value]]] = {}
    for row in table.rows:
        cell = dict(zip((column.key for column in table.columns), row, strict=True))
        if cell["date"] == last and cell["scenario"] in names:
            found.setdefault(str(cell["label"]), {})[str(cell["scenario"])] = cell
    rows = []
    for role, cells in found.items():
        told = [_fte(cells[names[0]]["in_post_fte"])]
        for name in names:
            told += [_fte(cells[name]["needed_fte"]), _fte(cells[name]["gap_fte"], signed=True)]
        rows.append((role, *told))
    columns = ["Role", "In post"]
    for name in names:
        columns += [f"{name}: needed", f"{name}: gap"]
    caption = f"Staff by role on {words.day(last)}, full-time equivalents"
    return TextTable(caption, tuple(columns), tuple(rows), words.prose("workforce"), ("All roles",))


def _fte(value: Value, signed: bool = False) -> str:
    if value is None:
        return words.HIDDEN
    return words.signed(_number(value)) if signed else words.number(_number(value), 1)


def gaps_table(numbers: Numbers, scenario: str) -> TextTable | None:
    """What is missing most, in the last whole year."""
    if not numbers.years:
        return None
    missing = gaps.gaps(numbers.run, scenario, [numbers.last_year]).missing
    rows = []
    for row in missing.head(MOST_GAPS).to_dict("records"):
        wanted = f": {words.lower_first(placement_type_label(numbers.nation, row['wanted']))}" if row["wanted"] else ""
        rows.append((judged_tables.MISSING[row["what"]] + wanted, row["locality"], words.sentence(AGE_BAND_LABELS[row["age_band"]]),
                     words.number(row["children"], 1), words.number(row["child_years"], 1),
                     words.gbp(row["extra_cost_gbp"]) if row["extra_cost_gbp"] else "\u2013"))  # fmt: skip
    columns = ("What was lacking", "Locality", "Age", "Children", "Child-years without", "Extra cost")
    caption = f"What is missing most in {findings.year_words(numbers, numbers.last_year)}: {legend_name(scenario)}"
    return TextTable(
        caption, columns, tuple(rows), words.prose("gaps", radius=f"{numbers.run.record['radius_miles']:g}")
    )


def levers_table(numbers: Numbers, scenario: str) -> TextTable:
    """What one scenario changes."""
    table = levers(numbers)
    at = {key: table.position(key) for key in ("label", "kind", "size", "where", "when", "cost", "because", "source")}
    rows = []
    for row in table.rows:
        if row[0] != legend_name(scenario):
            continue
        cell = {key: str(row[i]) for key, i in at.items()}
        what = "; ".join(part for part in (cell["size"], cell["where"], cell["when"]) if part)
        why = " ".join(
            part for part in (cell["because"], f"Source: {cell['source']}" if cell["source"] else "") if part
        )
        rows.append((f"{cell['label']} ({cell['kind']})", what, cell["cost"], why or "not said"))
    caption = f"What \u201c{title_of(numbers.run, scenario)}\u201d changes"
    return TextTable(
        caption, ("Lever or assumption", "What, where and when", "Cost", "Why this size"), tuple(rows), is_prose=True
    )


def watched_table(numbers: Numbers) -> TextTable:
    """The assumed numbers that bear on cost in every scenario."""
    rows = []
    for row in figures.rows_of(figures.watched(numbers.run)):
        value = telling.plain_number(row.value, row.unit)
        if row.low is not None and row.low == row.low:
            value += f" ({telling.plain_number(row.low, row.unit)} to {telling.plain_number(row.high, row.unit)})"
        rows.append((telling.number_label(row.name), value, row.unit, row.source))
    return TextTable("Assumed numbers that bear on cost in every scenario", ("Number", "Value (80 % interval)", "Unit", "Source"),
                     tuple(rows), is_prose=True)  # fmt: skip


def drivers_table(numbers: Numbers) -> TextTable | None:
    """Which uncertain numbers go with the main answer; None where there are too few replications to say."""
    table: DataTable = drivers(numbers)
    wanted = legend_name(numbers.main or BASELINE)
    mine = [row for row in table.rows if row[0] == wanted][:MOST_DRIVERS]
    if not mine:
        return None
    keys = ("number", "correlation", "central", "how")
    at = [table.position(key) for key in keys]
    note = table.position("note")
    rows = tuple(
        (str(row[at[0]]), words.signed(_number(row[at[1]]), 2) + (" (perhaps chance)" if row[note] else ""),
         shown(row[at[2]], "exact", words.ABSENT), str(row[at[3]]))
        for row in mine
    )  # fmt: skip
    caption = f"What goes with {words.lower_first(str(mine[0][1]))}: {wanted}"
    return TextTable(
        caption, ("Number", "Rank correlation", "Central value", "How it is known"), rows, words.prose("drivers")
    )


def funders_table(numbers: Numbers, scenario: str) -> TextTable:
    """Who pays less and who pays more, in the last whole year and over the run."""
    found = savings_of(numbers.run, scenario)
    layout, year = found.layout, numbers.last_year
    at = layout.financial_years.index(year)
    held = [i for i, days in enumerate(layout.run_days) if days > 0]
    rows = []
    for number, name in enumerate(w.FUNDERS):
        pence = found.by_funder[..., number]
        if not pence.any():
            continue
        last, whole = float(pence[:, at].mean()) / 100, float(pence[:, held].sum(axis=-1).mean()) / 100
        rows.append((words.funder_label(name), words.gbp(last), words.gbp(whole)))
    columns = ("Funder", f"Saving in {findings.year_words(numbers, year)}", "Saving over the run")
    caption = f"Net saving of \u201c{legend_name(scenario)}\u201d by who pays, mean"
    return TextTable(caption, columns, tuple(rows), words.prose("funders"))
