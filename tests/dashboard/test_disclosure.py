"""Small counts of history stay out of what can be taken away."""

import io
import zipfile

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecast.dashboard import disclosure, frame, help_frame
from carecast.dashboard.disclosure import COMMUNITY, RESIDENTIAL, hidden, hidden_by_dimension, is_small
from carecast.dashboard.reports import build
from carecast.dashboard.reports.numbers import Numbers
from carecast.model.summary import summarise
from carecast.scenarios.workforce import workforce


def test_one_small_part_takes_another_with_it():
    assert hidden({"a": 3, "b": 10, "c": 40}) == {"a", "b"}
    assert hidden({"a": 3, "b": 2, "c": 40}) == {"a", "b"}
    assert hidden({"a": 6, "b": 0, "c": 40}) == set()
    assert hidden({"a": 3, "b": 0}) == {"a", "b"}  # nothing else to hide: all of it


@given(st.dictionaries(st.sampled_from([*COMMUNITY, *RESIDENTIAL, "locality=A", "locality=B"]), st.integers(0, 30)))
def test_no_small_part_can_be_worked_out_from_a_total(cells):
    gone = hidden_by_dimension(cells)
    assert {name for name, value in cells.items() if is_small(value)} <= gone
    for group in (COMMUNITY, RESIDENTIAL):
        lost = [name for name in group if name in gone]
        small = [name for name in lost if is_small(cells[name])]
        held = [name for name in group if cells.get(name, 0) > 0]
        assert not small or len(lost) > 1 or len(held) == 1  # one alone: its total is small too, and is left out


def test_export_blanks_only_the_start_date(run):
    summary = summarise(run.answers)
    exported = disclosure.suppress_start(summary)
    changed = exported["mean"].isna()
    assert changed.any()
    assert set(exported.loc[changed, "date"]) == {summary["date"].min()}
    start = exported[
        (exported["date"] == summary["date"].min()) & ~exported["measure"].str.startswith("difference_in_")
    ]
    counts = start[start["measure"].map(disclosure.is_count)]
    assert not counts["mean"].map(is_small).any()
    assert exported[~changed].equals(summary[~changed])
    assert list(exported.columns) == list(summary.columns)


def test_export_is_summary_csv_but_for_what_is_blank(run):
    written = (run.folder / "summary.csv").read_text(encoding="utf-8").splitlines()
    exported = frame.exported_summary(run).splitlines()
    assert len(written) == len(exported)
    assert all(ours == theirs or ours.endswith(",,,,,,,,,,,") for ours, theirs in zip(exported, written, strict=True))


def test_every_way_out_leaves_the_same_cells_blank(run):
    """The download of a page, the archive and the workbook's numbers: one rule."""
    page = pd.read_csv(io.StringIO(frame.exported_summary(run)))
    archive = zipfile.ZipFile(io.BytesIO(build(run, "zip")))
    packed = pd.read_csv(archive.open("summary.csv"))
    pd.testing.assert_frame_equal(page, packed)
    pd.testing.assert_frame_equal(page, Numbers(run).summary)
    start = page["date"].min()
    blank = set(page.loc[(page["date"] == start) & page["mean"].isna(), "measure"])
    assert {"workforce_fte", "looked_after_away_from_home"} <= blank


def test_staff_for_download_say_nothing_of_few_children(run):
    start, roles = str(run.record["as_at"]), disclosure.hidden_roles(run)
    raw = workforce(run, ["baseline"])
    text = help_frame.staff_csv(run, "baseline")
    staff = pd.read_csv(io.StringIO(text))
    assert list(staff.columns) == list(raw.columns)
    assert len(staff) == len(raw)
    assert roles
    assert staff.loc[staff["date"] == start, ["needed_fte", "needed_p10", "needed_p90"]].isna().all(axis=None)
    assumed = staff["role"].isin(list(roles)) & staff["establishment_how"].str.startswith("assumed:")
    assert assumed.any()
    assert staff.loc[assumed, list(disclosure.OF_POSTS)].isna().all(axis=None)
    assert staff.loc[staff["date"] > start, "needed_fte"].tolist() == pytest.approx(
        raw.loc[raw["date"].astype(str) > start, "needed_fte"].tolist(), abs=1e-4
    )


def test_small_parts_of_history_are_left_out():
    rows = [
        {"measure": "looked_after", "breakdown": "locality=A", "date": "2022-07-31", "value": 4, "source": "x"},
        {"measure": "looked_after", "breakdown": "locality=B", "date": "2022-07-31", "value": 40, "source": "x"},
        {"measure": "looked_after", "breakdown": "locality=C", "date": "2022-07-31", "value": 50, "source": "x"},
        {"measure": "looked_after", "breakdown": "total", "date": "2022-07-31", "value": 94, "source": "x"},
    ]
    assert disclosure.suppressed_history(rows)["value"].tolist() == pytest.approx(
        [float("nan"), float("nan"), 50, 94], nan_ok=True
    )
    assert isinstance(disclosure.suppressed_history([]), pd.DataFrame)
