"""The fit by cell, implied mean stays, and the page for a reviewer."""

import datetime as dt
import re
from html.parser import HTMLParser

import pytest

from carecast.calibration import fit_record as fr
from carecast.calibration.diagnostics import diagnostics
from tests import toy
from tests.calibration.backtest import worlds

AS_AT = dt.date(2022, 3, 31)


@pytest.fixture(scope="module")
def record():
    history = worlds.history(seed=2, entries_per_year=120, mean_days=700)
    return fr.fit_record(history, AS_AT, toy.calibrated().parameters.rates)


def test_margins_hold_every_end_once_and_agree_with_what_is_expected(record):
    rows = record["fitted_against_observed"]
    for cause in ("exit_home", "move"):
        sums = {
            by: sum(row["events"] for row in rows if row["cause"] == cause and row["by"] == by) for by in fr.MARGINS
        }
        assert len(set(sums.values())) == 1
        told = sum(row["expected"] for row in rows if row["cause"] == cause and row["by"] == "age_band")
        assert told == pytest.approx(sums["age_band"], rel=0.02)


def test_the_mean_stay_is_that_of_the_world(record):
    """Stays are exponential with a mean of 700 days, cut short at 18; so younger children stay longer."""
    whole = record["three_returns"]["years_from_all"]
    assert whole == pytest.approx(700 / 365.25, rel=0.15)
    stays = {row["entering"]: row["years"] for row in record["mean_stays"]}
    assert stays["1_to_4"] > stays["10_to_15"]
    assert sum(row["entries"] for row in record["mean_stays"][1:]) == record["mean_stays"][0]["entries"]


def test_three_returns_tell_nearly_what_all_tell(record):
    assert abs(record["three_returns"]["difference_percent"]) < 10


def test_each_year_left_out_leaves_the_rest(record):
    rows = record["influence"]
    assert [row["year_to"] for row in rows] == [f"{year}-03-31" for year in range(2022, 2014, -1)]
    exits = sum(
        row["events"] for row in record["fitted_against_observed"] if row["by"] == "time" and row["cause"] != "move"
    )
    assert sum(row["exits"] for row in rows) == pytest.approx(exits, abs=2)
    assert all(abs(row["change_percent"]) < 12 for row in rows)


def test_small_counts_are_none():
    rows = [{"events": 0, "expected": 2.0}, {"events": 3, "expected": 2.0}, {"events": 6, "expected": 2.0}]
    assert [row["events"] for row in fr.without_small(rows, ("events",))] == [0, None, 6]


# --- the page -------------------------------------------------------------------------------------
class Page(HTMLParser):
    """Tags left open, headings, and cells by the table's caption."""

    def __init__(self):
        super().__init__()
        self.open, self.headings, self._in = [], [], ""

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br", "path", "line", "rect", "circle"):
            self.open.append(tag)
        self._in = tag

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self._in == "h2" and data.strip():
            self.headings.append(data.strip())


def page_of(**more):
    calibrated = toy.calibrated(toy.some_stock())
    return diagnostics(calibrated.model_copy(update={"record": more}))


def test_the_page_holds_the_fit_and_stands_alone(record):
    html = page_of(diagnostics=record, data={"format": "tidy", "rows": {"read": 10}, "counts": {"children": 900}})
    page = Page()
    page.feed(html)
    assert page.headings == ["What it was made from", "Fitted against observed", "Implied mean stays",
                             "Influence of each return", "Every number"]  # fmt: skip
    assert "Not back-tested" in html
    assert "<script" not in html
    assert "http" not in html.replace("http://www.w3.org", "")
    assert html.count('role="img"') == 2
    assert not re.search(r"\{\{|\{%|>\s*(None|nan)\s*<", html)


def test_no_small_count_of_events_is_on_the_page(record):
    small = [row for row in record["fitted_against_observed"] if 0 < row["events"] < 6]
    assert small
    html = page_of(diagnostics=record)
    rows = re.findall(
        r"<tr><th scope=\"row\">(exit [^<]*|move)</th>\s*<td>([^<]*)</td>\s*<td class=\"n\">([^<]*)</td>", html
    )
    assert len(rows) >= len(record["fitted_against_observed"])
    assert not {cell for _, _, cell in rows} & {"1", "2", "3", "4", "5"}
    assert sum(cell == "1 to 5" for _, _, cell in rows) == len(small)


def test_a_record_that_holds_little_still_makes_a_page():
    html = page_of(
        surprise={"a": {"x": 1.5, "y": 2}, "b": {"x": 3.5, "y": 40}}, list=[{"k": "v"}], empty={}, word="said"
    )
    assert "The rest of the record" in html
    assert "surprise" in html
    assert "3.5" in html


def test_text_is_escaped():
    calibrated = toy.calibrated(toy.some_stock(), council="<b>Toy</b>")
    assert "<b>Toy" not in diagnostics(calibrated.model_copy(update={"record": {"notes": ["<i>x</i>"]}}))
