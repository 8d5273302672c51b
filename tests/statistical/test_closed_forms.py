"""Queues whose answer is known: what comes out of the whole machinery is what theory says.

Days are whole. A wait with a constant hazard h a day ends on a whole day with chance q = 1 - exp(-h) each day, so its
mean is 1 / q days (half a day more than 1 / h), and within a day ends come before arrivals and arrivals before the desk.
Erlang's formulas are for continuous time; each test therefore compares the simulation with the same queue in whole days,
solved exactly, and that with Erlang's figure, from which it differs by less than the third decimal or two.

``LIMIT`` standard errors, computed from the replications: false alarm below 1 in 10,000 for each comparison (Student's t
with 19 degrees of freedom at least), about 20 comparisons. Seeds are fixed, so a pass stays a pass.
"""

import math

import numpy as np
import pytest
from scipy import stats

from carecast.model import rules
from carecast.model import words as w
from carecast.model.engine import simulate
from tests.statistical.quiet import DAY_0, LAST_RESORT, council, stays, stock_by_day, world
from tests.toy import TAG, provider, rate

pytestmark = pytest.mark.statistical
LIMIT = 4.9


def close(values, exact, largest_error):
    """The mean of replications agrees with ``exact`` within its error, and the error is small enough to say something."""
    values = np.asarray(values, dtype=float)
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert error <= largest_error
    assert abs(values.mean() - exact) < LIMIT * error, f"{values.mean():.5f} is not {exact:.5f} (error {error:.5f})"


def by_duration(cause, per_year, types=()):
    return {
        "cause": cause,
        "label": "all",
        "placement_types": list(types),
        "per_year": [per_year] * w.N_AGE_BANDS,
        **TAG,
    }


def survival(per_year, n_days):
    """Chance of staying more than d days, for hazards per year by duration band."""
    per_day = np.array([per_year[rules.duration_band(day)] for day in range(n_days)]) / w.DAYS_PER_YEAR
    return np.exp(-np.concatenate([[0.0], np.cumsum(per_day)]))


# --- Little ---------------------------------------------------------------------------------------------------------
FALLING = (6.0, 4.0, 2.0, 1.0, 1.0, 1.0, 1.0)  # exits a year by time in care


def little(told, first, last, end, begins, ends):
    """(L, lambda W) over a window of days: mean number present, arrivals a day times the mean stay of those arrivals."""
    present = stock_by_day(told.log, end, begins, ends)[first - DAY_0 : last - DAY_0].mean()
    begun, stayed = stays(told.log, begins, ends)
    inside = (begun >= first) & (begun < last)
    assert (stayed[inside] >= 0).all()  # everybody of the window has left by the end of the run
    return present, inside.sum() / (last - first) * stayed[inside].mean()


def test_littles_law_in_care_and_in_a_queue():
    """L = lambda W within 1 %: for care, for those waiting for early help, and for those being helped."""
    help_pool = {"code": "help", "service": "early_help", "localities": [], "places": 10, **TAG}
    of = council(
        [by_duration("exit_home", FALLING), rate("early_help_ends", 5.0)],
        newborn=60.0,
        contact=47.0,
        ages=(5,),
        pools=[help_pool],
        branches={"contact": {"early_help": 1.0}},
    )
    told = simulate(world(of, 190), 0)
    first, last, end = (DAY_0 + round(years * w.DAYS_PER_YEAR) for years in (5, 170, 190))
    for begins, ends in (
        (w.ENTERED_CARE, w.LEFT_CARE),
        (w.EARLY_HELP_ASKED, w.EARLY_HELP_STARTED),
        (w.EARLY_HELP_STARTED, w.EARLY_HELP_ENDED),
    ):
        present, product = little(told, first, last, end, begins, ends)
        assert present > 1
        assert product == pytest.approx(present, rel=0.01)


