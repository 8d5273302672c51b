"""A toy back-test end to end: what is scored, that nothing leaks from after an origin, and what fails alone."""

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest

from carecast.calibration.backtest import past, rolling, scores, tables
from carecast.calibration.backtest.constant_rates import CONSTANT_RATES
from carecast.calibration.backtest.references import ARIMA, DRIFT, ETS, LAST_VALUE
from carecast.model.parameters import BadFile
from tests.calibration.backtest import worlds


def test_every_forecaster_is_scored_at_every_origin_and_horizon(tested, settings, known):
    total = tested.rows[(tested.rows["measure"] == "looked_after") & (tested.rows["breakdown"] == "total")]
    assert set(total["model"]) == {rolling.MODEL, LAST_VALUE, DRIFT, ETS, ARIMA, CONSTANT_RATES}
    assert (total.groupby("model").size() == 4).all()
    own = total[total["model"] == rolling.MODEL].set_index(["origin", "horizon_months"])
    for (origin, months), row in own.iterrows():
        date = past.add_months(dt.date.fromisoformat(origin), months)
        assert row["observed"] == known.values[past.TOTAL][known.dates.index(date)]
        assert row["p025"] <= row["p10"] <= row["p50"] <= row["p90"] <= row["p975"]
        assert row["absolute_error"] == pytest.approx(abs(row["mean"] - row["observed"]))
        assert row["inside_80"] == int(row["p10"] <= row["observed"] <= row["p90"])
        assert 0 < row["pit"] < 1


def test_measures_and_breakdowns(tested):
    cells = set(zip(tested.rows["measure"], tested.rows["breakdown"], strict=True))
    assert {past.TOTAL, past.AWAY, past.ENTRIES, past.EXITS, past.SPEND, past.of_type("kinship")} <= cells
    assert {past.of_group(name) for name in past.GROUPS} <= cells
    spend = tested.rows[tested.rows["measure"] == "placement_cost_gbp"]
    assert set(spend["date"].str[5:]) == {"03-31"}
    assert (spend["horizon_months"] >= 12).all()


def test_constant_rates_have_no_interval(tested):
    plain = tested.rows[tested.rows["model"] == CONSTANT_RATES]
    assert plain[["p10", "p90", "pit", "inside_80"]].isna().all().all()
    assert np.allclose(plain["crps"], plain["absolute_error"])


def test_made_twice_it_says_the_same(tested, history, known, settings):
    again = rolling.backtest(history, known, worlds.refit, dataclasses.replace(settings, workers=2))
    pd.testing.assert_frame_equal(again.rows, tested.rows)


def test_nothing_after_an_origin_reaches_its_forecast(history, known, settings, tested):
    """Change the future of the first origin: its forecasts stay, to the last digit; only what is observed moves."""
    origin = settings.origins[0]
    placed = history.placements.copy()
    later = placed["start"] > pd.Timestamp(origin)
    placed.loc[placed["end"] > pd.Timestamp(origin), "end"] += pd.Timedelta(days=200)
    placed.loc[later, "placement_type"] = "secure"
    other = dataclasses.replace(history, tables=history.tables | {"placements": placed})
    one = dataclasses.replace(settings, origins=(origin,))
    moved = rolling.backtest(other, past.read_past(other), worlds.refit, one).rows
    key = ["measure", "breakdown", "horizon_months", "model"]
    first = tested.rows[tested.rows["origin"] == origin.isoformat()]
    both = first.merge(moved, on=key, suffixes=("", "_moved"))
    assert len(both) > 60
    assert np.array_equal(both["mean"], both["mean_moved"])
    assert not np.array_equal(both["observed"], both["observed_moved"])


def test_an_origin_that_cannot_be_calibrated_is_left_out_and_said(history, known, settings):
    def refit(cut, origin):
        if origin == settings.origins[0]:
            raise BadFile("too few children")
        return worlds.refit(cut, origin)

    found = rolling.backtest(history, known, refit, settings)
    assert found.failed == {settings.origins[0].isoformat(): "too few children"}
    assert set(found.rows["origin"]) == {settings.origins[1].isoformat()}


