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
    shorter = min(a.length, b.length)
    if shorter >= SHORTEST and inside >= (COPY if shorter >= SHORT else COPY_OF_SHORT):
        return Kinship.COPY
    if apart <= EVENT_WINDOW and (alike >= EVENT or (alike >= EVENT_IF_QUOTED and inside >= QUOTED)):
        return Kinship.EVENT
    return Kinship.NONE
