"""A worker's shift over one claimed batch: all that it takes in hand is the batch's, and stays with it to the end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from pipeline.flow.kept import Kept
from pipeline.flow.shift import Shift, utc_now
from pipeline.ledger import Change, Item, Ledger, Owed
from pipeline.ledger.hosts import IN_HAND_PER_HOST
from pipeline.records import Feed
from pipeline.settings import Settings
from pipeline.urls import host

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")


class BatchShift(Shift):
    """What a task works with. The lease is the claim's: a task that ends, well or not, leaves it to the next."""

    def __init__(
        self, settings: Settings, ledger: Ledger, claim: str, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        super().__init__(settings, ledger, clock=clock)
        self.owner = claim
        self.lease = settings.claim_lease
        self.kept = Kept(settings.claims_folder, claim)

    def close(self) -> None:
        self.archive.close()

    async def claim_feeds(self, due: datetime, limit: int, busy: Mapping[str, int]) -> list[Feed]:
        # What is in hand before the look: what is done meanwhile may still look held, and must not be taken again.
        in_hand = set(self._feeds)
        held = await asyncio.to_thread(self.ledger.held_feeds, self.owner)
        fresh = [feed for feed in held if feed.id not in in_hand]
        feeds = _spread(fresh, lambda feed: host(feed.url), limit, busy)
        self._feeds.update(feed.id for feed in feeds)
        return feeds

    async def claim(self, owed: Owed, limit: int, busy: Mapping[str, int] | None = None) -> list[Item]:
        in_hand = set(self._items)
        held = await asyncio.to_thread(self.ledger.held_items, self.owner, owed, self.clock())
        fresh = [item for item in held if item.id not in in_hand]
        items = fresh[:limit] if owed is Owed.INDEX else _spread(fresh, lambda item: item.host, limit, busy or {})
        self._items.update(item.id for item in items)
        return items

    async def let_go(self, *, items: Iterable[Item] = (), feeds: Iterable[Feed] = ()) -> None:
        self._items.difference_update(item.id for item in items)
        self._feeds.difference_update(feed.id for feed in feeds)

    def apply(self, changes: Sequence[Change], now: datetime, also: Callable[[Connection], None] | None = None) -> None:
        self.ledger.apply(changes, now, self.owner, keep=self.lease, also=also)
        for change in changes:
            self._items.discard(change.item)
            self.kept.drop(change.item)

    async def keep_leases(self) -> None:
        while True:
            await asyncio.to_thread(self.ledger.extend, self.owner, self.clock(), self.lease)
            await asyncio.sleep(self.lease / 3)


def _spread(things: Sequence[T], host_of: Callable[[T], str], limit: int, busy: Mapping[str, int]) -> list[T]:
    """The first ``limit`` that their hosts have room for: one slow host must not hold up the others."""
    hosts = Counter(busy)
    chosen: list[T] = []
    for thing in things:
        if len(chosen) < limit and hosts[host_of(thing)] < IN_HAND_PER_HOST:
            hosts[host_of(thing)] += 1
            chosen.append(thing)
    return chosen
