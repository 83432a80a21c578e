"""What a parsed feed holds, and the rules that all formats share: lengths, links, names, languages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pipeline import controls
from pipeline.feeds.text import line
from pipeline.records import digest
from pipeline.urls import is_web, resolve

MAX_ENTRIES: Final = 5_000
MAX_TITLE: Final = 1_000
MAX_TEXT: Final = 100_000
MAX_URL: Final = 4_000
"""A longer link is dropped: cut, it would lead elsewhere."""
MAX_NAME: Final = 200
MAX_LIST: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a feed. Links are absolute http(s), texts plain, times aware UTC; what is missing is ``None``."""

    guid: str | None = None
    url: str | None = None
    title: str = ""
    text: str = ""
    """The longer of summary and content, one paragraph a line, blank lines between."""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    language: str | None = None
    image: str | None = None
    source: str = ""
    """The outlet that an aggregating feed names for this entry; empty in an outlet's own feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed: its own texts, and its entries in the feed's order."""

    title: str = ""
    site: str | None = None
    hub: str | None = None
    """The WebSub hub that the feed names."""
    topic: str | None = None
    """The feed's own address, under which the hub knows it (``rel=self``)."""
    entries: tuple[Entry, ...] = ()
    ttl: float | None = None
    """Seconds between polls that the publisher asks for, the longest of all that is stated."""
    language: str | None = None
    """ISO 639 code of the feed, two or three letters."""
    format: str = ""
    """``rss20``, ``atom10``, ``json`` and the like, feedparser's names; empty where the root did not say."""


def link_of(base: str, text: str | None) -> str | None:
    """The link, absolute, or ``None`` where it is no http(s) address of a length that one can use."""
    if not text or len(text) > MAX_URL:
        return None
    url = resolve(base, controls.clean(text))
    return url if len(url) <= MAX_URL and is_web(url) else None


def guid_of(text: str) -> str | None:
    """The entry's own id; a monstrous one is told apart by its digest."""
    text = controls.clean(text).strip()
    if len(text) > MAX_URL:
        return f"digest:{digest('guid', text)}"
    return text or None


_EMAIL = re.compile(r"[<(]?\s*[\w.+%-]+@[\w-]+(?:\.[\w-]+)+\s*[>)]?")
_BY = re.compile(r"^by\s+", re.I)
_LANGUAGE = re.compile(r"^([a-z]{2,3})(?:[-_].*)?$", re.I)


def people(names: Iterable[str]) -> tuple[str, ...]:
    """Names as readers see them: no e-mail addresses, no leading "By", "A and B" as two, without repeats."""
    found: list[str] = []
    for name in names:
        text = _BY.sub("", line(_EMAIL.sub(" ", name[:2000]), limit=2000, markup=True)).strip(" ,;()<>")
        found += (part.strip(" ,;") for part in _split(text))
    return unique(found, MAX_LIST)


def _split(text: str) -> list[str]:
    parts = re.split(r"\s*;\s*|\s+and\s+", text)
    # "Asha Rao, Imran Qadir" are two people; "Rao, Asha" is one, and so is "Asha Rao, Delhi".
    commas = [piece.split(",") for piece in parts]
    return [
        name
        for part, pieces in zip(parts, commas, strict=True)
        for name in (pieces if len(pieces) > 1 and all(len(piece.split()) in (2, 3) for piece in pieces) else [part])
    ]


def unique(values: Iterable[str], limit: int) -> tuple[str, ...]:
    """The values in one line each, in order, without empty ones and repeats, at most ``limit``."""
    kept = dict.fromkeys(line(value, limit=MAX_NAME, markup=True) for value in values)
    kept.pop("", None)
    return tuple(kept)[:limit]


def language_of(code: str | None) -> str | None:
    """The two or three letters of a language tag ("en-GB" is "en"), or ``None`` where it is none."""
    found = _LANGUAGE.match(code.strip()) if code else None
    return found.group(1).lower() if found else None
