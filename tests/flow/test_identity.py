"""Feeds whose links, GUIDs or both tell nothing, polled, fetched, extracted, indexed and replayed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.flow import Flow
from pipeline.index import Index, open_index
from pipeline.ledger import Ledger, open_ledger
from pipeline.records import Document, Feed, Identity, Status, feed_id
from pipeline.replay import replay
from pipeline.settings import Settings
from tests.flow.test_revisits import HOUR, NOW, STORY, page
from tests.support.server import Reply, ScriptedServer

TANKER = "Tanker and bulk carrier collide"
WELLS = "Herders and county clash over wells"
WATER = tuple(
    paragraph.replace("tanker", "herd").replace("bulk carrier", "county").replace("coast", "well")
    for paragraph in STORY
)


class Newsstand:
    """A site whose feed and pages are set by hand, and a pipeline that watches it."""

    def __init__(self, folder: Path, server: ScriptedServer) -> None:
        self.server = server
        self.settings = Settings(data=folder, allow_hosts=(server.hosts[0],), host_delay=0.0, enrich=False)
        self.ledger: Ledger = open_ledger(self.settings.ledger_file)
        self.index: Index = open_index(self.settings)

    def watch(self, identity: Identity, name: str = "/feed") -> None:
        url = self.server.url(name)
        self.ledger.add_feed(Feed(id=feed_id(url), url=url, added=NOW, source="Harbour Times", identity=identity))

    def announce(self, *entries: tuple[str, str, str], name: str = "/feed", minute: int = 0) -> None:
        """Entries as (GUID, path, headline)."""
        told = "".join(
            f"<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title>"
            f"<link>{self.server.url(path)}</link><pubDate>Tue, 24 Nov 2026 12:{minute:02}:00 GMT</pubDate></item>"
            for guid, path, title in entries
        )
        body = f'<rss version="2.0"><channel><title>H</title>{told}</channel></rss>'.encode()
        self.server.on(name, Reply(body, headers={"Content-Type": "application/rss+xml"}))

    def put(self, path: str, body: bytes, status: int = 200) -> None:
        self.server.on(path, Reply(body, status=status, headers={"Content-Type": "text/html"}))

    async def after(self, hours: float) -> dict[str, Document]:
        """The index's articles by headline."""
        await Flow(self.settings, self.ledger, self.index, clock=lambda: NOW + hours * HOUR).run_once()
        return self.held()

    def held(self) -> dict[str, Document]:
        found = [self.index.get(key) for key in self.index.ids()]
        return {document.article.title: document for document in found if document is not None}


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Newsstand]:
    with ScriptedServer() as server:
        made = Newsstand(tmp_path, server)
        yield made
        made.index.close()
        made.ledger.close()


@pytest.mark.parametrize("identity", [Identity.GUID, Identity.TITLE])
async def test_an_article_whose_link_changes_at_every_poll_is_followed_by_the_newest(
    stand: Newsstand, identity: Identity
) -> None:
    stand.watch(identity)
    guid = (lambda n: "1") if identity is Identity.GUID else (lambda n: f"g{n}")
    stand.announce((guid(0), "/s0", TANKER))
    stand.put("/s0", page(*STORY))
    first = (await stand.after(0))[TANKER]
    stand.put("/s0", b"gone", status=410)  # the old link leads nowhere, and the article is there all the same
    stand.announce((guid(1), "/s1", TANKER), minute=20)
    stand.put("/s1", page(STORY[0].replace("fourteen", "eleven"), *STORY[1:]))
    await stand.after(1)
    found = await stand.after(2)
    assert list(found) == [TANKER]
    second = found[TANKER]
    assert second.article.id == first.article.id
    assert (second.article.version, second.placement.status) == (2, Status.UPDATED)
    assert len(list(stand.index.ids())) == 1
    stand.index.close()
    await replay(stand.settings, stand.ledger)
    stand.index = open_index(stand.settings)
    assert stand.held() == {TANKER: second}


async def test_a_link_that_leads_nowhere_says_not_that_the_article_is_gone(stand: Newsstand) -> None:
    stand.watch(Identity.GUID)
    stand.announce(("1", "/s0", TANKER))
    stand.put("/s0", page(*STORY))
    await stand.after(0)
    stand.put("/s0", b"gone", status=410)
    stand.announce(("1", "/s0", f"{TANKER} off Djibouti"))
    await stand.after(1)
    found = await stand.after(2)
    assert found[TANKER].placement.status is Status.CURRENT
    assert sum(seen.path == "/s0" for seen in stand.server.requests) == 2


async def test_links_that_only_say_the_place_in_the_list_lead_to_all_that_stood_there(stand: Newsstand) -> None:
    stand.watch(Identity.TITLE)
    stand.announce(("1", "/first", TANKER))
    stand.put("/first", page(*STORY))
    await stand.after(0)
    stand.announce(("1", "/first", WELLS), ("2", "/second", TANKER))
    stand.put("/first", page(*WATER, title=WELLS))
    stand.put("/second", page(*STORY))
    found = await stand.after(1)
    assert sorted(found) == [WELLS, TANKER]
    assert "herd" in found[WELLS].article.body
    assert found[TANKER].article.version == 1


async def test_one_page_of_such_a_feed_and_of_another_is_one_article_by_its_text(stand: Newsstand) -> None:
    stand.watch(Identity.TITLE)
    stand.watch(Identity.AUTO, "/other")
    stand.announce(("g0", "/s0", TANKER))
    stand.announce(("1", "/story", TANKER), name="/other")
    for path in ("/s0", "/story"):
        stand.put(path, page(*STORY))
    found = await stand.after(0)
    assert len(list(stand.index.ids())) == len(found) == 1


async def test_a_guid_in_two_feeds_of_a_source_is_fetched_once(stand: Newsstand) -> None:
    guid = "urn:uuid:0f0e8f1c-5d5b-4f2e-9d52-0c9b1a2b3c4d"
    for name, path in (("/feed", "/a"), ("/other", "/b")):
        stand.watch(Identity.GUID, name)
        stand.announce((guid, path, TANKER), name=name)
        stand.put(path, page(*STORY))
    assert len(await stand.after(0)) == 1
    assert sum(seen.path in ("/a", "/b") for seen in stand.server.requests) == 1
    (document,) = stand.held().values()
    assert len(stand.ledger.sightings(stand.ledger.carriers(document.article.id)[0].id)) == 2
