"""A Scottish council from published counts: its own counts by setting, the rest scaled."""

import pytest

from carecast.calibration.dfe.door import calibrate_tables
from carecast.calibration.dfe.scotland import counts_by_setting, scaled
from carecast.calibration.pack import read_pack
from carecast.calibration.readers import read_history
from carecast.model.parameters import BadFile

COUNCIL = "Invershire"
COUNTS = {2019: (40, 300), 2020: (42, 310), 2021: (44, 296), 2022: (39, 305)}


def write_counts(folder):
    folder.mkdir(exist_ok=True)
    rows = ["indicator,geography,period,breakdown,value,unit,source"]
    for year, (inside, outside) in COUNTS.items():
        for setting, value in (("residential", inside), ("community", outside)):
            rows.append(
                f'"Children looked after at 31 July, {setting}",{COUNCIL},31 July {year},{setting},{value},children,invented'
            )
    rows.append(
        "LGBF CHN8a gross cost per looked-after child per week residential,Invershire,2021-22,all,3600,GBP,invented"
    )
    (folder / "figures.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_counts_by_setting_and_the_balance_of_care(tmp_path):
    history, _ = read_history(write_counts(tmp_path / "t"), "published", COUNCIL)
    counts = counts_by_setting(history.figures)
    assert [(day.year, both["residential"], both["community"]) for day, both in counts.items()] == [
        (year, *both) for year, both in COUNTS.items()
    ]


def test_the_pack_is_scaled_setting_by_setting(tmp_path):
    history, _ = read_history(write_counts(tmp_path / "t"), "published", COUNCIL)
    base = read_pack("west-dunbartonshire")
    pack = scaled(base, COUNCIL, counts_by_setting(history.figures), {})
    assert pack.value("stock_residential", period="2022-07-31") == 39
    kin = "placement_type=kinship"
    assert pack.value("stock_kinship", kin) == pytest.approx(base.value("stock_kinship", kin) * 305 / 414)
    homes = "placement_type=childrens_house_own"
    assert pack.value("stock_childrens_house_own", homes) == pytest.approx(
        base.value("stock_childrens_house_own", homes) * 39 / 48
    )
    assert pack.value("starts_per_year") == pytest.approx(base.value("starts_per_year") * 344 / 462)
    assert pack.value("re_referral_within_12_months") == base.value("re_referral_within_12_months")
    assert pack.value("kinship_order_weekly_allowance") == base.value("kinship_order_weekly_allowance")
    assert pack.about.council == COUNCIL


def test_a_council_that_is_not_there_or_has_no_counts(tmp_path):
    history, report = read_history(write_counts(tmp_path / "t"), "published")
    with pytest.raises(BadFile, match="closest in the tables are Invershire"):
        calibrate_tables(history, report, "Inversher")
