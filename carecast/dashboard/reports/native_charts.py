"""Charts that a spreadsheet draws from its own tables, each with its headline and text for those who cannot see it."""

from typing import Any

from carecast.dashboard.reports import findings, lever_tables
from carecast.dashboard.reports.answers import WATERFALL
from carecast.dashboard.reports.charts_many import COLOURS
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.shapes import DataTable
from carecast.dashboard.telling import legend_name

DASHES = ("solid", "dash", "round_dot", "long_dash", "dash_dot", "square_dot")
PATTERNS = ("", "wide_upward_diagonal", "percent_25", "dark_horizontal", "small_grid", "wide_downward_diagonal")
A4, ROWS_A_CHART = 9, 22
SIZE = {"width": 900, "height": 380}
Tables = dict[str, DataTable]
FirstRows = dict[str, int]


def add_charts(book: Any, sheet: Any, numbers: Numbers, tables: Tables, first_rows: FirstRows) -> None:
    """The sheet of charts: a headline over each, and the sheet its numbers stand on."""
    bold = book.add_format({"bold": True, "font_name": "Arial", "font_size": 15})
    plain = book.add_format({"font_name": "Arial", "font_size": 11})
    sheet.set_column(0, 0, 110)
    sheet.write_string(0, 0, "Charts", bold)
    row = 2
    made = [(findings.away_title(numbers), "Away from home", _away(book, numbers, tables, first_rows))]
    if numbers.years:
        made.append((findings.spend_title(numbers), "Spend by year", _spend(book, numbers, tables, first_rows)))
    for name in numbers.programmes:
        made.append((findings.saving_title(numbers, name), "Savings", _saving(book, numbers, name, tables, first_rows)))
        answer = numbers.answer(WATERFALL, name)
        if answer:
            drawn = _levers(book, numbers, name, lever_tables.chosen_year(numbers, answer), tables, first_rows)
            made.append((lever_tables.lever_title(numbers, answer), "Savings by lever", drawn))
    sheet.set_portrait()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_h_pagebreaks([row + ROWS_A_CHART * at for at in range(2, len(made), 2)])
    for headline, where, chart in made:
        sheet.write_string(row, 0, headline, bold)
        sheet.write_string(row + 1, 0, f"The numbers are on the sheet {where}.", plain)
        chart.set_size(SIZE)
        alt = f"{headline}. The same numbers are in the table on the sheet {where}."
        sheet.insert_chart(row + 2, 0, chart, {"description": alt, "object_position": 1})
        row += ROWS_A_CHART


def _part(table: DataTable, first: int, scenario: str, key: str) -> list[Any]:
    """Where the cells of one scenario and column stand: sheet, first row and column, last row and column."""
    rows = [at for at, row in enumerate(table.rows) if row[0] == legend_name(scenario)]
    at = table.position(key)
    return [table.name, first + rows[0], at, first + rows[-1], at]


def _axes(chart: Any, y: str, x: dict[str, Any]) -> None:
    chart.set_x_axis({"num_font": {"size": 10}, **x})
    chart.set_y_axis({"name": y, "min": 0, "major_gridlines": {"visible": True, "line": {"color": "#d5d6d7"}}})
    chart.set_legend({"position": "top"})
    chart.set_title({"none": True})


def _away(book: Any, numbers: Numbers, tables: Tables, first_rows: FirstRows) -> Any:
    table, name = tables["Away from home"], "Away from home"
    chart = book.add_chart({"type": "line"})
    for at, scenario in enumerate(numbers.scenarios[: len(COLOURS)]):
        chart.add_series(
            {
                "name": legend_name(scenario),
                "categories": _part(table, first_rows[name], scenario, "month_end"),
                "values": _part(table, first_rows[name], scenario, "looked_after_away_from_home"),
                "line": {"color": COLOURS[at], "width": 2.5, "dash_type": DASHES[at]},
            }
        )
    dates = {"date_axis": True, "num_format": "yyyy", "major_unit": 1, "major_unit_type": "years"}
    _axes(chart, "Children at month end, mean", dates)
    return chart


