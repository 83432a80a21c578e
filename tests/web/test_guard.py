"""Who is answered, who may change something, and what a browser may do with the answer."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pipeline.web.guard import MAX_BODY
from pipeline.web.login import Login
from tests.support.page import Page
from tests.web.conftest import small_wire

TOKEN = "a-token-of-the-desk-2026"
PATHS = [
    "/",
    "/?q=talks",
    "/?in=claims",
    "/?q=a+AND",
    "/feeds",
    "/operations",
    "/nothing",
    "/search.json",
    "/search.atom",
]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    settings = small_wire(tmp_path_factory.mktemp("guarded") / "data")
    with Page(settings, token=TOKEN, names_=["desk.example"]) as running:
        yield running


# -- hosts


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "", "127.0.0.1.evil.example"]
)
def test_a_name_that_is_not_ours_is_refused_so_that_no_site_can_point_its_own_here(page: Page, host: str) -> None:
    answer = requests.get(page.url + "/", headers={"Host": host}, timeout=10)
    assert answer.status_code in (400, 421)
    assert "talks" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:99", "127.0.0.1", "[::1]:8484", "192.168.1.7"])
def test_this_machine_and_addresses_in_figures_are_answered(page: Page, host: str) -> None:
    assert requests.get(page.url + "/", headers={"Host": host}, timeout=10).status_code == 200


def test_a_name_that_was_given_is_answered(guarded: Page) -> None:
    headers = {"Host": "desk.example:8484", "Authorization": f"Bearer {TOKEN}"}
    assert requests.get(guarded.url + "/", headers=headers, timeout=10).status_code == 200


# -- headers


@pytest.mark.parametrize("path", [*PATHS, "/static/wirewatch.css"])
def test_no_page_may_run_anything_but_our_own_scripts_or_be_framed(page: Page, path: str) -> None:
    answer = page.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", [path for path in PATHS if "." not in path])
def test_pages_hold_no_script_or_style_of_their_own_and_fetch_nothing_from_outside(page: Page, path: str) -> None:
    html = page.get(path).text
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", html) == []
    fetched = re.findall(r"<(?:script|link|img|iframe|source)[^>]*(?:src|href)=\"([^\"]*)\"", html)
    assert fetched
    assert all(address.startswith("/") and not address.startswith("//") for address in fetched)


def test_our_own_files_are_kept_by_browsers_and_nothing_else_is(page: Page) -> None:
    address = re.findall(r'href="(/static/[^"]*css[^"]*)"', page.get("/").text)[0]
    assert "immutable" in page.get(address).headers["Cache-Control"]
    assert page.get("/").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/static/../site.py", "/static/%2e%2e/site.py", "/static/..%2fsite.py", "/article/../../x"]
)
def test_nothing_but_our_own_files_is_given_out(page: Page, path: str) -> None:
    host, _, port = page.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = wire.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 404")


# -- forms


def test_a_form_of_another_site_changes_nothing(page: Page) -> None:
    token = page.form_token()
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ):
        answer = page.session.post(
            page.url + "/operations/retry", {"form_token": token, "item": "all"}, headers=headers, timeout=10
        )
        assert answer.status_code == 403, headers


def test_a_form_without_our_token_changes_nothing(page: Page) -> None:
    page.get("/feeds")
    for token in ("", "00", "zz", "0" * 128, page.form_token()[:-2] + "00"):
        answer = page.session.post(page.url + "/operations/retry", {"form_token": token, "item": "all"}, timeout=10)
        assert answer.status_code == 403, token


def test_a_token_of_another_visitor_changes_nothing(page: Page) -> None:
    other = requests.Session()
    shown = other.get(page.url + "/feeds", timeout=10).text
    token = re.findall(r'name="form_token" value="([^"]*)"', shown)[0]
    assert (
        other.post(page.url + "/operations/retry", {"form_token": token, "item": "all"}, timeout=10).status_code == 200
    )
    stolen = page.session.post(page.url + "/operations/retry", {"form_token": token, "item": "all"}, timeout=10)
    assert stolen.status_code == 403


def test_a_form_s_token_is_never_written_twice_the_same(page: Page) -> None:
    assert page.form_token() != page.form_token()


@pytest.mark.parametrize("path", ["/feeds/remove", "/feeds/poll", "/operations/retry", "/operations/drop"])
def test_nothing_is_changed_by_following_a_link(page: Page, path: str) -> None:
    assert page.get(path).status_code == 405


def test_a_body_that_is_too_long_is_refused_whatever_it_says_of_itself(page: Page) -> None:
    assert page.session.post(page.url + "/feeds/opml", b"x" * (MAX_BODY + 1), timeout=30).status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 65_536 + 2):
            yield b"x" * 65_536

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        status = page.session.post(page.url + "/feeds/opml", endless(), headers=headers, timeout=30).status_code
    except requests.ConnectionError:
        status = 0
    assert status != 200
    assert page.get("/").status_code == 200


# -- login


@pytest.mark.parametrize("path", PATHS)
def test_where_a_token_is_asked_for_nothing_is_shown_without_it(guarded: Page, path: str) -> None:
    answer = requests.get(guarded.url + path, timeout=10, allow_redirects=False)
    assert answer.status_code == 401
    assert "talks" not in answer.text.replace("q=talks", "")


def test_a_browser_is_led_to_the_login_and_back(guarded: Page) -> None:
    browser = requests.Session()
    browser.headers["Accept"] = "text/html"
    shown = browser.get(guarded.url + "/?q=talks&in=claims", timeout=10)
    assert shown.url == guarded.url + "/login?to=/%3Fq%3Dtalks%26in%3Dclaims"
    token = re.findall(r'name="form_token" value="([^"]*)"', shown.text)[0]
    wrong = browser.post(guarded.url + "/login", {"form_token": token, "token": "guess", "to": "/"}, timeout=10)
    assert (wrong.status_code, "This is not the token" in wrong.text) == (403, True)
    right = {"form_token": token, "token": TOKEN, "to": "/?q=talks&in=claims"}
    inside = browser.post(guarded.url + "/login", right, timeout=10)
    assert inside.url == guarded.url + "/?q=talks&in=claims"
    assert "talks were running" in re.sub(r"</?mark>", "", inside.text)
    out = re.findall(r'name="form_token" value="([^"]*)"', inside.text)[0]
    browser.post(guarded.url + "/logout", {"form_token": out}, timeout=10)
    assert browser.get(guarded.url + "/feeds", timeout=10).url.startswith(guarded.url + "/login")


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb"]
)
def test_the_login_leads_to_no_other_site(guarded: Page, to: str) -> None:
    answer = requests.get(
        guarded.url + "/login",
        params={"to": to},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=10,
        allow_redirects=False,
    )
    assert answer.headers["Location"] == "/"


def test_scripts_and_feed_readers_give_the_token_with_each_request(guarded: Page) -> None:
    for given in ({"headers": {"Authorization": f"Bearer {TOKEN}"}}, {"auth": ("anyone", TOKEN)}):
        assert requests.get(guarded.url + "/search.json", timeout=10, **given).status_code == 200  # type: ignore[arg-type]
    for wrong in (
        {"headers": {"Authorization": "Bearer x"}},
        {"auth": (TOKEN, "x")},
        {"headers": {"Authorization": "Basic ä"}},
    ):
        assert requests.get(guarded.url + "/search.json", timeout=10, **wrong).status_code in (400, 401)  # type: ignore[arg-type]


def test_a_script_with_the_token_may_change_things_without_a_form(guarded: Page) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = requests.post(guarded.url + "/operations/retry", {"item": "all"}, headers=headers, timeout=10)
    assert answer.status_code == 200


def test_guessing_the_token_is_slowed_down(tmp_path: Path) -> None:
    with Page(small_wire(tmp_path / "data"), token=TOKEN) as page:
        shown = page.session.get(page.url + "/login", timeout=10).text
        token = re.findall(r'name="form_token" value="([^"]*)"', shown)[0]
        statuses = [
            page.session.post(page.url + "/login", {"form_token": token, "token": f"guess {n}"}, timeout=10).status_code
            for n in range(8)
        ]
    assert statuses == [403] * 5 + [429] * 3


def test_a_session_that_was_made_up_is_none() -> None:
    login = Login.of(TOKEN)
    for value in ("", "9999999999", "9999999999.", "9999999999.00", "x.y", "1.ä"):
        scope = {"type": "http", "headers": [(b"cookie", f"wirewatch-session={value}".encode())]}
        assert not login.admits(requests_of(scope)), value


def requests_of(scope: dict[str, object]):  # type: ignore[no-untyped-def]
    from starlette.requests import HTTPConnection

    return HTTPConnection(scope)
