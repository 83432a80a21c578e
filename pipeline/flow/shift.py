"""One worker's shift: the tools that its stages share, what it has in hand, and how it waits."""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import structlog

from pipeline.alerts.desk import Desk
from pipeline.errors import LedgerError, WirewatchError
from pipeline.fetch import Archive
from pipeline.ledger import Change, Item, Ledger, Owed, this_worker
from pipeline.records import Feed
from pipeline.settings import Settings
from pipeline.urls import host

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = structlog.get_logger("wirewatch")

IDLE = 2.0
"""Seconds between looks into the ledger when nothing is owed: another process may have put something there."""
LONGEST_PAUSE = 60.0
"""Seconds between tries of a stage that cannot work now, at most: who frees the disk should not wait long."""


BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds, seconds, of the classes in which durations are counted: from an idle host's page to the time limits."""


@dataclass(slots=True)
class Durations:
    """How long something took, many times: counted in classes, as Prometheus wants it."""

    counts: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    count: int = 0
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.count += 1
        self.total += seconds
        place = bisect_left(BUCKETS, seconds)
        if place < len(BUCKETS):
            self.counts[place] += 1

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """(upper bound, how many took no longer)."""
        return zip(BUCKETS, accumulate(self.counts), strict=True)


@dataclass(slots=True)
class Tally:
    """What a run did, for progress, logs and the exit code."""

    counts: Counter[str] = field(default_factory=Counter)
    durations: dict[str, Durations] = field(default_factory=dict)
    listener: Callable[[str, int], None] | None = None

    def took(self, what: str, seconds: float) -> None:
        self.durations.setdefault(what, Durations()).add(seconds)

    def add(self, what: str, count: int = 1) -> None:
        self.counts[what] += count
        if self.listener is not None:
            self.listener(what, count)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Shift:
    """What one worker works with over one data folder, and what it has in hand now.

    ``clock`` gives aware UTC times.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        *,
        tally: Tally | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.tally = tally or Tally()
        self.clock = clock
        self.owner = this_worker()
        self.archive = Archive(settings.archive_folder, settings.warc_size)
        self.desk = Desk(settings, ledger)
        self.alerts_reported = clock() - timedelta(days=1)
        # What is in hand now, by id: only this is renewed, so that what an error made us forget goes to another worker.
        self._items: set[str] = set()
        self._feeds: set[str] = set()
        self.stopping = asyncio.Event()
        self.to_fetch = asyncio.Event()
        self.to_index = asyncio.Event()
        self.to_deliver = asyncio.Event()

    def stop(self) -> None:
        """Ask all stages to end: nothing new is begun, what is finished is written down, the rest stays owed."""
        self.stopping.set()
        self.to_fetch.set()
        self.to_index.set()
        self.to_deliver.set()

    def close(self) -> None:
        """Let go of all that is in hand, and of the archive's file."""
        with contextlib.suppress(LedgerError):
            self.ledger.release(self.owner)
        self.archive.close()

    # -- what is in hand --------------------------------------------------------------------------------------------

    async def claim_feeds(self, due: datetime, limit: int, busy: Mapping[str, int]) -> list[Feed]:
        """Take in hand feeds that are due then; ``busy`` are the hosts of those in hand."""
        feeds = await asyncio.to_thread(self.ledger.claim_feeds, due, limit, self.owner, self.settings.lease, busy)
        self._feeds.update(feed.id for feed in feeds)
        return feeds

    async def claim(self, owed: Owed, limit: int, busy: Mapping[str, int] | None = None) -> list[Item]:
        """Take in hand items that are owed this now; ``busy`` are the hosts of those in hand."""
        items = await asyncio.to_thread(
            self.ledger.claim_items, owed, self.clock(), limit, self.owner, self.settings.lease, busy
        )
        self._items.update(item.id for item in items)
        return items

    async def let_go(self, *, items: Iterable[Item] = (), feeds: Iterable[Feed] = ()) -> None:
        """Give back what was in hand and is not done."""
        item_ids, feed_ids = [item.id for item in items], [feed.id for feed in feeds]
        self._items.difference_update(item_ids)
        self._feeds.difference_update(feed_ids)
        with contextlib.suppress(LedgerError):  # then the lease, which nobody renews now, runs out
            await asyncio.to_thread(self.ledger.let_go, self.owner, items=item_ids, feeds=feed_ids)

    def polled(self, feed: Feed) -> None:
        """The ledger has this feed's poll: it is no longer in hand."""
        self._feeds.discard(feed.id)

    def apply(self, changes: Sequence[Change], now: datetime, also: Callable[[Connection], None] | None = None) -> None:
        """Write down what became of items in hand; they no longer are. ``also`` is written in the same transaction."""
        self.ledger.apply(changes, now, self.owner, also=also)
        self._items.difference_update(change.item for change in changes)

    async def keep_leases(self) -> None:
        """Renew the leases of what is in hand, for ever."""
        while True:
            await asyncio.sleep(self.settings.lease / 3)
            with contextlib.suppress(LedgerError):  # the stages meet the same error, and report it
                await asyncio.to_thread(
                    self.ledger.renew,
                    self.owner,
                    self.clock(),
                    self.settings.lease,
                    tuple(self._items),
                    tuple(self._feeds),
                )

    def hold_host(self, place: str, seconds: float) -> None:
        """A host ("name:port") asked to be left alone: tell the other workers, and those after us."""
        with contextlib.suppress(LedgerError):  # this worker heeds it in any case
            self.ledger.hold_host(host(f"http://{place}"), self.clock() + timedelta(seconds=seconds))

    # -- waiting ------------------------------------------------------------------------------------------------------

    def note_waiting(self, stage: str, error: WirewatchError) -> None:
        """Say in the log and in ``status`` that a stage waits, and for what."""
        log.error("stage waits", stage=stage, reason=str(error))
        with contextlib.suppress(LedgerError):
            self.ledger.note(stage, f"waiting: {error}", self.clock())

    async def stopped_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)
        return self.stopping.is_set()


async def woken(event: asyncio.Event, upstream: asyncio.Task[None] | None) -> None:
    """Wait until there may be more to do: the event, the end of what feeds this stage (which may have come since the
    stage last looked), or a while."""
    bell = asyncio.create_task(event.wait())
    waits: set[asyncio.Future[Any]] = {bell}
    if upstream is not None:
        waits.add(upstream)
    try:
        await asyncio.wait(waits, timeout=IDLE, return_when=asyncio.FIRST_COMPLETED)
    finally:
        bell.cancel()


def heed(future: asyncio.Future[Any]) -> None:
    """Take note of an error that nobody will ask for, once a run is told to stop; asyncio would print it otherwise."""
    if not future.cancelled():
        future.exception()


async def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they are gone."""
    pending = list(tasks)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
