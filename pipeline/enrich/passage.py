"""A text cut into paragraphs, sentences and tokens, with offsets, by rules: no model, linear time, any input.

A sentence never crosses a paragraph. Paragraphs are parted by blank lines; in a text without any, by line ends.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from pipeline.enrich.words import words

TOKEN = re.compile(
    r"(?:[A-Z]\.){2,}"  # U.S., J.K.
    r"|[^\W_]+(?:[-‐‑][^\W_]+)*(?:(?<=n)['’]t\b)?"  # words, hyphenated, "didn't" whole
    r"|['’](?:s|re|ve|ll|d|m)\b"
    r"|\.\.\.|[^\w\s]|_",
)
ABBREVIATIONS = words("""
    mr mrs ms dr prof gen lt col maj capt sgt cmdr adm brig sen rep gov pres rev hon st jr sr messrs mme mlle
    supt insp det hon jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun no nos vs
    etc inc ltd co corp fig vol ed eds al approx dept est govt univ assn bros e.g i.e cf ft mt
""")
END = re.compile(r"(?:[.!?…]+|\.{3})[\"”’'»)\]]*(?=\s)|[.!?]+[”\"](?=[“\"A-Z])")
# The longest of 5,962 sentences of news at hand has 773 characters. 2026-11-23.
LONGEST = 1500
OPENERS = "\"“‘'«(["


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a mark, ``text`` as written, with its offsets."""

    start: int
    end: int
    text: str
    lower: str


class Passage:
    """The text with its paragraphs and sentences as (start, end) offsets without surrounding blanks, and its tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.paragraphs = _paragraphs(text)
        self.sentences: list[tuple[int, int]] = []
        self.paragraph_of: list[int] = []
        for number, (start, end) in enumerate(self.paragraphs):
            for sentence in _sentences(text, start, end):
                for piece in _pieces(text, *sentence):
                    self.sentences.append(piece)
                    self.paragraph_of.append(number)
        self._starts = [start for start, _ in self.sentences]
        self._paragraph_starts = [start for start, _ in self.paragraphs]
        self.tokens = [Token(m.start(), m.end(), m.group(), m.group().lower()) for m in TOKEN.finditer(text)]
        self._token_starts = [token.start for token in self.tokens]

    def sentence_at(self, offset: int) -> int:
        """The number of the sentence that holds the offset, or of the nearest before it; -1 in an empty text."""
        return max(bisect_right(self._starts, offset) - 1, 0) if self.sentences else -1

    def paragraph_at(self, offset: int) -> int:
        """The number of the paragraph that holds the offset, or of the nearest before it; -1 in an empty text."""
        return max(bisect_right(self._paragraph_starts, offset) - 1, 0) if self.paragraphs else -1

    def tokens_in(self, start: int, end: int) -> list[Token]:
        """The tokens that begin in the range."""
        return self.tokens[self.token_at(start) : self.token_at(end)]

    def token_at(self, offset: int) -> int:
        """The index of the first token that begins at or after the offset."""
        return bisect_right(self._token_starts, offset - 1) if offset > 0 else 0


def _paragraphs(text: str) -> list[tuple[int, int]]:
    separator = r"\n[^\S\n]*\n\s*" if re.search(r"\n[^\S\n]*\n\s*\S", text) else r"\n"
    found = []
    at = 0
    for match in [*re.finditer(separator, text), None]:
        end = match.start() if match else len(text)
        piece = text[at:end]
        stripped = piece.strip()
        if stripped:
            start = at + len(piece) - len(piece.lstrip())
            found.append((start, start + len(stripped)))
        at = match.end() if match else end
    return found


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """A sentence, cut at blanks where it is longer than any sentence: text without full stops stays cheap to read."""
    found = []
    while end - start > LONGEST:
        cut = text.rfind(" ", start + LONGEST // 2, start + LONGEST)
        cut = cut if cut > start else start + LONGEST
        found.append((start, cut))
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if start < end:
        found.append((start, end))
    return found


def _sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    found = []
    at = start
    for match in END.finditer(text, start, end):
        stop = match.end()
        rest = text[stop : stop + 12].lstrip()
        if stop >= end or not rest:
            continue
        first = rest.lstrip(OPENERS)[:1]
        if not (first.isupper() or first.isdigit() or (first and not first.islower())):
            continue
        if match.group()[0] == "." and len(match.group()) == 1:
            word = re.search(r"[\w.]+$", text[max(at, match.start() - 12) : match.start()])
            last = word.group().lower() if word else ""
            # "U.S. President" goes on; "in the U.S. The plan" does not: a determiner or pronoun begins a sentence.
            short = last in ABBREVIATIONS or re.fullmatch(r"[a-z](?:\.[a-z])*", last) is not None
            if short and not ("." in last and re.match(r"(?:The|A|An|He|She|It|They|But|In|This|That)\b", rest)):
                continue
        found.append((at, stop))
        at = stop + len(text[stop:end]) - len(text[stop:end].lstrip())
    if at < end:
        found.append((at, end))
    return found
