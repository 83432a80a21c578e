"""Ours, as the pipeline runs it: the whole of :class:`pipeline.enrich.Enricher`, entities and claims in one go."""

from __future__ import annotations

import sys
from typing import Any

from bench.peers.worker import Worker, serve

NAME = "wirewatch"
NOTE = "wirewatch: all of enrichment (names joined, speakers resolved, nesting, dates), packaged model, defaults."
DOES = frozenset({"source", "cue", "content", "claim", "quoted", "entities"})


def start() -> Worker:
    return Worker([sys.executable, "-m", "bench.peers.ours"])


def told(answer: Any, text: str) -> list[dict[str, list[list[int]]]]:
    """The worker answers in the form that is scored already."""
    return list(answer)


def entities(answer: Any, text: str) -> list[tuple[int, int, str]]:
    return [(start, end, label) for start, end, label in answer]


def main() -> None:
    from pipeline.enrich import Enricher
    from pipeline.records import Enriched
    from pipeline.settings import Settings

    enricher = Enricher(Settings())

    def enriched(text: str) -> Enriched:
        return enricher.enrich(text, language="en")

    def claims(text: str) -> list[dict[str, list[list[int]]]]:
        return [
            {
                "source": [[c.speaker.start, c.speaker.end]] if c.speaker else [],
                "cue": [[c.cue.start, c.cue.end]] if c.cue else [],
                "content": [list(span) for span in c.content.spans],
            }
            for c in enriched(text).claims
        ]

    serve(
        {"claims": claims, "entities": lambda text: [[e.start, e.end, e.label] for e in enriched(text).entities]},
    )


if __name__ == "__main__":
    main()
