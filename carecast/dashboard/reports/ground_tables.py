"""Tables of what a forecast rests on: levers, every number with its source, drivers, history, and the data dictionary."""

from collections.abc import Iterable, Sequence

import pandas as pd

from carecast.dashboard import figures, telling
from carecast.dashboard.disclosure import is_small, suppressed_history
from carecast.dashboard.reports import words
from carecast.dashboard.reports.children_tables import SCENARIO
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.shapes import KIND_WORDS, Column, DataTable, Value, known
from carecast.dashboard.telling import legend_name
from carecast.model.summary import BASELINE
from carecast.scenarios.describe import describe
from carecast.scenarios.library import load_scenario
from carecast.scenarios.wording import MEASURES, breakdown_label, measure_label

SECTIONS = {
    "numbers": "Demand, rates and prices",
    "homes": "Homes and what they cost",
    "services": "Services and their places",
    "series": "Series",
    "budgets": "Budgets",
}
MORE_MEASURES = {
    "gross_cost_residential_gbp": "Gross cost of residential placements",
    "gross_cost_community_gbp": "Gross cost of community placements",
}


def ground_tables(numbers: Numbers) -> tuple[DataTable, ...]:
    """Every table of what the forecast rests on."""
    found = [assumptions(numbers), _series(numbers), levers(numbers), drivers(numbers), _history(numbers)]
    hindcast = _hindcast(numbers)
    return tuple(table for table in (*found, hindcast) if table is not None and table.rows)


def assumptions(numbers: Numbers) -> DataTable:
    """Every single number of the run with unit, interval, source, how and date."""
    columns = (
        Column("section", "Part"),
        Column("number", "Number"),
        Column("id", "Id in the parameter set"),
        Column("value", "Value", "exact"),
        Column("unit", "Unit"),
        Column("low_80", "80 % interval, low", "exact"),
        Column("high_80", "80 % interval, high", "exact"),
        Column("how", "How", "text", "fitted, published or assumed"),
        Column("date", "Of", "text", "Date or financial year the number is of"),
        Column("source", "Source"),
        Column("note", "Note"),
    )
    rows = []
    for row in figures.rows_of(figures.register(numbers.run)):
        if row.section == "series":
            continue
        rows.append(
            (
                SECTIONS.get(row.section, row.section),
                telling.number_label(row.name),
                row.name,
                _plain(row.value),
                row.unit,
                _plain(row.low),
                _plain(row.high),
                row.how,
                row.date,
                row.source,
                row.note,
            )
        )
    return DataTable(
        "Assumptions",
        "Every number the run rests on, with its source",
        columns,
        tuple(rows),
        (words.prose("register"),),
        absent=words.ABSENT,
    )


def _plain(value: object) -> float | None:
    return known(float(value)) if isinstance(value, int | float) else None


def _series(numbers: Numbers) -> DataTable:
    columns = (
        Column("id", "Id in the parameter set"),
        Column("position", "Position", "exact", "Counted from 0"),
        Column("value", "Value", "exact"),
        Column("unit", "Unit"),
        Column("how", "How"),
        Column("date", "Of"),
        Column("source", "Source"),
    )
    rows = [
        (name, at, float(value), entry["unit"], entry["how"], entry["date"], entry["source"])
        for name, entry in numbers.run.record["parameters"]["series"].items()
        for at, value in enumerate(entry["values"])
    ]
    return DataTable("Series", "Numbers that come as a series", columns, tuple(rows), absent=words.ABSENT)


def levers(numbers: Numbers) -> DataTable:
    """Levers and assumptions of every scenario in words."""
    columns = (
        SCENARIO,
        Column("kind", "Lever or assumption", "text", "A lever is what the council can choose"),
        Column("label", "Name"),
        Column("size", "Size"),
        Column("spread", "How sure"),
        Column("where", "Where and for whom"),
        Column("when", "When"),
        Column("cost", "Cost"),
        Column("because", "Why this size"),
        Column("source", "Source"),
        Column("owner", "Owner"),
    )
    rows = []
    for scenario in numbers.scenarios:
        file = load_scenario(numbers.run.folder / "inputs" / f"{scenario}.toml")
        for text in describe(file, numbers.nation):
            if scenario != BASELINE and text.scenario == BASELINE:
                continue
            kind = "assumption" if text.is_assumption else "lever"
            rows.append(
                (
                    legend_name(scenario),
                    kind,
                    text.label,
                    text.size,
                    text.spread,
                    text.where,
                    text.when,
                    text.cost or "none given",
                    text.because,
                    text.source,
                    text.owner or "not said",
                )
            )
    return DataTable(
        "Levers", "What each scenario changes: levers and assumptions", columns, tuple(rows), (words.prose("levers"),)
    )


