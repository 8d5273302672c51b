"""The gap report: its totals are the run's searches, its prices the run's own, its ranking by child-years."""

import numpy as np
import pandas as pd
import pytest

from carecast.model import words as w
from carecast.model.ledger import WAITS
from carecast.model.parameters import BadFile
from carecast.scenarios import gaps as g
from carecast.scenarios.levers import FAR_AWAY_TYPES
from carecast.scenarios.run import start
from tests import small_runs

N = 30
YEAR = "2023-24"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return start(small_runs.request(small_runs.more_help(), replications=N), tmp_path_factory.mktemp("gaps") / "run")


@pytest.fixture(scope="module")
def found(made):
    return g.gaps(made, "more_help")


def summed(run, table, scenario="more_help", year=None):
    rows = run.searches(scenario)
    rows = rows[rows["table"] == table]
    if year is not None:
        rows = rows[rows["financial_year"] == run.calendar.financial_years.index(year)]
    return rows["total"].sum()


# --- totals -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("year", ["2022-23", YEAR])
def test_totals_are_those_of_the_searches(made, found, year):
    homes = found.homes[found.homes["financial_year"] == year]
    waits = found.waits[found.waits["financial_year"] == year]
    pairs = (
        (homes["placements"].sum(), summed(made, "placements_made", year=year)),
        (homes["beyond_radius"].sum(), summed(made, "placed_beyond_radius", year=year)),
        (homes["child_years"].sum() * w.DAYS_PER_YEAR, summed(made, "days_placed", year=year)),
    )
    for ours, theirs in pairs:
        assert ours * N == pytest.approx(theirs)
        assert theirs > 0
    rows = made.searches("more_help")
    cells = rows[
        (rows["table"] == "early_help_waits") & (rows["financial_year"] == made.calendar.financial_years.index(year))
    ]
    by_kind = cells.groupby("wanted")["total"].sum()
    for column, name in (("starts", "starts"), ("waited", "waited"), ("left_without_help", "left")):
        assert waits[column].sum() * N == pytest.approx(by_kind.get(WAITS.index(name), 0))
    days = (waits["mean_wait_days"] * waits["starts"]).sum() * N
    assert days == pytest.approx(by_kind[WAITS.index("wait_days")])


def test_starts_of_early_help_are_those_of_the_monthly_tables(made, found):
    monthly = made.answer("more_help").monthly
    in_year = [at for at, date in enumerate(monthly.dates) if "2023-04" <= date.isoformat()[:7] <= "2024-03"]
    starts = monthly.of("early_help_starts")[:, in_year].sum(axis=1).mean()
    assert found.waits.loc[found.waits["financial_year"] == YEAR, "starts"].sum() == pytest.approx(starts)


def test_every_placement_beyond_the_radius_is_counted_once(found):
    homes = found.homes
    parts = homes["beyond_by_nature"] + homes["beyond_for_safety"] + homes["beyond_for_want"]
    np.testing.assert_allclose(parts, homes["beyond_radius"])
    far = homes["got"].isin(FAR_AWAY_TYPES)
    assert (homes.loc[~far, "beyond_for_want"] == 0).all()
    assert (homes.loc[far, "beyond_by_nature"] == 0).all()
    np.testing.assert_allclose(
        homes.loc[far, "beyond_for_safety"], 0.1 * homes.loc[far, "beyond_radius"]
    )  # tests/toy.py
    assert homes.loc[far, "beyond_for_want"].sum() > 0 < homes.loc[~far, "beyond_by_nature"].sum()


# --- money ------------------------------------------------------------------------------------------
def test_a_type_price_is_its_value_over_its_days(made, found):
    prices = found.type_prices.set_index(["financial_year", "placement_type"])
    money = made.money["more_help"]
    y, line = made.calendar.financial_years.index(YEAR), money.layout.lines.index("childrens_house_own")
    rows = made.searches("more_help")
    kind = w.PLACEMENT_TYPES.index("childrens_house_own")
    days = rows[(rows["table"] == "type_days") & (rows["financial_year"] == y) & (rows["locality"] == kind)][
        "total"
    ].sum()
    weekly = money.value[:, y, line].sum() / 100 / days * 7
    assert prices.loc[(YEAR, "childrens_house_own"), "price_gbp_per_week"] == pytest.approx(weekly)
    assert weekly > 1800  # ten places cost 18,000 a week whoever lives there, and 100 each: no place is cheaper
    assert prices.loc[(YEAR, "unregistered"), "how"] in ("the parameter set's", "mean of all years")


