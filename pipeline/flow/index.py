"""The last stage: extracts and enriches what was fetched, in the worker processes, and indexes it in batches."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import structlog

from pipeline.errors import IndexDamagedError, IndexUnavailableError, NotReadyError, WirewatchError
from pipeline.flow.outcomes import after_failed_extraction
from pipeline.flow.shift import IDLE, LONGEST_PAUSE, Shift, heed, woken
from pipeline.index import Index
from pipeline.ledger import Change, Duplicate, Indexed, Item, Owed, Quarantined, Retry, Skipped
from pipeline.records import Document
from pipeline.stories import alone
from pipeline.workers import WorkerPool

log = structlog.get_logger("wirewatch")

HOLD = 2.0
"""Seconds that a finished document waits for company, while others are being made, before it is indexed. A commit costs
60 ms of CPU and more: 3.8 ms an article in batches of 20, 1.5 in batches of 100, 0.8 in batches of 200 (2026-11-25)."""
GATHER = 0.2
"""Seconds in which finished documents are gathered before the next look."""
STOP_GRACE = 2.0
"""Seconds that finished work gets to be written down when the run is told to stop."""


async def index_owed(shift: Shift, index: Index, pool: WorkerPool, fetches: asyncio.Task[None], *, once: bool) -> None:
    """Extract and enrich what was fetched, in the worker processes, and index it in batches."""
    working: dict[asyncio.Future[Document | Change], Item] = {}
    ready: list[tuple[Item, Document | Change]] = []
    since = 0.0  # when the oldest of `ready` was finished
    pause = 1.0
    try:
        while not shift.stopping.is_set():
            upstream_done = fetches.done()
            shift.to_index.clear()
            fresh: list[Item] = []
            # Half a batch waits for the workers while another is indexed; while none can be, no more than one is made.
            if 2 * len(working) <= shift.settings.batch and len(ready) <= shift.settings.batch:
                fresh = await shift.claim(Owed.INDEX, shift.settings.batch - len(working))
                for item in fresh:
                    future = asyncio.wrap_future(pool.submit(item))
                    future.add_done_callback(heed)
                    working[future] = item
            if not working and not ready:
                if once and upstream_done and not fresh:
                    return
                await woken(shift.to_index, fetches if once else None)
                continue
            if working:
                rest = HOLD - (time.monotonic() - since) if ready else IDLE
                bell = asyncio.create_task(shift.to_index.wait())
                waits: set[asyncio.Future[Any]] = {bell, *working}
                try:
                    await asyncio.wait(waits, timeout=max(rest, 0.01), return_when=asyncio.FIRST_COMPLETED)
                    await asyncio.sleep(GATHER)
                finally:
                    bell.cancel()
                for future in [future for future in working if future.done()]:
                    if not ready:
                        since = time.monotonic()
                    item = working.pop(future)
                    ready.append((item, outcome(shift, item, future)))
            full = len(ready) >= shift.settings.batch
            if ready and (full or not working or time.monotonic() - since >= HOLD):
                try:
                    await asyncio.to_thread(store_documents, shift, index, ready)
                    ready, pause = [], 1.0
                except IndexUnavailableError as error:  # what is ready is kept, and need not be made again
                    if once:
                        raise
                    shift.note_waiting("index", error)
                    await shift.stopped_within(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
    finally:
        if shift.stopping.is_set() and ready:
            with contextlib.suppress(WirewatchError, TimeoutError):
                await asyncio.wait_for(asyncio.to_thread(store_documents, shift, index, ready), STOP_GRACE)
        await shift.let_go(items=[*working.values(), *(item for item, _ in ready)])


def outcome(
    shift: Shift, item: Item, future: asyncio.Future[Document | Change] | Future[Document | Change]
) -> Document | Change:
    """What a worker process made of an item; its time-out or death is the item's failed attempt."""
    try:
        return future.result()
    except NotReadyError:
        raise
    except TimeoutError:
        limit = f"extraction took more than {shift.settings.page_timeout:g} s"
        return after_failed_extraction(item, "timeout", limit)
    except Exception as error:  # noqa: BLE001 - whatever a page does to a parser costs that page, and no other
        reason = f"{type(error).__name__}: {error}"
        if item.attempts + 1 >= 2:  # once more, in case the process died of something else
            return after_failed_extraction(item, "crash", reason)
        return Retry(item.id, Owed.INDEX, shift.clock(), "crash", reason)


def store_documents(shift: Shift, index: Index, batch: Sequence[tuple[Item, Document | Change]]) -> None:
    """Index the documents, then tell the ledger. Killed between the two, the same documents come again."""
    now = shift.clock()
    changes = [result for _, result in batch if not isinstance(result, Document)]
    documents = [(item, result) for item, result in batch if isinstance(result, Document)]
    owners = shift.ledger.own([(document.article.id, item.id) for item, document in documents])
    mine: list[tuple[Item, Document]] = []
    for item, document in documents:
        if item.id in owners:
            mine.append((item, replace(document, placement=alone(document), indexed=document.indexed or now)))
        else:
            changes.append(Duplicate(item.id, document.article.id))
    changes.extend(_upsert(shift, index, mine))
    shift.apply(changes, now)
    shift.ledger.note("index", None, now)
    for change in changes:
        shift.tally.add(_OUTCOMES.get(type(change), "retried"))
        if isinstance(change, Quarantined):
            log.warning("quarantined", item=change.item, stage=change.stage, reason=change.reason)


def _upsert(shift: Shift, index: Index, documents: Sequence[tuple[Item, Document]]) -> list[Change]:
    """Index the documents; where the index chokes on the batch, one by one, so that only the bad one is lost."""
    try:
        index.upsert([document for _, document in documents])
    except (IndexUnavailableError, IndexDamagedError):
        raise
    except Exception as error:  # noqa: BLE001 - a document that no index takes must not hold up the others
        if len(documents) == 1:
            item, _ = documents[0]
            return [Quarantined(item.id, "index", "refused", f"{type(error).__name__}: {error}")]
        return [change for one in documents for change in _upsert(shift, index, [one])]
    return [Indexed(item.id, document.article.id, document.indexed or shift.clock()) for item, document in documents]


_OUTCOMES: dict[type, str] = {
    Indexed: "indexed",
    Duplicate: "duplicates",
    Skipped: "skipped",
    Quarantined: "quarantined",
}
