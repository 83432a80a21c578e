"""The ledger itself: claims work under leases, and writes down in one transaction what became of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql import ClauseElement

from pipeline.ledger import tables as t
from pipeline.ledger.access import CHUNK, LEASED, chunks, feed_of, feed_row, idle
from pipeline.ledger.batches import PREFIX, Batches
from pipeline.ledger.changes import UNCONDITIONAL, Again, Change, FellBack, Fetched, Item, ItemState, Owed, columns
from pipeline.ledger.hosts import IN_HAND_PER_HOST
from pipeline.ledger.outbox import Outbox
from pipeline.ledger.pruning import Pruning
from pipeline.ledger.quarantine import Quarantine
from pipeline.ledger.recognition import Recognised, Recognition
from pipeline.ledger.subscriptions import Subscriptions
from pipeline.ledger.visits import Visits, said
from pipeline.records import Feed, Identity, Sighting, from_json, to_json
from pipeline.urls import host, normalise


def this_worker() -> str:
    """The lease owner's name for this process: host, process id and start, so that a dead one can be told from a live
    one, also where a container gives every new process the same id."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks since boot; "0" where it does not live or the system cannot say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "0"
    return stat.rpartition(")")[2].split()[19]


_RESTLESS = "{} changes {} of its entries again and again; their changes are not followed any more"


