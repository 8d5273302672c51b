"""Small counts of real children are not shown: 1 to 5 are left out, and one more where a total would give them away.

Only history is at stake: published or recorded figures by breakdown, and the row of the start date of a run, which is the
stock as it was. Everything after that date is simulated. This is the one place that decides what is left out: every
download and every report goes through ``suppress_start``, ``suppress_staff`` or ``suppressed_history``.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from carecast.model import words as w
from carecast.model.summary import BASELINE, QUANTILES_PER_MILLE, TOTAL
from carecast.model.workforce import MEASURE as STAFF
from carecast.model.workforce import ROLES
from carecast.scenarios.run import Run
from carecast.scenarios.wording import MEASURES

LARGEST_HIDDEN = 5
NOT_COUNTS = ("%", "£", "days", "full-time")  # how units begin that are not counts of children
AT_HOME = "placement_type=at_home"
COMMUNITY = tuple(f"placement_type={name}" for name in w.PLACEMENT_TYPES[: w.FIRST_RESIDENTIAL])
RESIDENTIAL = tuple(f"placement_type={name}" for name in w.PLACEMENT_TYPES[w.FIRST_RESIDENTIAL :])
# Parts of one another: when one of them is small, all of them are left out but the number looked after.
AWAY = "looked_after_away_from_home"
OF_AWAY = ("within_radius_percent", "out_of_area_percent", "distance_unknown_percent")  # shares of children away
STATISTICS = ("mean", "sd", *QUANTILES_PER_MILLE)
NEEDED = ("needed_fte", "needed_p10", "needed_p90")
OF_POSTS = ("establishment_fte", "in_post_fte", "gap_fte", "gap_p10", "gap_p90", "chance_short")
TIED = (AWAY, "looked_after_at_home", "looked_after_in_community", "looked_after_in_residential",
        "balance_of_care_percent")  # fmt: skip


def is_count(measure: str) -> bool:
    """Whether a measure counts children or events; one this version does not know is taken to."""
    unit = MEASURES.get(measure, ("", "children"))[1]
    return not unit.startswith(NOT_COUNTS) and not measure.endswith(("_gbp", "_percent"))


def is_small(value: float) -> bool:
    """Whether a count is 1 to 5."""
    return 0.5 <= value < LARGEST_HIDDEN + 0.5


def hidden(cells: Mapping[str, float]) -> set[str]:
    """Which parts of a known total to leave out: the small ones, and the next smallest when there is only one."""
    small = {name for name, value in cells.items() if is_small(value)}
    if len(small) == 1:
        others = sorted(
            (name == AT_HOME, value, name) for name, value in cells.items() if value > 0 and name not in small
        )
        small |= {others[0][2]} if others else set(cells)
    return small


def hidden_by_dimension(cells: Mapping[str, float]) -> set[str]:
    """The same for one measure's breakdowns; community and residential placement types are parts of totals of their own."""
    groups: dict[object, dict[str, float]] = {}
    for name, value in cells.items():
        group = next((g for g in (COMMUNITY, RESIDENTIAL) if name in g), name.partition("=")[0])
        groups.setdefault(group, {})[name] = value
    return set().union(*(hidden(group) for group in groups.values()))


def suppress_start(summary: pd.DataFrame) -> pd.DataFrame:
    """``summary.csv`` for export: what the start date says of few children, and what gives it away, is blank.

    Columns and rows stay as they are; only the first date of monthly measures is history. Blank are counts of 1 to 5
    and one more where a total would give them away; a share of the children away from home when it, or the rest, is
    1 to 5 of them; and staff needed when anything else is, since cases are staff times a published norm.
    """
    start = summary["date"].min()
    blank = _small_counts(summary, start) + _telling_shares(summary, start)
    if blank:
        blank += summary.index[(summary["date"] == start) & (summary["measure"] == STAFF)].tolist()
    exported = summary.copy()
    exported.loc[blank, [name for name in STATISTICS if name in exported]] = float("nan")
    return exported


