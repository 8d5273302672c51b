"""From single forecasts to scores by measure and horizon, and to words: what a back-test found, in counts."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from carecast.calibration.backtest import scores
from carecast.calibration.backtest.past import TOTAL, add_months
from carecast.calibration.backtest.references import LAST_VALUE
from carecast.calibration.backtest.rolling import MODEL

SCORE_COLUMNS = (
    "measure", "breakdown", "horizon_months", "model", "origins", "mae", "mase", "crps", "crps_of_last_value",
    "nearer_than_last_value", "inside_50", "inside_80", "inside_95", "pit_below_10", "pit_above_90", "bias_percent",
    "mean_width_80",
)  # fmt: skip
COUNTS = ("origins", "nearer_than_last_value", "inside_50", "inside_80", "inside_95", "pit_below_10", "pit_above_90")
KEYS = ["measure", "breakdown", "horizon_months", "model"]
CASE = ["measure", "breakdown", "horizon_months", "origin"]
FEW = 5  # origins below which no verdict on intervals is given
UNLIKELY = 0.1
NARROW = 0.65  # share of counts inside the 80 % interval below which it is called too narrow, however few they are
YEAR_MONTHS = 12
SHARES = ((0.85, "clearly better than"), (0.95, "somewhat better than"), (1.05, "about as good as"),
          (1.2, "somewhat worse than"))  # fmt: skip


def score_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``scores.csv``: means over origins, and counts of them.

    ``crps_of_last_value``: CRPS over that of last value with its empirical error, on the same origins.
    ``mase``: error over the mean change of a year before the origin (for flows: of sums as long as the horizon).
    """
    base = rows[rows["model"] == LAST_VALUE].set_index(CASE)["crps"]
    joined = rows.join(base.rename("base"), on=CASE)
    out = []
    for key, part in joined.groupby(KEYS, sort=False):
        out.append(dict(zip(KEYS, cast("tuple[Any, ...]", key), strict=True)) | _scored(part))
    table = pd.DataFrame(out, columns=list(SCORE_COLUMNS))
    return table.astype({name: "Int64" for name in COUNTS})


def _scored(part: pd.DataFrame) -> dict[str, Any]:
    with_base = part.dropna(subset=["base"])
    spread = part["pit"].notna()
    counted = {f"inside_{level}": _count(part[f"inside_{level}"]) for level in scores.LEVELS}
    pit = part["pit"].astype(float)
    return {
        "origins": len(part),
        "mae": part["absolute_error"].mean(),
        "mase": part["scaled_error"].astype(float).mean(),
        "crps": part["crps"].mean(),
        "crps_of_last_value": scores.relative(with_base["crps"].to_numpy(), with_base["base"].to_numpy())
        if len(with_base)
        else float("nan"),
        "nearer_than_last_value": int((with_base["crps"] < with_base["base"]).sum()) if len(with_base) else None,
        "pit_below_10": int((pit < 0.1).sum()) if spread.any() else None,
        "pit_above_90": int((pit > 0.9).sum()) if spread.any() else None,
        "bias_percent": scores.bias_percent(part["mean"].to_numpy(), part["observed"].to_numpy()),
        "mean_width_80": (part["p90"] - part["p10"]).astype(float).mean(),
    } | counted


def _count(flags: pd.Series) -> int | None:
    known = flags.dropna()
    return int(known.sum()) if len(known) else None


def separate_tests(origins: Sequence[dt.date]) -> int:
    """How many years that do not overlap the origins' first year ahead covers: what dependent origins are worth."""
    days = sorted(origins)
    covered = (add_months(days[-1], YEAR_MONTHS) - days[0]).days / 365.25
    return max(1, min(len(days), round(covered)))


def in_words(ratio: float) -> str:
    """A relative score as a phrase."""
    if np.isnan(ratio):
        return "not comparable with"
    return next((words for limit, words in SHARES if ratio <= limit), "clearly worse than")


