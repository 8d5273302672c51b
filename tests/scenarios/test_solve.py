"""What would it take: the cheapest package in a small world, what is refused, and what is written."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest

from carecast.model.parameters import BadFile
from carecast.model.summary import BASELINE
from carecast.scenarios.apply import apply
from carecast.scenarios.library import load_scenario
from carecast.scenarios.packages import Pool, Task
from carecast.scenarios.request import Request
from carecast.scenarios.run import start
from carecast.scenarios.solve import Question, Rows, Solution, _Solving, _space, error, frontier, least, solve
from carecast.scenarios.solve_judge import reached_by
from carecast.scenarios.solve_write import document, write
from carecast.scenarios.target_file import load_target_file
from tests import small_runs

TARGET_FILE = """
format = 1
name = "toytown"
built_on = "baseline"

[[target]]
name = "Save a little"
measure = "saving_gbp"
basis = "net"
recurring = true
kind = "annual"
financial_year = "2023-24"
at_least = {asked}
required_probability = 0.7

[[free_lever]]
kind = "family_first"
name = "At home with support"
from = 2022-09-01
instead = "home_with_support"
recurring_gbp_per_year = 60000
fixed_cost_share = 0.1
interval_ratio_80 = [0.6, 1.4]
min = 0
max = 0.6
step = 0.12
because = "Invented for tests."

[[free_lever]]
kind = "step_down"
name = "To a family"
from = 2022-09-01
recurring_gbp_per_year = 50000
fixed_cost_share = 0.2
min = 1.0
max = 5.0
step = 1.0
because = "Invented for tests."

[[free_lever]]
kind = "framework_prices"
name = "Cheaper homes"
from = 2022-09-01
lines = ["residential_external"]
one_off_gbp = 30000
fixed_cost_share = 0.0
min = 0.85
max = 1.0
step = 0.05
because = "Invented for tests."

[limits]
recurring_gbp_per_year = 90000

