"""Tables and the chart of what each lever adds, and tables of the places needed, out of the answers kept with a run."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from carecast.cli.sufficiency import KIND_LABELS
from carecast.dashboard.panels import places_needed
from carecast.dashboard.reports import charts_many, findings, words
from carecast.dashboard.reports.answers import ALL_YEARS, PLACES, WATERFALL, Answer, shown_chance
from carecast.dashboard.reports.children_tables import SCENARIO
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.pictures import Picture
from carecast.dashboard.reports.shapes import Column, DataTable, TextTable, Value
from carecast.dashboard.telling import legend_name
from carecast.model.summary import BASELINE
from carecast.scenarios.wording import term

KINDS = ("cashable", "avoided", "released", "gross", "programme", "net")
BASES = {"year_end": "at the year's end", "year_peak": "at the peak of the year"}


def lever_tables(numbers: Numbers) -> tuple[DataTable, ...]:
    """Both tables, where they were worked out."""
    return tuple(table for table in (savings_by_lever(numbers), places(numbers)) if table.rows)


# --- what each lever adds -------------------------------------------------------------------------
def savings_by_lever(numbers: Numbers) -> DataTable:
    """What each lever of each scenario adds, by kind and financial year and over the whole run."""
    columns = (
        SCENARIO,
        Column("financial_year", "Financial year", meaning="1 April to 31 March, or the whole run"),
        Column("lever", "Lever or assumption"),
        Column("cashable", "Cashable, £", "pounds"),
        Column("avoided", "Avoided, £", "pounds"),
        Column("released", "Released, £", "pounds", "Never cash"),
        Column("gross", "Gross saving, £", "pounds", "Cashable + avoided + released", "[cashable]+[avoided]+[released]"),
        Column("programme", "Programme cost, £", "pounds"),
        Column("net", "Net saving it adds, £", "pounds", "Gross - released - programme cost",
               "[gross]-[released]-[programme]"),
        Column("net_p10", "Net saving it adds, £: 80 % interval, low", "pounds"),
        Column("net_p90", "Net saving it adds, £: 80 % interval, high", "pounds"),
        Column("standard_error", "Net saving: standard error, £", "pounds", "By chance alone"),
        Column("id", "Id in the scenario's file"),
    )  # fmt: skip
    rows: list[tuple[Value, ...]] = []
    for scenario in numbers.programmes:
        answer = numbers.answer(WATERFALL, scenario)
        rows += _lever_rows(scenario, answer) if answer else []
    return DataTable(
        "Savings by lever", "What each lever adds to the saving, by kind and financial year, mean of replications",
        columns, tuple(rows), (words.prose("waterfall"), words.prose("savings_parts")),
    )  # fmt: skip


def _lever_rows(scenario: str, answer: Answer) -> list[tuple[Value, ...]]:
    told = {(row["financial_year"], row["lever"], row["measure"]): row for row in answer["rows"]}
    rows: list[tuple[Value, ...]] = []
    for year, said in answer["years"].items():
        for lever in sorted(said["levers"], key=lambda row: -float(row["mean_gbp"])):
            means = [float(told[year, lever["lever"], kind]["mean"]) for kind in KINDS]
            spread = [float(told[year, lever["lever"], "net"][key]) for key in ("p10", "p90", "standard_error")]
            label = "Whole run" if year == ALL_YEARS else str(year)
            rows.append((legend_name(scenario), label, str(lever["name"]), *means, *spread, str(lever["lever"])))
    return rows


def chosen_year(numbers: Numbers, answer: Answer) -> str:
    """The year that papers show: the last whole one."""
    return numbers.last_year if numbers.last_year in answer["years"] else ALL_YEARS


def _year_words(numbers: Numbers, year: str) -> str:
    return "the whole run" if year == ALL_YEARS else findings.year_words(numbers, year)


def lever_title(numbers: Numbers, answer: Answer) -> str:
    """Which lever adds most."""
    year = chosen_year(numbers, answer)
    said = answer["years"][year]
    most = max(said["levers"], key=lambda row: float(row["mean_gbp"]))
    whole = words.gbp(said["all_together_gbp"])
    return (
        f"\u201c{most['name']}\u201d adds most: {words.gbp(most['mean_gbp'])} of {whole} net in "
        f"{_year_words(numbers, year)}"
    )


def levers_shown(numbers: Numbers, scenario: str, answer: Answer) -> TextTable:
    """What each lever adds in the last whole year, the largest first."""
    year = chosen_year(numbers, answer)
    said = answer["years"][year]
    rows = [
        (
            str(row["name"]),
            f"{words.gbp(row['mean_gbp'])}\n{words.gbp_between(row['p10_gbp'], row['p90_gbp'])}",
            f"\u00b1{words.gbp(row['standard_error_gbp'])}",
            words.gbp(row["alone_gbp"]),
        )
        for row in sorted(said["levers"], key=lambda row: -float(row["mean_gbp"]))
    ]
    rows.append(
        ("All together", words.gbp(said["all_together_gbp"]), "\u2013", f"{words.gbp(said['sum_alone_gbp'])} in sum")
    )
    rows.append(("Interaction: together less each alone", words.gbp(said["interaction_gbp"]), "\u2013", "\u2013"))
    caption = f"Net saving by lever of \u201c{legend_name(scenario)}\u201d in {_year_words(numbers, year)}"
    columns = ("Lever", "Net saving it adds\n80 % interval", "By chance alone", "By itself")
    how = "all orders" if answer["every_order"] else f"{answer['orders']} orders"
    note = words.prose("waterfall_note", orders=how, replications=answer["replications"])
    of_run = int(numbers.run.record["replications"])
    if int(answer["replications"]) < of_run:
        note += " " + words.prose("waterfall_fewer", replications=answer["replications"], all=of_run)
    return TextTable(caption, columns, tuple(rows), note, ("All together",))


def levers_brief(numbers: Numbers, scenario: str, answer: Answer, most: int) -> TextTable:
    """The same in at most so many rows: the levers that add or take most, and the others together."""
    whole = levers_shown(numbers, scenario, answer)
    said = answer["years"][chosen_year(numbers, answer)]
    levers = sorted(said["levers"], key=lambda row: -float(row["mean_gbp"]))
    if len(levers) + 1 <= most:
        return replace(whole, rows=whole.rows[:-1])
    kept = sorted(range(len(levers)), key=lambda at: -abs(float(levers[at]["mean_gbp"])))[: most - 2]
    rest = [row for at, row in enumerate(levers) if at not in kept]
    others = (
        f"{len(rest)} other levers",
        words.gbp(sum(float(row["mean_gbp"]) for row in rest)),
        "\u2013",
        words.gbp(sum(float(row["alone_gbp"]) for row in rest)),
    )
    rows = (*(whole.rows[at] for at in sorted(kept)), others, whole.rows[len(levers)])
    return replace(whole, rows=rows)


def levers_picture(numbers: Numbers, scenario: str, answer: Answer) -> Picture:
    """The waterfall: what each lever adds, one after another, to the whole."""
    year = chosen_year(numbers, answer)
    said = answer["years"][year]
    levers = sorted(said["levers"], key=lambda row: -float(row["mean_gbp"]))
    rows, at = [], 0.0
    for row in levers:
        mean = float(row["mean_gbp"])
        kind = "more" if mean >= 0 else "less"
        rows.append({"name": row["name"], "start": at, "end": at + mean, "kind": kind, "text": words.gbp(mean)})
        at += mean
    whole = float(said["all_together_gbp"])
    rows.append({"name": "All together", "start": 0.0, "end": whole, "kind": "all", "text": words.gbp(whole)})
    order = [str(row["name"]) for row in rows]
    spoken = "; ".join(f"{row['name']} {words.gbp(float(row['mean_gbp']))}" for row in levers)
    return Picture(
        f"levers_{scenario}", lever_title(numbers, answer),
        f"Net saving in {_year_words(numbers, year)} against the baseline, all funders, cash prices, mean. "
        "Each bar starts where the one above it ends.",
        (("adds", "Adds to the saving"), ("takes", "Takes from it"), ("whole", "All together")),
        charts_many.waterfall(pd.DataFrame(rows), order),
        f"Waterfall of net saving by lever: {spoken}; all together {words.gbp(whole)}.",
        levers_shown(numbers, scenario, answer), width=430, right=20,
    )  # fmt: skip


# --- places needed --------------------------------------------------------------------------------
def places(numbers: Numbers) -> DataTable:
    """Places needed by kind, locality and year, for each chance that they are enough."""
    columns = (
        SCENARIO,
        Column("chance", "Chance that they are enough", "chance"),
        Column("basis", "When", "text", "At the year's end, or at the peak of the year"),
        Column("financial_year", "Financial year"),
        Column("kind", "Kind"),
        Column("where", "Where"),
        Column("unit", "Unit"),
        Column("demand", "Demand, mean", "count", "With nobody turned away"),
        Column("demand_p10", "Demand: 80 % interval, low", "count"),
        Column("demand_p90", "Demand: 80 % interval, high", "count"),
        Column("needed", "Usable places needed", "count"),
        Column("there_are", "Usable places there are", "count"),
        Column("short_of", "Short of", "count", "Needed less those there are", "[needed]-[there_are]"),
        Column("chance_of_enough", "Chance that those there are are enough", "chance"),
        Column("to_have", "Places to have", "count", "Needed, over the share of places that can be used"),
    )
    rows: list[tuple[Value, ...]] = []
    for scenario in (BASELINE, *numbers.programmes):
        answer = numbers.answer(PLACES, scenario)
        for row in answer["rows"] if answer else ():
            kind = KIND_LABELS[row["kind"]].format(house=term(numbers.nation, "childrens_house"))
            cells = (float(row[key]) for key in (
                "demand_mean", "demand_p10", "demand_p90", "needed", "usable_there_are", "short_of", "chance_of_enough",
                "places_to_have",
            ))  # fmt: skip
            rows.append((legend_name(scenario), float(row["chance"]), BASES[row["basis"]], row["financial_year"], kind,
                         row["where"], row["unit"], *cells))  # fmt: skip
    return DataTable(
        "Places needed", "Places needed so that, with a stated chance, nobody finds them full", columns, tuple(rows),
        (words.prose("places"),),
    )  # fmt: skip


def places_shown(numbers: Numbers, scenario: str, answer: Answer) -> tuple[str, Sequence[TextTable]]:
    """The finding on places, and places needed at the peak of each year and of the last."""
    found = places_needed.tables(numbers.nation, answer, shown_chance(answer))
    note = words.prose("places_note", chance=words.share(shown_chance(answer)), replications=answer["replications"])
    _, by_peak, last = found.tables
    tables = [
        TextTable(f"{caption}: {legend_name(scenario)}", table.columns, table.rows, note if at else "")
        for at, (caption, table) in enumerate(
            ((by_peak.caption, by_peak), (f"Demand and places {words.lower_first(last.caption)}", last))
        )
    ]
    return found.finding, tables
