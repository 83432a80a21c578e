"""Where the quotations are: straight and curly marks, single marks, guillemets, quotations over several paragraphs.

A quotation of several paragraphs opens its mark anew at each paragraph and closes it once, at the end; each paragraph
is a :class:`Quote` of its own, chained by ``continues``. An apostrophe is no quotation mark.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

OPEN, CLOSE = "“„", "”"
MARK = re.compile(r"``|''|[\"“”„«»‘’']")
INCHES = re.compile(r"\d['’]\d{1,2}$")  # 5'10": no quotation


@dataclass(frozen=True, slots=True)
class Quote:
    """One quotation within one paragraph: offsets with the marks, and of what is between them."""

    start: int
    end: int
    inner_start: int
    inner_end: int
    single: bool
    closed: bool
    continues: bool = False
    """The paragraph after next in the chain goes on with the same quotation."""


def find_quotes(text: str, paragraphs: Sequence[tuple[int, int]]) -> list[Quote]:
    """All quotations in order of their start, never overlapping at one level; single marks only outside double ones."""
    found: list[Quote] = []
    carried = False  # the last paragraph ended within a quotation
    for number, (start, end) in enumerate(paragraphs):
        following = paragraphs[number + 1][0] if number + 1 < len(paragraphs) else None
        reopens = following is not None and text[following] in '"“«„'
        quotes = _in_paragraph(text, start, end, reopens)
        if not quotes and carried and not MARK.match(text, start):
            carried = False
        carried = bool(quotes) and quotes[-1].continues
        found += quotes
    return found


def _in_paragraph(text: str, start: int, end: int, reopens: bool) -> list[Quote]:
    doubles: list[Quote] = []
    opened: tuple[int, int] | None = None
    singles: list[tuple[int, int, str]] = []
    reversed_guillemets: bool | None = None
    for match in MARK.finditer(text, start, end):
        at, after, mark = match.start(), match.end(), match.group()
        before = text[at - 1] if at > start else " "
        behind = text[after] if after < end else " "
        if mark in "‘’'":
            singles.append((at, after, mark))
            continue
        if mark in "«»":
            if reversed_guillemets is None:
                reversed_guillemets = mark == "»" and opened is None
            opens = (mark == "»") == reversed_guillemets
        elif mark == "``":
            opens = True
        elif mark == "''":
            # Typewriters' quotation marks: closing behind "``", opening and closing where there is none.
            opens = opened is None and behind.isalnum() and not before.isalnum()
            if opened is None and not opens:
                continue
        elif mark in OPEN:
            # A closing mark that was typed as an opening one: inside a quotation, behind a word, before a blank.
            opens = not (opened is not None and not before.isspace() and not behind.isalnum())
        elif mark in CLOSE:
            opens = opened is None and behind.isalnum() and (before.isspace() or before in "(—–-[")
        else:
            if INCHES.search(text, max(start, at - 5), at):
                continue
            opens = opened is None
            if (
                opened is not None
                and before.isspace()
                and behind.isalnum()
                and _closes_later(text, after, end) % 2 == 0
            ):
                opens = True  # a mark was forgotten: this one opens
        if opens:
            if opened is not None:
                cut = at
                while cut > opened[1] and text[cut - 1].isspace():
                    cut -= 1
                doubles.append(Quote(opened[0], cut, opened[1], cut, False, False))
            opened = (at, after)
        elif opened is not None:
            doubles.append(Quote(opened[0], after, opened[1], at, False, True))
            opened = None
    if opened is not None:
        if reopens or opened[0] == start:
            doubles.append(Quote(opened[0], end, opened[1], end, False, False, reopens))
        else:
            doubles.append(Quote(opened[0], end, opened[1], end, False, False))
    return sorted(doubles + _singles(text, start, end, singles, doubles), key=lambda quote: quote.start)


def _closes_later(text: str, at: int, end: int) -> int:
    return text.count('"', at, min(end, at + 2000))


def _singles(text: str, start: int, end: int, marks: list[tuple[int, int, str]], doubles: list[Quote]) -> list[Quote]:
    """Quotations in single marks, outside double ones: an opener stands behind a blank, a closer before none."""
    found = []
    starts = [quote.start for quote in doubles]
    opened: tuple[int, int] | None = None
    for index, (at, after, mark) in enumerate(marks):
        inside = bisect_right(starts, at) - 1
        if inside >= 0 and at < doubles[inside].end:
            continue
        before = text[at - 1] if at > start else " "
        behind = text[after] if after < end else " "
        can_open = mark in "‘'" and (before.isspace() or before in "(—–-[:") and (behind.isalnum() or behind in "[…")
        can_close = mark in "’'" and not behind.isalnum() and not before.isspace()
        if opened is None:
            if can_open and not re.match(r"(?:\d0s|em|tis|twas|cause|til|n)\b", text[after : after + 6]):
                opened = (at, after)
        elif can_close:
            # "the brothers' house": a plural's apostrophe, where a better closer follows.
            plural = before == "s" and behind == " "
            if plural and any(
                later[2] in "’'" and not text[later[1] : later[1] + 1].isalnum() and text[later[0] - 1] in ".,!?"
                for later in marks[index + 1 :][:8]
            ):
                continue
            found.append(Quote(opened[0], after, opened[1], at, True, True))
            opened = None
    return found


class Quotations:
    """The quotations of a text, to ask what lies within them."""

    def __init__(self, text: str, paragraphs: Sequence[tuple[int, int]]) -> None:
        self.text = text
        self.all = find_quotes(text, paragraphs)
        self._starts = [quote.start for quote in self.all]

    def covering(self, offset: int) -> Quote | None:
        """The quotation that the character at the offset belongs to, marks included."""
        at = bisect_right(self._starts, offset) - 1
        if at >= 0 and offset < self.all[at].end:
            return self.all[at]
        return None

    def within(self, start: int, end: int) -> list[Quote]:
        """The quotations that overlap the range."""
        at = max(bisect_right(self._starts, start) - 1, 0)
        found = []
        while at < len(self.all) and self.all[at].start < end:
            if self.all[at].end > start:
                found.append(self.all[at])
            at += 1
        return found

    def form(self, spans: Sequence[tuple[int, int]]) -> str:
        """``direct`` where all words of the spans are quoted, ``indirect`` where none is, else ``mixed``."""
        quoted = total = 0
        for start, end in spans:
            total += sum(map(str.isalnum, self.text[start:end]))
            for quote in self.within(start, end):
                inner = self.text[max(start, quote.inner_start) : min(end, quote.inner_end)]
                quoted += sum(map(str.isalnum, inner))
        if quoted == 0:
            return "indirect"
        # A stray "and" between two quoted pieces does not make a quotation a mixed one.
        return "direct" if quoted >= total - 3 else "mixed"
