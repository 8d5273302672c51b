"""Which controls a lever has, with their units and bounds, and what moving one does to the draft. No Streamlit."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from carecast.dashboard.studio import SECTIONS, Draft
from carecast.scenarios import evidence
from carecast.scenarios.kind_table import KINDS
from carecast.scenarios.kinds import Kind
from carecast.scenarios.starter import next_april

BOUNDS = {  # size field -> least, most, step
    "share": (0.0, 1.0, 0.01), "multiply_by": (0.1, 2.0, 0.05), "per_year": (0.0, 1.0, 0.05),
    "miles": (1.0, 60.0, 1.0), "places": (1.0, 12.0, 1.0),
}  # fmt: skip
OF_PRICES = (-0.1, 0.3, 0.01)  # a year faster or slower
AMOUNTS = ("one_off_gbp", "recurring_gbp_per_year", "gbp_per_place_per_year", "gbp_per_child", "gbp_per_family",
           "capital_gbp", "double_running_gbp", "gbp_per_resident_child_per_year")  # fmt: skip
NUMBERS = {  # other numbers a kind may need -> step
    "reach": 0.05, "lead_months": 1, "notice_months": 1, "cost_stops_months": 1, "fixed_weekly_cost_gbp": 100.0,
    "weekly_cost_gbp": 10.0, "families_per_worker": 1.0, "weekly_cost_over_gbp": 500.0, "exits_per_year": 0.01,
    "no_effect_chance": 0.05,
}  # fmt: skip
WHOLE = ("ramp_months", "lead_months", "notice_months", "cost_stops_months", "places")
FIRST_SIZES = {"add": 10.0, "multiply_by": 0.9, "share": 0.1, "per_year": 0.1, "miles": 15.0, "places": 4}
FIRST_FIELDS: dict[str, Any] = {
    "instead": "home_with_support", "exits_per_year": 0.1, "reach": 0.5, "lead_months": 18,
    "fixed_weekly_cost_gbp": 22000.0, "weekly_cost_gbp": 430.0, "lines": ["external"], "weekly_cost_over_gbp": 10000.0,
    "contributor": "nhs", "service": "assessment", "families_per_worker": 12.0, "name": "New house",
    "pool": {"social_work": 0.7, "nhs": 0.3},
}  # fmt: skip


@dataclass(frozen=True)
class SizeControl:
    """The slider of a lever: its field, what it counts, and between what it moves."""

    field: str
    unit: str
    least: float
    most: float
    step: float
    value: float
    is_whole: bool


def size_field(item: Mapping[str, Any]) -> str:
    """The size in use, or the main one of its kind; empty where a kind has none."""
    sizes = KINDS[item["kind"]].sizes
    given = [name for name in sizes if item.get(name) is not None]
    return given[0] if given else (sizes[0] if sizes else "")


def size_control(item: Draft) -> SizeControl | None:
    """The slider of a lever; None where it has no size of its own (then evidence sizes it, or nothing does).

    Its bounds hold the size that the lever was opened with, which the draft remembers, and stay while it moves.
    """
    field = size_field(item)
    if not field or item.get(field) is None:
        return None
    row, value = KINDS[item["kind"]], float(item[field])
    first = item["_first"] = {**item.get("_first", {}), **({} if field in item.get("_first", {}) else {field: value})}
    least, most, step = _bounds(row, field, first[field])
    is_whole = field == "places" or (
        field in ("add", "miles") and first[field] == int(first[field]) and step == int(step)
    )
    least, most = min(least, first[field], value), max(most, first[field], value)
    return SizeControl(field, row.unit_of(field), least, most, step, value, is_whole)


def _bounds(row: Kind, field: str, first: float) -> tuple[float, float, float]:
    if row.name in ("prices", "pay") and field == "per_year":
        return OF_PRICES
    if field != "add":
        return BOUNDS[field]
    far = max(40.0, 40.0 * math.ceil(abs(first) / 10))  # four times the size it was opened with
    return (-far if first < 0 else 0.0, far, 1.0)


def nothing(field: str) -> float:
    """The size that does nothing."""
    return 1.0 if field == "multiply_by" else 0.0


def move(item: Draft, field: str, value: Any) -> None:  # noqa: ANN401
    """Set a field of a lever; an interval moves with its size, in the proportion it had when the scenario was opened."""
    if field in WHOLE and value is not None:
        value = int(value)
    if field != size_field(item):
        _set(item, field, value)
        return
    before, ends = float(item[field]), item.get("interval_80")
    neutral = nothing(field)
    if ends and "_ratios" not in item and before != neutral:
        item["_ratios"] = [(end - neutral) / (before - neutral) for end in ends]
    item[field] = value
    if "_ratios" in item:
        scaled = sorted(round(neutral + ratio * (float(value) - neutral), 4) for ratio in item["_ratios"])
        kept = value != neutral and (field != "multiply_by" or scaled[0] > 0)
        _set(item, "interval_80", _within(field, scaled, float(value)) if kept else None)


def _within(field: str, ends: list[float], value: float) -> list[float] | None:
    if field != "share":
        return ends
    low, high = max(ends[0], 0.001), min(ends[1], 0.99)
    return [low, high] if low <= value <= high else None


def _set(item: Draft, field: str, value: Any) -> None:  # noqa: ANN401
    if value is None or value == [] or value == "":
        item.pop(field, None)
    elif field in AMOUNTS and isinstance(item.get(field), dict):
        before = item[field]
        share = float(value) / before["value"] if before["value"] else 1.0
        item[field] = {"value": float(value), "low": before["low"] * share, "high": before["high"] * share}
    else:
        item[field] = value


def blank(kind: str, today: dt.date, parameters_as_at: dt.date | None) -> Draft:
    """A lever or assumption to begin with."""
    row = KINDS[kind]
    start = next_april(today)
    if parameters_as_at is not None and start < parameters_as_at:
        start = next_april(parameters_as_at)
    item: Draft = {"kind": kind, "from": start}
    if row.sizes:
        item[row.sizes[0]] = FIRST_SIZES[row.sizes[0]]
    item |= {name: FIRST_FIELDS[name] for name in row.required if name in FIRST_FIELDS}
    if row.name == "decommissioning":
        item["lines"] = []
    return item


# --- the table --------------------------------------------------------------------------------------------------------
COLUMNS = ("Lever or assumption", "What it is", "Size", "Unit", "Low, 80 %", "High, 80 %", "From", "To", "Ramp, months",
           "Source", "Because", "Owner")  # fmt: skip
EDITABLE = {"Size": "", "From": "from", "To": "to", "Ramp, months": "ramp_months", "Source": "source",
            "Because": "because", "Owner": "owner"}  # fmt: skip


def table(draft: Draft) -> list[dict[str, Any]]:
    """Levers, then assumptions, one a row."""
    return [_row(item) for section in SECTIONS for item in draft.get(section, [])]


def _row(item: Draft) -> dict[str, Any]:
    row, field = KINDS[item["kind"]], size_field(item)
    low, high = item.get("interval_80") or (None, None)
    size, unit = item.get(field) if field else None, row.unit_of(field) if field else ""
    if size is None and item.get("evidence"):
        proof = evidence.find(item["evidence"], item.get("setting", "central"))
        size = None if proof is None else proof.ratio
        unit += f" (evidence: {item['evidence'].replace('_', ' ')})"
    named = item.get("name") or row.label
    what = "Assumption" if row.is_assumption else "Lever"
    cells = (named, what, size, unit, low, high, item.get("from"), item.get("to"), item.get("ramp_months", 0),
             item.get("source", ""), item.get("because", ""), item.get("owner", ""))  # fmt: skip
    return dict(zip(COLUMNS, cells, strict=True))


def take_table(draft: Draft, edits: Mapping[int, Mapping[str, Any]]) -> None:
    """Put edits of the table, by row and column, into the draft."""
    items = [item for section in SECTIONS for item in draft.get(section, [])]
    for number, cells in edits.items():
        item = items[int(number)]
        for column, value in cells.items():
            if column in EDITABLE:
                _take(item, EDITABLE[column] or size_field(item), value)
        _take_interval(item, cells)


def _take(item: Draft, field: str, value: Any) -> None:  # noqa: ANN401
    if field in ("from", "to") and isinstance(value, str):
        value = dt.date.fromisoformat(value[:10])
    if field == size_field(item) and value is not None and item.get(field) is None:
        item.pop("evidence", None)
        item[field] = value
        return
    if field and not (field == "from" and value is None):
        move(item, field, value)


def _take_interval(item: Draft, cells: Mapping[str, Any]) -> None:
    if not {"Low, 80 %", "High, 80 %"} & set(cells):
        return
    low, high = item.get("interval_80") or (None, None)
    low, high = cells.get("Low, 80 %", low), cells.get("High, 80 %", high)
    item.pop("_ratios", None)
    _set(item, "interval_80", None if low is None or high is None else [low, high])
