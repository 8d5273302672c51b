"""Arrivals: families of their own whatever the scenario, as many as their intensity says, the same bits on both clocks."""

import datetime as dt
import math

import numpy as np
import pytest
from scipy import stats

from carecast.model import arrivals, compiled, rules, setup
from carecast.model import plan as p
from carecast.model import words as w
from carecast.model.engine import World
from carecast.model.parameters import BadFile
from tests.toy import AS_AT, calibrated, document, some_stock

CHANCE = 1e-6  # of a false alarm, each test; keys are fixed
UNTIL = dt.date(2025, 7, 31)
STEADY = {
    "arrivals.level_sd_per_year": 0.0,
    "arrivals.unaccompanied_level_sd_per_year": 0.0,
    "arrivals.month_spread_ln": 0.0,
}
ALWAYS = p.Window(AS_AT.toordinal())


def world(*changes, seed=11, until=UNTIL, stock=None, numbers=None, **sections):
    return World(
        calibrated(stock, numbers={**STEADY, **(numbers or {})}, **sections), p.Plan("plan", changes), until, seed
    )


def streams(of, replication=0):
    return of.arrivals.streams(of.draw_row(replication), of.seed, replication)


def scale(route, ratio, **where):
    return p.ScaleArrivals("lever", route, p.Effect(ratio), ALWAYS, **where)


def routes(**families_a_year):
    """So many families a year by the routes given, none by the others."""
    return {f"arrivals.{route}_families_per_year": families_a_year.get(route, 0.0) for route in w.ROUTES}


@pytest.mark.parametrize(("least", "most"), [(500.0, 499.0), (0.0, 900.0)])
def test_gaps_between_brothers_and_sisters_that_cannot_be_are_refused(least, most):
    odd = world(numbers={"siblings.least_gap_days": least, "siblings.most_gap_days": most})
    with pytest.raises(
        BadFile, match=f"siblings.least_gap_days {least:g} and siblings.most_gap_days {most:g}; the least"
    ):
        streams(odd)


