"""Tables of savings against the baseline: by kind, year, line, funder and lever, in three terms, with payback."""

import numpy as np

from carecast.dashboard.reports import words
from carecast.dashboard.reports.children_tables import NOTE, SCENARIO
from carecast.dashboard.reports.money_tables import PENCE, TERM_WORDS, YEAR, year_label
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.shapes import Column, DataTable, Value
from carecast.dashboard.telling import legend_name
from carecast.model import words as w
from carecast.scenarios.money_answers import KINDS, money_answers, savings_of, savings_table


def saving_tables(numbers: Numbers) -> tuple[DataTable, ...]:
    """Every table of savings; none for a run of the baseline alone."""
    if not numbers.years or not numbers.others:
        return ()
    return (
        savings(numbers),
        savings_whole(numbers),
        _savings_by_line(numbers),
        _savings_by_funder(numbers),
        _programme_cost(numbers),
        _over_time(numbers),
    )


SAVING_COLUMNS = (
    SCENARIO,
    YEAR,
    Column(
        "cashable", "Cashable, £", "pounds", "Falls below the recurring approved budget and can be taken from a line"
    ),
    Column("avoided", "Avoided, £", "pounds", "Growth above budget that does not happen"),
    Column("released", "Released, £", "pounds", "An own bed or staff time set free: never cash"),
    Column("gross", "Gross saving, £", "pounds", "Cashable + avoided + released", "[cashable]+[avoided]+[released]"),
    Column("one_off", "One-off programme cost, £", "pounds", "Scenario minus baseline; does not come back"),
    Column("recurring_cost", "Recurring programme cost, £", "pounds", "Scenario minus baseline; comes back every year"),
    Column("programme", "Programme cost, £", "pounds", "One-off + recurring", "[one_off]+[recurring_cost]"),
    Column("net", "Net saving, £", "pounds", "Gross - released - programme cost", "[gross]-[released]-[programme]"),
    Column("net_p10", "Net saving, £: 80 % interval, low", "pounds"),
    Column("net_p90", "Net saving, £: 80 % interval, high", "pounds"),
    Column("net_recurring", "Net saving without one-off cost, £", "pounds", "Net + one-off cost", "[net]+[one_off]"),
    Column(
        "cumulative",
        "Net saving since the start, £",
        "pounds",
        "Sum of net from the start of the run",
        "IF([scenario]=[scenario^],[cumulative^],0)+[net]",
    ),
    NOTE,
)


def savings(numbers: Numbers) -> DataTable:
    """Savings of every scenario against the baseline by kind and financial year."""
    rows: list[tuple[Value, ...]] = []
    for scenario in numbers.others:
        found = savings_of(numbers.run, scenario)
        held = [at for at, days in enumerate(found.layout.run_days) if days > 0]
        parts = [
            found.cashable.sum(-1),
            found.avoided.sum(-1),
            found.released.sum(-1),
            found.gross.sum(-1),
            found.one_off,
            found.programme - found.one_off,
            found.programme,
            found.net,
            found.recurring,
            found.cumulative,
        ]
        means = [np.asarray(part, dtype=float)[..., held].mean(axis=0) / PENCE for part in parts]
        for at, (year, date) in enumerate(zip(numbers.years, numbers.year_ends, strict=True)):
            cells = [float(part[at]) + 0.0 for part in means]
            ends = numbers.values(scenario, "net_saving_gbp", date, ("p10", "p90"))
            rows.append((legend_name(scenario), year, *cells[:8], *ends, *cells[8:], numbers.year_note(year)))
    notes = [words.prose("savings_parts")]
    if numbers.run.record.get("budget_assumed"):
        notes.append(words.prose("budget_assumed"))
    return DataTable(
        "Savings",
        "Savings against the baseline by kind and financial year, mean of replications",
        SAVING_COLUMNS,
        tuple(rows),
        tuple(notes),
    )


def savings_whole(numbers: Numbers) -> DataTable:
    """The sums of ``Savings`` over the run, a row a scenario."""
    summed = [c for c in SAVING_COLUMNS if c.kind == "pounds" and c.key not in ("net_p10", "net_p90", "cumulative")]
    columns = tuple(
        Column(
            c.key,
            c.label,
            "pounds",
            f"{c.meaning}; all years of the run",
            f"SUMIFS({{Savings.{c.key}}},{{Savings.scenario}},[scenario])",
        )
        for c in summed
    )
    table = savings(numbers)
    at = [table.position(c.key) for c in summed]
    rows: list[tuple[Value, ...]] = [
        (name, *(float(sum(float(row[i] or 0) for row in table.rows if row[0] == name)) for i in at))
        for name in map(legend_name, numbers.others)
    ]
    return DataTable(
        "Savings in all",
        "Savings against the baseline over the whole run, mean of replications",
        (SCENARIO, *columns),
        tuple(rows),
        (words.prose("savings_parts"),),
    )


