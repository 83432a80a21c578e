"""The first stage: polls feeds that are due, and writes down what they announce."""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog

from pipeline.errors import WirewatchError
from pipeline.feeds import Polled, poll
from pipeline.fetch import Fetcher
from pipeline.flow.outcomes import settling
from pipeline.flow.push import backed
from pipeline.flow.shift import IDLE, Shift, cancel
from pipeline.records import Feed
from pipeline.urls import host

log = structlog.get_logger("wirewatch")

FEEDS_IN_HAND = 256
"""Feeds polled at once. They are mostly waited for, and the client limits the requests: but what waits for slow servers
must leave room for the others; 2026-11-25."""


async def poll_due(shift: Shift, fetcher: Fetcher, *, once: bool) -> None:
    """Poll feeds that are due: those due at the start for one pass, else as they fall due."""
    until = shift.clock() if once else None
    tasks: dict[asyncio.Task[None], str] = {}  # and the host that each is about
    try:
        while not shift.stopping.is_set():
            room = FEEDS_IN_HAND - len(tasks)
            due: list[Feed] = []
            if room > 0:
                due = await shift.claim_feeds(until or shift.clock(), room, Counter(tasks.values()))
            tasks |= {asyncio.create_task(_poll_one(shift, feed, fetcher)): host(feed.url) for feed in due}
            if tasks:
                await _settle_some(shift, tasks)
            elif once:
                return
            else:
                await shift.stopped_within(IDLE)
    finally:
        await cancel(tasks)


async def _settle_some(shift: Shift, tasks: dict[asyncio.Task[None], str]) -> None:
    """Wait for some of the tasks, or for a while; take out those that are done, and raise what they raised."""
    stopped = asyncio.create_task(shift.stopping.wait())
    try:
        done, _ = await asyncio.wait({*tasks, stopped}, timeout=IDLE, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
    ended = [task for task in tasks if task in done]
    for task in ended:
        del tasks[task]
    for task in ended:
        task.result()


async def _poll_one(shift: Shift, feed: Feed, fetcher: Fetcher) -> None:
    limits = {"min_interval": shift.settings.min_interval, "max_interval": shift.settings.max_interval}
    began = asyncio.get_running_loop().time()
    try:
        polled = await poll(feed, fetcher, shift.clock(), **limits)
        shift.tally.took("poll", asyncio.get_running_loop().time() - began)
        new = await asyncio.to_thread(_store_poll, shift, feed, polled)
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


def _store_poll(shift: Shift, before: Feed, polled: Polled) -> int:
    if polled.page is not None:
        shift.archive.append(polled.page)
        shift.archive.flush()
    now = shift.clock()
    settled = settling(polled, shift.settings, now)
    pushed = shift.ledger.subscription(feed=before.id) if shift.settings.websub else None
    if pushed is None:
        return shift.ledger.store_poll(polled.sightings, settled)
    silent: list[str] = []

    def settled_with_hub(new: int) -> Feed:
        feed, reason = backed(settled(new), new, before, pushed, now)
        silent.extend([reason] if reason else [])
        return feed

    new = shift.ledger.store_poll(polled.sightings, settled_with_hub)
    for reason in silent:
        log.warning("a hub is silent", hub=pushed.hub, feed=before.url, reason=reason)
        shift.ledger.hub_refused(pushed, reason, now)
    return new