# --- unaccompanied children -----------------------------------------------------------------------------------------
def test_half_the_hazard_doubles_the_mean_stay_of_unaccompanied_children():
    """Mean stay 1 / q days with q = 1 - exp(-h r), r the ratio of unaccompanied children and one for others."""
    per_year, ratio = 3.0, 0.5
    of = council(
        [rate("exit_home", per_year)], numbers={"exits.unaccompanied_hazard_ratio": ratio}, newborn=60.0, unaccompanied=60.0
    )  # fmt: skip
    ages = of.parameters.series["ages.unaccompanied"].model_copy(update={"values": (0.0, 1.0, *(0.0,) * 16)})
    of = of.model_copy(
        update={"parameters": of.parameters.model_copy(
            update={"series": of.parameters.series | {"ages.unaccompanied": ages}}
        )}
    )  # fmt: skip
    years, counted = 22, 12 * w.DAYS_PER_YEAR  # ten years to leave in: e^-15 stay longer
    means = {0: [], 1: []}
    for replication in range(25):
        told = simulate(world(of, years), replication)
        begun, stayed = stays(told.log)
        who = np.unique(told.log.child[told.log.event == w.ENTERED_CARE])
        early = begun < DAY_0 + counted
        for alone, found in means.items():
            of_these = stayed[early & (told.children.unaccompanied[who] == alone)]
            assert (of_these >= 0).all()
            found.append(of_these.mean())
    for alone, r in ((0, 1.0), (1, ratio)):
        exact = 1 / -math.expm1(-per_year * r / w.DAYS_PER_YEAR)
        close(means[alone], exact, 0.02 * exact)


# --- M/G/infinity ---------------------------------------------------------------------------------------------------
def test_unlimited_places_hold_a_poisson_stock_of_arrivals_times_mean_stay():
    """M/G/infinity from empty: Poisson with mean lambda x sum of P(stay > d), here for two kinds of home at once.

    Whole days: who arrives on day a counts on day a, so the sum runs over d = 0, 1, ...; after eight years it is
    lambda E[S] to one part in a thousand.
    """
    homes = [provider("kin", "kinship"), provider("foster", "foster_agency"), LAST_RESORT]
    slow = (1.0, 1.5, 2.5, 2.5, 1.0, 1.0, 1.0)
    of = council(
        [by_duration("exit_home", FALLING, ["kinship"]), by_duration("exit_home", slow, ["foster_agency"])],
        entry={"kinship": 0.6, "foster_agency": 0.4}, providers=homes, newborn=80.0,
    )  # fmt: skip
    years, replications = 8, 500
    of_world = world(of, years)
    stock = np.zeros((2, replications), dtype=int)
    for replication in range(replications):
        log = simulate(of_world, replication).log
        placed = log.event == w.PLACEMENT_STARTED
        ended = log.event == w.PLACEMENT_ENDED
        for kind in range(2):
            stock[kind, replication] = (placed & (log.provider == kind)).sum() - (ended & (log.provider == kind)).sum()
    for kind, (share, per_year) in enumerate(((0.6, FALLING), (0.4, slow))):
        stays_more = survival(per_year, round(years * w.DAYS_PER_YEAR))
        mean = 80.0 * share / w.DAYS_PER_YEAR * stays_more[:-1].sum()
        assert stays_more[-1] < 0.001
        close(stock[kind], mean, 0.02 * mean)
        assert abs(stock[kind].mean() - mean) < LIMIT * math.sqrt(mean / replications)  # and by the Poisson's own error
        dispersion = ((stock[kind] - stock[kind].mean()) ** 2).sum() / stock[kind].mean()
        assert 1e-5 < stats.chi2.sf(dispersion, replications - 1) < 1 - 1e-5
    assert abs(np.corrcoef(stock)[0, 1]) < LIMIT / math.sqrt(replications)  # thinned Poissons are independent
    counts = np.bincount(stock.sum(axis=0))
    total = stock.sum(axis=0).mean()
    edges = stats.poisson.ppf([0.2, 0.4, 0.6, 0.8], total).astype(int)
    seen = np.diff(np.concatenate([[0], [counts[: edge + 1].sum() for edge in edges], [replications]]))
    expected = replications * np.diff(np.concatenate([[0.0], stats.poisson.cdf(edges, total), [1.0]]))
    assert stats.chisquare(seen, expected, ddof=1).pvalue > 1e-5  # Poisson in shape too


# --- Erlang B -------------------------------------------------------------------------------------------------------
def erlang_b(servers, offered):
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered * blocked / (n + offered * blocked)
    return blocked


