"""Answers that have to be simulated: asked for with a button, worked out in the background, drawn when there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from carecast.dashboard import background, roles
from carecast.dashboard.telling import prose
from carecast.model.parameters import BadFile
from carecast.scenarios.request import text_digest
from carecast.scenarios.run import Run


def answer(run: Run, kind: str, what: str, button: str, question: dict[str, Any],
           draw: Callable[[dict[str, Any]], None]) -> None:  # fmt: skip
    """A button that asks, then progress with a way to cancel, then the answer.

    Args:
        run: on whose grounds.
        kind: one of ``long_work.WORKS``.
        what: what the work is called in lists.
        button: what the button says.
        question: what decides the answer beside the run.
        draw: draws the document that the work wrote.
    """
    missing = background.lacking(run)
    if missing:
        st.warning(missing)
        return
    key = text_digest(
        kind, str(run.record.get("digest")), str(run.folder.resolve()), json.dumps(question, sort_keys=True)
    )
    found = background.office().progress(background.session(), key)
    if found is None or found.status in ("failed", "cancelled"):
        if roles.ask_for("run") and st.button(button, key=f"ask_{kind}_{key[:12]}"):
            _begin(run, kind, what, key, question)
            st.rerun()
        if found is None:
            return
    background.watch(key, lambda file: draw(json.loads(Path(file).read_text(encoding="utf-8"))))


def _begin(run: Run, kind: str, what: str, key: str, question: dict[str, Any]) -> None:
    asked = {"kind": kind, "run": str(run.folder.resolve()), **question}
    try:
        background.begin(key, what, asked, {})
    except BadFile as error:
        st.error(prose("work_failed", why="; ".join(error.lines)))
        st.stop()
