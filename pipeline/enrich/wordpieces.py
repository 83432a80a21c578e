"""What the tagger reads: wordpieces with their form, cut into paragraphs and windows.

The encoder's vocabulary is lower-case, so capitals, gaps, quotation marks and headline casing would be lost. They
travel beside the pieces as one small number each, the *form* (see ``form_of``), for which the model has learnt
vectors. Training and run time both read text through this module, so that they cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

SHAPES: Final = 9  # other, lower, Capitalised, CAPITALS, one capital, mIxed, digits, digits+letters, no case
GAPS: Final = 4  # nothing before the piece, spaces, one line break, an empty line
QUOTES: Final = 3  # outside, inside, the mark itself
CASINGS: Final = 3  # of the paragraph: running text, Title Case, ALL CAPITALS
FORMS: Final = SHAPES * GAPS * QUOTES * CASINGS

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LINE: Final = re.compile(r"[^\n\r\u2028\u2029]*[^\s][^\n\r\u2028\u2029]*")
_CASED_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_OPENING: Final = frozenset("“„«‟")
_CLOSING: Final = frozenset("”»")
_STRAIGHT: Final = frozenset('"＂')
_MARK: Final = re.compile('[“„«‟”»"＂]')


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text as wordpieces, one array entry a piece.

    ``ids`` index the vocabulary, ``starts`` and ``ends`` are characters of the text (end exclusive), ``forms`` are in
    ``range(FORMS)``, ``paragraphs`` counts lines that hold anything, from 0, never falling.
    """

    ids: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    forms: npt.NDArray[np.int64]
    paragraphs: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces ``start:end`` go through the encoder together; of its answers, ``own_start:own_end`` are kept."""

    start: int
    end: int
    own_start: int
    own_end: int


def shape_of(word: str) -> int:
    """The casing class of one word, in ``range(SHAPES)``."""
    if word.isdigit():
        return 6
    if not word[0].isalnum() and not any(c.isalnum() for c in word):
        return 0
    if any(c.isdigit() for c in word):
        return 7
    if word.islower():
        return 1
    if word.isupper():
        return 3 if len(word) > 1 else 4
    if word.lower() == word.upper():
        return 8
    if word[0].isupper() and word[1:].islower():
        return 2
    return 5


def casing_of(line: str) -> int:
    """0 for running text, 1 for a Title-Case Line, 2 for A LINE IN CAPITALS.

    Looks at words of four letters and more, since a title leaves "of" and "the" small; a line with fewer than two of
    them counts as running text.
    """
    words = _CASED_WORD.findall(line, 0, 400)  # the first 400 characters settle it, and keep a huge line linear
    if len(words) < 2:
        return 0
    if sum(w.isupper() for w in words) >= 0.8 * len(words):
        return 2
    return 1 if sum(w[0].isupper() for w in words) >= 0.8 * len(words) else 0


def form_of(shape: int, gap: int, quote: int, casing: int) -> int:
    """Packs the four classes of a piece into one number in ``range(FORMS)``."""
    return ((casing * QUOTES + quote) * GAPS + gap) * SHAPES + shape


def _quote_states(line: str) -> list[tuple[int, int]]:
    """Positions in the line where a quotation mark stands, each with the state (0 or 1) that follows it.

    A straight mark opens or closes by turns. Nothing is carried from line to line: a quotation over several paragraphs
    opens each of them with a mark of its own.
    """
    marks, inside = [], 0
    for match in _MARK.finditer(line):
        mark = match.group()
        inside = 1 if mark in _OPENING else 0 if mark in _CLOSING else 1 - inside
        marks.append((match.start(), inside))
    return marks


def _lines(text: str) -> Iterator[tuple[int, int, int]]:
    """``(start, end, breaks)`` of each line that holds anything; breaks: line breaks since the last one, 2 at most."""
    last_end = -1
    for match in _LINE.finditer(text):
        start, end = match.span()
        breaks = 2 if last_end < 0 else min(2, max(1, text.count("\n", last_end, start) or 1))
        yield start, end, breaks
        last_end = end


def cut_into_pieces(tokenizer: Tokenizer, text: str) -> Pieces:
    """Reads a text of any kind into wordpieces. Time and memory are linear in its length."""
    text = _SURROGATE.sub("\ufffd", text)  # lone surrogates cannot be passed to the tokenizer
    encoding = tokenizer.encode(text, add_special_tokens=False)
    offsets, words = encoding.offsets, encoding.word_ids
    count = len(offsets)
    forms = np.zeros(count, np.int64)
    paragraphs = np.zeros(count, np.int64)
    lines = list(_lines(text))
    line, last_line = -1, -1
    line_end, casing, inside, mark = -1, 0, 0, 0
    marks: list[tuple[int, int]] = []
    line_start = 0
    last_word: int | None = -1
    shape, previous_end = 0, 0
    for i in range(count):
        start, end = offsets[i]
        while start >= line_end and line + 1 < len(lines):
            line += 1
            line_start, line_end, _ = lines[line]
            body = text[line_start:line_end]
            casing, inside, mark = casing_of(body), 0, 0
            marks = _quote_states(body)
        if words[i] != last_word or words[i] is None:
            last_word = words[i]
            stop = end
            j = i + 1
            while j < count and words[j] == last_word and last_word is not None:
                stop = offsets[j][1]
                j += 1
            shape = shape_of(text[start:stop] or " ")
        if line != last_line:
            gap = 1 + lines[line][2]
            last_line = line
        else:
            gap = 1 if start > previous_end else 0
        quote = inside
        while mark < len(marks) and line_start + marks[mark][0] < end:
            inside = marks[mark][1]
            quote = 2
            mark += 1
        forms[i] = form_of(shape, gap, quote, casing)
        paragraphs[i] = max(line, 0)
        previous_end = end
    spans = np.array(offsets, np.int64).reshape(count, 2)
    return Pieces(np.array(encoding.ids, np.int64), spans[:, 0], spans[:, 1], forms, paragraphs)


def windows(paragraphs: npt.NDArray[np.int64], size: int, overlap: int) -> list[Window]:
    """Cuts pieces into overlapping windows of at most ``size``, of about equal length, at paragraphs where it can.

    Neighbours share about ``overlap`` pieces; each piece is owned by exactly one window, the one that sees more on
    both sides of it.
    """
    total = len(paragraphs)
    if total <= size:
        return [Window(0, total, 0, total)] if total else []
    count = -(-(total - overlap) // (size - overlap))
    step = (total - overlap) / count
    breaks = np.flatnonzero(np.diff(paragraphs)) + 1
    starts = [0]
    for k in range(1, count):
        ideal = round(k * step)
        # A window may not start so late that its predecessor ends before it, nor so early that it would not reach on.
        low, high = max(starts[-1] + 1, ideal - overlap // 2), ideal + overlap // 2
        near = breaks[np.searchsorted(breaks, low) : np.searchsorted(breaks, high)]
        starts.append(int(near[np.argmin(np.abs(near - ideal))]) if len(near) else ideal)
    ends = [min(total, start + size) for start in starts]
    ends[-1] = total
    if total - starts[-1] > size:  # the last start was moved back to a paragraph too far from the end
        starts[-1] = total - size
    for k in range(count - 1):
        ends[k] = min(ends[k], starts[k + 1] + overlap)
    cuts = [0, *((starts[k + 1] + ends[k]) // 2 for k in range(count - 1)), total]
    return [Window(starts[k], ends[k], cuts[k], cuts[k + 1]) for k in range(count)]
