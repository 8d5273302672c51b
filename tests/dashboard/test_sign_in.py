"""How sign-in is set up, what is said when it is not right, and what a failed sign-in becomes."""

import asyncio
import logging
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

import carecast.dashboard
from carecast.cli.main import app as command
from carecast.dashboard import serve, sign_in
from carecast.model.parameters import BadFile

APP = Path(carecast.dashboard.__file__).parent / "app.py"
RIGHT = {
    "redirect_uri": "http://127.0.0.1:{port}/oauth2callback", "cookie_secret": "s" * 40, "client_id": "us",
    "client_secret": "hush", "server_metadata_url": "https://login.council.example/.well-known/openid-configuration",
}  # fmt: skip


def text_of(**other):
    said = {name: value for name, value in {**RIGHT, **other}.items() if value is not None}
    return "[auth]\n" + "".join(f'{name} = "{value}"\n' for name, value in said.items())


@pytest.fixture
def secrets_file(tmp_path, monkeypatch):
    """The one file of secrets, written as the test says."""
    file = tmp_path / "secrets.toml"
    monkeypatch.setenv(sign_in.FILES_VARIABLE, str(file))
    monkeypatch.delenv(sign_in.HOSTS_VARIABLE, raising=False)
    return file


def test_no_file_or_no_auth_asks_for_no_sign_in(secrets_file):
    assert not sign_in.is_wanted()
    secrets_file.write_text("[database]\npassword = 'x'\n")
    assert not sign_in.is_wanted()


def test_what_is_right_is_wanted(secrets_file):
    secrets_file.write_text(text_of())
    assert sign_in.is_wanted()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"client_id": None}, "client_id: missing"),
        ({"client_secret": " "}, "client_secret: missing"),
        ({"cookie_secret": "short"}, "cookie_secret: 5 letters; should be 32 or more"),
        ({"redirect_uri": "http://127.0.0.1:8501/callback"}, "should be the dashboard's address and /oauth2callback"),
        (
            {"redirect_uri": "https://forecast.council.example/oauth2callback"},
            "set CARECAST_HOSTS=forecast.council.example",
        ),
        ({"server_metadata_url": "http://login.council.example/x"}, "should begin with https://"),
    ],
)
def test_a_mistake_is_one_line_without_a_secret(secrets_file, other, said):
    secrets_file.write_text(text_of(**other))
    with pytest.raises(BadFile) as error:
        sign_in.is_wanted()
    assert len(error.value.lines) == 1
    assert said in error.value.lines[0]
    assert "hush" not in error.value.lines[0]


def test_a_name_behind_a_proxy_is_known_when_it_is_given(secrets_file, monkeypatch):
    secrets_file.write_text(text_of(redirect_uri="https://forecast.council.example/oauth2callback"))
    monkeypatch.setenv(sign_in.HOSTS_VARIABLE, "forecast.council.example")
    assert sign_in.is_wanted()
    secrets_file.write_text(text_of(redirect_uri="http://forecast.council.example/oauth2callback"))
    with pytest.raises(BadFile, match="should begin with https://"):
        sign_in.is_wanted()


def test_libraries_that_are_missing_are_named(secrets_file, monkeypatch):
    secrets_file.write_text(text_of())
    monkeypatch.setattr(sign_in, "LIBRARIES", {"no_such_module": "Authlib"})
    with pytest.raises(BadFile, match="sign-in needs Authlib"):
        sign_in.is_wanted()


@pytest.mark.parametrize("text", ["[auth\nclient_id = 'x'", "[auth]\nclient_id = us\n", "auth = 'yes'\n"])
def test_a_file_that_cannot_be_read_shuts_the_door(secrets_file, text, monkeypatch, runs):
    """Streamlit takes such a file for none; nobody may come in by that."""
    secrets_file.write_text(text)
    monkeypatch.setenv("CARECAST_RUNS", str(runs))
    monkeypatch.setenv("CARECAST_RUN", str(runs / "whole"))
    app = AppTest.from_file(str(APP), default_timeout=20).run()
    assert [title.value for title in app.title] == ["Nobody can be let in yet"]
    assert "secrets.toml" in app.error[0].value
    assert not app.selectbox


@pytest.mark.parametrize("text", [text_of(client_id=None), "[auth"])
def test_the_command_says_what_is_wrong_and_serves_nothing(secrets_file, text, monkeypatch, runs):
    served = []
    monkeypatch.setattr(serve.subprocess, "Popen", lambda *given, **_: served.append(given))
    secrets_file.write_text(text)
    told = CliRunner().invoke(command, ["dashboard", "--runs", str(runs)])
    assert told.exit_code == 2
    assert "secrets.toml" in told.stderr
    assert "Traceback" not in told.stderr
    assert served == []


def test_a_mistake_in_the_roles_is_said_at_the_start(secrets_file, tmp_path, monkeypatch):
    secrets_file.write_text(text_of())
    (tmp_path / "roles.toml").write_text("default = 'boss'")
    monkeypatch.setenv("CARECAST_ROLES", str(tmp_path / "roles.toml"))
    with pytest.raises(BadFile, match="found 'boss'"):
        serve.serve(None, tmp_path, 8501)


def answered(path, query="", status=302, headers=()):
    """Status, headers and body through the middleware, of an answer that Streamlit would give."""

    async def streamlit(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b"Authentication error"})

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "query_string": query.encode(), "headers": []}
    asyncio.run(sign_in.SignInAnswers(streamlit)(scope, None, send))
    found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, sent[1]["body"]


def test_an_error_becomes_the_way_back_to_the_sign_in_page():
    status, headers, body = answered("/auth/login", status=400, headers=[(b"content-type", b"text/plain")])
    assert (status, headers["location"], body) == (302, "/?sign_in=failed", b"")
    assert answered("/oauth2callback", "error=access_denied&state=1")[1]["location"] == "/?sign_in=refused"
    assert answered("/oauth2callback", "error=server_error")[1]["location"] == "/?sign_in=failed"
    assert (
        answered("/oauth2callback", "code=1&state=2", headers=[(b"location", b"/")])[1]["location"]
        == "/?sign_in=failed"
    )


def test_a_sign_in_that_worked_and_a_sign_out_pass_as_they_are():
    cookie = (b"set-cookie", b"_streamlit_user=abc; HttpOnly; Max-Age=2592000; Path=/")
    home = (b"location", b"/")
    assert answered("/oauth2callback", "code=1&state=2", headers=[home, cookie])[1]["location"] == "/"
    assert answered("/oauth2callback", headers=[home])[1]["location"] == "/"
    assert answered("/somewhere", status=400)[0] == 400


def test_the_log_says_the_kind_of_error_in_one_line():
    try:
        raise ValueError("a claim of somebody")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.WARNING, "f", 1, "failed for %s", ("default",), (ValueError, error, None)
        )
    assert sign_in.OneLine().filter(record)
    assert logging.Formatter().format(record) == "failed for default (ValueError)"
