"""When a feed falls due: pure functions of what the feed record says and what a poll brought."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pipeline.records import Feed, digest

MIN_INTERVAL: Final = 120.0
MAX_INTERVAL: Final = 86_400.0
DAY: Final = 86_400.0

JITTER: Final = 0.1
"""Share by which a poll comes early or late, so that feeds added together do not stay together."""
FIRST_RETRY: Final = 900.0
"""A first failure is retried no later than this, seconds: most failures of a feed are over within minutes."""

# What a poll's share of new entries does to the interval. With these a feed settles where about four polls in five
# bring something and the average poll one or two entries: 0.79 * ln(0.9) + 0.21 * ln(1.5) = 0 (2026-11-23).
NOTHING_NEW: Final = 1.5
SOME_NEW: Final = 0.9
MANY_NEW: Final = 0.7
MOST_NEW: Final = 0.5
MANY: Final = 0.1
MOST: Final = 0.5


def settle(
    feed: Feed,
    new: int,
    total: int,
    now: datetime,
    *,
    ttl: float | None = None,
    min_interval: float = MIN_INTERVAL,
    max_interval: float = MAX_INTERVAL,
) -> Feed:
    """The feed with its interval adapted and its next poll set, after a poll that brought ``total`` entries of which
    ``new`` were not seen before. ``ttl`` is the publisher's wish in seconds (``ParsedFeed.ttl``).

    The interval shrinks with the share of new entries and grows when there are none, between the two limits. The first
    entries ever say nothing of the pace: they leave it as it is. The publisher's wish is a lower limit for the
    interval and for the next poll, itself held under ``max_interval``.
    """
    interval = feed.interval
    if new > 0 and feed.last_new is None:
        pass
    else:
        interval *= _factor(new, total)
    floor = min(max(min_interval, ttl or 0.0), max_interval)
    interval = _clamp(interval, floor, max_interval)
    wait = _clamp(interval * jitter(feed), floor, max_interval)
    return replace(
        feed,
        interval=interval,
        next_poll=now + timedelta(seconds=wait),
        last_new=now if new > 0 else feed.last_new,
    )


def back_off(
    feed: Feed,
    now: datetime,
    *,
    retry_after: float | None = None,
    min_interval: float = MIN_INTERVAL,
    max_interval: float = MAX_INTERVAL,
) -> datetime:
    """When to try a failing feed again: the wait doubles with ``feed.failures`` (this one counted), up to a day.

    The server's ``Retry-After``, seconds, is never undercut, but for a wish beyond a day: no failure is final.
    """
    longest = min(DAY, max_interval)
    first = _clamp(min(feed.interval, FIRST_RETRY), min_interval, longest)
    doublings = min(max(feed.failures, 1) - 1, 30)
    wait = _clamp(first * 2.0**doublings * jitter(feed), min_interval, longest)
    return now + timedelta(seconds=max(wait, min(retry_after or 0.0, DAY)))


def jitter(feed: Feed) -> float:
    """A factor between 0.9 and 1.1 that follows from the feed's id and the number of its polls alone."""
    return 1.0 + JITTER * (2.0 * _fraction(feed.id, str(feed.polls)) - 1.0)


def asks_without_conditions(feed: Feed, *, every: int = 48) -> bool:
    """Whether this poll leaves the validators out, as one in ``every`` does: some servers say 304 for ever.

    Which one of them differs from feed to feed. A feed without validators is always asked without conditions, and so
    is one that has not been read yet.
    """
    if feed.baseline or not (feed.etag or feed.last_modified):
        return True
    return feed.polls % every == int(_fraction(feed.id, "unconditional") * every)


def _factor(new: int, total: int) -> float:
    if new <= 0 or total <= 0:
        return NOTHING_NEW
    share = new / total
    if share >= MOST:
        return MOST_NEW
    return MANY_NEW if share >= MANY else SOME_NEW


def _fraction(*parts: str) -> float:
    return int(digest("jitter", *parts)[:12], 16) / 16**12


def _clamp(value: float, low: float, high: float) -> float:
    return max(low, min(value, high))
