"""The score server: hundreds of feeds with the ways of real servers, in the run's own loop, every request noted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from types import TracebackType
from typing import Self

from aiohttp import web
from multidict import CIMultiDictProxy

from tests.manners.simulated import BEGIN, the_loop

HOUR = 3_600.0
DAY = 24 * HOUR

ODD_ETAGS = ('"plain"', 'W/"weak"', 'W/"a b, c"', '"quo\\"ted"', "unquoted", '"ünicode"', '""', '"' + "x" * 1500 + '"')


Fails = Callable[[float], tuple[int, dict[str, str], float | None] | None]


@dataclass(frozen=True)
class Request:
    """One request as it came in, and what it was answered."""

    at: float
    host: str
    path: str
    headers: CIMultiDictProxy[str]
    status: int = 0
    etag: str | None = None
    modified: str | None = None
    retry_after: float | None = None
    busy: int = 0
    """Requests to this host under way when it came, itself included."""


@dataclass(frozen=True)
class Way:
    """How one feed's server behaves. ``every``: seconds between new entries."""

    name: str
    path: str
    every: float = HOUR
    etag: str | None = None
    modified: bool = False
    ttl: int = 0
    """Minutes."""
    fails: Fails = lambda at: None
    """At this time: status, headers, and the seconds that Retry-After means; ``None`` for a usual answer."""
    moves: str | None = None
    """A path that the feed is answered from, after a redirect of ``moved`` status."""
    moved: int = 0
    pages: bool = False
    takes: float = 0.05
    cookie: bool = False


def _spell(status: int, begin: float, end: float, wish: float | None = None) -> Fails:
    def fails(at: float) -> tuple[int, dict[str, str], float | None] | None:
        if not begin <= at < end:
            return None
        return status, {"Retry-After": f"{wish:.0f}"} if wish is not None else {}, wish

    return fails


def ways(of_one_host: int, others: int) -> list[tuple[int, Way]]:
    """(host, way) of all feeds: ``of_one_host`` on host 0, and ``others`` hosts of one feed each."""
    made: list[tuple[int, Way]] = []
    for n in range(of_one_host):
        etag = ODD_ETAGS[n % len(ODD_ETAGS)] if n % 3 else None
        made.append((0, Way("one of many", f"/{n}.xml", every=HOUR * (1 + n % 7), etag=etag, modified=n % 3 == 0)))
    special: list[Way] = [
        Way("429, an hour", "/a.xml", fails=_spell(429, HOUR, 3 * HOUR, HOUR), etag='"a"'),
        Way("429, no word", "/b.xml", fails=_spell(429, 0.3 * HOUR, 2 * HOUR)),
        Way("503, half an hour", "/c.xml", fails=_spell(503, 0.5 * HOUR, 2 * HOUR, 1800.0), modified=True),
        Way("403 for a limit", "/d.xml", fails=_spell(403, 2 * HOUR, 4 * HOUR, 2 * HOUR)),
        Way("403 for ever", "/e.xml", fails=_spell(403, 2 * HOUR, 1e9)),
        Way("moved for good", "/f.xml", moves="/new.xml", moved=301, etag='"f"'),
        Way("moved for now", "/g.xml", moves="/else.xml", moved=302, etag='"g"'),
        Way("moved, 308", "/h.xml", moves="/new.xml", moved=308),
        Way("gone", "/i.xml", fails=_spell(410, HOUR, 1e9)),
        Way("ttl of two hours", "/j.xml", ttl=120),
        Way("cookies", "/k.xml", cookie=True, etag='W/"k"'),
        Way("pages", "/l.xml", pages=True, every=HOUR / 2),
        Way("errors", "/m.xml", fails=_spell(500, HOUR, 4 * HOUR)),
        Way("slow", "/n.xml", takes=4.0),
        Way("new entries all the time", "/o.xml", every=HOUR / 6, etag='"o"'),
    ]
    return made + [(n + 1, special[n % len(special)]) for n in range(others)]


ROBOTS = "User-agent: *\nDisallow: /private/\nCrawl-delay: 7\n"
CRAWL_DELAY = 7.0


