"""The recorded wire: the 257 real pages of ../shared/data/wire, served on loopback as sites with feeds.

``python -m tests.support.recorded_wire`` serves it from a process of its own (for benches, whose CPU time must not
count the server's): it prints one line of JSON, ``{"feeds": [...], "hosts": [...]}``, and serves until its standard
input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

from aiohttp import web

from pipeline.demo.loopback import Handler, Loopback, Seen
from tests.support.server import NOT_FOUND, Script

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "wire"
SKIP = f"the recorded wire is not here ({FOLDER})"
"""Why a test that needs the recorded wire is skipped."""


def wire_available() -> bool:
    """Whether the recorded wire lies beside this checkout."""
    return (FOLDER / "articles.jsonl").is_file()


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFeed:
    """One feed of the recorded wire: the pages of some countries."""

    title: str
    url: str
    dialect: str
    """rss or atom."""
    site: str
    works: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WireArticle:
    """Gold for one served page. ``origin`` is where the page was recorded, which its canonical link still names."""

    url: str
    feeds: tuple[str, ...]
    title: str
    authors: tuple[str, ...]
    published: datetime | None
    languages: tuple[str, ...]
    body: str
    country: str
    publisher: str
    origin: str
    file: Path

    def html(self) -> bytes:
        """The page as recorded."""
        return gzip.decompress(self.file.read_bytes())


class RecordedWire:
    """The recorded wire on ``sites`` hosts, one feed each. A context manager, plain or async.

    The feeds carry the gold titles and dates, as real feeds do: a bench that scores extraction against the gold must
    extract without the sighting. A page goes out as recorded (UTF-8), compressed if the client asks for that.
    """

    def __init__(
        self, *, sites: int = 8, port: int = 0, limit: int | None = None, copies: int = 1, folder: Path = FOLDER
    ) -> None:
        """``limit`` takes the first so many pages of the recording; ``copies`` serves the whole so many times, each time
        on ``sites`` hosts of its own: one host that gave a text twice would have but one article.

        ``port`` is the first of ``sites * copies`` consecutive ports; 0 lets the system choose. Raises OSError where one is
        taken or the recording is absent.
        """
        records = [json.loads(line) for line in (folder / "articles.jsonl").read_text("utf-8").splitlines()]
        self._script = Script()
        self._server = Loopback([self._handler(number) for number in range(sites * copies)], port=port)
        self._titles = ["" for _ in range(sites * copies)]
        self._articles: dict[str, WireArticle] = {}
        self._own: list[list[WireArticle]] = [[] for _ in range(sites * copies)]
        for number, countries in enumerate(_groups(records, sites) * copies):
            copy = number // sites
            self._titles[number] = "Recorded wire: " + ", ".join(countries) + (f" ({copy + 1})" if copy else "")
            feed = self._feed_url(number)
            for record in records[:limit]:
                if record["country"] in countries:
                    article = _article(record, folder, feed, self._server.hosts[number], copy)
                    self._articles[article.url] = article
                    self._own[number].append(article)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Values for ``settings.allow_hosts``."""
        return self._server.hosts

    @property
    def feeds(self) -> tuple[WireFeed, ...]:
        return tuple(
            WireFeed(
                title=title,
                url=self._feed_url(number),
                dialect=_dialect(number),
                site=f"http://{self.hosts[number]}/",
            )
            for number, title in enumerate(self._titles)
        )

    @property
    def articles(self) -> Mapping[str, WireArticle]:
        """Gold by the URL that is served and that the feeds give."""
        return self._articles

    @property
    def requests(self) -> list[Seen]:
        """Every request so far."""
        return self._server.requests

    @property
    def counts(self) -> Counter[str]:
        """How often each URL was asked for."""
        return self._server.counts

    @property
    def script(self) -> Script:
        """Failures and delays by path, over all hosts: ``wire.script.once("/us/APNews", Reply(status=503))``."""
        return self._script

    def _feed_url(self, number: int) -> str:
        return f"http://{self.hosts[number]}/feed.{'xml' if _dialect(number) == 'rss' else 'atom'}"

    @cached_property
    def _feed_bodies(self) -> list[bytes]:
        return [
            (_rss if _dialect(number) == "rss" else _atom)(title, self._feed_url(number), self._own[number])
            for number, title in enumerate(self._titles)
        ]

    def _handler(self, number: int) -> Handler:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            scripted = self._script.next(request.path_qs)
            if scripted is not None:
                return await scripted.send()
            url = f"http://{self.hosts[number]}{request.path}"
            if url == self._feed_url(number):
                return self._feed(number, request)
            article = self._articles.get(url)
            if article is None:
                return await NOT_FOUND.send()
            headers = {"Content-Type": "text/html; charset=utf-8"}
            body = article.file.read_bytes()
            if "gzip" in request.headers.get("Accept-Encoding", ""):
                headers["Content-Encoding"] = "gzip"
            else:
                body = gzip.decompress(body)
            return web.Response(headers=headers, body=body)

        return handle

    def _feed(self, number: int, request: web.BaseRequest) -> web.Response:
        body = self._feed_bodies[number]
        etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        kind = f"application/{_dialect(number)}+xml; charset=utf-8"
        return web.Response(headers={"ETag": etag, "Content-Type": kind}, body=body)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    async def __aenter__(self) -> Self:
        self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._server.stop)


