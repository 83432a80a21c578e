"""The page in a real Chromium, on the demo's wire: what is promised of it, by clicking it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from pipeline.demo import Newsroom
from pipeline.index import open_index
from pipeline.settings import load_settings
from pipeline.web import live
from tests.support.page import Page
from tests.web.browser import visit
from tests.web.conftest import small_wire
from tests.web.test_feeds import quarantined

DENIES = "India denies secret talks with Pakistan on Kashmir crossing"


@pytest.fixture
def tab(browser: Browser, demo_page: Page) -> Iterator[Tab]:
    with visit(browser, demo_page.url) as opened:
        yield opened


def total(tab: Tab) -> int:
    return int((tab.locator("[role=status]").text_content() or "").split()[0].replace(",", ""))


def box(tab: Tab):  # type: ignore[no-untyped-def]
    return tab.get_by_role("searchbox", name="Query")


# -- search


def test_a_query_is_typed_and_its_hits_come_with_the_words_marked(tab: Tab) -> None:
    tab.goto("/")
    box(tab).fill("kashmir")
    box(tab).press("Enter")
    expect(tab).to_have_url(re.compile(r"/\?q=kashmir$"))
    expect(tab.locator(".hit").first.locator("mark").first).to_have_text("Kashmir")
    expect(tab).to_have_title("kashmir — Wirewatch")
    tab.go_back()
    expect(tab).to_have_url(re.compile(r"/$"))
    expect(box(tab)).to_have_value("")


def test_a_query_that_cannot_be_read_shows_its_fault_and_an_example_helps_out(tab: Tab) -> None:
    tab.goto("/")
    box(tab).fill("kashmir AND (talks")
    box(tab).press("Enter")
    fault = tab.get_by_role("alert")
    expect(fault).to_contain_text("never closed")
    expect(fault.locator("mark")).to_have_text("(")
    tab.locator(".examples a").first.click()
    expect(tab.get_by_role("alert")).to_have_count(0)
    expect(tab.locator(".hit").first).to_be_visible()


def test_claims_are_searched_and_narrowed_by_clicking_facets(tab: Tab) -> None:
    tab.goto("/?q=talks")
    tab.get_by_role("link", name="Claims").click()
    expect(tab).to_have_url(re.compile(r"in=claims"))
    before = total(tab)
    facet = tab.locator(".facets a", has_text="not named")
    count = int(facet.locator(".number").text_content() or "0")
    facet.click()
    expect(tab.locator("[role=status]")).to_have_text(f"{count} claims")
    assert 0 < count < before
    tab.get_by_role("link", name=re.compile("anonymous not named: take off")).click()
    expect(tab.locator("[role=status]")).to_have_text(f"{before} claims")


def test_a_time_is_chosen_by_dragging_over_the_histogram(tab: Tab) -> None:
    tab.goto("/")
    everything = total(tab)
    chart = tab.locator(".histogram svg").bounding_box()
    assert chart is not None
    middle = chart["y"] + chart["height"] / 2
    tab.mouse.move(chart["x"] + chart["width"] * 0.55, middle)
    tab.mouse.down()
    tab.mouse.move(chart["x"] + chart["width"] * 0.7, middle, steps=4)
    expect(tab.locator(".histogram .column.on").first).to_be_attached()
    tab.mouse.move(chart["x"] + chart["width"] * 0.85, middle, steps=4)
    tab.mouse.up()
    expect(tab).to_have_url(re.compile(r"from=.*to="))
    expect(tab.locator(".chips")).to_contain_text("from")
    assert 0 < total(tab) < everything
    tab.locator(".histogram a").last.click()
    expect(tab).to_have_url(re.compile(r"from=.*to="))


def test_the_order_and_the_times_are_chosen_and_stand_in_the_address(tab: Tab) -> None:
    tab.goto("/?q=talks")
    tab.get_by_role("link", name="oldest").click()
    expect(tab).to_have_url(re.compile(r"sort=oldest"))
    times = tab.locator(".hit .meta:first-child time").evaluate_all("all => all.map(one => one.dateTime)")
    assert times == sorted(times)
    tab.get_by_label("From").fill("2d")
    tab.get_by_label("From").press("Enter")
    expect(tab).to_have_url(re.compile(r"from=2d"))
    expect(tab).not_to_have_url(re.compile(r"to="))


def test_keys_lead_through_the_hits(tab: Tab) -> None:
    tab.goto("/?q=kashmir")
    tab.keyboard.press("/")
    expect(box(tab)).to_be_focused()
    tab.keyboard.press("Escape")
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    tab.keyboard.press("k")
    tab.keyboard.press("j")
    second = tab.locator(".hit").nth(1).locator("[data-open]")
    expect(second).to_be_focused()
    address = second.get_attribute("href") or ""
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(re.compile(re.escape(address)))


def test_a_search_goes_out_as_json_and_atom(tab: Tab, demo_page: Page) -> None:
    tab.goto("/?q=kashmir&in=claims")
    for name, kind in (("JSON", "application/json"), ("Atom", "application/atom+xml")):
        address = tab.get_by_role("link", name=name).get_attribute("href") or ""
        answer = demo_page.get(address)
        assert answer.headers["Content-Type"].startswith(kind)
        assert "Kashmir" in answer.text


# -- articles and names


def test_an_article_shows_its_claims_in_place_and_beside_the_text(tab: Tab) -> None:
    tab.goto("/?q=kashmir")
    tab.get_by_role("link", name=DENIES).click()
    expect(tab.get_by_role("heading", level=1)).to_have_text(DENIES)
    claim = tab.locator("aside .claim", has_text="These reports are baseless")
    n = claim.get_attribute("data-claim")
    words = tab.locator(f'.body [data-claims~="{n}"]').first
    words.hover()
    card = tab.get_by_role("tooltip")
    expect(card).to_contain_text("Raghav Sethuraman")
    expect(card.locator(".cue")).to_have_text("told")
    tab.keyboard.press("Escape")
    expect(card).to_have_count(0)
    tab.set_viewport_size({"width": 1280, "height": 300})
    last = tab.locator("aside .claim").last
    n = last.get_attribute("data-claim")
    last.locator(".content a").click()
    expect(tab).to_have_url(re.compile(rf"claim={n}#w{n}$"))
    expect(tab.locator(f'.body [data-claims~="{n}"]').first).to_be_in_viewport()
    expect(tab.locator(f'.body [data-claims~="{n}"].on').first).to_be_attached()


def test_a_tap_shows_who_speaks(browser: Browser, demo_page: Page) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with visit(browser, demo_page.url, **phone) as tab:
        tab.goto("/?q=title:denies+secret+talks")
        tab.get_by_role("link", name=DENIES).tap()
        tab.locator(".body span[data-claims]", has_text="position had not changed").first.tap()
        expect(tab.get_by_role("tooltip")).to_contain_text("Raghav Sethuraman")


def test_a_cue_leads_to_its_claim_and_a_name_to_its_page(tab: Tab) -> None:
    tab.goto("/?q=title:denies+secret+talks")
    tab.get_by_role("link", name=DENIES).click()
    tab.locator(".body .cue a", has_text="denied").first.click()
    expect(tab).to_have_url(re.compile(r"#claim-0$"))
    tab.locator(".body a.e", has_text="Muscat").first.click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Muscat")
    tab.go_back()
    tab.locator("#claim-2 a.speaker").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Raghav Sethuraman")
    expect(tab.locator(".sums")).to_contain_text("claims by Raghav Sethuraman")
    expect(tab.locator(".timeline circle").first).to_be_visible()
    tab.locator(".facets a", has_text="Muscat").first.click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Muscat")


def test_on_paper_an_article_is_its_text(tab: Tab) -> None:
    tab.goto("/?q=title:denies+secret+talks")
    tab.get_by_role("link", name=DENIES).click()
    tab.emulate_media(media="print")
    expect(tab.locator("aside")).to_be_hidden()
    expect(tab.locator(".top")).to_be_hidden()
    expect(tab.locator(".body")).to_be_visible()


# -- what changes something


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Page, Newsroom]]:
    with Newsroom(datetime(2026, 11, 23, 12, 0, tzinfo=UTC)) as room:
        settings = small_wire(tmp_path / "data", allow_hosts=room.hosts, host_delay=0)
        with Page(settings) as running:
            yield running, room


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_feeds_are_added_listed_and_removed_and_quarantine_is_retried(
    browser: Browser, own: tuple[Page, Newsroom], tmp_path: Path, scripts: bool
) -> None:
    page, room = own
    wanted = next(feed for feed in room.feeds if feed.works and feed.moved_to is None)
    quarantined(page.app.state.site.settings, 2)
    opml = tmp_path / "mine.opml"
    opml.write_text('<opml version="2.0"><body><outline text="A" xmlUrl="https://a.example/feed"/></body></opml>')
    with visit(browser, page.url, java_script_enabled=scripts) as tab:
        tab.goto("/feeds")
        tab.get_by_label("Address of a feed").fill(wanted.site)
        tab.get_by_role("button", name="Add feed").click()
        expect(tab.get_by_role("status")).to_contain_text("as its baseline")
        tab.get_by_label("OPML file").set_input_files(opml)
        tab.get_by_role("button", name="Import").click()
        expect(tab.get_by_role("status")).to_contain_text("1 added")
        row = tab.locator("li.feed", has_text="https://a.example/feed")
        row.get_by_text("Remove", exact=True).click()
        row.get_by_role("button", name="Yes, stop polling it").click()
        expect(tab.locator("li.feed", has_text="https://a.example/feed")).to_have_count(0)
        tab.get_by_role("link", name="Operations").click()
        tab.locator(".quarantined").get_by_role("button", name="Retry").first.click()
        expect(tab.get_by_role("status")).to_contain_text("1 item will be tried again")
        expect(tab.locator(".quarantined li")).to_have_count(1)


def test_new_hits_come_in_without_a_reload(browser: Browser, demo_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY", 0.2)
    settings = load_settings(demo_copy)
    with Page(settings) as page, visit(browser, page.url) as tab:
        with tab.expect_response(lambda answer: "/live" in answer.url):
            tab.goto("/?q=volcano")
        expect(tab.locator(".hit")).to_have_count(0)
        tab.wait_for_timeout(700)  # the stream's own first look, which tells what was there before
        index = open_index(settings)
        known = index.get(next(index.ids()))
        assert known is not None
        article = replace(known.article, id="0" * 20, title="Volcano <wakes> at last", first_seen=datetime.now(UTC))
        index.upsert([replace(known, article=article, indexed=datetime.now(UTC))])
        expect(tab.locator("#news .hit h3")).to_have_text("Volcano <wakes> at last")
        assert tab.evaluate("performance.getEntriesByType('navigation').length") == 1


# -- everyone


def test_all_of_reading_works_without_scripts(browser: Browser, demo_page: Page) -> None:
    with visit(browser, demo_page.url, java_script_enabled=False) as tab:
        tab.goto("/")
        box(tab).fill("kashmir")
        tab.get_by_role("button", name="Search").click()
        expect(tab.locator(".hit").first.locator("mark").first).to_have_text("Kashmir")
        everything = total(tab)
        tab.locator(".facets a", has_text="Meridian News Agency").first.click()
        assert 0 < total(tab) < everything
        bar = tab.locator(".histogram a").first
        bar.locator(".column").click(force=True)
        expect(tab.locator(".chips")).to_contain_text("from")
        tab.goto("/?q=title:denies+secret+talks")
        tab.get_by_role("link", name=DENIES).click()
        tab.locator("aside .claim .content a").nth(2).click()
        expect(tab.locator(".body .on").first).to_be_in_viewport()
        tab.goto("/?in=claims&sort=newest")
        tab.get_by_role("link", name="More →").click()
        expect(tab.get_by_role("link", name="← First page")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_runs_off_a_narrow_screen(browser: Browser, demo_page: Page, width: int) -> None:
    article = demo_page.get("/search.json?q=title:denies+secret").json()["hits"][0]["id"]
    with visit(browser, demo_page.url, viewport={"width": width, "height": 800}) as tab:
        for path in (
            "/",
            "/?in=claims&q=talks",
            "/?q=a+AND",
            f"/article/{article}",
            "/name/India",
            "/feeds",
            "/operations",
        ):
            tab.goto(path)
            over = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over <= 0, path


def test_the_page_is_dark_where_the_system_is(browser: Browser, demo_page: Page) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        with visit(browser, demo_page.url, color_scheme=scheme) as tab:
            tab.goto("/")
            shown = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
            shades[scheme] = sum(int(part) for part in re.findall(r"\d+", shown)[:3])
    assert shades["dark"] < 150 < 600 < shades["light"]
