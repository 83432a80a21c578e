"""When feeds fall due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from pipeline.feeds import settle
from pipeline.feeds.schedule import asks_without_conditions, back_off, jitter
from pipeline.records import Feed
from tests.feeds.conftest import NOW

FEED = Feed(id="f", url="https://wire.example/rss", added=NOW, interval=1000.0, last_new=NOW, polls=3, baseline=False)


def wait(feed: Feed) -> float:
    assert feed.next_poll is not None
    return (feed.next_poll - NOW).total_seconds()


@pytest.mark.parametrize(
    ("new", "total", "interval"),
    [
        pytest.param(0, 30, 1500.0, id="nothing new lengthens it by half"),
        pytest.param(0, 0, 1500.0, id="an empty feed lengthens it by half"),
        pytest.param(1, 30, 900.0, id="some new entries shorten it a little"),
        pytest.param(3, 30, 700.0, id="a tenth new shortens it more"),
        pytest.param(15, 30, 500.0, id="half new halves it"),
        pytest.param(30, 30, 500.0, id="all new halves it"),
    ],
)
def test_the_interval_follows_the_share_of_new_entries(new: int, total: int, interval: float) -> None:
    assert settle(FEED, new, total, NOW).interval == pytest.approx(interval)


def test_the_first_entries_ever_say_nothing_of_the_pace() -> None:
    first = settle(replace(FEED, last_new=None), 30, 30, NOW)
    assert first.interval == 1000.0
    assert first.last_new == NOW


def test_a_poll_without_news_keeps_the_time_of_the_last_news() -> None:
    earlier = NOW - timedelta(days=2)
    assert settle(replace(FEED, last_new=earlier), 0, 30, NOW).last_new == earlier


@pytest.mark.parametrize(
    ("interval", "new", "ttl", "expected"),
    [
        pytest.param(130.0, 30, None, 120.0, id="never below the least interval"),
        pytest.param(80_000.0, 0, None, 86_400.0, id="never above the greatest"),
        pytest.param(1000.0, 30, 3600.0, 3600.0, id="never more often than the publisher asks"),
        pytest.param(1000.0, 0, 10.0, 1500.0, id="a publisher's short wish shortens nothing"),
        pytest.param(1000.0, 0, 31_536_000.0, 86_400.0, id="a publisher's wish for a year is a day"),
    ],
)
def test_the_interval_keeps_its_limits(interval: float, new: int, ttl: float | None, expected: float) -> None:
    settled = settle(replace(FEED, interval=interval), new, 30, NOW, ttl=ttl)
    assert settled.interval == expected
    assert max(120.0, min(ttl or 0.0, 86_400.0)) <= wait(settled) <= 86_400.0


def test_the_limits_are_the_settings() -> None:
    assert settle(FEED, 30, 30, NOW, min_interval=600.0).interval == 600.0
    assert settle(FEED, 0, 30, NOW, max_interval=1200.0).interval == 1200.0


def test_the_next_poll_comes_up_to_a_tenth_early_or_late_the_same_on_every_machine() -> None:
    factors = [jitter(replace(FEED, id=f"{number:020x}")) for number in range(200)]
    assert all(0.9 <= factor <= 1.1 for factor in factors)
    assert min(factors) < 0.92
    assert max(factors) > 1.08
    assert jitter(FEED) == jitter(replace(FEED, url="https://elsewhere.example/"))
    assert jitter(FEED) != jitter(replace(FEED, polls=4))
    assert wait(settle(FEED, 0, 1, NOW)) == pytest.approx(1500.0 * jitter(FEED))


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, 900.0), (2, 1800.0), (3, 3600.0), (5, 14_400.0), (8, 86_400.0), (500, 86_400.0)],
)
def test_failures_double_the_wait_up_to_a_day(failures: int, seconds: float) -> None:
    due = back_off(replace(FEED, failures=failures), NOW)
    assert seconds * 0.9 <= (due - NOW).total_seconds() <= min(seconds * 1.1, 86_400.0)


def test_a_feed_polled_often_is_tried_again_soon() -> None:
    due = back_off(replace(FEED, interval=120.0, failures=1), NOW)
    assert 120.0 <= (due - NOW).total_seconds() <= 132.0


@pytest.mark.parametrize(("wish", "least"), [(7200.0, 7200.0), (1.0, 810.0), (1e9, 86_400.0)])
def test_retry_after_is_never_undercut_but_a_day_is_enough(wish: float, least: float) -> None:
    waited = (back_off(replace(FEED, failures=1), NOW, retry_after=wish) - NOW).total_seconds()
    assert least <= waited <= 86_400.0


def test_one_poll_in_48_asks_without_conditions() -> None:
    with_validators = replace(FEED, etag='"a"')
    asked = [number for number in range(480) if asks_without_conditions(replace(with_validators, polls=number))]
    assert len(asked) == 10
    assert {second - first for first, second in pairwise(asked)} == {48}


def test_a_feed_never_read_and_one_without_validators_are_always_asked_without_conditions() -> None:
    assert asks_without_conditions(FEED)
    assert asks_without_conditions(replace(FEED, etag='"a"', baseline=True))
