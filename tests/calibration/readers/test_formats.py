"""The other formats: each made small by code, read back, its rows adding up and its defects found."""

import datetime as dt

import openpyxl
import pandas as pd
import pytest

from carecast.calibration.readers import read_history
from carecast.calibration.readers.figures import period_end
from carecast.model import words as w
from carecast.model.parameters import BadFile
from tests.calibration.readers import returns as made


def read(path, form=None, council="", told=None):
    history, report = read_history(path, form, council)
    assert history.format == (told or form)
    for item in (*report.files, {"rows": report.rows}):
        rows = item["rows"]
        assert rows["used"] + rows["excluded"] + rows["repaired"] + rows["refused"] == rows["read"]
    return history, report


def rules(report):
    return {(p["file"].rsplit("/", 1)[-1], p["line"], p["rule"]) for p in report.problems()}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


# --- tidy -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def tidy_folder(tmp_path):
    write(
        tmp_path / "children.csv",
        "child,dob,sex,unaccompanied,locality,family\nA,2010-06-05,M,0,East,f1\nB,2015-01-01,F,0,West,f1\n",
    )
    write(tmp_path / "placements.csv", (
        "child,start,end,placement_type,end_reason,need,distance_miles,weekly_cost_gbp\n"
        "A,2020-01-01,2020-06-01,foster_own,move,N1,4.5,450\n"
        "A,2020-06-01,2021-02-01,residential_external,exit_home,N1,31,5200\n"
        "B,2021-03-01,,kinship,,N1,,\n"
    ))  # fmt: skip
    write(
        tmp_path / "referrals.csv",
        "child,date,source,locality,need,outcome,re_referral\nA,2019-11-01,Police,East,N1,Assessment,0\n",
    )
    write(
        tmp_path / "early_help.csv",
        "child,start,end,locality,route,outcome\nC,2019-01-01,2019-05-01,East,Community,Needs met\n",
    )
    write(tmp_path / "support.csv", "child,start,end,need,end_reason\nC,2019-06-01,,N5,\n")
    write(tmp_path / "protection.csv", "child,start,end,category,previous_plans\nC,2019-08-01,2020-01-01,NEG,0\n")
    write(tmp_path / "capacity.csv", "date,placement_type,locality,places\n2021-03-31,foster_own,East,40\n")
    write(
        tmp_path / "providers.csv",
        "provider,placement_type,locality,easting_m,northing_m,places,weekly_cost_gbp\nh1,childrens_house_own,East,1,2,5,\n",
    )
    return tmp_path


def test_tidy_tables(tidy_folder):
    history, report = read(tidy_folder, told="tidy")
    assert report.rows["used"] == report.rows["read"] == 11
    assert list(history.placements["placement_type"]) == ["foster_own", "residential_external", "kinship"]
    assert list(history.placements["cause"]) == ["", "exit_home", ""]
    for name in ("referrals", "early_help", "support", "protection", "capacity", "providers"):
        assert len(getattr(history, name)) == 1
    assert history.costs["weekly_cost_gbp"].tolist() == [450, 5200]
    assert history.children["family"].dropna().nunique() == 1
    assert set(history.children["locality"]) >= {"East", "West"}


def test_defects_of_tidy_tables(tidy_folder):
    with (tidy_folder / "placements.csv").open("a") as file:
        file.write(
            "B,31/02/2021,,kinship,,N1,,\nC,2020-01-01,,castle,,N1,,\nB,2020-01-01,2019-01-01,kinship,exit_home,N1,,\n"
        )
    found = rules(read(tidy_folder, told="tidy")[1])
    wanted = {(5, "impossible_date"), (6, "unknown_code"), (6, "child_not_in_header"), (7, "end_before_start")}
    assert {("placements.csv", *one) for one in wanted} <= found


# --- clas -----------------------------------------------------------------------------------------------------------
def test_clas_by_label(tmp_path):
    write(tmp_path / "clas 2021-22.csv", (
        "Child ID,Date of Birth,Gender,Placement Type,Placement Start Date,Placement End Date,Legal Reason,Destination\n"
        "1,05/06/2010,M,At home with parent(s),01/09/2021,01/12/2021,Compulsory Supervision Order - looked after at home,\n"
        "1,05/06/2010,M,With foster carers purchased by LA,01/12/2021,01/03/2022,CSO,Home with biological parents\n"
        "2,05/06/2012,F,With friends/relatives (kinship care),01/01/2022,,S25,\n"
        "3,05/06/2009,F,Local authority home,01/01/2022,,S25,\n"
        "4,05/06/2009,F,Secure accommodation,31/04/2022,,S25,\n"
        "5,05/06/2009,F,On the moon,01/05/2022,,S25,\n"
    ))  # fmt: skip
    history, report = read(tmp_path, told="clas")
    types = ["at_home", "foster_agency", "childrens_house_own", "kinship", "other_community"]
    assert sorted(history.placements["placement_type"]) == sorted(types)
    assert history.nation == "scotland"
    assert set(history.placements["cause"]) == {"", "exit_home"}
    name = "clas 2021-22.csv"
    assert {(name, 6, "impossible_date"), (name, 7, "unknown_label")} <= rules(report)
    assert set(types) <= set(w.PLACEMENT_TYPES)


