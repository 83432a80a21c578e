"""The whole of enrichment with the packaged model: languages, notes, settings, repeatability."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.enrich import Enricher
from pipeline.enrich.language import detect
from pipeline.errors import ModelError
from pipeline.records import Enriched, from_json, to_json
from pipeline.settings import Settings

NEWS = (
    "KARACHI: Governor Amina Shah said on Monday that the bridge would open in May. “It is safe,” she told reporters.\n\n"
    "An engineer, who asked not to be named, said that two bolts were missing."
)
PUBLISHED = datetime(2024, 8, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def enricher() -> Enricher:
    return Enricher(Settings())


def test_a_wire_story_yields_its_claims(enricher: Enricher) -> None:
    found = enricher.enrich(NEWS, published=PUBLISHED)
    assert found.language == "en"
    assert found.model == enricher.name != ""
    assert any(c.form == "direct" and c.content.text == "“It is safe,”" for c in found.claims)
    assert any(c.speaker and c.speaker.anonymous and c.speaker.reason == "asked not to be named" for c in found.claims)


def test_the_same_text_gives_the_same_bytes(enricher: Enricher) -> None:
    once, again = (to_json(enricher.enrich(NEWS, published=PUBLISHED)) for _ in range(2))
    assert once == again
    assert to_json(from_json(once, Enriched)) == once


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Minister sagte am Montag, die Brücke werde im Mai eröffnet, und niemand müsse sich Sorgen machen.", "de"),
        ("Le ministre a déclaré lundi que le pont ouvrirait en mai et que personne ne devait s’inquiéter.", "fr"),
        ("وقال الوزير يوم الاثنين إن الجسر سيفتح في مايو وإنه لا داعي للقلق على الإطلاق بشأن السلامة", "ar"),
    ],
)
def test_another_language_is_told_and_has_no_claims(enricher: Enricher, text: str, language: str) -> None:
    found = enricher.enrich(text)
    assert (found.language, found.entities, found.claims) == (language, (), ())
    assert found.note is not None
    assert language in found.note


def test_a_text_too_short_to_tell_is_taken_at_its_word() -> None:
    assert detect("Zu spät", "de") == "de"
    assert detect("Zu spät") is None
    assert detect("The end of it") == "en"
    assert detect("12 : 34") is None
    assert detect("Rain", "en-GB") == "en"


def test_enrichment_that_is_off_says_so() -> None:
    found = Enricher(Settings(enrich=False)).enrich(NEWS)
    assert (found.entities, found.claims) == ((), ())
    assert found.note == "enrichment is off"


def test_an_empty_text_is_answered(enricher: Enricher) -> None:
    for text in ("", " \n\n"):
        found = enricher.enrich(text)
        assert found.claims == ()
        assert found.note is not None


@pytest.mark.parametrize("name", ["/nowhere/at/all", "no_such_pipeline_xx"])
def test_a_model_that_is_not_there_is_a_clear_error(name: str) -> None:
    with pytest.raises(ModelError, match=name):
        Enricher(Settings(model=name))


def test_a_folder_that_is_no_model_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=tmp_path.name):
        Enricher(Settings(model=str(tmp_path)))
