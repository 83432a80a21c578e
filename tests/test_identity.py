"""By what entries are known to be one article, and that nothing else makes them one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.identity import Known, headline, holds_everywhere, keys, recognise
from pipeline.records import Identity, Sighting

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TITLE = "Tanker and bulk carrier collide off Djibouti"

GUIDS = [
    ("a_permalink", "https://example.org/2026/tanker", True),
    ("a_permalink_by_number", "https://example.org/?p=4711", True),
    ("a_uuid", "0f0e8f1c-5d5b-4f2e-9d52-0c9b1a2b3c4d", True),
    ("a_uuid_as_urn", "urn:uuid:0F0E8F1C-5D5B-4F2E-9D52-0C9B1A2B3C4D", True),
    ("a_tag", "tag:example.org,2026-11-24:tanker", True),
    ("a_number", "1", False),
    ("a_longer_number", "20261124001", False),
    ("a_word", "latest", False),
    ("a_whole_site", "https://example.org/", False),
    ("no_address", "http://[", False),
]


@pytest.mark.parametrize(("guid", "expected"), [c[1:] for c in GUIDS], ids=[c[0] for c in GUIDS])
def test_a_guid_holds_everywhere(guid: str, expected: bool) -> None:
    assert holds_everywhere(guid) is expected


def entry(name: str, *, hours: float = 0, title: str = TITLE, source: str = "Harbour", **more: object) -> Sighting:
    return Sighting(
        id=name,
        feed="f",
        url=f"https://example.org/{name}",
        title=title,
        source=source,
        published=NOON + timedelta(hours=hours),
        first_seen=NOON,
        **more,  # type: ignore[arg-type]
    )


def known(name: str, *, hours: float = 0, feed: str = "f", item: str | None = None) -> Known:
    (key,) = keys(Identity.TITLE, [entry(name)]).values()
    return Known(key, name, feed, item or f"item of {name}", NOON + timedelta(hours=hours))


def recognised(entries: list[Sighting], there: list[Known]) -> dict[str, str]:
    keyed = keys(Identity.TITLE, entries)
    return {
        sighting: one.sighting
        for sighting, one in recognise(Identity.TITLE, [(keyed[one.id], one) for one in entries], there).items()
    }


def test_a_headline_is_the_same_in_other_cases_and_punctuation_and_short_ones_say_nothing() -> None:
    assert headline("Tanker & bulk carrier COLLIDE, off Djibouti") == headline(
        "tanker bulk carrier collide off Djibouti!"
    )
    assert headline("Weather") == headline("In pictures") == ""
    assert keys(Identity.TITLE, [entry("a", title="Weather")]) == {}


def test_sources_are_kept_apart() -> None:
    mine, theirs = (keys(Identity.TITLE, [entry("a", source=source)])["a"] for source in ("Harbour", "Courier"))
    assert mine != theirs
    guid = "https://example.org/2026/tanker"
    mine, theirs = (
        keys(Identity.GUID, [entry("a", source=source, guid=guid)])["a"] for source in ("Harbour", "Courier")
    )
    assert mine != theirs


def test_a_number_and_a_guid_that_a_feed_gives_twice_are_known_by_nothing() -> None:
    assert keys(Identity.GUID, [entry("a", guid="1")]) == {}
    twice = "https://example.org/tanker"
    assert keys(Identity.GUID, [entry("a", guid=twice), entry("b", guid=twice)]) == {}


@pytest.mark.parametrize("identity", [Identity.AUTO, Identity.URL])
def test_where_links_are_trusted_nothing_else_is_needed(identity: Identity) -> None:
    assert keys(identity, [entry("a", guid="https://example.org/tanker")]) == {}


def test_one_headline_within_the_window_is_one_article_and_a_daily_column_is_many() -> None:
    assert recognised([entry("new", hours=11)], [known("old")]) == {"new": "old"}
    assert recognised([entry("new", hours=24)], [known("old")]) == {}


def test_an_entry_that_is_the_very_same_is_known_however_far_its_date_has_moved() -> None:
    assert recognised([entry("old", hours=200)], [known("old")]) == {"old": "old"}


def test_two_entries_of_one_poll_are_two_articles_each_the_one_nearest_to_it() -> None:
    there = [known("first", hours=0), known("second", hours=5)]
    assert recognised([entry("x", hours=5), entry("y", hours=0)], there) == {"x": "second", "y": "first"}
    assert len(recognised([entry("x"), entry("y")], [known("first")])) == 1


def test_what_the_feed_itself_announced_goes_before_what_another_did() -> None:
    there = [known("theirs", feed="g", item="i"), known("mine", hours=3, item="i")]
    assert recognised([entry("new")], there) == {"new": "mine"}
