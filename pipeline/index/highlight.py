"""Fragments of stored text with the words that a query matched marked, by the same analysis as the index.

Done here and not by an adapter, so that both mark the same words: tantivy's snippets know only one field's terms and
neither phrases nor patterns.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pipeline.index import analysis
from pipeline.index.analysis import Forms
from pipeline.index.base import Kind
from pipeline.index.fields import Field, Type
from pipeline.index.query import Fuzzy, Parsed, Pattern, Phrase, Wild, Word, positive, targets

START, END = "\x02", "\x03"
FRAGMENT = 160
"""Characters of a fragment, about: two lines of a terminal."""
FRAGMENTS = 3
MAX_CHARACTERS = 200_000
"""Text looked at in one field; a long book chapter. Marks further on are not shown."""
MAX_COMBINATIONS = 20_000
"""Placements of a loose phrase that are tried in one text."""

_SHOWN: Mapping[Kind, tuple[str, ...]] = {
    Kind.ARTICLES: ("title", "body"),
    Kind.CLAIMS: ("content", "speaker", "title"),
}
_WHOLE = {"title", "speaker"}

Span = tuple[int, int]
Matcher = Callable[[Forms], Iterable[Span]]
"""Finds the matches in a text's words: (index of the first word, index behind the last)."""


@dataclass(frozen=True, slots=True)
class Highlighter:
    """Marks one query's matches. ``matchers`` holds those of each field that is shown."""

    matchers: Mapping[str, tuple[Matcher, ...]]

    def __call__(self, texts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """Fragments for each field in which something matched, best first cut down to a few, then in text order."""
        marked = {}
        for name, matchers in self.matchers.items():
            text = re.sub("[\x02\x03]", " ", texts.get(name, "")[:MAX_CHARACTERS])
            words = analysis.forms(text)
            found = [(*span, number) for number, matcher in enumerate(matchers) for span in matcher(words)]
            if found:
                places = analysis.places(text, max(last for _, last, _ in found))
                spans = sorted((places[first][0], places[last - 1][1], number) for first, last, number in found)
                marked[name] = _fragments(text, spans, whole=name in _WHOLE)
        return marked


def highlighter(parsed: Parsed) -> Highlighter:
    """The highlighter for a query."""
    matchers: dict[str, list[Matcher]] = {name: [] for name in _SHOWN[parsed.kind]}
    for leaf in positive(parsed.tree):
        if isinstance(leaf, (Word, Phrase, Pattern, Fuzzy)):
            for field, _ in targets(leaf.field, parsed.kind):
                if field.base in matchers and field.type in {Type.TEXT, Type.NAME}:
                    matchers[field.base].append(finder(leaf, field))
    return Highlighter({name: tuple(found) for name, found in matchers.items() if found})


def finder(leaf: Word | Phrase | Pattern | Fuzzy, field: Field) -> Matcher:
    """What finds a leaf's matches among the words of a text or name field."""
    match leaf:
        case Pattern(_, parts):
            pattern = re.compile(
                "".join(
                    {Wild.ANY: ".*", Wild.ONE: "."}[part] if isinstance(part, Wild) else re.escape(part)
                    for part in parts
                ),
                re.DOTALL,
            )
            return lambda words: _each(words.exact, lambda word: pattern.fullmatch(word) is not None)
        case Fuzzy(_, text, distance):
            return lambda words: _each(words.exact, lambda word: within(text, word, distance))
        case Word(_, text) | Phrase(_, text):
            stemmed = field.type is Type.TEXT and field.sub is None
            wanted = analysis.stems(text) if stemmed else analysis.words(text)
            slop = leaf.slop if isinstance(leaf, Phrase) else 0
            return lambda words: _phrase(words.stem if stemmed else words.exact, wanted, slop)


def _each(words: list[str], matches: Callable[[str], bool]) -> Iterable[Span]:
    good = {word for word in set(words) if matches(word)}
    return [(at, at + 1) for at, word in enumerate(words) if word in good] if good else []


def _phrase(terms: list[str], wanted: list[str], slop: int) -> Iterable[Span]:
    size = len(wanted)
    if not set(wanted) <= set(terms):
        return
    if size == 1 or not slop:
        for at, term in enumerate(terms):
            if term == wanted[0] and (size == 1 or terms[at : at + size] == wanted):
                yield at, at + size
        return
    places = [[at for at, term in enumerate(terms) if term == word] for word in wanted]
    for chosen in itertools.islice(itertools.product(*places), MAX_COMBINATIONS):
        shifts = [place - at for at, place in enumerate(chosen)]
        if max(shifts) - min(shifts) <= slop and len(set(chosen)) == size:
            for place in chosen:
                yield place, place + 1


def _fragments(text: str, spans: list[tuple[int, int, int]], *, whole: bool) -> tuple[str, ...]:
    if whole:
        return (_mark(text, 0, len(text), spans),)
    windows: list[list[tuple[int, int, int]]] = []
    for span in spans:
        if windows and span[1] - windows[-1][0][0] <= FRAGMENT:
            windows[-1].append(span)
        else:
            windows.append([span])
    # Best is what shows most of the query's different words, then most of its matches, then what comes first.
    best = sorted(windows, key=lambda window: (-len({number for _, _, number in window}), -len(window), window[0]))
    fragments = []
    for window in sorted(best[:FRAGMENTS], key=lambda window: window[0]):
        start, end = window[0][0], max(span[1] for span in window)
        spare = max(0, FRAGMENT - (end - start))
        low = _word_start(text, max(0, start - spare // 2), start)
        high = _word_end(text, min(len(text), max(end, low + FRAGMENT)), end)
        inside = [span for span in spans if low <= span[0] and span[1] <= high]
        fragments.append(_mark(text, low, high, inside))
    return tuple(fragments)


def _word_start(text: str, at: int, limit: int) -> int:
    """The next start of a word from ``at`` on, but not behind ``limit``."""
    if at == 0:
        return 0
    space = re.compile(r"\s").search(text, at - 1, limit)
    return space.end() if space else limit


def _word_end(text: str, at: int, limit: int) -> int:
    """The last end of a word before ``at``, but not before ``limit``."""
    if at == len(text):
        return at
    while at > limit and not text[at].isspace():
        at -= 1
    return at


def _mark(text: str, low: int, high: int, spans: Iterable[tuple[int, int, int]]) -> str:
    parts, at = ["…" if text[:low].strip() else ""], low
    for start, end, _ in spans:
        start = max(start, at)
        if end > start:
            parts += [text[at:start], START, text[start:end], END]
            at = end
    parts += [text[at:high], "…" if text[high:].strip() else ""]
    return "".join(parts).replace(f"{END}{START}", "").strip()


def within(one: str, other: str, distance: int) -> bool:
    """Whether two words are at most ``distance`` insertions, deletions, changes and swaps of neighbours apart
    (Damerau's distance in its restricted form, as Lucene's and tantivy's automata have it)."""
    if abs(len(one) - len(other)) > distance:
        return False
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, against in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > distance:
            return False
        before, last = last, current
    return last[-1] <= distance
