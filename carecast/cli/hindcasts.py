"""The published years simulated again, beside the counts: what the intervals rest on until there is a back-test."""

from collections.abc import Mapping
from typing import Any

from carecast.cli.text import table, wrapped

INTERVALS = (("80 %", "p10", "p90"), ("95 %", "p025", "p975"))


def hindcast_text(hindcast: Mapping[str, Any] | None) -> str:
    """Published against simulated, total and residential, by year; nothing when there is no hindcast."""
    if not hindcast:
        return ""
    rows = hindcast["rows"]
    dates = sorted({row["date"] for row in rows})
    cells = []
    for setting in ("total", "residential"):
        found = {row["date"]: row for row in rows if row["setting"] == setting}
        cells.append([f"Looked after, {setting}: published", *(f"{found[date]['published']:.0f}" for date in dates)])
        cells.append(["  simulated", *(f"{found[date]['mean']:.0f}" for date in dates)])
        cells.append(["  95 % interval", *(f"{found[d]['p025']:.0f}-{found[d]['p975']:.0f}" for d in dates)])
    counted = [row for row in rows if row["date"] != dates[0] and row["setting"] in ("total", "residential")]
    held = "; ".join(
        f"{sum(row[low] <= row['published'] <= row[high] for row in counted)} of {len(counted)} inside {name}"
        for name, low, high in INTERVALS
    )
    said = wrapped(f"{hindcast['what']} ({hindcast['replications']} replications): {held}.")
    day = "31 March" if dates[0].endswith("-03-31") else "31 July"
    return f"{said}\n{table([day, *(date[:4] for date in dates)], cells, 34)}"