# --- annex a --------------------------------------------------------------------------------------------------------
def test_annex_a_workbook(tmp_path):
    book = openpyxl.Workbook()
    book.remove(book.active)
    care = book.create_sheet("List 8")
    care.append(["Annex A list 8"])
    care.append(["Child Unique ID", "Gender", "Date of Birth",
                 "Unaccompanied Asylum Seeking Child (UASC) within the Last 12 Months (Y/N)",
                 "Date Started to be Looked After", "Child's Category of Need", "Child's Legal Status",
                 "Date Ceased to be Looked After", "Reason Ceased to be Looked After", "Start Date of Most Recent Placement",
                 "Placement Type", "Placement Provider", "Placement Location"])  # fmt: skip
    care.append(["1", "a) Male", dt.datetime(2010, 6, 5), "b) No", dt.datetime(2019, 1, 1), "N1 - Abuse or neglect",
                 "C2: FCO", None, None, dt.datetime(2021, 1, 1), "f) U6: Foster placement - not FFA",
                 "e) PR4: Private provision", "b) Out"])  # fmt: skip
    care.append(["2", "b) Female", dt.datetime(2012, 6, 5), "a) Yes", dt.datetime(2021, 2, 1), "N8", "V2",
                 dt.datetime(2021, 9, 1),
                 "e) E4A: Returned home", dt.datetime(2021, 2, 1), "K2", "PR1", "a) In"])  # fmt: skip
    referrals = book.create_sheet("List 3")
    referrals.append(["Child Unique ID", "Gender", "Date of Birth", "Date of referral", "Referral Source", "Referral NFA?",
                      "Number of Referrals in Last 12 Months"])  # fmt: skip
    referrals.append(["1", "a) Male", dt.datetime(2010, 6, 5), dt.datetime(2018, 12, 1), "Police", "b) No", 1])
    referrals.append(["9", "a) Male", dt.datetime(2010, 6, 5), "31/02/2021", "Police", "a) Yes", 0])
    plans = book.create_sheet("List 7")
    plans.append(["Child Unique ID", "Date of Birth", "Child Protection Plan Start Date", "Latest Category of Abuse",
                  "Child Protection Plan End Date", "Number of Previous Child Protection Plans"])  # fmt: skip
    plans.append(["1", dt.datetime(2010, 6, 5), dt.datetime(2018, 12, 20), "a) Neglect", None, 0])
    book.save(tmp_path / "annex a.xlsx")
    history, report = read(tmp_path / "annex a.xlsx", told="annex_a")
    assert sorted(history.placements["placement_type"]) == ["childrens_house_own", "foster_agency"]
    assert pd.Timestamp("2019-01-01") in set(history.placements["care_started"])
    assert (len(history.referrals), len(history.protection)) == (1, 1)
    assert int(history.children["unaccompanied"].sum()) == 1
    assert ("annex a.xlsx [List 3]", 3, "impossible_date") in rules(report)


# --- cin ------------------------------------------------------------------------------------------------------------
CENSUS = """<?xml version="1.0"?>
<Message><Children>
<Child>
<ChildIdentifiers><LAchildID>77</LAchildID><PersonBirthDate>2010-06-05</PersonBirthDate></ChildIdentifiers>
<CINdetails>
<CINreferralDate>2020-04-05</CINreferralDate><PrimaryNeedCode>N1</PrimaryNeedCode><ReferralNFA>0</ReferralNFA>
<CINPlanDates><CINPlanStartDate>2020-05-01</CINPlanStartDate><CINPlanEndDate>2020-09-01</CINPlanEndDate></CINPlanDates>
<ChildProtectionPlans><CPPstartDate>2020-09-01</CPPstartDate><LatestCategoryOfAbuse>NEG</LatestCategoryOfAbuse></ChildProtectionPlans>
</CINdetails>
<CINdetails><CINreferralDate>2020-02-30</CINreferralDate><PrimaryNeedCode>N99</PrimaryNeedCode></CINdetails>
</Child>
</Children></Message>
"""


def test_cin_census_xml(tmp_path):
    write(tmp_path / "cin.xml", CENSUS)
    history, report = read(tmp_path / "cin.xml", told="cin")
    assert (len(history.referrals), len(history.support), len(history.protection)) == (1, 1, 1)
    assert history.children["dob"].tolist() == [pd.Timestamp("2010-06-05")]
    assert ("cin.xml", 10, "impossible_date") in rules(report)


