"""The controls of the page *Calibration*: bring files, check them, calibrate, compare, adopt or not."""

import json
import os
import tomllib
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from carecast.dashboard import background, calibrating, door, frame, private, roles
from carecast.dashboard.calibrating import FILES, OWN, SET, Question
from carecast.dashboard.panels import calibration as panels
from carecast.dashboard.panels.calibration import Shown
from carecast.dashboard.telling import dates_in_words, iso_words, prose
from carecast.model.parameters import BadFile, ParameterSet
from carecast.scenarios.request import text_digest

PARAMETERS_VARIABLE = "CARECAST_PARAMETERS"  # the folder of the user's own parameter sets
KINDS = ("csv", "txt", "tsv", "xlsx", "xlsm", "xml", "zip")
FORMS = {"": "Tell by the columns", "ssda903": "SSDA903", "clas": "CLAS (Scotland)", "annex_a": "Annex A",
         "cin": "CIN census", "tidy": "carecast's own tidy files", "dfe": "DfE open data tables", "lgbf": "LGBF",
         "published": "Published figures"}  # fmt: skip
OWN_FILES = {"providers": "Your homes (provider, placement_type, places, locality)",
             "figures": "Your own figures (id, value, low, high, source)",
             "localities": "Your localities (name, zone, easting, northing, children)"}  # fmt: skip
NEW = "New, not adopted"
ADOPTED = "_adopted"  # in the session: the folder adopted last
FROM_FILES, FROM_PACK = "The council's own files", "Published figures that come with carecast"


@dataclass(frozen=True)
class Draft:
    """What this visitor has brought: where it lies, and the works begun on it."""

    question: Question
    check: str = ""  # key of the work
    fit: str = ""

    @property
    def folder(self) -> Path:
        """The private folder."""
        return Path(self.question.folder)


def draft() -> Draft | None:
    """What this visitor has brought, if anything."""
    found: Draft | None = st.session_state.get("_draft")
    return found if found is not None and found.folder.is_dir() else None


def let_go() -> None:
    """Take away what this visitor has brought."""
    found = draft()
    if found is not None:
        for key in (found.check, found.fit):
            background.office().cancel(background.session(), key)
        private.forget(found.folder)
    st.session_state.pop("_draft", None)


def parameters_folder() -> Path:
    """Where the user's own parameter sets live."""
    given = os.environ.get(PARAMETERS_VARIABLE)
    return Path(given) if given else door.places()[1].resolve().parent / "parameters"


# --- which set is shown -----------------------------------------------------------------------------------------------
def sets() -> dict[str, Path]:
    """Parameter sets by label: one's own, those beside runs, and what this visitor made and has not adopted."""
    from carecast.scenarios.run_inputs import parameter_folder

    found: dict[str, Path] = {}
    new = draft()
    if new is not None and (new.folder / SET / "parameters.toml").is_file():
        found[NEW] = new.folder / SET
    own = sorted(parameters_folder().glob("*/parameters.toml"), key=lambda file: -file.stat().st_mtime)
    found |= {file.parent.name: file.parent for file in own}
    for run in door.find_runs(*door.places()):
        if run.status == door.COMPLETE:
            record = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
            beside = parameter_folder(run.folder, record)
            known = {path.resolve() for path in found.values()}
            if beside is not None and (beside / "parameters.toml").is_file() and beside.resolve() not in known:
                found[f"{beside.name} (of run {run.identity})"] = beside
    return found


def choose(head: DeltaGenerator) -> Shown | None:
    """The set to show; None, with a heading and a way on, where there is none yet."""
    found = sets()
    if not found:
        with head:
            st.title("No parameter set yet", anchor=False)
            st.markdown(prose("no_set"))
        return None
    if st.session_state.get("_set_next") in found:
        st.session_state["set"] = st.session_state.pop("_set_next")
    with st.container(key="set_controls"):
        picked = st.selectbox("Parameter set", list(found), key="set", persist_state="session")
    path = found[picked or next(iter(found))]
    try:
        return read(picked or next(iter(found)), path)
    except BadFile as error:
        with head:
            st.title("This parameter set cannot be read", anchor=False)
            st.error("; ".join(error.lines))
        return None


def read(label: str, folder: Path) -> Shown:
    """A set as the page shows it, kept between reruns.

    Raises:
        BadFile: a file of it is missing or damaged.
    """
    try:
        return replace(_read(str(folder), (folder / "parameters.toml").stat().st_mtime_ns), label=label)
    except (OSError, ValueError) as error:
        raise BadFile(f"{folder}: a file of it is missing or damaged ({type(error).__name__})") from None


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(folder: str, changed: int) -> Shown:
    text = Path(folder, "parameters.toml").read_text(encoding="utf-8")
    file = Path(folder, "calibration.json")
    record = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return Shown("", ParameterSet.model_validate(tomllib.loads(text)), record)


@st.cache_resource(max_entries=8, show_spinner=False)
def _register(council: str, digest: str, _parameters: ParameterSet) -> pd.DataFrame:
    return panels.register(_parameters)


