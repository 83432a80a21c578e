"""Takes the article's body out of a parsed page, in paragraphs.

trafilatura does the extraction, but is not given the whole page: what it would throw away first (scripts, menus,
figures) is dropped in one pass in C, and the smallest element that holds the article's text is found by where the text
lies. On that element trafilatura's fast preset costs a third of what it costs on the page, and is right more often.
Where the element holds nothing but the article's lines (:mod:`pipeline.extract.bare`), there is nothing left to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import trafilatura
from lxml import etree
from lxml.etree import XPath, _ElementUnicodeResult
from lxml.html import Element, HtmlElement
from trafilatura.settings import Extractor

from pipeline.extract import bare, boilerplate
from pipeline.extract.text import plain, squash

# Elements that never hold an article's words. ``form`` is not among them: whole pages lie in one form.
_NOISE = (
    "script", "style", "noscript", "svg", "iframe", "nav", "footer", "aside", "button", "select", "video", "audio",
    "canvas", "object", "embed", "template", "input", "textarea", "dialog", "figure", "picture", "img", "link", "meta",
    "source", "head", "path",
)  # fmt: skip
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "br",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
    ]
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "label", "title", "figcaption", "caption", "legend"})
_PARAGRAPHS = frozenset({"p", "li", "ul", "ol", "dl", "blockquote", "pre"})
# Elements that dress words up and say nothing of what they are; the attributes by which trafilatura judges one all the
# same.
_DRESS = ("span", "strong", "em", "b", "i", "font", "u", "small", "abbr", "time", "cite", "mark", "big", "sup", "sub")
_JUDGED_BY = frozenset({"class", "id", "style", "aria-hidden", "role", "hidden"})
_UNDRESSED = "undressed"
_TABLES = ("table", "tbody", "tr", "td", "th")

# Text nodes shorter than this are labels and links as often as prose; they say nothing about where the article is.
_LONG_TEXTS = XPath("//body//text()[string-length() > 30]")
_PARAGRAPH_COUNT: Callable[[HtmlElement], float] = XPath("count(.//p)")  # type: ignore[assignment]
_ELEMENT_COUNT: Callable[[HtmlElement], float] = XPath("count(.//*)")  # type: ignore[assignment]
_TABLE_COUNT: Callable[[HtmlElement], float] = XPath("count(.//table)")  # type: ignore[assignment]
# A child that holds this share of its parent's prose takes its place as the container: at 0.75 the container kept
# all of the gold text on 250 of 257 pages (2026-11-23).
_DOMINANT = 0.75
# Where trafilatura keeps less than this share of the container's running text it went astray on the name of a class
# (six of 257 pages). The container's paragraphs are then taken as they stand, or, where it also holds other things
# and something was kept, the page is read again with trafilatura's fallbacks (2026-11-23).
_KEPT_OF_BARE, _KEPT_OF_MIXED, _KEPT_AT_ALL = 0.5, 0.25, 0.1
# What lies in a container that holds a whole page's article, and what only trafilatura writes out.
_WHOLE = (".//h1", './/*[@itemprop="articleBody"]')
_NOT_BARE = (*_WHOLE, ".//table")
# A container is taken to be bare, and trafilatura not asked, where its lines are this share of its running text: 172 of
# 257 pages (2026-11-26).
_KEPT_AS_BARE = 0.8
# A page's ``articleBody`` is believed to be the whole text where it holds this share of what is visible; lines above
# it and shorter than a heading are kept all the same, as it often has no headings.
_SHARED, _HEADING = 0.7, 40
# trafilatura on more elements than this is not bounded well enough (3,000 tables inside each other took it 10 s): such
# a page is read plainly instead. The largest article of 257 had some 3,000 elements (2026-11-23).
_MAX_ELEMENTS = 20_000
_MAX_TABLES = 200
_MAX_DEPTH = 400

# One set of options for every page; trafilatura copies before it changes any. No deduplication: its memory of earlier
# pages would make the result depend on them.
_OPTIONS = Extractor(output_format="python", fast=True, comments=False, tables=True, dedup=False)
# Within a container that holds nothing but the body, trafilatura is told to keep what it finds: the same F1 as balanced
# (0.966 on 257 pages), and it does not measure the page again to see what it left behind.
_KEEPING = Extractor(output_format="python", fast=True, comments=False, tables=True, dedup=False, recall=True)
_THOROUGH = Extractor(output_format="python", fast=False, comments=False, tables=True, dedup=False)


_MOST_COMPARED = 500_000_000
"""Lines times characters of ``articleBody`` that are searched for each other: half a second. An article of 400 lines
and 100,000 characters is a tenth of it (2026-11-25)."""


@dataclass(slots=True)
class Prose:
    """Where a page's running text lies, after the noise was dropped."""

    container: HtmlElement | None = None
    """The smallest element that holds the article's text; ``None`` where the page has no running text."""
    size: int = 0
    """Characters of running text (not in links or headings) in the container."""
    total: int = 0
    """The same for the whole page."""
    blocks: list[tuple[HtmlElement, bool]] = field(default_factory=list)
    """The block elements of all longer texts in document order, and whether the text is a link."""


