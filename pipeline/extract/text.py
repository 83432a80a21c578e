"""Text as readers see it, text reduced for comparison, and the phrases of lines that are no article's."""

from __future__ import annotations

import html
import re
import tomllib
import unicodedata
from importlib.resources import files

from pipeline import controls

_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_NO_LETTERS = re.compile(r"[\W_]+")
# What of that is ASCII, which has a byte of its own in UTF-8: bytes.translate takes a small part of the time of the
# expression, and leaves it little to do in other texts (2026-11-23).
_ASCII_LOWER = bytes(range(256)).lower()
_ASCII_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalnum())
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")


def plain(text: str) -> str:
    """Text from an attribute or JSON-LD as readers would see it: entities resolved (twice, as many pages escape
    twice), tags off, blanks collapsed, soft hyphens, zero-width spaces and controls off."""
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if "<" in text:
        text = _TAG.sub("", text)
    return visible(controls.clean(text))


def visible(text: str) -> str:
    """The text on one line, blanks collapsed, soft hyphens and zero-width spaces off."""
    return " ".join((text if text.isascii() else _INVISIBLE.sub("", text)).split())


def squash(text: str) -> str:
    """Text reduced for comparison: letters and digits only, in lower case, compatibility forms joined."""
    if text.isascii():
        return text.encode().translate(_ASCII_LOWER, _ASCII_NO_LETTERS).decode()
    return letters(unicodedata.normalize("NFKC", text).casefold().lower())


def letters(text: str) -> str:
    """The letters and digits of a text."""
    rest = text.encode("utf-8", "surrogatepass").translate(None, _ASCII_NO_LETTERS)
    return rest.decode() if text.isascii() else _NO_LETTERS.sub("", rest.decode("utf-8", "surrogatepass"))


def phrases(name: str) -> tuple[str, ...]:
    """One of the lists of regular expressions in ``phrases.toml``."""
    lists = tomllib.loads(files(__package__).joinpath("phrases.toml").read_text("utf-8"))
    return tuple(lists[name])
