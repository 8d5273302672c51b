"""``calibrate_returns``: from a council's own child-level returns to a whole parameter set."""

import datetime as dt
import importlib
import importlib.util
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from carecast.calibration import assumptions
from carecast.calibration.readers.history import History
from carecast.calibration.readers.report import Report
from carecast.calibration.returns import (
    care,
    care_stock,
    close,
    diagnose,
    entry_draws,
    imbalance,
    localities,
    merge,
    open_cases,
    staying,
)
from carecast.calibration.returns import entries as en
from carecast.calibration.returns.base import Base, base_for, sized
from carecast.calibration.returns.part import Part
from carecast.model.parameters import BadFile, Calibrated, ParameterSet

OTHER_PARTS = ("localities", "distances", "prices", "places", "community")  # in the order they are put on
LEAST_CHILDREN = 5
STAMP = ""
Fit = Callable[[History, Calibrated, dt.date], Part]


def calibrate_returns(
    history: History, report: Report, as_at: dt.date | None = None, council: str | None = None, base: Base | None = None
) -> Calibrated:
    """Make a parameter set from a history of children.

    Args:
        history: what a reader of child-level returns gave.
        report: the reader's report, whose counts go into the record.
        as_at: the date of the stock; the last day the files speak of unless given. Nothing after it is used.
        council: the name to carry.
        base: where what the returns do not hold is taken from; by name and nation unless given.

    Raises:
        BadFile: too few children, or a date before or after the files.
    """
    day = _day(history, as_at)
    history = history.as_at(day)
    _enough(history, day)
    base = base or base_for(history, council)
    name = council or history.council or (base.calibrated.parameters.council if base.own else "The council")
    history = replace(history, council=name)
    found = care.fit_care(history, base.calibrated.parameters, day)
    children = care_stock.count_in_care(found.stays)
    if children < LEAST_CHILDREN:
        raise BadFile(f"only {children} children are looked after at {day}: too few to calibrate on")
    own_size = sized(base, children)
    stated = Part("assumptions", numbers=assumptions.numbers_of("returns"))
    parts = [*other_parts(history, own_size, day), care.with_families(found.part, own_size.parameters), stated]
    about = {
        "council": name, "nation": history.nation or base.calibrated.parameters.nation, "as_at": day,
        "counterfactual_date": None, "indicative": False, "stamp": STAMP,
        "notes": (base.note, *found.part.notes), "history": diagnose.observed(found),
    }  # fmt: skip
    made = merge.merged(own_size, parts, about)
    own_door = history.has("referrals")
    enough = close.enough_decisions(made.parameters, found.wanted, own_door)
    stock = whole_stock(history, found, enough, own_size, parts)
    first = close.close(enough, stock, found.wanted)
    off = imbalance.imbalance(first.parameters, stock, found.levels)
    keeping = imbalance.leaving_more(first.parameters, float(off.shifts[2]))
    balance = close.close(keeping, stock, imbalance.moved(found.wanted, off), first.extra)
    parameters = balance.parameters
    levels = off.draws(found.levels)
    draws = rows(made.draws, parameters, found, levels, balance.entered, scaled_door(made.parameters, parameters))
    return Calibrated(
        parameters=parameters, draws=merge.as_frame(draws), stock=stock,
        record=diagnose.record(history, report, base, found, parts, balance, off, stock, draws),
    )  # fmt: skip


def _day(history: History, as_at: dt.date | None) -> dt.date:
    last, first = history.observed_to, history.observed_from
    if last is None or not history.has("placements"):
        raise BadFile("the files hold no placements of looked-after children: nothing to calibrate on")
    if as_at is None:
        return last
    if as_at > last or (first is not None and as_at <= first):
        raise BadFile(f"--as-at: found {as_at}; the files speak of {first} to {last}")
    return as_at


def _enough(history: History, day: dt.date) -> None:
    if not history.has("placements"):
        raise BadFile(f"no child is looked after on or before {day} in these files")


