import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from carecast.calibration import funnel as fn
from carecast.calibration.capacity import YEARS_TO_LIMIT
from carecast.calibration.returns import association as asc
from carecast.calibration.returns import basis, community, flows, staying
from carecast.calibration.returns import community_rates as cr
from carecast.calibration.returns import community_solve as cs
from carecast.model import rules
from carecast.model import words as w
from carecast.model.parameters import STOCK_COLUMNS
from tests import toy
from tests.calibration.returns.own_history import AS_AT, days_after, history

BEGIN = dt.date(2015, 4, 1)
SPAN = (AS_AT - BEGIN).days


def days(*dates):
    return np.array([-1 if day is None else basis.day_of(day) for day in dates], dtype=np.int64)


def test_exposure_and_events_are_counted_by_hand():
    """Two stays of a child born 15 June 2012: 100 days and ended, 50 days and still open."""
    begin = days(dt.date(2024, 1, 1), dt.date(2025, 2, 9))
    end = days(dt.date(2024, 4, 10), None)
    born = days(dt.date(2012, 6, 15), dt.date(2012, 6, 15))
    cause = np.array(["early_help_ends", ""], dtype=object)
    early = (
        days(dt.date(2023, 1, 1)),
        days(dt.date(2023, 1, 2)),
        days(dt.date(2010, 1, 1)),
    )  # shows ends were seen by then
    found = cr.count(
        np.concatenate([early[0], begin]), np.concatenate([early[1], end]), np.append(np.array([""], dtype=object), cause),
        np.concatenate([early[2], born]), AS_AT,
    )  # fmt: skip
    band = w.AGE_BANDS.index("10_to_15")
    expected = np.array([28 + 28, 63 + 22, 9, 0, 0, 0, 0]) / w.DAYS_PER_YEAR
    assert found.exposure[band] == pytest.approx(expected)
    assert found.exposure.sum() == pytest.approx(150 / w.DAYS_PER_YEAR)
    assert found.events["early_help_ends"][band].tolist() == [0, 0, 1, 0, 0, 0, 0]


def test_stays_before_the_first_end_seen_are_truncated_and_none_goes_on_past_18():
    begin = days(dt.date(2023, 1, 1), dt.date(2023, 6, 1))
    end = days(dt.date(2023, 7, 1), None)
    born = days(dt.date(2012, 1, 1), dt.date(2006, 1, 1))
    found = cr.count(begin, end, np.array(["", ""], dtype=object), born, AS_AT)
    first = basis.day_of(dt.date(2023, 7, 1))
    adult = born[1] + rules.ADULT_AGE_DAYS
    assert found.first == first
    assert found.exposure.sum() == pytest.approx((adult - first) / w.DAYS_PER_YEAR)


def test_shrinkage_keeps_the_base_without_events_and_follows_many():
    usual = np.full(cr.SHAPE, 0.5)
    nothing = cr.shrink(usual, np.zeros(cr.SHAPE), np.zeros(cr.SHAPE))
    assert nothing == pytest.approx(usual)
    exposure = np.zeros(cr.SHAPE)
    exposure[2] = 1000.0
    events = np.zeros(cr.SHAPE)
    events[2] = 2000.0
    assert cr.shrink(usual, events, exposure)[2] == pytest.approx(np.full(7, 2.0), rel=0.01)


