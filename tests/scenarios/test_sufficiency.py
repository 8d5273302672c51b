"""Places needed: against closed forms (Poisson quantile, Erlang B), and against the run's own counts."""

import datetime as dt
import math

import numpy as np
import pytest
from scipy import stats

from carecast.model import words as w
from carecast.model.engine import World, simulate
from carecast.model.parameters import BadFile
from carecast.model.plan import CloseProvider, OpenProvider, Plan
from carecast.model.results import reduce_log
from carecast.scenarios import sufficiency as s
from carecast.scenarios.apply import apply
from carecast.scenarios.library import load_scenario
from tests import small_runs, toy
from tests.statistical.quiet import LAST_RESORT, council, until
from tests.toy import TAG, provider, rate

BASELINE = load_scenario("baseline")
PER_YEAR, EXITS = 60.0, 2.0  # children entering care a year, and exits a year for each: 30 in care
HELPED, ENDS = 90.0, 3.0  # families asking for early help a year, and ends a year for each: 30 being helped


@pytest.fixture(scope="module")
def quiet():
    """One locality's worth of own foster homes and one early help pool, both much too small; all arrivals at random."""
    homes = [provider("own", "foster_own", locality="East", places=10, usable_share=0.8, match_chance=0.5), LAST_RESORT]
    pool = {"code": "help", "service": "early_help", "localities": [], "places": 5, **TAG}
    return council(
        [rate("exit_home", EXITS), rate("early_help_ends", ENDS)], entry={"foster_own": 1.0}, providers=homes,
        pools=[pool], branches={"contact": {"early_help": 1.0}}, ages=(5,), newborn=PER_YEAR, contact=HELPED,
    )  # fmt: skip


@pytest.fixture(scope="module")
def told(quiet):
    return s.demand(quiet, BASELINE, until(4), 400, seed=7)


def mean_present(per_year, ends_per_year, days):
    """Mean of M/G/infinity from empty after so many whole days: lambda x sum of P(stay > d)."""
    return per_year / w.DAYS_PER_YEAR * np.exp(-ends_per_year / w.DAYS_PER_YEAR * np.arange(days)).sum()


def kind_at(told, kind, where):
    return next(at for at, k in enumerate(told.kinds) if (k.kind, k.where) == (kind, where))


