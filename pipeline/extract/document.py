"""From bytes to one parsed tree, and the guards that keep a hostile page from costing more than a normal one."""

from __future__ import annotations

import re

from lxml import etree
from lxml.html import HtmlElement

from pipeline import controls
from pipeline.errors import ExtractError
from pipeline.records import Page

# HTML beyond this many bytes of UTF-8 is cut off. The largest of 257 news pages had 2.2 million; what stands beyond is
# state for scripts, not an article (2026-11-23).
MAX_BYTES = 5_000_000

_BINARY = re.compile(rb"\s*(?:%PDF-|\x89PNG|GIF8|\xff\xd8\xff|PK\x03\x04|\x1f\x8b|RIFF|OggS|ID3|\x7fELF|wOF[F2])")
_OTHER_XML = re.compile(
    rb"\s*<\?xml[^>]*>\s*(?:<\?[^>]*>\s*|<!--.{0,5000}?-->\s*)*(?:<!DOCTYPE\s+(?!html\b)[^>]*>\s*)?<(?!html\b|!DOCTYPE\s+html\b)",
    re.IGNORECASE | re.DOTALL,
)
_OTHER_ROOT = re.compile(rb"\s*<(?:rss|feed|rdf:RDF|urlset|sitemapindex|svg)\b", re.IGNORECASE)
# Control characters and U+FFFD (counted twice) above this share of a page's beginning, and above this number, come of
# bytes that are no text: a file in no format known by its beginning, or text in a charset that nobody named. In random
# bytes every ninth is a control character; read as UTF-16, every thirty-second becomes U+FFFD.
_NO_TEXT, _STRAY = 0.05, 8
_SAMPLE = 30_000
_TAG = re.compile(rb"\s*<[a-zA-Z!?/]")
_SOMETHING = re.compile(rb"[^ \t\r\n\x00]")
_BOM, _REPLACED = "\ufeff".encode(), "\ufffd".encode()
# libxml2 reads no element deeper than 2,048: such a page is read again without the elements that only group others.
_TOO_DEEP = "Excessive depth"
_GROUPS = re.compile(
    r"(?:</?(?:div|section|article|main|aside|table|tbody|thead|tfoot|tr|td|th|ul|ol|dl|dd|dt|li|blockquote|center|form"
    r"|fieldset|details|summary|figure|header|footer|nav|pre|address|menu|dir)\b[^<>]*>\s*)+",
    re.IGNORECASE,
)
_INLINE = re.compile(
    r"</?(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|nobr|q|s|samp|small|span"
    r"|strike|strong|sub|sup|time|tt|u|var|wbr|\w+-[\w-]+|\w+:\w+)\b[^<>]*>",
    re.IGNORECASE,
)
_JSON = re.compile(rb'\s*(?:\{\s*"|\[\s*[{\["])')
_BEGINS_BODY = frozenset(["article", "main", "section", "header", "footer", "nav", "aside", "figure", "dialog"])
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_OPEN_TYPES = ("", "text/plain", "application/octet-stream", "application/xml", "text/xml", "unknown/unknown")
# Control characters, which XML cannot hold, to blanks. UTF-8 has no such byte inside a character.
_CONTROLS = bytes(byte for byte in range(128) if (byte < 32 and byte not in b"\t\n\f\r") or byte == 127)
_CONTROLS_TO_BLANKS = bytes(32 if (byte < 32 and byte not in b"\t\n\r") or byte == 127 else byte for byte in range(256))

# Every element as an HtmlElement. lxml.html's own parser asks Python for a class each time an element is touched, some
# thousand times a page, to give forms and inputs methods of their own; that was 6% of extraction (2026-11-25).
_ELEMENTS = etree.ElementDefaultClassLookup(element=HtmlElement)


def parse(page: Page, markup: bytes) -> HtmlElement | None:
    """The page's tree, comments and processing instructions left out; ``None`` where there is nothing in it.

    ``markup`` is the body in UTF-8. All is done on its bytes, as passes over 300,000 characters of text cost several
    times as much (2026-11-26). Raises ExtractError where the page is no HTML: by its content type, or by how its body
    begins.
    """
    name = page.final_url or page.url
    kind = (page.header("content-type") or "").partition(";")[0].strip().lower()
    if kind not in _HTML_TYPES and kind not in _OPEN_TYPES:
        raise ExtractError(name, f"not HTML but {kind}")
    if _BINARY.match(page.body):
        raise ExtractError(name, "not HTML but a binary file")
    while markup.startswith(_BOM):
        markup = markup.removeprefix(_BOM)
    if not _SOMETHING.search(markup):
        return None
    if len(markup) > MAX_BYTES:
        markup = markup[:MAX_BYTES].decode("utf-8", "ignore").encode()
    if _OTHER_XML.match(markup) or _OTHER_ROOT.match(markup):
        raise ExtractError(name, "not HTML but another kind of XML")
    if kind not in _HTML_TYPES and _JSON.match(markup):
        raise ExtractError(name, "not HTML but JSON")
    if _is_no_text(markup):
        if _TAG.match(markup):
            return None
        raise ExtractError(name, "not HTML but a binary file")
    if controls.may_have_sequences(markup):
        markup = controls.without_sequences(markup.decode()).encode("utf-8", "replace")
    markup = markup.translate(_CONTROLS_TO_BLANKS)
    root, whole = _tree(markup)
    if not whole:
        root, whole = _tree(_INLINE.sub("", _GROUPS.sub("<p>", markup.decode())).encode())
        if not whole:
            raise ExtractError(name, "nested too deep")
    if root is not None:
        _open_body(root)
    return root


def _open_body(root: HtmlElement) -> None:
    """Put what begins the body into a body, where the page has none written out.

    HTML lets the tags of head and body be left away; libxml2 knows HTML 4, and leaves an ``article`` or a ``main`` that
    comes after the title in the head.
    """
    head = root.find("head")
    if head is None or (first := next((child for child in head if child.tag in _BEGINS_BODY), None)) is None:
        return
    body = root.find("body")
    if body is None:
        body = etree.SubElement(root, "body")
    astray = [first, *first.itersiblings()]
    for place, element in enumerate(astray):
        body.insert(place, element)


def _is_no_text(markup: bytes) -> bool:
    """Whether this is what comes out where bytes that are no text are decoded all the same."""
    sample = markup[:_SAMPLE].rstrip(b"\x00")
    bad = 2 * sample.count(_REPLACED) + len(sample) - len(sample.translate(None, _CONTROLS))
    return bad > _STRAY and bad > _NO_TEXT * len(sample.decode("utf-8", "ignore"))


def _tree(markup: bytes) -> tuple[HtmlElement | None, bool]:
    """The tree of HTML in UTF-8, and whether it is whole: not cut off where it is nested too deep."""
    # huge_tree: without it libxml2 drops all that lies deeper than 255 elements, as in pages that never close a
    # <font>; with it the limit is 2,048 and still bounded. IDs are not collected: nothing here asks for them.
    parser = etree.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False, huge_tree=True
    )
    parser.set_element_class_lookup(_ELEMENTS)
    try:
        root = etree.fromstring(markup, parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        root = None
    fatals = parser.error_log.filter_from_fatals()
    if any(entry.type == etree.ErrorTypes.ERR_NO_MEMORY for entry in fatals):
        raise MemoryError  # libxml2 reports it as if it were the page's mistake
    if root is None:
        return None, True
    return root, not any(_TOO_DEEP in entry.message for entry in fatals)
