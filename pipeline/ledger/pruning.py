"""What the ledger keeps of what is old: which items have come to rest, and what is left of them when they are pruned.

An item stays with its link, and so do its sightings, without their text: they are what tells the next poll that an
entry is known, and the next page that its article is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from heapq import nlargest
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from pipeline.ledger import story_tables as s
from pipeline.ledger import tables as t
from pipeline.ledger.access import CHUNK, Access, chunks
from pipeline.ledger.changes import ItemState
from pipeline.ledger.quarantine import IN_QUARANTINE
from pipeline.ledger.telling import DeliveryState
from pipeline.records import Sighting, from_json, to_json

_COLUMNS = (
    t.items.c.id,
    t.items.c.article,
    IN_QUARANTINE.label("in_quarantine"),
    t.items.c.owed,
    t.items.c.lease_until,
    t.items.c.first_seen,
)
_GONE = (
    *("owed", "due", "stage", "reason", "code", "body_reason", "fetch_again", "quarantined"),
    *("warc_file", "warc_offset", "etag", "last_modified", "page_hash", "batch", "lease_owner", "lease_until"),
)
"""The columns that say nothing of an item which is pruned."""


ItemRow = Any
"""A row of :data:`_COLUMNS`."""


class Pruning(Access):
    """The part of a ledger that speaks of age. What is handed a ``db`` is a part of the caller's transaction."""

    def old_items(self, db: Connection, cut: datetime, after: str) -> Sequence[ItemRow]:
        """The next items in order of id, after that one, that were first seen before ``cut`` and are not pruned."""
        old = (t.items.c.id > after, t.items.c.first_seen < cut, t.items.c.state != ItemState.PRUNED.value)
        return db.execute(select(*_COLUMNS).where(*old).order_by(t.items.c.id).limit(CHUNK).with_for_update()).all()

    def items_of(self, db: Connection, articles: Sequence[str]) -> list[ItemRow]:
        """All items of these articles that are not pruned; nobody else changes them before the transaction ends."""
        found: list[ItemRow] = []
        for part in chunks(articles):
            of_part = (t.items.c.article.in_(part), t.items.c.state != ItemState.PRUNED.value)
            found += db.execute(select(*_COLUMNS).where(*of_part).order_by(t.items.c.id).with_for_update()).all()
        return found

    def mark_pruned(self, db: Connection, items: Sequence[str]) -> None:
        """These are pruned. Those that were indexed are remembered as such until :meth:`forget_indexed`."""
        values = {"state": ItemState.PRUNED.value} | dict.fromkeys(_GONE)
        for part in chunks(items):
            db.execute(update(t.items).where(t.items.c.id.in_(part)).values(**values))
            said = select(t.sightings.c.id, t.sightings.c.record).where(t.sightings.c.item.in_(part))
            shorter = [{"this": id_, "shorter": _without_text(record)} for id_, record in db.execute(said)]
            if shorter:
                one = update(t.sightings).where(t.sightings.c.id == bindparam("this"))
                db.execute(one.values(record=bindparam("shorter")), shorter)

    def half_pruned(self) -> list[str]:
        """Articles that are pruned here, and may be in the index still: who pruned them was interrupted."""
        half = (t.items.c.state == ItemState.PRUNED.value, t.items.c.indexed.is_not(None))
        with self._read() as db:
            found = db.execute(select(t.items.c.article).where(*half).distinct().order_by(t.items.c.article))
            return list(found.scalars())

    def forget_indexed(self, db: Connection, articles: Sequence[str]) -> None:
        """The index has let go of these articles."""
        for part in chunks(articles):
            pruned = (t.items.c.article.in_(part), t.items.c.state == ItemState.PRUNED.value)
            db.execute(update(t.items).where(*pruned).values(indexed=None))

    def untold(self, db: Connection, stories: Sequence[str]) -> set[str]:
        """Those of these stories of which an alert is still to be delivered."""
        found: set[str] = set()
        joined = select(t.alerts.c.story).join(t.deliveries, t.deliveries.c.alert == t.alerts.c.id)
        for part in chunks(stories):
            owed = (t.alerts.c.story.in_(part), t.deliveries.c.state == DeliveryState.OWED.value)
            found.update(db.execute(joined.where(*owed).distinct()).scalars())
        return found

    def forget_alerts(self, db: Connection, stories: Sequence[str]) -> None:
        """Remove the alerts on these stories, with their deliveries."""
        for part in chunks(stories):
            ids = select(t.alerts.c.id).where(t.alerts.c.story.in_(part))
            db.execute(delete(t.deliveries).where(t.deliveries.c.alert.in_(ids)))
            db.execute(delete(t.alerts).where(t.alerts.c.story.in_(part)))

    def youngest(self, db: Connection, items: Sequence[str], most: int) -> list[tuple[datetime, Sighting]]:
        """Of these items those that were first seen last, and when, with the entries that announced them."""
        found: list[tuple[datetime, Sighting]] = []
        for part in chunks(items):
            newest = (
                select(t.items.c.first_seen, t.sightings.c.record)
                .join(t.sightings, t.sightings.c.id == t.items.c.sighting)
                .where(t.items.c.id.in_(part))
                .order_by(t.items.c.first_seen.desc(), t.items.c.id)
                .limit(most)
            )
            found += [(seen, from_json(record, Sighting)) for seen, record in db.execute(newest)]
        return nlargest(most, found, key=lambda one: (one[0], one[1].id))

    def files_named(self) -> Counter[str]:
        """The files of the archive in which pages lie that the ledger knows of, with how often each is named."""
        named: Counter[str] = Counter()
        with self._read() as db:
            for column in (t.items.c.warc_file, s.versions.c.warc_file):
                found = select(column, func.count()).where(column.is_not(None)).group_by(column)
                for file, count in db.execute(found):
                    named[file] += count
        return named

    def files_of(self, db: Connection, items: Sequence[str], articles: Sequence[str]) -> Counter[str]:
        """The same for some items, and the versions of some articles."""
        named: Counter[str] = Counter()
        for column, key, values in (
            (t.items.c.warc_file, t.items.c.id, items),
            (s.versions.c.warc_file, s.versions.c.article, articles),
        ):
            for part in chunks(values):
                named.update(db.execute(select(column).where(key.in_(part), column.is_not(None))).scalars())
        return named


def why_kept(item: ItemRow, cut: datetime, now: datetime) -> str | None:
    """Why an item must stay, in a word or two; ``None`` where it may go."""
    if item.lease_until is not None and item.lease_until > now:
        return "in hand"
    if item.in_quarantine:
        return "in quarantine"
    if item.owed is not None:
        return "owed"
    return None if item.first_seen < cut else "carried again since"


def _without_text(record: str) -> str:
    sighting = from_json(record, Sighting)
    return to_json(replace(sighting, text="", authors=(), tags=(), image=None)).decode()
