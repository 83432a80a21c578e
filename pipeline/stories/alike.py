"""Whether two articles are copies of one text, or accounts of one event: decided from the two alone, so that the order
in which a thousand arrive does not matter.

The numbers were chosen on one half of the labelled pairs (``bench/stories``) and are measured on the other.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from pipeline.stories.terms import likeness
from pipeline.stories.text import overlap
from pipeline.stories.traits import Likeness

LEAST = 0.15
"""Likeness of terms below which two articles are nothing to each other, and their texts are not compared: of 511
labelled copies, the least alike have 0.3 (2026-11-25)."""
COPY = 0.5
"""Share of the shorter text that is in the longer from which it is a copy; 2026-11-25."""
COPY_OF_SHORT = 0.8
"""The same for texts of fewer than ``SHORT`` words: two feeds' summaries share a phrase easily."""
SHORT = 60
SHORTEST = 12
"""Words below which a text is a headline, and no copy of anything."""
FORMULA_LENGTH, FORMULA_TEXT, FORMULA_TERMS = 0.93, 0.8, 0.43
"""Two texts of the same length (the shorter's share of the longer), that have half of their words in common and not
nearly all, and are about other things, are of one formula: earthquakes, closing prices and road deaths are reported in
the same words day by day. A copy that is as long as its original has nearly all of it, or at least its names. Chosen on
the half of the labelled pairs that is for it, on which 8 of 9 such pairs are told from copies, and 3 of 168 copies are
lost; 2026-11-26."""
COPY_WINDOW = timedelta(days=7)
"""Between two copies: weeklies carry wire copy of their week."""

EVENT = 0.4
"""Likeness of terms from which two articles are about one event; 2026-11-25."""
EVENT_WINDOW = timedelta(days=3)
"""Between two accounts of one event. A longer story is joined by what comes out between them."""
QUOTED = 0.12
"""Share of the shorter text, in the longer: two accounts with a paragraph in common …"""
EVENT_IF_QUOTED = 0.3
"""… need be less alike beside that."""


class Kinship(Enum):
    """What two articles are to each other."""

    NONE = "none"
    EVENT = "event"
    COPY = "copy"


def kinship(a: Likeness, b: Likeness, apart: timedelta) -> Kinship:
    """Whether two articles, so far apart in time, are copies of one text, or accounts of one event."""
    apart = abs(apart)
    alike = likeness(a.terms, b.terms)
    if alike < LEAST or apart > COPY_WINDOW:
        return Kinship.NONE
    inside = max(overlap(a.sketch, b.sketch))
    shorter, longer = sorted((a.length, b.length))
    if _by_formula(alike, inside, shorter / max(longer, 1)):
        return Kinship.NONE
    if shorter >= SHORTEST and inside >= (COPY if shorter >= SHORT else COPY_OF_SHORT):
        return Kinship.COPY
    if apart <= EVENT_WINDOW and (alike >= EVENT or (alike >= EVENT_IF_QUOTED and inside >= QUOTED)):
        return Kinship.EVENT
    return Kinship.NONE


def _by_formula(alike: float, inside: float, length: float) -> bool:
    """Whether two texts have their words in common because all such reports do."""
    return length >= FORMULA_LENGTH and COPY <= inside < FORMULA_TEXT and alike < FORMULA_TERMS
