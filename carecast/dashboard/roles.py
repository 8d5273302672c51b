"""Who may do what: viewers read and download, editors also change and run, analysts also calibrate and adopt.

Without sign-in the dashboard is open to whoever sits at this machine (it listens on 127.0.0.1 alone). With sign-in, set up
by the council in Streamlit's ``secrets.toml``, ``roles.toml`` says who has which role.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

import streamlit as st

from carecast.dashboard import sign_in
from carecast.dashboard.telling import prose
from carecast.model.parameters import BadFile

Role = Literal["viewer", "editor", "analyst"]
Action = Literal["read", "download", "look", "edit", "run", "calibrate", "adopt"]
ROLES_VARIABLE = "CARECAST_ROLES"
ROLES_FILE = Path(".streamlit") / "roles.toml"
NAMES: Final[tuple[Role, ...]] = ("viewer", "editor", "analyst")  # each may do all that the one before may
FIRST_ROLE: Final[dict[Action, Role]] = {
    "read": "viewer", "download": "viewer", "look": "viewer",  # a quick look keeps nothing
    "edit": "editor", "run": "editor",  # scenarios, targets, packages; full runs, the solver, tornado, waterfall
    "calibrate": "analyst", "adopt": "analyst",
}  # fmt: skip
DOING: Final[dict[Action, str]] = {
    "read": "read these pages", "download": "download", "look": "take a quick look", "edit": "change scenarios and targets",
    "run": "start runs", "calibrate": "calibrate on files", "adopt": "adopt a parameter set",
}  # fmt: skip


@dataclass(frozen=True)
class RoleMap:
    """Roles by e-mail address and by group; the highest that fits counts."""

    emails: Mapping[str, Role] = field(default_factory=dict)
    groups: Mapping[str, Role] = field(default_factory=dict)
    default: Role | None = "viewer"  # of whoever is signed in and not named; None turns them away
    group_claim: str = "groups"

    def role_of(self, user: Mapping[str, Any]) -> Role | None:
        """The role of a signed-in person by what the identity provider says of them; None: not let in.

        An address that the provider says is not verified counts for nothing.
        """
        found = [] if self.default is None else [self.default]
        email = str(user.get("email") or "").strip().lower()
        if email in self.emails and user.get("email_verified", True) is not False:
            found.append(self.emails[email])
        claimed = user.get(self.group_claim) or ()
        groups = [claimed] if isinstance(claimed, str) else [str(name) for name in claimed]
        found += [self.groups[name] for name in groups if name in self.groups]
        return max(found, key=NAMES.index, default=None)


def may(role: Role | None, action: Action) -> bool:
    """Whether a role allows an action."""
    return role is not None and NAMES.index(role) >= NAMES.index(FIRST_ROLE[action])


# --- the file ---------------------------------------------------------------------------------------------------------
def read_roles(file: Path) -> RoleMap:
    """The map of roles in a file; without the file everybody who signs in is a viewer.

    Raises:
        BadFile: the file cannot be read, or says something this does not know; one line per mistake.
    """
    if not file.is_file():
        return RoleMap()
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFile(f"{file}: cannot be read as TOML ({type(error).__name__})") from None
    mistakes = [f"{file}: {name}: not known; should be one of default, group_claim, email, group"
                for name in said if name not in ("default", "group_claim", "email", "group")]  # fmt: skip
    for part in ("email", "group"):
        if not isinstance(said.get(part, {}), dict):
            raise BadFile(f"{file}: {part}: should be a table of roles by {part}")
        for name, role in said.get(part, {}).items():
            if role not in NAMES:
                mistakes.append(f"{file}: {part}: {name}: found {role!r}; should be one of {', '.join(NAMES)}")
    default = said.get("default", "viewer")
    if default not in (*NAMES, "none"):
        mistakes.append(f"{file}: default: found {default!r}; should be one of {', '.join(NAMES)}, none")
    if mistakes:
        raise BadFile(*mistakes)
    emails = {name.strip().lower(): role for name, role in said.get("email", {}).items()}
    return RoleMap(emails, said.get("group", {}), None if default == "none" else default,
                   str(said.get("group_claim", "groups")))  # fmt: skip


def roles_file() -> Path:
    """Where the map of roles lies."""
    return Path(os.environ.get(ROLES_VARIABLE) or ROLES_FILE)


# --- this session -----------------------------------------------------------------------------------------------------
def is_sign_in_set_up() -> bool:
    """Whether the council has given an identity provider.

    Raises:
        BadFile: it has, and the file or its libraries are not right, so that nobody can be let in.
    """
    return sign_in.is_wanted() or bool(st.secrets.load_if_toml_exists() and "auth" in st.secrets)


def _user() -> Mapping[str, Any]:
    """What the identity provider says of whoever is signed in; empty when nobody is."""
    found: Mapping[str, Any] = st.user.to_dict()
    return found if found.get("is_logged_in") else {}


def current() -> Role | None:
    """The role of this session; everybody at this machine is an analyst when no sign-in is set up."""
    if not is_sign_in_set_up():
        return "analyst"
    user = _user()
    return read_roles(roles_file()).role_of(user) if user else None


def allowed(action: Action) -> bool:
    """Whether this session may do something."""
    return may(current(), action)


def ask_for(action: Action) -> bool:
    """The same, with a sentence on the page when it may not."""
    role = current()
    if may(role, action):
        return True
    st.info(prose("not_allowed", role=role or "visitor", doing=DOING[action], needed=FIRST_ROLE[action]))
    return False


def gate() -> None:
    """Let in whoever may read; anybody else gets a page with a way on, and nothing besides."""
    try:
        if not is_sign_in_set_up():
            return
        user = _user()
        role = current()
    except BadFile as error:
        _stop("Nobody can be let in yet", prose("roles_broken", why="; ".join(error.lines)), is_error=True)
    if not user:
        _ask_who()
    if not may(role, "read"):
        shown = user.get("email") or user.get("name") or "somebody without an address"
        _stop("You are not on the list", prose("turned_away", who=shown), with_sign_out=True)
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", key="who"):
        st.caption(f"Signed in as {user.get('email') or user.get('name') or 'a guest'} ({role})", width="content")
        st.button("Sign out", on_click=st.logout, key="sign_out")


def _stop(title: str, words: str, *, is_error: bool = False, with_sign_out: bool = False) -> NoReturn:
    st.title(title, anchor=False)
    if is_error:
        st.error(words)
    else:
        st.markdown(words)
    if with_sign_out:
        st.button("Sign out", on_click=st.logout, key="sign_out")
    st.stop()


def _ask_who() -> NoReturn:
    """The way to the council's own sign-in page."""
    st.title("Sign in to read the forecast", anchor=False)
    outcome = st.query_params.get(sign_in.PARAMETER)
    if outcome in (sign_in.REFUSED, sign_in.FAILED):
        st.warning(prose(f"sign_in_{outcome}"))
    st.markdown(prose("sign_in"))
    if st.button("Sign in", type="primary", key="sign_in_now"):
        st.query_params.clear()
        st.login()
    st.stop()
