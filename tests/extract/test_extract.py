"""Whole pages to articles."""

from __future__ import annotations

import dataclasses
import json
import random
from datetime import UTC, datetime

import py3langid  # type: ignore[import-untyped]
import pytest

from pipeline import records
from pipeline.errors import ExtractError
from pipeline.extract import extract, from_feed, language
from pipeline.records import PageKind, Sighting
from tests.extract.conftest import FETCHED, MakePage, page_of

SIGHTING = Sighting(
    id="s1",
    feed="f1",
    url="https://www.indusledger.example/a/1?utm_source=rss",
    first_seen=datetime(2026, 10, 31, 8, 0, tzinfo=UTC),
    guid="g-1",
    title="As the feed has it",
    text="GILGIT, March 4 (Ledger) – The feed's own words about the lake, in one paragraph of a fair length.",
    authors=("Feed Author",),
    tags=("feed tag",),
    published=datetime(2026, 3, 4, 4, 0, tzinfo=UTC),
    updated=datetime(2026, 3, 4, 5, 0, tzinfo=UTC),
    language="en-GB",
    image="https://www.indusledger.example/feed.jpg",
    source="The Indus Ledger",
    baseline=True,
)


SENTENCES = [
    "Officials of the district said on Monday that the road over the pass would stay closed until the weekend.",
    "Two bridges were carried away by the river after a week of rain, and a third is being held up by timber.",
    "The council has asked the army for a ferry, which could be there by Thursday if the water goes down.",
]


def test_a_report_is_read_whole(stored: MakePage) -> None:
    article = extract(stored("report.html", "https://www.indusledger.example/world/glacier-lake-drains?ref=home"))
    assert article.title == "Glacier lake above Hunza drains without damage"
    assert article.authors == ("Farah Qureshi", "Tom Weller")
    assert article.published == datetime(2026, 3, 4, 4, 41, tzinfo=UTC)
    assert article.published_from == "json-ld"
    assert article.updated == datetime(2026, 3, 4, 6, 5, tzinfo=UTC)
    assert article.url == "https://www.indusledger.example/world/glacier-lake-drains"
    assert article.id == records.article_id(article.url)
    assert article.section == "World"
    assert article.tags == ("Hunza", "glaciers")
    assert article.image == "https://www.indusledger.example/images/lake.jpg"
    assert article.language == "en"
    assert article.kind is PageKind.ARTICLE
    assert article.source == "The Indus Ledger"
    assert article.first_seen == FETCHED
    assert article.dateline is not None
    assert (article.dateline.place, article.dateline.date, article.dateline.agency) == (
        "GILGIT",
        "2026-03-04",
        "Ledger",
    )


def test_a_body_is_the_standfirst_and_the_paragraphs_and_nothing_else(stored: MakePage) -> None:
    paragraphs = extract(stored("report.html")).body.split("\n\n")
    assert [paragraph[:30] for paragraph in paragraphs] == [
        "Villagers had been moved to hi",
        "GILGIT, March 4 (Ledger) – A l",
        "Water levels in the river rose",
        "“We moved four hundred people ",
        "Engineers had cut a channel th",
        "The road to the north remained",
    ]


def test_a_page_of_tables_and_line_breaks_in_one_form_is_read(stored: MakePage) -> None:
    article = extract(stored("soup.html"))
    paragraphs = article.body.split("\n\n")
    assert any(paragraph.startswith("Srinagar: Growers in the south") for paragraph in paragraphs)
    assert any(paragraph.startswith("An official of the horticulture") for paragraph in paragraphs)
    assert "Front page" not in article.body
    assert article.kind is PageKind.ARTICLE


def test_an_article_cut_into_pieces_by_advertisements_is_whole(stored: MakePage) -> None:
    body = extract(stored("pieces.html")).body
    assert "For forty years" in body
    assert "thirty people" in body
    assert "nobody to whom he could leave it" in body
    assert "Advertisement" not in body


@pytest.mark.parametrize("around", ["article", "main", "section", "div"])
@pytest.mark.parametrize("begin", ["<!doctype html><html lang=en>", "<!doctype html><html lang=en><head>"])
def test_a_page_that_leaves_out_the_tags_of_its_body_is_read(begin: str, around: str) -> None:
    text = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
    found = extract(page_of(f"{begin}<title>Road closed</title><{around}><h1>Road closed</h1>{text}</{around}>"))
    assert found.title == "Road closed"
    assert found.body == "\n\n".join(SENTENCES)


