"""The numbers of the screens are those of summary.csv and of the command line."""

import pandas as pd
import pytest

from carecast.dashboard import figures
from carecast.scenarios.compare import safety_beside_savings

SCENARIO = "more_early_help"


@pytest.fixture(scope="module")
def summary(run) -> pd.DataFrame:
    return pd.read_csv(run.folder / "summary.csv")


def rows(summary, scenario, measure, breakdown="total"):
    at = (summary["scenario"] == scenario) & (summary["measure"] == measure) & (summary["breakdown"] == breakdown)
    return summary[at].sort_values("date").reset_index(drop=True)


@pytest.mark.parametrize("measure", ["looked_after", "looked_after_away_from_home", "within_radius_percent"])
def test_fan_equals_summary(run, summary, measure):
    fan = figures.fan(run, SCENARIO, measure)
    for name in ("baseline", SCENARIO):
        shown, written = fan[fan["scenario"] == name], rows(summary, name, measure)
        assert [date.date().isoformat() for date in shown["date"]] == list(written["date"])
        for statistic in ("mean", "p025", "p10", "p25", "p75", "p90", "p975"):
            assert shown[statistic].tolist() == pytest.approx(written[statistic].tolist(), abs=0.0051)


def test_headlines_equal_summary(run, summary):
    last = rows(summary, SCENARIO, "net_saving_gbp").iloc[-1]
    found = figures.figure_of(run, SCENARIO, "net_saving_gbp")
    assert (found.mean, found.low, found.high) == pytest.approx((last["mean"], last["p10"], last["p90"]), abs=0.0051)


def test_differences_equal_summary(run, summary):
    written = rows(summary, SCENARIO, "difference_in_looked_after")
    for at in (0, 10, len(written) - 1):
        found = figures.paired(run, SCENARIO, "looked_after", at)
        assert (found.mean, found.low, found.high) == pytest.approx(
            tuple(written.loc[at, ["mean", "p10", "p90"]]), abs=0.0051
        )


def test_savings_equal_summary_and_add_up(run, summary):
    frame = figures.savings(run, SCENARIO)
    for kind in set(figures.SAVING_KINDS) - {"programme_cost_gbp"}:
        shown, written = frame[frame["kind"] == kind], rows(summary, SCENARIO, kind)
        for statistic in ("mean", "p10", "p90"):
            assert shown[statistic].tolist() == pytest.approx(written[statistic].tolist(), abs=0.0051)
    mean = frame.pivot_table(index="year", columns="kind", values="mean")
    parts = mean["cashable_saving_gbp"] + mean["avoided_cost_gbp"] + mean["released_capacity_gbp"]
    assert parts.tolist() == pytest.approx(mean["gross_saving_gbp"].tolist(), abs=0.05)
    net = mean["gross_saving_gbp"] - mean["released_capacity_gbp"] - mean["programme_cost_gbp"]
    assert net.tolist() == pytest.approx(mean["net_saving_gbp"].tolist(), abs=0.05)


def test_every_line_of_cost_is_in_one_group(run, summary):
    lines = [line for group in figures.LINE_GROUPS.values() for line in group]
    assert sorted(lines) == sorted(run.record["lines"])
    assert len(lines) == len(set(lines))


def test_spend_adds_up_to_the_gross_cost_of_summary(run, summary):
    spend = figures.spend(run, SCENARIO)
    for name in ("baseline", SCENARIO):
        shown = spend[spend["scenario"] == name].pivot_table(index="year", columns="group", values="mean")
        gross, programme = (
            rows(summary, name, measure)["mean"] for measure in ("gross_cost_gbp", "programme_cost_gbp")
        )
        assert shown[list(figures.LINE_GROUPS)].sum(axis=1).tolist() == pytest.approx(gross.tolist(), abs=0.05)
        assert shown["placements"].tolist() == pytest.approx(
            (shown["residential"] + shown["family"]).tolist(), abs=0.05
        )
        assert shown["all"].tolist() == pytest.approx((gross + programme).tolist(), abs=0.05)


def test_spend_of_one_line_equals_summary(run, summary):
    grid = run.answer("baseline").yearly
    found = figures.figure(figures.lines_cost(grid, ["residential_external"])[:, -1])
    last = rows(summary, "baseline", "gross_cost_gbp", "line=residential_external").iloc[-1]
    assert (found.mean, found.low, found.high) == pytest.approx((last["mean"], last["p10"], last["p90"]), abs=0.0051)


def test_targets_and_safety_are_those_of_the_command_line(run):
    found, why = figures.assessments(run, SCENARIO)
    assert why == ""
    assert found == [a for a in run.assessments() if a.scenario in ("baseline", SCENARIO)]
    beside = safety_beside_savings(run.answers)
    beside = beside[(beside["scenario"] == SCENARIO) & beside["chance_worse"].notna()]
    assert figures.safety(run, SCENARIO)["difference"].tolist() == beside["difference"].tolist()


def test_years(run, alone):
    assert figures.years(run) == ("2022-23", "2023-24", "2024-25")
    assert figures.whole_years(run) == ("2023-24", "2024-25")
    assert figures.whole_years(alone) == ("2022-23",)  # none whole: the part is all there is
    assert figures.is_part_year(alone, "2022-23")


def test_history_and_published_spend(run):
    history = figures.history(run, "looked_after")
    assert history["value"].tolist() == [28, 30, 32]
    assert figures.history(run, "looked_after", "placement_type=secure")["value"].isna().all()
    published = figures.published_spend(run)  # 2020-21 lacks the community part
    assert published.to_dict("list") == {"year": ["2021-22"], "value": [1.5e6]}


def test_register_holds_every_number_of_the_record(run):
    p = run.record["parameters"]
    register = figures.register(run)
    assert set(p["numbers"]) <= set(register["name"])
    assert (register["source"].str.len() > 0).all()
    assert set(register["how"]) <= {"published", "fitted", "assumed"}
    home = register[(register["name"] == "external") & (register["unit"] == "£ a week for each child")]
    assert home["value"].tolist() == [5000.0]
    assert sum(figures.how_many(run).values()) == len(register)


def test_watched_numbers_are_assumed_and_known(run):
    found = figures.watched(run)
    assert "uplift.external_per_year" in set(found["name"])
    assert set(found["how"]) == {"assumed"}


def test_levers_and_assumptions_are_told_apart(run):
    assert figures.has_levers(figures.levers(run, SCENARIO))
    assert not figures.has_levers(figures.levers(run, "dearer_homes"))
    assert figures.levers(run, None) == ()


def test_a_run_without_a_day_has_nothing_watched_but_what_is_assumed(tmp_path):
    from tests.dashboard import odd_runs

    short = odd_runs.no_day(tmp_path)
    assert figures.years(short) == ()
    found = figures.watched(short)
    assert set(found["how"]) == {"assumed"}
    assert set(found["name"]) <= set(figures.WATCHED)
