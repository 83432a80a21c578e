"""How the pipeline stands, as rows that can be shown beside what it has indexed, and their way to Elasticsearch."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pipeline.errors import IndexUnavailableError, LedgerError
from pipeline.flow.shift import Shift
from pipeline.index import upkeep_of
from pipeline.index.fields import claim_id
from pipeline.ledger import Ledger, Told

EVERY = 60.0
"""Seconds between two reports: as fine as anybody looks, and one small bulk request (2026-11-25)."""
AT_ONCE = 1_000
"""Alerts in one report."""
MARGIN = timedelta(seconds=5)
"""How far back a report looks behind the last alert that it saw; what it has seen it writes again, the same."""
WORST = ("undeliverable", "owed", "silenced", "sent")
"""The state of an alert on several channels is that of the channel that fares worst."""
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


def alert_row(told: Told) -> dict[str, Any]:
    """An alert as the index of alerts has it."""
    alert = told.alert
    first = alert.claims[0] if alert.claims else None
    delivered = [one.delivered for one in told.deliveries if one.delivered is not None]
    states = {one.state.value for one in told.deliveries} or {told.state.value}
    row: dict[str, Any] = {
        "id": alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "article": alert.article,
        "claim": claim_id(alert.article, first.n) if first else None,
        "headline": alert.headline,
        "title": alert.headline,
        "matched": " … ".join(excerpt.text for excerpt in alert.excerpts),
        "why": "; ".join(f"{reason.clause} in {reason.field}: {', '.join(reason.matched)}" for reason in alert.why),
        "speaker": first.speaker if first else None,
        "cue": first.cue if first else None,
        "class": first.cue_class if first else None,
        "channel": [one.channel for one in told.deliveries],
        "state": next((state for state in WORST if state in states), told.state.value),
        "reason": next((one.reason for one in told.deliveries if one.reason), None),
        "attempts": sum(one.attempts for one in told.deliveries),
        "url": alert.url,
        "source": alert.source,
        "version": alert.version,
        "story": alert.story,
        "carriers": list(alert.carriers),
        "independent_sources": alert.independent_sources,
        "status": alert.status.value,
    }
    times = {
        "fired": alert.fired,
        "delivered": max(delivered, default=None),
        "published": alert.published,
        "first_seen": alert.first_seen,
        "indexed": alert.indexed,
        "time": alert.fired,
    }
    return row | {name: value.isoformat() for name, value in times.items() if value is not None}


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
        told = shift.ledger.outbox.changed(shift.alerts_reported, AT_ONCE)
        upkeep.put_alerts(alert_row(one) for one in told)
        # What was too much for one report follows with the next.
        shift.alerts_reported = (now if len(told) < AT_ONCE else told[-1].alert.fired) - MARGIN
    finally:
        upkeep.client.close()
