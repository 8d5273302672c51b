"""Tables of children: by month and type, age and locality, away from home, distance, and the pathway."""

from collections.abc import Iterable, Sequence

from carecast.dashboard.reports import words
from carecast.dashboard.reports.numbers import AWAY, Numbers
from carecast.dashboard.reports.shapes import Column, DataTable, Value
from carecast.dashboard.telling import legend_name
from carecast.model import words as w
from carecast.model.summary import MONTHLY_MEASURES
from carecast.scenarios.wording import AGE_BAND_LABELS, breakdown_label, measure_unit

SCENARIO = Column("scenario", "Scenario", meaning="Scenario of the run")
MONTH = Column("month_end", "Month end", "date", "Last day of the month; the first is the start date, which is history")
NOTE = Column("note", "Note", meaning="What is special about the row")
INTERVAL = ("p10", "p90")
WIDE = ("p10", "p90", "p025", "p975")
STATISTIC_WORDS = {
    "mean": "mean",
    "p10": "80 % interval, low",
    "p90": "80 % interval, high",
    "p025": "95 % interval, low",
    "p975": "95 % interval, high",
}
AGES = tuple(f"age_band={band}" for band in w.AGE_BANDS[:5])
DISTANCE = ("within_radius_percent", "out_of_area_percent", "distance_unknown_percent", "siblings_together_percent")
STOCKS_BESIDE = ("looked_after_at_home", "looked_after_in_community", "looked_after_in_residential", "continuing_care")
SHOWN_ELSEWHERE = {"looked_after", AWAY, "balance_of_care_percent", "workforce_fte", *STOCKS_BESIDE, *DISTANCE}


def children_tables(numbers: Numbers) -> tuple[DataTable, ...]:
    """Every table of children."""
    return (
        _by(numbers, "Children by type", "placement type", [f"placement_type={name}" for name in w.PLACEMENT_TYPES]),
        _by(numbers, "Children by age", "age", AGES),
        _by(numbers, "Children by locality", "home locality", _localities(numbers)),
        _away(numbers),
        _measured(
            numbers,
            "Distance",
            "Children away from home: distance, area and brothers and sisters",
            DISTANCE,
            (words.prose("distance", radius=f"{numbers.run.record['radius_miles']:g}"),),
        ),
        _measured(
            numbers,
            "Pathway",
            "The pathway: contacts, help, protection, entries, moves and exits by month",
            [name for name in MONTHLY_MEASURES if name not in SHOWN_ELSEWHERE and numbers.has(name)],
            (words.prose("pathway"),),
            (),
        ),
    )


def _localities(numbers: Numbers) -> list[str]:
    return [f"locality={found['name']}" for found in numbers.run.record["parameters"]["localities"]]


def _month_rows(numbers: Numbers) -> Iterable[tuple[str, str, str]]:
    """(scenario, month end, note)."""
    for scenario in numbers.scenarios:
        for at, month in enumerate(numbers.months):
            yield scenario, month, "" if at else words.prose("start_row")


def _by(numbers: Numbers, name: str, dimension: str, breakdowns: Sequence[str]) -> DataTable:
    """Mean number of children looked after by month and one dimension; the total is the sum of the parts."""
    keys = [breakdown.partition("=")[2] for breakdown in breakdowns]
    parts = [
        Column(key, words.sentence(_label(numbers, breakdown)), "count", f"Mean children looked after, {breakdown}")
        for key, breakdown in zip(keys, breakdowns, strict=True)
    ]
    adds_up = dimension != "age" or not numbers.has("looked_after", f"age_band={w.AGE_BANDS[5]}")
    formula = f"SUM([{keys[0]}]:[{keys[-1]}])" if adds_up else ""
    total = Column("looked_after", "Looked after", "count", "Mean children looked after, all of them", formula)
    rows = []
    for scenario, month, note in _month_rows(numbers):
        cells = [numbers.value(scenario, "looked_after", month, "mean", part) for part in breakdowns]
        whole = numbers.value(scenario, "looked_after", month)
        rows.append((legend_name(scenario), month, *cells, whole, note))
    title = f"Children looked after by month and {dimension}, mean of replications"
    columns = (SCENARIO, MONTH, *parts, total, NOTE)
    return DataTable(name, title, columns, tuple(rows), (words.prose("children_unit"), words.prose("hidden")))


def _label(numbers: Numbers, breakdown: str) -> str:
    dimension, _, value = breakdown.partition("=")
    if dimension == "age_band":
        return f"Aged {AGE_BAND_LABELS[value]}"
    return breakdown_label(numbers.nation, breakdown)


def _columns(numbers: Numbers, measure: str, statistics: Sequence[str]) -> Iterable[Column]:
    kind = "percent" if measure.endswith("_percent") else "count"
    label, unit = numbers.label(measure), measure_unit(measure)
    for statistic in statistics:
        heading = f"{label}, {unit}" if statistic == "mean" else f"{label}, {unit}: {STATISTIC_WORDS[statistic]}"
        key = measure if statistic == "mean" else f"{measure}_{statistic}"
        yield Column(key, heading, kind, f"{label} ({unit}): {STATISTIC_WORDS[statistic]}")  # type: ignore[arg-type]


def _away(numbers: Numbers) -> DataTable:
    """Away from home with its intervals, and what stands beside it."""
    measures = {
        "looked_after": INTERVAL,
        AWAY: WIDE,
        **dict.fromkeys(STOCKS_BESIDE, ()),
        "balance_of_care_percent": INTERVAL,
    }
    return _wide(
        numbers,
        "Away from home",
        "Children looked after and away from home by month",
        measures,
        (words.prose("away"), words.prose("hidden")),
    )


def _measured(
    numbers: Numbers,
    name: str,
    title: str,
    measures: Sequence[str],
    notes: tuple[str, ...],
    statistics: tuple[str, ...] = INTERVAL,
) -> DataTable:
    return _wide(numbers, name, title, dict.fromkeys(measures, statistics), (*notes, words.prose("hidden")))


def _wide(
    numbers: Numbers, name: str, title: str, measures: dict[str, tuple[str, ...]], notes: tuple[str, ...]
) -> DataTable:
    """One row a scenario and month; a column for the mean of each measure and for each end of an interval."""
    columns = [SCENARIO, MONTH]
    for measure, ends in measures.items():
        columns += _columns(numbers, measure, ("mean", *ends))
    rows: list[tuple[Value, ...]] = []
    for scenario, month, note in _month_rows(numbers):
        cells: list[Value] = []
        for measure, ends in measures.items():
            cells += numbers.values(scenario, measure, month, ("mean", *ends))
        rows.append((legend_name(scenario), month, *cells, note))
    return DataTable(name, title, (*columns, NOTE), tuple(rows), notes)
