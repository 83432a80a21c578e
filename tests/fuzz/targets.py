"""What is fuzzed: everything that reads what strangers, or users, have written. Each target says which errors it may
raise; whatever else it raises is a fault. ``words`` are what its inputs are made of, beside the files of its corpus."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from pipeline.alerts.files import read_folder
from pipeline.enrich import Enricher
from pipeline.errors import ExtractError, FeedError, QueryError
from pipeline.extract import dateline, extract
from pipeline.extract import dates as page_dates
from pipeline.feeds import parse, read_opml
from pipeline.feeds.dates import read_date, read_foreign_date
from pipeline.index import Kind
from pipeline.index import query as queries
from pipeline.records import Page, to_json
from pipeline.settings import load_settings

CORPUS = Path(__file__).parent / "corpus"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Target:
    name: str
    run: Callable[[bytes], object]
    words: tuple[str, ...]

    def seeds(self) -> list[bytes]:
        """The files of its corpus, in the order of their names."""
        return [file.read_bytes() for file in sorted((CORPUS / self.name).glob("*"))]


def _feed(data: bytes) -> None:
    try:
        found = parse(data, url="https://e.example/feed")
    except FeedError:
        return
    for entry in found.entries:
        assert len(entry.title) <= 1_000
        assert len(entry.text) <= 100_000
        assert entry.url is None or entry.url.lower().startswith(("http://", "https://"))


def _opml(data: bytes) -> None:
    with contextlib.suppress(FeedError):
        read_opml(data)


def _page(data: bytes) -> None:
    page = Page(
        url="https://e.example/a",
        final_url="https://e.example/a",
        status=200,
        headers=(("Content-Type", "text/html"),),
        body=data,
        fetched=NOW,
    )
    try:
        article = extract(page)
    except ExtractError as error:
        if not error.reason.startswith(("not HTML", "nested too deep")):
            raise  # a fault inside, which extract wraps
        return
    to_json(article)
    assert not any(control in article.title + article.body for control in "\x00\x1b\x9b\u202e")


def _dateline(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    found = dateline.parse(text, NOW)
    assert found is None or found.text in text


def _dates(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for moment in (read_date(text), read_foreign_date(text[:60])):
        assert moment is None or 1990 <= moment.year <= 2099
    page_dates.read(text)
    page_dates.find(text)


def _query(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for kind in Kind:
        position = 0
        try:
            queries.parse(text, kind, now=NOW)
        except QueryError as error:
            position = error.position
        assert 0 <= position <= len(text)


def _rules(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yaml").write_bytes(data)
        found = read_folder(Path(folder))
    for fault in found.faults:
        assert fault.line >= 1, fault
        assert fault.reason


@lru_cache(maxsize=1)
def _enricher() -> Enricher:
    return Enricher(load_settings(Path("/nonexistent")))


def _claims(data: bytes) -> None:
    text = data.decode("utf-8", "replace")[:2_000]
    found = _enricher().enrich(text, title="A title", published=NOW, language="en")
    to_json(found)
    for entity in found.entities:
        assert text[entity.start : entity.end] == entity.text
    for claim in found.claims:
        assert all(0 <= start < end <= len(text) for start, end in claim.content.spans)
        assert claim.parent is None or 0 <= claim.parent < len(found.claims)


TARGETS = [
    Target(
        "feed",
        _feed,
        ("<rss>", "<rss version='2.0'>", "<channel>", "<item>", "</item>", "<title>", "</title>", "<link>", "</link>", "<guid>",
         "&#x;", "&#xD800;", "&a;", "<![CDATA[", "]]>", "<!--", "-->", "<feed xmlns='http://www.w3.org/2005/Atom'>", "<entry>",
         "<pubDate>", "Mon, 99 Xxx 9999", "<!DOCTYPE", "[<!ENTITY a 'b'>", "]>", "<?xml encoding='utf-7'?>", "<urlset>", "<url>",
         "<loc>/a</loc>", "<news:news>", "<sitemapindex>", '{"items":[', '"url":', "{}", "]}", "http://[", "<author>", "\x00"),
    ),
    Target("opml", _opml, ("<opml>", "<body>", "<outline", " xmlUrl='", "'/>", "text='", "</outline>", "<!DOCTYPE", "&a;")),
    Target(
        "page",
        _page,
        ("<html>", "<head>", "<title>", "</title>", "<meta property='article:published_time' content='", "'>", "<body>", "<article>",
         "<h1>", "</h1>", "<p>", "</p>", "<div>", "<aside>", "<table><tr><td>", "<br>", "<time datetime='", "<a href='", "</a>",
         '<script type="application/ld+json">', '{"@type":"NewsArticle","articleBody":"', '"author":[', '"}', "</script>",
         "<base href='", "<link rel=canonical href='", "&#27;[2J", "\x1b[1m", "\u202e", "By Asha Rao", "25 November 2026",
         "LONDON, Nov 25 (Reuters) -"),
    ),
    Target(
        "dateline",
        _dateline,
        ("LONDON", "ISLAMABAD/NEW DELHI", ", ", "Nov 25", "25 नवंबर", " (Reuters)", " (AP)", " - ", " – ", "—", ": ", "(", ")",
         "/", "Feb 30", "\n\n"),
    ),
    Target(
        "dates",
        _dates,
        ("2026", "-11-", "25", "T", "10:00", ":61", "Z", "+05:30", "+99:99", " Nov ", "Wed, ", "noviembre de ", "2026-W48", "٢٠٢٦",
         "1764064800", " GMT", " PST", "am", "0000", "\u2028"),
    ),
    Target(
        "query",
        _query,
        ("title:", "kashmir", " AND ", " OR ", " NOT ", "(", ")", '"', "~1", "~", "*", "?", "[", "]", "{", "}", " TO ", "now",
         "now-7d/d", "published:", "2026-11-25", "^2", "\\", "/a.b/", "+", "-", ":", "speaker:", "&&", "||", ">=", "\x00",
         "\U0001f600"),
    ),
    Target(
        "rules",
        _rules,
        ("rules:\n", "- name: ", "  query: ", "kashmir\n", "channels:\n", "  to: ", "mailto://a:b@c", "\n", "  ", ": ", "[", "]",
         "{", "}", "&a ", "*a", "<<: ", "!!python/object:os.system ", "|\n", "---\n", "null", "1e999", "\t"),
    ),
    Target(
        "claims",
        _claims,
        ("The minister ", "said ", "that ", '"', "\u201c", "\u201d", "he ", "denied ", "on condition of anonymity ", ". ", ", ",
         "\n\n", "according to ", "Asha Rao ", "(", ")", "India ", "not ", "\u0000", "\ufffd", "\U0001f600", "'", "told ", "whether "),
    ),
]  # fmt: skip
