"""The controls of the page *Compare*, and what it keeps between reruns."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from carecast.dashboard import figures, frame, long_answers
from carecast.dashboard.figures_compare import Choice
from carecast.dashboard.frame import Chosen
from carecast.dashboard.panels import compare as panels
from carecast.dashboard.panels.compare import MEASURES, Compare
from carecast.dashboard.panels.compare_money import TERMS, levers_panel
from carecast.dashboard.panels.front import front
from carecast.dashboard.panels.shapes import Panel
from carecast.dashboard.panels.view import AWAY, View
from carecast.dashboard.telling import legend_name, prose
from carecast.model.summary import BASELINE, to_csv
from carecast.scenarios.compare import compare as paired_differences
from carecast.scenarios.money_answers import ALL_YEARS, KINDS, Kind, savings_table
from carecast.scenarios.run import Run

MOST_COMPARED = 5
WIDE_COLUMNS = 4


@dataclass(frozen=True)
class Asked:
    """What the page is asked to compare."""

    chosen: Chosen
    names: tuple[str, ...]
    against: str
    kind: Kind
    year: str
    measure: str

    @property
    def choice(self) -> Choice:
        """The same for the functions that make the figures."""
        return Choice(self.chosen.run, self.names, self.against, self.kind, self.year)


@st.cache_resource(max_entries=32, show_spinner="Comparing")
def _compare(found: object, _run: Run, names: tuple[str, ...], against: str, kind: Kind, year: str,
             measure: str) -> Compare:  # fmt: skip
    return panels.compare(Choice(_run, names, against, kind, year), measure)


def told(asked: Asked) -> Compare:
    """What the page shows."""
    return _compare(
        asked.chosen.found, asked.chosen.run, asked.names, asked.against, asked.kind, asked.year, asked.measure
    )


def ask(head: DeltaGenerator) -> Asked:
    """The pickers of the page; stops with a sentence and a way on where there is nothing to compare."""
    chosen = frame.choose(head, with_scenario=False)
    run = chosen.run
    everyone = [BASELINE, *figures.programmes(run)]
    if len(everyone) < 2:
        frame.head(head, "There is nothing to compare in this run", front(run, None))
        st.info(prose("compare_nothing"))
        st.code(prose("compare_nothing_command"), language=None, wrap_lines=True)
        st.stop()
    with st.container(key="compare_controls"):
        columns = st.columns([2, 3])
        with columns[0]:
            against = st.selectbox(
                "Compare against", everyone, key="against", format_func=legend_name, bind="query-params",
                persist_state="session",
            )  # fmt: skip
        others = [name for name in everyone if name != against]
        with columns[1]:
            names = st.multiselect(
                f"Scenarios, up to {MOST_COMPARED}", others, default=others[:MOST_COMPARED], key="compared",
                max_selections=MOST_COMPARED, format_func=legend_name, bind="query-params",
            )  # fmt: skip
    if not names:
        frame.head(head, "No scenario is chosen", front(run, None))
        st.info(prose("compare_choose"))
        st.stop()
    kind, year = _terms(run)
    return Asked(
        chosen, tuple(name for name in others if name in names), against or BASELINE, kind, year, _measure(run)
    )


def _terms(run: Run) -> tuple[Kind, str]:
    columns = st.columns([2, 3])
    last = figures.whole_years(run)[-1]
    years = [ALL_YEARS, *figures.years(run)]
    with columns[0]:
        year = st.selectbox(
            "Savings of", years, index=years.index(last), key="savings_year", bind="query-params",
            format_func=lambda name: "The whole run" if name == ALL_YEARS else str(name),
        )  # fmt: skip
    with columns[1]:
        kind = st.segmented_control(
            "Terms", KINDS, default="cash", key="terms", required=True, bind="query-params",
            format_func=lambda name: TERMS[name][:1].upper() + TERMS[name][1:],
        )  # fmt: skip
    return kind, year or last


def _measure(run: Run) -> str:
    view = View(run, None)
    measure = st.session_state.get("compare_measure", AWAY)
    return measure if measure in measures(view) else AWAY


def measures(view: View) -> list[str]:
    """What the chart over time can show: the measures this run holds."""
    held = {measure for measure, _ in view.run.answers[0].monthly.rows}
    return [measure for measure in MEASURES if measure in held]


def over_time(asked: Asked, shown: Compare) -> None:
    """The chart over time, and the choice of what it shows."""
    view = View(asked.chosen.run, None)
    st.selectbox("Shown over time", measures(view), key="compare_measure", format_func=view.label)
    if shown.fans_note:
        st.caption(shown.fans_note)
    _frames(shown.fans)


def _frames(panels: Sequence[Panel]) -> None:
    """One panel in full width, or several in two columns."""
    if len(panels) == 1:
        frame.panel(panels[0])
        return
    for at in range(0, len(panels), 2):
        for column, one in zip(st.columns(2, gap="large"), panels[at : at + 2], strict=False):
            with column:
                frame.panel(one)


def saved_and_safe(shown: Compare) -> None:
    """Savings by kind, and the safety measures beside them."""
    wide = len(shown.safety.columns) > WIDE_COLUMNS  # then the safety table stands below, in full width
    left, right = (st.container(), st.container()) if wide else st.columns([1, 1], gap="large")
    with left:
        frame.panel(shown.saved)
    with right:
        st.subheader(shown.safety_title, anchor=False)
        st.caption(prose("safety"))
        frame.table(shown.safety)
    frame.table(shown.kinds)
    st.caption(shown.money_note)
    for name, table in shown.by_year:
        frame.folded(f"{name}, year by year", table)


def spend(shown: Compare) -> None:
    """Spend by year, line and funder."""
    _frames(shown.spend)
    for label, table in shown.spend_tables[1:] if len(shown.spend) == 1 else shown.spend_tables:
        frame.folded(label, table)


def over_years(shown: Compare) -> None:
    """Payback, and net saving since the start."""
    _frames(shown.cumulative)
    frame.table(shown.paid_back)
    st.caption(shown.terms_note)


def levers(asked: Asked) -> None:
    """What each lever of one scenario adds: asked for, told in the background."""
    run = asked.chosen.run
    able = [name for name in figures.programmes(run) if figures.levers(run, name)]
    if not able:
        st.info(prose("compare_no_levers"))
        return
    first = next((name for name in asked.names if name in able), able[0])
    scenario = st.selectbox("Take apart", able, index=able.index(first), key="taken_apart", format_func=legend_name)
    st.markdown(prose("compare_waterfall_ask"))
    years = [*figures.years(run), ALL_YEARS]
    long_answers.answer(
        run, "waterfall", f"Levers of {legend_name(scenario)}", "Show what each lever adds",
        {"scenario": scenario, "years": years}, lambda found: frame.panel(levers_panel(View(run, None), found[asked.year])),
    )  # fmt: skip


def reserves(shown: Compare) -> None:
    """Reserves against the minimum."""
    if len(shown.reserves) > 1:
        st.markdown(shown.reserves_note)
        frame.folded("Reserves by scenario and year", shown.reserves_table)
    _frames(shown.reserves)


def download(asked: Asked) -> None:
    """The paired differences and the savings, as the command line writes them."""
    stem, run = asked.chosen.found.folder.name, asked.chosen.run
    columns = st.columns(2)
    with columns[0]:
        st.download_button(
            "Download the differences (CSV)", data=lambda: differences_csv(run, asked.against),
            file_name=f"{stem}_differences.csv", mime="text/csv", on_click="ignore",
        )  # fmt: skip
    with columns[1]:
        st.download_button(
            "Download the savings (CSV)", data=lambda: savings_csv(asked), file_name=f"{stem}_savings.csv",
            mime="text/csv", on_click="ignore",
        )  # fmt: skip


def differences_csv(run: Run, against: str) -> str:
    """Every paired difference of every measure and month, after the start date."""
    found = paired_differences(run.answers, against)
    return to_csv(found[found["date"] > str(run.record["as_at"])])


def savings_csv(asked: Asked) -> str:
    """Every saving of the chosen scenarios, as `carecast savings --to` writes it."""
    import pandas as pd

    tables = [savings_table(asked.chosen.run, name, asked.kind, asked.against) for name in asked.names]
    return pd.concat(tables).to_csv(index=False, float_format="%.2f", lineterminator="\n")