def test_a_german_page_without_json_ld_is_read(stored: MakePage) -> None:
    article = extract(stored("german.html"))
    assert article.title == "Brücke über die Elbe gesperrt"
    assert article.authors == ("Anna Lüders", "Jörg Maß", "dpa")
    assert article.published == datetime(2026, 4, 11, 6, 15, tzinfo=UTC)
    assert article.published_from == "meta"
    assert article.language == "de"
    assert "Lesen Sie auch" not in article.body
    assert article.dateline is not None
    assert article.dateline.agency == "dpa"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("report.html", PageKind.ARTICLE),
        ("brief.html", PageKind.ARTICLE),
        ("teaser.html", PageKind.ARTICLE),
        ("login.html", PageKind.LOGIN),
        ("consent.html", PageKind.LOGIN),
        ("script_wall.html", PageKind.LOGIN),
        ("video.html", PageKind.VIDEO),
        ("live.html", PageKind.LIVE),
        ("empty.html", PageKind.EMPTY),
    ],
)
def test_a_page_is_told_for_what_it_is(stored: MakePage, name: str, kind: PageKind) -> None:
    assert extract(stored(name)).kind is kind


def test_a_report_about_subscribers_and_cookies_is_no_wall() -> None:
    page = page_of(
        "<title>Stream</title><h1>Streaming service loses subscribers</h1><p>The streaming service lost two million"
        " subscribers in the spring, and regulators want it to change how it uses cookies.</p>"
    )
    assert extract(page).kind is PageKind.ARTICLE


def test_what_the_page_lacks_comes_from_the_sighting() -> None:
    text = "<html><body><p>The lake above the valley drained overnight without damage to the villages below it.</p></body></html>"
    article = extract(page_of(text), SIGHTING)
    assert article.title == SIGHTING.title
    assert article.authors == SIGHTING.authors
    assert (article.published, article.published_from) == (SIGHTING.published, "feed")
    assert (article.updated, article.updated_from) == (SIGHTING.updated, "feed")
    assert article.tags == SIGHTING.tags
    assert article.image == SIGHTING.image
    assert article.language == "en"
    assert (article.feed, article.guid, article.source, article.baseline) == ("f1", "g-1", "The Indus Ledger", True)
    assert article.first_seen == SIGHTING.first_seen
    assert article.body_source == "page"


def test_what_the_page_says_wins_over_the_sighting(stored: MakePage) -> None:
    article = extract(stored("report.html"), SIGHTING)
    assert article.title == "Glacier lake above Hunza drains without damage"
    assert article.published_from == "json-ld"
    assert article.source == "The Indus Ledger"


def test_the_feeds_own_text_stands_in_for_a_page_that_cannot_be_had() -> None:
    article = from_feed(SIGHTING, "the site answered 403")
    assert article.body == SIGHTING.text
    assert article.body_source == "feed"
    assert article.body_reason == "the site answered 403"
    assert article.url == "https://www.indusledger.example/a/1"
    assert article.id == records.article_id(article.url)
    assert article.published_from == "feed"
    assert article.dateline is not None
    assert article.dateline.place == "GILGIT"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://www.indusledger.example/world/lake?utm_medium=rss", "https://www.indusledger.example/world/lake"),
        ("/world/lake", "https://www.indusledger.example/world/lake"),
        ("https://another.example.org/world/lake", "https://www.indusledger.example/a/1"),
        ("https://www.indusledger.example/", "https://www.indusledger.example/a/1"),
        ("javascript:void(0)", "https://www.indusledger.example/a/1"),
        ("http://[broken", "https://www.indusledger.example/a/1"),
    ],
)
def test_a_canonical_link_counts_on_the_same_site_and_not_to_the_front_page(link: str, url: str) -> None:
    assert extract(page_of(f'<link rel="canonical" href="{link}"><p>Text.</p>')).url == url


def test_a_canonical_link_may_leave_out_a_subdomain() -> None:
    page = page_of(
        '<link rel="canonical" href="https://ledger.co.uk/lake"><p>Text.</p>', "https://m.ledger.co.uk/lake?amp=1"
    )
    assert extract(page).url == "https://ledger.co.uk/lake"


def test_a_page_from_a_file_takes_the_address_that_it_gives_itself() -> None:
    page = page_of(
        '<link rel="canonical" href="https://www.indusledger.example/world/lake"><p>Text.</p>', "file:///tmp/a.html"
    )
    assert extract(page).url == "https://www.indusledger.example/world/lake"


def test_a_time_without_an_offset_takes_that_of_the_same_time_elsewhere_on_the_page() -> None:
    page = page_of(
        '<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2026-03-04 09:41:00"}</script>'
        '<meta property="article:published_time" content="2026-03-04T09:41:00+05:00">'
    )
    assert extract(page).published == datetime(2026, 3, 4, 4, 41, tzinfo=UTC)


