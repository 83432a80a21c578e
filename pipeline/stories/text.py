"""Texts as sets of shingles: what makes near-duplicates near, however they were cut, and keys by which they are found.

A text is taken as its words without case, accents and punctuation, and as the set of its runs of four words, hashed
to 32 bits. Of these the smallest are kept: a bottom-k sketch, which is MinHash with one hash function (Broder 1997,
"On the resemblance and containment of documents"). It tells not only how much two texts resemble each other but also
how much of one is contained in the other, which is what a copy with cuts or with a local insert is recognised by.

The keys under which a sketch is filed are the least shingles of 16 classes (one permutation hashing: Li, Owen, Zhang
2012): two texts share each key with the probability of their resemblance. rensa's signatures take three times as long,
since it wants each shingle as a string, and say nothing of containment; ``python -m bench.stories`` has it as a peer.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import cache, lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint32]
"""Hashes of shingles, sorted, without repeats."""

SHINGLE = 4
"""Words in a run. With 3, accounts of one event share too many; with 5, an edited word in twelve costs a third of what
two copies share (labelled pairs, 2026-11-25)."""
SKETCH = 256
"""Hashes kept of a text: whole for some 260 words, and enough to tell containment to within 0.06 beyond."""
CLASSES = 16
"""Keys of a text: at a resemblance of 0.2, two share at least one of them with a probability of 0.97."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_BETWEEN = "“”‘„–—…•€‚‹›"
"""Signs beyond Latin-1 that stand in most news and part words."""
_SECOND_APOSTROPHE = re.compile(rb"'[a-z0-9]+'")
# Written without blanks between words: each character stands for one.
_SOLID = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]")

_BEYOND = re.compile("[^\u0000-\uffff]")

_MULTIPLIERS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F], dtype=np.uint64)
_LOW = np.uint64(0xFFFFFFFF)


def folded(text: str) -> str:
    """Without case, accents, and the difference between straight and curly apostrophes."""
    text = text.casefold().replace("’", "'")
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    if _BEYOND.search(decomposed):
        return "".join(char for char in decomposed if not unicodedata.combining(char))
    return _marks().sub("", decomposed)


@cache
def _marks() -> re.Pattern[str]:
    """The combining characters of the basic plane: a search in C costs a tenth of asking for each character, but not
    with characters beyond that plane among them (2026-11-26)."""
    marks = "".join(f"\\u{code:04x}" for code in range(0x10000) if unicodedata.combining(chr(code)))
    return re.compile(f"[{marks}]")


def words(text: str) -> list[str]:
    """The words of a text, folded."""
    plain = _plain(text)
    if plain is not None:
        return plain.decode("ascii").split()
    if "\n" in text:  # often it is but one line that ASCII has no room for
        return [word for line in text.split("\n") for word in words(line)]
    text = folded(text)
    if not text.isascii() and _SOLID.search(text):
        text = _SOLID.sub(lambda char: f" {char[0]} ", text)
    return _WORD.findall(text)


def runs_of_letters(text: str) -> list[str] | None:
    """The runs of letters in a text, folded, with an apostrophe within where there is one; ``None`` where ASCII has no
    room for them."""
    plain = _plain(text, digits=False)
    return None if plain is None else plain.decode("ascii").split()


def _plain(text: str, *, digits: bool = True) -> bytes | None:
    """The words of a text, folded, with blanks between, where ASCII has room for them; ``None`` for other texts.

    Says what :func:`folded` and a pattern would, for most news at a quarter of the price: all in passes over bytes
    (2026-11-26).
    """
    if not text.isascii():
        text = text.replace("’", "'")
        for sign in _BETWEEN:
            text = text.replace(sign, " ")
    try:
        plain = text.encode("latin-1").translate(_latin(digits)).replace(b"\xdf", b"ss")
    except UnicodeEncodeError:
        return None
    if not plain.isascii():
        return None
    if b"'" in plain:  # stays where it is within a word, of which but one has two
        plain = (b" %b " % plain).replace(b"''", b"  ").replace(b" '", b"  ").replace(b"' ", b"  ")
        if _SECOND_APOSTROPHE.search(plain):
            return None
    return plain


@cache
def _latin(digits: bool) -> bytes:
    """What becomes of each character of Latin-1: the one that it is folded to, or a blank between words, also for
    ``digits`` where they are not wanted. Those that are folded to several ("ß", "½") or to none of ASCII ("ø") stay
    what they are."""
    table = bytearray(256)
    for code in range(256):
        bare = "".join(char for char in folded(chr(code)) if not unicodedata.combining(char))
        one = bare if len(bare) == 1 and bare.isascii() else chr(code)
        wanted = digits or not chr(code).isdecimal()
        table[code] = ord(one) if one == "'" or (_WORD.fullmatch(one) and wanted) else ord(" ")
    return bytes(table)


@lru_cache(maxsize=65_536)
def hashed(word: str) -> int:
    """A word's hash, 32 bits, the same on every machine."""
    return crc32(word.encode("utf-8", "surrogatepass"))


def hashes(text: str) -> NDArray[np.uint64]:
    """The hashes of a text's words, in order."""
    plain = _plain(text)
    found = map(crc32, plain.split()) if plain is not None else map(hashed, words(text))
    return np.array([*found], dtype=np.uint64)


def shingles(of: NDArray[np.uint64]) -> Hashes:
    """The hashes of all runs of ``SHINGLE`` words, from those of the words. A text with fewer words has one, of all of
    them."""
    if not len(of):
        return np.empty(0, dtype=np.uint32)
    width = min(SHINGLE, len(of))
    run = np.zeros(len(of) - width + 1, dtype=np.uint64)
    for n in range(width):
        run += of[n : len(of) - width + 1 + n] * _MULTIPLIERS[n]
    # The sum is linear in the words; mixed, so that the smallest hashes are a fair sample (murmur3's finaliser).
    run ^= run >> np.uint64(33)
    run *= np.uint64(0xFF51AFD7ED558CCD)
    run ^= run >> np.uint64(33)
    low = (run & _LOW).astype(np.uint32)
    low.sort()  # `np.unique` takes seven times as long (2026-11-26)
    return low[np.concatenate(([True], low[1:] != low[:-1]))]


class Sketch:
    """The ``SKETCH`` smallest hashes of a text."""

    __slots__ = ("members", "values")

    def __init__(self, values: Hashes) -> None:
        """``values`` are sorted, without repeats; those beyond the size of a sketch are left out."""
        self.values: list[int] = values[:SKETCH].tolist()
        self.members = frozenset(self.values)

    def __len__(self) -> int:
        return len(self.values)


def keys(all_of: Hashes) -> list[int]:
    """The least hash of each class, for the classes that the text has any of."""
    least: dict[int, int] = {}
    for value in all_of.tolist():  # they are sorted, so the first of a class is its least
        least.setdefault(value % CLASSES, value)
        if len(least) == CLASSES:
            break
    return [least[group] for group in sorted(least)]


def overlap(a: Sketch, b: Sketch) -> tuple[float, float]:
    """How much of ``a`` is in ``b``, and of ``b`` in ``a`` (0 to 1), as far as the sketches tell."""
    # A whole set (shorter than a sketch) says all there is; of two samples only the range that both cover counts.
    # What is in both lies in that range in any case.
    limits = [sketch.values[-1] for sketch in (a, b) if len(sketch) >= SKETCH]
    first, second = len(a), len(b)
    if limits:
        limit = min(limits)
        first, second = bisect_right(a.values, limit), bisect_right(b.values, limit)
    if not first or not second:
        return 0.0, 0.0
    both = len(a.members & b.members)
    return both / first, both / second
