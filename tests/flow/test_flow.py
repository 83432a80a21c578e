"""The stages together: what becomes of pages that can and cannot be had, and of a run that is stopped."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.demo import Newsroom
from pipeline.errors import FetchError, IndexUnavailableError
from pipeline.fetch import Archive
from pipeline.flow import (
    PERMANENT_DELAYS,
    TRANSIENT_DELAYS,
    Flow,
    Tally,
    after_failed_extraction,
    after_failed_fetch,
    utc_now,
)
from pipeline.index import Index, Kind, SearchRequest, open_index
from pipeline.ledger import (
    Again,
    FellBack,
    GaveUp,
    Item,
    ItemState,
    Ledger,
    Owed,
    Quarantined,
    Retry,
    open_ledger,
)
from pipeline.records import Document, Feed, PageKind, Sighting, feed_id
from pipeline.replay import Selection, owe_again
from pipeline.settings import Settings, load_settings
from tests.support.server import Reply, ScriptedServer

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TIMEOUT = FetchError("http://e.org/1", "timeout", "no answer within 20 s")
FORBIDDEN = FetchError("http://e.org/1", "http-403", "HTTP 403", permanent=True, status=403)
BUSY = FetchError("http://e.org/1", "http-429", "HTTP 429", retry_after=5000.0, status=429)


def make_item(
    *, text: str = "A text.", title: str = "A title", state: ItemState = ItemState.SEEN, fetches: int = 0
) -> Item:
    sighting = Sighting(id="s", feed="f", url="http://e.org/1", first_seen=NOW, title=title, text=text)
    return Item(
        id="i",
        url="http://e.org/1",
        host="e.org",
        sighting=sighting,
        state=state,
        owed=Owed.FETCH,
        due=NOW,
        fetches=fetches,
        attempts=0,
        stage=None,
        reason=None,
        code=None,
        body_reason=None,
        location=None,
        article=None,
        indexed=None,
    )


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


SILENT = make_item(text="", title="")

FAILURES = {
    "a_page_that_fails_leaves_the_feeds_text_and_is_asked_for_again": (
        make_item(),
        TIMEOUT,
        FellBack("i", "timeout", TIMEOUT.reason, later(TRANSIENT_DELAYS[0])),
    ),
    "a_refused_page_is_asked_for_again_only_after_hours": (
        make_item(),
        FORBIDDEN,
        FellBack("i", "http-403", "HTTP 403", later(PERMANENT_DELAYS[0])),
    ),
    "a_server_that_says_when_is_not_asked_before": (
        make_item(),
        BUSY,
        FellBack("i", "http-429", "HTTP 429", later(5000.0)),
    ),
    "an_entry_without_any_text_waits_for_its_page": (
        SILENT,
        TIMEOUT,
        Retry("i", Owed.FETCH, later(TRANSIENT_DELAYS[0]), "timeout", TIMEOUT.reason),
    ),
    "an_entry_without_any_text_is_quarantined_in_the_end": (
        replace(SILENT, fetches=4),
        TIMEOUT,
        Quarantined("i", "fetch", "timeout", TIMEOUT.reason),
    ),
    "an_indexed_story_keeps_trying_for_its_page": (
        make_item(state=ItemState.INDEXED, fetches=1),
        TIMEOUT,
        Retry("i", Owed.FETCH, later(TRANSIENT_DELAYS[1]), "timeout", TIMEOUT.reason),
    ),
    "an_indexed_story_gives_its_page_up_in_the_end": (
        make_item(state=ItemState.INDEXED, fetches=2),
        FORBIDDEN,
        GaveUp("i", "http-403", "HTTP 403"),
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_after_a_failed_fetch(name: str) -> None:
    item, error, expected = FAILURES[name]
    assert after_failed_fetch(item, error, 5, NOW) == expected


BROKEN = {
    "a_page_that_breaks_the_extractor_leaves_the_feeds_text": (
        make_item(),
        FellBack("i", "timeout", "slow", None, "extract"),
    ),
    "an_entry_without_text_whose_page_breaks_the_extractor_is_quarantined": (
        SILENT,
        Quarantined("i", "extract", "timeout", "slow"),
    ),
    "a_feeds_text_that_breaks_the_extractor_too_is_quarantined": (
        replace(make_item(), body_reason="slow"),
        Quarantined("i", "extract", "timeout", "slow"),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_after_a_failed_extraction(name: str) -> None:
    item, expected = BROKEN[name]
    assert after_failed_extraction(item, "timeout", "slow") == expected


@dataclass
class Desk:
    """One data folder with everything open, and a way to run one pass over it."""

    settings: Settings
    ledger: Ledger
    index: Index

    def add(self, *urls: str) -> None:
        for url in urls:
            self.ledger.add_feed(Feed(id=feed_id(url), url=url, added=utc_now()))

    def pass_once(self) -> Tally:
        for feed in self.ledger.feeds():
            self.ledger.touch_feed(feed.id, feed.added)
        flow = Flow(self.settings, self.ledger, self.index)
        asyncio.run(flow.run_once())
        return flow.tally

    def documents(self) -> dict[str, Document]:
        found = (self.index.get(key) for key in self.index.ids())
        return {document.article.url: document for document in found if document is not None}


def make_desk(folder: Path, hosts: tuple[str, ...], **overrides: object) -> Desk:
    settings = load_settings(folder, allow_hosts=hosts, host_delay=0.0, per_host=8, enrich=False, **overrides)
    return Desk(settings, open_ledger(settings.ledger_at), open_index(settings))


@pytest.fixture(scope="module")
def newsroom() -> Iterator[Newsroom]:
    with Newsroom(NOW, slow=0.2) as room:
        yield room


@pytest.fixture(scope="module")
def first_edition(newsroom: Newsroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The newsroom's first edition, run once."""
    desk = make_desk(tmp_path_factory.mktemp("desk"), newsroom.hosts)
    desk.add(*(feed.url for feed in newsroom.feeds))
    desk.pass_once()
    yield desk
    desk.index.close()
    desk.ledger.close()