def simulated_help(seed, per_year=900, hazard=1.6, up=0.4, last=AS_AT):
    """Early help with constant hazards of ending and stepping up."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(per_year * SPAN / 365.25)
    start = rng.integers(0, SPAN, n)
    stay = np.maximum(np.ceil(rng.exponential(365.25 / (hazard + up), n)), 1).astype(int)
    out = rng.choice(["needs_met", "disengaged", "stepped_up"], n,
                     p=[0.7 * hazard / (hazard + up), 0.3 * hazard / (hazard + up), up / (hazard + up)])  # fmt: skip
    frame = pd.DataFrame(
        {"child": np.arange(n), "start": days_after(BEGIN, start), "end": days_after(BEGIN, start + stay)}
    )
    frame["outcome"], frame["route"] = out, "community"
    frame["locality"] = np.where(np.arange(n) % 3 == 0, "East", "West")
    still = pd.to_datetime(frame["end"]) > pd.Timestamp(last)
    frame.loc[still, "end"] = None
    frame.loc[still, "outcome"] = ""
    return frame


@pytest.mark.parametrize("seed", [1, 2])
def test_early_help_hazards_are_recovered(calibrated, seed):
    told = history(early_help=simulated_help(seed))
    counted = cr.early_help(told, AS_AT)
    for cause, truth in (("early_help_ends", 1.6), ("early_help_steps_up", 0.4)):
        events = counted.events[cause].sum()
        rate, drawn = cr.rate_of(calibrated, cause, counted, "early_help.csv")
        level = float((np.array(rate.per_year) * counted.exposure).sum() / counted.exposure.sum())
        assert abs(level - truth) < 3 * truth / math.sqrt(events)
        assert drawn.mean() == pytest.approx(1.0, abs=0.002)
        assert rate.how == "fitted"
        per_band = (np.array(rate.per_year) * counted.exposure).sum(axis=0) / counted.exposure.sum(axis=0).clip(1e-9)
        big = counted.events[cause].sum(axis=0) > 100
        error = 3.5 * truth / np.sqrt(counted.events[cause].sum(axis=0)[big]) + 0.03 * truth
        assert (np.abs(per_band[big] - truth) < error).all()


def test_places_of_early_help_are_the_most_open_and_say_that_they_are_assumed(calibrated):
    rows = simulated_help(3)
    part = community.fit(history(early_help=rows), calibrated, AS_AT)
    assert [pool.localities for pool in part.service_pools] == [("East",), ("West",)]
    assert all(pool.how == "assumed" for pool in part.service_pools)
    per_family, _ = basis.children_per_family(calibrated)
    mean_open = 900 / 2.0 / per_family  # Little: starts a year x mean stay
    assert mean_open < sum(pool.places for pool in part.service_pools) < 1.6 * mean_open
    assert part.stock is not None
    opened = int(rows["end"].isna().sum())
    assert (part.stock["state"] == "early_help").sum() == opened
    families = part.stock.loc[part.stock["state"] == "early_help", "family"].nunique()
    assert opened / families == pytest.approx(per_family, rel=0.08)
    assert list(part.stock.columns) == list(STOCK_COLUMNS)


def simulated_referrals(seed, chains=2500, again=0.25, per_year=True):
    """First referrals evenly over ten years, each followed by another with a chance, after half a year on average."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(chains * SPAN / 365.25) if per_year else chains
    child, day = np.arange(n), rng.integers(0, SPAN, n)
    parts = [pd.DataFrame({"child": child, "day": day})]
    while len(child):
        more = rng.random(len(child)) < again
        child, day = child[more], day[more] + 1 + rng.exponential(182, int(more.sum())).astype(int)
        inside = day <= SPAN
        child, day = child[inside], day[inside]
        parts.append(pd.DataFrame({"child": child, "day": day}))
    frame = pd.concat(parts, ignore_index=True)
    frame["date"] = days_after(BEGIN, frame["day"])
    frame["outcome"] = rng.choice(["closed", "early_help", "assessment"], len(frame), p=[0.3, 0.1, 0.6])
    frame["locality"] = np.where(frame["child"] % 4 == 0, "East", "West")
    born = {n: BEGIN - dt.timedelta(days=int(age)) for n, age in enumerate(rng.integers(100, 2500, n))}
    people = [{"child": n, "dob": born[n]} for n in range(n)]
    return frame.drop(columns="day"), people


@pytest.fixture(scope="module")
def referred(calibrated):
    rows, people = simulated_referrals(5)
    told = history(referrals=rows, children=people)
    return told, community.fit(told, calibrated, AS_AT)


