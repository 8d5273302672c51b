"""summary.csv is a promise: its columns, its grid, its dates, its decimals, and what its numbers are."""

import csv
import datetime as dt
import io
import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest

from carecast.model.summary import MONTHLY_MEASURES, YEARLY_MEASURES
from carecast.scenarios.run import open_run, start
from tests import small_runs, toy

COLUMNS = "scenario,date,measure,breakdown,mean,sd,p025,p05,p10,p25,p50,p75,p90,p95,p975"
MONTHLY = MONTHLY_MEASURES
QUANTILES = {"p025": 25, "p05": 50, "p10": 100, "p25": 250, "p50": 500, "p75": 750, "p90": 900, "p95": 950, "p975": 975}
UNTIL = dt.date(2024, 5, 15)  # in mid-month


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("summary") / "run"
    return start(small_runs.request(small_runs.more_help(), small_runs.dearer(), until=UNTIL), out)


@pytest.fixture(scope="module")
def summary(made):
    return pd.read_csv(made.folder / "summary.csv", dtype={"date": str})


def lines_of(folder):
    return list(csv.reader(io.StringIO((folder / "summary.csv").read_text(encoding="utf-8"))))


def test_its_columns_and_its_bytes(made):
    raw = (made.folder / "summary.csv").read_bytes()
    assert raw.decode("utf-8").split("\n")[0] == COLUMNS
    assert b"\r" not in raw
    assert raw.endswith(b"\n")


def test_every_number_has_two_decimals_and_no_negative_nought(made):
    numbers = [cell for line in lines_of(made.folder)[1:] for cell in line[4:]]
    assert all(re.fullmatch(r"-?\d+\.\d\d", number) for number in numbers)
    assert "-0.00" not in numbers


def test_dates_are_iso_and_scenarios_the_runs(summary):
    assert summary["date"].map(lambda text: dt.date.fromisoformat(text).isoformat() == text).all()
    assert list(dict.fromkeys(summary["scenario"])) == ["baseline", "more_help", "dearer"]


def test_the_grid_is_dense(summary):
    """Every scenario x measure x breakdown x date of the measure's frequency, once, without a blank."""
    assert not summary.isna().any().any()
    assert not summary.duplicated(["scenario", "date", "measure", "breakdown"]).any()
    own = summary[~summary["measure"].str.startswith("difference_in_")]
    for measure, part in own.groupby("measure"):
        wanted = set(itertools.product(set(own["scenario"]), set(part["breakdown"]), set(part["date"])))
        assert len(part) == len(wanted), measure
    assert set(own["measure"]) == {*MONTHLY, *YEARLY_MEASURES}


def test_breakdowns_are_total_or_dimension_and_value(summary):
    looked_after = set(summary.loc[summary["measure"] == "looked_after", "breakdown"])
    assert {"total", "placement_type=kinship", "age_band=under_1", "locality=East", "locality=West"} <= looked_after
    assert all(text == "total" or re.fullmatch(r"[a-z_]+=.+", text) for text in set(summary["breakdown"]))


def test_monthly_at_month_end_and_yearly_on_31_march(made, summary):
    by_measure = summary.groupby("measure")["date"].agg(lambda dates: sorted(set(dates)))
    months = [str(day.date()) for day in pd.date_range("2022-07-31", "2024-04-30", freq="ME")]
    assert all(by_measure[measure] == months for measure in MONTHLY)
    years = ["2023-03-31", "2024-03-31", "2025-03-31"]
    assert all(by_measure[measure] == years for measure in YEARLY_MEASURES)
    assert made.record["part_years"] == ["2022-23", "2024-25"]


def test_other_scenarios_have_the_difference_in_every_measure(summary):
    for scenario, part in summary.groupby("scenario"):
        own = {(m, b, d) for m, b, d in part[["measure", "breakdown", "date"]].itertuples(index=False)}
        plain = {row for row in own if not row[0].startswith("difference_in_")}
        wanted = set() if scenario == "baseline" else {("difference_in_" + m, b, d) for m, b, d in plain}
        assert own - plain == wanted


def inverted_cdf(values, per_mille):
    """The smallest value that at least the share of replications do not exceed, by its definition."""
    ordered = np.sort(values)
    return next(v for at, v in enumerate(ordered, 1) if 1000 * at >= per_mille * len(ordered))


def test_statistics_are_of_replications(made, summary):
    """Mean, sd and quantiles of each row, from the replications that the run folder holds."""
    indexed = summary.set_index(["scenario", "measure", "breakdown", "date"])
    for answer in made.answers:
        for grid in answer.grids:
            for row, (measure, breakdown) in enumerate(grid.rows):
                if measure not in (*MONTHLY, *YEARLY_MEASURES) or row % 5:
                    continue
                values = grid.values[:, row, -1]
                line = indexed.loc[answer.scenario, measure, breakdown, grid.dates[-1].isoformat()]
                assert line["mean"] == pytest.approx(values.mean(), abs=0.0051)
                assert line["sd"] == pytest.approx(values.std(ddof=1), abs=0.0051)
                for name, per_mille in QUANTILES.items():
                    assert line[name] == pytest.approx(inverted_cdf(values, per_mille), abs=0.0051)


