"""What is old and over goes whole, from index, ledger and archive; what is owed or goes on stays. On both databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import IndexUnavailableError, SettingsError
from pipeline.fetch import Archive
from pipeline.flow.stories import at_its_place
from pipeline.index import Index, Kind, open_index
from pipeline.index.embedded import EmbeddedIndex
from pipeline.ledger import (
    AlertState,
    FellBack,
    Fetched,
    Indexed,
    Item,
    Ledger,
    Owed,
    Quarantined,
    Skipped,
    Verdict,
)
from pipeline.records import Alert, AlertKind, Document, Location, Page, Relation
from pipeline.retention import Report, prune, prune_daily
from pipeline.settings import Settings
from pipeline.stories.register import Placed, Register
from pipeline.stories.traits import traits
from tests.stories.making import NOON, TANKER, WELLS, claim, document
from tests.support.ledgers import ME, make_feed, make_sighting

DAY = timedelta(days=1)
NOW = NOON + 100 * DAY
CUT = NOW - 90 * DAY
"""Ten days after the old articles."""

WIRE = document("wire", "Tanker and bulk carrier collide off Djibouti", TANKER, source="Meridian News Agency")
COPY = document("copy", "Ships collide in Red Sea", "\n\n".join(TANKER.split("\n\n")[:4]), source="Harbour", minutes=35)
WELL = document("wells", "Herders & county clash over locked wells", WELLS, source="Rift Herald", minutes=10)


class World:
    """A ledger with a register, an index and an archive, and articles that went through all of them."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger, self.settings = ledger, Settings(data=folder)
        self.index: Index = open_index(self.settings)
        self.feed = make_feed()
        self.ledger.add_feed(self.feed)

    def see(self, one: Document, seen: datetime = NOON) -> Item:
        """Announced, and in hand to be fetched."""
        sighting = make_sighting(one.article.url, self.feed, seen)
        self.ledger.store_poll([sighting], lambda new: self.feed)
        (item,) = self.ledger.claim_items(Owed.FETCH, seen, 10, ME, 60)
        assert item.id == one.article.id
        return item

    def keep(self, *urls: str, seen: datetime = NOON) -> list[Location]:
        """Pages in one file of the archive, last written then."""
        with Archive(self.settings.archive_folder, max_size=10**6) as archive:
            places = [
                archive.append(Page(url=url, final_url=url, status=200, headers=(), body=b"A page.", fetched=seen))
                for url in urls
            ]
        os.utime(self.settings.archive_folder / places[0].file, (seen.timestamp(),) * 2)
        return places

    def publish(self, one: Document, seen: datetime = NOON, place: Location | None = None) -> str:
        """Announced, fetched and indexed. The file of the archive in which its page lies."""
        item = self.see(one, seen)
        place = place or self.keep(one.article.url, seen=seen)[0]
        one = replace(one, article=replace(one.article, location=place, first_seen=seen))
        self.ledger.apply([Fetched(item.id, place)], seen, ME)
        self.ledger.claim_items(Owed.INDEX, seen, 10, ME, 60)
        self.ledger.own([(one.article.id, item.id)])
        register = Register(self.ledger)
        placed = register.place([(one, traits(one))], seen)[one.article.id]
        assert isinstance(placed, Placed)
        self.index.upsert([replace(at_its_place(one, placed), indexed=seen)])
        self.ledger.apply([Indexed(item.id, one.article.id, seen)], seen, ME)
        return place.file

    def settle(self) -> None:
        """All stories are in the index as the register has them."""
        register = Register(self.ledger)
        stories = register.claim_owed(NOON, 100, ME, 60)
        standing = register.standing(stories)
        register.refreshed({one.placement.story: one.revision for one in standing.values()}, ME)

    def tell(self, one: Document, *, delivered: bool) -> None:
        """An alert on the article's story."""
        placed = Register(self.ledger).placement(one.article.id)
        assert placed is not None
        alert = Alert(
            id="a" + one.article.id[1:], rule="r", severity="high", kind=AlertKind.MATCH, story=placed.placement.story,
            version=1, article=one.article.id, headline="h", source="s", url="u", first_seen=NOON, fired=NOON,
        )  # fmt: skip
        with self.ledger.writing() as db:
            self.ledger.outbox.add(db, alert, AlertState.FIRED, 1, ("log",))
        if delivered:
            (parcel,) = self.ledger.outbox.claim(NOON, ME, 60, lambda waiting: Verdict.SEND)
            self.ledger.outbox.sent(parcel, NOON)

    def prune(self, **more: bool) -> Report:
        return prune(self.settings, self.ledger, CUT, NOW, **more)

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.settings.archive_folder.iterdir())


