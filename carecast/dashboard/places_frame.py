"""The controls of the page *Placements and distance*, what it keeps between reruns, and what is simulated on asking."""

from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from carecast.dashboard import background, desk, figures, figures_places, frame, house, long_answers, roles, studio
from carecast.dashboard.answer_work import CHANCES, MOST_REPLICATIONS
from carecast.dashboard.frame import Chosen
from carecast.dashboard.house import House
from carecast.dashboard.panels import places as panels
from carecast.dashboard.panels import places_needed
from carecast.dashboard.panels.look import Look
from carecast.dashboard.panels.places import Places
from carecast.dashboard.telling import legend_name, percent, prose, scenario_name
from carecast.model.parameters import BadFile
from carecast.model.summary import BASELINE
from carecast.scenarios import gaps as report
from carecast.scenarios.run import Run


@st.cache_resource(max_entries=32, show_spinner="Putting the placements together")
def _places(found: object, _run: Run, scenario: str | None, year: str) -> Places:
    return panels.places(_run, scenario, year)


def ask(head: DeltaGenerator) -> tuple[Chosen, Places]:
    """The pickers of the page, and what it shows."""
    chosen = frame.choose(head)
    year = ask_year(chosen.run, "Placements begun in")
    return chosen, _places(chosen.found, chosen.run, chosen.scenario, year)


def ask_year(run: Run, label: str) -> str:
    """The financial year that gaps are told of."""
    years = report.years_of(run)
    last = figures.whole_years(run)[-1]
    picked = st.selectbox(
        label, years, index=years.index(last) if last in years else len(years) - 1, key="gap_year",
        bind="query-params", persist_state="session",
        format_func=lambda year: f"{year} (part year)" if figures.is_part_year(run, year) else year,
    )  # fmt: skip
    return picked or last


def who(told: Places) -> None:
    """Who lives where: by type, locality, age and home."""
    frame.panel(told.types)
    for label, table in told.parts:
        frame.folded(label, table)
    frame.folded("By home", told.providers)


def why(told: Places) -> None:
    """Why far, why dear, why out of the area."""
    if told.why is None:
        st.info(told.no_why)
    else:
        frame.panel(told.why)
    frame.table(told.wanted)
    for label, table in told.where:
        frame.folded(label, table)
    frame.folded("Out of the council's area, by the kind of home", told.outside)
    st.caption(told.why_note)


def the_map(told: Places) -> None:
    """The map, and what is not on it."""
    frame.panel(told.map)
    if told.nowhere:
        st.caption(told.nowhere)


# --- places needed ----------------------------------------------------------------------------------------------------
def needed(chosen: Chosen) -> None:
    """How many places are needed for a chance that nobody finds them full."""
    run = chosen.run
    st.markdown(prose("places_needed"))
    columns = st.columns([2, 3])
    with columns[0]:
        chance = st.segmented_control(
            "Chance that they are enough", CHANCES, default=CHANCES[1], key="needed_chance", required=True,
            format_func=lambda value: percent(100 * value),
        )  # fmt: skip
    n = min(int(run.record["replications"]), MOST_REPLICATIONS)
    wanted = chance or CHANCES[1]
    if n * (1 - wanted) < 1 - 1e-9:
        st.info(prose("places_needed_few", chance=percent(100 * wanted), replications=n))
        return
    scenario = chosen.scenario or BASELINE
    long_answers.answer(
        run, "sufficiency", f"Places needed: {legend_name(scenario)}", "Work out the places needed",
        {"scenario": scenario}, lambda document: _needed(run, document, wanted),
    )  # fmt: skip


def _needed(run: Run, document: dict[str, Any], chance: float) -> None:
    shown = places_needed.tables(str(run.record["nation"]), document, chance)
    st.subheader(shown.finding, anchor=False)
    for table in shown.tables:
        frame.table(table)
    st.caption(prose("places_needed_note", replications=document["replications"]))


# --- a house opens here -----------------------------------------------------------------------------------------------
def open_a_house(chosen: Chosen) -> None:
    """The form, the quick look at it, and the scenario file it leads to."""
    run = chosen.run
    st.markdown(prose("places_house"))
    asked = _form(run)
    if asked is None:
        return
    try:
        scenario = house.scenario_of(run, asked)
    except BadFile as error:
        st.error(prose("places_house_refused", why="; ".join(error.lines)))
        return
    missing = background.lacking(run)
    if missing:
        st.warning(missing)
    else:
        key, look, _ = background.look_state(run, scenario)
        background.watch_look(key, look, _draw_look)
    _keep(house.text_of(run, asked))