def _spend(book: Any, numbers: Numbers, tables: Tables, first_rows: FirstRows) -> Any:
    table, name = tables["Spend by year"], "Spend by year"
    chart = book.add_chart({"type": "column"})
    for at, scenario in enumerate(numbers.scenarios[: len(COLOURS)]):
        chart.add_series(
            {
                "name": legend_name(scenario),
                "categories": _part(table, first_rows[name], scenario, "financial_year"),
                "values": _part(table, first_rows[name], scenario, "net_cost"),
                "gap": 60,
                **_fill(at),
            }
        )
    _axes(chart, "Gross and programme cost, £m", {})
    chart.set_y_axis(
        {
            "name": "Gross and programme cost, £m",
            "min": 0,
            "num_format": "£0,,\\m",
            "major_gridlines": {"visible": True, "line": {"color": "#d5d6d7"}},
        }
    )
    return chart


def _fill(at: int) -> dict[str, Any]:
    border = {"border": {"color": COLOURS[at], "width": 1}}
    if not PATTERNS[at]:
        return {"fill": {"color": COLOURS[at]}, **border}
    return {"pattern": {"pattern": PATTERNS[at], "fg_color": COLOURS[at], "bg_color": "white"}, **border}


def _saving(book: Any, numbers: Numbers, scenario: str, tables: Tables, first_rows: FirstRows) -> Any:
    table, name = tables["Savings"], "Savings"
    first = first_rows[name]
    chart = book.add_chart({"type": "column", "subtype": "stacked"})
    for at, key in enumerate(("cashable", "avoided", "released")):
        chart.add_series(
            {
                "name": key.capitalize(),
                "categories": _part(table, first, scenario, "financial_year"),
                "values": _part(table, first, scenario, key),
                "gap": 60,
                **_fill(at),
            }
        )
    line = book.add_chart({"type": "line"})
    line.add_series(
        {
            "name": "Net saving",
            "categories": _part(table, first, scenario, "financial_year"),
            "values": _part(table, first, scenario, "net"),
            "line": {"color": "#0b0c0c", "width": 2.25},
            "marker": {"type": "diamond", "size": 9, "fill": {"color": "#0b0c0c"}},
        }
    )
    chart.combine(line)
    _axes(chart, "£m", {"label_position": "low"})
    chart.set_y_axis(
        {
            "name": "Saving against the baseline, £m",
            "num_format": "£0.0,,\\m;-£0.0,,\\m",
            "major_gridlines": {"visible": True, "line": {"color": "#d5d6d7"}},
        }
    )
    return chart


def _levers(book: Any, numbers: Numbers, scenario: str, year: str, tables: Tables, first_rows: FirstRows) -> Any:
    """What each lever adds in a year, a bar each."""
    name = "Savings by lever"
    table, first = tables[name], first_rows[name]
    at = {key: table.position(key) for key in ("financial_year", "lever", "net")}
    rows = [
        i for i, row in enumerate(table.rows) if row[0] == legend_name(scenario) and row[at["financial_year"]] == year
    ]
    place = {key: [name, first + rows[0], at[key], first + rows[-1], at[key]] for key in ("lever", "net")}
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "name": "Net saving it adds",
            "categories": place["lever"],
            "values": place["net"],
            "gap": 40,
            "data_labels": {"value": True, "num_format": "£0.00,,\\m;-£0.00,,\\m"},
            **_fill(0),
        }
    )
    chart.set_y_axis({"reverse": True, "label_position": "low", "num_font": {"size": 9}})
    chart.set_x_axis({"name": f"Net saving it adds in {year}, £m", "num_format": "£0.0,,\\m;-£0.0,,\\m"})
    chart.set_legend({"none": True})
    chart.set_title({"none": True})
    return chart
