"""Tables of money: spend by line, funder and year, reserves, and every yearly figure."""

from collections.abc import Iterable

from carecast.dashboard.reports import words
from carecast.dashboard.reports.children_tables import NOTE, SCENARIO, STATISTIC_WORDS
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.shapes import Column, DataTable, Value
from carecast.dashboard.telling import legend_name
from carecast.model import words as w
from carecast.model.summary import BASELINE, YEARLY_MEASURES
from carecast.scenarios.wording import measure_label, measure_unit

YEAR = Column("financial_year", "Financial year", meaning="1 April to 31 March, such as 2028-29")
PENCE = 100.0
TERM_WORDS = {"cash": "Cash", "real": "Real terms", "discounted": "Real terms, discounted"}
SHEET_NAME = 31  # most letters of a sheet's name


def money_tables(numbers: Numbers) -> tuple[DataTable, ...]:
    """Spend, reserves and every yearly figure; none for a run without a day."""
    if not numbers.years:
        return ()
    spend = (_spend_by_year(numbers), *_spend_by_line(numbers), _spend_by_funder(numbers))
    return (*spend, reserves(numbers), _every_year(numbers))


def _scenario_years(numbers: Numbers, scenarios: Iterable[str]) -> Iterable[tuple[str, int, str, str]]:
    """(scenario, position of the year, financial year, its date)."""
    for scenario in scenarios:
        for at, (year, date) in enumerate(zip(numbers.years, numbers.year_ends, strict=True)):
            yield scenario, at, year, date


# --- spend ----------------------------------------------------------------------------------------
def _spend_by_year(numbers: Numbers) -> DataTable:
    columns = (
        SCENARIO,
        YEAR,
        Column("gross_cost", "Gross cost, £", "pounds", "All lines, all funders, programme cost apart"),
        Column("gross_cost_p10", "Gross cost, £: 80 % interval, low", "pounds"),
        Column("gross_cost_p90", "Gross cost, £: 80 % interval, high", "pounds"),
        Column(
            "programme_cost", "Programme cost, £", "pounds", "What the scenario itself costs, one-off and recurring"
        ),
        Column("net_cost", "Gross and programme cost, £", "pounds", "All funders", "[gross_cost]+[programme_cost]"),
        Column("income", "of which paid by other funders, £", "pounds", "Income towards gross cost"),
        Column(
            "own_cost",
            "of which the council's own, £",
            "pounds",
            "Gross cost less income, with the programme cost it pays",
        ),
        NOTE,
    )
    rows: list[tuple[Value, ...]] = []
    for scenario, _, year, date in _scenario_years(numbers, numbers.scenarios):
        gross, low, high = numbers.values(scenario, "gross_cost_gbp", date, ("mean", "p10", "p90"))
        programme, net = (numbers.value(scenario, name, date) for name in ("programme_cost_gbp", "net_cost_gbp"))
        income = numbers.value(scenario, "income_gbp", date)
        own = numbers.value(scenario, "net_cost_gbp", date, "mean", "funder=social_work")
        rows.append(
            (legend_name(scenario), year, gross, low, high, programme, net, income, own, numbers.year_note(year))
        )
    return DataTable(
        "Spend by year",
        "Spend by scenario and financial year, mean of replications",
        columns,
        tuple(rows),
        (words.prose("cash_prices"),),
    )


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
                f"gbp_{year.replace('-', '_')}",
                f"{year_label(numbers, year)}, £",
                "pounds",
                f"Mean gross cost in {year}",
            )
            for year in numbers.years
        ]
        rows = [
            (
                words.line_label(numbers.nation, line),
                *(
                    numbers.value(scenario, "gross_cost_gbp", date, "mean", f"line={line}")
                    for date in numbers.year_ends
                ),
            )
            for line in numbers.run.record["lines"]
        ]
        title = f"Spend by line and financial year: {legend_name(scenario)}, mean of replications"
        notes = (words.prose("cash_prices"), words.prose("spend_lines"))
        found.append(DataTable(name, title, tuple(columns), tuple(rows), notes, has_total=True))
    return found


