"""West Dunbartonshire, and councils so many times its size."""

import atexit
import datetime as dt
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carecast.model.parameters import Calibrated, ParameterSet, save

PACK = "west-dunbartonshire"
UNTIL = dt.date(2027, 7, 31)  # five years from the pack's as-at date
SEED = 1


@cache
def west_dunbartonshire() -> Calibrated:
    """The parameter set of the shipped pack."""
    from carecast.calibration.calibrate import calibrate

    return calibrate(PACK)


@cache
def folder(times: int = 1) -> Path:
    """The parameter set on disk, so many times the size: what commands and other processes read."""
    holder = tempfile.mkdtemp(prefix="carecast-benchmarks-")
    atexit.register(shutil.rmtree, holder, ignore_errors=True)
    path = Path(holder) / f"times_{times}"
    save(path, scaled_parameters(west_dunbartonshire(), times))
    return path


def scaled_parameters(calibrated: Calibrated, times: int) -> Calibrated:
    """A council ``times`` the size, with the same rates: arrivals, stock, limited places and service pools.

    The stock is there ``times`` over, each copy with children and families of its own; a home that had six places has
    six times as many, so homes are as full as they were. Shares, hazards, distances and prices stay.
    """
    if times == 1:
        return calibrated
    document: dict[str, Any] = calibrated.parameters.model_dump(mode="python", by_alias=True)
    document["numbers"] = {
        name: _times(number, times) if _is_arrivals(name) else number for name, number in document["numbers"].items()
    }
    for group in ("providers", "service_pools"):
        for row in document[group]:
            row["places"] = None if row["places"] is None else row["places"] * times
    grown = [name for name in calibrated.draws.columns if _is_arrivals(name) or str(name).endswith(".places")]
    draws = calibrated.draws.assign(**{name: calibrated.draws[name] * times for name in grown})
    return Calibrated(
        parameters=ParameterSet.model_validate(document),
        draws=draws,
        stock=scaled_stock(calibrated.stock, times),
        record=calibrated.record,
    )


def _is_arrivals(name: str) -> bool:
    return name.startswith("arrivals.") and name.endswith("_families_per_year")


def _times(number: dict[str, Any], times: int) -> dict[str, Any]:
    interval = number["interval_80"]
    return {
        **number,
        "value": number["value"] * times,
        "interval_80": None if interval is None else tuple(end * times for end in interval),
    }


def scaled_stock(stock: pd.DataFrame, times: int) -> pd.DataFrame:
    """Every child and family of the stock ``times`` over, numbered anew; who shares a home does so within a copy."""
    children, families = int(stock["child"].max()) + 1, int(stock["family"].max()) + 1
    copies = []
    for number in range(times):
        shared = stock["shared_with"].to_numpy()
        copies.append(
            stock.assign(
                child=stock["child"] + number * children,
                family=stock["family"] + number * families,
                shared_with=np.where(shared >= 0, shared + number * children, shared),
            )
        )
    return pd.concat(copies, ignore_index=True)