# --- one source, two ways to run it ---------------------------------------------------------------------------------
@pytest.mark.parametrize("ratio", [0.0, 0.7, 1.0, 2.4])
def test_plain_python_draws_the_same_families_and_children(ratio):
    drawn_from = streams(world(scale("contact", ratio), scale("emergency", 3.0, localities=("West",))), replication=3)
    quick = compiled.MODULES["arrivals"]
    n = quick.draw_families(drawn_from, 11, 3, setup._family_columns(0))
    fast, slow = setup._family_columns(n), setup.as_lists(setup._family_columns(n))
    quick.draw_families(drawn_from, 11, 3, fast)
    lists = setup.as_lists(drawn_from)
    assert arrivals.draw_families(lists, 11, 3, setup.as_lists(setup._family_columns(0))) == n
    assert arrivals.draw_families(lists, 11, 3, slow) == n
    for name, a, b in zip(fast._fields, fast, slow, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
    n_children = int(fast.n_children.sum())
    fast_kids = setup.Kids(*(np.zeros(n_children, dtype=np.int64) for _ in setup.Kids._fields))
    slow_kids = setup.as_lists(fast_kids)
    assert quick.place_children(n, fast, 0, 400, 1600, fast_kids) == n_children
    assert arrivals.place_children(n, slow, 0, 400, 1600, slow_kids) == n_children
    for name, a, b in zip(fast_kids._fields, fast_kids, slow_kids, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_counting_first_counts_what_is_drawn():
    laid_out = world().setup(2)
    assert len(laid_out.arrival_order) == len(laid_out.families.kept)
    assert sorted(laid_out.arrival_order.tolist()) == list(range(len(laid_out.families.kept)))
    days = laid_out.families.arrival_day[laid_out.arrival_order]
    assert (np.diff(days) >= 0).all()
    assert days.min() > AS_AT.toordinal()
    assert days.max() <= UNTIL.toordinal()


# --- common families ------------------------------------------------------------------------------------------------
KEYS = ("arrival_day", "route", "locality", "n_children", "key_1", "key_2", "lead_birth_day")


def rows(laid_out, kept_only=True):
    families = laid_out.families
    table = np.stack([getattr(families, name) for name in KEYS], axis=1)
    return {tuple(row) for row in (table[families.kept == 1] if kept_only else table).tolist()}


def test_a_lower_ratio_keeps_some_of_the_same_families():
    base, thinned = world().setup(0), world(scale("contact", 0.7)).setup(0)
    for name in KEYS:
        np.testing.assert_array_equal(getattr(base.families, name), getattr(thinned.families, name), err_msg=name)
    assert rows(thinned) < rows(base)
    contacts = base.families.route == w.CONTACT
    n, kept = int(contacts.sum()), int(thinned.families.kept[contacts].sum())
    assert stats.binomtest(kept, n, 0.7).pvalue > CHANCE
    assert thinned.families.kept[~contacts].all()


def test_a_lower_ratio_nests():
    kept = [rows(world(scale("contact", ratio)).setup(0)) for ratio in (0.0, 0.3, 0.7, 1.0, 1.5, 2.0, 2.6)]
    assert all(fewer < more for fewer, more in zip(kept, kept[1:], strict=False))
    assert not {row for row in kept[0] if row[1] == w.CONTACT}


@pytest.mark.parametrize("ratio", [1.5, 2.0, 3.25, 10.0])
def test_a_higher_ratio_adds_layers_and_renumbers_nobody(ratio):
    base, more = world(stock=some_stock()).setup(0), world(scale("contact", ratio), stock=some_stock()).setup(0)
    n, n_children = len(base.families.kept), len(base.kids.birth_day)
    for name in base.families._fields:
        np.testing.assert_array_equal(getattr(base.families, name), getattr(more.families, name)[:n], err_msg=name)
    for name in base.kids._fields:
        np.testing.assert_array_equal(getattr(base.kids, name), getattr(more.kids, name)[:n_children], err_msg=name)
    added = more.families.kept[n:] == 1
    assert (more.families.route[n:][added] == w.CONTACT).all()
    contacts = int((base.families.kept[base.families.route == w.CONTACT]).sum()) - len(base.stock.first_child)
    expected = 600.0 * (UNTIL - AS_AT).days / w.DAYS_PER_YEAR * 0.97  # population of the toy falls a little
    assert abs(contacts + added.sum() - ratio * expected) < 0.03 * ratio * expected + 4.9 * math.sqrt(ratio * expected)


def test_a_lever_reaches_its_localities_and_ages_only():
    lever = scale("contact", 0.0, localities=("East",), age_bands=("under_1", "1_to_4"))
    families = world(lever).setup(0).families
    age = families.arrival_day - families.lead_birth_day
    reached = (families.route == w.CONTACT) & (families.locality == 0) & (age < rules.AGE_START_DAYS[2])
    np.testing.assert_array_equal(families.kept == 0, reached)


def test_two_levers_on_one_route_multiply():
    families = world(scale("contact", 0.5), scale("contact", 0.4)).setup(0).families
    contacts = families.route == w.CONTACT
    assert stats.binomtest(int(families.kept[contacts].sum()), int(contacts.sum()), 0.2).pvalue > CHANCE


def test_a_run_twice_as_long_begins_with_the_same_families():
    short, long = world(until=dt.date(2023, 7, 31)), world()
    last = dt.date(2023, 7, 31).toordinal()
    assert rows(short.setup(0)) == {row for row in rows(long.setup(0)) if row[0] <= last}


def test_replications_and_seeds_have_families_of_their_own():
    keys = [rows(world(seed=seed).setup(replication)) for seed in (1, 2) for replication in (0, 1)]
    assert len(set.union(*keys)) == sum(map(len, keys))


# --- how many -------------------------------------------------------------------------------------------------------
def counts(of, replications, month_of=None):
    """Families of layer 0 [replication][route][locality][month]."""
    n_months = of.calendar.n_months
    table = np.zeros((replications, w.N_ROUTES, 2, n_months), dtype=int)
    for replication in range(replications):
        drawn_from = streams(of, replication)
        columns = setup._arrivals(drawn_from, of.seed, replication)
        month = of.calendar.month_of_day[columns.arrival_day - of.calendar.first_day]
        np.add.at(table[replication], (columns.route, columns.locality, month), 1)
    return table


def intensity(of, replication=0):
    """Expected families [route][locality][month]: intensity times the days of the month that are simulated."""
    drawn_from = streams(of, replication)
    starts = np.maximum(drawn_from.month_start_day[:-1], drawn_from.start_day)
    days = np.maximum(np.minimum(drawn_from.month_start_day[1:], drawn_from.end_day) - starts, 0)
    return drawn_from.per_day.reshape(w.N_ROUTES, 2, -1) * days


def test_counts_are_poisson_around_the_intensity():
    of = world(until=dt.date(2024, 1, 15))
    replications = 300
    seen, expected = counts(of, replications), intensity(of)
    total = seen.sum(axis=0)
    some = expected > 0
    assert not total[~some].any()  # nobody arrives before the run
    z = (total[some] - replications * expected[some]) / np.sqrt(replications * expected[some])
    assert stats.chi2.sf((z**2).sum(), len(z)) > CHANCE  # every month, route and locality
    assert abs(z.sum()) / math.sqrt(len(z)) < stats.norm.isf(CHANCE / 2)
    yearly = seen.sum(axis=3)[:, 0]  # variance to mean is 1: chi-square over replications, contacts of each locality
    for locality in range(2):
        dispersion = ((yearly[:, locality] - yearly[:, locality].mean()) ** 2).sum() / yearly[:, locality].mean()
        assert CHANCE < stats.chi2.sf(dispersion, replications - 1) < 1 - CHANCE


def test_a_months_own_spread_has_mean_one():
    """month_spread_ln makes counts overdispersed, not more: E[exp(s z - s^2/2)] = 1."""
    spread = 0.4
    of = world(numbers={"arrivals.month_spread_ln": spread})
    still = intensity(world())[w.CONTACT]
    replications = 150
    ratio = (
        np.array([intensity(of, replication)[w.CONTACT] for replication in range(replications)])[:, :, 1:]
        / still[:, 1:]
    )
    assert np.array_equal(ratio[:, 0], ratio[:, 1])  # of the council as a whole
    error = math.sqrt((math.exp(spread**2) - 1) / ratio[:, 0].size)
    assert abs(ratio[:, 0].mean() - 1) < 4.9 * error


def test_a_drifting_level_starts_at_the_level_of_today_and_spreads():
    of = world(numbers={"arrivals.level_sd_per_year": 0.1})
    still = intensity(world())[w.CONTACT, 0]
    ratio = np.log(
        np.array([intensity(of, replication)[w.CONTACT, 0] for replication in range(200)])[:, 1:] / still[1:]
    )
    for months in (1, 12, 36):
        sd = 0.1 * math.sqrt(months / 12)
        assert abs(ratio[:, months - 1].std() / sd - 1) < 4.9 / math.sqrt(2 * 200)
        assert abs(ratio[:, months - 1].mean()) < 4.9 * sd / math.sqrt(200)


def test_unaccompanied_children_drift_on_their_own():
    of = world(numbers={"arrivals.unaccompanied_level_sd_per_year": 0.5})
    still = intensity(world())
    for route in range(w.N_ROUTES):
        assert np.array_equal(intensity(of)[route], still[route]) == (route != w.UNACCOMPANIED)


def test_season_repeats_and_does_not_add():
    factors = [2.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0]
    series = {
        **document()["series"],
        "arrivals.month_factors": {"values": factors, "unit": "ratio", "source": "invented", "how": "assumed"},
    }
    per_day = streams(world(series=series)).per_day.reshape(w.N_ROUTES, 2, -1) / streams(world()).per_day.reshape(
        w.N_ROUTES, 2, -1
    )
    first = AS_AT.month - 1
    expected = np.array([factors[(first + month) % 12] for month in range(per_day.shape[2])]) / np.mean(factors)
    np.testing.assert_allclose(per_day[w.CONTACT, 0], expected)
    np.testing.assert_allclose(per_day[w.UNACCOMPANIED, 0], 1.0)  # no season for who comes from abroad


# --- population and disadvantage ------------------------------------------------------------------------------------
def localities(grow=(1.0, 1.0), quintiles=None):
    """The toy's localities, each with its population multiplied in 2030."""
    found = []
    for at, row in enumerate(document()["localities"]):
        population = {band: [a, a * grow[at]] for band, (a, _) in row["population"].items()}
        found.append({**row, "population": population, **({"quintile_children": quintiles[at]} if quintiles else {})})
    return found


def test_arrivals_follow_the_projected_population():
    grown = streams(world(localities=localities((2.0, 1.0)))).per_day.reshape(w.N_ROUTES, 2, -1)
    still = streams(world(localities=localities())).per_day.reshape(w.N_ROUTES, 2, -1)
    np.testing.assert_allclose(still.std(axis=2), 0.0, atol=1e-12)
    np.testing.assert_allclose(still.sum(axis=1)[:, 0] * w.DAYS_PER_YEAR, [600.0, 12.0, 5.0, 2.0, 4.0])
    # from 1 July 2020 to 1 July 2030 the east doubles; half-way through month m it has 1 + years / 10
    middle = AS_AT.replace(day=16).toordinal() + 0.5 + 30.4375 * np.arange(grown.shape[2])
    east = 1 + (middle - dt.date(2020, 7, 1).toordinal()) / 3652.5
    np.testing.assert_allclose(grown[w.CONTACT, 0] / grown[w.CONTACT, 0, 0], east / east[0], rtol=2e-3)
    np.testing.assert_allclose(grown[w.CONTACT, 1], grown[w.CONTACT, 1, 0])
    np.testing.assert_allclose(grown[w.CONTACT, 0, 0] / grown[w.CONTACT, 1, 0], east[0], rtol=2e-3)


def test_arrivals_follow_disadvantage():
    """Mean relative risk of the children of each locality: 3 where all are in the first quintile, 0.4 in the fifth."""
    per_day = streams(world(localities=localities(quintiles=[[8250, 0, 0, 0, 0], [0, 0, 0, 0, 8250]]))).per_day
    by_locality = per_day.reshape(w.N_ROUTES, 2, -1)[:, :, 0]
    np.testing.assert_allclose(by_locality[:, 0] / by_locality[:, 1], 3.0 / 0.4)
    families = world(localities=localities(quintiles=[[8250, 0, 0, 0, 0], [0, 0, 0, 0, 8250]])).setup(0)
    assert set(families.quintile[families.kids.locality == 0].tolist()) == {1}
    assert set(families.quintile[families.kids.locality == 1].tolist()) == {5}


# --- who ------------------------------------------------------------------------------------------------------------
def test_zero_arrivals():
    laid_out = world(numbers=routes()).setup(0)
    assert len(laid_out.kids.birth_day) == len(laid_out.arrival_order) == 0
    assert not world(scale("contact", 0.0), numbers=routes(contact=500.0)).setup(0).families.kept.any()


def test_ages_and_sizes_follow_their_tables():
    laid_out = world(numbers=routes(contact=20_000.0), until=dt.date(2023, 7, 31)).setup(0)
    families = laid_out.families
    given = document()["series"]
    sizes = np.bincount(families.n_children, minlength=5)[1:]
    assert stats.chisquare(sizes, np.array(given["family.size_chances"]["values"]) * sizes.sum()).pvalue > CHANCE
    years = ((families.arrival_day - families.lead_birth_day) / w.DAYS_PER_YEAR).astype(int)
    weights = np.array(given["ages.contact"]["values"])
    ages = np.bincount(years, minlength=18)
    assert stats.chisquare(ages, weights / weights.sum() * ages.sum()).pvalue > CHANCE
    zones = np.bincount(laid_out.kids.zone, minlength=4)
    assert abs(zones[0] / zones[:2].sum() - 0.6) < 0.02  # 3,000 of 5,000 children live in the first


def test_everybody_is_a_child_on_the_day_of_arrival():
    """The oldest are a day short of 18: years x 365.25 rounds up to a birthday otherwise, once in 730 of those aged 17."""
    laid_out = world(numbers=routes(contact=9000.0, unaccompanied=9000.0), until=dt.date(2023, 7, 31)).setup(0)
    age = np.repeat(laid_out.families.arrival_day, laid_out.families.n_children) - laid_out.kids.birth_day
    assert age.min() >= 0
    assert age.max() == rules.ADULT_AGE_DAYS - 1


def test_newborns_are_newborn_and_lone_children_are_alone():
    laid_out = world(
        numbers=routes(newborn=2000.0, remand=500.0, unaccompanied=500.0), until=dt.date(2023, 7, 31)
    ).setup(0)
    families = laid_out.families
    lead_age = families.arrival_day - families.lead_birth_day
    assert lead_age[families.route == w.NEWBORN].max() < 28
    assert (families.n_children[np.isin(families.route, (w.REMAND, w.UNACCOMPANIED))] == 1).all()
    assert lead_age[families.route == w.REMAND].min() >= 13 * 365
    np.testing.assert_array_equal(laid_out.kids.unaccompanied == 1, laid_out.route == w.UNACCOMPANIED)


def test_brothers_and_sisters_are_apart_in_age_and_together_in_everything_else():
    laid_out = world(numbers=routes(contact=3000.0), until=dt.date(2023, 7, 31)).setup(0)
    kids, families = laid_out.kids, laid_out.families
    for family in np.flatnonzero(families.n_children > 1).tolist():
        members = slice(families.first_child[family], families.first_child[family] + families.n_children[family])
        assert set(kids.family[members].tolist()) == {family}
        assert len(set(kids.locality[members].tolist())) == len(set(kids.zone[members].tolist())) == 1
        assert kids.birth_day[members][0] == families.lead_birth_day[family]
        gaps = np.diff(np.sort(kids.birth_day[members]))
        assert gaps.min() >= 0


def test_gaps_between_brothers_and_sisters_are_those_the_council_says():
    def gaps(**days):
        numbers = {**routes(contact=3000.0), **{f"siblings.{name}": float(value) for name, value in days.items()}}
        laid_out = world(numbers=numbers, until=dt.date(2023, 7, 31)).setup(0)
        kids, families = laid_out.kids, laid_out.families
        found = set()
        for first in families.first_child[(families.n_children == 2) & (families.arrival_day > AS_AT.toordinal())]:
            found.add(abs(int(kids.birth_day[first] - kids.birth_day[first + 1])))
        return found

    assert gaps(least_gap_days=500, most_gap_days=503) == {500, 501, 502}
    usual = gaps()
    assert usual == gaps(least_gap_days=400, most_gap_days=1600)
    assert min(usual) >= 400
    assert 1500 < max(usual) < 1600


def test_families_beyond_the_room_that_was_made_are_drawn_all_the_same(monkeypatch):
    of = world(numbers=routes(contact=400.0))
    whole = setup._arrivals(streams(of), of.seed, 0)
    monkeypatch.setattr(setup, "SPARE_DEVIATIONS", -6.0)
    again = setup._arrivals(streams(of), of.seed, 0)
    assert len(whole.kept) > 100
    for name, a, b in zip(whole._fields, whole, again, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
