"""Attribution on PolNeAR: exact spans of source, cue and content, and whole claims.

A span is right when both its ends are, to the character; each piece of a broken quotation is a span. A claim is right
when its content and the gold content share half of the characters of both together (Jaccard) and their sources
overlap, or both name none; each gold claim counts once. A text that two people annotated counts as two documents.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.quality.score import DATA, Count, Report
from pipeline.enrich.tagger import Tagger

Span = tuple[int, int]
ROLES = ("source", "cue", "content")
_SPANS = re.compile(r"^(T\d+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)")
_EVENT = re.compile(r"^E\d+\t(.*)")


@dataclass(frozen=True, slots=True)
class Told:
    """Who said what: the parts of one attribution, as character spans."""

    source: tuple[Span, ...]
    cue: tuple[Span, ...]
    content: tuple[Span, ...]


def read_standoff(path: Path) -> list[Told]:
    """The attributions of one brat file."""
    spans: dict[str, tuple[str, list[Span]]] = {}
    events: list[str] = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if match := _SPANS.match(line):
            pairs = (pair.split() for pair in match[3].split(";"))
            spans[match[1]] = match[2].lower(), [(int(s), int(e)) for s, e in pairs]
        elif match := _EVENT.match(line):
            events.append(match[1])
    told = []
    for event in events:
        parts: dict[str, list[Span]] = {role: [] for role in ROLES}
        for argument in event.split():
            label, pieces = spans.get(argument.partition(":")[2], ("", []))
            if label in parts:
                parts[label].extend(pieces)
        if any(parts.values()):
            told.append(Told(*(tuple(sorted(parts[role])) for role in ROLES)))
    return told


def characters(spans: Iterable[Span]) -> set[int]:
    return {c for s, e in spans for c in range(s, e)}


def matched(found: Sequence[Told], wanted: Sequence[Told]) -> int:
    """How many claims are right, the best pairs first, each claim used once."""
    pairs = []
    wants = [(characters(w.content), characters(w.source)) for w in wanted]
    for i, f in enumerate(found):
        content, source = characters(f.content), characters(f.source)
        for j, (gold, gold_source) in enumerate(wants):
            common = len(content & gold)
            if not common:
                continue
            jaccard = common / len(content | gold)
            if jaccard >= 0.5 and (source & gold_source or not (source or gold_source)):
                pairs.append((-jaccard, i, j))
    used_found: set[int] = set()
    used_wanted: set[int] = set()
    for _, i, j in sorted(pairs):
        if i not in used_found and j not in used_wanted:
            used_found.add(i)
            used_wanted.add(j)
    return len(used_found)


def measure(split: str, model: Path | None = None) -> Report:
    """Scores the tagger on one split."""
    folder = DATA / "attribution" / split
    if not folder.is_dir():
        return Report(skipped=f"the attribution corpus is not at {folder}")
    tagger = Tagger.load(model)
    counts = {role: Count() for role in ROLES}
    claims = Count()
    answers: dict[str, list[Told]] = {}
    words, seconds, documents = 0, 0.0, 0
    for path in sorted((folder / "attributions").glob("*.ann")):
        name = path.stem.rpartition("_")[0]
        if name not in answers:
            with (folder / "text" / f"{name}.txt").open(encoding="utf-8", newline="") as file:
                text = file.read()
            began = time.perf_counter()
            tagged = tagger.tag(text)
            seconds += time.perf_counter() - began
            words += len(text.split())
            answers[name] = [Told(a.source, a.cue, a.content) for a in tagged.attributions]
        found, wanted = answers[name], read_standoff(path)
        documents += 1
        for role in ROLES:
            counts[role].add(
                {s for t in found for s in getattr(t, role)}, {s for t in wanted for s in getattr(t, role)}
            )
        found, wanted = [t for t in found if t.content], [t for t in wanted if t.content]
        claims.right += matched(found, wanted)
        claims.found += len(found)
        claims.wanted += len(wanted)
    lines = [f"{tagger.name} on {documents} documents of PolNeAR {split}"]
    lines += [f"{role:8} {count}" for role, count in counts.items()]
    lines += [f"claim    {claims}", f"{words / 800 / max(seconds, 1e-9):.1f} documents of 800 words a second"]
    figures = {role: count.f1 for role, count in counts.items()}
    return Report(lines, {**figures, "claim": claims.f1})
