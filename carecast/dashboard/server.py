"""The server: Streamlit with strict headers, the first page put together before anybody asks, no traceback on a screen."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from streamlit.starlette import App

from carecast.dashboard import private, sign_in
from carecast.dashboard.headers import middleware

log = logging.getLogger(__name__)
logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").setLevel(logging.ERROR)  # warming has none


def warm() -> None:
    """Import what the pages need, open the first run, and put the first page together."""
    from carecast.dashboard import frame

    try:
        frame.warm()
    except Exception as error:  # whatever is wrong with a run is said on its page
        log.warning("the first page was not put together ahead: %s", type(error).__name__)


def sentence_instead(error: Exception) -> bool:
    """What the screen says of a fault outside the pages' own guard."""
    import streamlit as st

    from carecast.dashboard.telling import prose

    log.error("the dashboard met a fault: %s", type(error).__name__)
    st.error(prose("broken_page", kind=type(error).__name__, folder="RUN"))
    return True


@asynccontextmanager
async def lifespan(_: App) -> AsyncIterator[dict[str, Any]]:
    """Warm up beside serving, so that the server is up at once."""
    threading.Thread(target=warm, name="warm", daemon=True).start()
    yield {}
    private.clear()


sign_in.quieten()
app = App(
    Path(__file__).parent / "app.py", lifespan=lifespan,
    middleware=[*middleware(), Middleware(sign_in.SignInAnswers)], on_script_error=sentence_instead,
)  # fmt: skip
