"""Numbers of a council made by the model come back when it is calibrated on the files that council would leave.

The whole measure, five councils and every parameter by family: ``python -m benchmarks.worlds --recovery``.
"""

import numpy as np
import pandas as pd
import pytest

from benchmarks.worlds import from_model as fm
from benchmarks.worlds import recovery as rc
from carecast.calibration.calibrate import calibrate
from carecast.calibration.returns.base import Base

SEED = 2


@pytest.fixture(scope="module")
def base():
    return Base(rc.PACK, calibrate(rc.PACK), False, "What the files do not hold comes from a pack")


@pytest.fixture(scope="module")
def seen(base):
    return rc.calibrated_again(base, SEED)


@pytest.fixture(scope="module")
def found(seen):
    return pd.DataFrame([(SEED, *row) for row in rc.compared(seen)], columns=rc.COLUMNS)


def test_parameters_come_back_within_three_standard_errors(found):
    assert len(found) > 500
    assert rc.share_within(found) >= rc.BAR_PERCENT, rc.text(found)


def test_no_family_of_parameters_is_biased(found):
    """The mean error of a family of ten or more is within half a standard error and what chance makes of it."""
    for family, row in rc.by_family(found).iterrows():
        if row["parameters"] >= 10:
            assert abs(row["mean_z"]) < 0.5 + 2 / np.sqrt(row["parameters"]), family


def test_standard_errors_are_not_so_wide_that_anything_would_pass(found):
    told = rc.by_family(found)
    assert 0.6 < told.loc["all", "sd_z"] < 1.2
    for family in ("cells of hazards in care", "hazards of exits", "destinations: move"):
        assert told.loc[family, "within_1"] < 95, family


def test_a_truth_differs_from_the_base_it_was_made_from(base, seen):
    """What comes back is not what calibration started from."""
    truth, usual = seen.truth.parameters, base.calibrated.parameters
    miles = [name for name, n in usual.numbers.items() if name.endswith("median_miles") and n.value > 0]
    assert np.std([np.log(truth.number(name) / usual.number(name)) for name in miles]) > 0.1
    before = {(r.cause, r.label): np.array(r.per_year).sum() for r in usual.rates}
    moved = [
        np.log(np.array(r.per_year).sum() / before[r.cause, r.label])
        for r in truth.rates if r.cause in fm.MOVED_RATES and before[r.cause, r.label] > 0
    ]  # fmt: skip
    assert np.std(moved) > 0.15


def test_files_of_a_truth_conserve_children(seen):
    """Children in care by the placements are those of the event log: entries less exits."""
    rows = seen.history.placements
    on_the_day = rows["end"].isna()
    assert on_the_day.sum() == rows.loc[on_the_day, "child"].nunique()
    assert (rows["end"].dropna() > rows.loc[rows["end"].notna(), "start"]).all()
    follows = rows["start_kind"] == "move"
    earlier = rows["end"].shift(1)[follows]
    assert (earlier == rows["start"][follows]).all()
