"""Reads the lines above a story that old templates leave in its body: the headline again, the byline, the day.

They are taken off the body and tell what the page did not say elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.extract import byline, dates
from pipeline.extract.text import squash

# How far down such lines stand, and how long one can be.
_LINES, _LONGEST = 6, 90
_BYLINE = re.compile(
    r"\s*(?i:by|von|par|por|di|door|text:|autor:|author:|written\s+by)\s+(?P<names>[^\W\d_a-z].{2,80})$"
)
_NAMES = re.compile(
    r"[^\W\d_a-z][\w.'’-]*(?:\s+(?:[a-z]{2,3}\s+){0,2}[^\W\d_a-z][\w.'’-]*){1,4}"
    r"(?:\s*(?:,|&|and|und|et|y)\s+[^\W\d_a-z][\w.'’-]*(?:\s+[^\W\d_a-z][\w.'’-]*){0,4})*"
)
_OURS = re.compile(r"(?i)\b(?:our|staff|special)\s+(?:\w+\s+)?(?:correspondent|reporter)s?$")


@dataclass(frozen=True, slots=True)
class Opening:
    """What stood above a story, and the story without it."""

    body: str
    title: str = ""
    """The headline as it stands above the story, where the page's title only wraps it."""
    authors: tuple[str, ...] = ()
    published: dates.Stamp | None = None


def read(body: str, title: str, *, headed: bool) -> Opening:
    """Take the headline, byline and day off the top of a body. ``headed`` says that the page has a heading of its own,
    so that a line which is part of the title is no headline but a theme."""
    lines = body.split("\n\n")
    headline, stamp = "", None
    authors: tuple[str, ...] = ()
    kept: list[str] = []
    wanted = squash(title)
    for number, line in enumerate(lines):
        if number >= _LINES or len(line) > 300:
            kept.extend(lines[number:])
            break
        key = squash(line)
        if (
            not headed
            and not headline
            and len(key) >= 20
            and key != wanted
            and (wanted.endswith(key) or wanted.startswith(key))
        ):
            headline = line
            continue
        signed = _BYLINE.match(line) if len(line) <= _LONGEST else None
        if signed and (_NAMES.fullmatch(signed["names"].strip()) or _OURS.search(signed["names"])):
            if not _OURS.search(signed["names"]):
                authors = authors or byline.parse([line], visible=True)
            continue
        day = dates.find(line) if len(line) <= 60 else None
        if day is not None and len(squash(dates.without(line))) < 12:
            stamp = stamp or day
            continue
        kept.append(line)
    if not kept or len(kept[0]) == 0:
        return Opening(body)
    return Opening("\n\n".join(kept), headline, authors, stamp)
