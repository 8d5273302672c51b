"""What a recalibration moved."""

import math

import pandas as pd
import pytest

from carecast.calibration.difference import difference, effect_on_forecast, values_of
from carecast.model.parameters import BadFile
from tests import small_runs, toy

SPREAD = pd.DataFrame(
    {"arrivals.contact_families_per_year": [580.0, 600.0, 620.0], "rate.exit_home.all": [0.9, 1.0, 1.1]}
)


def made(**changes):
    return toy.calibrated(toy.some_stock(), SPREAD, **changes)


def test_the_same_set_moved_nothing():
    assert len(difference(made(), made())) == 0


def test_moves_are_in_standard_errors_of_the_old_set_furthest_first():
    new = made(numbers={"arrivals.contact_families_per_year": 660.0}, rates={"exit_home": 0.275})
    found = difference(made(), new).set_index("number")
    assert found.index.tolist() == ["arrivals.contact_families_per_year", "rate.exit_home.all"]
    families = found.loc["arrivals.contact_families_per_year"]
    assert (families["old"], families["new"], families["change"]) == (600.0, 660.0, 60.0)
    assert families["standard_errors"] == pytest.approx(3.0)  # the draws' standard deviation is 20
    hazard = found.loc["rate.exit_home.all"]
    assert hazard["standard_errors"] == pytest.approx(1.0)  # 10 % up, the draws spread by 10 %


def test_a_number_without_uncertainty_has_no_standard_error_and_comes_last():
    new = made(numbers={"discount.rate_per_year": 0.04, "arrivals.contact_families_per_year": 601.0})
    found = difference(made(), new)
    assert found["number"].tolist() == ["arrivals.contact_families_per_year", "discount.rate_per_year"]
    assert math.isnan(found["standard_errors"].iloc[1])


def test_stock_homes_and_chances_are_among_the_numbers():
    names = dict(values_of(made()))
    assert names["stock.in_care.kinship"].value == 4.0
    assert names["provider.own_east.places"].value == 20.0
    assert names["destination.entry.all.all.foster_own"].value == 0.45
    fewer = toy.calibrated(toy.some_stock()[1:], SPREAD)
    assert difference(made(), fewer)["number"].tolist() == ["stock.in_care.at_home"]


def test_a_number_that_is_gone_or_new_is_shown():
    old, new = made(), made(numbers={"invented.number": 1.0})
    found = difference(old, new)
    assert math.isnan(found["old"].iloc[0])
    assert found["new"].iloc[0] == 1.0


def test_sets_of_two_nations_are_not_compared():
    with pytest.raises(BadFile, match="nothing to compare"):
        difference(made(), made(nation="england"))


def test_what_it_does_to_the_forecast():
    old = small_runs.council()
    same = effect_on_forecast(old, old, 20)
    assert (same["change"] == 0).all()
    fewer = toy.calibrated(toy.some_stock()[8:], old.draws)
    found = effect_on_forecast(old, fewer, 20)
    total = found[(found["measure"] == "looked_after") & (found["breakdown"] == "total")]
    assert total["change"].iloc[0] == -8.0
    assert total["from_start"].iloc[0] == -8.0
    assert len(total) == 4
    flows = found[found["measure"] == "entries_to_care"]
    assert len(flows) == 3
    assert flows["old_mean"].is_monotonic_increasing