def _small_counts(summary: pd.DataFrame, start: object) -> list[int]:
    first = summary.index[(summary["date"] == start) & summary["measure"].map(is_count)]
    blank: list[int] = []
    for _, rows in summary.loc[first].groupby(["scenario", "measure"], sort=False):
        parts = rows[rows["breakdown"] != TOTAL]
        gone = hidden_by_dimension(dict(zip(parts["breakdown"], parts["mean"], strict=True)))
        gone |= {TOTAL} if rows.loc[rows["breakdown"] == TOTAL, "mean"].map(is_small).any() else set()
        blank += rows.index[rows["breakdown"].isin(gone)].tolist()
    if summary.loc[blank, "measure"].isin(TIED).any():
        blank += summary.index[(summary["date"] == start) & summary["measure"].isin(TIED)].tolist()
    return blank


def _telling_shares(summary: pd.DataFrame, start: object) -> list[int]:
    """Rows of shares from which a small number of the children away from home can be worked out."""
    at_start = summary[(summary["date"] == start) & (summary["breakdown"] == TOTAL)]
    children = at_start[at_start["measure"] == AWAY].set_index("scenario")["mean"]
    shares = at_start[at_start["measure"].isin(OF_AWAY)]
    away = shares["scenario"].map(children).fillna(0.0)
    part = shares["mean"] / 100 * away
    found: list[int] = shares.index[part.map(is_small) | (away - part).map(is_small)].tolist()
    return found


def hidden_roles(run: Run) -> frozenset[str]:
    """Roles whose staff needed on the start date gives a small count of a run away."""
    grid = run.answer(BASELINE).monthly
    means = grid.values[:, :, 0].mean(axis=0)
    cases = {row: float(mean) for row, mean in zip(grid.rows, means, strict=True)}
    rows = [(*row, mean, BASELINE, grid.dates[0].isoformat()) for row, mean in cases.items()]
    columns = pd.Index(["measure", "breakdown", "mean", "scenario", "date"])
    shown = suppress_start(pd.DataFrame(rows, columns=columns))
    gone = {row for row, mean in zip(cases, shown["mean"], strict=True) if mean != mean}
    return frozenset(
        role.name
        for role in ROLES
        if role.cases
        and (any(row in gone for row in role.cases) or is_small(sum(cases.get(row, 0.0) for row in role.cases)))
    )


def suppress_staff(run: Run, staff: pd.DataFrame) -> pd.DataFrame:
    """A table of ``scenarios.workforce`` for export: blank where a small count of the start date could be worked out.

    Staff needed on the start date are cases over a published norm. Posts that are assumed to be what that asks for
    give it away on every date, and with them staff in post and the gap.
    """
    roles = hidden_roles(run)
    exported = staff.copy()
    if not roles:
        return exported
    assumed = staff["establishment_how"].astype(str).str.startswith("assumed:") | (staff["role"] == TOTAL)
    of_few = assumed & (staff["role"].isin(list(roles)) | (staff["role"] == TOTAL))
    at_start = staff["date"].astype(str) == run.answer(BASELINE).monthly.dates[0].isoformat()
    for name in (*NEEDED, *OF_POSTS):
        exported[name] = exported[name].astype(float)
        exported.loc[at_start | of_few if name in OF_POSTS else at_start, name] = float("nan")
    return exported


def suppressed_history(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Published or recorded figures as date, measure, breakdown, value; NaN where a part of a total is 1 to 5."""
    columns = pd.Index(["measure", "breakdown", "date", "value", "source"])
    frame = pd.DataFrame([dict(row) for row in rows], columns=columns)
    frame["value"] = frame["value"].astype(float)
    parts = frame[(frame["breakdown"] != TOTAL) & frame["measure"].map(is_count).astype(bool)]
    for _, cells in parts.groupby(["measure", "date"], sort=False):
        gone = hidden_by_dimension(dict(zip(cells["breakdown"], cells["value"], strict=True)))
        frame.loc[cells.index[cells["breakdown"].isin(gone)], "value"] = float("nan")
    return frame
