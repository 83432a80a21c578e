"""Claims over spans given by hand: nesting, what the tagger missed, hedges, dates, odd input."""

from __future__ import annotations

import pytest

from tests.enrich.spans import claim, enrich

NAMES = {"Trump": "PERSON", "Donald Trump": "PERSON", "Imran Khan": "PERSON", "Khan": "PERSON"}


def test_claims_inside_claims_point_to_the_one_around_them() -> None:
    text = "The official said that Trump told Khan that the bank had warned him that the rupee would fall."
    whole = "that Trump told Khan that the bank had warned him that the rupee would fall"
    found = enrich(text, NAMES, [("The official", "said", whole)])
    assert [(c.cue.text if c.cue else None, c.parent) for c in found.claims] == [
        ("said", None), ("told", 0), ("had warned", 1),
    ]  # fmt: skip
    assert found.claims[1].content.text == "that the bank had warned him that the rupee would fall"
    assert found.claims[2].content.text == "that the rupee would fall"


def test_and_asked_him_has_the_subject_of_the_verb_before() -> None:
    text = "Sources said that Trump called Khan on Monday night and asked him to stop."
    found = enrich(text, NAMES, [("Sources", "said", "that Trump called Khan on Monday night and asked him to stop")])
    inner = claim(found, "to stop")
    assert inner.speaker is not None
    assert (inner.speaker.text, inner.parent) == ("Trump", 0)
    assert inner.when is not None
    assert (inner.when.text, inner.when.earliest) == ("Monday night", "2024-08-19")


@pytest.mark.parametrize(
    ("text", "source", "cue", "content"),
    [
        ("“We will not go back,” the minister said.", "the minister", "said", "“We will not go back,”"),
        ("“We will not go back,” said the minister.", "the minister", "said", "“We will not go back,”"),
        ("Officials said that the road was shut.", "Officials", "said", "that the road was shut"),
        ("The road was shut, officials said.", "officials", "said", "The road was shut"),
        (
            "Key support, the official said, came from abroad and home.",
            "the official",
            "said",
            "Key support came from abroad and home",
        ),
        (
            "According to the ministry, the road was shut for days.",
            "the ministry",
            "According to",
            "the road was shut for days",
        ),
        (
            "The road was shut for days, according to the ministry.",
            "the ministry",
            "according to",
            "The road was shut for days",
        ),
    ],
)
def test_the_plainest_attributions_are_found_without_the_tagger(text: str, source: str, cue: str, content: str) -> None:
    (found,) = enrich(text).claims
    assert found.speaker is not None
    assert found.cue is not None
    assert (found.speaker.text, found.cue.text, found.content.text) == (source, cue, content)


def test_a_second_quotation_behind_the_tag_belongs_to_the_first() -> None:
    (found,) = enrich("“We will not go back,” the minister said. “We will stay right here.”").claims
    assert [*found.content.spans] == [(0, 22), (42, 68)]
    assert found.form == "direct"


def test_a_paragraph_that_is_all_quotation_goes_on_with_the_speaker_before() -> None:
    text = "“We will not go back,” the minister said.\n\n“Nor will we wait for them any longer.”"
    first, second = enrich(text).claims
    assert second.cue is None
    assert first.speaker is not None
    assert second.speaker is not None
    assert (second.speaker.start, second.form) == (first.speaker.start, "direct")


@pytest.mark.parametrize(
    ("text", "cue", "hedge"),
    [
        ("He reportedly said it was over.", "said", "reportedly"),
        ("He may have said it was over.", "said", "may have"),
        ("He appeared to suggest it was over.", "appeared to suggest", "appeared to suggest"),
        ("He said it was over.", "said", None),
    ],
)
def test_hedges_are_kept_as_written(text: str, cue: str, hedge: str | None) -> None:
    assert claim(enrich(text, {}, [("He", cue, "it was over")]), "it was").hedge == hedge


def test_an_agentless_passive_has_no_speaker() -> None:
    found = claim(enrich("It was reported that he fled.", {}, [("It", "was reported", "that he fled")]), "that he")
    assert found.speaker is None