def test_a_difference_is_taken_within_each_replication(made, summary):
    lines = summary[(summary["measure"] == "difference_in_looked_after") & (summary["breakdown"] == "total")]
    ours, base = (made.answer(name).monthly.of("looked_after") for name in ("more_help", "baseline"))
    found = lines[lines["scenario"] == "more_help"].sort_values("date")
    assert np.allclose(found["mean"], (ours - base).mean(axis=0), atol=0.0051)
    assert np.allclose(found["sd"], (ours - base).std(axis=0, ddof=1), atol=0.0051)
    assert (ours != base).any()


def test_the_first_row_is_the_stock_and_the_same_everywhere(summary):
    first = summary[(summary["date"] == "2022-07-31") & (summary["measure"] == "looked_after")]
    totals = first[first["breakdown"] == "total"]
    assert (totals["sd"] == 0).all()
    assert set(totals["mean"]) == {32.0}  # in care in the toy stock; continuing care is not looked after


def test_parts_sum_to_the_total_in_every_replication(made):
    for answer in made.answers:
        grid = answer.monthly
        for dimension in ("placement_type", "age_band", "locality"):
            at = [i for i, row in enumerate(grid.rows) if row[0] == "looked_after" and row[1].startswith(dimension)]
            assert (grid.values[:, at].sum(axis=1) == grid.of("looked_after")).all()
        staff = [i for i, (name, breakdown) in enumerate(grid.rows) if name == "workforce_fte" and breakdown != "total"]
        assert len(staff) == 13
        assert np.allclose(grid.values[:, staff].sum(axis=1), grid.of("workforce_fte"))
        lines = [i for i, row in enumerate(answer.yearly.rows) if row[0] == "gross_cost_gbp" and row[1] != "total"]
        assert np.allclose(answer.yearly.values[:, lines].sum(axis=1), answer.yearly.of("gross_cost_gbp"))


def test_net_saving_is_the_fall_in_net_cost(made):
    base = made.answer("baseline").yearly.of("net_cost_gbp")
    for answer in made.answers:
        net = answer.yearly.of("net_saving_gbp")
        assert np.allclose(net, base - answer.yearly.of("net_cost_gbp"), atol=0.005)
        parts = sum(
            answer.yearly.of(name) for name in ("cashable_saving_gbp", "avoided_cost_gbp", "released_capacity_gbp")
        )
        assert np.allclose(parts, answer.yearly.of("gross_saving_gbp"), atol=0.005)


def test_sd_is_blank_for_one_replication(tmp_path):
    run = start(small_runs.request(until=dt.date(2022, 9, 30), replications=1), tmp_path / "run")
    lines = lines_of(run.folder)[1:]
    assert {line[5] for line in lines} == {""}
    assert all(len(set(line[6:])) == 1 and line[4] == line[6] for line in lines)


@pytest.mark.parametrize(
    ("as_at", "until", "months", "part"),
    [
        (dt.date(2022, 7, 15), dt.date(2022, 10, 10), ["2022-07-31", "2022-08-31", "2022-09-30"], ["2022-23"]),
        (dt.date(2022, 7, 15), dt.date(2022, 7, 20), ["2022-07-31"], ["2022-23"]),
        (dt.date(2022, 7, 31), dt.date(2022, 7, 31), ["2022-07-31"], ["2022-23"]),
        (dt.date(2022, 7, 15), dt.date(2022, 7, 15), ["2022-07-31"], ["2022-23"]),
        (dt.date(2022, 3, 31), dt.date(2023, 3, 31), None, ["2021-22"]),
        (dt.date(2024, 2, 28), dt.date(2024, 3, 31), ["2024-02-29", "2024-03-31"], ["2023-24"]),
    ],
)
def test_the_first_row_is_the_as_at_dates_own_month_end(tmp_path, as_at, until, months, part):
    council = toy.calibrated(toy.some_stock(), as_at=as_at)
    request = small_runs.request(calibrated=council, until=until, replications=2)
    run = start(request, tmp_path / "run")
    rows = pd.read_csv(run.folder / "summary.csv", dtype=str)
    found = sorted(set(rows.loc[rows["measure"] == "looked_after", "date"]))
    assert found == (months or [str(day.date()) for day in pd.date_range("2022-03-31", "2023-03-31", freq="ME")])
    assert run.record["part_years"] == part
    years = set(rows.loc[rows["measure"] == "gross_cost_gbp", "date"])
    assert years == set(run.answers[0].yearly.dates and [d.isoformat() for d in run.answers[0].yearly.dates])
    assert open_run(run.folder).record == run.record


def test_a_run_without_a_day_has_no_year_and_no_flow(tmp_path):
    run = start(small_runs.request(small_runs.dearer(), until=toy.AS_AT, replications=2), tmp_path / "run")
    assert run.answers[0].yearly.dates == ()
    assert math.isclose(run.answers[0].monthly.of("looked_after")[0, 0], 32.0)
    assert run.record["drivers"] == []


def test_a_whole_year_costs_more_than_a_part_of_it(made):
    """A year the run holds in part has the cost of its own days alone."""
    cost = made.answer("baseline").yearly.of("gross_cost_gbp").mean(axis=0)
    part, whole, last = cost
    assert part == pytest.approx(whole * 243 / 366, rel=0.25)
    assert last == pytest.approx(whole * 45 / 366, rel=0.35)
