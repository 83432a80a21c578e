"""The first use case: one wire article, dense with anonymous and nested attribution (not part of the repository)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.enrich import Enricher
from pipeline.records import Claim, Enriched
from pipeline.settings import Settings

ARTICLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "seed" / "pakistan-diplomatic-offensive.txt"
PUBLISHED = datetime(2019, 8, 21, tzinfo=UTC)

# The words with which each attribution's content begins, and who says it: "sources", or "official".
SAID = [
    ("that a telephonic conversation was held", "sources"),
    ("that the premier also asked", "sources"),
    ("He also warned that", "sources"),
    ("that the US president also contacted", "sources"),
    ("“Trump also urged Modi", "sources"),
    ("that the US president then called", "sources"),
    ("He also told him that", "sources"),
    ("“The conversation between", "sources"),
    ("that the US envoy on Afghan", "sources"),
    ("“We are using all possible", "sources"),
    ("that Pakistan has credible", "official"),
    ("“We know there have been", "official"),
    ("that Pakistan’s success", "official"),
    ("“India employed all possible", "official"),
    ("that Russia backed", "official"),
    ("“Although India requested", "official"),
    ("Key support", "official"),
    ("that the only country", "official"),
    ("“Pakistan went an extra", "official"),
]
# Claims inside these, and whose they are by name.
INSIDE = [
    ("to stop India changing", "Imran Khan"),
    ("that Pakistan would have no other option", "Imran Khan"),
    ("to restore normalcy", "Donald Trump"),
    ("that he had spoken to the Indian premier", "Donald Trump"),
    ("that Modi had expressed concerns", "Donald Trump"),
]

pytestmark = pytest.mark.skipif(not ARTICLE.exists(), reason="the seed article is not beside this checkout")


@pytest.fixture(scope="module")
def article() -> str:
    return ARTICLE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def found(article: str) -> Enriched:
    return Enricher(Settings()).enrich(article, published=PUBLISHED)


def said(found: Enriched, words: str) -> Claim:
    claims = [claim for claim in found.claims if claim.content.text.startswith(words)]
    assert claims, f"nobody says {words!r}"
    return claims[0]


def root(found: Enriched, claim: Claim) -> int:
    assert claim.speaker is not None
    index = found.claims.index(claim)
    return claim.speaker.same_as if claim.speaker.same_as is not None else index


@pytest.mark.parametrize(("words", "who"), SAID)
def test_every_attribution_is_a_claim_of_the_right_unnamed_speaker(found: Enriched, words: str, who: str) -> None:
    claim = said(found, words)
    assert claim.speaker is not None
    assert claim.speaker.anonymous
    assert claim.speaker.name is None
    assert who in claim.speaker.text.lower()
    assert claim.parent is None


def test_the_sources_are_one_and_the_official_is_another(found: Enriched) -> None:
    roots = {
        who: {root(found, said(found, words)) for words, whose in SAID if whose == who}
        for who in ("sources", "official")
    }
    assert {who: len(each) for who, each in roots.items()} == {"sources": 1, "official": 1}
    assert roots["sources"] != roots["official"]


def test_the_officials_reason_is_kept_as_written(found: Enriched) -> None:
    speaker = said(found, "that Pakistan has credible").speaker
    assert speaker is not None
    assert speaker.reason == "on the condition of anonymity"


@pytest.mark.parametrize(("words", "name"), INSIDE)
def test_claims_inside_claims_name_those_who_are_only_talked_about(found: Enriched, words: str, name: str) -> None:
    claim = said(found, words)
    assert claim.parent is not None
    assert claim.speaker is not None
    assert claim.speaker.name == name


def test_nobody_is_named_falsely(found: Enriched) -> None:
    named = {claim.speaker.name for claim in found.claims if claim.speaker and claim.speaker.name}
    assert named <= {"Imran Khan", "Donald Trump", "Narendra Modi", "India", "Pakistan"}
    assert all(claim.parent is not None for claim in found.claims if claim.speaker and claim.speaker.name)


def test_the_seven_quotations_are_direct_and_the_rest_is_not(found: Enriched) -> None:
    for words, _ in SAID:
        claim = said(found, words)
        assert (claim.form == "direct") == words.startswith("“"), words
    assert said(found, "He also told him").form == "mixed"


def test_acronyms_go_to_their_long_names(found: Enriched) -> None:
    names = {entity.text: entity.name for entity in found.entities}
    assert names["UNSC"] == "United Nations Security Council"
    assert names["IOK"] == "Indian Occupied Kashmir"
    assert names["ICJ"] == "International Court of Justice"


def test_what_was_said_on_monday_night_was_said_on_the_nineteenth(found: Enriched) -> None:
    when = said(found, "that he had spoken to the Indian premier").when
    assert when is not None
    assert (when.text, when.earliest) == ("Monday night", "2019-08-19")
