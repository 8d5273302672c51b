"""The code sets of the returns, each with its source, from ``calibration/codes/``."""

import csv
import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "codes"
OWN_PROVIDER = "PR1"
KINDS_WITHOUT_PROVIDER = ("T", "Z")


@dataclass(frozen=True, slots=True)
class Code:
    """One code: what it means here, and the dates it was in use."""

    code: str
    label: str
    means: str
    valid_from: dt.date | None
    valid_to: dt.date | None


@cache
def ssda903(column: str) -> dict[str, Code]:
    """Codes of one column of the looked-after children return, of every year."""
    return {
        row["code"]: Code(row["code"], row["label"], row["means"], _day(row["valid_from"]), _day(row["valid_to"]))
        for row in _rows("ssda903.csv")
        if row["field"] == column
    }


@cache
def clas(which: str) -> dict[str, str]:
    """Labels of the Scottish return and what they mean here."""
    return {row["label"]: row["means"] for row in _rows("clas.csv") if row["field"] == which}


@cache
def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


@cache
def placement_type(place: str, provider: str) -> str:
    """The placement type of a place code and provider; ``temporary`` for absences; blank when the code is unknown.

    Own provision without a provider: fostering is taken as own, a home as external (the commoner case of each).
    """
    known = ssda903("PLACE").get(place)
    means = known.means if known else ""
    if means == "foster":
        return "foster_own" if provider in (OWN_PROVIDER, "") else "foster_agency"
    if means == "home":
        return "childrens_house_own" if provider == OWN_PROVIDER else "residential_external"
    return means
