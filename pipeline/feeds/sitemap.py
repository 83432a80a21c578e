"""News sitemaps as feeds: the addresses, titles and dates that a site lists for Google News.

The format is Google's (https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap) on top of
https://www.sitemaps.org/protocol.html: the articles of the last two days, at most 1,000 in a file, often packed. A
sitemap without news lists all that a site has, and is no source of news.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from pipeline.errors import FeedError
from pipeline.feeds.dates import read_date
from pipeline.feeds.entry import MAX_LIST, MAX_NAME, MAX_TITLE, MAX_URL, Entry, ParsedFeed, language_of, link_of, unique
from pipeline.feeds.text import line
from pipeline.fetch.decoding import BodyDecoder, CapError, EncodingError

MAX_NEWS: Final = 1_000
"""Articles taken from one sitemap, the newest: Google's own limit for a file."""
MAX_UNPACKED: Final = 50 * 1024 * 1024
"""Bytes of a sitemap once unpacked: the protocol's own limit."""
ROOTS: Final = frozenset({"urlset", "sitemapindex"})
_NAMED: Final = 5
"""Sitemaps of an index that an error names."""
_GZIP: Final = b"\x1f\x8b"


def unpacked(body: bytes, url: str) -> bytes:
    """The body, taken out of gzip where it is in it: sitemaps are often files that end in ``.xml.gz``.

    Raises FeedError ``too-large`` or ``encoding``.
    """
    if not body.startswith(_GZIP):
        return body
    decoder = BodyDecoder(["gzip"], MAX_UNPACKED)
    try:
        decoder.feed(body)
        return decoder.body()
    except CapError:
        raise FeedError(url, "too-large", f"unpacked, it is more than {MAX_UNPACKED} bytes") from None
    except EncodingError as error:
        raise FeedError(url, "encoding", str(error)) from error


def is_sitemap(root: str) -> bool:
    """Whether a document whose root is called so, in lower case and with its prefix, is a sitemap."""
    return root.rpartition(":")[2] in ROOTS


def read(markup: str, *, url: str, ttl: float | None) -> ParsedFeed:
    """The news in a sitemap, the newest first and at most MAX_NEWS; ``markup`` begins with its root.

    Raises FeedError ``sitemap-index`` for a list of sitemaps, naming some, and ``not-a-feed`` for one without news.
    """
    # The markup begins with the root, so there are no entities; the rest of a damaged one counts, hence recover.
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=False, encoding="utf-8")
    try:
        root = etree.fromstring(markup.encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError) as error:
        raise FeedError(url, "not-a-feed", f"the sitemap is too damaged to read ({type(error).__name__})") from error
    if root is None:
        raise FeedError(url, "not-a-feed", "the sitemap is too damaged to read")
    if _name(root) == "sitemapindex":
        listed = [link for link in (link_of(url, _text(one, "loc")) for one in _children(root, "sitemap")) if link]
        news = [link for link in listed if "news" in link.lower()] or listed
        raise FeedError(
            url, "sitemap-index", f"this lists sitemaps; add one of them: {' '.join(news[:_NAMED]) or '(none)'}"
        )
    entries = [entry for entry in (_entry(one, url) for one in _children(root, "url")) if entry is not None]
    if not entries and next(_children(root, "url"), None) is not None:
        raise FeedError(url, "not-a-feed", "this sitemap lists pages, and no news")
    beginning = datetime.min.replace(tzinfo=UTC)
    entries.sort(key=lambda entry: entry.published or beginning, reverse=True)
    newest = entries[:MAX_NEWS]
    return ParsedFeed(
        title=next((entry.source for entry in newest if entry.source), ""),
        entries=tuple(newest),
        ttl=ttl,
        language=next((entry.language for entry in newest if entry.language), None),
        format="news-sitemap",
    )


def _entry(node: etree._Element, url: str) -> Entry | None:
    """One article; ``None`` for a page that is not told as news, and for one without an address."""
    news = next(_children(node, "news"), None)
    link = link_of(url, _text(node, "loc"))
    if news is None or link is None:
        return None
    publication = next(_children(news, "publication"), None)
    image = next(_children(node, "image"), None)
    published = read_date(_text(news, "publication_date"))
    updated = read_date(_text(node, "lastmod"))
    return Entry(
        guid=link,
        url=link,
        title=line(_text(news, "title"), limit=MAX_TITLE, markup=True),
        tags=unique(_text(news, "keywords")[: MAX_LIST * MAX_NAME].split(","), MAX_LIST),
        published=published,
        updated=updated if updated != published else None,
        language=language_of(_text(publication, "language")) if publication is not None else None,
        image=link_of(url, _text(image, "loc")) if image is not None else None,
        source=line(_text(publication, "name"), limit=MAX_NAME) if publication is not None else "",
    )


def _name(node: etree._Element) -> str:
    """The element's name in lower case, without its namespace or a prefix that nobody has declared."""
    return re.split("[}:]", node.tag)[-1].lower() if isinstance(node.tag, str) else ""


def _children(node: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in node if _name(child) == name)


def _text(node: etree._Element, name: str) -> str:
    found = next(_children(node, name), None)
    return (found.text or "").strip()[: MAX_URL + 1] if found is not None else ""
