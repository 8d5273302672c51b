"""Every constant the fits rest on, in one table: what it is, its unit, whether it was assumed, tuned or published, and why.

The table is ``codes/constants.csv``. The values stand where they are used and are read from there, so that the table cannot
drift from the code. They are carried in every parameter set as numbers named ``calibration.MODULE.NAME``, never drawn, so
that the register of all numbers shows them beside what was fitted and what was published, and the three are never mixed up.
"""

import csv
import importlib
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from carecast.calibration.readers.codes import FOLDER
from carecast.model.parameters import Number

Way = Literal["returns", "aggregates"]
ORIGINS = ("assumed", "tuned", "published")
HOMES = {"matching": "carecast.calibration.", "english_care": "carecast.calibration.",
         "swing_rows": "carecast.calibration.dfe.", "flow_rows": "carecast.calibration.dfe."}  # fmt: skip  # else of returns
USUAL_HOME = "carecast.calibration.returns."
NOTES = {
    "assumed": "A constant of the way of calibrating, not of the council.",
    "tuned": "Tuned once for all councils: a constant of the way of calibrating, not of the council.",
    "published": "From published figures of many councils, not of this one.",
}


@dataclass(frozen=True, slots=True)
class Assumption:
    """One constant: where it stands (``module.NAME`` or ``module.NAME.field``, ``key`` in a table), and what it is."""

    way: str  # returns, aggregates
    where: str
    key: str
    what: str
    unit: str
    how: str  # assumed, tuned, published
    source: str

    @property
    def value(self) -> float:
        """As the code has it."""
        module, *names = self.where.split(".")
        found: Any = importlib.import_module(HOMES.get(module, USUAL_HOME) + module)
        for name in names:
            found = getattr(found, name)
        return float(found[self.key] if self.key else found)

    @property
    def name(self) -> str:
        """In the register, such as ``calibration.levels.entries.walk``."""
        return ".".join(["calibration", *self.where.lower().split("."), *([self.key] if self.key else [])])


@cache
def table() -> tuple[Assumption, ...]:
    """Every constant, in the order of the file."""
    with (FOLDER / "constants.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Assumption(**row) for row in csv.DictReader(file))


@cache
def numbers_of(way: Way) -> dict[str, Number]:
    """The constants of a way of calibrating as numbers of a parameter set: no interval, never drawn."""
    return {
        row.name: Number(
            value=row.value, unit=row.unit, how="published" if row.how == "published" else "assumed", source=row.source,
            note=f"{row.what}. {NOTES[row.how]}",
        )
        for row in table() if row.way == way
    }  # fmt: skip