def _savings_by_line(numbers: Numbers) -> DataTable:
    kinds = ("cashable_saving_gbp", "avoided_cost_gbp", "released_capacity_gbp")
    columns = (
        SCENARIO,
        YEAR,
        Column("line", "Line of cost"),
        Column("cashable", "Cashable, £", "pounds"),
        Column("avoided", "Avoided, £", "pounds"),
        Column("released", "Released, £", "pounds"),
        Column(
            "gross", "Gross saving, £", "pounds", "Cashable + avoided + released", "[cashable]+[avoided]+[released]"
        ),
        NOTE,
    )
    rows: list[tuple[Value, ...]] = []
    for scenario in numbers.others:
        frame = savings_table(numbers.run, scenario)
        frame = frame[frame["measure"].isin(list(kinds)) & frame["breakdown"].str.startswith("line=")]
        wide = frame.pivot_table(index=["financial_year", "breakdown"], columns="measure", values="mean", sort=False)
        wide = wide.reindex(columns=list(kinds)).fillna(0.0)
        for year in numbers.years:
            for line in numbers.run.record["lines"]:
                if (year, f"line={line}") in wide.index:
                    parts = [float(wide[name][(year, f"line={line}")]) for name in kinds]
                    label = words.line_label(numbers.nation, line)
                    rows.append((legend_name(scenario), year, label, *parts, sum(parts), numbers.year_note(year)))
    return DataTable(
        "Savings by line",
        "Savings against the baseline by line of cost and financial year",
        columns,
        tuple(rows),
        (words.prose("savings_parts"), words.prose("lines_left_out")),
    )


def _savings_by_funder(numbers: Numbers) -> DataTable:
    parts = [
        Column(name, f"{words.funder_label(name)}, £", "pounds", "Fall in what this funder bears, programme included")
        for name in w.FUNDERS
    ]
    total = Column("net", "Net saving, £", "pounds", "All funders", f"SUM([{w.FUNDERS[0]}]:[{w.FUNDERS[-1]}])")
    rows: list[tuple[Value, ...]] = []
    for scenario in numbers.others:
        found = savings_of(numbers.run, scenario)
        held = [at for at, days in enumerate(found.layout.run_days) if days > 0]
        means = found.by_funder[..., held, :].mean(axis=0) / PENCE
        for at, year in enumerate(numbers.years):
            cells = [float(cell) + 0.0 for cell in means[at]]
            rows.append((legend_name(scenario), year, *cells, sum(cells), numbers.year_note(year)))
    return DataTable(
        "Savings by funder",
        "Net saving against the baseline by funder and financial year",
        (SCENARIO, YEAR, *parts, total, NOTE),
        tuple(rows),
        (words.prose("funders"),),
    )


def _programme_cost(numbers: Numbers) -> DataTable:
    """Programme cost item by item: which lever, paid from where, one-off or recurring."""
    columns = (
        SCENARIO,
        Column("item", "What is paid for"),
        Column("paid_from", "Paid from"),
        Column("funder", "Funder"),
        Column("recurring", "One-off or recurring"),
        *(
            Column(f"gbp_{year.replace('-', '_')}", f"{year_label(numbers, year)}, £", "pounds", f"Mean cost in {year}")
            for year in numbers.years
        ),
    )
    rows: list[tuple[Value, ...]] = []
    for scenario in numbers.others:
        money = numbers.run.money[scenario]
        held = [at for at, days in enumerate(money.layout.run_days) if days > 0]
        means = money.programme[:, held, :].mean(axis=0) / PENCE
        for at, item in enumerate(money.layout.items):
            rows.append(
                (
                    legend_name(scenario),
                    item.label,
                    item.paid_from.replace("_", " "),
                    words.funder_label(item.funder),
                    "recurring" if item.recurring else "one-off",
                    *(float(cell) + 0.0 for cell in means[:, at]),
                )
            )
    return DataTable(
        "Programme cost",
        "Programme cost by lever and financial year, mean of replications",
        columns,
        tuple(rows),
        (words.prose("cash_prices"),),
    )


def _over_time(numbers: Numbers) -> DataTable:
    columns = (
        SCENARIO,
        Column("terms", "Terms", meaning="Cash, real terms, or real terms discounted"),
        Column("net", "Net saving over the run, £", "pounds"),
        Column("net_p10", "80 % interval, low, £", "pounds"),
        Column("net_p90", "80 % interval, high, £", "pounds"),
        Column("one_off", "One-off cost, £", "pounds"),
        Column("payback", "Median payback", meaning="Month in which half of the replications have paid back, YYYY-MM"),
        Column("payback_chance", "Chance of payback within the run", "chance"),
        Column("full_year", "Full-year effect, £ a year", "pounds", "Recurring, at the end of the run, in cash"),
    )
    rows: list[tuple[Value, ...]] = []
    note = ""
    for scenario in numbers.others:
        found = money_answers(numbers.run, scenario)
        note = words.prose(
            "terms",
            price_year=found["price_year"],
            deflator=f"{100 * found['deflator_per_year']:g}",
            discount=f"{100 * found['discount_per_year']:g}",
            to=found["discounted_to"],
        )
        for kind in KINDS:
            net, back = found[kind]["net_saving_gbp"], found[kind]["payback"]
            rows.append(
                (
                    legend_name(scenario),
                    TERM_WORDS[kind],
                    net["mean"],
                    net["p10"],
                    net["p90"],
                    found[kind]["one_off_cost_gbp"]["mean"],
                    back["median_month"] or "not within the run",
                    back["chance_within_run"],
                    found["full_year_effect_gbp"]["mean"],
                )
            )
    return DataTable(
        "Payback", "Net saving over the run in three terms, payback and full-year effect", columns, tuple(rows), (note,)
    )
