"""A server on loopback that answers as a test has scripted it, in a thread of its own.

For answers below HTTP (broken framing, cut connections) the fetch tests have a server that writes bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web

from pipeline.demo.loopback import Loopback, Seen


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. ``delay`` is seconds before it; ``headers`` win over what the server would send itself."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0

    async def send(self) -> web.Response:
        if self.delay:
            await asyncio.sleep(self.delay)
        return web.Response(status=self.status, headers=self.headers, body=self.body or None)


NOT_FOUND = Reply(b"no such page", 404, {"Content-Type": "text/plain"})


class Script:
    """Replies by path (with its query, or without): each is given once, in order, the last one for ever."""

    def __init__(self) -> None:
        self._replies: dict[str, list[Reply]] = {}

    def on(self, path: str, *replies: Reply, then: Reply | None = None) -> None:
        """``then`` ends the script with a reply for ever; without it, the last of ``replies`` stays."""
        self._replies[path] = [*replies, then] if then is not None else list(replies)

    def once(self, path: str, *replies: Reply) -> None:
        """These replies, one each; after them the path is unscripted again."""
        self._replies[path] = [*replies, _UNSCRIPTED]

    def next(self, path_qs: str) -> Reply | None:
        """What comes now; ``None`` where nothing is scripted."""
        for path in (path_qs, path_qs.partition("?")[0]):
            if replies := self._replies.get(path):
                reply = replies.pop(0) if len(replies) > 1 else replies[0]
                return None if reply is _UNSCRIPTED else reply
        return None


_UNSCRIPTED = Reply()


class ScriptedServer(Script):
    """``sites`` hosts with one script; paths that it does not name are 404. A context manager, plain or async."""

    def __init__(self, *, sites: int = 1, port: int = 0) -> None:
        super().__init__()
        self._server = Loopback([self._answer] * sites, port=port)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Values for ``settings.allow_hosts``."""
        return self._server.hosts

    @property
    def requests(self) -> list[Seen]:
        return self._server.requests

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order, robots.txt left out."""
        return [seen.path for seen in self.requests if seen.path != "/robots.txt"]

    def url(self, path: str, site: int = 0) -> str:
        return f"http://{self.hosts[site]}{path}"

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        return await (self.next(request.path_qs) or NOT_FOUND).send()

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
