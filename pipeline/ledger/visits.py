"""What the ledger keeps of looking again: how often a host was asked, and which entries their feed has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, or_, select, update

from pipeline.ledger import tables as t
from pipeline.ledger.access import Access, chunks
from pipeline.ledger.changes import ItemState, Owed
from pipeline.records import Sighting, digest

MOST_CHANGES = 20
"""Changes of one entry that are followed. A live report has a dozen; what has more is a feed that touches its entries
at every poll (2026-11-25)."""
FADED = timedelta(days=3)
"""After which the counts of a day are forgotten."""


def said(sighting: Sighting) -> str:
    """What tells an entry from the same entry, changed: its headline and the times that its source gives."""
    times = (sighting.published, sighting.updated)
    return digest("said", sighting.title, *(moment.isoformat() if moment else "" for moment in times))


class Visits(Access):
    """The part of a ledger that speaks of looking again."""

    def visits_left(self, hosts: Iterable[str], now: datetime, most: int) -> dict[str, int]:
        """How many pages of each of these hosts may be looked at again today."""
        names = sorted(set(hosts))
        left = dict.fromkeys(names, most)
        with self._read() as db:
            for part in chunks(names):
                today = and_(t.visits.c.host.in_(part), t.visits.c.day == _day(now))
                for host, count in db.execute(select(t.visits.c.host, t.visits.c.count).where(today)):
                    left[host] = max(0, most - count)
        return left

    def count_visits(self, hosts: Mapping[str, int], now: datetime) -> None:
        """Pages of these hosts were looked at again, so many of each."""
        if not hosts:
            return
        insert = self._insert(t.visits)
        counted = insert.on_conflict_do_update(
            index_elements=[t.visits.c.host, t.visits.c.day], set_={"count": t.visits.c.count + insert.excluded.count}
        )
        rows = [{"host": host, "day": _day(now), "count": count} for host, count in sorted(hosts.items())]
        with self._write() as db:
            db.execute(counted, rows)
            db.execute(delete(t.visits).where(t.visits.c.day < _day(now - FADED)))

    def _known(self, db: Connection, ids: Sequence[str]) -> dict[str, Any]:
        """Of these sightings those that were seen before, by id."""
        columns = (t.sightings.c.id, t.sightings.c.item, t.sightings.c.said, t.sightings.c.changes)
        found: dict[str, Any] = {}
        for part in chunks(ids):
            found.update((row.id, row) for row in db.execute(select(*columns).where(t.sightings.c.id.in_(part))))
        return found

    def _follow(self, db: Connection, sightings: Sequence[Sighting], known: Mapping[str, Any], now: datetime) -> int:
        """Owe another look at the pages whose entries say something new. Returns how many entries are changed so often
        that they are not followed any more."""
        changed, items, restless = [], [], 0
        for sighting in sightings:
            row = known.get(sighting.id)
            if row is None:
                continue
            saying = said(sighting)
            if row.said == saying:
                continue
            fresh = 0 if row.said is None else 1  # a ledger of before did not keep what entries said
            changed.append({"this": row.id, "now_said": saying, "so_often": row.changes + fresh})
            if row.changes >= MOST_CHANGES:
                restless += 1
            elif fresh:
                items.append(row.item)
        if changed:
            db.execute(
                update(t.sightings)
                .where(t.sightings.c.id == bindparam("this"))
                .values(said=bindparam("now_said"), changes=bindparam("so_often")),
                changed,
            )
        at_rest = or_(
            t.items.c.owed.is_(None),
            and_(t.items.c.owed == Owed.FETCH.value, t.items.c.due > now, t.items.c.fetches == 0),
        )
        for part in chunks(sorted(set(items))):
            indexed = and_(t.items.c.id.in_(part), t.items.c.state == ItemState.INDEXED.value, t.items.c.url != "")
            free = and_(indexed, at_rest, t.items.c.lease_owner.is_(None))
            db.execute(update(t.items).where(free).values(owed=Owed.FETCH.value, due=now))
        return restless


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