# --- bring and check ----------------------------------------------------------------------------------------------------
def bring() -> None:
    """Files or a pack, what they are, and the check row by row."""
    if not roles.ask_for("calibrate"):
        return
    st.markdown(prose("calibrate_intro", megabytes=st.get_option("server.maxUploadSize")))
    source = st.segmented_control(
        "Calibrate on", [FROM_FILES, FROM_PACK], default=FROM_FILES, key="source", required=True
    )
    if source == FROM_PACK:
        _pack()
    else:
        _files()
    found = draft()
    if found is not None and found.check:
        st.subheader("What each row was good for", anchor=False)
        background.watch(found.check, _checked)
    if found is not None and found.fit:
        st.subheader("The calibration", anchor=False)
        background.watch(found.fit, lambda _: adopt(found))


def _files() -> None:
    uploads = st.file_uploader("Returns and tables", list(KINDS), accept_multiple_files=True, key="uploads")
    columns = st.columns(3)
    form = columns[0].selectbox("Format", list(FORMS), format_func=FORMS.__getitem__, key="form")
    council = columns[1].text_input("Council", key="council", help="Its name; for tables of many councils, which one.")
    as_at = columns[2].text_input("As at (YYYY-MM-DD)", key="as_at", help="Empty: the last day the files speak of.")
    own = _own_files()
    if st.button("Check these files", disabled=not uploads, type="primary", key="check"):
        question = Question("", form=form or "", council=council.strip(), as_at=as_at.strip())
        _begin(question, [(file.name, file.getvalue()) for file in uploads], own, "check")


def _pack() -> None:
    from carecast.calibration.pack import pack_names

    columns = st.columns(2)
    pack = columns[0].selectbox("Council", list(pack_names()), key="pack", format_func=_pack_words)
    own = _own_files()
    tested = _ask_whether_tested()
    if st.button("Calibrate on these figures", type="primary", key="fit_pack"):
        _begin(Question("", pack=pack or "", with_backtest=tested), [], own, "calibrate")


def _pack_words(name: str) -> str:
    return name.replace("-", " ").title()


def _own_files() -> list[tuple[str, private.Upload]]:
    with st.expander("Your homes, figures and localities, if you have them"):
        st.markdown(prose("own_files"))
        found = [(name, st.file_uploader(label, ["csv"], key=f"own_{name}")) for name, label in OWN_FILES.items()]
    return [(name, (file.name, file.getvalue())) for name, file in found if file is not None]


def _begin(question: Question, files: list[private.Upload], own: list[tuple[str, private.Upload]], kind: str) -> None:
    """Lay out what was brought in a private folder and begin; a mistake becomes a sentence."""
    let_go()
    folder = private.new()
    try:
        (folder / OWN).mkdir()
        names = {name: private.lay(folder / OWN, [upload])[0] for name, upload in own}
        if files:
            (folder / FILES).mkdir()
            private.lay(folder / FILES, files)
        _day(question.as_at)
        asked = Question(**{**asdict(question), "folder": str(folder), **names})
        key = uuid.uuid4().hex
        background.begin(key, prose(f"work_{kind}"), asked.asked(kind), {})
    except BadFile as error:
        private.forget(folder)
        st.error("; ".join(error.lines))
        return
    st.session_state["_draft"] = Draft(asked, **{"check" if kind == "check" else "fit": key})


def _day(text: str) -> None:
    from carecast.cli.commands import day

    if text:
        day(text, "As at")


def _checked(file: Path) -> None:
    """What the check found, and the way to the calibration."""
    found = draft()
    if found is None or not file.is_file():
        return
    document = json.loads(file.read_text(encoding="utf-8"))
    span = document["span"]
    st.markdown(prose("checked", form=FORMS.get(document["format"], document["format"]),
                      first=_day_words(span.get("from")), last=_day_words(span.get("to"))))  # fmt: skip
    frame.tiles(panels.check_tiles(document))
    frame.folded("File by file", panels.check_files(document))
    frame.folded("Why rows were refused, repaired or left out", panels.check_rules(document))
    with st.expander("What is missing, and notes"):
        frame.bullets(panels.check_notes(document) or ("Nothing.",))
    _problems(document)
    if found.fit and not _has_ended_badly(found.fit):
        return
    _ask_whether_tested()
    st.button("Calibrate on these files", type="primary", on_click=_fit, args=(found,), key="fit")


def _day_words(text: str | None) -> str:
    return iso_words(text[:10]) if text else "?"


def _ask_whether_tested() -> bool:
    return st.checkbox("Back-test as well (some minutes)", key="with_backtest", help=prose("backtest_help"))


def _has_ended_badly(key: str) -> bool:
    found = background.office().progress(background.session(), key)
    return found is not None and found.status in ("failed", "cancelled")


