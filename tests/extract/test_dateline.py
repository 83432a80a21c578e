"""Datelines: place, day and agency."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.extract import dateline

PUBLISHED = datetime(2019, 8, 21, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "text", "place", "date", "agency"),
    [
        ("ISLAMABAD, Aug 20 (Reuters) – Growers said", "ISLAMABAD, Aug 20 (Reuters) –", "ISLAMABAD", "2019-08-20", "Reuters"),
        ("NEW DELHI (AP) — Growers said", "NEW DELHI (AP) —", "NEW DELHI", None, "AP"),
        ("SRINAGAR, India, Aug. 5, 2019 /PTI/ Growers", "SRINAGAR, India, Aug. 5, 2019 /PTI/", "SRINAGAR, India", "2019-08-05", "PTI"),
        ("Islamabad: Growers said", "Islamabad:", "Islamabad", None, None),
        ("WASHINGTON/SEOUL, Dec. 31 (Yonhap) -- Growers", "WASHINGTON/SEOUL, Dec. 31 (Yonhap) --", "WASHINGTON/SEOUL", "2019-12-31", "Yonhap"),
        ("Magdeburg (dpa) - Eine Brücke", "Magdeburg (dpa) -", "Magdeburg", None, "dpa"),
        ("UNITED NATIONS, 20 August 2019 (AFP) - The", "UNITED NATIONS, 20 August 2019 (AFP) -", "UNITED NATIONS", "2019-08-20", "AFP"),
        ("(Reuters) - Shares fell", "(Reuters) -", None, None, "Reuters"),
        ("GAZA CITY, Gaza Strip — Boats", "GAZA CITY, Gaza Strip —", "GAZA CITY, Gaza Strip", None, None),
        ("Geneva, March 3 (Meridian) - Delegates", "Geneva, March 3 (Meridian) -", "Geneva", "2019-03-03", "Meridian"),
        ("SOPORE: Growers said", "SOPORE:", "SOPORE", None, None),
        ("SALTO (La Voz) - Los médicos", "SALTO (La Voz) -", "SALTO", None, "La Voz"),
        ("KYIV — Trams ran", "KYIV —", "KYIV", None, None),
    ],
)  # fmt: skip
def test_a_dateline_is_parsed(body: str, text: str, place: str | None, date: str | None, agency: str | None) -> None:
    found = dateline.parse(body, PUBLISHED)
    assert found is not None
    assert (found.text, found.place, found.date, found.agency) == (text, place, date, agency)
    assert body.startswith(found.text)


@pytest.mark.parametrize(
    "body",
    [
        "BREAKING: The bridge is closed",
        "WATCH: Ferry turns back",
        "GRAPHIC DETAIL: The court heard",
        "The European Payments Council (EPC) said on Monday",
        "Senator Ann Poe (R) said she would",
        "Breaking: the bridge is closed",
        "The minister said one thing: no",
        "",
    ],
)
def test_an_opening_that_is_no_dateline_is_left_alone(body: str) -> None:
    assert dateline.parse(body, PUBLISHED) is None


def test_a_summary_above_the_story_does_not_hide_its_dateline() -> None:
    found = dateline.parse("Boats stayed in port.\n\nBEIRUT (AP) — Boats", PUBLISHED)
    assert found is not None
    assert found.place == "BEIRUT"


def test_the_year_is_the_one_that_brings_the_day_nearest_to_publication() -> None:
    found = dateline.parse("PARIS, Dec 31 (AFP) – Crowds", datetime(2026, 1, 1, 0, 30, tzinfo=UTC))
    assert found is not None
    assert found.date == "2025-12-31"


def test_without_a_publication_time_no_year_is_invented() -> None:
    found = dateline.parse("PARIS, Dec 31 (AFP) – Crowds")
    assert found is not None
    assert found.date is None
    assert found.agency == "AFP"
