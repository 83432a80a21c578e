"""The body of an article with its entities and claims marked in place.

Marks overlap and nest as they like: an entity stands in a content, a claim in another's content, a speaker in both.
HTML elements cannot overlap, so the text is cut at every edge of every mark, and each piece says what it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from markupsafe import Markup, escape

from pipeline.records import Claim, Document, Entity

_UNMARKED: Final = {"DATE", "MONEY"}
_BREAK: Final = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of text to which the same marks apply."""

    text: str
    entity: Entity | None = None
    content: tuple[int, ...] = ()
    """Claims whose content this is, the outermost first."""
    cue: tuple[int, ...] = ()
    speaker: tuple[int, ...] = ()
    begins: tuple[int, ...] = ()
    """Claims whose words begin here."""

    @property
    def claims(self) -> tuple[int, ...]:
        """All claims that this belongs to; the last is the one that is most about it."""
        return tuple(dict.fromkeys((*self.content, *self.speaker, *self.cue)))


def paragraphs(document: Document) -> list[list[Piece]]:
    """The paragraphs of the body in pieces. Joined, the texts of a paragraph's pieces are the paragraph.

    Marks that lie outside the body, or are empty, are passed over.
    """
    body, claims = document.article.body, document.enriched.claims
    entities = [entity for entity in document.enriched.entities if entity.label not in _UNMARKED]
    marks = [
        *((entity.start, entity.end, "entity", n) for n, entity in enumerate(entities)),
        *((start, end, kind, n) for n, claim in enumerate(claims) for start, end, kind in spans_of(claim)),
    ]
    marks = [mark for mark in marks if 0 <= mark[0] < mark[1] <= len(body)]
    # At one place, what ends goes before what begins.
    edges = sorted(
        [*((end, 0, kind, n) for _, end, kind, n in marks), *((start, 1, kind, n) for start, _, kind, n in marks)]
    )
    depths = depth(claims)
    active: dict[str, list[int]] = {"entity": [], "content": [], "cue": [], "speaker": []}
    begun: set[int] = set()
    made: list[list[Piece]] = []
    at = 0
    for low, high in _paragraphs(body):
        pieces: list[Piece] = []
        place = low
        while place < high:
            begins: list[int] = []
            while at < len(edges) and edges[at][0] <= place:
                _, opens, kind, n = edges[at]
                if opens:
                    active[kind].append(n)
                    if kind != "entity" and n not in begun:
                        begun.add(n)
                        begins.append(n)
                else:
                    active[kind].remove(n)
                at += 1
            until = min(edges[at][0], high) if at < len(edges) else high
            # Of two names in one place the shorter: the longer one shows around it.
            inner = min(active["entity"], key=lambda n: (entities[n].end - entities[n].start, n), default=None)
            pieces.append(
                Piece(
                    text=body[place:until],
                    entity=None if inner is None else entities[inner],
                    content=tuple(sorted(set(active["content"]), key=lambda n: (depths[n], n))),
                    cue=tuple(active["cue"]),
                    speaker=tuple(active["speaker"]),
                    begins=tuple(begins),
                )
            )
            place = until
        made.append(pieces)
    return made


def markup(pieces: Sequence[Piece], claims: Sequence[Claim], chosen: int | None = None) -> Markup:
    """A paragraph as HTML. The words of claim N begin behind ``id="wN"``; ``data-claims`` names the claims of a piece,
    the outermost first. Names lead to their pages, cues to the claim beside the text."""
    return Markup("").join(_html(piece, claims, chosen) for piece in pieces)


def _html(piece: Piece, claims: Sequence[Claim], chosen: int | None) -> Markup:
    anchors = Markup("").join(Markup('<span class="anchor" id="w{}"></span>').format(n) for n in piece.begins)
    if not piece.claims and piece.entity is None:
        return anchors + escape(piece.text)
    if piece.entity is not None:
        link = "/name/" + quote(piece.entity.name, safe="")
        inner = Markup('<a class="e" href="{}" title="{}">{}</a>').format(link, piece.entity.name, piece.text)
    elif piece.cue:
        inner = Markup('<a href="#claim-{}">{}</a>').format(piece.cue[-1], piece.text)
    else:
        inner = escape(piece.text)
    classes = []
    if piece.content:
        classes += ["c", f"d{min(len(piece.content), 3)}"]
    if piece.cue:
        classes.append("cue")
    if piece.speaker:
        speaker = claims[piece.speaker[-1]].speaker
        classes.append("u" if speaker is not None and speaker.anonymous else "s")
    if piece.claims:
        cue = claims[piece.claims[-1]].cue
        classes.append(cue.cls if cue is not None else "say")
    if chosen in piece.claims:
        classes.append("on")
    if not piece.claims:
        return anchors + inner
    named = " ".join(map(str, piece.claims))
    return anchors + Markup('<span class="{}" data-claims="{}">{}</span>').format(" ".join(classes), named, inner)


def spans_of(claim: Claim) -> Iterator[tuple[int, int, str]]:
    """Where the words of a claim stand: (start, end, ``content``, ``cue`` or ``speaker``)."""
    for start, end in claim.content.spans:
        yield start, end, "content"
    if claim.cue is not None:
        yield claim.cue.start, claim.cue.end, "cue"
    if claim.speaker is not None:
        yield claim.speaker.start, claim.speaker.end, "speaker"


def depth(claims: Sequence[Claim]) -> list[int]:
    """How many claims each claim stands inside of."""
    depths: list[int] = []
    for n, claim in enumerate(claims):
        seen, above, deep = {n}, claim.parent, 0
        while above is not None and above not in seen and 0 <= above < len(claims):
            seen.add(above)
            above, deep = claims[above].parent, deep + 1
        depths.append(deep)
    return depths


def _paragraphs(body: str) -> Iterator[tuple[int, int]]:
    """Where the paragraphs of a body stand, without the blank lines between them."""
    low = 0
    for blank in (*_BREAK.finditer(body), None):
        high = blank.start() if blank else len(body)
        if body[low:high].strip():
            yield low, high
        low = blank.end() if blank else high
