"""Lists of feeds as OPML 2.0 (http://opml.org/spec2.opml), the format in which readers exchange them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from pipeline.errors import FeedError
from pipeline.feeds.entry import MAX_NAME, MAX_TITLE, MAX_URL, link_of
from pipeline.feeds.text import line
from pipeline.records import Feed, Identity

_OURS = "urn:wirewatch:opml"
"""The namespace of what we add to an outline: OPML wants any attribute that it does not know in one."""
_FEED_TYPES = frozenset({"rss", "atom", "feed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpmlFeed:
    """One feed of an OPML list."""

    url: str
    title: str = ""
    site: str | None = None
    categories: tuple[str, ...] = ()
    """The folders around it, outermost first, then those of its ``category`` attribute."""
    source: str = ""
    """The outlet's name, where it was given one beside the feed's title."""
    identity: Identity = Identity.AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class OpmlSkipped:
    """An outline that is meant to be a feed and cannot be polled."""

    line: int
    """Where it stands in the file, from 1."""
    title: str
    url: str
    """Its address as written, in one line and cut to a readable length; may be empty."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpmlList:
    """All that an OPML file lists."""

    feeds: tuple[OpmlFeed, ...]
    skipped: tuple[OpmlSkipped, ...]


def read_opml(content: bytes, *, name: str = "OPML") -> list[OpmlFeed]:
    """The feeds in an OPML file that can be polled: ``list_opml`` without what it skips."""
    return list(list_opml(content, name=name).feeds)


def list_opml(content: bytes, *, name: str = "OPML") -> OpmlList:
    """The feeds in an OPML file, in its order, each address once, and the outlines that name a feed which cannot be
    polled: with an empty address, or one that is neither http nor https. Other outlines are folders.

    Entities are not expanded and nothing is fetched. Raises FeedError ``opml`` for a file that is not well-formed or is
    no OPML; ``name`` stands for the file in its text.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(content.removeprefix(b"\xef\xbb\xbf").strip(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise FeedError(name, "opml", f"not a readable OPML file ({_said(error)})") from error
    if root is None or etree.QName(root).localname.lower() != "opml":
        raise FeedError(name, "opml", "not an OPML file: its root is not <opml>")
    feeds: dict[str, OpmlFeed] = {}
    skipped: list[OpmlSkipped] = []
    folders: list[str] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if not isinstance(element.tag, str) or etree.QName(element).localname.lower() != "outline":
            continue
        if event == "end":
            folders.pop()
            continue
        attributes = {str(key).lower(): str(value) for key, value in element.attrib.items()}
        title = line(attributes.get("title") or attributes.get("text") or "", limit=MAX_TITLE)
        written = attributes.get("xmlurl", "").strip()
        url = link_of("", written)
        meant = "xmlurl" in attributes or attributes.get("type", "").strip().lower() in _FEED_TYPES
        if url is None and meant:
            place = element.sourceline or 0
            skipped.append(
                OpmlSkipped(line=place, title=title, url=line(written, limit=MAX_NAME), reason=_why(written))
            )
        known_by = attributes.get(f"{{{_OURS}}}identity", Identity.AUTO)
        if url is not None and known_by not in list(Identity):
            why = f"its identity {line(known_by, limit=40)!r} is none of {', '.join(Identity)}"
            skipped.append(
                OpmlSkipped(line=element.sourceline or 0, title=title, url=line(written, limit=MAX_NAME), reason=why)
            )
        elif url is not None and url not in feeds:
            named = [part.strip() for path in attributes.get("category", "").split(",") for part in path.split("/")]
            feeds[url] = OpmlFeed(
                url=url,
                title=title,
                site=link_of("", attributes.get("htmlurl", "").strip()),
                categories=tuple(dict.fromkeys(part for part in (*folders, *named) if part)),
                source=line(attributes.get(f"{{{_OURS}}}source", ""), limit=MAX_TITLE),
                identity=Identity(known_by),
            )
        folders.append("" if meant else title)
    return OpmlList(feeds=tuple(feeds.values()), skipped=tuple(skipped))


def _why(address: str) -> str:
    if not address:
        return "it has no address"
    if len(address) > MAX_URL:
        return "its address is too long"
    return "its address is neither http nor https"


def _said(error: Exception) -> str:
    """What lxml says, its place once: ``str()`` of its errors repeats the line behind the column."""
    return str(getattr(error, "msg", None) or error or "it is empty")


def write_opml(feeds: Iterable[Feed], *, title: str = "Wirewatch feeds") -> bytes:
    """The feeds as an OPML file, in the given order. The same feeds give the same bytes."""
    root = etree.Element("opml", version="2.0", nsmap={"wirewatch": _OURS})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    for feed in feeds:
        name = line(feed.source or feed.title or feed.url, limit=MAX_TITLE)
        attributes = {"type": "rss", "text": name, "title": name, "xmlUrl": feed.url}
        if feed.site:
            attributes["htmlUrl"] = feed.site
        if feed.source and feed.source != feed.title:
            attributes[f"{{{_OURS}}}source"] = name
        if feed.identity is not Identity.AUTO:
            attributes[f"{{{_OURS}}}identity"] = feed.identity.value
        etree.SubElement(body, "outline", attributes)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
