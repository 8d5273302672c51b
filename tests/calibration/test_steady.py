"""The simulation settles where the fast twins say: fixed seeds, errors from the replications."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from carecast.calibration.hindcast import hindcast

REPLICATIONS = 40


@pytest.fixture(scope="module")
def central_run(calibrated):
    """Two years at central values, nothing drifting, population flat: mean and standard error by measure."""
    from carecast.model.engine import World, simulate
    from carecast.model.plan import Plan
    from carecast.model.results import reduce_log

    parameters = calibrated.parameters
    at = parameters.population_years.index(2022)
    flat = []
    for place in parameters.localities:
        bands = place.population.model_dump(by_alias=True)
        same = {band: (values[at],) * len(values) for band, values in bands.items()}
        flat.append(place.model_copy(update={"population": type(place.population).model_validate(same)}))
    numbers = {
        name: number.model_copy(update={"value": 0.0}) if name.endswith("level_sd_per_year") else number
        for name, number in parameters.numbers.items()
    }
    changed = parameters.model_copy(update={"localities": tuple(flat), "numbers": numbers})
    world = World(
        calibrated.model_copy(update={"parameters": changed, "draws": pd.DataFrame()}), Plan("baseline"),
        until=dt.date(2025, 7, 31), seed=11,
    )  # fmt: skip
    monthly = []
    for replication in range(REPLICATIONS):
        told = simulate(world, replication)
        tables = reduce_log(told.log, told.children, world.calendar, world.providers, world.locality_names)
        monthly.append(tables.monthly)
    return tables.rows, np.stack(monthly)


def yearly(central_run, measure):
    rows, monthly = central_run
    values = monthly[:, rows.index((measure, "total")), 1:].sum(axis=1) / 3
    return values.mean(), values.std() / np.sqrt(REPLICATIONS)


def at_end(central_run, measure, breakdown="total"):
    rows, monthly = central_run
    values = monthly[:, rows.index((measure, breakdown)), -1]
    return values.mean(), values.std() / np.sqrt(REPLICATIONS)


@pytest.mark.statistical
@pytest.mark.slow
def test_the_stock_stays_where_it_was_counted(central_run):
    total, error = at_end(central_run, "looked_after")
    assert total == pytest.approx(462, abs=3 * error + 0.02 * 462)
    residential, error = at_end(central_run, "looked_after_in_residential")
    assert residential == pytest.approx(48, abs=3 * error + 0.06 * 48)


@pytest.mark.statistical
@pytest.mark.slow
def test_flows_are_those_that_were_fitted(central_run, calibrated):
    flows = calibrated.record["flows_per_year"]
    for measure, expected, slack in (
        ("contacts", flows["contacts"], 0.01), ("referrals", flows["referrals"], 0.03),
        ("early_help_starts", flows["early_help"], 0.04),
        ("entries_to_care", calibrated.record["starts_per_year"]["total"], 0.04),
        ("re_entries", calibrated.record["starts_per_year"]["re_entries"], 0.10),
    ):  # fmt: skip
        found, error = yearly(central_run, measure)
        assert found == pytest.approx(expected, abs=3 * error + slack * expected), measure


@pytest.mark.statistical
@pytest.mark.slow
def test_open_cases_are_those_that_were_fitted(central_run):
    for measure, expected in (("support_open", 445), ("protection_open", 48), ("early_help_open", 330)):
        found, error = at_end(central_run, measure)
        assert found == pytest.approx(expected, abs=3 * error + 0.06 * expected), measure


@pytest.mark.statistical
@pytest.mark.slow
@pytest.mark.parametrize(("levels", "least"), [("fitted", 14), ("drift", 16)])
def test_the_hindcast_holds_the_published_counts(calibrated, pieces, levels, least):
    table = hindcast(calibrated, 40, seed=3, levels=levels, pieces=pieces)
    later = table[(table["date"] > dt.date(2014, 7, 31)) & (table["setting"] != "community")]
    held = later["published"].between(later["p025"], later["p975"])
    assert len(later) == 16
    assert held.sum() >= least
