"""What becomes of a feed or an item after each thing that can happen to it: pure, so that it is tested with tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from pipeline.errors import FetchError
from pipeline.feeds import Outcome, Polled, settle
from pipeline.ledger import Change, FellBack, GaveUp, Item, ItemState, Owed, Quarantined, Retry
from pipeline.records import Feed
from pipeline.settings import Settings

TRANSIENT_DELAYS = (60.0, 300.0, 1800.0, 7200.0, 21600.0)
"""Seconds before a page is asked for again after its 1st, 2nd, … failure: outages last minutes or hours."""
PERMANENT_DELAYS = (21600.0, 86400.0)
"""The same after an answer such as 403 or 404, which seldom changes; an embargo or a late publication does."""


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
