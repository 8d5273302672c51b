import datetime as dt

import numpy as np
import pytest

from carecast.calibration.readers import read_history
from carecast.calibration.returns import community, distances, localities, places, prices
from tests.calibration.readers import returns as made
from tests.calibration.returns.own_history import AS_AT, history


def referrals(names, each=40):
    return [{"child": at * each + n, "date": dt.date(2023, 1, 1) + dt.timedelta(days=n), "locality": name}
            for at, name in enumerate(names) for n in range(each)]  # fmt: skip


def test_localities_of_the_files_share_the_base_by_families(calibrated):
    told = history(council="Elsewhere", referrals=referrals(["North", "North", "North", "South"]))
    part = localities.fit(told, calibrated, AS_AT)
    assert [place.name for place in part.localities] == ["North", "South"]
    north, south = (sum(map(sum, place.population.by_band())) for place in part.localities)
    assert north / south == pytest.approx(3, rel=0.01)
    base = sum(sum(map(sum, place.population.by_band())) for place in calibrated.parameters.localities)
    assert north + south == pytest.approx(base, rel=0.01)
    assert not localities.positions_known(told, calibrated)
    assert all(zone.name.endswith(localities.NO_POSITION) for place in part.localities for zone in place.zones)
    assert any("position not known" in note for note in part.notes)


def test_names_of_the_base_are_known_however_they_are_written(calibrated):
    told = history(council="West Dunbartonshire Council", referrals=referrals(["CLYDEBANK", "dumbarton / alexandria"]))
    part = localities.fit(told, calibrated, AS_AT)
    assert localities.names(told, calibrated) == ("Clydebank", "Dumbarton/Alexandria")
    assert part.localities == ()  # the base's own stand
    assert localities.positions_known(told, calibrated)


def test_without_any_locality_the_council_is_one_unless_the_base_is_its_own(calibrated):
    rows = referrals([""])
    other = localities.fit(history(council="Elsewhere", referrals=rows), calibrated, AS_AT)
    assert [place.name for place in other.localities] == [localities.WHOLE]
    assert any("name none" in note for note in other.notes)
    own = localities.fit(history(council="West Dunbartonshire", referrals=rows), calibrated, AS_AT)
    assert own.localities == ()
    assert "the files name none" in own.notes[0]


def test_every_child_has_a_locality_and_the_last_told_counts(calibrated):
    rows = [*referrals(["North", "South"]), {"child": 3, "date": dt.date(2024, 6, 1), "locality": "South"},
            *({"child": 500 + n, "date": dt.date(2023, 1, 1), "locality": ""} for n in range(100))]  # fmt: skip
    found = localities.of_children(history(council="Elsewhere", referrals=rows), calibrated)
    assert found.loc[0] == "North"
    assert found.loc[3] == "South"
    spread = found.loc[500:599].value_counts()
    assert spread["North"] + spread["South"] == 100
    assert 35 <= spread["North"] <= 65


@pytest.mark.slow
def test_truncated_files_and_whole_files_as_at_give_the_same_parts(tmp_path, calibrated):
    world = made.make_world(seed=3, children=260, first_year=2019, last_year=2024, referrals=900)
    day = dt.date(2022, 3, 31)
    whole, short = tmp_path / "whole", tmp_path / "short"
    made.write_returns(whole, made.yearly(world), world)
    early = made.World(dict(world.children), _cut(world.episodes, day), [r for r in world.referrals if r["REF_DATE"] <= day],
                       _cut_help(world.early_help, day), world.first_year, 2022)  # fmt: skip
    made.write_returns(short, {y: t for y, t in made.yearly(world).items() if y <= 2022}, early)
    full, _ = read_history(whole)
    cut, _ = read_history(short)
    for module in (localities, community, places, prices, distances):
        one, two = module.fit(full, calibrated, day), module.fit(cut, calibrated, day)
        assert one.numbers == two.numbers, module.__name__
        assert (one.rates, one.branches, one.providers) == (two.rates, two.branches, two.providers)
        assert (one.service_pools, one.localities, one.series) == (two.service_pools, two.localities, two.series)
        assert (one.record, one.notes) == (two.record, two.notes)
        assert set(one.draws) == set(two.draws)
        assert all(np.array_equal(one.draws[name], two.draws[name]) for name in one.draws)
        if one.stock is not None:
            names = [n for n in one.stock.columns if n not in ("child", "family")]
            assert one.stock[names].equals(two.stock[names])


def _cut(rows, day):
    return [
        {**row, "DEC": row["DEC"] if row["DEC"] and row["DEC"] <= day else None} for row in rows if row["DECOM"] <= day
    ]


def _cut_help(rows, day):
    kept = [row for row in rows if row["START_DATE"] <= day]
    return [
        row if row["END_DATE"] and row["END_DATE"] <= day else {**row, "END_DATE": None, "OUTCOME": ""} for row in kept
    ]
