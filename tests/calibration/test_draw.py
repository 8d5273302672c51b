"""Joint draws: the right spread, the right sums, the same for ever."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from carecast.calibration import draw
from carecast.calibration.fit import Fitted
from carecast.model import words as w
from carecast.model.parameters import N_DRAWS, Number


def digest(frame):
    return hashlib.sha256(pd.util.hash_pandas_object(frame, index=True).to_numpy().tobytes()).hexdigest()


def test_normals_are_stratified_shuffled_and_belong_to_their_name():
    first, again, other = draw.normals("one"), draw.normals("one"), draw.normals("two")
    assert (first == again).all()
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.06
    assert abs(first.mean()) < 0.001
    assert abs(first.std() - 1) < 0.005
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.06  # shuffled
    assert abs(first[:200].mean()) < 0.3  # any first rows are a fair sample


@pytest.mark.parametrize(
    ("unit", "value", "low", "high"),
    [
        ("children per year", 122.0, 105.0, 140.0),
        ("share of placements", 0.3, 0.1, 0.6),
        ("chance", 0.02, 0.0, 0.05),
        ("fraction per year", 0.01, -0.02, 0.03),
        ("GBP", 5380.0, 4600.0, 6300.0),
    ],
)
def test_an_80_percent_interval_is_kept(unit, value, low, high):
    number = Number(value=value, unit=unit, interval_80=(low, high), source="a test", how="assumed")
    drawn = draw.of_number(f"test {unit}", number)
    assert np.quantile(drawn, 0.5) == pytest.approx(value, rel=0.02)
    assert np.quantile(drawn, 0.9) == pytest.approx(high, rel=0.02)
    if low > 0 or unit.startswith("fraction"):
        assert np.quantile(drawn, 0.1) == pytest.approx(low, rel=0.03)
    if unit.startswith(("share", "chance")):
        assert drawn.min() >= 0
        assert drawn.max() <= 1


def test_an_exact_number_has_no_column():
    assert draw.of_number("x", Number(value=3, unit="days", source="a test", how="published")) is None


def test_dirichlet_draws_sum_to_one_around_their_centre():
    drawn = draw.of_chances("test", {"a": 0.7, "b": 0.29, "c": 0.01}, 40)
    total = sum(drawn.values())
    assert np.allclose(total, 1)
    assert {name: round(float(d.mean()), 2) for name, d in drawn.items()} == {"a": 0.7, "b": 0.29, "c": 0.01}
    assert drawn["a"].std() == pytest.approx(np.sqrt(0.7 * 0.3 / 41), rel=0.05)


def test_fitted_unknowns_are_drawn_with_their_covariance():
    covariance = np.array([[0.04, 0.03], [0.03, 0.09]])
    fitted = Fitted(("a", "b"), np.zeros(2), covariance, (), np.zeros(0), 1)
    found = np.cov(draw.of_fit("test", fitted).T)
    assert np.allclose(found, covariance, rtol=0.1, atol=0.004)


def test_the_table_has_all_its_rows_and_only_columns_the_model_reads(calibrated):
    draws, parameters = calibrated.draws, calibrated.parameters
    assert len(draws) == N_DRAWS
    assert np.isfinite(draws.to_numpy()).all()
    rates = {f"rate.{rate.cause}.{rate.label}" for rate in parameters.rates}
    prices = {f"price.{x.code}" for x in parameters.providers} | {f"price.{x.line}" for x in parameters.cost_lines}
    homes = {f"provider.{p.code}.{field}" for p in parameters.providers for field in ("match_chance", "usable_share")}
    branches = {
        f"branch.{b.branch}.{age}.{outcome}"
        for b in parameters.branches
        for age in b.age_bands
        for outcome in b.chances
    }
    wanted = {
        f"destination.{d.moment}.{d.label}.{age}.{name}"
        for d in parameters.destinations for age in d.age_bands for name in d.chances
    }  # fmt: skip
    known = set(parameters.numbers) | rates | prices | homes | branches | wanted
    assert set(draws.columns) <= known


def test_chances_sum_to_one_in_every_row(calibrated):
    draws = calibrated.draws
    for branch in calibrated.parameters.branches:
        for age in branch.age_bands:
            columns = [c for c in draws.columns if c.startswith(f"branch.{branch.branch}.{age}.")]
            if columns:
                assert len(columns) == len(branch.chances)
                assert np.allclose(draws[columns].sum(axis=1), 1)
                assert draws[columns].min().min() >= 0
    for row in calibrated.parameters.destinations:
        columns = [f"destination.{row.moment}.{row.label}.{row.age_bands[0]}.{name}" for name in row.chances]
        assert np.allclose(draws[columns].sum(axis=1), 1)


def test_relative_hazards_have_mean_one_and_numbers_stay_in_bounds(calibrated):
    draws = calibrated.draws
    for column in (c for c in draws.columns if c.startswith("rate.")):
        assert draws[column].min() > 0
        assert draws[column].mean() == pytest.approx(1, abs=0.05)
    for name, number in calibrated.parameters.numbers.items():
        if name in draws and number.unit.startswith(("share", "chance")):
            assert draws[name].between(0, 1).all()


def test_drawn_prices_go_on_reproducing_published_spend(calibrated, pieces):
    parameters, draws = calibrated.parameters, calibrated.draws
    stock = pieces.care.cohort.by_type
    places = sum(p.places for p in parameters.providers if p.placement_type == "childrens_house_own")
    total = 0.0
    for provider in parameters.providers:
        kind = w.PLACEMENT_TYPES.index(provider.placement_type)
        if kind < w.FIRST_RESIDENTIAL or not provider.weekly_cost_gbp:
            continue
        children = stock[kind] * (provider.places / places if provider.fixed_weekly_cost_gbp else 1)
        column = draws.get(f"price.{provider.code}", provider.weekly_cost_gbp) / provider.weekly_cost_gbp
        weekly = (
            children * provider.weekly_cost_gbp * provider.funder_shares["social_work"] + provider.fixed_weekly_cost_gbp
        )
        total = total + 365 / 7 * weekly * column
    assert total.mean() == pytest.approx(11_162_000, rel=0.01)
    assert total.std() / total.mean() < 0.05
    external = draws["price.residential_external"]
    assert external.std() / external.mean() > 0.05


def test_more_starts_go_with_shorter_stays(calibrated):
    starts = calibrated.draws["arrivals.emergency_families_per_year"]
    home = calibrated.draws["rate.exit_home.foster"] * calibrated.draws["rate.exit_home.at_home"]
    assert np.corrcoef(np.log(starts), np.log(home))[0, 1] > -0.2  # never against each other
    chances = [c for c in calibrated.draws.columns if c.startswith("branch.pre_entry.") and ".care_" in c]
    assert len(chances) == 2 * w.N_AGE_BANDS


def test_the_same_digest_twice(calibrated):
    from carecast.calibration.calibrate import calibrate

    again = calibrate("west-dunbartonshire")
    assert digest(again.draws) == digest(calibrated.draws)
    assert digest(again.stock) == digest(calibrated.stock)
    assert again.parameters == calibrated.parameters
    assert again.record == calibrated.record
