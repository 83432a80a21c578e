"""The feeds' page and the operations' page over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import html as lxml_html

from pipeline.demo import Newsroom
from pipeline.ledger import Fetched, Owed, Quarantined, open_ledger
from pipeline.records import Feed, Location, Sighting, feed_id
from pipeline.settings import Settings, load_settings
from tests.support.page import Page
from tests.web.conftest import small_wire

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def newsroom() -> Iterator[Newsroom]:
    with Newsroom(NOW) as room:
        yield room


@pytest.fixture
def own(tmp_path: Path, newsroom: Newsroom) -> Iterator[Page]:
    """A page whose data may be changed, allowed to ask the newsroom."""
    with Page(small_wire(tmp_path / "data", allow_hosts=newsroom.hosts, host_delay=0)) as running:
        yield running


def tree(text: str) -> lxml_html.HtmlElement:
    return lxml_html.fromstring(text)


def words(node: lxml_html.HtmlElement) -> str:
    return " ".join(node.text_content().split())


def test_a_feed_is_added_by_pasting_a_site_s_address(own: Page, newsroom: Newsroom) -> None:
    wanted = next(feed for feed in newsroom.feeds if feed.works and feed.moved_to is None)
    answer = own.post("/feeds", {"address": f" {wanted.site} "})
    assert answer.status_code == 200
    said = words(tree(answer.text).cssselect("[role=status]")[0])
    assert said.startswith("Added ")
    assert "as its baseline" in said
    assert len(tree(answer.text).cssselect("li.feed")) == 1
    again = own.post("/feeds", {"address": wanted.site})
    assert "was there already" in again.text


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "Paste the address"),
        ("ftp://example.org/x", "http"),
        ("http://127.0.0.1:1/feed", "allow_hosts"),
        ("http://", ""),
    ],
)
def test_an_address_that_is_no_feed_s_is_refused_with_the_reason_and_kept_in_the_form(
    own: Page, address: str, reason: str
) -> None:
    answer = own.post("/feeds", {"address": address})
    assert answer.status_code == 400
    shown = tree(answer.text)
    assert reason in words(shown.cssselect("[role=alert]")[0])
    assert shown.cssselect("#address")[0].get("value") == address


def test_lists_of_feeds_come_in_and_go_out_as_opml(own: Page, newsroom: Newsroom) -> None:
    opml = (
        '<opml version="2.0"><body><outline type="rss" text="A" xmlUrl="https://a.example/feed"/>'
        '<outline type="rss" text="B" xmlUrl="https://b.example/feed"/><outline type="rss" text="C" xmlUrl="gopher://c"/>'
        "</body></opml>"
    )
    answer = own.post("/feeds/opml", files={"file": ("mine.opml", opml)})
    assert "2 added, 0 already there, 1 skipped." in answer.text
    assert "line 1: C" in answer.text
    out = own.get("/feeds.opml")
    assert out.headers["Content-Disposition"] == 'attachment; filename="wirewatch.opml"'
    assert "https://a.example/feed" in out.text
    assert "0 added, 2 already there" in own.post("/feeds/opml", files={"file": ("mine.opml", out.content)}).text


@pytest.mark.parametrize("content", [b"", b"no xml", b"<html/>", b"\xff\xfe\x00"])
def test_a_file_that_is_no_opml_is_refused_by_name(own: Page, content: bytes) -> None:
    answer = own.post("/feeds/opml", files={"file": ("mine.opml", content)})
    assert answer.status_code == 400
    assert "mine.opml" in answer.text


def test_a_feed_can_be_polled_now_and_removed(own: Page) -> None:
    ledger = open_ledger(own.app.state.site.settings.ledger_file)
    feed = Feed(id=feed_id("https://a.example/f"), url="https://a.example/f", added=NOW, source="A Post", next_poll=NOW.replace(year=2030))  # fmt: skip
    ledger.add_feed(feed)
    assert "is due now" in own.post("/feeds/poll", {"feed": feed.id}).text
    polled = ledger.feeds()[0].next_poll
    assert polled is not None
    assert polled.year < 2030
    assert "is polled no more" in own.post("/feeds/remove", {"feed": feed.id}).text
    assert ledger.feeds() == []
    assert own.post("/feeds/remove", {"feed": "nothing"}).status_code == 404
    ledger.close()


def test_feeds_that_need_somebody_stand_first_and_say_why(demo: Path) -> None:
    with Page(load_settings(demo)) as page:
        rows = tree(page.get("/feeds").text).cssselect("li.feed")
    assert len(rows) == 9
    assert rows[0].cssselect(".badge")[0].text == "failing"
    assert "Failing since it was added: the response is an HTML page" in words(rows[0])
    assert all(row.cssselect("svg.sparkline[role=img]") for row in rows)


def quarantined(settings: Settings, number: int) -> list[str]:
    """Put items into quarantine, as a run would."""
    ledger = open_ledger(settings.ledger_file)
    feed = Feed(id=feed_id("https://q.example/f"), url="https://q.example/f", added=NOW, source="Q Post")
    ledger.add_feed(feed)
    sightings = [
        Sighting(id=f"sighting {n}", feed=feed.id, url=f"https://q.example/{n}", first_seen=NOW, title=f"Poison <{n}>")
        for n in range(number)
    ]
    ledger.store_poll(sightings, lambda _new: feed)
    items = ledger.claim_items(Owed.FETCH, NOW, number, "test", 60)
    ledger.apply([Fetched(item.id, Location(file="x.warc.gz", offset=0)) for item in items], NOW, "test")
    items = ledger.claim_items(Owed.INDEX, NOW, number, "test", 60)
    ledger.apply(
        [Quarantined(item.id, "extract", "timeout", "it took longer than 60 s") for item in items], NOW, "test"
    )
    ledger.close()
    return [item.id for item in items]


def test_what_lies_in_quarantine_is_shown_with_its_reason_and_can_be_retried_or_dropped(own: Page) -> None:
    quarantined(own.app.state.site.settings, 3)
    shown = tree(own.get("/operations").text)
    rows = shown.cssselect(".quarantined li")
    assert len(rows) == 3
    assert "Poison <" in words(rows[0])
    assert "extract: it took longer than 60 s" in words(rows[0])
    first, second = (row.cssselect("button")[0].get("value") for row in rows[:2])
    assert "1 item will be tried again" in own.post("/operations/retry", {"item": first}).text
    assert "1 item given up" in own.post("/operations/drop", {"item": second}).text
    assert len(tree(own.get("/operations").text).cssselect(".quarantined li")) == 1
    assert "1 item will be tried again" in own.post("/operations/retry", {"item": "all"}).text
    assert "Nothing is in quarantine" in own.get("/operations").text
    assert "0 items" in own.post("/operations/retry", {"item": "nothing"}).text
    assert own.post("/operations/retry", {}).status_code == 400


def test_operations_say_what_is_owed_and_what_ended_how(demo: Path) -> None:
    with Page(load_settings(demo)) as page:
        shown = tree(page.get("/operations").text)
    tiles = [words(node) for node in shown.cssselect(".tiles li")]
    assert "9 feeds" in tiles
    assert "1 failing" in tiles
    assert "fetch" in words(shown.cssselect("table")[0])
    assert "in the index" in words(shown.cssselect("table")[1])
