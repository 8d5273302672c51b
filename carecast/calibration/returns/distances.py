"""How far from home each type of placement is, how often that is unknown, and how often it is outside the area.

Miles to homes without a position are lognormal. Median and spread are those whose distribution function comes closest
to the observed one at a row of distances (probit regression of the cumulated shares on the log of the distance), the
radius of 15 miles counting most, shrunk towards the base by so many placements' worth. Unaccompanied children, who have
no home in the council, are left out, as they are from the share within the radius.
"""

import datetime as dt
import math

import numpy as np

from carecast.calibration import draw
from carecast.calibration.arrays import Array, Ints
from carecast.calibration.readers.history import History
from carecast.calibration.returns import basis
from carecast.calibration.returns.part import Part
from carecast.model import words as w
from carecast.model.parameters import Calibrated, Number

RADIUS_MILES = 15.0
CUTS_MILES = (1.0, 2.0, 4.0, 7.0, 10.0, RADIUS_MILES, 20.0, 30.0, 50.0, 100.0)
RADIUS_WEIGHT = 4.0  # times that of another distance
PRIOR_PLACEMENTS = 20.0
PRIOR_SHARES = 10.0
LEAST_MILES = 0.1
LEAST_PLACEMENTS = 5
DRAWN_TYPES = tuple(name for name in w.PLACEMENT_TYPES if name != "at_home")
LIKE = {  # whose prior a type takes when the base measures its distance from a known position
    "childrens_house_own": "foster_agency", "unregistered": "residential_external", "secure": "residential_external",
    "foster_own": "kinship",
}  # fmt: skip
ORPHAN = (10.0, 1.2)  # median miles and spread when nothing is known of a type


def fit(history: History, base: Calibrated, as_at: dt.date) -> Part:
    """Distances and shares out of the area by placement type, where the files tell of them."""
    history = basis.known(history, as_at)
    rows = history.placements
    alone = history.children.loc[history.children["unaccompanied"].astype(bool), "child"]
    rows = rows[~rows["child"].isin(set(alone))]
    start = basis.day_number(rows["start"])
    weight = basis.recency(start, as_at)
    miles = rows["distance_miles"].to_numpy(dtype=float)
    outside = rows["out_of_area"].astype("float64").to_numpy(dtype=float)
    kinds = rows["placement_type"].to_numpy(dtype=object)
    told = bool(np.isfinite(miles).any())
    numbers: dict[str, Number] = {}
    record: dict[str, object] = {}
    notes = [] if told else ["Distances: the files tell of none, so those of the base stand (assumed)."]
    for kind in DRAWN_TYPES:
        mine = kinds == kind
        if told:
            found, seen = _distance(base, kind, miles[mine], weight[mine], start[mine])
            numbers |= found
            record |= {kind: seen} if seen else {}
        numbers |= _outside(base, kind, outside[mine], weight[mine], start[mine])
    if not told:
        numbers |= _orphans(base, history)
    if not any(name.startswith("out_of_area") for name in numbers):
        notes.append("Out of area: the files do not say, so the base's shares stand (assumed).")
    return Part("distances", numbers=numbers, draws=drawn(numbers), notes=tuple(notes), record=record)


def drawn(numbers: dict[str, Number]) -> dict[str, Array]:
    """Draws of numbers that have an interval."""
    found = ((name, draw.of_number(name, number)) for name, number in numbers.items())
    return {name: values for name, values in found if values is not None}


def prior(base: Calibrated, kind: str) -> tuple[float, float, float]:
    """(median miles, log spread, share unknown) of the base for a type, of a like type, or of none."""
    numbers = base.parameters.numbers
    for name in (kind, LIKE.get(kind, kind)):
        median, sigma = (numbers.get(f"distance.{name}.{what}") for what in ("median_miles", "sigma_ln"))
        if median is not None and sigma is not None and median.value > 0 and sigma.value > 0:
            unknown = numbers.get(f"distance.{name}.unknown_share")
            return median.value, sigma.value, unknown.value if unknown else 0.0
    return (*ORPHAN, 0.05)


def lognormal(miles: Array, weight: Array) -> tuple[float, float]:
    """(log median, log spread) closest to the weighted distribution of these distances at ``CUTS_MILES``."""
    from scipy.special import ndtri

    total = weight.sum()
    size = basis.effective(weight)
    below = np.array([weight[miles <= cut].sum() for cut in CUTS_MILES]) / total
    inside = (below > 0.5 / size) & (below < 1 - 0.5 / size)
    logs = np.log(np.maximum(miles, LEAST_MILES))
    mean = float(np.average(logs, weights=weight))
    spread = math.sqrt(max(float(np.average((logs - mean) ** 2, weights=weight)), 0.05**2))
    if inside.sum() < 3:
        return mean, spread
    share, at = below[inside], np.log(np.array(CUTS_MILES)[inside])
    z = ndtri(share)
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    importance = density**2 / (share * (1 - share)) * np.where(np.exp(at) == RADIUS_MILES, RADIUS_WEIGHT, 1.0)
    middle, z_middle = np.average(at, weights=importance), np.average(z, weights=importance)
    slope = float((importance * (at - middle) * (z - z_middle)).sum() / (importance * (at - middle) ** 2).sum())
    if slope <= 0.2:
        return mean, spread
    return float(middle - z_middle / slope), 1 / slope


