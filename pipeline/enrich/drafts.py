"""A claim in the making: the spans of one attribution, before it is known who speaks and what it amounts to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.enrich.passage import Passage

Span = tuple[int, int]


@dataclass(slots=True, eq=False)
class Draft:
    """Spans of one attribution. ``origin`` says what found it: ``tagger``, or the name of a rule."""

    source: Span | None
    cue: Span | None
    content: tuple[Span, ...]
    origin: str = "tagger"
    parent: int | None = None
    borrowed: bool = False
    """The source was not written beside this cue: it is that of the neighbouring attribution (", adding that")."""

    @property
    def start(self) -> int:
        """Where the content begins, or the cue where there is none."""
        return self.content[0][0] if self.content else (self.cue or self.source or (0, 0))[0]

    @property
    def end(self) -> int:
        return self.content[-1][1] if self.content else (self.cue or self.source or (0, 0))[1]

    @property
    def anchor(self) -> int:
        """Where the attribution is made: its cue, else its source, else its content."""
        return (self.cue or self.source or self.content[0])[0]

    @property
    def spans(self) -> tuple[Span, ...]:
        """All its spans, in no order."""
        return self.content + tuple(span for span in (self.cue, self.source) if span is not None)

    def holds(self, other: Draft) -> bool:
        """Whether the other attribution is made within the content of this one."""
        if other is self:
            return False
        at = other.anchor
        inside = any(start <= at < end for start, end in self.content)
        return inside and any(start <= other.start < end for start, end in self.content)


class Taken:
    """Which characters of a text belong to a draft. A byte a character: asking is as fast as counting bytes."""

    def __init__(self, size: int) -> None:
        self._bytes = bytearray(size)

    def take(self, spans: Iterable[Span]) -> None:
        for start, end in spans:
            self._bytes[start:end] = b"\1" * (min(end, len(self._bytes)) - start)

    def release(self, spans: Iterable[Span]) -> None:
        for start, end in spans:
            self._bytes[start:end] = bytes(min(end, len(self._bytes)) - start)

    def covered(self, start: int, end: int) -> int:
        """How many characters of the range are taken."""
        return self._bytes.count(1, max(start, 0), max(end, 0))

    def first(self, start: int, end: int) -> int:
        """Where the first taken character of the range is, or its end."""
        found = self._bytes.find(1, max(start, 0), max(end, 0))
        return found if found >= 0 else end

    def free(self, start: int, end: int) -> bool:
        return self.covered(start, end) == 0


class ByParagraph:
    """Drafts by the paragraphs that their spans lie in."""

    def __init__(self, passage: Passage, drafts: Iterable[Draft] = ()) -> None:
        self._passage = passage
        self._drafts: dict[int, list[Draft]] = {}
        for draft in drafts:
            self.add(draft)

    def add(self, draft: Draft) -> None:
        numbers: set[int] = set()
        for start, end in draft.spans:
            first, last = self._passage.paragraph_at(start), self._passage.paragraph_at(max(start, end - 1))
            numbers.update(range(first, last + 1))
        for number in numbers:
            self._drafts.setdefault(number, []).append(draft)

    def near(self, offset: int) -> list[Draft]:
        """The drafts of the paragraph at the offset."""
        return self._drafts.get(self._passage.paragraph_at(offset), [])