@pytest.fixture
def world(ledger: Ledger, tmp_path: Path) -> Iterator[World]:
    made = World(ledger, tmp_path / "data")
    yield made
    made.index.close()


def test_a_story_that_is_over_goes_whole_and_leaves_its_links(world: World) -> None:
    world.publish(WIRE)
    world.publish(COPY)
    young = world.publish(WELL, NOW - 5 * DAY)
    world.settle()
    world.tell(WIRE, delivered=True)
    meant = world.prune(dry_run=True)
    assert (world.index.count(Kind.ARTICLES), len(world.files)) == (3, 3)
    assert {one.url for one in meant.youngest} == {WIRE.article.url, COPY.article.url}
    done = world.prune()
    assert replace(meant, youngest=()) == done
    assert (done.articles, done.items, done.files, done.kept) == (2, 2, 2, {})
    assert list(world.index.ids()) == [WELL.article.id]
    assert world.files == [young]
    assert world.ledger.counts()["pruned"] == 2
    assert world.ledger.outbox.told() == []
    register = Register(world.ledger)
    assert register.placement(WIRE.article.id) is None
    assert register.versions(WIRE.article.id) == []
    assert [item.id for item in world.ledger.indexed_items()] == [WELL.article.id]
    # The feed still shows the entry: it is known.
    again = make_sighting(WIRE.article.url, world.feed, NOW)
    assert world.ledger.store_poll([again], lambda new: world.feed) == 0
    assert world.ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60) == []
    assert [one.text for one in world.ledger.sightings(WIRE.article.id)] == [""]
    assert world.prune() == Report(0, 0, 0, 0, {})


def test_a_new_link_to_a_pruned_article_is_no_news(world: World) -> None:
    world.publish(WIRE)
    world.prune()
    assert world.ledger.own([(WIRE.article.id, "f" * 20)]) == set()


def test_a_story_that_goes_on_stays_whole(world: World) -> None:
    world.publish(WIRE)
    world.publish(COPY, CUT + DAY)
    world.settle()
    assert world.prune() == Report(0, 0, 0, 0, {"their story goes on": 1})
    assert world.index.count(Kind.ARTICLES) == 2


def test_what_is_owed_in_hand_in_quarantine_or_to_be_told_stays(world: World) -> None:
    world.publish(WIRE)
    world.ledger.owe_fetch(WIRE.article.id, NOW + DAY)  # a revisit
    waits = document("waits", "In quarantine", WELLS)
    world.ledger.apply([Quarantined(world.see(waits).id, "fetch", "http-404", "HTTP 404")], NOON, ME)
    world.publish(WELL)
    world.tell(WELL, delivered=False)
    broken = document("broken", "A page that broke the extractor", "Snow fell on the hills of the north. " * 9)
    item = world.see(broken)
    world.ledger.apply([FellBack(item.id, "timeout", "took too long", None, "extract")], NOON, ME)
    world.ledger.claim_items(Owed.INDEX, NOON, 10, ME, 60)
    world.ledger.apply([Indexed(item.id, item.id, NOON)], NOON, ME)
    held = world.see(document("held", "In hand", WELLS))
    world.ledger.renew(ME, NOW, 600, items=[held.id])
    world.settle()
    kept = {"an alert is to be delivered": 1, "in hand": 1, "in quarantine": 2, "owed": 1}
    assert world.prune(dry_run=True).kept == kept
    assert world.prune() == Report(0, 0, 0, 0, kept)
    assert world.index.count(Kind.ARTICLES) == 2
    assert world.ledger.counts()["pruned"] == 0


