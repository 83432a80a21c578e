"""Work for the worker processes: something is made of each item that is owed, many at once, and stored in batches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from pebble import ProcessExpired

from pipeline.errors import IndexUnavailableError, NotReadyError, WirewatchError
from pipeline.flow.outcomes import after_failed_extraction
from pipeline.flow.shift import IDLE, LONGEST_PAUSE, Shift, heed, woken
from pipeline.ledger import Change, Item, Owed, Retry
from pipeline.records import Article, Document
from pipeline.stories.traits import Draft
from pipeline.workers import OUT_OF_MEMORY

HOLD = 5.0
"""Seconds that a finished document waits for company, while others are being made, before it is indexed. A commit costs
60 ms of CPU and more: 3.8 ms an article in batches of 20, 1.5 in batches of 100, 0.8 in batches of 200 (2026-11-25)."""
SOON = 0.5
"""The same in a resident run, which is there for those who wait for news: an alert waits for its article's batch."""
GATHER = 0.2
"""Seconds in which finished documents are gathered before the next look."""
REASON = 1_000
"""Characters of an error's text that are kept: a parser may quote what it choked on, whole."""
STOP_GRACE = 2.0
"""Seconds that finished work gets to be written down when the run is told to stop."""

Made = TypeVar("Made", bound=Article | Document | Draft | Change)
"""What can come of an item: something for the next stage, or what became of it instead."""


async def work_owed(
    shift: Shift,
    make: Callable[[Item], Future[Made]],
    store: Callable[[Sequence[tuple[Item, Made | Change]]], None],
    fetches: asyncio.Task[None] | None = None,
    *,
    once: bool,
) -> None:
    """Make something of each item that is owed to the index, many at once, and store what came of them in batches."""
    working: dict[asyncio.Future[Made], Item] = {}
    ready: list[tuple[Item, Made | Change]] = []
    since = 0.0  # when the oldest of `ready` was finished
    pause = 1.0
    hold = HOLD if once else SOON
    try:
        while not shift.stopping.is_set():
            upstream_done = fetches is None or fetches.done()
            shift.to_index.clear()
            fresh: list[Item] = []
            # Half a batch waits for the workers while another is indexed; while none can be, no more than one is made.
            if 2 * len(working) <= shift.settings.batch and len(ready) <= shift.settings.batch:
                fresh = await shift.claim(Owed.INDEX, shift.settings.batch - len(working))
                for item in fresh:
                    future = asyncio.wrap_future(make(item))
                    future.add_done_callback(heed)
                    future.add_done_callback(partial(_took, shift, asyncio.get_running_loop().time()))
                    working[future] = item
            if not working and not ready:
                if once and upstream_done and not fresh:
                    return
                await woken(shift.to_index, fetches if once else None)
                continue
            if working:
                rest = hold - (asyncio.get_running_loop().time() - since) if ready else IDLE
                bell = asyncio.create_task(shift.to_index.wait())
                waits: set[asyncio.Future[Any]] = {bell, *working}
                try:
                    await asyncio.wait(waits, timeout=max(rest, 0.01), return_when=asyncio.FIRST_COMPLETED)
                    await asyncio.sleep(GATHER)
                finally:
                    bell.cancel()
                for future in [future for future in working if future.done()]:
                    if not ready:
                        since = asyncio.get_running_loop().time()
                    item = working.pop(future)
                    made: Made | Change = outcome(shift, item, future)
                    ready.append((item, made))
            full = len(ready) >= shift.settings.batch
            if ready and (full or not working or asyncio.get_running_loop().time() - since >= hold):
                try:
                    await asyncio.to_thread(store, ready)
                    shift.to_deliver.set()
                    ready, pause = [], 1.0
                except IndexUnavailableError as error:  # what is ready is kept, and need not be made again
                    shift.note_waiting("index", error)
                    if once:
                        if fetches is not None:  # what is due is fetched and archived all the same
                            await asyncio.wait([fetches])
                        raise
                    await shift.stopped_within(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
    finally:
        if shift.stopping.is_set() and ready:
            with contextlib.suppress(WirewatchError, TimeoutError):
                await asyncio.wait_for(asyncio.to_thread(store, ready), STOP_GRACE)
        await shift.let_go(items=[*working.values(), *(item for item, _ in ready)])


def _took(shift: Shift, began: float, future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        shift.tally.took("make", asyncio.get_running_loop().time() - began)


def outcome(shift: Shift, item: Item, future: asyncio.Future[Made]) -> Made | Change:
    """What a worker process made of an item; its time-out or death is the item's failed attempt."""
    try:
        return future.result()
    except NotReadyError:
        raise
    except TimeoutError:
        limit = f"extraction took more than {shift.settings.page_timeout:g} s"
        return after_failed_extraction(item, "timeout", limit)
    except Exception as error:  # noqa: BLE001 - whatever a page does to a parser costs that page, and no other
        if isinstance(error, ProcessExpired) and error.exitcode == OUT_OF_MEMORY:
            limit = f"extraction took more than {shift.settings.page_memory // 1024**2} MB of memory"
            return after_failed_extraction(item, "memory", limit)
        reason = f"{type(error).__name__}: {error}"[:REASON]
        if item.attempts + 1 >= 2:  # once more, in case the process died of something else
            return after_failed_extraction(item, "crash", reason)
        return Retry(item.id, Owed.INDEX, shift.clock(), "crash", reason)
