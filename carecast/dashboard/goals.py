"""The page *Will we make it?*: targets and their editor, what a saving hangs on, and what it would take."""

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from carecast.dashboard import aims, background, door, figures, frame, roles, studio
from carecast.dashboard.aims import AimFile
from carecast.dashboard.panels import answers
from carecast.dashboard.panels.front import front
from carecast.dashboard.studio import Draft
from carecast.dashboard.telling import legend_name, prose
from carecast.model.parameters import BadFile
from carecast.scenarios.library import load_scenario
from carecast.scenarios.request import scenario_files, text_digest
from carecast.scenarios.run import Run
from carecast.scenarios.scenario import Scenario
from carecast.scenarios.targets import Target
from carecast.scenarios.wording import measure_label

EFFORTS = {"quick": (32, 200, 500), "careful": (64, 600, 2000)}  # search, check, verify; the latter as the command
SENSITIVITY = {"replications": 400, "tornado": 10, "tornado_replications": 60}  # as the command
KINDS = {"annual": "In one financial year", "cumulative": "In all, between two dates", "level": "On a date"}
BASES = {"net": "Net of programme cost", "gross": "Gross"}
SIDES = {"at_least": "At least", "at_most": "At most"}


@dataclass(frozen=True)
class Goal:
    """The run with the targets as they are edited in this session."""

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
        document = _document(every[picked])
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


def _document(aim: AimFile) -> Draft:
    kept: dict[str, Draft] = st.session_state.setdefault("_free", {})
    key = f"{aim.name}@{aim.file.stat().st_mtime_ns}"
    if key not in kept:
        kept[key] = aims.document_of(aim)
    return kept[key]


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


__all__ = ["Goal", "choose", "curve", "door", "editor", "hangs", "head", "solver", "tiles"]
