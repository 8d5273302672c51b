"""A page about a parameter set that a reviewer can read: how it was made, how well it fits, how far it was tested.

Everything comes from ``calibration.json`` and ``parameters.toml``; what a set's record does not hold is left out and said.
Counts of 1 to 5 children are not shown.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from carecast import __version__
from carecast.calibration import pictures
from carecast.calibration.association_page import association_section, without_association
from carecast.calibration.fit_record import without_small
from carecast.calibration.page import Section, Table, number, page
from carecast.calibration.pictures import Picture
from carecast.model.parameters import Calibrated, Number, ParameterSet

TOLD = ("format", "pack", "council", "as_at", "diagnostics", "backtest", "hindcast", "levels", "figures", "data", "notes",
        "base", "replaced", "n_columns_drawn", "stock_by_year", "fit", "changed_from")  # fmt: skip
COUNT_WORDS = ("events", "exits", "moves", "n", "entries", "children", "stock")
HIDDEN = "1 to 5"
MOST_ROWS = 400
HOW_WORDS = {"fitted": "fitted to data", "published": "published", "assumed": "assumed"}


def diagnostics(calibrated: Calibrated) -> str:
    """The page as one HTML file."""
    p, record = calibrated.parameters, calibrated.record
    sections = [
        _sources(p, record),
        _fit(record),
        _mean_stays(record),
        _influence(record),
        _matched(record),
        _levels(record),
        _backtest(record),
        _hindcast(record),
        association_section(record),
        _others(without_association(record)),
        _every_number(p),
    ]
    footer = f"carecast {__version__}. From the parameter set's own files; no child's record is among them."
    title = f"How far to trust the parameter set of {p.council}"
    return page(title, _lead(p, record), [one for one in sections if one is not None], footer)


def _lead(p: ParameterSet, record: Mapping[str, Any]) -> list[str]:
    own = [value.how for name, value in p.numbers.items() if not is_constant(name)]
    counts = pd.Series(own).value_counts()
    hows = ", ".join(f"{n} {HOW_WORDS.get(str(how), str(how))}" for how, n in counts.items())
    lead = [
        f"As at {p.as_at.day} {p.as_at:%B %Y}. Of {len(own)} single numbers {hows}; {len(p.rates)} tables of rates."
    ]
    tested = record.get("backtest")
    if tested:
        lead.append(str(tested.get("verdict", "")))
    else:
        lead.append(
            "Not back-tested: nobody has scored what this way of calibrating would have forecast for this council."
        )
    return [*lead, *([p.stamp[0].upper() + p.stamp[1:] + "."] if p.stamp else [])]


# --- sections -------------------------------------------------------------------------------------
def _sources(p: ParameterSet, record: Mapping[str, Any]) -> Section:
    """What it was made from, and how each kind of number was found."""
    said = (*([record["base"]] if record.get("base") else []), *record.get("notes", ()), *p.notes)
    lines = [f"{note.rstrip('.')}." for note in dict.fromkeys(map(str, said))]
    tables = []
    data = record.get("data")
    if data:
        rows = data.get("rows", {})
        lines.insert(0, f"Read as {data.get('format')}, from {data.get('observed_from')}: "
                     + ", ".join(f"{number(count)} rows {name}" for name, count in rows.items()) + ".")  # fmt: skip
        counts = [*data.get("counts", {}).items(), *data.get("shares", {}).items()]
        tables.append(_pairs("What the files held", "What", "Number", counts))
        missing = data.get("missing", [])
        if missing:
            tables.append(Table("Missing from the files", ("Missing", "It would have told", "Instead"), tuple(
                (str(row.get("missing")), str(row.get("would_have_told")), str(row.get("instead"))) for row in missing
            ), frozenset({1, 2})))  # fmt: skip
    tables.append(_how_counts(p))
    return Section("What it was made from", tuple(lines), tuple(tables))


def _how_counts(p: ParameterSet) -> Table:
    """How many numbers of each part are fitted, published and assumed."""
    parts: dict[str, Sequence[Any]] = {
        "Single numbers": [n for name, n in p.numbers.items() if not is_constant(name)],
        "Rates": p.rates, "Branches": p.branches,
        "Destinations": p.destinations, "Homes": p.providers, "Service pools": p.service_pools, "Cost lines": p.cost_lines,
        "Series": list(p.series.values()), "Budgets": p.budgets,
    }  # fmt: skip
    rows = tuple(
        (name, *(str(sum(value.how == how for value in values)) for how in HOW_WORDS), str(len(values)))
        for name, values in parts.items()
        if values
    )
    return Table(
        "How the numbers were found", ("Part", *(word.capitalize() for word in HOW_WORDS.values()), "All"), rows
    )


def _fit(record: Mapping[str, Any]) -> Section | None:
    """Events seen beside those the hazards expect."""
    found = record.get("diagnostics")
    if not found:
        return None
    rows = without_small(found["fitted_against_observed"], ("events",))
    tables = []
    for by, title in (
        ("placement_type", "placement type"),
        ("age_band", "age"),
        ("time", "time in care or in placement"),
    ):
        body = tuple(
            (_words(row["cause"]), _words(row["level"]), _seen(row["events"]), number(row["expected"], 1),
             number(row["child_years"]))
            for row in rows if row["by"] == by
        )  # fmt: skip
        tables.append(Table(f"By {title}", ("Way", title.capitalize(), "Seen", "Expected", "Child-years"), body,
                            frozenset({1}), is_folded=True))  # fmt: skip
    cells = without_small(found["furthest_cells"], ("events",))
    tables.append(Table("Single cells furthest from what is expected",
                        ("Way", "Type", "Age", "Time", "Seen", "Expected", "Standard errors"), tuple(
        (_words(row["cause"]), _words(row["placement_type"]), _words(row["age_band"]), _words(row["time"]),
         _seen(row["events"]), number(row["expected"], 1), number(row["standard_errors"], 1)) for row in cells
    ), frozenset({1, 2, 3})))  # fmt: skip
    text = (
        "Ends of placements in the records beside those the fitted hazards expect of the children who were there. Cells "
        "lean on main effects of type, age and time, so single cells differ; margins should agree. Of the furthest cells "
        "one in twenty is beyond 2 standard errors by chance alone."
    )
    return Section("Fitted against observed", (text,), tuple(tables), (_scatter(rows),))


def _scatter(rows: Sequence[Mapping[str, Any]]) -> Picture:
    data = pd.DataFrame([row for row in rows if row["events"] and row["expected"] > 0])
    data["way"] = ["move" if cause == "move" else "exit" for cause in data["cause"]]
    top = float(max(data["events"].max(), data["expected"].max())) * 1.2
    log = alt.Scale(type="log", domain=[1, top])
    marks = pictures.paint("way", ["exit", "move"])
    axis = alt.Axis(tickCount=4)
    x = alt.X("expected:Q", scale=log, title="Expected", axis=axis)
    y = alt.Y("events:Q", scale=log, title="Seen", axis=axis)
    points = alt.Chart(data).mark_point(filled=True, size=60, opacity=0.8)
    points = points.encode(x, y, marks["color"], marks["shape"])
    line = alt.Chart(pd.DataFrame({"expected": [1.0, top], "events": [1.0, top]})).mark_line(
        color=pictures.INK, strokeDash=[5, 4]
    )
    near = int(((data["events"] - data["expected"]).abs() <= 2 * data["expected"] ** 0.5).sum())
    text = (
        f"Each point is a cause of leaving or moving in one placement type, age band or time band. {near} of {len(data)} "
        "lie within two standard errors of the dashed line, where seen and expected are the same."
    )
    return pictures.picture("fit", "Ends seen and expected", text, [line.encode(x="expected:Q", y="events:Q"), points])


def _mean_stays(record: Mapping[str, Any]) -> Section | None:
    found = record.get("diagnostics")
    if not found:
        years = record.get("mean_years_in_care")
        return Section("Implied mean stay", (f"{number(years, 2)} years in care.",)) if years else None
    three = found["three_returns"]
    rows = tuple(
        ("All ages" if row["entering"] == "all" else f"Entering at {_words(row['entering'])}", _seen(row["entries"]),
         number(row["years"], 2))
        for row in without_small(found["mean_stays"], ("entries",))
    )  # fmt: skip
    change = three["difference_percent"]
    text = (
        f"Mean time in care that the fitted hazards imply for the children who entered: "
        f"{number(three['years_from_all'], 2)} years from all {three['returns']} years of returns, "
        f"{number(three['years_from_three'], 2)} from the last three "
        f"alone ({number(change, 1)} %). A difference beyond 10 % means that practice has changed or that the files "
        "disagree: look at the returns below."
    )
    table = Table("Mean stay by age at entry", ("Who", "Entries", "Years"), rows)
    return Section("Implied mean stays", (text, *_alone(found)), (table,))


def _alone(found: Mapping[str, Any]) -> tuple[str, ...]:
    """How unaccompanied children leave beside others, where there are any."""
    told = found.get("unaccompanied")
    if not told or not told["child_years"]:
        return ()
    (shown,) = without_small([told], ("exits",))
    return (
        f"Unaccompanied children leave before 18 at {number(told['ratio'], 2)} ({number(told['low_80'], 2)} to "
        f"{number(told['high_80'], 2)}) of the rate of others of their age, home and time in care: {_seen(shown['exits'])} "
        f"left in {number(told['child_years'])} child-years, others would have made "
        f"{number(told['expected_of_others'], 1)}. With few of them the ratio stays near what is assumed.",
    )


def _influence(record: Mapping[str, Any]) -> Section | None:
    found = record.get("diagnostics") or {}
    rows = found.get("influence")
    if not rows:
        return None
    body = tuple(
        (f"Year to {row['year_to']}", number(row["mean_years_without"], 2), f"{number(row['change_percent'], 1)} %",
         _seen(row["exits"]), number(row["exits_expected"], 0), _seen(row["moves"]), number(row["moves_expected"], 0))
        for row in without_small(rows, ("exits", "moves"))
    )  # fmt: skip
    columns = ("Left out", "Mean years without it", "Change", "Exits in it", "Expected from the rest", "Moves in it",
               "Expected from the rest")  # fmt: skip
    data = pd.DataFrame(rows)
    x, y = alt.X("year_to:O", title="Year left out, to"), alt.Y("change_percent:Q", title="Change of the mean stay, %")
    bars = alt.Chart(data).mark_bar(color=pictures.BLUE).encode(x, y)
    most = max(rows, key=lambda row: abs(row["change_percent"] or 0.0))
    said = f"Leaving out the year to {most['year_to']} moves the mean stay most: {number(most['change_percent'], 1)} %."
    drawn = pictures.picture("influence", "What leaving out each year does to the mean stay", said, [bars], 220)
    text = "Each year left out in turn. One that moves the mean stay much more than the others deserves a look at its file."
    return Section("Influence of each return", (text,), (Table("Each year left out", columns, body),), (drawn,))


def _matched(record: Mapping[str, Any]) -> Section | None:
    """Published figures a pack was matched to, beside what the fitted model gives."""
    tables = []
    for part, rows in record.get("fit", {}).items():
        if isinstance(rows, list) and rows and isinstance(rows[0], dict):
            tables.append(_generic(f"Matched: {part}", rows))
    years = record.get("stock_by_year")
    if years:
        tables.append(_generic("Children looked after: published and fitted", years))
    if not tables:
        return None
    return Section(
        "Matched to published figures", ("What was matched, and what the fitted model gives.",), tuple(tables)
    )


def _levels(record: Mapping[str, Any]) -> Section | None:
    found = record.get("levels")
    if isinstance(found, dict):
        rows = [{"level": name} | {key: value for key, value in level.items() if _is_plain(value)}
                for name, level in found.items()]  # fmt: skip
    else:
        rows = list(found or [])
    if not rows:
        return None
    text = (
        "Demand, leaving and moving swing from year to year around a level that drifts. The forecast starts from the level "
        "now, and is uncertain about it by as much as the table says."
    )
    return Section("Levels and drift", (text,), (_generic("Levels", rows),))


def _backtest(record: Mapping[str, Any]) -> Section | None:
    found = record.get("backtest")
    if not isinstance(found, dict) or "counts" not in found:
        return None
    from carecast.calibration.backtest.report import label

    rows = tuple(
        (label(row["measure"], row["breakdown"]), number(row["horizon_months"]), number(row["origins"]),
         *(_seen(row[name]) for name in ("nearer_than_last_value", "inside_50", "inside_80", "inside_95")))
        for row in found["counts"]
    )  # fmt: skip
    columns = ("What", "Months ahead", "Origins", "Nearer than no change", "In 50 %", "In 80 %", "In 95 %")
    lines = [str(found["verdict"]), str(found.get("limits") or "")]
    lines.append(f"Made from {found.get('made_from')} with carecast {found.get('version')}.")
    return Section("Back-test", tuple(line for line in lines if line), (Table("Forecasts that held", columns, rows),))


def _hindcast(record: Mapping[str, Any]) -> Section | None:
    found = record.get("hindcast")
    if not found:
        return None
    data = pd.DataFrame(found["rows"])
    total = data[data["setting"] == "total"]
    x = pictures.dates("date")
    layers = [
        alt.Chart(total).mark_area(opacity=0.25, color=pictures.BLUE).encode(
            x, alt.Y("p025:Q", title="Children looked after", scale=alt.Scale(zero=False)), alt.Y2("p975")),
        alt.Chart(total).mark_line(color=pictures.BLUE, strokeWidth=2).encode(x, alt.Y("mean:Q")),
        alt.Chart(total).mark_point(color=pictures.ORANGE, filled=True, size=60, opacity=1).encode(x, alt.Y("published:Q")),
    ]  # fmt: skip
    text = f"{found['what']} ({found['replications']} replications). Line and 95 % band: simulated; points: published."
    drawn = pictures.picture("hindcast", "Published years simulated again", text, layers)
    return Section(
        "Published years simulated again", (), (_generic("Published and simulated", found["rows"]),), (drawn,)
    )


def _others(record: Mapping[str, Any]) -> Section | None:
    """Whatever else the record holds, as it stands."""
    tables = []
    for name, value in record.items():
        if name not in TOLD and value not in (None, {}, []):
            tables += _tables(_words(name), value)
    text = "What else the parameter set's record (calibration.json) says of itself."
    return Section("The rest of the record", (text,), tuple(tables)) if tables else None


def _every_number(p: ParameterSet) -> Section:
    own = {name: value for name, value in p.numbers.items() if not is_constant(name)}
    constants = {name: value for name, value in p.numbers.items() if is_constant(name)}
    tables = [_numbers("Every single number with its source", own)]
    if constants:
        tables.append(
            _numbers(
                "Constants of the way of calibrating: assumed or tuned for all councils, fitted to none", constants
            )
        )
    return Section("Every number", ("Rates, branches and destinations stand in parameters.toml.",), tuple(tables))


def is_constant(name: str) -> bool:
    """Whether a number is a constant of the way of calibrating (``assumptions``), not of the council."""
    return name.startswith("calibration.")


def _numbers(caption: str, numbers: Mapping[str, Number]) -> Table:
    rows = tuple(
        (name, f"{value.value:.4g}", "\u2013" if value.interval_80 is None else
         f"{value.interval_80[0]:.4g} to {value.interval_80[1]:.4g}", value.unit, value.how,
         value.source + (f" ({value.note})" if value.note else ""))
        for name, value in numbers.items()
    )  # fmt: skip
    columns = ("Number", "Value", "80 % interval", "Unit", "How", "Source")
    return Table(caption, columns, rows, frozenset({3, 4, 5}), is_folded=True)


# --- tables of whatever is there ------------------------------------------------------------------
def _tables(name: str, value: Any) -> list[Table]:
    """One or more tables of a part of the record."""
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return [_generic(name, value)]
    if not isinstance(value, dict):
        return [_pairs(name, "What", "Value", [(name, value)])]
    nested = {key: item for key, item in value.items() if isinstance(item, dict) and item}
    plain = [(key, item) for key, item in value.items() if key not in nested]
    out = [_pairs(name, "What", "Value", plain)] if plain else []
    if nested and all(all(_is_plain(cell) for cell in item.values()) for item in nested.values()):
        return [*out, _generic(name, [{"what": key} | item for key, item in nested.items()])]
    for key, item in nested.items():
        out += _tables(f"{name}: {_words(key)}", item)
    return out


def _generic(caption: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Rows of any record as a table."""
    columns = tuple(dict.fromkeys(key for row in rows for key in row))
    body = tuple(tuple(_cell(row.get(name), name) for name in columns) for row in rows[:MOST_ROWS])
    prose = frozenset(
        at for at, name in enumerate(columns) if any(isinstance(row.get(name), str) for row in rows)
    )  # fmt: skip
    return Table(caption, tuple(_words(name) for name in columns), body, prose, is_folded=len(rows) > 12)


def _pairs(caption: str, what: str, value: str, items: Sequence[tuple[str, Any]]) -> Table:
    body = tuple((_words(name), _cell(found, name)) for name, found in items)
    prose = frozenset({1}) if any(isinstance(found, str) for _, found in items) else frozenset()
    return Table(caption, (what, value), body, prose, is_folded=len(items) > 20)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _cell(value: Any, name: str = "") -> str:
    if value is None:
        return "\u2013"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and 0 < value <= 5 and name.split("_")[-1] in COUNT_WORDS:
        return HIDDEN
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:200]


def _seen(value: int | None) -> str:
    return HIDDEN if value is None else f"{value:,}"


def _words(name: str) -> str:
    return str(name).replace("_", " ")
