"""The furniture of every page: pickers, the head, figures with their tables, and what is said when nothing can be shown."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from carecast.dashboard import disclosure, door, figures, markup, panels, papers
from carecast.dashboard.reports import KINDS, build
from carecast.dashboard.telling import iso_words, legend_name, prose
from carecast.model.summary import BASELINE, to_csv
from carecast.scenarios.run import Run

HERE = Path(__file__).parent
LOOK, ICON = HERE / "look.css", HERE / "icon.png"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chosen:
    """The run and the scenario a page shows."""

    found: door.Found
    run: Run
    scenario: str | None


# --- kept between reruns, by run --------------------------------------------------------------------------------------
@st.cache_resource(max_entries=4, show_spinner="Reading the run")
def _opened(found: door.Found) -> Run:
    return door.opened(found)


@st.cache_resource(max_entries=32, show_spinner="Putting the figures together")
def _heading(found: door.Found, scenario: str | None) -> panels.Heading:
    return panels.heading(_opened(found), scenario)


@st.cache_resource(max_entries=8, show_spinner=False)
def _method(found: door.Found) -> panels.Method:
    return panels.method(_opened(found))


def warm() -> None:
    """Open the run that is shown first and put its first page together, before anybody asks."""
    found = door.find_runs(*door.places())
    if found and found[0].status == door.COMPLETE:
        run = _opened(found[0])
        names = figures.programmes(run)
        if figures.years(run):
            _heading(found[0], names[0] if names else None)


def heading(chosen: Chosen) -> panels.Heading:
    """What the page *Where we are heading* shows."""
    return _heading(chosen.found, chosen.scenario)


def method(chosen: Chosen) -> panels.Method:
    """What the page *Assumptions and method* shows."""
    return _method(chosen.found)


def exported_summary(run: Run) -> str:
    """``summary.csv`` for download: the same table, small counts of the start date left out."""
    return to_csv(disclosure.suppress_start(pd.read_csv(run.folder / "summary.csv")))


# --- choosing ---------------------------------------------------------------------------------------------------------
def choose(head: DeltaGenerator, with_scenario: bool = True) -> Chosen:
    """The pickers, and what they point at; stops the page with a plain sentence when there is nothing to show."""
    first, runs = door.places()
    found = {run.identity: run for run in door.find_runs(first, runs)}
    if not found:
        with head:
            st.title("No run yet")
            st.markdown(prose("no_run", runs=f"`{runs}`"))
            st.code(prose("no_run_command"), language=None, wrap_lines=True)
        st.stop()
    with st.container(key="controls"):
        columns = st.columns(2)
        with columns[0]:
            picked = st.selectbox(
                "Run", list(found), format_func=lambda name: found[name].label, key="run", bind="query-params",
                persist_state="session",
            )  # fmt: skip
        run = found[picked or next(iter(found))]
        opened = _open_or_stop(run, head)
        with columns[1]:
            scenario = _pick_scenario(opened) if with_scenario else None
    chosen = Chosen(run, opened, scenario)
    st.session_state["_chosen"] = chosen  # for the foot of the page
    return chosen


def _pick_scenario(run: Run) -> str | None:
    names = [*figures.programmes(run), BASELINE]
    picked = st.selectbox(
        "Scenario, beside the baseline", names, key="scenario", bind="query-params", persist_state="session",
        format_func=lambda name: "Baseline alone" if name == BASELINE else legend_name(name),
    )  # fmt: skip
    return None if picked in (None, BASELINE) else picked


def _open_or_stop(found: door.Found, head: DeltaGenerator) -> Run:
    if found.status not in (door.COMPLETE, door.UNREADABLE):
        with head:
            st.title("This run is not complete")
            st.warning(prose("not_complete", status=found.status, done=door.told_so_far(found), asked=found.asked))
            st.code(prose("not_complete_command", folder=found.folder), language=None, wrap_lines=True)
        st.stop()
    try:
        opened = _opened(found)
    except door.NotShownError as error:
        with head:
            st.title("This run cannot be read")
            st.error(prose("not_readable", why=error))
        st.stop()
    if not figures.years(opened):
        with head:
            st.title("This run ends on the day it starts")
            st.warning(prose("no_day", day=iso_words(str(opened.record["as_at"]))))
            st.code(prose("no_run_command"), language=None, wrap_lines=True)
        st.stop()
    return opened


def guarded(draw: Callable[[], None]) -> None:
    """Draw a page; a fault becomes a sentence and a way on, never a traceback on the screen."""
    try:
        draw()
    except Exception as error:
        log.error("the page could not be drawn: %s", type(error).__name__)
        st.error(prose("broken_page", kind=type(error).__name__, folder="RUN"))


# --- drawing ----------------------------------------------------------------------------------------------------------
def begin() -> None:
    """Name, icon, width and look of every page."""
    st.session_state.pop("_chosen", None)
    st.set_page_config(page_title="carecast", page_icon=str(ICON), layout="wide")
    st.html(LOOK)


def head(place: DeltaGenerator, finding: str, front: panels.Front) -> None:
    """The finding as the one first heading, the stamp, who, when and how many."""
    with place:
        st.title(finding, anchor=False)
        if front.stamp:
            st.html(markup.stamp(front.stamp))
        st.html(markup.facts(front.facts))


def reading(front: panels.Front) -> None:
    """How to read the figures: intervals, chance, what the baseline is."""
    with st.expander("How to read these figures"):
        for passage in front.warnings:
            st.markdown(passage)


def tiles(shown: Sequence[panels.Tile]) -> None:
    """Headline numbers."""
    if shown:
        st.html(markup.tiles(shown))


def table(shown: panels.Table | None) -> None:
    """A small table."""
    if shown is not None:
        st.html(markup.table(shown))


def folded(label: str, shown: panels.Table | None, note: str = "") -> None:
    """A table that opens on demand."""
    if shown is not None:
        with st.expander(label):
            if note:
                st.markdown(note)
            table(shown)


def panel(shown: panels.Panel) -> None:
    """A chart under its finding, with the data below it."""
    st.subheader(shown.title, anchor=False)
    st.caption(shown.subtitle)
    st.html(markup.key(shown.key))
    st.altair_chart(shown.chart, theme=None, alt=shown.alt, key=f"chart_{shown.name}")
    folded("The numbers", shown.table)


def side_by_side(shown: Sequence[panels.Panel], widths: Sequence[int] = (1, 1)) -> None:
    """Panels in columns; one under another on narrow screens."""
    for column, one in zip(st.columns(list(widths), gap="large"), shown, strict=True):
        with column:
            panel(one)


def savings(shown: panels.Savings | None, otherwise: str) -> None:
    """What is saved, by kind, with safety beside it; or why there is nothing to show."""
    if shown is None:
        st.info(otherwise)
        return
    left, right = st.columns([4, 5], gap="large")
    with left:
        panel(shown.panel)
    with right:
        st.subheader(shown.safety_title, anchor=False)
        st.caption(prose("safety"))
        table(shown.safety)
    table(shown.kinds)
    for note in shown.notes:
        st.caption(note)


def paper(label: str, file: Path) -> None:
    """A page of the documentation that opens on demand; nothing where it is not there."""
    blocks = papers.paper(file)
    if blocks:
        with st.expander(label):
            for block in blocks:
                if isinstance(block, str):
                    st.markdown(block)
                else:
                    table(block)


def bullets(lines: Sequence[str]) -> None:
    """A list."""
    st.markdown("\n".join(f"- {line}" for line in lines))


def not_modelled(lines: Sequence[str]) -> None:
    """What is not modelled: of every run, and what a scenario says of itself under its title."""
    st.markdown(prose("not_modelled"))
    grouped: dict[str, list[str]] = {}
    for line in lines:
        title, colon, rest = line.partition(": ")
        of_scenario = bool(colon) and sum(other.startswith(f"{title}: ") for other in lines) > 1
        grouped.setdefault(title if of_scenario else line, []).extend([rest] if of_scenario else [])
    st.markdown("\n".join("\n".join([f"- {head}:" if rest else f"- {head}", *(f"    - {one}" for one in rest)])
                          for head, rest in grouped.items()))  # fmt: skip


def download(chosen: Chosen) -> None:
    """The data of the run."""
    st.caption(prose("download"))
    st.download_button(
        "Download all figures (CSV)", data=lambda: exported_summary(chosen.run),
        file_name=f"{chosen.found.folder.name}_summary.csv", mime="text/csv", on_click="ignore",
    )  # fmt: skip


def foot() -> None:
    """Reports of the run that the page shows, made when they are asked for; nothing on a page without a run."""
    chosen: Chosen | None = st.session_state.get("_chosen")
    if chosen is None:
        return
    st.header("Reports to take away", anchor=False)
    st.caption(prose("reports" if chosen.scenario is None else "reports_of", name=legend_name(chosen.scenario or "")))
    with st.container(horizontal=True, key="reports"):
        for kind, about in KINDS.items():
            st.download_button(
                f"{about.label}", data=partial(_report, chosen, kind), mime=about.mime, key=f"report_{kind}",
                file_name=f"{chosen.found.folder.name}_{kind_name(chosen)}.{kind}", on_click="ignore",
            )  # fmt: skip


def kind_name(chosen: Chosen) -> str:
    """What a report's file name says besides the run: the scenario it is of."""
    return chosen.scenario or "report"


@st.cache_resource(max_entries=20, show_spinner=False)
def _made(digest: str, kind: str, scenario: str | None, _run: Run) -> bytes:
    return build(_run, kind, scenario)


def _report(chosen: Chosen, kind: str) -> bytes:
    """The bytes of a report, kept for the next who asks."""
    return _made(f"{chosen.found.folder}{chosen.found.version}", kind, chosen.scenario, chosen.run)


def register(chosen: Chosen) -> None:
    """Filters, and the register of numbers."""
    st.caption(prose("register"))
    columns = st.columns(3)
    with columns[0]:
        hows = st.pills("How a number was found", ["published", "fitted", "assumed"], selection_mode="multi", key="how",
                        format_func=str.capitalize, bind="query-params")  # fmt: skip
    with columns[1]:
        section = st.selectbox("Part", [None, *panels.SECTIONS], key="part",
                               format_func=lambda name: "All parts" if name is None else panels.SECTIONS[name])  # fmt: skip
    with columns[2]:
        text = st.text_input("Words in name, source or note", key="words")
    table(panels.register_table(chosen.run, list(hows or []), section, text or ""))
