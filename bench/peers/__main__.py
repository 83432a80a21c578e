"""Ours beside CoreNLP and textacy, scored and timed in one run: ``python -m bench.peers [--documents N] [--json]``.

Attribution on PolNeAR dev (source, cue, content: F1 of exact spans; claim: F1, content Jaccard of at least 0.5 and
sources that overlap; quoted: recall of the gold claims whose content begins with a quotation mark, which is what the
peers look for), entities on worldwide newswire dev (F1 of exact spans and labels, PERSON, ORG, LOC with GPE and FAC,
NORP). Every peer reads the same documents, taken evenly over the corpus, in a process of its own, all on one core.

Speed is on the attribution documents, claims and all that the peer needs for them: documents of 800 words a second, by
the wall clock and in CPU of the peer's process, which a busy machine does not blow up. Models are loaded, the entity
documents and a passage of our own read before the clock starts. Memory is the peak of the peer's resident set over the
whole run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import psutil
from rich.console import Console
from rich.table import Table

from bench.peers import corenlp, ours, spacy_textacy
from bench.peers.worker import Unavailable, Worker
from bench.quality.attribution import ROLES, Told, matched, read_standoff
from bench.quality.entities import SCORED
from bench.quality.score import DATA, Count

T = TypeVar("T")
DOCUMENTS = 20
"""Of each corpus, unless told otherwise: CoreNLP needs some seconds for each."""
WARM_UP = """LISBON, March 3 — The harbour will stay closed until Friday, the port authority said on Tuesday.

"We have lost two cranes and one ship," said Teresa Almada, its director. "Nobody was hurt, and that is what counts."

She denied that warnings had been ignored. According to two sailors, who asked not to be named, the wind reached 120
kilometres an hour. The Portuguese government promised aid, but Almada told reporters: "Promises lift no containers."
"""
QUOTATION_MARKS = ('"', "“", "'", "‘", "«", "„")


class Peer(Protocol):
    """What a peer's module has."""

    NAME: str
    NOTE: str
    DOES: frozenset[str]
    """Columns that the peer can fill at all."""

    def told(self, answer: Any, text: str) -> list[dict[str, list[list[int]]]]: ...

    def entities(self, answer: Any, text: str) -> list[tuple[int, int, str]]: ...


@dataclass(frozen=True, slots=True)
class Article:
    """A text with its gold claims, once an annotator."""

    text: str
    gold: tuple[Sequence[Told], ...]


@dataclass(slots=True)
class Figures:
    """What one peer came to. Keys of ``scores`` are columns."""

    scores: dict[str, float] = field(default_factory=dict)
    wall: float = 0.0
    cpu: float = 0.0
    megabytes: float | None = None
    unread: int = 0
    """Texts that were too much for the peer; they count as read, nothing found."""


COLUMNS: Mapping[str, Callable[[Figures], float | None]] = {
    **{name: partial(lambda name, f: f.scores.get(name), name) for name in (*ROLES, "claim", "quoted", "entities")},
    "docs/s": lambda f: f.wall or None,
    "docs/CPU-s": lambda f: f.cpu or None,
    "peak MB": lambda f: f.megabytes,
}


