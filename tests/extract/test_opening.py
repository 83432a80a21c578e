"""What old templates leave above a story."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.extract import extract, opening
from tests.extract.conftest import page_of

STORY = (
    "LAHORE: The board denied on Saturday that there had been a rift.",
    "The coach, who took over two years ago, will not travel with the team.",
)


def test_headline_byline_and_day_are_taken_off_the_body() -> None:
    head = ("Saturday, October 31, 2026", "Coach quits before the tour", "By Fahad Lashari")
    found = opening.read("\n\n".join(head + STORY), "The Potohar Paper: Coach quits before the tour", headed=False)
    assert found.body == "\n\n".join(STORY)
    assert found.title == "Coach quits before the tour"
    assert found.authors == ("Fahad Lashari",)
    assert found.published is not None
    assert found.published.time == datetime(2026, 10, 31, tzinfo=UTC)


def test_our_correspondent_is_nobody() -> None:
    found = opening.read("\n\n".join(("By Our Correspondent", *STORY)), "Coach quits", headed=True)
    assert found.authors == ()
    assert found.body == "\n\n".join(STORY)


@pytest.mark.parametrize(
    "line",
    [
        "By Monday the coach had left, and by Tuesday her deputy had gone as well.",
        "By Christmas all will be well.",
        "On October 31, 2026 the board met in Lahore and decided that nothing had happened.",
    ],
)
def test_a_sentence_that_opens_like_a_byline_or_holds_a_day_stays(line: str) -> None:
    body = "\n\n".join((line, *STORY))
    assert opening.read(body, "Coach quits", headed=True).body == body


def test_a_date_on_the_page_is_read_where_nothing_machine_readable_is() -> None:
    page = page_of(
        '<div class="posted-on">Posted: October 29, 2026 20:30 IST</div><h1>Coach quits</h1>'
        + "".join(f"<p>{line}</p>" for line in STORY)
    )
    article = extract(page)
    assert article.published == datetime(2026, 10, 29, 15, 0, tzinfo=UTC)
    assert article.published_from == "page"


def test_a_day_above_the_story_is_taken_off_in_other_languages_too() -> None:
    found = opening.read(
        "Mittwoch, 3. März 2026, 9.05 Uhr\n\n" + "Der See lief über Nacht leer. " * 5, "Seeabfluss", headed=True
    )
    assert found.published is not None
    assert found.body.startswith("Der See")
