"""A search as an address: what is read from it, what is written, and the query that it means."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import QueryError, RequestError
from pipeline.index import Kind, Sort, parse
from pipeline.index.query import And, Or, Word
from pipeline.web.address import FACETS, MAX_FILTERS, Address, clause

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def read(text: str) -> Address:
    return Address.read(parse_qsl(text, keep_blank_values=True))


def test_an_address_says_what_is_searched() -> None:
    address = read("q=talks&in=claims&class=deny&from=7d&to=2026-11-25&sort=oldest&speaker=Imran+Khan")
    assert address == Address(
        query="talks",
        kind=Kind.CLAIMS,
        filters=(("class", "deny"), ("speaker", "Imran Khan")),
        since="7d",
        until="2026-11-25",
        sort=Sort.OLDEST,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "q=a",
        "q=a+AND+%22b+c%22~3&in=claims&entity=Kashmir&entity=India",
        "q=a&collapse=no",
        "source=R%26D&from=12h&after=x%2By&sort=newest",
    ],
)
def test_what_is_written_is_read_as_the_same_search(text: str) -> None:
    address = read(text)
    assert read(urlsplit(address.url()).query) == address


def test_what_is_as_usual_is_left_out_of_an_address() -> None:
    assert read("q=&in=articles&from=&to=&sort=&after=").url() == "/"
    assert read("q=a&from=").url("/search.json") == "/search.json?q=a"


def test_parameters_that_are_no_search_are_passed_over() -> None:
    assert read("utm_source=x&nonsense=1&q=a") == Address(query="a")


def test_a_filter_is_put_on_and_taken_off_and_leads_to_the_first_page() -> None:
    address = read("q=a&after=cursor").narrowed("source", "Reuters")
    assert (address.filters, address.after) == ((("source", "Reuters"),), "")
    assert address.narrowed("source", "Reuters") == address
    assert address.widened("source", "Reuters").filters == ()


def test_the_same_search_in_the_other_index_keeps_the_filters_that_it_has_too() -> None:
    articles = read("q=a&person=Imran+Khan&cue=deny&source=Reuters&section=Asia")
    claims = articles.turned(Kind.CLAIMS)
    assert claims.filters == (("entity", "Imran Khan"), ("class", "deny"), ("source", "Reuters"))
    assert claims.turned(Kind.ARTICLES).filters == (("entity", "Imran Khan"), ("cue", "deny"), ("source", "Reuters"))


def test_query_and_filters_make_one_query_that_the_command_line_takes() -> None:
    address = read("q=a+OR+b&person=Imran+Khan&language=en&language=fr")
    assert address.composed() == '(a OR b) AND person.keyword:"Imran Khan" AND (language:"en" OR language:"fr")'
    parsed = address.parsed(NOW)
    assert isinstance(parsed.tree, And)
    assert isinstance(parsed.tree.children[0], Or)


def test_of_two_names_both_must_be_there_of_two_languages_either() -> None:
    assert read("person=A1&person=B1").composed() == '(person.keyword:"A1" AND person.keyword:"B1")'
    assert read("language=en&language=fr").composed() == '(language:"en" OR language:"fr")'


@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(lambda text: text.strip())
)
def test_any_value_of_a_facet_is_one_whole_value_in_the_query(value: str) -> None:
    tree = parse(clause(Kind.ARTICLES, "person", value), Kind.ARTICLES).tree
    assert isinstance(tree, Word)
    assert (tree.field and tree.field.name, tree.text) == ("person.keyword", value)


def test_a_fault_is_placed_in_what_the_user_typed_whatever_filters_there_are() -> None:
    with pytest.raises(QueryError) as caught:
        read("q=kashmir+AND&person=Imran+Khan&source=BBC").parsed(NOW)
    assert (caught.value.query, caught.value.position) == ("kashmir AND", 8)


def test_brackets_in_a_query_cannot_break_out_of_their_place() -> None:
    with pytest.raises(QueryError):
        read("q=a)+OR+(b&source=BBC").parsed(NOW)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("in=everything", "in"),
        ("sort=random", "sort"),
        ("from=yesterday", "since"),
        ("to=32", "until"),
        ("in=claims&class=shout", "filter"),
    ],
)
def test_what_cannot_be_meant_is_named(text: str, part: str) -> None:
    def use() -> None:
        address = read(text)
        address.parsed(NOW)
        address.request(NOW, limit=1)

    with pytest.raises(RequestError) as caught:
        use()
    assert caught.value.part == part


def test_there_is_an_end_to_filters() -> None:
    many = "&".join(f"person=P{n}" for n in range(MAX_FILTERS + 1))
    with pytest.raises(RequestError, match="filters"):
        read(many)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_facet_of_the_page_can_be_filtered_by(kind: Kind) -> None:
    for name in FACETS[kind]:
        value = {
            "class": "deny",
            "cue": "deny",
            "anonymous": "true",
            "kind": "person",
            "form": "direct",
            "status": "killed",
        }
        Address(kind=kind, filters=((name, value.get(name, "X1")),)).parsed(NOW)
