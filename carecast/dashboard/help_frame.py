"""The controls of the page *Early help and workforce*, and what it keeps between reruns."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from carecast.dashboard import frame, places_frame
from carecast.dashboard.disclosure import suppress_staff
from carecast.dashboard.frame import Chosen
from carecast.dashboard.panels import help as panels
from carecast.dashboard.panels.help import Help
from carecast.dashboard.telling import prose
from carecast.model.summary import BASELINE
from carecast.scenarios import gaps as report
from carecast.scenarios.run import Run
from carecast.scenarios.workforce import workforce


@st.cache_resource(max_entries=32, show_spinner="Putting early help and staff together")
def _help(found: object, _run: Run, scenario: str | None, year: str) -> Help:
    return panels.early_help(_run, scenario, year)


def ask(head: DeltaGenerator) -> tuple[Chosen, Help]:
    """The pickers of the page, and what it shows."""
    chosen = frame.choose(head)
    year = places_frame.ask_year(chosen.run, "Year of the gap report")
    return chosen, _help(chosen.found, chosen.run, chosen.scenario, year)


def queue(told: Help) -> None:
    """Who waits, who is helped, and the places there are."""
    frame.side_by_side(told.queue)
    for label, table in told.waits:
        frame.folded(label, table)
    frame.folded("Places of early help", told.places)
    st.caption(told.places_note)


def staff(told: Help) -> None:
    """Staff needed against those in post."""
    if told.staff is None:
        st.info(told.staff_note)
        return
    frame.panel(told.staff)
    frame.folded("Staff needed, year by year", told.staff_years)
    st.caption(told.staff_note)


def gaps(told: Help) -> None:
    """The annual gap report."""
    st.markdown(told.gap_words)
    if told.gap is None:
        st.info(prose("help_nothing_missing"))
    else:
        frame.panel(told.gap)
    for label, table in told.gap_tables:
        frame.folded(label, table)
    st.caption(told.gap_note)


def download(chosen: Chosen, told: Help) -> None:
    """Staff, and the gap report of the year and of all years."""
    stem, run, subject = chosen.found.folder.name, chosen.run, chosen.scenario or BASELINE
    columns = st.columns(3)
    with columns[0]:
        if told.staff is not None:
            st.download_button(
                "Download staff by month (CSV)", data=lambda: staff_csv(run, subject),
                file_name=f"{stem}_workforce.csv", mime="text/csv", on_click="ignore",
            )  # fmt: skip
    with columns[1]:
        st.download_button(
            f"Download the gap report of {told.year} (CSV)", data=lambda: places_frame.gaps_csv(run, subject, told.year),
            file_name=f"{stem}_gaps_{told.year}.csv", mime="text/csv", on_click="ignore",
        )  # fmt: skip
    with columns[2]:
        st.download_button(
            "Download the gap report of all years (CSV)", data=lambda: all_gaps_csv(run, subject),
            file_name=f"{stem}_gaps.csv", mime="text/csv", on_click="ignore",
        )  # fmt: skip


def staff_csv(run: Run, scenario: str) -> str:
    """Staff by month and role, as `carecast workforce --scenario NAME --to` writes it; small counts left out."""
    return suppress_staff(run, workforce(run, [scenario])).to_csv(index=False, float_format="%.4f", lineterminator="\n")


def all_gaps_csv(run: Run, scenario: str) -> str:
    """The gap report of every year, as `carecast gaps --year all --to` writes it."""
    return report.long_table(report.gaps(run, scenario)).to_csv(index=False, float_format="%.4f", lineterminator="\n")
