"""The charset of a page, found the way browsers do, with three lies of servers seen through.

Order: byte order mark; the Content-Type header; the meta tag or XML prolog; detection. Before the last three, a body
with non-ASCII bytes that is valid UTF-8 from end to end is UTF-8 whatever was declared: other charsets practically
never form that, and "iso-8859-1" over UTF-8 is the commonest lie there is. A header that names a charset which these
bytes cannot be in (UTF-16 without a zero byte) does not count. Labels mean what the WHATWG Encoding Standard says
("iso-8859-1" is windows-1252), by w3lib.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes
from w3lib.encoding import (
    html_body_declared_encoding,
    http_content_type_encoding,
    read_bom,
    resolve_encoding,
)

from pipeline.records import Page

_SAMPLE = 8192
"""Bytes given to detection: enough for charset-normalizer to be sure, a few milliseconds of its time."""

_STATEFUL = ("utf-16", "utf-32", "iso2022", "hz")
"""Charsets whose bytes may look like ASCII or UTF-8 and are not."""

_WEB = (
    *("cp1252", "cp1251", "cp1250", "gb18030", "cp932", "euc_jp", "big5", "cp949", "euc_kr", "cp1253", "cp1254"),
    *("cp1255", "cp1256", "cp1257", "cp1258", "iso8859_2", "iso8859_7", "koi8_r", "cp874"),
)
"""Python's names of the legacy charsets that browsers know and pages use, the commonest first."""

_CHARSET = re.compile(r"(?:utf-(?:8|16|32)|ascii|latin|cp|iso8859|iso2022|koi8|mac|gb|hz|big5|euc|shift|tis-620)")
"""Python's names of charsets. Its other codecs are no charsets (``rot13``), unsafe in browsers' eyes (``utf-7``), or
take quadratic time (``punycode``)."""

_WIDE = ("utf-16", "utf-32")
_WIDE_STARTS = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))
"""How HTML in UTF-16 without a byte order mark begins."""

_NON_ASCII = re.compile(rb"[\x80-\xff]")
_TAG = re.compile(rb"<[^>]*>")

_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_HTML_START = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)


def as_utf8(page: Page) -> bytes:
    """The body of a page in UTF-8, valid and without a byte order mark. Never raises: what cannot be decoded becomes
    U+FFFD. Nine of ten pages are in UTF-8 already, and come back as they are."""
    body = page.body
    bom, mark = read_bom(body)
    if bom is not None and mark is not None:
        return _recoded(body[len(mark) :], bom)
    declared = _known(http_content_type_encoding(page.header("content-type") or ""))
    if declared is not None and _is_no_such(declared, body):
        declared = None
    if declared is None:
        declared = next((name for start, name in _WIDE_STARTS if body.startswith(start)), None)
    if declared is None:
        declared = _known(html_body_declared_encoding(body[:4096]))
        if declared is not None and declared.startswith(_WIDE):
            declared = "utf-8"  # the tag could not have been read otherwise: HTML Standard, 13.2.3.2
    if (declared is None or not declared.startswith(_STATEFUL)) and _is_utf8(body):
        return body
    if declared is not None:
        text = body.decode(declared, "replace")
        if text.count("\ufffd") * 1000 <= len(text):
            return text.encode("utf-8", "replace")
    return _recoded(body, _detect(body) or declared or "utf-8")


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _recoded(body: bytes, charset: str) -> bytes:
    return body.decode(charset, "replace").encode("utf-8", "replace")


def _is_no_such(declared: str, body: bytes) -> bool:
    """Whether bytes cannot be in the stateful charset that a header names: text in UTF-16 and 32 has a zero in every
    character of markup, and text in the 7-bit charsets of mail no byte above ASCII."""
    if declared.startswith(_WIDE):
        return b"\x00" not in body[:_SAMPLE] and _TAG.search(body[:_SAMPLE]) is not None
    return declared.startswith(_STATEFUL) and not body.isascii()


def _known(label: str | None) -> str | None:
    """The Python codec for a label, or ``None`` where it names no charset of the web."""
    if not label:
        return None
    try:
        name = codecs.lookup(resolve_encoding(label) or label).name
    except (LookupError, ValueError, UnicodeError):
        return None
    return name if _CHARSET.match(name) else None


def _detect(body: bytes) -> str | None:
    """What charset-normalizer makes of the text of a sample that begins where the first non-ASCII byte stands.

    Only charsets of the web are let in, and of those that fit equally well the commonest is taken: on 18 sentences
    in 14 languages that gives 18 right, the library by itself 14 (2026-11-23).
    """
    first = _NON_ASCII.search(body)
    if first is None:
        return None
    start = max(body.rfind(b"<", 0, first.start()), 0)
    sample = body[start : start + _SAMPLE]
    if len(body) > start + _SAMPLE:  # cut where no multi-byte character can be cut
        sample = sample[: max(sample.rfind(b"<"), sample.rfind(b"\n"), sample.rfind(b" ")) + 1] or sample
    matches = from_bytes(_TAG.sub(b" ", sample), cp_isolation=list(_WEB))
    best = matches.best()
    if best is None:
        return None
    fitting = {
        name
        for match in matches
        if (match.chaos, match.coherence) == (best.chaos, best.coherence)
        for name in match.could_be_from_charset
    }
    return next((name for name in _WEB if name in fitting), best.encoding)


def is_html(page: Page) -> bool:
    """Whether a page is HTML: by its Content-Type, or by its first bytes where that is missing or merely XML."""
    kind = (page.header("content-type") or "").partition(";")[0].strip().lower()
    if kind in _HTML_TYPES:
        return True
    if kind in {"", "text/xml", "application/xml", "unknown/unknown", "application/octet-stream"}:
        return _HTML_START.match(page.body[:4096]) is not None
    return False
