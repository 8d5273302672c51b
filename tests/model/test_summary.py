import csv
import datetime as dt
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecast.model import summary as s
from carecast.model.calendar import make_calendar

MONTHS = (dt.date(2024, 3, 31), dt.date(2024, 4, 30))
YEARS = (dt.date(2025, 3, 31),)
MONTHLY_ROWS = (
    ("looked_after", "total"),
    ("looked_after", "locality=East"),
    ("more_than_one_placement_percent", "total"),
)
YEARLY_ROWS = (("gross_cost_gbp", "total"),)


def answers(name, monthly, yearly):
    return s.Answers(
        name,
        s.Grid(MONTHLY_ROWS, MONTHS, np.array(monthly, float)),
        s.Grid(YEARLY_ROWS, YEARS, np.array(yearly, float)),
    )


def month_values(n, first):
    return [[[first + i, first], [0, 0], [1, 1]] for i in range(n)]


def lines(found):
    return list(csv.DictReader(io.StringIO(s.to_csv(s.summarise(found)))))


def row(found, scenario, measure, date, breakdown="total"):
    wanted = (scenario, measure, date, breakdown)
    return next(r for r in lines(found) if (r["scenario"], r["measure"], r["date"], r["breakdown"]) == wanted)


def test_columns_are_the_promise():
    found = [answers("baseline", month_values(1, 10), [[[5.0]]])]
    header = s.to_csv(s.summarise(found)).splitlines()[0]
    assert header == "scenario,date,measure,breakdown,mean,sd,p025,p05,p10,p25,p50,p75,p90,p95,p975"


def test_ten_replications_by_hand():
    """Values 0 to 9: p10 is the first value, p25 the third, p50 the fifth, p90 the ninth, p975 the last."""
    first = row(
        [answers("baseline", month_values(10, 0), np.zeros((10, 1, 1)))], "baseline", "looked_after", "2024-03-31"
    )
    shown = {name: first[name] for name in ("mean", "sd", "p025", "p10", "p25", "p50", "p75", "p90", "p95", "p975")}
    assert shown == {
        "mean": "4.50", "sd": "3.03", "p025": "0.00", "p10": "0.00", "p25": "2.00", "p50": "4.00",
        "p75": "7.00", "p90": "8.00", "p95": "9.00", "p975": "9.00",
    }  # fmt: skip


def test_one_replication_has_no_spread():
    only = row([answers("baseline", month_values(1, 7), [[[0.0]]])], "baseline", "looked_after", "2024-04-30")
    assert only["sd"] == ""
    assert only["mean"] == only["p025"] == only["p975"] == "7.00"


def test_grid_is_dense_with_noughts():
    found = [answers("baseline", month_values(3, 7), np.zeros((3, 1, 1)))]
    empty = row(found, "baseline", "looked_after", "2024-04-30", "locality=East")
    assert empty["mean"] == empty["sd"] == empty["p50"] == "0.00"
    assert len(lines(found)) == 2 * 2 + 1


def test_only_promised_measures():
    found = [answers("baseline", month_values(1, 7), [[[0.0]]])]
    assert {line["measure"] for line in lines(found)} == {"looked_after", "gross_cost_gbp"}


def test_difference_is_taken_within_each_replication():
    """The two scenarios have the same values in another order: their quantiles agree, the paired differences do not."""
    base = answers("baseline", month_values(2, 0), [[[100.0]], [[300.0]]])
    other = answers("more", month_values(2, 0), [[[300.0]], [[100.0]]])
    paired = row([base, other], "more", "difference_in_gross_cost_gbp", "2025-03-31")
    assert (paired["mean"], paired["p025"], paired["p975"]) == ("0.00", "-200.00", "200.00")
    assert not any(r["measure"].startswith("difference") for r in lines([base, other]) if r["scenario"] == "baseline")


def test_no_negative_nought():
    base = answers("baseline", month_values(1, 7), [[[0.001]]])
    other = answers("more", month_values(1, 7), [[[0.0]]])
    assert "-0.00" not in s.to_csv(s.summarise([base, other]))


def test_scenarios_that_do_not_match_are_refused():
    base = answers("baseline", month_values(2, 7), np.zeros((2, 1, 1)))
    with pytest.raises(ValueError, match="1 replications of the scenario, 2 of the baseline"):
        s.summarise([base, answers("more", month_values(1, 7), [[[0.0]]])])


@given(st.integers(1, 5000), st.sampled_from(list(s.QUANTILES_PER_MILLE.values())))
def test_inverted_cdf_position(n, per_mille):
    """The smallest position k such that (k + 1) / n is at least p."""
    (at,) = s.quantile_positions(n, [per_mille])
    assert (at + 1) * 1000 >= per_mille * n
    assert at == 0 or at * 1000 < per_mille * n


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=60))
def test_quantiles_are_values_that_occurred(values):
    table = s.spread(np.array(values, float).reshape(-1, 1), [25, 500, 975])
    assert {float(v) for v in table[2:].ravel()} <= {float(v) for v in values}
    expected = np.quantile(np.array(values), [0.5], method="inverted_cdf")[0]
    assert table[3, 0] == expected
    assert math.isnan(table[1, 0]) == (len(values) == 1)


def test_many_rows_in_parts_give_the_same(monkeypatch):
    values = np.random.default_rng(1).normal(size=(20, 5, 3))
    rows = tuple(("looked_after", f"locality={i}") for i in range(5))
    dates = (*MONTHS, dt.date(2024, 5, 31))
    found = s.Answers("baseline", s.Grid(rows, dates, values), s.Grid((), (), np.zeros((20, 0, 0))))
    whole = s.to_csv(s.summarise([found]))
    monkeypatch.setattr(s, "VALUES_AT_ONCE", 60)
    assert s.to_csv(s.summarise([found])) == whole


def test_monthly_grid_has_the_calendars_dates():
    calendar = make_calendar(dt.date(2024, 3, 31), dt.date(2024, 5, 15))
    grid = s.monthly_grid([("looked_after", "total")], calendar, np.zeros((1, 1, 2)))
    assert grid.dates == MONTHS
    with pytest.raises(KeyError, match="moves"):
        grid.of("moves")
