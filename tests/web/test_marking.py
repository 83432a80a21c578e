"""Entities and claims marked in place, wherever they overlap and nest."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import Claim, Content, Cue, Document, Enriched, Entity, Speaker
from pipeline.web.marking import depth, markup, paragraphs
from tests.conformance.wire import document

BODY = 'The minister said that Khan "denies it all," and left.\n\nHe <b>smiled</b>.'


def at(words: str, body: str = BODY) -> tuple[int, int]:
    start = body.index(words)
    return start, start + len(words)


def claim(content: str, cue: str | None = None, speaker: str | None = None, cls: str = "say", **more: object) -> Claim:
    return Claim(
        speaker=Speaker(start=at(speaker)[0], end=at(speaker)[1], text=speaker) if speaker else None,
        cue=Cue(start=at(cue)[0], end=at(cue)[1], text=cue, lemma=cue, cls=cls) if cue else None,
        content=Content(text=content, spans=(at(content),)),
        form="indirect",
        **more,  # type: ignore[arg-type]
    )


def story(*claims: Claim, entities: tuple[Entity, ...] = (), body: str = BODY) -> Document:
    made = document("marked", "A title", body)
    return replace(made, enriched=Enriched(language="en", claims=claims, entities=entities))


def entity(words: str, label: str = "PERSON") -> Entity:
    start, end = at(words)
    return Entity(start=start, end=end, text=words, label=label, name=words)


NESTED = story(
    claim('that Khan "denies it all,"', "said", "The minister"),
    claim("it all", "denies", "Khan", "deny", parent=0),
    entities=(entity("Khan"),),
)


def test_the_pieces_of_a_paragraph_are_the_paragraph() -> None:
    assert ["".join(piece.text for piece in pieces) for pieces in paragraphs(NESTED)] == BODY.split("\n\n")


def test_a_claim_within_a_claim_is_marked_as_both() -> None:
    pieces = {piece.text: piece for pieces in paragraphs(NESTED) for piece in pieces}
    assert pieces["it all"].content == (0, 1)
    assert pieces["denies"].cue == (1,)
    assert pieces["denies"].content == (0,)
    khan = pieces["Khan"]
    assert (khan.entity and khan.entity.name, khan.speaker, khan.claims) == ("Khan", (1,), (0, 1))


def test_the_words_of_each_claim_have_a_place_to_go_to() -> None:
    html = markup(paragraphs(NESTED)[0], NESTED.enriched.claims)
    assert re.findall(r'id="w(\d+)"', html) == ["0", "1"]
    assert 'href="#claim-0">said</a>' in html
    assert '<a class="e" href="/name/Khan" title="Khan">Khan</a>' in html
    assert 'class="c d2 deny" data-claims="0 1">it all' in html


def test_the_chosen_claim_stands_out() -> None:
    html = markup(paragraphs(NESTED)[0], NESTED.enriched.claims, chosen=1)
    assert re.findall(r'<span class="([^"]*) on"', html) == ["c d1 s deny", "c d1 cue deny", "c d2 deny"]


def test_marks_that_cross_are_cut_at_every_edge() -> None:
    crossing = story(claim("minister said that"), claim("said that Khan"))
    pieces = [(piece.text, piece.content) for piece in paragraphs(crossing)[0]]
    assert pieces[:4] == [("The ", ()), ("minister ", (0,)), ("said that", (0, 1)), (" Khan", (1,))]


def test_markup_in_a_body_is_text() -> None:
    html = markup(paragraphs(story())[1], ())
    assert html == "He &lt;b&gt;smiled&lt;/b&gt;."


def test_a_claim_of_a_name_that_is_no_name_is_still_escaped() -> None:
    odd = Entity(start=4, end=12, text="minister", label="PERSON", name='"><script>x</script>')
    html = markup(paragraphs(story(entities=(odd,)))[0], ())
    assert "<script" not in html
    assert 'href="/name/%22%3E%3Cscript%3Ex%3C%2Fscript%3E"' in html


def test_dates_and_sums_are_not_marked() -> None:
    assert all(piece.entity is None for piece in paragraphs(story(entities=(entity("left", "DATE"),)))[0])


def test_marks_outside_the_body_are_passed_over() -> None:
    far = Claim(speaker=None, cue=None, content=Content(text="?", spans=((500, 510), (-3, 2), (8, 8))), form="direct")
    assert [piece.text for piece in paragraphs(story(far))[0]] == [BODY.split("\n\n")[0]]


def test_claims_that_stand_inside_each_other_in_a_circle_end() -> None:
    circle = (replace(claim("it all"), parent=1), replace(claim("said"), parent=0))
    assert depth(circle) == [1, 1]


SPANS = st.tuples(st.integers(0, 80), st.integers(0, 80)).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(st.lists(SPANS, min_size=1, max_size=3), max_size=6), st.lists(SPANS, max_size=6), st.text(max_size=80))
def test_whatever_the_marks_no_character_is_lost_or_doubled(
    contents: list[list[tuple[int, int]]], entities: list[tuple[int, int]], body: str
) -> None:
    claims = [
        Claim(speaker=None, cue=None, content=Content(text="", spans=tuple(spans)), form="direct") for spans in contents
    ]
    marked = story(
        *claims,
        entities=tuple(Entity(start=low, end=high, text="", label="ORG", name="N") for low, high in entities),
        body=body,
    )
    html = "".join(markup(pieces, marked.enriched.claims) for pieces in paragraphs(marked))
    assert unescape(re.sub(r"<[^>]*>", "", html)) == "".join(
        part for part in re.split(r"\n\s*\n", body) if part.strip()
    )
