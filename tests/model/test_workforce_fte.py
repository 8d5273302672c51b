"""Staff needed, worked by hand: cases over norms, the roles that are counted otherwise, and places that staff hold."""

import datetime as dt

import numpy as np
import pytest

from carecast.model.calendar import make_calendar
from carecast.model.capacity import CapacityBuilder
from carecast.model.levels import DrawRow
from carecast.model.plan import ChangePlaces, Effect, Plan, Window
from carecast.model.summary import Grid
from carecast.model.workforce import LABELS, MEASURE, ROLES, Staffing, norms, with_workforce
from tests import toy

DATES = (dt.date(2024, 3, 31), dt.date(2024, 4, 30))
CASES = {  # two replications, two months
    ("early_help_open", "total"): [[36, 18], [54, 0]],
    ("assessment_open", "total"): [[20, 30], [10, 0]],
    ("support_open", "total"): [[30, 30], [45, 0]],
    ("home_after_care_open", "total"): [[0, 15], [15, 0]],
    ("protection_open", "total"): [[12, 10], [10, 0]],
    ("pre_entry_open", "total"): [[8, 10], [10, 0]],
    ("looked_after", "total"): [[64, 32], [48, 0]],
    ("looked_after", "placement_type=foster_own"): [[40, 20], [20, 0]],
    ("looked_after", "placement_type=kinship"): [[10, 20], [20, 0]],
    ("aftercare_open", "total"): [[20, 25], [40, 0]],
    ("continuing_care", "total"): [[5, 0], [10, 0]],
    ("kinship_order_open", "total"): [[30, 60], [30, 0]],
    ("adopted_open", "total"): [[30, 0], [0, 0]],
}
STAFFING = Staffing(house_places=np.array([8.0, 10.0]), conferences_offered=np.array([0.0, 0.45]))


@pytest.fixture
def monthly():
    values = np.stack([np.array(rows, dtype=float) for rows in CASES.values()], axis=1)
    return Grid(tuple(CASES), DATES, values)


def test_every_role_by_hand(monthly):
    """Toytown's norms (tests/toy.py): cases of the role over cases for one full-time equivalent."""
    grid = with_workforce(monthly, toy.CASELOADS, STAFFING)
    wanted = {
        "early_help_worker": [[2, 1], [3, 0]],  # over 18
        "assessment_social_worker": [[2, 3], [1, 0]],  # over 10
        "support_social_worker": [[2, 3], [4, 0]],  # support and support after going home, over 15
        "protection_social_worker": [[2, 2], [2, 0]],  # protection and decisions, over 10
        "looked_after_social_worker": [[4, 2], [3, 0]],  # over 16
        "supervising_social_worker": [[2, 1], [1, 0]],  # own foster homes over 20
        "kinship_worker": [[0.5, 1], [1, 0]],  # over 20
        "reviewing_officer": [[64 / 60, 32 / 60], [48 / 60, 0]],
        "aftercare_worker": [[1, 1], [2, 0]],  # aftercare and continuing care, over 25
        "permanence_support_worker": [[1, 1], [0.5, 0]],  # orders and adoptions, over 60
        "family_group_conference_coordinator": [[0, 0.5], [0, 0]],  # 45 % of 10 decisions over 9
        "childrens_house_worker": [[20, 25], [20, 25]],  # 8 and 10 places over 0.4, whoever lives there
        "team_manager": [[12 / 6.5, 11 / 6.5], [11 / 6.5, 0]],  # over the five kinds of social worker
    }
    for role, values in wanted.items():
        np.testing.assert_allclose(grid.of(MEASURE, f"role={role}"), values, err_msg=role)
    np.testing.assert_allclose(grid.of(MEASURE), sum(np.array(values) for values in wanted.values()))
    assert list(wanted) == [role.name for role in ROLES] == list(LABELS)
    assert grid.rows[: len(CASES)] == monthly.rows
    np.testing.assert_array_equal(grid.values[:, : len(CASES)], monthly.values)


def test_a_role_without_a_norm_is_left_out_of_the_rows_and_of_the_managers(monthly):
    norm = {name: value for name, value in toy.CASELOADS.items() if name != "assessment_social_worker"}
    grid = with_workforce(monthly, norm, STAFFING)
    assert not grid.has(MEASURE, "role=assessment_social_worker")
    np.testing.assert_allclose(grid.of(MEASURE, "role=team_manager")[0], [10 / 6.5, 8 / 6.5])
    assert with_workforce(monthly, {}, STAFFING) is monthly


def test_half_the_norm_needs_twice_the_staff(monthly):
    half = {name: value / 2 for name, value in toy.CASELOADS.items() if name != "team_manager"}
    once = {name: value for name, value in toy.CASELOADS.items() if name != "team_manager"}
    need = [with_workforce(monthly, norm, STAFFING).of(MEASURE) for norm in (once, half)]
    np.testing.assert_allclose(need[1], 2 * need[0])


def test_norms_come_from_the_parameter_set():
    numbers = {f"caseload.{name}": 0.0 for name in ("kinship_worker",)}
    found = norms(toy.calibrated(numbers=numbers).parameters)
    assert found == {name: value for name, value in toy.CASELOADS.items() if name != "kinship_worker"}


# --- vacancies and places ---------------------------------------------------------------------------
def places(numbers, changes=(), columns=None):
    """Places of Toytown's three pools in the last month of the run."""
    calendar = make_calendar(toy.AS_AT, dt.date(2022, 12, 31))
    parameters = toy.calibrated(numbers=numbers).parameters
    builder = CapacityBuilder(parameters, Plan("plan", tuple(changes)), calendar, 15.0)
    drawn = columns or {}
    row = DrawRow({name: at for at, name in enumerate(drawn)}, np.array(list(drawn.values())))
    pools = builder.service_pools(row, 1, 0)
    return pools.places.reshape(pools.n_pools, -1)[:3, -1].tolist()


def test_vacancies_as_they_were_change_nothing():
    assert places({}) == [25, 20, 40]
    assert places({"vacancy.early_help_worker_share": 0.2}) == [25, 20, 40]
    same = {"vacancy.early_help_worker_share": 0.2, "vacancy.early_help_worker_expected_share": 0.2}
    assert places(same) == [25, 20, 40]


def test_more_vacancies_leave_fewer_places_in_proportion_to_staff_in_post():
    numbers = {"vacancy.early_help_worker_share": 0.2, "vacancy.early_help_worker_expected_share": 0.36}
    assert places(numbers) == [20, 16, 40]  # x 0.64 / 0.80; assessment has staff of its own
    assert places({"vacancy.assessment_social_worker_expected_share": 0.25}) == [25, 20, 30]  # none when counted


def test_places_that_a_lever_adds_are_staffed_by_the_lever():
    more = ChangePlaces("lever", "help_east", Effect(10.0), Window(toy.AS_AT.toordinal()))
    numbers = {"vacancy.early_help_worker_share": 0.2, "vacancy.early_help_worker_expected_share": 0.36}
    assert places(numbers, [more]) == [30, 16, 40]


def test_an_uncertain_vacancy_is_read_from_the_draws():
    numbers = {"vacancy.early_help_worker_share": 0.2, "vacancy.early_help_worker_expected_share": 0.36}
    assert places(numbers, columns={"vacancy.early_help_worker_expected_share": 0.6}) == [13, 10, 40]
