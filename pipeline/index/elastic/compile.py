"""From the checked query tree to Elasticsearch's query objects.

Words and phrases are handed over as text, for the server to analyse as it did the documents; patterns and fuzzy words
as the tree has them, folded. Elasticsearch's own parser of query strings is never used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.index.analysis import tidy
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

Query = dict[str, Any]

MAX_NESTING = 28
"""Levels of AND, OR and NOT within each other. Elasticsearch takes 30, and the search itself adds two."""
NOTHING: Query = {"match_none": {}}
EVERYTHING: Query = {"match_all": {}}


def compile_query(parsed: Parsed) -> Query:
    """The query for a checked tree. Raises ValueError where it is nested deeper than Elasticsearch takes."""
    return _node(parsed.tree, parsed.kind, 1.0, 0)


def span(field: Field, low: datetime | int | None, high: datetime | int | None, boost: float = 1.0) -> Query:
    """A half-open range ``[low, high)``."""
    if low is not None and high is not None and not low < high:  # type: ignore[operator]
        return NOTHING
    bounds = {"gte": _bound(low), "lt": _bound(high)}
    return {"range": {field.name: {name: end for name, end in bounds.items() if end is not None} | _boost(boost)}}


def any_of(field: Field, values: Sequence[str]) -> Query:
    """Documents with one of these whole values in a keyword field."""
    return {"terms": {field.name: [_whole(value) for value in values]}}


def _node(node: Node, kind: Kind, boost: float, depth: int) -> Query:
    if depth > MAX_NESTING:
        raise ValueError(f"AND, OR and NOT are nested more than {MAX_NESTING} deep, which Elasticsearch does not take")
    match node:
        case Everything():
            return {"match_all": _boost(boost)}
        case Not(Not(child)):
            return {"bool": {"filter": [_node(child, kind, 1.0, depth + 1)]}}
        case Not(child):
            return {"bool": {"must_not": [_node(child, kind, 1.0, depth + 1)]}}
        case And(children, should):
            inside = depth + 1
            without = [_node(child.child, kind, 1.0, inside) for child in children if isinstance(child, Not)]
            must = [_node(child, kind, 1.0, inside) for child in children if not isinstance(child, Not)]
            body: Query = {"must": must, "must_not": without}
            if should:
                body["should"] = [_node(child, kind, 1.0, inside) for child in should]
            if not must:  # else one of `should` would be required
                body["filter"] = [EVERYTHING]
            return {"bool": {name: part for name, part in body.items() if part} | _boost(boost)}
        case Or(children):
            either = [_node(child, kind, 1.0, depth + 1) for child in children]
            return {"bool": {"should": either, "minimum_should_match": 1} | _boost(boost)}
        case Boost(child, factor):
            return _node(child, kind, boost * factor, depth)
        case Range(field, low, high):
            return span(field, low, high, boost)
        case Exists(field):
            return {"exists": {"field": field.base} | _boost(boost)}
    several = [_leaf(node, field, boost * weight) for field, weight in targets(node.field, kind)]
    return several[0] if len(several) == 1 else {"dis_max": {"queries": several}}


def _leaf(node: Word | Phrase | Pattern | Fuzzy, field: Field, boost: float) -> Query:
    name = field.name
    match node:
        case Word(_, text) if field.type is Type.BOOLEAN:
            return {"term": {name: {"value": text == "true"} | _boost(boost)}}
        case Word(_, text) | Phrase(_, text) if field.type is Type.KEYWORD:
            return {"term": {name: {"value": _whole(text)} | _boost(boost)}}
        case Word(_, text):
            return {"match_phrase": {name: {"query": text} | _boost(boost)}}
        case Phrase(_, text, slop):
            return {"match_phrase": {name: {"query": text, "slop": slop} | _boost(boost)}}
        case Pattern(_, (str(prefix), Wild.ANY)):
            return {"prefix": {_as_written(field): {"value": prefix} | _boost(boost)}}
        case Pattern(_, parts):
            pattern = "".join(part.value if isinstance(part, Wild) else _literal(part) for part in parts)
            return {"wildcard": {_as_written(field): {"value": pattern} | _boost(boost)}}
        case Fuzzy(_, text, 0):
            return {"constant_score": {"filter": {"term": {_as_written(field): text}}} | _boost(boost)}
        case Fuzzy(_, text, distance):
            # By its default Elasticsearch stops at 50 words, silently.
            asked = {"value": text, "fuzziness": distance, "transpositions": True, "rewrite": "constant_score"}
            return {"fuzzy": {_as_written(field): asked | _boost(boost)}}


def _as_written(field: Field) -> str:
    """The dictionary of words that are not stemmed."""
    return f"{field.name}.exact" if field.type is Type.TEXT and field.sub is None else field.name


def _whole(text: str) -> str:
    """A code or whole name as it is indexed, but for what the server's normaliser does."""
    return cut(tidy(text))


def _literal(text: str) -> str:
    return re.sub(r"([\\*?])", r"\\\1", text)


def _bound(value: datetime | int | None) -> str | int | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    return value


def _boost(factor: float) -> Query:
    return {} if factor == 1.0 else {"boost": factor}