@dataclass
class World:
    """All hosts, each on a port of its own."""

    feeds: list[tuple[int, Way]]
    log: list[Request] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    busy: dict[str, int] = field(default_factory=dict)

    def url(self, number: int) -> str:
        host, way = self.feeds[number]
        return f"http://{self.hosts[host]}{way.path}"

    async def __aenter__(self) -> Self:
        by_host: dict[int, dict[str, Way]] = {}
        for host, way in self.feeds:
            by_host.setdefault(host, {})[way.path] = way
        self._servers = []
        for host in sorted(by_host):
            ways = by_host[host]

            async def handler(request: web.BaseRequest, ways: dict[str, Way] = ways) -> web.StreamResponse:
                return await self._noted(request, ways)

            server = await the_loop().create_server(web.Server(handler), "127.0.0.1", 0)
            self._servers.append(server)
            self.hosts.append(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()

    async def _noted(self, request: web.BaseRequest, ways: dict[str, Way]) -> web.StreamResponse:
        at, host = the_loop().time(), request.headers["Host"]
        self.busy[host] = self.busy.get(host, 0) + 1
        busy = self.busy[host]
        try:
            response, wish = await self._answer(request, ways, at)
        finally:
            self.busy[host] -= 1
        self.log.append(
            Request(
                at,
                host,
                request.path,
                request.headers,
                response.status,
                response.headers.get("ETag"),
                response.headers.get("Last-Modified"),
                wish,
                busy,
            )
        )
        return response

    async def _answer(
        self, request: web.BaseRequest, ways: dict[str, Way], at: float
    ) -> tuple[web.Response, float | None]:
        if request.path == "/robots.txt":
            return web.Response(text=ROBOTS), None
        way = ways.get(request.path) or next((way for way in ways.values() if way.moves == request.path), None)
        if way is None:
            return web.Response(body=PAGE.encode(), content_type="text/html"), None
        await asyncio.sleep(way.takes)
        failed = way.fails(at)
        if failed is not None:
            status, headers, wish = failed
            return web.Response(status=status, headers=headers), wish
        if way.moves is not None and request.path == way.path:
            return web.Response(status=way.moved, headers={"Location": way.moves}), None
        return self._feed(request, way, at), None

    def _feed(self, request: web.BaseRequest, way: Way, at: float) -> web.Response:
        newest = int(at // way.every)
        headers = {"Content-Type": "application/rss+xml"}
        if way.etag is not None:
            headers["ETag"] = way.etag[:-1] + str(newest) + way.etag[-1:]
        if way.modified:
            headers["Last-Modified"] = format_datetime(BEGIN + timedelta(seconds=newest * way.every), usegmt=True)
        if way.cookie:
            headers["Set-Cookie"] = "who=you; Path=/"
        asked = request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")
        if any(asked) and asked[0] in (None, headers.get("ETag")) and asked[1] in (None, headers.get("Last-Modified")):
            return web.Response(status=304, headers={k: v for k, v in headers.items() if k in ("ETag",)})
        items = "".join(self._item(request, way, n) for n in range(max(0, newest - 5), newest + 1))
        ttl = f"<ttl>{way.ttl}</ttl>" if way.ttl else ""
        body = f'<rss version="2.0"><channel><title>{way.name}</title>{ttl}{items}</channel></rss>'
        return web.Response(body=body.encode(), headers=headers)

    def _item(self, request: web.BaseRequest, way: Way, n: int) -> str:
        guid = f'<guid isPermaLink="false">{way.path[1:]} {n}</guid>'
        if not way.pages:
            return f"<item>{guid}</item>"  # nothing to fetch, and nothing to index, which would only take time
        folder = "private" if n % 2 else "story"
        link = f"<link>http://{request.headers['Host']}/{folder}/{n}</link>"
        return f"<item><title>{way.name} {n}</title>{guid}{link}</item>"


PAGE = (
    "<html lang=en><head><title>A page</title></head><body><article><h1>A page</h1><p>Ferry crossings between Hartwick and "
    "the outer islands resumed on Monday after a nine-day strike, the operator said. The first boat left at six.</p>"
    "</article></body></html>"
)