def test_contacts_bring_about_the_referrals_that_are_seen(referred, calibrated):
    told, part = referred
    seen = 2500 / (1 - 0.25)
    now = part.record["referrals"]["children_per_year_now"]
    assert abs(math.log(now / seen)) < 3 * part.record["referrals"]["level_sd_ln"]
    assert part.record["referrals"]["steady_children_per_year"] == pytest.approx(now, rel=0.002)
    old = calibrated.parameters
    causes, names = {rate.cause for rate in part.rates}, {branch.branch for branch in part.branches}
    parameters = old.model_copy(
        update={
            "numbers": old.numbers | dict(part.numbers),
            "series": old.series | dict(part.series),
            "rates": (*(rate for rate in old.rates if rate.cause not in causes), *part.rates),
            "branches": (*(branch for branch in old.branches if branch.branch not in names), *part.branches),
        }
    )
    per_family, _ = basis.children_per_family(calibrated)
    found = flows.steady(parameters)
    assert found.per_year[fn.REFERRAL] * per_family == pytest.approx(now, rel=0.005)


def test_the_share_referred_again_is_matched(referred):
    _, part = referred
    record = part.record["referrals"]
    truth = 0.25 * (1 - math.exp(-364 / 182))
    assert record["re_referred_12m_observed"] == pytest.approx(truth, abs=0.015)
    assert record["re_referred_12m_fitted"] == pytest.approx(record["re_referred_12m_observed"], abs=0.004)


def test_outcomes_of_referrals_are_recovered(referred):
    _, part = referred
    branch = next(b for b in part.branches if b.branch == "referral")
    n = branch.pseudo_counts * cr.OVERDISPERSION
    for outcome, truth in (("closed", 0.3), ("early_help", 0.1), ("assessment", 0.6)):
        assert abs(branch.chances[outcome] - truth) < 3 * math.sqrt(truth * (1 - truth) / n) + 12 / n
        assert part.draws[f"branch.referral.5_to_9.{outcome}"].mean() == pytest.approx(
            branch.chances[outcome], abs=0.003
        )
    total = sum(part.draws[f"branch.referral.under_1.{outcome}"] for outcome in branch.chances)
    assert total == pytest.approx(np.ones(4096))


def test_every_number_has_a_source_an_interval_and_draws(referred):
    _, part = referred
    for name, number in part.numbers.items():
        assert number.how == "fitted"
        assert "referrals.csv" in number.source
        assert "n=" in number.source
        assert number.interval_80[0] <= number.value <= number.interval_80[1]
        assert part.draws[name].shape == (4096,)
    assert part.stale_draws == ()
    assert part.service_pools == ()


def test_nothing_told_is_an_empty_part_with_a_note(calibrated):
    rows = [{"child": 0, "spell": 0, "order": 0, "start": dt.date(2024, 1, 1), "placement_type": "kinship"}]
    part = community.fit(history(placements=rows), calibrated, AS_AT)
    assert not part.numbers
    assert not part.rates
    assert part.stock is None
    assert "as in the base" in part.notes[0]


def test_a_plan_that_follows_support_is_a_step_and_one_that_care_follows_is_not_an_end():
    support = [{"child": 0, "start": dt.date(2023, 1, 1), "end": dt.date(2023, 1, 31)},
               {"child": 1, "start": dt.date(2023, 3, 1), "end": dt.date(2023, 9, 1)},
               {"child": 2, "start": dt.date(2023, 4, 1), "end": dt.date(2023, 12, 1)}]  # fmt: skip
    plans = [{"child": 1, "start": dt.date(2023, 9, 10), "end": dt.date(2024, 6, 1)},
             {"child": 2, "start": dt.date(2024, 8, 1), "end": dt.date(2025, 1, 10)},
             {"child": 3, "start": dt.date(2023, 8, 1), "end": dt.date(2024, 2, 1)}]  # fmt: skip
    care = [{"child": 2, "spell": 0, "order": 0, "start": dt.date(2025, 1, 12), "placement_type": "kinship"}]
    told = history(support=support, protection=plans, placements=care)
    found = cr.support(told, AS_AT)
    assert {name: float(cells.sum()) for name, cells in found.events.items()} == {
        "support_ends": 1, "support_to_protection": 1,  # the first end of all opens the window and is not counted
    }  # fmt: skip
    ended = cr.protection(told, AS_AT)
    assert ended.events["protection_ends"].sum() == 1  # child 1; child 3's is the first end, child 2 entered care
    counts, _ = cr.after_protection_counts(told, AS_AT)
    assert set(counts) == {"support", "closed"}
    assert counts["support"] == 0