def _dialect(number: int) -> str:
    return ("rss", "atom")[number % 2]


def _groups(records: list[dict[str, Any]], sites: int) -> list[list[str]]:
    """Countries in as many groups, each country, the largest first, to the group with the fewest pages.

    No country is split: with eight groups the largest has a third of the pages, uneven as real wires are.
    """
    counts = Counter(record["country"] for record in records)
    groups: list[list[str]] = [[] for _ in range(sites)]
    loads: defaultdict[int, int] = defaultdict(int)
    for country, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        lightest = min(range(sites), key=lambda number: loads[number])
        groups[lightest].append(country)
        loads[lightest] += count
    return groups


def _article(record: dict[str, Any], folder: Path, feed: str, host: str, copy: int) -> WireArticle:
    stem = Path(record["page"]).name.removesuffix(".html.gz")
    country, name = stem.split("_", 1)
    place = f"/{country}/{name}" if copy == 0 else f"/{country}/{name}/{copy}"
    return WireArticle(
        url=f"http://{host}{place}",
        feeds=(feed,),
        title=record["title"] or "",
        authors=tuple(record["authors"] or ()),
        published=datetime.fromisoformat(record["published"]) if record["published"] else None,
        languages=tuple(record["languages"] or ()),
        body=record["body"] or "",
        country=record["country"],
        publisher=record["publisher"],
        origin=record["url"],
        file=folder / record["page"],
    )


def _summary(article: WireArticle) -> str:
    """The first 300 characters, up to a word's end: about what feeds give."""
    start = " ".join(article.body.split())
    return start if len(start) <= 300 else start[:300].rpartition(" ")[0] + " …"


def _rss(title: str, url: str, articles: list[WireArticle]) -> bytes:
    items = "".join(
        f"<item><title>{escape(a.title)}</title><link>{escape(a.url)}</link><guid>{escape(a.url)}</guid>"
        + (f"<pubDate>{format_datetime(a.published)}</pubDate>" if a.published else "")
        + "".join(f"<dc:creator>{escape(name)}</dc:creator>" for name in a.authors)
        + f"<description>{escape(escape(_summary(a)))}</description></item>\n"
        for a in articles
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"<title>{escape(title)}</title><link>{escape(url)}</link><description/>\n{items}</channel></rss>\n"
    ).encode()


def _atom(title: str, url: str, articles: list[WireArticle]) -> bytes:
    entries = "".join(
        f"<entry><title>{escape(a.title)}</title><id>{escape(a.url)}</id><link href='{escape(a.url)}'/>"
        + (
            f"<published>{a.published.isoformat()}</published><updated>{a.published.isoformat()}</updated>"
            if a.published
            else ""
        )
        + "".join(f"<author><name>{escape(name)}</name></author>" for name in a.authors)
        + f"<summary>{escape(_summary(a))}</summary></entry>\n"
        for a in articles
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>{escape(title)}</title><id>{escape(url)}</id>\n{entries}</feed>\n"
    ).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=8)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--copies", type=int, default=1)
    chosen = parser.parse_args()
    with RecordedWire(sites=chosen.sites, port=chosen.port, limit=chosen.limit, copies=chosen.copies) as wire:
        print(json.dumps({"feeds": [feed.url for feed in wire.feeds], "hosts": wire.hosts}), flush=True)
        while os.read(sys.stdin.fileno(), 4096):
            pass


if __name__ == "__main__":
    main()
