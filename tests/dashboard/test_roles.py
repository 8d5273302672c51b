"""Who may do what, the file of roles, and the door."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import carecast.dashboard
from carecast.dashboard import roles, sign_in
from carecast.dashboard.roles import RoleMap, may, read_roles
from carecast.model.parameters import BadFile

APP = Path(carecast.dashboard.__file__).parent / "app.py"


def test_each_role_may_do_all_that_the_one_before_may():
    may_do = {role: {action for action in roles.FIRST_ROLE if may(role, action)} for role in roles.NAMES}
    assert may_do["viewer"] == {"read", "download", "look"}
    assert may_do["editor"] - may_do["viewer"] == {"edit", "run"}
    assert may_do["analyst"] - may_do["editor"] == {"calibrate", "adopt"}
    assert not may(None, "read")


def test_the_highest_role_that_fits_counts():
    roles_of = RoleMap({"ann@council.gov.uk": "editor"}, {"analysts": "analyst"})
    assert roles_of.role_of({"email": "Ann@Council.gov.uk "}) == "editor"
    assert roles_of.role_of({"email": "ann@council.gov.uk", "groups": ["analysts"]}) == "analyst"
    assert roles_of.role_of({"email": "bob@council.gov.uk", "groups": "analysts"}) == "analyst"
    assert roles_of.role_of({"email": "bob@council.gov.uk"}) == "viewer"
    assert RoleMap({}, {}, default=None).role_of({"email": "bob@council.gov.uk"}) is None


def test_an_address_that_is_not_verified_counts_for_nothing():
    roles_of = RoleMap({"ann@council.gov.uk": "analyst"}, default=None)
    assert roles_of.role_of({"email": "ann@council.gov.uk", "email_verified": False}) is None
    assert roles_of.role_of({"email": "ann@council.gov.uk", "email_verified": True}) == "analyst"


def test_the_file_of_roles(tmp_path):
    file = tmp_path / "roles.toml"
    assert read_roles(file).role_of({"email": "x@y.z"}) == "viewer"
    file.write_text(
        'default = "none"\ngroup_claim = "roles"\n[email]\n"Ann@y.z" = "editor"\n[group]\n"G1" = "analyst"\n'
    )
    read = read_roles(file)
    assert read.role_of({"email": "ann@y.z"}) == "editor"
    assert read.role_of({"email": "bob@y.z", "roles": ["G1"]}) == "analyst"
    assert read.role_of({"email": "bob@y.z", "groups": ["G1"]}) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("default = 'boss'", "default: found 'boss'"),
        ("[email]\n'a@b.c' = 'admin'", "email: a@b.c: found 'admin'"),
        ("people = 3", "people: not known"),
        ("email = 'a@b.c'", "should be a table"),
        ("not toml", "cannot be read as TOML"),
    ],
)
def test_mistakes_in_the_file_of_roles_let_nobody_in(tmp_path, text, said):
    file = tmp_path / "roles.toml"
    file.write_text(text)
    with pytest.raises(BadFile) as error:
        read_roles(file)
    assert said in "; ".join(error.value.lines)


@pytest.fixture
def door(monkeypatch, tmp_path, runs):
    """The app as somebody sees it whom the identity provider says this of, with a file of roles."""

    def opened(user, file=""):
        (tmp_path / "roles.toml").write_text(file)
        monkeypatch.setenv("CARECAST_RUNS", str(runs))
        monkeypatch.setenv("CARECAST_RUN", str(runs / "whole"))
        monkeypatch.setenv(roles.ROLES_VARIABLE, str(tmp_path / "roles.toml"))
        monkeypatch.setattr(roles.sign_in, "is_wanted", lambda: True)
        monkeypatch.setattr(roles, "_user", lambda: user)
        return AppTest.from_file(str(APP), default_timeout=20).run()

    return opened


def test_who_is_not_signed_in_sees_the_sign_in_and_nothing_else(door):
    app = door({})
    assert [title.value for title in app.title] == ["Sign in to read the forecast"]
    assert not app.html[1:]  # the look alone
    assert [button.label for button in app.button] == ["Sign in"]


def test_who_is_signed_in_reads_and_is_told_their_role(door):
    app = door({"email": "ann@council.gov.uk"})
    assert not app.exception
    assert app.title[0].value.startswith("Placements will cost")
    assert any("ann@council.gov.uk (viewer)" in caption.value for caption in app.caption)


def test_who_is_on_no_list_is_turned_away(door):
    app = door({"email": "ann@council.gov.uk"}, 'default = "none"')
    assert [title.value for title in app.title] == ["You are not on the list"]
    assert not app.metric
    assert not app.selectbox


def test_a_mistake_in_the_file_lets_nobody_in(door):
    app = door({"email": "ann@council.gov.uk"}, 'default = "boss"')
    assert [title.value for title in app.title] == ["Nobody can be let in yet"]
    assert not app.selectbox


def test_a_viewer_cannot_calibrate(door):
    app = door({"email": "ann@council.gov.uk"}).switch_page("views/recalibration.py").run()
    assert not app.exception
    assert "ask for the role of analyst" in app.info[0].value
    assert not [button for button in app.button if "Check" in button.label]


def test_without_sign_in_everything_is_open(monkeypatch, tmp_path):
    monkeypatch.setenv(sign_in.FILES_VARIABLE, str(tmp_path / "secrets.toml"))
    monkeypatch.setattr(st.secrets, "load_if_toml_exists", lambda: False)
    assert roles.current() == "analyst"
    assert all(roles.allowed(action) for action in roles.FIRST_ROLE)
