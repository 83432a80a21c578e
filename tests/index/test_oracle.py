"""The compiled queries beside a plain reading of the same rules over the same random texts."""

from __future__ import annotations

import fnmatch
import itertools
import random
from pathlib import Path

import pytest

from pipeline.index import Index, SearchRequest
from pipeline.index.embedded import EmbeddedIndex
from pipeline.index.highlight import highlighter, within
from pipeline.index.query import parse
from tests.conformance.wire import document

LETTERS = "abcdef"
WORDS = ["kashmir", "kashmri", "kasmir", "kashmirs", "cashmere", "karachi", "karma", "kabul", "kashgar", "khaki"]


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    dice = random.Random(7)
    found = {}
    for n in range(150):
        text = [dice.choice(LETTERS) for _ in range(9)] + dice.sample(WORDS, 2)
        found[document(str(n), "", " ".join(text)).article.id] = text
    return found


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, texts: dict[str, list[str]]) -> Index:
    opened = EmbeddedIndex(tmp_path_factory.mktemp("index"))
    documents = [document(str(n), "", " ".join(text)) for n, text in enumerate(texts.values())]
    for at in range(0, len(documents), 40):  # several segments
        opened.upsert(documents[at : at + 40])
    return opened


def found(index: Index, query: str) -> set[str]:
    return {hit.id for hit in index.search(SearchRequest(query=query, limit=1_000)).hits}


def loosely(text: list[str], wanted: tuple[str, ...], slop: int) -> bool:
    """Lucene's rule: how far each word lies from its place in the phrase; the spread of that is at most the slop."""
    places = [[at for at, word in enumerate(text) if word == one] for one in wanted]
    for chosen in itertools.product(*places):
        shifts = [place - at for at, place in enumerate(chosen)]
        if len(set(chosen)) == len(chosen) and max(shifts) - min(shifts) <= slop:
            return True
    return False


@pytest.mark.parametrize("slop", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("wanted", ["ab", "ba", "aa", "abc", "cab", "aab", "abab"])
def test_loose_phrases(index: Index, texts: dict[str, list[str]], wanted: str, slop: int) -> None:
    if len(wanted) == 4 and slop > 4:
        return
    query = f'body.exact:"{" ".join(wanted)}"~{slop}'
    expected = {id_ for id_, text in texts.items() if loosely(text, tuple(wanted), slop)}
    assert found(index, query) == expected
    mark = highlighter(parse(query))
    for id_, text in texts.items():
        assert bool(mark({"body": " ".join(text)})) == (id_ in expected)


@pytest.mark.parametrize("distance", [0, 1, 2])
@pytest.mark.parametrize("word", ["kashmir", "kashimr", "cashmir", "karhci", "kabl", "kaki"])
def test_near_words(index: Index, texts: dict[str, list[str]], word: str, distance: int) -> None:
    expected = {id_ for id_, text in texts.items() if any(within(word, other, distance) for other in text)}
    assert found(index, f"body:{word}~{distance}") == expected


@pytest.mark.parametrize(
    "pattern", ["ka*", "ka?h*", "*ir", "*as*", "k*r*i", "kab?l", "??rachi", "kashmir?", "kashmir*"]
)
def test_patterns(index: Index, texts: dict[str, list[str]], pattern: str) -> None:
    expected = {id_ for id_, text in texts.items() if any(fnmatch.fnmatchcase(word, pattern) for word in text)}
    assert found(index, f"body:{pattern}") == expected


def test_any_nesting_of_and_or_not(index: Index, texts: dict[str, list[str]]) -> None:
    dice = random.Random(11)

    def make(depth: int) -> tuple[str, set[str]]:
        if depth == 0 or dice.random() < 0.2:
            letter = dice.choice(LETTERS)
            return f"body.exact:{letter}", {id_ for id_, text in texts.items() if letter in text}
        kind = dice.choice(["AND", "OR", "NOT", " ", "&&", "||"])
        one, ones = make(depth - 1)
        if kind == "NOT":
            return f"(NOT {one})", set(texts) - ones
        other, others = make(depth - 1)
        return f"({one} {kind} {other})", ones | others if kind in {"OR", "||"} else ones & others

    for _ in range(120):
        query, expected = make(4)
        assert found(index, query) == expected, query


def test_distances_are_symmetric_and_count_a_swap_once() -> None:
    assert within("kashmri", "kashmir", 1)
    assert not within("kashmir", "krashmi", 1)
    for one, other in itertools.combinations(WORDS, 2):
        for distance in range(3):
            assert within(one, other, distance) == within(other, one, distance)


def test_a_highlighter_bears_long_texts_and_odd_characters(tmp_path: Path) -> None:
    mark = highlighter(parse('kashmir "a b c"~9 k*r kashmri~'))
    shown = mark({"title": "\x02Kashmir\x03\x00", "body": "a b c kashmir " * 40_000})
    assert shown["title"] == ("\x02Kashmir\x03 \x00",)
    assert len(shown["body"]) == 3
    assert all(len(text) < 400 for text in shown["body"])