def test_the_risk_ratio_and_e_value_are_those_of_the_books():
    found = asc.risk_ratio(30, 1000, 20, 1000)
    assert found["risk_ratio"] == 1.5
    sd = math.sqrt(1 / 30 - 1 / 1000 + 1 / 20 - 1 / 1000)
    assert found["low_95"] == pytest.approx(1.5 * math.exp(-1.96 * sd), abs=0.002)
    assert found["e_value"] == pytest.approx(1.5 + math.sqrt(1.5 * 0.5), abs=0.01)
    assert found["e_value_of_interval"] == 1.0  # the interval holds 1
    assert asc.e_value(3.9) == pytest.approx(7.26, abs=0.01)  # VanderWeele and Ding 2017, breastfeeding example
    assert asc.e_value(0.5) == asc.e_value(2.0)


def test_the_association_compares_helped_with_referred_and_is_never_used(calibrated):
    day = dt.date(2022, 1, 1)
    referrals = [{"child": n, "date": day, "outcome": "closed"} for n in range(200)]
    helped = [{"child": n, "start": day + dt.timedelta(days=30), "end": day + dt.timedelta(days=90), "outcome": "needs_met"}
              for n in range(100)]  # fmt: skip
    entered = [{"child": n, "spell": 0, "order": 0, "start": day + dt.timedelta(days=200), "placement_type": "kinship"}
               for n in [*range(10), *range(100, 105), 150]]  # fmt: skip
    entered[-1]["start"] = day + dt.timedelta(days=400)  # too late to count
    told = history(referrals=referrals, early_help=helped, placements=entered)
    found = asc.association(told, AS_AT)
    assert (found["helped"], found["helped_entered"], found["not_helped"], found["not_helped_entered"]) == (
        100,
        10,
        100,
        5,
    )
    assert found["risk_ratio"] == 2.0
    assert found["used"] is False
    part = community.fit(told, calibrated, AS_AT)
    assert part.record["early_help_association"] == found
    assert not any("association" in name for name in (*part.numbers, *part.draws))


def test_those_sent_to_early_help_who_never_begin_it_count_as_closed(calibrated):
    day = dt.date(2023, 1, 1)
    rows = [{"child": n, "date": day, "outcome": "early_help"} for n in range(100)]
    helped = [{"child": n, "start": day + dt.timedelta(days=20), "end": day + dt.timedelta(days=200), "outcome": "needs_met"}
              for n in range(60)]  # fmt: skip
    told = history(referrals=rows, early_help=helped)
    assert cr.uptake(told, AS_AT) == 0.6
    counts, source = cr.referral_counts(told, AS_AT)
    assert counts["closed"] / counts["early_help"] == pytest.approx(0.4 / 0.6)
    assert "60 %" in source
    strangers = history(referrals=rows, early_help=[{**row, "child": row["child"] + 500} for row in helped])
    assert cr.uptake(strangers, AS_AT) == 1.0  # numbers that do not link say nothing


def test_early_help_that_begins_is_matched_beside_referrals(calibrated):
    rows, people = simulated_referrals(6)
    helped = simulated_help(6, per_year=500)
    helped["child"] += 10**6
    people += [{"child": int(n), "dob": dt.date(2014, 1, 1)} for n in helped["child"]]
    told = history(referrals=rows, early_help=helped, children=people)
    part = community.fit(told, calibrated, AS_AT)
    record = part.record["referrals"]
    assert record["early_help_per_year_seen"] == pytest.approx(500, abs=3 * math.sqrt(500 / 3))
    assert record["steady_children_per_year"] == pytest.approx(record["children_per_year_now"], rel=0.005)
    lowest = cs.ONWARD_FACTORS[0]
    onward = next(b for b in part.branches if b.branch == "assessment").chances["early_help"]
    usual = cr.usual_chances(calibrated, "assessment")["early_help"]
    fitted, seen = record["early_help_per_year_fitted"], record["early_help_per_year_seen"]
    assert fitted == pytest.approx(seen, rel=0.03) or onward < usual * (lowest + 0.1)


