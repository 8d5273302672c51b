"""DfE tables of councils of every kind: hidden cells, either layout, other boundaries, the smallest; and honest widths."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from benchmarks.dfe_councils import YEARS, Area, _totals, imaginary, write
from benchmarks.dfe_tables import Scored, last_value, lines, scored
from carecast.calibration import joint
from carecast.calibration.dfe.build import council_rows, pack_of
from carecast.calibration.dfe.door import calibrate_tables
from carecast.calibration.dfe.facts import CEASES, STARTS, STOCK, facts_of
from carecast.calibration.dfe.swing_rows import A_TOTAL, B_TOTAL, SECOND_YEAR, swing
from carecast.calibration.matching import summaries
from carecast.calibration.readers import read_history
from carecast.model.parameters import BadFile

AS_AT = dt.date(2023, 3, 31)
CODES = ("c", "z", "low", "k", "u", "x")
HIDDEN = {  # what is hidden, and the year whose count is then the stock
    "every label": (lambda cell: cell[0] != "rates" and not cell[2].startswith("Total"), 2023),
    "every group": (lambda cell: cell[0] != "rates", 2023),
    "starts and ceases": (lambda cell: cell[1] in (STARTS, CEASES) or cell[0] != "rates", 2023),
    "all but the count of the last year": (lambda cell: cell[3] < 2023, 2023),
    "the last year's count": (lambda cell: cell[3] == 2023 and (cell[1] == STOCK or cell[0] == "looked_after"), 2022),
}


@pytest.fixture(scope="module")
def areas():
    return imaginary(3, seed=5, sizes=(36.0, 430.0, 2300.0))


def rows_of(folder, name):
    history, _ = read_history(folder, "dfe", name)
    return council_rows(facts_of(history, name, AS_AT))


def hiding(area: Area, what) -> Area:
    return dataclasses.replace(area, hidden=frozenset(cell for cell in area.cells if what(cell)))


def test_imaginary_counts_agree(areas):
    for council in areas[2:]:
        for year in YEARS[1:]:
            cells = council.cells
            came, left = (cells["rates", kind, "", year] for kind in (STARTS, CEASES))
            assert council.total(year) == council.total(year - 1) + came - left
            for table, group, label, at in cells:
                if label.startswith("Total") and at == year:
                    parts = [count for cell, count in cells.items() if cell[:2] == (table, group) and cell[3] == year]
                    assert sum(parts) == 2 * cells[table, group, label, at]


def test_both_layouts_make_the_same_pack(areas, tmp_path):
    for layout in (2025, 2024):
        write(tmp_path / str(layout), areas, layout)
    for council in areas[2:]:
        new, old = (rows_of(tmp_path / str(layout), council.name) for layout in (2025, 2024))
        assert new.tables == old.tables
        assert new.lacking == old.lacking
        assert pack_of(new, "any").value("stock_total", period="2023-03-31") == council.total(2023)


@pytest.mark.parametrize("what", HIDDEN)
def test_whatever_is_hidden_by_whatever_code_there_is_a_pack_and_a_line_each(areas, tmp_path, what):
    hide, year = HIDDEN[what]
    first = list(HIDDEN).index(what)
    for at, code in enumerate((CODES * 2)[first : first + 3]):  # every code in some case
        council = hiding(areas[2 + at % 2], hide)
        folder = write(tmp_path / code, [*areas[:2], council], 2025 if at % 2 else 2024, code=code)
        rows = rows_of(folder, council.name)
        pack = pack_of(rows, "any")
        assert rows.facts.year == year
        total = council.total(year)
        settings = [pack.value(f"stock_{name}", period=f"{year}-03-31") for name in ("residential", "community")]
        assert sum(settings) == pytest.approx(total, abs=1e-3)
        assert 0 < settings[0] < 0.5 * total
        assert 0.1 * total < pack.value("starts_per_year") < total
        assert len(rows.lacking) == len(set(rows.lacking))
        assert all("\n" not in line for line in rows.lacking)
        late = [line for line in rows.lacking if line.startswith("children looked after on 31 March 2023")]
        assert len(late) == (year < 2023)


def test_no_count_at_all_is_one_line(areas, tmp_path):
    council = hiding(areas[2], lambda cell: True)
    folder = write(tmp_path, [*areas[:2], council], code="x")
    with pytest.raises(BadFile, match="no count of children looked after by 2023-03-31, or it is hidden") as error:
        rows_of(folder, council.name)
    assert len(error.value.lines) == 1


def moved(area: Area, year: int, old: str, new: str, name: str) -> list[Area]:
    """The council under another code before a year."""
    early = {cell: count for cell, count in area.cells.items() if cell[3] < year}
    late = {cell: count for cell, count in area.cells.items() if cell[3] >= year}
    return [dataclasses.replace(area, name=name, code=code, cells=cells) for code, cells in ((old, early), (new, late))]


@pytest.mark.parametrize("asked", ["North Yorkshire", "E06000065", "E10000023"])
def test_a_new_code_on_the_same_boundary_is_the_same_council(areas, tmp_path, asked):
    folder = write(tmp_path, [*areas[:2], *moved(areas[3], 2022, "E10000023", "E06000065", "North Yorkshire")])
    assert rows_of(folder, asked).facts.years() == (2019, 2020, 2021, 2022, 2023)


def test_another_boundary_is_another_council(areas, tmp_path):
    folder = write(tmp_path, [*areas[:2], *moved(areas[3], 2020, "E10000009", "E06000059", "Dorset")])
    assert rows_of(folder, "Dorset").facts.years() == (2020, 2021, 2022, 2023)
    only_now = moved(areas[3], 2021, "E10000021", "E06000061", "North Northamptonshire")[1]
    folder = write(tmp_path / "new", [*areas[:2], only_now])
    assert rows_of(folder, only_now.name).facts.years() == (2021, 2022, 2023)
    later = moved(areas[3], 2024, "E10000006", "E06000063", "Cumberland")[1]
    folder = write(tmp_path / "later", [*areas[:2], later])
    with pytest.raises(BadFile, match="Cumberland: no figure by 2023-03-31, its first is of 2024-03-31"):
        rows_of(folder, "Cumberland")


def test_the_spread_holds_what_came_and_the_councils_own_five_counts_do_not():
    rng = np.random.default_rng(11)
    sizes = np.clip(np.exp(np.log(430) + 0.62 * rng.standard_normal(1500)), 36, 2300)
    held: dict[tuple[str, int], list[bool]] = {}
    for size in sizes:
        counts = _totals(float(size), np.zeros(len(YEARS)), rng)
        then = dict(zip(YEARS[:5], counts[:5], strict=True))
        wide, changes = swing(then, counts[4], A_TOTAL, B_TOTAL)
        own = float(np.std(np.diff(np.log(counts[:5])), ddof=1))
        assert changes == 4
        for years, factor in ((1, 1.0), (2, SECOND_YEAR)):
            change = abs(np.log(counts[4 + years] / counts[4]))
            held.setdefault(("ours", years), []).append(change < 1.2816 * factor * wide)
            held.setdefault(("own", years), []).append(change < 1.2816 * np.sqrt(years) * own)
    for years in (1, 2):
        assert 0.72 < np.mean(held["ours", years]) < 0.85  # the simulation's heavier tails add a little
        assert np.mean(held["own", years]) < np.mean(held["ours", years])


def test_destinations_go_with_the_tilts_of_their_row():
    row = type("Row", (), {"moment": "move", "label": "all", "age_bands": ("5_to_9",), "pseudo_counts": 1e7,
                           "chances": {"foster_own": 0.6, "residential_external": 0.4}})  # fmt: skip
    parameters = type("Set", (), {"destinations": (row,)})
    names = ("starts", "tilt.house")
    deviations = np.stack([np.zeros(4096), np.linspace(-1, 1, 4096)], axis=1)
    tilts = joint.tilt_draws(names, deviations)
    assert set(tilts) == {"childrens_house_own", "residential_external"}
    drawn = joint._destinations(parameters, tilts)
    home, foster = (drawn[f"destination.move.all.5_to_9.{name}"] for name in ("residential_external", "foster_own"))
    assert home + foster == pytest.approx(1.0)
    odds = np.log(home / foster) - np.log(0.4 / 0.6)
    assert odds == pytest.approx(deviations[:, 1], abs=0.01)
    level = joint._destinations(parameters, {})["destination.move.all.5_to_9.residential_external"]
    assert level == pytest.approx(0.4, abs=0.01)


def test_scores_tell_a_good_forecast_from_a_bad_one():
    council = imaginary(1, seed=2, sizes=(400.0,))[2]
    came = [council.total(2024), council.total(2025), council.residential(2024), council.residential(2025)]
    near = np.array(came) * np.exp(0.02 * np.random.default_rng(1).standard_normal((300, 1)))
    good, homes = scored(council, near)
    assert all(isinstance(one, Scored) and one.held(80) for one in good)
    assert all(own < other for own, other in [one.crps() for one in good])
    told = {line.what: line for line in lines(good, homes)}
    assert told["looked after: inside 80 %, at least"].value == 1.0
    assert told["looked after: inside 80 %, at least"].bar is None  # one council tells nothing
    assert told["looked after: CRPS of last value"].value < 1
    bad, _ = scored(council, 2 * near)
    assert not any(one.held(95) for one in bad)
    steady = last_value([100.0, 110.0, 100.0], 1)
    assert np.median(steady) == pytest.approx(100.0, rel=1e-3)
    spread = np.std(np.log([1.1, 1 / 1.1]), ddof=1)
    assert np.std(np.log(steady)) == pytest.approx(spread, rel=0.01)


@pytest.mark.slow
def test_a_council_of_a_dozen_children_is_forecast(tmp_path):
    areas = imaginary(1, seed=7, sizes=(9.0,))
    council = areas[2]
    history, report = read_history(write(tmp_path, areas, 2024), "dfe", council.name)
    made = calibrate_tables(history, report, council.name, AS_AT)
    in_care = made.stock[made.stock["state"] == "in_care"].groupby("variant", observed=True).size()
    assert set(in_care) == {council.total(2023)}
    found = summaries(made, 60, seed=1)
    assert np.isfinite(found).all()
    assert 0.5 * council.total(2023) < np.median(found[:, 0]) < 1.7 * council.total(2023)
