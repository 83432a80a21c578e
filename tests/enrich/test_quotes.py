"""Where quotations are, and what form of speech they make."""

from __future__ import annotations

import pytest

from pipeline.enrich.passage import Passage
from pipeline.enrich.quotes import Quotations


def quoted(text: str) -> list[str]:
    return [text[q.start : q.end] for q in Quotations(text, Passage(text).paragraphs).all]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"Go," he said. "Now."', ['"Go,"', '"Now."']),
        ("“Go,” he said. “Now.”", ["“Go,”", "“Now.”"]),
        ("«Partez», dit-il.", ["«Partez»"]),
        ("„Geht“, sagte er.", ["„Geht“"]),
        ("‘It’s the boys’ club,’ she said.", ["‘It’s the boys’ club,’"]),
        ("'It's ours,' she said.", ["'It's ours,'"]),
        ("The brothers' house isn't theirs; the '90s are over.", []),
        ('He is 5\'10" tall and "proud".', ['"proud"']),
        ("No marks at all.", []),
    ],
)
def test_quotations_are_found_and_apostrophes_are_not(text: str, found: list[str]) -> None:
    assert quoted(text) == found


def test_a_quotation_of_several_paragraphs_is_one_quotation_a_paragraph() -> None:
    text = "“First part.\n\n“Second part.\n\n“Third part,” he said. “Tail.”"
    assert quoted(text) == ["“First part.", "“Second part.", "“Third part,”", "“Tail.”"]


def test_a_mark_that_is_never_closed_reaches_no_further_than_its_paragraph() -> None:
    assert quoted("He said “we will go.\n\nThey stayed.") == ["“we will go."]


def test_marks_alone_are_read_without_harm() -> None:
    for mark in "\"“”'‘’«»":
        assert isinstance(quoted(mark * 301), list)


@pytest.mark.parametrize(
    ("content", "form"),
    [("“we will go”", "direct"), ("that they will go", "indirect"), ("that they will “go far” soon", "mixed")],
)
def test_the_form_follows_from_the_marks(content: str, form: str) -> None:
    text = f"He said {content}."
    start = text.index(content)
    spans = [(start, start + len(content))]
    assert Quotations(text, Passage(text).paragraphs).form(spans) == form