def loss_in_whole_days(servers, offered, q):
    """Share lost by ``servers`` places in whole days: each stay ends with chance ``q`` a day, then a Poisson number asks."""
    per_day = offered * q
    asking = stats.poisson.pmf(np.arange(60), per_day)
    states = np.arange(servers + 1)
    stay_on = stats.binom.pmf(states[None, :], states[:, None], 1 - q)  # [present][still there]
    come = np.zeros((servers + 1, servers + 1))
    lost = np.zeros(servers + 1)
    for still in states:
        for n, chance in enumerate(asking):
            come[still, min(servers, still + n)] += chance
            lost[still] += chance * max(0, still + n - servers)
    share = stationary(stay_on @ come)
    return float(share @ stay_on @ lost / per_day)


def stationary(step):
    """The stationary distribution of a Markov chain."""
    n = len(step)
    system = np.vstack([step.T - np.eye(n), np.ones(n)])
    return np.linalg.lstsq(system, np.append(np.zeros(n), 1.0), rcond=None)[0]


@pytest.mark.parametrize(
    ("places", "offered", "published", "years", "replications", "largest_error"),
    [(22, 20.0, 0.1067, 110, 40, 0.002), (150, 165.0, 0.1252, 45, 20, 0.0015)],
)
def test_erlang_b_overflow(places, offered, published, years, replications, largest_error):
    """Own houses without matching, overflow to the spot market: the share that overflows is Erlang's loss formula."""
    per_year = 2.0
    q = 1 - math.exp(-per_year / w.DAYS_PER_YEAR)
    house = provider("house", "childrens_house_own", easting_m=250_000.0, northing_m=670_000.0, places=places)
    of = council(
        [rate("exit_home", per_year)], entry={"childrens_house_own": 1.0}, providers=[house, LAST_RESORT],
        newborn=offered * q * w.DAYS_PER_YEAR,
    )  # fmt: skip
    of_world = world(of, years)
    warm = DAY_0 + 5 * 365  # ten mean stays
    shares = []
    for replication in range(replications):
        log = simulate(of_world, replication).log
        placed = (log.event == w.PLACEMENT_STARTED) & (log.day > warm)
        shares.append((log.provider[placed] == 1).mean())
    exact = loss_in_whole_days(places, offered, q)
    close(shares, exact, largest_error)
    assert erlang_b(places, offered) == pytest.approx(published, abs=5e-5)
    assert exact == pytest.approx(published, abs=0.003)  # what whole days change


# --- Erlang C -------------------------------------------------------------------------------------------------------
def erlang_c(servers, offered):
    lost = erlang_b(servers, offered)
    return lost / (1 - offered / servers * (1 - lost))


def wait_in_whole_days(servers, offered, q, largest=400):
    """Chance of not being served on the day of asking, in whole days."""
    per_day = offered * q
    asking = stats.poisson.pmf(np.arange(60), per_day)
    present = np.arange(largest + 1)
    leaving = stats.binom.pmf(np.arange(servers + 1)[None, :], np.minimum(present, servers)[:, None], q)
    step, waits = np.zeros((largest + 1, largest + 1)), np.zeros(largest + 1)
    for n in present:
        for gone in range(min(n, servers) + 1):
            left = n - gone
            for come, chance in enumerate(asking):
                step[n, min(largest, left + come)] += leaving[n, gone] * chance
                waits[n] += leaving[n, gone] * chance * max(0, come - max(0, servers - left))
    return float(stationary(step) @ waits / per_day)


def test_erlang_c_waits_for_early_help():
    """Ten places, eight offered, nobody gives up: four in ten wait (Erlang C: 0.4092)."""
    servers, offered, per_year = 10, 8.0, 4.0
    q = 1 - math.exp(-per_year / w.DAYS_PER_YEAR)
    pool = {"code": "help", "service": "early_help", "localities": [], "places": servers, **TAG}
    of = council(
        [rate("early_help_ends", per_year)], contact=offered * q * w.DAYS_PER_YEAR, ages=(5,), pools=[pool],
        branches={"contact": {"early_help": 1.0}},
    )  # fmt: skip
    of_world = world(of, 300)
    shares = []
    for replication in range(70):
        log = simulate(of_world, replication).log
        asked, waited = stays(log, w.EARLY_HELP_ASKED, w.EARLY_HELP_STARTED)
        counted = (asked > DAY_0 + 10 * 365) & (asked < DAY_0 + 295 * 365)
        shares.append((waited[counted] != 0).mean())
    exact = wait_in_whole_days(servers, offered, q)
    close(shares, exact, 0.005)
    assert erlang_c(servers, offered) == pytest.approx(0.4092, abs=5e-5)
    assert exact == pytest.approx(0.4092, abs=0.01)  # what whole days change: two may ask for one place on one day


