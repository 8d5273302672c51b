"""Signing in for real: a provider on this machine, Streamlit's own sign-in, the strict headers, three roles, Chromium."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from carecast.dashboard import serve
from tests import oidc
from tests.dashboard import desks
from tests.end_to_end import in_browser

WAIT_MS = 30_000
NOT_IN = "Sign in to read the forecast"
ROLES = """
default = "none"
[email]
"vera@council.example" = "viewer"
"anna@council.example" = "analyst"
[group]
"children-finance" = "editor"
"""

pytestmark = in_browser.MARKS


@dataclass
class Served:
    """The dashboard that asks who one is, and the provider it asks."""

    address: str
    folder: Path
    provider: oidc.Provider
    log: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("signed_in")
    whole = desks.whole_with_parameters(folder / "runs")
    port = in_browser.free_port()
    (folder / ".streamlit").mkdir()
    with oidc.provider() as provider:
        provider.redirect_uri = f"http://127.0.0.1:{port}/oauth2callback"
        (folder / ".streamlit" / "secrets.toml").write_text(oidc.secrets_text(provider))
        (folder / ".streamlit" / "roles.toml").write_text(ROLES)
        log = folder / "server.log"
        with in_browser.served(port, serve.environment(whole.folder, folder / "runs"), folder, log) as address:
            yield Served(address, folder, provider, log)


@pytest.fixture
def page(browser, served):
    """Somebody who is not signed in; what is asked of which server, and what the headers refuse, is kept."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(WAIT_MS)
    found = context.new_page()
    found.asked, found.refused = [], []
    found.on(
        "request", lambda request: found.asked.append((urlsplit(request.url).netloc, request.is_navigation_request()))
    )
    found.on("console", lambda said: found.refused.append(said.text) if "Content Security" in said.text else None)
    found.goto(served.address)
    found.wait_for_selector(f"h1:has-text('{NOT_IN}')")
    served.provider.fault = ""
    yield found
    context.close()


def come_in(page, who):
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=oidc.PEOPLE[who]["name"]).click()


def finding(page):
    page.wait_for_selector("text=Reports to take away")
    return page.locator("h1").inner_text()


def open_page(page, title):
    before = page.locator("h1").inner_text()
    page.get_by_role("link", name=title).first.click()
    page.wait_for_function("old => document.querySelector('h1')?.innerText !== old", arg=before)


def test_who_is_not_signed_in_sees_no_figure_on_any_page(page, served):
    for path in ("", "compare", "scenarios", "calibration", "method"):
        page.goto(f"{served.address}/{path}")
        page.wait_for_selector(f"h1:has-text('{NOT_IN}')")
        assert "£" not in page.inner_text("body")
        assert page.locator("[data-testid=stSelectbox], .vega-embed, table").count() == 0


def test_a_viewer_reads_and_is_told_what_needs_another_role(page, served):
    come_in(page, "vera")
    assert "Placements will cost £" in finding(page)
    assert page.locator("text=Signed in as vera@council.example (viewer)").count() == 1
    open_page(page, "Scenarios")
    page.wait_for_selector("text=ask for the role of editor >> nth=0")
    assert page.get_by_role("button", name="Start the full run").count() == 0
    open_page(page, "Calibration")
    page.wait_for_selector("text=ask for the role of analyst")
    assert page.locator("input[type=file]").count() == 0
    here, there = urlsplit(served.address).netloc, urlsplit(served.provider.address).netloc
    assert {host for host, _ in page.asked if host} == {here, there}
    assert all(is_navigation for host, is_navigation in page.asked if host == there)  # never by a script or a picture
    assert page.refused == []


def test_an_editor_changes_and_runs_and_does_not_calibrate(page):
    come_in(page, "edie")
    finding(page)
    assert page.locator("text=Signed in as edie@council.example (editor)").count() == 1  # by group
    open_page(page, "Scenarios")
    page.wait_for_selector("text=Full run >> nth=0")
    page.wait_for_selector("button:has-text('Start the full run')")
    assert page.locator("text=ask for the role of").count() == 0
    open_page(page, "Calibration")
    page.wait_for_selector("text=ask for the role of analyst")


def test_an_analyst_calibrates_and_signs_out_for_good(page, served):
    come_in(page, "anna")
    finding(page)
    open_page(page, "Calibration")
    page.wait_for_selector("button:has-text('Check these files')")
    served.provider.asked.clear()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector(f"h1:has-text('{NOT_IN}')")
    assert "/leave" in served.provider.asked  # at the council's own page as well
    assert page.locator("[data-testid=stAlert]").count() == 0
    page.goto(f"{served.address}/calibration")
    page.wait_for_selector(f"h1:has-text('{NOT_IN}')")


@pytest.mark.parametrize("who", ["stan", "fay"])
def test_who_is_on_no_list_reads_nothing_and_can_try_another_account(page, who):
    come_in(page, who)  # Fay claims Anna's address, which her provider has not verified
    page.wait_for_selector("h1:has-text('You are not on the list')")
    assert page.locator(f"text=signed in as {oidc.PEOPLE[who]['email']}").count() == 1
    assert "£" not in page.inner_text("body")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector(f"h1:has-text('{NOT_IN}')")


@pytest.mark.parametrize("fault", ["signature", "audience", "nonce", "late"])
def test_a_token_that_is_not_right_lets_nobody_in(page, served, fault):
    served.provider.fault = fault
    come_in(page, "anna")
    page.wait_for_selector("text=Signing in did not work")
    assert page.locator("h1").inner_text() == NOT_IN
    assert "£" not in page.inner_text("body")
    assert "Traceback" not in served.log.read_text()


def test_who_is_refused_by_the_provider_is_told_and_can_try_again(page, served):
    served.provider.fault = "refuses"
    come_in(page, "vera")
    page.wait_for_selector("text=did not let you in")
    served.provider.fault = ""
    come_in(page, "vera")
    assert "Placements will cost £" in finding(page)
    assert "sign_in=" not in page.url


def test_a_mistake_in_the_roles_shuts_the_door_until_it_is_mended(page, served):
    come_in(page, "anna")
    finding(page)
    roles = served.folder / ".streamlit" / "roles.toml"
    roles.write_text(ROLES.replace('"analyst"', '"boss"'))
    try:
        page.reload()
        page.wait_for_selector("h1:has-text('Nobody can be let in yet')")
        assert "found 'boss'; should be one of viewer, editor, analyst" in page.inner_text("body")
    finally:
        roles.write_text(ROLES)
    page.reload()
    assert "Placements will cost £" in finding(page)


def test_the_sign_in_page_has_no_barrier(page):
    assert in_browser.barriers(page) == []
