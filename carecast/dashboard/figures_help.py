"""The numbers of the page *Early help and workforce*: places, waits, staff and gaps. No words, no colours, no Streamlit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from carecast.dashboard import figures
from carecast.dashboard.figures_places import parameters_of
from carecast.model import spans
from carecast.model import words as w
from carecast.model.parameters import BadFile
from carecast.model.plan import ChangePlaces
from carecast.model.summary import BASELINE, Values
from carecast.scenarios.apply import apply
from carecast.scenarios.library import load_scenario
from carecast.scenarios.run import Run
from carecast.scenarios.workforce import workforce

SERVICE = "early_help"


@dataclass(frozen=True)
class Pool:
    """Places of one pool of early help, in families at once; none: without limit."""

    where: str
    places: int | None


def pools(run: Run) -> tuple[Pool, ...]:
    """The pools of early help as the parameter set has them."""
    return tuple(
        Pool(", ".join(pool["localities"]) or "The whole council", pool["places"])
        for pool in run.record["parameters"]["service_pools"]
        if pool["service"] == SERVICE
    )


def places_added(run: Run, scenario: str) -> Values:
    """Places (families at once) that the levers of a scenario add to early help at each month end; medians of sizes."""
    p = parameters_of(run)
    plan = apply(p, load_scenario(run.folder / "inputs" / f"{scenario}.toml"), run.calendar.until)
    codes = {SERVICE, *(pool.code for pool in p.service_pools if pool.service == SERVICE)}
    days = run.calendar.month_end_days
    total: Values = np.zeros(len(days))
    for change in plan.changes:
        if isinstance(change, ChangePlaces) and change.target in codes:
            last = w.NEVER if change.window.to_day is None else change.window.to_day
            held = (days >= change.window.from_day) & (days <= last)
            total += change.add.median * held * spans.ramp_by_month(run.calendar, change.window)[: run.calendar.n_rows]
    return total


def places_there_are(run: Run, scenario: str) -> Values | None:
    """Places of all pools together at each month end; None where a pool has no limit or there is none."""
    held = [pool.places for pool in pools(run)]
    known = [places for places in held if places is not None]
    if not held or len(known) < len(held):
        return None
    added: Values = sum(known) + places_added(run, scenario)
    return added


def staff(run: Run, scenario: str | None) -> tuple[pd.DataFrame | None, str]:
    """`carecast workforce` of the baseline and the scenario beside it; or why there is none."""
    try:
        return workforce(run, figures.shown_scenarios(run, scenario)), ""
    except BadFile as error:
        return None, "; ".join(error.lines)


def waits_by(waits: pd.DataFrame, by: str) -> pd.DataFrame:
    """Early help waits by locality or age: starts, waited, mean wait in days, left without help, escalated."""
    weighted = waits.assign(days=waits["mean_wait_days"] * waits["starts"])
    columns = ["starts", "waited", "days", "left_without_help", "escalated_while_waiting", "child_years_waited"]
    found: pd.DataFrame = weighted.groupby(by, sort=True)[columns].sum().reset_index()
    found["mean_wait_days"] = np.divide(
        found["days"], found["starts"], out=np.zeros(len(found)), where=(found["starts"] > 0).to_numpy()
    )
    return found


def missing_most(missing: pd.DataFrame) -> pd.DataFrame:
    """What children went without, by locality, ages together: most child-years first."""
    keys = ["what", "wanted", "locality"]
    summed = missing.groupby(keys, sort=False)[["children", "child_years", "extra_cost_gbp"]].sum().reset_index()
    found: pd.DataFrame = summed.sort_values("child_years", ascending=False, kind="stable").reset_index(drop=True)
    return found


__all__ = ["BASELINE", "Pool", "missing_most", "places_added", "places_there_are", "pools", "staff", "waits_by"]