# --- competing causes -----------------------------------------------------------------------------------------------
def test_competing_exits_are_in_proportion_to_their_hazards():
    """Cause i ends the stay with chance h_i / sum h. In whole days a tie goes to the cause that comes first:

    P(i) = q_1 ... q_(i-1) (1 - q_i) / (1 - q_1 ... q_n) with q = exp(-h), which the moves in between do not change.
    """
    per_year = {"exit_home": 5.0, "exit_kinship_order": 1.0, "exit_adoption": 0.4, "exit_other": 0.6}
    homes = [provider("kin", "kinship"), provider("foster", "foster_agency"), LAST_RESORT]
    of = council(
        [*(rate(cause, value) for cause, value in per_year.items()), rate("move", 6.0)],
        entry={"kinship": 0.5, "foster_agency": 0.5}, providers=homes, newborn=3000.0,
    )  # fmt: skip
    log = simulate(world(of, 10), 0).log
    assert (log.event == w.PLACEMENT_STARTED).sum() > 1.5 * (log.event == w.ENTERED_CARE).sum()  # moves there are
    seen = np.bincount(log.detail[log.event == w.LEFT_CARE], minlength=w.N_CAUSES)
    causes = [w.CAUSES.index(cause) for cause in per_year]
    q = np.exp(-np.array(list(per_year.values())) / w.DAYS_PER_YEAR)
    before = np.concatenate([[1.0], np.cumprod(q)[:-1]])
    chance = before * (1 - q) / (1 - q.prod())
    assert chance.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(chance, np.array(list(per_year.values())) / 7.0, rtol=0.02)  # h_i / sum h to 2 %
    assert seen.sum() == seen[causes].sum() > 25_000
    assert stats.chisquare(seen[causes], chance * seen.sum()).pvalue > 1e-5


def test_stays_are_geometric_whatever_the_moves():
    """One constant exit hazard and many moves: P(stay > d) = exp(-h d), exactly the stay without moves."""
    homes = [provider("kin", "kinship"), provider("foster", "foster_agency"), LAST_RESORT]
    of = council(
        [rate("exit_home", 2.0), rate("move", 9.0)],
        entry={"kinship": 0.5, "foster_agency": 0.5},
        providers=homes,
        newborn=1500.0,
    )
    told = simulate(world(of, 16), 0)
    begun, stayed = stays(told.log)
    early = begun < DAY_0 + 10 * 365
    for days in (10, 91, 365, 1000):
        chance = math.exp(-2.0 * days / w.DAYS_PER_YEAR)
        share = ((stayed[early] > days) | (stayed[early] < 0)).mean()
        assert abs(share - chance) < LIMIT * math.sqrt(chance * (1 - chance) / early.sum())


def test_entry_by_the_pathway_in_proportion_to_its_branches():
    """A third of contacts become referrals, half of assessments support: every stage keeps its share of families."""
    branches = {
        "contact": {"closed": 2 / 3, "assessment": 1 / 3},
        "referral": {"assessment": 1.0},
        "assessment": {"closed": 0.5, "support": 0.3, "pre_entry": 0.2},
        "pre_entry": {"support": 0.4, "care_away": 0.6},
        "support": {"closed": 1.0},
    }
    rates = [rate(cause, 50.0) for cause in ("assessment_ends", "support_ends", "pre_entry_decided")]
    of = council(rates, contact=6000.0, ages=(3,), branches=branches)
    log = simulate(world(of, 5), 0).log
    last = DAY_0 + 4 * 365  # a year for the last of them to arrive where they go
    early = np.isin(log.child, log.child[(log.event == w.CONTACT_MADE) & (log.day < last)])
    n = [
        int(((log.event == event) & early).sum())
        for event in (w.CONTACT_MADE, w.REFERRED, w.PRE_ENTRY_STARTED, w.ENTERED_CARE)
    ]
    for before, after, chance in zip(n, n[1:], (1 / 3, 0.2, 0.6), strict=False):
        assert abs(after / before - chance) < LIMIT * math.sqrt(chance * (1 - chance) / before)
