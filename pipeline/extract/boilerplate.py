"""Tells the lines of a body that are not the article: calls to read, follow or subscribe, credits, embedded posts.

By form only, and in the languages of the wires watched first; a line is dropped only where it is short and opens as
such lines do, so that a sentence which merely mentions a newsletter stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml import etree
from lxml.etree import XPath
from lxml.html import HtmlElement

from pipeline.extract.text import phrases, squash

_EMBEDS = XPath(
    './/blockquote[contains(@class,"twitter") or contains(@class,"instagram") or contains(@class,"tiktok") or'
    ' contains(@class,"bluesky") or contains(@class,"reddit") or @data-instgrm-permalink]'
    ' | .//*[@aria-hidden="true" and not(.//p)]'
)
# Places for advertisements, pictures and spaces: a third of a container's elements, at whose class names trafilatura
# looks with dozens of regular expressions each (2026-11-26).
_EMPTY = XPath(
    ".//*[(self::div or self::span or self::section or self::a or self::ul or self::li or self::p or self::cnx)"
    " and not(normalize-space())]"
)
_LINKS = XPath(".//a[string-length() > 12]")
_BLOCKS = frozenset({"p", "li", "div", "h2", "h3", "h4", "h5", "h6", "dd", "dt", "section", "td"})
_INLINE = frozenset({"b", "strong", "em", "i", "span", "u", "font", "mark", "small", "cite"})

_CALL = re.compile(r"\W*(?:" + "|".join(phrases("calls")) + ")", re.IGNORECASE)
_CREDIT = re.compile(
    r"""\W*(?:(?:photo|image|picture|video|graphic|illustration|foto|bild|fotos|imagen|imatge|crédit\s+photo|photos?\s+by
        |source\s+image|写真|사진|图)\s*(?:credits?|source|by|von|courtesy)?\s*[:/©(]|©|\(?\s*(?:ap|reuters|afp|getty)\s+(?:photo|images?)\b
        |bild:|(?:\S+\s+){0,4}/\s*(?:getty|afp|reuters|ap|dpa|imago|epa|alamy)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_LONGEST_CALL, _LONGEST_CREDIT = 240, 120
_NOTHING = "nothing"


def prune(container: HtmlElement) -> None:
    """Take embedded posts out of the container, blocks that are nothing but one link (they lead elsewhere), and what
    holds no text at all.

    A container made of links alone (a list of headlines) is left as it is.
    """
    embeds = _EMBEDS(container)
    for element in embeds if isinstance(embeds, list) else ():
        if isinstance(element, HtmlElement):
            _drop(element)
    links = _LINKS(container)
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, HtmlElement):
            continue
        size = _letters(link)
        if size > _LONGEST_CALL or (link.get("href") or "").startswith("#"):
            continue
        block, parent = link, link.getparent()
        while parent is not None and (parent.tag in _INLINE or parent.tag in _BLOCKS) and parent is not container:
            if _letters(parent) > size + 3:
                break
            block, parent = parent, parent.getparent()
        if block.tag in _BLOCKS and parent is not None:
            _drop(block)
    empty = _EMPTY(container)
    for element in empty if isinstance(empty, list) else ():
        if isinstance(element, HtmlElement):
            element.tag = _NOTHING
    etree.strip_elements(container, _NOTHING, with_tail=False)


def _letters(element: HtmlElement) -> int:
    return len("".join("".join(element.itertext()).split()))


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def clean(lines: Sequence[str], title: str) -> list[str]:
    """The lines without boilerplate, without the title above them, and without lines said before."""
    kept: list[str] = []
    seen: set[str] = set()
    headline = squash(title)
    for raw in lines:
        line = raw.strip()
        key = squash(line)
        if not key or is_boilerplate(line):
            continue
        if len(key) > 40:
            if key in seen:
                continue
            seen.add(key)
        if key == headline and len(kept) < 3:
            continue
        kept.append(line)
    return kept


def is_boilerplate(line: str) -> bool:
    """Whether a line only leads elsewhere or credits a picture."""
    if len(line) <= _LONGEST_CALL and _CALL.match(line):
        return True
    return len(line) <= _LONGEST_CREDIT and _CREDIT.match(line) is not None
