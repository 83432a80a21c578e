"""The small print around an article: the line that credits an agency, and notes of corrections and withdrawals.

Both stand in footers, asides and small type, which are no part of the body, so they are read before those are dropped.
Only the few texts that speak of such things are looked at.
"""

from __future__ import annotations

import re

from lxml.etree import XPath, _ElementUnicodeResult
from lxml.html import HtmlElement

from pipeline import controls

_WORDS = (
    "eporting by", "eporting from", "nputs from", "nput from", "nputs by", " copy from", " copy by", "yndicated",
    "rrangement with", "ource:", "iles from", "orrect", "ORRECT", "larif", "LARIF", "ithdrawn", "etract", "mended",
    "ditor's note", "ditor’s note", "DITOR'S NOTE", "DITOR’S NOTE", "arlier version", "revious version",
    "riginal version",
)  # fmt: skip
"""What such lines hold, in the cases that are written; sought in all texts at once, as most pages have none of it."""
_WITHIN = XPath(".//text()[string-length() > 12 and string-length() < 900]")
_CREDIT = re.compile(
    r"\b(?:additional\s+)?reporting\s+(?:by|from)\b|\b(?:with\s+)?(?:\w+\s+)?inputs?\s+(?:from|by)\b|\bcopy\s+(?:from|by)\b"
    r"|\bsyndicated\s+(?:feed|copy)\b|\bby\s+arrangement\s+with\b|^\W*source:\s*.{2,40}$|\bwith\s+files\s+from\b",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"""^\W{0,3}(?:corrections?|corrected|clarifications?|clarified|amendment|retraction|editor['’]?s?\s+note)
        (?:\s*\([^)]{1,40}\)|,?\s+\w+\.?\s+\d{1,2}(?:,\s+\d{4})?)?\s*[:–—-]
      | ^\W{0,3}(?:this\s+version\s+)?(?:corrects|clarifies)\b
      | \b(?:this|the)\s+(?:story|article|report|headline|item)\s+(?:has\s+been|was)\s+(?:\w+\s+)?
        (?:corrected|amended|clarified|withdrawn|retracted|removed|updated\s+to\s+(?:correct|clarify|reflect))
      | \b(?:earlier|previous|original)\s+versions?\s+of\s+this\s+(?:story|article|report|headline|item)
      | \bhas\s+withdrawn\s+(?:the|this|its)\s+(?:story|report|article)""",
    re.IGNORECASE | re.VERBOSE,
)
_UNFINISHED = re.compile(r"\b(?:by|from|with|the|and)\W*$", re.IGNORECASE)
_HEADS = frozenset({"a", "h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = frozenset(
    ["p", "div", "li", "td", "footer", "aside", "section", "article", "blockquote", "dd", "figcaption", "main", "body"]
)
_MOST_PLACES, _LONGEST_CREDIT, _LONGEST_NOTE, _MOST_NOTES = 40, 200, 600, 3


def small_print(root: HtmlElement) -> list[tuple[str, str]]:
    """The lines of footers and asides that speak of such things; to be asked before those are dropped."""
    return _lines([text for element in root.iter("footer", "aside") for text in _texts(element)])


def read(root: HtmlElement, small: list[tuple[str, str]]) -> tuple[str | None, tuple[str, ...]]:
    """The credit line, and the notes, of a page: from what is left of its tree, and the small print."""
    credit: str | None = None
    notes: dict[str, None] = {}
    body = root.find("body")
    texts = [] if body is None else _texts(body)
    for text, block in (*_lines(texts), *small):
        # A credit is a line of its own, and what stands behind it in the same block is something else, unless a name in
        # another type follows; a note has its label in bold as often as not.
        own = block if _UNFINISHED.search(text) else text
        if len(own) <= _LONGEST_CREDIT and credit is None and _CREDIT.search(own) and not own.endswith("?"):
            credit = own
        elif _NOTE.search(block) and len(notes) < _MOST_NOTES:
            notes[block] = None
    return credit, tuple(notes)


def _texts(element: HtmlElement) -> list[_ElementUnicodeResult]:
    """The texts of an element, none where none of the words stands in it. That is asked first, of all of its text as
    one: nine of ten pages have none (235 of 257), and to be given each text by itself is three times the work
    (2026-11-26)."""
    together = str(element.text_content())
    if not any(word in together for word in _WORDS):
        return []
    found = _WITHIN(element)
    return [text for text in found if isinstance(text, _ElementUnicodeResult)] if isinstance(found, list) else []


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _lines(texts: list[_ElementUnicodeResult]) -> list[tuple[str, str]]:
    """The texts among these that may matter, each with the text of the block it stands in. Links and headings are
    about other articles, or are the article's own."""
    lines: dict[tuple[str, str], None] = {}
    for text in texts:
        if not any(word in text for word in _WORDS):
            continue
        if len(lines) >= _MOST_PLACES:
            break
        element = text.getparent()
        if element is not None and text.is_tail:
            element = element.getparent()
        while element is not None and element.tag not in _BLOCKS and element.tag not in _HEADS:
            element = element.getparent()
        if not isinstance(element, HtmlElement) or element.tag in _HEADS:
            continue
        own = controls.clean(_one_line(text))
        # A block that holds much besides says nothing of these words: then the words alone.
        block = controls.clean(_one_line(str(element.text_content()))) if len(element) < 20 else ""
        lines[own, block if block and len(block) <= _LONGEST_NOTE else own] = None
    return list(lines)
