"""From bytes to one parsed tree, and the guards that keep a hostile page from costing more than a normal one."""

from __future__ import annotations

import re

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from pipeline.errors import ExtractError
from pipeline.records import Page

# HTML beyond this many characters is cut off. The largest of 257 news pages had 2.2 million; what stands beyond is
# state for scripts, not an article (2026-11-23).
MAX_CHARACTERS = 5_000_000

_BINARY = re.compile(rb"\s*(?:%PDF-|\x89PNG|GIF8|\xff\xd8\xff|PK\x03\x04|\x1f\x8b|RIFF|OggS|ID3|\x7fELF|wOF[F2])")
_OTHER_XML = re.compile(
    r"\s*<\?xml[^>]*>\s*(?:<\?[^>]*>\s*|<!--.{0,5000}?-->\s*)*(?:<!DOCTYPE\s+(?!html\b)[^>]*>\s*)?<(?!html\b|!DOCTYPE\s+html\b)",
    re.IGNORECASE | re.DOTALL,
)
_OTHER_ROOT = re.compile(r"\s*<(?:rss|feed|rdf:RDF|urlset|sitemapindex|svg)\b", re.IGNORECASE)
_JSON = re.compile(r'\s*(?:\{\s*"|\[\s*[{\["])')
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_OPEN_TYPES = ("", "text/plain", "application/octet-stream", "application/xml", "text/xml", "unknown/unknown")
# Control characters, which XML cannot hold, to blanks; one table over bytes, since a search of the text costs eight
# times as much. UTF-8 has no such byte inside a character.
_CONTROLS_TO_BLANKS = bytes(32 if (byte < 32 and byte not in b"\t\n\r") or byte == 127 else byte for byte in range(256))


def parse(page: Page, text: str) -> HtmlElement | None:
    """The page's tree, comments and processing instructions left out; ``None`` where there is nothing in it.

    ``text`` is the decoded body. Raises ExtractError where the page is no HTML: by its content type, or by how its
    body begins.
    """
    name = page.final_url or page.url
    kind = (page.header("content-type") or "").partition(";")[0].strip().lower()
    if kind not in _HTML_TYPES and kind not in _OPEN_TYPES:
        raise ExtractError(name, f"not HTML but {kind}")
    if _BINARY.match(page.body):
        raise ExtractError(name, "not HTML but a binary file")
    if not text.strip("\ufeff \t\r\n\x00"):
        return None
    text = text[:MAX_CHARACTERS].lstrip("\ufeff")
    if _OTHER_XML.match(text) or _OTHER_ROOT.match(text):
        raise ExtractError(name, "not HTML but another kind of XML")
    if kind not in _HTML_TYPES and _JSON.match(text):
        raise ExtractError(name, "not HTML but JSON")
    # huge_tree: without it libxml2 drops all that lies deeper than 255 elements, as in pages that never close a
    # <font>; with it the limit is 2,048 and still bounded. IDs are not collected: nothing here asks for them.
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False, huge_tree=True)
    try:
        return document_fromstring(text.encode("utf-8", "replace").translate(_CONTROLS_TO_BLANKS), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return None
