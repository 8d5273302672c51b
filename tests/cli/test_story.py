"""The summary a board member reads: the answer first, nothing said twice, no line too long, numbers that can be found."""

import re
from dataclasses import replace

import numpy as np
import pytest

from carecast.cli import sections, story, text
from carecast.scenarios.run import open_run, start
from tests import small_runs, toy


@pytest.fixture(scope="module")
def summary(made):
    return story.board_summary(made)


def test_the_headline_is_one_sentence_at_the_top(made, summary):
    net = made.answer("more_help").yearly.of("net_saving_gbp")[:, 1]
    low, high = np.sort(net)[[14, 134]]  # 10th and 90th percentile of 150, inverted CDF
    first = " ".join(summary.split("IN ONE SENTENCE\n")[1].split("\n\n")[0].split())
    low, high, mean = (text.pounds(value) for value in (low, high, net.mean()))
    some, enough = (text.percent(share) for share in ((net > 0).mean(), (net >= 50_000).mean()))
    assert first.startswith(
        f"more_help is expected to save {mean} net in 2023-24 (net saving, 80 % interval {low} to {high}); the chance that "
        f"it saves anything net that year is {some}, and the chance of the target 'Save a little' is {enough}"
    )
    assert "where 80 % is required" in first
    assert first.count(".") - len(re.findall(r"\d\.\d", first)) == 1


def test_no_line_is_over_150_characters(made, summary):
    for shown in (summary, story.run_summary(made), story.comparison(made, "baseline"), sections.targets_text(made)):
        assert max(len(line) for line in shown.replace(str(made.folder), "").splitlines()) <= 150


def test_a_scenario_that_changes_no_child_is_said_once(made, summary):
    assert "dearer changes nothing for children: it is an assumption about prices. It changes net cost by" in summary
    assert "Safety: dearer is the same as baseline in every replication." in summary
    targets = sections.targets_text(made)
    assert "dearer" not in targets
    assert targets.count("Fewer away") == 1
    assert "dearer" not in sections.safety_text(made).split("Safety: dearer")[0]


def test_what_is_not_modelled_is_said_once(made, summary):
    lines = summary.split("Not modelled:\n")[1].splitlines()
    assert len(lines) == len(set(lines)) >= 7


def test_reserves_by_year_with_what_is_wrong_with_them(made, summary):
    shown = sections.reserves_text(made)
    assert "policy minimum £0.25m, assumed" in shown
    assert "FLAG: more_help pays recurring cost from reserves in 2022-23 (part), 2023-24" in shown
    balance = made.reserves("more_help").balance[:, 1].mean() / 1e8
    assert f"{balance:.2f}" in shown
    assert "BREACH" not in shown
    assert shown in summary


def test_a_breach_of_the_policy_minimum_is_said(tmp_path):
    council = toy.calibrated(toy.some_stock(), numbers={"reserves.opening_gbp": 251_000.0})
    run = start(small_runs.request(small_runs.more_help(), calibrated=council, replications=3), tmp_path / "run")
    assert "BREACH: more_help more likely than not leaves less than the policy minimum" in sections.reserves_text(run)


def test_no_programme_no_reserves(tmp_path):
    run = start(small_runs.request(small_runs.dearer(), replications=2), tmp_path / "run")
    assert sections.reserves_text(run) == "Reserves: no scenario of the run pays anything from them."
    assert "No scenario of the run has a lever" in story.board_summary(run)


def test_which_assumptions_matter_and_where_they_are(made, summary):
    shown = summary.split("WHICH ASSUMPTIONS MATTER")[1].split("HOW SURE")[0]
    assert "association across draws, not proof of cause" in " ".join(shown.split())
    assert "parameters.toml: prices of external" in shown
    for found in made.record["drivers"]:
        for row in found["rows"][:8] if found["scenario"] in ("baseline", "more_help") else []:
            assert f"{row['correlation']:+.2f}" in shown
            assert row["where"].split(", ")[-1] in shown


def test_published_history_stands_before_the_forecast(made):
    history = [
        {"measure": "looked_after", "breakdown": "total", "date": f"{year}-07-31", "value": value, "source": "invented"}
        for year, value in ((2020, 28.0), (2021, 30.0), (2022, 32.0))
    ]
    record = {**made.record, "parameters": {**made.record["parameters"], "history": history}}
    shown = story.board_summary(replace(made, record=record))
    assert re.search(r"Published counts +07/2020 +07/2021 +07/2022\n-+\nChildren looked after +28 +30 +32", shown)
    assert shown.index("Published counts") < shown.index("Forecast, mean of replications")
    assert "Published counts" not in story.board_summary(made)


@pytest.mark.parametrize("until", ["2022-07-31", "2022-08-15", "2023-01-31", "2023-03-31"])
def test_short_runs_have_a_summary_too(tmp_path, until):
    council = small_runs.request().calibrated
    asked = small_runs.request(
        small_runs.more_help(), calibrated=council, until=type(small_runs.UNTIL).fromisoformat(until), replications=2,
        targets=(small_runs.SAVE,),
    )  # fmt: skip
    if until == "2022-07-31":
        asked = replace(asked, scenarios=(small_runs.dearer(),))
    run = open_run(start(asked, tmp_path / "run").folder)
    for shown in (story.board_summary(run), story.run_summary(run), story.comparison(run, "baseline")):
        assert "nan" not in shown.replace("financ", "")
        assert max(len(line) for line in shown.replace(str(run.folder), "").splitlines()) <= 150
    assert "Not judged: target 'Save a little'" in " ".join(sections.targets_text(run).split())


# --- pieces -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "words"),
    [(2_850_000, "£2.85m"), (-412_000, "-£0.41m"), (9_400, "£9,400"), (0, "£0"), (-0.2, "£0"), (-530, "-£530")],
)
def test_pounds(value, words):
    assert text.pounds(value) == words


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0 %"), (0.001, "< 1 %"), (0.33, "33 %"), (0.9999, "> 99 %"), (1, "100 %")]
)
def test_percent_never_rounds_to_certainty(share, words):
    assert text.percent(share) == words


def test_no_negative_nought():
    assert text.fixed(-0.001, 2) == "0.00"
    assert text.fixed(-1234.5, 1) == "-1,234.5"


def test_a_table_wraps_its_first_column_and_aligns_the_rest():
    shown = text.table(["what", "n"], [["a word " * 12, "1"], ["  inset", "22"]], 10, 20).splitlines()
    assert shown[2].endswith("   1")
    assert all(len(line) <= 24 for line in shown)
    assert shown[-1].startswith("  inset")
