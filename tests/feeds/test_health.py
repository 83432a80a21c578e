"""A feed's health in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.feeds import Volume, gone_quiet, health, volume_of
from pipeline.records import Feed, FeedState
from tests.feeds.conftest import NOW

GOOD = Feed(
    id="f",
    url="https://wire.example/rss",
    added=NOW - timedelta(days=9),
    last_polled=NOW - timedelta(minutes=3),
    last_success=NOW - timedelta(minutes=3),
    last_new=NOW - timedelta(hours=1),
    next_poll=NOW + timedelta(minutes=7),
    polls=100,
    baseline=False,
)


@pytest.mark.parametrize(
    ("feed", "volume", "sentences"),
    [
        pytest.param(
            GOOD,
            Volume(day=12, usual=14.2),
            ["Polled 3 minutes ago; 12 new entries in the last day; next poll in 7 minutes."],
            id="a good feed takes one sentence",
        ),
        pytest.param(
            replace(GOOD, failures=4, reason="HTTP 503", next_poll=NOW + timedelta(minutes=40)),
            Volume(),
            ["Failing since 2026-11-23 11:57 UTC, 3 minutes ago: HTTP 503 (4 times in a row); next try in 40 minutes."],
            id="a failing feed says since when, why and how often",
        ),
        pytest.param(
            replace(
                GOOD, failures=1, reason="HTTP 404", last_success=None, last_new=None, baseline=True, next_poll=NOW
            ),
            Volume(),
            [
                "Failing since it was added: HTTP 404 (once); next try due now.",
                "Never read yet: its first entries will be taken as what was there before, without alerts.",
            ],
            id="a feed that never worked says so",
        ),
        pytest.param(
            replace(GOOD, last_polled=None, last_success=None, next_poll=None),
            Volume(),
            ["Not polled yet; first poll due now."],
            id="a new feed is due",
        ),
        pytest.param(
            replace(
                GOOD, state=FeedState.GONE, failures=2, reason="HTTP 410 (Gone)", next_poll=NOW + timedelta(hours=20)
            ),
            Volume(),
            ["Gone: HTTP 410 (Gone); asked once a day in case it comes back, next poll in 20 hours."],
            id="a feed that is gone is still asked",
        ),
        pytest.param(
            replace(GOOD, last_new=NOW - timedelta(days=3)),
            Volume(day=0, usual=24.0),
            [
                "Polled 3 minutes ago; no new entries in the last day; next poll in 7 minutes.",
                "Its last new entry came 3 days ago.",
                "Gone quiet: 0 in the last day, usually about 24.",
            ],
            id="a feed that works but brings nothing has gone quiet",
        ),
        pytest.param(
            replace(GOOD, last_new=None),
            Volume(day=1, usual=0.5),
            [
                "Polled 3 minutes ago; 1 new entry in the last day; next poll in 7 minutes.",
                "It has never brought an entry.",
            ],
            id="a small feed does not go quiet",
        ),
    ],
)
def test_health_is_told_in_sentences(feed: Feed, volume: Volume, sentences: list[str]) -> None:
    assert health(feed, volume, NOW) == sentences


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=59), "59 seconds"),
        (timedelta(seconds=59.9), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(minutes=90), "2 hours"),
        (timedelta(hours=23, minutes=59), "1 day"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_durations_are_said_in_their_largest_unit(ahead: timedelta, words: str) -> None:
    assert health(replace(GOOD, next_poll=NOW + ahead), Volume(), NOW)[0].endswith(f"next poll in {words}.")


def test_a_usual_day_leaves_out_the_baseline_and_the_last_two_days() -> None:
    days = {"2026-11-16": 500, "2026-11-17": 10, "2026-11-19": 20, "2026-11-22": 3, "2026-11-23": 1}
    volume = volume_of({"2026-11-22": 1, "2026-11-23": 1}, days, NOW)
    assert volume == Volume(day=2, usual=6.0)  # 30 in the five days from the 17th to the 21st
    assert not gone_quiet(volume)
    assert gone_quiet(volume_of({"2026-11-23": 1}, days, NOW))


@pytest.mark.parametrize("days", [{}, {"2026-11-23": 9}, {"2026-11-20": 5, "2026-11-21": 5}])
def test_nothing_is_usual_for_a_feed_watched_for_a_few_days(days: dict[str, int]) -> None:
    volume = volume_of({}, days, NOW)
    assert volume == Volume(day=0, usual=None)
    assert not gone_quiet(volume)
