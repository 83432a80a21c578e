"""axe-core finds nothing serious on any page, in light and in dark, on a desk and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conformance.wire import id_of
from tests.support.page import Page
from tests.web.browser import axe, serious, visit
from tests.web.conftest import small_wire
from tests.web.test_feeds import quarantined


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_serious_on_the_demo_s_pages(
    browser: Browser, demo_page: Page, scheme: str, width: int
) -> None:
    script = axe()
    article = demo_page.get("/search.json?q=title:denies+secret").json()["hits"][0]["id"]
    paths = [
        "/",
        "/?in=claims&q=talks&anonymous=true",
        "/?q=a+AND",
        f"/article/{article}?claim=1",
        "/name/India",
        "/feeds",
    ]
    with visit(browser, demo_page.url, color_scheme=scheme, viewport={"width": width, "height": 900}) as tab:
        for path in paths:
            tab.goto(path)
            assert serious(tab, script) == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_where_something_is_wrong(browser: Browser, tmp_path: Path, scheme: str) -> None:
    script = axe()
    settings = small_wire(tmp_path / "data")
    quarantined(settings, 2)
    with Page(settings) as page, visit(browser, page.url, color_scheme=scheme) as tab:
        for path in ("/operations", f"/article/{id_of('talks')}", "/nothing/here", "/?in=claims", "/feeds"):
            tab.goto(path)
            assert serious(tab, script) == [], path
    with Page(settings, token="a-token-of-sixteen") as page, visit(browser, page.url, color_scheme=scheme) as tab:
        tab.goto("/")
        assert serious(tab, script) == []


def test_axe_would_find_something(browser: Browser, demo_page: Page) -> None:
    with visit(browser, demo_page.url) as tab:
        tab.goto("/")
        tab.evaluate("document.querySelector('label[for=q]').remove()")
        tab.evaluate("document.querySelector('#q').removeAttribute('placeholder')")
        assert any("label" in found for found in serious(tab, axe()))
