"""Who speaks: resolved to a name, to the same unnamed source, or honestly to nobody."""

from __future__ import annotations

import pytest

from tests.enrich.spans import Said, claim, enrich

PEOPLE = {
    "Imran Khan": "PERSON",
    "Sadiq Khan": "PERSON",
    "Khan": "PERSON",
    "Hillary Marsh": "PERSON",
    "Narendra Rao": "PERSON",
}


def speaker(text: str, names: dict[str, str], said: list[Said], words: str):  # type: ignore[no-untyped-def]
    found = claim(enrich(text, names, said), words).speaker
    assert found is not None
    return found


def test_a_pronoun_goes_to_the_last_speaker_of_its_sex() -> None:
    text = "Hillary Marsh said rents would fall. Imran Khan disagreed. She said he was wrong."
    found = speaker(
        text, PEOPLE, [("Hillary Marsh", "said", "rents would fall"), ("She", "said", "he was wrong")], "he was"
    )
    assert found.name == "Hillary Marsh"


def test_he_is_nobody_where_two_men_were_named_side_by_side() -> None:
    text = "Imran Khan and Narendra Rao met on Monday. He said the talks were good."
    assert speaker(text, PEOPLE, [("He", "said", "the talks were good")], "the talks").name is None


def test_he_never_goes_to_a_woman() -> None:
    text = "Hillary Marsh said rents would fall. He said they would not."
    said: list[Said] = [("Hillary Marsh", "said", "rents would fall"), ("He", "said", "they would not")]
    assert speaker(text, PEOPLE, said, "they would").name is None


def test_a_surname_of_two_people_is_not_resolved() -> None:
    text = "Imran Khan met Sadiq Khan. Khan said it went well."
    assert speaker(text, PEOPLE, [("Khan", "said", "it went well")], "it went").name is None


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("The premier", "Imran Khan"),
        ("The Indian premier", "Narendra Rao"),
        ("The president", None),
        ("The PM", "Imran Khan"),
    ],
)
def test_an_office_goes_to_the_one_who_holds_it(words: str, name: str | None) -> None:
    text = f"Prime Minister Imran Khan called Indian Prime Minister Narendra Rao. {words} said peace was near."
    found = speaker(text, PEOPLE, [(words, "said", "peace was near")], "peace")
    assert found.name == name


def test_an_office_is_learnt_from_an_apposition() -> None:
    text = "Hillary Marsh, the mayor of Leeds, opened it. The mayor said it was late."
    assert speaker(text, PEOPLE, [("The mayor", "said", "it was late")], "it was").name == "Hillary Marsh"


def test_the_vice_president_is_not_the_president() -> None:
    text = "Vice President Hillary Marsh spoke. The president said nothing would change."
    assert speaker(text, PEOPLE, [("The president", "said", "nothing would change")], "nothing").name is None


def test_the_official_is_the_unnamed_official_of_before() -> None:
    text = "An official, on the condition of anonymity, said it had begun. “It is over,” the official added."
    found = enrich(
        text,
        {},
        [
            ("An official, on the condition of anonymity,", "said", "it had begun"),
            ("the official", "added", "“It is over,”"),
        ],
    )
    first, second = found.claims
    assert first.speaker is not None
    assert second.speaker is not None
    assert (first.speaker.anonymous, first.speaker.kind, first.speaker.reason) == (
        True,
        "anonymous",
        "on the condition of anonymity",
    )
    assert (second.speaker.anonymous, second.speaker.same_as, second.speaker.name) == (True, 0, None)


def test_another_official_is_not_the_same_one() -> None:
    text = "An official said it had begun. Another official said it had not."
    found = enrich(text, {}, [("An official", "said", "it had begun"), ("Another official", "said", "it had not")])
    assert found.claims[1].speaker is not None
    assert found.claims[1].speaker.same_as is None


def test_an_official_who_is_named_is_not_anonymous() -> None:
    text = "Imran Khan, a police official, arrived. The official said it was over."
    found = speaker(text, PEOPLE, [("The official", "said", "it was over")], "it was")
    assert (found.name, found.anonymous) == ("Imran Khan", False)


@pytest.mark.parametrize(
    ("words", "kind", "anonymous"),
    [
        ("Sources", "anonymous", True), ("A senior official", "anonymous", True), ("Two people familiar with the talks", "anonymous", True),
        ("A villager", "anonymous", True), ("Villagers", "collective", False), ("Analysts", "collective", False),
        ("A report", "document", False), ("The survey", "document", False), ("The ministry", "government", False),
        ("The company", "organisation", False), ("The minister", "person", False), ("A judge", "person", False),
        ("A spokesman for the company", "organisation", False),
    ],
)  # fmt: skip
def test_speakers_are_of_six_kinds(words: str, kind: str, anonymous: bool) -> None:
    found = speaker(f"{words} said it was over.", {}, [(words, "said", "it was over")], "it was")
    assert (found.kind, found.anonymous) == (kind, anonymous)


def test_a_capital_speaks_for_its_country() -> None:
    found = speaker("Moscow said it was over.", {"Moscow": "LOC"}, [("Moscow", "said", "it was over")], "it was")
    assert (found.kind, found.name) == ("government", "Russia")


def test_the_latter_is_the_second_of_two() -> None:
    text = "Imran Khan met Narendra Rao, and the latter said he was pleased."
    assert speaker(text, PEOPLE, [("the latter", "said", "he was pleased")], "he was").name == "Narendra Rao"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("An aide who asked not to be named said it was over.", "asked not to be named"),
        ("An aide, speaking on condition of anonymity because he was not authorised to speak to the media, said it was over.",
         "on condition of anonymity because he was not authorised to speak to the media"),
        ("An aide who did not want his name printed said it was over.", "did not want his name printed"),
        ("“It is done,” an aide said, requesting anonymity to discuss private talks.", "requesting anonymity to discuss private talks"),
    ],
)  # fmt: skip
def test_the_reason_for_anonymity_is_kept_as_written(text: str, why: str) -> None:
    words = "it was over" if "it was over" in text else "“It is done,”"
    source = "An aide" if "An aide" in text else "an aide"
    assert speaker(text, {}, [(source, "said", words)], words).reason == why