def test_every_item_ends_in_exactly_one_outcome(first_edition: Desk, newsroom: Newsroom) -> None:
    counts = first_edition.ledger.counts()
    assert sum(counts.values()) == len(newsroom.articles)
    assert counts["seen"] == counts["fetched"] == counts["quarantined"] == 0
    assert counts["indexed"] == first_edition.index.count(Kind.ARTICLES)


def test_a_page_that_is_refused_keeps_its_story_by_the_feeds_text(first_edition: Desk, newsroom: Newsroom) -> None:
    refused = [article.url for article in newsroom.articles.values() if article.status == 403]
    documents = first_edition.documents()
    assert refused
    for url in refused:
        article = documents[url].article
        assert article.body_source == "feed"
        assert article.body_reason is not None
        assert "403" in article.body_reason
        assert article.body


def test_a_page_that_robots_txt_forbids_is_never_asked_for(first_edition: Desk, newsroom: Newsroom) -> None:
    forbidden = [article for article in newsroom.articles.values() if not article.robots]
    assert forbidden
    asked = {seen.url for seen in newsroom.requests}
    for article in forbidden:
        assert not {article.url, article.link} & asked
        assert first_edition.documents()[article.url].article.body_source == "feed"


def test_a_page_without_an_article_is_not_indexed_as_one(first_edition: Desk, newsroom: Newsroom) -> None:
    videos = [article.url for article in newsroom.articles.values() if article.kind is PageKind.VIDEO]
    assert videos
    assert not set(videos) & set(first_edition.documents())


def test_the_failing_feed_is_kept_with_its_reason_and_the_others_are_served(first_edition: Desk) -> None:
    failing = [feed for feed in first_edition.ledger.feeds() if feed.failures]
    assert len(failing) == 1
    assert failing[0].reason is not None
    assert "HTML" in failing[0].reason
    assert all(feed.last_success for feed in first_edition.ledger.feeds() if feed not in failing)


def test_the_first_poll_of_a_feed_is_marked_as_its_baseline(first_edition: Desk) -> None:
    assert all(document.article.baseline for document in first_edition.documents().values())


def test_every_page_can_be_read_back_from_the_archive(first_edition: Desk) -> None:
    archive = Archive(first_edition.settings.archive_folder, first_edition.settings.warc_size)
    for document in first_edition.documents().values():
        if document.article.location is not None:
            assert archive.read(document.article.location).status == 200
    archive.close()


