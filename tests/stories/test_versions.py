"""What a new version changed: sentences, and claims."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.records import Claim, SentenceChange
from pipeline.stories.versions import claim_changes, difference, fingerprint, sentence_changes
from tests.stories.making import WELLS, claim, document

SAME = [
    ("white_space", lambda text: text.replace(" ", "  ").replace("\n\n", "\n\n\n")),
    ("curly_quotes", lambda text: text.replace("'", "’").replace('"', "“")),
    ("an_updated_clock", lambda text: text + "\n\nLast updated: 24 Nov 2026 12:43 GMT"),
    ("so_long_ago", lambda text: "Updated 3 minutes ago\n\n" + text),
    ("reading_time", lambda text: text + "\n\n4 min read"),
    ("capitals", lambda text: text.replace("Herders", "HERDERS")),
]


@pytest.mark.parametrize("change", [case[1] for case in SAME], ids=[case[0] for case in SAME])
def test_it_is_no_new_version_where_only_this_was_changed(change) -> None:  # type: ignore[no-untyped-def]
    before = document("a", "Wells locked in drought", WELLS)
    after = document("a", "Wells locked in drought", change(WELLS))
    assert fingerprint(before.article) == fingerprint(after.article)


def test_a_number_and_a_headline_make_a_new_version() -> None:
    first = fingerprint(document("a", "Wells locked", WELLS).article)
    assert fingerprint(document("a", "Wells locked", WELLS.replace("22", "12")).article) != first
    assert fingerprint(document("a", "Wells are locked", WELLS).article) != first


def test_sentences_come_go_and_are_altered() -> None:
    before = "Nine people died in the fire. The mayor blamed the owner. Rain is expected."
    after = "Eleven people died in the fire. Rain is expected. The owner was arrested on Monday night."
    assert sentence_changes(before, after) == (
        SentenceChange(before="Nine people died in the fire.", after="Eleven people died in the fire."),
        SentenceChange(before="The mayor blamed the owner.", after=None),
        SentenceChange(before=None, after="The owner was arrested on Monday night."),
    )


def test_a_sentence_that_was_only_moved_is_no_change() -> None:
    assert sentence_changes("One came. Two went. Three stayed.", "Three stayed. One came. Two went.") == ()


TALKS = "officials had met in Muscat to discuss the crossing"
QUOTE = claim(TALKS, name="Raghav Sethuraman", form="direct")
CHANGES: list[tuple[str, list[Claim], list[Claim], list[tuple[str, ...]]]] = [
    ("nothing", [QUOTE], [QUOTE], []),
    ("a_quote_dropped", [QUOTE], [], [("quote-dropped",)]),
    ("a_quote_added", [], [QUOTE], [("quote-added",)]),
    ("a_claim_added", [], [claim(TALKS, name="India")], [("claim-added",)]),
    ("a_denial_added", [], [claim(TALKS, name="India", cue="denied", cls="deny")], [("denial-added",)]),
    (
        "a_speaker_made_anonymous",
        [QUOTE],
        [claim(TALKS, by="a senior official", anonymous=True, kind="anonymous", form="direct")],
        [("speaker-made-anonymous",)],
    ),
    (
        "a_speaker_named",
        [claim(TALKS, by="a senior official", anonymous=True, kind="anonymous", form="direct")],
        [QUOTE],
        [("speaker-named",)],
    ),
    ("another_speaker", [QUOTE], [claim(TALKS, name="Nadia Tareen", form="direct")], [("speaker-changed",)]),
    ("a_shorter_name_is_no_other_speaker", [QUOTE], [claim(TALKS, name="Sethuraman", form="direct")], []),
    ("a_quote_put_into_other_words", [QUOTE], [replace(QUOTE, form="indirect")], [("quote-paraphrased",)]),
    (
        "said_becomes_denied",
        [claim(TALKS, name="India")],
        [claim(TALKS, name="India", cue="denied", cls="deny")],
        [("denial-added",)],
    ),
    ("a_hedge_added", [QUOTE], [replace(QUOTE, hedge="reportedly")], [("hedge-added",)]),
    (
        "other_words",
        [QUOTE],
        [claim(TALKS.replace("discuss", "reopen"), name="Raghav Sethuraman", form="direct")],
        [("wording-changed",)],
    ),
]


@pytest.mark.parametrize(("before", "after", "what"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_a_change_of_claims(before: list[Claim], after: list[Claim], what: list[tuple[str, ...]]) -> None:
    assert [change.what for change in claim_changes(before, after)] == what


def test_a_difference_keeps_the_headline_of_before_only_where_it_was_changed() -> None:
    first, second = document("a", "Wells locked", WELLS), document("a", "Wells sold", WELLS)
    assert difference(first, second).title == "Wells locked"
    assert difference(first, first) == difference(second, second)
