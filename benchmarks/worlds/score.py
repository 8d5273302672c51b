"""Scores of the forecasts of synthetic councils beside the bars: CRPS, coverage, PIT, bias, width."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.table import Line
from benchmarks.worlds.cases import CELLS, CONSTANT, HORIZONS, LAST, MODEL, ORACLE, Case
from benchmarks.worlds.world import NINE
from carecast.calibration.backtest import scores

PART = "synthetic councils: forecasts of 12, 24 and 36 months"
SCORED = (12, 24, 36)  # months: what the bars are about
COLUMNS = ["world", "wild", "size", "origin", "cell", "months", "forecaster", "observed", "mean", "crps", "in_50", "in_80",
           "in_95", "width_80", "pit", "scale"]  # fmt: skip


def table(found: Sequence[Case]) -> pd.DataFrame:
    """A row for each forecast and its outcome; ``scale`` is the council's children on the day of the origin."""
    rows: list[list[Any]] = []
    for case in found:
        scale = float(case.forecasts[LAST, "total"][0].mean())
        head = [case.world, case.is_wild, case.size, case.origin]
        for (forecaster, cell), ensembles in case.forecasts.items():
            for at, months in enumerate(HORIZONS):
                name = f"{case.world}|{case.origin}|{cell}|{months}|{forecaster}"
                seen = float(case.observed[cell][at])
                rows.append([*head, cell, months, forecaster, seen, *_row(ensembles[at], seen, name), scale])
        for year, (pounds, ensembles_by) in case.spend.items():
            for forecaster, values in ensembles_by.items():
                name = f"{case.world}|{case.origin}|spend|{year}|{forecaster}"
                months = 12 * (year - case.origin.year)
                rows.append([*head, "spend", months, forecaster, pounds, *_row(values, pounds, name), pounds])
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(values: np.ndarray, seen: float, name: str) -> list[float]:
    crps = float(scores.crps(values, seen))
    if len(values) == 1:
        return [float(values[0]), crps, *[np.nan] * 5]
    held = [float(scores.is_inside(values, seen, level)) for level in scores.LEVELS]
    low, high = scores.interval(values, 80)
    return [float(values.mean()), crps, *held, float(high - low), scores.pit(values, seen, name)]


def relative(frame: pd.DataFrame, cells: Sequence[str], against: str = LAST, of: str = MODEL) -> float:
    """Mean CRPS over that of a reference on the same forecasts, each council scaled by its size."""
    some = frame[frame["cell"].isin(cells) & frame["months"].isin(SCORED)]
    keys = ["world", "origin", "cell", "months"]
    own, other = (some[some["forecaster"] == name].set_index(keys) for name in (of, against))
    both = own.index.intersection(other.index)
    if not len(both):
        return float("nan")
    own, other = own.loc[both], other.loc[both]
    return scores.relative((own["crps"] / own["scale"]).to_numpy(), (other["crps"] / other["scale"]).to_numpy())


def held(frame: pd.DataFrame, cells: Sequence[str], level: int, of: str = MODEL) -> float:
    """Per cent of outcomes inside the central interval."""
    some = frame[frame["cell"].isin(cells) & frame["months"].isin(SCORED) & (frame["forecaster"] == of)]
    return 100 * float(some[f"in_{level}"].mean())


def bias(frame: pd.DataFrame, cells: Sequence[str], months: int = 24, of: str = MODEL) -> float:
    """Mean over councils of (forecast less observed) in per cent of the children at the origin."""
    some = frame[frame["cell"].isin(cells) & (frame["months"] == months) & (frame["forecaster"] == of)]
    return 100 * float(((some["mean"] - some["observed"]) / some["scale"]).mean())


def width(frame: pd.DataFrame, cells: Sequence[str], of: str = MODEL) -> float:
    """Mean width of the 80 per cent interval in per cent of the children at the origin."""
    some = frame[frame["cell"].isin(cells) & frame["months"].isin(SCORED) & (frame["forecaster"] == of)]
    return 100 * float((some["width_80"] / some["scale"]).mean())