class Ledger(Batches, Recognition, Visits, Quarantine, Pruning, Subscriptions):
    """One ledger. Safe for several threads and processes at once; every method is one transaction.

    Raises LedgerError, naming the database, where it cannot be read or written.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        super().__init__(engine, where)
        self.outbox = Outbox(engine, where)

    # -- feeds ------------------------------------------------------------------------------------------------

    def add_feed(self, feed: Feed) -> bool:
        """Store a new feed. False, changing nothing, where one of that id or that address is there."""
        with self._write() as db:
            same = or_(t.feeds.c.id == feed.id, t.feeds.c.url == feed.url)
            if db.execute(select(t.feeds.c.id).where(same)).first():
                return False
            db.execute(t.feeds.insert().values(**feed_row(feed)))
            return True

    def remove_feed(self, feed: str) -> bool:
        """Forget a feed by id. What it announced stays, and so does what is owed for it."""
        with self._write() as db:
            return db.execute(delete(t.feeds).where(t.feeds.c.id == feed)).rowcount > 0

    def feeds(self) -> list[Feed]:
        """All feeds, in the order in which they were added."""
        with self._read() as db:
            rows = db.execute(select(t.feeds).order_by(t.feeds.c.added, t.feeds.c.id)).mappings()
            return [feed_of(row) for row in rows]

    def feed(self, feed: str) -> Feed | None:
        """The feed of this id."""
        with self._read() as db:
            row = db.execute(select(t.feeds).where(t.feeds.c.id == feed)).mappings().first()
            return None if row is None else feed_of(row)

    def find_feeds(self, key: str) -> list[Feed]:
        """The feeds that a user may mean: by id, by a prefix of it (6 characters or more), or by address."""
        wanted = normalise(key)
        return [
            feed
            for feed in self.feeds()
            if feed.url == key or normalise(feed.url) == wanted or (len(key) >= 6 and feed.id.startswith(key))
        ]

    def set_feed(self, feed: str, *, identity: Identity | None = None, source: str | None = None) -> None:
        """Set by what a feed's entries are known to be one article, or the outlet's name. What it announced before
        stays as it is; its next poll reads it whole."""
        values: dict[str, Any] = {"etag": None, "last_modified": None, "body_hash": None}
        values |= {} if identity is None else {"identity": identity.value}
        values |= {} if source is None else {"source": source}
        with self._write() as db:
            db.execute(update(t.feeds).where(t.feeds.c.id == feed).values(**values))

    def touch_feed(self, feed: str, at: datetime) -> None:
        """Make a feed due at this time."""
        with self._write() as db:
            db.execute(update(t.feeds).where(t.feeds.c.id == feed).values(next_poll=at))

    def claim_feeds(
        self,
        now: datetime,
        limit: int,
        owner: str,
        lease: float,
        busy: Mapping[str, int] | None = None,
        per_host: int = IN_HAND_PER_HOST,
    ) -> list[Feed]:
        """Take in hand up to ``limit`` feeds that are due, longest overdue first, for ``lease`` seconds.

        Of one host at most ``per_host``, those counted that the caller has in hand of it (``busy``); of a host
        that another worker asks now, or that wants to be left alone, none.
        """
        free = or_(t.feeds.c.lease_until.is_(None), t.feeds.c.lease_until <= now)
        due = or_(t.feeds.c.next_poll.is_(None), t.feeds.c.next_poll <= now)
        with self._write() as db:
            chosen = (
                select(t.feeds)
                .where(free, due)
                .order_by(t.feeds.c.next_poll.is_not(None), t.feeds.c.next_poll, t.feeds.c.id)
                .with_for_update(skip_locked=True)
            )
            rows = self._spread(db, chosen, t.feeds, limit, now, owner, lease, busy or {}, per_host)
            self._lease(db, t.feeds, [row["id"] for row in rows], now, owner, lease)
            return [feed_of(row) for row in rows]

    def store_poll(self, sightings: Sequence[Sighting], settle: Callable[[int], Feed]) -> int:
        """Write down a poll: its new sightings, what is owed for them, and the feed as ``settle`` gives it.

        ``settle`` is told how many sightings were new, on which the feed's next poll depends. Returns that number.
        One transaction: a poll is stored whole or not at all. The feed's lease ends with it.
        """
        with self._write() as db:
            now = max((sighting.first_seen for sighting in sightings), default=None)
            new, known, restless = (0, 0, 0) if now is None else self._store_entries(db, sightings, now)
            feed = settle(new)
            row = feed_row(feed) | {"lease_owner": None, "lease_until": None}
            # What a user may set meanwhile is the user's; the outlet's name is the feed's own where none was given.
            del row["identity"]
            row["source"] = case((t.feeds.c.source == "", feed.source), else_=t.feeds.c.source)
            db.execute(update(t.feeds).where(t.feeds.c.id == feed.id).values(**row))
            # A feed that moved to where another one is polled already is that feed: one of them is enough.
            twin = select(t.feeds.c.id).where(t.feeds.c.url == feed.url, t.feeds.c.id != feed.id)
            if db.execute(twin).first() is not None:
                db.execute(delete(t.feeds).where(t.feeds.c.id == feed.id))
            if now is not None and known:
                self._note(db, f"changes of {feed.id}", _RESTLESS.format(feed.url, restless) if restless else None, now)
            return new

    def store_push(self, feed: str, sightings: Sequence[Sighting], now: datetime) -> int:
        """Write down what was pushed of a feed: its new sightings, and what is owed for them. How the feed is polled
        stays as it is. Returns how many sightings were new."""
        with self._write() as db:
            new, _, _ = self._store_entries(db, sightings, now)
            if new:
                db.execute(update(t.feeds).where(t.feeds.c.id == feed).values(last_new=now))
            return new

    def next_poll(self) -> datetime | None:
        """When the next feed falls due; ``None`` where there is no feed, or one that was never polled."""
        with self._read() as db:
            return db.execute(
                select(t.feeds.c.next_poll).order_by(t.feeds.c.next_poll.is_not(None), t.feeds.c.next_poll).limit(1)
            ).scalar()

    def _store_entries(self, db: Connection, sightings: Sequence[Sighting], now: datetime) -> tuple[int, int, int]:
        """Add those entries of one feed that are not known, each once, and follow the others. Returns how many were
        new, how many known, and how many of these are changed too often to be followed."""
        recognised = self._recognised(db, sightings)
        known = self._known(db, [one.sighting.id for one in recognised])
        new = [one for one in recognised if one.sighting.id not in known]
        restless = self._follow(db, [one.sighting for one in recognised], known, now)
        self._follow_links(db, recognised, known, now)
        self._add_sightings(db, new)
        self._remember(db, recognised, known, now)
        return len(new), len(known), restless

    def _add_sightings(self, db: Connection, new: Sequence[Recognised]) -> None:
        if not new:
            return
        items: dict[str, dict[str, Any]] = {}
        rows: list[dict[str, Any]] = []
        for sighting, item in ((one.sighting, one.item) for one in new):
            url = normalise(sighting.url) if sighting.url else ""
            # Several entries under one link are one item; the first one speaks for it.
            items.setdefault(
                item,
                {
                    "id": item,
                    "url": url,
                    "host": host(url) if url else "",
                    "sighting": sighting.id,
                    "first_seen": sighting.first_seen,
                    "state": ItemState.SEEN.value,
                    "owed": (Owed.FETCH if url else Owed.INDEX).value,
                    "due": sighting.first_seen,
                    "body_reason": None if url else "the entry has no link",
                    "fetches": 0,
                    "attempts": 0,
                },
            )
            rows.append(
                {
                    "id": sighting.id,
                    "feed": sighting.feed,
                    "item": item,
                    "first_seen": sighting.first_seen,
                    "baseline": sighting.baseline,
                    "record": to_json(sighting).decode(),
                    "said": said(sighting),
                }
            )
        # In one order, or two polls that announce the same links could wait for each other's rows for ever.
        db.execute(self._insert(t.items).on_conflict_do_nothing(), [items[item] for item in sorted(items)])
        db.execute(self._insert(t.sightings).on_conflict_do_nothing(), rows)

    # -- items ------------------------------------------------------------------------------------------------

    def claim_items(
        self,
        owed: Owed,
        now: datetime,
        limit: int,
        owner: str,
        lease: float,
        busy: Mapping[str, int] | None = None,
        per_host: int = IN_HAND_PER_HOST,
    ) -> list[Item]:
        """Take in hand up to ``limit`` items that are owed this, longest due first, for ``lease`` seconds.

        Pages to fetch are spread over the hosts as feeds are by :meth:`claim_feeds`.
        """
        chosen = (
            select(t.items.c.id, t.items.c.host)
            .where(t.items.c.owed == owed.value, t.items.c.due <= now, idle(now))
            .order_by(t.items.c.due, t.items.c.id)
            .with_for_update(skip_locked=True)
        )
        with self._write() as db:
            if owed is Owed.FETCH:
                rows = self._spread(db, chosen, t.items, limit, now, owner, lease, busy or {}, per_host)
            else:
                rows = list(db.execute(chosen.limit(limit)).mappings())
            ids = [row["id"] for row in rows]
            self._lease(db, t.items, ids, now, owner, lease)
            found = {item.id: item for item in self._items(db, t.items.c.id, ids)}
            return [found[item] for item in ids]

    def apply(
        self,
        changes: Sequence[Change],
        now: datetime,
        owner: str,
        keep: float | None = None,
        also: Callable[[Connection], None] | None = None,
    ) -> int:
        """Write down what became of items in hand, in one transaction, and let go of them.

        With ``keep``, those that are owed their next stage now stay in the same hand, for so many seconds. An item
        whose lease has meanwhile gone to another worker is left to that worker. ``also`` writes what has to be there
        exactly when that is. Returns how many were written.
        """
        kept = None if keep is None else now + timedelta(seconds=keep)
        written = 0
        # Changes that set the same columns go into one statement, since building a statement is dear.
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        expressions: dict[tuple[str, ...], dict[str, Any]] = {}
        for change in changes:
            values = columns(change, now) | {"lease_owner": None, "lease_until": None}
            if kept is not None and isinstance(change, Fetched | FellBack):
                values |= {"lease_owner": owner, "lease_until": kept}
            computed = {name: value for name, value in values.items() if isinstance(value, ClauseElement)}
            plain = {f"new_{name}": value for name, value in values.items() if name not in computed}
            key = (type(change).__name__, *computed, *plain)
            expressions[key] = computed
            alike.setdefault(key, []).append(plain | {"this": change.item, "mine": owner})
        mine = and_(t.items.c.id == bindparam("this"), t.items.c.lease_owner == bindparam("mine"))
        with self._write() as db:
            for part in chunks(sorted(change.item for change in changes)):
                self._lock(db, t.items, t.items.c.id.in_(part))
            for key, rows in alike.items():
                names = [name.removeprefix("new_") for name in rows[0] if name.startswith("new_")]
                bound = {name: bindparam(f"new_{name}", type_=t.items.c[name].type) for name in names}
                written += db.execute(update(t.items).where(mine).values(**bound, **expressions[key]), rows).rowcount
            if also is not None:
                also(db)
        return written

    def own(self, pairs: Sequence[tuple[str, str]]) -> set[str]:
        """Settle which items speak for which articles, given (article, item). Returns the items that do.

        The first item to ask keeps the article, also when it asks again after a crash.
        """
        if not pairs:
            return set()
        with self._write() as db:
            rows = [{"id": article, "item": item} for article, item in sorted(pairs)]
            db.execute(self._insert(t.articles).on_conflict_do_nothing(), rows)
            owners: dict[str, str] = {}
            for part in chunks([article for article, _ in pairs]):
                found = db.execute(select(t.articles.c.id, t.articles.c.item).where(t.articles.c.id.in_(part)))
                owners.update((row.id, row.item) for row in found)
        return {item for article, item in pairs if owners.get(article) == item}

    def renew(
        self, owner: str, now: datetime, lease: float, items: Iterable[str] = (), feeds: Iterable[str] = ()
    ) -> None:
        """Keep these items and feeds, which this worker has in hand, for ``lease`` more seconds."""
        until = now + timedelta(seconds=lease)
        with self._write() as db:
            kept: set[str] = set()
            for table, ids in ((t.items, items), (t.feeds, feeds)):
                for part in chunks(sorted(ids)):
                    mine = and_(table.c.id.in_(part), table.c.lease_owner == owner)
                    self._lock(db, table, mine)
                    db.execute(update(table).where(mine).values(lease_until=until))
                    kept.update(db.execute(select(table.c.host).where(mine).distinct()).scalars())
            self._keep_hosts(db, kept, owner, until)

    def release(self, *owners: str) -> None:
        """Let go of everything that these workers or claims have in hand: it stays owed."""
        with self._write() as db:
            self._release(db, owners)

    def let_go(self, owner: str, *, items: Iterable[str] = (), feeds: Iterable[str] = ()) -> None:
        """Let go of some of what this worker has in hand, and of the hosts of which it then holds nothing: it stays
        owed."""
        with self._write() as db:
            left: set[str] = set()
            for table, ids in ((t.items, items), (t.feeds, feeds)):
                for part in chunks(sorted(ids)):
                    mine = and_(table.c.id.in_(part), table.c.lease_owner == owner)
                    self._lock(db, table, mine)
                    left.update(db.execute(select(table.c.host).where(mine).distinct()).scalars())
                    db.execute(update(table).where(mine).values(lease_owner=None, lease_until=None))
            self._leave_hosts(db, left, owner)

    def release_dead(self) -> list[str]:
        """Let go of what processes of this host had in hand that no longer live. Returns their names."""
        with self._write() as db:
            owners: set[str] = set()
            for table in LEASED:
                found = select(table.c.lease_owner).where(table.c.lease_owner.is_not(None)).distinct()
                owners.update(db.execute(found).scalars())
            dead = sorted(owner for owner in owners if not _may_live(owner))
            for part in chunks(dead):
                self._release(db, part)
            return dead

    def release_expired(self, now: datetime) -> int:
        """Let go of what was held longer than its lease. Anybody may take it already; this makes the books say so.
        Returns how many items and feeds."""
        found = 0
        with self._write() as db:
            for table in LEASED:
                expired = table.c.lease_until <= now
                self._lock(db, table, expired)
                count = db.execute(update(table).where(expired).values(lease_owner=None, lease_until=None)).rowcount
                found += count if table in (t.items, t.feeds) else 0
        return found

    def next_due(self, owed: Owed) -> datetime | None:
        """When the next item that nobody has in hand is owed this; ``None`` where there is none."""
        with self._read() as db:
            return db.execute(
                select(func.min(t.items.c.due)).where(t.items.c.owed == owed.value, t.items.c.lease_owner.is_(None))
            ).scalar()

    def item(self, key: str) -> Item | None:
        """The item of this id, or the one that speaks for the article of this id."""
        with self._read() as db:
            for column in (t.items.c.id, t.items.c.article):
                found = self._items(db, column, [key])
                if found:
                    return min(found, key=lambda item: item.state is ItemState.DUPLICATE)
        return None

    def sightings(self, item: str) -> list[Sighting]:
        """Every sighting that led to this item, first seen first."""
        with self._read() as db:
            found = (
                select(t.sightings.c.record)
                .where(t.sightings.c.item == item)
                .order_by(t.sightings.c.first_seen, t.sightings.c.id)
            )
            return [from_json(record, Sighting) for record in db.execute(found).scalars()]

    def carriers(self, article: str) -> list[Item]:
        """Every item that turned out to be this article, its speaker first."""
        with self._read() as db:
            found = self._items(db, t.items.c.article, [article])
        return sorted(found, key=lambda item: (item.state is ItemState.DUPLICATE, item.id))

    def indexed_items(self) -> Iterator[Item]:
        """Every item whose article is in the index, in order of id: what a replay has to build."""
        last = ""
        while True:
            with self._read() as db:
                page = (
                    select(t.items.c.id)
                    .where(
                        t.items.c.indexed.is_not(None), t.items.c.state != ItemState.PRUNED.value, t.items.c.id > last
                    )
                    .order_by(t.items.c.id)
                    .limit(CHUNK)
                )
                ids = list(db.execute(page).scalars())
                found = {item.id: item for item in self._items(db, t.items.c.id, ids)}
            if not ids:
                return
            yield from (found[item] for item in ids)
            last = ids[-1]

    def owe_fetch(self, item: str, now: datetime) -> None:
        """Ask for an item's page again, whole: the archive has lost it."""
        values = UNCONDITIONAL | {"owed": Owed.FETCH.value, "due": now, "fetches": 0}
        with self._write() as db:
            db.execute(update(t.items).where(t.items.c.id == item).values(**values))

    def count_indexed(self, feed: str | None, since: datetime | None, until: datetime | None) -> int:
        """How many articles in the index were first seen in that time, announced by that feed (by id); all for none."""
        with self._read() as db:
            return int(
                db.execute(select(func.count()).select_from(t.items).where(*_meant(feed, since, until))).scalar_one()
            )

    def owe_again(
        self, again: Again, feed: str | None, since: datetime | None, until: datetime | None, now: datetime
    ) -> int:
        """Owe those articles this stage and all that follow again, which nobody has in hand. Returns how many."""
        values: dict[str, Any] = {"due": now, "attempts": 0}
        # What is still to be asked for keeps its time.
        kept: dict[str, Any] = {"fetch_again": literal_column("CASE WHEN owed = 'fetch' THEN due ELSE fetch_again END")}
        match again:
            case Again.FETCH:
                values |= {"owed": Owed.FETCH.value, "fetches": 0}
            case Again.EXTRACT:
                # A page that broke the extractor gets another chance.
                better: Any = literal_column("CASE WHEN stage = 'extract' THEN NULL ELSE body_reason END")
                values |= kept | {"owed": Owed.INDEX.value, "body_reason": better}
            case Again.ENRICH:
                # Where a stage has failed, that is remembered, and the article made from what there is.
                values |= kept | {"owed": Owed.INDEX.value, "stage": func.coalesce(t.items.c.stage, again.value)}
        meant = and_(*_meant(feed, since, until), idle(now))
        with self._write() as db:
            self._lock(db, t.items, meant)
            return db.execute(update(t.items).where(meant).values(**values)).rowcount

    def rename_article(self, item: str, article: str) -> None:
        """Let an item speak for another article id: a newer extractor may read another canonical URL."""
        with self._write() as db:
            db.execute(self._insert(t.articles).values(id=article, item=item).on_conflict_do_nothing())
            db.execute(update(t.items).where(t.items.c.id == item).values(article=article))

    # -- how things stand ---------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Items by state."""
        with self._read() as db:
            rows = db.execute(select(t.items.c.state, func.count()).group_by(t.items.c.state)).all()
        found: dict[str, int] = {row[0]: row[1] for row in rows}
        return {state.value: found.get(state.value, 0) for state in ItemState}

    def owed(self, now: datetime) -> dict[str, dict[str, int]]:
        """For each kind of work: how many items are owed it now, later, and how many are in hand."""
        in_hand = and_(t.items.c.lease_owner.is_not(None), t.items.c.lease_until > now)
        result = {owed.value: {"now": 0, "later": 0, "in_hand": 0} for owed in Owed}
        with self._read() as db:
            for label, where in (
                ("in_hand", in_hand),
                ("now", and_(idle(now), t.items.c.due <= now)),
                ("later", and_(idle(now), t.items.c.due > now)),
            ):
                rows = db.execute(
                    select(t.items.c.owed, func.count())
                    .where(t.items.c.owed.is_not(None), where)
                    .group_by(t.items.c.owed)
                )
                for owed, count in rows:
                    result[owed][label] = count
        return result

    def volume(self, since: datetime, until: datetime) -> dict[str, dict[str, int]]:
        """New entries in that time, by feed and day ("2026-11-23"). What was there before us does not count."""
        return self._volume(since, until, len("2026-11-23"))

    def volume_by_hour(self, since: datetime, until: datetime) -> dict[str, dict[str, int]]:
        """The same by feed and hour ("2026-11-23T14")."""
        return self._volume(since, until, len("2026-11-23T14"))

    def _volume(self, since: datetime, until: datetime, digits: int) -> dict[str, dict[str, int]]:
        time = func.substr(t.sightings.c.first_seen, 1, digits)
        when = t.sightings.c.first_seen
        with self._read() as db:
            rows = db.execute(
                select(t.sightings.c.feed, time, func.count())
                .where(when >= since, when < until, t.sightings.c.baseline.is_(False))
                .group_by(t.sightings.c.feed, time)
            ).all()
        result: dict[str, dict[str, int]] = {}
        for feed, at, count in rows:
            result.setdefault(feed, {})[at] = count
        return result

    def baselines(self) -> dict[str, int]:
        """How many entries were there before us, by feed: those of its first poll."""
        with self._read() as db:
            rows = db.execute(
                select(t.sightings.c.feed, func.count())
                .where(t.sightings.c.baseline.is_(True))
                .group_by(t.sightings.c.feed)
            ).all()
        return {row[0]: row[1] for row in rows}

    def note(self, key: str, text: str | None, now: datetime) -> None:
        """Write down something that the operator should know now, or with ``None`` that it no longer holds."""
        with self._write() as db:
            self._note(db, key, text, now)

    def _note(self, db: Connection, key: str, text: str | None, now: datetime) -> None:
        if text is None:
            db.execute(delete(t.notes).where(t.notes.c.key == key))
            return
        row = {"key": key, "text": text, "since": now}
        insert = self._insert(t.notes).values(**row)
        db.execute(insert.on_conflict_do_update(index_elements=[t.notes.c.key], set_={"text": text}))

    def notes(self) -> list[tuple[str, str, datetime]]:
        """(key, text, since when) of everything that the operator should know now."""
        with self._read() as db:
            rows = db.execute(select(t.notes).order_by(t.notes.c.key)).all()
        return [(row.key, row.text, row.since) for row in rows]


def _meant(feed: str | None, since: datetime | None, until: datetime | None) -> list[Any]:
    """The articles in the index that were first seen in that time, announced by that feed."""
    where: list[Any] = [t.items.c.indexed.is_not(None), t.items.c.state == ItemState.INDEXED.value]
    if since is not None:
        where.append(t.items.c.first_seen >= since)
    if until is not None:
        where.append(t.items.c.first_seen < until)
    if feed is not None:
        where.append(t.items.c.id.in_(select(t.sightings.c.item).where(t.sightings.c.feed == feed)))
    return where


def _may_live(owner: str) -> bool:
    """Whether the process of this lease may still be at work. One on another host may; only its lease can tell."""
    if owner.startswith(PREFIX):
        return True  # a claim: no process of its own, only the lease can tell
    name, _, rest = owner.partition(":")
    pid, _, started = rest.partition(":")
    if name != socket.gethostname() or not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return started == _started(int(pid))