def test_a_dateline_speaks_to_nobody() -> None:
    found = enrich("KARACHI: Officials said that the road was shut.", {"KARACHI": "LOC"})
    assert [c.speaker.text for c in found.claims if c.speaker] == ["Officials"]
    assert found.entities[0].name == "Karachi"


def test_the_entities_of_a_content_are_named_once_each_in_order() -> None:
    text = "Officials said that Imran Khan met Trump and that Khan left."
    found = enrich(text, NAMES, [("Officials", "said", "that Imran Khan met Trump and that Khan left")])
    assert found.claims[0].entities == ("Imran Khan", "Trump")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\n ",
        "a",
        "?",
        "said",
        "“",
        '"' * 999,
        "“”" * 400,
        "的" * 300,
        "He said that " * 400,
        "no ends " * 2000,
        "A (B) " * 300,
    ],
)
def test_odd_input_is_answered_honestly(text: str) -> None:
    found = enrich(text)
    for each in found.claims:
        assert all(0 <= start < end <= len(text) for start, end in each.content.spans)
        for part in (each.speaker, each.cue):
            assert part is None or text[part.start : part.end] == part.text


def test_spans_that_make_no_sense_do_no_harm() -> None:
    from pipeline.enrich import Enricher
    from pipeline.enrich.tagger import Attribution, Mention, Tagged
    from pipeline.settings import Settings

    class Wild:
        name = "wild"

        def tag(self, text: str) -> Tagged:
            size = len(text)
            return Tagged(
                (Mention(0, size, "PERSON", 0.1), Mention(3, 4, "ORG", 0.2), Mention(size - 1, size + 9, "LOC", 0.3)),
                (Attribution((), (), ((0, size),), 0.1), Attribution(((0, 1),), ((size, size + 5),), (), 0.1)),
            )

    for text in ("Khan, he said. “Go.”", "“", "x y z", "The official said that he told him that it was."):
        Enricher(Settings(), model=Wild()).enrich(text, language="en")


def test_whatever_spans_a_model_gives_every_offset_fits_its_words() -> None:
    import random

    from pipeline.enrich import Enricher
    from pipeline.enrich.tagger import Attribution, Mention, Tagged
    from pipeline.settings import Settings

    chance = random.Random(7)
    story = (
        "KARACHI: Imran Khan met Narendra Rao (NR) on Monday. “We agreed,” the premier said, adding that he told him that "
        "Khan had asked to go.\n\n“It is over.\n\n“All over,” said a source, who asked not to be named. According to "
        "the report, officials said that it was, the ministry said.\n\n"
    )

    class Anything:
        name = "anything"

        def tag(self, text: str) -> Tagged:
            def span(longest: int) -> tuple[int, int]:
                start = chance.randrange(len(text))
                return start, min(len(text), start + chance.randrange(1, longest))

            def spans(longest: int) -> tuple[tuple[int, int], ...]:
                return tuple(span(longest) for _ in range(chance.choice((0, 1, 1, 2))))

            labels = ("PERSON", "ORG", "LOC", "NORP", "DATE", "MISC")
            return Tagged(
                tuple(Mention(*span(20), chance.choice(labels), chance.random()) for _ in range(12)),
                tuple(Attribution(spans(50), spans(20), spans(150), chance.random()) for _ in range(8)),
            )

    enricher = Enricher(Settings(), model=Anything())
    for _ in range(60):
        cut = chance.randrange(30, len(story))
        text = story[cut:] + story[: chance.randrange(cut)]
        found = enricher.enrich(text, language="en")
        for each in found.entities:
            assert text[each.start : each.end] == each.text != ""
        for index, made in enumerate(found.claims):
            assert made.parent is None or made.parent != index
            assert list(made.content.spans) == sorted(made.content.spans)
            assert made.content.text == " ".join(text[start:end] for start, end in made.content.spans)
            for part in (made.speaker, made.cue):
                assert part is None or text[part.start : part.end] == part.text != ""
