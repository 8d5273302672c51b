"""Which uncertain numbers matter: rank correlation over replications, drift first, and what chance alone could do."""

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from carecast.scenarios.drivers import centred_ranks, correlations, importance, limit, limit_of_all, without
from carecast.scenarios.run import start
from carecast.scenarios.uncertain import Uncertain, label, of_parameters
from tests import small_runs, toy


def number(name, draws):
    return Uncertain(name, name, 1.0, 0.5, 1.5, "x", "assumed", "parameters.toml", np.asarray(draws, dtype=float))


def test_it_is_spearmans_correlation():
    random = np.random.default_rng(1)
    values = random.normal(size=80)
    columns = np.column_stack(
        [np.exp(values + random.normal(size=80)), random.integers(0, 3, 80), random.normal(size=80)]
    )
    found = correlations(centred_ranks(columns), centred_ranks(values))
    wanted = [stats.spearmanr(columns[:, i], values).statistic for i in range(3)]
    assert found == pytest.approx(wanted)


def test_a_number_that_never_varies_has_none():
    found = correlations(centred_ranks(np.ones((20, 1))), centred_ranks(np.arange(20.0)))
    assert found[0] == 0.0


def test_what_drift_explains_is_taken_out_of_both():
    """Partial rank correlation of one column given another, against the textbook formula."""
    random = np.random.default_rng(2)
    walk, other = random.normal(size=(2, 200))
    values = 3 * walk + other
    ranks = [centred_ranks(part) for part in (walk, other, values)]
    found = correlations(without(ranks[1][:, None], ranks[0][:, None]), without(ranks[2], ranks[0][:, None]))[0]
    r_wo, r_wv, r_ov = (np.corrcoef(ranks[i], ranks[j])[0, 1] for i, j in ((0, 1), (0, 2), (1, 2)))
    assert found == pytest.approx((r_ov - r_wo * r_wv) / math.sqrt((1 - r_wo**2) * (1 - r_wv**2)))
    assert found > 0.8 > abs(r_ov)


def test_strongest_first_what_is_chance_left_out():
    random = np.random.default_rng(3)
    strong, weak = random.normal(size=(2, 400))
    noise = [number(f"noise_{i}", random.normal(size=400)) for i in range(50)]
    values = strong - 0.2 * weak + 0.5 * random.normal(size=400)
    found = importance([], [*noise, number("weak", weak), number("strong", strong)], values)
    rows = found["rows"]
    assert [row["id"] for row in rows][:2] == ["strong", "weak"]
    assert rows[0]["correlation"] > 0.3
    assert rows[1]["correlation"] < 0
    assert all(abs(row["correlation"]) >= found["limit"] for row in rows)
    assert [row["perhaps_chance"] for row in rows] == [abs(row["correlation"]) < found["limit_of_all"] for row in rows]
    assert found["tried"] == 52
    assert found["drift_share"] == 0.0


def test_the_limits():
    assert limit(400) == pytest.approx(1.96 / 20, abs=1e-4)
    assert limit_of_all(400, 1) == pytest.approx(limit(400), abs=1e-5)
    assert limit_of_all(400, 600) > 2 * limit(400) * 0.95


@pytest.mark.statistical
def test_the_largest_of_many_chance_correlations_stays_below_its_limit_19_times_in_20():
    random = np.random.default_rng(4)
    above = 0
    for _ in range(200):
        columns = random.normal(size=(100, 60))
        found = correlations(centred_ranks(columns), centred_ranks(random.normal(size=100)))
        above += np.abs(found).max() > limit_of_all(100, 60)
    assert above / 200 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


def test_an_answer_that_never_varies_has_no_driver():
    assert importance([], [number("a", range(20))], np.zeros(20))["rows"] == []
    assert importance([], [], np.arange(20.0))["rows"] == []


# --- of a run ---------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def made(tmp_path_factory):
    asked = small_runs.request(small_runs.more_help(), small_runs.dearer(), replications=200, workers=2)
    return start(asked, tmp_path_factory.mktemp("drivers") / "run")


