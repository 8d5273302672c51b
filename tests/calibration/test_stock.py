"""The synthetic stock: exactly the published counts, everybody somewhere possible."""

import numpy as np
import pytest

from carecast.calibration.stock import N_VARIANTS, apportion
from carecast.model import words as w
from carecast.model.parameters import STOCK_COLUMNS
from carecast.model.rules import ADULT_AGE_DAYS

COMMUNITY = set(w.PLACEMENT_TYPES[: w.FIRST_RESIDENTIAL])


@pytest.fixture(scope="session")
def variants(calibrated):
    return [frame.reset_index(drop=True) for _, frame in calibrated.stock.groupby("variant")]


def test_columns_and_variants(calibrated, variants):
    assert tuple(calibrated.stock.columns) == STOCK_COLUMNS
    assert len(variants) == N_VARIANTS


def test_every_variant_holds_exactly_the_published_counts(variants):
    for frame in variants:
        kinds = frame.loc[frame["state"] == "in_care", "placement_type"]
        community = kinds.isin(COMMUNITY).sum()
        assert (community, len(kinds) - community) == (414, 48)


def test_variants_differ_in_what_is_not_published_around_the_fitted_stock(calibrated, variants):
    at_home = [int((frame["placement_type"] == "at_home").sum()) for frame in variants]
    assert len(set(at_home)) > 8
    assert np.mean(at_home) == pytest.approx(calibrated.record["stock_by_type"]["at_home"], rel=0.05)


def test_own_homes_hold_no_more_than_their_usable_places(calibrated, variants):
    for provider in calibrated.parameters.providers:
        if provider.places is None:
            continue
        usable = int(np.floor(provider.places * provider.usable_share + 0.5))
        for frame in variants:
            assert (frame["provider"] == provider.code).sum() <= usable


def test_providers_take_the_type_they_are_for(calibrated, variants):
    kinds = {provider.code: provider.placement_type for provider in calibrated.parameters.providers}
    for frame in variants:
        placed = frame[frame["provider"] != ""]
        assert (placed["provider"].map(kinds) == placed["placement_type"]).all()
        own = frame[frame["placement_type"].isin(["foster_own", "childrens_house_own"])]
        assert (own["provider"] != "").all()


def test_nobody_is_in_care_before_birth_or_after_18(variants):
    for frame in variants:
        care = frame[frame["state"] == "in_care"]
        assert (care["days_in_state"] >= 1).all()
        assert (care["days_in_state"] <= care["days_in_care"]).all()
        assert (care["days_in_care"] <= care["age_days"]).all()
        assert (care["age_days"] < ADULT_AGE_DAYS).all()
        staying = frame[frame["state"] == "continuing_care"]
        assert staying["age_days"].between(16 * 365, 21 * 366).all()
        assert (frame["days_in_state"] <= frame["age_days"]).all()


def test_ages_and_stays_are_those_of_the_fitted_steady_state(pieces, calibrated):
    care = calibrated.stock[calibrated.stock["state"] == "in_care"]
    by_age = pieces.care.cohort.by_step.sum(axis=2)
    steps = np.arange(by_age.shape[1])
    mean_years = float((by_age * (steps + 0.5)).sum() / by_age.sum()) * 28 / 365.25
    assert care["days_in_care"].mean() / 365.25 == pytest.approx(mean_years, rel=0.07)


def test_families_stand_together_and_share_homes_of_the_same_kind(variants):
    for frame in variants:
        assert (frame["child"] == np.arange(len(frame))).all()
        assert (np.diff(frame["family"]) >= 0).all()
        sharing = frame[frame["shared_with"] >= 0]
        home = frame.loc[sharing["shared_with"]]
        assert (home["family"].to_numpy() == sharing["family"].to_numpy()).all()
        assert (home["provider"].to_numpy() == sharing["provider"].to_numpy()).all()
        assert (home["placement_type"].to_numpy() == sharing["placement_type"].to_numpy()).all()
        assert (sharing["shared_with"] != sharing["child"]).all()


def test_brothers_and_sisters_are_together_about_as_often_as_published(variants):
    shares = []
    for frame in variants:
        away = frame[(frame["state"] == "in_care") & (frame["placement_type"] != "at_home")]
        homes = away["shared_with"].where(away["shared_with"] >= 0, away["child"])
        size = away.groupby("family")["child"].transform("size")
        several = size > 1
        one_home = homes.groupby(away["family"]).transform("nunique") == 1
        shares.append(float(one_home[several].mean()))
    assert np.mean(shares) == pytest.approx(0.38, abs=0.10)


def test_homes_are_where_the_localities_are(calibrated, variants):
    zones = {place.name: {zone.name for zone in place.zones} for place in calibrated.parameters.localities}
    for frame in variants:
        assert set(frame["locality"]) == set(zones)
        assert all(zone in zones[place] for place, zone in set(zip(frame["locality"], frame["zone"], strict=True)))
        assert frame["quintile"].between(1, 5).all()


def test_the_deprived_fifth_is_over_represented(variants):
    share = np.mean([(frame.loc[frame["state"] == "in_care", "quintile"] == 1).mean() for frame in variants])
    assert 0.6 < share < 0.85  # 45 % of children live there


def test_everybody_else_is_as_many_as_the_funnel_says(pieces, variants):
    children = pieces.funnel.children_per_family
    for at, state in ((3, "support"), (4, "protection"), (1, "early_help")):
        expected = float(pieces.funnel.funnel.open[at]) * children
        found = np.mean([(frame["state"] == state).sum() for frame in variants])
        assert found == pytest.approx(expected, rel=0.10)
    for frame in variants:
        assert set(frame["state"]) <= set(w.STATES)
        assert (frame["state"] == "kinship_order").sum() == 90


def test_apportion_gives_whole_numbers_that_add_up():
    assert apportion(np.array([1.0, 1.0, 1.0]), 10).tolist() == [4, 3, 3]
    assert apportion(np.array([0.0, 5.0, 2.5]), 7).tolist() == [0, 5, 2]
