"""Claims that are one assertion, and claims that stand against each other."""

from __future__ import annotations

import pytest

from pipeline.records import Claim, Relation
from pipeline.stories.assertions import is_same, opposition, said
from tests.stories.making import claim, document

MET = "its officials had met Pakistani counterparts in Oman to discuss a crossing on the Line of Control"
MEETING = "officials met Pakistani counterparts in Oman about the crossing on the Line of Control"
FLOOD = "the reservoir above Karwan would hold through the winter rains"


def one(made: Claim):  # type: ignore[no-untyped-def]
    (found,) = said(document("a", "t", "b", claims=(made,)))
    return found


SAME = [
    ("the_same_words", claim(MET, name="India"), claim(MET, name="India"), True),
    ("near_words", claim(MET, name="India"), claim(MEETING, name="India"), True),
    ("a_last_name", claim(MET, name="Raghav Sethuraman"), claim(MET, name="Sethuraman"), True),
    ("another_speaker", claim(MET, name="India"), claim(MET, name="Pakistan"), False),
    ("another_matter", claim(MET, name="India"), claim(FLOOD, name="India"), False),
    ("said_and_denied", claim(MET, name="India"), claim(MET, name="India", cue="denied", cls="deny"), False),
    ("two_unnamed_sources", claim(MET, by="an official", anonymous=True), claim(MET, by="an official", anonymous=True), False),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "same"), [case[1:] for case in SAME], ids=[case[0] for case in SAME])
def test_one_assertion(a: Claim, b: Claim, same: bool) -> None:
    assert is_same(one(a), one(b)) is same


DENIED = claim(MET, name="India", cue="denied", cls="deny")
AGAINST = [
    ("confirmed_after_denied", DENIED, claim(MEETING, name="India", cue="confirmed", cls="confirm"), Relation.REVERSAL),
    ("denied_by_another", claim(MET, name="Pakistan"), DENIED, Relation.CONTRADICTION),
    ("an_unnamed_source_denied_by_name", claim(MET, by="two sources", anonymous=True), DENIED, Relation.CONTRADICTION),
    ("did_not_deny", DENIED, claim(MET, name="India", cue="denied", cls="deny", negated=True), Relation.REVERSAL),
    ("the_same_denial", DENIED, DENIED, None),
    (
        "a_denial_of_something_else",
        claim(FLOOD, name="India", cue="denied", cls="deny"),
        claim(MET, name="India"),
        None,
    ),
]


@pytest.mark.parametrize(("a", "b", "relation"), [case[1:] for case in AGAINST], ids=[case[0] for case in AGAINST])
def test_opposites(a: Claim, b: Claim, relation: Relation | None) -> None:
    found = opposition(one(a), one(b))
    assert (found[0] if found else None) is relation
    assert found is None or 0 < found[1] < 1  # a machine's guess


def test_questions_demands_and_empty_words_assert_nothing() -> None:
    claims = (claim(MET, name="A", cls="ask"), claim(MET, name="A", cls="demand"), claim("it is true", name="A"))
    assert said(document("a", "t", "b", claims=claims)) == []
