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


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("erstellt: 01. April 2025, 15:25", "2025-04-01T15:25"),
        ("Stand: 3. März 2026, 9.05 Uhr", "2026-03-03T09:05"),
        ("Publié le 1er août 2025 à 9h30", "2025-08-01T09:30"),
        ("3 de mayo de 2025 a las 10:05", "2025-05-03T10:05"),
        ("14 de março de 2026", "2026-03-14T00:00"),
        ("Roma, 7 dicembre 2025 ore 21:40", "2025-12-07T21:40"),
        ("Geplaatst: 9 mei 2026 om 08:15", "2026-05-09T08:15"),
        ("Publisert 2. desember 2025 kl. 07:30", "2025-12-02T07:30"),
        ("4 Ağustos 2025, 18:03", "2025-08-04T18:03"),
        ("12 września 2025 godz. 6:40", "2025-09-12T06:40"),
        ("21 апреля 2026, 11:45", "2026-04-21T11:45"),
        ("2026年1月29日 18時40分", "2026-01-29T18:40"),
        ("2026年1月29日(木) 18:40", "2026-01-29T18:40"),
        ("입력 2026.01.29 18:40", "2026-01-29T18:40"),
        ("2026년 1월 29일", "2026-01-29T00:00"),
    ],
)
def test_a_date_that_readers_see_is_read_in_their_language(text: str, iso: str) -> None:
    stamp = dates.find(text)
    assert stamp is not None
    assert stamp.time.isoformat()[:16] == iso
    assert stamp.timed is not iso.endswith("T00:00")


@pytest.mark.parametrize(
    "text",
    ["32 mars 2026", "3 mais 2026", "31 février 2026", "2026.13.01", "12026年1月29日", "14 Bonbons 2026", "1/2/26"],
)
def test_what_only_looks_like_a_date_is_none(text: str) -> None:
    assert dates.find(text) is None
