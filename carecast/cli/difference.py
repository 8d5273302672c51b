"""``carecast diff``: what a recalibration moved."""

import math
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from carecast.cli.doors import show, show_json
from carecast.cli.options import Json
from carecast.cli.text import records, short, table, wrapped
from carecast.model.parameters import Calibrated, load

MOST_ROWS = 25
NOTABLE = 1.0  # standard errors
DECIMALS = 6


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD_PARAMETERS", help="The parameter set before.")],
    new: Annotated[Path, typer.Argument(metavar="NEW_PARAMETERS", help="The parameter set after.")],
    replications: Annotated[int, typer.Option("--replications", min=2, help="Worlds of each forecast.")] = 200,
    forecast: Annotated[bool, typer.Option("--forecast/--no-forecast", help="Also tell both baselines.")] = True,
    everything: Annotated[bool, typer.Option("--all", help="Show every number that moved.")] = False,
    as_json: Json = False,
) -> None:
    """What moved between two parameter sets, by how many standard errors, and what that does to the forecast.

    Example: `carecast diff parameters/june parameters/july`
    """
    from carecast.calibration.difference import difference, effect_on_forecast

    before, after = load(old), load(new)
    moved = difference(before, after)
    effect = effect_on_forecast(before, after, replications) if forecast else pd.DataFrame()
    if as_json:
        show_json({
            "old": str(old), "new": str(new), "as_at": [before.parameters.as_at, after.parameters.as_at],
            "summary": summary(before, after, moved), "moved": records(moved, DECIMALS), "forecast": records(effect),
        })  # fmt: skip
        return
    show(on_screen(before, after, moved, effect, None if everything else MOST_ROWS))


def summary(before: Calibrated, after: Calibrated, moved: pd.DataFrame) -> str:
    """One sentence."""
    size = moved["standard_errors"].abs()
    known, far = int(size.notna().sum()), int((size > NOTABLE).sum())
    return (
        f"{after.parameters.council}: from {before.parameters.as_at} to {after.parameters.as_at}, {len(moved)} numbers are "
        f"not the same; of {known} with a standard error {far} moved by more than one."
    )


def on_screen(
    before: Calibrated, after: Calibrated, moved: pd.DataFrame, effect: pd.DataFrame, most: int | None
) -> str:  # fmt: skip
    """The sentence, the forecasts, the numbers that moved furthest."""
    parts = [wrapped(summary(before, after, moved))]
    if not len(moved):
        return parts[0]
    if len(effect):
        parts.append(forecast_table(effect))
    shown = moved if most is None else moved.head(most)
    rows = [
        [row["number"], row["unit"], _value(row["old"]), _value(row["new"]), _errors(row["standard_errors"]), _how(row)]
        for row in shown.to_dict("records")
    ]
    parts.append(table(["What moved furthest", "unit", "old", "new", "standard errors", "how"], rows))
    if len(moved) > len(shown):
        parts.append(f"and {len(moved) - len(shown)} more; --all shows them")
    return "\n\n".join(parts)


def forecast_table(effect: pd.DataFrame) -> str:
    """Both forecasts at the same dates."""
    from carecast.calibration.backtest.report import label

    rows = [
        [f"{label(row['measure'], row['breakdown'])}, {row['date']}", _with_interval(row, "old"), _with_interval(row, "new"),
         f"{row['change']:+.1f}", _errors(row["old_sds"])]
        for row in effect.to_dict("records")
    ]  # fmt: skip
    return table(["What it does to the forecast", "old (80 %)", "new (80 %)", "change", "in old sd"], rows)


def _with_interval(row: dict[Any, Any], which: str) -> str:
    return f"{row[f'{which}_mean']:,.0f} ({row[f'{which}_p10']:,.0f} to {row[f'{which}_p90']:,.0f})"


def _value(value: float) -> str:
    return "-" if math.isnan(value) else short(value)


def _errors(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.1f}"


def _how(row: dict[Any, Any]) -> str:
    return (
        row["how_new"] if row["how_old"] in (row["how_new"], "") else f"{row['how_old']} -> {row['how_new'] or 'gone'}"
    )