def test_what_held_no_article_goes_too(world: World) -> None:
    item = world.see(document("video", "A video", WELLS))
    world.ledger.apply([Skipped(item.id, "video", "the page is a video")], NOON, ME)
    assert world.prune() == Report(0, 1, 0, 0, {})


def test_a_file_in_which_something_lies_that_is_kept_stays(world: World) -> None:
    first, second = world.keep(WIRE.article.url, WELL.article.url)
    world.publish(WIRE, place=first)
    world.publish(WELL, NOW - 5 * DAY, place=second)
    world.settle()
    assert world.prune(dry_run=True).files == 0
    report = world.prune()
    assert (report.articles, report.files) == (1, 0)
    assert world.files == [first.file]


def test_a_file_of_polls_alone_goes_when_it_is_old(world: World) -> None:
    world.keep("http://e.org/feed")
    (young,) = world.keep("http://e.org/feed", seen=NOW - DAY)
    assert world.prune(dry_run=True).files == world.prune().files == 1
    assert world.files == [young.file]


def test_a_prune_that_was_killed_is_finished_by_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = world.publish(WIRE)

    def full(index: EmbeddedIndex, ids: object) -> None:
        raise IndexUnavailableError("index", "disk full")

    with monkeypatch.context() as broken:
        broken.setattr(EmbeddedIndex, "delete", full)
        with pytest.raises(IndexUnavailableError):
            world.prune()
    assert world.ledger.counts()["pruned"] == 1
    assert list(world.ledger.indexed_items()) == []  # no replay brings it back
    assert (world.index.count(Kind.ARTICLES), world.files) == (1, [file])
    world.prune()
    assert (world.index.count(Kind.ARTICLES), world.files) == (0, [])
    assert Register(world.ledger).placement(WIRE.article.id) is None
    assert world.ledger.half_pruned() == []


def test_documents_that_spoke_of_pruned_claims_are_owed_to_the_index(world: World) -> None:
    said = "the fire was out and the tanker was drifting towards the coast of Djibouti"
    first = replace(WIRE, enriched=replace(WIRE.enriched, claims=(claim(said, name="Hassan Guelleh"),)))
    later = document(
        "later", "Inquest hears from coast guard chief", WELLS, source="Aden Gazette",
        claims=(claim(f"denied that {said}", name="Hassan Guelleh", cue="denied", cls="deny"),),
    )  # fmt: skip
    world.publish(first)
    world.publish(later, NOON + 20 * DAY)
    world.settle()
    register = Register(world.ledger)
    (before,) = register.placements([later.article.id])[later.article.id].placement.assertions
    assert [one.relation for one in before.opposites] == [Relation.REVERSAL]
    assert world.prune().articles == 1
    assert register.owed() == 1
    (after,) = register.placements([later.article.id])[later.article.id].placement.assertions
    assert after.opposites == ()


@pytest.mark.parametrize("days", [0, 7, 30])
def test_what_may_still_be_compared_with_news_is_never_removed(world: World, days: int) -> None:
    with pytest.raises(SettingsError, match=f"older than {days} days: at least 31"):
        prune(world.settings, world.ledger, NOW - days * DAY, NOW)


def test_a_limit_of_age_is_kept_once_a_day(world: World) -> None:
    world.publish(WIRE)
    assert prune_daily(world.settings, world.ledger, NOW) is None  # none is set
    settings = world.settings.model_copy(update={"keep_days": 90})
    report = prune_daily(settings, world.ledger, NOW)
    assert report is not None
    assert report.articles == 1
    assert prune_daily(settings, world.ledger, NOW + timedelta(hours=5)) is None
    assert prune_daily(settings, world.ledger, NOW + timedelta(hours=21)) is not None
