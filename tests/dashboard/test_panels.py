"""What the pages say, without Streamlit."""

import json
from dataclasses import replace

import pytest

from carecast.dashboard import charts, markup, panels, serve
from carecast.dashboard.panels import Table, Tile
from carecast.dashboard.panels.shapes import Line

SCENARIO = "more_early_help"


@pytest.fixture(scope="module")
def told(run):
    return panels.heading(run, SCENARIO)


def test_the_finding_says_cost_year_scenario_and_chance(told):
    assert told.finding.startswith("Placements will cost £")
    assert "2024-25" in told.finding
    assert "“More early help”" in told.finding
    assert "£50,000 a year" in told.finding


def test_the_finding_of_an_assumption_promises_no_saving(run):
    assert "comes true" in panels.heading(run, "dearer_homes").finding


def test_the_finding_without_a_target_says_what_is_saved(run):
    assert "a year by then" in panels.heading(replace(run, targets=()), SCENARIO).finding


def test_every_chart_has_finding_statistic_key_text_and_table(told):
    shown = (*told.children, *told.spend, told.savings.panel)
    assert len({panel.name for panel in shown}) == len(shown)
    for panel in shown:
        assert panel.title
        assert panel.subtitle
        assert panel.key
        assert len(panel.alt) > 60
        assert panel.table.rows
        json.dumps(panel.chart.to_dict())


def test_charts_never_rely_on_colour_alone(told):
    spec = json.dumps(told.spend[0].chart.to_dict())
    assert '"circle", "diamond"' in spec
    assert '"strokeDash"' in spec


def test_charts_have_few_points(told):
    for panel in (*told.children, *told.spend):
        assert sum(len(rows) for rows in panel.chart.to_dict()["datasets"].values()) < 5000


def test_the_stamp_and_the_as_at_date_are_said(told):
    assert "not the council's own" in told.front.stamp
    assert "as at 31 July 2022" in told.front.facts
    assert any("standard error" in warning for warning in told.front.warnings)
    assert any("fewer than 200" in warning for warning in told.front.warnings)


def test_tiles_put_away_from_home_before_the_balance_of_care(told):
    labels = [tile.label for tile in told.tiles]
    assert labels[0].startswith("Children looked after away from home")
    assert labels[2].startswith("Balance of care")
    assert labels[-1] == "Net saving in 2024-25"
    assert all(len(tile.lines) == 2 for tile in told.tiles[:-1])


def test_every_target_has_a_tile(run, told):
    assert [tile.label for tile in told.target_tiles] == [target.name for target in run.targets]
    assert all(tile.is_good is not None for tile in told.target_tiles)


def test_safety_stands_beside_the_savings(told):
    assert len(told.savings.safety.rows) == 7
    assert told.savings.kinds.rows[0][0] == "Gross saving"


def test_the_back_test_is_said_to_be_missing(run, told):
    assert "Not back-tested yet" in told.backtest
    record = {**run.record, "backtest": {"verdict": "Beats last value on 7 of 9."}}
    assert panels.heading(replace(run, record=record), None).backtest == "Beats last value on 7 of 9."


def test_what_is_not_modelled_is_always_said(told, run):
    assert any("voice" in line for line in told.not_modelled)
    assert panels.method(run).not_modelled == told.not_modelled


def test_the_baseline_alone(alone):
    told = panels.heading(alone, None)
    assert told.savings is None
    assert "holds the baseline alone" in told.no_savings
    assert "(part year)" in told.finding
    assert told.target_tiles == ()


def test_targets_that_the_run_cannot_judge_are_said(run):
    late = tuple(
        target.model_copy(update={"financial_year": "2030-31"}) for target in run.targets if target.financial_year
    )
    told = panels.heading(replace(run, targets=late), SCENARIO)
    assert told.targets is None
    assert "cannot be judged" in told.targets_note


def test_the_register_can_be_filtered(run):
    everything = panels.register_table(run, [], None, "")
    assert panels.register_table(run, ["published"], None, "").rows == ()
    assert len(panels.register_table(run, ["assumed"], None, "").rows) == len(everything.rows)
    assert 0 < len(panels.register_table(run, [], "homes", "").rows) < len(everything.rows)
    assert len(panels.register_table(run, [], None, "UPLIFT external").rows) == 0
    assert len(panels.register_table(run, [], None, "uplift.external").rows) == 1


def test_text_is_escaped():
    nasty = "<script>alert(1)</script>"
    html = markup.table(Table(nasty, (nasty,), ((nasty, nasty),))) + markup.tiles(
        (Tile(nasty, (Line(None, nasty, nasty),), nasty),)
    )
    html += markup.stamp(nasty) + markup.facts((nasty,)) + markup.key((("dot", nasty),))
    assert "<script" not in html


def test_labels_at_line_ends_are_kept_apart(run):
    paths = panels.View(run, SCENARIO)
    from carecast.dashboard import figures

    fan = figures.fan(run, "dearer_homes", "looked_after")
    chart = charts.fan(fan, figures.history(run, "looked_after"), ("baseline", "dearer_homes"), fan["date"].min())
    ends = [row["at"] for rows in chart.to_dict()["datasets"].values() for row in rows if "at" in row]
    assert abs(ends[0] - ends[1]) > 1
    assert paths.names == ("baseline", SCENARIO)


def test_the_dashboard_is_served_on_this_machine_only(tmp_path):
    command = serve.command(8765)
    assert command[command.index("--server.address") + 1] == "127.0.0.1"
    given = serve.environment(tmp_path / "run", tmp_path)
    assert given["CARECAST_RUN"] == str(tmp_path / "run")
    assert "CARECAST_RUN" not in serve.environment(None, tmp_path)