def _draw_look(shown: Look, of: int) -> None:
    st.subheader(shown.finding, anchor=False)
    desk.draw_look(shown, of)


def _form(run: Run) -> House | None:
    sites = house.sites(run)
    first = house.usual(run)
    with st.form("house"):
        columns = st.columns(2)
        with columns[0]:
            site = st.selectbox("Where", list(sites), key="house_site")
            places = st.number_input("Places", 1, 12, int(first.places), key="house_places")
            months = st.number_input(
                "Months until the first child moves in", 0, 60, first.lead_months, key="house_lead"
            )
            start = st.date_input("Decided on", first.start, key="house_from", format="DD/MM/YYYY",
                                  min_value=run.calendar.as_at, max_value=run.calendar.until)  # fmt: skip
        with columns[1]:
            fixed = st.number_input("Fixed cost, £ a week, whoever lives there", 0.0, 200_000.0,
                                    float(first.fixed_weekly_cost_gbp), 500.0, format="%.0f", key="house_fixed")  # fmt: skip
            weekly = st.number_input("Cost for each child, £ a week", 0.0, 20_000.0, float(first.weekly_cost_gbp), 10.0,
                                     format="%.0f", key="house_weekly")  # fmt: skip
            capital = st.number_input("Building or buying it, £ once", 0.0, 20_000_000.0, 0.0, 50_000.0,
                                      format="%.0f", key="house_capital")  # fmt: skip
            name = st.text_input("What it is called", first.name, key="house_name", max_chars=60)
        asked = st.form_submit_button("What if this house opens?")
    if asked:
        st.session_state["house_asked"] = House(
            name.strip() or first.name, *sites[site], int(places), int(months), start, float(fixed), float(weekly),
            float(capital),
        )  # fmt: skip
    found: House | None = st.session_state.get("house_asked")
    return found


def _keep(text: str) -> None:
    columns = st.columns(2)
    with columns[0]:
        st.download_button(
            "Download as a scenario (TOML)", text, f"{house.SCENARIO}.toml", "application/toml", on_click="ignore",
            key="house_download",
        )  # fmt: skip
    with columns[1]:
        if roles.allowed("edit") and st.button("Save among the scenarios", key="house_save"):
            _saved(text)


def _saved(text: str) -> None:
    own = studio.folder()
    try:
        file = studio.upload(own, house.renamed(text, house.free_name(own)), f"{house.SCENARIO}.toml")
    except BadFile as error:
        st.error(prose("places_house_refused", why="; ".join(error.lines)))
        return
    st.success(prose("places_house_saved", file=file, name=scenario_name(file.stem)))


# --- data -------------------------------------------------------------------------------------------------------------
def download(chosen: Chosen, told: Places) -> None:
    """Gaps and homes of the year, as the command line writes them."""
    stem, run, subject = chosen.found.folder.name, chosen.run, chosen.scenario or BASELINE
    columns = st.columns(2)
    with columns[0]:
        st.download_button(
            f"Download the gaps of {told.year} (CSV)", data=lambda: gaps_csv(run, subject, told.year),
            file_name=f"{stem}_gaps_{told.year}.csv", mime="text/csv", on_click="ignore",
        )  # fmt: skip
    with columns[1]:
        st.download_button(
            f"Download the homes of {told.year} (CSV)", data=lambda: homes_csv(run, subject, told.year),
            file_name=f"{stem}_homes_{told.year}.csv", mime="text/csv", on_click="ignore",
        )  # fmt: skip


def gaps_csv(run: Run, scenario: str, year: str) -> str:
    """The gap report in one table, as `carecast gaps --to` writes it."""
    found: pd.DataFrame = report.long_table(report.gaps(run, scenario, [year]))
    return found.to_csv(index=False, float_format="%.4f", lineterminator="\n")


def homes_csv(run: Run, scenario: str, year: str) -> str:
    """Child-years in every home or pool of homes."""
    return figures_places.by_provider(run, scenario, year).to_csv(index=False, float_format="%.2f", lineterminator="\n")
