"""Evidence on effects: published sizes in sceptical, central and optimistic settings, from the shipped table."""

import csv
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import carecast

TABLE = Path(carecast.__file__).parent / "calibration" / "published" / "evidence" / "effects.csv"
SETTINGS = ("sceptical", "central", "optimistic")
NARROWER = 1.2815515655446004 / 1.959963984540054  # from a 95 % to an 80 % interval on the log scale


@dataclass(frozen=True, slots=True)
class Evidence:
    """One intervention in one setting; ``ratio`` is None where no source gives a size that can be used."""

    intervention: str
    setting: str
    stage: str
    measure: str
    ratio: float | None
    low_80: float | None
    high_80: float | None
    control_risk: float | None
    hazard_ratio: float | None
    source: str
    note: str

    def as_hazard(self) -> tuple[float | None, float | None, float | None]:
        """(median, low, high) as a hazard ratio: ln(1 - risk x RR) / ln(1 - risk), the risk being that of controls."""
        if self.hazard_ratio is None or self.ratio is None or self.low_80 is None or self.high_80 is None:
            return self.hazard_ratio, None, None
        return self.hazard_ratio, self._to_hazard(self.low_80), self._to_hazard(self.high_80)

    def as_ratio(self) -> tuple[float | None, float | None, float | None]:
        """(median, low, high) as a ratio of risks."""
        return self.ratio, self.low_80, self.high_80

    def _to_hazard(self, ratio: float) -> float:
        if not self.control_risk:
            return ratio
        return math.log(1 - min(self.control_risk * ratio, 0.999)) / math.log(1 - self.control_risk)


@lru_cache(maxsize=1)
def table() -> dict[tuple[str, str], Evidence]:
    """Every row by (intervention, setting)."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = [_row(row) for row in csv.DictReader(file)]
    return {(row.intervention, row.setting): row for row in rows}


def interventions() -> tuple[str, ...]:
    """Names that a lever's ``evidence`` may give."""
    return tuple(dict.fromkeys(name for name, _ in table()))


def find(intervention: str, setting: str = "central") -> Evidence | None:
    """The row of an intervention in a setting, or its central row where the setting has none of its own."""
    return table().get((intervention, setting)) or table().get((intervention, "central"))


def _row(row: dict[str, str]) -> Evidence:
    ratio, hazard = _number(row["effect"]), _number(row["hazard_ratio"])
    if hazard == 1.0:
        ratio = 1.0  # the trial's own point estimate is not used: no effect in this setting
    low, high = _number(row["low_95"]), _number(row["high_95"])
    if ratio is None or hazard == 1.0 or low is None or high is None:
        low = high = None
    else:
        low, high = ratio * (low / ratio) ** NARROWER, ratio * (high / ratio) ** NARROWER
    return Evidence(
        intervention=row["intervention"],
        setting=row["setting"],
        stage=row["stage"],
        measure=row["measure"],
        ratio=ratio,
        low_80=low,
        high_80=high,
        control_risk=_number(row["control_risk"]),
        hazard_ratio=hazard,
        source=row["source"],
        note=row["note"],
    )


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None
