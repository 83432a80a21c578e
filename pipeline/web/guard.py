"""Stands before every page: whose requests are answered, what a browser may do with the answers.

- A ``Host`` that is not ours is refused, or a site could point its own name at this machine and read the page through
  a visitor's browser (DNS rebinding). Addresses in figures are fine: a browser cannot be talked into those.
- What changes something must come from our own pages (``Sec-Fetch-Site``, else ``Origin``), and is never too long.
- Where a login is asked for, nothing but the login form and the style sheet is shown without it.
- The content security policy allows this page's own scripts and styles and nothing else: text from a wire that got
  through the escaping of templates would still be dead.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.web.login import VISIT, Login

SAFE: Final = {"GET", "HEAD", "OPTIONS"}
MAX_BODY: Final = 4 * 1024 * 1024
"""Bytes of a request's body: an OPML file of ten thousand feeds has about 2 MB."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers then send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

OPEN: Final = ("/static/", "/login")
"""What is shown without login."""


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, login: Login, names: Iterable[str]) -> None:
        """``names`` are the hosts, without port, under which the page may be asked for besides addresses in figures."""
        self.app, self.login = app, login
        self.names = {name.lower().rstrip(".") for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        visit = _visit(connection)
        fresh = not visit
        scope["visit"] = visit = visit or secrets.token_urlsafe(18)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if fresh and not scope["path"].startswith("/static/"):
                    cookie = f"{VISIT}={visit}; HttpOnly; Path=/; SameSite=Strict"
                    headers.append("Set-Cookie", cookie + ("; Secure" if scope["scheme"] == "https" else ""))
            await send(message)

        refused = self._refused(connection, scope)
        if refused is not None:
            await refused(scope, receive, guarded)
        else:
            await self.app(scope, _capped(receive), guarded)

    def _refused(self, connection: HTTPConnection, scope: Scope) -> Response | None:
        """The answer to a request that goes no further; ``None`` for one that may."""
        host = connection.headers.get("host", "")
        if not self.knows(host):
            return PlainTextResponse(
                f"This page does not go by the name {host[:100]!r}. If it should, start it with --name.", 421
            )
        if scope["method"] not in SAFE:
            if not _from_here(connection, host):
                return PlainTextResponse("This did not come from a page of ours, and nothing was changed.", 403)
            length = connection.headers.get("content-length", "0")
            if not length.isdigit() or int(length) > MAX_BODY:
                return PlainTextResponse(f"More than {MAX_BODY // 2**20} MB is not taken.", 413)
        if not self.login.admits(connection) and not scope["path"].startswith(OPEN):
            if scope["method"] in SAFE and "text/html" in connection.headers.get("accept", ""):
                query = scope["query_string"].decode("latin-1")
                return RedirectResponse(f"/login?to={quote(scope['path'] + ('?' + query if query else ''))}", 303)
            return PlainTextResponse("The token is wanted.", 401, {"WWW-Authenticate": 'Basic realm="Wirewatch"'})
        return None

    def knows(self, host: str) -> bool:
        """Whether a request for this host (with or without port) is meant for us."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name.rstrip(".") in self.names
        return True


def _from_here(connection: HTTPConnection, host: str) -> bool:
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if site is not None:
        return site in {"same-origin", "none"}
    # A script sends neither; a browser that has the first not sends the second.
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()


def _visit(connection: HTTPConnection) -> str:
    """The visitor's cookie; empty where there is none, or what cannot be ours."""
    try:
        cookies = SimpleCookie(connection.headers.get("cookie", ""))
    except CookieError:
        return ""
    value = cookies[VISIT].value if VISIT in cookies else ""
    return value if len(value) == 24 and value.isascii() else ""


def _capped(receive: Receive) -> Receive:
    """The same request, ended where its body grows longer than it may be, whatever it said of its length."""
    taken = 0

    async def capped() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return message if taken <= MAX_BODY else {"type": "http.disconnect"}

    return capped
