"""What of an article matters to its story, small enough to be kept for a million: a pure function of the document."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import numpy as np

from pipeline.records import Document
from pipeline.stories import assertions, notices, origin, terms, versions
from pipeline.stories.assertions import Said
from pipeline.stories.notices import Notice
from pipeline.stories.origin import Origin
from pipeline.stories.terms import Terms
from pipeline.stories.text import Sketch, hashed, hashes, keys, shingles, words

TITLE_KEY, TERM_KEY, TEXT_KEY = 1 << 34, 1 << 33, 0
"""What tells the keys of headlines, terms and texts apart, above their 32 bits."""
_HEAD = struct.Struct("<IHH")
_WEIGHT = 65_535


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two articles are compared by: their text's sketch, its length in words, and what they are about."""

    length: int
    sketch: Sketch
    terms: Terms

    def pack(self) -> bytes:
        """As bytes: some 1.3 KB."""
        weights = np.array([round(weight * _WEIGHT) for weight in self.terms.values()], dtype="<u2")
        hashes = np.fromiter(self.terms, dtype="<u4", count=len(self.terms))
        head = _HEAD.pack(self.length, len(self.sketch), len(self.terms))
        return head + np.array(self.sketch.values, dtype="<u4").tobytes() + hashes.tobytes() + weights.tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> Likeness:
        """What :meth:`pack` made."""
        length, count, size = _HEAD.unpack_from(packed)
        at = _HEAD.size
        text = np.frombuffer(packed, dtype="<u4", count=count, offset=at)
        hashes = np.frombuffer(packed, dtype="<u4", count=size, offset=at + 4 * count)
        weights = np.frombuffer(packed, dtype="<u2", count=size, offset=at + 4 * (count + size))
        return cls(length, Sketch(text), dict(zip(hashes.tolist(), (weights / _WEIGHT).tolist(), strict=True)))


@dataclass(frozen=True, slots=True)
class Traits:
    """Everything that placing an article needs to know of it beside its record."""

    number: int
    """The article's id as a number of 60 bits."""
    time: datetime
    """``published``, or ``first_seen`` where there is none."""
    packed: bytes
    keys: tuple[int, ...]
    fingerprint: str
    origin: Origin
    notice: Notice
    title_key: int
    """Of the headline without its wire labels; 0 where there is none."""
    said: tuple[Said, ...] = field(default=())


class Draft(NamedTuple):
    """A document on its way to its place, with what placing it needs to know."""

    document: Document
    traits: Traits


def number_of(article: str) -> int:
    """An article's id as a number that any database holds in 8 bytes."""
    return int(article[:15], 16)


def title_key(title: str) -> int:
    """The key of a headline: the same for all wire labels, cases and punctuation; 0 for an empty one."""
    found = words(notices.bare_title(title))
    return TITLE_KEY | hashed(" ".join(found)) if len(found) >= 3 else 0


def traits(document: Document) -> Traits:
    """The traits of a document."""
    article = document.article
    of = hashes(article.body)
    runs = shingles(of)
    about = terms.terms(notices.bare_title(article.title), article.body)
    title = title_key(article.title)
    filed = [TEXT_KEY | key for key in keys(runs)] + [TERM_KEY | key for key in terms.keys(about)]
    return Traits(
        number=number_of(article.id),
        time=article.published or article.first_seen,
        packed=Likeness(len(of), Sketch(runs), about).pack(),
        keys=tuple(filed + ([title] if title else [])),
        fingerprint=versions.fingerprint(article),
        origin=origin.read(article),
        notice=notices.read(article),
        title_key=title,
        said=tuple(assertions.said(document)),
    )


def draft(document: Document) -> Draft:
    """The document with its traits."""
    return Draft(document, traits(document))
