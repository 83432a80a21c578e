"""Dates as feeds write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feeds.dates import read_date, read_foreign_date


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 23 Nov 2026 08:30:00 GMT", at(2026, 11, 23, 8, 30)),
        ("Mon, 23 Nov 2026 08:30:00 +0530", at(2026, 11, 23, 3, 0)),
        ("Mon, 23 Nov 2026 08:30:00 -03:00", at(2026, 11, 23, 11, 30)),
        ("Mon, 23 Nov 2026 08:30 EST", at(2026, 11, 23, 13, 30)),
        ("23 Nov 2026 08:30:00 IST", at(2026, 11, 23, 3, 0)),
        ("Mon, 23 Nov 2026 08:30:00 PKT", at(2026, 11, 23, 3, 30)),
        ("Mon, 23 Jun 2026 08:30:00 BST", at(2026, 6, 23, 7, 30)),
        ("Mon, 23 Nov 2026 08:30:00 CET", at(2026, 11, 23, 7, 30)),
        ("Mon, 23 Nov 2026 08:30:00 GMT+2", at(2026, 11, 23, 6, 30)),
        ("Mon, 23 Nov 2026 08:30:00 XYZ", at(2026, 11, 23, 8, 30)),
        ("Mon, 23 Nov 2026 08:30:00 +0000 (UTC)", at(2026, 11, 23, 8, 30)),
        ("Monday, 23 November 2026 08:30:00", at(2026, 11, 23, 8, 30)),
        ("Tues, 3 Feb 26 08:30:00 GMT", at(2026, 2, 3, 8, 30)),
        ("Mon, 23 Nov 2026", at(2026, 11, 23)),
        ("Mon, 23 Nov 2026 24:00:00 GMT", at(2026, 11, 24)),
        ("Thu, 31 Dec 2016 23:59:60 GMT", at(2017, 1, 1)),
        ("2026-11-23T08:30:00Z", at(2026, 11, 23, 8, 30)),
        ("2026-11-23T08:30:00.123456789+05:30", at(2026, 11, 23, 3, 0, 0, 123456)),
        ("2026-11-23 08:30", at(2026, 11, 23, 8, 30)),
        ("2026-11-23 08:30:00 -0800", at(2026, 11, 23, 16, 30)),
        ("2026-11-23 08:30:00 IST", at(2026, 11, 23, 3, 0)),
        ("2026-11-23", at(2026, 11, 23)),
        ("  2026-11-23\n T 08:30:00Z ", at(2026, 11, 23, 8, 30)),
        ("November 23, 2026 8:30 AM EST", at(2026, 11, 23, 13, 30)),
        ("Nov 23, 2026 8:30pm", at(2026, 11, 23, 20, 30)),
        ("20261123T083000Z", at(2026, 11, 23, 8, 30)),
        ("2026/11/23 08:30:00", at(2026, 11, 23, 8, 30)),
    ],
)
def test_a_date_is_read_to_the_moment(text: str, moment: datetime | None) -> None:
    assert read_date(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "garbage",
        "yesterday",
        "2 hours ago",
        "10:30",
        "Monday",
        "November 2026",
        "0000-00-00T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Mon, 23 Nov 20260 08:30:00 GMT",
        "Mon, 32 Nov 2026 08:30:00 GMT",
        "Mon, 23 Nov 2026 25:30:00 GMT",
        "9999-12-31T23:59:59Z",
        "1" * 500,
    ],
)
def test_what_names_no_moment_is_none(text: str | None) -> None:
    assert read_date(text) is None
    assert read_foreign_date(text) is None


@pytest.mark.parametrize(
    ("text", "language", "moment"),
    [
        ("lun., 23 févr. 2026 10:00:00 +0100", "fr", at(2026, 2, 23, 9, 0)),
        ("23 de noviembre de 2026 10:00", "es", at(2026, 11, 23, 10, 0)),
        ("Пн, 23 ноя 2026 10:00:00 +0300", "ru", at(2026, 11, 23, 7, 0)),
        ("23. März 2026", "de", at(2026, 3, 23)),
    ],
)
def test_months_in_other_languages_are_read(text: str, language: str, moment: datetime) -> None:
    assert read_date(text) is None
    assert read_foreign_date(text, (language,)) == moment
    assert read_foreign_date(text) == moment


@settings(deadline=None)
@given(
    st.text(max_size=40) | st.from_regex(r"[A-Za-z]{3}, \d{1,3} [A-Za-z]{3} \d{2,5} \d\d:\d\d(:\d\d)? ?[A-Z+0-9-]{0,6}")
)
def test_no_text_raises_and_every_answer_is_in_utc(text: str) -> None:
    moment = read_date(text)
    assert moment is None or (moment.tzinfo is UTC and 1990 <= moment.year <= 2099)