[safety]
three_placements_percent = 2.0
"""


def target_file(folder, asked=100_000, more=""):
    file = folder / "toytown.target.toml"
    file.write_text(TARGET_FILE.format(asked=asked) + more, encoding="utf-8")
    return file


def question(folder, **changes):
    asked = load_target_file(target_file(folder, changes.pop("asked", 100_000), changes.pop("more", "")))
    given = {"replications": 40, "check": 80, "verify": 120, "packages": 36, "seed": 3}
    return Question(small_runs.council(), asked, **{**given, **changes})


@cache
def solved(folder) -> Solution:
    return solve(question(folder))


@pytest.fixture(scope="module")
def solution(tmp_path_factory):
    return solved(tmp_path_factory.mktemp("solve"))


def test_a_grid_over_three_levers_finds_no_cheaper_package(solution):
    """Every cheaper package of the grid, on the replications and with the demands of the check: none is good."""
    q, space = solution.question, solution.space
    points = space.all_points()
    cheaper = points[space.own_cost(points).total < solution.best.cost_gbp - 0.01]
    assert len(points) == 120 > 3 * len(solution.tried)
    assert len(cheaper) >= 8
    with Pool(_ground(q, space)) as pool:
        solving = _Solving(q, space, pool, None, 0.0)
        judge = solving._judge(q.seed, solving.rows.search(solving.check))
        told = [solving._on_all(tuple(int(x) for x in row), space.plan(row), judge) for row in cheaper]
    assert solution.is_reached
    assert not [space.size_of(judged.point) for judged in told if (judged.guarded >= 0).all()]


def _ground(q, space):
    from carecast.scenarios.packages import Ground

    return Ground(q.calibrated, space.until)


def test_the_package_meets_its_target_on_fresh_replications(solution, tmp_path):
    """On other rows and another seed, by the solver and by a run of the written package with yet another seed."""
    fresh = solution.verified.targets[0]
    assert solution.is_confirmed
    assert fresh.met_probability >= 0.7 - 2 * error(fresh.met_probability, 120)
    write(solution, tmp_path / "out")
    package = load_scenario(tmp_path / "out" / "package.toml")
    made = start(
        Request(
            small_runs.council(), (package,), solution.space.until, seed=77, replications=120, targets=package.targets
        ),
        tmp_path / "run",
    )
    (judged,) = made.assessments()
    assert judged.scenario == "package"
    assert judged.met_probability >= 0.7 - 2.5 * judged.monte_carlo_error


def test_the_search_uses_first_rows_and_the_verification_the_others():
    rows = Rows(4096)
    assert rows.search(3000)[:2048] == tuple(range(2048))
    assert {number % 4096 for number in rows.search(3000)} == set(range(2048))
    assert len(set(rows.search(3000))) == 3000
    assert rows.verify(2000) == tuple(range(2048, 4048))
    assert min(number % 256 for number in Rows(256).verify(300)) == 128
    assert Rows(0).search(3) == (0, 1, 2)


def test_costs_of_levers_add_up_to_what_a_replication_pays(solution):
    space = solution.space
    points = np.array([space.most, space.nothing, (2, 1, 1)])
    known = space.own_cost(points)
    assert known.total[1] == known.recurring[1] == 0
    for at, point in enumerate(points):
        told = [judged for judged in solution.tried if judged.point == tuple(point)]
        if told:
            assert told[0].cost_gbp == pytest.approx(known.total[at], abs=0.05)
            assert told[0].recurring_gbp == pytest.approx(known.recurring[at], abs=0.05)


def test_levers_that_do_nothing_are_left_out_and_cost_nothing(solution):
    space = solution.space
    assert space.scenario(space.nothing).levers == ()
    point = tuple(
        most if at == 0 else own for at, (most, own) in enumerate(zip(space.most, space.nothing, strict=True))
    )
    (lever,) = space.scenario(point).levers
    assert (lever.share, lever.interval_80) == (0.6, (0.36, 0.84))


def test_the_nothing_package_is_the_baseline(solution):
    nothing = solution.nothing
    assert nothing.cost_gbp == 0
    assert all(found.worsening == 0 for found in nothing.safety)
    assert not nothing.net_saving_gbp.any()


def test_reached_by_agrees_with_the_share_that_meets_a_target():
    values = np.array([-1.0, 0.0, 2.0, 3.0])
    assert [reached_by(values, chance) for chance in (1.0, 0.75, 0.76, 0.5, 0.25)] == [-1.0, 0.0, -1.0, 2.0, 3.0]


def test_frontier_costs_more_for_more(solution):
    found = frontier(solution)
    costs, chances = [judged.cost_gbp for judged in found], [least(judged) for judged in found]
    assert costs == sorted(costs)
    assert chances == sorted(set(chances))
    assert costs[0] == 0


def test_binds_says_what_a_step_less_would_fail(solution):
    found = document(solution)
    assert found["reached"] is True
    for row in found["binds"]:
        assert row["what"] == "one step less"
        assert row["fails"] == ["Save a little"]


def test_what_is_out_of_reach_is_said_with_how_near(tmp_path):
    found = solve(question(tmp_path, asked=5_000_000, packages=16, verify=40))
    assert not found.is_reached
    said = document(found)
    (row,) = said["targets"]
    assert row["verified_probability"] == 0
    assert 0 < row["reached_with_required_probability"] < 5_000_000
    assert {"what": "not met", "demand": "Save a little"} in said["binds"]
    assert "comes nearest" in found.scenario.rationale
    assert all(limit["within"] for limit in said["limits"])


def test_a_package_that_worsens_safety_beyond_its_margin_is_refused(tmp_path):
    """With no worsening allowed of a measure that the levers worsen, what is found worsens it by nothing in the check."""
    file = (
        target_file(tmp_path)
        .read_text(encoding="utf-8")
        .replace("three_placements_percent = 2.0", "siblings_together_percent = 0.0\nre_entry_12m_percent = 0.0")
    )
    (tmp_path / "toytown.target.toml").write_text(file, encoding="utf-8")
    asked = load_target_file(tmp_path / "toytown.target.toml")
    found = solve(Question(small_runs.council(), asked, replications=30, check=60, verify=40, packages=20))
    for measured in found.best.safety:
        assert measured.worsening <= 1e-6


def test_the_same_question_has_the_same_answer_with_two_workers(tmp_path):
    few = {"packages": 8, "replications": 20, "check": 30, "verify": 30}
    one = solve(question(tmp_path, **few))
    two = solve(question(tmp_path, **few, workers=2))
    assert [j.point for j in one.tried] == [j.point for j in two.tried]
    assert [j.cost_gbp for j in one.tried] == [j.cost_gbp for j in two.tried]
    assert one.verified.targets == two.verified.targets


def test_written_whole_and_replaced_only_by_another_answer(solution, tmp_path):
    write(solution, tmp_path / "out")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "evaluations.csv", "frontier.csv", "package.toml", "solve.json",
    ]  # fmt: skip
    write(solution, tmp_path / "out")
    said = json.loads((tmp_path / "out" / "solve.json").read_text(encoding="utf-8"))
    tried = pd.read_csv(tmp_path / "out" / "evaluations.csv")
    assert said["search"]["packages_told"] == (tried["stage"] == "searched").sum()
    assert "found by carecast solve" in load_scenario(tmp_path / "out" / "package.toml").levers[0].because.lower()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadFile, match="holds something else"):
        write(solution, tmp_path / "other")


def test_a_package_is_told_as_a_run_tells_it(solution, tmp_path):
    """The same plan on the same replications: the same pence as in a run folder."""
    q, space = solution.question, solution.space
    package = solution.scenario
    made = start(Request(q.calibrated, (package,), space.until, seed=q.seed, replications=10), tmp_path / "run")
    plan = apply(space.parameters, package, space.until)
    with Pool(_ground(q, space)) as pool:
        base = pool.whole(space.baseline(), q.seed, range(10))
        (told,) = pool.each([Task(plan, q.seed, tuple(range(10)), base.staff_units)])
    for name, money in ((BASELINE, base.money), ("package", told.money)):
        assert np.array_equal(money.gross, made.money[name].gross)
        assert np.array_equal(money.programme, made.money[name].programme)


STEP_DOWN = '[[free_lever]]\nkind = "step_down"\nfrom = 2022-09-01\nmin = 1\nmax = 2\n'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[[free_lever]]\nkind = "referrals"\nfrom = 2022-09-01\nmin = 0.8\nmax = 1.0\n', "an assumption"),
        (STEP_DOWN + "interval_ratio_80 = [1.2, 1.5]\n", "should hold 1, the size itself"),
        (STEP_DOWN + "fixed_cost_share = 2\n", "fixed_cost_share"),
    ],
)
def test_mistakes_in_free_levers(tmp_path, more, said):
    text = TARGET_FILE.format(asked=1)
    file = tmp_path / "wrong.target.toml"
    file.write_text(text.replace("[limits]", f"{more}\n[limits]"), encoding="utf-8")
    with pytest.raises(BadFile, match=said):
        load_target_file(file)


def test_a_file_without_free_levers_is_refused(tmp_path):
    text = TARGET_FILE.format(asked=1)
    file = tmp_path / "none.target.toml"
    file.write_text(text[: text.index("[[free_lever]]")], encoding="utf-8")
    with pytest.raises(BadFile, match="free_lever: missing"):
        _space(Question(small_runs.council(), load_target_file(file)))
