"""What the ledger keeps of subscriptions: which hubs were asked to push which feeds, and until when they do.

A feed whose hub pushes is polled seldom. So a subscription counts only while its lease lasts, and no longer when a poll
finds news that the hub has kept to itself.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, delete, select, update

from pipeline.ledger import tables as t
from pipeline.ledger.access import Access
from pipeline.ledger.hosts import IN_HAND_PER_HOST
from pipeline.records import FeedState
from pipeline.urls import host

PATIENCE, LONGEST = timedelta(minutes=10), timedelta(days=1)
"""How long a hub that was asked may take to come back with its challenge; then it is asked again. Each time it has
twice as long, up to a day."""
GIVEN_UP = 3
"""So often a hub is asked to end a subscription; then the lease ends it."""
LATER = timedelta(days=1)
"""When a hub that has refused, or has kept news to itself, is asked again."""
RENEW = 0.8
"""The share of a lease after which it is renewed."""


class SubscriptionState(StrEnum):
    """Where a subscription stands."""

    ASKED = "asked"
    ACTIVE = "active"
    REFUSED = "refused"  # by the hub; or by us, since it did not push what there was
    ENDING = "ending"  # the feed is not polled any more, or has another hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One feed's subscription. ``secret`` signs what the hub sends, ``token`` names the address that it sends it to."""

    feed: str
    hub: str
    topic: str
    token: str
    secret: str
    state: SubscriptionState
    asked: datetime | None
    expires: datetime | None
    reason: str | None
    failures: int
    last_push: datetime | None

    def pushes(self, now: datetime) -> bool:
        """Whether the hub has promised to push, and its lease lasts."""
        return self.state is SubscriptionState.ACTIVE and not self.has_lapsed(now)

    def has_lapsed(self, now: datetime) -> bool:
        """Whether the hub had promised to push, and its lease has run out."""
        return self.state is SubscriptionState.ACTIVE and (self.expires is None or self.expires <= now)


