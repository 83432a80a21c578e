"""Pages are looked at again: conditionally, seldomer with age, within a day's measure, and what changed is a version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import pipeline.extract
from pipeline import workers
from pipeline.flow import Flow
from pipeline.flow.revisits import AGES, next_visit
from pipeline.index import Index, open_index
from pipeline.ledger import Ledger, open_ledger
from pipeline.records import Document, Feed, Status, feed_id
from pipeline.replay import replay
from pipeline.settings import Settings
from pipeline.stories.register import Register
from tests.support.server import Reply, ScriptedServer

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

VISITS = [
    ("in_half_an_hour_at_first", NOW, NOW, NOW, AGES[0]),
    ("then_seldomer", NOW, NOW, NOW + 3 * HOUR, AGES[2]),
    ("at_last_after_a_week", NOW, NOW, NOW + timedelta(days=4), AGES[-1]),
    ("never_after_that", NOW, NOW, NOW + timedelta(days=8), None),
    ("never_what_was_old_when_it_was_first_seen", NOW, NOW - timedelta(days=30), NOW, None),
    ("also_where_the_source_gives_no_time", NOW, None, NOW, AGES[0]),
]


@pytest.mark.parametrize(("seen", "published", "now", "age"), [c[1:] for c in VISITS], ids=[c[0] for c in VISITS])
def test_a_page_is_looked_at_again(
    seen: datetime, published: datetime | None, now: datetime, age: timedelta | None
) -> None:
    assert next_visit(seen, published, now) == (None if age is None else seen + age)


STORY = (
    "A crude oil tanker and a bulk carrier collided in the southern approaches to the Red Sea before dawn, leaving "
    "fourteen sailors missing and spilling oil towards the coast, officials said on Tuesday. ",
    "The tanker Castor Dawn, carrying about 90,000 tonnes of crude, was struck on its port side by the bulk carrier Lady "
    "Marchetti some 22 nautical miles northeast of the port, the coast guard said in a statement to reporters. ",
    "Its managers said that the vessel had been on a steady course with all lights burning, and accused the bulk carrier of "
    "crossing a traffic lane that had been marked on every chart for years. ",
)


def page(*paragraphs: str, title: str = "Tanker and bulk carrier collide", clock: str = "12:00") -> bytes:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f"<html><head><title>{title}</title><meta property='og:title' content='{title}'>"
        f"<meta property='article:published_time' content='{NOW.isoformat()}'></head>"
        f"<body><div class='ad'>ad {clock}</div><article><h1>{title}</h1>{body}</article></body></html>"
    ).encode()


def as_an_older_reader(orders: workers.Orders) -> None:
    """Begin a worker process whose extractor misses the last paragraph of what the one of now finds."""
    found = pipeline.extract.take_body
    pipeline.extract.take_body = lambda *of, **more: found(*of, **more).rpartition("\n\n")[0]
    workers._begin(orders)


class Desk:
    """A feed with one entry, its page, a pipeline that watches them, and a clock that is set by hand."""

    def __init__(self, folder: Path, server: ScriptedServer, **settings: object) -> None:
        self.server, self.now = server, NOW
        self.settings = Settings(
            data=folder,
            allow_hosts=(server.hosts[0],),
            host_delay=0.0,
            enrich=False,
            **settings,  # type: ignore[arg-type]
        )
        self.ledger: Ledger = open_ledger(self.settings.ledger_file)
        self.index: Index = open_index(self.settings)
        self.title = "Tanker and bulk carrier collide"
        url = server.url("/feed")
        self.ledger.add_feed(Feed(id=feed_id(url), url=url, added=NOW, source="Harbour Times"))

    def feed(self) -> bytes:
        return (
            f'<rss version="2.0"><channel><title>H</title><item><guid>1</guid><title>{self.title}</title>'
            f"<link>{self.server.url('/story')}</link><pubDate>Tue, 24 Nov 2026 12:00:00 GMT</pubDate>"
            f"</item></channel></rss>"
        ).encode()

    def put(self, body: bytes, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.server.on("/story", Reply(body, status=status, headers={"Content-Type": "text/html", **named}))

    async def after(self, hours: float) -> Document:
        self.now = NOW + hours * HOUR
        self.server.on("/feed", Reply(self.feed(), headers={"Content-Type": "application/rss+xml"}))
        await Flow(self.settings, self.ledger, self.index, clock=lambda: self.now).run_once()
        (key,) = self.index.ids()
        found = self.index.get(key)
        assert found is not None
        return found

    @property
    def asked(self) -> int:
        return sum(seen.path == "/story" for seen in self.server.requests)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with ScriptedServer() as server:
        made = Desk(tmp_path, server)
        yield made
        made.index.close()
        made.ledger.close()


async def test_a_changed_page_becomes_a_version_and_the_index_has_the_newest(desk: Desk) -> None:
    desk.put(page(*STORY))
    first = await desk.after(0)
    desk.put(page(STORY[0].replace("fourteen", "eleven"), *STORY[1:]))
    second = await desk.after(0.6)
    assert (first.article.version, second.article.version, second.placement.versions) == (1, 2, 2)
    assert "eleven sailors" in second.article.body
    assert second.placement.status is Status.UPDATED
    one, two = Register(desk.ledger).versions(second.article.id)
    assert one.location is not None
    assert two.location is not None
    assert one.location != two.location
    assert two.difference is not None
    assert [(c.before is not None, c.after is not None) for c in two.difference.sentences] == [(True, True)]


async def test_other_advertisements_are_no_version_and_the_same_bytes_are_not_even_archived(desk: Desk) -> None:
    desk.put(page(*STORY))
    first = await desk.after(0)
    same = await desk.after(0.6)
    assert same.article.location == first.article.location
    desk.put(page(*STORY, clock="14:07"))
    third = await desk.after(2.1)
    assert desk.asked == 3
    assert third.article.version == 1
    assert len(Register(desk.ledger).versions(third.article.id)) == 1


async def test_a_second_look_is_conditional_with_the_validators_byte_for_byte(desk: Desk) -> None:
    desk.put(page(*STORY), ETag='W/"a b"', Last_Modified="Tue, 24 Nov 2026 11:59:00 GMT")
    await desk.after(0)
    desk.put(b"", status=304)
    await desk.after(0.6)
    await desk.after(2.1)
    looks = [seen for seen in desk.server.requests if seen.path == "/story"]
    assert [seen.headers.get("If-None-Match") for seen in looks] == [None, 'W/"a b"', 'W/"a b"']
    assert looks[-1].headers["If-Modified-Since"] == "Tue, 24 Nov 2026 11:59:00 GMT"


async def test_looks_are_as_many_as_the_schedule_says_and_no_more(desk: Desk) -> None:
    desk.put(page(*STORY))
    for hours in (0, 0.1, 0.6, 0.7, 2.1, 7, 25, 80, 170, 200, 400):
        await desk.after(hours)
    assert desk.asked == 1 + len(AGES)


async def test_a_host_is_looked_at_only_so_often_a_day(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        desk = Desk(tmp_path, server, revisits_a_day=1)
        desk.put(page(*STORY))
        for hours in (0, 0.6, 2.1, 6.5):
            await desk.after(hours)
        assert desk.asked == 2
        await desk.after(27)
        assert desk.asked == 3


@pytest.mark.parametrize(("status", "looks"), [(410, 1), (404, 2)])
async def test_a_page_that_is_gone_is_marked_with_the_day_and_stays_to_be_found(
    desk: Desk, status: int, looks: int
) -> None:
    desk.put(page(*STORY))
    await desk.after(0)
    desk.put(b"<h1>not here</h1>", status=status)
    first = await desk.after(0.6)
    assert first.placement.status is (Status.VANISHED if looks == 1 else Status.CURRENT)
    last = await desk.after(30)
    assert last.placement.status is Status.VANISHED
    assert last.placement.status_at == (NOW + (0.6 if looks == 1 else 30) * HOUR)
    assert str(status) in (last.placement.status_note or "")
    assert last.article.body == first.article.body


async def test_an_entry_whose_headline_changed_is_looked_at_at_once(desk: Desk) -> None:
    desk.put(page(*STORY))
    await desk.after(0)
    await desk.after(3)  # the looks at half an hour and two hours are one
    looks = desk.asked
    desk.title = "Tanker and bulk carrier collide, eleven missing"
    desk.put(page(STORY[0].replace("fourteen", "eleven"), *STORY[1:], title=desk.title))
    found = await desk.after(4)
    assert desk.asked == looks + 1
    assert (found.article.version, found.article.title) == (2, desk.title)


async def test_a_feed_that_changes_its_entry_at_every_poll_is_not_followed_for_ever_and_is_reported(desk: Desk) -> None:
    desk.put(page(*STORY))
    for n in range(30):
        desk.title = f"Tanker and bulk carrier collide ({n})"
        await desk.after(n * 24.5)
    assert desk.asked <= 21 + len(AGES)
    assert any("changes 1 of its entries" in text for _, text, _ in desk.ledger.notes())


async def test_replay_gives_the_newest_version_and_every_placement_again(desk: Desk) -> None:
    desk.put(page(*STORY))
    await desk.after(0)
    desk.put(page(STORY[0].replace("fourteen", "eleven"), *STORY[1:]))
    before = await desk.after(0.6)
    desk.index.close()
    await replay(desk.settings, desk.ledger)
    desk.index = open_index(desk.settings)
    assert desk.index.get(before.article.id) == before


async def _read_by_an_older_extractor(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Document:
    desk.put(page(*STORY))
    with monkeypatch.context() as older:
        older.setattr("pipeline.workers._begin", as_an_older_reader)
        first = await desk.after(0)
    assert STORY[2].strip() not in first.article.body
    return first


async def test_a_page_fetched_again_and_read_otherwise_by_a_newer_extractor_is_no_version(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await _read_by_an_older_extractor(desk, monkeypatch)
    desk.put(page(*STORY, clock="14:07"))
    second = await desk.after(0.6)
    assert first.article.location != second.article.location
    assert STORY[2].strip() in second.article.body
    assert (second.article.version, second.placement.versions) == (1, 1)
    assert second.placement.status is Status.CURRENT
    (version,) = Register(desk.ledger).versions(second.article.id)
    assert version.location == second.article.location
    desk.put(page(STORY[0].replace("fourteen", "eleven"), *STORY[1:]))
    assert (await desk.after(2.1)).article.version == 2  # what is changed afterwards is one


async def test_a_version_s_difference_is_what_the_publisher_changed_and_not_what_the_extractor_did(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _read_by_an_older_extractor(desk, monkeypatch)
    desk.put(page(STORY[0].replace("fourteen", "eleven"), *STORY[1:]))
    second = await desk.after(0.6)
    assert second.article.version == 2
    difference = Register(desk.ledger).versions(second.article.id)[1].difference
    assert difference is not None
    assert [(c.before is not None, c.after is not None) for c in difference.sentences] == [(True, True)]


async def test_where_the_page_before_is_lost_other_words_are_a_version(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await _read_by_an_older_extractor(desk, monkeypatch)
    assert first.article.location is not None
    (desk.settings.archive_folder / first.article.location.file).write_bytes(b"")
    desk.put(page(*STORY, clock="14:07"))
    assert (await desk.after(0.6)).article.version == 2


async def test_a_replay_by_a_newer_extractor_makes_no_version_of_a_page_that_was_fetched_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await _read_by_an_older_extractor(desk, monkeypatch)
    with monkeypatch.context() as older:
        older.setattr("pipeline.workers._begin", as_an_older_reader)
        desk.put(page(*STORY, clock="14:07"))
        second = await desk.after(0.6)
    assert first.article.body == second.article.body
    (version,) = Register(desk.ledger).versions(first.article.id)
    assert version.location == first.article.location  # which is not where the replay reads
    desk.index.close()
    await replay(desk.settings, desk.ledger)
    desk.index = open_index(desk.settings)
    made = desk.index.get(first.article.id)
    assert made is not None
    assert STORY[2].strip() in made.article.body
    assert (made.article.version, made.placement.status) == (1, Status.CURRENT)
    assert len(Register(desk.ledger).versions(first.article.id)) == 1


async def test_a_replay_beside_the_index_in_use_leaves_what_that_one_is_owed(desk: Desk) -> None:
    desk.put(page(*STORY))
    before = await desk.after(0)
    register = Register(desk.ledger)
    register.mark(before.article.id, Status.VANISHED, desk.now, "HTTP 410")
    desk.index.close()
    await replay(desk.settings, desk.ledger, beside=True)
    desk.index = open_index(desk.settings)
    made = desk.index.get(before.article.id)
    assert made is not None
    assert made.placement.status is Status.VANISHED
    assert register.owed() == 1
    desk.index.close()
    await replay(desk.settings, desk.ledger)
    desk.index = open_index(desk.settings)
    assert register.owed() == 0
