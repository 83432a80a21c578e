"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/), read with patience for wrong types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pipeline.errors import FeedError
from pipeline.feeds.dates import read_date
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
from pipeline.feeds.text import line, paragraphs, plain


def read(text: str, *, url: str, ttl: float | None = None) -> ParsedFeed:
    """The feed in a JSON text. Raises FeedError ``not-a-feed`` for JSON that is none, broken or nested too deep."""
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeedError(url, "not-a-feed", f"the response is broken JSON ({error})") from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list) or not _is_feed(feed):
        raise FeedError(url, "not-a-feed", "the response is JSON, but no JSON Feed")
    language = language_of(_text(feed.get("language")))
    hubs = (_text(hub.get("url")) for hub in _mappings(feed.get("hubs")))
    return ParsedFeed(
        title=line(_text(feed.get("title")), limit=MAX_TITLE),
        site=link_of(url, _text(feed.get("home_page_url"))),
        hub=next((link for link in (link_of(url, hub) for hub in hubs) if link), None),
        topic=link_of(url, _text(feed.get("feed_url"))),
        language=language,
        ttl=ttl,
        format="json",
        entries=tuple(_entry(item, feed, url, language) for item in _mappings(items)[:MAX_ENTRIES]),
    )


def _is_feed(feed: Mapping[str, Any]) -> bool:
    return "jsonfeed.org" in _text(feed.get("version")) or bool(_text(feed.get("title")))


def _entry(item: Mapping[str, Any], feed: Mapping[str, Any], url: str, language: str | None) -> Entry:
    guid = guid_of(_text(item.get("id")))
    links = [_text(item.get("url")), _text(item.get("external_url"))]
    if guid and guid.lower().startswith(("http://", "https://")):
        links.append(guid)
    attachments = _mappings(item.get("attachments"))
    links += [_text(attachment.get("url")) for attachment in attachments]
    pictures = [_text(item.get("image")), _text(item.get("banner_image"))]
    pictures += [
        _text(attachment.get("url"))
        for attachment in attachments
        if _text(attachment.get("mime_type")).startswith("image/")
    ]
    texts = (
        plain(_text(item.get("content_text")), limit=MAX_TEXT),
        paragraphs(_text(item.get("content_html")), limit=MAX_TEXT),
        plain(_text(item.get("summary")), limit=MAX_TEXT),
    )
    published = _date(item.get("date_published"))
    updated = _date(item.get("date_modified"))
    return Entry(
        guid=guid,
        url=_first_link(url, links),
        title=line(_text(item.get("title")), limit=MAX_TITLE),
        text=max(texts, key=len),
        authors=people(_authors(item)) or people(_authors(feed)),
        tags=unique((_text(tag) for tag in item.get("tags") or () if isinstance(tag, str)), MAX_LIST)
        if isinstance(item.get("tags"), list)
        else (),
        published=published,
        updated=updated if updated != published else None,
        language=language_of(_text(item.get("language"))) or language,
        image=_first_link(url, pictures),
    )


def _first_link(base: str, links: Iterable[str]) -> str | None:
    return next((link for link in (link_of(base, text) for text in links) if link), None)


def _authors(node: Mapping[str, Any]) -> Iterable[str]:
    authors = _mappings(node.get("authors")) or _mappings([node.get("author")])
    return [_text(author.get("name")) for author in authors]


def _date(value: Any) -> datetime | None:
    return read_date(_text(value))


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    """The text; an id may be a number, which counts as its digits."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
