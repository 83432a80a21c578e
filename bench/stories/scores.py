"""How near what was found is to what was labelled."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1, 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def of_pairs(found: Iterable[tuple[bool, bool]]) -> Score:
    """Of (said to be, is)."""
    counts = Counter(found)
    said, true = counts[True, True] + counts[True, False], counts[True, True] + counts[False, True]
    return Score(counts[True, True] / said if said else 1.0, counts[True, True] / true if true else 1.0)


def b_cubed(found: Mapping[str, str], gold: Mapping[str, str]) -> Score:
    """B-cubed (Bagga and Baldwin 1998): for each article, how much of its cluster belongs there, and how much of its
    story is in it."""
    by_found: defaultdict[str, set[str]] = defaultdict(set)
    by_gold: defaultdict[str, set[str]] = defaultdict(set)
    for article in gold:
        by_found[found[article]].add(article)
        by_gold[gold[article]].add(article)
    precision = recall = 0.0
    for article in gold:
        ours, theirs = by_found[found[article]], by_gold[gold[article]]
        precision += len(ours & theirs) / len(ours)
        recall += len(ours & theirs) / len(theirs)
    return Score(precision / len(gold), recall / len(gold))