def test_a_bare_day_takes_the_minute_from_another_place_on_the_page() -> None:
    page = page_of('<meta name="date" content="2026-03-04"><time datetime="2026-03-04T09:41:00Z">4 March</time>')
    assert extract(page).published == datetime(2026, 3, 4, 9, 41, tzinfo=UTC)


def test_a_page_without_a_date_has_none() -> None:
    assert extract(page_of("<p>Some words about nothing that has a date on it at all.</p>")).published is None


def test_json_ld_that_is_not_quite_json_is_read() -> None:
    page = page_of(
        '<script type="application/ld+json">//<![CDATA[\n{"@type": "NewsArticle", "headline": "A line\nbroken",'
        ' "datePublished": "2026-03-04T09:41:00Z",}\n//]]></script>'
    )
    assert extract(page).title == "A line broken"


def test_an_articles_own_text_stands_in_where_the_page_shows_only_its_beginning() -> None:
    paragraphs = [f"Paragraph {word} of the story goes on for a while, so that there is something to read." for word in
                  ("one", "two", "three", "four", "five", "six")]  # fmt: skip
    text = "\\n\\n".join(paragraphs)
    page = page_of(
        f'<script type="application/ld+json">{{"@type":"NewsArticle","articleBody":"{text}"}}</script>'
        f"<article><h1>Story</h1><p>{paragraphs[0]}</p><p>{paragraphs[1]}</p></article>"
    )
    assert extract(page).body.split("\n\n") == paragraphs


def test_the_same_page_gives_the_same_article_whatever_was_read_before(stored: MakePage) -> None:
    first = extract(stored("report.html"))
    for name in ("soup.html", "german.html", "report.html", "report.html", "report.html"):
        extract(stored(name))
    assert extract(stored("report.html")) == first


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "application/pdf"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "text/html"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "image/png"),
        (b'{"a": 1}', "application/json"),
        (b'<?xml version="1.0"?><rss version="2.0"><channel/></rss>', "text/xml"),
        (b'<?xml version="1.0"?><rss version="2.0"><channel/></rss>', "text/html"),
        (b"PK\x03\x04junk", ""),
        (bytes(range(256)) * 200, "text/html"),
        (b"\xff\xfe\xfd" * 1000, "text/html"),
        (random.Random(7).randbytes(50_000), "text/html"),
        (random.Random(7).randbytes(50_000), "text/html; charset=windows-1252"),
        (random.Random(7).randbytes(50_000), "text/html; charset=utf-16"),
        (random.Random(7).randbytes(50_000), "text/html; charset=gb18030"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_what_is_no_html_is_an_error_that_names_the_page(body: bytes, kind: str) -> None:
    with pytest.raises(ExtractError, match=r"indusledger\.example/a/1"):
        extract(page_of(body, kind=kind))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   \n\t ",
        b"\x00\x00\x00",
        b"<p>a\x00b\x01c\x1f</p>" * 50,
        b"<html",
        b"<!DOCTYPE html>",
        b"</p></div></html>",
        b"<html><body>" + bytes(range(256)) * 200,
        b"<html><body>" + b"<div>" * 10_000 + b"<p>deep</p>",
        b"<p>" * 30_000,
        b"<b>" * 50_000 + b"text",
        b"<table><tr><td>" * 3_000,
        b"<ul><li>" * 5_000 + b"x",
        b"<blockquote>" * 5_000 + b"x",
        b'<a href="http://[::1">x</a>' * 1_000,
        b'<script type="application/ld+json">' + b"[" * 100_000 + b"</script>",
        b'<script type="application/ld+json">{"@type":["NewsArticle",null,5],"author":[[["x"]],{"name":{"name":7}}],'
        b'"datePublished":{"a":1},"headline":["a",{"b":2}],"image":[[]],"keywords":{"x":1},"url":[5]}</script>',
        b'<meta property="article:published_time" content="9999999-99-99T99:99:99+99:99">',
        b"<p>" + b"word " * 1_000_000 + b"</p>",
        b"<p>short paragraph</p>" * 40_000,
        "<p>\ud7ff\ue000\ufffe\u202e text</p>".encode("utf-8", "surrogatepass"),
    ],
    ids=lambda body: f"{len(body)}-{body[:12]!r}",
)
def test_no_page_however_broken_raises(body: bytes) -> None:
    article = extract(page_of(body))
    assert article.url == "https://www.indusledger.example/a/1"
    assert "\x00" not in article.body


