"""A WebSub hub on loopback, in a thread of its own: it verifies, leases, denies, ends and pushes as a test tells it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from pipeline.demo.loopback import Loopback


@dataclass(frozen=True, slots=True)
class Asked:
    """What a subscriber has asked for, and what its callback answered to the challenge."""

    mode: str
    topic: str
    callback: str
    secret: str
    status: int
    echoed: bool


class Hub:
    """``lease`` is what it gives, in seconds; ``status`` what it answers to a request; ``denies`` is why it will not."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.lease = 86_400
        self.status = 202
        self.denies: str | None = None
        self.verifies = True
        self._server = Loopback([self._answer])

    @property
    def host(self) -> str:
        return self._server.hosts[0]

    @property
    def url(self) -> str:
        return f"http://{self.host}/hub"

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        given = dict(parse_qsl((await request.read()).decode()))
        mode, topic, callback = given["hub.mode"], given["hub.topic"], given["hub.callback"]
        status, text = 0, ""
        if self.denies is not None:
            status, text = await say(callback, mode="denied", topic=topic, reason=self.denies)
        elif self.verifies and self.status < 300:
            lease = {"lease_seconds": str(self.lease)} if mode == "subscribe" else {}
            status, text = await say(callback, mode=mode, topic=topic, challenge="prove it", **lease)
        secret = given.get("hub.secret", "")
        self.asked.append(Asked(mode, topic, callback, secret, status, text == "prove it"))
        return web.Response(status=self.status)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()


async def say(callback: str, **words: str) -> tuple[int, str]:
    """What the callback answers to a hub's GET."""
    query = {f"hub.{name}": word for name, word in words.items()}
    async with aiohttp.ClientSession() as session, session.get(callback, params=query) as response:
        return response.status, await response.text()


async def push(
    callback: str,
    body: bytes,
    secret: str,
    method: str = "sha256",
    kind: str = "application/rss+xml",
    encoding: str | None = None,
) -> int:
    """Send something new, signed; the answer's status. ``encoding`` is said of a body that is in it already."""
    signature = f"{method}={hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()}"
    headers = {"Content-Type": kind, "X-Hub-Signature": signature}
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    async with aiohttp.ClientSession() as session, session.post(callback, data=body, headers=headers) as response:
        return response.status
