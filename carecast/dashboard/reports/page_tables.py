"""The short tables of papers, pages and slides: what a board reads, in words, out of the same numbers as the data tables."""

from carecast.dashboard import figures, telling
from carecast.dashboard.reports import findings, judged_tables, words
from carecast.dashboard.reports.about import title_of
from carecast.dashboard.reports.ground_tables import drivers, levers
from carecast.dashboard.reports.judged_tables import assessed
from carecast.dashboard.reports.numbers import AWAY, Numbers
from carecast.dashboard.reports.shapes import DataTable, TextTable, Value
from carecast.dashboard.telling import legend_name, target_words
from carecast.model.summary import BASELINE
from carecast.scenarios import gaps
from carecast.scenarios.wording import AGE_BAND_LABELS, placement_type_label

HEADLINES = (
    AWAY,
    "looked_after",
    "balance_of_care_percent",
    "within_radius_percent",
    "distance_unknown_percent",
    "out_of_area_percent",
    "early_help_waiting",
)
MOST_GAPS, MOST_DRIVERS = 10, 6


def count_words(numbers: Numbers, scenario: str, measure: str, at: int) -> str:
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
        now += f"\n{_ends(start, unit)}" if start is not None and start[1] != start[2] else ""
        rows.append(
            (numbers.label(measure), now, *(count_words(numbers, name, measure, -1) for name in numbers.scenarios))
        )
    columns = (
        "Measure",
        f"{words.day(numbers.run.record['as_at'])}",
        *(f"{legend_name(n)}, {last}" for n in numbers.scenarios),
    )
    return TextTable("Children, now and at the end, mean and 80 % interval", columns, tuple(rows), words.prose("away"))


def _ends(found: tuple[float, float, float], unit: str) -> str:
    return " to ".join(words.number(end, 1 if unit else 0) for end in found[1:])


def as_number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


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
        rows.append(
            (
                f"{a.target}\n{target_words(by_name[a.target])}",
                legend_name(a.scenario),
                words.share(a.met_probability),
                words.share(a.required_probability),
                "Yes" if a.is_likely_enough else "No",
                lacking,
                telling.month_words(a.month_met),
            )
        )
    columns = ("Target", "Scenario", "Probability", "Required", "Likely enough", "Mean shortfall", "Met by, where met")
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
        base, ours = (f"{words.number(as_number(cell[key]), 1)}{unit}" for key in ("baseline", "value"))
        difference = " ".join(
            (
                words.signed(as_number(cell["difference"])),
                f"({words.signed(as_number(cell['p10']))} to {words.signed(as_number(cell['p90']))})",
            )
        )
        rows.append(
            (
                str(cell["measure"]),
                base,
                ours,
                difference,
                words.share(as_number(cell["chance_worse"])),
                words.sentence(str(cell["verdict"])),
            )
        )
    off = any(row[1] == row[2] == "0.0" for row in rows)
    note = " ".join([words.prose("safety"), *([words.prose("safety_off")] if off else [])])
    columns = (
        "Over the last 12 months",
        "Baseline",
        legend_name(scenario),
        "Difference (80 % interval)",
        "Chance worse",
        "Verdict",
    )
    return TextTable(f"Safety beside the saving: \u201c{legend_name(scenario)}\u201d", columns, tuple(rows), note)


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
    return words.signed(as_number(value)) if signed else words.number(as_number(value), 1)


def gaps_table(numbers: Numbers, scenario: str) -> TextTable | None:
    """What is missing most, in the last whole year."""
    if not numbers.years:
        return None
    missing = gaps.gaps(numbers.run, scenario, [numbers.last_year]).missing
    rows = []
    for row in missing.head(MOST_GAPS).to_dict("records"):
        wanted = f": {words.lower_first(placement_type_label(numbers.nation, row['wanted']))}" if row["wanted"] else ""
        rows.append(
            (
                judged_tables.MISSING[row["what"]] + wanted,
                row["locality"],
                words.sentence(AGE_BAND_LABELS[row["age_band"]]),
                words.number(row["children"], 1),
                words.number(row["child_years"], 1),
                words.gbp(row["extra_cost_gbp"]) if row["extra_cost_gbp"] else "\u2013",
            )
        )
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
    return TextTable(
        "Assumed numbers that bear on cost in every scenario",
        ("Number", "Value (80 % interval)", "Unit", "Source"),
        tuple(rows),
        is_prose=True,
    )


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
        (
            str(row[at[0]]),
            words.signed(as_number(row[at[1]]), 2) + (" (perhaps chance)" if row[note] else ""),
            words.ABSENT if row[at[2]] is None else telling.plain_number(as_number(row[at[2]]), ""),
            str(row[at[3]]),
        )
        for row in mine
    )
    caption = f"What goes with {words.lower_first(str(mine[0][1]))}: {wanted}"
    return TextTable(
        caption, ("Number", "Rank correlation", "Central value", "How it is known"), rows, words.prose("drivers")
    )
