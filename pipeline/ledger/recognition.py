"""What the ledger keeps to know entries again whose links or GUIDs tell nothing (see ``pipeline.identity``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, delete, literal, select, update

from pipeline.identity import Known, keys, linkless, recognise, time_of
from pipeline.ledger import tables as t
from pipeline.ledger.access import Access, chunks
from pipeline.ledger.changes import Owed
from pipeline.records import Identity, Sighting, article_id, digest
from pipeline.urls import host, normalise

KEPT = timedelta(days=60)
"""How long an entry is known again after it last stood in its feed. A GUID may turn up in another feed of the source
weeks later, in a digest of the month."""
_LOCK = 7_157_412


@dataclass(frozen=True, slots=True)
class Recognised:
    """An entry of a poll, under the id that it was first seen by, and the item that it leads to. ``key`` is what it is
    known by beside its link, where there is anything; ``by_link`` whether its link tells anything."""

    sighting: Sighting
    item: str
    key: str | None
    by_link: bool


class Recognition(Access):
    """The part of a ledger that knows entries again."""

    def _recognised(self, db: Connection, sightings: Sequence[Sighting]) -> list[Recognised]:
        """The entries of one poll of one feed, by what that feed's setting says."""
        identity = self._identity_of(db, sightings[0].feed) if sightings else Identity.AUTO
        keyed = keys(identity, sightings)
        unlinked = linkless(identity, sightings)
        found: dict[str, Known] = {}
        if keyed:
            # Two feeds of one source that are polled at once would each not see the other's entry.
            self.take_turns(db, _LOCK)
            known = self._known_by(db, sorted(set(keyed.values())))
            found = recognise(identity, [(keyed[one.id], one) for one in sightings if one.id in keyed], known)
        recognised: dict[str, Recognised] = {}
        for sighting in sightings:
            before, key, by_link = found.get(sighting.id), keyed.get(sighting.id), sighting.id not in unlinked
            if before is None:
                item = _item_of(sighting, by_link=by_link)
            else:
                item = before.item
                if before.feed == sighting.feed:
                    sighting = replace(sighting, id=before.sighting)
            recognised.setdefault(sighting.id, Recognised(sighting, item, key, by_link))
        return list(recognised.values())

    def _identity_of(self, db: Connection, feed: str) -> Identity:
        found = db.execute(select(t.feeds.c.identity).where(t.feeds.c.id == feed)).scalar()
        return Identity(found) if found else Identity.AUTO

    def _known_by(self, db: Connection, wanted: Sequence[str]) -> list[Known]:
        c = t.identities.c
        there = select(c.key, c.sighting, c.feed, c.item, c.time).join(t.items, t.items.c.id == c.item)
        return [
            Known(*row)
            for part in chunks(wanted)
            for row in db.execute(there.where(c.key.in_(part)).order_by(c.key, c.time, c.sighting))
        ]

    def _remember(
        self, db: Connection, recognised: Sequence[Recognised], known: Mapping[str, Any], now: datetime
    ) -> None:
        """Keep what entries are known by, and the link by which each is to be had now."""
        rows = [
            {
                "key": one.key,
                "sighting": one.sighting.id,
                "feed": one.sighting.feed,
                "item": known[one.sighting.id].item if one.sighting.id in known else one.item,
                "time": time_of(one.sighting),
                "seen": now,
            }
            for one in recognised
            if one.key is not None
        ]
        if not rows:
            return
        insert = self._insert(t.identities)
        newest = {"time": insert.excluded.time, "seen": insert.excluded.seen}
        kept = insert.on_conflict_do_update(index_elements=[t.identities.c.key, t.identities.c.sighting], set_=newest)
        db.execute(kept, sorted(rows, key=lambda row: (row["key"], row["sighting"])))
        db.execute(delete(t.identities).where(t.identities.c.seen < now - KEPT))

    def _follow_links(
        self, db: Connection, recognised: Sequence[Recognised], known: Mapping[str, Any], now: datetime
    ) -> None:
        """Ask for pages of a feed whose links change by the newest link from now on: the old one may lead elsewhere by
        now. A page that could not be had by it is asked for at once, but not for ever."""
        unsure = [one.sighting for one in recognised if one.sighting.id in known and not one.by_link]
        links = {sighting.id: sighting.url for sighting in unsure}
        moved: list[dict[str, Any]] = []
        for part in chunks(sorted(links)):
            speaking = select(t.items.c.id, t.items.c.url, t.items.c.sighting).where(t.items.c.sighting.in_(part))
            for item, before, sighting in db.execute(speaking):
                url = normalise(links[sighting])
                if before and url and url != before:
                    moved.append({"this": item, "link": url, "at": host(url)})
        if moved:
            free = and_(t.items.c.id == bindparam("this"), t.items.c.lease_owner.is_(None))
            failed = and_(t.items.c.owed == Owed.FETCH.value, t.items.c.fetches.between(1, 2))
            there: dict[str, Any] = {
                "url": bindparam("link"),
                "host": bindparam("at"),
                # Validators are one address's; the digest of the bytes holds for any.
                "etag": None,
                "last_modified": None,
                "due": case((failed, literal(now, t.items.c.due.type)), else_=t.items.c.due),
            }
            db.execute(update(t.items).where(free).values(**there), sorted(moved, key=lambda row: str(row["this"])))


def _item_of(sighting: Sighting, *, by_link: bool) -> str:
    """The item of an entry that nothing is known of: its link's, where there is one that tells anything."""
    url = normalise(sighting.url) if sighting.url else ""
    return article_id(url) if url and by_link else digest("item", sighting.id)
