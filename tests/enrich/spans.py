"""Spans given by hand, in place of a model's, so that a test says exactly what the rules had before them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline.enrich import Enricher
from pipeline.enrich.tagger import Attribution, Mention, Tagged
from pipeline.records import Claim, Enriched, Entity
from pipeline.settings import Settings

TUESDAY = datetime(2024, 8, 20, 9, 30, tzinfo=UTC)

Said = tuple[str | None, str | None, str | tuple[str, ...]]


@dataclass
class Spans:
    """``names`` maps words to labels, everywhere they stand; ``said`` lists source, cue and content in their words."""

    names: dict[str, str] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    name: str = "by hand"

    def tag(self, text: str) -> Tagged:
        mentions: list[Mention] = []
        for words, label in sorted(self.names.items(), key=lambda item: -len(item[0])):
            for match in re.finditer(rf"(?<!\w){re.escape(words)}(?!\w)", text):
                if not any(m.start < match.end() and match.start() < m.end for m in mentions):
                    mentions.append(Mention(match.start(), match.end(), label, 0.9))
        attributions = []
        at = 0
        for source, cue, content in self.said:
            pieces = (content,) if isinstance(content, str) else content
            first = text.index(pieces[0], at)
            spans = tuple((text.index(piece, at), text.index(piece, at) + len(piece)) for piece in pieces)
            attributions.append(
                Attribution(
                    source=(_near(text, source, first),) if source else (),
                    cue=(_near(text, cue, first),) if cue else (),
                    content=spans,
                    score=0.9,
                )
            )
        return Tagged(tuple(sorted(mentions, key=lambda m: m.start)), tuple(attributions))


def _near(text: str, words: str, to: int) -> tuple[int, int]:
    spots = [match.start() for match in re.finditer(rf"(?<!\w){re.escape(words)}(?!\w)", text)]
    assert spots, f"{words!r} is not in the text"
    start = min(spots, key=lambda spot: abs(spot - to))
    return start, start + len(words)


def enrich(
    text: str, names: dict[str, str] | None = None, said: list[Said] | None = None, published: datetime | None = TUESDAY
) -> Enriched:
    """The text enriched over spans given by hand, as English."""
    return Enricher(Settings(), model=Spans(names or {}, said or [])).enrich(text, published=published, language="en")


def entity(enriched: Enriched, words: str, number: int = 0) -> Entity:
    """The entity with these words (the number-th one)."""
    return [entity for entity in enriched.entities if entity.text == words][number]


def claim(enriched: Enriched, words: str) -> Claim:
    """The innermost claim whose content begins with these words."""
    found = [claim for claim in enriched.claims if claim.content.text.startswith(words)]
    assert found, f"no claim begins {words!r}; there are {[c.content.text for c in enriched.claims]}"
    return found[-1]
