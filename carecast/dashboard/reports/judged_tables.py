"""Tables that judge: differences to the baseline, targets, safety, staff and the gap report."""

import datetime as dt

import pandas as pd

from carecast.dashboard.disclosure import suppress_staff
from carecast.dashboard.reports import words
from carecast.dashboard.reports.children_tables import SCENARIO, STATISTIC_WORDS
from carecast.dashboard.reports.money_tables import YEAR
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.shapes import Column, DataTable, Value, iso, known
from carecast.dashboard.telling import legend_name, target_words
from carecast.model.parameters import BadFile
from carecast.model.summary import MONTHLY_MEASURES
from carecast.scenarios import gaps as gap_report
from carecast.scenarios.compare import safety_beside_savings
from carecast.scenarios.targets import Assessment
from carecast.scenarios.wording import AGE_BAND_LABELS, measure_label, measure_unit, placement_type_label
from carecast.scenarios.workforce import workforce, year_ends

ENDS = tuple(Column(name, words.sentence(STATISTIC_WORDS[name]), "exact") for name in ("p10", "p90"))
DATE = Column("date", "Date", "date", "Month end")
MISSING = {
    "home": "A home of this type",
    "near_home": "Such a home within the radius",
    "early_help": "Early help without a wait",
}


def judged_tables(numbers: Numbers) -> tuple[DataTable, ...]:
    """Every table that judges."""
    found = [targets(numbers)]
    if numbers.others:
        found += [differences(numbers), safety(numbers)]
    for made in (staff, gaps):
        table = made(numbers)
        found += [table] if table is not None else []
    return tuple(found)


# --- differences ----------------------------------------------------------------------------------
def shown_dates(numbers: Numbers) -> list[str]:
    """The start, each 31 March and the last month end."""
    return [iso(date) for date in year_ends([dt.date.fromisoformat(month) for month in numbers.months])]


def differences(numbers: Numbers) -> DataTable:
    """Paired differences of every monthly measure at each year end and the end."""
    columns = (
        SCENARIO,
        DATE,
        Column("measure", "Measure"),
        Column("key", "Measure in summary.csv"),
        Column("unit", "Unit"),
        Column("difference", "Scenario minus baseline, mean", "exact", "Taken within each replication first"),
        *ENDS,
    )
    rows: list[tuple[Value, ...]] = []
    for scenario in numbers.others:
        for measure in MONTHLY_MEASURES:
            key = f"difference_in_{measure}"
            for date in shown_dates(numbers)[1:] if numbers.has(measure) else ():
                cells = (
                    round(float(cell or 0), 2) + 0.0
                    for cell in numbers.values(scenario, key, date, ("mean", "p10", "p90"))
                )
                rows.append(
                    (
                        legend_name(scenario),
                        date,
                        measure_label(numbers.nation, measure),
                        key,
                        measure_unit(key),
                        *cells,
                    )
                )
    return DataTable(
        "Differences",
        "Children and services: each scenario minus the baseline at year ends",
        columns,
        tuple(rows),
        (words.prose("differences"),),
    )


# --- targets --------------------------------------------------------------------------------------
def assessed(numbers: Numbers) -> tuple[list[Assessment], str]:
    """Every target judged; and why they cannot be, if they cannot."""
    try:
        return numbers.run.assessments(), ""
    except BadFile as error:
        return [], "; ".join(error.lines)


def targets(numbers: Numbers) -> DataTable:
    """How likely each target is, what is lacking, and when it is met."""
    columns = (
        Column("target", "Target"),
        Column("asks", "What it asks for"),
        SCENARIO,
        Column("met_probability", "Probability that it is met", "chance", "Share of replications that meet it"),
        Column("monte_carlo_error", "Standard error of that probability", "chance", "By chance alone"),
        Column("required_probability", "Probability required", "chance"),
        Column("verdict", "Likely enough"),
        Column("mean", "Mean of the measure", "exact", "In the measure's own unit"),
        Column("expected_shortfall", "Mean shortfall", "exact", "In the measure's own unit"),
        Column("unit", "Unit"),
        Column("month_met", "Met by, median", "text", "Of the replications that meet it"),
        Column("source", "Source of the target"),
    )
    by_name = {target.name: target for target in numbers.run.targets}
    found, why = assessed(numbers)
    rows = tuple(
        (
            a.target,
            target_words(by_name[a.target]),
            legend_name(a.scenario),
            round(a.met_probability, 6),
            round(a.monte_carlo_error, 6),
            a.required_probability,
            "yes" if a.is_likely_enough else "no",
            round(a.mean, 2) + 0.0,
            round(a.expected_shortfall, 2) + 0.0,
            measure_unit(a.measure),
            iso(a.month_met) if a.month_met else "not met",
            by_name[a.target].source or by_name[a.target].because,
        )
        for a in found
    )
    left = [f"Not judged: {name}: {reason}" for name, reason in numbers.run.record["targets_left_out"].items()]
    notes = [words.prose("targets"), *([f"The targets cannot be judged: {why}"] if why else []), *left]
    notes += [] if rows or why else [words.prose("no_targets")]
    return DataTable(
        "Targets", "Targets: how likely, what is lacking and when they are met", columns, rows, tuple(notes)
    )


