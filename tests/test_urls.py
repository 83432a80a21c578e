"""URLs as identities."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.urls import host, is_web, normalise, resolve, same_site


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("HTTPS://News.Example.COM/A/b", "https://news.example.com/A/b"),
        ("http://news.example:80/a", "http://news.example/a"),
        ("https://news.example:443/a", "https://news.example/a"),
        ("https://news.example:8443/a", "https://news.example:8443/a"),
        ("https://news.example", "https://news.example/"),
        ("https://news.example/a#part", "https://news.example/a"),
        ("https://news.example./a", "https://news.example/a"),
        ("https://news.example/a?b=2&a=1", "https://news.example/a?b=2&a=1"),
        ("https://news.example/a?utm_source=x&id=7&fbclid=y", "https://news.example/a?id=7"),
        ("https://news.example/a?UTM_Medium=x", "https://news.example/a"),
        ("https://www.bbc.example/n?at_medium=RSS&at_campaign=KARANGA", "https://www.bbc.example/n"),
        ("https://news.example/a?ref=rss", "https://news.example/a"),
        ("https://news.example/a?ref=chapter-2", "https://news.example/a?ref=chapter-2"),
        ("https://news.example/a?source=42&flag", "https://news.example/a?source=42&flag"),
        ("https://news.example/a?q=a%20b&empty=", "https://news.example/a?q=a%20b&empty="),
        ("https://bücher.example/straße?q=ü", "https://xn--bcher-kva.example/stra%C3%9Fe?q=%C3%BC"),
        ("https://news.example/a b", "https://news.example/a%20b"),
        ("  https://news.example/a\n", "https://news.example/a"),
        ("https://news.example/long\n-path", "https://news.example/long-path"),
        ("http://[2001:DB8::1]:80/a", "http://[2001:db8::1]/a"),
    ],
)
def test_one_page_has_one_identity(url: str, identity: str) -> None:
    assert normalise(url) == identity


@pytest.mark.parametrize("garbage", ["", "no url", "http://[bad", "http://host:port/", "mailto:a@b.example", "///"])
def test_garbage_comes_back_stripped(garbage: str) -> None:
    assert normalise(f"  {garbage} ") == garbage
    assert not is_web(normalise(garbage))


@settings(deadline=None)
@given(
    st.text(max_size=80)
    | st.text(max_size=60).map("https://news.example/".__add__)
    | st.from_regex(r"https?://[a-z.]{1,20}(:\d{1,6})?/\S*")
)
def test_normalising_never_raises_and_twice_is_once(url: str) -> None:
    once = normalise(url)
    assert normalise(once) == once
    host(url), is_web(url), resolve(url, url), same_site(url, url)


def test_a_host_carries_its_port_where_it_is_not_the_schemes_own() -> None:
    assert host("https://News.Example/a") == "news.example"
    assert host("http://news.example:8080/a") == "news.example:8080"
    assert host("https://news.example:443/") == "news.example"
    assert host("no url") == ""


def test_links_resolve_against_the_page_they_stand_on() -> None:
    assert resolve("https://news.example/world/index.html", "../a?b=1") == "https://news.example/a?b=1"
    assert resolve("https://news.example/a", "//cdn.example/x") == "https://cdn.example/x"
    assert resolve("https://news.example/a", " /b\n ") == "https://news.example/b"
    assert resolve("https://news.example/a", "http://[bad") == "http://[bad"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("https://news.bbc.co.uk/a", "http://www.bbc.co.uk/b", True),
        ("https://www.bbc.co.uk", "https://www.itv.co.uk", False),
        ("https://one.blogspot.com", "https://two.blogspot.com", False),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:9000/", True),
        ("http://localhost/", "http://localhost:81/", True),
        ("no url", "no url", False),
    ],
)
def test_a_site_is_a_registered_domain(first: str, second: str, same: bool) -> None:
    assert same_site(first, second) is same
