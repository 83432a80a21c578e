"""What is read out of feeds of every format."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipeline.errors import FeedError
from pipeline.feeds import Entry, ParsedFeed, parse
from tests.feeds.conftest import sample

URL = "https://indus.example/feeds/main.xml"


def rss(items: str, *, channel: str = "", root: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?><rss version="2.0" {root}><channel><title>Wire</title>{channel}{items}</channel></rss>'
    ).encode()


def item(content: str, *, root: str = "") -> Entry:
    (entry,) = parse(rss(f"<item>{content}</item>", root=root), url=URL).entries
    return entry


def test_rss_2_is_read() -> None:
    feed = parse(sample("rss20.xml"), url=URL)
    assert (feed.title, feed.site, feed.language, feed.format) == (
        "The Indus Courier & Post",
        "https://indus.example/",
        "en",
        "rss20",
    )
    assert feed.hub == "https://hub.example/"
    first = feed.entries[0]
    assert first == Entry(
        guid="indus-7",
        url="https://indus.example/news/dam?utm_source=rss&id=7",
        title="Dam gates opened after record rain",
        text="Engineers opened the gates at dawn.\n\n“We had no choice,” the chief engineer said.",
        authors=("Asha Rao", "Imran Qadir"),
        tags=("Weather", "Rivers"),
        published=datetime(2026, 11, 23, 3, 30, tzinfo=UTC),
        language="en",
        image="https://img.example/dam.jpg",
    )


def test_the_links_rules_of_rss_are_followed() -> None:
    _, ferry, permalink, number, broadcast = parse(sample("rss20.xml"), url=URL).entries
    assert ferry.url == "https://indus.example/news/ferry"  # not FeedBurner's
    assert permalink.url == permalink.guid == "https://indus.example/news/permalink"
    assert (number.guid, number.url) == ("12345", None)
    assert broadcast.url == "https://cdn.example/broadcast.mp3"


def test_an_authors_address_is_not_their_name() -> None:
    assert parse(sample("rss20.xml"), url=URL).entries[1].authors == ("Night Desk",)
    assert item("<author>night@desk.news</author>").authors == ()


def test_several_creators_are_several_authors() -> None:
    entry = item(
        "<dc:creator>Rao, Asha</dc:creator><dc:creator>Jon Bell, Mina Park</dc:creator><dc:creator>Rao, Asha</dc:creator>",
        root='xmlns:dc="http://purl.org/dc/elements/1.1/"',
    )
    assert entry.authors == ("Rao, Asha", "Jon Bell", "Mina Park")


def test_rss_0_91_is_read_without_fetching_its_document_type() -> None:
    feed = parse(sample("rss091.xml"), url=URL)
    assert [entry.url for entry in feed.entries] == ["http://harbour.example/1", "http://harbour.example/2"]
    assert feed.entries[0].text == "A tanker ran aground."


def test_rss_1_is_read_with_its_charset_and_its_only_date_as_that_of_publication() -> None:
    feed = parse(sample("rss10.xml"), url=URL)
    assert feed.format == "rss10"
    (entry,) = feed.entries
    assert (entry.title, entry.authors, entry.tags) == ("Sécheresse dans le Midi", ("Chloé Marchand",), ("Climat",))
    assert (entry.published, entry.updated) == (datetime(2026, 11, 22, 17, 5, tzinfo=UTC), None)
    assert entry.guid == entry.url == "http://agence.example/1"
    assert entry.language == "fr"


def test_atom_0_3_is_read() -> None:
    (entry,) = parse(sample("atom03.xml"), url=URL).entries
    assert (entry.guid, entry.url) == ("tag:gazette.example,2004:bridge", "http://gazette.example/bridge")
    assert (entry.text, entry.authors) == ("The council voted.", ("Lena Ortiz",))
    assert entry.published == datetime(2004, 5, 1, 6, 0, tzinfo=UTC)
    assert entry.updated == datetime(2004, 5, 1, 9, 30, tzinfo=UTC)


def test_atom_1_is_read_with_xml_base_and_the_html_alternate() -> None:
    feed = parse(sample("atom10.xml"), url=URL)
    assert (feed.title, feed.site) == ("Atlas — World", "https://atlas.example/world/")
    banks, undated = feed.entries
    assert banks.url == "https://atlas.example/world/banks"
    assert banks.title == "Profit < loss at three banks"
    assert banks.text == "Three banks lost money.\n\nNone said why."
    assert banks.authors == ("Mina Park", "Jon Bell")
    assert banks.tags == ("Business",)
    assert banks.published == datetime(2026, 11, 23, 9, 15, 30, 250_000, tzinfo=UTC)
    assert undated.published is None
    assert undated.updated == datetime(2026, 11, 22, 9, 45, tzinfo=UTC)
    assert (undated.language, undated.source) == ("es", "Otra Agencia")


def test_json_feed_is_read() -> None:
    feed = parse(sample("feed.json"), url=URL)
    assert (feed.title, feed.site, feed.hub, feed.format) == (
        "Delta Dispatch",
        "https://delta.example/",
        "https://hub.example/delta",
        "json",
    )
    mangroves, plain, external = feed.entries
    assert (mangroves.guid, mangroves.url) == ("41", "https://indus.example/stories/41")
    assert mangroves.text == "Rangers planted mangroves.\n\nThey took."
    assert (mangroves.authors, mangroves.tags) == (("Ravi Menon",), ("environment", "coast"))
    assert mangroves.published == datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    assert (plain.url, plain.text) == (plain.guid, "Plain & simple.\n\nTwo paragraphs <here>.")
    assert (external.url, external.authors) == ("https://elsewhere.example/43", ("Delta Staff",))


def test_a_feed_without_entries_is_a_feed() -> None:
    assert parse(rss(""), url=URL).entries == ()
    assert parse(b'{"version": "https://jsonfeed.org/version/1", "items": []}', url=URL).entries == ()


@pytest.mark.parametrize(
    ("channel", "headers", "seconds"),
    [
        ("", [], None),
        ("<ttl>15</ttl>", [], 900),
        ("<ttl>soon</ttl>", [], None),
        ("<ttl>-5</ttl>", [], None),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>", [], 1800),
        ("<sy:updatePeriod>daily</sy:updatePeriod>", [], 86_400),
        ("", [("Cache-Control", "public, max-age=600, must-revalidate")], 600),
        ("", [("Cache-Control", "no-cache"), ("Expires", "Mon, 23 Nov 2026 12:00:00 GMT")], None),
        ("", [("Date", "Mon, 23 Nov 2026 11:50:00 GMT"), ("Expires", "Mon, 23 Nov 2026 12:00:00 GMT")], 600),
        ("", [("Date", "Mon, 23 Nov 2026 11:50:00 GMT"), ("Expires", "0")], None),
        ("<ttl>1</ttl>", [("cache-control", "max-age=600")], 600),
    ],
)
def test_the_longest_wish_for_peace_between_polls_counts(
    channel: str, headers: list[tuple[str, str]], seconds: float | None
) -> None:
    root = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    assert parse(rss("", channel=channel, root=root), url=URL, headers=headers).ttl == seconds


@pytest.mark.parametrize(
    ("content", "image"),
    [
        ('<enclosure url="/a.jpg" type="image/jpeg"/>', "https://indus.example/a.jpg"),
        ('<media:thumbnail url="https://i.example/t.jpg"/>', "https://i.example/t.jpg"),
        (
            '<media:group><media:content url="https://i.example/s.jpg" type="image/jpeg" width="100"/>'
            '<media:content url="https://i.example/l.jpg" type="image/jpeg" width="900"/></media:group>',
            "https://i.example/l.jpg",
        ),
        ('<media:content url="https://i.example/v.mp4" type="video/mp4"/>', None),
        ('<enclosure url="javascript:alert(1)" type="image/jpeg"/>', None),
    ],
)
def test_the_image_is_the_largest_picture_that_the_feed_gives(content: str, image: str | None) -> None:
    assert item(content, root='xmlns:media="http://search.yahoo.com/mrss/"').image == image


def test_text_is_plain_paragraphs_of_the_longer_of_summary_and_content() -> None:
    entry = item(
        "<description>&lt;p&gt;Short.&lt;/p&gt;</description>"
        "<content:encoded><![CDATA[One<br>two &amp; three<ul><li>four</li></ul><style>x{}</style>"
        "<iframe src='x'>no</iframe> <!-- gone --> five]]></content:encoded>",
        root='xmlns:content="http://purl.org/rss/1.0/modules/content/"',
    )
    assert entry.text == "One\n\ntwo & three\n\nfour\n\nfive"


def test_double_escaped_titles_come_out_as_readers_see_them() -> None:
    assert item("<title>Q&amp;amp;A: &lt;i&gt;why&lt;/i&gt;</title>").title == "Q&A: why"
    assert item("<title>2 &lt; 3</title>").title == "2 < 3"


def test_lengths_are_capped_and_a_link_too_long_is_dropped_not_cut() -> None:
    entry = item(
        f"<title>{'word ' * 1000}</title><description>{'word ' * 50_000}</description>"
        f"<link>https://indus.example/{'a' * 5000}</link><guid isPermaLink='false'>{'g' * 9000}</guid>"
    )
    assert len(entry.title) <= 1_000
    assert entry.title.endswith("word")
    assert 90_000 < len(entry.text) <= 100_000
    assert entry.url is None
    assert entry.guid is not None
    assert entry.guid.startswith("digest:")


def test_only_the_first_five_thousand_entries_are_kept() -> None:
    many = "".join(f"<item><guid isPermaLink='false'>{number}</guid></item>" for number in range(6_000))
    entries = parse(rss(many), url=URL).entries
    assert [entries[0].guid, entries[-1].guid, len(entries)] == ["0", "4999", 5_000]
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": str(n)} for n in range(6_000)]}
    assert len(parse(json.dumps(feed).encode(), url=URL).entries) == 5_000


def test_an_unreadable_date_is_none_and_a_foreign_one_is_read() -> None:
    assert item("<pubDate>a week ago</pubDate>").published is None
    french = rss("<item><pubDate>23 février 2026 10:00</pubDate></item>", channel="<language>fr</language>")
    assert parse(french, url=URL).entries[0].published == datetime(2026, 2, 23, 10, 0, tzinfo=UTC)


CYRILLIC = rss("<item><title>Как пережить новогоднюю ночь в большом городе</title></item>").decode()
DECLARED = CYRILLIC.replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="{}"?>')


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (CYRILLIC.encode(), "text/xml"),
        (CYRILLIC.encode(), "text/xml; charset=iso-8859-1"),  # a server's habit; the bytes are UTF-8
        (DECLARED.format("windows-1251").encode(), "text/xml"),  # a template's habit
        (DECLARED.format("windows-1251").encode("windows-1251"), "text/xml"),
        (DECLARED.format("koi8-r").encode("koi8-r"), "application/rss+xml"),
        (DECLARED.format("utf-8").encode("koi8-r"), "text/xml; charset=koi8-r"),
        (DECLARED.format("no-such-charset").encode("windows-1251"), "text/xml; charset=windows-1251"),
        (CYRILLIC.encode("utf-8-sig"), ""),
        (CYRILLIC.encode("utf-16"), "text/xml; charset=utf-8"),
        (CYRILLIC.encode("utf-16-le"), ""),
        (CYRILLIC.encode("utf-16-be"), ""),
        (CYRILLIC.encode("utf-32"), ""),
    ],
)
def test_the_charset_is_found_whatever_is_declared(body: bytes, content_type: str) -> None:
    (entry,) = parse(body, url=URL, headers=[("Content-Type", content_type)]).entries
    assert entry.title == "Как пережить новогоднюю ночь в большом городе"


def test_one_spoilt_byte_does_not_turn_utf8_into_another_charset() -> None:
    body = rss("<item><title>Наводнение в горах \xff продолжается</title></item>").replace("\xff".encode(), b"\xff")
    assert parse(body, url=URL).entries[0].title == "Наводнение в горах \ufffd продолжается"


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf\n\n  " + rss("<item><title>A</title></item>"),
        b"junk from a plugin\n" + rss("<item><title>A</title></item>"),
        rss("<item><title>A</title></item>") + b"<script>tracker()</script> and more",
        rss("<item><title>A\x00\x08</title></item>"),
        rss("<item><title>&#0;A&#xFFFF;&#99999999999;</title></item>"),
        rss("<item><title>A</title><description>fish & chips &nosuch; <br></description></item>"),
        rss("<item><title>A</title>").replace(b"</channel></rss>", b""),
        rss("<item><title>A</title><textinput><name>x</name></item>"),  # feedparser itself stumbles over this
        b"<!-- <rss> -->" + rss("<item><title>A</title></item>"),
        b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://x.example/">'
        + rss("<item><title>A</title></item>"),
    ],
)
def test_a_damaged_feed_gives_what_can_be_read(body: bytes) -> None:
    assert [entry.title for entry in parse(body, url=URL).entries] == ["A"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b" \n\x00\xef\xbb\xbf", "empty"),
        (b"not found", "not-a-feed"),
        (b"<!DOCTYPE html><html><head><title>Login</title></head><body><p>Hi</body></html>", "not-a-feed"),
        (b"<html><body><item><title>x</title></item></body></html>", "not-a-feed"),
        (b"<urlset><url><loc>https://a.example/</loc></url></urlset>", "not-a-feed"),
        (b"{", "not-a-feed"),
        (b'{"items": "none", "version": "https://jsonfeed.org/version/1"}', "not-a-feed"),
        (b'{"error": "quota", "items": []}', "not-a-feed"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not-a-feed"),
        (b"/etc/passwd", "not-a-feed"),
        (b"http://127.0.0.1:9/feed", "not-a-feed"),
    ],
)
def test_what_is_no_feed_is_said_to_be_none(body: bytes, code: str) -> None:
    with pytest.raises(FeedError) as caught:
        parse(body, url=URL)
    assert (caught.value.code, caught.value.url) == (code, URL)
    assert URL in str(caught.value)


def test_parsing_is_deterministic() -> None:
    first: ParsedFeed = parse(sample("rss20.xml"), url=URL)
    assert first == parse(sample("rss20.xml"), url=URL)
