"""The page *Scenarios*: which scenario lies on the desk, its files, the quick look beside its levers, and full runs."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from carecast.dashboard import background, door, editing, frame, roles, studio
from carecast.dashboard.panels.front import front
from carecast.dashboard.panels.library import entries_table, held_in, held_table
from carecast.dashboard.panels.look import Look
from carecast.dashboard.studio import Checked, Draft, Entry
from carecast.dashboard.telling import legend_name, prose
from carecast.model.parameters import BadFile, ParameterSet
from carecast.scenarios.library import inherited, load_scenario
from carecast.scenarios.request import scenario_files, text_digest
from carecast.scenarios.scenario import Scenario

REPLICATIONS = (200, 1000, 2000)
NO_RATES: dict[str, list[Any]] = {
    "rates": [],
    "branches": [],
    "destinations": [],
}  # a run's record does not repeat them


@dataclass(frozen=True)
class Desk:
    """The scenario on the desk, as this visitor edits it."""

    chosen: frame.Chosen
    entry: Entry
    entries: tuple[Entry, ...]
    draft: Draft
    checked: Checked
    council: editing.Council

    @property
    def is_changed(self) -> bool:
        """Whether the draft says something else than its file."""
        return bool(studio.content(self.draft) != st.session_state["_opened"][_draft_key(self.entry)])


def today() -> dt.date:
    """The date of today."""
    return dt.datetime.now(dt.UTC).date()


# --- which scenario ---------------------------------------------------------------------------------------------------
def choose(head: DeltaGenerator) -> Desk:
    """The run to stand on and the scenario to work on, with what is wrong in it."""
    chosen = frame.choose(head, with_scenario=False)
    entries = studio.entries(studio.folder())
    by_name = {entry.name: entry for entry in entries}
    wanted = st.session_state.pop("_open_next", None)
    if wanted in by_name:
        st.session_state["plan"] = wanted
    held = [name for name in chosen.run.record["scenarios"] if name in by_name]
    first = list(by_name).index(held[0]) if held else 0
    picked = st.selectbox(
        "Scenario to work on", list(by_name), first, format_func=lambda name: by_name[name].label, key="plan",
        bind="query-params", persist_state="session",
    )  # fmt: skip
    entry = by_name[picked or entries[first].name]
    if entry.problem:
        with head:
            st.title(prose("scenario_broken_title", name=entry.label), anchor=False)
            st.error(prose("scenario_broken", why=entry.problem, file=entry.file))
        _files(entry, entries)
        st.stop()
    st.session_state["_as_at"] = dt.date.fromisoformat(chosen.run.record["as_at"])
    draft = _draft(entry)
    until = dt.date.fromisoformat(chosen.run.record["until"])
    checked = studio.check(draft, entry.file.parent, _parameters(chosen.found), until)
    return Desk(chosen, entry, entries, draft, checked, editing.Council.of(chosen.run.record))


@st.cache_resource(max_entries=4, show_spinner=False)
def _parameters(found: door.Found) -> ParameterSet:
    return ParameterSet.model_validate({**door.opened(found).record["parameters"], **NO_RATES})


def _draft_key(entry: Entry) -> str:
    return f"{entry.name}@{entry.file.stat().st_mtime_ns}"


def _draft(entry: Entry) -> Draft:
    """This visitor's draft of a scenario: what was changed stays while one looks at other scenarios and pages."""
    drafts: dict[str, Draft] = st.session_state.setdefault("_drafts", {})
    opened: dict[str, Draft] = st.session_state.setdefault("_opened", {})
    key = _draft_key(entry)
    if key not in drafts:
        drafts[key] = studio.draft_of(load_scenario(str(entry.file)))
        opened[key] = studio.content(drafts[key])
        studio.take_sizes(drafts[key], str(st.query_params.get("sizes", "")))
        editing.revise()
    return drafts[key]


