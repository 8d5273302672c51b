"""Unaccompanied children leave at their own ratio of the hazards of others of their age."""

import datetime as dt
import math

import numpy as np
import pytest

from carecast.calibration import diagnostics as dg
from carecast.calibration import draw
from carecast.calibration import fit_record as fr
from carecast.calibration.returns import care
from carecast.calibration.returns import hazards as hz
from carecast.calibration.returns import stays as st
from carecast.model import words as w
from tests import toy
from tests.calibration.returns import own_history as own

FIRST, LAST = dt.date(2013, 4, 1), dt.date(2025, 3, 31)
DAYS = (LAST - FIRST).days
HAZARD = {"foster_own": 0.5, "supported_accommodation": 0.9}  # a year, of others


def history(seed, others, alone, ratio, order=None):
    """Children of 15 who enter evenly, leave at their type's hazard (times ``ratio`` when unaccompanied) or turn 18."""
    rng = np.random.default_rng(seed)
    rows, people = [], []
    for number in range(others + alone):
        is_alone = number >= others
        child = number if order is None else int(order[number])
        kind = list(HAZARD)[number % 2]
        start = FIRST + dt.timedelta(days=int(rng.integers(DAYS)))
        born = start - dt.timedelta(days=int(rng.integers(5500, 6000)))
        stay = max(math.ceil(rng.exponential() / (HAZARD[kind] * (ratio if is_alone else 1.0)) * w.DAYS_PER_YEAR), 1)
        adult = born + dt.timedelta(days=6574)
        end = min(start + dt.timedelta(days=stay), adult)
        rows.append({
            "child": child, "spell": 0, "order": 0, "start": start, "end": end if end <= LAST else None,
            "observed_to": None if end <= LAST else LAST, "placement_type": kind, "start_kind": "entry",
            "end_kind": "exit" if end <= LAST else "open", "cause": "exit_other" if end <= LAST else "",
            "care_started": start,
        })  # fmt: skip
        people.append({"child": child, "dob": born, "unaccompanied": is_alone})
    return own.history(first=FIRST, last=LAST, placements=rows, children=people)


def fitted(seed, others, alone, ratio, order=None):
    stays = st.read_stays(history(seed, others, alone, ratio, order), LAST)
    return *hz.with_alone(st.segments(stays), st.ends(stays), ()), stays


@pytest.mark.parametrize("ratio", [0.3, 1.0, 2.0])
def test_a_known_ratio_and_the_hazards_of_others_come_back(ratio):
    """Half of the children are alone, in the same homes at the same ages: neither hazard takes from the other."""
    fits, alone, _ = fitted(3, 900, 900, ratio)
    assert abs(math.log(alone.ratio / ratio)) < 3 * alone.sd_ln < 0.5
    fit = fits["exit_other"]
    for name, truth in HAZARD.items():
        kind = w.PLACEMENT_TYPES.index(name)
        found = float(fit.expected[kind].sum() / fit.exposure[kind].sum())
        assert abs(found / truth - 1) < 3 / math.sqrt(fit.events[kind].sum())


def test_the_ratio_is_their_exits_over_what_others_hazards_expect_drawn_to_what_was_believed():
    """By hand, from the tables it settled on: (n + 4) / (e + 8), as 4 exits are worth a ratio of a half."""
    fits, alone, stays = fitted(4, 400, 60, 0.4)
    assert (hz.ALONE_EXITS, hz.ALONE_RATIO) == (4.0, 0.5)
    ends, segments = st.ends(stays), st.segments(stays)
    theirs = ends.alone > 0
    assert alone.exits == (theirs & (ends.cause >= 0)).sum() > 5
    total = sum(fits[cause].per_year for cause in st.EXITS)
    at_risk = segments.alone > 0
    expected = (total[segments.kind, segments.age, segments.care_band] * segments.days)[at_risk].sum() / w.DAYS_PER_YEAR
    assert alone.expected == pytest.approx(expected, rel=1e-9)
    assert alone.ratio == pytest.approx((alone.exits + 4) / (expected + 8), rel=1e-3)
    assert alone.years == pytest.approx(segments.days[at_risk].sum() / w.DAYS_PER_YEAR)
    assert fits["exit_other"].years.sum() == pytest.approx(segments.days.sum() / w.DAYS_PER_YEAR)


