"""Rows of a pack's tables in the making: figures that are published, derived from published ones, or assumed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from carecast.calibration.dfe.facts import Fact, Facts
from carecast.calibration.figures import FIGURE_COLUMNS, Figure
from carecast.model.parameters import How

Cells = dict[str, str]
TITLES = {
    "looked_after": "Children looked after in England including adoptions (DfE)",
    "started": "Children looked after in England including adoptions (DfE)",
    "ceased": "Children looked after in England including adoptions (DfE)",
    "new_placements": "Children looked after in England including adoptions (DfE)",
    "stability": "Children looked after in England including adoptions (DfE)",
    "rates": "Children looked after in England including adoptions (DfE)",
    "children_in_need": "Children in need (DfE)",
    "referrals": "Children in need (DfE)",
}


@dataclass(slots=True)
class Rows:
    """Tables of a pack by file name, filled row by row; and what the council's tables did not say."""

    facts: Facts
    period: str
    tables: dict[str, list[Cells]] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)

    def put(
        self,
        name: str,
        value: float,
        unit: str,
        source: str,
        how: How = "assumed",
        interval: tuple[float, float] | None = None,
        breakdown: str = "total",
        period: str = "",
        note: str = "",
        title: str = "",
    ) -> None:
        """Add a figure: to ``figures.csv`` when published, else to ``assumptions.csv``."""
        low, high = (shown(end) for end in interval) if interval else ("", "")
        row = dict(
            zip(
                FIGURE_COLUMNS,
                (
                    name,
                    self.facts.council,
                    period or self.period,
                    breakdown,
                    shown(value),
                    low,
                    high,
                    unit,
                    how,
                    title or ("assumption" if how == "assumed" else "derived"),
                    source,
                    note,
                ),
                strict=True,
            )
        )
        self.tables.setdefault("figures.csv" if how == "published" else "assumptions.csv", []).append(row)

    def put_fact(
        self,
        name: str,
        fact: Fact,
        unit: str,
        table: str,
        interval: tuple[float, float] | None = None,
        breakdown: str = "total",
        period: str = "",
        note: str = "",
    ) -> None:
        """Add a figure from a table, with its file and year."""
        told = "; ".join(part for part in (fact.note, note) if part)
        title = TITLES.get(table, "") if fact.how == "published" else ""
        self.put(name, fact.value, unit, fact.source, fact.how, interval, breakdown, period, told, title)

    def lacks(self, what: str, instead: str) -> None:
        """Note something the council's tables do not say and what stands in for it."""
        self.lacking.append(f"{what}: {instead}")

    def add(self, file: str, row: Mapping[str, object]) -> None:
        """Add a row to another table."""
        self.tables.setdefault(file, []).append({key: _text(value) for key, value in row.items()})


def shown(value: float) -> str:
    """A number as people write it: at most six significant digits, no exponent."""
    text = f"{value:.6g}"
    return f"{value:.0f}" if "e" in text else text


def _text(value: object) -> str:
    if value is None:
        return ""
    return shown(value) if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class National:
    """The figures all English councils share."""

    figures: tuple[Figure, ...]

    def value(self, name: str, breakdown: str = "total") -> float:
        """Central value."""
        return self.find(name, breakdown).value or 0.0

    def interval(self, name: str, breakdown: str = "total", factor: float = 1.0) -> tuple[float, float]:
        """80 % interval, times a factor."""
        figure = self.find(name, breakdown)
        low = figure.low if figure.low is not None else figure.value
        high = figure.high if figure.high is not None else figure.value
        return (low or 0.0) * factor, (high or 0.0) * factor

    def find(self, name: str, breakdown: str = "total") -> Figure:
        """The figure; KeyError names one that is missing."""
        for figure in self.figures:
            if figure.id == name and figure.breakdown == breakdown:
                return figure
        raise KeyError(f"national/england.csv: {name}, {breakdown}")
