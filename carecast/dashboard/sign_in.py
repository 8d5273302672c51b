"""Sign-in by the council's own identity provider: is it asked for, is it set up right, and what happens when it fails.

Streamlit does the signing in (OpenID Connect, by Authlib). It takes a ``secrets.toml`` that it cannot read for none at all,
which would open the dashboard to everybody; so the file is read here first, and whatever is wrong with it shuts the door.
"""

import logging
import os
import tomllib
from collections.abc import Mapping
from importlib import util
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carecast.dashboard.headers import HOSTS_VARIABLE, LOCAL_HOSTS
from carecast.model.parameters import BadFile

FILES_VARIABLE = "STREAMLIT_SECRETS_FILES"
SECRETS_FILE = Path(".streamlit") / "secrets.toml"
NEEDED: Final = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
SHORTEST_SECRET = 32  # letters
CALLBACK, LOGIN = "/oauth2callback", "/auth/login"
PARAMETER = "sign_in"  # in the address, after a sign-in that failed
REFUSED, FAILED = "refused", "failed"
LIBRARIES: Final = {"authlib": "Authlib", "httpx": "httpx", "joserfc": "joserfc"}
INSTALL = "pip install '.[signin]'"
USER_COOKIE = "_streamlit_user="


# --- how it is set up -------------------------------------------------------------------------------------------------
def secrets_files() -> list[Path]:
    """Where Streamlit looks for secrets; what stands in a later file counts."""
    given = os.environ.get(FILES_VARIABLE)
    if given:
        return [Path(name.strip().strip("'\"")) for name in given.strip("[]").split(",") if name.strip()]
    return [Path.home() / SECRETS_FILE, Path.cwd() / SECRETS_FILE]


def settings() -> tuple[Path, Mapping[str, Any]] | None:
    """The part ``[auth]`` and the file that holds it; None where no sign-in is asked for.

    Raises:
        BadFile: a file of secrets is there and cannot be read: it may ask for sign-in, so nobody can be let in.
    """
    found: tuple[Path, Mapping[str, Any]] | None = None
    for file in dict.fromkeys(path.absolute() for path in secrets_files()):
        if not file.is_file():
            continue
        try:
            said = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            where = f" ({error})" if isinstance(error, tomllib.TOMLDecodeError) else f" ({type(error).__name__})"
            raise BadFile(f'{file}: cannot be read as TOML{where}; text stands in "quotation marks"') from None
        if "auth" in said:
            if not isinstance(said["auth"], dict):
                raise BadFile(f"{file}: auth: should be a table, [auth]")
            found = file, said["auth"]
    return found


def mistakes(file: Path, auth: Mapping[str, Any]) -> list[str]:
    """What is wrong with the part ``[auth]``, a line each; no line holds a secret."""
    found = [f"{file}: [auth] {name}: missing; should be text" for name in NEEDED
             if not isinstance(auth.get(name), str) or not auth[name].strip()]  # fmt: skip
    secret, back, provider = (
        str(auth.get(name) or "") for name in ("cookie_secret", "redirect_uri", "server_metadata_url")
    )
    if secret and len(secret) < SHORTEST_SECRET:
        found.append(
            f"{file}: [auth] cookie_secret: {len(secret)} letters; should be {SHORTEST_SECRET} or more at random"
        )
    if back:
        found += _of_redirect(file, back)
    if provider and not _is_safe(provider):
        found.append(f"{file}: [auth] server_metadata_url: found {provider!r}; should begin with https://")
    return found


def _of_redirect(file: Path, back: str) -> list[str]:
    address = urlsplit(back.replace("{port}", "0"))
    known = {*LOCAL_HOSTS, *os.environ.get(HOSTS_VARIABLE, "").replace(",", " ").split()}
    if address.path != CALLBACK or not address.hostname:
        return [f"{file}: [auth] redirect_uri: found {back!r}; should be the dashboard's address and {CALLBACK}"]
    if address.hostname not in known:
        return [f"{file}: [auth] redirect_uri: the dashboard does not answer to {address.hostname!r}; "
                f"set {HOSTS_VARIABLE}={address.hostname}"]  # fmt: skip
    if not _is_safe(back.replace("{port}", "0")):
        return [f"{file}: [auth] redirect_uri: found {back!r}; should begin with https:// away from this machine"]
    return []


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS)


def missing_libraries() -> list[str]:
    """What signing in needs and is not installed."""
    return [name for module, name in LIBRARIES.items() if util.find_spec(module) is None]


def is_wanted() -> bool:
    """Whether the council asks for sign-in, and it is set up so that it can work.

    Raises:
        BadFile: it is asked for and cannot work; one line per mistake.
    """
    found = settings()
    if found is None:
        return False
    wrong = mistakes(*found)
    missing = missing_libraries()
    if missing:
        wrong.append(
            f"sign-in needs {' and '.join(missing)}, not installed here; `{INSTALL}` in carecast's folder adds it"
        )
    if wrong:
        raise BadFile(*wrong)
    return True


# --- a sign-in that fails -----------------------------------------------------------------------------------------------
class SignInAnswers:
    """Brings a person whose sign-in failed back to the sign-in page, which then says so, in place of a bare line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = str(scope.get("path", ""))
        if scope["type"] != "http" or path not in (CALLBACK, LOGIN):
            await self.app(scope, receive, send)
            return
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        is_instead = False  # whether the whole answer has been another

        async def send_with(message: Message) -> None:
            nonlocal is_instead
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                outcome = _outcome(path, asked, int(message["status"]), found.getlist("set-cookie"))
                if outcome:
                    is_instead = True
                    for name in ("content-length", "content-type", "location"):
                        del found[name]
                    found["location"], found["content-length"] = f"/?{PARAMETER}={outcome}", "0"
                    message["status"] = 302
            elif is_instead:
                message["body"] = b""
            await send(message)

        await self.app(scope, receive, send_with)


def _outcome(path: str, asked: Mapping[str, list[str]], status: int, cookies: list[str]) -> str:
    """``refused``, ``failed`` or, when nothing is amiss, nothing; after signing out the callback is asked for nothing."""
    if path == LOGIN:
        return FAILED if status >= 400 else ""
    if "error" in asked:
        return REFUSED if asked["error"] == ["access_denied"] else FAILED
    is_in = any(cookie.startswith(USER_COOKIE) and "Max-Age=0" not in cookie for cookie in cookies)
    return FAILED if "code" in asked and not is_in else ""


class OneLine(logging.Filter):
    """Says in the server's log what kind of error it was, in one line without a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, shortened."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            record.msg, record.args = f"{record.getMessage()} ({type(error).__name__})", ()
            record.exc_info = record.exc_text = None
        return True


def quieten() -> None:
    """One line in the log for a sign-in that failed."""
    from streamlit.logger import get_logger

    get_logger("streamlit.web.server.starlette.starlette_auth_routes").addFilter(OneLine())