def verdict(table: pd.DataFrame, rows: pd.DataFrame, origins: Sequence[dt.date]) -> str:
    """What a reader takes from it, in counts: origins are few and depend on each other."""
    own = table[table["model"] == MODEL]
    total = own[(own["measure"] == TOTAL[0]) & (own["breakdown"] == TOTAL[1])]
    separate = separate_tests(origins)
    if len(origins) > 1:
        span = f"from {len(origins)} origins between {min(origins)} and {max(origins)}"
        worth = f"They overlap, and are worth about {separate} separate years." if separate < len(origins) else ""
    else:
        span, worth = f"from one origin, {origins[0]}", "One origin is one story, not a test."
    parts = [f"Back-tested {span}.", worth]
    parts += [_at_horizon(total, rows, months) for months in _shown_horizons(total)]
    ratio = _pooled(rows, own, (TOTAL,))
    parts.append(
        f"Over all horizons it is {in_words(ratio)} 'no change' for the number looked after{_types(rows, own)}."
    )
    parts.append(_intervals(total, separate, len(origins)))
    return " ".join(part for part in parts if part)


def _shown_horizons(total: pd.DataFrame) -> list[int]:
    known = sorted(total["horizon_months"])
    wanted = [months for months in (12, 24) if months in known]
    return wanted or known[-1:]


def _at_horizon(total: pd.DataFrame, rows: pd.DataFrame, months: int) -> str:
    row = total[total["horizon_months"] == months].iloc[0]
    n = int(row["origins"])
    cases = rows[(rows["model"] == MODEL) & (rows["measure"] == TOTAL[0]) & (rows["breakdown"] == TOTAL[1])]
    cases = cases[cases["horizon_months"] == months]
    miss = float((cases["mean"] - cases["observed"]).mean())
    side = "high" if miss > 0 else "low"
    off = "neither high nor low" if abs(miss) < 0.5 else f"{abs(miss):.0f} too {side}"
    return (
        f"Looked after, {months} months ahead: the 80 % interval held the count {row['inside_80']:.0f} of {n} times and the "
        f"95 % interval {row['inside_95']:.0f} of {n}; nearer than 'no change' {row['nearer_than_last_value']:.0f} of {n} "
        f"times; on average {off}."
    )


def _pooled(rows: pd.DataFrame, own: pd.DataFrame, cells: Sequence[tuple[str, str]]) -> float:
    """CRPS over that of last value, all horizons together, each cell in its own unit."""
    found = own[[(m, b) in cells for m, b in zip(own["measure"], own["breakdown"], strict=True)]]
    base = rows[rows["model"] == LAST_VALUE].groupby(KEYS[:3])["crps"].sum()
    mine = found.set_index(KEYS[:3])
    both = mine.join(base.rename("base"), how="inner")
    total = float(both["base"].sum())
    return float((both["crps"] * both["origins"]).sum()) / total if total > 0 else float("nan")


def _types(rows: pd.DataFrame, own: pd.DataFrame) -> str:
    kinds = [b for b in own["breakdown"].unique() if b.startswith("placement_type=")]
    ratios = [_pooled(rows, own, ((TOTAL[0], kind),)) for kind in kinds]
    known = [ratio for ratio in ratios if not np.isnan(ratio)]
    if not known:
        return ""
    return f", and better than it for {sum(ratio < 1 for ratio in known)} of {len(known)} placement types"


def _intervals(total: pd.DataFrame, separate: int, n_origins: int) -> str:
    if n_origins < FEW:
        return "Too few origins to judge the intervals."
    from scipy.stats import binom

    far = total[total["horizon_months"] >= min(6, int(total["horizon_months"].max()))]
    n = float(far["origins"].sum())
    held80, held50 = float(far["inside_80"].sum()) / n, float(far["inside_50"].sum()) / n
    if held80 < NARROW or binom.cdf(round(held80 * separate), separate, 0.8) < UNLIKELY:
        return "The intervals are too narrow: expect the count outside them more often than they say."
    if separate >= FEW and binom.sf(round(held50 * separate) - 1, separate, 0.5) < UNLIKELY:
        return "The intervals are wider than this council's past needed."
    return "The intervals hold about as often as they say, as far as so few tests can tell."


def held_counts(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Carecast's counts by measure and horizon, for the record beside the parameter set."""
    own = table[table["model"] == MODEL]
    columns = [*KEYS[:3], "origins", "nearer_than_last_value", "inside_50", "inside_80", "inside_95"]
    return [
        dict(zip(columns, (_plain(value) for value in row), strict=True))
        for row in own[columns].itertuples(index=False, name=None)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return None if pd.isna(value) else int(value)