def evenly(items: Sequence[T], number: int) -> list[T]:
    """That many of the items, at equal distances."""
    number = min(number, len(items))
    return [items[i * len(items) // number] for i in range(number)]


def articles(number: int) -> list[Article]:
    """PolNeAR dev; empty where it is absent."""
    folder = DATA / "attribution" / "dev"
    annotations: dict[str, list[Path]] = {}
    for path in sorted((folder / "attributions").glob("*.ann")):
        annotations.setdefault(path.stem.rpartition("_")[0], []).append(path)
    chosen = []
    for name in evenly(sorted(annotations), number):
        with (folder / "text" / f"{name}.txt").open(encoding="utf-8", newline="") as file:
            chosen.append(Article(file.read(), tuple(read_standoff(path) for path in annotations[name])))
    return chosen


def newswire(number: int) -> list[dict[str, Any]]:
    """Records of worldwide newswire dev (text, entities); empty where it is absent."""
    path = DATA / "ner" / "dev.jsonl"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as file:
        return evenly([json.loads(line) for line in file], number)


def judge(peer: Peer, worker: Worker, texts: Sequence[Article], records: Sequence[dict[str, Any]]) -> Figures:
    """Has the peer read everything; scores and times it."""
    figures = Figures()
    if records:  # before the clock starts: what runs in a virtual machine must be given time to get fast
        _entities(peer, worker, records, figures)
    worker.ask("claims", WARM_UP)
    if texts:
        _claims(peer, worker, texts, figures)
    figures.megabytes = _peak(worker.pid)
    figures.scores = {name: score for name, score in figures.scores.items() if name in peer.DOES}
    return figures


def _claims(peer: Peer, worker: Worker, texts: Sequence[Article], figures: Figures) -> None:
    process = psutil.Process(worker.pid)
    counts = {role: Count() for role in ROLES}
    claims, quoted = Count(), Count()
    wall, cpu, words = 0.0, 0.0, 0
    for article in texts:
        before, began = process.cpu_times(), time.perf_counter()
        answer = worker.ask("claims", article.text)
        wall += time.perf_counter() - began
        after = process.cpu_times()
        cpu += after.user + after.system - before.user - before.system
        words += len(article.text.split())
        figures.unread += answer is None
        found = [] if answer is None else [_told(claim) for claim in peer.told(answer, article.text)]
        for gold in article.gold:
            for role in ROLES:
                counts[role].add(
                    {s for t in found for s in getattr(t, role)}, {s for t in gold for s in getattr(t, role)}
                )
            whole, wanted = [t for t in found if t.content], [t for t in gold if t.content]
            claims.right += matched(whole, wanted)
            claims.found += len(whole)
            claims.wanted += len(wanted)
            wanted = [t for t in wanted if article.text[t.content[0][0]] in QUOTATION_MARKS]
            quoted.right += matched(whole, wanted)
            quoted.wanted += len(wanted)
    figures.scores |= {role: count.f1 for role, count in counts.items()}
    figures.scores["claim"] = claims.f1
    if quoted.wanted:
        figures.scores["quoted"] = quoted.recall
    figures.wall, figures.cpu = words / 800 / wall, words / 800 / cpu


def _entities(peer: Peer, worker: Worker, records: Sequence[dict[str, Any]], figures: Figures) -> None:
    count = Count()
    for record in records:
        answer = worker.ask("entities", record["text"])
        figures.unread += answer is None
        found = [] if answer is None else peer.entities(answer, record["text"])
        count.add(
            {(s, e, SCORED[label]) for s, e, label in found if label in SCORED},
            {(s, e, SCORED[label]) for s, e, label in record["entities"] if label in SCORED},
        )
    figures.scores["entities"] = count.f1


def _told(claim: Mapping[str, list[list[int]]]) -> Told:
    return Told(*(tuple((start, end) for start, end in claim[role]) for role in ROLES))


def _peak(pid: int) -> float | None:
    """The peak of a process's resident set in MB; ``None`` where the system has no /proc."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> int:
    """The exit status: 0 also where no peer or no corpus can be had, which is said."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Ours beside its peers.")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="of each corpus (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--spacy-wheel", type=Path, help="a wheel of en_core_web_sm, which PyPI does not have")
    args = parser.parse_args()
    if args.documents < 1:
        parser.error("--documents must be at least 1")
    talk = Console(stderr=args.json, width=max(120, Console().width))
    texts, records = articles(args.documents), newswire(args.documents)
    if not texts:
        talk.print(f"The attribution corpus is not at {DATA / 'attribution' / 'dev'}: claims are not scored or timed.")
    if not records:
        talk.print(f"The entity corpus is not at {DATA / 'ner' / 'dev.jsonl'}: entities are not scored.")
    if not texts and not records:
        return 0
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the workers inherit it
    starts: list[tuple[Peer, Callable[[], Worker]]] = [
        (ours, ours.start),
        (corenlp, corenlp.start),
        (spacy_textacy, partial(spacy_textacy.start, args.spacy_wheel)),
    ]
    results: dict[str, Figures] = {}
    missing: dict[str, str] = {}
    for peer, start in starts:
        try:
            with start() as worker:
                results[peer.NAME] = judge(peer, worker, texts, records)
        except (Unavailable, RuntimeError) as error:
            missing[peer.NAME] = str(error)
            talk.print(f"{peer.NAME} is left out: {error}", markup=False)
            continue
        talk.print(peer.NOTE, markup=False)
        if results[peer.NAME].unread:
            talk.print(
                f"{peer.NAME} could not read {results[peer.NAME].unread} of the texts; they count, nothing found."
            )
    if args.json:
        rows = {name: {column: get(f) for column, get in COLUMNS.items()} for name, f in results.items()}
        sizes = {"attribution": len(texts), "entities": len(records)}
        print(json.dumps({"documents": sizes, "peers": rows, "missing": missing}))
        return 0
    table = Table(title=f"{len(texts)} documents of PolNeAR dev, {len(records)} of worldwide newswire dev; one core")
    table.add_column("peer", no_wrap=True)
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for name, figures in results.items():
        table.add_row(name, *(_cell(column, get(figures)) for column, get in COLUMNS.items()))
    talk.print(table)
    return 0


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if column == "peak MB" else f"{value:.2f}" if column.startswith("docs") else f"{value:.1f}"


if __name__ == "__main__":
    sys.exit(main())
