"""Staff against posts: what levers do to houses, conferences and staff; gaps that are need less staff in post."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from carecast.model.calendar import make_calendar
from carecast.model.parameters import BadFile
from carecast.model.summary import BASELINE
from carecast.scenarios.apply import apply
from carecast.scenarios.library import read_text
from carecast.scenarios.run import start
from carecast.scenarios.staffing import conferences_offered, house_places, staff_moved
from carecast.scenarios.workforce import COLUMNS, posts, roles, workforce, year_ends
from tests import small_runs, toy

UNTIL = dt.date(2023, 12, 31)
LEVERS = """
format = 1
name = "staff"
built_on = "baseline"
status = "draft"
rationale = "Everything that moves staff."

[[lever]]
kind = "open_childrens_house"
name = "Third house"
from = 2022-10-01
lead_months = 3
places = 5
locality = "East"
easting_m = 260500
northing_m = 670500
fixed_weekly_cost_gbp = 9000
weekly_cost_gbp = 400
because = "Invented for tests."

[[lever]]
kind = "close_childrens_house"
provider = "house_2"
from = 2023-01-01
notice_months = 2
cost_stops_months = 6
because = "Invented for tests."

[[lever]]
kind = "enlarge_childrens_house"
provider = "house_1"
from = 2023-05-01
add = 2
because = "Invented for tests."

[[lever]]
kind = "family_group_conferences"
from = 2023-02-01
ramp_months = 2
reach = 0.6
localities = ["East"]
multiply_by = 0.8
because = "Invented for tests."

[[lever]]
kind = "staffing"
service = "assessment"
from = 2023-03-01
to = 2023-08-31
add = 2
families_per_worker = 5
because = "Invented for tests."