def test_a_second_pass_over_unchanged_feeds_asks_for_no_page_again(tmp_path: Path) -> None:
    with Newsroom(NOW, slow=0.0) as room:
        desk = make_desk(tmp_path, room.hosts)
        desk.add(room.feeds[0].url)
        desk.pass_once()
        before, documents = len(room.requests), desk.documents()
        assert documents
        desk.pass_once()
        again = [seen.path for seen in room.requests[before:]]
        assert len(again) == 1, again
        assert desk.documents() == documents


PAGE = """<html lang="en"><head><title>Ferry service resumes</title></head><body><article><h1>Ferry service resumes</h1>
<p>HARTWICK - Ferry crossings between Hartwick and the outer islands resumed on Monday after a nine-day strike, the
operator said.</p><p>"The first boat left at six," said Odile Marchetti, who manages the harbour. She said that all
crew members had returned and that the timetable would be back to normal by the weekend.</p><p>The union said its
members had accepted a pay rise of four percent, less than the seven they had asked for.</p></article></body></html>"""

ITEM = "<item><title>Ferry service resumes</title><link>{link}</link><description>{text}</description></item>"


def rss(*items: str) -> bytes:
    return f'<rss version="2.0"><channel><title>Harbour News</title>{"".join(items)}</channel></rss>'.encode()


def html(body: str = PAGE) -> Reply:
    return Reply(body.encode(), headers={"Content-Type": "text/html; charset=utf-8"})


def xml(body: bytes) -> Reply:
    return Reply(body, headers={"Content-Type": "application/rss+xml"})


