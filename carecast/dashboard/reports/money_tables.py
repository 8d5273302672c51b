"""Tables of money: spend by line, funder and year, savings by kind, payback and reserves."""

from collections.abc import Iterable

import numpy as np

from carecast.dashboard.reports import words
from carecast.dashboard.reports.children_tables import NOTE, SCENARIO, STATISTIC_WORDS
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.shapes import Column, DataTable, Value
from carecast.dashboard.telling import legend_name
from carecast.model import words as w
from carecast.model.summary import BASELINE, YEARLY_MEASURES
from carecast.scenarios.money_answers import KINDS, money_answers, savings_of, savings_table
from carecast.scenarios.wording import measure_label, measure_unit

YEAR = Column("financial_year", "Financial year", meaning="1 April to 31 March, such as 2028-29")
PENCE = 100.0
TERM_WORDS = {"cash": "Cash", "real": "Real terms", "discounted": "Real terms, discounted"}
SHEET_NAME = 31  # most letters of a sheet's name


def money_tables(numbers: Numbers) -> tuple[DataTable, ...]:
    """Every table of money; savings only where there is a scenario beside the baseline."""
    if not numbers.years:
        return ()
    found = [_spend_by_year(numbers), *_spend_by_line(numbers), _spend_by_funder(numbers)]
    if numbers.others:
        found += [savings(numbers), savings_whole(numbers), _savings_by_line(numbers), _savings_by_funder(numbers),
                  _programme_cost(numbers), _over_time(numbers)]  # fmt: skip
    return (*found, reserves(numbers), _every_year(numbers))


def _scenario_years(numbers: Numbers, scenarios: Iterable[str]) -> Iterable[tuple[str, int, str, str]]:
    """(scenario, position of the year, financial year, its date)."""
    for scenario in scenarios:
        for at, (year, date) in enumerate(zip(numbers.years, numbers.year_ends, strict=True)):
            yield scenario, at, year, date


# --- spend ----------------------------------------------------------------------------------------
def _spend_by_year(numbers: Numbers) -> DataTable:
    columns = (
        SCENARIO, YEAR,
        Column("gross_cost", "Gross cost, £", "pounds", "All lines, all funders, programme cost apart"),
        Column("gross_cost_p10", "Gross cost, £: 80 % interval, low", "pounds"),
        Column("gross_cost_p90", "Gross cost, £: 80 % interval, high", "pounds"),
        Column("programme_cost", "Programme cost, £", "pounds", "What the scenario itself costs, one-off and recurring"),
        Column("net_cost", "Gross and programme cost, £", "pounds", "All funders", "[gross_cost]+[programme_cost]"),
        Column("income", "of which paid by other funders, £", "pounds", "Income towards gross cost"),
        Column("own_cost", "of which the council's own, £", "pounds", "Gross cost less income, with the programme cost it pays"),
        NOTE,
    )  # fmt: skip
    rows = []
    for scenario, _, year, date in _scenario_years(numbers, numbers.scenarios):
        gross, low, high = numbers.values(scenario, "gross_cost_gbp", date, ("mean", "p10", "p90"))
        programme, net = (numbers.value(scenario, name, date) for name in ("programme_cost_gbp", "net_cost_gbp"))
        income = numbers.value(scenario, "income_gbp", date)
        own = numbers.value(scenario, "net_cost_gbp", date, "mean", "funder=social_work")
        rows.append(
            (legend_name(scenario), year, gross, low, high, programme, net, income, own, numbers.year_note(year))
        )
    return DataTable("Spend by year", "Spend by scenario and financial year, mean of replications", columns, tuple(rows),
                     (words.prose("cash_prices"),))  # fmt: skip


def _spend_by_line(numbers: Numbers) -> list[DataTable]:
    """One table a scenario: lines down, years across, a row of sums."""
    taken: set[str] = set()
    found = []
    for scenario in numbers.scenarios:
        name = f"Spend {legend_name(scenario)}"[:SHEET_NAME].strip()
        for number in range(2, len(numbers.scenarios) + 2):
            name = name if name.lower() not in taken else f"{name[: SHEET_NAME - 3]} {number}"
        taken.add(name.lower())
        columns = [Column("line", "Line of cost", meaning="Placement type or service")]
        columns += [
            Column(
                f"gbp_{year.replace('-', '_')}", f"{_year(numbers, year)}, £", "pounds", f"Mean gross cost in {year}"
            )
            for year in numbers.years
        ]
        rows = [
            (words.line_label(numbers.nation, line),
             *(numbers.value(scenario, "gross_cost_gbp", date, "mean", f"line={line}") for date in numbers.year_ends))
            for line in numbers.run.record["lines"]
        ]  # fmt: skip
        title = f"Spend by line and financial year: {legend_name(scenario)}, mean of replications"
        notes = (words.prose("cash_prices"), words.prose("spend_lines"))
        found.append(DataTable(name, title, tuple(columns), tuple(rows), notes, has_total=True))
    return found


