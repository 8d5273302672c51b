"""Each programme told on its own council pack: it fits, it costs, it saves or says it does not, and says its limits."""

import datetime as dt

import numpy as np
import pytest

from carecast.cli import story
from carecast.model.summary import BASELINE
from carecast.scenarios.library import inherited, load_scenario
from carecast.scenarios.request import Request, default_targets
from carecast.scenarios.run import start
from carecast.scenarios.target_file import load_target_file
from tests import packs

pytestmark = pytest.mark.slow
UNTIL = dt.date(2029, 3, 31)
REPLICATIONS = 4
PROGRAMMES = {  # scenario -> its pack, its target file, whether it removes contacts
    "cheshire_east_redesign": ("cheshire-east", "cheshire_east", False),
    "kent_childrens_trust": ("kent", "kent", True),
    "wiltshire_childrens_trust": ("wiltshire", "wiltshire", True),
    "serving_children_well": ("england", "serving_children_well", False),
}


@pytest.fixture(scope="module", params=list(PROGRAMMES))
def told(request, tmp_path_factory):
    """(name, its run): a few replications on the pack."""
    name = request.param
    calibrated = packs.calibrated(PROGRAMMES[name][0])
    scenarios = (load_scenario(name),)
    asked = Request(
        calibrated, scenarios, UNTIL, seed=1, replications=REPLICATIONS, workers=1,
        targets=default_targets(calibrated.parameters, scenarios), command="carecast run",
    )  # fmt: skip
    return name, start(asked, tmp_path_factory.mktemp(name) / "run")


def at_the_end(run, scenario, measure, breakdown="total"):
    return run.answer(scenario).grid_of(measure).of(measure, breakdown)[:, -1]


def test_every_lever_does_something_in_its_own_council(told):
    _, run = told
    assert [note for note in run.record["notes"] if "changes nothing" in note] == []


def test_the_results_are_sane(told):
    name, run = told
    for measure in ("looked_after", "looked_after_away_from_home", "referrals", "support_open", "gross_cost_gbp"):
        before, after = (at_the_end(run, scenario, measure) for scenario in (BASELINE, name))
        assert (before > 0).all(), measure
        assert ((after > 0.6 * before) & (after < 1.4 * before)).all(), measure
    assert np.isfinite(run.answer(name).yearly.values).all()
    costs = at_the_end(run, name, "programme_cost_gbp")
    assert ((costs > 100_000) & (costs < 0.1 * at_the_end(run, BASELINE, "gross_cost_gbp"))).all()


def test_a_saving_is_what_is_left_of_it(told):
    name, run = told
    gross, net, programme, cashable, avoided, released = (
        run.answer(name).grid_of(measure).of(measure)
        for measure in ("gross_saving_gbp", "net_saving_gbp", "programme_cost_gbp", "cashable_saving_gbp",
                        "avoided_cost_gbp", "released_capacity_gbp")
    )  # fmt: skip
    np.testing.assert_allclose(gross, cashable + avoided + released, atol=0.02)
    np.testing.assert_allclose(net, gross - released - programme, atol=0.02)


def test_only_universal_prevention_changes_how_many_come(told):
    name, run = told
    before, after = (run.answer(scenario).grid_of("contacts").of("contacts") for scenario in (BASELINE, name))
    if PROGRAMMES[name][2]:
        assert after.sum() < before.sum()
    else:
        np.testing.assert_array_equal(after, before)


def test_moving_cost_between_funders_saves_nothing_by_itself(told):
    name, run = told
    shared = [
        lever for _, lever in inherited(load_scenario(name)) if lever.kind in ("pooled_budgets", "funder_contributions")
    ]
    if shared:
        by_nhs = at_the_end(run, name, "net_cost_gbp", "funder=nhs") - at_the_end(
            run, BASELINE, "net_cost_gbp", "funder=nhs"
        )
        assert (by_nhs > 0).all()
    money = run.money[name]
    total = money.net_by_funder.sum(axis=-1)
    np.testing.assert_array_equal(total, money.gross.sum(axis=-1) + money.programme.sum(axis=-1))


def test_its_own_targets_are_judged(told):
    name, run = told
    judged = {found.target for found in run.assessments() if found.scenario == name}
    assert {target.name for target in load_target_file(PROGRAMMES[name][1]).targets} <= judged


def test_what_cannot_be_modelled_is_printed_with_its_results(told):
    name, run = told
    scenario = load_scenario(name)
    shown = {text: " ".join(text.split()) for text in (story.run_summary(run), story.comparison(run, BASELINE))}
    assert len(scenario.limits) >= 6
    for flat in shown.values():
        assert f"Nor, of {scenario.title}:" in flat
        assert all(f"- {line}" in flat for line in scenario.limits)
        assert "children's own voice" in flat
    assert all(f"{scenario.title}: {line}" in run.record["not_modelled"] for line in scenario.limits)


def test_every_measure_its_aims_name_is_in_the_run(told):
    name, run = told
    held = {measure for measure, _ in (*run.answer(name).monthly.rows, *run.answer(name).yearly.rows)}
    for aim in load_scenario(name).aims:
        assert set(aim.measures) <= held, aim.aim
