"""The page *Will we make it?*: targets and their editor, what a saving hangs on, and what it would take."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from carecast.dashboard import aims, figures, frame, roles, studio
from carecast.dashboard.aims import AimFile
from carecast.dashboard.panels import answers
from carecast.dashboard.panels.front import front
from carecast.dashboard.studio import Draft
from carecast.dashboard.telling import prose
from carecast.model.parameters import BadFile
from carecast.scenarios.run import Run
from carecast.scenarios.target_file import load_target_file
from carecast.scenarios.targets import Target
from carecast.scenarios.wording import measure_label

KINDS = {"annual": "In one financial year", "cumulative": "In all, between two dates", "level": "On a date"}
BASES = {"net": "Net of programme cost", "gross": "Gross"}
SIDES = {"at_least": "At least", "at_most": "At most"}


@dataclass(frozen=True)
class Goal:
    """The run with the targets as this visitor edits them."""

    chosen: frame.Chosen
    run: Run
    drafts: list[Draft]
    wrong: dict[int, tuple[str, ...]]

    @property
    def nation(self) -> str:
        """Whose words are shown."""
        return str(self.run.record["nation"])

    @property
    def picked(self) -> Target | None:
        """The target looked at."""
        name = st.session_state.get("aim")
        return next((t for t in self.run.targets if t.name == name), next(iter(self.run.targets), None))


def choose(head: DeltaGenerator) -> Goal:
    """The run, the scenario, and its targets as this session has them."""
    chosen = frame.choose(head)
    kept: dict[str, list[Draft]] = st.session_state.setdefault("_aims", {})
    key = f"{chosen.found.identity}@{chosen.found.version}"
    if key not in kept:
        kept[key] = [aims.draft_of(target) for target in chosen.run.targets]
    targets, wrong = aims.check(kept[key])
    return Goal(chosen, replace(chosen.run, targets=targets), kept[key], wrong)


def head(place: DeltaGenerator, goal: Goal) -> answers.Judged:
    """The finding, and every target judged."""
    picked = goal.picked
    found = answers.judged(goal.run, goal.chosen.scenario, picked.name if picked else None)
    frame.head(place, found.finding, front(goal.run, goal.chosen.scenario))
    return found


def reading(goal: Goal) -> None:
    """How to read the figures."""
    frame.reading(front(goal.run, goal.chosen.scenario))


def tiles(goal: Goal, found: answers.Judged) -> None:
    """How likely each target is; or why that cannot be said."""
    if found.why_not:
        st.warning(prose("targets_not_held", why=found.why_not))
    elif not goal.run.targets:
        st.info(prose("no_targets_here"))
    frame.tiles(found.tiles)
    if goal.chosen.scenario is None:
        st.info(prose("choose_for_targets"))
    st.caption(prose("targets"))
    frame.folded("The targets in full, with month met and shortfall", found.table)


# --- one target -------------------------------------------------------------------------------------------------------
def curve(goal: Goal) -> None:
    """The S-curve of one target."""
    if not goal.run.targets:
        return
    names = [target.name for target in goal.run.targets]
    st.selectbox("Target to look at", names, key="aim", bind="query-params", persist_state="session")
    picked = goal.picked
    if picked is None:
        return
    if picked.is_saving and picked.against == "baseline" and goal.chosen.scenario is None:
        st.info(prose("saving_needs_scenario"))
        return
    try:
        frame.panel(answers.s_curve(goal.run, goal.chosen.scenario, picked))
    except BadFile as error:
        st.warning(prose("targets_not_held", why="; ".join(error.lines)))


# --- the editor -------------------------------------------------------------------------------------------------------
def editor(goal: Goal) -> None:
    """The targets, one by one; and files of them."""
    st.caption(prose("target_editor"))
    for at, draft in enumerate(goal.drafts):
        key = f"aim_{goal.chosen.found.identity}_{st.session_state.get('_aim_revision', 0)}_{at}"
        folded = st.expander(f"Target: {draft.get('name') or 'without a name'}", key=key, on_change="rerun")
        if folded.open:
            with folded:
                _one(goal, at, draft)
        for line in goal.wrong.get(at, ()):
            st.error(f"{draft.get('name') or f'Target {at + 1}'}: {line}")
    _from_and_to_files(goal)
    columns = st.columns(3)
    with columns[0]:
        st.button("Add a target", on_click=_add, args=(goal,), width="stretch")
    with columns[1]:
        st.button("Back to the run's own", on_click=_back, args=(goal,), width="stretch")
    with columns[2]:
        st.download_button(
            "Download as a target file", aims.text_of({"name": "our_targets"}, goal.drafts), "our_targets.target.toml",
            "application/toml", on_click="ignore", width="stretch",
        )  # fmt: skip


def _from_and_to_files(goal: Goal) -> None:
    every = {aim.name: aim for aim in aims.files(studio.folder())}
    with st.expander("Target files"):
        left, right = st.columns(2)
        with left:
            name = st.selectbox(
                "Take the targets of", list(every), format_func=lambda one: every[one].label, key="aims_from"
            )
            st.button("Use these targets", on_click=_use, args=(goal, every[name]))
        with right:
            title = st.text_input("Title of a target file of your own", key="aims_title", placeholder="Our targets")
            if roles.ask_for("edit"):
                ready = bool(title.strip()) and bool(goal.drafts) and not goal.wrong
                st.button("Save these targets", on_click=_keep, args=(goal, title), disabled=not ready)
    for kind, line in st.session_state.pop("_aims_said", ()):
        (st.success if kind == "done" else st.error)(line)


def _use(goal: Goal, aim: AimFile) -> None:
    try:
        goal.drafts[:] = [aims.draft_of(target) for target in load_target_file(str(aim.file)).targets]
        _revise()
    except BadFile as error:
        st.session_state["_aims_said"] = [("wrong", line) for line in error.lines]


def _keep(goal: Goal, title: str) -> None:
    """Save the targets, with the levers that the chosen file leaves free."""
    every = {aim.name: aim for aim in aims.files(studio.folder())}
    try:
        chosen = every.get(st.session_state.get("free_from", ""))
        document = document_of(chosen) if chosen is not None else {"name": "targets"}
        file = aims.save(studio.folder(), title, aims.text_of(document, goal.drafts))
        st.session_state["_aims_said"] = [("done", prose("aims_saved", name=file.name))]
    except BadFile as error:
        st.session_state["_aims_said"] = [("wrong", line) for line in error.lines]


def _one(goal: Goal, at: int, draft: Draft) -> None:
    years, until = figures.whole_years(goal.run), figures.last_date(goal.run)
    columns = st.columns(2)

    def given(field: str) -> dict[str, Any]:
        key = f"aim|{goal.chosen.found.identity}|{st.session_state.get('_aim_revision', 0)}|{at}|{field}"
        return {"key": key, "on_change": _set, "args": (goal, at, field, key)}

    with columns[0]:
        st.text_input("Name", draft.get("name", ""), **given("name"))
        measures = [*dict.fromkeys((*aims.MEASURES, draft["measure"]))]
        st.selectbox("Measure", measures, measures.index(draft["measure"]), **given("measure"),
                     format_func=lambda name: _measure(goal.nation, name))  # fmt: skip
        if draft["measure"].endswith("_gbp"):
            st.selectbox("Counted", list(KINDS), list(KINDS).index(draft.get("kind", "annual")),
                         format_func=KINDS.__getitem__, **given("kind"))  # fmt: skip
        _dates(draft, years, until, given)
    with columns[1]:
        side = "at_most" if draft.get("at_most") is not None else "at_least"
        st.selectbox("Asked", list(SIDES), list(SIDES).index(side), format_func=SIDES.__getitem__, **given("side"))
        is_money = draft["measure"].endswith("_gbp")
        st.number_input("Pounds" if is_money else "Value", value=float(draft[side]), step=100_000.0 if is_money else 1.0,
                        format="%.0f" if is_money else "%.1f", **given(side))  # fmt: skip
        st.slider("Probability asked for, %", 5, 100, round(100 * draft.get("required_probability", 0.8)), 5,
                  **given("required_probability"))  # fmt: skip
        if draft["measure"] == "saving_gbp":
            st.selectbox("Basis", list(BASES), list(BASES).index(draft.get("basis") or "net"), format_func=BASES.__getitem__,
                         **given("basis"))  # fmt: skip
            st.checkbox(
                "Recurring only: one-off programme cost left out", bool(draft.get("recurring")), **given("recurring")
            )
        if is_money:
            st.checkbox("In real terms", draft.get("price_basis") == "real", **given("price_basis"))
            st.number_input("Already delivered, £", value=float(draft.get("already_delivered_gbp", 0.0)), step=100_000.0,
                            format="%.0f", **given("already_delivered_gbp"))  # fmt: skip
    st.button("Remove this target", key=given("remove")["key"], on_click=_remove, args=(goal, at))


def _measure(nation: str, name: str) -> str:
    return "Saving" if name == "saving_gbp" else measure_label(nation, name)


def _dates(draft: Draft, years: tuple[str, ...], until: dt.date, given: Any) -> None:  # noqa: ANN401
    for field in aims.DATES[draft.get("kind", "annual")]:
        held = draft.get(field)
        if field == "financial_year":
            options = [*dict.fromkeys((*years, *([held] if held else [])))]
            st.selectbox("Financial year", options, options.index(held or years[-1]), **given(field))
        else:
            st.date_input("From" if field == "from" else "By", held or until, dt.date(2000, 1, 1), dt.date(2060, 12, 31),
                          format="DD/MM/YYYY", **given(field))  # fmt: skip


def _set(goal: Goal, at: int, field: str, key: str) -> None:
    value, draft = st.session_state[key], dict(goal.drafts[at])
    if field == "side":
        before = draft.pop("at_least", None)
        before = draft.pop("at_most", before) if before is None else before
        draft.pop("at_most", None)
        field, value = value, before
    if field == "required_probability":
        value = value / 100
    if field == "price_basis":
        value = "real" if value else "cash"
    draft[field] = value
    goal.drafts[at] = aims.fitting(draft, figures.whole_years(goal.run), figures.last_date(goal.run))


def _add(goal: Goal) -> None:
    years, until = figures.whole_years(goal.run), figures.last_date(goal.run)
    goal.drafts.append(aims.fitting(aims.blank(years, until), years, until))
    _revise()


def _remove(goal: Goal, at: int) -> None:
    del goal.drafts[at]
    _revise()


def _back(goal: Goal) -> None:
    goal.drafts[:] = [aims.draft_of(target) for target in goal.chosen.run.targets]
    _revise()


def _revise() -> None:
    st.session_state["_aim_revision"] = st.session_state.get("_aim_revision", 0) + 1


# --- target files -----------------------------------------------------------------------------------------------------
def document_of(aim: AimFile) -> Draft:
    """A target file as it is edited in this browser page: its free levers with the ends that were changed."""
    kept: dict[str, Draft] = st.session_state.setdefault("_free", {})
    key = f"{aim.name}@{aim.file.stat().st_mtime_ns}"
    if key not in kept:
        kept[key] = aims.document_of(aim)
    return kept[key]
