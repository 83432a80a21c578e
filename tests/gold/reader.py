"""Reads the gold passages of this folder. The format is described in GUIDE.md."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ELISION = " … "
KEYS = frozenset(
    [
        "who",
        "is",
        "kind",
        "anon",
        "why",
        "cue",
        "cls",
        "says",
        "form",
        "neg",
        "hedge",
        "parent",
        "same",
        "when",
        "optional",
        "implied",
        "anyname",
        "anykind",
        "formany",
        "nameless_ok",
    ]
)


@dataclass(frozen=True, slots=True)
class GoldClaim:
    """What should be found. Spans are offsets into the passage's text; indices count the passage's claims from 0."""

    who: str | None
    source: tuple[int, int] | None
    cue: tuple[int, int] | None
    says: tuple[str, ...]
    content: tuple[tuple[int, int], ...]
    name: str | None
    kind: str
    anonymous: bool
    why: str | None
    cls: str | None
    form: str
    negated: bool
    hedge: str | None
    parent: int | None
    same: int | None
    when: tuple[str, str] | None
    optional: bool
    implied: bool
    any_name: bool
    any_kind: bool
    any_form: bool
    nameless_ok: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """A few sentences of news with all claims in them. ``measure_only`` ones are never looked at when rules are tuned."""

    id: str
    text: str
    published: datetime
    measure_only: bool
    claims: tuple[GoldClaim, ...]


def passages() -> list[Passage]:
    """All passages, by file and place. Raises ValueError naming the passage where an annotation does not fit its text."""
    return [
        _passage(raw)
        for file in sorted(FOLDER.glob("*.toml"))
        for raw in tomllib.loads(file.read_text(encoding="utf-8"))["passage"]
    ]


def _passage(raw: dict[str, Any]) -> Passage:
    text = raw["text"].strip()
    claims = tuple(_claim(raw["id"], text, each) for each in raw["claims"])
    return Passage(
        id=raw["id"],
        text=text,
        published=datetime.combine(raw["published"], time(12), tzinfo=UTC),
        measure_only=raw.get("measure") == "only",
        claims=claims,
    )


def _claim(where: str, text: str, raw: dict[str, Any]) -> GoldClaim:
    if unknown := set(raw) - KEYS:
        raise ValueError(f"{where}: unknown keys {sorted(unknown)}")
    says = (raw["says"],) if isinstance(raw["says"], str) else tuple(raw["says"])
    near = 0
    content: list[tuple[int, int]] = []
    cue = source = None
    # The content is sought first; where its words stand twice, the occurrence next to the cue and source counts.
    starts = _occurrences(where, text, says[0].split(ELISION)[0])
    best = min(starts, key=lambda at: _distance(text, at, raw.get("who"), raw.get("cue")))
    near = best
    for piece in says:
        begin, _, finish = piece.partition(ELISION)
        start = text.find(begin, near)
        if start < 0:
            raise ValueError(f"{where}: {begin!r} is not in the text behind character {near}")
        end = text.find(finish, start + len(begin)) if finish else start
        if end < 0:
            raise ValueError(f"{where}: {finish!r} does not follow {begin!r}")
        end += len(finish) if finish else len(begin)
        content.append((start, end))
        near = end
    if raw.get("cue"):
        cue = _nearest(where, text, raw["cue"], content)
    if raw.get("who"):
        source = _nearest(where, text, raw["who"], [cue] if cue else content)
    when = tuple(raw["when"]) if "when" in raw else None
    return GoldClaim(
        who=raw.get("who"),
        source=source,
        cue=cue,
        says=says,
        content=tuple(content),
        name=raw.get("is"),
        kind=raw.get("kind", "person"),
        anonymous=raw.get("anon", False),
        why=raw.get("why"),
        cls=raw.get("cls"),
        form=raw.get("form", "indirect"),
        negated=raw.get("neg", False),
        hedge=raw.get("hedge"),
        parent=raw["parent"] - 1 if "parent" in raw else None,
        same=raw["same"] - 1 if "same" in raw else None,
        when=when,  # type: ignore[arg-type]
        optional=raw.get("optional", False),
        implied=raw.get("implied", False),
        any_name=raw.get("anyname", False),
        any_kind=raw.get("anykind", False),
        any_form=raw.get("formany", False),
        nameless_ok=raw.get("nameless_ok", False),
    )


def _occurrences(where: str, text: str, words: str) -> list[int]:
    found, at = [], text.find(words)
    while at >= 0:
        found.append(at)
        at = text.find(words, at + 1)
    if not found:
        raise ValueError(f"{where}: {words!r} is not in the text")
    return found


def _distance(text: str, at: int, who: str | None, cue: str | None) -> int:
    """How far the source and cue stand from a place, so that repeated words are read where they are said."""
    total = 0
    for words in (who, cue):
        if words:
            spots = [abs(at - spot) for spot in range(len(text)) if text.startswith(words, spot)]
            total += min(spots, default=10_000)
    return total


def _nearest(where: str, text: str, words: str, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """The occurrence nearest to any of the spans, outside them."""

    def cost(at: int) -> int:
        inside = any(start <= at < end for start, end in spans)
        gap = min(min(abs(at - end), abs(start - at - len(words))) for start, end in spans)
        return gap + (10_000 if inside else 0)

    at = min(_occurrences(where, text, words), key=cost)
    return at, at + len(words)
