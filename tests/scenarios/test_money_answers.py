"""Money over time: identities in every term, the figures of summary.csv, payback, other prices without a new run."""

import numpy as np
import pandas as pd
import pytest

from carecast.model import words as w
from carecast.model.money import Layout
from carecast.model.parameters import BadFile
from carecast.model.summary import BASELINE
from carecast.scenarios.library import read_text
from carecast.scenarios.money_answers import KINDS, in_terms, money_answers, paid_back, savings_of, savings_table
from carecast.scenarios.quantities import PRICE_DRAWS
from carecast.scenarios.reprice import changed, parameters_of, priced, read_figures, reprice
from carecast.scenarios.run import open_run, start
from carecast.scenarios.run_folder import RunFolder
from carecast.scenarios.savings import Savings, Terms
from tests import small_runs

FUNDED = """
format = 1
name = "funded"
built_on = "baseline"

[[lever]]
kind = "framework_prices"
from = 2022-10-01
multiply_by = 0.9
lines = ["residential_school"]
because = "Invented for tests."
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("money") / "run"
    funded = read_text(FUNDED, "funded.toml")
    scenarios = (small_runs.more_help(), small_runs.dearer(), funded)
    return start(small_runs.request(*scenarios, targets=(small_runs.SAVE,)), out)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scenario", ["more_help", "dearer", "funded"])
def test_the_identities_hold_in_every_term(run, scenario, kind):
    found = savings_of(run, scenario, kind)
    assert np.array_equal(found.cashable + found.avoided + found.released, found.gross)
    assert np.array_equal(found.gross.sum(axis=-1) - found.released.sum(axis=-1) - found.programme, found.net)
    assert np.array_equal(found.by_funder.sum(axis=-1), found.net)
    assert np.array_equal(found.cumulative[..., -1], found.net.sum(axis=-1))
    assert np.array_equal(found.recurring - found.one_off, found.net)


def test_net_saving_is_the_fall_in_net_cost_to_the_penny(run):
    for scenario in ("more_help", "funded"):
        fall = run.money[BASELINE].net_by_funder.sum(axis=-1) - run.money[scenario].net_by_funder.sum(axis=-1)
        assert np.array_equal(savings_of(run, scenario).net, fall)


@pytest.mark.parametrize("kind", KINDS)
def test_the_baseline_saves_nothing_against_itself(run, kind):
    found = savings_of(run, BASELINE, kind)
    for part in (found.gross, found.cashable, found.avoided, found.released, found.programme, found.by_funder):
        assert not part.any()


def test_cash_figures_are_those_of_the_summary(run):
    summary = pd.read_csv(run.folder / "summary.csv")
    table = savings_table(run, "more_help")
    same = {
        "gross_saving_gbp", "cashable_saving_gbp", "avoided_cost_gbp", "released_capacity_gbp", "net_saving_gbp",
        "cumulative_net_saving_gbp",
    }  # fmt: skip
    theirs = summary[
        (summary["scenario"] == "more_help") & (summary["breakdown"] == "total") & summary["measure"].isin(same)
    ]
    ours = table[(table["breakdown"] == "total") & table["measure"].isin(same) & (table["financial_year"] != "all")]
    years = [f"{int(date[:4]) - 1}-{date[2:4]}" for date in theirs["date"]]
    keyed = theirs.assign(financial_year=years).set_index(["measure", "financial_year"])
    for row in ours.to_dict("records"):
        found = keyed.loc[(row["measure"], row["financial_year"])]
        assert (row["mean"], row["p10"], row["p90"]) == (found["mean"], found["p10"], found["p90"])
    assert len(ours) == len(keyed) > 0


def test_real_terms_by_hand():
    """£1,000.00 in 2024-25 at 2022-23 prices and 2 % a year is £961.17; discounted at 3.5 % too, £897.26."""
    layout = Layout(("2022-23", "2023-24", "2024-25"), (365, 366, 365), (365, 366, 365), ("a",))
    cash = np.array([[0], [0], [100_000]])
    nought = np.zeros(3, dtype=np.int64)
    funders = np.zeros((3, len(w.FUNDERS)), dtype=np.int64)
    funders[:, 0] = cash[:, 0]
    found = Savings(layout, cash, cash, cash * 0, cash * 0, nought, nought, funders)
    terms = Terms(0.02, 0.035, "2022-23")
    assert in_terms(found, "real", terms).net.tolist() == [0, 0, round(100_000 / 1.02**2)] == [0, 0, 96117]
    assert in_terms(found, "discounted", terms).net.tolist() == [0, 0, round(100_000 / 1.02**2 / 1.035**2)]


def test_money_paid_by_another_funder_shows_by_funder(run):
    table = savings_table(run, "funded")
    rows = table[(table["measure"] == "net_saving_gbp") & (table["financial_year"] == "all")].set_index("breakdown")
    parts = [rows.loc[name, "mean"] for name in rows.index if name.startswith("funder=")]
    assert "funder=education" in rows.index
    assert sum(parts) == pytest.approx(rows.loc["total", "mean"], abs=0.02)


def test_lines_add_up_to_the_total(run):
    table = savings_table(run, "more_help", "real")
    for measure in ("gross_saving_gbp", "released_capacity_gbp"):
        part = table[(table["measure"] == measure) & (table["financial_year"] == "all")].set_index("breakdown")["mean"]
        assert part.drop("total").sum() == pytest.approx(part["total"], abs=0.05)


def test_payback_by_hand(run):
    """Of three worlds one pays back in the second year, one never; the middle one at the end of the first year."""
    layout = Layout(("2022-23", "2023-24"), (365, 365), (365, 365), ("a",))
    saved = np.array([[[-100], [150]], [[-100], [50]], [[100], [0]]])
    nought = np.zeros((3, 2), dtype=np.int64)
    found = Savings(
        layout, saved, saved, saved * 0, saved * 0, nought, nought, np.zeros((3, 2, len(w.FUNDERS)), dtype=np.int64)
    )
    back = paid_back(found, run)
    assert back.chance == pytest.approx(2 / 3)
    assert back.median_months == 20  # 12 + 12 x 100 / 150
    assert (back.median_date, back.median_year) == ("2024-03", "2023-24")  # from July 2022


def test_answers_say_breaches_and_full_year_effect(run):
    found = money_answers(run, "more_help")
    assert [row["financial_year"] for row in found["reserves"]] == list(run.calendar.financial_years)
    assert all(0 <= row["breach_chance"] <= 1 for row in found["reserves"])
    last = savings_of(run, "more_help").recurring[:, -1] / 100
    assert found["full_year_effect_gbp"]["mean"] == pytest.approx(last.mean(), abs=0.01)


# --- other prices ---------------------------------------------------------------------------------
def test_the_same_prices_give_the_same_pence(run):
    again = priced(run, RunFolder(run.folder), parameters_of(run.record), pd.read_parquet(run.folder / PRICE_DRAWS))
    for name, money in again.items():
        for part in ("gross", "value", "by_funder", "programme"):
            assert np.array_equal(getattr(money, part), getattr(run.money[name], part))


def test_other_prices_are_those_of_a_new_run(run, tmp_path):
    """A saved run at twice the price of a line is the run that is told with that price."""
    file = tmp_path / "figures.csv"
    file.write_text(
        "id,value,source\nprice.kinship_order,380,our ledger\nuplift.pay_per_year,0.05,\n", encoding="utf-8"
    )
    made = reprice(run.folder, read_figures(file), tmp_path / "other")
    council = small_runs.council()
    parameters, _ = changed(council.parameters, council.draws, read_figures(file))
    told = start(
        small_runs.request(small_runs.more_help(), calibrated=council.model_copy(update={"parameters": parameters})),
        tmp_path / "told",
    )
    for name in (BASELINE, "more_help"):
        assert np.array_equal(made.money[name].gross, told.money[name].gross)
        assert np.array_equal(made.answer(name).monthly.values, told.answer(name).monthly.values)
    assert made.record["parameters"]["cost_lines"] != run.record["parameters"]["cost_lines"]
    assert "price.kinship_order 380" in made.record["notes"][-1]
    assert open_run(tmp_path / "other").record["digest"] == made.record["digest"]


def test_an_uncertain_price_keeps_its_spread(run):
    draws = pd.read_parquet(run.folder / PRICE_DRAWS)
    parameters = parameters_of(run.record)
    _, after = changed(
        parameters, draws, [read_figure("price.external", 10_000), read_figure("uplift.external_per_year", 0.08)]
    )
    assert np.allclose(after["price.external"], 2 * draws["price.external"])
    assert np.allclose(after["uplift.external_per_year"], draws["uplift.external_per_year"] + 0.02)


def read_figure(name, value):
    from carecast.scenarios.reprice import Figure

    return Figure(name, value, "invented for tests")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,value\nprice.kinshp_order,1\n", "did you mean 'price.kinship_order'"),
        ("id,value\nprice.kinship_order,much\n", "row 2, column value: found 'much'"),
        ("id,value\nprice.kinship_order,-1\n", "should be 0 or more"),
        ("id,value\n", "holds no figures"),
    ],
)
def test_mistakes_in_figures_leave_nothing(run, tmp_path, text, said):
    file = tmp_path / "figures.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadFile, match=said):
        reprice(run.folder, read_figures(file), tmp_path / "other")
    assert [item.name for item in tmp_path.iterdir()] == ["figures.csv"]
