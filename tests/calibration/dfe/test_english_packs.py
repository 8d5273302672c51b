"""The shipped English packs: counts as published, a source beside each figure, any scheme of localities."""

import csv
import datetime as dt

import numpy as np
import pytest

from carecast.calibration.dfe.earlier import as_of
from carecast.calibration.dfe.places import read_places
from carecast.calibration.dfe.relocate import relocated, with_localities
from carecast.calibration.english_care import counted, net_level_draws, with_transfers
from carecast.calibration.pack import PUBLISHED, pack_names, read_pack
from carecast.calibration.shapes import destination_shapes, rate_shapes
from carecast.model import words as w
from carecast.model.parameters import BadFile

PACKS = ("kent", "cheshire-east", "wiltshire", "england")
PUBLISHED_COUNTS = {  # DfE, 31 March 2025: looked after, foster, secure and children's homes, starts, ceases
    "kent": (1896, 1120, 177, 3226, 3311),
    "cheshire-east": (550, 359, 49, 222, 215),
    "wiltshire": (478, 355, 39, 145, 143),
}


@pytest.mark.parametrize("name", PACKS)
def test_every_figure_has_a_source_and_published_is_kept_apart_from_assumed(name):
    assert name in pack_names()
    folder = PUBLISHED / name.replace("-", "_")
    for file, hows in (("figures.csv", {"published"}), ("assumptions.csv", {"assumed", "fitted"})):
        with (folder / file).open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                assert row["how"] in hows
                assert len(row["source"]) > 5
                if row["how"] == "published":
                    assert row["source_title"]


@pytest.mark.parametrize(("name", "counts"), PUBLISHED_COUNTS.items())
def test_counts_are_the_published_ones_and_the_stock_holds_them(name, counts):
    pack = read_pack(name)
    total, foster, homes, starts, ceases = counts
    assert pack.value("stock_total", period="2025-03-31") == total
    assert pack.value("starts", period="2024-25") == starts
    assert pack.value("ceases", period="2024-25") == ceases
    groups = dict(counted(pack)["groups"])
    assert sum(groups.values()) == total
    assert groups[(w.KINSHIP, w.FOSTER_OWN, w.FOSTER_AGENCY)] == foster
    assert groups[(w.CHILDRENS_HOUSE_OWN, w.RESIDENTIAL_EXTERNAL, w.SECURE)] == homes
    assert abs(np.log(pack.value("starts_per_year") / starts)) < 3 * 1.3 / np.sqrt(starts)  # chance, families included


def test_unaccompanied_children_of_kent_mostly_pass_through_reception():
    pack = read_pack("kent")
    assert pack.value("unaccompanied_transferred_share") == pytest.approx(0.87, abs=0.01)
    rates, rows = with_transfers(pack, rate_shapes(pack), destination_shapes(pack))
    reception = next(shape for shape in rates if shape.label == "reception")
    assert reception.placement_types == ("other_community",)
    assert reception.per_year[w.AGE_BANDS.index("16_to_17")].min() == pytest.approx(36.5, abs=0.1)
    for row in rows:
        assert sum(row.chances.values()) == pytest.approx(1.0)
        share = row.chances.get("other_community", 0.0)
        assert share == pytest.approx(
            pack.value("unaccompanied_transferred_share") if row.moment == "unaccompanied" else 0.0
        )
    for cause in w.CAUSES:
        kinds = [kind for shape in rates if shape.cause == cause for kind in shape.placement_types]
        assert len(kinds) == len(set(kinds)), cause


def test_elsewhere_there_is_no_reception():
    pack = read_pack("wiltshire")
    rates, _ = with_transfers(pack, rate_shapes(pack), destination_shapes(pack))
    assert all(shape.label != "reception" for shape in rates)


def test_kent_has_its_twelve_districts():
    names = {row.text("locality") for row in read_pack("kent").tables["localities.csv"]}
    assert len(names) == 12
    assert {"Thanet", "Folkestone and Hythe", "Tonbridge and Malling"} < names


