"""What pages show of work in the background: the office, each session's own key, quick looks and longer works as they go."""

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from carecast import __version__
from carecast.dashboard import door
from carecast.dashboard.panels.look import Look
from carecast.dashboard.telling import prose
from carecast.dashboard.work import LOOK, LookState, Office, Progress
from carecast.dashboard.worker import Ask
from carecast.model.parameters import BadFile
from carecast.model.summary import BASELINE
from carecast.scenarios.library import inherited, load_scenario
from carecast.scenarios.request import scenario_files, text_digest
from carecast.scenarios.run import Run
from carecast.scenarios.run_inputs import parameter_folder
from carecast.scenarios.scenario import Scenario

POLL_SECONDS = 0.5
LOOK_POLL_SECONDS = 0.2  # a quick look is waited for, hand on the lever
GROUNDS = ("parameters", "draws", "stock")


@st.cache_resource(show_spinner=False, on_release=lambda office: office.close())
def _office(runs: str) -> Office:
    return Office(Path(runs))


def office() -> Office:
    """The one office of this server."""
    return _office(str(door.places()[1].resolve()))


def session() -> str:
    """The key of this browser session: it sees the works begun with it, and no other's."""
    key: str = st.session_state.setdefault("_session", uuid.uuid4().hex)
    return key


# --- grounds ----------------------------------------------------------------------------------------------------------
def grounds_key(run: Run) -> str:
    """Hash of what every work on a run's grounds shares."""
    record = run.record
    digests = [str(record["inputs"].get(name)) for name in GROUNDS]
    rest = [str(record[name]) for name in ("until", "seed", "radius_miles")]
    return text_digest(*digests, *rest, __version__)


def scenario_key(scenario: Scenario) -> str:
    """Hash of what a scenario says, with all it inherits; the one that runs keep of their inputs."""
    return text_digest(repr(inherited(scenario)))


def lacking(run: Run) -> str:
    """Why nothing can be told on a run's grounds: its parameter set is not there; empty when it is."""
    folder = parameter_folder(run.folder, run.record)
    if folder is None:
        return prose("no_parameters_known")
    return "" if folder.is_dir() else prose("no_parameters", folder=folder)


def warm(run: Run) -> None:
    """Have the processes read a run's grounds and tell its baseline, once."""
    key = grounds_key(run)
    if key not in _warmed():
        _warmed().add(key)
        texts = scenario_files((load_scenario(BASELINE),))
        ask = office().ask_of(text_digest(key, "baseline"), run.folder.resolve(), key, BASELINE, texts)
        office().warm(ask)


@st.cache_resource(show_spinner=False)
def _warmed() -> set[str]:
    return set()


# --- quick looks ------------------------------------------------------------------------------------------------------
def ask_look(run: Run, scenario: Scenario) -> tuple[str, Ask]:
    """Key and question of a quick look at a scenario."""
    texts = scenario_files((load_scenario(BASELINE), scenario))
    grounds = grounds_key(run)
    key = text_digest(grounds, scenario.name, scenario_key(scenario))
    return key, office().ask_of(key, run.folder.resolve(), grounds, scenario.name, texts)


def look_state(run: Run, scenario: Scenario) -> tuple[str, Ask, LookState]:
    """The state of a quick look, begun if need be."""
    key, ask = ask_look(run, scenario)
    return key, ask, office().look(session(), key, ask)


def watch_look(key: str, ask: Ask, draw: Callable[[Look, int], None]) -> None:
    """Draw a quick look as far as it is told, and draw it again when more of it is."""
    state = office().look(session(), key, ask)
    if state.failure:
        st.error(prose("look_failed", why=state.failure))
        return
    if not state.is_over:
        _asking(key, ask, _told(state))
    last: Look | None = st.session_state.get("_last_look")
    if state.look is not None:
        st.session_state["_last_look"] = state.look
        draw(state.look, LOOK)
    elif last is not None:
        st.caption(prose("look_before"))
        draw(last, 0)


def _told(state: LookState) -> int:
    return state.look.replications if state.look is not None else 0


@st.fragment(run_every=LOOK_POLL_SECONDS)
def _asking(key: str, ask: Ask, shown: int) -> None:
    state = office().look(session(), key, ask)
    if state.is_over or _told(state) != shown:
        st.rerun()
    st.progress(min(state.told / LOOK, 1.0), text=prose("look_going", told=state.told, of=LOOK))


# --- longer works -----------------------------------------------------------------------------------------------------
def begin(key: str, what: str, question: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Ask for a longer work; a folder that cannot be written becomes a sentence."""
    try:
        office().begin(session(), key, what, dict(question), dict(texts))
    except OSError as error:
        raise BadFile(f"the work cannot be begun: {error.strerror or type(error).__name__}") from None


def watch(key: str, done: Callable[[Path], None], again: Callable[[], None] | None = None) -> None:
    """How far a work of this visitor is, with a way to cancel it; what came of it when it is done.

    Args:
        key: of the work.
        done: draws the answer.
        again: asks once more, where a work failed or was cancelled.
    """
    found = office().progress(session(), key)
    if found is None:
        return
    if found.is_over:
        draw_end(key, found, done)
        if found.status != "done" and again is not None:
            st.button(prose("work_again"), key=f"again_{key}", on_click=again)
    else:
        _watching(key)


@st.fragment(run_every=POLL_SECONDS)
def _watching(key: str) -> None:
    found = office().progress(session(), key)
    if found is None or found.is_over:
        st.rerun()
    share = found.told / found.total if found.total else 0.0
    st.progress(min(share, 1.0), text=progress_words(found))
    st.button("Cancel", key=f"cancel_{key}", on_click=office().cancel, args=(session(), key))


def progress_words(found: Progress) -> str:
    """How far, and how long it will still take."""
    if found.status == "waiting":
        return prose("work_waiting", before=found.before_it)
    if not found.told or found.seconds_left is None:
        return prose("work_starting")
    left = found.seconds_left
    time_left = f"about {left / 60:.0f} minutes" if left >= 90 else f"about {max(left, 1):.0f} seconds"
    return prose("work_going", told=f"{found.told:,}", total=f"{found.total:,}", left=time_left)


def draw_end(key: str, found: Progress, done: Callable[[Path], None]) -> None:
    """What came of a work."""
    if found.status == "failed":
        st.error(prose("work_failed", why=found.message))
    elif found.status == "cancelled":
        st.info(prose("work_cancelled"))
    else:
        done(result_of(key))


def result_of(key: str) -> Path:
    """Where the answer of a finished work lies."""
    from carecast.dashboard import long_work

    return Path(long_work.state(office().folder_of(key))["result"])
