"""A feed's bytes as entries: RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0 by feedparser, JSON Feed and news sitemaps by
readers of their own.

feedparser runs without its sanitiser and its resolver of links in markup, which take most of its time: only plain text
is kept here, so there is nothing to sanitise, and links are resolved one by one. Before it sees a document, what would
break the fast XML parser or feed an attack is taken out: the document type with its entities, characters that XML
forbids, junk before and after the root.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from pipeline import controls
from pipeline.errors import FeedError
from pipeline.feeds import jsonfeed, sitemap
from pipeline.feeds.charset import decode_feed
from pipeline.feeds.dates import read_date, read_foreign_date
from pipeline.feeds.driver import RawFeed, read_xml
from pipeline.feeds.entry import (
    MAX_ENTRIES,
    MAX_LIST,
    MAX_TEXT,
    MAX_TITLE,
    Entry,
    ParsedFeed,
    guid_of,
    language_of,
    link_of,
    people,
    unique,
)
from pipeline.feeds.text import line, looks_like_markup, paragraphs, plain

_PERIODS: Final = {
    "hourly": 3600.0,
    "daily": 86_400.0,
    "weekly": 604_800.0,
    "monthly": 2_592_000.0,
    "yearly": 31_536_000.0,
}
_FOREIGN_DATES: Final = 10
"""Dates in one feed that dateparser may fail to read before it is asked no more: it takes some 80 ms over each,
and a template that prints one unreadable date prints all of them so (2026-11-23)."""

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_CHARREF = re.compile(r"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));")
_DOCTYPE_TOKEN = re.compile(r"\"[^\"]*\"|'[^']*'|<!--.*?-->|\[|\]|>", re.S)
# Short, flat entities only: nothing that expands to more than a word, and never a reference to another.
_ENTITY = re.compile(
    r"<!ENTITY\s+(\w{1,32})\s+(?:\"([^\"&%<>]{0,32}|&#\w{1,8};)\"|'([^'\"&%<>]{0,32}|&#\w{1,8};)')\s*>"
)
_MAX_ENTITIES: Final = 300
_GUID_IS_LINK = re.compile(r"https?://|/[^/]", re.I)
_PROLOGUE = re.compile(r"<(?:\?|!--|!DOCTYPE\b|(?=[A-Za-z_]))", re.I)
_KNOWN_ROOT = re.compile(r"<(?:rss|feed|rdf:RDF|channel)[\s>]", re.I)
_ROOT = re.compile(r"[A-Za-z_][\w:.-]*")


def parse(body: bytes, *, url: str, headers: Sequence[tuple[str, str]] = ()) -> ParsedFeed:
    """The feed in a response's body, fetched from ``url`` (where it came from in the end) with these headers.

    At most 5,000 entries, the first in the feed's own order, each field cut at its length (see ``feeds.entry``).
    Raises FeedError: code ``empty`` for a body without content, ``not-a-feed`` for anything that is no feed, those of
    ``feeds.sitemap`` for sitemaps; nothing else, whatever the bytes. A feed without entries is a feed.
    """
    body = sitemap.unpacked(body, url)
    if not body.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise FeedError(url, "empty", "the response has no content")
    text = _FORBIDDEN.sub("", controls.without_sequences(decode_feed(body, headers))).lstrip("\ufeff \t\r\n")
    stated = _stated_by_http(headers)
    if text.startswith("{"):
        return jsonfeed.read(text, url=url, ttl=stated)
    document = _prepare(text, url)
    if sitemap.is_sitemap(document.root):
        return sitemap.read(document.markup, url=url, ttl=stated)
    found = _ask_feedparser(document, url, headers)
    feed = found.feed
    language = language_of(_text(feed.get("language")))
    reader = _Reader(url, found.version, language)
    entries = tuple(reader.entry(raw) for raw in found.entries[:MAX_ENTRIES])
    site = _alternate(feed) or _text(_get(feed, "link"))
    return ParsedFeed(
        title=reader.line(feed, "title"),
        site=link_of(url, site),
        hub=_named(headers, feed, url, "hub"),
        topic=_named(headers, feed, url, "self"),
        language=language,
        ttl=max((seconds for seconds in (stated, *_stated_by_feed(feed)) if seconds), default=None),
        format=reader.version,
        entries=entries,
    )


@dataclass(frozen=True, slots=True)
class _Document:
    markup: str
    root: str
    """Name of the root in lower case. ``channel`` is CDF's, RSS's ancestor, which has no version."""
    entities: Mapping[str, str]


def _prepare(text: str, url: str) -> _Document:
    """The document from its root on, behind a safe document type where it declares entities of use."""
    entities: dict[str, str] = {}
    at = 0
    while True:
        token = _PROLOGUE.search(text, at)
        if token is None:
            raise FeedError(url, "not-a-feed", "the response is not XML or JSON")
        match token.group()[:2]:
            case "<?":
                at = text.find("?>", token.end())
            case "<!" if token.group() == "<!--":
                at = text.find("-->", token.end())
            case "<!":
                at = _end_of_doctype(text, token.end())
                for key, one, other in _ENTITY.findall(text[token.end() : at])[:_MAX_ENTITIES]:
                    entities.setdefault(key, one or other)
            case _:
                at = token.start()
                break
        if at < 0:
            # Never closed: whatever root there is must be recognised by its name.
            root = _KNOWN_ROOT.search(text, token.end())
            if root is None:
                raise FeedError(url, "not-a-feed", "the response is not XML or JSON")
            at = root.start()
            break
    root = _ROOT.match(text, at + 1)
    if root is None:
        raise FeedError(url, "not-a-feed", "the response is not XML or JSON")
    name = root.group()
    if name.lower() in {"html", "body", "head"}:
        raise FeedError(url, "not-a-feed", "the response is an HTML page")
    close = text.rfind(f"</{name}")
    end = text.find(">", close) + 1 if close > at else 0
    document = text[at : end or len(text)]
    if "&#" in document:
        document = _CHARREF.sub(_allowed_charref, document)
    if entities:
        declared = "\n".join(f'<!ENTITY {key} "{value}">' for key, value in entities.items())
        document = f"<!DOCTYPE feed [\n{declared}\n]>\n{document}"
    return _Document(document, name.lower(), entities)


def _end_of_doctype(text: str, at: int) -> int:
    depth = 0
    for token in _DOCTYPE_TOKEN.finditer(text, at):
        match token.group():
            case "[":
                depth += 1
            case "]":
                depth -= 1
            case ">" if depth <= 0:
                return token.end()
    return text.find(">", at)


def _allowed_charref(found: re.Match[str]) -> str:
    """The reference itself, or nothing where XML forbids the character (which would stop the parser)."""
    digits = found.group(1) or found.group(2)
    if len(digits) > 8:
        return ""
    code = int(digits, 16 if found.group(1) else 10)
    allowed = code in {9, 10, 13} or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    return found.group() if allowed else ""


def _ask_feedparser(document: _Document, url: str, headers: Iterable[tuple[str, str]]) -> RawFeed:
    language = next((value for key, value in headers if key.lower() == "content-language"), None)
    try:
        found = read_xml(document.markup, language=language, entities=document.entities, max_entries=MAX_ENTRIES)
    except Exception as error:  # over damaged markup feedparser raises whatever its readers do
        raise FeedError(url, "not-a-feed", f"the feed is too damaged to read ({type(error).__name__})") from error
    if not found.version and not found.entries and document.root != "channel":
        raise FeedError(url, "not-a-feed", "the response is XML, but no feed")
    return found


class _Reader:
    """Makes entries of feedparser's dictionaries; knows the feed's address, version and language."""

    def __init__(self, url: str, version: str, language: str | None) -> None:
        self.url, self.version, self.language = url, version, language
        self._foreign_left = _FOREIGN_DATES

    def entry(self, raw: Mapping[str, Any]) -> Entry:
        guid = guid_of(_text(_get(raw, "id")))
        published = self._date(raw, "published") or self._date(raw, "created")
        updated = self._date(raw, "updated")
        if published is None and not self.version.startswith("atom"):
            # RSS has one date; feedparser files dc:date, which is the date of publication, under "updated".
            published, updated = updated, None
        return Entry(
            guid=guid,
            url=self._link(raw, guid),
            title=self.line(raw, "title"),
            text=self._body(raw),
            authors=people(_names(raw)),
            tags=unique(
                (_text(_get(tag, "label")) or _text(_get(tag, "term")) for tag in _list(raw, "tags")), MAX_LIST
            ),
            published=published,
            updated=updated if updated != published else None,
            language=self._language(raw) or self.language,
            image=self._image(raw),
            source=self.line(_get(raw, "source") or {}, "title"),
        )

    def line(self, raw: Mapping[str, Any], key: str) -> str:
        value = _text(_get(raw, key))
        return line(value, limit=MAX_TITLE, markup=self._is_markup(value, _type_of(raw, key))) if value else ""

    def _is_markup(self, value: str, kind: str) -> bool:
        if "html" in kind or kind.endswith("xml"):
            return True
        # Atom's type="text" is binding, RSS says nothing; both are broken by templates that print HTML all the same.
        return looks_like_markup(value) or (not self.version.startswith("atom") and "&" in value)

    def _body(self, raw: Mapping[str, Any]) -> str:
        # Content first: where there is no summary, feedparser copies it there, but not its type.
        candidates = [(_text(_get(part, "value")), _text(_get(part, "type"))) for part in _list(raw, "content")]
        candidates.append((_text(_get(raw, "summary")), _type_of(raw, "summary")))
        best = ""
        done: set[str] = set()
        for value, kind in candidates:
            if not value or value in done or (kind and not kind.startswith("text/") and not kind.endswith("xml")):
                continue
            done.add(value)
            if len(value) <= len(best):
                continue
            read = paragraphs if self._is_markup(value, kind) else plain
            best = max(best, read(value, limit=MAX_TEXT), key=len)
        return best

    def _link(self, raw: Mapping[str, Any], guid: str | None) -> str | None:
        links = _list(raw, "links")
        plain_link = _text(_get(raw, "link"))
        if plain_link and plain_link == guid and _get(raw, "guidislink"):
            plain_link = ""  # feedparser's own guess; the guid has its turn below, if it is a whole address
        candidates = [_text(_get(raw, "feedburner_origlink")), _alternate(raw), plain_link]
        found = next((link for link in (link_of(self.url, text) for text in candidates) if link), None)
        if found is None and guid and _GUID_IS_LINK.match(guid):
            found = link_of(self.url, guid)
        if found is None:
            enclosed = (
                _text(_get(link, "href")) for link in links if _get(link, "rel") in {"enclosure", "related", "via"}
            )
            found = next((link for link in (link_of(self.url, text) for text in enclosed) if link), None)
        return found

    def _image(self, raw: Mapping[str, Any]) -> str | None:
        content = [part for part in _list(raw, "media_content") if _is_picture(part)]
        content.sort(key=_width, reverse=True)
        thumbnails = sorted(_list(raw, "media_thumbnail"), key=_width, reverse=True)
        enclosed = [link for link in _list(raw, "links") if _get(link, "rel") == "enclosure" and _is_picture(link)]
        pictures = [*content, *enclosed, *thumbnails]
        own = _get(raw, "image")
        if isinstance(own, Mapping):
            pictures.append(own)
        addresses = (_text(_get(part, "url")) or _text(_get(part, "href")) for part in pictures)
        return next((link for link in (link_of(self.url, text) for text in addresses) if link), None)

    def _language(self, raw: Mapping[str, Any]) -> str | None:
        said = _text(_get(raw, "language"))
        for part in (*_list(raw, "content"), _get(raw, "title_detail"), _get(raw, "summary_detail")):
            if not said and isinstance(part, Mapping):
                said = _text(_get(part, "language"))
        return language_of(said)

    def _date(self, raw: Mapping[str, Any], key: str) -> datetime | None:
        # _get, since feedparser's own get() would pass the publication date off as that of the update.
        text = _text(_get(raw, key))
        if not text:
            return None
        moment = read_date(text, _get(raw, f"{key}_parsed"))
        if moment is None and self._foreign_left > 0:
            moment = read_foreign_date(text, (self.language,) if self.language else ())
            self._foreign_left -= moment is None
        return moment


def _get(raw: Any, key: str) -> Any:
    return dict.get(raw, key) if isinstance(raw, dict) else None


def _list(raw: Any, key: str) -> list[Any]:
    value = _get(raw, key)
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _type_of(raw: Any, key: str) -> str:
    return _text(_get(_get(raw, f"{key}_detail"), "type"))


def _alternate(raw: Any) -> str:
    """The alternate link, HTML before other types; feedparser files RSS's link among them."""
    others = ""
    for link in _list(raw, "links"):
        href = _text(_get(link, "href"))
        if href and _get(link, "rel") == "alternate":
            if "html" in (_text(_get(link, "type")) or "text/html"):
                return href
            others = others or href
    return others