def test_an_article_is_enriched_again_from_the_text_in_the_index(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        server.on("/feed", xml(rss(ITEM.format(link=server.url("/ferry"), text="Boats sail again."))))
        server.on("/ferry", html())
        desk = make_desk(tmp_path, server.hosts)
        desk.add(server.url("/feed"))
        desk.pass_once()
        (before,) = desk.documents().values()
        shutil.rmtree(tmp_path / "archive")  # no page can be read again
        owe_again(desk.ledger, Selection(), Again.ENRICH)
        with_model = desk.settings.model_copy(update={"enrich": True})
        asyncio.run(Flow(with_model, desk.ledger, desk.index).run_once())
        (after,) = desk.documents().values()
        assert after.article == before.article
        assert "Odile Marchetti" in [claim.speaker.name for claim in after.enriched.claims if claim.speaker]
        (item,) = desk.ledger.indexed_items()
        assert (item.stage, server.paths.count("/ferry")) == (None, 1)


def test_a_page_that_comes_back_replaces_the_feeds_text(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        link = server.url("/ferry")
        server.on("/feed", xml(rss(ITEM.format(link=link, text="Boats sail again."))))
        server.on("/ferry", Reply(status=503), then=html())
        desk = make_desk(tmp_path, server.hosts)
        desk.add(server.url("/feed"))
        desk.pass_once()
        (document,) = desk.documents().values()
        assert (document.article.body_source, document.article.body) == ("feed", "Boats sail again.")
        waiting = desk.ledger.next_due(Owed.FETCH)
        assert waiting is not None

        flow = Flow(desk.settings, desk.ledger, desk.index, clock=lambda: waiting)
        asyncio.run(flow.run_once())
        (document,) = desk.documents().values()
        assert document.article.body_source == "page"
        assert "nine-day strike" in document.article.body
        assert desk.index.count(Kind.ARTICLES) == 1


def test_an_entry_without_a_link_is_indexed_from_the_feed(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        two = "".join(f"<item><title>Notice {n}</title><description>Text {n}.</description></item>" for n in (1, 2))
        server.on("/feed", xml(rss(two)))
        desk = make_desk(tmp_path, server.hosts)
        desk.add(server.url("/feed"))
        desk.pass_once()
        found = [desk.index.get(key) for key in desk.index.ids()]
        assert sorted(document.article.title for document in found if document) == ["Notice 1", "Notice 2"]


def test_two_feeds_that_carry_one_link_make_one_article(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        link = server.url("/ferry")
        for feed, tracking in (("/a", "?utm_source=a"), ("/b", "?utm_campaign=b")):
            server.on(feed, xml(rss(ITEM.format(link=link + tracking, text="Boats."))))
        server.on("/ferry", html())
        desk = make_desk(tmp_path, server.hosts)
        desk.add(server.url("/a"), server.url("/b"))
        desk.pass_once()
        (document,) = desk.documents().values()
        assert len(desk.ledger.sightings(desk.ledger.carriers(document.article.id)[0].id)) == 2


class Grudging:
    """A stand-in for one part only: an index whose disk is full until it is told otherwise. The rest is the real one."""

    def __init__(self, index: Index) -> None:
        self.index, self.full = index, True

    def __getattr__(self, name: str) -> object:
        return getattr(self.index, name)

    def upsert(self, documents: list[Document]) -> None:
        if self.full:
            raise IndexUnavailableError("index", "no space left on device")
        self.index.upsert(documents)


def test_an_index_that_cannot_be_written_stops_indexing_and_loses_nothing(tmp_path: Path) -> None:
    with Newsroom(NOW, slow=0.0) as room:
        desk = make_desk(tmp_path, room.hosts)
        desk.add(*(feed.url for feed in room.feeds[:3]))
        grudging = Grudging(desk.index)
        with pytest.raises(IndexUnavailableError, match="no space left"):
            asyncio.run(Flow(desk.settings, desk.ledger, grudging).run_once())  # type: ignore[arg-type]
        assert desk.index.count(Kind.ARTICLES) == 0
        owed = desk.ledger.owed(utc_now())
        assert owed["fetch"]["now"] + owed["index"]["now"] > 0
        assert owed["fetch"]["in_hand"] == owed["index"]["in_hand"] == 0
        grudging.full = False
        asyncio.run(Flow(desk.settings, desk.ledger, grudging).run_once())  # type: ignore[arg-type]
        counts = desk.ledger.counts()
        assert counts["seen"] == counts["fetched"] == 0
        assert desk.index.count(Kind.ARTICLES) == counts["indexed"] > 10


def test_a_resident_run_waits_for_a_full_disk_and_goes_on_by_itself(tmp_path: Path) -> None:
    async def scenario(desk: Desk, grudging: Grudging) -> None:
        flow = Flow(desk.settings, desk.ledger, grudging)  # type: ignore[arg-type]
        running = asyncio.create_task(flow.run())
        # What is waited for is in a database, not an event.
        while not any("no space left" in text for _, text, _ in desk.ledger.notes()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        grudging.full = False
        while desk.ledger.notes():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert desk.index.count(Kind.ARTICLES) > 0
        flow.stop()
        await running

    with Newsroom(NOW, slow=0.0) as room:
        desk = make_desk(tmp_path, room.hosts)
        desk.add(room.feeds[0].url)
        asyncio.run(asyncio.wait_for(scenario(desk, Grudging(desk.index)), 60))


def test_a_page_that_takes_too_long_is_quarantined_and_can_be_tried_again(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        server.on("/feed", xml(rss(ITEM.format(link=server.url("/ferry"), text="Boats."))))
        server.on("/ferry", html(PAGE.replace("</article>", "<p>x" * 150_000 + "</article>")))
        hurried = make_desk(tmp_path, server.hosts, page_timeout=0.2)
        hurried.add(server.url("/feed"))
        hurried.pass_once()
        (item,) = hurried.ledger.quarantined()  # the feed's text stands in meanwhile
        assert (item.stage, item.code, item.state) == ("extract", "timeout", ItemState.INDEXED)
        assert item.reason == "extraction took more than 0.2 s"
        assert hurried.ledger.retry_quarantined([item.id], utc_now()) == 1
        patient = make_desk(tmp_path, server.hosts)
        patient.pass_once()
        (document,) = patient.documents().values()
        assert document.article.body_source == "page"
        assert server.paths.count("/ferry") == 1  # the page was in the archive all the while


def test_search_sees_what_a_run_has_indexed(first_edition: Desk) -> None:
    result = first_edition.index.search(SearchRequest(query="title:kashmir AND NOT title:bus", limit=50))
    assert result.total >= 3
    assert all("kashmir" in hit.record["article"]["title"].lower() for hit in result.hits)
