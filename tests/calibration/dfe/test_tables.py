"""From DfE tables to a pack: what is published is kept, what is hidden is shared out and said, later years are not used."""

import datetime as dt

import pytest

from carecast.calibration.dfe.build import council_rows, pack_of
from carecast.calibration.dfe.door import calibrate_tables
from carecast.calibration.dfe.facts import facts_of
from carecast.calibration.dfe.flow_rows import averaged
from carecast.calibration.dfe.stock_rows import PLACEMENTS
from carecast.calibration.dfe.swing_rows import swing
from carecast.calibration.readers import read_history
from carecast.model.parameters import BadFile
from tests.calibration.dfe import tables

NORTH = "Northshire"


def facts(folder, council=NORTH, as_at=None):
    return facts_of(read_history(folder, "dfe", council)[0], council, as_at)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tables.write(tmp_path_factory.mktemp("dfe"))


def test_counts_by_placement_are_the_published_ones_and_sum_to_the_total(folder):
    rows = council_rows(facts(folder))
    pack = pack_of(rows, "northshire")
    total = tables.size(NORTH, 2025)
    groups = {f.breakdown.removeprefix("placement="): f for f in pack.all_of("stock_by_placement")}
    assert sum(f.value for f in groups.values()) == pytest.approx(total, abs=1e-3)
    assert groups["Secure homes and children's homes"].value == round(0.1 * total)
    assert groups["Secure homes and children's homes"].how == "published"
    types = [f for f in pack.figures if f.id.startswith("stock_") and f.breakdown.startswith("placement_type=")]
    assert sum(f.value for f in types if f.id != "stock_foster") == pytest.approx(total, abs=1e-2)
    assert {f.how for f in types} == {"assumed"}


def test_a_hidden_cell_gets_its_share_of_what_the_others_leave(folder):
    found = facts(folder)
    total = float(tables.size(NORTH, 2025))
    mix = found.mix("looked_after", "Placement", tuple(PLACEMENTS), 2025, total)
    hidden = [label for label, fact in mix.items() if fact.how != "published"]
    assert hidden == ["Other placements", "Residential schools", "Other residential settings"]
    seen = sum(fact.value for label, fact in mix.items() if label not in hidden)
    assert sum(mix[label].value for label in hidden) == pytest.approx(total - seen)
    assert mix["Other residential settings"].value == pytest.approx(
        4 * mix["Residential schools"].value
    )  # 0.016 / 0.004
    rows = council_rows(found)
    assert any("Residential schools" in line and "hidden" in line for line in rows.lacking)


def test_later_figures_do_not_leak(folder, tmp_path):
    full = council_rows(facts(folder, as_at=dt.date(2023, 3, 31)))
    cut = council_rows(facts(tables.write(tmp_path / "cut", until=2023)))
    assert full.tables == cut.tables
    assert full.facts.year == 2023
    whole = council_rows(facts(folder))
    assert whole.tables != cut.tables


def test_both_layouts_say_the_same(folder, tmp_path):
    old = council_rows(facts(tables.write(tmp_path / "old", layout=2024)))
    assert old.tables == council_rows(facts(folder)).tables


def test_a_table_that_is_missing_falls_back_and_says_so(tmp_path):
    lean = tables.write(
        tmp_path / "lean", without=("b1_children_in_need_2013_to_2025", "la_children_who_ceased_during_the_year")
    )
    rows = council_rows(facts(lean))
    assert any(line.startswith("children in need") and "England's rate" in line for line in rows.lacking)
    pack = pack_of(rows, "northshire")
    starts = pack.value("starts_per_year")
    assert 0.05 * starts < pack.value("adoptions_per_year") < 0.15 * starts  # England's share of leavers


def test_an_unknown_council_is_one_line_with_the_closest_name(folder):
    with pytest.raises(BadFile) as error:
        facts(folder, "Norfshire")
    (line,) = error.value.lines
    assert "'Norfshire'" in line
    assert "Northshire" in line


def test_no_count_by_the_date_is_one_line(folder):
    history, report = read_history(folder, "dfe", NORTH)
    with pytest.raises(BadFile) as error:
        calibrate_tables(history, report, NORTH, dt.date(2001, 3, 31))
    assert len(error.value.lines) == 1
    with pytest.raises(BadFile, match="--council: missing"):
        calibrate_tables(history, report, None)


def test_flows_are_averaged_with_the_newest_weighing_most():
    assert averaged({2025: 100.0, 2024: 200.0}, 2025, 0.5) == pytest.approx((100 + 0.5 * 200) / 1.5)
    assert averaged({2015: 900.0, 2025: 100.0}, 2025) == 100.0  # more than five years ago
    assert averaged({}, 2025) is None


def test_swing_is_wider_for_small_councils_and_for_those_that_swung():
    calm = {year: 400.0 for year in range(2019, 2026)}
    wild = {2019 + n: 400.0 * (1.25 if n % 2 else 1.0) for n in range(7)}
    quiet, count = swing(calm, 400.0, 0.0022, 1.2)
    loud, _ = swing(wild, 400.0, 0.0022, 1.2)
    assert count == 6
    usual = (0.0022 + 1.2 / 400) ** 0.5
    assert quiet == pytest.approx(max(usual * (8 / 14) ** 0.5, 0.7 * usual))
    assert usual < loud <= 1.6 * usual
    assert swing({}, 100.0, 0.0022, 1.2)[0] > swing({}, 1000.0, 0.0022, 1.2)[0]


@pytest.mark.slow
def test_a_council_is_calibrated_from_tables_alone(folder):
    history, report = read_history(folder, "dfe", "South Borough")
    made = calibrate_tables(history, report, "South Borough", dt.date(2023, 3, 31))
    assert made.parameters.as_at == dt.date(2023, 3, 31)
    assert made.parameters.nation == "england"
    assert made.parameters.indicative
    assert "indicative" in made.parameters.stamp
    kinds = made.stock[made.stock["state"] == "in_care"].groupby("variant").size()
    assert set(kinds) == {tables.size("South Borough", 2023)}
    matching = made.record["matching"]
    assert abs(matching["expected"]["total_2"] / matching["wanted"]["total_2"] - 1) < 0.03
    assert len(made.draws) == 4096
