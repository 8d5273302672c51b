"""How many replications: enough that the tails are known, no more than there are draws; and how sure the headlines are."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from carecast.model.summary import Answers, Grid
from carecast.scenarios import stopping
from carecast.scenarios.run import start
from carecast.scenarios.stopping import Rule, half_width, monte_carlo, relative_error
from tests import small_runs, toy


def told(values):
    return lambda: (np.asarray(values), np.asarray(values))


def test_a_fixed_number_is_told_and_no_more():
    rule = Rule(30, 4096)
    assert rule.next_total(0, told([])) == 30
    assert rule.next_total(30, told([])) == 30
    assert rule.verdict(30) == {"rule": "fixed", "replications": 30}


def test_auto_goes_on_by_steps_until_the_tails_are_known():
    random = np.random.default_rng(1)
    rule = Rule(None, 4096)
    assert rule.next_total(0, told([])) == 200
    wide = random.normal(100, 40, 200)
    assert rule.next_total(200, told(wide)) == 400
    narrow = random.normal(100, 1, 400)
    assert rule.next_total(400, told(narrow)) == 400
    verdict = rule.verdict(400)
    assert verdict["reached"] is True
    assert 0 < verdict["relative_half_width"] <= 0.01


def test_auto_stops_at_the_rows_kept_for_search_and_says_that_it_did_not_get_there():
    rule = Rule(None, 4096)
    wide = np.random.default_rng(2).normal(100, 60, 2048)
    assert rule.next_total(2000, told(wide[:2000])) == 2048
    assert rule.next_total(2048, told(wide)) == 2048
    assert rule.verdict(2048)["reached"] is False
    assert rule.verdict(2048)["cap"] == stopping.SEARCH_ROWS


@pytest.mark.parametrize(("draws", "cap"), [(0, 1), (1, 1), (64, 64), (4096, 2048)])
def test_auto_never_tells_more_than_there_are_draws(draws, cap):
    rule = Rule(None, draws)
    assert rule.cap == cap
    assert rule.next_total(0, told([])) == min(200, cap)


def test_the_interval_of_a_quantile_is_by_order_statistics():
    """Ranks n p -/+ 1.96 sqrt(n p (1 - p)): for n = 1000 and p = 0.1 the 81st and the 119th value."""
    values = np.random.default_rng(3).permutation(np.arange(1, 1001)).astype(float)
    assert half_width(values, 0.1) == (119 - 81) / 2


@pytest.mark.statistical
def test_the_interval_holds_the_quantile_19_times_in_20():
    random = np.random.default_rng(4)
    truth = stats.norm.ppf(0.9)
    n, p, hits, tries = 400, 0.9, 0, 2000
    spread = 1.959964 * math.sqrt(n * p * (1 - p))
    low, high = math.floor(n * p - spread) - 1, math.ceil(n * p + spread) - 1
    for values in np.sort(random.normal(size=(tries, n)), axis=1):
        hits += values[low] <= truth <= values[high]
    assert hits / tries > 0.95 - 3 * math.sqrt(0.95 * 0.05 / tries)
    assert hits / tries < 0.99


def test_too_few_replications_know_no_tail():
    assert half_width(np.arange(20.0), 0.1) == math.inf
    assert relative_error(np.arange(20.0)) == math.inf
    assert Rule(None, 4096, error=math.inf).verdict(20)["relative_half_width"] is None


def test_what_never_varies_is_known():
    assert relative_error(np.zeros(50)) == 0.0
    assert relative_error(np.full(400, 7.0)) == 0.0


def answers(yearly):
    months, years = (dt.date(2024, 3, 31),), (dt.date(2024, 3, 31), dt.date(2025, 3, 31))
    stocks = tuple((name, "total") for name in ("looked_after", "looked_after_away_from_home"))
    pounds = tuple((name, "total") for name in ("gross_cost_gbp", "net_saving_gbp"))
    monthly = Grid(stocks, months, np.arange(8.0).reshape(4, 2, 1))
    return Answers("baseline", monthly, Grid(pounds, years, yearly))


def test_the_standard_error_is_of_the_last_whole_year():
    yearly = np.zeros((4, 2, 2))
    yearly[:, 0] = np.array([[10, 1], [12, 2], [14, 3], [16, 4]])
    rows = monte_carlo([answers(yearly)], ["2024-25"])
    cost = next(row for row in rows if row["measure"] == "gross_cost_gbp")
    assert (cost["date"], cost["mean"]) == ("2024-03-31", 13.0)
    assert cost["standard_error"] == round(float(np.std([10, 12, 14, 16], ddof=1)) / 2, 2)
    assert not any(row["measure"] == "net_saving_gbp" for row in rows)
    assert monte_carlo([answers(yearly)], ["2023-24", "2024-25"])[2]["date"] == "2025-03-31"


def test_one_replication_has_no_standard_error():
    grid = answers(np.zeros((4, 2, 2)))
    one = Answers("baseline", *(Grid(g.rows, g.dates, g.values[:1]) for g in grid.grids))
    assert [row["standard_error"] for row in monte_carlo([one], [])] == [None, None, None]


def test_an_auto_run_says_what_it_reached_and_resumes(tmp_path):
    """Sixty draws: one step, cap reached, told as such; the same content when it is interrupted."""
    draws = pd.DataFrame({"uplift.external_per_year": np.linspace(0.02, 0.1, 60)})
    asked = small_runs.request(
        calibrated=toy.calibrated(toy.some_stock(), draws), until=dt.date(2022, 9, 30), replications=None
    )
    whole = start(asked, tmp_path / "whole")
    assert whole.record["replications"] == 60
    assert whole.record["asked_replications"] == "auto"
    assert whole.record["stopping"]["reached"] is False
    with pytest.raises(KeyboardInterrupt):
        start(asked, tmp_path / "run", progress=_stop)
    assert start(asked, tmp_path / "run", resume=True).record["digest"] == whole.record["digest"]
    assert start(asked, tmp_path / "run", resume=True).record["replications"] == 60


def _stop(done, total):
    assert total == 60
    if done:
        raise KeyboardInterrupt