def _distance(
    base: Calibrated, kind: str, miles: Array, weight: Array, start: Ints
) -> tuple[dict[str, Number], dict[str, object]]:
    """Median, spread and share unknown of one type, and what the record says of them."""
    median, sigma, unknown = prior(base, kind)
    known = np.isfinite(miles)
    n = basis.effective(weight[known])
    if n < 1:
        return ({}, {}) if known.size else (_as_assumed(base, kind), {})
    mu, spread = (math.log(median), sigma) if known.sum() < LEAST_PLACEMENTS else lognormal(miles[known], weight[known])
    share = n / (n + PRIOR_PLACEMENTS) if known.sum() >= LEAST_PLACEMENTS else 0.0
    mu = share * mu + (1 - share) * math.log(median)
    spread = math.exp(share * math.log(spread) + (1 - share) * math.log(sigma))
    size = n + PRIOR_PLACEMENTS
    told = basis.source("distances of placements", f"{kind}, starts", start[known])
    blank = float(weight[~known].sum())
    total = float(weight.sum())
    missing = (blank + PRIOR_SHARES * unknown) / (total + PRIOR_SHARES)
    missing_sd = 1 / math.sqrt(max((total + PRIOR_SHARES) * missing * (1 - missing), 0.5))
    stem = f"distance.{kind}"
    numbers = {
        f"{stem}.median_miles": basis.fitted(
            math.exp(mu), spread / math.sqrt(size), "straight-line miles", told, "log"
        ),
        f"{stem}.sigma_ln": basis.fitted(spread, 1 / math.sqrt(2 * size), "log standard deviation", told, "log"),
        f"{stem}.unknown_share": basis.fitted(max(missing, 1e-4), missing_sd, "share of placements", told, "logit"),
    }
    within = float(weight[known][miles[known] <= RADIUS_MILES].sum() / weight[known].sum())
    seen: dict[str, object] = {"n": int(known.sum()), "within_15_miles_observed": round(within, 4),
            "within_15_miles_fitted": round(_below(RADIUS_MILES, mu, spread), 4),
            "unknown_observed": round(blank / total, 4)}  # fmt: skip
    return numbers, seen


def _below(miles: float, mu: float, sigma: float) -> float:
    return 0.5 * math.erfc(-(math.log(miles) - mu) / (sigma * math.sqrt(2)))


def _as_assumed(base: Calibrated, kind: str) -> dict[str, Number]:
    """Distances of a type that the base only measures, from a like type."""
    at = base.parameters.numbers.get(f"distance.{kind}.median_miles")
    if at is not None and at.value > 0:
        return {}
    median, sigma, unknown = prior(base, kind)
    told = f"Assumption: as {LIKE.get(kind, 'other types')} in the base; the files hold no placement of this type"
    stem = f"distance.{kind}"
    return {
        f"{stem}.median_miles": basis.fitted(median, 0.3, "straight-line miles", told, "log", how="assumed"),
        f"{stem}.sigma_ln": basis.fitted(sigma, 0.12, "log standard deviation", told, "log", how="assumed"),
        f"{stem}.unknown_share": basis.fitted(
            max(unknown, 0.01), 0.4, "share of placements", told, "logit", how="assumed"
        ),
    }


def _orphans(base: Calibrated, history: History) -> dict[str, Number]:
    """Distances of own homes from a like type, when their positions are not known and nobody told."""
    used = set(history.placements["placement_type"].unique())
    out: dict[str, Number] = {}
    for kind in ("childrens_house_own", "unregistered"):
        if kind in used:
            out |= _as_assumed(base, kind)
    return out


def _outside(base: Calibrated, kind: str, outside: Array, weight: Array, start: Ints) -> dict[str, Number]:
    """Share of placements outside the council's area, shrunk to the base's."""
    known = np.isfinite(outside)
    if not known.any():
        return {}
    before = base.parameters.numbers.get(f"out_of_area.{kind}.share")
    centre = before.value if before else 0.3
    total = float(weight[known].sum()) + PRIOR_SHARES
    share = (float((weight * outside)[known].sum()) + PRIOR_SHARES * centre) / total
    share = min(max(share, 1e-4), 1 - 1e-4)
    sd = 1 / math.sqrt(max(total * share * (1 - share), 0.5))
    told = basis.source("placements inside or outside the area", f"{kind}, starts", start[known])
    return {f"out_of_area.{kind}.share": basis.fitted(share, sd, "share of placements", told, "logit")}
