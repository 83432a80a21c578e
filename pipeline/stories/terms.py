"""What a report is about, as a short weighted list of words: what two accounts of one event have in common.

A word weighs by how rare it is in English (its place in the packaged model's vocabulary, which is ordered by how often
words occur; a word that is not in it is rare), how often it stands here, whether it is a name (written with a capital
in mid-sentence), and whether it is in the headline. Names make this work across languages, and without the model's
entities: where enrichment is off, stories are the same. Nothing is learned from the stream, so that the same two
articles are alike or not whatever came between them.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from functools import cache, lru_cache
from pathlib import Path

from pipeline.stories.text import folded, hashed, runs_of_letters

TERMS = 40
"""Terms kept of an article. With 25, accounts that dwell on other sides of an event lose touch (2026-11-25)."""
KEYS = 8
"""The heaviest terms, under which an article is filed."""
READ = 3_000
"""Characters of the body that are read: news says first what it is about."""
NAME, HEADLINE = 1.6, 2
"""What a name weighs more than a word, and how often a headline's words count beside the body's."""

_VOCABULARY = Path(__file__).parent.parent / "enrich" / "models" / "wire-en" / "tokenizer.json"
_FIRST_WORD, _WORDS = 1_995, 28_500
"""Where whole words begin in that vocabulary (the characters stand before them), and how many places there are."""
_NUMBER = r"\d[\d.,]*\d"
_TOKEN = re.compile(rf"{_NUMBER}|\d|[^\W\d_]+(?:['’][^\W\d_]+)?")
_LONG_NUMBER = re.compile(_NUMBER)
_UPPER = "[A-ZÀ-ÖØ-Þ]"
# A token that begins with a capital, in a text of Latin-1 without "rock'n'Roll". What must not stand before it is
# looked at second: a pattern that begins with a class of characters is sought in half the time (2026-11-26).
_CAPITAL = re.compile(rf"{_UPPER}(?<![^\W\d_]{_UPPER})(?<![^\W\d_]['’]{_UPPER})[^\W\d_]*(?:['’][^\W\d_]+)?")
_ENDS = frozenset('.!?:;\n"“”«»‘(–—-')


@cache
def _rarity() -> dict[str, float]:
    """What common words weigh: 0 for the commonest to 0.73, the third power of 0.9."""
    vocabulary = json.loads(_VOCABULARY.read_bytes())["model"]["vocab"]
    whole = math.log(_WORDS)
    return {
        word: (0.9 * math.log(1 + place - _FIRST_WORD) / whole) ** 3
        for word, place in vocabulary.items()
        if place >= _FIRST_WORD and len(word) > 2 and word.isalpha()
    }


Terms = dict[int, float]
"""Hashed terms to weights, heaviest first; the squares of the weights add up to 1."""


def terms(title: str, body: str) -> Terms:
    """What an article is about."""
    counts, names = _counted(body[:READ])
    for word in _TOKEN.findall(title):
        counts[_term(word)] += HEADLINE
    rarity = _rarity()
    weights: dict[str, float] = {}
    for term, count in counts.items():
        if len(term) > 2:
            weight = rarity.get(term, 1.0)
            if count > 1:
                weight *= 1 + math.log(count)
            weights[term] = weight * NAME if term in names else weight
    least = sorted(weights.values(), reverse=True)[:TERMS][-1:]
    heaviest = sorted((-weight, term) for term, weight in weights.items() if weight >= least[0])[:TERMS]
    length = math.sqrt(sum(weight * weight for weight, _ in heaviest)) or 1.0
    return {hashed(term): -weight / length for weight, term in heaviest}


def _counted(text: str) -> tuple[Counter[str], set[str]]:
    """How often each term stands in a text, those of one or two characters perhaps left out, and which are names."""
    letters = runs_of_letters(text)
    if letters is None:
        found = list(_TOKEN.finditer(text))
        counts = Counter(_term(match[0]) for match in found)
        capitals = [match for match in found if match[0][0].isupper()]
    else:
        counts = Counter(word.removesuffix("'s") for word in letters)
        counts.update(_LONG_NUMBER.findall(text))
        capitals = list(_CAPITAL.finditer(text))
    return counts, {_term(match[0]) for match in capitals if _in_mid_sentence(text, match.start())}


def _in_mid_sentence(text: str, at: int) -> bool:
    before = text[max(0, at - 3) : at].rstrip(" ")[-1:] if at else "."
    return before not in _ENDS


@lru_cache(maxsize=65_536)
def _term(word: str) -> str:
    term = folded(word)
    return term[:-2] if term.endswith("'s") else term


def keys(of: Terms) -> list[int]:
    """Under which terms an article is filed."""
    return list(of)[:KEYS]


def likeness(a: Terms, b: Terms) -> float:
    """The cosine of two lists of terms: 0 to 1."""
    return sum(a[term] * b[term] for term in a.keys() & b.keys())
