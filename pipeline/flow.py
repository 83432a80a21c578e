"""The stages, in order: poll, fetch, then extract + enrich + index. The only module that knows that order.

Each stage takes from the ledger what is owed to it, under a lease, and writes back what became of it; so the stages
run beside each other, several processes can share one ledger, and a worker may be killed at any moment. The drivers
(``wirewatch run``, the DAGs, replay) call :class:`Flow` and have no logic of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from pipeline.errors import (
    FetchError,
    IndexDamagedError,
    IndexUnavailableError,
    LedgerError,
    NotReadyError,
    WirewatchError,
)
from pipeline.feeds import Outcome, Polled, poll, settle
from pipeline.fetch import Archive, Fetcher, raise_for_status
from pipeline.index import Index
from pipeline.ledger import (
    Change,
    Duplicate,
    FellBack,
    Fetched,
    GaveUp,
    Indexed,
    Item,
    ItemState,
    Ledger,
    Owed,
    Quarantined,
    Retry,
    Skipped,
    this_worker,
)
from pipeline.records import Document, Feed, Page
from pipeline.settings import Settings
from pipeline.workers import WorkerPool

log = structlog.get_logger("wirewatch")

FEEDS_IN_HAND = 64
"""Feeds polled at once. They are mostly waited for; 2026-11-23."""
ITEMS_PER_HOST = 8
"""Pages of one host in hand at once: the host is asked at its own pace, and the others must not wait for it."""
GATHER = 0.05
"""Seconds in which finished pages are gathered into one archive flush and one ledger transaction."""
HOLD = 0.3
"""Seconds that a finished document waits for company before it is indexed; a commit costs 40-50 ms of CPU."""
IDLE = 2.0
"""Seconds between looks into the ledger when nothing is owed: another process may have put something there."""
LONGEST_PAUSE = 60.0
"""Seconds between tries of a stage that cannot work now, at most: who frees the disk should not wait long."""
STOP_GRACE = 2.0
"""Seconds that finished work gets to be written down when the run is told to stop."""

TRANSIENT_DELAYS = (60.0, 300.0, 1800.0, 7200.0, 21600.0)
"""Seconds before a page is asked for again after its 1st, 2nd, … failure: outages last minutes or hours."""
PERMANENT_DELAYS = (21600.0, 86400.0)
"""The same after an answer such as 403 or 404, which seldom changes; an embargo or a late publication does."""


@dataclass(slots=True)
class Tally:
    """What a run did, for progress, logs and the exit code."""

    counts: Counter[str] = field(default_factory=Counter)
    listener: Callable[[str, int], None] | None = None

    def add(self, what: str, count: int = 1) -> None:
        self.counts[what] += count
        if self.listener is not None:
            self.listener(what, count)


def utc_now() -> datetime:
    return datetime.now(UTC)


def settling(polled: Polled, settings: Settings, now: datetime) -> Callable[[int], Feed]:
    """What gives a polled feed its next poll, once the ledger knows how many of its sightings were new."""

    def settled(new: int) -> Feed:
        if polled.outcome is not Outcome.READ:
            return polled.feed
        return settle(
            polled.feed,
            new,
            len(polled.sightings),
            now,
            ttl=polled.ttl,
            min_interval=settings.min_interval,
            max_interval=settings.max_interval,
        )

    return settled


def after_failed_fetch(item: Item, error: FetchError, max_attempts: int, now: datetime) -> Change:
    """What becomes of an item whose page could not be had: pure, so that it can be tested with a table.

    The story is never lost: the feed's own text is indexed at once, where there is any, and the page is asked for
    again later. An item with nothing to show is retried, and quarantined after ``max_attempts``.
    """
    again = next_fetch(item.fetches + 1, error, max_attempts, now)
    if item.state is ItemState.INDEXED:
        if again is None:
            return GaveUp(item.id, error.code, error.reason)
        return Retry(item.id, Owed.FETCH, again, error.code, error.reason)
    if item.sighting.text or item.sighting.title:
        return FellBack(item.id, error.code, error.reason, again)
    if again is None:
        return Quarantined(item.id, "fetch", error.code, error.reason)
    return Retry(item.id, Owed.FETCH, again, error.code, error.reason)


def after_failed_extraction(item: Item, code: str, reason: str) -> Change:
    """What becomes of an item whose page broke the extractor: it stands in quarantine, the story is in the index."""
    if item.body_reason is None and (item.sighting.text or item.sighting.title):
        return FellBack(item.id, code, reason, None, "extract")
    return Quarantined(item.id, "extract", code, reason)


def next_fetch(failures: int, error: FetchError, max_attempts: int, now: datetime) -> datetime | None:
    """When to ask for a page again after so many failures; ``None`` for never."""
    delays = PERMANENT_DELAYS if error.permanent else TRANSIENT_DELAYS[: max_attempts - 1]
    if failures > len(delays):
        return None
    return now + timedelta(seconds=max(delays[failures - 1], error.retry_after or 0.0))


class Flow:
    """One worker's run over one data folder.

    ``clock`` gives aware UTC times. Errors of single feeds and items go to the ledger; what stops a stage (a full
    disk, an index that does not answer) is noted in the ledger, and tried again until it works or the run ends.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        index: Index,
        *,
        tally: Tally | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.index = index
        self.tally = tally or Tally()
        self.clock = clock
        self.owner = this_worker()
        self.archive = Archive(settings.archive_folder, settings.warc_size)
        # What is in hand now, by id: only this is renewed, so that what an error made us forget goes to another worker.
        self._items: set[str] = set()
        self._feeds: set[str] = set()
        self._stop = asyncio.Event()
        self._to_fetch = asyncio.Event()
        self._to_index = asyncio.Event()

    # -- the drivers' entry points --------------------------------------------------------------------------------

    async def run_once(self) -> None:
        """One pass: poll all feeds that are due now, then do everything that is owed now.

        Raises IndexUnavailableError, IndexDamagedError, ArchiveError or LedgerError where a stage cannot go on at
        all; what it had in hand stays owed.
        """
        await self._run(once=True)

    async def run(self) -> None:
        """Poll feeds as they fall due and do what is owed, until :meth:`stop`."""
        await self._run(once=False)

    def stop(self) -> None:
        """Ask the run to end: nothing new is begun, what is finished is written down, the rest stays owed."""
        self._stop.set()
        self._to_fetch.set()
        self._to_index.set()

    async def _run(self, *, once: bool) -> None:
        for dead in await asyncio.to_thread(self.ledger.release_dead):
            log.info("took over from a worker that is gone", worker=dead)
        pool = WorkerPool(self.settings)
        try:
            await asyncio.wrap_future(pool.begin())  # a model that cannot be loaded ends the run before it has begun
            async with Fetcher(self.settings) as fetcher, asyncio.TaskGroup() as group:
                heart = group.create_task(self._keep_leases())
                polls = group.create_task(self._lasting(self._poll, fetcher, once=once))
                fetches = group.create_task(self._lasting(self._fetch, fetcher, polls, once=once))
                work = group.create_task(self._lasting(self._index, pool, fetches, once=once))
                await asyncio.wait([polls, fetches, work])
                heart.cancel()
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors
        finally:
            await asyncio.to_thread(pool.stop)
            with contextlib.suppress(LedgerError):
                await asyncio.to_thread(self.ledger.release, self.owner)
            self.archive.close()

    async def _lasting(self, stage: Callable[..., Awaitable[None]], *args: object, once: bool) -> None:
        """Run a stage; in a resident run, begin it again after an error that may pass, such as a full disk."""
        pause = 1.0
        while True:
            began = time.monotonic()
            try:
                return await stage(*args, once=once)
            except WirewatchError as error:
                if once:
                    raise
                self._note_waiting(stage.__name__.strip("_"), error)
            pause = 1.0 if time.monotonic() - began > 2 * LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            if await self._stopped_within(pause):
                return None

    def _note_waiting(self, stage: str, error: WirewatchError) -> None:
        """Say in the log and in ``status`` that a stage waits, and for what."""
        log.error("stage waits", stage=stage, reason=str(error))
        with contextlib.suppress(LedgerError):
            self.ledger.note(stage, f"waiting: {error}", self.clock())

    async def _claim(self, owed: Owed, limit: int, busy_hosts: Iterable[str] = ()) -> list[Item]:
        items = await asyncio.to_thread(
            self.ledger.claim_items, owed, self.clock(), limit, self.owner, self.settings.lease, busy_hosts
        )
        self._items.update(item.id for item in items)
        return items

    async def _let_go(self, *, items: Iterable[Item] = (), feeds: Iterable[Feed] = ()) -> None:
        """Give back what was in hand and is not done."""
        item_ids, feed_ids = [item.id for item in items], [feed.id for feed in feeds]
        self._items.difference_update(item_ids)
        self._feeds.difference_update(feed_ids)
        with contextlib.suppress(LedgerError):  # then the lease, which nobody renews now, runs out
            await asyncio.to_thread(self.ledger.let_go, self.owner, items=item_ids, feeds=feed_ids)

    async def _stopped_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
        return self._stop.is_set()

    async def _keep_leases(self) -> None:
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

    # -- poll -------------------------------------------------------------------------------------------------------

    async def _poll(self, fetcher: Fetcher, *, once: bool) -> None:
        """Poll feeds that are due: those due at the start for one pass, else as they fall due."""
        until = self.clock() if once else None
        tasks: set[asyncio.Task[None]] = set()
        try:
            while not self._stop.is_set():
                room = FEEDS_IN_HAND - len(tasks)
                due: list[Feed] = []
                if room > 0:
                    due = await asyncio.to_thread(
                        self.ledger.claim_feeds, until or self.clock(), room, self.owner, self.settings.lease
                    )
                    self._feeds.update(feed.id for feed in due)
                tasks |= {asyncio.create_task(self._poll_one(feed, fetcher)) for feed in due}
                if tasks:
                    tasks = await self._settle_some(tasks)
                elif once:
                    return
                else:
                    await self._stopped_within(IDLE)
        finally:
            await _cancel(tasks)

    async def _settle_some(self, tasks: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
        """Wait for some of the tasks, or for a while; raise what they raised; return those still at work."""
        stopped = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait({*tasks, stopped}, timeout=IDLE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        for task in done - {stopped}:
            task.result()
        return tasks - done

    async def _poll_one(self, feed: Feed, fetcher: Fetcher) -> None:
        limits = {"min_interval": self.settings.min_interval, "max_interval": self.settings.max_interval}
        try:
            polled = await poll(feed, fetcher, self.clock(), **limits)
            new = await asyncio.to_thread(self._store_poll, polled)
        except WirewatchError:
            await self._let_go(feeds=[feed])
            raise
        self._feeds.discard(feed.id)
        self.tally.add("polled")
        self.tally.add(f"polled-{polled.outcome}")
        if polled.feed.failures:
            self.tally.add("feed-failures")
            log.warning("feed failed", feed=feed.url, reason=polled.feed.reason, failures=polled.feed.failures)
        if new:
            self.tally.add("sightings", new)
            log.info("new entries", feed=feed.url, entries=new)
            self._to_fetch.set()
            self._to_index.set()  # an entry without a link is owed to the index at once

    def _store_poll(self, polled: Polled) -> int:
        if polled.page is not None:
            self.archive.append(polled.page)
            self.archive.flush()
        return self.ledger.store_poll(polled.sightings, settling(polled, self.settings, self.clock()))

    # -- fetch ------------------------------------------------------------------------------------------------------

    async def _fetch(self, fetcher: Fetcher, polls: asyncio.Task[None], *, once: bool) -> None:
        """Fetch the pages that are owed, each host at its own pace, and put them into the archive."""
        in_hand: dict[asyncio.Task[Page | FetchError], Item] = {}
        most = self.settings.concurrency * 2
        try:
            while not self._stop.is_set():
                upstream_done = polls.done()
                self._to_fetch.clear()
                fresh: list[Item] = []
                if len(in_hand) < most:
                    hosts = Counter(item.host for item in in_hand.values())
                    full = [host for host, count in hosts.items() if count >= ITEMS_PER_HOST]
                    fresh = await self._claim(Owed.FETCH, most - len(in_hand), full)
                for item in fresh:
                    in_hand[asyncio.create_task(self._get(item, fetcher))] = item
                if not in_hand:
                    if once and upstream_done:
                        return
                    await self._woken(self._to_fetch, polls if once else None)
                    continue
                woken = asyncio.create_task(self._to_fetch.wait())
                waits: set[asyncio.Future[Any]] = {woken, *in_hand}
                try:
                    await asyncio.wait(waits, timeout=IDLE, return_when=asyncio.FIRST_COMPLETED)
                    await asyncio.sleep(GATHER)
                finally:
                    woken.cancel()
                done = {task: item for task, item in in_hand.items() if task.done()}
                if done:
                    for task in done:
                        del in_hand[task]
                    pages = [(item, task.result()) for task, item in done.items()]
                    try:
                        await asyncio.to_thread(self._store_pages, pages)
                    except WirewatchError:
                        await self._let_go(items=done.values())
                        raise
                    self._to_index.set()
        finally:
            await _cancel(in_hand)
            await self._let_go(items=in_hand.values())

    async def _get(self, item: Item, fetcher: Fetcher) -> Page | FetchError:
        try:
            return await fetcher.get(item.url)
        except FetchError as error:
            return error

    def _store_pages(self, pages: Sequence[tuple[Item, Page | FetchError]]) -> None:
        """Archive what came, then tell the ledger: in that order, so that ``fetched`` is never said of a lost page."""
        now = self.clock()
        changes: list[Change] = []
        for item, result in pages:
            error = result if isinstance(result, FetchError) else None
            if isinstance(result, Page):
                location = self.archive.append(result, sighting=item.sighting)
                try:
                    raise_for_status(result)
                    changes.append(Fetched(item.id, location))
                    self.tally.add("fetched")
                except FetchError as refused:
                    error = refused
            if error is not None:
                changes.append(after_failed_fetch(item, error, self.settings.max_attempts, now))
                self.tally.add("fetch-failures")
                log.info("page not had", url=item.url, code=error.code, reason=error.reason)
        self.archive.flush()
        self._apply(changes, now)
        self.ledger.note("fetch", None, now)

    def _apply(self, changes: Sequence[Change], now: datetime) -> None:
        self.ledger.apply(changes, now, self.owner)
        self._items.difference_update(change.item for change in changes)

    async def _woken(self, event: asyncio.Event, upstream: asyncio.Task[None] | None) -> None:
        """Wait until there may be more to do: the event, the end of what feeds this stage, or a while."""
        woken = asyncio.create_task(event.wait())
        waits: set[asyncio.Future[Any]] = {woken}
        if upstream is not None and not upstream.done():
            waits.add(upstream)
        try:
            await asyncio.wait(waits, timeout=IDLE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()

    # -- extract, enrich, index ---------------------------------------------------------------------------------------

    async def _index(self, pool: WorkerPool, fetches: asyncio.Task[None], *, once: bool) -> None:
        """Extract and enrich what was fetched, in the worker processes, and index it in batches."""
        working: dict[asyncio.Future[Document | Change], Item] = {}
        ready: list[tuple[Item, Document | Change]] = []
        since = 0.0  # when the oldest of `ready` was finished
        pause = 1.0
        try:
            while not self._stop.is_set():
                upstream_done = fetches.done()
                self._to_index.clear()
                fresh: list[Item] = []
                if len(working) + len(ready) <= self.settings.batch:
                    fresh = await self._claim(Owed.INDEX, self.settings.batch)
                    for item in fresh:
                        future = asyncio.wrap_future(pool.submit(item))
                        future.add_done_callback(heed)
                        working[future] = item
                if not working and not ready:
                    if once and upstream_done and not fresh:
                        return
                    await self._woken(self._to_index, fetches if once else None)
                    continue
                if working:
                    rest = HOLD - (time.monotonic() - since) if ready else IDLE
                    woken = asyncio.create_task(self._to_index.wait())
                    waits: set[asyncio.Future[Any]] = {woken, *working}
                    try:
                        await asyncio.wait(waits, timeout=max(rest, 0.01), return_when=asyncio.FIRST_COMPLETED)
                        await asyncio.sleep(GATHER)
                    finally:
                        woken.cancel()
                    for future in [future for future in working if future.done()]:
                        if not ready:
                            since = time.monotonic()
                        item = working.pop(future)
                        ready.append((item, self._outcome(item, future)))
                full = len(ready) >= self.settings.batch
                if ready and (full or not working or time.monotonic() - since >= HOLD):
                    try:
                        await asyncio.to_thread(self._store_documents, ready)
                        ready, pause = [], 1.0
                    except IndexUnavailableError as error:  # what is ready is kept, and need not be made again
                        if once:
                            raise
                        self._note_waiting("index", error)
                        await self._stopped_within(pause)
                        pause = min(pause * 2, LONGEST_PAUSE)
        finally:
            if self._stop.is_set() and ready:
                with contextlib.suppress(WirewatchError, TimeoutError):
                    await asyncio.wait_for(asyncio.to_thread(self._store_documents, ready), STOP_GRACE)
            await self._let_go(items=[*working.values(), *(item for item, _ in ready)])

    def _outcome(
        self, item: Item, future: asyncio.Future[Document | Change] | Future[Document | Change]
    ) -> Document | Change:
        """What a worker process made of an item; its time-out or death is the item's failed attempt."""
        try:
            return future.result()
        except NotReadyError:
            raise
        except TimeoutError:
            limit = f"extraction took more than {self.settings.page_timeout:g} s"
            return after_failed_extraction(item, "timeout", limit)
        except Exception as error:  # noqa: BLE001 - whatever a page does to a parser costs that page, and no other
            reason = f"{type(error).__name__}: {error}"
            if item.attempts + 1 >= 2:  # once more, in case the process died of something else
                return after_failed_extraction(item, "crash", reason)
            return Retry(item.id, Owed.INDEX, self.clock(), "crash", reason)

    def _store_documents(self, batch: Sequence[tuple[Item, Document | Change]]) -> None:
        """Index the documents, then tell the ledger. Killed between the two, the same documents come again."""
        now = self.clock()
        changes = [result for _, result in batch if not isinstance(result, Document)]
        documents = [(item, result) for item, result in batch if isinstance(result, Document)]
        owners = self.ledger.own([(document.article.id, item.id) for item, document in documents])
        mine: list[tuple[Item, Document]] = []
        for item, document in documents:
            if item.id in owners:
                mine.append((item, replace(document, indexed=document.indexed or now)))
            else:
                changes.append(Duplicate(item.id, document.article.id))
        changes.extend(self._upsert(mine))
        self._apply(changes, now)
        self.ledger.note("index", None, now)
        for change in changes:
            self.tally.add(_OUTCOMES.get(type(change), "retried"))
            if isinstance(change, Quarantined):
                log.warning("quarantined", item=change.item, stage=change.stage, reason=change.reason)

    def _upsert(self, documents: Sequence[tuple[Item, Document]]) -> list[Change]:
        """Index the documents; where the index chokes on the batch, one by one, so that only the bad one is lost."""
        try:
            self.index.upsert([document for _, document in documents])
        except (IndexUnavailableError, IndexDamagedError):
            raise
        except Exception as error:  # noqa: BLE001 - a document that no index takes must not hold up the others
            if len(documents) == 1:
                item, _ = documents[0]
                return [Quarantined(item.id, "index", "refused", f"{type(error).__name__}: {error}")]
            return [change for one in documents for change in self._upsert([one])]
        return [Indexed(item.id, document.article.id, document.indexed or self.clock()) for item, document in documents]


_OUTCOMES: dict[type, str] = {
    Indexed: "indexed",
    Duplicate: "duplicates",
    Skipped: "skipped",
    Quarantined: "quarantined",
}


def heed(future: asyncio.Future[Any]) -> None:
    """Take note of an error that nobody will ask for, once a run is told to stop; asyncio would print it otherwise."""
    if not future.cancelled():
        future.exception()


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they are gone."""
    pending = list(tasks)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


def _first(errors: BaseExceptionGroup) -> BaseException:
    """The first error of a group that a user can do something about."""
    flat = list(_leaves(errors))
    return next((error for error in flat if isinstance(error, WirewatchError)), flat[0])


def _leaves(errors: BaseException) -> list[BaseException]:
    if isinstance(errors, BaseExceptionGroup):
        return [leaf for error in errors.exceptions for leaf in _leaves(error)]
    return [errors]
