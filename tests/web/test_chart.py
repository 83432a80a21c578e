"""Histograms and sparklines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.index import Interval, read_when
from pipeline.web.chart import BARS, HEIGHT, WIDTH, histogram, sparkline, wanted

DAY = datetime(2026, 11, 20, tzinfo=UTC)


def days(*counts: int) -> list[tuple[datetime, int]]:
    return [(DAY + timedelta(days=n), count) for n, count in enumerate(counts) if count]


def test_days_without_hits_have_their_place_too() -> None:
    drawn = histogram(days(2, 0, 0, 4))
    assert drawn is not None
    assert [bar.count for bar in drawn.bars] == [2, 0, 0, 4]
    assert [bar.height for bar in drawn.bars] == [HEIGHT / 2, 0, 0, HEIGHT]


def test_nothing_is_not_drawn() -> None:
    assert histogram([]) is None


def test_a_short_time_is_counted_by_the_hour() -> None:
    assert wanted(days(1, 2, 3)) is Interval.HOUR
    assert wanted([(DAY, 1), (DAY + timedelta(days=40), 1)]) is None


@pytest.mark.parametrize(
    ("span", "step"),
    [(30, "day"), (200, "week"), (1_500, "month"), (4_000, "quarter"), (20_000, "year"), (100_000, "decade")],
)
def test_bars_grow_wider_with_the_time_that_they_span(span: int, step: str) -> None:
    drawn = histogram([(DAY - timedelta(days=span), 50), (DAY, 50)])
    assert drawn is not None
    assert drawn.step == step


@given(
    st.dictionaries(
        st.integers(0, 87_600_000).map(lambda hours: datetime(1, 1, 1, tzinfo=UTC) + timedelta(hours=hours)),
        st.integers(1, 10**6),
        min_size=1,
        max_size=40,
    )
)
def test_whatever_the_times_all_hits_are_counted_once_and_bars_fit(counted: dict[datetime, int]) -> None:
    drawn = histogram(sorted(counted.items()))
    assert drawn is not None
    assert sum(bar.count for bar in drawn.bars) + drawn.before == sum(counted.values())
    assert 1 <= len(drawn.bars) <= BARS + 1
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH + 1 and 0 <= bar.height <= HEIGHT for bar in drawn.bars)
    assert all(one.end == other.start for one, other in zip(drawn.bars, drawn.bars[1:], strict=False))


def test_a_bar_s_address_means_just_its_time() -> None:
    drawn = histogram(days(1, 0, 1))
    assert drawn is not None
    bar = drawn.bars[0]
    assert read_when(bar.since, DAY) == bar.start
    assert read_when(bar.until, DAY, end=True) == bar.end


def test_a_few_hits_that_misdate_themselves_do_not_squash_the_rest() -> None:
    drawn = histogram([(datetime(1970, 1, 1, tzinfo=UTC), 1), *days(50, 50, 50)])
    assert drawn is not None
    assert (drawn.before, len(drawn.bars)) == (1, 3)


def test_a_sparkline_has_each_day_and_ends_today() -> None:
    line = sparkline({"2026-11-19": 4, "2026-11-20": 2}, DAY + timedelta(hours=5), days=3)
    assert [(day.isoformat(), count, height) for day, count, height in line] == [
        ("2026-11-18", 0, 0.0),
        ("2026-11-19", 4, 1.0),
        ("2026-11-20", 2, 0.5),
    ]