_LINK = re.compile(r"<([^<>]{1,4000})>\s*;[^,]*?\brel=\"?([\w -]{1,100})\"?", re.I)


def _named(headers: Sequence[tuple[str, str]], feed: Mapping[str, Any], url: str, rel: str) -> str | None:
    """The address that the response's ``Link`` headers, else the feed, give for this relation (WebSub, 4)."""
    said = [
        target
        for key, value in headers
        if key.lower() == "link"
        for target, rels in _LINK.findall(value[:20_000])
        if rel in rels.lower().split()
    ]
    said += [_text(_get(link, "href")) for link in _list(feed, "links") if _get(link, "rel") == rel]
    return next((link for link in (link_of(url, text) for text in said) if link), None)


def _names(raw: Mapping[str, Any]) -> Iterable[str]:
    return [_text(_get(author, "name")) for author in _list(raw, "authors")]


def _is_picture(part: Any) -> bool:
    kind = _text(_get(part, "type")).lower()
    if _text(_get(part, "medium")).lower() == "image" or kind.startswith("image/"):
        return True
    address = (_text(_get(part, "url")) or _text(_get(part, "href"))).partition("?")[0].lower()
    return not kind and address.endswith((".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"))


def _width(part: Any) -> int:
    try:
        return int(_text(_get(part, "width")) or 0)
    except ValueError:
        return 0


