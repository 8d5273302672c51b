"""Paired differences between scenarios, each replication with itself; and safety beside every saving."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from carecast.model.summary import BASELINE, PROMISED, TOTAL, Answers, Grid, Values, difference, spread

INTERVALS_PER_MILLE = {"p10": 100, "p90": 900, "p025": 25, "p975": 975}  # 80 % and 95 %
MONTHS_OF_SAFETY = 12

# What may not get worse unseen; the sign says which way is worse.
SAFETY_MEASURES = {
    "re_referral_12m_percent": 1,
    "repeat_protection_18m_percent": 1,
    "re_entry_12m_percent": 1,
    "kinship_breakdowns": 1,
    "three_placements_percent": 1,
    "escalations_waiting": 1,
    "siblings_together_percent": -1,
}
SAVING_MEASURES = ("gross_saving_gbp", "net_saving_gbp", "cashable_saving_gbp", "avoided_cost_gbp",
                   "released_capacity_gbp", "cumulative_net_saving_gbp")  # fmt: skip


def compare(answers: Sequence[Answers], against: str = BASELINE) -> pd.DataFrame:
    """Every promised measure and date of every other scenario, minus ``against``.

    Columns: scenario, against, date, measure, breakdown, mean (of the scenario), mean_against, difference (mean of the
    paired differences), sd of them, p10 and p90 (80 % interval), p025 and p975 (95 %), is_safety.
    """
    base = _named(answers, against)
    parts = []
    for found in answers:
        if found is base:
            continue
        for grid, base_grid in zip(found.grids, base.grids, strict=True):
            parts.append(_differences(found.scenario, against, grid.only(PROMISED), base_grid.only(PROMISED)))
    return pd.concat(parts, ignore_index=True) if parts else _differences_of_none()


def safety_beside_savings(answers: Sequence[Answers], against: str = BASELINE) -> pd.DataFrame:
    """Savings and safety of each scenario in one table.

    Savings are those of the last financial year of the run, if it has a day; a safety measure is its mean over the last
    twelve months (a sum for counts). ``chance_worse`` is the share of replications in which it is worse than in ``against``;
    ``worse`` says that the whole 80 % interval of the paired difference lies on the worse side. Both are empty for
    savings.
    """
    base = _named(answers, against)
    rows = []
    for found in answers:
        if found is base:
            continue
        for measure in SAVING_MEASURES if found.yearly.dates else ():
            ours, theirs = (side.yearly.of(measure)[:, -1] for side in (found, base))
            rows.append(_beside(found.scenario, against, measure, ours, theirs))
        for measure in SAFETY_MEASURES:
            if found.monthly.has(measure):
                ours, theirs = (last_months(side.monthly, measure) for side in (found, base))
                rows.append(_beside(found.scenario, against, measure, ours, theirs))
    columns = ("scenario", "against", "measure", "mean", "mean_against", "difference", "p10", "p90")
    return pd.DataFrame(rows, columns=pd.Index([*columns, "chance_worse", "worse"]))


def _named(answers: Sequence[Answers], name: str) -> Answers:
    for found in answers:
        if found.scenario == name:
            return found
    raise KeyError(f"the run has no scenario {name!r}; it has {', '.join(found.scenario for found in answers)}")


def _differences(scenario: str, against: str, ours: Grid, theirs: Grid) -> pd.DataFrame:
    statistics = spread(difference(ours, theirs), list(INTERVALS_PER_MILLE.values()))
    n_rows, n_dates = len(ours.rows), len(ours.dates)
    names = ("difference", "sd", *INTERVALS_PER_MILLE)
    return pd.DataFrame(
        {
            "scenario": scenario,
            "against": against,
            "date": np.tile([date.isoformat() for date in ours.dates], n_rows),
            "measure": np.repeat([measure for measure, _ in ours.rows], n_dates),
            "breakdown": np.repeat([breakdown for _, breakdown in ours.rows], n_dates),
            "mean": ours.values.mean(axis=0).ravel(),
            "mean_against": theirs.values.mean(axis=0).ravel(),
            **{name: part.ravel() + 0.0 for name, part in zip(names, statistics, strict=True)},
            "is_safety": np.repeat([measure in SAFETY_MEASURES for measure, _ in ours.rows], n_dates),
        }
    )


def _differences_of_none() -> pd.DataFrame:
    empty = Grid((), (), np.zeros((1, 0, 0)))
    return _differences("", "", empty, empty)


def last_months(grid: Grid, measure: str) -> Values:
    """One safety measure, [replication]: mean of a percentage, sum of a count, over the last twelve months."""
    values = grid.of(measure, TOTAL)[:, -MONTHS_OF_SAFETY:]
    summary: Values = values.mean(axis=1) if measure.endswith("_percent") else values.sum(axis=1)
    return summary


def _beside(scenario: str, against: str, measure: str, ours: Values, theirs: Values) -> tuple[object, ...]:
    paired = ours - theirs
    mean, _, low, high = spread(paired, [100, 900])
    worse_sign = SAFETY_MEASURES.get(measure)
    chance_worse = None if worse_sign is None else float((paired * worse_sign > 1e-9).mean())
    worse = None if worse_sign is None else bool(min(low * worse_sign, high * worse_sign) > 1e-9)
    shown = (float(value) for value in (ours.mean(), theirs.mean(), mean, low, high))
    return (scenario, against, measure, *shown, chance_worse, worse)
