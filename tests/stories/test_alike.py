"""Copies are told from reports that only say other things in the same words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.stories.alike import Kinship, kinship
from pipeline.stories.traits import Likeness, traits
from tests.stories.making import TANKER, document

QUAKE = (
    "An earthquake of magnitude {0} struck {1} on {2}, the regional seismological centre said. There were no immediate "
    "reports of casualties or damage.\n\n"
    "The quake hit at {3} local time at a depth of {4} km, with its epicentre {4} km from {5}, the centre said. It had "
    "earlier put the magnitude at {0}.\n\n"
    "No tsunami warning was issued. Residents of {5} told local radio that they had felt the shaking for some seconds, and "
    "that people had run out into the streets.\n\n"
    "{6}, who heads the district's office for civil protection, said that schools would be inspected before they open."
)
SOUTH = QUAKE.format("5.4", "southern Mindoria", "Monday", "4:12 a.m.", "31", "Port Alvar", "Teresa Lobregat")
KETTAR = QUAKE.format("5.8", "the Kettar islands", "Tuesday", "11:40 p.m.", "70", "Sedonga", "Amir Wahidin")


def kin(a: str, b: str, *, titles: tuple[str, str] = ("A headline", "A headline"), hours: float = 2) -> Kinship:
    first, second = (
        Likeness.unpack(traits(document(name, title, body)).packed)
        for name, title, body in zip("ab", titles, (a, b), strict=True)
    )
    return kinship(first, second, timedelta(hours=hours))


def test_two_reports_of_one_formula_are_two_events() -> None:
    titles = (
        "Magnitude 5.4 earthquake strikes southern Mindoria",
        "Magnitude 5.8 earthquake strikes the Kettar islands",
    )
    assert kin(SOUTH, KETTAR, titles=titles) is Kinship.NONE


@pytest.mark.parametrize("body", [SOUTH, TANKER], ids=["of_a_formula", "of_none"])
def test_a_copy_is_one_whatever_its_headline_and_its_length(body: str) -> None:
    paragraphs = body.split("\n\n")
    for copy in (body, "\n\n".join(paragraphs[:3]), "\n\n".join(paragraphs[1:]), body.replace("said", "says")):
        assert kin(body, copy, titles=("What happened", "Here is all that we know")) is Kinship.COPY
