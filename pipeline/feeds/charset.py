"""A feed's bytes as text.

By the standards (RFC 7303) the HTTP header wins over the XML declaration. In the field both are often what a server or
template prints by habit, so the bytes themselves are asked first: text with bytes above ASCII that is valid UTF-8 is
UTF-8, whatever anybody declares.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from typing import Final

from charset_normalizer import from_bytes
from w3lib.encoding import http_content_type_encoding, resolve_encoding

_BOMS: Final = (
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
# "<?" in wide encodings without a mark, and "<?xm" in EBCDIC.
_MARKERS: Final = (
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<\x00", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_ABOVE_ASCII = re.compile(r"[^\x00-\x7f]+")
# Python codecs that are no charset of a document; punycode besides takes quadratic time.
_NO_CHARSETS: Final = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"})
_SAMPLE: Final = 20_000
"""Bytes that detection looks at: it takes a second for some megabytes, and a feed says all it has to say early."""


def decode_feed(body: bytes, headers: Sequence[tuple[str, str]] = ()) -> str:
    """The text of a feed. Never raises: bytes that fit no charset come out as U+FFFD."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    start = body.lstrip(b" \t\r\n")[:4]
    for marker, name in _MARKERS:
        if start.startswith(marker):
            return body.decode(name, "replace")
    declared = _DECLARED.search(body[:1024])
    in_xml = declared.group(1).decode("ascii") if declared else None
    content_type = next((value for key, value in headers if key.lower() == "content-type"), "")
    in_http = http_content_type_encoding(content_type)
    if not body.isascii():
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    decoded = _first_that_fits(body, (in_xml, in_http))
    if decoded is not None:
        return decoded
    mended = body.decode("utf-8", "replace")
    broken = mended.count("\ufffd")
    whole = sum(map(len, _ABOVE_ASCII.findall(mended))) - broken
    says_utf8 = "utf-8" in {_codec(in_xml), _codec(in_http)}
    if broken <= (whole if says_utf8 else whole // 4):
        return mended  # UTF-8 with some spoilt characters: other charsets hardly ever make whole ones by chance
    best = from_bytes(body[:_SAMPLE]).best()
    decoded = _first_that_fits(body, (best.encoding if best is not None else None, "windows-1252"))
    return body.decode("windows-1252", "replace") if decoded is None else decoded


def _first_that_fits(body: bytes, labels: Sequence[str | None]) -> str | None:
    for label in labels:
        codec = _codec(label)
        if codec is not None:
            try:
                return body.decode(codec)
            except (UnicodeError, LookupError, ValueError):
                continue
    return None


def _codec(label: str | None) -> str | None:
    if not label:
        return None
    name = resolve_encoding(label)
    return None if name is None or name.replace("_", "-") in _NO_CHARSETS else name
