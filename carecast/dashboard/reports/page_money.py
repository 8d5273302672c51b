"""The short tables of money for papers, pages and slides: spend, options, savings, reserves and who pays."""

from carecast.dashboard.reports import findings, money_tables, saving_tables, words
from carecast.dashboard.reports.numbers import AWAY, Numbers
from carecast.dashboard.reports.page_tables import as_number, count_words
from carecast.dashboard.reports.shapes import TextTable
from carecast.dashboard.telling import legend_name
from carecast.model import words as w
from carecast.model.summary import BASELINE
from carecast.scenarios.money_answers import money_answers, savings_of

MOST_YEARS = 6
SAVING_ROWS = (
    ("gross", "Gross saving"),
    ("cashable", "of which cashable"),
    ("avoided", "of which avoided"),
    ("released", "of which released, never cash"),
    ("programme", "Programme cost"),
    ("net", "Net saving"),
    ("cumulative", "Net saving since the start"),
)
RECURRING_ROWS = (
    ("one_off", "One-off programme cost"),
    ("recurring_cost", "Recurring programme cost"),
    ("net_recurring", "Net saving without one-off cost"),
    ("net", "Net saving"),
)


def shown_years(numbers: Numbers) -> list[str]:
    """The last whole years of the run, or all it has."""
    whole = [year for year in numbers.years if not numbers.is_part(year)]
    return (whole or list(numbers.years))[-MOST_YEARS:]


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
    return TextTable(
        "Gross and programme cost by financial year, mean and 80 % interval",
        columns,
        tuple(rows),
        words.prose("cash_prices"),
    )


def options_table(numbers: Numbers) -> TextTable:
    """The scenarios side by side."""
    year = numbers.last_year
    rows: dict[str, list[str]] = {
        label: []
        for label in (
            f"Children away from home, {words.day(numbers.months[-1])}",
            f"Spend in {year} with programme cost",
            f"Gross saving in {year}",
            f"Net saving in {year}",
            "Net saving over the run",
            "Median payback",
            "Chance of payback within the run",
            "Safety measures clearly worse",
            "Recurring cost paid from reserves",
        )
    }
    labels = list(rows)
    for name in numbers.scenarios:
        cells = [count_words(numbers, name, AWAY, -1), _money(numbers, name, "net_cost_gbp", year)]
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
        _money(numbers, scenario, "gross_saving_gbp", year),
        _money(numbers, scenario, "net_saving_gbp", year),
        f"{words.gbp(net['mean'])}\n{words.gbp_between(net['p10'], net['p90'])}",
        words.month(back["median_month"]),
        words.share(back["chance_within_run"]),
        f"{len(worse)}: {'; '.join(worse)}" if worse else "none",
    ]


def _saving_rows(numbers: Numbers, scenario: str, wanted: tuple[tuple[str, str], ...]) -> list[tuple[str, ...]]:
    table = saving_tables.savings(numbers)
    mine = {str(row[1]): row for row in table.rows if row[0] == legend_name(scenario)}
    rows = []
    for key, label in wanted:
        at = table.position(key)
        rows.append((label, *(words.million(as_number(mine[year][at])) for year in shown_years(numbers))))
    return rows


def savings_table(numbers: Numbers, scenario: str) -> TextTable:
    """Savings of one scenario by kind and year, with the interval of gross and net."""
    rows = _saving_rows(numbers, scenario, SAVING_ROWS)
    years = shown_years(numbers)
    for measure, label in (("gross_saving_gbp", "Gross saving"), ("net_saving_gbp", "Net saving")):
        ends = [words.gbp_between(*findings.money_of(numbers, scenario, measure, year)[1:]) for year in years]
        at = next(i for i, row in enumerate(rows) if row[0] == label)
        rows[at] = (label, *(f"{cell}\n{end}" for cell, end in zip(rows[at][1:], ends, strict=True)))
    columns = ("Saving, mean (80 % interval under it)", *(findings.year_words(numbers, year) for year in years))
    return TextTable(
        f"Savings of \u201c{legend_name(scenario)}\u201d against the baseline by kind and financial year",
        columns,
        tuple(rows),
        words.prose("savings_parts"),
        ("Gross saving", "Net saving"),
    )


def recurring_table(numbers: Numbers, scenario: str) -> TextTable:
    """What comes back every year and what does not."""
    columns = ("Money", *(findings.year_words(numbers, year) for year in shown_years(numbers)))
    return TextTable(
        f"Recurring and non-recurring: \u201c{legend_name(scenario)}\u201d by financial year",
        columns,
        tuple(_saving_rows(numbers, scenario, RECURRING_ROWS)),
        strong=("Net saving",),
    )


def reserves_table(numbers: Numbers) -> TextTable:
    """Reserves by year, of the scenarios that use them."""
    table = money_tables.reserves(numbers)
    years = shown_years(numbers)
    rows = []
    for name in numbers.programmes or (BASELINE,):
        mine = {str(row[1]): row for row in table.rows if row[0] == legend_name(name)}
        for key, label in (
            ("reserves", "at 31 March"),
            ("below_minimum", "chance of less than the minimum"),
            ("recurring_paid", "recurring cost they pay"),
        ):
            at = table.position(key)
            cells = (as_number(mine[year][at]) for year in years)
            rows.append(
                (
                    f"{legend_name(name)}: {label}",
                    *((words.share if key == "below_minimum" else words.million)(c) for c in cells),
                )
            )
    return TextTable(
        "Reserves by financial year", ("Reserves", *years), tuple(rows), money_tables.minimum_words(numbers)
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
    last, whole = (float(found.by_funder[:, at].sum(axis=-1).mean()) / 100,
                   float(found.by_funder[:, held].sum(axis=(-1, -2)).mean()) / 100)  # fmt: skip
    rows.append(("All funders", words.gbp(last), words.gbp(whole)))
    columns = ("Funder", f"Saving in {findings.year_words(numbers, year)}", "Saving over the run")
    caption = f"Net saving of \u201c{legend_name(scenario)}\u201d by who pays, mean"
    return TextTable(caption, columns, tuple(rows), words.prose("funders"), ("All funders",))