def address(desk: Desk) -> None:
    """Keep in the address what reopens this very view: the sizes that differ from the file."""
    before = studio.draft_of(load_scenario(str(desk.entry.file)))
    sizes = studio.sizes_text(before, desk.draft)
    if sizes:
        st.query_params["sizes"] = sizes
    elif "sizes" in st.query_params:
        del st.query_params["sizes"]


# --- the head ---------------------------------------------------------------------------------------------------------
def head(place: DeltaGenerator, desk: Desk) -> None:
    """The finding of the quick look, or what it waits for."""
    name = legend_name(desk.entry.name)
    finding = prose("scenario_wrong_title", name=name)
    if desk.checked.scenario is not None:
        finding = prose("scenario_looking_title", name=name)
        if not background.lacking(desk.chosen.run):
            _, _, state = background.look_state(desk.chosen.run, desk.checked.scenario)
            finding = state.look.finding if state.look else finding
        else:
            finding = prose("scenario_no_look_title", name=name)
    said = front(desk.chosen.run, None)
    facts = tuple(fact for fact in said.facts if "replications" not in fact)  # the quick look says its own
    frame.head(place, finding, replace(said, facts=facts))
    with place:
        if desk.is_changed:
            st.info(prose("draft_changed" if not desk.entry.is_shipped else "draft_changed_shipped"))


def inherits(desk: Desk) -> None:
    """Levers that the scenario has from what it is built on; they are changed there."""
    if desk.checked.scenario is None or len(desk.entry.lineage) < 2:
        return
    own = {identity for identity, _ in desk.checked.scenario.identified()}
    rest = [(identity, lever) for identity, lever in inherited(desk.checked.scenario) if identity not in own]
    if rest:
        st.markdown(prose("inherits", source=legend_name(desk.entry.lineage[-1])))
        frame.bullets([lever.name or lever.row.label for _, lever in rest])


# --- the quick look ---------------------------------------------------------------------------------------------------
def look(desk: Desk) -> None:
    """What the levers as they stand would do."""
    missing = background.lacking(desk.chosen.run)
    if missing:
        st.warning(missing)
        return
    if desk.checked.scenario is None:
        background.warm(desk.chosen.run)
        st.error(prose("look_wrong", count=len(desk.checked.mistakes)))
        for mistake in desk.checked.elsewhere:
            st.error(mistake.text)
        return
    if not desk.draft.get("lever") and not desk.draft.get("assumption") and desk.entry.lineage == ("baseline",):
        background.warm(desk.chosen.run)
        st.info(prose("look_empty"))
        return
    key, ask, _ = background.look_state(desk.chosen.run, desk.checked.scenario)
    background.watch_look(key, ask, draw_look)


def draw_look(shown: Look, of: int) -> None:
    """Tiles with paired differences, targets, the fan, and savings with safety beside them."""
    st.caption(prose("look_note" if of and shown.replications >= of else "look_first", replications=shown.replications))
    frame.tiles(shown.tiles)
    if shown.target_tiles:
        st.markdown("**Targets of the run**")
        frame.tiles(shown.target_tiles)
    frame.panel(shown.children)
    frame.panel(shown.savings.panel)
    st.subheader(shown.savings.safety_title, anchor=False)
    st.caption(prose("safety"))
    frame.table(shown.savings.safety)
    frame.folded("What is saved, by kind", shown.savings.kinds)
    if shown.notes:
        with st.expander("Where levers meet, and what changes nothing"):
            frame.bullets(shown.notes)


# --- files ------------------------------------------------------------------------------------------------------------
def files(desk: Desk) -> None:
    """Save, discard, new, copy, archive, up and down."""
    if roles.ask_for("edit"):
        _save(desk)
    _files(desk.entry, desk.entries)
    st.download_button(
        "Download this scenario (TOML)", studio.text_of(desk.draft), f"{desk.draft['name']}.toml", "application/toml",
        on_click="ignore",
    )  # fmt: skip


