"""What the browser is told to refuse."""

import asyncio
import base64
import hashlib

import pytest

from carecast.dashboard import charts, headers


def answer(path="/", host="127.0.0.1:8501", more=""):
    """Status and headers of an answer, through the middleware in their order."""

    async def page(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"public")]})
        await send({"type": "http.response.body", "body": b"ok"})

    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    app = page
    for one in reversed(headers.middleware()):
        app = one.cls(app, *one.args, **one.kwargs)
    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", host.encode())], "query_string": b""}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}


def rules(policy):
    return dict(part.strip().split(" ", 1) for part in policy.split(";"))


def test_scripts_come_from_here_alone_and_none_is_evaluated():
    found = rules(answer()[1]["content-security-policy"])
    assert found["default-src"] == "'none'"
    assert found["connect-src"] == "'self'"
    assert found["frame-ancestors"] == "'none'"
    assert "unsafe" not in found["script-src"]
    assert all("*" not in value and "http" not in value for value in found.values())


def test_an_inline_script_runs_only_by_its_hash():
    page = "<script>\n  a = 1\n</script><script src='x'></script>"
    digest = base64.b64encode(hashlib.sha256(b"\n  a = 1\n").digest()).decode()
    assert headers.inline_hashes(page) == [f"'sha256-{digest}'"]


def test_every_answer_has_the_other_headers():
    _, found = answer()
    assert found["x-content-type-options"] == "nosniff"
    assert found["x-frame-options"] == "DENY"
    assert found["referrer-policy"] == "no-referrer"
    assert found["cache-control"] == "no-store"


def test_only_files_without_data_may_be_kept():
    assert answer("/static/js/x.js")[1]["cache-control"] == "public"
    assert answer("/media/report.xlsx")[1]["cache-control"] == "no-store"


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1:8501", 200), ("localhost", 200), ("elsewhere.example", 400)])
def test_another_name_for_this_machine_is_refused(host, status):
    assert answer(host=host)[0] == status


def test_a_councils_own_name_can_be_added(monkeypatch):
    monkeypatch.setenv(headers.HOSTS_VARIABLE, "forecast.council.example, other.example")
    assert answer(host="forecast.council.example")[0] == 200


def test_charts_evaluate_no_script(run):
    from carecast.dashboard import panels

    told = panels.heading(run, "more_early_help")
    for panel in (*told.children, *told.spend, told.savings.panel):
        assert panel.chart.to_dict()["usermeta"] == charts.EMBED
    assert charts.EMBED["embedOptions"]["ast"] is True


def opened(kind, origin):
    """What becomes of a request, or of a connection, from a page of some address: the messages sent."""
    sent = []

    async def here(scope, receive, send):
        await send({"type": "let through"})

    async def send(message):
        sent.append(message)

    asked = [(b"host", b"127.0.0.1:8501"), *([(b"origin", origin)] if origin else [])]
    asyncio.run(headers.SameOrigin(here)({"type": kind, "headers": asked}, None, send))
    return sent


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_page_of_another_address_is_refused_before_streamlit_asks_outside_who_we_are(kind):
    assert opened(kind, None) == opened(kind, b"http://127.0.0.1:8501") == [{"type": "let through"}]
    for origin in (b"https://elsewhere.example", b"http://127.0.0.1:8502", b"null"):
        refused = opened(kind, origin)
        assert {"type": "let through"} not in refused
        assert refused[0].get("status", refused[0].get("code")) in (403, 1008)
