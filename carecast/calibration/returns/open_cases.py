"""Open cases before care that no file tells of: as the pathway itself would hold them at the council's own numbers.

The set's pathway is simulated for some years without drift, several times, and one of so many of its open cases at the
end are taken: as many at each stage, as old and as long open as it keeps up by itself, so that entries begin at their
level and not with a wave or a trough. States that a file tells of (early help, support, protection) are the council's
own rows.
"""

import datetime as dt

import numpy as np
import pandas as pd

from carecast.calibration.arrays import Ints
from carecast.calibration.returns import care_stock
from carecast.model import rules
from carecast.model import words as w
from carecast.model.event_log import Children, Log
from carecast.model.parameters import STOCK_COLUMNS, Calibrated, ParameterSet

YEARS = 5
REPLICATIONS = 8
SEED = 20260402
STATE_AFTER = {
    w.EARLY_HELP_ASKED: "early_help_waiting", w.EARLY_HELP_STARTED: "early_help",
    w.ASSESSMENT_ASKED: "assessment_waiting", w.ASSESSMENT_STARTED: "assessment", w.SUPPORT_STARTED: "support",
    w.PROTECTION_STARTED: "protection", w.PRE_ENTRY_STARTED: "pre_entry", w.CASE_CLOSED: "closed",
}  # fmt: skip
ENDS = (w.ENTERED_CARE, w.AFTER_CARE_STARTED, w.ADVICE_GIVEN, w.EARLY_HELP_WAIT_LEFT)
WAITING = {"early_help_waiting": "early_help", "assessment_waiting": "assessment"}
FAMILY_FROM = 8 << 40  # far from the numbers of children and of other cases


def steady(stock: pd.DataFrame, parameters: ParameterSet, known: set[str]) -> pd.DataFrame:
    """Open cases: the rows of ``known`` states as they are, all others as the pathway holds them of itself."""
    given = stock["state"].astype(str).map(lambda state: WAITING.get(state, state)).isin(known)
    made = simulated(stock, parameters)
    rest = made[~made["state"].map(lambda state: WAITING.get(state, state)).isin(known)]
    return pd.concat([stock[given], rest], ignore_index=True)


def simulated(stock: pd.DataFrame, parameters: ParameterSet) -> pd.DataFrame:
    """Open cases after some years: of a few replications the one whose cases are nearest to their mean."""
    from carecast.calibration.returns.close import quiet
    from carecast.model.engine import World, simulate
    from carecast.model.plan import Plan

    end = dt.date.fromordinal(parameters.as_at.toordinal() + round(YEARS * w.DAYS_PER_YEAR))
    opening = stock[list(STOCK_COLUMNS)].assign(variant=0, shared_with=-1)
    world = World(
        Calibrated(parameters=quiet(parameters), draws=pd.DataFrame(), stock=opening, record={}),
        Plan("baseline"),
        end,
        SEED,
    )
    names = world.locality_names
    told = [simulate(world, replication) for replication in range(REPLICATIONS)]
    frames = []
    for number, one in enumerate(told):
        frame = open_at(one.log, one.children, end.toordinal(), names, parameters)
        shift = number * len(one.children.family)
        frames.append(frame.assign(child=frame["child"] + shift * 2, family=frame["family"] + shift * 2))
    return one_in(len(frames), pd.concat(frames, ignore_index=True))


def one_in(n: int, cases: pd.DataFrame) -> pd.DataFrame:
    """One of every ``n`` families of each state, evenly over how long they have been open and how old they are."""
    kept = []
    for _, rows in cases.groupby("state", sort=True):
        lead = rows.groupby("family", sort=True).agg(days=("days_in_state", "max"), age=("age_days", "max"))
        order = lead.sort_values(["age", "days"], kind="stable")
        order["decile"] = np.arange(len(order)) * 8 // max(len(order), 1)
        order = order.sort_values(["decile", "days", "age"], kind="stable")
        kept.append(rows[rows["family"].isin(order.index[n // 2 :: n])])
    return pd.concat(kept, ignore_index=True) if kept else cases


def open_at(log: Log, children: Children, day: int, names: tuple[str, ...], parameters: ParameterSet) -> pd.DataFrame:
    """The open cases on a day, from what was last said of each child."""
    event = np.asarray(log.event)
    tells = np.isin(event, [*STATE_AFTER, *ENDS]) & (np.asarray(log.day) <= day)
    child = np.asarray(log.child)[tells].astype(np.int64)
    order = np.lexsort((np.arange(len(child)), np.asarray(log.day)[tells], child))
    child, event, since = child[order], event[tells][order], np.asarray(log.day)[tells][order].astype(np.int64)
    last = np.append(child[1:] != child[:-1], True) if len(child) else np.zeros(0, dtype=bool)
    child, event, since = child[last], event[last], since[last]
    age: Ints = day - np.asarray(children.birth_day)[child].astype(np.int64)
    memory = int(parameters.number("closed.memory_days")) if "closed.memory_days" in parameters.numbers else 730
    here = np.isin(event, list(STATE_AFTER)) & (age >= 0) & (age < rules.ADULT_AGE_DAYS)
    here &= (event != w.CASE_CLOSED) | (day - since < memory)
    child, event, since, age = child[here], event[here], since[here], age[here]
    family = FAMILY_FROM + np.asarray(children.family)[child].astype(np.int64)
    locality = np.array(names, dtype=object)[np.asarray(children.locality)[child]]
    locality, zone, _ = care_stock.homes_of(locality, child, family, parameters)
    return pd.DataFrame(
        {
            "variant": 0, "child": FAMILY_FROM + child, "family": family, "locality": locality, "zone": zone,
            "quintile": np.asarray(children.quintile)[child].astype(np.int64), "age_days": age, "unaccompanied": 0,
            "state": [STATE_AFTER[int(e)] for e in event], "placement_type": "", "provider": "",
            "days_in_state": np.maximum(day - since, 1), "days_in_care": 0, "distance_miles": -1.0, "shared_with": -1,
        }
    )  # fmt: skip