def test_when_none_can_be_calibrated_each_has_its_line(history, known, settings):
    def refit(cut, origin):
        raise BadFile("nothing")

    with pytest.raises(BadFile) as error:
        rolling.backtest(history, known, refit, settings)
    assert error.value.lines == tuple(f"origin {origin}: nothing" for origin in settings.origins)


def test_progress_goes_from_none_to_all(history, known, settings):
    seen = []
    one = dataclasses.replace(settings, origins=settings.origins[:1], horizons=(3,), replications=20)
    rolling.backtest(history, known, worlds.refit, one, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 1), (1, 1)]


# --- scores and words -----------------------------------------------------------------------------
def made_rows(origins, misses, crps, base):
    """Rows of two forecasters of the total, a year ahead."""
    rows = []
    for origin, miss, own, other in zip(origins, misses, crps, base, strict=True):
        head = {"origin": origin, "date": origin, "horizon_months": 12, "measure": "looked_after", "breakdown": "total",
                "observed": 100.0, "scaled_error": abs(miss) / 10, "absolute_error": abs(miss), "p10": 95.0 + miss,
                "p90": 105.0 + miss, "pit": 0.5}  # fmt: skip
        held = {f"inside_{level}": int(abs(miss) <= level / 20) for level in scores.LEVELS}
        rows.append(head | held | {"model": rolling.MODEL, "mean": 100.0 + miss, "crps": own})
        rows.append(head | held | {"model": LAST_VALUE, "mean": 100.0, "crps": other})
    return pd.DataFrame(rows, columns=list(rolling.COLUMNS))


ORIGINS = [dt.date(2018, 3, 31), dt.date(2018, 9, 30), dt.date(2019, 3, 31), dt.date(2019, 9, 30), dt.date(2020, 3, 31)]


def test_scores_are_means_and_counts():
    rows = made_rows([day.isoformat() for day in ORIGINS], [1, 2, 3, 4, 10], [1, 1, 1, 1, 6], [2, 2, 2, 2, 2])
    own = tables.score_table(rows).set_index("model").loc[rolling.MODEL]
    assert (own["origins"], own["nearer_than_last_value"]) == (5, 4)
    assert (own["inside_50"], own["inside_80"], own["inside_95"]) == (2, 4, 4)
    assert own["mae"] == pytest.approx(4.0)
    assert own["crps_of_last_value"] == pytest.approx(1.0)
    assert own["bias_percent"] == pytest.approx(4.0)
    assert own["mean_width_80"] == pytest.approx(10.0)
    assert own["mase"] == pytest.approx(0.4)


def test_the_verdict_counts_and_says_what_they_are_worth():
    rows = made_rows([day.isoformat() for day in ORIGINS], [1, 2, 3, 4, 10], [1, 1, 1, 1, 1], [2, 2, 2, 2, 2])
    said = tables.verdict(tables.score_table(rows), rows, ORIGINS)
    assert "from 5 origins between 2018-03-31 and 2020-03-31" in said
    assert "worth about 3 separate years" in said
    assert "80 % interval held the count 4 of 5 times" in said
    assert "nearer than 'no change' 5 of 5 times; on average 4 too high" in said
    assert "clearly better than 'no change'" in said


@pytest.mark.parametrize(("miss", "said"), [(50, "too narrow"), (0, "about as often as they say")])
def test_the_verdict_on_intervals(miss, said):
    rows = made_rows([day.isoformat() for day in ORIGINS], [miss, 3, miss, 3, miss], [1] * 5, [1] * 5)
    assert said in tables.verdict(tables.score_table(rows), rows, ORIGINS)


def test_a_single_origin_is_one_story():
    rows = made_rows([ORIGINS[0].isoformat()], [1], [1], [2])
    said = tables.verdict(tables.score_table(rows), rows, ORIGINS[:1])
    assert "One origin is one story" in said
    assert "Too few origins" in said
