"""From the checked query tree to a condition on views, with what a document must hold for it to be worth asking.

A :class:`Condition` means exactly what a search for the same query finds (``tests/alerts/test_same_as_search.py`` holds
the two together). Its ``anchors`` are terms of which a document that fulfils it must hold at least one: the matcher
looks rules up by them, so that of ten thousand rules only those are asked that have a chance.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from rapidfuzz.distance import OSA

from pipeline.alerts.view import View
from pipeline.index.base import Kind
from pipeline.index.embedded_query import clamp, terms
from pipeline.index.fields import Field, Type
from pipeline.index.query import (
    And,
    Boost,
    Everything,
    Exists,
    Fuzzy,
    Node,
    Not,
    Or,
    Pattern,
    Phrase,
    Range,
    Wild,
    Word,
    targets,
)

Test = Callable[[View], bool]

Anchor = tuple[str, str]
"""(space, term): a field's name and one of its terms. ``name~3`` is the space of runs of three letters, ``name+`` that
of pairs side by side."""

Weigh = Callable[[Anchor], float]
"""About what share of documents hold an anchor."""

GRAM, PAIR = "~3", "+"


@dataclass(frozen=True, slots=True)
class Condition:
    """A query made ready. ``anchors`` is ``None`` where every document has to be asked."""

    holds: Test
    anchors: frozenset[Anchor] | None


def likely(anchor: Anchor) -> float:
    """A guess at the share of documents that hold an anchor, for want of figures: long words are rare."""
    space, term = anchor
    if space.endswith(GRAM):
        return 0.5
    if space.endswith(PAIR):
        return min(likely((space[: -len(PAIR)], word)) for word in term.split(" ")) / 4
    name = space
    if name in _CODES:
        return 0.4
    share: float = max(0.5 / (1 + len(term)) ** 1.5, 0.002)
    return share if name.partition(".")[0] in {"body", "content"} else share / 4


_CODES = frozenset(
    ["language", "body_source", "baseline", "status", "cue", "named", "anonymous", "kind", "lemma", "class", "form"]
)
"""Fields of few values, each of which many documents have."""


class Conditions:
    """Makes conditions for one kind of index; equal parts of different queries are made once."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._tests: dict[object, Test] = {}

    def make(self, tree: Node, weigh: Weigh = likely) -> Condition:
        best = self._anchors(tree, weigh)
        return Condition(self.test(tree), best[1] if best else None)

    # -- what must hold

    def test(self, node: Node) -> Test:
        known = self._tests.get(node)
        if known is None:
            known = self._tests[node] = self._test(node)
        return known

    def _test(self, node: Node) -> Test:
        match node:
            case Everything():
                return lambda view: True
            case Not(child):
                return _not(self.test(child))
            case And(children):  # `should` only adds to a score
                return _all([self.test(child) for child in children])
            case Or(children):
                return _any([self.test(child) for child in children])
            case Boost(child):
                return self.test(child)
            case Exists(field):
                return _exists(field)
            case Range(field, low, high):
                return _range(field, low, high)
        return _any([self._leaf(node, field) for field, _ in targets(node.field, self.kind)])

    def _leaf(self, node: Word | Phrase | Pattern | Fuzzy, field: Field) -> Test:
        match node:
            case Word(_, text):
                return self._phrase(field, terms(field, text), 0)
            case Phrase(_, text, slop):
                return self._phrase(field, terms(field, text), slop)
            case Pattern(_, parts):
                return self._kept(_pattern(as_written(field), parts))
            case Fuzzy(_, text, distance):
                return self._kept(_fuzzy(as_written(field), text, distance))

    def _phrase(self, field: Field, wanted: list[str], slop: int) -> Test:
        if not wanted:
            return lambda view: False
        if len(wanted) == 1:
            return _holds(field.name, wanted[0])
        return self._kept(_words(field.name, wanted, slop))

    def _kept(self, test: Test) -> Test:
        """The same test, asked once a view."""
        number = next(_NUMBERS)

        def kept(view: View) -> bool:
            verdict = view.verdicts.get(number)
            if verdict is None:
                verdict = view.verdicts[number] = test(view)
            return verdict

        return kept

    # -- where to look it up

    def _anchors(self, node: Node, weigh: Weigh) -> tuple[float, frozenset[Anchor]] | None:
        match node:
            case Boost(child):
                return self._anchors(child, weigh)
            case And(children):
                found = [best for child in children if (best := self._anchors(child, weigh))]
                return min(found, key=lambda best: best[0], default=None)
            case Or(children):
                parts = [self._anchors(child, weigh) for child in children]
                return _together(parts)
            case Word() | Phrase() | Pattern() | Fuzzy():
                return _together([_of_leaf(node, field, weigh) for field, _ in targets(node.field, self.kind)])
        return None


_NUMBERS = itertools.count()
"""Numbers for conditions whose verdicts views keep."""


