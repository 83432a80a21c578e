"""Whether a source is as usual: cases whose names read as sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.feeds.usual import WEEKS, Mood, hour, volume

NOW = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)  # a Tuesday
END = NOW.replace(minute=0)


def brings(a_workday: int, a_weekend: int, now: int, weeks: int = WEEKS) -> dict[str, int]:
    """So many entries in each hour of workdays and of weekends, for weeks, and in each of the last six hours."""
    hours = {}
    for n in range(1, weeks * 7 * 24 + 8):
        moment = END - timedelta(hours=n)
        hours[hour(moment)] = now if n <= 6 else a_workday if moment.weekday() < 5 else a_weekend
    return hours


@pytest.mark.parametrize(
    ("hours", "now", "before", "mood"),
    [
        (brings(5, 5, 0), NOW, Mood.USUAL, Mood.QUIET),
        (brings(5, 5, 5), NOW, Mood.USUAL, Mood.USUAL),
        (brings(5, 0, 5), NOW, Mood.USUAL, Mood.USUAL),
        (brings(0, 0, 0), NOW, Mood.USUAL, Mood.USUAL),
        (brings(5, 5, 1), NOW, Mood.USUAL, Mood.USUAL),
        (brings(5, 5, 1), NOW, Mood.QUIET, Mood.QUIET),
        (brings(5, 5, 3), NOW, Mood.QUIET, Mood.USUAL),
        (brings(5, 5, 30), NOW, Mood.USUAL, Mood.LOUD),
        (brings(5, 5, 15), NOW, Mood.LOUD, Mood.LOUD),
        (brings(5, 5, 8), NOW, Mood.LOUD, Mood.USUAL),
        (brings(0, 0, 3), NOW, Mood.USUAL, Mood.USUAL),
    ],
    ids=[
        "silent_where_thirty_are_usual",
        "as_always",
        "busy_on_workdays_only_and_this_is_one",
        "never_brings_anything",
        "a_fifth_of_what_is_usual_is_no_silence",
        "but_a_quiet_source_with_a_fifth_is_quiet_still",
        "and_with_half_it_is_back",
        "six_times_as_many_as_ever",
        "a_loud_source_with_three_times_as_many_is_loud_still",
        "and_with_less_it_is_back",
        "a_few_of_one_that_never_brings_any_is_not_loud",
    ],
)
def test_a_source_is_held_against_the_same_hours_before(
    hours: dict[str, int], now: datetime, before: Mood, mood: Mood
) -> None:
    found = volume(hours, NOW - timedelta(weeks=9), now, before)
    assert found is not None
    assert found.mood is mood


def test_a_weekend_is_held_against_weekends() -> None:
    sunday = NOW + timedelta(days=5)
    found = volume(brings(5, 0, 5), NOW - timedelta(weeks=9), sunday)
    assert found is not None
    assert (found.count, found.usual, found.mood) == (0, 0.0, Mood.USUAL)


@pytest.mark.parametrize(("days", "told"), [(3, False), (5, False), (7, True)])
def test_of_a_new_source_nothing_is_usual_for_some_days(days: int, told: bool) -> None:
    found = volume(brings(5, 5, 0, weeks=1), NOW - timedelta(days=days), NOW)
    assert (found is not None and found.mood is Mood.QUIET) == told
