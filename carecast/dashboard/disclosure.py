"""Small counts of real children are not shown: 1 to 5 are left out, and one more where a total would give them away.

Only history is at stake: published or recorded figures by breakdown, and the row of the start date of a run, which is the
stock as it was. Everything after that date is simulated.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from carecast.model import words as w
from carecast.model.summary import QUANTILES_PER_MILLE, TOTAL
from carecast.scenarios.wording import MEASURES

LARGEST_HIDDEN = 5
NOT_COUNTS = ("%", "£", "days", "full-time")  # how units begin that are not counts of children
AT_HOME = "placement_type=at_home"
COMMUNITY = tuple(f"placement_type={name}" for name in w.PLACEMENT_TYPES[: w.FIRST_RESIDENTIAL])
RESIDENTIAL = tuple(f"placement_type={name}" for name in w.PLACEMENT_TYPES[w.FIRST_RESIDENTIAL :])
# Parts of one another: when one of them is small, all of them are left out but the number looked after.
TIED = ("looked_after_away_from_home", "looked_after_at_home", "looked_after_in_community", "looked_after_in_residential",
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
    """``summary.csv`` for export: on the start date, counts of 1 to 5 and what gives them away are blank.

    Columns and rows stay as they are; only the first date of monthly measures is history.
    """
    start = summary["date"].min()
    first = summary.index[(summary["date"] == start) & summary["measure"].map(is_count)]
    blank: list[int] = []
    for _, rows in summary.loc[first].groupby(["scenario", "measure"], sort=False):
        parts = rows[rows["breakdown"] != TOTAL]
        gone = hidden_by_dimension(dict(zip(parts["breakdown"], parts["mean"], strict=True)))
        gone |= {TOTAL} if rows.loc[rows["breakdown"] == TOTAL, "mean"].map(is_small).any() else set()
        blank += rows.index[rows["breakdown"].isin(gone)].tolist()
    if summary.loc[blank, "measure"].isin(TIED).any():
        blank += summary.index[(summary["date"] == start) & summary["measure"].isin(TIED)].tolist()
    exported = summary.copy()
    exported.loc[blank, ["mean", "sd", *QUANTILES_PER_MILLE]] = float("nan")
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
