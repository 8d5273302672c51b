"""Staff by role and month: what open cases need, the posts there are, who is in post, and what is missing.

Need is ``workforce_fte`` of the run (``model.workforce``). Posts come from ``establishment.ROLE_fte``; where a council
has not given them they are taken as what the norms ask for on the as-at date, and said to be assumed. In post = posts
x (1 - vacancy) + staff that the scenario's levers add or, redeployed, take away. Gap = need - in post, within each
replication.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from carecast.model.parameters import BadFile
from carecast.model.summary import BASELINE, TOTAL, Values, quantile_positions
from carecast.model.workforce import LABELS, MEASURE
from carecast.scenarios.library import load_scenario
from carecast.scenarios.run import Run
from carecast.scenarios.staffing import staff_moved

COLUMNS = (
    "scenario", "date", "role", "label", "caseload", "caseload_how", "needed_fte", "needed_p10", "needed_p90",
    "establishment_fte", "establishment_how", "vacancy_share", "moved_by_levers_fte", "in_post_fte", "gap_fte",
    "gap_p10", "gap_p90",
    "chance_short", "against_baseline_fte", "against_baseline_p10", "against_baseline_p90",
)  # fmt: skip


# --- the report -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Posts:
    """What is known of a role's posts; total posts where ``role`` is ``total``."""

    establishment_fte: float
    establishment_how: str
    vacancy_share: float

    @property
    def in_post_fte(self) -> float:
        """Staff in post before any lever."""
        return self.establishment_fte * (1 - self.vacancy_share)


def roles(run: Run) -> tuple[str, ...]:
    """Roles the run has a caseload norm for.

    Raises:
        BadFile: it has none.
    """
    found = tuple(b.removeprefix("role=") for measure, b in run.answers[0].monthly.rows if measure == MEASURE)[1:]
    if not found:
        raise BadFile(
            f"{run.folder}: its parameter set holds no caseload norm (numbers caseload.ROLE), so there is no "
            "workforce_fte; calibrate again, then run again"
        )
    return found


def posts(run: Run) -> dict[str, Posts]:
    """Posts and vacancies by role, and in total; posts that were not given are the baseline's need on the as-at date."""
    numbers = run.record["parameters"]["numbers"]
    base = run.answer(BASELINE).monthly
    found: dict[str, Posts] = {}
    for role in roles(run):
        given = numbers.get(f"establishment.{role}_fte")
        need = float(base.of(MEASURE, f"role={role}")[:, 0].mean())
        how = given["how"] if given else f"assumed: what the norms ask for on {run.record['as_at']}"
        number = numbers.get(f"vacancy.{role}_expected_share") or numbers.get(f"vacancy.{role}_share")
        vacancy = float(number["value"]) if number else 0.0
        found[role] = Posts(float(given["value"]) if given else need, how, vacancy)
    whole = sum(p.establishment_fte for p in found.values())
    in_post = sum(p.in_post_fte for p in found.values())
    kinds = {p.establishment_how for p in found.values()}
    found[TOTAL] = Posts(
        whole, kinds.pop() if len(kinds) == 1 else "sum of the roles", 1 - in_post / whole if whole else 0.0
    )
    return found


def workforce(run: Run, scenarios: Sequence[str] = ()) -> pd.DataFrame:
    """Need, posts, staff in post and gap by scenario, month end and role: ``COLUMNS``, the total first.

    Full-time equivalents; p10 and p90 over replications. ``chance_short`` is the share of replications that need more
    than are in post; ``moved_by_levers_fte`` are staff in post that the scenario adds, or takes away when it redeploys
    them. ``against_baseline`` is the paired difference of need.

    Raises:
        BadFile: the run holds no such scenario, or its parameter set no caseload norm.
    """
    known = posts(run)
    answers = [run.answer(name) for name in (scenarios or [a.scenario for a in run.answers])]
    lines: list[tuple[Any, ...]] = []
    for answer in answers:
        moved = staff_moved(load_scenario(run.folder / "inputs" / f"{answer.scenario}.toml"), run.calendar)
        nobody = np.zeros(len(answer.monthly.dates))
        moved[TOTAL] = sum((moved.get(role, nobody) for role in roles(run)), nobody)
        for role in (TOTAL, *roles(run)):
            lines += _lines(run, answer.scenario, role, known[role], moved.get(role, nobody))
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _lines(run: Run, scenario: str, role: str, post: Posts, moved: Values) -> Iterator[tuple[Any, ...]]:
    breakdown = role if role == TOTAL else f"role={role}"
    grid = run.answer(scenario).monthly
    need = grid.of(MEASURE, breakdown)
    in_post = post.in_post_fte + moved
    gap, more = need - in_post, need - run.answer(BASELINE).monthly.of(MEASURE, breakdown)
    norm = run.record["parameters"]["numbers"].get(f"caseload.{role}", {})
    label = "All roles" if role == TOTAL else LABELS[role]
    for at, date in enumerate(grid.dates):
        yield (
            scenario, date, role, label, norm.get("value"), norm.get("how", ""), *_spread(need[:, at]),
            post.establishment_fte, post.establishment_how, post.vacancy_share, float(moved[at]), float(in_post[at]),
            *_spread(gap[:, at]),
            float((gap[:, at] > 1e-9).mean()), *_spread(more[:, at]),
        )  # fmt: skip


def _spread(values: Values) -> tuple[float, float, float]:
    """Mean, 10th and 90th percentile over replications, as ``summary.csv`` takes them."""
    low, high = quantile_positions(len(values), [100, 900])
    ordered = np.sort(values)
    return float(values.mean()), float(ordered[low]), float(ordered[high])


def year_ends(dates: Sequence[dt.date]) -> list[dt.date]:
    """The first date, each 31 March, and the last: what a short table shows."""
    return sorted({dates[0], dates[-1], *(date for date in dates if date.month == 3)})