def as_written(field: Field) -> str:
    """The name of the terms that are not stemmed."""
    return f"{field.name}.exact" if field.type is Type.TEXT and field.sub is None else field.name


def _together(parts: list[tuple[float, frozenset[Anchor]] | None]) -> tuple[float, frozenset[Anchor]] | None:
    """The anchors of one of several: all of theirs, if each has any."""
    if any(part is None for part in parts):
        return None
    return sum(part[0] for part in parts if part), frozenset().union(*(part[1] for part in parts if part))


def _of_leaf(
    node: Word | Phrase | Pattern | Fuzzy, field: Field, weigh: Weigh
) -> tuple[float, frozenset[Anchor]] | None:
    spaces: list[Anchor] = []
    match node:
        case Word(_, text) | Phrase(_, text):
            wanted = terms(field, text)
            if not wanted:
                return 0.0, frozenset()  # never true, so nobody need be asked
            spaces = [(field.name, term) for term in wanted]
            if isinstance(node, Word) or not node.slop:
                spaces += [(field.name + PAIR, f"{one} {other}") for one, other in itertools.pairwise(wanted)]
        case Fuzzy(_, text, 0):
            spaces = [(as_written(field), text)]
        case Pattern(_, parts):
            name = as_written(field) + GRAM
            literals = [part for part in parts if isinstance(part, str)]
            spaces = [(name, part[at : at + 3]) for part in literals for at in range(len(part) - 2)]
    if not spaces:
        return None
    share, anchor = min((weigh(anchor), anchor) for anchor in spaces)
    return share, frozenset({anchor})


def _not(test: Test) -> Test:
    return lambda view: not test(view)


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        one, two = tests
        return lambda view: one(view) and two(view)

    def every(view: View) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs as much as two tests
            if not test(view):
                return False
        return True

    return every


def _any(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        one, two = tests
        return lambda view: one(view) or two(view)

    def some(view: View) -> bool:
        for test in tests:  # noqa: SIM110
            if test(view):
                return True
        return False

    return some


def _exists(field: Field) -> Test:
    name = field.base
    return lambda view: name in view.values


def _holds(name: str, term: str) -> Test:
    return lambda view: term in view.terms(name)


def _range(field: Field, low: datetime | int | None, high: datetime | int | None) -> Test:
    low = clamp(low) if isinstance(low, datetime) else low
    high = clamp(high) if isinstance(high, datetime) else high
    if low is not None and high is not None and not low < high:  # type: ignore[operator]
        return lambda view: False
    name = field.name
    return lambda view: view.within(name, low, high)


def _pattern(name: str, parts: tuple[str | Wild, ...]) -> Test:
    match parts:
        case (str(prefix), Wild.ANY):
            start = "\n" + prefix
            return lambda view: start in view.vocabulary(name)
        case (Wild.ANY, str(suffix)):
            end = suffix + "\n"
            return lambda view: end in view.vocabulary(name)
        case (Wild.ANY, str(middle), Wild.ANY):
            return lambda view: middle in view.vocabulary(name)
    signs = {Wild.ANY: r"[^\n]*", Wild.ONE: r"[^\n]"}
    pattern = re.compile(
        r"\n" + "".join(signs[part] if isinstance(part, Wild) else re.escape(part) for part in parts) + r"(?=\n)"
    )
    return lambda view: pattern.search(view.vocabulary(name)) is not None


def _fuzzy(name: str, text: str, distance: int) -> Test:
    if distance == 0:
        return _holds(name, text)

    def near(view: View) -> bool:
        found = view.terms(name)
        return text in found or any(
            OSA.distance(text, term, score_cutoff=distance) <= distance
            for term in found
            if abs(len(term) - len(text)) <= distance
        )

    return near


def _words(name: str, wanted: list[str], slop: int) -> Test:
    """The words in this order and next to each other, or by Lucene's measure at most ``slop`` moves from that."""
    needed = frozenset(wanted)
    twice = len(needed) < len(wanted)

    def there(view: View) -> bool:
        if not needed <= view.terms(name):
            return False
        places = view.positions(name)
        shifts = [[at - place for at in places[word]] for place, word in enumerate(wanted)]
        if not slop:
            common = set(shifts[0])
            for others in shifts[1:]:
                common.intersection_update(others)
                if not common:
                    return False
            return True
        for least in sorted({shift for one in shifts for shift in one}):
            reach = [_span(one, least, least + slop) for one in shifts]
            if all(reach) and (not twice or _apart(reach, 0, set())):
                return True
        return False

    return there


def _span(ordered: list[int], low: int, high: int) -> list[int]:
    start = bisect_left(ordered, low)
    return ordered[start : bisect_left(ordered, high + 1, start)]


def _apart(reach: list[list[int]], number: int, taken: set[int]) -> bool:
    """Whether each word can have a place of its own; a place is a shift and the word's number."""
    if number == len(reach):
        return True
    for shift in reach[number]:
        place = shift + number
        if place not in taken and _apart(reach, number + 1, taken | {place}):
            return True
    return False