# --- safety ---------------------------------------------------------------------------------------
def safety(numbers: Numbers) -> DataTable:
    """Safety measures of each scenario beside its savings, over the last twelve months of the run."""
    columns = (
        SCENARIO,
        Column("measure", "Measure"),
        Column("key", "Measure in summary.csv"),
        Column("unit", "Unit"),
        Column("baseline", "Baseline", "exact", "Mean over the last 12 months; of counts the sum"),
        Column("value", "With the scenario", "exact"),
        Column("difference", "Difference", "exact", "Within each replication"),
        *ENDS,
        Column("chance_worse", "Chance that it is worse", "chance"),
        Column("verdict", "Verdict"),
    )
    frame = safety_beside_savings(numbers.run.answers)
    frame = frame[frame["chance_worse"].notna()]
    rows = tuple(
        (
            legend_name(row["scenario"]),
            measure_label(numbers.nation, row["measure"]),
            row["measure"],
            "children in 12 months" if not row["measure"].endswith("_percent") else "%",
            *(round(float(row[key]), 2) + 0.0 for key in ("mean_against", "mean", "difference", "p10", "p90")),
            round(float(row["chance_worse"]), 6),
            "worse" if row["worse"] else "not clearly worse",
        )
        for row in frame.to_dict("records")
    )
    return DataTable(
        "Safety",
        "Safety beside every saving: the last twelve months of the run",
        columns,
        rows,
        (words.prose("safety"),),
    )


# --- staff ----------------------------------------------------------------------------------------
def staff(numbers: Numbers) -> DataTable | None:
    """Staff needed by role at each year end against the posts there are; None where there is no caseload norm."""
    try:
        frame = suppress_staff(numbers.run, workforce(numbers.run, numbers.scenarios))
    except BadFile:
        return None
    columns = (
        SCENARIO,
        DATE,
        Column("label", "Role"),
        Column("needed_fte", "Needed, FTE", "exact", "Full-time equivalents"),
        Column("needed_p10", "Needed, FTE: 80 % interval, low", "exact"),
        Column("needed_p90", "Needed, FTE: 80 % interval, high", "exact"),
        Column("establishment_fte", "Posts, FTE", "exact"),
        Column("in_post_fte", "In post, FTE", "exact"),
        Column("gap_fte", "Gap, FTE", "exact", "Needed less in post: more than nought is too few"),
        Column("chance_short", "Chance of too few", "chance"),
        Column("against_baseline_fte", "Needed, scenario minus baseline, FTE", "exact"),
        Column("establishment_how", "How the posts are known"),
    )
    dates = set(shown_dates(numbers))
    rows: list[tuple[Value, ...]] = []
    for row in frame[[iso(date) in dates for date in frame["date"]]].to_dict("records"):
        cells = {c.key: known(round(float(row[c.key]), 4)) for c in columns if c.is_number}
        rows.append(
            (
                legend_name(row["scenario"]),
                iso(row["date"]),
                row["label"],
                *(cells[c.key] for c in columns if c.is_number),
                row["establishment_how"],
            )
        )
    return DataTable(
        "Workforce",
        "Staff needed by role at each year end, and the posts there are",
        columns,
        tuple(rows),
        (words.prose("workforce"), words.prose("hidden")),
    )


# --- gaps -----------------------------------------------------------------------------------------
def gaps(numbers: Numbers) -> DataTable | None:
    """The annual gap report of every scenario: what children went without, of every year; None for a run of no day."""
    if not numbers.years:
        return None
    columns = (
        SCENARIO,
        YEAR,
        Column("rank", "Rank", "exact", "By child-years, within the scenario and year"),
        Column("what", "What was lacking"),
        Column("wanted", "Placement type wanted"),
        Column("locality", "Locality of home"),
        Column("age", "Age"),
        Column("children", "Children", "exact", "Placements begun, or children who waited or left the queue"),
        Column("child_years", "Child-years without it", "exact"),
        Column("extra_cost", "Extra cost, £", "pounds"),
    )
    rows: list[tuple[Value, ...]] = []
    for scenario in numbers.scenarios:
        missing: pd.DataFrame = gap_report.gaps(numbers.run, scenario).missing
        for row in missing.to_dict("records"):
            wanted = placement_type_label(numbers.nation, row["wanted"]) if row["wanted"] else ""
            rows.append(
                (
                    legend_name(scenario),
                    row["financial_year"],
                    int(row["rank"]),
                    MISSING[row["what"]],
                    wanted,
                    row["locality"],
                    words.sentence(AGE_BAND_LABELS[row["age_band"]]),
                    known(round(row["children"], 2)),
                    known(round(row["child_years"], 2)),
                    known(round(row["extra_cost_gbp"], 2)),
                )
            )
    return DataTable(
        "Gaps",
        "The annual gap report: what children went without, where and at which age",
        columns,
        tuple(rows),
        (words.prose("gaps", radius=f"{numbers.run.record['radius_miles']:g}"),),
    )