@pytest.mark.parametrize("chance", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize(
    ("kind", "where", "per_year", "ends"),
    [("foster_own", s.WHOLE_COUNCIL, PER_YEAR, EXITS), ("early_help", s.WHOLE_COUNCIL, HELPED, ENDS)],
)
def test_the_places_needed_are_the_poisson_quantile(told, chance, kind, where, per_year, ends):
    """Unlimited places with random arrivals hold a Poisson stock, so the quantile is known.

    The quantile of 400 replications is a Poisson quantile at a chance within three standard errors of the one asked for.
    """
    frame = s.needed(told, chance)
    row = frame[(frame["kind"] == kind) & (frame["where"] == where) & (frame["basis"] == "month_end")].iloc[-1]
    days = row["date"].toordinal() - toy.AS_AT.toordinal()
    mean = mean_present(per_year, ends, days)
    error = 3 * math.sqrt(chance * (1 - chance) / len(told.at_end))
    low, high = (int(stats.poisson.ppf(p, mean)) for p in (chance - error, min(chance + error, 0.9999)))
    assert low <= row["needed"] <= high
    assert high - low <= 6
    values = told.at_end[:, kind_at(told, kind, where), -1]
    assert abs(values.mean() - mean) < 4 * math.sqrt(mean / len(values))
    assert (values <= row["needed"]).mean() >= chance > (values <= row["needed"] - 1).mean()


def test_with_the_places_needed_erlang_b_turns_few_away(told):
    """A loss system with so many places (Erlang B) is full less often than the unlimited one holds as many or more."""
    frame = s.needed(told, 0.9)
    rows = frame[
        (frame["kind"] == "foster_own") & (frame["where"] == s.WHOLE_COUNCIL) & (frame["basis"] == "month_end")
    ]
    places, offered = int(rows["needed"].iloc[-1]), PER_YEAR / EXITS
    blocked = 1.0
    for n in range(1, places + 1):
        blocked = offered * blocked / (n + offered * blocked)
    assert blocked < 1 - stats.poisson.cdf(places - 1, offered)
    assert blocked < 0.05


def test_every_child_stands_in_the_locality_it_comes_from(told):
    east, west, whole = (
        told.at_end[:, kind_at(told, "foster_own", name)] for name in ("East", "West", s.WHOLE_COUNCIL)
    )
    np.testing.assert_array_equal(east + west, whole)
    assert east.mean() == pytest.approx(west.mean(), rel=0.1)  # the same children live in both


def test_the_places_there_are(told):
    assert (told.places[:, kind_at(told, "foster_own", "East")] == 8).all()  # 10 x 0.8
    assert not told.places[:, kind_at(told, "foster_own", "West")].any()
    assert (told.places[:, kind_at(told, "early_help", s.WHOLE_COUNCIL)] == 5).all()
    frame = s.needed(told, 0.9)
    row = frame[(frame["kind"] == "foster_own") & (frame["where"] == s.WHOLE_COUNCIL)].iloc[-1]
    assert row["short_of"] == row["needed"] - 8
    assert row["chance_of_enough"] < 0.01
    assert row["places_to_have"] == math.ceil(row["needed"] / 0.8)


def test_peaks_are_no_less_than_ends_and_years_no_less_than_months(told):
    assert (told.peak >= told.at_end).all()
    for at, year in enumerate(told.years):
        months = [m for m, name in enumerate(told.financial_years) if name == year]
        whole = told.peak[:, :, [m for m in months if told.dates[m] > toy.AS_AT]]
        if months and whole.size:
            assert (told.year_peak[:, :, at] >= whole.max(axis=2)).all()


# --- against the tables of a whole council ----------------------------------------------------------
def test_demand_is_what_the_monthly_tables_count_when_places_are_unlimited():
    """Toytown with its stock, moves, returns and continuing care: own homes at each month end, family by family."""
    of = small_runs.council()
    last = dt.date(2023, 9, 30)
    scenario = small_runs.more_help()
    found = s.demand(of, scenario, last, 3, seed=5)
    world = World(s.unlimited(of), apply(of.parameters, scenario, last), last, 5)
    for replication in range(3):
        told = simulate(world, replication)
        tables = reduce_log(told.log, told.children, world.calendar, world.providers, world.locality_names)
        monthly = dict(zip(tables.rows, tables.monthly, strict=True))
        homes = found.at_end[replication]
        foster = homes[kind_at(found, "foster_own", s.WHOLE_COUNCIL)]
        looked_after = monthly["looked_after", "placement_type=foster_own"]
        assert (foster >= looked_after).all()  # and young people in continuing care
        assert (foster - looked_after <= monthly["continuing_care", "total"]).all()
        house = homes[kind_at(found, "childrens_house_own", s.WHOLE_COUNCIL)]
        assert (house >= monthly["looked_after", "placement_type=childrens_house_own"]).all()
        families = homes[kind_at(found, "early_help", "East")] + homes[kind_at(found, "early_help", "West")]
        children = monthly["early_help_open", "total"]
        assert (families <= children).all()
        assert families.sum() > 0.4 * children.sum()
        assert not monthly["early_help_waiting", "total"][1:].any()  # nobody waits for a place without limit


def test_the_first_month_holds_the_stock():
    found = s.demand(small_runs.council(), BASELINE, dt.date(2022, 12, 31), 2)
    stock = toy.some_stock()
    own = [row for row in stock if row["placement_type"] == "foster_own"]  # one of them in continuing care
    assert found.dates[0] == toy.AS_AT
    at = kind_at(found, "foster_own", s.WHOLE_COUNCIL)
    assert found.at_end[0, at, 0] == len(own)


def test_a_scenarios_places_and_houses_count(tmp_path):
    scenario = small_runs.more_help()
    found = s.demand(small_runs.council(), scenario, dt.date(2022, 12, 31), 2)
    places = {(k.kind, k.where): found.places[:, at].tolist() for at, k in enumerate(found.kinds)}
    assert places["early_help", "East"] == [[25, 25, 25, 35, 35, 35]] * 2
    assert places["early_help", "West"] == [[20] * 6] * 2
    assert places["assessment", s.WHOLE_COUNCIL] == [[40] * 6] * 2
    assert places["childrens_house_own", s.WHOLE_COUNCIL] == [[10] * 6] * 2


def test_the_answer_does_not_depend_on_how_many_places_there_are(quiet):
    """Demand before overflow: the same with 10 places and with 20."""
    homes = tuple(p.model_copy(update={"places": 20}) if p.code == "own" else p for p in quiet.parameters.providers)
    more = quiet.model_copy(update={"parameters": quiet.parameters.model_copy(update={"providers": homes})})
    one, two = (s.demand(of, BASELINE, until(1), 5) for of in (quiet, more))
    np.testing.assert_array_equal(one.at_end, two.at_end)
    assert (one.places[0, 0, 0], two.places[0, 0, 0]) == (8, 16)


def test_places_of_houses_that_open_and_close():
    opens = OpenProvider(
        "lever",
        provider("new", "childrens_house_own", locality="East", easting_m=260000.0, northing_m=670000.0, places=5),
        dt.date(2022, 10, 1).toordinal(),
    )
    closes = CloseProvider("lever", "house_2", *(dt.date(2022, 11, day).toordinal() for day in (1, 15, 29)))
    of = small_runs.council()
    plan = Plan("plan", (opens, closes))
    world = World(s.unlimited(of), s.without_limits(plan), dt.date(2022, 12, 31), 1)
    groups = s.Groups(of.parameters, plan, world)
    at = [k.where for k in groups.kinds if k.kind == "childrens_house_own"].index(s.WHOLE_COUNCIL)
    first = [k.kind for k in groups.kinds].index("childrens_house_own")
    # six and four; five more from October; four fewer once the second is closed on 15 November
    assert groups.places(world, 0)[first + at].tolist() == [10, 10, 10, 15, 11, 11]


# --- what cannot be answered ------------------------------------------------------------------------
@pytest.mark.parametrize(("chance", "wrong"), [(0.3, "from 0.5"), (1.0, "from 0.5"), (0.999, "at least 1000")])
def test_a_chance_that_cannot_be_known(told, chance, wrong):
    with pytest.raises(BadFile, match=wrong):
        s.needed(told, chance)


def test_nothing_limited_is_nothing_to_ask():
    of = council([rate("exit_home", 1.0)], newborn=5.0)
    with pytest.raises(BadFile, match="no own home and no service"):
        s.demand(of, BASELINE, until(1), 2)


def test_a_run_without_a_day_is_refused(quiet):
    with pytest.raises(BadFile, match="needs at least a day after the as-at date"):
        s.demand(quiet, BASELINE, toy.AS_AT, 2)


@pytest.mark.parametrize("last", ["2022-08-01", "2022-08-31", "2022-10-15", "2023-04-01"])
def test_runs_that_end_anywhere_have_their_months_and_years(quiet, last):
    found = s.demand(quiet, BASELINE, dt.date.fromisoformat(last), 3)
    frame = s.needed(found, 0.5)
    assert set(frame.loc[frame["basis"] == "month_end", "date"]) == set(found.dates)
    assert set(frame.loc[frame["basis"] == "year_peak", "financial_year"]) == {
        year for year in found.years if year in found.financial_years
    }


def test_progress_is_reported(quiet):
    seen = []
    s.demand(quiet, BASELINE, until(0.2), 3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