def test_extra_cost_is_days_times_the_difference_in_price(made, found):
    prices = found.type_prices.set_index(["financial_year", "placement_type"])["price_gbp_per_week"]
    homes = found.homes
    dearer = homes[homes["gap"] == "dearer home"]
    assert len(dearer) > 10
    for row in dearer.to_dict("records"):
        difference = prices[row["financial_year"], row["got"]] - prices[row["financial_year"], row["wanted"]]
        assert difference > 0
        weeks = row["child_years"] * w.DAYS_PER_YEAR / 7
        assert row["extra_cost_gbp"] == pytest.approx(weeks * difference)
    assert (homes.loc[homes["gap"] != "dearer home", "extra_cost_gbp"] == 0).all()
    assert (homes.loc[homes["wanted"] == homes["got"], "gap"] == "").all()
    own = (homes["wanted"] == "residential_external") & (homes["got"] == "childrens_house_own")
    assert own.any()
    assert (homes.loc[own, "gap"] == "").all()  # own homes are tried first: policy, no gap
    assert (homes.loc[(homes["wanted"] == "foster_own") & (homes["got"] == "foster_agency"), "gap"] != "").all()


# --- what is missing most ---------------------------------------------------------------------------
def test_ranked_by_child_years_within_each_year(found):
    for _, part in found.missing.groupby("financial_year"):
        assert part["rank"].tolist() == list(range(1, len(part) + 1))
        assert part["child_years"].is_monotonic_decreasing
        assert set(part["what"]) == {"home", "near_home", "early_help"}


def test_the_ranking_adds_up_to_the_tables(found):
    missing = found.missing.groupby("what")[["children", "child_years", "extra_cost_gbp"]].sum()
    homes, waits = found.homes, found.waits
    other = homes[homes["gap"] != ""]
    assert missing.loc["home"].tolist() == pytest.approx(
        [other["placements"].sum(), other["child_years"].sum(), homes["extra_cost_gbp"].sum()]
    )
    assert missing.loc["near_home"].tolist() == pytest.approx(
        [homes["beyond_for_want"].sum(), homes["child_years_beyond_for_want"].sum(), 0]
    )
    assert missing.loc["early_help", "child_years"] == pytest.approx(waits["child_years_waited"].sum())


def test_ranked_by_locality_alone_it_is_the_same_sums(found):
    whole = g.missing(found.homes, found.waits, ["locality"])
    assert "age_band" not in whole.columns
    keys = ["financial_year", "what", "wanted", "locality"]
    parts = found.missing.groupby(keys)["child_years"].sum().sort_index()
    pd.testing.assert_series_equal(whole.set_index(keys)["child_years"].sort_index(), parts)


# --- which run, which year --------------------------------------------------------------------------
def test_years(made, found):
    assert found.financial_years == ("2022-23", YEAR)
    assert found.part_years == ("2022-23",)
    assert g.last_whole_year(made) == YEAR
    one = g.gaps(made, "more_help", [YEAR])
    assert set(one.homes["financial_year"]) == set(one.waits["financial_year"]) == {YEAR}
    pd.testing.assert_frame_equal(one.homes, found.homes[found.homes["financial_year"] == YEAR].reset_index(drop=True))
    with pytest.raises(BadFile, match="holds no financial year '2024-25'; there are 2022-23, 2023-24"):
        g.gaps(made, "more_help", ["2024-25"])
    with pytest.raises(BadFile, match="did you mean 'more_help'"):
        g.gaps(made, "more_hel")


def test_more_early_help_leaves_fewer_waiting(made, found):
    base = g.gaps(made).waits
    assert found.waits["child_years_waited"].sum() < base["child_years_waited"].sum()


def test_the_long_table_holds_every_number(found):
    long = g.long_table(found)
    assert not long.isna().any().any()
    assert not long.duplicated(
        ["table", "financial_year", "locality", "age_band", "what", "wanted", "got", "measure"]
    ).any()
    cost = long[(long["table"] == "homes") & (long["measure"] == "extra_cost_gbp")]
    assert cost["value"].sum() == pytest.approx(found.homes["extra_cost_gbp"].sum())
    assert set(long["table"]) == {"missing", "homes", "waits", "type_prices"}


def test_a_run_without_a_day_has_no_year(tmp_path):
    from tests import toy

    run = start(small_runs.request(replications=2, until=toy.AS_AT), tmp_path / "run")
    with pytest.raises(BadFile, match="no year to report on"):
        g.last_whole_year(run)
    assert g.gaps(run).homes.empty
