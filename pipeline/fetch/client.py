"""The HTTP client: one polite GET at a time, redirects by hand, every cap and check in one place.

aiohttp does HTTP. Ours are the address guard, the manners towards each host, robots.txt, the redirects (each hop is
checked like a new request) and the decoding under a cap.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from w3lib.url import safe_url_string
from yarl import URL

from pipeline.errors import FetchError
from pipeline.fetch.decoding import ACCEPT_ENCODING, BodyDecoder, CapError, EncodingError
from pipeline.fetch.guard import BAD_PORTS, AddressRefusedError, AllowedHosts, guarded_socket, refusal
from pipeline.fetch.manners import Manners
from pipeline.fetch.names import SystemNames
from pipeline.fetch.robots import SIZE_CAP, Robots
from pipeline.fetch.status import asks_for_patience, retry_after
from pipeline.records import Page
from pipeline.settings import Settings

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

MAX_REDIRECTS = 10

MAX_URL = 8192
"""RFC 9110, 4.1: 8,000 octets are to be supported; and three addresses must fit into a WARC header."""

KEEP_OPEN = 5.0
"""Seconds that an idle connection is kept: some times the usual delay between two requests to a host."""

KEEP_OPEN_HOSTS = 200
"""Hosts with idle connections at once. Beyond, connections are closed after use: polling a thousand feeds would else
run into the 1,024 open files that most systems allow a process."""

UNEXPLAINED_429 = 60.0
"""Seconds without requests to a host after a 429 that does not say how long; 2026-11-23, a guess on the safe side."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT_REDIRECTS = frozenset({301, 308})
_REPEATING_REDIRECTS = frozenset({307, 308})
"""What may ask for a form to be sent again elsewhere; the others turn a POST into a GET (RFC 9110, 15.4)."""

# aiohttp allows 8 KB a header; security-policy headers of real news sites are longer (2026-11-23).
_MAX_LINE = 16 * 1024
_MAX_FIELD = 64 * 1024
_MAX_HEADERS = 256

_MAX_INTERIM = 10

_REASON = 300
"""Characters of a library's message that go into a reason: parsers quote what they choke on, whole."""

_SMALL_BODY = 16 * 1024
"""A redirect's body up to this is read so that the connection can be used again; beyond, the connection is closed."""

_MAX_ANSWER = 64 * 1024
"""Bytes of the answer to a form that are read; nothing is done with them but to say what was wrong."""

_SAFE = re.compile(r"[!-~]+\Z")
_HOST = re.compile(r"[a-z0-9._-]+\Z|[0-9a-f:.]+(?:%[a-z0-9]+)?\Z")
_KEPT_ACROSS_HOSTS = frozenset({"accept", "accept-language", "if-none-match", "if-modified-since"})


