"""The table of constants that the fits rest on: whole, sourced, and the same as the code's."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from carecast.calibration import assumptions, returns
from carecast.calibration.returns import imbalance, levels

# Names of code lists, seeds, sizes of simulations and grids, bounds that keep arithmetic sound: not beliefs about councils.
TECHNICAL = {
    "association": ("Z95",),
    "basis": ("CHILD_DAYS", "GOLDEN"),
    "calibrate": ("LEAST_CHILDREN",),
    "care_stock": ("SEED", "OTHERS_FROM", "AFTERCARE_UNTIL_YEARS"),
    "close": ("YEARS", "ROUNDS", "ENTRANTS_WANTED", "FIRST_ROUND", "MOST_REPLICATIONS", "MOST_FASTER", "SEED"),
    "community": ("LEAST_REFERRALS", "QUIET_DAYS"),
    "community_rates": ("LARGEST_HAZARD", "LEAST_SENT", "LEAST_LINKED"),
    "community_solve": ("ROUNDS", "LEAST_CLOSED"),
    "community_stock": ("UNKNOWN_AGE_DAYS",),
    "decisions": ("FEWEST_CARE", "MOST_CARE", "MIDDLE_AGE"),
    "diagnose": ("RECORD_FORMAT",),
    "distances": ("RADIUS_MILES", "LEAST_MILES", "LEAST_PLACEMENTS"),
    "entries": ("NEW", "RETURN_HOME", "RETURN_ORDER", "RETURN_ADOPTED"),
    "entry_draws": ("SAMPLED_ROWS", "RIDGE", "MOST_CHANCE", "BOUND_ROUNDS"),
    "hazards": ("LEAST_EVENTS_OF_TYPE", "LARGEST_HAZARD", "MOST_ROUNDS", "ALONE_TURNS", "ALONE_SETTLED"),
    "imbalance": ("YEARS", "MORE_LEAVING", "CHILDREN_WANTED", "MOST_REPLICATIONS", "LEAST_REPLICATIONS"),
    "levels": ("STEP_YEARS",),
    "localities": ("LEAST_SHARE", "MOST_LOCALITIES", "FEW_ROWS"),
    "occupancy": ("LEAST_MONTHS", "LEAST_MONTHS_OF_MEAN"),
    "open_cases": ("YEARS", "REPLICATIONS", "SEED", "FAMILY_FROM"),
    "prices": ("MOST_YEARS", "LEAST_EFFECTIVE"),
    "staying": ("FROM_AGE_DAYS", "NUMBERS_FROM"),
    "stays": ("EPOCH", "N_AGES", "CLOSE_TO_18_DAYS", "NO_CAUSE", "AGED_OUT", "MOVED", "N_EXITS", "QUARTER_DAYS"),
}


def constants_of(module):
    """Module-level numbers in capitals that the module itself sets."""
    source = Path(module.__file__).read_text(encoding="utf-8")
    names = [name for name, value in vars(module).items() if name.isupper() and isinstance(value, int | float)]
    return [name for name in names if re.search(rf"^(?:[A-Z0-9_]+(?::[^=\n]+)?, )*{name}\b[^=\n]*=", source, re.M)]


def test_every_constant_of_the_fits_is_in_the_table_or_named_as_technical():
    told = {row.where for row in assumptions.table()}
    lacking = []
    for found in pkgutil.iter_modules(returns.__path__):
        module = importlib.import_module(f"{returns.__name__}.{found.name}")
        for name in constants_of(module):
            if f"{found.name}.{name}" not in told and name not in TECHNICAL.get(found.name, ()):
                lacking.append(f"{found.name}.{name}")
    assert not lacking, f"name them in calibration/codes/constants.csv: {', '.join(lacking)}"


def test_values_are_those_of_the_code():
    values = {row.name: row.value for row in assumptions.table()}
    assert values["calibration.imbalance.believed_sd"] == imbalance.BELIEVED_SD
    assert values["calibration.levels.entries.swing"] == levels.ENTRIES.swing
    assert len(values) == len(assumptions.table())  # no name stands twice


@pytest.mark.parametrize("row", assumptions.table(), ids=lambda row: row.name)
def test_every_row_says_what_it_is_its_unit_and_where_it_comes_from(row):
    assert row.how in assumptions.ORIGINS
    assert len(row.what) > 10
    assert row.unit
    assert len(row.source) > 10
    if row.how == "assumed":
        assert "Tuned" not in row.source


def test_they_are_in_the_register_as_assumed_or_published_never_as_fitted():
    from carecast.dashboard.telling import number_label

    for way in ("returns", "aggregates"):
        numbers = assumptions.numbers_of(way)
        assert {n.how for n in numbers.values()} <= {"assumed", "published"}
        assert all(n.interval_80 is None for n in numbers.values())  # never drawn
        assert all(number_label(name).startswith("Calibration: ") for name in numbers)
