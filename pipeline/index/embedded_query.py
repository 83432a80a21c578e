"""From the checked query tree to tantivy's query objects.

tantivy's own query parser is never used: it was silently wrong on cases such as ``a AND NOT b`` and ``smith*``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from tantivy import FieldType, Occur, Query, Schema

from pipeline.index import analysis
from pipeline.index.base import Kind
from pipeline.index.fields import Field, Type, cut
from pipeline.index.query import (
    And,
    Boost,
    Everything,
    Exists,
    Fuzzy,
    Node,
    Not,
    Or,
    Parsed,
    Pattern,
    Phrase,
    Range,
    Wild,
    Word,
    targets,
)

PRESENT = "_present"
"""The field that holds the names of a document's fields that have a value."""

# tantivy counts nanoseconds in 64 bits: a date beyond these is searched as if it were on the brink. Sorting is exact.
EARLIEST = datetime(1678, 1, 1, tzinfo=UTC)
LATEST = datetime(2262, 1, 1, tzinfo=UTC)


def clamp(moment: datetime) -> datetime:
    """The nearest time that tantivy can hold."""
    return min(max(moment, EARLIEST), LATEST)


def terms(field: Field, text: str) -> list[str]:
    """What a text is in a field's term dictionary."""
    if field.type is Type.TEXT and field.sub is None:
        return analysis.stems(text)
    if field.type in {Type.TEXT, Type.NAME}:
        return analysis.words(text)
    return [cut(analysis.fold(cut(text)))]


class Compiler:
    """Compiles queries for one schema."""

    def __init__(self, schema: Schema, kind: Kind) -> None:
        self.schema, self.kind = schema, kind

    def compile(self, parsed: Parsed) -> Query:
        """The query for a checked tree. Raises ValueError where an automaton would grow too large."""
        return self._node(parsed.tree)

    def span(self, field: Field, low: datetime | int | None, high: datetime | int | None) -> Query:
        """A half-open range ``[low, high)``."""
        kind = FieldType.Date if field.type is Type.DATE else FieldType.Integer
        if isinstance(low, datetime):
            low = clamp(low)
        if isinstance(high, datetime):
            high = clamp(high)
        if low is not None and high is not None and not low < high:  # type: ignore[operator]
            return Query.empty_query()
        return Query.range_query(self.schema, field.name, kind, low, high, True, high is None)

    def present(self, field: Field) -> Query:
        return Query.term_query(self.schema, PRESENT, field.base)

    def any_of(self, field: Field, values: Sequence[str]) -> Query:
        """Documents with one of these whole values in a keyword field."""
        return Query.boolean_query(
            [(Occur.Should, Query.term_query(self.schema, field.name, terms(field, value)[0])) for value in values]
        )

    def _node(self, node: Node) -> Query:
        match node:
            case Everything():
                return Query.all_query()
            case Not(child):
                return _bool([], [], [self._node(child)])
            case And(children, should):
                without = [child.child for child in children if isinstance(child, Not)]
                must = [child for child in children if not isinstance(child, Not)]
                return _bool(*([self._node(child) for child in part] for part in (must, should, without)))
            case Or(children):
                return Query.boolean_query([(Occur.Should, self._node(child)) for child in children])
            case Boost(child, factor):
                return Query.boost_query(self._node(child), factor)
            case Range(field, low, high):
                return self.span(field, low, high)
            case Exists(field):
                return self.present(field)
        several = [
            query if weight == 1.0 else Query.boost_query(query, weight)
            for query, weight in ((self._leaf(node, field), weight) for field, weight in targets(node.field, self.kind))
        ]
        return several[0] if len(several) == 1 else Query.disjunction_max_query(several)

    def _leaf(self, node: Word | Phrase | Pattern | Fuzzy, field: Field) -> Query:
        match node:
            case Word(_, text):
                return self._phrase(field, terms(field, text), 0)
            case Phrase(_, text, slop):
                return self._phrase(field, terms(field, text), slop)
            case Pattern(_, (str(prefix), Wild.ANY)):
                # Not a phrase-prefix query, which stops silently after 50 words; and quicker than a regex's automaton.
                return Query.fuzzy_term_query(self.schema, self._as_written(field), prefix, 0, True, prefix=True)
            case Pattern(_, parts):
                pattern = "".join(
                    {Wild.ANY: ".*", Wild.ONE: "."}[part] if isinstance(part, Wild) else _literal(part)
                    for part in parts
                )
                return Query.regex_query(self.schema, self._as_written(field), pattern)
            case Fuzzy(_, text, distance):
                name = self._as_written(field)
                if distance == 0:
                    return Query.const_score_query(Query.term_query(self.schema, name, text), 1.0)
                return Query.fuzzy_term_query(self.schema, name, text, distance, True)

    def _as_written(self, field: Field) -> str:
        """The dictionary of words that are not stemmed."""
        return f"{field.name}.exact" if field.type is Type.TEXT and field.sub is None else field.name

    def _phrase(self, field: Field, words: list[str], slop: int) -> Query:
        if not words:
            return Query.empty_query()
        if len(words) == 1:
            return Query.term_query(self.schema, field.name, words[0])
        # tantivy's own slop agrees with Lucene's on two different words only (tried against a brute-force search,
        # 2026-11-23): with more, or a word twice, each way to place them is its own phrase.
        if not slop or (len(words) == 2 and words[0] != words[1]):
            return Query.phrase_query(self.schema, field.name, [*words], slop)
        return Query.disjunction_max_query(
            [Query.phrase_query(self.schema, field.name, ways) for ways in _placements(words, slop)]
        )


def _placements(words: list[str], slop: int) -> list[list[str | tuple[int, str]]]:
    """All ways to place the words so that Lucene's distance from the phrase (the spread of each word's shift from its
    place) is at most ``slop``, as (position, word) in order."""
    ways = []
    for shifts in itertools.product(range(slop + 1), repeat=len(words)):
        if min(shifts):
            continue  # the same placement, further on
        places = sorted((at + shift, word) for (at, word), shift in zip(enumerate(words), shifts, strict=True))
        if len({place for place, _ in places}) == len(places):
            first = places[0][0]
            ways.append([(place - first, word) for place, word in places])
    return [list(way) for way in dict.fromkeys(tuple(way) for way in ways)]


def _bool(must: list[Query], should: list[Query], without: list[Query]) -> Query:
    if not must:
        must = [Query.all_query()] if without or not should else []
        must = [Query.boost_query(query, 0.0) for query in must]
    return Query.boolean_query(
        [
            *((Occur.Must, query) for query in must),
            *((Occur.Should, query) for query in should),
            *((Occur.MustNot, query) for query in without),
        ]
    )


def _literal(text: str) -> str:
    """Text within a pattern. Only what has a meaning is escaped: tantivy's syntax refuses any other escape."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)
