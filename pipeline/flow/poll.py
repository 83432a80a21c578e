"""The first stage: polls feeds that are due, and writes down what they announce."""

from __future__ import annotations

import asyncio

import structlog

from pipeline.errors import WirewatchError
from pipeline.feeds import Polled, poll
from pipeline.fetch import Fetcher
from pipeline.flow.outcomes import settling
from pipeline.flow.shift import IDLE, Shift, cancel
from pipeline.records import Feed

log = structlog.get_logger("wirewatch")

FEEDS_IN_HAND = 64
"""Feeds polled at once. They are mostly waited for; 2026-11-23."""


async def poll_due(shift: Shift, fetcher: Fetcher, *, once: bool) -> None:
    """Poll feeds that are due: those due at the start for one pass, else as they fall due."""
    until = shift.clock() if once else None
    tasks: set[asyncio.Task[None]] = set()
    try:
        while not shift.stopping.is_set():
            room = FEEDS_IN_HAND - len(tasks)
            due: list[Feed] = []
            if room > 0:
                due = await shift.claim_feeds(until or shift.clock(), room)
            tasks |= {asyncio.create_task(_poll_one(shift, feed, fetcher)) for feed in due}
            if tasks:
                tasks = await _settle_some(shift, tasks)
            elif once:
                return
            else:
                await shift.stopped_within(IDLE)
    finally:
        await cancel(tasks)


async def _settle_some(shift: Shift, tasks: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait for some of the tasks, or for a while; raise what they raised; return those still at work."""
    stopped = asyncio.create_task(shift.stopping.wait())
    try:
        done, _ = await asyncio.wait({*tasks, stopped}, timeout=IDLE, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
    for task in done - {stopped}:
        task.result()
    return tasks - done


async def _poll_one(shift: Shift, feed: Feed, fetcher: Fetcher) -> None:
    limits = {"min_interval": shift.settings.min_interval, "max_interval": shift.settings.max_interval}
    try:
        polled = await poll(feed, fetcher, shift.clock(), **limits)
        new = await asyncio.to_thread(_store_poll, shift, polled)
    except WirewatchError:
        await shift.let_go(feeds=[feed])
        raise
    shift.polled(feed)
    shift.tally.add("polled")
    shift.tally.add(f"polled-{polled.outcome}")
    if polled.feed.failures:
        shift.tally.add("feed-failures")
        log.warning("feed failed", feed=feed.url, reason=polled.feed.reason, failures=polled.feed.failures)
    if new:
        shift.tally.add("sightings", new)
        log.info("new entries", feed=feed.url, entries=new)
        shift.to_fetch.set()
        shift.to_index.set()  # an entry without a link is owed to the index at once


def _store_poll(shift: Shift, polled: Polled) -> int:
    if polled.page is not None:
        shift.archive.append(polled.page)
        shift.archive.flush()
    return shift.ledger.store_poll(polled.sightings, settling(polled, shift.settings, shift.clock()))