class Subscriptions(Access):
    """The part of a ledger that speaks of hubs. Several workers may ask it at once: each hub is asked by one."""

    def subscriptions(self) -> dict[str, Subscription]:
        """All subscriptions, by feed."""
        with self._read() as db:
            rows = db.execute(select(t.subscriptions).order_by(t.subscriptions.c.feed)).mappings()
            return {row["feed"]: _subscription(row) for row in rows}

    def subscription(self, *, feed: str | None = None, token: str | None = None) -> Subscription | None:
        """The subscription of a feed, or the one whose callback this token names."""
        wanted = t.subscriptions.c.token == token if feed is None else t.subscriptions.c.feed == feed
        with self._read() as db:
            row = db.execute(select(t.subscriptions).where(wanted)).mappings().first()
            return None if row is None else _subscription(row)

    def subscriptions_due(self, now: datetime, limit: int) -> list[Subscription]:
        """The subscriptions whose hubs are to be asked now: for new ones, to renew them, or to end them. They are due
        again after :data:`PATIENCE`, if nothing comes of it.

        Of one hub a few at once, so that a slow one does not hold up the others; of one that asked any worker to be
        left alone, none.
        """
        s = t.subscriptions
        with self._write() as db:
            self._begin_and_end(db, now)
            held = set(db.execute(select(t.hosts.c.host).where(t.hosts.c.not_before > now)).scalars())
            ready = select(s).where(s.c.next_ask <= now).order_by(s.c.next_ask, s.c.feed)
            asked: Counter[str] = Counter()
            due: list[Subscription] = []
            for row in db.execute(ready.with_for_update(skip_locked=True)).mappings().all():
                place = host(row["hub"])
                if len(due) < limit and place not in held and asked[place] < IN_HAND_PER_HOST:
                    asked[place] += 1
                    due.append(_subscription(row))
            for one in due:
                again = now + min(PATIENCE * 2 ** min(one.failures, 10), LONGEST)
                values = {"asked": now, "next_ask": again, "failures": one.failures + 1}
                db.execute(update(s).where(_same(one)).values(**values))
        return due

    def _begin_and_end(self, db: Connection, now: datetime) -> None:
        """One row for each feed that names a hub, and an end for those whose feed does not any more."""
        s, f = t.subscriptions, t.feeds
        alive = and_(f.c.state == FeedState.ACTIVE.value, f.c.hub.is_not(None), f.c.topic.is_not(None))
        joined = select(f.c.id, f.c.hub, f.c.topic).outerjoin(s, s.c.feed == f.c.id).where(alive, s.c.feed.is_(None))
        fresh = [
            {
                "feed": row.id,
                "hub": row.hub,
                "topic": row.topic,
                "token": secrets.token_urlsafe(24),
                "secret": secrets.token_urlsafe(32),
                "state": SubscriptionState.ASKED.value,
                "next_ask": now,
            }
            for row in db.execute(joined).all()
        ]
        if fresh:
            db.execute(self._insert(s).on_conflict_do_nothing(), fresh)
        same = select(f.c.id).where(alive, f.c.id == s.c.feed, f.c.hub == s.c.hub, f.c.topic == s.c.topic)
        over = and_(s.c.state != SubscriptionState.ENDING.value, ~same.exists())
        db.execute(update(s).where(over).values(state=SubscriptionState.ENDING.value, next_ask=now, failures=0))
        db.execute(
            delete(s).where(s.c.state == SubscriptionState.ENDING.value, s.c.failures >= GIVEN_UP, s.c.next_ask <= now)
        )

    def hub_failed(self, one: Subscription, reason: str) -> None:
        """The hub could not be asked, and why."""
        self._set(one, reason=reason)

    def hub_refused(self, one: Subscription, reason: str, now: datetime) -> None:
        """The hub will not push this feed, or does not: it is polled as any other, and the hub asked again later."""
        self._set(one, state=SubscriptionState.REFUSED.value, reason=reason, next_ask=now + LATER, last_push=None)

    def hub_confirmed(self, one: Subscription, lease: timedelta, now: datetime) -> None:
        """The hub will push for so long."""
        self._set(
            one,
            state=SubscriptionState.ACTIVE.value,
            expires=now + lease,
            next_ask=now + lease * RENEW,
            reason=None,
            failures=0,
        )

    def end_subscription(self, one: Subscription) -> None:
        """Forget a subscription: what comes for it is not wanted. A feed that has another hub now gets a new one."""
        with self._write() as db:
            db.execute(delete(t.subscriptions).where(_same(one)))

    def note_push(self, one: Subscription, new: int, now: datetime) -> None:
        """The hub has pushed something that it signed, of which so much was new. From the first time that anything was,
        it is trusted, and speaks again if it was taken to be silent; one that comes after the polls does not."""
        s = t.subscriptions
        speaks = and_(_same(one), s.c.state == SubscriptionState.REFUSED.value, s.c.expires > now)
        heard = _same(one) if new else and_(_same(one), s.c.last_push.is_not(None))
        with self._write() as db:
            db.execute(update(s).where(heard).values(last_push=now))
            if new:
                db.execute(update(s).where(speaks).values(state=SubscriptionState.ACTIVE.value, reason=None))

    def catch_up(self, now: datetime, least: float) -> None:
        """Make the feeds due as if nobody pushed them: while no worker was there to listen, something may have been
        missed. ``least`` is the shortest interval, in seconds. Of those that fail, or are gone, servers have said when.
        """
        s, f = t.subscriptions, t.feeds
        pushed = select(f.c.id, f.c.interval, f.c.last_polled).join(s, s.c.feed == f.c.id)
        with self._write() as db:
            well = and_(f.c.failures == 0, f.c.state == FeedState.ACTIVE.value, f.c.last_polled.is_not(None))
            for row in db.execute(pushed.where(well)).all():
                due = max(now, row.last_polled + timedelta(seconds=max(row.interval, least)))
                later = and_(f.c.id == row.id, f.c.next_poll > due)
                db.execute(update(f).where(later).values(next_poll=due))

    def _set(self, one: Subscription, **values: Any) -> None:
        with self._write() as db:
            db.execute(update(t.subscriptions).where(_same(one)).values(**values))


def _same(one: Subscription) -> Any:
    return and_(t.subscriptions.c.feed == one.feed, t.subscriptions.c.token == one.token)


def _subscription(row: Any) -> Subscription:
    names = ("feed", "hub", "topic", "token", "secret", "asked", "expires", "reason", "failures", "last_push")
    return Subscription(state=SubscriptionState(row["state"]), **{name: row[name] for name in names})
