"""Terms: how running text and names are cut into words, for indexing, queries and highlights alike.

A word is a run of letters, digits and underscores. Words are put into lower case and their accents folded
("Bozizé" = "bozize"), and a possessive goes ("India's", "India’s" = "india"). Stemmed terms are put through the English
Snowball stemmer besides, whatever the language: query and text then always meet, at the price of a few words too many
in other languages; the ``.exact`` sub-fields are for those who mind. No word is dropped, so that phrases are exact.

- A hyphen, slash, colon or ampersand parts words: "anti-war" is two, and so searched as a phrase.
- A full stop parts words, but initials are one: "U.S." = "US", "J.K." = "JK". Digits keep their points and commas.
- An apostrophe within letters stays ("don't", "O'Brien"); a French or Italian article goes ("l'Iran" = "iran").
- Chinese ideographs and Hiragana are one word each, so that a search for several is one for a phrase; Katakana, Hangul,
  Thai, Lao, Khmer and Burmese are words from one space to the next: use wildcards there.
- Full-width and ligature forms are folded to plain ones. A word over 255 characters is cut into several.

Elasticsearch's ``standard`` tokeniser does the same but for colons and full stops between letters and for initials,
which its character filters take care of; then ``lowercase``, ``asciifolding`` and ``stemmer`` with ``porter2``.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from typing import NamedTuple

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

MAX_TOKEN = 255
"""Characters of a word, as Lucene's standard tokeniser has it; bounds the term dictionary against pasted base64."""

_APOSTROPHES = "’‘ʼʹ＇‛"
_LATIN = "A-Za-zªµºÀ-ÖØ-öø-ɏ"
# Scripts without spaces between words, and those that get one word for each character. Block limits from Unicode 16.
_SINGLE = "\u3005\u3007\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\uaa60-\uaa7f\ua9e0-\ua9ff"
_SURROGATE = re.compile("[\ud800-\udfff]")
_ELISION = re.compile(r"(?:[cdjlmnst]|qu)'(?=\w\w)")


class Forms(NamedTuple):
    """The terms of a text in order, without and with stemming: as many of the one as of the other."""

    exact: list[str]
    stem: list[str]


def places(text: str, limit: int | None = None) -> list[tuple[int, int]]:
    """Where the words of a text stand in it, in order (characters, the end exclusive); the first ``limit`` of them."""
    plain = _straight(text)
    spans = [match.span() for match in itertools.islice(_pattern_for(plain).finditer(plain), limit)]
    if any(end - start > MAX_TOKEN for start, end in spans):
        spans = [(at, min(end, at + MAX_TOKEN)) for start, end in spans for at in range(start, end, MAX_TOKEN)]
    return spans


def stems(text: str) -> list[str]:
    """The stemmed terms of a text, in order: what is indexed and sought in a ``text`` field."""
    return forms(text).stem


def forms(text: str) -> Forms:
    """The terms of a text in order, both without and with stemming."""
    exact = words(text)
    return Forms(exact, [*map(_stem, exact)])


def words(text: str) -> list[str]:
    """The terms of a text without stemming, in order: for names and ``.exact`` sub-fields."""
    plain = _straight(text)
    pieces = _pieces(plain)
    if pieces is None:
        if "\n" in plain:  # often it is but one line that has a sign of another script
            return [word for line in plain.split("\n") for word in words(line)]
        return [*map(_exact, _cut(plain))]
    found: list[str] = []
    for piece in pieces:
        if piece.isalnum() and piece.isascii():
            found.append(piece)  # a word as it is
        else:
            found += _odd(piece)
    return found


@functools.lru_cache(maxsize=16_384)
def fold(text: str) -> str:
    """A whole text in lower case, accents and curly punctuation folded: how keywords are compared."""
    return _one(_FOLD, tidy(text))


def scrub(text: str) -> str:
    """The text with U+FFFD for half a surrogate pair, which cannot be encoded."""
    return _SURROGATE.sub("\ufffd", text)