def test_cin_census_csv(tmp_path):
    write(tmp_path / "cin.csv", (
        "LAchildID,PersonBirthDate,GenderCurrent,CINreferralDate,PrimaryNeedCode,ReferralNFA,CINclosureDate,ReasonForClosure\n"
        "77,2010-06-05,1,2020-04-05,N1,0,2020-08-01,RC7\n78,2011-06-05,2,2020-04-09,N4,1,,\n"
    ))  # fmt: skip
    history, _ = read(tmp_path, told="cin")
    assert history.referrals["outcome"].tolist() == ["assessment", "closed"]
    assert len(history.support) == 1


def test_xml_with_entities_is_refused(tmp_path):
    write(tmp_path / "cin.xml", '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>')
    with pytest.raises(BadFile, match="not XML that can be read"):
        read_history(tmp_path / "cin.xml")


# --- aggregates -----------------------------------------------------------------------------------------------------
DFE = ("time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,old_la_code,"
       "la_name,new_la_code")  # fmt: skip


def test_dfe_both_layouts_suppression_and_changed_codes(tmp_path):
    place = "Reporting year,Local authority,E92000001,England,E12000008,South East"
    write(tmp_path / "new" / "la_cla_on_31_march_by_characteristics.csv", (
        f"{DFE},characteristic,breakdown,children_count,children_percent\n"
        f"2025,{place},825,Buckinghamshire,E06000060,Age group,1 to 4 years,41,9\n"
        f"2024,{place},825,Buckinghamshire,E06000060,Age group,1 to 4 years,c,low\n"
        f"2019,{place},825,Buckinghamshire,E10000002,Age group,1 to 4 years,35,8\n"
        f"2025,{place},886,Kent,E10000016,Age group,1 to 4 years,200,10\n"
    ))  # fmt: skip
    write(tmp_path / "old" / "la_cla_on_31_march_by_characteristics.csv", (
        f"{DFE},cla_group,characteristic,number,percentage\n"
        f"2023,{place},825,Buckinghamshire,E06000060,Age group,1 to 4 years,38,z\n"
        f"2023,{place},825,Buckinghamshire,E06000060,Age group,5 to 9 years,many,1\n"
    ))  # fmt: skip
    history, report = read(tmp_path, council="Buckinghamshire", told="dfe")
    counts = history.figures[history.figures["measure"] == "looked_after.children_count"]
    young = counts[counts["breakdown"] == "Age group | 1 to 4 years"].set_index("date")["value"]
    assert young.dropna().tolist() == [35, 38, 41]
    assert set(history.figures["status"]) >= {"published", "c", "low", "z"}
    assert report.rows == {"read": 6, "used": 4, "excluded": 1, "repaired": 1, "refused": 0}
    with pytest.raises(BadFile, match="the tables hold 2 councils"):
        read_history(tmp_path, "dfe", "Atlantis")


def test_lgbf_long_and_wide(tmp_path):
    write(tmp_path / "long.csv", (
        "Local Authority,Indicator,Period,Value\n"
            "West Dunbartonshire,CHN9,2020-21,90.1\nWest Dunbartonshire,CHN9,2021-22,..\n"
    ))  # fmt: skip
    history, _ = read(tmp_path / "long.csv", told="lgbf")
    assert history.figures["date"].tolist() == [pd.Timestamp("2021-03-31"), pd.Timestamp("2022-03-31")]
    write(tmp_path / "wide.csv", "Local Authority,CHN8a 2020-21,CHN8a 2021-22\nMoray,3000,3100\n")
    history, _ = read(tmp_path / "wide.csv", told="lgbf")
    assert history.figures["value"].tolist() == [3000, 3100]


def test_tables_of_figures(tmp_path):
    write(tmp_path / "figures.csv", (
        "indicator,geography,period,breakdown,value,unit,source_title\n"
        "Children looked after,Moray,31 July 2021,residential,42,children,CLAS\nCost,Moray,2021-22,all,x,GBP,LFR3\n"
        "Cost,Moray,some day,all,many,GBP,LFR3\n"
    ))  # fmt: skip
    history, report = read(tmp_path, told="published")
    assert history.figures["value"].count() == 1
    assert {("figures.csv", 4, "not_a_date"), ("figures.csv", 4, "not_a_number")} <= rules(report)


@pytest.mark.parametrize(
    ("text", "day"),
    [("2021-22", "2022-03-31"), ("2021/22", "2022-03-31"), ("2021", "2021-12-31"), ("mid-2022", "2022-06-30"),
     ("31 July 2021", "2021-07-31"), ("2021-07-31", "2021-07-31")],
)  # fmt: skip
def test_ends_of_periods(text, day):
    assert period_end(text) == pd.Timestamp(day)


def test_companions_beside_another_format(tidy_folder, tmp_path):
    world = made.make_world(1, 5, referrals=10)
    made.write_companions(tmp_path / "beside", world)
    write(tmp_path / "beside" / "cin.csv", "LAchildID,PersonBirthDate,CINreferralDate\n1,2010-01-01,2020-01-01\n")
    history, _ = read(tmp_path / "beside", told="cin")
    assert len(history.early_help) == len(world.early_help)
