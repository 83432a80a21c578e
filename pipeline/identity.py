"""What makes two entries one article beside their link: GUIDs that hold everywhere, and headlines within a window.

Pure: the keys under which an entry is known, and which of those that are known under a key it is. How far a feed's
links and GUIDs are to be trusted is the feed's setting (``records.Identity``).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pipeline.records import Identity, Sighting, digest

SAME_HEADLINE = timedelta(hours=12)
"""Between two entries of one source under one headline that are taken for one article. A column that comes daily under
the same headline ("What to know today") has a day between, and stays apart (2026-11-26)."""
_LEAST = 15
"""Characters from which on a headline tells anything: "Weather" and "In pictures" are many articles."""

_WORD = re.compile(r"[^\W_]+")
_UUID = re.compile(r"(?:urn:uuid:)?\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)
_TAG = re.compile(r"tag:[^,\s]+,\d{4}(?:-\d\d){0,2}:\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Known:
    """An entry that was seen before under a key, and the item that it led to."""

    key: str
    sighting: str
    feed: str
    item: str
    time: datetime


def holds_everywhere(guid: str) -> bool:
    """Whether a GUID is told apart from all others, whoever gives it: a permalink, a UUID or a tag URI (RFC 4151). A
    number, or the address of a whole site, is not."""
    if _UUID.fullmatch(guid) or _TAG.fullmatch(guid):
        return True
    try:
        parts = urlsplit(guid)
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and (len(parts.path) > 1 or "=" in guid)


def headline(title: str) -> str:
    """A headline as it is compared: without case, punctuation and compatibility forms; "" for one that says too
    little."""
    found = " ".join(_WORD.findall(unicodedata.normalize("NFKC", title).casefold()))
    return found if len(found) >= _LEAST else ""


def keys(identity: Identity, sightings: Sequence[Sighting]) -> dict[str, str]:
    """The keys of a poll's entries, by sighting; those that nothing can be told of but their link are left out."""
    found: dict[str, str] = {}
    for sighting in sightings:
        source = " ".join(sighting.source.casefold().split())
        match identity:
            case Identity.GUID if sighting.guid and holds_everywhere(sighting.guid):
                found[sighting.id] = digest("guid", source, sighting.guid)
            case Identity.TITLE if headline(sighting.title):
                found[sighting.id] = digest("title", source, headline(sighting.title))
    if identity is Identity.GUID:  # one that a feed gives to several of its entries tells nothing
        shared = Counter(found.values())
        return {sighting: key for sighting, key in found.items() if shared[key] == 1}
    return found


def linkless(identity: Identity, sightings: Sequence[Sighting]) -> set[str]:
    """The entries of a poll, by sighting, whose links tell nothing: they are known by their GUID or headline alone."""
    if identity is Identity.GUID:
        often = Counter(sighting.guid for sighting in sightings)
        return {sighting.id for sighting in sightings if sighting.guid and often[sighting.guid] == 1}
    if identity is Identity.TITLE:
        return {sighting.id for sighting in sightings if headline(sighting.title)}
    return set()


def time_of(sighting: Sighting) -> datetime:
    """When an entry came out, as far as is known."""
    return sighting.published or sighting.first_seen


def recognise(identity: Identity, entries: Iterable[tuple[str, Sighting]], known: Sequence[Known]) -> dict[str, Known]:
    """Which of the known ones the entries of one poll are, by sighting, given (key, sighting).

    Entries of one poll that share a headline are several articles: each takes the one that is nearest to it in time,
    its own feed's before another's.
    """
    window = SAME_HEADLINE if identity is Identity.TITLE else timedelta.max
    under: dict[str, list[Known]] = {}
    for one in known:
        under.setdefault(one.key, []).append(one)
    pairs = [
        (sighting, one)
        for key, sighting in entries
        for one in under.get(key, ())
        if one.sighting == sighting.id or abs(one.time - time_of(sighting)) <= window
    ]

    def distance(pair: tuple[Sighting, Known]) -> tuple[bool, bool, timedelta, str, str]:
        sighting, one = pair
        apart = abs(one.time - time_of(sighting))
        return one.sighting != sighting.id, one.feed != sighting.feed, apart, one.sighting, sighting.id

    found: dict[str, Known] = {}
    taken: set[tuple[str, str]] = set()
    for sighting, one in sorted(pairs, key=distance):
        if sighting.id not in found and (one.key, one.item) not in taken:
            found[sighting.id] = one
            taken.add((one.key, one.item))
    return found