def _save(desk: Desk) -> None:
    if not desk.is_changed:
        return
    columns = st.columns(2)
    with columns[0]:
        if not desk.entry.is_shipped:
            st.button("Save", type="primary", on_click=_saved, args=(desk,), disabled=desk.checked.scenario is None,
                      help=prose("save_help"), width="stretch")  # fmt: skip
    with columns[1]:
        st.button("Discard changes", on_click=_discarded, args=(desk.entry,), width="stretch")


def _saved(desk: Desk) -> None:
    def work() -> str:
        return studio.save(studio.folder(), desk.draft, today()).stem

    if _done(work, "saved"):
        _discarded(desk.entry)


def _discarded(entry: Entry) -> None:
    for kept in ("_drafts", "_opened"):
        for key in [key for key in st.session_state.get(kept, {}) if key.startswith(f"{entry.name}@")]:
            del st.session_state[kept][key]
    st.query_params.pop("sizes", None)
    editing.revise()


def _files(entry: Entry, entries: tuple[Entry, ...]) -> None:
    with st.expander("All scenarios"):
        frame.table(entries_table(entries))
    if not roles.allowed("edit"):
        return
    with st.expander("New, copy, archive, upload"):
        author = st.text_input("Author", key="file_author", persist_state="session")
        columns = st.columns(2)
        with columns[0]:
            title = st.text_input("Title of the new scenario", key="file_title", placeholder="Our plan")
            bases = ["baseline", *(one.name for one in entries if not one.problem)]
            base = st.selectbox("Built on", bases, format_func=legend_name, key="file_base")
            st.button("Make a new scenario", on_click=_new, args=(title, base, author), disabled=not title.strip())
        with columns[1]:
            copied = st.text_input(
                f"Title of a copy of {entry.label}", key="copy_title", placeholder="Our version of it"
            )
            st.button(
                "Copy it",
                on_click=_copy,
                args=(entry, copied, author),
                disabled=not copied.strip() or bool(entry.problem),
            )
            if not entry.is_shipped and not entry.problem:
                label, status = (
                    ("Take it up again", "draft") if entry.status == "archived" else ("Archive it", "archived")
                )
                st.button(label, on_click=_status, args=(entry, status))
        st.file_uploader("Upload a scenario file", "toml", key="file_up", on_change=_uploaded, max_upload_size=1)
    for kind, line in st.session_state.pop("_said", ()):
        (st.success if kind == "done" else st.error)(line)


def _done(task: Callable[[], str], said: str) -> bool:
    """Do something with files; afterwards say how it went, and open what came of it."""
    try:
        name = task()
    except BadFile as error:
        st.session_state["_said"] = [("wrong", line) for line in error.lines]
        return False
    st.session_state["_said"] = [("done", prose(f"file_{said}", name=name))]
    st.session_state["_open_next"] = name
    return True


def _new(title: str, base: str, author: str) -> None:
    _done(lambda: studio.new(studio.folder(), title, base, author, today()).stem, "made")


def _copy(entry: Entry, title: str, author: str) -> None:
    """A copy, with what this visitor changed and did not save."""

    def task() -> str:
        file = studio.copy(studio.folder(), entry, title, author, today())
        changed = st.session_state.get("_drafts", {}).get(_draft_key(entry))
        if changed is not None:
            kept = studio.draft_of(load_scenario(str(file)))
            levers = {section: changed.get(section, []) for section in studio.SECTIONS}
            studio.save(studio.folder(), {**kept, **levers, "version": 1}, today())
        return file.stem

    if _done(task, "copied"):
        _discarded(entry)


def _status(entry: Entry, status: str) -> None:
    def task() -> str:
        studio.set_status(entry, status)
        return entry.name

    _done(task, "archived" if status == "archived" else "taken_up")


def _uploaded() -> None:
    given = st.session_state.get("file_up")
    if given is None:
        return
    try:
        text = given.getvalue().decode("utf-8")
    except UnicodeDecodeError:
        st.session_state["_said"] = [("wrong", prose("file_no_text", name=given.name))]
        return
    _done(lambda: studio.upload(studio.folder(), text, given.name).stem, "uploaded")