def _year(numbers: Numbers, year: str) -> str:
    return f"{year} (part year)" if numbers.is_part(year) else year


def _spend_by_funder(numbers: Numbers) -> DataTable:
    parts = [Column(name, f"{words.funder_label(name)}, £", "pounds", "Mean cost this funder bears, programme included")
             for name in w.FUNDERS]  # fmt: skip
    total = Column("net_cost", "All funders, £", "pounds", "Gross and programme cost",
                   f"SUM([{w.FUNDERS[0]}]:[{w.FUNDERS[-1]}])")  # fmt: skip
    rows = []
    for scenario, _, year, date in _scenario_years(numbers, numbers.scenarios):
        cells = [numbers.value(scenario, "net_cost_gbp", date, "mean", f"funder={name}") for name in w.FUNDERS]
        rows.append(
            (
                legend_name(scenario),
                year,
                *cells,
                numbers.value(scenario, "net_cost_gbp", date),
                numbers.year_note(year),
            )
        )
    return DataTable("Spend by funder", "Spend by funder and financial year, programme included, mean of replications",
                     (SCENARIO, YEAR, *parts, total, NOTE), tuple(rows),
                     (words.prose("cash_prices"), words.prose("funders")))  # fmt: skip


# --- savings --------------------------------------------------------------------------------------
SAVING_COLUMNS = (
    SCENARIO, YEAR,
    Column("cashable", "Cashable, £", "pounds", "Falls below the recurring approved budget and can be taken from a line"),
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
    Column("cumulative", "Net saving since the start, £", "pounds", "Sum of net from the start of the run",
           "IF([scenario]=[scenario^],[cumulative^],0)+[net]"),
    NOTE,
)  # fmt: skip


def savings(numbers: Numbers) -> DataTable:
    """Savings of every scenario against the baseline by kind and financial year."""
    rows: list[tuple[Value, ...]] = []
    for scenario in numbers.others:
        found = savings_of(numbers.run, scenario)
        held = [at for at, days in enumerate(found.layout.run_days) if days > 0]
        parts = [found.cashable.sum(-1), found.avoided.sum(-1), found.released.sum(-1), found.gross.sum(-1), found.one_off,
                 found.programme - found.one_off, found.programme, found.net, found.recurring, found.cumulative]  # fmt: skip
        means = [np.asarray(part, dtype=float)[..., held].mean(axis=0) / PENCE for part in parts]
        for at, (year, date) in enumerate(zip(numbers.years, numbers.year_ends, strict=True)):
            cells = [float(part[at]) + 0.0 for part in means]
            ends = numbers.values(scenario, "net_saving_gbp", date, ("p10", "p90"))
            rows.append((legend_name(scenario), year, *cells[:8], *ends, *cells[8:], numbers.year_note(year)))
    notes = [words.prose("savings_parts")]
    if numbers.run.record.get("budget_assumed"):
        notes.append(words.prose("budget_assumed"))
    return DataTable("Savings", "Savings against the baseline by kind and financial year, mean of replications",
                     SAVING_COLUMNS, tuple(rows), tuple(notes))  # fmt: skip


def savings_whole(numbers: Numbers) -> DataTable:
    """The sums of ``Savings`` over the run, a row a scenario."""
    summed = [c for c in SAVING_COLUMNS if c.kind == "pounds" and c.key not in ("net_p10", "net_p90", "cumulative")]
    columns = tuple(
        Column(c.key, c.label, "pounds", f"{c.meaning}; all years of the run",
               f"SUMIFS({{Savings.{c.key}}},{{Savings.scenario}},[scenario])")
        for c in summed
    )  # fmt: skip
    table = savings(numbers)
    at = [table.position(c.key) for c in summed]
    rows = [
        (name, *(float(sum(float(row[i] or 0) for row in table.rows if row[0] == name)) for i in at))
        for name in map(legend_name, numbers.others)
    ]
    return DataTable("Savings in all", "Savings against the baseline over the whole run, mean of replications",
                     (SCENARIO, *columns), tuple(rows), (words.prose("savings_parts"),))  # fmt: skip