class _Response(aiohttp.ClientResponse):
    """aiohttp's, with an end to interim responses (1xx): a server may send them for as long as the time limits let it,
    and each is parsed. aiohttp looks for somebody who waits for a 100 at each of them, and here nobody ever does."""

    _interim = 0

    @property
    def _continue(self) -> None:  # type: ignore[override]
        self._interim += 1
        if self._interim > _MAX_INTERIM:
            raise aiohttp.ClientError(f"more than {_MAX_INTERIM} interim responses")


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL that is about to be asked for, read once, so that every check speaks of the same host."""

    url: URL
    host: str
    port: int

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return str(self.url.origin()).lower()


class Fetcher:
    """Gets pages. An async context manager: the connections live and die with it.

    ``resolver`` takes the place of the system's name resolution. The guard does not trust either. ``held`` is told of
    each host ("name:port") that is to be left alone for a longer while, and for how many seconds.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        resolver: AbstractResolver | None = None,
        held: Callable[[str, float], None] = lambda host, seconds: None,
    ) -> None:
        self._settings = settings
        self._given_resolver = resolver
        self._names: SystemNames | None = None
        self._allowed = AllowedHosts(settings.allow_hosts)
        self._manners = Manners(
            concurrency=settings.concurrency,
            per_host=settings.per_host,
            delay=settings.host_delay,
            delay_cap=settings.crawl_delay_cap,
            held=held,
        )
        self._kept_open: OrderedDict[str, float] = OrderedDict()
        """Hosts with idle connections, and until when, by the loop's time; the longest idle first."""
        self._robots = Robots(self._robots_file, self._slow_down)
        self._sessions: dict[tuple[bool, bool], aiohttp.ClientSession] = {}
        """By whether the guard is on and whether connections stay open: each has a pool of its own, so that a
        connection past the guard can never be handed to a host that is not allowed."""
        self._timeout = aiohttp.ClientTimeout(
            total=settings.total_timeout,
            connect=settings.connect_timeout,
            sock_connect=settings.connect_timeout,
            sock_read=settings.read_timeout,
        )

    async def __aenter__(self) -> Self:
        if self._given_resolver is None:
            self._names = SystemNames()
        for guarded in (True, False) if self._allowed else (True,):
            for kept in (True, False):
                self._sessions[guarded, kept] = self._session(guarded, kept)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._robots.close()
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
        if self._names is not None:
            await self._names.close()
            self._names = None

    def _session(self, guarded: bool, kept: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,  # the manners count requests, per host and overall
            ttl_dns_cache=60,
            force_close=not kept,
            keepalive_timeout=KEEP_OPEN if kept else None,
            resolver=self._given_resolver or self._names,
            socket_factory=guarded_socket if guarded else None,
        )
        return aiohttp.ClientSession(
            connector=connector,
            connector_owner=True,
            response_class=_Response,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers={"User-Agent": self._settings.user_agent, "Accept-Encoding": ACCEPT_ENCODING},
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_FIELD,
            max_headers=_MAX_HEADERS,
        )

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        robots: bool = True,
        accept: str = ACCEPT,
    ) -> Page:
        """The response at the end of the redirects from ``url``, of any status, body decoded.

        ``robots`` says whether robots.txt is asked first (``settings.robots`` off wins). ``headers`` are sent along;
        to another host than the first only conditions and preferences are. Raises FetchError for all that is not
        a complete response; the codes are in :mod:`pipeline.fetch`.
        """
        asked = {"Accept": accept, **(headers or {})}
        return await self._follow(url, asked, robots and self._settings.robots, self._settings.max_bytes)

    async def post(self, url: str, form: Mapping[str, str]) -> Page:
        """The answer to a form, of any status, at most its first 64 KB. Only a redirect that asks for the same form
        again (307, 308) is followed; every other one, and all that :meth:`get` raises it for, is a FetchError."""
        return await self._follow(url, {}, robots=False, cap=_MAX_ANSWER, cut=True, form=form)

    async def _robots_file(self, url: str) -> Page:
        accept = {"Accept": "text/plain,*/*;q=0.5"}
        return await self._follow(url, accept, robots=False, cap=SIZE_CAP, cut=True)

    def _slow_down(self, origin: str, delay: float) -> None:
        self._manners.slow_down(_read(origin, origin).place, delay)

    async def _follow(
        self,
        url: str,
        headers: Mapping[str, str],
        robots: bool,
        cap: int,
        cut: bool = False,
        form: Mapping[str, str] | None = None,
    ) -> Page:
        target = first = _read(url, url)
        seen = {target.url}
        moved_to: str | None = None
        permanent = True
        spent = 0.0
        for _ in range(MAX_REDIRECTS + 1):
            self._check_literal(target, url)
            self._check_port(target, url)
            if robots:
                await self._robots.check(target.origin, str(target.url), url)
            if target.place != first.place:
                headers = {k: v for k, v in headers.items() if k.lower() in _KEPT_ACROSS_HOSTS}
            async with self._manners.turn(target.place, url):
                began = asyncio.get_running_loop().time()
                answer = await self._ask(target, url, headers, cap, cut, spent, form)
                spent += asyncio.get_running_loop().time() - began
            if isinstance(answer, Page):
                final = url if target is first else str(target.url)
                return _with_addresses(answer, url, final, moved_to)
            status, location = answer
            if form is not None and status not in _REPEATING_REDIRECTS:
                raise FetchError(url, "redirects", f"answers a form by {status}, to {location}", permanent=True)
            permanent = permanent and status in _PERMANENT_REDIRECTS
            target = _read(location, url, base=target.url)
            if target.url in seen:
                raise FetchError(url, "redirects", f"redirects in a circle to {target.url}", permanent=True)
            seen.add(target.url)
            if permanent:
                moved_to = str(target.url)
        raise FetchError(url, "redirects", f"more than {MAX_REDIRECTS} redirects", permanent=True)

    def _keep_open(self, place: str) -> bool:
        """Whether a connection may stay open for the next request to its host."""
        now = asyncio.get_running_loop().time()
        while self._kept_open and next(iter(self._kept_open.values())) <= now:
            self._kept_open.popitem(last=False)
        if place not in self._kept_open and len(self._kept_open) >= KEEP_OPEN_HOSTS:
            return False
        self._kept_open[place] = now + 2 * KEEP_OPEN  # aiohttp sweeps every KEEP_OPEN seconds
        self._kept_open.move_to_end(place)
        return True

    def _check_literal(self, target: _Target, asked: str) -> None:
        """Refuse a host that is written as a number before anything is asked of it; names are checked at the socket.

        Decimal, octal, hexadecimal and short forms are read as the C library would (``inet_aton``).
        """
        if (target.host, target.port) in self._allowed:
            return
        address = target.host
        if ":" not in address:
            try:
                address = socket.inet_ntoa(socket.inet_aton(address))
            except OSError:
                return
        why = refusal(address)
        if why is not None:
            raise FetchError(asked, "private-address", why, permanent=True)

    def _check_port(self, target: _Target, asked: str) -> None:
        if target.port in BAD_PORTS and (target.host, target.port) not in self._allowed:
            raise FetchError(asked, "port", f"port {target.port} is another protocol's", permanent=True)

    async def _ask(
        self,
        target: _Target,
        asked: str,
        headers: Mapping[str, str],
        cap: int,
        cut: bool,
        spent: float,
        form: Mapping[str, str] | None,
    ) -> Page | tuple[int, str]:
        """One request, with a form a POST: the page, its addresses still to be set, or a redirect's status and
        Location."""
        if not self._sessions:
            raise RuntimeError("Fetcher is used outside of 'async with'")
        session = self._sessions[(target.host, target.port) not in self._allowed, self._keep_open(target.place)]
        timeout = self._timeout
        if spent:
            left = max(self._settings.total_timeout - spent, 0.001)
            timeout = aiohttp.ClientTimeout(
                total=left,
                connect=timeout.connect,
                sock_connect=timeout.sock_connect,
                sock_read=timeout.sock_read,
            )
        at = "" if str(target.url) == asked else f" (at {target.url})"
        try:
            request = session.request(
                "GET" if form is None else "POST",
                target.url,
                headers=headers,
                data=form,
                allow_redirects=False,
                timeout=timeout,
            )
            async with request as response:
                fetched = datetime.now(UTC)
                if response.status < 200:
                    response.close()
                    raise FetchError(asked, "protocol", f"status {response.status} was not asked for{at}")
                if response.status in _REDIRECTS and "Location" in response.headers:
                    location = _text(response.headers["Location"].encode("utf-8", "surrogateescape"))
                    if response.content_length is not None and response.content_length <= _SMALL_BODY:
                        await response.content.read()
                    else:
                        response.close()
                    return response.status, location
                try:
                    body = await _body(response, cap, cut)
                except BaseException:
                    response.close()  # never drain what was refused
                    raise
                page = Page(
                    url="",
                    final_url="",
                    status=response.status,
                    headers=tuple((_text(name), _text(value)) for name, value in response.raw_headers),
                    body=body,
                    fetched=fetched,
                )
        except CapError:
            raise FetchError(asked, "too-large", f"more than {cap} bytes{at}", permanent=True) from None
        except EncodingError as error:
            raise FetchError(asked, "encoding", f"{error}{at}") from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _failure(asked, at, error) from error
        self._heed(target, page)
        return page

    def _heed(self, target: _Target, page: Page) -> None:
        """Leave a host alone that asks for it."""
        self._manners.answered(target.place, refused=page.status == 403)
        if not asks_for_patience(page):
            return
        wait = retry_after(page)
        if wait is None and page.status in (403, 429):
            wait = UNEXPLAINED_429
        if wait:
            self._manners.hold_off(target.place, wait)