def test_a_pack_is_taken_back_to_an_earlier_count():
    pack = read_pack("cheshire-east")
    then = as_of(pack, dt.date(2023, 3, 31))
    assert max(figure.period for figure in then.all_of("stock_total")) == "2023-03-31"
    assert then.value("expected_residential") + then.value("expected_community") == 580
    kinds = [then.value(f"stock_{name}", f"placement_type={name}") for name in w.PLACEMENT_TYPES]
    assert sum(kinds) == pytest.approx(580, abs=0.5)
    assert then.value("starts_per_year") < pack.value("starts_per_year")  # starts were fewer up to 2023
    assert not then.all_of("matched_shift")
    assert as_of(pack, dt.date(2025, 3, 31)) is pack


def test_kents_children_who_stay_are_held_when_it_is_taken_back():
    pack = read_pack("kent")
    then = as_of(pack, dt.date(2022, 3, 31))

    def staying(which):
        return which.value("unaccompanied_starts_per_year") * (1 - which.value("unaccompanied_transferred_share"))

    assert staying(then) == pytest.approx(staying(pack), rel=0.01)
    assert then.value("unaccompanied_starts_per_year") < 0.5 * pack.value("unaccompanied_starts_per_year")


def partnerships(file, rows=23):
    lines = [f"Partnership {n + 1},centre,{560000 + 3000 * n},{140000 + 500 * n},{1000 + 100 * n}" for n in range(rows)]
    file.write_text("\n".join(["name,zone,easting,northing,children", *lines]) + "\n", encoding="utf-8")
    return file


def test_any_scheme_of_localities_keeps_the_councils_totals(tmp_path):
    pack = read_pack("kent")
    cut = with_localities(pack, partnerships(tmp_path / "localities.csv"))
    names = [row.text("locality") for row in cut.tables["localities.csv"]]
    assert len(set(names)) == 23

    def total(which, file, column):
        return sum(row.number(column) for row in which.tables[file])

    assert total(cut, "localities.csv", "children_0_17") == pytest.approx(
        total(pack, "localities.csv", "children_0_17"), rel=1e-3
    )
    own = [sum(r.number("places") for r in p.tables["providers.csv"] if r.text("placement_type") == "foster_own")
           for p in (pack, cut)]  # fmt: skip
    assert own[0] == own[1]
    help_ = [sum(f.value for f in p.all_of("early_help_places")) for p in (pack, cut)]
    assert help_[1] == pytest.approx(help_[0])
    assert len(cut.all_of("early_help_places")) == 23
    again = relocated(cut, read_places(tmp_path / "localities.csv"))
    children = [sum(r.number("persons") for r in p.tables["population.csv"]) for p in (cut, again)]
    assert children[1] == pytest.approx(children[0], rel=1e-4)  # cut the same way twice: nobody is lost
    assert len(again.tables["providers.csv"]) == len(cut.tables["providers.csv"])


def test_a_bad_scheme_is_one_line_a_mistake(tmp_path):
    file = tmp_path / "localities.csv"
    file.write_text(
        "name,zone,easting,northing,children\n,a,560000,140000,10\nB,b,east,140000,10\nC,c,560000,-5,10\n", "utf-8"
    )
    with pytest.raises(BadFile) as error:
        read_places(file)
    assert error.value.lines == (
        "localities.csv: row 2, column name: empty; every zone belongs to a locality",
        "localities.csv: row 3, column easting: 'east' is not a number",
        "localities.csv: row 4, column northing: '-5' is not from 0 to 1.3e+06",
    )
    file.write_text("name,zone,east\nA,a,1\n", encoding="utf-8")
    with pytest.raises(BadFile, match="column 'easting' is missing"):
        read_places(file)


def test_the_net_level_has_the_normals_quartiles_and_heavier_tails():
    drawn = net_level_draws()
    assert np.quantile(drawn, 0.75) == pytest.approx(0.6745, abs=0.01)
    assert np.quantile(drawn, 0.975) > 2.3
    assert abs(drawn.mean()) < 0.02
