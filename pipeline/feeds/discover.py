"""From an address that a user typed to the feed behind it: itself a feed, or a page that names one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from pipeline.errors import FeedError, FetchError
from pipeline.feeds.entry import ParsedFeed, link_of
from pipeline.feeds.parse import parse
from pipeline.feeds.poll import ACCEPT, Gets
from pipeline.fetch import raise_for_status
from pipeline.records import Page
from pipeline.urls import is_web, normalise, resolve

_ACCEPT: Final = ACCEPT.replace("*/*;q=0.1", "text/html;q=0.6, */*;q=0.1")
_TYPES: Final = {
    "application/atom+xml": 3,
    "application/rss+xml": 3,
    "application/feed+json": 2,
    "application/rdf+xml": 2,
    "application/json": 1,
    "application/xml": 1,
    "text/xml": 1,
}
_COMMENTS = re.compile(r"comment|kommentar|commentaire|comentario|replies", re.I)
_FEED_PATH = re.compile(r"(?:^|[/._-])(?:rss|atom|feed|feeds|rdf)(?:[/._-]|$)|\.(?:rss|atom|rdf)$", re.I)
_COMMON_PATHS: Final = ("/feed", "/rss.xml")
_MOST_CANDIDATES: Final = 3
"""Announced feeds that are asked for before giving up; a page whose first three are broken is broken."""
_MOST_GUESSES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """A feed that was found, already fetched and parsed: ``accept`` makes its first poll of it without asking again."""

    feed_url: str
    """Where to poll: what was asked for, or where a permanent redirect led."""
    parsed: ParsedFeed
    page: Page
    requests: int
    """Requests that it took: one where the address was itself a feed."""
    others: tuple[str, ...] = ()
    """The other feeds that the page announces by ``<link rel=alternate>``, best first; none of them was asked unless it
    stood before this one and was broken."""


async def discover(url: str, fetcher: Gets) -> Discovered:
    """The feed at an address, or the best that the page there announces by ``<link rel=alternate>``.

    An address without a scheme is taken as https. Raises FetchError where the address itself cannot be had, FeedError
    ``no-feed`` where there is no feed, with all that was looked for.
    """
    address = _address(url)
    page = await fetcher.get(address, robots=False, accept=_ACCEPT)
    raise_for_status(page)
    try:
        return _found(address, page, 1)
    except FeedError as error:
        own_reason = error.reason
    requests = 1
    looked_for = [f"the address itself ({own_reason})"]
    announced, linked = candidates(page)
    guesses = [resolve(page.final_url, path) for path in _COMMON_PATHS]
    if not announced:
        looked_for.append("<link rel=alternate> in the page (none of a feed's type)")
    tried = {normalise(address), normalise(page.final_url)}
    ways = [(announced, _MOST_CANDIDATES), ([*linked, *guesses], _MOST_GUESSES)]
    for links, most in ways:
        left = most
        for link in links:
            if left == 0 or normalise(link) in tried:
                continue
            tried.add(normalise(link))
            left -= 1
            requests += 1
            try:
                answer = await fetcher.get(link, robots=False, accept=_ACCEPT)
                raise_for_status(answer)
                found = _found(link, answer, requests)
                mine = {normalise(address) for address in (link, found.feed_url, answer.final_url)}
                return replace(found, others=tuple(other for other in announced if normalise(other) not in mine))
            except (FetchError, FeedError) as failure:
                looked_for.append(f"{link} ({failure.reason})")
    raise FeedError(url, "no-feed", f"no feed found; looked for {'; '.join(looked_for)}")


def candidates(page: Page) -> tuple[list[str], list[str]]:
    """Addresses of feeds in an HTML page: those announced by ``<link rel=alternate>``, best first, and those of plain
    links that look like feeds, in their order. Feeds of comments are left out.

    Best is a type that can only be a feed's, then a feed of the page's own section, then the page's order.
    """
    root = _html(page.body)
    if root is None:
        return [], []
    base = page.final_url
    for element in root.iter("base"):
        base = resolve(base, element.get("href") or "")
        break
    section = urlsplit(page.final_url).path.rstrip("/")
    announced: list[tuple[int, int, str]] = []
    linked: list[str] = []
    for element in root.iter("link", "a"):
        link = link_of(base, (element.get("href") or "").strip())
        if link is None:
            continue
        title = f"{element.get('title') or ''} {urlsplit(link).path}"
        if _COMMENTS.search(title):
            continue
        if element.tag == "a":
            if _FEED_PATH.search(urlsplit(link).path):
                linked.append(link)
            continue
        kind = (element.get("type") or "").partition(";")[0].strip().lower()
        if "alternate" in (element.get("rel") or "").lower().split() and kind in _TYPES:
            own = bool(section) and urlsplit(link).path.startswith(section)
            announced.append((-_TYPES[kind], -own, link))
    announced.sort(key=lambda found: found[:2])
    return list(dict.fromkeys(link for _, _, link in announced)), list(dict.fromkeys(linked))


def _found(asked: str, page: Page, requests: int) -> Discovered:
    parsed = parse(page.body, url=page.final_url, headers=page.headers)
    return Discovered(feed_url=page.moved_to or asked, parsed=parsed, page=page, requests=requests)


def _address(url: str) -> str:
    text = url.strip()
    text = re.sub(r"^feed:(?://)?(?=https?:)", "", text, flags=re.I)
    text = re.sub(r"^feed://", "http://", text, flags=re.I)
    if not re.match(r"[a-z][a-z0-9+.-]*://", text, re.I):
        text = text.lstrip("/")
        # What has an "@" before its first slash is an e-mail address.
        text = "" if "@" in text.partition("/")[0] else f"https://{text}"
    if not is_web(text):
        raise FeedError(url, "no-feed", "this is no http or https address")
    return text


def _html(body: bytes) -> etree._Element | None:
    parser = etree.HTMLParser(remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(body, parser) if body.strip() else None
    except (etree.LxmlError, ValueError):
        return None