def _savings_by_line(numbers: Numbers) -> DataTable:
    kinds = {"gross_saving_gbp": "gross", "cashable_saving_gbp": "cashable", "avoided_cost_gbp": "avoided",
             "released_capacity_gbp": "released"}  # fmt: skip
    columns = (
        SCENARIO, YEAR, Column("line", "Line of cost"), Column("cashable", "Cashable, £", "pounds"),
        Column("avoided", "Avoided, £", "pounds"), Column("released", "Released, £", "pounds"),
        Column("gross", "Gross saving, £", "pounds", "Cashable + avoided + released", "[cashable]+[avoided]+[released]"), NOTE,
    )  # fmt: skip
    rows = []
    for scenario in numbers.others:
        frame = savings_table(numbers.run, scenario)
        frame = frame[frame["measure"].isin(list(kinds)) & frame["breakdown"].str.startswith("line=")]
        wide = frame.pivot_table(index=["financial_year", "breakdown"], columns="measure", values="mean", sort=False)
        wide = wide.reindex(columns=list(kinds)).fillna(0.0)
        for year in numbers.years:
            for line in numbers.run.record["lines"]:
                if (year, f"line={line}") in wide.index:
                    found = wide.loc[(year, f"line={line}")].rename(kinds)
                    parts = [float(found[key]) for key in ("cashable", "avoided", "released")]
                    label = words.line_label(numbers.nation, line)
                    rows.append((legend_name(scenario), year, label, *parts, sum(parts), numbers.year_note(year)))
    return DataTable("Savings by line", "Savings against the baseline by line of cost and financial year", columns, tuple(rows),
                     (words.prose("savings_parts"), words.prose("lines_left_out")))  # fmt: skip


def _savings_by_funder(numbers: Numbers) -> DataTable:
    parts = [Column(name, f"{words.funder_label(name)}, £", "pounds", "Fall in what this funder bears, programme included")
             for name in w.FUNDERS]  # fmt: skip
    total = Column("net", "Net saving, £", "pounds", "All funders", f"SUM([{w.FUNDERS[0]}]:[{w.FUNDERS[-1]}])")
    rows = []
    for scenario in numbers.others:
        found = savings_of(numbers.run, scenario)
        held = [at for at, days in enumerate(found.layout.run_days) if days > 0]
        means = found.by_funder[..., held, :].mean(axis=0) / PENCE
        for at, year in enumerate(numbers.years):
            cells = [float(cell) + 0.0 for cell in means[at]]
            rows.append((legend_name(scenario), year, *cells, sum(cells), numbers.year_note(year)))
    return DataTable("Savings by funder", "Net saving against the baseline by funder and financial year",
                     (SCENARIO, YEAR, *parts, total, NOTE), tuple(rows), (words.prose("funders"),))  # fmt: skip


def _programme_cost(numbers: Numbers) -> DataTable:
    """Programme cost item by item: which lever, paid from where, one-off or recurring."""
    columns = (
        SCENARIO, Column("item", "What is paid for"), Column("paid_from", "Paid from"), Column("funder", "Funder"),
        Column("recurring", "One-off or recurring"),
        *(Column(f"gbp_{year.replace('-', '_')}", f"{_year(numbers, year)}, £", "pounds", f"Mean cost in {year}")
          for year in numbers.years),
    )  # fmt: skip
    rows = []
    for scenario in numbers.others:
        money = numbers.run.money[scenario]
        held = [at for at, days in enumerate(money.layout.run_days) if days > 0]
        means = money.programme[:, held, :].mean(axis=0) / PENCE
        for at, item in enumerate(money.layout.items):
            rows.append((
                legend_name(scenario), item.label, item.paid_from.replace("_", " "), words.funder_label(item.funder),
                "recurring" if item.recurring else "one-off", *(float(cell) + 0.0 for cell in means[:, at]),
            ))  # fmt: skip
    return DataTable("Programme cost", "Programme cost by lever and financial year, mean of replications", columns,
                     tuple(rows), (words.prose("cash_prices"),))  # fmt: skip


