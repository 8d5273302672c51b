"""The council's own association of early help with entry to care, in words: on screen and on the page for a reviewer.

Shown because people will ask; kept apart because families who are helped differ from those who are not
(``returns.association``). Counts of 1 to 5 children are not shown.
"""

from collections.abc import Mapping
from typing import Any

from carecast.calibration.page import Section, Table, number

HEADING = "Early help and entry to care in the council's own files"
SMALL = 5


def association_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a calibration record holds of it; empty when the files could not tell."""
    found = record.get("parts", {}).get("community", {}).get("early_help_association")
    return found or {}


def without_association(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without it, for tables of everything else."""
    parts = dict(record.get("parts", {}))
    if association_of(record):
        parts["community"] = {k: v for k, v in parts["community"].items() if k != "early_help_association"}
    return {**record, "parts": parts} if parts else dict(record)


def association_line(record: Mapping[str, Any]) -> str:
    """One paragraph for the screen; empty when there is nothing to say."""
    found = association_of(record)
    if not found:
        return ""
    return (
        f"Early help and entry to care, as recorded: risk ratio {found['risk_ratio']:.2f} ({found['low_95']:.2f} to "
        f"{found['high_95']:.2f}); E-value {found['e_value']:.2f}, of its interval {found['e_value_of_interval']:.2f}. "
        f"{found['warning']}"
    )


def association_section(record: Mapping[str, Any]) -> Section | None:
    """The section of the page; none when the files could not tell."""
    found = association_of(record)
    if not found:
        return None
    rows = (
        ("Children whose early help began", _count(found["helped"]), _count(found["helped_entered"])),
        ("Referred children without it", _count(found["not_helped"]), _count(found["not_helped_entered"])),
    )
    ratios = (
        ("Risk ratio, as recorded", f"{found['risk_ratio']:.2f}", f"{found['low_95']:.2f} to {found['high_95']:.2f}"),
        ("E-value", f"{found['e_value']:.2f}", f"{found['e_value_of_interval']:.2f}"),
    )
    return Section(
        HEADING,
        (
            f"{_direction(found)} {found['warning']} No number of this parameter set and no saving rests on it: effects "
            "of early help come from published evidence, in a scenario, at the stage of the evidence.",
            "The E-value is the least risk ratio that something not recorded would need with both early help and entry to "
            "explain the association away (VanderWeele and Ding 2017); 1 means that chance alone may.",
        ),
        (
            Table("Looked after within 12 months", ("Who", "Children", "Looked after"), rows),
            Table("How strong the association is", ("What", "Value", "95 % interval, or its E-value"), ratios),
        ),
    )


def _direction(found: Mapping[str, Any]) -> str:
    if found["low_95"] > 1:
        return (
            "Children who had early help entered care more often than referred children who had none: riskier families are "
            "helped."
        )
    if found["high_95"] < 1:
        return "Children who had early help entered care less often than referred children who had none."
    return "Children who had early help entered care about as often as referred children who had none."


def _count(n: int) -> str:
    return "1 to 5" if 0 < n <= SMALL else number(n)