[[lever]]
kind = "early_help_support"
from = 2023-04-01
multiply_by = 0.8
redeployed_fte = 1.5
redeployed_from = "early_help"
redeployed_families_per_worker = 4
because = "Invented for tests."
"""


def on(date, calendar):
    return calendar.month_end_dates.index(dt.date.fromisoformat(date))


@pytest.fixture(scope="module")
def calendar():
    return make_calendar(toy.AS_AT, UNTIL)


@pytest.fixture(scope="module")
def scenario():
    return read_text(LEVERS, "staff.toml")


def test_houses_are_staffed_from_the_first_child_until_their_cost_stops(calendar, scenario):
    parameters = small_runs.council().parameters
    places = house_places(parameters, apply(parameters, scenario, UNTIL), calendar)
    wanted = {
        "2022-07-31": 10,  # houses of six and four
        "2022-12-31": 10,
        "2023-01-31": 15,  # the third opened on 1 January
        "2023-04-30": 15,
        "2023-05-31": 17,  # two more places in the first
        "2023-08-31": 17,  # the second closed on 1 March, and its staff stay six months
        "2023-09-30": 13,
        "2023-12-31": 13,
    }
    assert {date: places[on(date, calendar)] for date in wanted} == wanted


def test_conferences_are_offered_to_the_share_that_the_lever_reaches(calendar, scenario):
    parameters = small_runs.council().parameters
    offered = conferences_offered(parameters, scenario, calendar)
    assert offered[on("2023-01-31", calendar)] == 0
    assert offered[on("2023-02-28", calendar)] == pytest.approx(0.15)  # half way up; 60 % of the half who live in East
    assert offered[on("2023-03-31", calendar)] == offered[-1] == pytest.approx(0.30)
    assert not conferences_offered(parameters, small_runs.more_help(), calendar).any()


def test_staff_that_levers_bring_and_staff_who_leave_somewhere(calendar, scenario):
    moved = staff_moved(scenario, calendar)
    assert set(moved) == {"assessment_social_worker", "early_help_worker"}
    dates = ("2023-02-28", "2023-03-31", "2023-08-31", "2023-09-30")
    assert [moved["assessment_social_worker"][on(date, calendar)] for date in dates] == [0, 2, 2, 0]
    assert [moved["early_help_worker"][on(date, calendar)] for date in ("2023-03-31", "2023-04-30")] == [0, -1.5]


# --- a run ------------------------------------------------------------------------------------------
def council(**numbers):
    """Toytown with some posts and vacancies of its own."""
    base = small_runs.council()
    given = {
        name: {"value": value, "unit": "", "source": "given", "how": "published"} for name, value in numbers.items()
    }
    document = base.parameters.model_dump(mode="python", by_alias=True)
    document["numbers"] = {**document["numbers"], **given}
    return base.model_copy(update={"parameters": type(base.parameters).model_validate(document)})


@pytest.fixture(scope="module")
def made(tmp_path_factory, scenario):
    ours = council(**{"establishment.early_help_worker_fte": 3.0, "vacancy.early_help_worker_share": 0.1,
                      "vacancy.kinship_worker_share": 0.2, "vacancy.kinship_worker_expected_share": 0.5})  # fmt: skip
    request = small_runs.request(scenario, calibrated=ours, until=UNTIL, replications=20)
    return start(request, tmp_path_factory.mktemp("workforce") / "run")


@pytest.fixture(scope="module")
def frame(made):
    return workforce(made)


def test_the_table_is_whole(made, frame):
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == 2 * (1 + len(roles(made))) * 18  # scenarios x (total and roles) x month ends
    assert not frame.duplicated(["scenario", "date", "role"]).any()
    assert frame["scenario"].unique().tolist() == [BASELINE, "staff"]


def test_posts_are_the_councils_own_or_the_baselines_need_on_the_first_day(made, frame):
    found = posts(made)
    assert (found["early_help_worker"].establishment_fte, found["early_help_worker"].establishment_how) == (
        3,
        "published",
    )
    assert found["early_help_worker"].in_post_fte == pytest.approx(2.7)
    first = frame[(frame["scenario"] == BASELINE) & (frame["date"] == toy.AS_AT)].set_index("role")
    assert found["support_social_worker"].establishment_fte == pytest.approx(
        first.loc["support_social_worker", "needed_fte"]
    )
    assert found["support_social_worker"].establishment_how.startswith("assumed")
    assert found["kinship_worker"].vacancy_share == 0.5  # what is expected, not what was
    parts = [found[role] for role in roles(made)]
    assert found["total"].establishment_fte == pytest.approx(sum(part.establishment_fte for part in parts))
    assert found["total"].in_post_fte == pytest.approx(sum(part.in_post_fte for part in parts))


def test_gap_is_need_less_staff_in_post(frame):
    posts_less = frame["establishment_fte"] * (1 - frame["vacancy_share"]) + frame["moved_by_levers_fte"]
    np.testing.assert_allclose(frame["in_post_fte"], posts_less, atol=1e-9)
    np.testing.assert_allclose(frame["gap_fte"], frame["needed_fte"] - frame["in_post_fte"], atol=1e-9)
    np.testing.assert_allclose(frame["gap_p10"], frame["needed_p10"] - frame["in_post_fte"], atol=1e-9)
    assert ((frame["chance_short"] >= 0) & (frame["chance_short"] <= 1)).all()
    assert (frame.loc[frame["gap_p10"] > 1e-6, "chance_short"] >= 0.9).all()


def test_roles_add_up_to_the_total_and_levers_move_staff(frame):
    parts = frame[frame["role"] != "total"].groupby(["scenario", "date"], sort=False).sum(numeric_only=True)
    total = frame[frame["role"] == "total"].set_index(["scenario", "date"])
    for column in ("needed_fte", "in_post_fte", "gap_fte", "moved_by_levers_fte", "against_baseline_fte"):
        np.testing.assert_allclose(parts[column], total[column], atol=1e-9, err_msg=column)
    last = frame[frame["date"] == UNTIL].set_index(["scenario", "role"])
    assert last.loc[("staff", "early_help_worker"), "moved_by_levers_fte"] == -1.5
    assert (last.loc[BASELINE, "moved_by_levers_fte"] == 0).all()


def test_against_the_baseline_is_the_difference_in_summary_csv(made, frame):
    summary = pd.read_csv(made.folder / "summary.csv")
    rows = summary[(summary["measure"] == "difference_in_workforce_fte") & (summary["date"] == UNTIL.isoformat())]
    found = rows.set_index("breakdown")
    ours = frame[(frame["scenario"] == "staff") & (frame["date"] == UNTIL)]
    for line in ours.to_dict("records"):
        breakdown = "total" if line["role"] == "total" else f"role={line['role']}"
        assert found.loc[breakdown, "mean"] == pytest.approx(line["against_baseline_fte"], abs=0.0051)
        assert found.loc[breakdown, "p10"] == pytest.approx(line["against_baseline_p10"], abs=0.0051)
    houses = ours.set_index("role").loc["childrens_house_worker"]
    assert (houses["needed_fte"], houses["against_baseline_fte"]) == (32.5, 7.5)  # 13 places, 3 more, over 0.4


def test_one_scenario_alone_is_the_same_rows(made, frame):
    part = frame[frame["scenario"] == "staff"].reset_index(drop=True)
    pd.testing.assert_frame_equal(workforce(made, ["staff"]), part)
    with pytest.raises(BadFile, match="holds no scenario 'staf'"):
        workforce(made, ["staf"])


def test_a_parameter_set_without_norms_has_no_staff_and_says_so(tmp_path):
    base = small_runs.council()
    numbers = {name: n for name, n in base.parameters.numbers.items() if not name.startswith("caseload.")}
    bare = base.model_copy(update={"parameters": base.parameters.model_copy(update={"numbers": numbers})})
    run = start(
        replace(small_runs.request(replications=2, until=dt.date(2022, 9, 30)), calibrated=bare), tmp_path / "run"
    )
    assert "workforce_fte" not in (run.folder / "summary.csv").read_text(encoding="utf-8")
    with pytest.raises(BadFile, match="no caseload norm"):
        workforce(run)


def test_year_ends():
    dates = [day.date() for day in pd.date_range("2022-07-31", "2024-05-31", freq="ME")]
    wanted = [dt.date(2022, 7, 31), dt.date(2023, 3, 31), dt.date(2024, 3, 31), dt.date(2024, 5, 31)]
    assert year_ends(dates) == wanted
