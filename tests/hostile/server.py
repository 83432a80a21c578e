"""A server on loopback that means harm: every case under a port of its own, each with the outcome that it must come to.

It writes bytes, so that nothing it sends need be HTTP. What never ends goes on until the other side has had enough; what
drips waits with its end until every good feed and page has been served, so that a test can see, without a clock, that
nobody was held up.
"""

from __future__ import annotations

import asyncio
import gzip
import random
import ssl
import threading
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import brotli  # type: ignore[import-untyped]
import trustme
from backports import zstd

MB = 1024 * 1024

Serve = Callable[["Asked"], Awaitable[None]]


@dataclass
class Asked:
    """One request, and how to answer it."""

    path: str
    server: HostileServer
    case: str
    writer: asyncio.StreamWriter

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.ports[self.case]}"

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


@dataclass(frozen=True)
class Case:
    """One way to do harm. ``outcome`` is the feed's code ("" where it must be read) or the item's end."""

    name: str
    kind: str
    """``feed``: the feed itself is hostile. ``page``: a harmless feed leads to the hostile page."""
    outcome: str
    serve: Serve
    tls: str = ""
    """The fault of its certificate: ``name``, ``expired`` or ``unknown``; "" for plain HTTP."""
    text: str = "The feed's own words."
    """What the harmless feed says of the page."""
    entries: int | None = None
    """How many entries of a hostile feed must be read."""


