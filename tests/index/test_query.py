"""Reading queries, apart from any index."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.enrich.cues import CLASSES
from pipeline.errors import QueryError
from pipeline.index import Kind, SearchRequest, parse
from pipeline.index.base import Index
from pipeline.index.embedded import EmbeddedIndex
from pipeline.index.fields import ALIASES, CLOSED, DEFAULTS, FIELDS
from pipeline.index.query import And, Boost, Everything, Not, Or, Pattern, Phrase, Wild, Word, positive
from pipeline.records import Status


def word(text: str) -> Word:
    return Word(None, text)


A, B, C, D = (word(text) for text in "abcd")


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("a b", And((A, B))),
        ("a AND b OR c AND d", Or((And((A, B)), And((C, D))))),
        ("a b OR c d", And((A, Or((B, C)), D))),
        ("a OR b c", And((Or((A, B)), C))),
        ("NOT a AND b", And((Not(A), B))),
        ("NOT (a AND b)", Not(And((A, B)))),
        ("a AND (b OR NOT c)", And((A, Or((B, Not(C)))))),
        ("+a OR b OR c", And((A,), (B, C))),
        ("a OR b OR -c", And((Or((A, B)), Not(C)))),
        ("+a -b OR c", And((A, And((C, Not(B)))))),
        ("(a b)^2", Boost(And((A, B)), 2.0)),
        ('"a b"~2^3', Boost(Phrase(None, "a b", 2), 3.0)),
        ("ab*c?", Pattern(None, ("ab", Wild.ANY, "c", Wild.ONE))),
        ("ab**", Pattern(None, ("ab", Wild.ANY))),
        (r"a\*b", word("a*b")),
        (r"\"a", word('"a')),
        (r"\(a\)", word("(a)")),
        (r"\AND", word("AND")),
        ("a && !b || c", Or((And((A, Not(B))), C))),
        ("a&&b", word("a&&b")),
        ("*:* -a", And((Everything(), Not(A)))),
        ("a\u3000b", And((A, B))),
    ],
)
def test_a_query_reads_as(query: str, tree: Any) -> None:
    assert parse(query).tree == tree


def test_positions_are_those_of_the_query_as_written() -> None:
    for prefix in ("a && b || ", "!a ", "'tis ", "“a b” ", "a\\:b ", "日本 "):
        with pytest.raises(QueryError) as caught:
            parse(prefix + "titel:x")
        assert caught.value.position == len(prefix)
        assert str(len(prefix) + 1) in str(caught.value)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_field_and_alias_and_default_can_be_asked_for(kind: Kind) -> None:
    for name in (*FIELDS[kind], *ALIASES[kind]):
        parse(f"_exists_:{name}", kind)
    assert all(name in FIELDS[kind] for name, _ in DEFAULTS[kind])
    assert all(name in FIELDS[kind] for name in ALIASES[kind].values())
    assert not set(ALIASES[kind]) & set(FIELDS[kind])


def test_closed_sets_are_those_that_enrichment_and_records_write() -> None:
    assert CLOSED[Kind.CLAIMS]["class"] == CLOSED[Kind.ARTICLES]["cue"] == CLASSES
    assert CLOSED[Kind.ARTICLES]["status"] == CLOSED[Kind.CLAIMS]["status"] == tuple(Status)
    for kind, fields in CLOSED.items():
        for name, values in fields.items():
            for value in values:
                assert parse(f"{name}:{value.upper()}", kind).tree == Word(FIELDS[kind][name], value.upper())


def test_what_a_not_excludes_is_no_positive_part() -> None:
    leaves = list(positive(parse("a AND NOT (b OR c) d^2 +e").tree))
    assert leaves == [A, D, word("e")]


def test_a_query_scores_by_its_words_and_phrases_only() -> None:
    assert parse("a version:1").scores
    assert parse("version:1 OR x~").scores is False
    assert parse("kash* NOT a").scores is False
    assert parse("").scores is False


SIGNS = (
    "a kashmir AND OR NOT ( ) [ ] { } TO \" ~ ^ 2 : title: * ? + - ! && || \\ / published: version: > <= now-1d ' “ é 北 "
    "_exists_: *:* 2026 … -3 . , $ id:"
)
SYNTAX = st.lists(st.sampled_from([*SIGNS.split(), " ", "\n"]), max_size=14)


def error_of(query: str, kind: Kind) -> QueryError | None:
    try:
        parse(query, kind)
    except QueryError as error:
        return error
    return None


@settings(max_examples=600, deadline=None)
@given(SYNTAX.map("".join) | SYNTAX.map(" ".join) | st.text(max_size=40), st.sampled_from(list(Kind)))
def test_whatever_is_typed_is_a_query_or_an_error_with_a_position(query: str, kind: Kind) -> None:
    error = error_of(query, kind)
    if error is not None:
        assert 0 <= error.position <= len(query)
        assert error.reason
        assert error.query == query


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return EmbeddedIndex(tmp_path_factory.mktemp("index"))


def test_whatever_is_a_query_can_be_run(empty: Index) -> None:
    @settings(max_examples=300, deadline=None)
    @given(SYNTAX.map("".join) | SYNTAX.map(" ".join), st.sampled_from(list(Kind)))
    def run(query: str, kind: Kind) -> None:
        if error_of(query, kind) is None:
            assert empty.search(SearchRequest(query=query, kind=kind)).total == 0

    run()


def test_queries_can_be_read_by_several_threads_at_once() -> None:
    query = 'title:(a OR b) AND "c d"~2 NOT e*f published:[2026 TO *]'
    expected = parse(query).tree
    wrong: list[Any] = []

    def read() -> None:
        for _ in range(50):
            try:
                if (found := parse(query).tree) != expected:
                    wrong.append(found)
            except QueryError as error:
                wrong.append(error)

    threads: list[threading.Thread] = [threading.Thread(target=read) for _ in range(4)]
    act: Callable[[threading.Thread], None]
    for act in (threading.Thread.start, threading.Thread.join):
        for thread in threads:
            act(thread)
    assert wrong == []
