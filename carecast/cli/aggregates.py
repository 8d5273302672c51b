"""What ``calibrate`` says of a set made from aggregates: what the simulation was matched to, and what stands in for what."""

from collections.abc import Mapping
from typing import Any

from carecast.cli.text import table, wrapped

NAMES = {
    "total_1": "looked after in one year",
    "total_2": "looked after in two years",
    "residential_1": "residential in one year",
    "residential_2": "residential in two years",
    "starts": "starts in the first year",
    "ceases": "ceases in the first year",
}
SHOWN = 5  # newest counts


def aggregates_text(record: Mapping[str, Any]) -> str:
    """Rows read, the matching, and what the tables lacked."""
    rows = record.get("rows", {})
    lines = [wrapped(f"Indicative: {rows.get('read', 0):,} rows of tables read, {rows.get('refused', 0):,} refused.")]
    lines += _counts(record)
    found = record.get("matching")
    if found:
        body = [
            [name, f"{found['wanted'][key]:,.0f}", f"{found['found'][key]:,.0f}", f"{found['expected'][key]:,.0f}"]
            for key, name in NAMES.items()
        ]
        lines.append(table(["simulated, mean", "wanted", "before matching", "after"], body))
    lines += [wrapped(f"Not in the tables: {line}") for line in record.get("not_in_the_tables", ())]
    return "\n".join(lines)


def _counts(record: Mapping[str, Any]) -> list[str]:
    """The council's own counts by setting, the newest last, and whose shapes stand in for the rest."""
    counts = record.get("counts_used")
    if not counts:
        return []
    rows = [[day, f"{both['residential']:,.0f}", f"{both['community']:,.0f}"] for day, both in counts.items()][-SHOWN:]
    scaled = wrapped(f"Scaled from {record['scaled_from']}, residential and community apart.")
    return [table(["children looked after on", "residential", "community"], rows), scaled]