def other_parts(history: History, base: Calibrated, day: dt.date) -> list[Part]:
    """Parts of the modules that fit the rest; each sees the base with the parts before it put on."""
    found = []
    for name in OTHER_PARTS:
        module = f"carecast.calibration.returns.{name}"
        if importlib.util.find_spec(module) is None:
            continue
        fit: Fit = importlib.import_module(module).fit
        part = fit(history, base, day)
        found.append(part)
        base = onto(base, part)
    return found


def onto(base: Calibrated, *parts: Part) -> Calibrated:
    """The base with parts put on it, for the fits that come after."""
    parameters = base.parameters
    for part in parts:
        changes: dict[str, Any] = {
            name: getattr(part, name)
            for name in ("providers", "service_pools", "cost_lines", "localities", "population_years")
            if getattr(part, name)
        }
        changes["numbers"] = parameters.numbers | dict(part.numbers)
        changes["series"] = parameters.series | dict(part.series)
        parameters = parameters.model_copy(update=changes)
    return base.model_copy(update={"parameters": parameters})


def whole_stock(
    history: History, found: care.Found, parameters: ParameterSet, base: Calibrated, parts: list[Part]
) -> pd.DataFrame:
    """Children in care and after it from the returns; the rest from the parts that know it, else from the base.

    States before care that no file tells of are brought to as many families as the pathway would hold of itself, so that
    entries begin at their level and not with a wave or a trough.
    """
    frames = [part.stock for part in parts if part.stock is not None and len(part.stock)]
    told = {str(state) for frame in frames for state in frame["state"].unique()}
    rest = base.stock[~base.stock["state"].astype(str).isin(told)].copy()
    rest["locality"], rest["zone"], rest["quintile"] = care_stock.homes_of(
        rest["locality"].to_numpy(dtype=object), rest["child"].to_numpy(), rest["family"].to_numpy(), parameters
    )
    before = pd.concat([*frames, rest], ignore_index=True)
    known = {state for state in ("early_help", "support", "protection") if history.has(state)}
    own = onto(base, *parts)
    where = localities.of_children(history, own)
    day = dt.date.fromordinal(found.stays.last_day)
    stay_on = staying.stock(history, own, day)
    in_care = care_stock.in_care(history, found.stays, parameters, where)
    left = care_stock.left_care(history, found.stays, found.spells, parameters, where)
    left = left[~left["child"].isin(set(stay_on["child"] - staying.NUMBERS_FROM))]
    return care_stock.numbered([
        care_stock.with_homes(in_care, stay_on, parameters.providers),
        left,
        care_stock.apart(open_cases.steady(before, parameters, known)),
    ])  # fmt: skip


def scaled_door(before: ParameterSet, after: ParameterSet) -> float:
    """How much larger the front door was made by the balance."""
    name = "arrivals.contact_families_per_year"
    return after.number(name) / max(before.number(name), 1e-9)


def rows(
    draws: dict[str, Any],
    parameters: ParameterSet,
    found: care.Found,
    levels: dict[str, Any],
    entered: dict[str, float],
    door: float,
) -> dict[str, Any]:
    """The joint draws with the levels of entries and exits of every row put in."""
    name = "arrivals.contact_families_per_year"
    before = found.levels["exits"].draws("exits")[0]
    out = {column: values for column, values in draws.items() if not column.startswith("branch.pre_entry.")}
    if name in out:
        out[name] = out[name] * door
    for column in out:
        if column.startswith("rate.exit_"):
            out[column] = out[column] * levels["exits"] / before
    years = min(found.stays.years, en.REMEMBERED_YEARS / math.log(2))
    direct, through = care.direct_columns(parameters, entered, years, levels["entries"], levels["unaccompanied"])
    out |= direct
    out |= entry_draws.pathway_columns(parameters, out, through)
    return out