def test_forty_megabytes_on_one_line_are_cut_not_parsed() -> None:
    article = extract(page_of(b"<p>" + b"The same words over and over. " * 1_400_000))
    assert len(article.body) < 6_000_000


def test_every_article_survives_its_own_json(stored: MakePage) -> None:
    article = extract(stored("report.html"), SIGHTING)
    assert records.from_json(records.to_json(article), records.Article) == article
    assert dataclasses.replace(article, version=2).version == 2


REPORT = "Der Präsident erklärte am Montag in Zürich, dass die Gespräche nächste Woche fortgeführt würden. " * 4


def test_bytes_that_are_no_text_inside_html_are_no_article() -> None:
    article = extract(page_of(b"<html><body><p>" + random.Random(7).randbytes(50_000), kind="text/html"), SIGHTING)
    assert (article.kind, article.body) == (PageKind.EMPTY, "")


def test_a_body_full_of_replacement_characters_is_no_article() -> None:
    text = "Gespr\ufffdche in Z\ufffdrich. " * 20
    article = extract(page_of(f"<html><body>{'<i></i>' * 1000}<p>{text}</p>"))
    assert (article.kind, article.body) == (PageKind.EMPTY, "")


def test_a_page_with_a_few_stray_bytes_is_still_an_article() -> None:
    page = f"<html><body><p>{REPORT}</p><p>Ein Zeichen\x01 zu viel\ufffd. {REPORT}</p></body></html>"
    article = extract(page_of(page))
    assert article.kind is PageKind.ARTICLE
    assert article.body.count("Zürich") == 8


def test_a_header_that_says_utf_16_over_utf_8_does_not_spoil_the_article() -> None:
    page = f"<html><head><meta charset=utf-8><title>Gespräche</title></head><body><p>{REPORT}</p></body></html>"
    article = extract(page_of(page, kind="text/html; charset=utf-16"))
    assert (article.title, article.language, article.kind) == ("Gespräche", "de", PageKind.ARTICLE)
    assert article.body.startswith("Der Präsident erklärte")


def test_no_field_of_an_article_holds_what_acts_on_a_terminal() -> None:
    node = {
        "@type": "NewsArticle",
        "headline": "X \x1b[2J \x07 \u202ey\u200dz",
        "author": {"name": "Jane \x1b]0;owned\x07Doe\x9d"},
        "articleSection": "Wo\u2066rl\x85d",
        "keywords": ["re\x1b[31md", "\x00blue"],
        "mainEntityOfPage": "https://a.example/\x1b[2Jx\u202e",
        "image": "https://a.example/\x1b[2Jx.png",
    }
    text = (
        "The lake drained \x1b[31mwithout\x1b[0m damage&#27;[2J, said &#x202e;the \x1b]0;owned\x07ministry on Monday. "
    )
    rest = "Engineers had cut a channel through the ice, and the water left by it over nine days. " * 3
    page = f'<script type="application/ld+json">{json.dumps(node)}</script><p>{text}{rest}</p><p>Also &#155;{text}</p>'
    article = extract(page_of(page, url=""))
    assert article.title == "X y\u200dz"
    assert article.authors == ("Jane Doe",)
    assert article.section == "Worl d"
    assert article.tags == ("red", "blue")
    assert article.url == "https://a.example/x"
    assert article.image == "https://a.example/x.png"
    first, second = article.body.split("\n\n")
    assert first.startswith("The lake drained without damage, said the ministry on Monday.")
    assert second == "Also ›The lake drained without damage, said the ministry on Monday."


def test_two_files_without_an_address_have_ids_of_their_own() -> None:
    first, again, second = (
        extract(page_of(f"<title>One</title><p>{text}</p>", url="")) for text in (REPORT, REPORT, REPORT + "Ende.")
    )
    assert first.url == second.url == ""
    assert first.id == again.id != second.id
    assert first.id != records.article_id("")


@pytest.mark.parametrize("tag", ["div", "span", "b", "table", "section", "q", "amp-x"])
def test_a_page_nested_ten_thousand_deep_is_read(tag: str) -> None:
    deep = f"<{tag}>" * 10_000 + f"<p>{REPORT}</p><div>Ein zweiter <b>Absatz</b> steht hier.</div>"
    article = extract(page_of(f"<html><head><title>Gespräche</title></head><body>{deep}</body></html>"))
    assert (article.title, article.kind) == ("Gespräche", PageKind.ARTICLE)
    assert article.body == f"{REPORT.strip()}\n\nEin zweiter Absatz steht hier."


