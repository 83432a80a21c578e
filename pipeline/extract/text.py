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
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")


def plain(text: str) -> str:
    """Text from an attribute or JSON-LD as readers would see it: entities resolved (twice, as many pages escape
    twice), tags off, blanks collapsed, soft hyphens, zero-width spaces and controls off."""
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if "<" in text:
        text = _TAG.sub("", text)
    return " ".join(_INVISIBLE.sub("", controls.clean(text)).split())


def squash(text: str) -> str:
    """Text reduced for comparison: letters and digits only, in lower case, compatibility forms joined."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold()
    return _NO_LETTERS.sub("", text.lower())


def phrases(name: str) -> tuple[str, ...]:
    """One of the lists of regular expressions in ``phrases.toml``."""
    lists = tomllib.loads(files(__package__).joinpath("phrases.toml").read_text("utf-8"))
    return tuple(lists[name])
