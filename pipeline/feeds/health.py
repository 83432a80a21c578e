"""How a feed does, in sentences that a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.records import Feed, FeedState, Identity
from pipeline.urls import host

if TYPE_CHECKING:
    from pipeline.ledger.subscriptions import Subscription

_QUIET_SHARE: Final = 0.2
"""A feed that brings less than this share of its usual day has gone quiet."""
_QUIET_USUAL: Final = 3.0
"""Feeds that bring fewer than this a day are silent for a day every so often."""


_DAYS_TO_TELL: Final = 3
_KNOWN_BY: Final = {
    Identity.URL: "their links, whatever their GUIDs (identity: url)",
    Identity.GUID: "their GUIDs, whatever their links (identity: guid)",
    Identity.TITLE: "source and headline, whatever their links and GUIDs (identity: title)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How much a feed brings."""

    day: int = 0
    """New entries in the last 24 hours, the baseline not counted."""
    usual: float | None = None
    """New entries on a usual day before that; ``None`` where it has not been watched long enough to tell."""


def volume_of(recent: Mapping[str, int], days: Mapping[str, int], now: datetime) -> Volume:
    """The volume of one feed from its counts by UTC day ("2026-11-23"), as the ledger gives them: ``recent``
    since 24 hours ago, ``days`` since some weeks ago.

    The usual day is the mean over the days before yesterday, without the first one that is there: it holds the
    baseline, or only the end of a day. With fewer than three such days nothing is usual yet.
    """
    first = min((date.fromisoformat(day) for day in days), default=now.date())
    end = now.date() - timedelta(days=1)
    length = (end - first).days - 1
    if length < _DAYS_TO_TELL:
        return Volume(day=sum(recent.values()))
    counted = sum(count for day, count in days.items() if first < date.fromisoformat(day) < end)
    return Volume(day=sum(recent.values()), usual=counted / length)


def health(feed: Feed, volume: Volume, now: datetime) -> list[str]:
    """One to five sentences: what the last polls did, what the feed brings, when it is asked next, what is wrong, and
    by what its entries are known where that was set."""
    sentences = []
    if feed.last_polled is None:
        return [f"Not polled yet; {_next(feed, now, 'first poll')}."]
    if feed.state is FeedState.GONE:
        sentences.append(
            f"Gone: {feed.reason or 'HTTP 410'}; asked once a day in case it comes back, {_next(feed, now)}."
        )
    elif feed.failures:
        last = feed.last_success
        since = "since it was added" if last is None else f"since {last:%Y-%m-%d %H:%M} UTC, {_ago(last, now)}"
        times = "once" if feed.failures == 1 else f"{feed.failures} times in a row"
        sentences.append(
            f"Failing {since}: {feed.reason or 'no reason known'} ({times}); {_next(feed, now, 'next try')}."
        )
    else:
        entries = "1 new entry" if volume.day == 1 else f"{volume.day or 'no'} new entries"
        sentences.append(f"Polled {_ago(feed.last_polled, now)}; {entries} in the last day; {_next(feed, now)}.")
    if feed.baseline:
        sentences.append("Never read yet: its first entries will be taken as what was there before, without alerts.")
    elif feed.last_new is None:
        sentences.append("It has never brought an entry.")
    elif now - feed.last_new > timedelta(days=1):
        sentences.append(f"Its last new entry came {_ago(feed.last_new, now)}.")
    if gone_quiet(volume):
        sentences.append(f"Gone quiet: {volume.day} in the last day, usually about {volume.usual:.0f}.")
    if feed.identity in _KNOWN_BY:
        sentences.append(f"Its entries are known by {_KNOWN_BY[feed.identity]}.")
    return sentences


def pushed(subscription: Subscription | None, now: datetime) -> list[str]:
    """What the feed's hub does, in at most one sentence."""
    if subscription is None:
        return []
    hub = host(subscription.hub)
    if subscription.pushes(now):
        until = f"until {subscription.expires:%Y-%m-%d %H:%M} UTC"
        if subscription.last_push is None:
            return [f"{hub} is to push it, {until}; nothing new has come yet, and polls go on as before."]
        return [f"{hub} pushes it (the last time {_ago(subscription.last_push, now)}), {until}; polls are seldom."]
    why = f": {subscription.reason}" if subscription.reason else ""
    return [f"{hub} names itself its hub, but does not push it now{why}."]


def gone_quiet(volume: Volume) -> bool:
    """Whether a feed falls so far below its own usual volume that somebody should look."""
    return volume.usual is not None and volume.usual >= _QUIET_USUAL and volume.day < volume.usual * _QUIET_SHARE


def _next(feed: Feed, now: datetime, what: str = "next poll") -> str:
    if feed.next_poll is None or feed.next_poll <= now:
        return f"{what} due now"
    return f"{what} in {_span((feed.next_poll - now).total_seconds())}"


def _ago(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    return "just now" if seconds < 1 else f"{_span(seconds)} ago"


def _span(seconds: float) -> str:
    """A duration in its largest fitting unit: "3 minutes", "1 hour", "2 days"."""
    for size, unit in ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute")):
        if seconds >= size * 0.995:
            count = round(seconds / size)
            return f"{count} {unit}" + ("" if count == 1 else "s")
    count = max(1, round(seconds))
    return f"{count} second" + ("" if count == 1 else "s")