def test_a_page_nested_too_deep_in_any_other_way_says_so() -> None:
    with pytest.raises(ExtractError, match=r"indusledger\.example/a/1: nested too deep"):
        extract(page_of("<ruby>" * 10_000 + f"<p>{REPORT}</p>"))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("en-GB", "en"),
        ("pt_BR", "pt"),
        ("deu", "de"),
        ("arz", "ar"),
        ("nb", "no"),
        ("gcf", None),
        ("zxx", None),
        ("xx", None),
        ("", None),
    ],
)
def test_a_language_is_an_iso_639_1_code_or_none(written: str, code: str | None) -> None:
    assert language.code(written) == code


def test_a_text_in_a_language_without_a_code_of_two_letters_has_the_pages_or_none() -> None:
    creole = "Sé timoun-la ka jwé adan lari-la, manman-yo ka gadé yo, yo ka palé kréyòl Gwadloup. " * 4
    for text in (creole, "0123456789 " * 60):
        assert len(py3langid.classify(text[:400])[0]) == 3
        assert language.tell(text, None) is None
        assert language.tell(text, "fr") == "fr"


def authors_of(head: str, body: str = "") -> tuple[str, ...]:
    site = '<meta property="og:site_name" content="The Indus Ledger">'
    return extract(page_of(f"<html><head>{site}{head}</head><body>{body}<p>{REPORT}</p></body></html>")).authors


def test_the_outlets_name_with_a_word_for_its_staff_gives_way_to_a_person() -> None:
    signed = '<span class="byline">By Farah Qureshi, Gilgit</span>'
    for name in ("The Indus Ledger Online", "Redaktion Indus Ledger", "Indus Ledger News"):
        assert authors_of(f'<meta name="author" content="{name}">', signed) == ("Farah Qureshi",)
        assert authors_of(f'<meta name="author" content="{name}">') == (name,)


def test_an_outlets_seat_is_not_its_author() -> None:
    imprint = '<meta name="author" content="The Indus Ledger, Gilgit, Pakistan">'
    assert authors_of(imprint, '<span class="byline">By Farah Qureshi</span>') == ("Farah Qureshi",)
    assert authors_of('<meta name="author" content="The Indus Ledger, AFP, Reuters">') == ("AFP", "Reuters")


def test_the_author_on_a_sharing_card_counts() -> None:
    assert authors_of('<meta property="twitter:misc:Written by" content="Farah Qureshi">') == ("Farah Qureshi",)


def test_a_page_that_only_shows_its_date_has_it_in_any_of_many_languages() -> None:
    page = page_of(f"<p>{REPORT}</p><span class=meta_date>erstellt: <b>01. April 2025, 15:25</b></span>")
    article = extract(page)
    assert (article.published, article.published_from) == (datetime(2025, 4, 1, 15, 25, tzinfo=UTC), "page")


@pytest.mark.parametrize(
    "text",
    [
        "<title>Page not found | The Indus Ledger</title><h1>404</h1><p>The page may have been moved or deleted.</p>",
        "<h1>Oops!</h1><p>Sorry, the page that you were looking for could not be found. It may have moved.</p>",
        "<h1>Seite nicht gefunden</h1><p>Unter dieser Adresse gibt es leider nichts, vielleicht hilft die Suche.</p>",
        "<title>Error 404: not found</title><p>There is nothing here. Perhaps a search will help you to find it.</p>",
    ],
)
def test_a_page_that_says_that_it_is_missing_is_no_article(text: str) -> None:
    assert extract(page_of(text)).kind is PageKind.EMPTY


def test_a_report_about_something_not_found_is_an_article() -> None:
    for title in ("404 villages without water", "Not found: the 404 error that hid a scandal"):
        assert extract(page_of(f"<h1>{title}</h1><p>{REPORT}</p><p>{REPORT}</p>")).kind is PageKind.ARTICLE
    brief = "Searchers said on Monday that the missing climber had not been found, and that they would go on."
    dated = '<meta property="article:published_time" content="2026-03-04T09:41:00Z">'
    assert extract(page_of(f"{dated}<h1>Not found after nine days</h1><p>{brief}</p>")).kind is PageKind.ARTICLE


def test_a_call_to_subscribers_below_a_teaser_is_not_part_of_the_body() -> None:
    for call in ("Already a subscriber? Log in", "Bereits Abonnent? Hier anmelden", "Déjà abonné ? Connectez-vous"):
        assert "?" not in extract(page_of(f"<h1>Story</h1><p>{REPORT}</p><p>{REPORT}</p><p>{call}</p>")).body
