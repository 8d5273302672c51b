"""On the page *Calibration*, after adopting a parameter set: a first run on it, as it goes, and the way to what it shows."""

import datetime as dt
import json
import shlex
from pathlib import Path

import streamlit as st

from carecast.dashboard import background, calibrate_frame, desk, door, roles
from carecast.dashboard.telling import legend_name, prose
from carecast.model.parameters import BadFile
from carecast.scenarios.library import library
from carecast.scenarios.request import text_digest

YEARS = 4
MOST_YEARS = 10
REPLICATIONS = (200, 1000, 2000)


def adopted() -> None:
    """The set this visitor adopted last, and a first run on it."""
    folder = Path(st.session_state.get(calibrate_frame.ADOPTED, ""))
    if not folder.name or not folder.is_dir():
        return
    st.success(prose("adopted", folder=folder))
    if roles.allowed("run"):
        st.subheader("A first run on it", anchor=False)
        st.caption(prose("first_run_note"))
        _form(folder)
        if st.session_state.get("_first_run"):
            background.watch(st.session_state["_first_run"], _done)


def usual_end(as_at: dt.date) -> dt.date:
    """The last day of a financial year, four years on or the year in which many targets end if that is further."""
    return max(dt.date(2029, 3, 31), dt.date(as_at.year + YEARS, 3, 31))


def _form(folder: Path) -> None:
    as_at = calibrate_frame.read(folder.name, folder).parameters.as_at
    with st.form("first_run"):
        names = st.multiselect("Scenarios beside the baseline", [name for name in library() if name != "baseline"],
                               format_func=legend_name, key="first_scenarios")  # fmt: skip
        columns = st.columns(2)
        until = columns[0].date_input(
            "Forecast to", usual_end(as_at), key="first_until", format="DD/MM/YYYY",
            min_value=as_at + dt.timedelta(days=31), max_value=dt.date(as_at.year + MOST_YEARS, 12, 31),
        )  # fmt: skip
        count = columns[1].selectbox("Replications", REPLICATIONS, format_func=lambda n: f"{n:,}", key="first_count")
        asked = st.form_submit_button("Start a first run on it")
    if asked:
        _begin(folder, names, until, int(count or REPLICATIONS[0]))


def _begin(folder: Path, names: list[str], until: dt.date, replications: int) -> None:
    out = door.places()[1].resolve() / "-".join([folder.name, "to", until.isoformat(), *names])[:120]
    if out.exists():
        st.warning(prose("first_run_taken", name=out.name))
        return
    chosen = [word for name in names for word in ("--scenario", name)]
    command = shlex.join(["carecast", "run", "--parameters", str(folder), *chosen, "--replications", str(replications),
                          "--until", until.isoformat(), "--out", str(out)])  # fmt: skip
    question = {"kind": "first_run", "parameters": str(folder), "scenarios": names, "until": until.isoformat(),
                "replications": replications, "command": command, "out": str(out)}  # fmt: skip
    key = text_digest(json.dumps(question))
    try:
        background.begin(key, prose("work_first_run", name=out.name), question, {})
    except BadFile as error:
        st.error("; ".join(error.lines))
        return
    st.session_state["_first_run"] = key


def _done(out: Path) -> None:
    st.success(prose("first_run_done", name=out.name))
    st.button("Show it", key=f"show_{out.name}", on_click=desk.show, args=(out.name,), type="primary")
