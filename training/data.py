"""Reads the corpora beside the repository into one shape: a text, its entities, its attributions.

Nothing of the corpora's text is ever written into the repository; only weights trained on it are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Span = tuple[int, int]
ROLES = ("SOURCE", "CUE", "CONTENT")
ENTITY_LABELS = ("PERSON", "ORG", "LOC", "FAC", "NORP", "MISC", "PRODUCT", "DATE", "MONEY")


@dataclass(frozen=True)
class Relation:
    """One annotated attribution. Spans are characters of the text, in order; any part may be empty."""

    source: tuple[Span, ...] = ()
    cue: tuple[Span, ...] = ()
    content: tuple[Span, ...] = ()

    def parts(self) -> Iterator[tuple[str, Span]]:
        for role, spans in zip(ROLES, (self.source, self.cue, self.content), strict=True):
            for span in spans:
                yield role, span


@dataclass(frozen=True)
class Entity:
    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Example:
    """One document. ``entities`` or ``readings`` is None where the corpus does not annotate it.

    ``readings`` holds one list of attributions for each annotator who read the document.
    """

    name: str
    text: str
    entities: tuple[Entity, ...] | None = None
    readings: tuple[tuple[Relation, ...], ...] | None = None
    extra: dict[str, str] = field(default_factory=dict)


_SPANS = re.compile(r"^(T\d+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)")
_EVENT = re.compile(r"^E\d+\t(.*)")


def read_standoff(path: Path) -> tuple[Relation, ...]:
    """The attributions of one brat file. Arguments that point nowhere, notes and discarded spans are passed over."""
    spans: dict[str, tuple[str, tuple[Span, ...]]] = {}
    events: list[str] = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if match := _SPANS.match(line):
            pairs = (tuple(map(int, pair.split())) for pair in match[3].split(";"))
            spans[match[1]] = match[2], tuple(sorted((s, e) for s, e in pairs))
        elif match := _EVENT.match(line):
            events.append(match[1])
    relations = []
    for event in events:
        parts: dict[str, list[Span]] = {role: [] for role in ROLES}
        for argument in event.split():
            label, pieces = spans.get(argument.partition(":")[2], ("", ()))
            if label.upper() in parts:
                parts[label.upper()].extend(pieces)
        if any(parts.values()):
            relations.append(Relation(*(tuple(sorted(parts[role])) for role in ROLES)))
    return tuple(sorted(relations, key=lambda r: min(s for _, (s, _) in r.parts())))


def read_attribution(folder: Path) -> list[Example]:
    """One split of PolNeAR (``folder`` holds ``text/`` and ``attributions/``), by name."""
    readings: dict[str, list[tuple[Relation, ...]]] = {}
    for path in sorted((folder / "attributions").glob("*.ann")):
        readings.setdefault(path.stem.rpartition("_")[0], []).append(read_standoff(path))
    examples = []
    for name, found in readings.items():
        text = folder / "text" / f"{name}.txt"
        if text.exists():
            # newline="" keeps the characters as the offsets count them
            with text.open(encoding="utf-8", newline="") as file:
                examples.append(Example(name, file.read(), readings=tuple(found)))
    return examples


def read_entities(path: Path) -> list[Example]:
    """One split of the worldwide newswire entities (JSON lines)."""
    examples = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            entities = tuple(Entity(s, e, label) for s, e, label in record["entities"])
            examples.append(Example(record["id"], record["text"], entities=entities))
    return examples
