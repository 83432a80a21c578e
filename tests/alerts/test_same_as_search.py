"""The matcher and the search mean the same: by the conformance suite's own queries, and by queries made at random."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.alerts.matcher import Matcher
from pipeline.alerts.rules import Rule
from pipeline.errors import QueryError
from pipeline.index import Index, Kind, SearchRequest, open_index, upkeep_of
from pipeline.index.embedded import EmbeddedIndex
from pipeline.index.query import parse
from pipeline.records import Document
from pipeline.settings import Settings
from tests.conformance.test_index import ARTICLES, CLAIMS, NOW
from tests.conformance.wire import WIRE, claim, document, entity, id_of
from tests.conftest import own_prefix
from tests.support.elastic import ElasticServer

NAMES = {id_of(name): name for name in WIRE}
WRITTEN = [case for case in ARTICLES if case[0].strip()]
WRITTEN_OF_CLAIMS = [case for case in CLAIMS if case[0]]


def rule(query: str, kind: Kind = Kind.ARTICLES, name: str = "rule", **more: object) -> Rule:
    part = "query" if kind is Kind.ARTICLES else "claims"
    return Rule(**({"name": name, part: query} | more))  # type: ignore[arg-type]


def matched(rules: Sequence[Rule], documents: Sequence[Document]) -> dict[str, set[str]]:
    """For each rule's name, ids of the articles that fulfil it, or "id-n" for claims."""
    found: dict[str, set[str]] = {one.name: set() for one in rules}
    for match in Matcher(rules).match(documents, NOW):
        id_ = match.document.article.id
        found[match.rule.name] |= {f"{id_}-{n}" for n in match.claims} if match.rule.claims is not None else {id_}
    return found


def searched(index: Index, query: str, kind: Kind) -> set[str]:
    return {hit.id for hit in index.search(SearchRequest(query=query, kind=kind, limit=10_000, now=NOW)).hits}


@pytest.mark.parametrize(("query", "names"), WRITTEN, ids=[query for query, _ in WRITTEN])
def test_a_rule_of_articles_fires_on_what_the_suite_says(query: str, names: set[str]) -> None:
    found = matched([rule(query)], list(WIRE.values()))["rule"]
    assert {NAMES[id_] for id_ in found} == names


@pytest.mark.parametrize(("query", "names"), WRITTEN_OF_CLAIMS, ids=[query for query, _ in WRITTEN_OF_CLAIMS])
def test_a_rule_of_claims_fires_on_what_the_suite_says(query: str, names: set[str]) -> None:
    found = matched([rule(query, Kind.CLAIMS)], list(WIRE.values()))["rule"]
    assert {f"{NAMES[id_.rpartition('-')[0]]}/{id_.rpartition('-')[2]}" for id_ in found} == names


def test_all_rules_of_the_suite_together_fire_as_each_does_alone() -> None:
    rules = [rule(query, name=f"a{n}") for n, (query, _) in enumerate(WRITTEN)]
    rules += [rule(query, Kind.CLAIMS, name=f"c{n}") for n, (query, _) in enumerate(WRITTEN_OF_CLAIMS)]
    together = matched(rules, list(WIRE.values()))
    for one in rules:
        assert together[one.name] == matched([one], list(WIRE.values()))[one.name]


# -- queries and documents at random

WORDS = [
    "kashmir",
    "kashmri",
    "talks",
    "talk",
    "talking",
    "war",
    "wars",
    "anti-war",
    "U.S.",
    "us",
    "Bozizé",
    "bozize",
    "l'Iran",
    "Iran",
    "India's",
    "India",
    "3.5",
    "北京",
    "大学",
    "x",
    "don't",
    "the",
    "running",
    "runs",
]
AUTHORS = ["Asha Rao", "John O'Brien", "María Núñez", "Rao", "—", "Asha  Rao John"]
SPEAKERS = ["Imran Khan", "A senior official", "officials", "Khan Imran"]


def wire(seed: int, size: int) -> list[Document]:
    dice = random.Random(seed)

    def text(most: int) -> str:
        return " ".join(dice.choice(WORDS) for _ in range(dice.randint(0, most)))

    found = []
    for n in range(size):
        claims = tuple(
            claim(
                text(6) or "x",
                dice.choice([None, ("said", "say", "say"), ("denied", "deny", "deny")]),
                by=dice.choice([None, *SPEAKERS]),
                name=dice.choice([None, "Imran Khan"]),
                anonymous=dice.random() < 0.3,
                negated=dice.random() < 0.3,
                form=dice.choice(["direct", "indirect", "mixed"]),
                entities=tuple(dice.sample(["Kashmir", "India", "United States"], dice.randint(0, 2))),
            )
            for _ in range(dice.randint(0, 3))
        )
        found.append(
            document(
                f"{seed}/{n}",
                text(5),
                text(14),
                claims=tuple(
                    replace(one, speaker=None) if one.speaker and not one.speaker.text else one for one in claims
                ),
                entities=tuple(
                    entity(name, label, geonames=dice.choice([None, 5, 7]))
                    for name, label in dice.sample(
                        [("India", "GPE"), ("Imran Khan", "PERSON"), ("NATO", "ORG")], dice.randint(0, 3)
                    )
                ),
                source=dice.choice(["Reuters", "BBC News", "", "The Hindu"]),
                language=dice.choice(["en", "fr", None]),
                authors=tuple(dice.choice(AUTHORS) for _ in range(dice.randint(0, 4))),
                tags=tuple(dice.sample(["war", "Anti-war rally", "oil"], dice.randint(0, 2))),
                published=dice.choice([None, NOW, NOW.replace(day=20), NOW.replace(year=2025)]),
                version=dice.randint(1, 3),
                baseline=dice.random() < 0.2,
                guid=dice.choice([None, "tag:Oil,2026:77"]),
            )
        )
    return found