@dataclass
class HostileServer:
    """All cases and some good feeds. A context manager; the ports are known once it is entered."""

    cases: list[Case]
    good: int = 10
    ports: dict[str, int] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    """What happened, in order: ``good NAME PATH`` served, ``gone CASE`` the client left a server that drips."""
    trapped: list[str] = field(default_factory=list)
    """Connections to the port that nobody may be led to."""
    authority: trustme.CA = field(default_factory=trustme.CA)

    def __post_init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def hosts(self) -> list[str]:
        """What may be asked: all but the trap."""
        return [
            f"{'localhost' if self._tls(name) else '127.0.0.1'}:{port}"
            for name, port in self.ports.items()
            if name != "trap"
        ]

    def feed(self, name: str) -> str:
        """The address to subscribe to for a case or a good feed."""
        scheme, host = ("https", "localhost") if self._tls(name) else ("http", "127.0.0.1")
        return f"{scheme}://{host}:{self.ports[name]}/feed"

    def _tls(self, name: str) -> str:
        return next((case.tls for case in self.cases if case.name == name), "")

    def all_good_served(self) -> bool:
        return sum(event.startswith("good ") for event in self.events) >= 2 * self.good

    async def _connected(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if name == "trap":
                self.trapped.append("connection")
                return
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("latin-1")
            if name.startswith("good"):
                await self._good(name, path, writer)
                return
            case = next(case for case in self.cases if case.name == name)
            asked = Asked(path, self, name, writer)
            if path == "/robots.txt" and case.kind != "robots":
                await asked.send(reply(b"", status="404 Not Found"))
            elif case.kind != "feed" and path == "/feed":
                item = f"<item><title>About {name}</title><link>{asked.base}/page</link><description>{case.text}</description></item>"
                await asked.send(reply(rss(item), kind="application/rss+xml"))
            else:
                await case.serve(asked)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError, StopIteration, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _good(self, name: str, path: str, writer: asyncio.StreamWriter) -> None:
        base = f"http://127.0.0.1:{self.ports[name]}"
        if path == "/feed":
            writer.write(
                reply(
                    rss(f"<item><title>Good news of {name}</title><link>{base}/story</link></item>"),
                    kind="application/rss+xml",
                )
            )
        elif path == "/story":
            writer.write(reply(ARTICLE.encode(), kind="text/html; charset=utf-8"))
        else:
            writer.write(reply(b"", status="404 Not Found"))
        await writer.drain()
        if path in ("/feed", "/story"):
            self.events.append(f"good {name} {path}")

    async def _listen(self) -> None:
        for name in ["trap", *(f"good{n}" for n in range(self.good)), *(case.name for case in self.cases)]:

            async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str = name) -> None:
                await self._connected(name, reader, writer)

            fault = self._tls(name)
            server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=self._context(fault) if fault else None)
            self.ports[name] = server.sockets[0].getsockname()[1]

    def _context(self, fault: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority = trustme.CA() if fault == "unknown" else self.authority
        name = "elsewhere.example" if fault == "name" else "localhost"
        expired = datetime.now(UTC) - timedelta(days=2) if fault == "expired" else None
        authority.issue_cert(name, not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=expired).configure_cert(
            context
        )
        return context

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()

        def run() -> None:
            assert self._loop is not None
            asyncio.set_event_loop(self._loop)
            self._loop.set_exception_handler(lambda loop, context: None)  # clients that leave in mid-handshake
            self._loop.run_until_complete(self._listen())
            ready.set()
            self._loop.run_forever()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def rss(*items: str, head: str = "") -> bytes:
    return f'{head}<rss version="2.0"><channel><title>Wire</title>{"".join(items)}</channel></rss>'.encode()


def reply(body: bytes, *headers: str, status: str = "200 OK", kind: str = "text/plain") -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        f"Content-Type: {kind}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


WORDS = (
    "Ferry crossings between Hartwick and the outer islands resumed on Monday after a nine-day strike, the operator said. "
    "The first boat left at six in the morning with all crew members aboard, and the timetable would be back to normal by "
    "the weekend. The union said that its members had accepted a pay rise of four percent, less than the seven asked for."
)
ARTICLE = (
    "<html lang=en><head><title>Ferry service resumes</title></head><body><article><h1>Ferry service resumes</h1>"
    f"<p>{WORDS}</p><p>{WORDS[::-1][:200]}</p></article></body></html>"
)


def sends(data: bytes) -> Serve:
    async def serve(asked: Asked) -> None:
        await asked.send(
            data.replace(b"{base}", asked.base.encode()).replace(
                b"{trap}", f"http://127.0.0.1:{asked.server.ports['trap']}".encode()
            )
        )

    return serve


def redirects(location: str, status: str = "302 Found", *headers: str) -> Serve:
    return sends(reply(b"", f"Location: {location}", *headers, status=status))


async def _drip(asked: Asked, data: bytes) -> None:
    """One byte now and then, for as long as the client stays and longer than it takes to serve all the good feeds."""
    at = 0
    try:
        while True:
            await asked.send(data[at % len(data) : at % len(data) + 1])
            at += 1
            await asyncio.sleep(0.1)
            if asked.writer.is_closing():
                return
    except ConnectionError:
        pass
    finally:
        asked.server.events.append(f"gone {asked.case}")


async def drip_headers(asked: Asked) -> None:
    await asked.send(b"HTTP/1.1 200 OK\r\n")
    await _drip(asked, b"X-Slow: loris\r\n")


async def drip_body(asked: Asked) -> None:
    await asked.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000000\r\n\r\n")
    await _drip(asked, b"<p>slow</p>")


async def endless_body(asked: Asked) -> None:
    await asked.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body>")
    while True:
        await asked.send(b"<p>on and on</p>" * 4096)


async def endless_headers(asked: Asked) -> None:
    await asked.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(200_000):
        await asked.send(b"".join(b"X-%d-%d: %s\r\n" % (number, n, b"y" * 100) for n in range(50)))


async def endless_interim(asked: Asked) -> None:
    for _ in range(500_000):
        await asked.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 50)


async def redirect_chain(asked: Asked) -> None:
    await asked.send(reply(b"", f"Location: {asked.path}x", status="301 Moved Permanently"))


def bomb(encoding: str, kind: str) -> Serve:
    """100 MB packed into some kilobytes."""
    plain = b" " * MB
    if encoding == "gzip":
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = b"".join(packer.compress(plain) for _ in range(100)) + packer.flush()
    elif encoding == "br":
        packer = brotli.Compressor(quality=5)
        packed = b"".join(packer.process(plain) for _ in range(100)) + packer.finish()
    else:
        packed = zstd.compress(plain * 100)
    return sends(reply(packed, f"Content-Encoding: {encoding}", kind=kind))


def layered_bomb() -> Serve:
    packed = gzip.compress(gzip.compress(b" " * (100 * MB), 9), 9)
    return sends(reply(packed, "Content-Encoding: gzip, gzip", kind="text/html"))


def entities(levels: int = 12) -> str:
    declared = ['<!ENTITY a0 "lol">', *(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, levels))]
    return f"<!DOCTYPE rss [{''.join(declared)}]>"


def noise(size: int) -> bytes:
    return random.Random(20261125).randbytes(size)
