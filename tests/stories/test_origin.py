"""Whose text an article is, by its own words."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.stories import origin
from tests.stories.making import WELLS, document

CASES: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("agency_in_the_dateline", {}, "GENEVA, Nov 24 (Reuters) - " + WELLS, "Reuters", "dateline"),
    ("agency_by_its_long_name", {}, "GENEVA (Associated Press) — " + WELLS, "AP", "dateline"),
    ("two_agencies_the_first_counts", {"authors": ("AFP/Reuters",)}, WELLS, "AFP", "byline"),
    ("agency_as_the_author", {"authors": ("Press Trust of India",)}, WELLS, "PTI", "byline"),
    ("agency_beside_a_person_is_a_help", {"authors": ("Ruth Okonjo", "Reuters")}, WELLS, "The Valley Echo", "outlet"),
    ("source_line", {}, WELLS + "\n\nSource: dpa", "dpa", "credit"),
    ("dash_line", {}, WELLS + "\n\n—Meridian", "Meridian", "credit"),
    ("in_brackets", {}, WELLS + "\n\n(ANI)", "ANI", "credit"),
    ("set_apart_by_the_page", {"credit": "With inputs from AFP"}, WELLS, "AFP", "credit"),
    ("based_on", {"credit": "This article is based on copy from the Meridian news agency."}, WELLS, "Meridian", "credit"),
    ("a_helping_person_is_no_agency", {"credit": "Additional reporting by Donald Matthys"}, WELLS, "The Valley Echo", "outlet"),
    ("a_staff_byline_is_the_outlet", {"authors": ("Echo News Desk",)}, WELLS, "The Valley Echo", "outlet"),
    ("nothing_said", {}, WELLS, "The Valley Echo", "outlet"),
    ("editors_are_no_origin", {"credit": "Reporting by A. Deshpande; Editing by T. Okafor"}, WELLS, "The Valley Echo", "outlet"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "body", "name", "where"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_origin_is_read_from(more: dict[str, Any], body: str, name: str, where: str) -> None:
    found = origin.read(document("a", "Wells locked", body, **more).article)
    assert (found.name, found.read_from) == (name, where)


def test_an_agency_s_own_text_is_its_own_by_either_name() -> None:
    dated = origin.read(document("a", "Wells", "GENEVA (Meridian) - " + WELLS, source="Meridian News Agency").article)
    plain = origin.read(document("b", "Wells", WELLS, source="Meridian News Agency").article)
    assert dated.name == plain.name == "Meridian"


def test_an_outlet_that_cuts_its_own_name_short_is_no_agency() -> None:
    found = origin.read(document("a", "Pozos", "SALTO (La Voz) - " + WELLS, source="La Voz del Estuario").article)
    assert (found.name, found.read_from) == ("La Voz del Estuario", "outlet")


def test_inputs_from_an_agency_under_a_person_s_name_leave_the_origin_open() -> None:
    article = document("a", "Wells", WELLS, authors=("Ruth Okonjo",), credit="With inputs from AFP").article
    assert origin.read(article).weak
