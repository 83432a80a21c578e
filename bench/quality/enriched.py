"""The same corpora as ``attribution`` and ``entities``, scored on what enrichment gives out: after all rules.

The corpus is flat: it has only the outermost of claims inside claims. Those inside are counted as wrong here, so the
figures beside "outermost" leave them out.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from bench.quality.attribution import ROLES, Span, Told, matched, read_standoff
from bench.quality.score import DATA, Count, Report
from pipeline.enrich import Enricher
from pipeline.records import Claim
from pipeline.settings import Settings

LABELS = ("PERSON", "ORG", "LOC", "FAC", "NORP")


def told(claim: Claim) -> Told:
    """A claim as the corpus has attributions."""
    speaker, cue = claim.speaker, claim.cue
    source: tuple[Span, ...] = ((speaker.start, speaker.end),) if speaker else ()
    return Told(source, ((cue.start, cue.end),) if cue else (), claim.content.spans)


def measure(split: str, model: Path | None = None) -> Report:
    """Scores enrichment's claims on PolNeAR and its entities on the newswire corpus."""
    folder, newswire = DATA / "attribution" / split, DATA / "ner" / f"{split}.jsonl"
    if not folder.is_dir() or not newswire.is_file():
        return Report(skipped=f"the corpora are not at {DATA}")
    enricher = Enricher(Settings(model=str(model) if model else None))
    counts = {role: Count() for role in ROLES}
    claims, outermost = Count(), Count()
    answers: dict[str, tuple[Claim, ...]] = {}
    words, seconds = 0, 0.0
    for path in sorted((folder / "attributions").glob("*.ann")):
        name = path.stem.rpartition("_")[0]
        if name not in answers:
            with (folder / "text" / f"{name}.txt").open(encoding="utf-8", newline="") as file:
                text = file.read()
            began = time.process_time()
            answers[name] = enricher.enrich(text, language="en").claims
            seconds += time.process_time() - began
            words += len(text.split())
        wanted = read_standoff(path)
        whole = [told(claim) for claim in answers[name]]
        outer = [told(claim) for claim in answers[name] if claim.parent is None]
        for role in ROLES:
            counts[role].add(
                {s for t in whole for s in getattr(t, role)}, {s for t in wanted for s in getattr(t, role)}
            )
        wanted = [each for each in wanted if each.content]
        for count, found in ((claims, whole), (outermost, outer)):
            count.right += matched(found, wanted)
            count.found += len(found)
            count.wanted += len(wanted)
    lines = [f"{enricher.name} with all rules on PolNeAR {split}"]
    lines += [f"{role:10} {count}" for role, count in counts.items()]
    lines += [f"claim      {claims}", f"outermost  {outermost}"]
    entities = _entities(enricher, newswire)
    speed = words / 800 / max(seconds, 1e-9)
    lines += [f"entities   {entities}", f"{speed:.1f} documents of 800 words a CPU-second, everything in enrichment"]
    figures = {role: count.f1 for role, count in counts.items()}
    return Report(lines, {**figures, "claim": claims.f1, "outermost": outermost.f1, "entities": entities.f1})


def _entities(enricher: Enricher, file: Path) -> Count:
    """Exact spans and labels, GPE counted as the corpus' LOC."""
    count = Count()
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            document = json.loads(line)
            wanted = {(start, end, label) for start, end, label in document["entities"] if label in LABELS}
            found = {
                (entity.start, entity.end, "LOC" if entity.label == "GPE" else entity.label)
                for entity in enricher.enrich(document["text"], language="en").entities
            }
            count.add({each for each in found if each[2] in LABELS}, wanted)
    return count
