"""feedparser's two XML readers, driven with limits.

``feedparser.parse`` guesses charsets, opens what looks like an address or a file name, and reads on as long as there is
something to read; a feed can make it take minutes. Here its readers get text that is already clean, stop at limits that
no honest feed reaches, and take text in large pieces, which alone saves a quarter of the time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.sax import SAXException
from xml.sax.expatreader import ExpatParser
from xml.sax.handler import feature_external_ges, feature_external_pes, feature_namespaces
from xml.sax.xmlreader import InputSource

from feedparser.api import LooseFeedParser, StrictFeedParser  # type: ignore[import-untyped]
from feedparser.exceptions import UndeclaredNamespace  # type: ignore[import-untyped]
from lxml import etree

MAX_ELEMENTS: Final = 400_000
"""Start tags read from one document: 80 for each of 5,000 entries. feedparser takes some 25 µs for one (2026-11-23)."""
MAX_DEPTH: Final = 200
MAX_LOOSE_DEPTH: Final = 5_000
"""The tolerant reader counts every element that is never closed, a bare <br> too, as one level."""
_MOST_TAGS: Final = 200
"""Categories of one entry; feedparser compares each with all before it."""
_MOST_LOOSE: Final = 1_000_000
"""Characters of damaged XML that go to the tolerant reader, at some 4 µs each; longer ones are mended by libxml2."""
_BUFFER: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class RawFeed:
    """What feedparser found: its dictionaries, and its name for the format ("" where the root is no feed's)."""

    version: str
    feed: Mapping[str, Any]
    entries: list[Mapping[str, Any]]


class _Enough(Exception):
    """A limit is reached; what was read until there counts."""


class _Limits:
    """Mixed into feedparser's readers. Their own state is theirs; this only counts and refuses."""

    resolve_relative_uris = False
    sanitize_html = False
    max_depth = MAX_DEPTH
    max_entries = 0
    _elements = 0

    def unknown_starttag(self, tag: str, attrs: Any) -> Any:
        self._elements += 1
        this: Any = self
        if self._elements > MAX_ELEMENTS or this.depth > self.max_depth or len(this.entries) > self.max_entries:
            raise _Enough
        return super().unknown_starttag(tag, attrs)  # type: ignore[misc]

    def _add_tag(self, term: Any, scheme: Any, label: Any) -> None:
        this: Any = self
        if len(this._get_context().get("tags", ())) < _MOST_TAGS:
            super()._add_tag(term, scheme, label)  # type: ignore[misc]

    def _sync_author_detail(self, key: str = "author") -> None:
        # feedparser takes names and addresses apart here, in quadratic time and for top-level domains of four letters
        # at most ("night@desk.news" loses its end to the name); the names are wanted as written.
        context = self._get_context()  # type: ignore[attr-defined]
        authors = dict.get(context, f"{key}s")
        if authors and not authors[-1]:
            authors[-1]["name"] = dict.get(context, key) or ""


class _Strict(_Limits, StrictFeedParser):  # type: ignore[misc]
    """For well-formed XML."""


class _Loose(_Limits, LooseFeedParser):  # type: ignore[misc]
    """For the rest: a reader of tag soup."""

    max_depth = MAX_LOOSE_DEPTH


class _Expat(ExpatParser):
    """The standard library's reader, with runs of text in one piece."""

    def reset(self) -> None:
        super().reset()
        parser: Any = vars(self)["_parser"]  # pyexpat's own, which the stubs do not know
        parser.buffer_text = True
        parser.buffer_size = _BUFFER


def read_xml(markup: str, *, language: str | None, entities: Mapping[str, str], max_entries: int) -> RawFeed:
    """The feed in this XML, without an XML declaration; ``entities`` are those that its document type declares.

    Nothing is fetched and no external entity is read. Damaged XML may raise whatever feedparser's tolerant reader does.
    """
    try:
        return _well_formed(markup, language, max_entries)
    except (SAXException, UndeclaredNamespace):
        pass
    if len(markup) > _MOST_LOOSE:
        return _well_formed(_mended(markup), language, max_entries)
    reader = _Loose("", language, "utf-8", dict(entities))
    reader.max_entries = max_entries
    return _run(reader, lambda: reader.feed(markup))


def _well_formed(markup: str, language: str | None, max_entries: int) -> RawFeed:
    reader = _Strict("", language, "utf-8")
    reader.max_entries = max_entries
    expat = _Expat()
    expat.setFeature(feature_namespaces, True)
    expat.setFeature(feature_external_ges, False)
    expat.setFeature(feature_external_pes, False)
    expat.setContentHandler(reader)
    expat.setErrorHandler(reader)
    source = InputSource()
    source.setByteStream(io.BytesIO(markup.encode("utf-8", "replace")))
    source.setEncoding("utf-8")
    return _run(reader, lambda: expat.parse(source))


def _run(reader: Any, read: Callable[[], object]) -> RawFeed:
    """What the reader has found at the end, or at the point where a limit or a stumble of its own ended it."""
    try:
        read()
    except _Enough:
        pass
    except (SAXException, UndeclaredNamespace):
        raise
    except Exception:  # feedparser stumbles over some orders of elements (KeyError, TypeError)
        if not reader.entries:
            raise
    return RawFeed(reader.version, reader.feeddata, reader.entries)


def _mended(markup: str) -> str:
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=False, encoding="utf-8")
    root = etree.fromstring(markup.encode("utf-8", "replace"), parser)
    if root is None:
        raise SAXException("nothing to mend")
    return etree.tostring(root, encoding="unicode", with_tail=False)
