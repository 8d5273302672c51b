"""Calibration from DfE tables alone, on imaginary councils: as at 31 March 2023, forecast to 2024 and 2025.

Bars: the 80 % interval of children looked after holds 74 to 88 %, the 95 % interval at least 91 %; CRPS below last value
with the spread of the council's own five counts; absolute error no worse, and better for residential care. Half of the
councils are read in the layout of 2025, half in the one before. A few dozen councils tell coverage to some five per cent:
the note says how many forecasts there were.
"""

import datetime as dt
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.dfe_councils import YEARS, Area, imaginary, write
from benchmarks.table import Line
from carecast.calibration.arrays import Array
from carecast.calibration.backtest import scores

PART = "aggregates only: imaginary councils in DfE's layouts, as at 31 March 2023"
AS_AT = dt.date(2023, 3, 31)
AHEAD = (1, 2)
SEED, RUN_SEED = 2023, 7
EXTREMES = (36.0, 60.0, 1300.0)  # sizes that are always among them
LAST_VALUE_SIZE = 2000
ERROR_OF_CHANCE = 0.03  # a ratio of errors this near one is chance with a few dozen councils
WIDTH = 1.2815515655446004 * 2  # of an 80 % interval in standard deviations


@dataclass(frozen=True)
class Scored:
    """One forecast of one count: against what came, and against last value."""

    size: float  # children looked after on the day
    last: float
    came: float
    ensemble: Array
    reference: Array

    def held(self, level: float) -> bool:
        """Whether the interval held what came."""
        return bool(scores.is_inside(self.ensemble, self.came, level))

    def crps(self) -> tuple[float, float]:
        """Of the forecast and of last value, per child looked after."""
        own, other = (float(scores.crps(values, self.came)) for values in (self.ensemble, self.reference))
        return own / self.size, other / self.size

    def error(self) -> tuple[float, float]:
        """Absolute error of the median and of last value, per child looked after."""
        return abs(float(np.median(self.ensemble)) - self.came) / self.size, abs(self.last - self.came) / self.size

    def spread(self) -> float:
        """Log standard deviation of which the 80 % interval speaks."""
        low, high = np.maximum(np.quantile(self.ensemble, [0.1, 0.9]), 0.5)
        return math.log(high / low) / WIDTH


def last_value(counts: Sequence[float], years: int) -> Array:
    """The last count with the log standard deviation of the counts' own changes, as a sample of even quantiles."""
    from scipy.special import ndtri

    spread = float(np.std(np.diff(np.log(counts)), ddof=1)) * math.sqrt(years)
    found: Array = counts[-1] * np.exp(spread * ndtri((np.arange(LAST_VALUE_SIZE) + 0.5) / LAST_VALUE_SIZE))
    return found


def forecast(folder: Path, council: str, replications: int) -> Array:
    """[replication][looked after in 1 and 2 years, residential in 1 and 2 years] from the tables of a folder."""
    from carecast.calibration.dfe.door import calibrate_tables
    from carecast.calibration.matching import summaries
    from carecast.calibration.readers import read_history

    history, report = read_history(folder, "dfe", council)
    made = calibrate_tables(history, report, council, AS_AT)
    found: Array = summaries(made, replications, RUN_SEED)[:, :4]
    return found


def scored(council: Area, found: Array) -> tuple[list[Scored], list[Scored]]:
    """Forecasts of children looked after and of those in residential care."""
    now = AS_AT.year
    counts = [council.total(year) for year in YEARS if year <= now]
    size = counts[-1]
    total = [
        Scored(size, size, council.total(now + ahead), found[:, at], last_value(counts, ahead))
        for at, ahead in enumerate(AHEAD)
    ]
    homes = council.residential(now)
    residential = [
        Scored(size, homes, council.residential(now + ahead), found[:, len(AHEAD) + at], np.array([homes, homes]))
        for at, ahead in enumerate(AHEAD)
    ]
    return total, residential


def measure(councils: int, replications: int, seed: int = SEED) -> list[Line]:
    """Forecast so many imaginary councils and score them; bars only where there are enough of them."""
    areas = imaginary(councils, seed, EXTREMES)
    total: list[Scored] = []
    residential: list[Scored] = []
    failed = 0
    with tempfile.TemporaryDirectory(prefix="carecast-dfe-") as holder:
        folders = [write(Path(holder) / str(layout), areas, layout) for layout in (2025, 2024)]
        for at, council in enumerate(areas[2:]):
            try:
                found = forecast(folders[at % 2], council.name, replications)
            except Exception as error:  # one line of the report: the others still count
                print(f"  {council.name} ({council.total(AS_AT.year):.0f} children): {error}")
                failed += 1
                continue
            for made, kept in zip(scored(council, found), (total, residential), strict=True):
                kept += made
    return [Line(PART, "councils that could not be calibrated", failed, "councils", 0), *lines(total, residential)]


def lines(total: Sequence[Scored], residential: Sequence[Scored]) -> list[Line]:
    """Scores as a table."""
    n = len(total)
    judged = n >= 30
    held = {level: float(np.mean([one.held(level) for one in total])) for level in (80, 95)}
    note = f"{n} forecasts of {n // len(AHEAD)} councils: give or take {math.sqrt(0.8 * 0.2 / max(n, 1)):.2f} by chance"

    def bar(value: float) -> float | None:
        return value if judged else None

    return [
        Line(PART, "looked after: inside 80 %, at least", held[80], "share", bar(0.74), at_least=True, note=note),
        Line(PART, "looked after: inside 80 %, at most", held[80], "share", bar(0.88)),
        Line(PART, "looked after: inside 95 %", held[95], "share", bar(0.91), at_least=True),
        Line(PART, "looked after: CRPS of last value", _ratio([one.crps() for one in total]), "ratio", bar(1.0)),
        Line(PART, "looked after: absolute error of last value", _ratio([one.error() for one in total]), "ratio",
             bar(1 + ERROR_OF_CHANCE)),
        Line(PART, "residential care: inside 80 %", float(np.mean([one.held(80) for one in residential])), "share"),
        Line(PART, "residential care: absolute error of last value", _ratio([one.error() for one in residential]),
             "ratio", bar(1.0)),
        *[Line(PART, f"residential care: spread in {ahead} year, of the real one", _relative_spread(residential, at),
               "ratio", note="simulated log standard deviation over that of what came") for at, ahead in enumerate(AHEAD)],
    ]  # fmt: skip


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """Mean of the first over mean of the second."""
    own, other = np.mean(np.array(pairs), axis=0)
    return float(own / other)


def _relative_spread(forecasts: Sequence[Scored], at: int) -> float:
    """Mean simulated spread over the robust spread of what came about the median."""
    mine = forecasts[at :: len(AHEAD)]
    missed = [
        math.log(max(one.came, 0.5) / max(float(np.median(one.ensemble)), 0.5)) / max(one.spread(), 1e-9)
        for one in mine
    ]
    return 1 / max(float(np.quantile(np.abs(missed), 0.6827)), 1e-9)