def drivers(numbers: Numbers) -> DataTable:
    """Which uncertain numbers go with the answers."""
    columns = (
        SCENARIO,
        Column("answer", "Answer"),
        Column("number", "Number"),
        Column("correlation", "Rank correlation", "exact", "+1 to -1: association across draws, not proof of cause"),
        Column("central", "Central value", "exact"),
        Column("low_80", "80 % interval, low", "exact"),
        Column("high_80", "80 % interval, high", "exact"),
        Column("unit", "Unit"),
        Column("how", "How"),
        Column("where", "Where it is"),
        Column("note", "Note"),
    )
    rows: list[tuple[Value, ...]] = []
    for found in numbers.run.record.get("drivers") or []:
        answer = f"{measure_label(numbers.nation, found['measure'])}, {found['financial_year']}"
        for row in found["rows"]:
            ends = (known(_plain(row[key])) for key in ("central", "low_80", "high_80"))
            note = "perhaps chance: more replications would tell" if row["perhaps_chance"] else ""
            rows.append(
                (
                    legend_name(found["scenario"]),
                    answer,
                    row["label"],
                    row["correlation"],
                    *ends,
                    row["unit"],
                    row["how"],
                    row["where"],
                    note,
                )
            )
    return DataTable(
        "What drives it",
        "Which uncertain numbers go with the answers",
        columns,
        tuple(rows),
        (words.prose("drivers"),),
        absent=words.ABSENT,
    )


def _history(numbers: Numbers) -> DataTable:
    columns = (
        Column("date", "Date", "date"),
        Column("measure", "Measure"),
        Column("key", "Measure, as files name it"),
        Column("breakdown", "Of"),
        Column("value", "Value", "exact"),
        Column("source", "Source"),
    )
    frame = suppressed_history(numbers.run.record["parameters"]["history"])
    small = (
        (frame["breakdown"] == "total")
        & frame["value"].map(is_small)
        & ~frame["measure"].str.endswith(("_gbp", "_percent"))
    )
    frame["value"] = frame["value"].where(~small.astype(bool))
    frame = frame.sort_values(["measure", "breakdown", "date"], kind="stable")
    rows = []
    for row in figures.rows_of(frame):
        label = MORE_MEASURES.get(row.measure) or (
            measure_label(numbers.nation, row.measure) if row.measure in MEASURES else telling.number_label(row.measure)
        )
        of = "all" if row.breakdown == "total" else breakdown_label(numbers.nation, row.breakdown)
        rows.append((row.date, label, row.measure, of, known(row.value), row.source))
    return DataTable(
        "History", "Published or recorded figures up to the start", columns, tuple(rows), (words.prose("hidden"),)
    )


def _hindcast(numbers: Numbers) -> DataTable | None:
    found = numbers.run.record.get("hindcast")
    if not found:
        return None
    columns = (
        Column("date", "Date", "date"),
        Column("setting", "Children looked after"),
        Column("published", "Published", "exact"),
        Column("mean", "Simulated, mean", "exact"),
        Column("p10", "80 % interval, low", "exact"),
        Column("p90", "80 % interval, high", "exact"),
        Column("p025", "95 % interval, low", "exact"),
        Column("p975", "95 % interval, high", "exact"),
    )
    hidden = hidden_years(found["rows"])
    rows = tuple(
        (
            row["date"],
            row["setting"],
            None if row["date"] in hidden else float(row["published"]),
            *(known(float(row[key])) for key in ("mean", "p10", "p90", "p025", "p975")),
        )
        for row in found["rows"]
    )
    return DataTable(
        "History simulated",
        "Published years simulated again, beside the counts",
        columns,
        rows,
        (f"{found['what']} ({found['replications']} replications).", words.prose("hidden")),
    )


def hidden_years(rows: Sequence[dict[str, object]]) -> set[object]:
    """Dates of a hindcast on which some published count is small: all counts of that date are left out."""
    return {row["date"] for row in rows if is_small(float(str(row["published"])))}


def dictionary(tables: Iterable[DataTable]) -> DataTable:
    """Every column of every table."""
    columns = (
        Column("table", "Table"),
        Column("file", "CSV file"),
        Column("column", "Column"),
        Column("heading", "Heading"),
        Column("holds", "What it holds"),
        Column("meaning", "Meaning"),
    )
    rows = [
        (
            table.name,
            f"{table.file_name}.csv",
            column.key,
            column.label,
            KIND_WORDS[column.kind],
            column.meaning or column.label,
        )
        for table in tables
        for column in table.columns
    ]
    return DataTable("Data dictionary", "Every column of every table", columns, tuple(rows))


def summary_columns() -> pd.DataFrame:
    """The columns of ``summary.csv`` in words, for the archive's README."""
    rows = [
        ("scenario", "which scenario"),
        ("date", "month end, or 31 March of a financial year"),
        ("measure", "what is measured; difference_in_ is scenario minus baseline within each replication"),
        ("breakdown", "total, or dimension=value"),
        ("mean", "mean of replications"),
        ("sd", "standard deviation of replications"),
        ("p025 ... p975", "2.5th to 97.5th percentile of replications"),
    ]
    return pd.DataFrame(rows, columns=pd.Index(["column", "meaning"]))
