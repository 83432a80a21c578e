"""A resident run over the score server: feeds that are added, a restart, then two workers; in simulated time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pipeline.fetch import Archive, Fetcher
from pipeline.flow import Flow
from pipeline.flow.subscribe import subscribe
from pipeline.index import open_index
from pipeline.ledger import Ledger, open_ledger
from pipeline.records import Feed, feed_id
from pipeline.settings import Settings, load_settings
from tests.manners.rules import Setting
from tests.manners.simulated import the_loop
from tests.manners.world import World, ways

ADDED = 10
"""Feeds that are added as a user adds them, one after the other, before the run begins."""


def look_seldom(patch: pytest.MonkeyPatch, every: float = 60.0) -> None:
    """Let an idle run look only so often, in seconds, for what another process may have put into the ledger: each look
    costs real time, and there are days of them."""
    for module in ("shift", "poll", "fetch", "work"):
        patch.setattr(f"pipeline.flow.{module}.IDLE", every)
    patch.setattr("pipeline.flow.stories.REFRESH", every)
    patch.setattr("pipeline.flow.report.EVERY", 3_600.0)


async def live(folder: Path, *, of_one_host: int, others: int, hours: float, most: float) -> tuple[World, Setting]:
    """``hours`` of a resident run: a quarter by one worker, which is stopped, the rest by two others beside each other.

    ``most`` is the longest interval, seconds, that a feed may come to.
    """
    async with World(ways(of_one_host, others)) as world:
        settings = load_settings(
            folder, allow_hosts=tuple(world.hosts), enrich=False, max_interval=most, total_timeout=600, read_timeout=600
        )
        ledger = open_ledger(settings.ledger_file)
        await _add(world, settings, ledger)
        await _run(settings, ledger, ["elsewhere:1:1"], hours * 900)
        await _run(settings, ledger, ["elsewhere:2:2", "elsewhere:3:3"], hours * 2700)
        ledger.close()
    return world, Setting(settings.min_interval, settings.max_interval, settings.host_delay, settings.per_host)


async def _add(world: World, settings: Settings, ledger: Ledger) -> None:
    now = the_loop().now()
    async with Fetcher(settings) as fetcher:
        archive = Archive(settings.archive_folder, settings.warc_size)
        for number in range(ADDED):
            await subscribe(settings, ledger, archive, fetcher, world.url(number), clock=the_loop().now)
        archive.close()
    for number in range(ADDED, len(world.feeds)):
        url = world.url(number)
        ledger.add_feed(Feed(id=feed_id(url), url=url, added=now))


async def _run(settings: Settings, ledger: Ledger, workers: list[str], seconds: float) -> None:
    flows = []
    for worker in workers:
        flow = Flow(settings, ledger, open_index(settings), clock=the_loop().now)
        flow.shift.owner = worker  # processes of their own would have names of their own
        flows.append(flow)
    running = [asyncio.create_task(flow.run()) for flow in flows]
    await asyncio.sleep(seconds)
    for flow in flows:
        flow.stop()
    await asyncio.gather(*running)
