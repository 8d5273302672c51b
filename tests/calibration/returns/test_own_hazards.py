"""Known hazards come back; levels tell a walk from a swing from chance."""

import datetime as dt

import numpy as np
import pytest

from carecast.calibration.returns import entries as en
from carecast.calibration.returns import hazards as hz
from carecast.calibration.returns import imbalance
from carecast.calibration.returns import levels as lv
from carecast.calibration.returns import stays as st
from carecast.model import words as w
from tests.calibration.returns import own_history as own

FIRST, LAST = dt.date(2013, 4, 1), dt.date(2025, 3, 31)
TRUE = {
    "foster_own": (1.2, 0.35),
    "kinship": (0.6, 0.5),
    "residential_external": (2.0, 0.8),
}  # a year, to and from day 182


def simulated(seed, children=2400):
    """Children who enter evenly and leave at their type's hazard, which changes after half a year; some came before."""
    rng = np.random.default_rng(seed)
    rows, people = [], []
    for child in range(children):
        kind = list(TRUE)[child % 3]
        start = dt.date(2009, 4, 1) + dt.timedelta(days=int(rng.integers((LAST - dt.date(2009, 4, 1)).days)))
        early, late = TRUE[kind]
        draw = rng.exponential()
        stay = (
            draw / early * 365.25
            if draw < early * 182 / 365.25
            else 182 + (draw - early * 182 / 365.25) / late * 365.25
        )
        end = start + dt.timedelta(days=max(int(np.ceil(stay)), 1))
        if end <= FIRST:
            continue
        rows.append({
            "child": child, "spell": 0, "order": 0, "start": start, "end": end if end <= LAST else None,
            "observed_to": None if end <= LAST else LAST, "placement_type": kind, "start_kind": "entry",
            "end_kind": "exit" if end <= LAST else "open", "cause": "exit_home" if end <= LAST else "",
            "care_started": start,
        })  # fmt: skip
        people.append({"child": child, "dob": start - dt.timedelta(days=int(rng.integers(3700, 5000)))})
    return own.history(first=FIRST, last=LAST, placements=rows, children=people)


@pytest.fixture(scope="module")
def fitted():
    stays = st.read_stays(simulated(1), LAST)
    return hz.fit_care(st.segments(stays), st.ends(stays), ())


def test_hazards_come_back_within_three_standard_errors(fitted):
    """By type, before and after half a year, over all ages; children there before the window do not bias it."""
    fit = fitted["exit_home"]
    for name, (early, late) in TRUE.items():
        kind = w.PLACEMENT_TYPES.index(name)
        for bands, truth in ((slice(0, 3), early), (slice(3, 7), late)):
            events, years = fit.events[kind, :, bands].sum(), fit.exposure[kind, :, bands].sum()
            found = fit.expected[kind, :, bands].sum() / years
            assert abs(found - truth) < 3 * truth / np.sqrt(events)


def test_fitted_ends_are_as_many_as_were_seen(fitted):
    fit = fitted["exit_home"]
    assert fit.expected.sum() == pytest.approx(fit.events.sum(), rel=1e-9)
    assert fitted["exit_adoption"].per_year.max() == 0  # never seen, and no base to lean on


def test_a_cell_nobody_was_in_takes_the_main_effects(fitted):
    fit = fitted["exit_home"]
    empty = (fit.exposure == 0) & (fit.main > 0)
    assert empty.any()
    ratio = fit.per_year[empty] / fit.main[empty]
    assert np.allclose(ratio, ratio[0])  # all by the one factor that keeps the number of ends


# --- levels -----------------------------------------------------------------------------------------------
def level(counts, expected=60.0, beliefs=lv.ENTRIES):
    counts = np.asarray(counts, dtype=float)
    return lv.local_level(counts, np.full(len(counts), expected), beliefs)


def test_a_steady_flow_has_a_level_of_one_and_a_narrow_one():
    found = level(np.random.default_rng(3).poisson(60, 48))
    assert abs(found.mean_ln) < 2 * found.sd_ln
    assert found.sd_ln < 0.12


def test_one_high_year_is_not_taken_for_good():
    counts = np.random.default_rng(4).poisson(60, 48)
    counts[-4:] = 84
    found = level(counts)
    assert 0.02 < found.mean_ln < 0.8 * np.log(84 / 60)


def test_a_lasting_change_is_believed():
    counts = np.random.default_rng(5).poisson(60, 48)
    counts[-20:] = np.random.default_rng(6).poisson(90, 20)
    assert level(counts, expected=counts.mean()).mean_ln == pytest.approx(np.log(90 / counts.mean()), abs=0.1)


def test_levels_hold_what_they_say():
    """Standard scores of the true level over many series: within 80 % intervals about 80 % of the time, or more."""
    rng = np.random.default_rng(7)
    inside = []
    for _ in range(60):
        walk = np.cumsum(rng.normal(0, 0.02, 48))
        swing = np.repeat(rng.normal(0, 0.12, 12), 4)
        found = level(rng.poisson(60 * np.exp(walk + swing)))
        inside.append(abs(walk[-1] - found.mean_ln) < 1.2816 * found.sd_ln)
    assert 0.7 <= np.mean(inside) <= 0.99


def test_draws_of_a_level_have_mean_one():
    draws, drift = level(np.random.default_rng(8).poisson(30, 40), 30).draws("entries")
    assert draws.mean() == pytest.approx(1.0, abs=1e-12)
    assert (drift > 0).all()
    assert len(draws) == 4096


