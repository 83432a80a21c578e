"""Lists of feeds in and out."""

from __future__ import annotations

import pytest

from pipeline.errors import FeedError
from pipeline.feeds import OpmlFeed, list_opml, read_opml, write_opml
from pipeline.records import Feed, Identity
from tests.feeds.conftest import NOW, sample


def test_nested_outlines_are_read_with_titles_sites_and_categories() -> None:
    assert read_opml(sample("subscriptions.opml")) == [
        OpmlFeed(
            url="https://indus.example/rss.xml",
            title="The Indus Courier",
            site="https://indus.example/",
            categories=("Asia", "Wires"),
        ),
        OpmlFeed(
            url="https://delta.example/feed.json",
            title="Delta Dispatch",
            categories=("Asia", "Climate", "Coast", "Rivers"),
        ),
        OpmlFeed(url="http://harbour.example/rss", title="Harbour Wire"),
    ]


def test_what_is_written_is_read_again() -> None:
    feeds = [
        Feed(id="1", url="https://a.example/?a=1&b=2", added=NOW, title='Say "A" & <B>', site="https://a.example/"),
        Feed(id="2", url="https://b.example/rss", added=NOW, title="Title", source="Outlet\x00"),
        Feed(id="3", url="https://c.example/rss", added=NOW),
    ]
    written = write_opml(feeds)
    assert written == write_opml(feeds)
    assert read_opml(written) == [
        OpmlFeed(url="https://a.example/?a=1&b=2", title='Say "A" & <B>', site="https://a.example/"),
        OpmlFeed(url="https://b.example/rss", title="Outlet", source="Outlet"),
        OpmlFeed(url="https://c.example/rss", title="https://c.example/rss"),
    ]


def test_by_what_a_feeds_entries_are_known_is_kept_and_what_is_no_such_thing_is_named() -> None:
    feed = Feed(id="1", url="https://a.example/rss", added=NOW, title="A", identity=Identity.TITLE)
    written = write_opml([feed])
    assert read_opml(written) == [OpmlFeed(url="https://a.example/rss", title="A", identity=Identity.TITLE)]
    listed = list_opml(written.replace(b'identity="title"', b'identity="smell"'))
    assert listed.feeds == ()
    (skipped,) = listed.skipped
    assert skipped.reason == "its identity 'smell' is none of auto, url, guid, title"


def test_an_empty_list_is_a_list() -> None:
    assert read_opml(write_opml([])) == []


def test_leading_blanks_and_a_byte_order_mark_do_no_harm() -> None:
    body = b"\xef\xbb\xbf\n " + sample("subscriptions.opml")
    assert len(read_opml(body)) == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        b"<opml><body><outline></body></opml>",
        b"<rss version='2.0'/>",
        b"\x00\x01",
        b"<opml>" + b"<outline>" * 5_000 + b"</outline>" * 5_000 + b"</opml>",
    ],
    ids=["empty", "text", "broken", "a feed", "binary", "too deep"],
)
def test_a_broken_list_is_an_error_that_names_the_file(content: bytes) -> None:
    with pytest.raises(FeedError, match=r"^desk\.opml: ") as caught:
        read_opml(content, name="desk.opml")
    assert caught.value.code == "opml"


def test_an_error_in_a_list_names_its_line_once() -> None:
    with pytest.raises(FeedError) as caught:
        read_opml(b"<opml><body>\n<outline></body></opml>", name="desk.opml")
    assert str(caught.value).count("line 2, column") == 1
    assert "<string>" not in str(caught.value)


def test_outlines_that_cannot_be_polled_are_named_with_their_line_and_why() -> None:
    content = b"""<opml version="2.0"><body>
<outline text="Folder"><outline type="rss" text="Good" xmlUrl="https://good.example/rss"/></outline>
<outline text="Disk" xmlUrl="file:///etc/passwd"/>
<outline text="Script" type="rss" xmlUrl="javascript:alert(1)"/>
<outline text="Blank" xmlUrl=" "/>
<outline text="Forgotten" type="rss"/>
<outline text="Again" xmlUrl="https://good.example/rss"/>
</body></opml>"""
    found = list_opml(content)
    assert [feed.title for feed in found.feeds] == ["Good"]
    assert list(found.feeds) == read_opml(content)
    assert [(one.line, one.title, one.url, one.reason) for one in found.skipped] == [
        (3, "Disk", "file:///etc/passwd", "its address is neither http nor https"),
        (4, "Script", "javascript:alert(1)", "its address is neither http nor https"),
        (5, "Blank", "", "it has no address"),
        (6, "Forgotten", "", "it has no address"),
    ]