def test_few_tell_little_and_none_nothing():
    fits, nobody, _ = fitted(5, 400, 0, 1.0)
    assert nobody.ratio == hz.ALONE_RATIO
    assert not nobody.is_seen
    assert nobody.sd_ln == pytest.approx(math.sqrt(hz.ALONE_DISPERSION / hz.ALONE_EXITS))
    assert (fits["exit_other"].exposure == fits["exit_other"].years).all()
    few, many = fitted(5, 400, 4, 3.0)[1], fitted(5, 400, 400, 3.0)[1]
    assert hz.ALONE_RATIO < few.ratio < 0.7 * many.ratio
    assert many.sd_ln < 0.4 * few.sd_ln < few.sd_ln < nobody.sd_ln


def test_numbers_of_children_do_not_matter():
    order = np.random.default_rng(1).permutation(460)
    (one, alone, _), (two, again, _) = fitted(6, 400, 60, 0.4), fitted(6, 400, 60, 0.4, order)
    assert alone == again
    for cause in one:
        assert (one[cause].per_year == two[cause].per_year).all()


def test_the_level_of_exits_is_not_pulled_down_when_many_come_alone():
    """Expected exits add up to those seen, in all and of each sort of child."""
    fits, alone, stays = fitted(7, 900, 300, 0.3)
    segments, ends = st.segments(stays), st.ends(stays)
    days = hz.at_risk(segments, alone)
    level = care.flow_level(segments, ends, fits, stays, "exits", days)
    assert level.expected.sum() == pytest.approx(level.observed.sum(), rel=0.01)
    total = sum(fits[cause].per_year for cause in st.EXITS)
    told = total[segments.kind, segments.age, segments.care_band] * days / w.DAYS_PER_YEAR
    assert told[segments.alone > 0].sum() == pytest.approx(alone.exits, rel=0.05)
    assert abs(math.log(level.ratio)) < 0.15


def test_the_number_its_interval_and_its_draws():
    _, alone, _ = fitted(8, 400, 60, 0.4)
    number = care.alone_number(alone, "own returns", LAST)
    draws = alone.at(draw.normals(care.ALONE))
    assert number.how == "fitted"
    assert number.interval_80[0] < number.value < number.interval_80[1]
    assert draws.mean() == pytest.approx(number.value, rel=0.01)
    assert np.quantile(draws, [0.1, 0.9]) == pytest.approx(number.interval_80, rel=0.01)
    believed = care.alone_number(fitted(8, 400, 0, 1.0)[1], "own returns", LAST)
    assert (believed.how, believed.value) == ("assumed", hz.ALONE_RATIO)
    assert "own returns" not in believed.source


def test_a_reviewer_sees_the_ratio_and_mean_stays_hold_it():
    """Hazards of others are the same in both histories; the stay of all who enter is longer where many hardly leave."""
    base = toy.calibrated().parameters.rates
    slow, alike = (fr.of_stays(fitted(9, 600, 600, ratio)[2], base) for ratio in (0.2, 1.0))
    assert slow["unaccompanied"]["low_80"] < 0.25 < 0.5 < alike["unaccompanied"]["low_80"]
    assert slow["unaccompanied"]["exits"] < alike["unaccompanied"]["exits"]
    said = " ".join(dg._mean_stays({"diagnostics": slow}).paragraphs)
    assert f"{slow['unaccompanied']['exits']} left in {slow['unaccompanied']['child_years']:,.0f} child-years" in said
    assert dg._alone(fr.of_stays(fitted(9, 60, 0, 1.0)[2], base)) == ()
    years = [found["three_returns"]["years_from_all"] for found in (slow, alike)]
    assert years[0] > 1.15 * years[1]
    for row in slow["influence"]:
        assert row["exits_expected"] == pytest.approx(row["exits"], rel=0.5, abs=12)