def drop_noise(root: HtmlElement) -> None:
    """Take all that never holds an article's words out of the tree.

    An ``aside`` or the like that was opened early and never closed holds the article too: with the page's heading or
    half of its paragraphs in it, it stays as a plain element.
    """
    paragraphs = _PARAGRAPH_COUNT(root)
    for element in root.iter("aside", "footer", "nav", "dialog", "button"):
        if element.find(".//h1") is not None or 2 * _PARAGRAPH_COUNT(element) > paragraphs > 6:
            element.tag = "div"
    etree.strip_elements(root, *_NOISE, with_tail=False)


def locate(root: HtmlElement) -> Prose:
    """Find where a page's running text lies, after :func:`drop_noise`."""
    prose = Prose()
    own: dict[HtmlElement, int] = {}
    found = _LONG_TEXTS(root)
    for text in found if isinstance(found, list) else ():
        if not isinstance(text, _ElementUnicodeResult):
            continue
        element = text.getparent()
        if element is not None and text.is_tail:
            element = element.getparent()
        linked = False
        while element is not None and (tag := element.tag) in _INLINE:
            linked = linked or tag == "a"
            element = element.getparent()
        if element is None or text.isspace():
            continue
        prose.blocks.append((element, linked))
        if not linked and tag not in _HEADINGS:
            own[element] = own.get(element, 0) + len(text)
    sums = _summed(own)
    node = root.find("body")
    if node is None or node not in sums:
        return prose
    prose.total = sums[node]
    prose.container = node = _descend(node, sums)
    prose.size = sums[node]
    return prose


def _summed(own: dict[HtmlElement, int]) -> dict[HtmlElement, int]:
    """For each of these elements and all around them, the sum of what is in them; what lies deeper than the limit
    counts only for the elements next around it."""
    around: dict[HtmlElement, HtmlElement | None] = {}
    depths: dict[HtmlElement, int] = {}
    for block in own:
        path: list[HtmlElement] = []
        node: HtmlElement | None = block
        while node is not None and node not in depths:
            path.append(node)
            node = node.getparent()
        depth = 0 if node is None else depths[node]
        for inner in reversed(path):
            depth += 1
            around[inner], depths[inner] = node, depth
            node = inner
    sums = {block: size for block, size in own.items() if depths[block] <= _MAX_DEPTH}
    for node in sorted(depths, key=depths.__getitem__, reverse=True):
        outer = around[node]
        if outer is not None and node in sums:
            sums[outer] = sums.get(outer, 0) + sums[node]
    for block, size in own.items():
        if depths[block] > _MAX_DEPTH:
            node = block
            for _ in range(_MAX_DEPTH):
                if node is not None:
                    sums[node] = sums.get(node, 0) + size
                    node = around[node]
    return sums


def _descend(node: HtmlElement, sums: dict[HtmlElement, int]) -> HtmlElement:
    while True:
        inner = [child for child in node if child in sums]
        if not inner:
            return node
        best = max(inner, key=sums.__getitem__)
        if sums[best] < _DOMINANT * sums[node] or best.tag in _PARAGRAPHS or best.tag in _INLINE:
            return node
        # An article cut into pieces of one class (by advertisements, or as a list of updates) is kept whole.
        name = best.get("class")
        if name and any(child is not best and child.tag == best.tag and child.get("class") == name for child in inner):
            return node
        node = best


def body(root: HtmlElement, prose: Prose, *, title: str, summaries: Sequence[str], texts: Sequence[str]) -> str:
    """The body in paragraphs, blank lines between; "" where there is none.

    ``summaries`` are the descriptions that the page gives of itself: one that stands visibly above the text is the
    article's standfirst and begins the body. ``texts`` are ``articleBody`` of its JSON-LD: taken instead where the
    page's visible text is only the beginning of it.
    """
    container = prose.container
    if container is None:
        lines = _plainly(root) if _is_huge(root) else _by_trafilatura(root)
        return _paragraphs(_own_text(texts, "\n".join(lines)) or lines, title)
    standfirst = _standfirst(prose, summaries)
    boilerplate.prune(container)
    lines = _extracted(container, prose.size)
    if standfirst and squash(standfirst)[:60] not in squash("".join(lines[:6])):
        lines.insert(0, standfirst)
    lines = _own_text(texts, "\n".join(lines)) or _confirmed(lines, texts)
    return _paragraphs(lines, title)