# --- entries ------------------------------------------------------------------------------------------------
def test_brothers_and_sisters_who_enter_together_are_told_from_coincidence():
    """Families of 1 or 2: pairs over children = 2 x share of families of 2 / mean size; the chance comes back."""
    rng = np.random.default_rng(9)
    sizes = np.array([0.6, 0.4])
    rows, people, child = [], [], 0
    for _ in range(1500):
        start = FIRST + dt.timedelta(days=int(rng.integers(4300)))
        n = 1 + int(rng.random() < 0.4 * 0.6)
        for _ in range(n):
            rows.append({"child": child, "spell": 0, "order": 0, "start": start, "end": None, "observed_to": LAST,
                         "placement_type": "kinship", "start_kind": "entry", "end_kind": "open", "cause": "",
                         "care_started": start})  # fmt: skip
            people.append({"child": child, "dob": start - dt.timedelta(days=1500)})
            child += 1
    for _ in range(700):  # newborn children, who come alone, and children who come back do not thin the families out
        start = FIRST + dt.timedelta(days=int(rng.integers(4300)))
        rows.append({"child": child, "spell": 0, "order": 0, "start": start, "end": None, "observed_to": LAST,
                     "placement_type": "kinship", "start_kind": "entry", "end_kind": "open", "cause": "",
                     "care_started": start})  # fmt: skip
        people.append({"child": child, "dob": start - dt.timedelta(days=5)})
        child += 1
    history = own.history(first=FIRST, last=LAST, placements=rows, children=people)
    stays = st.read_stays(history, LAST)
    found = en.joins_chance(en.together(en.read_spells(history, stays)), sizes)
    assert found == pytest.approx(0.6, abs=0.12)


def test_a_child_who_went_home_and_came_back_is_a_return_and_not_a_new_entry():
    def care(spell, start, end, cause):
        return {"child": 0, "spell": spell, "order": 0, "start": start, "end": end, "observed_to": None,
                "placement_type": "kinship", "start_kind": "entry", "end_kind": "exit", "cause": cause,
                "care_started": start}  # fmt: skip

    rows = [care(0, dt.date(2015, 1, 1), dt.date(2015, 7, 1), "exit_home"),
            care(1, dt.date(2016, 1, 1), dt.date(2016, 2, 1), "exit_other"),
            care(2, dt.date(2017, 1, 1), dt.date(2017, 2, 1), "exit_kinship_order")]  # fmt: skip
    history = own.history(first=FIRST, last=LAST, placements=rows, children=[{"child": 0, "dob": dt.date(2008, 1, 1)}])
    stays = st.read_stays(history, LAST)
    spells = en.read_spells(history, stays)
    assert spells.came.tolist() == [en.NEW, en.RETURN_HOME, en.NEW]
    home = en.returning(spells, stays, 0, en.HOME_MEMORY_DAYS)
    assert home.events.sum() == 1
    assert home.exposure.sum() == pytest.approx(184 / 365.25)
    order = en.returning(spells, stays, 1, 6574)
    assert order.events.sum() == 0
    assert order.exposure.sum() == pytest.approx((LAST - dt.date(2017, 2, 1)).days / 365.25)


# --- balance of entries and exits -----------------------------------------------------------------------------
def levels_of(sd_of_entries):
    rng = np.random.default_rng(10)
    found = {name: level(rng.poisson(n, 40), n) for name, n in (("entries", 60), ("unaccompanied", 4), ("exits", 60))}
    assert found["entries"].sd_ln > sd_of_entries
    return found


def an_imbalance(foretold, levels):
    weights = np.array([0.5, 0.05, -0.5])
    errors = np.array([levels[name].sd_ln for name in imbalance.FLOWS]) ** 2
    variance = float(weights**2 @ errors)
    gain = errors * weights / (variance + imbalance.BELIEVED_SD**2)
    central = errors * weights / (variance + imbalance.FORETOLD_SD**2)
    return imbalance.Imbalance(foretold, weights, gain, central, variance**0.5)


def test_growth_that_levels_foretell_is_drawn_in_from_both_sides():
    """Entries too many for the exits: entries are moved down, exits up, and what is left is less but not nothing."""
    off = an_imbalance(0.04, levels_of(0.01))
    entries, alone, exits = off.shifts
    assert entries < 0 < exits
    assert alone < 0
    left = off.foretold_ln + float(off.weights @ off.shifts)
    assert 0 < left < 0.04


def test_growth_of_little_error_is_believed():
    """What is left of a foretold change is the share of its own variance in all: prior / (prior + error)."""
    off = an_imbalance(0.04, levels_of(0.01))
    prior, error = imbalance.FORETOLD_SD**2, off.foretold_sd_ln**2
    left = off.foretold_ln + float(off.weights @ off.shifts)
    assert left / off.foretold_ln == pytest.approx(prior / (prior + error))


def test_many_entries_go_with_many_exits_in_the_draws(monkeypatch):
    monkeypatch.setattr(imbalance, "BELIEVED_SD", 0.03)  # a firm belief: a strong tie
    levels = levels_of(0.01)
    drawn = an_imbalance(0.0, levels).draws(levels)
    assert all(np.isclose(values.mean(), 1.0) for values in drawn.values())
    assert np.corrcoef(np.log(drawn["entries"]), np.log(drawn["exits"]))[0, 1] > 0.2