DOCUMENTS = wire(20261125, 160)
word = st.sampled_from([*WORDS, "nowhere", "flood"])
number = st.integers(0, 3)
term = st.one_of(
    word,
    st.tuples(word, word).map(lambda pair: f'"{pair[0]} {pair[1]}"'),
    st.tuples(word, word, number).map(lambda three: f'"{three[0]} {three[1]}"~{three[2]}'),
    st.tuples(word, word, word, number).map(lambda four: f'"{four[0]} {four[1]} {four[2]}"~{four[3]}'),
    st.sampled_from(["kash*", "*shmir", "k?shmir", "t*k", "*alk*", "b*z*e", "ru*", "i*", "anti-w*", "?ar", "*京"]),
    st.sampled_from(["kashmri~", "kashmr~2", "wra~1", "talk~1", "khan~0", "tlak~", "kashmir~1"]),
)
ARTICLE_PARTS = [
    "title:{}",
    "body:{}",
    "body.exact:{}",
    "author:{}",
    "author.keyword:{}",
    "tag:{}",
    "source:{}",
    "entity:{}",
    "speaker:{}",
    "person:{}",
]
ARTICLE_FILTERS = [
    "language:en",
    "version:>1",
    "version:[1 TO 2}",
    "published:2026-08",
    "published:[now-3d TO *]",
    "baseline:true",
    "_exists_:author",
    "_exists_:published",
    "geonames:5",
    "geonames:[6 TO *]",
    "cue:deny",
    "claims:>0",
    "country:IN",
    "guid:tag*",
    'guid:"tag:oil,2026:77"',
    'source.keyword:"bbc news"',
    'author:"rao john"~1',
    'author:"rao asha"~2',
    'author:"rao john"',
]
CLAIM_PARTS = ["content:{}", "content.exact:{}", "speaker:{}", "speaker_text:{}", "title:{}", "entity:{}", "source:{}"]
CLAIM_FILTERS = [
    "class:deny",
    "anonymous:true",
    "negated:false",
    "form:direct",
    "_exists_:cue",
    "n:0",
    "named:true",
    "lemma:say",
    "version:2",
    "published:2026-08-22",
    'entity:"india kashmir"~1',
]


def queries(parts: list[str], filters: list[str]) -> st.SearchStrategy[str]:
    leaf = st.one_of(
        term,
        st.tuples(st.sampled_from(parts), term).map(lambda pair: pair[0].format(pair[1])),
        st.sampled_from(filters),
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]} AND {pair[1]})"),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]} OR {pair[1]})"),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]} -{pair[1]})"),
            st.tuples(inner, inner).map(lambda pair: f"(+{pair[0]} OR {pair[1]})"),
            inner.map(lambda one: f"(NOT {one})"),
            inner.map(lambda one: f"{one}^2" if one.startswith("(") else f"({one})^2"),
        ),
        max_leaves=6,
    )


@pytest.fixture(scope="module", params=["embedded", "elasticsearch"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of each kind that holds the random documents."""
    folder = tmp_path_factory.mktemp("index")
    if request.param == "embedded":
        opened: Index = EmbeddedIndex(folder)
        opened.upsert(DOCUMENTS)
        yield opened
        return
    server: ElasticServer = request.getfixturevalue("elasticsearch")
    with own_prefix(server) as prefix:
        chosen = Settings(data=folder, index=server.url, index_prefix=prefix)
        upkeep_of(chosen).init()
        opened = open_index(chosen)
        opened.upsert(DOCUMENTS)
        yield opened
        opened.close()


@pytest.mark.parametrize("kind", [Kind.ARTICLES, Kind.CLAIMS])
def test_a_query_made_at_random_matches_what_a_search_finds(index: Index, kind: Kind) -> None:
    made = queries(ARTICLE_PARTS, ARTICLE_FILTERS) if kind is Kind.ARTICLES else queries(CLAIM_PARTS, CLAIM_FILTERS)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(made, min_size=8, max_size=8))
    def same(written: list[str]) -> None:
        rules = []
        for n, query in enumerate(written):
            try:
                parse(query, kind, now=NOW)
            except QueryError:
                continue
            rules.append(rule(query, kind, f"{n}"))
        found = matched(rules, DOCUMENTS)
        for one in rules:
            query = (one.query or one.claims) or ""
            assert found[one.name] == searched(index, query, kind), query

    same()