def year_label(numbers: Numbers, year: str) -> str:
    return f"{year} (part year)" if numbers.is_part(year) else year


def _spend_by_funder(numbers: Numbers) -> DataTable:
    parts = [
        Column(name, f"{words.funder_label(name)}, £", "pounds", "Mean cost this funder bears, programme included")
        for name in w.FUNDERS
    ]
    total = Column(
        "net_cost", "All funders, £", "pounds", "Gross and programme cost", f"SUM([{w.FUNDERS[0]}]:[{w.FUNDERS[-1]}])"
    )
    rows: list[tuple[Value, ...]] = []
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
    return DataTable(
        "Spend by funder",
        "Spend by funder and financial year, programme included, mean of replications",
        (SCENARIO, YEAR, *parts, total, NOTE),
        tuple(rows),
        (words.prose("cash_prices"), words.prose("funders")),
    )


# --- reserves and everything ----------------------------------------------------------------------
def reserves(numbers: Numbers) -> DataTable:
    """Reserves at the end of each financial year against the policy minimum."""
    columns = (
        SCENARIO,
        YEAR,
        Column("reserves", "Reserves at 31 March, £", "pounds", "Opening less programme cost paid from them"),
        Column("reserves_p10", "80 % interval, low, £", "pounds"),
        Column("reserves_p90", "80 % interval, high, £", "pounds"),
        Column("below_minimum", "Chance of less than the policy minimum", "chance"),
        Column("recurring_paid", "Recurring cost they pay, £", "pounds", "Reserves can be spent only once"),
        NOTE,
    )
    rows: list[tuple[Value, ...]] = []
    layout = numbers.run.money[BASELINE].layout
    held = [at for at, days in enumerate(layout.run_days) if days > 0]
    for scenario, at, year, date in _scenario_years(numbers, numbers.scenarios):
        path = numbers.run.reserves(scenario)
        breach, paid = float(path.breach[:, held[at]].mean()), float(path.recurring_paid[:, held[at]].mean()) / PENCE
        flags = [
            numbers.year_note(year),
            "below the minimum more likely than not" if breach > 0.5 else "",
            "pays recurring cost" if paid > 0 else "",
        ]
        ends = numbers.values(scenario, "reserves_gbp", date, ("mean", "p10", "p90"))
        rows.append((legend_name(scenario), year, *ends, breach, paid + 0.0, "; ".join(flag for flag in flags if flag)))
    return DataTable(
        "Reserves",
        "Reserves at the end of each financial year, mean of replications",
        columns,
        tuple(rows),
        (minimum_words(numbers),),
    )


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
        SCENARIO,
        YEAR,
        Column("measure", "Measure"),
        Column("key", "Measure in summary.csv"),
        Column("unit", "Unit"),
        Column("mean", "Mean", "exact"),
        *(Column(name, words.sentence(STATISTIC_WORDS[name]), "exact") for name in ("p10", "p90", "p025", "p975")),
        NOTE,
    )
    rows: list[tuple[Value, ...]] = []
    for scenario in numbers.scenarios:
        keys = [*YEARLY_MEASURES, *(f"difference_in_{name}" for name in YEARLY_MEASURES if scenario != BASELINE)]
        for key in keys:
            for year, date in zip(numbers.years, numbers.year_ends, strict=True):
                cells = (
                    round(float(cell or 0), 2) + 0.0
                    for cell in numbers.values(scenario, key, date, ("mean", "p10", "p90", "p025", "p975"))
                )
                rows.append(
                    (
                        legend_name(scenario),
                        year,
                        measure_label(numbers.nation, key),
                        key,
                        measure_unit(key),
                        *cells,
                        numbers.year_note(year),
                    )
                )
    return DataTable(
        "Every yearly figure",
        "Every yearly figure of summary.csv with its intervals",
        columns,
        tuple(rows),
        (words.prose("differences"),),
    )
