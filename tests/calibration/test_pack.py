"""Packs are read as they stand, and mistakes come back one line each, saying where and what would be right."""

import pytest

from carecast.calibration import figures
from carecast.calibration import pack as pk
from carecast.model.parameters import BadFile

PACK = "west-dunbartonshire"
HEAD = ",".join(figures.FIGURE_COLUMNS)


def lines_of(error):
    return list(error.value.lines)


def overrides(tmp_path, *rows, head="id,value"):
    path = tmp_path / "ours.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_every_figure_says_where_it_comes_from(pack):
    assert len(pack.figures) > 250
    for figure in (*pack.figures, *pack.national):
        assert figure.source
        assert figure.how in ("published", "assumed", "fitted")
        if figure.low is not None and figure.value is not None:
            assert figure.low <= figure.value <= figure.high


def test_the_counts_are_the_published_ones(pack):
    found = [(pack.value("stock_residential", period=f"{y}-07-31"), pack.value("stock_community", period=f"{y}-07-31"))
             for y in (2014, 2017, 2019, 2020, 2021, 2022)]  # fmt: skip
    assert found == [(35, 334), (43, 386), (48, 457), (45, 453), (55, 410), (48, 414)]


def test_the_assumed_split_adds_up_to_the_published_counts(pack):
    community = ("at_home", "kinship", "foster_own", "foster_agency", "prospective_adopters", "supported_accommodation",
                 "other_community")  # fmt: skip
    assert sum(pack.value(f"stock_{name}", f"placement_type={name}") for name in community) == 414


def test_an_unknown_pack_names_those_there_are():
    with pytest.raises(BadFile) as error:
        pk.read_pack("atlantis")
    (line,) = lines_of(error)
    assert line.startswith("atlantis: no such file, folder or council pack; the packs are ")
    assert "west-dunbartonshire" in line


def test_a_missing_column_is_one_line(tmp_path):
    path = tmp_path / "figures.csv"
    path.write_text(HEAD.replace(",unit", "").replace(",source_title", "") + "\n", encoding="utf-8")
    with pytest.raises(BadFile) as error:
        figures.read_figures(path)
    assert lines_of(error) == [
        "figures.csv: row 1: column 'unit' is missing",
        "figures.csv: row 1: column 'source_title' is missing",
    ]


def test_each_bad_row_is_one_line_with_row_column_and_value(tmp_path):
    path = tmp_path / "figures.csv"
    rows = [
        "a,X,2022,total,-3,,,children,published,t,s,",
        "b,X,2022,total,many,,,children,published,t,s,",
        "c,X,2022,total,3,1,,children,assumed,t,s,",
        "d,X,2022,total,3,4,5,children,assumed,t,s,",
        "e,X,2022,total,3,1,5,children,guessed,t,s,",
        "f,X,2022,total,3,1,5,children,assumed,t,s,",
    ]
    path.write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
    with pytest.raises(BadFile) as error:
        figures.read_figures(path)
    lines = lines_of(error)
    assert len(lines) == 5
    assert lines[0] == "figures.csv: row 2, column value: -3 is below 0; a number of children is 0 or more"
    assert lines[1] == "figures.csv: row 3, column value: 'many' is not a number"
    assert "row 4" in lines[2]
    assert "not in rising order" in lines[3]
    assert "'guessed' is not published, fitted or assumed" in lines[4]


def test_an_override_replaces_the_figure_and_keeps_how_as_given(tmp_path):
    path = overrides(
        tmp_path,
        "referrals_per_year,3100,2900,3300,case records 2022-23,published",
        "stock_at_home[placement_type=at_home],101,,,our count,fitted",
        head="id,value,low,high,source,how",
    )
    pack = pk.read_pack(PACK, path)
    referrals, at_home = pack.find("referrals_per_year"), pack.find("stock_at_home", "placement_type=at_home")
    assert (referrals.value, referrals.low, referrals.high) == (3100, 2900, 3300)
    assert (referrals.how, referrals.source) == ("published", "case records 2022-23")
    assert (at_home.value, at_home.low, at_home.how) == (101, None, "fitted")
    assert len(pack.replaced) == 2


def test_an_override_of_one_of_several_rows_names_its_period(tmp_path):
    path = overrides(tmp_path, "stock_residential,50,2022-07-31", head="id,value,period")
    assert pk.read_pack(PACK, path).value("stock_residential", period="2022-07-31") == 50
    with pytest.raises(BadFile, match="add columns period and breakdown"):
        pk.read_pack(PACK, overrides(tmp_path, "stock_residential,50"))


def test_unknown_ids_and_negative_values_in_overrides_are_refused_together(tmp_path):
    path = overrides(tmp_path, "refferals_per_year,10", "starts_per_year,-4", "support_open,")
    with pytest.raises(BadFile) as error:
        pk.read_pack(PACK, path)
    assert lines_of(error) == [
        "ours.csv: row 2, column id: 'refferals_per_year' is not a figure of this pack; its files list them all",
        "ours.csv: row 3, column value: -4 is below 0; a number of children per year is 0 or more",
        "ours.csv: row 4, column value: empty; give a number",
    ]


def test_an_override_file_without_a_value_column_is_refused(tmp_path):
    with pytest.raises(BadFile) as error:
        pk.read_pack(PACK, overrides(tmp_path, "starts_per_year", head="id"))
    assert lines_of(error) == ["ours.csv: row 1: column 'value' is missing"]


def test_a_figure_that_is_not_there_is_named(pack):
    with pytest.raises(BadFile, match="no figure dragons"):
        pack.find("dragons")


def test_a_blank_figure_asks_for_a_value(pack):
    with pytest.raises(BadFile, match="has no value: give one in an override file"):
        pack.value("programme_reserves")
