"""What an article says became of it, in wire style and in pages' own notes."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.records import Status
from pipeline.stories import notices
from tests.stories.making import WELLS, document

TITLES = [
    ("Herders accuse county of locking wells", Status.CURRENT),
    ("UPDATE 2-Herders accuse county of locking wells", Status.UPDATED),
    ("Update 3: Herders accuse county", Status.UPDATED),
    ("CORRECTED-Herders accuse county of locking wells", Status.CORRECTED),
    ("CORRECTED-UPDATE 1-Herders accuse county of locking wells", Status.CORRECTED),
    ("CORRECTION: Herders accuse county", Status.CORRECTED),
    ("REFILE-Herders accuse county of locking wells", Status.CORRECTED),
    ("CLARIFICATION: Herders accuse county", Status.CLARIFIED),
    ("KILL-Herders accuse county of locking wells", Status.KILLED),
    ("ADVISORY-WITHDRAWN-Herders accuse county", Status.WITHDRAWN),
    ("WITHDRAWN: Herders accuse county of locking wells", Status.WITHDRAWN),
    ("Kill the bill, say protesters", Status.CURRENT),
    ("Update your phone now, experts warn", Status.CURRENT),
    ("Corrections officers strike in three states", Status.CURRENT),
    ("Urgent: herders accuse county", Status.CURRENT),
]


@pytest.mark.parametrize(("title", "status"), TITLES)
def test_labels_of_headlines(title: str, status: Status) -> None:
    assert notices.read(document("a", title, WELLS).article).status is status


NOTES: list[tuple[dict[str, Any], str, Status]] = [
    ({}, "(Corrects price of a goat in paragraph 1)\n\n" + WELLS, Status.CORRECTED),
    ({}, WELLS + "\n\nCorrection: An earlier version of this story misstated the number of animals.", Status.CORRECTED),
    ({}, WELLS + "\n\nThis article was amended on 24 November. Mr Wario has 22 animals, not 12.", Status.CORRECTED),
    ({"notes": ("Clarification: The county owns the wells, and leases them.",)}, WELLS, Status.CLARIFIED),
    ({"notes": ("This story has been withdrawn.",)}, WELLS, Status.WITHDRAWN),
    ({}, WELLS + "\n\nCorrect answers were given by nine of ten pupils.", Status.CURRENT),
    ({}, WELLS + "\n\nThe ministry said that the report was wrong and would be corrected.", Status.CURRENT),
]


@pytest.mark.parametrize(("more", "body", "status"), NOTES)
def test_notes_of_pages(more: dict[str, Any], body: str, status: Status) -> None:
    found = notices.read(document("a", "Herders accuse county", body, **more).article)
    assert found.status is status
    assert (found.note is not None) == (status is not Status.CURRENT)


def test_a_kill_names_the_headline_that_it_takes_back() -> None:
    body = 'GENEVA, Nov 24 (Meridian) - Please kill the story headlined "Minister resigns over port contract". It is wrong.'
    found = notices.read(document("k", "KILL-Minister resigns over port", body).article)
    assert found.kills == "Minister resigns over port contract"


def test_the_number_of_an_update_is_read() -> None:
    assert notices.read(document("a", "UPDATE 4-Wells locked in drought", WELLS).article).update == 4


def test_labels_are_no_part_of_a_headline() -> None:
    assert notices.bare_title("CORRECTED-UPDATE 1-Wells locked") == "Wells locked"