def tidy(text: str) -> str:
    """A name or code as it is kept: composed (NFC), with single spaces."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _straight(text: str) -> str:
    """The text with all its apostrophes straight: one character for one, so that offsets stay."""
    if not text.isascii():
        for mark in _APOSTROPHES:  # six passes in C take a tenth of one `str.translate`; 2026-11-23
            text = text.replace(mark, "'")
    return text


def _pattern_for(plain: str) -> re.Pattern[str]:
    if _BEYOND_LATIN.search(plain) is None:
        return _latin()
    return _any_script(0x10000 if _BEYOND_BASIC.search(plain) is None else 0x20000)


def _cut(plain: str) -> list[str]:
    """The words of a text whose apostrophes are straight, as written."""
    found: list[str] = _pattern_for(plain).findall(plain)
    if found and len(max(found, key=len)) > MAX_TOKEN:
        found = [word[at : at + MAX_TOKEN] for word in found for at in range(0, len(word), MAX_TOKEN)]
    return found


def _pieces(plain: str) -> list[str] | None:
    """A text that Latin-1 has room for, cut where no word can go on, in lower case as far as it is ASCII; ``None`` for
    other texts. All in passes over bytes: a third of what a pattern takes (2026-11-26)."""
    if not plain.isascii():
        for sign in _BETWEEN:
            plain = plain.replace(sign, " ")
    try:
        cut = plain.encode("latin-1").translate(_apart())
    except UnicodeEncodeError:
        return None
    for mark in (b".", b",", b"'"):  # most of these end a word
        cut = cut.replace(mark + b" ", b"  ")
    pieces = cut.replace(b" '", b"  ").decode("latin-1").split()
    return pieces if max(map(len, pieces), default=0) <= MAX_TOKEN else None


@functools.cache
def _apart() -> bytes:
    """What becomes of each character of Latin-1: itself where it may stand in a word or decide whether one goes on
    beside it, else a blank."""
    kept = re.compile(r"[\w.,']")
    return bytes(ord(char.lower() if char.isascii() else char) if kept.match(char) else ord(" ") for char in _LATIN_1)


@functools.lru_cache(maxsize=65_536)  # mostly numbers, possessives and words with accents; 16 MB at most
def _odd(piece: str) -> tuple[str, ...]:
    """The terms of a piece that is not simply a word."""
    return tuple(map(_exact, _cut(piece)))


@functools.lru_cache(maxsize=200_000)  # a year of news has some hundred thousand distinct words; 40 MB at most
def _exact(word: str) -> str:
    plain = unicodedata.normalize("NFC", word)
    if "." in plain and not any(character.isdigit() for character in plain):
        plain = plain.replace(".", "")
    exact = _one(_FOLD, plain)
    exact = exact.removesuffix("'s") or exact
    return exact.replace("\u200c", "").replace("\u200d", "") or exact


@functools.lru_cache(maxsize=200_000)
def _stem(exact: str) -> str:
    return _one(_STEM, _ELISION.sub("", exact, count=1) if "'" in exact[:3] else exact)


def _one(analyzer: TextAnalyzer, text: str) -> str:
    """The single term that a raw tokeniser gives; the text itself where the filters leave nothing."""
    return next(iter(analyzer.analyze(text)), "") or text.lower()


_RAW = Tokenizer.raw()
_FOLD = TextAnalyzerBuilder(_RAW).filter(Filter.lowercase()).filter(Filter.ascii_fold()).build()
_STEM = TextAnalyzerBuilder(_RAW).filter(Filter.stemmer("english")).build()

_LATIN_1 = "".join(map(chr, range(256)))
_BETWEEN = "“”„–—…•€‚‹›"
"""Signs beyond Latin-1 that stand in most news and part words."""

# Punctuation of news text that is no reason to leave the fast path for Latin script.
_BEYOND_BASIC = re.compile("[\U00010000-\U0010ffff]")
_BEYOND_LATIN = re.compile(r"[^\x00-\u024f\u2010-\u203a\u20a0-\u20bf\u2122\u2190-\u21ff\u2500-\u25ff]")


def _pattern(letter: str, mark: str, digit: str, others: str) -> re.Pattern[str]:
    start, inside = f"[{letter}{digit}_]", f"[{letter}{digit}{mark}_]"
    initials = rf"(?<!\w)[{letter}](?:\.[{letter}])+(?!\w)"
    apostrophe = rf"(?<=[{letter}{mark}])'(?=[{letter}])"
    point = rf"(?<=[{digit}])[.,'](?=[{digit}])"
    return re.compile(rf"{initials}|{start}{inside}*(?:(?:{apostrophe}|{point}){start}{inside}*)*{others}")


@functools.cache
def _latin() -> re.Pattern[str]:
    return _pattern(_LATIN, "", "0-9", "")


@functools.cache
def _any_script(limit: int) -> re.Pattern[str]:
    """The pattern for texts of characters below a limit: with those beyond the basic plane, it takes five times
    as long. Built from Python's own Unicode tables when a text first needs it (some 25 ms)."""
    apart = re.compile(f"[{_SINGLE}{_KATAKANA}{_UNSPACED}]")
    classes: dict[str, list[int]] = {"L": [], "M": [0x200C, 0x200D], "N": []}
    for code in range(limit):
        category = unicodedata.category(chr(code))
        kind = "N" if category == "Nd" else category[0]
        if kind in "LMN" and category not in {"Nl", "No"} and not apart.match(chr(code)):
            classes[kind].append(code)
    others = rf"|[{_KATAKANA}]+|[{_UNSPACED}]+|[{_SINGLE}]"
    letter, mark, digit = (_ranges(classes[kind]) for kind in "LMN")
    return _pattern(letter, mark, digit, others)


def _ranges(codes: list[int]) -> str:
    """A character class's inside for a list of code points."""
    parts: list[list[int]] = []
    for code in sorted(codes):
        if parts and code == parts[-1][1] + 1:
            parts[-1][1] = code
        else:
            parts.append([code, code])
    return "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in parts)
