"""The second stage: fetches the pages that are owed, and puts them into the archive."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import structlog

from pipeline.errors import FetchError, WirewatchError
from pipeline.fetch import Fetcher, raise_for_status
from pipeline.flow.outcomes import after_failed_fetch
from pipeline.flow.shift import IDLE, Shift, cancel, woken
from pipeline.ledger import Change, Fetched, Item, Owed
from pipeline.records import Page

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
            for item in fresh:
                in_hand[asyncio.create_task(_get(item, fetcher))] = item
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


async def _get(item: Item, fetcher: Fetcher) -> Page | FetchError:
    try:
        return await fetcher.get(item.url)
    except FetchError as error:
        return error


def _store_pages(shift: Shift, pages: Sequence[tuple[Item, Page | FetchError]]) -> None:
    """Archive what came, then tell the ledger: in that order, so that ``fetched`` is never said of a lost page."""
    now = shift.clock()
    changes: list[Change] = []
    for item, result in pages:
        error = result if isinstance(result, FetchError) else None
        if isinstance(result, Page):
            location = shift.archive.append(result, sighting=item.sighting)
            try:
                raise_for_status(result)
                changes.append(Fetched(item.id, location))
                shift.tally.add("fetched")
            except FetchError as refused:
                error = refused
        if error is not None:
            changes.append(after_failed_fetch(item, error, shift.settings.max_attempts, now))
            shift.tally.add("fetch-failures")
            log.info("page not had", url=item.url, code=error.code, reason=error.reason)
    shift.archive.flush()
    shift.apply(changes, now)
    shift.ledger.note("fetch", None, now)
