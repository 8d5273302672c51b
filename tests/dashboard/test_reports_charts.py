"""Charts of several scenarios: every one named at its end, told apart by more than colour, labels never on one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecast.dashboard.reports import charts_many
from carecast.dashboard.reports.numbers import Numbers
from carecast.dashboard.reports.pictures import pictures, shown_together
from carecast.dashboard.telling import legend_name


@given(st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=6), st.floats(2, 12))
def test_labels_stand_apart_in_the_order_of_their_lines(at, tall):
    found = charts_many.spread(at, [tall] * len(at), 0.0, 100.0)
    placed = sorted(range(len(at)), key=lambda i: (at[i], i))
    for lower, upper in zip(placed, placed[1:], strict=False):
        assert found[upper] - found[lower] >= 0.9 * tall
    assert min(found) >= -0.1 * tall
    assert max(found) <= 100 + 0.1 * tall


def test_a_label_that_is_alone_stays_where_it_is():
    assert charts_many.spread([40.0, 90.0], [5.0, 5.0], 0.0, 100.0) == [40.0, 90.0]
    assert charts_many.spread([50.0, 50.0], [6.0, 6.0], 0.0, 100.0) == pytest.approx([47.0, 53.0])


@pytest.mark.parametrize(
    ("low", "high", "axis", "said"),
    [(0.0, 50e6, 0, "£38.5m"), (-2e6, 4e6, 0, "£38.5m"), (0.0, 1e6, 1, "£38.53m"), (-0.1e6, 0.0, 2, "£38.526m")],
)
def test_marks_of_an_axis_in_pounds_differ(low, high, axis, said):
    assert charts_many.digits_of(low, high) == axis
    assert charts_many.millions(38_526_000.0, axis + 1) == said
    assert charts_many.millions(-38_526_000.0, axis + 1) == f"\u2212{said}"
    assert charts_many.millions(-1.0, axis) == charts_many.millions(0.0, axis)


def test_series_differ_in_colour_dash_and_shape():
    for marks in (charts_many.COLOURS, charts_many.SHAPES, [tuple(dash) for dash in charts_many.DASHES]):
        assert len(set(marks)) == charts_many.MOST == 6


def test_charts_hold_the_baseline_and_five_scenarios_and_say_what_is_left_out(grounded):
    numbers = Numbers(grounded)
    assert len(numbers.scenarios) == 7
    shown = shown_together(numbers)
    assert (shown[0], len(shown)) == ("baseline", 6)
    made = {picture.name: picture for picture in pictures(numbers)}
    for name in ("children_looked_after", "spend"):
        svg = made[name].svg()
        for scenario in shown:
            assert legend_name(scenario) in svg
            assert legend_name(scenario) in made[name].table.columns
        assert "1 more scenarios" not in made[name].subtitle
        assert "One more scenario of the run is in the tables" in made[name].subtitle
    assert "Net saving" in made["savings"].table.caption