async def _body(response: aiohttp.ClientResponse, cap: int, cut: bool) -> bytes:
    """The decoded body. Raises CapError past the cap, on the wire or decoded, unless ``cut`` takes what is under it."""
    if response.status in (204, 304):
        return b""
    if not cut and response.content_length is not None and response.content_length > cap:
        raise CapError
    decoder = BodyDecoder(response.headers.getall("Content-Encoding", ()), cap)
    wire = 0
    try:
        async for data in response.content.iter_any():
            wire += len(data)
            if wire > cap:
                raise CapError
            decoder.feed(data)
    except CapError:
        if not cut:
            raise
        response.close()
        return decoder.begun()
    return decoder.body()


def _read(url: str, asked: str, base: URL | None = None) -> _Target:
    """The address that ``url`` (against ``base``) names. Raises FetchError ``scheme`` where it is none for us."""
    text = url.strip()
    if len(text) > MAX_URL:
        raise _too_long(asked)
    try:
        if not _SAFE.match(text):
            text = safe_url_string(text)
        address = URL(text, encoded=True)
        if base is not None and not address.scheme:
            address = base.join(address)
        address = address.with_fragment(None)
        scheme, host, port = address.scheme, (address.raw_host or "").lower(), address.port
    except ValueError as error:
        raise FetchError(asked, "scheme", f"not an address: {url} ({error})", permanent=True) from error
    if scheme not in ("http", "https"):
        raise FetchError(
            asked, "scheme", f"{url} is neither http nor https" if scheme else f"{url} is no URL", permanent=True
        )
    if len(str(address)) > MAX_URL:  # escaped, and against its base
        raise _too_long(asked)
    if not host or port is None or not _HOST.match(host):
        raise FetchError(asked, "scheme", f"{url} names no host", permanent=True)
    return _Target(address, host, port)


