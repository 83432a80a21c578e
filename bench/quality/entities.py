"""Entities on the worldwide newswire corpus: exact spans and labels, PERSON, ORG, LOC (with FAC) and NORP."""

from __future__ import annotations

import json
import time
from pathlib import Path

from bench.quality.score import DATA, Count, Report
from pipeline.enrich.tagger import Tagger

SCORED = {"PERSON": "PERSON", "ORG": "ORG", "LOC": "LOC", "GPE": "LOC", "FAC": "LOC", "NORP": "NORP"}
OTHERS = ("MISC", "PRODUCT", "DATE", "MONEY")


def measure(split: str, model: Path | None = None) -> Report:
    """Scores the tagger on one split. The four labels make the figure; the rest is printed."""
    path = DATA / "ner" / f"{split}.jsonl"
    if not path.is_file():
        return Report(skipped=f"the entity corpus is not at {path}")
    tagger = Tagger.load(model)
    every = Count()
    counts = {label: Count() for label in (*dict.fromkeys(SCORED.values()), *OTHERS)}
    words, seconds, documents = 0, 0.0, 0
    with path.open(encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            began = time.perf_counter()
            tagged = tagger.tag(record["text"])
            seconds += time.perf_counter() - began
            words += len(record["text"].split())
            documents += 1
            found = {(m.start, m.end, SCORED.get(m.label, m.label)) for m in tagged.mentions}
            wanted = {(s, e, SCORED.get(label, label)) for s, e, label in record["entities"]}
            for label, count in counts.items():
                count.add({f for f in found if f[2] == label}, {w for w in wanted if w[2] == label})
            main = set(SCORED.values())
            every.add({f for f in found if f[2] in main}, {w for w in wanted if w[2] in main})
    lines = [f"{tagger.name} on {documents} documents of worldwide newswire {split}"]
    lines += [f"{label:8} {count}" for label, count in counts.items()]
    lines += [f"all four {every}", f"{words / 800 / max(seconds, 1e-9):.1f} documents of 800 words a second"]
    return Report(lines, {"four": every.f1, **{label.lower(): counts[label].f1 for label in SCORED.values()}})
