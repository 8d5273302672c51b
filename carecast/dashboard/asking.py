"""What a saving hangs on, and what it would take: asked in the background from the page *Will we make it?*."""

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from carecast.dashboard import aims, background, frame, roles, studio
from carecast.dashboard.goals import Goal, document_of
from carecast.dashboard.panels import answers
from carecast.dashboard.studio import Draft
from carecast.dashboard.telling import legend_name, prose
from carecast.model.parameters import BadFile
from carecast.scenarios.library import load_scenario
from carecast.scenarios.request import scenario_files, text_digest
from carecast.scenarios.scenario import Scenario

EFFORTS = {"quick": (32, 200, 500), "careful": (64, 600, 2000)}  # search, check, verify; the latter as the command
SENSITIVITY = {"replications": 400, "tornado": 10, "tornado_replications": 60}  # as the command


# --- what it hangs on -------------------------------------------------------------------------------------------------
def hangs(goal: Goal) -> None:
    """Tornado, and which assumption to research first."""
    scenario = goal.chosen.scenario
    why_not = prose("hangs_needs_scenario") if scenario is None else background.lacking(goal.run)
    if why_not or scenario is None:
        st.info(why_not)
        return
    found = load_scenario(goal.run.folder / "inputs" / f"{scenario}.toml")
    texts = scenario_files((load_scenario("baseline"), found))
    settings = [f"{name}={value}" for name, value in SENSITIVITY.items()]
    digest = text_digest(background.grounds_key(goal.run), background.scenario_key(found), found.name, *settings)
    key = f"sensitivity-{digest}"
    if background.office().progress(background.session(), key) is None:
        st.caption(prose("hangs_note"))
        if not roles.ask_for("run"):
            return
        st.button("Find out what it hangs on", on_click=_ask_hangs, args=(goal, found, key, texts))
    else:
        background.watch(key, _draw_hangs, again=lambda: _ask_hangs(goal, found, key, texts))


def _ask_hangs(goal: Goal, scenario: Scenario, key: str, texts: dict[str, str]) -> None:
    question = {"kind": "sensitivity", "run": str(goal.run.folder.resolve()), "scenario": scenario.name, **SENSITIVITY}
    what = prose("hangs_called", name=legend_name(scenario.name))
    _begin(key, what, question, {f"inputs/{name}.toml": text for name, text in texts.items()})


def _draw_hangs(file: Path) -> None:
    shown = answers.hangs(file)
    if shown.panel is None:
        st.info(prose("no_tornado"))
    else:
        frame.panel(shown.panel)
    st.subheader("What to research first", anchor=False)
    if shown.research is None:
        st.info(prose("no_research"))
    frame.table(shown.research)
    for note in shown.notes:
        st.markdown(note)


def _begin(key: str, what: str, question: dict[str, Any], texts: dict[str, str]) -> None:
    try:
        background.begin(key, what, question, texts)
    except BadFile as error:
        st.session_state["_said"] = [("wrong", line) for line in error.lines]


# --- what would it take -----------------------------------------------------------------------------------------------
def solver(goal: Goal) -> None:
    """The cheapest package that meets every target, searched in the background."""
    st.caption(prose("solver_note"))
    missing = background.lacking(goal.run)
    if missing:
        st.warning(missing)
        return
    if not roles.ask_for("run"):
        return
    document = _free(goal)
    if document is None:
        return
    effort = st.radio("How thorough", list(EFFORTS), 1, format_func=lambda name: prose(f"effort_{name}"), key="effort",
                      persist_state="session")  # fmt: skip
    text = aims.text_of(document, goal.drafts)
    seed = goal.run.record["seed"]
    key = f"solve-{text_digest(background.grounds_key(goal.run), text, effort)}"
    question = {
        "kind": "solve", "run": str(goal.run.folder.resolve()), "file": "asked.target.toml", "seed": seed,
        **dict(zip(("replications", "check", "verify"), EFFORTS[effort], strict=True)), "command": prose("solve_command"),
    }  # fmt: skip
    ready = bool(goal.drafts) and not goal.wrong and bool(document.get("free_lever"))
    st.button("Find what it would take", type="primary", disabled=not ready, on_click=_begin,
              args=(key, prose("solve_called"), question, {"asked.target.toml": text}),
              help=None if ready else prose("solve_not_ready"))  # fmt: skip
    for line in st.session_state.pop("_said", ()):
        (st.success if line[0] == "done" else st.error)(line[1])
    mine = [one for one, _ in background.office().works(background.session()) if one.startswith("solve-")]
    for one in mine[:1]:
        if one != key:
            st.info(prose("solve_stale"))
        background.watch(one, lambda folder: _draw_taken(folder, goal.nation))


def _free(goal: Goal) -> Draft | None:
    """The target file whose levers are free, with the ends as they are edited here."""
    every = {aim.name: aim for aim in aims.files(studio.folder())}
    own = str(goal.run.record["council"]).lower().replace(" ", "_")
    first = list(every).index(own) if own in every else 0
    picked = st.selectbox("Levers left free, from the target file", list(every), first, key="free_from",
                          format_func=lambda name: every[name].label, persist_state="session")  # fmt: skip
    try:
        document = document_of(every[picked])
    except BadFile as error:
        for line in error.lines:
            st.error(line)
        return None
    rows = aims.free_rows(document)
    if not rows:
        st.info(prose("no_free_levers"))
        return document
    key = f"free|{picked}|{hash(str(rows))}"
    with st.expander("Between which sizes each lever is free"):
        st.data_editor(
            pd.DataFrame(rows), key=key, hide_index=True, disabled=["Lever", "Why"], on_change=_take_free,
            args=(document, key), alt=prose("free_alt"),
        )  # fmt: skip
    return document


def _take_free(document: Draft, key: str) -> None:
    aims.take_free(document, st.session_state[key]["edited_rows"])


def _draw_taken(folder: Path, nation: str) -> None:
    found = answers.taken(folder, nation)
    st.subheader(found.finding, anchor=False)
    st.caption(found.sentence)
    frame.table(found.package)
    if found.frontier is not None:
        frame.panel(found.frontier)
    frame.table(found.targets)
    frame.table(found.safety)
    if found.binds:
        st.subheader("What binds", anchor=False)
        frame.bullets(found.binds)
    frame.folded("Each target by itself", found.alone)
    columns = st.columns([3, 2], vertical_alignment="bottom")
    with columns[0]:
        title = st.text_input("Title of the package as a scenario", key="package_title", placeholder="What it takes")
    with columns[1]:
        st.button("Save it as a scenario", on_click=_save_package, args=(folder, title), disabled=not title.strip(),
                  width="stretch")  # fmt: skip


def _save_package(folder: Path, title: str) -> None:
    try:
        name = studio.name_of(title)
        today = dt.datetime.now(dt.UTC).date()
        text = aims.package_text((folder / "package.toml").read_text(encoding="utf-8"), name, "", today)
        studio.upload(studio.folder(), text, f"{name}.toml")
        st.session_state["_said"] = [("done", prose("package_saved", name=legend_name(name)))]
    except BadFile as error:
        st.session_state["_said"] = [("wrong", line) for line in error.lines]
