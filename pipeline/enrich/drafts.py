"""A claim in the making: the spans of one attribution, before it is known who speaks and what it amounts to."""

from __future__ import annotations

from dataclasses import dataclass

Span = tuple[int, int]


@dataclass(slots=True)
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

    def holds(self, other: Draft) -> bool:
        """Whether the other attribution is made within the content of this one."""
        if other is self:
            return False
        at = other.anchor
        inside = any(start <= at < end for start, end in self.content)
        return inside and any(start <= other.start < end for start, end in self.content)
