"""Date words, and the days they mean beside an article's date (Tuesday, 20 August 2024)."""

from __future__ import annotations

import pytest

from pipeline.enrich.when import date_words, when
from tests.enrich.spans import TUESDAY


@pytest.mark.parametrize(
    ("words", "earliest", "latest"),
    [
        ("on Monday night", "2024-08-19", "2024-08-19"),
        ("on Tuesday", "2024-08-20", "2024-08-20"),
        ("last Tuesday", "2024-08-13", "2024-08-13"),
        ("on Wednesday", "2024-08-14", "2024-08-14"),
        ("yesterday", "2024-08-19", "2024-08-19"),
        ("on August 16", "2024-08-16", "2024-08-16"),
        ("on 16 August", "2024-08-16", "2024-08-16"),
        ("on September 3", "2023-09-03", "2023-09-03"),
        ("on March 3, 2015", "2015-03-03", "2015-03-03"),
        ("two days ago", "2024-08-18", "2024-08-18"),
        ("during the past four days", "2024-08-16", "2024-08-20"),
        ("last week", "2024-08-12", "2024-08-18"),
        ("this week", "2024-08-19", "2024-08-20"),
        ("last month", "2024-07-01", "2024-07-31"),
        ("in March", "2024-03-01", "2024-03-31"),
        ("in October", "2023-10-01", "2023-10-31"),
        ("in 2021", "2021-01-01", "2021-12-31"),
        ("last year", "2023-01-01", "2023-12-31"),
        ("a few days ago", None, None),
    ],
)
def test_date_words_mean_days(words: str, earliest: str | None, latest: str | None) -> None:
    (start, end, kind), *more = date_words(words, 0, len(words))
    assert not more
    found = when(words, start, end, kind, TUESDAY)
    assert (found.earliest, found.latest) == (earliest, latest)


@pytest.mark.parametrize("words", ["they may go", "a march on the city", "the second of them", "an august body"])
def test_words_that_only_look_like_dates_are_none(words: str) -> None:
    assert date_words(words, 0, len(words)) == []


def test_without_an_articles_date_only_a_full_date_means_a_day() -> None:
    assert when("on Monday", 3, 9, "weekday", None).earliest is None
    assert when("March 3, 2015", 0, 13, "absolute", None).earliest == "2015-03-03"