def _over_time(numbers: Numbers) -> DataTable:
    columns = (
        SCENARIO, Column("terms", "Terms", meaning="Cash, real terms, or real terms discounted"),
        Column("net", "Net saving over the run, £", "pounds"), Column("net_p10", "80 % interval, low, £", "pounds"),
        Column("net_p90", "80 % interval, high, £", "pounds"), Column("one_off", "One-off cost, £", "pounds"),
        Column("payback", "Median payback", meaning="Month in which half of the replications have paid back, YYYY-MM"),
        Column("payback_chance", "Chance of payback within the run", "chance"),
        Column("full_year", "Full-year effect, £ a year", "pounds", "Recurring, at the end of the run, in cash"),
    )  # fmt: skip
    rows = []
    note = ""
    for scenario in numbers.others:
        found = money_answers(numbers.run, scenario)
        note = words.prose(
            "terms", price_year=found["price_year"], deflator=f"{100 * found['deflator_per_year']:g}",
            discount=f"{100 * found['discount_per_year']:g}", to=found["discounted_to"],
        )  # fmt: skip
        for kind in KINDS:
            net, back = found[kind]["net_saving_gbp"], found[kind]["payback"]
            rows.append((
                legend_name(scenario), TERM_WORDS[kind], net["mean"], net["p10"], net["p90"],
                found[kind]["one_off_cost_gbp"]["mean"], back["median_month"] or "not within the run",
                back["chance_within_run"], found["full_year_effect_gbp"]["mean"],
            ))  # fmt: skip
    return DataTable("Payback", "Net saving over the run in three terms, payback and full-year effect", columns, tuple(rows),
                     (note,))  # fmt: skip


# --- reserves and everything ----------------------------------------------------------------------
def reserves(numbers: Numbers) -> DataTable:
    """Reserves at the end of each financial year against the policy minimum."""
    columns = (
        SCENARIO, YEAR, Column("reserves", "Reserves at 31 March, £", "pounds", "Opening less programme cost paid from them"),
        Column("reserves_p10", "80 % interval, low, £", "pounds"), Column("reserves_p90", "80 % interval, high, £", "pounds"),
        Column("below_minimum", "Chance of less than the policy minimum", "chance"),
        Column("recurring_paid", "Recurring cost they pay, £", "pounds", "Reserves can be spent only once"),
        NOTE,
    )  # fmt: skip
    rows = []
    layout = numbers.run.money[BASELINE].layout
    held = [at for at, days in enumerate(layout.run_days) if days > 0]
    for scenario, at, year, date in _scenario_years(numbers, numbers.scenarios):
        path = numbers.run.reserves(scenario)
        breach, paid = float(path.breach[:, held[at]].mean()), float(path.recurring_paid[:, held[at]].mean()) / PENCE
        flags = [numbers.year_note(year), "below the minimum more likely than not" if breach > 0.5 else "",
                 "pays recurring cost" if paid > 0 else ""]  # fmt: skip
        ends = numbers.values(scenario, "reserves_gbp", date, ("mean", "p10", "p90"))
        rows.append((legend_name(scenario), year, *ends, breach, paid + 0.0, "; ".join(flag for flag in flags if flag)))
    return DataTable("Reserves", "Reserves at the end of each financial year, mean of replications", columns, tuple(rows),
                     (minimum_words(numbers),))  # fmt: skip


def minimum_words(numbers: Numbers) -> str:
    """Where reserves start and what they should not fall below, and who says so."""
    found = numbers.run.record["parameters"]["numbers"]
    parts = []
    for name, label in (
        ("reserves.opening_gbp", "Reserves at the start"),
        ("reserves.policy_minimum_gbp", "policy minimum"),
    ):
        entry = found.get(name)
        parts.append(f"{label} £{entry['value']:,.0f} ({entry['how']})" if entry else f"{label} not given, taken as £0")
    return f"{', '.join(parts)}."


def _every_year(numbers: Numbers) -> DataTable:
    """Every yearly measure and, beside the baseline, its paired difference."""
    columns = (
        SCENARIO, YEAR, Column("measure", "Measure"), Column("key", "Measure in summary.csv"), Column("unit", "Unit"),
        Column("mean", "Mean", "exact"), *(Column(name, words.sentence(STATISTIC_WORDS[name]), "exact")
                                           for name in ("p10", "p90", "p025", "p975")), NOTE,
    )  # fmt: skip
    rows = []
    for scenario in numbers.scenarios:
        keys = [*YEARLY_MEASURES, *(f"difference_in_{name}" for name in YEARLY_MEASURES if scenario != BASELINE)]
        for key in keys:
            for year, date in zip(numbers.years, numbers.year_ends, strict=True):
                cells = (round(float(cell or 0), 2) + 0.0
                         for cell in numbers.values(scenario, key, date, ("mean", "p10", "p90", "p025", "p975")))  # fmt: skip
                rows.append((legend_name(scenario), year, measure_label(numbers.nation, key), key, measure_unit(key), *cells,
                             numbers.year_note(year)))  # fmt: skip
    return DataTable("Every yearly figure", "Every yearly figure of summary.csv with its intervals", columns, tuple(rows),
                     (words.prose("differences"),))  # fmt: skip
