"""What every adapter of the index port must do. Each case names the articles (or claims) that it must find."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.errors import QueryError, RequestError
from pipeline.index import Index, Interval, Kind, SearchRequest, Sort
from pipeline.records import Document, Placement, to_json
from tests.conformance.conftest import Open
from tests.conformance.wire import WIRE, at, claim, document, entity, id_of, newer

NAMES = {id_of(name): name for name in WIRE}
ALL = set(WIRE)
NOW = at("2026-08-22T12:00:00")


def found(index: Index, query: str, kind: Kind = Kind.ARTICLES) -> set[str]:
    """Names of the articles found, or "name/n" for claims."""
    result = index.search(SearchRequest(query=query, kind=kind, limit=100, now=NOW))
    assert result.total == len(result.hits)
    if kind is Kind.ARTICLES:
        return {NAMES[hit.id] for hit in result.hits}
    return {f"{NAMES[hit.record['article']]}/{hit.record['n']}" for hit in result.hits}


ARTICLES: list[tuple[str, set[str]]] = [
    # everything
    ("", ALL),
    ("   ", ALL),
    ("*:*", ALL),
    ("*", ALL),
    # words, in any default field each
    ("kashmir", {"talks", "denial", "brief"}),
    ("KASHMIR", {"talks", "denial", "brief"}),
    ("collapse envoy", {"talks"}),
    ("flood water", set()),
    ("nowhere", set()),
    # stemming, folding, possessives
    ("collapsing", {"talks"}),
    ("deny", {"talks", "denial"}),
    ("run", {"denial"}),
    ("runners", {"rally"}),
    ("bozize", {"bozize"}),
    ("Bozizé", {"bozize"}),
    ("FRANCOIS", {"bozize"}),
    ("India", {"talks", "denial", "court"}),
    ("india's account", {"talks"}),
    ("India’s", {"talks", "denial", "court"}),
    ("iran", {"bozize"}),
    ("l'iran", {"bozize"}),
    ("the", {"talks", "denial", "rally", "court"}),
    # initials, hyphens, numbers, ideographs
    ("US envoy", {"talks"}),
    ("U.S.", {"talks"}),
    ("J.K.", {"rally"}),
    ("jk", {"rally"}),
    ("anti-war", {"rally"}),
    ("antiwar", set()),
    ("war", {"rally"}),
    ("war-anti", set()),
    ("R&D", {"rally"}),
    ("3.5", {"oil"}),
    ("1,080.25", {"oil"}),
    ("1080", set()),
    ("oil.example", {"oil"}),
    ("北京", {"beijing"}),
    ("京北", set()),
    ("大学", {"beijing"}),
    # fields
    ("title:kashmir", {"talks", "brief"}),
    ("TITLE:kashmir", {"talks", "brief"}),
    ("body:kashmir", {"talks", "denial"}),
    ("title:(kashmir OR oil)", {"talks", "brief", "oil"}),
    ("title:(talks -secret)", {"talks"}),
    ("title:(talks body:water)", {"denial"}),
    ("body.exact:talks", {"talks", "denial"}),
    ("body.exact:talk", set()),
    ("title.exact:denies", {"denial"}),
    ("title.exact:deny", set()),
    # names, by word and whole
    ("author:rao", {"talks"}),
    ('author:"asha rao"', {"talks"}),
    ('author:"rao asha"', set()),
    ('author:"rao john"', set()),
    ("author:nunez", {"denial"}),
    ("by:o'brien", {"talks"}),
    ("by:O’Brien", {"talks"}),
    ("author.keyword:rao", set()),
    ('author.keyword:"ASHA RAO"', {"talks"}),
    ("source:bbc", {"denial", "court"}),
    ('source.keyword:"bbc news"', {"denial", "court"}),
    ("source:agence", {"bozize"}),
    ("entity:kashmir", {"talks"}),
    ("entity:thursday", set()),
    ("person:imran", {"denial"}),
    ("org:justice", {"court"}),
    ("place:(india OR london)", {"talks", "denial", "court", "oil"}),
    ("dateline:islamabad", {"talks"}),
    ("agency:reuters", {"talks"}),
    ("section:world", {"talks", "court"}),
    ("tag:oil", {"oil"}),
    ('speaker:"imran khan"', {"denial"}),
    ("speaker:officials", set()),
    # keywords
    ("language:fr", {"bozize"}),
    ("lang:FR", {"bozize"}),
    ("country:in", {"talks", "denial", "court", "rally"}),
    ("country:IN", {"talks", "denial", "court", "rally"}),
    ("cue:deny", {"talks", "denial"}),
    ("body_source:feed", {"brief"}),
    # stories
    ("status:current", ALL - {"talks"}),
    ("status:CORRECTED", {"talks"}),
    ("status_at:2026-08-20", {"talks"}),
    ("story:5707e1e5000000000001", {"talks"}),
    ("origin:reuters", {"talks"}),
    ("carriers:bbc", {"talks"}),
    ("carriers.keyword:the\\ kashmir\\ walla", {"talks"}),
    ("independent_sources:>1", {"talks"}),
    ("versions:3", {"talks"}),
    ("minutes:0 AND origin:*", {"talks"}),
    (f"id:{id_of('oil')}", {"oil"}),
    ('url:"https://wire.example/oil"', {"oil"}),
    ("url:https\\://wire.example/oil", {"oil"}),
    ("url:*oil", {"oil"}),
    ("url:https\\://wire.example/o*", {"oil"}),
    ("url:*wire?example/o*", {"oil"}),
    ("guid:tag\\:oil,2026*", {"oil"}),
    ("author.keyword:*o'b*", {"talks"}),
    ("author.keyword:a—…$\\^|\\{\\}\\[\\]\\(\\)+#&@*", set()),
    ('guid:"tag:oil,2026:77"', {"oil"}),
    # booleans and numbers
    ("baseline:true", {"brief"}),
    ("baseline:false", ALL - {"brief"}),
    ("version:2", {"denial"}),
    ("version:>1", {"denial"}),
    ("version:>=1", ALL),
    ("version:<2", ALL - {"denial"}),
    ("version:[2 TO *]", {"denial"}),
    ("version:[1 TO 2}", ALL - {"denial"}),
    ("version:{1 TO 2]", {"denial"}),
    ("version:{1 TO 2}", set()),
    ("version:(>=1 AND <2)", ALL - {"denial"}),
    ("version:[-3 TO 1]", ALL - {"denial"}),
    ("claims:>1", {"talks", "denial"}),
    ("claims:0", {"bozize", "beijing", "oil", "court", "brief"}),
    ("geonames:2643743", {"oil"}),
    # dates
    ("published:2026-08-20", {"talks", "beijing", "brief"}),
    ("published:2026-08", {"talks", "denial", "bozize", "beijing", "brief"}),
    ("published:2025", {"court"}),
    ("published:[2026-08-20 TO 2026-08-21]", {"talks", "beijing", "brief", "denial"}),
    ("published:[2026-08-20 TO 2026-08-21}", {"talks", "beijing", "brief"}),
    ("published:{2026-08-20 TO *]", {"denial"}),
    ("published:>2026-08-20", {"denial"}),
    ("published:>=2026-08-20", {"talks", "beijing", "brief", "denial"}),
    ("published:<2026", {"court"}),
    ("published:<=2026-07-31", {"court", "oil"}),
    ("published:[2026-08-20T10:00:00Z TO 2026-08-20T10:00:00Z]", {"talks", "beijing", "brief"}),
    ("published:[2026-08-20T10:00:01Z TO *]", {"denial"}),
    ('published:"2026-08-20T15:30:00+05:30"', {"talks", "beijing", "brief"}),
    ("published:2026-08-21T09:30Z", {"denial"}),
    ("published:[now-2d TO now]", {"denial"}),
    ("published:[now-2d/d TO now]", {"talks", "beijing", "brief", "denial"}),
    ("published:[2026-08-19||+1d TO 2026-08-20]", {"talks", "beijing", "brief"}),
    ("time:2026-08-22", {"rally"}),
    ("date:2026-08-22", {"rally"}),
    ("published:[* TO *]", ALL - {"rally"}),
    ("first_seen:2026-08-22", {"rally"}),
    ("indexed:2026-08-20", {"talks"}),
    # phrases
    ('"kashmir talks"', {"talks"}),
    ('"talks kashmir"', set()),
    ('"the talks over kashmir"', {"talks"}),
    ('"talk over kashmir"', {"talks"}),
    ('"talks kashmir"~1', {"talks"}),
    ('"talks kashmir"~2', {"talks"}),
    ('"kashmir talks"~2', {"talks"}),
    ('body:"kashmir talks"~2', set()),
    ('body:"kashmir talks"~3', {"talks"}),
    ('body:"talks months kashmir"~4', {"denial"}),
    ('body:"talks months kashmir"~3', set()),
    ('body:"kashmir months talks"~7', set()),
    ('body:"kashmir months talks"~8', {"denial"}),
    ('"rally rally"', set()),
    ('body:"war war"~4', {"rally"}),
    ('body:"war war"~1', set()),
    ('title:"in brief flood"', {"brief"}),
    ("“kashmir talks”", {"talks"}),
    ('"北京大学"', {"beijing"}),
    ('"said \\"word\\" officials"', set()),
    # wildcards, on words as written
    ("kash*", {"talks", "denial", "brief"}),
    ("KASH*", {"talks", "denial", "brief"}),
    ("bozi*", {"bozize"}),
    ("BOZIZÉ*", {"bozize"}),
    ("k?shmir", {"talks", "denial", "brief"}),
    ("*shmir", {"talks", "denial", "brief"}),
    ("*ngu*", {"bozize"}),
    ("k*l", {"rally"}),
    ("title:coll*", {"talks"}),
    ("title:collapsed*", set()),
    ("author:nu?ez", {"denial"}),
    ("author.keyword:*rao", {"talks"}),
    ("anti-w*", {"rally"}),
    ("author:*", {"talks", "denial", "rally"}),
    ("k\\*shmir", set()),
    # fuzzy
    ("kashmri~", {"talks", "denial", "brief"}),
    ("kasmir~1", {"talks", "denial", "brief"}),
    ("kasmr~1", set()),
    ("kasmr~2", {"talks", "denial", "brief"}),
    ("oli~", {"oil"}),
    ("ol~", set()),
    ("kashmir~0", {"talks", "denial", "brief"}),
    ("person:inram~2", {"denial"}),
    # boosts do not change what is found
    ("kashmir^3", {"talks", "denial", "brief"}),
    ("title:(kashmir^2 OR oil)^0.5", {"talks", "brief", "oil"}),
    ('"kashmir talks"~1^4', {"talks"}),
    # AND, OR, NOT
    ("kashmir AND water", {"denial"}),
    ("kashmir && water", {"denial"}),
    ("kashmir water", {"denial"}),
    ("oil OR water", {"oil", "denial", "court"}),
    ("oil || water", {"oil", "denial", "court"}),
    ("oil OR kashmir AND water", {"oil", "denial"}),
    ("kashmir AND water OR oil", {"oil", "denial"}),
    ("(oil OR kashmir) AND water", {"denial"}),
    ("water oil OR kashmir", {"denial"}),
    ("kashmir AND NOT water", {"talks", "brief"}),
    ("kashmir NOT water", {"talks", "brief"}),
    ("kashmir -water", {"talks", "brief"}),
    ("kashmir !water", {"talks", "brief"}),
    ("kashmir AND !(water OR flood)", {"talks"}),
    ("NOT kashmir", ALL - {"talks", "denial", "brief"}),
    ("-kashmir", ALL - {"talks", "denial", "brief"}),
    ("NOT NOT kashmir", {"talks", "denial", "brief"}),
    ("NOT kashmir NOT india", ALL - {"talks", "denial", "brief", "court"}),
    ("oil OR NOT kashmir", ALL - {"talks", "denial", "brief"}),
    ("+kashmir talks", {"talks", "denial"}),
    ("+kashmir OR talks", {"talks", "denial", "brief"}),
    ("kashmir OR oil OR -water", {"talks", "brief", "oil"}),
    ("NOT (kashmir OR india OR oil)", {"bozize", "rally", "beijing"}),
    ("((kashmir))", {"talks", "denial", "brief"}),
    ("kashmir and water", {"denial"}),  # "and" is a word, and there
    ("kashmir or water", set()),
    # existence
    ("_exists_:author", {"talks", "denial", "rally"}),
    ("NOT _exists_:published", {"rally"}),
    ("_exists_:body", ALL - {"brief"}),
    ("_exists_:baseline", ALL),
    # what analysis leaves nothing of is passed over
    ("kashmir & water", {"denial"}),
    ("kashmir …", {"talks", "denial", "brief"}),
    ("kashmir NOT …", {"talks", "denial", "brief"}),
]

CLAIMS: list[tuple[str, set[str]]] = [
    ("", {"talks/0", "talks/1", "denial/0", "denial/1", "denial/2", "rally/0"}),
    ("kashmir", {"talks/0", "denial/1"}),
    ("talks", {"talks/0", "denial/0", "denial/1", "denial/2"}),
    ("talk AND smith", set()),
    ("smith", {"talks/1"}),
    ("imran talks", {"denial/0"}),
    ("speaker:imran", {"denial/0"}),
    ("by:imran", {"denial/0"}),
    ('speaker.keyword:"mary ann smith"', {"talks/1"}),
    ("speaker:envoy", set()),
    ("speaker_text:envoy", {"talks/1"}),
    ("speaker:officials", {"talks/0"}),
    ("named:true", {"talks/1", "denial/0", "rally/0"}),
    ("anonymous:true", {"denial/1"}),
    ("anonymous:true AND kashmir", {"denial/1"}),
    ("kind:collective", {"talks/0"}),
    ("class:deny", {"talks/1", "denial/0"}),
    ("class:deny AND cue:said", {"denial/0"}),
    # across articles
    ("story:5707e1e5000000000001", {"talks/0", "talks/1"}),
    ("status:corrected", {"talks/0", "talks/1"}),
    ("assertion:a55e7000000000000001", {"talks/0"}),
    ("carriers:walla", {"talks/0"}),
    ("reversal:*", {"talks/1"}),
    (f"reversal:{id_of('denial')}-0", {"talks/1"}),
    ("contradiction:*", set()),
    ("independent_sources:1 AND origin:reuters", {"talks/0", "talks/1"}),
    ("lemma:deny", {"talks/1"}),
    ("cue:denied", {"talks/1"}),
    ("NOT _exists_:cue", {"denial/2"}),
    ("form:direct", {"denial/0", "rally/0"}),
    ("negated:true", {"denial/0"}),
    ("hedge:may", {"denial/2"}),
    ("parent:1", {"denial/2"}),
    ("_exists_:parent", {"denial/2"}),
    ("role:official", {"denial/1"}),
    ("reason:anonymity", {"denial/1"}),
    ("entity:kashmir", {"talks/0", "denial/1"}),
    ("when:2026-08-20", {"talks/0"}),
    ("source:bbc", {"denial/0", "denial/1", "denial/2"}),
    ("title:secret", {"denial/0", "denial/1", "denial/2"}),
    ("published:2026-08-20", {"talks/0", "talks/1"}),
    ("date:2026-08-22", {"rally/0"}),
    (f"article:{id_of('talks')}", {"talks/0", "talks/1"}),
    (f"id:{id_of('talks')}-1", {"talks/1"}),
    ("n:0", {"talks/0", "denial/0", "rally/0"}),
    ('"talks over kashmir"', {"talks/0"}),
    ("content:(war OR collaps*)", {"rally/0", "talks/0"}),
    ("content.exact:talk", set()),
    ("version:2", {"denial/0", "denial/1", "denial/2"}),
    ("kashmir NOT anonymous:true", {"talks/0"}),
]

BAD: list[tuple[str, int, str]] = [
    ("titel:kashmir", 0, "did you mean 'title'"),
    ("kashmir AND autor:rao", 12, "did you mean 'author'"),
    ("anonymous:true", 0, "only claims"),
    ("10:30", 0, "quotation marks"),
    ("_exists_:titel", 9, "did you mean 'title'"),
    ('kashmir "talks', 8, "never closed"),
    ("(kashmir OR (oil)", 0, "never closed"),
    ("kashmir)", 7, "closes nothing"),
    ("published:[2026-08-01 TO 2026-08-02", 10, "never closed"),
    ("(kashmir]", 8, "does not close"),
    ("kashmir AND", 8, "both sides"),
    ("OR kashmir", 0, "both sides"),
    ("kashmir && ", 8, "both sides"),
    ("a OR AND b", 2, "both sides"),
    ("kashmir NOT", 8, "nothing follows"),
    ("title:", 5, "nothing follows"),
    ("()", 1, "nothing between"),
    ("published:yesterday", 10, "not a date"),
    ("kashmir published:2026-13-01", 18, "not a date"),
    ("published:[2026-02-30 TO *]", 11, "not a date"),
    ("published:[2026 2027]", 16, "TO"),
    ("published:now-7x", 10, "not a date"),
    ("version:two", 8, "whole number"),
    ("baseline:maybe", 9, "true or false"),
    ("author:[a TO b]", 7, "ranges"),
    ("[2026 TO 2027]", 0, "needs a field"),
    ("/kash.*/", 0, "regular expressions"),
    ("title:/kash.*/", 6, "regular expressions"),
    ("kashmir~3", 0, "0, 1 or 2"),
    ("published:2026*", 10, "dates"),
    ("*a*", 0, "two letters"),
    ("?", 0, "two letters"),
    ("a?b?c?d?e?f?g?h?i?", 0, "8 wildcards"),
    ('"a b c d e f g h"~9', 0, "loose"),
    ("kashmir\\", 7, "backslash"),
    ("~", 0, "must follow"),
    ("kashmir foo^", 11, "wants a number"),
    ("foo^x", 3, "wants a number"),
    ("foo^2x", 3, "wants a number"),
    ("foo^-1", 3, "wants a number"),
    ("title:(a b)^", 11, "wants a number"),
    ("a—…$^|", 4, "backslash"),
    ('"a b"~x', 5, "wants a number"),
    ('"a b"~', 5, "wants a number"),
    ('"a b"~1.5', 5, "wants a number"),
    ('"a b"~99999999999999', 5, "10,000"),
    ('"a b"~10001', 0, "10,000 moves at most"),
    ("foo~bar", 3, "0, 1, 2 or nothing"),
    ("kashmir~1.5", 0, "0, 1 or 2"),
    ("water NEAR(a b)", 6, "no function NEAR"),
    ("😀 …", 0, "nothing here can be searched"),
    ("-…", 0, "nothing here can be searched"),
    ("kashmir body_source:rss", 20, "page, feed"),
    ("status:deleted", 7, "withdrawn, killed, vanished"),
    ("cue:foo", 4, "deny"),
    ("class:deny", 0, "add --claims"),
    ("published:{now TO 2020}", 10, "ends before it begins"),
    ("published:[2026-08 TO 2026-07]", 10, "ends before it begins"),
    ("version:[3 TO 2]", 8, "ends before it begins"),
]


BAD_OF_CLAIMS: list[tuple[str, int, str]] = [
    ("class:foo", 6, "say, deny, confirm"),
    ("form:x", 5, "direct, indirect, mixed"),
    ('kind:"x"', 5, "person, organisation"),
    ("negated:maybe", 8, "true or false"),
    ("body:x", 0, "leave out --claims"),
]


@pytest.mark.parametrize(("query", "names"), ARTICLES, ids=[query or "empty" for query, _ in ARTICLES])
def test_a_query_finds_these_articles(index: Index, query: str, names: set[str]) -> None:
    assert found(index, query) == names


@pytest.mark.parametrize(("query", "names"), CLAIMS, ids=[query or "empty" for query, _ in CLAIMS])
def test_a_query_finds_these_claims(index: Index, query: str, names: set[str]) -> None:
    assert found(index, query, Kind.CLAIMS) == names


@pytest.mark.parametrize(("query", "position", "reason"), BAD, ids=[query for query, *_ in BAD])
def test_a_bad_query_gets_the_position_and_a_reason(index: Index, query: str, position: int, reason: str) -> None:
    with pytest.raises(QueryError) as caught:
        index.search(SearchRequest(query=query, now=NOW))
    assert caught.value.position == position, caught.value.reason
    assert reason in caught.value.reason


@pytest.mark.parametrize(("query", "position", "reason"), BAD_OF_CLAIMS)
def test_a_bad_query_of_claims_gets_the_position_and_a_reason(
    index: Index, query: str, position: int, reason: str
) -> None:
    with pytest.raises(QueryError) as caught:
        index.search(SearchRequest(query=query, kind=Kind.CLAIMS))
    assert (caught.value.position, reason in caught.value.reason) == (position, True), caught.value.reason
    assert "did you mean" not in caught.value.reason


@pytest.mark.parametrize(
    "query",
    [
        " OR ".join(f"word{n}" for n in range(10_000)),
        " ".join(f"w{n}" for n in range(2_000)),
        "(" * 200 + "kashmir" + ")" * 200,
        "NOT " * 1_000 + "kashmir",
        " ".join(f"*ab{n}*" for n in range(100)),
        '"' + "very " * 2_000 + 'long"',
        "kashmir" + "^2" * 1_000,
    ],
    ids=[
        "10,000 clauses",
        "2,000 words",
        "200 deep",
        "1,000 signs",
        "100 wildcards",
        "2,000 words in a phrase",
        "boosts",
    ],
)
def test_a_query_that_is_too_dear_is_refused(index: Index, query: str) -> None:
    with pytest.raises(QueryError):
        index.search(SearchRequest(query=query))


def test_a_query_just_within_the_limits_is_answered(index: Index) -> None:
    assert found(index, " OR ".join([f"word{n}" for n in range(1_000)] + ["flood"])) == {"brief"}
    assert found(index, "(" * 60 + "flood" + ")" * 60) == {"brief"}


def test_a_lower_case_operator_is_a_word_and_hinted_at(index: Index) -> None:
    result = index.search(SearchRequest(query="kashmir or water"))
    assert any("OR" in hint for hint in result.hints)


# -- order and pages


def names_in_order(index: Index, **asked: object) -> list[str]:
    return [NAMES[hit.id] for hit in index.search(SearchRequest(**asked)).hits]  # type: ignore[arg-type]


def test_a_word_in_the_title_outranks_one_in_the_body(index: Index) -> None:
    assert names_in_order(index, query="kashmir")[-1] == "denial"


def test_a_boost_moves_its_word_up(index: Index) -> None:
    assert names_in_order(index, query="oil OR water")[0] == "oil"
    assert names_in_order(index, query="oil OR water^20")[-1] == "oil"


def test_articles_without_a_published_date_sort_by_when_they_were_first_seen(index: Index) -> None:
    newest = names_in_order(index, sort=Sort.NEWEST)
    assert newest[:2] == ["rally", "denial"]
    assert newest[-3:] == ["bozize", "oil", "court"]
    same_second = sorted(["talks", "beijing", "brief"], key=id_of)
    assert newest[2:5] == same_second[::-1]
    assert names_in_order(index, sort=Sort.OLDEST) == newest[::-1]


def test_a_query_that_scores_nothing_is_sorted_newest_first(index: Index) -> None:
    newest = names_in_order(index, sort=Sort.NEWEST)
    assert names_in_order(index) == newest
    assert names_in_order(index, query="version:>=1 NOT baseline:true") == [name for name in newest if name != "brief"]


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("kind", list(Kind))
def test_pages_by_cursor_and_by_offset_give_all_hits_once_in_one_order(index: Index, sort: Sort, kind: Kind) -> None:
    query = "kashmir OR talks OR oil OR war OR india OR 北京"
    whole = [hit.id for hit in index.search(SearchRequest(query=query, kind=kind, sort=sort, limit=100)).hits]
    by_offset = [
        hit.id
        for offset in range(0, len(whole) + 2, 2)
        for hit in index.search(SearchRequest(query=query, kind=kind, sort=sort, limit=2, offset=offset)).hits
    ]
    by_cursor: list[str] = []
    cursor: str | None = None
    while True:
        page = index.search(SearchRequest(query=query, kind=kind, sort=sort, limit=2, after=cursor))
        assert page.total == len(whole)
        by_cursor += [hit.id for hit in page.hits]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(set(whole)) == len(whole) > 4
    assert by_offset == by_cursor == whole


def test_a_collapsed_search_gives_one_hit_a_story_and_counts_all(index: Index) -> None:
    every = index.search(SearchRequest(query="talks", sort=Sort.OLDEST, facets=("source",)))
    folded = index.search(SearchRequest(query="talks", sort=Sort.OLDEST, facets=("source",), collapse=True))
    assert (folded.total, folded.facets) == (every.total, every.facets)
    assert not any(hit.folded for hit in every.hits)
    assert sum(1 + hit.folded for hit in folded.hits) == every.total


def told(name: str, story: str, hour: int) -> Document:
    placed = Placement(story=story) if story else None
    return document(name, "A flood", "The river rose.", published=at(f"2026-08-20T{hour:02}:00:00"), placement=placed)


@pytest.mark.parametrize("query", ["", "flood"], ids=["by time", "by score"])
def test_a_collapsed_search_is_paged_and_what_has_no_story_stands_by_itself(reopen: Open, query: str) -> None:
    index = reopen()
    index.upsert([told("lone", "", 1), told("alone", "", 2), *(told(f"a-{n}", "5a", 3 + n) for n in range(8))])
    index.upsert([told(f"b-{n}", "5b", 12 + n) for n in range(3)])
    whole = index.search(SearchRequest(query=query, limit=50)).hits
    stories = {hit.id: hit.record["placement"]["story"] or hit.id for hit in whole}
    firsts = list({stories[hit.id]: hit.id for hit in reversed(whole)}.values())
    expected = [hit.id for hit in whole if hit.id in firsts]
    seen, folded, cursor = [], {}, None
    while True:
        page = index.search(SearchRequest(query=query, limit=1, after=cursor, collapse=True))
        assert page.total == 13
        seen += [hit.id for hit in page.hits]
        folded |= {stories[hit.id]: hit.folded for hit in page.hits}
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == expected
    assert folded == {"5a": 7, "5b": 2, id_of("lone"): 0, id_of("alone"): 0}
    assert index.search(SearchRequest(query=query, limit=0, collapse=True)).total == 13


def test_a_collapsed_search_of_claims_gives_one_hit_an_assertion(index: Index) -> None:
    every = index.search(SearchRequest(kind=Kind.CLAIMS, limit=50))
    folded = index.search(SearchRequest(kind=Kind.CLAIMS, limit=50, collapse=True))
    said = [hit.record.get("assertion") or hit.id for hit in every.hits]
    assert [hit.record.get("assertion") or hit.id for hit in folded.hits] == list(dict.fromkeys(said))


def test_a_cursor_of_a_collapsed_search_is_of_no_use_to_another(index: Index) -> None:
    cursor = index.search(SearchRequest(query="kashmir OR oil", limit=1, collapse=True)).next_cursor
    with pytest.raises(RequestError, match="belongs to another search"):
        index.search(SearchRequest(query="kashmir OR oil", limit=1, after=cursor))


def test_equal_scores_are_in_order_of_id_whatever_the_order_of_arrival(reopen: Open) -> None:
    index = reopen()
    same = [document(f"same-{n}", "Alike", "One text for all of them.") for n in range(12)]
    for part in (same[8:], same[:4], same[4:8]):
        index.upsert(part)
    hits = [
        hit.id
        for offset in range(0, 12, 5)
        for hit in index.search(SearchRequest(query="alike", limit=5, offset=offset)).hits
    ]
    assert hits == sorted(item.article.id for item in same)


def test_pages_go_on_past_ten_thousand(reopen: Open) -> None:
    index = reopen()
    start = at("2026-01-01T00:00:00")
    crowd = [document(f"crowd-{n}", "Crowd", "", published=start + timedelta(seconds=n // 7)) for n in range(10_500)]
    index.upsert(crowd)
    expected = [item.article.id for item in sorted(crowd, key=lambda item: (item.article.published, item.article.id))]
    got: list[str] = []
    cursor: str | None = None
    while True:
        page = index.search(SearchRequest(query="crowd", sort=Sort.OLDEST, limit=3_000, after=cursor))
        got += [hit.id for hit in page.hits]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert got == expected


def test_a_page_does_not_shift_when_newer_articles_come_in_between(reopen: Open) -> None:
    index = reopen()
    first = [document(f"n-{n}", "News", "", published=at(f"2026-08-0{n + 1}T00:00:00")) for n in range(6)]
    index.upsert(first)
    page = index.search(SearchRequest(sort=Sort.NEWEST, limit=3))
    index.upsert([document("late", "News", "", published=at("2026-08-09T00:00:00"))])
    rest = index.search(SearchRequest(sort=Sort.NEWEST, limit=10, after=page.next_cursor))
    assert [hit.id for hit in (*page.hits, *rest.hits)] == [item.article.id for item in first[::-1]]


def test_a_cursor_of_another_search_is_refused_and_times_may_move_on(index: Index) -> None:
    for first in (
        SearchRequest(query="kashmir", limit=1),
        SearchRequest(limit=1),
        SearchRequest(sort=Sort.OLDEST, limit=1),
    ):
        cursor = index.search(first).next_cursor
        assert cursor is not None
        assert index.search(replace(first, after=cursor, since=at("2000-01-01T00:00:00"))).hits
        for other in (
            replace(first, query="oil OR india"),
            replace(first, kind=Kind.CLAIMS),
            replace(first, sources=("Reuters",)),
            replace(first, sort=Sort.NEWEST),
        ):
            with pytest.raises(RequestError, match="another search") as caught:
                index.search(replace(other, after=cursor))
            assert caught.value.part == "after"
    for nonsense in ("nonsense", "score:1", "time:2026", "score:-1"):
        with pytest.raises(RequestError, match="no cursor"):
            index.search(SearchRequest(after=nonsense))


def test_the_last_day_there_is_can_be_asked_for(index: Index) -> None:
    assert found(index, "published:[2026-08-22 TO 9999-12-31]") == found(index, "published:>=2026-08-22")
    assert found(index, "published:9999") == set()


def test_wildcards_in_a_phrase_are_passed_over_with_a_hint(index: Index) -> None:
    assert "no wildcard" in index.search(SearchRequest(query='"kash* b"')).hints[0]
    assert "no wildcard" in index.search(SearchRequest(query='"k?shmir b"')).hints[0]
    assert index.search(SearchRequest(query='"who is it?"')).hints == ()
    assert "~5" in index.search(SearchRequest(query="kashmir NEAR talks")).hints[0]


def test_a_cursor_of_another_order_and_limits_out_of_bounds_are_refused(index: Index) -> None:
    cursor = index.search(SearchRequest(sort=Sort.NEWEST, limit=1)).next_cursor
    for bad in (
        SearchRequest(query="kashmir", after=cursor),
        SearchRequest(after="nonsense"),
        SearchRequest(limit=-1),
        SearchRequest(limit=1_000_000),
        SearchRequest(offset=-1),
        SearchRequest(facets=("title",)),
        SearchRequest(facets=("speling",)),
    ):
        with pytest.raises(QueryError):
            index.search(bad)


@pytest.mark.parametrize("sort", list(Sort))
def test_an_offset_beyond_the_last_hit_gives_an_empty_page(index: Index, sort: Sort) -> None:
    for offset in (3, 10**9):
        result = index.search(SearchRequest(query="kashmir", sort=sort, offset=offset))
        assert (result.total, result.hits, result.next_cursor) == (3, (), None)


def test_a_limit_of_nought_only_counts(index: Index) -> None:
    result = index.search(SearchRequest(query="kashmir", limit=0, facets=("source",)))
    assert (result.total, result.hits, result.next_cursor) == (3, (), None)
    assert result.facets["source"]


# -- filters


def test_since_is_inclusive_until_exclusive_and_both_fall_back_to_first_seen(index: Index) -> None:
    def between(since: str | None, until: str | None) -> set[str]:
        request = SearchRequest(since=at(since) if since else None, until=at(until) if until else None, limit=50)
        return {NAMES[hit.id] for hit in index.search(request).hits}

    assert between("2026-08-20T10:00:00", "2026-08-21T09:30:00") == {"talks", "beijing", "brief"}
    assert between("2026-08-21T09:30:00", None) == {"denial", "rally"}
    assert between(None, "2026-01-01T00:00:00") == {"court"}
    with pytest.raises(RequestError, match="is not before") as caught:
        between("2026-08-21T00:00:00", "2026-08-20T00:00:00")
    assert caught.value.part == "since"


def test_sources_are_whole_names_without_case(index: Index) -> None:
    def by(*sources: str) -> set[str]:
        return {NAMES[hit.id] for hit in index.search(SearchRequest(sources=sources, limit=50)).hits}

    assert by("BBC News") == by("bbc news") == {"denial", "court"}
    assert by("bbc") == set()
    assert by("BBC News", "The Hindu") == {"denial", "court", "rally", "brief"}


def test_filters_do_not_change_scores(index: Index) -> None:
    plain = {hit.id: hit.score for hit in index.search(SearchRequest(query="kashmir")).hits}
    filtered = index.search(SearchRequest(query="kashmir", sources=("Reuters",), since=at("2020-01-01T00:00:00")))
    assert filtered.hits
    for hit in filtered.hits:
        assert hit.score == pytest.approx(plain[hit.id])


# -- facets and histogram


def test_facets_count_the_hits_by_value_as_written(index: Index) -> None:
    result = index.search(SearchRequest(facets=("source", "entity", "language", "author", "baseline", "country")))
    assert result.facets["source"] == (
        ("BBC News", 2),
        ("Reuters", 2),
        ("The Hindu", 2),
        ("Agence France-Presse", 1),
        ("新华社", 1),
    )
    assert result.facets["entity"][0] == ("India", 3)
    assert ("Thursday", 1) not in result.facets["entity"]
    assert result.facets["language"] == (("en", 6), ("fr", 1), ("zh", 1))
    assert ("María Núñez", 1) in result.facets["author"]
    assert result.facets["baseline"] == (("false", 7), ("true", 1))
    assert result.facets["country"][0] == ("IN", 4)


def test_facets_follow_the_query_and_are_cut_to_their_size(index: Index) -> None:
    result = index.search(SearchRequest(query="kashmir", facets=("source",), facet_size=2))
    assert result.facets["source"] == (("BBC News", 1), ("Reuters", 1))


def test_claims_have_facets_of_their_own(index: Index) -> None:
    result = index.search(
        SearchRequest(kind=Kind.CLAIMS, facets=("speaker", "class", "kind", "form", "anonymous", "source", "entity"))
    )
    assert result.facets["speaker"][0] == ("A senior official", 2)
    assert result.facets["class"] == (("say", 3), ("deny", 2))
    assert result.facets["form"] == (("indirect", 4), ("direct", 2))
    assert result.facets["anonymous"] == (("false", 5), ("true", 1))
    assert result.facets["entity"] == (("Kashmir", 2), ("India", 1))


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval.MONTH, [("2025-12-01T00", 1), ("2026-07-01T00", 1), ("2026-08-01T00", 6)]),
        (
            Interval.DAY,
            [
                ("2025-12-31T00", 1),
                ("2026-07-31T00", 1),
                ("2026-08-19T00", 1),
                ("2026-08-20T00", 3),
                ("2026-08-21T00", 1),
                ("2026-08-22T00", 1),
            ],
        ),
        (
            Interval.HOUR,
            [
                ("2025-12-31T12", 1),
                ("2026-07-31T23", 1),
                ("2026-08-19T23", 1),
                ("2026-08-20T10", 3),
                ("2026-08-21T09", 1),
                ("2026-08-22T08", 1),
            ],
        ),
    ],
)
def test_a_histogram_counts_by_time_where_there_is_anything(
    index: Index, interval: Interval, expected: list[tuple[str, int]]
) -> None:
    result = index.search(SearchRequest(histogram=interval))
    assert [(f"{start:%Y-%m-%dT%H}", number) for start, number in result.histogram] == expected
    assert all(start.tzinfo is UTC for start, _ in result.histogram)


def test_a_histogram_bears_dates_from_all_of_time(reopen: Open) -> None:
    index = reopen()
    years = (1, 1066, 1969, 2026, 9999)
    index.upsert([document(f"y-{year}", "Year", "", published=datetime(year, 6, 1, tzinfo=UTC)) for year in years])
    result = index.search(SearchRequest(query="year", sort=Sort.OLDEST, histogram=Interval.HOUR))
    assert [hit.record["article"]["published"][:4] for hit in result.hits] == [f"{year:04d}" for year in years]
    assert sum(number for _, number in result.histogram) == 5


# -- highlights


def marked(index: Index, query: str, kind: Kind = Kind.ARTICLES) -> dict[str, dict[str, tuple[str, ...]]]:
    result = index.search(SearchRequest(query=query, kind=kind, highlight=True, limit=50))
    names = {hit.id: NAMES[hit.id if kind is Kind.ARTICLES else hit.record["article"]] for hit in result.hits}
    return {
        names[hit.id]: {
            name: tuple(text.replace("\x02", "[").replace("\x03", "]") for text in texts)
            for name, texts in hit.highlights.items()
        }
        for hit in result.hits
    }


def test_highlights_mark_stems_in_title_and_body(index: Index) -> None:
    shown = marked(index, "collapsing")["talks"]
    assert shown["title"] == ("Kashmir talks [collapse]",)
    assert "had [collapsed]." in shown["body"][0]


def test_highlights_mark_accents_and_possessives_as_written(index: Index) -> None:
    assert marked(index, "bozize")["bozize"]["title"] == ("François [Bozizé] rentre à Bangui",)
    assert "[India’s] account" in marked(index, "india")["talks"]["body"][0]
    assert "[U.S]. envoy" in marked(index, "us")["talks"]["body"][0]


def test_highlights_mark_a_phrase_whole_and_only_there(index: Index) -> None:
    shown = marked(index, '"talks over kashmir"')["talks"]
    assert "title" not in shown
    assert "the [talks over Kashmir] had" in shown["body"][0]


def test_highlights_mark_the_words_of_a_loose_phrase(index: Index) -> None:
    shown = marked(index, 'body:"talks months kashmir"~4')["denial"]["body"]
    assert any("[talks] were running for [months] over [Kashmir]" in text for text in shown)


def test_highlights_mark_patterns_and_near_words(index: Index) -> None:
    assert marked(index, "*shmir")["brief"]["title"] == ("In brief: flood in [Kashmir]",)
    assert marked(index, "kashmri~")["brief"]["title"] == ("In brief: flood in [Kashmir]",)


def test_highlights_leave_out_what_was_excluded_or_sought_in_another_field(index: Index) -> None:
    assert marked(index, "title:kashmir NOT flood")["talks"] == {"title": ("[Kashmir] talks collapse",)}
    assert marked(index, "source:reuters")["talks"] == {}


def test_highlights_of_claims_mark_content_and_speaker(index: Index) -> None:
    shown = marked(index, "imran talks", Kind.CLAIMS)["denial"]
    assert shown["content"] == ("There were no [talks]",)
    assert shown["speaker"] == ("[Imran] Khan",)


def test_fragments_are_cut_at_words_near_their_matches(reopen: Open) -> None:
    index = reopen()
    filler = "Nothing of note was said that day by any of those present in the hall. " * 40
    index.upsert([document("long", "Long", filler + "At last the needle was found. " + filler)])
    (fragment,) = index.search(SearchRequest(query="needle", highlight=True)).hits[0].highlights["body"]
    assert "the \x02needle\x03 was found" in fragment
    assert len(fragment) < 200
    assert fragment.startswith("…")
    assert fragment.endswith("…")
    words = set((filler + "At last the needle was found.").split())
    assert set(fragment.strip("…").replace("\x02", "").replace("\x03", "").split()) <= words


def test_ideographs_are_marked_together(index: Index) -> None:
    assert marked(index, "北京")["beijing"]["title"] == ("[北京]大学今天宣布",)


# -- records


def test_a_document_comes_back_exactly(index: Index) -> None:
    for name, whole in WIRE.items():
        assert index.get(id_of(name)) == whole


def test_a_hit_carries_the_record(index: Index) -> None:
    (hit,) = index.search(SearchRequest(query="flood")).hits
    assert hit.record == json.loads(to_json(WIRE["brief"]))
    (hit,) = index.search(SearchRequest(query="reason:anonymity", kind=Kind.CLAIMS)).hits
    assert hit.record["claim"] == json.loads(to_json(WIRE["denial"].enriched.claims[1]))
    assert hit.record["source"] == "BBC News"
    assert hit.record["published"] == "2026-08-21T09:30:00Z"


def test_an_article_is_had_by_the_beginning_of_its_id(index: Index) -> None:
    whole = id_of("oil")
    assert index.get(whole[:6]) == WIRE["oil"]
    assert index.get(whole[:5]) is None
    assert index.find(whole[:3], 50) == tuple(sorted(id_ for id_ in NAMES if id_.startswith(whole[:3])))
    assert index.get("0" * 20) is None
    assert index.get("") is None
    assert index.get("no such/id*") is None


def test_ids_and_counts_are_of_what_is_there(index: Index) -> None:
    assert list(index.ids()) == sorted(NAMES)
    assert index.count(Kind.ARTICLES) == len(WIRE)
    assert index.count(Kind.CLAIMS) == 6
    assert index.check() == []


# -- writing


def test_an_empty_index_answers(reopen: Open) -> None:
    index = reopen()
    assert index.search(SearchRequest(query="kashmir", facets=("source",), histogram=Interval.DAY)).total == 0
    assert (list(index.ids()), index.count(Kind.CLAIMS), index.check()) == ([], 0, [])
    index.upsert([])
    index.delete([])
    index.delete(["unknown"])


def test_what_was_upserted_is_there_when_opened_again(reopen: Open) -> None:
    index = reopen()
    index.upsert([WIRE["talks"]])
    assert reopen().get(id_of("talks")) == WIRE["talks"]
    index.close()
    assert found(reopen(), "kashmir", Kind.CLAIMS) == {"talks/0"}


def test_another_reader_sees_an_upsert_at_once(reopen: Open) -> None:
    writer, reader = reopen(), reopen()
    assert reader.count(Kind.ARTICLES) == 0
    writer.upsert([WIRE["talks"]])
    assert found(reader, "kashmir") == {"talks"}
    writer.delete([id_of("talks")])
    assert found(reader, "kashmir") == set()


def test_doing_it_twice_changes_nothing(reopen: Open) -> None:
    index = reopen()
    for _ in range(2):
        index.upsert(list(WIRE.values()))
    assert (index.count(Kind.ARTICLES), index.count(Kind.CLAIMS)) == (len(WIRE), 6)
    assert found(index, "kashmir") == {"talks", "denial", "brief"}


def test_an_upsert_replaces_the_article_and_its_claims(reopen: Open) -> None:
    index = reopen()
    index.upsert([WIRE["talks"], WIRE["denial"]])
    shorter = newer(document("talks", "Accord reached", "All is well.", claims=(claim("all is well", None),)), 2)
    index.upsert([shorter])
    assert found(index, "kashmir") == {"denial"}
    assert found(index, "accord") == {"talks"}
    assert found(index, "", Kind.CLAIMS) == {"talks/0", "denial/0", "denial/1", "denial/2"}
    assert index.get(id_of("talks")) == shorter
    bare = newer(document("talks", "Accord reached", "No one says a thing."), 3)
    index.upsert([bare])
    assert found(index, "", Kind.CLAIMS) == {"denial/0", "denial/1", "denial/2"}
    assert index.check() == []


def test_an_older_version_never_overtakes_a_newer_one(reopen: Open) -> None:
    index = reopen()
    third = newer(WIRE["talks"], 3, title="Third")
    index.upsert([third])
    index.upsert([newer(WIRE["talks"], 2, title="Second"), WIRE["denial"]])
    assert index.get(id_of("talks")) == third
    assert index.get(id_of("denial")) == WIRE["denial"]
    assert found(index, "", Kind.CLAIMS) == {"talks/0", "talks/1", "denial/0", "denial/1", "denial/2"}
    index.upsert([newer(third, 3, title="Third again")])
    assert found(index, "title:again") == {"talks"}


def test_of_two_versions_in_one_batch_the_higher_counts_and_of_equals_the_later(reopen: Open) -> None:
    index = reopen()
    index.upsert([newer(WIRE["talks"], 2, title="Second"), WIRE["talks"]])
    assert found(index, "title:second") == {"talks"}
    index.upsert([newer(WIRE["denial"], 2, title="First try"), newer(WIRE["denial"], 2, title="Second try")])
    assert found(index, "title:try") == found(index, "title:second title:try") == {"denial"}
    assert index.count(Kind.ARTICLES) == 2


def test_deleting_takes_the_claims_along(reopen: Open) -> None:
    index = reopen()
    index.upsert([WIRE["talks"], WIRE["denial"]])
    index.delete([id_of("talks"), id_of("court"), id_of("talks")])
    assert list(index.ids()) == [id_of("denial")]
    assert found(index, "", Kind.CLAIMS) == {"denial/0", "denial/1", "denial/2"}
    assert index.get(id_of("talks")) is None


def test_clearing_leaves_an_index_that_works(reopen: Open) -> None:
    index = reopen()
    index.upsert(list(WIRE.values()))
    index.clear()
    assert (index.count(Kind.ARTICLES), index.count(Kind.CLAIMS), list(index.ids())) == (0, 0, [])
    index.upsert([WIRE["oil"]])
    assert found(reopen(), "") == {"oil"}


def test_half_a_surrogate_pair_costs_itself_only(reopen: Open) -> None:
    index = reopen()
    index.upsert([document("torn", "Torn \ud83d apart", "Kashmir \udfff here", tags=("a\ud800",)), WIRE["oil"]])
    kept = index.get(id_of("torn"))
    assert kept is not None
    assert (kept.article.title, kept.article.tags) == ("Torn \ufffd apart", ("a\ufffd",))
    assert index.search(SearchRequest(query="kashmir \ud800", highlight=True)).total == 1
    assert index.search(SearchRequest(query="id:\ud800*", sources=("\ud800",))).total == 0
    assert index.get("\ud800" * 6) is None
    index.delete(["\ud800"])


def test_nothing_in_a_text_is_too_long_or_too_odd_to_be_kept(reopen: Open) -> None:
    index = reopen()
    odd = [
        document("word", "W" * 70_000, "x" * 100_000 + " kashmir", authors=("é" * 40_000,), section="s" * 33_000),
        document("book", "Book", "Kashmir and the sea. " * 100_000, tags=tuple(f"t{n}" for n in range(5_000))),
        document(
            "controls", "Nul \x00 and \x02marks\x03", "Kashmir\x00\x1f \u2028 \ufeff zero\u200bwidth", authors=("", " ")
        ),
        document("emoji", "😀 Kashmir 👩‍👩‍👧", "हिन्दी ไทย 한국어 العربية עברית", source=""),
        document("blank", "", ""),
        document(
            "many",
            "Many",
            "Kashmir",
            claims=tuple(claim(f"claim number {n}", ("said", "say", "say"), by="He") for n in range(1_200)),
            entities=tuple(entity(f"Name {n}", "PERSON") for n in range(1_200)),
        ),
    ]
    index.upsert(odd)
    for whole in odd:
        assert index.get(whole.article.id) == whole
    assert index.search(SearchRequest(query="kashmir", highlight=True, facets=("author", "section"))).total == 5
    assert index.search(SearchRequest(query="हिन्दी")).total == 1
    assert index.search(SearchRequest(query="العربية")).total == 1
    assert index.count(Kind.CLAIMS) == 1_200
    many = index.search(SearchRequest(kind=Kind.CLAIMS, sort=Sort.OLDEST, limit=2_000)).hits
    assert [hit.record["n"] for hit in many] == list(range(1_200))
    assert index.check() == []