def test_young_people_who_stay_on_keep_places():
    """Twelve leavers a year at 18 from own foster care, of whom 40 % stay for two years."""
    leavers = [
        {"child": n, "spell": 0, "order": 0, "start": dt.date(2010, 1, 1), "end": AS_AT - dt.timedelta(days=30 * n + 1),
         "placement_type": "foster_own", "end_kind": "exit", "cause": "exit_other"} for n in range(36)
    ]  # fmt: skip
    people = [{"child": n, "dob": row["end"] - dt.timedelta(days=6575)} for n, row in enumerate(leavers)]
    told = history(placements=leavers, children=people)
    base = _with_uptake(0.4, 0.5)
    years = 2 * (1 - math.exp(-0.5 * YEARS_TO_LIMIT))
    assert staying.expected(told, base, AS_AT, "foster_own") == pytest.approx(12 * 0.4 * years, rel=0.02)
    assert staying.expected(told, base, AS_AT, "kinship") == 0
    rows = staying.stock(told, base, AS_AT)
    by_now = 0.4 * sum(math.exp(-0.5 * (30 * n + 1) / 365.25) for n in range(36))
    assert abs(len(rows) - by_now) <= 0.6
    assert set(rows["state"]) == {"continuing_care"}
    assert (rows["age_days"] >= 6575).all()
    assert (rows["age_days"] < 21 * 365.25).all()
    assert list(rows.columns) == list(STOCK_COLUMNS)


def _with_uptake(uptake, hazard):
    """The toy council with one chance of staying on, and one hazard of leaving for good."""
    made = toy.calibrated()
    old = made.parameters
    number = next(iter(old.numbers.values()))
    rate = next(r for r in old.rates if not r.placement_types)
    changed = rate.model_copy(update={"cause": "continuing_care_ends", "per_year": ((hazard,) * 7,) * 6})
    numbers = {name: value for name, value in old.numbers.items() if not name.startswith("continuing_care.uptake")}
    numbers["continuing_care.uptake_foster_own"] = number.model_copy(update={"value": uptake, "interval_80": None})
    rates = (*(r for r in old.rates if r.cause != "continuing_care_ends"), changed)
    return made.model_copy(update={"parameters": old.model_copy(update={"numbers": numbers, "rates": rates})})


def test_what_follows_an_assessment_is_counted_by_what_began_first_in_order_of_weight(calibrated):
    """Of 100 assessments 30 lead to support, 10 to a plan (5 of them with support too), 20 to early help, 40 nowhere."""
    day = dt.date(2023, 1, 1)
    later = day + dt.timedelta(days=40)
    rows = [{"child": n, "date": day, "outcome": "assessment"} for n in range(100)]
    early = [{"child": 900, "start": dt.date(2020, 1, 1), "end": dt.date(2020, 3, 1)}]
    told = history(
        referrals=rows, support=early + [{"child": n, "start": later} for n in range(35)],
        protection=early + [{"child": n, "start": later} for n in range(30, 40)],
        early_help=[{"child": n, "start": later} for n in range(40, 60)],
    )  # fmt: skip
    counts, _ = cr.assessment_counts(told, AS_AT)
    weight = 0.5 ** ((AS_AT - day).days / 365.25 / 3)
    assert counts == pytest.approx({"closed": 40 * weight, "early_help": 20 * weight, "support": 30 * weight,
                                    "protection": 10 * weight})  # fmt: skip
    part = community.fit(told, calibrated, AS_AT)
    branch = next(b for b in part.branches if b.branch == "assessment")
    assert branch.chances["pre_entry"] == pytest.approx(
        cr.usual_chances(calibrated, "assessment")["pre_entry"], rel=0.05
    )
    assert {rate.cause for rate in part.rates} >= {"support_ends", "support_to_protection", "protection_ends"}
    assert (part.stock["state"] == "protection").sum() == 10
    assert (part.stock["state"] == "support").sum() == 30  # those with an open plan are counted there