def test_a_run_keeps_what_goes_with_cost_and_with_each_net_saving(made):
    asked = [(found["measure"], found["scenario"], found["financial_year"]) for found in made.record["drivers"]]
    assert asked == [
        ("gross_cost_gbp", "baseline", "2023-24"),
        ("net_saving_gbp", "more_help", "2023-24"),
        ("net_saving_gbp", "dearer", "2023-24"),
    ]


def test_the_price_that_was_drawn_widest_is_among_the_first(made):
    rows = {row["id"]: row for row in made.record["drivers"][0]["rows"][:3]}
    price = rows["price.external"]
    assert price["correlation"] > 0
    assert not price["perhaps_chance"]
    assert price["unit"] == "£ a week"
    assert (price["how"], price["where"]) == ("assumed", "parameters.toml: prices of external")
    assert price["low_80"] < price["central"] < price["high_80"]


def test_a_levers_size_is_among_them_as_its_file_gives_it(made):
    rows = {row["id"]: row for row in made.record["drivers"][1]["rows"]}
    lever = rows["more_help.lever_2.family_first"]
    assert (lever["central"], lever["low_80"], lever["high_80"]) == (0.5, 0.2, 0.8)
    assert lever["where"] == "inputs/more_help.toml, lever 2"
    assert lever["label"] == "Family first: size"
    assert lever["correlation"] > 0


def test_only_the_baselines_numbers_drive_the_baseline(made):
    assert not any("lever" in row["id"] for row in made.record["drivers"][0]["rows"])


def test_too_few_replications_say_nothing(tmp_path):
    run = start(small_runs.request(replications=5, until=dt.date(2024, 3, 31)), tmp_path / "run")
    assert run.record["drivers"] == []


# --- words ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("uplift.external_per_year", "Yearly rise of prices of bought placements"),
        ("rate.exit_home.kinship", "How often: leaving care for home (kinship)"),
        ("rate.re_entry.all", "How often: re-entry to care"),
        ("branch.contact.*.early_help", "After contact: share to early help"),
        ("branch.contact.under_1.early_help", "After contact, aged under 1: share to early help"),
        ("destination.entry.all.*.kinship", "On entry to care: share with kinship carers"),
        ("price.own_east", "Weekly price: own_east"),
        ("price.adopted", "Price of adoption support"),
        ("provider.house_1.match_chance", "house_1: chance that a vacancy suits"),
        ("distance.kinship.median_miles", "With kinship carers: typical distance from home"),
        ("something.new_here", "Something: new here"),
    ],
)
def test_every_column_has_plain_words(column, words):
    assert label(small_runs.council().parameters, column) == words


def test_shares_of_ages_count_once():
    council = small_runs.council()
    columns = {f"branch.contact.{age}.early_help": np.linspace(0.1, 0.2, 8) for age in ("under_1", "1_to_4")}
    found = of_parameters(council.parameters, columns, 8)
    assert [one.id for one in found] == ["branch.contact.*.early_help"]
    assert found[0].central == pytest.approx(0.15)


def test_numbers_that_share_a_draw_count_once():
    draw = np.random.default_rng(5).normal(size=50)
    columns = {"price.house_1": 400 * np.exp(draw), "price.house_2": 300 * np.exp(draw), "price.agency": draw[::-1]}
    found = of_parameters(small_runs.council().parameters, columns, 50)
    assert [one.label for one in found] == ["Weekly price: house_1, and 1 drawn with it", "Weekly price: agency"]


def test_replications_past_the_last_draw_begin_again():
    found = of_parameters(small_runs.council().parameters, {"uplift.external_per_year": np.arange(4.0)}, 6)
    assert found[0].draws.tolist() == [0, 1, 2, 3, 0, 1]


def test_a_parameter_set_without_draws_still_has_its_drift(tmp_path):
    asked = replace(small_runs.request(), calibrated=toy.calibrated(toy.some_stock(), pd.DataFrame()))
    run = start(asked, tmp_path / "run")
    assert all(row["id"].startswith("drift of") for row in run.record["drivers"][0]["rows"])