def _too_long(asked: str) -> FetchError:
    return FetchError(asked, "scheme", f"the address is longer than {MAX_URL} characters", permanent=True)


def _with_addresses(page: Page, url: str, final_url: str, moved_to: str | None) -> Page:
    return Page(
        url=url,
        final_url=final_url,
        status=page.status,
        headers=page.headers,
        body=page.body,
        fetched=page.fetched,
        moved_to=moved_to,
    )


def _text(raw: bytes) -> str:
    """A header's bytes as text that any store takes: UTF-8 where it is that, else byte by byte."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _failure(asked: str, at: str, error: Exception) -> FetchError:
    """What aiohttp raised, as a FetchError with its code."""
    cause: BaseException = error
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
    if isinstance(cause, AddressRefusedError):
        return FetchError(asked, "private-address", f"{cause.why}{at}", permanent=True)
    words = str(cause) or type(cause).__name__
    match error:
        case TimeoutError():
            code, words = "timeout", str(error) or "no complete answer in time"
        case aiohttp.ClientConnectorDNSError() | UnicodeError():  # the latter: a label that no name can have
            code, words = "dns", f"name cannot be resolved: {words}"
        case aiohttp.ClientSSLError() | ssl.SSLError():
            code = "tls"
        case aiohttp.ClientConnectorError():
            code = "connect"
        case aiohttp.ClientPayloadError():
            code, words = _broken_body(error)
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() | ConnectionError():
            code = "reset"
        case aiohttp.InvalidURL():
            code = "scheme"
        case aiohttp.ClientError() | ValueError():
            code, words = "protocol", f"not HTTP: {getattr(error, 'message', '') or words}"
        case _:
            code = "connect"
    reason = " ".join(f"{words[:_REASON]}{at}".split())
    return FetchError(asked, code, reason, permanent=code == "scheme")


def _broken_body(error: aiohttp.ClientPayloadError) -> tuple[str, str]:
    """A body that stops early is ``reset``: asking again may bring it; one with bad framing is ``protocol``."""
    cause = error.__cause__
    if isinstance(cause, aiohttp.http_exceptions.TransferEncodingError) and "Not enough data" not in str(cause):
        return "protocol", f"bad transfer encoding: {cause}"
    return "reset", "the connection ended in the middle of the body"
