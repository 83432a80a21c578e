"""The written stories: Markdown files with TOML front matter, read and set in time.

``SLUG.md`` is a story as first published. ``SLUG.e2.md`` is what the second edition makes of it: its front matter is
laid over the first, and its text, where it has one, replaces the first. Texts are Jinja templates, so that weekdays
follow the clock: ``{{ weekday(-1) }}`` is the day before publication, ``{{ date(-3) }}`` three days before, and
``{{ wire(2, 5) }}`` are paragraphs 2 to 5 of the story that this one ``carries``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

from jinja2 import Environment, StrictUndefined

from pipeline.demo.outlets import Outlet

FOLDER = Path(__file__).parent / "stories"

WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
MONTHS = {
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    "es": (
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ),
}
# As agencies abbreviate months in datelines: the short ones are not abbreviated.
SHORT_MONTHS = ("Jan", "Feb", "March", "April", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One version of one story, as its file has it."""

    slug: str
    edition: int
    """The edition in which the story first appeared."""
    version_edition: int
    """The edition that made this version."""
    outlet: str
    headline: str
    section: str
    hours_ago: float
    """Hours between publication and the moment of its edition."""
    text: str
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    place: str = ""
    dateline: str | None = None
    """A format string in place of the outlet's own."""
    agency: str | None = None
    """The agency credited for a carried story."""
    credit: str = ""
    """The line under the text that says who reported."""
    event: str = ""
    """Stories with the same event are about one thing; gold for clusters."""
    carries: str | None = None
    """The slug of the wire story that this one is a copy of."""
    edit: str | None = None
    """What was done to the copy: verbatim, cut, lede or insert."""
    access: str = ""
    """What stands in the way: forbidden, robots, slow, login, click (a redirect), or nothing."""
    kind: str = "article"
    correction: str = ""
    withdrawn: bool = False
    speakers: tuple[str, ...] = ()
    """Who is quoted, as the story names them, in order of first words."""
    summary: str = ""

    @property
    def number(self) -> int:
        """A six-digit number for the permalink, the same on every run."""
        return 100_000 + crc32(self.slug.encode()) % 900_000


def read_stories(folder: Path = FOLDER) -> tuple[tuple[Story, ...], ...]:
    """All versions of all stories in a folder: one tuple an edition (the first at 0), of the versions it made.

    Raises ValueError naming the file that cannot be read.
    """
    first: dict[str, Story] = {}
    versions: list[Story] = []
    for file in sorted(folder.glob("*.md"), key=lambda f: (f.name.count(".e"), f.name)):
        slug, _, later = file.name.removesuffix(".md").partition(".e")
        try:
            header, text = _split(file.read_text(encoding="utf-8"))
            if later:
                story = replace(first[slug], **header, version_edition=int(later), text=text or first[slug].text)
            else:
                edition = header.pop("edition", 1)
                story = Story(slug=slug, edition=edition, version_edition=edition, text=text, **header)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"story {file}: {error}") from error
        first[slug] = story
        versions.append(story)
    last = max((story.version_edition for story in versions), default=1)
    return tuple(
        tuple(story for story in versions if story.version_edition == edition) for edition in range(1, last + 1)
    )


def _split(source: str) -> tuple[dict[str, Any], str]:
    match = re.match(r"\+\+\+\n(.*?)\n\+\+\+\n?(.*)", source, re.DOTALL)
    if match is None:
        raise ValueError("no front matter between two lines of +++")
    header = tomllib.loads(match[1])
    return {k: tuple(v) if isinstance(v, list) else v for k, v in header.items()}, match[2].strip()


_environment = Environment(undefined=StrictUndefined, autoescape=False)  # plain text; the page templates escape


def paragraphs(story: Story, outlet: Outlet, published: datetime, carried: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The story's text in paragraphs, without its dateline, with the days that ``published`` makes of it."""
    local = published + outlet.offset

    def weekday(days: int = 0) -> str:
        return WEEKDAYS[outlet.language][(local + timedelta(days=days)).weekday()]

    def date(days: int = 0) -> str:
        day = local + timedelta(days=days)
        month = MONTHS[outlet.language][day.month - 1]
        return f"{month} {day.day}" if outlet.language == "en" else f"{day.day} de {month}"

    def wire(start: int, end: int | None = None) -> str:
        return "\n\n".join(carried[start - 1 : end or start])

    text = _environment.from_string(story.text).render(weekday=weekday, date=date, wire=wire)
    return tuple(" ".join(block.split()) for block in re.split(r"\n\s*\n", text) if block.strip())


def dateline_text(story: Story, outlet: Outlet, published: datetime) -> str:
    """The dateline as printed, its dash and trailing blank included; empty where the story has none."""
    pattern = outlet.dateline if story.dateline is None else story.dateline
    if not story.place or not pattern:
        return ""
    local = published + outlet.offset
    names: Mapping[str, object] = {
        "place": story.place,
        "month": SHORT_MONTHS[local.month - 1],
        "day": local.day,
    }
    return pattern.format(**names)
