"""How the pipeline stands, as rows that can be shown beside what it has indexed, and their way to Elasticsearch."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pipeline.errors import IndexUnavailableError, LedgerError
from pipeline.flow.shift import Shift
from pipeline.index import upkeep_of
from pipeline.ledger import Ledger

EVERY = 60.0
"""Seconds between two reports: as fine as anybody looks, and one small bulk request (2026-11-25)."""
PATIENCE = 2.0
"""Seconds that Elasticsearch gets to answer: a report must not hold up the end of a run, and the next one follows."""


def standing(ledger: Ledger, now: datetime) -> Iterator[dict[str, Any]]:
    """How things stand now: what is owed at each stage, what lies in quarantine, feeds that fail, and notes. Each row
    has ``kind`` and ``name``; ``count``, ``reason``, ``feed`` and ``since`` where they apply. Raises LedgerError.
    """
    for stage, counts in ledger.owed(now).items():
        yield {"kind": "owed", "name": stage, "count": counts["now"] + counts["in_hand"]}
    for stage, code, count in ledger.quarantine_reasons():
        yield {"kind": "quarantine", "name": f"{stage}: {code}", "count": count}
    for feed in ledger.feeds():
        if feed.failures:
            name = feed.source or feed.title or feed.url
            failing = {"kind": "failing", "name": name, "feed": feed.id, "count": feed.failures, "reason": feed.reason}
            yield failing | {"since": feed.last_success}
    for key, text, since in ledger.notes():
        yield {"kind": "note", "name": key, "count": 1, "reason": text, "since": since}


async def report(shift: Shift) -> None:
    """Write down once how things stand, where the index is an Elasticsearch. What keeps it from there, the index stage
    meets and reports too."""
    if shift.settings.index == "embedded":
        return
    with contextlib.suppress(IndexUnavailableError, LedgerError):
        await asyncio.to_thread(_report, shift)


async def keep_reporting(shift: Shift) -> None:
    """Write down how things stand, for ever."""
    while True:
        await report(shift)
        await asyncio.sleep(EVERY)


def _report(shift: Shift) -> None:
    now = shift.clock()
    upkeep = upkeep_of(shift.settings)
    upkeep.client = upkeep.client.options(request_timeout=PATIENCE, max_retries=0)
    try:
        upkeep.report(list(standing(shift.ledger, now)), now)
    finally:
        upkeep.client.close()
