"""Copies and stories beside a plain title comparison and a plain MinHash, in one run: ``python -m bench.stories``.

The peers' thresholds are chosen on the same half as ours, for the best F1, and all are reported on the other half.
MinHash is rensa's, 128 permutations over runs of five words. For stories, the peers join what they find alike in the
same three days, as ours does. Then the growth of the register, to a million articles with ``--articles 1000000``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations

import rensa

from bench.quality import stories as ours
from bench.stories import growth, labelled
from bench.stories.scores import b_cubed, of_pairs
from pipeline.records import Document
from pipeline.stories.text import words

PERMUTATIONS, RUN = 128, 5
STEPS = tuple(n / 20 for n in range(1, 20))


@cache
def _title(document: Document) -> frozenset[str]:
    return frozenset(words(document.article.title))


@cache
def _signature(document: Document) -> rensa.RMinHash:
    of = words(document.article.body)
    signature = rensa.RMinHash(num_perm=PERMUTATIONS, seed=1)
    signature.update([" ".join(of[n : n + RUN]) for n in range(max(1, len(of) - RUN + 1))])
    return signature


def by_title(a: Document, b: Document) -> float:
    """The share of their headlines' words that two articles have in common (Jaccard)."""
    first, second = _title(a), _title(b)
    return len(first & second) / len(first | second) if first | second else 0.0


def by_minhash(a: Document, b: Document) -> float:
    """The resemblance of two texts as MinHash tells it."""
    return float(_signature(a).jaccard(_signature(b)))


def best(alike: Callable[[Document, Document], float], pairs: Sequence[labelled.Pair]) -> float:
    """The threshold with the best F1 on these pairs."""
    scored = [(alike(pair.a, pair.b), pair.copies) for pair in pairs]
    return max(STEPS, key=lambda step: of_pairs((value >= step, copies) for value, copies in scored).f1)


def best_for_stories(alike: Callable[[Document, Document], float], placed: Sequence[tuple[str, Document]]) -> float:
    """The threshold with the best B-cubed F1 on these articles."""
    gold = {made.article.id: story for story, made in placed}
    made = [one for _, one in placed]
    return max(STEPS, key=lambda step: b_cubed(joined(alike, made, step), gold).f1)


def joined(alike: Callable[[Document, Document], float], made: Sequence[Document], least: float) -> dict[str, str]:
    """Articles to clusters: all that a chain of likenesses joins."""
    leads = {one.article.id: one.article.id for one in made}

    def end(article: str) -> str:
        while leads[article] != article:
            article = leads[article]
        return article

    for a, b in combinations(made, 2):
        if alike(a, b) >= least:
            leads[end(a.article.id)] = end(b.article.id)
    return {article: end(article) for article in leads}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.stories")
    parser.add_argument("--articles", type=int, default=50_000, help="how far the register is made to grow")
    args = parser.parse_args()
    peers = (("MinHash", by_minhash), ("titles", by_title))
    for what, of in (("copies", labelled.pairs), ("copies whose headlines tell nothing", labelled.hard_pairs)):
        tune, held = of("tune"), of("held")
        print(f"{what}: {len(held)} held pairs, {sum(pair.copies for pair in held)} of them copies")
        print(f"  Wirewatch  {ours.line(of_pairs((ours.is_copy(p.a, p.b), p.copies) for p in held))}")
        for name, alike in peers:
            least = best(alike, tune)
            score = of_pairs((alike(p.a, p.b) >= least, p.copies) for p in held)
            print(f"  {name:10} {ours.line(score)}  from {least:.2f}")
    placed = labelled.clusters("held")
    gold = {made.article.id: story for story, made in placed}
    documents = [made for _, made in placed]
    print(f"stories: {len(placed)} held articles, {len(set(gold.values()))} stories, B-cubed")
    print(f"  Wirewatch  {ours.line(b_cubed(ours.stories(documents), gold))}")
    for name, alike in peers:
        least = best_for_stories(alike, labelled.clusters("tune"))
        print(f"  {name:10} {ours.line(b_cubed(joined(alike, documents, least), gold))}  from {least:.2f}")
    began = time.process_time()
    for made in documents:
        ours.traits(made)
    print(f"traits: {1000 * (time.process_time() - began) / len(documents):.2f} ms of CPU an article")
    growth.grow(args.articles)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
