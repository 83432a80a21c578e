"""Hosts in the ledger: one worker at a time asks a host, so that all workers together are one guest to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, and_, not_, or_, select, update

from pipeline.ledger import tables as t
from pipeline.ledger.access import Access, chunks

IN_HAND_PER_HOST = 8
"""Feeds, or pages, of one host in one worker's hands: the host is asked at its own pace, and the others must not wait
for it (2026-11-23)."""


class Hosts(Access):
    """The part of the ledger that leases hosts."""

    def hold_host(self, host: str, until: datetime) -> None:
        """Leave a host alone until then: nothing of it is claimed, by any worker."""
        row = {"host": host, "not_before": until}
        later = or_(t.hosts.c.not_before.is_(None), t.hosts.c.not_before < until)
        insert = self._insert(t.hosts).values(**row)
        with self._write() as db:
            db.execute(
                insert.on_conflict_do_update(index_elements=[t.hosts.c.host], set_={"not_before": until}, where=later)
            )

    def _spread(
        self,
        db: Connection,
        chosen: Select[Any],
        table: Table,
        limit: int,
        now: datetime,
        owner: str,
        lease: float,
        busy: Mapping[str, int],
        per_host: int,
    ) -> list[RowMapping]:
        """The first ``limit`` of the chosen rows of ``table`` that their hosts have room for, the hosts being ours."""
        others = or_(
            t.hosts.c.not_before > now,
            and_(t.hosts.c.lease_owner.is_not(None), t.hosts.c.lease_owner != owner, t.hosts.c.lease_until > now),
        )
        chosen = chosen.where(table.c.host.not_in(select(t.hosts.c.host).where(others)))
        room = Counter({host: per_host - count for host, count in busy.items()})
        full = {host for host, left in room.items() if left <= 0}
        taken: dict[str, RowMapping] = {}
        while len(taken) < limit:
            more = chosen.where(table.c.host.not_in(list(full)), table.c.id.not_in(list(taken))).limit(limit)
            rows = db.execute(more).mappings().all()
            for row in rows:
                host = row["host"]
                if host and room.setdefault(host, per_host) <= 0:
                    full.add(host)
                elif len(taken) < limit:
                    room[host] -= 1
                    taken[row["id"]] = row
            if len(rows) < limit:
                break
        mine = self._take_hosts(db, {row["host"] for row in taken.values() if row["host"]}, now, owner, lease)
        return [row for row in taken.values() if not row["host"] or row["host"] in mine]

    def _take_hosts(self, db: Connection, hosts: set[str], now: datetime, owner: str, lease: float) -> set[str]:
        """Lease the hosts, but for those that another worker was quicker to lease. Returns which are ours."""
        if not hosts:
            return hosts
        values = {"lease_owner": owner, "lease_until": now + timedelta(seconds=lease)}
        free = or_(t.hosts.c.lease_owner.is_(None), t.hosts.c.lease_owner == owner, t.hosts.c.lease_until <= now)
        insert = self._insert(t.hosts).on_conflict_do_update(index_elements=[t.hosts.c.host], set_=values, where=free)
        db.execute(insert, [{"host": host} | values for host in sorted(hosts)])
        mine: set[str] = set()
        for part in chunks(sorted(hosts)):
            ours = select(t.hosts.c.host).where(t.hosts.c.host.in_(part), t.hosts.c.lease_owner == owner)
            mine.update(db.execute(ours).scalars())
        return mine

    def _keep_hosts(self, db: Connection, hosts: Collection[str], owner: str, until: datetime) -> None:
        """Hold our leases of these hosts until then."""
        for part in chunks(sorted(hosts)):
            ours = and_(t.hosts.c.host.in_(part), t.hosts.c.lease_owner == owner)
            self._lock(db, t.hosts, ours)
            db.execute(update(t.hosts).where(ours).values(lease_until=until))

    def _leave_hosts(self, db: Connection, hosts: Collection[str], owner: str) -> None:
        """Let go of those of these hosts of which we hold nothing any more."""
        still = [
            select(held.c.id).where(held.c.host == t.hosts.c.host, held.c.lease_owner == owner).exists()
            for held in (t.items, t.feeds)
        ]
        for part in chunks(sorted(hosts)):
            ours = and_(t.hosts.c.host.in_(part), t.hosts.c.lease_owner == owner, *(not_(one) for one in still))
            self._lock(db, t.hosts, ours)
            db.execute(update(t.hosts).where(ours).values(lease_owner=None, lease_until=None))