# --- full runs --------------------------------------------------------------------------------------------------------
def full_run(desk: Desk) -> None:
    """A full run in the background, and which runs of this scenario are stale."""
    scenario = desk.checked.scenario
    if scenario is not None:
        record = desk.chosen.run.record
        digests = {name: record["inputs"][name] for name in background.GROUNDS}
        found = door.find_runs(*door.places())
        held = held_in(found, scenario.name, background.scenario_key(scenario), digests)
        shown = held_table(held)
        if shown is None:
            st.info(prose("no_full_run"))
        frame.table(shown)
    if not roles.ask_for("run"):
        return
    columns = st.columns([2, 3], vertical_alignment="bottom")
    with columns[0]:
        count = st.selectbox("Replications", REPLICATIONS, 1, format_func=lambda n: f"{n:,}", key="full_count")
    with columns[1]:
        rest = [one.name for one in desk.entries if one.name != desk.entry.name and not one.problem]
        others = st.multiselect("Together with, to compare", rest, format_func=legend_name, key="full_others",
                                max_selections=4)  # fmt: skip
    why_not = background.lacking(desk.chosen.run) or ("" if scenario is not None else prose("full_wrong"))
    st.button("Start the full run", type="primary", on_click=_start_run, args=(desk, scenario, count, others),
              disabled=bool(why_not), help=why_not or prose("full_help"))  # fmt: skip
    _my_works("run")


def _start_run(desk: Desk, scenario: Scenario, count: int, others: list[str]) -> None:
    files = {one.name: one.file for one in desk.entries}
    try:
        scenarios = (scenario, *(load_scenario(str(files[name])) for name in others))
        texts = scenario_files(scenarios)
        record = desk.chosen.run.record
        key = text_digest(
            background.grounds_key(desk.chosen.run), str(count), *(t for one in texts.items() for t in one)
        )
        names = "_".join(one.name for one in scenarios)[:50]
        out = door.places()[1].resolve() / f"{names}_{key[:8]}"
        question = {
            "kind": "run", "run": str(desk.chosen.run.folder.resolve()), "scenarios": [one.name for one in scenarios],
            "replications": count, "out": str(out), "command": _command(desk.chosen.run, scenarios, count, record, out),
        }  # fmt: skip
        what = prose("run_called", name=legend_name(scenario.name), count=f"{count:,}")
        background.begin(f"run-{key}", what, question, {f"inputs/{name}.toml": text for name, text in texts.items()})
    except BadFile as error:
        st.session_state["_said"] = [("wrong", line) for line in error.lines]


def _command(run: Any, scenarios: tuple[Scenario, ...], count: int, record: dict[str, Any], out: Path) -> str:  # noqa: ANN401
    """The command that gives the same run, where the scenarios are saved."""
    import shlex

    from carecast.scenarios.run_inputs import parameter_folder

    words = ["carecast", "run", "--parameters", str(parameter_folder(run.folder, record).resolve())]  # type: ignore[union-attr]
    for scenario in scenarios:
        words += ["--scenario", str(out / "inputs" / f"{scenario.name}.toml")]
    words += ["--replications", str(count), "--seed", str(record["seed"]), "--until", record["until"]]
    if float(record["radius_miles"]) != float(record["parameters"]["radius_miles"]):
        words += ["--radius", str(record["radius_miles"])]
    return shlex.join([*words, "--out", f"{out}_again"])


def _my_works(kind: str) -> None:
    for key, what in background.office().works(background.session()):
        if key.startswith(f"{kind}-"):
            st.markdown(f"**{what}**")
            background.watch(key, _run_done)


def _run_done(out: Path) -> None:
    st.success(prose("run_done", name=out.name))
    st.button("Show it", key=f"show_{out.name}", on_click=show, args=(out.name,))


def show(name: str) -> None:
    """Choose a run on every page, and go to the first."""
    st.session_state["run"] = name
    st.session_state["_go_to"] = "views/heading.py"


def went() -> None:
    """Go to the page that a button asked for."""
    page = st.session_state.pop("_go_to", None)
    if page:
        st.switch_page(page)
