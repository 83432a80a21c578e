"""What the ledger keeps of quarantine: what failed for good, why, and how it gets another chance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select, true, update

from pipeline.ledger import tables as t
from pipeline.ledger.access import Access, chunks
from pipeline.ledger.changes import Item, ItemState

STANDING_IN = and_(t.items.c.state == ItemState.INDEXED.value, t.items.c.stage == "extract", t.items.c.owed.is_(None))
"""Items whose page nothing could be made of, while the feed's own text is in the index."""
IN_QUARANTINE = or_(t.items.c.state == ItemState.QUARANTINED.value, STANDING_IN)

AGAIN = (timedelta(days=1), timedelta(days=4), timedelta(days=16))
"""After how long in quarantine an item is tried once more, unasked: a page that was not there may be there by then, and
one that broke the extractor may meet a newer one. After the last of these only a person can let it out."""


class Quarantine(Access):
    """The part of a ledger that speaks of quarantine."""

    def quarantined(self, limit: int = 1000) -> list[Item]:
        """What lies in quarantine, in order of first sight."""
        with self._read() as db:
            chosen = select(t.items.c.id).where(IN_QUARANTINE).order_by(t.items.c.first_seen, t.items.c.id).limit(limit)
            ids = list(db.execute(chosen).scalars())
            found = {item.id: item for item in self._items(db, t.items.c.id, ids)}
            return [found[item] for item in ids]

    def quarantine_reasons(self) -> list[tuple[str, str, int]]:
        """(stage, code, how many) of what lies in quarantine, most first."""
        with self._read() as db:
            rows = db.execute(
                select(t.items.c.stage, t.items.c.code, func.count())
                .where(IN_QUARANTINE)
                .group_by(t.items.c.stage, t.items.c.code)
                .order_by(func.count().desc(), t.items.c.stage, t.items.c.code)
            ).all()
        return [(stage or "", code or "", count) for stage, code, count in rows]

    def retry_quarantined(self, ids: Sequence[str] | None, now: datetime) -> int:
        """Owe these items (all, for ``None``) their failed stage again, with a clean count. Returns how many."""
        return sum(
            self._leave_quarantine(chosen, {"state": ItemState.SEEN.value}, _again(now) | {"tries": 0})
            for chosen in _named(ids)
        )

    def retry_waited(self, now: datetime) -> int:
        """Owe those their failed stage again that have lain in quarantine for as long as :data:`AGAIN` says. Returns
        how many."""
        since = func.coalesce(t.items.c.quarantined, t.items.c.first_seen)  # a ledger of before did not keep it
        return sum(
            self._leave_quarantine(
                and_(t.items.c.tries == tries, since <= now - wait),
                {"state": ItemState.SEEN.value},
                _again(now) | {"tries": tries + 1},
            )
            for tries, wait in enumerate(AGAIN)
        )

    def drop_quarantined(self, ids: Sequence[str] | None) -> int:
        """Give up these items (all, for ``None``). A story that the feed's own text stands in for stays in the index.
        Returns how many."""
        return sum(
            self._leave_quarantine(
                chosen, {"state": ItemState.DROPPED.value}, {"owed": None, "due": None, "stage": None}
            )
            for chosen in _named(ids)
        )

    def _leave_quarantine(self, chosen: ColumnElement[bool], unindexed: dict[str, Any], values: dict[str, Any]) -> int:
        out = and_(t.items.c.state == ItemState.QUARANTINED.value, chosen)
        with self._write() as db:
            self._lock(db, t.items, and_(IN_QUARANTINE, chosen))
            done = db.execute(update(t.items).where(STANDING_IN, chosen).values(**values)).rowcount
            return done + db.execute(update(t.items).where(out).values(**values, **unindexed)).rowcount


def _named(ids: Sequence[str] | None) -> list[ColumnElement[bool]]:
    """Items of these ids, in parts that fit one query; all, for ``None``."""
    return [true()] if ids is None else [t.items.c.id.in_(part) for part in chunks(ids)]


def _again(now: datetime) -> dict[str, Any]:
    """The columns of an item that is owed its failed stage once more, with a clean count."""
    return {
        "owed": literal_column("CASE WHEN stage = 'fetch' THEN 'fetch' ELSE 'index' END"),
        "due": now,
        "attempts": 0,
        "fetches": 0,
        "stage": None,
        "code": None,
        "body_reason": literal_column("CASE WHEN stage = 'extract' THEN NULL ELSE body_reason END"),
    }
