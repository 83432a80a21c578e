"""Dates in queries."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.index import dates
from tests.conformance.wire import at

NOW = at("2026-03-31T15:45:30")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
        ("2026-02", "2026-02-01T00:00:00", "2026-03-01T00:00:00"),
        ("2026-2-3", "2026-02-03T00:00:00", "2026-02-04T00:00:00"),
        ("2024-02-29", "2024-02-29T00:00:00", "2024-03-01T00:00:00"),
        ("2026-12-31T23", "2026-12-31T23:00:00", "2027-01-01T00:00:00"),
        ("2026-08-20T10:15", "2026-08-20T10:15:00", "2026-08-20T10:16:00"),
        ("2026-08-20 10:15", "2026-08-20T10:15:00", "2026-08-20T10:16:00"),
        ("2026-08-20T10:15:20.123Z", "2026-08-20T10:15:20", "2026-08-20T10:15:21"),
        ("2026-08-20T10:15+05:30", "2026-08-20T04:45:00", "2026-08-20T04:46:00"),
        ("2026-08-20T23:00-0200", "2026-08-21T01:00:00", "2026-08-21T01:01:00"),
        ("now", "2026-03-31T15:45:30", "2026-03-31T15:45:31"),
        ("now-7d", "2026-03-24T15:45:30", "2026-03-24T15:45:31"),
        ("now-1M", "2026-02-28T15:45:30", "2026-02-28T15:45:31"),
        ("now/d", "2026-03-31T00:00:00", "2026-04-01T00:00:00"),
        ("now-1d/d", "2026-03-30T00:00:00", "2026-03-31T00:00:00"),
        ("now/w", "2026-03-30T00:00:00", "2026-04-06T00:00:00"),
        ("now/M", "2026-03-01T00:00:00", "2026-04-01T00:00:00"),
        ("now/y+1M", "2026-02-01T00:00:00", "2027-02-01T00:00:00"),
        ("now/h", "2026-03-31T15:00:00", "2026-03-31T16:00:00"),
        ("now-90m/m", "2026-03-31T14:15:00", "2026-03-31T14:16:00"),
        ("2026-08||-1y", "2025-08-01T00:00:00", "2025-09-01T00:00:00"),
        ("9999-12-31", "9999-12-31T00:00:00", "9999-12-31T23:59:59.999999"),
        ("9999", "9999-01-01T00:00:00", "9999-12-31T23:59:59.999999"),
        ("2026-08-20T10:15||/d", "2026-08-20T00:00:00", "2026-08-21T00:00:00"),
    ],
)
def test_a_date_is_a_span_of_time(text: str, start: str, end: str) -> None:
    assert dates.span(text, NOW) == (at(start), at(end))


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-13", "2026-02-30", "26-01-01", "20.8.2026", "now-", "now-7", "now7d", "nowhere", "now-7x",
     "2026-08-20T25", "2026-08-20T10:15+99:99", "now-999999y", "0000", "2026||x", "9999-12-31||+1y"],
)  # fmt: skip
def test_what_is_no_date_gets_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a date|outside"):
        dates.span(text, NOW)


@given(st.text(alphabet="0123456789-T:Z+now|/dMyhmsw. ", max_size=25))
def test_any_text_is_a_span_or_a_reason(text: str) -> None:
    try:
        start, end = dates.span(text, NOW)
    except ValueError:
        return
    assert start < end
    assert isinstance(start, datetime)
