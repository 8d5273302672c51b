"""Early help that works, given to riskier families: the raw association says the opposite, and no forecast rests on it.

A world with a true risk ratio of 0.75: children differ in risk, riskier ones are helped more often, help cuts the chance of
entry by a quarter. The comparison a council would make from its own files comes out above one.
"""

import datetime as dt
import html
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from carecast.calibration.association_page import HEADING
from carecast.calibration.diagnostics import diagnostics
from carecast.calibration.readers.report import Report
from carecast.calibration.returns.base import Base
from carecast.calibration.returns.calibrate import calibrate_returns
from carecast.cli.calibrate import what_was_found
from carecast.model import words as w
from carecast.model.engine import World, simulate
from carecast.scenarios.apply import apply
from carecast.scenarios.scenario import Scenario
from tests.calibration.returns import own_history as own

FIRST, LAST = dt.date(2015, 4, 1), dt.date(2025, 3, 31)
TRUE_RATIO, CHILDREN, USUAL_CHANCE = 0.75, 6000, 0.09
BORN = dt.date(2012, 6, 15)


def made(seed=1, swapped=False):
    """The history; ``swapped``: the same rows, but those who entered are as often not helped as they were helped."""
    rng = np.random.default_rng(seed)
    risk = rng.gamma(1.2, 1 / 1.2, CHILDREN)
    asked = [FIRST + dt.timedelta(days=int(n)) for n in np.sort(rng.integers(10, 3200, CHILDREN))]
    helped = rng.random(CHILDREN) < np.clip(0.15 + 0.25 * risk, 0, 0.9)
    chance = np.clip(USUAL_CHANCE * risk * np.where(helped, TRUE_RATIO, 1.0), 0, 0.95)
    entered = rng.random(CHILDREN) < chance
    after = rng.integers(60, 300, CHILDREN)
    stay = rng.gamma(1.2, 400, CHILDREN).astype(int) + 5
    kind = rng.choice(["foster_own", "kinship", "residential_external"], CHILDREN, p=[0.6, 0.25, 0.15])
    truth = entered[helped].mean() / entered[~helped].mean()
    who = np.arange(CHILDREN)
    if swapped:  # children who are neighbours in time and differ in help change places; what happened to them stays
        pairs = np.flatnonzero(helped[:-1:2] != helped[1::2]) * 2
        who[pairs], who[pairs + 1] = pairs + 1, pairs
    rows = []
    for child in np.flatnonzero(entered):
        start = asked[child] + dt.timedelta(days=int(after[child]))
        end = start + dt.timedelta(days=int(stay[child]))
        still = end > LAST
        rows.append({
            "child": who[child], "spell": 0, "order": 0, "start": start, "end": None if still else end,
            "observed_to": LAST if still else None, "placement_type": kind[child], "start_kind": "entry",
            "end_kind": "open" if still else "exit", "cause": "" if still else "exit_home", "care_started": start,
        })  # fmt: skip
    referrals = [
        {"child": n, "date": asked[n], "outcome": "early_help" if helped[n] else "closed"} for n in range(CHILDREN)
    ]
    early_help = [
        {"child": n, "start": asked[n] + dt.timedelta(days=20), "end": asked[n] + dt.timedelta(days=170),
         "route": "referral", "outcome": "needs_met"} for n in np.flatnonzero(helped)
    ]  # fmt: skip
    children = [{"child": n, "dob": BORN} for n in range(CHILDREN)]
    found = own.history(first=FIRST, last=LAST, placements=rows, referrals=referrals, early_help=early_help,
                        children=children)  # fmt: skip
    return replace(found, council="Testshire"), truth


@pytest.fixture(scope="module")
def base():
    from carecast.calibration.calibrate import calibrate

    return Base("west-dunbartonshire", calibrate("west-dunbartonshire"), False, "The rest comes from a pack")


@pytest.fixture(scope="module")
def riskier(base):
    history, naive = made()
    assert naive > 1.05  # by chance and design: riskier families are helped
    return calibrate_returns(history, Report("tidy"), base=base)


def association(calibrated):
    return calibrated.record["parts"]["community"]["early_help_association"]


def test_the_association_points_the_other_way_and_is_shown_with_its_e_value(riskier):
    found = association(riskier)
    assert found["risk_ratio"] > 1 > TRUE_RATIO
    assert found["e_value"] > 1
    assert found["used"] is False
    said = " ".join(what_was_found(riskier.record).split())
    assert f"risk ratio {found['risk_ratio']:.2f}" in said
    assert f"E-value {found['e_value']:.2f}" in said
    assert "Not evidence of effect" in said
    page = html.unescape(diagnostics(riskier))
    assert HEADING in page
    assert f">{found['e_value']:.2f}<" in page
    assert "no saving rests on it" in page


def test_the_set_is_the_same_whoever_it_was_that_entered(riskier, base):
    """Change who was helped among those who entered: the association changes, no number of the model does."""
    history, _ = made(swapped=True)
    other = calibrate_returns(history, Report("tidy"), base=base)
    assert abs(np.log(association(other)["risk_ratio"] / association(riskier)["risk_ratio"])) > 0.1
    assert other.parameters.numbers == riskier.parameters.numbers
    assert other.parameters.rates == riskier.parameters.rates
    assert other.parameters.branches == riskier.parameters.branches
    assert other.parameters.destinations == riskier.parameters.destinations
    pd.testing.assert_frame_equal(other.draws, riskier.draws)


def test_no_column_or_number_carries_the_association(riskier):
    names = [*riskier.parameters.numbers, *riskier.parameters.series, *riskier.draws.columns]
    windows = {"calibration.association.follow_up_days", "calibration.association.look_back_days"}  # of what is shown
    assert not [name for name in names if ("association" in name or "e_value" in name) and name not in windows]
    assert not windows & set(riskier.draws.columns)


def test_more_early_help_claims_no_fewer_entries_than_the_pathway_itself_brings(riskier):
    """Places added where waits do not say that early help was full: nobody is helped sooner, so nothing is saved."""
    until = dt.date(2027, 3, 31)
    lever = {"kind": "early_help_places", "from": dt.date(2025, 4, 1), "add": 40, "because": "Invented for tests.",
             "gbp_per_place_per_year": {"value": 1000, "low": 500, "high": 2000}}  # fmt: skip
    entries = []
    for levers in ([], [lever]):
        scenario = Scenario.model_validate({"name": "mine", "built_on": "", "lever": levers, "assumption": []})
        world = World(riskier, apply(riskier.parameters, scenario, until), until, 7)
        counts = []
        for replication in range(40):
            log = simulate(world, replication).log
            counts.append(int(((log.event == w.ENTERED_CARE) & (log.day > LAST.toordinal())).sum()))
        entries.append(np.array(counts))
    difference = entries[1] - entries[0]
    sd = max(float(difference.std(ddof=1)), 1.0) / np.sqrt(len(difference))
    assert abs(float(difference.mean())) < 0.005 * float(entries[0].mean()) + 3 * sd
