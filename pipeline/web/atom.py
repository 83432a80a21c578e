"""Writes Atom feeds (RFC 4287)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lxml import etree

_NAMESPACE: Final = "http://www.w3.org/2005/Atom"
_UNFIT: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. ``link`` is our page, ``original`` the source's; ``summary`` is plain text."""

    id: str
    title: str
    link: str
    updated: datetime
    published: datetime
    original: str = ""
    author: str = ""
    summary: str = ""


def feed(*, title: str, itself: str, page: str, entries: Iterable[Entry], now: datetime) -> bytes:
    """A whole feed. ``itself`` is its own address, ``page`` the one for people; it is as new as its newest entry."""
    entries = list(entries)
    root = etree.Element(f"{{{_NAMESPACE}}}feed", nsmap={None: _NAMESPACE})  # type: ignore[dict-item]  # the stubs forget the default
    _add(root, "id", itself)
    _add(root, "title", title)
    _add(root, "updated", _stamp(max((entry.updated for entry in entries), default=now)))
    _add(root, "link", rel="self", type="application/atom+xml", href=itself)
    _add(root, "link", rel="alternate", type="text/html", href=page)
    _add(root, "generator", "Wirewatch")
    for entry in entries:
        node = _add(root, "entry")
        _add(node, "id", entry.id)
        _add(node, "title", entry.title)
        _add(node, "updated", _stamp(entry.updated))
        _add(node, "published", _stamp(entry.published))
        _add(node, "link", rel="alternate", type="text/html", href=entry.link)
        if entry.original:
            _add(node, "link", rel="related", href=entry.original)
        _add(_add(node, "author"), "name", entry.author or "unknown")
        if entry.summary:
            _add(node, "summary", entry.summary, type="text")
    written: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
    return written


def _add(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    node = etree.SubElement(parent, f"{{{_NAMESPACE}}}{name}")
    for key, value in attributes.items():
        node.set(key, _UNFIT.sub("\ufffd", value))
    if text:
        node.text = _UNFIT.sub("\ufffd", text)
    return node


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
