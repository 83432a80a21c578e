"""The second stage: fetches the pages that are owed, and puts them into the archive."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog

from pipeline.errors import FetchError, WirewatchError
from pipeline.fetch import Fetcher, raise_for_status
from pipeline.flow.outcomes import after_failed_fetch
from pipeline.flow.revisits import TOMORROW, conditions, has_vanished, is_revisit, next_visit, page_hash
from pipeline.flow.shift import IDLE, Shift, cancel, woken
from pipeline.ledger import Change, Fetched, GaveUp, Item, Owed, Unchanged
from pipeline.records import Page, Status
from pipeline.stories.register import Register

_LONGEST_VALIDATOR = 4_000
log = structlog.get_logger("wirewatch")

GATHER = 0.05
"""Seconds in which finished pages are gathered into one archive flush and one ledger transaction."""


async def fetch_owed(shift: Shift, fetcher: Fetcher, polls: asyncio.Task[None] | None = None, *, once: bool) -> None:
    """Fetch the pages that are owed, each host at its own pace, and put them into the archive.

    One pass ends when nothing is owed and ``polls``, where given, which may bring more, are done.
    """
    in_hand: dict[asyncio.Task[Page | FetchError], Item] = {}
    most = shift.settings.concurrency * 4  # as many again may wait for slow servers, and some for their host's turn
    try:
        while not shift.stopping.is_set():
            upstream_done = polls is None or polls.done()
            shift.to_fetch.clear()
            fresh: list[Item] = []
            if len(in_hand) < most:
                busy = Counter(item.host for item in in_hand.values())
                fresh = await shift.claim(Owed.FETCH, most - len(in_hand), busy)
            fresh = await _within_the_day(shift, fresh)
            for item in fresh:
                in_hand[asyncio.create_task(_get(shift, item, fetcher))] = item
            if not in_hand:
                if once and upstream_done:
                    return
                await woken(shift.to_fetch, polls if once else None)
                continue
            bell = asyncio.create_task(shift.to_fetch.wait())
            waits: set[asyncio.Future[Any]] = {bell, *in_hand}
            try:
                await asyncio.wait(waits, timeout=IDLE, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(GATHER)
            finally:
                bell.cancel()
            done = {task: item for task, item in in_hand.items() if task.done()}
            if done:
                for task in done:
                    del in_hand[task]
                pages = [(item, task.result()) for task, item in done.items()]
                try:
                    await asyncio.to_thread(_store_pages, shift, pages)
                except WirewatchError:
                    await shift.let_go(items=done.values())
                    raise
                shift.to_index.set()
    finally:
        await cancel(in_hand)
        await shift.let_go(items=in_hand.values())


async def _get(shift: Shift, item: Item, fetcher: Fetcher) -> Page | FetchError:
    began = asyncio.get_running_loop().time()
    try:
        return await fetcher.get(item.url, headers=conditions(item) if is_revisit(item) else None)
    except FetchError as error:
        return error
    finally:
        shift.tally.took("fetch", asyncio.get_running_loop().time() - began)


def _store_pages(shift: Shift, pages: Sequence[tuple[Item, Page | FetchError]]) -> None:
    """Archive what came, then tell the ledger: in that order, so that ``fetched`` is never said of a lost page."""
    now = shift.clock()
    changes: list[Change] = []
    for item, result in pages:
        error = result if isinstance(result, FetchError) else None
        if isinstance(result, Page) and is_revisit(item) and _says_nothing_new(item, result):
            changes.append(_unchanged(item, result, now))
            shift.tally.add("unchanged")
            continue
        if isinstance(result, Page):
            location = shift.archive.append(result, sighting=item.sighting)
            try:
                raise_for_status(result)
                etag, modified = _validator(result, "ETag"), _validator(result, "Last-Modified")
                changes.append(Fetched(item.id, location, etag, modified, page_hash(result)))
                shift.tally.add("fetched")
            except FetchError as refused:
                error = refused
        if error is not None:
            if has_vanished(item, error) and item.article is not None:
                Register(shift.ledger).mark(item.article, Status.VANISHED, now, error.reason)
                changes.append(GaveUp(item.id, error.code, error.reason))
                shift.tally.add("vanished")
                log.info("page has vanished", url=item.url, code=error.code)
                continue
            changes.append(after_failed_fetch(item, error, shift.settings.max_attempts, now))
            shift.tally.add("fetch-failures")
            log.info("page not had", url=item.url, code=error.code, reason=error.reason)
    shift.archive.flush()
    shift.ledger.count_visits(Counter(item.host for item, _ in pages if is_revisit(item)), now)
    shift.apply(changes, now)
    shift.ledger.note("fetch", None, now)


async def _within_the_day(shift: Shift, fresh: list[Item]) -> list[Item]:
    """Of items in hand those that may be asked for: looks beyond what a host is asked in a day wait for another day."""
    again = [item for item in fresh if is_revisit(item)]
    if not again:
        return fresh
    now = shift.clock()
    left = await asyncio.to_thread(
        shift.ledger.visits_left, [item.host for item in again], now, shift.settings.revisits_a_day
    )
    waiting: list[Change] = []
    for item in again:
        left[item.host] -= 1
        if left[item.host] < 0:
            waiting.append(Unchanged(item.id, now + TOMORROW, visited=False))
    if waiting:
        await asyncio.to_thread(shift.apply, waiting, now)
        full = {change.item for change in waiting}
        fresh = [item for item in fresh if item.id not in full]
    return fresh


def _says_nothing_new(item: Item, page: Page) -> bool:
    return page.status == HTTPStatus.NOT_MODIFIED or (
        page.status == HTTPStatus.OK and page_hash(page) == item.page_hash
    )


def _unchanged(item: Item, page: Page, now: datetime) -> Unchanged:
    """The item after a look that found nothing new. A 304 without a validator keeps the old one."""
    etag, modified = _validator(page, "ETag") or item.etag, _validator(page, "Last-Modified") or item.last_modified
    return Unchanged(item.id, next_visit(item.sighting.first_seen, item.sighting.published, now), etag, modified)


def _validator(page: Page, name: str) -> str | None:
    value = page.header(name)
    return value if value and len(value) <= _LONGEST_VALIDATOR else None
