"""Dates as pages write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.extract import dates


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-04T09:41:00+05:00", datetime(2026, 3, 4, 4, 41, tzinfo=UTC)),
        ("2026-03-04T09:41:00Z", datetime(2026, 3, 4, 9, 41, tzinfo=UTC)),
        ("2026-03-04T09:41+0530", datetime(2026, 3, 4, 4, 11, tzinfo=UTC)),
        ("2026-03-04 09:41:07", datetime(2026, 3, 4, 9, 41, 7, tzinfo=UTC)),
        ("2026-03-04T09:41:07.123456789Z", datetime(2026, 3, 4, 9, 41, 7, 123456, tzinfo=UTC)),
        ("2026-03-04T09:41:07+01:00[Europe/Berlin]", datetime(2026, 3, 4, 8, 41, 7, tzinfo=UTC)),
        ("20260304T094100Z", datetime(2026, 3, 4, 9, 41, tzinfo=UTC)),
        ("2026-03-04T24:00:00Z", datetime(2026, 3, 5, tzinfo=UTC)),
        ("Wed, 04 Mar 2026 09:41:00 GMT", datetime(2026, 3, 4, 9, 41, tzinfo=UTC)),
        ("Fri Apr 28 19:20:36 CEST 2023", datetime(2023, 4, 28, 17, 20, 36, tzinfo=UTC)),
        ("April 28, 2024 10:00 AM EDT", datetime(2024, 4, 28, 14, 0, tzinfo=UTC)),
        ("1772617260", datetime(2026, 3, 4, 9, 41, tzinfo=UTC)),
        ("1772617260000", datetime(2026, 3, 4, 9, 41, tzinfo=UTC)),
        (1772617260, datetime(2026, 3, 4, 9, 41, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_with_its_offset(text: object, time: datetime) -> None:
    stamp = dates.read(text)
    assert stamp is not None
    assert stamp.time == time
    assert stamp.timed


@pytest.mark.parametrize("text", ["2026-03-04", "4 March 2026", "March 4, 2026"])
def test_a_day_without_a_time_says_so(text: str) -> None:
    assert dates.read(text) == dates.Stamp(datetime(2026, 3, 4, tzinfo=UTC), zoned=False, timed=False)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2 hours ago", "09:41", "March", "2026", "2026-13-45", "2026-02-30T10:00:00Z", "0001-01-01", None,
     True, [], "x" * 5000, "2026-03-04T99:99:99Z", "99999999999999999999"],
)  # fmt: skip
def test_what_is_no_date_is_none_and_never_now(text: object) -> None:
    assert dates.read(text) is None
