"""Batches: work that is claimed by one process and done by others, task by task, as a scheduler's tasks do it.

A batch is leased to a *claim* in place of a process: a name that outlives processes, and that whoever works on the
batch next is told. The lease is what ends a batch that nobody works on any more. All claims of one *round* (one run of
a DAG, say) are known from its name, so that a task which is done again finds what it had claimed before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select, update

from pipeline.ledger import tables as t
from pipeline.ledger.access import LEASED, chunks, feed_of
from pipeline.ledger.changes import Item, ItemState, Owed
from pipeline.ledger.hosts import Hosts
from pipeline.records import Feed, digest

PREFIX = "claim:"
"""What every claim begins with; no process's lease does (see :func:`pipeline.ledger.this_worker`)."""

MOST_CLAIMS = 64
"""Claims of one round at most: a scheduler's task costs 0.4-0.9 CPU-seconds (2026-11-23), so few and large ones."""


def round_of(name: str) -> str:
    """The round that is known under any name that the caller has for it (a DAG run's id, say)."""
    return PREFIX + digest("round", name)[:12]


def claims_of(round_: str) -> list[str]:
    """All claims that this round can have."""
    return [f"{round_}-{number:02}" for number in range(MOST_CLAIMS)]


class Batches(Hosts):
    """The part of the ledger that hands work from task to task."""

    def hand_over(
        self,
        owner: str,
        claim: str,
        now: datetime,
        lease: float,
        *,
        items: Iterable[str] = (),
        feeds: Iterable[str] = (),
    ) -> None:
        """Give what ``owner`` has in hand, and the hosts to be asked for it, to a claim for ``lease`` seconds."""
        values = {"lease_owner": claim, "lease_until": now + timedelta(seconds=lease)}
        with self._write() as db:
            asked: set[str] = set()
            for table, ids in ((t.items, items), (t.feeds, feeds)):
                more = {"batch": claim.rpartition("-")[0]} if table is t.items else {}
                for part in chunks(sorted(ids)):
                    mine = and_(table.c.id.in_(part), table.c.lease_owner == owner)
                    self._lock(db, table, mine)
                    to_ask = and_(mine, t.items.c.owed == Owed.FETCH.value) if table is t.items else mine
                    asked.update(db.execute(select(table.c.host).where(to_ask).distinct()).scalars())
                    db.execute(update(table).where(mine).values(**values, **more))
            for part in chunks(sorted(asked)):
                ours = and_(t.hosts.c.host.in_(part), t.hosts.c.lease_owner == owner)
                self._lock(db, t.hosts, ours)
                db.execute(update(t.hosts).where(ours).values(**values))

    def leave_hosts(self, claim: str) -> None:
        """Let go of the hosts of a claim, of which nothing is to be asked any more; the rest stays in hand."""
        with self._write() as db:
            ours = t.hosts.c.lease_owner == claim
            self._lock(db, t.hosts, ours)
            db.execute(update(t.hosts).where(ours).values(lease_owner=None, lease_until=None))

    def extend(self, claim: str, now: datetime, lease: float) -> int:
        """Keep all of a claim for ``lease`` more seconds. Returns of how many items and feeds it consists."""
        found = 0
        with self._write() as db:
            for table in LEASED:
                mine = table.c.lease_owner == claim
                self._lock(db, table, mine)
                until = now + timedelta(seconds=lease)
                count = db.execute(update(table).where(mine).values(lease_until=until)).rowcount
                found += 0 if table is t.hosts else count
        return found

    def held_feeds(self, claim: str) -> list[Feed]:
        """The feeds of a claim that were not polled yet."""
        with self._read() as db:
            held = select(t.feeds).where(t.feeds.c.lease_owner == claim).order_by(t.feeds.c.next_poll, t.feeds.c.id)
            return [feed_of(row) for row in db.execute(held).mappings()]

    def held_items(self, claim: str, owed: Owed, now: datetime) -> list[Item]:
        """The items of a claim that are owed this now, longest due first."""
        held = (
            select(t.items.c.id)
            .where(t.items.c.lease_owner == claim, t.items.c.owed == owed.value, t.items.c.due <= now)
            .order_by(t.items.c.due, t.items.c.id)
        )
        with self._read() as db:
            ids = list(db.execute(held).scalars())
            found = {item.id: item for item in self._items(db, t.items.c.id, ids)}
        return [found[item] for item in ids]

    def holds(self, claims: Sequence[str]) -> set[str]:
        """Which of these claims have anything in hand."""
        found: set[str] = set()
        with self._read() as db:
            for table in (t.items, t.feeds):
                for part in chunks(claims):
                    held = select(table.c.lease_owner).where(table.c.lease_owner.in_(part)).distinct()
                    found.update(db.execute(held).scalars())
        return found

    def round_counts(self, round_: str) -> dict[str, int]:
        """What became of all items that were last claimed in this round, by state: the truth, whatever was retried."""
        with self._read() as db:
            rows = db.execute(
                select(t.items.c.state, func.count()).where(t.items.c.batch == round_).group_by(t.items.c.state)
            ).all()
        found: dict[str, int] = {row[0]: row[1] for row in rows}
        return {state.value: found.get(state.value, 0) for state in ItemState}
