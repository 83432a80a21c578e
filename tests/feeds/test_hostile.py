"""Feeds that mean harm: the process stays small, reaches for nothing, and says what is wrong."""

from __future__ import annotations

import threading
import tracemalloc
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import FeedError
from pipeline.feeds import ParsedFeed, parse, read_opml

URL = "https://feeds.example/main"
HEAD = '<rss version="2.0"><channel><title>Wire</title>'
TAIL = "</channel></rss>"


def outcome(body: bytes) -> ParsedFeed | FeedError:
    try:
        return parse(body, url=URL)
    except FeedError as error:
        return error


def bomb(levels: int = 12) -> str:
    entities = ['<!ENTITY a0 "lol">']
    entities += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, levels)]
    return f"<!DOCTYPE rss [\n{chr(10).join(entities)}\n]>"


@pytest.mark.parametrize("before", ["", "<!-- <rss> -->", "\n\n", "<?pi <x ?>"])
def test_nested_entities_do_not_expand(before: str) -> None:
    body = f'<?xml version="1.0"?>{before}{bomb()}{HEAD}<item><title>&a11;</title></item>{TAIL}'.encode()
    tracemalloc.start()
    try:
        feed = outcome(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(feed, ParsedFeed)
    assert "lollol" not in feed.entries[0].title
    assert peak < 50_000_000


def test_one_long_entity_named_often_does_not_expand() -> None:
    names = "&a;" * 100_000
    body = f'<!DOCTYPE rss [<!ENTITY a "{"x" * 100_000}">]>{HEAD}<item><title>{names}</title></item>{TAIL}'
    feed = outcome(body.encode())
    assert isinstance(feed, ParsedFeed)
    assert "xx" not in feed.entries[0].title


def test_short_entities_of_a_feeds_own_are_read() -> None:
    body = f'<!DOCTYPE rss [<!ENTITY name "Indus">]>{HEAD}<item><title>&name; rises</title></item>{TAIL}'
    assert parse(body.encode(), url=URL).entries[0].title == "Indus rises"


@pytest.fixture
def asked() -> list[str]:
    """Fills with what is asked of a server on loopback, whose address stands first."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"stolen")

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seen.append(f"http://127.0.0.1:{server.server_port}")
    yield seen
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "declaration",
    ['<!ENTITY x SYSTEM "{}/e">', '<!ENTITY % x SYSTEM "{}/e"> %x;', '<!ENTITY x SYSTEM "file:///etc/hostname">'],
)
def test_external_entities_are_neither_fetched_nor_read(asked: list[str], declaration: str) -> None:
    doctype = f'<!DOCTYPE rss SYSTEM "{asked[0]}/dtd" [{declaration.format(asked[0])}]>'
    feed = outcome(f"{doctype}{HEAD}<item><title>[&x;]</title></item>{TAIL}".encode())
    opml = f'<?xml version="1.0"?>{doctype.replace("rss", "opml", 1)}<opml><body><outline text="&x;"/></body></opml>'
    with suppress(FeedError):
        assert read_opml(opml.encode()) == []
    assert asked[1:] == []
    assert isinstance(feed, ParsedFeed)
    assert feed.entries[0].title in {"[]", "[&x;]"}


@pytest.mark.parametrize(
    "body",
    [
        "<" * 300_000,
        "<!--" * 100_000,
        "<!DOCTYPE " + '"' * 200_000 + "<" * 100_000,
        "\n" * 300_000 + HEAD + TAIL,
        HEAD + "<" * 300_000,
        HEAD + "<a>" * 100_000,
        HEAD + "<item>" + "<a>" * 50_000 + "</a>" * 50_000 + "</item>" + TAIL,
        HEAD + "<item>" * 100_000,
        HEAD + '<a "' * 50_000,
        HEAD + "<item><author>" + "a." * 150_000 + "</author></item>" + TAIL,
        HEAD + "<item>" + "".join(f"<category>{n}</category>" for n in range(20_000)) + "</item>" + TAIL,
        HEAD + "<item><description><![CDATA[" + "<!--" * 80_000 + "]]></description></item>" + TAIL,
        HEAD + "<item><description><![CDATA[" + "<div>" * 60_000 + "]]></description></item>" + TAIL,
        HEAD + "<item><title>" + "&a" * 150_000 + "</title></item>" + TAIL,
        '{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 200_000,
    ],
    ids=lambda body: f"{body[:12]}…{len(body)}",
)
@pytest.mark.timeout(60)
def test_structures_without_end_are_cut_short(body: str) -> None:
    outcome(body.encode())


FRAGMENTS = st.sampled_from(
    [b"<rss>", b"<rss version='2.0'>", b"<channel>", b"<item>", b"</item>", b"<title>", b"</title>", b"<link>", b"&#x;",
     b"&#xD800;", b"&a;", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<feed xmlns='http://www.w3.org/2005/Atom'>", b"<entry>",
     b"<pubDate>", b"Mon, 99 Xxx 9999", b"<!DOCTYPE", b"[<!ENTITY", b">", b"<?xml encoding='utf-7'?>", b"\xff\xfe", b"\x00",
     b"<content type='xhtml'>", b"<guid>", b"http://[", b"<enclosure url='x'/>", b"{\"items\":[", b"{}", b"]}", b"<svg>",
     b"<media:thumbnail xmlns:media='http://search.yahoo.com/mrss/'>", b"<x:y>", b"<author>", b"<source url='a'>"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(FRAGMENTS | st.binary(max_size=12), max_size=40).map(b"".join))
def test_no_bytes_raise_anything_but_a_feed_error(body: bytes) -> None:
    outcome(body)
    outcome(b"<rss><channel><item>" + body)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "url", "title", "tags", "authors", "name", "content_html", "date_published", "attachments"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(JSON, max_size=4))
def test_no_types_in_a_json_feed_raise_anything_but_a_feed_error(items: list[object]) -> None:
    import json

    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": items, "hubs": items})
    assert isinstance(outcome(body.encode()), ParsedFeed)


@pytest.mark.parametrize(
    "body",
    [
        "<rss version='2.0'><channel><title>Wi\x1b[31mre</title><item><guid>1</guid><title>X \x1b[2J&#27;[1mY\x9d0;z\x07 "
        "&#x202e;\u2066w\u200dw</title><author>Jane &#27;]0;owned&#7;Doe</author><category>re\x1b[0md</category>"
        "<description><![CDATA[<p>One &#27;[2Jtwo\x1b]0;owned\x07</p><p>three &#x202e;four</p>]]></description>"
        "</item></channel></rss>",
        '{"version": "https://jsonfeed.org/version/1.1", "title": "Wi\\u001b[31mre", "items": [{"id": "1", "title": '
        '"X \\u001b[2J\\u001b[1mY\\u009d0;z\\u0007 \\u202e\\u2066w\u200dw\\u009b", "authors": [{"name": '
        '"Jane \\u001b]0;owned\\u0007Doe"}], "tags": ["re\\u001b[0md"], "content_html": '
        '"<p>One &#27;[2Jtwo\\u001b]0;owned\\u0007</p><p>three &#x202e;four</p>"}]}',
    ],
    ids=["rss", "json"],
)
def test_no_field_of_an_entry_holds_what_acts_on_a_terminal(body: str) -> None:
    parsed = parse(body.encode(), url="https://a.example/feed")
    [entry] = parsed.entries
    assert parsed.title == "Wire"
    assert entry.title == "X Y w\u200dw"
    assert entry.authors == ("Jane Doe",)
    assert entry.tags == ("red",)
    assert entry.text == "One two\n\nthree four"
