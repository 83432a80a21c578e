"""How fast documents are matched against many rules, and how that grows from 100 to 10,000 rules.

The articles are those of ``bench.search`` (random text, Zipf weights, three claims each). The rules are a mix of what
people write: words, phrases, booleans, wildcards, and queries of claims; words are drawn as readers pick them, by their
frequency among the 5,000 most frequent, so that common words are asked for too. The figure is CPU a document, all of
matching included, from batches of 50; the p95 is over single documents. The peer is a loop over searches: the batch in
an index of its own, and every rule's query searched in it.

    python -m bench.alerts [--rules 10000] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.search import Newsroom
from pipeline.alerts.matcher import Matcher
from pipeline.alerts.rules import Rule
from pipeline.index import Kind, SearchRequest
from pipeline.index.embedded import EmbeddedIndex
from pipeline.records import Document

BATCH, BATCHES = 50, 8
TARGET_MS = 20.0
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def rules(room: Newsroom, count: int, documents: list[Document]) -> list[Rule]:
    """A mix: of ten rules, four of words, two phrases, two booleans, one wildcard in twenty, the rest of claims."""
    made = []
    for n in range(count):
        kind = n % 20
        query, claims = None, None
        if kind < 4:
            query = room.rare()
        elif kind < 8:
            query = f"{room.word()} {room.rare()}"
        elif kind < 12:
            query = room.pair(documents)
        elif kind < 14:
            query = f"{room.word()} AND ({room.rare()} OR {room.rare()}) NOT {room.word()}"
        elif kind < 16:
            query = f"title:({room.word()} OR {room.rare()}) AND place:{room.random.choice(room.places)}"
        elif kind < 17:
            query = f"{room.rare()[:5]}* {room.word()}"
        elif kind < 19:
            claims = f'class:say AND speaker:"{room.random.choice(room.people)}" AND content:{room.word()}'
        else:
            claims = f"content:({room.word()} AND {room.word()}) NOT anonymous:true"
        made.append(Rule(name=f"rule {n}", query=query, claims=claims))
    return made


def ours(chosen: list[Rule], batches: list[list[Document]]) -> dict[str, float]:
    began = time.process_time()
    matcher = Matcher(chosen)
    ready = time.process_time() - began
    each, matches = [], 0
    for batch in batches:
        for document in batch:
            began = time.process_time()
            matches += len(matcher.match([document], NOW))
            each.append((time.process_time() - began) * 1_000)
    return {
        "ready_s": ready,
        "mean_ms": statistics.mean(each),
        "p95_ms": statistics.quantiles(each, n=20)[-1],
        "matches": matches / len(each),
    }


def naive(chosen: list[Rule], batch: list[Document]) -> dict[str, float]:
    """Every rule searched for in an index that holds the batch."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        index = EmbeddedIndex(Path(folder))
        index.upsert(batch)
        found = 0
        for rule in chosen:
            kind = Kind.ARTICLES if rule.claims is None else Kind.CLAIMS
            request = SearchRequest(query=rule.query or rule.claims or "", kind=kind, limit=1_000, now=NOW)
            hits = index.search(request).hits
            found += len({hit.id if kind is Kind.ARTICLES else hit.record["article"] for hit in hits})
        spent = time.process_time() - began
        index.close()
    return {"mean_ms": spent * 1_000 / len(batch), "matches": found / len(batch)}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rules", type=int, default=10_000)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    room = Newsroom()
    documents = [room.article(n) for n in range(BATCH * BATCHES)]
    batches = [documents[at : at + BATCH] for at in range(0, len(documents), BATCH)]
    written = rules(room, options.rules, documents)
    sizes = [size for size in (100, 1_000, 10_000, 100_000) if size < options.rules] + [options.rules]
    report: dict[str, Any] = {"batch": BATCH, "documents": len(documents), "rules": {}}
    for size in sizes:
        fast = ours(written[:size], batches)
        same = ours(written[:size], batches[:1])
        slow = naive(written[:size], batches[0])
        assert abs(same["matches"] - slow["matches"]) < 1e-9, (same, slow)
        report["rules"][size] = {"ours": fast, "searches": slow, "times": slow["mean_ms"] / fast["mean_ms"]}
        if not options.json:
            print(
                f"{size:>7,} rules: {fast['mean_ms']:6.2f} ms a document, p95 {fast['p95_ms']:6.2f}   "
                f"loop over searches {slow['mean_ms']:8.2f} ms, {slow['mean_ms'] / fast['mean_ms']:5.1f} times   "
                f"({fast['matches']:.1f} matches a document, made ready in {fast['ready_s']:.2f} s)"
            )
    if options.json:
        print(json.dumps(report))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
