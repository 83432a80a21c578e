"""HTTP handlers on loopback ports, in a thread of their own, with every request noted.

The thread keeps the server answering while the caller's own event loop is busy with something else, or has none.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web
from multidict import CIMultiDictProxy

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came in. ``at`` is monotonic seconds; ``path`` has the query string."""

    at: float
    host: str
    method: str
    path: str
    headers: CIMultiDictProxy[str]

    @property
    def url(self) -> str:
        return f"http://{self.host}{self.path}"


class Loopback:
    """One handler a port on 127.0.0.1. A context manager, plain or async; the ports are known once it is made."""

    def __init__(self, handlers: Sequence[Handler], *, port: int = 0) -> None:
        """``port`` is the first of as many consecutive ports as there are handlers; 0 lets the system choose each.

        Raises OSError where a port is taken.
        """
        self._sockets: list[socket.socket] = []
        try:
            for number, _ in enumerate(handlers):
                self._sockets.append(socket.create_server((ADDRESS, port + number if port else 0)))
        except OSError:
            self._close_sockets()
            raise
        self._handlers = tuple(handlers)
        self.hosts: tuple[str, ...] = tuple(f"{ADDRESS}:{s.getsockname()[1]}" for s in self._sockets)
        """``127.0.0.1:PORT`` of each handler, in the order of the handlers."""
        self.requests: list[Seen] = []
        """Every request so far, in the order of arrival."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def counts(self) -> Counter[str]:
        """How often each URL was asked for."""
        return Counter(seen.url for seen in list(self.requests))

    def start(self) -> None:
        """Begin to answer. Requests sent earlier have waited in the sockets' backlog."""
        loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._loop = loop
        self._thread = threading.Thread(target=self._run, args=(loop, ready), name="loopback-server", daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Close the ports and end the thread; answers still under way are cut off. Twice is once."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop = self._thread = None
        self._close_sockets()

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()

    def _run(self, loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        runners = loop.run_until_complete(self._listen())
        ready.set()
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(asyncio.gather(*(runner.cleanup() for runner in runners)))
            loop.close()

    async def _listen(self) -> list[web.ServerRunner]:
        runners = []
        for handler, sock, host in zip(self._handlers, self._sockets, self.hosts, strict=True):
            runner = web.ServerRunner(web.Server(self._noting(handler, host)), shutdown_timeout=0.05)
            await runner.setup()
            await web.SockSite(runner, sock, backlog=512).start()
            runners.append(runner)
        return runners

    def _noting(self, handler: Handler, host: str) -> Handler:
        async def note(request: web.BaseRequest) -> web.StreamResponse:
            self.requests.append(Seen(time.monotonic(), host, request.method, request.path_qs, request.headers))
            return await handler(request)

        return note

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)