def _stated_by_feed(feed: Mapping[str, Any]) -> Iterable[float | None]:
    """Seconds between polls that the feed asks for: ``ttl`` in minutes, and the syndication module's period."""
    yield _positive(_text(_get(feed, "ttl")), 60.0)
    period = _PERIODS.get(_text(_get(feed, "sy_updateperiod")).lower())
    frequency = _positive(_text(_get(feed, "sy_updatefrequency")), 1.0) or 1.0
    if period is not None:
        yield period / frequency


def _stated_by_http(headers: Sequence[tuple[str, str]]) -> float | None:
    """Seconds for which the response says it stays fresh (RFC 9111: ``max-age``, else ``Expires`` less ``Date``)."""
    named = {key.lower(): value for key, value in headers}
    control = named.get("cache-control", "")
    age = re.search(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", control, re.I)
    if age is not None:
        return float(age.group(1)) or None
    if "no-cache" in control.lower() or "no-store" in control.lower():
        return None
    try:
        expires = parsedate_to_datetime(named["expires"])
        date = parsedate_to_datetime(named["date"])
        seconds = (_aware(expires) - _aware(date)).total_seconds()
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        return None
    return seconds if seconds > 0 else None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _positive(text: str, factor: float) -> float | None:
    try:
        value = float(text) * factor
    except ValueError:
        return None
    return value if 0 < value < 1e9 else None