def _confirmed(lines: Sequence[str], texts: Sequence[str]) -> list[str]:
    """The lines without those that the page's own ``articleBody`` does not have, where it has nearly all of them."""
    if not texts:
        return list(lines)
    keys = [squash(line) for line in lines]
    for text in texts[:2]:
        own = squash(plain(text))
        if len(keys) * len(own) > _MOST_COMPARED:
            continue
        total = sum(map(len, keys))
        known = [any(part in own for part in (key[:40], key[len(key) // 2 :][:40], key[-40:])) for key in keys]
        shared = sum(len(key) for key, is_known in zip(keys, known, strict=True) if is_known)
        if not total or shared < _SHARED * total or len(own) < 0.8 * shared:
            continue
        last = max(number for number, is_known in enumerate(known) if is_known)
        return [
            line
            for number, line in enumerate(lines)
            if known[number] or number == 0 or (number < last and len(keys[number]) < _HEADING)
        ]
    return list(lines)


def _standfirst(prose: Prose, summaries: Sequence[str]) -> str:
    keys = [key for summary in summaries if len(key := squash(summary)) > 30]
    container = prose.container
    if not keys or container is None or container.tag == "body":
        return ""
    for element, _ in prose.blocks:
        if element is container or any(outer is container for outer in element.iterancestors()):
            return ""
        if element.tag in ("h1", "title"):
            continue
        text = plain("".join(element.itertext()))
        seen = squash(text)
        if len(seen) > 30 and any(seen[:80] == key[:80] or (len(seen) > 60 and seen in key) for key in keys):
            return text
    return ""


def _extracted(container: HtmlElement, size: int) -> list[str]:
    if _is_huge(container):
        return _plainly(container)
    if container.tag in _TABLES:
        # Most of the page's text in one table is a layout, not a table of data.
        for element in [*container.iter(*_TABLES)]:
            element.tag = "div"
    if all(container.find(path) is None for path in _NOT_BARE):
        lines = bare.read(container)
        if sum(map(len, lines)) >= _KEPT_AS_BARE * size:
            return lines
    mixed = _is_mixed(container)
    whole = container.getparent() if container.tag == "body" else None
    if whole is None:
        whole = Element("html")
        inner = etree.SubElement(whole, "body")
        if not mixed:
            # Named thus, the container is taken as the article's body whatever its own class says.
            inner = etree.SubElement(inner, "div", {"itemprop": "articleBody"})
        inner.append(container)
    lines = _by_trafilatura(whole, _OPTIONS if mixed else _KEEPING)
    kept = sum(map(len, lines)) / max(size, 1)
    if kept < (_KEPT_AT_ALL if mixed else _KEPT_OF_BARE):
        return _plainly(container)
    if mixed and kept < _KEPT_OF_MIXED:
        return _by_trafilatura(whole, _THOROUGH)
    return lines


def _by_trafilatura(whole: HtmlElement, options: Extractor = _OPTIONS) -> list[str]:
    """The page's lines by trafilatura, without the elements that only dress words up: it asks a dozen expressions of
    each, and keeps none of their dress. Those by whose names it judges stay; a seventh of its time (2026-11-26)."""
    for element in whole.iter(*_DRESS):
        if _JUDGED_BY.isdisjoint(element.keys()):
            element.tag = _UNDRESSED
    etree.strip_tags(whole, _UNDRESSED)
    document = trafilatura.bare_extraction(whole, options=options)
    return str(getattr(document, "text", None) or "").split("\n")


def _is_huge(element: HtmlElement) -> bool:
    return _ELEMENT_COUNT(element) > _MAX_ELEMENTS or _TABLE_COUNT(element) > _MAX_TABLES


def _is_mixed(container: HtmlElement) -> bool:
    """Whether the container is not the bare body but holds it beside other things."""
    return any(container.find(path) is not None for path in (*_WHOLE, ".//article"))


def _plainly(container: HtmlElement) -> list[str]:
    """The container's paragraphs without any judgement."""
    lines = [
        " ".join("".join(element.itertext()).split())
        for element in container.iter("p", "h2", "h3", "h4", "li", "blockquote", "pre", "td")
        if next(element.iterancestors("p", "li", "blockquote", "td"), None) is None
    ]
    if not any(lines):
        lines = [" ".join(line.split()) for line in "\n".join(container.itertext()).split("\n")]
    return [line for line in lines if line]


def _own_text(texts: Sequence[str], visible: str) -> list[str]:
    """The page's own ``articleBody`` where it is much longer than what is visible and begins alike; else nothing."""
    if not texts:
        return []
    seen = squash(visible)
    for text in texts[:2]:
        if len(text) < 1.3 * len(visible) or len(text) < 200:
            continue
        lines = [line for line in (plain(part) for part in re.split(r"\n+|</p>|<br\s*/?>", text)) if line]
        key = squash("".join(lines))
        if len(seen) < 100 or seen[40:100] in key:
            return lines
    return []


def _paragraphs(lines: Sequence[str], title: str = "") -> str:
    return "\n\n".join(boilerplate.clean(lines, title))