def _problems(document: Mapping[str, Any]) -> None:
    every = pd.DataFrame(document["problems"], columns=list(calibrating.PROBLEM_COLUMNS))
    refused = every[every["became"] == "refused"]
    columns = st.columns(2)
    for column, label, rows, name in (
        (columns[0], f"Download the refused rows ({len(refused):,}, CSV)", refused, "refused_rows.csv"),
        (columns[1], f"Download everything to mend ({len(every):,}, CSV)", every, "rows_to_mend.csv"),
    ):
        column.download_button(label, data=partial(_csv, rows), file_name=name, mime="text/csv",
                               on_click="ignore", disabled=rows.empty)  # fmt: skip
    st.caption(prose("problems_note"))


def _csv(rows: pd.DataFrame) -> str:
    return rows.to_csv(index=False)


def _fit(found: Draft) -> None:
    if not roles.allowed("calibrate"):
        return
    key = uuid.uuid4().hex
    asked = replace(found.question, with_backtest=bool(st.session_state.get("with_backtest")))  # as it is ticked now
    background.begin(key, prose("work_calibrate"), asked.asked("calibrate"), {})
    st.session_state["_draft"] = replace(found, fit=key)


# --- adopt or not -------------------------------------------------------------------------------------------------------
def adopt(found: Draft) -> None:
    """The new set is there: look at it below, then keep it or not."""
    if not (found.folder / SET).is_dir():
        return
    if st.session_state.get("_shown_fit") != found.fit:  # once: show the new set on the page
        st.session_state.update({"_shown_fit": found.fit, "_set_next": NEW})
        st.rerun()
    shown = read(NEW, found.folder / SET)
    p = shown.parameters
    st.success(prose("calibrated", council=p.council, as_at=iso_words(p.as_at.isoformat())))
    why_not = found.folder / calibrating.NOT_TESTED
    if why_not.is_file():
        why = why_not.read_text(encoding="utf-8").partition("; name earlier ones with --origins")[
            0
        ]  # that is the command's
        st.warning(prose("not_tested", why=dates_in_words(why)))
    usual = f"{p.council.lower().replace(' ', '-')}-{p.as_at.isoformat()}"
    name = st.text_input("Name of the parameter set", usual, key="set_name")
    with st.container(horizontal=True):
        wanted = st.button("Adopt it", type="primary", disabled=not roles.allowed("adopt"), key="adopt")
        st.button("Do not adopt it", on_click=let_go, key="reject")
    if wanted and roles.allowed("adopt"):
        try:
            target = calibrating.adopt(found.folder / SET, parameters_folder(), name.strip())
        except BadFile as error:
            st.error("; ".join(error.lines))
            return
        let_go()
        st.session_state.update({ADOPTED: str(target), "_set_next": target.name})
        st.rerun()


# --- compare ------------------------------------------------------------------------------------------------------------
def compare(shown: Shown) -> None:
    """What moved against another set, and what that does to the forecast."""
    found = sets()
    others = [
        label for label in found if label != shown.label and _nation(label, found[label]) == shown.parameters.nation
    ]
    if not others:
        st.info(prose("nothing_to_compare"))
        return
    against = st.selectbox("Compare with", others, key="set_before")
    old, new = found[against or others[0]], found[shown.label]
    key = text_digest(*(f"{path}{(path / 'parameters.toml').stat().st_mtime_ns}" for path in (old, new)))
    if st.button("Compare the two", key="compare_sets", disabled=not roles.allowed("look")):
        question = {"kind": "compare_sets", "old": str(old), "new": str(new), "folder": str(private.new())}
        background.begin(key, prose("work_compare_sets"), question, {})
    background.watch(key, _compared)


def _nation(label: str, folder: Path) -> str:
    try:
        return read(label, folder).parameters.nation
    except BadFile:
        return ""


def _compared(file: Path) -> None:
    moved = pd.read_csv(file.parent / calibrating.MOVED)
    st.markdown(panels.moved_words(moved))
    frame.table(panels.effect_table(pd.read_csv(file)))
    frame.table(panels.moved_table(moved))


# --- every number -------------------------------------------------------------------------------------------------------
def _part_words(name: str | None) -> str:
    return "All parts" if name is None else panels.SECTIONS[name]


def register(shown: Shown) -> None:
    """Filters, the table of numbers, and the whole of it to take away."""
    p = shown.parameters
    every = _register(
        p.council, f"{shown.label}{p.as_at}{shown.record.get('pack')}{len(p.rates)}{hash(str(p.numbers))}", p
    )
    columns = st.columns(3)
    hows = columns[0].pills("How a number was found", list(panels.HOWS), selection_mode="multi", key="set_how",
                            format_func=str.capitalize)  # fmt: skip
    section = columns[1].selectbox("Part", [None, *panels.SECTIONS], key="set_part",
                                   format_func=_part_words)  # fmt: skip
    text = columns[2].text_input("Words in name, unit, source or note", key="set_words")
    kept = panels.filtered(every, list(hows or []), section, text or "")
    frame.table(panels.parameter_table(kept, len(every)))
    st.download_button("Download these numbers (CSV)", data=lambda: kept.to_csv(index=False), mime="text/csv",
                       file_name=f"{p.council.lower().replace(' ', '_')}_numbers.csv", on_click="ignore")  # fmt: skip


__all__ = ["bring", "choose", "compare", "register"]
