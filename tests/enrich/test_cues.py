"""The lexicon of cues: lemmas, classes, negation."""

from __future__ import annotations

import pytest

from pipeline.enrich.cues import CLASSES, classify, is_negated, lexicon, verb_lemma


def test_every_class_has_cues_and_there_are_several_hundred() -> None:
    table = lexicon()
    assert set(table.verbs.values()) == set(CLASSES)
    assert len(table.verbs) + len(table.nouns) + len(table.phrases) > 500


def test_what_the_grammar_trusts_is_in_the_lexicon() -> None:
    table = lexicon()
    assert table.report | table.quoting | table.to <= set(table.verbs)


@pytest.mark.parametrize(
    ("word", "lemma"),
    [
        ("said", "say"), ("told", "tell"), ("denies", "deny"), ("begged", "beg"), ("urging", "urge"), ("admitted", "admit"),
        ("stressed", "stress"), ("judged", "judge"), ("swore", "swear"), ("replies", "reply"), ("believed", "believe"),
        ("criticising", "criticise"), ("vowed", "vow"), ("claims", "claim"),
    ],
)  # fmt: skip
def test_inflections_go_to_their_lemma(word: str, lemma: str) -> None:
    assert verb_lemma(word) == lemma


@pytest.mark.parametrize(
    ("cue", "lemma", "cls"),
    [
        ("has strongly denied", "deny", "deny"),
        ("according to", "according to", "say"),
        ("refused to confirm", "refuse", "decline"),
        ("declined to comment", "decline", "decline"),
        ("pointed out", "point out", "say"),
        ("issued a warning", "warning", "warn"),
        ("has promised", "promise", "promise"),
        ("called for", "call for", "demand"),
        ("accused", "accuse", "accuse"),
        ("asked", "ask", "ask"),
        ("does not believe", "believe", "believe"),
        ("confirmed", "confirm", "confirm"),
        (":", ":", "say"),
    ],
)
def test_a_cue_has_a_lemma_and_a_class(cue: str, lemma: str, cls: str) -> None:
    assert classify(cue) == (lemma, cls)


@pytest.mark.parametrize(
    ("cue", "negated"),
    [
        ("did not say", True), ("has never said", True), ("didn’t confirm", True), ("said", False),
        ("not only said", False), ("denied", False), ("did not deny", False), ("refused to say", False),
    ],
)  # fmt: skip
def test_a_denial_and_a_refusal_are_no_negated_claims(cue: str, negated: bool) -> None:
    assert is_negated(cue, classify(cue)[1]) is negated