def lines(frame: pd.DataFrame) -> list[Line]:
    """The bars, and what stands beside them."""
    total, own, part = ["total"], ["foster_own"], PART
    n = frame[(frame["cell"] == "total") & (frame["forecaster"] == MODEL)].groupby(["world", "origin"]).ngroups
    out = [
        Line(part, "CRPS of the total over last value", relative(frame, total), "x", 0.88, note=f"{n} cases"),
        Line(part, "CRPS of nine types over last value", relative(frame, NINE), "x", 0.88),
        Line(part, "CRPS of own foster over last value", relative(frame, own), "x", 0.80),
    ]
    for group in ("foster", "residential", "supported"):
        found = relative(frame, [f"group {group}"], CONSTANT)
        out.append(Line(part, f"CRPS of {group} over constant daily rates", found, "x", 0.60))
    ranges = ((total, "total", 80, 74, 87), (total, "total", 95, 91, None), (NINE, "types", 80, 76, 86))
    for cells, name, level, least, most in ranges:
        inside = held(frame, cells, level)
        out.append(Line(part, f"{level} % interval of the {name} holds", inside, "%", least, at_least=True))
        if most:
            out.append(Line(part, f"{level} % interval of the {name} holds at most", inside, "%", most))
    signed = f"signed {bias(frame, total):+.2f} %; last value {bias(frame, total, of=LAST):+.2f} %"
    out.append(Line(part, "bias of the total at 24 months, either way", abs(bias(frame, total)), "%", 1.5, note=signed))
    out += [Line(part, "50 % interval of the total holds", held(frame, total, 50), "%"),
            Line(part, "width of the total's 80 % interval", width(frame, total), "% of children",
                 note=f"last value {width(frame, total, LAST):.1f}, oracle {width(frame, total, ORACLE):.1f}"),
            Line(part, "CRPS of spend over last value", relative(frame, ["spend"]), "x",
                 note=f"80 % holds {held(frame, ['spend'], 80):.0f} %, bias {bias(frame, ['spend']):+.1f} %")]  # fmt: skip
    return out


def _cell(value: float, wide: int, form: str) -> str:
    """A number in a column; a dash when there is none."""
    return ("-" if np.isnan(value) else format(value, form)).rjust(wide)


def _row_of(first: str, figures: Sequence[tuple[float, int, str]]) -> str:
    return first.ljust(26) + "".join(_cell(*figure) for figure in figures)


def by_case(frame: pd.DataFrame) -> str:
    """One line a case: relative CRPS, coverage at the scored horizons, bias at two years."""
    out = [f"{'CRPS over last value':38}{'total':>7}{'oracle':>8}{'types':>7}{'oracle':>8}{'own f.':>8}{'oracle':>8}"
           f"{'in 80':>7}{'types':>7}{'bias 24m':>10}{'width':>7}{'spend':>7}"]  # fmt: skip
    for (world, origin), some in frame.groupby(["world", "origin"], sort=False):
        total, own, nine = ["total"], ["foster_own"], list(NINE)
        figures = [
            (relative(some, total), 7, ".2f"), (relative(some, total, of=ORACLE), 8, ".2f"),
            (relative(some, nine), 7, ".2f"), (relative(some, nine, of=ORACLE), 8, ".2f"),
            (relative(some, own), 8, ".2f"), (relative(some, own, of=ORACLE), 8, ".2f"),
            (held(some, total, 80), 7, ".0f"), (held(some, nine, 80), 7, ".0f"), (bias(some, total), 10, "+.1f"),
            (width(some, total), 7, ".0f"), (relative(some, ["spend"]), 7, ".2f"),
        ]  # fmt: skip
        out.append(_row_of(str(world), []) + str(origin).ljust(12) + "".join(_cell(*figure) for figure in figures))
    return "\n".join(out)


def by_type(frame: pd.DataFrame) -> str:
    """One line a cell: CRPS against last value, constant rates and the oracle's, coverage, bias, width."""
    out = [f"{'in % of children':26}{'/ last':>8}{'oracle':>8}{'/ const':>9}{'in 50':>7}{'in 80':>7}{'in 95':>7}"
           f"{'bias 12':>9}{'24':>7}{'36':>7}{'width':>8}{'last':>7}{'oracle':>8}"]  # fmt: skip
    for cell in (*CELLS, "spend"):
        one = [cell]
        figures = [
            (relative(frame, one), 8, ".2f"), (relative(frame, one, of=ORACLE), 8, ".2f"),
            (relative(frame, one, CONSTANT), 9, ".2f"), *((held(frame, one, level), 7, ".0f") for level in scores.LEVELS),
            (bias(frame, one, 12), 9, "+.1f"), (bias(frame, one, 24), 7, "+.1f"), (bias(frame, one, 36), 7, "+.1f"),
            (width(frame, one), 8, ".1f"), (width(frame, one, LAST), 7, ".1f"), (width(frame, one, ORACLE), 8, ".1f"),
        ]  # fmt: skip
        out.append(_row_of(cell, figures))
    return "\n".join(out)
